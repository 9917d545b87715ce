//! The names of the one key: its did:key and, where the instance's address has one, a did:web whose
//! document is served here. No other did:web is known, and none is fetched.

use zhao_spec::wire::PublicKey;
use zhao_spec::wire::foreign::Foreign;
use zhao_vc::did::{DidError, DidKey, Document, Method, Methods, web_url};

use crate::serve::conformance::json::{object, text};

/// What the key is called.
pub(in crate::serve::conformance) struct Names {
    key: PublicKey,
    web: Option<Web>,
}

/// The did:web of the instance's address.
struct Web {
    did: String,
    document: Foreign,
    read: Document,
}

impl Names {
    /// Of this key, at this address (without a slash at its end).
    pub(super) fn new(key: PublicKey, base: &str) -> Self {
        let web = did_of(base).and_then(|did| {
            let document = document(&did, &key);
            let read = Document::read(&document, &did).ok()?;
            Some(Web {
                did,
                document,
                read,
            })
        });
        Self { key, web }
    }

    /// The did:web, if there is one.
    pub(in crate::serve::conformance) fn web(&self) -> Option<&str> {
        self.web.as_ref().map(|web| web.did.as_str())
    }

    /// The document of the did:web, if that is `did`.
    pub(in crate::serve::conformance) fn document(&self, did: &str) -> Option<&Foreign> {
        let web = self.web.as_ref().filter(|web| web.did == did);
        web.map(|web| &web.document)
    }

    /// The name by which somebody is served who asks for this one: the did:web for itself, the
    /// did:key for everything else.
    pub(super) fn for_whom(&self, asked: &str) -> String {
        match self.web() {
            Some(web) if web == asked => web.to_owned(),
            _ => self.key.did_key(),
        }
    }

    /// The DID URL of the key under one of its names.
    pub(super) fn url(&self, did: &str) -> String {
        format!("{did}#{}", self.key.to_multibase())
    }
}

impl Methods for Names {
    fn method(&self, url: &str, purpose: &str) -> Result<Method, DidError> {
        let did = url.split('#').next().unwrap_or_default();
        match &self.web {
            Some(web) if web.did == did => web.read.method(url, purpose),
            _ => DidKey.method(url, purpose),
        }
    }
}

/// The did:web whose document is below `base`, if it is an address that has one.
fn did_of(base: &str) -> Option<String> {
    let mut parts = base.strip_prefix("https://")?.split('/');
    let host = parts.next()?.to_ascii_lowercase().replace(':', "%3A");
    let did = parts.fold(format!("did:web:{host}"), |did, part| did + ":" + part);
    web_url(&did).is_ok().then_some(did)
}

fn document(did: &str, key: &PublicKey) -> Foreign {
    let multibase = key.to_multibase();
    let url = format!("{did}#{multibase}");
    let contexts = [
        "https://www.w3.org/ns/did/v1",
        "https://w3id.org/security/multikey/v1",
    ];
    let used = || Foreign::Array(vec![text(&*url)]);
    let method = object([
        ("id", text(&*url)),
        ("type", text("Multikey")),
        ("controller", text(did)),
        ("publicKeyMultibase", text(multibase)),
    ]);
    object([
        ("@context", Foreign::Array(contexts.map(text).to_vec())),
        ("id", text(did)),
        ("verificationMethod", Foreign::Array(vec![method])),
        ("authentication", used()),
        ("assertionMethod", used()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_did_web_or_none() {
        for (base, did) in [
            ("https://vc.example", Some("did:web:vc.example")),
            (
                "https://vc.example/suites",
                Some("did:web:vc.example:suites"),
            ),
            (
                "https://VC.example:8443/a/b",
                Some("did:web:vc.example%3A8443:a:b"),
            ),
            ("http://vc.example", None),
            ("https://127.0.0.1", None),
            ("https://vc.example/a//b", None),
            ("https://vc.example/a b", None),
            ("https://", None),
        ] {
            assert_eq!(did_of(base).as_deref(), did, "{base}");
        }
    }
}
