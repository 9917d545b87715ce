//! Key binding (RFC 9901 §4.3, §7.3): the holder signs what it shows, for whom and when.

use zhao_spec::wire::foreign::{Foreign, canonicalize, parse_foreign};
use zhao_spec::wire::hash::sha256;
use zhao_spec::wire::{PublicKey, Signer, UnixMillis};

use super::{Binding, SdJwt, SdJwtError};
use crate::did::Method;
use crate::jose::{
    Algorithm, Challenge, Claims, ClaimsError, Jws, Policy, from_jwk, sign_with,
};

/// The type of a key binding.
const TYP: &str = "kb+jwt";

/// The key binding of the SD-JWT `text`, which ends in `~`.
pub(super) fn sign(
    text: &str,
    challenge: Challenge<'_>,
    at: UnixMillis,
    algorithm: Algorithm,
    holder: &dyn Signer,
) -> Result<String, SdJwtError> {
    let member = |name: &str, value: &str| (name.to_owned(), Foreign::Text(value.to_owned()));
    let header = Foreign::Object(vec![member("alg", algorithm.as_str()), member("typ", TYP)]);
    let UnixMillis(millis) = at;
    let seconds = millis / 1_000;
    let payload = Foreign::Object(vec![
        member("aud", challenge.audience),
        ("iat".to_owned(), parse_foreign(seconds.to_string().as_bytes())?),
        member("nonce", challenge.nonce),
        member("sd_hash", &hash(text)),
    ]);
    let key = holder.public();
    let method = Method {
        id: key.verification_method(),
        controller: key.did_key(),
        key,
    };
    Ok(sign_with(header, &canonicalize(&payload), &method, holder)?)
}

/// The holder's key, if it is asked for and signed what is shown.
pub(super) fn check(
    sd_jwt: &SdJwt,
    binding: Option<&str>,
    claims: &Foreign,
    asked: Binding<'_>,
    policy: &Policy<'_>,
) -> Result<Option<PublicKey>, SdJwtError> {
    let Binding::Required {
        challenge,
        max_age_millis,
    } = asked
    else {
        return Ok(None);
    };
    let binding = binding.ok_or(SdJwtError::BindingMissing)?;
    let key = confirmed(claims)?;
    let jws = Jws::parse(binding, policy.algorithms)?;
    // Never optional: without its type another JWT of the holder would do.
    jws.check_type(&[TYP], false)?;
    jws.verify(&key)?;
    let payload = jws.object()?;
    if !matches!(payload.member("aud"), None | Some(Foreign::Text(_))) {
        return Err(ClaimsError::Shape {
            member: "aud",
            expected: "one text",
        }
        .into());
    }
    let stated = Claims::read(&payload, None)?;
    stated.check_challenge(Some(challenge))?;
    stated.check_order()?;
    stated.check_times(policy.at, policy.skew_millis)?;
    let UnixMillis(made) = stated.iat.ok_or(ClaimsError::Missing { member: "iat" })?;
    let UnixMillis(now) = policy.at;
    let oldest = now.saturating_sub(max_age_millis).saturating_sub(policy.skew_millis);
    if made < oldest {
        return Err(SdJwtError::BindingOld {
            limit: max_age_millis,
        });
    }
    let stated = payload.member("sd_hash").and_then(Foreign::as_text);
    let stated = stated.ok_or(ClaimsError::Missing { member: "sd_hash" })?;
    if stated != hash(&sd_jwt.text()) {
        return Err(SdJwtError::BindingHash);
    }
    Ok(Some(key))
}

/// The key that `cnf` names (RFC 7800 §3.2): a JWK.
pub(super) fn confirmed(claims: &Foreign) -> Result<PublicKey, SdJwtError> {
    let wrong = |detail| SdJwtError::Cnf { detail };
    let cnf = claims.member("cnf").ok_or(wrong("missing"))?;
    let jwk = cnf.member("jwk").ok_or(wrong("jwk is missing"))?;
    Ok(from_jwk(jwk)?)
}

/// The value of `sd_hash`.
fn hash(text: &str) -> String {
    sha256(&[text.as_bytes()]).to_base64url()
}
