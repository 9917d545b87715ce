use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::reason::Reason;

/// What the page says of fragments, of nothing but their texts: `outcome code code…`.
fn of_texts(texts: &[String]) -> &'static str {
    let words = |text: &String| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let all: Vec<_> = texts.iter().map(words).collect();
    let of = |outcome: &'static str| all.iter().filter(move |own| own[0] == outcome);
    let mild = [
        "not_yet_valid",
        "key_compromised",
        "changed_by_compromised_key",
        "on_hold",
        "reported_lost",
        "withheld",
        "inspection_failed",
        "inspection_overdue",
        "mortgaged",
        "pledged",
        "objection",
        "issuer_suspended",
        "type_retired",
    ];
    let mut codes = of("fail").flat_map(|own| &own[1..]);
    if of("fail").count() > 0 {
        let mild = codes.all(|code| mild.contains(&code.as_str()));
        return if mild { "not_usable" } else { "invalid" };
    }
    if of("undetermined").count() > 0 {
        return "undetermined";
    }
    match all.iter().all(|own| own.len() == 1) {
        true => "valid",
        false => "valid_with_notice",
    }
}

fn texts(report: &Report) -> Vec<String> {
    let text = |own: &Fragment| {
        [vec![own.outcome().as_str()], own.codes()]
            .concat()
            .join(" ")
    };
    report.fragments().iter().map(text).collect()
}

/// Every check of steps 9 and 10 with what it may come to.
fn findings() -> Vec<(Check, Outcome)> {
    let collected = |check: &&Check| **check >= Check::NotYetValid && **check <= Check::TypeRetired;
    let mut found = Vec::new();
    for check in Check::ALL.iter().filter(collected) {
        match check.status() {
            Status::ValidWithNotice => found.push((*check, Outcome::Pass)),
            _ => found.push((*check, Outcome::Fail)),
        }
        if matches!(check, Check::InspectionFailed | Check::InspectionOverdue) {
            found.push((*check, Outcome::Pass));
        }
    }
    found
}

fn stop(check: Check, outcome: Outcome) -> Stop {
    Stop {
        check,
        outcome,
        reason: Reason::IssuerPackMissing,
    }
}

fn draft(answered: &[FragmentName]) -> Draft {
    let mut draft = Draft::of(FragmentName::ALL);
    for name in answered {
        draft.answered(*name);
    }
    draft
}

#[test]
fn all_answered_and_nothing_found_is_valid() {
    let report = draft(FragmentName::ALL).report(&[]);
    assert_eq!(report.status(), Status::Valid);
    assert_eq!(texts(&report), ["pass"; 6]);
}

#[test]
fn a_question_left_open_is_never_passed() {
    for open in FragmentName::ALL {
        let others: Vec<_> = FragmentName::ALL
            .iter()
            .copied()
            .filter(|own| own != open)
            .collect();
        let report = draft(&others).report(&[]);
        assert_eq!(report.status(), Status::Undetermined, "{open:?}");
        let fragment = report.fragment(*open).unwrap();
        assert_eq!(fragment.codes(), [NOT_CHECKED]);
        assert_eq!(fragment.outcome(), Outcome::Undetermined);
    }
}

#[test]
fn a_notice_does_not_answer_the_rest_of_its_question() {
    let report = draft(&[]).report(&[(Check::Mortgaged, Outcome::Pass)]);
    let standing = report.fragment(FragmentName::Standing).unwrap();
    assert_eq!(standing.outcome(), Outcome::Undetermined);
    assert_eq!(standing.codes(), ["mortgaged"]);
    assert_eq!(report.status(), Status::Undetermined);
}

#[test]
fn a_code_is_not_lost_where_its_question_is_not_asked() {
    let mut draft = Draft::of(&[FragmentName::Schema]);
    draft.answered(FragmentName::Schema);
    assert_eq!(draft.report(&[]).fragments().len(), 1);
    let report = draft.stopped(&stop(Check::ProofSignature, Outcome::Fail));
    assert_eq!(report.status(), Status::Invalid);
    assert_eq!(texts(&report), ["fail proof_signature", "pass"]);
}

#[test]
fn nothing_asked_is_nothing_known() {
    assert_eq!(Draft::of(&[]).report(&[]).status(), Status::Undetermined);
}

#[test]
fn every_stop_comes_to_what_the_table_says() {
    for check in Check::ALL {
        if findings().iter().any(|(own, _)| own == check) {
            continue;
        }
        let outcome = match check.status() {
            Status::Undetermined => Outcome::Undetermined,
            Status::Invalid => Outcome::Fail,
            other => panic!("{check:?} is {other:?}"),
        };
        let report = draft(FragmentName::ALL).stopped(&stop(*check, outcome));
        assert_eq!(report.status(), check.status(), "{check:?}");
        let own = report.fragment(check.fragment()).unwrap();
        assert_eq!(own.outcome(), outcome);
        assert_eq!(own.codes(), [check.code()]);
    }
}

#[test]
fn names_and_words_are_distinct() {
    let names: BTreeSet<_> = FragmentName::ALL.iter().map(|name| name.as_str()).collect();
    assert_eq!(names.len(), 6);
    assert!(Check::ALL.iter().all(|check| check.code() != NOT_CHECKED));
}

proptest! {
    /// The verdict is what the page makes of the fragments' texts, and the worst of what was found.
    #[test]
    fn the_verdict_is_a_function_of_the_fragments(
        answered in prop::sample::subsequence(FragmentName::ALL.to_vec(), 0..=6),
        found in prop::sample::subsequence(findings(), 0..=8),
    ) {
        let report = draft(&answered).report(&found);
        let texts = texts(&report);
        prop_assert_eq!(report.status().as_str(), of_texts(&texts), "{:?}", texts);
        let codes: BTreeSet<_> = report.fragments().iter().flat_map(Fragment::codes).collect();
        for (check, _) in &found {
            prop_assert!(codes.contains(check.code()));
        }
        let valid = texts.iter().all(|text| text == "pass");
        prop_assert_eq!(report.status() == Status::Valid, valid);
        if answered.len() == 6 {
            let worst = found.iter().map(|(check, outcome)| match outcome {
                Outcome::Pass => Status::ValidWithNotice,
                _ => check.status(),
            });
            prop_assert_eq!(report.status(), worst.max().unwrap_or(Status::Valid));
        }
    }
}
