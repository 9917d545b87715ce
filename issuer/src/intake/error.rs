//! What can be wrong with a batch, a row, a cell.

use std::fmt;
use std::io;

use zhao_spec::id::IdError;
use zhao_spec::wire::TimeError;
use zhao_spec::wire::foreign::ForeignError;

use super::{MAX_COLUMNS, MAX_ROW_BYTES};
use crate::catalogue::TermError;
use crate::text::TextError;

/// Why a batch cannot be read at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IntakeError {
    /// Two columns have the same name.
    #[error("column {second} is named {name:?}, as column {first} is")]
    DuplicateColumn {
        /// The first, from 1.
        first: usize,
        /// The second, from 1.
        second: usize,
        /// Their name.
        name: String,
    },
    /// Nothing but white space.
    #[error("the batch is empty")]
    Empty,
    /// A header line that cannot be read as one.
    #[error("header: {0}")]
    Header(Problem),
    /// The operating system refuses.
    #[error("the batch cannot be read: {0}")]
    Io(io::Error),
    /// The JSON array is not JSON that everybody reads alike.
    #[error("{0}")]
    Json(#[from] ForeignError),
    /// The JSON array is longer than an array may be.
    #[error("a json array of more than {limit} bytes: write one object a line instead")]
    JsonTooLong {
        /// The limit.
        limit: usize,
    },
    /// The JSON is not an array of objects.
    #[error("the json is not an array")]
    NotArray,
    /// Neither UTF-8 nor GB18030.
    #[error("bytes at {offset} are neither utf-8 nor gb18030")]
    NotText {
        /// The first byte that is neither.
        offset: u64,
    },
    /// Cells are not separated as CSV has them.
    #[error("the cells are separated by {found:?}: save the batch with commas")]
    Separator {
        /// By what.
        found: char,
    },
    /// No type has such a field.
    #[error("column {column}: no licence type of the batch has a field {name:?}{}", Near(.near))]
    UnknownColumn {
        /// Which, from 1.
        column: usize,
        /// Its name, clipped.
        name: String,
        /// A field whose name differs in capitals, spaces, `-` and `_` only.
        near: Option<String>,
    },
    /// The type said to be that of all rows is not in the catalogue.
    #[error("no licence type {actual:?} in the catalogue")]
    UnknownType {
        /// What was said, clipped.
        actual: String,
    },
    /// UTF-16, as some spreadsheets call Unicode.
    #[error("the batch is utf-16: save it as utf-8 or gb18030")]
    Utf16,
}

/// The name that was meant, if there is one.
struct Near<'a>(&'a Option<String>);

impl fmt::Display for Near<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => write!(f, "; is it {name:?}?"),
            None => Ok(()),
        }
    }
}

impl IntakeError {
    /// The error of a reader of ours, which wraps its own kinds as `io::Error`.
    pub(super) fn from_io(error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(own) => own,
            Err(error) => Self::Io(error),
        }
    }
}

/// Why one row is refused: everything that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowError {
    /// What is wrong, in the order it was found; never empty.
    pub faults: Vec<Fault>,
    /// Which row, from 1, the header not counted.
    pub row: u64,
}

impl RowError {
    pub(super) fn whole(row: u64, problem: Problem) -> Self {
        Self {
            faults: vec![Fault {
                column: None,
                problem,
            }],
            row,
        }
    }

    /// A refusal of one cell.
    #[must_use]
    pub fn cell(row: u64, column: &str, problem: Problem) -> Self {
        Self {
            faults: vec![Fault {
                column: Some(column.to_owned()),
                problem,
            }],
            row,
        }
    }
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {}", self.row)?;
        for (at, fault) in self.faults.iter().enumerate() {
            f.write_str(if at == 0 { ": " } else { "; " })?;
            if let Some(column) = &fault.column {
                write!(f, "{column}: ")?;
            }
            write!(f, "{}", fault.problem)?;
        }
        Ok(())
    }
}

impl std::error::Error for RowError {}

/// One thing that is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// In which column; none: the row as a whole.
    pub column: Option<String>,
    /// What.
    pub problem: Problem,
}

/// What is wrong with a row or a cell.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The same as in an earlier row of the batch.
    #[error("the same as in row {row}")]
    Again {
        /// The earlier row.
        row: u64,
    },
    /// A number that fails its standard.
    #[error("{0}")]
    Id(#[from] IdError),
    /// The licence would be issued in the future.
    #[error("{actual} is after today, {today}")]
    InFuture {
        /// The date said.
        actual: String,
        /// Today in China.
        today: String,
    },
    /// Individual businesses are not in this type's public index.
    #[error("the type takes no individual businesses (codes beginning 92)")]
    IndividualBusiness,
    /// The first inspection would already be overdue.
    #[error("needed: by the type's rule the first inspection was due on {due}")]
    InspectionPast {
        /// When.
        due: String,
    },
    /// The JSON of this row is not JSON that everybody reads alike.
    #[error("{0}")]
    Json(#[from] ForeignError),
    /// The cell is needed.
    #[error("missing")]
    Missing,
    /// Not an integer from 0 to 2^53 − 1.
    #[error("{actual:?} is not an integer from 0 to 9007199254740991")]
    NotInteger {
        /// What was found, clipped.
        actual: String,
    },
    /// The type takes no holders of this kind.
    #[error("the type takes holder code types {expected}, not {actual}")]
    NotHolder {
        /// Those it takes.
        expected: String,
        /// What was found.
        actual: String,
    },
    /// The element of the array is not an object.
    #[error("{actual} where an object is needed")]
    NotObject {
        /// The kind found.
        actual: &'static str,
    },
    /// A register knows another name for the code. Neither name is told: it may be a person's.
    #[error("not the name that {register} has for {code} ({source_name})")]
    NotAsRegistered {
        /// Which register.
        register: &'static str,
        /// Column of the code.
        code: String,
        /// Where the answer came from.
        source_name: String,
    },
    /// A register does not know the code.
    #[error("{register} has no such code ({source_name})")]
    NotInRegister {
        /// Which register.
        register: &'static str,
        /// Where the answer came from.
        source_name: String,
    },
    /// Not a value of a list.
    #[error("{actual:?} is not one of {expected}")]
    NotOneOf {
        /// The values, clipped when there are many.
        expected: String,
        /// What was found, clipped.
        actual: String,
    },
    /// The row says it is old stock or new, and its date of issue says otherwise.
    #[error("{actual}, but the stock of the type is what was issued before {start}")]
    Origin {
        /// What the row says.
        actual: &'static str,
        /// Start of collection.
        start: String,
    },
    /// Not of the form the type prescribes.
    #[error("{actual:?} is not of the form {expected}")]
    Pattern {
        /// The pattern.
        expected: String,
        /// What was found, clipped.
        actual: String,
    },
    /// Quotation marks do not pair up.
    #[error("an odd number of quotation marks: a cell is not closed")]
    Quote,
    /// The input could not be read any further; no row follows.
    #[error("the batch cannot be read further: {0}")]
    Read(String),
    /// A register does not answer, and the type issues nothing without it.
    #[error("{register} cannot be asked, and the type needs its answer: {cause}")]
    RegisterUnreachable {
        /// Which register.
        register: &'static str,
        /// Why.
        cause: String,
    },
    /// More bytes than a row may have.
    #[error("more than {} bytes", MAX_ROW_BYTES)]
    RowTooLong,
    /// The licence may not last as long as it says.
    #[error("{0}")]
    Term(#[from] TermError),
    /// A text that is refused.
    #[error("{0}")]
    Text(#[from] TextError),
    /// Not a date, or one the calendar lacks.
    #[error("{actual:?} is not a date: {source}")]
    Time {
        /// What was found, clipped.
        actual: String,
        /// Why it is none.
        source: TimeError,
    },
    /// The row ends before its last column.
    #[error("ends after {actual} cells, expected {expected}")]
    TooFewCells {
        /// Columns of the header.
        expected: usize,
        /// Cells found.
        actual: usize,
    },
    /// More columns than a row may have.
    #[error("more than {} columns", MAX_COLUMNS)]
    TooManyColumns,
    /// The row goes on after its last column.
    #[error("has {actual} cells, expected {expected}")]
    TooManyCells {
        /// Columns of the header.
        expected: usize,
        /// Cells found.
        actual: usize,
    },
    /// The row's type has no such field.
    #[error("the type has no such field")]
    UnknownField,
    /// No type of the catalogue.
    #[error("no licence type {actual:?} in the catalogue")]
    UnknownType {
        /// What was found, clipped.
        actual: String,
    },
    /// Bytes of a row that are not UTF-8: the input changed while it was read.
    #[error("not utf-8")]
    Utf8,
    /// Another kind of JSON value.
    #[error("{actual} where {expected} is needed")]
    WrongKind {
        /// The kind needed.
        expected: &'static str,
        /// The kind found.
        actual: &'static str,
    },
}
