//! `zhao sample`: fictional licences as CSV, one type or all of them in turn.

use std::collections::BTreeMap;

use zhao_issuer::catalogue::{Catalogue, Entry};
use zhao_issuer::sample;
use zhao_spec::id::{RegionCode, Uscc};
use zhao_spec::wire::Date;

use crate::args::Sample;
use crate::failure::{Exit, Failure, args, because};
use crate::files;
use crate::session::Session;

/// Rows of one type, as cells by column.
type Rows = Vec<BTreeMap<String, String>>;

/// Runs the command.
///
/// # Errors
/// No such type, or the disk.
pub(crate) fn run(session: &Session, command: &Sample) -> Result<Exit, Failure> {
    files::must_be_writable(&command.output)?;
    let today = session.host.now()?.beijing_date();
    let catalogue = Catalogue::embedded().map_err(because("catalogue-entry", args![]))?;
    let entries: Vec<&Entry> = match &command.licence_type {
        Some(name) => vec![
            catalogue
                .entry(name)
                .map_err(because("catalogue-entry", args![]))?,
        ],
        None => catalogue.entries().collect(),
    };
    let request = Request {
        count: command.count,
        seed: command.seed,
        today,
        units: Vec::new(),
    };
    let bytes = request.csv(&entries)?;
    files::output(session, &command.output, &bytes)?;
    session.note("sample.done", &args![count = command.count]);
    Ok(Exit::Fine)
}

/// What is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Rows in all.
    pub(crate) count: u64,
    /// The same seed, the same rows.
    pub(crate) seed: u64,
    /// No licence is issued later.
    pub(crate) today: Date,
    /// The issuing units, type by type in turn; none: the rows name none.
    pub(crate) units: Vec<Uscc>,
}

impl Request {
    /// The rows of `entries` in turn, under the columns of all of them.
    ///
    /// # Errors
    /// None unless the sample is broken.
    pub(crate) fn csv(&self, entries: &[&Entry]) -> Result<Vec<u8>, Failure> {
        let kinds = u64::try_from(entries.len()).unwrap_or(1).max(1);
        let region =
            RegionCode::parse("320400").map_err(because("region", args![value = "320400"]))?;
        let (_, nobody) = super::init::fictional_unit(&region, 1);
        let mut columns: Vec<String> = Vec::new();
        let mut batches: Vec<Rows> = Vec::new();
        for (at, entry) in (0..).zip(entries) {
            let rows = self.count / kinds + u64::from(at < self.count % kinds);
            let unit = match self.units.len() {
                0 => nobody.clone(),
                length => self.units[usize::try_from(at).unwrap_or(0) % length].clone(),
            };
            let sample = sample::Sample {
                // Holders have three licences on average.
                enterprises: (self.count / 3).max(1),
                seed: self.seed,
                today: self.today,
                unit,
            };
            let text = sample.csv(entry, rows);
            batches.push(self.rows(&text, &mut columns)?);
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        let wrap = |cause: csv::Error| Failure::usage("office", args![cause]);
        writer.write_record(&columns).map_err(wrap)?;
        let most = batches.iter().map(Vec::len).max().unwrap_or(0);
        for at in 0..most {
            for row in batches.iter().filter_map(|batch| batch.get(at)) {
                let cells = columns
                    .iter()
                    .map(|name| row.get(name).map_or("", String::as_str));
                writer.write_record(cells).map_err(wrap)?;
            }
        }
        writer
            .into_inner()
            .map_err(|cause| Failure::usage("office", args![cause]))
    }

    fn rows(&self, text: &str, columns: &mut Vec<String>) -> Result<Rows, Failure> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let wrap = |cause: csv::Error| Failure::usage("office", args![cause]);
        let header = reader.headers().map_err(wrap)?.clone();
        for name in &header {
            let named = name == "issuer" && self.units.is_empty();
            if !named && !columns.iter().any(|known| known == name) {
                columns.push(name.to_owned());
            }
        }
        let mut rows = Rows::new();
        for record in reader.records() {
            let record = record.map_err(wrap)?;
            let cells = header.iter().zip(&record);
            rows.push(
                cells
                    .map(|(name, cell)| (name.to_owned(), cell.to_owned()))
                    .collect(),
            );
        }
        Ok(rows)
    }
}
