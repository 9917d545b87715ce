//! Rules over source files: size, and what may be called where.

use crate::rust::{code_only, lines_with, without_tests};
use crate::tree::File;

/// Longest code file, in lines. Files of tests are exempt: a table of cases may be long.
const FILE_LINES_MAX: usize = 600;
/// Longest line of Rust, in characters; what rustfmt leaves alone counts as well.
const LINE_CHARS_MAX: usize = 100;

/// Clocks and randomness, and the files that own them: a call, then the paths that may contain it.
/// A path that ends in `/` is a folder. Everyone else takes a time or a generator as an argument.
pub(crate) const OWNED: &[(&str, &[&str])] = &[
    ("SystemTime::now", &["cli/src/host.rs"]),
    ("Instant::now", &["cli/src/host.rs", "tests/"]),
    ("getrandom::", &["cli/src/host.rs"]),
    ("thread_rng", &[]),
    ("rand::rng", &[]),
    ("rand::random", &[]),
    ("OsRng", &[]),
    ("SysRng", &["cli/src/host.rs"]),
    ("Uuid::new_v4", &[]),
];

/// What pure code has no business with, as paths and keywords.
const SIDE_EFFECTS: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "std::time",
    "std::thread",
    "std::process",
    "std::io",
    "std::sync::mpsc",
    "async fn",
    ".await",
    "static mut",
    "println!",
    "eprintln!",
    "thread_local!",
];

fn rust_files(files: &[File]) -> impl Iterator<Item = &File> {
    files.iter().filter(|file| file.has_extension(&["rs"]))
}

/// Rust of the two crates a verifier consists of, code only and without tests.
fn verifying_code(files: &[File]) -> impl Iterator<Item = (&File, String)> {
    rust_files(files)
        .filter(|file| {
            (file.path.starts_with("spec/src/") || file.path.starts_with("verifier/src/"))
                && !file.is_test()
        })
        .map(|file| (file, without_tests(&code_only(&file.text))))
}

pub(crate) fn file_sizes(files: &[File]) -> Vec<String> {
    files
        .iter()
        .filter(|file| {
            file.has_extension(&["rs", "js", "mjs", "py", "go", "sh"]) && !file.is_test()
        })
        .map(|file| (file, file.text.lines().count()))
        .filter(|(_, lines)| *lines > FILE_LINES_MAX)
        .map(|(file, lines)| {
            format!(
                "{}: {lines} lines, at most {FILE_LINES_MAX}: split it by subject",
                file.path
            )
        })
        .collect()
}

pub(crate) fn line_lengths(files: &[File]) -> Vec<String> {
    let mut offences = Vec::new();
    for file in rust_files(files) {
        for (number, line) in file.text.lines().enumerate() {
            let length = line.chars().count();
            if length > LINE_CHARS_MAX {
                offences.push(format!(
                    "{}:{}: {length} characters, at most {LINE_CHARS_MAX}: break the line",
                    file.path,
                    number + 1
                ));
            }
        }
    }
    offences
}

pub(crate) fn owned_calls(files: &[File], owned: &[(&str, &[&str])]) -> Vec<String> {
    let mut offences = Vec::new();
    for file in rust_files(files) {
        let code = code_only(&file.text);
        for (call, owners) in owned {
            let owner = owners.iter().any(|owner| {
                file.path == *owner || (owner.ends_with('/') && file.path.starts_with(owner))
            });
            if owner {
                continue;
            }
            for line in lines_with(&code, call) {
                offences.push(format!(
                    "{}:{line}: {call} belongs to {owners:?}: take its result as an argument",
                    file.path
                ));
            }
        }
    }
    offences
}

pub(crate) fn no_batch_verification(files: &[File]) -> Vec<String> {
    let mut offences = Vec::new();
    for file in rust_files(files) {
        let code = code_only(&file.text);
        for line in lines_with(&code, "verify_batch") {
            offences.push(format!(
                "{}:{line}: batch verification accepts other signatures: use verify_strict",
                file.path
            ));
        }
    }
    offences
}

pub(crate) fn no_foreign_json(files: &[File]) -> Vec<String> {
    let mut offences = Vec::new();
    for (file, code) in verifying_code(files) {
        for word in ["serde_json", "serde"] {
            for line in lines_with(&code, word) {
                offences.push(format!(
                    "{}:{line}: {word} reads what our format refuses: use zhao_spec::wire",
                    file.path
                ));
            }
        }
    }
    offences
}

pub(crate) fn no_side_effects(files: &[File]) -> Vec<String> {
    let mut offences = Vec::new();
    for (file, code) in verifying_code(files) {
        for word in SIDE_EFFECTS {
            for line in lines_with(&code, word) {
                offences.push(format!(
                    "{}:{line}: {word} has no place in a pure crate: take an argument",
                    file.path
                ));
            }
        }
    }
    offences
}

/// Who names the engine beside the store: the benchmark measures it and puts a peer over it, and
/// the tests of faults put a disk that fails under it. Neither is part of the product.
const ENGINE: [&str; 3] = ["ledger/src/store/rocks", "tests/bench/", "tests/faults/"];

pub(crate) fn rocksdb_in_one_place(files: &[File]) -> Vec<String> {
    let mut offences = Vec::new();
    for file in rust_files(files) {
        if ENGINE.iter().any(|place| file.path.starts_with(place)) {
            continue;
        }
        let code = code_only(&file.text);
        for word in ["rocksdb::", "use rocksdb", "librocksdb_sys"] {
            for line in lines_with(&code, word) {
                offences.push(format!(
                    "{}:{line}: only ledger/src/store/rocks.rs names rocksdb: go through the store",
                    file.path
                ));
            }
        }
    }
    offences
}

/// The lint denies it and may be lifted by an attribute: here only one crate may, and no product
/// depends on that one.
pub(crate) fn unsafe_in_one_place(files: &[File]) -> Vec<String> {
    let mut offences = Vec::new();
    for file in rust_files(files) {
        if file.path.starts_with("tests/faults/src/") {
            continue;
        }
        let code = code_only(&file.text);
        for word in ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern"] {
            for line in lines_with(&code, word) {
                offences.push(format!(
                    "{}:{line}: {word}: only tests/faults may, which no product contains",
                    file.path
                ));
            }
        }
    }
    offences
}

/// The JavaScript verifier: no clock, no randomness, no network, no lenient JSON, no packages. Its
/// command line, in `bin/`, is where files, the clock and lists of things to do come in.
pub(crate) fn javascript_alone(files: &[File]) -> Vec<String> {
    let banned = [
        "Date.now",
        "new Date()",
        "Math.random",
        "fetch(",
        "JSON.parse",
        "eval(",
        "require(",
    ];
    let mut offences = Vec::new();
    let ours = files.iter().filter(|file| {
        file.path.starts_with("verifier/js/")
            && file.has_extension(&["js", "mjs"])
            && !file.is_test()
    });
    for file in ours {
        let edge = file.path.starts_with("verifier/js/bin/");
        let banned = if edge {
            &["Math.random", "fetch(", "eval(", "require("][..]
        } else {
            &banned[..]
        };
        for (number, line) in file.text.lines().enumerate() {
            let at = number + 1;
            let trimmed = line.trim_start();
            if trimmed.starts_with("//") || trimmed.starts_with('*') || trimmed.starts_with("/*") {
                continue;
            }
            let code = line.split(" //").next().unwrap_or_default();
            for word in banned
                .iter()
                .filter(|word| !lines_with(code, word).is_empty())
            {
                offences.push(format!(
                    "{}:{at}: {word} has no place in the verifier: take an argument, or write it \
                     here",
                    file.path
                ));
            }
            let import = trimmed.starts_with("import ") || trimmed.starts_with("} from ");
            if import && code.contains("/kit/") {
                offences.push(format!(
                    "{}:{at}: kit/ is for tests: move what the verifier needs out of it",
                    file.path
                ));
            }
            let allowed = ["'./", "\"./", "'../", "\"../"]
                .iter()
                .any(|from| code.contains(from))
                || (edge && code.contains("'node:"));
            if import && code.contains(['\'', '"']) && !allowed {
                offences.push(format!(
                    "{}:{at}: the verifier has no dependencies: import only its own files",
                    file.path
                ));
            }
        }
    }
    offences
}

/// Markers of unfinished work, in every text file. Written in pieces so that this one passes.
pub(crate) fn unfinished(files: &[File]) -> Vec<String> {
    let markers = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("X", "XX"),
        concat!("TB", "D"),
    ];
    let calls = ["todo!", "unimplemented!"];
    let phrases = [
        concat!("to be ", "written"),
        concat!("not yet ", "implemented"),
    ];
    let checked = [
        "rs", "js", "mjs", "py", "go", "sh", "md", "toml", "yml", "html", "css", "run",
    ];
    let mut offences = Vec::new();
    for file in files {
        if !(file.has_extension(&checked) || file.path == "Makefile" || file.path == ".ci/run") {
            continue;
        }
        let mut report = |line: usize, word: &str| {
            offences.push(format!(
                "{}:{line}: {word}: finish it, or file it where work is planned",
                file.path
            ));
        };
        for word in markers {
            lines_with(&file.text, word)
                .into_iter()
                .for_each(|line| report(line, word));
        }
        for (number, line) in file.text.lines().enumerate() {
            let said = line
                .trim_start_matches(['/', '!', '#', '*', ' ', '<', '-'])
                .to_lowercase();
            for phrase in phrases.iter().filter(|phrase| said.starts_with(**phrase)) {
                report(number + 1, phrase);
            }
        }
        if file.has_extension(&["rs"]) {
            let code = code_only(&file.text);
            for call in calls {
                lines_with(&code, call)
                    .into_iter()
                    .for_each(|line| report(line, call));
            }
        }
    }
    offences
}

/// Waiting for a time makes a test slow when it passes and wrong when the machine is slow.
pub(crate) fn no_sleep(files: &[File]) -> Vec<String> {
    let mut offences = Vec::new();
    for file in files {
        let (code, words) = if file.has_extension(&["rs"]) {
            (
                code_only(&file.text),
                &["thread::sleep", ".sleep(", "time::sleep"][..],
            )
        } else if file.has_extension(&["js", "mjs"]) {
            (file.text.clone(), &["setTimeout", "setInterval"][..])
        } else {
            continue;
        };
        for word in words {
            for line in lines_with(&code, word) {
                offences.push(format!(
                    "{}:{line}: {word}: wait for the condition itself, with a deadline",
                    file.path
                ));
            }
        }
    }
    offences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_code_is_found() {
        let found = |path: &str, text: &str| unsafe_in_one_place(&one(path, text)).len();
        assert_eq!(found("cli/src/main.rs", "fn f() { unsafe { g() } }"), 1);
        assert_eq!(found("tests/src/lib.rs", "unsafe impl Send for X {}"), 1);
        assert_eq!(
            found("tests/faults/src/lib.rs", "unsafe impl Send for X {}"),
            0
        );
        assert_eq!(
            found("spec/src/lib.rs", "// unsafe {\n#![forbid(unsafe_code)]"),
            0
        );
    }

    fn one(path: &str, text: &str) -> Vec<File> {
        vec![File::new(path, text)]
    }

    #[test]
    fn long_files_are_found_except_tests() {
        let long = "x\n".repeat(FILE_LINES_MAX + 1);
        let right = "x\n".repeat(FILE_LINES_MAX);
        assert_eq!(file_sizes(&one("spec/src/a.rs", &long)).len(), 1);
        assert_eq!(file_sizes(&one("verifier/js/a.js", &long)).len(), 1);
        assert!(file_sizes(&one("spec/src/a.rs", &right)).is_empty());
        assert!(file_sizes(&one("spec/src/a/tests.rs", &long)).is_empty());
        assert!(file_sizes(&one("tests/tests/a.rs", &long)).is_empty());
        assert!(file_sizes(&one("spec/a.md", &long)).is_empty());
    }

    #[test]
    fn long_lines_are_found_in_characters() {
        let line = |count: usize| format!("ok\n{}\n", "照".repeat(count));
        assert!(line_lengths(&one("a.rs", &line(LINE_CHARS_MAX))).is_empty());
        let found = line_lengths(&one("a.rs", &line(LINE_CHARS_MAX + 1)));
        assert!(found[0].starts_with("a.rs:2: 101 characters"), "{found:?}");
        assert!(line_lengths(&one("a.md", &line(LINE_CHARS_MAX + 1))).is_empty());
    }

    #[test]
    fn clocks_and_randomness_are_found_outside_their_files() {
        let owned: &[(&str, &[&str])] = &[
            ("SystemTime::now", &["cli/src/clock.rs", "tests/"]),
            ("OsRng", &[]),
        ];
        let call = "let t = std::time::SystemTime::now();";
        assert_eq!(owned_calls(&one("ledger/src/a.rs", call), owned).len(), 1);
        assert_eq!(
            owned_calls(&one("cli/src/clock.rs.rs", call), owned).len(),
            1
        );
        assert!(owned_calls(&one("cli/src/clock.rs", call), owned).is_empty());
        assert!(owned_calls(&one("tests/tests/a.rs", call), owned).is_empty());
        assert_eq!(
            owned_calls(&one("cli/src/clock.rs", "OsRng.next()"), owned).len(),
            1
        );
        assert!(owned_calls(&one("a.rs", "// SystemTime::now\n\"OsRng\""), owned).is_empty());
    }

    #[test]
    fn batch_verification_is_found() {
        assert_eq!(
            no_batch_verification(&one("a.rs", "dalek::verify_batch(&m)")).len(),
            1
        );
        assert!(no_batch_verification(&one("a.rs", "// no verify_batch here")).is_empty());
    }

    #[test]
    fn a_lenient_json_reader_is_found_except_in_tests() {
        let usage = "use serde_json::Value;";
        assert_eq!(no_foreign_json(&one("spec/src/a.rs", usage)).len(), 1);
        assert_eq!(no_foreign_json(&one("verifier/src/a.rs", usage)).len(), 1);
        assert_eq!(
            no_foreign_json(&one("spec/src/a.rs", "use serde::Deserialize;")).len(),
            1
        );
        for allowed in ["spec/src/a/tests.rs", "spec/tests/a.rs", "issuer/src/a.rs"] {
            assert!(
                no_foreign_json(&one(allowed, usage)).is_empty(),
                "{allowed}"
            );
        }
        let inner = "#[cfg(test)]\nmod tests {\n    use serde_json::Value;\n}\n";
        assert!(no_foreign_json(&one("spec/src/a.rs", inner)).is_empty());
        let behind = format!("{inner}{usage}");
        assert_eq!(no_foreign_json(&one("spec/src/a.rs", &behind)).len(), 1);
    }

    #[test]
    fn side_effects_in_pure_code_are_found() {
        for effect in [
            "std::fs::read(p)",
            "std::time::Instant",
            "async fn f() {}",
            "x().await;",
        ] {
            assert_eq!(
                no_side_effects(&one("spec/src/a.rs", effect)).len(),
                1,
                "{effect}"
            );
            assert!(no_side_effects(&one("cli/src/a.rs", effect)).is_empty());
        }
        assert!(no_side_effects(&one("spec/src/a.rs", "use std::fmt;")).is_empty());
    }

    #[test]
    fn rocksdb_outside_its_module_is_found() {
        for usage in ["use rocksdb::DB;", "rocksdb::DB::open(p)"] {
            assert!(
                !rocksdb_in_one_place(&one("ledger/src/a.rs", usage)).is_empty(),
                "{usage}"
            );
            assert!(rocksdb_in_one_place(&one("ledger/src/store/rocks.rs", usage)).is_empty());
            assert!(rocksdb_in_one_place(&one("tests/bench/src/map.rs", usage)).is_empty());
            assert!(!rocksdb_in_one_place(&one("tests/src/bench.rs", usage)).is_empty());
        }
        assert!(rocksdb_in_one_place(&one("ledger/src/a.rs", "// over rocksdb::DB")).is_empty());
    }

    #[test]
    fn javascript_that_leans_on_something_is_found() {
        for bad in [
            "const now = Date.now();",
            "const v = JSON.parse(text);",
            "import { canonicalize } from 'canonicalize';",
            "import fs from \"node:fs\";",
            "const r = Math.random();",
            "await fetch(url);",
            "import { world } from './kit/world.mjs';",
        ] {
            assert_eq!(
                javascript_alone(&one("verifier/js/a.js", bad)).len(),
                1,
                "{bad}"
            );
            assert!(javascript_alone(&one("verifier/js/a.test.js", bad)).is_empty());
            assert!(javascript_alone(&one("verifier/js/test/a.js", bad)).is_empty());
        }
        for good in [
            "import { read } from './json.js';",
            "// never JSON.parse",
            "prefetch(x);",
        ] {
            assert!(
                javascript_alone(&one("verifier/js/a.js", good)).is_empty(),
                "{good}"
            );
        }
    }

    #[test]
    fn unfinished_work_is_found() {
        let marker = concat!("// TO", "DO: later");
        for path in [
            "a.rs",
            "verifier/js/a.js",
            "README.md",
            "Makefile",
            ".ci/run",
        ] {
            assert_eq!(unfinished(&one(path, marker)).len(), 1, "{path}");
        }
        assert_eq!(
            unfinished(&one("a.rs", concat!("//! To be ", "written."))).len(),
            1
        );
        assert_eq!(unfinished(&one("a.rs", "fn f() { todo!() }")).len(), 1);
        assert!(unfinished(&one("a.rs", "// the macro todo! is banned")).is_empty());
        assert!(unfinished(&one("a.rs", "fn todos() {}")).is_empty());
        assert!(unfinished(&one("a.rs", concat!("// bytes to be ", "written"))).is_empty());
    }

    #[test]
    fn waiting_for_a_time_is_found() {
        assert_eq!(no_sleep(&one("a.rs", "std::thread::sleep(d);")).len(), 1);
        assert_eq!(no_sleep(&one("a.rs", "clock.sleep(d);")).len(), 1);
        assert_eq!(no_sleep(&one("a.js", "setTimeout(f, 10)")).len(), 1);
        assert!(no_sleep(&one("a.rs", "// thread::sleep\nfn sleepy() {}")).is_empty());
    }
}
