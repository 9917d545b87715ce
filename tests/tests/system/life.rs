//! A licence from its CSV row to its end, judged twice at every step.

use serde_json::Value;
use zhao_spec::wire::UnixMillis;

use crate::office::{Office, POLICY, Row, UNIT, csv};
use crate::program::{Judged, strings};

/// Something that happens: the verb, its flags, and what the dossier is worth afterwards.
type Step<'a> = (&'a str, &'a [&'a str], &'a str);

/// Lets every step happen to one licence.
#[track_caller]
fn live(office: &Office, credential: &str, name: &str, steps: &[Step<'_>]) {
    for (number, (verb, flags, expected)) in (1..).zip(steps) {
        let receipt = format!("{name}-{number}.receipt");
        let reason = format!("第{number}步");
        let mut arguments = vec!["status", "office", credential, verb, "--reason", &reason];
        arguments.extend(["--receipt", &receipt]);
        arguments.extend(*flags);
        let ran = office.zhao(&arguments).code(0);
        assert!(ran.stderr.contains("log index "), "{}", ran.stderr);
        let judged = office.standing(credential);
        assert_eq!(judged.text(), *expected, "after {verb}");
        assert_eq!(
            office.judge(&receipt, &[]).text(),
            "valid",
            "receipt of {verb}"
        );
    }
}

/// The end of every life: the history holds each event, and nothing contradicts the log.
#[track_caller]
fn close(office: &Office, credential: &str, steps: usize) {
    office
        .zhao(&["history", "office", credential, "-o", "history.json"])
        .code(0);
    assert_eq!(office.judge("history.json", &[]).text(), "valid");
    let entries = office.json("history.json")["entries"]
        .as_array()
        .map(Vec::len);
    assert_eq!(entries, Some(steps + 1), "issued, then every step");
    let mut seen = office.names(".receipt");
    assert!(seen.len() >= steps, "{seen:?}");
    for name in ["history.json", "dossier.json", "office/ledger/checkpoint"] {
        seen.push(name.to_owned());
    }
    let found = office.audit(&seen.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(found["size"], office.size());
}

fn holder(judged: &Judged) -> &Value {
    &judged.facts["holder"]
}

#[test]
fn a_licence_is_issued_suspended_released_and_revoked() {
    let office = Office::new();
    let credential = office.issue_one(&Row::food());
    let judged = office.standing(&credential);
    assert_eq!(judged.text(), "valid");
    assert_eq!(holder(&judged)["name"], "福州示例宏源物流有限公司");
    assert_eq!(holder(&judged)["code"], "91350102DEM0000U10");
    assert_eq!(judged.facts["unit"], UNIT);
    assert_eq!(judged.facts["state"], "active");

    live(
        &office,
        &credential,
        "receipt",
        &[
            (
                "withhold",
                &["--code", "fire-safety"],
                "not_usable withheld",
            ),
            (
                "hold",
                &["--basis", "示例文号〔2026〕1号"],
                "not_usable on_hold withheld",
            ),
            (
                "report-lost",
                &[],
                "not_usable on_hold reported_lost withheld",
            ),
            ("lift-withholding", &[], "not_usable on_hold reported_lost"),
            ("withdraw-loss", &[], "not_usable on_hold"),
            ("lift-hold", &[], "valid"),
            ("pledge", &[], "valid_with_notice pledged"),
            ("mark-objection", &[], "valid_with_notice pledged objection"),
            (
                "clear-objection",
                &["--result", "rejected"],
                "valid_with_notice pledged",
            ),
            ("release-pledge", &[], "valid"),
            ("revoke", &[], "invalid revoked"),
        ],
    );
    let terminal = [
        "status",
        "office",
        &credential,
        "lift-hold",
        "--reason",
        "x",
    ];
    office.refuses(&terminal, 1, &["[terminal]", "ends cannot be undone"]);
    close(&office, &credential, 11);
}

#[test]
fn a_mortgaged_title_is_cancelled_only_after_its_release() {
    let office = Office::new();
    let credential = office.issue_one(&Row::title());
    let mortgage: Step<'_> = ("mortgage", &[], "valid_with_notice mortgaged");
    live(&office, &credential, "receipt", &[mortgage, mortgage]);
    let cancel = ["status", "office", &credential, "cancel", "--reason", "x"];
    office.refuses(&cancel, 1, &["[encumbered]"]);
    let release = [
        "status",
        "office",
        &credential,
        "release-mortgage",
        "--reason",
        "x",
    ];
    office.refuses(&release, 1, &["--of", "2 open ones"]);
    let code = [
        "status",
        "office",
        &credential,
        "hold",
        "--reason",
        "x",
        "--code",
        "court",
    ];
    office.refuses(&code, 1, &["[code_not_allowed]"]);

    let open = office.json("dossier.json")["record"]["mortgages"].clone();
    let [first, second] = open.as_array().unwrap().as_slice() else {
        panic!("{open}")
    };
    let (first, second) = (first.to_string(), second.to_string());
    let more = [
        (
            "release-mortgage",
            &["--of", first.as_str()][..],
            "valid_with_notice mortgaged",
        ),
        ("release-mortgage", &["--of", second.as_str()][..], "valid"),
        ("cancel", &[][..], "invalid cancelled"),
    ];
    live(&office, &credential, "later", &more);
    close(&office, &credential, 5);
}

#[test]
fn inspections_suspend_one_type_and_are_a_notice_for_another() {
    let office = Office::new();
    let today = office.today();
    let due = today.add_months(12).unwrap();
    let later = today.add_months(24).unwrap();
    let credentials = office.issue("both.csv", &csv(&[&Row::road(), &Row::permit()]));
    let [road, permit] = credentials.as_slice() else {
        panic!("{credentials:?}")
    };

    // To the end of the day it is due, and not a millisecond longer.
    let end = due.end_beijing();
    let over = UnixMillis(end.0 + 1);
    for (at, of_road, of_permit) in [
        (end, "valid", "valid"),
        (
            over,
            "not_usable inspection_overdue",
            "valid_with_notice inspection_overdue",
        ),
    ] {
        let more = ["--at", &at.to_string(), "--max-age", "1000d"];
        assert_eq!(office.standing_at(road, &more).text(), of_road, "at {at}");
        assert_eq!(
            office.standing_at(permit, &more).text(),
            of_permit,
            "at {at}"
        );
    }
    let passed = ["--result", "passed", "--due", &later.to_string()];
    live(
        &office,
        road,
        "road",
        &[
            (
                "inspect",
                &["--result", "failed"],
                "not_usable inspection_failed",
            ),
            ("inspect", &passed, "valid"),
            ("abolish", &[], "invalid abolished"),
        ],
    );
    live(
        &office,
        permit,
        "permit",
        &[
            (
                "inspect",
                &["--result", "failed"],
                "valid_with_notice inspection_failed",
            ),
            ("inspect", &passed, "valid"),
            ("annul", &[], "invalid annulled"),
        ],
    );
    close(&office, permit, 3);
}

#[test]
fn a_licence_ends_at_the_end_of_its_last_day_in_china() {
    let office = Office::new();
    let last_day = office.today().add_days(2).unwrap();
    let row = Row::business(&last_day.to_string());
    let credential = office.issue_one(&row);
    let end = last_day.end_beijing();
    assert!(
        end.to_string().ends_with("T16:00:00.000Z"),
        "24:00 in China"
    );
    let before = UnixMillis(end.0 - 1);
    for (at, expected) in [
        (before.to_string(), "valid"),
        (UnixMillis(end.0 - 1_000).to_string(), "valid"),
        (end.to_string(), "invalid expired"),
        (UnixMillis(end.0 + 1_000).to_string(), "invalid expired"),
    ] {
        let judged = office.standing_at(&credential, &["--at", &at, "--max-age", "10d"]);
        assert_eq!(judged.text(), expected, "at {at}");
    }
    // A person writes China's time; the clock says 24:00 as 0:00 of the day after.
    let day_after = last_day.add_days(1).unwrap();
    for (at, code) in [
        (format!("{last_day}T23:59:59+08:00"), 0),
        (format!("{day_after}T00:00:00+08:00"), 1),
        (last_day.to_string(), 0),
        (day_after.to_string(), 1),
    ] {
        let line = ["verify", "dossier.json", "--policy", POLICY];
        office
            .zhao(&[&line[..], &["--at", &at, "--max-age", "10d"]].concat())
            .code(code);
    }
    // Without --max-age the dossier is too old by then, and that is no evidence either way.
    let at = end.to_string();
    assert_eq!(
        office.standing_at(&credential, &["--at", &at]).text(),
        "undetermined too_old"
    );
    let early = ["--at", "2020-01-01T00:00:00.000Z"];
    assert_eq!(
        office.standing_at(&credential, &early).text(),
        "undetermined as_of_in_future"
    );
    assert_eq!(
        strings(&office.audit(&["dossier.json"])["agree"]),
        ["dossier.json"]
    );
}

#[test]
fn a_licence_is_worth_nothing_before_its_first_day() {
    let office = Office::new();
    let tomorrow = office.today().add_days(3).unwrap();
    let row = Row::food().with("validFrom", &tomorrow.to_string());
    let credential = office.issue_one(&row);
    assert_eq!(
        office.standing(&credential).text(),
        "not_usable not_yet_valid"
    );
    let first = tomorrow.start_beijing();
    let before = UnixMillis(first.0 - 1).to_string();
    for (at, expected) in [
        (before, "not_usable not_yet_valid"),
        (first.to_string(), "valid"),
    ] {
        let judged = office.standing_at(&credential, &["--at", &at, "--max-age", "10d"]);
        assert_eq!(judged.text(), expected, "at {at}");
    }
}

#[test]
fn what_is_recorded_late_takes_effect_when_it_says() {
    let office = Office::new();
    let credential = office.issue_one(&Row::food());
    let status = |at: &str, verb: &str| {
        office.zhao(&[
            "status",
            "office",
            &credential,
            verb,
            "--reason",
            "x",
            "--at",
            at,
        ])
    };
    let issued = office.standing(&credential).facts["effective"]
        .as_str()
        .unwrap()
        .to_owned();
    let early = status("2020-01-01", "revoke").code(1);
    assert!(
        early.stderr.contains("[effective_too_early]"),
        "{}",
        early.stderr
    );
    let future = status("9999-12-31", "revoke").code(1);
    assert!(
        future.stderr.contains("[effective_in_future]"),
        "{}",
        future.stderr
    );
    status(&issued, "hold").code(0);
    let judged = office.standing(&credential);
    assert_eq!(judged.text(), "not_usable on_hold");
    assert_eq!(judged.facts["effective"].as_str(), Some(issued.as_str()));
    assert_ne!(judged.facts["recorded"], judged.facts["effective"]);
    // What makes void from the start has no bound.
    status("2020-01-01", "annul").code(0);
    let judged = office.standing(&credential);
    assert_eq!(judged.text(), "invalid annulled on_hold");
    assert_eq!(judged.facts["effective"], "2019-12-31T16:00:00.000Z");
}
