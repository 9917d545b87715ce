//! Digests in place of claims (RFC 9901 §4.2).

use zhao_spec::wire::clip;
use zhao_spec::wire::foreign::{Foreign, canonicalize};
use zhao_spec::wire::hash::sha256;

use super::process::{DOTS, SD, SD_ALG, process};
use super::{
    ALWAYS_SHOWN, Concealed, DEPTH, DIGESTS, DISCLOSURES, Disclosure, SHA_256, Salt, SdJwtError,
};

/// The payload that an issuer signs, and what the holder gets besides.
pub(super) fn conceal(
    claims: &Foreign,
    concealed: Concealed<'_>,
    salt: Salt<'_>,
) -> Result<(Foreign, Vec<Disclosure>), SdJwtError> {
    check_names(claims, 0)?;
    if concealed.claims.len() > DISCLOSURES {
        return Err(SdJwtError::Limit {
            what: "disclosures",
            limit: DISCLOSURES,
        });
    }
    let decoys = concealed.decoys.iter().map(|(_, count)| *count);
    let decoys = decoys.fold(0_usize, usize::saturating_add);
    if decoys.saturating_add(concealed.claims.len()) > DIGESTS {
        return Err(SdJwtError::Limit {
            what: "digests",
            limit: DIGESTS,
        });
    }
    let mut payload = claims.clone();
    for (place, count) in concealed.decoys {
        let tokens = tokens(place)?;
        let within = descend(&mut payload, &tokens).ok_or_else(|| nowhere(place))?;
        for _ in 0..*count {
            let digest = sha256(&[&salt()]).to_base64url();
            add_digest(within, digest).ok_or_else(|| nowhere(place))?;
        }
    }
    // The deepest first: what is concealed in a value goes into its disclosure as a digest.
    let mut places = Vec::new();
    for place in concealed.claims {
        places.push((*place, tokens(place)?));
    }
    places.sort_by_key(|(_, tokens)| std::cmp::Reverse(tokens.len()));
    let mut disclosures = Vec::new();
    for (place, tokens) in &places {
        let Some((last, above)) = tokens.split_last() else {
            return Err(nowhere(place));
        };
        let within = descend(&mut payload, above).ok_or_else(|| nowhere(place))?;
        let disclosure = take(within, last, salt)?.ok_or_else(|| nowhere(place))?;
        disclosures.push(disclosure);
    }
    sort_digests(&mut payload);
    if let Foreign::Object(members) = &mut payload {
        let name = Foreign::Text(SHA_256.to_owned());
        members.push((SD_ALG.to_owned(), name));
    }
    // What is made here is read here: salts that repeat show in this.
    let processed = process(&payload, &disclosures)?;
    if canonicalize(&processed.claims) != canonicalize(claims) {
        return Err(SdJwtError::Place {
            place: String::new(),
            detail: "disclosed claims are not those that were concealed",
        });
    }
    Ok((payload, disclosures))
}

/// Takes what stands at `token` out of `within` and leaves its digest.
fn take(
    within: &mut Foreign,
    token: &str,
    salt: Salt<'_>,
) -> Result<Option<Disclosure>, SdJwtError> {
    match within {
        Foreign::Object(members) => {
            let Some(at) = members.iter().position(|(name, _)| name == token) else {
                return Ok(None);
            };
            let (name, mut value) = members.remove(at);
            sort_digests(&mut value);
            let disclosure = Disclosure::make(Some(&name), value, salt())?;
            add_digest(within, disclosure.digest());
            Ok(Some(disclosure))
        }
        Foreign::Array(items) => {
            let item = index(token).and_then(|at| items.get_mut(at));
            let Some(item) = item.filter(|item| item.member(DOTS).is_none()) else {
                return Ok(None);
            };
            let mut value = std::mem::replace(item, Foreign::Null);
            sort_digests(&mut value);
            let disclosure = Disclosure::make(None, value, salt())?;
            *item = dots(disclosure.digest());
            Ok(Some(disclosure))
        }
        _ => Ok(None),
    }
}

/// Adds a digest to an object's `_sd`, or an element to an array.
fn add_digest(within: &mut Foreign, digest: String) -> Option<()> {
    match within {
        Foreign::Object(members) => {
            let digest = Foreign::Text(digest);
            match members.iter_mut().find(|(name, _)| name == SD) {
                Some((_, Foreign::Array(digests))) => digests.push(digest),
                _ => members.push((SD.to_owned(), Foreign::Array(vec![digest]))),
            }
            Some(())
        }
        Foreign::Array(items) => {
            items.push(dots(digest));
            Some(())
        }
        _ => None,
    }
}

fn dots(digest: String) -> Foreign {
    Foreign::Object(vec![(DOTS.to_owned(), Foreign::Text(digest))])
}

/// What stands at the tokens.
fn descend<'a>(value: &'a mut Foreign, tokens: &[String]) -> Option<&'a mut Foreign> {
    tokens.iter().try_fold(value, |value, token| match value {
        Foreign::Object(members) => members
            .iter_mut()
            .find(|(name, _)| name == token)
            .map(|(_, value)| value),
        Foreign::Array(items) => items.get_mut(index(token)?),
        _ => None,
    })
}

/// The tokens of a JSON Pointer (RFC 6901 §3, §4), whose first is no claim that everybody sees.
fn tokens(place: &str) -> Result<Vec<String>, SdJwtError> {
    if place.is_empty() {
        return Ok(Vec::new());
    }
    let rest = place.strip_prefix('/').ok_or_else(|| SdJwtError::Place {
        place: clip(place),
        detail: "does not begin with /",
    })?;
    let tokens: Vec<String> = rest
        .split('/')
        .map(|token| token.replace("~1", "/").replace("~0", "~"))
        .collect();
    if tokens.len() > DEPTH {
        return Err(SdJwtError::Depth { limit: DEPTH });
    }
    let first = tokens.first().map(String::as_str);
    match ALWAYS_SHOWN.into_iter().find(|name| Some(*name) == first) {
        Some(name) => Err(SdJwtError::AlwaysShown { name }),
        None => Ok(tokens),
    }
}

/// An array index: digits without a leading zero.
fn index(token: &str) -> Option<usize> {
    let digits = token.bytes().all(|b| b.is_ascii_digit());
    (digits && (token == "0" || !token.starts_with('0'))).then(|| token.parse().ok())?
}

fn nowhere(place: &str) -> SdJwtError {
    SdJwtError::Place {
        place: clip(place),
        detail: "is not one that can be concealed",
    }
}

/// Requires that claims do not use the names that stand for digests.
fn check_names(value: &Foreign, depth: usize) -> Result<(), SdJwtError> {
    if depth > DEPTH {
        return Err(SdJwtError::Depth { limit: DEPTH });
    }
    let below = depth.saturating_add(1);
    match value {
        Foreign::Object(members) => members.iter().try_for_each(|(name, value)| {
            match [SD, SD_ALG, DOTS].into_iter().find(|one| one == name) {
                Some(name) => Err(SdJwtError::Reserved { name }),
                None => check_names(value, below),
            }
        }),
        Foreign::Array(items) => items.iter().try_for_each(|item| check_names(item, below)),
        _ => Ok(()),
    }
}

/// A digest's position must not tell which member it was, nor in what order they were concealed.
fn sort_digests(value: &mut Foreign) {
    match value {
        Foreign::Object(members) => {
            for (name, value) in members {
                match value {
                    Foreign::Array(digests) if name == SD => {
                        digests.sort_by(|a, b| a.as_text().cmp(&b.as_text()));
                    }
                    other => sort_digests(other),
                }
            }
        }
        Foreign::Array(items) => items.iter_mut().for_each(sort_digests),
        _ => {}
    }
}
