//! `zhao licence`: one licence of the records, whole.

use zhao_issuer::records::{Licence as Row, LicenceState};
use zhao_spec::credential::Licence;
use zhao_spec::wire::clip;

use super::list::{Shelf, standing_json, state_word, words};
use super::show::credential;
use crate::args::{ShowLicence, Which};
use crate::failure::{Exit, Failure, args, because};
use crate::files;
use crate::session::Session;
use crate::sheet::{Sheet, plain};

/// Runs the command.
///
/// # Errors
/// No such licence, one that is not issued when its credential is wanted, or records that cannot
/// be read.
pub(crate) fn run(session: &Session, command: &ShowLicence) -> Result<Exit, Failure> {
    if let Some(path) = &command.output {
        files::must_be_writable(path)?;
    }
    let shelf = Shelf::open(session, &command.which.dir, &command.secret)?;
    let row = one(&shelf, &command.which)?;
    if let Some(path) = &command.output {
        if row.state != LicenceState::Issued {
            let why = state_word(row.state);
            return Err(Failure::refused("not-issued", args![why]));
        }
        let mut bytes = row.credential.clone();
        bytes.push(b'\n');
        files::output(session, path, &bytes)?;
        if path == std::path::Path::new("-") {
            return Ok(Exit::Fine);
        }
    }
    let record = shelf.standings(std::iter::once(row.subject))?;
    let record = record.into_iter().next().flatten();
    if command.json {
        let issued = row.state == LicenceState::Issued;
        let paper: Option<serde_json::Value> = match issued {
            true => {
                Some(serde_json::from_slice(&row.credential).map_err(because("office", args![]))?)
            }
            false => None,
        };
        let value = serde_json::json!({
            "credential": paper,
            "id": row.credential_id,
            "identifier": row.identifier,
            "number": row.number,
            "origin": row.origin.as_str(),
            "reference": row.reference,
            "row": row.outbox,
            "standing": record.as_ref().map(standing_json),
            "state": state_word(row.state),
            "subject": row.subject.to_string(),
            "type": row.type_code,
            "unit": row.unit,
            "version": row.version,
        });
        session.line(&value.to_string())?;
        return Ok(Exit::Fine);
    }
    let licence = Licence::parse(&row.credential).map_err(because("office", args![]))?;
    let mut sheet = Sheet::new(session);
    sheet
        .heading("show.credential")
        .row(
            "standing",
            words(&session.messages, row.state, record.as_ref()),
        )
        .row("records-row", row.outbox.to_string());
    sheet.optional("reference", row.reference.as_deref().map(plain));
    credential(&mut sheet, &licence);
    sheet.print()?;
    Ok(Exit::Fine)
}

/// The licence that is meant.
///
/// # Errors
/// There is none, or the records cannot be read.
pub(super) fn one(shelf: &Shelf, which: &Which) -> Result<Row, Failure> {
    let path = shelf.home.records();
    let wrap = because("records", args![path = path.display()]);
    let (found, actual) = match (&which.id, which.row) {
        (Some(id), _) => (shelf.records.find_licence(id).map_err(wrap)?, clip(id)),
        (None, row) => {
            let row = row.unwrap_or_default();
            let id = i64::try_from(row).unwrap_or(i64::MAX);
            (shelf.records.licence_of(id).map_err(wrap)?, row.to_string())
        }
    };
    found.ok_or_else(|| Failure::refused("licence-unknown", args![actual]))
}
