//! Running the two programs and holding them to what they promise.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use zhao_spec::wire::hash::sha256;
use zhao_spec::wire::{Hash, UnixMillis};

/// Opens every key of the tests.
pub(crate) const PASSPHRASE: &str = "示例 passphrase";

/// What one run gave.
#[derive(Clone, Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// The same, if it ended with `code`.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self
    }
}

/// The binary, which lies two folders above the test: `target/<profile>/deps/system-…`.
pub(crate) fn binary() -> PathBuf {
    let own = std::env::current_exe().expect("a test has a path");
    let profile = own
        .parent()
        .and_then(Path::parent)
        .expect("target/<profile>/deps/");
    let path = profile.join("zhao");
    assert!(
        path.is_file(),
        "{} is not there: run `cargo build -p zhao` first",
        path.display()
    );
    path
}

/// A run of `zhao` in `dir`, with an environment of its own.
pub(crate) fn command<S: AsRef<OsStr>>(dir: &Path, arguments: &[S]) -> Command {
    let mut command = Command::new(binary());
    command
        .args(arguments)
        .current_dir(dir)
        .env_clear()
        .env("LC_ALL", "C.UTF-8")
        .env("ZHAO_PASSPHRASE", PASSPHRASE)
        .stdin(Stdio::null());
    command
}

/// Runs a program to its end.
pub(crate) fn finish(command: &mut Command) -> Ran {
    let output = command.output().expect("the program starts");
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
    }
}

/// Runs `zhao` in `dir`.
pub(crate) fn zhao(dir: &Path, arguments: &[&str]) -> Ran {
    finish(&mut command(dir, arguments))
}

/// What a refusal looks like: its exit code, `error:` with the place and the values, `hint:`.
#[track_caller]
pub(crate) fn is_refusal(what: &str, ran: &Ran, code: i32, said: &[&str]) {
    let shown = format!("{what}\nstdout:\n{}\nstderr:\n{}", ran.stdout, ran.stderr);
    assert_eq!(ran.code, code, "{shown}");
    let lines: Vec<&str> = ran.stderr.lines().collect();
    let [error, hint] = lines.as_slice() else {
        panic!("not two lines: {shown}")
    };
    let error = error
        .strip_prefix("error: ")
        .unwrap_or_else(|| panic!("no error: {shown}"));
    let hint = hint
        .strip_prefix("hint: ")
        .unwrap_or_else(|| panic!("no hint: {shown}"));
    assert!(!error.is_empty() && !hint.is_empty(), "{shown}");
    assert!(!shown.contains("panicked"), "{shown}");
    for text in said {
        assert!(
            error.contains(text),
            "the error does not say {text:?}: {shown}"
        );
    }
}

/// Runs `zhao` with `arguments` in `dir` in both languages: both are refusals with the same exit
/// code; the English one says each of `said`, the Chinese one is Chinese.
#[track_caller]
pub(crate) fn refuses(dir: &Path, arguments: &[&str], code: i32, said: &[&str]) {
    refuses_with(arguments, code, said, || command(dir, arguments));
}

/// As [`refuses`], for a command with an environment, an input or bytes of its own.
#[track_caller]
pub(crate) fn refuses_with(
    what: impl std::fmt::Debug,
    code: i32,
    said: &[&str],
    make: impl Fn() -> Command,
) {
    let what = format!("{what:?}");
    is_refusal(&what, &finish(&mut make()), code, said);
    let chinese = finish(make().args(["--lang", "zh"]));
    is_refusal(&what, &chinese, code, &[]);
    let han = |line: &str| {
        line.chars()
            .any(|char| ('\u{4e00}'..='\u{9fff}').contains(&char))
    };
    assert!(
        chinese.stderr.lines().all(han),
        "{what}: not Chinese:\n{}",
        chinese.stderr
    );
}

/// A verdict on which both programs agree.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    pub(crate) verdict: String,
    pub(crate) reasons: Vec<String>,
    pub(crate) facts: Value,
}

impl Judged {
    /// Verdict and reasons in one line: `not_usable on_hold withheld`.
    pub(crate) fn text(&self) -> String {
        let mut words = vec![self.verdict.clone()];
        words.extend(self.reasons.iter().cloned());
        words.join(" ")
    }
}

/// A run of the JavaScript verifier in `dir`.
pub(crate) fn javascript(dir: &Path, arguments: &[&str]) -> Ran {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../verifier/js/bin/zhao-verify.mjs");
    let mut node = Command::new("node");
    finish(
        node.arg(program)
            .args(arguments)
            .current_dir(dir)
            .stdin(Stdio::null()),
    )
}

/// The verdict as the library and the other program print it: `zhao verify` adds to each fragment
/// its sentences for people, which are tried beside the program.
fn wordless(stdout: &str) -> String {
    let Ok(mut verdict) = serde_json::from_str::<Value>(stdout) else {
        return stdout.to_owned();
    };
    for fragment in verdict["fragments"].as_array_mut().into_iter().flatten() {
        for words in ["next", "text"] {
            let members = fragment.as_object_mut().expect("a fragment");
            members.remove(words).expect("sentences");
        }
    }
    format!("{verdict}\n")
}

fn has_moment(arguments: &[&str]) -> bool {
    arguments.iter().any(|word| word.starts_with("--at"))
}

/// For when a verdict was made, as far as it says.
fn moment(stdout: &str) -> Option<UnixMillis> {
    let verdict: Value = serde_json::from_str(stdout).ok()?;
    let facts = &verdict["facts"];
    let as_of = UnixMillis::parse(facts["asOf"].as_str()?).ok()?;
    as_of.checked_add(facts["age"].as_u64()?)
}

/// Judges `file` with both programs, which must print the same bytes and exit alike.
#[track_caller]
pub(crate) fn judge(dir: &Path, file: &str, policy: &str, more: &[&str]) -> Judged {
    let mut arguments = vec!["verify", file, "--policy", policy, "--json"];
    arguments.extend(more);
    let ours = zhao(dir, &arguments);
    arguments.remove(0);
    // Ages are told to the millisecond, so the other program judges for the same moment.
    let at = moment(&ours.stdout).map(|at| at.to_string());
    if let Some(at) = at.as_deref().filter(|_| !has_moment(more)) {
        arguments.extend(["--at", at]);
    }
    let theirs = javascript(dir, &arguments);
    assert_eq!(
        wordless(&ours.stdout),
        theirs.stdout,
        "{arguments:?}\n{}{}",
        ours.stderr,
        theirs.stderr
    );
    assert_eq!(ours.code, theirs.code, "{arguments:?}");
    let value: Value = serde_json::from_str(&ours.stdout).expect("a verdict is JSON");
    let judged = Judged {
        verdict: value["verdict"].as_str().expect("a verdict").to_owned(),
        reasons: strings(&value["reasons"]),
        facts: value["facts"].clone(),
    };
    let expected = match judged.verdict.as_str() {
        "valid" | "valid_with_notice" => 0,
        "not_usable" | "invalid" => 1,
        _ => 3,
    };
    assert_eq!(ours.code, expected, "{arguments:?}: {judged:?}");
    judged
}

/// The texts of a JSON array.
pub(crate) fn strings(value: &Value) -> Vec<String> {
    let items = value.as_array().expect("an array");
    items
        .iter()
        .map(|item| item.as_str().expect("a text").to_owned())
        .collect()
}

/// Every file under `dir` with the hash of its content, the databases' own files left out: RocksDB
/// begins new ones at each opening, so what they hold is compared by `fsck`.
pub(crate) fn listing(dir: &Path) -> BTreeMap<PathBuf, Option<Hash>> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a directory") {
            let entry = entry.expect("an entry");
            let path = entry.path();
            let kind = entry.file_type().expect("a kind");
            let name = entry.file_name();
            if kind.is_dir() && name == "db" {
                continue;
            }
            // Pipes are not read; the lock file says who had it last; the office keeps in its
            // records what the log refused.
            let plain = kind.is_file() && name != "zhao.lock" && name != "records.db";
            let hash = plain.then(|| sha256(&[&read(&path)]));
            if kind.is_dir() {
                open.push(path.clone());
            }
            found.insert(path, hash);
        }
    }
    found
}

/// Two listings are the same.
#[track_caller]
pub(crate) fn same(
    what: &str,
    before: &BTreeMap<PathBuf, Option<Hash>>,
    after: &BTreeMap<PathBuf, Option<Hash>>,
) {
    let paths: BTreeSet<&PathBuf> = before.keys().chain(after.keys()).collect();
    let changed: Vec<_> = paths
        .into_iter()
        .filter(|path| before.get(*path) != after.get(*path))
        .collect();
    assert!(changed.is_empty(), "{what} changed {changed:?}");
}

/// The bytes of a file.
pub(crate) fn read(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut file = fs::File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    file.read_to_end(&mut bytes).expect("a file can be read");
    bytes
}
