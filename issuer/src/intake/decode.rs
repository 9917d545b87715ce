//! Bytes to UTF-8. GB18030 includes GBK and GB2312, which Chinese spreadsheets still write.

use std::io::{self, BufRead, Read, Seek, SeekFrom};

use encoding_rs::{Decoder, DecoderResult, GB18030};

use super::IntakeError;

/// Bytes read at a time.
const CHUNK: usize = 32 << 10;
const BOM: &[u8] = b"\xef\xbb\xbf";

/// What the bytes of a batch are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// GB18030, GBK or GB2312.
    Gb18030,
    /// UTF-8.
    Utf8,
    /// UTF-8 with a byte order mark.
    Utf8Bom,
}

impl std::fmt::Display for Encoding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Gb18030 => "gb18030",
            Self::Utf8 => "utf-8",
            Self::Utf8Bom => "utf-8 with byte order mark",
        })
    }
}

/// Reads `input` to its end to see what it is, and starts over. Text that is UTF-8 throughout is
/// UTF-8: by chance GB18030 text of more than a few characters never is.
pub(super) fn detect<R: Read + Seek>(
    mut input: R,
) -> Result<(Encoding, Utf8Reader<R>), IntakeError> {
    let start = input.stream_position().map_err(IntakeError::Io)?;
    let mut head = Vec::new();
    input
        .by_ref()
        .take(3)
        .read_to_end(&mut head)
        .map_err(IntakeError::Io)?;
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return Err(IntakeError::Utf16);
    }
    let bom = head == BOM;
    input
        .seek(SeekFrom::Start(start))
        .map_err(IntakeError::Io)?;
    let utf8 = is_utf8(&mut input).map_err(IntakeError::Io)?;
    let skip = if bom && utf8 { 3 } else { 0 };
    let skip_to = SeekFrom::Start(start.saturating_add(skip));
    input.seek(skip_to).map_err(IntakeError::Io)?;
    let encoding = match (utf8, bom) {
        (true, true) => Encoding::Utf8Bom,
        (true, false) => Encoding::Utf8,
        (false, _) => Encoding::Gb18030,
    };
    let decoder = (!utf8).then(|| GB18030.new_decoder_without_bom_handling());
    Ok((encoding, Utf8Reader::new(input, decoder)))
}

fn is_utf8(input: &mut impl Read) -> io::Result<bool> {
    let mut buffer = vec![0; CHUNK];
    // Bytes of a character that the end of the last chunk cut in two.
    let mut held = 0;
    loop {
        let read = read_some(input, &mut buffer[held..])?;
        let filled = held + read;
        match std::str::from_utf8(&buffer[..filled]) {
            Ok(_) => held = 0,
            Err(error) if error.error_len().is_some() => return Ok(false),
            Err(_) if read == 0 => return Ok(false),
            Err(error) => {
                buffer.copy_within(error.valid_up_to()..filled, 0);
                held = filled - error.valid_up_to();
            }
        }
        if read == 0 {
            return Ok(true);
        }
    }
}

fn read_some(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// The input as UTF-8. Bytes that were UTF-8 pass through; whoever cuts them into rows checks.
pub(super) struct Utf8Reader<R> {
    input: R,
    /// None when the input is UTF-8 already, and after the end of one that is not.
    decoder: Option<Decoder>,
    raw: Vec<u8>,
    /// Place and end of what is not decoded yet in `raw`.
    raw_at: usize,
    raw_end: usize,
    /// Bytes of input before `raw_at`, for error messages.
    offset: u64,
    /// Where the input stopped being text; told once what came before it is consumed.
    broken: Option<u64>,
    ready: Vec<u8>,
    /// Place and end of what is not consumed yet in `ready`.
    at: usize,
    end: usize,
}

impl<R: Read> Utf8Reader<R> {
    fn new(input: R, decoder: Option<Decoder>) -> Self {
        let raw = if decoder.is_some() {
            vec![0; CHUNK]
        } else {
            Vec::new()
        };
        Self {
            input,
            decoder,
            raw,
            raw_at: 0,
            raw_end: 0,
            offset: 0,
            broken: None,
            ready: vec![0; 2 * CHUNK],
            at: 0,
            end: 0,
        }
    }

    /// Refills `ready` through the decoder.
    fn decode(&mut self) -> io::Result<()> {
        while self.end == 0 {
            if let Some(offset) = self.broken {
                return Err(io::Error::other(IntakeError::NotText { offset }));
            }
            let Some(decoder) = &mut self.decoder else {
                return Ok(());
            };
            if self.raw_at == self.raw_end {
                self.raw_end = read_some(&mut self.input, &mut self.raw)?;
                self.raw_at = 0;
            }
            let last = self.raw_end == 0;
            let (result, read, written) = decoder.decode_to_utf8_without_replacement(
                &self.raw[self.raw_at..self.raw_end],
                &mut self.ready,
                last,
            );
            self.raw_at += read;
            self.offset = self
                .offset
                .saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
            self.end = written;
            match result {
                DecoderResult::Malformed(length, extra) => {
                    let back = u64::from(length).saturating_add(u64::from(extra));
                    self.broken = Some(self.offset.saturating_sub(back));
                }
                DecoderResult::InputEmpty if last => self.decoder = None,
                DecoderResult::InputEmpty | DecoderResult::OutputFull => {}
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Utf8Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let ready = self.fill_buf()?;
        let length = ready.len().min(buffer.len());
        buffer[..length].copy_from_slice(&ready[..length]);
        self.consume(length);
        Ok(length)
    }
}

impl<R: Read> BufRead for Utf8Reader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.end {
            self.at = 0;
            self.end = 0;
            if self.raw.is_empty() {
                self.end = read_some(&mut self.input, &mut self.ready)?;
            } else {
                self.decode()?;
            }
        }
        Ok(&self.ready[self.at..self.end])
    }

    fn consume(&mut self, amount: usize) {
        self.at = self.at.saturating_add(amount).min(self.end);
    }
}
