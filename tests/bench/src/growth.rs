//! `make bench-growth`: the same figures of one log as it grows, and how they change.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::Settings;
use crate::figure::Figure;
use crate::ledger::{ALONE, Ledger, at_work, config};
use crate::machine::Machine;
use crate::office::START;
use crate::report::{Results, Setting};
use crate::restart;
use crate::run::{Run, admission_figure};
use crate::statistics::SLICES;
use crate::workload::BATCH;
use zhao_ledger::sequence::Sequencer;
use zhao_ledger::store::Store;
use zhao_ledger::store::rocks::Rocks;

/// Disk that a subject may need while the engine compacts, bytes.
const SUBJECT_BYTES: u64 = 6_000;
const MILLION: u64 = 1_000_000;
/// A file system that is full at the end ruins the run and more.
const SPARE_BYTES: u64 = 2 << 30;

/// Which sizes.
#[derive(Args, Clone, Debug)]
pub(crate) struct Growth {
    /// Subjects at which is measured, in thousands, ascending
    #[arg(long, value_delimiter = ',', default_value = "1000,2000,5000,10000")]
    sizes: Vec<u64>,
}

impl Growth {
    /// Grows a log and measures at each size.
    pub(crate) fn run(&self, settings: &Settings) -> Result<()> {
        let sizes: Vec<u64> = self
            .sizes
            .iter()
            .map(|size| size * MILLION / 1_000)
            .collect();
        ensure!(
            sizes.is_sorted_by(|a, b| a < b) && sizes.first().is_some_and(|size| *size >= 2_000),
            "sizes must ascend from 2 thousand"
        );
        let largest = sizes.last().copied().context("no size is given")?;
        let folder = settings.folder()?;
        check_disk(folder.path(), largest)?;
        let machine = Machine::here(folder.path());
        let mut run = Run::default();
        let measured = sizes.len() * SLICES * settings.batches() * BATCH;
        let room = usize::try_from(largest)? + measured;
        let place = folder.path().join("ledger");
        let mut ledger = None;
        for size in sizes {
            let name = shown(size);
            let mut grown = run.part(&format!("{name}: filling"), |_| match ledger.take() {
                None => Ledger::filled(&place, size, room, settings.seed),
                Some(ledger) => grow(ledger, size),
            })?;
            run.part(&format!("{name}: measuring"), |figures| {
                let (rate, strict) = grown.admission(settings.batches())?;
                figures.push(admission_figure(rate, strict));
                figures.extend(grown.proofs()?);
                figures.extend(grown.on_disk()?);
                Ok(())
            })?;
            ledger = Some(run.part(&format!("{name}: restart"), |figures| {
                reopen(grown, figures)
            })?);
            rename(&mut run.figures, &name);
        }
        compare(&mut run.figures);
        let results = Results {
            machine,
            setting: Setting {
                subjects: largest,
                seed: settings.seed,
                seconds: run.times.iter().map(|(_, seconds)| seconds).sum(),
            },
            parts: run.times,
            figures: run.figures,
        };
        results.print();
        match &settings.results {
            Some(folder) => results.write_as(folder, "growth"),
            None => Ok(()),
        }
    }
}

fn grow(mut ledger: Ledger, subjects: u64) -> Result<Ledger> {
    // Holders come with every third licence, so a quarter of what is new are holders.
    let missing = subjects.saturating_sub(ledger.subjects()?);
    let licences = ledger.workload.licences() + usize::try_from(missing * 3 / 4)?;
    ledger.fill(licences)?;
    Ok(ledger)
}

/// Closes the log, has another process open it, and opens it again.
fn reopen(ledger: Ledger, figures: &mut Vec<Figure>) -> Result<Ledger> {
    let Ledger {
        place,
        store,
        pipeline,
        workload,
        events,
    } = ledger;
    pipeline.stop();
    drop(store);
    figures.extend(restart::figures(&place)?);
    let store: Arc<dyn Store> = Arc::new(Rocks::open(&place.database())?);
    let config = config(ALONE, Vec::new())?;
    let (sequencer, _) = Sequencer::open(Arc::clone(&store), place.files()?, config, START)?;
    Ok(Ledger {
        place,
        store,
        pipeline: at_work(sequencer, START)?,
        workload,
        events,
    })
}

fn shown(size: u64) -> String {
    if size.is_multiple_of(MILLION) {
        format!("{} M", size / MILLION)
    } else {
        format!("{} k", size / 1_000)
    }
}

/// Puts the size into the names of figures that have none yet.
fn rename(figures: &mut [Figure], size: &str) {
    for figure in figures.iter_mut().filter(|figure| !figure.id.contains('@')) {
        figure.id = format!("{}@{size}", figure.id);
        figure.english = format!("{size}: {}", figure.english);
        figure.chinese = format!("{size}：{}", figure.chinese);
    }
}

/// Times at the largest size beside those at the smallest.
fn compare(figures: &mut Vec<Figure>) {
    let of = |name: &str| -> Vec<f64> {
        let prefix = format!("{name}@");
        let found = figures
            .iter()
            .filter(|figure| figure.id.starts_with(&prefix));
        found.filter_map(|figure| figure.value).collect()
    };
    let mut added = Vec::new();
    for (name, english, chinese) in [
        (
            "admission",
            "admission time, largest : smallest",
            "受理时间，最大比最小",
        ),
        (
            "proofs",
            "proof time, largest : smallest",
            "证明时间，最大比最小",
        ),
    ] {
        if let [first, .., last] = of(name).as_slice() {
            // Rates, so the time ratio is the other way round.
            let figure = Figure::new(
                &format!("growth-{name}"),
                english,
                chinese,
                first / last,
                "×",
            );
            added.push(figure.at_most(1.3));
        }
    }
    for mut figure in added {
        figure.part = "growth".to_owned();
        figures.push(figure);
    }
}

/// Refuses to begin what the disk cannot hold.
fn check_disk(folder: &Path, subjects: u64) -> Result<()> {
    let disk = rustix::fs::statvfs(folder)?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let need = subjects
        .saturating_mul(SUBJECT_BYTES)
        .saturating_add(SPARE_BYTES);
    ensure!(
        free >= need,
        "{} has {} GiB free, {subjects} subjects may need {} GiB: choose another --data or \
         fewer --sizes",
        folder.display(),
        free >> 30,
        need >> 30
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_refused_before_anything_is_written() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(check_disk(folder.path(), 0).is_ok() || check_disk(folder.path(), 1).is_err());
        let error = check_disk(folder.path(), u64::MAX).expect_err("no disk is that large");
        assert!(error.to_string().contains("fewer --sizes"), "{error}");
    }

    #[test]
    fn times_are_compared_from_smallest_to_largest() {
        let figure = |size: &str, rate| {
            let mut figures = vec![Figure::new("proofs", "proofs", "证明", rate, "/s")];
            rename(&mut figures, size);
            figures.remove(0)
        };
        let mut figures = vec![figure("1 M", 120.0), figure("10 M", 100.0)];
        compare(&mut figures);
        let growth = figures.last().expect("one was added");
        assert_eq!(growth.value, Some(1.2));
        assert_eq!(growth.is_met(), Some(true));
        assert_eq!(figures[0].id, "proofs@1 M");
    }
}
