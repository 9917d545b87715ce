//! Checkpoints (c2sp.org/tlog-checkpoint): the signed statement of a log's size and root.
//!
//! The text is three lines: origin, size, root. C2SP allows extension lines after them and
//! advises against; our logs never write them, witnesses in use refuse them, and not every
//! cosignature covers them, so they are refused here. Prose: `spec/checkpoint.md`.

#[cfg(test)]
mod tests;

use thiserror::Error;

use super::note::{NoteError, SignedNote, Vkey, check_name};
use super::text::decimal;
use super::tree::{SIZE_LIMIT, TreeSize, empty_root};
use crate::wire::clip;
use crate::wire::hash::Hash;

/// Why a checkpoint was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// A tree without entries has only one root, and this is not it.
    #[error("size is 0 but the root is not the empty tree's")]
    EmptyRoot,
    /// The text has lines after the root.
    #[error("checkpoint has extension lines")]
    ExtensionLine,
    /// The administrators named another key for this size, and it has not signed.
    #[error("another key signs heads of size {}", .checkpoint.size)]
    KeyReplaced {
        /// What the replaced key signed.
        checkpoint: Box<Checkpoint>,
    },
    /// Fewer than three lines, an empty line, or no newline at the end.
    #[error("checkpoint is not three lines")]
    Lines,
    /// The note around it was refused.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The first line cannot be a log's origin: it must be usable as a key name.
    #[error("not an origin: {origin:?}")]
    Origin {
        /// Beginning of the line.
        origin: String,
    },
    /// The origin is not the name of the log's key.
    #[error("origin is {actual:?}, expected {expected:?}")]
    OriginMismatch {
        /// Name of the log's key.
        expected: String,
        /// Beginning of the origin.
        actual: String,
    },
    /// The third line is not 32 bytes in standard base64.
    #[error("not a root hash: {root:?}")]
    Root {
        /// Beginning of the line.
        root: String,
    },
    /// The second line is not a decimal without leading zero.
    #[error("not a tree size: {size:?}")]
    Size {
        /// Beginning of the line.
        size: String,
    },
    /// The size is 2^62 or more.
    #[error("tree size {size} is not below 2^62")]
    SizeLimit {
        /// Size of the tree.
        size: TreeSize,
    },
}

impl CheckpointError {
    /// The stable code used in vectors and reports.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::EmptyRoot => "empty_root",
            Self::ExtensionLine => "extension_line",
            Self::KeyReplaced { .. } => "key_replaced",
            Self::Lines => "lines",
            Self::Note(error) => error.code(),
            Self::Origin { .. } => "origin",
            Self::OriginMismatch { .. } => "origin_mismatch",
            Self::Root { .. } => "root",
            Self::Size { .. } => "size",
            Self::SizeLimit { .. } => "tree_size_limit",
        }
    }
}

/// What a log states: this many entries, under this root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: its name, used nowhere else.
    pub origin: String,
    /// Number of entries.
    pub size: TreeSize,
    /// Root of the tree of that size.
    pub root: Hash,
}

impl Checkpoint {
    /// Reads a note text. Nothing about signatures is known here.
    ///
    /// # Errors
    /// `Lines`, `ExtensionLine`, `Origin`, `Size`, `SizeLimit`, `Root`, `EmptyRoot`.
    pub fn parse(body: &str) -> Result<Self, CheckpointError> {
        let body = body.strip_suffix('\n').ok_or(CheckpointError::Lines)?;
        let mut lines = body.split('\n');
        let mut line = || lines.next().ok_or(CheckpointError::Lines);
        let (origin, size_text, root_text) = (line()?, line()?, line()?);
        if lines.next().is_some() {
            return Err(CheckpointError::ExtensionLine);
        }
        check_name(origin).map_err(|_| CheckpointError::Origin {
            origin: clip(origin),
        })?;
        let size = decimal(size_text).map(TreeSize);
        let size = size.ok_or_else(|| CheckpointError::Size {
            size: clip(size_text),
        })?;
        if size.0 >= SIZE_LIMIT {
            return Err(CheckpointError::SizeLimit { size });
        }
        let root = Hash::from_base64(root_text).map_err(|_| CheckpointError::Root {
            root: clip(root_text),
        })?;
        if size.0 == 0 && root != empty_root() {
            return Err(CheckpointError::EmptyRoot);
        }
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root,
        })
    }

    /// The note text: three lines, each ended by a newline.
    #[must_use]
    pub fn body(&self) -> String {
        format!(
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            self.root.to_base64()
        )
    }

    /// The note to be signed.
    ///
    /// # Errors
    /// What [`Checkpoint::parse`] says about the text: a value that cannot be read back is not
    /// signed.
    pub fn to_note(&self) -> Result<SignedNote, CheckpointError> {
        let body = self.body();
        Self::parse(&body)?;
        Ok(SignedNote::new(&body)?)
    }
}

/// Opens a checkpoint signed by the log `log_key`, whose name must be its origin.
///
/// Cosignatures are not looked at: see [`super::policy`].
///
/// # Errors
/// What note and text are refused for, the signature first; `OriginMismatch`.
pub fn open(note: &str, log_key: &Vkey) -> Result<(Checkpoint, SignedNote), CheckpointError> {
    let note = SignedNote::parse(note)?;
    note.verify(log_key)?;
    let checkpoint = Checkpoint::parse(note.text())?;
    if checkpoint.origin != log_key.name() {
        return Err(CheckpointError::OriginMismatch {
            expected: clip(log_key.name()),
            actual: clip(&checkpoint.origin),
        });
    }
    Ok((checkpoint, note))
}
