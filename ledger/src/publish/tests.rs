//! A log that is published in a place, and the places and processes that get in its way.

mod faults;
mod pages;
mod refusals;
mod standby;

use std::sync::{Arc, Mutex};

use zhao_spec::log::checkpoint::{self, Checkpoint};
use zhao_spec::log::tile::changed_tiles;
use zhao_spec::log::tree::TreeSize;
use zhao_spec::wire::sha256;

use super::memory::MemoryPlace;
use super::upload::{UploadError, Uploaded, Uploader};
use super::{Publication, PublishError, Segments};
use crate::fixture::{Office, Site, at};
use crate::sequence::second_log::log_root;
use crate::sequence::{Outcome, Sequencer, StartError};
use crate::store::memory::Memory;

/// A run of a directory, published in `place`.
fn run(site: &Site, place: &MemoryPlace, name: &str, take_over: bool) -> Site {
    Site {
        publication: Some(Publication {
            place: Arc::new(place.clone()),
            session: sha256(&[name.as_bytes()]),
            take_over,
            segments: Segments::default(),
        }),
        ..site.clone()
    }
}

fn uploader(place: &MemoryPlace) -> Uploader {
    let log = Site::keys();
    Uploader::new(Arc::new(place.clone()), log, Segments::default())
}

/// The uploader that a server has: it knows what the sequencer of its process made.
fn uploader_of(site: &Site) -> Uploader {
    let publication = site.publication.clone().unwrap();
    let log = Site::keys();
    Uploader::new(publication.place, log, publication.segments)
}

fn upload(up: &mut Uploader, sequencer: &Sequencer) -> Result<Uploaded, UploadError> {
    up.upload(&sequencer.reader(), &|_, _| ())
}

/// A log with some licences, published in a place; its claim is taken.
fn published() -> (Site, MemoryPlace, Sequencer, Office) {
    let (site, sequencer, office) = Site::founded(3);
    drop(sequencer);
    let place = MemoryPlace::new();
    let site = run(&site, &place, "first", false);
    let (sequencer, _) = site.open(at(20)).unwrap();
    upload(&mut uploader(&place), &sequencer).unwrap();
    (site, place, sequencer, office)
}

/// Every head that any cosigner was shown is of this disk's tree.
fn no_fork(site: &Site, disk: &Memory) {
    let store = disk.store().unwrap();
    let vkey = Site::signer().vkey().clone();
    for note in site.seen.lock().unwrap().iter() {
        let (Checkpoint { size, root, .. }, _) = checkpoint::open(note, &vkey).unwrap();
        assert_eq!(log_root(&store, size, &[]).unwrap(), root, "size {size}");
    }
}

fn refused(error: StartError) -> PublishError {
    match error {
        StartError::Publish(error) => error,
        other => panic!("{other}"),
    }
}

fn accepted(outcomes: &[Outcome]) -> bool {
    let fine = |outcome: &Outcome| matches!(outcome, Outcome::Accepted { .. });
    outcomes.iter().all(fine)
}

#[test]
fn the_place_has_what_a_reader_of_static_files_needs() {
    let (site, place, mut sequencer, mut office) = published();
    let mut up = uploader_of(&site);
    let mut sizes = Vec::new();
    for round in 0_u64..8 {
        // Some heads are published and followed before anything is uploaded.
        for n in 0..round % 3 {
            let licence = 10_000 + round * 10 + n;
            sequencer
                .commit(vec![office.issue(licence)], at(30 + round))
                .unwrap();
            sizes.push(sequencer.size());
        }
        let events = (0..150).map(|n| office.issue(100 + round * 150 + n));
        let outcomes = sequencer.commit(events.collect(), at(30 + round)).unwrap();
        assert!(accepted(&outcomes));
        // Before it is uploaded, its leaves are in the place all the same.
        let segments = |name: &&String| name.starts_with("segment/");
        let waiting = place.objects().keys().filter(segments).count();
        assert_eq!(waiting, 1 + usize::try_from(round % 3).unwrap());
        let steps = Mutex::new(Vec::new());
        let step = |done, all| steps.lock().unwrap().push((done, all));
        let done = up.upload(&sequencer.reader(), &step).unwrap();
        assert_eq!(done.size, sequencer.published().size);
        let mut steps = steps.into_inner().unwrap();
        steps.sort_unstable();
        let all = done.objects;
        assert_eq!(steps, (1..=all).map(|n| (n, all)).collect::<Vec<_>>());
        assert_eq!(place.objects().keys().filter(segments).count(), 0);
        sizes.push(done.size);
        // Nothing new: nothing is put, and of what it made itself nothing is read.
        place.inject(Vec::new());
        assert_eq!(upload(&mut up, &sequencer).unwrap().objects, 0);
        assert_eq!(place.count(super::memory::Operation::Get), 1);
    }
    let objects = place.objects();
    let reader = sequencer.reader();
    let view = reader.published().unwrap();
    assert_eq!(objects["checkpoint"], view.note().as_bytes());
    // Every tile of every size that was published, in the width it had then.
    let mut tiles = 0;
    for size in sizes {
        for tile in changed_tiles(TreeSize(0), size) {
            // Of what is full by now the full tile serves too.
            let there = objects.get(&tile.path());
            let full = || objects.get(&tile.full().path());
            let bytes = there
                .or_else(full)
                .unwrap_or_else(|| panic!("{}", tile.path()));
            let expected = view.tile(&tile).unwrap().unwrap();
            assert!(bytes.starts_with(&expected), "{}", tile.path());
            tiles += 1;
        }
    }
    assert!(tiles > 20, "{tiles}");
}

#[test]
fn nothing_is_signed_that_is_not_claimed_and_what_waited_is_published_later() {
    let (site, place, mut sequencer, mut office) = published();
    let seen = site.seen.lock().unwrap().len();
    place.set_away(true);
    let outcomes = sequencer.commit(vec![office.issue(7)], at(30)).unwrap();
    assert!(
        matches!(outcomes[..], [Outcome::Pending { .. }]),
        "{outcomes:?}"
    );
    assert_eq!(site.seen.lock().unwrap().len(), seen);
    let [(name, why)] = sequencer.silent() else {
        panic!("{:?}", sequencer.silent());
    };
    assert_eq!(name, "place of publication");
    assert!(why.ends_with("is away"), "{why}");
    assert!(matches!(
        upload(&mut uploader(&place), &sequencer),
        Err(UploadError::Publish(PublishError::Away(_)))
    ));
    assert!(!sequencer.retry(at(31)).unwrap());
    place.set_away(false);
    assert!(sequencer.retry(at(32)).unwrap());
    let outcomes = sequencer.commit(vec![office.issue(8)], at(33)).unwrap();
    assert!(accepted(&outcomes));
    no_fork(&site, &site.disk);
}

#[test]
fn a_place_that_is_away_lets_nothing_start_and_the_next_start_needs_no_help() {
    let (site, place, sequencer, _) = published();
    drop(sequencer);
    place.set_away(true);
    let error = refused(site.open(at(30)).unwrap_err());
    assert!(matches!(error, PublishError::Away(_)), "{error}");
    place.set_away(false);
    let again = run(&site, &place, "second", false);
    again.open(at(31)).unwrap();
    // A session that never got its claim is followed by one that does.
    place.inject(vec![(
        super::memory::Operation::Swap,
        0,
        super::memory::Fault::Before,
    )]);
    let third = run(&site, &place, "third", false);
    // The swap is tried again at once.
    third.open(at(32)).unwrap();
}
