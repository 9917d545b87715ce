//! What the screen shows, in both languages, on terminals wide and small.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use super::super::change::Quantile;
use super::super::sight::{Percentiles, Stage, Witness};
use super::*;
use crate::messages::Language;

fn percentiles(half: f64, ninety: f64) -> Percentiles {
    Percentiles {
        half: Quantile::About(half),
        ninety: Quantile::About(ninety),
        ninety_nine: Quantile::Above(30.0),
    }
}

fn witness(name: &str, silent: bool) -> Witness {
    Witness {
        name: name.to_owned(),
        silent,
        last: Some(0.0123),
        latency: Some(percentiles(0.012, 0.25)),
        age: (!silent).then_some(3.2),
        failures: Some(if silent { 52.0 } else { 0.0 }),
        mostly: silent.then(|| "late".to_owned()),
    }
}

fn sight() -> Sight {
    Sight {
        seconds: Some(2.0),
        origin: Some("log.example/常州".to_owned()),
        size: Some(123_456),
        shrank: false,
        growth: Some(250.0),
        age: Some(3.25),
        events: Some(249.0),
        refused_events: Some(0.5),
        unsigned: Some(3.0),
        admission: Some(percentiles(0.012, 0.040)),
        queue: Some(17.0),
        queue_limit: Some(20_000.0),
        batch: Some(24.5),
        stages: [
            "derive", "check", "write", "claim", "sign", "cosign", "publish",
        ]
        .map(|name| Stage {
            name,
            mean: 0.0012,
            ninety_nine: Quantile::About(0.05),
        })
        .to_vec(),
        witnesses: vec![
            witness("w1.example", false),
            witness("见证方.example", true),
        ],
        publication: Some((123_000.0, true)),
        requests: Some(20.1),
        refused: Some(0.5),
        refused_ever: Some(12.0),
    }
}

fn screen(size: (u16, u16), language: Language, sight: &Sight, away: Option<&str>) -> Buffer {
    let messages = Messages::new(language);
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
    let shown = Shown {
        messages: &messages,
        colour: true,
        url: "http://127.0.0.1:8080",
        as_of: "2026-11-23 20:00:00 +08:00",
        sight,
        growth: &[0, 1, 2, 4, 8],
        away,
    };
    terminal.draw(|frame| draw(frame, &shown)).unwrap();
    terminal.backend().buffer().clone()
}

/// The lines as a person sees them: a wide character takes two cells, and its second is empty.
fn lines(buffer: &Buffer) -> Vec<String> {
    let area = buffer.area;
    let line = |y: u16| {
        let mut text = String::new();
        let mut x = 0;
        while x < area.width {
            let symbol = buffer[(x, y)].symbol();
            text.push_str(symbol);
            x += u16::try_from(Line::raw(symbol).width()).unwrap().max(1);
        }
        text.trim_end().to_owned()
    };
    (0..area.height).map(line).collect()
}

#[track_caller]
fn has(lines: &[String], words: &str) -> usize {
    let at = lines.iter().position(|line| line.contains(words));
    at.unwrap_or_else(|| panic!("no {words:?} in\n{}", lines.join("\n")))
}

#[test]
fn eighty_by_twenty_four_shows_everything() {
    let lines = lines(&screen((80, 24), Language::En, &sight(), None));
    assert!(lines[0].starts_with("zhao top  log.example/常州") && lines[0].ends_with("q quits"));
    for words in [
        "as of 2026-11-23 20:00:00 +08:00",
        "249/s",
        "12 ms / 40 ms / > 30.0 s",
        "17 / 20000",
        "24.5",
        "123456",
        "+250/s",
        "3.2 s",
        "123000, fails",
        "20.1/s",
        "refused requests 0.5/s",
        "bad signatures",
        "derive",
        "1.2 ms",
        "w1.example",
        "12 ms / 250 ms / > 30.0 s",
        "52 late",
        "\u{2588}",
    ] {
        has(&lines, words);
    }
    let silent = has(&lines, "见证方.example");
    assert!(lines[silent].contains("silent"), "{}", lines[silent]);
    assert!(lines[has(&lines, "w1.example")].contains("cosigns"));
}

#[test]
fn chinese_columns_stand_where_english_ones_do() {
    let buffer = screen((80, 24), Language::Zh, &sight(), None);
    let lines = lines(&buffer);
    for words in [
        "按 q 退出",
        "截至 2026-11-23 20:00:00 +08:00",
        "受理 p50/90/99",
        "12 ms / 40 ms / > 30.0 s",
        "123000，失败",
        "推算",
        "上次联署",
        "沉默",
        "52 迟到",
    ] {
        has(&lines, words);
    }
    // Values of one table begin in one column, however wide their labels are.
    let column = |words: &str| {
        let line = &lines[has(&lines, words)];
        let (before, _) = line.split_at(line.find(words).unwrap());
        Line::raw(before).width()
    };
    assert_eq!(column("249/s"), column("17 / 20000"));
    assert_eq!(column("249/s"), column("24.5"));
    assert_eq!(column("123456"), column("+250/s"));
    let [silent, cosigns] =
        [("见证方.example", "沉默"), ("w1.example", "联署")].map(|(name, state)| {
            let line = &lines[has(&lines, name)];
            Line::raw(line.split(state).next().unwrap()).width()
        });
    assert_eq!(silent, cosigns);
    for line in &lines {
        assert!(Line::raw(line.as_str()).width() <= 80, "{line}");
    }
}

#[test]
fn forty_by_ten_shows_what_matters_most() {
    for (language, words) in [
        (
            Language::En,
            [
                "events ",
                "admission ",
                "queue ",
                "leaves ",
                "cosigners ",
                "growth ",
                "head's age ",
                "publication ",
                "refused ",
            ],
        ),
        (
            Language::Zh,
            [
                "事件",
                "受理时间",
                "队列",
                "条目",
                "联署方",
                "增长",
                "检查点距今",
                "发布处",
                "被拒",
            ],
        ),
    ] {
        let lines = lines(&screen((40, 10), language, &sight(), None));
        assert!(lines[0].starts_with("zhao top"), "{lines:?}");
        for word in words {
            has(&lines, word);
        }
        for value in [
            "249/s",
            "17 / 20000",
            "123456",
            "12 ms / 40 ms / > 30.0 s",
            "1/2, ",
            "+250/s",
            "0.5/s",
        ] {
            has(&lines, value);
        }
    }
}

#[test]
fn whoever_is_away_keeps_the_screen() {
    for size in [(80, 24), (40, 10)] {
        let why = "no answer since 20:00: refused";
        let buffer = screen(size, Language::En, &sight(), Some(why));
        let lines = lines(&buffer);
        let at = has(&lines, why);
        has(&lines, "249/s");
        let cell = &buffer[(0, u16::try_from(at).unwrap())];
        assert_eq!(cell.style().fg, Some(Color::Red));
    }
}

#[test]
fn unknown_is_a_dash_and_no_terminal_is_too_small() {
    let nothing = Sight::default();
    let shown = lines(&screen((80, 24), Language::En, &nothing, None));
    assert!(shown[has(&shown, "queue")].contains('–'));
    has(&shown, "http://127.0.0.1:8080");
    has(&shown, "no place");
    for language in [Language::En, Language::Zh] {
        for width in [0, 1, 2, 3, 39, 40, 71, 72, 200] {
            for height in [0, 1, 2, 9, 19, 20, 60] {
                screen((width, height), language, &sight(), None);
                screen((width, height), language, &nothing, Some("away"));
            }
        }
    }
}

#[test]
fn more_witnesses_than_lines_are_counted() {
    let mut many = sight();
    many.witnesses = (0..40)
        .map(|n| witness(&format!("w{n}.example"), false))
        .collect();
    let lines = lines(&screen((80, 24), Language::En, &many, None));
    let shown = lines
        .iter()
        .filter(|line| line.contains(".example "))
        .count();
    let more = 40 - shown;
    assert!(shown > 2, "{}", lines.join("\n"));
    has(&lines, &format!("and {more} more: --once shows all"));
}

#[test]
fn a_head_that_went_back_is_red() {
    let mut odd = sight();
    odd.shrank = true;
    let buffer = screen((80, 24), Language::En, &odd, None);
    let lines = lines(&buffer);
    let y = u16::try_from(has(&lines, "123456, went back")).unwrap();
    let red = (0..80).filter(|x| buffer[(*x, y)].style().fg == Some(Color::Red));
    assert!(red.count() > 10);
}
