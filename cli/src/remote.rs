//! Commands on an office that a server holds: the one place where they turn into requests.
//!
//! DIR may be an office's directory, whose server is asked through its local socket, or the URL of
//! a server, which needs `--key-file`. What only the directory itself can give (fsck, audits, the
//! administrators' acts) is refused with a sentence that says so.

use std::path::{Path, PathBuf};

use zhao_http::client::{Client, ClientError};
use zhao_http::{ActRequest, BulkQuery, FormRequest, Issued, Problem, VersionRequest, limits};
use zhao_spec::credential::Licence;
use zhao_spec::file::Dossier;
use zhao_spec::life::data::Relation;
use zhao_spec::life::record::Record;
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::wire::{Hash, json};

use crate::args::{self as line, Command, Format, UnitAct};
use crate::command::issue::{Writer, open_batch};
use crate::command::{codes, init, status};
use crate::failure::{Exit, Failure, args, because};
use crate::files::{self, OutputDir};
use crate::home::Home;
use crate::messages::Language;
use crate::session::Session;

/// A served office.
pub(crate) struct Remote<'a> {
    session: &'a Session,
    client: Client,
    runtime: tokio::runtime::Runtime,
    /// Its directory, if it is on this machine.
    home: Option<Home>,
}

/// The server to ask for `command`, if it is one that asks and there is one.
///
/// # Errors
/// A URL that is none, or a file of a key that cannot be read.
pub(crate) fn of<'a>(
    session: &'a Session,
    command: &Command,
    key_file: Option<&Path>,
) -> Result<Option<Remote<'a>>, Failure> {
    let Some(dir) = command.dir() else {
        return Ok(None);
    };
    let url = dir.to_str().filter(|text| text.contains("://"));
    let (client, home) = if let Some(url) = url {
        let key = key_file
            .map(|path| files::read_text(path, 1 << 10))
            .transpose()?;
        let key = key
            .as_deref()
            .map(|text| text.lines().next().unwrap_or_default());
        let client = Client::tcp(url, key).map_err(because("remote-url", Vec::new()))?;
        (client, None)
    } else {
        // A socket nobody listens on is what a killed server left: the directory is free.
        let Ok(home) = Home::open(dir) else {
            return Ok(None);
        };
        if std::os::unix::net::UnixStream::connect(home.socket()).is_err() {
            return Ok(None);
        }
        (Client::unix(home.socket()), Some(home))
    };
    let client = client.acting(session.operator.as_deref());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(because("serve", Vec::new()))?;
    Ok(Some(Remote {
        session,
        client,
        runtime,
        home,
    }))
}

impl Remote<'_> {
    /// Runs a command by asking the server.
    ///
    /// # Errors
    /// What the server says; a command that needs the directory to itself.
    pub(crate) fn run(&self, command: &Command) -> Result<Exit, Failure> {
        match command {
            Command::Issue(command) => self.issue(command),
            Command::Status(command) => self.status(command),
            Command::Amend(command) => self.version(command, Relation::Amended),
            Command::Renew(command) => self.version(command, Relation::Renewed),
            Command::Reissue(command) => self.version(command, Relation::Reissued),
            Command::Dossier(command) => self.dossier(command),
            Command::Secure(command) => self.secure(command),
            Command::History(command) => self.history(command),
            Command::Query(command) => self.query(command),
            Command::Unit(line::Unit {
                act: UnitAct::List(list),
                ..
            }) => self.units(list.json),
            other => {
                let name = other.name();
                Err(Failure::usage("remote-not", args![name]))
            }
        }
    }

    fn ask<T>(&self, question: impl Future<Output = Result<T, ClientError>>) -> Result<T, Failure> {
        let answer = self.runtime.block_on(question);
        answer.map_err(|error| match error {
            ClientError::Problem(problem) => self.refused(&problem),
            error => Failure::usage("remote", args![cause = error]),
        })
    }

    /// The server's refusal, in the session's language, with the exit code a command would have.
    fn refused(&self, problem: &Problem) -> Failure {
        let text = match self.session.messages.language() {
            Language::En => &problem.detail,
            Language::Zh => &problem.detail_zh,
        };
        let arguments = args![text, status = problem.status];
        match problem.status {
            404 | 409 | 412 | 422 => Failure::refused("remote-refused", arguments),
            _ => Failure::usage("remote-refused", arguments),
        }
    }

    fn issue(&self, command: &line::Issue) -> Result<Exit, Failure> {
        if let Some(unit) = &command.unit {
            init::parse_uscc(unit)?;
        }
        if command.register.is_some() {
            // The server has the registers it has.
            let name = "zhao issue --register";
            return Err(Failure::usage("remote-not", args![name]));
        }
        let file = open_batch(&command.from)?;
        files::dir_must_be_writable(&command.output)?;
        let bytes = file.metadata().map(|data| data.len()).unwrap_or_default();
        let bar = self.session.progress_bytes(bytes);
        let query = BulkQuery {
            licence_type: command.licence_type.clone(),
            unit: command.unit.clone(),
            dry_run: command.dry_run.then_some(true),
        };
        // Made with the first row: a batch that is refused as a whole leaves nothing behind.
        let mut made = None;
        let mut writer = None;
        let mut uncompared = 0_u64;
        let end = self.ask(self.client.issue_bulk(
            bar.wrap_read(file),
            &query,
            &mut |row: Issued| {
                let writer = writer.get_or_insert_with(|| {
                    made = Some(OutputDir::make(&command.output));
                    Writer::new(&command.output, command.lines)
                });
                uncompared += u64::from(!row.remarks.is_empty());
                writer.answered(&row);
            },
        ))?;
        bar.finish_and_clear();
        let _made = match made {
            Some(made) => made?,
            None => OutputDir::make(&command.output)?,
        };
        let writer = writer.unwrap_or_else(|| Writer::new(&command.output, command.lines));
        if uncompared > 0 {
            let count = uncompared;
            self.session.note("issue.uncompared", &args![count]);
        }
        if let Some(problem) = &end.problem {
            let cause = match self.session.messages.language() {
                Language::En => &problem.detail,
                Language::Zh => &problem.detail_zh,
            };
            self.session.note("issue.trouble", &args![cause]);
        }
        let report = writer.finish()?;
        self.write_pack()?;
        let told = report.tell(self.session, &command.output, command.json)?;
        Ok(if end.problem.is_none() {
            told
        } else {
            Exit::Refused
        })
    }

    /// The licence of a credential file, and its subject key; it is the one the log knows.
    fn licence(&self, path: &Path) -> Result<(Licence, Hash), Failure> {
        let (licence, subject) = parsed(path)?;
        let standing = self.ask(self.client.standing(&subject.to_base64url()))?;
        let record = Record::parse(standing.record.get().as_bytes())
            .map_err(because("remote", Vec::new()))?;
        let known = matches!(&record, Record::Licence(record) if record.vc == licence.digest());
        if !known {
            let path = path.display();
            return Err(Failure::refused("credential-other", args![path]));
        }
        Ok((licence, subject))
    }

    fn status(&self, command: &line::Status) -> Result<Exit, Failure> {
        status::wanted(command).check()?;
        for path in command.receipt.iter().chain(&command.cose_receipt) {
            files::must_be_writable(path)?;
        }
        let (licence, subject) = self.licence(&command.credential)?;
        let act = ActRequest {
            verb: command.verb.as_str().to_owned(),
            reason: command.reason.clone(),
            code: command.code.clone(),
            basis: command.basis.clone(),
            effective: command.at.map(|at| at.to_string()),
            of: command.of,
            result: command.result.clone(),
            due: command.due.map(|due| due.to_string()),
            to: command.to.clone(),
        };
        let done = self.ask(self.client.act(&subject.to_base64url(), &act, None))?;
        let (Some(index), Some(receipt)) = (done.index, done.receipt) else {
            return Err(Failure::usage("pending", args![cause = ""]));
        };
        if let Some(path) = &command.receipt {
            files::output(self.session, path, format!("{receipt}\n").as_bytes())?;
        }
        if let Some(path) = &command.cose_receipt {
            let event = status::event_of(receipt.get().as_bytes())?;
            let made = self.ask(self.client.cose_receipt(&event.to_base64url()))?;
            files::output(self.session, path, &made)?;
        }
        let at = match command.at {
            Some(at) => at,
            None => self.session.host.now()?,
        };
        let done = status::Done {
            at,
            index,
            number: &licence.subject.licence_number,
            verb: command.verb,
        };
        done.tell(self.session, command.json)?;
        Ok(Exit::Fine)
    }

    fn secure(&self, command: &line::Secure) -> Result<Exit, Failure> {
        files::must_be_writable(&command.output)?;
        let (_, subject) = self.licence(&command.credential)?;
        let wanted = FormRequest {
            form: command.form.form().as_str().to_owned(),
            holder: command.holder.clone(),
            public_url: command.public_url.as_ref().map(ToString::to_string),
        };
        let made = self.ask(self.client.form(&subject.to_base64url(), &wanted))?;
        files::output(self.session, &command.output, &made)?;
        Ok(Exit::Fine)
    }

    fn version(&self, command: &line::Version, relation: Relation) -> Result<Exit, Failure> {
        files::dir_must_be_writable(&command.output)?;
        let bytes = files::read(&command.from, limits::BODY_BYTES)?;
        let (licence, subject) = self.licence(&command.credential)?;
        let path = command.from.display();
        let text = String::from_utf8(bytes)
            .map_err(|cause| Failure::usage("batch", args![path, cause]))?;
        // Over a server changes are JSON: one object, alone or as the only element of an array.
        let text = text.trim();
        let text = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'))
            .unwrap_or(text);
        let changes = serde_json::from_str(text.trim())
            .map_err(|cause| Failure::usage("batch", args![path, cause]))?;
        let version = VersionRequest {
            relation: relation.as_str().to_owned(),
            changes,
            reason: command.reason.clone(),
            code: None,
            basis: None,
        };
        let issued: Issued = self.ask(self.client.version(&subject.to_base64url(), &version))?;
        let _made = OutputDir::make(&command.output)?;
        let mut writer = Writer::new(&command.output, false);
        writer.answered(&issued);
        let report = writer.finish()?;
        self.write_pack()?;
        let number = &licence.subject.licence_number;
        report.tell_version(self.session, &command.output, number, command.json)
    }

    fn dossier(&self, command: &line::Dossier) -> Result<Exit, Failure> {
        files::must_be_writable(&command.output)?;
        let bytes = files::read(&command.credential, credential_bytes())?;
        let whole = command.format == Format::Json && !command.without_authorities;
        let made = self.ask(self.client.dossier(bytes, whole))?;
        if command.format == Format::Json && command.cosignature.is_empty() {
            return self.write(&command.output, made);
        }
        let dossier = Dossier::parse(&made).map_err(because("remote", Vec::new()))?;
        let dossier = codes::reduced(&dossier, &command.cosignature)?;
        if command.format == Format::Json {
            return self.write(&command.output, dossier.bytes());
        }
        codes::write(self.session, &command.output, command.format, &dossier)?;
        Ok(Exit::Fine)
    }

    fn history(&self, command: &line::History) -> Result<Exit, Failure> {
        files::must_be_writable(&command.output)?;
        let (_, subject) = parsed(&command.credential)?;
        let file = self.ask(self.client.history(&subject.to_base64url()))?;
        self.write(&command.output, file)
    }

    fn query(&self, command: &line::Query) -> Result<Exit, Failure> {
        let uscc = init::parse_uscc(&command.uscc)?;
        files::must_be_writable(&command.output)?;
        let file = self.ask(self.client.enterprise(uscc.as_str()))?;
        let answer =
            zhao_spec::file::Answer::parse(&file).map_err(because("remote", Vec::new()))?;
        let exit = self.write(&command.output, file)?;
        self.session
            .note("query.done", &args![count = answer.items.len(), uscc]);
        Ok(exit)
    }

    fn units(&self, as_json: bool) -> Result<Exit, Failure> {
        let list = self.ask(self.client.units())?;
        let mut rows = Vec::new();
        for unit in &list.units {
            let record = unit.record.as_ref().map(|record| record.get().as_bytes());
            let record = record.map(Record::parse).transpose();
            rows.push((
                zhao_issuer::records::Unit {
                    name: unit.name.clone(),
                    uscc: unit.uscc.clone(),
                },
                record.map_err(because("remote", Vec::new()))?,
            ));
        }
        crate::command::unit::print_units(self.session, &rows, as_json)
    }

    /// Writes a fresh issuer pack beside the policy, as the directory's own commands do.
    fn write_pack(&self) -> Result<(), Failure> {
        let Some(home) = &self.home else {
            return Ok(());
        };
        let mut bytes = self.ask(self.client.issuer_pack())?;
        bytes.push(b'\n');
        files::replace(&home.pack(), &bytes)
    }

    fn write(&self, path: &Path, mut bytes: Vec<u8>) -> Result<Exit, Failure> {
        bytes.push(b'\n');
        files::output(self.session, path, &bytes)?;
        Ok(Exit::Fine)
    }
}

const fn credential_bytes() -> usize {
    zhao_spec::wire::limits::CREDENTIAL_BYTES + 1
}

fn parsed(path: &Path) -> Result<(Licence, Hash), Failure> {
    let bytes = files::read(path, credential_bytes())?;
    let licence = Licence::parse(json::without_newline(&bytes))
        .map_err(|cause| Failure::refused("file-malformed", args![path = path.display(), cause]))?;
    let subject = subject_key(&licence.status.origin, Kind::Licence, &licence.id);
    Ok((licence, subject))
}

impl Command {
    /// The office a command is on; none for commands that are on files, or never ask a server.
    fn dir(&self) -> Option<&PathBuf> {
        match self {
            Self::Issue(command) => Some(&command.dir),
            Self::Status(command) => Some(&command.dir),
            Self::Amend(command) | Self::Renew(command) | Self::Reissue(command) => {
                Some(&command.dir)
            }
            Self::Unit(command) => Some(&command.dir),
            Self::Dossier(command) => Some(&command.dir),
            Self::Secure(command) => Some(&command.dir),
            Self::History(command) => Some(&command.dir),
            Self::Query(command) => Some(&command.dir),
            Self::Audit(command) => Some(&command.dir),
            Self::Fsck(command) => Some(&command.dir),
            Self::Cosign(command) => Some(&command.dir),
            _ => None,
        }
    }

    /// Its name on the command line.
    fn name(&self) -> &'static str {
        match self {
            Self::Unit(_) => "zhao unit",
            Self::Audit(_) => "zhao audit",
            Self::Fsck(_) => "zhao fsck",
            Self::Cosign(_) => "zhao cosign",
            _ => "zhao",
        }
    }
}
