//! Looks for many texts in many bytes at once, in clear and hashed in every way we know.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use zhao_spec::wire::binary::{encode_base64, encode_base64url};
use zhao_spec::wire::sha256;

/// Bytes of a needle that are looked up before the rest is compared.
const KEY: usize = 8;

/// Something found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hit<'a> {
    pub(crate) text: &'a str,
    pub(crate) form: String,
}

/// What is looked for.
pub(crate) struct Needles<'a> {
    texts: Vec<&'a str>,
    origin: &'a str,
    /// First bytes of a needle, number of its text, number of its form; ascending.
    keys: Vec<(u64, u32, u16)>,
    /// One bit for every first bytes there are, folded: most places are passed over by it.
    bits: Vec<u64>,
}

impl<'a> Needles<'a> {
    /// Every form of every text.
    pub(crate) fn new(texts: Vec<&'a str>, origin: &'a str) -> Self {
        let mut keys = Vec::new();
        for (number, text) in (0_u32..).zip(&texts) {
            for (form, (_, bytes)) in (0_u16..).zip(forms(text, origin)) {
                keys.push((key(&bytes).expect("a needle is long enough"), number, form));
            }
        }
        keys.sort_unstable();
        let mut bits = vec![0; 1 << 18];
        for (key, _, _) in &keys {
            let (word, bit) = place(*key);
            bits[word] |= bit;
        }
        Self {
            texts,
            origin,
            keys,
            bits,
        }
    }

    /// Which of them occur in `bytes`, each once.
    pub(crate) fn find(&self, bytes: &[u8]) -> Vec<Hit<'a>> {
        let mut found = BTreeSet::new();
        for (at, window) in bytes.windows(KEY).enumerate() {
            let key = key(window).expect("a window is long enough");
            let (word, bit) = place(key);
            if self.bits[word] & bit == 0 {
                continue;
            }
            let first = self.keys.partition_point(|(other, _, _)| *other < key);
            for (_, text, form) in self.keys[first..].iter().take_while(|entry| entry.0 == key) {
                let name = self.texts[*text as usize];
                if found.contains(&(*text, *form)) {
                    continue;
                }
                let (_, needle) = &forms(name, self.origin)[usize::from(*form)];
                if bytes[at..].starts_with(needle) {
                    found.insert((*text, *form));
                }
            }
        }
        let hit = |(text, form): (u32, u16)| {
            let text = self.texts[text as usize];
            Hit {
                text,
                form: forms(text, self.origin)[usize::from(form)].0.clone(),
            }
        };
        found.into_iter().map(hit).collect()
    }
}

fn key(bytes: &[u8]) -> Option<u64> {
    bytes
        .first_chunk::<KEY>()
        .map(|chunk| u64::from_be_bytes(*chunk))
}

fn place(key: u64) -> (usize, u64) {
    let mixed = key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    (
        usize::try_from(mixed >> 6).expect("18 bits"),
        1 << (mixed & 63),
    )
}

/// Every form in which `text` must not occur: name and bytes.
pub(crate) fn forms(text: &str, origin: &str) -> Vec<(String, Vec<u8>)> {
    let clear = text.as_bytes();
    let mut forms = vec![
        ("clear".to_owned(), clear.to_vec()),
        ("clear hex".to_owned(), hex(clear).into_bytes()),
        ("clear base64".to_owned(), whole(encode_base64(clear))),
        ("clear base64url".to_owned(), whole(encode_base64url(clear))),
        ("clear escaped".to_owned(), escaped(text).into_bytes()),
        (
            "clear utf-16be".to_owned(),
            text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        ),
        (
            "clear utf-16le".to_owned(),
            text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        ),
    ];
    // The middle of a hash is enough, so that one cut short or given another first byte, as subject
    // keys are, is found too. Bytes 3 to 15 are whole groups of base64.
    let mut add = |name: &str, hash: &[u8; 32]| {
        let part = &hash[3..15];
        forms.push((format!("{name} raw"), part.to_vec()));
        forms.push((format!("{name} hex"), hex(part).into_bytes()));
        forms.push((format!("{name} HEX"), hex(part).to_uppercase().into_bytes()));
        forms.push((format!("{name} base64"), encode_base64(part).into_bytes()));
        forms.push((
            format!("{name} base64url"),
            encode_base64url(part).into_bytes(),
        ));
    };
    let mut both = |name: &str, parts: &[&[u8]]| {
        let of = if name.is_empty() {
            String::new()
        } else {
            format!(" of {name}")
        };
        add(&format!("SHA-256{of}"), sha256(parts).as_bytes());
        add(
            &format!("BLAKE3{of}"),
            blake3::hash(&parts.concat()).as_bytes(),
        );
    };
    both("", &[clear]);
    for byte in 0..=3_u8 {
        both(&format!("{byte:02x}"), &[&[byte], clear]);
    }
    for prefix in prefixes() {
        both(&format!("{prefix:?}"), &[prefix.as_bytes(), clear]);
        both(&format!("{prefix:?} 00"), &[prefix.as_bytes(), &[0], clear]);
        both(
            &format!("{prefix:?} 0a"),
            &[prefix.as_bytes(), b"\n", clear],
        );
        // A salt of zeros is none.
        both(
            &format!("{prefix:?} 00 zeros"),
            &[prefix.as_bytes(), &[0; 33], clear],
        );
    }
    both("origin 00", &[origin.as_bytes(), &[0], clear]);
    for kind in [
        "licence",
        "issuer",
        "licence-type",
        "enterprise",
        "registry",
        "seal",
    ] {
        let start = ["zhao/v1 subject", origin, kind, ""].join("\0");
        add(
            &format!("subject {kind}"),
            sha256(&[start.as_bytes(), clear]).as_bytes(),
        );
    }
    // What is shorter would be found by chance.
    forms.retain(|(_, bytes)| bytes.len() >= KEY);
    forms
}

/// The prefixes that the specification's pages put before what they hash or sign.
fn prefixes() -> &'static [String] {
    static PREFIXES: OnceLock<Vec<String>> = OnceLock::new();
    PREFIXES.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec");
        let mut found: BTreeSet<String> = ["zhao/v1 reason", "zhao/v1 basis"]
            .map(str::to_owned)
            .into();
        for entry in fs::read_dir(folder).expect("the specification") {
            let path = entry.expect("a page").path();
            if path.extension().is_some_and(|extension| extension == "md") {
                let page = fs::read_to_string(path).expect("a page is text");
                for (at, _) in page.match_indices("\"zhao/v1 ") {
                    let quoted = page[at + 1..].split('"').next().unwrap_or_default();
                    found.insert(quoted.trim_end_matches("\\n").trim_end().to_owned());
                }
            }
        }
        for expected in [
            "subject",
            "enterprise",
            "event",
            "event id",
            "type commitment",
        ] {
            assert!(
                found.contains(&format!("zhao/v1 {expected}")),
                "{expected}: {found:?}"
            );
        }
        found.into_iter().collect()
    })
}

/// Base64 without its last group, which depends on what follows.
fn whole(text: String) -> Vec<u8> {
    let text = text.trim_end_matches('=');
    text.as_bytes()[..text.len() / 4 * 4].to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As a JSON writer that knows ASCII only would write it.
fn escaped(text: &str) -> String {
    let escape = |unit: u16| match u8::try_from(unit) {
        Ok(byte) if byte.is_ascii() => char::from(byte).to_string(),
        _ => format!("\\u{unit:04x}"),
    };
    text.encode_utf16().map(escape).collect()
}
