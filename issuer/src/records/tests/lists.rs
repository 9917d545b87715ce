//! Lists, searches, jobs, keys of the interface, operators.

use super::sample::*;
use super::*;

#[test]
fn hol_11_lists_show_masked_numbers() {
    for (number, expected) in [
        ("320402190001010016", "3204**********0016"),
        ("JY12345678", "JY******78"),
        ("1234", "1**4"),
        ("123", "***"),
        ("𠮷𠮷𠮷𠮷", "𠮷**𠮷"),
        ("", ""),
    ] {
        assert_eq!(masked(number), expected);
    }
    let dir = tempfile::tempdir().unwrap();
    let mut records = create(&dir, &secrets());
    let people = people(5);
    fill(&mut records, &people);
    for (summary, person) in records
        .licences(Search::All, 0, 10)
        .unwrap()
        .iter()
        .zip(&people)
    {
        let shown = format!("{summary:?}");
        for text in person.texts() {
            assert!(!shown.contains(text), "{shown} has {text}");
        }
        assert_eq!(summary.holder_name, format!("示{}", "*".repeat(8)));
        assert_eq!(summary.subject, person.subject());
        assert_eq!(summary.origin, Origin::Legacy);
    }
    // An organisation's name is public.
    let mut company = Person::new(50);
    company.name = "常州示例（集团）公司".to_owned();
    let transaction = records.begin().unwrap();
    let row = transaction.say(&company.event(), &[], NOW).unwrap();
    let licence = NewLicence {
        holder_code_type: "001",
        ..company.licence()
    };
    transaction.add_licence(&licence, row, NOW).unwrap();
    transaction.commit().unwrap();
    let found = records
        .licences(Search::HolderName(" 常州示例(集团)公司"), 0, 10)
        .unwrap();
    assert_eq!(found[0].holder_name, company.name);
}

#[test]
fn searches_find_the_whole_text_only_and_page_by_the_last_row() {
    let dir = tempfile::tempdir().unwrap();
    let mut records = create(&dir, &secrets());
    let mut people = people(9);
    // One holder has three of them, once under another name.
    for n in [3, 6] {
        people[n].code = people[0].code.clone();
    }
    people[6].name = people[0].name.clone();
    // Three holders have one name, and their licences lie between those of others.
    for n in [5, 8] {
        people[n].name = people[1].name.clone();
    }
    fill(&mut records, &people);
    let rows = |search| -> Vec<i64> {
        let mut rows = Vec::new();
        let mut after = 0;
        loop {
            let page = records.licences(search, after, 2).unwrap();
            assert!(page.len() <= 2);
            let Some(last) = page.last() else { return rows };
            after = last.id;
            rows.extend(page.iter().map(|summary| summary.id));
        }
    };
    assert_eq!(rows(Search::All), (1..=9).collect::<Vec<_>>());
    assert_eq!(rows(Search::HolderCode(&people[0].code)), [1, 4, 7]);
    assert_eq!(rows(Search::HolderName(&people[0].name)), [1, 4, 7]);
    assert_eq!(rows(Search::HolderName(&people[1].name)), [2, 6, 9]);
    // A holder has the latest name.
    assert_eq!(rows(Search::HolderName(&people[3].name)), [] as [i64; 0]);
    assert_eq!(rows(Search::Number(&people[4].number)), [5]);
    assert_eq!(rows(Search::Identifier(&people[4].identifier)), [5]);
    let reference = &people[3].reference;
    let by_reference = |unit| rows(Search::Reference { unit, reference });
    assert_eq!(by_reference(UNIT), [4]);
    assert_eq!(by_reference("11320400DEM0002296"), [] as [i64; 0]);
    for text in ["", "示", "3204", "%", "1.2.156.3005.2.x"] {
        for search in [
            Search::HolderCode(text),
            Search::HolderName(text),
            Search::Identifier(text),
            Search::Number(text),
        ] {
            assert_eq!(rows(search), [] as [i64; 0], "{search:?}");
        }
    }
}

#[test]
fn iss_13_licences_are_counted_by_type_and_origin() {
    let dir = tempfile::tempdir().unwrap();
    let mut records = create(&dir, &secrets());
    assert_eq!(records.counts_by_type().unwrap(), []);
    fill(&mut records, &people(8));
    let of = |state| {
        let found = records.licences(Search::State(state), 0, 100).unwrap();
        u64::try_from(found.len()).unwrap()
    };
    let expected = TypeCount {
        issued: of(LicenceState::Issued),
        issuing: of(LicenceState::Issuing),
        origin: Origin::Legacy,
        refused: of(LicenceState::Refused),
        type_code: TYPE.to_owned(),
    };
    assert!(expected.issued > 0 && expected.issuing > 0 && expected.refused > 0);
    assert_eq!(records.counts_by_type().unwrap(), [expected]);
}

#[test]
fn sta_05_the_operator_stands_with_the_act() {
    let dir = tempfile::tempdir().unwrap();
    let mut records = create(&dir, &secrets());
    let mut say = |operator, seq| {
        records.acting(operator);
        let transaction = records.begin().unwrap();
        let row = transaction
            .say(&event(Hash([4; 32]), seq), &[], NOW)
            .unwrap();
        transaction.commit().unwrap();
        records.operator_of(row).unwrap()
    };
    assert_eq!(say(None, 0), None);
    assert_eq!(say(Some("王科员"), 1).as_deref(), Some("王科员"));
    assert_eq!(say(Some("李科长"), 2).as_deref(), Some("李科长"));
    assert_eq!(say(Some("王科员"), 3).as_deref(), Some("王科员"));
    assert_eq!(say(None, 4), None);
    assert_eq!(records.operator_of(99).unwrap(), None);
}

#[test]
fn a_job_is_taken_up_where_it_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let mut records = create(&dir, &secrets());
    let source = Hash([6; 32]);
    assert_eq!(records.job_of(&source).unwrap(), None);
    let row = |row, outcome: &str| JobRow {
        licence: None,
        outcome: outcome.to_owned(),
        row,
    };
    let transaction = records.begin().unwrap();
    let job = transaction.add_job(&source, "{}", NOW).unwrap();
    transaction.put_job_row(job, &row(1, "issued")).unwrap();
    transaction
        .put_job_row(job, &row(2, "holder-code"))
        .unwrap();
    transaction.commit().unwrap();
    // Killed in the middle of the next: it is as if it had not begun.
    let transaction = records.begin().unwrap();
    transaction.put_job_row(job, &row(3, "issued")).unwrap();
    drop(transaction);
    drop(records);
    let mut records = Records::open(&path(&dir), &secrets()).unwrap();
    let found = records.job_of(&source).unwrap().unwrap();
    assert_eq!((found.id, found.state), (job, JobState::Running));
    assert_eq!(records.job_reached(job).unwrap(), 2);
    let transaction = records.begin().unwrap();
    // A row that is dealt with stays as it is.
    transaction.put_job_row(job, &row(2, "issued")).unwrap();
    transaction.put_job_row(job, &row(3, "issued")).unwrap();
    let error = transaction.put_job_row(99, &row(1, "issued")).unwrap_err();
    assert!(matches!(error, RecordsError::Sql(_)), "{error}");
    assert!(transaction.set_job(job, JobState::Done, NOW).unwrap());
    assert!(!transaction.set_job(99, JobState::Done, NOW).unwrap());
    transaction.commit().unwrap();
    assert_eq!(records.job(job).unwrap().unwrap().state, JobState::Done);
    let outcomes = [("holder-code".to_owned(), 1), ("issued".to_owned(), 2)];
    assert_eq!(records.job_outcomes(job).unwrap(), outcomes);
    assert_eq!(
        records.job_rows(job, 1, 1).unwrap(),
        [row(2, "holder-code")]
    );
    assert_eq!(records.job_rows(job, 3, 9).unwrap(), []);
}

#[test]
fn a_key_of_the_interface_ends_when_it_expires_or_is_revoked() {
    let dir = tempfile::tempdir().unwrap();
    let mut records = create(&dir, &secrets());
    let key = ApiKey {
        created: UnixMillis(1),
        expires: Some(UnixMillis(100)),
        id: "desk-1".to_owned(),
        revoked: None,
        scopes: vec!["issue".to_owned(), "query".to_owned()],
        secret_hash: Hash([1; 32]),
        unit: Some(UNIT.to_owned()),
    };
    let transaction = records.begin().unwrap();
    transaction.add_api_key(&key).unwrap();
    let error = transaction.add_api_key(&key).unwrap_err();
    assert!(matches!(error, RecordsError::Taken { .. }), "{error}");
    let nowhere = ApiKey {
        id: "x".to_owned(),
        unit: Some("nowhere".to_owned()),
        ..key.clone()
    };
    let error = transaction.add_api_key(&nowhere).unwrap_err();
    assert!(matches!(error, RecordsError::Sql(_)), "{error}");
    transaction.commit().unwrap();
    assert_eq!(records.api_key("desk-1").unwrap().as_ref(), Some(&key));
    assert_eq!(records.api_key("desk-2").unwrap(), None);
    assert!(key.is_good(UnixMillis(99)));
    assert!(!key.is_good(UnixMillis(100)));
    let transaction = records.begin().unwrap();
    assert!(
        transaction
            .revoke_api_key("desk-1", UnixMillis(50))
            .unwrap()
    );
    assert!(
        transaction
            .revoke_api_key("desk-1", UnixMillis(60))
            .unwrap()
    );
    assert!(
        !transaction
            .revoke_api_key("desk-2", UnixMillis(60))
            .unwrap()
    );
    transaction.commit().unwrap();
    let keys = records.api_keys().unwrap();
    assert_eq!(keys[0].revoked, Some(UnixMillis(50)));
    assert!(!keys[0].is_good(UnixMillis(2)));
}
