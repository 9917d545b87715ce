//! `zhao fsck`: whether a directory agrees with itself.

use zhao_ledger::fsck;
use zhao_ledger::store::files::Directory;

use super::office::own_trust;
use super::prove::Log;
use crate::args::Fsck;
use crate::failure::{Exit, Failure, args, because};
use crate::home::Home;
use crate::session::{Colour, Session};
use crate::sheet::{Sheet, plain};

/// Runs the command.
///
/// # Errors
/// The directory cannot be read at all.
pub(crate) fn run(session: &Session, command: &Fsck) -> Result<Exit, Failure> {
    let home = Home::open(&command.dir)?;
    let report = check(&home)?;
    if command.json {
        let findings: Vec<_> = report
            .findings
            .iter()
            .map(|finding| {
                serde_json::json!({
                    "place": finding.place,
                    "key": finding.key,
                    "problem": finding.problem,
                    "advice": finding.advice.to_string(),
                })
            })
            .collect();
        let value = serde_json::json!({
            "clean": report.is_clean(),
            "epochs": report.epochs,
            "findings": findings,
            "heads": report.heads,
            "size": report.size,
            "subjects": report.subjects,
            "unlisted": report.unlisted,
        });
        session.line(&value.to_string())?;
    } else {
        print(session, &report)?;
    }
    Ok(if report.is_clean() {
        Exit::Fine
    } else {
        Exit::Refused
    })
}

/// Checks the log of a directory.
///
/// # Errors
/// It cannot be read at all.
pub(crate) fn check(home: &Home) -> Result<fsck::Report, Failure> {
    let trust = own_trust(home)?;
    let origin = &home.config.origin;
    let logs = trust.policy().logs();
    let log = logs
        .iter()
        .find(|log| log.vkey.name() == origin)
        .ok_or_else(|| Failure::usage("policy-other-log", args![origin]))?;
    let database = Log::open(home)?;
    let files = Directory::open(&home.ledger()).map_err(because("ledger", args![]))?;
    fsck::check(&*database.store, &files, &log.vkey).map_err(because("ledger", args![]))
}

fn print(session: &Session, report: &fsck::Report) -> Result<(), Failure> {
    let mut sheet = Sheet::new(session);
    let (colour, key) = match report.is_clean() {
        true => (Colour::Good, "fsck.clean"),
        false => (Colour::Bad, "fsck.wrong"),
    };
    sheet.text(session.paint(colour, &sheet.word(key)));
    sheet
        .row("log-size", report.size.to_string())
        .row("epochs", report.epochs.to_string())
        .row("subjects", report.subjects.to_string())
        .row("heads", report.heads.to_string());
    for finding in &report.findings {
        sheet.text(plain(&finding.to_string()));
    }
    if report.unlisted > 0 {
        sheet.text(
            session
                .messages
                .fill("fsck.more", &args![count = report.unlisted]),
        );
    }
    sheet.print()
}
