//! Declaring and delivering apart: order, tickets, pauses, limits, clocks.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use zhao_spec::life::data::Relation;
use zhao_spec::life::verb::Verb;

use super::ledger::Trouble;
use super::*;
use crate::office::delivery::PREDECESSOR_REFUSED;
use crate::records::LicenceState;

/// Longer than any test takes: who waits so long, waits in vain.
const LONG: Duration = Duration::from_secs(60);

fn act(desk: &mut Desk, licence: Hash, verb: Verb, now: UnixMillis) -> Declared {
    let none = Grounds::default();
    desk.office
        .act(&licence, &Act::Plain(verb), &none, None, now, &mut desk.rng)
        .unwrap()
}

fn standing(desk: &Desk, declared: &Declared) -> Standing {
    desk.office.records.said(declared.id).unwrap().standing
}

fn code(standing: &Standing) -> &str {
    match standing {
        Standing::Refused { code, .. } => code,
        other => panic!("not refused: {other:?}"),
    }
}

fn plus(millis: u64) -> UnixMillis {
    UnixMillis(NOW.0 + millis)
}

/// Runs `work` beside a delivering thread, which ends with it.
fn delivering<T>(desk: &Mutex<Office<MiniLedger>>, work: impl FnOnce() -> T) -> T {
    struct Stop(Arc<Delivery>);
    impl Drop for Stop {
        fn drop(&mut self) {
            self.0.stop();
        }
    }
    let delivery = desk.lock().unwrap().delivery();
    thread::scope(|scope| {
        scope.spawn(|| {
            delivery.run(desk, &|| NOW, &mut |round| drop(round.unwrap()));
        });
        let _stop = Stop(Arc::clone(&delivery));
        work()
    })
}

#[test]
fn declarers_at_once_on_one_licence_follow_each_other() {
    let mut desk = Desk::new();
    let licence = desk.issue_one(food(1, &[])).licence.subject;
    let office = Mutex::new(desk.office);
    let before = office.lock().unwrap().client.lock().log.len();
    let standings = delivering(&office, || {
        thread::scope(|scope| {
            let declarer = |seed| {
                let office = &office;
                move || {
                    let mut rng = ChaCha20Rng::seed_from_u64(seed);
                    let mark = Act::Plain(Verb::MarkObjection);
                    let none = Grounds::default();
                    let one = |_| {
                        let ticket = {
                            let mut office = office.lock().unwrap();
                            let declared = office
                                .act(&licence, &mark, &none, None, NOW, &mut rng)
                                .unwrap();
                            assert_eq!(declared.standing, Standing::Pending);
                            office.ticket(declared.id).unwrap()
                        };
                        ticket.wait(LONG).expect("somebody delivers")
                    };
                    (0..3).map(one).collect::<Vec<_>>()
                }
            };
            let threads: Vec<_> = (0..4).map(|seed| scope.spawn(declarer(seed))).collect();
            let all = threads.into_iter().flat_map(|t| t.join().unwrap());
            all.collect::<Vec<_>>()
        })
    });
    for standing in &standings {
        assert!(
            matches!(standing, Standing::Receipted { .. }),
            "{standing:?}"
        );
    }
    let office = office.into_inner().unwrap();
    let client = office.client.lock();
    assert_eq!(client.log.len(), before + 12, "each once");
    let seqs: Vec<_> = client.log[before..].iter().map(|event| event.seq).collect();
    assert_eq!(seqs, (1..=12).collect::<Vec<_>>());
}

#[test]
fn two_offices_on_the_same_records_sign_consecutive_events() {
    let mut desk = Desk::new();
    let licence = desk.issue_one(food(1, &[])).licence.subject;
    let Desk { dir, office, .. } = desk;
    let shared = Arc::new(Arc::into_inner(office.client).unwrap());
    let path = dir.path().join("office.sqlite");
    drop(office.records);
    let open = || {
        let records = Records::open(&path, &secrets()).unwrap();
        let keys = Keyring::open(&dir.path().join("keys"), &passphrase()).unwrap();
        let catalogue = Catalogue::embedded().unwrap();
        Office::open(records, keys, catalogue, Arc::clone(&shared)).unwrap()
    };
    let offices = [open(), open()];
    thread::scope(|scope| {
        for (mut office, seed) in offices.into_iter().zip(0..) {
            scope.spawn(move || {
                let mut rng = ChaCha20Rng::seed_from_u64(seed);
                let mark = Act::Plain(Verb::MarkObjection);
                let none = Grounds::default();
                for _ in 0..6 {
                    let declared = office.act(&licence, &mark, &none, None, NOW, &mut rng);
                    let done = office.finish(declared.unwrap(), NOW).unwrap();
                    let standing = done.standing;
                    assert!(
                        matches!(standing, Standing::Receipted { .. }),
                        "{standing:?}"
                    );
                }
            });
        }
    });
    let client = shared.lock();
    let events = client.log.iter().filter(|event| event.subject == licence);
    let seqs: Vec<_> = events.map(|event| event.seq).collect();
    assert_eq!(seqs, (0..=12).collect::<Vec<_>>());
}

#[test]
fn what_was_built_on_a_refused_event_is_refused_too() {
    // The chain is sent in one batch, or in batches of one.
    for batch in [1000, 1] {
        let mut desk = Desk::new();
        desk.office.delivery = Arc::new(Delivery::new(Pace {
            batch,
            ..Pace::default()
        }));
        let licence = desk.issue_one(food(1, &[])).licence.subject;
        let other = desk.issue_one(food(2, &[])).licence.subject;
        desk.office.client.lock().away = true;
        // Nothing holds it, so this is refused; the next two and a new version are built on it.
        let first = act(&mut desk, licence, Verb::LiftHold, NOW);
        let second = act(&mut desk, licence, Verb::Hold, NOW);
        let beside = act(&mut desk, other, Verb::Hold, NOW);
        let replacement = Replacement {
            changes: Vec::new(),
            grounds: Grounds::default(),
            relation: Relation::Corrected,
        };
        let version = desk
            .office
            .replace(&licence, &replacement, NOW, &mut desk.rng)
            .unwrap();
        let Outcome::Pending(version) = version else {
            panic!("{version:?}")
        };
        let third = act(&mut desk, licence, Verb::ReportLost, NOW);
        desk.office.client.lock().away = false;
        let sent = desk.office.deliver(NOW).unwrap();
        assert_eq!((sent.receipted, sent.refused, sent.pending), (1, 4, 0));
        assert_eq!(code(&standing(&desk, &first)), "not_suspended");
        let refused = standing(&desk, &second);
        assert_eq!(code(&refused), PREDECESSOR_REFUSED);
        let Standing::Refused { detail, .. } = &refused else {
            panic!()
        };
        let expected = format!(
            "it was built on the event in row {}, which was refused: not_suspended",
            first.id
        );
        assert_eq!(*detail, expected);
        assert_eq!(code(&standing(&desk, &third)), PREDECESSOR_REFUSED);
        assert!(matches!(
            standing(&desk, &beside),
            Standing::Receipted { .. }
        ));
        let row = desk
            .office
            .records
            .licence(&version.subject)
            .unwrap()
            .unwrap();
        assert_eq!(row.state, LicenceState::Refused);
        let error = desk.office.licence_record(&version.subject).unwrap_err();
        assert!(
            matches!(error, OfficeError::NotIssued { why: "refused" }),
            "{error}"
        );
        if batch == 1 {
            let seen = &desk.office.client.lock().seen;
            assert!(
                !seen.contains_key(&second.event),
                "it was sent all the same"
            );
        }
        // The licence stands as before, and goes on from there.
        let record = desk.office.licence_record(&licence).unwrap();
        assert_eq!((record.seq, record.successor), (0, None));
        let hold = act(&mut desk, licence, Verb::Hold, NOW);
        let hold = desk.finish(hold);
        assert!(
            matches!(hold.standing, Standing::Receipted { .. }),
            "{hold:?}"
        );
    }
}

#[test]
fn acts_follow_the_log_when_what_waits_was_overtaken() {
    let mut desk = Desk::new();
    let licence = desk.issue_one(food(1, &[])).licence.subject;
    desk.office.client.lock().away = true;
    let dead = [Verb::Hold, Verb::ReportLost].map(|verb| act(&mut desk, licence, verb, NOW));
    desk.office.client.lock().away = false;
    let record = desk.office.licence_record(&licence).unwrap();
    let secret = desk.office.keys.secret("unit-1", Purpose::Unit).unwrap();
    let statement = Statement {
        action: Action::Plain(Verb::MarkObjection, Note::default()),
        effective: NOW,
        subject: licence,
    };
    let signer = Some(subject_key(ORIGIN, Kind::Issuer, UNIT));
    let end = Some((record.seq, record.latest));
    let event = sign(ORIGIN, statement, signer, &[secret], end).unwrap();
    desk.office.client.submit(vec![event], NOW).unwrap();
    // Both waiting ones are dead, the second is the highest in the outbox; this one is not built
    // on it.
    let live = act(&mut desk, licence, Verb::Withhold, NOW);
    let sent = desk.office.deliver(NOW).unwrap();
    assert_eq!((sent.receipted, sent.refused, sent.pending), (1, 2, 0));
    assert!(matches!(standing(&desk, &live), Standing::Receipted { .. }));
    assert_eq!(code(&standing(&desk, &dead[0])), "seq_mismatch");
    assert_eq!(code(&standing(&desk, &dead[1])), PREDECESSOR_REFUSED);
}

#[test]
fn a_licence_is_issuing_in_every_view_until_its_receipt_is_here() {
    for trouble in [
        Trouble::BeforeTaking,
        Trouble::AfterTaking,
        Trouble::BelowQuorum,
    ] {
        let mut desk = Desk::new();
        desk.office.client.lock().trouble.push_back(trouble);
        let Outcome::Pending(licence) = desk.issue(vec![food(1, &[])]).remove(0).1 else {
            panic!("{trouble:?}")
        };
        assert_eq!(licence.state, LicenceState::Issuing);
        let subject = licence.subject;
        let issuing = |error: OfficeError| {
            assert!(
                matches!(error, OfficeError::NotIssued { why: "issuing" }),
                "{trouble:?}: {error}"
            );
        };
        issuing(desk.office.licence_record(&subject).unwrap_err());
        let hold = Act::Plain(Verb::Hold);
        let none = Grounds::default();
        let act = desk
            .office
            .act(&subject, &hold, &none, None, NOW, &mut desk.rng);
        issuing(act.unwrap_err());
        let replacement = Replacement {
            changes: Vec::new(),
            grounds: none,
            relation: Relation::Corrected,
        };
        let replaced = desk
            .office
            .replace(&subject, &replacement, NOW, &mut desk.rng);
        issuing(replaced.unwrap_err());
        assert_eq!(desk.office.issued(&subject).unwrap(), None);
        let found = desk.office.records.find_licence(&licence.number).unwrap();
        assert_eq!(found.unwrap().state, LicenceState::Issuing);
        desk.office.deliver(NOW).unwrap();
        assert!(desk.office.issued(&subject).unwrap().is_some());
        desk.office.licence_record(&subject).unwrap();
    }
}

#[test]
fn the_outbox_is_bounded_and_says_so() {
    let mut desk = Desk::new();
    let licence = desk.issue_one(food(1, &[])).licence.subject;
    desk.office.client.lock().away = true;
    desk.office.limit_outbox(3);
    let outcomes = desk.issue((1..=5).map(|n| food(n, &[])).collect());
    for (row, outcome) in &outcomes {
        match outcome {
            Outcome::Pending(_) => assert!(*row <= 3),
            Outcome::Refused(error) => {
                assert!(*row > 3);
                let text = "outbox full: 3 events wait for the ledger, limit 3";
                assert_eq!(error.to_string(), text);
            }
            other => panic!("{other:?}"),
        }
    }
    let none = Grounds::default();
    let hold = Act::Plain(Verb::Hold);
    let error = desk
        .office
        .act(&licence, &hold, &none, None, NOW, &mut desk.rng)
        .unwrap_err();
    assert!(
        matches!(
            error,
            OfficeError::OutboxFull {
                waiting: 3,
                limit: 3
            }
        ),
        "{error}"
    );
    let replacement = Replacement {
        changes: Vec::new(),
        grounds: none,
        relation: Relation::Corrected,
    };
    let error = desk
        .office
        .replace(&licence, &replacement, NOW, &mut desk.rng)
        .unwrap_err();
    assert!(matches!(error, OfficeError::OutboxFull { .. }), "{error}");
    assert_eq!(desk.office.records.pending_count().unwrap(), 3);
    desk.office.client.lock().away = false;
    assert_eq!(desk.office.deliver(NOW).unwrap().receipted, 3);
    let declared = act(&mut desk, licence, Verb::Hold, NOW);
    assert_eq!(declared.standing, Standing::Pending);
    // Far apart in the outbox, few in number: what counts is how many wait.
    assert_eq!(desk.office.records.pending_count().unwrap(), 1);
}

#[test]
fn hours_away_then_everything_arrives_once_and_in_order() {
    let mut desk = Desk::new();
    let licences: Vec<_> = (1..=5)
        .map(|n| desk.issue_one(food(n, &[])).licence.subject)
        .collect();
    desk.office.client.lock().away = true;
    let before = desk.office.client.lock().log.len();
    let hour = 3_600_000;
    let mut said = Vec::new();
    for n in 0..60_u64 {
        let licence = licences[usize::try_from(n % 5).unwrap()];
        let time = plus(n * hour / 10);
        said.push(act(&mut desk, licence, Verb::MarkObjection, time).event);
        let sent = desk.office.deliver(time).unwrap();
        let trouble = sent.trouble.unwrap();
        assert_eq!(trouble, ClientError::Unreachable("away".to_owned()));
    }
    let mut desk = desk.restart();
    desk.office.client.lock().away = false;
    let sent = desk.office.deliver(plus(6 * hour)).unwrap();
    assert_eq!((sent.receipted, sent.pending, sent.trouble), (60, 0, None));
    let client = desk.office.client.lock();
    let logged: Vec<_> = client.log[before..].iter().map(Event::id).collect();
    assert_eq!(logged, said);
}

#[test]
fn after_trouble_the_callers_clock_says_when_to_try_again() {
    let mut desk = Desk::new();
    let licence = desk.issue_one(food(1, &[])).licence.subject;
    desk.office.client.lock().away = true;
    let declared = act(&mut desk, licence, Verb::Hold, NOW);
    let delivery = desk.office.delivery();
    assert_eq!(delivery.pause(NOW), 0);
    let office = Mutex::new(desk.office);
    let expected = [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000];
    for (n, pause) in expected.into_iter().enumerate() {
        let sent = delivery.round(&office, &|| NOW).unwrap();
        assert_eq!(sent.pending, 1);
        assert_eq!(delivery.pause(NOW), pause, "after failure {n}");
        assert_eq!(delivery.pause(plus(pause - 1)), 1);
        assert_eq!(delivery.pause(plus(pause)), 0);
        // A clock that stepped back says nothing about the time since.
        assert_eq!(delivery.pause(UnixMillis(NOW.0 - 1)), 0);
    }
    delivery.wake();
    assert_eq!(delivery.pause(NOW), 0);
    office.lock().unwrap().client.lock().away = false;
    let sent = delivery.round(&office, &|| NOW).unwrap();
    assert_eq!((sent.receipted, sent.pending), (1, 0));
    assert_eq!(delivery.pause(NOW), 0);
    let standing = office
        .lock()
        .unwrap()
        .records
        .said(declared.id)
        .unwrap()
        .standing;
    assert!(matches!(standing, Standing::Receipted { .. }));
}

#[test]
fn the_thread_waits_for_the_pause_and_not_longer() {
    let mut desk = Desk::new();
    let licence = desk.issue_one(food(1, &[])).licence.subject;
    let declared = act(&mut desk, licence, Verb::Hold, NOW);
    let ticket = desk.office.ticket(declared.id).unwrap();
    let lost = [Trouble::AfterTaking, Trouble::Busy, Trouble::BelowQuorum];
    desk.office.client.lock().trouble.extend(lost);
    desk.office.client.lock().tried = 0;
    let office = Mutex::new(desk.office);
    let delivery = office.lock().unwrap().delivery();
    // Each look at the clock is 50 ms later: the pauses pass without anybody sleeping them out.
    let clock = AtomicU64::new(NOW.0);
    let read = || UnixMillis(clock.fetch_add(50, Ordering::Relaxed));
    thread::scope(|scope| {
        let mut rounds = Vec::new();
        let worker = scope.spawn(|| {
            delivery.run(&office, &read, &mut |round| rounds.push(round.unwrap()));
            rounds
        });
        let standing = ticket.wait(LONG).expect("somebody delivers");
        assert!(
            matches!(standing, Standing::Receipted { .. }),
            "{standing:?}"
        );
        delivery.stop();
        let rounds = worker.join().unwrap();
        let troubles: Vec<_> = rounds.iter().map(|sent| sent.trouble.is_some()).collect();
        assert_eq!(troubles, [true, true, false, false]);
    });
    assert_eq!(office.lock().unwrap().client.lock().tried, 4);
}

#[test]
fn tickets_end_in_every_way() {
    let mut desk = Desk::new();
    let licence = desk.issue_one(food(1, &[])).licence.subject;
    let declared = act(&mut desk, licence, Verb::Hold, NOW);
    // Nobody delivers: patience ends, and nothing is left behind.
    let ticket = desk.office.ticket(declared.id).unwrap();
    assert_eq!(ticket.id(), declared.id);
    assert_eq!(ticket.wait(Duration::ZERO), None);
    // Two wait for the same row; one is settled while it waits, one before it is asked.
    let (first, second) = (
        desk.office.ticket(declared.id).unwrap(),
        desk.office.ticket(declared.id).unwrap(),
    );
    drop(first);
    desk.office.deliver(NOW).unwrap();
    assert!(matches!(
        second.wait(LONG),
        Some(Standing::Receipted { .. })
    ));
    let late = desk.office.ticket(declared.id).unwrap();
    assert!(matches!(late.wait(LONG), Some(Standing::Receipted { .. })));
    // No such row.
    let error = desk.office.ticket(99_999).unwrap_err();
    assert!(matches!(error, OfficeError::Records(_)), "{error}");
    // The server stops: nobody waits for what will not come, before or after.
    let declared = act(&mut desk, licence, Verb::Pledge, NOW);
    let before = desk.office.ticket(declared.id).unwrap();
    desk.office.delivery().stop();
    assert_eq!(before.wait(LONG), None);
    let after = desk.office.ticket(declared.id).unwrap();
    assert_eq!(after.wait(LONG), None);
}

#[test]
fn a_delivering_thread_that_panics_leaves_nobody_waiting() {
    let mut desk = Desk::new();
    let licence = desk.issue_one(food(1, &[])).licence.subject;
    let declared = act(&mut desk, licence, Verb::Hold, NOW);
    let ticket = desk.office.ticket(declared.id).unwrap();
    let office = Mutex::new(desk.office);
    let delivery = office.lock().unwrap().delivery();
    office.lock().unwrap().client.lock().away = true;
    thread::scope(|scope| {
        let worker = scope.spawn(|| {
            delivery.run(&office, &|| NOW, &mut |_| panic!("the reporter is broken"));
        });
        assert_eq!(ticket.wait(LONG), None);
        worker.join().unwrap_err();
    });
    // The row is kept, and another thread delivers it.
    office.lock().unwrap().client.lock().away = false;
    assert_eq!(delivery.round(&office, &|| NOW).unwrap().receipted, 1);
}

#[test]
fn a_clock_that_steps_back_leaves_times_in_order() {
    let mut desk = Desk::new();
    let ahead = plus(600_000);
    let licence = desk.issue_one(food(1, &[])).licence.subject;
    desk.office.client.lock().away = true;
    let first = act(&mut desk, licence, Verb::Hold, ahead);
    // Ten minutes back.
    let second = act(&mut desk, licence, Verb::ReportLost, NOW);
    let issued = desk.issue(vec![food(2, &[])]).remove(0).1;
    assert!(matches!(issued, Outcome::Pending(_)), "{issued:?}");
    desk.office.client.lock().away = false;
    // Delivered by the clock that is back: not recorded earlier than it took effect.
    let sent = desk.office.deliver(NOW).unwrap();
    assert_eq!((sent.receipted, sent.refused), (3, 0));
    assert_eq!(desk.office.client.lock().times.last(), Some(&ahead));
    let times = desk.office.records.times().unwrap();
    for pair in times.windows(2) {
        assert!(pair[0].0 <= pair[1].0, "created steps back: {pair:?}");
    }
    for (created, settled) in times {
        assert!(settled.is_some_and(|settled| settled >= created));
    }
    for declared in [first, second] {
        let event = desk.office.records.said(declared.id).unwrap().event;
        assert_eq!(event.effective, ahead);
    }
    // What somebody says took effect earlier stays as said.
    let said = Some(plus(599_000));
    let none = Grounds::default();
    let lift = Act::Plain(Verb::LiftHold);
    let lifted = desk
        .office
        .act(&licence, &lift, &none, said, NOW, &mut desk.rng)
        .unwrap();
    let event = desk.office.records.said(lifted.id).unwrap().event;
    assert_eq!(Some(event.effective), said);
}

#[test]
fn a_clock_that_is_back_too_far_is_refused() {
    let mut desk = Desk::new();
    let hour = 3_600_000;
    let licence = desk.issue_one(food(1, &[])).licence.subject;
    desk.office.client.lock().away = true;
    act(&mut desk, licence, Verb::Hold, plus(hour + 1));
    let none = Grounds::default();
    let lost = Act::Plain(Verb::ReportLost);
    let error = desk
        .office
        .act(&licence, &lost, &none, None, NOW, &mut desk.rng)
        .unwrap_err();
    let OfficeError::Clock { now, last } = error else {
        panic!("{error}")
    };
    assert_eq!((now, last), (NOW, plus(hour + 1)));
    assert_eq!(desk.office.records.pending_count().unwrap(), 1);
    // A mistaken clock is forgotten with the event that the ledger refuses for it.
    desk.office.client.lock().away = false;
    assert_eq!(desk.office.deliver(NOW).unwrap().refused, 1);
    let declared = act(&mut desk, licence, Verb::ReportLost, NOW);
    let done = desk.finish(declared);
    assert!(
        matches!(done.standing, Standing::Receipted { .. }),
        "{done:?}"
    );
}
