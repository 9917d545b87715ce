//! `zhao publish`.

use std::path::PathBuf;

use clap::Args;

use super::Secret;

#[derive(Args, Debug)]
pub(crate) struct PublishLog {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(value_name = "PLACE")]
    pub(crate) place: Option<String>,
    #[arg(long)]
    pub(crate) take_over: bool,
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) secret: Secret,
}
