//! One signed statement about one subject. Prose: `spec/event.md`.

use super::apply::Refusal;
use super::data::Action;
use super::verb::Verb;
use crate::log::tree::leaf_hash;
use crate::wire::fields::{Fields, Malformed};
use crate::wire::hash::{Hash, sha256};
use crate::wire::json::{self, Value};
use crate::wire::limits;
use crate::wire::signature::{PublicKey, SecretKey, Signature};
use crate::wire::time::UnixMillis;
use crate::wire::write::{ObjectWriter, object_bytes};

const MESSAGE_PREFIX: &[u8] = b"zhao/v1 event\n";
const ID_PREFIX: &[u8] = b"zhao/v1 event id\n";

/// One key's signature over the statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSignature {
    /// The key.
    pub key: PublicKey,
    /// Strict Ed25519 over the message.
    pub signature: Signature,
}

/// An event, its signatures not yet checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The verb and its data.
    pub action: Action,
    /// When it takes legal effect.
    pub effective: UnixMillis,
    /// The log it was made for.
    pub origin: String,
    /// Leaf hash of the subject's previous event.
    pub prev: Option<Hash>,
    /// Position in the subject's chain, from 0.
    pub seq: u64,
    /// Strictly ascending by key text.
    pub signatures: Vec<EventSignature>,
    /// Subject key of the signing unit; none: the administrators.
    pub signer: Option<Hash>,
    /// The subject's key.
    pub subject: Hash,
}

/// An event whose every signature verifies strictly. Whether its keys may sign is `apply`'s to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedEvent(Event);

impl std::ops::Deref for VerifiedEvent {
    type Target = Event;

    fn deref(&self) -> &Event {
        &self.0
    }
}

impl VerifiedEvent {
    /// The event itself.
    #[must_use]
    pub fn into_inner(self) -> Event {
        self.0
    }
}

impl Event {
    /// Reads canonical bytes.
    ///
    /// # Errors
    /// Bytes that are not canonical, too long, or not an event.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        Self::from_value(&json::parse_within(bytes, limits::EVENT_BYTES)?, "")
    }

    /// Reads an event out of a larger document; `path` names the place in errors.
    ///
    /// # Errors
    /// A missing, foreign or wrong member.
    pub fn from_value(value: &Value, path: &str) -> Result<Self, Malformed> {
        let mut fields = Fields::new(value, path)?;
        let word = fields.text("verb")?;
        let verb = Verb::from_word(word).ok_or_else(|| {
            Malformed::value(fields.path_of("verb"), "a verb of spec/event.md", word)
        })?;
        let mut data = fields.object("data")?;
        let action = Action::read(verb, &mut data)?;
        data.finish()?;
        let origin = fields
            .text_within("origin", limits::ORIGIN_BYTES)?
            .to_owned();
        if origin.is_empty() {
            return Err(Malformed::value(fields.path_of("origin"), "a name", ""));
        }
        let seq = fields.int("seq")?;
        let prev = fields.optional_hash("prev")?;
        if prev.is_some() != (seq > 0) {
            return Err(Malformed::value(
                fields.path_of("prev"),
                "present exactly when seq is above 0",
                if prev.is_some() { "present" } else { "absent" },
            ));
        }
        let event = Self {
            action,
            effective: fields.time("effective")?,
            origin,
            prev,
            seq,
            signatures: read_signatures(&mut fields)?,
            signer: fields.optional_hash("signer")?,
            subject: fields.hash("subject")?,
        };
        fields.finish()?;
        Ok(event)
    }

    /// The verb.
    #[must_use]
    pub fn verb(&self) -> Verb {
        self.action.verb()
    }

    fn write_with(&self, o: &mut ObjectWriter<'_>, signed: bool) {
        o.object("data", |o| self.action.write(o))
            .time("effective", self.effective)
            .text("origin", &self.origin);
        if let Some(prev) = &self.prev {
            o.hash("prev", prev);
        }
        o.int("seq", self.seq);
        if signed {
            o.array("signatures", |a| {
                for signature in &self.signatures {
                    a.object(|o| {
                        o.key("key", &signature.key)
                            .bytes("signature", &signature.signature.0);
                    });
                }
            });
        }
        if let Some(signer) = &self.signer {
            o.hash("signer", signer);
        }
        o.hash("subject", &self.subject)
            .text("verb", self.verb().as_str());
    }

    /// Appends the canonical bytes, signatures included.
    pub fn write(&self, out: &mut Vec<u8>) {
        crate::wire::write::object(out, |o| self.write_with(o, true));
    }

    /// Canonical bytes, signatures included.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        object_bytes(|o| self.write_with(o, true))
    }

    /// Canonical bytes without `signatures`: what is signed and what gives the identity.
    #[must_use]
    pub fn statement(&self) -> Vec<u8> {
        object_bytes(|o| self.write_with(o, false))
    }

    /// The identity: the same statement signed by others is the same event.
    #[must_use]
    pub fn id(&self) -> Hash {
        sha256(&[ID_PREFIX, &self.statement()])
    }

    /// The raw leaf.
    #[must_use]
    pub fn leaf_bytes(&self) -> Vec<u8> {
        object_bytes(|o| {
            o.object("event", |o| self.write_with(o, true))
                .text("leaf", "event");
        })
    }

    /// RFC 6962 leaf hash of the raw leaf.
    #[must_use]
    pub fn leaf_hash(&self) -> Hash {
        leaf_hash(&self.leaf_bytes())
    }

    fn message(&self) -> Vec<u8> {
        let mut message = MESSAGE_PREFIX.to_vec();
        message.extend_from_slice(&self.statement());
        message
    }

    /// Adds (or replaces) one key's signature, keeping the order of keys.
    pub fn sign(&mut self, secret: &SecretKey) {
        let key = secret.public();
        let signature = secret.sign(&self.message());
        self.signatures.retain(|other| other.key != key);
        self.signatures.push(EventSignature { key, signature });
        self.signatures
            .sort_by_key(|signature| signature.key.to_multibase());
    }

    /// Checks every signature strictly.
    ///
    /// # Errors
    /// `signature_invalid` for the first that fails, `signer_missing` when there is none.
    pub fn verify_signatures(self) -> Result<VerifiedEvent, Refusal> {
        if self.signatures.is_empty() {
            return Err(Refusal::SignerMissing);
        }
        let message = self.message();
        for signature in &self.signatures {
            if signature
                .key
                .verify(&message, &signature.signature)
                .is_err()
            {
                return Err(Refusal::SignatureInvalid {
                    key: signature.key.to_multibase(),
                });
            }
        }
        Ok(VerifiedEvent(self))
    }
}

fn read_signatures(fields: &mut Fields<'_>) -> Result<Vec<EventSignature>, Malformed> {
    let path = fields.path_of("signatures");
    let mut signatures = Vec::new();
    for mut item in fields.objects("signatures", limits::EVENT_SIGNATURES)? {
        signatures.push(EventSignature {
            key: item.key("key")?,
            signature: item.signature("signature")?,
        });
        item.finish()?;
    }
    if signatures.is_empty() {
        return Err(Malformed::value(path, "1 to 16 signatures", "none"));
    }
    let keys: Vec<String> = signatures.iter().map(|s| s.key.to_multibase()).collect();
    super::data::ascending(&keys, &path)?;
    Ok(signatures)
}
