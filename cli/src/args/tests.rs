use super::*;
use crate::messages::Messages;

fn line(words: &[&str]) -> Result<Parsed, crate::failure::Failure> {
    let arguments: Vec<std::ffi::OsString> = std::iter::once("zhao")
        .chain(words.iter().copied())
        .map(Into::into)
        .collect();
    parse(&arguments, &Messages::new(Language::En))
}

fn error(words: &[&str]) -> String {
    let failure = line(words).map(|_| ()).unwrap_err();
    assert_eq!(failure.exit(), crate::failure::Exit::Usage);
    failure.lines(&Messages::new(Language::En)).0
}

#[test]
fn the_command_line_is_sound() {
    use clap::CommandFactory as _;
    Line::command().debug_assert();
}

/// Walks every page of help in both languages; a missing sentence panics in the catalogue.
#[test]
fn every_command_has_help_in_both_languages() {
    use clap::CommandFactory as _;
    for language in [Language::En, Language::Zh] {
        let messages = Messages::new(language);
        let mut pages = vec![vec![]];
        for sub in Line::command().get_subcommands() {
            pages.push(vec![sub.get_name().to_owned()]);
            let place = sub.get_positionals().next().map(|_| "DIR".to_owned());
            for inner in sub.get_subcommands() {
                let words = [Some(sub.get_name().to_owned()), place.clone()];
                let words = words.into_iter().flatten();
                pages.push(words.chain([inner.get_name().to_owned()]).collect());
            }
        }
        for page in pages {
            let words = page.iter().map(Into::into).chain(["--help".into()]);
            let arguments: Vec<std::ffi::OsString> =
                std::iter::once("zhao".into()).chain(words).collect();
            let Ok(Parsed::Tell(text)) = parse(&arguments, &messages) else {
                panic!("{page:?} has no help");
            };
            assert!(text.contains(&messages.text("help.options")), "{text}");
            assert!(text.contains(&messages.text("help.common.help")), "{text}");
            for words in ["ossible values", "[default"] {
                assert!(!text.contains(words), "{text}");
            }
        }
    }
}

#[test]
fn mistakes_on_the_command_line_are_named() {
    for (words, expected) in [
        (&["issu"][..], "unknown command issu"),
        (&["verify", "x"], "missing: --policy <POLICY>"),
        (&["verify", "x", "--polcy", "p"], "unknown argument --polcy"),
        (
            &["verify", "x", "--policy", "p", "--at", "2026-02-30"],
            "--at <TIME>: found 2026-02-30: no such date",
        ),
        (
            &["sample", "--count", "0", "-o", "x"],
            "--count <N>: found 0: 0 is not in 1..=1000000",
        ),
        (
            &["--lang", "fr", "demo"],
            "--lang <LANGUAGE>: expected one of zh, en, found fr",
        ),
        (
            &["status", "d", "c", "destroy", "--reason", "x"],
            "<VERB>: expected one of withhold, lift-withholding, hold, lift-hold, \
             report-lost, withdraw-loss, mortgage, release-mortgage, pledge, release-pledge, \
             inspect, mark-objection, clear-objection, cancel, revoke, annul, abolish, transfer, \
             reaffirm, found destroy",
        ),
        (
            &["init", "d", "--unit-name", "x"],
            "missing: --unit-uscc <USCC>",
        ),
        (&["show"], "missing: <FILE>..."),
        (&["show", "x", "--json"], "unknown argument --json"),
    ] {
        assert_eq!(error(words), expected, "{words:?}");
    }
}

#[test]
fn the_language_flag_counts_wherever_it_stands() {
    let flag = |words: &[&str]| {
        let words: Vec<std::ffi::OsString> = words.iter().map(Into::into).collect();
        language_flag(&words)
    };
    assert_eq!(flag(&["zhao", "issu", "--lang", "zh"]), Some(Language::Zh));
    assert_eq!(flag(&["zhao", "--lang=en", "demo"]), Some(Language::En));
    assert_eq!(flag(&["zhao", "--lang", "fr"]), None);
    assert_eq!(flag(&["zhao", "--", "--lang", "zh"]), None);
    assert_eq!(flag(&["zhao", "--language", "zh"]), None);
}

#[test]
fn what_is_base64url_may_begin_with_a_hyphen() {
    let id = "-M1P0Qf3ZiHs8FEOiWWjNYz4DDuvzspSwhjwBd8xwho";
    let sign = [
        "admin",
        "sign",
        "f.json",
        "--id",
        id,
        "--admin-dir",
        "d",
        "-o",
        "o",
    ];
    let restore = ["restore", "out", "office", "--manifest", id];
    for words in [&sign[..], &restore] {
        let parsed = line(words);
        assert!(
            matches!(parsed, Ok(Parsed::Run(_))),
            "{words:?}: {parsed:?}"
        );
    }
}
