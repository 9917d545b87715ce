//! Reading a COSE_Sign1. Its signature is not looked at.

use std::collections::BTreeSet;

use zhao_spec::wire::Signature;
use zhao_spec::wire::cbor::{CborError, Reader};
use zhao_spec::wire::clip;
use zhao_spec::wire::foreign::Foreign;

use super::{ALG, CONTENT_TYPE, CWT_CLAIMS, CoseError, KID, SIGN1, TYP};
use crate::jose::{
    self, Algorithm, Claims, ClaimsError, ENVELOPE_BYTES, HEADER_BYTES, Kind, MediaType,
};

/// `crit` (RFC 9052 §3.1).
const CRIT: i64 = 2;
/// `kcwt`, `kccs` (RFC 9528), `x5bag`, `x5chain`, `x5u` (RFC 9360): keys that come along.
const FORBIDDEN: [i64; 5] = [13, 14, 32, 33, 35];
/// How deep a parameter that is not understood may nest.
const DEPTH: usize = 8;
/// The claims of a CWT that JWT has as well (RFC 8392 §3.1).
const ISS: i64 = 1;
const SUB: i64 = 2;
const EXP: i64 = 4;
const NBF: i64 = 5;
const IAT: i64 = 6;

/// A message in its parts.
pub(super) struct Message<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) protected: &'a [u8],
    pub(super) payload: &'a [u8],
    pub(super) signature: Signature,
    headers: Headers<'a>,
}

/// What is understood of both headers.
#[derive(Default)]
struct Headers<'a> {
    algorithm: Option<i64>,
    content_type: Option<Option<&'a str>>,
    typ: Option<Option<&'a str>>,
    kid: Option<&'a [u8]>,
    claims: Option<Vec<(&'static str, Foreign)>>,
    labels: BTreeSet<Label<'a>>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Label<'a> {
    Number(i64),
    Text(&'a str),
}

/// Reads a message by an algorithm that is allowed.
pub(super) fn parse<'a>(
    bytes: &'a [u8],
    algorithms: &[Algorithm],
) -> Result<Message<'a>, CoseError> {
    jose::within("message", bytes.len(), ENVELOPE_BYTES)?;
    let mut from = Reader::new(bytes);
    match from.tag("tag") {
        Ok(SIGN1) => {}
        Ok(_) | Err(CborError::Shape { .. }) => return Err(CoseError::Tag),
        Err(error) => return Err(error.into()),
    }
    if from.array("COSE_Sign1")? != 4 {
        return Err(CborError::Shape { item: "COSE_Sign1" }.into());
    }
    let protected = from.bytes(0..=HEADER_BYTES, "protected header")?;
    let mut headers = Headers::default();
    if !protected.is_empty() {
        let mut inner = Reader::new(protected);
        headers.read(&mut inner, true)?;
        inner.finish()?;
    }
    headers.read(&mut from, false)?;
    if !from.bytes_next() {
        from.null("payload")?;
        return Err(CoseError::Detached);
    }
    let payload = from.bytes(0..=ENVELOPE_BYTES, "payload")?;
    let algorithm = headers.algorithm.ok_or(CoseError::Missing { label: ALG })?;
    let algorithm = Algorithm::allowed_cose(algorithm, algorithms)
        .ok_or(CoseError::Algorithm { actual: algorithm })?;
    let signature = Signature(from.exactly("signature")?);
    from.finish()?;
    Ok(Message {
        algorithm,
        protected,
        payload,
        signature,
        headers,
    })
}

impl<'a> Headers<'a> {
    /// Reads one header. Labels come in any order: RFC 9052 asks for none, and the protected bytes
    /// are signed as they stand.
    fn read(&mut self, from: &mut Reader<'a>, protected: bool) -> Result<(), CoseError> {
        const ITEM: &str = "header";
        for _ in 0..from.map(ITEM)? {
            let label = if from.text_next() {
                Label::Text(from.text(HEADER_BYTES, ITEM)?)
            } else {
                Label::Number(from.integer(ITEM)?)
            };
            if !self.labels.insert(label) {
                let label = match label {
                    Label::Number(number) => number.to_string(),
                    Label::Text(text) => clip(text),
                };
                return Err(CoseError::Duplicate { label });
            }
            match label {
                Label::Number(CRIT) => return Err(CoseError::Critical),
                Label::Number(label) if FORBIDDEN.contains(&label) => {
                    return Err(CoseError::Forbidden { label });
                }
                Label::Number(label @ (ALG | CONTENT_TYPE | TYP | CWT_CLAIMS)) if !protected => {
                    return Err(CoseError::Unprotected { label });
                }
                Label::Number(ALG) => self.algorithm = Some(algorithm(from)?),
                Label::Number(CONTENT_TYPE) => self.content_type = Some(media(from)?),
                Label::Number(TYP) => self.typ = Some(media(from)?),
                // It only says which key to try, and the key's controller is compared afterwards.
                Label::Number(KID) => self.kid = Some(from.bytes(0..=HEADER_BYTES, "kid")?),
                Label::Number(CWT_CLAIMS) => self.claims = Some(cwt_claims(from)?),
                _ => from.skip(DEPTH, ITEM)?,
            }
        }
        Ok(())
    }
}

impl Message<'_> {
    pub(super) fn kid(&self) -> Result<&str, CoseError> {
        let kid = self.headers.kid.ok_or(CoseError::Missing { label: KID })?;
        Ok(std::str::from_utf8(kid).map_err(|_| CborError::Value { item: "kid" })?)
    }

    /// Requires `typ` and content type to be those of `media`. Numbers stand for other types:
    /// none is registered for these.
    pub(super) fn check_type(
        &self,
        media: MediaType,
        kind: Kind,
        untyped: bool,
    ) -> Result<(), CoseError> {
        match self.headers.typ {
            None if untyped => {}
            None => return Err(CoseError::Missing { label: TYP }),
            Some(Some(typ)) if jose::is_media_type(typ, media.subtype()) => {}
            Some(_) => {
                let expected = media.full();
                return Err(CoseError::Type { expected });
            }
        }
        match self.headers.content_type {
            None => Ok(()),
            Some(Some(content)) if jose::is_media_type(content, kind.content()) => Ok(()),
            Some(_) => Err(CoseError::ContentType {
                expected: kind.content(),
            }),
        }
    }

    /// The claims of the payload and of the header, which must not differ.
    pub(super) fn claims(&self, payload: &Foreign) -> Result<Claims, CoseError> {
        let Some(stated) = &self.headers.claims else {
            return Ok(Claims::read(payload, None)?);
        };
        let mut joined = match payload {
            Foreign::Object(members) => members.clone(),
            _ => Vec::new(),
        };
        for (name, value) in stated {
            match payload.member(name) {
                None => joined.push(((*name).to_owned(), value.clone())),
                Some(below) if below == value => {}
                Some(_) => {
                    return Err(ClaimsError::Differs {
                        claim: name,
                        member: "the header",
                    }
                    .into());
                }
            }
        }
        Ok(Claims::read(&Foreign::Object(joined), None)?)
    }
}

/// An algorithm is a number here; those that are texts are nobody's (RFC 9052 §3.1).
fn algorithm(from: &mut Reader<'_>) -> Result<i64, CoseError> {
    Ok(from.integer("alg")?)
}

/// A media type, or none for the number of a content format.
fn media<'a>(from: &mut Reader<'a>) -> Result<Option<&'a str>, CoseError> {
    if from.text_next() {
        return Ok(Some(from.text(HEADER_BYTES, "media type")?));
    }
    from.unsigned("media type")?;
    Ok(None)
}

/// The claims of a CWT, by their names in JWT (RFC 9597).
fn cwt_claims(from: &mut Reader<'_>) -> Result<Vec<(&'static str, Foreign)>, CoseError> {
    const ITEM: &str = "CWT claims";
    let mut claims: Vec<(&'static str, Foreign)> = Vec::new();
    for _ in 0..from.map(ITEM)? {
        if from.text_next() {
            from.text(HEADER_BYTES, ITEM)?;
            from.skip(DEPTH, ITEM)?;
            continue;
        }
        let key = from.integer(ITEM)?;
        let (name, value) = match key {
            ISS | SUB => {
                let text = from.text(HEADER_BYTES, ITEM)?.to_owned();
                let name = if key == ISS { "iss" } else { "sub" };
                (name, Foreign::Text(text))
            }
            EXP | NBF | IAT => {
                let name = match key {
                    EXP => "exp",
                    NBF => "nbf",
                    _ => "iat",
                };
                let seconds = u32::try_from(from.unsigned(ITEM)?)
                    .map_err(|_| CborError::Value { item: ITEM })?;
                (name, Foreign::Number(f64::from(seconds)))
            }
            _ => {
                from.skip(DEPTH, ITEM)?;
                continue;
            }
        };
        if claims.iter().any(|(other, _)| *other == name) {
            return Err(CoseError::Duplicate {
                label: name.to_owned(),
            });
        }
        claims.push((name, value));
    }
    Ok(claims)
}
