//! Asking witnesses and auditors, and judging what they send.

use std::time::Duration;

use zhao_spec::log::checkpoint::Checkpoint;
use zhao_spec::log::cosignature;
use zhao_spec::log::note::{NoteError, NoteSignature, SignedNote, Vkey};
use zhao_spec::log::policy::{OpenError, Policy, QuorumTime};
use zhao_spec::log::tree::TreeSize;
use zhao_spec::log::trust::Trust;
use zhao_spec::wire::{Hash, clip};

use crate::mldsa;

/// What a cosigner is asked (C2SP tlog-witness, `add-checkpoint`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CosignRequest {
    /// The checkpoint, signed by the log, as text.
    pub note: String,
    /// What it states.
    pub checkpoint: Checkpoint,
    /// Size the cosigner is believed to have cosigned last; 0 for none.
    pub old: TreeSize,
    /// Consistency proof from `old`; empty when `old` is 0 or the same size.
    pub proof: Vec<Hash>,
}

impl CosignRequest {
    /// The request's body: `old <size>`, the proof's lines, an empty line, the checkpoint.
    #[must_use]
    pub fn body(&self) -> String {
        let mut body = format!("old {}\n", self.old);
        for hash in &self.proof {
            body.push_str(&hash.to_base64());
            body.push('\n');
        }
        body.push('\n');
        body.push_str(&self.note);
        body
    }
}

/// Why a cosigner did not cosign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CosignError {
    /// It has cosigned another size than `old`.
    #[error("has cosigned size {size}")]
    Conflict {
        /// The size it has cosigned.
        size: TreeSize,
    },
    /// It refuses; the text is its own.
    #[error("refused: {0}")]
    Refused(String),
    /// It cannot be reached; the text says why.
    #[error("unreachable: {0}")]
    Unreachable(String),
}

/// A witness or an auditor, near or far.
pub trait Cosigner: Send {
    /// Its key, of type 0x04; the key's name is used in reports.
    fn vkey(&self) -> &Vkey;

    /// The last checkpoint it cosigned for this log, if any, as a note with the log's signature:
    /// nobody is believed to have seen more of the log without it.
    ///
    /// # Errors
    /// Unreachable, or it refuses.
    fn latest(&mut self) -> Result<Option<String>, CosignError>;

    /// How long an answer may take. Nothing: it answers at once, in this process, and is asked in
    /// turn; else it is asked on a thread of its own, and not waited for any longer. It gives up by
    /// itself soon after.
    fn patience(&self) -> Option<Duration> {
        None
    }

    /// Cosigns, and returns signature lines.
    ///
    /// # Errors
    /// See [`CosignError`].
    fn cosign(&mut self, request: &CosignRequest) -> Result<Vec<String>, CosignError>;
}

/// Whose cosignatures make a head publishable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quorum {
    /// The log and its witnesses.
    pub policy: Policy,
    /// The auditors, where any are required.
    pub trust: Option<Trust>,
    /// ML-DSA keys whose cosignatures are kept beside the others. They count for nothing here.
    pub others: Vec<Vkey>,
}

impl Quorum {
    /// Whether the note has the quorum of witnesses and, where a trust file is given, of auditors.
    ///
    /// # Errors
    /// The note is malformed, not signed by the log, or has a false signature by a known key.
    pub fn is_met(&self, note: &str) -> Result<bool, OpenError> {
        let opened = self.policy.open(note)?;
        if opened.quorum == QuorumTime::NotReached {
            return Ok(false);
        }
        let Some(trust) = &self.trust else {
            return Ok(true);
        };
        let mut keys = Vec::new();
        for auditor in &trust.auditors {
            if cosignature::newest(&auditor.vkey, &opened.note)?.is_some() {
                keys.push(auditor.key);
            }
        }
        Ok(trust.auditors_met(&keys))
    }

    /// The keys whose cosignatures count.
    fn keys(&self) -> impl Iterator<Item = &Vkey> {
        let witnesses = self.policy.witnesses().iter().map(|witness| &witness.vkey);
        let auditors = self.trust.iter().flat_map(|trust| &trust.auditors);
        witnesses.chain(auditors.map(|auditor| &auditor.vkey))
    }

    /// Adds a line to the note if a known key made it and it verifies: a signature that nobody
    /// checked is never kept, and a false one would spoil the head for every reader.
    pub(super) fn add(&self, note: &mut SignedNote, line: &str) -> Result<(), String> {
        let words = |error: NoteError| error.to_string();
        let line = line.strip_suffix('\n').unwrap_or(line);
        let signature = NoteSignature::parse(line).map_err(words)?;
        let name = || clip(&signature.name);
        if let Some(key) = self.others.iter().find(|key| signature.is_by(key)) {
            let checkpoint = Checkpoint::parse(note.text()).map_err(|error| error.to_string())?;
            mldsa::verify(key, &signature, &checkpoint)
                .ok_or_else(|| format!("false ML-DSA cosignature by {}", name()))?;
        } else {
            let known = self.keys().find(|key| signature.is_by(key));
            let key = known.ok_or_else(|| format!("unknown key {}", name()))?;
            cosignature::verify(key, &signature, note.text()).map_err(words)?;
        }
        if note.signatures().contains(&signature) {
            return Ok(());
        }
        note.add(signature).map_err(words)
    }
}
