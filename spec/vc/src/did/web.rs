//! did:web: from identifier to URL. Source: did:web Method Specification (W3C CCG), §2.5.

use zhao_spec::wire::clip;

use super::DidError;

/// A whole identifier, bytes.
const DID_BYTES: usize = 1_024;

/// The URL of a did:web's document.
///
/// The first part is a host, with a port behind `%3A`; further parts are the path. Nothing else may
/// be percent-encoded, and no part may be empty or climb: a host name and path parts of letters,
/// digits, `.`, `-` and `_` are all that is read.
///
/// # Errors
/// [`DidError::Unknown`].
pub fn web_url(did: &str) -> Result<String, DidError> {
    read(did).ok_or_else(|| DidError::Unknown { did: clip(did) })
}

fn read(did: &str) -> Option<String> {
    if did.len() > DID_BYTES {
        return None;
    }
    let mut parts = did.strip_prefix("did:web:")?.split(':');
    let host = parts.next()?;
    let (name, port) = match host.split_once("%3A").or_else(|| host.split_once("%3a")) {
        Some((name, port)) => (name, Some(port)),
        None => (host, None),
    };
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    // The method takes names only; an address ends in a number.
    let number = |label: &str| label.bytes().all(|b| b.is_ascii_digit());
    if name.len() > 253
        || !name.split('.').all(label)
        || name.rsplit('.').next().is_some_and(number)
    {
        return None;
    }
    let mut url = format!("https://{}", name.to_ascii_lowercase());
    if let Some(port) = port {
        let plain = !port.starts_with('0') && port.bytes().all(|b| b.is_ascii_digit());
        let port: u16 = port.parse().ok().filter(|_| plain)?;
        url.push_str(&format!(":{port}"));
    }
    let mut path = false;
    for part in parts {
        let held = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        if part.is_empty() || part == "." || part == ".." || !part.bytes().all(held) {
            return None;
        }
        path = true;
        url.push('/');
        url.push_str(part);
    }
    if !path {
        url.push_str("/.well-known");
    }
    url.push_str("/did.json");
    Some(url)
}

/// The did:web of a unit whose documents are served below `base`, as `https://host[:port][/path]`.
///
/// # Errors
/// [`DidError::Unknown`]: a base that no did:web can name.
pub fn unit_did(base: &str, unit: &str) -> Result<String, DidError> {
    let unknown = || DidError::Unknown { did: clip(base) };
    let rest = base.strip_prefix("https://").ok_or_else(unknown)?;
    let mut parts = rest.trim_end_matches('/').split('/');
    let host = parts.next().unwrap_or_default().replace(':', "%3A");
    let mut did = format!("did:web:{host}");
    for part in parts.chain(["units", unit]) {
        did.push(':');
        did.push_str(part);
    }
    web_url(&did).map_err(|_| unknown())?;
    Ok(did)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn the_examples_of_the_method() {
        for (did, url) in [
            (
                "did:web:w3c-ccg.github.io",
                "https://w3c-ccg.github.io/.well-known/did.json",
            ),
            (
                "did:web:w3c-ccg.github.io:user:alice",
                "https://w3c-ccg.github.io/user/alice/did.json",
            ),
            (
                "did:web:example.com%3A3000:user:alice",
                "https://example.com:3000/user/alice/did.json",
            ),
            (
                "did:web:example.com%3a3000",
                "https://example.com:3000/.well-known/did.json",
            ),
            (
                "did:web:Example.com",
                "https://example.com/.well-known/did.json",
            ),
        ] {
            assert_eq!(web_url(did).as_deref(), Ok(url));
        }
    }

    #[test]
    fn nothing_else_is_a_host_or_a_path() {
        for did in [
            "did:web:",
            "did:web",
            "did:key:z6Mk",
            "DID:web:a.example",
            "did:web:a.example:",
            "did:web:a.example::b",
            "did:web:a.example:..",
            "did:web:a.example:.:b",
            "did:web:a.example:b/c",
            "did:web:a.example/b",
            "did:web:a.example:%2e%2e",
            "did:web:a.example:b%2Fc",
            "did:web:a.example#key",
            "did:web:a.example?x",
            "did:web:a..example",
            "did:web:-a.example",
            "did:web:user@a.example",
            "did:web:[::1]",
            "did:web:127.0.0.1",
            "did:web:2130706433",
            "did:web:a.example%3A",
            "did:web:a.example%3A0",
            "did:web:a.example%3A080",
            "did:web:a.example%3A65536",
            "did:web:a.example%3A80%3A81",
            "did:web:a.example%3A80@b.example",
            "did:web:ex\u{e4}mple.com",
            &format!("did:web:{}", "a.".repeat(600)),
        ] {
            assert_eq!(web_url(did).unwrap_err().code(), "did-unknown", "{did}");
        }
    }

    #[test]
    fn a_name_is_as_long_as_it_may_be() {
        let read = |name: String| web_url(&format!("did:web:{name}")).is_ok();
        assert!(read(format!("{}.example", "a".repeat(63))));
        assert!(!read(format!("{}.example", "a".repeat(64))));
        let three = format!("{}.", "a".repeat(63)).repeat(3);
        assert!(read(format!("{three}{}", "a".repeat(61))));
        assert!(!read(format!("{three}{}", "a".repeat(62))));
        let path = |bytes: usize| format!("a.example:{}", "b".repeat(bytes - 18));
        assert!(read(path(DID_BYTES)));
        assert!(!read(path(DID_BYTES + 1)));
        assert!(read("1.example%3A65535".to_owned()));
        assert!(!read("a-.example".to_owned()));
    }

    #[test]
    fn a_unit_has_one_below_the_base() {
        let unit = "11320400DEM0001293";
        for (base, did) in [
            (
                "https://a.example",
                "did:web:a.example:units:11320400DEM0001293",
            ),
            (
                "https://a.example/",
                "did:web:a.example:units:11320400DEM0001293",
            ),
            (
                "https://a.example:8443/zhao",
                "did:web:a.example%3A8443:zhao:units:11320400DEM0001293",
            ),
        ] {
            assert_eq!(unit_did(base, unit).as_deref(), Ok(did));
        }
        for base in [
            "http://a.example",
            "https://",
            "https://a.example/a b",
            "https://a/../b",
            "",
        ] {
            assert_eq!(
                unit_did(base, unit).unwrap_err().code(),
                "did-unknown",
                "{base}"
            );
        }
        assert!(unit_did("https://a.example", "../x").is_err());
    }
}
