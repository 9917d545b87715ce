//! Reading is the inverse of writing, and refuses what is not in shape.

use std::path::Path;

use serde_json::Value as Json;

use super::{AnyFile, Dossier, EmbeddedCredential, Evidence, Head, IssuerPack, LogProof, Receipt};
use crate::log::tlog_proof::TlogProof;
use crate::wire::json::JsonError;
use crate::wire::{Problem, json, limits};

/// Every file text of the vectors in a folder, with its name and whether it decodes.
fn files(folder: &str) -> Vec<(String, String, bool)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("vectors")
        .join(folder);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let vector: Json = serde_json::from_str(&text).unwrap();
        for case in vector["cases"].as_array().unwrap() {
            let text = |name: &str| case[name].as_str().unwrap().to_owned();
            let decodes = case["expect"]["reasons"][0] != "malformed";
            files.push((text("name"), text("fileText"), decodes));
        }
    }
    files
}

fn dossier() -> Dossier {
    let (_, text, _) = files("verify")
        .into_iter()
        .find(|(_, text, _)| has_all(text))
        .unwrap();
    Dossier::parse(text.trim_end().as_bytes()).unwrap()
}

fn has_all(text: &str) -> bool {
    text.starts_with("{\"authorities\"") && text.contains("zhao/v1 dossier")
}

#[test]
fn what_is_read_is_written_again() {
    let mut seen = std::collections::BTreeSet::new();
    for folder in [
        "answer",
        "dossier",
        "evidence",
        "history",
        "issuer-pack",
        "receipt",
        "verify",
    ] {
        for (name, text, decodes) in files(folder) {
            match AnyFile::parse(text.as_bytes()) {
                Ok(file) => {
                    assert!(decodes, "{folder}: {name} decodes");
                    let written = String::from_utf8(file.bytes()).unwrap();
                    assert_eq!(written, text.trim_end_matches('\n'), "{folder}: {name}");
                    seen.insert(file.format());
                }
                Err(error) => assert!(!decodes, "{folder}: {name}: {error}"),
            }
        }
    }
    assert_eq!(seen.len(), 6, "{seen:?}");
}

#[test]
fn one_reader_for_each_format() {
    let dossier = dossier().bytes();
    let error = IssuerPack::parse(&dossier).unwrap_err();
    assert_eq!(
        (error.path.as_str(), error.code()),
        ("format", "field-value")
    );
    assert_eq!(Receipt::parse(&dossier).unwrap_err().path, "format");
    assert_eq!(Evidence::parse(&dossier).unwrap_err().path, "format");
}

#[test]
fn format_is_looked_at_first() {
    let problem = |text: &str| AnyFile::parse(text.as_bytes()).unwrap_err();
    assert_eq!(problem("{}").problem, Problem::Missing);
    assert_eq!(problem("{}").path, "format");
    assert_eq!(problem("{\"format\":1}").code(), "field-value");
    assert_eq!(problem("{\"format\":\"zhao/v2 dossier\"}").path, "format");
    assert_eq!(problem("[]").problem, Problem::Missing);
    assert_eq!(
        problem("").problem,
        Problem::Json(JsonError::End { offset: 0 })
    );
    let error = problem("{\"format\":\"zhao/v1 dossier\"}");
    assert_eq!(
        (error.path.as_str(), error.problem),
        ("credential", Problem::Missing)
    );
}

#[test]
fn over_the_limit_is_refused_before_decoding() {
    let text = |length: usize| vec![b' '; length];
    let limit = |bytes: &[u8]| match AnyFile::parse(bytes).unwrap_err().problem {
        Problem::Json(JsonError::TooLong { offset, .. }) => Some(offset),
        _ => None,
    };
    assert_eq!(
        limit(&text(limits::PACK_BYTES + 1)),
        Some(limits::PACK_BYTES)
    );
    assert_eq!(limit(&text(limits::PACK_BYTES)), None);
    let error = Dossier::parse(&text(limits::DOSSIER_BYTES + 1)).unwrap_err();
    assert!(matches!(
        error.problem,
        Problem::Json(JsonError::TooLong { .. })
    ));

    // A dossier in shape, and a byte too long: its credential alone makes it so.
    let mut long = dossier();
    let note = long.head.proof.text();
    let filler: String = std::iter::repeat_n("\u{2014} filler AAAAAAAAAAAAAAAA\n", 2_000).collect();
    assert_eq!(
        LogProof::parse(&format!("{note}{filler}"))
            .unwrap_err()
            .code(),
        "field-value"
    );
    long.authorities = None;
    let big = json::Value::Text("x".repeat(limits::TEXT_BYTES));
    let members = ["a", "b", "c", "d", "e"].map(|name| (name.to_owned(), big.clone()));
    let many = json::Value::Object(members.into());
    let error = EmbeddedCredential::new(many).unwrap_err();
    let limit = limits::CREDENTIAL_BYTES;
    assert!(matches!(error.problem, Problem::TooLong { limit: own, .. } if own == limit));
}

#[test]
fn a_credential_is_an_object() {
    let error = EmbeddedCredential::parse(b"13").unwrap_err();
    let problem = Problem::WrongKind {
        expected: "object",
        actual: "integer",
    };
    assert_eq!(error.problem, problem);
    let text = String::from_utf8(dossier().bytes()).unwrap();
    let own = String::from_utf8(dossier().credential.bytes().to_vec()).unwrap();
    let error = AnyFile::parse(text.replacen(&own, "13", 1).as_bytes()).unwrap_err();
    assert_eq!(
        (error.path.as_str(), error.problem),
        ("credential", problem)
    );
}

#[test]
fn places_are_named() {
    let text = String::from_utf8(dossier().bytes()).unwrap();
    let path = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        AnyFile::parse(text.replacen(from, to, 1).as_bytes())
            .unwrap_err()
            .path
    };
    assert_eq!(
        path("\"leaf\":\"epoch\"", "\"leaf\":\"event\""),
        "head.epoch.leaf"
    );
    assert_eq!(path("@v1\\nindex", "@v2\\nindex"), "head.proof");
    assert_eq!(path("\"verb\":\"add-unit\"", "\"verb\":\"add-unix\""), {
        "authorities.issuers[0].history[0].event.verb"
    });
    assert_eq!(path("\"kind\":\"issuer\"", "\"kind\":\"issued\""), {
        "authorities.issuers[0].record.kind"
    });
    assert_eq!(path("\"keyDelay\":86400000", "\"keyDelay\":\"1d\""), {
        "authorities.registry.genesis.keyDelay"
    });
}

#[test]
fn a_head_has_a_readable_checkpoint_and_no_extra_data() {
    let Head { proof, .. } = dossier().head;
    let parsed = TlogProof::parse(&proof.text()).unwrap();
    let refused = |change: &dyn Fn(&mut TlogProof)| {
        let mut proof = parsed.clone();
        change(&mut proof);
        LogProof::new(proof).unwrap_err().problem
    };
    let expected = |problem: Problem| match problem {
        Problem::Value { expected, .. } => expected,
        other => panic!("{other}"),
    };
    let extra = refused(&|proof| proof.extra = Some(vec![1]));
    assert_eq!(expected(extra), "a tlog-proof without extra data");
    let unsigned = refused(&|proof| proof.checkpoint = "text\n".to_owned());
    assert_eq!(expected(unsigned), "a signed note");
    let line = refused(&|proof| {
        proof.checkpoint = proof.checkpoint.replacen("\n\n", "\nextension\n\n", 1);
    });
    assert_eq!(expected(line), "a checkpoint");
    assert_eq!(LogProof::parse("").unwrap_err().code(), "field-value");
    assert_eq!(LogProof::new(parsed).unwrap(), proof);
}

#[test]
fn authorities_are_found_by_code() {
    let authorities = dossier().authorities.unwrap();
    let unit = &authorities.issuers[0].placed.record.unit;
    assert_eq!(authorities.issuer(unit), Some(&authorities.issuers[0]));
    assert_eq!(authorities.issuer("91320400DEM0000000"), None);
    let code = &authorities.licence_types[0].record.type_code;
    assert_eq!(
        authorities.licence_type(code),
        Some(&authorities.licence_types[0])
    );
    assert_eq!(authorities.licence_type(""), None);
}
