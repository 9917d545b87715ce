//! Rust and JavaScript give the same verdict, for the same reasons, on thousands of mutants.

use std::fs;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use serde_json::{Value, json};
use support::at;
use support::mutants::Nursery;
use zhao_spec::wire::binary::encode_base64;
use zhao_verifier::{TrustPolicy, verify};

mod support;

/// The first mutants of the mutation test.
const DOSSIERS: u64 = 10_000;
/// Mutants of receipts, histories, answers and issuer packs.
const OTHER_FILES: u64 = 3_000;

#[test]
fn both_verifiers_judge_every_dossier_alike() {
    compare("dossiers", &Nursery::of_dossiers(), DOSSIERS);
}

#[test]
fn both_verifiers_judge_every_other_file_alike() {
    compare("other-files", &Nursery::of_other_files(), OTHER_FILES);
}

/// Gives the same mutants to one Node process and to `verify`.
#[expect(clippy::unwrap_used, reason = "a helper of tests")]
fn compare(name: &str, nursery: &Nursery, mutants: u64) {
    let policy = TrustPolicy::load(&nursery.policy, &nursery.trust).unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("policy.txt"), &nursery.policy).unwrap();
    fs::write(folder.join("trust.txt"), &nursery.trust).unwrap();

    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("js/bin/zhao-verify.mjs");
    let mut node = Command::new("node")
        .arg(program)
        .args(["--batch", "--policy"])
        .arg(folder.join("policy.txt"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node is needed to compare with the JavaScript verifier");
    let stdin = node.stdin.take().unwrap();
    let stdout = BufReader::new(node.stdout.take().unwrap());

    let mut differences = Vec::new();
    let mut answered = 0;
    thread::scope(|scope| {
        // Written from a thread of its own: either pipe may fill up before the other is read.
        scope.spawn(|| {
            let mut stdin = BufWriter::new(stdin);
            for number in 0..mutants {
                let mutant = nursery.mutant(number);
                let original = &nursery.originals[mutant.original];
                let line = json!({"bytes": encode_base64(&mutant.bytes), "at": original.at});
                writeln!(stdin, "{line}").unwrap();
            }
            stdin.flush().unwrap();
        });
        for (number, line) in (0..mutants).zip(stdout.lines()) {
            let theirs: Value = serde_json::from_str(&line.unwrap()).unwrap();
            let mutant = nursery.mutant(number);
            let original = &nursery.originals[mutant.original];
            let verdict = verify(&mutant.bytes, &policy, None, at(&original.at), None);
            let ours: Value = serde_json::from_slice(&verdict.to_json()).unwrap();
            answered += 1;
            for member in ["verdict", "reasons", "assurance"] {
                if ours[member] != theirs[member] {
                    let words: Vec<_> = verdict.reasons().iter().map(ToString::to_string).collect();
                    differences.push(format!(
                        "mutant {number} of {}: {member} ours {} theirs {} ({words:?})",
                        original.name, ours[member], theirs[member],
                    ));
                }
            }
        }
    });
    assert!(node.wait().unwrap().success());
    assert_eq!(answered, mutants);
    let shown = differences
        .iter()
        .take(20)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    assert!(
        differences.is_empty(),
        "{} differences:\n{shown}",
        differences.len()
    );
}
