//! What the map commits for a subject. Prose: `spec/record.md`.

mod authority;
mod licence;
#[cfg(test)]
mod tests;

pub use authority::{
    IssuerKey, IssuerRecord, KeyTypes, Proposal, RegistryRecord, TypeRecord, TypeState, UnitState,
};
pub use licence::{Inspection, LicenceRecord, Reaffirmed, State, Suspension};

use super::subject::Kind;
use crate::log::tree::LeafIndex;
use crate::wire::fields::{Fields, Malformed};
use crate::wire::hash::{Hash, sha256};
use crate::wire::json::{self, Value};
use crate::wire::limits;
use crate::wire::write::{ObjectWriter, object_bytes};

/// The public index of one organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnterpriseRecord {
    /// Running hash over the licence keys, in log order.
    pub chain: Hash,
    /// How many.
    pub count: u64,
    /// Index of the latest event that added one.
    pub index: LeafIndex,
}

/// Any subject's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A public index.
    Enterprise(EnterpriseRecord),
    /// A unit of record.
    Issuer(IssuerRecord),
    /// A licence.
    Licence(Box<LicenceRecord>),
    /// A licence type.
    LicenceType(TypeRecord),
    /// The administrators.
    Registry(RegistryRecord),
}

impl Record {
    /// What kind of subject it belongs to.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Enterprise(_) => Kind::Enterprise,
            Self::Issuer(_) => Kind::Issuer,
            Self::Licence(_) => Kind::Licence,
            Self::LicenceType(_) => Kind::LicenceType,
            Self::Registry(_) => Kind::Registry,
        }
    }

    fn write_into(&self, o: &mut ObjectWriter<'_>) {
        match self {
            Self::Enterprise(record) => {
                o.hash("chain", &record.chain)
                    .int("count", record.count)
                    .int("index", record.index.0)
                    .text("kind", "enterprise");
            }
            Self::Issuer(record) => record.write(o),
            Self::Licence(record) => record.write(o),
            Self::LicenceType(record) => record.write(o),
            Self::Registry(record) => record.write(o),
        }
    }

    /// Appends the canonical bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        crate::wire::write::object(out, |o| self.write_into(o));
    }

    /// Canonical bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        object_bytes(|o| self.write_into(o))
    }

    /// SHA-256 of the canonical bytes: what a map leaf commits to.
    #[must_use]
    pub fn hash(&self) -> Hash {
        sha256(&[&self.bytes()])
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// Bytes that are not canonical, too long, or no record.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        Self::from_value(&json::parse_within(bytes, limits::RECORD_BYTES)?, "")
    }

    /// Reads a record out of a larger document.
    ///
    /// # Errors
    /// A missing, foreign or wrong member.
    pub fn from_value(value: &Value, path: &str) -> Result<Self, Malformed> {
        let mut fields = Fields::new(value, path)?;
        let record = match fields.text("kind")? {
            "enterprise" => Self::Enterprise(EnterpriseRecord {
                chain: fields.hash("chain")?,
                count: fields.int("count")?,
                index: LeafIndex(fields.int("index")?),
            }),
            "issuer" => Self::Issuer(IssuerRecord::read(&mut fields)?),
            "licence" => Self::Licence(Box::new(LicenceRecord::read(&mut fields)?)),
            "licence-type" => Self::LicenceType(TypeRecord::read(&mut fields)?),
            "registry" => Self::Registry(RegistryRecord::read(&mut fields)?),
            other => {
                return Err(Malformed::value(
                    fields.path_of("kind"),
                    "enterprise, issuer, licence, licence-type or registry",
                    other,
                ));
            }
        };
        fields.finish()?;
        Ok(record)
    }

    /// Leaf index of the latest event that wrote it.
    #[must_use]
    pub fn index(&self) -> LeafIndex {
        match self {
            Self::Enterprise(record) => record.index,
            Self::Issuer(record) => record.index,
            Self::Licence(record) => record.index,
            Self::LicenceType(record) => record.index,
            Self::Registry(record) => record.index,
        }
    }

    /// Sequence number and latest leaf hash, of the kinds that have a chain of their own.
    #[must_use]
    pub fn chain_end(&self) -> Option<(u64, Hash)> {
        match self {
            Self::Enterprise(_) => None,
            Self::Issuer(record) => Some((record.seq, record.latest)),
            Self::Licence(record) => Some((record.seq, record.latest)),
            Self::LicenceType(record) => Some((record.seq, record.latest)),
            Self::Registry(record) => Some((record.seq, record.latest)),
        }
    }
}

/// The enterprise chain after one more licence. The first link starts from 32 zero bytes.
#[must_use]
pub fn next_enterprise(chain: &Hash, licence: &Hash) -> Hash {
    sha256(&[
        b"zhao/v1 enterprise\0",
        chain.as_bytes(),
        licence.as_bytes(),
    ])
}
