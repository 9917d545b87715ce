//! The shape of a credential and a presentation: W3C Verifiable Credentials Data Model v2.0.
