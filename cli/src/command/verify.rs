//! `zhao verify`: judges a file with a policy, without network. Also the printing of verdicts.

use std::path::{Path, PathBuf};

use zhao_spec::credential::Licence;
use zhao_spec::file::{Dossier, Evidence};
use zhao_spec::log::cose;
use zhao_spec::wire::{UnixMillis, json as wire_json, limits};
use zhao_verifier::{Status, TrustPolicy, Verdict};

use super::codes;
use crate::args::Verify;
use crate::failure::{Exit, Failure, args};
use crate::files;
use crate::session::{Colour, Session};
use crate::sheet::{Sheet, plain};
use crate::values::{show_holder_code, show_millis, show_time};

mod fragments;

pub(crate) use fragments::json;

/// Policy, trust file and issuer pack, found and read.
#[derive(Debug)]
pub(crate) struct Belief {
    /// Policy and trust file.
    pub(crate) policy: TrustPolicy,
    /// The issuer pack's bytes, if there is one.
    pub(crate) pack: Option<Vec<u8>>,
}

impl Belief {
    /// Reads `policy`, and what is beside it unless a flag names another place.
    ///
    /// # Errors
    /// A file that cannot be read, is malformed, or does not fit the other.
    pub(crate) fn load(
        policy: &Path,
        trust: Option<&Path>,
        pack: Option<&Path>,
    ) -> Result<Self, Failure> {
        let beside = |name: &str| policy.parent().unwrap_or(Path::new("")).join(name);
        let trust = trust.map_or_else(|| beside("trust.txt"), Path::to_owned);
        let policy_text = files::read_text(policy, limits::POLICY_BYTES)?;
        let trust_text = files::read_text(&trust, limits::POLICY_BYTES)?;
        let policy = TrustPolicy::load(&policy_text, &trust_text).map_err(|cause| {
            let path = match &cause {
                zhao_verifier::PolicyError::Policy(_) => policy.display(),
                _ => trust.display(),
            };
            Failure::usage("policy-wrong", args![path, cause])
        })?;
        let found: Option<PathBuf> = match pack {
            Some(path) => Some(path.to_owned()),
            None => Some(beside("issuer-pack.json")).filter(|path| path.is_file()),
        };
        let pack = found
            .map(|path| files::read(&path, limits::PACK_BYTES))
            .transpose()?;
        Ok(Self { policy, pack })
    }

    /// Judges `bytes` for `at`.
    pub(crate) fn judge(&self, bytes: &[u8], at: UnixMillis, max_age: Option<u64>) -> Verdict {
        zhao_verifier::verify(bytes, &self.policy, self.pack.as_deref(), at, max_age)
    }
}

/// Runs the command.
///
/// # Errors
/// A file that cannot be read, or a policy that is wrong.
pub(crate) fn run(session: &Session, command: &Verify) -> Result<Exit, Failure> {
    let trust = command.trust.as_deref();
    let belief = Belief::load(&command.policy, trust, command.pack.as_deref())?;
    let bytes = codes::read(&command.file)?;
    let entry = entry(command, &bytes)?;
    if Licence::parse(wire_json::without_newline(&bytes)).is_ok() {
        // The commonest mistake: a credential says nothing about its standing.
        session.note("verify.credential", &[]);
    }
    let at = match command.at {
        Some(at) => at,
        None => session.host.now()?,
    };
    let verdict = match &entry {
        Some(entry) => {
            session.note("verify.cose", &[]);
            zhao_verifier::verify_cose(&bytes, entry, &belief.policy)
        }
        None => belief.judge(&bytes, at, command.max_age),
    };
    if command.json {
        session.line(&json(&verdict).to_string())?;
    } else {
        print(session, &verdict, &codes::shown(bytes), at)?;
    }
    Ok(exit(verdict.status()))
}

/// What a COSE receipt is said to be of; nothing for any other file, which holds all it is of.
fn entry(command: &Verify, bytes: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
    match (&command.entry, cose::is_receipt(bytes)) {
        (Some(path), true) => files::read(path, limits::LEAF_BYTES.saturating_add(1)).map(Some),
        (None, false) => Ok(None),
        (None, true) => Err(Failure::usage("entry-missing", args![])),
        (Some(path), false) => Err(Failure::usage("entry-other", args![path = path.display()])),
    }
}

/// The exit code of a verdict.
pub(crate) fn exit(status: Status) -> Exit {
    match status {
        Status::Valid | Status::ValidWithNotice => Exit::Fine,
        Status::NotUsable | Status::Invalid => Exit::Refused,
        Status::Undetermined => Exit::Undetermined,
    }
}

/// The colour of a verdict.
pub(crate) fn colour(status: Status) -> Colour {
    match status {
        Status::Valid => Colour::Good,
        Status::ValidWithNotice | Status::Undetermined => Colour::Notice,
        Status::NotUsable | Status::Invalid => Colour::Bad,
    }
}

/// Writes a verdict for a person.
///
/// # Errors
/// Standard output is closed or full.
pub(crate) fn print(
    session: &Session,
    verdict: &Verdict,
    file: &[u8],
    at: UnixMillis,
) -> Result<(), Failure> {
    let status = verdict.status();
    let word = session
        .messages
        .text(&format!("verdict.{}", status.as_str()));
    // Evidence is judged, not relied on: valid means that somebody cheated.
    let claim = Evidence::parse(file).ok().map(|evidence| evidence.claim());
    let means = match claim.filter(|_| status == Status::Valid) {
        Some(claim) => {
            let claim = session.messages.text(&format!("claim.{claim}"));
            session
                .messages
                .fill("verify.evidence-holds", &args![claim])
        }
        None => session
            .messages
            .text(&format!("verdict-means.{}", status.as_str())),
    };
    let mut sheet = Sheet::new(session);
    sheet.text(session.paint(colour(status), &word)).text(means);
    fragments::table(&mut sheet, verdict);
    reasons(&mut sheet, session, verdict);
    facts(&mut sheet, verdict, file, at);
    if !verdict.assurance().is_empty() {
        sheet.heading("verify.assurance");
        for note in verdict.assurance() {
            sheet.text(
                session
                    .messages
                    .text(&format!("assurance.{}", note.as_str())),
            );
        }
    }
    sheet.print()
}

/// One sentence, the detail, and what to do, for each reason.
fn reasons(sheet: &mut Sheet<'_>, session: &Session, verdict: &Verdict) {
    for reason in verdict.reasons() {
        let code = reason.code();
        let sentence = session.messages.text(&format!("reason.{code}"));
        let todo = session.messages.text(&format!("reason-do.{code}"));
        sheet.gap().text(format!(
            "{} [{code}]",
            session.paint(Colour::Strong, &sentence)
        ));
        let detail = reason.to_string();
        // A reason without figures says no more than its sentence.
        if detail.replace(' ', "_") != code {
            sheet.text(format!("  {}", plain(&detail)));
        }
        sheet.text(format!("  {todo}"));
    }
}

/// What was established, whatever the verdict.
fn facts(sheet: &mut Sheet<'_>, verdict: &Verdict, file: &[u8], at: UnixMillis) {
    let facts = verdict.facts();
    sheet.gap();
    // The verifier names the holder once the issuer's signature holds; before that, nothing in the
    // credential is anybody's word.
    let dossier = facts
        .holder
        .as_ref()
        .and_then(|_| Dossier::parse(file).ok());
    let licence = dossier
        .as_ref()
        .and_then(|own| Licence::from_value(own.credential.value()).ok());
    if let Some(licence) = &licence {
        let subject = &licence.subject;
        sheet
            .row("licence-name", plain(&subject.licence_name))
            .row("licence-number", plain(&subject.licence_number))
            .row("licence-identifier", subject.licence_identifier.to_string());
    }
    if let Some(holder) = &facts.holder {
        // Only a dossier names a holder, so its code's type is known here.
        let organisation = licence
            .as_ref()
            .is_some_and(|licence| licence.subject.holder_code_type.is_organisation());
        sheet
            .row("holder", plain(&holder.name))
            .row("holder-code", show_holder_code(&holder.code, organisation));
    }
    if let Some(licence) = &licence {
        sheet.row("unit", plain(&licence.issuer.name));
    }
    sheet.optional("unit-code", facts.unit.as_deref().map(plain));
    sheet.optional("licence-type", facts.type_code.as_deref().map(plain));
    if let Some(state) = facts.state {
        // The state is told once the record is proved, and its suspensions with it.
        let suspensions = dossier
            .iter()
            .flat_map(|own| &own.placed.record.suspensions);
        let words: Vec<String> = std::iter::once(state.as_str())
            .chain(suspensions.map(|each| each.as_str()))
            .map(|word| sheet.word(&format!("state.{word}")))
            .collect();
        sheet.row("standing", words.join(", "));
    }
    sheet.optional("effective", facts.effective.map(show_time));
    sheet.optional("recorded", facts.recorded.map(show_time));
    if let Some(as_of) = facts.as_of {
        sheet
            .row("as-of", show_time(as_of))
            .row("age", show_millis(at.since(as_of)));
    }
    sheet.optional("log-size", facts.size.map(|size| size.to_string()));
    sheet.optional(
        "witnesses",
        facts
            .witnesses
            .as_ref()
            .map(|names| plain(&names.join(", "))),
    );
    sheet.optional(
        "auditors",
        facts
            .auditors
            .as_ref()
            .map(|names| plain(&names.join(", "))),
    );
    for item in facts.items.iter().flatten() {
        let judged = match &item.judged {
            Some((status, reasons)) => {
                let word = sheet.word(&format!("verdict.{}", status.as_str()));
                let codes: Vec<&str> = reasons.iter().map(|reason| reason.code()).collect();
                format!("{word} {}", codes.join(", ")).trim_end().to_owned()
            }
            None => sheet.word("verify.item-closed"),
        };
        sheet.named(&item.subject.to_string(), judged);
    }
}
