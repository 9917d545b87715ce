//! The leaves of the log. Prose: `spec/leaf.md`.

use super::data::Administrators;
use super::event::{Event, ReadEvent};
use crate::log::tree::{LeafIndex, leaf_hash};
use crate::wire::fields::{Fields, Malformed};
use crate::wire::hash::Hash;
use crate::wire::json::{self, Value};
use crate::wire::limits;
use crate::wire::signature::Keys;
use crate::wire::time::UnixMillis;
use crate::wire::write::{ObjectWriter, object_bytes};

/// The format version this code reads and writes.
pub const FORMAT: u64 = 1;

/// Leaf 0: the root of trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// Who may make units.
    pub administrators: Administrators,
    /// When the log was made.
    pub created: UnixMillis,
    /// Milliseconds between `propose-key` and `confirm-key`.
    pub key_delay: u64,
    /// The log's name, part of every subject key.
    pub origin: String,
}

/// The last leaf of every published checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// From 0.
    pub epoch: u64,
    /// Its own leaf index.
    pub index: LeafIndex,
    /// Root of the map after every event before it.
    pub map_root: Hash,
    /// Index of the previous epoch leaf; absent in epoch 0.
    pub previous: Option<LeafIndex>,
    /// Number of keys in the map.
    pub subjects: u64,
    /// Strictly increasing; the recorded time of its events.
    pub time: UnixMillis,
}

/// A decoded leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// Closes an epoch.
    Epoch(Epoch),
    /// One event, signatures not yet checked.
    Event(Box<Event>),
    /// The first leaf.
    Genesis(Genesis),
}

impl Genesis {
    fn write(&self, o: &mut ObjectWriter<'_>) {
        o.object("administrators", |o| self.administrators.write(o))
            .time("created", self.created)
            .int("format", FORMAT)
            .int("keyDelay", self.key_delay)
            .text("leaf", "genesis")
            .text("origin", &self.origin);
    }

    /// The raw leaf.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        object_bytes(|o| self.write(o))
    }

    /// Leaf hash: what a policy names.
    #[must_use]
    pub fn hash(&self) -> Hash {
        leaf_hash(&self.bytes())
    }

    /// Reads a genesis leaf out of a larger document.
    ///
    /// # Errors
    /// A missing, foreign or wrong member; another format version.
    pub fn from_value(value: &Value, path: &str) -> Result<Self, Malformed> {
        let mut fields = Fields::new(value, path)?;
        fields.literal("leaf", "genesis")?;
        let format = fields.int("format")?;
        if format != FORMAT {
            return Err(Malformed::value(
                fields.path_of("format"),
                "1, the only format this version knows",
                &format.to_string(),
            ));
        }
        let mut administrators = fields.object("administrators")?;
        let genesis = Self {
            administrators: Administrators::read(&mut administrators)?,
            created: fields.time("created")?,
            key_delay: fields.int("keyDelay")?,
            origin: fields
                .text_within("origin", limits::ORIGIN_BYTES)?
                .to_owned(),
        };
        administrators.finish()?;
        if genesis.key_delay > limits::KEY_DELAY_MILLIS {
            return Err(Malformed::value(
                fields.path_of("keyDelay"),
                "at most 90 days in milliseconds",
                &genesis.key_delay.to_string(),
            ));
        }
        if genesis.origin.is_empty() {
            return Err(Malformed::value(fields.path_of("origin"), "a name", ""));
        }
        fields.finish()?;
        Ok(genesis)
    }
}

impl Epoch {
    fn write(&self, o: &mut ObjectWriter<'_>) {
        o.int("epoch", self.epoch)
            .int("index", self.index.0)
            .text("leaf", "epoch")
            .hash("mapRoot", &self.map_root);
        if let Some(previous) = self.previous {
            o.int("previous", previous.0);
        }
        o.int("subjects", self.subjects).time("time", self.time);
    }

    /// The raw leaf.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        object_bytes(|o| self.write(o))
    }

    /// RFC 6962 leaf hash of the raw leaf.
    #[must_use]
    pub fn leaf_hash(&self) -> Hash {
        leaf_hash(&self.bytes())
    }

    /// Reads an epoch leaf out of a larger document.
    ///
    /// # Errors
    /// A missing, foreign or wrong member; `previous` missing or out of place.
    pub fn from_value(value: &Value, path: &str) -> Result<Self, Malformed> {
        let mut fields = Fields::new(value, path)?;
        fields.literal("leaf", "epoch")?;
        let epoch = Self {
            epoch: fields.int("epoch")?,
            index: LeafIndex(fields.int("index")?),
            map_root: fields.hash("mapRoot")?,
            previous: fields.optional_int("previous")?.map(LeafIndex),
            subjects: fields.int("subjects")?,
            time: fields.time("time")?,
        };
        let placed = match epoch.previous {
            None => epoch.epoch == 0,
            Some(previous) => epoch.epoch > 0 && previous < epoch.index,
        };
        if !placed {
            return Err(Malformed::value(
                fields.path_of("previous"),
                "an earlier index, and absent in epoch 0 only",
                &epoch.previous.map_or("absent".into(), |i| i.0.to_string()),
            ));
        }
        fields.finish()?;
        Ok(epoch)
    }
}

/// A decoded leaf, of which an event keeps its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadLeaf {
    /// Closes an epoch.
    Epoch(Epoch),
    /// One event, signatures not yet checked.
    Event(Box<ReadEvent>),
    /// The first leaf.
    Genesis(Genesis),
}

impl ReadLeaf {
    /// As [`Leaf::parse`], with the signers' keys as `keys` knows them, for whoever goes through
    /// many leaves and checks their signatures.
    ///
    /// # Errors
    /// As [`Leaf::parse`].
    pub fn parse(bytes: &[u8], keys: &mut Keys) -> Result<Self, Malformed> {
        let value = json::parse_within(bytes, limits::LEAF_BYTES)?;
        match Fields::new(&value, "")?.text("leaf")? {
            "epoch" => Ok(Self::Epoch(Epoch::from_value(&value, "")?)),
            "event" => {
                let event = ReadEvent::of_leaf(&value, bytes.to_vec(), keys)?;
                Ok(Self::Event(Box::new(event)))
            }
            "genesis" => Ok(Self::Genesis(Genesis::from_value(&value, "")?)),
            other => Err(Malformed::value("leaf", "epoch, event or genesis", other)),
        }
    }
}

impl Leaf {
    /// Reads a raw leaf.
    ///
    /// # Errors
    /// Bytes that are not canonical, too long, or no leaf of this format.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        Ok(match ReadLeaf::parse(bytes, &mut Keys::new(0))? {
            ReadLeaf::Epoch(epoch) => Self::Epoch(epoch),
            ReadLeaf::Event(event) => Self::Event(Box::new(event.into_inner())),
            ReadLeaf::Genesis(genesis) => Self::Genesis(genesis),
        })
    }

    /// The raw leaf.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Epoch(epoch) => epoch.bytes(),
            Self::Event(event) => event.leaf_bytes(),
            Self::Genesis(genesis) => genesis.bytes(),
        }
    }
}
