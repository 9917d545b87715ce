//! How a server is set up: what the command line says, else the environment, else `[serve]` in
//! zhao.toml, else the default. The page about it is `cli/handbook/configuration.md`, which a test
//! compares with [`Serve`].

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zhao_vc::did::unit_did;

use crate::args::{ANSWER_MOST, EDITION_MOST, HEARTBEAT_MOST, Serve};
use crate::failure::{Failure, args};
use crate::home::Home;
use crate::serve::proxies::{Proxies, Proxy};
use crate::serve::traces::Collector;

/// What `[serve]` in zhao.toml may say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Table {
    /// Address and port to listen on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) listen: Option<SocketAddr>,
    /// Seconds without a new head after which one is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) heartbeat: Option<u64>,
    /// Seconds that a change waits for its answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) answer_within: Option<u64>,
    /// Seconds between two editions of the map.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) edition_every: Option<u64>,
    /// Public queries a minute from each address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) public_rate: Option<NonZeroU32>,
    /// Events a minute that each address may hand in without a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) event_rate: Option<NonZeroU32>,
    /// Events a minute that each key may have logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) event_rate_signer: Option<NonZeroU32>,
    /// Proxies whose `X-Forwarded-For` says who asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trusted_proxy: Option<Vec<Proxy>>,
    /// Where the world finds this office.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) public_url: Option<PublicUrl>,
    /// Who is told what the server did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) otlp: Option<Collector>,
}

impl Table {
    /// Whether it says nothing.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Where a server listens, unless something else is said: this machine only.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
const HEARTBEAT: u64 = 600;
const ANSWER_WITHIN: u64 = 25;
const EDITION_EVERY: u64 = 10;
const PUBLIC_RATE: NonZeroU32 = NonZeroU32::new(600).expect("not zero");
const EVENT_RATE: NonZeroU32 = NonZeroU32::new(6_000).expect("not zero");
// A minute of it in one go is ten of the largest batches that a program hands in row by row.
const EVENT_RATE_SIGNER: NonZeroU32 = NonZeroU32::new(60_000).expect("not zero");

/// The address under which others reach a server: http or https, a host, perhaps a path, and
/// nothing behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct PublicUrl(String);

impl PublicUrl {
    /// Without a slash at the end.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "expected http:// or https://, a host, and at most a path".to_owned();
        let url = text.trim_end_matches('/');
        let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/[]%".contains(&byte);
        let host = rest.split('/').next().unwrap_or_default();
        let fits = matches!(scheme, "http" | "https")
            && !host.is_empty()
            && url.len() <= 512
            && rest.bytes().all(plain)
            && !rest.contains("//");
        if fits {
            Ok(Self(url.to_owned()))
        } else {
            Err(wrong())
        }
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<PublicUrl> for String {
    fn from(url: PublicUrl) -> Self {
        url.0
    }
}

/// Any unit's code will do to try what a URL can name.
const ANY_UNIT: &str = "11320400DEM0001293";

/// What a server goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setup {
    pub(crate) listen: SocketAddr,
    pub(crate) heartbeat: Duration,
    pub(crate) answer_within: Duration,
    pub(crate) edition_every: Duration,
    pub(crate) public_rate: NonZeroU32,
    pub(crate) event_rate: NonZeroU32,
    pub(crate) event_rate_signer: NonZeroU32,
    pub(crate) proxies: Proxies,
    pub(crate) public_url: Option<PublicUrl>,
    pub(crate) otlp: Option<Collector>,
}

impl Setup {
    /// What `command` says, and zhao.toml where it says nothing.
    ///
    /// # Errors
    /// A number in zhao.toml that is over its limit; a public URL that no did:web can name.
    pub(crate) fn of(command: &Serve, home: &Home) -> Result<Self, Failure> {
        let table = &home.config.serve;
        let within = |name: &str, value: Option<u64>, most: u64| match value {
            Some(value) if !(1..=most).contains(&value) => {
                let path = home.dir().join("zhao.toml");
                let cause = format!("serve.{name} is {value}, expected 1 to {most}");
                let path = path.display();
                Err(Failure::usage("home-config", args![path, cause]))
            }
            value => Ok(value),
        };
        let heartbeat = within("heartbeat", table.heartbeat, HEARTBEAT_MOST)?;
        let answer_within = within("answer-within", table.answer_within, ANSWER_MOST)?;
        let edition_every = within("edition-every", table.edition_every, EDITION_MOST)?;
        let seconds = |said: Option<u64>, table: Option<u64>, default| {
            Duration::from_secs(said.or(table).unwrap_or(default))
        };
        let public_url = command.public_url.as_ref().or(table.public_url.as_ref());
        // Units are named by it. A conformance instance has none.
        if let Some(url) = public_url.filter(|_| !command.conformance)
            && unit_did(url.as_str(), ANY_UNIT).is_err()
        {
            return Err(Failure::usage("public-url", args![actual = url]));
        }
        Ok(Self {
            listen: command.listen.or(table.listen).unwrap_or(LISTEN),
            heartbeat: seconds(command.heartbeat, heartbeat, HEARTBEAT),
            answer_within: seconds(command.answer_within, answer_within, ANSWER_WITHIN),
            edition_every: seconds(command.edition_every, edition_every, EDITION_EVERY),
            public_rate: command
                .public_rate
                .or(table.public_rate)
                .unwrap_or(PUBLIC_RATE),
            event_rate: command
                .event_rate
                .or(table.event_rate)
                .unwrap_or(EVENT_RATE),
            event_rate_signer: command
                .event_rate_signer
                .or(table.event_rate_signer)
                .unwrap_or(EVENT_RATE_SIGNER),
            proxies: match command.trusted_proxy.as_slice() {
                [] => Proxies::new(table.trusted_proxy.as_deref().unwrap_or_default()),
                said => Proxies::new(said),
            },
            public_url: public_url.cloned(),
            otlp: command.otlp.clone().or_else(|| table.otlp.clone()),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::{CommandFactory as _, Parser as _};

    use super::*;
    use crate::args::{Command, Line};

    /// The page's table: key, variable, flag, default.
    fn rows(page: &str) -> Vec<Vec<String>> {
        let lines = page.lines().filter(|line| line.starts_with("| `serve."));
        let cells = |line: &str| -> Vec<String> {
            let cells = line.trim_matches('|').split('|').take(4);
            cells
                .map(|cell| cell.trim().trim_matches('`').to_owned())
                .collect()
        };
        lines.map(cells).collect()
    }

    fn settings(words: &[&str], table: Table) -> Result<Setup, Failure> {
        let all = ["zhao", "serve", "office"].iter().chain(words);
        let Command::Serve(command) = Line::try_parse_from(all).unwrap().command else {
            panic!("another command");
        };
        let config = crate::home::Config {
            serve: table,
            ..crate::home::Config::example()
        };
        Setup::of(&command, &Home::new(Path::new("office"), config))
    }

    #[test]
    fn the_command_line_counts_before_the_file_and_the_file_before_the_default() {
        let otherwise = settings(&[], Table::default()).unwrap();
        assert_eq!(
            (otherwise.listen, otherwise.public_rate),
            (LISTEN, PUBLIC_RATE)
        );
        let table = Table {
            listen: Some("127.0.0.1:1".parse().unwrap()),
            heartbeat: Some(7),
            ..Table::default()
        };
        let from_file = settings(&[], table.clone()).unwrap();
        assert_eq!(from_file.listen.port(), 1);
        assert_eq!(from_file.heartbeat, Duration::from_secs(7));
        assert_eq!(from_file.event_rate, EVENT_RATE);
        let said = settings(&["--heartbeat", "8"], table).unwrap();
        assert_eq!((said.listen.port(), said.heartbeat.as_secs()), (1, 8));
    }

    #[test]
    fn numbers_in_the_file_have_the_limits_of_the_command_line() {
        for table in [
            Table {
                heartbeat: Some(0),
                ..Table::default()
            },
            Table {
                heartbeat: Some(HEARTBEAT_MOST + 1),
                ..Table::default()
            },
            Table {
                answer_within: Some(ANSWER_MOST + 1),
                ..Table::default()
            },
            Table {
                edition_every: Some(0),
                ..Table::default()
            },
            Table {
                edition_every: Some(EDITION_MOST + 1),
                ..Table::default()
            },
        ] {
            assert_eq!(settings(&[], table).unwrap_err().key(), "home-config");
        }
    }

    #[test]
    fn public_addresses_are_read_or_refused() {
        for (text, read) in [
            ("https://a.example", "https://a.example"),
            ("https://a.example/", "https://a.example"),
            ("http://127.0.0.1:8080/x/y/", "http://127.0.0.1:8080/x/y"),
            ("https://[::1]:1", "https://[::1]:1"),
        ] {
            assert_eq!(text.parse::<PublicUrl>().unwrap().as_str(), read);
        }
        let long = format!("https://{}", "a".repeat(512));
        for bad in [
            "",
            "a.example",
            "ftp://a.example",
            "https://",
            "https:///a",
            "https://a b",
            "https://a.example?q",
            "https://a.example#f",
            "https://u@a.example",
            "https://a//b",
            "https://a.example/<",
            &*long,
        ] {
            assert!(bad.parse::<PublicUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_page_has_every_setting_with_its_names_and_its_default() {
        let line = Line::command();
        let serve = line.find_subcommand("serve").unwrap();
        let defaults = [
            ("listen", LISTEN.to_string()),
            ("heartbeat", HEARTBEAT.to_string()),
            ("answer-within", ANSWER_WITHIN.to_string()),
            ("edition-every", EDITION_EVERY.to_string()),
            ("public-rate", PUBLIC_RATE.to_string()),
            ("event-rate", EVENT_RATE.to_string()),
            ("event-rate-signer", EVENT_RATE_SIGNER.to_string()),
            ("trusted-proxy", "–".to_owned()),
            ("otlp", "–".to_owned()),
            ("public-url", "–".to_owned()),
        ];
        let arguments = serve
            .get_arguments()
            .filter(|argument| argument.get_env().is_some());
        let made: Vec<Vec<String>> = arguments
            .map(|argument| {
                let flag = argument.get_long().unwrap();
                let variable = argument.get_env().unwrap().to_str().unwrap();
                let (_, default) = defaults.iter().find(|(name, _)| *name == flag).unwrap();
                let row = [
                    &format!("serve.{flag}"),
                    variable,
                    &format!("--{flag}"),
                    default,
                ];
                row.map(str::to_owned).to_vec()
            })
            .collect();
        assert_eq!(made.len(), defaults.len());
        for page in ["configuration.md", "configuration.zh.md"] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("handbook")
                .join(page);
            assert_eq!(
                rows(&std::fs::read_to_string(path).unwrap()),
                made,
                "{page}"
            );
        }
    }
}
