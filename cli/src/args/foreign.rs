//! `zhao secure` and `zhao examine`: credentials as others write and read them.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use zhao_issuer::office::Form;
use zhao_spec::wire::UnixMillis;

use super::Secret;
use crate::serve::settings::PublicUrl;
use crate::values::parse_time;

#[derive(Args, Debug)]
pub(crate) struct Secure {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(value_name = "CREDENTIAL")]
    pub(crate) credential: PathBuf,
    #[arg(long, value_name = "FORM")]
    pub(crate) form: FormName,
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<PublicUrl>,
    #[arg(long, value_name = "DID")]
    pub(crate) holder: Option<String>,
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
    #[value(name = "dc+sd-jwt")]
    DcSdJwt,
}

impl FormName {
    /// What the office calls it.
    pub(crate) fn form(self) -> Form {
        match self {
            Self::EddsaRdfc2022 => Form::EddsaRdfc2022,
            Self::VcJwt => Form::VcJwt,
            Self::VcCose => Form::VcCose,
            Self::DcSdJwt => Form::DcSdJwt,
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct HolderCommand {
    #[command(subcommand)]
    pub(crate) act: HolderAct,
}

/// What can be done with a holder's key.
#[derive(Debug, Subcommand)]
pub(crate) enum HolderAct {
    Init(HolderInit),
}

#[derive(Args, Debug)]
pub(crate) struct HolderInit {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[command(flatten)]
    pub(crate) secret: Secret,
}

#[derive(Args, Debug)]
pub(crate) struct Present {
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[arg(long, value_name = "CLAIM")]
    pub(crate) show: Vec<String>,
    #[arg(long, value_name = "DIR", requires = "audience")]
    pub(crate) holder: Option<PathBuf>,
    #[arg(long, value_name = "URL", requires_all = ["nonce", "holder"])]
    pub(crate) audience: Option<String>,
    #[arg(long, value_name = "TEXT", requires = "audience")]
    pub(crate) nonce: Option<String>,
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) secret: Secret,
    #[arg(long, conflicts_with = "output")]
    pub(crate) json: bool,
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
    #[arg(long, value_name = "FILE")]
    pub(crate) did_document: Vec<PathBuf>,
    #[arg(long = "type", value_name = "URL")]
    pub(crate) types: Vec<String>,
    #[arg(long, value_name = "URL", requires = "nonce")]
    pub(crate) audience: Option<String>,
    #[arg(long, value_name = "TEXT", requires = "audience")]
    pub(crate) nonce: Option<String>,
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) at: Option<UnixMillis>,
    #[arg(long)]
    pub(crate) json: bool,
}
