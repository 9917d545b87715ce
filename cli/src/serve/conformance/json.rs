//! Other people's JSON, made and changed. It is written as RFC 8785 has it.

use axum::body::Bytes;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use zhao_spec::wire::foreign::{Foreign, canonicalize};

/// A text.
pub(super) fn text(value: impl Into<String>) -> Foreign {
    Foreign::Text(value.into())
}

/// An object of these members.
pub(super) fn object<const N: usize>(members: [(&str, Foreign); N]) -> Foreign {
    let members = members.map(|(name, value)| (name.to_owned(), value));
    Foreign::Object(members.into())
}

/// A number that counts something.
pub(super) fn number(value: u32) -> Foreign {
    Foreign::Number(f64::from(value))
}

/// Gives `object` the member; what is no object stays as it is.
pub(super) fn set(object: &mut Foreign, name: &str, value: Foreign) {
    let Foreign::Object(members) = object else {
        return;
    };
    match members.iter_mut().find(|(other, _)| other == name) {
        Some((_, old)) => *old = value,
        None => members.push((name.to_owned(), value)),
    }
}

/// One value, or each of an array's.
pub(super) fn each(value: &Foreign) -> &[Foreign] {
    match value {
        Foreign::Array(items) => items,
        one => std::slice::from_ref(one),
    }
}

/// An answer of this media type.
pub(super) fn respond(status: StatusCode, kind: &'static str, value: &Foreign) -> Response {
    let kind = HeaderValue::from_static(kind);
    let bytes = Bytes::from(canonicalize(value));
    (status, [(header::CONTENT_TYPE, kind)], bytes).into_response()
}
