//! Printed dossiers: what was drawn, scanned and typed in again is worth what the file is worth.

use serde_json::Value;
use zhao_spec::file::Dossier;
use zhao_spec::qr;

use crate::office::{Office, POLICY, Row};
use crate::program::{Ran, is_refusal, read};

/// `zhao dossier` of `credential` with more arguments.
fn dossier(office: &Office, credential: &str, more: &[&str]) -> Ran {
    office.zhao(&[&["dossier", "office", credential], more].concat())
}

/// Exit code and JSON verdict of `zhao verify` for some files.
/// Exit code and verdict, without the ages: they are of the moment of judging.
fn verdict(office: &Office, files: &[&str], more: &[&str]) -> (i32, Value) {
    let line = [&["verify", "--policy", POLICY, "--json"], files, more].concat();
    let ran = office.zhao(&line);
    let parsed = serde_json::from_str(&ran.stdout);
    let mut verdict: Value = parsed.unwrap_or_else(|_| panic!("{ran:?}"));
    let fragments = verdict["fragments"].as_array_mut().into_iter().flatten();
    for fragment in fragments {
        fragment["facts"].as_object_mut().unwrap().remove("age");
    }
    verdict["facts"].as_object_mut().unwrap().remove("age");
    (ran.code, verdict)
}

fn expanded(office: &Office, form: &str) -> Vec<u8> {
    qr::expand(&read(&office.path(form))).unwrap()
}

#[test]
fn the_qr_form_of_a_dossier_is_worth_what_its_json_is_worth() {
    let office = Office::new();
    let credential = office.issue_one(&Row::food());
    let small = ["--without-authorities", "-o", "d.json"];
    dossier(&office, &credential, &small).code(0);
    dossier(&office, &credential, &["--format", "cbor", "-o", "d.cbor"]).code(0);
    let mut json = expanded(&office, "d.cbor");
    json.push(b'\n');
    assert_eq!(
        json,
        read(&office.path("d.json")),
        "the same bytes come back"
    );
    let form = read(&office.path("d.cbor"));
    assert!(
        form.len() < json.len() / 3,
        "{} of {}",
        form.len(),
        json.len()
    );

    let texts = qr::codes(&form).unwrap();
    office.write("code.txt", format!("{}\n", texts[0]));
    let same = |at: &[&str]| {
        let expected = verdict(&office, &["d.json"], at);
        assert_eq!(verdict(&office, &["d.cbor"], at), expected);
        assert_eq!(verdict(&office, &["code.txt"], at), expected);
        expected
    };
    assert_eq!(same(&[]).0, 0);
    assert_eq!(same(&["--at", "2099-01-01T00:00:00.000Z"]).0, 3);
    // A person is shown the licence, whichever form it came in.
    let told = |file: &str| office.zhao(&["verify", file, "--policy", POLICY]).stdout;
    for file in ["d.json", "d.cbor", "code.txt"] {
        assert!(told(file).contains("福州示例宏源物流有限公司"), "{file}");
        let shown = office.zhao(&["show", file]).code(0).stdout;
        assert!(shown.contains("福州示例宏源物流有限公司"), "{file}");
    }
    // Whoever has no pack learns nothing.
    std::fs::remove_file(office.path("office/issuer-pack.json")).unwrap();
    let (code, alone) = same(&[]);
    assert_eq!(
        (code, &alone["reasons"][0]),
        (3, &"issuer_pack_missing".into())
    );
}

#[test]
fn a_revoked_licence_is_revoked_in_every_form() {
    let office = Office::new();
    let credential = office.issue_one(&Row::food());
    dossier(
        &office,
        &credential,
        &["--format", "cbor", "-o", "old.cbor"],
    )
    .code(0);
    let line = [
        "status",
        "office",
        &credential,
        "revoke",
        "--reason",
        "处罚",
    ];
    office.zhao(&line).code(0);
    dossier(
        &office,
        &credential,
        &["--format", "cbor", "-o", "new.cbor"],
    )
    .code(0);
    let (code, new) = verdict(&office, &["new.cbor"], &[]);
    assert_eq!((code, &new["reasons"][0]), (1, &"revoked".into()));
    // What was printed before says how it stood then, and as of when.
    let (code, old) = verdict(&office, &["old.cbor"], &[]);
    assert_eq!(code, 0);
    assert!(old["facts"]["asOf"].as_str() < new["facts"]["asOf"].as_str());
}

#[test]
fn only_the_lines_asked_for_are_printed() {
    let office = Office::new();
    let credential = office.issue_one(&Row::food());
    dossier(
        &office,
        &credential,
        &["--format", "cbor", "-o", "all.cbor"],
    )
    .code(0);
    let names = |file: &str| {
        let dossier = Dossier::parse(&expanded(&office, file)).unwrap();
        let lines = dossier.head.proof.note().signatures().to_vec();
        lines.into_iter().map(|line| line.name).collect::<Vec<_>>()
    };
    let all = names("all.cbor");
    let kept = all.last().unwrap().as_str();
    let one = ["--format", "cbor", "--cosignature", kept, "-o", "one.cbor"];
    dossier(&office, &credential, &one).code(0);
    assert_eq!(names("one.cbor"), [all[0].as_str(), kept]);
    let smaller = read(&office.path("one.cbor")).len();
    assert!(smaller < read(&office.path("all.cbor")).len());
    let unknown = [
        "--format",
        "cbor",
        "--cosignature",
        "nobody",
        "-o",
        "x.cbor",
    ];
    let ran = dossier(&office, &credential, &unknown);
    is_refusal("an unknown cosigner", &ran, 1, &["nobody", kept]);
    assert!(!office.path("x.cbor").exists());
}

#[test]
fn drawings_are_written_and_numbered() {
    let office = Office::new();
    let credential = office.issue_one(&Row::food());
    for (format, file, begins) in [
        ("qr-svg", "d.svg", b"<svg xmlns".as_slice()),
        ("qr-png", "d.png", b"\x89PNG\r\n\x1a\n"),
    ] {
        dossier(&office, &credential, &["--format", format, "-o", file]).code(0);
        assert!(read(&office.path(file)).starts_with(begins), "{file}");
    }
    let ran = dossier(&office, &credential, &["--format", "qr-svg", "-o", "-"]).code(0);
    assert!(ran.stdout.ends_with("</svg>\n"));
    let ran = dossier(&office, &credential, &["--format", "gif", "-o", "d.gif"]);
    is_refusal(
        "an unknown format",
        &ran,
        2,
        &["json, cbor, qr-svg, qr-png"],
    );
}

#[test]
fn several_codes_are_read_in_any_order_and_only_together() {
    let office = Office::new();
    // Characters that nothing shortens: more than one code holds.
    let scope: String = (0..1_000)
        .map(|n: u32| char::from_u32(0x4e00 + n * 7_919 % 20_000).unwrap())
        .collect();
    let credential = office.issue_one(
        &Row::business("2030-01-01")
            .with("businessScope", &scope)
            .with("address", &scope[..600]),
    );
    let ran = dossier(&office, &credential, &["--format", "qr-png", "-o", "d.png"]).code(0);
    assert!(ran.stderr.contains("d.png"), "{}", ran.stderr);
    dossier(&office, &credential, &["--format", "cbor", "-o", "d.cbor"]).code(0);
    let texts = qr::codes(&read(&office.path("d.cbor"))).unwrap();
    let count = texts.len();
    assert!(count > 1 && !office.path("d.png").exists());
    for number in 1..=count {
        assert!(office.path(&format!("d-{number}-of-{count}.png")).is_file());
        office.write(&format!("{number}.txt"), &texts[number - 1]);
    }
    let ran = dossier(&office, &credential, &["--format", "qr-svg", "-o", "-"]);
    is_refusal(
        "several codes on one stream",
        &ran,
        2,
        &[&count.to_string()],
    );

    let files: Vec<String> = (1..=count).rev().map(|n| format!("{n}.txt")).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let expected = verdict(&office, &["d.cbor"], &[]);
    assert_eq!(expected.0, 0);
    assert_eq!(verdict(&office, &files, &[]), expected);
    let backwards: Vec<&str> = texts.iter().rev().map(String::as_str).collect();
    office.write("all.txt", backwards.join("\n"));
    assert_eq!(verdict(&office, &["all.txt"], &[]), expected);
    assert_eq!(verdict(&office, &["all.txt", "1.txt"], &[]), expected);

    let refused = |files: &[&str], code: i32, said: &str| {
        let line = [&["verify", "--policy", POLICY], files].concat();
        is_refusal(said, &office.zhao(&line), code, &[said]);
    };
    refused(&["1.txt"], 1, "part 2 of");
    refused(&["2.txt", "2.txt"], 1, "part 1 of");
    refused(&["all.txt", "d.cbor"], 2, "d.cbor");
    let other = texts[0].replacen("/1/", &format!("/{count}/"), 1);
    office.write("other.txt", other);
    refused(&["all.txt", "other.txt"], 1, "two parts have the number");
    let (header, bytes) = texts[0].split_once(':').unwrap();
    office.write("changed.txt", format!("{header}:000{}", &bytes[3..]));
    let changed = [&["changed.txt"], &files[..count - 1]].concat();
    refused(&changed, 1, "content");
    office.write("small.txt", texts[0].to_lowercase());
    refused(
        &[&["small.txt"], &files[..count - 1]].concat(),
        2,
        "small.txt",
    );
}

#[test]
fn a_form_that_is_none_is_malformed() {
    let office = Office::new();
    let credential = office.issue_one(&Row::food());
    dossier(&office, &credential, &["--format", "cbor", "-o", "d.cbor"]).code(0);
    let form = read(&office.path("d.cbor"));
    office.write("cut.cbor", &form[..form.len() - 1]);
    office.write("long.cbor", [form.as_slice(), b"\n"].concat());
    for file in ["cut.cbor", "long.cbor"] {
        let (code, verdict) = verdict(&office, &[file], &[]);
        assert_eq!(
            (code, &verdict["reasons"][0]),
            (1, &"malformed".into()),
            "{file}"
        );
    }
}
