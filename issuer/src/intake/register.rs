//! Comparison with the base registers (ISS-10): is the name that of the code?
//!
//! The registers of population and legal entities belong to others, and a connection to them is
//! theirs to give. [`Registry`] is what such a connection must do; [`LocalRegisters`] stands in
//! for it with a file, and says so in every answer; [`NoRegisters`] is an office without either.

use std::collections::BTreeMap;
use std::io::Read;

use zhao_spec::id::HolderCodeType;
use zhao_spec::wire::clip;

use super::{Fault, Problem, Request, RowError};
use crate::catalogue::{Entry, Register, RegisterRule, Without};
use crate::text;

use zhao_spec::credential::FaceValue;

/// A name in a register, characters.
const NAME_CHARS: usize = 128;
/// A code in a register, characters.
const CODE_CHARS: usize = 64;
/// Lines of a local file: what fits in memory, some hundred megabytes.
const LINES: usize = 2_000_000;

/// Why a register did not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreachable(pub String);

/// Whoever can say which name a code has.
pub trait Registry: std::fmt::Debug + Send + Sync {
    /// Where answers come from, for reports. What is no register says so here.
    fn source(&self) -> String;

    /// The name of `code`, none if the register knows no such code.
    ///
    /// # Errors
    /// The register does not answer.
    fn name_of(&self, register: Register, code: &str) -> Result<Option<String>, Unreachable>;
}

/// No connection to any register.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRegisters;

impl Registry for NoRegisters {
    fn source(&self) -> String {
        "no register".to_owned()
    }

    fn name_of(&self, _: Register, _: &str) -> Result<Option<String>, Unreachable> {
        Err(Unreachable("no register is connected".to_owned()))
    }
}

/// A file in place of the registers: CSV with the columns `register`, `code`, `name`.
#[derive(Clone)]
pub struct LocalRegisters {
    names: BTreeMap<(Register, String), String>,
    source: String,
}

// The names are people's.
impl std::fmt::Debug for LocalRegisters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "LocalRegisters({}, {} names)",
            self.source,
            self.names.len()
        )
    }
}

/// Why a file does not stand in for the registers.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// A code with two names.
    #[error("line {line}: the code has another name before")]
    Again {
        /// The line.
        line: u64,
    },
    /// Not CSV of three columns.
    #[error("{0}")]
    Csv(#[from] csv::Error),
    /// Other columns.
    #[error("the columns are {actual:?}, expected register, code, name")]
    Columns {
        /// Those there are, clipped.
        actual: String,
    },
    /// More lines than fit in memory.
    #[error("more than {limit} lines")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// A cell that is refused.
    #[error("line {line}: {column} is not {expected}")]
    Value {
        /// The line.
        line: u64,
        /// The column.
        column: &'static str,
        /// What is needed.
        expected: &'static str,
    },
}

impl LocalRegisters {
    /// Reads the file; `source` is its name, for reports.
    ///
    /// # Errors
    /// Other columns, too many lines, or a line that is refused.
    pub fn read(input: impl Read, source: &str) -> Result<Self, RegisterError> {
        let mut reader = csv::Reader::from_reader(input);
        let header = reader.headers()?;
        if header.iter().ne(["register", "code", "name"]) {
            let actual = header.iter().collect::<Vec<_>>().join(", ");
            let actual = clip(&actual);
            return Err(RegisterError::Columns { actual });
        }
        let mut names = BTreeMap::new();
        for (line, record) in (2..).zip(reader.records()) {
            if names.len() >= LINES {
                return Err(RegisterError::TooLong { limit: LINES });
            }
            let record = record?;
            let cell = |at: usize| record.get(at).unwrap_or_default();
            let value = |column, expected| RegisterError::Value {
                line,
                column,
                expected,
            };
            let register = Register::from_word(cell(0))
                .ok_or_else(|| value("register", "legal-entities or population"))?;
            let code = text::required(cell(1), CODE_CHARS)
                .map_err(|_| value("code", "a code, printable, at most 64 characters"))?;
            let name = text::required(cell(2), NAME_CHARS)
                .map_err(|_| value("name", "a name, printable, at most 128 characters"))?;
            let earlier = names.insert((register, code), name.clone());
            if earlier.is_some_and(|earlier| earlier != name) {
                return Err(RegisterError::Again { line });
            }
        }
        Ok(Self {
            names,
            source: format!("local file {}, not the register", clip(source)),
        })
    }

    /// How many names it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

impl Registry for LocalRegisters {
    fn source(&self) -> String {
        self.source.clone()
    }

    fn name_of(&self, register: Register, code: &str) -> Result<Option<String>, Unreachable> {
        Ok(self.names.get(&(register, code.to_owned())).cloned())
    }
}

/// Something that whoever reads the report should know, though the licence is issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Column of the name that was not compared.
    pub column: String,
    /// Why it was not.
    pub problem: Problem,
}

/// Compares what the entry's rules name with the registers.
///
/// # Errors
/// Each name that is not the register's, by its column; and, where the entry's rule says so, a
/// code the register does not know, and a register that does not answer.
pub fn compare_registers(
    request: &Request,
    entry: &Entry,
    registry: &dyn Registry,
) -> Result<Vec<Remark>, RowError> {
    let mut remarks = Vec::new();
    let mut error = RowError {
        faults: Vec::new(),
        row: request.row,
    };
    for rule in &entry.registers {
        let Some((code, name)) = pair(request, rule) else {
            continue;
        };
        let Err((problem, without)) = judge(rule, code, name, registry) else {
            continue;
        };
        // A name is what differs; when there is nothing to differ from, the code is at fault.
        let column = match problem {
            Problem::NotInRegister { .. } => rule.code.clone(),
            _ => rule.name.clone(),
        };
        match without {
            Without::Note => remarks.push(Remark { column, problem }),
            Without::Refuse => error.faults.push(Fault {
                column: Some(column),
                problem,
            }),
        }
    }
    match error.faults.is_empty() {
        true => Ok(remarks),
        false => Err(error),
    }
}

fn judge(
    rule: &RegisterRule,
    code: &str,
    name: &str,
    registry: &dyn Registry,
) -> Result<(), (Problem, Without)> {
    let register = rule.register.as_str();
    match registry.name_of(rule.register, code) {
        Ok(Some(registered)) if registered == name => Ok(()),
        Ok(Some(_)) => {
            let problem = Problem::NotAsRegistered {
                register,
                code: rule.code.clone(),
                source_name: registry.source(),
            };
            // No rule makes two names one.
            Err((problem, Without::Refuse))
        }
        Ok(None) => {
            let source_name = registry.source();
            let problem = Problem::NotInRegister {
                register,
                source_name,
            };
            Err((problem, rule.unknown))
        }
        Err(Unreachable(cause)) => {
            let cause = clip(&cause);
            Err((
                Problem::RegisterUnreachable { register, cause },
                rule.unreachable,
            ))
        }
    }
}

/// Code and name that a rule compares; none where it does not apply to the licence.
fn pair<'a>(request: &'a Request, rule: &RegisterRule) -> Option<(&'a str, &'a str)> {
    let text = |member: &str| match request.face_data.get(member) {
        Some(FaceValue::Text(text)) => Some(text.as_str()),
        _ => None,
    };
    let code = match rule.code.as_str() {
        "holderCode" => {
            // A type may have holders of several kinds; each has its own register, or none.
            let its_own = match rule.register {
                Register::LegalEntities => HolderCodeType::USCC,
                Register::Population => HolderCodeType::CITIZEN_ID,
            };
            (request.holder_code_type == its_own).then_some(request.holder_code.as_str())?
        }
        member => text(member)?,
    };
    let name = match rule.name.as_str() {
        "holderName" => request.holder_name.as_str(),
        member => text(member)?,
    };
    Some((code, name))
}
