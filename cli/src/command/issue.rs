//! `zhao issue`: a batch in, one credential file a licence out, and a report of every row.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use zhao_issuer::intake::{self, Defaults, LocalRegisters, Registry as _, Remark};
use zhao_issuer::office::{Issued, Outcome};
use zhao_issuer::records::Licence;
use zhao_spec::id::Uscc;

use super::office::{Desk, wrong};
use crate::args::Issue;
use crate::failure::{Exit, Failure, args, because};
use crate::files::{self, OutputDir};
use crate::messages::{Language, Messages};
use crate::said::{self, Said};
use crate::session::Session;

/// Name of the report in the output directory.
pub(crate) const REPORT: &str = "report.csv";

/// Runs the command.
///
/// # Errors
/// No office, a batch that cannot be read, or the disk.
pub(crate) fn run(session: &Session, command: &Issue) -> Result<Exit, Failure> {
    let unit = command
        .unit
        .as_deref()
        .map(super::init::parse_uscc)
        .transpose()?;
    // The batch is opened before the office: a wrong path costs no passphrase.
    let file = open_batch(&command.from)?;
    files::dir_must_be_writable(&command.output)?;
    let registers = command.register.as_deref().map(registers).transpose()?;
    let mut desk = Desk::open(session, &command.dir, &command.secret)?;
    let compared = registers.is_some();
    if let Some(registers) = registers {
        let count = registers.len();
        session.note("issue.register", &args![count, source = registers.source()]);
        desk.office.use_registers(Box::new(registers));
    }
    let licence_type = command.licence_type.as_deref();
    let batch = Batch {
        file,
        path: &command.from,
        licence_type,
        unit,
        output: &command.output,
        compared,
    };
    let report = batch.issue(session, &mut desk)?;
    super::office::write_pack(&desk.home, &desk.office)?;
    session.say(
        "issue.done",
        &args![
            issued = report.issued,
            repeated = report.repeated,
            refused = report.refused,
            pending = report.pending,
            report = command.output.join(REPORT).display(),
        ],
    )?;
    let whole = report.refused == 0 && report.pending == 0;
    Ok(if whole { Exit::Fine } else { Exit::Refused })
}

/// Reads the file that stands in for the registers.
fn registers(path: &Path) -> Result<LocalRegisters, Failure> {
    let file = open_batch(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    LocalRegisters::read(BufReader::new(file), &name)
        .map_err(because("register", args![path = path.display()]))
}

/// Opens the file of a batch.
///
/// # Errors
/// It cannot be read, or is a directory.
pub(crate) fn open_batch(path: &Path) -> Result<File, Failure> {
    if path.is_dir() {
        let path = path.display();
        return Err(Failure::usage("batch-directory", args![path]));
    }
    File::open(path).map_err(|cause| Failure::file("read", path, &cause))
}

/// One batch to be issued.
pub(crate) struct Batch<'a> {
    /// The open file.
    pub(crate) file: File,
    /// Its name, for messages.
    pub(crate) path: &'a Path,
    /// Type of all rows, by code or slug.
    pub(crate) licence_type: Option<&'a str>,
    /// Unit of the rows that name none.
    pub(crate) unit: Option<Uscc>,
    /// Where the files go.
    pub(crate) output: &'a Path,
    /// Whether names are compared with registers: then the report says where they were not.
    pub(crate) compared: bool,
}

/// How a batch went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Issued.
    pub(crate) issued: u64,
    /// Issued before, under the same reference.
    pub(crate) repeated: u64,
    /// Refused.
    pub(crate) refused: u64,
    /// Not in the log yet.
    pub(crate) pending: u64,
    /// Subject keys of what was issued, in order of the rows.
    pub(crate) subjects: Vec<zhao_spec::wire::Hash>,
    lines: String,
}

impl Batch<'_> {
    /// Issues every row, writes the credentials and the report.
    ///
    /// # Errors
    /// The batch cannot be read, the office's, or the disk's.
    pub(crate) fn issue(self, session: &Session, desk: &mut Desk) -> Result<Report, Failure> {
        let bytes = self
            .file
            .metadata()
            .map(|data| data.len())
            .unwrap_or_default();
        let rows = intake::open(
            BufReader::new(self.file),
            desk.office.catalogue(),
            self.licence_type,
        )
        .map_err(because("batch", args![path = self.path.display()]))?;
        let _made = OutputDir::make(self.output)?;
        let units = desk
            .office
            .records()
            .units()
            .map_err(|cause| wrong(cause.into()))?;
        let first = units.first().and_then(|unit| Uscc::parse(&unit.uscc).ok());
        let now = session.host.now()?;
        let defaults = Defaults {
            licence_type: self.licence_type.map(str::to_owned),
            today: now.beijing_date(),
            unit: self.unit.or(first),
        };
        let mut rng = session.host.generator()?;
        // How many rows there are is known at the end only; a licence's row has about 300 bytes.
        let bar = session.progress(bytes / 300 + 1, &session.messages.text("issue.progress"));
        let mut writer = Writer::new(self.output);
        let (mut uncompared, compared) = (0_u64, self.compared);
        let tally = desk
            .office
            .issue(
                &mut intake::distinct(rows),
                &defaults,
                now,
                &mut rng,
                &mut |row, outcome, tally| {
                    bar.inc(1);
                    uncompared += u64::from(!tally.remarks.is_empty());
                    let shown: &[Remark] = if compared { &tally.remarks } else { &[] };
                    writer.row(row, &outcome, shown);
                },
            )
            .map_err(wrong)?;
        bar.finish_and_clear();
        if uncompared > 0 {
            session.note("issue.uncompared", &args![count = uncompared]);
        }
        if let Some(trouble) = tally.trouble {
            session.note("issue.trouble", &args![cause = trouble]);
        }
        writer.finish()
    }
}

/// Writes credentials as they are issued, and collects the report.
pub(crate) struct Writer<'a> {
    output: &'a Path,
    report: Report,
    both: [Messages; 2],
    /// The first file that could not be written; the rest of the batch goes on.
    failure: Option<Failure>,
}

impl<'a> Writer<'a> {
    /// Into this directory.
    pub(crate) fn new(output: &'a Path) -> Self {
        Self {
            output,
            report: Report {
                lines: format!("{}\n", super::show::REPORT_HEADER),
                ..Report::default()
            },
            both: [Messages::new(Language::En), Messages::new(Language::Zh)],
            failure: None,
        }
    }

    /// What became of one row.
    pub(crate) fn row(&mut self, row: u64, outcome: &Outcome, remarks: &[Remark]) {
        match outcome {
            Outcome::Issued(issued) => {
                self.report.issued += 1;
                self.report.subjects.push(issued.licence.subject);
                self.issued(row, issued, remarks);
            }
            Outcome::Repeated(licence) => {
                self.report.repeated += 1;
                let file = self.credential(licence);
                self.line(row, "repeated", "", ["", ""], &licence.credential_id, &file);
            }
            Outcome::Pending(licence) => {
                self.report.pending += 1;
                self.line(row, "pending", "", ["", ""], &licence.credential_id, "");
            }
            Outcome::Refused(error) => {
                self.report.refused += 1;
                let said = said::issue(error);
                let [en, zh] = self
                    .both
                    .each_ref()
                    .map(|messages| sentences(&said, messages));
                let code = said.first().map(Said::code).unwrap_or_default().to_owned();
                self.line(row, "refused", &code, [&en, &zh], "", "");
            }
        }
    }

    fn issued(&mut self, row: u64, issued: &Issued, remarks: &[Remark]) {
        let file = self.credential(&issued.licence);
        let said: Vec<Said> = remarks.iter().map(said::remark).collect();
        let [en, zh] = self
            .both
            .each_ref()
            .map(|messages| sentences(&said, messages));
        let code = said.first().map(Said::code).unwrap_or_default().to_owned();
        let id = &issued.licence.credential_id;
        self.line(row, "issued", &code, [&en, &zh], id, &file);
    }

    /// Writes the credential's exact bytes; gives the file's name.
    fn credential(&mut self, licence: &Licence) -> String {
        let name = file_name(&licence.credential_id);
        if let Err(failure) = files::replace(&self.output.join(&name), &licence.credential) {
            self.failure.get_or_insert(failure);
        }
        name
    }

    fn line(&mut self, row: u64, status: &str, code: &str, texts: [&str; 2], id: &str, file: &str) {
        let [en, zh] = texts.map(quoted);
        self.report
            .lines
            .push_str(&format!("{row},{status},{code},{en},{zh},{id},{file}\n"));
    }

    /// Writes the report.
    ///
    /// # Errors
    /// A file could not be written.
    pub(crate) fn finish(mut self) -> Result<Report, Failure> {
        let lines = std::mem::take(&mut self.report.lines);
        files::replace(&self.output.join(REPORT), lines.as_bytes())?;
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok(self.report),
        }
    }
}

/// `urn:uuid:X` is kept as `X.json`.
pub(crate) fn file_name(credential_id: &str) -> String {
    let id = credential_id
        .strip_prefix("urn:uuid:")
        .unwrap_or(credential_id);
    format!("{id}.json")
}

fn sentences(said: &[Said], messages: &Messages) -> String {
    let texts: Vec<String> = said.iter().map(|one| one.text(messages)).collect();
    texts.join("; ")
}

/// A CSV cell. One that a spreadsheet would take for a formula is disarmed.
fn quoted(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let text = text.replace(['\n', '\r'], " ").replace('"', "\"\"");
    let formula = text.starts_with(['=', '+', '-', '@', '\t']);
    if formula {
        format!("\"'{text}\"")
    } else {
        format!("\"{text}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_formulas_disarmed() {
        assert_eq!(quoted(""), "");
        assert_eq!(quoted("a, \"b\"\nc"), "\"a, \"\"b\"\" c\"");
        assert_eq!(quoted("=HYPERLINK(1)"), "\"'=HYPERLINK(1)\"");
    }

    #[test]
    fn a_credential_is_named_by_its_uuid() {
        assert_eq!(file_name("urn:uuid:1-2"), "1-2.json");
    }
}
