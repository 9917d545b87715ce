//! QR forms changed at random, from a seed: their bytes, their items, their texts, the stream of
//! these. Many changes keep what is around them in order, so that they are seen.

use serde_json::Value;
use zhao_spec::file::Dossier;
use zhao_spec::qr;
use zhao_spec::wire::json;
use zhao_verifier::{TrustPolicy, verify};

use super::mutants::{Dice, Mutant, raw};
use super::{at, cases};

/// A usable form that mutants are made from.
pub struct OriginalForm {
    pub name: String,
    pub at: String,
    pub(super) bytes: Vec<u8>,
    /// The 27 items, each as its bytes.
    items: Vec<Vec<u8>>,
    /// What the texts inflate to.
    texts: Vec<u8>,
}

/// What mutants are made of, and what they are judged by.
pub struct FormNursery {
    pub originals: Vec<OriginalForm>,
    pub policy: String,
    pub trust: String,
    pub pack: Vec<u8>,
}

/// Items put in the place of others, in hexadecimal.
const ITEMS: &str = "
    00 01 02 05 06 07 08 17 1817 1818 20 21 3817 1903e7 1903e8 1a0001516f 1a002cc0a0
    1a002cc0a1 3963de 3963df 1a036ee800 1b001fffffffffffff 1b0020000000000000
    3b001ffffffffffffe 3b001fffffffffffff 1b7fffffffffffffff 1bffffffffffffffff
    3bffffffffffffffff 1b0000e677d21fdbff 1b0000e677d21fdc00 3a002cc0a1 3a002cc0a2 1c 1f 3f
    40 4100 4101 4180 428000 420180 5f 5bffffffffffffffff 60 6131 80 8101 9f a0 a10502
    a10501 bf c101 f5 f6 f97e00 ff
";

/// Texts put in the place of others.
#[rustfmt::skip]
const TEXTS: &[&[u8]] = &[
    b"", b" ", b"a b", b"+", b"a+b", b"a\nb", b"0", b"7", b"01", b"-1", b"9007199254740991",
    b"9007199254740992", b"99999999999999999999", b"A", b"JY1", b"jy1", b"1.1", b"\xe6\x98\xad",
    b"\xe5(", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xef\xbb\xbfa", b"\xc2\xa0",
    b"\xe3\x80\x80", b"\x00", b"\x7f", b"\"\\", b"USCC", b"zhao.example/changzhou", b"zz",
    b"__proto__",
];

impl FormNursery {
    /// Every usable dossier of the vectors under the common policy and one issuer pack.
    pub fn new() -> Self {
        let vectors = cases::all();
        let of = |path: &str| vectors.iter().find(|vector| vector.path == path).unwrap();
        let common = of("verify/valid");
        let packs = of("verify/pack").cases.iter();
        let mut packs = packs.filter(|case| case.verdict == "valid");
        let mut nursery = Self {
            originals: Vec::new(),
            policy: common.policy.clone(),
            trust: common.trust.clone(),
            pack: packs.find_map(|case| case.pack.clone()).unwrap(),
        };
        let policy = TrustPolicy::load(&nursery.policy, &nursery.trust).unwrap();
        for vector in &vectors {
            if vector.policy != nursery.policy || vector.trust != nursery.trust {
                continue;
            }
            for case in &vector.cases {
                let Ok(mut dossier) = Dossier::parse(json::without_newline(&case.file)) else {
                    continue;
                };
                dossier.authorities = None;
                let Ok(bytes) = qr::encode(&dossier) else {
                    continue;
                };
                let when = case.at.as_ref().unwrap_or(&vector.at);
                let verdict = verify(&bytes, &policy, Some(&nursery.pack), at(when), None);
                if verdict.status().is_usable() {
                    let name = format!("{}: {}", vector.path, case.name);
                    nursery.take(name, when.clone(), bytes, &dossier.bytes());
                }
            }
        }
        assert!(nursery.originals.len() > 20, "{}", nursery.originals.len());
        nursery
    }

    fn take(&mut self, name: String, at: String, bytes: Vec<u8>, json: &[u8]) {
        let original = OriginalForm {
            name,
            at,
            items: items(&bytes),
            bytes,
            texts: texts(&serde_json::from_slice(json).unwrap()),
        };
        // The same texts in another stream are the same dossier.
        let mut items = original.items.clone();
        items[25] = string(&stored(&original.texts));
        assert_eq!(qr::expand(&form(&items)).unwrap(), json);
        self.originals.push(original);
    }

    /// The mutant of that number.
    pub fn mutant(&self, number: u64) -> Mutant {
        let mut dice = Dice::of(!number);
        let original = dice.below(self.originals.len());
        let start = &self.originals[original];
        let mut items = start.items.clone();
        let kind = dice.below(20);
        match kind {
            0..=2 => {
                let bytes = raw(&start.bytes, &mut dice);
                return Mutant { original, bytes };
            }
            3..=5 => {
                let stream = match dice.below(2) {
                    0 => raw(content(&items[25]), &mut dice),
                    _ => any_stream(&mut dice),
                };
                items[25] = string(&stream);
            }
            _ => {}
        }
        // Of both, sometimes: of two faults the first is the error.
        if kind > 12 {
            let mut texts = start.texts.clone();
            for _ in 0..=dice.below(4) / 3 {
                texts = change_texts(&texts, &mut dice);
            }
            items[25] = string(&stored(&texts));
        }
        if kind > 5 && kind < 15 {
            self.change_items(start, &mut items, &mut dice);
        }
        let mut bytes = form(&items);
        if dice.below(50) == 0 {
            bytes[1] = u8::try_from(dice.below(64)).unwrap();
        }
        if dice.below(60) == 0 {
            let more = [1, 2, 64, 65_536][dice.below(4)];
            bytes.resize(bytes.len() + more, 0);
        }
        if dice.below(40) == 0 {
            bytes = raw(&bytes, &mut dice);
        }
        Mutant { original, bytes }
    }

    fn change_items(&self, start: &OriginalForm, items: &mut Vec<Vec<u8>>, dice: &mut Dice) {
        for _ in 0..=dice.below(4) / 3 {
            let place = dice.below(items.len());
            let last = items.len() - 1;
            match dice.below(10) {
                0 => items[place] = any_item(dice),
                1 => items[place] = integer(dice),
                2 => {
                    let donor = &self.originals[dice.below(self.originals.len())];
                    items[place] = donor.items[place.min(26)].clone();
                }
                3 if dice.below(4) == 0 => drop(items.remove(place)),
                3 => items.swap(place, dice.below(last + 1)),
                4 if items.len() == 27 => items[24] = lines(&start.items[24], dice),
                5 | 6 if items.len() == 27 => items[26] = map(&start.items[3], dice),
                7 if items[place][0] >> 5 == 2 => {
                    let mut own = content(&items[place]).to_vec();
                    match dice.below(3) {
                        0 => own.truncate(own.len().saturating_sub(1 + dice.below(32))),
                        1 => own.extend(vec![7; 1 + dice.below(32)]),
                        _ => own.iter_mut().take(1).for_each(|byte| *byte ^= 1),
                    }
                    items[place] = string(&own);
                }
                // Numbers that differ little mostly still mean something.
                _ => {
                    let numbers = [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 18, 19, 20, 21, 22];
                    let place = numbers[dice.below(numbers.len())].min(last);
                    if let Some(byte) = items[place].last_mut() {
                        *byte ^= 1 << dice.below(3);
                    }
                }
            }
        }
    }
}

/// The items of a form that the writer made.
fn items(form: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = &form[2..];
    let mut items = Vec::new();
    while !rest.is_empty() {
        let (item, after) = rest.split_at(length(rest));
        items.push(item.to_vec());
        rest = after;
    }
    assert_eq!(items.len(), 27);
    items
}

/// Bytes of the item at the beginning.
fn length(bytes: &[u8]) -> usize {
    let head = head(bytes);
    let argument = bytes[1..head]
        .iter()
        .fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
    let argument = if head == 1 {
        usize::from(bytes[0] & 0x1f)
    } else {
        argument
    };
    match bytes[0] >> 5 {
        0 | 1 => head,
        2 => head + argument,
        major => (0..argument * if major == 5 { 2 } else { 1 })
            .fold(head, |at, _| at + length(&bytes[at..])),
    }
}

/// Bytes of an item before its content.
fn head(bytes: &[u8]) -> usize {
    match bytes[0] & 0x1f {
        short @ 24..=27 => 1 + (1 << (short - 24)),
        _ => 1,
    }
}

/// What a byte string holds.
fn content(item: &[u8]) -> &[u8] {
    &item[head(item)..]
}

fn form(items: &[Vec<u8>]) -> Vec<u8> {
    let count = u8::try_from(items.len()).unwrap();
    let head = if count < 24 {
        vec![0x80 | count]
    } else {
        vec![0x98, count]
    };
    [head, items.concat()].concat()
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

/// A stored block, the last.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    let lengths = [length.to_le_bytes(), (!length).to_le_bytes()].concat();
    [&[1], lengths.as_slice(), bytes].concat()
}

fn unhex(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.map(byte).collect()
}

fn any_item(dice: &mut Dice) -> Vec<u8> {
    match dice.below(8) {
        0 => string(&vec![7; [16, 31, 32, 33, 64, 68][dice.below(6)]]),
        _ => {
            let items: Vec<&str> = ITEMS.split_whitespace().collect();
            unhex(items[dice.below(items.len())])
        }
    }
}

/// A last block of some type and random bits, mostly zeros so that its codes are short ones.
fn any_stream(dice: &mut Dice) -> Vec<u8> {
    let count = 1 + dice.below(80);
    let mut byte = || u8::try_from(dice.next() & dice.next() & 0xff).unwrap();
    let mut stream: Vec<u8> = (0..count).map(|_| byte()).collect();
    stream[0] = stream[0] & !7 | [1, 3, 5, 5, 4][dice.below(5)];
    stream
}

/// An integer of any length, in its shortest form.
fn integer(dice: &mut Dice) -> Vec<u8> {
    let number = dice.next() >> dice.below(64);
    let bytes = number.to_be_bytes();
    let major = if dice.below(3) == 0 { 0x20 } else { 0 };
    match number {
        0..24 => vec![major | bytes[7]],
        24..0x100 => vec![major | 24, bytes[7]],
        0x100..0x1_0000 => [&[major | 25], &bytes[6..]].concat(),
        0x1_0000..0x1_0000_0000 => [&[major | 26], &bytes[4..]].concat(),
        _ => [&[major | 27], bytes.as_slice()].concat(),
    }
}

/// Signature lines, some of them those that were there.
fn lines(own: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut entries = Vec::new();
    let mut rest = &own[head(own)..];
    while !rest.is_empty() {
        let (entry, after) = rest.split_at(length(rest));
        entries.push(entry.to_vec());
        rest = after;
    }
    for _ in 0..=dice.below(3) {
        let at = dice.below(entries.len() + 1);
        match dice.below(4) {
            0 => entries.insert(at, integer(dice)),
            1 => entries.insert(at, string(&[7; 68])),
            2 if at < entries.len() => entries[at] = any_item(dice),
            _ if at < entries.len() => drop(entries.remove(at)),
            _ => entries.push(vec![u8::try_from(dice.below(48)).unwrap()]),
        }
    }
    // Sometimes very many, or fewer than are said to follow.
    let more = [0, 0, 0, 0, 0, 0, 64, 128][dice.below(8)];
    entries.extend(vec![string(&[7; 68]); more]);
    let said = (entries.len() + [0, 0, 0, 0, 0, 1, 64][dice.below(7)]).min(255);
    let count = u8::try_from(said).unwrap();
    let head = if count < 24 {
        vec![0x80 | count]
    } else {
        vec![0x98, count]
    };
    [head, entries.concat()].concat()
}

/// A map of the entries that may be there, with what may mostly stand there.
fn map(issuer_key: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut entries = Vec::new();
    for key in 1..=17_u8 {
        if dice.below(6) > 0 || (key == 17 && dice.below(4) > 0) {
            continue;
        }
        let small = |dice: &mut Dice, below: usize| vec![u8::try_from(dice.below(below)).unwrap()];
        let value = match key {
            _ if dice.below(8) == 0 => any_item(dice),
            1 | 15 => unhex(["394fff", "1b0000019abcdef012", "394ffe"][dice.below(3)]),
            // The issuing key's thumbprint is what would be derived.
            4 | 14 if dice.below(2) == 0 => {
                string(&zhao_spec::wire::sha256(&[content(issuer_key)]).0)
            }
            2 | 3 | 4 | 11 | 12 | 14 => string(&[7; 32]),
            8..=10 => [vec![0x82], small(dice, 3), small(dice, 6)].concat(),
            _ => small(dice, 9),
        };
        entries.push([vec![key], value].concat());
        if dice.below(20) == 0 {
            entries.reverse();
        }
    }
    let count = u8::try_from(entries.len()).unwrap();
    [vec![0xa0 | count], entries.concat()].concat()
}

/// The texts of a dossier, one after the other.
fn texts(dossier: &Value) -> Vec<u8> {
    let credential = &dossier["credential"];
    let (subject, issuer) = (&credential["credentialSubject"], &credential["issuer"]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let origin = text(&credential["credentialStatus"]["origin"]);
    let identifier = text(&subject["licenceIdentifier"]);
    let serial = identifier.rsplit('.').nth(2).unwrap();
    let authority = text(&subject["issuingAuthorityName"]);
    let without = |usual: &str, own: String| if own == usual { String::new() } else { own };
    let mut all = vec![
        origin.clone(),
        text(&subject["licenceTypeCode"]),
        text(&subject["issuingAuthorityCode"]),
        serial.to_owned(),
        text(&subject["licenceNumber"]),
        text(&subject["licenceName"]),
        authority.clone(),
        without(&authority, text(&issuer["name"])),
        text(&subject["holderCodeType"]),
        text(&subject["holderCode"]),
        text(&subject["holderName"]),
    ];
    for line in text(&dossier["head"]["proof"]).lines() {
        if let Some(line) = line.strip_prefix("\u{2014} ") {
            let (name, _) = line.split_once(' ').unwrap();
            all.push(without(&origin, name.to_owned()));
        }
    }
    let mut joined = Vec::new();
    let mut push = |text: &str, end: u8| {
        joined.extend_from_slice(text.as_bytes());
        joined.push(end);
    };
    all.iter().for_each(|text| push(text, 0xff));
    for (name, value) in subject["faceData"].as_object().unwrap() {
        push(name, 0xff);
        match value {
            Value::Bool(own) => push("", if *own { 0xfd } else { 0xfc }),
            Value::Number(own) => push(&own.to_string(), 0xfe),
            own => push(own.as_str().unwrap(), 0xff),
        }
    }
    joined
}

/// Texts with one of them, or its end, another one, left out, repeated, or put in.
fn change_texts(joined: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut pieces: Vec<Vec<u8>> = joined
        .split_inclusive(|byte| *byte >= 0xfc)
        .map(<[u8]>::to_vec)
        .collect();
    if pieces.is_empty() {
        return raw(&[0xff], dice);
    }
    let place = dice.below(pieces.len());
    let end = [0xff, 0xff, 0xff, 0xfe, 0xfd, 0xfc, 0xfb][dice.below(7)];
    let some = |dice: &mut Dice| TEXTS[dice.below(TEXTS.len())].to_vec();
    match dice.below(9) {
        0 | 1 => pieces[place] = [some(dice), vec![end]].concat(),
        2 => *pieces[place].last_mut().unwrap() = end,
        3 => drop(pieces.remove(place)),
        4 => pieces.insert(place, pieces[place].clone()),
        5 => pieces.truncate(place + 1),
        // A member of the face data after the others.
        6 => {
            let name: &[u8] = [b"zz\xff".as_slice(), b"zzz\xff", b"a\xff", b"\xff"][dice.below(4)];
            pieces.push([name, &some(dice), &[end]].concat());
        }
        7 => pieces[place] = raw(&pieces[place], dice),
        _ => return raw(joined, dice),
    }
    pieces.concat()
}
