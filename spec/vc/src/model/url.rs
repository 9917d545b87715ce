//! Absolute URLs by their characters: RFC 3986 §3, with the non-ASCII characters of RFC 3987.

use zhao_spec::wire::clip;
use zhao_spec::wire::foreign::Foreign;

use super::ModelError;
use super::place::{Place, text};

/// The URL at `place` (data model §4.4: one URL).
pub(super) fn url<'a>(value: &'a Foreign, place: &Place<'_>) -> Result<&'a str, ModelError> {
    let text = text(value, place)?;
    if is_url(text) {
        Ok(text)
    } else {
        Err(ModelError::Url {
            path: place.path(),
            actual: clip(text),
        })
    }
}

/// Whether `text` is an absolute URL: a scheme, a colon, and something of the permitted
/// characters; a host where the scheme is `http` or `https`.
#[must_use]
pub fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let mut letters = scheme.bytes();
    let begins = letters.next().is_some_and(|b| b.is_ascii_alphabetic());
    let goes_on = letters.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    if !begins || !goes_on || rest.is_empty() || !characters(rest) {
        return false;
    }
    let end = rest.find(['?', '#']).unwrap_or(rest.len());
    let (hierarchy, tail) = rest.split_at(end);
    if tail.contains(['[', ']']) || tail.matches('#').count() > 1 {
        return false;
    }
    let (authority, path) = match hierarchy.strip_prefix("//") {
        Some(after) => match after.split_once('/') {
            Some((authority, path)) => (Some(authority), path),
            None => (Some(after), ""),
        },
        None => (None, hierarchy),
    };
    if path.contains(['[', ']']) {
        return false;
    }
    if scheme.eq_ignore_ascii_case("did") {
        return is_did(hierarchy);
    }
    let web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    match authority {
        Some(authority) => is_authority(authority, web),
        None => !web,
    }
}

/// Permitted characters, and `%` only before two hexadecimal digits.
fn characters(text: &str) -> bool {
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let allowed = match c {
            '%' => {
                let mut hex = || rest.next().is_some_and(|c| c.is_ascii_hexdigit());
                hex() && hex()
            }
            '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' => false,
            // Bidirectional controls make a URL that reads otherwise than it is.
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => false,
            c => !c.is_control() && !c.is_whitespace() && c != '\u{feff}',
        };
        if !allowed {
            return false;
        }
    }
    true
}

/// `[user@]host[:port]`; the host is not empty where `needed`.
fn is_authority(authority: &str, needed: bool) -> bool {
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    if user.contains(['[', ']', '@']) {
        return false;
    }
    let (host, after) = match host.strip_prefix('[') {
        Some(inside) => match inside.split_once(']') {
            Some((address, after)) => {
                let digits = |b: u8| b.is_ascii_hexdigit() || matches!(b, b':' | b'.');
                if address.is_empty() || !address.bytes().all(digits) {
                    return false;
                }
                (address, after)
            }
            None => return false,
        },
        None => match host.find(':') {
            Some(colon) => host.split_at(colon),
            None => (host, ""),
        },
    };
    if (needed && host.is_empty()) || host.contains(['[', ']', '@']) {
        return false;
    }
    match after.strip_prefix(':') {
        None => after.is_empty(),
        Some("") => true,
        Some(port) => port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok(),
    }
}

/// What stands after `did:`: a method's name, and an identifier of it (DID Core §3.1).
fn is_did(rest: &str) -> bool {
    let Some((method, id)) = rest.split_once(':') else {
        return false;
    };
    !method.is_empty()
        && method
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        && !id.split('/').next().unwrap_or_default().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_no_absolute_url() {
        for text in [
            "",
            "fake-issuer",
            "z6MkpJySvETLnxhQG9DzEdmKJtysBDjuuTeDfUj1uNNCUqcj",
            "https ://not-a-url/contexts/example/v1",
            "https://exa mple.com",
            " https://example.com",
            "https://example.com\n",
            "https:",
            "https://",
            "https:///path",
            "https:example.com",
            "http://@/",
            "https://host:99999/",
            "https://host:8a/",
            "https://[::1",
            "https://[@example.com/",
            "https://a@b@example.com/",
            "https://[zz]/",
            "https://a]b/",
            "https://example.com/[x]",
            "https://example.com/a#b#c",
            "https://example.com/%zz",
            "https://example.com/%4",
            "https://example.com/<x>",
            "https://example.com/{x}",
            "https://example.com/a|b",
            "https://example.com/a\\b",
            "https://example.com/\u{202e}moc",
            "https://example.com/\u{3000}",
            "1https://example.com",
            "://example.com",
            "/relative",
            "//example.com/x",
            "#fragment",
            "did:",
            "did:example",
            "did::x",
            "did:Example:x",
            "did:example:",
            "did:example:#k",
            "did://example:x",
            "urn:",
        ] {
            assert!(!is_url(text), "{text:?}");
        }
    }

    #[test]
    fn accepts_absolute_urls() {
        for text in [
            "https://example.com",
            "HTTPS://EXAMPLE.COM/",
            "http://user:pass@example.com:8080/a/b?c=d&e#f",
            "https://[2001:db8::1]:443/",
            "https://例子.example/路径?甲=乙",
            "https://example.com/%E4%BE%8B",
            "did:example:subject",
            "did:example:refresh/1",
            "did:key:z6Mk#z6Mk",
            "did:web:example.com%3A3000:user",
            "urn:uuid:0b8e5a3c-6d1f-4f2a-9c47-2f6b1d3e8a90",
            "data:application/vc+jwt,eyJ",
            "mailto:a@example.com",
            "tag:example.com,2026:x",
            "file:///etc",
        ] {
            assert!(is_url(text), "{text:?}");
        }
    }
}
