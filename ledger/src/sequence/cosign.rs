//! Asking witnesses and auditors, and judging what they send.

use zhao_spec::log::checkpoint::{self, Checkpoint};
use zhao_spec::log::cosignature;
use zhao_spec::log::note::{NoteError, NoteSignature, SignedNote, Vkey};
use zhao_spec::log::policy::{OpenError, Policy, QuorumTime};
use zhao_spec::log::tree::{TreeSize, prove_consistency};
use zhao_spec::log::trust::Trust;
use zhao_spec::wire::{Hash, clip};

use crate::store::{Read, StoreError};
use crate::tree::{StoredTree, flatten};

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
    fn add(&self, note: &mut SignedNote, line: &str) -> Result<(), String> {
        let words = |error: NoteError| error.to_string();
        let line = line.strip_suffix('\n').unwrap_or(line);
        let signature = NoteSignature::parse(line).map_err(words)?;
        let known = self.keys().find(|key| signature.is_by(key));
        let key = known.ok_or_else(|| format!("unknown key {}", clip(&signature.name)))?;
        cosignature::verify(key, &signature, note.text()).map_err(words)?;
        if note.signatures().contains(&signature) {
            return Ok(());
        }
        note.add(signature).map_err(words)
    }
}

/// A cosigner and what we know of it.
pub(crate) struct Known {
    pub(crate) cosigner: Box<dyn Cosigner>,
    /// Size it has cosigned, as far as we know.
    pub(crate) size: TreeSize,
    /// Whether it has told its last head since the start.
    pub(crate) answered: bool,
}

impl Known {
    /// The last checkpoint it shows, if the log's own key signed it.
    pub(crate) fn latest(&mut self, log: &Vkey) -> Result<Option<Checkpoint>, CosignError> {
        let Some(note) = self.cosigner.latest()? else {
            return Ok(None);
        };
        match checkpoint::open(&note, log) {
            Ok((checkpoint, _)) => Ok(Some(checkpoint)),
            Err(error) => Err(CosignError::Refused(format!(
                "shows no head of this log: {error}"
            ))),
        }
    }
}

/// What came of asking.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Cosigners that gave nothing usable, and why.
    pub(crate) silent: Vec<(String, String)>,
    /// A cosigner that has seen more of this log than we have.
    pub(crate) ahead: Option<(String, TreeSize)>,
}

/// Asks every cosigner, once more where the first try shows that we were mistaken about its size.
pub(crate) fn ask(
    store: &dyn Read,
    cosigners: &mut [Known],
    quorum: &Quorum,
    log: &Vkey,
    checkpoint: &Checkpoint,
    note: &mut SignedNote,
) -> Result<Asked, StoreError> {
    let mut asked = Asked {
        silent: Vec::new(),
        ahead: None,
    };
    let text = note.format();
    for known in cosigners {
        let name = known.cosigner.vkey().name().to_owned();
        let mut answer = Err(CosignError::Refused("not asked".to_owned()));
        for _ in 0..2 {
            let request = request(store, &text, checkpoint, known.size)?;
            answer = known.cosigner.cosign(&request);
            match answer {
                Err(CosignError::Conflict { size }) if size > checkpoint.size => {
                    // Only our own signature proves it: a lying witness must not stop the log.
                    match known.latest(log) {
                        Ok(Some(seen)) if seen.size > checkpoint.size => {
                            asked.ahead = Some((name, seen.size));
                            return Ok(asked);
                        }
                        _ => break,
                    }
                }
                Err(CosignError::Conflict { size }) => known.size = size,
                _ => break,
            }
        }
        match answer {
            Ok(lines) => {
                known.size = checkpoint.size;
                for line in lines {
                    if let Err(why) = quorum.add(note, &line) {
                        asked.silent.push((name.clone(), why));
                    }
                }
            }
            Err(error) => asked.silent.push((name, error.to_string())),
        }
    }
    Ok(asked)
}

fn request(
    store: &dyn Read,
    note: &str,
    checkpoint: &Checkpoint,
    old: TreeSize,
) -> Result<CosignRequest, StoreError> {
    let proof = if old.0 == 0 {
        Vec::new()
    } else {
        prove_consistency(old, checkpoint.size, &StoredTree::new(store)).map_err(flatten)?
    };
    Ok(CosignRequest {
        note: note.to_owned(),
        checkpoint: checkpoint.clone(),
        old,
        proof,
    })
}
