//! The texts of printed codes: one whole, or parts in any order.

use super::base45::{decode_base45, encode_base45};
use super::{QrError, limits};
use crate::wire::{clip, sha256};

/// How the text of a whole form begins.
const WHOLE: &str = "ZHAO1:";
/// How the text of a part begins.
const PART: &str = "ZHAO1/";
/// Hexadecimal digits of a set's name.
const NAME_DIGITS: usize = 16;
/// Bytes that one code holds beside [`WHOLE`].
const WHOLE_BYTES: usize = 2_860;
/// Bytes that one code holds beside the longest header of a part.
const PART_BYTES: usize = 2_844;

/// Whether a text begins as one of ours.
#[must_use]
pub fn is_code(text: &str) -> bool {
    text.starts_with(WHOLE) || text.starts_with(PART)
}

/// The texts of the codes to print for a QR form: one if it fits, else parts of about one size.
///
/// # Errors
/// `TooLong`.
pub fn codes(form: &[u8]) -> Result<Vec<String>, QrError> {
    if form.len() <= WHOLE_BYTES {
        return Ok(vec![format!("{WHOLE}{}", encode_base45(form))]);
    }
    if form.len() > limits::QR_BYTES {
        return Err(QrError::TooLong { actual: form.len() });
    }
    let count = form.len().div_ceil(PART_BYTES);
    let name = name(form);
    let each = form.len().div_ceil(count);
    Ok(form
        .chunks(each)
        .zip(1_usize..)
        .map(|(part, number)| format!("{PART}{name}/{number}/{count}:{}", encode_base45(part)))
        .collect())
}

/// The QR form that the texts of some codes, in any order, stand for. It may be none.
///
/// # Errors
/// What is wrong with one text, in the order given; else what is wrong with them together.
pub fn join(texts: &[&str]) -> Result<Vec<u8>, QrError> {
    let codes: Vec<Code> = texts
        .iter()
        .map(|text| Code::parse(text))
        .collect::<Result<_, _>>()?;
    if let [Code { part: None, bytes }] = codes.as_slice() {
        return Ok(bytes.clone());
    }
    let mut parts = Vec::new();
    for code in codes {
        parts.push((code.part.ok_or(QrError::PartMixed)?, code.bytes));
    }
    let missing = QrError::PartMissing {
        number: 1,
        count: 2,
    };
    let (first, _) = parts.first().ok_or(missing)?;
    for (part, _) in &parts {
        if part.set != first.set {
            return Err(QrError::PartSet {
                expected: first.set.clone(),
                actual: part.set.clone(),
            });
        }
    }
    let count = first.count;
    if let Some((other, _)) = parts.iter().find(|(part, _)| part.count != count) {
        return Err(QrError::PartCount {
            expected: count,
            actual: other.count,
        });
    }
    let of = |number: usize| {
        parts
            .iter()
            .filter(move |(part, _)| part.number == number)
            .map(|(_, bytes)| bytes)
    };
    for number in 1..=count {
        let mut same = of(number);
        if let Some(one) = same.next()
            && same.any(|other| other != one)
        {
            return Err(QrError::PartConflict { number });
        }
    }
    let mut form = Vec::new();
    for number in 1..=count {
        let bytes = of(number).next();
        form.extend_from_slice(bytes.ok_or(QrError::PartMissing { number, count })?);
    }
    if name(&form) != first.set {
        return Err(QrError::PartContent);
    }
    Ok(form)
}

/// One text, read.
struct Code {
    part: Option<Part>,
    bytes: Vec<u8>,
}

/// The header of a part.
struct Part {
    set: String,
    number: usize,
    count: usize,
}

impl Code {
    fn parse(text: &str) -> Result<Self, QrError> {
        let actual = text.chars().count();
        if actual > limits::QR_CODE_CHARS {
            return Err(QrError::CodeTooLong { actual });
        }
        if let Some(base45) = text.strip_prefix(WHOLE) {
            let bytes = decode_base45(base45)?;
            return Ok(Self { part: None, bytes });
        }
        let rest = text.strip_prefix(PART).ok_or(QrError::Prefix)?;
        let (header, base45) = rest.split_once(':').ok_or(QrError::PartHeader)?;
        let fields: Vec<&str> = header.splitn(4, '/').collect();
        let [set, number, count] = fields.as_slice() else {
            return Err(QrError::PartHeader);
        };
        let digits = |byte: u8| matches!(byte, b'0'..=b'9' | b'A'..=b'F');
        if set.len() != NAME_DIGITS || !set.bytes().all(digits) {
            return Err(QrError::PartHeader);
        }
        let (number, count) = (small(number)?, small(count)?);
        if !(2..=limits::QR_PARTS).contains(&count) || !(1..=count).contains(&number) {
            return Err(QrError::PartNumber { number, count });
        }
        let set = clip(set);
        Ok(Self {
            part: Some(Part { set, number, count }),
            bytes: decode_base45(base45)?,
        })
    }
}

/// One or two digits without leading zero.
fn small(text: &str) -> Result<usize, QrError> {
    let plain = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || (text.len() == 2 && text.starts_with('0')) {
        return Err(QrError::PartHeader);
    }
    text.parse().map_err(|_| QrError::PartHeader)
}

/// A set's name: the first 8 bytes of SHA-256 over the whole form.
fn name(form: &[u8]) -> String {
    let hash = sha256(&[form]);
    let first = hash.0.iter().take(NAME_DIGITS / 2);
    first.map(|byte| format!("{byte:02X}")).collect()
}
