//! Rules over `spec/coverage.md`: one row for each requirement, and a requirement counts as met
//! only by a test that runs.
//!
//! The page holds tables with the columns `Id`, `State` and `Test` among others, in any order. A
//! state is one of [`STATES`]. The cell `Test` of a met row names one or more tests in code spans:
//! a Rust test by its function (`module::function` is welcome), a JavaScript test by its title.

use std::collections::BTreeSet;

use crate::rust::code_only;
use crate::tree::{File, Tree};

/// How many requirements there are.
const ROWS: usize = 149;
const STATES: &[&str] = &["met", "partly", "open"];

struct Row {
    line: usize,
    id: String,
    state: String,
    test: String,
}

pub(crate) fn check(tree: &Tree, tests: &BTreeSet<String>) -> Vec<String> {
    match tree.find("spec/coverage.md") {
        // The page is written once the requirements' tests are.
        None => Vec::new(),
        Some(page) => check_page(&page.text, tests, ROWS),
    }
}

fn check_page(page: &str, tests: &BTreeSet<String>, expected: usize) -> Vec<String> {
    let rows = rows(page);
    let mut offences = Vec::new();
    if rows.len() != expected {
        offences.push(format!(
            "spec/coverage.md: {} rows, and there are {expected} requirements: add what is missing",
            rows.len()
        ));
    }
    let mut ids = BTreeSet::new();
    for row in &rows {
        let at = format!("spec/coverage.md:{}", row.line);
        if row.id.is_empty() || !ids.insert(&row.id) {
            offences.push(format!("{at}: id {:?} is empty or stands twice", row.id));
        }
        if !STATES.contains(&row.state.as_str()) {
            offences.push(format!("{at}: state {:?} is none of {STATES:?}", row.state));
        }
        let named: Vec<&str> = row.test.split('`').skip(1).step_by(2).collect();
        if row.state == "met" && named.is_empty() {
            offences.push(format!(
                "{at}: {} is met by no test: name one, or say open",
                row.id
            ));
        }
        for name in named {
            let function = name.rsplit("::").next().unwrap_or(name);
            if !tests.contains(name) && !tests.contains(function) {
                offences.push(format!("{at}: no test {name} runs: correct the row"));
            }
        }
    }
    offences
}

/// The rows of every table that has the three columns.
fn rows(page: &str) -> Vec<Row> {
    let mut found = Vec::new();
    let mut columns: Option<[usize; 3]> = None;
    for (number, line) in page.lines().enumerate() {
        let Some(inner) = line.trim().strip_prefix('|') else {
            columns = None;
            continue;
        };
        let cells: Vec<&str> = inner
            .strip_suffix('|')
            .unwrap_or(inner)
            .split('|')
            .map(str::trim)
            .collect();
        let Some([id, state, test]) = columns else {
            let column = |name: &str| {
                cells
                    .iter()
                    .position(|cell| cell.eq_ignore_ascii_case(name))
            };
            if let (Some(id), Some(state), Some(test)) =
                (column("id"), column("state"), column("test"))
            {
                columns = Some([id, state, test]);
            }
            continue;
        };
        if cells
            .iter()
            .all(|cell| cell.chars().all(|char| char == '-' || char == ':'))
        {
            continue;
        }
        let cell = |at: usize| cells.get(at).copied().unwrap_or_default().to_owned();
        found.push(Row {
            line: number + 1,
            id: cell(id),
            state: cell(state),
            test: cell(test),
        });
    }
    found
}

/// The names of all tests that run: Rust functions under `#[test]` that are not ignored, and the
/// titles given to `test` and `it` in JavaScript.
pub(crate) fn test_names(files: &[File]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in files {
        if file.has_extension(&["rs"]) {
            let code = code_only(&file.text);
            for (at, _) in code.match_indices("#[test]") {
                let Some(function) = code[at..].find("fn ").map(|function| at + function) else {
                    continue;
                };
                // An attribute before or behind #[test], on lines of their own.
                let before = code[..at]
                    .rsplit(['}', ';', '{'])
                    .next()
                    .unwrap_or_default();
                let ignored = |text: &str| text.contains("#[ignore");
                if !ignored(before) && !ignored(&code[at..function]) {
                    names.insert(
                        code[function + 3..]
                            .chars()
                            .take_while(|char| char.is_alphanumeric() || *char == '_')
                            .collect(),
                    );
                }
            }
        } else if file.has_extension(&["js", "mjs"]) && file.is_test() {
            for call in ["test(", "it("] {
                for (at, _) in file.text.match_indices(call) {
                    let mut rest = file.text[at + call.len()..].chars();
                    if let Some(quote @ ('\'' | '"' | '`')) = rest.next() {
                        names.insert(rest.take_while(|char| *char != quote).collect());
                    }
                }
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(rows: &str) -> String {
        format!("# Coverage\n\n| Id | What | State | Test |\n|---|---|---|---|\n{rows}\n\nEnd.\n")
    }

    fn offences(rows: &str, expected: usize) -> Vec<String> {
        let tests = BTreeSet::from(["one_runs".to_owned(), "two runs".to_owned()]);
        check_page(&page(rows), &tests, expected)
    }

    #[test]
    fn good_rows_pass() {
        let rows = "| A1 | x | met | `log::one_runs`, `two runs` |\n| A2 | y | open | |\n\
                    | A3 | z | partly | `one_runs` |";
        assert_eq!(offences(rows, 3), Vec::<String>::new());
    }

    #[test]
    fn bad_rows_are_found() {
        for (rows, count, said) in [
            ("| A1 | x | open | |", 2, "1 rows"),
            (
                "| A1 | x | open | |\n| A1 | y | open | |",
                2,
                "stands twice",
            ),
            ("|  | x | open | |", 1, "is empty"),
            ("| A1 | x | done | |", 1, "is none of"),
            ("| A1 | x | met | |", 1, "met by no test"),
            ("| A1 | x | met | one_runs |", 1, "met by no test"),
            ("| A1 | x | met | `log::gone` |", 1, "no test log::gone"),
            ("| A1 | x | met | `one_runs`, `gone` |", 1, "no test gone"),
        ] {
            let found = offences(rows, count);
            assert_eq!(found.len(), 1, "{rows}: {found:?}");
            assert!(found[0].contains(said), "{rows}: {found:?}");
        }
    }

    #[test]
    fn tests_are_collected_unless_ignored() {
        let source = "#[test]\nfn a() {}\n#[test]\n#[ignore = \"long\"]\nfn b() {}\n\
                      #[ignore]\n#[test]\nfn c() {}\n// #[test]\nfn d() {}\nfn e() {}\n\
                      proptest! { #[test] fn f(x in 0..1) {} }\n";
        let script = "import { test } from 'node:test';\ntest('g h', () => {});\nit(\"i\", f);\n";
        let names = test_names(&[
            File::new("spec/src/a.rs", source),
            File::new("verifier/js/test/a.js", script),
        ]);
        let expected = ["a", "f", "g h", "i"].map(str::to_owned);
        assert_eq!(names, BTreeSet::from(expected));
    }
}
