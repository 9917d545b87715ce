//! Places that cannot be published to, and objects that are none.

use zhao_spec::log::tree::TreeSize;
use zhao_spec::wire::{Hash, limits};

use super::{published, refused, run, upload, uploader};
use crate::fixture::at;
use crate::publish::claim::{self, Claim};
use crate::publish::memory::MemoryPlace;
use crate::publish::place::{Found, Place, PlaceError, Put, Tag};
use crate::publish::segment::Segment;
use crate::publish::{PublishError, probe};

/// What a place of another make gets wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    CreatesAgain,
    SwapsAnything,
    SwapsNothing,
    Forgets,
    Nothing,
}

struct Careless(MemoryPlace, Wrong);

impl Place for Careless {
    fn get(&self, name: &str, limit: usize) -> Result<Option<Found>, PlaceError> {
        match self.1 {
            Wrong::Forgets => Ok(None),
            _ => self.0.get(name, limit),
        }
    }
    fn create(&self, name: &str, bytes: &[u8]) -> Result<Put, PlaceError> {
        if self.1 == Wrong::CreatesAgain {
            self.0.overwrite(name, None);
        }
        self.0.create(name, bytes)
    }
    fn swap(&self, name: &str, bytes: &[u8], expected: &Tag) -> Result<Put, PlaceError> {
        let newest = self.0.get(name, usize::MAX)?.map(|found| found.tag);
        match (self.1, newest) {
            (Wrong::SwapsNothing, _) => Ok(Put::Taken),
            (Wrong::SwapsAnything, Some(tag)) => self.0.swap(name, bytes, &tag),
            _ => self.0.swap(name, bytes, expected),
        }
    }
    fn delete(&self, name: &str) -> Result<(), PlaceError> {
        self.0.delete(name)
    }
}

#[test]
fn a_place_that_keeps_no_conditions_is_found_out() {
    for (wrong, expected) in [
        (Wrong::CreatesAgain, "what is there is made once more"),
        (
            Wrong::SwapsAnything,
            "what has changed is replaced all the same",
        ),
        (Wrong::SwapsNothing, "what is as it was cannot be replaced"),
        (Wrong::Forgets, "what was put is not what is read"),
    ] {
        let place = Careless(MemoryPlace::new(), wrong);
        let error = probe(&place, &Hash([1; 32])).unwrap_err();
        assert_eq!(error, PublishError::Unconditional(expected), "{wrong:?}");
        assert!(place.0.objects().is_empty());
    }
    let place = Careless(MemoryPlace::new(), Wrong::Nothing);
    probe(&place, &Hash([1; 32])).unwrap();
    assert!(place.0.objects().is_empty());
    place.0.set_away(true);
    let error = probe(&place, &Hash([1; 32])).unwrap_err();
    assert!(matches!(error, PublishError::Away(_)), "{error}");
}

#[test]
fn what_was_altered_in_the_place_is_an_alarm_and_is_not_overwritten() {
    let (_, place, mut sequencer, mut office) = published();
    sequencer.commit(vec![office.issue(9)], at(30)).unwrap();
    let name = format!("tile/0/000.p/{}", sequencer.size().0);
    place.overwrite(&name, Some(b"something else".to_vec()));
    let error = upload(&mut uploader(&place), &sequencer).unwrap_err();
    assert_eq!(error, PublishError::Differs { name: name.clone() }.into());
    assert_eq!(place.objects()[&name], b"something else");
    // The checkpoint is not moved to a tree that is not whole.
    let there = String::from_utf8(place.objects()["checkpoint"].clone()).unwrap();
    assert_ne!(there, sequencer.published().note);
    place.overwrite(&name, None);
    upload(&mut uploader(&place), &sequencer).unwrap();
}

#[test]
fn a_place_that_does_not_fit_lets_nothing_start() {
    let (site, place, sequencer, _) = published();
    drop(sequencer);
    let claim = Claim::parse(&place.objects()["claim"]).unwrap();
    let with = |change: &dyn Fn(&mut Claim)| {
        let mut changed = claim.clone();
        change(&mut changed);
        Some(changed.bytes())
    };
    type Check = fn(&PublishError) -> bool;
    let cases: [(Option<Vec<u8>>, Check); 6] = [
        (None, |e| *e == PublishError::Lost),
        (Some(b"{}\n".to_vec()), |e| {
            matches!(e, PublishError::Malformed { .. })
        }),
        (with(&|c| c.origin = "zhao.example/other".into()), |e| {
            matches!(e, PublishError::OtherLog(_))
        }),
        (with(&|c| c.root = Hash([7; 32])), |e| {
            matches!(e, PublishError::Fork { .. })
        }),
        (with(&|c| c.size = TreeSize(10_000)), |e| {
            matches!(e, PublishError::Ahead { .. })
        }),
        (with(&|c| c.session = Hash([7; 32])), |e| {
            matches!(e, PublishError::Elsewhere { .. })
        }),
    ];
    for (bytes, check) in cases {
        place.overwrite(claim::NAME, bytes);
        let error = refused(run(&site, &place, "next", false).open(at(30)).unwrap_err());
        assert!(check(&error), "{error}");
        place.overwrite(claim::NAME, Some(claim.bytes()));
    }
    // A directory that was never published there does not take the place of one that is.
    let (other, sequencer, _) = crate::fixture::Site::founded(1);
    drop(sequencer);
    let error = refused(
        run(&other, &place, "other", false)
            .open(at(30))
            .unwrap_err(),
    );
    assert!(matches!(error, PublishError::Elsewhere { .. }), "{error}");
    run(&site, &place, "next", false).open(at(30)).unwrap();
}

#[test]
fn segments_are_read_strictly() {
    let segment = Segment {
        from: TreeSize(5),
        from_root: Hash([1; 32]),
        origin: "zhao.example/a".into(),
        root: Hash([2; 32]),
        size: TreeSize(7),
        leaves: vec![b"first".to_vec(), Vec::new()],
    };
    let bytes = segment.bytes().unwrap();
    assert_eq!(Segment::parse(&bytes), Ok(segment.clone()));
    let line = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    let changed = |from: &str, to: &str| {
        let head = String::from_utf8(bytes[..line].to_vec()).unwrap();
        assert!(head.contains(from), "{head}");
        [head.replace(from, to).as_bytes(), &bytes[line..]].concat()
    };
    for (bytes, expected) in [
        (Vec::new(), "has no first line"),
        (vec![b' '; 5_000], "has no first line"),
        (bytes[..line].to_vec(), "has no first line"),
        (b"[]\n".to_vec(), "first line"),
        (changed("zhao/v1", "zhao/v2"), "first line"),
        (changed("\"from\":5", "\"from\":5,\"x\":1"), "first line"),
        (changed("\"from\":5", "\"from\":7"), "goes from no size"),
        (changed("\"from\":5", "\"from\":9"), "goes from no size"),
        (changed("\"size\":7", "\"size\":7000"), "goes from no size"),
        (
            changed("\"size\":7", "\"size\":8"),
            "has 2 leaves, its first line says 3",
        ),
        (bytes[..bytes.len() - 1].to_vec(), "ends in half a length"),
        (bytes[..bytes.len() - 3].to_vec(), "leaf 0 is cut off"),
        (
            [bytes.as_slice(), &[0, 0]].concat(),
            "has 3 leaves, its first line says 2",
        ),
    ] {
        let error = Segment::parse(&bytes).unwrap_err();
        assert!(error.starts_with(expected), "{expected}: {error}");
    }
    let long = Segment {
        leaves: vec![vec![0; limits::LEAF_BYTES + 1]],
        ..segment
    };
    long.bytes().unwrap_err();
}

#[test]
fn claims_are_read_strictly() {
    let claim = Claim {
        after: Hash([1; 32]),
        origin: "zhao.example/a".into(),
        root: Hash([2; 32]),
        session: Hash([3; 32]),
        size: TreeSize(4),
        term: 5,
    };
    let text = String::from_utf8(claim.bytes()).unwrap();
    assert_eq!(Claim::parse(text.as_bytes()), Ok(claim));
    for (from, to) in [
        ("zhao/v1 claim", "zhao/v1 intent"),
        ("\"term\":5", "\"term\":-5"),
        ("\"term\":5", "\"term\":\"5\""),
        ("\"term\":5", "\"term\":5,\"zzz\":1"),
        ("\"size\":4,", ""),
        ("\"size\":4", "\"size\": 4"),
        ("zhao.example/a", &"a".repeat(3_000)),
    ] {
        assert!(text.contains(from));
        Claim::parse(text.replace(from, to).as_bytes()).unwrap_err();
    }
}
