//! No change of a dossier, however small, gives a usable verdict on anything else than was issued.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use support::at;
use support::mutants::Nursery;
use zhao_verifier::{TrustPolicy, Verdict, verify};

mod support;

/// How many mutants are judged.
const MUTANTS: u64 = 100_000;
/// On how many threads.
const THREADS: u64 = 2;

/// What a reader acts on: the credential, its standing, and as of when.
type Statement = (Vec<u8>, Vec<u8>, u64);

fn statement(verdict: &Verdict) -> Option<Statement> {
    let licence = verdict.licence()?;
    let record = zhao_spec::life::record::Record::Licence(licence.record().clone().into());
    Some((
        licence.licence().canonical().to_vec(),
        record.bytes(),
        licence.as_of().0,
    ))
}

#[test]
fn no_mutant_says_anything_new() {
    let nursery = Nursery::of_dossiers();
    let policy = TrustPolicy::load(&nursery.policy, &nursery.trust).unwrap();
    let mut issued = BTreeSet::new();
    for original in &nursery.originals {
        let verdict = verify(&original.bytes, &policy, None, at(&original.at), None);
        issued.insert(statement(&verdict).unwrap_or_else(|| panic!("{}", original.name)));
    }

    let judge = |first: u64| {
        let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
        let mut wrong = Vec::new();
        for number in (first..MUTANTS).step_by(usize::try_from(THREADS).unwrap()) {
            let mutant = nursery.mutant(number);
            let original = &nursery.originals[mutant.original];
            let verdict = verify(&mutant.bytes, &policy, None, at(&original.at), None);
            let code = verdict
                .reasons()
                .first()
                .map_or("usable", |reason| reason.code());
            *counts.entry(code).or_default() += 1;
            match statement(&verdict) {
                None => assert!(!verdict.status().is_usable(), "usable without a licence"),
                Some(new) if !issued.contains(&new) => wrong.push(number),
                Some(_) => {}
            }
        }
        (counts, wrong)
    };
    let parts: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|first| scope.spawn(move || judge(first)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no mutant panics"))
            .collect()
    });
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    for (part, wrong) in parts {
        assert!(
            wrong.is_empty(),
            "mutants {wrong:?} are usable and were never issued"
        );
        for (code, count) in part {
            *counts.entry(code).or_default() += count;
        }
    }
    println!("{counts:?}");
    assert_eq!(counts.values().sum::<u64>(), MUTANTS);
    // Mutants that all died at decoding would prove little.
    assert!(
        counts.len() > 25,
        "only these checks were reached: {counts:?}"
    );
}
