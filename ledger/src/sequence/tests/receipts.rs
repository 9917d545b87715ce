//! What the log's key signs beside heads: receipts of heads that were published, and of no other.

use std::sync::Arc;

use zhao_spec::life::verb::Verb;
use zhao_spec::log::checkpoint;
use zhao_spec::log::cose::CoseReceipt;
use zhao_spec::log::note::{NoteSigner, SignedNote};
use zhao_spec::wire::Hash;

use crate::fixture::{ORIGIN, Site, at, secret};
use crate::read::{ReadError, Reader};
use crate::sequence::{ReceiptError, ReceiptSigner, Sequencer};
use crate::store::decode;
use crate::store::layout::{Family, Heads};

fn made(sequencer: &Sequencer, site: &Site, event: &Hash) -> Result<CoseReceipt, ReceiptError> {
    ask(&sequencer.receipt_signer(), site, event)
}

fn ask(signer: &ReceiptSigner, site: &Site, event: &Hash) -> Result<CoseReceipt, ReceiptError> {
    let reader = Reader::new(Arc::new(site.disk.store().unwrap()));
    signer.receipt(&reader.latest().unwrap(), event)
}

#[test]
fn a_receipt_states_the_published_head() {
    let (site, mut sequencer, mut office) = Site::founded(300);
    let events = vec![office.plain(5, Verb::Hold), office.plain(6, Verb::Hold)];
    sequencer.commit(events.clone(), at(20)).unwrap();
    let (head, _) = checkpoint::open(&sequencer.published().note, Site::signer().vkey()).unwrap();
    for event in &events {
        let receipt = made(&sequencer, &site, &event.id()).unwrap();
        let read = CoseReceipt::parse(&receipt.bytes()).unwrap();
        let said = read.verify(&event.leaf_hash(), Site::signer().vkey());
        assert_eq!(said.unwrap(), head);
        assert_eq!(made(&sequencer, &site, &event.id()).unwrap(), receipt);
    }
    let unknown = made(&sequencer, &site, &Hash([3; 32])).unwrap_err();
    let absent = ReadError::Absent { what: "event" };
    assert_eq!(unknown, ReceiptError::Read(absent));
}

#[test]
fn a_view_of_the_past_gives_a_receipt_of_its_own_head() {
    let (site, mut sequencer, mut office) = Site::founded(3);
    let hold = office.plain(0, Verb::Hold);
    sequencer.commit(vec![hold.clone()], at(20)).unwrap();
    let then = sequencer.published().size;
    sequencer.commit(vec![office.issue(9)], at(30)).unwrap();
    let reader = Reader::new(Arc::new(site.disk.store().unwrap()));
    let past = reader.as_of(at(25)).unwrap();
    let receipt = sequencer
        .receipt_signer()
        .receipt(&past, &hold.id())
        .unwrap();
    assert_eq!(receipt.size, then);
    assert!(receipt.size < sequencer.published().size);
}

#[test]
fn no_receipt_of_what_no_quorum_covers() {
    let (site, mut sequencer, mut office) = Site::founded(1);
    let (before, published) = (office.plain(0, Verb::Hold), sequencer.published().size);
    *site.down.lock().unwrap() = true;
    sequencer.commit(vec![before.clone()], at(20)).unwrap();
    assert_eq!(sequencer.published().size, published);
    let absent = ReadError::Absent { what: "leaf" };
    let refused = made(&sequencer, &site, &before.id()).unwrap_err();
    assert_eq!(refused, ReceiptError::Read(absent));
}

/// The newest stored head, changed on disk under a running log.
fn with_head(change: impl FnOnce(&str) -> String) -> Result<CoseReceipt, ReceiptError> {
    let (site, mut sequencer, mut office) = Site::founded(3);
    let hold = office.plain(0, Verb::Hold);
    sequencer.commit(vec![hold.clone()], at(20)).unwrap();
    assert!(made(&sequencer, &site, &hold.id()).is_ok());
    let entry = site.disk.entries(Family::Heads).pop().unwrap();
    let note = String::from_utf8(decode::<Heads>(&entry).unwrap().1).unwrap();
    let changed = change(&note).into_bytes();
    site.disk.damage(Family::Heads, &entry.0, Some(changed));
    made(&sequencer, &site, &hold.id())
}

/// The note with those of its lines whose name passes.
fn only(note: &str, keep: impl Fn(&str) -> bool) -> String {
    let note = SignedNote::parse(note).unwrap();
    let mut kept = SignedNote::new(note.text()).unwrap();
    for line in note.signatures().iter().filter(|line| keep(&line.name)) {
        kept.add(line.clone()).unwrap();
    }
    kept.format()
}

#[test]
fn a_stored_head_without_its_cosignatures_is_not_signed_for() {
    assert!(with_head(str::to_owned).is_ok());
    for names in [
        &[ORIGIN][..],
        &[ORIGIN, "witness.example"],
        &[ORIGIN, "auditor.example"],
    ] {
        let refused = with_head(|note| only(note, |name| names.contains(&name)));
        assert_eq!(
            refused.unwrap_err(),
            ReceiptError::WithoutQuorum,
            "{names:?}"
        );
    }
}

#[test]
fn a_stored_head_that_is_not_the_logs_is_not_signed_for() {
    let unsigned = with_head(|note| only(note, |name| name != ORIGIN));
    let refused = unsigned.unwrap_err();
    assert!(matches!(refused, ReceiptError::Checkpoint(_)), "{refused}");
    // Another root, by another key of the log's name.
    let forged = with_head(|note| {
        let mut checkpoint =
            checkpoint::Checkpoint::parse(SignedNote::parse(note).unwrap().text()).unwrap();
        checkpoint.root = Hash([7; 32]);
        let mut note = checkpoint.to_note().unwrap();
        note.sign(&NoteSigner::new(ORIGIN, secret("another")).unwrap())
            .unwrap();
        note.format()
    });
    let refused = forged.unwrap_err();
    assert!(matches!(refused, ReceiptError::Checkpoint(_)), "{refused}");
}

/// The worst case: the key has signed another root, and nobody cosigned it.
#[test]
fn a_head_that_only_the_key_signed_is_not_signed_for_again() {
    let forked = with_head(|note| {
        let mut checkpoint =
            checkpoint::Checkpoint::parse(SignedNote::parse(note).unwrap().text()).unwrap();
        checkpoint.root = Hash([7; 32]);
        let mut note = checkpoint.to_note().unwrap();
        note.sign(&Site::signer()).unwrap();
        note.format()
    });
    assert_eq!(forked.unwrap_err(), ReceiptError::WithoutQuorum);
}
