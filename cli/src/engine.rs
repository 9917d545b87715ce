//! The ledger in this process: sequencer, local witness and local auditor over one directory.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zhao_issuer::keys::{Keyring, Purpose};
use zhao_ledger::audit::{AuditError, Auditor, LocalAuditor, StoreLeaves};
use zhao_ledger::mldsa;
use zhao_ledger::publish::Publication;
use zhao_ledger::read::Reader;
use zhao_ledger::sequence::{
    CommitError, Config, Cosigner, LogSigner, Quorum, Sequencer, Start, StartError,
};
use zhao_ledger::store::files::{Directory, Files};
use zhao_ledger::store::rocks::Rocks;
use zhao_ledger::store::{Store, StoreError};
use zhao_ledger::witness::{LocalWitness, Witness};
use zhao_spec::life::leaf::Genesis;
use zhao_spec::log::note::{NoteSigner, Vkey};
use zhao_spec::wire::{Hash, UnixMillis};
use zhao_verifier::TrustPolicy;

use crate::database;
use crate::failure::{Failure, args, because};
use crate::home::Home;
use crate::host::Clock;
use crate::place;
use crate::witness::remote::RemoteCosigner;

/// Names of the keys in DIR/keys.
pub(crate) const LOG_KEY: &str = "log";
/// The local witness's.
pub(crate) const WITNESS_KEY: &str = "local-witness";
/// The local auditor's.
pub(crate) const AUDITOR_KEY: &str = "local-auditor";

/// Leaves that may wait for a quorum: the local cosigners are always there, so one batch is plenty.
const MAX_UNPUBLISHED: u64 = 100_000;
/// Epochs before the published one whose maps can still be made. What is older can be replayed from
/// the leaves, and every auditor has a copy of its own.
const RETAINED_EPOCHS: u64 = 100_000;

/// Sequencer, witness and auditor of one directory.
pub(crate) struct Engine {
    pub(crate) origin: String,
    /// Reads beside the writer, without waiting for it.
    pub(crate) reader: Reader,
    /// The one writer of the log. Held for one commit.
    sequencer: Mutex<Sequencer>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Engine({})", self.origin)
    }
}

/// Whether the directory's log is being made, or was made before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Log {
    New,
    Existing,
}

/// The parts an engine is made of, before the sequencer starts.
struct Parts {
    store: Arc<Rocks>,
    files: Arc<dyn Files>,
    config: Config,
}

impl Engine {
    /// Makes the log of a new directory.
    ///
    /// # Errors
    /// The ledger's.
    pub(crate) fn create(
        home: &Home,
        keyring: &mut Keyring,
        trust: &TrustPolicy,
        genesis: &Genesis,
        clock: &Clock,
    ) -> Result<Self, Failure> {
        let parts = parts(home, keyring, trust, genesis.hash(), clock, Log::New)?;
        let store: Arc<dyn Store> = parts.store.clone();
        let now = clock.read();
        let sequencer = Sequencer::create(store, parts.files, parts.config, genesis, now)
            .map_err(because("ledger-start", Vec::new()))?;
        Ok(Self::new(sequencer))
    }

    /// Starts the log of a directory; every check of its past comes first.
    ///
    /// # Errors
    /// The ledger's.
    pub(crate) fn open(
        home: &Home,
        keyring: &mut Keyring,
        trust: &TrustPolicy,
        clock: &Clock,
        publication: Option<Publication>,
    ) -> Result<(Self, Start), Failure> {
        let genesis = trust
            .trust()
            .genesis_of(&home.config.origin)
            .ok_or_else(|| {
                let (path, origin) = (home.trust(), &home.config.origin);
                Failure::usage("trust-other-log", args![path = path.display(), origin])
            })?;
        let mut parts = parts(home, keyring, trust, *genesis, clock, Log::Existing)?;
        parts.config.publication = publication;
        let store: Arc<dyn Store> = parts.store.clone();
        let (mut sequencer, start) =
            Sequencer::open(store, parts.files, parts.config, clock.read()).map_err(not_started)?;
        sequencer
            .prune(RETAINED_EPOCHS)
            .map_err(because("ledger", Vec::new()))?;
        Ok((Self::new(sequencer), start))
    }

    fn new(sequencer: Sequencer) -> Self {
        Self {
            origin: sequencer.origin().to_owned(),
            reader: sequencer.reader(),
            sequencer: Mutex::new(sequencer),
        }
    }

    /// The sequencer, for whoever queues before it.
    pub(crate) fn into_sequencer(self) -> Sequencer {
        self.sequencer
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The sequencer, between two commits.
    pub(crate) fn sequencer(&self) -> MutexGuard<'_, Sequencer> {
        // It judges its own state: whatever unwound out of a commit has stopped it.
        self.sequencer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends an epoch without events, so that the newest head is of `now`.
    ///
    /// # Errors
    /// The ledger's; a quorum that was not reached.
    pub(crate) fn heartbeat(&self, now: UnixMillis) -> Result<(), Failure> {
        let reached = self
            .sequencer()
            .heartbeat(now)
            .map_err(because("ledger", Vec::new()))?;
        if reached {
            Ok(())
        } else {
            Err(self.no_quorum())
        }
    }

    /// Why the newest head has no quorum.
    pub(crate) fn no_quorum(&self) -> Failure {
        let sequencer = self.sequencer();
        let silent = sequencer.silent().iter();
        let why: Vec<String> = silent.map(|(name, why)| format!("{name}: {why}")).collect();
        Failure::usage("no-quorum", args![cause = why.join("; ")])
    }
}

/// Why the log does not start. An older copy that was put back is what these checks are for.
fn not_started(error: StartError) -> Failure {
    if let StartError::Publish(error) = &error {
        return place::refused(error);
    }
    let key = match &error {
        StartError::DatabaseOlder { .. } => "ledger-older",
        StartError::Commit(CommitError::WitnessAhead { .. }) => "ledger-behind",
        _ => "ledger-start",
    };
    Failure::usage(key, args![cause = error])
}

/// What a directory whose log was made must hold, before anything in it is opened: opening writes.
fn must_exist(home: &Home, memory: &Path) -> Result<(), Failure> {
    let (database, witness) = (home.database(), home.witness());
    for (there, key, path) in [
        (Rocks::exists(&database), "database-missing", &*database),
        (witness.is_dir(), "witness-missing", &*witness),
        (Rocks::exists(memory), "auditor-missing", memory),
    ] {
        if !there {
            return Err(database::missing(home.dir(), path, key));
        }
    }
    Ok(())
}

/// A database: made for a new log only.
fn opened(home: &Home, log: Log, path: &Path, missing: &str) -> Result<Rocks, Failure> {
    let opened = match log {
        Log::New => Rocks::create(path),
        Log::Existing => Rocks::open(path),
    };
    opened.map_err(|cause| match cause {
        StoreError::NoDatabase { .. } => database::missing(home.dir(), path, missing),
        cause => database::unopened(home.dir(), path, cause, because("ledger-start", args![])),
    })
}

/// The ML-DSA keys whose cosignatures are published.
fn mldsa_keys(home: &Home) -> Result<Vec<Vkey>, Failure> {
    let keys = home.config.mldsa_keys.iter().map(|text| {
        let key = Vkey::parse(text).ok();
        let fit = key.filter(|key| zhao_spec::log::mldsa::public_key(key).is_some());
        let value = zhao_spec::wire::clip(text);
        fit.ok_or_else(|| Failure::usage("mldsa-key", args![value]))
    });
    keys.collect()
}

/// The witnesses of the policy that are asked over the network: those with a URL.
fn elsewhere<'a>(
    trust: &'a TrustPolicy,
    origin: &'a str,
    local: &'a str,
) -> impl Iterator<Item = Box<dyn Cosigner>> + use<'a> {
    trust
        .policy()
        .witnesses()
        .iter()
        .filter_map(move |witness| {
            let url = witness.url.as_deref()?;
            // The one in this process is here whatever the policy says of where it is.
            let far = witness.vkey.name() != local;
            far.then(|| -> Box<dyn Cosigner> {
                Box::new(RemoteCosigner::new(&witness.vkey, url, origin))
            })
        })
}

/// The log's keys that are here, and its ML-DSA key if it has one. The first of them by name is
/// the one it began with, as long as it is here.
fn log_signer(
    home: &Home,
    keyring: &mut Keyring,
) -> Result<(LogSigner, Option<mldsa::Signer>), Failure> {
    let wrap = |cause: &dyn std::fmt::Display| Failure::usage("ledger-start", args![cause]);
    let origin = &home.config.origin;
    let secrets = keyring
        .secrets(Purpose::Log)
        .map_err(because("keys", args![]))?;
    let mldsa = match secrets.first().filter(|_| home.config.mldsa) {
        Some(secret) => Some(mldsa::Signer::new(origin, secret).map_err(|cause| wrap(&cause))?),
        None => None,
    };
    let mut signer: Option<LogSigner> = None;
    for secret in secrets {
        let next = NoteSigner::new(origin, secret).map_err(|cause| wrap(&cause))?;
        match &mut signer {
            Some(signer) => {
                signer.add(next);
            }
            None => signer = Some(next.into()),
        }
    }
    match signer {
        Some(signer) => Ok((signer, mldsa)),
        // The first one's name is what the operator knows.
        None => Err(match keyring.secret(LOG_KEY, Purpose::Log) {
            Err(cause) => Failure::usage("keys", args![cause]),
            Ok(_) => wrap(&"no key of the log"),
        }),
    }
}

fn parts(
    home: &Home,
    keyring: &mut Keyring,
    trust: &TrustPolicy,
    genesis: Hash,
    clock: &Clock,
    log: Log,
) -> Result<Parts, Failure> {
    let wrap = |cause: &dyn std::fmt::Display| Failure::usage("ledger-start", args![cause]);
    let memory = home.auditor().join("db");
    if log == Log::Existing {
        must_exist(home, &memory)?;
    }
    let store = Arc::new(opened(home, log, &home.database(), "database-missing")?);
    let files = Directory::open(&home.ledger()).map_err(|cause| wrap(&cause))?;
    let (signer, mldsa) = log_signer(home, keyring)?;
    let mut secret = |name: &str, purpose| {
        keyring
            .secret(name, purpose)
            .map_err(because("keys", Vec::new()))
    };
    let log_keys = signer.known(trust.policy());
    let witness = Witness::new(
        &home.config.witness,
        secret(WITNESS_KEY, Purpose::Witness)?,
        log_keys.iter().cloned().collect(),
        Arc::new(Directory::open(&home.witness()).map_err(|cause| wrap(&cause))?),
    )
    .map_err(|cause| wrap(&cause))?;
    // With nothing remembered they would cosign any history, as if this one had never been.
    let forgotten = |latest: Result<Option<String>, StoreError>, key, path: &Path| match latest {
        Ok(None) if log == Log::Existing => Err(Failure::usage(key, args![path = path.display()])),
        Ok(_) => Ok(()),
        Err(cause) => Err(wrap(&cause)),
    };
    let latest = witness.latest(&home.config.origin);
    forgotten(latest, "witness-missing", &home.witness())?;
    let own = opened(home, log, &memory, "auditor-missing")?;
    let auditor = Auditor::new(
        &home.config.auditor,
        secret(AUDITOR_KEY, Purpose::Auditor)?,
        log_keys,
        genesis,
        Arc::new(own),
        Arc::new(StoreLeaves(store.clone())),
    )
    .map_err(|cause| wrap(&cause))?;
    forgotten(auditor.latest(), "auditor-missing", &memory)?;
    let auditor = Arc::new(Mutex::new(auditor));
    // What it refuses, and why, comes back through the sequencer's list of silent cosigners.
    let report = Arc::new(|_: &AuditError| ());
    let mut cosigners: Vec<Box<dyn Cosigner>> = vec![
        Box::new(LocalWitness::new(
            Arc::new(Mutex::new(witness)),
            &home.config.origin,
            clock.seconds(),
        )),
        Box::new(LocalAuditor::new(auditor, clock.seconds(), report)),
    ];
    let local = home.config.witness.as_str();
    cosigners.extend(elsewhere(trust, &home.config.origin, local));
    for (name, url) in &home.config.auditors {
        let known = trust.trust().auditors.iter();
        let auditor = known.into_iter().find(|auditor| auditor.name == *name);
        let auditor = auditor.ok_or_else(|| {
            let path = home.trust();
            Failure::usage("auditor-unknown", args![name, path = path.display()])
        })?;
        let origin = &home.config.origin;
        cosigners.push(Box::new(RemoteCosigner::new(&auditor.vkey, url, origin)));
    }
    let quorum = Quorum {
        policy: trust.policy().clone(),
        trust: Some(trust.trust().clone()),
        others: mldsa_keys(home)?,
    };
    let config = Config {
        signer,
        quorum,
        cosigners,
        max_unpublished: MAX_UNPUBLISHED,
        mldsa,
        publication: None,
    };
    Ok(Parts {
        store,
        files: Arc::new(files),
        config,
    })
}
