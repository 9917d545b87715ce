//! `zhao dossier`, `history` and `query`: files that prove something, from the log's own database.
//! No key is needed for them.

use std::collections::BTreeMap;
use std::sync::Arc;

use zhao_issuer::catalogue::{Audience, Catalogue};
use zhao_issuer::records::{LicenceState, Records};
use zhao_ledger::read::{ReadError, Reader, View};
use zhao_ledger::store::rocks::Rocks;
use zhao_spec::file::EmbeddedCredential;
use zhao_spec::id::Uscc;
use zhao_spec::life::data::Openness;
use zhao_spec::life::record::Record;
use zhao_spec::wire::Hash;

use super::codes;
use super::office::{keyring, licence, records, wrong};
use crate::args::{Dossier, Format, History, Query};
use crate::database;
use crate::failure::{Exit, Failure, args, because};
use crate::files;
use crate::home::{Home, Lock};
use crate::session::Session;

/// The log of a directory, open for reading.
pub(crate) struct Log {
    /// Its database.
    pub(crate) store: Arc<Rocks>,
    _lock: Lock,
}

impl Log {
    /// Opens it. Other processes wait, as the database has one owner.
    ///
    /// # Errors
    /// Another process has it, or it cannot be read.
    pub(crate) fn open(home: &Home) -> Result<Self, Failure> {
        let lock = home.lock()?;
        let path = home.database();
        if !Rocks::exists(&path) {
            return Err(database::missing(home.dir(), &path, "database-missing"));
        }
        let store = Rocks::open(&path).map_err(|cause| {
            let otherwise = because("ledger", args![]);
            database::unopened(home.dir(), &path, cause, otherwise)
        })?;
        Ok(Self {
            store: Arc::new(store),
            _lock: lock,
        })
    }

    /// Reads and proves what is published.
    pub(crate) fn reader(&self) -> Reader {
        Reader::new(self.store.clone())
    }
}

/// `zhao dossier`.
///
/// # Errors
/// No such licence, a credential that is not as it was issued, or the log cannot be read.
pub(crate) fn dossier(session: &Session, command: &Dossier) -> Result<Exit, Failure> {
    files::must_be_writable(&command.output)?;
    let home = Home::open(&command.dir)?;
    let path = command.credential.display();
    let (licence, subject) = licence(&home, &command.credential)?;
    licence
        .check_proof()
        .map_err(|cause| Failure::refused("credential-proof", args![path, cause]))?;
    let log = Log::open(&home)?;
    let reader = log.reader();
    let view = reader.latest().map_err(because("ledger", args![]))?;
    let (_, record) = view.placed(&subject).map_err(because("ledger", args![]))?;
    if let Some(Record::Licence(record)) = record
        && record.vc != licence.digest()
    {
        return Err(Failure::refused("credential-other", args![path]));
    }
    let whole = command.format == Format::Json && !command.without_authorities;
    let mut dossier = view
        .dossier(&licence, whole)
        .map_err(|error| absent(error, &licence.id))?;
    if command.format == Format::Json && command.cosignature.is_empty() {
        return write(session, &command.output, dossier.bytes());
    }
    dossier = codes::reduced(&dossier, &command.cosignature)?;
    if command.format == Format::Json {
        return write(session, &command.output, dossier.bytes());
    }
    codes::write(session, &command.output, command.format, &dossier)?;
    Ok(Exit::Fine)
}

/// `zhao history`.
///
/// # Errors
/// No such licence, or the log cannot be read.
pub(crate) fn history(session: &Session, command: &History) -> Result<Exit, Failure> {
    files::must_be_writable(&command.output)?;
    let home = Home::open(&command.dir)?;
    let (licence, subject) = licence(&home, &command.credential)?;
    let log = Log::open(&home)?;
    let reader = log.reader();
    let view = reader.latest().map_err(because("ledger", args![]))?;
    let history = view
        .history(&subject)
        .map_err(|error| absent(error, &licence.id))?;
    write(session, &command.output, history.bytes())
}

/// `zhao query`.
///
/// # Errors
/// No such code, or the log or the records cannot be read.
pub(crate) fn query(session: &Session, command: &Query) -> Result<Exit, Failure> {
    let uscc = super::init::parse_uscc(&command.uscc)?;
    files::must_be_writable(&command.output)?;
    let home = Home::open(&command.dir)?;
    let log = Log::open(&home)?;
    let reader = log.reader();
    let view = reader.latest().map_err(because("ledger", args![]))?;
    let credentials = if command.without_credentials {
        BTreeMap::new()
    } else {
        // Credentials are sealed in the records, the open ones like the others.
        let mut keyring = keyring(session, &home.keys(), &command.secret)?;
        let records = records(session, &home, &mut keyring)?;
        let catalogue = Catalogue::load(&home.catalogue()).map_err(because(
            "catalogue",
            args![path = home.catalogue().display()],
        ))?;
        public_credentials(&view, &records, &catalogue, &uscc)?
    };
    let answer = view
        .answer(&uscc, &credentials)
        .map_err(because("ledger", args![]))?;
    let exit = write(session, &command.output, answer.bytes())?;
    session.note("query.done", &args![count = answer.items.len(), uscc]);
    Ok(exit)
}

/// The credentials of a holder that anyone may see: of open types, all of whose fields are public.
pub(crate) fn public_credentials(
    view: &View<'_>,
    records: &Records,
    catalogue: &Catalogue,
    uscc: &Uscc,
) -> Result<BTreeMap<Hash, EmbeddedCredential>, Failure> {
    let mut credentials = BTreeMap::new();
    for subject in view.holdings(uscc).map_err(because("ledger", args![]))? {
        let row = records
            .licence(&subject)
            .map_err(|cause| wrong(cause.into()))?;
        let Some(row) = row.filter(|row| row.state == LicenceState::Issued) else {
            continue;
        };
        let Ok(entry) = catalogue.entry(&row.type_code) else {
            continue;
        };
        // The credential is shown whole or not at all.
        let mut fields = entry.fields.iter();
        let public = fields.all(|field| entry.shows(field, Audience::Public));
        if entry.openness != Openness::Open || !public {
            continue;
        }
        let credential =
            EmbeddedCredential::parse(&row.credential).map_err(because("office", args![]))?;
        credentials.insert(subject, credential);
    }
    Ok(credentials)
}

fn absent(error: ReadError, id: &str) -> Failure {
    match error {
        ReadError::Absent { .. } => {
            Failure::refused("no-licence", args![actual = zhao_spec::wire::clip(id)])
        }
        other => Failure::usage("ledger", args![cause = other]),
    }
}

fn write(session: &Session, path: &std::path::Path, mut bytes: Vec<u8>) -> Result<Exit, Failure> {
    bytes.push(b'\n');
    files::output(session, path, &bytes)?;
    Ok(Exit::Fine)
}
