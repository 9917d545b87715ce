//! Arguments of `zhao serve` and `zhao api-key`.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Secret, up_to};
use crate::serve::proxies::Proxy;
use crate::serve::settings::PublicUrl;
use crate::serve::traces::Collector;
use crate::values::parse_millis;

#[derive(Args, Debug)]
pub(crate) struct Serve {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    // Without a default here: what is not said is in zhao.toml, or `serve::settings` knows it.
    #[arg(long, value_name = "ADDRESS", env = "ZHAO_LISTEN")]
    pub(crate) listen: Option<SocketAddr>,
    #[arg(long, value_name = "SECONDS", env = "ZHAO_HEARTBEAT")]
    #[arg(value_parser = up_to(1, HEARTBEAT_MOST))]
    pub(crate) heartbeat: Option<u64>,
    #[arg(long, value_name = "SECONDS", env = "ZHAO_ANSWER_WITHIN")]
    #[arg(value_parser = up_to(1, ANSWER_MOST))]
    pub(crate) answer_within: Option<u64>,
    #[arg(long, value_name = "SECONDS", env = "ZHAO_EDITION_EVERY")]
    #[arg(value_parser = up_to(1, EDITION_MOST))]
    pub(crate) edition_every: Option<u64>,
    #[arg(long, value_name = "N", env = "ZHAO_PUBLIC_RATE")]
    pub(crate) public_rate: Option<NonZeroU32>,
    #[arg(long, value_name = "N", env = "ZHAO_EVENT_RATE")]
    pub(crate) event_rate: Option<NonZeroU32>,
    #[arg(long, value_name = "N", env = "ZHAO_EVENT_RATE_SIGNER")]
    pub(crate) event_rate_signer: Option<NonZeroU32>,
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "ZHAO_TRUSTED_PROXY",
        value_delimiter = ','
    )]
    pub(crate) trusted_proxy: Vec<Proxy>,
    #[arg(long, value_name = "URL", env = "ZHAO_OTLP")]
    pub(crate) otlp: Option<Collector>,
    #[arg(long, value_name = "URL", env = "ZHAO_PUBLIC_URL")]
    pub(crate) public_url: Option<PublicUrl>,
    // No variable and no word in zhao.toml: nobody gets this mode by an environment.
    #[arg(long)]
    pub(crate) conformance: bool,
    #[command(flatten)]
    pub(crate) secret: Secret,
}

/// Most seconds without a new head.
pub(crate) const HEARTBEAT_MOST: u64 = 86_400;
/// Most seconds that a change waits for its answer.
pub(crate) const ANSWER_MOST: u64 = 600;
/// Most seconds between two editions of the map.
pub(crate) const EDITION_MOST: u64 = 3_600;

#[derive(Args, Debug)]
pub(crate) struct ApiKey {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[command(flatten)]
    pub(crate) secret: Secret,
    #[command(subcommand)]
    pub(crate) act: ApiKeyAct,
}

/// What can be done with API keys.
#[derive(Debug, Subcommand)]
pub(crate) enum ApiKeyAct {
    Add(ApiKeyAdd),
    List(ApiKeyList),
    Revoke(ApiKeyRevoke),
}

#[derive(Args, Debug)]
pub(crate) struct ApiKeyAdd {
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    #[arg(
        long = "scopes",
        value_name = "SCOPES",
        value_delimiter = ',',
        required = true,
        value_parser = ["read", "issue", "change", "admin"]
    )]
    pub(crate) scopes: Vec<String>,
    #[arg(long, value_name = "DURATION", default_value = "90d", value_parser = parse_millis)]
    pub(crate) expires: u64,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ApiKeyList {
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ApiKeyRevoke {
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}
