//! The licence office: it declares. Everything it says is signed by a unit's key and submitted to
//! the ledger; what it keeps for itself is in its own records.
//!
//! In scope: keys at rest ([`keys`]), the catalogue of licence types ([`catalogue`]), reading
//! batches ([`intake`]), issuing and the life cycle ([`office`]), the office's database
//! ([`records`]), comparing it with the log ([`fsck`]), and fictional data to try it with
//! ([`sample`]).
//! Out of scope: admitting and ordering events (the ledger, reached through
//! [`office::LedgerClient`] only), judging a licence (`zhao_verifier`), command line and clock
//! (`zhao`). Time and randomness are arguments here.
//!
//! Prose: `spec/event.md` for what is submitted; `issuer/README.md` for the rest.

pub mod catalogue;
pub mod fsck;
pub mod intake;
pub mod keys;
pub mod office;
pub mod records;
pub mod sample;
pub mod text;
pub mod vault;
