//! What cannot be migrated: it is told precisely, and the old database stays as it is.

use zhao_spec::log::tree::LeafIndex;

use super::*;
use crate::replay::Divergence;

/// Damages the log by `damage`, and tries; the old database must stay, and nothing beside it.
fn refused(damage: impl Fn(&Ground)) -> MigrateError {
    let ground = Ground::new();
    damage(&ground);
    ground.write(vec![stated(2)]);
    let before = everything(&ground.database());
    let error = ground.run(false).unwrap_err();
    assert_eq!(everything(&ground.database()), before, "{error}");
    assert_eq!(ground.names(), ["db", "files"], "{error}");
    assert!(error.is_damage(), "{error}");
    error
}

fn leaf(at: u64) -> Vec<u8> {
    Leaves::encode_key(&LeafIndex(at))
}

/// A stored value, changed.
fn changed(ground: &Ground, family: Family, key: &[u8], change: impl Fn(&mut Vec<u8>)) {
    let mut value = {
        let store = Rocks::open(&ground.database()).unwrap();
        store.get(family, key).unwrap().unwrap()
    };
    change(&mut value);
    ground.write(vec![(family, key.to_vec(), Some(value))]);
}

#[test]
fn a_damaged_leaf_is_named_by_its_index() {
    // The last leaf of the second epoch, an event, genesis: cut short.
    for at in [7_u64, 5, 100, 0] {
        let error =
            refused(|ground| changed(ground, Family::Leaves, &leaf(at), |v| v.truncate(20)));
        assert!(
            error.to_string().starts_with(&format!("leaf {at}: ")),
            "{error}"
        );
    }
    // Another time in an event: its signature does not fit any more.
    let error = refused(|ground| {
        changed(ground, Family::Leaves, &leaf(100), |value| {
            let place = value.windows(9).position(|w| w == b"effective").unwrap();
            value[place + 12] ^= 1;
        });
    });
    let MigrateError::Rebuild(RebuildError::Diverged(diverged)) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(diverged.at, LeafIndex(100), "{error}");
    assert!(matches!(diverged.why, Divergence::Refused(_)), "{error}");
    let error = refused(|ground| ground.write(vec![(Family::Leaves, leaf(100), None)]));
    assert_eq!(error.to_string(), "leaf 100 is missing");
    // Without its last leaf the log has no end, and the intent is beyond it: found before work.
    let error = refused(|ground| ground.write(vec![(Family::Leaves, leaf(LEAVES - 1), None)]));
    assert!(
        error.to_string().contains("beyond the database's 308"),
        "{error}"
    );
    let error = refused(|ground| {
        let more = ground.office.clone().issue(1_000).leaf_bytes().to_vec();
        ground.write(vec![(Family::Leaves, leaf(LEAVES), Some(more))]);
    });
    assert_eq!(
        error.to_string(),
        "the epoch from leaf 309 on has no end: 1 leaves and none closes it"
    );
}

#[test]
fn a_leaf_that_was_changed_and_is_still_a_leaf_is_not_what_was_signed() {
    // The time of the last epoch: everything fits but the signed root.
    let error = refused(|ground| {
        changed(ground, Family::Leaves, &leaf(LEAVES - 1), |value| {
            let place = value.windows(5).rposition(|w| w == b".000Z").unwrap();
            value[place + 1] ^= 1;
        });
    });
    let said = "head of size 309: not a head of these leaves: one from leaf 308 on";
    assert!(error.to_string().starts_with(said), "{error}");
}

#[test]
fn heads_and_names_that_are_not_of_these_leaves() {
    let head = |size: u64| size.to_be_bytes();
    for size in [2_u64, LEAVES] {
        let error = refused(|ground| changed(ground, Family::Heads, &head(size), |v| v[30] ^= 1));
        let said = format!("head of size {size}: ");
        assert!(error.to_string().starts_with(&said), "{error}");
    }
    for (to, said) in [
        (LEAVES + 1, "head of size 310: beyond the last leaf"),
        (9, "head of size 9: stored under another size"),
    ] {
        let error = refused(|ground| {
            let store = Rocks::open(&ground.database()).unwrap();
            let note = store.get(Family::Heads, &head(LEAVES)).unwrap();
            drop(store);
            ground.write(vec![(Family::Heads, head(to).to_vec(), note)]);
        });
        assert_eq!(error.to_string(), said);
    }
    for (key, said) in [
        (MetaKey::Origin, "origin of the database is "),
        (MetaKey::LogKey, "log key of the database is "),
    ] {
        let key = store::layout::Meta::encode_key(&key);
        let error = refused(|ground| changed(ground, Family::Meta, &key, |v| v[0] ^= 1));
        assert!(error.to_string().starts_with(said), "{error}");
    }
}

#[test]
fn files_beside_the_database_that_do_not_agree_with_it() {
    let origin = crate::fixture::ORIGIN;
    let intent = |size: u64, origin: &str| {
        let mut intent = Intent::none(origin);
        intent.size.0 = size;
        intent.bytes()
    };
    for (bytes, said) in [
        (
            intent(0, origin),
            "intent: size 0 is older than the head of 309",
        ),
        (intent(3, origin), "intent: states root "),
        (
            intent(310, origin),
            "intent: size 310 is beyond the database's 309",
        ),
        (intent(0, "x"), "intent: of another log"),
        (b"{}".to_vec(), "intent: "),
    ] {
        let error = refused(|ground| ground.files().replace(intent::FILE, &bytes).unwrap());
        assert!(error.to_string().starts_with(said), "{error}");
    }
    let error = refused(|ground| {
        fs::remove_file(ground.root.path().join("files/intent")).unwrap();
    });
    assert_eq!(error.to_string(), "intent: missing");
    let error = refused(|ground| ground.files().replace(CHECKPOINT_FILE, b"x").unwrap());
    assert!(error.to_string().starts_with("checkpoint: "), "{error}");
    let error = refused(|ground| {
        ground.write(vec![(Family::Heads, LEAVES.to_be_bytes().to_vec(), None)]);
    });
    assert_eq!(
        error.to_string(),
        "checkpoint: the database has no head of 309"
    );
}
