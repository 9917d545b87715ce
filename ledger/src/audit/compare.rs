//! What others hold, compared with the log as it is known here.
//!
//! A log may tell different people different things. So whatever somebody was given (an old
//! checkpoint, a receipt, a dossier) is laid beside the newest head: it agrees, it cannot be judged
//! (and why), or it is evidence. Prose: `spec/evidence.md`.

use std::sync::Arc;

use zhao_spec::file::{
    AnyFile, Evidence, Handed, Head, HiddenEvent, NotIncluded, Receipt, SubjectPlace,
};
use zhao_spec::life::apply::{ApplyError, View, ViewFault, apply};
use zhao_spec::life::event::VerifiedEvent;
use zhao_spec::life::leaf::Epoch;
use zhao_spec::life::record::Record;
use zhao_spec::log::LogKeys;
use zhao_spec::log::note::SignedNote;
use zhao_spec::log::tree::{
    LeafIndex, NodeReader, ProveError, TreeError, TreeSize, check_inclusion, prove_inclusion, root,
};
use zhao_spec::map::MapPath;
use zhao_spec::wire::{Hash, Malformed, PublicKey, SecretKey, Signature, UnixMillis};

use super::Auditor;
pub use super::evidence::{CompareError, NotJudged, Seen};
use super::evidence::{SignedHead, head_of, two_heads};
use crate::overlay::Overlay;
use crate::sequence::recover::epoch_at;
use crate::store::layout::{EventIds, Heads};
use crate::store::{self, StoreError};
use crate::tree::StoredTree;

/// The map under the newest head, and which events the log has.
pub trait Standing {
    /// A subject's record, with the path that proves it (or that it has none).
    ///
    /// # Errors
    /// The store.
    fn place(&self, key: &Hash) -> Result<(MapPath, Option<Record>), StoreError>;

    /// Where the event with this id is, if the log has it.
    ///
    /// # Errors
    /// The store.
    fn find(&self, event_id: &Hash) -> Result<Option<LeafIndex>, StoreError>;
}

/// A log as it is known here, under the newest signed head.
pub struct Known<'a, R> {
    log: &'a LogKeys,
    newest: SignedHead,
    head: Head,
    tree: R,
    standing: Option<Box<dyn Standing + 'a>>,
}

impl<R> std::fmt::Debug for Known<'_, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known")
            .field("newest", &self.newest.checkpoint)
            .field("map", &self.standing.is_some())
            .finish_non_exhaustive()
    }
}

fn in_words<E: std::fmt::Display>(error: ProveError<E>) -> CompareError {
    CompareError::Tree(error.to_string())
}

impl<'a, R> Known<'a, R>
where
    R: NodeReader,
    R::Error: std::fmt::Display,
{
    /// The log `log` under the head `note`, whose last leaf is `epoch`. Without `standing` only
    /// heads can be compared.
    ///
    /// # Errors
    /// The note is not of the log; the tree does not have its root; the tree cannot be read.
    pub fn new(
        log: &'a LogKeys,
        note: &str,
        epoch: Epoch,
        tree: R,
        standing: Option<Box<dyn Standing + 'a>>,
    ) -> Result<Self, CompareError> {
        let newest = SignedHead::open(note, log)?;
        let checkpoint = &newest.checkpoint;
        let (size, expected) = (checkpoint.size, checkpoint.root);
        let actual = root(size, &tree).map_err(in_words)?;
        if actual != expected {
            return Err(CompareError::Root {
                size,
                expected,
                actual,
            });
        }
        let wrong = CompareError::Epoch {
            size,
            index: epoch.index,
        };
        if size.0.checked_sub(1) != Some(epoch.index.0) {
            return Err(wrong);
        }
        let path = prove_inclusion(epoch.index, size, &tree).map_err(in_words)?;
        check_inclusion(epoch.index, size, &epoch.leaf_hash(), &path, &expected)
            .map_err(|_| wrong)?;
        let head = head_of(epoch, path, checkpoint, note.to_owned())?;
        Ok(Self {
            log,
            newest,
            head,
            tree,
            standing,
        })
    }

    /// The newest head.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Compares whatever somebody holds: a signed checkpoint, or a file of any format.
    ///
    /// # Errors
    /// See [`CompareError`]; what is wrong with `seen` itself is [`Seen::NotJudged`].
    pub fn compare(&self, seen: &[u8]) -> Result<Seen, CompareError> {
        if seen.first() == Some(&b'{') {
            return match AnyFile::parse(seen) {
                Ok(file) => self.file(&file),
                Err(error) => Ok(Seen::NotJudged(NotJudged::Malformed(error))),
            };
        }
        match std::str::from_utf8(seen) {
            Ok(text) => self.note(text),
            Err(_) => {
                let error = Malformed::value("", "UTF-8", "other bytes");
                Ok(Seen::NotJudged(NotJudged::Malformed(error)))
            }
        }
    }

    /// Compares a signed checkpoint.
    ///
    /// # Errors
    /// The tree cannot be read.
    pub fn note(&self, note: &str) -> Result<Seen, CompareError> {
        let seen = match SignedHead::open(note, self.log) {
            Ok(seen) => seen,
            Err(error) => return Ok(Seen::NotJudged(NotJudged::Head(error))),
        };
        let (theirs, ours) = (seen.checkpoint.size, self.newest.checkpoint.size);
        if theirs > ours {
            return Ok(Seen::NotJudged(NotJudged::Newer { theirs, ours }));
        }
        let evidence = two_heads(&seen, &self.newest, &self.tree).map_err(in_words)?;
        Ok(evidence.map_or(Seen::Agrees, |evidence| Seen::Evidence(vec![evidence])))
    }

    /// Compares a file: every head in it, and the event of a receipt.
    ///
    /// # Errors
    /// See [`CompareError`].
    pub fn file(&self, file: &AnyFile) -> Result<Seen, CompareError> {
        match file {
            AnyFile::Answer(file) => self.heads(&[file.head.proof.note()]),
            AnyFile::Dossier(file) => self.heads(&[file.head.proof.note()]),
            AnyFile::History(file) => self.heads(&[file.head.proof.note()]),
            AnyFile::IssuerPack(file) => self.heads(&[file.head.proof.note()]),
            AnyFile::Receipt(file) => self.receipt(file),
            AnyFile::Evidence(file) => match &**file {
                Evidence::HiddenEvent(own) => {
                    let head = self.heads(&[own.head.proof.note()])?;
                    Ok(Seen::worst(vec![self.receipt(&own.receipt)?, head]))
                }
                Evidence::InadmissibleLeaf(own) | Evidence::WrongTransition(own) => {
                    self.heads(&[own.head.proof.note()])
                }
                Evidence::NotIncluded(own) => self.heads(&[own.head.proof.note()]),
                Evidence::TwoHeads(own) => self.heads(&[&own.first, &own.second]),
            },
        }
    }

    fn heads(&self, notes: &[&SignedNote]) -> Result<Seen, CompareError> {
        let mut all = Vec::with_capacity(notes.len());
        for note in notes {
            all.push(self.note(&note.format())?);
        }
        Ok(Seen::worst(all))
    }

    /// Compares a receipt: its head, and whether the subject's record still shows its event. An
    /// event that is not at its index means another root, so the heads tell.
    ///
    /// # Errors
    /// See [`CompareError`].
    pub fn receipt(&self, receipt: &Receipt) -> Result<Seen, CompareError> {
        if let Err(why) = sound(receipt, self.log) {
            return Ok(Seen::NotJudged(NotJudged::Unsound(why)));
        }
        let heads = self.heads(&[receipt.head.proof.note()])?;
        Ok(Seen::worst(vec![self.hidden(receipt)?, heads]))
    }

    fn hidden(&self, receipt: &Receipt) -> Result<Seen, CompareError> {
        let Some(standing) = &self.standing else {
            return Ok(Seen::NotJudged(NotJudged::NoMap));
        };
        let ours = self.newest.checkpoint.size;
        if receipt.index.0 >= ours.0 {
            let theirs = receipt.head.checkpoint().size;
            return Ok(Seen::NotJudged(NotJudged::Newer { theirs, ours }));
        }
        let (path, record) = standing.place(&receipt.event.subject)?;
        let shown = record.as_ref().map(|record| record.chain_end());
        let shows = match shown {
            None => false,
            Some(end) => end.is_some_and(|(seq, _)| seq >= receipt.event.seq),
        };
        if shows {
            return Ok(Seen::Agrees);
        }
        let evidence = Evidence::HiddenEvent(HiddenEvent {
            head: self.head.clone(),
            path,
            receipt: receipt.clone(),
            record,
        });
        Ok(Seen::Evidence(vec![evidence]))
    }

    /// Whether the event would be admitted after the newest head, as of `at`: an auditor signs for
    /// no other event.
    ///
    /// # Errors
    /// See [`CompareError`]; a refusal is the inner result.
    pub fn admits(
        &self,
        event: &VerifiedEvent,
        at: UnixMillis,
    ) -> Result<Result<(), NotJudged>, CompareError> {
        Ok(self.next_event(event, at)?.map(|_| ()))
    }

    /// Whether the log left out an event that was handed to an auditor, whose key is `by`, for
    /// longer than `bound` milliseconds.
    ///
    /// # Errors
    /// See [`CompareError`].
    pub fn handed(
        &self,
        handed: &Handed,
        by: &PublicKey,
        bound: u64,
    ) -> Result<Seen, CompareError> {
        if by.verify(&handed.message(), &handed.signature).is_err() {
            return Ok(Seen::NotJudged(NotJudged::NotHanded));
        }
        let event = match handed.event.clone().verify_signatures() {
            Ok(event) => event,
            Err(refusal) => return Ok(Seen::NotJudged(NotJudged::Refused(refusal))),
        };
        let Some(standing) = &self.standing else {
            return Ok(Seen::NotJudged(NotJudged::NoMap));
        };
        let found = standing.find(&event.id())?;
        if found.is_some_and(|index| index.0 < self.newest.checkpoint.size.0) {
            return Ok(Seen::Agrees);
        }
        let until = UnixMillis(handed.at.0.saturating_add(bound));
        let now = self.head.epoch.time;
        if now <= until {
            return Ok(Seen::NotJudged(NotJudged::BoundNotOver { until, now }));
        }
        // As of the time it was handed in: being late is the log's fault.
        let subjects = match self.next_event(&event, handed.at)? {
            Err(why) => return Ok(Seen::NotJudged(why)),
            Ok(subjects) => subjects,
        };
        let changed = subjects
            .iter()
            .find(|place| decided_after(place, handed.size));
        if let Some(changed) = changed {
            let (subject, since) = (changed.subject, handed.at);
            return Ok(Seen::NotJudged(NotJudged::Changed { subject, since }));
        }
        let evidence = Evidence::NotIncluded(NotIncluded {
            handed: handed.clone(),
            head: self.head.clone(),
            subjects,
        });
        Ok(Seen::Evidence(vec![evidence]))
    }

    /// Every subject that the event reads or writes, if it is the admissible next one.
    fn next_event(
        &self,
        event: &VerifiedEvent,
        at: UnixMillis,
    ) -> Result<Result<Vec<SubjectPlace>, NotJudged>, CompareError> {
        let Some(standing) = &self.standing else {
            return Ok(Err(NotJudged::NoMap));
        };
        let view = Records(&**standing);
        let mut overlay = Overlay::new(&view);
        let next = LeafIndex(self.newest.checkpoint.size.0);
        match apply(&overlay, event, next, at) {
            Ok(writes) => overlay.take(writes)?,
            Err(ApplyError::Refused(refusal)) => return Ok(Err(NotJudged::Refused(refusal))),
            Err(ApplyError::View(fault)) => return Err(fault.into()),
        }
        let mut subjects = Vec::new();
        for subject in overlay.finish().before.keys() {
            let (path, record) = standing.place(subject)?;
            subjects.push(SubjectPlace {
                path,
                record,
                subject: *subject,
            });
        }
        Ok(Ok(subjects))
    }
}

/// Whether this record was changed after the auditor's word: then the log may have refused the
/// event rightly in between. A unit that was suspended and is active again leaves no other trace. A
/// holder's index counts licences and decides nothing.
fn decided_after(place: &SubjectPlace, size: TreeSize) -> bool {
    match &place.record {
        None | Some(Record::Enterprise(_)) => false,
        Some(record) => record.index().0 >= size.0,
    }
}

/// What a receipt must be so that it binds the log.
fn sound(receipt: &Receipt, log: &LogKeys) -> Result<(), String> {
    let head = &receipt.head;
    let checkpoint = head.checkpoint();
    SignedHead::open(&head.proof.note().format(), log).map_err(|error| error.to_string())?;
    let demand = |holds: bool, otherwise: &str| {
        if holds {
            Ok(())
        } else {
            Err(otherwise.to_owned())
        }
    };
    demand(
        receipt.proof.note() == head.proof.note(),
        "event and epoch are under different checkpoints",
    )?;
    demand(
        receipt.event.origin == checkpoint.origin,
        "the event is of another log",
    )?;
    let last = checkpoint.size.0.checked_sub(1).map(LeafIndex);
    demand(
        last == Some(head.epoch.index) && head.proof.index() == head.epoch.index,
        "the epoch leaf is not the last leaf",
    )?;
    demand(
        receipt.index < head.epoch.index,
        "the event is not below the epoch leaf",
    )?;
    let included = |index: LeafIndex, leaf: &Hash, path: &[Hash]| {
        check_inclusion(index, checkpoint.size, leaf, path, &checkpoint.root)
            .map_err(|error: TreeError| format!("leaf {index}: {error}"))
    };
    included(head.epoch.index, &head.epoch.leaf_hash(), head.proof.path())?;
    included(
        receipt.index,
        &receipt.event.leaf_hash(),
        receipt.proof.path(),
    )
}

/// An auditor's word that it was handed this event at `at`. `name` is the auditor's name in trust
/// files, `secret` its cosigning key. Whether the event is admissible, [`Known::admits`] says.
#[must_use]
pub fn hand_in(
    event: &VerifiedEvent,
    at: UnixMillis,
    size: TreeSize,
    name: &str,
    secret: &SecretKey,
) -> Handed {
    let mut handed = Handed {
        at,
        auditor: name.to_owned(),
        event: (**event).clone(),
        // The message leaves the signature out, so what stands here until it is made is not signed.
        signature: Signature([0; Signature::BYTES]),
        size,
    };
    handed.signature = secret.sign(&handed.message());
    handed
}

impl Auditor {
    /// The log as this auditor replayed it, under the head it cosigned last; nothing for none.
    ///
    /// # Errors
    /// The auditor's store.
    pub fn known(&self) -> Result<Option<Known<'_, StoredTree<'_>>>, CompareError> {
        let Some(note) = self.latest()? else {
            return Ok(None);
        };
        let newest = SignedHead::open(&note, &self.log)?;
        let size = newest.checkpoint.size;
        let last = LeafIndex(size.0.saturating_sub(1));
        let epoch = epoch_at(&*self.store, last)?;
        let standing = Box::new(AtEpoch {
            auditor: self,
            epoch: epoch.clone(),
        });
        let tree = StoredTree::new(&*self.store);
        Known::new(&self.log, &note, epoch, tree, Some(standing)).map(Some)
    }

    /// This auditor's word that it was handed an event: [`hand_in`] with its own key, at the size
    /// of the last head it cosigned; nothing for none. More may have been replayed since, but
    /// nobody has signed for that.
    ///
    /// # Errors
    /// The auditor's store.
    pub fn hand_in(
        &self,
        event: &VerifiedEvent,
        at: UnixMillis,
        name: &str,
    ) -> Result<Handed, StoreError> {
        let last = store::last::<Heads>(&*self.store)?;
        let size = TreeSize(last.map_or(0, |(size, _)| size));
        Ok(hand_in(event, at, size, name, &self.secret))
    }
}

/// The auditor's records under one epoch.
struct AtEpoch<'a> {
    auditor: &'a Auditor,
    epoch: Epoch,
}

impl Standing for AtEpoch<'_> {
    fn place(&self, key: &Hash) -> Result<(MapPath, Option<Record>), StoreError> {
        self.auditor.place(&self.epoch, key)
    }

    fn find(&self, event_id: &Hash) -> Result<Option<LeafIndex>, StoreError> {
        store::read::<EventIds>(&*self.auditor.store, event_id)
    }
}

/// A [`Standing`] as what `apply` looks at.
struct Records<'a>(&'a dyn Standing);

impl View for Records<'_> {
    fn record(&self, key: &Hash) -> Result<Option<Arc<Record>>, ViewFault> {
        let placed = self.0.place(key);
        let (_, record) = placed.map_err(|error| ViewFault(error.to_string()))?;
        Ok(record.map(Arc::new))
    }
}
