use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;

fn both() -> [Messages; 2] {
    [Messages::new(Language::En), Messages::new(Language::Zh)]
}

fn placeholders(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for part in text.split('{').skip(1) {
        let (name, _) = part.split_once('}').expect("a placeholder is closed");
        let (name, words) = name.split_once(':').unwrap_or((name, "one|several"));
        assert_eq!(words.split('|').count(), 2, "{text}");
        names.insert(name.to_owned());
    }
    names
}

fn sources(dir: &Path, out: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
            out.push((path.clone(), fs::read_to_string(&path).unwrap()));
        }
    }
}

fn all_sources() -> Vec<(PathBuf, String)> {
    let mut out = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut out);
    out
}

#[test]
fn both_languages_have_every_key() {
    let [en, zh] = both();
    let en: BTreeSet<_> = en.texts.keys().collect();
    let zh: BTreeSet<_> = zh.texts.keys().collect();
    assert_eq!(
        en.difference(&zh).collect::<Vec<_>>(),
        Vec::<&&String>::new(),
        "missing in zh"
    );
    assert_eq!(
        zh.difference(&en).collect::<Vec<_>>(),
        Vec::<&&String>::new(),
        "missing in en"
    );
}

#[test]
fn both_languages_have_the_same_placeholders() {
    let [en, zh] = both();
    for (key, text) in &en.texts {
        assert_eq!(placeholders(text), placeholders(&zh.texts[key]), "{key}");
        assert!(
            !text.trim().is_empty() && !zh.texts[key].trim().is_empty(),
            "{key} is empty"
        );
    }
}

/// What is left of a Chinese sentence without its values must still be Chinese: the values are
/// often the program's own English words.
#[test]
fn chinese_sentences_are_chinese_whatever_the_values_are() {
    let [_, zh] = both();
    let han = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    for (key, text) in &zh.texts {
        // The sentence of a rule is itself the value, and tested like all others.
        if key == "error.refused-by-rule" || key.starts_with("demo.invite-") {
            continue;
        }
        assert!(han(text), "{key}: {text}");
    }
}

#[test]
fn every_error_has_its_hint() {
    let [en, _] = both();
    let of = |section: &str| -> BTreeSet<String> {
        en.texts
            .keys()
            .filter_map(|key| key.strip_prefix(section))
            .map(str::to_owned)
            .collect()
    };
    for (what, todo) in [
        ("error.", "hint."),
        ("reason.", "reason-do."),
        ("refusal.", "refusal-do."),
    ] {
        assert_eq!(of(what), of(todo), "{what} and {todo}");
    }
}

/// Every literal that looks like a key of the catalogue is one, and every failure has a text.
#[test]
fn every_key_in_the_source_is_in_the_catalogue() {
    let [en, _] = both();
    let sections: BTreeSet<&str> = en
        .texts
        .keys()
        .filter_map(|key| key.split('.').next())
        .collect();
    for (path, source) in all_sources() {
        for literal in source.split('"').skip(1).step_by(2) {
            let Some((section, rest)) = literal.split_once('.') else {
                continue;
            };
            let shaped = !rest.is_empty()
                && literal
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b));
            // witness.toml is a file, not a sentence of witnesses.
            if sections.contains(section) && shaped && !["lock", "toml"].contains(&rest) {
                assert!(
                    en.texts.contains_key(literal),
                    "{}: {literal}",
                    path.display()
                );
            }
        }
        for call in ["Failure::usage(", "Failure::refused(", "because("] {
            for after in source.split(call).skip(1) {
                let Some(key) = after.trim_start().strip_prefix('"') else {
                    continue;
                };
                let key = key.split('"').next().unwrap();
                let full = format!("error.{key}");
                assert!(en.texts.contains_key(&full), "{}: {full}", path.display());
            }
        }
    }
}

/// No sentence lies in the catalogue that nobody says.
#[test]
fn every_key_of_the_catalogue_is_used() {
    // Sections whose keys are put together from codes and words of the formats.
    const BUILT: [&str; 22] = [
        "cosigner-failure",
        "commit-stage",
        "help",
        "hint",
        "verdict",
        "verdict-means",
        "fragment",
        "fragment-passes",
        "outcome",
        "reason",
        "reason-do",
        "assurance",
        "refusal",
        "refusal-do",
        "state",
        "verb",
        "claim",
        "demo-try",
        "fsck-do",
        "fsck-problem",
        "rule",
        "examined",
    ];
    let source: String = all_sources().into_iter().map(|(_, text)| text).collect();
    let [en, _] = both();
    let mut unsaid = Vec::new();
    for key in en.texts.keys() {
        let (section, name) = key.split_once('.').unwrap();
        if BUILT.contains(&section) {
            continue;
        }
        let said = match section {
            "error" | "http" | "label" => source.contains(&format!("\"{name}\"")),
            _ => source.contains(&format!("\"{key}\"")),
        };
        if !said {
            unsaid.push(key);
        }
    }
    assert!(unsaid.is_empty(), "said nowhere: {unsaid:?}");
}

#[test]
fn codes_of_the_life_cycle_and_the_verifier_have_sentences() {
    let [en, _] = both();
    for check in zhao_verifier::Check::ALL {
        let code = check.code();
        assert!(
            en.find(&format!("reason.{code}")).is_some(),
            "reason.{code}"
        );
    }
    for rule in zhao_issuer::catalogue::Rule::ALL {
        let code = rule.code();
        assert!(en.find(&format!("rule.{code}")).is_some(), "rule.{code}");
    }
    for code in zhao_spec::life::apply::Refusal::CODES {
        assert!(
            en.find(&format!("refusal.{code}")).is_some(),
            "refusal.{code}"
        );
    }
    for verb in zhao_spec::life::verb::Verb::ALL {
        assert!(en.find(&format!("verb.{verb}")).is_some(), "verb.{verb}");
    }
}

/// Both languages say each code of a verdict and what to do next, and no other code.
#[test]
fn the_codes_of_a_verdict_are_those_with_sentences() {
    let codes: BTreeSet<&str> = zhao_verifier::Check::ALL
        .iter()
        .map(|check| check.code())
        .chain([zhao_verifier::NOT_CHECKED])
        .collect();
    let names: BTreeSet<&str> = zhao_verifier::FragmentName::ALL
        .iter()
        .map(|name| name.as_str())
        .collect();
    let outcomes = BTreeSet::from(["pass", "fail", "undetermined"]);
    for messages in both() {
        for (section, expected) in [
            ("reason.", &codes),
            ("reason-do.", &codes),
            ("fragment.", &names),
            ("fragment-passes.", &names),
            ("outcome.", &outcomes),
        ] {
            let own = messages.texts.keys();
            let own: BTreeSet<&str> = own.filter_map(|key| key.strip_prefix(section)).collect();
            assert_eq!(&own, expected, "{section} {:?}", messages.language());
        }
    }
}

/// Both languages have each question of an examination, and each answer to it.
#[test]
fn an_examination_is_told_in_sentences() {
    use zhao_vc::report::{FragmentName, Outcome};
    let outcomes = Outcome::ALL.map(Outcome::as_str);
    let mut expected: BTreeSet<String> = outcomes.map(str::to_owned).into();
    for name in FragmentName::ALL.map(FragmentName::as_str) {
        expected.insert(name.to_owned());
        expected.extend(outcomes.map(|outcome| format!("{name}-{outcome}")));
    }
    for messages in both() {
        let own = messages.texts.keys();
        let own = own.filter_map(|key| key.strip_prefix("examined."));
        let own: BTreeSet<String> = own.map(str::to_owned).collect();
        assert_eq!(own, expected, "{:?}", messages.language());
    }
}

#[test]
fn placeholders_are_filled_and_braces_in_values_stay() {
    let [en, _] = both();
    let text = en.fill(
        "error.file-read",
        &[("path", "{x}".into()), ("cause", "gone".into())],
    );
    assert_eq!(text, "cannot read {x}: gone");
}

#[test]
fn one_thing_is_not_several() {
    let [en, zh] = both();
    for (count, english, chinese) in [
        ("0", "0 events wait for the ledger.", "0"),
        ("1", "1 event waits for the ledger.", "1"),
        ("21", "21 events wait for the ledger.", "21"),
    ] {
        let of = |messages: &Messages| messages.fill("outbox.count", &[("count", count.into())]);
        assert_eq!(of(&en), english);
        assert!(of(&zh).contains(chinese));
    }
}

#[test]
fn the_locale_decides_only_when_it_is_chinese() {
    for (locale, expected) in [
        (Some("zh_CN.UTF-8"), Language::Zh),
        (Some("ZH"), Language::Zh),
        (Some("zh-Hans-CN"), Language::Zh),
        (Some("zh.UTF-8"), Language::Zh),
        (Some("zhx"), Language::En),
        (Some("zha_CN.UTF-8"), Language::En),
        (Some(""), Language::En),
        (Some("en_GB.UTF-8"), Language::En),
        (Some("C"), Language::En),
        (None, Language::En),
    ] {
        assert_eq!(Language::of_locale(locale), expected, "{locale:?}");
    }
}
