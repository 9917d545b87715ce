//! The command line, as types. Help texts are in the message catalogue (`help.*`), not here:
//! [`localise`] puts them in.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use zhao_spec::life::verb::Verb;
use zhao_spec::wire::UnixMillis;

use crate::messages::Language;
use crate::values::{parse_millis, parse_time};

mod auditor;
mod catalogue;
mod foreign;
mod hand_in;
mod keys;
mod localise;
mod manual;
mod migrate;
mod mirror;
mod monitor;
mod publish;
mod records;
mod refresh;
mod serve;
mod top;
mod verbs;
mod witness;

pub(crate) use auditor::{AuditorAct, AuditorCommand, AuditorInit, AuditorServe};
pub(crate) use catalogue::{
    Catalogue, CatalogueAct, Compare, List, Publish, Retire, Schema, ShowType, Stock, Validate,
};
pub(crate) use foreign::{Examine, HolderAct, HolderCommand, HolderInit, Present, Secure};
pub(crate) use hand_in::HandIn;
pub(crate) use keys::*;
pub(crate) use localise::{Parsed, command, language_flag, parse};
pub(crate) use manual::{Completions, Manual, Shell};
pub(crate) use migrate::Migrate;
pub(crate) use mirror::Mirror;
pub(crate) use monitor::{Log, Monitor};
pub(crate) use publish::PublishLog;
pub(crate) use records::{Acts, Find, ListLicences, Page, ShowLicence, Which};
pub(crate) use refresh::Refresh;
pub(crate) use serve::{
    ANSWER_MOST, ApiKey, ApiKeyAct, ApiKeyAdd, ApiKeyList, EDITION_MOST, HEARTBEAT_MOST, Serve,
};
pub(crate) use top::Top;
pub(crate) use verbs::STATUS_VERBS;
use verbs::verb_parser;
pub(crate) use witness::{WitnessAct, WitnessCommand, WitnessInit, WitnessServe, WitnessWatch};

/// `zhao`.
#[derive(Debug, Parser)]
#[command(name = "zhao", version, disable_help_subcommand = true)]
pub(crate) struct Line {
    #[arg(long, global = true, value_name = "LANGUAGE")]
    pub(crate) lang: Option<Language>,
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) operator: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Every command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(Init),
    Sample(Sample),
    Issue(Issue),
    Status(Status),
    Amend(Version),
    Renew(Version),
    Reissue(Version),
    Find(Find),
    List(ListLicences),
    Licence(ShowLicence),
    Acts(Acts),
    Unit(Unit),
    Catalogue(Catalogue),
    Keys(Keys),
    Admin(Administration),
    Dossier(Dossier),
    Verify(Verify),
    Refresh(Refresh),
    Secure(Secure),
    Holder(HolderCommand),
    Present(Present),
    Examine(Examine),
    Show(Show),
    History(History),
    Query(Query),
    Audit(Audit),
    Fsck(Fsck),
    Backup(Backup),
    Restore(Restore),
    Migrate(Migrate),
    Outbox(Outbox),
    Cosign(Cosign),
    Publish(PublishLog),
    Serve(Serve),
    Top(Top),
    ApiKey(ApiKey),
    Log(Log),
    Monitor(Monitor),
    Mirror(Mirror),
    Auditor(AuditorCommand),
    HandIn(HandIn),
    Witness(WitnessCommand),
    Bench(Bench),
    Demo(Demo),
    Completions(Completions),
    Man(Manual),
}

/// Where the passphrase of the key files comes from.
#[derive(Args, Clone, Debug)]
pub(crate) struct Secret {
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Init {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(long, value_name = "NAME")]
    pub(crate) origin: Option<String>,
    #[arg(long, value_name = "CODE", default_value = "320400")]
    pub(crate) region: String,
    #[arg(long, value_name = "DIR")]
    pub(crate) admin_dir: Option<PathBuf>,
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = up_to(1, 16))]
    pub(crate) administrators: u64,
    #[arg(long, value_name = "M", default_value_t = 2, value_parser = up_to(1, 16))]
    pub(crate) threshold: u64,
    #[arg(long, value_name = "NAME", requires = "unit_uscc")]
    pub(crate) unit_name: Option<String>,
    #[arg(long, value_name = "USCC", requires = "unit_name")]
    pub(crate) unit_uscc: Option<String>,
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = parse_millis)]
    pub(crate) key_delay: u64,
    #[command(flatten)]
    pub(crate) secret: Secret,
    #[arg(long, value_name = "FILE")]
    pub(crate) admin_passphrase_file: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Sample {
    #[arg(long, value_name = "N", value_parser = up_to(1, 1_000_000))]
    pub(crate) count: u64,
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) licence_type: Option<String>,
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Issue {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) licence_type: Option<String>,
    #[arg(long, value_name = "FILE")]
    pub(crate) from: PathBuf,
    #[arg(short, long, value_name = "OUTDIR")]
    pub(crate) output: PathBuf,
    #[arg(long, value_name = "USCC")]
    pub(crate) unit: Option<String>,
    #[arg(long)]
    pub(crate) lines: bool,
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[arg(long, value_name = "FILE")]
    pub(crate) register: Option<PathBuf>,
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) again: bool,
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) secret: Secret,
}

#[derive(Args, Debug)]
pub(crate) struct Status {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(value_name = "CREDENTIAL")]
    pub(crate) credential: PathBuf,
    #[arg(value_name = "VERB", value_parser = verb_parser())]
    pub(crate) verb: Verb,
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    #[arg(long, value_name = "CODE")]
    pub(crate) code: Option<String>,
    #[arg(long, value_name = "DOCUMENT")]
    pub(crate) basis: Option<String>,
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) at: Option<UnixMillis>,
    #[arg(long, value_name = "INDEX")]
    pub(crate) of: Option<u64>,
    #[arg(long, value_name = "RESULT", value_parser = ["passed", "failed", "upheld", "rejected"])]
    pub(crate) result: Option<String>,
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) due: Option<UnixMillis>,
    #[arg(long, value_name = "UNIT")]
    pub(crate) to: Option<String>,
    #[arg(long, value_name = "FILE")]
    pub(crate) receipt: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    pub(crate) cose_receipt: Option<PathBuf>,
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) secret: Secret,
}

#[derive(Args, Debug)]
pub(crate) struct Version {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(value_name = "CREDENTIAL")]
    pub(crate) credential: PathBuf,
    #[arg(long, value_name = "FILE")]
    pub(crate) from: PathBuf,
    #[arg(short, long, value_name = "OUTDIR")]
    pub(crate) output: PathBuf,
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) secret: Secret,
}

#[derive(Args, Debug)]
pub(crate) struct Unit {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[command(subcommand)]
    pub(crate) act: UnitAct,
}

/// What can be done with a unit.
#[derive(Debug, Subcommand)]
pub(crate) enum UnitAct {
    List(UnitList),
    Add(UnitAdd),
    GrantTypes(UnitGrant),
    RotateKey(UnitRotate),
    RetireKey(UnitKey),
    Suspend(UnitPlain),
    Resume(UnitPlain),
    Compromised(UnitCompromised),
}

#[derive(Args, Debug)]
pub(crate) struct UnitList {
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) secret: Secret,
}

#[derive(Args, Debug)]
pub(crate) struct UnitAdd {
    #[arg(value_name = "USCC")]
    pub(crate) uscc: String,
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    #[arg(long, value_name = "CODE")]
    pub(crate) region: Option<String>,
    #[arg(long = "types", value_name = "TYPES", value_delimiter = ',')]
    pub(crate) types: Vec<String>,
    #[command(flatten)]
    pub(crate) admin: Admin,
}

/// What the administrators' acts need.
#[derive(Args, Clone, Debug)]
pub(crate) struct Admin {
    #[arg(long, value_name = "DIR")]
    pub(crate) admin_dir: Vec<PathBuf>,
    #[arg(long, value_name = "FILE")]
    pub(crate) admin_passphrase_file: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) secret: Secret,
}

#[derive(Args, Debug)]
pub(crate) struct UnitGrant {
    #[arg(value_name = "USCC")]
    pub(crate) uscc: String,
    #[arg(
        long = "types",
        value_name = "TYPES",
        value_delimiter = ',',
        required = true
    )]
    pub(crate) types: Vec<String>,
    #[command(flatten)]
    pub(crate) admin: Admin,
}

#[derive(Args, Debug)]
pub(crate) struct UnitRotate {
    #[arg(value_name = "USCC")]
    pub(crate) uscc: String,
    #[arg(long)]
    pub(crate) keep_old: bool,
    #[command(flatten)]
    pub(crate) secret: Secret,
}

#[derive(Args, Debug)]
pub(crate) struct UnitKey {
    #[arg(value_name = "USCC")]
    pub(crate) uscc: String,
    #[arg(long, value_name = "KEY")]
    pub(crate) key: String,
    #[command(flatten)]
    pub(crate) admin: Admin,
}

#[derive(Args, Debug)]
pub(crate) struct UnitPlain {
    #[arg(value_name = "USCC")]
    pub(crate) uscc: String,
    #[command(flatten)]
    pub(crate) admin: Admin,
}

#[derive(Args, Debug)]
pub(crate) struct UnitCompromised {
    #[arg(value_name = "USCC")]
    pub(crate) uscc: String,
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    #[arg(long, value_name = "INDEX")]
    pub(crate) from: u64,
    #[command(flatten)]
    pub(crate) admin: Admin,
}

#[derive(Args, Debug)]
pub(crate) struct Dossier {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(value_name = "CREDENTIAL")]
    pub(crate) credential: PathBuf,
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    #[arg(long)]
    pub(crate) without_authorities: bool,
    #[arg(long, value_name = "FORMAT", default_value = "json")]
    pub(crate) format: Format,
    #[arg(long, value_name = "NAME")]
    pub(crate) cosignature: Vec<String>,
}

/// How a dossier is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For files.
    Json,
    /// The QR form.
    Cbor,
    /// Printed codes, as drawings.
    QrSvg,
    /// Printed codes, as pictures.
    QrPng,
}

#[derive(Args, Debug)]
pub(crate) struct Verify {
    #[arg(value_name = "FILE", required = true)]
    pub(crate) file: Vec<PathBuf>,
    #[arg(long, value_name = "POLICY")]
    pub(crate) policy: PathBuf,
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    pub(crate) pack: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    pub(crate) entry: Option<PathBuf>,
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) at: Option<UnixMillis>,
    #[arg(long, value_name = "DURATION", value_parser = parse_millis)]
    pub(crate) max_age: Option<u64>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Show {
    #[arg(value_name = "FILE", required = true)]
    pub(crate) file: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct History {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(value_name = "CREDENTIAL")]
    pub(crate) credential: PathBuf,
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Query {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(long, value_name = "CODE")]
    pub(crate) uscc: String,
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    #[arg(long)]
    pub(crate) without_credentials: bool,
    #[command(flatten)]
    pub(crate) secret: Secret,
}

#[derive(Args, Debug)]
pub(crate) struct Audit {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(long, value_name = "POLICY")]
    pub(crate) policy: PathBuf,
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) seen: Vec<PathBuf>,
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) status_list: Vec<PathBuf>,
    #[arg(short, long, value_name = "EVIDENCE", default_value = "evidence.json")]
    pub(crate) output: PathBuf,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Fsck {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(long)]
    pub(crate) ledger_only: bool,
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) secret: Secret,
}

#[derive(Args, Debug)]
pub(crate) struct Backup {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(value_name = "OUT")]
    pub(crate) output: PathBuf,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Outbox {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(short, long, value_name = "OUTDIR")]
    pub(crate) output: Option<PathBuf>,
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) secret: Secret,
}

#[derive(Args, Debug)]
pub(crate) struct Restore {
    #[arg(value_name = "OUT")]
    pub(crate) backup: PathBuf,
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(long, value_name = "HASH", allow_hyphen_values = true)]
    pub(crate) manifest: Option<String>,
    #[arg(long, value_name = "FILE")]
    pub(crate) head: Option<PathBuf>,
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) secret: Secret,
}

#[derive(Args, Debug)]
pub(crate) struct Cosign {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) secret: Secret,
}

#[derive(Args, Debug)]
pub(crate) struct Bench {
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) dir: PathBuf,
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = up_to(100, 200_000))]
    pub(crate) count: u64,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Demo {
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = up_to(80, 100_000))]
    pub(crate) count: u64,
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
}

/// A number from `least` to `most`.
fn up_to(least: u64, most: u64) -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(least..=most)
}

#[cfg(test)]
mod tests;
