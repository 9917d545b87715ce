//! The table in the terminal: colour where somebody looks, plain text elsewhere.

use std::io::IsTerminal as _;

use comfy_table::{Cell, CellAlignment, Color, ContentArrangement, Table, presets};

use super::{Results, cells};

/// The whole table, with machine, run and times of the parts.
pub(crate) fn table(results: &Results) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    let person = std::io::stdout().is_terminal();
    if person {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    } else {
        table.force_no_tty();
    }
    table.set_header(["figure", "value", "ratio", "target", ""]);
    let mut part = "";
    for figure in &results.figures {
        if part != figure.part {
            part = &figure.part;
            table.add_row([Cell::new(format!("— {part} —"))]);
        }
        let [value, ratio, target, verdict] = cells(figure);
        let colour = match figure.is_met() {
            Some(true) => Some(Color::Green),
            Some(false) => Some(Color::Red),
            None => None,
        };
        let paint = |cell: Cell| match colour {
            Some(colour) if person => cell.fg(colour),
            _ => cell,
        };
        let note = figure.note.as_ref().filter(|_| figure.value.is_none());
        let name = match note {
            Some(note) => format!("{}\n  {note}", figure.english),
            None => figure.english.clone(),
        };
        table.add_row([
            Cell::new(name),
            Cell::new(value).set_alignment(CellAlignment::Right),
            Cell::new(ratio),
            Cell::new(target),
            paint(Cell::new(verdict)),
        ]);
    }
    let parts: Vec<String> = results
        .parts
        .iter()
        .map(|(name, seconds)| format!("{name} {seconds:.0} s"))
        .collect();
    format!(
        "{table}\n{}\n{}\n{}",
        results.about(),
        results.settings(),
        parts.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;

    #[test]
    fn every_figure_has_its_row() {
        let text = table(&example());
        for said in [
            "20,100 /s",
            "≥ 0.6",
            "met",
            "missed",
            "not run here: no io_uring",
            "machine 3 s",
        ] {
            assert!(text.contains(said), "{said} is not in\n{text}");
        }
        assert!(!text.contains('\u{1b}'), "no colour without a terminal");
    }
}
