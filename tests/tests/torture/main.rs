//! Torture: a process that commits is killed again and again, and nothing that it answered or
//! published is ever lost or contradicted.
//!
//! A supervisor starts this very binary as a worker over RocksDB, with a witness and an auditor
//! that keep their own state. It ends it with SIGKILL after a number of lines, or lets it abort
//! before, after or in the middle of the nth durable step; then it looks at what is left. See
//! `check.rs` for what must hold. Everything but the moment of a kill follows from the seed. The
//! loss of power is not made here, but in `tests/power`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where something is not as it must be"
)]

mod batches;
mod bulk;
mod check;
mod full;
mod office;
mod site;
mod stage;
mod supervisor;
mod worker;

use supervisor::{JOB, Supervisor};

/// Rounds until the long form begins a new log.
const LIFE: u64 = 20;

#[expect(
    clippy::disallowed_methods,
    reason = "a worker is told its job, and `make torture` its length, by the environment"
)]
fn told(variable: &str) -> Option<String> {
    std::env::var(variable).ok()
}

/// The worker, when the supervisor starts it; nothing otherwise.
#[test]
fn worker() {
    if let Some(job) = told(JOB) {
        worker::work(&job.parse().unwrap());
    }
}

/// The office's worker, when its supervisor starts it; nothing otherwise.
#[test]
fn office_worker() {
    if let Some(job) = told(office::JOB) {
        office::work(&job);
    }
}

#[test]
fn nothing_an_office_said_is_lost_in_fifteen_crashes() {
    office::run(3, 15, 1_500);
}

/// `make torture`.
#[test]
#[ignore = "takes minutes"]
fn nothing_an_office_said_is_lost() {
    let number = |variable, otherwise| match told(variable) {
        Some(text) => text.parse().unwrap(),
        None => otherwise,
    };
    let (seed, rounds): (u64, u64) = (number("SEED", 4), number("ROUNDS", 300));
    // As below: several short lives.
    for life in 0..rounds.div_ceil(LIFE) {
        office::run(seed + life, LIFE.min(rounds - life * LIFE), 4_000);
    }
}

/// Does nothing, unless the next test starts it on a disk of a few megabytes.
#[test]
fn office_on_a_small_disk() {
    if let Some(folder) = told(full::FOLDER) {
        full::fill(folder.as_ref());
    }
}

#[test]
fn nothing_is_half_issued_when_the_disk_is_full() {
    full::run("office_on_a_small_disk");
}

#[test]
fn nothing_answered_is_lost_in_twenty_crashes() {
    Supervisor::run(1, 20);
}

/// `make torture`.
#[test]
#[ignore = "takes minutes"]
fn nothing_answered_is_lost() {
    let number = |variable, otherwise| match told(variable) {
        Some(text) => text.parse().unwrap(),
        None => otherwise,
    };
    let (seed, rounds) = (number("SEED", 2), number("ROUNDS", 500));
    // A log is looked at whole after each round: several short lives are faster than a long one.
    let mut left: u64 = rounds;
    for life in 0.. {
        let rounds = left.min(LIFE);
        if rounds == 0 {
            break;
        }
        Supervisor::run(seed + life, rounds);
        left -= rounds;
    }
}

#[test]
fn a_job_is_read_as_it_was_written() {
    for (place, edge) in stage::OFFICE_WAYS.iter().chain(&stage::BULK_WAYS) {
        let abort = stage::Abort {
            place: *place,
            edge: *edge,
            turn: 7,
        };
        let job = worker::Job {
            seed: 1,
            from: 2,
            abort: Some(abort),
            folder: "a folder".into(),
        };
        assert_eq!(job.to_string().parse(), Ok(job.clone()));
    }
    for text in [
        "",
        "1 2 -",
        "1 2 Log:Torn:1 x",
        "1 2 Log:After x",
        "1 -2 - x",
    ] {
        assert!(text.parse::<worker::Job>().is_err(), "{text}");
    }
}
