//! One measured figure, what it is compared with, and what it should be.

use serde::{Deserialize, Serialize};

/// Which way is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Bound {
    /// The compared number should not be below the target.
    AtLeast,
    /// The compared number should not be above the target.
    AtMost,
}

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Target {
    /// Which way is good.
    pub(crate) bound: Bound,
    /// The number.
    pub(crate) limit: f64,
}

/// Another figure of the same run, to which a figure is a ratio.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Against {
    /// What it is.
    pub(crate) what: String,
    /// In the same unit.
    pub(crate) value: f64,
}

/// One row of the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figure {
    /// Stable name.
    pub(crate) id: String,
    /// Part of the run it belongs to.
    pub(crate) part: String,
    /// What was measured.
    pub(crate) english: String,
    /// The same in Chinese.
    pub(crate) chinese: String,
    /// The figure; nothing if it could not be measured here.
    pub(crate) value: Option<f64>,
    /// Unit of `value`.
    pub(crate) unit: String,
    /// What it is a ratio to.
    pub(crate) against: Option<Against>,
    /// What it, or its ratio, should be.
    pub(crate) target: Option<Target>,
    /// A condition worth knowing, or why there is no figure.
    pub(crate) note: Option<String>,
}

impl Figure {
    /// A figure.
    pub(crate) fn new(id: &str, english: &str, chinese: &str, value: f64, unit: &str) -> Self {
        Self {
            id: id.to_owned(),
            part: String::new(),
            english: english.to_owned(),
            chinese: chinese.to_owned(),
            value: Some(value).filter(|value| value.is_finite()),
            unit: unit.to_owned(),
            against: None,
            target: None,
            note: None,
        }
    }

    /// A row without a figure, and why.
    pub(crate) fn not_run(id: &str, english: &str, chinese: &str, why: &str) -> Self {
        Self {
            note: Some(format!("not run here: {why}")),
            ..Self::new(id, english, chinese, f64::NAN, "")
        }
    }

    /// Compares it with another figure of this run.
    #[must_use]
    pub(crate) fn against(mut self, what: &str, value: f64) -> Self {
        let what = what.to_owned();
        self.against = value.is_finite().then_some(Against { what, value });
        self
    }

    /// The compared number should be this or more.
    #[must_use]
    pub(crate) fn at_least(mut self, limit: f64) -> Self {
        let bound = Bound::AtLeast;
        self.target = Some(Target { bound, limit });
        self
    }

    /// The compared number should be this or less.
    #[must_use]
    pub(crate) fn at_most(mut self, limit: f64) -> Self {
        let bound = Bound::AtMost;
        self.target = Some(Target { bound, limit });
        self
    }

    /// A condition worth knowing.
    #[must_use]
    pub(crate) fn note(mut self, note: &str) -> Self {
        self.note = Some(note.to_owned());
        self
    }

    /// The ratio to the other figure.
    pub(crate) fn ratio(&self) -> Option<f64> {
        let against = self.against.as_ref()?;
        Some(self.value? / against.value)
    }

    /// How far the target is met: 1 is just met, more is better. Nothing without a target.
    pub(crate) fn score(&self) -> Option<f64> {
        let target = self.target?;
        // A target beside a figure to compare with is a target of the ratio.
        let compared = match &self.against {
            Some(_) => self.ratio()?,
            None => self.value?,
        };
        Some(match target.bound {
            Bound::AtLeast => compared / target.limit,
            Bound::AtMost => target.limit / compared,
        })
    }

    /// Whether the target is met.
    pub(crate) fn is_met(&self) -> Option<bool> {
        if self.target.is_some() && self.value.is_none() {
            return Some(false);
        }
        self.score().map(|score| score >= 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_of_the_ratio_where_there_is_one() {
        let figure = Figure::new("a", "", "", 50.0, "/s").against("b", 100.0);
        assert_eq!(figure.ratio(), Some(0.5));
        assert_eq!(figure.score(), None);
        assert_eq!(figure.clone().at_least(0.6).is_met(), Some(false));
        assert_eq!(figure.clone().at_least(0.5).is_met(), Some(true));
        assert_eq!(figure.clone().at_most(0.4).is_met(), Some(false));
        assert_eq!(figure.at_most(0.5).score(), Some(1.0));
        let plain = Figure::new("a", "", "", 760.0, "B").at_most(760.0);
        assert_eq!(plain.is_met(), Some(true));
    }

    #[test]
    fn what_was_not_measured_does_not_meet_its_target() {
        let figure = Figure::new("a", "", "", f64::NAN, "/s").at_least(1.0);
        assert_eq!(figure.value, None);
        assert_eq!(figure.is_met(), Some(false));
        let figure = Figure::not_run("a", "", "", "no such kernel");
        assert_eq!(figure.is_met(), None);
        assert_eq!(figure.note.as_deref(), Some("not run here: no such kernel"));
        let figure = Figure::new("a", "", "", 1.0, "/s").against("b", f64::INFINITY);
        assert_eq!(figure.against, None);
    }
}
