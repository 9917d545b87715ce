//! A whole life through the binary: made, issued, changed, proved, judged, audited.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::fs;
use std::path::Path;

mod support;

use support::{command, credentials, finish, food, office, zhao};

/// Writes a JSON batch of food operation licences.
fn batch(dir: &Path, names: &[&str]) {
    let rows: Vec<String> = names.iter().map(|name| food(name)).collect();
    fs::write(dir.join("batch.json"), format!("[{}]", rows.join(","))).unwrap();
}

#[test]
fn a_licence_from_its_row_to_its_end() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    office(dir);
    batch(dir, &["示例小吃店", "示例面馆"]);
    let issued = zhao(
        dir,
        &["issue", "office", "--from", "batch.json", "-o", "out"],
    )
    .code(0);
    assert!(
        issued
            .stdout
            .starts_with("2 issued, 0 issued before, 0 refused"),
        "{}",
        issued.stdout
    );
    let files = credentials(&dir.join("out"));
    let [first, second] = [0, 1].map(|at: usize| files[at].to_str().unwrap());
    // Valid, and vouched for by nobody independent, which is said.
    zhao(dir, &["dossier", "office", first, "-o", "d.json"]).code(0);
    let verify = ["verify", "d.json", "--policy", "office/policy.txt"];
    let json = [&verify[..], &["--json"]].concat();
    let verdict = zhao(dir, &json).code(0).stdout;
    assert!(
        verdict.starts_with(r#"{"assurance":["witnesses_local","auditors_local"]"#),
        "{verdict}"
    );
    assert!(
        verdict.ends_with("\"reasons\":[],\"verdict\":\"valid\"}\n"),
        "{verdict}"
    );
    // Old enough, and nobody can tell any more.
    let late = [&json[..], &["--at", "2099-01-01"]].concat();
    assert!(
        zhao(dir, &late)
            .code(3)
            .stdout
            .contains(r#""reasons":["too_old"]"#)
    );
    // Withheld: receipt, refusal of the same again, dossier, then given back.
    let status = |verb: &'static str| ["status", "office", first, verb, "--reason", "消防检查"];
    let withhold = [
        &status("withhold")[..],
        &["--code", "fire-safety", "--receipt", "r.json"],
    ];
    zhao(dir, &withhold.concat()).code(0);
    zhao(dir, &["verify", "r.json", "--policy", "office/policy.txt"]).code(0);
    let again = zhao(dir, &status("withhold")).code(1);
    assert!(
        again.error().ends_with("[already_suspended]"),
        "{}",
        again.stderr
    );
    zhao(dir, &["dossier", "office", first, "-o", "d.json"]).code(0);
    assert!(
        zhao(dir, &json)
            .code(1)
            .stdout
            .contains(r#""reasons":["withheld"]"#)
    );
    zhao(dir, &status("lift-withholding")).code(0);
    // Amended: the old version is superseded, the new one valid.
    fs::write(dir.join("change.json"), r#"{"premises":"示例路2号"}"#).unwrap();
    zhao(
        dir,
        &[
            "amend",
            "office",
            first,
            "--from",
            "change.json",
            "-o",
            "new",
        ],
    )
    .code(0);
    zhao(dir, &["dossier", "office", first, "-o", "d.json"]).code(0);
    assert!(
        zhao(dir, &json)
            .code(1)
            .stdout
            .contains(r#""reasons":["superseded"]"#)
    );
    let newer = credentials(&dir.join("new"));
    let newer = newer[0].to_str().unwrap();
    let dossier = [
        "dossier",
        "office",
        newer,
        "-o",
        "d.json",
        "--without-authorities",
    ];
    zhao(dir, &dossier).code(0);
    zhao(dir, &json).code(0);
    // Without authorities and without an issuer pack there is no telling.
    fs::rename(dir.join("office/issuer-pack.json"), dir.join("pack.json")).unwrap();
    let alone = zhao(dir, &json).code(3).stdout;
    assert!(
        alone.contains(r#""reasons":["issuer_pack_missing"]"#),
        "{alone}"
    );
    zhao(dir, &[&json[..], &["--pack", "pack.json"]].concat()).code(0);
    // Revoked: for good.
    let second_status = ["status", "office", second, "revoke", "--reason", "处罚"];
    zhao(dir, &second_status).code(0);
    assert!(
        zhao(dir, &second_status)
            .code(1)
            .error()
            .ends_with("[terminal]")
    );
    // History and public answer prove themselves.
    zhao(dir, &["history", "office", first, "-o", "h.json"]).code(0);
    zhao(dir, &["verify", "h.json", "--policy", "office/policy.txt"]).code(0);
    let query = [
        "query",
        "office",
        "--uscc",
        "91320400DEM000110X",
        "-o",
        "q.json",
    ];
    assert!(
        zhao(dir, &query)
            .code(0)
            .stderr
            .starts_with("3 open licences")
    );
    zhao(dir, &["verify", "q.json", "--policy", "office/policy.txt"]).code(0);
    let nobody = [
        "query",
        "office",
        "--uscc",
        "11320400DEM000014W",
        "-o",
        "none.json",
    ];
    assert!(
        zhao(dir, &nobody)
            .code(0)
            .stderr
            .starts_with("0 open licences")
    );
    zhao(
        dir,
        &["verify", "none.json", "--policy", "office/policy.txt"],
    )
    .code(0);
    // The log passes every test, and people can look at every file.
    zhao(dir, &["fsck", "office"]).code(0);
    let seen = [
        "--seen",
        "r.json",
        "d.json",
        "h.json",
        "q.json",
        "pack.json",
    ];
    let audit = [
        &["audit", "office", "--policy", "office/policy.txt"][..],
        &seen,
    ]
    .concat();
    let agrees = zhao(dir, &audit).code(0).stdout;
    assert!(agrees.starts_with("The log agrees"), "{agrees}");
    assert!(!dir.join("evidence.json").exists());
    zhao(dir, &["cosign", "office", "-o", "checkpoint"]).code(0);
    for file in [
        "r.json",
        "d.json",
        "h.json",
        "q.json",
        "pack.json",
        "checkpoint",
        first,
    ] {
        zhao(dir, &["show", file]).code(0);
    }
    for file in ["office/policy.txt", "office/trust.txt", "out/report.csv"] {
        zhao(dir, &["--lang", "zh", "show", file]).code(0);
    }
}

#[test]
fn a_second_process_is_turned_away_and_nothing_happens() {
    use rustix::fs::{FlockOperation, flock};
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    let home = office(dir);
    let lock = fs::File::options()
        .write(true)
        .open(home.join("zhao.lock"))
        .unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    batch(dir, &["示例小吃店"]);
    for arguments in [
        &["issue", "office", "--from", "batch.json", "-o", "out"][..],
        &["fsck", "office"],
        &["cosign", "office"],
        &["audit", "office", "--policy", "office/policy.txt"],
        &["unit", "office", "list"],
    ] {
        let ran = zhao(dir, arguments).code(2);
        assert!(
            ran.error()
                .starts_with("another zhao process is using office"),
            "{}",
            ran.stderr
        );
    }
    assert!(!dir.join("out").exists(), "nothing may be half done");
    drop(lock);
    zhao(dir, &["fsck", "office"]).code(0);
}

#[test]
fn rows_with_mistakes_leave_the_others_unharmed() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    office(dir);
    // GBK, as Chinese spreadsheets write it, with one bad row among good ones.
    let csv = "type,holderCode,holderCodeType,holderName,representative,premises,businessForm,\
               operationItems,supervisor\n\
               food-operation,91320400DEM000110X,001,示例小吃店,示例甲,示例路1号,catering,热食类,示例所\n\
               food-operation,91320400DEM000110Y,001,示例面馆,示例乙,示例路2号,catering,热食类,示例所\n\
               food-operation,91320400DEM000110X,001,示例粥铺,示例丙,示例路3号\n\
               food-operation,91320400DEM000110X,001,示例茶馆,示例丁,示例路4号,catering,热食类,示例所\n";
    let (gbk, _, lossy) = encoding_rs::GBK.encode(csv);
    assert!(!lossy);
    fs::write(dir.join("batch.csv"), gbk).unwrap();
    let ran = zhao(
        dir,
        &["issue", "office", "--from", "batch.csv", "-o", "out"],
    )
    .code(1);
    assert!(
        ran.stdout
            .starts_with("2 issued, 0 issued before, 2 refused"),
        "{}",
        ran.stdout
    );
    let report = fs::read_to_string(dir.join("out/report.csv")).unwrap();
    let lines: Vec<&str> = report.lines().collect();
    assert_eq!(lines[0], "row,status,code,message_en,message_zh,id,file");
    assert!(
        lines[1].starts_with("1,issued,,,,urn:uuid:"),
        "{}",
        lines[1]
    );
    assert!(
        lines[2].starts_with("2,refused,number,\"holderCode: "),
        "{}",
        lines[2]
    );
    assert!(
        lines[3].starts_with("3,refused,cells,\"6 cells, expected 9\""),
        "{}",
        lines[3]
    );
    assert!(
        lines[4].starts_with("4,issued,,,,urn:uuid:"),
        "{}",
        lines[4]
    );
    assert_eq!(credentials(&dir.join("out")).len(), 2);
    let shown = zhao(dir, &["show", "out/report.csv"]).code(0).stdout;
    let words: Vec<&str> = shown.split_whitespace().collect();
    let shown = words.join(" ");
    assert!(
        shown.contains("Issued 2") && shown.contains("Refused 2"),
        "{shown}"
    );
}

#[test]
fn hostile_batches_are_refused_and_the_office_goes_on() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    office(dir);
    let row = food("示例小吃店");
    let head = "{\"type\":\"food-operation\",\"holderName\":";
    for (name, bytes, code, said) in [
        (
            "columns.csv",
            "a,".repeat(1_000_000),
            2,
            "header: more than 512 columns",
        ),
        ("deep.json", format!("[{}", "[".repeat(10_000)), 2, ""),
        ("surrogate.json", format!("[{head}\"\\ud800\"}}]"), 2, ""),
        ("float.json", format!("[{head}1.5}}]"), 1, ""),
        (
            "quote.csv",
            "type,holderName\nfood-operation,\"x\n".to_owned(),
            1,
            "",
        ),
        (
            "date.json",
            row.replace("\"type\"", "\"issuedDate\":\"2026-02-30\",\"type\""),
            1,
            "",
        ),
    ] {
        fs::write(dir.join(name), &bytes).unwrap();
        let ran = zhao(dir, &["issue", "office", "--from", name, "-o", "out"]);
        assert_eq!(ran.code, code, "{name}: {} {}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(said), "{name}: {}", ran.stderr);
        assert!(
            !ran.stderr.contains("panicked") && ran.stderr.len() < 1_000,
            "{name}"
        );
    }
    batch(dir, &["示例小吃店"]);
    zhao(
        dir,
        &["issue", "office", "--from", "batch.json", "-o", "out"],
    )
    .code(0);
    zhao(dir, &["fsck", "office"]).code(0);
}

#[test]
fn units_are_made_rotated_suspended_and_declared_compromised() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    office(dir);
    let unit = second_unit();
    let add = [
        "unit",
        "office",
        "add",
        &unit,
        "--name",
        "示例二单位",
        "--types",
        "food-operation",
    ];
    zhao(dir, &add).code(0);
    assert!(zhao(dir, &add).code(1).error().contains("[subject_exists]"));
    zhao(
        dir,
        &[
            "unit",
            "office",
            "grant-types",
            &unit,
            "--types",
            "business-licence",
        ],
    )
    .code(0);
    let again = [
        "unit",
        "office",
        "grant-types",
        &unit,
        "--types",
        "business-licence",
    ];
    assert!(zhao(dir, &again).code(1).error().contains("[types_known]"));
    zhao(dir, &["unit", "office", "rotate-key", &unit]).code(0);
    zhao(dir, &["unit", "office", "suspend", &unit]).code(0);
    fs::write(dir.join("batch.json"), format!("[{}]", food("示例小吃店"))).unwrap();
    let issue = [
        "issue",
        "office",
        "--from",
        "batch.json",
        "-o",
        "out",
        "--unit",
        &unit,
    ];
    zhao(dir, &issue).code(1);
    let report = fs::read_to_string(dir.join("out/report.csv")).unwrap();
    assert!(
        report
            .lines()
            .nth(1)
            .unwrap()
            .starts_with("1,refused,suspended,"),
        "{report}"
    );
    zhao(dir, &["unit", "office", "resume", &unit]).code(0);
    zhao(dir, &issue).code(0);
    zhao(
        dir,
        &["unit", "office", "compromised", &unit, "--from", "0"],
    )
    .code(0);
    let files = credentials(&dir.join("out"));
    let file = files[0].to_str().unwrap();
    zhao(dir, &["dossier", "office", file, "-o", "d.json"]).code(0);
    let verify = [
        "verify",
        "d.json",
        "--policy",
        "office/policy.txt",
        "--json",
    ];
    assert!(
        zhao(dir, &verify)
            .code(1)
            .stdout
            .contains(r#""reasons":["key_compromised"]"#)
    );
    let list = zhao(dir, &["unit", "office", "list", "--json"])
        .code(0)
        .stdout;
    let value: serde_json::Value = serde_json::from_str(&list).unwrap();
    let keys = value
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["uscc"] == *unit)
        .unwrap();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2);
    assert!(keys["keys"][0]["until"].is_u64());
    assert_eq!(keys["keys"][1]["compromisedFrom"], 0);
}

/// The code of a second, fictional unit.
fn second_unit() -> String {
    zhao_spec::id::Uscc::with_checks("11320400", "DEM00020")
        .unwrap()
        .to_string()
}

#[test]
fn an_office_that_was_there_is_left_alone() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    let home = office(dir);
    let before = fs::read(home.join("trust.txt")).unwrap();
    let again = zhao(dir, &["init", "office"]).code(2);
    assert_eq!(again.error(), "office is not empty");
    assert_eq!(fs::read(home.join("trust.txt")).unwrap(), before);
    // Its administrators' directory is enough to refuse, too.
    let other = zhao(dir, &["init", "new", "--admin-dir", "office-admin"]).code(2);
    assert_eq!(other.error(), "office-admin is not empty");
    assert!(!dir.join("new").exists());
}

#[test]
fn a_failed_init_leaves_nothing_behind() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    fs::create_dir(dir.join("kept")).unwrap();
    // The administrators' directory cannot be made below a file.
    fs::write(dir.join("file"), "").unwrap();
    let ran = zhao(dir, &["init", "kept", "--admin-dir", "file/admin"]).code(2);
    assert!(
        ran.error().starts_with("cannot make file/admin"),
        "{}",
        ran.stderr
    );
    assert_eq!(fs::read_dir(dir.join("kept")).unwrap().count(), 0);
    // What a killed one leaves is named for what it is.
    fs::write(dir.join("kept/zhao.lock"), "").unwrap();
    let ran = zhao(dir, &["init", "kept"]).code(2);
    assert_eq!(ran.error(), "kept holds what an interrupted zhao init left");
}

#[test]
fn passphrases_come_from_file_or_environment_and_are_checked() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    fs::write(dir.join("secret"), "one\n").unwrap();
    fs::write(dir.join("admin"), "two\n").unwrap();
    fs::write(dir.join("empty"), "\n").unwrap();
    let files = [
        "--passphrase-file",
        "secret",
        "--admin-passphrase-file",
        "admin",
    ];
    let init = [&["init", "office"][..], &files].concat();
    finish(command(dir, &init).env_remove("ZHAO_PASSPHRASE")).code(0);
    let list = ["unit", "office", "list"];
    let run = |arguments: &[&str], set: &[(&str, &str)]| {
        let mut command = command(dir, arguments);
        command
            .env_remove("ZHAO_PASSPHRASE")
            .envs(set.iter().copied());
        finish(&mut command)
    };
    run(&list, &[("ZHAO_PASSPHRASE", "one")]).code(0);
    let wrong = run(&list, &[("ZHAO_PASSPHRASE", "two")]).code(2);
    assert!(
        wrong.error().contains("wrong passphrase"),
        "{}",
        wrong.stderr
    );
    let none = run(&list, &[]).code(2);
    assert!(
        none.error().starts_with("no passphrase: "),
        "{}",
        none.stderr
    );
    let empty = run(
        &["unit", "office", "list", "--passphrase-file", "empty"],
        &[],
    )
    .code(2);
    assert_eq!(empty.error(), "empty: the passphrase is empty");
    // The administrators' keys open with their own passphrase only.
    let unit = second_unit();
    let add = ["unit", "office", "add", &unit, "--name", "示例二单位"];
    let refused = run(&add, &[("ZHAO_PASSPHRASE", "one")]).code(2);
    assert!(
        refused.error().contains("wrong passphrase"),
        "{}",
        refused.stderr
    );
    run(
        &add,
        &[("ZHAO_PASSPHRASE", "one"), ("ZHAO_ADMIN_PASSPHRASE", "two")],
    )
    .code(0);
}

#[test]
fn a_closed_type_takes_only_the_verbs_of_its_entry() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    office(dir);
    let sample = [
        "sample",
        "--count",
        "1",
        "--type",
        "real-estate-title",
        "-o",
        "b.csv",
    ];
    zhao(dir, &sample).code(0);
    zhao(dir, &["issue", "office", "--from", "b.csv", "-o", "out"]).code(0);
    let title = credentials(&dir.join("out")).remove(0);
    let status = ["status", "office", title.to_str().unwrap()];
    let with = |rest: &[&'static str]| zhao(dir, &[&status[..], rest].concat());
    for rest in [
        &["withhold", "--reason", "x"][..],
        &["inspect", "--reason", "x", "--result", "passed"],
    ] {
        let refused = with(rest).code(1);
        let error = refused.error();
        assert!(error.ends_with("[verb_not_applicable]"), "{error}");
    }
    for rest in [
        &["hold", "--reason", ""][..],
        &["hold", "--reason", "x", "--basis", " "],
    ] {
        let refused = with(rest).code(2);
        let error = refused.error();
        assert!(error.contains("the text is empty"), "{error}");
    }
    with(&["mortgage", "--reason", "x"]).code(0);
    let unit = second_unit();
    let nameless = ["init", "nameless", "--unit-name", "", "--unit-uscc", &unit];
    let refused = zhao(dir, &nameless).code(2);
    assert_eq!(refused.error(), "the unit's name: the text is empty");
    assert!(!dir.join("nameless").exists() && !dir.join("nameless-admin").exists());
}
