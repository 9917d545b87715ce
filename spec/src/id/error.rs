//! What can be wrong with a number or code.

use std::fmt;

/// Which kind of number an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NumberKind {
    /// Citizen identity number.
    CitizenId,
    /// Holder code type.
    HolderCodeType,
    /// Licence identifier.
    LicenceIdentifier,
    /// Licence type code.
    LicenceType,
    /// Region code.
    Region,
    /// Unified social credit code.
    Uscc,
}

impl fmt::Display for NumberKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CitizenId => "citizen identity number",
            Self::HolderCodeType => "holder code type",
            Self::LicenceIdentifier => "licence identifier",
            Self::LicenceType => "licence type code",
            Self::Region => "region code",
            Self::Uscc => "unified social credit code",
        })
    }
}

/// Which check character failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckOf {
    /// Position 18 of a citizen identity number (GB 11643, MOD 11-2).
    CitizenId,
    /// The last character of a licence identifier (GB/T 17710, MOD 37,36).
    LicenceIdentifier,
    /// Position 9 of an organisation code, 17 of a unified social credit code (GB 11714).
    Organisation,
    /// Position 18 of a unified social credit code (GB 32100, MOD 31).
    Uscc,
}

impl fmt::Display for CheckOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CitizenId => "citizen identity number",
            Self::LicenceIdentifier => "licence identifier",
            Self::Organisation => "organisation code",
            Self::Uscc => "unified social credit code",
        })
    }
}

/// Why a text is not the number or code it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// Birth date that the calendar lacks, or before 1900 (GB 11643).
    #[error("citizen identity number has no such birth date")]
    BirthDate,
    /// A category the registering department does not have (GB 32100).
    #[error("registering department {department} has no category {actual}")]
    Category {
        /// Position 1.
        department: char,
        /// Position 2.
        actual: char,
    },
    /// A character the position does not allow.
    #[error("{of} does not allow the character at {offset}")]
    Character {
        /// Which number.
        of: NumberKind,
        /// Byte offset in that number.
        offset: usize,
    },
    /// A check character that does not follow from the others.
    #[error("check character of {of} is {actual}, computed {expected}")]
    Check {
        /// Which check.
        of: CheckOf,
        /// The character that follows from the others.
        expected: char,
        /// The character found.
        actual: char,
    },
    /// A registering department GB 32100 does not list.
    #[error("no registering department {actual}")]
    Department {
        /// Position 1.
        actual: char,
    },
    /// A holder code type GB/T 36903 does not list.
    #[error("no such holder code type")]
    HolderCodeType,
    /// Another number of characters.
    #[error("{of} has {actual} bytes, not {expected}")]
    Length {
        /// Which number.
        of: NumberKind,
        /// Lengths allowed, in words.
        expected: &'static str,
        /// Length found, bytes.
        actual: usize,
    },
    /// Not five parts separated by dots after the root.
    #[error("licence identifier has {actual} parts after the root, not 5")]
    Parts {
        /// Parts found.
        actual: usize,
    },
    /// The first two digits are no province.
    #[error("region code has no such province")]
    Province,
    /// The identifier does not begin with the root `1.2.156.3005.2.`.
    #[error("licence identifier does not begin with 1.2.156.3005.2.")]
    Root,
    /// Version 000.
    #[error("licence identifier has version 000")]
    Version,
}

impl IdError {
    /// Stable short code, used in vectors.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::BirthDate => "citizen-id-birth-date",
            Self::Category { .. } => "uscc-category",
            Self::Character { of, .. } => match of {
                NumberKind::CitizenId => "citizen-id-character",
                NumberKind::HolderCodeType => "holder-code-type",
                NumberKind::LicenceIdentifier => "licence-identifier-character",
                NumberKind::LicenceType => "licence-type-character",
                NumberKind::Region => "region-character",
                NumberKind::Uscc => "uscc-character",
            },
            Self::Check { of, .. } => match of {
                CheckOf::CitizenId => "citizen-id-check",
                CheckOf::LicenceIdentifier => "licence-identifier-check",
                CheckOf::Organisation => "organisation-check",
                CheckOf::Uscc => "uscc-check",
            },
            Self::Department { .. } => "uscc-department",
            Self::HolderCodeType => "holder-code-type",
            Self::Length { of, .. } => match of {
                NumberKind::CitizenId => "citizen-id-length",
                NumberKind::HolderCodeType => "holder-code-type",
                NumberKind::LicenceIdentifier => "licence-identifier-length",
                NumberKind::LicenceType => "licence-type-length",
                NumberKind::Region => "region-length",
                NumberKind::Uscc => "uscc-length",
            },
            Self::Parts { .. } => "licence-identifier-parts",
            Self::Province => "region-province",
            Self::Root => "licence-identifier-root",
            Self::Version => "licence-identifier-version",
        }
    }
}
