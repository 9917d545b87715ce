//! The pages of `spec/` against the code and the vectors, in both directions.
//!
//! A page ends in a *foot*: `Code:` with the files it describes and `Vectors:` with their folders.
//! The foot decides what the page answers for: every code such a file can give stands on the page,
//! and every word the page sets in a code span is a word of the code.
#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it must be"
)]

mod order;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Pages that describe no single format and so have no foot.
const NO_FOOT: &[&str] = &["README.md", "coverage.md", "interop.md"];
/// Pages without vectors of their own, and why.
const NO_VECTORS: &[(&str, &str)] = &[
    ("did.md", "its tables are tried row by row in the code"),
    ("http.md", "its document is made from the code"),
    ("vc-api.md", "other people's suites ask it"),
    ("limits.md", "its table is compared with the constants"),
    ("lifecycle.md", "its tables are tried cell by cell"),
    ("report.md", "its table is tried row by row in the code"),
    (
        "status-list.md",
        "W3C's and IETF's lists are in the code's tests",
    ),
    (
        "publication.md",
        "one program reads and writes it: the fault table in the code",
    ),
];
/// Instead of a page: any.
const ANY: &str = "";
/// Words in code spans that are no words of the code, and whose they are.
const FOREIGN_WORDS: &[(&str, &str)] = &[
    (ANY, "apply"),                          // a function
    ("binary.md", "z8o8"),                   // an example
    ("evidence.md", "included"),             // what an auditor answers
    ("evidence.md", "overdue"),              // the same
    ("evidence.md", "unproved"),             // the same
    ("evidence.md", "waiting"),              // the same
    ("http.md", "add-checkpoint"),           // a route of C2SP's
    ("http.md", "detail_zh"),                // the same
    ("http.md", "faults"),                   // the same
    ("http.md", "instance"),                 // the same
    ("http.md", "conditions"),               // a field of a struct
    ("http.md", "end"),                      // a field of a struct
    ("http.md", "possible"),                 // a field of a struct
    ("http.md", "problem"),                  // a field of a struct
    ("http.md", "reference"),                // a field of a struct
    ("http.md", "remarks"),                  // a field of a struct
    ("http.md", "useConditions"),            // a field of a struct
    ("http.md", "title_zh"),                 // the same
    ("lifecycle.md", "lift"),                // the beginning of verbs
    ("lifecycle.md", "stays"),               // what a cell says
    ("lifecycle.md", "withdraw"),            // the beginning of verbs
    ("publication.md", "after"),             // a member of a file of the ledger's
    ("publication.md", "checkpoint"),        // an object's name
    ("publication.md", "session"),           // a member of a file of the ledger's
    ("publication.md", "term"),              // the same
    ("signature.md", "refused"),             // what a foreign vector says
    ("signature.md", "verify_strict"),       // a function of another crate
    ("subject.md", "seal"),                  // reserved
    ("vc-api.md", "challenge-used"),         // of the VC-API, or what the served mode says
    ("vc-api.md", "credentialId"),           // of the VC-API, or what the served mode says
    ("vc-api.md", "envelope-audience"),      // of the VC-API, or what the served mode says
    ("vc-api.md", "envelope-challenge"),     // of the VC-API, or what the served mode says
    ("vc-api.md", "envelope-media"),         // of the VC-API, or what the served mode says
    ("vc-api.md", "envelope-other"),         // of the VC-API, or what the served mode says
    ("vc-api.md", "errors"),                 // of the VC-API, or what the served mode says
    ("vc-api.md", "holder-not-proven"),      // of the VC-API, or what the served mode says
    ("vc-api.md", "holder-other"),           // of the VC-API, or what the served mode says
    ("vc-api.md", "invalidDidUrl"),          // of the VC-API, or what the served mode says
    ("vc-api.md", "invalidPublicKeyType"),   // of the VC-API, or what the served mode says
    ("vc-api.md", "json"),                   // of the VC-API, or what the served mode says
    ("vc-api.md", "key-not-known"),          // of the VC-API, or what the served mode says
    ("vc-api.md", "method-other"),           // of the VC-API, or what the served mode says
    ("vc-api.md", "not-found"),              // of the VC-API, or what the served mode says
    ("vc-api.md", "not-its-key"),            // of the VC-API, or what the served mode says
    ("vc-api.md", "not-kept"),               // of the VC-API, or what the served mode says
    ("vc-api.md", "option-unknown"),         // of the VC-API, or what the served mode says
    ("vc-api.md", "option-value"),           // of the VC-API, or what the served mode says
    ("vc-api.md", "presentation"),           // of the VC-API, or what the served mode says
    ("vc-api.md", "problemDetails"),         // of the VC-API, or what the served mode says
    ("vc-api.md", "request-member"),         // of the VC-API, or what the served mode says
    ("vc-api.md", "request-missing"),        // of the VC-API, or what the served mode says
    ("vc-api.md", "request-object"),         // of the VC-API, or what the served mode says
    ("vc-api.md", "returnCredential"),       // of the VC-API, or what the served mode says
    ("vc-api.md", "returnPresentation"),     // of the VC-API, or what the served mode says
    ("vc-api.md", "schema-data"),            // of the VC-API, or what the served mode says
    ("vc-api.md", "schema-not-here"),        // of the VC-API, or what the served mode says
    ("vc-api.md", "status-absent"),          // of the VC-API, or what the served mode says
    ("vc-api.md", "status-full"),            // of the VC-API, or what the served mode says
    ("vc-api.md", "status-not-here"),        // of the VC-API, or what the served mode says
    ("vc-api.md", "status-revoked"),         // of the VC-API, or what the served mode says
    ("vc-api.md", "status-suspended"),       // of the VC-API, or what the served mode says
    ("vc-api.md", "title_zh"),               // of the VC-API, or what the served mode says
    ("vc-api.md", "too-many-credentials"),   // of the VC-API, or what the served mode says
    ("vc-api.md", "too-many-schemas"),       // of the VC-API, or what the served mode says
    ("vc-api.md", "unavailable"),            // of the VC-API, or what the served mode says
    ("vc-api.md", "verifiablePresentation"), // of the VC-API, or what the served mode says
    ("vc-api.md", "verified"),               // of the VC-API, or what the served mode says
    ("vc-api.md", "warnings"),               // of the VC-API, or what the served mode says
];

/// A page of `spec/`.
struct Page {
    name: String,
    text: String,
}

fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("a crate of the workspace").to_owned()
}

fn pages() -> Vec<Page> {
    let mut pages: Vec<Page> = fs::read_dir(root().join("spec"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .map(|path| Page {
            name: path.file_name().unwrap().to_str().unwrap().to_owned(),
            text: fs::read_to_string(&path).unwrap(),
        })
        .collect();
    pages.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(pages.len() > 25, "the pages are there");
    pages
}

#[track_caller]
fn none(offences: Vec<String>) {
    let count = offences.len();
    assert!(
        offences.is_empty(),
        "{count} offence(s):\n  {}",
        offences.join("\n  ")
    );
}

/// Code spans outside indented and fenced blocks, with their line numbers.
fn spans(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut fenced = false;
    // Four spaces make a block only below an empty line; elsewhere they continue a paragraph.
    let mut block = true;
    for (number, line) in text.lines().enumerate() {
        block = line.is_empty() || block && line.starts_with("    ");
        if line.starts_with("```") {
            fenced = !fenced;
        } else if !fenced && !block {
            let spans = line.split('`').skip(1).step_by(2);
            found.extend(spans.map(|span| (number + 1, span)));
        }
    }
    found
}

/// The cells of all tables, with line number, the header above and the cell's own text.
fn cells(text: &str) -> Vec<(usize, String, String)> {
    let split = |line: &str| -> Vec<String> {
        let inner = line.trim_matches('|');
        inner
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    let mut found = Vec::new();
    let mut header: Option<Vec<String>> = None;
    for (number, line) in text.lines().enumerate() {
        if !line.starts_with('|') {
            header = None;
        } else if let Some(names) = &header {
            for (cell, name) in split(line).into_iter().zip(names) {
                found.push((number + 1, name.clone(), cell));
            }
        } else {
            header = Some(split(line));
        }
    }
    found
}

/// What a foot names, as paths from the root of the checkout: code, then vectors.
///
/// A bare file name stands beside the path before it: `src/wire/json.rs`, `fields.rs`.
fn foot(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut code, mut vectors) = (Vec::new(), Vec::new());
    let Some(start) = text.rfind("Code: ") else {
        return (code, vectors);
    };
    let foot = &text[start..];
    let (first, second) = foot.split_once("Vectors: ").unwrap_or((foot, ""));
    for (part, paths) in [(first, &mut code), (second, &mut vectors)] {
        let mut folder = String::new();
        for span in part.split('`').skip(1).step_by(2) {
            let path = match span.split_once('/') {
                None if span.contains('.') => format!("{folder}{span}"),
                None => continue,
                Some(("..", rest)) => rest.to_owned(),
                Some(_) => format!("spec/{span}"),
            };
            let end = path.rfind('/').map_or(0, |slash| slash + 1);
            path[..end].clone_into(&mut folder);
            paths.push(path);
        }
    }
    (code, vectors)
}

/// Whether the path of a foot covers a source file: it is the file, or a folder or module above, or
/// the file holds the errors of its whole folder.
fn covers(path: &str, file: &str) -> bool {
    let module = path
        .strip_suffix(".rs")
        .unwrap_or(path)
        .trim_end_matches('/');
    let folder = path.rfind('/').map_or("", |slash| &path[..slash]);
    file == path || file.starts_with(&format!("{module}/")) || file == format!("{folder}/error.rs")
}

fn files_below(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let Ok(folder) = fs::read_dir(path) else {
        return Vec::new();
    };
    folder
        .flat_map(|entry| files_below(&entry.unwrap().path()))
        .collect()
}

fn feet_that_lead_nowhere(pages: &[Page], exists: impl Fn(&str) -> bool) -> Vec<String> {
    let mut offences = Vec::new();
    for page in pages
        .iter()
        .filter(|page| !NO_FOOT.contains(&page.name.as_str()))
    {
        let name = &page.name;
        let (code, vectors) = foot(&page.text);
        if code.is_empty() {
            offences.push(format!("spec/{name} does not say `Code: …` at its end"));
        }
        let excused = NO_VECTORS.iter().any(|(page, _)| page == name);
        if vectors.is_empty() != excused {
            offences.push(format!(
                "spec/{name}: {} vectors named at its end",
                vectors.len()
            ));
        }
        for path in code.iter().chain(&vectors).filter(|path| !exists(path)) {
            offences.push(format!("spec/{name} names {path}, which holds no file"));
        }
    }
    offences
}

#[test]
fn every_page_names_code_and_vectors_that_exist() {
    let root = root();
    none(feet_that_lead_nowhere(&pages(), |path| {
        !files_below(&root.join(path)).is_empty()
    }));
}

#[test]
fn every_folder_of_vectors_is_named_by_a_page() {
    let named: Vec<String> = pages().iter().flat_map(|page| foot(&page.text).1).collect();
    let folder = root().join("spec/vectors");
    let mut offences = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let inside = format!("spec/vectors/{name}/");
        if !named.iter().any(|path| path.starts_with(&inside)) {
            offences.push(format!("{inside} is named by no page"));
        }
    }
    none(offences);
}

/// The codes a page names: in a code span, or alone in the cell of a table.
fn named_codes(page: &Page) -> BTreeSet<String> {
    let spans = spans(&page.text)
        .into_iter()
        .map(|(_, span)| span.to_owned());
    let cells = cells(&page.text).into_iter().map(|(_, _, cell)| cell);
    spans.chain(cells).collect()
}

/// Whether `code` is among the names, or made of a prefix among them and another name: the page of
/// verifying says how `issuer_pack_` codes arise; others say `binary-…` for a page of its own.
fn is_named(code: &str, names: &BTreeSet<String>) -> bool {
    names.contains(code)
        || names.iter().any(|name| {
            let rest = name
                .strip_suffix(['_', '-'])
                .map(|_| code.strip_prefix(name.as_str()));
            rest.flatten().is_some_and(|rest| names.contains(rest))
        })
}

fn codes_without_prose(pages: &[Page], codes: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut offences = Vec::new();
    for (file, codes) in codes {
        let mut names = BTreeSet::new();
        let mut whose = Vec::new();
        for page in pages {
            if foot(&page.text).0.iter().any(|path| covers(path, file)) {
                names.extend(named_codes(page));
                whose.push(page.name.as_str());
            }
        }
        if whose.is_empty() {
            offences.push(format!(
                "{file} gives codes, and no page names it at its end"
            ));
            continue;
        }
        for code in codes.iter().filter(|code| !is_named(code, &names)) {
            let whose = whose.join(", ");
            offences.push(format!(
                "{file} gives {code}, which spec/{whose} does not name"
            ));
        }
    }
    offences
}

#[test]
fn every_code_of_the_code_is_on_its_page() {
    let codes = source::codes(&root());
    let total: usize = codes.values().map(BTreeSet::len).sum();
    assert!(total > 200, "the codes are found: {total}");
    let refusals = codes
        .get("spec/src/life/apply/refusal.rs")
        .expect("its codes come from a macro");
    let known = zhao_spec::life::apply::Refusal::CODES;
    assert_eq!(refusals.len(), known.len(), "the macro is read whole");
    let checks = codes.get("verifier/src/check.rs").expect("a macro too");
    for check in zhao_verifier::Check::ALL {
        assert!(checks.contains(check.code()), "{}", check.code());
    }
    none(codes_without_prose(&pages(), &codes));
}

/// A word as codes, verbs and members are spelt.
fn is_word(span: &str) -> bool {
    span.starts_with(|first: char| first.is_ascii_lowercase())
        && span
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || char == '_' || char == '-')
        && !span.ends_with(['_', '-'])
}

fn words_without_code(pages: &[Page], words: &BTreeSet<String>) -> Vec<String> {
    let mut offences = Vec::new();
    for page in pages
        .iter()
        .filter(|page| !NO_FOOT.contains(&page.name.as_str()))
    {
        for (line, span) in spans(&page.text) {
            let foreign = [ANY, page.name.as_str()]
                .iter()
                .any(|page| FOREIGN_WORDS.contains(&(page, span)));
            if is_word(span) && !foreign && !words.contains(span) {
                let name = &page.name;
                offences.push(format!("spec/{name}:{line}: no code knows `{span}`"));
            }
        }
    }
    offences
}

#[test]
fn every_word_in_a_code_span_is_a_word_of_the_code() {
    let words = source::words(&root());
    let pages = pages();
    none(words_without_code(&pages, &words));
    for (name, word) in FOREIGN_WORDS {
        let used = pages
            .iter()
            .filter(|page| *name == ANY || page.name == *name)
            .any(|page| spans(&page.text).iter().any(|(_, span)| span == word));
        assert!(
            used && !words.contains(*word),
            "{name}: {word} is no exception any more"
        );
    }
}

/// Spans in a column headed `code` must be codes, not just words.
fn code_columns(pages: &[Page], codes: &BTreeSet<String>) -> Vec<String> {
    let mut offences = Vec::new();
    for page in pages
        .iter()
        .filter(|page| !NO_FOOT.contains(&page.name.as_str()))
    {
        for (line, header, cell) in cells(&page.text) {
            if header != "code" {
                continue;
            }
            for span in cell.split('`').skip(1).step_by(2) {
                let prefix = span.strip_suffix('…').filter(|prefix| !prefix.is_empty());
                let known = match prefix {
                    Some(prefix) => codes.iter().any(|code| code.starts_with(prefix)),
                    None => codes.contains(span),
                };
                if !known {
                    let name = &page.name;
                    offences.push(format!("spec/{name}:{line}: `{span}` is no code"));
                }
            }
        }
    }
    offences
}

/// Spans like `binary-…` stand for codes that begin so.
fn families(pages: &[Page], codes: &BTreeSet<String>) -> Vec<String> {
    let mut offences = Vec::new();
    for page in pages {
        for (line, span) in spans(&page.text) {
            if let Some(prefix) = span.strip_suffix('…')
                && is_word(prefix.trim_end_matches(['_', '-']))
                && prefix.ends_with(['_', '-'])
                && !codes.iter().any(|code| code.starts_with(prefix))
            {
                let name = &page.name;
                offences.push(format!("spec/{name}:{line}: no code begins `{prefix}`"));
            }
        }
    }
    offences
}

#[test]
fn every_code_in_prose_is_a_code() {
    let codes = source::codes(&root()).into_values().flatten().collect();
    let pages = pages();
    none(code_columns(&pages, &codes));
    none(families(&pages, &codes));
}

#[test]
fn the_front_page_lists_every_page_once_and_every_folder() {
    let pages = pages();
    let front = pages
        .iter()
        .find(|page| page.name == "README.md")
        .expect("a front page");
    let mut offences = Vec::new();
    for page in pages.iter().filter(|page| page.name != "README.md") {
        let rows = front
            .text
            .lines()
            .filter(|line| line.starts_with('|') && line.contains(&format!("]({})", page.name)));
        let rows: Vec<&str> = rows.collect();
        let [row] = rows.as_slice() else {
            let name = &page.name;
            offences.push(format!("spec/README.md has {} rows for {name}", rows.len()));
            continue;
        };
        let (code, vectors) = foot(&page.text);
        for path in code.iter().chain(&vectors) {
            // A file of vectors is covered by its folder.
            let shown = path
                .strip_prefix("spec/")
                .map_or(format!("../{path}"), str::to_owned);
            let folder = shown.rfind('/').map_or("", |slash| &shown[..=slash]);
            let named = |path: &str| row.contains(&format!("`{path}`"));
            let in_folder = path.contains("/vectors/") && named(folder);
            if !(named(&shown) || in_folder) {
                offences.push(format!(
                    "spec/README.md, row {}: {shown} is missing",
                    page.name
                ));
            }
        }
    }
    none(offences);
}

#[test]
fn links_between_pages_lead_somewhere() {
    let root = root().join("spec");
    let mut offences = Vec::new();
    for page in pages() {
        for (number, line) in page.text.lines().enumerate() {
            for (at, _) in line.match_indices("](") {
                let target = line[at + 2..].split([')', '#']).next().unwrap_or_default();
                if !target.contains(':') && !target.is_empty() && !root.join(target).exists() {
                    let name = &page.name;
                    offences.push(format!("spec/{name}:{}: no {target}", number + 1));
                }
            }
        }
    }
    none(offences);
}

/// The rows of requirements: id, state, tests named.
fn requirements(text: &str) -> Vec<(String, String, Vec<String>)> {
    let mut rows: Vec<(String, String, Vec<String>)> = Vec::new();
    for (_, header, cell) in cells(text) {
        match (header.as_str(), rows.last_mut()) {
            ("Id", _) => rows.push((cell, String::new(), Vec::new())),
            ("State", Some(row)) => row.1 = cell,
            ("Test", Some(row)) => {
                row.2 = cell
                    .split('`')
                    .skip(1)
                    .step_by(2)
                    .map(str::to_owned)
                    .collect();
            }
            _ => {}
        }
    }
    rows.retain(|(id, _, _)| !id.starts_with("--"));
    rows
}

fn met_by_tests_of_other_rows(text: &str) -> Vec<String> {
    let mut offences = Vec::new();
    for (id, state, tests) in requirements(text) {
        let own = format!("{}_", id.to_lowercase().replace('-', "_"));
        if state == "met" && !tests.iter().any(|test| test.starts_with(&own)) {
            offences.push(format!("{id} is met, and no test {own}… is named"));
        }
    }
    offences
}

#[test]
fn met_requirements_have_a_test_named_for_them_and_the_totals_are_right() {
    let pages = pages();
    let page = pages.iter().find(|page| page.name == "coverage.md");
    let text = &page.expect("the page of coverage").text;
    let mut offences = met_by_tests_of_other_rows(text);
    let rows = requirements(text);
    for state in ["met", "partly", "open", "all"] {
        let count = rows
            .iter()
            .filter(|(_, of, _)| state == "all" || of == state)
            .count();
        if !text.contains(&format!("\n| {state} | {count} |\n")) {
            offences.push(format!("there are {count} rows: {state}"));
        }
    }
    none(offences);
}

mod samples {
    //! Each rule fails when it should.
    use super::*;

    fn page(text: &str) -> Vec<Page> {
        vec![Page {
            name: "a.md".to_owned(),
            text: text.to_owned(),
        }]
    }

    fn set(words: &[&str]) -> BTreeSet<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn feet_are_read() {
        let text = "Code: `src/a/b.rs`, `c.rs`; judge: `../verifier/src/d.rs`. \
                    Vectors: `vectors/e/` (`f.json`).";
        let (code, vectors) = foot(text);
        assert_eq!(
            code,
            ["spec/src/a/b.rs", "spec/src/a/c.rs", "verifier/src/d.rs"]
        );
        assert_eq!(vectors, ["spec/vectors/e/", "spec/vectors/e/f.json"]);
        for (bad, said) in [
            ("# A", "does not say"),
            ("Code: `src/a.rs`.", "0 vectors"),
            (
                "Code: `src/gone.rs`. Vectors: `vectors/e/`.",
                "spec/src/gone.rs",
            ),
        ] {
            let found = feet_that_lead_nowhere(&page(bad), |path| !path.contains("gone"));
            assert!(
                found.iter().any(|line| line.contains(said)),
                "{bad}: {found:?}"
            );
        }
    }

    #[test]
    fn codes_without_prose_are_found() {
        let codes = BTreeMap::from([("spec/src/a/b.rs".to_owned(), set(&["x_y", "p_x_y"]))]);
        let find = |text: &str| codes_without_prose(&page(text), &codes);
        assert!(find("`x_y`, `p_` before it. Code: `src/a.rs`.").is_empty());
        assert!(find("| c |\n|---|\n| x_y |\n`p_x_y` Code: `src/a/`.").is_empty());
        assert_eq!(find("`x_y` Code: `src/a.rs`.").len(), 1);
        assert_eq!(find("x_y, `p_x_y`, `x_yy` Code: `src/a/b.rs`.").len(), 1);
        assert_eq!(
            find("`x_y`, `p_x_y` Code: `src/ab.rs`.").len(),
            1,
            "whose page"
        );
    }

    #[test]
    fn words_and_codes_unknown_to_the_code_are_found() {
        let words = set(&["seq", "x-y"]);
        assert!(
            words_without_code(&page("`seq`, `x-y`, `a b`, `X`, `/p`\n\n    `no`"), &words)
                .is_empty()
        );
        assert_eq!(words_without_code(&page("`sec`"), &words).len(), 1);
        let codes = set(&["x-y"]);
        assert!(code_columns(&page("| code |\n|---|\n| `x-y` `x-…` |"), &codes).is_empty());
        assert_eq!(
            code_columns(&page("| code |\n|---|\n| `seq` `y-…` |"), &codes).len(),
            2
        );
        assert!(families(&page("`x-…`, `…`, `z6Mk…`"), &codes).is_empty());
        assert_eq!(families(&page("`y-…`"), &codes).len(), 1);
    }

    #[test]
    fn requirements_met_by_another_rows_test_are_found() {
        let row = |state: &str, test: &str| {
            format!("| Id | State | Test |\n|---|---|---|\n| STA-06 | {state} | {test} |")
        };
        let find = |state, test| met_by_tests_of_other_rows(&row(state, test)).len();
        assert_eq!(find("met", "`other`, `sta_06_x`"), 0);
        assert_eq!(find("partly", "`other`"), 0);
        assert_eq!(find("met", "`sta_07_x`"), 1);
        assert_eq!(find("met", ""), 1);
        assert_eq!(requirements(&row("met", "`a`")).len(), 1);
    }
}
