//! The part of deterministic CBOR that the form uses (RFC 8949 §4.2.1): integers, byte strings,
//! arrays, and maps with unsigned keys. The reader asks for what must come next; it builds nothing.

use super::QrError;

const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const ARRAY: u8 = 4;
const MAP: u8 = 5;

/// Reads items in order.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Requires that nothing is left.
    pub(super) fn finish(self) -> Result<(), QrError> {
        match self.bytes.len().saturating_sub(self.at) {
            0 => Ok(()),
            actual => Err(QrError::CborTrailing { actual }),
        }
    }

    /// The major type of what comes next.
    pub(super) fn peek(&self) -> Result<u8, QrError> {
        let first = self.bytes.get(self.at);
        let first = first.ok_or(QrError::CborEnd { offset: self.at })?;
        Ok(first >> 5)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], QrError> {
        let offset = self.at;
        let end = offset.checked_add(length);
        let taken = end.and_then(|end| self.bytes.get(offset..end));
        let taken = taken.ok_or(QrError::CborEnd { offset })?;
        self.at = offset.saturating_add(length);
        Ok(taken)
    }

    /// The argument of an item whose major type has been looked at.
    fn argument(&mut self) -> Result<u64, QrError> {
        let offset = self.at;
        let end = |_| QrError::CborEnd { offset };
        let form = QrError::CborForm { offset };
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

    fn expect(&mut self, major: u8, item: &'static str) -> Result<u64, QrError> {
        if self.peek()? != major {
            return Err(QrError::Shape { item });
        }
        self.argument()
    }

    /// An unsigned integer.
    pub(super) fn unsigned(&mut self, item: &'static str) -> Result<u64, QrError> {
        self.expect(UNSIGNED, item)
    }

    /// Whether an integer comes next, negative or not.
    pub(super) fn integer_next(&self) -> bool {
        matches!(self.peek(), Ok(UNSIGNED | NEGATIVE))
    }

    /// An integer. One that needs 65 bits is a value no item has.
    pub(super) fn integer(&mut self, item: &'static str) -> Result<i64, QrError> {
        let major = self.peek()?;
        if major > NEGATIVE {
            return Err(QrError::Shape { item });
        }
        let argument = self.argument()?;
        let value = i64::try_from(argument).map_err(|_| QrError::Value { item })?;
        // −1 − n is the complement of n.
        Ok(if major == NEGATIVE { !value } else { value })
    }

    /// A byte string of `range` bytes.
    pub(super) fn bytes(
        &mut self,
        range: std::ops::RangeInclusive<usize>,
        item: &'static str,
    ) -> Result<&'a [u8], QrError> {
        let offset = self.at;
        let length = self.expect(BYTES, item)?;
        // Where memory ends before 64 bits do, the input ends even sooner.
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if !range.contains(&length) {
            return Err(QrError::Shape { item });
        }
        self.take(length).map_err(|_| QrError::CborEnd { offset })
    }

    /// A byte string of `N` bytes.
    pub(super) fn exactly<const N: usize>(
        &mut self,
        item: &'static str,
    ) -> Result<[u8; N], QrError> {
        let bytes = self.bytes(N..=N, item)?;
        bytes.try_into().map_err(|_| QrError::Shape { item })
    }

    /// The length of an array, whose items follow.
    pub(super) fn array(&mut self, item: &'static str) -> Result<u64, QrError> {
        self.expect(ARRAY, item)
    }

    /// The number of a map's entries, which follow.
    pub(super) fn map(&mut self, item: &'static str) -> Result<u64, QrError> {
        self.expect(MAP, item)
    }

    /// The key of a map's next entry, which is above the one before.
    pub(super) fn key(&mut self, last: Option<u64>) -> Result<u64, QrError> {
        let offset = self.at;
        let key = self.unsigned("key of the map")?;
        if last.is_some_and(|last| key <= last) {
            return Err(QrError::CborForm { offset });
        }
        Ok(key)
    }
}

/// Writes items in order.
#[derive(Default)]
pub(super) struct Writer {
    out: Vec<u8>,
}

impl Writer {
    pub(super) fn finish(self) -> Vec<u8> {
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

    pub(super) fn unsigned(&mut self, value: u64) {
        self.head(UNSIGNED, value);
    }

    pub(super) fn integer(&mut self, value: i64) {
        match u64::try_from(value) {
            Ok(value) => self.head(UNSIGNED, value),
            Err(_) => self.head(NEGATIVE, (!value).unsigned_abs()),
        }
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.head(BYTES, length(bytes.len()));
        self.out.extend_from_slice(bytes);
    }

    pub(super) fn array(&mut self, items: usize) {
        self.head(ARRAY, length(items));
    }

    pub(super) fn map(&mut self, entries: usize) {
        self.head(MAP, length(entries));
    }
}

fn length(length: usize) -> u64 {
    u64::try_from(length).expect("a length in memory fits 64 bits")
}
