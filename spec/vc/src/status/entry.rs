//! What a credential says about where its status stands: Bitstring Status List §2.1.

use zhao_spec::wire::clip;
use zhao_spec::wire::foreign::Foreign;

use super::json::{is_url, object, optional_integer, optional_text, owned, shape, text};
use super::{StatusError, StatusList};

/// The type of an entry.
pub const ENTRY_TYPE: &str = "BitstringStatusListEntry";

/// What one value of an entry means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The value.
    pub status: u8,
    /// In words for developers, not for end users.
    pub message: String,
}

/// A `BitstringStatusListEntry`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its own URL, if it has one.
    pub id: Option<String>,
    /// What the value is about: `revocation`, `suspension`, `refresh`, `message`, or another.
    pub purpose: String,
    /// Which entry of the list; beyond 2^64 − 1 it is that, and in no list.
    pub index: u64,
    /// URL of the list.
    pub list: String,
    /// Bits of a value, 1 to 8.
    pub size: u8,
    /// What each value means; empty when the credential does not say.
    pub messages: Vec<Message>,
    /// Where to read more.
    pub references: Vec<String>,
}

impl Entry {
    /// Reads an entry.
    ///
    /// # Errors
    /// Whatever §2.1 does not allow; members it does not name are let be.
    pub fn read(value: &Foreign) -> Result<Self, StatusError> {
        let Foreign::Object(_) = value else {
            return Err(shape("credentialStatus", "an object"));
        };
        if value.member("type").and_then(Foreign::as_text) != Some(ENTRY_TYPE) {
            return Err(StatusError::Type {
                member: "credentialStatus.type",
                expected: ENTRY_TYPE,
            });
        }
        let purpose = text(value, "statusPurpose", "statusPurpose")?.to_owned();
        let index = index(text(value, "statusListIndex", "statusListIndex")?)?;
        let list = url(
            text(value, "statusListCredential", "statusListCredential")?,
            "statusListCredential",
        )?;
        let id = match optional_text(value, "id", "credentialStatus.id")? {
            None => None,
            Some(id) if id == list => {
                return Err(shape("credentialStatus.id", "another URL than the list's"));
            }
            Some(id) => Some(url(id, "credentialStatus.id")?),
        };
        let size = size(value)?;
        let messages = messages(value, size, "statusMessage")?;
        if messages.is_empty() && (size > 1 || value.member("statusMessage").is_some()) {
            return Err(StatusError::Messages {
                expected: values(size),
            });
        }
        let references = match value.member("statusReference") {
            None => Vec::new(),
            Some(Foreign::Array(items)) => items
                .iter()
                .map(|item| reference(Some(item)))
                .collect::<Result<_, _>>()?,
            one => vec![reference(one)?],
        };
        Ok(Self {
            id,
            purpose,
            index,
            list,
            size,
            messages,
            references,
        })
    }

    /// The entry as a member of `credentialStatus`.
    #[must_use]
    pub fn to_foreign(&self) -> Foreign {
        let mut out = match object([
            ("type", owned(ENTRY_TYPE)),
            ("statusPurpose", owned(&self.purpose)),
            ("statusListIndex", owned(&self.index.to_string())),
            ("statusListCredential", owned(&self.list)),
        ]) {
            Foreign::Object(members) => members,
            _ => Vec::new(),
        };
        if let Some(id) = &self.id {
            out.push(("id".to_owned(), owned(id)));
        }
        if self.size > 1 {
            let size = Foreign::Number(f64::from(self.size));
            out.push(("statusSize".to_owned(), size));
        }
        if !self.messages.is_empty() {
            out.push(("statusMessage".to_owned(), write_messages(&self.messages)));
        }
        if !self.references.is_empty() {
            let list = self.references.iter().map(|url| owned(url)).collect();
            out.push(("statusReference".to_owned(), Foreign::Array(list)));
        }
        Foreign::Object(out)
    }
}

/// The entries of a `credentialStatus`, which may be one object or several; those of other types
/// are left out.
///
/// # Errors
/// Neither object nor array of objects, or an entry that [`Entry::read`] refuses. Something whose
/// type merely holds the entry's is such an entry, and refused, not passed over.
pub fn entries(status: &Foreign) -> Result<Vec<Entry>, StatusError> {
    let one = std::slice::from_ref(status);
    let items = match status {
        Foreign::Array(items) => items.as_slice(),
        _ => one,
    };
    let mut out = Vec::new();
    for item in items {
        let Foreign::Object(_) = item else {
            return Err(shape("credentialStatus", "an object"));
        };
        let ours = match item.member("type") {
            Some(Foreign::Text(word)) => word == ENTRY_TYPE,
            Some(Foreign::Array(words)) => {
                words.iter().any(|word| word.as_text() == Some(ENTRY_TYPE))
            }
            _ => return Err(shape("credentialStatus.type", "a text")),
        };
        if ours {
            out.push(Entry::read(item)?);
        }
    }
    Ok(out)
}

/// How many values an entry of `size` bits has.
pub(super) fn values(size: u8) -> u64 {
    1_u64.checked_shl(u32::from(size)).unwrap_or(0)
}

/// `statusSize` of an entry or of a list; 1 where there is none.
pub(super) fn size(value: &Foreign) -> Result<u8, StatusError> {
    match optional_integer(value, "statusSize", "statusSize")? {
        None => Ok(1),
        Some(0) => Err(shape("statusSize", "a whole number above zero")),
        Some(bits) => match u8::try_from(bits) {
            Ok(bits) if bits <= StatusList::SIZE => Ok(bits),
            _ => Err(StatusError::Size { actual: bits }),
        },
    }
}

/// `statusMessage`, each value once; empty where there is none.
pub(super) fn messages(
    value: &Foreign,
    size: u8,
    member: &'static str,
) -> Result<Vec<Message>, StatusError> {
    let items = match value.member("statusMessage") {
        None => return Ok(Vec::new()),
        Some(Foreign::Array(items)) => items,
        Some(_) => return Err(shape(member, "an array")),
    };
    let expected = values(size);
    let wrong = || StatusError::Messages { expected };
    if u64::try_from(items.len()) != Ok(expected) {
        return Err(wrong());
    }
    let mut out: Vec<Message> = Vec::new();
    for item in items {
        let status = text(item, "status", "statusMessage.status")?;
        let message = text(item, "message", "statusMessage.message")?.to_owned();
        let status = hexadecimal(status)
            .filter(|status| u64::from(*status) < expected)
            .ok_or(shape("statusMessage.status", "a value in hexadecimal"))?;
        if out.iter().any(|other| other.status == status) {
            return Err(wrong());
        }
        out.push(Message { status, message });
    }
    Ok(out)
}

pub(super) fn write_messages(messages: &[Message]) -> Foreign {
    let one = |message: &Message| {
        object([
            ("message", owned(&message.message)),
            ("status", owned(&format!("{:#x}", message.status))),
        ])
    };
    Foreign::Array(messages.iter().map(one).collect())
}

fn hexadecimal(text: &str) -> Option<u8> {
    let digits = text.strip_prefix("0x")?;
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    u8::from_str_radix(digits, 16).ok().filter(|_| plain)
}

/// A decimal number as its one shortest text. One beyond 2^64 − 1 is a number, and in no list.
fn index(text: &str) -> Result<u64, StatusError> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits || (text.len() > 1 && text.starts_with('0')) {
        return Err(StatusError::Index {
            member: "statusListIndex",
            actual: clip(text),
        });
    }
    Ok(text.parse().unwrap_or(u64::MAX))
}

fn url(text: &str, member: &'static str) -> Result<String, StatusError> {
    if !is_url(text) {
        return Err(shape(member, "a URL"));
    }
    Ok(text.to_owned())
}

fn reference(value: Option<&Foreign>) -> Result<String, StatusError> {
    match value.and_then(Foreign::as_text) {
        Some(text) => url(text, "statusReference"),
        None => Err(shape("statusReference", "a URL, or URLs")),
    }
}

#[cfg(test)]
mod tests;
