//! The catalogue: what kinds of licence there are, and what a licence of each kind says.
//!
//! One JSON file a type. The schema is closed: a member this module does not know is refused, and
//! so is a licence that says something its type's entry does not name, because an office may
//! collect only what it has a stated purpose for. The entry's digest stands in the `publish-type`
//! event, so whoever has the file can check that it is the one in force.
//!
//! Members that a place or a sensitive type asks for are optional in reading, so that entries of
//! before are understood, and needed in publishing ([`Entry::unpublishable`], [`Profile`]).
//!
//! Out of scope: drawing a face, keeping seals, and who may publish (the administrators' keys).
//!
//! Prose: `issuer/catalogue.md`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use zhao_spec::id::LicenceTypeCode;
use zhao_spec::life::data::Openness;
use zhao_spec::wire::clip;
use zhao_spec::wire::foreign::ForeignError;

mod compare;
mod entry;
mod pattern;
mod picture;
mod profile;
mod read;
mod rule;
mod schema;
mod term;
mod view;

pub use compare::{Difference, compare, incompatible};
pub use entry::{
    Code, Conditions, Consent, Definer, Entry, Field, FieldKind, Grade, Inspection, MatterKind,
    Media, Names, Picture, Placed, Register, RegisterRule, Seal, Sensitivity, StandardLevel,
    Template, Without,
};
pub use pattern::{Pattern, PatternError, Values};
pub use picture::{PICTURE_BYTES, PICTURES, check_pictures, load_picture};
pub use profile::{Gap, How, Item, Needed, Profile};
pub use read::ENTRY_BYTES;
pub use rule::{Fault, Faults, Rule, Wrong};
pub use term::{Term, TermError, Until, last_day};
pub use view::{Audience, Disclosed};

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

/// The pictures that those entries name.
const EMBEDDED_PICTURES: [(&str, &[u8]); 3] = [
    (
        "background.png",
        include_bytes!("../../catalogue/pictures/background.png"),
    ),
    (
        "sample.png",
        include_bytes!("../../catalogue/pictures/sample.png"),
    ),
    (
        "seal.png",
        include_bytes!("../../catalogue/pictures/seal.png"),
    ),
];

fn embedded_picture(file: &str) -> Option<&'static [u8]> {
    let mut pictures = EMBEDDED_PICTURES.iter();
    pictures
        .find(|(name, _)| *name == file)
        .map(|(_, bytes)| *bytes)
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
    #[error("{}: {faults}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// All that is wrong.
        faults: Faults,
    },
    /// The file is named otherwise than its entry.
    #[error("{}: slug is {actual:?}, expected the file's name", path.display())]
    Slug {
        /// The file.
        path: PathBuf,
        /// What the entry says.
        actual: String,
    },
    /// No profile has this code.
    #[error("no profile {actual:?}, expected one of {known}")]
    UnknownProfile {
        /// What was asked for, clipped.
        actual: String,
        /// Those there are.
        known: String,
    },
    /// No entry has this type code or slug.
    #[error("no licence type {actual:?} in the catalogue")]
    Unknown {
        /// What was asked for, clipped.
        actual: String,
    },
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

    /// Writes the entries that come with the program, and their pictures, to `dir`; files that are
    /// there stay.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn write_embedded(dir: &Path) -> Result<(), CatalogueError> {
        let io = |path: &Path, source| CatalogueError::Io {
            path: path.to_owned(),
            source,
        };
        let pictures = dir.join(PICTURES);
        fs::create_dir_all(&pictures).map_err(|source| io(&pictures, source))?;
        let entries = EMBEDDED.map(|(slug, text)| {
            let path = dir.join(slug).with_extension("json");
            (path, text.as_bytes())
        });
        let pictures = EMBEDDED_PICTURES.map(|(name, bytes)| (pictures.join(name), bytes));
        for (path, bytes) in entries.into_iter().chain(pictures) {
            if !path.exists() {
                fs::write(&path, bytes).map_err(|source| io(&path, source))?;
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

    /// Puts an entry in the place of the one that has its type code, or adds it: after it has come
    /// into force.
    pub fn put(&mut self, path: PathBuf, entry: Entry) {
        self.entries.insert(entry.type_code.clone(), (path, entry));
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
