//! A new key, while the office works and while it is killed.

use super::sample::*;
use super::*;

fn both() -> Secrets {
    let mut both = secrets();
    both.add(2, [8; 32]);
    both
}

fn second() -> Secrets {
    let mut second = Secrets::default();
    second.add(2, [8; 32]);
    second
}

#[test]
fn every_batch_can_be_the_last_before_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let mut people = people(7);
    let mut records = create(&dir, &secrets());
    records.acting(Some("科员甲"));
    fill(&mut records, &people);
    let transaction = records.begin().unwrap();
    let document = Document {
        content: vec![1; 100],
        media_type: "image/png".to_owned(),
    };
    let name = transaction.add_document(&document, NOW).unwrap();
    transaction.commit().unwrap();
    drop(records);
    let mut calls = 0;
    loop {
        let mut records = Records::open(&path(&dir), &both()).unwrap();
        // What is written in between is written under the new key.
        let person = Person::new(100 + calls);
        let transaction = records.begin().unwrap();
        let row = transaction
            .say(&person.event(), &person.words(), NOW)
            .unwrap();
        transaction
            .add_licence(&person.licence(), row, NOW)
            .unwrap();
        let standing = receipt(&person.event(), u64::try_from(people.len()).unwrap());
        if people.len().is_multiple_of(3) {
            transaction.settle(row, &standing, NOW).unwrap();
            transaction.commit().unwrap();
            people.push(person);
        } else {
            drop(transaction);
        }
        let rotation = records.rotate(&both(), 5).unwrap();
        assert_eq!(rotation.version, 2);
        assert!(rotation.cells <= 5);
        check(&records, &people);
        assert_eq!(records.document(&name).unwrap().as_ref(), Some(&document));
        assert_eq!(records.is_rotating().unwrap(), !rotation.done);
        calls += 1;
        if rotation.done {
            break;
        }
        // The old key is still needed, and its absence is said at once.
        drop(records);
        let error = Records::open(&path(&dir), &second()).unwrap_err();
        assert!(
            matches!(error, RecordsError::KeyMissing { version: 1 }),
            "{error}"
        );
    }
    assert!(calls > 5, "{calls}");
    let mut records = Records::open(&path(&dir), &second()).unwrap();
    check(&records, &people);
    assert_eq!(records.operator_of(1).unwrap().as_deref(), Some("科员甲"));
    let rotation = records.rotate(&second(), 5).unwrap();
    let nothing = Rotation {
        cells: 0,
        done: true,
        version: 2,
    };
    assert_eq!(rotation, nothing);
    // No cell anywhere is left under the first key.
    let sql = Connection::open(path(&dir)).unwrap();
    for (table, column) in [
        ("credentials", "credential"),
        ("documents", "content"),
        ("grounds", "words"),
        ("holders", "person"),
        ("licences", "face"),
        ("operators", "name"),
        ("vault_keys", "index_root"),
    ] {
        let select = format!("SELECT COUNT(*), SUM(substr({column}, 1, 2) = x'0002') FROM {table}");
        let (all, new): (i64, i64) = sql
            .query_row(&select, [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        assert!(all > 0 && all == new, "{table}: {new} of {all}");
    }
}

#[test]
fn who_still_has_the_old_key_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut records = create(&dir, &secrets());
    let mut stale = Records::open(&path(&dir), &secrets()).unwrap();
    records.rotate(&both(), 1).unwrap();
    let error = stale.begin().unwrap_err();
    assert!(
        matches!(
            error,
            RecordsError::KeyChanged {
                expected: 1,
                actual: 2
            }
        ),
        "{error}"
    );
    let error = stale.rotate(&secrets(), 1).unwrap_err();
    assert!(matches!(error, RecordsError::KeyChanged { .. }), "{error}");
}

#[test]
fn a_cell_that_does_not_open_stops_the_rotation_and_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let people = people(2);
    let mut records = create(&dir, &secrets());
    fill(&mut records, &people);
    let spoil = "UPDATE holders SET person = zeroblob(60) WHERE id = 2";
    Connection::open(path(&dir))
        .unwrap()
        .execute(spoil, [])
        .unwrap();
    let error = records.rotate(&both(), 100).unwrap_err();
    assert!(
        matches!(
            error,
            RecordsError::Sealed {
                table: "holders",
                ..
            }
        ),
        "{error}"
    );
    assert!(records.is_rotating().unwrap());
    // Both keys are still there; nothing was dropped.
    drop(records);
    check(&Records::open(&path(&dir), &both()).unwrap(), &people[..1]);
}
