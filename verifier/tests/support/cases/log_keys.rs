//! Heads of a log whose administrators named another key. The policy lists the first one only.

use zhao_spec::file::EmbeddedCredential;
use zhao_spec::life::data::{Action, LogKey};
use zhao_spec::life::record::Record;
use zhao_spec::life::subject::Kind;
use zhao_spec::log::HeadKey;
use zhao_spec::log::tree::{LeafIndex, TreeSize};

use super::super::credential::Paper;
use super::super::vectors::{Case, Vector};
use super::super::vouch::{Vouchers, log_secret};
use super::super::world::{ADMINS, By, World, sign};
use super::super::{ORIGIN, food, unit};
use super::{honest, issued};

pub fn vectors() -> Vec<Vector> {
    let (_, trusting) = honest();
    let mut cases = followed();
    cases.extend(refused());
    cases.extend(with_pack());
    vec![
        Vector::new(
            "verify/log-key",
            "Step 6: the administrators named another key of the log.",
            &trusting,
            cases,
        ),
        Vector::new(
            "receipt/log-key",
            "Receipts under a head of the log's second key.",
            &trusting,
            receipts(),
        ),
    ]
}

/// The key of this name, brought by its holder.
fn brought(name: &str, from: u64) -> LogKey {
    LogKey::new(&log_secret(ORIGIN, name), ORIGIN, TreeSize(from))
}

fn rotate(world: &mut World, name: &str, from: u64) {
    let subject = world.subject(Kind::Registry, ORIGIN);
    world.act(subject, Action::RotateLogKey(brought(name, from)), ADMINS);
    world.close();
}

/// A log with one licence, whose second key signs from `from` on; signed so.
fn rotated(from: u64, vouchers: Vouchers) -> (World, Paper, EmbeddedCredential) {
    let (mut world, _, paper, credential) = issued();
    rotate(&mut world, "second", from);
    world.vouchers = vouchers;
    (world, paper, credential)
}

/// Its dossier.
fn dossier(from: u64, vouchers: Vouchers) -> Vec<u8> {
    let (world, paper, credential) = rotated(from, vouchers);
    world.dossier(&paper, &credential).bytes()
}

fn by(name: &str) -> Vouchers {
    Vouchers::all().signed_by(name)
}

fn followed() -> Vec<Case> {
    let mut third = rotated(1, by("third"));
    rotate(&mut third.0, "third", 2);
    let mut back = rotated(100, by("third"));
    rotate(&mut back.0, "third", 3);
    let of = |(world, paper, credential): (World, Paper, EmbeddedCredential)| {
        world.dossier(&paper, &credential).bytes()
    };
    vec![
        Case::valid("by-the-named-key", dossier(1, by("second"))),
        Case::valid("by-both", dossier(1, by("log").and_by("second"))),
        Case::valid("by-the-first-below-the-size", dossier(1_000, by("log"))),
        Case::valid("by-the-third", of(third)),
        Case::valid("named-later-from-an-earlier-size", of(back)),
    ]
}

fn refused() -> Vec<Case> {
    let unsigned = |name: &str, file: Vec<u8>| Case::invalid(name, file, "log_signature");
    let mut cases = vec![
        Case::undetermined(
            "by-the-replaced-key",
            dossier(1, by("log")),
            "log_key_retired",
        ),
        unsigned("by-neither", dossier(1, by("thief"))),
        unsigned(
            "by-the-named-key-before-its-size",
            dossier(1_000, by("second")),
        ),
        unsigned(
            "falsely-by-the-named-key",
            dossier(1, by("log").and_by("second").spoiled("second")),
        ),
        unsigned(
            "falsely-by-the-replaced-key",
            dossier(1, by("log").and_by("second").spoiled("log")),
        ),
    ];
    for (name, data, who) in [
        (
            "named-by-one-administrator",
            brought("second", 1),
            By::Admins(&["admin 1"]),
        ),
        (
            "named-by-a-unit",
            brought("second", 1),
            By::Unit(&unit(1), "unit 1 key 1"),
        ),
        (
            "named-without-its-holder",
            LogKey {
                proof: brought("third", 1).proof,
                ..brought("second", 1)
            },
            ADMINS,
        ),
    ] {
        cases.push(unsigned(name, forged(data, who)));
    }

    // A log that is its own witness says nothing it has not said.
    let (mut world, _, paper, credential) = issued();
    rotate(&mut world, "=w1", 1);
    world.vouchers = by("=w1");
    let own = world.dossier(&paper, &credential).bytes();
    cases.push(unsigned("a-witness-for-a-log", own));
    cases
}

/// A dossier under a second key that nobody named who may.
fn forged(data: LogKey, who: By<'_>) -> Vec<u8> {
    let (mut world, _, paper, credential) = issued();
    let subject = world.subject(Kind::Registry, ORIGIN);
    let event = world.draft(subject, Action::RotateLogKey(data.clone()), who);
    let Some(Record::Registry(mut record)) = world.records.get(&subject).cloned() else {
        panic!("a registry")
    };
    record.index = world.next_index();
    record.latest = event.leaf_hash();
    record.seq = event.seq;
    record.log_keys = vec![HeadKey {
        from: data.from,
        key: data.key,
    }];
    world.log(event, vec![(subject, Record::Registry(record))]);
    world.close();
    world.vouchers = by("second");
    world.dossier(&paper, &credential).bytes()
}

/// What a file leaves out, a pack may know; and a file without authorities has it from there alone.
fn with_pack() -> Vec<Case> {
    let pack = |world: &World| world.pack(&[unit(1), unit(2)], &[food()]).bytes();
    let (later, paper, credential) = rotated(1, by("second"));
    let (before, _, _, _) = issued();
    let left_out = before.dossier(&paper, &credential).bytes();
    let mut bare = later.dossier(&paper, &credential);
    bare.authorities = None;
    let bare = bare.bytes();

    let mut replaced = later.clone();
    replaced.vouchers = by("log");
    let mut honest_pack = later.clone();
    honest_pack.close();
    // Somebody makes a pack that names his key.
    let mut forger = World::new(ORIGIN, "usurper");
    let subject = forger.subject(Kind::Registry, ORIGIN);
    let mut event = forger.draft(
        subject,
        Action::RotateLogKey(brought("second", 1)),
        By::Admins(&[]),
    );
    sign(&mut event, By::Admins(&["usurper 1", "usurper 2"]));
    forger.admit(event);
    forger.close();
    forger.vouchers = by("second");

    vec![
        Case::valid("without-authorities-and-a-pack-that-names", bare.clone())
            .with_pack(pack(&honest_pack)),
        Case::undetermined(
            "left-out-and-a-pack-that-names",
            left_out.clone(),
            "log_key_retired",
        )
        .with_pack(pack(&later)),
        Case::valid("left-out-and-a-pack-that-names-nobody", left_out).with_pack(pack(&before)),
        Case::undetermined(
            "without-authorities-and-a-pack-by-the-replaced-key",
            {
                let mut world = later.clone();
                world.vouchers = by("log").and_by("second");
                let mut both = world.dossier(&paper, &credential);
                both.authorities = None;
                both.bytes()
            },
            "issuer_pack_log_key_retired",
        )
        .with_pack(pack(&replaced)),
        Case::invalid(
            "without-authorities-and-a-usurpers-pack",
            bare,
            "log_signature",
        )
        .with_pack(forger.pack(&[], &[]).bytes()),
    ]
}

fn receipts() -> Vec<Case> {
    let (world, _, _) = rotated(1, by("second"));
    let receipt = world.receipt(LeafIndex(1)).bytes();
    let pack = world.pack(&[unit(1)], &[food()]).bytes();
    let mut replaced = world.clone();
    replaced.vouchers = by("log");
    let old = replaced.receipt(LeafIndex(1)).bytes();
    vec![
        Case::invalid("under-a-key-nobody-shows", receipt.clone(), "log_signature"),
        Case::valid("under-a-key-that-a-pack-names", receipt).with_pack(pack.clone()),
        Case::valid("under-the-first-key", old.clone()),
        Case::undetermined("under-a-replaced-key", old, "log_key_retired").with_pack(pack),
    ]
}
