//! What JWT and CWT claims say beside the document, and whose the document is.
//!
//! Issuer, holder and validity are taken here by the letter; `model` says what else they must be.

use zhao_spec::wire::foreign::{Foreign, canonicalize};
use zhao_spec::wire::{UnixMillis, clip};

use super::Challenge;
use crate::did::Method;
use crate::time::date_time_stamp;

#[cfg(test)]
mod tests;

/// Claims that are taken out of the payload and returned apart from the document.
const REGISTERED: [&str; 9] = [
    "aud", "cnf", "exp", "iat", "iss", "jti", "nbf", "nonce", "sub",
];

/// What is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Credential,
    Presentation,
}

impl Kind {
    /// The content type, without `application/`.
    pub(crate) fn content(self) -> &'static str {
        match self {
            Self::Credential => "vc",
            Self::Presentation => "vp",
        }
    }

    /// What the key must be for.
    pub(crate) fn purpose(self) -> &'static str {
        match self {
            Self::Credential => "assertionMethod",
            Self::Presentation => "authentication",
        }
    }

    fn type_name(self) -> &'static str {
        match self {
            Self::Credential => "VerifiableCredential",
            Self::Presentation => "VerifiablePresentation",
        }
    }
}

/// Why claims, document and key do not fit each other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimsError {
    /// `aud` does not name whom it was asked by.
    #[error("aud does not name {expected}")]
    Audience {
        /// Who asked, clipped.
        expected: String,
    },
    /// The key is somebody else's than the issuer's or holder's.
    #[error("the key of {controller} signed for {party}")]
    Controller {
        /// Whose key it is, clipped.
        controller: String,
        /// Who should have signed, clipped.
        party: String,
    },
    /// A claim contradicts a member of the document.
    #[error("{claim} contradicts {member}")]
    Differs {
        /// The claim.
        claim: &'static str,
        /// The member, or the same claim in the header.
        member: &'static str,
    },
    /// `exp` has passed.
    #[error("expired: exp has passed")]
    Expired,
    /// `iat` lies in the future.
    #[error("iat lies in the future")]
    Future,
    /// `vc` or `vp`, which the Recommendation forbids (§1.1.2.1).
    #[error("claim {name} must not be there")]
    Legacy {
        /// Its name.
        name: &'static str,
    },
    /// A member or claim is missing.
    #[error("{member} is missing")]
    Missing {
        /// Its name.
        member: &'static str,
    },
    /// `nonce` is not the one it was asked with.
    #[error("nonce is not the one that was asked with")]
    Nonce,
    /// `nbf` has not come.
    #[error("not yet valid: nbf has not come")]
    NotYet,
    /// A member or claim is of another type than it must be.
    #[error("{member} is not {expected}")]
    Shape {
        /// Its name.
        member: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// The claimed times leave no instant at which the message holds.
    #[error("{first} and {second} leave no time between them")]
    Times {
        /// The one that should come first.
        first: &'static str,
        /// The one that should follow.
        second: &'static str,
    },
    /// `type` does not say what is secured.
    #[error("type does not include {expected}")]
    Type {
        /// What it must include.
        expected: &'static str,
    },
}

impl ClaimsError {
    /// The stable code of this kind of error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Audience { .. } => "claims-audience",
            Self::Controller { .. } => "claims-controller",
            Self::Differs { .. } => "claims-differs",
            Self::Expired => "claims-expired",
            Self::Future => "claims-future",
            Self::Legacy { .. } => "claims-legacy",
            Self::Missing { .. } => "claims-missing",
            Self::Nonce => "claims-nonce",
            Self::NotYet => "claims-not-yet",
            Self::Shape { .. } => "claims-shape",
            Self::Times { .. } => "claims-times",
            Self::Type { .. } => "claims-type",
        }
    }
}

/// The registered claims, each of its type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Claims {
    pub(crate) iss: Option<String>,
    pub(crate) sub: Option<String>,
    pub(crate) jti: Option<String>,
    pub(crate) aud: Vec<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) nbf: Option<UnixMillis>,
    pub(crate) exp: Option<UnixMillis>,
    pub(crate) iat: Option<UnixMillis>,
}

impl Claims {
    /// The claims of a payload. `iss`, `sub` and `aud` may stand in the header as well, with the
    /// same value (RFC 7519 §5.3).
    pub(crate) fn read(payload: &Foreign, header: Option<&Foreign>) -> Result<Self, ClaimsError> {
        let member = |name: &'static str| -> Result<Option<&Foreign>, ClaimsError> {
            let above = header.and_then(|header| header.member(name));
            match (above, payload.member(name)) {
                (Some(above), Some(below)) if above != below => Err(ClaimsError::Differs {
                    claim: name,
                    member: "the header",
                }),
                (above, below) => Ok(below.or(above)),
            }
        };
        let own = |name| payload.member(name);
        Ok(Self {
            iss: text("iss", member("iss")?)?,
            sub: text("sub", member("sub")?)?,
            jti: text("jti", own("jti"))?,
            aud: audience(member("aud")?)?,
            nonce: text("nonce", own("nonce"))?,
            nbf: numeric_date("nbf", own("nbf"))?,
            exp: numeric_date("exp", own("exp"))?,
            iat: match own("iat") {
                // Some libraries repeat `validFrom` here as it stands. It says nothing more then.
                Some(Foreign::Text(text))
                    if own("validFrom").and_then(Foreign::as_text) == Some(text) =>
                {
                    None
                }
                iat => numeric_date("iat", iat)?,
            },
        })
    }

    /// Whether the message holds at `at`.
    pub(crate) fn check_times(&self, at: UnixMillis, skew: u64) -> Result<(), ClaimsError> {
        let UnixMillis(at) = at;
        let (earlier, later) = (at.saturating_sub(skew), at.saturating_add(skew));
        if self.exp.is_some_and(|UnixMillis(exp)| exp <= earlier) {
            return Err(ClaimsError::Expired);
        }
        if self.nbf.is_some_and(|UnixMillis(nbf)| nbf > later) {
            return Err(ClaimsError::NotYet);
        }
        if self.iat.is_some_and(|UnixMillis(iat)| iat > later) {
            return Err(ClaimsError::Future);
        }
        Ok(())
    }

    /// Whether it was made for this challenge.
    pub(crate) fn check_challenge(
        &self,
        challenge: Option<Challenge<'_>>,
    ) -> Result<(), ClaimsError> {
        let Some(challenge) = challenge else {
            return Ok(());
        };
        if !self.aud.iter().any(|one| one == challenge.audience) {
            return Err(ClaimsError::Audience {
                expected: clip(challenge.audience),
            });
        }
        match self.nonce.as_deref() {
            None => Err(ClaimsError::Missing { member: "nonce" }),
            Some(nonce) if nonce != challenge.nonce => Err(ClaimsError::Nonce),
            Some(_) => Ok(()),
        }
    }

    /// Whether the times leave any instant.
    pub(crate) fn check_order(&self) -> Result<(), ClaimsError> {
        ordered("nbf", self.nbf, "exp", self.exp)?;
        ordered("iat", self.iat, "exp", self.exp)
    }
}

/// Whose a document is.
pub(crate) struct Party<'a> {
    /// `issuer` or `holder`.
    pub(crate) member: &'static str,
    /// Its identifier, if it names one.
    pub(crate) id: Option<&'a str>,
}

impl<'a> Party<'a> {
    /// The issuer of a credential, which must be there, or the holder of a presentation.
    pub(crate) fn of(document: &'a Foreign, kind: Kind) -> Result<Self, ClaimsError> {
        let member = match kind {
            Kind::Credential => "issuer",
            Kind::Presentation => "holder",
        };
        let shape = ClaimsError::Shape {
            member,
            expected: "an identifier, or an object with one",
        };
        let id = match document.member(member) {
            None if kind == Kind::Credential => return Err(ClaimsError::Missing { member }),
            None => None,
            Some(Foreign::Text(id)) => Some(id.as_str()),
            Some(object) => Some(
                object
                    .member("id")
                    .and_then(Foreign::as_text)
                    .ok_or(shape)?,
            ),
        };
        Ok(Self { member, id })
    }
}

/// Checks a document against its claims and the key that signed it. No clock is asked.
pub(crate) fn check(
    document: &Foreign,
    kind: Kind,
    claims: &Claims,
    method: &Method,
) -> Result<(), ClaimsError> {
    if let Some(name) = ["vc", "vp"]
        .into_iter()
        .find(|name| document.member(name).is_some())
    {
        return Err(ClaimsError::Legacy { name });
    }
    if document.member("@context").is_none() {
        return Err(ClaimsError::Missing { member: "@context" });
    }
    let expected = kind.type_name();
    if !has_type(document, expected) {
        return Err(ClaimsError::Type { expected });
    }
    let party = Party::of(document, kind)?;
    let owner = party.id.unwrap_or(&method.controller);
    if claims.iss.as_deref().is_some_and(|iss| iss != owner) {
        return Err(ClaimsError::Differs {
            claim: "iss",
            member: party.member,
        });
    }
    if owner != method.controller {
        return Err(ClaimsError::Controller {
            controller: clip(&method.controller),
            party: clip(owner),
        });
    }
    if let (Some(jti), Some(id)) = (&claims.jti, document.member("id"))
        && id.as_text() != Some(jti)
    {
        return Err(ClaimsError::Differs {
            claim: "jti",
            member: "id",
        });
    }
    if kind == Kind::Credential {
        check_subject(document, claims.sub.as_deref())?;
    }
    claims.check_order()?;
    let instant = |name| {
        document
            .member(name)
            .and_then(Foreign::as_text)
            // One that is no time is for `model` to judge.
            .and_then(date_time_stamp)
    };
    ordered("validFrom", instant("validFrom"), "exp", claims.exp)?;
    ordered("nbf", claims.nbf, "validUntil", instant("validUntil"))
}

/// `sub` is one of the subjects, as far as they have identifiers.
fn check_subject(document: &Foreign, sub: Option<&str>) -> Result<(), ClaimsError> {
    let (Some(sub), Some(subject)) = (sub, document.member("credentialSubject")) else {
        return Ok(());
    };
    let subjects = match subject {
        Foreign::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut ids = subjects
        .iter()
        .filter_map(|one| one.member("id"))
        .peekable();
    if ids.peek().is_some() && !ids.any(|id| id.as_text() == Some(sub)) {
        return Err(ClaimsError::Differs {
            claim: "sub",
            member: "credentialSubject.id",
        });
    }
    Ok(())
}

/// Whether `type` is this text, or an array with it.
pub(crate) fn has_type(document: &Foreign, expected: &str) -> bool {
    match document.member("type") {
        Some(Foreign::Text(one)) => one == expected,
        Some(Foreign::Array(items)) => items.iter().any(|one| one.as_text() == Some(expected)),
        _ => false,
    }
}

/// Document and registered claims of a payload.
pub(crate) fn split(payload: Foreign) -> (Foreign, Foreign) {
    match payload {
        Foreign::Object(members) => {
            let (claims, document) = members.into_iter().partition(|(name, _)| registered(name));
            (Foreign::Object(document), Foreign::Object(claims))
        }
        other => (other, Foreign::Object(Vec::new())),
    }
}

/// Whether a name is that of a claim beside the document.
pub(crate) fn registered(name: &str) -> bool {
    REGISTERED.contains(&name)
}

fn ordered(
    first: &'static str,
    earlier: Option<UnixMillis>,
    second: &'static str,
    later: Option<UnixMillis>,
) -> Result<(), ClaimsError> {
    match (earlier, later) {
        (Some(earlier), Some(later)) if earlier >= later => {
            Err(ClaimsError::Times { first, second })
        }
        _ => Ok(()),
    }
}

fn text(member: &'static str, value: Option<&Foreign>) -> Result<Option<String>, ClaimsError> {
    let shape = ClaimsError::Shape {
        member,
        expected: "a text",
    };
    match value {
        None => Ok(None),
        Some(value) => Ok(Some(value.as_text().ok_or(shape)?.to_owned())),
    }
}

fn audience(value: Option<&Foreign>) -> Result<Vec<String>, ClaimsError> {
    let items = match value {
        None => return Ok(Vec::new()),
        Some(Foreign::Array(items)) => items.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    let texts = items.iter().map(|item| item.as_text().map(str::to_owned));
    texts.collect::<Option<_>>().ok_or(ClaimsError::Shape {
        member: "aud",
        expected: "a text or an array of them",
    })
}

/// The instant of a NumericDate (RFC 7519 §2): seconds since 1970, whose fraction is cut off.
pub(crate) fn numeric_date(
    member: &'static str,
    value: Option<&Foreign>,
) -> Result<Option<UnixMillis>, ClaimsError> {
    let shape = ClaimsError::Shape {
        member,
        expected: "a number of seconds since 1970",
    };
    let number = match value {
        None => return Ok(None),
        Some(Foreign::Number(number)) if *number >= 0.0 => number.trunc(),
        Some(_) => return Err(shape),
    };
    // A whole number below 10^21 is written as its digits (ECMAScript's Number::toString).
    let digits = canonicalize(&Foreign::Number(number));
    let seconds = std::str::from_utf8(&digits)
        .ok()
        .and_then(|text| text.parse::<u64>().ok());
    seconds
        .and_then(|seconds| seconds.checked_mul(1_000))
        .map(UnixMillis)
        .filter(|instant| *instant <= UnixMillis::MAX)
        .map(Some)
        .ok_or(shape)
}
