//! What a batch leaves behind: the credentials, and a report of every row.
//!
//! Rows are written as they come, so that a million of them need no memory. Credentials are in the
//! records and can be written again at any time: their files are made durable once, at the end.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use zhao_issuer::intake::Remark;
use zhao_issuer::office::{Issued, Outcome, RowOutcome};
use zhao_issuer::records::Licence;

use super::{REPORT, Report};
use crate::failure::Failure;
use crate::files;
use crate::messages::{Language, Messages};
use crate::said::{self, Said};

/// Name of the file of all credentials in the output directory.
pub(crate) const LINES: &str = "credentials.jsonl";

/// Writes credentials as they are issued, and the report.
pub(crate) struct Writer<'a> {
    output: &'a Path,
    counts: Report,
    both: [Messages; 2],
    report: Option<(BufWriter<File>, PathBuf)>,
    /// All credentials in one file, instead of a file each.
    lines: Option<(BufWriter<File>, PathBuf)>,
    /// The first file that could not be written; the rest of the batch goes on.
    failure: Option<Failure>,
}

impl<'a> Writer<'a> {
    /// Into this directory; with `lines`, all credentials into one file.
    pub(crate) fn new(output: &'a Path, lines: bool) -> Self {
        let mut this = Self {
            output,
            counts: Report::default(),
            both: [Messages::new(Language::En), Messages::new(Language::Zh)],
            report: None,
            lines: None,
            failure: None,
        };
        this.report = this.begin(REPORT);
        if lines {
            this.lines = this.begin(LINES);
        }
        this.put_report(&format!("{}\n", crate::command::show::REPORT_HEADER));
        this
    }

    /// Begins a file under a name that says that it is not whole.
    fn begin(&mut self, name: &str) -> Option<(BufWriter<File>, PathBuf)> {
        let path = self.output.join(name);
        let part = self.output.join(format!(".{name}.part"));
        match File::create(&part) {
            Ok(file) => Some((BufWriter::with_capacity(1 << 16, file), path)),
            Err(cause) => {
                self.fail(Failure::file("write", &path, &cause));
                None
            }
        }
    }

    fn fail(&mut self, failure: Failure) {
        self.failure.get_or_insert(failure);
    }

    /// What became of one row of a batch.
    pub(crate) fn bulk(&mut self, row: u64, outcome: RowOutcome, remarks: &[Remark]) {
        match outcome {
            RowOutcome::Issued {
                credential,
                id,
                subject,
                ..
            } => {
                self.counts.issued += 1;
                self.counts.subjects.push(subject);
                let file = self.credential(&id, &credential);
                self.remarked(row, "issued", remarks, &id, &file);
            }
            RowOutcome::Possible => {
                self.counts.issued += 1;
                self.remarked(row, "possible", remarks, "", "");
            }
            RowOutcome::Repeated(licence) => self.repeated(row, &licence),
            RowOutcome::Pending { id } => self.pending(row, &id),
            RowOutcome::Refused(error) => self.refused(row, &error),
        }
    }

    /// What became of one row.
    pub(crate) fn row(&mut self, row: u64, outcome: &Outcome, remarks: &[Remark]) {
        match outcome {
            Outcome::Issued(issued) => {
                self.counts.issued += 1;
                self.counts.subjects.push(issued.licence.subject);
                self.issued(row, issued, remarks);
            }
            Outcome::Repeated(licence) => self.repeated(row, licence),
            Outcome::Pending(licence) => self.pending(row, &licence.credential_id),
            Outcome::Refused(error) => self.refused(row, error),
        }
    }

    /// What became of one row, as a server says.
    pub(crate) fn answered(&mut self, answer: &zhao_http::Issued) {
        let id = answer.licence.as_ref().map_or("", |licence| &*licence.id);
        let file = match &answer.credential {
            Some(credential) => self.credential(id, credential.get().as_bytes()),
            None => String::new(),
        };
        let [en, zh]: [Vec<&str>; 2] = [
            answer.faults.iter().map(|fault| &*fault.text).collect(),
            answer.faults.iter().map(|fault| &*fault.text_zh).collect(),
        ];
        let [en, zh] = [en, zh].map(|texts| texts.join("; "));
        let code = answer.faults.first().map_or("", |fault| &*fault.code);
        let count = match &*answer.status {
            "issued" | "possible" => &mut self.counts.issued,
            "repeated" => &mut self.counts.repeated,
            "pending" => &mut self.counts.pending,
            _ => &mut self.counts.refused,
        };
        *count += 1;
        self.line(answer.row, &answer.status, code, [&en, &zh], id, &file);
    }

    fn issued(&mut self, row: u64, issued: &Issued, remarks: &[Remark]) {
        let licence = &issued.licence;
        let file = self.credential(&licence.credential_id, &licence.credential);
        self.remarked(row, "issued", remarks, &licence.credential_id, &file);
    }

    fn remarked(&mut self, row: u64, status: &str, remarks: &[Remark], id: &str, file: &str) {
        let said: Vec<Said> = remarks.iter().map(said::remark).collect();
        let [en, zh] = self
            .both
            .each_ref()
            .map(|messages| sentences(&said, messages));
        let code = said.first().map(Said::code).unwrap_or_default().to_owned();
        self.line(row, status, &code, [&en, &zh], id, file);
    }

    fn repeated(&mut self, row: u64, licence: &Licence) {
        self.counts.repeated += 1;
        let file = self.credential(&licence.credential_id, &licence.credential);
        self.line(row, "repeated", "", ["", ""], &licence.credential_id, &file);
    }

    fn pending(&mut self, row: u64, id: &str) {
        self.counts.pending += 1;
        self.line(row, "pending", "", ["", ""], id, "");
    }

    fn refused(&mut self, row: u64, error: &zhao_issuer::office::IssueError) {
        self.counts.refused += 1;
        let said = said::issue(error);
        let [en, zh] = self
            .both
            .each_ref()
            .map(|messages| sentences(&said, messages));
        let code = said.first().map(Said::code).unwrap_or_default().to_owned();
        self.line(row, "refused", &code, [&en, &zh], "", "");
    }

    /// Writes the credential's exact bytes; gives the file's name.
    fn credential(&mut self, id: &str, bytes: &[u8]) -> String {
        if let Some((lines, path)) = &mut self.lines {
            let written = lines.write_all(bytes).and_then(|()| lines.write_all(b"\n"));
            if let Err(cause) = written {
                let failure = Failure::file("write", path, &cause);
                self.fail(failure);
            }
            return LINES.to_owned();
        }
        let name = file_name(id);
        if let Err(failure) = files::place(&self.output.join(&name), bytes) {
            self.fail(failure);
        }
        name
    }

    fn line(&mut self, row: u64, status: &str, code: &str, texts: [&str; 2], id: &str, file: &str) {
        let [en, zh] = texts.map(quoted);
        self.put_report(&format!("{row},{status},{code},{en},{zh},{id},{file}\n"));
    }

    fn put_report(&mut self, text: &str) {
        if let Some((report, path)) = &mut self.report
            && let Err(cause) = report.write_all(text.as_bytes())
        {
            let failure = Failure::file("write", path, &cause);
            self.fail(failure);
        }
    }

    /// Makes everything durable, and gives the report its name.
    ///
    /// # Errors
    /// A file could not be written.
    pub(crate) fn finish(mut self) -> Result<Report, Failure> {
        for (file, path) in [self.lines.take(), self.report.take()]
            .into_iter()
            .flatten()
        {
            if let Err(failure) = whole(file, &path) {
                self.fail(failure);
            }
        }
        if let Err(failure) = files::sync(self.output) {
            self.fail(failure);
        }
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok(self.counts),
        }
    }
}

fn whole(file: BufWriter<File>, path: &Path) -> Result<(), Failure> {
    let wrap = |cause: std::io::Error| Failure::file("write", path, &cause);
    let file = file
        .into_inner()
        .map_err(|error| wrap(error.into_error()))?;
    file.sync_all().map_err(wrap)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    std::fs::rename(path.with_file_name(format!(".{name}.part")), path).map_err(wrap)
}

/// `urn:uuid:X` is kept as `X.json`.
pub(crate) fn file_name(credential_id: &str) -> String {
    let id = credential_id
        .strip_prefix("urn:uuid:")
        .unwrap_or(credential_id);
    // A server may say anything; a name is no path.
    let id = id.replace(|c: char| !(c.is_ascii_alphanumeric() || c == '-'), "_");
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
