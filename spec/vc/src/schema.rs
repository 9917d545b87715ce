//! JSON Schemas of credentials: W3C VC JSON Schema (`credentialSchema` of type `JsonSchema`), and
//! of JSON Schema draft 2020-12 a closed part. Prose: `spec/data-model.md`.
//!
//! A keyword that is not read makes the schema unreadable, so that nothing a schema asks for is
//! silently left unchecked. No schema is fetched: the caller has it, or the answer is that nobody
//! knows. Checking takes a bounded number of steps, whoever wrote the schema.

use std::collections::BTreeMap;

use zhao_spec::wire::clip;
use zhao_spec::wire::foreign::{Foreign, canonicalize, parse_foreign};

use crate::model::Credential;
use crate::model::place::Place;
use crate::model::resource::{digests_of, is_digest};

mod check;
mod error;
mod pattern;
mod read;

pub use error::SchemaError;

/// What `$schema` must say.
pub const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
/// The `type` of a credential's schema that is read.
pub const JSON_SCHEMA: &str = "JsonSchema";

/// Most subschemas of one schema.
const PARTS: usize = 4_096;
/// Most steps of checking one document: one for a keyword at a value, a member or element looked
/// at, a state of a pattern at a character. A second or so.
const STEPS: usize = 10_000_000;
/// Deepest row of subschemas at work: as a document nests 32 deep, four for each.
const DEPTH: usize = 128;

/// A schema that is read.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    bytes: Vec<u8>,
    root: usize,
    nodes: Vec<Node>,
}

/// One subschema: every keyword that it has.
#[derive(Clone, Debug, Default, PartialEq)]
struct Node {
    never: bool,
    reference: Option<usize>,
    types: Option<Vec<Kind>>,
    /// Canonical bytes of the values, for `enum` and `const`.
    among: Option<Vec<Vec<u8>>>,
    constant: Option<Vec<u8>>,
    properties: BTreeMap<String, usize>,
    required: Vec<String>,
    additional: Option<usize>,
    prefix: Vec<usize>,
    items: Option<usize>,
    contains: Option<usize>,
    unique: bool,
    item_count: Range,
    length: Range,
    minimum: Option<f64>,
    maximum: Option<f64>,
    pattern: Option<pattern::Pattern>,
    format: Option<Format>,
    all_of: Vec<usize>,
    any_of: Option<Vec<usize>>,
    one_of: Option<Vec<usize>>,
    not: Option<usize>,
}

/// Least and most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Range {
    least: usize,
    most: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Null,
    Boolean,
    Object,
    Array,
    Number,
    Integer,
    String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Date,
    DateTime,
    Uri,
}

impl Schema {
    /// The schema of a file's bytes.
    ///
    /// # Errors
    /// Not JSON, of another draft, or with anything that is not read.
    pub fn parse(bytes: &[u8]) -> Result<Self, SchemaError> {
        let document = parse_foreign(bytes).map_err(SchemaError::Json)?;
        let (root, nodes) = read::read(&document)?;
        Ok(Self {
            bytes: bytes.to_owned(),
            root,
            nodes,
        })
    }

    /// That `document` conforms.
    ///
    /// # Errors
    /// [`SchemaError::Mismatch`] if it does not; [`SchemaError::Work`] if nobody can tell within
    /// the steps allowed.
    pub fn check(&self, document: &Foreign) -> Result<(), SchemaError> {
        check::Checker::new(&self.nodes).check(self.root, document, &Place::ROOT)
    }
}

/// Whoever has schemas by their URLs.
pub trait Schemas {
    /// The schema at `id`, if it is at hand.
    fn schema(&self, id: &str) -> Option<&Schema>;
}

impl Schemas for BTreeMap<String, Schema> {
    fn schema(&self, id: &str) -> Option<&Schema> {
        self.get(id)
    }
}

/// What a credential is under one of its schemas.
#[derive(Clone, Debug, PartialEq)]
pub enum Conformity {
    /// It conforms.
    Pass,
    /// It does not, or the schema at hand is not the one it means.
    Fail(SchemaError),
    /// Nobody can tell: the schema is not at hand, of another type, or takes too long.
    Undetermined(SchemaError),
}

/// What a credential is under each of its schemas, in their order (VC JSON Schema §2.1, §4).
/// The schema sees the whole document, `proof` included.
#[must_use]
pub fn check_credential<'a>(
    credential: &Credential<'a>,
    schemas: &(impl Schemas + ?Sized),
) -> Vec<(&'a str, Conformity)> {
    let place = Place::ROOT.name("credentialSchema");
    let parts = credential.schemas.iter().enumerate();
    parts
        .map(|(at, part)| {
            let place = place.at(at);
            let id = part.id.unwrap_or_default();
            if part.types.as_slice() != [JSON_SCHEMA] {
                let path = place.name("type").path();
                return (id, Conformity::Undetermined(SchemaError::Type { path }));
            }
            let Some(schema) = schemas.schema(id) else {
                let id_ = clip(id);
                return (
                    id,
                    Conformity::Undetermined(SchemaError::Unknown { id: id_ }),
                );
            };
            let known = |function, hash: &[u8]| is_digest(&schema.bytes, function, hash);
            if let Err(error) = digests_of(part.value, &place, part.id, Some(&known)) {
                return (id, Conformity::Fail(SchemaError::Digest(error)));
            }
            match schema.check(credential.value) {
                Ok(()) => (id, Conformity::Pass),
                Err(error @ SchemaError::Mismatch { .. }) => (id, Conformity::Fail(error)),
                Err(error) => (id, Conformity::Undetermined(error)),
            }
        })
        .collect()
}

/// One form for equal values: numbers are equal by value, objects whatever the order.
fn same(value: &Foreign) -> Vec<u8> {
    canonicalize(value)
}

#[cfg(test)]
mod tests;
