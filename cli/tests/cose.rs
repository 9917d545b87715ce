//! Receipts in COSE form: served, saved, shown, and judged for what little they prove.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod support;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use support::server::{Server, key, serve};
use support::{Ran, food, office, zhao};
use zhao_spec::file::Receipt;
use zhao_spec::log::cose::CoseReceipt;
use zhao_spec::log::note::Vkey;

const COSE: &str = "application/cose; cose-type=\"cose-sign1\"";

/// The log's key, from the office's policy.
fn log_key(dir: &Path) -> Vkey {
    let policy = fs::read_to_string(dir.join("office/policy.txt")).unwrap();
    let mut lines = policy.lines();
    let line = lines.find_map(|line| line.strip_prefix("log ")).unwrap();
    Vkey::parse(line.trim()).unwrap()
}

/// A policy and trust file that ask nobody but the log.
fn write_policy_of_nobody(dir: &Path) {
    let lines = |name: &str, keep: &dyn Fn(&str) -> bool, more: &str| {
        let text = fs::read_to_string(dir.join("office").join(name)).unwrap();
        let mut kept: String = text
            .lines()
            .filter(|line| keep(line))
            .map(|line| format!("{line}\n"))
            .collect();
        kept.push_str(more);
        kept
    };
    let to = dir.join("nobody");
    fs::create_dir(&to).unwrap();
    let policy = lines(
        "policy.txt",
        &|line| line.starts_with("log "),
        "quorum none\n",
    );
    fs::write(to.join("policy.txt"), policy).unwrap();
    let others = |line: &str| !line.starts_with("auditor") && !line.starts_with("local-");
    let trust = lines("trust.txt", &others, "auditors none\n");
    fs::write(to.join("trust.txt"), trust).unwrap();
}

/// What `zhao verify` says of FILE and the entry beside it.
fn verify(dir: &Path, more: &[&str]) -> Ran {
    let mut all = vec!["verify"];
    all.extend(more);
    zhao(dir, &all)
}

fn verdict(ran: &Ran) -> (Value, Value, Value) {
    let mut said: Value = serde_json::from_str(&ran.stdout).unwrap();
    (
        said["verdict"].take(),
        said["reasons"].take(),
        said["assurance"].take(),
    )
}

fn ask(server: &Server, path: &str, accept: &str) -> support::server::Answer {
    server.ask("GET", path, &[("Accept", accept)], b"")
}

#[test]
fn a_receipt_is_served_in_both_forms_and_judged_in_both() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    office(dir);
    let admin = key(dir, "admin");
    let server = serve(dir, &[]);
    let made = server
        .post(&admin, "/v1/licences", &food("示例餐馆"))
        .is(201)
        .json();
    let usual = made["receipt"].to_string();
    let receipt = Receipt::parse(usual.as_bytes()).unwrap();
    let id = receipt.event.id();
    let path = format!("/v1/receipts/{}", id.to_base64url());

    // Negotiation: the usual form unless the other is asked for; neither is 406.
    for accept in [
        "*/*",
        "application/*",
        "application/json",
        "text/html, */*;q=0.1",
    ] {
        let answer = ask(&server, &path, accept).is(200);
        assert_eq!(
            answer.header("content-type"),
            Some("application/json"),
            "{accept}"
        );
        assert_eq!(answer.json()["format"], "zhao/v1 receipt");
    }
    assert_eq!(
        server.get(&path).is(200).header("content-type"),
        Some("application/json")
    );
    for accept in [
        "application/cose",
        COSE,
        "text/plain, application/cose;q=0.2",
    ] {
        let answer = ask(&server, &path, accept).is(200);
        assert_eq!(answer.header("content-type"), Some(COSE), "{accept}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    for accept in [
        "text/html",
        "application/cbor",
        "application/cose-key",
        "application/cos",
    ] {
        ask(&server, &path, accept)
            .is(406)
            .problem("not-acceptable");
    }
    let nobody = format!("/v1/receipts/{}", "A".repeat(43));
    ask(&server, &nobody, "application/cose")
        .is(404)
        .problem("not-found");
    ask(&server, "/v1/receipts/AAAA", "application/cose")
        .is(400)
        .problem("malformed");

    // The bytes are the log's statement of the served head.
    let bytes = ask(&server, &path, "application/cose").is(200).body;
    let again = ask(&server, &path, "application/cose").is(200).body;
    assert_eq!(bytes, again, "one head, one receipt");
    let cose = CoseReceipt::parse(&bytes).unwrap();
    let head = server.get("/v1/checkpoint").is(200).body;
    let said = cose
        .verify(&receipt.event.leaf_hash(), &log_key(dir))
        .unwrap();
    assert!(String::from_utf8(head).unwrap().starts_with(&said.body()));
    assert_eq!(cose.index, receipt.index);

    // Judged: the log's word alone does not do where witnesses are asked for.
    fs::write(dir.join("receipt.cose"), &bytes).unwrap();
    fs::write(dir.join("event.json"), receipt.event.bytes()).unwrap();
    fs::write(dir.join("leaf.json"), receipt.event.leaf_bytes()).unwrap();
    let file = ["receipt.cose", "--policy", "office/policy.txt", "--entry"];
    for entry in ["event.json", "leaf.json"] {
        let ran = verify(dir, &[&file[..], &[entry, "--json"]].concat()).code(3);
        let expected = (
            json!("undetermined"),
            json!(["witness_quorum"]),
            json!(["no_witness", "no_auditor"]),
        );
        assert_eq!(verdict(&ran), expected);
        assert!(
            ran.stderr.contains("nobody's word but the log's"),
            "{}",
            ran.stderr
        );
    }
    let ran = verify(dir, &[&file[..], &["event.json"]].concat()).code(3);
    assert!(ran.stdout.contains("UNDETERMINED"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("nobody but the log says"),
        "{}",
        ran.stdout
    );
    write_policy_of_nobody(dir);
    let file = ["receipt.cose", "--policy", "nobody/policy.txt", "--entry"];
    let ran = verify(dir, &[&file[..], &["event.json", "--json"]].concat()).code(0);
    assert_eq!(verdict(&ran).0, "valid");
    assert_eq!(verdict(&ran).2, json!(["no_witness", "no_auditor"]));

    // Something else beside it, and changed bytes.
    let other = receipt.head.epoch.bytes();
    fs::write(dir.join("epoch.json"), other).unwrap();
    let ran = verify(dir, &[&file[..], &["epoch.json", "--json"]].concat()).code(1);
    assert_eq!(verdict(&ran).1, json!(["log_signature"]));
    let mut turned = bytes.clone();
    *turned.last_mut().unwrap() ^= 1;
    fs::write(dir.join("turned.cose"), turned).unwrap();
    let turned = [
        "turned.cose",
        "--policy",
        "nobody/policy.txt",
        "--entry",
        "event.json",
        "--json",
    ];
    assert_eq!(
        verdict(&verify(dir, &turned).code(1)).1,
        json!(["log_signature"])
    );
    fs::write(dir.join("cut.cose"), &bytes[..bytes.len() - 1]).unwrap();
    let cut = [
        "cut.cose",
        "--policy",
        "nobody/policy.txt",
        "--entry",
        "event.json",
        "--json",
    ];
    assert_eq!(verdict(&verify(dir, &cut).code(1)).1, json!(["malformed"]));
    let swapped = [
        "receipt.cose",
        "--policy",
        "nobody/policy.txt",
        "--entry",
        "receipt.cose",
        "--json",
    ];
    assert_eq!(
        verdict(&verify(dir, &swapped).code(1)).1,
        json!(["malformed"])
    );

    // Wrong usage is no verdict.
    let alone = verify(dir, &["receipt.cose", "--policy", "nobody/policy.txt"]).code(2);
    assert!(
        alone.error().contains("does not hold what it is of"),
        "{}",
        alone.stderr
    );
    fs::write(dir.join("receipt.json"), usual).unwrap();
    let beside = [
        "receipt.json",
        "--policy",
        "office/policy.txt",
        "--entry",
        "event.json",
    ];
    let beside = verify(dir, &beside).code(2);
    assert!(
        beside.error().contains("only a COSE receipt"),
        "{}",
        beside.stderr
    );
    let missing = [
        "receipt.cose",
        "--policy",
        "nobody/policy.txt",
        "--entry",
        "none.json",
    ];
    verify(dir, &missing).code(2);

    // Shown, without judging.
    let shown = zhao(dir, &["show", "receipt.cose"]).code(0).stdout;
    for text in [
        &*cose.origin,
        &format!("#{}", cose.index),
        &cose.key_id.to_string(),
    ] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    zhao(dir, &["show", "cut.cose"]).code(1);

    // The command asks the server, and gets what the route gives.
    fs::write(dir.join("licence.json"), made["credential"].to_string()).unwrap();
    let hold = [
        "status",
        "office",
        "licence.json",
        "hold",
        "--reason",
        "复核",
        "--receipt",
        "hold.json",
        "--cose-receipt",
        "hold.cose",
    ];
    zhao(dir, &hold).code(0);
    check_pair(dir, "hold");
    server.stop();

    // And without a server, from the directory.
    let lift = [
        "status",
        "office",
        "licence.json",
        "lift-hold",
        "--reason",
        "复核",
        "--receipt",
        "lift.json",
        "--cose-receipt",
        "lift.cose",
    ];
    zhao(dir, &lift).code(0);
    check_pair(dir, "lift");
    let nowhere = [
        "status",
        "office",
        "licence.json",
        "hold",
        "--reason",
        "复核",
        "--cose-receipt",
        "licence.json/x.cose",
    ];
    zhao(dir, &nowhere).code(2);
}

/// NAME.json and NAME.cose are of one event, at one place.
fn check_pair(dir: &Path, name: &str) {
    let usual = fs::read(dir.join(format!("{name}.json"))).unwrap();
    let usual = Receipt::parse(usual.strip_suffix(b"\n").unwrap()).unwrap();
    let cose = fs::read(dir.join(format!("{name}.cose"))).unwrap();
    let cose = CoseReceipt::parse(&cose).unwrap();
    let said = cose
        .verify(&usual.event.leaf_hash(), &log_key(dir))
        .unwrap();
    assert_eq!(cose.index, usual.index);
    assert!(said.size >= usual.head.checkpoint().size);
}
