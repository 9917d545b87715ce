//! `zhao bench`: whether this machine and this disk are fit to run a log, in under a minute.
//!
//! A log is made in a temporary folder on the disk asked about and removed at the end. The figures
//! are for an operator's choice of a machine; how Zhao stands beside its peers is `make bench`.

mod disk;
mod workload;

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use zhao_ledger::sequence::{Config, Outcome, Quorum, Sequencer};
use zhao_ledger::store::Store;
use zhao_ledger::store::files::Directory;
use zhao_ledger::store::rocks::Rocks;
use zhao_spec::life::event::{Event, VerifiedEvent};
use zhao_spec::log::note::NoteSigner;
use zhao_spec::log::policy::Policy;
use zhao_spec::wire::{SecretKey, UnixMillis};

use crate::args::Bench;
use crate::failure::{Exit, Failure, args, because};
use crate::session::{Colour, Session};
use crate::sheet::Sheet;
use disk::{Disk, Sync};
use workload::{Workload, secret};

/// Events of a batch.
const BATCH: usize = 1_000;
/// Parts of a measurement, of which the median counts.
const SLICES: usize = 5;
/// Records read with their proof in each part.
const PROOFS: usize = 2_000;

/// What was measured.
#[derive(Debug)]
struct Measured {
    disk: Disk,
    /// Events made durable, a second.
    admitted: f64,
    /// Records read with their proof, a second.
    proved: f64,
    /// Bytes of a map proof, on average.
    proof_bytes: f64,
    /// Bytes on disk for an event.
    event_bytes: f64,
    /// Events in the log.
    events: usize,
}

/// Runs the command.
///
/// # Errors
/// The folder cannot be written to, or the log's.
pub(crate) fn run(session: &Session, command: &Bench) -> Result<Exit, Failure> {
    let dir = &command.dir;
    let wrap = |cause: std::io::Error| Failure::file("write", dir, &cause);
    // Removed when it goes out of scope, whatever happens before.
    let folder = tempfile::Builder::new()
        .prefix(".zhao-bench-")
        .tempdir_in(dir)
        .map_err(wrap)?;
    let disk = Disk::measure(session, folder.path()).map_err(wrap)?;
    let measured = measure(session, folder.path(), disk, command.count)?;
    if command.json {
        session.line(&json(&measured).to_string())?;
    } else {
        print(session, &measured)?;
    }
    Ok(match measured.disk.sync {
        Sync::Plausible => Exit::Fine,
        Sync::InMemory | Sync::TooFast => Exit::Refused,
    })
}

/// Makes a log of `count` licences, each put on hold later, and measures it.
fn measure(session: &Session, folder: &Path, disk: Disk, count: u64) -> Result<Measured, Failure> {
    let now = session.host.now()?;
    let workload = Workload::new(now);
    let batches = workload.batches(count, BATCH);
    let events = batches.iter().map(Vec::len).sum();
    let database = folder.join("log");
    let store = Rocks::create(&database).map_err(because("ledger", args![]))?;
    let store: Arc<dyn Store> = Arc::new(store);
    let (sequencer, admitted) = admit(session, &workload, store, folder, batches, now)?;

    let reader = sequencer.reader();
    let view = reader.latest().map_err(because("ledger", args![]))?;
    let (mut rates, mut bytes, mut proofs, mut n) = (Vec::new(), 0, 0_usize, 0);
    for _ in 0..SLICES {
        let watch = session.host.stopwatch();
        for _ in 0..PROOFS {
            // A prime stride reaches licences all over the map.
            n = (n + 7_919) % count;
            let (path, _) = view
                .placed(&workload.licence(n))
                .map_err(because("ledger", args![]))?;
            bytes += path.hashes.len() * 32 + path.depths.len();
            proofs += 1;
        }
        rates.push(per_second(PROOFS, watch.read()));
    }
    let on_disk =
        disk::folder_bytes(&database).map_err(|cause| Failure::file("read", &database, &cause))?;
    Ok(Measured {
        disk,
        admitted,
        proved: median(rates),
        proof_bytes: float(bytes) / float(proofs),
        event_bytes: on_disk / float(events),
        events,
    })
}

/// Makes the log and commits every batch; events a second, the median of five parts.
fn admit(
    session: &Session,
    workload: &Workload,
    store: Arc<dyn Store>,
    folder: &Path,
    batches: Vec<Vec<Event>>,
    now: UnixMillis,
) -> Result<(Sequencer, f64), Failure> {
    let files = Directory::open(&folder.join("files")).map_err(because("ledger", args![]))?;
    let mut sequencer = Sequencer::create(
        store,
        Arc::new(files),
        config(secret("log"))?,
        &workload.genesis(),
        now,
    )
    .map_err(because("ledger-start", args![]))?;
    let founding = verified(workload.founding());
    commit(&mut sequencer, founding, now)?;
    let progress = session.progress(
        u64::try_from(batches.len()).unwrap_or(u64::MAX),
        &session.messages.text("bench.admitting"),
    );
    let slice = batches.len().div_ceil(SLICES);
    let (mut rates, mut batches) = (Vec::new(), batches.into_iter());
    while batches.len() > 0 {
        let (watch, mut done) = (session.host.stopwatch(), 0);
        for batch in batches.by_ref().take(slice) {
            done += batch.len();
            commit(&mut sequencer, verified(batch), now)?;
            progress.inc(1);
        }
        rates.push(per_second(done, watch.read()));
    }
    progress.finish_and_clear();
    Ok((sequencer, median(rates)))
}

/// A log that nobody cosigns: the time of witnesses is not this machine's.
fn config(key: SecretKey) -> Result<Config, Failure> {
    let signer = NoteSigner::new(workload::ORIGIN, key).map_err(because("ledger", args![]))?;
    let text = format!("log {}\nquorum none\n", signer.vkey().format());
    Ok(Config {
        quorum: Quorum {
            policy: Policy::parse(&text).map_err(because("ledger", args![]))?,
            trust: None,
            others: Vec::new(),
        },
        signer: signer.into(),
        cosigners: Vec::new(),
        max_unpublished: 0,
        mldsa: None,
        publication: None,
    })
}

fn commit(
    sequencer: &mut Sequencer,
    events: Vec<VerifiedEvent>,
    now: UnixMillis,
) -> Result<(), Failure> {
    let outcomes = sequencer
        .commit(events, now)
        .map_err(because("ledger", args![]))?;
    let refused = outcomes.iter().find_map(|outcome| match outcome {
        Outcome::Refused(refusal) => Some(refusal.to_string()),
        _ => None,
    });
    refused.map_or(Ok(()), |cause| Err(Failure::usage("ledger", args![cause])))
}

/// Checks signatures on two threads, as a server does before it commits.
fn verified(mut events: Vec<Event>) -> Vec<VerifiedEvent> {
    fn verify(events: Vec<Event>) -> Vec<VerifiedEvent> {
        let good = "the workload was just signed";
        let verify = |event: Event| event.verify_signatures().expect(good);
        events.into_iter().map(verify).collect()
    }
    let second = events.split_off(events.len() / 2);
    thread::scope(|scope| {
        let other = scope.spawn(|| verify(second));
        let mut all = verify(events);
        all.extend(other.join().expect("verifying does not panic"));
        all
    })
}

fn json(measured: &Measured) -> serde_json::Value {
    let disk = &measured.disk;
    serde_json::json!({
        "diskFreeBytes": disk.free_bytes,
        "eventBytes": measured.event_bytes.round(),
        "events": measured.events,
        "eventsPerSecond": measured.admitted.round(),
        "mapProofBytes": measured.proof_bytes.round(),
        "proofsPerSecond": measured.proved.round(),
        "sync": disk.sync.as_str(),
        "syncMillis": disk.median_millis,
        "syncMillisP99": disk.slow_millis,
    })
}

fn print(session: &Session, measured: &Measured) -> Result<(), Failure> {
    let disk = &measured.disk;
    let fill = |key: &str, value: String| session.messages.fill(key, &args![value]);
    let mut sheet = Sheet::new(session);
    let (colour, key) = match disk.sync {
        Sync::Plausible => (Colour::Good, "bench.plausible"),
        Sync::InMemory => (Colour::Bad, "bench.in-memory"),
        Sync::TooFast => (Colour::Bad, "bench.too-fast"),
    };
    sheet.text(session.paint(colour, &sheet.word(key)));
    let room = disk.free_bytes as f64 / measured.event_bytes.max(1.0);
    let sync = session.messages.fill(
        "bench.sync",
        &args![
            median = format!("{:.3}", disk.median_millis),
            slow = format!("{:.3}", disk.slow_millis)
        ],
    );
    sheet
        .row("synced-write", sync)
        .row("admission", fill("bench.rate", whole(measured.admitted)))
        .row("proofs", fill("bench.rate", whole(measured.proved)))
        .row(
            "map-proof",
            fill("bench.bytes", whole(measured.proof_bytes)),
        )
        .row(
            "event-on-disk",
            fill("bench.bytes", whole(measured.event_bytes)),
        )
        .row("room", fill("bench.events", whole(room)));
    sheet.text(
        session
            .messages
            .fill("bench.how", &args![events = measured.events, batch = BATCH]),
    );
    sheet.print()
}

fn whole(value: f64) -> String {
    format!("{value:.0}")
}

fn per_second(count: usize, time: Duration) -> f64 {
    float(count) / time.as_secs_f64().max(f64::MIN_POSITIVE)
}

/// The middle value.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// Exact for everything counted here.
fn float(count: usize) -> f64 {
    count as f64
}
