//! An event together with its bytes: written or read once, hashed once, checked once.

use std::ops::{Deref, Range};

use super::{Event, ID_PREFIX, LEAF_CAPACITY, MESSAGE_PREFIX};
use crate::life::apply::Refusal;
use crate::log::tree::leaf_hash;
use crate::wire::fields::{Fields, Malformed};
use crate::wire::hash::{Hash, sha256};
use crate::wire::json::{self, Value};
use crate::wire::limits;
use crate::wire::signature::{Keys, PublicKey, Signature, SignatureError, Statement};

/// What stands before and after an event in its raw leaf.
const LEAF_START: &[u8] = b"{\"event\":";
const LEAF_END: &[u8] = b",\"leaf\":\"event\"}";
/// How the member `signatures` begins, after another member.
const SIGNATURES: &[u8] = b",\"signatures\":[";

/// An event whose every signature verifies strictly. Whether its keys may sign is `apply`'s to say.
///
/// It keeps its raw leaf and both hashes, which everybody who handles it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedEvent {
    event: Event,
    id: Hash,
    leaf: Vec<u8>,
    leaf_hash: Hash,
}

impl Deref for VerifiedEvent {
    type Target = Event;

    fn deref(&self) -> &Event {
        &self.event
    }
}

impl VerifiedEvent {
    /// The identity: the same statement signed by others is the same event.
    #[must_use]
    pub fn id(&self) -> Hash {
        self.id
    }

    /// The raw leaf.
    #[must_use]
    pub fn leaf_bytes(&self) -> &[u8] {
        &self.leaf
    }

    /// RFC 6962 leaf hash of the raw leaf.
    #[must_use]
    pub fn leaf_hash(&self) -> Hash {
        self.leaf_hash
    }

    /// The event itself.
    #[must_use]
    pub fn into_inner(self) -> Event {
        self.event
    }

    /// As [`Event::verify_signatures`] of each of many events, faster when `keys` has met the
    /// signers. One verdict does not depend on another.
    pub fn check_all(events: Vec<Event>, keys: &mut Keys) -> Vec<Result<Self, Refusal>> {
        let with_leaf = |event: Event| {
            let (leaf, signatures) = event.leaf();
            (event, leaf, signatures)
        };
        verify_all(events.into_iter().map(with_leaf), keys)
    }

    /// As [`VerifiedEvent::check_all`], of events that were read.
    pub fn check_all_read(events: Vec<ReadEvent>, keys: &mut Keys) -> Vec<Result<Self, Refusal>> {
        let with_place = |read: ReadEvent| match signatures_in(&read.leaf) {
            Some(signatures) => (read.event, read.leaf, signatures),
            None => {
                let (leaf, signatures) = read.event.leaf();
                (read.event, leaf, signatures)
            }
        };
        verify_all(events.into_iter().map(with_place), keys)
    }

    /// The event and its raw leaf.
    #[must_use]
    pub fn into_parts(self) -> (Event, Vec<u8>) {
        (self.event, self.leaf)
    }
}

/// An event as it was read: its signatures not yet checked, its bytes at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadEvent {
    event: Event,
    /// The raw leaf. Reading accepts canonical bytes only, so these are what writing gives.
    leaf: Vec<u8>,
}

impl Deref for ReadEvent {
    type Target = Event;

    fn deref(&self) -> &Event {
        &self.event
    }
}

impl ReadEvent {
    /// Reads the canonical bytes of an event, with the signers' keys as `keys` knows them.
    ///
    /// # Errors
    /// As [`Event::parse`].
    pub fn parse(bytes: &[u8], keys: &mut Keys) -> Result<Self, Malformed> {
        let value = json::parse_within(bytes, limits::EVENT_BYTES)?;
        let event = Event::read(&value, "", &mut |text| keys.read(text))?;
        let mut leaf = Vec::with_capacity(LEAF_CAPACITY);
        leaf.extend_from_slice(LEAF_START);
        leaf.extend_from_slice(bytes);
        leaf.extend_from_slice(LEAF_END);
        Ok(Self { event, leaf })
    }

    /// The event in a leaf: `value` is what `leaf` was read as.
    pub(crate) fn of_leaf(
        value: &Value,
        leaf: Vec<u8>,
        keys: &mut Keys,
    ) -> Result<Self, Malformed> {
        let mut fields = Fields::new(value, "")?;
        fields.literal("leaf", "event")?;
        let event = fields.value("event")?;
        let event = Event::read(event, "event", &mut |text| keys.read(text))?;
        fields.finish()?;
        Ok(Self { event, leaf })
    }

    /// Checks every signature strictly.
    ///
    /// # Errors
    /// As [`Event::verify_signatures`].
    pub fn verify_signatures(self, keys: &mut Keys) -> Result<VerifiedEvent, Refusal> {
        let (leaf, signatures) = match signatures_in(&self.leaf) {
            Some(signatures) => (self.leaf, signatures),
            None => self.event.leaf(),
        };
        verify(self.event, leaf, &signatures, &mut known(keys))
    }

    /// The event itself.
    #[must_use]
    pub fn into_inner(self) -> Event {
        self.event
    }
}

/// Where in a raw leaf the event's signatures stand, with the comma before them. Behind them there
/// are only hashes and words, and a quote inside a text is escaped, so the last place that looks
/// like the beginning of the member is it.
fn signatures_in(leaf: &[u8]) -> Option<Range<usize>> {
    let start = leaf
        .windows(SIGNATURES.len())
        .rposition(|window| window == SIGNATURES)?;
    let length = leaf.get(start..)?.iter().position(|byte| *byte == b']')?;
    Some(start..start.checked_add(length)?.checked_add(1)?)
}

/// How a signature over parts laid end to end is checked.
type Check<'a> = dyn FnMut(&PublicKey, &[&[u8]], &Signature) -> Result<(), SignatureError> + 'a;

pub(super) fn plain(
    key: &PublicKey,
    parts: &[&[u8]],
    signature: &Signature,
) -> Result<(), SignatureError> {
    key.verify_parts(parts, signature)
}

pub(super) fn known(
    keys: &mut Keys,
) -> impl FnMut(&PublicKey, &[&[u8]], &Signature) -> Result<(), SignatureError> {
    |key, parts, signature| keys.verify_parts(key, parts, signature)
}

/// An event, its raw leaf, and where in it the signatures stand.
type Unchecked = (Event, Vec<u8>, Range<usize>);

/// Events whose signatures are checked together: enough that what they share costs nothing.
const TOGETHER: usize = 64;

/// What stands in a leaf before and after the signatures: together, the statement.
fn around<'a>(leaf: &'a [u8], signatures: &Range<usize>) -> (&'a [u8], &'a [u8]) {
    let end = leaf.len().saturating_sub(LEAF_END.len());
    let before = leaf.get(LEAF_START.len()..signatures.start);
    let after = leaf.get(signatures.end..end);
    before
        .zip(after)
        .expect("an event's leaf has its signatures inside")
}

/// Checks the signatures of `event`, whose raw leaf is `leaf` with `signatures` at that place.
pub(super) fn verify(
    event: Event,
    leaf: Vec<u8>,
    signatures: &Range<usize>,
    check: &mut Check<'_>,
) -> Result<VerifiedEvent, Refusal> {
    let (before, after) = around(&leaf, signatures);
    let verdicts: Vec<bool> = event
        .signatures
        .iter()
        .map(|one| {
            let parts = [MESSAGE_PREFIX, before, after];
            check(&one.key, &parts, &one.signature).is_ok()
        })
        .collect();
    judged((event, leaf, signatures.clone()), &verdicts)
}

/// Checks the signatures of many events, each as if it were alone.
pub(super) fn verify_all(
    events: impl Iterator<Item = Unchecked>,
    keys: &mut Keys,
) -> Vec<Result<VerifiedEvent, Refusal>> {
    let mut all = Vec::with_capacity(events.size_hint().0);
    let mut events = events.peekable();
    while events.peek().is_some() {
        let some: Vec<Unchecked> = events.by_ref().take(TOGETHER).collect();
        let parts: Vec<[&[u8]; 3]> = some
            .iter()
            .map(|(_, leaf, signatures)| {
                let (before, after) = around(leaf, signatures);
                [MESSAGE_PREFIX, before, after]
            })
            .collect();
        let statements: Vec<Statement<'_>> = some
            .iter()
            .zip(&parts)
            .flat_map(|((event, ..), parts)| {
                let signatures = event.signatures.iter();
                signatures.map(move |one| Statement(&one.key, parts, &one.signature))
            })
            .collect();
        let verdicts = keys.verify_all(&statements);
        let mut verdicts = verdicts.into_iter().map(|verdict| verdict.is_ok());
        for unchecked in some {
            let count = unchecked.0.signatures.len();
            let own: Vec<bool> = verdicts.by_ref().take(count).collect();
            all.push(judged(unchecked, &own));
        }
    }
    all
}

/// The event with its hashes, if each of its signatures is good.
fn judged(
    (event, leaf, signatures): Unchecked,
    verdicts: &[bool],
) -> Result<VerifiedEvent, Refusal> {
    if event.signatures.is_empty() {
        return Err(Refusal::SignerMissing);
    }
    let good = verdicts.iter().chain(std::iter::repeat(&false));
    if let Some((bad, _)) = event.signatures.iter().zip(good).find(|(_, good)| !**good) {
        return Err(Refusal::SignatureInvalid {
            key: bad.key.to_multibase(),
        });
    }
    let (before, after) = around(&leaf, &signatures);
    Ok(VerifiedEvent {
        id: sha256(&[ID_PREFIX, before, after]),
        leaf_hash: leaf_hash(&leaf),
        event,
        leaf,
    })
}

#[cfg(test)]
mod tests;
