//! The log itself: what it cannot do without being caught, and what survives a disaster.

use std::collections::BTreeMap;

use zhao_ledger::sequence::{CommitError, StartError};
use zhao_ledger::witness::{Request, WitnessError};
use zhao_spec::file::{Evidence, TwoHeads};
use zhao_spec::id::Uscc;
use zhao_spec::life::verb::Verb;
use zhao_spec::log::checkpoint::Checkpoint;
use zhao_spec::log::cosignature::UnixSeconds;
use zhao_spec::log::note::{NoteSigner, SignedNote};
use zhao_spec::log::tree::{LeafIndex, TreeSize, check_consistency, check_inclusion, leaf_hash};
use zhao_spec::wire::{UnixMillis, sha256};
use zhao_verifier::{TrustPolicy, verify};

use crate::town::{DAY, HOLDER, Paper, Town, said, secret};

fn checkpoint(note: &str) -> Checkpoint {
    Checkpoint::parse(SignedNote::parse(note).unwrap().text()).unwrap()
}

#[test]
fn log_01_every_leaf_is_proved_and_every_head_extends_the_ones_before() {
    let mut town = Town::new();
    let paper = Paper::food(1);
    let mut heads = vec![checkpoint(&town.log.published().note)];
    town.issue(&paper).unwrap();
    for verb in [
        Verb::Withhold,
        Verb::LiftWithholding,
        Verb::MarkObjection,
        Verb::Revoke,
    ] {
        heads.push(checkpoint(&town.log.published().note));
        town.plain(&paper, verb);
    }
    let reader = town.reader();
    let view = reader.latest().unwrap();
    let newest = checkpoint(view.note());
    for head in &heads {
        let proof = view.consistency(head.size).unwrap();
        check_consistency(head.size, newest.size, &head.root, &newest.root, &proof).unwrap();
    }
    for index in (0..newest.size.0).map(LeafIndex) {
        let (leaf, proof) = (view.leaf(index).unwrap(), view.inclusion(index).unwrap());
        check_inclusion(index, newest.size, &leaf_hash(&leaf), &proof, &newest.root).unwrap();
        let mut other = leaf;
        other[0] ^= 1;
        check_inclusion(index, newest.size, &leaf_hash(&other), &proof, &newest.root).unwrap_err();
    }
}

#[test]
fn log_03_a_fork_is_seen_when_two_people_compare_heads() {
    let mut town = Town::new();
    let paper = Paper::food(1);
    town.issue(&paper).unwrap();
    let common = town.log.published().size;
    let mut fork = town.fork();
    // One reader is shown a revocation, the other a heartbeat.
    town.wait_until(UnixMillis(town.now().0 + 60_000));
    town.plain(&paper, Verb::Revoke);
    fork.heartbeat();
    while fork.log.size() < town.log.size() {
        fork.heartbeat();
    }
    let (ours, theirs) = (town.log.published().clone(), fork.log.published().clone());
    assert_eq!(ours.size, theirs.size, "two heads of one size");
    assert_ne!(checkpoint(&ours.note).root, checkpoint(&theirs.note).root);

    // The head that was vouched for names who did.
    let verdict = town.judge(&town.dossier(&paper), town.now());
    assert_eq!(
        verdict.facts().witnesses.as_deref(),
        Some(&["w".to_owned()][..])
    );
    assert_eq!(
        verdict.facts().auditors.as_deref(),
        Some(&["a".to_owned()][..])
    );

    // The witness that cosigned the one does not cosign the other, whatever is put before it.
    for old in [TreeSize(0), common, ours.size] {
        let request = Request {
            old,
            proof: Vec::new(),
            note: theirs.note.clone(),
        };
        let refused = town
            .witness()
            .add_checkpoint(&request, UnixSeconds(1_800_000_000));
        let expected = if old == ours.size {
            "inconsistent"
        } else {
            "conflict"
        };
        let actual = match refused.unwrap_err() {
            WitnessError::Inconsistent(_) => "inconsistent",
            WitnessError::Conflict { .. } => "conflict",
            other => panic!("{other}"),
        };
        assert_eq!(actual, expected, "from {old}");
    }

    // And the two heads together condemn the log before anyone who knows its key.
    let evidence = |first: &str, second: &str| {
        Evidence::TwoHeads(TwoHeads {
            consistency: Vec::new(),
            first: SignedNote::parse(first).unwrap(),
            root: checkpoint(second).root,
            second: SignedNote::parse(second).unwrap(),
        })
        .bytes()
    };
    let judge = |file: &[u8]| said(&town.judge(file, town.now()));
    assert_eq!(
        judge(&evidence(&ours.note, &theirs.note)),
        ("valid", vec![])
    );
    let same = ("invalid", vec!["evidence_does_not_hold"]);
    assert_eq!(judge(&evidence(&ours.note, &ours.note)), same);
}

#[test]
fn log_04_the_status_map_is_in_the_log_and_an_old_one_is_called_old() {
    let mut town = Town::new();
    let paper = Paper::food(1);
    town.issue(&paper).unwrap();
    let dossier = town.dossier(&paper);
    let reader = town.reader();
    let as_of = reader.latest().unwrap().epoch().time;
    for (late, expected) in [
        (0, ("valid", vec![])),
        (DAY, ("valid", vec![])),
        (DAY + 1, ("undetermined", vec!["too_old"])),
    ] {
        let at = UnixMillis(as_of.0 + late);
        assert_eq!(said(&town.judge(&dossier, at)), expected, "{late} ms late");
    }
    // Another root, or an older root with a newer time, is in no log.
    let text = String::from_utf8(dossier).unwrap();
    let later = UnixMillis(as_of.0 + DAY);
    let newer = text.replace(
        &format!("\"time\":\"{as_of}\""),
        &format!("\"time\":\"{later}\""),
    );
    assert_ne!(newer, text, "the epoch's time was found");
    let verdict = said(&town.judge(newer.as_bytes(), later));
    assert_eq!(verdict, ("invalid", vec!["epoch_not_in_log"]));
}

#[test]
fn log_06_a_backup_older_than_the_last_witnessed_head_does_not_start() {
    let mut town = Town::new();
    let paper = Paper::food(1);
    town.issue(&paper).unwrap();
    let old = town.backup();
    town.plain(&paper, Verb::Revoke);
    let new = town.backup();
    let published = town.log.published().clone();

    // With the old copy the revocation would be gone. The witness has seen more.
    let error = town.restore(old).unwrap_err();
    let StartError::Commit(CommitError::WitnessAhead { theirs, ours, .. }) = error else {
        panic!("{error}");
    };
    assert_eq!(theirs, published.size);
    assert!(ours < theirs);

    // With the newest one it goes on where it was: the last witnessed head is a prefix.
    let mut restored = town.restore(new).unwrap();
    restored.heartbeat();
    let view = restored.reader();
    let view = view.latest().unwrap();
    let (last, newest) = (checkpoint(&published.note), checkpoint(view.note()));
    let proof = view.consistency(last.size).unwrap();
    check_consistency(last.size, newest.size, &last.root, &newest.root, &proof).unwrap();
    assert_eq!(restored.standing(&paper), ("invalid", vec!["revoked"]));
}

#[test]
fn soc_04_anyone_gets_all_open_licences_of_an_enterprise_and_nobody_elses() {
    let mut town = Town::new();
    for paper in [
        Paper::food(1),
        Paper::food(2),
        Paper::birth(3),
        Paper::trade(4),
    ] {
        town.issue(&paper).unwrap();
    }
    town.plain(&Paper::food(2), Verb::Revoke);
    let uscc = Uscc::parse(HOLDER).unwrap();
    let credentials: BTreeMap<_, _> = town
        .papers
        .iter()
        .map(|(key, bytes)| {
            (
                *key,
                zhao_spec::file::EmbeddedCredential::parse(bytes).unwrap(),
            )
        })
        .collect();
    let reader = town.reader();
    let view = reader.latest().unwrap();
    let answer = view.answer(&uscc, &credentials).unwrap();
    let subjects: Vec<_> = answer.items.iter().map(|item| item.subject).collect();
    let expected = [Paper::food(1).subject(), Paper::food(2).subject()];
    assert_eq!(
        subjects, expected,
        "the indexed type's, in log order, and nothing personal"
    );
    let verdict = town.judge(&answer.bytes(), town.now());
    assert_eq!(said(&verdict), ("valid", vec![]));
    let items = verdict.facts().items.clone().unwrap();
    let words: Vec<_> = items
        .iter()
        .map(|item| item.judged.as_ref().map(|(status, _)| status.as_str()))
        .collect();
    assert_eq!(
        words,
        [Some("valid"), Some("invalid")],
        "with the status of each"
    );

    // Who leaves one out, or puts it elsewhere, is caught.
    for change in [
        |items: &mut Vec<_>| drop(items.remove(1)),
        |items: &mut Vec<_>| items.swap(0, 1),
        |items: &mut Vec<_>| items.clear(),
    ] {
        let mut less = answer.clone();
        change(&mut less.items);
        let verdict = said(&town.judge(&less.bytes(), town.now()));
        assert_eq!(verdict, ("invalid", vec!["answer_incomplete"]));
    }
    // Of another enterprise there is nothing, provably. A prefix, a name or a citizen's number is
    // no code to ask by.
    let nobody = Uscc::with_checks("91320402", "DEM00999").unwrap();
    let none = view.answer(&nobody, &credentials).unwrap();
    assert!(none.items.is_empty());
    assert_eq!(
        said(&town.judge(&none.bytes(), town.now())),
        ("valid", vec![])
    );
    for text in [&HOLDER[..17], "9132", "", "示例公司", "11010519491231002X"] {
        assert!(Uscc::parse(text).is_err(), "{text}");
    }
}

#[test]
fn use_25_a_licence_is_verified_elsewhere_with_the_policy_alone() {
    let mut town = Town::new();
    let paper = Paper::birth(1);
    town.issue(&paper).unwrap();
    let dossier = town.dossier(&paper);
    assert_eq!(town.standing(&paper), ("valid", vec![]));
    // A relying party of another town, which has a log of its own: it adds one line for this one.
    let home = NoteSigner::new("other.example/town", secret("other log")).unwrap();
    let (policy, trust) = town.texts();
    let own = format!("log {}\n", home.vkey().format());
    let guest = format!("{own}{policy}");
    let genesis = format!(
        "administrator other.example/town {}\n",
        sha256(&[b"g"]).to_base64()
    );
    let knows = TrustPolicy::load(&guest, &format!("{genesis}{trust}")).unwrap();
    let verdict = verify(&dossier, &knows, None, town.now(), None);
    assert_eq!(said(&verdict), ("valid", vec![]));
    // Without the line nothing is said against the licence, and nothing for it.
    let rules =
        "auditors none\nmax-age 1d\nmax-lag 1h\nskew 5m\ninclusion-bound 1d\npack-max-age 30d\n";
    let does_not =
        TrustPolicy::load(&format!("{own}quorum none\n"), &format!("{genesis}{rules}")).unwrap();
    let verdict = verify(&dossier, &does_not, None, town.now(), None);
    assert_eq!(said(&verdict), ("undetermined", vec!["log_unknown"]));
}
