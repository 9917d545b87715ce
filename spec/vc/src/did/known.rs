//! Keys that were met before. Decoding a key costs a fifth of a verification and its multiples
//! save another half, and a bank reads the licences of few offices.

use std::collections::BTreeMap;
use std::sync::Arc;

use zhao_spec::wire::signature::PreparedKey;
use zhao_spec::wire::{Signature, SignatureError};

use super::{DidError, DidKey, Method, Methods};

/// did:key, with the keys of some identifiers decoded and prepared already, each of them with
/// [`PreparedKey::MEMORY`] bytes. What it does not hold is decoded each time it is asked for:
/// nobody can make it grow but who calls [`KnownKeys::meet`].
#[derive(Clone, Debug, Default)]
pub struct KnownKeys(BTreeMap<String, Known>);

#[derive(Clone, Debug)]
struct Known {
    method: Method,
    prepared: Arc<PreparedKey>,
}

impl KnownKeys {
    /// Keeps the key of `did`, a did:key.
    ///
    /// # Errors
    /// As [`DidKey`] reads it.
    pub fn meet(&mut self, did: &str) -> Result<(), DidError> {
        let text = did.strip_prefix("did:key:").unwrap_or_default();
        let method = DidKey.method(&format!("{did}#{text}"), "assertionMethod")?;
        let prepared = Arc::new(PreparedKey::new(method.key));
        let url = method.id.clone();
        self.0.insert(url, Known { method, prepared });
        Ok(())
    }
}

impl Methods for KnownKeys {
    fn method(&self, url: &str, purpose: &str) -> Result<Method, DidError> {
        match self.0.get(url) {
            // A did:key may be used for this, whoever made it.
            Some(known) if matches!(purpose, "assertionMethod" | "authentication") => {
                Ok(known.method.clone())
            }
            _ => DidKey.method(url, purpose),
        }
    }

    fn check(
        &self,
        method: &Method,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), SignatureError> {
        match self.0.get(&method.id) {
            Some(known) if *known.prepared.key() == method.key => {
                known.prepared.verify(message, signature)
            }
            _ => method.key.verify(message, signature),
        }
    }
}

#[cfg(test)]
mod tests {
    use zhao_spec::wire::SecretKey;

    use super::*;

    const DID: &str = "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2";

    #[test]
    fn it_answers_as_did_key_does() {
        let mut known = KnownKeys::default();
        known.meet(DID).unwrap();
        let key = DID.strip_prefix("did:key:").unwrap();
        for url in [
            format!("{DID}#{key}"),
            format!("{DID}#other"),
            DID.to_owned(),
            "did:web:a.example#k".to_owned(),
            String::new(),
        ] {
            for purpose in ["assertionMethod", "authentication", "keyAgreement", "x"] {
                assert_eq!(known.method(&url, purpose), DidKey.method(&url, purpose));
            }
        }
        for bad in ["", "did:key:", "did:key:zabc", "did:web:a.example"] {
            assert!(known.meet(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn it_checks_as_the_key_does_that_is_asked_for() {
        let [own, other] = [1, 2].map(|byte| SecretKey::from_seed([byte; 32]));
        let mut known = KnownKeys::default();
        known.meet(&own.public().did_key()).unwrap();
        let method = |url: &SecretKey, key: &SecretKey| Method {
            id: url.public().verification_method(),
            controller: url.public().did_key(),
            key: key.public(),
        };
        let (by_own, by_other) = (own.sign(b"text"), other.sign(b"text"));
        // A key that is known, one that is not, and one that only has a known one's name.
        for (asked, good, bad) in [
            (method(&own, &own), by_own, by_other),
            (method(&other, &other), by_other, by_own),
            (method(&own, &other), by_other, by_own),
        ] {
            assert_eq!(known.check(&asked, b"text", &good), Ok(()));
            let mismatch = Err(SignatureError::Mismatch);
            assert_eq!(known.check(&asked, b"text", &bad), mismatch);
            assert_eq!(known.check(&asked, b"another", &good), mismatch);
        }
    }
}
