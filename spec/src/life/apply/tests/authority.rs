//! Section 5: keys, proposals, types and administrators.

use super::world::{
    DAY, OPEN, OTHER, PLAIN, UNIT, World, administrators, code, issuer, licence, publish, registry,
    secret, type_key,
};
use crate::life::apply::Refusal;
use crate::life::data::{Action, KeyGrant, Openness};
use crate::life::record::{IssuerRecord, Record};
use crate::life::verb::Verb;
use crate::log::tree::LeafIndex;
use crate::wire::signature::PublicKey;

fn key(name: &str) -> PublicKey {
    secret(name).public()
}

fn grant(name: &str, types: &[&str]) -> KeyGrant {
    KeyGrant {
        key: key(name),
        types: types.iter().map(|code| (*code).to_owned()).collect(),
    }
}

fn rotate(to: &str, retire: Option<&str>) -> Action {
    Action::RotateKey {
        key: key(to),
        retire: retire.map(key),
    }
}

fn record(world: &World) -> IssuerRecord {
    match world.records.get(&issuer(UNIT)).map(AsRef::as_ref) {
        Some(Record::Issuer(record)) => record.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn adm_12_a_rotated_key_signs_no_more_and_the_new_one_signs_what_it_did() {
    let mut world = World::new();
    world.issue("before").expect("issued");
    world
        .unit(issuer(UNIT), rotate("new key", Some("unit key")))
        .expect("rotated");
    assert_eq!(code(world.issue("after")), "key_not_authorised");
    world.signing = "new key";
    world.issue("after").expect("the new key issues");
    let record = record(&world);
    let old = record.key(&key("unit key")).expect("kept");
    let new = record.key(&key("new key")).expect("added");
    assert_eq!(old.until, Some(new.from));
    assert!(old.authorised(world.licence("before").issued_index));
    assert!(!old.authorised(new.from) && new.authorised(new.from));
    assert_eq!(
        code(world.unit(issuer(UNIT), rotate("unit key", None))),
        "key_known"
    );
    assert_eq!(
        code(world.unit(issuer(UNIT), rotate("x", Some("unit key")))),
        "key_retired"
    );
    assert_eq!(
        code(world.unit(issuer(UNIT), rotate("x", Some("y")))),
        "key_unknown"
    );
}

#[test]
fn a_unit_cannot_touch_another_units_keys() {
    let mut world = World::new();
    for action in [
        rotate("thief", Some("unit key")),
        Action::RetireKey(key("unit key")),
        Action::CompromiseKey {
            from: LeafIndex(0),
            key: key("unit key"),
        },
        Action::WithdrawProposal(key("x")),
    ] {
        let event = world.draft(issuer(UNIT), Some(issuer(OTHER)), action);
        assert_eq!(code(world.signed(event, &["other key"])), "wrong_signer");
    }
    for action in [
        Action::ProposeKey(grant("thief", &[PLAIN])),
        Action::GrantTypes(grant("unit key", &["11100000DEM0001107009"])),
        Action::ResumeUnit,
    ] {
        assert_eq!(code(world.unit(issuer(UNIT), action)), "wrong_signer");
    }
}

#[test]
fn administrators_take_a_unit_over_only_slowly_and_in_the_open() {
    let mut world = World::new();
    let subject = issuer(UNIT);
    assert_eq!(
        code(world.admin(subject, Action::ConfirmKey(key("x")))),
        "proposal_unknown"
    );
    world
        .admin(subject, Action::ProposeKey(grant("x", &[PLAIN])))
        .expect("proposed");
    let again = Action::ProposeKey(grant("x", &[PLAIN]));
    assert_eq!(code(world.admin(subject, again)), "key_known");
    let earliest = record(&world).proposals[0].recorded.0 + 7 * DAY;
    world.now.0 = earliest - 1;
    let early = world.clone().admin(subject, Action::ConfirmKey(key("x")));
    assert_eq!(code(early), "delay_not_over");
    // The unit may object in the meantime.
    let mut objecting = world.clone();
    objecting
        .unit(subject, Action::WithdrawProposal(key("x")))
        .expect("withdrawn");
    objecting.now.0 = earliest;
    assert_eq!(
        code(objecting.admin(subject, Action::ConfirmKey(key("x")))),
        "proposal_unknown"
    );
    assert_eq!(
        code(objecting.admin(subject, Action::WithdrawProposal(key("x")))),
        "proposal_unknown"
    );
    world.now.0 = earliest;
    world
        .admin(subject, Action::ConfirmKey(key("x")))
        .expect("confirmed");
    let record = record(&world);
    assert!(record.proposals.is_empty());
    let entry = record.key(&key("x")).expect("in force");
    assert!(entry.granted(PLAIN, entry.from) && !entry.granted(OPEN, entry.from));
}

#[test]
fn proposals_keys_and_types_have_limits() {
    let mut world = World::new();
    for n in 0..16 {
        let action = Action::ProposeKey(grant(&format!("proposed {n}"), &[PLAIN]));
        world.admin(issuer(UNIT), action).expect("below the limit");
    }
    let one_more = Action::ProposeKey(grant("one more", &[PLAIN]));
    assert_eq!(code(world.admin(issuer(UNIT), one_more)), "limit_reached");

    let mut world = World::new();
    for n in 1..64 {
        world
            .unit(issuer(UNIT), rotate(&format!("key {n}"), None))
            .expect("below the limit");
    }
    assert_eq!(
        code(world.unit(issuer(UNIT), rotate("one more", None))),
        "limit_reached"
    );

    let many = |from: usize| -> Vec<String> {
        (from..from + 253)
            .map(|n| format!("11100000DEM0001107{n:03}"))
            .collect()
    };
    let mut world = World::new();
    let add = |types| {
        Action::GrantTypes(KeyGrant {
            key: key("unit key"),
            types,
        })
    };
    world
        .admin(issuer(UNIT), add(many(1).split_off(10)))
        .expect("below the limit");
    assert_eq!(
        code(world.admin(issuer(UNIT), add(many(300)))),
        "limit_reached"
    );
    // 64 keys that each carry 246 types would not fit a record.
    let mut result = Ok(());
    for n in 0..64 {
        result = world.unit(issuer(UNIT), rotate(&format!("heavy {n}"), None));
        if result.is_err() {
            break;
        }
    }
    assert_eq!(
        result,
        Err(Refusal::LimitReached {
            what: "bytes of a record",
            limit: 65_536
        })
    );
}

#[test]
fn grants_count_from_their_index_and_add_something() {
    let mut world = World::new();
    let known = Action::GrantTypes(grant("unit key", &[PLAIN]));
    assert_eq!(code(world.admin(issuer(UNIT), known)), "types_known");
    let unknown = Action::GrantTypes(grant("nobody", &[PLAIN]));
    assert_eq!(code(world.admin(issuer(UNIT), unknown)), "key_unknown");
    let new = "11100000DEM0001107009";
    let at = LeafIndex(world.index);
    world
        .admin(
            issuer(UNIT),
            Action::GrantTypes(grant("unit key", &[PLAIN, new])),
        )
        .expect("granted");
    let record = record(&world);
    let entry = record.key(&key("unit key")).expect("there");
    assert!(entry.granted(new, at) && !entry.granted(new, LeafIndex(at.0 - 1)));
    world
        .admin(issuer(UNIT), Action::RetireKey(key("unit key")))
        .expect("retired");
    let late = Action::GrantTypes(grant("unit key", &["11100000DEM0001107010"]));
    assert_eq!(code(world.admin(issuer(UNIT), late)), "key_retired");
    assert_eq!(
        code(world.admin(issuer(UNIT), Action::RetireKey(key("unit key")))),
        "key_retired"
    );
}

#[test]
fn a_compromise_reaches_back_and_only_ever_further() {
    let mut world = World::new();
    world.issue("a").expect("issued");
    let declare = |from| Action::CompromiseKey {
        from: LeafIndex(from),
        key: key("unit key"),
    };
    let index = world.index;
    assert_eq!(
        world.admin(issuer(UNIT), declare(index + 1)),
        Err(Refusal::FromInFuture {
            from: index + 1,
            index
        })
    );
    let unknown = Action::CompromiseKey {
        from: LeafIndex(0),
        key: key("nobody"),
    };
    assert_eq!(code(world.admin(issuer(UNIT), unknown)), "key_unknown");
    world.admin(issuer(UNIT), declare(6)).expect("declared");
    assert_eq!(code(world.plain("a", Verb::Withhold)), "key_not_authorised");
    assert_eq!(
        world.admin(issuer(UNIT), declare(6)),
        Err(Refusal::NotEarlier { known: 6, from: 6 })
    );
    world.admin(issuer(UNIT), declare(5)).expect("further back");
    let record = record(&world);
    let entry = record.key(&key("unit key")).expect("kept");
    assert_eq!(entry.compromised_from, Some(LeafIndex(5)));
    assert!(entry.authorised(LeafIndex(4)) == (entry.from <= LeafIndex(4)));
    assert!(!entry.authorised(LeafIndex(5)));
}

#[test]
fn units_are_made_once_and_under_their_own_key() {
    let mut world = World::new();
    let add = |unit: &str| Action::AddUnit {
        grant: grant("fresh key", &[PLAIN]),
        unit: unit.to_owned(),
    };
    assert_eq!(code(world.admin(issuer(UNIT), add(UNIT))), "subject_exists");
    let stranger = "11350000DEM000137M";
    assert_eq!(
        code(world.admin(licence("x"), add(stranger))),
        "wrong_subject"
    );
    let event = world.draft(issuer(stranger), None, add(stranger));
    assert_eq!(code(world.signed(event, &["admin 2"])), "threshold_not_met");
    let event = world.draft(issuer(stranger), Some(issuer(UNIT)), add(stranger));
    assert_eq!(code(world.signed(event, &["unit key"])), "wrong_signer");
    assert_eq!(code(world.admin(issuer(stranger), add(stranger))), "ok");
}

#[test]
fn cat_06_types_are_versioned_and_keep_their_rules() {
    let mut world = World::new();
    let mut attempt = |code_: &str, subject, edit: &dyn Fn(&mut crate::life::data::PublishType)| {
        let mut data = publish(code_, 2);
        edit(&mut data);
        code(world.admin(subject, Action::PublishType(Box::new(data))))
    };
    let subject = type_key(OPEN);
    assert_eq!(
        attempt(OPEN, subject, &|d| d.version = 1),
        "version_mismatch"
    );
    assert_eq!(
        attempt(OPEN, subject, &|d| d.version = 3),
        "version_mismatch"
    );
    assert_eq!(
        attempt(OPEN, subject, &|d| d.openness = Openness::Closed),
        "type_rules"
    );
    let businesses = |d: &mut crate::life::data::PublishType| {
        d.indexed = false;
        d.individual_businesses = true;
    };
    assert_eq!(attempt(OPEN, subject, &businesses), "type_rules");
    assert_eq!(attempt(PLAIN, subject, &|_| ()), "wrong_subject");
    assert_eq!(attempt(OPEN, subject, &|_| ()), "ok");
    assert_eq!(code(world.admin(type_key(OPEN), Action::RetireType)), "ok");
    assert_eq!(
        code(world.admin(type_key(OPEN), Action::RetireType)),
        "already_retired"
    );
    let nothing = type_key("11100000DEM0001107055");
    assert_eq!(
        code(world.admin(nothing, Action::RetireType)),
        "subject_absent"
    );
}

/// How long a type has been open and indexed survives new versions and retirement, and a break
/// starts it anew.
#[test]
fn a_type_keeps_since_when_it_is_open_and_indexed() {
    let mut world = World::new();
    let since = |world: &World| match world.records.get(&type_key(OPEN)).map(AsRef::as_ref) {
        Some(Record::LicenceType(record)) => (record.open_since, record.indexed_since),
        other => panic!("{other:?}"),
    };
    let first = since(&world);
    assert!(first.0.is_some() && first.0 == first.1);
    let version = |world: &mut World, number, openness: Openness, indexed| {
        let mut data = publish(OPEN, number);
        data.openness = openness;
        data.indexed = indexed;
        let at = LeafIndex(world.index);
        world
            .admin(type_key(OPEN), Action::PublishType(Box::new(data)))
            .expect("published");
        at
    };
    version(&mut world, 2, Openness::Open, true);
    assert_eq!(since(&world), first, "a new version is no break");
    world
        .admin(type_key(OPEN), Action::RetireType)
        .expect("retired");
    assert_eq!(since(&world), first, "nor is retirement");
    version(&mut world, 3, Openness::Open, false);
    assert_eq!(
        since(&world),
        (first.0, None),
        "open still, indexed no more"
    );
    let again = version(&mut world, 4, Openness::Open, true);
    assert_eq!(since(&world), (first.0, Some(again)));
    version(&mut world, 5, Openness::Restricted, false);
    assert_eq!(since(&world), (None, None));
    let again = version(&mut world, 6, Openness::Open, true);
    assert_eq!(since(&world), (Some(again), Some(again)));
}

#[test]
fn administrators_are_changed_by_those_in_force() {
    let mut world = World::new();
    let change = || Action::ChangeAdministrators(administrators(&["new 1", "new 2"], 2));
    let event = world.draft(registry(), None, change());
    assert_eq!(
        code(world.signed(event, &["new 1", "new 2"])),
        "foreign_signature"
    );
    assert_eq!(code(world.admin(licence("x"), change())), "wrong_subject");
    let mut event = world.draft(registry(), None, change());
    event.seq = 2;
    assert_eq!(
        code(world.signed(event, &["admin 1", "admin 3"])),
        "seq_mismatch"
    );
    let event = world.draft(registry(), None, change());
    assert_eq!(
        (event.seq, event.prev.is_some()),
        (1, true),
        "genesis is number 0"
    );
    world
        .signed(event, &["admin 1", "admin 3"])
        .expect("changed");
    assert_eq!(
        code(world.admin(issuer(UNIT), Action::SuspendUnit)),
        "foreign_signature"
    );
    let event = world.draft(issuer(UNIT), None, Action::SuspendUnit);
    world
        .signed(event, &["new 1", "new 2"])
        .expect("the new ones decide");
}
