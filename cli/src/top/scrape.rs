//! Reads a server's figures: the text format of Prometheus (OpenMetrics 1.0), as far as ours go.
//!
//! What comes from somebody else's server is bounded and read strictly; only figures of ours are
//! kept. A figure that is not there is no error: older servers have fewer.

use std::collections::BTreeMap;

/// Longest answer, bytes: some thousand series. A server of ours gives some ten thousand bytes.
pub(crate) const FIGURES_BYTES: u64 = 1 << 20;
/// Most labels of one series.
const LABELS: usize = 8;
/// Longest name of a cosigner, route or other label that is shown, characters.
const SHOWN: usize = 64;

/// Why a text is not a server's figures.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FiguresError {
    /// The text does not end as such a text ends.
    #[error("the figures break off: the last line is not # EOF")]
    BrokenOff,
    /// A line that is none.
    #[error("line {line} is no figure")]
    Line {
        /// Counted from 1.
        line: usize,
    },
    /// There is no figure of ours in it.
    #[error("none of the figures is a log's")]
    Nothing,
    /// Not UTF-8.
    #[error("the figures are not text")]
    Text,
}

type Labels = BTreeMap<String, String>;

/// One look at a server's figures.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Figures(BTreeMap<String, Vec<(Labels, f64)>>);

/// A histogram: upper bounds, strictly ascending, the last one infinite, and how many observations
/// were not above each of them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Histogram {
    pub(crate) buckets: Vec<(f64, f64)>,
    pub(crate) sum: f64,
}

impl Figures {
    /// Reads the answer of `/metrics`.
    ///
    /// # Errors
    /// See [`FiguresError`].
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, FiguresError> {
        let text = std::str::from_utf8(bytes).map_err(|_| FiguresError::Text)?;
        let body = text.trim_end_matches('\n').strip_suffix("# EOF");
        let body = body.ok_or(FiguresError::BrokenOff)?;
        let mut figures = Self::default();
        for (at, line) in body.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let line_is_wrong = FiguresError::Line {
                line: at.saturating_add(1),
            };
            let (name, labels, value) = series(line).ok_or(line_is_wrong)?;
            // Negative or no number at all: nothing that we count or measure.
            if name.starts_with("zhao_") && value >= 0.0 {
                let all = figures.0.entry(name.to_owned()).or_default();
                all.push((labels, value));
            }
        }
        match figures.0.is_empty() {
            true => Err(FiguresError::Nothing),
            false => Ok(figures),
        }
    }

    /// The figure of this name without labels.
    pub(crate) fn one(&self, name: &str) -> Option<f64> {
        let all = self.0.get(name)?;
        let own = all.iter().find(|(labels, _)| labels.is_empty());
        own.map(|(_, value)| *value)
    }

    /// Every figure of this name, by the value of one label, added up over the others.
    pub(crate) fn by(&self, name: &str, label: &str) -> BTreeMap<String, f64> {
        let mut sums = BTreeMap::new();
        for (labels, value) in self.0.get(name).into_iter().flatten() {
            if let Some(key) = labels.get(label) {
                *sums.entry(key.clone()).or_insert(0.0) += value;
            }
        }
        sums
    }

    /// The sum of all figures of this name whose labels fit; nothing if the server has none of the
    /// name.
    pub(crate) fn sum(&self, name: &str, fits: impl Fn(&Labels) -> bool) -> Option<f64> {
        let all = self.0.get(name)?;
        let fit = all.iter().filter(|(labels, _)| fits(labels));
        // Not `sum`, whose nought is negative.
        Some(fit.fold(0.0, |sum, (_, value)| sum + value))
    }

    /// The histogram of this name and labels. One that does not hold together is none.
    pub(crate) fn histogram(&self, name: &str, only: &[(&str, &str)]) -> Option<Histogram> {
        let fits = |labels: &Labels| {
            let own = || labels.iter().filter(|(label, _)| *label != "le");
            let wanted = |(label, value): (&String, &String)| {
                only.iter()
                    .any(|(name, wanted)| name == label && wanted == value)
            };
            own().count() == only.len() && own().all(wanted)
        };
        let mut buckets = Vec::new();
        for (labels, count) in self.0.get(&format!("{name}_bucket"))? {
            if fits(labels) {
                let bound = number(labels.get("le")?)?;
                buckets.push((bound, *count));
            }
        }
        let all = self.0.get(&format!("{name}_sum"))?;
        let sum = all.iter().find(|(labels, _)| fits(labels))?.1;
        buckets.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let grows = buckets
            .windows(2)
            .all(|pair| matches!(pair, [a, b] if a.0 < b.0 && a.1 <= b.1));
        let ends = buckets.last().is_some_and(|(bound, _)| bound.is_infinite());
        (grows && ends).then_some(Histogram { buckets, sum })
    }
}

/// Name, labels and value of a line. A time stamp or an exemplar after the value is passed over.
fn series(line: &str) -> Option<(&str, Labels, f64)> {
    let end = line.find(['{', ' '])?;
    let (name, rest) = line.split_at_checked(end)?;
    let sound = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    if name.is_empty() || !name.chars().all(sound) {
        return None;
    }
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Labels::new(), rest),
    };
    let value = rest.strip_prefix(' ')?.split(' ').next()?;
    Some((name, labels, number(value)?))
}

/// Labels up to the closing brace, and what comes after it.
fn labels(mut rest: &str) -> Option<(Labels, &str)> {
    let mut labels = Labels::new();
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            return Some((labels, after));
        }
        let (name, after) = rest.split_once("=\"")?;
        let mut value = String::new();
        let mut letters = after.char_indices();
        let end = loop {
            match letters.next()? {
                (at, '"') => break at,
                (_, '\\') => match letters.next()?.1 {
                    'n' => value.push('\n'),
                    plain @ ('"' | '\\') => value.push(plain),
                    _ => return None,
                },
                (_, letter) => value.push(letter),
            }
        };
        if labels.len() >= LABELS || labels.insert(name.to_owned(), shown(&value)).is_some() {
            return None;
        }
        rest = after.get(end.checked_add(1)?..)?;
        rest = match rest.strip_prefix(',') {
            Some(more) => more,
            None if rest.starts_with('}') => rest,
            None => return None,
        };
    }
}

/// A label, safe to show and of bounded length.
fn shown(value: &str) -> String {
    let short: String = value.chars().take(SHOWN).collect();
    crate::sheet::plain(&short)
}

fn number(text: &str) -> Option<f64> {
    match text {
        "+Inf" => Some(f64::INFINITY),
        "NaN" | "-Inf" => Some(-1.0),
        // Rust's own reader takes words such as "infinity" as well.
        _ if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') => text.parse().ok(),
        _ => None,
    }
}

impl Figures {
    /// The figures of this name of one cosigner, by their kind.
    pub(crate) fn kinds(&self, name: &str, cosigner: &str) -> BTreeMap<String, f64> {
        let own = self.0.get(name).into_iter().flatten();
        let own = own.filter(|(labels, _)| labels.get("name").is_some_and(|one| one == cosigner));
        let kinds = own.filter_map(|(labels, value)| Some((labels.get("kind")?.clone(), *value)));
        kinds.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<Figures, FiguresError> {
        Figures::parse(format!("{body}# EOF\n").as_bytes())
    }

    #[test]
    fn garbage_is_refused_where_it_stands() {
        for (body, line) in [
            ("<html>\n", 1),
            ("zhao_x 1\nzhao_y\n", 2),
            ("zhao_x one\n", 1),
            ("zhao_x infinity\n", 1),
            ("zhao_x{name=\"a\" 1\n", 1),
            ("zhao_x{name=\"a\n", 1),
            ("zhao_x{name=\"a\"}1\n", 1),
            ("zhao_x{name=\"a\"name=\"b\"} 1\n", 1),
            ("zhao_x{name=\"a\",name=\"b\"} 1\n", 1),
            ("zhao_x{name=\"\\x\"} 1\n", 1),
            ("{} 1\n", 1),
            (" 1\n", 1),
            ("zh\u{e4}o 1\n", 1),
        ] {
            assert_eq!(parse(body), Err(FiguresError::Line { line }), "{body:?}");
        }
        let many: String = (0..9).map(|n| format!("l{n}=\"\",")).collect();
        let many = format!("zhao_x{{{many}}} 1\n");
        assert_eq!(parse(&many), Err(FiguresError::Line { line: 1 }));
        for bytes in [
            &b""[..],
            b"zhao_x 1\n",
            b"zhao_x 1\n# EO",
            b"# EOF\nzhao_x 1\n",
        ] {
            assert_eq!(Figures::parse(bytes), Err(FiguresError::BrokenOff));
        }
        assert_eq!(Figures::parse(b"\xff# EOF\n"), Err(FiguresError::Text));
        for body in [
            "",
            "other_x 1\n",
            "zhao_x NaN\n",
            "zhao_x -1\nzhao_y -Inf\n",
        ] {
            assert_eq!(parse(body), Err(FiguresError::Nothing), "{body:?}");
        }
    }

    #[test]
    fn labels_may_hold_anything_and_nothing_of_it_moves_a_cursor() {
        let figures = parse(
            "# HELP zhao_x y\n\
             zhao_x{name=\"a}\\\"b, c=\\\\d\\n\u{1b}[2J\",kind=\"k\"} 2.5 1700000000 # {} 1\n",
        );
        let names = figures.unwrap().by("zhao_x", "name");
        assert_eq!(names.len(), 1);
        let (name, value) = names.first_key_value().unwrap();
        assert_eq!(name, "a}\"b, c=\\d??[2J");
        assert!((value - 2.5).abs() < 1e-9);
        let long = format!("zhao_x{{name=\"{}\"}} 1\n", "照".repeat(500));
        let names = parse(&long).unwrap().by("zhao_x", "name");
        assert_eq!(names.keys().next().unwrap().chars().count(), 64);
    }

    #[test]
    fn histograms_that_do_not_hold_together_are_none() {
        let whole = "zhao_t_bucket{le=\"0.1\",name=\"a\"} 1\n\
                     zhao_t_bucket{le=\"+Inf\",name=\"a\"} 2\n\
                     zhao_t_sum{name=\"a\"} 3\n";
        let own = [("name", "a")];
        let found = parse(whole).unwrap().histogram("zhao_t", &own).unwrap();
        assert_eq!(found.buckets, [(0.1, 1.0), (f64::INFINITY, 2.0)]);
        for (from, to) in [
            ("0.1\",name=\"a\"} 1", "0.1\",name=\"a\"} 5"),
            ("+Inf", "0.1"),
            ("+Inf", "7"),
            ("+Inf", "x"),
            ("zhao_t_sum{name=\"a\"} 3\n", ""),
            ("name=\"a\"", "name=\"b\""),
        ] {
            let broken = whole.replace(from, to);
            assert_ne!(broken, whole);
            let figures = parse(&broken).unwrap();
            assert_eq!(figures.histogram("zhao_t", &own), None, "{broken}");
        }
        // Another's histogram is not this one's.
        assert_eq!(parse(whole).unwrap().histogram("zhao_t", &[]), None);
    }
}
