//! `zhao fsck`: whether a directory agrees with itself.

use zhao_issuer::fsck as office;
use zhao_issuer::keys::Keyring;
use zhao_issuer::office::ClientError;
use zhao_ledger::fsck;
use zhao_ledger::read::{ReadError, View};
use zhao_ledger::store::files::Directory;
use zhao_ledger::store::layout::Heads;
use zhao_ledger::store::{self, Read};
use zhao_spec::life::record::Record;
use zhao_spec::log::LogKeys;
use zhao_spec::log::checkpoint::Checkpoint;
use zhao_spec::log::note::SignedNote;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::Hash;

use super::office::{keyring, own_trust, records};
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
    let both = if command.ledger_only {
        let database = Log::open(&home)?;
        Both {
            ledger: check_log(&home, &database)?,
            office: None,
        }
    } else {
        let mut keyring = keyring(session, &home.keys(), &command.secret)?;
        check_both(session, &home, &mut keyring)?
    };
    if command.json {
        session.line(&both.json(session).to_string())?;
    } else {
        both.print(session)?;
    }
    Ok(if both.is_clean() {
        Exit::Fine
    } else {
        Exit::Refused
    })
}

/// What was found in the log, and between it and the records.
pub(crate) struct Both {
    /// The log in itself.
    pub(crate) ledger: fsck::Report,
    /// The records against it; none: they were not looked at.
    pub(crate) office: Option<office::Report>,
}

/// Checks the log of a directory, and its records against it.
///
/// # Errors
/// One of them cannot be read at all.
pub(crate) fn check_both(
    session: &Session,
    home: &Home,
    keyring: &mut Keyring,
) -> Result<Both, Failure> {
    let database = Log::open(home)?;
    let ledger = check_log(home, &database)?;
    let records = records(session, home, keyring)?;
    let reader = database.reader();
    let view = reader.latest().map_err(because("ledger", args![]))?;
    let log = Published {
        store: &*database.store,
        view: &view,
    };
    let office = office::check(&records, &log).map_err(because("office", args![]))?;
    Ok(Both {
        ledger,
        office: Some(office),
    })
}

/// Checks the log of a directory alone.
///
/// # Errors
/// It cannot be read at all.
pub(crate) fn check_alone(home: &Home) -> Result<Both, Failure> {
    let ledger = check_log(home, &Log::open(home)?)?;
    Ok(Both {
        ledger,
        office: None,
    })
}

/// The published part of a log.
struct Published<'a> {
    store: &'a dyn Read,
    view: &'a View<'a>,
}

fn unread(error: ReadError) -> ClientError {
    ClientError::Protocol(error.to_string())
}

impl office::Log for Published<'_> {
    fn size(&self) -> Result<u64, ClientError> {
        Ok(self.view.size().0)
    }

    fn leaf(&self, index: LeafIndex) -> Result<Vec<u8>, ClientError> {
        self.view.leaf(index).map_err(unread)
    }

    fn record(&self, subject: &Hash) -> Result<Option<Record>, ClientError> {
        Ok(self.view.placed(subject).map_err(unread)?.1)
    }

    fn published_root(&self, size: u64) -> Result<Option<Hash>, ClientError> {
        let note = store::read::<Heads>(self.store, &size)
            .map_err(|error| ClientError::Protocol(error.to_string()))?;
        // A note that cannot be read is the ledger's fsck's to find.
        let root = note.and_then(|note| {
            let note = SignedNote::parse(std::str::from_utf8(&note).ok()?).ok()?;
            Some(Checkpoint::parse(note.text()).ok()?.root)
        });
        Ok(root)
    }
}

impl Both {
    /// Whether the log has what its next start does not repair.
    pub(crate) fn log_is_damaged(&self) -> bool {
        let found = &self.ledger;
        found.unlisted > 0
            || found
                .findings
                .iter()
                .any(|finding| finding.advice != fsck::Advice::Restart)
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_clean(&self) -> bool {
        self.ledger.is_clean() && self.office_is_clean()
    }

    /// Whether nothing is wrong with the records, if they were looked at.
    pub(crate) fn office_is_clean(&self) -> bool {
        self.office.as_ref().is_none_or(office::Report::is_clean)
    }

    /// What waits for the ledger.
    pub(crate) fn pending(&self) -> u64 {
        self.office.as_ref().map_or(0, |office| office.pending)
    }

    /// For machines.
    pub(crate) fn json(&self, session: &Session) -> serde_json::Value {
        let report = &self.ledger;
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
        let office = self.office.as_ref().map(|office| {
            let differences = office.findings.iter().map(|finding| {
                let code = finding.problem.code();
                serde_json::json!({
                    "place": finding.place,
                    "problem": code,
                    "detail": finding.detail,
                    "advice": session.messages.text(&format!("fsck-do.{code}")),
                })
            });
            serde_json::json!({
                "findings": differences.collect::<Vec<_>>(),
                "leaves": office.leaves,
                "licences": office.licences,
                "pending": office.pending,
                "rows": office.rows,
                "unlisted": office.unlisted,
            })
        });
        serde_json::json!({
            "clean": self.is_clean(),
            "epochs": report.epochs,
            "findings": findings,
            "heads": report.heads,
            "office": office,
            "size": report.size,
            "subjects": report.subjects,
            "unlisted": report.unlisted,
        })
    }

    /// For people.
    fn print(&self, session: &Session) -> Result<(), Failure> {
        let mut sheet = Sheet::new(session);
        let (colour, key) = match self.is_clean() {
            true => (Colour::Good, "fsck.clean"),
            false => (Colour::Bad, "fsck.wrong"),
        };
        sheet.text(session.paint(colour, &sheet.word(key)));
        let report = &self.ledger;
        sheet
            .row("log-size", report.size.to_string())
            .row("epochs", report.epochs.to_string())
            .row("subjects", report.subjects.to_string())
            .row("heads", report.heads.to_string());
        if let Some(office) = &self.office {
            sheet
                .row("outbox-rows", office.rows.to_string())
                .row("outbox-pending", office.pending.to_string())
                .row("licences", office.licences.to_string());
        }
        for finding in &report.findings {
            sheet.text(plain(&finding.to_string()));
        }
        let mut unlisted = report.unlisted;
        if let Some(office) = &self.office {
            for finding in &office.findings {
                sheet.text(plain(&said(session, finding)));
            }
            unlisted = unlisted.saturating_add(office.unlisted);
        }
        if unlisted > 0 {
            let count = unlisted;
            sheet.text(session.messages.fill("fsck.more", &args![count]));
        }
        sheet.print()
    }

    /// What is wrong first of all.
    pub(crate) fn first(&self, session: &Session) -> String {
        let ledger = self.ledger.findings.first().map(ToString::to_string);
        let office = self
            .office
            .as_ref()
            .and_then(|office| office.findings.first());
        ledger
            .or_else(|| office.map(|finding| said(session, finding)))
            .unwrap_or_default()
    }
}

fn said(session: &Session, finding: &office::Finding) -> String {
    let code = finding.problem.code();
    let problem = session.messages.text(&format!("fsck-problem.{code}"));
    let advice = session.messages.text(&format!("fsck-do.{code}"));
    let (place, detail) = (&finding.place, &finding.detail);
    let arguments = args![place, problem, detail, advice];
    session.messages.fill("fsck.finding", &arguments)
}

fn check_log(home: &Home, database: &Log) -> Result<fsck::Report, Failure> {
    let trust = own_trust(home)?;
    let origin = &home.config.origin;
    let log = LogKeys::of(trust.policy(), origin)
        .ok_or_else(|| Failure::usage("policy-other-log", args![origin]))?;
    let files = Directory::open(&home.ledger()).map_err(because("ledger", args![]))?;
    fsck::check(&*database.store, &files, &log).map_err(because("ledger", args![]))
}
