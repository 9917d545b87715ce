//! `zhao top`.

use clap::Args;

use crate::values::parse_millis;

#[derive(Args, Debug)]
pub(crate) struct Top {
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = parse_millis)]
    pub(crate) every: u64,
    #[arg(long)]
    pub(crate) once: bool,
    #[arg(long)]
    pub(crate) json: bool,
}
