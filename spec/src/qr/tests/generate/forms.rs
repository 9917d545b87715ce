//! The cases of `expand.json`: forms that expand, and forms with something wrong.

use serde_json::{Value as Json, json};

use super::super::super::form::Form;
use super::super::super::texts::{Texts, deflate};
use super::super::super::{encode, expand};
use super::super::json_text;
use super::super::world::ORIGIN;
use super::{bad, carried, faults, ok, streams};
use crate::life::subject::{Kind, subject_key};
use crate::wire::binary::encode_base64url;
use crate::wire::sha256;
use crate::wire::vectors::unhex;

/// The items of a form, each as its bytes.
#[derive(Clone)]
pub(super) struct Items(pub(super) Vec<Vec<u8>>);

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

    pub(super) fn bytes(&self) -> Vec<u8> {
        let head = [0x98, u8::try_from(self.0.len()).unwrap()];
        [head.as_slice(), &self.0.concat()].concat()
    }

    /// The form with another item in the place of one.
    pub(super) fn with(&self, at: usize, item: &[u8]) -> Vec<u8> {
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
pub(super) fn string(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    let head = match length {
        0..=23 => vec![0x40 | length.to_be_bytes()[1]],
        24..=255 => vec![0x58, length.to_be_bytes()[1]],
        _ => [&[0x59], length.to_be_bytes().as_slice()].concat(),
    };
    [head.as_slice(), bytes].concat()
}

pub(super) fn expand_cases() -> Vec<Json> {
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
    for (name, stream) in streams::accepted(&joined) {
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
    for (name, code, stream) in streams::refused(&joined) {
        refuse(name, items.with(25, &string(&stream)), code);
    }
    joined_texts(&items, &texts, &joined, &mut refuse);
    faults::two(&items, &joined, &mut refuse);
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

pub(super) type Refuse<'a> = dyn FnMut(&str, Vec<u8>, &str) + 'a;

/// A form with one item changed: name, code, which item, and its bytes in hexadecimal, where
/// `07*3` is `070707`.
type Row = (&'static str, &'static str, usize, &'static str);

#[rustfmt::skip]
const SHAPES: &[Row] = &[
    ("string-longer-than-memory", "qr-cbor-end", 25, "5b ff*8"),
    ("entry-missing", "qr-cbor-end", 26, "a2 03 5820 07*32"),
    ("version-in-two-bytes", "qr-cbor-form", 0, "1801"),
    ("number-in-two-bytes", "qr-cbor-form", 10, "1817"),
    ("number-in-three-bytes", "qr-cbor-form", 10, "1900ff"),
    ("number-in-five-bytes", "qr-cbor-form", 10, "1a0000ffff"),
    ("number-in-nine-bytes", "qr-cbor-form", 10, "1b00000000ffffffff"),
    ("reserved-argument", "qr-cbor-form", 10, "1c"),
    ("length-in-three-bytes", "qr-cbor-form", 2, "590010 07*16"),
    ("string-without-length", "qr-cbor-form", 2, "5fff"),
    ("keys-descending", "qr-cbor-form", 26, "a206010501"),
    ("key-twice", "qr-cbor-form", 26, "a205010501"),
    ("version-zero", "qr-version", 0, "00"),
    ("version-two", "qr-version", 0, "02"),
    ("dictionary-zero", "qr-dictionary", 1, "00"),
    ("dictionary-two", "qr-dictionary", 1, "02"),
    ("version-as-text", "qr-shape", 0, "6131"),
    ("id-as-text", "qr-shape", 2, "70 41*16"),
    ("id-of-15-bytes", "qr-shape", 2, "4f 07*15"),
    ("key-of-33-bytes", "qr-shape", 3, "5821 07*33"),
    ("signature-missing", "qr-shape", 4, "f6"),
    ("time-as-float", "qr-shape", 5, "fb4279000000000000"),
    ("time-with-a-tag", "qr-shape", 5, "c101"),
    ("number-negative", "qr-shape", 10, "20"),
    ("number-as-big-integer", "qr-shape", 10, "c24101"),
    ("depths-of-33-bytes", "qr-shape", 16, "5821 07*33"),
    ("hash-too-few", "qr-shape", 17, "5820 07*32"),
    ("hash-of-31-bytes", "qr-shape", 17, "581f 07*31"),
    ("log-hash-too-many", "qr-shape", 23, "58a0 07*160"),
    ("no-lines", "qr-shape", 24, "80"),
    ("line-of-67-bytes", "qr-shape", 24, "81 5843 07*67"),
    ("time-before-its-line", "qr-shape", 24, "82 05 5844 07*68"),
    ("two-times-of-one-line", "qr-shape", 24, "83 5844 07*68 05 05"),
    ("texts-as-text", "qr-shape", 25, "60"),
    ("map-as-array", "qr-shape", 26, "80"),
    ("key-as-text", "qr-shape", 26, "a1613101"),
    ("key-zero", "qr-shape", 26, "a10001"),
    ("key-17", "qr-shape", 26, "a11101"),
    ("enterprise-as-boolean", "qr-shape", 26, "a105f5"),
    ("salt-of-31-bytes", "qr-shape", 26, "a102 581f 07*31"),
    ("no-mortgages", "qr-shape", 26, "a10880"),
    ("mortgages-too-many", "qr-shape", 26, "a108 9841 01*65"),
];

// Four lines, as many as the texts have names for, begin 84 or, with a time, 85.
#[rustfmt::skip]
const VALUES: &[Row] = &[
    ("catalogue-version-above-2-53", "qr-value", 8, "1b0020000000000000"),
    ("seq-above-2-53", "qr-value", 10, "1b0020000000000000"),
    ("index-above-2-53", "qr-value", 11, "1b0020000000000000"),
    ("size-above-2-53", "qr-value", 18, "1b0020000000000000"),
    ("epoch-above-2-53", "qr-value", 19, "1b0020000000000000"),
    ("subjects-above-2-53", "qr-value", 21, "1b0020000000000000"),
    ("time-above-63-bits", "qr-value", 5, "1b8000000000000000"),
    ("time-after-9999", "qr-value", 5, "1b0000e677d21fdc00"),
    ("day-in-milliseconds", "qr-value", 6, "1a036ee800"),
    ("day-after-9999", "qr-value", 6, "3a002cc0a2"),
    ("day-too-far-to-count", "qr-value", 6, "3b7fffffffffffffff"),
    ("issued-before-1900", "qr-value", 7, "3963df"),
    ("issued-after-9999", "qr-value", 7, "1a002cc0a1"),
    ("issued-too-far-to-count", "qr-value", 7, "1b7fffffffffffffff"),
    ("identifier-version-of-four-digits", "qr-value", 9, "1903e8"),
    ("issued-before-the-log", "qr-value", 12, "18c8"),
    ("depths-with-a-byte-too-many", "qr-value", 16, "428000"),
    ("size-zero", "qr-value", 18, "00"),
    ("epoch-zero-with-a-previous", "qr-value", 19, "00"),
    ("epoch-without-a-previous", "qr-value", 20, "00"),
    ("previous-before-the-log", "qr-value", 20, "18c8"),
    ("cosigned-before-1970", "qr-value", 24,
     concat!("85 5844 07*68 5844 07*68 5844 07*68 5844 07*68 ", "3affffffff")),
    ("cosigned-too-late", "qr-value", 24,
     concat!("85 5844 07*68 5844 07*68 5844 07*68 5844 07*68 ", "1b001fffffffffffff")),
    ("cosigned-beyond-63-bits", "qr-value", 24, "82 5844 07*68 1bff00000000000000"),
    ("end-after-9999", "qr-value", 26, "a1011b0000e677d21fdc00"),
    ("enterprise-not-one", "qr-value", 26, "a10502"),
    ("enterprise-zero", "qr-value", 26, "a10500"),
    ("state-active", "qr-value", 26, "a10600"),
    ("state-unknown", "qr-value", 26, "a10606"),
    ("no-suspensions", "qr-value", 26, "a10700"),
    ("suspension-unknown", "qr-value", 26, "a10708"),
    ("mortgages-descending", "qr-value", 26, "a108820302"),
    ("pledge-twice", "qr-value", 26, "a10a820303"),
    ("reaffirmed-by-without-index", "qr-value", 26, "a10e 5820 07*32"),
    ("inspection-result-unknown", "qr-value", 26, "a11002"),
];

pub(super) fn bytes_of(row: &str) -> Vec<u8> {
    row.split(' ')
        .flat_map(|token| {
            let (hex, times) = token.split_once('*').unwrap_or((token, "1"));
            unhex(hex).repeat(times.parse().unwrap())
        })
        .collect()
}

fn shapes(items: &Items, refuse: &mut Refuse<'_>) {
    for (name, code, at, row) in SHAPES.iter().chain(VALUES) {
        refuse(name, items.with(*at, &bytes_of(row)), code);
    }
    let form = items.bytes();
    let (inside, most) = (&form[2..], form.len() - 1);
    let without_map = form.len() - items.0[26].len();
    let lines = [&[0x98, 65], bytes_of("5844 07*68").repeat(65).as_slice()].concat();
    for (name, code, form) in [
        ("nothing", "qr-cbor-end", vec![]),
        ("half", "qr-cbor-end", form[..form.len() / 2].to_vec()),
        (
            "without-the-last-byte",
            "qr-cbor-end",
            form[..most].to_vec(),
        ),
        (
            "without-the-map",
            "qr-cbor-end",
            form[..without_map].to_vec(),
        ),
        ("argument-cut", "qr-cbor-end", vec![0x98]),
        (
            "one-byte-more",
            "qr-cbor-trailing",
            [&form[..], &[0]].concat(),
        ),
        ("twice", "qr-cbor-trailing", form.repeat(2)),
        (
            "array-without-length",
            "qr-cbor-form",
            [&[0x9f], inside, &[0xff]].concat(),
        ),
        (
            "array-length-in-three-bytes",
            "qr-cbor-form",
            [&[0x99, 0, 27], inside].concat(),
        ),
        (
            "version-two-of-another-length",
            "qr-version",
            vec![0x82, 2, 1],
        ),
        (
            "item-too-few",
            "qr-shape",
            [&[0x98, 26], &form[2..most]].concat(),
        ),
        (
            "item-too-many",
            "qr-shape",
            [&[0x98, 28], inside, &[0]].concat(),
        ),
        ("a-map", "qr-shape", vec![0xa0]),
        (
            "a-json-text",
            "qr-shape",
            b"{\"format\":\"zhao/v1 dossier\"}".to_vec(),
        ),
        ("lines-too-many", "qr-shape", items.with(24, &lines)),
    ] {
        refuse(name, form, code);
    }
    // What stands there without the entry, said again.
    let issuer = subject_key(ORIGIN, Kind::Issuer, "11320400DEM000014W");
    let key = sha256(&[&items.0[3][2..]]);
    for (name, entry, hash) in [
        ("controller-that-is-the-issuer", "a103", issuer),
        ("latest-by-that-is-the-issuing-key", "a104", key),
        ("reaffirmed-by-the-issuing-key", "a20d010e", key),
    ] {
        let map = [unhex(entry), string(&hash.0)].concat();
        refuse(name, items.with(26, &map), "qr-value");
    }
}

fn joined_texts(items: &Items, texts: &Texts, joined: &[u8], refuse: &mut Refuse<'_>) {
    let mut text = |name: &str, code: &str, joined: &[u8]| {
        refuse(name, items.with(25, &string(&deflate(joined))), code);
    };
    text("no-texts", "qr-texts", &[]);
    text("texts-too-few", "qr-texts", &joined[..60]);
    text(
        "last-text-without-its-end",
        "qr-texts",
        &joined[..joined.len() - 1],
    );
    text(
        "origin-ended-as-an-integer",
        "qr-texts",
        &[b"1\xfe", joined].concat(),
    );
    #[rustfmt::skip]
    let ends: [(&str, &str, &[u8]); 16] = [
        ("name-without-value", "qr-texts", b"zz\xff"),
        ("true-with-a-text", "qr-texts", b"zz\xffx\xfd"),
        ("false-with-a-text", "qr-texts", b"zz\xffx\xfc"),
        ("name-ended-as-true", "qr-texts", b"\xfd1\xff"),
        ("overlong-utf8", "qr-utf8", b"zz\xff\xc0\x80\xff"),
        ("surrogate-in-utf8", "qr-utf8", b"zz\xff\xed\xa0\x80\xff"),
        ("character-cut", "qr-utf8", b"zz\xff\xe6\x98\xff"),
        ("byte-that-utf8-has-not", "qr-utf8", b"zz\xff\xfa\xff"),
        ("integer-with-leading-zero", "qr-value", b"zz\xff01\xfe"),
        ("integer-empty", "qr-value", b"zz\xff\xfe"),
        ("integer-negative", "qr-value", b"zz\xff-1\xfe"),
        ("integer-above-2-53", "qr-value", b"zz\xff9007199254740992\xfe"),
        ("face-names-descending", "qr-value", b"a\xff1\xff"),
        ("face-name-twice", "qr-value", b"zz\xff1\xffzz\xff1\xff"),
        ("face-name-empty", "qr-value", b"\xff1\xff"),
        ("face-name-of-hanzi", "qr-value", b"zz\xe5\x90\x8d\xff1\xff"),
    ];
    for (name, code, end) in ends {
        text(name, code, &[joined, end].concat());
    }

    let mut changed = |name: &str, change: &dyn Fn(&mut Texts)| {
        let mut texts = texts.clone();
        change(&mut texts);
        refuse(name, items.with(25, &string(&texts.bytes())), "qr-value");
    };
    changed("issuer-name-said-twice", &|texts| {
        texts.issuer.clone_from(&texts.authority);
    });
    let mut set = |name: &str, place: fn(&mut Texts) -> &mut String, value: &str| {
        changed(name, &|texts| *place(texts) = value.to_owned());
    };
    set(
        "line-name-that-is-the-origin",
        |texts| &mut texts.lines[0],
        ORIGIN,
    );
    set("line-name-with-a-space", |texts| &mut texts.lines[1], "a b");
    set(
        "line-name-with-a-line",
        |texts| &mut texts.lines[1],
        "a b\n\u{2014} c",
    );
    set("origin-of-two-lines", |texts| &mut texts.origin, "a\n3");
    set("origin-empty", |texts| &mut texts.origin, "");
    set("serial-in-small-letters", |texts| &mut texts.serial, "jy1");
    set("type-code-with-a-dot", |texts| &mut texts.type_code, "1.1");
    set("unit-of-hanzi", |texts| &mut texts.unit, "昭");
    let long = "x".repeat(65_537);
    set(
        "text-too-long-for-json",
        |texts| &mut texts.holder_name,
        &long,
    );
}
