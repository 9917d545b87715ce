//! Step 1: strict decoding, within limits.

use zhao_spec::credential::{Licence, eddsa_jcs};
use zhao_spec::file::{AnyFile, EmbeddedCredential};
use zhao_spec::qr;

use crate::check::{Check, Stop, ensure, require};
use crate::reason::{Reason, quoted, words};

/// The file in its parts. A QR form is judged as the JSON it stands for, and in no other way.
pub(crate) fn file(bytes: &[u8]) -> Result<AnyFile, Stop> {
    let mut problem = String::new();
    let expanded;
    let bytes = if qr::is_form(bytes) {
        let form = qr::expand(bytes).map_err(|error| problem = words(&error));
        expanded = require(Check::Malformed, form.ok(), || Reason::Malformed {
            problem,
        })?;
        problem = String::new();
        expanded.as_slice()
    } else {
        bytes
    };
    let file = AnyFile::parse(bytes)
        .map_err(|error| problem = words(&error))
        .ok();
    require(Check::Malformed, file, || Reason::Malformed { problem })
}

/// The credential, consistent in itself. Its signature is step 2.
pub(crate) fn credential(embedded: &EmbeddedCredential) -> Result<Licence, Stop> {
    let mut problem = String::new();
    let licence = Licence::from_value(embedded.value()).map_err(|error| problem = words(&error));
    let licence = require(Check::CredentialMalformed, licence.ok(), || {
        Reason::CredentialMalformed { problem }
    })?;
    // The profile fixes these three; another suite is another kind of credential, not a forgery.
    let proof = licence.proof();
    for (actual, expected) in [
        (&proof.proof_type, eddsa_jcs::PROOF_TYPE),
        (&proof.cryptosuite, eddsa_jcs::SUITE),
        (&proof.purpose, eddsa_jcs::PURPOSE),
    ] {
        ensure(Check::CredentialMalformed, actual == expected, || {
            Reason::CredentialMalformed {
                problem: format!("proof says {:?}, expected {expected:?}", quoted(actual)),
            }
        })?;
    }
    Ok(licence)
}
