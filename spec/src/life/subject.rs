//! Subject keys. Prose: `spec/subject.md`.

use crate::wire::hash::{Hash, sha256};

/// What a subject is; part of its key, so that no two kinds can share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The public index of one organisation's open licences; id: its USCC.
    Enterprise,
    /// A unit of record; id: its USCC.
    Issuer,
    /// One version of a licence; id: its credential's `urn:uuid:`.
    Licence,
    /// A catalogue entry; id: the licence type code.
    LicenceType,
    /// The log's administrators; id: the log's origin.
    Registry,
}

impl Kind {
    /// The word in the key and in the record's `kind`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enterprise => "enterprise",
            Self::Issuer => "issuer",
            Self::Licence => "licence",
            Self::LicenceType => "licence-type",
            Self::Registry => "registry",
        }
    }
}

/// SHA-256 over origin, kind and id, separated by zero bytes.
#[must_use]
pub fn subject_key(origin: &str, kind: Kind, id: &str) -> Hash {
    sha256(&[
        b"zhao/v1 subject\0",
        origin.as_bytes(),
        b"\0",
        kind.as_str().as_bytes(),
        b"\0",
        id.as_bytes(),
    ])
}
