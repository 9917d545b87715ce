//! A witness (c2sp.org/tlog-witness): cosigns checkpoints that extend the last one it cosigned.
//!
//! It says *append-only* and nothing about the map. Its state is one file per log: the last
//! checkpoint it cosigned, with its own line. The state is durable before a cosignature leaves.

mod request;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use zhao_spec::log::LogKeys;
use zhao_spec::log::checkpoint::{Checkpoint, CheckpointError};
use zhao_spec::log::cosignature::{self, UnixSeconds};
use zhao_spec::log::note::{KeyKind, NoteError, SignedNote, Vkey, VkeyError};
use zhao_spec::log::tree::{TreeError, TreeSize, check_consistency, empty_root};
use zhao_spec::wire::{SecretKey, clip, sha256};

pub use request::{REQUEST_BYTES, Request, RequestError};

use crate::mldsa;
use crate::sequence::{CosignError, CosignRequest, Cosigner};
use crate::store::StoreError;
use crate::store::files::Files;

/// Why a witness does not cosign. The order is that of the checks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessError {
    /// The request is malformed (C2SP: 400).
    #[error("{0}")]
    Malformed(#[from] RequestError),
    /// No log of this origin is watched (404).
    #[error("log {origin:?} is not watched")]
    UnknownLog {
        /// Beginning of the origin.
        origin: String,
    },
    /// The log's key did not sign it, or falsely (403).
    #[error("{0}")]
    Unsigned(CheckpointError),
    /// `old` is above the checkpoint's size (400).
    #[error("old size {old} is above the checkpoint's size {size}")]
    OldAboveSize {
        /// Size in the request.
        old: TreeSize,
        /// Size of the checkpoint.
        size: TreeSize,
    },
    /// `old` is not the size cosigned last (409; the body is `size`).
    #[error("last cosigned size is {size}, not {old}")]
    Conflict {
        /// Size cosigned last.
        size: TreeSize,
        /// Size in the request.
        old: TreeSize,
    },
    /// The checkpoint does not extend the last one (422).
    #[error("not consistent with the last checkpoint: {0}")]
    Inconsistent(TreeError),
    /// A proof where none can be (422).
    #[error("{hashes} proof hashes where none can be")]
    UselessProof {
        /// Hashes in the request.
        hashes: usize,
    },
    /// The witness's own state (500).
    #[error("{0}")]
    State(#[from] StoreError),
    /// The cosignature could not be made (500).
    #[error("{0}")]
    Sign(#[from] NoteError),
}

/// A witness with its key, its logs and its state.
pub struct Witness {
    name: String,
    secret: SecretKey,
    vkey: Vkey,
    /// Origin → the log's keys.
    logs: BTreeMap<String, LogKeys>,
    files: Arc<dyn Files>,
    mldsa: Option<mldsa::Signer>,
}

impl std::fmt::Debug for Witness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Witness")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Witness {
    /// A witness for the logs with these keys, with its state in `files`. Keys of one origin are
    /// one log's, which changed its key.
    ///
    /// # Errors
    /// The name cannot be a key's.
    pub fn new(
        name: &str,
        secret: SecretKey,
        logs: Vec<Vkey>,
        files: Arc<dyn Files>,
    ) -> Result<Self, VkeyError> {
        let vkey = Vkey::new(name, KeyKind::Cosignature, secret.public())?;
        let mut known: BTreeMap<String, LogKeys> = BTreeMap::new();
        for key in logs {
            match known.get_mut(key.name()) {
                Some(keys) => {
                    keys.add(key);
                }
                None => {
                    known.insert(key.name().to_owned(), key.into());
                }
            }
        }
        Ok(Self {
            name: name.to_owned(),
            secret,
            vkey,
            logs: known,
            files,
            mldsa: None,
        })
    }

    /// The same, cosigning with ML-DSA-44 besides.
    ///
    /// # Errors
    /// The name cannot be a key's.
    pub fn with_mldsa(mut self) -> Result<Self, VkeyError> {
        self.mldsa = Some(mldsa::Signer::new(&self.name, &self.secret)?);
        Ok(self)
    }

    /// The ML-DSA key, if there is one.
    #[must_use]
    pub fn mldsa_vkey(&self) -> Option<&Vkey> {
        self.mldsa.as_ref().map(mldsa::Signer::vkey)
    }

    /// The key others verify with.
    #[must_use]
    pub fn vkey(&self) -> &Vkey {
        &self.vkey
    }

    /// The last checkpoint cosigned for a log, with this witness's line; nothing for none.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn latest(&self, origin: &str) -> Result<Option<String>, StoreError> {
        let Some(bytes) = self.files.read(&state_file(origin))? else {
            return Ok(None);
        };
        let text = String::from_utf8(bytes).map_err(|_| bad_state(origin, "not UTF-8"))?;
        Ok(Some(text))
    }

    /// Judges a request and cosigns. Returns the signature lines, each with its newline. Exclusive
    /// access makes check and state one step.
    ///
    /// # Errors
    /// See [`WitnessError`]; nothing is then cosigned.
    pub fn add_checkpoint(
        &mut self,
        request: &Request,
        now: UnixSeconds,
    ) -> Result<String, WitnessError> {
        let stated = SignedNote::parse(&request.note)
            .map_err(CheckpointError::from)
            .and_then(|note| Checkpoint::parse(note.text()))
            .map_err(RequestError::Checkpoint)?;
        let origin = stated.origin;
        let log = self
            .logs
            .get(&origin)
            .ok_or_else(|| WitnessError::UnknownLog {
                origin: clip(&origin),
            })?;
        let (checkpoint, signed) = log.open(&request.note).map_err(WitnessError::Unsigned)?;
        let last = self.last(&origin)?;
        check(request, &checkpoint, last.as_ref())?;
        let signature = cosignature::cosign(&self.secret, &self.name, now, signed.text())?;
        let mut lines = signature.line();
        let other = self.mldsa.as_ref();
        let other = other.and_then(|signer| signer.cosign(now, &checkpoint));
        // Only the log's own line and ours are kept: others were not verified here.
        let mut kept = checkpoint.to_note().map_err(WitnessError::Unsigned)?;
        for own in log.lines(&signed) {
            kept.add(own.clone())?;
        }
        kept.add(signature)?;
        if let Some(other) = other {
            lines.push_str(&other.line());
            kept.add(other)?;
        }
        // Durable before anyone has the line: a crash after this leaves a checkpoint that counts as
        // cosigned, which only makes the witness stricter.
        self.files
            .replace(&state_file(&origin), kept.format().as_bytes())?;
        Ok(lines)
    }

    fn last(&self, origin: &str) -> Result<Option<Checkpoint>, StoreError> {
        let Some(text) = self.latest(origin)? else {
            return Ok(None);
        };
        let bad = |problem: &dyn std::fmt::Display| bad_state(origin, &problem.to_string());
        let note = SignedNote::parse(&text).map_err(|error| bad(&error))?;
        let checkpoint = Checkpoint::parse(note.text()).map_err(|error| bad(&error))?;
        // Our own line says that the log's was verified; its key may be one that was given up.
        let ours = cosignature::newest(&self.vkey, &note).map_err(|error| bad(&error))?;
        if ours.is_none() || checkpoint.origin != origin {
            return Err(bad(&"not a head of this log that we cosigned"));
        }
        Ok(Some(checkpoint))
    }
}

/// The rules of tlog-witness, `add-checkpoint`, after the signature.
fn check(
    request: &Request,
    checkpoint: &Checkpoint,
    last: Option<&Checkpoint>,
) -> Result<(), WitnessError> {
    let (old, size) = (request.old, checkpoint.size);
    if old > size {
        return Err(WitnessError::OldAboveSize { old, size });
    }
    let (last_size, last_root) =
        last.map_or((TreeSize(0), empty_root()), |last| (last.size, last.root));
    if old != last_size {
        return Err(WitnessError::Conflict {
            size: last_size,
            old,
        });
    }
    let hashes = request.proof.len();
    if old.0 == 0 {
        return if hashes == 0 {
            Ok(())
        } else {
            Err(WitnessError::UselessProof { hashes })
        };
    }
    check_consistency(old, size, &last_root, &checkpoint.root, &request.proof)
        .map_err(WitnessError::Inconsistent)
}

/// Name of the state file of a log, fit for any file system.
pub(crate) fn state_file(origin: &str) -> String {
    let hash = sha256(&[origin.as_bytes()]);
    let hex: String = hash.0.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("cosigned-{hex}")
}

fn bad_state(origin: &str, problem: &str) -> StoreError {
    StoreError::File {
        name: state_file(origin),
        problem: problem.to_owned(),
    }
}

/// A clock, handed in: the time a cosignature states.
pub type Clock = Arc<dyn Fn() -> UnixSeconds + Send + Sync>;

/// A witness in the same process, as a [`Cosigner`].
pub struct LocalWitness {
    /// Shared with whoever serves it over HTTP; held for one request.
    witness: Arc<Mutex<Witness>>,
    vkey: Vkey,
    origin: String,
    clock: Clock,
}

impl LocalWitness {
    /// The witness as a cosigner of the log `origin`.
    #[must_use]
    pub fn new(witness: Arc<Mutex<Witness>>, origin: &str, clock: Clock) -> Self {
        let vkey = witness
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .vkey
            .clone();
        Self {
            witness,
            vkey,
            origin: origin.to_owned(),
            clock,
        }
    }
}

impl Cosigner for LocalWitness {
    fn vkey(&self) -> &Vkey {
        &self.vkey
    }

    fn latest(&mut self) -> Result<Option<String>, CosignError> {
        let witness = self.witness.lock().unwrap_or_else(PoisonError::into_inner);
        witness
            .latest(&self.origin)
            .map_err(|error| CosignError::Refused(error.to_string()))
    }

    fn cosign(&mut self, request: &CosignRequest) -> Result<Vec<String>, CosignError> {
        let own = Request {
            old: request.old,
            proof: request.proof.clone(),
            note: request.note.clone(),
        };
        let mut witness = self.witness.lock().unwrap_or_else(PoisonError::into_inner);
        match witness.add_checkpoint(&own, (self.clock)()) {
            Ok(lines) => Ok(lines.lines().map(|line| format!("{line}\n")).collect()),
            Err(WitnessError::Conflict { size, .. }) => Err(CosignError::Conflict { size }),
            Err(error) => Err(CosignError::Refused(error.to_string())),
        }
    }
}
