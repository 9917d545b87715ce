//! Arguments of `zhao keys` and `zhao admin`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use zhao_spec::wire::UnixMillis;

use super::{Secret, up_to};
use crate::values::{parse_millis, parse_time};

#[derive(Args, Debug)]
pub(crate) struct Keys {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[command(subcommand)]
    pub(crate) act: KeysAct,
}

/// What can be done with a directory of keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysAct {
    List(KeysList),
    Show(KeysShow),
    Passphrase(KeysPassphrase),
    Export(KeysExport),
    Import(KeysImport),
    Rotate(KeysRotate),
    Check(KeysCheck),
}

#[derive(Args, Debug)]
pub(crate) struct KeysList {
    #[arg(long, value_name = "DURATION", default_value = "365d", value_parser = parse_millis)]
    pub(crate) old: u64,
    #[arg(long)]
    pub(crate) json: bool,
}

/// How a public key is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Form {
    /// JSON Web Key.
    Jwk,
    /// `z6Mk…`.
    Multibase,
    /// `SubjectPublicKeyInfo`.
    Pem,
    /// As in notes and policies.
    Vkey,
}

#[derive(Args, Debug)]
pub(crate) struct KeysShow {
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    #[arg(long, value_name = "FORM")]
    pub(crate) form: Option<Form>,
    #[arg(long, value_name = "NAME")]
    pub(crate) vkey_name: Option<String>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct KeysPassphrase {
    #[arg(long, value_name = "FILE")]
    pub(crate) new_passphrase_file: Option<PathBuf>,
    #[arg(long, value_name = "N", default_value_t = 18, value_parser = up_to(18, 22))]
    pub(crate) work: u64,
    #[command(flatten)]
    pub(crate) secret: Secret,
}

#[derive(Args, Debug)]
pub(crate) struct KeysExport {
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    #[arg(long, value_name = "FILE")]
    pub(crate) new_passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) secret: Secret,
}

#[derive(Args, Debug)]
pub(crate) struct KeysImport {
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[arg(long, value_name = "PURPOSE")]
    pub(crate) purpose: String,
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    #[arg(long, value_name = "FILE")]
    pub(crate) file_passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) secret: Secret,
}

#[derive(Args, Debug)]
pub(crate) struct KeysRotate {
    #[arg(value_name = "USCC", required_unless_present = "records")]
    pub(crate) uscc: Option<String>,
    #[arg(long, conflicts_with = "records")]
    pub(crate) keep_old: bool,
    #[arg(long, conflicts_with = "uscc")]
    pub(crate) records: bool,
    // clap waives what is required of an argument that conflicts with one that is there.
    #[arg(long, value_name = "N", requires = "records", conflicts_with = "uscc",
        value_parser = up_to(1, 1 << 53))]
    pub(crate) cells: Option<u64>,
    #[command(flatten)]
    pub(crate) secret: Secret,
}

#[derive(Args, Debug)]
pub(crate) struct KeysCheck {
    #[arg(long, value_name = "DURATION", default_value = "365d", value_parser = parse_millis)]
    pub(crate) old: u64,
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) secret: Secret,
}

#[derive(Args, Debug)]
pub(crate) struct Administration {
    #[command(subcommand)]
    pub(crate) act: AdminAct,
}

/// What administrators do.
#[derive(Debug, Subcommand)]
pub(crate) enum AdminAct {
    New(AdminNew),
    List(AdminList),
    Propose(AdminPropose),
    Show(AdminShow),
    Sign(AdminSign),
    Submit(AdminSubmit),
}

#[derive(Args, Debug)]
pub(crate) struct AdminNew {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(long, value_name = "NAME", default_value = "administrator")]
    pub(crate) name: String,
    #[arg(long, value_name = "FILE")]
    pub(crate) new_passphrase_file: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct AdminList {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) secret: Secret,
}

#[derive(Args, Debug)]
pub(crate) struct AdminPropose {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[command(subcommand)]
    pub(crate) measure: Propose,
}

/// What every proposal needs.
#[derive(Args, Debug)]
pub(crate) struct Carry {
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    pub(crate) proposal: PathBuf,
    #[arg(long = "at", value_name = "TIME", value_parser = parse_time)]
    pub(crate) effective: Option<UnixMillis>,
    #[command(flatten)]
    pub(crate) secret: Secret,
}

/// What can be proposed.
#[derive(Debug, Subcommand)]
pub(crate) enum Propose {
    AddUnit(ProposeGrant),
    GrantTypes(ProposeKeyTypes),
    #[command(name = "propose-key")]
    Announce(ProposeGrant),
    ConfirmKey(ProposeKey),
    WithdrawKey(ProposeKey),
    RetireKey(ProposeKey),
    CompromisedKey(ProposeCompromised),
    Suspend(ProposeUnit),
    Resume(ProposeUnit),
    PublishType(ProposeType),
    RetireType(ProposeType),
    Administrators(ProposeAdministrators),
    LogKey(ProposeLogKey),
}

#[derive(Args, Debug)]
pub(crate) struct ProposeGrant {
    #[arg(value_name = "USCC")]
    pub(crate) uscc: String,
    #[arg(long, value_name = "TYPES", value_delimiter = ',')]
    pub(crate) types: Vec<String>,
    #[command(flatten)]
    pub(crate) carry: Carry,
}

#[derive(Args, Debug)]
pub(crate) struct ProposeKeyTypes {
    #[arg(value_name = "USCC")]
    pub(crate) uscc: String,
    #[arg(value_name = "KEY")]
    pub(crate) key: String,
    #[arg(long, value_name = "TYPES", value_delimiter = ',', required = true)]
    pub(crate) types: Vec<String>,
    #[command(flatten)]
    pub(crate) carry: Carry,
}

#[derive(Args, Debug)]
pub(crate) struct ProposeKey {
    #[arg(value_name = "USCC")]
    pub(crate) uscc: String,
    #[arg(value_name = "KEY")]
    pub(crate) key: String,
    #[command(flatten)]
    pub(crate) carry: Carry,
}

#[derive(Args, Debug)]
pub(crate) struct ProposeCompromised {
    #[arg(value_name = "USCC")]
    pub(crate) uscc: String,
    #[arg(value_name = "KEY")]
    pub(crate) key: String,
    #[arg(long, value_name = "INDEX")]
    pub(crate) from: u64,
    #[command(flatten)]
    pub(crate) carry: Carry,
}

#[derive(Args, Debug)]
pub(crate) struct ProposeUnit {
    #[arg(value_name = "USCC")]
    pub(crate) uscc: String,
    #[command(flatten)]
    pub(crate) carry: Carry,
}

#[derive(Args, Debug)]
pub(crate) struct ProposeType {
    #[arg(value_name = "TYPE")]
    pub(crate) licence_type: String,
    #[command(flatten)]
    pub(crate) carry: Carry,
}

#[derive(Args, Debug)]
pub(crate) struct ProposeAdministrators {
    #[arg(long, value_name = "KEY")]
    pub(crate) add: Vec<String>,
    #[arg(long, value_name = "KEY")]
    pub(crate) remove: Vec<String>,
    #[arg(long, value_name = "M", value_parser = up_to(1, 16))]
    pub(crate) threshold: Option<u64>,
    #[command(flatten)]
    pub(crate) carry: Carry,
}

#[derive(Args, Debug)]
pub(crate) struct ProposeLogKey {
    #[arg(long, value_name = "SIZE", value_parser = up_to(0, 1 << 53))]
    pub(crate) from: u64,
    #[command(flatten)]
    pub(crate) carry: Carry,
}

#[derive(Args, Debug)]
pub(crate) struct AdminShow {
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct AdminSign {
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    // One in 64 begins with a hyphen.
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    pub(crate) id: String,
    #[arg(long = "admin-dir", value_name = "DIR")]
    pub(crate) keys: PathBuf,
    #[arg(long, value_name = "NAME")]
    pub(crate) key: Option<String>,
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    pub(crate) admin_passphrase_file: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct AdminSubmit {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(value_name = "FILE", required = true)]
    pub(crate) file: Vec<PathBuf>,
    #[arg(long, value_name = "NAME")]
    pub(crate) unit_name: Option<String>,
    #[arg(long, value_name = "FILE")]
    pub(crate) receipt: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) secret: Secret,
}
