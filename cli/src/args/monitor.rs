//! `zhao log` and `zhao monitor`.

use std::path::PathBuf;

use clap::Args;

use crate::values::parse_millis;

#[derive(Args, Debug)]
pub(crate) struct Log {
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    #[arg(long, value_name = "POLICY")]
    pub(crate) policy: Option<PathBuf>,
    #[arg(long, value_name = "FILE", requires = "policy")]
    pub(crate) trust: Option<PathBuf>,
    #[arg(long, value_name = "INDEX", conflicts_with = "last")]
    pub(crate) from: Option<u64>,
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) last: u64,
    #[arg(long)]
    pub(crate) follow: bool,
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = parse_millis)]
    pub(crate) every: u64,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Monitor {
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    #[arg(long, value_name = "POLICY")]
    pub(crate) policy: PathBuf,
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    pub(crate) state: PathBuf,
    #[arg(long, value_name = "KEY", num_args = 1..)]
    pub(crate) subject: Vec<String>,
    #[arg(long, value_name = "USCC", num_args = 1..)]
    pub(crate) unit: Vec<String>,
    #[arg(long, value_name = "URL", num_args = 1..)]
    pub(crate) gossip: Vec<String>,
    #[arg(long, value_name = "URL")]
    pub(crate) webhook: Option<String>,
    #[arg(short, long, value_name = "EVIDENCE", default_value = "evidence.json")]
    pub(crate) output: PathBuf,
    #[arg(long)]
    pub(crate) once: bool,
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse_millis)]
    pub(crate) every: u64,
    #[arg(long)]
    pub(crate) json: bool,
}
