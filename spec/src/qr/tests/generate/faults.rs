//! Forms with two things wrong: the error is the first in the order of reading.

use super::super::super::texts::deflate;
use super::forms::{Items, Refuse, bytes_of, string};

/// Two items changed: name, code, which and their bytes, the first fault first.
type Row = (&'static str, &'static str, [(usize, &'static str); 2]);

// Four lines, as many as the texts have names for, begin 84 or, with a time, 85.
#[rustfmt::skip]
const ITEMS: &[Row] = &[
    ("version-two-then-a-short-id", "qr-version", [(0, "02"), (2, "4107")]),
    ("dictionary-two-then-a-short-id", "qr-dictionary", [(1, "02"), (2, "4107")]),
    ("time-after-9999-then-a-short-hash", "qr-value",
     [(13, "1b0000e677d21fdc00"), (15, "4107")]),
    ("day-in-milliseconds-then-a-short-hash", "qr-value", [(6, "1a036ee800"), (15, "4107")]),
    ("issued-before-1900-then-a-short-hash", "qr-value", [(7, "3963df"), (15, "4107")]),
    ("issued-after-9999-then-a-text", "qr-value", [(7, "1a002cc0a1"), (8, "6131")]),
    ("seq-above-2-53-then-a-text", "qr-value", [(10, "1b0020000000000000"), (11, "6131")]),
    ("identifier-version-1000-then-a-short-hash", "qr-value", [(9, "1903e8"), (15, "4107")]),
    ("identifier-version-1000-then-a-text", "qr-value", [(9, "1903e8"), (10, "6131")]),
    ("short-hash-then-size-zero", "qr-shape", [(15, "4107"), (18, "00")]),
    ("depths-with-a-byte-too-many-then-no-hashes", "qr-value", [(16, "428000"), (17, "40")]),
    ("size-zero-then-a-text", "qr-value", [(18, "00"), (19, "6131")]),
    ("issued-before-the-log-then-a-short-hash", "qr-shape", [(12, "18c8"), (15, "4107")]),
    ("epoch-without-a-previous-then-no-lines", "qr-shape", [(20, "00"), (24, "80")]),
    ("previous-before-the-log-then-no-lines", "qr-shape", [(20, "18c8"), (24, "80")]),
    ("cosigned-2-53-later-then-a-text", "qr-value",
     [(24, "82 5844 07*68 1b0020000000000000"), (25, "6131")]),
    ("cosigned-2-53-earlier-then-a-text", "qr-value",
     [(24, "82 5844 07*68 3b001fffffffffffff"), (25, "6131")]),
    ("cosigned-2-53-later-then-a-short-line", "qr-value",
     [(24, "83 5844 07*68 1b0020000000000000 4107"), (25, "40")]),
    ("cosigned-just-below-2-53-later-then-a-text", "qr-shape",
     [(24, "82 5844 07*68 1b001fffffffffffff"), (25, "6131")]),
    ("cosigned-just-below-2-53-earlier-then-a-text", "qr-shape",
     [(24, "82 5844 07*68 3b001ffffffffffffe"), (25, "6131")]),
    ("cosigned-before-1970-then-no-stream", "qr-inflate",
     [(24, "82 5844 07*68 3affffffff"), (25, "40")]),
    ("no-stream-then-state-unknown", "qr-value", [(25, "40"), (26, "a10606")]),
    ("no-stream-then-a-short-controller", "qr-shape", [(25, "40"), (26, "a1034107")]),
    ("no-stream-then-reaffirmed-by-without-index", "qr-inflate",
     [(25, "40"), (26, "a10e 5820 07*32")]),
    ("state-unknown-then-keys-descending", "qr-value", [(1, "01"), (26, "a206060501")]),
    ("reaffirmed-by-without-index-then-a-text", "qr-shape",
     [(1, "01"), (26, "a20e 5820 07*32 0f6131")]),
    ("key-17-that-descends", "qr-cbor-form", [(1, "01"), (26, "a2 10 00 10 00")]),
    ("key-zero-then-key-twice", "qr-shape", [(1, "01"), (26, "a200000000")]),
];

/// Texts put behind the others: name, code, bytes.
#[rustfmt::skip]
const TEXTS: &[(&str, &str, &[u8])] = &[
    ("not-utf8-then-no-end", "qr-utf8", b"zz\xff\xe5(\xffzzz"),
    ("no-end-of-what-is-not-utf8", "qr-texts", b"zz\xff\xe5("),
    ("not-utf8-then-another-end", "qr-utf8", b"zz\xff\xe5(\xffzzz\xfe"),
    ("another-end-then-not-utf8", "qr-texts", b"zz\xfezzz\xff\xe5(\xff"),
    ("name-that-is-not-utf8-with-another-end", "qr-utf8", b"\xe5(\xfe"),
    ("not-utf8-where-nothing-may-stand", "qr-utf8", b"zz\xff\xe5(\xfd"),
    ("integer-with-leading-zero-then-not-utf8", "qr-utf8", b"zz\xff01\xfezzz\xff\xe5(\xff"),
    ("integer-above-2-53-then-no-end", "qr-texts", b"zz\xff9007199254740992\xfezzz"),
    ("integer-empty-then-another-end", "qr-texts", b"zz\xff\xfezzz\xfd"),
    ("name-empty-then-true-with-a-text", "qr-texts", b"\xff1\xffzz\xffx\xfd"),
    ("names-descending-then-not-utf8", "qr-utf8", b"zz\xff1\xffa\xff\xe5(\xff"),
];

pub(super) fn two(items: &Items, joined: &[u8], refuse: &mut Refuse<'_>) {
    let with = |changes: &[(usize, &str)]| {
        let mut items = items.clone();
        for (at, row) in changes {
            items.0[*at] = bytes_of(row);
        }
        items
    };
    for (name, code, changes) in ITEMS {
        refuse(name, with(changes).bytes(), code);
    }
    for (name, code, texts) in TEXTS {
        let stream = deflate(&[joined, texts].concat());
        refuse(name, items.with(25, &string(&stream)), code);
    }
    let other_texts = |joined: &[u8], at: usize, row: &str| {
        let changed = with(&[(at, row)]);
        changed.with(25, &string(&deflate(joined)))
    };
    let (line, form) = (bytes_of("5844 07*68"), items.bytes());
    let cut = |head: &[u8], lines: usize| {
        let before = &items.0[..24].concat();
        [&[0x98, 27], before.as_slice(), head, &line.repeat(lines)].concat()
    };
    let length = |head: &[u8]| [head, &form[2..]].concat();
    for (name, code, form) in [
        ("version-alone", "qr-shape", vec![0x81, 1]),
        ("two-items-and-dictionary-two", "qr-shape", vec![0x82, 1, 2]),
        (
            "two-items-and-dictionary-as-text",
            "qr-shape",
            vec![0x82, 1, 0x60],
        ),
        ("two-items-and-no-dictionary", "qr-shape", vec![0x82, 1]),
        (
            "two-items-and-version-as-text",
            "qr-shape",
            vec![0x82, 0x60],
        ),
        ("two-items-and-no-version", "qr-cbor-end", vec![0x82]),
        ("no-items-and-version-two", "qr-version", vec![0x80, 2]),
        ("28-items-then-the-end", "qr-shape", length(&[0x98, 28])),
        ("65536-items", "qr-shape", length(&[0x9a, 0, 1, 0, 0])),
        ("129-lines-then-the-end", "qr-shape", cut(&[0x98, 129], 0)),
        (
            "128-lines-then-the-end",
            "qr-cbor-end",
            cut(&[0x98, 128], 0),
        ),
        (
            "65-lines-of-which-64-are-there",
            "qr-cbor-end",
            cut(&[0x98, 65], 64),
        ),
        (
            "65-lines-the-last-of-them-short",
            "qr-shape",
            [cut(&[0x98, 65], 64), vec![0x41]].concat(),
        ),
        (
            "one-byte-more-and-no-stream",
            "qr-cbor-trailing",
            [items.with(25, &[0x40]), vec![0]].concat(),
        ),
        (
            "too-few-texts-and-issued-before-the-log",
            "qr-texts",
            other_texts(&joined[..60], 12, "18c8"),
        ),
        (
            "origin-of-two-lines-and-no-end",
            "qr-texts",
            other_texts(&[b"a\n3\xff", &joined[..60]].concat(), 12, "00"),
        ),
        (
            "not-utf8-and-epoch-without-a-previous",
            "qr-utf8",
            other_texts(&[b"\xe5(\xff", joined].concat(), 20, "00"),
        ),
    ] {
        refuse(name, form, code);
    }
}
