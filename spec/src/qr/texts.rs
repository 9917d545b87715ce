//! The texts of a form: joined by bytes that UTF-8 does not have, deflated after a dictionary.

use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, TDEFLStatus, compress, create_comp_flags_from_zip_params,
};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};

use super::QrError;
use crate::credential::FaceValue;
use crate::wire::limits;

/// The published dictionary; in use, each newline is the byte that ends a text.
const DICTIONARY: &str = include_str!("../../dictionary/1.txt");

const END_TEXT: u8 = 0xff;
const END_INTEGER: u8 = 0xfe;
const END_TRUE: u8 = 0xfd;
const END_FALSE: u8 = 0xfc;

/// No deflated byte stands for more bytes than this: 258 in two bits.
const MOST_INFLATION: usize = 1_032;

/// The texts, in the order in which they stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Texts {
    pub(super) origin: String,
    pub(super) type_code: String,
    pub(super) unit: String,
    pub(super) serial: String,
    pub(super) licence_number: String,
    pub(super) licence_name: String,
    pub(super) authority: String,
    /// Empty when it is `authority`.
    pub(super) issuer: String,
    pub(super) holder_type: String,
    pub(super) holder_code: String,
    pub(super) holder_name: String,
    /// One for each signature line; empty when it is `origin`.
    pub(super) lines: Vec<String>,
    pub(super) face: Vec<(String, FaceValue)>,
}

impl Texts {
    /// The byte string of the form.
    pub(super) fn bytes(&self) -> Vec<u8> {
        deflate(&self.joined())
    }

    /// The texts one after the other.
    pub(super) fn joined(&self) -> Vec<u8> {
        let mut joined = Vec::new();
        let mut push = |text: &str, end: u8| {
            joined.extend_from_slice(text.as_bytes());
            joined.push(end);
        };
        for text in [
            &self.origin,
            &self.type_code,
            &self.unit,
            &self.serial,
            &self.licence_number,
            &self.licence_name,
            &self.authority,
            &self.issuer,
            &self.holder_type,
            &self.holder_code,
            &self.holder_name,
        ] {
            push(text, END_TEXT);
        }
        for name in &self.lines {
            push(name, END_TEXT);
        }
        for (name, value) in &self.face {
            push(name, END_TEXT);
            match value {
                FaceValue::Text(text) => push(text, END_TEXT),
                FaceValue::Int(n) => push(&n.to_string(), END_INTEGER),
                FaceValue::Bool(true) => push("", END_TRUE),
                FaceValue::Bool(false) => push("", END_FALSE),
            }
        }
        joined
    }

    /// The texts of a form with so many signature lines.
    pub(super) fn parse(bytes: &[u8], lines: usize) -> Result<Self, QrError> {
        let joined = inflate(bytes)?;
        let mut rest = Split(&joined);
        let mut text = || rest.text();
        let mut texts = Self {
            origin: text()?,
            type_code: text()?,
            unit: text()?,
            serial: text()?,
            licence_number: text()?,
            licence_name: text()?,
            authority: text()?,
            issuer: text()?,
            holder_type: text()?,
            holder_code: text()?,
            holder_name: text()?,
            ..Self::default()
        };
        for _ in 0..lines {
            texts.lines.push(text()?);
        }
        let mut face = Vec::new();
        while !rest.0.is_empty() {
            face.push((rest.text()?, rest.value()?));
        }
        // What the digits say comes after where the texts end.
        texts.face = face
            .into_iter()
            .map(|(name, value)| Ok((name, value?)))
            .collect::<Result<_, QrError>>()?;
        Ok(texts)
    }
}

/// What is left of the joined texts.
struct Split<'a>(&'a [u8]);

impl Split<'_> {
    /// The next text and the byte that ends it.
    fn next(&mut self) -> Result<(String, u8), QrError> {
        let at = self.0.iter().position(|byte| *byte >= END_FALSE);
        let (text, rest) = self.0.split_at(at.ok_or(QrError::Texts)?);
        let (end, rest) = rest.split_first().ok_or(QrError::Texts)?;
        self.0 = rest;
        let text = std::str::from_utf8(text).map_err(|_| QrError::Utf8)?;
        Ok((text.to_owned(), *end))
    }

    fn text(&mut self) -> Result<String, QrError> {
        match self.next()? {
            (text, END_TEXT) => Ok(text),
            _ => Err(QrError::Texts),
        }
    }

    /// The next value, or why its digits are refused, which is not the first error to name.
    fn value(&mut self) -> Result<Result<FaceValue, QrError>, QrError> {
        let item = "integer of the face data";
        match self.next()? {
            (text, END_TEXT) => Ok(Ok(FaceValue::Text(text))),
            (text, END_INTEGER) => Ok(crate::log::text::decimal(&text)
                .filter(|n| *n <= limits::INTEGER && !text.is_empty())
                .map(FaceValue::Int)
                .ok_or(QrError::Value { item })),
            (text, END_TRUE) if text.is_empty() => Ok(Ok(FaceValue::Bool(true))),
            (text, END_FALSE) if text.is_empty() => Ok(Ok(FaceValue::Bool(false))),
            _ => Err(QrError::Texts),
        }
    }
}

/// The dictionary as it stands before the texts.
fn dictionary() -> Vec<u8> {
    let ended = |byte: u8| if byte == b'\n' { END_TEXT } else { byte };
    DICTIONARY.bytes().map(ended).collect()
}

/// Deflates after the dictionary (RFC 1951).
///
/// The dictionary goes first and is flushed to a byte boundary: blocks after it may refer back to
/// it and share nothing else with it, so its own are left away.
pub(super) fn deflate(texts: &[u8]) -> Vec<u8> {
    let mut compressor = CompressorOxide::new(create_comp_flags_from_zip_params(10, -15, 0));
    let _dictionary = deflated(&mut compressor, &dictionary(), TDEFLFlush::Sync);
    deflated(&mut compressor, texts, TDEFLFlush::Finish)
}

fn deflated(compressor: &mut CompressorOxide, input: &[u8], flush: TDEFLFlush) -> Vec<u8> {
    // Incompressible input grows by 5 bytes for a stored block of some thousand.
    let mut out = vec![0; input.len().saturating_mul(2).saturating_add(1_024)];
    let (status, read, written) = compress(compressor, input, &mut out, flush);
    let ended = matches!(status, TDEFLStatus::Okay | TDEFLStatus::Done);
    assert!(ended && read == input.len(), "the output has room for it");
    out.truncate(written);
    out
}

/// Inflates what [`deflate`], or another writer, made.
pub(super) fn inflate(bytes: &[u8]) -> Result<Vec<u8>, QrError> {
    let mut out = dictionary();
    let start = out.len();
    let room = bytes.len().saturating_mul(MOST_INFLATION);
    // One byte more than allowed, so that the limit itself is seen to be passed.
    let room = room.min(limits::QR_TEXT_BYTES.saturating_add(1));
    out.resize(start.saturating_add(room), 0);
    let flags = inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let mut state = DecompressorOxide::new();
    let (status, read, written) = decompress(&mut state, bytes, &mut out, start, flags);
    if written > limits::QR_TEXT_BYTES {
        return Err(QrError::TextsTooLong);
    }
    if status != TINFLStatus::Done || read != bytes.len() {
        return Err(QrError::Inflate);
    }
    out.truncate(start.saturating_add(written));
    out.drain(..start);
    Ok(out)
}
