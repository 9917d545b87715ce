//! Requirements shown end to end: what units declare goes through the real ledger, what holders
//! carry through the real verifier. Each test is named for its row of `spec/coverage.md`.
#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it must be"
)]

mod authority;
mod catalogue;
mod log;
mod standing;
mod town;
