//! Rows that stand twice in a batch, and identifiers that do.
//!
//! What is remembered of a row is at most three digests of 96 bits with its number, so that a
//! million rows take less than a hundred megabytes, whatever they say. 2^48 rows would be needed
//! for two to be taken for one by chance.

use std::collections::BTreeMap;

use zhao_spec::wire::sha256;

use super::{Cell, Fault, Problem, Row, RowError};

/// First row of each digest.
type Seen = BTreeMap<[u8; 12], u32>;

/// Rows of which none is there twice.
#[derive(Debug)]
pub struct Distinct<I> {
    rows: I,
    numbers: Seen,
    references: Seen,
    whole: Seen,
}

/// Refuses rows that repeat an earlier row of the same batch as a whole, or its licence number
/// (of the same type and unit) or its reference (of the same unit). Earlier batches are another
/// thing: there a reference answers the first licence.
pub fn distinct<I>(rows: I) -> Distinct<I>
where
    I: Iterator<Item = Result<Row, RowError>>,
{
    Distinct {
        rows,
        numbers: Seen::new(),
        references: Seen::new(),
        whole: Seen::new(),
    }
}

impl<I: Iterator<Item = Result<Row, RowError>>> Iterator for Distinct<I> {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = match self.rows.next()? {
            Ok(row) => row,
            refused => return Some(refused),
        };
        let number = u32::try_from(row.number).unwrap_or(u32::MAX);
        if let Some(first) = earlier(&mut self.whole, Some(whole(&row)), number) {
            // Such a row says its identifiers again too: one fault.
            let problem = Problem::Again { row: first };
            return Some(Err(RowError::whole(row.number, problem)));
        }
        let mut error = RowError {
            faults: Vec::new(),
            row: row.number,
        };
        for (seen, scope, column) in [
            (&mut self.numbers, &["type", "issuer"][..], "licenceNumber"),
            (&mut self.references, &["issuer"][..], "reference"),
        ] {
            if let Some(row) = earlier(seen, key(&row, scope, column), number) {
                error.faults.push(Fault {
                    column: Some(column.to_owned()),
                    problem: Problem::Again { row },
                });
            }
        }
        Some(match error.faults.is_empty() {
            true => Ok(row),
            false => Err(error),
        })
    }
}

/// The earlier row with this digest; when there is none, row `number` is the first.
fn earlier(seen: &mut Seen, digest: Option<[u8; 12]>, number: u32) -> Option<u64> {
    let first = *seen.entry(digest?).or_insert(number);
    (first != number).then_some(first.into())
}

/// A digest of what the row says.
fn whole(row: &Row) -> [u8; 12] {
    let mut bytes = Vec::new();
    for (name, cell) in &row.cells {
        part(&mut bytes, name);
        part(&mut bytes, &text(cell));
    }
    digest(&bytes)
}

/// A digest of `column` within `scope`; none when the row does not say it.
fn key(row: &Row, scope: &[&str], column: &str) -> Option<[u8; 12]> {
    let value = text(row.cells.get(column)?);
    let mut bytes = Vec::new();
    for name in scope {
        part(
            &mut bytes,
            &row.cells.get(*name).map(text).unwrap_or_default(),
        );
    }
    part(&mut bytes, &value);
    Some(digest(&bytes))
}

/// As CSV would write it: there numbers and truth are words.
fn text(cell: &Cell) -> String {
    match cell {
        Cell::Bool(b) => b.to_string(),
        Cell::Int(n) => n.to_string(),
        Cell::Text(text) => text.clone(),
    }
}

/// With its length before it, so that no two lists of texts give the same bytes.
fn part(bytes: &mut Vec<u8>, text: &str) {
    let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

fn digest(bytes: &[u8]) -> [u8; 12] {
    let whole = sha256(&[bytes]).0;
    *whole
        .first_chunk()
        .expect("a SHA-256 digest has more than twelve bytes")
}
