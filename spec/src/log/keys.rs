//! The keys of one log: one, or several when it changed its key.

use super::checkpoint::{Checkpoint, CheckpointError};
use super::note::{KeyKind, NoteError, NoteSignature, SignedNote, Vkey};
use super::policy::Policy;
use super::tree::TreeSize;
use crate::wire::clip;
use crate::wire::signature::PublicKey;

/// Which key signs the log's heads from a size on, as its administrators named it: see
/// `rotate-log-key` in `spec/event.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadKey {
    /// Heads of this size or more count only with the key's signature.
    pub from: TreeSize,
    /// The key.
    pub key: PublicKey,
}

/// The named key that must have signed a head of this size: the last of those whose size is
/// reached. None: nobody named one for it.
#[must_use]
pub fn head_key_at(named: &[HeadKey], size: TreeSize) -> Option<&PublicKey> {
    let at = named.iter().rev().find(|named| named.from <= size);
    at.map(|named| &named.key)
}

/// The keys that may sign a log's heads. All have one name, the log's origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogKeys {
    first: Vkey,
    later: Vec<Vkey>,
    /// What the administrators named, as far as it is known here.
    named: Vec<HeadKey>,
}

impl From<Vkey> for LogKeys {
    fn from(key: Vkey) -> Self {
        Self {
            first: key,
            later: Vec::new(),
            named: Vec::new(),
        }
    }
}

impl LogKeys {
    /// The keys a policy has for a log, in its order; none if it does not know the log.
    #[must_use]
    pub fn of(policy: &Policy, origin: &str) -> Option<Self> {
        let mut all = policy.logs().iter().map(|log| &log.vkey);
        let mut keys = Self::from(all.find(|key| key.name() == origin)?.clone());
        for key in all {
            keys.add(key.clone());
        }
        Some(keys)
    }

    /// Adds a key of the same log. A key of another name is not taken, and one that is there
    /// already stays once; returns whether it was taken.
    pub fn add(&mut self, key: Vkey) -> bool {
        let taken = key.name() == self.origin() && self.iter().all(|known| *known != key);
        if taken {
            self.later.push(key);
        }
        taken
    }

    /// The same, with the keys that the log's administrators named for sizes. They are the log's
    /// too, and where one is named no other will do.
    #[must_use]
    pub fn with_named(mut self, named: &[HeadKey]) -> Self {
        for one in named {
            if let Ok(key) = Vkey::new(self.origin(), KeyKind::Ed25519, one.key) {
                self.add(key);
            }
        }
        self.named = named.to_vec();
        self
    }

    /// The log's origin.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.first.name()
    }

    /// The first key.
    #[must_use]
    pub fn first(&self) -> &Vkey {
        &self.first
    }

    /// Every key, the first one first.
    pub fn iter(&self) -> impl Iterator<Item = &Vkey> {
        std::iter::once(&self.first).chain(&self.later)
    }

    /// The lines of a note that are by one of the keys.
    pub fn lines<'a>(&'a self, note: &'a SignedNote) -> impl Iterator<Item = &'a NoteSignature> {
        self.iter().flat_map(|key| note.by(key))
    }

    /// Opens a checkpoint that one of the keys signed, and none falsely; where a key is named for
    /// its size, that one. Cosignatures are not looked at: see [`super::policy`].
    ///
    /// # Errors
    /// What note and text are refused for, the signature first; `OriginMismatch`; `KeyReplaced`.
    pub fn open(&self, note: &str) -> Result<(Checkpoint, SignedNote), CheckpointError> {
        let note = SignedNote::parse(note)?;
        let mut missing = None;
        let mut signed = false;
        for key in self.iter() {
            match note.verify(key) {
                Ok(()) => signed = true,
                Err(error @ NoteError::NotSigned { .. }) => missing = Some(error),
                Err(error) => return Err(error.into()),
            }
        }
        if let Some(error) = missing.filter(|_| !signed) {
            return Err(error.into());
        }
        let checkpoint = Checkpoint::parse(note.text())?;
        if checkpoint.origin != self.origin() {
            return Err(CheckpointError::OriginMismatch {
                expected: clip(self.origin()),
                actual: clip(&checkpoint.origin),
            });
        }
        let size = checkpoint.size;
        if let Some(key) = head_key_at(&self.named, size) {
            let by = |line: &&Vkey| line.public_key() == Some(key);
            let signed = self.iter().find(by);
            if signed.is_none_or(|key| note.by(key).next().is_none()) {
                let checkpoint = Box::new(checkpoint);
                return Err(CheckpointError::KeyReplaced { checkpoint });
            }
        }
        Ok((checkpoint, note))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::note::NoteSigner;
    use crate::log::tree::empty_root;
    use crate::wire::signature::SecretKey;

    const ORIGIN: &str = "zhao.example/test";

    fn signer(name: &str, seed: u8) -> NoteSigner {
        NoteSigner::new(name, SecretKey::from_seed([seed; 32])).unwrap()
    }

    fn keys(seeds: &[u8]) -> LogKeys {
        let vkey = |seed: &u8| signer(ORIGIN, *seed).vkey().clone();
        let mut keys = LogKeys::from(vkey(&seeds[0]));
        for seed in &seeds[1..] {
            assert!(keys.add(vkey(seed)));
        }
        keys
    }

    fn note(signers: &[NoteSigner]) -> SignedNote {
        let checkpoint = Checkpoint {
            origin: ORIGIN.to_owned(),
            size: TreeSize(0),
            root: empty_root(),
        };
        let mut note = checkpoint.to_note().unwrap();
        for signer in signers {
            note.sign(signer).unwrap();
        }
        note
    }

    fn code(keys: &LogKeys, note: &SignedNote) -> &'static str {
        keys.open(&note.format()).unwrap_err().code()
    }

    #[test]
    fn any_of_the_keys_opens_and_no_other() {
        let both = keys(&[1, 2]);
        for seeds in [&[1][..], &[2], &[1, 2], &[9, 2]] {
            let signers: Vec<_> = seeds.iter().map(|seed| signer(ORIGIN, *seed)).collect();
            let signed = note(&signers);
            let (_, opened) = both.open(&signed.format()).expect("opens");
            let own = seeds.iter().filter(|seed| **seed < 3).count();
            assert_eq!(both.lines(&opened).count(), own, "{seeds:?}");
        }
        assert_eq!(code(&both, &note(&[signer(ORIGIN, 9)])), "not_signed");
        assert_eq!(code(&keys(&[1]), &note(&[signer(ORIGIN, 2)])), "not_signed");
        let elsewhere = note(&[signer("zhao.example/other", 1)]);
        assert_eq!(code(&both, &elsewhere), "not_signed");
    }

    #[test]
    fn a_false_line_by_either_key_spoils_the_head() {
        for (good, bad) in [(1, 2), (2, 1)] {
            let mut signed = note(&[signer(ORIGIN, good)]);
            let mut line = signer(ORIGIN, bad).sign(signed.text());
            line.blob[7] ^= 1;
            signed.add(line).unwrap();
            assert_eq!(code(&keys(&[1, 2]), &signed), "bad_signature");
        }
    }

    #[test]
    fn where_a_key_is_named_no_other_will_do() {
        let named = |from, seed: u8| HeadKey {
            from: TreeSize(from),
            key: SecretKey::from_seed([seed; 32]).public(),
        };
        let knows = |list: &[HeadKey]| keys(&[1]).with_named(list);
        // The head is of size 0.
        let now = knows(&[named(0, 2)]);
        let later = knows(&[named(1, 2)]);
        assert_eq!(code(&now, &note(&[signer(ORIGIN, 1)])), "key_replaced");
        assert_eq!(code(&now, &note(&[signer(ORIGIN, 3)])), "not_signed");
        let both = note(&[signer(ORIGIN, 1), signer(ORIGIN, 2)]).format();
        let second = note(&[signer(ORIGIN, 2)]).format();
        assert!(now.open(&both).is_ok() && now.open(&second).is_ok());
        assert!(later.open(&note(&[signer(ORIGIN, 1)]).format()).is_ok());
        // The last that was named counts, also when it reaches back.
        let third = knows(&[named(0, 2), named(0, 3)]);
        assert_eq!(code(&third, &note(&[signer(ORIGIN, 2)])), "key_replaced");
        assert!(third.open(&note(&[signer(ORIGIN, 3)]).format()).is_ok());
    }

    #[test]
    fn keys_are_of_one_log_and_each_once() {
        let mut own = keys(&[1]);
        assert!(!own.add(signer("zhao.example/other", 2).vkey().clone()));
        assert!(!own.add(signer(ORIGIN, 1).vkey().clone()));
        assert_eq!(own, keys(&[1]));
        let line = |name: &str, seed| format!("log {}\n", signer(name, seed).vkey().format());
        let text = [
            line("zhao.example/other", 3),
            line(ORIGIN, 1),
            line(ORIGIN, 2),
        ]
        .concat();
        let policy = Policy::parse(&(text + "quorum none\n")).unwrap();
        assert_eq!(LogKeys::of(&policy, ORIGIN), Some(keys(&[1, 2])));
        assert_eq!(LogKeys::of(&policy, "zhao.example/nowhere"), None);
    }
}
