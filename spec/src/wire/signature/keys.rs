//! The keys somebody meets again and again: read once, prepared when they are worth it.

use std::collections::BTreeMap;
use std::fmt;

use curve25519_dalek::edwards::EdwardsPoint;

use super::{PreparedKey, PublicKey, Signature, SignatureError, TEXT, settle};

/// Key texts remembered; when there are more, all are forgotten and read again.
const TEXTS: usize = 4_096;
/// Signatures by one key within a span after which its table pays.
const WORTH: u32 = 64;
/// Signatures after which counts are halved, so that a key that fell silent loses its table.
const SPAN: u32 = 8_192;

/// What reading and verifying remembers, so that many statements by few keys cost less.
///
/// It changes no verdict, only the time. Memory is bounded whatever is read: about 1 MiB for texts,
/// [`PreparedKey::MEMORY`] for each key prepared.
#[derive(Default)]
pub struct Keys {
    texts: BTreeMap<[u8; TEXT], PublicKey>,
    uses: BTreeMap<[u8; 32], Uses>,
    /// Signatures since the counts were halved.
    span: u32,
    prepared: usize,
    max_prepared: usize,
}

/// A key, a message in parts laid end to end, and the signature over it.
#[derive(Clone, Copy, Debug)]
pub struct Statement<'a>(
    /// By whom.
    pub &'a PublicKey,
    /// What.
    pub &'a [&'a [u8]],
    /// The signature.
    pub &'a Signature,
);

/// How often a key was used of late.
#[derive(Default)]
struct Uses {
    count: u32,
    prepared: Option<Box<PreparedKey>>,
}

impl Keys {
    /// Nothing remembered yet; tables for at most `max_prepared` keys at a time.
    #[must_use]
    pub fn new(max_prepared: usize) -> Self {
        Self {
            max_prepared,
            ..Self::default()
        }
    }

    /// As [`PublicKey::from_multibase`].
    ///
    /// # Errors
    /// As [`PublicKey::from_multibase`]; what is refused is not remembered.
    pub fn read(&mut self, text: &str) -> Result<PublicKey, SignatureError> {
        let Ok(name) = <[u8; TEXT]>::try_from(text.as_bytes()) else {
            return PublicKey::from_multibase(text);
        };
        if let Some(key) = self.texts.get(&name) {
            return Ok(*key);
        }
        let key = PublicKey::from_multibase(text)?;
        if self.texts.len() >= TEXTS {
            self.texts.clear();
        }
        self.texts.insert(name, key);
        Ok(key)
    }

    /// As [`PublicKey::verify`].
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify(
        &mut self,
        key: &PublicKey,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), SignatureError> {
        self.verify_parts(key, &[message], signature)
    }

    /// As [`PublicKey::verify_parts`].
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify_parts(
        &mut self,
        key: &PublicKey,
        message: &[&[u8]],
        signature: &Signature,
    ) -> Result<(), SignatureError> {
        match self.uses(key).prepared.as_deref() {
            Some(prepared) => prepared.verify_parts(message, signature)?,
            None => key.verify_parts(message, signature)?,
        }
        self.count(key);
        Ok(())
    }

    /// As [`Keys::verify_parts`] of each, cheaper by the one inversion they share. Each has a
    /// verdict of its own, the same as alone: no equation is summed over several.
    pub fn verify_all(&mut self, statements: &[Statement<'_>]) -> Vec<Result<(), SignatureError>> {
        let expected: Vec<Result<EdwardsPoint, SignatureError>> = statements
            .iter()
            .map(
                |Statement(key, message, signature)| match self.uses(key).prepared.as_deref() {
                    Some(prepared) => key.expected(message, signature, prepared.equation()),
                    None => key.expected(message, signature, key.equation()),
                },
            )
            .collect();
        let points: Vec<EdwardsPoint> = expected.iter().flatten().copied().collect();
        let mut encodings = EdwardsPoint::compress_batch_alloc(&points).into_iter();
        let mut verdicts = Vec::with_capacity(statements.len());
        for (Statement(key, _, signature), expected) in statements.iter().zip(expected) {
            let verdict = expected.and_then(|point| {
                // As many encodings as points: the last arm is never taken.
                let encoding = encodings.next().ok_or(SignatureError::Mismatch)?;
                settle(&point, encoding.as_bytes(), signature)
            });
            if verdict.is_ok() {
                self.count(key);
            }
            verdicts.push(verdict);
        }
        verdicts
    }

    fn uses(&mut self, key: &PublicKey) -> &mut Uses {
        self.span = self.span.saturating_add(1);
        if self.span > SPAN {
            self.halve();
        }
        self.uses.entry(key.to_bytes()).or_default()
    }

    /// Only what verifies counts: nobody gets a table made for a key that is not theirs.
    fn count(&mut self, key: &PublicKey) {
        let Some(uses) = self.uses.get_mut(&key.to_bytes()) else {
            return;
        };
        uses.count = uses.count.saturating_add(1);
        if uses.prepared.is_none() && uses.count >= WORTH && self.prepared < self.max_prepared {
            uses.prepared = Some(Box::new(PreparedKey::new(*key)));
            self.prepared = self.prepared.saturating_add(1);
        }
    }

    /// How many keys have a table now.
    #[must_use]
    pub fn prepared(&self) -> usize {
        self.prepared
    }

    fn halve(&mut self) {
        self.span = 0;
        self.uses.retain(|_, uses| {
            uses.count /= 2;
            uses.count > 0
        });
        let left = self.uses.values().filter(|uses| uses.prepared.is_some());
        self.prepared = left.count();
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("texts", &self.texts.len())
            .field("prepared", &self.prepared)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
