//! The page a reader of the repository sees.

use std::fmt::Write as _;

use super::{Results, cells};

/// The results as a page; `name` is that of the plot beside it.
pub(crate) fn page(results: &Results, name: &str) -> String {
    let mut out = String::new();
    let mut line = |text: &str| {
        out.push_str(text);
        out.push('\n');
    };
    line("# Measured figures 实测结果");
    line("");
    line("Made by `make bench`. Ratios are of one run; do not compare absolute figures of two.");
    line("");
    line(&format!("- Machine: {}", results.about()));
    line(&format!("- Run: {}", results.settings()));
    line("");
    line(&format!("![figures beside their targets]({name}.svg)"));
    let mut part = "";
    for figure in &results.figures {
        if part != figure.part {
            part = &figure.part;
            line("");
            line(&format!("## {part}"));
            line("");
            line("| figure | 指标 | value | ratio | target | |");
            line("|---|---|--:|---|---|---|");
        }
        let [value, ratio, target, verdict] = cells(figure);
        let mut english = figure.english.replace('|', "/");
        if let Some(note) = &figure.note {
            let _ = write!(english, " ({})", note.replace('|', "/"));
        }
        let chinese = &figure.chinese;
        line(&format!(
            "| {english} | {chinese} | {value} | {ratio} | {target} | {verdict} |"
        ));
    }
    line("");
    line("## Time of each part");
    line("");
    line("| part | seconds |");
    line("|---|--:|");
    for (name, seconds) in &results.parts {
        line(&format!("| {name} | {seconds:.1} |"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;

    #[test]
    fn the_page_has_every_figure_and_the_plot() {
        let page = page(&example(), "results");
        assert!(page.contains("![figures beside their targets](results.svg)"));
        assert!(
            page.contains("| map updates | 状态树更新 | 50 /s | 2.00 × peers | ≥ 3 | missed |")
        );
        assert!(page.contains("nomt (not run here: no io_uring)"));
        assert!(page.contains("| machine | 3.2 |") || page.contains("| machine | 3.3 |"));
    }
}
