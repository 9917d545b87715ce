//! What a licence costs in processor time and room, and how long a query takes:
//!
//!     cargo test --release -p zhao-issuer records::tests::speed -- --ignored --nocapture
//!
//! `ZHAO_LICENCES` says how many, a million otherwise.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a measurement reads the clock and says what it read"
)]

use std::time::{Duration, Instant};

use super::sample::*;
use super::*;

/// Licences in one transaction.
const CHUNK: u32 = 2_000;

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
    let mut records = create(&dir, &secrets());
    let (mut insert, mut settle) = (Duration::ZERO, Duration::ZERO);
    let padding = "面".repeat(450);
    for first in (1..=count).step_by(CHUNK as usize) {
        let people: Vec<Person> = (first..first + CHUNK)
            .map(|n| {
                let mut person = Person::new(n);
                person.credential.push_str(&padding);
                person
            })
            .collect();
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
    let bytes = std::fs::metadata(path(&dir)).unwrap().len();
    eprintln!(
        "{count} licences: {:.1} µs to insert, {:.1} µs to settle, {} bytes each",
        insert.as_secs_f64() * 1e6 / f64::from(count),
        settle.as_secs_f64() * 1e6 / f64::from(count),
        bytes / u64::from(count),
    );
    drop(records);
    let records = Records::open(&path(&dir), &secrets()).unwrap();
    let mut times: [Vec<Duration>; 7] = Default::default();
    for n in (1..=count).step_by((count / 2_000).max(1) as usize) {
        let person = Person::new(n);
        let queries: [&dyn Fn() -> bool; 7] = [
            &|| records.licence(&person.subject()).unwrap().is_some(),
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
