//! Map paths and their JSON.

use super::{MapError, bit, node_hash};
use crate::wire::fields::{Fields, Malformed, hash_of};
use crate::wire::hash::Hash;
use crate::wire::json::Value;
use crate::wire::limits;
use crate::wire::write::{self, ObjectWriter};

/// The leaf at which the way of an absent key ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// The leaf's key.
    pub key: Hash,
    /// The leaf's record hash.
    pub record_hash: Hash,
}

/// The way from the root to a leaf: where it branches, and what is on the other sides.
///
/// Nothing is checked until [`super::check_present`] or [`super::check_absent`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MapPath {
    /// Bits branched on, from the root down, so strictly increasing: at most 256.
    pub depths: Vec<u8>,
    /// The other child at each of them.
    pub hashes: Vec<Hash>,
    /// For absence in a map with keys: the leaf at the end. Nothing for presence.
    pub terminal: Option<Terminal>,
}

impl MapPath {
    /// As many hashes as depths, and depths that grow, which bounds both by 256.
    pub(super) fn check_shape(&self) -> Result<(), MapError> {
        let (depths, hashes) = (self.depths.len(), self.hashes.len());
        if depths != hashes {
            return Err(MapError::LengthMismatch { depths, hashes });
        }
        for pair in self.depths.windows(2) {
            if let [previous, depth] = *pair
                && depth <= previous
            {
                return Err(MapError::DepthsNotIncreasing { previous, depth });
            }
        }
        Ok(())
    }

    /// Hash above `leaf` at the top of the path; the key's bits say the sides.
    pub(super) fn climb(&self, key: &Hash, leaf: Hash) -> Hash {
        self.depths
            .iter()
            .zip(&self.hashes)
            .rev()
            .fold(leaf, |hash, (depth, other)| {
                if bit(key, *depth) {
                    node_hash(*depth, other, &hash)
                } else {
                    node_hash(*depth, &hash, other)
                }
            })
    }

    /// Reads the members `depths`, `hashes` and, for absence, `terminal`.
    ///
    /// # Errors
    /// A member is missing, malformed or too long. Unknown members are the caller's to refuse.
    pub fn from_fields(fields: &mut Fields<'_>) -> Result<Self, Malformed> {
        let depths = fields.bytes("depths", limits::MAP_PATH)?;
        let hashes = fields.items("hashes", limits::MAP_PATH, hash_of)?;
        let terminal = match fields.optional_object("terminal")? {
            None => None,
            Some(mut terminal) => {
                let key = terminal.hash("key")?;
                let record_hash = terminal.hash("recordHash")?;
                terminal.finish()?;
                Some(Terminal { key, record_hash })
            }
        };
        Ok(Self {
            depths,
            hashes,
            terminal,
        })
    }

    /// Reads a path that is a JSON object of its own; `at` is its place, for errors.
    ///
    /// # Errors
    /// As [`MapPath::from_fields`]; an unknown member.
    pub fn from_value(value: &Value, at: &str) -> Result<Self, Malformed> {
        let mut fields = Fields::new(value, at)?;
        let path = Self::from_fields(&mut fields)?;
        fields.finish()?;
        Ok(path)
    }

    /// Writes the members `depths`, `hashes` and, if there is one, `terminal`.
    pub fn write_members(&self, out: &mut ObjectWriter<'_>) {
        out.bytes("depths", &self.depths).array("hashes", |array| {
            for hash in &self.hashes {
                array.hash(hash);
            }
        });
        if let Some(terminal) = &self.terminal {
            out.object("terminal", |object| {
                object
                    .hash("key", &terminal.key)
                    .hash("recordHash", &terminal.record_hash);
            });
        }
    }

    /// Writes the path as a JSON object.
    pub fn write(&self, out: &mut Vec<u8>) {
        write::object(out, |object| self.write_members(object));
    }
}
