//! The claim: the newest head the log's key may have signed, kept where every sequencer of the log
//! must look before it signs. It is the [intent](crate::sequence::intent) of all of them.
//!
//! ```json
//! {"after":"…","format":"zhao/v1 claim","origin":"zhao.example/changzhou","root":"…",
//!  "session":"…","size":5,"term":3}
//! ```

use zhao_spec::log::tree::TreeSize;
use zhao_spec::wire::write::object_bytes;
use zhao_spec::wire::{Fields, Hash, Malformed, json, limits};

/// Name of the object, and of the file beside the database that says which one is ours.
pub const NAME: &str = "claim";
/// Largest claim read, bytes.
pub(crate) const CLAIM_BYTES: usize = 2_048;
const FORMAT: &str = "zhao/v1 claim";

/// One run of one sequencer: random, so that no two have the same, clones of a machine included.
pub type Session = Hash;

/// Who may sign which head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The session that held the claim before this one; of the first, itself.
    pub after: Session,
    /// The log's name.
    pub origin: String,
    /// Root of the tree of that size.
    pub root: Hash,
    /// Whose claim it is.
    pub session: Session,
    /// Number of leaves of the newest head that may be signed.
    pub size: TreeSize,
    /// Counts sessions, from 1.
    pub term: u64,
}

impl Claim {
    /// The object's bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = object_bytes(|o| {
            o.hash("after", &self.after)
                .text("format", FORMAT)
                .text("origin", &self.origin)
                .hash("root", &self.root)
                .hash("session", &self.session)
                .int("size", self.size.0)
                .int("term", self.term);
        });
        bytes.push(b'\n');
        bytes
    }

    /// Reads the object's bytes.
    ///
    /// # Errors
    /// Not canonical JSON of this format.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let value = json::parse_file_within(bytes, CLAIM_BYTES)?;
        let mut fields = Fields::new(&value, "")?;
        fields.literal("format", FORMAT)?;
        let claim = Self {
            after: fields.hash("after")?,
            origin: fields
                .text_within("origin", limits::ORIGIN_BYTES)?
                .to_owned(),
            root: fields.hash("root")?,
            session: fields.hash("session")?,
            size: TreeSize(fields.int("size")?),
            term: fields.int("term")?,
        };
        fields.finish()?;
        Ok(claim)
    }
}
