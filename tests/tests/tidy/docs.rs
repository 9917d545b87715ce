//! Rules over documents: what they name exists.
//!
//! Looked at are the pages of the root, except the changelog, which speaks of the past. A name is
//! a code span that looks like a path of the checkout, the target of a relative link, or a command
//! line that begins with `make` or `zhao`, in a span or in a fenced block.

use std::collections::BTreeSet;

use crate::rust::{block_end, code_only};
use crate::tree::{File, Tree};

/// Endings by which a name without `/` is taken for a file of the checkout.
const OUR_ENDINGS: &[&str] = &[".rs", ".md", ".sh", ".lock", ".js", ".mjs"];
/// Ends of names that the program writes, so that the checkout need not hold them.
const WRITTEN: &[&str] = &["zhao.toml", "policy.txt", "trust.txt", "records.db"];

/// A piece of a document that names something, and where.
#[derive(Debug, PartialEq, Eq)]
struct Named {
    place: String,
    text: String,
    /// In a fenced block, where only commands are looked at.
    fenced: bool,
}

fn documents(tree: &Tree) -> impl Iterator<Item = &File> {
    tree.files.iter().filter(|file| {
        !file.path.contains('/') && file.path.ends_with(".md") && file.path != "CHANGELOG.md"
    })
}

/// Code spans, link targets and the lines of fenced blocks.
fn named(file: &File) -> Vec<Named> {
    let mut found = Vec::new();
    let mut fence = false;
    for (number, line) in file.text.lines().enumerate() {
        let place = format!("{}:{}", file.path, number + 1);
        let mut push = |text: &str, fenced: bool| {
            found.push(Named {
                place: place.clone(),
                text: text.trim().to_owned(),
                fenced,
            });
        };
        if line.trim_start().starts_with("```") {
            fence = !fence;
        } else if fence || line.starts_with("    ") {
            push(line.trim().trim_start_matches("$ "), true);
        } else {
            line.split('`')
                .skip(1)
                .step_by(2)
                .for_each(|span| push(span, false));
            for (at, _) in line.match_indices("](") {
                let target = line[at + 2..]
                    .split([')', '#', ' '])
                    .next()
                    .unwrap_or_default();
                if !target.is_empty() && !target.contains(':') {
                    // A link is a path however it looks.
                    push(&format!("./{target}"), false);
                }
            }
        }
    }
    found
}

/// Whether a code span claims to be a path of this checkout.
fn looks_like_path(text: &str, tree: &Tree) -> bool {
    let plain = |char: char| char.is_ascii_alphanumeric() || "._-/*".contains(char);
    if text.is_empty() || !text.chars().all(plain) || WRITTEN.contains(&text) {
        return false;
    }
    match text.split_once('/') {
        // The first part must be ours: `application/json` and `example.org/log` are not paths.
        Some((first, rest)) => {
            first == "." || tree.has(first) || (rest.is_empty() && first.starts_with('.'))
        }
        None => OUR_ENDINGS
            .iter()
            .any(|ending| text.ends_with(ending) && text != *ending),
    }
}

fn exists(text: &str, tree: &Tree) -> bool {
    let path = text.trim_start_matches("./").trim_end_matches('/');
    if path.contains('*') {
        return tree.names.iter().any(|name| glob(path, name));
    }
    // A bare file name may stand anywhere: the text around it says where.
    let bare = !text.contains('/');
    tree.has(path)
        || (bare
            && tree
                .names
                .iter()
                .any(|name| name.ends_with(&format!("/{path}"))))
}

/// `*` stands for any characters but `/`.
fn glob(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, tail)) => name.strip_prefix(head).is_some_and(|rest| {
            (0..=rest.len())
                .filter(|at| rest.is_char_boundary(*at) && !rest[..*at].contains('/'))
                .any(|at| glob(tail, &rest[at..]))
        }),
    }
}

pub(crate) fn paths(tree: &Tree) -> Vec<String> {
    documents(tree)
        .flat_map(named)
        .filter(|named| !named.fenced && looks_like_path(&named.text, tree))
        .filter(|named| !exists(&named.text, tree))
        .map(|named| {
            format!(
                "{}: there is no {}: correct the page",
                named.place, named.text
            )
        })
        .collect()
}

/// The targets a Makefile defines.
pub(crate) fn make_targets(makefile: &str) -> BTreeSet<String> {
    makefile
        .lines()
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, rest)| {
            !rest.starts_with('=')
                && !name.is_empty()
                && name
                    .chars()
                    .all(|char| char.is_ascii_lowercase() || char == '-')
        })
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// The word behind `program` in a command line, if that is what the text is. A word that is not
/// one of a command's spelling (`DIR`, `…`, `--help`) names nothing.
fn word_after<'a>(text: &'a str, program: &str) -> Option<&'a str> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let at = words.iter().position(|word| *word == program)?;
    // Before it only assignments of the environment: ZHAO_PASSPHRASE=x zhao init
    if !words[..at].iter().all(|word| word.contains('=')) {
        return None;
    }
    let word = words.get(at + 1)?.trim_end_matches([',', ';', '.', ':']);
    let command = word
        .chars()
        .all(|char| char.is_ascii_lowercase() || char == '-');
    (command && word.starts_with(|char: char| char.is_ascii_lowercase())).then_some(word)
}

fn commands(tree: &Tree, program: &str, known: &BTreeSet<String>) -> Vec<String> {
    let mut offences = Vec::new();
    for named in documents(tree).flat_map(named) {
        if let Some(word) = word_after(&named.text, program)
            && !known.contains(word)
        {
            offences.push(format!(
                "{}: there is no `{program} {word}`: correct the page",
                named.place
            ));
        }
    }
    offences
}

pub(crate) fn makes(tree: &Tree, targets: &BTreeSet<String>) -> Vec<String> {
    commands(tree, "make", targets)
}

pub(crate) fn subcommands_named(tree: &Tree, known: &BTreeSet<String>) -> Vec<String> {
    commands(tree, "zhao", known)
}

/// The subcommands of the binary: the variants of every enum of `cli/src` that derives clap's
/// `Subcommand`, spelt as clap spells them.
pub(crate) fn subcommands(files: &[File]) -> BTreeSet<String> {
    let mut found = BTreeSet::from(["help".to_owned()]);
    for file in files.iter().filter(|file| {
        file.path.starts_with("cli/src/") && file.path.ends_with(".rs") && !file.is_test()
    }) {
        let code = code_only(&file.text);
        for (derive, _) in code.match_indices("Subcommand") {
            let Some(close) = code[derive..].find(']').map(|close| derive + close) else {
                continue;
            };
            if !code[..derive]
                .rsplit('\n')
                .next()
                .is_some_and(|line| line.contains("derive("))
            {
                continue;
            }
            let Some(open) = code[close..].find('{').map(|open| close + open) else {
                continue;
            };
            let body = open + 1..block_end(&code, open).saturating_sub(1);
            for variant in variants(&code[body.clone()], &file.text[body]) {
                found.insert(variant);
            }
        }
    }
    found
}

/// The variants between the braces of an enum; `raw` is the same text with its strings.
fn variants(code: &str, raw: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    let ends = code.char_indices().filter_map(|(at, char)| {
        match char {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => return Some(at),
            _ => {}
        }
        None
    });
    for end in ends.chain([code.len()]).collect::<Vec<_>>() {
        let (part, raw_part) = (&code[start..end], &raw[start..end]);
        start = (end + 1).min(code.len());
        // Attributes first: #[…] up to its closing bracket, as often as there are any.
        let mut rest = part.trim_start();
        while rest.starts_with("#[") {
            let Some(close) = closing(rest) else { break };
            rest = rest[close..].trim_start();
        }
        let name: String = rest
            .chars()
            .take_while(|char| char.is_alphanumeric() || *char == '_')
            .collect();
        if name.is_empty() {
            continue;
        }
        let attributes = &raw_part[..raw_part.len() - rest.len()];
        found.push(given_name(attributes).unwrap_or_else(|| kebab(&name)));
    }
    found
}

/// Just behind the bracket that closes the attribute at the start of `text`.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, char) in text.char_indices() {
        match char {
            '[' => depth += 1,
            ']' if depth == 1 => return Some(at + 1),
            ']' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// `#[command(name = "…")]`, outside comments.
fn given_name(attributes: &str) -> Option<String> {
    attributes
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .find_map(|line| line.split_once("name = \"")?.1.split('"').next())
        .map(str::to_owned)
}

fn kebab(name: &str) -> String {
    let mut out = String::new();
    for (at, char) in name.chars().enumerate() {
        if char.is_ascii_uppercase() && at > 0 {
            out.push('-');
        }
        out.push(char.to_ascii_lowercase());
    }
    out
}

/// The last lines of a page of `spec/` say `Code: …` and `Vectors: …`, relative to that folder.
pub(crate) fn page_feet(tree: &Tree) -> Vec<String> {
    let mut offences = Vec::new();
    let pages = tree.files.iter().filter(|file| {
        file.path.starts_with("spec/")
            && file.path.matches('/').count() == 1
            && file.path.ends_with(".md")
    });
    for page in pages {
        for (number, line) in page.text.lines().enumerate() {
            if !(line.starts_with("Code: ") || line.contains("Vectors: ")) {
                continue;
            }
            for span in line.split('`').skip(1).step_by(2) {
                let path = format!("spec/{span}");
                let ours = span.starts_with("src/") || span.starts_with("vectors/");
                if ours && !exists(&path, tree) {
                    offences.push(format!(
                        "{}:{}: there is no {path}: correct the page",
                        page.path,
                        number + 1
                    ));
                }
            }
        }
    }
    offences
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(readme: &str) -> Tree {
        Tree::of(&[
            ("README.md", readme),
            ("CHANGELOG.md", "`spec/gone.md`"),
            ("Makefile", "test: ## x\n"),
            ("spec/event.md", ""),
            ("spec/src/log/tree.rs", ""),
            (".ci/run", ""),
        ])
    }

    #[test]
    fn paths_that_do_not_exist_are_found() {
        for bad in [
            "see `spec/gone.md`",
            "see `spec/src/log/tree2.rs`",
            "see `gone.rs` here",
            "see `spec/*.rs`",
            "see `.ci/gone`",
            "a [link](spec/gone.md#part)",
            "a [link](gone)",
        ] {
            assert_eq!(paths(&tree(bad)).len(), 1, "{bad}");
        }
    }

    #[test]
    fn paths_that_exist_and_names_that_are_no_paths_pass() {
        for good in [
            "see `spec/event.md`, `spec/`, `spec`, `tree.rs`, `spec/*.md`, `.ci/run`",
            "`application/json`, `c2sp.org/tlog-proof@v1`, `DIR/ledger/`, `zhao.toml`, `a.json`",
            "a [link](spec/event.md#part), [outside](https://example.org/gone.md)",
            "```\nspec/gone.md\n```",
        ] {
            assert_eq!(paths(&tree(good)), Vec::<String>::new(), "{good}");
        }
    }

    #[test]
    fn make_targets_are_read_and_checked() {
        let targets = make_targets("SHELL := x\nA ?= b\ntest: ## y\n\tfoo: bar\ntest-interop: a\n");
        assert_eq!(
            targets,
            BTreeSet::from(["test".to_owned(), "test-interop".to_owned()])
        );
        for bad in [
            "run `make demo`",
            "```\n$ make demo ARGS=x\n```",
            "    CI=true make demo\n",
        ] {
            assert_eq!(makes(&tree(bad), &targets).len(), 1, "{bad}");
        }
        for good in [
            "run `make test`",
            "we make demo things",
            "`make`",
            "```\ncan make demos\n```",
        ] {
            assert!(makes(&tree(good), &targets).is_empty(), "{good}");
        }
    }

    #[test]
    fn subcommands_are_read_from_the_source() {
        let source = "#[derive(Debug, clap::Subcommand)]\nenum Command {\n    \
                      /// Enum { Fake, }\n    Init(Init),\n    \
                      #[command(name = \"sample-it\", about = \"x, y\")]\n    \
                      Sample { count: u32, seed: Option<u64> },\n    RotateKey,\n}\n\
                      #[derive(Debug)]\nenum Other { NotACommand }\n";
        let found = subcommands(&[File::new("cli/src/args.rs", source)]);
        let expected = ["help", "init", "rotate-key", "sample-it"].map(str::to_owned);
        assert_eq!(found, BTreeSet::from(expected));
        let elsewhere = subcommands(&[File::new("issuer/src/args.rs", source)]);
        assert_eq!(elsewhere.len(), 1);
    }

    #[test]
    fn subcommands_that_do_not_exist_are_found() {
        let known = BTreeSet::from(["init".to_owned()]);
        for bad in ["`zhao issue DIR`", "```\nZHAO_PASSPHRASE=x zhao issue\n```"] {
            assert_eq!(subcommands_named(&tree(bad), &known).len(), 1, "{bad}");
        }
        for good in [
            "`zhao init DIR`",
            "`zhao --help`",
            "`zhao`",
            "the binary `zhao` issues",
        ] {
            assert!(subcommands_named(&tree(good), &known).is_empty(), "{good}");
        }
    }

    #[test]
    fn feet_of_specification_pages_are_checked() {
        let page = |foot: &str| {
            Tree::of(&[
                ("spec/leaf.md", foot),
                ("spec/src/life/leaf.rs", ""),
                ("spec/x/y.md", ""),
            ])
        };
        assert!(page_feet(&page("Code: `src/life/leaf.rs`. See `src/gone.rs`.")).len() == 1);
        assert!(page_feet(&page("Code: `src/life/`. Vectors: `vectors/leaf/`.")).len() == 1);
        assert!(page_feet(&page("Code: `src/life/leaf.rs`.\nIn `src/gone.rs`.")).is_empty());
    }
}
