//! What keeps the personal fields of the office's records: cells that are sealed, and blind
//! indexes by which they are still found.
//!
//! A cell is XChaCha20-Poly1305 with table, column and row as associated data, so that a cell that
//! was changed, cut short or moved does not open. A blind index is a keyed hash of a text in one
//! normal form: equal texts have equal indexes, and who has no key can compute none.
//!
//! In scope: keys derived from the 32-byte secrets of the key directory ([`Secrets`]), sealing,
//! indexes, names of documents. Out of scope: where the cells stand, and rotating them
//! ([`crate::records`]).
//!
//! Prose: `issuer/records.md`.

use std::collections::BTreeMap;

use hkdf::Hkdf;
use rand::CryptoRng;
use sha2::Sha256;
use zeroize::Zeroizing;
use zhao_spec::wire::UnixMillis;

use crate::keys::{KeyError, Keyring, Purpose, public_parts};

mod cell;
mod index;

#[cfg(test)]
pub(crate) use cell::OVERHEAD;
pub(crate) use cell::{Place, version_of};
pub(crate) use index::{Blind, Column};

use cell::CellKey;
use index::Indexes;

/// Name of the records' keys in the key directory: this and a version.
const KEY_NAME: &str = "records-";
/// Bytes of a check value: enough that no other key has it.
pub(crate) const CHECK_BYTES: usize = 16;

/// The secrets from which the records' keys are derived, by version.
#[derive(Clone, Default)]
pub struct Secrets(BTreeMap<u16, Zeroizing<[u8; 32]>>);

// Numbers only: the rest is secret.
impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Secrets {
    /// The secrets of a key directory: its keys `records-<version>`.
    ///
    /// # Errors
    /// The directory cannot be read, or a key in it cannot be opened.
    pub fn open(keyring: &mut Keyring) -> Result<Self, KeyError> {
        let mut secrets = Self::default();
        for part in public_parts(keyring.dir())? {
            let version = part.name.strip_prefix(KEY_NAME).map(str::parse);
            if part.purpose == Purpose::Records
                && let Some(Ok(version)) = version
            {
                let key = keyring.secret(&part.name, Purpose::Records)?;
                secrets.0.insert(version, key.to_seed());
            }
        }
        Ok(secrets)
    }

    /// Draws a secret of the next version, stores it in the key directory and keeps it. Answers
    /// its version.
    ///
    /// # Errors
    /// The disk refuses, or there is a key of that name for another purpose.
    pub fn draw(
        &mut self,
        keyring: &mut Keyring,
        rng: &mut dyn CryptoRng,
        now: UnixMillis,
    ) -> Result<u16, KeyError> {
        let version = self.latest().map_or(1, |last| last.saturating_add(1));
        let name = format!("{KEY_NAME}{version}");
        keyring.generate(&name, Purpose::Records, rng, now)?;
        let key = keyring.secret(&name, Purpose::Records)?;
        self.0.insert(version, key.to_seed());
        Ok(version)
    }

    /// Adds a secret that comes from elsewhere, as from a backup or a test.
    pub fn add(&mut self, version: u16, secret: [u8; 32]) {
        self.0.insert(version, Zeroizing::new(secret));
    }

    /// The highest version; none: there is no secret.
    #[must_use]
    pub fn latest(&self) -> Option<u16> {
        self.0.last_key_value().map(|(version, _)| *version)
    }

    fn get(&self, version: u16) -> Option<&Zeroizing<[u8; 32]>> {
        self.0.get(&version)
    }
}

/// Why a vault does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VaultError {
    /// There is no secret of this version.
    Missing(u16),
    /// The cell is damaged, or not from here.
    Sealed,
    /// The secret of this version is another than the one the records were written with.
    Wrong(u16),
}

/// One version of the key as the records keep it: see `vault_keys` in the schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyRow {
    pub(crate) version: u16,
    pub(crate) check: Vec<u8>,
    pub(crate) index_root: Vec<u8>,
}

/// The keys of one office's records, at work.
pub(crate) struct Vault {
    cells: BTreeMap<u16, CellKey>,
    current: u16,
    index_root: Zeroizing<[u8; 32]>,
    indexes: Indexes,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vault({})", self.current)
    }
}

impl Vault {
    /// The vault of new records, under the latest secret.
    pub(crate) fn fresh(secrets: &Secrets, origin: &str) -> Result<Self, VaultError> {
        let current = secrets.latest().ok_or(VaultError::Missing(1))?;
        let key = CellKey::derive(secrets, origin, current)?;
        // Indexes outlive the key they first came from: they are not computed anew when it is
        // replaced, so their root is kept, sealed.
        let secret = secrets.get(current).ok_or(VaultError::Missing(current))?;
        let index_root = expand(secret, origin, "index root");
        Ok(Self {
            cells: BTreeMap::from([(current, key)]),
            current,
            indexes: Indexes::derive(&index_root),
            index_root,
        })
    }

    /// The vault of records that have these versions of the key.
    pub(crate) fn load(
        secrets: &Secrets,
        origin: &str,
        rows: &[KeyRow],
    ) -> Result<Self, VaultError> {
        let mut cells = BTreeMap::new();
        let mut index_root = None;
        for row in rows {
            let key = CellKey::derive(secrets, origin, row.version)?;
            if key.check().as_slice() != row.check {
                return Err(VaultError::Wrong(row.version));
            }
            let version = row.version.to_be_bytes();
            let root = key.open(&root_place(&version), &row.index_root)?;
            let root: [u8; 32] = root.as_slice().try_into().map_err(|_| VaultError::Sealed)?;
            index_root = Some(Zeroizing::new(root));
            cells.insert(row.version, key);
        }
        let current = cells.last_key_value().map(|(version, _)| *version);
        let (current, index_root) = current.zip(index_root).ok_or(VaultError::Missing(1))?;
        Ok(Self {
            cells,
            current,
            indexes: Indexes::derive(&index_root),
            index_root,
        })
    }

    /// This vault with another version in use: it seals under that one, and opens cells of all.
    pub(crate) fn advanced(
        &self,
        secrets: &Secrets,
        origin: &str,
        version: u16,
    ) -> Result<Self, VaultError> {
        let mut cells = self.cells.clone();
        cells.insert(version, CellKey::derive(secrets, origin, version)?);
        Ok(Self {
            cells,
            current: version,
            index_root: self.index_root.clone(),
            indexes: Indexes::derive(&self.index_root),
        })
    }

    /// Forgets every version but the current one.
    pub(crate) fn forget(&mut self) {
        let current = self.current;
        self.cells.retain(|version, _| *version == current);
    }

    /// The version cells are sealed under.
    pub(crate) fn current(&self) -> u16 {
        self.current
    }

    /// What the records keep of the current version.
    pub(crate) fn row(&self) -> KeyRow {
        let row = self.current.to_be_bytes();
        KeyRow {
            version: self.current,
            check: self.key().check().to_vec(),
            index_root: self.seal(&root_place(&row), self.index_root.as_slice()),
        }
    }

    /// The cell of a text at a place. The same text at the same place makes the same cell.
    pub(crate) fn seal(&self, place: &Place<'_>, clear: &[u8]) -> Vec<u8> {
        self.key().seal(place, clear)
    }

    /// The text of a cell.
    pub(crate) fn open(
        &self,
        place: &Place<'_>,
        cell: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let version = version_of(cell).ok_or(VaultError::Sealed)?;
        let key = self.cells.get(&version).ok_or(VaultError::Sealed)?;
        key.open(place, cell)
    }

    /// The blind index of a text, of the parts of one.
    pub(crate) fn blind(&self, column: Column, parts: &[&str]) -> Blind {
        self.indexes.blind(column, parts)
    }

    /// The name of a document: a keyed hash, so that who has no key cannot try contents.
    pub(crate) fn name(&self, content: &[u8]) -> [u8; 32] {
        self.indexes.name(content)
    }

    fn key(&self) -> &CellKey {
        self.cells
            .get(&self.current)
            .expect("the current version is always here")
    }
}

fn root_place(version: &[u8]) -> Place<'_> {
    Place {
        table: "vault_keys",
        column: "index_root",
        row: version,
    }
}

/// 32 bytes from a secret, for one office and one purpose.
fn expand(secret: &[u8; 32], origin: &str, purpose: &str) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    let info = format!("zhao/v1 records {purpose}");
    Hkdf::<Sha256>::new(Some(origin.as_bytes()), secret)
        .expand(info.as_bytes(), key.as_mut_slice())
        .expect("32 bytes are less than 255 hashes");
    key
}

#[cfg(test)]
mod tests;
