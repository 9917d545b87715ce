//! The credential that holds a list: Bitstring Status List §2.2, and whence it was derived.

use zhao_spec::wire::binary::{decode_base64url, encode_base64url};
use zhao_spec::wire::foreign::Foreign;
use zhao_spec::wire::{Hash, UnixMillis};

use super::bits::{Order, StatusList};
use super::entry::{Message, messages, size, values, write_messages};
use super::json::{number, object, optional_integer, optional_text, optional_time, owned};
use super::json::{shape, text};
use super::pack::{PACKED_BYTES, gunzip, gzip};
use super::{ENTRIES, StatusError};

/// The type of a credential that holds a list.
pub const CREDENTIAL_TYPE: &str = "BitstringStatusListCredential";
/// The type of what such a credential is about.
const SUBJECT_TYPE: &str = "BitstringStatusList";
/// The contexts of a list of ours: the second has the terms of [`Epoch`].
const CONTEXTS: [&str; 2] = [
    "https://www.w3.org/ns/credentials/v2",
    "https://zhao.example/ns/licence/v1",
];
/// The most purposes of one list: more have no use, and each is looked at.
const PURPOSES: usize = 16;

/// The state of the log that a list was derived from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// The log's origin.
    pub origin: String,
    /// Number of the epoch.
    pub epoch: u64,
    /// How many leaves the log had.
    pub size: u64,
    /// Root of the map of records.
    pub map_root: Hash,
}

/// What goes into a list's credential.
#[derive(Clone, Debug)]
pub struct ListParts<'a> {
    /// Its URL: what entries name.
    pub id: &'a str,
    /// Whose word it is: a DID.
    pub issuer: &'a str,
    /// What its values are about.
    pub purposes: &'a [&'a str],
    /// From when on it is valid.
    pub valid_from: UnixMillis,
    /// Until when.
    pub valid_until: Option<UnixMillis>,
    /// After how long to ask again, milliseconds.
    pub ttl: Option<u64>,
    /// What each value means; empty where each value is one bit and its purpose says it.
    pub messages: &'a [Message],
    /// Whence it was derived.
    pub derived_from: Option<&'a Epoch>,
}

/// A credential that holds a list, without a proof: the caller signs it.
///
/// # Errors
/// Fewer than [`ENTRIES`] entries, messages that do not name each value once, or a list that does
/// not fit a JSON text compressed.
pub fn build(list: &StatusList, parts: &ListParts<'_>) -> Result<Foreign, StatusError> {
    long_enough(list)?;
    let mut subject = vec![
        ("encodedList", owned(&encode(list)?)),
        ("id", owned(&format!("{}#list", parts.id))),
        ("statusPurpose", one_or_many(parts.purposes)),
        ("type", owned(SUBJECT_TYPE)),
    ];
    if let Some(ttl) = parts.ttl {
        subject.push(("ttl", number(ttl)));
    }
    // §2.2: a list of messages says its width and what the values mean.
    let worded = list.size() > 1 || !parts.messages.is_empty();
    if worded {
        subject.push(("statusMessage", write_messages(parts.messages)));
        subject.push(("statusSize", number(u64::from(list.size()))));
    }
    let subject = Foreign::Object(named(subject));
    if worded {
        let read = messages(&subject, list.size(), "statusMessage")?;
        if read.is_empty() {
            return Err(StatusError::Messages {
                expected: values(list.size()),
            });
        }
    }
    let contexts = match parts.derived_from {
        None => CONTEXTS.iter().take(1).map(|url| owned(url)).collect(),
        Some(_) => CONTEXTS.iter().map(|url| owned(url)).collect(),
    };
    let types = ["VerifiableCredential", CREDENTIAL_TYPE];
    let mut members = vec![
        ("@context", Foreign::Array(contexts)),
        ("credentialSubject", subject),
        ("id", owned(parts.id)),
        ("issuer", owned(parts.issuer)),
        ("type", Foreign::Array(types.map(owned).to_vec())),
        ("validFrom", owned(&parts.valid_from.to_string())),
    ];
    if let Some(until) = parts.valid_until {
        members.push(("validUntil", owned(&until.to_string())));
    }
    if let Some(epoch) = parts.derived_from {
        members.push(("derivedFrom", epoch.to_foreign()));
    }
    Ok(Foreign::Object(named(members)))
}

/// `encodedList`: `u` and base64url of the list as GZIP.
///
/// # Errors
/// A list that compressed is longer than a JSON text may be.
pub fn encode(list: &StatusList) -> Result<String, StatusError> {
    let member = "encodedList";
    let packed = gzip(list.high_first()?).map_err(|source| StatusError::Pack { member, source })?;
    Ok(format!("u{}", encode_base64url(&packed)))
}

/// The list in an `encodedList`, whose entries have `size` bits.
///
/// # Errors
/// Another base, or not exactly one GZIP member within the limits.
pub fn decode(encoded: &str, size: u8) -> Result<StatusList, StatusError> {
    let member = "encodedList";
    let text = encoded
        .strip_prefix('u')
        .ok_or(shape(member, "multibase base64url without padding"))?;
    let packed = decode_base64url(text, PACKED_BYTES)
        .map_err(|source| StatusError::Base64 { member, source })?;
    let bytes = gunzip(&packed).map_err(|source| StatusError::Pack { member, source })?;
    StatusList::of(bytes, size, Order::HighFirst)
}

pub(super) fn long_enough(list: &StatusList) -> Result<(), StatusError> {
    if list.entries() < u64::from(ENTRIES) {
        return Err(StatusError::Length {
            actual: list.entries(),
            least: u64::from(ENTRIES),
        });
    }
    Ok(())
}

/// A credential that holds a list, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListCredential {
    /// Its own URL, if it says one.
    pub id: Option<String>,
    /// Whose word it is.
    pub issuer: String,
    /// What its values are about; at least one.
    pub purposes: Vec<String>,
    /// The list as it was sent.
    pub encoded: String,
    /// Bits of an entry, if it says so.
    pub size: Option<u8>,
    /// What each value means; empty when it does not say.
    pub messages: Vec<Message>,
    /// After how long to ask again, milliseconds.
    pub ttl: Option<u64>,
    /// From when on it is valid.
    pub valid_from: Option<UnixMillis>,
    /// Until when.
    pub valid_until: Option<UnixMillis>,
    /// Whence it was derived, of a list of ours.
    pub derived_from: Option<Epoch>,
}

impl ListCredential {
    /// Reads the members a verifier of a status needs. Proofs and the rest of the data model are
    /// checked before, by whoever calls.
    ///
    /// # Errors
    /// A member that is missing or malformed.
    pub fn read(credential: &Foreign) -> Result<Self, StatusError> {
        let types = match credential.member("type") {
            Some(Foreign::Array(words)) => words.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        if !types
            .iter()
            .any(|word| word.as_text() == Some(CREDENTIAL_TYPE))
        {
            return Err(StatusError::Type {
                member: "type",
                expected: CREDENTIAL_TYPE,
            });
        }
        let issuer = match credential.member("issuer") {
            Some(Foreign::Text(issuer)) => issuer.clone(),
            Some(issuer @ Foreign::Object(_)) => text(issuer, "id", "issuer.id")?.to_owned(),
            _ => return Err(shape("issuer", "a URL, or an object with one")),
        };
        let subject = match credential.member("credentialSubject") {
            Some(subject @ Foreign::Object(_)) => subject,
            _ => return Err(shape("credentialSubject", "one object")),
        };
        if subject.member("type").and_then(Foreign::as_text) != Some(SUBJECT_TYPE) {
            return Err(StatusError::Type {
                member: "credentialSubject.type",
                expected: SUBJECT_TYPE,
            });
        }
        let width = match subject.member("statusSize") {
            None => None,
            Some(_) => Some(size(subject)?),
        };
        let purposes = purposes(subject)?;
        // §2.2: a list of messages says how wide they are.
        if width.is_none() && purposes.iter().any(|purpose| purpose == "message") {
            return Err(shape("statusSize", "there, as a list of messages needs it"));
        }
        Ok(Self {
            id: optional_text(credential, "id", "id")?.map(str::to_owned),
            issuer,
            purposes,
            encoded: text(subject, "encodedList", "encodedList")?.to_owned(),
            size: width,
            messages: messages(subject, width.unwrap_or(1), "statusMessage")?,
            ttl: optional_integer(subject, "ttl", "ttl")?,
            valid_from: optional_time(credential, "validFrom", "validFrom")?,
            valid_until: optional_time(credential, "validUntil", "validUntil")?,
            derived_from: match credential.member("derivedFrom") {
                None => None,
                Some(epoch) => Some(Epoch::read(epoch)?),
            },
        })
    }
}

impl Epoch {
    fn to_foreign(&self) -> Foreign {
        object([
            ("epoch", number(self.epoch)),
            ("mapRoot", owned(&self.map_root.to_base64url())),
            ("origin", owned(&self.origin)),
            ("size", number(self.size)),
            ("type", owned("ZhaoLedgerEpoch")),
        ])
    }

    fn read(value: &Foreign) -> Result<Self, StatusError> {
        if value.member("type").and_then(Foreign::as_text) != Some("ZhaoLedgerEpoch") {
            return Err(StatusError::Type {
                member: "derivedFrom.type",
                expected: "ZhaoLedgerEpoch",
            });
        }
        let integer = |name, member| {
            optional_integer(value, name, member)?.ok_or(shape(member, "a whole number"))
        };
        let root = text(value, "mapRoot", "derivedFrom.mapRoot")?;
        Ok(Self {
            origin: text(value, "origin", "derivedFrom.origin")?.to_owned(),
            epoch: integer("epoch", "derivedFrom.epoch")?,
            size: integer("size", "derivedFrom.size")?,
            map_root: Hash::from_base64url(root)
                .map_err(|_| shape("derivedFrom.mapRoot", "a hash"))?,
        })
    }
}

fn purposes(subject: &Foreign) -> Result<Vec<String>, StatusError> {
    let wrong = || shape("statusPurpose", "one or more texts");
    let items = match subject.member("statusPurpose") {
        Some(Foreign::Array(items)) if items.len() <= PURPOSES => items.as_slice(),
        Some(one @ Foreign::Text(_)) => std::slice::from_ref(one),
        _ => return Err(wrong()),
    };
    let list: Option<Vec<String>> = items
        .iter()
        .map(|item| item.as_text().map(str::to_owned))
        .collect();
    list.filter(|list| !list.is_empty()).ok_or_else(wrong)
}

fn one_or_many(purposes: &[&str]) -> Foreign {
    match purposes {
        [one] => owned(one),
        many => Foreign::Array(many.iter().map(|purpose| owned(purpose)).collect()),
    }
}

fn named(members: Vec<(&str, Foreign)>) -> Vec<(String, Foreign)> {
    members
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// What the 16 values of a `message` list of ours mean: each bit one flag.
#[must_use]
pub fn standing_messages() -> Vec<Message> {
    let flags = ["mortgage", "pledge", "objection", "inspection_failed"];
    (0..16)
        .map(|status: u8| {
            let words: Vec<&str> = flags
                .iter()
                .enumerate()
                .filter(|(bit, _)| {
                    let bit = u32::try_from(*bit).unwrap_or(u32::MAX);
                    status.checked_shr(bit).unwrap_or(0) & 1 == 1
                })
                .map(|(_, word)| *word)
                .collect();
            Message {
                status,
                message: match words.is_empty() {
                    true => "none".to_owned(),
                    false => words.join(" "),
                },
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
