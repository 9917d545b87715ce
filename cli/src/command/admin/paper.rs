//! A proposal for a person: decoded from the bytes that are signed, and from nothing else.

use zhao_issuer::catalogue::Catalogue;
use zhao_issuer::office::check_signatures;
use zhao_spec::file::Proposal;
use zhao_spec::life::data::{Action, Administrators, PublishType};
use zhao_spec::wire::{Hash, PublicKey};

use crate::failure::{Failure, args};
use crate::session::Session;
use crate::sheet::{Sheet, plain};
use crate::values::show_time;

/// Prints it; `genesis` is the one that the reader's trust file names, if there was one.
///
/// # Errors
/// Standard output is closed or full.
pub(super) fn print(
    session: &Session,
    proposal: &Proposal,
    genesis: Option<Hash>,
    json: bool,
) -> Result<(), Failure> {
    let event = &proposal.event;
    let sound = check_signatures(event);
    if json {
        let statement = String::from_utf8_lossy(&event.statement()).into_owned();
        let keys = |keys: &[PublicKey]| -> Vec<String> {
            keys.iter().map(PublicKey::to_multibase).collect()
        };
        let signed: Vec<PublicKey> = event.signatures.iter().map(|one| one.key).collect();
        let value = serde_json::json!({
            "id": event.id().to_base64url(),
            "verb": event.verb().as_str(),
            "about": proposal.id,
            "statement": statement,
            "effective": event.effective.to_string(),
            "expires": proposal.expires().to_string(),
            "genesis": proposal.genesis.to_base64url(),
            "genesisKnown": genesis.is_some(),
            "administrators": keys(&proposal.administrators.keys),
            "threshold": proposal.administrators.threshold,
            "signedBy": keys(&signed),
            "signaturesHold": sound.is_ok(),
        });
        return session.line(&value.to_string());
    }
    let mut sheet = Sheet::new(session);
    sheet.heading("admin.proposal");
    sheet.text(sentence(session, proposal));
    sheet.row("proposal-id", event.id().to_base64url());
    details(&mut sheet, proposal);
    sheet
        .row("origin", plain(&event.origin))
        .row("genesis", proposal.genesis.to_base64url())
        .row("takes-effect", show_time(event.effective))
        .row("expires", show_time(proposal.expires()))
        .row("seq", event.seq.to_string());
    let threshold = proposal.administrators.threshold;
    let count = proposal.administrators.keys.len();
    let text = session
        .messages
        .fill("admin.threshold", &args![threshold, count]);
    sheet.row("administrators", text);
    for one in &event.signatures {
        sheet.row("signed-by", one.key.to_multibase());
    }
    if event.signatures.is_empty() {
        let nobody = sheet.word("show.none");
        sheet.row("signed-by", nobody);
    }
    let said = match genesis {
        Some(_) => "admin.genesis-known",
        None => "admin.genesis-unknown",
    };
    let text = session.messages.text(said);
    sheet.gap().text(text);
    if let Err(cause) = sound {
        let text = session.messages.fill("admin.false", &args![cause]);
        sheet.text(text);
    }
    sheet.print()
}

/// What will be done, in one sentence.
fn sentence(session: &Session, proposal: &Proposal) -> String {
    let id = plain(&proposal.id);
    let fill = |key: &str, arguments| session.messages.fill(key, arguments);
    match &proposal.event.action {
        Action::AddUnit { grant, .. } => fill("measure.add-unit", &args![id, key = grant.key]),
        Action::GrantTypes(grant) => fill("measure.grant-types", &args![id, key = grant.key]),
        Action::ProposeKey(grant) => fill("measure.propose-key", &args![id, key = grant.key]),
        Action::ConfirmKey(key) => fill("measure.confirm-key", &args![id, key]),
        Action::WithdrawProposal(key) => fill("measure.withdraw-key", &args![id, key]),
        Action::RetireKey(key) => fill("measure.retire-key", &args![id, key]),
        Action::CompromiseKey { from, key } => {
            fill("measure.compromise-key", &args![id, key, from = from.0])
        }
        Action::SuspendUnit => fill("measure.suspend", &args![id]),
        Action::ResumeUnit => fill("measure.resume", &args![id]),
        Action::PublishType(data) => fill(
            "measure.publish-type",
            &args![id = named(&data.type_code), version = data.version],
        ),
        Action::RetireType => fill("measure.retire-type", &args![id = named(&id)]),
        Action::ChangeAdministrators(new) => fill(
            "measure.administrators",
            &args![id, threshold = new.threshold, count = new.keys.len()],
        ),
        Action::RotateLogKey(new) => fill(
            "measure.log-key",
            &args![id, key = new.key, from = new.from],
        ),
        // Reading a proposal admits no other verb.
        other => other.verb().as_str().to_owned(),
    }
}

/// A type's code, with the name that the catalogue built into this program has for it.
fn named(code: &str) -> String {
    let catalogue = Catalogue::embedded().ok();
    let entry = catalogue.as_ref().and_then(|all| all.entry(code).ok());
    match entry {
        Some(entry) => format!("{} {}", plain(code), entry.names.zh),
        None => plain(code),
    }
}

fn details(sheet: &mut Sheet<'_>, proposal: &Proposal) {
    match &proposal.event.action {
        Action::AddUnit { grant, .. } | Action::GrantTypes(grant) | Action::ProposeKey(grant) => {
            for code in &grant.types {
                sheet.row("licence-type", named(code));
            }
            if grant.types.is_empty() {
                let none = sheet.word("show.none");
                sheet.row("licence-type", none);
            }
        }
        Action::PublishType(data) => published(sheet, data),
        Action::ChangeAdministrators(new) => {
            administrators(sheet, &proposal.administrators, new);
        }
        _ => {}
    }
}

fn published(sheet: &mut Sheet<'_>, data: &PublishType) {
    let verbs: Vec<&str> = data.verbs.iter().map(|verb| verb.as_str()).collect();
    sheet
        .row("digest", data.digest.to_base64url())
        .row("openness", data.openness.as_str())
        .row("indexed", data.indexed.to_string())
        .row(
            "individual-businesses",
            data.individual_businesses.to_string(),
        )
        .row("inspection", data.inspection.as_str())
        .row("verbs", verbs.join(", "));
}

/// Who stays, comes and goes, against the administrators that the file names as the present ones.
fn administrators(sheet: &mut Sheet<'_>, present: &Administrators, new: &Administrators) {
    for key in &new.keys {
        let label = match present.keys.contains(key) {
            true => "stays",
            false => "comes",
        };
        sheet.row(label, key.to_multibase());
    }
    for key in present.keys.iter().filter(|key| !new.keys.contains(key)) {
        sheet.row("goes", key.to_multibase());
    }
    if present.threshold != new.threshold {
        let text = format!("{} → {}", present.threshold, new.threshold);
        sheet.row("threshold", text);
    }
}
