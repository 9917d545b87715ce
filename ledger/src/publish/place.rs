//! A place outside this machine, or at least outside the database, that holds named objects.
//!
//! Everything [`publish`](super) asks of it is here: read, make what is not there, replace what is
//! as it was last read. An object store does that, and so does a folder.

use std::fmt;

/// Which content an object has, as the place tells contents apart (an `ETag`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag(pub String);

/// An object as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its content.
    pub bytes: Vec<u8>,
    /// Names that content.
    pub tag: Tag,
}

/// What became of a put that was done under a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// Stored, under this tag.
    Done(Tag),
    /// Not stored: the condition does not hold.
    Taken,
}

/// The place did not answer, or not as it must. Whether it did what was asked is unknown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct PlaceError {
    /// Which object.
    pub name: String,
    /// What went wrong.
    pub problem: String,
}

impl PlaceError {
    /// An error about the object `name`.
    pub fn new(name: &str, problem: impl fmt::Display) -> Self {
        Self {
            name: name.to_owned(),
            problem: problem.to_string(),
        }
    }
}

/// Named objects.
///
/// **Promise.** What a put answered [`Put::Done`] for is durable, and of several puts under the
/// same condition at most one is. Nothing else is relied on: an answer may be an error although
/// the place did what was asked, or does it later, and a read may show an older content.
/// [`probe`](super::probe) looks whether a place keeps conditions at all.
///
/// Names are chosen by this crate: `/` between parts, no part empty, `.` or `..`. An answer takes
/// as long as the place's own patience, never for ever.
pub trait Place: Send + Sync {
    /// The object, or nothing when there is none.
    ///
    /// # Errors
    /// No answer; more than `limit` bytes.
    fn get(&self, name: &str, limit: usize) -> Result<Option<Found>, PlaceError>;

    /// Makes an object that is not there.
    ///
    /// # Errors
    /// No answer.
    fn create(&self, name: &str, bytes: &[u8]) -> Result<Put, PlaceError>;

    /// Replaces the object whose content has this tag.
    ///
    /// # Errors
    /// No answer.
    fn swap(&self, name: &str, bytes: &[u8], expected: &Tag) -> Result<Put, PlaceError>;

    /// Removes an object, if it is there.
    ///
    /// # Errors
    /// No answer.
    fn delete(&self, name: &str) -> Result<(), PlaceError>;
}
