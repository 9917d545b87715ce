//! Keys of notes: their names, ids, texts, and signing.

use thiserror::Error;

use super::{NoteError, NoteSignature};
use crate::wire::binary::{decode_base64, encode_base64};
use crate::wire::clip;
use crate::wire::hash::sha256;
use crate::wire::signature::{PublicKey, SecretKey, Signature};

/// Bytes a vkey text may have: a name, and an ML-DSA-44 key of 1,312 bytes in base64.
const VKEY_LIMIT: usize = 4096;

/// Bytes a key name may have: ML-DSA cosignatures hold it in a field of at most 255.
pub const NAME_LIMIT: usize = 255;

/// First four bytes of a hash over name, type and key: says which key of a name signed.
///
/// It is an identifier and no protection: colliding keys are easy to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 4]);

impl std::fmt::Display for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

/// What kind of signatures a key makes: the signature type byte of signed-note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyKind {
    /// 0x01: Ed25519 over the note's text. Logs sign so.
    Ed25519,
    /// 0x04: Ed25519 over a time and the note's text. Witnesses and auditors sign so.
    Cosignature,
    /// Any other byte: kept, never verified here.
    Unknown(
        /// The byte.
        u8,
    ),
}

impl KeyKind {
    /// The signature type byte.
    #[must_use]
    pub fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Cosignature => 0x04,
            Self::Unknown(byte) => byte,
        }
    }

    /// The kind a byte stands for.
    #[must_use]
    pub fn from_byte(byte: u8) -> Self {
        match byte {
            0x01 => Self::Ed25519,
            0x04 => Self::Cosignature,
            other => Self::Unknown(other),
        }
    }
}

impl std::fmt::Display for KeyKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#04x}", self.byte())
    }
}

/// Why a verifier key text was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum VkeyError {
    /// The id in the text is not the one its name, type and key give.
    #[error("key id is {actual}, expected {expected}")]
    IdMismatch {
        /// Id computed.
        expected: KeyId,
        /// Id written.
        actual: KeyId,
    },
    /// An Ed25519 key that is not 32 bytes of a usable point.
    #[error("not an Ed25519 public key")]
    Key,
    /// The text is not `<name>+<8 hex digits>+<base64>`.
    #[error("not a verifier key: {text:?}")]
    Malformed {
        /// Beginning of the text.
        text: String,
    },
    /// The name is empty, too long, or contains a space, a plus sign or a control character.
    #[error("not a key name: {name:?}")]
    Name {
        /// Beginning of the name.
        name: String,
    },
}

impl VkeyError {
    /// The stable code used in vectors and reports.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::IdMismatch { .. } => "id_mismatch",
            Self::Key => "key",
            Self::Malformed { .. } => "malformed",
            Self::Name { .. } => "name",
        }
    }
}

/// Checks a key name: 1 to 255 bytes, no Unicode white space, no `+`, no control characters.
///
/// # Errors
/// [`VkeyError::Name`].
pub fn check_name(name: &str) -> Result<(), VkeyError> {
    let bad = |c: char| c.is_whitespace() || c == '+' || c.is_control();
    if name.is_empty() || name.len() > NAME_LIMIT || name.contains(bad) {
        return Err(VkeyError::Name { name: clip(name) });
    }
    Ok(())
}

/// Key id: SHA-256(name ‖ 0x0A ‖ type ‖ key)\[:4\] (signed-note, "Signatures").
#[must_use]
pub fn key_id(name: &str, kind: KeyKind, key: &[u8]) -> KeyId {
    let hash = sha256(&[name.as_bytes(), b"\n", &[kind.byte()], key]);
    let [a, b, c, d, ..] = hash.0;
    KeyId([a, b, c, d])
}

/// A verifier key: a name, a type and a public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vkey {
    name: String,
    id: KeyId,
    kind: KeyKind,
    key: Vec<u8>,
    /// Present for the types verified here.
    public: Option<PublicKey>,
}

impl Vkey {
    /// Names an Ed25519 key, of type 0x01 or 0x04.
    ///
    /// # Errors
    /// `Name`; `Key` for an unknown kind.
    pub fn new(name: &str, kind: KeyKind, public: PublicKey) -> Result<Self, VkeyError> {
        if let KeyKind::Unknown(_) = kind {
            return Err(VkeyError::Key);
        }
        check_name(name)?;
        let key = public.to_bytes().to_vec();
        let id = key_id(name, kind, &key);
        Ok(Self {
            name: name.to_owned(),
            id,
            kind,
            key,
            public: Some(public),
        })
    }

    /// Reads `<name>+<id as 8 lower-case hex digits>+<base64 of type and key>`.
    ///
    /// The id is recomputed. For types other than 0x01 and 0x04 it may be made another way
    /// (ECDSA's is), so it is taken as written.
    ///
    /// # Errors
    /// `Malformed`, `Name`, `Key`, `IdMismatch`.
    pub fn parse(text: &str) -> Result<Self, VkeyError> {
        let malformed = || VkeyError::Malformed { text: clip(text) };
        if text.len() > VKEY_LIMIT {
            return Err(malformed());
        }
        let (name, rest) = text.split_once('+').ok_or_else(malformed)?;
        // The base64 may itself contain plus signs: only the first two separate.
        let (hex, base64) = rest.split_once('+').ok_or_else(malformed)?;
        check_name(name)?;
        let actual = id_from_hex(hex).ok_or_else(malformed)?;
        let bytes = decode_base64(base64).map_err(|_| malformed())?;
        let (byte, key) = bytes.split_first().ok_or_else(malformed)?;
        let kind = KeyKind::from_byte(*byte);
        if let KeyKind::Unknown(_) = kind {
            let (name, key) = (name.to_owned(), key.to_vec());
            return Ok(Self {
                name,
                id: actual,
                kind,
                key,
                public: None,
            });
        }
        let key = <&[u8; 32]>::try_from(key).map_err(|_| VkeyError::Key)?;
        let public = PublicKey::from_bytes(key).map_err(|_| VkeyError::Key)?;
        let vkey = Self::new(name, kind, public)?;
        if vkey.id != actual {
            return Err(VkeyError::IdMismatch {
                expected: vkey.id,
                actual,
            });
        }
        Ok(vkey)
    }

    /// The text [`Vkey::parse`] reads.
    #[must_use]
    pub fn format(&self) -> String {
        let mut bytes = vec![self.kind.byte()];
        bytes.extend_from_slice(&self.key);
        format!("{}+{}+{}", self.name, self.id, encode_base64(&bytes))
    }

    /// Name of the key; for a log, its origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Key id.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Type of the key.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The key's bytes, whatever its type.
    #[must_use]
    pub fn key_bytes(&self) -> &[u8] {
        &self.key
    }

    /// The public key, for the Ed25519 types.
    #[must_use]
    pub fn public_key(&self) -> Option<&PublicKey> {
        self.public.as_ref()
    }

    /// The public key, if the key is of this type.
    pub(in crate::log) fn expect(&self, expected: KeyKind) -> Result<&PublicKey, NoteError> {
        match &self.public {
            Some(public) if self.kind == expected => Ok(public),
            _ => Err(NoteError::KeyType {
                name: clip(&self.name),
                kind: self.kind,
                expected,
            }),
        }
    }
}

/// Eight lower-case hex digits.
pub(in crate::log) fn id_from_hex(hex: &str) -> Option<KeyId> {
    let plain = hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if hex.len() != 8 || !plain {
        return None;
    }
    u32::from_str_radix(hex, 16)
        .ok()
        .map(|id| KeyId(id.to_be_bytes()))
}

/// Signs notes with an Ed25519 key (type 0x01).
pub struct NoteSigner {
    vkey: Vkey,
    secret: SecretKey,
}

impl NoteSigner {
    /// Names a secret key.
    ///
    /// # Errors
    /// `Name`.
    pub fn new(name: &str, secret: SecretKey) -> Result<Self, VkeyError> {
        let vkey = Vkey::new(name, KeyKind::Ed25519, secret.public())?;
        Ok(Self { vkey, secret })
    }

    /// Name of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        self.vkey.name()
    }

    /// Key id.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.vkey.id()
    }

    /// The key others verify with.
    #[must_use]
    pub fn vkey(&self) -> &Vkey {
        &self.vkey
    }

    /// Signs a note text, which includes its last newline.
    #[must_use]
    pub fn sign(&self, text: &str) -> NoteSignature {
        NoteSignature {
            name: self.vkey.name().to_owned(),
            key_id: self.vkey.id(),
            blob: self.secret.sign(text.as_bytes()).0.to_vec(),
        }
    }

    /// Signs bytes that are no note's text. What they are must be plain from their first one.
    pub(in crate::log) fn sign_bytes(&self, message: &[u8]) -> Signature {
        self.secret.sign(message)
    }
}
