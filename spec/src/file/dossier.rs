//! A dossier: a licence and its standing.

use crate::life::record::LicenceRecord;
use crate::wire::write::{ObjectWriter, object_bytes};
use crate::wire::{Fields, Hash, Malformed, Problem, Value, json, limits, sha256};

use super::authorities::Authorities;
use super::head::Head;
use super::placed::Placed;
use super::{document, within};

pub(super) const FORMAT: &str = "zhao/v1 dossier";

/// A credential as a file carries it: canonical JSON, not yet read as a credential.
///
/// A credential that is not ours in shape is another fault than a file that is not a dossier, so
/// it is kept as it is and read by the verifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddedCredential {
    value: Value,
    bytes: Vec<u8>,
}

impl EmbeddedCredential {
    /// A credential's JSON value.
    ///
    /// # Errors
    /// Not an object, or longer than a credential may be.
    pub fn new(value: Value) -> Result<Self, Malformed> {
        let Value::Object(_) = &value else {
            let problem = Problem::WrongKind {
                expected: "object",
                actual: value.kind(),
            };
            return Err(Malformed::new("", problem));
        };
        let bytes = json::encode(&value);
        within(bytes.len(), limits::CREDENTIAL_BYTES)?;
        Ok(Self { value, bytes })
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// Not canonical JSON, not an object, or longer than a credential may be.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        Self::new(json::parse_within(bytes, limits::CREDENTIAL_BYTES)?)
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The canonical bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of the canonical bytes, which the log commits to.
    #[must_use]
    pub fn digest(&self) -> Hash {
        sha256(&[&self.bytes])
    }

    /// The member `credential` of a file, if it is there.
    pub(super) fn optional(fields: &mut Fields<'_>) -> Result<Option<Self>, Malformed> {
        let path = fields.path_of("credential");
        let Some(value) = fields.optional_value("credential") else {
            return Ok(None);
        };
        Self::new(value.clone())
            .map(Some)
            .map_err(|error| super::below(&path, error))
    }

    /// Writes the member `credential`.
    pub(super) fn write(&self, out: &mut ObjectWriter<'_>) {
        out.raw("credential", &self.bytes);
    }
}

/// A licence and its standing at one head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dossier {
    /// Who may issue; left out when the verifier has an issuer pack.
    pub authorities: Option<Authorities>,
    /// The licence.
    pub credential: EmbeddedCredential,
    /// As of when.
    pub head: Head,
    /// Its standing, and the proof that the map says so.
    pub placed: Placed<LicenceRecord>,
}

impl Dossier {
    /// Reads a dossier.
    ///
    /// # Errors
    /// Not canonical, over a limit, a member missing, unknown or of the wrong shape.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        Self::from_value(&document(bytes, limits::DOSSIER_BYTES)?, "")
    }

    pub(super) fn from_value(value: &Value, path: &str) -> Result<Self, Malformed> {
        let mut fields = Fields::new(value, path)?;
        fields.literal("format", FORMAT)?;
        let authorities = if fields.has("authorities") {
            Some(Authorities::from_fields(&mut fields)?)
        } else {
            None
        };
        let credential = EmbeddedCredential::optional(&mut fields)?
            .ok_or_else(|| Malformed::new(fields.path_of("credential"), Problem::Missing))?;
        let head = Head::from_fields(&mut fields)?;
        let placed = Placed::from_fields(&mut fields)?;
        fields.finish()?;
        Ok(Self {
            authorities,
            credential,
            head,
            placed,
        })
    }

    /// The canonical bytes, without a newline.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        object_bytes(|out| {
            if let Some(authorities) = &self.authorities {
                authorities.write(out);
            }
            self.credential.write(out);
            out.text("format", FORMAT);
            self.head.write(out);
            self.placed.write(out);
        })
    }
}
