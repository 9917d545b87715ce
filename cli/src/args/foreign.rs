//! `zhao secure` and `zhao examine`: credentials as others write and read them.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use zhao_spec::wire::UnixMillis;

use super::Secret;
use crate::values::parse_time;

#[derive(Args, Debug)]
pub(crate) struct Secure {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(value_name = "CREDENTIAL")]
    pub(crate) credential: PathBuf,
    #[arg(long, value_name = "FORM")]
    pub(crate) form: FormName,
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) secret: Secret,
}

/// How a licence is secured for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormName {
    #[value(name = "eddsa-rdfc-2022")]
    EddsaRdfc2022,
    #[value(name = "vc+jwt")]
    VcJwt,
    #[value(name = "vc+cose")]
    VcCose,
}

#[derive(Args, Debug)]
pub(crate) struct Examine {
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[arg(long, value_name = "ID")]
    pub(crate) issuer: Vec<String>,
    #[arg(long, value_name = "FILE")]
    pub(crate) status_list: Vec<PathBuf>,
    #[arg(long, value_name = "URL=FILE")]
    pub(crate) schema: Vec<String>,
    #[arg(long, value_name = "URL=FILE")]
    pub(crate) context: Vec<String>,
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) at: Option<UnixMillis>,
    #[arg(long)]
    pub(crate) json: bool,
}
