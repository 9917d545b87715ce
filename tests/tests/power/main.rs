//! What the disk may do to a ledger: lose power, tear the end of a log, refuse a call, be full,
//! change bytes. Nothing that was answered is ever lost or contradicted; where the ledger cannot
//! go on it says what to do.
//!
//! The loss of power is made below RocksDB (`zhao_faults`), and it is counted in operations, not
//! timed: see `machine.rs` for what is on the disk, `memory.rs` for what must hold.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where something is not as it must be"
)]

mod bits;
mod cuts;
mod files;
mod full;
mod machine;
mod memory;
mod refused;
mod tails;

use std::io::Write as _;

use machine::Unsynced;

#[expect(
    clippy::disallowed_methods,
    reason = "`make torture` says its length by the environment"
)]
fn told(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn nothing_answered_is_lost_in_forty_cuts() {
    let tally = cuts::run(1, 40, Unsynced::default());
    assert!(tally.starting >= 5, "{tally:?}");
    assert!(tally.answered > 100, "{tally:?}");
}

/// What the test above would say of a ledger that does not sync: how often it found a loss.
fn losses(cuts: u64, unsynced: Unsynced) -> usize {
    cuts::run(1, cuts, unsynced).losses.len()
}

const NO_LOG: Unsynced = Unsynced {
    log: true,
    files: false,
};
const NO_FILES: Unsynced = Unsynced {
    log: false,
    files: true,
};

/// The same test with a sync switched off fails: so it can.
#[test]
fn without_a_sync_the_same_test_finds_losses() {
    let (log, files) = (losses(10, NO_LOG), losses(10, NO_FILES));
    assert!(
        log >= 3 && files >= 3,
        "{log} without the log's, {files} without the files'"
    );
}

/// `make torture`.
#[test]
#[ignore = "takes minutes"]
fn nothing_answered_is_lost_without_power() {
    let tally = cuts::run(told("SEED", 2), told("CUTS", 1_000), Unsynced::default());
    assert!(tally.answered > 1_000, "{tally:?}");
}

/// `make torture`.
#[test]
#[ignore = "takes minutes"]
fn without_a_sync_losses_are_found_all_the_time() {
    let cuts = told("CUTS", 1_000) / 5;
    let (log, files) = (losses(cuts, NO_LOG), losses(cuts, NO_FILES));
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "of {cuts} cuts each: {log} losses without the log's sync, {files} without the files'"
    )
    .unwrap();
    let enough = usize::try_from(cuts / 4).unwrap();
    assert!(log > enough && files > enough);
}

#[test]
fn a_refused_write_poisons_the_store() {
    refused::poison();
}

#[test]
fn nothing_answered_is_lost_when_a_call_is_refused() {
    assert!(refused::run(211, 1) >= 20);
}

/// `make torture`.
#[test]
#[ignore = "takes many minutes"]
fn nothing_answered_is_lost_whichever_call_is_refused() {
    refused::run(told("STEP", 1), 16);
}

#[test]
fn a_torn_or_changed_end_of_the_log_is_found() {
    tails::run(97, 5);
}

/// `make torture`.
#[test]
#[ignore = "takes many minutes"]
fn every_torn_or_changed_end_of_the_log_is_found() {
    tails::run(usize::try_from(told("STEP", 1)).unwrap(), 16);
}

/// Does nothing, unless the next test starts it on a disk of a few megabytes.
#[test]
fn on_a_small_disk() {
    if let Some(folder) = full::told() {
        full::fill(&folder);
    }
}

#[test]
fn nothing_answered_is_lost_when_the_disk_is_full() {
    if let Err(why) = full::run("on_a_small_disk") {
        // Loud, so that nobody takes it for a proof.
        let mut err = std::io::stderr().lock();
        writeln!(err, "NOT TESTED: a full disk, because {why}").unwrap();
    }
}

#[test]
fn a_changed_byte_in_the_files_of_every_family_is_found() {
    bits::change_files();
}

#[test]
fn a_wrong_value_in_every_family_is_found() {
    // Leaves, records, heads and their like stop it; indexes are what fsck is for.
    assert!(bits::change_values() >= 4);
}

#[test]
fn the_auditors_copy_can_take_the_place_of_a_lost_database() {
    bits::restore_from_the_auditor();
}
