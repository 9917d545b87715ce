//! A list's credential signed by eddsa-jcs-2022, and such a proof checked.
//!
//! The one suite and the one proof that lists of ours have; proofs of others are `crate::proof`'s.

use zhao_spec::credential::eddsa_jcs::{PROOF_TYPE, PURPOSE, SUITE, check_value, proof_value};
use zhao_spec::wire::foreign::{Foreign, canonicalize};
use zhao_spec::wire::{Signer, UnixMillis};

use super::StatusError;
use super::json::{object, owned, shape, text};
use crate::did::Methods;

/// `credential` with a proof by `key`, whose verification method is `method`.
///
/// # Errors
/// The signer's; [`StatusError::Shape`] for what is no object or has a proof.
pub fn secure<S: Signer + ?Sized>(
    credential: Foreign,
    method: &str,
    created: UnixMillis,
    key: &S,
) -> Result<Foreign, StatusError> {
    let document = canonicalize(&credential);
    let Foreign::Object(mut members) = credential else {
        return Err(shape("credential", "an object"));
    };
    if members.iter().any(|(name, _)| name == "proof") {
        return Err(shape("credential", "without a proof"));
    }
    let contexts = members
        .iter()
        .find(|(name, _)| name == "@context")
        .map(|(_, contexts)| contexts.clone())
        .ok_or(shape("@context", "there"))?;
    let config = object([
        ("@context", contexts),
        ("created", owned(&created.to_string())),
        ("cryptosuite", owned(SUITE)),
        ("proofPurpose", owned(PURPOSE)),
        ("type", owned(PROOF_TYPE)),
        ("verificationMethod", owned(method)),
    ]);
    let value = proof_value(key, &canonicalize(&config), &document).map_err(|error| {
        StatusError::Signature {
            detail: error.to_string(),
        }
    })?;
    let Foreign::Object(mut proof) = config else {
        return Err(shape("proof", "an object"));
    };
    proof.push(("proofValue".to_owned(), owned(&value)));
    members.push(("proof".to_owned(), Foreign::Object(proof)));
    Ok(Foreign::Object(members))
}

/// Checks the one proof of a list's credential; gives the DID whose key made it.
///
/// # Errors
/// No proof or several, another suite or purpose, contexts that are not the document's, a key that
/// `methods` does not know for asserting, a signature that does not hold, or an `issuer` that is
/// not the key's controller.
pub fn open(credential: &Foreign, methods: &dyn Methods) -> Result<String, StatusError> {
    let Foreign::Object(members) = credential else {
        return Err(shape("credential", "an object"));
    };
    let proof = match credential.member("proof") {
        Some(Foreign::Object(proof)) => proof,
        _ => return Err(shape("proof", "one object")),
    };
    let whole = Foreign::Object(proof.clone());
    for (name, expected) in [
        ("type", PROOF_TYPE),
        ("cryptosuite", SUITE),
        ("proofPurpose", PURPOSE),
    ] {
        if text(&whole, name, "proof")? != expected {
            return Err(StatusError::Type {
                member: "proof",
                expected,
            });
        }
    }
    if whole.member("@context") != credential.member("@context") {
        return Err(shape("proof.@context", "the document's"));
    }
    let refused = |error: &dyn std::error::Error| StatusError::Signature {
        detail: error.to_string(),
    };
    let url = text(&whole, "verificationMethod", "verificationMethod")?;
    let method = methods.method(url, PURPOSE).map_err(|e| refused(&e))?;
    let without = |members: &[(String, Foreign)], left: &str| {
        let kept = members.iter().filter(|(name, _)| name != left).cloned();
        canonicalize(&Foreign::Object(kept.collect()))
    };
    check_value(
        &method.key,
        &without(proof, "proofValue"),
        &without(members, "proof"),
        text(&whole, "proofValue", "proofValue")?,
    )
    .map_err(|e| refused(&e))?;
    if credential.member("issuer").and_then(Foreign::as_text) != Some(method.controller.as_str()) {
        return Err(StatusError::Issuer {
            actual: method.controller,
        });
    }
    Ok(method.controller)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use zhao_spec::wire::SecretKey;
    use zhao_spec::wire::foreign::parse_foreign;

    use super::*;
    use crate::did::DidKey;

    fn signed() -> String {
        let key = SecretKey::from_seed([7; 32]);
        let document = format!(
            r#"{{"@context":["https://www.w3.org/ns/credentials/v2"],"issuer":"{}","x":"list"}}"#,
            key.public().did_key()
        );
        let document = parse_foreign(document.as_bytes()).unwrap();
        let method = key.public().verification_method();
        let signed = secure(document, &method, UnixMillis(1_700_000_000_000), &key).unwrap();
        String::from_utf8(canonicalize(&signed)).unwrap()
    }

    fn opened(text: &str) -> Result<String, StatusError> {
        open(&parse_foreign(text.as_bytes()).unwrap(), &DidKey)
    }

    #[test]
    fn what_is_signed_opens() {
        let key = SecretKey::from_seed([7; 32]).public();
        assert_eq!(opened(&signed()), Ok(key.did_key()));
        // Any other implementation of the suite agrees.
        let foreign = zhao_spec::credential::eddsa_jcs::verify_foreign(signed().as_bytes());
        assert_eq!(foreign.unwrap().key, key);
    }

    #[test]
    fn a_change_is_refused() {
        let good = signed();
        let other = SecretKey::from_seed([8; 32]).public();
        let key = SecretKey::from_seed([7; 32]).public();
        for (from, to, code) in [
            ("\"list\"", "\"last\"", "status-signature"),
            ("2023-11-14", "2023-11-15", "status-signature"),
            ("eddsa-jcs-2022", "eddsa-rdfc-2022", "status-type"),
            ("assertionMethod", "authentication", "status-type"),
            ("DataIntegrityProof", "Ed25519Signature2020", "status-type"),
            ("\"proof\":{", "\"proof\":[],\"p\":{", "status-shape"),
            ("\"proof\":{", "\"p\":{", "status-shape"),
            (
                "\"proofValue\":\"z",
                "\"proofValue\":\"u",
                "status-signature",
            ),
            ("\"proofValue\":", "\"value\":", "status-shape"),
            (
                "{\"@context\":[",
                "{\"@context\":[\"https://b.example\",",
                "status-shape",
            ),
        ] {
            assert!(good.contains(from), "{from}");
            let error = opened(&good.replacen(from, to, 1)).unwrap_err();
            assert_eq!(error.code(), code, "{from}");
        }
        let swapped = good.replace(&key.verification_method(), &other.verification_method());
        assert_eq!(opened(&swapped).unwrap_err().code(), "status-signature");
        assert_eq!(opened("[]").unwrap_err().code(), "status-shape");
    }

    #[test]
    fn the_issuer_is_whoever_signed() {
        let key = SecretKey::from_seed([7; 32]);
        let document = parse_foreign(br#"{"@context":[],"issuer":"did:web:a.example"}"#).unwrap();
        let method = key.public().verification_method();
        let signed = secure(document, &method, UnixMillis(0), &key).unwrap();
        assert_eq!(open(&signed, &DidKey).unwrap_err().code(), "status-issuer");
        let twice = secure(signed, &method, UnixMillis(0), &key);
        assert_eq!(twice.unwrap_err().code(), "status-shape");
        let none = secure(Foreign::Null, &method, UnixMillis(0), &key);
        assert_eq!(none.unwrap_err().code(), "status-shape");
    }
}
