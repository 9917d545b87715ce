//! IETF SD-JWT VC: a holder shows less.
//! Prose: `spec/sd-jwt.md`.
//!
//! In scope: SD-JWT and SD-JWT+KB (RFC 9901) in the compact form, with SHA-256; credentials of
//! draft-ietf-oauth-sd-jwt-vc (`dc+sd-jwt`) and of VC-JOSE-COSE (`vc+sd-jwt`). Out of scope: type
//! metadata, the JSON serialisation, and what a status says.
//!
//! Salts and times are arguments: nothing here draws or asks for them.

mod binding;
mod conceal;
mod disclosure;
mod error;
pub mod licence;
mod process;

#[cfg(test)]
mod tests {}

pub use disclosure::Disclosure;
pub use error::SdJwtError;

use zhao_spec::wire::foreign::{Foreign, canonicalize};
use zhao_spec::wire::hash::{Hash, sha256};
use zhao_spec::wire::{PublicKey, Signer, UnixMillis, clip};

use crate::did::{Method, Methods};
use crate::jose::{
    self, Algorithm, Challenge, Claims, Jws, Kind, MediaType, Policy, Verified, find, sign_with,
};

/// The longest SD-JWT that is read, with disclosures and key binding, bytes.
pub const SD_JWT_BYTES: usize = 1 << 20;
/// The longest disclosure, decoded, bytes: a text value of the largest kind.
pub const DISCLOSURE_BYTES: usize = 64 << 10;
/// The most disclosures of one SD-JWT: four times the face data of a licence.
pub const DISCLOSURES: usize = 1_024;
/// The most digests of one SD-JWT, decoys among them.
pub const DIGESTS: usize = 4_096;
/// How deep the claims nest when all that is disclosed stands in its place.
pub const DEPTH: usize = 32;

/// Claims that everybody must see (draft-ietf-oauth-sd-jwt-vc §2.2.2.3).
const ALWAYS_SHOWN: [&str; 7] = [
    "cnf",
    "exp",
    "iss",
    "nbf",
    "status",
    "vct",
    "vct#integrity",
];
/// The only digest of disclosures here, and the RFC's default.
const SHA_256: &str = "sha-256";

/// Gives a salt that nobody can guess and that is given once: 128 bits.
pub type Salt<'a> = &'a mut dyn FnMut() -> [u8; 16];

/// What of the claims can be held back. Places are JSON Pointers (RFC 6901).
#[derive(Clone, Copy, Debug, Default)]
pub struct Concealed<'a> {
    /// Members and elements that the holder discloses or not, one inside another if need be.
    pub claims: &'a [&'a str],
    /// Objects and arrays that get so many digests of nothing.
    pub decoys: &'a [(&'a str, usize)],
}

/// An SD-JWT in its parts: what an issuer gives a holder, or a holder shows. Not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SdJwt {
    jwt: String,
    disclosures: Vec<Disclosure>,
}

/// Whether the holder's key must have signed, which the verifier decides beforehand and never by
/// what it is shown (RFC 9901 §7.3).
#[derive(Clone, Copy, Debug)]
pub enum Binding<'a> {
    /// Not asked for. A key binding that is there proves nothing and is not looked at.
    NotAsked,
    /// The key in `cnf` signed for this audience and nonce, at most so long ago.
    Required {
        /// What it must have been made for.
        challenge: Challenge<'a>,
        /// The greatest age, milliseconds.
        max_age_millis: u64,
    },
}

/// A credential of which some was shown; what is here is signed by the issuer.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    claims: Foreign,
    method: Method,
    digest: Hash,
    holder: Option<PublicKey>,
}

impl Shown {
    /// The claims, with what was disclosed in its place, and without a trace of what was not.
    #[must_use]
    pub fn claims(&self) -> &Foreign {
        &self.claims
    }

    /// The key that signed; its controller is the issuer.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// SHA-256 of the issuer-signed JWT, as [`SdJwt::digest`].
    #[must_use]
    pub fn digest(&self) -> Hash {
        self.digest
    }

    /// The holder's key, if key binding was required and holds.
    #[must_use]
    pub fn holder(&self) -> Option<PublicKey> {
        self.holder
    }
}

impl SdJwt {
    /// Issues an SD-JWT VC (`dc+sd-jwt`). `vct` must be among the claims.
    ///
    /// # Errors
    /// A place that is none or may not be concealed; claims that no verifier would take; the
    /// signer's.
    pub fn issue(
        claims: &Foreign,
        concealed: Concealed<'_>,
        method: &Method,
        algorithm: Algorithm,
        signer: &dyn Signer,
        salt: Salt<'_>,
    ) -> Result<Self, SdJwtError> {
        let read = Claims::read(claims, None)?;
        check_vct(claims, None)?;
        check_issuer(&read, method)?;
        read.check_order()?;
        if claims.member("cnf").is_some() {
            binding::confirmed(claims)?;
        }
        let media = MediaType::DcSdJwt;
        Self::sign(claims, concealed, media, method, algorithm, signer, salt)
    }

    /// Issues a W3C credential as `vc+sd-jwt` (VC-JOSE-COSE §3.2.1).
    ///
    /// # Errors
    /// As [`SdJwt::issue`]; the document is no credential of this issuer.
    pub fn issue_credential(
        credential: &Foreign,
        concealed: Concealed<'_>,
        method: &Method,
        algorithm: Algorithm,
        signer: &dyn Signer,
        salt: Salt<'_>,
    ) -> Result<Self, SdJwtError> {
        let claims = Claims::read(credential, None)?;
        jose::check(credential, Kind::Credential, &claims, method)?;
        let media = MediaType::VcSdJwt;
        Self::sign(credential, concealed, media, method, algorithm, signer, salt)
    }

    fn sign(
        claims: &Foreign,
        concealed: Concealed<'_>,
        media: MediaType,
        method: &Method,
        algorithm: Algorithm,
        signer: &dyn Signer,
        salt: Salt<'_>,
    ) -> Result<Self, SdJwtError> {
        let (payload, disclosures) = conceal::conceal(claims, concealed, salt)?;
        let member = |name: &str, value: &str| (name.to_owned(), Foreign::Text(value.to_owned()));
        let header = Foreign::Object(vec![
            member("alg", algorithm.as_str()),
            member("kid", &method.id),
            member("typ", media.subtype()),
        ]);
        let jwt = sign_with(header, &canonicalize(&payload), method, signer)?;
        let issued = Self { jwt, disclosures };
        within("message", issued.text().len(), SD_JWT_BYTES)?;
        Ok(issued)
    }

    /// Reads an SD-JWT, and the key binding after it if there is one. Nothing is verified.
    ///
    /// # Errors
    /// Too long, no `~`, an empty or malformed disclosure, too many, or one twice.
    pub fn parse(text: &str) -> Result<(Self, Option<&str>), SdJwtError> {
        within("message", text.len(), SD_JWT_BYTES)?;
        let (shown, binding) = text.rsplit_once('~').ok_or(SdJwtError::Serialization)?;
        let mut parts = shown.split('~');
        let jwt = parts.next().unwrap_or_default().to_owned();
        let disclosures = parts.clone();
        let count = disclosures.count();
        if count > DISCLOSURES {
            return Err(SdJwtError::Limit {
                what: "disclosures",
                limit: DISCLOSURES,
            });
        }
        let disclosures = parts.map(Disclosure::parse).collect::<Result<Vec<_>, _>>()?;
        let binding = (!binding.is_empty()).then_some(binding);
        Ok((Self { jwt, disclosures }, binding))
    }

    /// The compact form without key binding, which ends in `~`.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = self.jwt.clone();
        text.push('~');
        for disclosure in &self.disclosures {
            text.push_str(disclosure.text());
            text.push('~');
        }
        text
    }

    /// SHA-256 of the issuer-signed JWT without disclosures: the same whatever is shown.
    #[must_use]
    pub fn digest(&self) -> Hash {
        sha256(&[self.jwt.as_bytes()])
    }

    /// The issuer-signed JWT.
    #[must_use]
    pub fn jwt(&self) -> &str {
        &self.jwt
    }

    /// What it discloses, in the order it stands there.
    #[must_use]
    pub fn disclosures(&self) -> &[Disclosure] {
        &self.disclosures
    }

    /// The claims as all disclosures together make them, and the place of each: what a holder
    /// chooses from. No signature is looked at.
    ///
    /// # Errors
    /// As [`verify`], as far as disclosures and digests go.
    pub fn open(&self, algorithms: &[Algorithm]) -> Result<(Foreign, Vec<String>), SdJwtError> {
        let payload = Jws::parse(&self.jwt, algorithms)?.object()?;
        let processed = process::process(&payload, &self.disclosures)?;
        Ok((processed.claims, processed.places))
    }

    /// The same with only the disclosures of the places `wanted` and of what they stand in.
    ///
    /// # Errors
    /// As [`SdJwt::open`]; a place that no disclosure has.
    pub fn present(&self, wanted: &[&str], algorithms: &[Algorithm]) -> Result<Self, SdJwtError> {
        let (_, places) = self.open(algorithms)?;
        if let Some(missing) = wanted.iter().find(|one| !places.iter().any(|p| p == *one)) {
            return Err(SdJwtError::Place {
                place: clip(missing),
                detail: "is not one that a disclosure has",
            });
        }
        let needed = |place: &str| {
            wanted.iter().any(|one| {
                one.strip_prefix(place)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
        };
        let chosen = self.disclosures.iter().zip(&places);
        let chosen = chosen.filter(|(_, place)| needed(place));
        Ok(Self {
            jwt: self.jwt.clone(),
            disclosures: chosen.map(|(disclosure, _)| disclosure.clone()).collect(),
        })
    }

    /// The compact form with key binding (RFC 9901 §4.3): the holder signs what is shown, for this
    /// audience and nonce, at `at`.
    ///
    /// # Errors
    /// The signer's; too long.
    pub fn bind(
        &self,
        challenge: Challenge<'_>,
        at: UnixMillis,
        algorithm: Algorithm,
        holder: &dyn Signer,
    ) -> Result<String, SdJwtError> {
        let mut text = self.text();
        let binding = binding::sign(&text, challenge, at, algorithm, holder)?;
        text.push_str(&binding);
        within("message", text.len(), SD_JWT_BYTES)?;
        Ok(text)
    }
}

/// Verifies an SD-JWT VC (`dc+sd-jwt`) of one of the types `vct`.
///
/// # Errors
/// Every way in which it is not one, is not signed by its issuer, discloses what it must not, is
/// out of its time, or lacks the key binding that is required.
pub fn verify(
    text: &str,
    vct: &[&str],
    binding: Binding<'_>,
    policy: &Policy<'_>,
    methods: &dyn Methods,
) -> Result<Shown, SdJwtError> {
    let (sd_jwt, key_binding) = SdJwt::parse(text)?;
    let (method, processed) = signed(&sd_jwt, MediaType::DcSdJwt, policy, methods)?;
    let claims = Claims::read(&processed, None)?;
    check_issuer(&claims, &method)?;
    check_vct(&processed, Some(vct))?;
    claims.check_order()?;
    claims.check_times(policy.at, policy.skew_millis)?;
    let holder = binding::check(&sd_jwt, key_binding, &processed, binding, policy)?;
    Ok(Shown {
        claims: processed,
        method,
        digest: sd_jwt.digest(),
        holder,
    })
}

/// Verifies a W3C credential as `vc+sd-jwt` (VC-JOSE-COSE §3.2.1). Gives the document as far as it
/// was shown, and the holder's key if key binding was required.
///
/// # Errors
/// As [`verify`]; what remains is no credential of its issuer.
pub fn verify_credential(
    text: &str,
    binding: Binding<'_>,
    policy: &Policy<'_>,
    methods: &dyn Methods,
) -> Result<(Verified, Option<PublicKey>), SdJwtError> {
    let (sd_jwt, key_binding) = SdJwt::parse(text)?;
    let (method, processed) = signed(&sd_jwt, MediaType::VcSdJwt, policy, methods)?;
    let claims = Claims::read(&processed, None)?;
    jose::check(&processed, Kind::Credential, &claims, &method)?;
    claims.check_times(policy.at, policy.skew_millis)?;
    let holder = binding::check(&sd_jwt, key_binding, &processed, binding, policy)?;
    let algorithm = Jws::parse(&sd_jwt.jwt, policy.algorithms)?.algorithm();
    let (document, claims) = jose::split(processed);
    let verified = Verified {
        document,
        claims,
        method,
        algorithm,
    };
    Ok((verified, holder))
}

/// The issuer's key, and the claims as far as they are shown.
fn signed(
    sd_jwt: &SdJwt,
    media: MediaType,
    policy: &Policy<'_>,
    methods: &dyn Methods,
) -> Result<(Method, Foreign), SdJwtError> {
    let jws = Jws::parse(&sd_jwt.jwt, policy.algorithms)?;
    jws.check_type(&[media.subtype()], policy.untyped)?;
    let payload = jws.object()?;
    let method = find(&jws, &payload, Kind::Credential.purpose(), methods)?;
    jws.verify(&method.key)?;
    let processed = process::process(&payload, &sd_jwt.disclosures)?;
    // The header may repeat claims; it must not say otherwise (RFC 7519 §5.3).
    Claims::read(&processed.claims, Some(jws.header()))?;
    Ok((method, processed.claims))
}

fn check_issuer(claims: &Claims, method: &Method) -> Result<(), SdJwtError> {
    match claims.iss.as_deref() {
        Some(iss) if iss != method.controller => Err(jose::ClaimsError::Controller {
            controller: clip(&method.controller),
            party: clip(iss),
        }
        .into()),
        _ => Ok(()),
    }
}

/// `vct` is there, and one of those expected.
fn check_vct(claims: &Foreign, expected: Option<&[&str]>) -> Result<(), SdJwtError> {
    let vct = claims
        .member("vct")
        .and_then(Foreign::as_text)
        .ok_or(SdJwtError::Vct {
            actual: String::new(),
        })?;
    if vct.is_empty() || expected.is_some_and(|expected| !expected.contains(&vct)) {
        return Err(SdJwtError::Vct { actual: clip(vct) });
    }
    Ok(())
}

fn within(what: &'static str, actual: usize, limit: usize) -> Result<(), SdJwtError> {
    if actual <= limit {
        return Ok(());
    }
    Err(SdJwtError::TooLong {
        what,
        limit,
        actual,
    })
}
