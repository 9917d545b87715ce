//! Opening a log in a process of its own: how long it takes, and what memory it needs.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use zhao_ledger::map::load::load;
use zhao_ledger::sequence::Sequencer;
use zhao_ledger::store::Store;
use zhao_ledger::store::rocks::Rocks;

use crate::figure::Figure;
use crate::ledger::{ALONE, Place, config};
use crate::office::START;
use crate::statistics::float;

/// What the process of its own says.
#[derive(Serialize, Deserialize)]
struct Opened {
    seconds: f64,
    bytes: u64,
    /// Resident memory that a second copy of the map added: nothing else was made.
    map_bytes: u64,
    subjects: u64,
}

/// Opens the log and prints what that took.
pub(crate) fn child(folder: &Path) -> Result<()> {
    let place = Place::new(folder);
    let before = resident()?;
    let start = Instant::now();
    let store: Arc<dyn Store> = Arc::new(Rocks::open(&place.database())?);
    let config = config(ALONE, Vec::new())?;
    let (sequencer, _) = Sequencer::open(Arc::clone(&store), place.files()?, config, START)?;
    let seconds = start.elapsed().as_secs_f64();
    let bytes = resident()?.saturating_sub(before);
    let reader = sequencer.reader();
    let epoch = reader.latest()?.epoch().clone();
    let before = resident()?;
    let again = load(&*store, epoch.epoch)?;
    let map_bytes = resident()?.saturating_sub(before);
    ensure!(again.root() == epoch.map_root, "another map is made again");
    let subjects = epoch.subjects;
    drop((again, sequencer));
    let opened = Opened {
        seconds,
        bytes,
        map_bytes,
        subjects,
    };
    println!("{}", serde_json::to_string(&opened)?);
    Ok(())
}

/// Starts that process on a log nobody has open.
pub(crate) fn figures(place: &Place) -> Result<Vec<Figure>> {
    let output = Command::new(std::env::current_exe()?)
        .arg("reopen")
        .arg(place.folder())
        .output()?;
    if !output.status.success() {
        bail!("reopening: {}", String::from_utf8_lossy(&output.stderr));
    }
    let opened: Opened = serde_json::from_slice(&output.stdout)?;
    let subjects = float(usize::try_from(opened.subjects)?);
    Ok(vec![
        Figure::new("restart", "restart", "重启时间", opened.seconds, "s")
            .at_most(60.0)
            .note("the files still in the kernel's memory"),
        Figure::new(
            "memory-map",
            "status map in memory, a subject",
            "内存状态树，每主体",
            float(usize::try_from(opened.map_bytes)?) / subjects,
            "B",
        )
        .at_most(150.0)
        .note("resident memory that a second copy of the map added"),
        Figure::new(
            "memory-subject",
            "memory after a restart, a subject",
            "重启后每主体内存",
            float(usize::try_from(opened.bytes)?) / subjects,
            "B",
        )
        .note("resident memory that opening added, the engine's bounded caches included"),
    ])
}

/// Resident memory of this process, bytes.
pub(crate) fn resident() -> Result<u64> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    let kib: u64 = kib.context("the kernel tells no VmRSS")?.parse()?;
    Ok(kib << 10)
}
