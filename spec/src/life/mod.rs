//! Events and what they do: subjects, verbs, leaves, status records, the life cycle.
//!
//! In scope: the shapes of `spec/{subject,leaf,event,record}.md` and the one pure function
//! [`apply::apply`] of `spec/lifecycle.md`. Out of scope: the order of events and their storage
//! (`zhao-ledger`), and what a record means for a reader (`zhao-verifier`).
#![cfg_attr(
    not(test),
    deny(
        clippy::as_conversions,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

pub mod apply;
pub mod data;
pub mod digest;
pub mod event;
pub mod leaf;
pub mod record;
pub mod subject;
#[cfg(test)]
mod tests;
pub mod verb;
