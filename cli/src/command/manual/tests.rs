use std::collections::BTreeMap;

use super::*;
use crate::messages::Language;

fn every(messages: &Messages) -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    let mut keep = |page: Page| {
        let text = String::from_utf8(page.text).unwrap();
        assert!(pages.insert(page.name, text).is_none(), "a page twice");
        Ok(())
    };
    walk(&args::command(messages), None, messages, &mut keep).unwrap();
    pages
}

/// Names of all commands, as `zhao-unit-add`.
fn names(command: &clap::Command, above: &str, out: &mut Vec<String>) {
    for inner in command.get_subcommands() {
        let name = format!("{above}-{}", inner.get_name());
        names(inner, &name, out);
        out.push(name);
    }
}

fn all_names(messages: &Messages) -> Vec<String> {
    let mut out = vec!["zhao".to_owned()];
    names(&args::command(messages), "zhao", &mut out);
    out
}

fn both() -> [Messages; 2] {
    [Messages::new(Language::En), Messages::new(Language::Zh)]
}

#[test]
fn every_command_has_a_manual_page_in_both_languages() {
    for messages in both() {
        let pages = every(&messages);
        let names = all_names(&messages);
        assert!(names.len() > 60, "{}", names.len());
        assert_eq!(pages.len(), names.len());
        for name in names {
            let page = pages
                .get(&format!("{name}.1"))
                .unwrap_or_else(|| panic!("{name} has no page"));
            let escaped = name.replace('-', "\\-");
            assert!(page.contains(&format!("\n{escaped} \\- ")), "{page}");
            assert!(page.contains(&messages.text("man.exit-3")), "{page}");
            let title = format!(".TH {name} 1 \" \" \"zhao ");
            assert!(page.contains(&title), "{page}");
            assert_eq!(page.matches(".ie ").count(), 1, "{page}");
            for key in ["man.name", "man.synopsis", "man.exit", "help.options"] {
                let heading = messages.text(key).to_uppercase();
                assert!(
                    page.contains(&format!(".SH {heading}"))
                        || page.contains(&format!(".SH \"{heading}\"")),
                    "{name} lacks {heading}:\n{page}"
                );
            }
        }
    }
}

/// The library's own English words must not stand on a Chinese page.
#[test]
fn chinese_pages_have_no_english_headings() {
    let [_, zh] = both();
    for (name, page) in every(&zh) {
        for heading in page.lines().filter(|line| line.starts_with(".SH ")) {
            let han = heading
                .chars()
                .any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
            assert!(han, "{name}: {heading}");
        }
        assert!(!page.contains("Possible values"), "{name}");
    }
}

#[test]
fn no_help_text_is_empty_in_either_language() {
    fn walk(command: &clap::Command, path: &str) {
        let empty = |text: Option<&clap::builder::StyledStr>| {
            text.is_none_or(|text| text.to_string().trim().is_empty())
        };
        assert!(!empty(command.get_about()), "{path} has no about");
        for arg in command.get_arguments() {
            assert!(!empty(arg.get_help()), "{path} {}", arg.get_id());
        }
        for inner in command.get_subcommands() {
            walk(inner, &format!("{path} {}", inner.get_name()));
        }
    }
    for messages in both() {
        walk(&args::command(&messages), "zhao");
    }
}

#[test]
fn every_shell_completes_every_command() {
    for messages in both() {
        let tree = args::command(&messages);
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let script = String::from_utf8(script(shell, &messages)).unwrap();
            for command in tree.get_subcommands() {
                let name = command.get_name();
                assert!(script.contains(name), "{shell:?} lacks {name}");
                for inner in command.get_subcommands() {
                    let name = inner.get_name();
                    assert!(script.contains(name), "{shell:?} lacks {name}");
                }
            }
            assert!(script.contains("passphrase-file"), "{shell:?}");
            // What a licence can meet. The library completes no such words for fish.
            if shell != Shell::Fish {
                assert!(script.contains("lift-withholding"), "{shell:?}");
            }
        }
    }
}
