//! Why a page of the map was refused.

use thiserror::Error;

use super::Prefix;
use crate::wire::hash::Hash;

/// Why a page was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PageError {
    /// The page hashes to something else than its name.
    #[error("page hashes to {actual}, expected {expected}")]
    Hash {
        /// Hash in its name.
        expected: Hash,
        /// What it opens.
        actual: Hash,
    },
    /// The first byte is neither kind of page.
    #[error("page is of kind {kind}, expected 1 or 2")]
    Kind {
        /// The byte.
        kind: u8,
    },
    /// It ends inside an entry, or inside what comes before the entries.
    #[error("page of {bytes} bytes ends inside an entry")]
    Length {
        /// Bytes of the page.
        bytes: usize,
    },
    /// The page has another prefix than the one asked for.
    #[error("page is of {actual}, expected {expected}")]
    NotWanted {
        /// Prefix asked for.
        expected: Prefix,
        /// Prefix it has.
        actual: Prefix,
    },
    /// Entries must ascend, each once, and none within another.
    #[error("entry {at} does not follow the one before")]
    Order {
        /// Which entry, from 0.
        at: usize,
    },
    /// An entry is not below the page's prefix, or a child not 1 to 8 bits below it.
    #[error("entry {at} is not below the prefix of the page")]
    Outside {
        /// Which entry, from 0.
        at: usize,
    },
    /// The text is not the path of a page.
    #[error("not the path of a page: {path:?}")]
    Path {
        /// Beginning of the text.
        path: String,
    },
    /// The prefix is too long, not of whole bytes where it must be, or followed by bits that are
    /// not 0.
    #[error("prefix of {length} bits is not one that such a page has")]
    Prefix {
        /// Its length, bits.
        length: u8,
    },
    /// A map is never cut into pages like this.
    #[error("the map is not cut into pages at {prefix}")]
    Split {
        /// Where it is cut all the same.
        prefix: Prefix,
    },
    /// More bytes than any page has.
    #[error("page of {bytes} bytes is too long")]
    TooLong {
        /// Bytes of the page.
        bytes: usize,
    },
    /// The way of the key has come to its end.
    #[error("no page is asked for any more")]
    Unasked,
}

impl PageError {
    /// The stable code used in vectors and reports.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Hash { .. } => "page_hash",
            Self::Kind { .. } => "page_kind",
            Self::Length { .. } => "page_length",
            Self::NotWanted { .. } => "page_not_wanted",
            Self::Order { .. } => "page_order",
            Self::Outside { .. } => "page_outside",
            Self::Path { .. } => "page_path",
            Self::Prefix { .. } => "page_prefix",
            Self::Split { .. } => "page_split",
            Self::TooLong { .. } => "page_too_long",
            Self::Unasked => "page_unasked",
        }
    }
}
