//! Canonical bytes straight from typed structures. Prose: `spec/json.md`.
//!
//! Members are given in the order they stand in: a name that does not ascend is our bug and stops
//! the program, because bytes that no reader accepts must never be signed.

use super::binary;
use super::hash::Hash;
use super::json::{Value, is_name};
use super::limits;
use super::signature::PublicKey;
use super::time::UnixMillis;

/// Room for nearly every record, bytes.
const OBJECT_CAPACITY: usize = 1_024;

/// Writes one object onto `out`.
pub fn object(out: &mut Vec<u8>, fill: impl FnOnce(&mut ObjectWriter<'_>)) {
    out.push(b'{');
    let mut writer = ObjectWriter { out, last: None };
    fill(&mut writer);
    writer.out.push(b'}');
}

/// Writes one array onto `out`.
pub fn array(out: &mut Vec<u8>, fill: impl FnOnce(&mut ArrayWriter<'_>)) {
    out.push(b'[');
    let mut writer = ArrayWriter { out, empty: true };
    fill(&mut writer);
    writer.out.push(b']');
}

/// The bytes of one object.
#[must_use]
pub fn object_bytes(fill: impl FnOnce(&mut ObjectWriter<'_>)) -> Vec<u8> {
    let mut out = Vec::with_capacity(OBJECT_CAPACITY);
    object(&mut out, fill);
    out
}

/// Writes one value onto `out`.
pub fn value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Bool(b) => boolean(out, *b),
        Value::Int(n) => integer(out, *n),
        Value::Text(text) => string(out, text),
        Value::Array(items) => array(out, |a| {
            for item in items {
                a.value(item);
            }
        }),
        Value::Object(members) => object(out, |o| {
            for (name, value) in members {
                o.value(name, value);
            }
        }),
    }
}

/// Writes one text with the escapes of RFC 8785 §3.2.2.2 and no others.
pub fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| needs_escape(*byte)) {
        let (plain, escaped) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((byte, after)) = escaped.split_first() else {
            break;
        };
        escape(out, *byte);
        rest = after;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn escape(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        0x08 => out.extend_from_slice(b"\\b"),
        b'\t' => out.extend_from_slice(b"\\t"),
        b'\n' => out.extend_from_slice(b"\\n"),
        0x0c => out.extend_from_slice(b"\\f"),
        b'\r' => out.extend_from_slice(b"\\r"),
        _ => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
    }
}

/// Writes a text that needs no escapes.
fn plain(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    out.extend_from_slice(text);
    out.push(b'"');
}

fn base64url(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    binary::push_base64url(out, bytes);
    out.push(b'"');
}

fn boolean(out: &mut Vec<u8>, b: bool) {
    out.extend_from_slice(if b { b"true" } else { b"false" });
}

fn integer(out: &mut Vec<u8>, n: u64) {
    assert!(n <= limits::INTEGER, "integer {n} is above 2^53 - 1");
    let mut digits = [0; 16];
    let (mut left, mut at) = (n, digits.len());
    // 2^53 − 1 has 16 digits.
    for place in digits.iter_mut().rev() {
        *place = decimal_digit(left);
        left /= 10;
        at = at.saturating_sub(1);
        if left == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(at..).unwrap_or_default());
}

/// The last decimal digit of `n`.
fn decimal_digit(n: u64) -> u8 {
    u8::try_from(n % 10).unwrap_or(0).wrapping_add(b'0')
}

fn instant(out: &mut Vec<u8>, time: UnixMillis) {
    let text = time
        .text()
        .unwrap_or_else(|| panic!("instant {} is after the year 9999", time.0));
    plain(out, &text);
}

fn public_key(out: &mut Vec<u8>, key: &PublicKey) {
    key.with_multibase(|text| plain(out, text.as_bytes()));
}

/// Writes the members of one object.
#[derive(Debug)]
pub struct ObjectWriter<'a> {
    out: &'a mut Vec<u8>,
    /// Where the last name begins and ends in `out`.
    last: Option<(usize, usize)>,
}

impl ObjectWriter<'_> {
    /// Writes the name and hands out the place for its value.
    fn name(&mut self, name: &str) -> &mut Vec<u8> {
        assert!(is_name(name), "{name:?} cannot be a member name");
        if let Some((start, end)) = self.last {
            let last = self
                .out
                .get(start..end)
                .expect("the last name is in the output");
            assert!(
                last < name.as_bytes(),
                "member name {name:?} does not ascend"
            );
            self.out.push(b',');
        }
        let start = self.out.len().saturating_add(1);
        self.last = Some((start, start.saturating_add(name.len())));
        plain(self.out, name.as_bytes());
        self.out.push(b':');
        self.out
    }

    /// How many bytes the output holds so far.
    #[must_use]
    pub fn position(&self) -> usize {
        self.out.len()
    }

    /// A text member.
    pub fn text(&mut self, name: &str, text: &str) -> &mut Self {
        string(self.name(name), text);
        self
    }

    /// An integer member, at most 2^53 − 1.
    pub fn int(&mut self, name: &str, n: u64) -> &mut Self {
        integer(self.name(name), n);
        self
    }

    /// A boolean member.
    pub fn bool(&mut self, name: &str, b: bool) -> &mut Self {
        boolean(self.name(name), b);
        self
    }

    /// A hash, base64url.
    pub fn hash(&mut self, name: &str, hash: &Hash) -> &mut Self {
        base64url(self.name(name), hash.as_bytes());
        self
    }

    /// Bytes, base64url.
    pub fn bytes(&mut self, name: &str, bytes: &[u8]) -> &mut Self {
        base64url(self.name(name), bytes);
        self
    }

    /// An instant, RFC 3339 UTC with milliseconds.
    pub fn time(&mut self, name: &str, time: UnixMillis) -> &mut Self {
        instant(self.name(name), time);
        self
    }

    /// A public key, multibase.
    pub fn key(&mut self, name: &str, key: &PublicKey) -> &mut Self {
        public_key(self.name(name), key);
        self
    }

    /// An object member.
    pub fn object(&mut self, name: &str, fill: impl FnOnce(&mut ObjectWriter<'_>)) -> &mut Self {
        object(self.name(name), fill);
        self
    }

    /// An array member.
    pub fn array(&mut self, name: &str, fill: impl FnOnce(&mut ArrayWriter<'_>)) -> &mut Self {
        array(self.name(name), fill);
        self
    }

    /// A member whose value is at hand already.
    pub fn value(&mut self, name: &str, member: &Value) -> &mut Self {
        value(self.name(name), member);
        self
    }

    /// A member whose canonical bytes are at hand already.
    pub fn raw(&mut self, name: &str, canonical: &[u8]) -> &mut Self {
        self.name(name).extend_from_slice(canonical);
        self
    }
}

/// Writes the elements of one array.
#[derive(Debug)]
pub struct ArrayWriter<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

impl ArrayWriter<'_> {
    /// Writes the comma, if one is needed, and hands out the place for the element.
    fn next(&mut self) -> &mut Vec<u8> {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        self.out
    }

    /// A text element.
    pub fn text(&mut self, text: &str) -> &mut Self {
        string(self.next(), text);
        self
    }

    /// An integer element, at most 2^53 − 1.
    pub fn int(&mut self, n: u64) -> &mut Self {
        integer(self.next(), n);
        self
    }

    /// A boolean element.
    pub fn bool(&mut self, b: bool) -> &mut Self {
        boolean(self.next(), b);
        self
    }

    /// A hash, base64url.
    pub fn hash(&mut self, hash: &Hash) -> &mut Self {
        base64url(self.next(), hash.as_bytes());
        self
    }

    /// Bytes, base64url.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        base64url(self.next(), bytes);
        self
    }

    /// An instant, RFC 3339 UTC with milliseconds.
    pub fn time(&mut self, time: UnixMillis) -> &mut Self {
        instant(self.next(), time);
        self
    }

    /// A public key, multibase.
    pub fn key(&mut self, key: &PublicKey) -> &mut Self {
        public_key(self.next(), key);
        self
    }

    /// An object element.
    pub fn object(&mut self, fill: impl FnOnce(&mut ObjectWriter<'_>)) -> &mut Self {
        object(self.next(), fill);
        self
    }

    /// An array element.
    pub fn array(&mut self, fill: impl FnOnce(&mut ArrayWriter<'_>)) -> &mut Self {
        array(self.next(), fill);
        self
    }

    /// An element that is at hand already.
    pub fn value(&mut self, element: &Value) -> &mut Self {
        value(self.next(), element);
        self
    }

    /// An element whose canonical bytes are at hand already.
    pub fn raw(&mut self, canonical: &[u8]) -> &mut Self {
        self.next().extend_from_slice(canonical);
        self
    }
}

#[cfg(test)]
mod tests;
