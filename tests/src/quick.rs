//! A folder in memory for tests that write much and wait for no real disk.

use std::path::{Path, PathBuf};

/// Where a test of this need, in bytes, is quickest: in memory, if there is that much room, and
/// else in `otherwise`.
#[must_use]
pub fn root(need: u64, otherwise: &str) -> PathBuf {
    let memory = Path::new("/dev/shm");
    let room = rustix::fs::statvfs(memory)
        .map(|found| found.f_bavail.saturating_mul(found.f_frsize))
        .unwrap_or(0);
    if room > need {
        memory.to_owned()
    } else {
        otherwise.into()
    }
}
