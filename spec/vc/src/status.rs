//! Bitstring Status List and Token Status List. Prose: `spec/status-list.md`.
//!
//! In scope: lists as bytes ([`StatusList`], [`mod@pack`]), the two members of W3C Bitstring Status
//! List v1.0 ([`Entry`] in a credential, [`ListCredential`]), the judgement of one entry
//! ([`check`]), and IETF Token Status List ([`mod@token`]). Out of scope: fetching a list, and the
//! proof of a list that is a credential: both are the caller's, before anything here is asked.

mod bits;
mod check;
mod credential;
pub mod derive;
mod entry;
mod json;
pub mod pack;
pub mod token;

use zhao_spec::wire::UnixMillis;
use zhao_spec::wire::binary::BinaryError;

pub use bits::{Order, StatusList};
pub use check::{Outcome, Wanted, check};
pub use credential::{
    CREDENTIAL_TYPE, Epoch, ListCredential, ListParts, build, decode, encode, standing_messages,
};
pub use entry::{ENTRY_TYPE, Entry, Message, entries};
pub use pack::PackError;

/// The fewest entries of a list: less would tell who asks about whom (Bitstring Status List §3.2).
pub const ENTRIES: u32 = 131_072;

/// Why an entry or a list is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StatusError {
    /// `encodedList` or `lst` is not base64url without padding, or longer than a list may be.
    #[error("{member} is no base64url: {source}")]
    Base64 {
        /// The member.
        member: &'static str,
        /// What is wrong with it.
        source: BinaryError,
    },
    /// A published list says another thing of an entry than the ledger does.
    #[error("index {index} is {actual} in the list and {expected} by the ledger")]
    Disagrees {
        /// The index.
        index: u64,
        /// What the list says.
        actual: u8,
        /// What the ledger says.
        expected: u8,
    },
    /// The list is valid no more.
    #[error("the list was valid until {until}")]
    Expired {
        /// Its `validUntil`, or `exp`.
        until: UnixMillis,
    },
    /// The list calls itself by another name than the entry does.
    #[error("the list's {member} is {actual}, not what the entry names")]
    Id {
        /// `id` or `sub`.
        member: &'static str,
        /// What it says, clipped.
        actual: String,
    },
    /// `statusListIndex` or `idx` is no decimal number.
    #[error("{member} is no decimal number: {actual}")]
    Index {
        /// The member.
        member: &'static str,
        /// What it says, clipped.
        actual: String,
    },
    /// The list is of somebody whose word does not count for this credential.
    #[error("the list is issued by {actual}")]
    Issuer {
        /// Its issuer, clipped.
        actual: String,
    },
    /// Fewer entries than give privacy.
    #[error("the list has {actual} entries, fewer than {least}")]
    Length {
        /// How many it has.
        actual: u64,
        /// How many it must have.
        least: u64,
    },
    /// `statusMessage` is missing, of the wrong number, or names a value twice or not at all.
    #[error("statusMessage does not name each of the {expected} values once")]
    Messages {
        /// How many values there are.
        expected: u64,
    },
    /// Not the name of a list of ours.
    #[error("{actual} is no name of a status list")]
    Name {
        /// What it says, clipped.
        actual: String,
    },
    /// The list is not valid yet.
    #[error("the list is valid from {from}")]
    NotYet {
        /// Its `validFrom`, or `iat`.
        from: UnixMillis,
    },
    /// The list was derived from an older epoch than the caller knows of.
    #[error("the list is of size {actual} of the log, older than {required}")]
    Old {
        /// The size it was derived from; 0 for a list that does not say.
        actual: u64,
        /// The size it must at least be of.
        required: u64,
    },
    /// What is not exactly one compressed list within the limits.
    #[error("{member}: {source}")]
    Pack {
        /// The member.
        member: &'static str,
        /// What is wrong with it.
        source: PackError,
    },
    /// Entry and list are about different things.
    #[error("the list is not of the purpose {expected}")]
    Purpose {
        /// The entry's purpose, clipped.
        expected: String,
    },
    /// No such entry in the list.
    #[error("index {index} is not below the {entries} entries of the list")]
    Range {
        /// The index.
        index: u64,
        /// How many entries there are.
        entries: u64,
    },
    /// There is no list to look at. Said by whoever should have had it.
    #[error("no status list of {url}")]
    Retrieval {
        /// Its URL, clipped.
        url: String,
    },
    /// A member is missing or not of the kind it must be.
    #[error("{member} is not {expected}")]
    Shape {
        /// The member.
        member: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A signature that does not hold, or that is not of the one algorithm.
    #[error("the signature of the list: {detail}")]
    Signature {
        /// What is wrong with it.
        detail: String,
    },
    /// Entries of a width that is not read, or a value that does not fit.
    #[error("{actual} is no width of an entry, or does not fit it")]
    Size {
        /// The width or value.
        actual: u64,
    },
    /// The list is longer than a reader may take: it is never cut.
    #[error("the text of the list is longer than {limit} bytes")]
    TooLong {
        /// The limit, bytes.
        limit: usize,
    },
    /// `type` or `typ` is another.
    #[error("{member} is not {expected}")]
    Type {
        /// The member.
        member: &'static str,
        /// What it must be, or hold.
        expected: &'static str,
    },
}

impl StatusError {
    /// The stable code of this kind of error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Base64 { .. } => "status-base64",
            Self::Disagrees { .. } => "status-disagrees",
            Self::Expired { .. } => "status-expired",
            Self::Id { .. } => "status-id",
            Self::Index { .. } => "status-index",
            Self::Issuer { .. } => "status-issuer",
            Self::Length { .. } => "status-length",
            Self::Messages { .. } => "status-messages",
            Self::Name { .. } => "status-name",
            Self::NotYet { .. } => "status-not-yet",
            Self::Old { .. } => "status-old",
            Self::Pack { source, .. } => source.code(),
            Self::Purpose { .. } => "status-purpose",
            Self::Range { .. } => "status-range",
            Self::Retrieval { .. } => "status-retrieval",
            Self::Shape { .. } => "status-shape",
            Self::Signature { .. } => "status-signature",
            Self::Size { .. } => "status-size",
            Self::TooLong { .. } => "status-too-long",
            Self::Type { .. } => "status-type",
        }
    }

    /// The `type` of a problem that reports this (Bitstring Status List §3.5; Verifiable
    /// Credentials Data Model v2.0 §7.2 for the two that it takes from there).
    #[must_use]
    pub fn problem(&self) -> &'static str {
        match self {
            Self::Base64 { .. }
            | Self::Index { .. }
            | Self::Messages { .. }
            | Self::Name { .. }
            | Self::Pack { .. }
            | Self::Shape { .. }
            | Self::Size { .. }
            | Self::TooLong { .. }
            | Self::Type { .. } => "https://www.w3.org/TR/vc-data-model#MALFORMED_VALUE_ERROR",
            Self::Length { .. } => {
                "https://www.w3.org/ns/credentials/status-list#STATUS_LIST_LENGTH_ERROR"
            }
            Self::Range { .. } => "https://www.w3.org/TR/vc-data-model#RANGE_ERROR",
            Self::Retrieval { .. } => {
                "https://www.w3.org/ns/credentials/status-list#STATUS_RETRIEVAL_ERROR"
            }
            Self::Disagrees { .. }
            | Self::Expired { .. }
            | Self::Id { .. }
            | Self::Issuer { .. }
            | Self::NotYet { .. }
            | Self::Old { .. }
            | Self::Purpose { .. }
            | Self::Signature { .. } => {
                "https://www.w3.org/ns/credentials/status-list#STATUS_VERIFICATION_ERROR"
            }
        }
    }
}

#[cfg(test)]
mod tests;
