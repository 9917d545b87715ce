//! Why the sequencer refuses to start, or a batch.

use zhao_spec::log::checkpoint::CheckpointError;
use zhao_spec::log::note::NoteError;
use zhao_spec::log::policy::OpenError;
use zhao_spec::log::tree::{TreeError, TreeSize};
use zhao_spec::map::OpenedError;
use zhao_spec::wire::{Hash, Malformed, UnixMillis};

use crate::publish::PublishError;
use crate::replay::{Diverged, Divergence};
use crate::store::StoreError;

/// Why a batch was not answered. After an error that [`CommitError::is_fatal`] the sequencer
/// answers nothing more: the process ends and comes back through `Sequencer::open`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// Too many leaves wait for a quorum; the batch was not looked at.
    #[error("{waiting} leaves wait for the quorum, limit {limit}: restore the witnesses")]
    Backlog {
        /// Leaves that no published head covers.
        waiting: u64,
        /// The limit.
        limit: u64,
    },
    /// More events than a batch may have.
    #[error("{actual} events in one batch, limit {limit}")]
    BatchTooLarge {
        /// The limit.
        limit: usize,
        /// Events in the batch.
        actual: usize,
    },
    /// The clock is more than an hour behind the last epoch, or past the year 9999.
    #[error("the time {now} cannot follow the last epoch's {last}: check the clock")]
    Clock {
        /// Time given.
        now: UnixMillis,
        /// Time of the last epoch.
        last: UnixMillis,
    },
    /// A head could not be signed or read back.
    #[error("head: {0}")]
    Head(#[from] OpenError),
    /// An event's leaf is longer than a bundle can hold; the batch was not committed.
    #[error("event {position} makes a leaf of {actual} bytes, limit {limit}")]
    LeafTooLong {
        /// Which event of the batch, from 0.
        position: usize,
        /// The limit, bytes.
        limit: usize,
        /// Bytes of the leaf.
        actual: usize,
    },
    /// An earlier error ended this sequencer.
    #[error("the sequencer stopped: {0}")]
    Stopped(String),
    /// The place of publication does not let this process sign.
    #[error("{0}; nothing was signed")]
    Publish(#[from] PublishError),
    /// The second computation disagrees with the first; nothing was written or signed.
    #[error("second path: {0}; nothing was written or signed: run fsck, and do what it says")]
    SecondPath(#[from] SecondPathError),
    /// The database, or a file beside it.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// Too few witnesses have said since the start which head they know; nothing was done.
    #[error(
        "not heard from witnesses since the start: {silent}; one of them might know a newer head"
    )]
    Unconfirmed {
        /// Their names.
        silent: String,
    },
    /// A witness has cosigned another tree of a size this log has.
    #[error("{name} has cosigned another root at size {size}: this is not the log it knows")]
    WitnessDisagrees {
        /// Which cosigner.
        name: String,
        /// Size.
        size: TreeSize,
    },
    /// A witness has cosigned a longer log than this one.
    #[error(
        "{name} has cosigned size {theirs}, this log has {ours}: this database is older than what \
         was published; restore the newest one"
    )]
    WitnessAhead {
        /// Which cosigner.
        name: String,
        /// Size it has cosigned.
        theirs: TreeSize,
        /// Size of this log.
        ours: TreeSize,
    },
}

impl CommitError {
    /// Whether the sequencer has stopped: true unless the error came before anything was done and
    /// says nothing about the state on disk.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        !matches!(
            self,
            Self::Backlog { .. }
                | Self::BatchTooLarge { .. }
                | Self::Clock { .. }
                | Self::LeafTooLong { .. }
                | Self::Unconfirmed { .. }
        )
    }
}

impl From<CheckpointError> for CommitError {
    fn from(error: CheckpointError) -> Self {
        Self::Head(error.into())
    }
}

impl From<NoteError> for CommitError {
    fn from(error: NoteError) -> Self {
        Self::Head(error.into())
    }
}

/// Where the second computation differs. Any of these is a bug or a damaged database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecondPathError {
    /// The batch holds other leaves than the ones between the two sizes.
    #[error("the batch does not hold exactly the leaves {from} to {to}")]
    Leaves {
        /// First new leaf.
        from: u64,
        /// Size after it.
        to: u64,
    },
    /// The log root.
    #[error("log root is {second}, the first path has {first}")]
    LogRoot {
        /// First path.
        first: Hash,
        /// Second path.
        second: Hash,
    },
    /// The new tree does not begin with the signed one.
    #[error("not consistent with the signed head of size {size}: {error}")]
    Consistency {
        /// Size of the signed head.
        size: TreeSize,
        /// What the check says.
        error: TreeError,
    },
    /// The closing leaf is not the epoch that was meant.
    #[error("the last leaf of the batch is not its epoch")]
    Epoch,
    /// A stored path does not lead to the map root of the last epoch.
    #[error("{0}")]
    Opened(#[from] OpenedError),
    /// A record the batch was judged by is not what the last epoch commits to.
    #[error("the record at {key} is not the one under the last epoch's map root")]
    Record {
        /// Its key.
        key: Hash,
    },
    /// The map root.
    #[error("map root is {second}, the first path has {first}")]
    MapRoot {
        /// First path.
        first: Hash,
        /// Second path.
        second: Hash,
    },
    /// The number of keys.
    #[error("the map has {second} keys, the first path has {first}")]
    Subjects {
        /// First path.
        first: u64,
        /// Second path.
        second: u64,
    },
    /// Something needed for it could not be read.
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// Why a sequencer does not start. Nothing was signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// There is a log already.
    #[error("there is a log here already: {what}")]
    AlreadyCreated {
        /// What was found.
        what: &'static str,
    },
    /// A first or fresh epoch could not be committed.
    #[error("{0}")]
    Commit(#[from] CommitError),
    /// The database is shorter than the intent: an older copy was put back.
    #[error(
        "the database ends at size {database}, but heads up to size {intent} may have been signed: \
         an older copy was restored; put back the newest database, never sign from this one"
    )]
    DatabaseOlder {
        /// Leaves in the database.
        database: TreeSize,
        /// Size in the intent.
        intent: TreeSize,
    },
    /// Unsigned leaves at the end of the database are not what this program would have written.
    #[error("unsigned leaves do not replay: {0}")]
    Diverged(Box<Diverged>),
    /// An unsigned epoch does not match the map.
    #[error("unsigned epoch: {0}")]
    Epoch(Divergence),
    /// The intent file cannot be read.
    #[error("intent file: {0}")]
    Intent(Malformed),
    /// The database's root at the intent's size is another.
    #[error(
        "at size {size} the database has root {database}, the intent {intent}: not the same log"
    )]
    IntentMismatch {
        /// Size.
        size: TreeSize,
        /// In the intent.
        intent: Hash,
        /// In the database.
        database: Hash,
    },
    /// There is a database but no intent.
    #[error(
        "the intent file is missing: it tells which heads were signed; put it back from the \
         directory beside the database (the newest copy), and run fsck"
    )]
    IntentMissing,
    /// The records on disk do not make the map that an epoch states.
    #[error(
        "the records of epoch {epoch} have map root {actual}, its leaf says {expected}: a record \
         is damaged or missing; run fsck, and rebuild from the leaves if it says so"
    )]
    Map {
        /// Number of the epoch.
        epoch: u64,
        /// Root in the epoch leaf.
        expected: Hash,
        /// Root of the records.
        actual: Hash,
    },
    /// There is no log in this database.
    #[error("the database holds no log: create one first")]
    NotCreated,
    /// Database, files and key are not of one log.
    #[error("{what} is {actual}, expected {expected}")]
    OtherLog {
        /// What differs.
        what: &'static str,
        /// Of this configuration.
        expected: String,
        /// Found.
        actual: String,
    },
    /// A published head does not fit the database.
    #[error(
        "published head of size {size} does not fit the database of size {database}: {problem}; \
         run fsck, and do what it says"
    )]
    Published {
        /// Its size.
        size: TreeSize,
        /// Leaves in the database.
        database: TreeSize,
        /// What is wrong.
        problem: String,
    },
    /// The place of publication does not let this process sign.
    #[error("{0}")]
    Publish(PublishError),
    /// The database, or a file beside it.
    #[error("{0}")]
    Store(#[from] StoreError),
}

impl From<SecondPathError> for StartError {
    fn from(error: SecondPathError) -> Self {
        Self::Commit(error.into())
    }
}
