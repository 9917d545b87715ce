//! COSE receipts: what the log says alone, and how little that is under a policy that asks others.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::collections::HashSet;

use support::vouch::{Trusting, log_signer};
use support::world::World;
use zhao_spec::life::event::Event;
use zhao_spec::life::leaf::Leaf;
use zhao_spec::log::checkpoint::Checkpoint;
use zhao_spec::log::cose::CoseReceipt;
use zhao_spec::log::note::NoteSigner;
use zhao_spec::log::tree::LeafIndex;
use zhao_verifier::{TrustPolicy, Verdict, verify, verify_cose};

mod support;

const ORIGIN: &str = "zhao.example/changzhou";
const OTHER: &str = "zhao.example/wuxi";

/// A log with a unit, and an epoch over it.
fn world(origin: &str) -> World {
    let mut world = World::new(origin, "admin");
    world.add_unit(&support::unit(1), "unit key", &[support::food()]);
    world.add_unit(&support::unit(2), "unit key 2", &[support::food()]);
    world.close();
    world
}

fn event(world: &World) -> (LeafIndex, Event) {
    let step = world.steps.last().unwrap();
    (step.index, step.event.clone())
}

fn receipt_by(world: &World, signer: &NoteSigner, index: LeafIndex) -> Vec<u8> {
    let size = world.tree.size();
    let checkpoint = Checkpoint {
        origin: signer.name().to_owned(),
        size,
        root: world.tree.root(),
    };
    let hashes = world.tree.prove_inclusion(index, size).unwrap();
    let leaf = zhao_spec::log::tree::leaf_hash(&world.leaves[usize::try_from(index.0).unwrap()]);
    let made = CoseReceipt::sign(signer, &checkpoint, index, hashes, &leaf);
    made.unwrap().bytes()
}

fn receipt(world: &World, index: LeafIndex) -> Vec<u8> {
    receipt_by(world, &log_signer(&world.origin, "log"), index)
}

fn load(trusting: &Trusting) -> TrustPolicy {
    TrustPolicy::load(&trusting.policy(), &trusting.trust()).unwrap()
}

fn trusting(world: &World) -> Trusting {
    Trusting::new(&[(ORIGIN, world.genesis.hash())])
}

/// A policy that asks nobody but the log.
fn nobody(world: &World) -> TrustPolicy {
    load(&trusting(world).quorum("quorum none").auditors("none"))
}

#[track_caller]
fn is(verdict: &Verdict, status: &str, reasons: &[&str]) {
    let codes: Vec<&str> = verdict.reasons().iter().map(|r| r.code()).collect();
    assert_eq!(
        (verdict.status().as_str(), codes.as_slice()),
        (status, reasons),
        "{:?}",
        verdict.reasons()
    );
    assert!(verdict.licence().is_none());
}

/// That nobody vouches is said whatever the verdict, once the log's signature holds.
#[track_caller]
fn nobody_vouches(verdict: &Verdict) {
    let notes: Vec<&str> = verdict.assurance().iter().map(|n| n.as_str()).collect();
    assert_eq!(notes, ["no_witness", "no_auditor"]);
    assert_eq!(verdict.facts().witnesses, None);
    assert_eq!(verdict.facts().auditors, None);
    assert_eq!(verdict.facts().as_of, None);
}

#[test]
fn a_policy_that_asks_nobody_takes_the_logs_word() {
    let world = world(ORIGIN);
    let (index, event) = event(&world);
    let cose = receipt(&world, index);
    let policy = nobody(&world);
    let newline = [event.bytes(), b"\n".to_vec()].concat();
    for entry in [event.bytes(), event.leaf_bytes(), newline] {
        let verdict = verify_cose(&cose, &entry, &policy);
        is(&verdict, "valid", &[]);
        nobody_vouches(&verdict);
        assert_eq!(verdict.facts().size, Some(world.tree.size()));
    }
    // Every other leaf is an entry too.
    for (index, leaf) in (0..).zip(&world.leaves) {
        let verdict = verify_cose(&receipt(&world, LeafIndex(index)), leaf, &policy);
        is(&verdict, "valid", &[]);
    }
    let kinds: HashSet<_> = world
        .leaves
        .iter()
        .map(|leaf| std::mem::discriminant(&Leaf::parse(leaf).unwrap()))
        .collect();
    assert_eq!(kinds.len(), 3);
}

#[test]
fn a_policy_that_asks_others_is_not_satisfied() {
    let world = world(ORIGIN);
    let (index, event) = event(&world);
    let (cose, entry) = (receipt(&world, index), event.bytes());
    let both = verify_cose(&cose, &entry, &load(&trusting(&world)));
    is(&both, "undetermined", &["witness_quorum"]);
    nobody_vouches(&both);
    let witnesses = load(&trusting(&world).auditors("none"));
    let verdict = verify_cose(&cose, &entry, &witnesses);
    is(&verdict, "undetermined", &["witness_quorum"]);
    let auditors = load(&trusting(&world).quorum("quorum none"));
    let verdict = verify_cose(&cose, &entry, &auditors);
    is(&verdict, "undetermined", &["auditor_quorum"]);
    nobody_vouches(&verdict);
}

/// What is wrong comes before what is missing: no quorum makes a forgery undetermined.
#[test]
fn a_false_receipt_is_invalid_under_any_policy() {
    let world = world(ORIGIN);
    let (index, event) = event(&world);
    let (cose, entry) = (receipt(&world, index), event.bytes());
    let other = world.leaves[1].clone();
    let thief = log_signer(ORIGIN, "thief");
    let mut forged = CoseReceipt::parse(&cose).unwrap();
    forged.signature.0[0] ^= 1;
    let mut moved = CoseReceipt::parse(&cose).unwrap();
    moved.index.0 -= 1;
    let mut far = CoseReceipt::parse(&cose).unwrap();
    far.index.0 += 100;
    let mut short = CoseReceipt::parse(&cose).unwrap();
    short.hashes.pop();
    let mut cut = event.clone();
    cut.signatures.clear();
    let mut unsigned = event.clone();
    unsigned.signatures[0].signature.0[0] ^= 1;
    // The log may log what nobody signed; its receipt of that is no proof of an event.
    let mut lying = world.clone();
    let liar = lying.log(unsigned.clone(), Vec::new());
    lying.close();
    for policy in [nobody(&world), load(&trusting(&world))] {
        let judge = |cose: &[u8], entry: &[u8], reason: &str| {
            is(&verify_cose(cose, entry, &policy), "invalid", &[reason]);
        };
        judge(&forged.bytes(), &entry, "log_signature");
        judge(&moved.bytes(), &entry, "log_signature");
        judge(&cose, &other, "log_signature");
        judge(&cose, &unsigned.bytes(), "log_signature");
        judge(&receipt_by(&world, &thief, index), &entry, "log_signature");
        judge(&far.bytes(), &entry, "event_not_in_log");
        judge(&short.bytes(), &entry, "event_not_in_log");
        judge(&receipt(&lying, liar), &unsigned.bytes(), "event_signature");
        judge(&cose[..cose.len() - 1], &entry, "malformed");
        judge(&[], &entry, "malformed");
        judge(&entry, &cose, "malformed");
        judge(&cose, b"", "malformed");
        judge(&cose, b"{}", "malformed");
        judge(&cose, b"{\"leaf\":\"other\"}", "malformed");
        judge(&cose, &cut.bytes(), "malformed");
        judge(&cose, &vec![b' '; 100_000], "malformed");
        // Nor is it a file that stands by itself.
        let at = support::at("2026-12-02T00:00:00.000Z");
        is(
            &verify(&cose, &policy, None, at, None),
            "invalid",
            &["malformed"],
        );
    }
}

#[test]
fn another_logs_receipt() {
    let (own, theirs) = (world(ORIGIN), world(OTHER));
    let (index, event) = event(&theirs);
    let cose = receipt(&theirs, index);
    let policy = nobody(&own);
    let verdict = verify_cose(&cose, &event.bytes(), &policy);
    is(&verdict, "undetermined", &["log_unknown"]);
    assert!(verdict.assurance().is_empty());
    // An event of one log, logged by another that the policy knows as well.
    let both = Trusting::new(&[(ORIGIN, own.genesis.hash()), (OTHER, theirs.genesis.hash())]);
    let both = load(&both.quorum("quorum none").auditors("none"));
    is(&verify_cose(&cose, &event.bytes(), &both), "valid", &[]);
    let mut carried = own.clone();
    let at = carried.log(event.clone(), Vec::new());
    carried.close();
    let verdict = verify_cose(&receipt(&carried, at), &event.bytes(), &both);
    is(&verdict, "invalid", &["origin_mismatch"]);
    let genesis = theirs.genesis.bytes();
    let mut carried = own.clone();
    let at = carried.push(genesis.clone());
    carried.close();
    let verdict = verify_cose(&receipt(&carried, at), &genesis, &both);
    is(&verdict, "invalid", &["origin_mismatch"]);
}

/// A log that changes its key has two lines in the policy: the receipt says which of them signed.
#[test]
fn either_key_of_a_log_that_changed_it() {
    let world = world(ORIGIN);
    let (index, event) = event(&world);
    let next = log_signer(ORIGIN, "next");
    let trusting = trusting(&world).quorum("quorum none").auditors("none");
    let policy = format!("log {}\n{}", next.vkey().format(), trusting.policy());
    let policy = TrustPolicy::load(&policy, &trusting.trust()).unwrap();
    for cose in [receipt(&world, index), receipt_by(&world, &next, index)] {
        is(&verify_cose(&cose, &event.bytes(), &policy), "valid", &[]);
    }
    let mut crossed = CoseReceipt::parse(&receipt_by(&world, &next, index)).unwrap();
    crossed.key_id = log_signer(ORIGIN, "log").key_id();
    let verdict = verify_cose(&crossed.bytes(), &event.bytes(), &policy);
    is(&verdict, "invalid", &["log_signature"]);
}
