//! `zhao find` and `zhao list`: licences of the records, their numbers masked.

use comfy_table::presets;
use zhao_issuer::catalogue::Catalogue;
use zhao_issuer::records::{LicenceState, Records, Search, Summary};
use zhao_ledger::read::View;
use zhao_spec::life::record::{LicenceRecord, Record, State};
use zhao_spec::wire::Hash;

use super::office::{keyring, records};
use super::prove::Log;
use crate::args::{Find, ListLicences, Page, Secret};
use crate::failure::{Exit, Failure, args, because};
use crate::home::Home;
use crate::messages::Messages;
use crate::session::Session;
use crate::sheet::{plain, table};

/// The records of an office, and its log if no other process has it.
pub(super) struct Shelf {
    /// The directory.
    pub(super) home: Home,
    /// The records.
    pub(super) records: Records,
    log: Option<Log>,
}

impl Shelf {
    /// Opens them. While another process works in the directory the log is its own: what stands
    /// there cannot be read, and the records can.
    ///
    /// # Errors
    /// No office there, a wrong passphrase, or records that cannot be read.
    pub(super) fn open(
        session: &Session,
        dir: &std::path::Path,
        secret: &Secret,
    ) -> Result<Self, Failure> {
        let home = Home::open(dir)?;
        let log = match Log::open(&home) {
            Ok(log) => Some(log),
            Err(failure) if failure.key() == "home-busy" => {
                session.note("list.no-standing", &args![path = home.dir().display()]);
                None
            }
            Err(failure) => return Err(failure),
        };
        let mut keyring = keyring(session, &home.keys(), secret)?;
        let records = records(session, &home, &mut keyring)?;
        Ok(Self { home, records, log })
    }

    /// What the log says about licences, in their order; nothing about those it does not have.
    ///
    /// # Errors
    /// The log cannot be read.
    pub(super) fn standings(
        &self,
        subjects: impl Iterator<Item = Hash>,
    ) -> Result<Vec<Option<LicenceRecord>>, Failure> {
        let reader = self.log.as_ref().map(Log::reader);
        let view = match &reader {
            Some(reader) => Some(reader.latest().map_err(because("ledger", args![]))?),
            None => None,
        };
        subjects
            .map(|subject| match &view {
                Some(view) => standing(view, &subject),
                None => Ok(None),
            })
            .collect()
    }
}

fn standing(view: &View<'_>, subject: &Hash) -> Result<Option<LicenceRecord>, Failure> {
    match view.placed(subject).map_err(because("ledger", args![]))?.1 {
        Some(Record::Licence(record)) => Ok(Some(*record)),
        _ => Ok(None),
    }
}

/// `zhao find`.
///
/// # Errors
/// The records or the log cannot be read.
pub(crate) fn find(session: &Session, command: &Find) -> Result<Exit, Failure> {
    let shelf = Shelf::open(session, &command.dir, &command.page.secret)?;
    let wrap = because("records", args![path = shelf.home.records().display()]);
    let unit = match (&command.reference, &command.unit) {
        (Some(_), Some(unit)) => unit.clone(),
        (Some(_), None) => {
            let units = shelf.records.units().map_err(wrap)?;
            units
                .into_iter()
                .next()
                .map(|unit| unit.uscc)
                .unwrap_or_default()
        }
        (None, _) => String::new(),
    };
    let search = if let Some(code) = &command.uscc {
        Search::HolderCode(code)
    } else if let Some(name) = &command.name {
        Search::HolderName(name)
    } else if let Some(number) = &command.number {
        Search::Number(number)
    } else if let Some(identifier) = &command.identifier {
        Search::Identifier(identifier)
    } else {
        let reference = command.reference.as_deref().unwrap_or_default();
        let unit = &unit;
        Search::Reference { unit, reference }
    };
    show(session, &shelf, search, &command.page)
}

/// `zhao list`.
///
/// # Errors
/// The records or the log cannot be read.
pub(crate) fn run(session: &Session, command: &ListLicences) -> Result<Exit, Failure> {
    let search = match command.state.as_deref() {
        Some("issued") => Search::State(LicenceState::Issued),
        Some("issuing") => Search::State(LicenceState::Issuing),
        Some(_) => Search::State(LicenceState::Refused),
        None => Search::All,
    };
    let shelf = Shelf::open(session, &command.dir, &command.page.secret)?;
    show(session, &shelf, search, &command.page)
}

fn show(
    session: &Session,
    shelf: &Shelf,
    search: Search<'_>,
    page: &Page,
) -> Result<Exit, Failure> {
    let after = i64::try_from(page.after).unwrap_or(i64::MAX);
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    // One more than asked for tells whether there is more.
    let found = shelf
        .records
        .licences(search, after, limit.saturating_add(1));
    let path = shelf.home.records();
    let mut found = found.map_err(because("records", args![path = path.display()]))?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| last.id);
    let standings = shelf.standings(found.iter().map(|row| row.subject))?;
    let rows = found.iter().zip(&standings);
    if page.json {
        let licences: Vec<_> = rows
            .map(|(row, record)| json(row, record.as_ref()))
            .collect();
        let value = serde_json::json!({"licences": licences, "next": next});
        session.line(&value.to_string())?;
        return Ok(Exit::Fine);
    }
    if found.is_empty() {
        session.note("list.none", &args![]);
        return Ok(Exit::Fine);
    }
    let path = shelf.home.catalogue();
    let catalogue =
        Catalogue::load(&path).map_err(because("catalogue", args![path = path.display()]))?;
    let messages = &session.messages;
    let mut out = table(session, presets::UTF8_FULL_CONDENSED);
    out.set_header(
        [
            "list.column-row",
            "list.column-number",
            "list.column-type",
            "list.column-holder",
            "list.column-code",
            "list.column-standing",
        ]
        .map(|key| messages.text(key)),
    );
    for (row, record) in rows {
        let known = catalogue.entry(&row.type_code);
        let type_name = known.map_or_else(|_| row.type_code.clone(), |entry| entry.slug.clone());
        out.add_row([
            row.id.to_string(),
            plain(&row.number),
            plain(&type_name),
            plain(&row.holder_name),
            plain(&row.holder_code),
            words(messages, row.state, record.as_ref()),
        ]);
    }
    for line in out.lines() {
        session.line(line.trim_end())?;
    }
    if let Some(next) = next {
        session.note("list.more", &args![next]);
    }
    Ok(Exit::Fine)
}

fn json(row: &Summary, record: Option<&LicenceRecord>) -> serde_json::Value {
    serde_json::json!({
        "holderCode": row.holder_code,
        "holderName": row.holder_name,
        "identifier": row.identifier,
        "number": row.number,
        "origin": row.origin.as_str(),
        "row": row.id,
        "standing": record.map(standing_json),
        "state": state_word(row.state),
        "subject": row.subject.to_string(),
        "type": row.type_code,
        "unit": row.unit,
        "version": row.version,
    })
}

/// What the log says about a licence, for machines.
pub(super) fn standing_json(record: &LicenceRecord) -> serde_json::Value {
    let suspensions = record.suspensions.iter();
    let suspensions: Vec<_> = suspensions.map(|each| each.as_str()).collect();
    serde_json::json!({"state": record.state.as_str(), "suspensions": suspensions})
}

/// Whether the ledger has taken a licence, for machines.
pub(super) fn state_word(state: LicenceState) -> &'static str {
    match state {
        LicenceState::Issued => "issued",
        LicenceState::Issuing => "issuing",
        LicenceState::Refused => "refused",
    }
}

/// State and standing, for people.
pub(super) fn words(
    messages: &Messages,
    state: LicenceState,
    record: Option<&LicenceRecord>,
) -> String {
    let Some(record) = record.filter(|_| state == LicenceState::Issued) else {
        return messages.text(match state {
            LicenceState::Issued => "list.issued",
            LicenceState::Issuing => "list.issuing",
            LicenceState::Refused => "list.refused",
        });
    };
    let mut words = vec![messages.text(&format!("state.{}", record.state.as_str()))];
    if record.state == State::Active {
        let suspensions = record.suspensions.iter();
        words.extend(suspensions.map(|each| messages.text(&format!("state.{}", each.as_str()))));
    }
    words.join(", ")
}
