//! Editions of the map in a place: whole, each page once, and what goes wrong on the way.

use zhao_spec::map::page::{Walk, naive_pages};
use zhao_spec::wire::Hash;

use super::super::memory::{Fault, Operation};
use super::*;
use crate::map::edition::Edition;

const MAP_CHECKPOINT: &str = "map/checkpoint";

fn edition(sequencer: &Sequencer) -> Edition {
    sequencer.reader().latest().unwrap().edition()
}

fn put(up: &mut Uploader, sequencer: &Sequencer) -> Result<u64, UploadError> {
    upload(up, sequencer)?;
    let edition = edition(sequencer);
    let done = up.upload_edition(&sequencer.reader(), &edition, &|_, _| ())?;
    assert_eq!(done.size, edition.size);
    Ok(done.objects)
}

/// Every page of the place's newest edition, by walks and by the definition.
fn assert_whole(place: &MemoryPlace, sequencer: &Sequencer) {
    let objects = place.objects();
    let edition = edition(sequencer);
    assert_eq!(objects[MAP_CHECKPOINT], edition.note.as_bytes());
    let mut entries = std::collections::BTreeMap::new();
    edition.map.each(&mut |leaf| {
        entries.insert(leaf.key, leaf.record);
    });
    for page in naive_pages(&entries).unwrap() {
        assert_eq!(objects.get(&page.name().path()), Some(&page.encode()));
    }
    for key in entries.keys().step_by(29) {
        let mut walk = Walk::new(&edition.map.root(), key);
        while let Some(name) = walk.wanted() {
            walk.take(&objects[&name.path()]).unwrap();
        }
        assert_eq!(walk.found().unwrap().path, edition.map.find(key).path(key));
    }
}

fn pages(place: &MemoryPlace) -> usize {
    let objects = place.objects();
    let names = objects.keys().filter(|name| name.starts_with("map/"));
    names.filter(|name| *name != MAP_CHECKPOINT).count()
}

/// Commits licences, so many that the map is cut.
fn issue(sequencer: &mut Sequencer, office: &mut Office, from: u64, count: u64, time: u64) {
    let events = (from..from + count).map(|n| office.issue(n)).collect();
    assert!(accepted(&sequencer.commit(events, at(time)).unwrap()));
}

#[test]
fn each_edition_is_whole_and_each_page_is_put_once() {
    let (site, place, mut sequencer, mut office) = published();
    let mut up = uploader_of(&site);
    issue(&mut sequencer, &mut office, 1_000, 400, 30);
    let first = put(&mut up, &sequencer).unwrap();
    assert_eq!(first, pages(&place) as u64);
    assert_whole(&place, &sequencer);
    // Nothing new: nothing is put.
    assert_eq!(put(&mut up, &sequencer).unwrap(), 0);
    for round in 0..5 {
        let before = pages(&place);
        issue(&mut sequencer, &mut office, 5_000 + round, 1, 31 + round);
        let new = put(&mut up, &sequencer).unwrap();
        assert_eq!(pages(&place) - before, usize::try_from(new).unwrap());
        // One licence: the way to it, or two leaf pages where one was.
        assert!((2..=4).contains(&new), "{new}");
        assert_whole(&place, &sequencer);
    }
    // Another run knows nothing of the first: it looks where something is new, and no further.
    issue(&mut sequencer, &mut office, 7_000, 1, 40);
    let mut up = uploader_of(&site);
    upload(&mut up, &sequencer).unwrap();
    place.inject(Vec::new());
    let new = put(&mut up, &sequencer).unwrap();
    assert!((2..=4).contains(&new), "{new}");
    assert!(place.count(Operation::Get) < 16);
    assert_whole(&place, &sequencer);
}

/// Wherever it is broken off, nothing that the checkpoint names is missing, and the next try
/// finishes.
#[test]
fn a_place_that_fails_has_no_half_edition() {
    for (operation, fault) in [
        (Operation::Create, Fault::Before),
        (Operation::Create, Fault::After),
        (Operation::Get, Fault::Before),
        (Operation::Swap, Fault::Before),
        (Operation::Swap, Fault::After),
    ] {
        for turn in 0..6 {
            let (site, place, mut sequencer, mut office) = published();
            issue(&mut sequencer, &mut office, 1_000, 300, 30);
            let mut up = uploader_of(&site);
            put(&mut up, &sequencer).unwrap();
            let noted = place.objects()[MAP_CHECKPOINT].clone();
            issue(&mut sequencer, &mut office, 2_000, 30, 31);
            upload(&mut up, &sequencer).unwrap();
            let mut up = uploader_of(&site);
            place.inject(vec![(operation, turn, fault)]);
            let reader = sequencer.reader();
            let edition = edition(&sequencer);
            let done = up.upload_edition(&reader, &edition, &|_, _| ());
            if done.is_err() {
                assert_eq!(place.objects()[MAP_CHECKPOINT], noted);
                place.inject(Vec::new());
                up.upload_edition(&reader, &edition, &|_, _| ()).unwrap();
            }
            assert_whole(&place, &sequencer);
        }
    }
}

#[test]
fn what_somebody_else_wrote_is_not_overwritten() {
    let (site, place, mut sequencer, mut office) = published();
    issue(&mut sequencer, &mut office, 1_000, 300, 30);
    let mut up = uploader_of(&site);
    put(&mut up, &sequencer).unwrap();
    issue(&mut sequencer, &mut office, 2_000, 1, 31);
    upload(&mut up, &sequencer).unwrap();
    // A page with other bytes.
    let edition = edition(&sequencer);
    let top = zhao_spec::map::page::PageName::top(&edition.map.root());
    let forged: &dyn super::super::place::Place = &place;
    forged.create(&top.path(), b"another page").unwrap();
    let refused = up.upload_edition(&sequencer.reader(), &edition, &|_, _| ());
    let name = top.path();
    let differs = UploadError::Publish(PublishError::Differs { name });
    assert_eq!(refused, Err(differs));
    // A checkpoint that is none, and one that is another log's.
    let found = forged.get(MAP_CHECKPOINT, 1 << 20).unwrap().unwrap();
    forged
        .swap(MAP_CHECKPOINT, b"no checkpoint", &found.tag)
        .unwrap();
    let refused = up.upload_edition(&sequencer.reader(), &edition, &|_, _| ());
    assert!(
        matches!(
            &refused,
            Err(UploadError::Publish(PublishError::Malformed { name, .. }))
                if name == MAP_CHECKPOINT
        ),
        "{refused:?}"
    );
    assert_eq!(
        forged.get(MAP_CHECKPOINT, 1 << 20).unwrap().unwrap().bytes,
        b"no checkpoint"
    );
}

#[test]
fn an_older_edition_does_not_replace_a_newer_one() {
    let (site, place, mut sequencer, mut office) = published();
    issue(&mut sequencer, &mut office, 1_000, 10, 30);
    let older = edition(&sequencer);
    issue(&mut sequencer, &mut office, 2_000, 10, 31);
    let mut up = uploader_of(&site);
    put(&mut up, &sequencer).unwrap();
    let done = up
        .upload_edition(&sequencer.reader(), &older, &|_, _| ())
        .unwrap();
    assert_eq!((done.objects, done.size), (0, edition(&sequencer).size));
    assert_whole(&place, &sequencer);
    let root: Hash = older.map.root();
    assert_ne!(root, edition(&sequencer).map.root());
}
