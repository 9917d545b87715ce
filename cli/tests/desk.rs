//! The desk's work on the records: finding, listing, who did what, a new key, the same file again.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

mod support;

use support::{Ran, command, credentials, finish, food, office, zhao};

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap()
}

/// As [`zhao`], with nothing that opens the keys.
fn without_passphrase(dir: &Path, arguments: &[&str]) -> Ran {
    finish(command(dir, arguments).env_remove("ZHAO_PASSPHRASE"))
}

fn issue(dir: &Path, file: &str, out: &str) -> Ran {
    zhao(dir, &["issue", "office", "--from", file, "-o", out])
}

/// The credentials of fictional people and companies, issued.
fn town(dir: &Path) -> Vec<Value> {
    office(dir);
    let sample = |kind: &str, file: &str| {
        let sample = ["sample", "--count", "3", "--type", kind, "-o", file];
        zhao(dir, &sample).code(0);
        issue(dir, file, "out").code(0);
    };
    sample("food-operation", "food.csv");
    sample("birth-certificate", "births.csv");
    let files = credentials(&dir.join("out"));
    assert_eq!(files.len(), 6);
    let read =
        |file: &std::path::PathBuf| serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    files.iter().map(read).collect()
}

fn text<'a>(credential: &'a Value, name: &str) -> &'a str {
    credential["credentialSubject"][name].as_str().unwrap()
}

#[test]
fn hol_11_find_and_list_mask_every_number_and_find_the_whole_text_only() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    let town = town(dir);
    let whole = zhao(dir, &["list", "office"]).code(0).stdout;
    let machine = zhao(dir, &["list", "office", "--json"]).code(0);
    for credential in &town {
        for name in ["holderCode", "licenceNumber", "licenceIdentifier"] {
            for shown in [&whole, &machine.stdout] {
                assert!(!shown.contains(text(credential, name)), "{name}: {shown}");
            }
        }
        // A person's name too; an organisation's is public.
        let person = text(credential, "holderCodeType") != "001";
        let named = whole.contains(text(credential, "holderName"));
        assert_eq!(named, !person, "{whole}");
    }
    let machine = json(&machine);
    let licences = machine["licences"].as_array().unwrap();
    assert_eq!((licences.len(), &machine["next"]), (6, &Value::Null));
    for licence in licences {
        assert_eq!(licence["state"], "issued");
        assert_eq!(licence["standing"]["state"], "active");
    }
    for credential in &town {
        let of = |licence: &Value| {
            let row = licence["row"].to_string();
            let whole = ["licence", "office", "--row", &row, "--json"];
            json(&zhao(dir, &whole).code(0))
        };
        for (flag, name) in [
            ("--uscc", "holderCode"),
            ("--number", "licenceNumber"),
            ("--identifier", "licenceIdentifier"),
        ] {
            let term = text(credential, name);
            let found = zhao(dir, &["find", "office", flag, term, "--json"]).code(0);
            let found = json(&found);
            let found = found["licences"].as_array().unwrap();
            let one = found
                .iter()
                .map(of)
                .find(|licence| licence["credential"] == *credential);
            let one = one.unwrap_or_else(|| panic!("{flag} {term}: {found:?}"));
            if flag == "--identifier" {
                let reference = one["reference"].as_str().unwrap();
                let by = ["find", "office", "--reference", reference, "--json"];
                let again = json(&zhao(dir, &by).code(0));
                assert_eq!(again["licences"][0]["row"], one["row"]);
            }
            // A part of it finds nothing.
            let part: String = term.chars().skip(1).collect();
            let none = zhao(dir, &["find", "office", flag, &part]).code(0);
            assert_eq!(
                (none.stdout.as_str(), none.stderr.as_str()),
                ("", "No licence is as asked.\n"),
                "{flag} {part}"
            );
        }
    }
    let name = text(&town[0], "holderName");
    let named = json(&zhao(dir, &["find", "office", "--name", name, "--json"]).code(0));
    assert!(!named["licences"].as_array().unwrap().is_empty(), "{name}");
}

#[test]
fn a_list_is_paged_by_the_last_row_and_narrowed_by_state() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    town(dir);
    let (mut after, mut rows) = ("0".to_owned(), Vec::new());
    loop {
        let page = [
            "list", "office", "--limit", "4", "--after", &after, "--json",
        ];
        let page = json(&zhao(dir, &page).code(0));
        rows.extend(
            page["licences"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row["row"].as_i64()),
        );
        match page["next"].as_i64() {
            Some(next) => after = next.to_string(),
            None => break,
        }
    }
    assert_eq!(rows.len(), 6);
    assert!(rows.is_sorted(), "{rows:?}");
    assert_eq!(rows.iter().collect::<BTreeSet<_>>().len(), 6);
    let first = zhao(dir, &["list", "office", "--limit", "4"]).code(0);
    assert!(first.stderr.contains("--after"), "{}", first.stderr);
    for (state, count) in [("issued", 6), ("issuing", 0), ("refused", 0)] {
        let list = json(&zhao(dir, &["list", "office", "--state", state, "--json"]).code(0));
        assert_eq!(list["licences"].as_array().unwrap().len(), count, "{state}");
    }
    for (arguments, expected) in [
        (&["list", "office", "--state", "lost"][..], "--state"),
        (&["list", "office", "--limit", "0"], "--limit"),
        (&["find", "office"], "missing"),
        (&["find", "office", "--uscc", "1", "--name", "2"], "--uscc"),
        (&["find", "office", "--uscc", "1", "--unit", "2"], "--unit"),
        (&["licence", "office"], "missing"),
    ] {
        let ran = zhao(dir, arguments).code(2);
        assert!(
            ran.error().contains(expected),
            "{arguments:?}: {}",
            ran.stderr
        );
    }
}

#[test]
fn one_licence_comes_out_of_the_records_as_it_was_issued() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    let town = town(dir);
    let number = text(&town[0], "licenceNumber");
    let take = ["licence", "office", number, "-o", "again.json"];
    let shown = zhao(dir, &take).code(0).stdout;
    assert!(shown.contains(text(&town[0], "holderName")), "{shown}");
    assert!(shown.contains("active"), "{shown}");
    let file = &credentials(&dir.join("out"))[0];
    let again = fs::read(dir.join("again.json")).unwrap();
    assert_eq!(
        again.strip_suffix(b"\n").unwrap(),
        fs::read(file).unwrap().trim_ascii_end()
    );
    let out = zhao(dir, &["licence", "office", number, "-o", "-"]).code(0);
    assert_eq!(out.stdout.as_bytes(), again);
    let chinese = zhao(dir, &["licence", "office", number, "--lang", "zh"]).code(0);
    assert!(chinese.stdout.contains("业务记录行"), "{}", chinese.stdout);
    for unknown in [
        &["licence", "office", "JY0"][..],
        &["licence", "office", "--row", "9999"],
    ] {
        let ran = zhao(dir, unknown).code(1);
        assert!(
            ran.error().starts_with("the records have no licence"),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn sta_05_what_why_on_what_basis_when_and_by_whom() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    office(dir);
    fs::write(dir.join("batch.json"), food("示例小吃店")).unwrap();
    let mut run = command(
        dir,
        &["issue", "office", "--from", "batch.json", "-o", "out"],
    );
    finish(run.env("ZHAO_OPERATOR", "科员甲")).code(0);
    let file = credentials(&dir.join("out"))[0]
        .to_str()
        .unwrap()
        .to_owned();
    let status = |verb: &'static str, more: &[&'static str]| {
        let first = [
            "status",
            "office",
            &file,
            verb,
            "--reason",
            "消防设施不合格",
        ];
        zhao(dir, &[&first[..], more].concat()).code(0)
    };
    let basis = "消行罚决字〔2026〕第1号";
    status("withhold", &["--basis", basis, "--operator", "科员乙"]);
    status("lift-withholding", &[]);
    fs::write(dir.join("change.json"), r#"{"premises":"示例路2号"}"#).unwrap();
    let amend = [
        "amend",
        "office",
        &file,
        "--from",
        "change.json",
        "-o",
        "new",
    ];
    zhao(dir, &[&amend[..], &["--operator", "科员丙"]].concat()).code(0);
    let credential: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let identifier = text(&credential, "licenceIdentifier");
    let acts = ["acts", "office", identifier, "-o", "receipts", "--json"];
    let acts = json(&zhao(dir, &acts).code(0));
    let acts = acts.as_array().unwrap();
    let said: Vec<_> = acts
        .iter()
        .map(|act| (act["verb"].as_str().unwrap(), act["operator"].as_str()))
        .collect();
    let expected = [
        ("issued", Some("科员甲")),
        ("withhold", Some("科员乙")),
        ("lift-withholding", None),
        ("superseded", Some("科员丙")),
    ];
    assert_eq!(said, expected);
    let withheld = &acts[1];
    assert_eq!(withheld["reason"], "消防设施不合格");
    assert_eq!(withheld["basis"], basis);
    assert_eq!(withheld["state"], "receipted");
    assert_eq!(withheld["unit"], credential["issuer"]["unit"]);
    for moment in ["effective", "declared"] {
        assert!(
            withheld[moment].as_str().unwrap().ends_with('Z'),
            "{withheld}"
        );
    }
    // Each has its place in the log, and a receipt that proves it to whoever has the policy.
    for act in acts {
        let index = act["index"].as_u64().unwrap();
        assert_eq!(act["receipt"]["index"].as_u64(), Some(index));
        let receipt = format!("receipts/receipt-{index}.json");
        zhao(dir, &["verify", &receipt, "--policy", "office/policy.txt"]).code(0);
    }
    // A receipt for another moment is none.
    let index = withheld["index"].as_u64().unwrap();
    let path = dir.join(format!("receipts/receipt-{index}.json"));
    let receipt = fs::read_to_string(&path).unwrap();
    let year = withheld["effective"].as_str().unwrap();
    let other = receipt.replacen(year, &year.replacen("20", "19", 1), 1);
    assert_ne!(other, receipt);
    fs::write(dir.join("other.json"), other).unwrap();
    zhao(
        dir,
        &["verify", "other.json", "--policy", "office/policy.txt"],
    )
    .code(1);
    let shown = zhao(dir, &["acts", "office", identifier]).code(0).stdout;
    for word in [
        "withheld (withhold)",
        basis,
        "科员乙",
        "not named",
        "superseded",
    ] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    // Who acts is the office's own affair: neither records file nor log has a name in clear.
    for place in ["office/records.db", "office/records.db-wal"] {
        let bytes = fs::read(dir.join(place)).unwrap_or_default();
        let name = "科员".as_bytes();
        assert!(
            !bytes.windows(name.len()).any(|part| part == name),
            "{place}"
        );
    }
}

#[test]
fn a_name_that_is_no_name_is_refused_before_anything_is_done() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    let long = "甲".repeat(101);
    for name in ["", " ", "科员\n甲", "科员\u{202e}甲", long.as_str()] {
        let ran = zhao(dir, &["list", "office", "--operator", name]).code(2);
        assert!(
            ran.error().starts_with("the name of who acts"),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn the_records_get_a_new_key_a_part_at_a_time() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    let town = town(dir);
    let number = text(&town[0], "licenceNumber");
    let show = ["licence", "office", number, "--json"];
    let before = json(&zhao(dir, &show).code(0));
    let rotate = ["keys", "office", "rotate", "--records"];
    let part = [&rotate[..], &["--cells", "4"]].concat();
    let first = zhao(dir, &part).code(3);
    assert!(
        first.stderr.contains("new key: version 2"),
        "{}",
        first.stderr
    );
    assert!(
        first.stderr.contains("left under the old key"),
        "{}",
        first.stderr
    );
    // As after a kill: everything is readable, and the next run draws no other key.
    assert_eq!(json(&zhao(dir, &show).code(0)), before);
    fs::write(dir.join("more.json"), food("示例面馆")).unwrap();
    issue(dir, "more.json", "more").code(0);
    let second = zhao(dir, &part).code(3);
    assert!(second.stderr.starts_with("Going on"), "{}", second.stderr);
    let old =
        ["records-1.age", "records-1.pub.json"].map(|name| dir.join("office/keys").join(name));
    fs::rename(&old[0], dir.join("kept")).unwrap();
    fs::rename(&old[1], dir.join("kept.pub")).unwrap();
    let ran = zhao(dir, &show).code(2);
    assert!(
        ran.error().contains("records"),
        "the old key is needed: {}",
        ran.stderr
    );
    fs::rename(dir.join("kept"), &old[0]).unwrap();
    fs::rename(dir.join("kept.pub"), &old[1]).unwrap();
    let last = zhao(dir, &rotate).code(0);
    assert!(
        last.stderr.contains("records-1.age is no longer needed"),
        "{}",
        last.stderr
    );
    assert!(!dir.join("office/keys/records-3.age").exists());
    // Without the old key the office is whole.
    for path in &old {
        fs::remove_file(path).unwrap();
    }
    assert_eq!(json(&zhao(dir, &show).code(0)), before);
    zhao(dir, &["fsck", "office"]).code(0);
    zhao(dir, &["keys", "office", "check"]).code(0);
    for (arguments, expected) in [
        (&["keys", "office", "rotate"][..], "missing"),
        (
            &[
                "keys",
                "office",
                "rotate",
                "11320400DEM0001293",
                "--records",
            ],
            "--records",
        ),
        (
            &[
                "keys",
                "office",
                "rotate",
                "11320400DEM0001293",
                "--cells",
                "1",
            ],
            "--cells",
        ),
    ] {
        let ran = zhao(dir, arguments).code(2);
        assert!(
            ran.error().contains(expected),
            "{arguments:?}: {}",
            ran.stderr
        );
    }
    let alone = zhao(dir, &["keys", "office-admin", "rotate", "--records"]).code(2);
    assert!(alone.error().contains("office-admin"), "{}", alone.stderr);
}

#[test]
fn the_log_alone_needs_no_passphrase() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    office(dir);
    fs::write(dir.join("batch.json"), food("示例小吃店")).unwrap();
    issue(dir, "batch.json", "out").code(0);
    let alone = ["fsck", "office", "--ledger-only", "--json"];
    let report = json(&without_passphrase(dir, &alone).code(0));
    assert_eq!(
        (&report["clean"], &report["office"]),
        (&Value::Bool(true), &Value::Null)
    );
    without_passphrase(dir, &["fsck", "office", "--ledger-only"]).code(0);
    without_passphrase(dir, &["fsck", "office"]).code(2);
    let query = [
        "query",
        "office",
        "--uscc",
        "91320400DEM000110X",
        "-o",
        "q.json",
    ];
    without_passphrase(dir, &query).code(2);
    without_passphrase(dir, &[&query[..], &["--without-credentials"]].concat()).code(0);
    let answer: Value = serde_json::from_slice(&fs::read(dir.join("q.json")).unwrap()).unwrap();
    assert_eq!(answer["items"].as_array().unwrap().len(), 1);
    zhao(dir, &["verify", "q.json", "--policy", "office/policy.txt"]).code(0);
}

#[test]
fn a_file_without_case_numbers_is_issued_once_unless_told_otherwise() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    office(dir);
    let rows = ["示例小吃店", "示例面馆"].map(food).join(",");
    fs::write(dir.join("batch.json"), format!("[{rows}]")).unwrap();
    fs::write(dir.join("other.json"), format!("[{rows}]\n")).unwrap();
    let said = |ran: &Ran, issued: u64, before: u64| {
        let start = format!("{issued} issued, {before} issued before, 0 refused, 0 pending");
        assert!(ran.stdout.starts_with(&start), "{start}: {}", ran.stdout);
    };
    said(&issue(dir, "batch.json", "one").code(0), 2, 0);
    let second = issue(dir, "batch.json", "two").code(0);
    said(&second, 0, 2);
    assert!(
        second.stderr.contains("issued from before: 2"),
        "{}",
        second.stderr
    );
    let names = |out: &str| -> Vec<_> {
        let files = credentials(&dir.join(out)).into_iter();
        files
            .map(|path| path.file_name().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names("one"), names("two"), "the same credentials once more");
    let dry = [
        "issue",
        "office",
        "--from",
        "batch.json",
        "-o",
        "dry",
        "--dry-run",
    ];
    said(&zhao(dir, &dry).code(0), 0, 2);
    let again = [
        "issue",
        "office",
        "--from",
        "batch.json",
        "-o",
        "three",
        "--again",
    ];
    said(&zhao(dir, &again).code(0), 2, 0);
    said(&issue(dir, "other.json", "four").code(0), 2, 0);
    said(&issue(dir, "other.json", "five").code(0), 0, 2);
    let list = json(&zhao(dir, &["list", "office", "--json"]).code(0));
    assert_eq!(list["licences"].as_array().unwrap().len(), 6);
    let both = [&dry[..], &["--again"]].concat();
    zhao(dir, &both).code(2);
}

#[test]
fn iss_13_the_stock_report_counts_what_the_office_has_converted() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    office(dir);
    let kind = "real-estate-title";
    let sample = [
        "sample",
        "--count",
        "5",
        "--type",
        kind,
        "--seed",
        "3",
        "-o",
        "titles.csv",
    ];
    zhao(dir, &sample).code(0);
    // Two were issued on paper, long before the type was collected; a third is not in order.
    let titles = fs::read_to_string(dir.join("titles.csv")).unwrap();
    let changed: Vec<String> = (0..)
        .zip(titles.lines())
        .map(|(line, text)| {
            let mut cells: Vec<&str> = text.split(',').collect();
            match line {
                0 => {}
                1..=3 => cells[5..7].fill("2015-05-06"),
                _ => cells[5..7].fill("2026-03-20"),
            }
            if line == 3 {
                cells[3] = "91320400DEM000110Y";
            }
            cells.join(",")
        })
        .collect();
    fs::write(dir.join("titles.csv"), changed.join("\n")).unwrap();
    issue(dir, "titles.csv", "out").code(1);
    let stock = |more: &[&str]| {
        let named = ["catalogue", "stock", "office", "--target"];
        zhao(dir, &[&named, more].concat())
    };
    let whole = "real-estate-title=4";
    let types = json(&stock(&[whole, "--json"]).code(0));
    assert_eq!(types.as_array().unwrap().len(), 1, "{types}");
    for (name, expected) in [
        ("target", 4),
        ("converted", 2),
        ("perMille", 500),
        ("increment", 2),
        ("underWay", 0),
        ("rejected", 0),
    ] {
        assert_eq!(types[0][name], expected, "{name} of {types}");
    }
    // The same file once more, and the correction of the third, come out as they should.
    let right = changed
        .join("\n")
        .replace("91320400DEM000110Y", "91320400DEM000110X");
    fs::write(dir.join("titles.csv"), right).unwrap();
    issue(dir, "titles.csv", "out").code(0);
    let shown = stock(&[whole]).code(0);
    assert!(shown.stdout.contains("75.0 %"), "{}", shown.stdout);
    // A report of issuing belongs to a batch, a target to a type that there is.
    stock(&[whole, "--report", "out/report.csv"]).code(2);
    stock(&["real-estate=4"]).code(2);
    let closed = ["catalogue", "stock", "office"];
    let refused = without_passphrase(dir, &closed).code(2);
    assert!(refused.stderr.contains("passphrase"), "{}", refused.stderr);
}

#[test]
fn cat_05_the_page_of_a_type_shows_its_pictures_or_there_is_none() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    office(dir);
    let show = |more: &[&str]| {
        let named = ["catalogue", "show", "real-estate-title", "--html"];
        zhao(dir, &[&named, more].concat())
    };
    show(&["title.html", "--dir", "office"]).code(0);
    let page = fs::read_to_string(dir.join("title.html")).unwrap();
    let entry = fs::read(dir.join("office/catalogue/real-estate-title.json")).unwrap();
    let entry: Value = serde_json::from_slice(&entry).unwrap();
    for picture in [
        &entry["template"]["background"],
        &entry["sample"],
        &entry["seal"]["picture"],
    ] {
        let file = picture["file"].as_str().unwrap();
        let bytes = fs::read(dir.join("office/catalogue/pictures").join(file)).unwrap();
        let text = zhao_spec::wire::binary::encode_base64(&bytes);
        let media = picture["mediaType"].as_str().unwrap();
        assert!(
            page.contains(&format!("\"data:{media};base64,{text}\"")),
            "{file}"
        );
        // The page says which file it is, as `zhao catalogue show` does.
        assert!(page.contains(&format!("{file}, {} B, sha256 ", bytes.len())));
    }
    for text in ["names", "titles"] {
        let names = match text {
            "names" => &entry["names"],
            _ => &entry["fields"][0]["titles"],
        };
        for language in ["zh", "en"] {
            assert!(page.contains(names[language].as_str().unwrap()), "{text}");
        }
    }
    // Nothing is fetched, and nothing runs.
    assert!(!page.contains("http:") && !page.contains("https:") && !page.contains("<script"));
    // A picture that is not the entry's is on no page.
    let sample = dir.join("office/catalogue/pictures/sample.png");
    let good = fs::read(&sample).unwrap();
    let mut other = good.clone();
    *other.last_mut().unwrap() ^= 1;
    fs::write(&sample, other).unwrap();
    let refused = show(&["other.html", "--dir", "office"]).code(2);
    assert!(
        refused.stderr.contains("sample.digest"),
        "{}",
        refused.stderr
    );
    fs::remove_file(&sample).unwrap();
    let refused = show(&["other.html", "--dir", "office"]).code(2);
    assert!(refused.stderr.contains("sample.png"), "{}", refused.stderr);
    assert!(!dir.join("other.html").exists());
    // What comes with the program needs no office.
    show(&["own.html"]).code(0);
    assert_eq!(fs::read_to_string(dir.join("own.html")).unwrap(), page);
    // Markup in a name is text.
    let mut text = entry.clone();
    text["seal"]["name"] = "示例<b>\"专用章\"&".into();
    let path = dir.join("office/catalogue/real-estate-title.json");
    fs::write(&path, serde_json::to_vec(&text).unwrap()).unwrap();
    fs::write(&sample, good).unwrap();
    show(&["text.html", "--dir", "office"]).code(0);
    let page = fs::read_to_string(dir.join("text.html")).unwrap();
    assert!(
        page.contains("示例&lt;b&gt;&quot;专用章&quot;&amp;"),
        "{page}"
    );
    assert!(!page.contains("<b>"));
}
