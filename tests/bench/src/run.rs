//! One run: every part in order, each with its time.

use anyhow::{Result, bail};

use crate::Settings;
use crate::figure::Figure;
use crate::ledger::Ledger;
use crate::machine::{Machine, measure};
use crate::progress::Part;
use crate::report::{self, Results, Setting};
use crate::statistics::SLICES;
use crate::workload::BATCH;
use crate::{audit, credential, desk, dossier, load, log, map, others, restart, served};

/// The parts that can be chosen.
const PARTS: [&str; 7] = [
    "machine",
    "ledger",
    "maps",
    "logs",
    "credentials",
    "served",
    "desk",
];

/// Figures and times, as they come in.
#[derive(Default)]
pub(crate) struct Run {
    /// All figures, each with the part it belongs to.
    pub(crate) figures: Vec<Figure>,
    /// Parts with their seconds.
    pub(crate) times: Vec<(String, f64)>,
}

impl Run {
    /// Runs one part and keeps what it says.
    pub(crate) fn part<T>(
        &mut self,
        name: &str,
        work: impl FnOnce(&mut Vec<Figure>) -> Result<T>,
    ) -> Result<T> {
        let part = Part::begin(name);
        let mut figures = Vec::new();
        let result = work(&mut figures)?;
        for mut figure in figures {
            figure.part = name.to_owned();
            // Who waits for the rest sees this much already.
            eprintln!("    {}", report::line(&figure));
            self.figures.push(figure);
        }
        self.times.push(part.end());
        Ok(result)
    }
}

/// The whole program.
pub(crate) fn run(settings: &Settings) -> Result<()> {
    if let Some(name) = settings
        .only
        .iter()
        .find(|name| !PARTS.contains(&name.as_str()))
    {
        bail!("no part is called {name}: there are {}", PARTS.join(", "));
    }
    let folder = settings.folder()?;
    let machine = Machine::here(folder.path());
    let mut run = Run::default();
    // Always: the rest are ratios to it.
    run.part("machine", |figures| {
        figures.extend(measure(folder.path())?);
        Ok(())
    })?;
    if settings.wants("credentials") {
        run.part("credentials", |figures| {
            figures.extend(credential::measure(settings.seed)?);
            figures.extend(others::measure()?);
            Ok(())
        })?;
    }
    if settings.wants("logs") {
        run.part("logs", |figures| {
            figures.extend(log::figures(
                folder.path(),
                usize::try_from(settings.subjects())?,
            )?);
            Ok(())
        })?;
    }
    if settings.wants("maps") {
        run.part("maps", |figures| {
            let (keys, batches) = (settings.subjects(), settings.batches());
            figures.extend(map::figures(folder.path(), keys, batches, settings.seed)?);
            Ok(())
        })?;
    }
    let mut admission = None;
    if settings.wants("ledger") {
        admission = Some(ledger(&mut run, settings, folder.path())?);
    }
    let mut cosigned = None;
    if settings.wants("served") {
        cosigned = run.part("served", |figures| {
            let (batches, seed) = (settings.batches(), settings.seed);
            let (served, cosigned) = served::figures(folder.path(), batches, seed)?;
            figures.extend(served);
            Ok(cosigned)
        })?;
    }
    if settings.wants("desk") {
        run.part("desk", |figures| {
            let (rows, seed) = (settings.subjects(), settings.seed);
            let beside = desk::Beside {
                admission,
                cosigned,
            };
            figures.extend(desk::figures(folder.path(), rows, seed, beside)?);
            Ok(())
        })?;
    }
    let results = Results {
        machine,
        setting: Setting {
            subjects: settings.subjects(),
            seed: settings.seed,
            seconds: run.times.iter().map(|(_, seconds)| seconds).sum(),
        },
        parts: run.times,
        figures: run.figures,
    };
    results.print();
    match &settings.results {
        Some(folder) => results.write(folder),
        None => Ok(()),
    }
}

/// Everything that needs a filled log. Returns the rate of admission.
fn ledger(run: &mut Run, settings: &Settings, folder: &std::path::Path) -> Result<f64> {
    let place = folder.join("ledger");
    // Half of the events measured are new licences.
    let room = (SLICES + SLICES) * settings.batches() * BATCH / 2;
    let mut ledger = run.part("filling", |_| {
        Ledger::filled(&place, settings.subjects(), room, settings.seed)
    })?;
    let admitted = run.part("admission", |figures| {
        let (rate, strict) = ledger.admission(settings.batches())?;
        figures.push(admission_figure(rate, strict));
        Ok(rate)
    })?;
    run.part("answers", |figures| {
        let half = admitted / 2.0;
        figures.extend(load::figures(
            &mut ledger,
            half,
            SLICES * settings.batches(),
        )?);
        Ok(())
    })?;
    run.part("proofs", |figures| {
        figures.extend(ledger.proofs()?);
        figures.extend(ledger.on_disk()?);
        Ok(())
    })?;
    run.part("audit", |figures| {
        figures.extend(audit::figures(&ledger, folder)?);
        Ok(())
    })?;
    run.part("dossiers", |figures| {
        figures.extend(dossier::figures(&mut ledger, settings.printed())?);
        Ok(())
    })?;
    let place = ledger.place.clone();
    drop(ledger);
    run.part("restart", |figures| {
        figures.extend(restart::figures(&place)?);
        Ok(())
    })?;
    // Room for what comes.
    std::fs::remove_dir_all(place.folder())?;
    Ok(admitted)
}

/// The figure the ledger is judged by first.
pub(crate) fn admission_figure(rate: f64, strict: f64) -> Figure {
    Figure::new(
        "admission",
        "events made durable, batches of 1,000",
        "事件落盘受理，每批 1000",
        rate,
        "/s",
    )
    .against("verify_strict on two threads", strict)
    .at_least(0.6)
}
