//! Directories that lost a part of the log: refused, and nothing empty is put in its place.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::fs;

mod support;

use support::{office, zhao};

#[test]
fn nothing_that_was_lost_is_made_anew() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    let home = office(dir);
    zhao(dir, &["cosign", "office"]).code(0);
    for (lost, said) in [
        ("ledger/db", "ledger/db is not there"),
        ("witness", "the local witness remembers nothing"),
        ("auditor", "the local auditor remembers nothing"),
        ("auditor/db", "the local auditor remembers nothing"),
    ] {
        let away = dir.join("away");
        fs::rename(home.join(lost), &away).unwrap();
        // Gone, and gone but for an empty directory in its place.
        for emptied in [false, true] {
            if emptied {
                fs::create_dir(home.join(lost)).unwrap();
            }
            for line in [&["unit", "office", "list"][..], &["cosign", "office"]] {
                let refused = zhao(dir, line).code(2);
                let error = refused.error();
                assert!(error.contains(said), "{lost} {emptied}: {error}");
            }
            if lost == "ledger/db" {
                let refused = zhao(dir, &["fsck", "office"]).code(2);
                let error = refused.error();
                assert!(error.contains(said), "{lost} {emptied}: {error}");
            }
            let made = fs::read_dir(home.join(lost)).map_or(0, Iterator::count);
            assert!(made == 0 && home.join(lost).exists() == emptied, "{lost}");
        }
        fs::remove_dir(home.join(lost)).unwrap();
        fs::rename(&away, home.join(lost)).unwrap();
    }
    zhao(dir, &["cosign", "office"]).code(0);
    zhao(dir, &["fsck", "office"]).code(0);
}
