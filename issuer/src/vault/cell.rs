//! One sealed cell: version of the key, nonce, ciphertext, tag.

use chacha20poly1305::aead::{AeadInOut as _, KeyInit as _};
use chacha20poly1305::{Key, Tag, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::{CHECK_BYTES, Secrets, VaultError, expand};

const VERSION_BYTES: usize = 2;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
/// Bytes a cell has more than its text.
pub(crate) const OVERHEAD: usize = VERSION_BYTES + NONCE_BYTES + TAG_BYTES;

/// Where a cell stands. It opens nowhere else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) table: &'static str,
    pub(crate) column: &'static str,
    /// What tells the row from every other of its table, whatever its number.
    pub(crate) row: &'a [u8],
}

impl Place<'_> {
    /// Neither name has a NUL in it, so no two places have the same bytes.
    fn bytes(&self) -> Vec<u8> {
        [
            self.table.as_bytes(),
            b"\0",
            self.column.as_bytes(),
            b"\0",
            self.row,
        ]
        .concat()
    }
}

/// The version of the key a cell is sealed under; none: it is no cell.
pub(crate) fn version_of(cell: &[u8]) -> Option<u16> {
    if cell.len() < OVERHEAD {
        return None;
    }
    cell.first_chunk::<VERSION_BYTES>()
        .map(|bytes| u16::from_be_bytes(*bytes))
}

/// One version's keys.
#[derive(Clone)]
pub(super) struct CellKey {
    version: u16,
    cipher: XChaCha20Poly1305,
    nonce: Zeroizing<[u8; 32]>,
    check: [u8; CHECK_BYTES],
}

impl CellKey {
    pub(super) fn derive(
        secrets: &Secrets,
        origin: &str,
        version: u16,
    ) -> Result<Self, VaultError> {
        let secret = secrets.get(version).ok_or(VaultError::Missing(version))?;
        let cell = expand(secret, origin, "cell");
        let check = expand(secret, origin, "check");
        let mut short = [0; CHECK_BYTES];
        short.copy_from_slice(&check[..CHECK_BYTES]);
        Ok(Self {
            version,
            cipher: XChaCha20Poly1305::new(&Key::from(*cell)),
            nonce: expand(secret, origin, "nonce"),
            check: short,
        })
    }

    /// What tells this key from another without telling the key.
    pub(super) fn check(&self) -> [u8; CHECK_BYTES] {
        self.check
    }

    pub(super) fn seal(&self, place: &Place<'_>, clear: &[u8]) -> Vec<u8> {
        let place = place.bytes();
        let nonce = self.nonce(&place, clear);
        let mut cell = Vec::with_capacity(OVERHEAD.saturating_add(clear.len()));
        cell.extend_from_slice(&self.version.to_be_bytes());
        cell.extend_from_slice(&nonce);
        cell.extend_from_slice(clear);
        let tag = self
            .cipher
            .encrypt_inout_detached(
                &XNonce::from(nonce),
                &place,
                cell.split_at_mut(VERSION_BYTES + NONCE_BYTES).1.into(),
            )
            .expect("a cell is far shorter than the cipher's limit of 256 GiB");
        cell.extend_from_slice(&tag);
        cell
    }

    pub(super) fn open(
        &self,
        place: &Place<'_>,
        cell: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let body = cell.get(VERSION_BYTES..).ok_or(VaultError::Sealed)?;
        let (nonce, body) = body
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(VaultError::Sealed)?;
        let (body, tag) = body
            .split_last_chunk::<TAG_BYTES>()
            .ok_or(VaultError::Sealed)?;
        let mut clear = Zeroizing::new(body.to_vec());
        self.cipher
            .decrypt_inout_detached(
                &XNonce::from(*nonce),
                &place.bytes(),
                clear.as_mut_slice().into(),
                &Tag::from(*tag),
            )
            .map_err(|_| VaultError::Sealed)?;
        Ok(clear)
    }

    /// The nonce is a keyed hash of place and text: it repeats only where both are the same, even
    /// after a restored backup or on a machine whose randomness is bad.
    fn nonce(&self, place: &[u8], clear: &[u8]) -> [u8; NONCE_BYTES] {
        let length = u64::try_from(place.len()).expect("a place has under 2^64 bytes");
        let mut hasher = blake3::Hasher::new_keyed(&self.nonce);
        hasher
            .update(&length.to_be_bytes())
            .update(place)
            .update(clear);
        let mut nonce = [0; NONCE_BYTES];
        nonce.copy_from_slice(&hasher.finalize().as_bytes()[..NONCE_BYTES]);
        nonce
    }
}
