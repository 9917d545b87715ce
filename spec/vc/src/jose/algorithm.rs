//! The names that JOSE and COSE have for Ed25519.

/// An algorithm that a policy may allow. Both sign alike; they differ in how they are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// `EdDSA` (RFC 8037 §3.1), −8 in COSE (RFC 9053 §2.2): the key says which curve. Keys here
    /// are Ed25519.
    EdDsa,
    /// `Ed25519`, −19 in COSE: fully specified (RFC 9864 §2.2, §4.2.2).
    Ed25519,
}

impl Algorithm {
    /// Every one that is read here; a policy allows some of them.
    pub const ALL: [Self; 2] = [Self::EdDsa, Self::Ed25519];

    /// The value of `alg` in JOSE.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Ed25519 => "Ed25519",
        }
    }

    /// The value of label 1 in COSE.
    #[must_use]
    pub fn cose(self) -> i64 {
        match self {
            Self::EdDsa => -8,
            Self::Ed25519 => -19,
        }
    }

    /// The algorithm that `name` names, if it is among those allowed.
    pub(crate) fn allowed(name: &str, allowed: &[Self]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|known| known.as_str() == name && allowed.contains(known))
    }

    /// As [`Algorithm::allowed`], by the number of COSE.
    pub(crate) fn allowed_cose(number: i64, allowed: &[Self]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|known| known.cose() == number && allowed.contains(known))
    }
}
