//! What the ledger tells while it works, kept as figures: stages of commits, how long answers take,
//! and every cosigner's latencies and failures.
//!
//! Labels are bounded: names of cosigners come from the policy, everything else from the code.

use std::collections::BTreeMap;
use std::fmt::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use zhao_ledger::sequence::{Failing, Stage, Watch};
use zhao_spec::life::apply::Refusal;
use zhao_spec::log::tree::TreeSize;

use crate::host::Stopwatch;

/// Upper bounds of times, seconds: from a write in memory to a wait for a quorum.
const SECONDS: [f64; 15] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];
/// Upper bounds of events in a commit.
const EVENTS: [f64; 9] = [
    1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0,
];

/// Which cosigner.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Named {
    name: String,
}

/// Which cosigner failed how.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failed {
    name: String,
    kind: &'static str,
}

/// Which stage of a commit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct In {
    stage: &'static str,
}

/// Which refusal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Coded {
    code: &'static str,
}

/// A cosigner's newest figures.
#[derive(Clone, Debug, Default)]
struct Newest {
    latency: Option<Duration>,
    /// When its line was last added to a head, by the stopwatch.
    cosigned: Option<Duration>,
    silent: bool,
}

/// The figures, while they grow.
#[derive(Debug)]
pub(crate) struct Watching {
    stopwatch: Stopwatch,
    size: AtomicU64,
    stages: Family<In, Histogram>,
    batches: Histogram,
    admissions: Histogram,
    unsigned: Family<Coded, Counter>,
    /// One of each cosigner; none is added later.
    newest: Mutex<BTreeMap<String, Newest>>,
    latencies: Family<Named, Histogram>,
    cosignatures: Family<Named, Counter>,
    failures: Family<Failed, Counter>,
}

impl Watching {
    /// Figures of a log with these cosigners, all at nothing.
    pub(crate) fn new<'a>(stopwatch: Stopwatch, names: impl Iterator<Item = &'a str>) -> Self {
        let newest: BTreeMap<_, _> = names
            .map(|name| (name.to_owned(), Newest::default()))
            .collect();
        let this = Self {
            stopwatch,
            size: AtomicU64::new(0),
            stages: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            batches: Histogram::new(EVENTS),
            admissions: Histogram::new(SECONDS),
            unsigned: Family::default(),
            newest: Mutex::default(),
            latencies: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            cosignatures: Family::default(),
            failures: Family::default(),
        };
        // What has not happened yet is nought: who looks for a rise must see where it began.
        for stage in Stage::ALL {
            let stage = stage.as_str();
            drop(this.stages.get_or_create(&In { stage }));
        }
        for refusal in [
            Refusal::SignerMissing,
            Refusal::SignatureInvalid { key: String::new() },
        ] {
            let code = refusal.code();
            drop(this.unsigned.get_or_create(&Coded { code }));
        }
        for name in newest.keys() {
            let name = name.clone();
            for failing in Failing::ALL {
                let (name, kind) = (name.clone(), failing.as_str());
                drop(this.failures.get_or_create(&Failed { name, kind }));
            }
            let named = Named { name };
            drop(this.latencies.get_or_create(&named));
            drop(this.cosignatures.get_or_create(&named));
        }
        *this.lock() = newest;
        this
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Newest>> {
        // Each figure is whole by itself.
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes a cosigner's newest figures; false for whoever is none of this log's.
    fn change(&self, name: &str, change: impl FnOnce(&mut Newest)) -> bool {
        let mut all = self.lock();
        let known = all.get_mut(name);
        let is_known = known.is_some();
        if let Some(newest) = known {
            change(newest);
        }
        is_known
    }

    /// Leaves on disk.
    pub(crate) fn size(&self) -> u64 {
        self.size.load(Ordering::Relaxed)
    }

    /// Adds the figures to a registry.
    pub(super) fn register(self: &Arc<Self>, registry: &mut Registry) {
        let seconds = || Unit::Seconds;
        let help = "Time of the stages of commits";
        let stages = self.stages.clone();
        registry.register_with_unit("zhao_commit_stage", help, seconds(), stages);
        let help = "Events of each commit";
        registry.register("zhao_batch_events", help, self.batches.clone());
        let help = "Time from handed in to answered, of each submission";
        let admissions = self.admissions.clone();
        registry.register_with_unit("zhao_admission", help, seconds(), admissions);
        let help = "Events refused for their signatures";
        registry.register("zhao_signature_failures", help, self.unsigned.clone());
        let help = "Time of the answers of a witness or auditor that is asked to cosign";
        let latencies = self.latencies.clone();
        registry.register_with_unit("zhao_cosigner_latency", help, seconds(), latencies);
        let help = "Heads that a witness or auditor cosigned";
        let cosignatures = self.cosignatures.clone();
        registry.register("zhao_cosigner_cosignatures", help, cosignatures);
        let help = "Heads for which a witness or auditor gave nothing usable";
        registry.register("zhao_cosigner_failures", help, self.failures.clone());
        let moment = Moment {
            now: self.stopwatch.read(),
            newest: self.lock().clone(),
        };
        registry.register_collector(Box::new(moment));
    }
}

impl Watch for Watching {
    fn elapsed(&self) -> Duration {
        self.stopwatch.read()
    }

    fn stands(&self, size: TreeSize, silent: &[(String, String)]) {
        self.size.store(size.0, Ordering::Relaxed);
        for (name, newest) in &mut *self.lock() {
            newest.silent = silent.iter().any(|(one, _)| one == name);
        }
    }

    fn stage(&self, stage: Stage, took: Duration) {
        let stage = stage.as_str();
        let seconds = self.stages.get_or_create(&In { stage });
        seconds.observe(took.as_secs_f64());
    }

    fn batch(&self, events: usize) {
        // Far below 2^53.
        self.batches.observe(events as f64);
    }

    fn admitted(&self, took: Duration) {
        self.admissions.observe(took.as_secs_f64());
    }

    fn unsigned(&self, code: &'static str) {
        self.unsigned.get_or_create(&Coded { code }).inc();
    }

    fn answered(&self, name: &str, took: Duration) {
        if self.change(name, |newest| newest.latency = Some(took)) {
            let name = name.to_owned();
            let seconds = self.latencies.get_or_create(&Named { name });
            seconds.observe(took.as_secs_f64());
        }
    }

    fn cosigned(&self, name: &str) {
        let now = self.stopwatch.read();
        if self.change(name, |newest| newest.cosigned = Some(now)) {
            let name = name.to_owned();
            self.cosignatures.get_or_create(&Named { name }).inc();
        }
    }

    fn failed(&self, name: &str, failing: Failing) {
        if self.change(name, |_| ()) {
            let (name, kind) = (name.to_owned(), failing.as_str());
            self.failures.get_or_create(&Failed { name, kind }).inc();
        }
    }
}

/// The cosigners at one moment.
#[derive(Debug)]
struct Moment {
    now: Duration,
    newest: BTreeMap<String, Newest>,
}

impl Collector for Moment {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        type Value<'a> = Box<dyn Fn(&Newest) -> Option<f64> + 'a>;
        let gauges: [(&str, &str, Value<'_>); 3] = [
            (
                "zhao_cosigner_silent",
                "Whether a witness or auditor gave nothing usable for the newest head",
                Box::new(|newest| Some(f64::from(newest.silent))),
            ),
            (
                "zhao_cosigner_last_latency_seconds",
                "Time of the last answer of a witness or auditor",
                Box::new(|newest| Some(newest.latency?.as_secs_f64())),
            ),
            (
                "zhao_cosigner_cosignature_age_seconds",
                "How long ago a witness or auditor last cosigned, since this start",
                Box::new(|newest| Some(self.now.saturating_sub(newest.cosigned?).as_secs_f64())),
            ),
        ];
        for (name, help, value) in gauges {
            let kind = ConstGauge::new(0_f64).metric_type();
            let mut family = encoder.encode_descriptor(name, help, None, kind)?;
            for (name, newest) in &self.newest {
                if let Some(value) = value(newest) {
                    let labels = [("name", name.as_str())];
                    ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
