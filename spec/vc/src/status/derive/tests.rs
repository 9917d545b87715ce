#![allow(clippy::unwrap_used, reason = "a test may panic")]
use std::collections::HashMap;

use proptest::prelude::*;
use zhao_spec::life::data::TypeRef;
use zhao_spec::life::record::{Inspection, Suspension};
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::UnixMillis;

use super::*;
use crate::status::standing_messages;

const UNIT: &str = "11320400DEM0001293";
const ORIGIN: &str = "log.example";

fn record() -> LicenceRecord {
    let unit = subject_key(ORIGIN, Kind::Issuer, UNIT);
    LicenceRecord {
        controller: unit,
        effective: UnixMillis(1),
        enterprise: None,
        index: LeafIndex(5),
        inspection: None,
        issued_by: Hash([0; 32]),
        issued_index: LeafIndex(5),
        issuer: unit,
        latest: Hash([0; 32]),
        latest_by: Hash([0; 32]),
        mortgages: Vec::new(),
        objections: Vec::new(),
        pledges: Vec::new(),
        predecessor: None,
        reaffirmed: None,
        recorded: UnixMillis(1),
        seq: 0,
        state: State::Active,
        successor: None,
        suspensions: Vec::new(),
        type_ref: TypeRef::Commitment(Hash([0; 32])),
        vc: Hash([0; 32]),
    }
}

fn licence(number: u32) -> Hash {
    subject_key(ORIGIN, Kind::Licence, &format!("urn:uuid:{number}"))
}

#[test]
fn a_name_has_one_text() {
    let name = ListName::parse("11320400DEM0001293-4-9").unwrap();
    assert_eq!((name.unit(), name.bits()), (UNIT, 4));
    assert_eq!(name.to_string(), "11320400DEM0001293-4-9");
    assert_eq!(ListName::all(UNIT, 4).unwrap()[9], name);
    assert_eq!(ListName::all(UNIT, 0).unwrap().len(), 1);
    for text in [
        "",
        "11320400DEM0001293",
        "11320400DEM0001293-0",
        "11320400DEM0001293-0-1",
        "11320400DEM0001293-4-16",
        "11320400DEM0001293-13-0",
        "11320400DEM0001293-00-0",
        "11320400DEM0001293-4-09",
        "11320400DEM0001293-4-+9",
        "11320400DEM0001293-4-9-0",
        "11320400dem0001293-4-9",
        "11320400DEM000129-4-9",
        "../../../etc/passwd-4-9",
    ] {
        assert_eq!(
            ListName::parse(text).unwrap_err().code(),
            "status-name",
            "{text}"
        );
    }
    assert!(ListName::all(UNIT, 13).is_err());
}

/// Fixed when the format was: another index for a licence would be another format.
#[test]
fn an_index_is_for_ever() {
    let key = licence(7);
    let name = ListName::of(UNIT, 0, &key).unwrap();
    let expected = sha256(&[
        b"zhao/v1 status index\x0011320400DEM0001293-0-0\0".as_slice(),
        key.as_bytes(),
    ]);
    let bits = u64::from_be_bytes(expected.0[..8].try_into().unwrap()) >> 47;
    assert_eq!(name.index(&key), bits);
    assert!(bits < u64::from(ENTRIES));
}

/// Bits of an entry by the table of `spec/status-list.md`, and the order of the format it is in.
#[test]
fn each_purpose_has_its_size_and_order() {
    let sizes = Purpose::ALL.map(|purpose| (purpose.as_str(), purpose.size(), purpose.order()));
    assert_eq!(
        sizes,
        [
            ("revocation", 1, Order::HighFirst),
            ("suspension", 1, Order::HighFirst),
            ("message", 4, Order::HighFirst),
            ("refresh", 1, Order::HighFirst),
            ("standing", 2, Order::LowFirst),
        ]
    );
}

#[test]
fn each_standing_has_its_values() {
    let values = |record: &LicenceRecord| Purpose::ALL.map(|purpose| purpose.value(record));
    assert_eq!(values(&record()), [0, 0, 0, 0, 0]);
    for state in State::ALL.iter().filter(|state| **state != State::Active) {
        let ended = LicenceRecord {
            state: *state,
            ..record()
        };
        assert_eq!(values(&ended), [1, 0, 0, 0, 1], "{state:?}");
    }
    for suspension in Suspension::ALL {
        let mut held = record();
        held.suspensions = vec![*suspension];
        assert_eq!(values(&held), [0, 1, 0, 0, 2], "{suspension:?}");
        // A terminal state keeps its suspensions, and outweighs them.
        held.state = State::Revoked;
        assert_eq!(values(&held), [1, 1, 0, 0, 1]);
    }
    let renewed = LicenceRecord {
        state: State::Superseded,
        successor: Some(licence(8)),
        ..record()
    };
    assert_eq!(values(&renewed), [1, 0, 0, 1, 1]);
    let messages = standing_messages();
    type Flag = fn(&mut LicenceRecord);
    let flags: [(Flag, &str); 4] = [
        (|r| r.mortgages = vec![LeafIndex(6)], "mortgage"),
        (|r| r.pledges = vec![LeafIndex(6)], "pledge"),
        (|r| r.objections = vec![LeafIndex(6)], "objection"),
        (
            |r| {
                r.inspection = Some(Inspection {
                    due: None,
                    result: Some(InspectionResult::Failed),
                });
            },
            "inspection_failed",
        ),
    ];
    let mut all = record();
    for (flag, word) in flags {
        let mut one = record();
        flag(&mut one);
        flag(&mut all);
        let value = Purpose::Message.value(&one);
        assert_eq!(messages[usize::from(value)].message, word);
    }
    assert_eq!(Purpose::Message.value(&all), 15);
    let mut passed = record();
    passed.inspection = Some(Inspection {
        due: None,
        result: Some(InspectionResult::Passed),
    });
    assert_eq!(Purpose::Message.value(&passed), 0);
}

#[test]
fn words_of_purposes() {
    for purpose in Purpose::ALL {
        assert_eq!(Purpose::from_word(purpose.as_str()), Some(purpose));
    }
    assert_eq!(Purpose::from_word("Revocation"), None);
}

#[test]
fn a_list_covers_its_part_of_its_unit() {
    let unit = subject_key(ORIGIN, Kind::Issuer, UNIT);
    let other = subject_key(ORIGIN, Kind::Issuer, "11320400DEM0001306");
    for number in 0..200 {
        let key = licence(number);
        let covering: Vec<ListName> = ListName::all(UNIT, 5)
            .unwrap()
            .into_iter()
            .filter(|name| name.covers(ORIGIN, &key, &unit))
            .collect();
        assert_eq!(covering, [ListName::of(UNIT, 5, &key).unwrap()]);
        let (low, high) = covering[0].range();
        assert!(low <= key && key <= high);
        assert!(!covering[0].covers(ORIGIN, &key, &other));
        assert!(!covering[0].covers("log2.example", &key, &unit));
    }
    let (low, high) = ListName::parse("11320400DEM0001293-0-0").unwrap().range();
    assert_eq!((low.0[1], high.0[1], low.0[0], high.0[0]), (0, 0xff, 1, 1));
    // The unit's own key begins with another tag.
    assert!(
        !ListName::of(UNIT, 0, &unit)
            .unwrap()
            .covers(ORIGIN, &unit, &unit)
    );
}

/// Two licences whose keys fall on one index: nothing that is so of either is hidden.
#[test]
fn a_collision_is_told_and_hides_nothing() {
    let name = ListName::parse("11320400DEM0001293-0-0").unwrap();
    let mut seen: HashMap<u64, Hash> = HashMap::new();
    let (first, second) = (0..)
        .find_map(|number| {
            let key = licence(number);
            seen.insert(name.index(&key), key).map(|old| (old, key))
        })
        .unwrap();
    let revoked = LicenceRecord {
        state: State::Revoked,
        ..record()
    };
    for pair in [
        [(first, &revoked), (second, &record())],
        [(first, &record()), (second, &revoked)],
    ] {
        let derived = derive(&name, Purpose::Revocation, pair).unwrap();
        assert_eq!(derived.collisions, [(name.index(&second), second)]);
        assert_eq!(derived.covered, 2);
        assert_eq!(
            derived
                .list(Purpose::Revocation)
                .unwrap()
                .value(name.index(&first)),
            Ok(1)
        );
    }
}

#[test]
fn a_disagreement_names_its_index() {
    let name = ListName::parse("11320400DEM0001293-0-0").unwrap();
    let revoked = LicenceRecord {
        state: State::Revoked,
        ..record()
    };
    let key = licence(7);
    let derived = derive(&name, Purpose::Revocation, [(key, &revoked)])
        .unwrap()
        .list(Purpose::Revocation)
        .unwrap()
        .clone();
    assert_eq!(agree(&derived, &derived), Ok(()));
    let hidden = StatusList::new(ENTRIES, 1, Order::HighFirst).unwrap();
    let index = name.index(&key);
    let told = |actual, expected| {
        Err(StatusError::Disagrees {
            index,
            actual,
            expected,
        })
    };
    assert_eq!(agree(&hidden, &derived), told(0, 1));
    assert_eq!(agree(&derived, &hidden), told(1, 0));
    let wide = StatusList::new(ENTRIES, 2, Order::HighFirst).unwrap();
    assert_eq!(agree(&wide, &derived).unwrap_err().code(), "status-size");
    let long = StatusList::new(ENTRIES * 2, 1, Order::HighFirst).unwrap();
    assert_eq!(agree(&long, &derived).unwrap_err().code(), "status-length");
}

proptest! {
    #[test]
    fn every_name_reads_back(bits in 0_u8..=12, key: [u8; 32]) {
        let name = ListName::of(UNIT, bits, &Hash(key)).unwrap();
        prop_assert_eq!(ListName::parse(&name.to_string()), Ok(name.clone()));
        prop_assert!(name.index(&Hash(key)) < u64::from(ENTRIES));
    }

    #[test]
    fn any_text_is_an_answer(text in "\\PC{0,40}") {
        let _answer = ListName::parse(&text);
    }
}
