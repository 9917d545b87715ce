//! Migration on a real disk: older formats, damage, and an end after every stage.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use zhao_spec::life::verb::Verb;

use super::*;
use crate::fixture::{Office, Site, at};
use crate::fsck;
use crate::fsck::END;
use crate::sequence::Sequencer;
use crate::store::files::Directory;
use crate::store::layout::{Family, MetaKey, Table as _};
use crate::store::memory::{Fault, How, Memory, Operation};
use crate::store::{Entry, Read as _, Store as _, WriteBatch};

mod refusals;

/// Leaves of [`Ground::new`]: genesis, founding, 300 licences, one act, four epochs.
const LEAVES: u64 = 309;

/// A log on disk.
struct Ground {
    root: tempfile::TempDir,
    site: Site,
    office: Office,
}

type All = BTreeMap<Family, Vec<Entry>>;

impl Ground {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let (site, mut office) = (Site::new(), Office::new());
        let ground = |office| Self { root, site, office };
        let mut events = office.founding();
        events.extend((0..300).map(|n| office.issue(n)));
        let hold = office.plain(3, Verb::Hold);
        let this = ground(office);
        let store = Arc::new(Rocks::create(&this.database()).unwrap());
        let mut sequencer = this.site.create_on(store, Arc::new(this.files())).unwrap();
        sequencer.commit(events, at(10)).unwrap();
        sequencer.commit(vec![hold], at(20)).unwrap();
        sequencer.heartbeat(at(30)).unwrap();
        this
    }

    fn database(&self) -> PathBuf {
        self.root.path().join("db")
    }

    fn files(&self) -> Directory {
        Directory::open(&self.root.path().join("files")).unwrap()
    }

    fn open(&self, seconds: u64) -> Sequencer {
        let store = Arc::new(Rocks::open(&self.database()).unwrap());
        let opened = self
            .site
            .open_on(store, Arc::new(self.files()), at(seconds));
        opened.unwrap().0
    }

    /// Writes behind everybody's back.
    fn write(&self, writes: Vec<store::Write>) {
        let store = Rocks::open(&self.database()).unwrap();
        let mut batch = WriteBatch::new();
        for write in writes {
            batch.push_raw(write);
        }
        store.write(batch).unwrap();
    }

    /// As if an earlier program had made it: its number, and nothing that this one can use in any
    /// family but the stable ones.
    fn age(&self, format: u64) {
        let mut writes = Vec::new();
        for (family, entries) in everything(&self.database()) {
            if Family::STABLE.contains(&family) {
                continue;
            }
            let half = entries.len() / 2;
            for (n, (key, _)) in entries.into_iter().enumerate() {
                let garbled = (n < half).then(|| b"another form".to_vec());
                writes.push((family, key, garbled));
            }
            writes.push((family, b"another key".to_vec(), Some(Vec::new())));
        }
        writes.push(stated(format));
        self.write(writes);
    }

    fn run(&self, rebuild: bool) -> Result<Migrated, MigrateError> {
        self.run_told(rebuild, &|_| true)
    }

    fn run_told(
        &self,
        rebuild: bool,
        tell: &dyn Fn(Told) -> bool,
    ) -> Result<Migrated, MigrateError> {
        let scratch = tempfile::tempdir().unwrap();
        let (files, log) = (self.files(), Site::keys());
        let migration = Migration {
            database: &self.database(),
            scratch: scratch.path(),
            log: &log,
            files: Some(&files),
            rebuild,
        };
        migration.run(tell)
    }

    fn beside(&self, end: &str) -> PathBuf {
        beside(&self.database(), end)
    }

    /// Names in the directory.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.root.path()).unwrap();
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name();
        let mut names: Vec<String> = entries
            .map(|entry| name(entry).to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    fn assert_clean(&self) {
        let store = Rocks::open(&self.database()).unwrap();
        let report = fsck::check(&store, &self.files(), &Site::keys()).unwrap();
        assert!(report.is_clean(), "{:#?}", report.findings);
    }
}

/// The write that makes a database state a format.
fn stated(format: u64) -> store::Write {
    let key = store::layout::Meta::encode_key(&MetaKey::Format);
    (Family::Meta, key, Some(format.to_be_bytes().to_vec()))
}

/// All entries of a database, whatever its format.
fn everything(path: &Path) -> All {
    let scratch = tempfile::tempdir().unwrap();
    let store = Rocks::stable(path, scratch.path()).unwrap();
    let read = |store: &Rocks, family| (family, store.scan(family, &[], &END, 10_000).unwrap());
    let format = format_of(&store).unwrap();
    if format == Some(FORMAT) {
        let store = Rocks::open(path).unwrap();
        return Family::ALL.map(|family| read(&store, family)).into();
    }
    Family::STABLE.map(|family| read(&store, family)).into()
}

#[test]
fn a_database_of_an_earlier_format_is_made_anew() {
    let mut ground = Ground::new();
    let before = everything(&ground.database());
    ground.age(2);
    let old = everything(&ground.database());
    let error = Rocks::open(&ground.database()).unwrap_err();
    let (expected, actual) = (FORMAT, 2);
    assert_eq!(error, StoreError::Format { expected, actual });
    assert!(error.to_string().ends_with("migrate it"), "{error}");

    let told = RefCell::new(Vec::new());
    let made = ground.run_told(false, &|now| {
        told.borrow_mut().push(now);
        true
    });
    let kept = ground.beside("format-2");
    assert_eq!(
        made,
        Ok(Migrated::Made {
            from: 2,
            leaves: LEAVES,
            kept: kept.clone()
        })
    );
    // All there is, heads and names too, is to the byte what it was before it was spoiled.
    assert_eq!(everything(&ground.database()), before);
    assert_eq!(everything(&kept), old);
    assert_eq!(ground.names(), ["db", "db.format-2", "files"]);
    let told = told.into_inner();
    let stages = told.iter().filter_map(|told| match told {
        Told::Stage(stage) => Some(*stage),
        Told::Leaves(..) => None,
    });
    assert_eq!(stages.collect::<Vec<_>>(), Stage::ALL);
    assert!(told.contains(&Told::Leaves(LEAVES, LEAVES)));

    assert_eq!(ground.run(false), Ok(Migrated::Present));
    ground.assert_clean();
    let mut sequencer = ground.open(40);
    let more = vec![ground.office.issue(1_000)];
    sequencer.commit(more, at(50)).unwrap();
    drop(sequencer);
    ground.assert_clean();
}

#[test]
fn damage_in_what_follows_from_the_leaves_is_no_hindrance() {
    let ground = Ground::new();
    let before = everything(&ground.database());
    assert_eq!(ground.run(false), Ok(Migrated::Present));
    assert_eq!(ground.names(), ["db", "files"]);
    ground.age(FORMAT);
    let store = Rocks::open(&ground.database()).unwrap();
    let report = fsck::check(&store, &ground.files(), &Site::keys()).unwrap();
    assert!(!report.is_clean());
    drop(store);
    for kept in ["format-3", "format-3.2"] {
        let made = ground.run(true);
        let expected = Migrated::Made {
            from: FORMAT,
            leaves: LEAVES,
            kept: ground.beside(kept),
        };
        assert_eq!(made, Ok(expected));
        assert_eq!(everything(&ground.database()), before);
    }
    ground.assert_clean();
}

#[test]
fn a_newer_format_is_refused_and_left_as_it_is() {
    let ground = Ground::new();
    ground.write(vec![stated(FORMAT + 1)]);
    let before = everything(&ground.database());
    for rebuild in [false, true] {
        let error = ground.run(rebuild).unwrap_err();
        let (expected, actual) = (FORMAT, FORMAT + 1);
        assert_eq!(error, MigrateError::Newer { expected, actual });
        assert!(error.to_string().ends_with("by a newer program"), "{error}");
        assert!(!error.is_damage());
    }
    assert_eq!(everything(&ground.database()), before);
    assert_eq!(ground.names(), ["db", "files"]);
}

#[test]
fn a_database_that_states_no_format_or_half_of_one_is_refused() {
    let ground = Ground::new();
    let (family, key, _) = stated(0);
    ground.write(vec![(family, key.clone(), Some(vec![0, 3]))]);
    let error = ground.run(false).unwrap_err();
    assert!(error.is_damage());
    assert!(error.to_string().contains("2 bytes where 8"), "{error}");
    let empty = ground.root.path().join("empty");
    drop(Rocks::create(&empty).unwrap());
    fs::remove_dir_all(ground.database()).unwrap();
    let missing = ground.run(false).unwrap_err();
    assert!(
        missing.to_string().contains("holds no database"),
        "{missing}"
    );
    fs::rename(empty, ground.database()).unwrap();
    assert_eq!(ground.run(true), Err(MigrateError::Unmarked));
}

#[test]
fn after_an_end_at_any_stage_the_next_run_finishes() {
    for rebuild in [false, true] {
        for last in Stage::ALL {
            let ground = Ground::new();
            let before = everything(&ground.database());
            let from = if rebuild { FORMAT } else { 2 };
            ground.age(from);
            let stopped = ground.run_told(rebuild, &|told| told != Told::Stage(last));
            assert_eq!(stopped, Err(MigrateError::Stopped), "{last:?}");
            // Old or new, whole; or both whole beside the name, and it says so.
            let aside = last == Stage::Aside;
            assert_eq!(is_unfinished(&ground.database()), aside, "{last:?}");
            let here = if aside {
                ground.beside("migrated")
            } else {
                ground.database()
            };
            let new = matches!(last, Stage::Aside | Stage::InPlace);
            assert_eq!(everything(&here) == before, new, "{last:?}");
            let next = ground.run(rebuild && last != Stage::InPlace);
            let kept = ground.beside(&format!("format-{from}"));
            let expected = match last {
                Stage::Aside => Migrated::Finished,
                Stage::InPlace => Migrated::Present,
                _ => Migrated::Made {
                    from,
                    leaves: LEAVES,
                    kept: kept.clone(),
                },
            };
            assert_eq!(next, Ok(expected), "{last:?}");
            assert_eq!(everything(&ground.database()), before, "{last:?}");
            let kept = kept.file_name().unwrap().to_string_lossy().into_owned();
            assert_eq!(ground.names(), ["db", &kept, "files"], "{last:?}");
            ground.assert_clean();
            assert_eq!(ground.run(false), Ok(Migrated::Present));
        }
    }
}

#[test]
fn what_was_made_of_a_log_that_went_on_is_made_again() {
    let mut ground = Ground::new();
    let stopped = ground.run_told(true, &|told| told != Told::Stage(Stage::Ready));
    assert_eq!(stopped, Err(MigrateError::Stopped));
    let mut sequencer = ground.open(40);
    let more = vec![ground.office.issue(1_000)];
    sequencer.commit(more, at(50)).unwrap();
    drop(sequencer);
    let made = ground.run(true).unwrap();
    assert!(
        matches!(made, Migrated::Made { leaves: 311, .. }),
        "{made:?}"
    );
    ground.assert_clean();
}

#[test]
fn parts_of_an_earlier_run_are_removed() {
    let ground = Ground::new();
    for end in ["migrating", "migrated"] {
        fs::create_dir(ground.beside(end)).unwrap();
        fs::write(ground.beside(end).join("CURRENT"), "MANIFEST-000001\n").unwrap();
    }
    ground.age(2);
    assert!(ground.run(false).is_ok());
    assert_eq!(ground.names(), ["db", "db.format-2", "files"]);
    ground.assert_clean();
}

#[test]
fn a_new_database_that_no_longer_fits_the_intent_gets_no_name() {
    let ground = Ground::new();
    ground.age(2);
    let stopped = ground.run_told(false, &|told| told != Told::Stage(Stage::Aside));
    assert_eq!(stopped, Err(MigrateError::Stopped));
    let mut intent = Intent::none(crate::fixture::ORIGIN);
    intent.size.0 = LEAVES + 1;
    ground
        .files()
        .replace(intent::FILE, &intent.bytes())
        .unwrap();
    let error = ground.run(false).unwrap_err();
    assert!(
        error.to_string().starts_with("intent: size 310 is beyond"),
        "{error}"
    );
    assert_eq!(ground.names(), ["db.format-2", "db.migrated", "files"]);
}

#[test]
fn a_name_that_cannot_be_taken_is_an_error_and_nothing_is_lost() {
    let ground = Ground::new();
    ground.age(2);
    let before = everything(&ground.database());
    // A file where the new one is to be made.
    fs::write(ground.beside("migrating"), "x").unwrap();
    let error = ground.run(false).unwrap_err();
    assert!(
        matches!(&error, MigrateError::Disk { act: "remove", .. }),
        "{error:?}"
    );
    assert!(!error.is_damage());
    assert_eq!(everything(&ground.database()), before);
    // A directory that is not empty where the new one is to be named, put there meanwhile.
    fs::remove_file(ground.beside("migrating")).unwrap();
    let ready = ground.beside("migrated");
    let error = ground.run_told(false, &|told| {
        if told == Told::Stage(Stage::Checked) {
            fs::create_dir_all(ready.join("x")).unwrap();
        }
        true
    });
    let error = error.unwrap_err();
    assert!(
        matches!(&error, MigrateError::Disk { act: "rename", .. }),
        "{error:?}"
    );
    assert_eq!(everything(&ground.database()), before);
    assert!(ground.run(false).is_ok());
    ground.assert_clean();
}

#[test]
fn an_auditors_database_is_migrated_without_an_intent() {
    let ground = Ground::new();
    ground.age(2);
    fs::remove_dir_all(ground.root.path().join("files")).unwrap();
    let (scratch, log) = (tempfile::tempdir().unwrap(), Site::keys());
    let migration = Migration {
        database: &ground.database(),
        scratch: scratch.path(),
        log: &log,
        files: None,
        rebuild: false,
    };
    let made = migration.run(&|_| true).unwrap();
    assert!(matches!(
        made,
        Migrated::Made {
            from: 2,
            leaves: LEAVES,
            ..
        }
    ));
}

/// Over the store's promise alone: whichever read or write of either database fails, the rebuilding
/// fails, and the old one is as it was.
#[test]
fn an_error_of_either_store_ends_the_rebuilding() {
    let (site, mut sequencer, mut office) = Site::founded(3);
    sequencer
        .commit(vec![office.plain(1, Verb::Hold)], at(20))
        .unwrap();
    drop(sequencer);
    let (family, key, value) = stated(2);
    site.disk.damage(family, &key, value);
    for family in Family::ALL {
        if !Family::STABLE.contains(&family) {
            for (key, _) in site.disk.entries(family) {
                site.disk
                    .damage(family, &key, Some(b"another form".to_vec()));
            }
        }
    }
    assert!(site.disk.store().is_err());
    let attempt = |old: &Memory, new: &Memory| {
        let to = new.store().unwrap();
        rebuild(&old.any_format(), &to, &Site::keys(), &|_, _| ())
    };
    let (old, new) = (site.disk.copy(), Memory::new());
    old.inject(None);
    new.inject(None);
    assert_eq!(attempt(&old, &new), Ok(11));
    let (reads, writes) = (old.counts().0, new.counts().1);
    assert!(reads > 15 && writes >= 3, "{reads} {writes}");
    assert_eq!(old.counts().1, 0, "nothing is written to the old one");
    let fault = |at, of| Fault {
        at,
        of,
        how: How::Error,
        persisted: false,
    };
    for at in 0..reads {
        let old = site.disk.copy();
        old.inject(Some(fault(at, Operation::Read)));
        assert!(attempt(&old, &Memory::new()).is_err(), "read {at}");
    }
    for at in 0..writes {
        let new = Memory::new();
        new.inject(Some(fault(at, Operation::Write)));
        let error = attempt(&site.disk.copy(), &new).unwrap_err();
        assert!(error.to_string().contains("injected error"), "{error}");
    }
}
