//! Step 2: the issuer's key signed the credential.

use zhao_spec::credential::Licence;
use zhao_spec::wire::PublicKey;

use crate::check::{Check, Stop, ensure};
use crate::reason::{Reason, quoted, words};

/// Checks the proof and returns the issuer's key, which made it.
pub(crate) fn check(licence: &Licence) -> Result<PublicKey, Stop> {
    let key = *licence.issuer_key();
    let expected = key.verification_method();
    let actual = &licence.proof().verification_method;
    ensure(Check::ProofKeyNotIssuer, *actual == expected, || {
        Reason::ProofKeyNotIssuer {
            expected: expected.clone(),
            actual: quoted(actual),
        }
    })?;
    let signature = licence.check_proof();
    ensure(Check::ProofSignature, signature.is_ok(), || {
        Reason::ProofSignature {
            problem: signature
                .err()
                .map_or_else(String::new, |error| words(&error)),
        }
    })?;
    Ok(key)
}
