//! Publication past one machine: a log whose heads are claimed in a [`Place`] before they are
//! signed, and whose static files are kept there.
//!
//! Two sequencers of one log, a sleeping one that woke up or a machine that was cloned, would fork
//! it. Here each of them must replace the one [claim](claim::Claim) in the place before its key
//! signs, as it was when it last read it; the place lets one of them. The leaves that a claim
//! covers are in the place [before it](segment::Segment), so whatever was answered "accepted"
//! survives the loss of the machine, and [another one](catch_up::catch_up) can go on from there.
//! The layout of the place and the argument in full: `spec/publication.md`.

pub mod catch_up;
pub mod claim;
#[cfg(any(test, feature = "faults"))]
pub mod memory;
mod pages;
pub mod place;
pub mod segment;
pub mod upload;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zhao_spec::log::tree::{LeafIndex, TreeSize};
use zhao_spec::wire::{Hash, Malformed};

use crate::sequence::second_log::log_root;
use crate::store::files::Files;
use crate::store::layout::Leaves;
use crate::store::{self, Read, StoreError};
use claim::{CLAIM_BYTES, Claim, Session};
use place::{Place, PlaceError, Put, Tag};
use segment::{SEGMENT_BYTES, SEGMENT_LEAVES, Segment};

/// How often a put is tried under what was read anew: each time says that nothing of ours is lost.
const TRIES: usize = 4;

/// Why a head was not claimed, or nothing uploaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The place holds a claim or a head beyond this database.
    #[error(
        "the place of publication is at size {theirs}, this database at {ours}: it is older than \
         what was signed; catch up from the place, or put back the newest database"
    )]
    Ahead {
        /// Size there.
        theirs: TreeSize,
        /// Leaves here.
        ours: TreeSize,
    },
    /// The place does not answer as it must; whether it did what was asked is unknown.
    #[error("the place of publication: {0}")]
    Away(#[from] PlaceError),
    /// What is made once and never changed has another content.
    #[error(
        "{name} in the place of publication has other bytes than this log: somebody else writes \
         there, or it was altered; keep both, and find out who"
    )]
    Differs {
        /// Which object.
        name: String,
    },
    /// Another directory holds the claim.
    #[error(
        "another process took this log over (its term {term}, at size {size}); take it back only \
         when that one is stopped for good"
    )]
    Elsewhere {
        /// Its term.
        term: u64,
        /// Size it has claimed.
        size: TreeSize,
    },
    /// The place has another tree at a size that this log has.
    #[error(
        "the place of publication has root {theirs} at size {size}, this database {ours}: not the \
         same log"
    )]
    Fork {
        /// Size.
        size: TreeSize,
        /// Root there.
        theirs: Hash,
        /// Root here.
        ours: Hash,
    },
    /// The claim that was there is gone.
    #[error("the place of publication has lost the claim of this log: put back what it held")]
    Lost,
    /// An object cannot be read.
    #[error("{name} in the place of publication: {problem}")]
    Malformed {
        /// Which object.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// The place is another log's.
    #[error("the place of publication is of the log {0}")]
    OtherLog(String),
    /// The database, or a file beside it.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The place does not keep the conditions that puts are made under.
    #[error("the place does not keep conditions: {0}; two sequencers there could fork the log")]
    Unconditional(&'static str),
}

/// Segments of this run that no published tile covers yet: made by whoever claims, removed by
/// whoever uploads.
#[derive(Clone, Debug, Default)]
pub struct Segments(Arc<Mutex<Vec<(TreeSize, String)>>>);

impl Segments {
    fn list(&self) -> MutexGuard<'_, Vec<(TreeSize, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, size: TreeSize, name: String) {
        let (mut list, segment) = (self.list(), (size, name));
        // Put again after the place was away.
        if !list.contains(&segment) {
            list.push(segment);
        }
    }
}

/// Where a log is published, and as whom.
#[derive(Clone)]
pub struct Publication {
    /// The place.
    pub place: Arc<dyn Place>,
    /// This run: random.
    pub session: Session,
    /// Whether a claim that another directory holds is taken from it. It must be stopped for good:
    /// it cannot sign any more, but what it has not answered may be lost.
    pub take_over: bool,
    /// The segments of this run; the uploader's are the same.
    pub segments: Segments,
}

impl std::fmt::Debug for Publication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publication")
            .field("take_over", &self.take_over)
            .finish_non_exhaustive()
    }
}

/// Looks whether a place keeps the conditions of puts, with an object made for that. `nonce` is
/// random: two that look at once must not meet.
///
/// # Errors
/// `Unconditional`; the place does not answer.
pub fn probe(place: &dyn Place, nonce: &Hash) -> Result<(), PublishError> {
    let name = format!("probe/{nonce}");
    let wrong = |what| Err(PublishError::Unconditional(what));
    let Put::Done(first) = place.create(&name, b"1")? else {
        return wrong("what is not there cannot be made");
    };
    let result = (|| {
        if place.create(&name, b"2")? != Put::Taken {
            return wrong("what is there is made once more");
        }
        let Put::Done(second) = place.swap(&name, b"3", &first)? else {
            return wrong("what is as it was cannot be replaced");
        };
        if place.swap(&name, b"4", &first)? != Put::Taken {
            return wrong("what has changed is replaced all the same");
        }
        match place.get(&name, 16)? {
            Some(found) if found.bytes == b"3" && found.tag == second => Ok(()),
            _ => wrong("what was put is not what is read"),
        }
    })();
    place.delete(&name)?;
    result
}

/// The claim, as a sequencer that holds it knows it.
pub(crate) struct Claims {
    place: Arc<dyn Place>,
    held: Claim,
    tag: Tag,
    segments: Segments,
}

impl Claims {
    /// Takes the claim for a session. `signed` is the newest head that this directory may have
    /// signed, `end` the size of its database.
    pub(crate) fn take(
        publication: &Publication,
        files: &dyn Files,
        store: &dyn Read,
        origin: &str,
        signed: (TreeSize, Hash),
        end: TreeSize,
    ) -> Result<Self, PublishError> {
        let place = Arc::clone(&publication.place);
        let own = files.read(claim::NAME)?;
        let own = own.map(|bytes| Claim::parse(&bytes)).transpose();
        let own = own.map_err(|error| malformed(claim::NAME, &error))?;
        let session = publication.session;
        let Some((there, tag)) = read(&*place)? else {
            if own.is_some() {
                return Err(PublishError::Lost);
            }
            let first = Claim {
                after: session,
                origin: origin.to_owned(),
                root: signed.1,
                session,
                size: signed.0,
                term: 1,
            };
            return Self::first(publication, files, first);
        };
        if there.origin != origin {
            return Err(PublishError::OtherLog(there.origin));
        }
        // It is this directory's if its last session holds it, or the one before, when the last
        // one ended before it could take it.
        let ours = own.is_some_and(|own| [own.session, own.after].contains(&there.session));
        if !ours && !publication.take_over {
            let Claim { term, size, .. } = there;
            return Err(PublishError::Elsewhere { term, size });
        }
        if there.size > end {
            let (theirs, ours) = (there.size, end);
            return Err(PublishError::Ahead { theirs, ours });
        }
        check_root(store, there.size, there.root)?;
        let next = Claim {
            after: there.session,
            session,
            term: there.term.saturating_add(1),
            ..there.clone()
        };
        // The file first: ended in between, the next start finds the session it came after.
        files.replace(claim::NAME, &next.bytes())?;
        let mut claims = Self {
            place,
            held: there,
            tag,
            segments: publication.segments.clone(),
        };
        claims.swap(next)?;
        // Heads signed while nothing was published, if there were any, are covered now.
        claims.advance(store, signed.0, signed.1)?;
        Ok(claims)
    }

    /// Makes the first claim in a place.
    fn first(
        publication: &Publication,
        files: &dyn Files,
        first: Claim,
    ) -> Result<Self, PublishError> {
        let place = Arc::clone(&publication.place);
        let segments = publication.segments.clone();
        let made = place.create(claim::NAME, &first.bytes());
        if let Ok(Put::Done(tag)) = made {
            files.replace(claim::NAME, &first.bytes())?;
            return Ok(Self {
                place,
                held: first,
                tag,
                segments,
            });
        }
        match read(&*place)? {
            // The answer was lost, the claim was not.
            Some((there, tag)) if there == first => {
                files.replace(claim::NAME, &first.bytes())?;
                Ok(Self {
                    place,
                    held: there,
                    tag,
                    segments,
                })
            }
            Some((Claim { term, size, .. }, _)) => Err(PublishError::Elsewhere { term, size }),
            None => Err(made.err().unwrap_or_else(stale).into()),
        }
    }

    /// Claims a head before the key signs it. When this returns, every leaf under it is in the
    /// place, and no other sequencer can have claimed anything since.
    pub(crate) fn advance(
        &mut self,
        store: &dyn Read,
        size: TreeSize,
        root: Hash,
    ) -> Result<(), PublishError> {
        if size <= self.held.size {
            // Claimed before, in a run that ended before it signed, or now.
            return Ok(());
        }
        self.put_segments(store, size)?;
        let next = Claim {
            root,
            size,
            ..self.held.clone()
        };
        self.swap(next)
    }

    fn swap(&mut self, next: Claim) -> Result<(), PublishError> {
        let bytes = next.bytes();
        let mut trouble = None;
        for _ in 0..TRIES {
            let answer = self.place.swap(claim::NAME, &bytes, &self.tag);
            if let Ok(Put::Done(tag)) = answer {
                (self.held, self.tag) = (next, tag);
                return Ok(());
            }
            // Not done; or done, and the answer was lost. What is there says which.
            trouble = answer.err().or(trouble);
            // A place that shows none where one was answers stale, or lost it: not done either way.
            let Some((there, tag)) = read(&*self.place)? else {
                continue;
            };
            if there == next {
                (self.held, self.tag) = (there, tag);
                return Ok(());
            }
            let advancing = self.held.session == next.session;
            // Nobody but this session has its name: whoever has its term, or a later one, came
            // after us. And while we take a claim, whoever holds it must not be at work.
            let later = there.session != next.session && there.term >= next.term;
            let at_work = !advancing && there.size > self.held.size;
            if later || at_work {
                let Claim { term, size, .. } = there;
                return Err(PublishError::Elsewhere { term, size });
            }
            // An earlier claim of ours, whose answer was lost. Anything older is a stale answer.
            if advancing && there.session == next.session && there.size >= self.held.size {
                (self.held, self.tag) = (there, tag);
            }
        }
        Err(trouble.unwrap_or_else(stale).into())
    }

    /// Puts the leaves up to `size` into the place, after those that are claimed.
    fn put_segments(&self, store: &dyn Read, size: TreeSize) -> Result<(), PublishError> {
        let (mut from, mut from_root) = (self.held.size, self.held.root);
        while from < size {
            let to = TreeSize(from.0.saturating_add(SEGMENT_LEAVES).min(size.0));
            let limit = usize::try_from(SEGMENT_LEAVES).unwrap_or(usize::MAX);
            let (first, end) = (LeafIndex(from.0), LeafIndex(to.0));
            let leaves = store::scan::<Leaves>(store, &first, &end, limit)?;
            let root = log_root(store, to, &[])?;
            let segment = Segment {
                from,
                from_root,
                origin: self.held.origin.clone(),
                root,
                size: to,
                leaves: leaves.into_iter().map(|(_, leaf)| leaf).collect(),
            };
            let bytes = segment.bytes().map_err(StoreError::Engine)?;
            put_once(&*self.place, &segment.name(), &bytes)?;
            self.segments.add(to, segment.name());
            (from, from_root) = (to, root);
        }
        Ok(())
    }
}

/// The claim there is.
pub(crate) fn read(place: &dyn Place) -> Result<Option<(Claim, Tag)>, PublishError> {
    let Some(found) = place.get(claim::NAME, CLAIM_BYTES)? else {
        return Ok(None);
    };
    let parsed = Claim::parse(&found.bytes);
    let claim = parsed.map_err(|error| malformed(claim::NAME, &error))?;
    Ok(Some((claim, found.tag)))
}

/// Makes what is made once; if it is there, it must be the same.
pub(crate) fn put_once(place: &dyn Place, name: &str, bytes: &[u8]) -> Result<(), PublishError> {
    let answer = place.create(name, bytes);
    if let Ok(Put::Done(_)) = answer {
        return Ok(());
    }
    match place.get(name, SEGMENT_BYTES)? {
        Some(found) if found.bytes == bytes => Ok(()),
        Some(_) => Err(PublishError::Differs {
            name: name.to_owned(),
        }),
        None => Err(answer
            .err()
            .unwrap_or_else(|| PlaceError::new(name, "is said to be there, and is not"))
            .into()),
    }
}

/// At this size the database must have this root.
pub(crate) fn check_root(
    store: &dyn Read,
    size: TreeSize,
    theirs: Hash,
) -> Result<(), PublishError> {
    let ours = log_root(store, size, &[])?;
    if ours == theirs {
        return Ok(());
    }
    Err(PublishError::Fork { size, theirs, ours })
}

fn stale() -> PlaceError {
    PlaceError::new(claim::NAME, "is never as it was just read")
}

pub(crate) fn malformed(name: &str, error: &Malformed) -> PublishError {
    PublishError::Malformed {
        name: name.to_owned(),
        problem: error.to_string(),
    }
}
