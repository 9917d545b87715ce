//! A log that changes its key, and one whose key was stolen.

use zhao_spec::log::checkpoint::{Checkpoint, CheckpointError};
use zhao_spec::log::cosignature::UnixSeconds;
use zhao_spec::log::note::SignedNote;
use zhao_spec::log::tree::TreeSize;
use zhao_spec::wire::sha256;

use crate::audit::AuditError;
use crate::fixture::{
    ORIGIN, Office, Site, at, auditor_knowing, keys, name_log_key, signer, witness_knowing,
};
use crate::fsck;
use crate::sequence::{CommitError, Outcome, Sequencer, StartError};
use crate::witness::{Request, WitnessError};

/// A log that holds and lists its first two keys; the second is not named yet.
fn prepared() -> (Site, Sequencer, Office) {
    let (mut site, sequencer, office) = Site::founded(1);
    drop(sequencer);
    site.held.push("second");
    site.known.push("second");
    let (sequencer, _) = site.open(at(11)).unwrap();
    (site, sequencer, office)
}

/// Whose lines a note has.
fn signed_by(note: &str) -> Vec<&'static str> {
    let note = SignedNote::parse(note).unwrap();
    ["log", "second", "third"]
        .into_iter()
        .filter(|name| note.by(signer(name).vkey()).next().is_some())
        .collect()
}

fn commit(sequencer: &mut Sequencer, event: zhao_spec::life::event::VerifiedEvent) -> Outcome {
    let now = at(20 + sequencer.size().0);
    sequencer.commit(vec![event], now).unwrap().remove(0)
}

fn is_clean(site: &Site) {
    let store = site.disk.store().unwrap();
    let report = fsck::check(&store, &site.disk.files(), &keys(&["log", "second"])).unwrap();
    assert!(report.is_clean(), "{:#?}", report.findings);
}

#[test]
fn from_its_size_on_the_named_key_signs_and_the_old_one_beside_it() {
    let (site, mut sequencer, mut office) = prepared();
    assert_eq!(signed_by(&sequencer.published().note), ["log"], "not named");
    let from = sequencer.size().0 + 4;
    let named = name_log_key(&mut office, "second", from);
    assert!(matches!(
        commit(&mut sequencer, named),
        Outcome::Accepted { .. }
    ));
    for n in 1..6 {
        let outcome = commit(&mut sequencer, office.issue(n));
        assert!(matches!(outcome, Outcome::Accepted { .. }));
        let reached = sequencer.published().size.0 >= from;
        let expected: &[&str] = if reached {
            &["log", "second"]
        } else {
            &["log"]
        };
        assert_eq!(signed_by(&sequencer.published().note), expected);
    }
    is_clean(&site);

    // The old key is taken away: nothing else changes.
    drop(sequencer);
    let mut site = site;
    site.held = vec!["second"];
    let (mut sequencer, _) = site.open(at(60)).unwrap();
    let outcome = commit(&mut sequencer, office.issue(6));
    assert!(matches!(outcome, Outcome::Accepted { .. }));
    assert_eq!(signed_by(&sequencer.published().note), ["second"]);
    is_clean(&site);
    assert_eq!(*site.complaints.lock().unwrap(), Vec::<String>::new());
}

#[test]
fn without_the_named_key_a_log_does_not_start() {
    let (mut site, mut sequencer, mut office) = prepared();
    commit(&mut sequencer, name_log_key(&mut office, "second", 1));
    drop(sequencer);
    site.held = vec!["log"];
    let error = site.open(at(60)).unwrap_err();
    let StartError::OtherLog { what, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(*what, "log key of the database");
    // Nor does one that held the wrong key from the beginning.
    let (mut site, sequencer, _) = Site::founded(0);
    drop(sequencer);
    site.held = vec!["second"];
    let error = site.open(at(60)).unwrap_err();
    assert!(matches!(error, StartError::OtherLog { .. }), "{error:?}");
}

#[test]
fn a_named_key_that_is_not_here_signs_nothing_until_it_is() {
    let (mut site, mut sequencer, mut office) = prepared();
    let shown = site.seen.lock().unwrap().len();
    let published = sequencer.published().clone();
    let named = name_log_key(&mut office, "third", 1);
    assert!(matches!(
        commit(&mut sequencer, named),
        Outcome::Pending { .. }
    ));
    let outcome = commit(&mut sequencer, office.issue(5));
    assert!(matches!(outcome, Outcome::Pending { .. }), "{outcome:?}");
    assert_eq!(sequencer.published(), &published);
    assert_eq!(site.seen.lock().unwrap().len(), shown, "nobody saw a head");
    let (who, why) = &sequencer.silent()[0];
    assert_eq!(who, "key of the log");
    assert!(why.contains("is not here"), "{why}");
    drop(sequencer);
    let error = site.open(at(60)).unwrap_err();
    assert!(matches!(error, StartError::OtherLog { .. }), "{error:?}");

    site.held.push("third");
    site.known.push("third");
    let (sequencer, start) = site.open(at(60)).unwrap();
    assert!(start.fresh_epoch);
    assert_eq!(sequencer.published().size, sequencer.size());
    assert_eq!(signed_by(&sequencer.published().note), ["log", "third"]);
}

#[test]
fn a_key_that_the_policy_does_not_list_signs_nothing() {
    let (mut site, sequencer, mut office) = prepared();
    drop(sequencer);
    site.known = vec!["log"];
    site.held = vec!["second", "log"];
    let (mut sequencer, _) = site.open(at(12)).unwrap();
    commit(&mut sequencer, name_log_key(&mut office, "second", 1));
    assert_eq!(signed_by(&sequencer.published().note), ["log", "second"]);
    drop(sequencer);
    // The old key gone, nobody who reads this policy could read the log.
    site.held = vec!["second"];
    let (mut sequencer, _) = site.open(at(60)).unwrap();
    let outcome = sequencer.commit(vec![office.issue(5)], at(70));
    assert!(matches!(outcome.unwrap()[0], Outcome::Pending { .. }));
    assert!(
        sequencer.silent()[0].1.contains("no line"),
        "{:?}",
        sequencer.silent()
    );
}

/// A head of this log that only the first key signed, `more` leaves beyond it.
fn stolen(sequencer: &Sequencer, more: u64, by: &str) -> String {
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: TreeSize(sequencer.size().0 + more),
        root: sha256(&[b"a fork"]),
    };
    let mut note = checkpoint.to_note().unwrap();
    note.sign(&signer(by)).unwrap();
    note.format()
}

#[test]
fn what_a_replaced_key_signs_does_not_stop_the_log() {
    for by in ["log", "second"] {
        let (mut site, mut sequencer, mut office) = prepared();
        commit(&mut sequencer, name_log_key(&mut office, "second", 1));
        let forged = stolen(&sequencer, 7, by);
        drop(sequencer);
        site.held = vec!["second"];
        // The witness was shown the thief's head, and does not know what the log knows.
        use crate::store::files::Files as _;
        let name = crate::witness::state_file(ORIGIN);
        site.witness
            .files()
            .replace(&name, forged.as_bytes())
            .unwrap();
        match (by, site.open(at(60))) {
            // Nothing is committed without this witness; but nobody says that the log is behind.
            ("log", Ok((mut sequencer, start))) => {
                let (_, why) = &start.unasked[0];
                assert!(why.contains("replaced key"), "{why}");
                let error = sequencer.commit(vec![office.issue(3)], at(70)).unwrap_err();
                assert!(
                    matches!(error, CommitError::Unconfirmed { .. }),
                    "{error:?}"
                );
            }
            // What the key of now signed is ours.
            ("second", Err(StartError::Commit(CommitError::WitnessAhead { .. }))) => {}
            (_, other) => panic!("{by}: {other:?}"),
        }
    }
}

#[test]
fn an_auditor_cosigns_no_head_of_a_replaced_key() {
    let (site, mut sequencer, mut office) = prepared();
    commit(&mut sequencer, name_log_key(&mut office, "second", 1));
    commit(&mut sequencer, office.issue(3));
    let honest = sequencer.published().note.clone();
    let store = || std::sync::Arc::new(site.disk.store().unwrap());
    // The thief goes on with the log as it is: the tree is right, the key is not.
    let read = keys(&["log", "second"]);
    let (checkpoint, _) = read.open(&honest).unwrap();
    let mut note = checkpoint.to_note().unwrap();
    note.sign(&signer("log")).unwrap();
    let disk = crate::store::memory::Memory::new();
    let mut auditor = auditor_knowing(&["log", "second"], &disk, store());
    let refused = auditor.cosign(&note.format(), UnixSeconds(1)).unwrap_err();
    let replaced = CheckpointError::KeyReplaced {
        checkpoint: Box::new(checkpoint),
    };
    assert_eq!(refused, AuditError::Checkpoint(replaced));
    assert_eq!(auditor.latest().unwrap(), None);
    auditor.cosign(&honest, UnixSeconds(2)).unwrap();
    // Having replayed so far, it needs no line for the named key.
    let mut auditor = auditor_knowing(&["log"], &disk, store());
    let mut second = auditor_note(&honest);
    second.sign(&signer("second")).unwrap();
    auditor.cosign(&second.format(), UnixSeconds(3)).unwrap();
}

fn auditor_note(note: &str) -> SignedNote {
    SignedNote::new(SignedNote::parse(note).unwrap().text()).unwrap()
}

#[test]
fn a_witness_keeps_one_state_for_all_keys_of_a_log() {
    let (site, mut sequencer, mut office) = prepared();
    commit(&mut sequencer, name_log_key(&mut office, "second", 1));
    let size = sequencer.published().size;
    let mut witness = witness_knowing(&["log", "second"], &site.witness);
    // A smaller head by the other key is no new log to it.
    for by in ["log", "second"] {
        let checkpoint = Checkpoint {
            origin: ORIGIN.to_owned(),
            size: TreeSize(1),
            root: sha256(&[b"a fork"]),
        };
        let mut note = checkpoint.to_note().unwrap();
        note.sign(&signer(by)).unwrap();
        let request = Request {
            note: note.format(),
            old: TreeSize(0),
            proof: Vec::new(),
        };
        let error = witness
            .add_checkpoint(&request, UnixSeconds(5))
            .unwrap_err();
        let old = TreeSize(0);
        assert_eq!(error, WitnessError::Conflict { size, old });
    }
    let mut other = witness_knowing(&["log"], &crate::store::memory::Memory::new());
    let request = Request {
        note: stolen(&sequencer, 0, "second"),
        old: TreeSize(0),
        proof: Vec::new(),
    };
    let error = other.add_checkpoint(&request, UnixSeconds(5)).unwrap_err();
    assert!(matches!(error, WitnessError::Unsigned(_)), "{error:?}");
}

#[test]
fn a_running_log_is_not_stopped_by_a_head_of_a_replaced_key() {
    for by in ["log", "second"] {
        let (site, mut sequencer, mut office) = prepared();
        commit(&mut sequencer, name_log_key(&mut office, "second", 1));
        // The witness forgets ours and shows a longer one, which a thief or we may have signed.
        use crate::store::files::Files as _;
        let mut forged = SignedNote::parse(&stolen(&sequencer, 900, by)).unwrap();
        let secret = crate::fixture::secret("witness");
        let (name, time) = ("witness.example", UnixSeconds(1));
        let line = zhao_spec::log::cosignature::cosign(&secret, name, time, forged.text());
        forged.add(line.unwrap()).unwrap();
        let state = crate::witness::state_file(ORIGIN);
        let bytes = forged.format().into_bytes();
        site.witness.files().replace(&state, &bytes).unwrap();
        let event = office.issue(3);
        let outcome = sequencer.commit(vec![event], at(90));
        match (by, outcome) {
            ("log", Ok(outcomes)) => {
                assert!(
                    matches!(outcomes[0], Outcome::Pending { .. }),
                    "{outcomes:?}"
                );
                assert_eq!(sequencer.stopped(), None);
            }
            ("second", Err(CommitError::WitnessAhead { .. })) => {}
            (_, other) => panic!("{by}: {other:?}"),
        }
    }
}
