//! The transparency log: its tree, its published texts, and the policies that judge them.
//!
//! Formats are C2SP's (c2sp.org) where it has one: signed-note, tlog-checkpoint, tlog-tiles,
//! tlog-cosignature, tlog-policy, tlog-proof; [`cose`] is RFC 9942's; [`trust`] is ours. What an
//! entry means is not known here (see `life`); fetching and storing are not done here (see
//! `zhao-ledger`).
//! Prose: `spec/{tree,tile,note,checkpoint,cosignature,policy,trust,tlog-proof,cose-receipt}.md`.
#![cfg_attr(
    not(test),
    deny(
        clippy::as_conversions,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

pub mod checkpoint;
pub mod cose;
pub mod cosignature;
mod keys;
pub mod mldsa;
pub mod note;
pub mod policy;
pub(crate) mod text;
pub mod tile;
pub mod tlog_proof;
pub mod tree;
pub mod trust;

pub use keys::{HeadKey, LogKeys, head_key_at};

#[cfg(test)]
pub(crate) mod vectors;
