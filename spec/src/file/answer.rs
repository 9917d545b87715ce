//! An answer: the open licences of one enterprise, all of them.

use crate::id::Uscc;
use crate::life::record::{EnterpriseRecord, LicenceRecord};
use crate::map::MapPath;
use crate::wire::write::object_bytes;
use crate::wire::{Fields, Hash, Malformed, Value, limits};

use super::authorities::Authorities;
use super::document;
use super::dossier::EmbeddedCredential;
use super::head::Head;
use super::placed::{self, Placed};

pub(super) const FORMAT: &str = "zhao/v1 answer";

/// The enterprise's record in the map, or the proof that there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnterprisePlace {
    /// Places the record, or proves that the key is absent.
    pub path: MapPath,
    /// Count and chain of all its open licences.
    pub record: Option<EnterpriseRecord>,
}

/// One licence of the enterprise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerItem {
    /// The licence, where the public may see all of it.
    pub credential: Option<EmbeddedCredential>,
    /// Its standing, and the proof that the map says so.
    pub placed: Placed<LicenceRecord>,
    /// Its subject key.
    pub subject: Hash,
}

/// The open licences of one enterprise at one head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Who may issue.
    pub authorities: Authorities,
    /// How many licences there are.
    pub enterprise: EnterprisePlace,
    /// As of when.
    pub head: Head,
    /// The licences in log order.
    pub items: Vec<AnswerItem>,
    /// Whose licences.
    pub uscc: Uscc,
}

impl Answer {
    /// Reads an answer.
    ///
    /// # Errors
    /// Not canonical, over a limit, a member missing, unknown or of the wrong shape.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        Self::from_value(&document(bytes, limits::PACK_BYTES)?, "")
    }

    pub(super) fn from_value(value: &Value, path: &str) -> Result<Self, Malformed> {
        let mut fields = Fields::new(value, path)?;
        fields.literal("format", FORMAT)?;
        let authorities = Authorities::from_fields(&mut fields)?;
        let mut own = fields.object("enterprise")?;
        let enterprise = EnterprisePlace {
            path: placed::path(&mut own)?,
            record: placed::optional_record(&mut own)?,
        };
        own.finish()?;
        let head = Head::from_fields(&mut fields)?;
        let items = fields.items("items", limits::BATCH_EVENTS, item_of)?;
        let uscc = fields.text("uscc")?;
        let uscc = Uscc::parse(uscc).map_err(|_| {
            Malformed::value(fields.path_of("uscc"), "a unified social credit code", uscc)
        })?;
        fields.finish()?;
        Ok(Self {
            authorities,
            enterprise,
            head,
            items,
            uscc,
        })
    }

    /// The canonical bytes, without a newline.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        object_bytes(|out| {
            self.authorities.write(out);
            out.object("enterprise", |own| {
                placed::write_path(own, &self.enterprise.path);
                if let Some(record) = &self.enterprise.record {
                    placed::write_record(own, record);
                }
            });
            out.text("format", FORMAT);
            self.head.write(out);
            out.array("items", |list| {
                for item in &self.items {
                    list.object(|one| {
                        if let Some(credential) = &item.credential {
                            credential.write(one);
                        }
                        item.placed.write(one);
                        one.hash("subject", &item.subject);
                    });
                }
            });
            out.text("uscc", self.uscc.as_str());
        })
    }
}

fn item_of(value: &Value, path: &str) -> Result<AnswerItem, Malformed> {
    let mut fields = Fields::new(value, path)?;
    let credential = EmbeddedCredential::optional(&mut fields)?;
    let placed = Placed::from_fields(&mut fields)?;
    let subject = fields.hash("subject")?;
    fields.finish()?;
    Ok(AnswerItem {
        credential,
        placed,
        subject,
    })
}
