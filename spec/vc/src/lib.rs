//! W3C credentials as the rest of the world writes them: data model 2.0, Data Integrity, JOSE and
//! COSE, SD-JWT VC, DIDs and status lists. Pure: no I/O, clock, randomness or async; nothing is
//! ever fetched.
//!
//! In scope: other people's credentials, and the forms of ours that other people's software
//! reads. Out of scope: the closed profile in which a licence is issued and judged
//! (`zhao_spec::credential`, `zhao-verifier`); nothing there depends on this crate.
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

pub mod context;
pub mod cose;
pub mod did;
pub mod jose;
pub mod model;
pub mod proof;
pub mod rdf;
pub mod report;
pub mod schema;
pub mod sdjwt;
pub mod status;
pub mod time;
