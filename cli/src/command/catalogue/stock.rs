//! How far the old stock of each type is converted: as the records have it; or a batch, held
//! against the catalogue and against the report of `zhao issue`, if there is one yet.

use std::collections::BTreeMap;
use std::io::BufReader;
use std::path::Path;

use comfy_table::presets;
use serde_json::json;
use zhao_issuer::catalogue::Catalogue;
use zhao_issuer::intake::{self, Defaults, Origin, Row, RowError};
use zhao_spec::id::Uscc;

use super::{catalogue, name};
use crate::args::Stock;
use crate::command::office::{keyring, records};
use crate::failure::{Exit, Failure, args, because};
use crate::home::Home;
use crate::messages::{Language, Messages};
use crate::said;
use crate::session::Session;
use crate::sheet::{plain, table};

/// Most rejected rows that the table for people shows.
const SHOWN: usize = 20;

/// Why a row of the stock is not converted, in English and Chinese.
type Reason = [String; 2];

/// Runs the command.
///
/// # Errors
/// A batch or report that cannot be read, no such type, records that cannot be opened.
pub(super) fn run(session: &Session, command: &Stock) -> Result<Exit, Failure> {
    let catalogue = catalogue(Some(&command.dir))?;
    let mut stock = intake::Stock::<Reason>::default();
    for (named, target) in &command.target {
        let entry = catalogue
            .entry(named)
            .map_err(because("catalogue-entry", args![]))?;
        stock.aim(&entry.slug, *target);
    }
    match &command.from {
        Some(from) => of_batch(session, command, from, &catalogue, &mut stock)?,
        None => of_records(session, command, &catalogue, &mut stock)?,
    }
    let types = stock.types(&catalogue);
    let whole = types.iter().all(|(_, of)| of.rejected == 0);
    match command.json {
        true => print_json(session, &types)?,
        false => print(session, &catalogue, &types)?,
    }
    match (&command.from, &command.report) {
        (Some(from), Some(_)) => {
            session.note("catalogue.stock-done", &args![path = from.display()]);
        }
        (Some(from), None) => {
            session.note("catalogue.stock-dry", &args![path = from.display()]);
        }
        (None, _) => session.note("catalogue.stock-records", &args![]),
    }
    Ok(if whole { Exit::Fine } else { Exit::Refused })
}

/// Counts the rows of a batch: as its report says, or as they would fare.
fn of_batch(
    session: &Session,
    command: &Stock,
    from: &Path,
    catalogue: &Catalogue,
    stock: &mut intake::Stock<Reason>,
) -> Result<(), Failure> {
    let unit = command.unit.as_deref();
    let unit = unit.map(crate::command::init::parse_uscc).transpose()?;
    let report = command.report.as_deref().map(read_report).transpose()?;
    let file = crate::command::issue::open_batch(from)?;
    let named = command.licence_type.as_deref();
    let rows = intake::open(BufReader::new(file), catalogue, named)
        .map_err(because("batch", args![path = from.display()]))?;
    let judge = Judge {
        both: [Messages::new(Language::En), Messages::new(Language::Zh)],
        catalogue,
        defaults: Defaults {
            licence_type: command.licence_type.clone(),
            today: session.host.now()?.beijing_date(),
            unit: unit.or_else(|| some_unit(catalogue)),
        },
        report,
    };
    for row in intake::distinct(rows) {
        judge.count(row, stock);
    }
    Ok(())
}

/// Counts what the office has, whatever batches it came in.
fn of_records(
    session: &Session,
    command: &Stock,
    catalogue: &Catalogue,
    stock: &mut intake::Stock<Reason>,
) -> Result<(), Failure> {
    let home = Home::open(&command.dir)?;
    let mut keyring = keyring(session, &home.keys(), &command.secret)?;
    let records = records(session, &home, &mut keyring)?;
    let counts = records
        .counts_by_type()
        .map_err(because("records", args![path = home.records().display()]))?;
    for count in &counts {
        // A type whose entry is gone is told of by its code.
        let entry = catalogue.entry(&count.type_code).ok();
        let slug = entry.map_or(count.type_code.as_str(), |entry| &entry.slug);
        stock.recorded(slug, count);
    }
    Ok(())
}

/// Any unit that issues: rows that name none are looked at as if it were theirs.
fn some_unit(catalogue: &Catalogue) -> Option<Uscc> {
    let mut units = catalogue.entries().flat_map(|entry| &entry.issuing_units);
    units.next().map(|unit| unit.code.clone())
}

/// What `zhao issue` said of each row: none when it was issued.
fn read_report(path: &Path) -> Result<BTreeMap<u64, Option<Reason>>, Failure> {
    let wrong = |cause: &dyn std::fmt::Display| {
        let path = path.display();
        Failure::usage("stock-report", args![path, cause])
    };
    let file = std::fs::File::open(path).map_err(|cause| Failure::file("read", path, &cause))?;
    let mut reader = csv::Reader::from_reader(BufReader::new(file));
    let header = reader.headers().map_err(|cause| wrong(&cause))?.clone();
    if header
        .iter()
        .ne(crate::command::show::REPORT_HEADER.split(','))
    {
        return Err(wrong(&"not a report of zhao issue"));
    }
    let mut report = BTreeMap::new();
    for record in reader.records() {
        let record = record.map_err(|cause| wrong(&cause))?;
        let cell = |at: usize| record.get(at).unwrap_or_default();
        let row = cell(0).parse().map_err(|cause| wrong(&cause))?;
        let converted = matches!(cell(1), "issued" | "repeated");
        let reason = || [cell(3), cell(4)].map(str::to_owned);
        report.insert(row, (!converted).then(reason));
    }
    Ok(report)
}

struct Judge<'a> {
    both: [Messages; 2],
    catalogue: &'a Catalogue,
    defaults: Defaults,
    report: Option<BTreeMap<u64, Option<Reason>>>,
}

impl Judge<'_> {
    fn count(&self, row: Result<Row, RowError>, stock: &mut intake::Stock<Reason>) {
        let (slug, origin, number, checked) = match row {
            Ok(row) => {
                let (slug, origin) = self.place(&row);
                let checked = intake::check(&row, self.catalogue, &self.defaults);
                let origin = checked.as_ref().map_or(origin, |request| request.origin);
                (slug, origin, row.number, checked.map(|_| ()))
            }
            // What cannot be read as a row has no type; it is told of where nothing has one.
            Err(error) => (self.unplaced(), Origin::Legacy, error.row, Err(error)),
        };
        if origin == Origin::New {
            if checked.is_ok() {
                stock.count(&slug, origin);
            }
            return;
        }
        let refused = match (&self.report, checked) {
            (Some(report), checked) => match report.get(&number) {
                Some(None) => None,
                Some(Some(reason)) => Some(reason.clone()),
                None => Some(self.both.each_ref().map(|m| match &checked {
                    Ok(()) => m.text("catalogue.not-issued"),
                    Err(error) => said::row_text(error, m),
                })),
            },
            (None, Ok(())) => None,
            (None, Err(error)) => Some(self.both.each_ref().map(|m| said::row_text(&error, m))),
        };
        match refused {
            None => stock.count(&slug, origin),
            Some(reason) => stock.reject(&slug, number, reason),
        }
    }

    /// Type and origin of a row, as far as it tells.
    fn place(&self, row: &Row) -> (String, Origin) {
        let said = match row.cells.get("type") {
            Some(intake::Cell::Text(text)) => Some(text.as_str()),
            _ => self.defaults.licence_type.as_deref(),
        };
        match said.and_then(|named| self.catalogue.entry(named).ok()) {
            Some(entry) => (entry.slug.clone(), Origin::of_row(row, entry)),
            None => (self.unplaced(), Origin::Legacy),
        }
    }

    fn unplaced(&self) -> String {
        let named = self.defaults.licence_type.as_deref();
        let entry = named.and_then(|named| self.catalogue.entry(named).ok());
        entry.map_or_else(|| "?".to_owned(), |entry| entry.slug.clone())
    }
}

type Types<'a> = [(&'a str, &'a intake::TypeStock<Reason>)];

fn print_json(session: &Session, types: &Types<'_>) -> Result<(), Failure> {
    let types: Vec<_> = types
        .iter()
        .map(|(slug, of)| {
            let rejects = of.rejects.iter().map(|reject| {
                let [en, zh] = &reject.reason;
                json!({ "row": reject.row, "reason": { "en": en, "zh": zh } })
            });
            json!({
                "type": slug,
                "target": of.target,
                "whole": of.whole(),
                "converted": of.converted,
                "perMille": of.per_mille(),
                "increment": of.increment,
                "rejected": of.rejected,
                "underWay": of.under_way,
                "rejects": rejects.collect::<Vec<_>>(),
            })
        })
        .collect();
    session.line(&serde_json::Value::Array(types).to_string())
}

fn print(session: &Session, catalogue: &Catalogue, types: &Types<'_>) -> Result<(), Failure> {
    let word = |key: &str| session.messages.text(key);
    let mut rows = table(session, presets::UTF8_HORIZONTAL_ONLY);
    rows.set_header([
        word("catalogue.name"),
        word("catalogue.target"),
        word("catalogue.converted"),
        word("catalogue.share"),
        word("catalogue.under-way"),
        word("catalogue.rejected"),
        word("catalogue.increment"),
    ]);
    for (slug, of) in types {
        let title = catalogue.entry(slug).ok();
        let title = title.map_or(*slug, |entry| name(session, &entry.names));
        let share = of.per_mille();
        rows.add_row([
            plain(title),
            of.whole().to_string(),
            of.converted.to_string(),
            share.map_or_else(String::new, |n| format!("{}.{} %", n / 10, n % 10)),
            of.under_way.to_string(),
            of.rejected.to_string(),
            of.increment.to_string(),
        ]);
    }
    session.line(&rows.to_string())?;
    let language = match session.messages.language() {
        Language::En => 0,
        Language::Zh => 1,
    };
    for (slug, of) in types {
        for reject in of.rejects.iter().take(SHOWN) {
            let text = reject.reason.get(language).map_or("", String::as_str);
            let (row, text) = (reject.row, plain(text));
            session.say("catalogue.reject", &args![slug, row, text])?;
        }
    }
    Ok(())
}
