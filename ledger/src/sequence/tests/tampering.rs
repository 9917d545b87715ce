//! A flipped bit anywhere is found: by the second path before the key signs, or by fsck.

use zhao_spec::life::verb::Verb;

use crate::fixture::{Site, at};
use crate::fsck::{self, Advice};
use crate::sequence::{CommitError, SecondPathError, StartError};
use crate::store::layout::Family;

/// Flips one bit of every value in turn (of keys where values are empty), and wants each noticed.
/// Returns how many a commit noticed itself.
fn flip_each(family: Family) -> usize {
    let signer = Site::signer();
    let (site, mut sequencer, mut office) = Site::founded(40);
    let replacing = vec![office.plain(3, Verb::Hold), office.plain(4, Verb::Hold)];
    sequencer.commit(replacing, at(12)).unwrap();
    drop(sequencer);
    let mut stopped = 0;
    let entries = site.disk.entries(family);
    assert!(!entries.is_empty(), "{} is empty", family.name());
    for (at_entry, (key, value)) in entries.into_iter().enumerate() {
        let damaged = site.with_disk(site.disk.copy());
        let place = at_entry * 7 % value.len().max(1);
        if value.is_empty() {
            let mut other = key.clone();
            *other.last_mut().unwrap() ^= 1;
            damaged.disk.damage(family, &key, None);
            damaged.disk.damage(family, &other, Some(value));
        } else {
            let mut other = value.clone();
            other[place] ^= 1;
            damaged.disk.damage(family, &key, Some(other));
        }
        let Ok(store) = damaged.disk.store() else {
            // Another format version is not even opened.
            assert_eq!(family, Family::Meta);
            stopped += 1;
            continue;
        };
        let report =
            fsck::check(&store, &damaged.disk.files(), &signer.vkey().clone().into()).unwrap();
        let found = report
            .findings
            .iter()
            .any(|finding| finding.place == family.name());
        assert!(
            found,
            "{} {at_entry}: {:#?}",
            family.name(),
            report.findings
        );
        // And the sequencer over it: whatever it answers, it does not sign a wrong head.
        *damaged.seen.lock().unwrap() = Vec::new();
        let Ok((mut sequencer, _)) = Site { ..damaged.clone() }.open(at(30)) else {
            stopped += 1;
            continue;
        };
        let mut office = office.clone();
        let events = vec![
            office.issue(100),
            office.plain(0, Verb::Hold),
            office.plain(39, Verb::Hold),
        ];
        let result = sequencer.commit(events, at(40));
        match result {
            Ok(_) => assert_eq!(*damaged.complaints.lock().unwrap(), Vec::<String>::new()),
            Err(error) => {
                assert!(error.is_fatal());
                stopped += 1;
            }
        }
    }
    stopped
}

#[test]
fn leaves() {
    assert!(flip_each(Family::Leaves) > 0);
}

#[test]
fn tiles() {
    assert_eq!(flip_each(Family::Tiles), 1);
}

#[test]
fn records() {
    assert!(flip_each(Family::Records) > 0);
}

#[test]
fn epochs() {
    assert!(flip_each(Family::Epochs) > 0);
}

#[test]
fn heads() {
    assert!(flip_each(Family::Heads) > 0);
}

#[test]
fn meta() {
    assert!(flip_each(Family::Meta) > 0);
}

#[test]
fn indexes() {
    for family in [
        Family::EventIds,
        Family::Holdings,
        Family::Replaced,
        Family::Subjects,
    ] {
        flip_each(family);
    }
}

fn flip_records(site: &Site) {
    for (key, value) in site.disk.entries(Family::Records) {
        let mut other = value.clone();
        other[3] ^= 1;
        site.disk.damage(Family::Records, &key, Some(other));
    }
}

#[test]
fn a_flipped_record_under_a_running_sequencer_stops_the_signing() {
    let (site, sequencer, mut office) = Site::founded(1);
    drop(sequencer);
    let (mut sequencer, _) = site.open(at(15)).unwrap();
    flip_records(&site);
    let signed = site.seen.lock().unwrap().len();
    let error = sequencer.commit(vec![office.issue(1)], at(20)).unwrap_err();
    assert!(matches!(error, CommitError::Store(_)), "{error:?}");
    assert_eq!(site.seen.lock().unwrap().len(), signed);
}

#[test]
fn records_in_memory_outlive_a_flip_on_disk_which_the_next_start_finds() {
    let (site, mut sequencer, mut office) = Site::founded(1);
    flip_records(&site);
    // Judged by what memory has, and what memory has is what the map commits.
    sequencer.commit(vec![office.issue(1)], at(20)).unwrap();
    drop(sequencer);
    let error = site.open(at(30)).unwrap_err();
    assert!(matches!(error, StartError::Map { .. }), "{error:?}");
}

#[test]
fn a_record_changed_between_the_paths_is_refused_by_the_second() {
    // What an in-memory flip would do: the first path judges by one record, the store has another.
    let (site, sequencer, office) = Site::founded(1);
    let store = site.disk.store().unwrap();
    let mut office = office;
    let events = vec![office.issue(1)];
    let plan = sequencer
        .judge()
        .plan(&events, at(20))
        .unwrap()
        .unwrap()
        .plan;
    let mut segment = std::sync::Arc::into_inner(plan.segment).unwrap();
    let (key, before) = segment
        .touched
        .before
        .iter()
        .find(|(_, record)| record.is_some())
        .map(|(key, record)| (*key, record.clone().unwrap()))
        .unwrap();
    let other = segment
        .touched
        .before
        .values()
        .flatten()
        .find(|r| ***r != *before)
        .unwrap();
    let other = std::sync::Arc::clone(other);
    segment.touched.before.insert(key, Some(other));
    let staged = crate::sequence::stage::stage(&store, &sequencer.edge, &segment, at(20)).unwrap();
    let signed = sequencer.signed.as_ref();
    let second = crate::sequence::second::open(&sequencer.edge, &segment.touched);
    let second = second.and_then(|opened| {
        crate::sequence::second::check(&store, signed, &sequencer.edge, opened, &staged)
    });
    let error = second.unwrap_err();
    assert_eq!(error, SecondPathError::Record { key });
}

#[test]
fn a_first_path_that_errs_is_refused_by_the_second() {
    let (site, sequencer, mut office) = Site::founded(1);
    let store = site.disk.store().unwrap();
    let events = vec![office.issue(1), office.plain(0, Verb::Hold)];
    let plan = sequencer
        .judge()
        .plan(&events, at(20))
        .unwrap()
        .unwrap()
        .plan;
    let stage =
        || crate::sequence::stage::stage(&store, &sequencer.edge, &plan.segment, at(20)).unwrap();
    let check = |staged: &crate::sequence::stage::Staged| {
        let signed = sequencer.signed.as_ref();
        let opened = crate::sequence::second::open(&sequencer.edge, &plan.segment.touched)?;
        crate::sequence::second::check(&store, signed, &sequencer.edge, opened, staged)
    };
    check(&stage()).unwrap();

    let mut staged = stage();
    staged.root.0[0] ^= 1;
    assert!(matches!(
        check(&staged),
        Err(SecondPathError::LogRoot { .. })
    ));

    let mut staged = stage();
    staged.epoch.map_root.0[0] ^= 1;
    assert_eq!(check(&staged), Err(SecondPathError::Epoch));

    // A record in the batch that is not the one the map was given.
    let mut staged = stage();
    let write = staged
        .batch
        .writes()
        .iter()
        .find(|(f, ..)| *f == Family::Records)
        .cloned()
        .unwrap();
    let mut bytes = write.2.unwrap();
    bytes[9] ^= 1;
    staged
        .batch
        .push_raw((Family::Records, write.1, Some(bytes)));
    assert!(matches!(
        check(&staged),
        Err(SecondPathError::MapRoot { .. })
    ));

    // A leaf too many, and a tile that does not continue the signed tree.
    let mut staged = stage();
    let next = staged.epoch.index.0 + 1;
    let leaf = (
        Family::Leaves,
        next.to_be_bytes().to_vec(),
        Some(b"{}".to_vec()),
    );
    staged.batch.push_raw(leaf);
    assert!(matches!(
        check(&staged),
        Err(SecondPathError::Leaves { .. })
    ));

    let mut staged = stage();
    staged.tiles.get_mut(&(0, 0)).unwrap()[0] ^= 1;
    assert!(matches!(
        check(&staged),
        Err(SecondPathError::Consistency { .. })
    ));

    let mut staged = stage();
    staged.epoch.subjects += 1;
    assert_eq!(check(&staged), Err(SecondPathError::Epoch));
}

#[test]
fn a_missing_leaf_is_grave() {
    let (site, ..) = Site::founded(1);
    site.disk.damage(Family::Leaves, &3_u64.to_be_bytes(), None);
    let store = site.disk.store().unwrap();
    let report = fsck::check(&store, &site.disk.files(), &Site::keys()).unwrap();
    assert_eq!(report.advice(), Some(Advice::Restore));
    assert!(
        report
            .findings
            .iter()
            .any(|f| f.problem == "leaf 3 is missing before it")
    );
}
