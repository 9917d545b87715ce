//! Opening a checkpoint under a policy.

use thiserror::Error;

use super::{Policy, QuorumTime};
use crate::log::checkpoint::{Checkpoint, CheckpointError};
use crate::log::cosignature::{self, UnixSeconds};
use crate::log::note::{NoteError, SignedNote, Vkey};
use crate::wire::clip;
use crate::wire::signature::PublicKey;

/// Why a checkpoint was refused under a policy.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Text or signatures were refused.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// No log of the policy has this origin.
    #[error("the policy has no log {origin:?}")]
    UnknownLog {
        /// Beginning of the origin.
        origin: String,
    },
}

impl From<NoteError> for OpenError {
    fn from(error: NoteError) -> Self {
        Self::Checkpoint(error.into())
    }
}

impl OpenError {
    /// The stable code used in vectors and reports.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Checkpoint(error) => error.code(),
            Self::UnknownLog { .. } => "unknown_log",
        }
    }
}

/// A witness's verified cosignature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigned {
    /// The witness's name in the policy.
    pub name: String,
    /// Its key.
    pub key: PublicKey,
    /// Its newest time.
    pub time: UnixSeconds,
}

/// A checkpoint signed by a log of the policy, and who cosigned it.
///
/// That the quorum was reached is *not* implied: look at `quorum`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// What the log states.
    pub checkpoint: Checkpoint,
    /// The note, for further cosignatures such as auditors'.
    pub note: SignedNote,
    /// The log's key that signed it.
    pub log: Vkey,
    /// The policy's witnesses that cosigned it, in policy order.
    pub cosigned: Vec<Cosigned>,
    /// Whether they are enough, and as of when.
    pub quorum: QuorumTime,
}

impl Policy {
    /// Verifies a signed checkpoint: the log's signature, and every cosignature by a witness the
    /// policy knows. Signatures by others are ignored.
    ///
    /// # Errors
    /// A malformed note or checkpoint; `UnknownLog`; not signed by the log; a false signature by
    /// a known key.
    pub fn open(&self, note: &str) -> Result<Opened, OpenError> {
        let note = SignedNote::parse(note)?;
        let checkpoint = Checkpoint::parse(note.text())?;
        let mut log = None;
        let mut missing = OpenError::UnknownLog {
            origin: clip(&checkpoint.origin),
        };
        // A log that changes its key has two lines with one origin: one signature is enough.
        for known in self
            .logs()
            .iter()
            .filter(|l| l.vkey.name() == checkpoint.origin)
        {
            match note.verify(&known.vkey) {
                Ok(()) => log = log.or(Some(&known.vkey)),
                Err(error @ NoteError::NotSigned { .. }) => missing = error.into(),
                Err(error) => return Err(error.into()),
            }
        }
        let log = log.ok_or(missing)?.clone();
        let mut cosigned = Vec::new();
        for witness in self.witnesses() {
            if let Some(time) = cosignature::newest(&witness.vkey, &note)? {
                cosigned.push(Cosigned {
                    name: witness.name.clone(),
                    key: witness.key,
                    time,
                });
            }
        }
        let times: Vec<_> = cosigned.iter().map(|c| (c.key, c.time)).collect();
        let quorum = self.quorum_timestamp(&times);
        Ok(Opened {
            checkpoint,
            note,
            log,
            cosigned,
            quorum,
        })
    }
}
