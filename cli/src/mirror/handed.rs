//! Events handed to an auditor: kept until the log has them, and evidence where it leaves them out.
//!
//! ```text
//! DIR/handed/EVENT.json        the auditor's word for one event, by the event's identity
//! DIR/evidence-handed-EVENT.json   that the log left it out: made once, and never taken away
//! ```
//!
//! A word is on disk before anybody has it. It goes when the log has the event; everything else is
//! found again from the files and the copy, so a crash loses nothing and repeats no alarm.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use zhao_ledger::audit::Auditor;
use zhao_ledger::audit::compare::{CompareError, NotJudged, Seen};
use zhao_ledger::audit::handed::TakenIn;
use zhao_spec::file::{Evidence, Handed};
use zhao_spec::life::event::{Event, VerifiedEvent};
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::{Hash, UnixMillis, limits};
use zhao_verifier::TrustPolicy;

use crate::failure::{Failure, args};
use crate::files;

/// Most events that are kept for the log.
const EVENTS: usize = 4_096;
/// Most bytes of all of them together.
const BYTES: usize = 16 << 20;
/// A word beside its event: a name, a time, a signature, a size.
const WORD_BYTES: usize = limits::EVENT_BYTES + 2 * limits::LABEL_BYTES;

/// Where an event stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The log has it at this leaf.
    Included(LeafIndex),
    /// The bound is over, and the log had no reason: the evidence.
    Overdue(PathBuf),
    /// The bound is over, and what changed since may have been a reason: nothing is proved.
    Unproved(String),
    /// The bound is not over.
    Waiting,
}

/// An event that was taken in.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) handed: Handed,
    pub(super) state: State,
    bytes: usize,
}

/// Why an event is not taken in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotTaken {
    /// Too much is kept already.
    #[error("{events} events wait already, of {bytes} bytes: hand it in again later")]
    Full {
        /// How many.
        events: usize,
        /// Of how many bytes.
        bytes: usize,
    },
    /// It is not what the log would have to take.
    #[error("{0}")]
    Inadmissible(NotJudged),
    /// Nothing was cosigned yet.
    #[error("no head was replayed yet: hand it in again later")]
    NoHead,
    /// The trust file does not name this auditor's key, so nobody would take its word.
    #[error("the trust file names no auditor with this key: serve it with --policy")]
    Nameless,
    /// The event is of another log.
    #[error("an event of another log: {0:?}")]
    OtherLog(String),
    /// The disk, or the copy.
    #[error("{0}")]
    Trouble(String),
    /// Its signatures do not verify.
    #[error("{code}: {text}")]
    Unsigned {
        /// The life cycle's code.
        code: &'static str,
        /// The same in words.
        text: String,
    },
}

/// What a look at the newest head brought to light.
#[derive(Debug, Default)]
pub(super) struct Swept {
    /// Events that the log has left out, each with its evidence: said once.
    pub(super) overdue: Vec<(Hash, PathBuf)>,
    /// Events whose bound is over without a proof.
    pub(super) unproved: Vec<(Hash, String)>,
}

/// Everything that was handed in and is not in the log.
#[derive(Debug)]
pub(super) struct HandedIn {
    dir: PathBuf,
    origin: String,
    /// The auditor's name in the trust file; nothing where it has none.
    name: Option<String>,
    /// Milliseconds.
    bound: u64,
    kept: BTreeMap<Hash, Kept>,
    bytes: usize,
    /// Most events, and most bytes of all of them.
    most: (usize, usize),
}

impl HandedIn {
    /// Reads what an earlier process kept in `dir`.
    ///
    /// # Errors
    /// A file that is no word of this auditor's.
    pub(super) fn open(
        dir: &Path,
        trust: &TrustPolicy,
        auditor: &Auditor,
    ) -> Result<Self, Failure> {
        let key = auditor.vkey().public_key();
        let own = trust.trust().auditors.iter();
        let own = own.into_iter().find(|one| Some(&one.key) == key);
        let mut this = Self {
            dir: dir.to_owned(),
            origin: auditor.origin().to_owned(),
            name: own.map(|one| one.name.clone()),
            bound: trust.trust().inclusion_bound,
            kept: BTreeMap::new(),
            bytes: 0,
            most: (EVENTS, BYTES),
        };
        let words = this.words();
        files::make_dir(&words)?;
        let wrap = |cause: std::io::Error| Failure::file("read", &words, &cause);
        for entry in fs::read_dir(&words).map_err(wrap)? {
            let path = entry.map_err(wrap)?.path();
            // What a crash left half written has another name.
            if path.extension().is_none_or(|end| end != "json") {
                continue;
            }
            let bytes = files::read(&path, WORD_BYTES)?;
            let damaged = |cause: &dyn std::fmt::Display| {
                let path = path.display();
                Failure::usage("handed-damaged", args![path, cause])
            };
            let handed = Handed::parse(&bytes).map_err(|cause| damaged(&cause))?;
            if !auditor.has_given(&handed) || this.word(&handed.event.id()) != path {
                return Err(damaged(&"not a word of this auditor's under this name"));
            }
            this.keep(handed, bytes.len());
        }
        Ok(this)
    }

    fn keep(&mut self, handed: Handed, bytes: usize) -> State {
        let event = handed.event.id();
        let evidence = self.evidence(&event);
        let state = match evidence.is_file() {
            true => State::Overdue(evidence),
            false => State::Waiting,
        };
        let kept = Kept {
            handed,
            state: state.clone(),
            bytes,
        };
        let before = self.kept.insert(event, kept);
        let before = before.map_or(0, |kept| kept.bytes);
        self.bytes = self.bytes.saturating_add(bytes).saturating_sub(before);
        state
    }

    fn words(&self) -> PathBuf {
        self.dir.join("handed")
    }

    fn word(&self, event: &Hash) -> PathBuf {
        self.words().join(format!("{}.json", event.to_base64url()))
    }

    fn evidence(&self, event: &Hash) -> PathBuf {
        let event = event.to_base64url();
        self.dir.join(format!("evidence-handed-{event}.json"))
    }

    /// Whether anything is waited for.
    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The first event that the log has left out, if there is one: no head that still leaves it out
    /// is cosigned.
    pub(super) fn overdue(&self) -> Option<&Hash> {
        let overdue = |kept: &Kept| matches!(kept.state, State::Overdue(_));
        let mut all = self.kept.iter().filter(|(_, kept)| overdue(kept));
        all.next().map(|(event, _)| event)
    }

    /// When the log is late with an event, by its own epochs.
    pub(super) fn until(&self, handed: &Handed) -> UnixMillis {
        UnixMillis(handed.at.0.saturating_add(self.bound))
    }

    /// Where an event stands; nothing for one that was never handed in.
    ///
    /// # Errors
    /// The copy.
    pub(super) fn state(
        &self,
        auditor: &Auditor,
        event: &Hash,
    ) -> Result<Option<(State, Option<&Handed>)>, CompareError> {
        if let Some(kept) = self.kept.get(event) {
            return Ok(Some((kept.state.clone(), Some(&kept.handed))));
        }
        let Some(newest) = auditor.newest()? else {
            return Ok(None);
        };
        let found = auditor.find(event, newest.size)?;
        Ok(found.map(|index| (State::Included(index), None)))
    }

    /// Takes an event in at `now`, by the auditor's clock. The same one again changes nothing.
    ///
    /// # Errors
    /// See [`NotTaken`].
    pub(super) fn take_in(
        &mut self,
        auditor: &Auditor,
        event: Event,
        now: UnixMillis,
    ) -> Result<State, NotTaken> {
        if event.origin != self.origin {
            return Err(NotTaken::OtherLog(zhao_spec::wire::clip(&event.origin)));
        }
        let event = event
            .verify_signatures()
            .map_err(|refusal| NotTaken::Unsigned {
                code: refusal.code(),
                text: refusal.to_string(),
            })?;
        match self.kept.get(&event.id()) {
            // Without a proof the log is asked anew: from now on it has the bound once more.
            None
            | Some(Kept {
                state: State::Unproved(_),
                ..
            }) => {}
            Some(kept) => return Ok(kept.state.clone()),
        }
        self.take_new(auditor, &event, now)
    }

    fn take_new(
        &mut self,
        auditor: &Auditor,
        event: &VerifiedEvent,
        now: UnixMillis,
    ) -> Result<State, NotTaken> {
        let name = self.name.clone().ok_or(NotTaken::Nameless)?;
        let trouble = |cause: &dyn std::fmt::Display| NotTaken::Trouble(cause.to_string());
        let taken = auditor.take_in(event, now, &name);
        let handed = match taken.map_err(|cause| trouble(&cause))? {
            TakenIn::Included(index) => return Ok(State::Included(index)),
            TakenIn::Word(handed) => handed,
            TakenIn::Not(why) => return Err(NotTaken::Inadmissible(why)),
            TakenIn::NoHead => return Err(NotTaken::NoHead),
        };
        let bytes = handed.bytes();
        self.make_room(bytes.len())?;
        let write = || {
            files::replace(&self.word(&event.id()), &bytes)?;
            let words = self.words();
            files::sync_names(&words).map_err(|cause| Failure::file("write", &words, &cause))
        };
        write().map_err(|failure| trouble(&failure.cause()))?;
        Ok(self.keep(handed, bytes.len()))
    }

    /// Room for a word of so many bytes. What can no longer be proved makes room first.
    fn make_room(&mut self, bytes: usize) -> Result<(), NotTaken> {
        loop {
            let events = self.kept.len();
            if events < self.most.0 && self.bytes.saturating_add(bytes) <= self.most.1 {
                return Ok(());
            }
            let unproved = |kept: &&Kept| matches!(kept.state, State::Unproved(_));
            let oldest = self.kept.values().filter(unproved);
            let oldest = oldest.min_by_key(|kept| kept.handed.at);
            let Some(event) = oldest.map(|kept| kept.handed.event.id()) else {
                let bytes = self.bytes;
                return Err(NotTaken::Full { events, bytes });
            };
            self.drop_word(&event)
                .map_err(|failure| NotTaken::Trouble(failure.cause()))?;
        }
    }

    fn drop_word(&mut self, event: &Hash) -> Result<(), Failure> {
        let path = self.word(event);
        match fs::remove_file(&path) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                return Err(Failure::file("write", &path, &cause));
            }
            _ => {}
        }
        if let Some(kept) = self.kept.remove(event) {
            self.bytes = self.bytes.saturating_sub(kept.bytes);
        }
        Ok(())
    }

    /// Lays everything beside the newest head: what it has is no longer waited for, and what it
    /// left out for longer than the bound is written down as evidence.
    ///
    /// # Errors
    /// The copy, or the disk; nothing is then forgotten.
    pub(super) fn sweep(&mut self, auditor: &Auditor) -> Result<Swept, Failure> {
        let wrap = |cause: &dyn std::fmt::Display| Failure::usage("mirror", args![cause]);
        let mut swept = Swept::default();
        let newest = auditor.newest().map_err(|cause| wrap(&cause))?;
        let Some(newest) = newest.filter(|_| !self.is_empty()) else {
            return Ok(swept);
        };
        let events: Vec<Hash> = self.kept.keys().copied().collect();
        for event in events {
            let found = auditor.find(&event, newest.size);
            if found.map_err(|cause| wrap(&cause))?.is_some() {
                self.drop_word(&event)?;
                continue;
            }
            let Some(kept) = self.kept.get(&event) else {
                continue;
            };
            if kept.state != State::Waiting || newest.time <= self.until(&kept.handed) {
                continue;
            }
            let seen = auditor.left_out(&kept.handed, self.bound);
            let state = match seen.map_err(|cause| wrap(&cause))? {
                Seen::Evidence(proofs) => {
                    let path = self.accuse(&event, &proofs)?;
                    swept.overdue.push((event, path.clone()));
                    State::Overdue(path)
                }
                // Not looked for again: what has changed once stays changed.
                Seen::NotJudged(why) => {
                    swept.unproved.push((event, why.to_string()));
                    State::Unproved(why.to_string())
                }
                Seen::Agrees => continue,
            };
            if let Some(kept) = self.kept.get_mut(&event) {
                kept.state = state;
            }
        }
        Ok(swept)
    }

    /// Writes evidence down, durably.
    fn accuse(&self, event: &Hash, proofs: &[Evidence]) -> Result<PathBuf, Failure> {
        let path = self.evidence(event);
        for proof in proofs {
            let mut bytes = proof.bytes();
            bytes.push(b'\n');
            files::replace(&path, &bytes)?;
        }
        let dir = &self.dir;
        files::sync_names(dir).map_err(|cause| Failure::file("write", dir, &cause))?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The word of a vector, as if for another event.
    fn word(seq: u64) -> Handed {
        let file = include_bytes!("../../../spec/vectors/evidence/evidence.json");
        let vectors: serde_json::Value = serde_json::from_slice(file).unwrap();
        let cases = vectors["cases"].as_array().unwrap();
        let texts = cases.iter().filter_map(|case| case["fileText"].as_str());
        let mut words = texts.filter_map(|text| match Evidence::parse(text.as_bytes()) {
            Ok(Evidence::NotIncluded(own)) => Some(own.handed),
            _ => None,
        });
        let mut handed = words.next().expect("a vector of not-included");
        handed.event.seq = seq;
        handed.at = UnixMillis(handed.at.0 + seq);
        handed
    }

    fn empty(dir: &Path, most: (usize, usize)) -> HandedIn {
        files::make_dir(&dir.join("handed")).unwrap();
        HandedIn {
            dir: dir.to_owned(),
            origin: String::new(),
            name: None,
            bound: 1,
            kept: BTreeMap::new(),
            bytes: 0,
            most,
        }
    }

    fn add(handed: &mut HandedIn, seq: u64) -> Result<(), NotTaken> {
        let word = word(seq);
        let bytes = word.bytes();
        handed.make_room(bytes.len())?;
        files::replace(&handed.word(&word.event.id()), &bytes).unwrap();
        handed.keep(word, bytes.len());
        Ok(())
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for_and_nothing_is_lost_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let mut handed = empty(dir.path(), (2, BYTES));
        add(&mut handed, 1).unwrap();
        add(&mut handed, 2).unwrap();
        let bytes = handed.bytes;
        let events = 2;
        assert_eq!(add(&mut handed, 3), Err(NotTaken::Full { events, bytes }));
        assert_eq!(handed.kept.len(), 2);
        // The same once more takes no more room.
        let again = word(2);
        let length = again.bytes().len();
        handed.keep(again, length);
        assert_eq!((handed.kept.len(), handed.bytes), (2, bytes));
        // By bytes as well as by number.
        let mut narrow = empty(dir.path(), (9, length + 1));
        add(&mut narrow, 1).unwrap();
        assert!(matches!(
            add(&mut narrow, 2),
            Err(NotTaken::Full { events: 1, .. })
        ));
    }

    #[test]
    fn what_can_no_longer_be_proved_makes_room_the_oldest_first() {
        let dir = tempfile::tempdir().unwrap();
        let mut handed = empty(dir.path(), (3, BYTES));
        for seq in 1..4 {
            add(&mut handed, seq).unwrap();
        }
        for seq in [2, 3] {
            let event = word(seq).event.id();
            let kept = handed.kept.get_mut(&event).unwrap();
            kept.state = State::Unproved("changed".to_owned());
        }
        add(&mut handed, 4).unwrap();
        let has = |handed: &HandedIn, seq| {
            let event = word(seq).event.id();
            assert_eq!(
                handed.word(&event).is_file(),
                handed.kept.contains_key(&event)
            );
            handed.kept.contains_key(&event)
        };
        let all = [1, 2, 3, 4].map(|seq| has(&handed, seq));
        assert_eq!(all, [true, false, true, true]);
        add(&mut handed, 5).unwrap();
        assert!(!has(&handed, 3) && has(&handed, 1));
        assert!(matches!(
            add(&mut handed, 6),
            Err(NotTaken::Full { events: 3, .. })
        ));
    }

    #[test]
    fn evidence_that_is_there_is_not_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let mut handed = empty(dir.path(), (3, BYTES));
        let event = word(1).event.id();
        fs::write(handed.evidence(&event), "{}").unwrap();
        add(&mut handed, 1).unwrap();
        assert_eq!(handed.overdue(), Some(&event));
    }
}
