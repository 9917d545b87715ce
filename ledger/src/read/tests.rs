//! Every file that is made holds under its own head, and none shows what is not published.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use zhao_spec::credential::Licence;
use zhao_spec::file::{
    Answer, Authorities, Dossier, EmbeddedCredential, Head, History, Receipt, Receipts,
    ReceiptsError,
};
use zhao_spec::id::Uscc;
use zhao_spec::life::data::{Action, Issued, Note, TypeRef};
use zhao_spec::life::record::{Record, next_enterprise};
use zhao_spec::life::subject::Kind;
use zhao_spec::life::verb::Verb;
use zhao_spec::log::tile::{Kind as TileKind, Tile, decode_bundle};
use zhao_spec::log::tree::{
    LeafIndex, TreeError, TreeSize, check_consistency, check_inclusion, leaf_hash,
};
use zhao_spec::map::check;
use zhao_spec::wire::Hash;

use super::{ReadError, Reader};
use crate::fixture::{HOLDER, OPEN, Site, UNIT, at, key_of, licence_key};
use crate::sequence::Outcome;
use crate::store::layout::Family;

fn reader(site: &Site) -> Reader {
    Reader::new(Arc::new(site.disk.store().unwrap()))
}

#[track_caller]
fn check_head(head: &Head) {
    let checkpoint = head.checkpoint();
    assert_eq!(head.epoch.index.0, checkpoint.size.0 - 1);
    check_inclusion(
        head.proof.index(),
        checkpoint.size,
        &head.epoch.leaf_hash(),
        head.proof.path(),
        &checkpoint.root,
    )
    .unwrap();
    assert!(Site::quorum().is_met(&head.proof.note().format()).unwrap());
}

fn check_authorities(authorities: &Authorities, root: &Hash) {
    for issuer in &authorities.issuers {
        let key = key_of(Kind::Issuer, &issuer.placed.record.unit);
        check(
            root,
            &key,
            Some(&issuer.placed.record_hash()),
            &issuer.placed.path,
        )
        .unwrap();
        assert_eq!(
            issuer.history.last().unwrap().event.seq,
            issuer.placed.record.seq
        );
    }
    for placed in &authorities.licence_types {
        let key = key_of(Kind::LicenceType, &placed.record.type_code);
        check(root, &key, Some(&placed.record_hash()), &placed.path).unwrap();
    }
    let registry = &authorities.registry;
    let key = key_of(Kind::Registry, crate::fixture::ORIGIN);
    check(
        root,
        &key,
        Some(&registry.placed.record_hash()),
        &registry.placed.path,
    )
    .unwrap();
    assert_eq!(registry.genesis.hash(), registry.placed.record.genesis);
    assert_eq!(registry.history, []);
}

fn vector_licence() -> Licence {
    let text = include_str!("../../../spec/vectors/credential/licence.json");
    let vectors: serde_json::Value = serde_json::from_str(text).unwrap();
    let input = vectors["cases"][0]["input"].as_str().unwrap();
    Licence::parse(input.as_bytes()).unwrap()
}

#[test]
fn receipts_hold() {
    let (site, mut sequencer, mut office) = Site::founded(300);
    let events = vec![office.plain(5, Verb::Hold), office.plain(6, Verb::Hold)];
    sequencer.commit(events.clone(), at(20)).unwrap();
    let reader = reader(&site);
    let view = reader.latest().unwrap();
    for event in &events {
        let receipt = view.receipt(&event.id()).unwrap();
        check_head(&receipt.head);
        let checkpoint = receipt.head.checkpoint();
        let leaf = receipt.event.leaf_hash();
        let path = receipt.proof.path();
        check_inclusion(
            receipt.index,
            checkpoint.size,
            &leaf,
            path,
            &checkpoint.root,
        )
        .unwrap();
        assert_eq!(receipt.event, event.clone().into_inner());
        assert_eq!(Receipt::parse(&receipt.bytes()).unwrap(), receipt);
    }
    let unknown = view.receipt(&Hash([3; 32])).unwrap_err();
    assert_eq!(unknown, ReadError::Absent { what: "event" });
}

#[test]
fn histories_hold_and_name_the_first_epoch_after_each_event() {
    let (site, mut sequencer, mut office) = Site::founded(1);
    sequencer.heartbeat(at(15)).unwrap();
    for (n, verb) in (0..).zip([Verb::Hold, Verb::LiftHold, Verb::ReportLost]) {
        sequencer
            .commit(
                vec![office.plain(0, verb), office.issue(10 + n)],
                at(20 + n),
            )
            .unwrap();
    }
    sequencer.heartbeat(at(30)).unwrap();
    let reader = reader(&site);
    let view = reader.latest().unwrap();
    let history = view.history(&licence_key(0)).unwrap();
    check_head(&history.head);
    let checkpoint = history.head.checkpoint();
    let root = history.head.epoch.map_root;
    check(
        &root,
        &licence_key(0),
        Some(&history.placed.record_hash()),
        &history.placed.path,
    )
    .unwrap();
    let indexes: Vec<(u64, u64)> = history
        .entries
        .iter()
        .map(|entry| (entry.index.0, entry.epoch.index.0))
        .collect();
    assert_eq!(indexes, [(5, 6), (8, 10), (11, 13), (14, 16)]);
    for entry in &history.entries {
        let leaf = entry.event.leaf_hash();
        check_inclusion(
            entry.index,
            checkpoint.size,
            &leaf,
            &entry.path,
            &checkpoint.root,
        )
        .unwrap();
        let leaf = entry.epoch.leaf_hash();
        let at = entry.epoch.index;
        check_inclusion(
            at,
            checkpoint.size,
            &leaf,
            &entry.epoch_path,
            &checkpoint.root,
        )
        .unwrap();
    }
    assert_eq!(History::parse(&history.bytes()).unwrap(), history);
    let absent = view.history(&licence_key(99)).unwrap_err();
    assert_eq!(absent, ReadError::Absent { what: "subject" });
}

#[test]
fn a_dossier_holds() {
    let (site, mut sequencer, mut office) = Site::founded(3);
    let licence = vector_licence();
    let subject = key_of(Kind::Licence, &licence.claims().id);
    let issued = Issued {
        enterprise: Some(key_of(Kind::Enterprise, HOLDER)),
        inspection_due: None,
        note: Note::default(),
        predecessor: None,
        type_ref: TypeRef::Code(OPEN.to_owned()),
        vc: licence.digest(),
    };
    let event = office.event(subject, Action::Issued(Box::new(issued)), true);
    sequencer.commit(vec![event], at(20)).unwrap();
    let reader = reader(&site);
    let view = reader.latest().unwrap();
    for with in [true, false] {
        let dossier = view.dossier(&licence, with).unwrap();
        check_head(&dossier.head);
        let root = dossier.head.epoch.map_root;
        let placed = &dossier.placed;
        check(&root, &subject, Some(&placed.record_hash()), &placed.path).unwrap();
        assert_eq!(placed.record.vc, dossier.credential.digest());
        assert_eq!(dossier.authorities.is_some(), with);
        if let Some(authorities) = &dossier.authorities {
            assert!(authorities.issuer(UNIT).is_some() && authorities.licence_type(OPEN).is_some());
            check_authorities(authorities, &root);
        }
        assert_eq!(Dossier::parse(&dossier.bytes()).unwrap(), dossier);
    }
}

#[test]
fn no_dossier_of_a_licence_that_was_never_issued() {
    let (site, ..) = Site::founded(1);
    let reader = reader(&site);
    let error = reader
        .latest()
        .unwrap()
        .dossier(&vector_licence(), true)
        .unwrap_err();
    assert_eq!(error, ReadError::Absent { what: "licence" });
}

#[test]
fn an_answer_lists_all_and_only_what_the_chain_counts() {
    let (site, mut sequencer, mut office) = Site::founded(4);
    let uscc = Uscc::parse(HOLDER).unwrap();
    let reader = reader(&site);
    let credential = EmbeddedCredential::parse(&crate::fixture::credential_bytes(1)).unwrap();
    let credentials = BTreeMap::from([(licence_key(1), credential)]);
    let view = reader.latest().unwrap();
    // What is committed later is not in the answer of an earlier view.
    sequencer
        .commit(vec![office.issue(4), office.plain(2, Verb::Hold)], at(20))
        .unwrap();
    for (view, count) in [(view, 4), (reader.latest().unwrap(), 5)] {
        let answer = view.answer(&uscc, &credentials).unwrap();
        check_head(&answer.head);
        let root = answer.head.epoch.map_root;
        check_authorities(&answer.authorities, &root);
        let record = answer.enterprise.record.clone().unwrap();
        let subjects: Vec<Hash> = answer.items.iter().map(|item| item.subject).collect();
        assert_eq!(subjects, (0..count).map(licence_key).collect::<Vec<_>>());
        let chain = subjects
            .iter()
            .fold(Hash([0; 32]), |chain, key| next_enterprise(&chain, key));
        assert_eq!((record.count, record.chain), (count, chain));
        let key = key_of(Kind::Enterprise, HOLDER);
        let hash = Record::Enterprise(record).hash();
        check(&root, &key, Some(&hash), &answer.enterprise.path).unwrap();
        for item in &answer.items {
            let hash = item.placed.record_hash();
            check(&root, &item.subject, Some(&hash), &item.placed.path).unwrap();
            assert_eq!(item.credential.is_some(), item.subject == licence_key(1));
        }
        assert_eq!(Answer::parse(&answer.bytes()).unwrap(), answer);
    }
}

#[test]
fn a_holder_without_licences_gets_a_proof_of_absence() {
    let (site, ..) = Site::founded(2);
    let uscc = Uscc::parse(UNIT).unwrap();
    let reader = reader(&site);
    let answer = reader
        .latest()
        .unwrap()
        .answer(&uscc, &BTreeMap::new())
        .unwrap();
    let key = key_of(Kind::Enterprise, uscc.as_str());
    check(
        &answer.head.epoch.map_root,
        &key,
        None,
        &answer.enterprise.path,
    )
    .unwrap();
    assert_eq!((answer.enterprise.record, answer.items), (None, Vec::new()));
}

#[test]
fn authorities_that_do_not_exist() {
    let (site, ..) = Site::founded(0);
    let reader = reader(&site);
    let view = reader.latest().unwrap();
    let one = |text: &str| BTreeSet::from([text.to_owned()]);
    let error = view
        .authorities(&one(HOLDER), &BTreeSet::new())
        .unwrap_err();
    assert_eq!(error, ReadError::Absent { what: "unit" });
    let error = view.authorities(&BTreeSet::new(), &one("x")).unwrap_err();
    assert_eq!(
        error,
        ReadError::Absent {
            what: "licence type"
        }
    );
    let pack = view.issuer_pack(&one(UNIT), &one(OPEN)).unwrap();
    check_head(&pack.head);
    check_authorities(&pack.authorities, &pack.head.epoch.map_root);
}

#[test]
fn what_no_quorum_covers_is_not_shown() {
    let (site, mut sequencer, mut office) = Site::founded(1);
    let reader = reader(&site);
    let before = reader.latest().unwrap().history(&licence_key(0)).unwrap();
    *site.down.lock().unwrap() = true;
    let hold = office.plain(0, Verb::Hold);
    sequencer
        .commit(vec![hold.clone(), office.issue(1)], at(20))
        .unwrap();
    let view = reader.latest().unwrap();
    let absent = |what| ReadError::Absent { what };
    assert_eq!(view.receipt(&hold.id()).unwrap_err(), absent("leaf"));
    assert_eq!(
        view.leaf(LeafIndex(view.size().0)).unwrap_err(),
        absent("leaf")
    );
    assert_eq!(
        view.inclusion(LeafIndex(view.size().0)).unwrap_err(),
        absent("leaf")
    );
    assert_eq!(
        view.history(&licence_key(1)).unwrap_err(),
        absent("subject")
    );
    assert_eq!(view.history(&licence_key(0)).unwrap(), before);
    assert_eq!(
        view.holdings(&Uscc::parse(HOLDER).unwrap()).unwrap(),
        [licence_key(0)]
    );
    let wider = Tile {
        kind: TileKind::Hashes(0),
        index: 0,
        width: u16::try_from(view.size().0).unwrap() + 1,
    };
    assert_eq!(view.tile(&wider).unwrap(), None);
}

#[test]
fn nothing_is_published_in_an_empty_database() {
    let site = Site::new();
    assert_eq!(
        reader(&site).latest().unwrap_err(),
        ReadError::NothingPublished
    );
}

#[test]
fn tiles_are_served_in_every_width_they_ever_had() {
    let (site, mut sequencer, mut office) = Site::founded(300);
    sequencer.commit(vec![office.issue(1_000)], at(20)).unwrap();
    let reader = reader(&site);
    let view = reader.latest().unwrap();
    let size = view.size().0;
    assert!(size > 256);
    for width in [1_u16, 100, 256] {
        let tile = Tile {
            kind: TileKind::Hashes(0),
            index: 0,
            width,
        };
        let bytes = view.tile(&tile).unwrap().unwrap();
        assert_eq!(bytes.len(), usize::from(width) * 32);
        let tile = Tile {
            kind: TileKind::Entries,
            ..tile
        };
        let bundle = view.tile(&tile).unwrap().unwrap();
        let entries = decode_bundle(&bundle, width).unwrap();
        for (n, entry) in entries.iter().enumerate() {
            assert_eq!(leaf_hash(entry).0, bytes[n * 32..(n + 1) * 32]);
        }
    }
    let none = [
        (TileKind::Hashes(1), 0, 2),
        (TileKind::Hashes(0), 2, 1),
        (TileKind::Entries, 9, 1),
    ];
    for (kind, index, width) in none {
        assert_eq!(view.tile(&Tile { kind, index, width }).unwrap(), None);
    }
}

#[test]
fn consistency_from_every_earlier_head() {
    let (site, mut sequencer, mut office) = Site::founded(1);
    for n in 0..5 {
        sequencer
            .commit(vec![office.issue(10 + n)], at(20 + n))
            .unwrap();
    }
    let reader = reader(&site);
    let view = reader.latest().unwrap();
    let store = site.disk.store().unwrap();
    let heads = site.disk.entries(Family::Heads);
    assert_eq!(heads.len(), 7);
    for (key, _) in heads {
        let size = TreeSize(u64::from_be_bytes(key.try_into().unwrap()));
        let old = crate::sequence::second_log::log_root(&store, size, &[]).unwrap();
        let proof = view.consistency(size).unwrap();
        let root = view.head().unwrap().checkpoint().root;
        check_consistency(size, view.size(), &old, &root, &proof).unwrap();
    }
    let absent = ReadError::Absent {
        what: "earlier size",
    };
    assert_eq!(view.consistency(TreeSize(0)).unwrap_err(), absent);
    assert_eq!(
        view.consistency(TreeSize(view.size().0 + 1)).unwrap_err(),
        absent
    );
}

#[test]
fn receipts_of_a_batch_are_those_of_each_event() {
    let (site, mut sequencer, mut office) = Site::founded(3);
    let events: Vec<_> = (10..31).map(|n| office.issue(n)).collect();
    let outcomes = sequencer.commit(events.clone(), at(20)).unwrap();
    let Outcome::Accepted { index: first } = outcomes[0] else {
        panic!("{outcomes:?}");
    };
    // Something after it, so that the batch is not the end of the log.
    sequencer.commit(vec![office.issue(40)], at(30)).unwrap();
    let reader = reader(&site);
    let view = reader.latest().unwrap();
    let count = u64::try_from(events.len()).unwrap();
    let receipts = view.receipts(first, count).unwrap();
    let leaves: Vec<Hash> = events.iter().map(|event| event.leaf_hash()).collect();
    receipts.check(&leaves).unwrap();
    assert_eq!(Receipts::parse(&receipts.bytes()).unwrap(), receipts);
    for (at, event) in (first.0..).zip(&events) {
        let own = receipts.receipt((**event).clone(), LeafIndex(at), &leaves);
        assert_eq!(own.unwrap(), view.receipt(&event.id()).unwrap());
    }

    // One event for another, a leaf too few, another leaf, a range that was not asked for.
    let other = (*events[1]).clone();
    let error = receipts.receipt(other, first, &leaves).unwrap_err();
    assert_eq!(error, ReceiptsError::Event { index: first });
    let error = receipts.check(&leaves[1..]).unwrap_err();
    let (expected, actual) = (count, leaves.len() - 1);
    assert_eq!(error, ReceiptsError::Count { expected, actual });
    let mut swapped = leaves.clone();
    swapped.swap(3, 4);
    let error = receipts.check(&swapped).unwrap_err();
    assert!(
        matches!(error, ReceiptsError::Tree(TreeError::RootMismatch { .. })),
        "{error}"
    );
    let mut shifted = receipts.clone();
    shifted.first = LeafIndex(first.0 - 1);
    assert!(shifted.check(&leaves).is_err());
    let mut shorter = receipts.clone();
    shorter.outside.pop();
    let error = shorter.check(&leaves).unwrap_err();
    assert!(
        matches!(error, ReceiptsError::Tree(TreeError::ProofLength { .. })),
        "{error}"
    );
    let size = view.size().0;
    for (first, count) in [(0, 0), (0, size + 1), (size, 1), (u64::MAX, 2)] {
        let error = view.receipts(LeafIndex(first), count).unwrap_err();
        assert_eq!(error, ReadError::Absent { what: "leaf" });
    }
    for (from, to, path) in [
        ("\"count\":21", "\"count\":0", "count"),
        ("\"count\":21", "\"count\":65537", "count"),
        (
            "\"format\":\"zhao/v1 receipts\"",
            "\"format\":\"zhao/v1 receipt\"",
            "format",
        ),
    ] {
        let text = String::from_utf8(receipts.bytes()).unwrap();
        let error = Receipts::parse(text.replace(from, to).as_bytes()).unwrap_err();
        assert_eq!(error.path, path);
    }
}

#[test]
fn a_view_of_the_past_is_what_was_published_then() {
    let (site, mut sequencer, mut office) = Site::founded(3);
    let kept = |sequencer: &crate::sequence::Sequencer| {
        let reader = sequencer.reader();
        let view = reader.latest().unwrap();
        let (path, record) = view.placed(&licence_key(1)).unwrap();
        (view.note().to_owned(), path, record)
    };
    let mut then = vec![(at(10), kept(&sequencer))];
    for (seconds, verb) in [(20, Verb::Hold), (30, Verb::LiftHold), (40, Verb::Hold)] {
        sequencer
            .commit(vec![office.plain(1, verb)], at(seconds))
            .unwrap();
        then.push((at(seconds), kept(&sequencer)));
    }
    let reader = reader(&site);
    for (time, expected) in &then {
        // At the very time of the epoch, and until just before the next.
        for later in [0, 9_999] {
            let asked = time.checked_add(later).unwrap();
            let view = reader.as_of(asked).unwrap();
            let (path, record) = view.placed(&licence_key(1)).unwrap();
            assert_eq!((view.note().to_owned(), path, record), *expected);
            check_head(&view.head().unwrap());
            let history = view.history(&licence_key(1)).unwrap();
            check_head(&history.head);
        }
    }
    let entries = reader.as_of(at(25)).unwrap().history(&licence_key(1));
    assert_eq!(entries.unwrap().entries.len(), 2);
    // Before the first head there is nothing, and nothing of later is shown.
    let early = zhao_spec::wire::UnixMillis(at(0).0 - 1);
    let before = reader.as_of(early).map(drop).unwrap_err();
    assert_eq!(before, ReadError::Absent { what: "head" });
    let hold = reader.as_of(at(15)).unwrap();
    assert!(matches!(hold.placed(&licence_key(9)), Ok((_, None))));
}
