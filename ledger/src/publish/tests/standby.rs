//! Another directory goes on with the log.

use zhao_spec::log::tree::TreeSize;
use zhao_spec::wire::Hash;

use super::{Uploader, accepted, no_fork, published, refused, run, upload, uploader};
use crate::fixture::{Office, Site, at};
use crate::publish::PublishError;
use crate::publish::catch_up::{CatchUpError, CaughtUp, catch_up};
use crate::publish::memory::MemoryPlace;
use crate::sequence::{CommitError, Sequencer};
use crate::store::memory::Memory;

pub(super) fn catch(disk: &Memory, place: &MemoryPlace) -> Result<CaughtUp, CatchUpError> {
    let store = disk.store().unwrap();
    catch_up(&store, &disk.files(), place, &Site::keys(), &|_, _| ())
}

fn issue(sequencer: &mut Sequencer, office: &mut Office, n: u64) {
    let outcomes = sequencer.commit(vec![office.issue(n)], at(30 + n)).unwrap();
    assert!(accepted(&outcomes), "{outcomes:?}");
}

#[test]
fn from_an_old_backup_it_catches_up_and_whoever_was_there_before_is_stopped() {
    let (site, place, mut old, mut office) = published();
    let backup = site.disk.copy();
    // A backup is nobody's: which session it was made in does not matter.
    backup.damage_file(crate::publish::claim::NAME, None);
    let mut up: Uploader = uploader(&place);
    for n in 10..14 {
        issue(&mut old, &mut office, n);
    }
    upload(&mut up, &old).unwrap();
    // These are claimed and published; their tiles are not in the place yet.
    for n in 14..17 {
        issue(&mut old, &mut office, n);
    }
    let size = old.size();
    let standby = run(&site.with_disk(backup.clone()), &place, "standby", true);
    // From the backup alone it must not go on.
    let error = refused(standby.open(at(60)).unwrap_err());
    assert!(
        matches!(error, PublishError::Ahead { theirs, .. } if theirs == size),
        "{error}"
    );
    let done = catch(&backup, &place).unwrap();
    assert_eq!(done.to, size);
    assert!(done.from < done.to);
    // Once more: nothing to do.
    assert_eq!(
        catch(&backup, &place).unwrap(),
        CaughtUp {
            from: size,
            to: size
        }
    );
    // Nobody takes a claim by accident.
    let polite = run(&standby, &place, "standby", false);
    let error = refused(polite.open(at(60)).unwrap_err());
    assert!(
        matches!(error, PublishError::Elsewhere { term: 1, .. }),
        "{error}"
    );
    let (mut new, start) = standby.open(at(60)).unwrap();
    assert!(start.fresh_epoch);
    issue(&mut new, &mut office, 40);
    // The old one cannot sign any more: not even what it believes to be next.
    let seen = site.seen.lock().unwrap().len();
    let error = old.heartbeat(at(80)).unwrap_err();
    assert!(
        matches!(
            error,
            CommitError::Publish(PublishError::Elsewhere { term: 2, .. })
        ),
        "{error}"
    );
    assert!(error.is_fatal());
    assert_eq!(site.seen.lock().unwrap().len(), seen);
    assert!(matches!(
        old.heartbeat(at(81)),
        Err(CommitError::Stopped(_))
    ));
    // And what it still thinks to be published does not go to the place.
    upload(&mut up, &old).unwrap();
    upload(&mut uploader(&place), &new).unwrap();
    let done = upload(&mut up, &old).unwrap_err();
    assert!(
        done.to_string().contains("older than what was signed"),
        "{done}"
    );
    no_fork(&site, &backup);
    // Nor does it start again.
    drop(old);
    let error = refused(
        run(&site, &place, "first again", false)
            .open(at(90))
            .unwrap_err(),
    );
    assert!(matches!(error, PublishError::Elsewhere { .. }), "{error}");
    let error = refused(
        run(&site, &place, "first again", true)
            .open(at(90))
            .unwrap_err(),
    );
    // It has a leaf that nobody else has: the epoch it could not sign.
    assert!(
        matches!(
            error,
            PublishError::Fork { .. } | PublishError::Ahead { .. }
        ),
        "{error}"
    );
}

#[test]
fn from_nothing_but_keys_and_place() {
    let (site, place, mut old, mut office) = published();
    for n in 10..600 {
        if n % 50 == 0 {
            upload(&mut uploader(&place), &old).unwrap();
        }
        if n % 10 == 0 {
            issue(&mut old, &mut office, n);
        }
    }
    let empty = Memory::new();
    let done = catch(&empty, &place).unwrap();
    assert_eq!((done.from, done.to), (TreeSize(0), old.size()));
    let standby = run(&site.with_disk(empty.clone()), &place, "standby", true);
    let (mut new, _) = standby.open(at(700)).unwrap();
    issue(&mut new, &mut office, 700);
    assert_eq!(
        new.reader().latest().unwrap().epoch().subjects,
        old.reader().latest().unwrap().epoch().subjects + 1
    );
    no_fork(&site, &empty);
}

#[test]
fn of_two_clones_of_a_machine_one_goes_on() {
    let (site, place, first, mut office) = published();
    drop(first);
    let clone = site.disk.copy();
    let (mut a, _) = run(&site, &place, "a", false).open(at(30)).unwrap();
    // The clone was made before `a` took the claim, so it does not know its session.
    let other = run(&site.with_disk(clone.clone()), &place, "b", false);
    let error = refused(other.open(at(31)).unwrap_err());
    assert!(
        matches!(error, PublishError::Elsewhere { term: 2, .. }),
        "{error}"
    );
    // One that was made afterwards does, and fences it.
    let later = site.disk.copy();
    let later = run(&site.with_disk(later), &place, "c", false);
    let (mut c, _) = later.open(at(32)).unwrap();
    let error = a.commit(vec![office.issue(50)], at(33)).unwrap_err();
    assert!(
        matches!(error, CommitError::Publish(PublishError::Elsewhere { .. })),
        "{error}"
    );
    let mut office = Office::new();
    office.founding();
    for n in 0..3 {
        office.issue(n);
    }
    issue(&mut c, &mut office, 51);
    no_fork(&site, &later.disk);
}

#[test]
fn what_was_never_signed_cannot_be_brought_along() {
    let (site, place, mut old, mut office) = published();
    // The old one writes an epoch, and dies before it is claimed.
    place.set_away(true);
    old.commit(vec![office.issue(20)], at(30)).unwrap();
    drop(old);
    place.set_away(false);
    let with_more = site.disk.copy();
    // Meanwhile another took over, from where the claim was.
    let empty = Memory::new();
    catch(&empty, &place).unwrap();
    let standby = run(&site.with_disk(empty.clone()), &place, "standby", true);
    let (mut new, _) = standby.open(at(40)).unwrap();
    let mut other = Office::new();
    other.founding();
    (0..3).for_each(|n| drop(other.issue(n)));
    for n in 30..33 {
        issue(&mut new, &mut other, n);
    }
    let error = catch(&with_more, &place).unwrap_err();
    assert!(matches!(error, CatchUpError::Beyond { .. }), "{error}");
    no_fork(&site, &empty);
}

#[test]
fn what_is_not_there_or_altered_is_not_taken() {
    let (site, place, mut old, mut office) = published();
    let backup = site.disk.copy();
    issue(&mut old, &mut office, 10);
    upload(&mut uploader(&place), &old).unwrap();
    issue(&mut old, &mut office, 11);
    let objects = place.objects();
    let find = |start: &str, end: &str| {
        let fits = |name: &&String| name.starts_with(start) && name.ends_with(end);
        objects.keys().rfind(fits).unwrap().clone()
    };
    let segment = find("segment/", "");
    let bundle = find("tile/entries/", &format!("p/{}", old.size().0 - 2));
    let flip = |name: &str| {
        let mut bytes = objects[name].clone();
        let last = bytes.len() - 5;
        bytes[last] ^= 1;
        Some(bytes)
    };
    let text = |name: &str, from: &str, to: &str| {
        let text = String::from_utf8(objects[name].clone()).unwrap();
        assert!(text.contains(from), "{text}");
        Some(text.replace(from, to).into_bytes())
    };
    let claim = super::super::claim::Claim::parse(&objects["claim"]).unwrap();
    let altered = super::super::claim::Claim {
        root: Hash([9; 32]),
        ..claim
    };
    let cut = objects[&bundle][..objects[&bundle].len() - 1].to_vec();
    for (name, bytes, expected) in [
        (segment.as_str(), None, "is missing"),
        (&segment, flip(&segment), "do not lead to the root claimed"),
        (&bundle, None, "is missing"),
        (&bundle, flip(&bundle), "do not lead to the root of size"),
        (&bundle, Some(cut), "ends inside entry"),
        ("claim", None, "has lost the claim"),
        (
            "claim",
            text("claim", "zhao.example/test", "zhao.example/tess"),
            "of the log",
        ),
        (
            "claim",
            text("claim", "\"term\"", "\"turm\""),
            "term: missing",
        ),
        ("claim", Some(altered.bytes()), "is missing"),
        (
            "checkpoint",
            text("checkpoint", "\u{2014} ", "- "),
            "checkpoint in the place",
        ),
    ] {
        place.overwrite(name, bytes);
        let disk = backup.copy();
        let before = disk.entries(crate::store::Family::Leaves).len();
        let error = catch(&disk, &place).unwrap_err().to_string();
        assert!(error.contains(expected), "{name}: {error}");
        // Nothing was written.
        assert_eq!(disk.entries(crate::store::Family::Leaves).len(), before);
        place.overwrite(name, Some(objects[name].clone()));
    }
    catch(&backup, &place).unwrap();
}
