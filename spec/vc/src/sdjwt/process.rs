//! Disclosures in their places (RFC 9901 §7.1, steps 3 to 5).

use std::collections::{BTreeMap, BTreeSet};

use zhao_spec::wire::clip;
use zhao_spec::wire::foreign::Foreign;

use super::{ALWAYS_SHOWN, DEPTH, DIGESTS, Disclosure, SHA_256, SdJwtError};

/// Names that RFC 9901 keeps for itself.
pub(super) const SD: &str = "_sd";
pub(super) const SD_ALG: &str = "_sd_alg";
pub(super) const DOTS: &str = "...";

/// Claims with what is disclosed in its place.
pub(super) struct Processed {
    /// The claims, without digests.
    pub(super) claims: Foreign,
    /// Where each disclosure stands, a JSON Pointer; in the order of the disclosures.
    pub(super) places: Vec<String>,
}

/// Puts every disclosure in its place.
pub(super) fn process(
    payload: &Foreign,
    disclosures: &[Disclosure],
) -> Result<Processed, SdJwtError> {
    match payload.member(SD_ALG) {
        None => {}
        Some(Foreign::Text(name)) if name == SHA_256 => {}
        Some(_) => return Err(SdJwtError::HashAlgorithm),
    }
    for name in ALWAYS_SHOWN {
        if payload.member(name).is_some_and(has_digests) {
            return Err(SdJwtError::AlwaysShown { name });
        }
    }
    let mut by_digest = BTreeMap::new();
    for (at, disclosure) in disclosures.iter().enumerate() {
        let digest = disclosure.digest();
        if by_digest.contains_key(&digest) {
            return Err(SdJwtError::DisclosureTwice { digest });
        }
        by_digest.insert(digest, (at, disclosure));
    }
    let mut walk = Walk {
        by_digest,
        seen: BTreeSet::new(),
        places: BTreeMap::new(),
    };
    let claims = walk.value(payload, "", 0)?;
    let unplaced = walk.by_digest.iter().find(|(_, (at, _))| !walk.places.contains_key(at));
    if let Some((digest, _)) = unplaced {
        let digest = digest.clone();
        return Err(SdJwtError::Unreferenced { digest });
    }
    Ok(Processed {
        claims,
        places: walk.places.into_values().collect(),
    })
}

/// Whether digests stand anywhere in a value of the payload. The reader bounded its depth.
fn has_digests(value: &Foreign) -> bool {
    match value {
        Foreign::Object(members) => members
            .iter()
            .any(|(name, value)| name == SD || name == DOTS || has_digests(value)),
        Foreign::Array(items) => items.iter().any(has_digests),
        _ => false,
    }
}

struct Walk<'a> {
    by_digest: BTreeMap<String, (usize, &'a Disclosure)>,
    /// Digests met so far, whether disclosed or not.
    seen: BTreeSet<String>,
    /// Where disclosures were put, by their position.
    places: BTreeMap<usize, String>,
}

impl<'a> Walk<'a> {
    fn value(
        &mut self,
        value: &Foreign,
        place: &str,
        depth: usize,
    ) -> Result<Foreign, SdJwtError> {
        if depth > DEPTH {
            return Err(SdJwtError::Depth { limit: DEPTH });
        }
        match value {
            Foreign::Object(members) => self.object(members, place, depth),
            Foreign::Array(items) => self.array(items, place, depth),
            plain => Ok(plain.clone()),
        }
    }

    fn object(
        &mut self,
        members: &[(String, Foreign)],
        place: &str,
        depth: usize,
    ) -> Result<Foreign, SdJwtError> {
        let below = depth.saturating_add(1);
        let mut out: Vec<(String, Foreign)> = Vec::new();
        let mut digests: &[Foreign] = &[];
        for (name, value) in members {
            match name.as_str() {
                SD => match value {
                    Foreign::Array(items) => digests = items,
                    _ => return Err(SdJwtError::Digests { name: SD }),
                },
                SD_ALG if depth == 0 => {}
                SD_ALG => return Err(SdJwtError::Reserved { name: SD_ALG }),
                DOTS => return Err(SdJwtError::Digests { name: DOTS }),
                _ => {
                    let value = self.value(value, &child(place, name), below)?;
                    out.push((name.clone(), value));
                }
            }
        }
        for digest in digests {
            let digest = digest.as_text().ok_or(SdJwtError::Digests { name: SD })?;
            let Some((at, disclosure)) = self.meet(digest)? else {
                continue;
            };
            let name = disclosure.name().ok_or_else(|| SdJwtError::Kind {
                digest: clip(digest),
            })?;
            allowed(name, depth)?;
            if out.iter().any(|(other, _)| other == name) {
                return Err(SdJwtError::Collision { name: clip(name) });
            }
            let there = child(place, name);
            self.places.insert(at, there.clone());
            let value = self.value(disclosure.value(), &there, below)?;
            out.push((name.to_owned(), value));
        }
        Ok(Foreign::Object(out))
    }

    fn array(
        &mut self,
        items: &[Foreign],
        place: &str,
        depth: usize,
    ) -> Result<Foreign, SdJwtError> {
        let below = depth.saturating_add(1);
        let mut out = Vec::new();
        for item in items {
            let there = format!("{place}/{}", out.len());
            let Some(dots) = item.member(DOTS) else {
                out.push(self.value(item, &there, below)?);
                continue;
            };
            let alone = matches!(item, Foreign::Object(members) if members.len() == 1);
            let digest = dots.as_text().filter(|_| alone);
            let digest = digest.ok_or(SdJwtError::Digests { name: DOTS })?;
            let Some((at, disclosure)) = self.meet(digest)? else {
                continue;
            };
            if disclosure.name().is_some() {
                let digest = clip(digest);
                return Err(SdJwtError::Kind { digest });
            }
            self.places.insert(at, there.clone());
            out.push(self.value(disclosure.value(), &there, below)?);
        }
        Ok(Foreign::Array(out))
    }

    /// The disclosure of a digest, if it is shown; each digest is met once.
    fn meet(&mut self, digest: &str) -> Result<Option<(usize, &'a Disclosure)>, SdJwtError> {
        if self.seen.len() >= DIGESTS {
            return Err(SdJwtError::Limit {
                what: "digests",
                limit: DIGESTS,
            });
        }
        if !self.seen.insert(digest.to_owned()) {
            return Err(SdJwtError::DigestTwice {
                digest: clip(digest),
            });
        }
        Ok(self.by_digest.get(digest).copied())
    }
}

/// Whether a disclosure may have this name.
fn allowed(name: &str, depth: usize) -> Result<(), SdJwtError> {
    if let Some(name) = [SD, SD_ALG, DOTS].into_iter().find(|one| *one == name) {
        return Err(SdJwtError::Reserved { name });
    }
    match ALWAYS_SHOWN.into_iter().find(|one| depth == 0 && *one == name) {
        Some(name) => Err(SdJwtError::AlwaysShown { name }),
        None => Ok(()),
    }
}

/// A member's place (RFC 6901 §3).
pub(super) fn child(place: &str, name: &str) -> String {
    format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"))
}
