//! The outcome of verifying, and the only values that say a licence may be used.

use zhao_spec::credential::Licence;
use zhao_spec::life::record::{LicenceRecord, State};
use zhao_spec::log::tree::TreeSize;
use zhao_spec::wire::write::{ArrayWriter, ObjectWriter, object_bytes};
use zhao_spec::wire::{Hash, UnixMillis, limits};

use crate::reason::Reason;

/// What a verdict says, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// There is not enough evidence, or it is too old: neither valid nor invalid.
    Undetermined,
    /// Authentic and in force.
    Valid,
    /// Authentic and in force, with something the reader must be told.
    ValidWithNotice,
    /// Authentic, and not to be used now.
    NotUsable,
    /// Not authentic, or at an end.
    Invalid,
}

impl Status {
    /// The word in vectors and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Undetermined => "undetermined",
            Self::Valid => "valid",
            Self::ValidWithNotice => "valid_with_notice",
            Self::NotUsable => "not_usable",
            Self::Invalid => "invalid",
        }
    }

    /// Whether what was verified may be used.
    #[must_use]
    pub fn is_usable(self) -> bool {
        matches!(self, Self::Valid | Self::ValidWithNotice)
    }
}

/// How independent the vouching parties are. Never changes a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Assurance {
    /// `quorum none`: nobody was asked whether others see the same log.
    NoWitness,
    /// Without the operator's own witnesses there is no quorum.
    WitnessesLocal,
    /// `auditors none`: nobody recomputed the map.
    NoAuditor,
    /// Without the operator's own auditors there are too few.
    AuditorsLocal,
}

impl Assurance {
    /// The code in vectors and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoWitness => "no_witness",
            Self::WitnessesLocal => "witnesses_local",
            Self::NoAuditor => "no_auditor",
            Self::AuditorsLocal => "auditors_local",
        }
    }
}

/// Whose licence it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The holder's number.
    pub code: String,
    /// The holder's name.
    pub name: String,
}

/// The verdict on one item of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemVerdict {
    /// Subject key of the licence.
    pub subject: Hash,
    /// The verdict; none for an item without a credential.
    pub judged: Option<(Status, Vec<Reason>)>,
}

/// What was established. A member is there once the step that proves it has passed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Facts {
    /// Time of the epoch: everything is as of then.
    pub as_of: Option<UnixMillis>,
    /// Auditors counted, by their names in the trust file.
    pub auditors: Option<Vec<String>>,
    /// When the licence's state took legal effect.
    pub effective: Option<UnixMillis>,
    /// Epoch number.
    pub epoch: Option<u64>,
    /// The holder.
    pub holder: Option<Holder>,
    /// Verdicts on the items of an answer.
    pub items: Option<Vec<ItemVerdict>>,
    /// T: the time for which the quorum vouches.
    pub quorum_time: Option<UnixMillis>,
    /// When the licence's state was recorded.
    pub recorded: Option<UnixMillis>,
    /// Number of leaves in the log.
    pub size: Option<TreeSize>,
    /// The licence's state.
    pub state: Option<State>,
    /// The licence's subject key.
    pub subject: Option<Hash>,
    /// Licence type code.
    pub type_code: Option<String>,
    /// USCC of the issuing unit.
    pub unit: Option<String>,
    /// Witnesses counted, by their names in the policy.
    pub witnesses: Option<Vec<String>>,
}

impl Facts {
    fn write(&self, out: &mut ObjectWriter<'_>) {
        // A number or time beyond what our JSON can say is left out: only a log that signs
        // nonsense has one, and no verdict rests on it.
        let time = |time: Option<UnixMillis>| time.filter(|time| *time <= UnixMillis::MAX);
        let number = |number: Option<u64>| number.filter(|number| *number <= limits::INTEGER);
        if let Some(as_of) = time(self.as_of) {
            out.time("asOf", as_of);
        }
        if let Some(names) = &self.auditors {
            out.array("auditors", |list| texts(list, names));
        }
        if let Some(effective) = time(self.effective) {
            out.time("effective", effective);
        }
        if let Some(epoch) = number(self.epoch) {
            out.int("epoch", epoch);
        }
        if let Some(holder) = &self.holder {
            out.object("holder", |one| {
                one.text("code", &holder.code).text("name", &holder.name);
            });
        }
        if let Some(items) = &self.items {
            out.array("items", |list| {
                for item in items {
                    list.object(|one| {
                        if let Some((_, reasons)) = &item.judged {
                            one.array("reasons", |codes| write_codes(codes, reasons));
                        }
                        one.hash("subject", &item.subject);
                        if let Some((status, _)) = &item.judged {
                            one.text("verdict", status.as_str());
                        }
                    });
                }
            });
        }
        if let Some(quorum_time) = time(self.quorum_time) {
            out.time("quorumTime", quorum_time);
        }
        if let Some(recorded) = time(self.recorded) {
            out.time("recorded", recorded);
        }
        if let Some(size) = number(self.size.map(|size| size.0)) {
            out.int("size", size);
        }
        if let Some(state) = self.state {
            out.text("state", state.as_str());
        }
        if let Some(subject) = &self.subject {
            out.hash("subject", subject);
        }
        if let Some(code) = &self.type_code {
            out.text("typeCode", code);
        }
        if let Some(unit) = &self.unit {
            out.text("unit", unit);
        }
        if let Some(names) = &self.witnesses {
            out.array("witnesses", |list| texts(list, names));
        }
    }
}

fn texts(list: &mut ArrayWriter<'_>, names: &[String]) {
    for name in names {
        list.text(name);
    }
}

fn write_codes(list: &mut ArrayWriter<'_>, reasons: &[Reason]) {
    for reason in reasons {
        list.text(reason.code());
    }
}

/// A licence that was verified and found usable. Only this crate can make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedLicence {
    licence: Licence,
    record: LicenceRecord,
    as_of: UnixMillis,
}

impl VerifiedLicence {
    /// For `licence::judge` alone, after step 10.
    pub(crate) fn new(licence: Licence, record: LicenceRecord, as_of: UnixMillis) -> Self {
        Self {
            licence,
            record,
            as_of,
        }
    }

    /// The credential.
    #[must_use]
    pub fn licence(&self) -> &Licence {
        &self.licence
    }

    /// Its standing.
    #[must_use]
    pub fn record(&self) -> &LicenceRecord {
        &self.record
    }

    /// As of when it has that standing.
    #[must_use]
    pub fn as_of(&self) -> UnixMillis {
        self.as_of
    }
}

/// The outcome of verifying one file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Verdict {
    status: Status,
    reasons: Vec<Reason>,
    assurance: Vec<Assurance>,
    facts: Facts,
    licence: Option<Box<VerifiedLicence>>,
}

impl Verdict {
    pub(crate) fn new(
        status: Status,
        reasons: Vec<Reason>,
        assurance: Vec<Assurance>,
        facts: Facts,
        licence: Option<VerifiedLicence>,
    ) -> Self {
        let licence = licence.filter(|_| status.is_usable()).map(Box::new);
        Self {
            status,
            reasons,
            assurance,
            facts,
            licence,
        }
    }

    /// The verdict in one word.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// Why, in the order of `spec/verify.md`.
    #[must_use]
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }

    /// How independent the vouching parties are.
    #[must_use]
    pub fn assurance(&self) -> &[Assurance] {
        &self.assurance
    }

    /// What was established.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The licence, if the file was a dossier and the verdict is valid or valid with notice.
    #[must_use]
    pub fn licence(&self) -> Option<&VerifiedLicence> {
        self.licence.as_deref()
    }

    /// As [`Verdict::licence`], by value.
    #[must_use]
    pub fn into_licence(self) -> Option<VerifiedLicence> {
        self.licence.map(|licence| *licence)
    }

    /// Canonical JSON: `{"assurance":[…],"facts":{…},"reasons":[…],"verdict":"…"}`.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        object_bytes(|out| {
            out.array("assurance", |list| {
                for note in &self.assurance {
                    list.text(note.as_str());
                }
            });
            out.object("facts", |facts| self.facts.write(facts));
            out.array("reasons", |list| write_codes(list, &self.reasons));
            out.text("verdict", self.status.as_str());
        })
    }
}
