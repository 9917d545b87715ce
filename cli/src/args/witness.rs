//! `zhao witness`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Secret;

#[derive(Args, Debug)]
pub(crate) struct WitnessCommand {
    #[command(subcommand)]
    pub(crate) act: WitnessAct,
}

/// What can be done with a witness.
#[derive(Debug, Subcommand)]
pub(crate) enum WitnessAct {
    Init(WitnessInit),
    Watch(WitnessWatch),
    Serve(WitnessServe),
}

#[derive(Args, Debug)]
pub(crate) struct WitnessInit {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    #[arg(long, value_name = "VKEY", required = true)]
    pub(crate) log: Vec<String>,
    #[arg(long)]
    pub(crate) mldsa: bool,
    #[command(flatten)]
    pub(crate) secret: Secret,
}

#[derive(Args, Debug)]
pub(crate) struct WitnessWatch {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(value_name = "VKEY", required_unless_present = "forget")]
    pub(crate) log: Vec<String>,
    #[arg(long)]
    pub(crate) new_key: bool,
    #[arg(long, value_name = "VKEY")]
    pub(crate) forget: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct WitnessServe {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    pub(crate) listen: SocketAddr,
    #[command(flatten)]
    pub(crate) secret: Secret,
}
