//! Ed25519 with one meaning everywhere. Prose: `spec/signature.md`.
//!
//! A key or signature that some verifiers accept and others refuse would let two honest parties
//! disagree. So what is valid here is the strictest reading: canonical encodings of A, R and s,
//! and neither A nor R of small order.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash as StdHash, Hasher};

use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::SigningKey;
use sha2::{Digest as _, Sha512};
use zeroize::Zeroizing;

use super::binary::{self, BinaryError};
use super::hash::{Hash, sha256};

mod keys;
mod prepared;
mod signer;

pub use keys::{Keys, Statement};
pub use prepared::PreparedKey;
pub use signer::{Algorithm, Signer, SignerError, check_answer};

/// Multicodec prefix of an Ed25519 public key: 0xed as an unsigned varint.
const MULTICODEC: [u8; 2] = [0xed, 0x01];

/// Characters of a key's multibase text.
const TEXT: usize = 48;

/// Why a key or a signature is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The multibase text of a key is not one.
    #[error("key text: {0}")]
    KeyText(#[from] BinaryError),
    /// The multicodec prefix is not that of an Ed25519 public key.
    #[error("multicodec is not that of an ed25519 public key")]
    Multicodec,
    /// A is not the encoding of a curve point.
    #[error("public key is not a curve point")]
    KeyNotPoint,
    /// A encodes a point in another way than RFC 8032 §5.1.2 does.
    #[error("public key is not canonically encoded")]
    KeyNotCanonical,
    /// A has small order: such a key has signatures on everything.
    #[error("public key has small order")]
    KeySmallOrder,
    /// s is not below L.
    #[error("signature scalar is not reduced")]
    ScalarNotReduced,
    /// R is not the encoding of a curve point.
    #[error("signature point is not a curve point")]
    PointNotPoint,
    /// R encodes a point in another way than RFC 8032 §5.1.2 does.
    #[error("signature point is not canonically encoded")]
    PointNotCanonical,
    /// R has small order.
    #[error("signature point has small order")]
    PointSmallOrder,
    /// The equation does not hold: another message, key or signature.
    #[error("signature does not match message and key")]
    Mismatch,
}

impl SignatureError {
    /// Stable short code, used in vectors.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::KeyText(error) => error.code(),
            Self::Multicodec => "key-multicodec",
            Self::KeyNotPoint => "key-not-point",
            Self::KeyNotCanonical => "key-not-canonical",
            Self::KeySmallOrder => "key-small-order",
            Self::ScalarNotReduced => "signature-scalar",
            Self::PointNotPoint => "signature-not-point",
            Self::PointNotCanonical => "signature-not-canonical",
            Self::PointSmallOrder => "signature-small-order",
            Self::Mismatch => "signature-mismatch",
        }
    }
}

/// What is wrong with 32 bytes as a point; A and R share the checks and differ in the error.
enum PointFault {
    NotPoint,
    NotCanonical,
    SmallOrder,
}

/// The point of 32 bytes, canonical and not of small order.
fn point(bytes: &[u8; 32]) -> Result<EdwardsPoint, PointFault> {
    let point = CompressedEdwardsY(*bytes)
        .decompress()
        .ok_or(PointFault::NotPoint)?;
    if !is_canonical(bytes) {
        return Err(PointFault::NotCanonical);
    }
    if point.is_small_order() {
        return Err(PointFault::SmallOrder);
    }
    Ok(point)
}

/// Whether 32 bytes that decode to a point are what encoding it gives: y below p = 2^255 − 19, and
/// sign 0 where x = 0. Decompression takes y modulo p and ignores the sign of x = 0.
fn is_canonical(bytes: &[u8; 32]) -> bool {
    let [first, middle @ .., last] = *bytes;
    let (negative, last) = (last & 0x80 != 0, last & 0x7f);
    let high = middle == [0xff; 30] && last == 0x7f;
    if high && first >= 0xed {
        return false;
    }
    // x = 0 exactly where y = 1 or y = −1, which is p − 1.
    let one = first == 1 && middle == [0; 30] && last == 0;
    let minus_one = high && first == 0xec;
    !(negative && (one || minus_one))
}

/// An Ed25519 public key, canonical and not of small order.
#[derive(Clone, Copy)]
pub struct PublicKey {
    bytes: [u8; 32],
    /// The multibase text, if the key was read from it.
    text: Option<[u8; TEXT]>,
    /// −A: the equation is checked as R = s·B + k·(−A).
    minus: EdwardsPoint,
}

impl PublicKey {
    /// Length of a key, bytes.
    pub const BYTES: usize = 32;

    /// From the 32 bytes of RFC 8032.
    ///
    /// # Errors
    /// Not a curve point, not canonically encoded, or of small order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, SignatureError> {
        let point = point(bytes).map_err(|fault| match fault {
            PointFault::NotPoint => SignatureError::KeyNotPoint,
            PointFault::NotCanonical => SignatureError::KeyNotCanonical,
            PointFault::SmallOrder => SignatureError::KeySmallOrder,
        })?;
        Ok(Self::of(*bytes, point))
    }

    #[allow(
        clippy::arithmetic_side_effects,
        reason = "points are a group: nothing overflows"
    )]
    fn of(bytes: [u8; 32], point: EdwardsPoint) -> Self {
        Self {
            bytes,
            text: None,
            minus: -point,
        }
    }

    /// The 32 bytes of RFC 8032.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.bytes
    }

    /// From multibase text, `z6Mk…`: base58btc of 0xed 0x01 and the 32 bytes (Multikey).
    ///
    /// # Errors
    /// Not multibase base58btc, another length, another multicodec, or a key refused by
    /// [`PublicKey::from_bytes`].
    pub fn from_multibase(text: &str) -> Result<Self, SignatureError> {
        let bytes: [u8; 34] = binary::decode_multibase_array(text)?;
        let [first, second, key @ ..] = bytes;
        if [first, second] != MULTICODEC {
            return Err(SignatureError::Multicodec);
        }
        Ok(Self {
            text: text.as_bytes().try_into().ok(),
            ..Self::from_bytes(&key)?
        })
    }

    /// Multibase text, `z6Mk…`, 48 characters.
    #[must_use]
    pub fn to_multibase(&self) -> String {
        self.with_multibase(str::to_owned)
    }

    /// Hands the multibase text to `take`.
    pub(crate) fn with_multibase<T>(&self, take: impl FnOnce(&str) -> T) -> T {
        let known = self.text.as_ref().map(|text| std::str::from_utf8(text));
        match known {
            Some(Ok(text)) => take(text),
            _ => take(&binary::encode_multibase(
                &[MULTICODEC.as_slice(), &self.bytes].concat(),
            )),
        }
    }

    /// The key as a DID: `did:key:z6Mk…`.
    #[must_use]
    pub fn did_key(&self) -> String {
        format!("did:key:{}", self.to_multibase())
    }

    /// The key's verification method: `did:key:z6Mk…#z6Mk…`.
    #[must_use]
    pub fn verification_method(&self) -> String {
        let text = self.to_multibase();
        format!("did:key:{text}#{text}")
    }

    /// Whether `method` is this key's verification method.
    pub(crate) fn is_verification_method(&self, method: &str) -> bool {
        self.with_multibase(|text| {
            let fragment = method
                .strip_prefix("did:key:")
                .and_then(|rest| rest.strip_prefix(text))
                .and_then(|rest| rest.strip_prefix('#'));
            fragment == Some(text)
        })
    }

    /// SHA-256 of the 32 bytes: how records name a key.
    #[must_use]
    pub fn thumbprint(&self) -> Hash {
        sha256(&[&self.to_bytes()])
    }

    /// Checks a signature over `message`, strictly.
    ///
    /// # Errors
    /// In this order: s not below L; R not a point, not canonical, of small order; no match.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        self.verify_parts(&[message], signature)
    }

    /// As [`PublicKey::verify`], over a message in parts that are laid end to end.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify_parts(
        &self,
        message: &[&[u8]],
        signature: &Signature,
    ) -> Result<(), SignatureError> {
        self.verify_by(message, signature, self.equation())
    }

    /// s·B − k·A from k and s.
    fn equation(&self) -> impl Fn(&Scalar, &Scalar) -> EdwardsPoint {
        |k, s| EdwardsPoint::vartime_double_scalar_mul_basepoint(k, &self.minus, s)
    }

    /// The checks of [`PublicKey::verify`], where `equation` computes s·B − k·A from k and s.
    fn verify_by(
        &self,
        message: &[&[u8]],
        signature: &Signature,
        equation: impl FnOnce(&Scalar, &Scalar) -> EdwardsPoint,
    ) -> Result<(), SignatureError> {
        let expected = self.expected(message, signature, equation)?;
        settle(&expected, expected.compress().as_bytes(), signature)
    }

    /// The point that R must be.
    fn expected(
        &self,
        message: &[&[u8]],
        signature: &Signature,
        equation: impl FnOnce(&Scalar, &Scalar) -> EdwardsPoint,
    ) -> Result<EdwardsPoint, SignatureError> {
        let (r, s) = signature.halves();
        let s = Option::<Scalar>::from(Scalar::from_canonical_bytes(s))
            .ok_or(SignatureError::ScalarNotReduced)?;
        let mut hash = Sha512::new();
        hash.update(r);
        hash.update(self.bytes);
        for part in message {
            hash.update(part);
        }
        let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
        Ok(equation(&k, &s))
    }
}

/// Whether R is the point it must be, whose encoding is `bytes`.
fn settle(
    expected: &EdwardsPoint,
    bytes: &[u8; 32],
    signature: &Signature,
) -> Result<(), SignatureError> {
    let (r, _) = signature.halves();
    // An encoding just computed is canonical and of a point, so R, which equals it, is too: there
    // is no need to decode R unless something is wrong.
    if *bytes == r && !expected.is_small_order() {
        return Ok(());
    }
    point(&r).map_err(|fault| match fault {
        PointFault::NotPoint => SignatureError::PointNotPoint,
        PointFault::NotCanonical => SignatureError::PointNotCanonical,
        PointFault::SmallOrder => SignatureError::PointSmallOrder,
    })?;
    Err(SignatureError::Mismatch)
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for PublicKey {}

impl PartialOrd for PublicKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PublicKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes.cmp(&other.bytes)
    }
}

impl StdHash for PublicKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_multibase())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// The 64 bytes R ‖ s of a signature; nothing is checked before [`PublicKey::verify`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature(pub [u8; 64]);

impl Signature {
    /// Length of a signature, bytes.
    pub const BYTES: usize = 64;

    /// R and s.
    fn halves(&self) -> ([u8; 32], [u8; 32]) {
        let (r, s) = self.0.split_at(32);
        let half = |bytes: &[u8]| bytes.try_into().expect("half of 64 bytes is 32 bytes");
        (half(r), half(s))
    }

    /// base64url without padding, 86 characters.
    #[must_use]
    pub fn to_base64url(&self) -> String {
        binary::encode_base64url(&self.0)
    }

    /// From the 86 characters of base64url.
    ///
    /// # Errors
    /// Not base64url without padding, or not 64 bytes.
    pub fn from_base64url(text: &str) -> Result<Self, BinaryError> {
        binary::decode_base64url_array(text).map(Self)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.to_base64url();
        write!(f, "Signature({}…)", text.get(..8).unwrap_or(&text))
    }
}

/// How a key's text becomes a key: [`PublicKey::from_multibase`] or [`Keys::read`].
pub(crate) type ReadKey<'a> = dyn FnMut(&str) -> Result<PublicKey, SignatureError> + 'a;

/// An Ed25519 secret key: wiped on drop, never shown.
#[derive(Clone)]
pub struct SecretKey {
    signing: SigningKey,
    public: PublicKey,
}

impl SecretKey {
    /// From the 32 secret bytes of RFC 8032 §5.1.5, which the caller draws at random.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let seed = Zeroizing::new(seed);
        let signing = SigningKey::from_bytes(&seed);
        // A clamped scalar is no multiple of L, so its point is never of small order.
        let key = signing.verifying_key();
        let mut public = PublicKey::of(key.to_bytes(), key.to_edwards());
        public.text = public.to_multibase().into_bytes().try_into().ok();
        Self { signing, public }
    }

    /// The 32 secret bytes, for storage.
    #[must_use]
    pub fn to_seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.signing.to_bytes())
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// Signs `message`.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(ed25519_dalek::Signer::sign(&self.signing, message).to_bytes())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {})", self.public())
    }
}

#[cfg(test)]
mod tests;
