//! The handbook does what it says: every command on its pages is run, in order, in a directory of
//! its own, and must show what the page shows.
//!
//! A page has two kinds of fenced block. `sh`: commands, one script a block, which share the
//! directory and what they `export`. `text`, right after one: lines that the block shows, in this
//! order; `…` stands for anything, and the last line may be an exit code in brackets.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

mod support;

#[derive(Debug, Default)]
struct Block {
    /// First line in the page, from 1.
    line: usize,
    script: String,
    shows: Vec<String>,
    code: i32,
}

/// The page of the log's operator is where the ledger is.
const LEDGER: &str = "../../ledger/README.md";
/// The same in Chinese.
const LEDGER_ZH: &str = "../../ledger/README.zh.md";

fn page(name: &str) -> String {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("handbook");
    fs::read_to_string(dir.join(name)).unwrap()
}

/// A page names ports that a machine has once; a test takes free ones.
fn with_free_ports(script: &str, ports: &mut BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = script;
    while let Some(at) = rest.find("127.0.0.1:80") {
        let (before, after) = rest.split_at(at + "127.0.0.1:".len());
        out.push_str(before);
        // A loop writes the last digit as a variable.
        let length = if after.starts_with("809$n") { 5 } else { 4 };
        let (port, after) = after.split_at(length);
        if port.ends_with("$n") {
            // The loop is the shell's: it looks the ports up.
            out.push_str("$(eval echo \\$PORT$n)");
        } else {
            let free = ports.entry(port.to_owned()).or_insert_with(|| {
                let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
                free.local_addr().unwrap().port().to_string()
            });
            out.push_str(free);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// After a line that starts a server: wait until it listens, as a reader would look.
fn with_waits(script: &str) -> String {
    let mut out = String::new();
    for line in script.lines() {
        out.push_str(line);
        out.push('\n');
        if let Some((_, after)) = line.split_once("--listen ")
            && line.contains(" & echo $!")
        {
            let (host, port) = after.split(' ').next().unwrap().split_once(':').unwrap();
            let log = line.split_once(" >").unwrap().1.split(' ').next().unwrap();
            let open = format!("(exec 3<>/dev/tcp/{host}/{port}) 2>/dev/null");
            // A server that died never listens.
            out.push_str(&format!(
                "until {open}; do kill -0 $! 2>/dev/null || {{ cat {log}; exit 99; }}; done\n"
            ));
        }
    }
    out
}

/// Ends what a page started, whatever came of it.
struct Started<'a>(&'a Path);

impl Drop for Started<'_> {
    fn drop(&mut self) {
        let script = "for f in *.pid; do kill $(cat \"$f\"); done";
        let _ = Command::new("bash")
            .args(["-c", script])
            .current_dir(self.0)
            .stderr(Stdio::null())
            .status();
    }
}

/// The exit code that a line of a `text` block states, in either language.
fn stated_code(line: &str) -> Option<i32> {
    ["(exit code ", "（退出码 "]
        .into_iter()
        .find_map(|start| line.strip_prefix(start))
        .map(|rest| rest.trim_end_matches([')', '）']).parse().unwrap())
}

fn blocks(name: &str) -> Vec<Block> {
    let text = page(name);
    let mut blocks: Vec<Block> = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let Some(kind) = line.strip_prefix("```") else {
            continue;
        };
        let inner: Vec<&str> = lines
            .by_ref()
            .map(|(_, line)| line)
            .take_while(|line| *line != "```")
            .collect();
        match kind {
            "sh" => blocks.push(Block {
                line: at + 1,
                script: inner.join("\n"),
                ..Block::default()
            }),
            "text" => {
                let block = blocks.last_mut().expect("a text block follows commands");
                assert!(block.shows.is_empty(), "{name}:{}: two texts", at + 1);
                for line in inner {
                    match stated_code(line) {
                        Some(code) => block.code = code,
                        None => block.shows.push(line.to_owned()),
                    }
                }
            }
            other => panic!("{name}:{}: a block of kind {other:?} is not run", at + 1),
        }
    }
    assert!(blocks.len() > 5, "{name} has commands");
    blocks
}

/// Whether `line` shows `expected`: white space counts once, `…` is anything.
fn shows(line: &str, expected: &str) -> bool {
    let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = squeeze(line);
    let mut rest = line.as_str();
    for part in expected.split('…') {
        let part = squeeze(part);
        match rest.find(&part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

/// The program's directory, before everything else on the path.
fn path() -> std::ffi::OsString {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_zhao"));
    let mut path = program.parent().unwrap().as_os_str().to_owned();
    path.push(":/usr/local/bin:/usr/bin:/bin");
    path
}

fn follow(name: &str, locale: &str) {
    let dir = tempfile::tempdir().unwrap();
    let _started = Started(dir.path());
    let mut ports = BTreeMap::new();
    let mut exports = String::new();
    for block in blocks(name) {
        let place = format!("{name}:{}", block.line);
        let own = with_waits(&with_free_ports(&block.script, &mut ports));
        let known = ports.iter().filter_map(|(port, free)| {
            let n = port.strip_prefix("809")?;
            Some(format!("PORT{n}={free}\n"))
        });
        let known: String = known.collect();
        let script = format!("exec 2>&1\nset -e\n{known}{exports}{own}");
        let output = Command::new("bash")
            .args(["-c", &script])
            .current_dir(dir.path())
            .env_clear()
            .env("PATH", path())
            .env("LC_ALL", locale)
            .stdin(Stdio::null())
            .output()
            .expect("bash runs");
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(block.code), "{place}\n{said}");
        let mut lines = said.lines();
        for expected in &block.shows {
            assert!(
                lines.any(|line| shows(line, expected)),
                "{place} does not show: {expected}\n{said}"
            );
        }
        for line in block.script.lines() {
            if line.starts_with("export ") {
                exports.push_str(line);
                exports.push('\n');
            }
        }
    }
}

#[test]
fn the_clerk_gets_what_the_page_shows() {
    follow("clerk.md", "C.UTF-8");
}

#[test]
fn the_clerk_gets_what_the_chinese_page_shows() {
    follow("clerk.zh.md", "zh_CN.UTF-8");
}

#[test]
fn the_operator_gets_what_the_page_shows() {
    follow("operator.md", "C.UTF-8");
}

#[test]
fn the_operator_gets_what_the_chinese_page_shows() {
    follow("operator.zh.md", "zh_CN.UTF-8");
}

#[test]
fn whoever_runs_a_public_log_gets_what_the_page_shows() {
    follow(LEDGER, "C.UTF-8");
}

#[test]
fn whoever_runs_a_public_log_gets_what_the_chinese_page_shows() {
    follow(LEDGER_ZH, "zh_CN.UTF-8");
}

#[test]
fn both_languages_have_the_same_commands() {
    for (en, zh) in [
        ("clerk.md", "clerk.zh.md"),
        ("operator.md", "operator.zh.md"),
        (LEDGER, LEDGER_ZH),
    ] {
        let (ours, theirs) = (blocks(en), blocks(zh));
        assert_eq!(ours.len(), theirs.len(), "{en} and {zh}");
        for (a, b) in ours.iter().zip(&theirs) {
            assert_eq!(a.script, b.script, "{en}:{} and {zh}:{}", a.line, b.line);
            assert_eq!(a.code, b.code, "{en}:{} and {zh}:{}", a.line, b.line);
            let lines = (a.shows.len(), b.shows.len());
            assert_eq!(lines.0, lines.1, "{en}:{} and {zh}:{}", a.line, b.line);
        }
    }
}

/// What the service pages show is for a machine's administrator, and not run here: the package and
/// the proxy are tried by `make test-interop`. Both pages show the same.
#[test]
fn both_languages_show_an_administrator_the_same() {
    let shown = |name: &str| -> Vec<String> {
        let text = page(name);
        let parts = text.split("```").skip(1).step_by(2);
        parts.map(str::to_owned).collect()
    };
    let (ours, theirs) = (shown("service.md"), shown("service.zh.md"));
    assert!(ours.len() > 3, "{ours:?}");
    assert!(ours.iter().all(|block| block.starts_with("console\n")));
    assert_eq!(ours, theirs);
}

/// Codes that `report.csv` can hold, from the catalogue of sentences.
fn report_codes() -> BTreeSet<String> {
    let texts: toml::Table =
        toml::from_str(include_str!("../messages/en.toml")).expect("the catalogue is TOML");
    let said_elsewhere = [
        "done",
        "goes-on",
        "progress",
        "register",
        "trouble",
        "uncompared",
    ];
    let keys = |section: &str| -> Vec<String> {
        let table = texts[section].as_table().unwrap();
        table.keys().cloned().collect()
    };
    let issue = keys("issue");
    let issue = issue
        .into_iter()
        .filter(|key| !said_elsewhere.contains(&key.as_str()));
    let unit = keys("unit");
    let unit = unit.into_iter().filter(|key| !key.starts_with("done"));
    keys("row").into_iter().chain(issue).chain(unit).collect()
}

#[test]
fn every_code_of_a_report_is_explained() {
    let codes = report_codes();
    assert!(codes.len() > 35, "{codes:?}");
    for name in ["clerk.md", "clerk.zh.md"] {
        let text = page(name);
        let first_cells: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("| `"))
            .filter_map(|line| line.split_once(" |").map(|(cell, _)| cell))
            .collect();
        let listed: BTreeSet<String> = first_cells
            .iter()
            .flat_map(|cell| cell.split(['`', ',', '、', ' ']))
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        for code in &codes {
            assert!(listed.contains(code), "{name} lacks {code}");
        }
    }
}

/// A command named in the prose is one that there is.
#[test]
fn commands_in_the_prose_exist() {
    let dir = tempfile::tempdir().unwrap();
    for name in [
        "clerk.md",
        "clerk.zh.md",
        "operator.md",
        "operator.zh.md",
        "exits.md",
        "exits.zh.md",
        "configuration.md",
        "configuration.zh.md",
        "service.md",
        "service.zh.md",
        LEDGER,
        LEDGER_ZH,
    ] {
        let text = page(name);
        let words: BTreeSet<&str> = text
            .split('`')
            .filter_map(|code| code.strip_prefix("zhao "))
            .filter_map(|code| code.split_whitespace().next())
            .filter(|word| !word.starts_with('-') && word.chars().all(|c| !c.is_uppercase()))
            .collect();
        for word in words {
            let ran = support::zhao(dir.path(), &[word, "--help"]);
            assert_eq!(ran.code, 0, "{name} names zhao {word}: {}", ran.stderr);
        }
    }
}
