//! Events handed to an auditor: its word for them, and what became of them.
//!
//! The bound counts by the log's own epoch times. The auditor's clock decides only when the word
//! was given, and never earlier than the newest epoch: a clock that is behind cannot make a log
//! late, and one that is ahead gives it more time. Prose: `spec/evidence.md`.

use zhao_spec::file::Handed;
use zhao_spec::life::event::VerifiedEvent;
use zhao_spec::log::tree::{LeafIndex, TreeSize};
use zhao_spec::wire::{Hash, UnixMillis};

use super::Auditor;
use super::compare::{CompareError, NotJudged, Seen};
use crate::store::layout::EventIds;
use crate::store::{self, StoreError};

/// What an auditor says to an event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "one is held at a time, and a box would hide it from a pattern"
)]
pub enum TakenIn {
    /// It is in the log.
    Included(LeafIndex),
    /// It would be admitted after the newest head: the auditor's word.
    Word(Handed),
    /// It would not.
    Not(NotJudged),
    /// Nothing was cosigned yet, so that nothing can be said.
    NoHead,
}

/// The newest head an auditor has replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Newest {
    /// Leaves under it.
    pub size: TreeSize,
    /// When its epoch was recorded, by the log.
    pub time: UnixMillis,
}

impl Auditor {
    /// The newest head; nothing for none.
    ///
    /// # Errors
    /// The auditor's store.
    pub fn newest(&self) -> Result<Option<Newest>, CompareError> {
        Ok(self.known()?.map(|known| Newest {
            size: known.head().checkpoint().size,
            time: known.head().epoch.time,
        }))
    }

    /// Where an event is, if the log has it under a head of this size.
    ///
    /// # Errors
    /// The auditor's store.
    pub fn find(&self, event: &Hash, size: TreeSize) -> Result<Option<LeafIndex>, StoreError> {
        let found = store::read::<EventIds>(&*self.store, event)?;
        Ok(found.filter(|index| index.0 < size.0))
    }

    /// Takes an event in at `now`, by the auditor's clock. `name` is the auditor's in trust files.
    ///
    /// # Errors
    /// The auditor's store.
    pub fn take_in(
        &self,
        event: &VerifiedEvent,
        now: UnixMillis,
        name: &str,
    ) -> Result<TakenIn, CompareError> {
        let Some(known) = self.known()? else {
            return Ok(TakenIn::NoHead);
        };
        let head = known.head();
        if let Some(index) = self.find(&event.id(), head.checkpoint().size)? {
            return Ok(TakenIn::Included(index));
        }
        let at = now.max(head.epoch.time);
        if let Err(why) = known.admits(event, at)? {
            return Ok(TakenIn::Not(why));
        }
        Ok(TakenIn::Word(self.hand_in(event, at, name)?))
    }

    /// Whether the log, as of the newest head, left out what this auditor gave its word for.
    ///
    /// # Errors
    /// The auditor's store; nothing was cosigned yet.
    pub fn left_out(&self, handed: &Handed, bound: u64) -> Result<Seen, CompareError> {
        let missing = || StoreError::Engine("the auditor has no head".to_owned());
        let known = self.known()?.ok_or_else(missing)?;
        match self.vkey.public_key() {
            Some(key) => known.handed(handed, key, bound),
            None => Ok(Seen::NotJudged(NotJudged::NotHanded)),
        }
    }

    /// Whether the word is this auditor's.
    #[must_use]
    pub fn has_given(&self, handed: &Handed) -> bool {
        let key = self.vkey.public_key();
        key.is_some_and(|key| key.verify(&handed.message(), &handed.signature).is_ok())
    }
}
