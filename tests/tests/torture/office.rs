//! The same for the office: a process that issues, changes and replaces licences while a thread
//! delivers, or issues files in bulk, is killed again and again. Afterwards every acknowledged act
//! is in the log once, every row of the outbox is settled once, every receipt holds before a
//! verifier, and records and log agree.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use zeroize::Zeroizing;
use zhao_issuer::catalogue::Catalogue;
use zhao_issuer::fsck;
use zhao_issuer::intake::{Cell, Defaults, Row};
use zhao_issuer::keys::{Keyring, WorkFactor};
use zhao_issuer::office::{Act, Grant, Grounds, Office, Outcome, Replacement};
use zhao_issuer::records::{LicenceState, Records, Standing};
use zhao_issuer::vault::Secrets;
use zhao_ledger::store::Store;
use zhao_spec::id::{LicenceTypeCode, Uscc};
use zhao_spec::life::data::Relation;
use zhao_spec::life::verb::Verb;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::{Hash, SecretKey};
use zhao_tests::client::{Around, Client, Published};
use zhao_tests::dice::Dice;
use zhao_tests::machine::{ORIGIN, trust_policy};
use zhao_tests::office::{Office as Founding, START, UNIT, secret};
use zhao_tests::promise::{Checked, ensure, text};
use zhao_tests::quick;
use zhao_verifier::Status;

use crate::bulk::{self, Files};
use crate::site::Site;
use crate::stage::{Abort, OFFICE_WAYS, Place, Stages};

/// The variable with an office worker's job: seed, what it does, abort or `-`, folder.
pub(crate) const JOB: &str = "ZHAO_TORTURE_OFFICE";
/// Bytes that one office may need.
const ROOM: u64 = 512 << 20;
/// A worker is killed at the latest after this many lines.
const KILL_LINES: u64 = 240;
/// Turns at one place, at most, until an abort.
pub(crate) const ABORT_TURNS: u64 = 8;
/// Acts on their way before the worker waits for the oldest.
const AHEAD: usize = 6;
/// Longer than any commit takes.
const PATIENCE: Duration = Duration::from_secs(60);
const SIGKILL: i32 = 9;
const SIGABRT: i32 = 6;

/// Opens the office of a folder; makes what is not there yet, whoever died meanwhile.
pub(crate) fn open(folder: &Path, stages: &Arc<Stages>) -> (Arc<dyn Store>, Office<Client>) {
    let watched = Arc::clone(stages);
    // The process may die at a submission.
    let around: Around = Box::new(move |events, submit| {
        watched.pass(Place::Submit, || (), || submit(events));
        Ok(())
    });
    open_with(folder, stages, around)
}

/// As [`open`], with something else done around each submission.
pub(crate) fn open_with(
    folder: &Path,
    stages: &Arc<Stages>,
    around: Around,
) -> (Arc<dyn Store>, Office<Client>) {
    let site = Site::at(&folder.join("ledger"));
    fs::create_dir_all(folder).unwrap();
    let log = site.log().unwrap();
    let (sequencer, _) = site.open(&log, stages).unwrap();
    let client = Client::new(sequencer, around);
    let passphrase = Zeroizing::new("torture".to_owned());
    let keys = folder.join("keys");
    let mut keyring = if keys.join("identity.age").is_file() {
        Keyring::open(&keys, &passphrase).unwrap()
    } else {
        if keys.exists() {
            fs::remove_dir_all(&keys).unwrap();
        }
        Keyring::create(&keys, &passphrase, WorkFactor::new(1).unwrap()).unwrap()
    };
    let mut secrets = Secrets::open(&mut keyring).unwrap();
    if secrets.latest().is_none() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        secrets.draw(&mut keyring, &mut rng, START).unwrap();
    }
    let path = folder.join("records.db");
    let records = if folder.join("made").is_file() {
        Records::open(&path, &secrets).unwrap()
    } else {
        // A death while it was made left one that nobody used.
        for name in ["records.db", "records.db-wal", "records.db-shm"] {
            let _ = fs::remove_file(folder.join(name));
        }
        let genesis = Founding::new(ORIGIN).genesis().bytes();
        let records = Records::create(&path, ORIGIN, &genesis, &secrets).unwrap();
        fs::write(folder.join("made"), "").unwrap();
        records
    };
    let catalogue = Catalogue::embedded().unwrap();
    let office = Office::open(records, keyring, catalogue, client).unwrap();
    (log, office)
}

fn signers() -> Vec<SecretKey> {
    ["administrator 1", "administrator 2"].map(secret).into()
}

fn food() -> LicenceTypeCode {
    let catalogue = Catalogue::embedded().unwrap();
    catalogue.entry("food-operation").unwrap().type_code.clone()
}

/// Type and unit, unless they were declared before.
pub(crate) fn found(office: &mut Office<Client>, rng: &mut ChaCha20Rng) {
    office.deliver(START).unwrap();
    if office.records().row_ids(0, 10).unwrap().is_empty() {
        let declared = office.publish_type("food-operation", &signers(), START);
        declared.unwrap();
    }
    let unit = Uscc::parse(UNIT).unwrap();
    if office.records().units().unwrap().is_empty() {
        // A key whose owner died before he told anybody keeps its name.
        for number in 1.. {
            let key_name = format!("unit-{number}");
            let types = [food()];
            let grant = Grant {
                key_name: &key_name,
                types: &types,
                unit: &unit,
            };
            let added = office.add_unit("常州市示例局", grant, &signers(), START, rng);
            if added.is_ok() {
                break;
            }
            assert!(number < 100, "{added:?}");
        }
    }
    office.deliver(START).unwrap();
}

/// A row of a batch, with more cells than every row has.
pub(crate) fn row(number: u64, more: &[(&str, &str)]) -> Row {
    let cells = [
        ("holderName", "常州示例食品有限公司"),
        ("holderCode", "91320402DEM0010172"),
        ("representative", "张示例"),
        ("premises", "常州市天宁区示例路1号"),
        ("businessForm", "catering"),
        ("operationItems", "热食类食品制售"),
        ("supervisor", "常州市示例市场监督管理局"),
    ];
    let cell = |(name, text): &(&str, &str)| ((*name).to_owned(), Cell::Text((*text).to_owned()));
    Row::new(number, cells.iter().chain(more).map(cell))
}

pub(crate) fn defaults() -> Defaults {
    Defaults {
        licence_type: Some("food-operation".to_owned()),
        today: START.beijing_date(),
        unit: Some(Uscc::parse(UNIT).unwrap()),
    }
}

/// One act; the rows of the outbox that it made.
fn declare(office: &mut Office<Client>, dice: &mut Dice, rng: &mut ChaCha20Rng) -> Vec<i64> {
    let records = office.records();
    let ids = records.row_ids(0, 400).unwrap().into_iter();
    let issued: Vec<Hash> = ids
        .filter_map(|id| records.licence_of(id).unwrap())
        .filter(|licence| licence.state == LicenceState::Issued)
        .map(|licence| licence.subject)
        .collect();
    let none = Grounds::default();
    let what = dice.roll(6);
    if issued.len() < 3 || what < 2 {
        let rows = (1..=1 + dice.roll(3)).map(|n| Ok(row(n, &[]))).collect();
        let declared = office.declare_batch(rows, &defaults(), START, rng);
        let declared = declared.unwrap();
        let row = |(_, outcome)| match outcome {
            Outcome::Pending(licence) => licence.outbox,
            other => panic!("{other:?}"),
        };
        return declared.into_iter().map(row).collect();
    }
    let licence = issued[dice.place(issued.len())];
    if what == 2 {
        let replacement = Replacement {
            changes: Vec::new(),
            grounds: none,
            relation: Relation::Corrected,
        };
        let outcome = office.replace(&licence, &replacement, START, rng).unwrap();
        let Outcome::Pending(licence) = outcome else {
            panic!("{outcome:?}")
        };
        return vec![licence.outbox];
    }
    // Some of these are refused, and what was built on them too.
    let verbs = [
        Verb::Hold,
        Verb::LiftHold,
        Verb::MarkObjection,
        Verb::Pledge,
    ];
    let act = Act::Plain(verbs[dice.place(verbs.len())]);
    let declared = office.act(&licence, &act, &none, None, START, rng).unwrap();
    vec![declared.id]
}

/// The worker: declares as fast as it can while a thread delivers, and says what was acknowledged
/// only after it was.
pub(crate) fn work(job: &str) {
    let parts: Vec<&str> = job.splitn(4, ' ').collect();
    let [seed, what, abort, folder] = parts[..] else {
        panic!("no job: {job}")
    };
    let abort = (abort != "-").then(|| abort.parse::<Abort>().unwrap());
    let stages = Stages::loud(abort);
    stages.say("");
    let (_, mut office) = open(Path::new(folder), &stages);
    let seed: u64 = seed.parse().unwrap();
    let (mut dice, mut rng) = (Dice::new(seed), ChaCha20Rng::seed_from_u64(seed));
    found(&mut office, &mut rng);
    if let Some(files) = Files::parse(what) {
        return bulk::work(&mut office, &stages, files, &mut rng);
    }
    let office = Mutex::new(office);
    let delivery = office.lock().unwrap().delivery();
    thread::scope(|scope| {
        scope.spawn(|| {
            delivery.run(&office, &|| START, &mut |round| {
                round.unwrap();
            });
        });
        let mut waiting = std::collections::VecDeque::new();
        // Until the process is ended.
        loop {
            let mut office = office.lock().unwrap();
            for id in declare(&mut office, &mut dice, &mut rng) {
                let event = office.records().said(id).unwrap().event.id();
                stages.say(&format!("said {} {id}", event.to_base64()));
                waiting.push_back((event, office.ticket(id).unwrap()));
            }
            drop(office);
            while waiting.len() > AHEAD {
                let (event, ticket) = waiting.pop_front().unwrap();
                let event = event.to_base64();
                match ticket.wait(PATIENCE).expect("it is delivered") {
                    Standing::Receipted { index, .. } => {
                        stages.say(&format!("receipted {event} {index}"));
                    }
                    Standing::Refused { code, .. } => {
                        stages.say(&format!("refused {event} {code}"));
                    }
                    Standing::Pending => unreachable!("a ticket ends with an answer"),
                }
            }
        }
    });
}

/// What the workers said.
#[derive(Default)]
struct Heard {
    said: BTreeMap<Hash, i64>,
    receipted: BTreeMap<Hash, u64>,
    refused: BTreeMap<Hash, String>,
    /// Of the files issued in bulk.
    bulk: bulk::Heard,
    /// Rows of the outbox up to here have receipts that a verifier has judged.
    judged: i64,
}

impl Heard {
    fn hear(&mut self, line: &str) -> Checked {
        if self.bulk.hear(line)? {
            return Ok(());
        }
        let mut words = line.split(' ');
        let (Some(word), Some(event), Some(value)) = (words.next(), words.next(), words.next())
        else {
            return Ok(());
        };
        let event = || text(Hash::from_base64(event));
        match word {
            "said" => drop(self.said.insert(event()?, text(value.parse())?)),
            "receipted" => {
                let before = self.receipted.insert(event()?, text(value.parse())?);
                ensure(before.is_none(), || format!("receipted twice: {line}"))?;
            }
            "refused" => drop(self.refused.insert(event()?, value.to_owned())),
            _ => {}
        }
        Ok(())
    }
}

/// Runs an office through so many deaths. Every other worker issues files of `rows` rows in bulk.
pub(crate) fn run(seed: u64, rounds: u64, rows: u64) {
    let root = quick::root(ROOM, env!("CARGO_TARGET_TMPDIR"));
    let mut temporary = tempfile::Builder::new()
        .prefix("torture-office-")
        .tempdir_in(root)
        .unwrap();
    let folder = temporary.path().join("office");
    let (mut dice, mut heard) = (Dice::new(seed), Heard::default());
    let tell = |line: &str| {
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{line}");
    };
    for round in 0..rounds {
        let job = Job::of(seed, round, rows, &heard, &mut dice);
        let result = live(&folder, &job, &mut heard)
            .and_then(|()| check(&folder, &mut heard))
            .map(|said| tell(&format!("office round {round}: {job}; {said}")));
        if let Err(problem) = result {
            temporary.disable_cleanup(true);
            panic!("seed {seed}, round {round}, {job}: {problem}\nkept: {folder:?}");
        }
    }
    assert!(!heard.receipted.is_empty(), "nothing was acknowledged");
    // Whoever gives the last file once more, to the end, finds everything issued once.
    let finished = finish(&folder, rows, &mut heard);
    match finished {
        Ok(said) => tell(&format!("office of seed {seed}: {said}")),
        Err(problem) => {
            temporary.disable_cleanup(true);
            panic!("seed {seed}, at the end: {problem}\nkept: {folder:?}");
        }
    }
}

/// What one worker does, and how it ends.
struct Job {
    abort: Option<Abort>,
    files: Option<Files>,
    lines: u64,
    seed: u64,
}

impl std::fmt::Display for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = if self.files.is_some() { "bulk" } else { "acts" };
        match self.abort {
            None => write!(f, "{what}, kill after {}", self.lines),
            Some(abort) => write!(f, "{what}, {abort}"),
        }
    }
}

impl Job {
    /// Every third worker is killed, the others abort, each way to die in turn.
    fn of(seed: u64, round: u64, rows: u64, heard: &Heard, dice: &mut Dice) -> Self {
        let bulk = round % 2 == 1;
        let files = bulk.then(|| Files {
            first: heard.bulk.file(),
            rows,
        });
        let (mut abort, mut lines) = (None, u64::MAX);
        if round % 3 == 2 {
            lines = 1 + dice.roll(if bulk { bulk::KILL_LINES } else { KILL_LINES });
        } else {
            let turn = seed.wrapping_add(round / 2 - round / 6);
            let (place, edge) = if bulk {
                bulk::WAYS[usize::try_from(turn % 8).unwrap()]
            } else {
                OFFICE_WAYS[usize::try_from(turn.wrapping_mul(5) % 14).unwrap()]
            };
            let turns = if bulk {
                bulk::turns(place)
            } else {
                ABORT_TURNS
            };
            let turn = 1 + dice.roll(turns);
            abort = Some(Abort { place, edge, turn });
        }
        Self {
            abort,
            files,
            lines,
            seed: seed.wrapping_mul(1_000).wrapping_add(round),
        }
    }
}

/// Issues the last file to its end, and looks at everything.
fn finish(folder: &Path, rows: u64, heard: &mut Heard) -> Checked<String> {
    let stages = Stages::quiet();
    let last = heard.bulk.file();
    {
        let (_, mut office) = open(folder, &stages);
        text(office.deliver(START))?;
        let mut rng = ChaCha20Rng::seed_from_u64(u64::MAX);
        let files = Files { first: last, rows };
        let mut say = |line: &str| heard.bulk.hear(line).map(drop);
        bulk::issue(&mut office, files, &stages, &mut rng, &mut say)?;
    }
    let said = check(folder, heard)?;
    let (_, office) = open(folder, &stages);
    let whole = bulk::check(office.records(), last, rows, &heard.bulk)?;
    Ok(format!("{said}; {whole}"))
}

/// One worker's life.
fn live(folder: &Path, job: &Job, heard: &mut Heard) -> Checked {
    let way = job.abort.map_or("-".to_owned(), |abort| abort.to_string());
    let what = job
        .files
        .map_or("acts".to_owned(), |files| files.to_string());
    let told = format!("{} {what} {way} {}", job.seed, folder.display());
    let program: PathBuf = text(std::env::current_exe())?;
    let child = Command::new(program)
        .args(["office_worker", "--exact", "--test-threads", "2"])
        .env(JOB, told)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut worker = Worker(text(child)?);
    let mut output = BufReader::new(worker.0.stdout.take().ok_or("no output")?);
    let (mut line, mut count) = (String::new(), 0);
    while text(output.read_line(&mut line))? > 0 {
        // A line cut off by the end was not said.
        if let Some(said) = line.strip_suffix('\n') {
            heard.hear(said)?;
        }
        line.clear();
        count += 1;
        if count == job.lines {
            text(worker.0.kill())?;
        }
    }
    let status = text(worker.0.wait())?;
    let meant = if job.abort.is_some() {
        SIGABRT
    } else {
        SIGKILL
    };
    ensure(status.signal() == Some(meant), || {
        let mut said = String::new();
        if let Some(mut stderr) = worker.0.stderr.take() {
            let _ = std::io::Read::read_to_string(&mut stderr, &mut said);
        }
        format!("the worker ended by {status}: {said}")
    })
}

/// A process that ends with its owner.
struct Worker(Child);

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Opens what is left, delivers what waits, and holds the office to its word.
fn check(folder: &Path, heard: &mut Heard) -> Checked<String> {
    let (log, mut office) = open(folder, &Stages::quiet());
    let sent = text(office.deliver(START))?;
    ensure(sent.pending == 0 && sent.trouble.is_none(), || {
        format!("not everything is delivered: {sent:?}")
    })?;
    let reader = office.client().reader();
    let view = text(reader.latest())?;
    let report = agree(&office, &*log)?;
    // What was declared is there, and as it was acknowledged.
    for (event, id) in &heard.said {
        let entry = text(office.records().said(*id))?;
        ensure(entry.event.id() == *event, || {
            format!("row {id} holds another event than {event}")
        })?;
        match entry.standing {
            Standing::Pending => return Err(format!("row {id} is pending")),
            Standing::Receipted { index, .. } => {
                ensure(!heard.refused.contains_key(event), || {
                    format!("row {id} was refused, and is in the log")
                })?;
                let told = heard.receipted.get(event);
                ensure(told.is_none_or(|told| *told == index.0), || {
                    format!("row {id} was acknowledged at {told:?}, it is at {index}")
                })?;
            }
            Standing::Refused { .. } => ensure(!heard.receipted.contains_key(event), || {
                format!("row {id} was acknowledged, and is refused")
            })?,
        }
    }
    heard.judged = judge(office.records(), heard.judged)?;
    // Each event once: the log has as many of them as there are receipted rows.
    let mut seen = std::collections::BTreeSet::new();
    for index in 0..view.size().0 {
        if let Ok(event) = view.event(LeafIndex(index)) {
            ensure(seen.insert(event.id()), || format!("leaf {index}: twice"))?;
        }
    }
    Ok(format!(
        "{} rows, {} licences, {} leaves, {} acknowledged",
        report.rows,
        report.licences,
        report.leaves,
        heard.receipted.len()
    ))
}

/// Records and log agree, and nothing waits.
pub(crate) fn agree(office: &Office<Client>, store: &dyn Store) -> Checked<fsck::Report> {
    let reader = office.client().reader();
    let view = text(reader.latest())?;
    let published = Published { store, view: &view };
    let report = text(fsck::check(office.records(), &published))?;
    ensure(report.is_clean() && report.pending == 0, || {
        format!("records and log do not agree: {report:?}")
    })?;
    Ok(report)
}

/// Holds the receipts of all rows after `from` before a verifier. The last row.
pub(crate) fn judge(records: &Records, from: i64) -> Checked<i64> {
    let (policy, mut last) = (trust_policy(), from);
    loop {
        let ids = text(records.row_ids(last, 1_000))?;
        let Some(end) = ids.last() else {
            return Ok(last);
        };
        last = *end;
        for id in ids {
            let Standing::Receipted { index, receipt } = text(records.said(id))?.standing else {
                continue;
            };
            let verdict = zhao_verifier::verify(&receipt, &policy, None, START, None);
            ensure(verdict.status() == Status::Valid, || {
                format!("the receipt of row {id}, leaf {index}: {verdict:?}")
            })?;
        }
    }
}
