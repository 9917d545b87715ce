//! The keys somebody meets again and again: read once, prepared when they are worth it.

use std::collections::BTreeMap;
use std::fmt;

use super::{PreparedKey, PublicKey, Signature, SignatureError, TEXT};

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
        self.span = self.span.saturating_add(1);
        if self.span > SPAN {
            self.halve();
        }
        let uses = self.uses.entry(key.to_bytes()).or_default();
        if let Some(prepared) = &uses.prepared {
            prepared.verify_parts(message, signature)?;
        } else {
            key.verify_parts(message, signature)?;
        }
        // Only what verifies counts: nobody gets a table made for a key that is not theirs.
        uses.count = uses.count.saturating_add(1);
        if uses.prepared.is_none() && uses.count >= WORTH && self.prepared < self.max_prepared {
            uses.prepared = Some(Box::new(PreparedKey::new(*key)));
            self.prepared = self.prepared.saturating_add(1);
        }
        Ok(())
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
