//! `zhao issue`: a batch in, one credential file a licence out, and a report of every row.

use std::fs::File;
use std::io::{BufReader, Seek as _};
use std::path::Path;

use zhao_issuer::intake::{self, Defaults, LocalRegisters, Registry as _, Remark};
use zhao_issuer::office::Bulk;
use zhao_spec::id::Uscc;
use zhao_spec::wire::{Hash, UnixMillis};

use super::office::{Desk, wrong};
use crate::args::Issue;
use crate::failure::{Exit, Failure, args, because};
use crate::files::{self, OutputDir};
use crate::session::Session;

mod writer;

pub(crate) use writer::{Writer, file_name};

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
        lines: command.lines,
        dry_run: command.dry_run,
        compared,
        again: command.again,
    };
    let report = batch.issue(session, &mut desk)?;
    super::office::write_pack(&desk.home, &desk.office)?;
    report.tell(session, &command.output, command.json)
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
    /// All credentials in one file.
    pub(crate) lines: bool,
    /// Only look whether the rows would be issued.
    pub(crate) dry_run: bool,
    /// Whether names are compared with registers: then the report says where they were not.
    pub(crate) compared: bool,
    /// Whether rows without a case number that this file had before are issued once more.
    pub(crate) again: bool,
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
    pub(crate) subjects: Vec<Hash>,
}

impl Report {
    /// Says how it went; gives the exit code.
    ///
    /// # Errors
    /// Standard output is closed or full.
    pub(crate) fn tell(
        &self,
        session: &Session,
        output: &Path,
        as_json: bool,
    ) -> Result<Exit, Failure> {
        let report = output.join(REPORT);
        let report = report.display();
        let Self {
            issued,
            repeated,
            refused,
            pending,
            ..
        } = *self;
        if as_json {
            let value = serde_json::json!({
                "issued": issued, "pending": pending, "refused": refused, "repeated": repeated,
                "report": report.to_string(),
            });
            session.line(&value.to_string())?;
        } else {
            session.say(
                "issue.done",
                &args![issued, repeated, refused, pending, report],
            )?;
        }
        let whole = refused == 0 && pending == 0;
        Ok(if whole { Exit::Fine } else { Exit::Refused })
    }

    /// Says that a licence has a new version; gives the exit code.
    ///
    /// # Errors
    /// Standard output is closed or full.
    pub(crate) fn tell_version(
        &self,
        session: &Session,
        output: &Path,
        number: &str,
        as_json: bool,
    ) -> Result<Exit, Failure> {
        let report = output.join(REPORT);
        let report = report.display();
        if as_json {
            let value = serde_json::json!({
                "issued": self.issued, "number": number, "pending": self.pending,
                "report": report.to_string(),
            });
            session.line(&value.to_string())?;
        } else {
            let (count, number) = (self.issued, crate::sheet::plain(number));
            session.say("version.done", &args![count, number, report])?;
        }
        Ok(match self.pending {
            0 => Exit::Fine,
            _ => Exit::Refused,
        })
    }
}

impl Batch<'_> {
    /// Issues every row, writes the credentials and the report.
    ///
    /// # Errors
    /// The batch cannot be read, the office's, or the disk's.
    pub(crate) fn issue(self, session: &Session, desk: &mut Desk) -> Result<Report, Failure> {
        let source = digest(&self.file, self.path)?;
        let bytes = self
            .file
            .metadata()
            .map(|data| data.len())
            .unwrap_or_default();
        let bar = session.progress_bytes(bytes);
        let rows = intake::open(
            BufReader::with_capacity(1 << 18, bar.wrap_read(&self.file)),
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
            unit: self.unit.clone().or(first),
        };
        let mut rng = session.host.generator()?;
        let job = match source {
            Some(source) => self.job(session, desk, &source, &defaults, now)?,
            None => None,
        };
        let mut writer = Writer::new(self.output, self.lines);
        let (mut uncompared, compared) = (0_u64, self.compared);
        let bulk = Bulk {
            workers: std::thread::available_parallelism().map_or(2, usize::from),
            dry_run: self.dry_run,
            job,
            ..Bulk::default()
        };
        let clock = session.host.clock.clone();
        let tally = desk
            .office
            .issue_bulk(
                &mut intake::distinct(rows),
                &defaults,
                &bulk,
                &|| clock.read(),
                &mut rng,
                &mut |row, outcome, tally| {
                    if row % 1_000 == 0 {
                        bar.set_message(session.messages.fill(
                            "issue.progress",
                            &args![rows = tally.rows(), refused = tally.refused],
                        ));
                    }
                    uncompared += u64::from(!tally.remarks.is_empty());
                    let shown: &[Remark] = if compared { &tally.remarks } else { &[] };
                    writer.bulk(row, outcome, shown);
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

    /// The job of this file: by it rows without a case number are known when the file comes again.
    fn job(
        &self,
        session: &Session,
        desk: &mut Desk,
        source: &Hash,
        defaults: &Defaults,
        now: UnixMillis,
    ) -> Result<Option<i64>, Failure> {
        let unit = defaults.unit.as_ref().map(Uscc::as_str);
        let options = serde_json::json!({"type": self.licence_type, "unit": unit}).to_string();
        let known = desk.office.records().job_with(source, &options);
        let known = known.map_err(|cause| wrong(cause.into()))?;
        if self.dry_run {
            return Ok(known.map(|job| job.id));
        }
        if let Some(job) = known.filter(|_| !self.again) {
            let rows = desk.office.records().job_size(job.id);
            let rows = rows.map_err(|cause| wrong(cause.into()))?;
            if rows > 0 {
                session.note("issue.goes-on", &args![rows]);
            }
        }
        let job = desk.office.begin_job(source, &options, self.again, now);
        Ok(Some(job.map_err(wrong)?.id))
    }
}

/// BLAKE3 of a file, which is read from its beginning again; none for what is no file, as a pipe
/// can be read once.
fn digest(mut file: &File, path: &Path) -> Result<Option<Hash>, Failure> {
    let wrap = |cause: std::io::Error| Failure::file("read", path, &cause);
    if !file.metadata().map_err(wrap)?.is_file() {
        return Ok(None);
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(file).map_err(wrap)?;
    file.rewind().map_err(wrap)?;
    Ok(Some(Hash(*hasher.finalize().as_bytes())))
}
