//! A disk under RocksDB that loses power, or refuses an operation, when a test wants it.
//!
//! What is appended and not synced is lost at the cut, except for a first part of it that the seed
//! chooses; files created or renamed and not followed by a sync of their folder are as before. The
//! work is done by RocksDB's own `FaultInjectionTestFS`, which has no C interface: `disk.cc` is the
//! way to it, and this crate the one place of this workspace with unsafe code. Only tests use it.
#![allow(
    unsafe_code,
    reason = "a C++ class is behind it; every other crate denies unsafe code"
)]

use std::fmt;
use std::ptr::NonNull;

use librocksdb_sys::rocksdb_env_t;
use rocksdb::Env;

/// The C++ side.
#[repr(C)]
struct Raw {
    _private: [u8; 0],
}

unsafe extern "C" {
    fn zhao_disk_new() -> *mut Raw;
    fn zhao_disk_free(disk: *mut Raw);
    fn zhao_disk_env(disk: *mut Raw) -> *mut rocksdb_env_t;
    fn zhao_disk_count(disk: *mut Raw) -> u64;
    fn zhao_disk_cut_at(disk: *mut Raw, operation: u64, seed: u64);
    fn zhao_disk_fail(disk: *mut Raw, from: u64, to: u64);
    fn zhao_disk_ignore_wal_syncs(disk: *mut Raw);
    fn zhao_disk_is_off(disk: *mut Raw) -> bool;
    fn zhao_disk_pass(disk: *mut Raw, what: *const u8, length: usize) -> bool;
    fn zhao_disk_switch_off(disk: *mut Raw);
    fn zhao_disk_event(disk: *mut Raw, to: *mut u8, room: usize) -> usize;
    fn zhao_disk_lose(disk: *mut Raw) -> bool;
}

/// Why an operation outside the engine did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It was refused; the next one may happen.
    Refused,
    /// There is no power.
    Off,
}

/// From one start of a machine to its next: a new one is needed after [`Disk::lose_unsynced`].
pub struct Disk(NonNull<Raw>);

// SAFETY: the C++ side locks its state in every function, and the pointer is freed once, by `drop`.
unsafe impl Send for Disk {}
// SAFETY: as above.
unsafe impl Sync for Disk {}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk")
            .field("operations", &self.operations())
            .field("is_off", &self.is_off())
            .field("event", &self.event())
            .finish()
    }
}

impl Default for Disk {
    fn default() -> Self {
        Self::new()
    }
}

impl Disk {
    /// A disk that does what it is asked, over the machine's file system.
    #[must_use]
    pub fn new() -> Self {
        // SAFETY: no argument; the result is owned here.
        let raw = unsafe { zhao_disk_new() };
        Self(NonNull::new(raw).expect("C++ new gives an object or ends the process"))
    }

    /// What RocksDB opens a database on.
    #[must_use]
    pub fn env(&self) -> Env {
        // SAFETY: the pointer is valid; the result is a fresh `rocksdb_env_t` made for its owner,
        // which shares the file system below with this disk and so may outlive it.
        unsafe { Env::from_raw(zhao_disk_env(self.raw())) }
    }

    /// Operations so far, the engine's and those of [`Disk::pass`].
    #[must_use]
    pub fn operations(&self) -> u64 {
        // SAFETY: the pointer is valid.
        unsafe { zhao_disk_count(self.raw()) }
    }

    /// The power goes at the `operation`th operation, from 1, instead of it. The seed chooses how
    /// much of what was not synced is there all the same.
    pub fn cut_at(&self, operation: u64, seed: u64) {
        // SAFETY: the pointer is valid.
        unsafe { zhao_disk_cut_at(self.raw(), operation, seed) }
    }

    /// The power goes now.
    pub fn cut(&self) {
        // SAFETY: the pointer is valid.
        unsafe { zhao_disk_switch_off(self.raw()) }
    }

    /// The operations `from` to `to` are refused, and all others happen. A refused append writes
    /// half of its bytes.
    pub fn refuse(&self, from: u64, to: u64) {
        // SAFETY: the pointer is valid.
        unsafe { zhao_disk_fail(self.raw(), from, to) }
    }

    /// From now on syncs of the write-ahead log do nothing and say that they did.
    pub fn ignore_wal_syncs(&self) {
        // SAFETY: the pointer is valid.
        unsafe { zhao_disk_ignore_wal_syncs(self.raw()) }
    }

    /// Whether the power is gone.
    #[must_use]
    pub fn is_off(&self) -> bool {
        // SAFETY: the pointer is valid.
        unsafe { zhao_disk_is_off(self.raw()) }
    }

    /// Counts one operation of somebody other than the engine, which asks before it does it.
    ///
    /// # Errors
    /// It must not happen.
    pub fn pass(&self, what: &str) -> Result<(), Stopped> {
        // SAFETY: the pointer is valid; so are `what.len()` bytes at `what.as_ptr()`.
        if unsafe { zhao_disk_pass(self.raw(), what.as_ptr(), what.len()) } {
            Ok(())
        } else if self.is_off() {
            Err(Stopped::Off)
        } else {
            Err(Stopped::Refused)
        }
    }

    /// The operation that was cut or refused first, and the name of its file.
    #[must_use]
    pub fn event(&self) -> Option<String> {
        let mut text = vec![0; 256];
        // SAFETY: the pointer is valid; so is room for `text.len()` bytes at `text.as_mut_ptr()`.
        let length = unsafe { zhao_disk_event(self.raw(), text.as_mut_ptr(), text.len()) };
        text.truncate(length);
        (length > 0).then(|| String::from_utf8_lossy(&text).into_owned())
    }

    /// Leaves on the machine's file system what is found after the cut. Nothing may be open on this
    /// disk any more.
    ///
    /// # Errors
    /// The file system below refuses.
    pub fn lose_unsynced(self) -> Result<(), String> {
        // SAFETY: the pointer is valid.
        if unsafe { zhao_disk_lose(self.raw()) } {
            Ok(())
        } else {
            Err("what was not synced could not be removed".to_owned())
        }
    }

    fn raw(&self) -> *mut Raw {
        self.0.as_ptr()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // SAFETY: made by `zhao_disk_new`, freed only here.
        unsafe { zhao_disk_free(self.raw()) }
    }
}

#[cfg(test)]
mod tests;
