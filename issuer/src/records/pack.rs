//! Several texts in one cell: each with its length before it.

use zeroize::Zeroizing;

use super::RecordsError;
use crate::vault::{Place, Vault};

/// Texts on their way into a cell.
pub(super) struct Pack(Zeroizing<Vec<u8>>);

impl Pack {
    /// Room for about `bytes`.
    pub(super) fn new(bytes: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(bytes)))
    }

    pub(super) fn put(mut self, part: &[u8]) -> Self {
        let length = u32::try_from(part.len()).expect("no text here has 4 GiB");
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(part);
        self
    }

    /// A text that may be absent: as nothing, or as `+` and itself.
    pub(super) fn put_optional(self, part: Option<&str>) -> Self {
        match part {
            None => self.put(b""),
            Some(text) => self.put(&[b"+", text.as_bytes()].concat()),
        }
    }

    pub(super) fn seal(self, vault: &Vault, place: &Place<'_>) -> Vec<u8> {
        vault.seal(place, &self.0)
    }
}

/// The clear bytes of a cell.
///
/// # Errors
/// It does not open.
pub(super) fn open(
    vault: &Vault,
    place: &Place<'_>,
    cell: &[u8],
) -> Result<Zeroizing<Vec<u8>>, RecordsError> {
    vault.open(place, cell).map_err(|_| RecordsError::Sealed {
        table: place.table,
        column: place.column,
    })
}

/// Texts out of a cell.
pub(super) struct Parts<'a> {
    rest: &'a [u8],
    place: Place<'a>,
}

impl<'a> Parts<'a> {
    pub(super) fn new(clear: &'a [u8], place: Place<'a>) -> Self {
        Self { rest: clear, place }
    }

    /// Whether all is read.
    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], RecordsError> {
        let read = || {
            let (length, rest) = self.rest.split_first_chunk::<4>()?;
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            rest.split_at_checked(length)
        };
        let (part, rest) = read().ok_or_else(|| self.damaged())?;
        self.rest = rest;
        Ok(part)
    }

    pub(super) fn text(&mut self) -> Result<String, RecordsError> {
        let bytes = self.bytes()?;
        let text = std::str::from_utf8(bytes).map_err(|_| self.damaged())?;
        Ok(text.to_owned())
    }

    pub(super) fn optional(&mut self) -> Result<Option<String>, RecordsError> {
        let text = self.text()?;
        if text.is_empty() {
            return Ok(None);
        }
        let rest = text.strip_prefix('+').ok_or_else(|| self.damaged())?;
        Ok(Some(rest.to_owned()))
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], RecordsError> {
        let bytes = self.bytes()?;
        bytes.try_into().map_err(|_| self.damaged())
    }

    /// Nothing may be left.
    pub(super) fn finish(self) -> Result<(), RecordsError> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(self.damaged())
        }
    }

    fn damaged(&self) -> RecordsError {
        RecordsError::Damaged {
            table: self.place.table,
            column: self.place.column,
            expected: "what was packed",
        }
    }
}
