//! Two looks at a server, and what they show.

use super::*;

fn figures(body: &str) -> Figures {
    Figures::parse(format!("{body}# EOF\n").as_bytes()).unwrap()
}

fn look(seconds: u64, size: u64, body: &str) -> Look {
    Look {
        at: Duration::from_secs(seconds),
        figures: figures(body),
        head: Some((size, "log.example".to_owned())),
    }
}

fn admission(quick: u64, slow: u64) -> String {
    let all = quick + slow;
    format!(
        "zhao_admission_seconds_bucket{{le=\"0.1\"}} {quick}\n\
         zhao_admission_seconds_bucket{{le=\"1.0\"}} {all}\n\
         zhao_admission_seconds_bucket{{le=\"+Inf\"}} {all}\n\
         zhao_admission_seconds_sum {}\n",
        all * 2
    )
}

fn events(accepted: u64, refused: u64) -> String {
    format!(
        "zhao_events_total{{outcome=\"accepted\"}} {accepted}\n\
         zhao_events_total{{outcome=\"refused\"}} {refused}\n\
         zhao_events_total{{outcome=\"unsigned\"}} 3\n"
    )
}

#[track_caller]
fn near(actual: Option<f64>, expected: f64) {
    let actual = actual.expect("a figure");
    assert!((actual - expected).abs() < 1e-9, "{actual} {expected}");
}

#[test]
fn rates_are_of_the_time_between_two_looks() {
    let before = look(10, 100, &(events(50, 1) + &admission(100, 0)));
    let now = look(14, 140, &(events(90, 3) + &admission(100, 10)));
    let sight = Sight::of(Some(&before), &now);
    near(sight.events, 10.0);
    near(sight.refused_events, 0.5);
    near(sight.growth, 10.0);
    near(sight.unsigned, 3.0);
    assert_eq!(sight.size, Some(140));
    // The hundred quick ones were before.
    let half = sight.admission.unwrap().half;
    assert!(
        matches!(half, Quantile::About(s) if (0.5..0.6).contains(&s)),
        "{half:?}"
    );
}

#[test]
fn a_first_look_has_no_rates_and_two_at_once_have_none_either() {
    let now = look(14, 140, &(events(90, 3) + &admission(100, 10)));
    for before in [None, Some(&now)] {
        let sight = Sight::of(before, &now);
        assert_eq!(
            (sight.events, sight.growth, sight.admission),
            (None, None, None)
        );
        assert_eq!(sight.size, Some(140));
        near(sight.unsigned, 3.0);
        assert!(!sight.shrank);
    }
}

#[test]
fn a_server_that_began_anew_gives_no_negative_rate() {
    let before = look(10, 100, &(events(5_000, 7) + &admission(900, 90)));
    let now = look(12, 104, &(events(4, 0) + &admission(3, 1)));
    let sight = Sight::of(Some(&before), &now);
    near(sight.events, 2.0);
    near(sight.refused_events, 0.0);
    assert!(sight.admission.is_some());
}

#[test]
fn an_interval_without_events_has_rates_of_nought_and_no_percentiles() {
    let body = events(5, 0) + &admission(5, 0);
    let sight = Sight::of(Some(&look(10, 100, &body)), &look(12, 100, &body));
    near(sight.events, 0.0);
    near(sight.growth, 0.0);
    assert_eq!(sight.admission, None);
}

#[test]
fn nothing_refused_is_nought_and_not_less() {
    let body = "zhao_http_requests_total{status=\"200\"} 5\n";
    let sight = Sight::of(Some(&look(1, 5, body)), &look(2, 5, body));
    for nought in [sight.refused, sight.refused_ever, sight.requests] {
        assert!(nought.unwrap().is_sign_positive());
    }
}

#[test]
fn an_older_server_shows_what_it_has() {
    let body = "zhao_queue_events 3\nzhao_cosigner_silent{name=\"w\"} 1\n";
    let sight = Sight::of(Some(&look(1, 5, body)), &look(2, 5, body));
    near(sight.queue, 3.0);
    let nothing = (
        sight.events,
        sight.batch,
        sight.publication,
        sight.refused_ever,
    );
    assert_eq!(nothing, (None, None, None, None));
    assert!(sight.stages.is_empty());
    let witness = sight.witnesses.first().unwrap();
    assert!(witness.silent);
    assert_eq!(
        (witness.last, witness.age, witness.failures, &witness.mostly),
        (None, None, None, &None)
    );
    // And one that had less before a restart.
    let sight = Sight::of(Some(&look(1, 5, body)), &look(2, 5, &(events(4, 0) + body)));
    near(sight.events, 4.0);
}

#[test]
fn a_head_that_went_back_is_said_to() {
    let body = "zhao_queue_events 0\n";
    let sight = Sight::of(Some(&look(1, 9, body)), &look(2, 8, body));
    assert!(sight.shrank);
    assert_eq!(sight.growth, None);
    // Without a checkpoint the figure counts.
    let mut now = look(3, 0, "zhao_published_size 12\n");
    now.head = None;
    let sight = Sight::of(Some(&look(2, 8, body)), &now);
    assert_eq!((sight.size, sight.shrank), (Some(12), false));
    near(sight.growth, 4.0);
}

#[test]
fn a_witness_fails_mostly_as_it_does_now() {
    let body = |late: u64, refused: u64| {
        format!(
            "zhao_cosigner_silent{{name=\"w\"}} 0\n\
             zhao_cosigner_failures_total{{name=\"w\",kind=\"late\"}} {late}\n\
             zhao_cosigner_failures_total{{name=\"w\",kind=\"refused\"}} {refused}\n\
             zhao_cosigner_failures_total{{name=\"v\",kind=\"false\"}} 99\n"
        )
    };
    let mostly = |before: (u64, u64), now: (u64, u64)| {
        let before = look(1, 1, &body(before.0, before.1));
        let sight = Sight::of(Some(&before), &look(2, 1, &body(now.0, now.1)));
        let witness = sight.witnesses.first().unwrap().clone();
        (
            witness.failures.unwrap().round().to_string(),
            witness.mostly,
        )
    };
    let is = |sum: &str, kind: &str| (sum.to_owned(), Some(kind.to_owned()));
    assert_eq!(mostly((50, 0), (50, 2)), is("52", "refused"));
    assert_eq!(mostly((50, 2), (50, 2)), is("52", "late"));
    assert_eq!(mostly((0, 0), (0, 0)), ("0".to_owned(), None));
}
