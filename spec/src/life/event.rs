//! One signed statement about one subject. Prose: `spec/event.md`.

use std::ops::Range;

use super::apply::Refusal;
use super::data::Action;
use super::verb::Verb;
use crate::log::tree::leaf_hash;
use crate::wire::fields::{Fields, Malformed};
use crate::wire::hash::{Hash, sha256};
use crate::wire::json::{self, Value};
use crate::wire::limits;
use crate::wire::signature::{
    Keys, PublicKey, ReadKey, SecretKey, Signature, SignatureError, Signer, SignerError,
};
use crate::wire::time::UnixMillis;
use crate::wire::write::{ObjectWriter, object, object_bytes};

mod verified;

pub use verified::{ReadEvent, VerifiedEvent};

/// Room for nearly every leaf of one signature, bytes.
const LEAF_CAPACITY: usize = 1_024;
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
        Self::read(value, path, &mut PublicKey::from_multibase)
    }

    /// Reads a statement, an event without its member `signatures`, out of a larger document.
    ///
    /// # Errors
    /// A missing, foreign or wrong member; `signatures` is foreign here.
    pub fn from_statement(value: &Value, path: &str) -> Result<Self, Malformed> {
        Self::read_with(value, path, |_| Ok(Vec::new()))
    }

    /// As [`Event::from_value`], with the signers' keys read by `key`.
    pub(crate) fn read(
        value: &Value,
        path: &str,
        key: &mut ReadKey<'_>,
    ) -> Result<Self, Malformed> {
        Self::read_with(value, path, |fields| {
            let signatures = read_signatures(fields, key)?;
            if signatures.is_empty() {
                let path = fields.path_of("signatures");
                return Err(Malformed::value(path, "1 to 16 signatures", "none"));
            }
            Ok(signatures)
        })
    }

    fn read_with(
        value: &Value,
        path: &str,
        signatures: impl FnOnce(&mut Fields<'_>) -> Result<Vec<EventSignature>, Malformed>,
    ) -> Result<Self, Malformed> {
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
            signatures: signatures(&mut fields)?,
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

    /// Returns where in the output the member `signatures` stands, with the comma before it.
    fn write_with(&self, o: &mut ObjectWriter<'_>, signed: bool) -> Range<usize> {
        o.object("data", |o| self.action.write(o))
            .time("effective", self.effective)
            .text("origin", &self.origin);
        if let Some(prev) = &self.prev {
            o.hash("prev", prev);
        }
        o.int("seq", self.seq);
        let before = o.position();
        if signed {
            self.write_signatures(o);
        }
        let after = o.position();
        if let Some(signer) = &self.signer {
            o.hash("signer", signer);
        }
        o.hash("subject", &self.subject)
            .text("verb", self.verb().as_str());
        before..after
    }

    /// Writes the member `signatures`.
    pub(crate) fn write_signatures(&self, o: &mut ObjectWriter<'_>) {
        o.array("signatures", |a| {
            for signature in &self.signatures {
                a.object(|o| {
                    o.key("key", &signature.key)
                        .bytes("signature", &signature.signature.0);
                });
            }
        });
    }

    /// Appends the canonical bytes, signatures included.
    pub fn write(&self, out: &mut Vec<u8>) {
        object(out, |o| {
            self.write_with(o, true);
        });
    }

    /// Canonical bytes, signatures included.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    /// Canonical bytes without `signatures`: what is signed and what gives the identity.
    #[must_use]
    pub fn statement(&self) -> Vec<u8> {
        object_bytes(|o| {
            self.write_with(o, false);
        })
    }

    /// The identity: the same statement signed by others is the same event.
    #[must_use]
    pub fn id(&self) -> Hash {
        sha256(&[ID_PREFIX, &self.statement()])
    }

    /// The raw leaf.
    #[must_use]
    pub fn leaf_bytes(&self) -> Vec<u8> {
        self.leaf().0
    }

    /// The raw leaf, and where in it the member `signatures` stands with the comma before it.
    fn leaf(&self) -> (Vec<u8>, Range<usize>) {
        let mut out = Vec::with_capacity(LEAF_CAPACITY);
        let mut signatures = 0..0;
        object(&mut out, |o| {
            o.object("event", |o| signatures = self.write_with(o, true))
                .text("leaf", "event");
        });
        (out, signatures)
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
        let signature = secret.sign(&self.message());
        self.put(secret.public(), signature);
    }

    /// As [`Event::sign`], by whoever signs.
    ///
    /// # Errors
    /// The signer's; the event stays as it was.
    pub fn sign_with<S: Signer + ?Sized>(&mut self, signer: &S) -> Result<(), SignerError> {
        let signature = signer.sign(&self.message())?;
        self.put(signer.public(), signature);
        Ok(())
    }

    /// Puts a signature in its place, whether it is right or not.
    pub fn put(&mut self, key: PublicKey, signature: Signature) {
        self.signatures.retain(|other| other.key != key);
        self.signatures.push(EventSignature { key, signature });
        self.signatures
            .sort_by_key(|signature| signature.key.to_multibase());
    }

    /// Checks one signature over this statement strictly.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn check_signature(&self, one: &EventSignature) -> Result<(), SignatureError> {
        one.key.verify(&self.message(), &one.signature)
    }

    /// Checks every signature strictly.
    ///
    /// # Errors
    /// `signature_invalid` for the first that fails, `signer_missing` when there is none.
    pub fn verify_signatures(self) -> Result<VerifiedEvent, Refusal> {
        let (leaf, signatures) = self.leaf();
        verified::verify(self, leaf, &signatures, &mut verified::plain)
    }

    /// As [`Event::verify_signatures`], faster when `keys` has met the signers.
    ///
    /// # Errors
    /// As [`Event::verify_signatures`].
    pub fn verify_signatures_with(self, keys: &mut Keys) -> Result<VerifiedEvent, Refusal> {
        let (leaf, signatures) = self.leaf();
        verified::verify(self, leaf, &signatures, &mut verified::known(keys))
    }
}

/// The member `signatures`, strictly ascending by key; it may be empty.
pub(crate) fn read_signatures(
    fields: &mut Fields<'_>,
    key: &mut ReadKey<'_>,
) -> Result<Vec<EventSignature>, Malformed> {
    let mut signatures = Vec::new();
    let mut texts: Vec<&str> = Vec::new();
    for mut item in fields.objects("signatures", limits::EVENT_SIGNATURES)? {
        let text = item.text("key")?;
        let key = key(text).map_err(|error| Malformed::new(item.path_of("key"), error))?;
        signatures.push(EventSignature {
            key,
            signature: item.signature("signature")?,
        });
        texts.push(text);
        item.finish()?;
    }
    super::data::ascending(&texts, fields, "signatures")?;
    Ok(signatures)
}
