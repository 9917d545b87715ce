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

impl Kind {
    /// The first byte of its keys.
    ///
    /// `apply` sees keys and not ids, so without it a unit could issue a "licence" under the key
    /// that belongs to a unit, type or index yet to be made, and nobody could make it any more.
    #[must_use]
    pub fn tag(self) -> u8 {
        match self {
            Self::Licence => 1,
            Self::Issuer => 2,
            Self::LicenceType => 3,
            Self::Enterprise => 4,
            Self::Registry => 5,
        }
    }

    /// The kind that a key is of; none for a key that no subject can have.
    #[must_use]
    pub fn of(key: &Hash) -> Option<Self> {
        let [tag, ..] = key.0;
        [
            Self::Licence,
            Self::Issuer,
            Self::LicenceType,
            Self::Enterprise,
            Self::Registry,
        ]
        .into_iter()
        .find(|kind| kind.tag() == tag)
    }
}

/// The kind's tag, then SHA-256 over origin, kind and id, separated by zero bytes, without its
/// first byte.
#[must_use]
pub fn subject_key(origin: &str, kind: Kind, id: &str) -> Hash {
    let Hash([_, rest @ ..]) = sha256(&[
        b"zhao/v1 subject\0",
        origin.as_bytes(),
        b"\0",
        kind.as_str().as_bytes(),
        b"\0",
        id.as_bytes(),
    ]);
    let mut key = [kind.tag(); 32];
    let [_, tail @ ..] = &mut key;
    tail.copy_from_slice(&rest);
    Hash(key)
}
