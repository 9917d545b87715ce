//! Writing `policy.txt` and `trust.txt` for a new office.

use zhao_spec::log::note::{KeyKind, Vkey, VkeyError};
use zhao_spec::wire::{Hash, PublicKey};

use crate::home::Config;

/// Name of the local witness within the policy.
pub(crate) const WITNESS: &str = "local-witness";
/// Name of the local auditor within the trust file.
pub(crate) const AUDITOR: &str = "local-auditor";

/// What the two files name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parties<'a> {
    /// Names of log, witness and auditor.
    pub(crate) config: &'a Config,
    /// The log's key.
    pub(crate) log: PublicKey,
    /// The local witness's key.
    pub(crate) witness: PublicKey,
    /// The local auditor's key.
    pub(crate) auditor: PublicKey,
}

impl Parties<'_> {
    /// The C2SP tlog-policy: the log, and its local witness as the whole quorum.
    ///
    /// # Errors
    /// A name that no key may have.
    pub(crate) fn policy(&self) -> Result<String, VkeyError> {
        let log = Vkey::new(&self.config.origin, KeyKind::Ed25519, self.log)?.format();
        let witness = Vkey::new(&self.config.witness, KeyKind::Cosignature, self.witness)?.format();
        Ok(format!(
            "# Whom to believe about this log (C2SP tlog-policy). Add independent witnesses, and\n\
             # make a quorum of more than half of them, as soon as there are any.\n\
             log {log}\n\
             witness {WITNESS} {witness}\n\
             quorum {WITNESS}\n"
        ))
    }

    /// The trust file beside it. `genesis` is the leaf hash of the log's first entry.
    ///
    /// # Errors
    /// A name that no key may have.
    pub(crate) fn trust(&self, genesis: &Hash) -> Result<String, VkeyError> {
        let auditor = Vkey::new(&self.config.auditor, KeyKind::Cosignature, self.auditor)?.format();
        Ok(format!(
            "# What a tlog-policy has no words for: who founded the log, who recomputes its map,\n\
             # how old a proof may be, and which parties are the operator's own.\n\
             administrator {origin} {genesis}\n\
             auditor {AUDITOR} {auditor} local\n\
             auditors 1\n\
             max-age 24h\n\
             max-lag 15m\n\
             skew 5m\n\
             inclusion-bound 24h\n\
             pack-max-age 30d\n\
             local-witness {WITNESS}\n",
            origin = self.config.origin,
            genesis = genesis.to_base64(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zhao_spec::wire::SecretKey;
    use zhao_verifier::TrustPolicy;

    #[test]
    fn the_two_files_fit_each_other() {
        let key = |n| SecretKey::from_seed([n; 32]).public();
        let config = Config {
            origin: "zhao.example/changzhou".into(),
            witness: "zhao.example/changzhou/witness".into(),
            auditor: "zhao.example/changzhou/auditor".into(),
            ..Config::example()
        };
        let parties = Parties {
            config: &config,
            log: key(1),
            witness: key(2),
            auditor: key(3),
        };
        let policy = parties.policy().unwrap();
        let trust = parties.trust(&Hash([7; 32])).unwrap();
        let loaded = TrustPolicy::load(&policy, &trust).unwrap();
        assert_eq!(loaded.policy().logs()[0].vkey.name(), config.origin);
        assert!(loaded.trust().is_local_witness(WITNESS));
        assert_eq!(
            loaded.trust().genesis_of(&config.origin),
            Some(&Hash([7; 32]))
        );
        assert_eq!(loaded.trust().required_auditors, Some(1));
    }
}
