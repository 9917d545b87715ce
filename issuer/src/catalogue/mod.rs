//! The catalogue: what kinds of licence there are, and what a licence of each kind says.
//!
//! One JSON file a type. The schema is closed: a member this module does not know is refused, and
//! so is a licence that says something its type's entry does not name, because an office may
//! collect only what it has a stated purpose for. The entry's digest stands in the `publish-type`
//! event, so whoever has the file can check that it is the one in force.
//!
//! Out of scope: templates, seals, approval steps, and who may publish (the administrators' keys).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use zhao_spec::id::{HolderCodeType, LicenceTypeCode, Uscc};
use zhao_spec::life::data::{Action, InspectionRule, Openness, PublishType};
use zhao_spec::life::verb::Verb;
use zhao_spec::wire::foreign::{self, ForeignError};
use zhao_spec::wire::{Hash, Malformed, clip, json, sha256};

mod pattern;
mod read;
mod term;

pub use pattern::{Pattern, PatternError, Values};
pub use read::ENTRY_BYTES;
pub use term::{Term, TermError, Until, last_day};

/// The entries that come with the program: slug and file.
const EMBEDDED: [(&str, &str); 8] = [
    (
        "approval-document",
        include_str!("../../catalogue/approval-document.json"),
    ),
    (
        "birth-certificate",
        include_str!("../../catalogue/birth-certificate.json"),
    ),
    (
        "business-licence",
        include_str!("../../catalogue/business-licence.json"),
    ),
    (
        "composite-permit",
        include_str!("../../catalogue/composite-permit.json"),
    ),
    (
        "construction-safety-officer",
        include_str!("../../catalogue/construction-safety-officer.json"),
    ),
    (
        "food-operation",
        include_str!("../../catalogue/food-operation.json"),
    ),
    (
        "real-estate-title",
        include_str!("../../catalogue/real-estate-title.json"),
    ),
    (
        "road-transport-operation",
        include_str!("../../catalogue/road-transport-operation.json"),
    ),
];

/// A name in Chinese and English.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// English, for screens.
    pub en: String,
    /// Chinese, as the licence says.
    pub zh: String,
}

/// 标准级别: at which level the type was standardised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandardLevel {
    /// By a district or county.
    District,
    /// By a city.
    Municipal,
    /// Nationally; then the entry names the standard.
    National,
}

/// Who may see a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sensitivity {
    /// Says something about a natural person.
    Personal,
    /// Anyone, if the type is open.
    Public,
    /// Never in any public or catalogue answer.
    Secret,
}

/// One value of a code list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// What the licence says.
    pub code: String,
    /// What it means.
    pub names: Names,
}

/// What values a field has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// `true` or `false`.
    Boolean,
    /// One of a list.
    Code(Vec<Code>),
    /// A calendar day, `YYYY-MM-DD`.
    Date,
    /// 0 to 2^53 − 1.
    Integer,
    /// Text.
    Text {
        /// Most characters.
        max_length: usize,
        /// What it must look like.
        pattern: Option<Pattern>,
    },
}

/// One field of the face data (照面信息).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// What values it has.
    pub kind: FieldKind,
    /// Name in JSON and column title in batches.
    pub name: String,
    /// What it is collected for.
    pub purpose: String,
    /// Whether every licence says it.
    pub required: bool,
    /// Who may see it.
    pub sensitivity: Sensitivity,
    /// Title on screens.
    pub titles: Names,
}

/// 年检, 年审: what inspections do and how often they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Months from issue, or from one inspection, to the next; none without a rule.
    pub cycle_months: Option<u32>,
    /// What a failed or overdue one does.
    pub rule: InspectionRule,
}

/// One licence type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The body that defined the type.
    pub definer: Definer,
    /// SHA-256 of the entry's canonical JSON: what `publish-type` commits to.
    pub digest: Hash,
    /// Face data, in the order of the file.
    pub fields: Vec<Field>,
    /// Code types a holder may have, ascending.
    pub holders: Vec<HolderCodeType>,
    /// Whether individual businesses are in the public index too.
    pub individual_businesses: bool,
    /// Whether licences of the type are in their holder's public index.
    pub indexed: bool,
    /// Inspections.
    pub inspection: Inspection,
    /// Its names.
    pub names: Names,
    /// How licence numbers are made and checked.
    pub number: Pattern,
    /// Who may see licences of the type.
    pub openness: Openness,
    /// Short name in commands and file names.
    pub slug: String,
    /// Level of the standard.
    pub standard_level: StandardLevel,
    /// The standard.
    pub standard_ref: Option<String>,
    /// 21 characters, GB/T 36904.
    pub type_code: LicenceTypeCode,
    /// How long licences last.
    pub validity: Vec<Term>,
    /// Licence verbs that apply, ascending by word.
    pub verbs: Vec<Verb>,
    /// Version of the entry, from 1.
    pub version: u64,
}

/// 证照定义机构: the body that defined a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definer {
    /// Its code: the first 18 characters of the type code.
    pub code: Uscc,
    /// Its name.
    pub name: String,
}

/// Why a catalogue cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// Two files define the same type or use the same slug.
    #[error("{}: {what} {value:?} is in {} already", path.display(), other.display())]
    Duplicate {
        /// The second file.
        path: PathBuf,
        /// `type code` or `slug`.
        what: &'static str,
        /// The value.
        value: String,
        /// The first file.
        other: PathBuf,
    },
    /// The operating system refuses.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What it says.
        source: std::io::Error,
    },
    /// The file is not JSON that everybody reads alike.
    #[error("{}: {source}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: ForeignError,
    },
    /// The entry is not one.
    #[error("{}: {source}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: Malformed,
    },
    /// The file is named otherwise than its entry.
    #[error("{}: slug is {actual:?}, expected the file's name", path.display())]
    Slug {
        /// The file.
        path: PathBuf,
        /// What the entry says.
        actual: String,
    },
    /// No entry has this type code or slug.
    #[error("no licence type {actual:?} in the catalogue")]
    Unknown {
        /// What was asked for, clipped.
        actual: String,
    },
}

impl Entry {
    /// The entry of a file's bytes. White space is free, so that people can edit the file; the
    /// digest is that of the canonical form.
    ///
    /// # Errors
    /// Not JSON, or not an entry; `path` is for the message.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, CatalogueError> {
        let json_error = |source| CatalogueError::Json {
            path: path.to_owned(),
            source,
        };
        let malformed = |source| CatalogueError::Malformed {
            path: path.to_owned(),
            source,
        };
        if bytes.len() > ENTRY_BYTES {
            let problem = zhao_spec::wire::Problem::TooLong {
                limit: ENTRY_BYTES,
                actual: bytes.len(),
            };
            return Err(malformed(Malformed::new("", problem)));
        }
        let canonical = foreign::canonicalize(&foreign::parse_foreign(bytes).map_err(json_error)?);
        let value = json::parse(&canonical).map_err(|error| malformed(Malformed::from(error)))?;
        read::entry(&value, sha256(&[&canonical])).map_err(malformed)
    }

    /// The event data that puts this version of the entry in force.
    #[must_use]
    pub fn publish(&self) -> Action {
        Action::PublishType(Box::new(PublishType {
            digest: self.digest,
            individual_businesses: self.individual_businesses,
            indexed: self.indexed,
            inspection: self.inspection.rule,
            openness: self.openness,
            type_code: self.type_code.as_str().to_owned(),
            verbs: self.verbs.clone(),
            version: self.version,
        }))
    }

    /// The field `name`.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// All entries of one office.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue {
    entries: BTreeMap<LicenceTypeCode, (PathBuf, Entry)>,
}

impl Catalogue {
    /// The entries that come with the program.
    ///
    /// # Errors
    /// None unless the program was built from a broken catalogue.
    pub fn embedded() -> Result<Self, CatalogueError> {
        let mut catalogue = Self::default();
        for (slug, text) in EMBEDDED {
            catalogue.add(Path::new(slug).with_extension("json"), text.as_bytes())?;
        }
        Ok(catalogue)
    }

    /// Writes the entries that come with the program to `dir`; files that are there stay.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn write_embedded(dir: &Path) -> Result<(), CatalogueError> {
        let io = |path: &Path, source| CatalogueError::Io {
            path: path.to_owned(),
            source,
        };
        fs::create_dir_all(dir).map_err(|source| io(dir, source))?;
        for (slug, text) in EMBEDDED {
            let path = dir.join(slug).with_extension("json");
            if !path.exists() {
                fs::write(&path, text).map_err(|source| io(&path, source))?;
            }
        }
        Ok(())
    }

    /// Every `*.json` of `dir`.
    ///
    /// # Errors
    /// The directory cannot be read, a file is no entry, or two are the same type.
    pub fn load(dir: &Path) -> Result<Self, CatalogueError> {
        let io = |source| CatalogueError::Io {
            path: dir.to_owned(),
            source,
        };
        let mut paths = Vec::new();
        for entry in fs::read_dir(dir).map_err(io)? {
            let path = entry.map_err(io)?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                paths.push(path);
            }
        }
        paths.sort_unstable();
        let mut catalogue = Self::default();
        for path in paths {
            let bytes = fs::read(&path).map_err(|source| CatalogueError::Io {
                path: path.clone(),
                source,
            })?;
            catalogue.add(path, &bytes)?;
        }
        Ok(catalogue)
    }

    fn add(&mut self, path: PathBuf, bytes: &[u8]) -> Result<(), CatalogueError> {
        let entry = Entry::parse(&path, bytes)?;
        if path.file_stem().and_then(|stem| stem.to_str()) != Some(&entry.slug) {
            return Err(CatalogueError::Slug {
                path,
                actual: entry.slug,
            });
        }
        if let Some((other, _)) = self.entries.get(&entry.type_code) {
            return Err(CatalogueError::Duplicate {
                path,
                what: "type code",
                value: entry.type_code.to_string(),
                other: other.clone(),
            });
        }
        self.entries.insert(entry.type_code.clone(), (path, entry));
        Ok(())
    }

    /// The entry with this type code or slug.
    ///
    /// # Errors
    /// There is none.
    pub fn entry(&self, code_or_slug: &str) -> Result<&Entry, CatalogueError> {
        self.entries()
            .find(|entry| entry.type_code.as_str() == code_or_slug || entry.slug == code_or_slug)
            .ok_or_else(|| CatalogueError::Unknown {
                actual: clip(code_or_slug),
            })
    }

    /// Every entry, by ascending type code.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values().map(|(_, entry)| entry)
    }

    /// The entries whose licences anyone may see: the public issuing list.
    pub fn public(&self) -> impl Iterator<Item = &Entry> {
        self.entries()
            .filter(|entry| entry.openness == Openness::Open)
    }
}

#[cfg(test)]
mod tests;
