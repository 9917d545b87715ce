//! The judgement of one entry: Bitstring Status List §3.2.

use zhao_spec::wire::{UnixMillis, clip};

use super::StatusError;
use super::credential::{ListCredential, decode, long_enough};
use super::entry::{Entry, Message};

/// What the caller demands of a list.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Whose word on the status counts. The Recommendation lets list and credential have different
    /// issuers; which one is trusted is for the caller to say, and usually the credential's own.
    pub issuer: &'a str,
    /// Now.
    pub at: UnixMillis,
    /// When the list was fetched, if that is known: `ttl` counts from there.
    pub fetched: Option<UnixMillis>,
    /// The size of the log that the list must at least be derived from, if any.
    pub least_size: Option<u64>,
}

/// What a list says of one credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The value; 0 says that nothing is the matter.
    pub status: u8,
    /// What it is about.
    pub purpose: String,
    /// Whether the value is 0.
    pub valid: bool,
    /// What the value means, where entry or list says it.
    pub message: Option<String>,
    /// Whether the list's `ttl` has passed: ask for a newer one, though this one still counts.
    pub due: bool,
}

/// What `list`, whose proofs were verified as its issuer's, says of `entry`.
///
/// # Errors
/// In this order: issuer; id; purpose; times; ledger epoch; the widths of entry and list; the
/// encoded list; its length; the index.
pub fn check(
    entry: &Entry,
    list: &ListCredential,
    wanted: &Wanted<'_>,
) -> Result<Outcome, StatusError> {
    if list.issuer != wanted.issuer {
        return Err(StatusError::Issuer {
            actual: clip(&list.issuer),
        });
    }
    // A list that names itself otherwise is another list, wherever it was found.
    if let Some(id) = list.id.as_deref().filter(|id| *id != entry.list) {
        return Err(StatusError::Id {
            member: "id",
            actual: clip(id),
        });
    }
    if !list.purposes.contains(&entry.purpose) {
        return Err(StatusError::Purpose {
            expected: clip(&entry.purpose),
        });
    }
    if let Some(from) = list.valid_from.filter(|from| *from > wanted.at) {
        return Err(StatusError::NotYet { from });
    }
    if let Some(until) = list.valid_until.filter(|until| *until < wanted.at) {
        return Err(StatusError::Expired { until });
    }
    let actual = list.derived_from.as_ref().map_or(0, |epoch| epoch.size);
    if let Some(required) = wanted.least_size.filter(|least| actual < *least) {
        return Err(StatusError::Old { actual, required });
    }
    if let Some(size) = list.size.filter(|size| *size != entry.size) {
        return Err(StatusError::Size {
            actual: u64::from(size),
        });
    }
    let bits = decode(&list.encoded, entry.size)?;
    long_enough(&bits)?;
    let status = bits.value(entry.index)?;
    let due = match (wanted.fetched, list.ttl) {
        (Some(fetched), Some(ttl)) => wanted.at.since(fetched) > ttl,
        _ => false,
    };
    // The entry's own words are the ones its holder was promised.
    let message = said(&entry.messages, status).or_else(|| said(&list.messages, status));
    Ok(Outcome {
        status,
        purpose: entry.purpose.clone(),
        valid: status == 0,
        message,
        due,
    })
}

fn said(messages: &[Message], status: u8) -> Option<String> {
    messages
        .iter()
        .find(|message| message.status == status)
        .map(|message| message.message.clone())
}

#[cfg(test)]
mod tests;
