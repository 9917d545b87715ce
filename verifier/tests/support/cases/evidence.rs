//! Evidence that holds, and evidence that does not.

use std::collections::BTreeSet;

use zhao_spec::file::{
    Batch, Evidence, Handed, HiddenEvent, NotIncluded, RawLeaf, SubjectPlace, TwoHeads,
};
use zhao_spec::life::data::{Action, Note};
use zhao_spec::life::event::Event;
use zhao_spec::life::leaf::{Epoch, Leaf};
use zhao_spec::life::record::Record;
use zhao_spec::life::subject::Kind;
use zhao_spec::life::verb::Verb;
use zhao_spec::log::note::SignedNote;
use zhao_spec::log::tree::{LeafIndex, TreeSize};
use zhao_spec::wire::{Hash, UnixMillis};

use super::super::credential::Paper;
use super::super::vectors::{Case, Vector};
use super::super::vouch::Vouchers;
use super::super::world::{ADMINS, By, World};
use super::super::{FOREIGN_ORIGIN, HOUR, hash, key, transport, unit};
use super::{founded, honest, issued};

const FAILS: &str = "evidence_does_not_hold";

pub fn vectors() -> Vec<Vector> {
    let (_, trusting) = honest();
    let mut cases = two_heads();
    cases.extend(hidden());
    cases.extend(inadmissible());
    cases.extend(transition());
    cases.extend(not_included());
    vec![Vector::new(
        "evidence/evidence",
        "Evidence against an operator.",
        &trusting,
        cases,
    )]
}

fn holds(name: &str, evidence: &Evidence) -> Case {
    Case::valid(name, evidence.bytes())
}

fn fails(name: &str, evidence: &Evidence) -> Case {
    Case::invalid(name, evidence.bytes(), FAILS)
}

fn note(world: &World, size: TreeSize) -> SignedNote {
    let time = world.epochs.last().unwrap().time;
    Vouchers::of(&[], &[]).sign(&world.checkpoint(size), time)
}

/// One log that forked: two continuations of the same beginning.
fn forked() -> (World, World) {
    let (world, _, paper, _) = issued();
    let (mut left, mut right) = (world.clone(), world);
    left.plain(&paper, Verb::Withhold);
    left.close();
    right.close();
    right.plain(&paper, Verb::Mortgage);
    right.close();
    (left, right)
}

fn two_heads() -> Vec<Case> {
    let (left, right) = forked();
    let (small, large) = (left.tree.size(), right.tree.size());
    assert!(small < large);
    let heads = |first: SignedNote, second: SignedNote, at: TreeSize, grown: &World| {
        let size = grown.tree.size();
        TwoHeads {
            consistency: grown.tree.prove_consistency(at, size).unwrap(),
            first,
            root: grown.tree.root_at(at).unwrap(),
            second,
        }
    };
    let fork = heads(note(&left, small), note(&right, large), small, &right);
    let mut cases = vec![holds("forked", &Evidence::TwoHeads(fork.clone()))];
    let same = {
        let mut same = left.clone();
        same.close();
        let mut other = left.clone();
        other.now = UnixMillis(other.now.0 + 1);
        other.close();
        let size = same.tree.size();
        let (first, second) = (note(&same, size), note(&other, size));
        TwoHeads {
            consistency: Vec::new(),
            first,
            root: other.tree.root(),
            second,
        }
    };
    cases.push(holds("two-roots-of-one-size", &Evidence::TwoHeads(same)));
    let honest = {
        let mut grown = left.clone();
        grown.close();
        let size = grown.tree.size();
        heads(note(&left, small), note(&grown, size), small, &grown)
    };
    cases.push(fails("a-log-that-grew", &Evidence::TwoHeads(honest)));
    let reversed = TwoHeads {
        first: fork.second.clone(),
        second: fork.first.clone(),
        ..fork.clone()
    };
    cases.push(fails("larger-one-first", &Evidence::TwoHeads(reversed)));
    let mut invented = fork.clone();
    invented.root = hash("invented");
    cases.push(fails(
        "root-that-is-not-proved",
        &Evidence::TwoHeads(invented),
    ));
    let mut forged = fork.clone();
    let time = left.epochs.last().unwrap().time;
    forged.first = Vouchers::of(&[], &[])
        .signed_by("thief")
        .sign(&left.checkpoint(small), time);
    cases.push(fails(
        "first-not-signed-by-the-log",
        &Evidence::TwoHeads(forged),
    ));
    let mut forged = fork.clone();
    forged.second = Vouchers::of(&[], &[])
        .signed_by("thief")
        .sign(&right.checkpoint(large), time);
    cases.push(fails(
        "second-not-signed-by-the-log",
        &Evidence::TwoHeads(forged),
    ));
    let mut foreign = founded(FOREIGN_ORIGIN);
    foreign.close();
    let size = foreign.tree.size();
    let other = TwoHeads {
        first: note(&foreign, size),
        ..fork
    };
    let bytes = Evidence::TwoHeads(other).bytes();
    cases.push(Case::undetermined(
        "log-that-no-policy-knows",
        bytes,
        "log_unknown",
    ));
    cases
}

fn hidden() -> Vec<Case> {
    let (mut world, _, paper, _) = issued();
    let subject = world.licence_key(&paper);
    let before = world.records[&subject].clone();
    let index = world.plain(&paper, Verb::Withhold);
    world.close();
    let receipt = world.receipt(index);
    let shown = |world: &World| {
        let (_, path) = world.map.prove(&subject);
        HiddenEvent {
            head: world.head(),
            path,
            receipt: receipt.clone(),
            record: world.records.get(&subject).cloned(),
        }
    };
    // The next epoch goes back to the record from before the event.
    let mut cheat = world.clone();
    cheat.write(subject, before.clone());
    cheat.close();
    let good = shown(&cheat);
    let mut cases = vec![holds(
        "event-hidden-again",
        &Evidence::HiddenEvent(good.clone()),
    )];
    let mut erased = world.clone();
    erased.map = zhao_spec::map::MemoryMap::new();
    let rest: Vec<_> = erased
        .records
        .iter()
        .filter(|(key, _)| **key != subject)
        .collect();
    let rest: Vec<_> = rest
        .into_iter()
        .map(|(key, record)| (*key, record.clone()))
        .collect();
    erased.records.clear();
    for (key, record) in rest {
        erased.write(key, record);
    }
    erased.close();
    cases.push(holds(
        "subject-erased",
        &Evidence::HiddenEvent(shown(&erased)),
    ));
    let mut honest = world.clone();
    honest.close();
    cases.push(fails("event-shown", &Evidence::HiddenEvent(shown(&honest))));
    let (earlier, _, _, _) = issued();
    cases.push(fails(
        "head-from-before-the-receipt",
        &Evidence::HiddenEvent(shown(&earlier)),
    ));
    let mut record = good.clone();
    if let Some(Record::Licence(licence)) = &mut record.record {
        licence.seq = 0;
        licence.mortgages.push(LeafIndex(1));
    }
    cases.push(fails(
        "record-not-in-the-map",
        &Evidence::HiddenEvent(record),
    ));
    let mut absent = shown(&honest);
    absent.record = None;
    cases.push(fails("absence-not-proved", &Evidence::HiddenEvent(absent)));
    let mut unsigned = good.clone();
    let mut thief = cheat;
    thief.vouchers = Vouchers::all().signed_by("thief");
    unsigned.head = thief.head();
    cases.push(fails(
        "head-not-signed-by-the-log",
        &Evidence::HiddenEvent(unsigned),
    ));
    let mut forged = good.clone();
    let mut own = world.clone();
    own.vouchers = Vouchers::all().signed_by("thief");
    forged.receipt = own.receipt(index);
    cases.push(fails(
        "receipt-not-signed-by-the-log",
        &Evidence::HiddenEvent(forged),
    ));
    let mut other = good;
    other.receipt.event.seq = 9;
    cases.push(fails("event-not-receipted", &Evidence::HiddenEvent(other)));
    cases
}

/// The batch between the two latest epochs, with what its events read and write.
fn batch(world: &World, before: &World, subjects: &BTreeSet<Hash>) -> Batch {
    let size = world.tree.size();
    let raw = |index: LeafIndex| RawLeaf {
        index,
        leaf: world.leaves[usize::try_from(index.0).unwrap()].clone(),
        path: world.tree.prove_inclusion(index, size).unwrap(),
    };
    let previous = before.epochs.last().unwrap().index;
    let closing = world.epoch_indexes[before.epochs.len()];
    Batch {
        entries: (previous.0 + 1..=closing.0)
            .map(|index| raw(LeafIndex(index)))
            .collect(),
        head: world.head(),
        previous: raw(previous),
        subjects: places(before, subjects),
    }
}

fn places(world: &World, subjects: &BTreeSet<Hash>) -> Vec<SubjectPlace> {
    let place = |subject: &Hash| SubjectPlace {
        path: world.map.prove(subject).1,
        record: world.records.get(subject).cloned(),
        subject: *subject,
    };
    subjects.iter().map(place).collect()
}

/// What an event of unit 1 about a food licence reads and writes.
fn needed(world: &World, paper: &Paper) -> BTreeSet<Hash> {
    [
        world.licence_key(paper),
        world.subject(Kind::Registry, &world.origin),
        world.subject(Kind::Issuer, paper.unit.as_str()),
        world.subject(Kind::LicenceType, paper.licence_type.as_str()),
        world.subject(Kind::Enterprise, &paper.holder_code),
    ]
    .into()
}

fn inadmissible() -> Vec<Case> {
    let mut cases = Vec::new();
    let (before, _, paper, _) = issued();
    let subject = before.licence_key(&paper);
    let subjects = needed(&before, &paper);
    let logged = |change: &dyn Fn(&mut World)| {
        let mut world = before.clone();
        change(&mut world);
        world.close();
        batch(&world, &before, &subjects)
    };
    let revoke =
        |by: By<'_>| before.draft(subject, Action::Plain(Verb::Revoke, Note::default()), by);
    let raw = |event: Event| {
        logged(&|world| {
            world.log(event.clone(), Vec::new());
        })
    };

    let stranger = raw(revoke(By::Unit(&unit(1), "thief")));
    let foreign = Evidence::InadmissibleLeaf(stranger.clone());
    cases.push(holds("event-by-a-key-of-nobody", &foreign));
    let mut unsigned = revoke(By::Unit(&unit(1), "unit 1 key 1"));
    unsigned.signatures[0].signature.0[0] ^= 1;
    cases.push(holds(
        "event-with-a-false-signature",
        &Evidence::InadmissibleLeaf(raw(unsigned)),
    ));
    let skipped = {
        let mut event = revoke(By::Unit(&unit(1), "unit 1 key 1"));
        event.seq += 1;
        event.signatures.clear();
        super::super::world::sign(&mut event, By::Unit(&unit(1), "unit 1 key 1"));
        event
    };
    cases.push(holds(
        "event-out-of-sequence",
        &Evidence::InadmissibleLeaf(raw(skipped)),
    ));
    let nonsense = logged(&|world| {
        world.push(b"not a leaf".to_vec());
    });
    cases.push(holds(
        "leaf-that-is-none",
        &Evidence::InadmissibleLeaf(nonsense),
    ));
    let genesis = logged(&|world| {
        world.push(world.genesis.bytes());
    });
    cases.push(holds(
        "second-genesis",
        &Evidence::InadmissibleLeaf(genesis),
    ));

    let honest = logged(&|world| {
        world.plain(&paper, Verb::Revoke);
    });
    cases.push(fails(
        "admissible-event",
        &Evidence::InadmissibleLeaf(honest.clone()),
    ));
    let heartbeat = logged(&|_| ());
    cases.push(fails(
        "nothing-but-an-epoch",
        &Evidence::InadmissibleLeaf(heartbeat),
    ));
    let mut blind = honest.clone();
    blind.subjects.retain(|place| place.subject != subject);
    cases.push(fails(
        "subject-not-shown",
        &Evidence::InadmissibleLeaf(blind),
    ));
    let mut forged = stranger.clone();
    forged.subjects[0].record = None;
    cases.push(fails(
        "subject-said-to-be-absent",
        &Evidence::InadmissibleLeaf(forged),
    ));
    let mut open = stranger.clone();
    open.entries.pop();
    cases.push(fails(
        "without-the-closing-epoch",
        &Evidence::InadmissibleLeaf(open),
    ));
    let mut gap = stranger.clone();
    gap.entries.remove(0);
    cases.push(fails("entry-left-out", &Evidence::InadmissibleLeaf(gap)));
    let mut invented = stranger.clone();
    invented.entries[0].leaf = b"never logged".to_vec();
    cases.push(fails(
        "entry-not-in-the-log",
        &Evidence::InadmissibleLeaf(invented),
    ));
    let mut unsigned = stranger.clone();
    let mut thief = before.clone();
    thief.vouchers = Vouchers::all().signed_by("thief");
    thief.log(revoke(By::Unit(&unit(1), "thief")), Vec::new());
    thief.close();
    unsigned.head = thief.head();
    cases.push(fails(
        "head-not-signed-by-the-log",
        &Evidence::InadmissibleLeaf(unsigned),
    ));
    let mut no_epoch = stranger;
    no_epoch.previous = {
        let index = LeafIndex(no_epoch.previous.index.0 - 1);
        let (mut world, _, _, _) = issued();
        world.log(revoke(By::Unit(&unit(1), "thief")), Vec::new());
        world.close();
        RawLeaf {
            index,
            leaf: world.leaves[usize::try_from(index.0).unwrap()].clone(),
            path: world
                .tree
                .prove_inclusion(index, world.tree.size())
                .unwrap(),
        }
    };
    cases.push(fails(
        "previous-is-no-epoch",
        &Evidence::InadmissibleLeaf(no_epoch),
    ));
    let wrong = Evidence::WrongTransition(raw(revoke(By::Unit(&unit(1), "thief"))));
    cases.push(fails(
        "inadmissible-leaf-claimed-as-wrong-transition",
        &wrong,
    ));
    cases
}

fn transition() -> Vec<Case> {
    let (before, _, paper, _) = issued();
    let subjects = needed(&before, &paper);
    let closed = |change: &dyn Fn(&mut World), epoch: &dyn Fn(&mut Epoch)| {
        let mut world = before.clone();
        change(&mut world);
        let mut leaf = Epoch {
            epoch: u64::try_from(world.epochs.len()).unwrap(),
            index: world.next_index(),
            map_root: world.map.root(),
            previous: world.epochs.last().map(|epoch| epoch.index),
            subjects: u64::try_from(world.map.len()).unwrap(),
            time: world.now,
        };
        epoch(&mut leaf);
        world.close_with(leaf);
        // The head is an honest one: the false epoch leaf lies below it.
        let mut later = world.clone();
        later.now = UnixMillis(before.now.0 + HOUR);
        later.close();
        Evidence::WrongTransition(batch(&later, &before, &subjects))
    };
    let same = |world: &mut World| {
        world.plain(&paper, Verb::Revoke);
    };
    let subject = before.licence_key(&paper);
    let old = before.records[&subject].clone();
    vec![
        holds(
            "event-left-out-of-the-map",
            &closed(
                &|world| {
                    world.plain(&paper, Verb::Revoke);
                    world.write(subject, old.clone());
                },
                &|_| (),
            ),
        ),
        holds(
            "map-root-invented",
            &closed(&same, &|epoch| epoch.map_root = hash("invented")),
        ),
        holds(
            "subjects-miscounted",
            &closed(&same, &|epoch| epoch.subjects += 1),
        ),
        holds(
            "epoch-number-skipped",
            &closed(&same, &|epoch| epoch.epoch += 1),
        ),
        holds(
            "index-of-another-leaf",
            &closed(&same, &|epoch| epoch.index.0 -= 1),
        ),
        holds(
            "previous-of-another-epoch",
            &closed(&same, &|epoch| epoch.previous = Some(LeafIndex(1))),
        ),
        holds(
            "time-that-does-not-rise",
            &closed(&|_| (), &|epoch| {
                epoch.time = before.epochs.last().unwrap().time;
            }),
        ),
        fails("right-transition", &closed(&same, &|_| ())),
        fails("right-transition-claimed-as-inadmissible", &{
            match closed(&same, &|_| ()) {
                Evidence::WrongTransition(own) => Evidence::InadmissibleLeaf(own),
                other => other,
            }
        }),
        fails("written-subject-not-shown", &{
            match closed(&same, &|epoch| epoch.map_root = hash("invented")) {
                Evidence::WrongTransition(mut own) => {
                    own.subjects.retain(|place| place.subject != subject);
                    Evidence::WrongTransition(own)
                }
                other => other,
            }
        }),
        fails("leaf-below-another-epoch", &{
            match closed(&same, &|epoch| epoch.map_root = hash("invented")) {
                Evidence::WrongTransition(mut own) => {
                    assert!(Leaf::parse(&own.entries.last().unwrap().leaf).is_ok());
                    own.entries.pop();
                    Evidence::WrongTransition(own)
                }
                other => other,
            }
        }),
    ]
}

fn not_included() -> Vec<Case> {
    let (world, _, paper, _) = issued();
    let subject = world.licence_key(&paper);
    let at = world.epochs.last().unwrap().time;
    let mut event = world.draft(
        subject,
        Action::Plain(Verb::Withhold, Note::default()),
        By::Unit(&paper.unit, &paper.key),
    );
    event.effective = at;
    event.signatures.clear();
    event.sign(&key(&paper.key));
    let size = world.head().checkpoint().size;
    let handed = |event: &Event, auditor: &str, signer: &str| {
        let mut handed = Handed {
            at,
            auditor: auditor.to_owned(),
            event: event.clone(),
            signature: zhao_spec::wire::Signature([0; 64]),
            size,
        };
        handed.signature = key(signer).sign(&handed.message());
        handed
    };
    // Two hours on, twice the bound, the event is still not there.
    let mut later = world.clone();
    later.now = UnixMillis(at.0 + 2 * HOUR);
    later.close();
    let claim = |world: &World, handed: Handed| {
        let mut subjects = needed(world, &paper);
        subjects.insert(world.subject(Kind::LicenceType, transport().as_str()));
        NotIncluded {
            handed,
            head: world.head(),
            subjects: places(world, &subjects),
        }
    };
    let good = claim(&later, handed(&event, "a1", "a1"));
    let mut cases = vec![holds("left-out", &Evidence::NotIncluded(good.clone()))];
    let mut honest = world.clone();
    honest.now = UnixMillis(at.0 + 2 * HOUR);
    honest.admit(event.clone());
    honest.close();
    let included = claim(&honest, handed(&event, "a1", "a1"));
    cases.push(fails("included", &Evidence::NotIncluded(included)));
    let world_before = world.clone();
    let mut early = world;
    early.now = UnixMillis(at.0 + HOUR);
    early.close();
    let early = claim(&early, handed(&event, "a1", "a1"));
    cases.push(fails(
        "before-the-bound-is-over",
        &Evidence::NotIncluded(early),
    ));
    // While the unit was suspended the log had to refuse; now it could take it, and nobody shows
    // that it was handed in again.
    let mut between = world_before.clone();
    for (hours, action) in [(1, Action::SuspendUnit), (2, Action::ResumeUnit)] {
        between.now = UnixMillis(at.0 + hours * HOUR);
        let unit = between.subject(Kind::Issuer, paper.unit.as_str());
        between.act(unit, action, ADMINS);
        between.close();
    }
    between.now = UnixMillis(at.0 + 3 * HOUR);
    between.close();
    let between = claim(&between, handed(&event, "a1", "a1"));
    cases.push(fails(
        "refused-rightly-in-between",
        &Evidence::NotIncluded(between),
    ));
    let by = |auditor: &str, signer: &str| {
        Evidence::NotIncluded(claim(&later, handed(&event, auditor, signer)))
    };
    cases.push(fails("signed-by-somebody-else", &by("a1", "thief")));
    cases.push(fails("auditor-that-nobody-knows", &by("other", "other")));
    cases.push(fails("a-witness-is-no-auditor", &by("w1", "w1")));
    let mut later_at = good.clone();
    later_at.handed.at = UnixMillis(at.0 - 1);
    cases.push(fails(
        "time-changed-after-signing",
        &Evidence::NotIncluded(later_at),
    ));
    let mut bad = event.clone();
    bad.signatures[0].signature.0[0] ^= 1;
    let bad = Evidence::NotIncluded(claim(&later, handed(&bad, "a1", "a1")));
    cases.push(fails("event-that-nobody-signed", &bad));
    let mut blind = good.clone();
    blind.subjects.retain(|place| place.subject != subject);
    cases.push(fails("subject-not-shown", &Evidence::NotIncluded(blind)));
    let mut forged = good;
    let mut thief = later.clone();
    thief.vouchers = Vouchers::all().signed_by("thief");
    forged.head = thief.head();
    cases.push(fails(
        "head-not-signed-by-the-log",
        &Evidence::NotIncluded(forged),
    ));
    cases
}
