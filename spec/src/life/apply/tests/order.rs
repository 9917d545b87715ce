//! Sections 1 and 4: signatures, chain, timing, types, and the order in which they are judged.

use super::world::{
    CLOSED, DAY, OPEN, ORIGIN, OTHER, PLAIN, START, UNIT, World, code, issued, issuer, licence,
    note, open_type, publish, registry, secret, type_key,
};
use crate::life::apply::Refusal;
use crate::life::data::{
    Action, InspectionResult, Issued, Note, ObjectionResult, Predecessor, Relation, TypeRef,
};
use crate::life::record::Record;
use crate::life::subject::{Kind, subject_key};
use crate::life::verb::{On, Verb};
use crate::log::tree::LeafIndex;
use crate::wire::hash::{Hash, sha256};
use crate::wire::time::UnixMillis;

fn withhold() -> Action {
    Action::Plain(Verb::Withhold, note())
}

#[test]
fn iss_01_signatures_and_signers() {
    let mut world = World::new();
    world.issue("a").expect("issued");
    let subject = licence("a");

    let mut event = world.draft(subject, Some(issuer(UNIT)), withhold());
    event.origin = "zhao.example/other".to_owned();
    assert_eq!(code(world.signed(event, &["unit key"])), "wrong_origin");

    let event = world.draft(subject, Some(issuer(UNIT)), withhold());
    assert_eq!(code(world.submit(event)), "signer_missing");

    let mut event = world.draft(subject, Some(issuer(UNIT)), withhold());
    event.sign(&secret("unit key"));
    event.effective = UnixMillis(event.effective.0 - 1);
    assert_eq!(code(world.submit(event)), "signature_invalid");

    let event = world.draft(subject, Some(issuer(UNIT)), withhold());
    assert_eq!(
        code(world.signed(event, &["forged key"])),
        "key_not_authorised"
    );
    let event = world.draft(subject, Some(issuer(UNIT)), withhold());
    assert_eq!(
        code(world.signed(event, &["other key"])),
        "key_not_authorised"
    );
    let event = world.draft(subject, Some(issuer(UNIT)), withhold());
    assert_eq!(
        code(world.signed(event, &["unit key", "other key"])),
        "foreign_signature"
    );
    let event = world.draft(subject, Some(issuer("11350000DEM000137M")), withhold());
    assert_eq!(code(world.signed(event, &["unit key"])), "signer_unknown");
    let event = world.draft(subject, Some(issuer(OTHER)), withhold());
    assert_eq!(code(world.signed(event, &["other key"])), "not_controller");
    let event = world.draft(subject, None, withhold());
    assert_eq!(
        code(world.signed(event, &["admin 1", "admin 2"])),
        "wrong_signer"
    );

    world
        .admin(issuer(UNIT), Action::SuspendUnit)
        .expect("suspended");
    assert_eq!(code(world.plain("a", Verb::Withhold)), "signer_suspended");
}

#[test]
fn administrators_are_counted_once_and_alone() {
    let mut world = World::new();
    let suspend = |world: &World| world.draft(issuer(UNIT), None, Action::SuspendUnit);
    let event = suspend(&world);
    let refusal = world.signed(event, &["admin 3"]);
    assert_eq!(
        refusal,
        Err(Refusal::ThresholdNotMet {
            expected: 2,
            actual: 1
        })
    );
    let event = suspend(&world);
    assert_eq!(
        code(world.signed(event, &["admin 1", "unit key"])),
        "foreign_signature"
    );
    // The same administrator twice is one.
    let mut event = suspend(&world);
    event.sign(&secret("admin 1"));
    event.signatures.push(event.signatures[0].clone());
    assert_eq!(code(world.submit(event)), "threshold_not_met");
    let mut event = suspend(&world);
    event.signer = Some(issuer(UNIT));
    assert_eq!(
        code(world.signed(event, &["admin 1", "admin 2"])),
        "wrong_signer"
    );
    let event = suspend(&world);
    assert_eq!(
        code(world.signed(event, &["admin 1", "admin 2", "admin 3"])),
        "ok"
    );
}

#[test]
fn the_chain_of_a_subject_has_no_gap_and_no_fork() {
    let mut world = World::new();
    world.issue("a").expect("issued");
    let subject = licence("a");
    let mut event = world.draft(subject, Some(issuer(UNIT)), withhold());
    event.seq = 2;
    assert_eq!(
        world.signed(event, &["unit key"]),
        Err(Refusal::SeqMismatch {
            expected: 1,
            actual: 2
        })
    );
    let mut event = world.draft(subject, Some(issuer(UNIT)), withhold());
    event.prev = Some(Hash([7; 32]));
    assert_eq!(code(world.signed(event, &["unit key"])), "prev_mismatch");
    // A lost update: two events prepared on the same state.
    let first = world.draft(subject, Some(issuer(UNIT)), withhold());
    let second = world.draft(
        subject,
        Some(issuer(UNIT)),
        Action::Plain(Verb::Revoke, note()),
    );
    world.signed(first, &["unit key"]).expect("the first");
    assert_eq!(code(world.signed(second, &["unit key"])), "seq_mismatch");
    // A first event with a later number, on a subject that does not exist.
    let action = Action::Issued(Box::new(issued(open_type())));
    let mut event = world.draft(licence("b"), Some(issuer(UNIT)), action);
    event.seq = 3;
    event.prev = Some(Hash([7; 32]));
    assert_eq!(code(world.signed(event, &["unit key"])), "seq_mismatch");
}

#[test]
fn subjects_of_another_kind_are_refused() {
    let mut world = World::new();
    let targets = [
        (issuer(UNIT), withhold()),
        (type_key(PLAIN), withhold()),
        (registry(), withhold()),
    ];
    for (subject, action) in targets {
        assert_eq!(code(world.unit(subject, action)), "wrong_kind");
    }
    world.issue("a").expect("issued");
    assert_eq!(
        code(world.admin(licence("a"), Action::SuspendUnit)),
        "wrong_kind"
    );
    assert_eq!(
        code(world.admin(licence("a"), Action::RetireType)),
        "wrong_kind"
    );
    // Nor can a unit take the key of a unit, type or index that is yet to be made.
    let future = [
        issuer("11350000DEM000137M"),
        type_key("11100000DEM0001107055"),
        subject_key(ORIGIN, Kind::Enterprise, "91310115DEM0010254"),
        subject_key(ORIGIN, Kind::Registry, "another"),
        Hash([0; 32]),
        Hash([255; 32]),
    ];
    for subject in future {
        let squatted = Action::Issued(Box::new(issued(open_type())));
        assert_eq!(code(world.unit(subject, squatted)), "wrong_kind");
    }
    let mut data = issued(open_type());
    data.enterprise = Some(licence("b"));
    assert_eq!(
        code(world.unit(licence("b"), Action::Issued(Box::new(data)))),
        "wrong_kind"
    );
    // A public index that is really somebody's licence.
    let mut data = issued(open_type());
    data.enterprise = Some(licence("a"));
    assert_eq!(
        code(world.unit(licence("b"), Action::Issued(Box::new(data)))),
        "wrong_kind"
    );
}

/// Section 4, read from the page: each verb at its bound, one millisecond beyond, and in the
/// future.
#[test]
fn sta_09_effective_times_keep_their_bounds() {
    let page = include_str!("../../../../lifecycle.md");
    let start = page.find("| verbs | reaches back |").expect("the table");
    let mut seen = 0;
    for line in page[start..]
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
    {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let days = cells[1]
            .strip_suffix(" d")
            .map(|days| days.parse().expect("a number"));
        for word in cells[0].split(", ") {
            let verb = Verb::from_word(word).expect("a verb");
            assert_eq!(verb.reaches_back_days(), days, "{verb}");
            seen += 1;
        }
    }
    assert_eq!(seen, Verb::ALL.len(), "the page bounds every verb");

    let mut base = World::new();
    base.issue("a").expect("issued");
    base.now.0 += 400 * DAY;
    let at = |back: u64, forward: u64, verb: Verb| {
        let mut world = base.clone();
        let action = match verb {
            Verb::Inspect => Action::Inspect {
                due: None,
                note: note(),
                result: InspectionResult::Failed,
            },
            plain => Action::Plain(plain, note()),
        };
        let mut event = world.draft(licence("a"), Some(issuer(UNIT)), action);
        event.effective = UnixMillis(world.now.0 + forward - back);
        code(world.signed(event, &["unit key"]))
    };
    let verbs = [
        Verb::Withhold,
        Verb::Hold,
        Verb::ReportLost,
        Verb::Mortgage,
        Verb::Pledge,
        Verb::MarkObjection,
        Verb::Inspect,
        Verb::Cancel,
        Verb::Revoke,
        Verb::Abolish,
    ];
    for verb in verbs {
        let bound = verb.reaches_back_days().expect("bounded") * DAY;
        assert_eq!(at(bound, 0, verb), "ok", "{verb} at its bound");
        assert_eq!(
            at(bound + 1, 0, verb),
            "effective_too_early",
            "{verb} beyond"
        );
        assert_eq!(at(0, 1, verb), "effective_in_future", "{verb} ahead");
    }
    assert_eq!(at(0, 1, Verb::Annul), "effective_in_future");
    assert_eq!(at(399 * DAY, 0, Verb::Annul), "ok");
    assert_eq!(
        at(base.now.0, 0, Verb::Annul),
        "ok",
        "void from the start reaches anywhere"
    );
}

#[test]
fn what_is_recorded_later_takes_effect_no_earlier_than_the_standing_it_changes() {
    let mut world = World::new();
    world.issue("a").expect("issued");
    let effective = world.licence("a").effective;
    let mut event = world.draft(licence("a"), Some(issuer(UNIT)), withhold());
    event.effective = UnixMillis(effective.0 - 1);
    assert_eq!(
        world.signed(event, &["unit key"]),
        Err(Refusal::EffectiveTooEarly {
            effective: UnixMillis(effective.0 - 1),
            earliest: effective
        })
    );
    // The same through a new version.
    let mut data = issued(open_type());
    let record = world.licence("a");
    data.predecessor = Some(Predecessor {
        prev: record.latest,
        relation: Relation::Amended,
        seq: record.seq + 1,
        subject: licence("a"),
    });
    let action = Action::Issued(Box::new(data));
    let mut event = world.draft(licence("b"), Some(issuer(UNIT)), action);
    event.effective = UnixMillis(effective.0 - 1);
    assert_eq!(
        code(world.signed(event, &["unit key"])),
        "effective_too_early"
    );
    assert!(world.now > START);
}

#[test]
fn iss_21_types_bind_what_may_be_issued() {
    let mut world = World::new();
    let try_issue = |world: &mut World, data: Issued| {
        code(world.unit(licence("x"), Action::Issued(Box::new(data))))
    };
    let unknown = "11100000DEM0001107777".to_owned();
    assert_eq!(
        try_issue(&mut world, issued(TypeRef::Code(unknown))),
        "type_unknown"
    );
    // Published, but the key was never granted it.
    let ungranted = "11100000DEM0001107008";
    let action = Action::PublishType(Box::new(publish(ungranted, 1)));
    world.admin(type_key(ungranted), action).expect("published");
    let data = issued(TypeRef::Code(ungranted.to_owned()));
    assert_eq!(try_issue(&mut world, data), "type_not_granted");
    let data = issued(TypeRef::Code(CLOSED.to_owned()));
    assert_eq!(try_issue(&mut world, data), "commitment_required");

    let mut data = issued(open_type());
    data.enterprise = None;
    assert_eq!(try_issue(&mut world, data), "enterprise_required");
    let mut data = issued(TypeRef::Code(PLAIN.to_owned()));
    data.enterprise = Some(subject_key(ORIGIN, Kind::Enterprise, "91320402DEM0010172"));
    assert_eq!(try_issue(&mut world, data), "enterprise_not_allowed");
    let committed = || issued(TypeRef::Commitment(sha256(&[b"a commitment"])));
    let mut data = committed();
    data.enterprise = Some(Hash([1; 32]));
    assert_eq!(try_issue(&mut world, data), "enterprise_not_allowed");
    let mut data = committed();
    data.note.code = Some("first".to_owned());
    assert_eq!(try_issue(&mut world, data), "code_not_allowed");
    let mut data = issued(open_type());
    data.inspection_due = Some(START);
    assert_eq!(try_issue(&mut world, data), "due_not_later");

    world
        .admin(type_key(OPEN), Action::RetireType)
        .expect("retired");
    assert_eq!(try_issue(&mut world, issued(open_type())), "type_retired");
    assert_eq!(try_issue(&mut world, committed()), "ok");
}

#[test]
fn a_type_may_leave_verbs_out_but_never_transfer_or_reaffirm() {
    let mut world = World::new();
    world.issue("a").expect("issued");
    let mut narrow = publish(OPEN, 2);
    narrow.verbs = vec![Verb::Issued, Verb::Revoke];
    world
        .admin(type_key(OPEN), Action::PublishType(Box::new(narrow)))
        .expect("narrowed");
    let licence_verbs = Verb::ALL.iter().copied().filter(|v| v.on() == On::Licence);
    for verb in licence_verbs {
        let action = match verb {
            Verb::Issued => continue,
            Verb::ReleaseMortgage | Verb::ReleasePledge => {
                Action::Release(verb, LeafIndex(1), note())
            }
            Verb::ClearObjection => Action::ClearObjection {
                note: note(),
                of: LeafIndex(1),
                result: ObjectionResult::Rejected,
            },
            Verb::Inspect => Action::Inspect {
                due: None,
                note: note(),
                result: InspectionResult::Passed,
            },
            Verb::Transfer => Action::Transfer {
                controller: issuer(OTHER),
                note: note(),
            },
            plain => Action::Plain(plain, note()),
        };
        let expected = match verb {
            Verb::Revoke | Verb::Transfer => "ok",
            Verb::Reaffirm => "nothing_to_reaffirm",
            _ => "verb_not_applicable",
        };
        assert_eq!(
            code(world.clone().unit(licence("a"), action)),
            expected,
            "{verb}"
        );
    }
}

#[test]
fn a_reason_code_in_clear_needs_an_open_type() {
    let mut world = World::new();
    world.issue("open").expect("issued");
    let data = issued(TypeRef::Commitment(sha256(&[b"a commitment"])));
    world
        .unit(licence("closed"), Action::Issued(Box::new(data)))
        .expect("issued");
    let coded = Action::Plain(
        Verb::Revoke,
        Note {
            basis: Some(Hash([1; 32])),
            code: Some("penalty".to_owned()),
            reason: Some(Hash([2; 32])),
        },
    );
    assert_eq!(
        code(world.unit(licence("closed"), coded.clone())),
        "code_not_allowed"
    );
    let mut restricted = publish(OPEN, 2);
    restricted.openness = crate::life::data::Openness::Restricted;
    restricted.indexed = false;
    let mut later = world.clone();
    later
        .admin(type_key(OPEN), Action::PublishType(Box::new(restricted)))
        .expect("restricted");
    assert_eq!(
        code(later.unit(licence("open"), coded.clone())),
        "code_not_allowed"
    );
    assert_eq!(code(world.unit(licence("open"), coded)), "ok");
}

#[test]
fn predecessors_are_checked_like_a_chain() {
    let mut world = World::new();
    world.issue("a").expect("issued");
    let record = world.licence("a");
    let mut attempt = |subject, seq, prev, signer: &str, key: &str| {
        let mut data = issued(open_type());
        data.predecessor = Some(Predecessor {
            prev,
            relation: Relation::Renewed,
            seq,
            subject,
        });
        let action = Action::Issued(Box::new(data));
        let event = world.draft(licence("b"), Some(issuer(signer)), action);
        code(world.signed(event, &[key]))
    };
    let (old, latest) = (licence("a"), record.latest);
    assert_eq!(
        attempt(licence("nothing"), 1, latest, UNIT, "unit key"),
        "predecessor_absent"
    );
    assert_eq!(
        attempt(issuer(UNIT), 1, latest, UNIT, "unit key"),
        "predecessor_absent"
    );
    assert_eq!(
        attempt(old, 2, latest, UNIT, "unit key"),
        "predecessor_seq_mismatch"
    );
    assert_eq!(
        attempt(old, 1, Hash([3; 32]), UNIT, "unit key"),
        "predecessor_prev_mismatch"
    );
    assert_eq!(
        attempt(old, 1, latest, OTHER, "other key"),
        "not_controller"
    );
    assert_eq!(attempt(old, 1, latest, UNIT, "unit key"), "ok");
}

#[test]
fn control_passes_to_another_unit_and_no_further_than_it_exists() {
    let mut world = World::new();
    world.issue("a").expect("issued");
    let transfer = |to| Action::Transfer {
        controller: to,
        note: note(),
    };
    for nobody in [licence("a"), issuer("11350000DEM000137M"), issuer(UNIT)] {
        assert_eq!(
            code(world.unit(licence("a"), transfer(nobody))),
            "controller_unknown"
        );
    }
    world
        .unit(licence("a"), transfer(issuer(OTHER)))
        .expect("transferred");
    assert_eq!(code(world.plain("a", Verb::Withhold)), "not_controller");
    let event = world.draft(licence("a"), Some(issuer(OTHER)), withhold());
    world
        .signed(event, &["other key"])
        .expect("the new controller may");
    assert_eq!(world.licence("a").issuer, issuer(UNIT));
}

#[test]
fn inspections_look_forward() {
    let mut world = World::new();
    world.issue("a").expect("issued");
    let inspect = |world: &mut World, due: Option<UnixMillis>| {
        let action = Action::Inspect {
            due,
            note: note(),
            result: InspectionResult::Failed,
        };
        code(world.unit(licence("a"), action))
    };
    let now = world.now;
    assert_eq!(inspect(&mut world, Some(now)), "due_not_later");
    let later = UnixMillis(world.now.0 + DAY);
    assert_eq!(inspect(&mut world, Some(later)), "ok");
    let inspection = world.licence("a").inspection.expect("noted");
    assert_eq!(inspection.due, Some(later));
    assert_eq!(inspection.result, Some(InspectionResult::Failed));
}

#[test]
fn soc_04_the_public_index_counts_every_open_licence_in_order() {
    let mut world = World::new();
    let key = subject_key(ORIGIN, Kind::Enterprise, "91320402DEM0010172");
    let mut chain = Hash([0; 32]);
    for (count, name) in ["a", "b", "c"].into_iter().enumerate() {
        world.issue(name).expect("issued");
        chain = crate::life::record::next_enterprise(&chain, &licence(name));
        match world.records.get(&key).map(AsRef::as_ref) {
            Some(Record::Enterprise(record)) => {
                assert_eq!(record.count, count as u64 + 1);
                assert_eq!(record.chain, chain);
            }
            other => panic!("{other:?}"),
        }
    }
}
