//! Keys that were met before. Decoding a key costs a fifth of a verification, and a bank reads the
//! licences of few offices.

use std::collections::BTreeMap;

use super::{DidError, DidKey, Method, Methods};

/// did:key, with the keys of some identifiers decoded already. What it does not hold is decoded
/// each time it is asked for: nobody can make it grow but who calls [`KnownKeys::meet`].
#[derive(Clone, Debug, Default)]
pub struct KnownKeys(BTreeMap<String, Method>);

impl KnownKeys {
    /// Keeps the key of `did`, a did:key.
    ///
    /// # Errors
    /// As [`DidKey`] reads it.
    pub fn meet(&mut self, did: &str) -> Result<(), DidError> {
        let text = did.strip_prefix("did:key:").unwrap_or_default();
        let method = DidKey.method(&format!("{did}#{text}"), "assertionMethod")?;
        self.0.insert(method.id.clone(), method);
        Ok(())
    }
}

impl Methods for KnownKeys {
    fn method(&self, url: &str, purpose: &str) -> Result<Method, DidError> {
        match self.0.get(url) {
            // A did:key may be used for this, whoever made it.
            Some(method) if matches!(purpose, "assertionMethod" | "authentication") => {
                Ok(method.clone())
            }
            _ => DidKey.method(url, purpose),
        }
    }
}

#[cfg(test)]
mod tests {
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
}
