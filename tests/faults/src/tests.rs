use std::path::Path;

use rocksdb::{DB, Options, WriteOptions};
use tempfile::TempDir;

use super::*;

fn open(path: &Path, disk: &Disk) -> Result<DB, rocksdb::Error> {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.set_env(&disk.env());
    DB::open(&options, path)
}

/// Writes a hundred keys, each by itself, until one fails; returns how many did not.
fn write(db: &DB, first: u8, sync: bool) -> usize {
    let mut options = WriteOptions::default();
    options.set_sync(sync);
    (0..100)
        .take_while(|n| db.put_opt([first, *n], [7; 300], &options).is_ok())
        .count()
}

fn count(path: &Path, first: u8) -> usize {
    let db = open(path, &Disk::new()).unwrap();
    (0..100)
        .filter(|n| db.get([first, *n]).unwrap().is_some())
        .count()
}

/// How many of a hundred keys are there after the power went, for each of eight seeds.
fn left(sync: bool, ignored: bool) -> Vec<usize> {
    let mut left = Vec::new();
    for seed in 0..8 {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("db");
        let disk = Disk::new();
        if ignored {
            disk.ignore_wal_syncs();
        }
        let db = open(&path, &disk).unwrap();
        assert_eq!(write(&db, 1, sync), 100);
        disk.cut_at(disk.operations() + 1, seed);
        assert_eq!(write(&db, 2, sync), 0);
        assert!(disk.is_off());
        drop(db);
        disk.lose_unsynced().unwrap();
        left.push(count(&path, 1));
    }
    left.sort_unstable();
    left
}

#[test]
fn what_was_synced_stays() {
    assert_eq!(left(true, false), [100; 8]);
}

#[test]
fn what_was_not_synced_is_lost_from_some_byte_on() {
    for left in [left(false, false), left(true, true)] {
        assert!(left[0] < 50 && left[7] < 100, "{left:?}");
        assert!(left[0] != left[7], "always torn at one place: {left:?}");
    }
}

#[test]
fn every_operation_can_be_refused_and_is_named() {
    let folder = TempDir::new().unwrap();
    let disk = Disk::new();
    drop(open(&folder.path().join("whole"), &disk).unwrap());
    let operations = disk.operations();
    assert!(operations > 20, "{operations}");
    let (mut refused, mut named) = (0, 0);
    for n in 1..=operations {
        let disk = Disk::new();
        disk.refuse(n, n);
        let opened = open(&folder.path().join(n.to_string()), &disk);
        // A few are of threads in the background, which may not come to them.
        let Some(event) = disk.event() else { continue };
        if let Err(error) = opened {
            refused += 1;
            named += u64::from(error.to_string().contains("refused"));
            // The engine takes every error here for one about direct access.
            assert!(
                error.to_string().contains("refused") || event == "open CURRENT",
                "{event}: {error}"
            );
        }
    }
    assert!(refused > operations / 3, "{refused} of {operations}");
    assert!(named + 1 >= refused, "{named} of {refused}");
}

#[test]
fn operations_of_others_are_counted_too() {
    let disk = Disk::new();
    disk.refuse(2, 2);
    disk.cut_at(4, 0);
    assert_eq!(disk.pass("one"), Ok(()));
    assert_eq!(disk.pass("two"), Err(Stopped::Refused));
    assert_eq!(disk.event().as_deref(), Some("step two"));
    assert_eq!(disk.pass("three"), Ok(()));
    assert_eq!(disk.pass("four"), Err(Stopped::Off));
    assert_eq!(disk.pass("five"), Err(Stopped::Off));
    assert_eq!(disk.operations(), 4);
}
