//! Dossiers judged with an issuer pack beside the policy, and packs by themselves.

use zhao_spec::file::{Dossier, IssuerPack};
use zhao_spec::wire::UnixMillis;

use super::super::vectors::{Case, Vector};
use super::super::vouch::Vouchers;
use super::super::world::World;
use super::super::{DAY, FOREIGN_ORIGIN, OTHER_ORIGIN, birth, food, hash, transport, unit};
use super::usable::compromise;
use super::{authority, founded, honest, issued};
use zhao_spec::log::tree::LeafIndex;

pub fn vectors() -> Vec<Vector> {
    let (_, trusting) = honest();
    vec![
        Vector::new(
            "verify/pack",
            "Dossiers without authorities, with an issuer pack.",
            &trusting,
            with_pack(),
        ),
        Vector::new(
            "issuer-pack/pack",
            "Issuer packs by themselves.",
            &trusting,
            alone(),
        ),
    ]
}

fn whole(world: &World) -> IssuerPack {
    world.pack(&[unit(1), unit(2)], &[food(), transport(), birth()])
}

/// A dossier without authorities, and the log as it was then.
fn bare() -> (World, Dossier) {
    let (world, _, paper, credential) = issued();
    let mut dossier = world.dossier(&paper, &credential);
    dossier.authorities = None;
    (world, dossier)
}

fn with_pack() -> Vec<Case> {
    let (world, dossier) = bare();
    let file = dossier.bytes();
    let mut later = world.clone();
    later.close();
    let good = whole(&later);
    let undetermined = |name: &str, pack: Vec<u8>, reason: &str| {
        Case::undetermined(name, file.clone(), reason).with_pack(pack)
    };
    let vouched = |vouchers: Vouchers| {
        let mut world = later.clone();
        world.vouchers = vouchers;
        whole(&world).bytes()
    };
    let mut cases = vec![
        Case::valid("pack-of-the-same-epoch", file.clone()).with_pack(whole(&world).bytes()),
        Case::valid("pack-of-a-later-epoch", file.clone()).with_pack(good.bytes()),
        Case::undetermined("no-pack", file.clone(), "issuer_pack_missing"),
        undetermined("empty-pack", Vec::new(), "issuer_pack_malformed"),
        undetermined(
            "a-dossier-for-a-pack",
            file.clone(),
            "issuer_pack_malformed",
        ),
        undetermined(
            "signed-by-another-key",
            vouched(Vouchers::all().signed_by("thief")),
            "issuer_pack_log_signature",
        ),
        undetermined(
            "a-false-cosignature",
            vouched(Vouchers::all().spoiled("w3")),
            "issuer_pack_cosignature_invalid",
        ),
        undetermined(
            "one-witness",
            vouched(Vouchers::of(&["w2"], &["a1"])),
            "issuer_pack_witness_quorum",
        ),
        undetermined(
            "no-auditor",
            vouched(Vouchers::of(&["w1", "w2"], &[])),
            "issuer_pack_auditor_quorum",
        ),
    ];

    let mut foreign = founded(FOREIGN_ORIGIN);
    foreign.close();
    foreign.close();
    let code = "issuer_pack_log_unknown";
    cases.push(undetermined(
        "pack-of-an-unknown-log",
        whole(&foreign).bytes(),
        code,
    ));
    let mut other = founded(OTHER_ORIGIN);
    other.close();
    other.close();
    let code = "issuer_pack_origin_mismatch";
    cases.push(undetermined(
        "pack-of-another-log",
        whole(&other).bytes(),
        code,
    ));

    let mut stale = whole(&world);
    stale.head.proof = later.log_proof(stale.head.epoch.index);
    let code = "issuer_pack_epoch_not_last";
    cases.push(undetermined("map-of-an-earlier-epoch", stale.bytes(), code));
    let mut forged = good.clone();
    forged.head.epoch.time = UnixMillis(forged.head.epoch.time.0 + 1);
    let code = "issuer_pack_epoch_not_in_log";
    cases.push(undetermined("epoch-changed", forged.bytes(), code));

    let (founded_only, _) = honest();
    let code = "issuer_pack_too_old";
    cases.push(undetermined(
        "pack-from-before-the-licence",
        whole(&founded_only).bytes(),
        code,
    ));
    let epoch = later.epochs.last().unwrap().time.0;
    let aged = |name: &str, at: u64| {
        Case::valid(name, file.clone())
            .with_pack(good.bytes())
            .at(&UnixMillis(at).to_string())
            .max_age(365 * DAY)
    };
    cases.push(aged("pack-as-old-as-allowed", epoch + 30 * DAY));
    let mut late = aged("pack-too-old", epoch + 30 * DAY + 1);
    late.verdict = "undetermined".to_owned();
    late.reasons = vec![code.to_owned()];
    cases.push(late);

    let without_unit = later.pack(&[unit(2)], &[food()]).bytes();
    cases.push(undetermined(
        "pack-without-the-unit",
        without_unit,
        "issuer_missing",
    ));
    let without_type = later.pack(&[unit(1)], &[transport()]).bytes();
    cases.push(undetermined(
        "pack-without-the-type",
        without_type,
        "type_missing",
    ));
    let mut planted = world.clone();
    authority::plant(&mut planted, "thief");
    planted.close();
    cases.push(
        Case::invalid(
            "pack-with-a-key-that-nobody-granted",
            file.clone(),
            "grant_invalid",
        )
        .with_pack(whole(&planted).bytes()),
    );
    let mut stolen = world;
    compromise(&mut stolen, LeafIndex(1));
    let name = "pack-that-knows-of-a-compromise";
    cases.push(
        Case::new(name, file, "not_usable", &["key_compromised"]).with_pack(whole(&stolen).bytes()),
    );
    // A dossier's own authorities count, whatever pack is given.
    let (world, _, paper, credential) = issued();
    let own = world.dossier(&paper, &credential).bytes();
    cases.push(Case::valid("authorities-of-its-own", own).with_pack(b"{}".to_vec()));
    cases
}

fn alone() -> Vec<Case> {
    let (world, _, _, _) = issued();
    let good = whole(&world);
    let text = String::from_utf8(good.bytes()).unwrap();
    let mut cases = vec![
        Case::valid("whole", good.bytes()),
        Case::invalid(
            "cut-off",
            text.as_bytes()[..text.len() - 1].to_vec(),
            "malformed",
        ),
        Case::invalid(
            "with-a-record",
            text.replacen("\"head\"", "\"heap\"", 1).into_bytes(),
            "malformed",
        ),
    ];
    let mut foreign = founded(FOREIGN_ORIGIN);
    foreign.close();
    cases.push(Case::undetermined(
        "unknown-log",
        whole(&foreign).bytes(),
        "log_unknown",
    ));
    let mut swapped = good.clone();
    let other = swapped.authorities.issuers[1].placed.path.clone();
    swapped.authorities.issuers[0].placed.path = other;
    cases.push(Case::invalid(
        "path-of-another-unit",
        swapped.bytes(),
        "issuer_not_in_map",
    ));
    let mut typed = good.clone();
    typed.authorities.licence_types[2].record.digest = hash("another catalogue");
    cases.push(Case::invalid(
        "type-changed",
        typed.bytes(),
        "type_not_in_map",
    ));
    let mut second = world.clone();
    authority::plant(&mut second, "thief");
    second.close();
    cases.push(Case::invalid(
        "key-that-nobody-granted",
        whole(&second).bytes(),
        "grant_invalid",
    ));
    let mut genesis = good;
    genesis.authorities.registry.genesis.key_delay += 1;
    cases.push(Case::invalid(
        "genesis-changed",
        genesis.bytes(),
        "genesis_mismatch",
    ));
    cases
}
