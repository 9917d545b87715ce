//! What a run leaves: a table in the terminal, and results as JSON, Markdown and SVG.

mod markdown;
mod plot;
mod terminal;

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::figure::{Bound, Figure};
use crate::machine::Machine;

/// How a run was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Setting {
    /// Subjects in the map.
    pub(crate) subjects: u64,
    /// Seed of the workload.
    pub(crate) seed: u64,
    /// Time of all parts, seconds.
    pub(crate) seconds: f64,
}

/// Everything a run found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Results {
    /// On what.
    pub(crate) machine: Machine,
    /// How.
    pub(crate) setting: Setting,
    /// Parts with their seconds.
    pub(crate) parts: Vec<(String, f64)>,
    /// The figures.
    pub(crate) figures: Vec<Figure>,
}

impl Results {
    /// Prints the table.
    pub(crate) fn print(&self) {
        println!("{}", terminal::table(self));
    }

    /// Writes `results.json`, `results.md` and `results.svg`.
    ///
    /// # Errors
    /// The disk.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        self.write_as(folder, "results")
    }

    /// Writes the three files under another name.
    ///
    /// # Errors
    /// The disk.
    pub(crate) fn write_as(&self, folder: &Path, name: &str) -> Result<()> {
        let json = serde_json::to_string_pretty(self)? + "\n";
        let files = [
            ("json", json),
            ("md", markdown::page(self, name)),
            ("svg", plot::plot(self)),
        ];
        std::fs::create_dir_all(folder)?;
        for (kind, text) in files {
            let path = folder.join(format!("{name}.{kind}"));
            std::fs::write(&path, text).with_context(|| path.display().to_string())?;
            println!("{}", path.display());
        }
        Ok(())
    }

    /// One line about the machine.
    fn about(&self) -> String {
        let Machine {
            processor,
            cores,
            memory_gib,
            kernel,
            disk,
            compiler,
        } = &self.machine;
        format!("{processor}, {cores} cores, {memory_gib} GiB, {kernel}, disk {disk}, {compiler}")
    }

    /// One line about the run.
    fn settings(&self) -> String {
        let Setting {
            subjects,
            seed,
            seconds,
        } = self.setting;
        format!(
            "{} subjects, seed {seed}, {:.1} minutes",
            number(u32::try_from(subjects).map_or(f64::INFINITY, f64::from)),
            seconds / 60.0
        )
    }
}

/// A number as people read it: three digits that count, thousands apart.
fn number(value: f64) -> String {
    if value.abs() < 100.0 {
        let digits = if value.abs() < 1.0 { 3 } else { 2 };
        let text = format!("{value:.digits$}");
        return match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
            false => text,
        };
    }
    let whole = format!("{value:.0}");
    let mut out = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) && !out.ends_with('-') {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A figure in one line.
pub(crate) fn line(figure: &Figure) -> String {
    let cells = cells(figure).into_iter().filter(|cell| !cell.is_empty());
    format!(
        "{}: {}",
        figure.english,
        cells.collect::<Vec<_>>().join(", ")
    )
}

/// The cells of a figure: value, ratio, target, verdict.
fn cells(figure: &Figure) -> [String; 4] {
    let value = match figure.value {
        Some(value) => format!("{} {}", number(value), figure.unit),
        None => "–".to_owned(),
    };
    let ratio = match (figure.ratio(), &figure.against) {
        (Some(ratio), Some(against)) => format!("{ratio:.2} × {}", against.what),
        _ => String::new(),
    };
    let target = figure.target.map_or_else(String::new, |target| {
        let sign = match target.bound {
            Bound::AtLeast => "≥",
            Bound::AtMost => "≤",
        };
        let unit = match (&figure.against, figure.unit.as_str()) {
            (Some(_), _) => "",
            (None, unit) => unit,
        };
        format!("{sign} {} {unit}", number(target.limit))
            .trim()
            .to_owned()
    });
    let verdict = match figure.is_met() {
        Some(true) => "met",
        Some(false) => "missed",
        None => "",
    };
    [value, ratio, target, verdict.to_owned()]
}

#[cfg(test)]
pub(super) fn example() -> Results {
    let figures = vec![
        Figure::new("a", "admission & <log>", "受理", 20_100.4, "/s")
            .against("strict", 33_000.0)
            .at_least(0.6),
        Figure::new("b", "map updates", "状态树更新", 50.0, "/s")
            .against("peers", 25.0)
            .at_least(3.0),
        Figure::new("c", "proof", "证明", 10.0, "B").at_most(760.0),
        Figure::not_run("d", "nomt", "nomt", "no io_uring"),
    ];
    Results {
        machine: Machine::here(Path::new(".")),
        setting: Setting {
            subjects: 1_000_000,
            seed: 1,
            seconds: 90.0,
        },
        parts: vec![("machine".to_owned(), 3.25)],
        figures,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.0361, "0.036"),
            (0.5, "0.5"),
            (12.0, "12"),
            (12.345, "12.35"),
            (760.0, "760"),
            (1_234.5, "1,234"),
            (1_000_000.0, "1,000,000"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn results_survive_their_json() {
        let results = example();
        let text = serde_json::to_string(&results).expect("it is plain data");
        let again: Results = serde_json::from_str(&text).expect("it was just written");
        assert_eq!(again.figures, results.figures);
        assert_eq!(again.machine, results.machine);
    }

    #[test]
    fn cells_say_whether_a_target_is_met() {
        let results = example();
        let shown: Vec<_> = results.figures.iter().map(cells).collect();
        assert_eq!(shown[0], ["20,100 /s", "0.61 × strict", "≥ 0.6", "met"]);
        assert_eq!(shown[1], ["50 /s", "2.00 × peers", "≥ 3", "missed"]);
        assert_eq!(shown[2], ["10 B", "", "≤ 760 B", "met"]);
        assert_eq!(shown[3], ["–", "", "", ""]);
    }

    #[test]
    fn three_files_are_written() {
        let folder = tempfile::tempdir().expect("a folder");
        example()
            .write(&folder.path().join("new"))
            .expect("they are written");
        for kind in ["json", "md", "svg"] {
            let path = folder.path().join(format!("new/results.{kind}"));
            assert!(std::fs::metadata(path).expect("it is there").len() > 200);
        }
    }
}
