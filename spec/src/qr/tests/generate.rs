//! Writes `vectors/qr/`. Run by hand after a change of the form:
//! `cargo test -p zhao-spec qr::tests::generate -- --ignored`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::super::texts::{Texts, deflate};
use super::super::{codes, encode, encode_base45, expand, form::Form};
use super::world::{ORIGIN, World};
use super::{dossiers, json_text};
use crate::credential::FaceValue;
use crate::file::Dossier;
use crate::wire::binary::encode_base64url;
use crate::wire::{Hash, UnixMillis};

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
                "Dossiers that the form carries, so that its expansion is the same bytes, and some it cannot.",
                "ours; dossiers of vectors/verify",
                encode_cases(),
            ),
        ),
        (
            "expand.json",
            file(
                "Forms in base64url, followed by so many zero bytes, and the bytes of the dossier they stand for.",
                "ours; dossiers of vectors/verify, without authorities",
                expand_cases(),
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
    let refused: Vec<(&str, Vec<String>, &str)> = vec![
        ("too-many-characters", vec![long], "qr-code-too-long"),
        ("no-prefix", vec!["BB8".into()], "qr-prefix"),
        ("another-version", vec!["ZHAO2:BB8".into()], "qr-prefix"),
        ("small-letters", vec!["zhao1:BB8".into()], "qr-prefix"),
        ("empty", vec![String::new()], "qr-prefix"),
        ("space-before", vec![format!(" {whole}")], "qr-prefix"),
        (
            "newline-after",
            vec![format!("{whole}\n")],
            "qr-base45-character",
        ),
        (
            "character-left-over",
            vec!["ZHAO1:BB8B".into()],
            "qr-base45-length",
        ),
        (
            "group-too-large",
            vec!["ZHAO1:GGW".into()],
            "qr-base45-value",
        ),
        (
            "part-without-colon",
            vec![format!("ZHAO1/{set}/1/3")],
            "qr-part-header",
        ),
        (
            "part-without-count",
            vec![header(&format!("{set}/1"))],
            "qr-part-header",
        ),
        (
            "part-with-a-fourth-field",
            vec![header(&format!("{set}/1/3/"))],
            "qr-part-header",
        ),
        (
            "name-too-short",
            vec![header(&format!("{}/1/3", &set[1..]))],
            "qr-part-header",
        ),
        (
            "name-in-small-digits",
            vec![header(&format!("{}/1/3", set.to_lowercase()))],
            "qr-part-header",
        ),
        (
            "number-with-leading-zero",
            vec![header(&format!("{set}/01/3"))],
            "qr-part-header",
        ),
        (
            "number-with-sign",
            vec![header(&format!("{set}/+1/3"))],
            "qr-part-header",
        ),
        (
            "number-of-three-digits",
            vec![header(&format!("{set}/1/100"))],
            "qr-part-header",
        ),
        (
            "number-missing",
            vec![header(&format!("{set}//3"))],
            "qr-part-header",
        ),
        (
            "number-zero",
            vec![part(set, "0", "3", &[])],
            "qr-part-number",
        ),
        (
            "number-above-the-count",
            vec![part(set, "4", "3", &[])],
            "qr-part-number",
        ),
        (
            "one-part-of-one",
            vec![part(set, "1", "1", &small)],
            "qr-part-number",
        ),
        (
            "more-than-32-parts",
            vec![part(set, "1", "33", &[])],
            "qr-part-number",
        ),
        (
            "whole-and-part",
            vec![whole.clone(), a.clone()],
            "qr-part-mixed",
        ),
        (
            "whole-twice",
            vec![whole.clone(), whole.clone()],
            "qr-part-mixed",
        ),
        (
            "part-of-another-set",
            vec![a.clone(), b.clone(), other[2].clone()],
            "qr-part-set",
        ),
        (
            "part-of-another-count",
            vec![
                a.clone(),
                b.clone(),
                part(set, "3", "4", &large[2 * third..]),
            ],
            "qr-part-count",
        ),
        (
            "two-contents-of-one-number",
            vec![a.clone(), b.clone(), c.clone(), part(set, "2", "3", b"x")],
            "qr-part-conflict",
        ),
        ("no-codes", vec![], "qr-part-missing"),
        (
            "first-missing",
            vec![c.clone(), b.clone()],
            "qr-part-missing",
        ),
        (
            "last-missing",
            vec![b.clone(), a.clone(), b.clone()],
            "qr-part-missing",
        ),
        (
            "content-changed",
            vec![part(set, "1", "3", &flipped[..third]), b.clone(), c.clone()],
            "qr-part-content",
        ),
        ("content-cut", uneven.to_vec(), "qr-part-content"),
        (
            "numbers-exchanged",
            vec![
                part(set, "2", "3", &large[..third]),
                part(set, "1", "3", &large[third..2 * third]),
                c.clone(),
            ],
            "qr-part-content",
        ),
    ];
    for (name, list, code) in refused {
        cases.push(bad(name, ("codes", json!(list)), code));
    }
    cases
}

/// The name of the set that `form` would be cut into.
fn codes_name(form: &[u8]) -> String {
    let hash = crate::wire::sha256(&[form]);
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

/// The items of a form, each as its bytes.
#[derive(Clone)]
struct Items(Vec<Vec<u8>>);

impl Items {
    fn of(form: &[u8]) -> Self {
        let mut items = Vec::new();
        let mut rest = &form[2..];
        while !rest.is_empty() {
            let length = item_length(rest);
            items.push(rest[..length].to_vec());
            rest = &rest[length..];
        }
        assert_eq!(items.len(), 27);
        Self(items)
    }

    fn bytes(&self) -> Vec<u8> {
        let head = [0x98, u8::try_from(self.0.len()).unwrap()];
        [head.as_slice(), &self.0.concat()].concat()
    }

    /// The form with another item in the place of one.
    fn with(&self, at: usize, item: &[u8]) -> Vec<u8> {
        let mut items = self.clone();
        items.0[at] = item.to_vec();
        items.bytes()
    }
}

/// Bytes of the item at the beginning, of the forms that the writer makes.
fn item_length(bytes: &[u8]) -> usize {
    let argument = |length: usize| {
        let bytes = &bytes[1..=length];
        bytes
            .iter()
            .fold(0, |sum, byte| (sum << 8) | usize::from(*byte))
    };
    let (head, argument) = match bytes[0] & 0x1f {
        24 => (2, argument(1)),
        25 => (3, argument(2)),
        26 => (5, 0),
        27 => (9, 0),
        short => (1, usize::from(short)),
    };
    match bytes[0] >> 5 {
        0 | 1 => head,
        2 => head + argument,
        major => (0..argument * if major == 5 { 2 } else { 1 })
            .fold(head, |at, _| at + item_length(&bytes[at..])),
    }
}

/// A byte string.
fn string(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    let head = match length {
        0..=23 => vec![0x40 | length.to_be_bytes()[1]],
        24..=255 => vec![0x58, length.to_be_bytes()[1]],
        _ => [&[0x59], length.to_be_bytes().as_slice()].concat(),
    };
    [head.as_slice(), bytes].concat()
}

fn expand_cases() -> Vec<Json> {
    let mut cases = Vec::new();
    for (name, dossier) in carried() {
        let form = encode(&dossier).unwrap();
        let form = ("form", json!(encode_base64url(&form)));
        cases.push(ok(&name, form, json_text(dossier.bytes())));
    }
    let dossier = &carried()[0].1;
    let form = encode(dossier).unwrap();
    let items = Items::of(&form);
    let texts = Form::of(dossier).unwrap().texts;
    let joined = texts.joined();
    for (name, stream) in other_streams(&joined) {
        let form = (
            "form",
            json!(encode_base64url(&items.with(25, &string(&stream)))),
        );
        cases.push(ok(name, form, json_text(dossier.bytes())));
    }
    let mut wrong = Vec::new();
    let mut refuse = |name: &str, form: Vec<u8>, code: &str| {
        let actual = expand(&form).map_err(|error| error.code());
        if actual != Err(code) {
            wrong.push(format!("{name}: {actual:?}, not {code}"));
        }
        cases.push(bad(name, ("form", json!(encode_base64url(&form))), code));
    };
    shapes(&items, &mut refuse);
    values(&items, &mut refuse);
    streams(&items, &texts, &joined, &mut refuse);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mut long = bad(
        "too-long",
        ("form", json!(encode_base64url(&form))),
        "qr-too-long",
    );
    long["zeros"] = json!(65_537 - form.len());
    cases.push(long);
    let mut full = bad(
        "as-long-as-allowed",
        ("form", json!(encode_base64url(&form))),
        "qr-cbor-trailing",
    );
    full["zeros"] = json!(65_536 - form.len());
    cases.push(full);
    cases
}

type Refuse<'a> = dyn FnMut(&str, Vec<u8>, &str) + 'a;

fn shapes(items: &Items, refuse: &mut Refuse<'_>) {
    let form = items.bytes();
    let hash = string(&[7; 32]);
    refuse("nothing", vec![], "qr-cbor-end");
    refuse("half", form[..form.len() / 2].to_vec(), "qr-cbor-end");
    refuse(
        "without-the-last-byte",
        form[..form.len() - 1].to_vec(),
        "qr-cbor-end",
    );
    refuse(
        "without-the-map",
        form[..form.len() - items.0[26].len()].to_vec(),
        "qr-cbor-end",
    );
    refuse("argument-cut", vec![0x98], "qr-cbor-end");
    refuse(
        "string-longer-than-memory",
        items.with(25, &[[0x5b].as_slice(), &[0xff; 8]].concat()),
        "qr-cbor-end",
    );
    refuse(
        "one-byte-more",
        [form.as_slice(), &[0]].concat(),
        "qr-cbor-trailing",
    );
    refuse(
        "twice",
        [form.as_slice(), &form].concat(),
        "qr-cbor-trailing",
    );

    refuse(
        "version-in-two-bytes",
        items.with(0, &[0x18, 1]),
        "qr-cbor-form",
    );
    refuse(
        "number-in-two-bytes",
        items.with(10, &[0x18, 23]),
        "qr-cbor-form",
    );
    refuse(
        "number-in-three-bytes",
        items.with(10, &[0x19, 0, 255]),
        "qr-cbor-form",
    );
    refuse(
        "number-in-five-bytes",
        items.with(10, &[0x1a, 0, 0, 255, 255]),
        "qr-cbor-form",
    );
    refuse(
        "number-in-nine-bytes",
        items.with(10, &[0x1b, 0, 0, 0, 0, 255, 255, 255, 255]),
        "qr-cbor-form",
    );
    refuse("reserved-argument", items.with(10, &[0x1c]), "qr-cbor-form");
    refuse(
        "length-in-three-bytes",
        items.with(2, &[[0x59, 0, 16].as_slice(), &[7; 16]].concat()),
        "qr-cbor-form",
    );
    refuse(
        "array-without-length",
        [&[0x9f], &form[2..], &[0xff]].concat(),
        "qr-cbor-form",
    );
    refuse(
        "string-without-length",
        items.with(2, &[0x5f, 0xff]),
        "qr-cbor-form",
    );
    refuse(
        "array-length-in-three-bytes",
        [&[0x99, 0, 27], &form[2..]].concat(),
        "qr-cbor-form",
    );
    refuse(
        "keys-descending",
        items.with(26, &[0xa2, 6, 1, 5, 1]),
        "qr-cbor-form",
    );
    refuse(
        "key-twice",
        items.with(26, &[0xa2, 5, 1, 5, 1]),
        "qr-cbor-form",
    );

    refuse("version-zero", items.with(0, &[0]), "qr-version");
    refuse("version-two", items.with(0, &[2]), "qr-version");
    refuse(
        "version-two-of-another-length",
        vec![0x82, 2, 1],
        "qr-version",
    );
    refuse("dictionary-zero", items.with(1, &[0]), "qr-dictionary");
    refuse("dictionary-two", items.with(1, &[2]), "qr-dictionary");
    refuse(
        "item-too-few",
        [&[0x98, 26], &form[2..form.len() - 1]].concat(),
        "qr-shape",
    );
    refuse(
        "item-too-many",
        [&[0x98, 28], &form[2..], &[0]].concat(),
        "qr-shape",
    );

    refuse("a-map", vec![0xa0], "qr-shape");
    refuse(
        "a-json-text",
        b"{\"format\":\"zhao/v1 dossier\"}".to_vec(),
        "qr-shape",
    );
    refuse("version-as-text", items.with(0, &[0x61, 0x31]), "qr-shape");
    refuse(
        "id-as-text",
        items.with(2, &[[0x70].as_slice(), &[0x41; 16]].concat()),
        "qr-shape",
    );
    refuse(
        "id-of-15-bytes",
        items.with(2, &string(&[7; 15])),
        "qr-shape",
    );
    refuse(
        "key-of-33-bytes",
        items.with(3, &string(&[7; 33])),
        "qr-shape",
    );
    refuse("signature-missing", items.with(4, &[0xf6]), "qr-shape");
    refuse(
        "time-as-float",
        items.with(5, &[0xfb, 0x42, 0x79, 0, 0, 0, 0, 0, 0]),
        "qr-shape",
    );
    refuse("time-with-a-tag", items.with(5, &[0xc1, 1]), "qr-shape");
    refuse("number-negative", items.with(10, &[0x20]), "qr-shape");
    refuse(
        "number-as-big-integer",
        items.with(10, &[0xc2, 0x41, 1]),
        "qr-shape",
    );
    refuse(
        "depths-of-33-bytes",
        items.with(16, &string(&[7; 33])),
        "qr-shape",
    );
    refuse(
        "hash-too-few",
        items.with(17, &string(&[7; 32])),
        "qr-shape",
    );
    refuse(
        "hash-of-31-bytes",
        items.with(17, &string(&[7; 31])),
        "qr-shape",
    );
    refuse(
        "log-hash-too-many",
        items.with(23, &string(&[7; 32 * 5])),
        "qr-shape",
    );
    refuse("no-lines", items.with(24, &[0x80]), "qr-shape");
    refuse(
        "line-of-67-bytes",
        items.with(24, &[[0x81].as_slice(), &string(&[7; 67])].concat()),
        "qr-shape",
    );
    refuse(
        "time-before-its-line",
        items.with(24, &[[0x82, 5].as_slice(), &string(&[7; 68])].concat()),
        "qr-shape",
    );
    let line = string(&[7; 68]);
    refuse(
        "two-times-of-one-line",
        items.with(24, &[[0x83].as_slice(), &line, &[5, 5]].concat()),
        "qr-shape",
    );
    refuse(
        "lines-too-many",
        items.with(24, &[[0x98, 65].as_slice(), &line.repeat(65)].concat()),
        "qr-shape",
    );
    refuse("texts-as-text", items.with(25, &[0x60]), "qr-shape");
    refuse("map-as-array", items.with(26, &[0x80]), "qr-shape");
    refuse(
        "key-as-text",
        items.with(26, &[0xa1, 0x61, 0x31, 1]),
        "qr-shape",
    );
    refuse("key-zero", items.with(26, &[0xa1, 0, 1]), "qr-shape");
    refuse("key-17", items.with(26, &[0xa1, 17, 1]), "qr-shape");
    refuse(
        "enterprise-as-boolean",
        items.with(26, &[0xa1, 5, 0xf5]),
        "qr-shape",
    );
    refuse(
        "salt-of-31-bytes",
        items.with(26, &[[0xa1, 2].as_slice(), &string(&[7; 31])].concat()),
        "qr-shape",
    );
    refuse("no-mortgages", items.with(26, &[0xa1, 8, 0x80]), "qr-shape");
    let flags: Vec<u8> = (0..65).flat_map(|n| [0x18, 24 + n]).collect();
    refuse(
        "mortgages-too-many",
        items.with(26, &[[0xa1, 8, 0x98, 65].as_slice(), &flags].concat()),
        "qr-shape",
    );
    refuse(
        "entry-missing",
        items.with(26, &[[0xa2, 3].as_slice(), &hash].concat()),
        "qr-cbor-end",
    );
}

fn values(items: &Items, refuse: &mut Refuse<'_>) {
    let above = [0x1b, 0, 0x20, 0, 0, 0, 0, 0, 0];
    for (name, at) in [
        ("catalogue-version", 8),
        ("seq", 10),
        ("index", 11),
        ("size", 18),
        ("epoch", 19),
        ("subjects", 21),
    ] {
        refuse(
            &format!("{name}-above-2-53"),
            items.with(at, &above),
            "qr-value",
        );
    }
    refuse(
        "time-above-63-bits",
        items.with(5, &[0x1b, 0x80, 0, 0, 0, 0, 0, 0, 0]),
        "qr-value",
    );
    refuse(
        "time-after-9999",
        items.with(5, &[0x1b, 0, 0, 0xe6, 0x77, 0xd2, 0x1f, 0xdc, 0]),
        "qr-value",
    );
    refuse(
        "day-in-milliseconds",
        items.with(6, &[0x1a, 0x03, 0x6e, 0xe8, 0]),
        "qr-value",
    );
    refuse(
        "day-after-9999",
        items.with(6, &[0x3a, 0, 0x2c, 0xc0, 0xa2]),
        "qr-value",
    );
    refuse(
        "day-too-far-to-count",
        items.with(6, &[0x3b, 0x7f, 255, 255, 255, 255, 255, 255, 255]),
        "qr-value",
    );
    refuse(
        "issued-before-1900",
        items.with(7, &[0x39, 0x63, 0xdf]),
        "qr-value",
    );
    refuse(
        "issued-after-9999",
        items.with(7, &[0x1a, 0, 0x2c, 0xc0, 0xa1]),
        "qr-value",
    );
    refuse(
        "issued-too-far-to-count",
        items.with(7, &[0x1b, 0x7f, 255, 255, 255, 255, 255, 255, 255]),
        "qr-value",
    );
    refuse(
        "identifier-version-of-four-digits",
        items.with(9, &[0x19, 0x03, 0xe8]),
        "qr-value",
    );
    refuse(
        "issued-before-the-log",
        items.with(12, &[0x18, 200]),
        "qr-value",
    );
    refuse(
        "depths-with-a-byte-too-many",
        items.with(16, &string(&[0x80, 0])),
        "qr-value",
    );
    refuse("size-zero", items.with(18, &[0]), "qr-value");
    refuse(
        "epoch-zero-with-a-previous",
        items.with(19, &[0]),
        "qr-value",
    );
    refuse("epoch-without-a-previous", items.with(20, &[0]), "qr-value");
    refuse(
        "previous-before-the-log",
        items.with(20, &[0x18, 200]),
        "qr-value",
    );
    let line = string(&[7; 68]);
    let lines = |rest: &[u8]| {
        // As many lines as the texts have names for.
        let plain = line.repeat(3);
        [[0x85].as_slice(), &plain, &line, rest].concat()
    };
    refuse(
        "cosigned-before-1970",
        items.with(24, &lines(&[0x3a, 255, 255, 255, 255])),
        "qr-value",
    );
    refuse(
        "cosigned-too-late",
        items.with(24, &lines(&[0x1b, 0, 0x1f, 255, 255, 255, 255, 255, 255])),
        "qr-value",
    );
    refuse(
        "cosigned-beyond-63-bits",
        items.with(24, &lines(&[0x1b, 255, 0, 0, 0, 0, 0, 0, 0])),
        "qr-value",
    );
    let entry = |key: u8, value: &[u8]| [[0xa1, key].as_slice(), value].concat();
    refuse(
        "end-after-9999",
        items.with(
            26,
            &entry(1, &[0x1b, 0, 0, 0xe6, 0x77, 0xd2, 0x1f, 0xdc, 0]),
        ),
        "qr-value",
    );
    refuse(
        "enterprise-not-one",
        items.with(26, &entry(5, &[2])),
        "qr-value",
    );
    refuse(
        "enterprise-zero",
        items.with(26, &entry(5, &[0])),
        "qr-value",
    );
    refuse("state-active", items.with(26, &entry(6, &[0])), "qr-value");
    refuse("state-unknown", items.with(26, &entry(6, &[6])), "qr-value");
    refuse(
        "no-suspensions",
        items.with(26, &entry(7, &[0])),
        "qr-value",
    );
    refuse(
        "suspension-unknown",
        items.with(26, &entry(7, &[8])),
        "qr-value",
    );
    refuse(
        "mortgages-descending",
        items.with(26, &entry(8, &[0x82, 3, 2])),
        "qr-value",
    );
    refuse(
        "pledge-twice",
        items.with(26, &entry(10, &[0x82, 3, 3])),
        "qr-value",
    );
    refuse(
        "reaffirmed-by-without-index",
        items.with(26, &entry(14, &string(&[7; 32]))),
        "qr-value",
    );
    refuse(
        "inspection-result-unknown",
        items.with(26, &entry(16, &[2])),
        "qr-value",
    );
    let issuer = crate::life::subject::subject_key(
        ORIGIN,
        crate::life::subject::Kind::Issuer,
        "11320400DEM000014W",
    );
    refuse(
        "controller-that-is-the-issuer",
        items.with(26, &entry(3, &string(&issuer.0))),
        "qr-value",
    );
    let key = crate::wire::sha256(&[&items.0[3][2..]]);
    refuse(
        "latest-by-that-is-the-issuing-key",
        items.with(26, &entry(4, &string(&key.0))),
        "qr-value",
    );
    refuse(
        "reaffirmed-by-the-issuing-key",
        items.with(
            26,
            &[[0xa2, 13, 1, 14].as_slice(), &string(&key.0)].concat(),
        ),
        "qr-value",
    );
}

/// A stored block.
fn stored(last: bool, bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    let head = [
        u8::from(last),
        length.to_le_bytes()[0],
        length.to_le_bytes()[1],
    ];
    let complement = (!length).to_le_bytes();
    [head.as_slice(), &complement, bytes].concat()
}

/// Writes bits, the lowest first.
#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn low(mut self, value: u32, bits: u32) -> Self {
        self.0.extend((0..bits).map(|bit| value >> bit & 1 == 1));
        self
    }

    /// A Huffman code: the highest bit first.
    fn code(mut self, value: u32, bits: u32) -> Self {
        self.0
            .extend((0..bits).rev().map(|bit| value >> bit & 1 == 1));
        self
    }

    /// A byte as literal of the fixed code.
    fn literal(self, byte: u8) -> Self {
        match u32::from(byte) {
            small @ 0..=143 => self.code(0x30 + small, 8),
            large => self.code(0x190 + large - 144, 9),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let byte = |bits: &[bool]| {
            bits.iter()
                .rev()
                .fold(0, |sum, bit| sum << 1 | u8::from(*bit))
        };
        self.0.chunks(8).map(byte).collect()
    }
}

/// The same texts, deflated by other writers.
fn other_streams(joined: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let (a, b) = joined.split_at(100);
    let mut fixed = Bits::default().low(1, 1).low(1, 2);
    for byte in joined {
        fixed = fixed.literal(*byte);
    }
    vec![
        ("stored", stored(true, joined)),
        (
            "stored-in-three-blocks",
            [stored(false, a), stored(false, &[]), stored(true, b)].concat(),
        ),
        ("fixed-code", fixed.code(0, 7).bytes()),
        (
            "stored-then-fixed",
            [
                stored(false, joined),
                Bits::default().low(3, 3).code(0, 7).bytes(),
            ]
            .concat(),
        ),
    ]
}

fn streams(items: &Items, texts: &Texts, joined: &[u8], refuse: &mut Refuse<'_>) {
    let mut stream = |name: &str, stream: Vec<u8>, code: &str| {
        refuse(name, items.with(25, &string(&stream)), code);
    };
    let good = deflate(joined);
    stream("texts-of-no-bytes", vec![], "qr-inflate");
    stream("stream-cut", good[..good.len() - 1].to_vec(), "qr-inflate");
    stream(
        "byte-after-the-stream",
        [good.as_slice(), &[0]].concat(),
        "qr-inflate",
    );
    stream(
        "two-streams",
        [good.as_slice(), &good].concat(),
        "qr-inflate",
    );
    stream("no-last-block", stored(false, joined), "qr-inflate");
    stream("block-type-3", vec![7], "qr-inflate");
    let mut lengths = stored(true, joined);
    lengths[3] ^= 1;
    stream("stored-lengths-disagree", lengths, "qr-inflate");
    stream(
        "stored-block-cut",
        stored(true, joined)[..50].to_vec(),
        "qr-inflate",
    );
    stream(
        "zlib-header",
        [[0x78, 0xda].as_slice(), &good].concat(),
        "qr-inflate",
    );
    let fixed = || Bits::default().low(1, 1).low(1, 2);
    let end = |bits: Bits| bits.code(0, 7).low(0, 16).bytes();
    stream(
        "length-symbol-286",
        end(fixed().code(0xc6, 8).code(0, 5)),
        "qr-inflate",
    );
    stream(
        "distance-symbol-30",
        end(fixed().code(1, 7).code(30, 5)),
        "qr-inflate",
    );
    // Distance symbol 22: 2,049 and 10 bits more. The dictionary has 2,509 bytes.
    stream(
        "distance-before-the-dictionary",
        fixed()
            .code(1, 7)
            .code(22, 5)
            .low(2_510 - 2_049, 10)
            .code(0, 7)
            .bytes(),
        "qr-inflate",
    );
    // Distance symbol 22 to its first byte: a text begins, and nothing ends it.
    stream(
        "distance-to-its-first-byte",
        fixed()
            .code(1, 7)
            .code(22, 5)
            .low(2_509 - 2_049, 10)
            .code(0, 7)
            .bytes(),
        "qr-texts",
    );
    let dynamic = |literals: u32, distances: u32| {
        Bits::default()
            .low(1, 1)
            .low(2, 2)
            .low(literals - 257, 5)
            .low(distances - 1, 5)
    };
    // Of the code length code only the first lengths, in the order 16, 17, 18, 0, 8, 7, 9 …
    stream(
        "codes-287",
        end(dynamic(287, 1).low(0, 4).low(0o1111, 12)),
        "qr-inflate",
    );
    stream(
        "distance-codes-31",
        end(dynamic(257, 31).low(0, 4).low(0o1111, 12)),
        "qr-inflate",
    );
    stream(
        "code-lengths-over-subscribed",
        end(dynamic(257, 1).low(0, 4).low(0o1111, 12)),
        "qr-inflate",
    );
    stream(
        "code-lengths-incomplete",
        end(dynamic(257, 1).low(0, 4).low(0o0002, 12)),
        "qr-inflate",
    );
    stream(
        "code-lengths-empty",
        end(dynamic(257, 1).low(0, 4).low(0, 12)),
        "qr-inflate",
    );
    // 16 and 18 have one bit each: first a repetition of nothing.
    stream(
        "repetition-of-nothing",
        end(dynamic(257, 1)
            .low(0, 4)
            .low(0o0101, 12)
            .code(0, 1)
            .low(0, 2)),
        "qr-inflate",
    );
    // 18 three times: 138 zeros each, 414 of 258.
    let zeros = |bits: Bits| bits.code(1, 1).low(127, 7);
    stream(
        "repetition-beyond-the-end",
        end(zeros(zeros(zeros(
            dynamic(257, 1).low(0, 4).low(0o0101, 12),
        )))),
        "qr-inflate",
    );
    // 0 and 18 have one bit each: 258 zeros, no code at all.
    let none = dynamic(257, 1)
        .low(0, 4)
        .low(0o1100, 12)
        .code(1, 1)
        .low(127, 7)
        .code(1, 1)
        .low(109, 7);
    stream("no-codes", end(none), "qr-inflate");
    let bomb = Bits::default().low(1, 1).low(1, 2).literal(b'x');
    let bomb = (0..1_100).fold(bomb, |bits, _| bits.code(0xc5, 8).code(0, 5));
    stream("bomb", bomb.code(0, 7).bytes(), "qr-texts-too-long");
    let most = vec![vec![0xff; 43_691]; 6].concat();
    stream(
        "one-byte-more-than-allowed",
        deflate(&most[..262_145]),
        "qr-texts-too-long",
    );
    stream(
        "as-many-bytes-as-allowed",
        deflate(&most[..262_144]),
        "qr-texts",
    );

    let mut text = |name: &str, joined: &[u8], code: &str| {
        refuse(name, items.with(25, &string(&deflate(joined))), code);
    };
    text("no-texts", &[], "qr-texts");
    text("texts-too-few", &joined[..60], "qr-texts");
    text(
        "last-text-without-its-end",
        &joined[..joined.len() - 1],
        "qr-texts",
    );
    text(
        "name-without-value",
        &[joined, b"zz\xff"].concat(),
        "qr-texts",
    );
    text(
        "true-with-a-text",
        &[joined, b"zz\xffx\xfd"].concat(),
        "qr-texts",
    );
    text(
        "false-with-a-text",
        &[joined, b"zz\xffx\xfc"].concat(),
        "qr-texts",
    );
    text(
        "origin-ended-as-an-integer",
        &[b"1\xfe".as_slice(), joined].concat(),
        "qr-texts",
    );
    text(
        "name-ended-as-true",
        &[joined, b"\xfd1\xff"].concat(),
        "qr-texts",
    );
    text(
        "overlong-utf8",
        &[joined, b"zz\xff\xc0\x80\xff"].concat(),
        "qr-utf8",
    );
    text(
        "surrogate-in-utf8",
        &[joined, b"zz\xff\xed\xa0\x80\xff"].concat(),
        "qr-utf8",
    );
    text(
        "character-cut",
        &[joined, b"zz\xff\xe6\x98\xff"].concat(),
        "qr-utf8",
    );
    text(
        "byte-that-utf8-has-not",
        &[joined, b"zz\xff\xfa\xff"].concat(),
        "qr-utf8",
    );
    text(
        "integer-with-leading-zero",
        &[joined, b"zz\xff01\xfe"].concat(),
        "qr-value",
    );
    text(
        "integer-empty",
        &[joined, b"zz\xff\xfe"].concat(),
        "qr-value",
    );
    text(
        "integer-negative",
        &[joined, b"zz\xff-1\xfe"].concat(),
        "qr-value",
    );
    text(
        "integer-above-2-53",
        &[joined, b"zz\xff9007199254740992\xfe"].concat(),
        "qr-value",
    );
    text(
        "face-names-descending",
        &[joined, b"a\xff1\xff"].concat(),
        "qr-value",
    );
    text(
        "face-name-twice",
        &[joined, b"zz\xff1\xffzz\xff1\xff"].concat(),
        "qr-value",
    );
    text(
        "face-name-empty",
        &[joined, b"\xff1\xff"].concat(),
        "qr-value",
    );
    text(
        "face-name-of-hanzi",
        &[joined, "zz名".as_bytes(), b"\xff1\xff"].concat(),
        "qr-value",
    );

    let mut changed = |name: &str, change: &dyn Fn(&mut Texts)| {
        let mut texts = texts.clone();
        change(&mut texts);
        refuse(name, items.with(25, &string(&texts.bytes())), "qr-value");
    };
    changed("issuer-name-said-twice", &|texts| {
        texts.issuer = texts.authority.clone();
    });
    changed("line-name-that-is-the-origin", &|texts| {
        texts.lines[0] = ORIGIN.into();
    });
    changed("line-name-with-a-space", &|texts| {
        texts.lines[1] = "a b".into();
    });
    changed("line-name-with-a-line", &|texts| {
        texts.lines[1] = "a b\n\u{2014} c".into();
    });
    changed("origin-of-two-lines", &|texts| texts.origin = "a\n3".into());
    changed("origin-empty", &|texts| texts.origin = String::new());
    changed("serial-in-small-letters", &|texts| {
        texts.serial = "jy1".into();
    });
    changed("type-code-with-a-dot", &|texts| {
        texts.type_code = "1.1".into();
    });
    changed("unit-of-hanzi", &|texts| texts.unit = "昭".into());
    changed("text-too-long-for-json", &|texts| {
        texts.holder_name = "x".repeat(65_537);
    });
}
