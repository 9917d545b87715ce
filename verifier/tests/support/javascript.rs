//! The JavaScript verifier as a child that answers one request a line.

use std::fs;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;

/// What the child judges by.
pub struct Settings<'a> {
    /// A name for its files that no other test has.
    pub name: &'a str,
    pub policy: &'a str,
    pub trust: &'a str,
    pub pack: Option<&'a [u8]>,
}

/// Gives `count` requests to one Node process, and its answers, in order, to `hear`.
pub fn ask(
    settings: &Settings<'_>,
    count: u64,
    request: impl Fn(u64) -> Value + Sync,
    mut hear: impl FnMut(u64, &Value),
) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(settings.name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("policy.txt"), settings.policy).unwrap();
    fs::write(folder.join("trust.txt"), settings.trust).unwrap();
    let pack = folder.join("issuer-pack.json");
    match settings.pack {
        Some(bytes) => fs::write(pack, bytes).unwrap(),
        None => assert!(!pack.exists(), "nobody writes one"),
    }

    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("js/bin/zhao-verify.mjs");
    let mut node = Command::new("node")
        .arg(program)
        .args(["--batch", "--policy"])
        .arg(folder.join("policy.txt"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node is needed to compare with the JavaScript verifier");
    let stdin = node.stdin.take().unwrap();
    let stdout = BufReader::new(node.stdout.take().unwrap());
    let mut answered = 0;
    thread::scope(|scope| {
        // Written from a thread of its own: either pipe may fill up before the other is read.
        scope.spawn(|| {
            let mut stdin = BufWriter::new(stdin);
            for number in 0..count {
                writeln!(stdin, "{}", request(number)).unwrap();
            }
            stdin.flush().unwrap();
        });
        for (number, line) in (0..count).zip(stdout.lines()) {
            hear(number, &serde_json::from_str(&line.unwrap()).unwrap());
            answered += 1;
        }
    });
    assert!(node.wait().unwrap().success());
    assert_eq!(answered, count);
}
