//! Every format of Zhao, as code: pure functions over bytes, no I/O, clock, randomness or async.
//!
//! In scope: encoding, hashes, signatures, the log's tree and texts, the status map, events and
//! the life cycle, credentials, identifiers, the files people exchange and their printed form. Out
//! of scope: deciding what a licence is worth (`zhao-verifier`), keeping the log (`zhao-ledger`).
//! Prose beside this folder (`spec/*.md`) is normative; vectors are in `spec/vectors/`.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::as_conversions,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

pub mod credential;
pub mod file;
pub mod id;
pub mod life;
pub mod log;
pub mod map;
pub mod qr;
pub mod wire;
