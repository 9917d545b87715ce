//! What was found of somebody's credential, fragment by fragment. Prose: `spec/report.md`.
//!
//! One boolean would hide what is unknown. Each question has its own answer (pass, fail, or
//! undetermined) with the codes of its reasons; what nobody could look at is undetermined, never
//! passed. Nothing is fetched: what is needed besides the credential is at hand or it is not.

use std::collections::BTreeMap;

use zhao_spec::wire::foreign::Foreign;
use zhao_spec::wire::{UnixMillis, clip};

use crate::context::Contexts;
use crate::did::Methods;
use crate::model::{self, Credential, Validity};
use crate::proof::{self, Expect, Suite};
use crate::rdf;
use crate::schema::{self, Conformity, Schemas};
use crate::status::{Entry, ListCredential, Wanted, check};

mod shown;
#[cfg(test)]
mod tests;

pub use shown::shown;

/// Purposes whose value, when it is not 0, forbids relying on the credential.
const FORBIDDING: [&str; 2] = ["revocation", "suspension"];

/// Why three questions are not asked of what is no credential.
const UNREAD: &str = "the document is no credential";

/// What a fragment is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FragmentName {
    /// Is it as its signer signed it?
    Integrity,
    /// Did its issuer sign it, and is that issuer known?
    Authority,
    /// Does the time of judging lie in its validity?
    Validity,
    /// Do the status lists at hand say that something is the matter?
    Standing,
    /// Is it shaped as the data model, its contexts and its schemas ask?
    Schema,
}

impl FragmentName {
    /// Every one, in the order of a report.
    pub const ALL: [Self; 5] = [
        Self::Integrity,
        Self::Authority,
        Self::Validity,
        Self::Standing,
        Self::Schema,
    ];

    /// The name in JSON, as in verdicts of licences.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Integrity => "integrity",
            Self::Authority => "authority",
            Self::Validity => "validity",
            Self::Standing => "standing",
            Self::Schema => "schema",
        }
    }
}

/// The answer of a fragment; ordered from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Nothing speaks against it. With reasons: something to be told.
    Pass,
    /// Something needed was not at hand, or could not be looked at.
    Undetermined,
    /// Something speaks against it.
    Fail,
}

impl Outcome {
    /// Every one, from the best to the worst.
    pub const ALL: [Self; 3] = [Self::Pass, Self::Undetermined, Self::Fail];

    /// The word in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Undetermined => "undetermined",
            Self::Fail => "fail",
        }
    }
}

/// Why an answer is what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Stable code: of this page, or of the check that failed.
    pub code: &'static str,
    /// The same in words, with what it is about; attacker's text is clipped.
    pub detail: String,
}

/// One question and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// What it is about.
    pub name: FragmentName,
    /// The answer.
    pub outcome: Outcome,
    /// Why; empty where nothing is to be said.
    pub reasons: Vec<Reason>,
}

/// All fragments, in the order of [`FragmentName`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    fragments: Vec<Fragment>,
}

impl Report {
    /// One answer for each of [`FragmentName::ALL`], in that order.
    fn of(answers: [Answer; 5]) -> Self {
        let fragments = FragmentName::ALL.into_iter().zip(answers);
        let fragments = fragments.map(|(name, answer)| Fragment {
            name,
            outcome: answer.0,
            reasons: answer.1,
        });
        Self {
            fragments: fragments.collect(),
        }
    }

    /// The fragments.
    #[must_use]
    pub fn fragments(&self) -> &[Fragment] {
        &self.fragments
    }

    /// The worst answer: pass only if every fragment passes.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let outcomes = self.fragments.iter().map(|fragment| fragment.outcome);
        outcomes.max().unwrap_or(Outcome::Undetermined)
    }

    /// The codes of one fragment.
    #[must_use]
    pub fn codes(&self, name: FragmentName) -> Vec<&'static str> {
        let fragments = self.fragments.iter();
        fragments
            .filter(|fragment| fragment.name == name)
            .flat_map(|fragment| fragment.reasons.iter().map(|reason| reason.code))
            .collect()
    }
}

/// What is at hand besides the credential.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// Contexts by URL.
    pub contexts: &'a Contexts,
    /// Keys by DID URL.
    pub methods: &'a dyn Methods,
    /// JSON Schemas by URL.
    pub schemas: &'a dyn Schemas,
    /// Credentials of status lists by URL, as they came: their proofs are checked here.
    pub lists: &'a BTreeMap<String, Foreign>,
    /// Issuers that the reader trusts for this, by their identifiers; nobody's authority is known
    /// without.
    pub issuers: &'a [&'a str],
    /// The suites that are accepted.
    pub suites: &'a [Suite],
}

/// What some securing mechanism found: whose keys secured the document, or why it does not hold.
pub type Secured = Result<Vec<String>, Reason>;

/// Judges a credential with proofs of its own (Data Integrity).
#[must_use]
pub fn credential(document: &Foreign, known: &Known<'_>, at: UnixMillis) -> Report {
    judge(document, proofs(document, known, at), known, at)
}

/// Judges a credential that was secured otherwise (JOSE, COSE): `secured` says by whom.
#[must_use]
pub fn judge(document: &Foreign, secured: Secured, known: &Known<'_>, at: UnixMillis) -> Report {
    let shape = model::credential(document);
    let integrity = match &secured {
        Ok(_) => Answer::pass(),
        Err(reason) => Answer::fail(reason.clone()),
    };
    let (authority, validity, standing, form) = match &shape {
        Ok(credential) => (
            authority(credential, secured.as_ref().ok(), known),
            validity(credential, at),
            standing(credential, known, at),
            form(credential, known),
        ),
        Err(error) => (
            Answer::unseen(UNREAD),
            Answer::unseen(UNREAD),
            Answer::unseen(UNREAD),
            Answer::fail(reason(error.code(), error)),
        ),
    };
    Report::of([integrity, authority, validity, standing, form])
}

/// What is reported of a secured message that could not be opened: there is no document to look at.
///
/// A message out of its time is told apart: it may be as it was signed, and is not believed now.
#[must_use]
pub fn refused(reason: Reason) -> Report {
    let unopened = || Answer::unseen("the message could not be opened");
    let late = ["claims-expired", "claims-not-yet"].contains(&reason.code);
    let (integrity, validity) = match late {
        true => (unopened(), Answer::fail(reason)),
        false => (Answer::fail(reason), unopened()),
    };
    Report::of([integrity, unopened(), validity, unopened(), unopened()])
}

/// What this judgement finds itself; the rest have the codes of the checks that failed.
#[derive(Clone, Copy)]
enum Own {
    NotChecked,
    IssuerKey,
    IssuerUnknown,
    NotYetValid,
    Expired,
    StatusNone,
    StatusOther,
    StatusListMissing,
    StatusSet,
    StatusSaid,
}

impl Own {
    fn code(self) -> &'static str {
        match self {
            Self::NotChecked => "not-checked",
            Self::IssuerKey => "issuer-key",
            Self::IssuerUnknown => "issuer-unknown",
            Self::NotYetValid => "not-yet-valid",
            Self::Expired => "expired",
            Self::StatusNone => "status-none",
            Self::StatusOther => "status-other",
            Self::StatusListMissing => "status-list-missing",
            Self::StatusSet => "status-set",
            Self::StatusSaid => "status-said",
        }
    }
}

/// An outcome on the way, with its reasons.
struct Answer(Outcome, Vec<Reason>);

impl Answer {
    fn pass() -> Self {
        Self(Outcome::Pass, Vec::new())
    }

    fn fail(reason: Reason) -> Self {
        Self(Outcome::Fail, vec![reason])
    }

    fn undetermined(own: Own, detail: impl ToString) -> Self {
        Self(Outcome::Undetermined, vec![reason(own.code(), detail)])
    }

    /// Not looked at, because of what another fragment says.
    fn unseen(why: &str) -> Self {
        Self::undetermined(Own::NotChecked, format!("not looked at: {why}"))
    }

    /// The worse of both, and all reasons.
    fn and(mut self, outcome: Outcome, reason: Reason) -> Self {
        self.0 = self.0.max(outcome);
        self.1.push(reason);
        self
    }
}

fn reason(code: &'static str, detail: impl ToString) -> Reason {
    let detail = detail.to_string();
    Reason { code, detail }
}

fn proofs(document: &Foreign, known: &Known<'_>, at: UnixMillis) -> Secured {
    let expect = Expect {
        purpose: "assertionMethod",
        domain: None,
        challenge: None,
        controller: None,
        at,
        suites: known.suites,
    };
    proof::verify(document, &expect, known.methods, known.contexts)
        .map(|proofs| proofs.into_iter().map(|proof| proof.controller).collect())
        .map_err(|error| reason(error.code(), error))
}

/// A key of the issuer's secured it, and the reader knows the issuer.
fn authority(
    credential: &Credential<'_>,
    controllers: Option<&Vec<String>>,
    known: &Known<'_>,
) -> Answer {
    let issuer = credential.issuer.id;
    let Some(controllers) = controllers else {
        return Answer::unseen("nothing says who signed it");
    };
    // Others may sign beside the issuer; without the issuer their word is not the issuer's.
    if !controllers.iter().any(|controller| controller == issuer) {
        let signer = controllers.first().map_or("nobody", String::as_str);
        let detail = format!("{} did not sign it, {} did", clip(issuer), clip(signer));
        return Answer::fail(reason(Own::IssuerKey.code(), detail));
    }
    if known.issuers.contains(&issuer) {
        return Answer::pass();
    }
    trusted(issuer, known)
}

/// Whether the reader counts the issuer's word.
fn trusted(issuer: &str, known: &Known<'_>) -> Answer {
    if known.issuers.contains(&issuer) {
        return Answer::pass();
    }
    let detail = format!("nobody here says that {} may issue it", clip(issuer));
    Answer::undetermined(Own::IssuerUnknown, detail)
}

fn validity(credential: &Credential<'_>, at: UnixMillis) -> Answer {
    match credential.validity(at) {
        Validity::Valid => Answer::pass(),
        Validity::NotYet => Answer::fail(reason(Own::NotYetValid.code(), "it is not valid yet")),
        Validity::Ended => Answer::fail(reason(Own::Expired.code(), "its validity has ended")),
    }
}

/// Shape is settled; contexts and schemas are left.
fn form(credential: &Credential<'_>, known: &Known<'_>) -> Answer {
    let mut answer = Answer::pass();
    if let Err(error) = rdf::check(credential.value, known.contexts) {
        answer = answer.and(Outcome::Fail, reason(error.code(), error));
    }
    for (_, conformity) in schema::check_credential(credential, known.schemas) {
        answer = match conformity {
            Conformity::Pass => answer,
            Conformity::Fail(error) => answer.and(Outcome::Fail, reason(error.code(), error)),
            Conformity::Undetermined(error) => {
                answer.and(Outcome::Undetermined, reason(error.code(), error))
            }
        };
    }
    answer
}

/// What the lists at hand say.
fn standing(credential: &Credential<'_>, known: &Known<'_>, at: UnixMillis) -> Answer {
    if credential.statuses.is_empty() {
        let detail = "its issuer offers no status: it cannot be revoked";
        return Answer(Outcome::Pass, vec![reason(Own::StatusNone.code(), detail)]);
    }
    let mut answer = Answer::pass();
    for part in &credential.statuses {
        let (outcome, said) = match part.types.as_slice() {
            ["BitstringStatusListEntry"] => {
                match listed(part.value, credential.issuer.id, known, at) {
                    Ok(None) => continue,
                    Ok(Some((outcome, reason))) => (outcome, reason),
                    Err((outcome, reason)) => (outcome, reason),
                }
            }
            types => {
                let kind = types.first().copied().unwrap_or_default();
                let detail = format!("status of type {} is not read here", clip(kind));
                (
                    Outcome::Undetermined,
                    reason(Own::StatusOther.code(), detail),
                )
            }
        };
        answer = answer.and(outcome, said);
    }
    answer
}

/// One entry in its list: nothing, or what is the matter.
fn listed(
    entry: &Foreign,
    issuer: &str,
    known: &Known<'_>,
    at: UnixMillis,
) -> Result<Option<(Outcome, Reason)>, (Outcome, Reason)> {
    let fail = |code, detail: String| (Outcome::Fail, Reason { code, detail });
    let entry = Entry::read(entry).map_err(|error| fail(error.code(), error.to_string()))?;
    let Some(list) = known.lists.get(&entry.list) else {
        let detail = format!("list {} is not at hand", clip(&entry.list));
        return Err((
            Outcome::Undetermined,
            reason(Own::StatusListMissing.code(), detail),
        ));
    };
    // A list nobody stands for decides nothing, neither for nor against the credential.
    let unknown = |code, detail: String| {
        let detail = format!("list {}: {detail}", clip(&entry.list));
        (Outcome::Undetermined, Reason { code, detail })
    };
    let controllers =
        proofs(list, known, at).map_err(|reason| unknown(reason.code, reason.detail))?;
    let read = ListCredential::read(list).map_err(|e| unknown(e.code(), e.to_string()))?;
    if !controllers.contains(&read.issuer) {
        return Err(unknown(
            Own::IssuerKey.code(),
            "its issuer did not sign it".to_owned(),
        ));
    }
    let wanted = Wanted {
        issuer,
        at,
        fetched: None,
        least_size: None,
    };
    let said = check(&entry, &read, &wanted).map_err(|e| unknown(e.code(), e.to_string()))?;
    if said.valid {
        return Ok(None);
    }
    let message = said.message.unwrap_or_default();
    let detail = format!("{} {} {message}", clip(&said.purpose), said.status);
    let detail = detail.trim_end().to_owned();
    Ok(Some(if FORBIDDING.contains(&said.purpose.as_str()) {
        fail(Own::StatusSet.code(), detail)
    } else {
        (Outcome::Pass, reason(Own::StatusSaid.code(), detail))
    }))
}
