//! An operator who cheats, an auditor who notices, and a third person who judges: evidence goes
//! from `zhao-ledger` to `zhao-verifier` as bytes, and holds there or fails for the right reason.
#![allow(
    clippy::unwrap_used,
    reason = "these are tests, and what cannot go on fails"
)]

mod altered;
mod desk;
mod finding;
mod handed;
mod heads;
mod honest;
mod operator;
mod receipts;
