//! Figures for whoever watches the server, in the text format of Prometheus (OpenMetrics 1.0).
//!
//! Nothing in them names a person, a licence or a path: routes are the router's own.

use std::fmt::Error;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabelSet, EncodeMetric as _, MetricEncoder,
};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zhao_http::Scope;
use zhao_ledger::pipeline::Totals;

use super::app::{App, Work};
use super::extract::{Caller, verbatim};
use super::refused::Refused;

/// Upper bounds of the times of answers, seconds: from a read in memory to a wait for a quorum.
const SECONDS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0, 30.0,
];

/// Which requests.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    method: String,
    route: String,
    status: u16,
}

/// Which route.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    route: String,
}

/// What the frame around the routes counts.
#[derive(Debug)]
pub(crate) struct Requests {
    answered: Family<Asked, Counter>,
    seconds: Family<Of, Histogram>,
}

impl Default for Requests {
    fn default() -> Self {
        Self {
            answered: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(SECONDS)),
        }
    }
}

impl Requests {
    /// Counts an answer. `route` is the router's and `method` one that is known, so there are few
    /// of each.
    pub(crate) fn count(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        let asked = Asked {
            method: method.to_owned(),
            route: route.to_owned(),
            status,
        };
        self.answered.get_or_create(&asked).inc();
        let route = route.to_owned();
        let seconds = self.seconds.get_or_create(&Of { route });
        seconds.observe(took.as_secs_f64());
    }
}

/// The ledger at one moment.
#[derive(Debug)]
struct Moment {
    totals: Totals,
    queue: usize,
    queue_limit: usize,
    log_size: u64,
    published_size: u64,
    subjects: u64,
    age_seconds: f64,
    outbox: u64,
    /// Size of the head in the place of publication, and whether the last try failed.
    kept: Option<(u64, bool)>,
}

impl Moment {
    fn now(app: &App) -> Result<Self, Refused> {
        let view = app.reader.published();
        let published = view.map_err(|error| app.both.read(error))?;
        let (size, epoch) = (published.size().0, published.epoch().clone());
        let age = app.now()?.0.saturating_sub(epoch.time.0);
        let outbox = app.records().pending_count();
        let outbox = outbox.map_err(|error| app.both.internal(&error))?;
        Ok(Self {
            totals: app.pipeline.totals(),
            queue: app.pipeline.waiting(),
            queue_limit: app.pipeline.settings().queue,
            // As last told: the sequencer itself is busy as long as a commit lasts.
            log_size: app.watching.size(),
            published_size: size,
            subjects: epoch.subjects,
            age_seconds: Duration::from_millis(age).as_secs_f64(),
            outbox,
            kept: app.kept.as_ref().map(|kept| {
                let failing = kept.failing.load(Ordering::Relaxed);
                (kept.size.load(Ordering::Relaxed), failing)
            }),
        })
    }
}

impl Collector for Moment {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let gauges: [(&str, &str, f64); 7] = [
            (
                "zhao_queue_events",
                "Events that wait for the ledger",
                count(self.queue),
            ),
            (
                "zhao_queue_limit",
                "Events that may wait",
                count(self.queue_limit),
            ),
            ("zhao_log_size", "Leaves on disk", float(self.log_size)),
            (
                "zhao_published_size",
                "Leaves under the newest head with a quorum",
                float(self.published_size),
            ),
            ("zhao_subjects", "Subjects in the map", float(self.subjects)),
            (
                "zhao_checkpoint_age_seconds",
                "How long ago the newest published epoch was recorded",
                self.age_seconds,
            ),
            (
                "zhao_outbox_pending",
                "Events of the office that no receipt came for yet",
                float(self.outbox),
            ),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        if let Some((size, failing)) = self.kept {
            for (name, help, value) in [
                (
                    "zhao_publication_size",
                    "Leaves under the head in the place of publication",
                    float(size),
                ),
                (
                    "zhao_publication_failing",
                    "Whether the place of publication did not take the newest head",
                    f64::from(failing),
                ),
            ] {
                let gauge = ConstGauge::new(value);
                let kind = gauge.metric_type();
                gauge.encode(encoder.encode_descriptor(name, help, None, kind)?)?;
            }
        }
        let totals = &self.totals;
        let counter = ConstCounter::new(totals.batches);
        let kind = counter.metric_type();
        counter.encode(encoder.encode_descriptor("zhao_batches", "Commits", None, kind)?)?;
        let counter = ConstCounter::new(totals.failed);
        let help = "Commits that failed";
        counter.encode(encoder.encode_descriptor("zhao_failed_commits", help, None, kind)?)?;
        let seconds = Duration::from_millis(totals.commit_millis).as_secs_f64();
        let counter = ConstCounter::new(seconds);
        let help = "Time in commits, cosigners' included";
        let unit = Some(&Unit::Seconds);
        counter.encode(encoder.encode_descriptor("zhao_commit", help, unit, kind)?)?;
        let help = "Events by what became of them";
        let mut events = encoder.encode_descriptor("zhao_events", help, None, kind)?;
        for (outcome, count) in [
            ("accepted", totals.accepted),
            ("duplicate", totals.duplicate),
            ("pending", totals.pending),
            ("refused", totals.refused),
            ("unsigned", totals.unsigned),
        ] {
            let labels = [("outcome", outcome)];
            let family: MetricEncoder<'_> = events.encode_family(&labels)?;
            ConstCounter::new(count).encode(family)?;
        }
        Ok(())
    }
}

fn float(n: u64) -> f64 {
    // Sizes are far below 2^53.
    n as f64
}

fn count(n: usize) -> f64 {
    n as f64
}

/// The route.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(metrics))
}

/// Figures for Prometheus
#[utoipa::path(get, path = "/metrics", tag = "server", security(("key" = [])),
    responses((status = 200, description = "OpenMetrics 1.0", body = String,
        content_type = "application/openmetrics-text")))]
async fn metrics(State(app): State<App>, caller: Caller) -> Result<Response, Refused> {
    caller.must(&app, Scope::Read)?;
    let text = app.work(Work::Read, |app| {
        let moment = Moment::now(app)?;
        let mut registry = Registry::default();
        registry.register_collector(Box::new(moment));
        app.watching.register(&mut registry);
        let help = "Requests answered";
        registry.register("zhao_http_requests", help, app.requests.answered.clone());
        let help = "Time of answers";
        let seconds = app.requests.seconds.clone();
        registry.register_with_unit("zhao_http_request", help, Unit::Seconds, seconds);
        let mut text = String::new();
        encode(&mut text, &registry).map_err(|error| app.both.internal(&error))?;
        Ok(text)
    });
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(verbatim(StatusCode::OK, kind, text.await?.into_bytes()))
}
