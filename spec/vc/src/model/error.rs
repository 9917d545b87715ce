//! What is wrong with a credential or a presentation, and where.

use super::MomentError;

/// Why a document is no credential or presentation. `path` is where: member names joined by `.`,
/// elements in brackets, each name clipped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A member is not there.
    #[error("{path} is missing")]
    Missing {
        /// Where.
        path: String,
    },
    /// A value of another kind.
    #[error("{path} is {actual}, expected {expected}")]
    Kind {
        /// Where.
        path: String,
        /// The kind that belongs there.
        expected: &'static str,
        /// The kind that is there.
        actual: &'static str,
    },
    /// A text, array or object with nothing in it.
    #[error("{path} is empty")]
    Empty {
        /// Where.
        path: String,
    },
    /// The same thing twice in a set.
    #[error("{path} repeats {actual}")]
    Twice {
        /// Where the second stands.
        path: String,
        /// What, clipped.
        actual: String,
    },
    /// More of a set than are compared with each other.
    #[error("{path} is one of more than {limit}")]
    TooMany {
        /// Where the first too many stands.
        path: String,
        /// How many there may be.
        limit: usize,
    },
    /// Not an absolute URL.
    #[error("{path} is {actual:?}, which is no absolute URL")]
    Url {
        /// Where.
        path: String,
        /// What is there, clipped.
        actual: String,
    },
    /// A member name that would be a second name of something the data model names.
    #[error("{path}: {actual:?} names by another name what the data model names")]
    Name {
        /// The object.
        path: String,
        /// The member's name, clipped.
        actual: String,
    },
    /// A member of the other version of the data model.
    #[error("{path} is no member of this version of the data model")]
    OtherVersion {
        /// Where.
        path: String,
    },
    /// The first context is not the base context of a version that is read.
    #[error("{path} does not begin with the base context of the data model")]
    BaseContext {
        /// Where.
        path: String,
    },
    /// A context gives another meaning to a term of the base context.
    #[error("{path} gives another meaning to a term of the base context")]
    Redefined {
        /// Where.
        path: String,
    },
    /// A context makes a term mean a keyword or a property of the base context.
    #[error("{path} makes another name for what the data model names")]
    Alias {
        /// Where.
        path: String,
    },
    /// `null` in a context's place would undo the contexts before it.
    #[error("{path} would undo the contexts before it")]
    NullContext {
        /// Where.
        path: String,
    },
    /// A keyword in a context that is not read; `@import` would fetch.
    #[error("{path} is a keyword that no context here may have")]
    ContextKeyword {
        /// Where.
        path: String,
    },
    /// A type that must be among the types is not.
    #[error("{path} lacks {expected}")]
    Type {
        /// Where.
        path: String,
        /// The type.
        expected: &'static str,
    },
    /// An envelope in the place of what it holds, or the other way round.
    #[error("{path} is {actual}, expected {expected}")]
    Envelope {
        /// Where.
        path: String,
        /// What belongs there.
        expected: &'static str,
        /// What is there.
        actual: &'static str,
    },
    /// Not a `data:` URL with data.
    #[error("{path} is no data: URL with a media type and data")]
    Data {
        /// Where.
        path: String,
    },
    /// Not a media type, or none of those that may stand there.
    #[error("{path} has the media type {actual:?}, which may not stand there")]
    MediaType {
        /// Where.
        path: String,
        /// What is there, clipped.
        actual: String,
    },
    /// A language tag that is none.
    #[error("{path} is {actual:?}, which is no language tag (BCP 47)")]
    Language {
        /// Where.
        path: String,
        /// What is there, clipped.
        actual: String,
    },
    /// A direction that is none.
    #[error("{path} is {actual:?}, expected ltr or rtl")]
    Direction {
        /// Where.
        path: String,
        /// What is there, clipped.
        actual: String,
    },
    /// A member that such an object does not have.
    #[error("{path} is unknown there")]
    Unknown {
        /// Where.
        path: String,
    },
    /// Not a date and time with a zone.
    #[error("{path} {source}")]
    Time {
        /// Where.
        path: String,
        /// What is wrong with it.
        source: MomentError,
    },
    /// It ends before it begins.
    #[error("{path} is before the beginning of the validity")]
    Validity {
        /// Where the end stands.
        path: String,
    },
    /// Neither `digestSRI` nor `digestMultibase`.
    #[error("{path} has no digest")]
    NoDigest {
        /// Where.
        path: String,
    },
    /// A digest that is no digest of a kind that is read.
    #[error("{path} is no digest that is read here")]
    Digest {
        /// Where.
        path: String,
    },
    /// A digest of something else than the resource.
    #[error("{path} is not the digest of {resource}")]
    WrongDigest {
        /// Where.
        path: String,
        /// The resource's URL, clipped.
        resource: String,
    },
    /// Something to be secured has a proof already.
    #[error("{path} is there, in a document to be secured")]
    Secured {
        /// Where.
        path: String,
    },
    /// A credential secured by the presentation alone is not its holder's.
    #[error("{path} has no proof, and its issuer is not the holder")]
    Holder {
        /// The credential.
        path: String,
    },
}

impl ModelError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "model-missing",
            Self::Kind { .. } => "model-kind",
            Self::Empty { .. } => "model-empty",
            Self::Twice { .. } => "model-twice",
            Self::TooMany { .. } => "model-too-many",
            Self::Url { .. } => "model-url",
            Self::Name { .. } => "model-name",
            Self::OtherVersion { .. } => "model-version",
            Self::BaseContext { .. } => "model-base-context",
            Self::Redefined { .. } => "model-redefined",
            Self::Alias { .. } => "model-alias",
            Self::NullContext { .. } => "model-null-context",
            Self::ContextKeyword { .. } => "model-context-keyword",
            Self::Type { .. } => "model-type",
            Self::Envelope { .. } => "model-envelope",
            Self::Data { .. } => "model-data",
            Self::MediaType { .. } => "model-media-type",
            Self::Language { .. } => "model-language",
            Self::Direction { .. } => "model-direction",
            Self::Unknown { .. } => "model-unknown",
            Self::Time { source, .. } => source.code(),
            Self::Validity { .. } => "model-validity",
            Self::NoDigest { .. } => "model-no-digest",
            Self::Digest { .. } => "model-digest",
            Self::WrongDigest { .. } => "model-wrong-digest",
            Self::Secured { .. } => "model-secured",
            Self::Holder { .. } => "model-holder",
        }
    }
}
