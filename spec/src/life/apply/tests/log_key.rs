//! Section 5: `rotate-log-key`.

use super::world::{ORIGIN, World, code, issuer, registry, secret};
use crate::life::data::{Action, LogKey};
use crate::life::record::{Record, RegistryRecord};
use crate::log::tree::TreeSize;
use crate::wire::limits;

fn brought(name: &str, from: u64) -> LogKey {
    LogKey::new(&secret(name), ORIGIN, TreeSize(from))
}

fn record(world: &World) -> RegistryRecord {
    match world.records.get(&registry()).map(AsRef::as_ref) {
        Some(Record::Registry(record)) => record.clone(),
        other => panic!("{other:?}"),
    }
}

fn key_at(world: &World, size: u64) -> Option<crate::wire::PublicKey> {
    record(world).log_key_at(TreeSize(size)).copied()
}

#[test]
fn from_its_size_on_the_newest_key_counts() {
    let mut world = World::new();
    assert_eq!(key_at(&world, u64::MAX), None, "the first key has no entry");
    for (name, from) in [("second", 40), ("third", 90)] {
        let action = Action::RotateLogKey(brought(name, from));
        world.admin(registry(), action).expect("rotated");
    }
    let (second, third) = (secret("second").public(), secret("third").public());
    for (size, expected) in [
        (0, None),
        (39, None),
        (40, Some(second)),
        (89, Some(second)),
        (90, Some(third)),
    ] {
        assert_eq!(key_at(&world, size), expected, "size {size}");
    }
    // The third was stolen, and with it whatever it signed from 60 on is void.
    let action = Action::RotateLogKey(brought("fourth", 60));
    world.admin(registry(), action).expect("rotated");
    assert_eq!(key_at(&world, 59), Some(second));
    assert_eq!(key_at(&world, 60), Some(secret("fourth").public()));
    assert_eq!(key_at(&world, 90), Some(secret("fourth").public()));
}

#[test]
fn nobody_but_the_administrators_rotates_the_logs_key() {
    let mut world = World::new();
    let action = || Action::RotateLogKey(brought("second", 40));
    let alone = world.draft(registry(), None, action());
    assert_eq!(code(world.signed(alone, &["admin 1"])), "threshold_not_met");
    let unit = world.draft(registry(), Some(issuer(super::world::UNIT)), action());
    assert_eq!(code(world.signed(unit, &["unit"])), "wrong_signer");
    assert_eq!(
        code(world.admin(issuer(super::world::UNIT), action())),
        "wrong_subject"
    );
    // The new key's own signature gives it nothing to decide.
    let thief = world.draft(registry(), None, action());
    assert_eq!(code(world.signed(thief, &["second"])), "foreign_signature");
    assert_eq!(record(&world).log_keys, []);
}

#[test]
fn a_key_that_nobody_is_known_to_hold_is_refused() {
    let mut world = World::new();
    let mistyped = LogKey {
        key: secret("another").public(),
        ..brought("second", 40)
    };
    let elsewhere = LogKey::new(&secret("second"), "zhao.example/elsewhere", TreeSize(40));
    let mut flipped = brought("second", 40);
    flipped.proof.0[3] ^= 1;
    for wrong in [mistyped, elsewhere, flipped] {
        let refused = world.admin(registry(), Action::RotateLogKey(wrong));
        assert_eq!(code(refused), "key_proof_invalid");
    }
    let action = || Action::RotateLogKey(brought("second", 40));
    world.admin(registry(), action()).expect("rotated");
    assert_eq!(code(world.admin(registry(), action())), "key_known");
    assert_eq!(record(&world).log_keys.len(), 1);
}

#[test]
fn a_log_has_so_many_keys_and_no_more() {
    let mut world = World::new();
    for number in 0..limits::LOG_KEYS {
        let action = Action::RotateLogKey(brought(&format!("key {number}"), 40));
        world.admin(registry(), action).expect("rotated");
    }
    let one_more = Action::RotateLogKey(brought("one more", 40));
    assert_eq!(code(world.admin(registry(), one_more)), "limit_reached");
}
