//! `zhao bench`: a log thrown away, figures kept, and a disk that is not believed.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::program::{listing, refuses, zhao};

const COUNT: [&str; 3] = ["--json", "--count", "200"];

fn figures(dir: &Path, place: &str, code: i32) -> Value {
    let line = [&["bench", "--dir", place], COUNT.as_slice()].concat();
    serde_json::from_str(&zhao(dir, &line).code(code).stdout).unwrap()
}

#[test]
fn every_figure_is_there_and_nothing_is_left_behind() {
    let dir = tempfile::tempdir().unwrap();
    let before = listing(dir.path());
    let line = [&["bench"], COUNT.as_slice()].concat();
    let ran = zhao(dir.path(), &line);
    // Temporary folders of some machines are memory, and then the answer is 1.
    assert!([0, 1].contains(&ran.code), "{ran:?}");
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    for name in [
        "diskFreeBytes",
        "eventBytes",
        "events",
        "eventsPerSecond",
        "mapProofBytes",
        "proofsPerSecond",
        "syncMillis",
        "syncMillisP99",
    ] {
        assert!(found[name].as_f64().unwrap() > 0.0, "{name} in {found}");
    }
    assert_eq!(found["sync"] == "plausible", ran.code == 0, "{found}");
    assert_eq!(listing(dir.path()), before);
}

#[test]
fn a_person_reads_it_in_either_language() {
    let dir = tempfile::tempdir().unwrap();
    for (language, said) in [
        ("en", ["Events made durable", "a second", "batches of 1000"]),
        ("zh", ["事件落盘受理", "每秒", "每批 1000 个"]),
    ] {
        let line = ["--lang", language, "bench", "--count", "100"];
        let ran = zhao(dir.path(), &line);
        assert!([0, 1].contains(&ran.code), "{ran:?}");
        for text in said {
            assert!(ran.stdout.contains(text), "{text} in {}", ran.stdout);
        }
    }
}

#[test]
fn memory_is_not_a_disk() {
    let Ok(dir) = tempfile::tempdir_in("/dev/shm") else {
        // A machine without it has nothing to mistake for a disk.
        return;
    };
    let found = figures(Path::new("/"), &dir.path().to_string_lossy(), 1);
    assert_eq!(found["sync"], "in-memory");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn folders_and_counts_that_cannot_be_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), "x").unwrap();
    for place in ["nowhere", "file"] {
        refuses(dir.path(), &["bench", "--dir", place], 2, &[place]);
    }
    for count in ["0", "99", "200001", "many"] {
        refuses(
            dir.path(),
            &["bench", "--count", count],
            2,
            &["--count", count],
        );
    }
}
