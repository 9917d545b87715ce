//! Writes `vectors/qr/`. Run by hand after a change of the form:
//! `cargo test -p zhao-spec qr::tests::generate -- --ignored`.

mod faults;
mod forms;
mod streams;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::super::{codes, encode, encode_base45};
use super::world::World;
use super::{dossiers, json_text};
use crate::credential::FaceValue;
use crate::file::Dossier;
use crate::wire::binary::encode_base64url;
use crate::wire::{Hash, UnixMillis, sha256};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/qr")
}

#[test]
#[ignore = "writes spec/vectors"]
fn regenerate() {
    for (name, text) in files() {
        std::fs::write(folder().join(name), text).unwrap();
    }
}

#[test]
fn committed_vectors_are_what_the_generator_writes() {
    for (name, text) in files() {
        let committed = std::fs::read_to_string(folder().join(name)).unwrap_or_default();
        assert!(committed == text, "{name} is out of date");
    }
}

fn files() -> Vec<(&'static str, String)> {
    let file = |description: &str, source: &str, cases: Vec<Json>| {
        let file = json!({"cases": cases, "description": description, "source": source});
        let mut text = serde_json::to_string_pretty(&file).unwrap();
        text.push('\n');
        text
    };
    vec![
        (
            "base45.json",
            file(
                "Base45 texts and their bytes in hexadecimal.",
                "RFC 9285 §4.3, §4.4, §6; ours for the refusals it names without text",
                base45(),
            ),
        ),
        (
            "codes.json",
            file(
                "Texts of printed codes, and the form they stand for, in base64url.",
                "ours",
                code_cases(),
            ),
        ),
        (
            "encode.json",
            file(
                "Dossiers the form carries and gives back exactly, and some it cannot carry.",
                "ours; dossiers of vectors/verify",
                encode_cases(),
            ),
        ),
        (
            "expand.json",
            file(
                "Forms in base64url, then so many zero bytes, and the dossier each stands for.",
                "ours; dossiers of vectors/verify, without authorities",
                forms::expand_cases(),
            ),
        ),
    ]
}

fn ok(name: &str, input: (&str, Json), value: Json) -> Json {
    json!({"name": name, (input.0): input.1, "expect": {"ok": value}})
}

fn bad(name: &str, input: (&str, Json), code: &str) -> Json {
    json!({"name": name, (input.0): input.1, "expect": {"error": code}})
}

fn base45() -> Vec<Json> {
    let accepted = [
        ("nothing", "", ""),
        ("ab-of-the-rfc", "BB8", "4142"),
        ("hello-of-the-rfc", "%69 VD92EX0", "48656c6c6f2121"),
        ("base-45-of-the-rfc", "UJCLQE7W581", "626173652d3435"),
        ("ietf-of-the-rfc", "QED8WEX0", "6965746621"),
        ("largest-two-bytes", "FGW", "ffff"),
        ("largest-byte", "U5", "ff"),
        ("zeros", "00000", "000000"),
    ];
    let refused = [
        ("small-letter", "bB8", "qr-base45-character"),
        ("character-after-the-alphabet", "BB;", "qr-base45-character"),
        ("not-ascii", "B昭", "qr-base45-character"),
        ("newline-at-the-end", "BB8\n", "qr-base45-character"),
        ("one-character", "B", "qr-base45-length"),
        ("four-characters", "BB8B", "qr-base45-length"),
        ("three-characters-of-the-rfc", "GGW", "qr-base45-value"),
        ("largest-three-characters", ":::", "qr-base45-value"),
        ("two-characters-above-a-byte", "V5", "qr-base45-value"),
        ("largest-two-characters", "BB8::", "qr-base45-value"),
        (
            "large-group-then-a-small-letter",
            "GGWb",
            "qr-base45-character",
        ),
        (
            "large-group-and-a-character-left-over",
            "GGWB",
            "qr-base45-length",
        ),
    ];
    let accepted = accepted
        .iter()
        .map(|(name, text, hex)| ok(name, ("input", json!(text)), json!(hex)));
    let refused = refused
        .iter()
        .map(|(name, text, code)| bad(name, ("input", json!(text)), code));
    accepted.chain(refused).collect()
}

/// A form that needs three codes.
fn large() -> Vec<u8> {
    let mut world = World::new(2);
    let face = world.face(60, 48);
    let claims = world.claims(face);
    let dossier = world.dossier(&claims, vec![5, 7, 8, 9, 10, 12], 11, 10);
    encode(&dossier).unwrap()
}

fn code_cases() -> Vec<Json> {
    let small = encode(&dossiers()[0].1).unwrap();
    let whole = codes(&small).unwrap().remove(0);
    let large = large();
    let parts = codes(&large).unwrap();
    let (a, b, c) = (&parts[0], &parts[1], &parts[2]);
    let set = &a["ZHAO1/".len()..][..16];
    let part = |set: &str, number: &str, count: &str, bytes: &[u8]| {
        format!("ZHAO1/{set}/{number}/{count}:{}", encode_base45(bytes))
    };
    let other = codes(&[large.as_slice(), b"x"].concat()).unwrap();
    let mut flipped = large.clone();
    flipped[7] ^= 1;
    let third = large.len().div_ceil(3);
    let mut cases = vec![
        ok(
            "whole",
            ("codes", json!([whole])),
            json!(encode_base64url(&small)),
        ),
        ok("whole-of-no-bytes", ("codes", json!(["ZHAO1:"])), json!("")),
    ];
    for (name, list) in [
        ("parts-in-order", vec![a, b, c]),
        ("parts-backwards", vec![c, b, a]),
        ("parts-repeated", vec![b, a, b, c, a, b]),
    ] {
        cases.push(ok(
            name,
            ("codes", json!(list)),
            json!(encode_base64url(&large)),
        ));
    }
    let uneven = [
        part(set, "1", "3", &large[..10]),
        part(set, "3", "3", &[]),
        part(set, "2", "3", &large[10..2_800]),
    ];
    // Cut elsewhere, the bytes and so the name are others.
    let short = &large[..2_800];
    let name = &codes_name(short);
    let cut = [
        part(name, "2", "3", &short[10..]),
        part(name, "3", "3", &[]),
        part(name, "1", "3", &short[..10]),
    ];
    cases.push(ok(
        "parts-of-any-size",
        ("codes", json!(cut)),
        json!(encode_base64url(short)),
    ));
    let header = |text: &str| format!("ZHAO1/{text}:");
    let long = format!("ZHAO1:{}", "0".repeat(4_291));
    #[rustfmt::skip]
    let refused: Vec<(&str, Vec<String>, &str)> = vec![
        ("too-many-characters", vec![long], "qr-code-too-long"),
        ("no-prefix", vec!["BB8".into()], "qr-prefix"),
        ("another-version", vec!["ZHAO2:BB8".into()], "qr-prefix"),
        ("small-letters", vec!["zhao1:BB8".into()], "qr-prefix"),
        ("empty", vec![String::new()], "qr-prefix"),
        ("space-before", vec![format!(" {whole}")], "qr-prefix"),
        ("newline-after", vec![format!("{whole}\n")], "qr-base45-character"),
        ("character-left-over", vec!["ZHAO1:BB8B".into()], "qr-base45-length"),
        ("group-too-large", vec!["ZHAO1:GGW".into()], "qr-base45-value"),
        ("part-without-colon", vec![format!("ZHAO1/{set}/1/3")], "qr-part-header"),
        ("part-without-count", vec![header(&format!("{set}/1"))], "qr-part-header"),
        ("part-with-a-fourth-field", vec![header(&format!("{set}/1/3/"))], "qr-part-header"),
        ("name-too-short", vec![header(&format!("{}/1/3", &set[1..]))], "qr-part-header"),
        (
            "name-in-small-digits",
            vec![header(&format!("{}/1/3", set.to_lowercase()))],
            "qr-part-header",
        ),
        ("number-with-leading-zero", vec![header(&format!("{set}/01/3"))], "qr-part-header"),
        ("number-with-sign", vec![header(&format!("{set}/+1/3"))], "qr-part-header"),
        ("number-of-three-digits", vec![header(&format!("{set}/1/100"))], "qr-part-header"),
        ("number-missing", vec![header(&format!("{set}//3"))], "qr-part-header"),
        ("number-zero", vec![part(set, "0", "3", &[])], "qr-part-number"),
        ("number-above-the-count", vec![part(set, "4", "3", &[])], "qr-part-number"),
        ("one-part-of-one", vec![part(set, "1", "1", &small)], "qr-part-number"),
        ("more-than-32-parts", vec![part(set, "1", "33", &[])], "qr-part-number"),
        ("whole-and-part", vec![whole.clone(), a.clone()], "qr-part-mixed"),
        ("whole-twice", vec![whole.clone(), whole.clone()], "qr-part-mixed"),
        ("part-of-another-set", vec![a.clone(), b.clone(), other[2].clone()], "qr-part-set"),
        (
            "part-of-another-count",
            vec![a.clone(), b.clone(), part(set, "3", "4", &large[2 * third..])],
            "qr-part-count",
        ),
        (
            "two-contents-of-one-number",
            vec![a.clone(), b.clone(), c.clone(), part(set, "2", "3", b"x")],
            "qr-part-conflict",
        ),
        ("no-codes", vec![], "qr-part-missing"),
        ("first-missing", vec![c.clone(), b.clone()], "qr-part-missing"),
        ("last-missing", vec![b.clone(), a.clone(), b.clone()], "qr-part-missing"),
        (
            "content-changed",
            vec![part(set, "1", "3", &flipped[..third]), b.clone(), c.clone()],
            "qr-part-content",
        ),
        ("content-cut", uneven.to_vec(), "qr-part-content"),
        (
            "numbers-exchanged",
            vec![part(set, "2", "3", &large[..third]),
             part(set, "1", "3", &large[third..2 * third]), c.clone()],
            "qr-part-content",
        ),
        ("many-hanzi", vec![format!("ZHAO1:{}", "昭".repeat(4_290))], "qr-base45-character"),
        ("too-many-hanzi", vec![format!("ZHAO1:{}", "昭".repeat(4_291))], "qr-code-too-long"),
        ("number-zero-and-a-small-letter", vec![header(&format!("{set}/0/3")) + "b"],
         "qr-part-number"),
        ("two-parts-of-one-and-a-leading-zero", vec![header(&format!("{set}/01/1"))],
         "qr-part-header"),
        ("whole-and-no-prefix", vec![whole.clone(), a.clone(), String::new()], "qr-prefix"),
        ("parts-of-another-set-and-a-whole", vec![a.clone(), other[2].clone(), whole.clone()],
         "qr-part-mixed"),
        (
            "part-of-another-count-then-of-another-set",
            vec![a.clone(), part(set, "3", "4", &[]), other[2].clone()],
            "qr-part-set",
        ),
        (
            "two-contents-of-one-number-then-another-count",
            vec![a.clone(), part(set, "1", "3", &[]), part(set, "3", "4", &[])],
            "qr-part-count",
        ),
        ("two-contents-of-one-number-and-none-of-another",
         vec![b.clone(), c.clone(), part(set, "3", "3", &[])], "qr-part-conflict"),
    ];
    for (name, list, code) in refused {
        cases.push(bad(name, ("codes", json!(list)), code));
    }
    cases
}

/// The name of the set that `form` would be cut into.
fn codes_name(form: &[u8]) -> String {
    let hash = sha256(&[form]);
    hash.0[..8]
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect()
}

/// A dossier with everything the other vectors do not have.
fn manifold() -> Dossier {
    let mut world = World::new(3);
    let mut face = BTreeMap::new();
    for (name, value) in [
        ("a", FaceValue::Text(String::new())),
        ("amount", FaceValue::Int(9_007_199_254_740_991)),
        ("closed", FaceValue::Bool(false)),
        (
            "controls",
            FaceValue::Text("\u{0}\t\"\\\u{1f}\u{7f}".into()),
        ),
        ("none", FaceValue::Int(0)),
        ("open", FaceValue::Bool(true)),
        ("rare", FaceValue::Text("𠮷野家\u{10ffff}".into())),
    ] {
        face.insert(name.to_owned(), value);
    }
    let mut claims = world.claims(face);
    claims.issuer.name = "常州市示例局".into();
    claims.subject.issued_date = crate::wire::Date::new(1950, 1, 31).unwrap();
    claims.valid_from = UnixMillis(1);
    claims.valid_until = Some(UnixMillis::MAX);
    world.dossier(&claims, vec![0, 5, 7, 8, 15, 16, 255], (1 << 53) - 1, 0)
}

/// Dossiers that are carried, by name.
fn carried() -> Vec<(String, Dossier)> {
    let wanted = [
        "without-an-end",
        "reaffirmed-after-its-key-was-compromised",
        "transferred-to-another-unit",
        "failed-inspection-of-a-type-without-inspections",
        "successor-of-a-superseded-licence",
        "committed-from-before-its-type-was-opened",
        "granted-by-old-and-new-administrators",
        "nobody-but-the-log",
        "a-terminal-state-keeps-suspensions-and-flags",
        "all-suspensions-in-order",
        "superseded",
        "inspection-overdue",
        "changed-by-a-key-compromised-since-it-issued",
        "reaffirmed-by-a-compromised-key",
        "one-witness-twice",
        "not-signed-by-the-log",
    ];
    let all = dossiers();
    let mut carried: Vec<_> = wanted
        .iter()
        .map(|name| all.iter().find(|(other, _)| other == name).unwrap().clone())
        .collect();
    carried.push(("every-kind-of-face-data".into(), manifold()));
    let mut world = World::new(1);
    let face = world.face(15, 12);
    let claims = world.claims(face);
    let depths = vec![
        5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 24, 27,
    ];
    let dossier = world.dossier(&claims, depths, 1_048_576, 1_000_000);
    carried.push(("fifteen-claims-in-a-large-log".into(), dossier));
    carried
}

fn encode_cases() -> Vec<Json> {
    let text = |dossier: &Dossier| json_text(dossier.bytes());
    let mut cases = Vec::new();
    for (name, dossier) in dossiers() {
        // The others are in expand.json.
        let wanted = [
            "in-another-holders-index",
            "holder-code-with-a-wrong-check-digit",
            "claim-that-the-profile-does-not-know",
            "other-cryptosuite",
            "proof-by-another-key",
            "carried-into-another-log",
            "digest-of-another-credential",
            "another-unit",
            "another-key",
            "another-type",
            "commitment-without-a-salt",
        ];
        if wanted.contains(&name.as_str()) {
            cases.push(bad(&name, ("dossier", text(&dossier)), "qr-cannot-carry"));
        }
    }
    let base = &carried()[0].1;
    let mut changed = |name: &str, change: &dyn Fn(&mut Dossier)| {
        let mut dossier = base.clone();
        change(&mut dossier);
        cases.push(bad(name, ("dossier", text(&dossier)), "qr-cannot-carry"));
    };
    changed("another-map-root", &|d| {
        d.head.epoch.map_root = Hash([7; 32]);
    });
    changed("path-of-another-record", &|d| {
        d.placed.path.hashes[0] = Hash([7; 32]);
    });
    changed("path-without-a-hash", &|d| d.placed.path.hashes.truncate(1));
    changed("epoch-of-another-index", &|d| d.head.epoch.index.0 -= 1);
    changed("issued-after-its-latest-event", &|d| {
        d.placed.record.issued_index.0 += 1;
    });
    let with = |find: &str, put: &str| {
        let text = String::from_utf8(base.bytes()).unwrap();
        assert!(text.contains(find), "{find}");
        json!(text.replacen(find, put, 1))
    };
    let checkpoint_root = base.head.checkpoint().root.to_base64();
    let line = base.head.proof.note().signatures()[1].clone();
    let mut longer = line.clone();
    longer.blob.push(0);
    let mut late = line.clone();
    late.blob[0] = 1;
    let shown = |line: &crate::log::note::NoteSignature| line.line().trim_end().to_owned();
    let bad_texts = [
        (
            "another-root",
            with(&checkpoint_root, &Hash([7; 32]).to_base64()),
        ),
        (
            "line-of-another-length",
            with(&shown(&line), &shown(&longer)),
        ),
        ("line-of-a-far-time", with(&shown(&line), &shown(&late))),
        (
            "proof-at-another-index",
            with("@v1\\nindex ", "@v1\\nindex 1"),
        ),
    ];
    for (name, text) in bad_texts {
        cases.push(bad(name, ("dossier", text), "qr-cannot-carry"));
    }
    let whole = std::fs::read_to_string(folder().join("../verify/valid.json")).unwrap();
    let whole: Json = serde_json::from_str(&whole).unwrap();
    cases.push(bad(
        "with-authorities",
        ("dossier", whole["cases"][0]["fileText"].clone()),
        "qr-cannot-carry",
    ));
    cases.push(ok(
        "fifteen-claims",
        ("dossier", text(&carried().pop().unwrap().1)),
        json!(true),
    ));
    cases
}
