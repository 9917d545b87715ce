//! The sequencer: the one writer of the log, and the only holder of its key, which it lends to
//! [`ReceiptSigner`] alone.
//!
//! [`Sequencer::commit`] is the argument why nothing answered is lost and no two inconsistent heads
//! are signed; it reads top to bottom. Beside each stage stands what a crash there leaves and who
//! repairs it. Starting and creating are in [`recover`](self), which ends in the same stages.

pub(crate) mod ahead;
mod confirm;
mod cosign;
mod error;
pub mod intent;
mod panel;
mod plan;
mod receipt;
pub(crate) mod recover;
pub(crate) mod second;
pub(crate) mod second_log;
mod signer;
pub(crate) mod stage;
pub(crate) mod watch;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use tracing::info_span;
use zhao_spec::life::apply::Refusal;
use zhao_spec::life::event::VerifiedEvent;
use zhao_spec::log::LogKeys;
use zhao_spec::log::checkpoint::Checkpoint;
use zhao_spec::log::cosignature::UnixSeconds;
use zhao_spec::log::note::Vkey;
use zhao_spec::log::tree::{LeafIndex, TreeSize};
use zhao_spec::wire::{PublicKey, UnixMillis, limits};

pub use cosign::{CosignError, CosignRequest, Cosigner, Quorum};
pub use error::{CommitError, SecondPathError, StartError};
pub use receipt::{ReceiptError, ReceiptSigner};
pub use recover::Start;
pub use signer::LogSigner;
pub use watch::{Failing, Stage, Watch};

use crate::hot::{HotRecords, Prefetch};
use crate::map::Maps;
use crate::map::prune::prune;
use crate::mldsa;
use crate::publish::{Claims, Publication, PublishError};
use crate::read::Reader;
use crate::store::files::Files;
use crate::store::layout::Heads;
use crate::store::{Store, WriteBatch};
use ahead::{Judge, Judged, Mark, Planned, Tip};
use intent::Intent;
use panel::Panel;
use plan::{Fate, Plan};
use second::Signed;
use stage::{Edge, Segment, Staged};
use watch::Watched;

/// Name of the file with the published checkpoint.
pub const CHECKPOINT_FILE: &str = "checkpoint";
/// What the log's own key is called among those that must answer.
const KEY: &str = "key of the log";
/// What the place of publication is called among those that must answer.
const PLACE: &str = "place of publication";
/// How far the clock may be behind the last epoch, milliseconds: an hour covers a corrected clock;
/// more is a mistake that would make every later recorded time wrong.
pub const CLOCK_BACK_MILLIS: u64 = 3_600_000;

/// How old an epoch may be that is cosigned after all, milliseconds: a verifier refuses
/// cosignatures that are much later than the epoch.
const RETRY_MILLIS: u64 = 60_000;

/// What a sequencer needs beside the database.
pub struct Config {
    /// The log's keys that are here; their name is the log's origin.
    pub signer: LogSigner,
    /// Whose cosignatures make a head publishable.
    pub quorum: Quorum,
    /// Witnesses and auditors to ask, in this order.
    pub cosigners: Vec<Box<dyn Cosigner>>,
    /// Leaves that may wait for a quorum before batches are refused.
    pub max_unpublished: u64,
    /// The log's ML-DSA key, if it signs with one besides.
    pub mldsa: Option<mldsa::Signer>,
    /// Where the log is published besides, and every head claimed before it is signed.
    pub publication: Option<Publication>,
}

/// What became of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// In the log, under a published head with its quorum.
    Accepted {
        /// Its leaf.
        index: LeafIndex,
    },
    /// In the log since an earlier batch, or earlier in this one; under a published head.
    Duplicate {
        /// Its leaf.
        index: LeafIndex,
    },
    /// In the log and durable, but no head with a quorum covers it yet.
    Pending {
        /// Its leaf.
        index: LeafIndex,
        /// Whether it was in the log before, as for [`Outcome::Duplicate`].
        again: bool,
    },
    /// Not in the log.
    Refused(Refusal),
}

/// The newest published head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Number of leaves; 0 before the first.
    pub size: TreeSize,
    /// The checkpoint with its cosignatures; empty before the first.
    pub note: String,
}

/// The one writer of a log.
pub struct Sequencer {
    store: Arc<dyn Store>,
    files: Arc<dyn Files>,
    signer: Arc<LogSigner>,
    /// The key the log began with, once it is known.
    first: Option<PublicKey>,
    /// Every key of the log that is known here.
    keys: LogKeys,
    quorum: Quorum,
    panel: Panel,
    max_unpublished: u64,
    mldsa: Option<mldsa::Signer>,
    publication: Option<Publication>,
    /// The claim in the place of publication, held since the start.
    claims: Option<Claims>,
    /// The last committed epoch. Changed only after its batch is on disk.
    edge: Edge,
    /// The maps from the published epoch to the newest, for readers.
    maps: Arc<Maps>,
    /// Records used lately.
    hot: Arc<HotRecords>,
    /// The last committed epoch, for those who judge ahead.
    tip: Arc<Tip>,
    /// The newest head the key signed. Changed only after its intent is on disk.
    signed: Option<Signed>,
    /// The newest published head. Changed only after it is on disk.
    published: Published,
    /// Cosigners that gave nothing usable the last time, and why.
    silent: Vec<(String, String)>,
    /// Whether enough witnesses have told their last head since the start. Nothing is written or
    /// signed before.
    confirmed: bool,
    /// Why this sequencer stopped; set once, by the first fatal error.
    stopped: Option<String>,
    /// Who is told how long everything takes.
    watched: Watched,
}

impl std::fmt::Debug for Sequencer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sequencer")
            .field("origin", &self.signer.origin())
            .field("size", &self.size())
            .field("stopped", &self.stopped)
            .finish_non_exhaustive()
    }
}

impl Sequencer {
    /// Commits a batch: each event gets its [`Outcome`], in order. A batch of which nothing is new
    /// and admissible writes nothing. `now` is the time of the epoch, unless the last epoch's is
    /// later.
    ///
    /// # Errors
    /// See [`CommitError`]. After a fatal one, events of this batch may be in the log all the same:
    /// submitted again after a restart, they are duplicates.
    pub fn commit(
        &mut self,
        events: Vec<VerifiedEvent>,
        now: UnixMillis,
    ) -> Result<Vec<Outcome>, CommitError> {
        self.commit_judged(Judged::not_yet(events, now))
    }

    /// As [`Sequencer::commit`], of a batch that was judged ahead.
    pub(crate) fn commit_judged(&mut self, judged: Judged) -> Result<Vec<Outcome>, CommitError> {
        self.guarded(|this| {
            let Judged { events, now, plan } = judged;
            // Spans say how long each stage took, to whoever listens; nothing here depends on them.
            let _commit = info_span!("commit", events = events.len()).entered();
            if events.len() > limits::BATCH_EVENTS {
                let (limit, actual) = (limits::BATCH_EVENTS, events.len());
                return Err(CommitError::BatchTooLarge { limit, actual });
            }
            this.confirm()?;
            this.check_backlog()?;
            // Admit, in order, on the state each event's predecessors in the batch left. A crash
            // until the batch is written leaves nothing: whoever submitted submits again.
            let planned = match plan {
                Some(planned) if planned.on == this.tip.mark() => planned,
                // Not judged, or for a state that never came to be.
                _ => {
                    let planned = this.judge().plan(&events, now)?;
                    planned.expect("a judge that has judged nothing has lost nothing")
                }
            };
            let Planned {
                plan, time, makes, ..
            } = planned;
            if plan.segment.leaves.is_empty() {
                return Ok(this.answer(plan));
            }
            this.append(&plan.segment, time, makes)?;
            this.publish()?;
            Ok(this.answer(plan))
        })
    }

    /// Appends an epoch leaf without events, so that the newest head is of `now`, and publishes.
    /// Returns whether the quorum was reached.
    ///
    /// # Errors
    /// As [`Sequencer::commit`]; never `Backlog`, because this is the way out of one.
    pub fn heartbeat(&mut self, now: UnixMillis) -> Result<bool, CommitError> {
        self.guarded(|this| {
            this.confirm()?;
            let time = epoch_time(this.edge.time(), now)?;
            let makes = this.tip.fresh();
            this.append(&Segment::default(), time, makes)?;
            this.publish()?;
            Ok(this.published.size == this.edge.size())
        })
    }

    /// Asks once more for the quorum that the newest epoch did not find; a fresh epoch is made when
    /// that one is no longer of now. Returns whether everything is published; without an epoch that
    /// waits, nothing is done.
    ///
    /// # Errors
    /// As [`Sequencer::heartbeat`].
    pub fn retry(&mut self, now: UnixMillis) -> Result<bool, CommitError> {
        if self.published.size == self.edge.size() {
            return Ok(true);
        }
        let age = now.0.saturating_sub(self.edge.time().0);
        if age >= RETRY_MILLIS || !self.confirmed {
            return self.heartbeat(now);
        }
        self.guarded(|this| {
            this.publish()?;
            Ok(this.published.size == this.edge.size())
        })
    }

    /// Drops the records that were replaced more than `epochs` epochs before the published one.
    /// What earlier heads showed can then no longer be proved from this database; the leaves stay,
    /// and whoever replays them can.
    ///
    /// # Errors
    /// As [`Sequencer::commit`].
    pub fn prune(&mut self, epochs: u64) -> Result<(), CommitError> {
        self.guarded(|this| {
            let Some(last) = this.published.size.0.checked_sub(1) else {
                return Ok(());
            };
            let published = recover::epoch_at(&*this.store, LeafIndex(last))?;
            let keep_from = published.epoch.saturating_sub(epochs);
            loop {
                // A crash between two batches leaves less pruned.
                let (batch, more) = prune(&*this.store, keep_from)?;
                this.store.write(batch)?;
                if !more {
                    return Ok(());
                }
            }
        })
    }

    /// Writes one epoch, after both paths agree on it.
    fn append(
        &mut self,
        segment: &Segment,
        time: UnixMillis,
        makes: Mark,
    ) -> Result<(), CommitError> {
        // First path, and beside it the second opens the map as it was. Nothing is written; a crash
        // leaves nothing.
        let watched = self.watched.clone();
        let (staged, opened) = watched.stage(Stage::Derive, || {
            second::stage_and_open(&*self.store, &self.edge, segment, time)
        })?;
        // Second path, from the bytes about to be written. If it disagrees nothing is written.
        let signed = self.signed.as_ref();
        watched.stage(Stage::Check, || {
            second::check(&*self.store, signed, &self.edge, opened, &staged)
        })?;
        // One synced batch: leaves, tiles, records, indexes, epoch. A crash here leaves all
        // of it or nothing. If all: the events are in the log under an epoch nobody signed.
        // Start-up
        // checks them again, appends a fresh epoch after them and signs that one. Nothing is cut
        // off: a batch once written may have been read.
        let Staged {
            batch,
            edge,
            epoch,
            fresh,
            ..
        } = staged;
        watched.stage(Stage::Write, || self.store.write(batch))?;
        // Before the head is published, so that whoever reads the head finds its map.
        self.maps.put(epoch.epoch, edge.map.clone());
        for (leaf, record) in fresh {
            self.hot.put(leaf, record);
        }
        self.tip.move_to(edge.clone(), makes);
        self.edge = edge;
        Ok(())
    }

    /// Signs the newest epoch, collects cosignatures and, with a quorum, publishes.
    fn publish(&mut self) -> Result<(), CommitError> {
        let (size, root) = (self.edge.size(), self.edge.frontier.root());
        let checkpoint = Checkpoint {
            origin: self.signer.origin().to_owned(),
            size,
            root,
        };
        let mut note = checkpoint.to_note()?;
        // A head that nobody who reads this log's policy takes is not made; as below the quorum,
        // the events wait.
        let (signer, named) = (Arc::clone(&self.signer), self.named()?);
        let signers = match self.usable(&signer, &named, size) {
            Ok(signers) => signers,
            Err(why) => {
                self.silent = vec![(KEY.to_owned(), why)];
                return Ok(());
            }
        };
        let watched = self.watched.clone();
        // Claim, where every sequencer of this log must look: after it no other can sign, and the
        // leaves are where another can find them. A crash after it leaves a claim for a head that
        // is not signed yet: start-up finds it to be this database's own.
        match &mut self.claims {
            None => {}
            Some(claims) => {
                match watched.stage(Stage::Claim, || claims.advance(&*self.store, size, root)) {
                    Ok(()) => {}
                    // As below the quorum: the events wait for the next head.
                    Err(PublishError::Away(error)) => {
                        self.silent = vec![(PLACE.to_owned(), error.to_string())];
                        return Ok(());
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
        // Intent, outside the database, before the key signs. A crash after it leaves an intent for
        // a head that may or may not be signed: start-up treats it as signed, which costs nothing,
        // since every later head extends it.
        let signing = (watched.begin(), Stage::Sign.span().entered());
        let intent = Intent {
            origin: checkpoint.origin.clone(),
            root,
            size,
        };
        self.files.replace(intent::FILE, &intent.bytes())?;
        // Sign. A crash here leaves a signature nobody has seen, or one that a cosigner has; both
        // are of the tree on disk, and the next head is consistent with it.
        for signer in signers {
            note.sign(signer)?;
        }
        if let Some(signer) = &self.mldsa {
            // As of the epoch: there is no clock here.
            let time = UnixSeconds(self.edge.time().0 / 1_000);
            if let Some(line) = signer.cosign(time, &checkpoint) {
                note.add(line)?;
            }
        }
        self.signed = Some(Signed { size, root });
        let (begun, span) = signing;
        drop(span);
        watched.since(begun, |watch, took| watch.stage(Stage::Sign, took));
        // Cosign. A crash here leaves witnesses that have seen this head and readers that have
        // not: start-up appends a fresh epoch, whose head they cosign next.
        let log = self.keys.clone().with_named(&named);
        let (panel, store, quorum) = (&mut self.panel, &*self.store, &self.quorum);
        let asked = watched.stage(Stage::Cosign, || {
            panel.ask(store, quorum, &log, &checkpoint, &mut note)
        })?;
        self.silent = asked.silent;
        if let Some((name, theirs)) = asked.ahead {
            return Err(CommitError::WitnessAhead {
                name,
                theirs,
                ours: size,
            });
        }
        let text = note.format();
        if !self.quorum.is_met(&text)? {
            // Below the quorum nothing is published. The events wait for the next head that has it.
            return Ok(());
        }
        watched.stage(Stage::Publish, || self.publish_note(size, text))
    }

    /// Makes a head with a quorum what readers see.
    fn publish_note(&mut self, size: TreeSize, note: String) -> Result<(), CommitError> {
        // In the database first: a crash before this leaves a head that only cosigners know, see
        // above; after it, one that proofs are made from.
        let mut batch = WriteBatch::new();
        batch.put::<Heads>(&size.0, &note.clone().into_bytes());
        self.store.write(batch)?;
        self.maps.count_published();
        // Then the file that readers poll. A crash between the two leaves an older checkpoint
        // there, which is valid; start-up writes the newer one.
        self.files.replace(CHECKPOINT_FILE, note.as_bytes())?;
        self.published = Published { size, note };
        if let Some(epoch) = &self.edge.epoch {
            self.maps.drop_before(epoch.epoch);
        }
        Ok(())
    }

    /// Answers for a plan whose leaves are on disk. What no published head covers is pending.
    fn answer(&self, plan: Plan) -> Vec<Outcome> {
        let published = self.published.size;
        let answer = |fate| match fate {
            Fate::Refused(refusal) => Outcome::Refused(refusal),
            Fate::Accepted(index) | Fate::Duplicate(index) if index.0 >= published.0 => {
                let again = matches!(fate, Fate::Duplicate(_));
                Outcome::Pending { index, again }
            }
            Fate::Accepted(index) => Outcome::Accepted { index },
            Fate::Duplicate(index) => Outcome::Duplicate { index },
        };
        plan.outcomes.into_iter().map(answer).collect()
    }

    fn check_backlog(&self) -> Result<(), CommitError> {
        let waiting = self.size().0.saturating_sub(self.published.size.0);
        let limit = self.max_unpublished;
        if waiting > limit {
            Err(CommitError::Backlog { waiting, limit })
        } else {
            Ok(())
        }
    }

    /// Runs one operation, unless an earlier one failed; a fatal error is the last word.
    pub(crate) fn guarded<T>(
        &mut self,
        operation: impl FnOnce(&mut Self) -> Result<T, CommitError>,
    ) -> Result<T, CommitError> {
        if let Some(why) = &self.stopped {
            return Err(CommitError::Stopped(why.clone()));
        }
        // Whatever unwinds out of the operation leaves a state that nobody checked.
        self.stopped = Some("an operation did not end".to_owned());
        let result = operation(self);
        let fatal = result.as_ref().err().filter(|error| error.is_fatal());
        self.stopped = fatal.map(ToString::to_string);
        self.tell();
        result
    }

    /// From now on `watch` is told what takes how long; nobody else is, once there is one.
    pub fn watched_by(&self, watch: Arc<dyn Watch>) {
        self.watched.by(watch);
        self.tell();
    }

    /// Tells the watcher where the log stands.
    fn tell(&self) {
        let (size, silent) = (self.size(), &self.silent);
        self.watched.tell(|watch| watch.stands(size, silent));
    }

    /// Whoever watches, for those who work before and after the sequencer.
    pub(crate) fn watched(&self) -> Watched {
        self.watched.clone()
    }

    /// What fetches records before their batch is judged.
    pub(crate) fn prefetch(&self) -> Prefetch {
        Prefetch {
            store: Arc::clone(&self.store),
            maps: Arc::clone(&self.maps),
            hot: Arc::clone(&self.hot),
        }
    }

    /// Judges the next batch beside the commit of the last.
    pub(crate) fn judge(&self) -> Judge {
        Judge {
            store: Arc::clone(&self.store),
            hot: Arc::clone(&self.hot),
            tip: Arc::clone(&self.tip),
            last: None,
        }
    }

    /// A reader that shares the maps of this sequencer.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader::beside(Arc::clone(&self.store), Arc::clone(&self.maps))
    }

    /// What signs COSE receipts of published heads, and nothing else, with the log's key.
    #[must_use]
    pub fn receipt_signer(&self) -> ReceiptSigner {
        ReceiptSigner::new(
            Arc::clone(&self.signer),
            self.keys.clone(),
            self.quorum.clone(),
        )
    }

    /// Leaves in the log, published or not.
    #[must_use]
    pub fn size(&self) -> TreeSize {
        self.edge.size()
    }

    /// The newest published head.
    #[must_use]
    pub fn published(&self) -> &Published {
        &self.published
    }

    /// The log's ML-DSA key, if it signs with one.
    #[must_use]
    pub fn mldsa_vkey(&self) -> Option<&Vkey> {
        self.mldsa.as_ref().map(mldsa::Signer::vkey)
    }

    /// Names of the cosigners that are asked.
    pub fn cosigners(&self) -> impl Iterator<Item = &str> {
        self.panel.members.iter().map(|member| member.vkey.name())
    }

    /// Cosigners that gave nothing usable for the newest head, and why.
    #[must_use]
    pub fn silent(&self) -> &[(String, String)] {
        &self.silent
    }

    /// Why the sequencer stopped, if it did.
    #[must_use]
    pub fn stopped(&self) -> Option<&str> {
        self.stopped.as_deref()
    }

    /// The log's name.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.signer.origin()
    }
}

/// The time of the next epoch: strictly later than the last, whatever the clock does.
fn epoch_time(last: UnixMillis, now: UnixMillis) -> Result<UnixMillis, CommitError> {
    let clock = || CommitError::Clock { now, last };
    if last.since(now) > CLOCK_BACK_MILLIS || now > UnixMillis::MAX {
        return Err(clock());
    }
    Ok(now.max(last.checked_add(1).ok_or_else(clock)?))
}
