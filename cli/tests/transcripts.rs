//! What the program says, word for word: one file a behaviour, in `transcripts/`.
//!
//! After a change that is meant, run with `ZHAO_BLESS=1` and read the difference.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::fs;
use std::path::{Path, PathBuf};

mod support;

fn transcripts() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut files: Vec<PathBuf> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

#[test]
fn every_transcript_reads_as_it_was_written() {
    #[expect(
        clippy::disallowed_methods,
        reason = "asks whether to rewrite the files"
    )]
    let bless = std::env::var_os("ZHAO_BLESS").is_some();
    let mut wrong = Vec::new();
    for path in transcripts() {
        let expected = fs::read_to_string(&path).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let actual = support::replay(dir.path(), &expected);
        if actual == expected {
            continue;
        }
        if bless {
            fs::write(&path, &actual).unwrap();
        }
        wrong.push(format!("{}:\n{actual}", path.display()));
    }
    assert!(wrong.is_empty() || bless, "{}", wrong.join("\n\n"));
}
