//! `zhao witness`: cosigns the heads of other people's logs (c2sp.org/tlog-witness).
//!
//! A witness has a directory of its own, which shares nothing with any office:
//!
//! ```text
//! DIR/witness.toml    format, name, keys of the logs
//! DIR/keys/           its key
//! DIR/state/          the last head it cosigned of each log: never put back from a backup
//! DIR/zhao.lock       held while it serves
//! ```

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zhao_issuer::keys::{Keyring, Purpose, WorkFactor, public_key};
use zhao_ledger::mldsa;
use zhao_ledger::store::files::Directory;
use zhao_ledger::witness::Witness;
use zhao_spec::log::note::{KeyKind, Vkey, check_name};
use zhao_spec::wire::clip;

use crate::args::{WitnessAct, WitnessCommand, WitnessInit, WitnessWatch};
use crate::command::office::keyring;
use crate::failure::{Exit, Failure, args, because};
use crate::files;
use crate::home::{Lock, lock};
use crate::host::{PASSPHRASE, Prompts};
use crate::session::Session;

pub(crate) mod remote;
pub(crate) mod serve;

/// The format this program reads and writes.
const FORMAT: u64 = 1;
/// Largest witness.toml, bytes: some thousand logs.
const CONFIG_BYTES: usize = 1 << 20;
/// Name of the key in DIR/keys.
const KEY: &str = "witness";

/// What witness.toml says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Config {
    format: u64,
    /// Name of the witness's key.
    name: String,
    /// Keys of the logs it watches, each in its text form.
    logs: Vec<String>,
    /// Whether it cosigns with ML-DSA-44 besides.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    mldsa: bool,
}

/// A witness's directory.
struct Home {
    dir: PathBuf,
    config: Config,
    /// The keys in `config.logs`.
    logs: Vec<Vkey>,
}

/// Runs the command.
///
/// # Errors
/// Values that are wrong, a directory that is none, no passphrase, or the disk.
pub(crate) fn run(session: &Session, command: &WitnessCommand) -> Result<Exit, Failure> {
    match &command.act {
        WitnessAct::Init(wanted) => init(session, wanted),
        WitnessAct::Watch(wanted) => watch(session, wanted),
        WitnessAct::Serve(wanted) => serve::run(session, wanted),
    }
}

fn init(session: &Session, wanted: &WitnessInit) -> Result<Exit, Failure> {
    let name = &wanted.name;
    check_name(name).map_err(because("witness-name", args![value = clip(name)]))?;
    let logs = logs(&wanted.log)?;
    once(&logs, &[])?;
    files::must_be_empty(&wanted.dir)?;
    let prompts = Prompts {
        first: session.messages.text("prompt.new"),
        again: session.messages.text("prompt.again"),
    };
    let file = wanted.secret.passphrase_file.as_deref();
    let passphrase = session.host.passphrase(file, &PASSPHRASE, &prompts, true)?;
    files::make_dir(&wanted.dir)?;
    let home = Home {
        dir: wanted.dir.clone(),
        config: Config {
            format: FORMAT,
            name: name.clone(),
            logs: wanted.log.clone(),
            mldsa: wanted.mldsa,
        },
        logs,
    };
    let keys = |cause: zhao_issuer::keys::KeyError| Failure::usage("keys", args![cause]);
    let mut ring =
        Keyring::create(&home.keys(), &passphrase, WorkFactor::default()).map_err(keys)?;
    let (mut rng, now) = (session.host.generator()?, session.host.now()?);
    ring.generate(KEY, Purpose::Witness, &mut rng, now)
        .map_err(keys)?;
    files::make_dir(&home.state())?;
    // Last of all: a directory that is half made is none.
    home.write()?;
    session.line(&home.vkey()?.format())?;
    if wanted.mldsa {
        let secret = ring.secret(KEY, Purpose::Witness).map_err(keys)?;
        let signer = mldsa::Signer::new(name, &secret);
        let signer = signer.map_err(because("witness-name", args![value = clip(name)]))?;
        session.line(&signer.vkey().format())?;
    }
    session.note("witness.made", &args![name, dir = home.dir.display()]);
    Ok(Exit::Fine)
}

fn watch(session: &Session, wanted: &WitnessWatch) -> Result<Exit, Failure> {
    let mut home = Home::open(&wanted.dir)?;
    // A server that runs has read the file already, and would not see what is added.
    let _lock = home.lock()?;
    // A further key of a log that is watched: whoever adds one must mean it.
    if !wanted.new_key {
        once(&logs(&wanted.log)?, &home.logs)?;
    }
    let mut all = home.config.logs.clone();
    all.extend(wanted.log.iter().cloned());
    for text in &wanted.forget {
        let known = all.len();
        all.retain(|other| other != text);
        if all.len() == known {
            let value = clip(text);
            return Err(Failure::usage("witness-log-unknown", args![value]));
        }
    }
    let left = logs(&all)?;
    for log in &home.logs {
        // Without any of its keys its last head would be forgotten with it.
        if left.iter().all(|kept| kept.name() != log.name()) {
            let origin = log.name();
            return Err(Failure::usage("witness-log-last", args![origin]));
        }
    }
    home.logs = left;
    home.config.logs = all;
    home.write()?;
    let count = home.logs.len();
    session.note("witness.watches", &args![count]);
    Ok(Exit::Fine)
}

/// Refuses a second key of one log, among `logs` and beside those that are `known`.
fn once(logs: &[Vkey], known: &[Vkey]) -> Result<(), Failure> {
    for (at, log) in logs.iter().enumerate() {
        let mut before = logs.iter().take(at).chain(known);
        if before.any(|other| other.name() == log.name()) {
            let origin = log.name();
            return Err(Failure::usage("witness-log-twice", args![origin]));
        }
    }
    Ok(())
}

/// The logs' keys. Several of one origin are one log's, which changed its key.
fn logs(texts: &[String]) -> Result<Vec<Vkey>, Failure> {
    let mut logs: Vec<Vkey> = Vec::with_capacity(texts.len());
    for text in texts {
        let value = clip(text);
        let log = Vkey::parse(text).map_err(because("witness-log", args![value]))?;
        if log.kind() != KeyKind::Ed25519 {
            return Err(Failure::usage("witness-log-kind", args![value]));
        }
        if logs.contains(&log) {
            let origin = log.name();
            return Err(Failure::usage("witness-log-twice", args![origin]));
        }
        logs.push(log);
    }
    Ok(logs)
}

impl Home {
    fn open(dir: &Path) -> Result<Self, Failure> {
        let path = dir.join("witness.toml");
        if !path.is_file() {
            let path = dir.display();
            return Err(Failure::usage("witness-home-missing", args![path]));
        }
        let text = files::read_text(&path, CONFIG_BYTES)?;
        let wrong = |cause: &dyn std::fmt::Display| {
            let cause = cause.to_string().trim().replace('\n', " ");
            Failure::usage("home-config", args![path = path.display(), cause])
        };
        let config: Config = toml::from_str(&text).map_err(|cause| wrong(&cause.message()))?;
        if config.format != FORMAT {
            let (path, actual) = (path.display(), config.format);
            return Err(Failure::usage(
                "home-format",
                args![path, expected = FORMAT, actual],
            ));
        }
        check_name(&config.name).map_err(|cause| wrong(&cause))?;
        let logs = logs(&config.logs)?;
        Ok(Self {
            dir: dir.to_owned(),
            config,
            logs,
        })
    }

    fn write(&self) -> Result<(), Failure> {
        let text = toml::to_string(&self.config).expect("the configuration is plain text");
        files::replace(&self.dir.join("witness.toml"), text.as_bytes())
    }

    fn keys(&self) -> PathBuf {
        self.dir.join("keys")
    }

    fn state(&self) -> PathBuf {
        self.dir.join("state")
    }

    /// Held while it serves: two processes with one key would cosign two histories.
    fn lock(&self) -> Result<Lock, Failure> {
        lock(&self.dir, || false)
    }

    fn vkey(&self) -> Result<Vkey, Failure> {
        let key =
            public_key(&self.keys(), KEY, Purpose::Witness).map_err(because("keys", args![]))?;
        Vkey::new(&self.config.name, KeyKind::Cosignature, key)
            .map_err(because("witness-name", args![value = self.config.name]))
    }

    fn witness(&self, session: &Session, secret: &crate::args::Secret) -> Result<Witness, Failure> {
        let mut ring = keyring(session, &self.keys(), secret)?;
        let secret = ring
            .secret(KEY, Purpose::Witness)
            .map_err(because("keys", args![]))?;
        // Without what it remembers it would cosign any history, as if this one had never been.
        if !self.state().is_dir() {
            let path = self.state();
            return Err(Failure::usage(
                "witness-forgot",
                args![path = path.display()],
            ));
        }
        let files = Directory::open(&self.state()).map_err(because("ledger", args![]))?;
        let logs = self.logs.clone();
        let witness = Witness::new(&self.config.name, secret, logs, Arc::new(files));
        let witness = match self.config.mldsa {
            true => witness.and_then(Witness::with_mldsa),
            false => witness,
        };
        witness.map_err(because("witness-name", args![value = self.config.name]))
    }
}
