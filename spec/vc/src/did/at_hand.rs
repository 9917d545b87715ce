//! The documents that a reader has, besides did:key, which needs none.

use std::collections::BTreeMap;

use zhao_spec::wire::clip;

use super::{DidError, DidKey, Document, Method, Methods};

/// did:key, and the documents of other DIDs as far as they are at hand. Nothing is fetched.
#[derive(Clone, Debug, Default)]
pub struct AtHand(BTreeMap<String, Document>);

impl AtHand {
    /// Takes a document, which was read for its DID.
    ///
    /// # Errors
    /// [`DidError::Duplicate`]: there is one of this DID already, and two could name two keys.
    pub fn put(&mut self, document: Document) -> Result<(), DidError> {
        if self.0.contains_key(document.id()) {
            return Err(DidError::Duplicate {
                url: clip(document.id()),
            });
        }
        self.0.insert(document.id().to_owned(), document);
        Ok(())
    }
}

impl Methods for AtHand {
    fn method(&self, url: &str, purpose: &str) -> Result<Method, DidError> {
        let did = url.split('#').next().unwrap_or_default();
        match self.0.get(did) {
            // A did:key says itself what its key is, whatever a document says.
            Some(document) if !did.starts_with("did:key:") => document.method(url, purpose),
            _ => DidKey.method(url, purpose),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use zhao_spec::wire::SecretKey;
    use zhao_spec::wire::foreign::parse_foreign;

    fn key(seed: u8) -> SecretKey {
        SecretKey::from_seed([seed; 32])
    }

    /// A document for `did` with the key of `seed`.
    fn document(did: &str, seed: u8) -> Document {
        let multibase = key(seed).public().to_multibase();
        let text = format!(
            r#"{{"id":"{did}","assertionMethod":["{did}#k"],"verificationMethod":[{{"id":"{did}#k",
            "type":"Multikey","controller":"{did}","publicKeyMultibase":"{multibase}"}}]}}"#
        );
        Document::read(&parse_foreign(text.as_bytes()).unwrap(), did).unwrap()
    }

    #[test]
    fn a_key_is_found_in_its_own_document_only() {
        let mut at_hand = AtHand::default();
        at_hand.put(document("did:web:a.example", 1)).unwrap();
        let found = |url: &str, purpose| at_hand.method(url, purpose);
        let method = found("did:web:a.example#k", "assertionMethod").unwrap();
        assert_eq!(method.key, key(1).public());
        for (url, purpose, code) in [
            ("did:web:a.example#k", "authentication", "did-purpose"),
            ("did:web:a.example#j", "assertionMethod", "did-no-method"),
            ("did:web:a.example", "assertionMethod", "did-no-method"),
            ("did:web:b.example#k", "assertionMethod", "did-unknown"),
            ("did:web:a.example:u#k", "assertionMethod", "did-unknown"),
            ("", "assertionMethod", "did-no-method"),
        ] {
            assert_eq!(found(url, purpose).unwrap_err().code(), code, "{url}");
        }
    }

    #[test]
    fn nobody_answers_twice_for_a_did_nor_for_a_did_key() {
        let mut at_hand = AtHand::default();
        at_hand.put(document("did:web:a.example", 1)).unwrap();
        let error = at_hand.put(document("did:web:a.example", 2)).unwrap_err();
        assert_eq!(error.code(), "did-duplicate");
        let url = key(1).public().verification_method();
        let did = key(1).public().did_key();
        at_hand.put(document(&did, 2)).unwrap();
        let method = at_hand.method(&url, "assertionMethod").unwrap();
        assert_eq!(method.key, key(1).public());
        assert_eq!(
            at_hand.method(&format!("{did}#k"), "assertionMethod"),
            DidKey.method(&format!("{did}#k"), "assertionMethod")
        );
    }
}
