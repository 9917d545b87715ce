//! Files handed in to be judged or shown: broken in every way, with bounded memory.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::office::{Office, POLICY, Row};
use crate::program::{command, finish, is_refusal, judge};

/// A dossier, and ways of breaking any JSON file of ours.
fn broken(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let body = text.trim_end();
    let open = body.strip_prefix('{').expect("an object");
    let name = open.split(':').next().expect("a member");
    vec![
        ("empty", Vec::new()),
        ("blank", b"\n".to_vec()),
        ("cut", body.as_bytes()[..body.len() / 2].to_vec()),
        ("cut by one", body.as_bytes()[..body.len() - 1].to_vec()),
        ("followed", format!("{body} x").into()),
        ("followed by a second", format!("{body}{body}").into()),
        ("two newlines", format!("{body}\n\n").into()),
        ("byte-order mark", format!("\u{feff}{body}").into()),
        ("space inside", format!("{{ {open}").into()),
        ("duplicate member", format!("{{{name}:1,{open}").into()),
        ("unknown member", format!("{{\"AA\":1,{open}").into()),
        ("float", format!("{{\"AA\":1.5,{open}").into()),
        ("exponent", format!("{{\"AA\":1e3,{open}").into()),
        (
            "over 2^53",
            format!("{{\"AA\":9007199254740993,{open}").into(),
        ),
        ("minus zero", format!("{{\"AA\":-0,{open}").into()),
        (
            "lone surrogate",
            format!("{{\"AA\":\"\\ud800\",{open}").into(),
        ),
        ("escaped solidus", format!("{{\"AA\":\"\\/\",{open}").into()),
        (
            "control character",
            format!("{{\"AA\":\"\u{1}\",{open}").into(),
        ),
        ("null", format!("{{\"AA\":null,{open}").into()),
        ("depth", format!("{{\"AA\":{}", "[".repeat(10_000)).into()),
        (
            "closed depth",
            format!("{{\"AA\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000)).into(),
        ),
        ("array", format!("[{body}]").into()),
        (
            "not UTF-8",
            [b"{\"AA\":\"\xff\",", open.as_bytes()].concat(),
        ),
        (
            "other format",
            body.replacen("zhao/v1", "zhao/v2", 1).into(),
        ),
        ("deep names", deep(5_000).into()),
    ]
}

fn deep(levels: usize) -> String {
    let mut text = String::new();
    for level in 0..levels {
        write!(text, "{{\"a{level}\":").expect("a string takes all");
    }
    text
}

/// One of each kind of file.
fn kinds(office: &Office) -> [&'static str; 6] {
    let credential = office.issue_one(&Row::food());
    let hold = [
        "status",
        "office",
        &credential,
        "hold",
        "--reason",
        "x",
        "--receipt",
        "receipt",
    ];
    office.zhao(&hold).code(0);
    office
        .zhao(&["dossier", "office", &credential, "-o", "dossier"])
        .code(0);
    office
        .zhao(&["history", "office", &credential, "-o", "history"])
        .code(0);
    office
        .zhao(&[
            "query",
            "office",
            "--uscc",
            "91350102DEM0000U10",
            "-o",
            "answer",
        ])
        .code(0);
    fs::copy(office.path("office/issuer-pack.json"), office.path("pack")).unwrap();
    fs::copy(office.path(&credential), office.path("credential")).unwrap();
    [
        "dossier",
        "receipt",
        "history",
        "answer",
        "pack",
        "credential",
    ]
}

#[test]
fn broken_files_are_malformed_to_both_verifiers_and_to_show() {
    let office = Office::new();
    let mut requests = Vec::new();
    for kind in kinds(&office) {
        let text = office.text(kind);
        let known = kind != "credential";
        if known {
            let usable = office.judge(kind, &[]);
            assert_ne!(usable.verdict, "undetermined", "{kind}");
        }
        office.zhao(&["show", kind]).code(0);
        for (number, (how, bytes)) in (0..).zip(broken(&text)) {
            if bytes == text.trim_end().as_bytes() {
                // A credential says no format of ours.
                continue;
            }
            let name = format!("{kind}-{number}");
            office.write(&name, &bytes);
            let what = format!("{kind}, {how}");
            let ran = office
                .zhao(&["verify", &name, "--policy", POLICY, "--json"])
                .code(1);
            // Of a bare credential standard error says that a dossier is what to ask for.
            assert!(!known || ran.stderr.is_empty(), "{what}: {}", ran.stderr);
            let said: Value = serde_json::from_str(&ran.stdout).unwrap();
            assert_eq!(said["verdict"], "invalid", "{what}");
            assert_eq!(said["reasons"], json!(["malformed"]), "{what}");
            assert_eq!(said["facts"], json!({}), "{what}");
            let fragments = said["fragments"].as_array().unwrap().iter();
            let codes: BTreeSet<_> = fragments.map(|one| one["codes"].to_string()).collect();
            let expected = [r#"["malformed"]"#, r#"["not_checked"]"#];
            assert!(codes.iter().eq(expected), "{what}: {codes:?}");
            let ran = office.zhao(&["show", &name]);
            let code = if ran.code == 2 { 2 } else { 1 };
            is_refusal(&what, &ran, code, &[&name]);
            requests.push(name);
        }
    }
    // JavaScript judges them all in one run.
    let mut lines = String::new();
    for name in &requests {
        writeln!(lines, "{}", json!({ "file": office.path(name) })).unwrap();
    }
    office.write("requests", lines);
    let program = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../verifier/js/bin/zhao-verify.mjs"
    );
    let input = fs::File::open(office.path("requests")).unwrap();
    let mut node = Command::new("node");
    node.args([program, "--batch", "--policy"])
        .arg(office.path(POLICY))
        .stdin(input);
    let ran = finish(&mut node).code(0);
    assert_eq!(ran.stdout.lines().count(), requests.len());
    for (name, line) in requests.iter().zip(ran.stdout.lines()) {
        assert!(
            line.contains("\"reasons\":[\"malformed\"],\"verdict\":\"invalid\""),
            "{name}: {line}"
        );
    }
}

/// The same command with at most `megabytes` of address space.
fn within(office: &Office, megabytes: u64, arguments: &[&str]) -> Command {
    let inner = command(office.root(), arguments);
    let mut shell = Command::new("bash");
    shell
        .arg("-c")
        .arg(format!(
            "ulimit -v {}; exec \"$0\" \"$@\"",
            megabytes * 1_024
        ))
        .arg(inner.get_program())
        .args(inner.get_args())
        .current_dir(office.root())
        .env_clear();
    for (name, value) in inner.get_envs() {
        if let Some(value) = value {
            shell.env(name, value);
        }
    }
    shell
}

#[test]
fn a_file_of_a_hundred_megabytes_is_refused_within_bounds() {
    let office = Office::new();
    let credential = office.issue_one(&Row::food());
    office
        .zhao(&["dossier", "office", &credential, "-o", "d.json"])
        .code(0);
    // A line of a hundred million bytes, all of them holes.
    let file = fs::File::create(office.path("huge")).unwrap();
    file.set_len(100_000_000).unwrap();
    drop(file);
    for (arguments, said) in [
        (
            &["verify", "huge", "--policy", POLICY][..],
            "huge is longer than 67108864 bytes",
        ),
        (&["show", "huge"], "huge is longer than 67108864 bytes"),
        (
            &["verify", "d.json", "--policy", "huge"],
            "huge is longer than 262144 bytes",
        ),
        (
            &["verify", "d.json", "--policy", POLICY, "--trust", "huge"],
            "262144 bytes",
        ),
        (
            &["verify", "d.json", "--policy", POLICY, "--pack", "huge"],
            "8388608 bytes",
        ),
        (
            &["dossier", "office", "huge", "-o", "out"],
            "huge is longer than 262145 bytes",
        ),
        (
            &["history", "office", "huge", "-o", "out"],
            "huge is longer than 262145 bytes",
        ),
        (
            &["audit", "office", "--policy", POLICY, "--seen", "huge"],
            "67108864 bytes",
        ),
    ] {
        let ran = finish(&mut within(&office, 300, arguments));
        is_refusal(&format!("{arguments:?}"), &ran, 2, &[said]);
    }
    office.size();
}

#[test]
fn a_dossier_of_another_log_or_of_the_wrong_kind_is_told_apart() {
    let office = Office::new();
    let [dossier, receipt, ..] = kinds(&office);
    let policy_of = |dir: &str| format!("{dir}/policy.txt");
    // A second office under the same name has another key; one under another name is unknown.
    office.zhao(&["init", "twin"]).code(0);
    office
        .zhao(&["init", "other", "--origin", "zhao.example/other"])
        .code(0);
    for (dir, of_dossier, of_receipt) in [
        ("twin", "invalid log_signature", "invalid log_signature"),
        (
            "other",
            "undetermined log_unknown",
            "undetermined log_unknown",
        ),
    ] {
        for (file, expected) in [(dossier, of_dossier), (receipt, of_receipt)] {
            let judged = judge(office.root(), file, &policy_of(dir), &[]);
            assert_eq!(judged.text(), expected, "{file} by {dir}");
            assert!(judged.facts.get("holder").is_none(), "{file} by {dir}");
        }
    }
    let line = ["dossier", "other", "credential", "-o", "out"];
    office.refuses(&line, 1, &["zhao.example/320400", "zhao.example/other"]);
    let line = ["dossier", "twin", "credential", "-o", "out"];
    office.refuses(&line, 1, &["the log has no licence urn:uuid:"]);
    // A key's hash covers its name: a policy with an edited name has no such key.
    fs::create_dir(office.path("edited-policy")).unwrap();
    let policy = office
        .text(POLICY)
        .replace("zhao.example/320400+", "zhao.example/320401+");
    office.write("edited-policy/policy.txt", policy);
    office.write("edited-policy/trust.txt", office.text("office/trust.txt"));
    let ran = office.zhao(&["verify", dossier, "--policy", &policy_of("edited-policy")]);
    is_refusal("policy", &ran, 2, &["edited-policy/policy.txt", "line 3"]);
    let ran = office.zhao(&["dossier", "office", receipt, "-o", "out"]);
    is_refusal("a receipt is no credential", &ran, 1, &["receipt"]);
    let edited = office.text("credential").replace("宏源", "宏远");
    office.write("edited", edited);
    // Refused at once or judged for what it is: an edited credential never becomes usable.
    let line = ["dossier", "office", "edited", "-o", "edited.dossier"];
    let ran = office.zhao(&line);
    match ran.code {
        0 => {
            let judged = office.judge("edited.dossier", &[]);
            assert_eq!(judged.text(), "invalid proof_signature");
        }
        _ => is_refusal("edited", &ran, 1, &["edited"]),
    }
    let line = ["status", "office", "edited", "hold", "--reason", "x"];
    office.refuses(&line, 1, &["edited"]);
}
