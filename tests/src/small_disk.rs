//! A disk that is soon full: a small file system in memory, mounted where only one process sees it.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use crate::promise::{Checked, text};

/// What fills the disk.
pub const BALLAST: &str = "ballast";

/// Runs a test of this program alone, with a disk of this size (`size=32m`) mounted on `folder`,
/// whose path is in the environment as `variable`.
///
/// # Errors
/// This kernel lets nobody mount one; the words are its own.
///
/// # Panics
/// The test failed.
pub fn run(test: &str, variable: &str, folder: &Path, size: &str) -> Checked {
    let program = text(std::env::current_exe())?;
    // As root; otherwise as the root of a namespace of one's own.
    let mut why = String::new();
    for more in [&[][..], &["--map-root-user"][..]] {
        let mounted = |script: &str| {
            let mut command = Command::new("unshare");
            command
                .args(more)
                .args(["--mount", "--propagation", "private"])
                .args(["sh", "-c", script, "sh"])
                .arg(folder)
                .arg(&program)
                .args([test, "--exact", "--nocapture"])
                .env(variable, folder);
            command.output()
        };
        let mount = format!("mount -t tmpfs -o {size} small \"$1\"");
        let probe = match mounted(&mount) {
            Ok(probe) => probe,
            Err(error) => return Err(format!("unshare: {error}")),
        };
        if !probe.status.success() {
            why = String::from_utf8_lossy(&probe.stderr).trim().to_owned();
            continue;
        }
        let done = text(mounted(&format!("{mount} && shift && exec \"$@\"")))?;
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        let blamed = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "{said}\n{blamed}");
        assert!(said.contains("1 passed"), "the test was not run: {said}");
        return text(std::io::stdout().lock().write_all(said.as_bytes()));
    }
    Err(why)
}

/// Writes until the disk of this folder has only so many bytes left.
///
/// # Errors
/// The disk's, other than being full.
pub fn leave(folder: &Path, room: u64) -> Checked {
    let path = folder.join(BALLAST);
    let mut file = text(fs::File::create(&path))?;
    let page = [7; 4_096];
    let mut written = 0;
    while file.write_all(&page).is_ok() {
        written += 4_096;
    }
    let length = u64::saturating_sub(written, room);
    text(file.set_len(length))
}
