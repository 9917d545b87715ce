//! What is wrong with a file, or done to it behind the office's back.

use rusqlite::params;

use super::sample::*;
use super::*;

fn filled(count: u32) -> (tempfile::TempDir, Vec<Person>) {
    let dir = tempfile::tempdir().unwrap();
    let people = people(count);
    fill(&mut create(&dir, &secrets()), &people);
    (dir, people)
}

/// Opens the file without the records' own code.
fn raw(dir: &tempfile::TempDir) -> Connection {
    Connection::open(path(dir)).unwrap()
}

#[test]
fn another_key_or_none_is_said_at_once() {
    let (dir, people) = filled(3);
    let mut wrong = Secrets::default();
    wrong.add(1, [8; 32]);
    let error = Records::open(&path(&dir), &wrong).unwrap_err();
    assert!(
        matches!(error, RecordsError::KeyWrong { version: 1 }),
        "{error}"
    );
    let mut later = Secrets::default();
    later.add(2, [7; 32]);
    for secrets in [Secrets::default(), later] {
        let error = Records::open(&path(&dir), &secrets).unwrap_err();
        assert!(
            matches!(error, RecordsError::KeyMissing { version: 1 }),
            "{error}"
        );
    }
    let error = Records::create(&dir.path().join("n"), "o", b"g", &Secrets::default());
    assert!(matches!(
        error,
        Err(RecordsError::KeyMissing { version: 1 })
    ));
    assert!(!dir.path().join("n").exists());
    check(&Records::open(&path(&dir), &secrets()).unwrap(), &people);
}

#[test]
fn a_cell_that_stands_elsewhere_is_found() {
    let (dir, people) = filled(2);
    let sql = raw(&dir);
    // Between rows, columns and tables; each is put back before the next.
    for (spoil, table, column) in [
        (
            "UPDATE licences SET face = (SELECT face FROM licences WHERE id = 2) WHERE id = 1",
            "licences",
            "face",
        ),
        (
            "UPDATE licences SET face = (SELECT credential FROM credentials WHERE licence = 1)
             WHERE id = 1",
            "licences",
            "face",
        ),
        (
            "UPDATE credentials SET credential =
             (SELECT credential FROM credentials WHERE licence = 2) WHERE licence = 1",
            "credentials",
            "credential",
        ),
        (
            "UPDATE credentials SET credential = (SELECT face FROM licences WHERE id = 1)
             WHERE licence = 1",
            "credentials",
            "credential",
        ),
        (
            "UPDATE credentials SET credential = (SELECT person FROM holders WHERE id = 1)
             WHERE licence = 1",
            "credentials",
            "credential",
        ),
    ] {
        let (face, credential): (Vec<u8>, Vec<u8>) = sql
            .query_row(
                "SELECT face, credential FROM licences JOIN credentials ON licence = id
                 WHERE id = 1",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap();
        assert_eq!(sql.execute(spoil, []).unwrap(), 1);
        let records = Records::open(&path(&dir), &secrets()).unwrap();
        let error = records.licence(&people[0].subject()).unwrap_err();
        let actual = match error {
            RecordsError::Sealed { table, column } => (table, column),
            other => panic!("{spoil}: {other}"),
        };
        assert_eq!(actual, (table, column), "{spoil}");
        sql.execute("UPDATE licences SET face = ?1 WHERE id = 1", [face])
            .unwrap();
        let back = "UPDATE credentials SET credential = ?1 WHERE licence = 1";
        sql.execute(back, [credential]).unwrap();
    }
    // The words of one event under another.
    sql.execute(
        "UPDATE grounds SET words = (SELECT words FROM grounds WHERE outbox = 2)
         WHERE outbox = 1",
        [],
    )
    .unwrap();
    // The holder's cell of another, and a licence given to another holder.
    sql.execute(
        "UPDATE holders SET person = (SELECT person FROM holders WHERE id = 2) WHERE id = 1",
        [],
    )
    .unwrap();
    let records = Records::open(&path(&dir), &secrets()).unwrap();
    let error = records.words(&people[0].event().id()).unwrap_err();
    let expected = ("grounds", "words");
    assert!(
        matches!(error, RecordsError::Sealed { table, column } if (table, column) == expected),
        "{error}"
    );
    let error = records.holder(1).unwrap_err();
    let expected = ("holders", "person");
    assert!(
        matches!(error, RecordsError::Sealed { table, column } if (table, column) == expected),
        "{error}"
    );
    sql.execute("UPDATE licences SET holder = 2 WHERE id = 1", [])
        .unwrap();
    let error = records.licence(&people[0].subject()).unwrap_err();
    assert!(
        matches!(
            error,
            RecordsError::Damaged {
                column: "holder",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_cell_that_is_cut_or_flipped_is_found() {
    let (dir, people) = filled(1);
    let sql = raw(&dir);
    let cell: Vec<u8> = sql
        .query_row("SELECT face FROM licences", [], |row| row.get(0))
        .unwrap();
    let mut spoiled = vec![Vec::new(), vec![0], cell[..cell.len() - 1].to_vec()];
    for at in [0, 1, 2, 25, 26, cell.len() - 1] {
        let mut flipped = cell.clone();
        flipped[at] ^= 0x80;
        spoiled.push(flipped);
    }
    for cell in spoiled {
        sql.execute("UPDATE licences SET face = ?1", [&cell])
            .unwrap();
        let records = Records::open(&path(&dir), &secrets()).unwrap();
        for error in [
            records.licence(&people[0].subject()).unwrap_err(),
            records.find_licence(&people[0].number).unwrap_err(),
            records.licences(Search::All, 0, 10).unwrap_err(),
        ] {
            let expected = ("licences", "face");
            assert!(
                matches!(error, RecordsError::Sealed { table, column }
                    if (table, column) == expected),
                "{error}"
            );
        }
    }
    sql.execute("UPDATE vault_keys SET index_root = x'00'", [])
        .unwrap();
    let error = Records::open(&path(&dir), &secrets()).unwrap_err();
    assert!(
        matches!(
            error,
            RecordsError::Sealed {
                table: "vault_keys",
                ..
            }
        ),
        "{error}"
    );
    sql.execute("DELETE FROM vault_keys", []).unwrap();
    let error = Records::open(&path(&dir), &secrets()).unwrap_err();
    assert!(
        matches!(error, RecordsError::KeyMissing { version: 1 }),
        "{error}"
    );
}

#[test]
fn a_file_that_is_cut_is_corrupt_and_not_another_office() {
    let (dir, people) = filled(30);
    raw(&dir)
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    let whole = std::fs::read(path(&dir)).unwrap();
    let mut corrupt = 0;
    for pages in (1..whole.len() / 4096).step_by(7) {
        std::fs::write(path(&dir), &whole[..pages * 4096 + 100]).unwrap();
        for end in ["-wal", "-shm"] {
            let mut name = path(&dir).into_os_string();
            name.push(end);
            drop(std::fs::remove_file(name));
        }
        let read = Records::open(&path(&dir), &secrets()).and_then(|records| {
            people
                .iter()
                .try_for_each(|person| records.licence(&person.subject()).map(drop))
        });
        match read {
            Err(RecordsError::Corrupt(_) | RecordsError::NotRecords(_)) => corrupt += 1,
            Err(other) => panic!("{pages} pages: {other}"),
            Ok(()) => {}
        }
    }
    assert!(corrupt > 5, "{corrupt}");
}

#[test]
fn no_room_loses_the_transaction_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let people = people(200);
    let mut records = create(&dir, &secrets());
    fill(&mut records, &people[..10]);
    let pages: i64 = records
        .connection
        .query_row("PRAGMA page_count", [], |row| row.get(0))
        .unwrap();
    let room = format!("PRAGMA max_page_count = {}", pages + 4);
    records.connection.execute_batch(&room).unwrap();
    let transaction = records.begin().unwrap();
    let error = people[10..].iter().find_map(|person| {
        let row = match transaction.say(&person.event(), &person.words(), NOW) {
            Ok(row) => row,
            Err(error) => return Some(error),
        };
        transaction.add_licence(&person.licence(), row, NOW).err()
    });
    assert!(matches!(error, Some(RecordsError::Full)), "{error:?}");
    drop(transaction);
    assert_eq!(records.licence_counts().unwrap(), [3, 4, 3]);
    check(&records, &people[..10]);
    records
        .connection
        .execute_batch("PRAGMA max_page_count = 100000")
        .unwrap();
    drop(records);
    check(
        &Records::open(&path(&dir), &secrets()).unwrap(),
        &people[..10],
    );
}

#[test]
fn another_process_writing_is_said_and_waited_for() {
    let (dir, people) = filled(1);
    let mut records = Records::open(&path(&dir), &secrets()).unwrap();
    records
        .connection
        .busy_timeout(std::time::Duration::ZERO)
        .unwrap();
    let other = raw(&dir);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = records.begin().unwrap_err();
    assert!(matches!(error, RecordsError::Busy), "{error}");
    check(&records, &people);
    other.execute_batch("COMMIT").unwrap();
    records.begin().unwrap().commit().unwrap();
}

#[test]
fn a_clock_that_steps_back_changes_no_order() {
    let dir = tempfile::tempdir().unwrap();
    let mut records = create(&dir, &secrets());
    let people = people(4);
    for (person, now) in people.iter().zip([400, 300, 100, 200]) {
        let transaction = records.begin().unwrap();
        let row = transaction
            .say(&person.event(), &[], UnixMillis(now))
            .unwrap();
        transaction
            .add_licence(&person.licence(), row, UnixMillis(now))
            .unwrap();
        transaction.commit().unwrap();
    }
    let subjects: Vec<Hash> = people.iter().map(Person::subject).collect();
    let listed = records.licences(Search::All, 0, 10).unwrap();
    let listed: Vec<Hash> = listed.iter().map(|summary| summary.subject).collect();
    assert_eq!(listed, subjects);
    let pending = records.outgoing(0, 10).unwrap();
    let pending: Vec<Hash> = pending.iter().map(|entry| entry.event.subject).collect();
    assert_eq!(pending, subjects);
}

#[test]
fn names_that_are_sql_markup_rare_or_nul_are_names() {
    let dir = tempfile::tempdir().unwrap();
    let mut records = create(&dir, &secrets());
    let names = [
        "'; DROP TABLE licences; --",
        "\" OR 1=1 --",
        "<script>alert(1)</script>",
        "𠮷野家𫖯𪚥",
        "葛\u{e0100}飾",
        "a\0b",
        "\0",
        "%",
        "_",
        "",
    ];
    for (n, name) in (1..).zip(names) {
        let mut person = Person::new(n);
        person.name = (*name).to_owned();
        person.number = format!("{name}{n}");
        person.reference = format!("{name}#{n}");
        fill(&mut records, std::slice::from_ref(&person));
        check(&records, std::slice::from_ref(&person));
        let found = records.licences(Search::HolderName(name), 0, 10).unwrap();
        assert_eq!(found.len(), 1, "{name:?}");
        let found = records.with_reference(UNIT, &person.reference).unwrap();
        assert_eq!(found.unwrap().subject, person.subject());
    }
    assert_eq!(records.licence_counts().unwrap(), [0, 10, 0]);
    assert!(
        records
            .licences(Search::HolderName("a"), 0, 9)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn what_is_taken_is_named_and_a_refused_licence_frees_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut records = create(&dir, &secrets());
    let (first, other) = (Person::new(1), Person::new(2));
    fill(&mut records, std::slice::from_ref(&first));
    let add = |records: &mut Records, licence: &NewLicence<'_>| -> Result<i64, RecordsError> {
        let transaction = records.begin()?;
        let row = transaction.say(&event(licence.subject, 0), &[], NOW)?;
        transaction.add_licence(licence, row, NOW)?;
        transaction.commit()?;
        Ok(row)
    };
    let same_identifier = NewLicence {
        serial: &first.serial,
        ..other.licence()
    };
    let error = add(&mut records, &same_identifier).unwrap_err();
    assert!(
        matches!(error, RecordsError::Taken { what: "identifier" }),
        "{error}"
    );
    let spaced = format!(" {}", first.reference);
    let same_reference = NewLicence {
        reference: Some(&spaced),
        ..other.licence()
    };
    let error = add(&mut records, &same_reference).unwrap_err();
    assert!(
        matches!(error, RecordsError::Taken { what: "reference" }),
        "{error}"
    );
    let nobody = NewLicence {
        predecessor: Some(Hash([9; 32])),
        ..other.licence()
    };
    let error = add(&mut records, &nobody).unwrap_err();
    assert!(
        matches!(
            error,
            RecordsError::Sql(rusqlite::Error::QueryReturnedNoRows)
        ),
        "{error}"
    );
    assert_eq!(records.licence_counts().unwrap(), [0, 1, 0]);
    // Nothing of the three is left.
    assert_eq!(records.pending_count().unwrap(), 0);
    let row = add(&mut records, &other.licence()).unwrap();
    let transaction = records.begin().unwrap();
    let refused = Standing::Refused {
        code: "x".to_owned(),
        detail: "y".to_owned(),
    };
    transaction.settle(row, &refused, NOW).unwrap();
    transaction.commit().unwrap();
    let mut again = Person::new(2);
    again.credential_id = Person::new(99).credential_id;
    add(&mut records, &again.licence()).unwrap();
    assert_eq!(
        records
            .find_licence(&other.identifier)
            .unwrap()
            .unwrap()
            .subject,
        again.subject()
    );
    let both = records
        .licences(Search::Identifier(&other.identifier), 0, 9)
        .unwrap();
    assert_eq!(both.len(), 2);
}

#[test]
fn documents_are_what_their_name_says() {
    let dir = tempfile::tempdir().unwrap();
    let mut records = create(&dir, &secrets());
    let document = Document {
        content: "申请书：示例张三".as_bytes().to_vec(),
        media_type: "text/plain".to_owned(),
    };
    let transaction = records.begin().unwrap();
    let name = transaction.add_document(&document, NOW).unwrap();
    assert_eq!(transaction.add_document(&document, NOW).unwrap(), name);
    assert_ne!(name.0, *blake3::hash(&document.content).as_bytes());
    let other = Document {
        content: b"other".to_vec(),
        ..document.clone()
    };
    let error = transaction.add_document_as(&name, &other, NOW).unwrap_err();
    assert!(
        matches!(error, RecordsError::OtherDocument { .. }),
        "{error}"
    );
    transaction.add_document_as(&name, &document, NOW).unwrap();
    let large = Document {
        content: vec![0; DOCUMENT_BYTES + 1],
        ..document.clone()
    };
    let error = transaction.add_document(&large, NOW).unwrap_err();
    let expected = DOCUMENT_BYTES + 1;
    assert!(
        matches!(error, RecordsError::TooLarge { what: "document", actual, .. }
            if actual == expected),
        "{error}"
    );
    let long = Document {
        media_type: "a".repeat(128),
        ..document.clone()
    };
    let error = transaction.add_document(&long, NOW).unwrap_err();
    assert!(
        matches!(
            error,
            RecordsError::TooLarge {
                what: "media type",
                ..
            }
        ),
        "{error}"
    );
    transaction.commit().unwrap();
    assert_eq!(records.document(&name).unwrap(), Some(document));
    assert_eq!(records.documents(0, 10).unwrap(), [(1, name)]);
    assert_eq!(records.document(&Hash([0; 32])).unwrap(), None);
    // Under another name the same cell does not open.
    raw(&dir)
        .execute(
            "UPDATE documents SET name = ?1",
            params![Hash([0; 32]).as_bytes()],
        )
        .unwrap();
    let error = records.document(&Hash([0; 32])).unwrap_err();
    assert!(
        matches!(
            error,
            RecordsError::Sealed {
                table: "documents",
                ..
            }
        ),
        "{error}"
    );
}
