//! Entry bundles: entries one after another, each behind its length in two bytes.

use thiserror::Error;

use super::TILE_WIDTH;
use crate::wire::limits;

/// Longest entry a bundle can hold, in bytes: its length is a 16-bit number.
pub const ENTRY_LIMIT: usize = limits::LEAF_BYTES;

/// Why a bundle was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The bundle holds another number of entries than its path says.
    #[error("bundle holds {actual} entries, expected {expected}")]
    Count {
        /// Entries the path says.
        expected: u16,
        /// Entries found; counting stops at 257.
        actual: usize,
    },
    /// An entry is longer than its 16-bit length can say.
    #[error("entry of {length} bytes is longer than 65535")]
    EntryLimit {
        /// Bytes of the entry.
        length: usize,
    },
    /// The bundle ends inside an entry or its length.
    #[error("bundle ends inside entry {entry}")]
    Truncated {
        /// Which entry of the bundle, from 0.
        entry: usize,
    },
}

impl BundleError {
    /// The stable code used in vectors and reports.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Count { .. } => "count",
            Self::EntryLimit { .. } => "entry_limit",
            Self::Truncated { .. } => "truncated",
        }
    }
}

/// Appends one entry to a bundle: length as two bytes, most significant first, then the entry.
///
/// # Errors
/// `EntryLimit`; the bundle is then unchanged.
pub fn append_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), BundleError> {
    let length = u16::try_from(entry.len()).map_err(|_| BundleError::EntryLimit {
        length: entry.len(),
    })?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// Joins entries into a bundle.
///
/// # Errors
/// `EntryLimit`; `Count` for none or for more than 256 entries.
pub fn encode_bundle<E: AsRef<[u8]>>(entries: &[E]) -> Result<Vec<u8>, BundleError> {
    if entries.is_empty() || entries.len() > usize::from(TILE_WIDTH) {
        return Err(BundleError::Count {
            expected: TILE_WIDTH,
            actual: entries.len(),
        });
    }
    let mut bundle = Vec::new();
    for entry in entries {
        append_entry(&mut bundle, entry.as_ref())?;
    }
    Ok(bundle)
}

/// Splits a bundle into exactly `width` entries.
///
/// # Errors
/// `Truncated`, `Count`.
pub fn decode_bundle(bundle: &[u8], width: u16) -> Result<Vec<&[u8]>, BundleError> {
    let mut entries = Vec::new();
    let mut rest = bundle;
    while !rest.is_empty() && entries.len() <= usize::from(TILE_WIDTH) {
        let truncated = || BundleError::Truncated {
            entry: entries.len(),
        };
        let (length, after) = rest.split_first_chunk::<2>().ok_or_else(truncated)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, after) = after.split_at_checked(length).ok_or_else(truncated)?;
        entries.push(entry);
        rest = after;
    }
    if width > TILE_WIDTH || entries.len() != usize::from(width) {
        return Err(BundleError::Count {
            expected: width,
            actual: entries.len(),
        });
    }
    Ok(entries)
}
