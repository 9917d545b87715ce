//! A plot of every figure that has a target: a bar up to how far the target is met, and the line
//! where it is just met. Own small writer: text and rectangles, readable in light and dark.

use std::fmt::Write as _;

use super::{Results, cells};
use crate::figure::Figure;

const WIDTH: f64 = 920.0;
const ROW: f64 = 44.0;
const TOP: f64 = 84.0;
const FOOT: f64 = 46.0;
/// Where bars begin, and their longest.
const LEFT: f64 = 330.0;
const SPAN: f64 = 400.0;
/// Score at the end of the span; what is beyond is cut off and says so.
const MOST: f64 = 2.0;

const STYLE: &str = "\
text{font-family:system-ui,'Noto Sans CJK SC','PingFang SC',sans-serif;fill:#1f2328}\
.s{font-size:12px;fill:#59636e}.n{font-size:14px}.h{font-size:18px;font-weight:600}\
.b{fill:#ffffff}.g{fill:#2da44e}.r{fill:#cf222e}.t{stroke:#1f2328;stroke-width:1.5;\
stroke-dasharray:5 4}.a{stroke:#d1d9e0}\
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.s{fill:#9198a1}.b{fill:#0d1117}\
.g{fill:#3fb950}.r{fill:#f85149}.t{stroke:#e6edf3}.a{stroke:#3d444d}}";

/// The plot.
pub(crate) fn plot(results: &Results) -> String {
    let rows: Vec<(&Figure, f64)> = results
        .figures
        .iter()
        .filter_map(|figure| Some((figure, figure.score()?)))
        .collect();
    let count = crate::statistics::float(rows.len());
    let (height, bottom) = (TOP + count * ROW + FOOT, TOP + count * ROW);
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    line(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" role=\"img\">"
    ));
    line("<title>Zhao: measured figures beside their targets</title>".to_owned());
    line(format!("<style>{STYLE}</style>"));
    line(format!(
        "<rect class=\"b\" width=\"{WIDTH}\" height=\"{height}\"/>"
    ));
    line(words(
        24.0,
        32.0,
        "h",
        "Figures beside their targets 实测与目标",
    ));
    let sub = "a longer bar is better; the dashed line is the target 越长越好，虚线为目标";
    line(words(24.0, 54.0, "s", sub));
    for (at, (figure, score)) in rows.iter().enumerate() {
        let y = TOP + crate::statistics::float(at) * ROW;
        line(row(figure, *score, y));
    }
    line(format!(
        "<line class=\"a\" x1=\"{LEFT}\" y1=\"{TOP}\" x2=\"{LEFT}\" y2=\"{bottom}\"/>"
    ));
    let target = LEFT + SPAN / MOST;
    line(format!(
        "<line class=\"t\" x1=\"{target}\" y1=\"{}\" x2=\"{target}\" y2=\"{bottom}\"/>",
        TOP - 8.0
    ));
    line(words(24.0, bottom + 18.0, "s", &results.about()));
    line(words(24.0, bottom + 36.0, "s", &results.settings()));
    line("</svg>".to_owned());
    out
}

fn row(figure: &Figure, score: f64, y: f64) -> String {
    let class = if score >= 1.0 { "g" } else { "r" };
    let length = score.clamp(0.0, MOST) / MOST * SPAN;
    let [value, ratio, target, _] = cells(figure);
    // The ratio itself; what it is a ratio to stands in the table.
    let measured = match ratio.split(' ').next() {
        Some(ratio) if !ratio.is_empty() => ratio.to_owned(),
        _ => value,
    };
    let beyond = if score > MOST { " »" } else { "" };
    let mut out = words(24.0, y + 17.0, "n", &figure.english);
    out.push_str(&words(24.0, y + 34.0, "s", &figure.chinese));
    let _ = write!(
        out,
        "<rect class=\"{class}\" x=\"{LEFT}\" y=\"{}\" width=\"{length:.1}\" \
         height=\"22\" rx=\"3\"/>",
        y + 9.0
    );
    let said = format!("{measured} ({target}){beyond}");
    out.push_str(&words(LEFT + SPAN + 12.0, y + 25.0, "n", &said));
    out
}

fn words(x: f64, y: f64, class: &str, text: &str) -> String {
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    format!("<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{text}</text>")
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;

    #[test]
    fn bars_are_of_figures_with_targets_only() {
        let svg = plot(&example());
        assert_eq!(svg.matches("class=\"g\"").count(), 2);
        assert_eq!(svg.matches("class=\"r\"").count(), 1);
        assert!(!svg.contains("io_uring"));
    }

    #[test]
    fn text_is_escaped_and_long_bars_are_cut() {
        let svg = plot(&example());
        assert!(svg.contains("admission &amp; &lt;log&gt;"));
        assert!(svg.contains("10 B (≤ 760 B) »"));
        assert!(!svg.contains("width=\"inf"));
    }
}
