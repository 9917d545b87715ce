//! The intent: the newest head the log's key may have signed, kept outside the database.
//!
//! It is durable before the key signs. So whatever happens to the database, the program can tell
//! that a head of this size may be in somebody's hands, and never signs another one beside it.
//!
//! ```json
//! {"format":"zhao/v1 intent","origin":"zhao.example/changzhou","root":"…","size":5}
//! ```

use zhao_spec::log::tree::{TreeSize, empty_root};
use zhao_spec::wire::write::object_bytes;
use zhao_spec::wire::{Fields, Hash, Malformed, json, limits};

/// Name of the file.
pub const FILE: &str = "intent";
/// Largest intent read, bytes.
const INTENT_BYTES: usize = 1_024;
const FORMAT: &str = "zhao/v1 intent";

/// The newest head that may have been signed; size 0 before the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The log's name.
    pub origin: String,
    /// Root of the tree of that size.
    pub root: Hash,
    /// Number of leaves.
    pub size: TreeSize,
}

impl Intent {
    /// Nothing was ever signed.
    #[must_use]
    pub fn none(origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            root: empty_root(),
            size: TreeSize(0),
        }
    }

    /// The file's bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = object_bytes(|o| {
            o.text("format", FORMAT)
                .text("origin", &self.origin)
                .hash("root", &self.root)
                .int("size", self.size.0);
        });
        bytes.push(b'\n');
        bytes
    }

    /// Reads the file's bytes.
    ///
    /// # Errors
    /// Not canonical JSON of this format.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let value = json::parse_file_within(bytes, INTENT_BYTES)?;
        let mut fields = Fields::new(&value, "")?;
        fields.literal("format", FORMAT)?;
        let intent = Self {
            origin: fields
                .text_within("origin", limits::ORIGIN_BYTES)?
                .to_owned(),
            root: fields.hash("root")?,
            size: TreeSize(fields.int("size")?),
        };
        fields.finish()?;
        Ok(intent)
    }
}
