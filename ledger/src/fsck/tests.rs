//! fsck on clean logs and on damaged ones; the flips of every family are in `sequence`.

use zhao_spec::life::verb::Verb;
use zhao_spec::log::tree::LeafIndex;

use super::{Advice, RebuildError, Report, check, check_against, rebuild};
use crate::fixture::{Site, at};
use crate::sequence::CHECKPOINT_FILE;
use crate::sequence::intent::{self, Intent};
use crate::store::layout::Family;
use crate::store::memory::Memory;

fn report(site: &Site) -> Report {
    let store = site.disk.store().unwrap();
    check(&store, &site.disk.files(), &Site::keys()).unwrap()
}

/// The one finding: its place, problem and advice.
#[track_caller]
fn only(report: &Report) -> (&'static str, &str, Advice) {
    assert_eq!(report.findings.len(), 1, "{:#?}", report.findings);
    let finding = &report.findings[0];
    (finding.place, &finding.problem, finding.advice)
}

#[test]
fn a_clean_log_and_its_numbers() {
    let (site, mut sequencer, mut office) = Site::founded(300);
    sequencer
        .commit(
            vec![office.plain(3, Verb::Hold), office.plain(3, Verb::LiftHold)],
            at(20),
        )
        .unwrap();
    sequencer.heartbeat(at(30)).unwrap();
    let report = report(&site);
    assert!(report.is_clean(), "{:#?}", report.findings);
    assert_eq!(report.advice(), None);
    // Registry, two types, a unit, a holder, 300 licences.
    assert_eq!((report.size, report.epochs, report.subjects), (310, 4, 305));
    assert_eq!(report.heads, 4);
}

#[test]
fn the_auditors_copy_is_a_whole_ledger_but_for_the_intent() {
    let (site, mut sequencer, mut office) = Site::founded(20);
    sequencer
        .commit(vec![office.plain(3, Verb::Hold)], at(20))
        .unwrap();
    let auditor = site.with_disk(site.auditor.clone());
    let report = report(&auditor);
    let places: Vec<&str> = report
        .findings
        .iter()
        .map(|finding| finding.place)
        .collect();
    assert_eq!(
        places,
        [intent::FILE, CHECKPOINT_FILE],
        "{:#?}",
        report.findings
    );
}

#[test]
fn entries_that_nothing_explains() {
    let (site, ..) = Site::founded(2);
    for family in [
        Family::EventIds,
        Family::Holdings,
        Family::Subjects,
        Family::Tiles,
    ] {
        let copy = site.with_disk(site.disk.copy());
        let (_, value) = copy.disk.entries(family)[0].clone();
        copy.disk.damage(family, b"more", Some(value));
        let report = report(&copy);
        let (place, problem, advice) = only(&report);
        assert_eq!((place, advice), (family.name(), Advice::Rebuild));
        assert!(
            problem.contains("entries where the leaves explain"),
            "{problem}"
        );
    }
}

#[test]
fn a_missing_or_old_checkpoint_file_is_repaired_by_a_start() {
    let (site, mut sequencer, mut office) = Site::founded(1);
    use crate::store::files::Files as _;
    let old = site.disk.files().read(CHECKPOINT_FILE).unwrap();
    sequencer.commit(vec![office.issue(1)], at(20)).unwrap();
    for bytes in [None, old] {
        site.disk.damage_file(CHECKPOINT_FILE, bytes);
        assert_eq!(report(&site).advice(), Some(Advice::Restart));
        site.open(at(30)).unwrap();
        assert!(report(&site).is_clean());
    }
    site.disk.damage_file(CHECKPOINT_FILE, Some(b"x".to_vec()));
    assert_eq!(report(&site).advice(), Some(Advice::Restore));
}

#[test]
fn intents() {
    let (site, ..) = Site::founded(1);
    site.disk.damage_file(intent::FILE, None);
    assert_eq!(only(&report(&site)), ("intent", "missing", Advice::Restore));
    let origin = crate::fixture::ORIGIN;
    let mut intent = Intent::none(origin);
    site.disk.damage_file(intent::FILE, Some(intent.bytes()));
    let problem = "older than a published head";
    assert_eq!(only(&report(&site)), ("intent", problem, Advice::Restore));
    intent.size.0 = 3;
    site.disk.damage_file(intent::FILE, Some(intent.bytes()));
    assert!(only(&report(&site)).1.contains("at its size"));
    intent.size.0 = 999;
    site.disk.damage_file(intent::FILE, Some(intent.bytes()));
    assert!(only(&report(&site)).1.contains("beyond the database"));
    site.disk
        .damage_file(intent::FILE, Some(Intent::none("x").bytes()));
    assert_eq!(only(&report(&site)).1, "of another log");
    site.disk.damage_file(intent::FILE, Some(b"{}".to_vec()));
    assert_eq!(only(&report(&site)).0, "intent");
}

#[test]
fn an_unfinished_end_is_grave() {
    let (site, sequencer, mut office) = Site::founded(1);
    let next = sequencer.size().0.to_be_bytes();
    site.disk.damage(
        Family::Leaves,
        &next,
        Some(office.issue(1).leaf_bytes().to_vec()),
    );
    let report = report(&site);
    assert_eq!(report.advice(), Some(Advice::Restore));
    assert!(
        report
            .findings
            .iter()
            .any(|f| f.problem == "the last leaf is not an epoch leaf")
    );
}

#[test]
fn an_empty_database_is_not_a_log() {
    let report = report(&Site::new());
    assert!(
        report
            .findings
            .iter()
            .any(|finding| finding.place == "meta")
    );
    assert_eq!(report.size, 0);
}

/// A log, and its damaged database rebuilt on a new disk with the old files.
fn rebuilt(damage: impl Fn(&Site)) -> (Site, Result<u64, RebuildError>) {
    let (site, mut sequencer, mut office) = Site::founded(300);
    sequencer
        .commit(vec![office.plain(3, Verb::Hold)], at(20))
        .unwrap();
    sequencer.heartbeat(at(30)).unwrap();
    drop(sequencer);
    damage(&site);
    let new = site.with_disk(Memory::new());
    use crate::store::files::Files as _;
    for name in [intent::FILE, CHECKPOINT_FILE] {
        new.disk
            .damage_file(name, site.disk.files().read(name).unwrap());
    }
    let (old, to) = (site.disk.store().unwrap(), new.disk.store().unwrap());
    let result = rebuild(&old, &to, &Site::keys(), &|_, _| ());
    (new, result)
}

#[test]
fn anything_but_leaves_and_heads_can_be_rebuilt() {
    let (new, result) = rebuilt(|site| {
        for family in Family::ALL {
            if !matches!(family, Family::Leaves | Family::Heads | Family::Meta) {
                for (key, _) in site.disk.entries(family) {
                    site.disk.damage(family, &key, None);
                }
            }
        }
    });
    assert_eq!(result, Ok(309));
    assert!(report(&new).is_clean(), "{:#?}", report(&new).findings);
    let (mut sequencer, start) = new.open(at(40)).unwrap();
    assert!(!start.fresh_epoch);
    assert!(sequencer.heartbeat(at(50)).unwrap());
}

#[test]
fn bad_leaves_and_heads_are_not_rebuilt() {
    let flip = |site: &Site, family: Family, at_entry: usize| {
        let (key, mut value) = site.disk.entries(family)[at_entry].clone();
        value[30] ^= 1;
        site.disk.damage(family, &key, Some(value));
    };
    let (_, result) = rebuilt(|site| flip(site, Family::Leaves, 9));
    assert!(
        matches!(result, Err(RebuildError::Diverged(_))),
        "{result:?}"
    );
    let (_, result) = rebuilt(|site| flip(site, Family::Leaves, 0));
    let Err(RebuildError::Diverged(diverged)) = &result else {
        panic!("{result:?}");
    };
    assert_eq!(diverged.at, LeafIndex(0), "{diverged}");
    let (_, result) = rebuilt(|site| {
        let (_, event) = site.disk.entries(Family::Leaves)[2].clone();
        let first = 0_u64.to_be_bytes();
        site.disk.damage(Family::Leaves, &first, Some(event));
    });
    assert_eq!(result, Err(RebuildError::Genesis));
    let (_, result) = rebuilt(|site| flip(site, Family::Heads, 1));
    assert!(
        matches!(result, Err(RebuildError::Head { size: 306, .. })),
        "{result:?}"
    );
    let (new, result) = rebuilt(|_| {});
    assert!(result.is_ok());
    let again = rebuild(
        &new.disk.store().unwrap(),
        &new.disk.store().unwrap(),
        &Site::keys(),
        &|_, _| (),
    );
    assert_eq!(again, Err(RebuildError::NotEmpty));
}

#[test]
fn cosignatures_are_judged_where_the_policy_is_known() {
    let (site, ..) = Site::founded(1);
    let signer = Site::signer();
    let judge = |site: &Site| {
        let store = site.disk.store().unwrap();
        check_against(
            &store,
            &site.disk.files(),
            &signer.vkey().clone().into(),
            &Site::quorum(),
        )
        .unwrap()
    };
    assert!(judge(&site).is_clean());
    let heads = site.disk.entries(Family::Heads);
    for (key, value) in &heads {
        let text = String::from_utf8(value.clone()).unwrap();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        // Body, empty line, log, witness, auditor. Flip in the witness's signature.
        let mut witness = lines[5].to_owned();
        let place = witness.len() - 10;
        let other = if &witness[place..=place] == "A" {
            "B"
        } else {
            "A"
        };
        witness.replace_range(place..=place, other);
        let damaged = site.with_disk(site.disk.copy());
        let note = [&lines[..5].concat(), witness.as_str(), &lines[6..].concat()].concat();
        damaged
            .disk
            .damage(Family::Heads, key, Some(note.into_bytes()));
        assert!(
            judge(&damaged)
                .findings
                .iter()
                .any(|finding| finding.place == "heads")
        );
    }
    // The newest needs its quorum, earlier ones do not.
    for (at_entry, (key, value)) in heads.iter().enumerate() {
        let text = String::from_utf8(value.clone()).unwrap();
        let alone: String = text.split_inclusive('\n').take(5).collect();
        let damaged = site.with_disk(site.disk.copy());
        damaged
            .disk
            .damage(Family::Heads, key, Some(alone.into_bytes()));
        let found = judge(&damaged)
            .findings
            .iter()
            .any(|finding| finding.place == "heads");
        assert_eq!(found, at_entry + 1 == heads.len());
    }
}
