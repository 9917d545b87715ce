//! Names, published heads, and the files beside the database.

use zhao_spec::log::LogKeys;
use zhao_spec::log::note::Vkey;
use zhao_spec::log::tree::TreeSize;

use super::{Advice, Fsck};
use crate::sequence::intent::{self, Intent};
use crate::sequence::second_log::log_root;
use crate::sequence::{CHECKPOINT_FILE, Quorum};
use crate::store::StoreError;
use crate::store::files::Files;
use crate::store::layout::{FORMAT, Family, Meta, MetaKey, Table};

impl Fsck<'_> {
    pub(super) fn check_meta(&mut self, log: &LogKeys) -> Result<(), StoreError> {
        // The key the log began with: one of those it has, whichever signs now.
        let first = log.iter().filter_map(Vkey::public_key);
        let expected = [
            (MetaKey::Format, vec![FORMAT.to_be_bytes().to_vec()]),
            (
                MetaKey::LogKey,
                first.map(|key| key.to_bytes().to_vec()).collect(),
            ),
            (MetaKey::Origin, vec![log.origin().as_bytes().to_vec()]),
        ];
        let keys: Vec<Vec<u8>> = expected
            .iter()
            .map(|(key, _)| Meta::encode_key(key))
            .collect();
        for (key, (_, values)) in keys.iter().zip(&expected) {
            let value = self.store.get(Family::Meta, key)?;
            if !value.is_some_and(|value| values.contains(&value)) {
                self.find("meta", key, "not of this log and program", Advice::Restore);
            }
        }
        let mut foreign = Vec::new();
        self.each(Family::Meta, |key, _| {
            if !keys.iter().any(|known| known == key) {
                foreign.push(key.to_vec());
            }
        })?;
        for key in foreign {
            self.find("meta", &key, "no such key", Advice::Rebuild);
        }
        Ok(())
    }

    pub(super) fn check_heads(
        &mut self,
        files: &dyn Files,
        log: &LogKeys,
        quorum: Option<&Quorum>,
    ) -> Result<(), StoreError> {
        let mut notes = Vec::new();
        self.each(Family::Heads, |key, note| {
            notes.push((key.to_vec(), note.to_vec()));
        })?;
        let newest = notes.last().map(|(key, _)| key.clone());
        for (key, note) in &notes {
            let problem = match self.check_note(log, Some(key), note)? {
                Err(problem) => Some(problem),
                Ok(_) => quorum.and_then(|q| bad_quorum(q, note, newest.as_ref() == Some(key))),
            };
            if let Some(problem) = problem {
                self.find("heads", key, problem, Advice::Restore);
            }
        }
        self.report.heads = u64::try_from(notes.len()).unwrap_or(u64::MAX);
        self.check_intent(files, &notes, log)?;
        let last = notes.last().map(|(_, note)| note);
        match files.read(CHECKPOINT_FILE)? {
            Some(note) if Some(&note) != last => {
                let advice = match self.check_note(log, None, &note)? {
                    Ok(_) => Advice::Restart,
                    Err(_) => Advice::Restore,
                };
                self.find(
                    CHECKPOINT_FILE,
                    &[],
                    "not the newest published head",
                    advice,
                );
            }
            None if last.is_some() => {
                self.find(CHECKPOINT_FILE, &[], "missing", Advice::Restart);
            }
            _ => {}
        }
        Ok(())
    }

    /// A signed head must be of this log, at its size, over an epoch leaf.
    fn check_note(
        &self,
        log: &LogKeys,
        key: Option<&[u8]>,
        note: &[u8],
    ) -> Result<Result<TreeSize, String>, StoreError> {
        let Ok(text) = std::str::from_utf8(note) else {
            return Ok(Err("not UTF-8".to_owned()));
        };
        let size = match log.open(text) {
            Err(error) => return Ok(Err(error.to_string())),
            Ok((checkpoint, _)) if checkpoint.size > self.size() => {
                return Ok(Err("newer than the database".to_owned()));
            }
            Ok((checkpoint, _)) => match log_root(self.store, checkpoint.size, &[]) {
                Ok(root) if root == checkpoint.root => checkpoint.size,
                Ok(root) => return Ok(Err(format!("the database has root {root} at its size"))),
                Err(error) => return Ok(Err(error.to_string())),
            },
        };
        if key.is_some_and(|key| key != size.0.to_be_bytes()) {
            return Ok(Err("stored under another size".to_owned()));
        }
        let last = size.0.checked_sub(1);
        let closes = |last| {
            self.replica
                .epochs
                .values()
                .any(|index| Some(index.0) == last)
        };
        if self.replayed && !closes(last) {
            return Ok(Err("its last leaf is not an epoch leaf".to_owned()));
        }
        Ok(Ok(size))
    }

    fn check_intent(
        &mut self,
        files: &dyn Files,
        notes: &[(Vec<u8>, Vec<u8>)],
        log: &LogKeys,
    ) -> Result<(), StoreError> {
        let Some(bytes) = files.read(intent::FILE)? else {
            self.find(intent::FILE, &[], "missing", Advice::Restore);
            return Ok(());
        };
        let problem = match Intent::parse(&bytes) {
            Err(error) => error.to_string(),
            Ok(intent) if intent.origin != log.origin() => "of another log".to_owned(),
            Ok(intent) if intent.size > self.size() => {
                format!(
                    "size {} is beyond the database: an older one was restored",
                    intent.size
                )
            }
            Ok(intent) => match log_root(self.store, intent.size, &[]) {
                Ok(root) if root == intent.root => {
                    let newest = notes.last().map(|(key, _)| key.as_slice());
                    if newest <= Some(intent.size.0.to_be_bytes().as_slice()) {
                        return Ok(());
                    }
                    "older than a published head".to_owned()
                }
                Ok(root) => format!("the database has root {root} at its size"),
                Err(error) => error.to_string(),
            },
        };
        self.find(intent::FILE, &[], problem, Advice::Restore);
        Ok(())
    }
}

/// What is wrong with the cosignatures under a head. Who must cosign may have changed since an
/// earlier head, so only the newest needs the present quorum.
fn bad_quorum(quorum: &Quorum, note: &[u8], newest: bool) -> Option<String> {
    match quorum.is_met(&String::from_utf8_lossy(note)) {
        Ok(false) if newest => Some("published without its quorum".to_owned()),
        Ok(_) => None,
        Err(error) => Some(error.to_string()),
    }
}
