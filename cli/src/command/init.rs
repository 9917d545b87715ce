//! `zhao init`: makes an office with its log, or nothing.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use rand_chacha::ChaCha20Rng;
use zeroize::Zeroizing;
use zhao_issuer::catalogue::Catalogue;
use zhao_issuer::keys::{Keyring, Purpose, WorkFactor};
use zhao_issuer::office::{self, Grant, Office};
use zhao_issuer::records::Records;
use zhao_issuer::vault::Secrets;
use zhao_spec::id::{LicenceTypeCode, RegionCode, Uscc};
use zhao_spec::life::leaf::Genesis;
use zhao_spec::log::note::check_name;
use zhao_spec::wire::{SecretKey, UnixMillis};
use zhao_verifier::TrustPolicy;

use super::office::{settled, wrong};
use crate::args::Init;
use crate::engine::{AUDITOR_KEY, Engine, LOG_KEY, WITNESS_KEY};
use crate::failure::{Exit, Failure, args, because};
use crate::files;
use crate::home::{Config, FORMAT, Home};
use crate::host::{ADMIN_PASSPHRASE, PASSPHRASE, Prompts};
use crate::serve::settings::Table;
use crate::session::Session;
use crate::trust::Parties;

/// What an office is made from, every value checked.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Where.
    pub(crate) dir: PathBuf,
    /// Where the administrators' keys go.
    pub(crate) admin_dir: PathBuf,
    /// Name of the log.
    pub(crate) origin: String,
    /// Administrative division.
    pub(crate) region: RegionCode,
    /// Number of administrators.
    pub(crate) administrators: u64,
    /// How many must sign.
    pub(crate) threshold: u64,
    /// Wait between proposing and confirming a key, milliseconds.
    pub(crate) key_delay: u64,
    /// Name and code of the first unit.
    pub(crate) unit: (String, Uscc),
    /// Who makes it, if a name is given.
    pub(crate) operator: Option<String>,
    /// Opens the office's keys.
    pub(crate) passphrase: Zeroizing<String>,
    /// Opens the administrators' keys.
    pub(crate) admin_passphrase: Zeroizing<String>,
    /// How hard the passphrase is to guess.
    pub(crate) work: WorkFactor,
}

/// Runs the command.
///
/// # Errors
/// Values that are wrong, directories in use, no passphrase, or the disk.
pub(crate) fn run(session: &Session, command: &Init) -> Result<Exit, Failure> {
    let region = RegionCode::parse(&command.region).map_err(because(
        "region",
        args![value = zhao_spec::wire::clip(&command.region)],
    ))?;
    let origin = match &command.origin {
        Some(origin) => origin.clone(),
        None => format!("zhao.example/{}", region.as_str()),
    };
    check_name(&origin).map_err(because(
        "origin",
        args![value = zhao_spec::wire::clip(&origin)],
    ))?;
    if command.threshold > command.administrators {
        let (threshold, administrators) = (command.threshold, command.administrators);
        return Err(Failure::usage(
            "threshold",
            args![threshold, administrators],
        ));
    }
    let fictional = command.unit_name.is_none();
    let unit = match (&command.unit_name, &command.unit_uscc) {
        (Some(name), Some(code)) => (name.clone(), parse_uscc(code)?),
        _ => fictional_unit(&region, 1),
    };
    let dir = command.dir.clone();
    let admin_dir = command
        .admin_dir
        .clone()
        .unwrap_or_else(|| crate::home::admin_beside(&dir));
    must_lie_apart(&dir, &admin_dir)?;
    for path in [&dir, &admin_dir] {
        must_be_empty(path)?;
    }
    let prompts = Prompts {
        first: session.messages.text("prompt.new"),
        again: session.messages.text("prompt.again"),
    };
    let file = command.secret.passphrase_file.as_deref();
    let passphrase = session.host.passphrase(file, &PASSPHRASE, &prompts, true)?;
    // The administrators' own, where one is given; else the same opens both.
    let own = command.admin_passphrase_file.as_deref();
    let admin_passphrase = match own.is_some() || session.host.is_set(ADMIN_PASSPHRASE[0]) {
        true => session
            .host
            .passphrase(own, &ADMIN_PASSPHRASE, &prompts, true)?,
        false => passphrase.clone(),
    };
    let plan = Plan {
        dir,
        admin_dir,
        origin,
        region,
        administrators: command.administrators,
        threshold: command.threshold,
        key_delay: command.key_delay,
        unit,
        operator: session.operator.clone(),
        passphrase,
        admin_passphrase,
        work: WorkFactor::default(),
    };
    make(session, &plan)?;
    session.say(
        "init.done",
        &args![
            dir = plan.dir.display(),
            admin = plan.admin_dir.display(),
            origin = plan.origin,
            threshold = plan.threshold,
            administrators = plan.administrators,
            unit = plan.unit.0,
            uscc = plan.unit.1,
        ],
    )?;
    if fictional {
        session.say("init.fictional", &[])?;
    }
    session.say("init.local", &[])?;
    Ok(Exit::Fine)
}

/// Makes the directories. If anything fails, what was made is taken away again.
///
/// # Errors
/// The disk, or a part that refuses.
pub(crate) fn make(session: &Session, plan: &Plan) -> Result<Home, Failure> {
    let mut made = Made(Vec::new());
    for path in [&plan.dir, &plan.admin_dir] {
        made.0.push((path.clone(), path.exists()));
        files::make_dir(path)?;
    }
    let home = fill(session, plan)?;
    made.0.clear();
    Ok(home)
}

/// Directories, and whether they were there before: to be left as they were, unless all goes well.
struct Made(Vec<(PathBuf, bool)>);

impl Drop for Made {
    fn drop(&mut self) {
        for (path, was_there) in &self.0 {
            // Nothing in it is of use to anybody, and the error that led here is the one to tell.
            let _ = std::fs::remove_dir_all(path);
            if *was_there {
                let _ = std::fs::create_dir(path);
            }
        }
    }
}

fn fill(session: &Session, plan: &Plan) -> Result<Home, Failure> {
    let now = session.host.now()?;
    let mut rng = session.host.generator()?;
    let config = Config {
        format: FORMAT,
        origin: plan.origin.clone(),
        region: plan.region.as_str().to_owned(),
        witness: format!("{}/local-witness", plan.origin),
        auditor: format!("{}/local-auditor", plan.origin),
        auditors: BTreeMap::new(),
        mldsa: false,
        mldsa_keys: Vec::new(),
        publish: None,
        serve: Table::default(),
    };
    let home = Home::new(&plan.dir, config);
    let _lock = home.lock()?;
    let keys = |cause: zhao_issuer::keys::KeyError| Failure::usage("keys", args![cause]);
    let mut admins =
        Keyring::create(&plan.admin_dir, &plan.admin_passphrase, plan.work).map_err(keys)?;
    let mut administrators = Vec::new();
    for number in 1..=plan.administrators {
        let name = format!("administrator-{number}");
        admins
            .generate(&name, Purpose::Administrator, &mut rng, now)
            .map_err(keys)?;
        administrators.push(admins.secret(&name, Purpose::Administrator).map_err(keys)?);
    }
    let mut keyring = Keyring::create(&home.keys(), &plan.passphrase, plan.work).map_err(keys)?;
    let mut public = |name: &str, purpose| {
        keyring
            .generate(name, purpose, &mut rng, now)
            .map(|part| part.key)
            .map_err(keys)
    };
    let parties = Parties {
        config: &home.config,
        log: public(LOG_KEY, Purpose::Log)?,
        witness: public(WITNESS_KEY, Purpose::Witness)?,
        auditor: public(AUDITOR_KEY, Purpose::Auditor)?,
    };
    let publics = administrators.iter().map(SecretKey::public).collect();
    let genesis = office::genesis(&plan.origin, publics, plan.threshold, plan.key_delay, now)
        .map_err(wrong)?;
    let trust = write_trust(&home, &parties, &genesis)?;
    Catalogue::write_embedded(&home.catalogue()).map_err(because(
        "catalogue",
        args![path = home.catalogue().display()],
    ))?;
    let engine = Engine::create(&home, &mut keyring, &trust, &genesis, &session.host.clock)?;
    let signers = signers(&administrators, plan.threshold);
    open_office(
        &home, engine, keyring, &genesis, plan, &signers, now, &mut rng,
    )?;
    home.write_config()?;
    Ok(home)
}

/// As many administrators' keys as must sign; which ones is all the same.
pub(crate) fn signers(all: &[SecretKey], threshold: u64) -> Vec<SecretKey> {
    let count = usize::try_from(threshold).unwrap_or(usize::MAX);
    all.iter().take(count).cloned().collect()
}

fn write_trust(
    home: &Home,
    parties: &Parties<'_>,
    genesis: &Genesis,
) -> Result<TrustPolicy, Failure> {
    let origin = |cause: &dyn std::fmt::Display| {
        Failure::usage("origin", args![value = home.config.origin, cause])
    };
    let policy_text = parties.policy().map_err(|cause| origin(&cause))?;
    let trust_text = parties
        .trust(&genesis.hash())
        .map_err(|cause| origin(&cause))?;
    let trust = TrustPolicy::load(&policy_text, &trust_text).map_err(|cause| origin(&cause))?;
    files::replace(&home.policy(), policy_text.as_bytes())?;
    files::replace(&home.trust(), trust_text.as_bytes())?;
    Ok(trust)
}

/// The first acts: the catalogue's types, the first unit, the issuer pack.
#[expect(
    clippy::too_many_arguments,
    reason = "one call, and each is another thing"
)]
fn open_office(
    home: &Home,
    engine: Engine,
    mut keyring: Keyring,
    genesis: &Genesis,
    plan: &Plan,
    administrators: &[SecretKey],
    now: UnixMillis,
    rng: &mut ChaCha20Rng,
) -> Result<(), Failure> {
    let mut secrets = Secrets::default();
    secrets
        .draw(&mut keyring, rng, now)
        .map_err(because("keys", args![]))?;
    let records = Records::create(&home.records(), &plan.origin, &genesis.bytes(), &secrets)
        .map_err(because("records", args![path = home.records().display()]))?;
    let catalogue = Catalogue::load(&home.catalogue()).map_err(because(
        "catalogue",
        args![path = home.catalogue().display()],
    ))?;
    for entry in catalogue.entries() {
        super::catalogue::publish::keep(home, entry)?;
    }
    let types: Vec<LicenceTypeCode> = catalogue
        .entries()
        .map(|entry| entry.type_code.clone())
        .collect();
    let mut office = Office::open(records, keyring, catalogue, engine).map_err(wrong)?;
    office.acting(plan.operator.as_deref());
    for code in &types {
        settled(
            office
                .publish_type(code.as_str(), administrators, now)
                .map_err(wrong)?,
            &mut office,
            now,
        )?;
    }
    let (name, uscc) = &plan.unit;
    let key_name = super::unit::key_name(uscc, 1);
    let grant = Grant {
        key_name: &key_name,
        types: &types,
        unit: uscc,
    };
    settled(
        office
            .add_unit(name, grant, administrators, now, rng)
            .map_err(wrong)?,
        &mut office,
        now,
    )?;
    super::office::write_pack(home, &office)
}

/// A fictional unit of `region`: its code carries `DEM0`, which no registry gives out.
pub(crate) fn fictional_unit(region: &RegionCode, number: u64) -> (String, Uscc) {
    let uscc = Uscc::with_checks(
        &format!("11{}", region.as_str()),
        &format!("DEM0{number:04}"),
    )
    .expect("a region code and DEM0 make a code");
    let name = match number {
        1 => "示例市行政审批局（虚构）",
        _ => "示例市住房和城乡建设局（虚构）",
    };
    (name.to_owned(), uscc)
}

/// A USCC from a flag.
pub(crate) fn parse_uscc(text: &str) -> Result<Uscc, Failure> {
    Uscc::parse(text).map_err(because("uscc", args![value = zhao_spec::wire::clip(text)]))
}

/// Refuses administrators' keys in the office, where whoever copies one has the other, and the
/// reverse.
fn must_lie_apart(dir: &Path, admin_dir: &Path) -> Result<(), Failure> {
    let [own, admins] = [resolved(dir)?, resolved(admin_dir)?];
    if admins.starts_with(&own) || own.starts_with(&admins) {
        let (admin, dir) = (admin_dir.display(), dir.display());
        return Err(Failure::usage("admin-inside", args![admin, dir]));
    }
    Ok(())
}

/// `path` from the root on, without links as far as it exists: what is not there yet is no link.
fn resolved(path: &Path) -> Result<PathBuf, Failure> {
    let wrap = |cause: std::io::Error| Failure::file("read", path, &cause);
    let mut whole = PathBuf::new();
    for part in std::path::absolute(path).map_err(wrap)?.components() {
        if part == Component::ParentDir {
            whole.pop();
            continue;
        }
        whole.push(part);
        if whole.exists() {
            whole = whole.canonicalize().map_err(wrap)?;
        }
    }
    Ok(whole)
}

fn must_be_empty(path: &Path) -> Result<(), Failure> {
    if !path.exists() {
        return Ok(());
    }
    // What a killed `zhao init` leaves: the lock, and no configuration, which comes last.
    if path.join("zhao.lock").exists() && !path.join("zhao.toml").exists() {
        return Err(Failure::usage(
            "dir-half-made",
            args![path = path.display()],
        ));
    }
    let mut entries =
        std::fs::read_dir(path).map_err(|cause| Failure::file("read", path, &cause))?;
    match entries.next() {
        None => Ok(()),
        Some(_) => Err(Failure::usage(
            "dir-not-empty",
            args![path = path.display()],
        )),
    }
}
