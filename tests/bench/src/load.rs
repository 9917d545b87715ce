//! Answer times at a steady load: an open loop, so that a slow answer does not thin out the load.

use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use zhao_ledger::pipeline::Ticket;
use zhao_spec::life::event::Event;

use crate::figure::Figure;
use crate::ledger::{Ledger, accepted};
use crate::progress::{bar, done};
use crate::statistics::percentile;
use crate::workload::BATCH;

/// Plays `batches` thousands of events at so many a second and measures from an event's arrival to
/// its answer. Arrivals are those of a Poisson process, seeded with the workload.
pub(crate) fn figures(ledger: &mut Ledger, per_second: f64, batches: usize) -> Result<Vec<Figure>> {
    let mut events: Vec<Event> = Vec::with_capacity(batches * BATCH);
    for _ in 0..batches {
        events.extend(ledger.workload.mixed(BATCH));
    }
    let mut at = 0.0;
    let arrivals: Vec<Duration> = events
        .iter()
        .map(|_| {
            at -= ledger.workload.unit().ln() / per_second;
            Duration::from_secs_f64(at)
        })
        .collect();
    let count = events.len();
    let progress = bar(u64::try_from(count)?, "answers at half the load");
    let (hand, tickets) = channel::<(Duration, Ticket)>();
    let (start, before) = (Instant::now(), ledger.reader().latest()?.epoch().epoch);
    let times = thread::scope(|scope| -> Result<Vec<f64>> {
        // Answers come in the order of submission, so one waits for all.
        let waiting = scope.spawn(|| -> Result<Vec<f64>> {
            let mut times = Vec::with_capacity(count);
            for (arrival, ticket) in tickets {
                accepted(&ticket.wait()?)?;
                let late = start.elapsed().saturating_sub(arrival);
                times.push(late.as_secs_f64() * 1e3);
                progress.inc(1);
            }
            Ok(times)
        });
        for (event, arrival) in events.into_iter().zip(arrivals) {
            // Arrivals closer than a sleep is exact come together, as they do on a network.
            let ahead = arrival.saturating_sub(start.elapsed());
            if ahead > Duration::from_micros(200) {
                thread::park_timeout(ahead);
            }
            let ticket = ledger.pipeline.submit(vec![event])?;
            if hand.send((arrival, ticket)).is_err() {
                break;
            }
        }
        drop(hand);
        waiting.join().expect("the waiting thread does not panic")
    })?;
    let commits = ledger.reader().latest()?.epoch().epoch - before;
    let commits = usize::try_from(commits)?.max(1);
    done(&progress);
    ledger.events += count;
    let note = format!(
        "{:.0} events/s arriving, {:.0} a batch on average",
        per_second,
        crate::statistics::float(count) / crate::statistics::float(commits)
    );
    Ok(vec![
        Figure::new(
            "answer-p50",
            "answer time at half the load, p50",
            "半负荷答复时间，p50",
            percentile(times.clone(), 50),
            "ms",
        )
        .note(&note),
        Figure::new(
            "answer-p99",
            "answer time at half the load, p99",
            "半负荷答复时间，p99",
            percentile(times, 99),
            "ms",
        ),
    ])
}
