//! VC-JOSE-COSE: credentials and presentations as `COSE_Sign1`.
//! Prose: `spec/jose-cose.md`.
//!
//! The payload is the document's JSON, as in [`jose`](crate::jose); what differs is the envelope
//! (RFC 9052 §4.2) and where the claims stand (RFC 9597).

mod error;
mod read;

#[cfg(test)]
mod tests {}

pub use error::CoseError;

use zhao_spec::wire::cbor::Writer;
use zhao_spec::wire::foreign::{Foreign, canonicalize};
use zhao_spec::wire::{Signature, Signer};

use crate::did::{Method, Methods};
use crate::jose::{
    self, Algorithm, Challenge, Claims, ENVELOPE_BYTES, JoseError, Kind, MediaType, Policy,
    Presentation, Verified,
};

/// The tag of a `COSE_Sign1` (RFC 9052 §2).
const SIGN1: u64 = 18;
/// Labels of headers: RFC 9052 §3.1, RFC 9597 §2, RFC 9596 §2.
const ALG: i64 = 1;
const CONTENT_TYPE: i64 = 3;
const KID: i64 = 4;
const CWT_CLAIMS: i64 = 15;
const TYP: i64 = 16;

/// Secures a credential as `vc+cose`. `method` is the signer's, as the issuer's document has it.
///
/// # Errors
/// The document is no credential of this issuer, the signer has another key or gives nothing.
pub fn issue_credential(
    credential: &Foreign,
    method: &Method,
    algorithm: Algorithm,
    signer: &dyn Signer,
) -> Result<Vec<u8>, CoseError> {
    jose::check(credential, Kind::Credential, &Claims::default(), method)?;
    sign(credential, MediaType::VcCose, algorithm, method, signer)
}

/// Secures a presentation as `vp+cose`, made for `challenge`, whose words become members `aud` and
/// `nonce` of the payload as in a JWS: CWT has no claim for them that others read.
///
/// # Errors
/// As [`issue_credential`]; something in it is not enveloped.
pub fn issue_presentation(
    presentation: &Foreign,
    challenge: Option<Challenge<'_>>,
    method: &Method,
    algorithm: Algorithm,
    signer: &dyn Signer,
) -> Result<Vec<u8>, CoseError> {
    jose::check(presentation, Kind::Presentation, &Claims::default(), method)?;
    jose::enclosed(presentation)?;
    let payload = jose::challenged(presentation, challenge);
    sign(&payload, MediaType::VpCose, algorithm, method, signer)
}

/// Verifies a `vc+cose` (VC-JOSE-COSE §3.3.1).
///
/// # Errors
/// Every way in which it is not one, is not signed by its issuer, or contradicts itself.
pub fn verify_credential(
    bytes: &[u8],
    policy: &Policy<'_>,
    methods: &dyn Methods,
) -> Result<Verified, CoseError> {
    verify(bytes, MediaType::VcCose, policy, methods).map(|(verified, _)| verified)
}

/// Verifies a `vp+cose` (VC-JOSE-COSE §3.3.2), made for `challenge` if there was one.
///
/// # Errors
/// As [`verify_credential`]; another challenge; something in it is not enveloped.
pub fn verify_presentation(
    bytes: &[u8],
    challenge: Option<Challenge<'_>>,
    policy: &Policy<'_>,
    methods: &dyn Methods,
) -> Result<Presentation, CoseError> {
    let (verified, claims) = verify(bytes, MediaType::VpCose, policy, methods)?;
    claims.check_challenge(challenge)?;
    let enclosed = jose::enclosed(&verified.document)?;
    Ok(Presentation { verified, enclosed })
}

fn verify(
    bytes: &[u8],
    media: MediaType,
    policy: &Policy<'_>,
    methods: &dyn Methods,
) -> Result<(Verified, Claims), CoseError> {
    let kind = kind(media);
    let message = read::parse(bytes, policy.algorithms)?;
    message.check_type(media, kind, policy.untyped)?;
    let payload = jose::object("payload", message.payload)?;
    let claims = message.claims(&payload)?;
    let kid = message.kid()?;
    let method = methods
        .method(&jose::absolute(kid, claims.iss.as_deref())?, kind.purpose())
        .map_err(JoseError::from)?;
    let signed = sig_structure(message.protected, message.payload);
    method
        .key
        .verify(&signed, &message.signature)
        .map_err(JoseError::from)?;
    // From here on the words are the signer's.
    jose::check(&payload, kind, &claims, &method)?;
    claims.check_times(policy.at, policy.skew_millis)?;
    let (document, claims_object) = jose::split(payload);
    let verified = Verified {
        document,
        claims: claims_object,
        method,
        algorithm: message.algorithm,
    };
    Ok((verified, claims))
}

fn kind(media: MediaType) -> Kind {
    match media {
        MediaType::VpCose => Kind::Presentation,
        _ => Kind::Credential,
    }
}

fn sign(
    document: &Foreign,
    media: MediaType,
    algorithm: Algorithm,
    method: &Method,
    signer: &dyn Signer,
) -> Result<Vec<u8>, CoseError> {
    let mut protected = Writer::default();
    protected.map(4);
    protected.integer(ALG);
    protected.integer(algorithm.cose());
    protected.integer(CONTENT_TYPE);
    protected.text(&format!("application/{}", kind(media).content()));
    protected.integer(KID);
    protected.bytes(method.id.as_bytes());
    protected.integer(TYP);
    protected.text(media.full());
    let protected = protected.finish();
    let payload = canonicalize(document);
    let Signature(signature) =
        jose::signature(&sig_structure(&protected, &payload), method, signer)?;
    let mut out = Writer::default();
    out.tag(SIGN1);
    out.array(4);
    out.bytes(&protected);
    out.map(0);
    out.bytes(&payload);
    out.bytes(&signature);
    let out = out.finish();
    jose::within("message", out.len(), ENVELOPE_BYTES)?;
    Ok(out)
}

/// What is signed (RFC 9052 §4.4), without external data.
fn sig_structure(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut out = Writer::default();
    out.array(4);
    out.text("Signature1");
    out.bytes(protected);
    out.bytes(&[]);
    out.bytes(payload);
    out.finish()
}
