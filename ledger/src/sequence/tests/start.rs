//! What a sequencer refuses to start from.

use zhao_spec::log::note::NoteSigner;
use zhao_spec::log::tree::TreeSize;
use zhao_spec::wire::Hash;

use crate::fixture::{ORIGIN, Site, at, secret};
use crate::sequence::intent::{self, Intent};
use crate::sequence::{CHECKPOINT_FILE, CommitError, StartError};
use crate::store::StoreError;
use crate::store::layout::{Family, Meta, MetaKey, Table};
use crate::store::memory::Memory;

/// A log, a copy of its disk from before the last batch, and its disk now.
fn two_states() -> (Site, Memory) {
    let (site, mut sequencer, mut office) = Site::founded(1);
    let old = site.disk.copy();
    sequencer.commit(vec![office.issue(1)], at(20)).unwrap();
    drop(sequencer);
    (site, old)
}

fn copy_files(from: &Memory, to: &Memory, names: &[&str]) {
    use crate::store::files::Files as _;
    for name in names {
        to.damage_file(name, from.files().read(name).unwrap());
    }
}

#[test]
fn an_empty_database() {
    let site = Site::new();
    assert_eq!(site.open(at(0)).unwrap_err(), StartError::NotCreated);
}

#[test]
fn a_database_that_lost_everything_is_not_a_new_one() {
    let (site, sequencer, _) = Site::founded(0);
    let size = sequencer.size();
    drop(sequencer);
    for family in Family::ALL {
        for (key, _) in site.disk.entries(family) {
            site.disk.damage(family, &key, None);
        }
    }
    let lost = StartError::DatabaseOlder {
        database: TreeSize(0),
        intent: size,
    };
    assert_eq!(site.open(at(0)).unwrap_err(), lost);
    // As long as nothing was ever signed, there is nothing to lose.
    site.disk
        .damage_file(intent::FILE, Some(Intent::none(ORIGIN).bytes()));
    assert_eq!(site.open(at(0)).unwrap_err(), StartError::NotCreated);
}

#[test]
fn a_log_is_created_once() {
    let (site, sequencer, _) = Site::founded(0);
    drop(sequencer);
    let what = "a database with leaves";
    assert_eq!(
        site.create().unwrap_err(),
        StartError::AlreadyCreated { what }
    );
    for family in Family::ALL {
        for (key, _) in site.disk.entries(family) {
            site.disk.damage(family, &key, None);
        }
    }
    let what = "an intent file";
    assert_eq!(
        site.create().unwrap_err(),
        StartError::AlreadyCreated { what }
    );
    site.disk.damage_file(intent::FILE, None);
    let what = "a published checkpoint";
    assert_eq!(
        site.create().unwrap_err(),
        StartError::AlreadyCreated { what }
    );
}

#[test]
fn a_missing_intent() {
    let (site, _) = two_states();
    site.disk.damage_file(intent::FILE, None);
    assert_eq!(site.open(at(30)).unwrap_err(), StartError::IntentMissing);
}

#[test]
fn an_intent_that_cannot_be_read() {
    let (site, _) = two_states();
    for bytes in [
        b"".as_slice(),
        b"{}",
        b"{\"format\":\"zhao/v1 intent\",\"origin\":\"x\"}",
    ] {
        site.disk.damage_file(intent::FILE, Some(bytes.to_vec()));
        let error = site.open(at(30)).unwrap_err();
        assert!(matches!(error, StartError::Intent(_)), "{error:?}");
    }
}

#[test]
fn an_intent_of_another_log_or_root() {
    let (site, _) = two_states();
    let other = Intent {
        origin: "other.example".to_owned(),
        ..Intent::none("")
    };
    site.disk.damage_file(intent::FILE, Some(other.bytes()));
    let error = site.open(at(30)).unwrap_err();
    assert!(
        matches!(
            &error,
            StartError::OtherLog {
                what: "origin of the intent",
                ..
            }
        ),
        "{error:?}"
    );
    let size = TreeSize(9);
    let wrong = Intent {
        origin: ORIGIN.to_owned(),
        root: Hash([7; 32]),
        size,
    };
    site.disk.damage_file(intent::FILE, Some(wrong.bytes()));
    let error = site.open(at(30)).unwrap_err();
    assert!(
        matches!(&error, StartError::IntentMismatch { size: s, intent, .. }
            if *s == size && *intent == wrong.root),
        "{error:?}"
    );
}

#[test]
fn an_older_database_under_the_present_intent() {
    let (site, old) = two_states();
    copy_files(&site.disk, &old, &[intent::FILE, CHECKPOINT_FILE]);
    let error = site.with_disk(old).open(at(30)).unwrap_err();
    let (database, intent) = (TreeSize(7), TreeSize(9));
    assert_eq!(error, StartError::DatabaseOlder { database, intent });
}

#[test]
fn an_older_copy_of_everything_while_a_witness_knows_better() {
    let (site, old) = two_states();
    let error = site.with_disk(old).open(at(30)).unwrap_err();
    let name = "witness.example".to_owned();
    let (theirs, ours) = (TreeSize(9), TreeSize(7));
    assert_eq!(
        error,
        CommitError::WitnessAhead { name, theirs, ours }.into()
    );
}

#[test]
fn an_older_copy_of_everything_signs_nothing_until_the_witness_answers() {
    let (site, old) = two_states();
    *site.down.lock().unwrap() = true;
    let site = site.with_disk(old);
    let shown = site.seen.lock().unwrap().len();
    let (mut sequencer, start) = site.open(at(30)).unwrap();
    assert_eq!(start.unasked.len(), 2);
    assert!(!sequencer.is_confirmed());
    let silent = "witness.example, auditor.example".to_owned();
    let unconfirmed = CommitError::Unconfirmed { silent };
    assert_eq!(sequencer.heartbeat(at(31)).unwrap_err(), unconfirmed);
    assert_eq!(
        sequencer.commit(Vec::new(), at(31)).unwrap_err(),
        unconfirmed
    );
    *site.down.lock().unwrap() = false;
    let error = sequencer.heartbeat(at(32)).unwrap_err();
    let (theirs, ours) = (TreeSize(9), TreeSize(7));
    let name = "witness.example".to_owned();
    assert_eq!(error, CommitError::WitnessAhead { name, theirs, ours });
    assert!(sequencer.stopped().is_some());
    assert_eq!(site.seen.lock().unwrap().len(), shown);
}

#[test]
fn a_witness_that_comes_back_lets_a_held_log_go_on() {
    let (site, _) = two_states();
    *site.down.lock().unwrap() = true;
    let (mut sequencer, _) = site.open(at(30)).unwrap();
    assert!(!sequencer.is_confirmed());
    *site.down.lock().unwrap() = false;
    assert!(sequencer.heartbeat(at(31)).unwrap());
    assert!(sequencer.is_confirmed());
}

#[test]
fn cosigners_that_lost_their_memory_do_not_count_as_asked() {
    let (site, _) = two_states();
    let forgetful = Site {
        disk: site.disk.clone(),
        ..Site::new()
    };
    let (mut sequencer, start) = forgetful.open(at(30)).unwrap();
    // The auditor replays everything, and so can say what it said before.
    let why = "shows none of the heads it cosigned, and has cosigned size 0".to_owned();
    assert_eq!(start.unasked, [("witness.example".to_owned(), why)]);
    let error = sequencer.heartbeat(at(31)).unwrap_err();
    assert!(
        matches!(error, CommitError::Unconfirmed { .. }),
        "{error:?}"
    );
}

#[test]
fn a_witness_that_knows_another_tree_of_this_size() {
    let (site, old) = two_states();
    // The restored copy takes other events until it is as long as what the witness knows.
    let alone = Site {
        disk: old.clone(),
        ..Site::new()
    };
    // Cosigners that remember nothing are heard only by a log that shows nothing of theirs.
    for (key, _) in old.entries(Family::Heads) {
        old.damage(Family::Heads, &key, None);
    }
    old.damage_file(CHECKPOINT_FILE, None);
    let mut office = crate::fixture::Office::new();
    office.founding();
    let (mut sequencer, _) = alone.open(at(30)).unwrap();
    sequencer.commit(vec![office.issue(5)], at(31)).unwrap();
    drop(sequencer);
    let error = site.with_disk(old).open(at(40)).unwrap_err();
    let name = "witness.example".to_owned();
    let size = TreeSize(9);
    assert_eq!(error, CommitError::WitnessDisagrees { name, size }.into());
}

#[test]
fn a_published_checkpoint_ahead_of_the_database() {
    let (site, old) = two_states();
    copy_files(&site.disk, &old, &[CHECKPOINT_FILE]);
    let error = site.with_disk(old).open(at(30)).unwrap_err();
    assert!(
        matches!(&error, StartError::Published { size: TreeSize(9), problem, .. }
            if problem == "it is newer than the intent"),
        "{error:?}"
    );
}

#[test]
fn a_checkpoint_that_is_not_the_logs() {
    let (site, _) = two_states();
    site.disk
        .damage_file(CHECKPOINT_FILE, Some(b"nonsense".to_vec()));
    let error = site.open(at(30)).unwrap_err();
    assert!(matches!(error, StartError::Published { .. }), "{error:?}");
}

#[test]
fn a_database_of_another_key_or_origin() {
    let (site, _) = two_states();
    let key = Meta::encode_key(&MetaKey::LogKey);
    let known = site.disk.entries(Family::Meta);
    site.disk.damage(Family::Meta, &key, Some(vec![1; 32]));
    let error = site.open(at(30)).unwrap_err();
    assert!(
        matches!(
            error,
            StartError::OtherLog {
                what: "log key of the database",
                ..
            }
        ),
        "{error:?}"
    );
    let own = known.iter().find(|(name, _)| *name == key).unwrap();
    site.disk.damage(Family::Meta, &key, Some(own.1.clone()));
    let origin = Meta::encode_key(&MetaKey::Origin);
    site.disk
        .damage(Family::Meta, &origin, Some(b"other.example".to_vec()));
    let error = site.open(at(30)).unwrap_err();
    assert!(
        matches!(&error, StartError::OtherLog { what: "origin of the database", expected, actual }
            if expected == ORIGIN && actual == "other.example"),
        "{error:?}"
    );
}

#[test]
fn a_database_of_another_format() {
    let (site, _) = two_states();
    let key = Meta::encode_key(&MetaKey::Format);
    site.disk
        .damage(Family::Meta, &key, Some(1_u64.to_be_bytes().to_vec()));
    let error = site.open(at(30)).unwrap_err();
    assert_eq!(
        error,
        StoreError::Format {
            expected: 3,
            actual: 1
        }
        .into()
    );
}

#[test]
fn a_clock_an_hour_behind() {
    let (site, mut sequencer, mut office) = Site::founded(0);
    *site.down.lock().unwrap() = true;
    sequencer.commit(vec![office.issue(1)], at(4_000)).unwrap();
    drop(sequencer);
    *site.down.lock().unwrap() = false;
    // A fresh epoch is due, and has no honest time.
    let error = site.open(at(0)).unwrap_err();
    let (now, last) = (at(0), at(4_000));
    assert_eq!(error, StartError::Commit(CommitError::Clock { now, last }));
}

#[test]
fn genesis_of_another_origin() {
    let site = Site::new();
    let store = std::sync::Arc::new(site.disk.store().unwrap());
    let files = std::sync::Arc::new(site.disk.files());
    let config = crate::sequence::Config {
        signer: NoteSigner::new("other.example", secret("log"))
            .unwrap()
            .into(),
        quorum: Site::quorum(),
        cosigners: Vec::new(),
        max_unpublished: 1,
        mldsa: None,
        publication: None,
    };
    let genesis = crate::fixture::Office::genesis();
    let error =
        crate::sequence::Sequencer::create(store, files, config, &genesis, at(0)).unwrap_err();
    assert!(matches!(error, StartError::OtherLog { .. }), "{error:?}");
    assert_eq!(site.disk.counts().1, 0);
}
