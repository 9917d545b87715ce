//! What the office's commands share: opening a directory, finding a licence, what the log said.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use zhao_issuer::catalogue::Catalogue;
use zhao_issuer::keys::{Keyring, Purpose};
use zhao_issuer::office::{Declared, Office};
use zhao_issuer::records::{Records, RecordsError, Standing, needs_first_key};
use zhao_issuer::vault::Secrets;
use zhao_ledger::publish::Publication;
use zhao_ledger::read::View;
use zhao_spec::credential::Licence;
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::wire::{Hash, SecretKey, UnixMillis, json, limits};
use zhao_verifier::TrustPolicy;

use crate::args::{Admin, Secret};
use crate::engine::Engine;
use crate::failure::{Failure, args, because};
use crate::files;
use crate::home::{Home, Lock};
use crate::host::{ADMIN_PASSPHRASE, PASSPHRASE, Prompts};
use crate::place;
use crate::said::Said;
use crate::session::Session;

pub(crate) use crate::said::office as wrong;

/// An open office, this process's until it is dropped.
#[derive(Debug)]
pub(crate) struct Desk {
    /// The directory.
    pub(crate) home: Home,
    /// The office, with the ledger in it.
    pub(crate) office: Office<Engine>,
    _lock: Lock,
}

impl Desk {
    /// Opens the office of `dir`, and finishes what an earlier process left half done.
    ///
    /// # Errors
    /// No office there, another process in it, a wrong passphrase, a log that does not start.
    pub(crate) fn open(session: &Session, dir: &Path, secret: &Secret) -> Result<Self, Failure> {
        let home = Home::open(dir)?;
        let lock = home.lock()?;
        let keyring = keyring(session, &home.keys(), secret)?;
        Self::with(session, home, lock, keyring)
    }

    /// As [`Desk::open`], with the keys open already.
    ///
    /// # Errors
    /// As [`Desk::open`].
    pub(crate) fn with(
        session: &Session,
        home: Home,
        lock: Lock,
        keyring: Keyring,
    ) -> Result<Self, Failure> {
        let publication = place::publication(session, &home, false)?;
        Self::published(session, home, lock, keyring, publication)
    }

    /// As [`Desk::with`], published in a place that was looked at.
    ///
    /// # Errors
    /// As [`Desk::open`].
    pub(crate) fn published(
        session: &Session,
        home: Home,
        lock: Lock,
        mut keyring: Keyring,
        publication: Option<Publication>,
    ) -> Result<Self, Failure> {
        let trust = own_trust(&home)?;
        let records = records(session, &home, &mut keyring)?;
        let catalogue = Catalogue::load(&home.catalogue()).map_err(because(
            "catalogue",
            args![path = home.catalogue().display()],
        ))?;
        let clock = &session.host.clock;
        let (engine, start) = Engine::open(&home, &mut keyring, &trust, clock, publication)?;
        if start.fresh_epoch {
            session.note("office.recovered", &args![leaves = start.unsigned]);
        }
        let mut office = Office::open(records, keyring, catalogue, engine).map_err(wrong)?;
        office.acting(session.operator.as_deref());
        let sent = office.deliver(session.host.now()?).map_err(wrong)?;
        if sent.receipted > 0 {
            session.note("office.finished", &args![count = sent.receipted]);
        }
        Ok(Self {
            home,
            office,
            _lock: lock,
        })
    }

    /// The licence of a credential file, and its subject key.
    ///
    /// # Errors
    /// Not a credential, of another log, or not the credential that the log knows.
    pub(crate) fn licence(&self, path: &Path) -> Result<(Licence, Hash), Failure> {
        let (licence, subject) = licence(&self.home, path)?;
        let record = self.office.licence_record(&subject).map_err(wrong)?;
        if record.vc != licence.digest() {
            return Err(Failure::refused(
                "credential-other",
                args![path = path.display()],
            ));
        }
        Ok((licence, subject))
    }

    /// The administrators' keys, as many as must sign.
    ///
    /// # Errors
    /// No such directory, or a wrong passphrase.
    pub(crate) fn administrators(
        &self,
        session: &Session,
        admin: &Admin,
    ) -> Result<Vec<SecretKey>, Failure> {
        let dirs = match admin.admin_dir.as_slice() {
            [] => vec![self.home.admin(None)],
            dirs => dirs.to_vec(),
        };
        let files = &admin.admin_passphrase_file;
        if files.len() > 1 && files.len() != dirs.len() {
            let (dirs, files) = (dirs.len(), files.len());
            return Err(Failure::usage("admin-passphrases", args![dirs, files]));
        }
        let present = self.office.present_administrators().map_err(wrong)?;
        let mut keys: Vec<SecretKey> = Vec::new();
        for (at, dir) in dirs.iter().enumerate() {
            // One file for each directory, in their order, or one for all.
            let file = files.get(at).or(files.first()).map(PathBuf::as_path);
            let mut keyring = open_keys(session, dir, file, &ADMIN_PASSPHRASE, "admin-missing")?;
            let own = keyring
                .secrets(Purpose::Administrator)
                .map_err(because("keys", args![]))?;
            for key in own {
                // The same key may lie in two directories: it signs once.
                let public = key.public();
                let known = keys.iter().any(|other| other.public() == public);
                if present.keys.contains(&public) && !known {
                    keys.push(key);
                }
            }
        }
        let (expected, actual) = (present.threshold, keys.len());
        if u64::try_from(actual).is_ok_and(|actual| actual < expected) {
            return Err(Failure::refused("admin-few", args![expected, actual]));
        }
        Ok(super::init::signers(&keys, expected))
    }
}

/// The policy and trust file that `zhao init` wrote.
///
/// # Errors
/// They are gone, or were changed into something malformed.
pub(crate) fn own_trust(home: &Home) -> Result<TrustPolicy, Failure> {
    let policy = files::read_text(&home.policy(), limits::POLICY_BYTES)?;
    let trust = files::read_text(&home.trust(), limits::POLICY_BYTES)?;
    TrustPolicy::load(&policy, &trust).map_err(because(
        "policy-wrong",
        args![path = home.policy().display()],
    ))
}

/// Opens the office's records. Those of an earlier program get their first key.
///
/// # Errors
/// The key is missing or another, or the records cannot be read.
pub(crate) fn records(
    session: &Session,
    home: &Home,
    keyring: &mut Keyring,
) -> Result<Records, Failure> {
    let path = home.records();
    let wrap = |cause: RecordsError| Failure::usage("records", args![path = path.display(), cause]);
    let mut secrets = Secrets::open(keyring).map_err(because("keys", args![]))?;
    if secrets.latest().is_none() && needs_first_key(&path).map_err(wrap)? {
        let mut rng = session.host.generator()?;
        secrets
            .draw(keyring, &mut rng, session.host.now()?)
            .map_err(because("keys", args![]))?;
    }
    Records::open(&path, &secrets).map_err(wrap)
}

/// Opens a directory of keys.
///
/// # Errors
/// No passphrase, or a wrong one.
pub(crate) fn keyring(session: &Session, dir: &Path, secret: &Secret) -> Result<Keyring, Failure> {
    let file = secret.passphrase_file.as_deref();
    open_keys(session, dir, file, &PASSPHRASE, "keys-missing")
}

/// Opens a directory of keys, with the passphrase of a file, a variable or a prompt.
///
/// # Errors
/// No such directory, no passphrase, or a wrong one.
pub(crate) fn open_keys(
    session: &Session,
    dir: &Path,
    file: Option<&Path>,
    variables: &[&'static str],
    missing: &'static str,
) -> Result<Keyring, Failure> {
    if !dir.is_dir() {
        return Err(Failure::usage(missing, args![path = dir.display()]));
    }
    let prompts = Prompts {
        first: session
            .messages
            .fill("prompt.open", &args![dir = dir.display()]),
        again: String::new(),
    };
    let passphrase = session.host.passphrase(file, variables, &prompts, false)?;
    Keyring::open(dir, &passphrase).map_err(because("keys", args![]))
}

/// The licence of a credential file, and its subject key in this office's log.
///
/// # Errors
/// Not a credential, or of another log.
pub(crate) fn licence(home: &Home, path: &Path) -> Result<(Licence, Hash), Failure> {
    let bytes = files::read(path, limits::CREDENTIAL_BYTES + 1)?;
    let licence = Licence::parse(json::without_newline(&bytes))
        .map_err(|cause| Failure::refused("file-malformed", args![path = path.display(), cause]))?;
    if licence.status.origin != home.config.origin {
        return Err(Failure::refused(
            "credential-other-log",
            args![
                path = path.display(),
                expected = home.config.origin,
                actual = zhao_spec::wire::clip(&licence.status.origin),
            ],
        ));
    }
    let subject = subject_key(&home.config.origin, Kind::Licence, &licence.id);
    Ok((licence, subject))
}

/// Delivers what was declared, and gives it back if the log has taken it.
///
/// # Errors
/// The log refused it, or has not answered yet.
pub(crate) fn settled(
    declared: Declared,
    office: &mut Office<Engine>,
    now: UnixMillis,
) -> Result<Declared, Failure> {
    let declared = office.finish(declared, now).map_err(wrong)?;
    match &declared.standing {
        Standing::Receipted { .. } => Ok(declared),
        Standing::Refused { code, detail } => Err(Failure::said(vec![Said::refusal(code, detail)])),
        Standing::Pending => {
            let cause = declared
                .trouble
                .map(|trouble| trouble.to_string())
                .unwrap_or_default();
            Err(Failure::usage("pending", args![cause]))
        }
    }
}

/// Writes a fresh issuer pack beside the policy: every unit and every type of this office.
///
/// # Errors
/// The log cannot be read, or the disk refuses.
pub(crate) fn write_pack(home: &Home, office: &Office<Engine>) -> Result<(), Failure> {
    let reader = office.client().reader();
    let view = reader.latest().map_err(because("ledger", args![]))?;
    write_pack_of(home, office.records(), office.catalogue(), &view)
}

/// As [`write_pack`], of these records and this catalogue, as of `view`.
///
/// # Errors
/// As [`write_pack`].
pub(crate) fn write_pack_of(
    home: &Home,
    records: &Records,
    catalogue: &Catalogue,
    view: &View<'_>,
) -> Result<(), Failure> {
    let mut bytes = pack(records, catalogue, view)?;
    bytes.push(b'\n');
    files::replace(&home.pack(), &bytes)
}

/// An issuer pack of all units in the records and all types in the catalogue, as of `view`.
///
/// # Errors
/// Records or log cannot be read.
pub(crate) fn pack(
    records: &Records,
    catalogue: &Catalogue,
    view: &View<'_>,
) -> Result<Vec<u8>, Failure> {
    let units = records.units().map_err(|cause| wrong(cause.into()))?;
    let units: BTreeSet<String> = units.into_iter().map(|unit| unit.uscc).collect();
    let types = catalogue
        .entries()
        .map(|entry| entry.type_code.to_string())
        .collect();
    let pack = view
        .issuer_pack(&units, &types)
        .map_err(because("ledger", args![]))?;
    Ok(pack.bytes())
}
