//! GZIP (RFC 1952) and ZLIB (RFC 1950) of one list, in bounded memory.
//!
//! A list over a limit is refused, never cut: whoever reads the first part of a list would take
//! every licence behind it for valid.

use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_COMPUTE_ADLER32, TINFL_FLAG_PARSE_ZLIB_HEADER,
    TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

/// A compressed list, bytes: with its `u` it fills the longest JSON text (`TEXT_BYTES`).
pub const PACKED_BYTES: usize = 49_151;
/// A list, bytes: eight million single bits.
pub const LIST_BYTES: usize = 1 << 20;
/// Where the growing buffer of an inflated list begins, bytes: the smallest list there may be.
const FIRST_BYTES: usize = 16 << 10;
/// How hard deflate tries: more takes three times as long and saves next to nothing on bits.
const LEVEL: u8 = 6;
/// The fixed header we write: deflate, no flags, no time, no system (RFC 1952 §2.3).
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// Why bytes are no compressed list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// CRC-32 or Adler-32 of the inflated bytes is another.
    #[error("the checksum of the compressed list is wrong")]
    Checksum,
    /// The deflate stream is broken, or ends early.
    #[error("the compressed list is no deflate stream")]
    Data,
    /// Not the header of the format.
    #[error("the compressed list does not begin as {expected}")]
    Header {
        /// The format.
        expected: &'static str,
    },
    /// The length that the end states is not the length there is.
    #[error("the compressed list states {stated} bytes and has {actual}")]
    Length {
        /// ISIZE.
        stated: u32,
        /// The inflated bytes.
        actual: usize,
    },
    /// Over a limit, before or after inflating.
    #[error("the list exceeds the limit of {limit} bytes {stage}")]
    TooLong {
        /// The limit, bytes.
        limit: usize,
        /// `compressed` or `inflated`.
        stage: &'static str,
    },
    /// Bytes after the end: another member, or anything else.
    #[error("{actual} bytes follow the compressed list")]
    Trailing {
        /// How many.
        actual: usize,
    },
}

impl PackError {
    /// The stable code of this kind of error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Checksum => "pack-checksum",
            Self::Data => "pack-data",
            Self::Header { .. } => "pack-header",
            Self::Length { .. } => "pack-length",
            Self::TooLong { .. } => "pack-too-long",
            Self::Trailing { .. } => "pack-trailing",
        }
    }
}

const NOT_GZIP: PackError = PackError::Header { expected: "gzip" };

/// GZIP of `bytes`: one member, the same bytes each time.
///
/// # Errors
/// [`PackError::TooLong`], before or after compressing.
pub fn gzip(bytes: &[u8]) -> Result<Vec<u8>, PackError> {
    let length = inflated(bytes)?;
    let mut out = HEADER.to_vec();
    out.extend_from_slice(&compress_to_vec(bytes, LEVEL));
    out.extend_from_slice(&crc32(bytes).to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
    packed(out)
}

/// The bytes of one GZIP member.
///
/// # Errors
/// Over a limit, or anything but exactly one whole member.
pub fn gunzip(bytes: &[u8]) -> Result<Vec<u8>, PackError> {
    short_enough(bytes)?;
    let body = gzip_body(bytes)?;
    let (out, consumed) = inflate(body, 0)?;
    let end = body.get(consumed..).unwrap_or_default();
    let (trailer, rest) = end.split_first_chunk::<8>().ok_or(PackError::Data)?;
    if !rest.is_empty() {
        return Err(PackError::Trailing { actual: rest.len() });
    }
    let [c0, c1, c2, c3, l0, l1, l2, l3] = *trailer;
    let stated = u32::from_le_bytes([l0, l1, l2, l3]);
    if u32::try_from(out.len()) != Ok(stated) {
        let actual = out.len();
        return Err(PackError::Length { stated, actual });
    }
    if u32::from_le_bytes([c0, c1, c2, c3]) != crc32(&out) {
        return Err(PackError::Checksum);
    }
    Ok(out)
}

/// ZLIB of `bytes`.
///
/// # Errors
/// [`PackError::TooLong`], before or after compressing.
pub fn zlib(bytes: &[u8]) -> Result<Vec<u8>, PackError> {
    inflated(bytes)?;
    packed(compress_to_vec_zlib(bytes, LEVEL))
}

/// The bytes of one ZLIB stream.
///
/// # Errors
/// Over a limit, or anything but exactly one whole stream.
pub fn unzlib(bytes: &[u8]) -> Result<Vec<u8>, PackError> {
    short_enough(bytes)?;
    let [method, flags, ..] = *bytes else {
        return Err(PackError::Header { expected: "zlib" });
    };
    // RFC 1950 §2.2: deflate, a window of at most 32 KiB, no preset dictionary, a multiple of 31.
    let whole = u16::from_be_bytes([method, flags]);
    if method & 0x0f != 8 || method >> 4 > 7 || flags & 0x20 != 0 || whole % 31 != 0 {
        return Err(PackError::Header { expected: "zlib" });
    }
    let flags = TINFL_FLAG_PARSE_ZLIB_HEADER | TINFL_FLAG_COMPUTE_ADLER32;
    let (out, consumed) = inflate(bytes, flags)?;
    match bytes.len().saturating_sub(consumed) {
        0 => Ok(out),
        actual => Err(PackError::Trailing { actual }),
    }
}

/// The length of `bytes`, within the limit.
fn inflated(bytes: &[u8]) -> Result<u32, PackError> {
    match u32::try_from(bytes.len()) {
        Ok(length) if bytes.len() <= LIST_BYTES => Ok(length),
        _ => Err(PackError::TooLong {
            limit: LIST_BYTES,
            stage: "inflated",
        }),
    }
}

fn short_enough(bytes: &[u8]) -> Result<(), PackError> {
    if bytes.len() > PACKED_BYTES {
        return Err(PackError::TooLong {
            limit: PACKED_BYTES,
            stage: "compressed",
        });
    }
    Ok(())
}

fn packed(out: Vec<u8>) -> Result<Vec<u8>, PackError> {
    short_enough(&out)?;
    Ok(out)
}

/// What follows the header of a GZIP member.
fn gzip_body(bytes: &[u8]) -> Result<&[u8], PackError> {
    let (head, mut rest) = bytes.split_first_chunk::<10>().ok_or(NOT_GZIP)?;
    let [id1, id2, method, flags, ..] = *head;
    if [id1, id2, method] != [0x1f, 0x8b, 8] || flags & 0xe0 != 0 {
        return Err(NOT_GZIP);
    }
    if flags & 4 != 0 {
        let (length, after) = rest.split_first_chunk::<2>().ok_or(NOT_GZIP)?;
        rest = after
            .get(usize::from(u16::from_le_bytes(*length))..)
            .ok_or(NOT_GZIP)?;
    }
    // A name, then a comment, each up to a zero byte.
    for flag in [8, 16] {
        if flags & flag != 0 {
            let end = rest.iter().position(|byte| *byte == 0).ok_or(NOT_GZIP)?;
            rest = rest.get(end.saturating_add(1)..).ok_or(NOT_GZIP)?;
        }
    }
    if flags & 2 != 0 {
        let (stated, after) = rest.split_first_chunk::<2>().ok_or(NOT_GZIP)?;
        let read = bytes.len().saturating_sub(rest.len());
        let [low, high, ..] = crc32(bytes.get(..read).unwrap_or_default()).to_le_bytes();
        if *stated != [low, high] {
            return Err(PackError::Checksum);
        }
        rest = after;
    }
    Ok(rest)
}

/// Inflates one stream into memory that grows with what comes out, and says how much was read.
fn inflate(bytes: &[u8], flags: u32) -> Result<(Vec<u8>, usize), PackError> {
    let flags = flags | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let mut state = Box::<DecompressorOxide>::default();
    let mut out = vec![0; FIRST_BYTES];
    let (mut read, mut written) = (0_usize, 0_usize);
    loop {
        let input = bytes.get(read..).unwrap_or_default();
        let (status, consumed, produced) = decompress(&mut state, input, &mut out, written, flags);
        read = read.saturating_add(consumed);
        written = written.saturating_add(produced);
        match status {
            TINFLStatus::Done => {
                out.truncate(written);
                return Ok((out, read));
            }
            TINFLStatus::HasMoreOutput if out.len() < LIST_BYTES => {
                out.resize(out.len().saturating_mul(2).min(LIST_BYTES), 0);
            }
            TINFLStatus::HasMoreOutput => {
                return Err(PackError::TooLong {
                    limit: LIST_BYTES,
                    stage: "inflated",
                });
            }
            TINFLStatus::Adler32Mismatch => return Err(PackError::Checksum),
            _ => return Err(PackError::Data),
        }
    }
}

/// CRC-32 of RFC 1952 §8, bit by bit: a list of 16 KiB takes a fraction of a millisecond.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1));
        }
    }
    !crc
}

#[cfg(test)]
mod tests;
