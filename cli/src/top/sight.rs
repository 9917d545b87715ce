//! What is shown of a server: made from one look at it, and from what changed since the one before.
//!
//! Pure. Everything may be missing: a first look shows no rates, an older server no stages.

use std::time::Duration;

use super::change::{Quantile, between, grown};
use super::scrape::{Figures, Histogram};

/// Most cosigners that are shown.
const WITNESSES: usize = 64;
/// Stages of a commit, in the order in which they come.
const STAGES: [&str; 7] = [
    "derive", "check", "write", "claim", "sign", "cosign", "publish",
];

/// One look at a server.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    /// When it was taken, by a stopwatch of our own.
    pub(crate) at: Duration,
    pub(crate) figures: Figures,
    /// Size and name that the checkpoint states. Nothing is believed by it.
    pub(crate) head: Option<(u64, String)>,
}

/// How long most, almost all and nearly every one took, seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Percentiles {
    pub(crate) half: Quantile,
    pub(crate) ninety: Quantile,
    pub(crate) ninety_nine: Quantile,
}

/// A stage of the commits between the looks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stage {
    pub(crate) name: &'static str,
    /// Seconds.
    pub(crate) mean: f64,
    pub(crate) ninety_nine: Quantile,
}

/// A witness or auditor.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Witness {
    pub(crate) name: String,
    pub(crate) silent: bool,
    /// Seconds.
    pub(crate) last: Option<f64>,
    pub(crate) latency: Option<Percentiles>,
    /// Seconds since its last cosignature.
    pub(crate) age: Option<f64>,
    /// Since the server's start.
    pub(crate) failures: Option<f64>,
    /// How it failed most often.
    pub(crate) mostly: Option<String>,
}

/// What is shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sight {
    /// Seconds between the looks.
    pub(crate) seconds: Option<f64>,
    pub(crate) origin: Option<String>,
    /// Leaves under the newest published head.
    pub(crate) size: Option<u64>,
    /// The head is shorter than at the look before.
    pub(crate) shrank: bool,
    /// Leaves a second.
    pub(crate) growth: Option<f64>,
    /// Seconds since the newest published epoch.
    pub(crate) age: Option<f64>,
    /// Events logged a second.
    pub(crate) events: Option<f64>,
    /// Events refused by the life cycle a second.
    pub(crate) refused_events: Option<f64>,
    /// Events refused for their signatures, since the server's start.
    pub(crate) unsigned: Option<f64>,
    pub(crate) admission: Option<Percentiles>,
    pub(crate) queue: Option<f64>,
    pub(crate) queue_limit: Option<f64>,
    /// Events of a commit, on average.
    pub(crate) batch: Option<f64>,
    pub(crate) stages: Vec<Stage>,
    pub(crate) witnesses: Vec<Witness>,
    /// Leaves under the head in the place of publication, and whether the last try failed.
    pub(crate) publication: Option<(f64, bool)>,
    /// Requests answered a second.
    pub(crate) requests: Option<f64>,
    /// Requests refused (status 400 and above) a second.
    pub(crate) refused: Option<f64>,
    /// The same since the server's start.
    pub(crate) refused_ever: Option<f64>,
}

impl Histogram {
    fn percentiles(&self) -> Option<Percentiles> {
        Some(Percentiles {
            half: self.quantile(0.5)?,
            ninety: self.quantile(0.9)?,
            ninety_nine: self.quantile(0.99)?,
        })
    }
}

impl Sight {
    /// What `now` shows, and what changed since `before`.
    pub(crate) fn of(before: Option<&Look>, now: &Look) -> Self {
        let figures = &now.figures;
        let earlier = before.map(|look| (look, now.at.saturating_sub(look.at).as_secs_f64()));
        // Two looks at one moment say nothing about a second.
        let earlier = earlier.filter(|(_, seconds)| *seconds > 0.0);
        let change = Change { earlier, figures };
        let size = match &now.head {
            Some((size, _)) => Some(*size),
            None => figures.one("zhao_published_size").and_then(whole),
        };
        let size_before = earlier.and_then(|(look, _)| match &look.head {
            Some((size, _)) => Some(*size),
            None => look.figures.one("zhao_published_size").and_then(whole),
        });
        let shrank = matches!((size_before, size), (Some(a), Some(b)) if b < a);
        let grew = size_before.zip(size).and_then(|(a, b)| b.checked_sub(a));
        Self {
            seconds: earlier.map(|(_, seconds)| seconds),
            origin: now.head.as_ref().map(|(_, origin)| origin.clone()),
            size,
            shrank,
            growth: grew.zip(earlier).map(|(grew, (_, s))| float(grew) / s),
            age: figures.one("zhao_checkpoint_age_seconds"),
            events: change.rate("zhao_events_total", "outcome", |outcome| {
                matches!(outcome, "accepted" | "pending")
            }),
            refused_events: change.rate("zhao_events_total", "outcome", |outcome| {
                outcome == "refused"
            }),
            unsigned: figures.sum("zhao_events_total", |labels| {
                labels.get("outcome").is_some_and(|own| own == "unsigned")
            }),
            admission: change
                .histogram("zhao_admission_seconds", &[])
                .and_then(|all| all.percentiles()),
            queue: figures.one("zhao_queue_events"),
            queue_limit: figures.one("zhao_queue_limit"),
            batch: change
                .histogram("zhao_batch_events", &[])
                .and_then(|all| all.mean()),
            stages: change.stages(),
            witnesses: change.witnesses(),
            publication: figures
                .one("zhao_publication_size")
                .zip(figures.one("zhao_publication_failing"))
                .map(|(size, failing)| (size, failing > 0.0)),
            requests: change.rate("zhao_http_requests_total", "status", |_| true),
            refused: change.rate("zhao_http_requests_total", "status", is_refusal),
            refused_ever: figures.sum("zhao_http_requests_total", |labels| {
                labels.get("status").is_some_and(|own| is_refusal(own))
            }),
        }
    }
}

fn is_refusal(status: &str) -> bool {
    status.starts_with(['4', '5'])
}

/// The figures now, and a look before.
struct Change<'a> {
    earlier: Option<(&'a Look, f64)>,
    figures: &'a Figures,
}

impl Change<'_> {
    /// How much the counters whose label fits grew a second.
    fn rate(&self, name: &str, label: &str, fits: impl Fn(&str) -> bool) -> Option<f64> {
        let (look, seconds) = self.earlier?;
        let (before, now) = (look.figures.by(name, label), self.figures.by(name, label));
        if now.is_empty() {
            return None;
        }
        let fit = now.iter().filter(|(own, _)| fits(own));
        // One that was not there yet began at nought.
        let grew = fit.map(|(own, now)| grown(Some(before.get(own).copied().unwrap_or(0.0)), *now));
        // Not `sum`, whose nought is negative.
        Some(grew.fold(0.0, |sum, grew| sum + grew) / seconds)
    }

    /// What the histogram got since the look before.
    fn histogram(&self, name: &str, only: &[(&str, &str)]) -> Option<Histogram> {
        let (look, _) = self.earlier?;
        let now = self.figures.histogram(name, only)?;
        Some(between(look.figures.histogram(name, only).as_ref(), &now))
    }

    fn stages(&self) -> Vec<Stage> {
        let stages = STAGES.iter().filter_map(|name| {
            let all = self.histogram("zhao_commit_stage_seconds", &[("stage", name)])?;
            Some(Stage {
                name,
                mean: all.mean()?,
                ninety_nine: all.quantile(0.99)?,
            })
        });
        stages.collect()
    }

    fn witnesses(&self) -> Vec<Witness> {
        let of = |name: &str| self.figures.by(name, "name");
        let silent = of("zhao_cosigner_silent");
        let last = of("zhao_cosigner_last_latency_seconds");
        let age = of("zhao_cosigner_cosignature_age_seconds");
        let failures = of("zhao_cosigner_failures_total");
        let all = silent.iter().take(WITNESSES).map(|(name, silent)| Witness {
            silent: *silent > 0.0,
            last: last.get(name).copied(),
            latency: self
                .histogram("zhao_cosigner_latency_seconds", &[("name", name)])
                .and_then(|all| all.percentiles()),
            age: age.get(name).copied(),
            failures: failures.get(name).copied(),
            mostly: self.mostly(name),
            name: name.clone(),
        });
        all.collect()
    }

    /// The kind of a cosigner's failures of which there are most: lately, or else ever.
    fn mostly(&self, cosigner: &str) -> Option<String> {
        let kinds = |figures: &Figures| figures.kinds("zhao_cosigner_failures_total", cosigner);
        let now = kinds(self.figures);
        let before = self.earlier.map(|(look, _)| kinds(&look.figures));
        let lately = now.iter().map(|(kind, count)| {
            let earlier = before.as_ref().and_then(|all| all.get(kind)).copied();
            (kind, grown(Some(earlier.unwrap_or(0.0)), *count))
        });
        let ever = || most(now.iter().map(|(kind, count)| (kind, *count)));
        most(lately).or_else(ever)
    }
}

/// What there is most of, if there is any.
fn most<'a>(all: impl Iterator<Item = (&'a String, f64)>) -> Option<String> {
    let some = all.filter(|(_, count)| *count > 0.0);
    let most = some.max_by(|(_, a), (_, b)| a.total_cmp(b));
    most.map(|(kind, _)| kind.clone())
}

fn float(n: u64) -> f64 {
    // Sizes are far below 2^53.
    n as f64
}

/// A size that a figure states.
fn whole(value: f64) -> Option<u64> {
    format!("{value:.0}").parse().ok()
}

#[cfg(test)]
mod tests;
