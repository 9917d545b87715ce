//! fsck on clean logs and on damaged ones; the flips of every family are in `sequence`.

use zhao_spec::life::verb::Verb;

use super::{Advice, Report, check};
use crate::fixture::{Site, at};
use crate::sequence::CHECKPOINT_FILE;
use crate::sequence::intent::{self, Intent};
use crate::store::layout::Family;

fn report(site: &Site) -> Report {
    let store = site.disk.store().unwrap();
    check(&store, &site.disk.files(), Site::signer().vkey()).unwrap()
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
    site.disk
        .damage(Family::Leaves, &next, Some(office.issue(1).leaf_bytes()));
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
