//! Records of version 1, in clear, become version 2's.

use std::collections::HashSet;

use super::sample::*;
use super::*;

/// Writes what the program of version 1 wrote for [`fill`].
fn version_1(dir: &tempfile::TempDir, people: &[Person]) {
    let sql = Connection::open(path(dir)).unwrap();
    sql.execute_batch(
        "PRAGMA journal_mode = WAL;
         CREATE TABLE schema_version (version INTEGER NOT NULL);
         INSERT INTO schema_version (version) VALUES (1);",
    )
    .unwrap();
    sql.execute_batch(include_str!("../schema/v1.sql")).unwrap();
    let office = "INSERT INTO office (id, origin, genesis) VALUES (1, ?1, ?2)";
    sql.execute(office, (ORIGIN, b"genesis")).unwrap();
    let unit = "INSERT INTO units (uscc, name, created) VALUES (?1, '示例局', 1)";
    sql.execute(unit, [UNIT]).unwrap();
    let counter = "INSERT INTO counters VALUES (?1, ?2, 'serial', 2026, 41)";
    sql.execute(counter, (UNIT, TYPE)).unwrap();
    for (n, person) in people.iter().enumerate() {
        let event = person.event();
        let id = i64::try_from(n).unwrap() * 2 + 1;
        let index = u64::try_from(n).unwrap();
        let (state, receipt, code) = match (n % 3, receipt(&event, index)) {
            (0, Standing::Receipted { receipt, .. }) => ("receipted", Some(receipt), None),
            (1, _) => ("pending", None, None),
            _ => ("refused", None, Some("unit-suspended")),
        };
        sql.execute(
            "INSERT INTO outbox VALUES (?1, ?2, ?3, ?4, 'hold', ?5, ?6, ?7, ?8, ?8, 1, 2)",
            rusqlite::params![
                id,
                event.bytes(),
                event.id().as_bytes(),
                event.leaf_hash().as_bytes(),
                state,
                receipt.is_some().then_some(signed(index)),
                receipt,
                code,
            ],
        )
        .unwrap();
        let chain = "INSERT INTO outbox_chains VALUES (?1, ?2, 0)";
        sql.execute(chain, (id, person.subject().as_bytes()))
            .unwrap();
        let salt = "INSERT INTO salts VALUES (?1, 'reason', ?2, ?3)";
        sql.execute(salt, (id, [5_u8; 32], &person.reason)).unwrap();
        if n == 0 {
            let kind = "INSERT INTO licence_types VALUES (?1, 1, 'food', x'00', ?2)";
            sql.execute(kind, (TYPE, id)).unwrap();
        }
        let state = ["issued", "issuing", "refused"][n % 3];
        let earlier = (n == 3).then(|| &people[0].credential_id);
        sql.execute(
            "INSERT INTO licences VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8, '111', ?9, ?10,
             ?11, x'aa', ?12, ?13, ?14, 1)",
            rusqlite::params![
                person.credential_id,
                person.subject().as_bytes(),
                UNIT,
                TYPE,
                person.number,
                person.identifier,
                person.serial,
                person.code,
                person.name,
                person.reference,
                earlier,
                person.credential.as_bytes(),
                state,
                id,
            ],
        )
        .unwrap();
    }
}

#[test]
fn all_that_version_1_had_is_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let people = people(40);
    version_1(&dir, &people);
    assert!(needs_first_key(&path(&dir)).unwrap());
    let error = Records::open(&path(&dir), &Secrets::default()).unwrap_err();
    assert!(
        matches!(error, RecordsError::KeyMissing { version: 1 }),
        "{error}"
    );
    let mut records = Records::open(&path(&dir), &secrets()).unwrap();
    check(&records, &people);
    assert_eq!(records.licence_counts().unwrap(), [13, 14, 13]);
    assert_eq!(records.pending_count().unwrap(), 13);
    assert_eq!(records.genesis().unwrap(), b"genesis");
    assert_eq!(records.units().unwrap().len(), 1);
    let transaction = records.begin().unwrap();
    assert_eq!(transaction.count(UNIT, TYPE, "serial", 2026).unwrap(), 42);
    assert_eq!(
        transaction
            .last_version(UNIT, TYPE, &people[0].serial)
            .unwrap(),
        1
    );
    // What was refused does not occupy its identifier, what was not does.
    assert_eq!(
        transaction
            .last_version(UNIT, TYPE, &people[2].serial)
            .unwrap(),
        0
    );
    drop(transaction);
    let sql = Connection::open(path(&dir)).unwrap();
    let count = |select: &str| -> i64 { sql.query_row(select, [], |row| row.get(0)).unwrap() };
    let linked = "SELECT COUNT(*) FROM licences WHERE id = 7 AND predecessor = 1";
    assert_eq!(count(linked), 1);
    assert_eq!(count("SELECT COUNT(*) FROM licence_types"), 1);
    let old = "SELECT COUNT(*) FROM sqlite_master WHERE name LIKE 'v1%'";
    assert_eq!(count(old), 0);
    assert!(!needs_first_key(&path(&dir)).unwrap());
    drop(records);
    check(&Records::open(&path(&dir), &secrets()).unwrap(), &people);
}

/// Version 2 has the tables of version 3, and other indexes of what is counted.
#[test]
fn all_that_version_2_had_is_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let people = people(40);
    let mut records = create(&dir, &secrets());
    fill(&mut records, &people);
    let counts = records.licence_counts().unwrap();
    drop(records);
    let sql = Connection::open(path(&dir)).unwrap();
    sql.execute_batch(
        "UPDATE licences SET number_index = randomblob(16), serial_index = randomblob(16),
         reference_index = randomblob(16) WHERE reference_index IS NOT NULL;
         UPDATE schema_version SET version = 2;",
    )
    .unwrap();
    // A key that is missing is said before anything is changed.
    let error = Records::open(&path(&dir), &Secrets::default()).unwrap_err();
    assert!(
        matches!(error, RecordsError::KeyMissing { version: 1 }),
        "{error}"
    );
    let version = "SELECT version FROM schema_version";
    let version = || -> i64 { sql.query_row(version, [], |row| row.get(0)).unwrap() };
    assert_eq!(version(), 2);
    assert!(!needs_first_key(&path(&dir)).unwrap());
    let records = Records::open(&path(&dir), &secrets()).unwrap();
    assert_eq!(version(), 3);
    check(&records, &people);
    assert_eq!(records.licence_counts().unwrap(), counts);
    let indexes = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'index'
         AND name IN ('licences_number', 'licences_serial', 'licences_reference')";
    let count: i64 = sql.query_row(indexes, [], |row| row.get(0)).unwrap();
    assert_eq!(count, 3);
}

#[test]
fn a_face_that_does_not_open_leaves_version_2() {
    let dir = tempfile::tempdir().unwrap();
    let people = people(5);
    let mut records = create(&dir, &secrets());
    fill(&mut records, &people);
    drop(records);
    let sql = Connection::open(path(&dir)).unwrap();
    sql.execute_batch(
        "UPDATE licences SET face = zeroblob(99) WHERE id = (SELECT MAX(id) FROM licences);
         UPDATE schema_version SET version = 2;",
    )
    .unwrap();
    let error = Records::open(&path(&dir), &secrets()).unwrap_err();
    assert!(
        matches!(
            error,
            RecordsError::Sealed {
                table: "licences",
                column: "face"
            }
        ),
        "{error}"
    );
    let left = "SELECT version FROM schema_version WHERE EXISTS
         (SELECT 1 FROM sqlite_master WHERE name = 'licences_number')";
    let version: i64 = sql.query_row(left, [], |row| row.get(0)).unwrap();
    assert_eq!(version, 2);
}

#[test]
fn a_migration_that_fails_leaves_version_1() {
    let dir = tempfile::tempdir().unwrap();
    let people = people(5);
    version_1(&dir, &people);
    let sql = Connection::open(path(&dir)).unwrap();
    sql.execute("UPDATE licences SET subject = x'00' WHERE outbox = 9", [])
        .unwrap();
    for _ in 0..2 {
        let error = Records::open(&path(&dir), &secrets()).unwrap_err();
        assert!(
            matches!(
                error,
                RecordsError::Damaged {
                    table: "licences",
                    column: "subject",
                    ..
                }
            ),
            "{error}"
        );
    }
    let version: i64 = sql
        .query_row("SELECT version FROM schema_version", [], |row| row.get(0))
        .unwrap();
    assert_eq!(version, 1);
    let repair = "UPDATE licences SET subject = ?1 WHERE outbox = 9";
    sql.execute(repair, [people[4].subject().as_bytes()])
        .unwrap();
    check(&Records::open(&path(&dir), &secrets()).unwrap(), &people);
}

#[test]
fn hol_11_nothing_personal_stands_in_the_file_or_its_log() {
    let (fresh, migrated) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let people = people(60);
    version_1(&migrated, &people);
    // The scan finds what is there: version 1 has every text.
    let before = bytes(&migrated);
    let begins = runs(&before);
    for text in people.iter().flat_map(Person::texts) {
        assert!(has(&before, &begins, text.as_bytes()), "{text}");
    }
    let mut records = create(&fresh, &secrets());
    records.acting(Some("经办人示例"));
    fill(&mut records, &people);
    let migrated_records = Records::open(&path(&migrated), &secrets()).unwrap();
    check(&migrated_records, &people);
    for dir in [&fresh, &migrated] {
        // With the log beside it, and without.
        for _ in 0..2 {
            let stored = bytes(dir);
            let begins = runs(&stored);
            assert!(stored.len() > 100_000);
            for text in people.iter().flat_map(Person::texts) {
                assert!(!has(&stored, &begins, text.as_bytes()), "{text}");
                let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
                assert!(!has(&stored, &begins, &utf16), "{text} in UTF-16");
                for hash in [
                    zhao_spec::wire::sha256(&[text.as_bytes()]).0,
                    *blake3::hash(text.as_bytes()).as_bytes(),
                ] {
                    assert!(!has(&stored, &begins, &hash[..16]), "hash of {text}");
                }
            }
            assert!(!has(&stored, &begins, "经办人示例".as_bytes()));
            Connection::open(path(dir))
                .unwrap()
                .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
                .unwrap();
        }
    }
}

/// The file and what SQLite has beside it.
fn bytes(dir: &tempfile::TempDir) -> Vec<u8> {
    let files = std::fs::read_dir(dir.path()).unwrap();
    files
        .flat_map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .collect()
}

/// Every run of six bytes that is stored: what does not begin with one is nowhere.
fn runs(stored: &[u8]) -> HashSet<[u8; 6]> {
    let runs = stored.windows(6);
    runs.map(|run| run.try_into().unwrap()).collect()
}

fn has(stored: &[u8], runs: &HashSet<[u8; 6]>, needle: &[u8]) -> bool {
    let first = needle.first_chunk::<6>().expect("no needle is shorter");
    runs.contains(first) && stored.windows(needle.len()).any(|window| window == needle)
}
