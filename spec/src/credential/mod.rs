//! Licences as W3C verifiable credentials.
//!
//! In scope: the cryptosuite eddsa-jcs-2022 over any document ([`eddsa_jcs`]), and our profile of
//! the W3C data model 2.0 as a typed value with its own consistency ([`Licence`], [`Unsigned`]).
//! Out of scope: whether the issuer may issue, and whether the licence still stands
//! (`zhao-verifier`); per-type face data schemas (`zhao-issuer`).
//!
//! Prose: `spec/credential.md`, `spec/eddsa-jcs.md`; context: `spec/contexts/licence-v1.jsonld`.
#![cfg_attr(
    not(test),
    deny(
        clippy::as_conversions,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

pub mod eddsa_jcs;
mod error;
mod licence;
mod read;
mod unsigned;

pub use error::CredentialError;
pub use licence::{Licence, Proof};
pub use unsigned::{FaceValue, Issuer, Status, Subject, Unsigned};

pub use crate::life::digest::type_commitment;

/// The contexts of every licence credential, in this order.
pub const CONTEXTS: [&str; 2] = [
    "https://www.w3.org/ns/credentials/v2",
    "https://zhao.example/ns/licence/v1",
];
/// The types of every licence credential, in this order.
pub const TYPES: [&str; 2] = ["VerifiableCredential", "LicenceCredential"];
/// The type of `credentialStatus`.
pub const STATUS_TYPE: &str = "ZhaoLedgerEntry";
/// The type of `credentialSubject`.
pub const SUBJECT_TYPE: &str = "Licence";

#[cfg(test)]
mod tests;
