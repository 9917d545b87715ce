//! A whole log on a real disk.

use std::path::Path;
use std::sync::Arc;

use zhao_spec::life::verb::Verb;
use zhao_spec::log::tree::{LeafIndex, TreeSize};

use crate::fixture::{Office, Site, at};
use crate::fsck;
use crate::read::Reader;
use crate::sequence::{Outcome, Sequencer, StartError};
use crate::store::StoreError;
use crate::store::files::Directory;
use crate::store::rocks::Rocks;

fn open(site: &Site, root: &Path, now: u64) -> Result<Sequencer, StartError> {
    let store = Arc::new(Rocks::open(&root.join("db"))?);
    let files = Arc::new(Directory::open(&root.join("files"))?);
    site.open_on(store, files, at(now))
        .map(|(sequencer, _)| sequencer)
}

fn create(site: &Site, root: &Path) -> Sequencer {
    let store = Arc::new(Rocks::create(&root.join("db")).unwrap());
    let files = Arc::new(Directory::open(&root.join("files")).unwrap());
    site.create_on(store, files).unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

#[test]
fn a_log_outlives_its_process() {
    let directory = tempfile::tempdir().unwrap();
    let (root, site, mut office) = (directory.path(), Site::new(), Office::new());
    let mut sequencer = create(&site, root);
    let mut events = office.founding();
    events.extend((0..300).map(|n| office.issue(n)));
    sequencer.commit(events.clone(), at(10)).unwrap();
    drop(sequencer);
    let mut sequencer = open(&site, root, 20).unwrap();
    let again = sequencer
        .commit(vec![events[9].clone(), office.plain(0, Verb::Hold)], at(30))
        .unwrap();
    let expected = [
        Outcome::Duplicate {
            index: LeafIndex(11),
        },
        Outcome::Accepted {
            index: LeafIndex(306),
        },
    ];
    assert_eq!(again, expected);
    drop(sequencer);
    let store = Arc::new(Rocks::open(&root.join("db")).unwrap());
    let files = Directory::open(&root.join("files")).unwrap();
    let report = fsck::check(&*store, &files, &Site::keys()).unwrap();
    assert!(report.is_clean(), "{:#?}", report.findings);
    let reader = Reader::new(store);
    let receipt = reader.latest().unwrap().receipt(&events[200].id()).unwrap();
    assert_eq!(receipt.index, LeafIndex(202));
}

#[test]
fn two_sequencers_cannot_have_one_directory() {
    let directory = tempfile::tempdir().unwrap();
    let site = Site::new();
    let _first = create(&site, directory.path());
    let error = open(&site, directory.path(), 20).unwrap_err();
    assert!(
        matches!(error, StartError::Store(StoreError::Locked { .. })),
        "{error:?}"
    );
}

#[test]
fn an_older_copy_of_the_database_directory_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (root, site, mut office) = (directory.path(), Site::new(), Office::new());
    let mut sequencer = create(&site, root);
    sequencer.commit(office.founding(), at(10)).unwrap();
    drop(sequencer);
    copy(&root.join("db"), &root.join("backup"));
    let mut sequencer = open(&site, root, 20).unwrap();
    sequencer.commit(vec![office.issue(1)], at(30)).unwrap();
    drop(sequencer);
    std::fs::remove_dir_all(root.join("db")).unwrap();
    std::fs::rename(root.join("backup"), root.join("db")).unwrap();
    let error = open(&site, root, 40).unwrap_err();
    let (database, intent) = (TreeSize(6), TreeSize(8));
    assert_eq!(error, StartError::DatabaseOlder { database, intent });
}

#[test]
fn a_truncated_table_file_is_an_error_and_no_answer() {
    let directory = tempfile::tempdir().unwrap();
    let (root, site, mut office) = (directory.path(), Site::new(), Office::new());
    let mut sequencer = create(&site, root);
    sequencer.commit(office.founding(), at(10)).unwrap();
    drop(sequencer);
    // Opening again moves the write-ahead log into table files.
    drop(open(&site, root, 20).unwrap());
    let tables: Vec<_> = std::fs::read_dir(root.join("db"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "sst"))
        .collect();
    assert!(!tables.is_empty());
    for path in tables {
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    }
    let error = open(&site, root, 30).unwrap_err();
    assert!(
        matches!(error, StartError::Store(StoreError::Engine(_))),
        "{error:?}"
    );
}
