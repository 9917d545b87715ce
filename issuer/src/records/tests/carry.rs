//! What is carried over from the write-ahead log.

use super::sample::*;
use super::*;

/// What a setting of the connection says.
fn setting(records: &Records, name: &str) -> i64 {
    let pragma = format!("PRAGMA {name}");
    let answer = records.connection.query_row(&pragma, [], |row| row.get(0));
    answer.unwrap()
}

#[test]
fn what_was_committed_is_carried_over_beside_its_writer() {
    let dir = tempfile::tempdir().unwrap();
    let mut records = create(&dir, &secrets());
    let carrier = records.carrier().unwrap();
    let before = std::fs::metadata(path(&dir)).unwrap().len();
    fill(&mut records, &people(40));
    assert_eq!(std::fs::metadata(path(&dir)).unwrap().len(), before);
    carrier.carry_over().unwrap();
    assert!(std::fs::metadata(path(&dir)).unwrap().len() > before);
    // The writer goes on.
    let transaction = records.begin().unwrap();
    assert_eq!(transaction.count(UNIT, TYPE, "serial", 2030).unwrap(), 1);
    transaction.commit().unwrap();
    carrier.carry_over().unwrap();
    assert_eq!(records.integrity().unwrap(), Vec::<String>::new());
    check(&records, &people(40));
}

#[test]
fn room_for_many_is_given_back() {
    let dir = tempfile::tempdir().unwrap();
    let records = create(&dir, &secrets());
    let rooms = || ["cache_size", "wal_autocheckpoint"].map(|name| setting(&records, name));
    assert_eq!(rooms(), [-131_072, 16_384]);
    records.expect_many(true).unwrap();
    assert_eq!(rooms(), [-262_144, 65_536]);
    records.expect_many(false).unwrap();
    assert_eq!(rooms(), [-131_072, 16_384]);
}
