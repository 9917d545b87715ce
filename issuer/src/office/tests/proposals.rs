//! Proposals carried between administrators, and what can be done to them on the way.

use zhao_spec::file::Proposal;
use zhao_spec::life::verb::Verb;
use zhao_spec::wire::{PublicKey, Signature};

use super::*;

const DAY: u64 = 24 * 3_600_000;

/// The desk's log, its administrators 1 and 2 of 2, plus what the tests carry about.
fn at(millis: u64) -> UnixMillis {
    UnixMillis(NOW.0 + millis)
}

fn key(n: u8) -> SecretKey {
    SecretKey::from_seed([n; 32])
}

fn propose(desk: &mut Desk, measure: Measure<'_>) -> Proposal {
    let office = &mut desk.office;
    office.propose(measure, NOW, NOW, &mut desk.rng).unwrap()
}

fn suspension(desk: &mut Desk) -> Proposal {
    propose(desk, Measure::SuspendUnit(&unit()))
}

/// As carried to another machine: only the bytes arrive.
fn carried(proposal: &Proposal) -> Proposal {
    Proposal::parse(&proposal.bytes()).unwrap()
}

fn sign(proposal: &Proposal, by: &SecretKey) -> Result<Proposal, OfficeError> {
    let mut own = carried(proposal);
    let shown = own.event.id();
    countersign(&mut own, by, &shown, None, NOW)?;
    Ok(own)
}

fn signed(proposal: &Proposal, by: &[u8]) -> Vec<Proposal> {
    let one = |n: &u8| sign(proposal, &key(*n)).unwrap();
    by.iter().map(one).collect()
}

fn submit(desk: &mut Desk, files: &[Proposal]) -> Result<Declared, OfficeError> {
    desk.office.submit_proposal(files, None, NOW)
}

#[track_caller]
fn refused(result: Result<impl std::fmt::Debug, OfficeError>) -> ProposalError {
    match result {
        Err(OfficeError::Proposal(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn receipted(done: &Declared) {
    let taken = matches!(done.standing, Standing::Receipted { .. });
    assert!(taken, "{done:?}");
}

/// What an attack must not have done.
#[track_caller]
fn untouched(desk: &Desk) {
    assert_eq!(desk.office.records.pending_count().unwrap(), 0);
    let subject = subject_key(ORIGIN, Kind::Issuer, UNIT);
    match desk.office.client.record(&subject).unwrap() {
        Some(Record::Issuer(record)) => assert_eq!(record.state, UnitState::Active),
        other => panic!("{other:?}"),
    }
}

#[test]
fn signed_on_two_machines_and_put_together_here() {
    let mut desk = Desk::new();
    let proposal = suspension(&mut desk);
    let mut files = signed(&proposal, &[1, 2]);
    // Files may overlap: the second administrator signed what the first one had signed.
    files.push(sign(&files[0], &key(2)).unwrap());
    receipted(&submit(&mut desk, &files).unwrap());
    let resume = propose(&mut desk, Measure::ResumeUnit(&unit()));
    let one_after_another = sign(&sign(&resume, &key(2)).unwrap(), &key(1)).unwrap();
    receipted(&submit(&mut desk, &[one_after_another]).unwrap());
    untouched(&desk);
}

#[test]
fn a_unit_is_made_and_can_issue() {
    let mut desk = Desk::new();
    let code = Uscc::parse("11420600DEM0001107").unwrap();
    let grant = Grant {
        key_name: "unit-other",
        types: &[],
        unit: &code,
    };
    let proposal = propose(&mut desk, Measure::AddUnit(grant));
    let files = signed(&proposal, &[1, 2]);
    assert_eq!(refused(submit(&mut desk, &files)), ProposalError::UnitName);
    assert_eq!(desk.office.records.unit(code.as_str()).unwrap(), None);
    let name = Some("襄阳市示例局");
    let done = desk.office.submit_proposal(&files, name, NOW).unwrap();
    receipted(&done);
    let keys = desk.office.records.unit_keys(code.as_str()).unwrap();
    assert_eq!(keys[0].name, "unit-other");
}

#[test]
fn a_file_swapped_between_showing_and_signing_is_not_signed() {
    let mut desk = Desk::new();
    let shown = suspension(&mut desk).event.id();
    let key_of_unit = desk.office.records.unit_keys(UNIT).unwrap()[0].public;
    let mut other = propose(&mut desk, Measure::RetireKey(&unit(), key_of_unit));
    let before = other.clone();
    let error = refused(countersign(&mut other, &key(1), &shown, None, NOW));
    let actual = other.event.id();
    let expected = shown;
    assert_eq!(error, ProposalError::Swapped { expected, actual });
    assert_eq!(other, before);
}

#[test]
fn a_signature_of_another_proposal_does_not_count() {
    let mut desk = Desk::new();
    let proposal = suspension(&mut desk);
    let office = &mut desk.office;
    let other = office
        .propose(Measure::SuspendUnit(&unit()), at(1), NOW, &mut desk.rng)
        .unwrap();
    let mut forged = signed(&proposal, &[1]).remove(0);
    forged
        .event
        .signatures
        .extend(signed(&other, &[2]).remove(0).event.signatures);
    forged
        .event
        .signatures
        .sort_by_key(|one| one.key.to_multibase());
    let expected = ProposalError::Signature {
        key: Box::new(key(2).public()),
        source: wire::SignatureError::Mismatch,
    };
    assert_eq!(refused(submit(&mut desk, &[carried(&forged)])), expected);
    // Nor does anybody add to such a file, and no right file hides it.
    assert_eq!(refused(sign(&forged, &key(1))), expected);
    let mut files = signed(&proposal, &[1, 2]);
    files.push(forged);
    assert_eq!(refused(submit(&mut desk, &files)), expected);
    let mixed = [proposal.clone(), other.clone()];
    assert_eq!(
        refused(submit(&mut desk, &mixed)),
        ProposalError::Mixed {
            position: 2,
            expected: proposal.event.id(),
            actual: other.event.id(),
        }
    );
    untouched(&desk);
}

#[test]
fn no_byte_of_a_signature_can_be_changed() {
    let mut desk = Desk::new();
    let proposal = suspension(&mut desk);
    let good = signed(&proposal, &[1, 2]);
    for byte in 0..64 {
        let mut files = good.clone();
        let Signature(bytes) = &mut files[1].event.signatures[0].signature;
        bytes[byte] ^= 1;
        let error = refused(submit(&mut desk, &files));
        assert!(matches!(error, ProposalError::Signature { .. }), "{error}");
    }
    untouched(&desk);
}

#[test]
fn what_was_executed_is_not_executed_again() {
    let mut desk = Desk::new();
    let proposal = suspension(&mut desk);
    let files = signed(&proposal, &[1, 2]);
    let done = submit(&mut desk, &files).unwrap();
    let Standing::Receipted { index, .. } = done.standing else {
        panic!("{done:?}")
    };
    let again = ProposalError::Executed { index: index.0 };
    assert_eq!(refused(submit(&mut desk, &files)), again);
    let resumed = propose(&mut desk, Measure::ResumeUnit(&unit()));
    receipted(&submit(&mut desk, &signed(&resumed, &[1, 2])).unwrap());
    assert_eq!(refused(submit(&mut desk, &files)), again);
    untouched(&desk);
    // The first suspension and the resumption, and nothing beside them.
    let verbs: Vec<_> = desk
        .office
        .client
        .lock()
        .log
        .iter()
        .map(|event| event.verb())
        .collect();
    assert_eq!(
        verbs[verbs.len() - 2..],
        [Verb::SuspendUnit, Verb::ResumeUnit]
    );
}

#[test]
fn of_two_proposals_for_one_place_the_second_is_stale() {
    let mut desk = Desk::new();
    let first = suspension(&mut desk);
    let secret = desk.office.records.unit_keys(UNIT).unwrap()[0].public;
    let second = propose(&mut desk, Measure::RetireKey(&unit(), secret));
    assert_eq!(first.event.seq, second.event.seq);
    receipted(&submit(&mut desk, &signed(&first, &[1, 2])).unwrap());
    let error = refused(submit(&mut desk, &signed(&second, &[1, 2])));
    let (expected, actual) = (second.event.seq + 1, second.event.seq);
    assert_eq!(error, ProposalError::Stale { expected, actual });
}

#[test]
fn another_past_of_the_subject_is_stale_too() {
    let mut desk = Desk::new();
    let mut proposal = suspension(&mut desk);
    proposal.event.prev = Some(wire::sha256(&[b"another past"]));
    let error = refused(submit(&mut desk, &signed(&proposal, &[1, 2])));
    let expected = proposal.event.seq;
    let actual = expected;
    assert_eq!(error, ProposalError::Stale { expected, actual });
    untouched(&desk);
}

#[test]
fn an_administrator_counts_once_under_any_number_of_names() {
    let mut desk = Desk::new();
    let proposal = suspension(&mut desk);
    let too_few = ProposalError::TooFew {
        expected: 2,
        actual: 1,
    };
    // The same key under another name signs another copy of the file.
    let files = [signed(&proposal, &[1]), signed(&proposal, &[1])].concat();
    assert_eq!(refused(submit(&mut desk, &files)), too_few);
    let once = signed(&proposal, &[1]).remove(0);
    let error = refused(sign(&once, &key(1)));
    let own = Box::new(key(1).public());
    assert_eq!(error, ProposalError::AlreadySigned { key: own });
    // In memory an event may hold a key twice; no file can.
    let mut twice = once.clone();
    twice
        .event
        .signatures
        .push(once.event.signatures[0].clone());
    assert_eq!(refused(submit(&mut desk, &[twice.clone()])), too_few);
    assert_eq!(
        Proposal::parse(&twice.bytes()).unwrap_err().path,
        "signatures"
    );
    assert_eq!(
        refused(submit(&mut desk, std::slice::from_ref(&proposal))),
        {
            ProposalError::TooFew {
                expected: 2,
                actual: 0,
            }
        }
    );
    assert_eq!(refused(submit(&mut desk, &[])), ProposalError::Nothing);
    untouched(&desk);
}

#[test]
fn a_removed_administrator_signs_no_more() {
    let mut desk = Desk::new();
    let keys = vec![key(1).public(), key(3).public()];
    let change = Measure::ChangeAdministrators { keys, threshold: 2 };
    let change = propose(&mut desk, change);
    let old = suspension(&mut desk);
    // The new one does not sign his own coming.
    let error = refused(sign(&change, &key(3)));
    let newcomer = Box::new(key(3).public());
    assert_eq!(error, ProposalError::Foreign { key: newcomer });
    receipted(&submit(&mut desk, &signed(&change, &[1, 2])).unwrap());
    let gone = Box::new(key(2).public());
    let error = refused(submit(&mut desk, &signed(&old, &[1, 2])));
    assert_eq!(error, ProposalError::Foreign { key: gone.clone() });
    // In a new file neither, whatever the file says of the administrators.
    let mut fresh = suspension(&mut desk);
    assert_eq!(refused(sign(&fresh, &key(2))), {
        ProposalError::Foreign { key: gone.clone() }
    });
    fresh.administrators = change.administrators.clone();
    let files = signed(&fresh, &[1, 2]);
    assert_eq!(refused(submit(&mut desk, &files)), {
        ProposalError::Foreign { key: gone }
    });
    fresh.administrators = old.administrators;
    let error = refused(submit(&mut desk, &signed(&fresh, &[1])));
    let (expected, actual) = (2, 1);
    assert_eq!(error, ProposalError::TooFew { expected, actual });
    untouched(&desk);
}

#[test]
fn a_stranger_is_no_administrator() {
    let mut desk = Desk::new();
    let proposal = suspension(&mut desk);
    let stranger = Box::new(key(9).public());
    let foreign = ProposalError::Foreign { key: stranger };
    assert_eq!(refused(sign(&proposal, &key(9))), foreign);
    // He writes himself into the file.
    let mut own = proposal.clone();
    own.administrators.keys.push(key(9).public());
    own.administrators.keys.sort_by_key(PublicKey::to_multibase);
    let files = [signed(&own, &[9]), signed(&proposal, &[1, 2])].concat();
    assert_eq!(refused(submit(&mut desk, &files)), foreign);
    untouched(&desk);
}

#[test]
fn a_threshold_lowered_in_the_file_is_not_believed() {
    let mut desk = Desk::new();
    let mut proposal = suspension(&mut desk);
    proposal.administrators.threshold = 1;
    let too_few = ProposalError::TooFew {
        expected: 2,
        actual: 1,
    };
    assert_eq!(
        refused(submit(&mut desk, &signed(&proposal, &[1]))),
        too_few
    );
    let error = refused(submit(&mut desk, &signed(&proposal, &[1, 2])));
    assert_eq!(
        error,
        ProposalError::Administrators {
            expected: "2 of 2".to_owned(),
            actual: "1 of 2".to_owned(),
        }
    );
    // Nor does a change that lowers it need fewer signatures.
    let keys = vec![key(1).public(), key(2).public()];
    let lower = Measure::ChangeAdministrators { keys, threshold: 1 };
    let mut lower = propose(&mut desk, lower);
    assert_eq!(refused(submit(&mut desk, &signed(&lower, &[1]))), too_few);
    lower.administrators.threshold = 1;
    assert_eq!(refused(submit(&mut desk, &signed(&lower, &[2]))), too_few);
    untouched(&desk);
}

#[test]
fn a_file_of_another_log_is_refused() {
    let mut desk = Desk::new();
    let proposal = suspension(&mut desk);
    let mut renamed = proposal.clone();
    renamed.event.origin = "zhao.example/other".to_owned();
    renamed.event.subject = subject_key("zhao.example/other", Kind::Issuer, UNIT);
    let error = refused(submit(&mut desk, &signed(&renamed, &[1, 2])));
    assert_eq!(
        error,
        ProposalError::Origin {
            expected: ORIGIN.to_owned(),
            actual: "zhao.example/other".to_owned(),
        }
    );
    // The same name, founded by others.
    let mut refounded = proposal.clone();
    let actual = wire::sha256(&[b"another genesis"]);
    let expected = proposal.genesis;
    refounded.genesis = actual;
    let genesis = ProposalError::Genesis { expected, actual };
    let error = refused(submit(&mut desk, &signed(&refounded, &[1, 2])));
    assert_eq!(error, genesis);
    let shown = refounded.event.id();
    let known = Some(&expected);
    let signing = countersign(&mut refounded, &key(1), &shown, known, NOW);
    assert_eq!(refused(signing), genesis);
    // One file among right ones: what is put together has one genesis.
    let files = [signed(&proposal, &[1]), vec![refounded]].concat();
    assert_eq!(refused(submit(&mut desk, &files)), genesis);
    untouched(&desk);
}

#[test]
fn a_clock_before_the_proposal_signs_nothing() {
    let mut desk = Desk::new();
    let mut proposal = suspension(&mut desk);
    let shown = proposal.event.id();
    let now = UnixMillis(NOW.0 - 1);
    let error = refused(countersign(&mut proposal, &key(1), &shown, None, now));
    assert_eq!(error, ProposalError::ClockBehind { proposed: NOW, now });
    let files = signed(&proposal, &[1, 2]);
    let error = refused(desk.office.submit_proposal(&files, None, now));
    let effective = NOW;
    assert_eq!(error, ProposalError::NotYet { effective, now });
    untouched(&desk);
}

#[test]
fn a_proposal_waits_for_its_time_and_expires_a_day_later() {
    let mut desk = Desk::new();
    let office = &mut desk.office;
    let effective = at(3 * DAY);
    let measure = Measure::SuspendUnit(&unit());
    let proposal = office
        .propose(measure, effective, NOW, &mut desk.rng)
        .unwrap();
    let files = signed(&proposal, &[1, 2]);
    let error = refused(submit(&mut desk, &files));
    assert_eq!(
        error,
        ProposalError::NotYet {
            effective,
            now: NOW
        }
    );
    let (expires, now) = (at(4 * DAY), at(4 * DAY + 1));
    let expired = ProposalError::Expired { expires, now };
    let late = desk.office.submit_proposal(&files, None, now);
    assert_eq!(refused(late), expired);
    let mut own = proposal.clone();
    let shown = own.event.id();
    assert_eq!(
        refused(countersign(&mut own, &key(1), &shown, None, now)),
        expired
    );
    untouched(&desk);
    let done = desk.office.submit_proposal(&files, None, expires).unwrap();
    receipted(&done);
}

#[test]
fn a_time_that_is_none_for_a_proposal_is_refused() {
    let mut desk = Desk::new();
    for effective in [UnixMillis(NOW.0 - 1), at(30 * DAY + 1), UnixMillis(0)] {
        let measure = Measure::SuspendUnit(&unit());
        let office = &mut desk.office;
        let error = office
            .propose(measure, effective, NOW, &mut desk.rng)
            .unwrap_err();
        assert!(
            matches!(error, OfficeError::Administrators { .. }),
            "{error}"
        );
    }
}

#[test]
fn a_key_whose_secret_is_elsewhere_is_not_put_in_force_here() {
    let mut desk = Desk::new();
    let (code, key_name) = (unit(), "unit-2");
    let grant = Grant {
        key_name,
        types: &[],
        unit: &code,
    };
    let proposal = propose(&mut desk, Measure::ProposeKey(grant));
    std::fs::remove_file(desk.dir.path().join("keys/unit-2.pub.json")).unwrap();
    let error = refused(submit(&mut desk, &signed(&proposal, &[1, 2])));
    assert!(
        matches!(error, ProposalError::KeyElsewhere { .. }),
        "{error}"
    );
    untouched(&desk);
}

#[test]
fn a_lost_answer_is_asked_for_again() {
    let mut desk = Desk::new();
    let proposal = suspension(&mut desk);
    let files = signed(&proposal, &[1, 2]);
    desk.office
        .client
        .lock()
        .trouble
        .push_back(ledger::Trouble::AfterTaking);
    let done = submit(&mut desk, &files).unwrap();
    assert_eq!(done.standing, Standing::Pending);
    receipted(&submit(&mut desk, &files).unwrap());
    let error = refused(submit(&mut desk, &files));
    assert!(matches!(error, ProposalError::Executed { .. }), "{error}");
}

#[test]
fn the_delay_of_an_announced_key_holds_for_proposals_too() {
    let mut desk = Desk::new();
    let code = unit();
    let grant = Grant {
        key_name: "unit-2",
        types: &[],
        unit: &code,
    };
    let announced = propose(&mut desk, Measure::ProposeKey(grant));
    receipted(&submit(&mut desk, &signed(&announced, &[1, 2])).unwrap());
    let public = desk.office.records.unit_keys(UNIT).unwrap();
    let public = public
        .iter()
        .find(|key| key.name == "unit-2")
        .unwrap()
        .public;
    let confirm = propose(&mut desk, Measure::ConfirmKey(&code, public));
    let files = signed(&confirm, &[1, 2]);
    let done = submit(&mut desk, &files).unwrap();
    match &done.standing {
        Standing::Refused { code, .. } => assert_eq!(code, "delay_not_over"),
        other => panic!("{other:?}"),
    }
    // What was refused may be handed in again when its time has come.
    let later = at(1000);
    receipted(&desk.office.submit_proposal(&files, None, later).unwrap());
}
