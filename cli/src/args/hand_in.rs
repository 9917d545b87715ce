//! `zhao hand-in`.

use std::path::PathBuf;

use clap::Args;

#[derive(Args, Debug)]
pub(crate) struct HandIn {
    #[arg(value_name = "EVENT")]
    pub(crate) event: PathBuf,
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    #[arg(long, value_name = "POLICY")]
    pub(crate) policy: Option<PathBuf>,
    #[arg(long, value_name = "FILE", requires = "policy")]
    pub(crate) trust: Option<PathBuf>,
    #[arg(short, long, value_name = "EVIDENCE", default_value = "evidence.json")]
    pub(crate) output: PathBuf,
    #[arg(long)]
    pub(crate) json: bool,
}
