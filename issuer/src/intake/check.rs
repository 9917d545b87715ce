//! A row against the catalogue.

use std::collections::BTreeMap;

use zhao_spec::credential::FaceValue;
use zhao_spec::id::{HolderCodeType, LicenceTypeCode, Uscc};
use zhao_spec::wire::{Date, clip, limits};

use super::{COLUMNS, Cell, Fault, Origin, Problem, Row, RowError};
use crate::catalogue::{
    Catalogue, Entry, Field, FieldKind, Sensitivity, TermError, Until, Values, last_day,
};
use crate::text;

/// A holder's name, characters.
const NAME_CHARS: usize = 128;
/// A holder's code or a licence number, characters.
const NUMBER_CHARS: usize = 64;

/// What holds for every row that does not say otherwise.
#[derive(Clone, Debug)]
pub struct Defaults {
    /// Type code or slug.
    pub licence_type: Option<String>,
    /// Today in China: when a row says no date of issue.
    pub today: Date,
    /// The issuing unit.
    pub unit: Option<Uscc>,
}

/// A licence that may be issued, as far as its row and type tell.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// Face data by field.
    pub face_data: BTreeMap<String, FaceValue>,
    /// The holder's code, its check characters right.
    pub holder_code: String,
    /// What kind of code that is.
    pub holder_code_type: HolderCodeType,
    /// The holder's name.
    pub holder_name: String,
    /// Last day by which the first inspection is due; none without an inspection rule.
    pub inspection_due: Option<Date>,
    /// Date of issue.
    pub issued: Date,
    /// The licence number, when the office has given it already.
    pub number: Option<String>,
    /// Whether it belongs to the old stock or to the increment.
    pub origin: Origin,
    /// The office's own case number: a second row with it issues nothing.
    pub reference: Option<String>,
    /// Which row it was.
    pub row: u64,
    /// What type of licence.
    pub type_code: LicenceTypeCode,
    /// Which unit issues.
    pub unit: Uscc,
    /// First day of validity.
    pub valid_from: Date,
    /// Last day of validity; none: 长期.
    pub valid_until: Option<Date>,
}

// Requests hold people's names and numbers, which do not belong in logs.
impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Request(row {}, {:?})", self.row, self.type_code)
    }
}

/// Holds `row` against the catalogue.
///
/// # Errors
/// Everything that is wrong with the row, column by column.
pub fn check(row: &Row, catalogue: &Catalogue, defaults: &Defaults) -> Result<Request, RowError> {
    let named = match row.cells.get("type") {
        None => defaults.licence_type.as_deref().ok_or(Problem::Missing),
        Some(Cell::Text(text)) => Ok(text.as_str()),
        Some(other) => Err(wrong_kind("text", other)),
    };
    // Nothing else can be judged without the type.
    let entry = named
        .and_then(|named| {
            catalogue.entry(named).map_err(|_| Problem::UnknownType {
                actual: clip(named),
            })
        })
        .map_err(|problem| RowError::cell(row.number, "type", problem))?;
    let mut checker = Checker {
        row,
        faults: Vec::new(),
    };
    let request = checker.request(entry, defaults);
    match request {
        Some(request) if checker.faults.is_empty() => Ok(request),
        _ => Err(RowError {
            faults: checker.faults,
            row: row.number,
        }),
    }
}

/// Collects what is wrong while it goes through the columns.
struct Checker<'a> {
    row: &'a Row,
    faults: Vec<Fault>,
}

impl Checker<'_> {
    fn note<T>(&mut self, column: &str, result: Result<T, Problem>) -> Option<T> {
        result
            .map_err(|problem| {
                self.faults.push(Fault {
                    column: Some(column.to_owned()),
                    problem,
                });
            })
            .ok()
    }

    /// None when the faults say why.
    fn request(&mut self, entry: &Entry, defaults: &Defaults) -> Option<Request> {
        for name in self.row.cells.keys() {
            if !COLUMNS.contains(&name.as_str()) && entry.field(name).is_none() {
                self.note::<()>(name, Err(Problem::UnknownField));
            }
        }
        let unit = self.unit(defaults);
        let holder = self.holder(entry);
        let holder_name = self.required_text("holderName", NAME_CHARS);
        let issued = self.issued(defaults.today);
        let valid_from = match self.date("validFrom") {
            Some(None) => issued,
            Some(given) => given,
            None => None,
        };
        let until = self.until();
        let valid_until = valid_from.zip(until).and_then(|(first, until)| {
            let last = last_day(&entry.validity, first, until).map_err(Problem::from);
            self.note("validUntil", last)
        });
        let inspection_due = self.inspection(entry, issued, defaults.today);
        let number = holder
            .as_ref()
            .zip(unit.as_ref())
            .zip(issued)
            .and_then(|((holder, unit), issued)| self.number(entry, &holder.1, unit, issued));
        let origin = self.origin(entry, issued);
        let reference = self.optional_text("reference", NUMBER_CHARS);
        let face_data = self.face_data(entry);
        let (holder_code_type, holder_code) = holder?;
        Some(Request {
            face_data,
            holder_code,
            holder_code_type,
            holder_name: holder_name?,
            inspection_due: inspection_due?,
            issued: issued?,
            number: number?,
            origin: origin?,
            reference: reference?,
            row: self.row.number,
            type_code: entry.type_code.clone(),
            unit: unit?,
            valid_from: valid_from?,
            valid_until: valid_until?,
        })
    }

    /// A text cell; the outer option is none when a fault was noted.
    fn optional_text(&mut self, column: &str, limit: usize) -> Option<Option<String>> {
        let result = match self.row.cells.get(column) {
            None => Ok(None),
            Some(Cell::Text(text)) => text::clean(text, limit).map(Some).map_err(Problem::from),
            Some(other) => Err(wrong_kind("text", other)),
        };
        self.note(column, result)
    }

    fn required_text(&mut self, column: &str, limit: usize) -> Option<String> {
        let found = self.optional_text(column, limit)?.ok_or(Problem::Missing);
        self.note(column, found)
    }

    fn date(&mut self, column: &str) -> Option<Option<Date>> {
        let text = self.optional_text(column, NUMBER_CHARS)?;
        self.note(column, text.map(|text| parse_date(&text)).transpose())
    }

    fn unit(&mut self, defaults: &Defaults) -> Option<Uscc> {
        let unit = match (self.optional_text("issuer", NUMBER_CHARS)?, &defaults.unit) {
            (Some(text), _) => Uscc::parse(&text).map_err(Problem::from),
            (None, Some(unit)) => Ok(unit.clone()),
            (None, None) => Err(Problem::Missing),
        };
        self.note("issuer", unit)
    }

    fn holder(&mut self, entry: &Entry) -> Option<(HolderCodeType, String)> {
        let column = "holderCodeType";
        let kind = match (
            self.optional_text(column, NUMBER_CHARS)?,
            entry.holders.as_slice(),
        ) {
            (Some(text), _) => HolderCodeType::parse(&text).map_err(Problem::from),
            (None, [only]) => Ok(*only),
            (None, _) => Err(Problem::Missing),
        };
        let kind = kind.and_then(|kind| {
            if entry.holders.contains(&kind) {
                return Ok(kind);
            }
            let expected: Vec<&str> = entry.holders.iter().map(|kind| kind.as_str()).collect();
            let actual = kind.as_str().to_owned();
            Err(Problem::NotHolder {
                expected: expected.join(", "),
                actual,
            })
        });
        let kind = self.note(column, kind);
        let code = self.required_text("holderCode", NUMBER_CHARS);
        let (kind, code) = kind.zip(code)?;
        let checked = kind.check(&code).map_err(Problem::from).and_then(|()| {
            let individual = kind == HolderCodeType::USCC
                && Uscc::parse(&code).is_ok_and(|uscc| uscc.is_individual_business());
            // Their owners are natural persons, so they are in the public index only where the
            // entry says so, and an indexed type has no licences outside its index.
            if individual && entry.indexed && !entry.individual_businesses {
                return Err(Problem::IndividualBusiness);
            }
            Ok((kind, code))
        });
        self.note("holderCode", checked)
    }

    fn issued(&mut self, today: Date) -> Option<Date> {
        let issued = match self.date("issuedDate")?.unwrap_or(today) {
            day if day > today => Err(Problem::InFuture {
                actual: day.to_string(),
                today: today.to_string(),
            }),
            day => Ok(day),
        };
        self.note("issuedDate", issued)
    }

    fn until(&mut self) -> Option<Until> {
        let until = match self.optional_text("validUntil", NUMBER_CHARS)?.as_deref() {
            None => Ok(Until::ByRule),
            Some("长期" | "indefinite") => Ok(Until::Indefinite),
            Some(text) => parse_date(text).map(Until::Day),
        };
        self.note("validUntil", until)
    }

    /// ISS-13: the entry's start of collection decides; a row may only agree.
    fn origin(&mut self, entry: &Entry, issued: Option<Date>) -> Option<Origin> {
        let column = "origin";
        let said = match self.optional_text(column, NUMBER_CHARS)? {
            None => None,
            Some(text) => {
                let words = || Origin::ALL.map(Origin::as_str).join(", ");
                let origin = Origin::from_word(&text).ok_or_else(|| Problem::NotOneOf {
                    expected: words(),
                    actual: clip(&text),
                });
                Some(self.note(column, origin)?)
            }
        };
        let Some(start) = entry.collection_start else {
            return Some(said.unwrap_or(Origin::New));
        };
        let is = Origin::of(issued?, start);
        let agreed = match said {
            Some(said) if said != is => Err(Problem::Origin {
                actual: said.as_str(),
                start: start.to_string(),
            }),
            _ => Ok(is),
        };
        self.note(column, agreed)
    }

    fn inspection(
        &mut self,
        entry: &Entry,
        issued: Option<Date>,
        today: Date,
    ) -> Option<Option<Date>> {
        let column = "inspectionDue";
        let given = self.date(column)?;
        let Some(cycle) = entry.inspection.cycle_months else {
            let none = given.map_or(Ok(None), |_| Err(Problem::UnknownField));
            return self.note(column, none);
        };
        let due = match (given, issued?.add_months(cycle)) {
            (Some(day), _) => Ok(Some(day)),
            // The cycle would say that inspections of long ago are only due now.
            (None, Some(due)) if due < today => Err(Problem::InspectionPast {
                due: due.to_string(),
            }),
            (None, Some(due)) => Ok(Some(due)),
            (None, None) => Err(Problem::Term(TermError::Overflow)),
        };
        self.note(column, due)
    }

    fn number(
        &mut self,
        entry: &Entry,
        holder: &str,
        unit: &Uscc,
        issued: Date,
    ) -> Option<Option<String>> {
        let column = "licenceNumber";
        let Some(number) = self.optional_text(column, NUMBER_CHARS)? else {
            return Some(None);
        };
        let values = Values {
            holder,
            region: unit.region(),
            year: issued.year(),
        };
        let fits = if entry.number.fits(&number, values) {
            Ok(Some(number))
        } else {
            let expected = entry.number.to_string();
            Err(Problem::Pattern {
                expected,
                actual: clip(&number),
            })
        };
        self.note(column, fits)
    }

    fn face_data(&mut self, entry: &Entry) -> BTreeMap<String, FaceValue> {
        let mut face_data = BTreeMap::new();
        for field in &entry.fields {
            let value = match self.row.cells.get(&field.name) {
                None if field.required => Err(Problem::Missing),
                None => continue,
                Some(cell) => face_value(field, cell),
            };
            if let Some(value) = self.note(&field.name, value) {
                face_data.insert(field.name.clone(), value);
            }
        }
        face_data
    }
}

fn parse_date(text: &str) -> Result<Date, Problem> {
    Date::parse(text).map_err(|source| Problem::Time {
        actual: clip(text),
        source,
    })
}

fn wrong_kind(expected: &'static str, actual: &Cell) -> Problem {
    let actual = match actual {
        Cell::Bool(_) => "boolean",
        Cell::Int(_) => "integer",
        Cell::Text(_) => "text",
    };
    Problem::WrongKind { expected, actual }
}

/// The value of a cell under its field. CSV has text only, so there numbers and truth are words.
fn face_value(field: &Field, cell: &Cell) -> Result<FaceValue, Problem> {
    match (&field.kind, cell) {
        (FieldKind::Boolean, Cell::Bool(b)) => Ok(FaceValue::Bool(*b)),
        (FieldKind::Boolean, Cell::Text(text)) => match text.as_str() {
            "true" | "是" => Ok(FaceValue::Bool(true)),
            "false" | "否" => Ok(FaceValue::Bool(false)),
            other => {
                let expected = "true, false, 是, 否".to_owned();
                Err(Problem::NotOneOf {
                    expected,
                    actual: shown(field, other),
                })
            }
        },
        (FieldKind::Boolean, other) => Err(wrong_kind("boolean", other)),
        (FieldKind::Integer, Cell::Int(n)) => Ok(FaceValue::Int(*n)),
        (FieldKind::Integer, Cell::Text(text)) => {
            integer(text)
                .map(FaceValue::Int)
                .ok_or_else(|| Problem::NotInteger {
                    actual: shown(field, text),
                })
        }
        (FieldKind::Integer, other) => Err(wrong_kind("integer", other)),
        (FieldKind::Code(codes), Cell::Text(text)) => {
            if codes.iter().any(|code| code.code == *text) {
                return Ok(FaceValue::Text(text.clone()));
            }
            let expected: Vec<&str> = codes.iter().map(|code| code.code.as_str()).collect();
            let expected = clip(&expected.join(", "));
            Err(Problem::NotOneOf {
                expected,
                actual: shown(field, text),
            })
        }
        (FieldKind::Date, Cell::Text(text)) => Date::parse(text)
            .map(|date| FaceValue::Text(date.to_string()))
            .map_err(|source| Problem::Time {
                actual: shown(field, text),
                source,
            }),
        (
            FieldKind::Text {
                max_length,
                pattern,
            },
            Cell::Text(text),
        ) => {
            let text = text::clean(text, *max_length)?;
            let values = Values {
                holder: "",
                region: "",
                year: 0,
            };
            match pattern {
                Some(pattern) if !pattern.fits(&text, values) => Err(Problem::Pattern {
                    expected: pattern.to_string(),
                    actual: shown(field, &text),
                }),
                _ => Ok(FaceValue::Text(text)),
            }
        }
        (_, other) => Err(wrong_kind("text", other)),
    }
}

/// A value for an error message; one that is not public stays out of it.
fn shown(field: &Field, value: &str) -> String {
    match field.sensitivity {
        Sensitivity::Public => clip(value),
        Sensitivity::Personal | Sensitivity::Secret => "(not shown)".to_owned(),
    }
}

/// Plain digits: no sign, separators or leading zeros, so that a value has one spelling.
fn integer(text: &str) -> Option<u64> {
    let plain = text == "0" || !text.starts_with('0');
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|n| plain && digits && *n <= limits::INTEGER)
}
