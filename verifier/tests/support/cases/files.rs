//! Receipts, histories and answers.

use std::collections::BTreeMap;

use zhao_spec::file::{EmbeddedCredential, History};
use zhao_spec::life::data::Relation;
use zhao_spec::life::record::{Record, next_enterprise};
use zhao_spec::life::subject::Kind;
use zhao_spec::life::verb::Verb;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::{Hash, UnixMillis};

use super::super::credential::Paper;
use super::super::vectors::{Case, Vector};
use super::super::vouch::Vouchers;
use super::super::world::{ADMINS, World};
use super::super::{FOREIGN_ORIGIN, OTHER_ORIGIN, company, food, unit};
use super::usable::{change_administrators, renew};
use super::{founded, honest, issued};

pub fn vectors() -> Vec<Vector> {
    let (_, trusting) = honest();
    vec![
        Vector::new("receipt/receipt", "Receipts.", &trusting, receipts()),
        Vector::new("history/history", "Histories.", &trusting, histories()),
        Vector::new(
            "answer/answer",
            "Answers about one enterprise.",
            &trusting,
            answers(),
        ),
    ]
}

fn receipts() -> Vec<Case> {
    let (mut world, _, paper, _) = issued();
    let index = world.plain(&paper, Verb::Withhold);
    let second = world.plain(&paper, Verb::MarkObjection);
    world.close();
    let good = world.receipt(index);
    let mut cases = vec![
        Case::valid("an-event-and-its-epoch", good.bytes()),
        Case::valid("long-after", good.bytes()).at("2030-01-01T00:00:00.000Z"),
    ];
    let text = String::from_utf8(good.bytes()).unwrap();
    let other = format!("\"index\":{},\"proof\"", index.0 + 1);
    let text = text.replacen(&format!("\"index\":{},\"proof\"", index.0), &other, 1);
    cases.push(Case::invalid(
        "index-not-the-proofs",
        text.into_bytes(),
        "malformed",
    ));

    let mut foreign = founded(FOREIGN_ORIGIN);
    let mut twin = paper.clone();
    twin.origin = FOREIGN_ORIGIN.to_owned();
    foreign.issue(&twin);
    let index_there = foreign.plain(&twin, Verb::Withhold);
    foreign.close();
    let unknown = foreign.receipt(index_there).bytes();
    cases.push(Case::undetermined("unknown-log", unknown, "log_unknown"));

    let mut carried = founded(OTHER_ORIGIN);
    let index_there = carried.log(good.event.clone(), Vec::new());
    carried.close();
    let name = "event-of-another-log";
    cases.push(Case::invalid(
        name,
        carried.receipt(index_there).bytes(),
        "origin_mismatch",
    ));

    let mut swapped = good.clone();
    swapped.event = world.receipt(second).event;
    cases.push(Case::invalid(
        "another-event",
        swapped.bytes(),
        "event_not_in_log",
    ));
    let mut changed = good.clone();
    changed.event.effective = UnixMillis(changed.event.effective.0 + 1);
    cases.push(Case::invalid(
        "event-changed",
        changed.bytes(),
        "event_not_in_log",
    ));

    let mut later = world.clone();
    later.close();
    let mut stale = good.clone();
    stale.head.proof = later.log_proof(good.head.epoch.index);
    stale.proof = later.log_proof(index);
    cases.push(Case::invalid(
        "epoch-of-an-earlier-head",
        stale.bytes(),
        "epoch_not_last",
    ));
    let mut two = good.clone();
    two.head = later.head();
    cases.push(Case::invalid(
        "two-checkpoints",
        two.bytes(),
        "receipt_heads_differ",
    ));
    let mut fewer = world.clone();
    fewer.vouchers = Vouchers::of(&["w1", "w2"], &["a1"]);
    let mut cosigned = good.clone();
    cosigned.proof = fewer.log_proof(index);
    let name = "the-same-checkpoint-with-other-cosignatures";
    cases.push(Case::invalid(
        name,
        cosigned.bytes(),
        "receipt_heads_differ",
    ));
    fewer.vouchers = Vouchers::of(&["w1"], &["a1"]);
    cases.push(Case::undetermined(
        "one-witness",
        fewer.receipt(index).bytes(),
        "witness_quorum",
    ));

    // The log takes an event that nobody signed.
    let mut false_event = world.clone();
    let mut event = world.draft(world.licence_key(&paper), good.event.action.clone(), ADMINS);
    event.signatures[0].signature = event.signatures[1].signature;
    let index = false_event.log(event, Vec::new());
    false_event.close();
    let receipt = false_event.receipt(index).bytes();
    cases.push(Case::invalid(
        "event-signature-false",
        receipt,
        "event_signature",
    ));
    cases
}

fn histories() -> Vec<Case> {
    let (mut world, _, paper, _) = issued();
    world.plain(&paper, Verb::Withhold);
    world.close();
    world.plain(&paper, Verb::LiftWithholding);
    world.plain(&paper, Verb::MarkObjection);
    world.close();
    let subject = world.licence_key(&paper);
    let good = world.history(&subject);
    let invalid =
        |name: &str, history: &History, reason: &str| Case::invalid(name, history.bytes(), reason);
    let gap = "history_incomplete";
    let mut cases = vec![Case::valid("of-a-licence", good.bytes())];
    let unit_subject = world.subject(Kind::Issuer, unit(1).as_str());
    cases.push(Case::valid(
        "of-a-unit",
        world.history(&unit_subject).bytes(),
    ));
    let type_subject = world.subject(Kind::LicenceType, food().as_str());
    cases.push(Case::valid(
        "of-a-type",
        world.history(&type_subject).bytes(),
    ));
    let registry = world.subject(Kind::Registry, &world.origin);
    cases.push(Case::valid(
        "of-a-registry-without-events",
        world.history(&registry).bytes(),
    ));
    let mut changed = world.clone();
    change_administrators(&mut changed);
    cases.push(Case::valid(
        "of-a-registry",
        changed.history(&registry).bytes(),
    ));
    let mut renewed = world.clone();
    let (_, _) = renew(&mut renewed, &paper, 9, Relation::Amended);
    cases.push(Case::valid(
        "of-a-superseded-licence",
        renewed.history(&subject).bytes(),
    ));
    let mut without = renewed.history(&subject);
    without.entries.pop();
    cases.push(invalid(
        "end-left-out-of-a-superseded-licence",
        &without,
        gap,
    ));

    for (name, at) in [
        ("first-left-out", 0),
        ("one-left-out", 1),
        ("last-left-out", 3),
    ] {
        let mut short = good.clone();
        short.entries.remove(at);
        cases.push(invalid(name, &short, gap));
    }
    let mut empty = good.clone();
    empty.entries.clear();
    cases.push(invalid("all-left-out", &empty, gap));
    let mut swapped = good.clone();
    swapped.entries.swap(1, 2);
    cases.push(invalid("two-exchanged", &swapped, gap));
    let mut twice = good.clone();
    twice.entries.push(good.entries[3].clone());
    cases.push(invalid("last-twice", &twice, gap));
    let mut mixed = good.clone();
    mixed.entries[2] = world.history(&unit_subject).entries[0].clone();
    cases.push(invalid("an-event-of-another-subject", &mixed, gap));
    let enterprise = world.subject(Kind::Enterprise, company(1).as_str());
    cases.push(invalid(
        "of-a-subject-without-a-chain",
        &world.history(&enterprise),
        gap,
    ));

    let mut forged = good.clone();
    forged.entries[1].event.effective = UnixMillis(forged.entries[1].event.effective.0 + 1);
    cases.push(invalid("event-changed", &forged, "event_not_in_log"));
    let mut moved = good.clone();
    moved.entries[1].index = LeafIndex(moved.entries[1].index.0 + 1);
    cases.push(invalid(
        "event-at-another-index",
        &moved,
        "event_not_in_log",
    ));
    let mut late = good.clone();
    let last = late.entries[3].clone();
    late.entries[1].epoch = last.epoch;
    late.entries[1].epoch_path = last.epoch_path;
    let after = |name: &str, file| invalid(name, file, "epoch_not_in_log").witnessed();
    cases.push(after("a-later-epoch-for-the-first", &late));
    let mut early = good.clone();
    let first = early.entries[0].clone();
    early.entries[1].epoch = first.epoch;
    early.entries[1].epoch_path = first.epoch_path;
    cases.push(after("an-earlier-epoch", &early));
    let mut timed = good.clone();
    timed.entries[1].epoch.time = UnixMillis(timed.entries[1].epoch.time.0 - 1);
    cases.push(after("epoch-time-changed", &timed));
    let mut record = good.clone();
    if let Record::Licence(licence) = &mut record.placed.record {
        licence.objections.clear();
    }
    cases.push(invalid("record-changed", &record, "record_not_in_map"));
    let mut other = good.clone();
    other.subject = unit_subject;
    cases.push(invalid("another-subject", &other, "record_not_in_map"));
    cases.push(
        Case::undetermined("too-old", good.bytes(), "too_old").at("2027-12-02T00:00:00.000Z"),
    );
    cases
}

/// A log in which company 1 has three open licences.
fn market() -> (World, BTreeMap<Hash, EmbeddedCredential>) {
    let (mut world, _) = honest();
    let mut credentials = BTreeMap::new();
    for number in 1..=3 {
        let paper = Paper::food(number);
        let credential = world.issue(&paper);
        credentials.insert(world.licence_key(&paper), credential);
    }
    let mut paper = Paper::food(4);
    paper.holder_code = company(2).as_str().to_owned();
    world.issue(&paper);
    world.close();
    world.plain(&Paper::food(2), Verb::Revoke);
    world.close();
    (world, credentials)
}

fn answers() -> Vec<Case> {
    let (world, credentials) = market();
    let units = [unit(1)];
    let types = [food()];
    let answer =
        |world: &World, number| world.answer(&company(number), &credentials, &units, &types);
    let good = answer(&world, 1);
    let incomplete = "answer_incomplete";
    let mut cases = vec![
        Case::valid("three-licences-one-revoked", good.bytes()),
        Case::valid("none", answer(&world, 3).bytes()),
    ];
    let mut withheld = good.clone();
    withheld.items[1].credential = None;
    cases.push(Case::valid("one-without-its-credential", withheld.bytes()));
    let mut exchanged = good.clone();
    exchanged.items[0].credential = good.items[1].credential.clone();
    cases.push(Case::valid(
        "an-item-that-is-invalid-by-itself",
        exchanged.bytes(),
    ));

    for (name, at) in [
        ("first-left-out", 0),
        ("revoked-left-out", 1),
        ("last-left-out", 2),
    ] {
        let mut short = good.clone();
        short.items.remove(at);
        cases.push(Case::invalid(name, short.bytes(), incomplete));
    }
    let mut empty = good.clone();
    empty.items.clear();
    cases.push(Case::invalid("all-left-out", empty.bytes(), incomplete));
    let mut swapped = good.clone();
    swapped.items.swap(0, 1);
    cases.push(Case::invalid("two-exchanged", swapped.bytes(), incomplete));
    let mut more = good.clone();
    more.items.push(answer(&world, 2).items[0].clone());
    cases.push(Case::invalid(
        "a-licence-of-another-enterprise",
        more.bytes(),
        incomplete,
    ));
    let mut none = answer(&world, 3);
    none.items = good.items.clone();
    cases.push(Case::invalid(
        "items-of-an-enterprise-without-any",
        none.bytes(),
        incomplete,
    ));

    let missing = "enterprise_not_in_map";
    let mut hidden = good.clone();
    hidden.enterprise.record = None;
    hidden.items.clear();
    cases.push(Case::invalid("said-to-have-none", hidden.bytes(), missing));
    let mut other = good.clone();
    other.enterprise = answer(&world, 2).enterprise;
    cases.push(Case::invalid(
        "record-of-another-enterprise",
        other.bytes(),
        missing,
    ));
    let mut absent = answer(&world, 3);
    absent.uscc = company(1);
    cases.push(Case::invalid(
        "absence-of-another-enterprise",
        absent.bytes(),
        missing,
    ));
    let mut fewer = good.clone();
    fewer.items.remove(2);
    let chain = fewer
        .items
        .iter()
        .fold(Hash([0; 32]), |c, item| next_enterprise(&c, &item.subject));
    let record = fewer.enterprise.record.as_mut().unwrap();
    record.count = 2;
    record.chain = chain;
    cases.push(Case::invalid("record-made-to-fit", fewer.bytes(), missing));

    let mut restored = good.clone();
    restored.items[1].placed.record.state = zhao_spec::life::record::State::Active;
    cases.push(Case::invalid(
        "revoked-shown-as-active",
        restored.bytes(),
        "item_not_in_map",
    ));
    let mut paths = good.clone();
    let path = paths.items[0].placed.path.clone();
    paths.items[2].placed.path = path;
    cases.push(Case::invalid(
        "path-of-another-item",
        paths.bytes(),
        "item_not_in_map",
    ));

    let mut small = world.clone();
    small.vouchers = Vouchers::of(&["w1"], &["a1"]);
    cases.push(Case::undetermined(
        "one-witness",
        answer(&small, 1).bytes(),
        "witness_quorum",
    ));
    let mut genesis = good.clone();
    genesis.authorities.registry.genesis.key_delay += 1;
    cases.push(Case::invalid(
        "genesis-changed",
        genesis.bytes(),
        "genesis_mismatch",
    ));
    cases.push(
        Case::undetermined("too-old", good.bytes(), "too_old").at("2027-12-02T00:00:00.000Z"),
    );
    let text = String::from_utf8(good.bytes()).unwrap();
    let text = text.replacen(company(1).as_str(), "913204000000000000", usize::MAX);
    cases.push(Case::invalid(
        "code-with-wrong-check-digits",
        text.into_bytes(),
        "malformed",
    ));
    cases
}
