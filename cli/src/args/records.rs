//! Arguments of the commands over the office's records.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::{Secret, up_to};

/// Rows of one page at most.
const PAGE: u64 = 1_000;

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("by").required(true).multiple(false)
    .args(["uscc", "name", "number", "identifier", "reference"]))]
pub(crate) struct Find {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(long, value_name = "CODE")]
    pub(crate) uscc: Option<String>,
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    #[arg(long, value_name = "N")]
    pub(crate) number: Option<String>,
    #[arg(long, value_name = "I")]
    pub(crate) identifier: Option<String>,
    #[arg(long, value_name = "R")]
    pub(crate) reference: Option<String>,
    // clap waives what is required of an argument that conflicts with one that is there.
    #[arg(long, value_name = "USCC", requires = "reference",
        conflicts_with_all = ["uscc", "name", "number", "identifier"])]
    pub(crate) unit: Option<String>,
    #[command(flatten)]
    pub(crate) page: Page,
}

#[derive(Args, Debug)]
pub(crate) struct ListLicences {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(long, value_name = "STATE", value_parser = ["issuing", "issued", "refused"])]
    pub(crate) state: Option<String>,
    #[command(flatten)]
    pub(crate) page: Page,
}

/// A part of a list.
#[derive(Args, Clone, Debug)]
pub(crate) struct Page {
    #[arg(long, value_name = "ROW", default_value_t = 0, value_parser = up_to(0, 1 << 53))]
    pub(crate) after: u64,
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = up_to(1, PAGE))]
    pub(crate) limit: u64,
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) secret: Secret,
}

/// One licence of the records.
#[derive(Args, Clone, Debug)]
#[command(group = ArgGroup::new("which").required(true).multiple(false).args(["id", "row"]))]
pub(crate) struct Which {
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[arg(value_name = "ID")]
    pub(crate) id: Option<String>,
    #[arg(long, value_name = "ROW", value_parser = up_to(1, 1 << 53))]
    pub(crate) row: Option<u64>,
}

#[derive(Args, Debug)]
pub(crate) struct ShowLicence {
    #[command(flatten)]
    pub(crate) which: Which,
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) secret: Secret,
}

#[derive(Args, Debug)]
pub(crate) struct Acts {
    #[command(flatten)]
    pub(crate) which: Which,
    #[arg(short, long, value_name = "OUTDIR")]
    pub(crate) output: Option<PathBuf>,
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) secret: Secret,
}
