//! Whom a relying party trusts: the two policy files, read and checked against each other.

use zhao_spec::log::policy::{self, Policy};
use zhao_spec::log::trust::{Trust, TrustError};

/// Why the two files cannot be used. This is the caller's error, never a verdict.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// An auditor has the key of a log.
    ///
    /// A log that is its own auditor says nothing that it has not said already.
    #[error("auditor {name:?} has the key of a log")]
    AuditorIsLog {
        /// The auditor's name.
        name: String,
    },
    /// The policy file is wrong.
    #[error(transparent)]
    Policy(#[from] policy::PolicyError),
    /// The trust file is wrong, or does not fit the policy.
    #[error(transparent)]
    Trust(#[from] TrustError),
}

impl PolicyError {
    /// Stable short code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::AuditorIsLog { .. } => "auditor_is_log",
            Self::Policy(error) => error.code(),
            Self::Trust(error) => error.code(),
        }
    }
}

/// Policy and trust file, which together say whose word counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustPolicy {
    pub(crate) policy: Policy,
    pub(crate) trust: Trust,
}

impl TrustPolicy {
    /// Reads both files.
    ///
    /// # Errors
    /// A file that does not parse; files that do not fit each other; an auditor whose key is a
    /// witness's or a log's.
    pub fn load(policy_text: &str, trust_text: &str) -> Result<Self, PolicyError> {
        let policy = Policy::parse(policy_text)?;
        let trust = Trust::parse(trust_text)?;
        trust.check_against(&policy)?;
        for auditor in &trust.auditors {
            if policy
                .logs()
                .iter()
                .any(|log| log.vkey.public_key() == Some(&auditor.key))
            {
                return Err(PolicyError::AuditorIsLog {
                    name: auditor.name.clone(),
                });
            }
        }
        Ok(Self { policy, trust })
    }

    /// The tlog-policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The trust file.
    #[must_use]
    pub fn trust(&self) -> &Trust {
        &self.trust
    }
}
