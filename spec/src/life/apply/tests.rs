//! The tables of `spec/lifecycle.md`, cell by cell, and every refusal beside them.

mod authority;
mod log_key;
mod order;
mod table;
mod world;

use super::Refusal;

/// Every code of the enum is reached by some test of this folder: each calls this with its name.
/// (The list is checked in `every_refusal_is_shown`.)
const SHOWN: &[&str] = &[
    "already_retired",
    "already_succeeded",
    "already_suspended",
    "code_not_allowed",
    "commitment_required",
    "controller_unknown",
    "delay_not_over",
    "due_not_later",
    "effective_in_future",
    "effective_too_early",
    "encumbered",
    "enterprise_not_allowed",
    "enterprise_required",
    "foreign_signature",
    "from_in_future",
    "key_known",
    "key_not_authorised",
    "key_proof_invalid",
    "key_retired",
    "key_unknown",
    "limit_reached",
    "not_controller",
    "not_earlier",
    "not_open",
    "not_suspended",
    "nothing_to_reaffirm",
    "predecessor_absent",
    "predecessor_prev_mismatch",
    "predecessor_seq_mismatch",
    "prev_mismatch",
    "proposal_unknown",
    "seq_mismatch",
    "signature_invalid",
    "signer_missing",
    "signer_suspended",
    "signer_unknown",
    "subject_absent",
    "subject_exists",
    "suspended",
    "terminal",
    "threshold_not_met",
    "type_not_granted",
    "type_retired",
    "type_rules",
    "type_unknown",
    "types_known",
    "verb_not_applicable",
    "version_mismatch",
    "wrong_kind",
    "wrong_origin",
    "wrong_signer",
    "wrong_subject",
];

#[test]
fn every_refusal_is_shown() {
    let mut codes = Refusal::CODES.to_vec();
    codes.sort_unstable();
    assert_eq!(codes, SHOWN);
    let page = include_str!("../../../lifecycle.md");
    let tests = [
        include_str!("tests/authority.rs"),
        include_str!("tests/log_key.rs"),
        include_str!("tests/order.rs"),
        include_str!("tests/table.rs"),
    ]
    .concat();
    for code in codes {
        assert!(
            page.contains(code),
            "spec/lifecycle.md does not name {code}"
        );
        let in_tests = tests.contains(&format!("\"{code}\""));
        let in_table = page
            .lines()
            .any(|line| line.starts_with('|') && line.contains(code));
        let variant: String = code.split('_').map(capital).collect();
        let by_variant = tests.contains(&format!("Err(Refusal::{variant}"));
        assert!(in_tests || in_table || by_variant, "no test asserts {code}");
    }
}

fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}
