//! `zhao mirror`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use crate::values::parse_millis;

#[derive(Args, Debug)]
pub(crate) struct Mirror {
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(long, value_name = "POLICY")]
    pub(crate) policy: Option<PathBuf>,
    #[arg(long, value_name = "FILE", requires = "policy")]
    pub(crate) trust: Option<PathBuf>,
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    #[arg(long, value_name = "DURATION", value_parser = parse_millis)]
    pub(crate) every: Option<u64>,
    #[arg(long)]
    pub(crate) json: bool,
}
