//! The keys the log signs its heads with: one, and while it changes its key two.

use zhao_spec::log::note::{NoteSigner, SignedNote, Vkey};
use zhao_spec::log::policy::Policy;
use zhao_spec::log::tree::TreeSize;
use zhao_spec::log::{HeadKey, LogKeys, head_key_at};
use zhao_spec::wire::PublicKey;

use super::Sequencer;
use crate::overlay::StoredView;
use crate::store::StoreError;

/// The keys that are here. All have one name, the log's origin.
pub struct LogSigner {
    first: NoteSigner,
    later: Vec<NoteSigner>,
}

impl std::fmt::Debug for LogSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.vkeys()).finish()
    }
}

impl From<NoteSigner> for LogSigner {
    fn from(signer: NoteSigner) -> Self {
        Self {
            first: signer,
            later: Vec::new(),
        }
    }
}

impl LogSigner {
    /// Adds a key of the same log; returns whether it was taken.
    pub fn add(&mut self, signer: NoteSigner) -> bool {
        let taken = signer.name() == self.origin()
            && self.iter().all(|known| known.vkey() != signer.vkey());
        if taken {
            self.later.push(signer);
        }
        taken
    }

    /// The log's origin.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.first.name()
    }

    /// The public keys, the first one first.
    pub fn vkeys(&self) -> impl Iterator<Item = &Vkey> {
        self.iter().map(NoteSigner::vkey)
    }

    /// Every key the log may have signed with or may come to sign with: those that are here, and
    /// those the policy has for it.
    #[must_use]
    pub fn known(&self, policy: &Policy) -> LogKeys {
        let mut keys = LogKeys::from(self.first.vkey().clone());
        let listed = LogKeys::of(policy, self.origin());
        let listed = listed.iter().flat_map(LogKeys::iter);
        for key in self.vkeys().chain(listed) {
            keys.add(key.clone());
        }
        keys
    }

    fn iter(&self) -> impl Iterator<Item = &NoteSigner> {
        std::iter::once(&self.first).chain(&self.later)
    }

    fn by(&self, key: &PublicKey) -> Option<&NoteSigner> {
        self.iter()
            .find(|signer| signer.vkey().public_key() == Some(key))
    }

    /// The newest of the keys here that signed a note.
    pub(crate) fn of(&self, note: &SignedNote) -> Option<&NoteSigner> {
        let signed = |signer: &&NoteSigner| note.by(signer.vkey()).next().is_some();
        self.iter().filter(signed).last()
    }

    /// Those that sign a head of this size: the key that must, and whatever came before it and is
    /// still here, so that whoever knows only that one goes on reading. A key whose size is not
    /// reached signs nothing. `first` is the log's first key.
    ///
    /// # Errors
    /// The key that must sign, when it is not here.
    pub(crate) fn at(
        &self,
        first: PublicKey,
        named: &[HeadKey],
        size: TreeSize,
    ) -> Result<Vec<&NoteSigner>, Box<PublicKey>> {
        let must = head_key_at(named, size).copied().unwrap_or(first);
        let mut signers = vec![self.by(&must).ok_or_else(|| Box::new(must))?];
        let reached = named.iter().filter(|named| named.from <= size);
        for key in std::iter::once(first).chain(reached.map(|named| named.key)) {
            if key != must
                && let Some(signer) = self.by(&key)
            {
                signers.push(signer);
            }
        }
        Ok(signers)
    }
}

impl Sequencer {
    /// The keys that the log's administrators named for its heads.
    pub(super) fn named(&self) -> Result<Vec<HeadKey>, StoreError> {
        let view = StoredView::new(&*self.store, &self.edge.map, &self.hot);
        view.head_keys(self.origin())
    }

    /// The log's keys, and which of them counts for which size.
    pub(super) fn keys_now(&self) -> Result<LogKeys, StoreError> {
        Ok(self.keys.clone().with_named(&self.named()?))
    }

    /// Those of `signer` that sign a head of this size so that the policy takes it; else why none
    /// may.
    pub(super) fn usable<'a>(
        &self,
        signer: &'a LogSigner,
        named: &[HeadKey],
        size: TreeSize,
    ) -> Result<Vec<&'a NoteSigner>, String> {
        let first = self.first.ok_or("the log's first key is not known")?;
        let signers = signer.at(first, named, size).map_err(|key| {
            let key = key.to_multibase();
            format!("{key} signs heads from here on, and is not here")
        })?;
        let policy = &self.quorum.policy;
        let listed = |signer: &&NoteSigner| policy.logs().iter().any(|l| l.vkey == *signer.vkey());
        if signers.iter().any(listed) {
            Ok(signers)
        } else {
            Err("the policy has no line for it".to_owned())
        }
    }
}
