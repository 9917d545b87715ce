//! The parties of the log that is tortured: its key, its witness, its auditor, and its quorum.

use std::sync::Arc;

use zhao_ledger::audit::{Auditor, StoreLeaves};
use zhao_ledger::sequence::Quorum;
use zhao_ledger::store::Store;
use zhao_ledger::store::files::Files;
use zhao_ledger::witness::Witness;
use zhao_spec::log::LogKeys;
use zhao_spec::log::note::{KeyKind, NoteSigner, Vkey};
use zhao_spec::log::policy::Policy;
use zhao_spec::log::trust::Trust;
use zhao_verifier::TrustPolicy;

use crate::office::{Office, secret};

/// The log's name.
pub const ORIGIN: &str = "torture.zhao.example/log";
/// The witness's name.
pub const WITNESS: &str = "witness.example";
/// The auditor's name.
pub const AUDITOR: &str = "auditor.example";

/// The log's key.
///
/// # Panics
/// Never: the name is a good one.
#[must_use]
pub fn signer() -> NoteSigner {
    NoteSigner::new(ORIGIN, secret("log")).expect("a name")
}

/// The key the log's heads are read with.
///
/// # Panics
/// Never: the name is a good one.
#[must_use]
pub fn log_keys() -> LogKeys {
    signer().vkey().clone().into()
}

/// A witness of this log with its state in these files.
///
/// # Panics
/// Never: the name is a good one.
#[must_use]
pub fn witness(files: Arc<dyn Files>) -> Witness {
    let logs = vec![signer().vkey().clone()];
    Witness::new(WITNESS, secret("witness"), logs, files).expect("a name")
}

/// An auditor with its replica in `store`, who reads the leaves of `log`.
///
/// # Panics
/// Never: the name is a good one.
#[must_use]
pub fn auditor(store: Arc<dyn Store>, log: Arc<dyn Store>) -> Auditor {
    let genesis = Office::new(ORIGIN).genesis().hash();
    let (vkey, source) = (signer().vkey().clone(), Arc::new(StoreLeaves(log)));
    let key = secret("auditor");
    Auditor::new(AUDITOR, key, vkey.into(), genesis, store, source).expect("a name")
}

/// The texts of policy and trust file: the witness and the auditor must both have cosigned.
///
/// # Panics
/// Never: the names are good ones.
#[must_use]
pub fn texts() -> (String, String) {
    let vkey = |name: &str, key: &str| {
        let public = secret(key).public();
        Vkey::new(name, KeyKind::Cosignature, public)
            .expect("a name")
            .format()
    };
    let policy = format!(
        "log {}\nwitness w {}\nquorum w\n",
        signer().vkey().format(),
        vkey(WITNESS, "witness")
    );
    let trust = format!(
        "administrator {ORIGIN} {}\nauditor a {}\nauditors 1\nmax-age 1d\nmax-lag 1h\nskew 5m\n\
         inclusion-bound 1d\npack-max-age 30d\n",
        Office::new(ORIGIN).genesis().hash().to_base64(),
        vkey(AUDITOR, "auditor")
    );
    (policy, trust)
}

/// The quorum of [`texts`].
///
/// # Panics
/// Never: both texts are good ones.
#[must_use]
pub fn quorum() -> Quorum {
    let (policy, trust) = texts();
    Quorum {
        policy: Policy::parse(&policy).expect("a policy"),
        trust: Some(Trust::parse(&trust).expect("a trust file")),
        others: Vec::new(),
    }
}

/// The same for verifiers.
///
/// # Panics
/// Never: both texts are good ones.
#[must_use]
pub fn trust_policy() -> TrustPolicy {
    let (policy, trust) = texts();
    TrustPolicy::load(&policy, &trust).expect("they fit each other")
}
