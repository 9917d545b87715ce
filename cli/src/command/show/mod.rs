//! `zhao show`: any of our files for a person. Nothing is judged here, and the text says so.

use zhao_spec::credential::Licence;
use zhao_spec::file::{Answer, Dossier, Evidence, History, IssuerPack, Receipt};
use zhao_spec::log::checkpoint::Checkpoint;
use zhao_spec::log::cose::{self, CoseReceipt};
use zhao_spec::log::note::SignedNote;
use zhao_spec::log::policy::Policy;
use zhao_spec::log::trust::Trust;
use zhao_spec::wire::{Malformed, clip, json, limits};

use super::codes;
use crate::args::Show;
use crate::failure::{Exit, Failure, args};
use crate::session::Session;
use crate::sheet::Sheet;

mod papers;
mod texts;

pub(crate) use papers::credential;
pub(crate) use texts::REPORT_HEADER;

/// Runs the command.
///
/// # Errors
/// The file cannot be read, is none of ours, or is malformed.
pub(crate) fn run(session: &Session, command: &Show) -> Result<Exit, Failure> {
    let path = command
        .file
        .first()
        .map_or_else(String::new, |path| path.display().to_string());
    let bytes = codes::shown(codes::read(&command.file)?);
    let mut sheet = Sheet::new(session);
    if cose::is_receipt(&bytes) {
        let receipt = CoseReceipt::parse(&bytes).map_err(|cause| malformed(&path, &cause))?;
        papers::cose(&mut sheet, &receipt);
        return judged_not(session, sheet);
    }
    let text = std::str::from_utf8(&bytes)
        .map_err(|cause| Failure::usage("file-text", args![path, offset = cause.valid_up_to()]))?;
    if text.trim_start_matches('\u{feff}').starts_with('{') {
        paper(&mut sheet, &path, text.as_bytes())?;
    } else if texts::is_report(text) {
        texts::report(&mut sheet, text);
    } else if texts::is_policy(text) {
        let policy = Policy::parse(text).map_err(|cause| malformed(&path, &cause))?;
        texts::policy(&mut sheet, &policy);
    } else if texts::is_trust(text) {
        let trust = Trust::parse(text).map_err(|cause| malformed(&path, &cause))?;
        texts::trust(&mut sheet, &trust);
    } else if text.contains("\n\n\u{2014} ") {
        let note = SignedNote::parse(text).map_err(|cause| malformed(&path, &cause))?;
        let checkpoint =
            Checkpoint::parse(note.text()).map_err(|cause| malformed(&path, &cause))?;
        texts::checkpoint(&mut sheet, &checkpoint, &note);
    } else {
        return Err(unknown(&path));
    }
    judged_not(session, sheet)
}

/// Prints the sheet, and that nothing on it was judged.
fn judged_not(session: &Session, mut sheet: Sheet<'_>) -> Result<Exit, Failure> {
    let caution = session.messages.text("show.not-judged");
    sheet.gap().text(caution);
    sheet.print()?;
    Ok(Exit::Fine)
}

/// One of our JSON files, by its `format`; without one, a credential.
fn paper(sheet: &mut Sheet<'_>, path: &str, bytes: &[u8]) -> Result<(), Failure> {
    let wrap = |cause: Malformed| malformed(path, &cause);
    let format = format_of(bytes);
    match format.as_deref() {
        Some("zhao/v1 dossier") => papers::dossier(sheet, &Dossier::parse(bytes).map_err(wrap)?),
        Some("zhao/v1 issuer-pack") => {
            papers::pack(sheet, &IssuerPack::parse(bytes).map_err(wrap)?);
        }
        Some("zhao/v1 receipt") => papers::receipt(sheet, &Receipt::parse(bytes).map_err(wrap)?),
        Some("zhao/v1 history") => papers::history(sheet, &History::parse(bytes).map_err(wrap)?),
        Some("zhao/v1 answer") => papers::answer(sheet, &Answer::parse(bytes).map_err(wrap)?),
        Some("zhao/v1 evidence") => papers::evidence(sheet, &Evidence::parse(bytes).map_err(wrap)?),
        Some(other) => {
            return Err(Failure::refused(
                "format-unknown",
                args![path, actual = clip(other)],
            ));
        }
        None => {
            let licence = Licence::parse(json::without_newline(bytes))
                .map_err(|cause| malformed(path, &cause))?;
            sheet.heading("show.credential");
            credential(sheet, &licence);
        }
    }
    Ok(())
}

/// The member `format`, read even where the rest is not canonical: to name the right error.
fn format_of(bytes: &[u8]) -> Option<String> {
    let value = json::parse_file_within(bytes, limits::EVIDENCE_BYTES).ok()?;
    match value.member("format")? {
        json::Value::Text(text) => Some(text.clone()),
        _ => None,
    }
}

fn malformed(path: &str, cause: &dyn std::fmt::Display) -> Failure {
    Failure::refused("file-malformed", args![path, cause])
}

fn unknown(path: &str) -> Failure {
    Failure::refused("file-unknown", args![path])
}
