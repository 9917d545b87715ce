//! Round trips, vectors, and what comes of changed bytes.

mod generate;
mod mutation;
mod size;
mod world;

use std::path::Path;

use serde_json::{Value as Json, json};

use super::*;
use crate::wire::vectors::{self, Outcome, text};
use crate::wire::{Hash, binary};

/// Every dossier of the vectors that decodes, without authorities.
fn dossiers() -> Vec<(String, Dossier)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/verify");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let mut dossiers = Vec::new();
    for path in paths {
        let vector: Json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for case in vector["cases"].as_array().unwrap() {
            let Some(text) = case["fileText"].as_str() else {
                continue;
            };
            if let Ok(mut dossier) = Dossier::parse(text.as_bytes()) {
                dossier.authorities = None;
                dossiers.push((text_of(case, "name"), dossier));
            }
        }
    }
    dossiers
}

fn text_of(case: &Json, name: &str) -> String {
    text(case, name).to_owned()
}

fn json_text(bytes: Vec<u8>) -> Json {
    Json::String(String::from_utf8(bytes).unwrap())
}

#[test]
fn every_dossier_of_the_vectors_comes_back() {
    let (mut carried, mut refused) = (0, 0);
    for (name, dossier) in dossiers() {
        match encode(&dossier) {
            Ok(bytes) => {
                carried += 1;
                assert!(is_form(&bytes), "{name}");
                assert_eq!(expand(&bytes).unwrap(), dossier.bytes(), "{name}");
                let codes = codes(&bytes).unwrap();
                let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
                assert_eq!(join(&codes).unwrap(), bytes, "{name}");
            }
            // What the vectors forged where the form has no place to say so.
            Err(QrError::CannotCarry { member }) => {
                refused += 1;
                assert!(member != "dossier", "{name}: no member was found");
            }
            Err(other) => panic!("{name}: {other}"),
        }
    }
    assert!(carried > 140 && refused > 15, "{carried} and {refused}");
}

#[test]
fn qr_vectors() {
    vectors::run(
        "qr",
        &[
            ("base45.json", run_base45),
            ("codes.json", run_codes),
            ("encode.json", run_encode),
            ("expand.json", run_expand),
        ],
    );
}

fn run_base45(case: &Json) -> Outcome {
    let bytes = decode_base45(text(case, "input")).map_err(|error| error.code())?;
    assert_eq!(encode_base45(&bytes), text(case, "input"));
    Ok(json!(vectors::hex(&bytes)))
}

fn run_codes(case: &Json) -> Outcome {
    let texts = case["codes"].as_array().unwrap();
    let texts: Vec<&str> = texts.iter().map(|text| text.as_str().unwrap()).collect();
    let bytes = join(&texts).map_err(|error| error.code())?;
    Ok(json!(binary::encode_base64url(&bytes)))
}

fn run_encode(case: &Json) -> Outcome {
    let dossier = Dossier::parse(text(case, "dossier").as_bytes()).unwrap();
    let form = encode(&dossier).map_err(|error| error.code())?;
    assert_eq!(expand(&form).unwrap(), dossier.bytes());
    Ok(json!(true))
}

fn run_expand(case: &Json) -> Outcome {
    let mut form = binary::decode_base64url(text(case, "form"), 1 << 20).unwrap();
    let zeros = case["zeros"].as_u64().unwrap_or(0);
    form.resize(form.len() + usize::try_from(zeros).unwrap(), 0);
    expand(&form).map(json_text).map_err(|error| error.code())
}

#[test]
fn the_dictionary_is_the_one_on_the_page() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("qr.md")).unwrap();
    let dictionary = std::fs::read(root.join("dictionary/1.txt")).unwrap();
    let Hash(hash) = crate::wire::sha256(&[&dictionary]);
    let said = format!("bytes with SHA-256\n{}", vectors::hex(&hash));
    assert!(page.contains(&said), "{said}");
    assert!(page.contains("2,509 bytes") && dictionary.len() == 2_509);
    assert!(dictionary.len() < 32_768, "a distance reaches no further");
}

#[test]
fn the_page_names_every_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("qr.md")).unwrap();
    for line in include_str!("error.rs").lines() {
        if let Some((_, code)) = line.split_once("=> \"") {
            let code = code.trim_end_matches("\",");
            assert!(page.contains(&format!("`{code}`")), "{code}");
        }
    }
}

#[test]
fn lines_nobody_needs_are_left_out() {
    let (_, dossier) = dossiers().swap_remove(0);
    let lines = dossier.head.proof.note().signatures().len();
    let log = |line: &crate::log::note::NoteSignature| line.blob.len() == 64;
    let reduced = with_lines(&dossier, log).unwrap();
    assert_eq!(reduced.head.proof.note().signatures().len(), 1);
    assert!(lines > 1);
    assert_eq!(reduced.head.proof.path(), dossier.head.proof.path());
    assert_eq!(with_lines(&dossier, |_| true).unwrap(), dossier);
    let none = with_lines(&dossier, |_| false).unwrap_err();
    assert_eq!(none.code(), "qr-cannot-carry");
}
