//! What the server did, as lines on standard error, and where it is told so, as spans for a
//! collector (OTLP over HTTP): requests and the stages of a commit.
//!
//! Neither has a name, a number, a code or a key of anybody: a request is its route and its id.
//! Spans wait in a bounded queue for one thread; what does not fit is dropped, so a collector that
//! is slow or away costs the server nothing.

use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider, SpanData, SpanExporter,
    SpanLimits,
};
use prost::Message as _;
use serde::{Deserialize, Serialize};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::web::Web;

/// Spans that wait to be sent.
const QUEUE: usize = 4_096;
/// Spans of one message.
const BATCH: usize = 512;
/// How long spans wait for company.
const DELAY: Duration = Duration::from_secs(2);
/// How long the collector may take for a message.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the end of the server waits for the last message.
const LAST: Duration = PATIENCE;
/// Longest address, bytes.
const URL_BYTES: usize = 2_048;

/// Where a collector is: `http://127.0.0.1:4318`; spans go to `/v1/traces` below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Collector(String);

impl FromStr for Collector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rest = text
            .strip_prefix("http://")
            .or_else(|| text.strip_prefix("https://"));
        let plain = |c: char| c.is_ascii_graphic() && !"@?#\\".contains(c);
        match rest {
            Some(rest)
                if !rest.is_empty()
                    && !rest.starts_with(['/', ':'])
                    && text.len() <= URL_BYTES
                    && rest.chars().all(plain) =>
            {
                Ok(Self(text.trim_end_matches('/').to_owned()))
            }
            _ => Err("expected http:// or https:// without name, password or query".to_owned()),
        }
    }
}

impl TryFrom<String> for Collector {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Collector> for String {
    fn from(collector: Collector) -> Self {
        collector.0
    }
}

/// Sends spans until it is dropped, which waits for the last of them, but not long.
#[derive(Debug)]
pub(crate) struct Exporting(SdkTracerProvider);

impl Drop for Exporting {
    fn drop(&mut self) {
        // What could not be sent by now is nobody's concern.
        let _ = self.0.shutdown_with_timeout(LAST);
    }
}

/// Lines on standard error, and spans of the log `origin` for the collector.
pub(crate) fn start(collector: &Collector, origin: &str) -> Exporting {
    let batches = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUE)
        .with_max_export_batch_size(BATCH)
        .with_scheduled_delay(DELAY)
        .build();
    let resource = Resource::builder_empty()
        .with_service_name("zhao")
        .with_attributes([
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("zhao.origin", origin.to_owned()),
        ])
        .build();
    let sender = Sender {
        web: Web::new(PATIENCE),
        url: format!("{}/v1/traces", collector.0),
        resource: (&resource).into(),
        failing: AtomicBool::new(false),
    };
    // Everything is said here, so that nothing is taken from the environment.
    let provider = SdkTracerProvider::builder()
        .with_span_processor(BatchSpanProcessor::new(sender, batches))
        .with_sampler(Sampler::AlwaysOn)
        .with_span_limits(SpanLimits::default())
        .build();
    let spans = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("zhao"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_filter(filter_fn(is_ours));
    let all = tracing_subscriber::registry().with(lines()).with(spans);
    let _ = all.try_init();
    Exporting(provider)
}

/// Lines on standard error. None has a name, a number or a code of a person: see `frame`.
pub(crate) fn log() {
    let all = tracing_subscriber::registry().with(lines());
    // A second server in one process, as in tests, has the first one's.
    let _ = all.try_init();
}

fn lines<S>() -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false)
        .with_filter(filter_fn(is_line))
}

/// What a line is written for, with a collector or without. Spans are not for lines.
fn is_line(what: &Metadata<'_>) -> bool {
    what.is_event() && *what.level() <= Level::INFO
}

/// What a collector is told: our own spans, whose attributes we know, and no event.
fn is_ours(what: &Metadata<'_>) -> bool {
    what.is_span() && what.target().starts_with("zhao") && *what.level() <= Level::INFO
}

/// Sends spans, on the queue's own thread.
#[derive(Debug)]
struct Sender {
    web: Web,
    url: String,
    resource: ResourceAttributesWithSchema,
    /// Whether the last message was not taken: that is said once, not every two seconds.
    failing: AtomicBool,
}

impl SpanExporter for Sender {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let resource_spans = group_spans_by_resource_and_scope(batch, &self.resource);
        let message = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
        let answer = self.web.post_protobuf(&self.url, &message);
        let problem = match answer {
            Ok(answer) if (200..300).contains(&answer.status) => None,
            Ok(answer) => Some(format!("status {}", answer.status)),
            Err(error) => Some(error.to_string()),
        };
        let failed = self.failing.swap(problem.is_some(), Ordering::Relaxed);
        match problem {
            None if failed => tracing::info!("the collector takes spans again"),
            None => {}
            Some(cause) => {
                if !failed {
                    tracing::warn!(%cause, "the collector takes no spans");
                }
                return Err(OTelSdkError::InternalFailure(cause));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_is_an_address_and_holds_no_secret() {
        for (text, kept) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318"),
            ("http://[::1]:4318/", "http://[::1]:4318"),
            ("https://otel.example/zhao/", "https://otel.example/zhao"),
        ] {
            let collector: Collector = text.parse().unwrap();
            assert_eq!(String::from(collector), kept);
        }
        let long = format!("http://{}", "a".repeat(URL_BYTES));
        for text in [
            "",
            "127.0.0.1:4318",
            "http://",
            "http:///v1",
            "http://:4318",
            "grpc://127.0.0.1:4317",
            "http://user:secret@127.0.0.1:4318",
            "http://127.0.0.1:4318/?key=secret",
            "http://127.0.0.1:4318/#a",
            "http://a b/",
            "http://a\n/",
            "http://示例/",
            long.as_str(),
        ] {
            let cause = text.parse::<Collector>().unwrap_err();
            assert!(!cause.contains("secret"), "{cause}");
        }
    }
}
