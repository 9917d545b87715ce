//! What is wrong with a schema, or with a document under it.

use crate::model::ModelError;
use zhao_spec::wire::foreign::ForeignError;

/// Why a schema is not read, or a document does not conform. `path` is where: member names joined
/// by `.`, elements in brackets, each name clipped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// The schema is no JSON that everybody reads alike.
    #[error("the schema: {0}")]
    Json(ForeignError),
    /// The schema does not say that it is of draft 2020-12.
    #[error("the schema does not say $schema {}", super::DIALECT)]
    Dialect,
    /// The value of a keyword is not of its kind.
    #[error("the schema's {path} is not {expected}")]
    Value {
        /// Where in the schema.
        path: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// A keyword that is not read, or not there: nothing of a schema is left unchecked.
    #[error("the schema's {path} is no keyword that is read there")]
    Keyword {
        /// Where in the schema.
        path: String,
    },
    /// A reference that leads out of the schema, or nowhere.
    #[error("the schema's {path} is no reference to one of its $defs")]
    Reference {
        /// Where in the schema.
        path: String,
    },
    /// A regular expression that is not read.
    #[error("the schema's {path} is no pattern that is read")]
    Pattern {
        /// Where in the schema.
        path: String,
    },
    /// A format that is not read.
    #[error("the schema's {path} is no format that is read")]
    Format {
        /// Where in the schema.
        path: String,
    },
    /// Too many subschemas.
    #[error("the schema has more than {limit} parts")]
    TooMany {
        /// How many there may be.
        limit: usize,
    },
    /// Checking takes more steps than are allowed, or the schema leads round in a circle.
    #[error("the schema takes more than {limit} steps, or leads round in a circle")]
    Work {
        /// How many steps there may be.
        limit: usize,
    },
    /// Nobody here has the schema.
    #[error("the schema {id} is not known")]
    Unknown {
        /// Its URL, clipped.
        id: String,
    },
    /// A way to check credentials that is not read.
    #[error("{path} is of a type that is not read")]
    Type {
        /// Where in the credential.
        path: String,
    },
    /// The schema at hand is not the one that the credential gives the digest of.
    #[error("the schema is another than the credential means: {0}")]
    Digest(ModelError),
    /// The document does not conform.
    #[error("{path} does not conform to the schema's {keyword}")]
    Mismatch {
        /// Where in the document.
        path: String,
        /// The keyword that refuses it.
        keyword: &'static str,
    },
}

impl SchemaError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Json(_) => "schema-json",
            Self::Dialect => "schema-dialect",
            Self::Value { .. } => "schema-value",
            Self::Keyword { .. } => "schema-keyword",
            Self::Reference { .. } => "schema-reference",
            Self::Pattern { .. } => "schema-pattern",
            Self::Format { .. } => "schema-format",
            Self::TooMany { .. } => "schema-too-many",
            Self::Work { .. } => "schema-work",
            Self::Unknown { .. } => "schema-unknown",
            Self::Type { .. } => "schema-type",
            Self::Digest(_) => "schema-digest",
            Self::Mismatch { .. } => "schema-mismatch",
        }
    }
}
