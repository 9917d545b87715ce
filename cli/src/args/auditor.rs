//! `zhao auditor`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Secret;

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
    #[command(flatten)]
    pub(crate) secret: Secret,
}
