//! Figures as people read them, in the session's language.

use super::change::Quantile;
use super::sight::{Percentiles, Sight, Witness};
use crate::failure::args;
use crate::messages::Messages;

/// What stands where nothing is known.
pub(super) const UNKNOWN: &str = "–";

/// A time: three digits and a unit.
pub(super) fn seconds(seconds: f64) -> String {
    let minutes = (seconds / 60.0).floor();
    let (hours, days) = ((minutes / 60.0).floor(), (minutes / 1_440.0).floor());
    if seconds < 0.01 {
        format!("{:.1} ms", seconds * 1_000.0)
    } else if seconds < 0.9995 {
        format!("{:.0} ms", seconds * 1_000.0)
    } else if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else if minutes < 60.0 {
        format!("{minutes:.0} m {:.0} s", (seconds - minutes * 60.0).floor())
    } else if hours < 48.0 {
        format!("{hours:.0} h {:.0} m", minutes - hours * 60.0)
    } else {
        format!("{days:.0} d {:.0} h", hours - days * 24.0)
    }
}

pub(super) fn quantile(quantile: Quantile) -> String {
    match quantile {
        Quantile::About(value) => seconds(value),
        Quantile::Above(value) => format!("> {}", seconds(value)),
    }
}

pub(super) fn percentiles(all: Option<Percentiles>) -> String {
    let all = all.map(|all| {
        [all.half, all.ninety, all.ninety_nine]
            .map(quantile)
            .join(" / ")
    });
    all.unwrap_or_else(|| UNKNOWN.to_owned())
}

pub(super) fn known<T>(value: Option<T>, words: impl Fn(T) -> String) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), words)
}

pub(super) fn rate(rate: f64) -> String {
    match rate {
        rate if rate >= 100.0 => format!("{rate:.0}/s"),
        rate => format!("{rate:.1}/s"),
    }
}

/// A count, or something near one.
pub(super) fn count(count: f64) -> String {
    match count.fract().abs() < 1e-6 {
        true => format!("{count:.0}"),
        false => format!("{count:.1}"),
    }
}

/// A label of the catalogue and its value.
pub(super) type Row = (&'static str, String);

/// What is known of events and requests.
pub(super) fn work(sight: &Sight) -> Vec<Row> {
    let queue = sight.queue.map(|queue| {
        let limit = sight.queue_limit;
        limit.map_or_else(
            || count(queue),
            |limit| format!("{} / {}", count(queue), count(limit)),
        )
    });
    vec![
        ("top.events", known(sight.events, rate)),
        ("top.admission", percentiles(sight.admission)),
        ("top.queue", queue.unwrap_or_else(|| UNKNOWN.to_owned())),
        ("top.batch", known(sight.batch, count)),
        ("top.refused-events", known(sight.refused_events, rate)),
        ("top.unsigned", known(sight.unsigned, count)),
        ("top.requests", known(sight.requests, rate)),
    ]
}

/// What is known of the log.
pub(super) fn log(messages: &Messages, sight: &Sight) -> Vec<Row> {
    let size = known(sight.size, |size| size.to_string());
    let size = match sight.shrank {
        true => messages.fill("top.shrank", &args![size]),
        false => size,
    };
    vec![
        ("top.size", size),
        (
            "top.growth",
            known(sight.growth, |growth| format!("+{}", rate(growth))),
        ),
        ("top.age", known(sight.age, seconds)),
        ("top.publication", publication(messages, sight)),
        ("top.refused", known(sight.refused, rate)),
        ("top.refused-ever", known(sight.refused_ever, count)),
    ]
}

fn publication(messages: &Messages, sight: &Sight) -> String {
    match sight.publication {
        None => messages.text("top.unpublished"),
        Some((size, true)) => messages.fill("top.failing", &args![size = count(size)]),
        Some((size, false)) => count(size),
    }
}

/// One line for all cosigners: how many give their lines, and the first that does not.
pub(super) fn witnesses(messages: &Messages, sight: &Sight) -> String {
    let all = sight.witnesses.len();
    let silent = sight.witnesses.iter().filter(|one| one.silent);
    let good = all.saturating_sub(silent.clone().count());
    let of = format!("{good}/{all}");
    match silent.clone().next() {
        None => of,
        Some(one) => format!("{of}, {} {}", state(messages, one), one.name),
    }
}

pub(super) fn state(messages: &Messages, witness: &Witness) -> String {
    messages.text(match witness.silent {
        true => "top.silent",
        false => "top.cosigns",
    })
}

/// Failures since the server's start, and of which kind most are.
pub(super) fn failures(messages: &Messages, witness: &Witness) -> String {
    let Some(failures) = witness.failures else {
        return UNKNOWN.to_owned();
    };
    let mostly = witness.mostly.as_deref().map(|kind| {
        let key = format!("cosigner-failure.{kind}");
        // A kind of a newer server's is shown as it says it.
        messages.find(&key).unwrap_or(kind).to_owned()
    });
    match mostly {
        Some(kind) => format!("{} {kind}", count(failures)),
        None => count(failures),
    }
}
