//! Acceptance 7: over a log and its map, no holder's name, number or code, nor any unsalted hash of
//! one under any prefix of ours. The index keys of open enterprises are the one exception; they
//! are listed.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use zhao_ledger::store::Read as _;
use zhao_ledger::store::layout::Family;
use zhao_ledger::store::rocks::Rocks;
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::wire::{binary, sha256};

mod support;

use support::{credentials, office, zhao};

/// What a reader of the log might hash a name or number with: nothing, and every prefix we use.
const PREFIXES: [&[u8]; 11] = [
    b"",
    b"\x00",
    b"\x01",
    b"zhao/v1 subject\0",
    b"zhao/v1 enterprise\0",
    b"zhao/v1 reason\0",
    b"zhao/v1 basis\0",
    b"zhao/v1 type commitment\0",
    b"zhao/v1 event\n",
    b"zhao/v1 event id\n",
    b"zhao/v1 empty map",
];

/// Texts of one credential that are about its holder.
fn personal(credential: &serde_json::Value) -> Vec<String> {
    let subject = &credential["credentialSubject"];
    let mut texts: Vec<String> = [
        "holderName",
        "holderCode",
        "licenceNumber",
        "licenceIdentifier",
    ]
    .iter()
    .filter_map(|name| subject[*name].as_str())
    .map(str::to_owned)
    .collect();
    // Short values such as codes of a list would be found by chance.
    let face = subject["faceData"].as_object().unwrap().values();
    let long = |text: &&str| text.len() >= 12;
    texts.extend(
        face.filter_map(|value| value.as_str())
            .filter(long)
            .map(str::to_owned),
    );
    texts.push(credential["id"].as_str().unwrap().to_owned());
    texts
}

/// Every form in which `text` must not occur.
fn forms(text: &str, origin: &str) -> Vec<(String, Vec<u8>)> {
    let mut forms = vec![
        ("clear".to_owned(), text.as_bytes().to_vec()),
        (
            "base64url".to_owned(),
            binary::encode_base64url(text.as_bytes()).into_bytes(),
        ),
        (
            "base64".to_owned(),
            binary::encode_base64(text.as_bytes()).into_bytes(),
        ),
    ];
    let mut hash = |name: String, bytes: [u8; 32]| {
        forms.push((format!("{name} raw"), bytes.to_vec()));
        forms.push((
            format!("{name} base64url"),
            binary::encode_base64url(&bytes).into_bytes(),
        ));
    };
    for prefix in PREFIXES {
        let name = String::from_utf8_lossy(prefix).into_owned();
        hash(
            format!("SHA-256 {name:?}"),
            sha256(&[prefix, text.as_bytes()]).0,
        );
        let blake = blake3::Hasher::new()
            .update(prefix)
            .update(text.as_bytes())
            .finalize();
        hash(format!("BLAKE3 {name:?}"), *blake.as_bytes());
    }
    // As a subject of this log of every kind there is.
    for kind in [
        Kind::Issuer,
        Kind::LicenceType,
        Kind::Enterprise,
        Kind::Registry,
    ] {
        hash(
            format!("subject {}", kind.as_str()),
            subject_key(origin, kind, text).0,
        );
    }
    forms
}

#[test]
fn nothing_in_log_and_map_names_a_holder() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    let home = office(dir);
    zhao(dir, &["sample", "--count", "64", "-o", "batch.csv"]).code(0);
    zhao(
        dir,
        &["issue", "office", "--from", "batch.csv", "-o", "out"],
    )
    .code(0);
    let files = credentials(&dir.join("out"));
    for file in files.iter().take(2) {
        let file = file.to_str().unwrap();
        let reason = "因持证人张三无证经营";
        zhao(dir, &["status", "office", file, "hold", "--reason", reason]).code(0);
    }
    let config: toml::Table = fs::read_to_string(home.join("zhao.toml"))
        .unwrap()
        .parse()
        .unwrap();
    let origin = config["origin"].as_str().unwrap().to_owned();
    let stored = everything(&home.join("ledger"));
    let mut allowed = BTreeSet::new();
    let mut forms_of = BTreeMap::new();
    for file in &files {
        let credential: serde_json::Value =
            serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        let subject = &credential["credentialSubject"];
        for text in personal(&credential) {
            let indexed = subject["holderCode"] == *text
                && credential["credentialStatus"]["typeSalt"].is_null();
            let own = forms(&text, &origin);
            if indexed {
                allowed.insert(subject_key(&origin, Kind::Enterprise, &text).0);
            }
            forms_of.insert(text, own);
        }
    }
    forms_of.insert(
        "张三".into(),
        vec![("clear".into(), "张三".as_bytes().to_vec())],
    );
    let haystack = Haystack::new(&stored);
    let mut found = BTreeSet::new();
    for (text, forms) in &forms_of {
        for (name, needle) in forms {
            for place in haystack.find(needle) {
                found.insert((text.clone(), name.clone(), place));
            }
        }
    }
    let is_allowed = |(text, name, _): &(String, String, String)| {
        name.starts_with("subject enterprise")
            && allowed.contains(&subject_key(&origin, Kind::Enterprise, text).0)
    };
    let (listed, wrong): (Vec<_>, Vec<_>) = found.into_iter().partition(is_allowed);
    assert!(wrong.is_empty(), "{wrong:#?}");
    // The exception is real: open enterprises' index keys are there, and nothing else of them.
    let enterprises: BTreeSet<&String> = listed.iter().map(|(text, ..)| text).collect();
    assert!(
        !enterprises.is_empty(),
        "no index key was found: the scan looks at the wrong bytes"
    );
    assert!(enterprises.len() <= allowed.len());
}

/// Every key and value of the log's database, by family, and the files beside it.
fn everything(ledger: &Path) -> Vec<(String, Vec<u8>)> {
    let store = Rocks::open(&ledger.join("db")).unwrap();
    let mut all = Vec::new();
    for family in Family::ALL {
        for (key, value) in store.scan(family, &[], &[0xff; 96], usize::MAX).unwrap() {
            all.push((family.name().to_owned(), key));
            all.push((family.name().to_owned(), value));
        }
    }
    assert!(all.len() > 700, "{} entries are too few", all.len());
    for name in ["checkpoint", "intent"] {
        all.push((name.to_owned(), fs::read(ledger.join(name)).unwrap()));
    }
    all
}

/// Bytes to look for needles in: all positions by their first eight bytes.
struct Haystack<'a> {
    stored: &'a [(String, Vec<u8>)],
    starts: BTreeMap<[u8; 6], Vec<(usize, usize)>>,
}

impl<'a> Haystack<'a> {
    fn new(stored: &'a [(String, Vec<u8>)]) -> Self {
        let mut starts: BTreeMap<[u8; 6], Vec<(usize, usize)>> = BTreeMap::new();
        for (entry, (_, bytes)) in stored.iter().enumerate() {
            for (at, window) in bytes.windows(6).enumerate() {
                starts
                    .entry(window.try_into().unwrap())
                    .or_default()
                    .push((entry, at));
            }
        }
        Self { stored, starts }
    }

    /// Names of the families in which `needle` occurs.
    fn find(&self, needle: &[u8]) -> BTreeSet<String> {
        let Some(first) = needle.first_chunk::<6>() else {
            return BTreeSet::new();
        };
        let hits = self.starts.get(first).into_iter().flatten();
        hits.filter(|(entry, at)| self.stored[*entry].1[*at..].starts_with(needle))
            .map(|(entry, _)| self.stored[*entry].0.clone())
            .collect()
    }
}
