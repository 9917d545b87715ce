//! `zhao migrate`.

use std::path::PathBuf;

use clap::Args;

#[derive(Args, Debug)]
pub(crate) struct Migrate {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(long)]
    pub(crate) rebuild: bool,
    #[arg(long)]
    pub(crate) json: bool,
}
