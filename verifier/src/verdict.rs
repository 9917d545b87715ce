//! The outcome of verifying, and the only values that say a licence may be used.

use zhao_spec::credential::Licence;
use zhao_spec::life::record::LicenceRecord;
use zhao_spec::wire::UnixMillis;
use zhao_spec::wire::write::{ObjectWriter, object_bytes};

use crate::facts::{Facts, write_codes};
use crate::reason::Reason;
use crate::report::{Fragment, Report};

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
            self.facts.write(facts, Some(fragment.name()));
        });
        one.text("name", fragment.name().as_str());
        one.text("outcome", fragment.outcome().as_str());
    }
}
