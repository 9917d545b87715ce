//! CSV rows, each bounded before it is in memory.

use std::io::BufRead;

use csv_core::{ReadRecordResult, Reader};
use zhao_spec::wire::clip;

use super::{Cell, IntakeError, MAX_COLUMNS, MAX_ROW_BYTES, Problem, Row, RowError};

/// One record: where its cells end in the bytes.
struct Record<'a> {
    bytes: &'a [u8],
    ends: &'a [usize],
}

impl<'a> Record<'a> {
    fn cells(&self) -> impl Iterator<Item = Result<&'a str, Problem>> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let bytes = self.bytes;
        starts.zip(self.ends).map(move |(start, end)| {
            let cell = bytes.get(start..*end).unwrap_or_default();
            std::str::from_utf8(cell).map_err(|_| Problem::Utf8)
        })
    }
}

/// The csv state machine over a reader, with one record's worth of memory.
struct Records<R> {
    input: R,
    core: Reader,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl<R: BufRead> Records<R> {
    fn new(input: R) -> Self {
        Self {
            input,
            core: Reader::new(),
            bytes: vec![0; MAX_ROW_BYTES],
            ends: vec![0; MAX_COLUMNS],
        }
    }

    /// The next record, none at the end. A record over a limit is read to its end all the same,
    /// in the same memory, so that the one after it begins where it should.
    fn next(&mut self) -> Option<Result<Record<'_>, Problem>> {
        let (mut written, mut cells, mut quotes) = (0, 0, 0_usize);
        let mut over = None;
        loop {
            let input = match self.input.fill_buf() {
                Ok(input) => input,
                Err(error) => {
                    let text = IntakeError::from_io(error).to_string();
                    return Some(Err(Problem::Read(text)));
                }
            };
            let (result, read, out, ends) =
                self.core
                    .read_record(input, &mut self.bytes[written..], &mut self.ends[cells..]);
            quotes += input[..read].iter().filter(|byte| **byte == b'"').count();
            self.input.consume(read);
            written += out;
            cells += ends;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => {
                    over.get_or_insert(Problem::RowTooLong);
                    written = 0;
                }
                ReadRecordResult::OutputEndsFull => {
                    over.get_or_insert(Problem::TooManyColumns);
                    cells = 0;
                }
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return None,
            }
        }
        if let Some(problem) = over {
            return Some(Err(problem));
        }
        // RFC 4180 §2: a quotation mark stands only around a cell, or doubled inside one. An odd
        // number of them is a file cut short inside a cell, or a mark gone astray.
        if quotes % 2 == 1 {
            return Some(Err(Problem::Quote));
        }
        Some(Ok(Record {
            bytes: &self.bytes[..written],
            ends: &self.ends[..cells],
        }))
    }
}

/// The rows of a CSV file.
pub(super) struct Rows<R> {
    records: Records<R>,
    /// None after the input could not be read any further.
    columns: Option<Vec<String>>,
    row: u64,
}

/// Why a column's name is none of the known, and what may have been meant.
fn unknown(column: usize, name: &str, known: &[String]) -> IntakeError {
    let is_known = |name: &str| known.iter().any(|other| other == name.trim());
    // Spreadsheets elsewhere write "CSV" with semicolons, and "text" with tabs.
    let separates = |found: &char| name.contains(*found) && name.split(*found).any(is_known);
    if let Some(found) = [';', '\t', '，', '；'].into_iter().find(separates) {
        return IntakeError::Separator { found };
    }
    let bare = |name: &str| -> String {
        let kept = name.chars().filter(|c| !matches!(c, ' ' | '-' | '_'));
        kept.flat_map(char::to_lowercase).collect()
    };
    let wanted = bare(name);
    let near = known.iter().find(|other| bare(other) == wanted);
    IntakeError::UnknownColumn {
        column,
        name: clip(name),
        near: near.cloned(),
    }
}

impl<R: BufRead> Rows<R> {
    /// Reads the header.
    pub(super) fn open(input: R, known: &[String]) -> Result<Self, IntakeError> {
        let mut records = Records::new(input);
        let header = records
            .next()
            .ok_or(IntakeError::Empty)?
            .map_err(IntakeError::Header)?;
        let mut columns: Vec<String> = Vec::new();
        for (at, name) in header.cells().enumerate() {
            let name = name.map_err(IntakeError::Header)?;
            if known
                .binary_search_by(|other| other.as_str().cmp(name))
                .is_err()
            {
                return Err(unknown(at + 1, name, known));
            }
            if let Some(first) = columns.iter().position(|other| other == name) {
                let (first, second) = (first + 1, at + 1);
                return Err(IntakeError::DuplicateColumn {
                    first,
                    second,
                    name: clip(name),
                });
            }
            columns.push(name.to_owned());
        }
        Ok(Self {
            records,
            columns: Some(columns),
            row: 0,
        })
    }
}

impl<R: BufRead> Iterator for Rows<R> {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let columns = self.columns.as_ref()?;
        let record = self.records.next()?;
        self.row = self.row.saturating_add(1);
        let row = record.and_then(|record| {
            let (expected, actual) = (columns.len(), record.ends.len());
            if actual < expected {
                return Err(Problem::TooFewCells { expected, actual });
            }
            if actual > expected {
                return Err(Problem::TooManyCells { expected, actual });
            }
            let cells: Vec<_> = columns
                .iter()
                .zip(record.cells())
                .map(|(name, cell)| Ok((name.clone(), Cell::Text(cell?.to_owned()))))
                .collect::<Result<_, Problem>>()?;
            Ok(Row::new(self.row, cells))
        });
        if let Err(Problem::Read(_)) = row {
            self.columns = None;
        }
        Some(row.map_err(|problem| RowError::whole(self.row, problem)))
    }
}
