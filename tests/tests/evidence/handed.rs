//! `not-included`: an auditor was handed an event, and the log left it out.

use zhao_ledger::audit::compare::{NotJudged, Seen, hand_in};
use zhao_ledger::audit::handed::TakenIn;
use zhao_spec::file::{Evidence, Handed, NotIncluded};
use zhao_spec::life::apply::Refusal;
use zhao_spec::life::data::Action;
use zhao_spec::life::event::VerifiedEvent;
use zhao_spec::life::subject::Kind;
use zhao_spec::life::verb::Verb;
use zhao_spec::log::tree::TreeSize;
use zhao_spec::wire::UnixMillis;

use crate::desk::{AUDITOR, BOUND, Desk, convicts, fails};
use crate::operator::{ADMINS, ORIGIN, OTHER, Operator, UNIT, secret, sign, verified, without_log};

/// A revocation, and an auditor's word that it was handed in before the next epoch.
fn handed(log: &Operator, desk: &Desk) -> (VerifiedEvent, Handed) {
    let event = verified(log.plain(1, Verb::Revoke));
    let at = UnixMillis(log.now.0 - 1_000);
    let known = desk.auditor.known().unwrap().unwrap();
    assert_eq!(known.admits(&event, at).unwrap(), Ok(()));
    let word = desk.auditor.hand_in(&event, at, AUDITOR).unwrap();
    (event, word)
}

fn judged(desk: &Desk, word: &Handed) -> Seen {
    let known = desk.auditor.known().unwrap().unwrap();
    known
        .handed(word, &secret("auditor").public(), BOUND)
        .unwrap()
}

/// A log that went on for hours without the event.
fn omitted() -> (Operator, Desk, Handed) {
    let mut log = Operator::founded(ORIGIN);
    let mut desk = Desk::of(&log);
    let (_, word) = handed(&log, &desk);
    for n in 10..13 {
        log.issue(n);
        log.close();
    }
    desk.show(&log).unwrap();
    (log, desk, word)
}

#[test]
fn an_event_left_out_is_evidence() {
    let (_, desk, word) = omitted();
    convicts(judged(&desk, &word), &["not-included"]);
}

#[test]
fn an_issuance_left_out_is_evidence() {
    let mut log = Operator::founded(ORIGIN);
    let mut desk = Desk::of(&log);
    let event = verified(log.draft(log.licence(9), log.issued(9), crate::operator::By::Unit));
    let word = desk.auditor.hand_in(&event, log.now, AUDITOR).unwrap();
    (0..4).for_each(|_| log.close());
    desk.show(&log).unwrap();
    let found = convicts(judged(&desk, &word), &["not-included"]);
    let Evidence::NotIncluded(own) = &found[0] else {
        unreachable!()
    };
    // The licence itself is proved absent, the holder's index placed.
    assert_eq!(
        own.subjects
            .iter()
            .filter(|place| place.record.is_none())
            .count(),
        1
    );
    assert_eq!(own.subjects.len(), 5);
}

#[test]
fn an_event_that_was_included_is_not_missed() {
    let mut log = Operator::founded(ORIGIN);
    let mut desk = Desk::of(&log);
    let (event, word) = handed(&log, &desk);
    log.admit(event.into_inner());
    (0..4).for_each(|_| {
        log.close();
        desk.show(&log).unwrap();
        assert_eq!(judged(&desk, &word), Seen::Agrees);
    });
}

#[test]
fn until_the_bound_is_over_the_log_has_time() {
    let mut log = Operator::founded(ORIGIN);
    let mut desk = Desk::of(&log);
    let (_, word) = handed(&log, &desk);
    let until = UnixMillis(word.at.0 + BOUND);
    // One epoch exactly at the bound, one a millisecond later.
    for (now, over) in [(UnixMillis(until.0 - 1), false), (until, false)] {
        log.now = now;
        log.close();
        desk.show(&log).unwrap();
        let waits = Seen::NotJudged(NotJudged::BoundNotOver { until, now });
        assert_eq!((judged(&desk, &word) == waits), !over);
    }
    log.now = UnixMillis(until.0 + 1);
    log.close();
    desk.show(&log).unwrap();
    convicts(judged(&desk, &word), &["not-included"]);
}

#[test]
fn an_event_overtaken_by_another_is_not_missed() {
    let mut log = Operator::founded(ORIGIN);
    let mut desk = Desk::of(&log);
    let (_, word) = handed(&log, &desk);
    log.admit(log.plain(1, Verb::Hold));
    (0..4).for_each(|_| log.close());
    desk.show(&log).unwrap();
    let refusal = Refusal::SeqMismatch {
        expected: 2,
        actual: 1,
    };
    assert_eq!(
        judged(&desk, &word),
        Seen::NotJudged(NotJudged::Refused(refusal))
    );
}

#[test]
fn an_event_that_could_not_be_taken_for_a_while_is_not_missed() {
    let mut log = Operator::founded(ORIGIN);
    let mut desk = Desk::of(&log);
    let (_, word) = handed(&log, &desk);
    let unit = log.key(Kind::Issuer, UNIT);
    // Suspended just then, and active again when the bound is long over: an honest log refused.
    log.act(unit, Action::SuspendUnit, ADMINS);
    (0..4).for_each(|_| log.close());
    desk.show(&log).unwrap();
    let refused = Seen::NotJudged(NotJudged::Refused(Refusal::SignerSuspended));
    assert_eq!(judged(&desk, &word), refused);
    log.act(unit, Action::ResumeUnit, ADMINS);
    log.close();
    desk.show(&log).unwrap();
    let changed = Seen::NotJudged(NotJudged::Changed {
        subject: unit,
        since: word.at,
    });
    assert_eq!(judged(&desk, &word), changed);
    // Handed in again, it must not be left out again.
    let event = verified(word.event.clone());
    let again = desk
        .auditor
        .hand_in(&event, log.epochs.last().unwrap().time, AUDITOR)
        .unwrap();
    (0..4).for_each(|_| log.close());
    desk.show(&log).unwrap();
    convicts(judged(&desk, &again), &["not-included"]);
}

#[test]
fn an_auditor_signs_for_no_event_that_is_not_admissible() {
    let log = Operator::founded(ORIGIN);
    let desk = Desk::of(&log);
    let known = desk.auditor.known().unwrap().unwrap();
    let early = verified(log.plain(1, Verb::LiftHold));
    let refused = known.admits(&early, log.now).unwrap();
    assert_eq!(refused, Err(NotJudged::Refused(Refusal::NotSuspended)));
    let event = verified(log.plain(1, Verb::Revoke));
    let before = UnixMillis(event.effective.0 - 1);
    let refusal = Refusal::EffectiveInFuture {
        effective: event.effective,
        recorded: before,
    };
    assert_eq!(
        known.admits(&event, before).unwrap(),
        Err(NotJudged::Refused(refusal))
    );
}

#[test]
fn a_word_that_is_not_the_auditors_is_not_judged() {
    let (_, desk, word) = omitted();
    let forged = |change: &dyn Fn(&mut Handed)| {
        let mut other = word.clone();
        change(&mut other);
        assert_eq!(judged(&desk, &other), Seen::NotJudged(NotJudged::NotHanded));
    };
    forged(&|word| word.at.0 -= 1);
    forged(&|word| word.size.0 += 1);
    forged(&|word| word.auditor.push('x'));
    forged(&|word| word.event.effective.0 -= 1);
    forged(&|word| word.signature.0[0] ^= 1);
    forged(&|word| {
        let event = verified(word.event.clone());
        *word = hand_in(&event, word.at, word.size, AUDITOR, &secret("somebody"));
    });
}

#[test]
fn altered_omissions_do_not_hold() {
    let (log, desk, word) = omitted();
    let found = convicts(judged(&desk, &word), &["not-included"]);
    let Evidence::NotIncluded(good) = found.into_iter().next().unwrap() else {
        unreachable!()
    };
    let altered = |change: &dyn Fn(&mut NotIncluded), expected: &str| {
        let mut own = good.clone();
        change(&mut own);
        fails(&Evidence::NotIncluded(own), expected);
    };
    let auditor = secret("auditor");
    let again = |event: &VerifiedEvent, at| hand_in(event, at, word.size, AUDITOR, &auditor);
    let event = verified(word.event.clone());
    let now = log.epochs.last().unwrap().time;
    // The auditor and its word.
    let unknown = hand_in(&event, word.at, word.size, "a2", &auditor);
    altered(
        &|own| own.handed = unknown.clone(),
        "the trust file has no such auditor",
    );
    let foreign = hand_in(&event, word.at, word.size, AUDITOR, &secret("a2"));
    altered(
        &|own| own.handed = foreign.clone(),
        "signature does not match",
    );
    altered(&|own| own.handed.at.0 -= 1, "signature does not match");
    altered(&|own| own.handed.size.0 += 1, "signature does not match");
    // Before what the event rests on: the log may have had its reasons since.
    let earlier = hand_in(&event, word.at, TreeSize(2), AUDITOR, &auditor);
    altered(&|own| own.handed = earlier.clone(), "has changed since");
    altered(
        &|own| own.handed.event.effective.0 -= 1,
        "signature does not match",
    );
    // The bound.
    let late = again(&event, UnixMillis(now.0 - BOUND));
    altered(
        &|own| own.handed = late.clone(),
        "the bound is not over at the head",
    );
    // The event.
    let elsewhere = Operator::founded(OTHER);
    let other = again(&verified(elsewhere.plain(1, Verb::Revoke)), word.at);
    altered(
        &|own| own.handed = other.clone(),
        "the event is of another log",
    );
    let mut unsigned = word.event.clone();
    unsigned.effective.0 -= 1;
    let mut unsigned = Handed {
        event: unsigned,
        ..word.clone()
    };
    unsigned.signature = auditor.sign(&unsigned.message());
    altered(&|own| own.handed = unsigned.clone(), "does not verify");
    let mut lift = log.plain(1, Verb::LiftHold);
    lift.effective = word.event.effective;
    lift.signatures.clear();
    sign(&mut lift, crate::operator::By::Unit);
    let lift = again(&verified(lift), word.at);
    altered(
        &|own| own.handed = lift.clone(),
        "not suspended in this way",
    );
    let too_early = again(&event, UnixMillis(event.effective.0 - 1));
    altered(
        &|own| own.handed = too_early.clone(),
        "is later than recorded",
    );
    // The subjects.
    for at in 0..good.subjects.len() {
        altered(&|own| drop(own.subjects.remove(at)), "is not shown");
        altered(&|own| own.subjects[at].path.hashes[0].0[0] ^= 1, "root is");
    }
    let older = &log.states[1];
    altered(
        &|own| {
            for place in &mut own.subjects {
                *place = older.place(&place.subject);
            }
        },
        "root is",
    );
    // The head.
    let note = without_log(&log.note());
    altered(
        &|own| own.head = log.head_under(note.clone()),
        "not signed by the log",
    );
    altered(&|own| own.head.epoch.time.0 += 1, "root is");
    altered(
        &|own| own.head = elsewhere.head(),
        "the bound is not over at the head",
    );
    // Included in the meantime: the same words under a head that has the event.
    let mut honest = Operator::founded(ORIGIN);
    honest.admit(event.clone().into_inner());
    (0..4).for_each(|_| honest.close());
    altered(
        &|own| {
            own.head = honest.head();
            for place in &mut own.subjects {
                *place = honest.state.place(&place.subject);
            }
        },
        "the subject's next number is 2, not 1",
    );
}

/// The word of an auditor whose clock says `now`.
fn taken(desk: &Desk, event: &VerifiedEvent, now: UnixMillis) -> Handed {
    match desk.auditor.take_in(event, now, AUDITOR).unwrap() {
        TakenIn::Word(word) => word,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_clock_that_is_behind_makes_no_log_late() {
    let mut log = Operator::founded(ORIGIN);
    let mut desk = Desk::of(&log);
    let newest = desk.auditor.newest().unwrap().unwrap();
    // In force since the newest epoch: what is to be in force later is not yet the log's to take.
    let now = std::mem::replace(&mut log.now, newest.time);
    let event = verified(log.plain(1, Verb::Revoke));
    log.now = now;
    // Days behind, and at the beginning of all time: the log has its bound all the same.
    for now in [UnixMillis(newest.time.0 - 10 * BOUND), UnixMillis(0)] {
        let word = taken(&desk, &event, now);
        assert_eq!((word.at, word.size), (newest.time, newest.size));
        assert!(matches!(
            desk.auditor.left_out(&word, BOUND).unwrap(),
            Seen::NotJudged(NotJudged::BoundNotOver { .. })
        ));
    }
    // One that is ahead only waits longer.
    let early = taken(&desk, &event, UnixMillis(newest.time.0 + 10 * BOUND));
    let word = taken(&desk, &event, UnixMillis(0));
    for n in 10..13 {
        log.issue(n);
        log.close();
    }
    desk.show(&log).unwrap();
    let newest = desk.auditor.newest().unwrap().unwrap();
    assert!(newest.time.0 > word.at.0 + BOUND);
    convicts(
        desk.auditor.left_out(&word, BOUND).unwrap(),
        &["not-included"],
    );
    assert!(matches!(
        desk.auditor.left_out(&early, BOUND).unwrap(),
        Seen::NotJudged(NotJudged::BoundNotOver { .. })
    ));
}

#[test]
fn an_auditor_takes_in_what_is_next_and_nothing_else() {
    let mut log = Operator::founded(ORIGIN);
    let empty = Desk::new();
    let event = verified(log.plain(1, Verb::Revoke));
    let said = empty.auditor.take_in(&event, log.now, AUDITOR).unwrap();
    assert_eq!(said, TakenIn::NoHead);
    let mut desk = Desk::of(&log);
    let word = taken(&desk, &event, log.now);
    assert!(desk.auditor.has_given(&word));
    assert_eq!(Handed::parse(&word.bytes()).unwrap(), word);
    let mut forged = word.clone();
    forged.at = UnixMillis(word.at.0 + 1);
    assert!(!desk.auditor.has_given(&forged));
    // Included: there is nothing to give a word for, and the next but one is not next.
    log.admit(event.clone().into_inner());
    log.close();
    desk.show(&log).unwrap();
    let said = desk.auditor.take_in(&event, log.now, AUDITOR).unwrap();
    assert!(matches!(said, TakenIn::Included(_)), "{said:?}");
    let after = verified(log.plain(1, Verb::Hold));
    let said = desk.auditor.take_in(&after, log.now, AUDITOR).unwrap();
    assert!(
        matches!(said, TakenIn::Not(NotJudged::Refused(_))),
        "{said:?}"
    );
}
