//! The ledger: orders events, keeps log and status map, signs heads, gets them witnessed, and
//! proves what it keeps.
//!
//! In scope: the store, the sequencer, the stored map, proofs from them, fsck, and the witness and
//! auditor, because they read the same tree. Out of scope: what an event means (`zhao-spec`), what
//! a licence is worth (`zhao-verifier`), who asks for events (`zhao-issuer`). There is no clock
//! here:
//! `now` is an argument. Formats: `spec/leaf.md`, `spec/map.md`, `spec/dossier.md`, C2SP's tlog
//! pages; folder map and recovery rules: `ledger/README.md`.
#![forbid(unsafe_code)]

pub mod audit;
#[cfg(test)]
pub(crate) mod fixture;
pub mod fsck;
pub mod hot;
pub mod map;
pub mod migrate;
pub mod mldsa;
pub mod overlay;
pub mod pipeline;
pub mod publish;
pub mod read;
pub mod replay;
pub mod sequence;
pub mod store;
pub mod tree;
pub mod witness;
