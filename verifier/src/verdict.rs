//! The outcome of verifying, and the only values that say a licence may be used.

use zhao_spec::credential::Licence;
use zhao_spec::life::record::{LicenceRecord, State};
use zhao_spec::log::tree::{LeafIndex, TreeSize};
use zhao_spec::wire::write::{ArrayWriter, ObjectWriter, object_bytes};
use zhao_spec::wire::{Hash, UnixMillis, limits};

use crate::reason::Reason;
use crate::report::{Fragment, FragmentName, Report};

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

/// Whether the policy's quorum asks for witnesses. It is met where a verdict tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quorum {
    /// It asks for some, and they cosigned.
    Met,
    /// It asks for none.
    None,
}

impl Quorum {
    /// The word in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::None => "none",
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
    /// From `as_of` to the time of judging, milliseconds; 0 when `as_of` is later.
    pub age: Option<u64>,
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
    /// Thumbprint of the issuing key.
    pub issued_by: Option<Hash>,
    /// Index of `issued`.
    pub issued_index: Option<LeafIndex>,
    /// Verdicts on the items of an answer.
    pub items: Option<Vec<ItemVerdict>>,
    /// Whether the quorum asks for witnesses.
    pub quorum: Option<Quorum>,
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
    /// Writes all, or those of one fragment.
    fn write(&self, out: &mut ObjectWriter<'_>, of: Option<FragmentName>) {
        use FragmentName::{Authority, Integrity, Standing, Witnesses};
        let told = |fragment: FragmentName| of.is_none_or(|of| of == fragment);
        // A number or time beyond what our JSON can say is left out: only a log that signs
        // nonsense has one, and no verdict rests on it.
        let time = |of: FragmentName, time: Option<UnixMillis>| {
            time.filter(|time| told(of) && *time <= UnixMillis::MAX)
        };
        let number = |of: FragmentName, number: Option<u64>| {
            number.filter(|number| told(of) && *number <= limits::INTEGER)
        };
        if let Some(age) = number(Standing, self.age) {
            out.int("age", age);
        }
        if let Some(as_of) = time(Standing, self.as_of) {
            out.time("asOf", as_of);
        }
        if let Some(names) = self.auditors.as_ref().filter(|_| told(Witnesses)) {
            out.array("auditors", |list| texts(list, names));
        }
        if let Some(effective) = time(Standing, self.effective) {
            out.time("effective", effective);
        }
        if let Some(epoch) = number(Standing, self.epoch) {
            out.int("epoch", epoch);
        }
        if let Some(holder) = self.holder.as_ref().filter(|_| told(Integrity)) {
            out.object("holder", |one| {
                one.text("code", &holder.code).text("name", &holder.name);
            });
        }
        if let Some(key) = self.issued_by.as_ref().filter(|_| told(Authority)) {
            out.hash("issuedBy", key);
        }
        if let Some(index) = number(Authority, self.issued_index.map(|index| index.0)) {
            out.int("issuedIndex", index);
        }
        if let Some(items) = self.items.as_ref().filter(|_| of.is_none()) {
            out.array("items", |list| {
                items.iter().for_each(|item| item.write(list))
            });
        }
        if let Some(quorum) = self.quorum.filter(|_| told(Witnesses)) {
            out.text("quorum", quorum.as_str());
        }
        if let Some(quorum_time) = time(Witnesses, self.quorum_time) {
            out.time("quorumTime", quorum_time);
        }
        if let Some(recorded) = time(Standing, self.recorded) {
            out.time("recorded", recorded);
        }
        if let Some(size) = number(Standing, self.size.map(|size| size.0)) {
            out.int("size", size);
        }
        if let Some(state) = self.state.filter(|_| told(Standing)) {
            out.text("state", state.as_str());
        }
        if let Some(subject) = self.subject.as_ref().filter(|_| told(Standing)) {
            out.hash("subject", subject);
        }
        if let Some(code) = self.type_code.as_ref().filter(|_| told(Authority)) {
            out.text("typeCode", code);
        }
        if let Some(unit) = self.unit.as_ref().filter(|_| told(Authority)) {
            out.text("unit", unit);
        }
        if let Some(names) = self.witnesses.as_ref().filter(|_| told(Witnesses)) {
            out.array("witnesses", |list| texts(list, names));
        }
    }
}

impl ItemVerdict {
    fn write(&self, list: &mut ArrayWriter<'_>) {
        list.object(|one| {
            if let Some((_, reasons)) = &self.judged {
                one.array("reasons", |codes| write_codes(codes, reasons));
            }
            one.hash("subject", &self.subject);
            if let Some((status, _)) = &self.judged {
                one.text("verdict", status.as_str());
            }
        });
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
    report: Report,
    reasons: Vec<Reason>,
    assurance: Vec<Assurance>,
    facts: Facts,
    licence: Option<Box<VerifiedLicence>>,
}

impl Verdict {
    pub(crate) fn new(
        report: Report,
        reasons: Vec<Reason>,
        assurance: Vec<Assurance>,
        facts: Facts,
        licence: Option<VerifiedLicence>,
    ) -> Self {
        let usable = report.status().is_usable();
        Self {
            licence: licence.filter(|_| usable).map(Box::new),
            report,
            reasons,
            assurance,
            facts,
        }
    }

    /// The verdict in one word.
    #[must_use]
    pub fn status(&self) -> Status {
        self.report.status()
    }

    /// The same in parts, of which [`Verdict::status`] is made.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
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

    /// Canonical JSON:
    /// `{"assurance":[…],"facts":{…},"fragments":[…],"reasons":[…],"verdict":"…"}`, a fragment
    /// `{"codes":[…],"facts":{…},"name":"…","outcome":"…"}`.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        object_bytes(|out| {
            out.array("assurance", |list| {
                for note in &self.assurance {
                    list.text(note.as_str());
                }
            });
            out.object("facts", |facts| self.facts.write(facts, None));
            out.array("fragments", |list| {
                for fragment in self.report.fragments() {
                    list.object(|one| self.write_fragment(fragment, one));
                }
            });
            out.array("reasons", |list| write_codes(list, &self.reasons));
            out.text("verdict", self.status().as_str());
        })
    }

    fn write_fragment(&self, fragment: &Fragment, one: &mut ObjectWriter<'_>) {
        one.array("codes", |list| {
            for code in fragment.codes() {
                list.text(code);
            }
        });
        one.object("facts", |facts| {
            self.facts.write(facts, Some(fragment.name()))
        });
        one.text("name", fragment.name().as_str());
        one.text("outcome", fragment.outcome().as_str());
    }
}
