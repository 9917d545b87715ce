//! What a licence is worth after each thing that can happen to it.

use zhao_spec::file::History;
use zhao_spec::life::data::{Action, InspectionResult, Note, Relation};
use zhao_spec::life::digest::{Words, salted_digest};
use zhao_spec::life::record::State;
use zhao_spec::life::verb::Verb;
use zhao_spec::wire::{Date, UnixMillis};

use crate::town::{DAY, Paper, Town, said};

#[test]
fn sta_01_each_word_of_the_regulations_is_one_event_and_changes_the_verdict() {
    let mut town = Town::new();
    let mut number = 0;
    // 年审 and 年检 are one verb, with the result beside it.
    let failed = Action::Inspect {
        due: None,
        note: Note::default(),
        result: InspectionResult::Failed,
    };
    let plain = |verb| Action::Plain(verb, Note::default());
    for (action, after) in [
        (failed, ("not_usable", "inspection_failed")),
        (plain(Verb::ReportLost), ("not_usable", "reported_lost")),
        (plain(Verb::Mortgage), ("valid_with_notice", "mortgaged")),
        (plain(Verb::Withhold), ("not_usable", "withheld")),
        (plain(Verb::Cancel), ("invalid", "cancelled")),
    ] {
        number += 1;
        let paper = Paper::food(number);
        let size = town.log.size().0;
        town.issue(&paper).unwrap();
        assert_eq!(town.log.size().0, size + 2, "制发: one event and its epoch");
        assert_eq!(town.standing(&paper), ("valid", vec![]));
        let verb = action.verb();
        town.change(&paper, action).unwrap();
        assert_eq!(
            town.log.size().0,
            size + 4,
            "{verb}: one event and its epoch"
        );
        assert_eq!(town.standing(&paper), (after.0, vec![after.1]), "{verb}");
    }
}

#[test]
fn sta_02_a_change_is_in_the_next_head_and_the_old_file_ages_out() {
    let mut town = Town::new();
    let paper = Paper::food(1);
    town.issue(&paper).unwrap();
    let before = town.dossier(&paper);
    for (verb, after) in [
        (Verb::Pledge, ("valid_with_notice", vec!["pledged"])),
        (Verb::Hold, ("not_usable", vec!["on_hold", "pledged"])),
        (
            Verb::Revoke,
            ("invalid", vec!["revoked", "on_hold", "pledged"]),
        ),
    ] {
        town.plain(&paper, verb);
        assert_eq!(town.standing(&paper), after);
    }
    let later = UnixMillis(town.now().0 + DAY);
    assert_eq!(
        said(&town.judge(&before, later)),
        ("undetermined", vec!["too_old"])
    );
}

#[test]
fn sta_04_an_inspection_that_is_not_done_in_time_shows_by_itself() {
    let mut town = Town::new();
    let due = UnixMillis(town.now().0 + 3 * DAY);
    let paper = Paper {
        inspection_due: Some(due),
        ..Paper::food(1)
    };
    town.issue(&paper).unwrap();
    town.wait_until(due);
    town.heartbeat();
    let at_due = town.dossier(&paper);
    assert_eq!(said(&town.judge(&at_due, due)), ("valid", vec![]));
    let after = UnixMillis(due.0 + 1);
    assert_eq!(
        said(&town.judge(&at_due, after)),
        ("not_usable", vec!["inspection_overdue"])
    );
    let passed = Action::Inspect {
        due: Some(UnixMillis(due.0 + 365 * DAY)),
        note: Note::default(),
        result: InspectionResult::Passed,
    };
    town.change(&paper, passed).unwrap();
    assert_eq!(town.standing(&paper), ("valid", vec![]));
}

#[test]
fn sta_05_every_change_gets_a_receipt_that_anyone_can_check() {
    let mut town = Town::new();
    let paper = Paper::food(1);
    town.issue(&paper).unwrap();
    let note = Note {
        basis: Some(salted_digest(
            Words::Basis,
            &[1; 32],
            "消行罚决字〔2026〕第1号",
        )),
        code: Some("fire-safety".to_owned()),
        reason: Some(salted_digest(Words::Reason, &[2; 32], "消防设施不合格")),
    };
    let mut event = town.draft(
        paper.subject(),
        Action::Plain(Verb::Withhold, note.clone()),
        Some(paper.unit),
    );
    event.sign(&crate::town::secret(&paper.key));
    let (id, effective) = (event.id(), event.effective);
    let index = town.submit(event).unwrap();
    let receipt = town.reader().latest().unwrap().receipt(&id).unwrap();
    assert_eq!(
        said(&town.judge(&receipt.bytes(), town.now())),
        ("valid", vec![])
    );

    // What it states: what, why, on what basis, from when, by whose key of which unit.
    assert_eq!(receipt.index, index);
    assert_eq!(receipt.event.action, Action::Plain(Verb::Withhold, note));
    assert_eq!(receipt.event.effective, effective);
    assert_eq!(
        receipt.event.signer,
        town.draft(id, receipt.event.action.clone(), Some(paper.unit))
            .signer
    );
    assert_eq!(receipt.event.signatures.len(), 1);

    // A receipt for something else, elsewhere, or under a head nobody signed is none.
    let mut other = receipt.clone();
    other.event.effective = UnixMillis(effective.0 - 1);
    assert_eq!(
        said(&town.judge(&other.bytes(), town.now())),
        ("invalid", vec!["event_not_in_log"])
    );
    let text = String::from_utf8(receipt.bytes()).unwrap();
    let moved = text.replacen(&format!("\"index\":{}", index.0), "\"index\":1", 1);
    assert_ne!(moved, text);
    assert_ne!(said(&town.judge(moved.as_bytes(), town.now())).0, "valid");
    let unsigned = text
        .replace("zhao.example/town+", "zhao.example/tawn+")
        .replace("— zhao.example/town", "— zhao.example/tawn");
    assert_eq!(
        said(&town.judge(unsigned.as_bytes(), town.now())),
        ("invalid", vec!["log_signature"])
    );
}

#[test]
fn sta_07_an_encumbered_licence_stays_valid_and_the_verifier_is_told() {
    let mut town = Town::new();
    let paper = Paper::food(1);
    town.issue(&paper).unwrap();
    let mortgage = town.plain(&paper, Verb::Mortgage);
    assert_eq!(
        town.standing(&paper),
        ("valid_with_notice", vec!["mortgaged"])
    );
    let pledge = town.plain(&paper, Verb::Pledge);
    assert_eq!(
        town.standing(&paper),
        ("valid_with_notice", vec!["mortgaged", "pledged"])
    );
    let release = |verb, of| Action::Release(verb, of, Note::default());
    town.change(&paper, release(Verb::ReleaseMortgage, mortgage))
        .unwrap();
    assert_eq!(
        town.standing(&paper),
        ("valid_with_notice", vec!["pledged"])
    );
    town.change(&paper, release(Verb::ReleasePledge, pledge))
        .unwrap();
    assert_eq!(town.standing(&paper), ("valid", vec![]));
    let again = town.change(&paper, release(Verb::ReleasePledge, pledge));
    assert_eq!(again.unwrap_err().code(), "not_open");
}

#[test]
fn sta_08_suspensions_end_use_until_lifted_and_stay_in_the_history() {
    let mut town = Town::new();
    let paper = Paper::food(1);
    town.issue(&paper).unwrap();
    let mut expected = vec![Verb::Issued];
    for (suspend, lift, reason) in [
        (Verb::Withhold, Verb::LiftWithholding, "withheld"),
        (Verb::Hold, Verb::LiftHold, "on_hold"),
        (Verb::ReportLost, Verb::WithdrawLoss, "reported_lost"),
    ] {
        town.plain(&paper, suspend);
        assert_eq!(town.standing(&paper), ("not_usable", vec![reason]));
        town.plain(&paper, lift);
        assert_eq!(town.standing(&paper), ("valid", vec![]));
        expected.extend([suspend, lift]);
    }
    // Two at once: usable only when both are lifted.
    town.plain(&paper, Verb::Withhold);
    town.plain(&paper, Verb::ReportLost);
    assert_eq!(
        town.standing(&paper),
        ("not_usable", vec!["reported_lost", "withheld"])
    );
    town.plain(&paper, Verb::LiftWithholding);
    assert_eq!(town.standing(&paper), ("not_usable", vec!["reported_lost"]));
    expected.extend([Verb::Withhold, Verb::ReportLost, Verb::LiftWithholding]);

    let history = town
        .reader()
        .latest()
        .unwrap()
        .history(&paper.subject())
        .unwrap();
    let verbs: Vec<_> = history
        .entries
        .iter()
        .map(|entry| entry.event.verb())
        .collect();
    assert_eq!(verbs, expected);
    assert_eq!(
        said(&town.judge(&history.bytes(), town.now())),
        ("valid", vec![])
    );
    let mut without: History = history;
    without.entries.remove(2);
    let verdict = town.judge(&without.bytes(), town.now());
    assert_eq!(said(&verdict), ("invalid", vec!["history_incomplete"]));
}

#[test]
fn sta_09_expiry_comes_by_itself_at_midnight_in_beijing() {
    let mut town = Town::new();
    let last_day = Date::parse("2026-11-30").unwrap();
    let paper = Paper {
        last_day,
        ..Paper::food(1)
    };
    town.issue(&paper).unwrap();
    let events = town.log.size();
    town.wait_until(UnixMillis::parse("2026-11-30T15:00:00.000Z").unwrap());
    town.heartbeat();
    assert_eq!(town.log.size().0, events.0 + 1, "an epoch, and no event");
    let dossier = town.dossier(&paper);
    for (at, expected) in [
        ("2026-11-30T15:59:59.000Z", ("valid", vec![])),
        ("2026-11-30T15:59:59.999Z", ("valid", vec![])),
        ("2026-11-30T16:00:00.000Z", ("invalid", vec!["expired"])),
    ] {
        let at = UnixMillis::parse(at).unwrap();
        assert_eq!(said(&town.judge(&dossier, at)), expected, "{at}");
    }
    // It needs no event and stops none: the record says nothing of it, and renewal is possible.
    town.wait_until(UnixMillis::parse("2026-12-01T02:00:00.000Z").unwrap());
    assert_eq!(town.licence(&paper).state, State::Active);
    let renewed = town.replacement(&paper, Relation::Renewed);
    let renewed = Paper {
        last_day: Date::parse("2027-11-30").unwrap(),
        ..renewed
    };
    town.issue(&renewed).unwrap();
    assert_eq!(town.standing(&renewed), ("valid", vec![]));
    assert_eq!(
        town.standing(&paper),
        ("invalid", vec!["expired", "superseded"])
    );
}

#[test]
fn sta_10_a_new_version_supersedes_the_old_and_each_names_the_other() {
    for relation in [Relation::Amended, Relation::Renewed, Relation::Reissued] {
        let mut town = Town::new();
        let old = Paper::food(1);
        town.issue(&old).unwrap();
        let new = town.replacement(&old, relation);
        town.issue(&new).unwrap();
        assert_eq!(town.standing(&old), ("invalid", vec!["superseded"]));
        assert_eq!(town.standing(&new), ("valid", vec![]));
        assert_eq!(town.licence(&old).successor, Some(new.subject()));
        assert_eq!(town.licence(&new).predecessor, Some(old.subject()));
        let again = town.issue(&Paper {
            version: 3,
            ..town.replacement(&old, relation)
        });
        assert_eq!(again.unwrap_err().code(), "terminal", "{relation:?}");
    }
}

#[test]
fn sta_12_a_file_kept_proves_the_standing_of_its_day() {
    let mut town = Town::new();
    let paper = Paper::food(1);
    town.issue(&paper).unwrap();
    let kept = town.dossier(&paper);
    let then = town.now();
    town.wait_until(UnixMillis(then.0 + 400 * DAY));
    town.plain(&paper, Verb::Revoke);
    assert_eq!(town.standing(&paper), ("invalid", vec!["revoked"]));
    let first = town.judge(&kept, then);
    assert_eq!(said(&first), ("valid", vec![]));
    assert_eq!(first.to_json(), town.judge(&kept, then).to_json());
    assert_eq!(
        said(&town.judge(&kept, town.now())),
        ("undetermined", vec!["too_old"])
    );
}

#[test]
fn iss_20_a_correction_supersedes_what_was_wrong_and_leaves_it_readable() {
    let mut town = Town::new();
    let wrong = Paper::food(1);
    town.issue(&wrong).unwrap();
    let why = salted_digest(Words::Reason, &[7; 32], "登记时录入错误");
    let mut right = town.replacement(&wrong, Relation::Corrected);
    right.note.reason = Some(why);
    town.issue(&right).unwrap();
    assert_eq!(town.standing(&right), ("valid", vec![]));
    assert_eq!(town.standing(&wrong), ("invalid", vec!["superseded"]));
    assert_eq!(town.licence(&wrong).successor, Some(right.subject()));
    let view = town.reader();
    let history = view.latest().unwrap().history(&right.subject()).unwrap();
    let note = history.entries[0].event.action.note().unwrap().clone();
    assert_eq!(
        note.reason,
        Some(why),
        "the reason is bound to the correction"
    );
    for paper in [&wrong, &right] {
        let history = view.latest().unwrap().history(&paper.subject()).unwrap();
        assert_eq!(
            said(&town.judge(&history.bytes(), town.now())),
            ("valid", vec![])
        );
    }
}

#[test]
fn obj_06_a_marker_is_seen_until_its_result_and_both_stay_in_the_history() {
    let mut town = Town::new();
    let paper = Paper::food(1);
    town.issue(&paper).unwrap();
    let mark = town.plain(&paper, Verb::MarkObjection);
    assert_eq!(
        town.standing(&paper),
        ("valid_with_notice", vec!["objection"])
    );
    let clear = Action::ClearObjection {
        note: Note::default(),
        of: mark,
        result: zhao_spec::life::data::ObjectionResult::Rejected,
    };
    town.change(&paper, clear).unwrap();
    assert_eq!(town.standing(&paper), ("valid", vec![]));
    let history = town
        .reader()
        .latest()
        .unwrap()
        .history(&paper.subject())
        .unwrap();
    let verbs: Vec<_> = history
        .entries
        .iter()
        .map(|entry| entry.event.verb())
        .collect();
    assert_eq!(
        verbs,
        [Verb::Issued, Verb::MarkObjection, Verb::ClearObjection]
    );
    assert_eq!(
        said(&town.judge(&history.bytes(), town.now())),
        ("valid", vec![])
    );
}
