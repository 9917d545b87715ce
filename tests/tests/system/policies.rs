//! Policy and trust files with each kind of error: the caller's mistake to both verifiers, exit 2,
//! with the line; never a verdict.

use std::process::Command;

use crate::office::{Office, POLICY, Row};
use crate::program::{finish, refuses};

/// Reads policy and trust file of each case and judges a dossier by them; prints what was thrown.
const SCRIPT: &str = r#"
import { readFile } from 'node:fs/promises';
const [program, count] = process.argv.slice(-2);
const { PolicyError, parsePolicy, parseTrust, verify } = await import(program);
const dossier = await readFile('d.json');
for (let i = 0; i < Number(count); i++) {
  try {
    const policy = await parsePolicy(await readFile(`case-${i}/policy.txt`));
    const trust = await parseTrust(await readFile(`case-${i}/trust.txt`));
    const { verdict } = await verify(dossier, { policy, trust, at: Date.now() });
    console.log(`verdict ${verdict}`);
  } catch (error) {
    const name = error instanceof PolicyError ? 'PolicyError' : 'Error';
    console.log(`${name} ${JSON.stringify(error.message)}`);
  }
}
"#;

struct Files {
    policy: String,
    trust: String,
    log: String,
    witness: String,
    auditor: String,
}

impl Files {
    fn of(office: &Office) -> Self {
        let policy = office.text(POLICY);
        let trust = office.text("office/trust.txt");
        let word = |text: &str, start: &str, at: usize| {
            let line = text
                .lines()
                .find(|line| line.starts_with(start))
                .expect("a line");
            line.split(' ').nth(at).expect("a word").to_owned()
        };
        Self {
            log: word(&policy, "log ", 1),
            witness: word(&policy, "witness ", 2),
            auditor: word(&trust, "auditor ", 2),
            policy,
            trust,
        }
    }
}

#[test]
fn every_error_of_a_policy_or_trust_file_is_named_with_its_line() {
    let office = Office::new();
    let credential = office.issue_one(&Row::food());
    office
        .zhao(&["dossier", "office", &credential, "-o", "d.json"])
        .code(0);
    let Files {
        policy,
        trust,
        log,
        witness,
        auditor,
    } = Files::of(&office);
    let add = |line: &str| (format!("{policy}{line}\n"), trust.clone());
    let trusting = |line: &str| (policy.clone(), format!("{trust}{line}\n"));
    let policy_as = |from: &str, to: &str| (policy.replacen(from, to, 1), trust.clone());
    let trust_as = |from: &str, to: &str| (policy.clone(), trust.replacen(from, to, 1));
    // A character of a key changed: its hash does not fit.
    let bad_log = format!("log {}A", &log[..log.len() - 1]);
    let cases = [
        (add("colour red"), "policy", "line 6"),
        (add("log"), "policy", "line 6"),
        (add("log not-a-key"), "policy", "not-a-key"),
        (add(&format!("log {log}")), "policy", "line 6"),
        (add(&format!("witness other {witness}")), "policy", "line 6"),
        (
            add(&format!("witness local-witness {witness}")),
            "policy",
            "line 6",
        ),
        (add(&format!("witness none {witness}")), "policy", "line 6"),
        (add(&format!("witness {witness}")), "policy", "line 6"),
        (add(&format!("log {witness}")), "policy", "line 6"),
        (add("group g 2 local-witness"), "policy", "line 6"),
        (add("group g 0 local-witness"), "policy", "line 6"),
        (add("group g any nobody"), "policy", "nobody"),
        (add("group g any"), "policy", "line 6"),
        (add("quorum local-witness"), "policy", "line 6"),
        (add("quorum nobody"), "policy", "line 6"),
        (add("\u{1}"), "policy", "line 6"),
        (policy_as("quorum local-witness\n", ""), "policy", "quorum"),
        (
            policy_as("quorum local-witness", "quorum nobody"),
            "policy",
            "nobody",
        ),
        (
            policy_as(&format!("log {log}"), &bad_log),
            "policy",
            "line 3",
        ),
        ((String::new(), trust.clone()), "policy", "quorum"),
        (
            (
                format!("# {}\n{policy}", "a".repeat(262_144)),
                trust.clone(),
            ),
            "policy",
            "262144",
        ),
        (trusting("colour red"), "trust", "line 12"),
        (trusting("auditors 1"), "trust", "line 12"),
        (trusting("max-age 24h"), "trust", "line 12"),
        (
            trusting(&format!("auditor other {auditor}")),
            "trust",
            "line 12",
        ),
        (
            trusting(&format!("auditor local-auditor {auditor}")),
            "trust",
            "line 12",
        ),
        (trusting("auditor x not-a-key"), "trust", "not-a-key"),
        (trusting("local-witness nobody"), "trust", "nobody"),
        (trusting(&format!("auditor w {witness}")), "trust", "\"w\""),
        (
            trusting("administrator zhao.example/other short"),
            "trust",
            "line 12",
        ),
        (trust_as("auditors 1", "auditors 2"), "trust", "2"),
        (trust_as("auditors 1", "auditors one"), "trust", "one"),
        (trust_as("auditors 1\n", ""), "trust", "auditors"),
        (trust_as("max-age 24h", "max-age 24"), "trust", "24"),
        (trust_as("max-age 24h", "max-age 0h"), "trust", "0h"),
        (trust_as("max-age 24h\n", ""), "trust", "max-age"),
        (trust_as("max-lag 15m", "max-lag -15m"), "trust", "-15m"),
        (
            trust_as("pack-max-age 30d", "pack-max-age 1y"),
            "trust",
            "1y",
        ),
        (trust_as("skew 5m", "skew"), "trust", "line"),
        (
            trust_as("administrator zhao", "administrator other"),
            "trust",
            "zhao.example/320400",
        ),
        ((policy.clone(), String::new()), "trust", ""),
    ];
    let mut wrong = Vec::new();
    for (number, ((policy, trust), file, said)) in (0..).zip(&cases) {
        let folder = format!("case-{number}");
        std::fs::create_dir(office.path(&folder)).unwrap();
        office.write(&format!("{folder}/policy.txt"), policy);
        office.write(&format!("{folder}/trust.txt"), trust);
        let path = format!("{folder}/policy.txt");
        let place = format!("{folder}/{file}.txt");
        let line = ["verify", "d.json", "--policy", &path];
        let ran = office.zhao(&line);
        if ran.code != 2 || !ran.stderr.contains(said) || !ran.stderr.contains(&place) {
            wrong.push(format!(
                "{number}: {said:?} of {place}: {}{}",
                ran.code, ran.stderr
            ));
            continue;
        }
        refuses(office.root(), &line, 2, &[&place, said]);
    }
    // JavaScript reads them all in one run: each is an error of the caller, none a verdict.
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../verifier/js/zhao.js");
    let mut node = Command::new("node");
    node.args([
        "--input-type=module",
        "--eval",
        SCRIPT,
        "--",
        program,
        &cases.len().to_string(),
    ]);
    let ran = finish(node.current_dir(office.root())).code(0);
    assert_eq!(ran.stdout.lines().count(), cases.len(), "{}", ran.stdout);
    for (line, (_, file, said)) in ran.stdout.lines().zip(&cases) {
        if !line.starts_with("PolicyError ") {
            wrong.push(format!("{said:?} of {file} in JavaScript: {line}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_policy_that_trusts_others_is_no_mistake_and_no_proof() {
    let office = Office::new();
    let credential = office.issue_one(&Row::food());
    office
        .zhao(&["dossier", "office", &credential, "-o", "d.json"])
        .code(0);
    let Files { policy, trust, .. } = Files::of(&office);
    let judge = |policy: &str, trust: &str| {
        let _ = std::fs::create_dir(office.path("other"));
        office.write("other/policy.txt", policy);
        office.write("other/trust.txt", trust);
        crate::program::judge(office.root(), "d.json", "other/policy.txt", &[]).text()
    };
    assert_eq!(judge(&policy, &trust), "valid");
    let nobody = policy.replace("quorum local-witness", "quorum none");
    assert_eq!(judge(&nobody, &trust), "valid");
    let unwatched = trust.replace("auditors 1", "auditors none");
    assert_eq!(judge(&policy, &unwatched), "valid");
    // Another founder.
    let genesis = trust
        .lines()
        .find(|line| line.starts_with("administrator "))
        .unwrap();
    let other = genesis.rsplit_once(' ').unwrap().0.to_owned() + " " + &"A".repeat(43) + "=";
    assert_eq!(
        judge(&policy, &trust.replace(genesis, &other)),
        "invalid genesis_mismatch"
    );
    // A shorter patience.
    let hasty = trust.replace("max-age 24h", "max-age 1ms");
    assert_eq!(judge(&policy, &hasty), "undetermined too_old");
}
