//! Old stock and increment.

use zhao_spec::wire::Date;

use super::{Cell, Row};
use crate::catalogue::Entry;

/// Where a licence comes from (ISS-13).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Issued on paper before the type's start of collection, and converted.
    Legacy,
    /// Issued as an electronic licence.
    #[default]
    New,
}

impl Origin {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Legacy, Self::New];

    /// The word in rows and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::New => "new",
        }
    }

    /// The one with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|origin| origin.as_str() == word)
    }

    /// That of a licence issued on `issued`, of a type collected from `start` on.
    #[must_use]
    pub fn of(issued: Date, start: Date) -> Self {
        if issued < start {
            Self::Legacy
        } else {
            Self::New
        }
    }

    /// That of a row that may be wrong elsewhere: what its date of issue says, else its own word,
    /// else new.
    #[must_use]
    pub fn of_row(row: &Row, entry: &Entry) -> Self {
        let text = |column: &str| match row.cells.get(column) {
            Some(Cell::Text(text)) => Some(text.as_str()),
            _ => None,
        };
        let issued = text("issuedDate").and_then(|text| Date::parse(text).ok());
        match issued.zip(entry.collection_start) {
            Some((issued, start)) => Self::of(issued, start),
            None => text("origin")
                .and_then(Self::from_word)
                .unwrap_or(Self::New),
        }
    }
}
