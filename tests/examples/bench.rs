//! `make bench`: what the ledger costs on this machine, beside what the machine can do, as ratios.
//!
//! Workload: batches of 1,000 events, half `issued` of an indexed open type (two map keys each),
//! half `hold` of the licences before; signatures made beforehand, one synced write a batch, nobody
//! cosigns. Limits of the same run: strict Ed25519 verification on one and two threads, SHA-256 of
//! a leaf, a synced 4 KiB write. Rates are medians of five.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark's clock and table"
)]

use std::hint::black_box;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use zhao_ledger::audit::{Auditor, StoreLeaves};
use zhao_ledger::fsck;
use zhao_ledger::read::Reader;
use zhao_ledger::sequence::{Config, Outcome, Quorum, Sequencer};
use zhao_ledger::store::Store;
use zhao_ledger::store::files::Directory;
use zhao_ledger::store::rocks::Rocks;
use zhao_spec::life::data::{Action, Note};
use zhao_spec::life::event::{Event, VerifiedEvent};
use zhao_spec::life::verb::Verb;
use zhao_spec::log::cosignature::UnixSeconds;
use zhao_spec::log::note::NoteSigner;
use zhao_spec::log::policy::Policy;
use zhao_spec::log::tree::leaf_hash;
use zhao_spec::wire::Hash;
use zhao_tests::office::{Chain, Office, START, secret};

const ORIGIN: &str = "bench.zhao.example/log";
/// Licences when no number is given.
const LICENCES: u64 = 50_000;
const BATCH: usize = 1_000;
const LEAF_BYTES: usize = 600;
/// Parts of a run, of which the median counts.
const SLICES: usize = 5;
const SLICE: Duration = Duration::from_millis(200);
/// No divisor of any usual number of licences: licences are read all over the map.
const STRIDE: u64 = 7_919;

type Failed = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failed> {
    let licences = match std::env::args().nth(1) {
        Some(text) => text.parse::<u64>()?.max(1),
        None => LICENCES,
    };
    let office = Office::new(ORIGIN);
    println!("signing events about {licences} licences");
    let batches = workload(&office, licences);
    // Beside the build's output, not in a folder that may be in memory.
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    let folder = tempfile::tempdir_in(target)?;

    println!("\nthis machine");
    let verifying = machine(folder.path())?;
    println!("\nthe ledger");
    ledger(&office, folder.path(), batches, verifying)?;
    Ok(())
}

/// In each batch, half holds of the licences of the batch before, the rest new licences.
fn workload(office: &Office, licences: u64) -> Vec<Vec<Event>> {
    let mut earlier: Vec<(Hash, Chain)> = Vec::new();
    let mut batches = Vec::new();
    let mut n = 0;
    while n < licences {
        let hold = |(subject, chain)| {
            let hold = Action::Plain(Verb::Hold, Note::default());
            office.by_unit(subject, Some(chain), hold)
        };
        let mut batch: Vec<Event> = earlier.drain(..).map(hold).collect();
        while batch.len() < BATCH && n < licences {
            let event = office.by_unit(office.licence(n), None, office.issue(n, None));
            if earlier.len() < BATCH / 2 {
                earlier.push((event.subject, Chain::after(&event)));
            }
            batch.push(event);
            n += 1;
        }
        batches.push(batch);
    }
    batches
}

/// What the machine can do; returns its verifications a second on two threads.
fn machine(folder: &Path) -> Result<f64, Failed> {
    let (key, message) = (secret("unit"), vec![7_u8; LEAF_BYTES]);
    let (public, signature) = (key.public(), key.sign(&message));
    let verify = || assert!(public.verify(&message, &signature).is_ok());
    let one = rate(verify);
    let two = thread::scope(|scope| {
        let other = scope.spawn(|| rate(verify));
        rate(verify) + other.join().expect("the other thread measures")
    });
    let mut file = tempfile::tempfile_in(folder)?;
    let mut sync = || {
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&[7; 4_096])?;
        file.sync_data()
    };
    sync()?;
    let syncs = rate(|| sync().expect("it was possible before"));
    let hashes = rate(|| {
        black_box(leaf_hash(black_box(&message)));
    });
    row("strict verification, one thread", one, "/s", None);
    row("strict verification, two threads", two, "/s", None);
    row("hash of a leaf of 600 bytes", hashes, "/s", None);
    row("synced write of 4 KiB", syncs, "/s", None);
    Ok(two)
}

fn ledger(
    office: &Office,
    folder: &Path,
    batches: Vec<Vec<Event>>,
    verifying: f64,
) -> Result<(), Failed> {
    let store: Arc<dyn Store> = Arc::new(Rocks::create(&folder.join("log"))?);
    let files = Arc::new(Directory::open(&folder.join("files"))?);
    let signer = NoteSigner::new(ORIGIN, secret("log"))?;
    let vkey = signer.vkey().clone();
    let policy = format!("log {}\nquorum none\n", vkey.format());
    let config = Config {
        signer,
        quorum: Quorum {
            policy: Policy::parse(&policy)?,
            trust: None,
        },
        cosigners: Vec::new(),
        max_unpublished: 0,
    };
    let (genesis, shown) = (office.genesis(), files.clone());
    let mut sequencer = Sequencer::create(Arc::clone(&store), shown, config, &genesis, START)?;
    sequencer.commit(verified(office.founding()), START)?;
    let events: usize = batches.iter().map(Vec::len).sum();
    let licences = batches
        .iter()
        .flatten()
        .filter(|event| event.seq == 0)
        .count();
    let slice = batches.len().div_ceil(SLICES);
    let (mut rates, mut batches) = (Vec::new(), batches.into_iter());
    while batches.len() > 0 {
        let (start, mut done) = (Instant::now(), 0);
        for batch in batches.by_ref().take(slice) {
            done += batch.len();
            let outcomes = sequencer.commit(verified(batch), START)?;
            let accepted = |outcome: &Outcome| matches!(outcome, Outcome::Accepted { .. });
            assert!(outcomes.iter().all(accepted), "{outcomes:?}");
        }
        rates.push(per_second(done, start));
    }
    let against = Some((verifying, "verification on two threads"));
    row(
        "events made durable, batches of 1,000",
        median(rates),
        "/s",
        against,
    );
    drop(sequencer);

    let bytes = on_disk(&folder.join("log"))?;
    row("on disk", bytes / as_float(events), "B an event", None);
    proofs(office, &store, u64::try_from(licences)?)?;

    let auditing = Instant::now();
    let own = Arc::new(Rocks::create(&folder.join("auditor"))?);
    let source = Arc::new(StoreLeaves(Arc::clone(&store)));
    let (name, key) = ("auditor.example", secret("auditor"));
    let mut auditor = Auditor::new(name, key, vkey.clone(), genesis.hash(), own, source)?;
    let head = Reader::new(Arc::clone(&store)).latest()?.note().to_owned();
    auditor.cosign(&head, UnixSeconds(START.0 / 1_000))?;
    row(
        "events replayed by an auditor",
        per_second(events, auditing),
        "/s",
        None,
    );

    let checking = Instant::now();
    let report = fsck::check(&*store, &*files, &vkey)?;
    assert!(report.is_clean(), "{:?}", report.findings);
    row(
        "events checked by fsck",
        per_second(events, checking),
        "/s",
        None,
    );
    println!("({events} events about {licences} licences)");
    Ok(())
}

fn proofs(office: &Office, store: &Arc<dyn Store>, licences: u64) -> Result<(), Failed> {
    let reader = Reader::new(Arc::clone(store));
    let view = reader.latest()?;
    let (mut n, mut count, mut bytes) = (0, 0_usize, 0_usize);
    let proving = rate(|| {
        n = (n + STRIDE) % licences;
        let (path, record) = view.placed(&office.licence(n)).expect("it was logged");
        assert!(record.is_some(), "licence {n} has no record");
        bytes += path.hashes.len() * 32 + path.depths.len();
        count += 1;
    });
    row("records read with their proof", proving, "/s", None);
    row("a map proof", as_float(bytes) / as_float(count), "B", None);
    Ok(())
}

/// Checks signatures on two threads, as a server does before it commits.
fn verified(mut events: Vec<Event>) -> Vec<VerifiedEvent> {
    fn verify(events: Vec<Event>) -> Vec<VerifiedEvent> {
        let verify = |event: Event| event.verify_signatures().expect("the workload is signed");
        events.into_iter().map(verify).collect()
    }
    let second = events.split_off(events.len() / 2);
    thread::scope(|scope| {
        let other = scope.spawn(|| verify(second));
        let mut all = verify(events);
        all.extend(other.join().expect("the other thread verifies"));
        all
    })
}

/// Runs a second.
fn rate(mut run: impl FnMut()) -> f64 {
    let one = |_| {
        let (start, mut count) = (Instant::now(), 0);
        while start.elapsed() < SLICE {
            run();
            count += 1;
        }
        per_second(count, start)
    };
    median((0..SLICES).map(one).collect())
}

fn per_second(count: usize, start: Instant) -> f64 {
    as_float(count) / start.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Exact for everything counted here.
fn as_float(count: usize) -> f64 {
    count as f64
}

fn on_disk(folder: &Path) -> Result<f64, Failed> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(as_float(usize::try_from(bytes)?))
}

fn row(name: &str, value: f64, unit: &str, against: Option<(f64, &str)>) {
    let ratio = against.map_or_else(String::new, |(limit, what)| {
        format!("  {:.2} of {what}", value / limit)
    });
    println!("  {name:<40} {value:>10.0} {unit}{ratio}");
}
