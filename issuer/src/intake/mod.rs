//! Batches as offices have them: CSV, a JSON array, or one JSON object a line.
//!
//! Reading is in two steps. [`open`] finds encoding and format and yields [`Row`]s, one at a time
//! and each within bounds, so a file may have any number of them. [`check`] holds a row against
//! the catalogue and yields a [`Request`]. Both name row and column of what they refuse; a bad row
//! leaves the others unharmed.
//!
//! Columns: [`COLUMNS`] and the face data fields of the row's type. An empty cell, like `null` in
//! JSON, is an absent one.

use std::collections::BTreeMap;
use std::io::{BufRead, Read, Seek};

use crate::catalogue::Catalogue;

mod check;
mod decode;
mod distinct;
mod document;
mod error;
mod origin;
mod register;
mod stock;
mod table;

pub use check::{Defaults, Request, check};
pub use decode::Encoding;
pub use distinct::{Distinct, distinct};
pub use error::{Fault, IntakeError, Problem, RowError};
pub use origin::Origin;
pub use register::{
    LocalRegisters, NoRegisters, RegisterError, Registry, Remark, Unreachable, compare_registers,
};
pub use stock::{Reject, Stock, TypeStock};

/// Columns of one row: a type has at most 256 fields.
pub const MAX_COLUMNS: usize = 512;
/// One row, bytes of UTF-8 after decoding.
pub const MAX_ROW_BYTES: usize = 64 << 10;

/// Columns that every type has, beside its own face data.
pub const COLUMNS: [&str; 12] = [
    "holderCode",
    "holderCodeType",
    "holderName",
    "inspectionDue",
    "issuedDate",
    "issuer",
    "licenceNumber",
    "origin",
    "reference",
    "type",
    "validFrom",
    "validUntil",
];

/// Names that face data may not have: the columns, and the metadata of GB/T 36903 beside them.
pub const METADATA: [&str; 23] = [
    "catalogueVersion",
    "createdAt",
    "faceData",
    "holderCode",
    "holderCodeType",
    "holderName",
    "id",
    "inspectionDue",
    "issuedDate",
    "issuer",
    "issuingAuthorityCode",
    "issuingAuthorityName",
    "licenceIdentifier",
    "licenceName",
    "licenceNumber",
    "licenceTypeCode",
    "origin",
    "reference",
    "sealName",
    "sealedBy",
    "type",
    "validFrom",
    "validUntil",
];

/// How a batch is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a header (RFC 4180).
    Csv,
    /// One JSON array of objects, at most 4 MiB.
    JsonArray,
    /// One JSON object a line, any number of lines.
    JsonLines,
}

/// One value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// `true` or `false`, from JSON.
    Bool(bool),
    /// An integer, from JSON.
    Int(u64),
    /// Text, not yet normalised.
    Text(String),
}

/// One row: what stood in the batch, within bounds and otherwise unchecked.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// Values by column; absent ones are left out.
    pub cells: BTreeMap<String, Cell>,
    /// Which row it is, from 1, the header not counted.
    pub number: u64,
}

// Rows hold people's names and numbers, which do not belong in logs.
impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Row({}, {} cells)", self.number, self.cells.len())
    }
}

impl Row {
    /// The row `number` with these cells; empty texts are left out.
    #[must_use]
    pub fn new(number: u64, cells: impl IntoIterator<Item = (String, Cell)>) -> Self {
        let empty = |cell: &Cell| matches!(cell, Cell::Text(text) if text.is_empty());
        let cells = cells.into_iter().filter(|(_, cell)| !empty(cell)).collect();
        Self { cells, number }
    }
}

/// An open batch.
pub struct Batch<'a> {
    /// What the bytes turned out to be; worth telling whoever handed them in.
    pub encoding: Encoding,
    /// How the batch is laid out.
    pub format: Format,
    rows: Box<dyn Iterator<Item = Result<Row, RowError>> + Send + 'a>,
}

impl std::fmt::Debug for Batch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Batch({:?}, {:?})", self.format, self.encoding)
    }
}

impl Iterator for Batch<'_> {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rows.next()
    }
}

/// Opens a batch. The input is read twice: once to find out its encoding, once for its rows.
///
/// # Errors
/// Bytes that are neither UTF-8 nor GB18030, a header that cannot be used, or a JSON array that
/// is not one.
pub fn open<'a, R: Read + Seek + Send + 'a>(
    input: R,
    catalogue: &Catalogue,
    type_of_all: Option<&str>,
) -> Result<Batch<'a>, IntakeError> {
    let known = known_columns(catalogue, type_of_all)?;
    let (encoding, mut reader) = decode::detect(input)?;
    let format = loop {
        let buffer = reader.fill_buf().map_err(IntakeError::from_io)?;
        let Some(first) = buffer.iter().find(|byte| !byte.is_ascii_whitespace()) else {
            let length = buffer.len();
            if length == 0 {
                return Err(IntakeError::Empty);
            }
            reader.consume(length);
            continue;
        };
        break match first {
            b'[' => Format::JsonArray,
            b'{' => Format::JsonLines,
            _ => Format::Csv,
        };
    };
    let rows: Box<dyn Iterator<Item = Result<Row, RowError>> + Send + 'a> = match format {
        Format::Csv => Box::new(table::Rows::open(reader, &known)?),
        Format::JsonArray => Box::new(document::array(reader, known)?),
        Format::JsonLines => Box::new(document::Lines::open(reader, known)),
    };
    Ok(Batch {
        encoding,
        format,
        rows,
    })
}

/// Every column a row of the batch may have, ascending.
fn known_columns(
    catalogue: &Catalogue,
    type_of_all: Option<&str>,
) -> Result<Vec<String>, IntakeError> {
    let mut known: Vec<String> = COLUMNS.iter().map(|name| (*name).to_owned()).collect();
    let mut add = |entry: &crate::catalogue::Entry| {
        known.extend(entry.fields.iter().map(|field| field.name.clone()));
    };
    match type_of_all {
        Some(code_or_slug) => {
            let unknown = |_| IntakeError::UnknownType {
                actual: zhao_spec::wire::clip(code_or_slug),
            };
            add(catalogue.entry(code_or_slug).map_err(unknown)?);
        }
        None => catalogue.entries().for_each(add),
    }
    known.sort_unstable();
    known.dedup();
    Ok(known)
}

#[cfg(test)]
mod tests;
