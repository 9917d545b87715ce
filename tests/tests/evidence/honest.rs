//! The real sequencer, which cannot be made to cheat: whatever it signs agrees with itself.

use std::sync::Arc;

use zhao_ledger::audit::compare::Seen;
use zhao_ledger::audit::{Auditor, LeafSource, StoreLeaves};
use zhao_ledger::sequence::{Config, Outcome, Quorum, Sequencer};
use zhao_ledger::store::Store;
use zhao_ledger::store::memory::Memory;
use zhao_spec::life::event::Event;
use zhao_spec::life::verb::Verb;
use zhao_spec::log::cosignature::UnixSeconds;
use zhao_spec::log::policy::Policy;
use zhao_spec::log::tree::LeafIndex;

use crate::operator::{ORIGIN, Operator, genesis, secret, signer, verified};

/// A sequencer with nobody to ask, its leaves, and an auditor of them.
fn site() -> (Sequencer, StoreLeaves, Auditor) {
    let disk = Memory::new();
    let store: Arc<dyn Store> = Arc::new(disk.store().unwrap());
    let vkey = signer(ORIGIN).vkey().clone();
    let policy = Policy::parse(&format!("log {}\nquorum none\n", vkey.format())).unwrap();
    let config = Config {
        signer: signer(ORIGIN).into(),
        quorum: Quorum {
            policy,
            trust: None,
            others: Vec::new(),
        },
        cosigners: Vec::new(),
        max_unpublished: 1_000,
        mldsa: None,
        publication: None,
    };
    let log = Operator::bare(ORIGIN);
    let files = Arc::new(disk.files());
    let genesis = genesis(ORIGIN);
    let made = Sequencer::create(Arc::clone(&store), files, config, &genesis, log.now);
    let sequencer = made.unwrap_or_else(|error| panic!("{error}"));
    let leaves = StoreLeaves(store);
    let own: Arc<dyn Store> = Arc::new(Memory::new().store().unwrap());
    let source = Arc::new(leaves.clone());
    let name = "auditor.example";
    let auditor = Auditor::new(
        name,
        secret("auditor"),
        vkey.into(),
        genesis.hash(),
        own,
        source,
    );
    (sequencer, leaves, auditor.unwrap())
}

/// The events of an operator's log by epoch, without genesis.
fn batches(log: &Operator) -> Vec<Vec<Event>> {
    let mut batches = vec![Vec::new()];
    for leaf in &log.leaves {
        match zhao_spec::life::leaf::Leaf::parse(leaf).unwrap() {
            zhao_spec::life::leaf::Leaf::Event(event) => batches.last_mut().unwrap().push(*event),
            zhao_spec::life::leaf::Leaf::Epoch(_) => batches.push(Vec::new()),
            zhao_spec::life::leaf::Leaf::Genesis(_) => {}
        }
    }
    batches.pop();
    batches
}

#[test]
fn what_the_sequencer_signs_agrees_with_itself() {
    // The operator of these tests, when honest, writes what the sequencer writes, byte for byte.
    let mut log = Operator::founded(ORIGIN);
    let mut receipts = Vec::new();
    for (n, verb) in [
        (1, Verb::Hold),
        (2, Verb::Revoke),
        (1, Verb::LiftHold),
        (3, Verb::Pledge),
    ] {
        let index = log.admit(log.plain(n, verb));
        log.close();
        receipts.push(log.receipt(index).bytes());
    }
    log.close();
    let (mut sequencer, leaves, mut auditor) = site();
    let mut seen = vec![sequencer.published().note.clone()];
    for (epoch, events) in log.epochs.iter().zip(batches(&log)).skip(1) {
        if events.is_empty() {
            assert_eq!(sequencer.heartbeat(epoch.time), Ok(true));
        } else {
            let events = events.into_iter().map(verified).collect();
            let outcomes = sequencer.commit(events, epoch.time).unwrap();
            let accepted = |outcome: &Outcome| matches!(outcome, Outcome::Accepted { .. });
            assert!(outcomes.iter().all(accepted), "{outcomes:?}");
        }
        seen.push(sequencer.published().note.clone());
        if epoch.epoch % 2 == 0 {
            let note = &sequencer.published().note;
            auditor.cosign(note, UnixSeconds(1_790_000_000)).unwrap();
        }
    }
    assert_eq!(leaves.leaves(LeafIndex(0), 1_000).unwrap(), log.leaves);
    let note = &sequencer.published().note;
    assert_eq!(*note, log.note());
    auditor.cosign(note, UnixSeconds(1_790_000_000)).unwrap();
    let known = auditor.known().unwrap().unwrap();
    for note in &seen {
        assert_eq!(known.note(note).unwrap(), Seen::Agrees);
        assert_eq!(auditor.fork(note), Ok(None));
    }
    for receipt in &receipts {
        assert_eq!(known.compare(receipt).unwrap(), Seen::Agrees);
    }
    for n in 1..=3 {
        assert_eq!(
            known.compare(&log.dossier(n).bytes()).unwrap(),
            Seen::Agrees
        );
    }
}
