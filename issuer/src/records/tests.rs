mod carry;
mod faults;
mod lists;
mod migration;
mod rotation;
mod sample;

use std::os::unix::fs::PermissionsExt as _;

use std::path::PathBuf;

use super::*;

fn secrets() -> Secrets {
    let mut secrets = Secrets::default();
    secrets.add(1, [7; 32]);
    secrets
}

fn path(dir: &tempfile::TempDir) -> PathBuf {
    dir.path().join("office.sqlite")
}

#[test]
fn refuses_files_that_are_not_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let error = Records::open(&path(&dir), &secrets()).unwrap_err();
    assert!(matches!(error, RecordsError::Missing(_)), "{error}");
    std::fs::write(
        path(&dir),
        "not a database, but long enough to be taken for one",
    )
    .unwrap();
    let error = Records::open(&path(&dir), &secrets()).unwrap_err();
    assert!(matches!(error, RecordsError::NotRecords(_)), "{error}");
    let error = Records::create(&path(&dir), "o", b"g", &secrets()).unwrap_err();
    assert!(matches!(error, RecordsError::Exists(_)), "{error}");
    let error =
        Records::create(&dir.path().join("absent/office"), "o", b"g", &secrets()).unwrap_err();
    assert!(matches!(error, RecordsError::Io { .. }), "{error}");
    std::fs::remove_file(path(&dir)).unwrap();
    Connection::open(path(&dir))
        .unwrap()
        .execute_batch("CREATE TABLE t (a)")
        .unwrap();
    let error = Records::open(&path(&dir), &secrets()).unwrap_err();
    assert!(matches!(error, RecordsError::NotRecords(_)), "{error}");
}

#[test]
fn refuses_a_later_version() {
    let dir = tempfile::tempdir().unwrap();
    drop(Records::create(&path(&dir), "o", b"g", &secrets()).unwrap());
    let connection = Connection::open(path(&dir)).unwrap();
    connection
        .execute("UPDATE schema_version SET version = 4", [])
        .unwrap();
    let error = Records::open(&path(&dir), &secrets()).unwrap_err();
    assert!(
        matches!(
            error,
            RecordsError::Newer {
                actual: 4,
                known: 3
            }
        ),
        "{error}"
    );
    connection
        .execute("UPDATE schema_version SET version = -1", [])
        .unwrap();
    let error = Records::open(&path(&dir), &secrets()).unwrap_err();
    assert!(
        matches!(
            error,
            RecordsError::Damaged {
                column: "version",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn refuses_rows_without_what_they_refer_to() {
    let dir = tempfile::tempdir().unwrap();
    let mut records = Records::create(&path(&dir), "o", b"g", &secrets()).unwrap();
    let transaction = records.begin().unwrap();
    let error = transaction
        .count("nobody", "type", "serial", 2026)
        .unwrap_err();
    assert!(matches!(error, RecordsError::Sql(_)), "{error}");
    let error = transaction
        .add_type("t", 1, "s", &Hash([0; 32]), 99)
        .unwrap_err();
    assert!(matches!(error, RecordsError::Sql(_)), "{error}");
    drop(transaction);
    assert!(records.said(1).is_err());
    assert_eq!(records.licence(&Hash([0; 32])).unwrap(), None);
    assert_eq!(records.find_licence("x").unwrap(), None);
    assert_eq!(records.unit("x").unwrap(), None);
}

#[test]
fn a_transaction_that_is_dropped_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut records =
        Records::create(&path(&dir), "zhao.example/o", b"genesis", &secrets()).unwrap();
    let unit = Unit {
        name: "示例局".to_owned(),
        uscc: "u".to_owned(),
    };
    let transaction = records.begin().unwrap();
    transaction.put_unit(&unit, UnixMillis(1)).unwrap();
    assert_eq!(transaction.count("u", "t", "serial", 2026).unwrap(), 1);
    drop(transaction);
    assert_eq!(records.units().unwrap(), []);
    let transaction = records.begin().unwrap();
    transaction.put_unit(&unit, UnixMillis(1)).unwrap();
    for (year, expected) in [(2026, 1), (2026, 2), (2027, 1), (2026, 3)] {
        assert_eq!(
            transaction.count("u", "t", "serial", year).unwrap(),
            expected
        );
    }
    transaction.commit().unwrap();
    drop(records);
    let mode = std::fs::metadata(path(&dir)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let records = Records::open(&path(&dir), &secrets()).unwrap();
    assert_eq!(records.units().unwrap(), [unit]);
    assert_eq!(records.origin(), "zhao.example/o");
    assert_eq!(records.genesis().unwrap(), b"genesis");
    assert_eq!(records.licence_counts().unwrap(), [0, 0, 0]);
}
