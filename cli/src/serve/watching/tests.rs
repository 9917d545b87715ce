//! What a watcher shows of what it was told.

use prometheus_client::encoding::text::encode;

use super::*;
use crate::host::Host;

fn text(watching: &Arc<Watching>) -> String {
    let mut registry = Registry::default();
    watching.register(&mut registry);
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    text
}

fn value(text: &str, series: &str) -> Option<f64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map(|value| value.parse().unwrap())
}

fn watching() -> Arc<Watching> {
    let names = ["w1.example", "w2.example"];
    Arc::new(Watching::new(Host::new().stopwatch(), names.into_iter()))
}

#[track_caller]
fn is(text: &str, series: &str, expected: f64) {
    let actual = value(text, series).unwrap_or_else(|| panic!("no {series} in {text}"));
    assert!((actual - expected).abs() < 1e-9, "{series}: {actual}");
}

#[test]
fn what_has_not_happened_is_nought_and_what_is_unknown_is_left_out() {
    let text = text(&watching());
    for name in ["w1.example", "w2.example"] {
        let own = |metric: &str| format!("{metric}{{name=\"{name}\"}}");
        is(&text, &own("zhao_cosigner_cosignatures_total"), 0.0);
        is(&text, &own("zhao_cosigner_latency_seconds_count"), 0.0);
        is(&text, &own("zhao_cosigner_silent"), 0.0);
        for failing in Failing::ALL {
            let kind = failing.as_str();
            let series = format!("zhao_cosigner_failures_total{{name=\"{name}\",kind=\"{kind}\"}}");
            is(&text, &series, 0.0);
        }
        assert_eq!(
            value(&text, &own("zhao_cosigner_last_latency_seconds")),
            None
        );
        assert_eq!(
            value(&text, &own("zhao_cosigner_cosignature_age_seconds")),
            None
        );
    }
    for code in ["signature_invalid", "signer_missing"] {
        is(
            &text,
            &format!("zhao_signature_failures_total{{code=\"{code}\"}}"),
            0.0,
        );
    }
    for stage in Stage::ALL {
        let stage = stage.as_str();
        is(
            &text,
            &format!("zhao_commit_stage_seconds_count{{stage=\"{stage}\"}}"),
            0.0,
        );
    }
}

#[test]
fn one_is_slow_one_is_gone_and_a_stranger_makes_no_label() {
    let watching = watching();
    watching.answered("w1.example", Duration::from_millis(300));
    watching.cosigned("w1.example");
    watching.failed("w2.example", Failing::Late);
    watching.failed("w2.example", Failing::Late);
    watching.failed("w2.example", Failing::False);
    for stranger in ["w3.example", "", "a\"b\n"] {
        watching.answered(stranger, Duration::from_secs(1));
        watching.cosigned(stranger);
        watching.failed(stranger, Failing::Refused);
    }
    let why = "did not answer in time".to_owned();
    watching.stands(TreeSize(7), &[("w2.example".to_owned(), why)]);
    assert_eq!(watching.size(), 7);
    let text = text(&watching);
    is(
        &text,
        "zhao_cosigner_last_latency_seconds{name=\"w1.example\"}",
        0.3,
    );
    let bucket = |le: &str| {
        format!("zhao_cosigner_latency_seconds_bucket{{le=\"{le}\",name=\"w1.example\"}}")
    };
    is(&text, &bucket("0.25"), 0.0);
    is(&text, &bucket("0.5"), 1.0);
    is(
        &text,
        "zhao_cosigner_cosignatures_total{name=\"w1.example\"}",
        1.0,
    );
    let age = "zhao_cosigner_cosignature_age_seconds{name=\"w1.example\"}";
    assert!(value(&text, age).is_some_and(|age| (0.0..600.0).contains(&age)));
    is(
        &text,
        "zhao_cosigner_failures_total{name=\"w2.example\",kind=\"late\"}",
        2.0,
    );
    is(
        &text,
        "zhao_cosigner_failures_total{name=\"w2.example\",kind=\"false\"}",
        1.0,
    );
    is(&text, "zhao_cosigner_silent{name=\"w1.example\"}", 0.0);
    is(&text, "zhao_cosigner_silent{name=\"w2.example\"}", 1.0);
    assert!(
        !text.contains("w3.example") && !text.contains("name=\"\""),
        "{text}"
    );
}

#[test]
fn commits_submissions_and_signatures_are_counted() {
    let watching = watching();
    watching.batch(250);
    watching.admitted(Duration::from_millis(40));
    watching.stage(Stage::Write, Duration::from_millis(3));
    watching.unsigned(Refusal::SignerMissing.code());
    let text = text(&watching);
    is(&text, "zhao_batch_events_sum", 250.0);
    is(&text, "zhao_admission_seconds_bucket{le=\"0.05\"}", 1.0);
    is(&text, "zhao_admission_seconds_bucket{le=\"0.025\"}", 0.0);
    is(
        &text,
        "zhao_commit_stage_seconds_sum{stage=\"write\"}",
        0.003,
    );
    is(
        &text,
        "zhao_signature_failures_total{code=\"signer_missing\"}",
        1.0,
    );
}
