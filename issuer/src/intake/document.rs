//! JSON rows: an array of objects, or one object a line.

use std::io::{BufRead, Read as _};

use zhao_spec::wire::foreign::{Foreign, parse_foreign};
use zhao_spec::wire::{clip, limits};

use super::{Cell, Fault, IntakeError, MAX_COLUMNS, MAX_ROW_BYTES, Problem, Row, RowError};

/// The rows of one JSON array.
pub(super) fn array(
    input: impl BufRead,
    known: Vec<String>,
) -> Result<impl Iterator<Item = Result<Row, RowError>>, IntakeError> {
    let limit = limits::JSON_BYTES;
    let mut bytes = Vec::new();
    let take = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    input
        .take(take)
        .read_to_end(&mut bytes)
        .map_err(IntakeError::from_io)?;
    if bytes.len() > limit {
        return Err(IntakeError::JsonTooLong { limit });
    }
    let Foreign::Array(items) = parse_foreign(&bytes)? else {
        return Err(IntakeError::NotArray);
    };
    Ok((1..)
        .zip(items)
        .map(move |(number, item)| row(number, item, &known)))
}

/// The rows of JSON lines.
pub(super) struct Lines<R> {
    /// None after the input could not be read any further.
    input: Option<R>,
    known: Vec<String>,
    row: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn open(input: R, known: Vec<String>) -> Self {
        Self {
            input: Some(input),
            known,
            row: 0,
        }
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let line = match line(self.input.as_mut()?) {
                Ok(None) => return None,
                Ok(Some(line)) => line,
                Err(problem) => {
                    self.row = self.row.saturating_add(1);
                    if let Problem::Read(_) = problem {
                        self.input = None;
                    }
                    return Some(Err(RowError::whole(self.row, problem)));
                }
            };
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            self.row = self.row.saturating_add(1);
            let parsed = parse_foreign(&line)
                .map_err(|error| RowError::whole(self.row, Problem::Json(error)));
            return Some(parsed.and_then(|item| row(self.row, item, &self.known)));
        }
    }
}

/// The next line without its end, none at the end of the input. A line over the limit is read to
/// its end without being kept.
fn line(input: &mut impl BufRead) -> Result<Option<Vec<u8>>, Problem> {
    let mut line = Vec::new();
    let (mut over, mut any) = (false, false);
    loop {
        let buffer = input
            .fill_buf()
            .map_err(|error| Problem::Read(IntakeError::from_io(error).to_string()))?;
        if buffer.is_empty() {
            break;
        }
        any = true;
        // A carriage return ends a line too; the empty line of CR LF is skipped like any other.
        let end = buffer.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let part = &buffer[..end.unwrap_or(buffer.len())];
        over = over || line.len().saturating_add(part.len()) > MAX_ROW_BYTES;
        if !over {
            line.extend_from_slice(part);
        }
        let used = part.len() + usize::from(end.is_some());
        input.consume(used);
        if end.is_some() {
            break;
        }
    }
    match (over, any) {
        (true, _) => Err(Problem::RowTooLong),
        (false, true) => Ok(Some(line)),
        (false, false) => Ok(None),
    }
}

fn row(number: u64, item: Foreign, known: &[String]) -> Result<Row, RowError> {
    let Foreign::Object(members) = item else {
        let actual = kind(&item);
        return Err(RowError::whole(number, Problem::NotObject { actual }));
    };
    if members.len() > MAX_COLUMNS {
        return Err(RowError::whole(number, Problem::TooManyColumns));
    }
    let mut faults = Vec::new();
    let mut cells = Vec::new();
    for (name, value) in members {
        let checked = if known.binary_search(&name).is_ok() {
            cell(value)
        } else {
            Err(Problem::UnknownField)
        };
        match checked {
            Ok(None) => {}
            Ok(Some(cell)) => cells.push((name, cell)),
            Err(problem) => faults.push(Fault {
                column: Some(clip(&name)),
                problem,
            }),
        }
    }
    if faults.is_empty() {
        Ok(Row::new(number, cells))
    } else {
        Err(RowError {
            faults,
            row: number,
        })
    }
}

fn cell(value: Foreign) -> Result<Option<Cell>, Problem> {
    match value {
        Foreign::Null => Ok(None),
        Foreign::Bool(b) => Ok(Some(Cell::Bool(b))),
        Foreign::Text(text) => Ok(Some(Cell::Text(text))),
        Foreign::Number(number) => integer(number).map(|n| Some(Cell::Int(n))),
        Foreign::Array(_) | Foreign::Object(_) => Err(Problem::WrongKind {
            expected: "text, integer or boolean",
            actual: kind(&value),
        }),
    }
}

/// JSON knows one kind of number; ours are integers that a double holds exactly.
fn integer(number: f64) -> Result<u64, Problem> {
    // The text of an integral double below 2^53 is that integer, so no cast is needed.
    let text = number.to_string();
    text.parse::<u64>()
        .ok()
        .filter(|n| *n <= limits::INTEGER)
        .ok_or_else(|| Problem::NotInteger {
            actual: clip(&text),
        })
}

fn kind(value: &Foreign) -> &'static str {
    match value {
        Foreign::Null => "null",
        Foreign::Bool(_) => "boolean",
        Foreign::Number(_) => "number",
        Foreign::Text(_) => "text",
        Foreign::Array(_) => "array",
        Foreign::Object(_) => "object",
    }
}
