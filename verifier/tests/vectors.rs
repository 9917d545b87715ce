//! The vectors of files and verdicts: what the generator writes, and what `verify` says of it.

use std::collections::BTreeSet;
use std::fs;

use support::vectors::{FOLDERS, Vector, folder};

mod support;

/// Writes the vectors. Run by hand after a change of formats:
/// `cargo test -p zhao-verifier --test vectors regenerate -- --ignored`.
#[test]
#[ignore = "writes spec/vectors"]
fn regenerate() {
    for name in FOLDERS {
        fs::create_dir_all(folder().join(name)).unwrap();
    }
    for vector in support::cases::all() {
        fs::write(
            folder().join(format!("{}.json", vector.path)),
            vector.text(),
        )
        .unwrap();
    }
}

#[test]
fn committed_vectors_are_what_the_generator_writes() {
    let mut expected = BTreeSet::new();
    for vector in support::cases::all() {
        let path = folder().join(format!("{}.json", vector.path));
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == vector.text(), "{} is out of date", vector.path);
        expected.insert(path);
    }
    for name in FOLDERS {
        for entry in fs::read_dir(folder().join(name)).unwrap() {
            let path = entry.unwrap().path();
            assert!(
                expected.contains(&path),
                "{} is not generated",
                path.display()
            );
        }
    }
}

#[test]
fn every_case_gets_its_verdict() {
    let mut wrong = Vec::new();
    let (mut accepted, mut refused) = (0, 0);
    for vector in support::cases::all() {
        let read = Vector::read(&vector.path, &vector.text());
        let policy = read.trust_policy();
        for case in &read.cases {
            wrong.extend(read.difference(&policy, case));
            match case.verdict.as_str() {
                "valid" | "valid_with_notice" => accepted += 1,
                _ => refused += 1,
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} cases:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(
        refused > accepted,
        "{refused} refusals, {accepted} acceptances"
    );
}
