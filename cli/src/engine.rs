//! The ledger in this process: sequencer, local witness and local auditor over one directory.

use std::sync::{Arc, Mutex};

use zhao_issuer::keys::{Keyring, Purpose};
use zhao_ledger::audit::{AuditError, Auditor, LocalAuditor, StoreLeaves};
use zhao_ledger::sequence::{CommitError, Config, Cosigner, Quorum, Sequencer, Start, StartError};
use zhao_ledger::store::Store;
use zhao_ledger::store::files::{Directory, Files};
use zhao_ledger::store::rocks::Rocks;
use zhao_ledger::witness::{LocalWitness, Witness};
use zhao_spec::life::leaf::Genesis;
use zhao_spec::log::note::NoteSigner;
use zhao_spec::wire::{Hash, UnixMillis};
use zhao_verifier::TrustPolicy;

use crate::failure::{Failure, because};
use crate::home::Home;
use crate::host::Clock;

/// Names of the keys in DIR/keys.
pub(crate) const LOG_KEY: &str = "log";
/// The local witness's.
pub(crate) const WITNESS_KEY: &str = "local-witness";
/// The local auditor's.
pub(crate) const AUDITOR_KEY: &str = "local-auditor";

/// Leaves that may wait for a quorum: the local cosigners are always there, so one batch is plenty.
const MAX_UNPUBLISHED: u64 = 100_000;

/// Sequencer, witness and auditor of one directory.
pub(crate) struct Engine {
    /// The one writer of the log.
    pub(crate) sequencer: Sequencer,
    /// The log's database, for reading.
    pub(crate) store: Arc<Rocks>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Engine({:?})", self.sequencer)
    }
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
        let parts = parts(home, keyring, trust, genesis.hash(), clock)?;
        let store: Arc<dyn Store> = parts.store.clone();
        let now = clock.read();
        let sequencer = Sequencer::create(store, parts.files, parts.config, genesis, now)
            .map_err(because("ledger-start", Vec::new()))?;
        Ok(Self {
            sequencer,
            store: parts.store,
        })
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
    ) -> Result<(Self, Start), Failure> {
        let genesis = trust
            .trust()
            .genesis_of(&home.config.origin)
            .ok_or_else(|| {
                let (path, origin) = (home.trust(), &home.config.origin);
                Failure::usage(
                    "trust-other-log",
                    crate::failure::args![path = path.display(), origin],
                )
            })?;
        let parts = parts(home, keyring, trust, *genesis, clock)?;
        let store: Arc<dyn Store> = parts.store.clone();
        let (sequencer, start) =
            Sequencer::open(store, parts.files, parts.config, clock.read()).map_err(not_started)?;
        let engine = Self {
            sequencer,
            store: parts.store,
        };
        Ok((engine, start))
    }

    /// Appends an epoch without events, so that the newest head is of `now`.
    ///
    /// # Errors
    /// The ledger's; a quorum that was not reached.
    pub(crate) fn heartbeat(&mut self, now: UnixMillis) -> Result<(), Failure> {
        let reached = self
            .sequencer
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
        let silent = self.sequencer.silent().iter();
        let why: Vec<String> = silent.map(|(name, why)| format!("{name}: {why}")).collect();
        Failure::usage("no-quorum", crate::failure::args![cause = why.join("; ")])
    }
}

/// Why the log does not start. An older copy that was put back is what these checks are for.
fn not_started(error: StartError) -> Failure {
    let key = match &error {
        StartError::DatabaseOlder { .. } => "ledger-older",
        StartError::Commit(CommitError::WitnessAhead { .. }) => "ledger-behind",
        _ => "ledger-start",
    };
    Failure::usage(key, crate::failure::args![cause = error])
}

fn parts(
    home: &Home,
    keyring: &mut Keyring,
    trust: &TrustPolicy,
    genesis: Hash,
    clock: &Clock,
) -> Result<Parts, Failure> {
    let wrap = |cause: &dyn std::fmt::Display| {
        Failure::usage("ledger-start", crate::failure::args![cause])
    };
    let store = Arc::new(Rocks::open(&home.database()).map_err(|cause| wrap(&cause))?);
    let files = Directory::open(&home.ledger()).map_err(|cause| wrap(&cause))?;
    let mut secret = |name: &str, purpose| {
        keyring
            .secret(name, purpose)
            .map_err(because("keys", Vec::new()))
    };
    let signer = NoteSigner::new(&home.config.origin, secret(LOG_KEY, Purpose::Log)?)
        .map_err(|cause| wrap(&cause))?;
    let witness = Witness::new(
        &home.config.witness,
        secret(WITNESS_KEY, Purpose::Witness)?,
        vec![signer.vkey().clone()],
        Arc::new(Directory::open(&home.witness()).map_err(|cause| wrap(&cause))?),
    )
    .map_err(|cause| wrap(&cause))?;
    let own = Rocks::open(&home.auditor().join("db")).map_err(|cause| wrap(&cause))?;
    let auditor = Auditor::new(
        &home.config.auditor,
        secret(AUDITOR_KEY, Purpose::Auditor)?,
        signer.vkey().clone(),
        genesis,
        Arc::new(own),
        Arc::new(StoreLeaves(store.clone())),
    )
    .map_err(|cause| wrap(&cause))?;
    let auditor = Arc::new(Mutex::new(auditor));
    // What it refuses, and why, comes back through the sequencer's list of silent cosigners.
    let report = Arc::new(|_: &AuditError| ());
    let cosigners: Vec<Box<dyn Cosigner>> = vec![
        Box::new(LocalWitness::new(
            Arc::new(Mutex::new(witness)),
            &home.config.origin,
            clock.seconds(),
        )),
        Box::new(LocalAuditor::new(auditor, clock.seconds(), report)),
    ];
    let quorum = Quorum {
        policy: trust.policy().clone(),
        trust: Some(trust.trust().clone()),
    };
    let config = Config {
        signer,
        quorum,
        cosigners,
        max_unpublished: MAX_UNPUBLISHED,
    };
    Ok(Parts {
        store,
        files: Arc::new(files),
        config,
    })
}
