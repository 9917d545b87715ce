//! The disk: how long a synced write takes, and whether that can be true.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use crate::session::Session;

/// Synced writes that are measured.
const SYNCS: usize = 200;
/// No device makes a write durable in less: fast ones with a power-safe cache need twice as long.
const FASTEST_MILLIS: f64 = 0.005;
/// File systems that are memory (linux/magic.h: TMPFS_MAGIC, RAMFS_MAGIC).
const IN_MEMORY: [u64; 2] = [0x0102_1994, 0x8584_58f6];

/// Whether what the disk calls synced survives a power cut, as far as its speed tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sync {
    /// It takes as long as making something durable takes.
    Plausible,
    /// The file system is memory.
    InMemory,
    /// Faster than any device.
    TooFast,
}

impl Sync {
    /// The word in `--json`.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Plausible => "plausible",
            Self::InMemory => "in-memory",
            Self::TooFast => "too-fast",
        }
    }

    /// Judges the type of the file system and the median of synced writes.
    fn judge(file_system: u64, median_millis: f64) -> Self {
        if IN_MEMORY.contains(&file_system) {
            Self::InMemory
        } else if median_millis < FASTEST_MILLIS {
            Self::TooFast
        } else {
            Self::Plausible
        }
    }
}

/// What the disk of a folder does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Disk {
    /// Bytes that are free to us.
    pub(super) free_bytes: u64,
    /// Milliseconds of a synced write of 4 KiB, the median.
    pub(super) median_millis: f64,
    /// And the 99th percentile.
    pub(super) slow_millis: f64,
    /// Whether to believe it.
    pub(super) sync: Sync,
}

impl Disk {
    /// Writes and syncs a file in `folder`.
    ///
    /// # Errors
    /// The disk's.
    pub(super) fn measure(session: &Session, folder: &Path) -> io::Result<Self> {
        let about = rustix::fs::statfs(folder)?;
        let space = rustix::fs::statvfs(folder)?;
        let mut file = File::create(folder.join("sync"))?;
        let mut times = Vec::with_capacity(SYNCS);
        for _ in 0..SYNCS {
            let watch = session.host.stopwatch();
            file.seek(SeekFrom::Start(0))?;
            file.write_all(&[7; 4_096])?;
            file.sync_data()?;
            times.push(watch.read().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        let at = |per_cent: usize| times.get(SYNCS * per_cent / 100).copied().unwrap_or(0.0);
        // The type is a signed word on some machines; its bits are what the constants are.
        let kind = u64::try_from(about.f_type).unwrap_or(0) & 0xffff_ffff;
        Ok(Self {
            free_bytes: space.f_bavail.saturating_mul(space.f_frsize),
            median_millis: at(50),
            slow_millis: at(99),
            sync: Sync::judge(kind, at(50)),
        })
    }
}

/// Bytes of all files in a folder.
///
/// # Errors
/// It cannot be read.
pub(super) fn folder_bytes(folder: &Path) -> io::Result<f64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_and_file_system_tell_whether_to_believe_a_disk() {
        const EXT4: u64 = 0xef53;
        for (file_system, millis, expected) in [
            (EXT4, 0.36, Sync::Plausible),
            (EXT4, FASTEST_MILLIS, Sync::Plausible),
            (EXT4, 0.004_9, Sync::TooFast),
            (EXT4, 0.0, Sync::TooFast),
            (0x0102_1994, 0.36, Sync::InMemory),
            (0x8584_58f6, 0.000_1, Sync::InMemory),
        ] {
            let actual = Sync::judge(file_system, millis);
            assert_eq!(actual, expected, "{file_system:x} {millis}");
        }
    }

    #[test]
    fn a_folder_that_is_gone_has_no_size() {
        let error = folder_bytes(Path::new("/nowhere/at/all"))
            .map(|_| ())
            .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
