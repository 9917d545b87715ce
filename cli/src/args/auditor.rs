//! `zhao auditor`.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Secret;
use crate::values::parse_millis;

/// Events a minute that each address may hand to an auditor, or ask for.
const EVENT_RATE: NonZeroU32 = NonZeroU32::new(120).expect("not zero");

#[derive(Args, Debug)]
pub(crate) struct AuditorCommand {
    #[command(subcommand)]
    pub(crate) act: AuditorAct,
}

/// What can be done with an auditor.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditorAct {
    Init(AuditorInit),
    Serve(AuditorServe),
}

#[derive(Args, Debug)]
pub(crate) struct AuditorInit {
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    #[arg(long, value_name = "POLICY")]
    pub(crate) policy: PathBuf,
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) secret: Secret,
}

#[derive(Args, Debug)]
pub(crate) struct AuditorServe {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8082")]
    pub(crate) listen: SocketAddr,
    #[arg(long, value_name = "URL")]
    pub(crate) log_url: Option<String>,
    #[arg(long, value_name = "POLICY")]
    pub(crate) policy: Option<PathBuf>,
    #[arg(long, value_name = "FILE", requires = "policy")]
    pub(crate) trust: Option<PathBuf>,
    #[arg(long, value_name = "N", default_value_t = EVENT_RATE)]
    pub(crate) event_rate: NonZeroU32,
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse_millis)]
    pub(crate) every: u64,
    #[command(flatten)]
    pub(crate) secret: Secret,
}
