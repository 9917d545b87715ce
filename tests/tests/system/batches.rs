//! Batches as offices really hand them in, and as an enemy would: whatever stands in the file, each
//! good row is issued, each bad one is named with its column, and nothing else happens.

use std::fs;

use crate::office::{Office, Reported, Row, csv};
use crate::program::command;

/// Issues a batch that holds bad rows; its report.
#[track_caller]
fn mixed(office: &Office, name: &str, bytes: &[u8]) -> Vec<Reported> {
    office.write(name, bytes);
    let output = format!("{name}.out");
    let ran = office
        .zhao(&["issue", "office", "--from", name, "-o", &output])
        .code(1);
    // Nothing is said beside the report but that no register of names was at hand.
    assert!(
        ran.stderr.lines().all(|line| line.contains("any register")),
        "{}",
        ran.stderr
    );
    let report = office.report(&output);
    let files = fs::read_dir(office.path(&output)).unwrap().count();
    let issued = report.iter().filter(|row| row.status == "issued").count();
    assert_eq!(files, issued + 1, "one file a licence, and the report");
    for (number, row) in (1..).zip(&report) {
        assert_eq!(row.row, number);
        let refused = row.status == "refused";
        assert_eq!(refused, row.file.is_empty(), "{row:?}");
        assert_eq!(
            refused,
            !row.english.is_empty() && !row.chinese.is_empty(),
            "{row:?}"
        );
        assert!(!refused || row.english != row.chinese, "{row:?}");
    }
    report
}

fn leaves(office: &Office) -> u64 {
    office.size()
}

#[test]
fn every_wrong_cell_is_named_and_the_rows_around_it_are_issued() {
    let office = Office::new();
    let food = Row::food();
    let title = Row::title();
    let today = office.today();
    let tomorrow = today.add_days(1).unwrap().to_string();
    // Row by row: the column, another value, the code, what is said of it.
    let bad: Vec<(Row, &str, &str)> = [
        // One character off, in each number that has a check character.
        (
            &food,
            "holderCode",
            "91350102DEM0000U11",
            "number",
            "computed 0",
        ),
        (
            &food,
            "holderCode",
            "91350102DEM0001U10",
            "number",
            "check character",
        ),
        (
            &food,
            "holderCode",
            "9135010ZDEM0000U10",
            "number",
            "character at 7",
        ),
        (&food, "holderCode", "91350102DEM0000U1", "number", "17"),
        (
            &food,
            "holderCode",
            "91350102DEM0000UI0",
            "number",
            "holderCode",
        ),
        (
            &food,
            "holderCode",
            "９１350102DEM0000U10",
            "number",
            "holderCode",
        ),
        (
            &title,
            "holderCode",
            "610113190002272619",
            "number",
            "check",
        ),
        (&title, "holderCode", "610113190002302618", "number", "date"),
        (&title, "holderCode", "61011319000227261", "number", "17"),
        (
            &food,
            "issuer",
            "11320400DEM000014X",
            "number",
            "computed W",
        ),
        (&food, "holderCodeType", "999", "holder", "not 999"),
        (&food, "holderCodeType", "111", "holder", "001"),
        // Days that the calendar does not have, and days that the type does not allow.
        (&food, "issuedDate", "2026-02-29", "date", "no such date"),
        (&food, "issuedDate", "2026-13-01", "date", "no such date"),
        (&food, "issuedDate", "2026/01/02", "date", "not of the form"),
        (&food, "issuedDate", "0000-00-00", "date", "issuedDate"),
        (&food, "issuedDate", &tomorrow, "future", &tomorrow),
        (&food, "validUntil", "2020-01-01", "term", "validUntil"),
        (&food, "validFrom", "昨天", "date", "昨天"),
        // Text that a reader would not see as it is.
        (&food, "premises", "路\u{7}1号", "text", "U+0007"),
        (&food, "premises", "路\u{0}1号", "text", "U+0000"),
        (&food, "premises", "\u{202e}号1路", "text", "U+202E"),
        (&food, "premises", "路\u{200b}1号", "text", "U+200B"),
        (&food, "premises", &"长".repeat(201), "text", "200"),
        // Values that the catalogue does not know.
        (&food, "businessForm", "market", "choice", "market"),
        (&food, "onlineOperation", "maybe", "choice", "maybe"),
        (
            &food,
            "type",
            "no-such-type",
            "unknown-type",
            "no-such-type",
        ),
        (
            &title,
            "areaSquareCentimetres",
            "1.5",
            "integer",
            "is not an integer",
        ),
        (
            &title,
            "areaSquareCentimetres",
            "-1",
            "integer",
            "is not an integer",
        ),
        (
            &title,
            "areaSquareCentimetres",
            "9007199254740992",
            "integer",
            "is not an integer",
        ),
        (&title, "unitNumber", "61011305468", "form", "unitNumber"),
        (&title, "premises", "x", "unknown-field", "premises"),
    ]
    .into_iter()
    .map(|(row, column, value, code, said)| (row.with(column, value), code, said))
    .map(|(row, code, said)| (row, code, said.to_owned().leak() as &str))
    .collect();
    // Each good row is another case, or it would be the same as the first.
    let good: Vec<Row> = (0..=bad.len())
        .map(|n| food.with("reference", &format!("case {n}")))
        .collect();
    let mut rows: Vec<&Row> = vec![&good[0]];
    for ((row, _, _), good) in bad.iter().zip(&good[1..]) {
        rows.extend([row, good]);
    }
    let before = leaves(&office);
    let report = mixed(&office, "bad.csv", csv(&rows).as_bytes());
    assert_eq!(report.len(), 2 * bad.len() + 1);
    let mut wrong = Vec::new();
    for (at, row) in report.iter().enumerate() {
        if at % 2 == 0 {
            assert_eq!(row.status, "issued", "{row:?}");
            continue;
        }
        let (_, code, said) = &bad[at / 2];
        if row.status != "refused" || row.code != *code || !row.english.contains(said) {
            wrong.push(format!("expected {code} with {said:?}: {row:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let issued = u64::try_from(bad.len()).unwrap() + 1;
    assert_eq!(
        leaves(&office),
        before + issued + 1,
        "the good rows and one epoch"
    );
}

#[test]
fn rows_of_the_wrong_shape_are_refused_alone() {
    let office = Office::new();
    let good = csv(&[&Row::food()]);
    let (header, row) = good.trim_end().split_once('\n').unwrap();
    let short = row.rsplit_once(',').unwrap().0;
    let wide = format!("{row}{}", ",".repeat(1_000_000));
    let long = format!("{row}{}", "长".repeat(40_000));
    // The last one is the same again, with other shapes between them.
    let others: Vec<String> = ["408室", "409室"]
        .map(|room| row.replace("407室", room))
        .into();
    let text = [
        header,
        short,
        row,
        &wide,
        &others[0],
        &long,
        &others[1],
        "",
        row,
        &format!("{row},"),
    ]
    .join("\n");
    let report = mixed(&office, "shape.csv", text.as_bytes());
    let codes: Vec<&str> = report.iter().map(|row| row.code.as_str()).collect();
    assert_eq!(
        codes,
        ["cells", "", "columns", "", "too-long", "", "again", "cells"]
    );
    assert_eq!(report[6].english, "the same as in row 2");
    assert!(
        report[0].english.contains("8 cells, expected 9"),
        "{:?}",
        report[0]
    );
}

#[test]
fn lines_of_json_are_refused_alone() {
    let office = Office::new();
    let good = concat!(
        r#"{"type":"food-operation","holderName":"示例店","holderCode":"91350102DEM0000U10","#,
        r#""holderCodeType":"001","representative":"示例","premises":"路1号","#,
        r#""businessForm":"retail","operationItems":"食品","supervisor":"示例局"}"#,
    );
    let deep = format!("{{\"holderName\":{}", "[".repeat(10_000));
    let huge = format!("{{\"holderName\":\"{}\"}}", "a".repeat(10_000_000));
    let others = ["路2号", "路3号"].map(|place| good.replace("路1号", place));
    let lines = [
        (good, ""),
        (r#"{"type":"food-operation","type":"x"}"#, "duplicate"),
        (&others[0], ""),
        (r#"{"type":"food-operation","holderName":1.5}"#, "1.5"),
        (
            r#"{"type":"food-operation","holderName":"\ud800"}"#,
            "surrogate",
        ),
        (r#"{"type":"food-operation","holderName":"#, "end"),
        (r#"{"type":"food-operation","holderName":{}}"#, "holderName"),
        (&deep, "deep"),
        (&others[1], ""),
        (&huge, "65536"),
        (r#"["type"]"#, "object"),
        (good, "the same as in row 1"),
    ];
    let text = lines.map(|(line, _)| line).join("\n");
    let report = mixed(&office, "lines.json", text.as_bytes());
    assert_eq!(report.len(), lines.len());
    for (row, (_, said)) in report.iter().zip(&lines) {
        assert_eq!(row.status == "issued", said.is_empty(), "{row:?}");
        assert!(row.english.contains(said), "{row:?} does not say {said:?}");
    }
}

#[test]
fn a_hundred_megabytes_in_a_line_are_not_held_in_memory() {
    let office = Office::new();
    let good = csv(&[&Row::food()]);
    let mut text = good.clone().into_bytes();
    text.extend(std::iter::repeat_n(b'a', 100_000_000));
    text.push(b'\n');
    let other = csv(&[&Row::food().with("operationItems", "散装食品销售")]);
    text.extend(other.lines().nth(1).unwrap().as_bytes());
    office.write("big.csv", text);
    let run = ["issue", "office", "--from", "big.csv", "-o", "out"];
    let mut child = command(office.root(), &run)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // The most that was ever resident, as the kernel counts it; the last look is near the end.
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let size = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        most = most.max(size.unwrap_or_default());
        std::thread::yield_now();
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.starts_with("2 issued, 0 issued before, 1 refused"),
        "{said}"
    );
    assert!((1_000..80_000).contains(&most), "{most} kB were resident");
}

#[test]
fn text_is_issued_in_its_composed_form() {
    let office = Office::new();
    // "é" as two characters, Hangul as letters; the byte-order mark of a spreadsheet.
    let row = Row::food().with("holderName", "Cafe\u{301} \u{1112}\u{1161}\u{11ab}");
    let text = format!("\u{feff}{}", csv(&[&row]).replace('\n', "\r\n"));
    let [credential] = office.issue("nfc.csv", &text).try_into().unwrap();
    let judged = office.standing(&credential);
    assert_eq!(judged.text(), "valid");
    assert_eq!(judged.facts["holder"]["name"], "Café 한");
}

#[test]
fn a_batch_that_cannot_be_read_issues_nothing() {
    let office = Office::new();
    let good = csv(&[&Row::food()]);
    let header = good.lines().next().unwrap().to_owned();
    let wrong: [(&str, Vec<u8>, &str); 12] = [
        (
            "column.csv",
            good.replacen("premises", "premise", 1).into(),
            "\"premise\"",
        ),
        (
            "twice.csv",
            good.replacen("premises", "supervisor", 1).into(),
            "\"supervisor\"",
        ),
        (
            "wide.csv",
            format!("{header}{}\n", ",".repeat(1_000_000)).into(),
            "512",
        ),
        ("blank.csv", b" \n\n".to_vec(), "empty"),
        (
            "bytes.csv",
            [b"\xff\xff", good.as_bytes()].concat(),
            "utf-8",
        ),
        (
            "wide-characters.csv",
            good.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            "column 1",
        ),
        ("deep.json", "[".repeat(10_000).into(), "too deep"),
        (
            "twice.json",
            b"[{\"type\":\"a\",\"type\":\"b\"}]".to_vec(),
            "duplicate",
        ),
        (
            "lone.json",
            b"[{\"type\":\"\\udc00\"}]".to_vec(),
            "surrogate",
        ),
        ("cut.json", b"[{\"type\":\"food-op".to_vec(), "end"),
        ("tail.json", b"[] x".to_vec(), "trailing data at 3"),
        (
            "long.json",
            [b"[\"", "a".repeat(5_000_000).as_bytes()].concat(),
            "4194304",
        ),
    ];
    for (name, bytes, said) in &wrong {
        office.write(name, bytes);
        let run = ["issue", "office", "--from", name, "-o", "out"];
        office.refuses(&run, 2, &["the batch: ", said]);
        assert!(!office.path("out").exists(), "{name}");
    }
    office.write("good.csv", &good);
    for (run, code, said) in [
        (
            &["--from", "missing.csv", "-o", "out"][..],
            2,
            "missing.csv",
        ),
        (&["--from", "good.csv", "-o", "good.csv"], 2, "good.csv"),
        (
            &["--from", "good.csv", "-o", "good.csv/out"],
            2,
            "good.csv/out",
        ),
        (&["--from", "good.csv", "-o", "/proc/out"], 2, "/proc/out"),
        (
            &["--from", "good.csv", "-o", "out", "--type", "nonsense"],
            2,
            "\"nonsense\"",
        ),
        (
            &[
                "--from",
                "good.csv",
                "-o",
                "out",
                "--unit",
                "11320400DEM000014X",
            ],
            2,
            "computed W",
        ),
    ] {
        office.refuses(&[&["issue", "office"], run].concat(), code, &[said]);
        assert!(!office.path("out").exists(), "{run:?}");
    }
    office.issue("good.csv", &good);
}

#[test]
fn a_reference_that_was_issued_already_issues_nothing_more() {
    let office = Office::new();
    let row = Row::food().with("reference", "示例受理〔2026〕1号");
    let first = office.issue_one(&row);
    let before = leaves(&office);
    let bytes = office.text(&first);
    let again = [
        "issue",
        "office",
        "--from",
        "food-operation.csv",
        "-o",
        "again",
    ];
    office.zhao(&again).code(0);
    let report = office.report("again");
    assert_eq!(report[0].status, "repeated");
    assert_eq!(office.text(&format!("again/{}", report[0].file)), bytes);
    assert_eq!(leaves(&office), before);
}
