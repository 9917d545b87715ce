//! What a licence costs in processor time and room, and how long a query takes:
//!
//!     cargo test --release -p zhao-tests --test speed -- --ignored --nocapture
//!
//! `ZHAO_LICENCES` says how many, a million otherwise.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a measurement reads the clock, says what it read, and stops at what is unexpected"
)]

use std::time::{Duration, Instant};

use zhao_issuer::records::{NewLicence, Origin, Records, Search, Standing, Unit};
use zhao_issuer::vault::Secrets;
use zhao_spec::id::{LicenceIdentifier, LicenceTypeCode, Uscc};
use zhao_spec::life::data::{Action, Note};
use zhao_spec::life::event::Event;
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::life::verb::Verb;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::{Hash, SecretKey, UnixMillis};

const ORIGIN: &str = "zhao.example/records";
const UNIT: &str = "11320400DEM0001293";
const TYPE: &str = "11100000000013338W032";
const NOW: UnixMillis = UnixMillis(1_795_327_200_000);

/// Licences in one transaction.
const CHUNK: u32 = 2_000;

/// A licence of a person of its own.
struct Person {
    code: String,
    credential: String,
    id: String,
    identifier: String,
    name: String,
    number: String,
    reference: String,
    serial: String,
    subject: Hash,
}

impl Person {
    fn new(n: u32) -> Self {
        let id = format!("urn:uuid:00000000-0000-4000-8000-{n:012}");
        let serial = format!("2026{n:07}");
        let type_code = LicenceTypeCode::parse(TYPE).unwrap();
        let unit = Uscc::parse(UNIT).unwrap();
        let identifier = LicenceIdentifier::new(type_code, unit, &serial, 1).unwrap();
        Self {
            code: format!("32040219{n:010}"),
            // A credential has about 1.5 kB.
            credential: "面".repeat(500),
            identifier: identifier.to_string(),
            name: format!("示例{n}氏"),
            number: format!("JY1320400{n:07}号"),
            reference: format!("常审〔2026〕第{n:06}号"),
            subject: subject_key(ORIGIN, Kind::Licence, &id),
            id,
            serial,
        }
    }

    fn licence(&self) -> NewLicence<'_> {
        NewLicence {
            credential: self.credential.as_bytes(),
            credential_id: &self.id,
            holder_code: &self.code,
            holder_code_type: "111",
            holder_name: &self.name,
            identifier: &self.identifier,
            number: &self.number,
            origin: Origin::New,
            predecessor: None,
            reference: Some(&self.reference),
            serial: &self.serial,
            subject: self.subject,
            type_code: TYPE,
            unit: UNIT,
            version: 1,
        }
    }

    fn event(&self) -> Event {
        let mut event = Event {
            action: Action::Plain(Verb::Hold, Note::default()),
            effective: NOW,
            origin: ORIGIN.to_owned(),
            prev: None,
            seq: 0,
            signatures: Vec::new(),
            signer: Some(Hash([2; 32])),
            subject: self.subject,
        };
        event.sign(&SecretKey::from_seed([3; 32]));
        event
    }
}

/// A receipt of a ledger's size: the event, an epoch's part, a path whose upper half is shared.
fn receipt(event: &Event, index: u64) -> Standing {
    let event = String::from_utf8(event.bytes()).unwrap();
    let (head, path) = (
        "epoch and checkpoint ".repeat(40),
        format!("{index:040}").repeat(10),
    );
    let opening = format!(r#"{{"event":{event},"format":"zhao/v1 receipt","head":"{head}""#);
    let receipt = format!(r#"{opening},"index":{index},"proof":"{path}{head}"}}"#).into_bytes();
    let index = LeafIndex(index);
    Standing::Receipted { index, receipt }
}

/// Processor time of this process so far.
fn processor() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after = stat.rsplit_once(')').unwrap().1;
    let ticks: u64 = after
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|field| field.parse::<u64>().unwrap())
        .sum();
    Duration::from_millis(ticks * 10)
}

fn slowest(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

#[test]
#[ignore = "a measurement of minutes"]
fn a_million_licences() {
    let count: u32 = std::env::var("ZHAO_LICENCES").map_or(1_000_000, |text| text.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.db");
    let mut secrets = Secrets::default();
    secrets.add(1, [7; 32]);
    let mut records = Records::create(&path, ORIGIN, b"genesis", &secrets).unwrap();
    let transaction = records.begin().unwrap();
    let unit = Unit {
        name: "示例局".to_owned(),
        uscc: UNIT.to_owned(),
    };
    transaction.put_unit(&unit, NOW).unwrap();
    transaction.commit().unwrap();
    let (mut insert, mut settle) = (Duration::ZERO, Duration::ZERO);
    for first in (1..=count).step_by(CHUNK as usize) {
        let people: Vec<Person> = (first..first + CHUNK).map(Person::new).collect();
        let events: Vec<_> = people.iter().map(Person::event).collect();
        let receipts: Vec<_> = events.iter().zip(0..).map(|(e, n)| receipt(e, n)).collect();
        let from = processor();
        let transaction = records.begin().unwrap();
        let mut rows = Vec::new();
        for (person, event) in people.iter().zip(&events) {
            let row = transaction.say(event, &[], NOW).unwrap();
            transaction
                .add_licence(&person.licence(), row, NOW)
                .unwrap();
            rows.push(row);
        }
        transaction.commit().unwrap();
        insert += processor() - from;
        let from = processor();
        let transaction = records.begin().unwrap();
        for (row, receipt) in rows.iter().zip(&receipts) {
            transaction.settle(*row, receipt, NOW).unwrap();
        }
        transaction.commit().unwrap();
        settle += processor() - from;
    }
    let bytes = std::fs::metadata(&path).unwrap().len();
    eprintln!(
        "{count} licences: {:.1} µs to insert, {:.1} µs to settle, {} bytes each",
        insert.as_secs_f64() * 1e6 / f64::from(count),
        settle.as_secs_f64() * 1e6 / f64::from(count),
        bytes / u64::from(count),
    );
    drop(records);
    let records = Records::open(&path, &secrets).unwrap();
    let mut times: [Vec<Duration>; 7] = Default::default();
    for n in (1..=count).step_by((count / 2_000).max(1) as usize) {
        let person = Person::new(n);
        let queries: [&dyn Fn() -> bool; 7] = [
            &|| records.licence(&person.subject).unwrap().is_some(),
            &|| records.find_licence(&person.number).unwrap().is_some(),
            &|| records.find_licence(&person.identifier).unwrap().is_some(),
            &|| {
                records
                    .with_reference(UNIT, &person.reference)
                    .unwrap()
                    .is_some()
            },
            &|| {
                !records
                    .licences(Search::HolderCode(&person.code), 0, 50)
                    .unwrap()
                    .is_empty()
            },
            &|| {
                !records
                    .licences(Search::HolderName(&person.name), 0, 50)
                    .unwrap()
                    .is_empty()
            },
            &|| {
                !records
                    .licences(Search::All, i64::from(n) - 1, 50)
                    .unwrap()
                    .is_empty()
            },
        ];
        for (query, times) in queries.iter().zip(&mut times) {
            let from = Instant::now();
            assert!(query());
            times.push(from.elapsed());
        }
    }
    let names = [
        "subject",
        "number",
        "identifier",
        "reference",
        "holder code",
        "holder name",
        "page of 50",
    ];
    for (name, times) in names.iter().zip(times) {
        let (median, p99) = slowest(times);
        eprintln!("{name}: median {median:?}, p99 {p99:?}");
    }
    let from = Instant::now();
    records.licence_counts().unwrap();
    eprintln!("counts: {:?}", from.elapsed());
}
