#![allow(clippy::unwrap_used, reason = "a test may panic")]
use zhao_spec::wire::Hash;

use super::*;
use crate::status::{Epoch, ListParts, Order, StatusList, build, standing_messages};

const LIST: &str = "https://a.example/status/3";
const ISSUER: &str = "did:web:a.example";
const AT: UnixMillis = UnixMillis(1_700_000_100_000);

fn entry(index: u64) -> Entry {
    Entry {
        id: None,
        purpose: "revocation".to_owned(),
        index,
        list: LIST.to_owned(),
        size: 1,
        messages: Vec::new(),
        references: Vec::new(),
    }
}

fn wanted<'a>() -> Wanted<'a> {
    Wanted {
        issuer: ISSUER,
        at: AT,
        fetched: None,
        least_size: None,
    }
}

fn list() -> ListCredential {
    let mut bits = StatusList::new(131_072, 1, Order::HighFirst).unwrap();
    bits.add(5, 1).unwrap();
    let epoch = Epoch {
        origin: "log.example".to_owned(),
        epoch: 7,
        size: 1_000,
        map_root: Hash([7; 32]),
    };
    let built = build(
        &bits,
        &ListParts {
            id: LIST,
            issuer: ISSUER,
            purposes: &["revocation", "suspension"],
            valid_from: UnixMillis(1_700_000_000_000),
            valid_until: Some(UnixMillis(1_700_000_600_000)),
            ttl: Some(60_000),
            messages: &[],
            derived_from: Some(&epoch),
        },
    );
    ListCredential::read(&built.unwrap()).unwrap()
}

#[test]
fn set_and_unset() {
    let bad = check(&entry(5), &list(), &wanted()).unwrap();
    assert_eq!((bad.status, bad.valid, bad.due), (1, false, false));
    let good = check(&entry(6), &list(), &wanted()).unwrap();
    assert_eq!((good.status, good.valid, good.message), (0, true, None));
    // Any of the list's purposes will do, and a list need not name itself.
    let mut other = entry(5);
    other.purpose = "suspension".to_owned();
    let mut nameless = list();
    nameless.id = None;
    assert_eq!(
        check(&other, &nameless, &wanted()).unwrap().purpose,
        "suspension"
    );
}

#[test]
fn ttl_asks_for_a_newer_list_and_ends_nothing() {
    let fetched = |before: u64| Wanted {
        fetched: Some(AT.saturating_sub(before)),
        ..wanted()
    };
    assert!(!check(&entry(5), &list(), &fetched(60_000)).unwrap().due);
    assert!(check(&entry(5), &list(), &fetched(60_001)).unwrap().due);
}

#[test]
fn what_a_message_says() {
    let mut bits = StatusList::new(131_072, 4, Order::HighFirst).unwrap();
    bits.add(5, 3).unwrap();
    let messages = standing_messages();
    let built = build(
        &bits,
        &ListParts {
            id: LIST,
            issuer: ISSUER,
            purposes: &["message"],
            valid_from: AT,
            valid_until: None,
            ttl: None,
            messages: &messages,
            derived_from: None,
        },
    );
    let list = ListCredential::read(&built.unwrap()).unwrap();
    let mut entry = Entry {
        purpose: "message".to_owned(),
        size: 4,
        ..entry(5)
    };
    let said = |entry: &Entry| check(entry, &list, &wanted()).unwrap().message;
    assert_eq!(said(&entry).as_deref(), Some("mortgage pledge"));
    entry.messages = vec![Message {
        status: 3,
        message: "its own".to_owned(),
    }];
    assert_eq!(said(&entry).as_deref(), Some("its own"));
    // Read with other widths it would be somebody else's status.
    let narrow = Entry { size: 1, ..entry };
    let error = check(&narrow, &list, &wanted()).unwrap_err();
    assert_eq!(error, StatusError::Size { actual: 4 });
}

#[test]
fn every_refusal() {
    let verification = "STATUS_VERIFICATION_ERROR";
    type Change = fn(&mut Entry, &mut ListCredential, &mut Wanted<'static>);
    let cases: [(Change, &str, &str); 12] = [
        (
            |_, list, _| list.issuer = "did:web:b.example".into(),
            "status-issuer",
            verification,
        ),
        (
            |_, _, wanted| wanted.issuer = "did:web:c.example",
            "status-issuer",
            verification,
        ),
        (
            |_, list, _| list.id = Some("https://b.example/3".into()),
            "status-id",
            verification,
        ),
        (
            |entry, _, _| entry.list = "https://a.example/4".into(),
            "status-id",
            verification,
        ),
        (
            |entry, _, _| entry.purpose = "message".into(),
            "status-purpose",
            verification,
        ),
        (
            |_, _, wanted| wanted.at = UnixMillis(1_699_999_999_999),
            "status-not-yet",
            verification,
        ),
        (
            |_, _, wanted| wanted.at = UnixMillis(1_700_000_600_001),
            "status-expired",
            verification,
        ),
        (
            |_, _, wanted| wanted.least_size = Some(1_001),
            "status-old",
            verification,
        ),
        (
            |_, list, wanted| {
                list.derived_from = None;
                wanted.least_size = Some(1);
            },
            "status-old",
            verification,
        ),
        (
            |_, list, _| list.encoded = "uAAAA".into(),
            "pack-header",
            "MALFORMED_VALUE_ERROR",
        ),
        (
            |entry, _, _| entry.index = 131_072,
            "status-range",
            "RANGE_ERROR",
        ),
        (
            |entry, _, _| entry.index = u64::MAX,
            "status-range",
            "RANGE_ERROR",
        ),
    ];
    for (at, (change, code, problem)) in cases.into_iter().enumerate() {
        let (mut entry, mut list, mut wanted) = (entry(5), list(), wanted());
        change(&mut entry, &mut list, &mut wanted);
        let error = check(&entry, &list, &wanted).unwrap_err();
        assert_eq!(error.code(), code, "{at}");
        assert!(error.problem().ends_with(problem), "{at}");
    }
}

/// The times a list states are its own, both ends included.
#[test]
fn the_ends_of_its_validity_are_within() {
    for at in [1_700_000_000_000, 1_700_000_600_000] {
        let at = UnixMillis(at);
        assert!(check(&entry(5), &list(), &Wanted { at, ..wanted() }).is_ok());
    }
    let least_size = Some(1_000);
    assert!(
        check(
            &entry(5),
            &list(),
            &Wanted {
                least_size,
                ..wanted()
            }
        )
        .is_ok()
    );
}

/// A list of 8 KiB, whole and well packed, gives too little privacy.
#[test]
fn a_short_list_is_refused() {
    let short = StatusList::new(65_536, 1, Order::HighFirst).unwrap();
    let mut list = list();
    list.encoded = crate::status::encode(&short).unwrap();
    let error = check(&entry(5), &list, &wanted()).unwrap_err();
    assert_eq!(error.code(), "status-length");
    assert!(error.problem().ends_with("#STATUS_LIST_LENGTH_ERROR"));
    // Enough bits, but each entry has two.
    let wide = StatusList::new(131_072, 1, Order::HighFirst).unwrap();
    list.encoded = crate::status::encode(&wide).unwrap();
    let entry = Entry {
        size: 2,
        ..entry(5)
    };
    let error = check(&entry, &list, &wanted()).unwrap_err();
    assert_eq!(error.code(), "status-length");
}
