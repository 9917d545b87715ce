//! The same once, for a pipe: a table, or one JSON object.

use serde_json::{Value, json};

use super::change::Quantile;
use super::sight::{Percentiles, Sight};
use super::words;
use crate::failure::Failure;
use crate::session::Session;
use crate::sheet::{Sheet, plain};

/// Prints one table.
///
/// # Errors
/// Standard output is closed or full.
pub(super) fn print(session: &Session, sight: &Sight) -> Result<(), Failure> {
    let messages = &session.messages;
    let mut sheet = Sheet::new(session);
    if let Some(origin) = &sight.origin {
        sheet.named(&messages.text("top.log"), origin);
    }
    let rows = words::log(messages, sight).into_iter();
    for (label, value) in rows.chain(words::work(sight)) {
        sheet.named(&messages.text(label), value);
    }
    if !sight.stages.is_empty() {
        sheet.heading("top.stages");
        for stage in &sight.stages {
            let label = messages.text(&format!("commit-stage.{}", stage.name));
            let mean = words::seconds(stage.mean);
            let most = words::quantile(stage.ninety_nine);
            sheet.named(&label, format!("{mean}, p99 {most}"));
        }
    }
    if !sight.witnesses.is_empty() {
        sheet.heading("top.witnesses");
        for witness in &sight.witnesses {
            let cells = [
                words::state(messages, witness),
                words::known(witness.last, words::seconds),
                words::percentiles(witness.latency),
                words::known(witness.age, words::seconds),
                words::failures(messages, witness),
            ];
            sheet.named(&witness.name, cells.map(|cell| plain(&cell)).join("  "));
        }
        sheet.text(messages.text("top.columns"));
    }
    sheet.print()
}

/// The same as one JSON object. Times are seconds; what is not known is null.
pub(super) fn object(sight: &Sight) -> Value {
    let stages = sight.stages.iter().map(|stage| {
        json!({ "stage": stage.name, "mean": stage.mean, "p99": quantile(stage.ninety_nine) })
    });
    let witnesses = sight.witnesses.iter().map(|witness| {
        json!({
            "name": witness.name,
            "silent": witness.silent,
            "lastLatency": witness.last,
            "latency": percentiles(witness.latency),
            "cosignatureAge": witness.age,
            "failures": witness.failures,
            "mostly": witness.mostly,
        })
    });
    json!({
        "log": sight.origin,
        "seconds": sight.seconds,
        "size": sight.size,
        "shrank": sight.shrank,
        "growth": sight.growth,
        "checkpointAge": sight.age,
        "events": sight.events,
        "refusedEvents": sight.refused_events,
        "unsignedEvents": sight.unsigned,
        "admission": percentiles(sight.admission),
        "queue": sight.queue,
        "queueLimit": sight.queue_limit,
        "batch": sight.batch,
        "stages": stages.collect::<Vec<_>>(),
        "witnesses": witnesses.collect::<Vec<_>>(),
        "publication": sight.publication.map(|(size, failing)| {
            json!({ "size": size, "failing": failing })
        }),
        "requests": sight.requests,
        "refusedRequests": sight.refused,
        "refusedRequestsEver": sight.refused_ever,
    })
}

fn percentiles(all: Option<Percentiles>) -> Value {
    all.map_or(Value::Null, |all| {
        json!({
            "p50": quantile(all.half),
            "p90": quantile(all.ninety),
            "p99": quantile(all.ninety_nine),
        })
    })
}

/// A number; a text where all that is known is that it is more.
fn quantile(quantile: Quantile) -> Value {
    match quantile {
        Quantile::About(value) => json!(value),
        Quantile::Above(value) => json!(format!(">{value}")),
    }
}
