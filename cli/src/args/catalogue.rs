//! Arguments of `zhao catalogue`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Admin, Secret, up_to};

#[derive(Args, Debug)]
pub(crate) struct Catalogue {
    #[command(subcommand)]
    pub(crate) act: CatalogueAct,
}

/// What can be done with licence types.
#[derive(Debug, Subcommand)]
pub(crate) enum CatalogueAct {
    Validate(Validate),
    Compare(Compare),
    Publish(Publish),
    Retire(Retire),
    List(List),
    Show(ShowType),
    Schema(Schema),
    Stock(Stock),
}

#[derive(Args, Debug)]
pub(crate) struct Validate {
    #[arg(value_name = "FILE", required = true)]
    pub(crate) file: Vec<PathBuf>,
    #[arg(long, value_name = "PROFILE")]
    pub(crate) profile: Option<String>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Compare {
    #[arg(value_name = "BEFORE")]
    pub(crate) before: PathBuf,
    #[arg(value_name = "AFTER")]
    pub(crate) after: PathBuf,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Publish {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(value_name = "TYPE")]
    pub(crate) licence_type: String,
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,
    #[arg(long, value_name = "PROFILE")]
    pub(crate) profile: Option<String>,
    #[command(flatten)]
    pub(crate) admin: Admin,
}

#[derive(Args, Debug)]
pub(crate) struct Retire {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(value_name = "TYPE")]
    pub(crate) licence_type: String,
    #[command(flatten)]
    pub(crate) admin: Admin,
}

#[derive(Args, Debug)]
pub(crate) struct List {
    #[arg(value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    #[arg(long)]
    pub(crate) public: bool,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ShowType {
    #[arg(value_name = "TYPE")]
    pub(crate) licence_type: String,
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    pub(crate) html: Option<PathBuf>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Schema {
    #[arg(value_name = "TYPE")]
    pub(crate) licence_type: String,
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    #[arg(long, value_name = "N", requires = "dir", value_parser = up_to(1, 1 << 53))]
    pub(crate) catalogue_version: Option<u64>,
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub(crate) output: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Stock {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(long, value_name = "BATCH")]
    pub(crate) from: Option<PathBuf>,
    #[arg(long = "type", value_name = "TYPE", requires = "from")]
    pub(crate) licence_type: Option<String>,
    #[arg(long, value_name = "FILE", requires = "from")]
    pub(crate) report: Option<PathBuf>,
    #[arg(long, value_name = "TYPE=N", value_parser = parse_target)]
    pub(crate) target: Vec<(String, u64)>,
    #[arg(long, value_name = "USCC", requires = "from")]
    pub(crate) unit: Option<String>,
    #[command(flatten)]
    pub(crate) secret: Secret,
    #[arg(long)]
    pub(crate) json: bool,
}

/// `food-operation=1200`.
fn parse_target(text: &str) -> Result<(String, u64), String> {
    let wrong = || "expected TYPE=N, as in food-operation=1200".to_owned();
    let (slug, count) = text.split_once('=').ok_or_else(wrong)?;
    let count = count.parse().map_err(|_| wrong())?;
    Ok((slug.to_owned(), count))
}
