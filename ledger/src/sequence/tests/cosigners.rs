//! Cosigners that are wrong, lie, or know better.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use zhao_spec::log::checkpoint::Checkpoint;
use zhao_spec::log::cosignature::{self, UnixSeconds};
use zhao_spec::log::note::{KeyKind, Vkey};
use zhao_spec::log::policy::Policy;
use zhao_spec::log::tree::{TreeSize, check_consistency};
use zhao_spec::wire::{Hash, SecretKey};

use crate::fixture::{ORIGIN, Office, START, Site, at, secret};
use crate::sequence::panel::Panel;
use crate::sequence::watch::Watched;
use crate::sequence::{
    CommitError, Config, CosignError, CosignRequest, Cosigner, Outcome, Quorum, Sequencer,
    StartError,
};
use crate::store::memory::Memory;

pub(super) type Answer = dyn FnMut(&CosignRequest) -> Result<Vec<String>, CosignError> + Send;

/// Does what the test says.
pub(super) struct Scripted {
    pub(super) vkey: Vkey,
    pub(super) latest: Arc<Mutex<Result<Option<String>, CosignError>>>,
    pub(super) answer: Box<Answer>,
    /// Whether it is asked on a thread of its own, and how long it may take.
    pub(super) patience: Option<Duration>,
}

impl Cosigner for Scripted {
    fn vkey(&self) -> &Vkey {
        &self.vkey
    }
    fn latest(&mut self) -> Result<Option<String>, CosignError> {
        self.latest.lock().unwrap().clone()
    }
    fn patience(&self) -> Option<Duration> {
        self.patience
    }
    fn cosign(&mut self, request: &CosignRequest) -> Result<Vec<String>, CosignError> {
        (self.answer)(request)
    }
}

pub(super) fn name(n: u8) -> String {
    format!("w{n}.example")
}

pub(super) fn vkey(n: u8) -> Vkey {
    Vkey::new(&name(n), KeyKind::Cosignature, secret(&name(n)).public()).unwrap()
}

pub(super) fn line(key: &SecretKey, n: u8, body: &str) -> String {
    cosignature::cosign(key, &name(n), UnixSeconds(1), body)
        .unwrap()
        .line()
}

pub(super) fn honest(n: u8) -> Box<Answer> {
    let secret = secret(&name(n));
    Box::new(move |request| Ok(vec![line(&secret, n, &request.checkpoint.body())]))
}

/// Two of three witnesses; the third is the test's.
pub(super) fn policy() -> Policy {
    let log = Site::signer().vkey().format();
    let mut text = format!("log {log}\n");
    for n in 1..=3 {
        text.push_str(&format!("witness w{n} {}\n", vkey(n).format()));
    }
    text.push_str("group g 2 w1 w2 w3\nquorum g\n");
    Policy::parse(&text).unwrap()
}

fn try_create(answers: Vec<Box<Answer>>) -> Result<Sequencer, StartError> {
    let disk = Memory::new();
    let cosigners = (1..).zip(answers).map(|(n, answer)| {
        let latest = Arc::new(Mutex::new(Ok(None)));
        Box::new(Scripted {
            vkey: vkey(n),
            latest,
            answer,
            patience: None,
        }) as Box<dyn Cosigner>
    });
    let config = Config {
        signer: Site::signer().into(),
        quorum: Quorum {
            policy: policy(),
            trust: None,
            others: Vec::new(),
        },
        cosigners: cosigners.collect(),
        max_unpublished: 100,
        mldsa: None,
        publication: None,
    };
    let (store, files) = (Arc::new(disk.store().unwrap()), Arc::new(disk.files()));
    Sequencer::create(store, files, config, &Office::genesis(), START)
}

pub(super) fn published(sequencer: &Sequencer) -> bool {
    sequencer.published().size == sequencer.size()
}

#[test]
fn two_of_three_are_enough_and_their_lines_are_kept() {
    let silent: Box<Answer> = Box::new(|_| Err(CosignError::Unreachable("down".to_owned())));
    let sequencer = try_create(vec![honest(1), silent, honest(3)]).unwrap();
    assert!(published(&sequencer));
    let note = &sequencer.published().note;
    assert!(note.contains(&name(1)) && note.contains(&name(3)) && !note.contains(&name(2)));
    assert_eq!(
        sequencer.silent(),
        [(name(2), "unreachable: down".to_owned())]
    );
}

#[test]
fn lines_that_do_not_verify_are_never_kept() {
    let forger = secret("somebody else");
    let bad: [(&str, Box<Answer>); 4] = [
        (
            "signature",
            Box::new(move |r| Ok(vec![line(&forger, 2, &r.checkpoint.body())])),
        ),
        (
            "another text",
            Box::new(|_| Ok(vec![line(&secret(&name(2)), 2, "x\n1\ny\n")])),
        ),
        (
            "garbage",
            Box::new(|_| Ok(vec!["garbage".to_owned(), String::new()])),
        ),
        (
            "unknown key",
            Box::new(|r| Ok(vec![line(&secret(&name(9)), 9, &r.checkpoint.body())])),
        ),
    ];
    for (what, answer) in bad {
        let mut sequencer = try_create(vec![honest(1), answer]).unwrap();
        assert!(!published(&sequencer), "{what}");
        assert!(!sequencer.silent().is_empty(), "{what}");
        assert!(!sequencer.heartbeat(at(1)).unwrap(), "{what}");
    }
}

#[test]
fn one_witness_twice_is_one_witness() {
    let twice: Box<Answer> = Box::new(|request| {
        let own = line(&secret(&name(1)), 1, &request.checkpoint.body());
        Ok(vec![own.clone(), own])
    });
    let again = honest(1);
    let sequencer = try_create(vec![twice, again]).unwrap();
    assert!(!published(&sequencer));
}

#[test]
fn a_mistaken_old_size_is_put_right_with_a_proof_from_the_true_one() {
    let roots: Arc<Mutex<Vec<Checkpoint>>> = Arc::default();
    let kept = Arc::clone(&roots);
    let forgetful: Box<Answer> = Box::new(move |request| {
        let mut seen = kept.lock().unwrap();
        // It lost every checkpoint but the first.
        let Some(first) = seen.first().cloned() else {
            seen.push(request.checkpoint.clone());
            return Ok(vec![line(&secret(&name(2)), 2, &request.checkpoint.body())]);
        };
        if request.old != first.size {
            return Err(CosignError::Conflict { size: first.size });
        }
        let now = &request.checkpoint;
        check_consistency(first.size, now.size, &first.root, &now.root, &request.proof)
            .map_err(|error| CosignError::Refused(error.to_string()))?;
        Ok(vec![line(&secret(&name(2)), 2, &now.body())])
    });
    let mut sequencer = try_create(vec![honest(1), forgetful]).unwrap();
    let mut office = Office::new();
    for (n, batch) in [
        office.founding(),
        vec![office.issue(1)],
        vec![office.issue(2)],
    ]
    .into_iter()
    .enumerate()
    {
        let outcomes = sequencer
            .commit(batch, at(10 + u64::try_from(n).unwrap()))
            .unwrap();
        assert!(
            outcomes
                .iter()
                .all(|o| matches!(o, Outcome::Accepted { .. })),
            "{outcomes:?}"
        );
        assert_eq!(sequencer.silent(), []);
    }
}

#[test]
fn a_witness_that_claims_a_longer_log_without_our_signature_is_not_believed() {
    let liar: Box<Answer> = Box::new(|_| {
        Err(CosignError::Conflict {
            size: TreeSize(1 << 40),
        })
    });
    let mut sequencer = try_create(vec![honest(1), liar, honest(3)]).unwrap();
    assert!(published(&sequencer));
    assert!(sequencer.heartbeat(at(1)).unwrap());
    let says = "claims a size that it cannot show".to_owned();
    assert_eq!(sequencer.silent(), [(name(2), says)]);
}

#[test]
fn a_witness_that_shows_a_longer_log_with_our_signature_stops_everything() {
    let longer = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: TreeSize(99),
        root: Hash([1; 32]),
    };
    let mut note = longer.to_note().unwrap();
    note.sign(&Site::signer()).unwrap();
    let knows: Box<Answer> = Box::new(|_| Err(CosignError::Conflict { size: TreeSize(99) }));
    let mut sequencer = try_create(vec![honest(1), honest(2)]).unwrap();
    let latest = Arc::new(Mutex::new(Ok(Some(note.format()))));
    let cosigner = Box::new(Scripted {
        vkey: vkey(3),
        latest,
        answer: knows,
        patience: None,
    });
    sequencer.panel = Panel::new(vec![cosigner], Watched::default());
    for member in &mut sequencer.panel.members {
        member.answered = true;
    }
    let error = sequencer.heartbeat(at(1)).unwrap_err();
    let (theirs, ours) = (TreeSize(99), sequencer.size());
    assert_eq!(
        error,
        CommitError::WitnessAhead {
            name: name(3),
            theirs,
            ours
        }
    );
    assert_eq!(sequencer.published().size, TreeSize(2));
}

#[test]
fn a_log_is_not_made_before_enough_witnesses_can_be_asked() {
    // One of three is configured: the other two could have seen a log of this name.
    let error = try_create(vec![honest(1)]).unwrap_err();
    assert!(
        matches!(error, StartError::Commit(CommitError::Unconfirmed { .. })),
        "{error:?}"
    );
}
