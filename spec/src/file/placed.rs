//! A record and where the map has it.

use crate::life::record::{
    EnterpriseRecord, IssuerRecord, LicenceRecord, Record, RegistryRecord, TypeRecord,
};
use crate::map::MapPath;
use crate::wire::write::ObjectWriter;
use crate::wire::{Fields, Hash, Malformed};

/// A record type that a file names in its shape, so that no other kind can stand there.
pub trait KindOfRecord: Sized + Clone {
    /// The `kind` member of such a record.
    const KIND: &'static str;

    /// The record, if it is of this kind.
    fn from_record(record: Record) -> Option<Self>;

    /// The record as one of all kinds.
    fn into_record(self) -> Record;
}

macro_rules! kind_of_record {
    ($type:ty, $variant:ident, $kind:literal, $unwrap:expr, $wrap:expr) => {
        impl KindOfRecord for $type {
            const KIND: &'static str = $kind;

            fn from_record(record: Record) -> Option<Self> {
                match record {
                    Record::$variant(record) => Some($unwrap(record)),
                    _ => None,
                }
            }

            fn into_record(self) -> Record {
                Record::$variant($wrap(self))
            }
        }
    };
}

kind_of_record!(
    EnterpriseRecord,
    Enterprise,
    "enterprise",
    std::convert::identity,
    std::convert::identity
);
kind_of_record!(
    IssuerRecord,
    Issuer,
    "issuer",
    std::convert::identity,
    std::convert::identity
);
kind_of_record!(
    LicenceRecord,
    Licence,
    "licence",
    (|boxed: Box<LicenceRecord>| *boxed),
    Box::new
);
kind_of_record!(
    RegistryRecord,
    Registry,
    "registry",
    std::convert::identity,
    std::convert::identity
);
kind_of_record!(
    TypeRecord,
    LicenceType,
    "licence-type",
    std::convert::identity,
    std::convert::identity
);

impl KindOfRecord for Record {
    const KIND: &'static str = "any";

    fn from_record(record: Record) -> Option<Self> {
        Some(record)
    }

    fn into_record(self) -> Record {
        self
    }
}

/// A record with the map path that places it. The key is not written: whoever checks computes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed<R> {
    /// From the record's leaf to the map root.
    pub path: MapPath,
    /// What is placed.
    pub record: R,
}

impl<R: KindOfRecord> Placed<R> {
    /// Reads the members `path` and `record`.
    pub(super) fn from_fields(fields: &mut Fields<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            path: path(fields)?,
            record: record(fields)?,
        })
    }

    /// Writes the members `path` and `record`.
    pub(super) fn write(&self, out: &mut ObjectWriter<'_>) {
        write_path(out, &self.path);
        write_record(out, &self.record);
    }

    /// What the map holds at the record's key: SHA-256 of its canonical bytes.
    #[must_use]
    pub fn record_hash(&self) -> Hash {
        self.record.clone().into_record().hash()
    }
}

/// The member `record`, of kind `R`.
pub(super) fn record<R: KindOfRecord>(fields: &mut Fields<'_>) -> Result<R, Malformed> {
    let path = fields.path_of("record");
    let record = Record::from_value(fields.value("record")?, &path)?;
    R::from_record(record)
        .ok_or_else(|| Malformed::value(path, "a record of the kind needed here", "another kind"))
}

/// The member `record`, of kind `R`, if it is there.
pub(super) fn optional_record<R: KindOfRecord>(
    fields: &mut Fields<'_>,
) -> Result<Option<R>, Malformed> {
    if fields.has("record") {
        record(fields).map(Some)
    } else {
        Ok(None)
    }
}

pub(super) fn write_record<R: KindOfRecord>(out: &mut ObjectWriter<'_>, record: &R) {
    out.raw("record", &record.clone().into_record().bytes());
}

/// The member `path`: a map path.
pub(super) fn path(fields: &mut Fields<'_>) -> Result<MapPath, Malformed> {
    let path = fields.path_of("path");
    MapPath::from_value(fields.value("path")?, &path)
}

pub(super) fn write_path(out: &mut ObjectWriter<'_>, path: &MapPath) {
    let mut bytes = Vec::new();
    path.write(&mut bytes);
    out.raw("path", &bytes);
}
