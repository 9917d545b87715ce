//! Proofs of logging as text (c2sp.org/tlog-proof@v1): index, inclusion proof, checkpoint.
//!
//! Reading proves nothing: open the checkpoint under a policy, then
//! [`TlogProof::check`] the entry against it. `extra` is signed by nobody.
//! Prose: `spec/tlog-proof.md`.

#[cfg(test)]
mod tests;

use thiserror::Error;

use super::checkpoint::Checkpoint;
use super::text::decimal;
use super::tree::{LeafIndex, PROOF_LIMIT, TreeError, check_inclusion};
use crate::wire::binary::{decode_base64, encode_base64};
use crate::wire::hash::Hash;
use crate::wire::limits;

/// First line of every proof.
const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// Bytes the extra data may have: as much as a note.
pub const EXTRA_LIMIT: usize = limits::NOTE_BYTES;

/// Bytes a proof may have: a note, extra data in base64, 64 hashes.
pub const PROOF_TEXT_LIMIT: usize = 3 * limits::NOTE_BYTES;

/// Why a proof text was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TlogProofError {
    /// The checkpoint after the empty line is missing.
    #[error("proof has no checkpoint")]
    CheckpointMissing,
    /// The extra data are not standard base64, or too many.
    #[error("extra data are malformed")]
    Extra,
    /// A proof line is not 32 bytes in standard base64.
    #[error("hash {line} is malformed")]
    Hash {
        /// Which hash, from 1.
        line: usize,
    },
    /// The first line is another.
    #[error("not a c2sp.org/tlog-proof@v1")]
    Header,
    /// The index line is missing or not a decimal without leading zero.
    #[error("index line is malformed")]
    Index,
    /// More hashes than any proof has.
    #[error("more than 64 hashes")]
    ProofLimit,
    /// The text is too long.
    #[error("proof of {length} bytes is longer than 196608")]
    SizeLimit {
        /// Bytes of the text.
        length: usize,
    },
}

impl TlogProofError {
    /// The stable code used in vectors and reports.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::CheckpointMissing => "checkpoint_missing",
            Self::Extra => "extra",
            Self::Hash { .. } => "hash",
            Self::Header => "header",
            Self::Index => "index",
            Self::ProofLimit => "proof_limit",
            Self::SizeLimit { .. } => "size_limit",
        }
    }
}

/// A proof in its parts, not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    /// Position of the entry.
    pub index: LeafIndex,
    /// Inclusion proof, from the leaf's sibling to the root's child.
    pub hashes: Vec<Hash>,
    /// Data the application attached; authenticated by nothing here.
    pub extra: Option<Vec<u8>>,
    /// The signed checkpoint, byte for byte.
    pub checkpoint: String,
}

impl TlogProof {
    /// Splits a proof. The checkpoint is kept as it is and not looked into.
    ///
    /// # Errors
    /// `SizeLimit`, `Header`, `Extra`, `Index`, `ProofLimit`, `Hash`, `CheckpointMissing`.
    pub fn parse(text: &str) -> Result<Self, TlogProofError> {
        if text.len() > PROOF_TEXT_LIMIT {
            return Err(TlogProofError::SizeLimit { length: text.len() });
        }
        let (header, rest) = text.split_once('\n').ok_or(TlogProofError::Header)?;
        if header != HEADER {
            return Err(TlogProofError::Header);
        }
        let (line, rest) = rest.split_once('\n').ok_or(TlogProofError::Index)?;
        let (extra, line, mut rest) = match line.strip_prefix("extra ") {
            None => (None, line, rest),
            Some(base64) => {
                let bytes = decode_base64(base64).ok();
                let bytes = bytes.ok_or(TlogProofError::Extra)?;
                let (line, rest) = rest.split_once('\n').ok_or(TlogProofError::Index)?;
                (Some(bytes), line, rest)
            }
        };
        let index = line.strip_prefix("index ").and_then(decimal).map(LeafIndex);
        let index = index.ok_or(TlogProofError::Index)?;
        let mut hashes = Vec::new();
        loop {
            let (line, after) = rest
                .split_once('\n')
                .ok_or(TlogProofError::CheckpointMissing)?;
            rest = after;
            if line.is_empty() {
                break;
            }
            if hashes.len() >= PROOF_LIMIT {
                return Err(TlogProofError::ProofLimit);
            }
            let line_number = hashes.len().saturating_add(1);
            let hash = Hash::from_base64(line);
            hashes.push(hash.map_err(|_| TlogProofError::Hash { line: line_number })?);
        }
        if rest.is_empty() {
            return Err(TlogProofError::CheckpointMissing);
        }
        Ok(Self {
            index,
            hashes,
            extra,
            checkpoint: rest.to_owned(),
        })
    }

    /// The proof as text: what [`TlogProof::parse`] reads, byte for byte.
    #[must_use]
    pub fn format(&self) -> String {
        let mut text = format!("{HEADER}\n");
        if let Some(extra) = &self.extra {
            text.push_str(&format!("extra {}\n", encode_base64(extra)));
        }
        text.push_str(&format!("index {}\n", self.index));
        for hash in &self.hashes {
            text.push_str(&hash.to_base64());
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&self.checkpoint);
        text
    }

    /// Checks that the entry hashed to `leaf` is in the log state `checkpoint` states, which the
    /// caller opened from [`TlogProof::checkpoint`] under a policy.
    ///
    /// # Errors
    /// As [`check_inclusion`].
    pub fn check(&self, leaf: &Hash, checkpoint: &Checkpoint) -> Result<(), TreeError> {
        check_inclusion(
            self.index,
            checkpoint.size,
            leaf,
            &self.hashes,
            &checkpoint.root,
        )
    }
}
