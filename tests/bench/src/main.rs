//! `make bench`: what Zhao costs, beside what this machine can do and what others do on it.
//!
//! One run measures the machine's raw limits, the ledger at a stated number of subjects, and the
//! peers, and prints one table of ratios; absolute figures of different runs are not comparable.
//! In scope: measuring and reporting. Out of scope: whether anything is right, which `make test`
//! says. What each figure means: `tests/bench/README.md`.
#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock; nothing it measures does"
)]

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, Parser, Subcommand};

mod audit;
mod credential;
mod desk;
mod dossier;
#[path = "../../../cli/src/command/codes/drawing.rs"]
#[expect(
    dead_code,
    reason = "shared with the command line, which makes drawings too"
)]
mod drawing;
mod figure;
mod growth;
mod ledger;
mod load;
mod log;
mod machine;
mod map;
#[path = "../../src/office.rs"]
#[expect(unreachable_pub, reason = "shared with a library, where it is public")]
mod office;
mod others;
mod peers;
mod printed;
mod progress;
mod qr;
mod report;
mod restart;
mod run;
mod served;
mod statistics;
mod workload;

/// What the program is asked for.
#[derive(Debug, Parser)]
#[command(name = "zhao-bench", about = "Zhao beside this machine and its peers")]
struct Line {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The same figures of the ledger at several sizes
    Growth(growth::Growth),
    /// Opens a log of an earlier part and prints what that took (used by the program itself)
    #[command(hide = true)]
    Reopen { folder: PathBuf },
}

/// How the run is made.
#[derive(Args, Clone, Debug)]
struct Settings {
    /// Subjects in the map before anything is measured
    #[arg(long, global = true, default_value_t = 1_000_000, value_parser = subjects())]
    subjects: u64,
    /// 50,000 subjects and short parts: to try, not to publish
    #[arg(long, global = true)]
    quick: bool,
    /// The same seed makes the same workload
    #[arg(long, global = true, default_value_t = 1)]
    seed: u64,
    /// Folder for the databases, on the disk to be measured
    #[arg(long, global = true, default_value = "../../target/bench-data")]
    data: PathBuf,
    /// Folder for results.json, results.md and results.svg
    #[arg(long, global = true)]
    results: Option<PathBuf>,
    /// Parts to run, of: machine ledger maps logs credentials desk
    #[arg(long, global = true, value_delimiter = ',')]
    only: Vec<String>,
}

/// Fewer subjects than real credentials make no sense, more than this fit no machine of ours.
fn subjects() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(2_000..=100_000_000)
}

/// The product's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<()> {
    let Line { command, settings } = Line::parse();
    match command {
        Some(Command::Reopen { folder }) => restart::child(&folder),
        Some(Command::Growth(growth)) => growth.run(&settings),
        None => run::run(&settings),
    }
}

impl Settings {
    /// Subjects, with the short form taken into account.
    fn subjects(&self) -> u64 {
        if self.quick {
            self.subjects.min(50_000)
        } else {
            self.subjects
        }
    }

    /// Batches in each of the five slices of a measurement of the ledger.
    fn batches(&self) -> usize {
        if self.quick { 4 } else { 20 }
    }

    /// Dossiers that are printed and read back: all, or few.
    fn printed(&self) -> usize {
        if self.quick { 100 } else { 1_000 }
    }

    /// A fresh folder for databases, removed at the end of the run.
    fn folder(&self) -> Result<tempfile::TempDir> {
        std::fs::create_dir_all(&self.data)
            .with_context(|| format!("{} cannot be made", self.data.display()))?;
        tempfile::tempdir_in(&self.data).context("no folder for databases can be made")
    }

    /// Whether a part is wanted.
    fn wants(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == part)
    }
}
