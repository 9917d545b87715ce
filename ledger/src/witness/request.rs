//! The body of `add-checkpoint`: `old <size>`, proof hashes, an empty line, the checkpoint.

use zhao_spec::log::checkpoint::CheckpointError;
use zhao_spec::log::tree::TreeSize;
use zhao_spec::wire::{Hash, limits};

/// Proof hashes of one request (tlog-witness: "at most 63").
const PROOF_HASHES: usize = 63;
/// Bytes of one request: a note, and 63 lines of 45 bytes.
pub const REQUEST_BYTES: usize = limits::NOTE_BYTES + 4_096;

/// A request, in its parts. Nothing is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Size the witness cosigned last, as the log believes.
    pub old: TreeSize,
    /// Consistency proof from there.
    pub proof: Vec<Hash>,
    /// The signed checkpoint.
    pub note: String,
}

/// Why a body is no request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The checkpoint is malformed.
    #[error("{0}")]
    Checkpoint(CheckpointError),
    /// The empty line after the proof is missing.
    #[error("no empty line before the checkpoint")]
    Ended,
    /// A proof line is not 32 bytes of base64.
    #[error("proof line {line} is not a hash")]
    Hash {
        /// Which, from 1.
        line: usize,
    },
    /// The first line is not `old` and a decimal without leading zero.
    #[error("the first line is not `old <size>`")]
    Old,
    /// More than 63 proof lines.
    #[error("more than 63 proof hashes")]
    ProofLimit,
    /// More bytes than any request has.
    #[error("{actual} bytes exceed the limit of {limit}")]
    TooLong {
        /// The limit.
        limit: usize,
        /// Bytes of the body.
        actual: usize,
    },
}

impl Request {
    /// Splits a body.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn parse(body: &str) -> Result<Self, RequestError> {
        if body.len() > REQUEST_BYTES {
            return Err(RequestError::TooLong {
                limit: REQUEST_BYTES,
                actual: body.len(),
            });
        }
        let (first, mut rest) = body.split_once('\n').ok_or(RequestError::Old)?;
        let digits = first.strip_prefix("old ").ok_or(RequestError::Old)?;
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit())
            && (digits == "0" || !digits.starts_with('0'));
        let old = digits
            .parse()
            .ok()
            .filter(|_| plain)
            .map(TreeSize)
            .ok_or(RequestError::Old)?;
        let mut proof = Vec::new();
        loop {
            let (line, after) = rest.split_once('\n').ok_or(RequestError::Ended)?;
            rest = after;
            if line.is_empty() {
                return Ok(Self {
                    old,
                    proof,
                    note: rest.to_owned(),
                });
            }
            if proof.len() >= PROOF_HASHES {
                return Err(RequestError::ProofLimit);
            }
            let place = proof.len().saturating_add(1);
            let hash = Hash::from_base64(line).map_err(|_| RequestError::Hash { line: place })?;
            proof.push(hash);
        }
    }
}
