//! The same for the office: a process that issues, changes and replaces licences while a thread
//! delivers is killed again and again. Afterwards every acknowledged act is in the log once, every
//! row of the outbox is settled once, and records and log agree.

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
use zhao_issuer::office::{
    Act, ClientError, Grant, Grounds, LedgerClient, Office, Outcome, Replacement, Submitted,
};
use zhao_issuer::records::{LicenceState, Records, Standing};
use zhao_issuer::vault::Secrets;
use zhao_ledger::read::{ReadError, Reader, View};
use zhao_ledger::sequence::{Outcome as Judged, Sequencer};
use zhao_ledger::store::layout::Heads;
use zhao_ledger::store::{self, Store};
use zhao_spec::id::{LicenceTypeCode, Uscc};
use zhao_spec::life::data::Relation;
use zhao_spec::life::event::Event;
use zhao_spec::life::record::Record;
use zhao_spec::life::verb::Verb;
use zhao_spec::log::checkpoint::Checkpoint;
use zhao_spec::log::note::SignedNote;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::{Hash, SecretKey, UnixMillis};
use zhao_tests::dice::Dice;
use zhao_tests::machine::ORIGIN;
use zhao_tests::office::{Office as Founding, START, UNIT, secret};
use zhao_tests::promise::{Checked, ensure, text};
use zhao_tests::quick;

use crate::site::Site;
use crate::stage::{Abort, OFFICE_WAYS, Place, Stages};

/// The variable with an office worker's job: seed, abort or `-`, folder.
pub(crate) const JOB: &str = "ZHAO_TORTURE_OFFICE";
/// Bytes that one office may need.
const ROOM: u64 = 512 << 20;
/// A worker is killed at the latest after this many lines.
const KILL_LINES: u64 = 240;
/// Turns at one place, at most, until an abort.
const ABORT_TURNS: u64 = 8;
/// Acts on their way before the worker waits for the oldest.
const AHEAD: usize = 6;
/// Longer than any commit takes.
const PATIENCE: Duration = Duration::from_secs(60);
const SIGKILL: i32 = 9;
const SIGABRT: i32 = 6;

/// The ledger in this process, which may die at a submission.
struct Client {
    reader: Reader,
    sequencer: Mutex<Sequencer>,
    stages: Arc<Stages>,
}

fn unread(error: impl std::fmt::Display) -> ClientError {
    ClientError::Protocol(error.to_string())
}

impl LedgerClient for Client {
    fn origin(&self) -> &str {
        ORIGIN
    }

    fn submit(&self, events: Vec<Event>, now: UnixMillis) -> Result<Vec<Submitted>, ClientError> {
        let ids: Vec<Hash> = events.iter().map(Event::id).collect();
        let verify = |event: Event| event.verify_signatures().unwrap();
        let events = events.into_iter().map(verify).collect();
        let commit = || self.sequencer.lock().unwrap().commit(events, now);
        let outcomes = self.stages.pass(Place::Submit, || (), commit);
        let outcomes = outcomes.map_err(unread)?;
        let view = self.reader.latest().map_err(unread)?;
        let answer = |(id, outcome): (&Hash, Judged)| match outcome {
            Judged::Accepted { index } | Judged::Duplicate { index } => {
                let receipt = view.receipt(id).map_err(unread)?.bytes();
                Ok(Submitted::Receipted { index, receipt })
            }
            Judged::Pending { .. } => Ok(Submitted::Pending),
            Judged::Refused(refusal) => Ok(Submitted::Refused {
                code: refusal.code().to_owned(),
                detail: refusal.to_string(),
            }),
        };
        ids.iter().zip(outcomes).map(answer).collect()
    }

    fn record(&self, subject: &Hash) -> Result<Option<Record>, ClientError> {
        let view = self.reader.latest().map_err(unread)?;
        Ok(view.placed(subject).map_err(unread)?.1)
    }
}

/// The published part of the log, for fsck.
struct Published<'a> {
    store: &'a dyn Store,
    view: &'a View<'a>,
}

impl fsck::Log for Published<'_> {
    fn size(&self) -> Result<u64, ClientError> {
        Ok(self.view.size().0)
    }

    fn leaf(&self, index: LeafIndex) -> Result<Vec<u8>, ClientError> {
        self.view.leaf(index).map_err(unread)
    }

    fn record(&self, subject: &Hash) -> Result<Option<Record>, ClientError> {
        Ok(self.view.placed(subject).map_err(unread)?.1)
    }

    fn published_root(&self, size: u64) -> Result<Option<Hash>, ClientError> {
        let note = store::read::<Heads>(self.store, &size).map_err(unread)?;
        Ok(note.map(|note| {
            let note = SignedNote::parse(std::str::from_utf8(&note).unwrap()).unwrap();
            Checkpoint::parse(note.text()).unwrap().root
        }))
    }
}

/// Opens the office of a folder; makes what is not there yet, whoever died meanwhile.
fn open(folder: &Path, stages: &Arc<Stages>) -> (Arc<dyn Store>, Office<Client>) {
    let site = Site::at(&folder.join("ledger"));
    fs::create_dir_all(folder).unwrap();
    let log = site.log().unwrap();
    let (sequencer, _) = site.open(&log, stages).unwrap();
    let client = Client {
        reader: sequencer.reader(),
        sequencer: Mutex::new(sequencer),
        stages: Arc::clone(stages),
    };
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
fn found(office: &mut Office<Client>, rng: &mut ChaCha20Rng) {
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

fn row(number: u64) -> Row {
    let cells = [
        ("holderName", "常州示例食品有限公司"),
        ("holderCode", "91320402DEM0010172"),
        ("representative", "张示例"),
        ("premises", "常州市天宁区示例路1号"),
        ("businessForm", "catering"),
        ("operationItems", "热食类食品制售"),
        ("supervisor", "常州市示例市场监督管理局"),
    ];
    let cell = |(name, text): (&str, &str)| (name.to_owned(), Cell::Text(text.to_owned()));
    Row::new(number, cells.into_iter().map(cell))
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
        let defaults = Defaults {
            licence_type: Some("food-operation".to_owned()),
            today: START.beijing_date(),
            unit: Some(Uscc::parse(UNIT).unwrap()),
        };
        let rows = (1..=1 + dice.roll(3)).map(|n| Ok(row(n))).collect();
        let declared = office.declare_batch(rows, &defaults, START, rng).unwrap();
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
    let parts: Vec<&str> = job.splitn(3, ' ').collect();
    let [seed, abort, folder] = parts[..] else {
        panic!("no job: {job}")
    };
    let abort = (abort != "-").then(|| abort.parse::<Abort>().unwrap());
    let stages = Stages::loud(abort);
    stages.say("");
    let (_, mut office) = open(Path::new(folder), &stages);
    let seed: u64 = seed.parse().unwrap();
    let (mut dice, mut rng) = (Dice::new(seed), ChaCha20Rng::seed_from_u64(seed));
    found(&mut office, &mut rng);
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
}

impl Heard {
    fn hear(&mut self, line: &str) -> Checked {
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

/// Runs an office through so many deaths.
pub(crate) fn run(seed: u64, rounds: u64) {
    let root = quick::root(ROOM, env!("CARGO_TARGET_TMPDIR"));
    let mut temporary = tempfile::Builder::new()
        .prefix("torture-office-")
        .tempdir_in(root)
        .unwrap();
    let folder = temporary.path().join("office");
    let (mut dice, mut heard) = (Dice::new(seed), Heard::default());
    for round in 0..rounds {
        // Every third worker is killed, the others abort, each way to die in turn.
        let (abort, lines) = if round % 3 == 2 {
            (None, 1 + dice.roll(KILL_LINES))
        } else {
            let turn = round - round / 3;
            let way = usize::try_from(seed.wrapping_add(turn).wrapping_mul(5) % 14).unwrap();
            let (place, edge) = OFFICE_WAYS[way];
            let turn = 1 + dice.roll(ABORT_TURNS);
            (Some(Abort { place, edge, turn }), u64::MAX)
        };
        let how = abort.map_or(format!("kill after {lines}"), |abort| abort.to_string());
        let job_seed = seed.wrapping_mul(1_000).wrapping_add(round);
        let result =
            live(&folder, job_seed, abort, lines, &mut heard).and_then(|()| check(&folder, &heard));
        match result {
            Ok(said) => {
                let mut out = std::io::stdout().lock();
                let _ = writeln!(out, "office round {round}: {how}; {said}");
            }
            Err(problem) => {
                temporary.disable_cleanup(true);
                panic!("seed {seed}, round {round}, {how}: {problem}\nkept: {folder:?}");
            }
        }
    }
    assert!(!heard.receipted.is_empty(), "nothing was acknowledged");
}

/// One worker's life.
fn live(folder: &Path, seed: u64, abort: Option<Abort>, lines: u64, heard: &mut Heard) -> Checked {
    let way = abort.map_or("-".to_owned(), |abort| abort.to_string());
    let job = format!("{seed} {way} {}", folder.display());
    let program: PathBuf = text(std::env::current_exe())?;
    let child = Command::new(program)
        .args(["office_worker", "--exact", "--test-threads", "2"])
        .env(JOB, job)
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
        if count == lines {
            text(worker.0.kill())?;
        }
    }
    let status = text(worker.0.wait())?;
    let meant = if abort.is_some() { SIGABRT } else { SIGKILL };
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
fn check(folder: &Path, heard: &Heard) -> Checked<String> {
    let (log, mut office) = open(folder, &Stages::quiet());
    let sent = text(office.deliver(START))?;
    ensure(sent.pending == 0 && sent.trouble.is_none(), || {
        format!("not everything is delivered: {sent:?}")
    })?;
    let reader = office.client().reader.clone();
    let view = text(
        reader
            .latest()
            .map_err(|error: ReadError| error.to_string()),
    )?;
    let published = Published {
        store: &*log,
        view: &view,
    };
    let report = text(fsck::check(office.records(), &published))?;
    ensure(report.is_clean() && report.pending == 0, || {
        format!("records and log do not agree: {report:?}")
    })?;
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
