//! The two policy files: what is refused before anything is judged, and what a verdict looks like.

use support::vectors::AT;
use support::vouch::{Trusting, cosigner, log_signer};
use support::{ORIGIN, at, cases, hash, key};
use zhao_spec::log::note::{KeyKind, Vkey};
use zhao_verifier::{PolicyError, Reason, Status, TrustPolicy, verify};

mod support;

fn trusting() -> Trusting {
    Trusting::new(&[(ORIGIN, hash("genesis"))])
}

#[expect(clippy::unwrap_used, reason = "a helper of tests")]
fn refused(policy: &str, trust: &str) -> PolicyError {
    TrustPolicy::load(policy, trust).unwrap_err()
}

#[test]
fn files_that_do_not_parse_are_the_callers_error() {
    let own = trusting();
    let (policy, trust) = (own.policy(), own.trust());
    assert!(TrustPolicy::load(&policy, &trust).is_ok());
    assert_eq!(refused("", &trust).code(), "quorum_missing");
    assert_eq!(
        refused("quorum none\nquorum none\n", &trust).code(),
        "quorum_twice"
    );
    assert_eq!(refused(&policy, "").code(), "missing");
    let unknown = format!("{trust}trust nobody\n");
    assert_eq!(refused(&policy, &unknown).code(), "keyword");
    let no_skew = trust.replace("skew 2m\n", "");
    assert_eq!(
        refused(&policy, &no_skew).to_string(),
        "trust file: no skew line"
    );
}

#[test]
fn files_that_do_not_fit_each_other_are_refused() {
    let own = trusting();
    let (policy, trust) = (own.policy(), own.trust());
    let elsewhere = trust.replace(ORIGIN, "zhao.example/elsewhere");
    assert_eq!(refused(&policy, &elsewhere).code(), "administrator_missing");
    let local = format!("{trust}local-witness w9\n");
    assert_eq!(refused(&policy, &local).code(), "unknown_witness");
    let many = trust.replace("auditors 1\n", "auditors 3\n");
    assert_eq!(refused(&policy, &many).code(), "auditors_out_of_range");
}

#[test]
fn an_auditor_has_a_key_of_its_own() {
    let own = trusting();
    let (policy, trust) = (own.policy(), own.trust());
    let witness = trust.replace(&cosigner("a1"), &cosigner("w1"));
    assert_eq!(refused(&policy, &witness).code(), "auditor_is_witness");
    // The log's public key under an auditor's name and type.
    let log = *log_signer(ORIGIN, "log").vkey().public_key().unwrap();
    let disguised = Vkey::new("a1.example", KeyKind::Cosignature, log)
        .unwrap()
        .format();
    let trust = trust.replace(&cosigner("a1"), &disguised);
    let error = refused(&policy, &trust);
    assert_eq!(
        error,
        PolicyError::AuditorIsLog {
            name: "a1".to_owned()
        }
    );
    assert_eq!(error.to_string(), "auditor \"a1\" has the key of a log");
    let stranger = Vkey::new("a1.example", KeyKind::Ed25519, key("a1").public())
        .unwrap()
        .format();
    let trust = own.trust().replace(&cosigner("a1"), &stranger);
    assert_eq!(refused(&policy, &trust).code(), "key_type");
}

#[test]
fn a_majority_of_witnesses_is_required() {
    let own = trusting().quorum("group one any w1 w2 w3\nquorum one");
    assert_eq!(
        refused(&own.policy(), &own.trust()).code(),
        "quorum_not_majority"
    );
}

#[test]
fn a_verdict_as_json_is_canonical_and_tells_the_facts() {
    let (world, trusting, paper, credential) = cases::issued();
    let policy = TrustPolicy::load(&trusting.policy(), &trusting.trust()).unwrap();
    let file = world.dossier(&paper, &credential).bytes();
    let verdict = verify(&file, &policy, None, at(AT), None);
    assert_eq!(verdict.status(), Status::Valid);
    let subject = world.licence_key(&paper);
    let standing = concat!(
        r#""age":82800000,"asOf":"2026-12-01T01:00:00.000Z","#,
        r#""effective":"2026-12-01T00:59:00.000Z","epoch":1,"#,
        r#""recorded":"2026-12-01T01:00:00.000Z","#,
    );
    let expected = format!(
        concat!(
            r#"{{"assurance":[],"facts":{{"age":82800000,"asOf":"2026-12-01T01:00:00.000Z","#,
            r#""auditors":["a1","a2"],"effective":"2026-12-01T00:59:00.000Z","epoch":1,"#,
            r#""holder":{holder},"issuedBy":"{key}","issuedIndex":{issued},"quorum":"met","#,
            r#""quorumTime":"2026-12-01T01:00:02.000Z","recorded":"2026-12-01T01:00:00.000Z","#,
            r#""size":{size},"state":"active","subject":"{subject}","typeCode":"{code}","#,
            r#""unit":"{unit}","witnesses":["w1","w2","w3"]}},"fragments":["#,
            r#"{{"codes":[],"facts":{{"holder":{holder}}},"name":"integrity","outcome":"pass"}},"#,
            r#"{{"codes":[],"facts":{{"issuedBy":"{key}","issuedIndex":{issued},"#,
            r#""typeCode":"{code}","unit":"{unit}"}},"name":"authority","outcome":"pass"}},"#,
            r#"{{"codes":[],"facts":{{}},"name":"validity","outcome":"pass"}},"#,
            r#"{{"codes":[],"facts":{{{standing}"size":{size},"state":"active","#,
            r#""subject":"{subject}"}},"name":"standing","outcome":"pass"}},"#,
            r#"{{"codes":[],"facts":{{"auditors":["a1","a2"],"quorum":"met","#,
            r#""quorumTime":"2026-12-01T01:00:02.000Z","witnesses":["w1","w2","w3"]}},"#,
            r#""name":"witnesses","outcome":"pass"}},"#,
            r#"{{"codes":[],"facts":{{}},"name":"schema","outcome":"pass"}}],"#,
            r#""reasons":[],"verdict":"valid"}}"#,
        ),
        holder = format_args!(
            r#"{{"code":"{}","name":"常州示例餐饮有限公司"}}"#,
            paper.holder_code
        ),
        issued = world
            .dossier(&paper, &credential)
            .placed
            .record
            .issued_index,
        key = key("unit 1 key 1").public().thumbprint(),
        size = world.tree.size(),
        standing = standing,
        subject = subject,
        code = paper.licence_type.as_str(),
        unit = paper.unit,
    );
    assert_eq!(String::from_utf8(verdict.to_json()).unwrap(), expected);
    let licence = verdict.into_licence().unwrap();
    assert_eq!(licence.licence().canonical(), credential.bytes());
    assert_eq!(licence.as_of(), world.epochs.last().unwrap().time);
}

#[test]
fn a_stopped_verdict_tells_only_what_was_established() {
    let (world, trusting, paper, credential) = cases::issued();
    let policy = TrustPolicy::load(&trusting.policy(), &trusting.trust()).unwrap();
    let mut dossier = world.dossier(&paper, &credential);
    dossier.placed.record.vc = hash("another");
    let verdict = verify(&dossier.bytes(), &policy, None, at(AT), None);
    let fragments = [
        r#"{"codes":[],"facts":{},"name":"integrity","outcome":"pass"}"#,
        r#"{"codes":["not_checked"],"facts":{},"name":"authority","outcome":"undetermined"}"#,
        r#"{"codes":["not_checked"],"facts":{},"name":"validity","outcome":"undetermined"}"#,
        r#"{"codes":["record_digest"],"facts":{},"name":"standing","outcome":"fail"}"#,
        r#"{"codes":["not_checked"],"facts":{},"name":"witnesses","outcome":"undetermined"}"#,
        r#"{"codes":[],"facts":{},"name":"schema","outcome":"pass"}"#,
    ];
    let expected = format!(
        r#"{{"assurance":[],"facts":{{}},"fragments":[{}],"reasons":["record_digest"],{}}}"#,
        fragments.join(","),
        r#""verdict":"invalid""#,
    );
    assert_eq!(String::from_utf8(verdict.to_json()).unwrap(), expected);
    assert_eq!(
        verdict.reasons(),
        [Reason::RecordDigest {
            expected: credential.digest(),
            actual: hash("another")
        }]
    );
    assert!(verdict.licence().is_none());
}

#[test]
fn a_file_cannot_fill_the_screen() {
    let (_, trusting) = cases::honest();
    let policy = TrustPolicy::load(&trusting.policy(), &trusting.trust()).unwrap();
    let long = format!("{{\"format\":\"{}\"}}", "x".repeat(20_000));
    let verdict = verify(long.as_bytes(), &policy, None, at(AT), None);
    let words = verdict.reasons()[0].to_string();
    assert_eq!(verdict.reasons()[0].code(), "malformed");
    assert!(words.len() < 200, "{} bytes", words.len());
}
