//! `zhao amend`, `renew`, `reissue`: a new version, in one step with the end of the old.

use std::io::BufReader;

use zhao_issuer::intake::{self, IntakeError};
use zhao_issuer::office::{Grounds, Replacement};
use zhao_spec::life::data::Relation;

use super::issue::{Writer, open_batch};
use super::office::{Desk, wrong};
use crate::args::Version;
use crate::failure::{Exit, Failure, args};
use crate::files::{self, OutputDir};
use crate::said;
use crate::session::Session;

/// Runs one of the commands.
///
/// # Errors
/// A file that does not hold one row, no such licence, or a refusal.
pub(crate) fn run(
    session: &Session,
    command: &Version,
    relation: Relation,
) -> Result<Exit, Failure> {
    let file = open_batch(&command.from)?;
    files::dir_must_be_writable(&command.output)?;
    let mut desk = Desk::open(session, &command.dir, &command.secret)?;
    let (licence, subject) = desk.licence(&command.credential)?;
    let type_code = licence.subject.licence_type_code.to_string();
    let path = command.from.display();
    let mut rows = intake::open(
        BufReader::new(file),
        desk.office.catalogue(),
        Some(&type_code),
    )
    .map_err(|cause| match cause {
        IntakeError::Empty => Failure::usage("no-row", args![path]),
        cause => Failure::usage("batch", args![path, cause]),
    })?;
    let row = rows
        .next()
        .ok_or_else(|| Failure::usage("no-row", args![path]))?
        .map_err(|error| Failure::said(said::issue(&error.into())))?;
    if rows.next().is_some() {
        return Err(Failure::usage("one-row", args![path]));
    }
    drop(rows);
    let replacement = Replacement {
        changes: row.cells.into_iter().collect(),
        grounds: Grounds {
            reason: command.reason.clone(),
            ..Grounds::default()
        },
        relation,
    };
    let _made = OutputDir::make(&command.output)?;
    let now = session.host.now()?;
    let mut rng = session.host.generator()?;
    let outcome = desk
        .office
        .replace(&subject, &replacement, now, &mut rng)
        .and_then(|outcome| desk.office.finish_issue(outcome, now))
        .map_err(wrong)?;
    let mut writer = Writer::new(&command.output, false);
    writer.row(1, &outcome, &[]);
    let report = writer.finish()?;
    if let zhao_issuer::office::Outcome::Refused(error) = &outcome {
        return Err(Failure::said(said::issue(error)));
    }
    super::office::write_pack(&desk.home, &desk.office)?;
    let number = &licence.subject.licence_number;
    report.tell_version(session, &command.output, number, command.json)
}
