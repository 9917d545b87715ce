//! An issuer pack: authorities installed beside a policy.

use crate::wire::write::object_bytes;
use crate::wire::{Fields, Malformed, Value, limits};

use super::authorities::Authorities;
use super::document;
use super::head::Head;

pub(super) const FORMAT: &str = "zhao/v1 issuer-pack";

/// Authorities at one head, for dossiers that leave them out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerPack {
    /// Who may issue.
    pub authorities: Authorities,
    /// As of when.
    pub head: Head,
}

impl IssuerPack {
    /// Reads an issuer pack.
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
        let head = Head::from_fields(&mut fields)?;
        fields.finish()?;
        Ok(Self { authorities, head })
    }

    /// The canonical bytes, without a newline.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        object_bytes(|out| {
            self.authorities.write(out);
            out.text("format", FORMAT);
            self.head.write(out);
        })
    }
}
