//! Whose word counts for who asks: proxies in front, by their addresses.
//!
//! Nobody's, unless the operator names them: anybody can write `X-Forwarded-For`, and whoever is
//! believed can be as many addresses as they like.

use std::net::IpAddr;
use std::str::FromStr;

use axum::http::HeaderMap;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// A header that each proxy appends to: who asked it, the newest last.
const FORWARDED: &str = "x-forwarded-for";

/// A trusted proxy's address, or the addresses of several: `192.0.2.7`, `192.0.2.0/29`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Proxy(IpNet);

impl FromStr for Proxy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let net = match text.parse::<IpAddr>() {
            Ok(address) => IpNet::from(address.to_canonical()),
            Err(_) => text
                .parse::<IpNet>()
                .map_err(|_| "expected an address, or an address and a length".to_owned())?,
        };
        if net.prefix_len() == 0 {
            return Err("this is everybody".to_owned());
        }
        Ok(Self(net.trunc()))
    }
}

impl TryFrom<String> for Proxy {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let said = zhao_spec::wire::clip(&text).to_string();
        text.parse().map_err(|cause| format!("{said}: {cause}"))
    }
}

impl From<Proxy> for String {
    fn from(proxy: Proxy) -> Self {
        proxy.0.to_string()
    }
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Proxies(Vec<IpNet>);

impl Proxies {
    /// These and no others.
    pub(crate) fn new(proxies: &[Proxy]) -> Self {
        Self(proxies.iter().map(|proxy| proxy.0).collect())
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&address))
    }

    /// Who asks, when `from` is at the other end of the connection: the newest address in the
    /// header that is no trusted proxy's, since each of them saw the one before it. What stands
    /// before that is anybody's text, and never looked at. Where a proxy wrote no address, or
    /// something else, it is itself who asks.
    pub(crate) fn client(&self, from: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = from.to_canonical();
        for value in headers.get_all(FORWARDED).iter().rev() {
            let text = value.to_str().unwrap_or_default();
            for word in text.rsplit(',') {
                if !self.trusts(client) {
                    return client;
                }
                let Ok(address) = word.trim().parse::<IpAddr>() else {
                    return client;
                };
                client = address.to_canonical();
            }
        }
        client
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn client(proxies: &[&str], from: &str, headers: &[&str]) -> String {
        let proxies: Vec<Proxy> = proxies.iter().map(|text| text.parse().unwrap()).collect();
        let mut map = HeaderMap::new();
        for value in headers {
            map.append(
                FORWARDED,
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        let client = Proxies::new(&proxies).client(from.parse().unwrap(), &map);
        client.to_string()
    }

    #[test]
    fn whoever_is_not_trusted_is_who_asks_whatever_the_header_says() {
        for proxies in [&[][..], &["192.0.2.2"], &["192.0.2.0/31", "2001:db8::/64"]] {
            for headers in [&["203.0.113.9"][..], &["192.0.2.2"], &["::1", "127.0.0.1"]] {
                assert_eq!(client(proxies, "192.0.2.9", headers), "192.0.2.9");
                assert_eq!(client(proxies, "::ffff:192.0.2.9", headers), "192.0.2.9");
            }
        }
    }

    #[test]
    fn what_a_trusted_proxy_appended_counts_and_nothing_before_it() {
        let proxies = &["192.0.2.0/29", "2001:db8::7"];
        for (headers, expected) in [
            (&["203.0.113.9"][..], "203.0.113.9"),
            (&["198.51.100.1, 203.0.113.9"], "203.0.113.9"),
            (&["192.0.2.1,203.0.113.9"], "203.0.113.9"),
            (&["198.51.100.1", "203.0.113.9"], "203.0.113.9"),
            (&["nonsense, 203.0.113.9"], "203.0.113.9"),
            // Two proxies, one behind the other.
            (&["203.0.113.9, 192.0.2.3"], "203.0.113.9"),
            (
                &["1.1.1.1, 203.0.113.9", "2001:db8::7,192.0.2.3"],
                "203.0.113.9",
            ),
            (&["::ffff:203.0.113.9"], "203.0.113.9"),
            (&["2001:db8::8"], "2001:db8::8"),
        ] {
            assert_eq!(
                client(proxies, "192.0.2.1", headers),
                expected,
                "{headers:?}"
            );
        }
    }

    #[test]
    fn a_proxy_that_says_nothing_usable_is_who_asks() {
        let proxies = &["192.0.2.0/29"];
        for (headers, expected) in [
            (&[][..], "192.0.2.1"),
            (&[""], "192.0.2.1"),
            (&["unknown"], "192.0.2.1"),
            (&["203.0.113.9, unknown"], "192.0.2.1"),
            (&["203.0.113.9:443"], "192.0.2.1"),
            (&["203.0.113.9,"], "192.0.2.1"),
            (&["示例"], "192.0.2.1"),
            (&["示例, 192.0.2.2"], "192.0.2.1"),
            (&["unknown, 192.0.2.2"], "192.0.2.2"),
            // A request of a proxy's own.
            (&["192.0.2.2, 192.0.2.3"], "192.0.2.2"),
        ] {
            assert_eq!(
                client(proxies, "192.0.2.1", headers),
                expected,
                "{headers:?}"
            );
        }
    }

    #[test]
    fn what_is_no_address_and_what_is_everybody_is_refused() {
        let parse = |text: &str| text.parse::<Proxy>();
        for text in [
            "",
            "localhost",
            "192.0.2",
            "192.0.2.1/33",
            "192.0.2.1/",
            "::/129",
            "*",
        ] {
            let cause = parse(text).unwrap_err();
            assert_eq!(
                cause, "expected an address, or an address and a length",
                "{text}"
            );
        }
        for text in ["0.0.0.0/0", "::/0", "192.0.2.1/0"] {
            assert_eq!(parse(text).unwrap_err(), "this is everybody", "{text}");
        }
        for (text, shown) in [
            ("192.0.2.1", "192.0.2.1/32"),
            ("192.0.2.1/24", "192.0.2.0/24"),
            ("::1", "::1/128"),
            ("::ffff:192.0.2.1", "192.0.2.1/32"),
        ] {
            assert_eq!(String::from(parse(text).unwrap()), shown);
        }
    }
}
