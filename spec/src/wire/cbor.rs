//! The part of deterministic CBOR that our forms use (RFC 8949 §4.2.1): integers, byte strings,
//! texts, arrays, maps, tags and null. The reader asks for what must come next and can pass over
//! what does not matter; it builds nothing.

use thiserror::Error;

const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;
const SIMPLE: u8 = 7;
/// The simple value null.
const NULL: u64 = 22;

/// Why bytes are not the CBOR that must stand there.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CborError {
    /// The input ends inside an item.
    #[error("input ends inside the item at {offset}")]
    End {
        /// Where the item begins.
        offset: usize,
    },
    /// Not the deterministic form (RFC 8949 §4.2.1).
    #[error("item at {offset} is not in deterministic form")]
    Form {
        /// Where the item begins.
        offset: usize,
    },
    /// Another kind or length of item than the place has.
    #[error("{item} is of another kind or length")]
    Shape {
        /// What should stand there.
        item: &'static str,
    },
    /// Something after the last item.
    #[error("{actual} bytes follow the last item")]
    Trailing {
        /// Bytes after it.
        actual: usize,
    },
    /// A value that is not allowed there.
    #[error("{item} has a value that is not allowed there")]
    Value {
        /// What should stand there.
        item: &'static str,
    },
}

impl CborError {
    /// Stable short code, used in vectors; the QR form has its own.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::End { .. } => "cbor_end",
            Self::Form { .. } => "cbor_form",
            Self::Shape { .. } => "cbor_shape",
            Self::Trailing { .. } => "cbor_trailing",
            Self::Value { .. } => "cbor_value",
        }
    }
}

/// Reads items in order.
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// A reader of all of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Requires that nothing is left.
    ///
    /// # Errors
    /// Something else stands there, or the input ends.
    pub fn finish(self) -> Result<(), CborError> {
        match self.bytes.len().saturating_sub(self.at) {
            0 => Ok(()),
            actual => Err(CborError::Trailing { actual }),
        }
    }

    /// The major type of what comes next.
    ///
    /// # Errors
    /// Something else stands there, or the input ends.
    pub fn peek(&self) -> Result<u8, CborError> {
        let first = self.bytes.get(self.at);
        let first = first.ok_or(CborError::End { offset: self.at })?;
        Ok(first >> 5)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], CborError> {
        let offset = self.at;
        let end = offset.checked_add(length);
        let taken = end.and_then(|end| self.bytes.get(offset..end));
        let taken = taken.ok_or(CborError::End { offset })?;
        self.at = offset.saturating_add(length);
        Ok(taken)
    }

    /// The argument of an item whose major type has been looked at.
    fn argument(&mut self) -> Result<u64, CborError> {
        let offset = self.at;
        let end = |_| CborError::End { offset };
        let form = CborError::Form { offset };
        let first = self.take(1)?.first().copied().unwrap_or(0);
        let short = first & 0x1f;
        let (length, least) = match short {
            0..=23 => return Ok(u64::from(short)),
            24 => (1, 24),
            25 => (2, 1 << 8),
            26 => (4, 1 << 16),
            27 => (8, 1 << 32),
            _ => return Err(form),
        };
        let taken = self.take(length).map_err(end)?;
        let argument = taken
            .iter()
            .fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
        if argument < least {
            return Err(form);
        }
        Ok(argument)
    }

    fn expect(&mut self, major: u8, item: &'static str) -> Result<u64, CborError> {
        if self.peek()? != major {
            return Err(CborError::Shape { item });
        }
        self.argument()
    }

    /// An unsigned integer.
    ///
    /// # Errors
    /// Something else stands there, or the input ends.
    pub fn unsigned(&mut self, item: &'static str) -> Result<u64, CborError> {
        self.expect(UNSIGNED, item)
    }

    /// Whether a byte string comes next.
    #[must_use]
    pub fn bytes_next(&self) -> bool {
        matches!(self.peek(), Ok(BYTES))
    }

    /// Whether an integer comes next, negative or not.
    #[must_use]
    pub fn integer_next(&self) -> bool {
        matches!(self.peek(), Ok(UNSIGNED | NEGATIVE))
    }

    /// An integer. One that needs 65 bits is a value no item has.
    ///
    /// # Errors
    /// Something else stands there, or the input ends.
    pub fn integer(&mut self, item: &'static str) -> Result<i64, CborError> {
        let major = self.peek()?;
        if major > NEGATIVE {
            return Err(CborError::Shape { item });
        }
        let argument = self.argument()?;
        let value = i64::try_from(argument).map_err(|_| CborError::Value { item })?;
        // −1 − n is the complement of n.
        Ok(if major == NEGATIVE { !value } else { value })
    }

    /// A byte string of `range` bytes.
    ///
    /// # Errors
    /// Something else stands there, or the input ends.
    pub fn bytes(
        &mut self,
        range: std::ops::RangeInclusive<usize>,
        item: &'static str,
    ) -> Result<&'a [u8], CborError> {
        let offset = self.at;
        let length = self.expect(BYTES, item)?;
        // Where memory ends before 64 bits do, the input ends even sooner.
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if !range.contains(&length) {
            return Err(CborError::Shape { item });
        }
        self.take(length).map_err(|_| CborError::End { offset })
    }

    /// Whether a text comes next.
    #[must_use]
    pub fn text_next(&self) -> bool {
        matches!(self.peek(), Ok(TEXT))
    }

    /// A text of at most `limit` bytes.
    ///
    /// # Errors
    /// Something else stands there, it is longer or not UTF-8, or the input ends.
    pub fn text(&mut self, limit: usize, item: &'static str) -> Result<&'a str, CborError> {
        let offset = self.at;
        let length = self.expect(TEXT, item)?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > limit {
            return Err(CborError::Shape { item });
        }
        let bytes = self.take(length).map_err(|_| CborError::End { offset })?;
        std::str::from_utf8(bytes).map_err(|_| CborError::Value { item })
    }

    /// Passes over an item of any kind, nested at most `depth` deep. What can hold others costs no
    /// memory: every item has at least one byte, and the input is what bounds them.
    ///
    /// # Errors
    /// Deeper, not in deterministic form, a text that is not UTF-8, or the input ends. The order of
    /// a map's keys is not looked at.
    pub fn skip(&mut self, depth: usize, item: &'static str) -> Result<(), CborError> {
        let deeper = depth.checked_sub(1).ok_or(CborError::Shape { item })?;
        let entries = match self.peek()? {
            UNSIGNED | NEGATIVE => return self.argument().map(|_| ()),
            BYTES => return self.bytes(0..=usize::MAX, item).map(|_| ()),
            TEXT => return self.text(usize::MAX, item).map(|_| ()),
            SIMPLE => return self.simple(),
            TAG => {
                self.argument()?;
                1
            }
            ARRAY => self.argument()?,
            _ => self
                .argument()?
                .checked_mul(2)
                .ok_or(CborError::Shape { item })?,
        };
        for _ in 0..entries {
            self.skip(deeper, item)?;
        }
        Ok(())
    }

    /// A simple value or a float, whose argument is no number to be kept short.
    fn simple(&mut self) -> Result<(), CborError> {
        let offset = self.at;
        let first = self.take(1)?.first().copied().unwrap_or(0);
        let length = match first & 0x1f {
            0..=23 => 0,
            25 => 2,
            26 => 4,
            27 => 8,
            _ => return Err(CborError::Form { offset }),
        };
        self.take(length).map_err(|_| CborError::End { offset })?;
        Ok(())
    }

    /// A byte string of `N` bytes.
    ///
    /// # Errors
    /// Something else stands there, or the input ends.
    pub fn exactly<const N: usize>(
        &mut self,
        item: &'static str,
    ) -> Result<[u8; N], CborError> {
        let bytes = self.bytes(N..=N, item)?;
        bytes.try_into().map_err(|_| CborError::Shape { item })
    }

    /// Null.
    ///
    /// # Errors
    /// Something else stands there, or the input ends.
    pub fn null(&mut self, item: &'static str) -> Result<(), CborError> {
        match self.expect(SIMPLE, item)? {
            NULL => Ok(()),
            _ => Err(CborError::Shape { item }),
        }
    }

    /// The number of a tag, whose content follows.
    ///
    /// # Errors
    /// Something else stands there, or the input ends.
    pub fn tag(&mut self, item: &'static str) -> Result<u64, CborError> {
        self.expect(TAG, item)
    }

    /// The length of an array, whose items follow.
    ///
    /// # Errors
    /// Something else stands there, or the input ends.
    pub fn array(&mut self, item: &'static str) -> Result<u64, CborError> {
        self.expect(ARRAY, item)
    }

    /// The number of a map's entries, which follow.
    ///
    /// # Errors
    /// Something else stands there, or the input ends.
    pub fn map(&mut self, item: &'static str) -> Result<u64, CborError> {
        self.expect(MAP, item)
    }

    /// The key of a map's next entry, which is above the one before.
    ///
    /// # Errors
    /// Something else stands there, or the input ends.
    pub fn key(&mut self, last: Option<u64>) -> Result<u64, CborError> {
        let offset = self.at;
        let key = self.unsigned("key of the map")?;
        if last.is_some_and(|last| key <= last) {
            return Err(CborError::Form { offset });
        }
        Ok(key)
    }

    /// As [`Reader::key`], of a map whose keys may be negative.
    ///
    /// # Errors
    /// Something else stands there, or the input ends.
    pub fn label(
        &mut self,
        last: Option<i64>,
        item: &'static str,
    ) -> Result<i64, CborError> {
        let offset = self.at;
        let label = self.integer(item)?;
        if last.is_some_and(|last| rank(label) <= rank(last)) {
            return Err(CborError::Form { offset });
        }
        Ok(label)
    }
}

/// Where a key stands among the others: non-negative ones rise, then negative ones fall, as their
/// bytes do.
fn rank(label: i64) -> (bool, u64) {
    match u64::try_from(label) {
        Ok(label) => (false, label),
        Err(_) => (true, (!label).unsigned_abs()),
    }
}

/// Writes items in order.
#[derive(Default)]
pub struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// What was written.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    fn head(&mut self, major: u8, argument: u64) {
        let bytes = argument.to_be_bytes();
        let (short, length) = match argument {
            0..=23 => (bytes[7], 0),
            24..=0xff => (24, 1),
            0x100..=0xffff => (25, 2),
            0x1_0000..=0xffff_ffff => (26, 4),
            _ => (27, 8),
        };
        self.out.push((major << 5) | short);
        self.out
            .extend(bytes.iter().skip(8_usize.saturating_sub(length)));
    }

    /// An unsigned integer.
    pub fn unsigned(&mut self, value: u64) {
        self.head(UNSIGNED, value);
    }

    /// An integer.
    pub fn integer(&mut self, value: i64) {
        match u64::try_from(value) {
            Ok(value) => self.head(UNSIGNED, value),
            Err(_) => self.head(NEGATIVE, (!value).unsigned_abs()),
        }
    }

    /// A byte string.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.head(BYTES, length(bytes.len()));
        self.out.extend_from_slice(bytes);
    }

    /// A text.
    pub fn text(&mut self, text: &str) {
        self.head(TEXT, length(text.len()));
        self.out.extend_from_slice(text.as_bytes());
    }

    /// Null.
    pub fn null(&mut self) {
        self.head(SIMPLE, NULL);
    }

    /// The number of a tag, whose content follows.
    pub fn tag(&mut self, number: u64) {
        self.head(TAG, number);
    }

    /// The length of an array, whose items follow.
    pub fn array(&mut self, items: usize) {
        self.head(ARRAY, length(items));
    }

    /// The number of a map's entries, which follow.
    pub fn map(&mut self, entries: usize) {
        self.head(MAP, length(entries));
    }
}

fn length(length: usize) -> u64 {
    u64::try_from(length).expect("a length in memory fits 64 bits")
}
