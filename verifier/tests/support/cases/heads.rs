//! Refusals of steps 3 to 6 and 8: log, record, place, signatures, times.

use zhao_spec::life::data::TypeRef;
use zhao_spec::life::record::Record;
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::life::verb::Verb;

use super::super::credential::Paper;
use super::super::vectors::{Case, Vector};
use super::super::vouch::Vouchers;
use super::super::world::World;
use super::super::{FOREIGN_ORIGIN, OTHER_ORIGIN, key, transport, unit};
use super::{founded, honest, issued};

pub fn vectors() -> Vec<Vector> {
    let (_, trusting) = honest();
    let vector =
        |path: &str, description: &str, cases| Vector::new(path, description, &trusting, cases);
    vec![
        vector("verify/log", "Step 3: the log.", log()),
        vector(
            "verify/record",
            "Step 4: a record of something else.",
            record(),
        ),
        vector("verify/place", "Step 5: the record's place.", place()),
        vector(
            "verify/signatures",
            "Step 6: log, witnesses, auditors.",
            signatures(),
        ),
        vector("verify/times", "Step 8: the head's time.", times()),
    ]
}

fn log() -> Vec<Case> {
    let mut foreign = founded(FOREIGN_ORIGIN);
    let mut paper = Paper::food(1);
    paper.origin = FOREIGN_ORIGIN.to_owned();
    let credential = foreign.issue(&paper);
    foreign.close();
    let unknown = foreign.dossier(&paper, &credential).bytes();

    // The operator of one log takes a credential of another into his own, whole.
    let (_, _, paper, credential) = issued();
    let mut other = founded(OTHER_ORIGIN);
    let mut twin = Paper::food(1);
    twin.origin = OTHER_ORIGIN.to_owned();
    other.issue(&twin);
    let Some(Record::Licence(record)) = other.records.get(&other.licence_key(&twin)) else {
        panic!("a licence")
    };
    let mut record = record.clone();
    record.vc = credential.digest();
    record.issuer = subject_key(&paper.origin, Kind::Issuer, paper.unit.as_str());
    record.enterprise = Some(subject_key(
        &paper.origin,
        Kind::Enterprise,
        &paper.holder_code,
    ));
    let subject = subject_key(&paper.origin, Kind::Licence, &paper.id());
    other.write(subject, Record::Licence(record));
    other.close();
    let mut carried = other.dossier(&twin, &credential);
    carried.placed = other.placed(&subject);
    vec![
        Case::undetermined("log-that-no-policy-knows", unknown, "log_unknown"),
        Case::invalid(
            "carried-into-another-log",
            carried.bytes(),
            "origin_mismatch",
        ),
    ]
}

fn record() -> Vec<Case> {
    let case = |name: &str, reason: &str, change: &dyn Fn(&mut World, &Paper)| {
        let (mut world, _, paper, credential) = issued();
        change(&mut world, &paper);
        world.close();
        Case::invalid(name, world.dossier(&paper, &credential).bytes(), reason)
    };
    let mut cases = vec![
        case(
            "digest-of-another-credential",
            "record_digest",
            &|world, paper| {
                world.forge(paper, |record| record.vc.0[0] ^= 1);
            },
        ),
        case("another-unit", "record_issuer", &|world, paper| {
            let other = world.subject(Kind::Issuer, unit(2).as_str());
            world.forge(paper, |record| record.issuer = other);
        }),
        case("another-key", "record_issued_by", &|world, paper| {
            let other = key("unit 2 key 1").public().thumbprint();
            world.forge(paper, |record| record.issued_by = other);
        }),
        case("another-type", "record_type", &|world, paper| {
            let other = transport().as_str().to_owned();
            world.forge(paper, |record| record.type_ref = TypeRef::Code(other));
        }),
        case(
            "commitment-without-a-salt",
            "record_type",
            &|world, paper| {
                let other = super::super::hash("commitment");
                world.forge(paper, |record| record.type_ref = TypeRef::Commitment(other));
            },
        ),
    ];
    let birth = |name: &str, change: &dyn Fn(&mut World, &Paper)| {
        let (mut world, _) = honest();
        let paper = Paper::birth(3);
        let credential = world.issue(&paper);
        change(&mut world, &paper);
        world.close();
        Case::invalid(
            name,
            world.dossier(&paper, &credential).bytes(),
            "record_type",
        )
    };
    cases.push(birth("commitment-of-another-type", &|world, paper| {
        let salt = paper.salt.unwrap();
        let code = transport();
        let other = zhao_spec::credential::type_commitment(&salt, code.as_str());
        world.forge(paper, |record| record.type_ref = TypeRef::Commitment(other));
    }));
    cases.push(birth("in-clear-with-a-salt", &|world, paper| {
        let code = paper.licence_type.as_str().to_owned();
        world.forge(paper, |record| record.type_ref = TypeRef::Code(code));
    }));
    cases
}

fn place() -> Vec<Case> {
    let mut cases = Vec::new();
    let (mut world, _, paper, credential) = issued();
    let before = world.dossier(&paper, &credential);
    world.plain(&paper, Verb::Revoke);
    world.close();
    let revoked = world.dossier(&paper, &credential);

    let mut stale_record = revoked.clone();
    stale_record.placed.record = before.placed.record.clone();
    let name = "record-from-before-it-was-revoked";
    cases.push(Case::invalid(
        name,
        stale_record.bytes(),
        "record_not_in_map",
    ));
    let mut stale = revoked.clone();
    stale.placed = before.placed.clone();
    let name = "record-and-path-from-before-it-was-revoked";
    cases.push(Case::invalid(name, stale.bytes(), "record_not_in_map"));
    let mut short = before.clone();
    short.placed.path.depths.pop();
    short.placed.path.hashes.pop();
    cases.push(Case::invalid(
        "path-cut-short",
        short.bytes(),
        "record_not_in_map",
    ));
    let mut uneven = before.clone();
    uneven.placed.path.hashes.pop();
    cases.push(Case::invalid(
        "path-with-a-hash-too-few",
        uneven.bytes(),
        "record_not_in_map",
    ));
    let mut swapped = before.clone();
    swapped.placed.path.depths.swap(0, 1);
    cases.push(Case::invalid(
        "path-out-of-order",
        swapped.bytes(),
        "record_not_in_map",
    ));
    let other = {
        let (mut world, _) = honest();
        world.issue(&paper);
        let second = Paper::food(2);
        let second_credential = world.issue(&second);
        world.close();
        let mut dossier = world.dossier(&paper, &paper.sign());
        dossier.placed.path = world.dossier(&second, &second_credential).placed.path;
        dossier
    };
    cases.push(Case::invalid(
        "path-of-another-licence",
        other.bytes(),
        "record_not_in_map",
    ));

    // A stale map with a fresh checkpoint: everything of the old epoch proved in the new tree.
    let old_epoch = before.head.epoch.clone();
    let mut pasted = before.clone();
    pasted.head.proof = world.log_proof(old_epoch.index);
    cases.push(Case::invalid(
        "map-of-an-earlier-epoch",
        pasted.bytes(),
        "epoch_not_last",
    ));
    let mut relabelled = before.clone();
    relabelled.head = revoked.head.clone();
    relabelled.head.epoch = old_epoch;
    let name = "earlier-epoch-with-the-proof-of-the-latest";
    cases.push(Case::invalid(name, relabelled.bytes(), "epoch_not_last"));

    // The operator shows a map that he never logged.
    let mut forged = world.clone();
    forged.forge(&paper, |record| {
        record.state = zhao_spec::life::record::State::Active;
    });
    let mut unlogged = forged.dossier(&paper, &credential);
    unlogged.head.epoch.map_root = forged.map.root();
    cases.push(Case::invalid(
        "map-root-that-is-not-logged",
        unlogged.bytes(),
        "epoch_not_in_log",
    ));
    let mut later = before;
    later.head.epoch.time = zhao_spec::wire::UnixMillis(later.head.epoch.time.0 + 1);
    cases.push(Case::invalid(
        "epoch-time-changed",
        later.bytes(),
        "epoch_not_in_log",
    ));
    cases
}

/// One licence under a checkpoint signed by these.
fn vouched(vouchers: Vouchers) -> Vec<u8> {
    let (mut world, _, paper, credential) = issued();
    world.vouchers = vouchers;
    world.dossier(&paper, &credential).bytes()
}

fn signatures() -> Vec<Case> {
    let all = Vouchers::all;
    let mut unsigned = all();
    unsigned.log.clear();
    let mut false_log = Vec::new();
    {
        let (world, _, paper, credential) = issued();
        let mut dossier = world.dossier(&paper, &credential);
        let text = dossier.head.proof.text();
        // The log's line is the first; its last character carries signature bits only.
        let line = text
            .lines()
            .find(|line| line.starts_with("\u{2014} zhao.example"))
            .unwrap();
        let at = line.len() - 4;
        let letter = if &line[at..=at] == "A" { "B" } else { "A" };
        let changed = format!("{}{letter}{}", &line[..at], &line[at + 1..]);
        let text = text.replacen(line, &changed, 1);
        dossier.head.proof = zhao_spec::file::LogProof::parse(&text).unwrap();
        false_log.extend(dossier.bytes());
    }
    vec![
        Case::valid(
            "two-witnesses-and-one-auditor",
            vouched(Vouchers::of(&["w1", "w3"], &["a2"])),
        ),
        Case::valid(
            "lines-by-parties-that-nobody-knows",
            vouched(Vouchers::of(&["w1", "w2", "stranger"], &["a1", "other"])),
        ),
        Case::invalid(
            "signed-by-another-key",
            vouched(all().signed_by("thief")),
            "log_signature",
        ),
        Case::invalid("not-signed-by-the-log", vouched(unsigned), "log_signature"),
        Case::invalid("log-signature-false", false_log, "log_signature"),
        Case::invalid(
            "spare-witness-false",
            vouched(all().spoiled("w3")),
            "cosignature_invalid",
        ),
        Case::invalid(
            "spare-auditor-false",
            vouched(all().spoiled("a2")),
            "cosignature_invalid",
        ),
        Case::undetermined(
            "one-witness",
            vouched(Vouchers::of(&["w1"], &["a1"])),
            "witness_quorum",
        ),
        Case::undetermined(
            "one-witness-twice",
            vouched(Vouchers::of(&["w1", "w1"], &["a1"]).delayed(&[2, 3])),
            "witness_quorum",
        ),
        Case::undetermined(
            "an-auditor-is-no-witness",
            vouched(Vouchers::of(&["w1", "a1"], &["a2"])),
            "witness_quorum",
        ),
        Case::undetermined(
            "no-auditor",
            vouched(Vouchers::of(&["w1", "w2"], &[])),
            "auditor_quorum",
        ),
        Case::undetermined(
            "a-witness-is-no-auditor",
            vouched(Vouchers::of(&["w1", "w2"], &["w3"])),
            "auditor_quorum",
        ),
        Case::undetermined(
            "nobody-but-the-log",
            vouched(Vouchers::of(&[], &[])),
            "witness_quorum",
        ),
    ]
}

fn times() -> Vec<Case> {
    let delayed = |seconds: &[i64]| vouched(Vouchers::all().delayed(seconds));
    let implausible = "epoch_time_implausible";
    vec![
        Case::valid("quorum-as-late-as-max-lag", delayed(&[600, 600, 600])),
        Case::undetermined(
            "quorum-later-than-max-lag",
            delayed(&[601, 601, 601]),
            implausible,
        ),
        Case::valid("quorum-as-early-as-skew", delayed(&[-120, -120, -120])),
        Case::undetermined(
            "quorum-earlier-than-skew",
            delayed(&[-121, -121, -121]),
            implausible,
        ),
        Case::valid("one-witness-late", delayed(&[2, 2, 9_000])),
        Case::undetermined("majority-late", delayed(&[2, 601, 9_000]), implausible),
        Case::valid("one-witness-early", delayed(&[-9_000, 2, 2])),
        Case::undetermined("majority-early", delayed(&[-9_000, -9_000, 2]), implausible),
    ]
}
