//! Running the binary as a user would, and comparing what it says.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "test support: each test file uses its own part of this"
)]

pub mod server;

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// What one run gave.
#[derive(Clone, Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// A run of `zhao` in `dir`, with an environment of its own.
pub fn command(dir: &Path, arguments: &[&str]) -> Command {
    command_as(dir, env!("CARGO_BIN_EXE_zhao"), arguments)
}

/// The same by another program.
pub fn command_as(dir: &Path, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(dir)
        .env_clear()
        .env("LC_ALL", "C.UTF-8")
        .env("ZHAO_PASSPHRASE", "correct horse battery staple")
        .stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub fn zhao(dir: &Path, arguments: &[&str]) -> Ran {
    finish(&mut command(dir, arguments))
}

pub fn finish(command: &mut Command) -> Ran {
    let output = command.output().expect("the binary runs");
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
    }
}

impl Ran {
    /// The same, if it ended with `code`.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self
    }

    /// The first line of standard error, without `error: `.
    #[track_caller]
    pub fn error(&self) -> &str {
        let line = self.stderr.lines().next().unwrap_or_default();
        line.strip_prefix("error: ")
            .unwrap_or_else(|| panic!("no error line: {}", self.stderr))
    }
}

/// Runs every command of a transcript in `dir` and gives the transcript as it now reads.
///
/// A command is a line that begins with `$ `. What follows until the next one is standard output,
/// then standard error with `! ` before each line, then `= ` and the exit code if it is not 0.
/// Lines before the first command are kept. Words may be quoted with `'`; `NAME=value` words before
/// `zhao` set its environment; `$ write FILE TEXT` makes a file, with `\n` and `\xNN` escapes.
pub fn replay(dir: &Path, transcript: &str) -> String {
    let mut out = String::new();
    let mut started = false;
    for line in transcript.lines() {
        let Some(text) = line.strip_prefix("$ ") else {
            if !started {
                out.push_str(line);
                out.push('\n');
            }
            continue;
        };
        if started {
            out.push('\n');
        }
        started = true;
        let _ = writeln!(out, "{line}");
        let words = split(text);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if let ["write", file, content] = words.as_slice() {
            std::fs::write(dir.join(file), unescape(content)).unwrap();
            continue;
        }
        let at = words
            .iter()
            .position(|word| *word == "zhao")
            .expect("the program's name");
        let mut run = command(dir, &words[at + 1..]);
        for setting in &words[..at] {
            let (name, value) = setting.split_once('=').expect("NAME=value");
            if value.is_empty() {
                run.env_remove(name)
            } else {
                run.env(name, value)
            };
        }
        let ran = finish(&mut run);
        out.push_str(&steady(&ran.stdout));
        for line in steady(&ran.stderr).lines() {
            let _ = writeln!(out, "! {line}");
        }
        if ran.code != 0 {
            let _ = writeln!(out, "= {}", ran.code);
        }
    }
    out
}

fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'').expect("the quote is closed"),
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}

fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'n') => out.push(b'\n'),
            Some(b'x') => {
                let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
                let digits = std::str::from_utf8(&digits).unwrap();
                out.push(u8::from_str_radix(digits, 16).unwrap());
            }
            other => panic!("unknown escape {other:?}"),
        }
    }
    out
}

/// `text` with what differs from run to run replaced: keys, hashes, identifiers, times.
pub fn steady(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    let part = |c: char| c.is_ascii_alphanumeric() || "-_+/=:.".contains(c);
    for c in text.chars().chain(['\n']) {
        if part(c) {
            word.push(c);
        } else {
            out.push_str(&steady_word(&word));
            word.clear();
            out.push(c);
        }
    }
    out.pop();
    out.replace("<date> <clock> +08:00", "<time>")
}

fn steady_word(word: &str) -> String {
    if let Some(id) = word.strip_suffix(".json")
        && id.len() == 36
        && id.bytes().filter(|byte| *byte == b'-').count() == 4
    {
        return "<uuid>.json".into();
    }
    let b64 = |c: char| c.is_ascii_alphanumeric() || "-_+/=".contains(c);
    let shape: String = word
        .chars()
        .map(|c| if c.is_ascii_digit() { '9' } else { c })
        .collect();
    if let Some((name, rest)) = word.split_once('+')
        && name.contains('.')
        && rest.contains('+')
    {
        return format!("{name}+<vkey>");
    }
    if word.starts_with("z6Mk") {
        "<key>".into()
    } else if word.starts_with("urn:uuid:") {
        "<uuid>".into()
    } else if shape == "9999-99-99T99:99:99.999Z" {
        "<time>".into()
    } else if shape == "9999-99-99" {
        "<date>".into()
    } else if shape == "99:99:99" {
        "<clock>".into()
    } else if (43..=44).contains(&word.len()) && word.chars().all(b64) {
        "<hash>".into()
    } else {
        word.to_owned()
    }
}

/// An office in `dir`, as `zhao init` makes it.
pub fn office(dir: &Path) -> std::path::PathBuf {
    zhao(dir, &["init", "office"]).code(0);
    dir.join("office")
}

/// The credential files in a directory, by name.
pub fn credentials(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    files.sort();
    files
}

/// A row of a food operation licence, fictional, as JSON.
pub fn food(name: &str) -> String {
    serde_json::json!({
        "type": "food-operation",
        "holderCode": "91320400DEM000110X",
        "holderCodeType": "001",
        "holderName": name,
        "representative": "示例甲",
        "premises": "示例路1号",
        "businessForm": "catering",
        "operationItems": "热食类",
        "supervisor": "示例所",
    })
    .to_string()
}
