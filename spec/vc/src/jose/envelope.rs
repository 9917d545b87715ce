//! Secured documents inside others: `data:` URLs (VCDM 2.0 §4.13.1, RFC 2397).

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zhao_spec::wire::foreign::Foreign;

use super::claims::has_type;
use super::{ENCLOSED, JoseError};

/// The first context of every document.
const CONTEXT: &str = "https://www.w3.org/ns/credentials/v2";

/// Standard base64, with padding or without; nothing else varies.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The media types of secured documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MediaType {
    /// `application/dc+sd-jwt`: an SD-JWT VC of the IETF.
    DcSdJwt,
    /// `application/vc+cose`.
    VcCose,
    /// `application/vc+jwt`.
    VcJwt,
    /// `application/vc+sd-jwt`.
    VcSdJwt,
    /// `application/vp+cose`.
    VpCose,
    /// `application/vp+jwt`.
    VpJwt,
    /// `application/vp+sd-jwt`.
    VpSdJwt,
}

impl MediaType {
    const ALL: [Self; 7] = [
        Self::DcSdJwt,
        Self::VcCose,
        Self::VcJwt,
        Self::VcSdJwt,
        Self::VpCose,
        Self::VpJwt,
        Self::VpSdJwt,
    ];

    /// The name after `application/`, which is what `typ` says.
    #[must_use]
    pub fn subtype(self) -> &'static str {
        match self {
            Self::DcSdJwt => "dc+sd-jwt",
            Self::VcCose => "vc+cose",
            Self::VcJwt => "vc+jwt",
            Self::VcSdJwt => "vc+sd-jwt",
            Self::VpCose => "vp+cose",
            Self::VpJwt => "vp+jwt",
            Self::VpSdJwt => "vp+sd-jwt",
        }
    }

    /// The name with `application/`.
    #[must_use]
    pub fn full(self) -> &'static str {
        match self {
            Self::DcSdJwt => "application/dc+sd-jwt",
            Self::VcCose => "application/vc+cose",
            Self::VcJwt => "application/vc+jwt",
            Self::VcSdJwt => "application/vc+sd-jwt",
            Self::VpCose => "application/vp+cose",
            Self::VpJwt => "application/vp+jwt",
            Self::VpSdJwt => "application/vp+sd-jwt",
        }
    }

    fn is_presentation(self) -> bool {
        matches!(self, Self::VpCose | Self::VpJwt | Self::VpSdJwt)
    }

    fn is_cose(self) -> bool {
        matches!(self, Self::VcCose | Self::VpCose)
    }
}

/// A secured document taken out of its `data:` URL. Nothing of it was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enveloped {
    /// What it is said to be.
    pub media: MediaType,
    /// The message.
    pub message: Wrapped,
}

/// A secured document as it is exchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wrapped {
    /// COSE.
    Bytes(Vec<u8>),
    /// A JWS or an SD-JWT.
    Text(String),
}

/// The object that holds a secured document: an `EnvelopedVerifiableCredential` or
/// `EnvelopedVerifiablePresentation`.
///
/// # Errors
/// The media type is of the other kind of message, or a text has characters beyond those of JWS
/// and SD-JWT.
pub fn wrapped(secured: &Enveloped) -> Result<Foreign, JoseError> {
    let wrong = |detail| JoseError::Envelope {
        place: "message",
        detail,
    };
    let media = secured.media.full();
    let url = match &secured.message {
        Wrapped::Bytes(bytes) if secured.media.is_cose() => {
            let text = base64::engine::general_purpose::STANDARD.encode(bytes);
            format!("data:{media};base64,{text}")
        }
        Wrapped::Text(text) if !secured.media.is_cose() => {
            if !is_plain(text) {
                return Err(wrong("not a JWS or SD-JWT"));
            }
            format!("data:{media},{text}")
        }
        _ => return Err(wrong("not of its media type")),
    };
    let member = |name: &str, value: String| (name.to_owned(), Foreign::Text(value));
    let name = type_name(secured.media);
    Ok(Foreign::Object(vec![
        member("@context", CONTEXT.to_owned()),
        member("id", url),
        member("type", name.to_owned()),
    ]))
}

/// The secured document that an object holds.
///
/// # Errors
/// Not such an object, or its `id` is not a `data:` URL of a media type of these.
pub fn enveloped(object: &Foreign) -> Result<Enveloped, JoseError> {
    let wrong = |place, detail| JoseError::Envelope { place, detail };
    let url = object
        .member("id")
        .and_then(Foreign::as_text)
        .ok_or(wrong("id", "missing, or not a text"))?;
    let rest = url
        .strip_prefix("data:")
        .ok_or(wrong("id", "not a data: URL"))?;
    let (kind, data) = rest
        .split_once(',')
        .ok_or(wrong("id", "a data: URL without data"))?;
    let (name, encoded) = match kind.strip_suffix(";base64") {
        Some(name) => (name, true),
        None => (kind, false),
    };
    let media = MediaType::ALL
        .into_iter()
        .find(|media| media.full().eq_ignore_ascii_case(name))
        .ok_or(wrong("id", "not a media type of secured documents"))?;
    if !has_type(object, type_name(media)) {
        return Err(wrong("type", "does not fit what is enveloped"));
    }
    let message = match (media.is_cose(), encoded) {
        // COSE is bytes and needs base64 (VC-JOSE-COSE §3.3.2); the others are texts of characters
        // that need none.
        (true, false) => return Err(wrong("id", "COSE that is not in base64")),
        (true, true) => Wrapped::Bytes(
            BASE64
                .decode(data)
                .map_err(|_| wrong("id", "not base64"))?,
        ),
        (false, true) => return Err(wrong("id", "a text in base64")),
        (false, false) if is_plain(data) => Wrapped::Text(data.to_owned()),
        (false, false) => return Err(wrong("id", "not a JWS or SD-JWT")),
    };
    Ok(Enveloped { media, message })
}

/// What a presentation encloses: every credential must be enveloped (VC-JOSE-COSE §3.1.2).
pub(crate) fn enclosed(presentation: &Foreign) -> Result<Vec<Enveloped>, JoseError> {
    const PLACE: &str = "verifiableCredential";
    let wrong = |detail| JoseError::Envelope {
        place: PLACE,
        detail,
    };
    let items = match presentation.member(PLACE) {
        None => return Ok(Vec::new()),
        Some(Foreign::Array(items)) => items.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    if items.len() > ENCLOSED {
        return Err(wrong("more than 64 documents"));
    }
    items
        .iter()
        .map(|item| match item {
            Foreign::Object(_) if has_type(item, "EnvelopedVerifiableCredential") => {
                enveloped(item)
            }
            _ => Err(wrong("a credential that is not enveloped")),
        })
        .collect()
}

fn type_name(media: MediaType) -> &'static str {
    if media.is_presentation() {
        "EnvelopedVerifiablePresentation"
    } else {
        "EnvelopedVerifiableCredential"
    }
}

/// Whether a text has only the characters of JWS and SD-JWT, none of which a URL escapes.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b))
}
