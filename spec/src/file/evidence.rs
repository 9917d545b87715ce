//! Evidence: self-contained proof that an operator cheated. Prose: `spec/evidence.md`.

use crate::life::event::Event;
use crate::life::record::Record;
use crate::log::note::SignedNote;
use crate::log::tree::{LeafIndex, TreeSize};
use crate::map::MapPath;
use crate::wire::write::{ArrayWriter, ObjectWriter, object_bytes};
use crate::wire::{Fields, Hash, Malformed, Signature, UnixMillis, Value, limits};

use super::authorities::write_event;
use super::head::Head;
use super::receipt::Receipt;
use super::{document, hashes, placed};

pub(super) const FORMAT: &str = "zhao/v1 evidence";

/// A leaf as its raw bytes, with its place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawLeaf {
    /// Its leaf index.
    pub index: LeafIndex,
    /// The bytes, whatever they are: an operator who cheats may log nonsense.
    pub leaf: Vec<u8>,
    /// Inclusion proof under the head's checkpoint.
    pub path: Vec<Hash>,
}

/// A subject's record under a map root, or the proof that it has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectPlace {
    /// Places the record, or proves that the key is absent.
    pub path: MapPath,
    /// The record.
    pub record: Option<Record>,
    /// The key.
    pub subject: Hash,
}

/// Two heads of one log that contradict each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TwoHeads {
    /// From size(first) to size(second), starting at `root`.
    pub consistency: Vec<Hash>,
    /// The smaller checkpoint.
    pub first: SignedNote,
    /// The root that the second checkpoint implies at the first one's size.
    pub root: Hash,
    /// The larger checkpoint.
    pub second: SignedNote,
}

/// A receipted event that a later head does not show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HiddenEvent {
    /// The later head.
    pub head: Head,
    /// Places the record, or proves that the subject is absent.
    pub path: MapPath,
    /// The receipt of the event.
    pub receipt: Receipt,
    /// What the later head shows.
    pub record: Option<Record>,
}

/// All leaves between two epochs, and what they read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Every leaf after `previous` up to and including the next epoch leaf.
    pub entries: Vec<RawLeaf>,
    /// The head whose checkpoint includes them.
    pub head: Head,
    /// The epoch leaf before them.
    pub previous: RawLeaf,
    /// Every subject they read or write, as it was under the map root of `previous`.
    pub subjects: Vec<SubjectPlace>,
}

/// An auditor's signed word that an event was handed to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handed {
    /// When.
    pub at: UnixMillis,
    /// Name of the auditor, as the policy has it.
    pub auditor: String,
    /// The event.
    pub event: Event,
    /// Over [`Handed::message`], by the auditor's key.
    pub signature: Signature,
    /// Size of the newest head the auditor had cosigned then: it found the event admissible there.
    pub size: TreeSize,
}

/// An event that was handed in and left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotIncluded {
    /// The auditor's word.
    pub handed: Handed,
    /// A head after the bound.
    pub head: Head,
    /// Every subject the event reads or writes, under the head's map root.
    pub subjects: Vec<SubjectPlace>,
}

/// One claim against an operator.
#[expect(
    clippy::large_enum_variant,
    reason = "one is held at a time, and boxes would hide the claims from a pattern"
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// `hidden-event`
    HiddenEvent(HiddenEvent),
    /// `inadmissible-leaf`
    InadmissibleLeaf(Batch),
    /// `not-included`
    NotIncluded(NotIncluded),
    /// `two-heads`
    TwoHeads(TwoHeads),
    /// `wrong-transition`
    WrongTransition(Batch),
}

impl Handed {
    /// The bytes an auditor signs.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        let mut message = b"zhao/v1 handed\n".to_vec();
        message.extend_from_slice(&object_bytes(|out| self.write_statement(out)));
        message
    }

    /// Reads a word that stands alone: what an auditor answers, and keeps.
    ///
    /// # Errors
    /// Not canonical, over a limit, a member missing, unknown or of the wrong shape.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        Self::from_fields(Fields::new(&document(bytes, limits::EVIDENCE_BYTES)?, "")?)
    }

    /// The canonical bytes, without a newline.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        object_bytes(|out| self.write(out, Some(&self.signature)))
    }

    fn write_statement(&self, out: &mut ObjectWriter<'_>) {
        self.write(out, None);
    }

    fn write(&self, out: &mut ObjectWriter<'_>, signature: Option<&Signature>) {
        out.time("at", self.at);
        out.text("auditor", &self.auditor);
        write_event(out, &self.event);
        if let Some(signature) = signature {
            out.text("signature", &signature.to_base64url());
        }
        out.int("size", self.size.0);
    }

    fn from_fields(mut fields: Fields<'_>) -> Result<Self, Malformed> {
        let handed = Self {
            at: fields.time("at")?,
            auditor: fields
                .text_within("auditor", limits::LABEL_BYTES)?
                .to_owned(),
            event: Event::from_value(fields.value("event")?, &fields.path_of("event"))?,
            signature: fields.signature("signature")?,
            size: TreeSize(fields.int("size")?),
        };
        fields.finish()?;
        Ok(handed)
    }
}

impl Evidence {
    /// Reads a piece of evidence.
    ///
    /// # Errors
    /// Not canonical, over a limit, an unknown claim, a member missing, unknown or of the wrong
    /// shape.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        Self::from_value(&document(bytes, limits::EVIDENCE_BYTES)?, "")
    }

    /// The text of `claim`.
    #[must_use]
    pub fn claim(&self) -> &'static str {
        match self {
            Self::HiddenEvent(_) => "hidden-event",
            Self::InadmissibleLeaf(_) => "inadmissible-leaf",
            Self::NotIncluded(_) => "not-included",
            Self::TwoHeads(_) => "two-heads",
            Self::WrongTransition(_) => "wrong-transition",
        }
    }

    pub(super) fn from_value(value: &Value, path: &str) -> Result<Self, Malformed> {
        let mut fields = Fields::new(value, path)?;
        fields.literal("format", FORMAT)?;
        let evidence = match fields.text("claim")? {
            "hidden-event" => Self::HiddenEvent(hidden_event(&mut fields)?),
            "inadmissible-leaf" => Self::InadmissibleLeaf(batch(&mut fields)?),
            "not-included" => Self::NotIncluded(not_included(&mut fields)?),
            "two-heads" => Self::TwoHeads(two_heads(&mut fields)?),
            "wrong-transition" => Self::WrongTransition(batch(&mut fields)?),
            other => {
                return Err(Malformed::value(
                    fields.path_of("claim"),
                    "a known claim",
                    other,
                ));
            }
        };
        fields.finish()?;
        Ok(evidence)
    }

    /// The canonical bytes, without a newline.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        object_bytes(|out| {
            out.text("claim", self.claim());
            match self {
                Self::HiddenEvent(own) => {
                    out.text("format", FORMAT);
                    own.head.write(out);
                    placed::write_path(out, &own.path);
                    out.raw("receipt", &own.receipt.bytes());
                    if let Some(record) = &own.record {
                        placed::write_record(out, record);
                    }
                }
                Self::InadmissibleLeaf(own) | Self::WrongTransition(own) => {
                    out.array("entries", |list| {
                        for entry in &own.entries {
                            list.object(|one| write_raw_leaf(one, entry));
                        }
                    });
                    out.text("format", FORMAT);
                    own.head.write(out);
                    out.object("previous", |one| write_raw_leaf(one, &own.previous));
                    out.array("subjects", |list| write_subjects(list, &own.subjects));
                }
                Self::NotIncluded(own) => {
                    out.text("format", FORMAT);
                    out.object("handed", |one| {
                        own.handed.write(one, Some(&own.handed.signature));
                    });
                    own.head.write(out);
                    out.array("subjects", |list| write_subjects(list, &own.subjects));
                }
                Self::TwoHeads(own) => {
                    out.array("consistency", |list| write_hashes(list, &own.consistency));
                    out.text("first", &own.first.format());
                    out.text("format", FORMAT);
                    out.hash("root", &own.root);
                    out.text("second", &own.second.format());
                }
            }
        })
    }
}

fn two_heads(fields: &mut Fields<'_>) -> Result<TwoHeads, Malformed> {
    Ok(TwoHeads {
        consistency: hashes(fields, "consistency")?,
        first: note(fields, "first")?,
        root: fields.hash("root")?,
        second: note(fields, "second")?,
    })
}

fn hidden_event(fields: &mut Fields<'_>) -> Result<HiddenEvent, Malformed> {
    Ok(HiddenEvent {
        head: Head::from_fields(fields)?,
        path: placed::path(fields)?,
        receipt: Receipt::from_value(fields.value("receipt")?, &fields.path_of("receipt"))?,
        record: placed::optional_record(fields)?,
    })
}

fn batch(fields: &mut Fields<'_>) -> Result<Batch, Malformed> {
    // One leaf more than events: the epoch leaf that closes the batch.
    let most = limits::BATCH_EVENTS.saturating_add(1);
    Ok(Batch {
        entries: fields.items("entries", most, |value, path| {
            raw_leaf(Fields::new(value, path)?)
        })?,
        head: Head::from_fields(fields)?,
        previous: raw_leaf(fields.object("previous")?)?,
        subjects: subjects(fields)?,
    })
}

fn not_included(fields: &mut Fields<'_>) -> Result<NotIncluded, Malformed> {
    Ok(NotIncluded {
        handed: Handed::from_fields(fields.object("handed")?)?,
        head: Head::from_fields(fields)?,
        subjects: subjects(fields)?,
    })
}

fn note(fields: &mut Fields<'_>, name: &str) -> Result<SignedNote, Malformed> {
    let text = fields.text_within(name, limits::NOTE_BYTES)?;
    SignedNote::parse(text)
        .map_err(|error| Malformed::value(fields.path_of(name), "a signed note", error.code()))
}

fn raw_leaf(mut fields: Fields<'_>) -> Result<RawLeaf, Malformed> {
    let leaf = RawLeaf {
        index: LeafIndex(fields.int("index")?),
        leaf: fields.bytes("leaf", limits::LEAF_BYTES)?,
        path: hashes(&mut fields, "path")?,
    };
    fields.finish()?;
    Ok(leaf)
}

/// The member `subjects`, strictly ascending by key.
fn subjects(fields: &mut Fields<'_>) -> Result<Vec<SubjectPlace>, Malformed> {
    let subjects = fields.items("subjects", limits::ARRAY_ITEMS, |value, path| {
        let mut one = Fields::new(value, path)?;
        let place = SubjectPlace {
            path: placed::path(&mut one)?,
            record: placed::optional_record(&mut one)?,
            subject: one.hash("subject")?,
        };
        one.finish()?;
        Ok(place)
    })?;
    let ordered = subjects
        .iter()
        .zip(subjects.iter().skip(1))
        .all(|(a, b)| a.subject < b.subject);
    if !ordered {
        let path = fields.path_of("subjects");
        return Err(Malformed::value(
            path,
            "strictly ascending by key",
            "out of order",
        ));
    }
    Ok(subjects)
}

fn write_hashes(out: &mut ArrayWriter<'_>, hashes: &[Hash]) {
    for hash in hashes {
        out.hash(hash);
    }
}

fn write_raw_leaf(out: &mut ObjectWriter<'_>, leaf: &RawLeaf) {
    out.int("index", leaf.index.0);
    out.bytes("leaf", &leaf.leaf);
    out.array("path", |list| write_hashes(list, &leaf.path));
}

fn write_subjects(out: &mut ArrayWriter<'_>, subjects: &[SubjectPlace]) {
    for place in subjects {
        out.object(|one| {
            placed::write_path(one, &place.path);
            if let Some(record) = &place.record {
                placed::write_record(one, record);
            }
            one.hash("subject", &place.subject);
        });
    }
}
