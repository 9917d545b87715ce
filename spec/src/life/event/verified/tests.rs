#![allow(clippy::unwrap_used, reason = "a test may panic")]
use super::*;
use crate::life::data::{Action, Note};
use crate::life::event::EventSignature;
use crate::life::leaf::{Leaf, ReadLeaf};
use crate::life::verb::Verb;
use crate::wire::signature::SecretKey;
use crate::wire::time::UnixMillis;

/// Texts that would be taken for the member `signatures`, were they not escaped.
const TRAPS: [&str; 4] = [
    "plain",
    ",\"signatures\":[",
    "\",\"signatures\":[]",
    "\\\",\"signatures\":[{}],\"signer\":\"",
];

fn event(origin: &str, signers: u8, signer: bool) -> Event {
    let mut event = Event {
        action: Action::Plain(Verb::Hold, Note::default()),
        effective: UnixMillis(1_795_326_600_000),
        origin: origin.to_owned(),
        prev: Some(Hash([1; 32])),
        seq: 7,
        signatures: Vec::new(),
        signer: signer.then_some(Hash([2; 32])),
        subject: Hash([3; 32]),
    };
    (0..signers).for_each(|n| event.sign(&SecretKey::from_seed([n; 32])));
    event
}

fn read(leaf: &[u8]) -> ReadEvent {
    match ReadLeaf::parse(leaf, &mut Keys::new(0)).unwrap() {
        ReadLeaf::Event(event) => *event,
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_pass_gives_what_separate_passes_give() {
    for origin in TRAPS {
        for signers in [1, 2, 16] {
            for signer in [false, true] {
                let event = event(origin, signers, signer);
                let (leaf, statement) = (event.leaf_bytes(), event.statement());
                assert_eq!(Leaf::parse(&leaf).unwrap().bytes(), leaf);
                let mut keys = Keys::new(1);
                let written = event.clone().verify_signatures().unwrap();
                let of_leaf = read(&leaf).verify_signatures(&mut keys).unwrap();
                let of_event = ReadEvent::parse(&event.bytes(), &mut keys).unwrap();
                let of_event = of_event.verify_signatures(&mut keys).unwrap();
                let with_keys = event.clone().verify_signatures_with(&mut keys).unwrap();
                assert_eq!(of_leaf, written);
                assert_eq!(of_event, written);
                assert_eq!(with_keys, written);
                assert_eq!(written.leaf_bytes(), leaf);
                assert_eq!(written.id(), sha256(&[ID_PREFIX, &statement]));
                assert_eq!(written.id(), event.id());
                assert_eq!(written.leaf_hash(), event.leaf_hash());
                assert_eq!(written.into_parts(), (event, leaf));
            }
        }
    }
}

#[test]
fn the_place_of_the_signatures_is_the_one_written() {
    for origin in TRAPS {
        let (leaf, signatures) = event(origin, 2, true).leaf();
        assert_eq!(signatures_in(&leaf), Some(signatures));
    }
    for other in [
        &b""[..],
        b"{}",
        b"{\"event\":{},\"signatures\":[",
        b",\"signatures\":",
    ] {
        assert_eq!(signatures_in(other), None);
    }
}

/// Every byte of a leaf but those of the member names is signed or is a signature.
#[test]
fn no_byte_of_a_leaf_can_change_unnoticed() {
    let leaf = event("zhao.example/log", 2, true).leaf_bytes();
    let mut keys = Keys::new(1);
    for at in 0..leaf.len() {
        for bit in [1, 4] {
            let mut changed = leaf.clone();
            changed[at] ^= bit;
            let Ok(ReadLeaf::Event(event)) = ReadLeaf::parse(&changed, &mut keys) else {
                continue;
            };
            let refusal = event.verify_signatures(&mut keys).unwrap_err();
            assert_eq!(refusal.code(), "signature_invalid", "byte {at}");
        }
    }
}

#[test]
fn a_signature_of_somebody_else_is_refused_however_it_is_read() {
    let mut event = event("zhao.example/log", 1, true);
    event.signatures = vec![EventSignature {
        key: SecretKey::from_seed([9; 32]).public(),
        ..event.signatures.remove(0)
    }];
    let mut keys = Keys::new(1);
    let key = event.signatures[0].key.to_multibase();
    let refused = Err(Refusal::SignatureInvalid { key });
    let leaf = event.leaf_bytes();
    assert_eq!(read(&leaf).verify_signatures(&mut keys), refused);
    assert_eq!(event.clone().verify_signatures_with(&mut keys), refused);
    assert_eq!(event.verify_signatures(), refused);
}

#[test]
fn nobody_signed() {
    let event = event("zhao.example/log", 0, true);
    let mut keys = Keys::new(0);
    assert_eq!(
        event.clone().verify_signatures_with(&mut keys),
        Err(Refusal::SignerMissing)
    );
    let error = ReadEvent::parse(&event.bytes(), &mut keys).unwrap_err();
    assert_eq!(error.code(), "field-value");
    assert_eq!(event.verify_signatures(), Err(Refusal::SignerMissing));
}

#[test]
fn reading_with_keys_refuses_what_reading_without_them_refuses() {
    let bytes = event("zhao.example/log", 2, true).bytes();
    let text = String::from_utf8(bytes).unwrap();
    let key = SecretKey::from_seed([0; 32]).public().to_multibase();
    for broken in [
        text.replace(&key, "z6Mk"),
        text.replace(&key, &key.replace('6', "7")),
        text.replace("\"seq\":7", "\"seq\":0"),
        text.replace("\"seq\":7", "\"seq\":07"),
        text.replace(",\"verb\"", ",\"verb2\""),
        format!("{text} "),
    ] {
        let expected = Event::parse(broken.as_bytes()).unwrap_err();
        let error = ReadEvent::parse(broken.as_bytes(), &mut Keys::new(0)).unwrap_err();
        assert_eq!(error, expected);
    }
}
