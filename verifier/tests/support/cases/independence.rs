//! The same dossier under policies that ask for more, for less, or for the operator's own people.

use super::super::vectors::{Case, Vector};
use super::super::vouch::{Trusting, Vouchers};
use super::issued;

fn vouched(witnesses: &[&str], auditors: &[&str]) -> Vec<u8> {
    let (mut world, _, paper, credential) = issued();
    world.vouchers = Vouchers::of(witnesses, auditors);
    world.dossier(&paper, &credential).bytes()
}

fn late() -> Vec<u8> {
    let (mut world, _, paper, credential) = issued();
    world.vouchers = Vouchers::all().delayed(&[9_000, 9_000, 9_000]);
    world.dossier(&paper, &credential).bytes()
}

pub fn vectors() -> Vec<Vector> {
    let (_, trusting, ..) = issued();
    let vector = |stem: &str, description: &str, trusting: Trusting, cases| {
        Vector::new(
            &format!("verify/policy-{stem}"),
            description,
            &trusting,
            cases,
        )
    };
    let all: &[&str] = &["w1", "w2", "w3"];
    let alone = || trusting.clone().quorum("quorum none").auditors("none");
    let both = &["no_witness", "no_auditor"];
    vec![
        vector(
            "nobody",
            "Neither witnesses nor auditors are asked for; every verdict says so.",
            alone(),
            vec![
                Case::valid("nobody-but-the-log", vouched(&[], &[])).assurance(both),
                Case::valid("cosigned-all-the-same", vouched(all, &["a1"])).assurance(both),
                Case::valid("times-that-nobody-asked-for", late()).assurance(both),
                Case::undetermined("too-old-all-the-same", vouched(&[], &[]), "too_old")
                    .at("2026-12-20T00:00:00.000Z")
                    .assurance(both),
            ],
        ),
        vector(
            "local",
            "One witness and one auditor are the operator's own.",
            trusting.clone().local(&["w1"], &["a1"]),
            vec![
                Case::valid("enough-others", vouched(all, &["a1", "a2"])),
                Case::valid("own-witness-needed", vouched(&["w1", "w2"], &["a2"]))
                    .assurance(&["witnesses_local"]),
                Case::valid("own-auditor-needed", vouched(&["w2", "w3"], &["a1"]))
                    .assurance(&["auditors_local"]),
                Case::valid("both-needed", vouched(&["w1", "w3"], &["a1"]))
                    .assurance(&["witnesses_local", "auditors_local"]),
                Case::undetermined(
                    "own-witness-alone",
                    vouched(&["w1"], &["a1"]),
                    "witness_quorum",
                ),
            ],
        ),
        vector(
            "two-auditors",
            "Both auditors are asked for.",
            trusting.clone().auditors("2"),
            vec![
                Case::valid("both", vouched(all, &["a1", "a2"])),
                Case::undetermined("one", vouched(all, &["a1"]), "auditor_quorum"),
                Case::undetermined("one-twice", vouched(all, &["a2", "a2"]), "auditor_quorum"),
            ],
        ),
        vector(
            "groups",
            "A group within a group: the first witness, and one of the others.",
            trusting.quorum("group other any w2 w3\ngroup both all w1 other\nquorum both"),
            vec![
                Case::valid("first-and-second", vouched(&["w1", "w2"], &["a1"])),
                Case::valid("first-and-third", vouched(&["w1", "w3"], &["a1"])),
                Case::undetermined(
                    "without-the-first",
                    vouched(&["w2", "w3"], &["a1"]),
                    "witness_quorum",
                ),
                Case::undetermined("first-alone", vouched(&["w1"], &["a1"]), "witness_quorum"),
            ],
        ),
    ]
}
