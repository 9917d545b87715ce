//! Credentials and presentations inside a `data:` URL (data model §4.13.1, §4.13.2).

use zhao_spec::wire::clip;
use zhao_spec::wire::foreign::Foreign;

use super::contexts::BASE_V2;
use super::place::{Place, members, required, text, wrong};
use super::{ModelError, types};

/// What an envelope says it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enveloped {
    /// A credential.
    Credential,
    /// A presentation.
    Presentation,
}

impl Enveloped {
    /// The `type` that says so.
    #[must_use]
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Credential => "EnvelopedVerifiableCredential",
            Self::Presentation => "EnvelopedVerifiablePresentation",
        }
    }
}

/// By what the content is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Securing {
    /// A compact JWS: `vc+jwt`, `vp+jwt`, or `jwt` as it was called before.
    Jose,
    /// A COSE_Sign1: `vc+cose`, `vp+cose`.
    Cose,
    /// An SD-JWT: `vc+sd-jwt`, `vp+sd-jwt`.
    SdJwt,
}

/// An envelope: nothing in it is believed before the content's own signature is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Envelope<'a> {
    /// What it says it holds.
    pub holds: Enveloped,
    /// How the content is secured.
    pub securing: Securing,
    /// The media type, without parameters.
    pub media_type: &'a str,
    /// Whether `data` is base64 (RFC 2397); else it is the content itself, as ASCII.
    pub base64: bool,
    /// What stands behind the comma, not empty.
    pub data: &'a str,
    /// The object.
    pub value: &'a Foreign,
}

/// What the object says it envelops, if it says so; it may still be malformed.
#[must_use]
pub fn enveloped(document: &Foreign) -> Option<Enveloped> {
    let says = |name: &str| match document.member("type") {
        Some(Foreign::Text(text)) => text == name,
        Some(Foreign::Array(items)) => items.iter().any(|item| item.as_text() == Some(name)),
        _ => false,
    };
    [Enveloped::Credential, Enveloped::Presentation]
        .into_iter()
        .find(|one| says(one.type_name()))
}

/// An enveloped credential or presentation.
///
/// # Errors
/// It has not exactly `@context`, `id` and `type`, its contexts lack the base context of version
/// 2.0, it has another type beside, or its `id` is no `data:` URL of a media type that fits.
pub fn envelope(document: &Foreign) -> Result<Envelope<'_>, ModelError> {
    read(document, &Place::ROOT)
}

pub(super) fn read<'a>(
    document: &'a Foreign,
    place: &Place<'_>,
) -> Result<Envelope<'a>, ModelError> {
    for (name, _) in members(document, place)? {
        if !matches!(name.as_str(), "@context" | "id" | "type") {
            return Err(ModelError::Unknown {
                path: place.name(name).path(),
            });
        }
    }
    let contexts = required(document, place, "@context")?;
    let based = match contexts {
        Foreign::Text(text) => text == BASE_V2,
        Foreign::Array(items) => items.iter().any(|item| item.as_text() == Some(BASE_V2)),
        other => return Err(wrong(other, &place.name("@context"), "text or array")),
    };
    if !based {
        return Err(ModelError::BaseContext {
            path: place.name("@context").path(),
        });
    }
    let kinds = types(document, place)?;
    let holds = match kinds.as_slice() {
        ["EnvelopedVerifiableCredential"] => Enveloped::Credential,
        ["EnvelopedVerifiablePresentation"] => Enveloped::Presentation,
        _ => {
            return Err(ModelError::Envelope {
                path: place.name("type").path(),
                expected: "an envelope's type alone",
                actual: "something else",
            });
        }
    };
    let id = place.name("id");
    let url = text(required(document, place, "id")?, &id)?;
    let no_data = || ModelError::Data { path: id.path() };
    let (head, data) = url
        .strip_prefix("data:")
        .and_then(|rest| rest.split_once(','))
        .ok_or_else(no_data)?;
    let (head, base64) = match head.strip_suffix(";base64") {
        Some(head) => (head, true),
        None => (head, false),
    };
    let media_type = head.split(';').next().unwrap_or_default();
    let securing = securing(media_type, holds).ok_or_else(|| ModelError::MediaType {
        path: id.path(),
        actual: clip(media_type),
    })?;
    // Nothing needs escaping in any of the forms, so an escape would only be a second spelling.
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
    if data.is_empty() || !data.bytes().all(plain) {
        return Err(no_data());
    }
    Ok(Envelope {
        holds,
        securing,
        media_type,
        base64,
        data,
        value: document,
    })
}

fn securing(media_type: &str, holds: Enveloped) -> Option<Securing> {
    match (media_type, holds) {
        ("application/vc+jwt", Enveloped::Credential)
        | ("application/vp+jwt", Enveloped::Presentation)
        | ("application/jwt", _) => Some(Securing::Jose),
        ("application/vc+cose", Enveloped::Credential)
        | ("application/vp+cose", Enveloped::Presentation) => Some(Securing::Cose),
        ("application/vc+sd-jwt", Enveloped::Credential)
        | ("application/vp+sd-jwt", Enveloped::Presentation) => Some(Securing::SdJwt),
        _ => None,
    }
}
