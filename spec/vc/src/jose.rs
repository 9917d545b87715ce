//! VC-JOSE-COSE: credentials and presentations as JWS.
//! Prose: `spec/jose-cose.md`.
//!
//! In scope: the compact serialisation of RFC 7515 over a whole credential or presentation
//! (`vc+jwt`, `vp+jwt`), whose key is found by `kid` and belongs to whoever the document names,
//! and the `data:` URLs in which secured documents stand in others. Out of scope: what the
//! document's members mean (`model`), who may issue, and what has become of it since.
//!
//! Which algorithms count is the caller's list, never the message's word.

mod algorithm;
mod claims;
mod envelope;
mod error;
mod jwk;
mod jws;

#[cfg(test)]
pub(crate) mod tests {}

pub use algorithm::Algorithm;
pub use claims::ClaimsError;
pub use envelope::{Enveloped, MediaType, Wrapped, enveloped, wrapped};
pub use error::JoseError;
pub use jwk::{from_jwk, to_jwk};

pub(crate) use claims::{Claims, Kind, check, split};
pub(crate) use envelope::enclosed;
pub(crate) use jws::{Jws, absolute, find, is_media_type, object, sign_with, within};

use zhao_spec::wire::foreign::{Foreign, canonicalize};
use zhao_spec::wire::{Signer, UnixMillis, clip};

use crate::did::{Method, Methods};

/// The longest JWS or COSE message that is read, bytes: as much as a dossier.
pub const ENVELOPE_BYTES: usize = 1 << 20;
/// The longest header of one, bytes: ours take 200, a DID URL some hundred more.
pub const HEADER_BYTES: usize = 8 << 10;
/// The most documents that one presentation holds.
pub const ENCLOSED: usize = 64;

/// What a verifier asks of a secured document.
#[derive(Clone, Copy, Debug)]
pub struct Policy<'a> {
    /// The algorithms that count.
    pub algorithms: &'a [Algorithm],
    /// Now.
    pub at: UnixMillis,
    /// How far other clocks may differ, milliseconds.
    pub skew_millis: u64,
    /// Whether a message without `typ` is read: the Recommendation says SHOULD (§3.1.1), RFC 8725
    /// §3.11 asks for it. A wrong one is never read.
    pub untyped: bool,
}

/// What a presentation must have been made for, so that it is not another's, played again.
#[derive(Clone, Copy, Debug)]
pub struct Challenge<'a> {
    /// Who asked: the `aud` claim, alone or among others.
    pub audience: &'a str,
    /// What was asked with: the `nonce` claim.
    pub nonce: &'a str,
}

/// A document whose envelope was verified: signature, key, controller, claims.
///
/// What it says is still to be judged: its shape, its validity period, its status.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    pub(crate) document: Foreign,
    pub(crate) claims: Foreign,
    pub(crate) method: Method,
    pub(crate) algorithm: Algorithm,
}

impl Verified {
    /// The credential or presentation, without the registered claims that stood beside it.
    #[must_use]
    pub fn document(&self) -> &Foreign {
        &self.document
    }

    /// The registered claims, an object: `iss`, `sub`, `aud`, `exp`, `nbf`, `iat`, `jti`, `nonce`
    /// and `cnf` as far as the payload has them.
    #[must_use]
    pub fn claims(&self) -> &Foreign {
        &self.claims
    }

    /// The key that signed; its controller is the issuer, or the holder if one is named.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The algorithm that the header names.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

/// A presentation whose envelope was verified. Nothing that it encloses was.
#[derive(Clone, Debug, PartialEq)]
pub struct Presentation {
    pub(crate) verified: Verified,
    pub(crate) enclosed: Vec<Enveloped>,
}

impl Presentation {
    /// The presentation itself.
    #[must_use]
    pub fn verified(&self) -> &Verified {
        &self.verified
    }

    /// What it encloses, at most [`ENCLOSED`], each to be verified by its media type.
    #[must_use]
    pub fn enclosed(&self) -> &[Enveloped] {
        &self.enclosed
    }
}

/// Secures a credential as `vc+jwt`. `method` is the signer's, as the issuer's document has it.
///
/// # Errors
/// The document is no credential of this issuer, the signer has another key or gives nothing.
pub fn issue_credential(
    credential: &Foreign,
    method: &Method,
    algorithm: Algorithm,
    signer: &dyn Signer,
) -> Result<String, JoseError> {
    claims::check(credential, Kind::Credential, &Claims::default(), method)?;
    let header = header(MediaType::VcJwt, Kind::Credential, algorithm, method);
    sign_with(header, &canonicalize(credential), method, signer)
}

/// Secures a presentation as `vp+jwt`, made for `challenge`, whose words become claims.
///
/// # Errors
/// As [`issue_credential`]; something in it is not enveloped.
pub fn issue_presentation(
    presentation: &Foreign,
    challenge: Option<Challenge<'_>>,
    method: &Method,
    algorithm: Algorithm,
    signer: &dyn Signer,
) -> Result<String, JoseError> {
    claims::check(presentation, Kind::Presentation, &Claims::default(), method)?;
    envelope::enclosed(presentation)?;
    let header = header(MediaType::VpJwt, Kind::Presentation, algorithm, method);
    let payload = challenged(presentation, challenge);
    sign_with(header, &canonicalize(&payload), method, signer)
}

/// The presentation with the claims of its challenge.
pub(crate) fn challenged(presentation: &Foreign, challenge: Option<Challenge<'_>>) -> Foreign {
    let mut payload = presentation.clone();
    if let (Foreign::Object(members), Some(challenge)) = (&mut payload, challenge) {
        for (name, value) in [("aud", challenge.audience), ("nonce", challenge.nonce)] {
            members.retain(|(other, _)| other != name);
            members.push((name.to_owned(), Foreign::Text(value.to_owned())));
        }
    }
    payload
}

/// Verifies a `vc+jwt` (VC-JOSE-COSE §3.1.1).
///
/// # Errors
/// Every way in which it is not one, is not signed by its issuer, or contradicts itself.
pub fn verify_credential(
    text: &str,
    policy: &Policy<'_>,
    methods: &dyn Methods,
) -> Result<Verified, JoseError> {
    verify(text, MediaType::VcJwt, Kind::Credential, policy, methods).map(|(verified, _)| verified)
}

/// Verifies a `vp+jwt` (VC-JOSE-COSE §3.1.2), made for `challenge` if there was one.
///
/// # Errors
/// As [`verify_credential`]; another challenge; something in it is not enveloped.
pub fn verify_presentation(
    text: &str,
    challenge: Option<Challenge<'_>>,
    policy: &Policy<'_>,
    methods: &dyn Methods,
) -> Result<Presentation, JoseError> {
    let (verified, claims) = verify(text, MediaType::VpJwt, Kind::Presentation, policy, methods)?;
    claims.check_challenge(challenge)?;
    let enclosed = envelope::enclosed(&verified.document)?;
    Ok(Presentation { verified, enclosed })
}

fn verify(
    text: &str,
    media: MediaType,
    kind: Kind,
    policy: &Policy<'_>,
    methods: &dyn Methods,
) -> Result<(Verified, Claims), JoseError> {
    let jws = Jws::parse(text, policy.algorithms)?;
    jws.check_type(&[media.subtype()], policy.untyped)?;
    jws.check_content(kind.content())?;
    let payload = jws.object()?;
    let method = find(&jws, &payload, kind.purpose(), methods)?;
    jws.verify(&method.key)?;
    // From here on the words are the signer's.
    let claims = Claims::read(&payload, Some(jws.header()))?;
    claims::check(&payload, kind, &claims, &method)?;
    claims.check_times(policy.at, policy.skew_millis)?;
    let (document, claims_object) = claims::split(payload);
    let verified = Verified {
        document,
        claims: claims_object,
        method,
        algorithm: jws.algorithm(),
    };
    Ok((verified, claims))
}

fn header(media: MediaType, kind: Kind, algorithm: Algorithm, method: &Method) -> Foreign {
    let member = |name: &str, value: &str| (name.to_owned(), Foreign::Text(value.to_owned()));
    Foreign::Object(vec![
        member("alg", algorithm.as_str()),
        member("cty", kind.content()),
        member("kid", &method.id),
        member("typ", media.subtype()),
    ])
}

/// The signature of `signer` over `message`, if it has the method's key and signed with it.
pub(crate) fn signature(
    message: &[u8],
    method: &Method,
    signer: &dyn Signer,
) -> Result<zhao_spec::wire::Signature, JoseError> {
    let key = signer.public();
    if key != method.key {
        return Err(JoseError::SignerKey {
            method: clip(&method.id),
        });
    }
    let answer = signer.sign(message)?;
    Ok(zhao_spec::wire::signature::check_answer(
        key, message, answer,
    )?)
}
