//! Answer times at a steady load: an open loop, so that a slow answer does not thin out the load.

use std::time::{Duration, Instant};

use anyhow::Result;
use zhao_spec::life::event::Event;

use crate::figure::Figure;
use crate::ledger::{Ledger, accepted};
use crate::office::START;
use crate::progress::{bar, done};
use crate::statistics::percentile;
use crate::workload::{BATCH, verified};

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
    let mut events = events.into_iter();
    let mut times = Vec::with_capacity(count);
    let (start, mut next, mut commits) = (Instant::now(), 0, 0_usize);
    while next < count {
        let now = start.elapsed();
        let waiting = arrivals[next..].partition_point(|arrival| *arrival <= now);
        if waiting == 0 {
            // Microseconds at this load: giving the processor away would cost more.
            std::thread::yield_now();
            continue;
        }
        let taken = waiting.min(BATCH);
        let batch: Vec<Event> = events.by_ref().take(taken).collect();
        accepted(&ledger.sequencer.commit(verified(batch), START)?)?;
        let answered = start.elapsed();
        let late = |arrival: &Duration| (answered.saturating_sub(*arrival)).as_secs_f64() * 1e3;
        times.extend(arrivals[next..next + taken].iter().map(late));
        next += taken;
        commits += 1;
        progress.inc(u64::try_from(taken)?);
    }
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
