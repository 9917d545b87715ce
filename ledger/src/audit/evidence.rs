//! Evidence from what an auditor found: bytes that anyone can judge with the policy alone.
//!
//! Nothing is claimed that was not judged again here, the way a verifier will: a finding that does
//! not make evidence is an [`EvidenceError`], never a file that fails in somebody else's hands.
//! Prose: `spec/evidence.md`.

mod fork;
mod seen;

use std::sync::Arc;

use zhao_spec::file::{Batch, Evidence, Head, LogProof, RawLeaf, SubjectPlace};
use zhao_spec::life::apply::{ApplyError, View, ViewFault, apply};
use zhao_spec::life::leaf::{Epoch, Leaf};
use zhao_spec::life::record::Record;
use zhao_spec::log::checkpoint::{Checkpoint, CheckpointError};
use zhao_spec::log::tlog_proof::TlogProof;
use zhao_spec::log::tree::{LeafIndex, TreeSize};
use zhao_spec::map::{Partial, PartialError};
use zhao_spec::wire::{Hash, Malformed, limits};

pub use fork::{ForkError, SignedHead, two_heads};
pub use seen::{CompareError, NotJudged, Seen};

use super::ahead::{compare, fetch};
use super::{AuditError, Auditor, Finding};
use crate::overlay::{Overlay, Touched};
use crate::store::StoreError;

/// Why a finding is not evidence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// The auditor could not fetch or prove a leaf.
    #[error("{0}")]
    Audit(#[from] AuditError),
    /// The leaf stands before the first good epoch leaf, and evidence begins after one. Genesis
    /// and epoch 0 are what a policy names or does not name.
    #[error("there is no good epoch leaf before leaf {at}")]
    Founding {
        /// The leaf found.
        at: LeafIndex,
    },
    /// The checkpoint's last leaf is no epoch leaf that states its own index, so that no verifier
    /// takes it for a head. A later checkpoint of the same log makes evidence.
    #[error("the checkpoint of size {size} is no head: {problem}")]
    NoHead {
        /// Size of the checkpoint.
        size: TreeSize,
        /// What is wrong with its last leaf.
        problem: String,
    },
    /// No epoch leaf closes the leaves.
    #[error("no epoch leaf follows the leaves from {from}")]
    NotClosed {
        /// The first of them.
        from: LeafIndex,
    },
    /// Judged again, the leaves are what an honest log holds: the auditor's own trouble.
    #[error("the leaves up to {upto} follow from those before")]
    NothingWrong {
        /// The last of them.
        upto: LeafIndex,
    },
    /// The map paths of the auditor's store do not fit together.
    #[error("own map: {0}")]
    Paths(#[from] PartialError),
    /// The proof of the head cannot be written.
    #[error("head: {0}")]
    Proof(#[from] Malformed),
    /// The auditor's store.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// More than a file of evidence may have.
    #[error("{actual} {what}, at most {limit} fit")]
    TooLarge {
        /// Of what.
        what: &'static str,
        /// At most.
        limit: usize,
        /// How many.
        actual: usize,
    },
    /// The auditor's records cannot be read.
    #[error("{0}")]
    View(#[from] ViewFault),
}

impl From<CheckpointError> for EvidenceError {
    fn from(error: CheckpointError) -> Self {
        Self::Audit(AuditError::Checkpoint(error))
    }
}

/// Evidence of what the auditor found: `inadmissible-leaf` or `wrong-transition`.
///
/// # Errors
/// See [`EvidenceError`].
pub fn from_finding(auditor: &Auditor, finding: &Finding) -> Result<Evidence, EvidenceError> {
    let Some(previous) = &finding.previous else {
        let at = finding.diverged.at;
        return Err(EvidenceError::Founding { at });
    };
    within(
        "leaves",
        finding.leaves.len(),
        limits::BATCH_EVENTS.saturating_add(1),
    )?;
    // Before anything is copied: leaves are longest, and base64 makes four bytes of three.
    let raw: usize = finding.leaves.iter().map(Vec::len).sum();
    let least = raw.saturating_div(3).saturating_mul(4);
    within("bytes", least, limits::EVIDENCE_BYTES)?;
    let judged = judge(auditor, previous, &finding.leaves)?;
    let subjects = places(auditor, previous, &judged.touched)?;
    within("subjects", subjects.len(), limits::ARRAY_ITEMS)?;
    if judged.admissible && follows(previous, &judged, &subjects)? {
        let upto = judged.last;
        return Err(EvidenceError::NothingWrong { upto });
    }
    let mut entries = Vec::with_capacity(finding.leaves.len());
    for (index, leaf) in (next(previous).0..).zip(&finding.leaves) {
        entries.push(raw_leaf(auditor, finding, LeafIndex(index), leaf.clone())?);
    }
    let batch = Batch {
        entries,
        head: head(auditor, finding)?,
        previous: raw_leaf(auditor, finding, previous.index, previous.bytes())?,
        subjects,
    };
    let evidence = if judged.admissible {
        Evidence::WrongTransition(batch)
    } else {
        Evidence::InadmissibleLeaf(batch)
    };
    within("bytes", evidence.bytes().len(), limits::EVIDENCE_BYTES)?;
    Ok(evidence)
}

/// What judging the leaves from scratch gives.
struct Judged {
    admissible: bool,
    closing: Epoch,
    /// Index of the closing leaf.
    last: LeafIndex,
    touched: Touched,
}

/// Judges the leaves on the map under `previous`, under the closing leaf's time whatever else that
/// leaf says: the auditor stopped at the first fault it saw and may not have read every subject.
fn judge(auditor: &Auditor, previous: &Epoch, leaves: &[Vec<u8>]) -> Result<Judged, EvidenceError> {
    let first = next(previous).0;
    let from = LeafIndex(first);
    let (closing, events) = leaves
        .split_last()
        .ok_or(EvidenceError::NotClosed { from })?;
    let Ok(Leaf::Epoch(closing)) = Leaf::parse(closing) else {
        return Err(EvidenceError::NotClosed { from });
    };
    let base = Replayed { auditor, previous };
    let mut overlay = Overlay::new(&base);
    let mut admissible = true;
    let mut at = first;
    for leaf in events {
        if !admit(&mut overlay, leaf, LeafIndex(at), &closing)? {
            admissible = false;
            break;
        }
        at = at.saturating_add(1);
    }
    let events = u64::try_from(events.len()).unwrap_or(u64::MAX);
    Ok(Judged {
        admissible,
        closing,
        last: LeafIndex(first.saturating_add(events)),
        touched: overlay.finish(),
    })
}

/// Applies one leaf; false when it must not be there.
fn admit(
    overlay: &mut Overlay<'_>,
    leaf: &[u8],
    at: LeafIndex,
    closing: &Epoch,
) -> Result<bool, ViewFault> {
    let Ok(Leaf::Event(event)) = Leaf::parse(leaf) else {
        return Ok(false);
    };
    let Ok(event) = event.verify_signatures() else {
        return Ok(false);
    };
    match apply(overlay, &event, at, closing.time) {
        Ok(writes) => overlay.take(writes).map(|()| true),
        Err(ApplyError::Refused(_)) => Ok(false),
        Err(ApplyError::View(fault)) => Err(fault),
    }
}

/// Whether the closing leaf is the one that follows; what a verifier computes from the places.
fn follows(
    previous: &Epoch,
    judged: &Judged,
    subjects: &[SubjectPlace],
) -> Result<bool, EvidenceError> {
    let hashes: Vec<Option<Hash>> = subjects
        .iter()
        .map(|place| place.record.as_ref().map(Record::hash))
        .collect();
    let paths: Vec<_> = subjects
        .iter()
        .zip(&hashes)
        .map(|(place, hash)| (place.subject, *hash, &place.path))
        .collect();
    let writes = &judged.touched.writes;
    let changes: Vec<(Hash, Hash)> = writes
        .iter()
        .map(|(key, record)| (*key, record.hash()))
        .collect();
    let map_root = Partial::from_paths(&previous.map_root, &paths)?.apply(&changes)?;
    let is_new = |key: &&Hash| judged.touched.before.get(*key).is_none_or(Option::is_none);
    let created = u64::try_from(writes.keys().filter(is_new).count()).unwrap_or(u64::MAX);
    let right = Epoch {
        epoch: previous.epoch.saturating_add(1),
        index: judged.last,
        map_root,
        previous: Some(previous.index),
        subjects: previous.subjects.saturating_add(created),
        time: judged.closing.time,
    };
    Ok(judged.closing == right && judged.closing.time > previous.time)
}

fn places(
    auditor: &Auditor,
    previous: &Epoch,
    touched: &Touched,
) -> Result<Vec<SubjectPlace>, EvidenceError> {
    let mut subjects = Vec::with_capacity(touched.before.len());
    for subject in touched.before.keys() {
        let (path, record) = auditor.place(previous, subject)?;
        subjects.push(SubjectPlace {
            path,
            record,
            subject: *subject,
        });
    }
    Ok(subjects)
}

/// The head of the finding's checkpoint, from the log itself when the finding ends earlier.
fn head(auditor: &Auditor, finding: &Finding) -> Result<Head, EvidenceError> {
    let checkpoint = &finding.checkpoint;
    let size = checkpoint.size;
    let no_head = |problem: &str| EvidenceError::NoHead {
        size,
        problem: problem.to_owned(),
    };
    let last = size.0.checked_sub(1).map(LeafIndex);
    let last = last.ok_or_else(|| no_head("it has no leaf"))?;
    let fetched = fetch(&*auditor.source, last.0, size.0)?;
    let leaf = fetched
        .first()
        .ok_or_else(|| no_head("its last leaf is missing"))?;
    let seen = std::slice::from_ref(leaf);
    compare(&*auditor.store, &finding.tiles, checkpoint, last.0, seen)?;
    let Ok(Leaf::Epoch(epoch)) = Leaf::parse(leaf) else {
        return Err(no_head("its last leaf is no epoch leaf"));
    };
    if epoch.index != last {
        return Err(no_head("its last leaf states another index than its own"));
    }
    let path = auditor.inclusion(finding, last)?;
    Ok(head_of(epoch, path, checkpoint, finding.note.clone())?)
}

/// A head from its parts.
pub(super) fn head_of(
    epoch: Epoch,
    path: Vec<Hash>,
    checkpoint: &Checkpoint,
    note: String,
) -> Result<Head, Malformed> {
    let proof = LogProof::new(TlogProof {
        index: epoch.index,
        hashes: path,
        extra: None,
        checkpoint: note,
    })?;
    debug_assert_eq!(proof.checkpoint(), checkpoint);
    Ok(Head { epoch, proof })
}

fn raw_leaf(
    auditor: &Auditor,
    finding: &Finding,
    index: LeafIndex,
    leaf: Vec<u8>,
) -> Result<RawLeaf, StoreError> {
    let path = auditor.inclusion(finding, index)?;
    Ok(RawLeaf { index, leaf, path })
}

fn next(previous: &Epoch) -> LeafIndex {
    LeafIndex(previous.index.0.saturating_add(1))
}

fn within(what: &'static str, actual: usize, limit: usize) -> Result<(), EvidenceError> {
    if actual > limit {
        return Err(EvidenceError::TooLarge {
            what,
            limit,
            actual,
        });
    }
    Ok(())
}

/// The records under an epoch that the auditor replayed.
struct Replayed<'a> {
    auditor: &'a Auditor,
    previous: &'a Epoch,
}

impl View for Replayed<'_> {
    fn record(&self, key: &Hash) -> Result<Option<Arc<Record>>, ViewFault> {
        let placed = self.auditor.place(self.previous, key);
        let (_, record) = placed.map_err(|error| ViewFault(error.to_string()))?;
        Ok(record.map(Arc::new))
    }
}
