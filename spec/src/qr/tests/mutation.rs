//! Changed bytes never stop the program, and what still expands is a dossier said in one way only.

use super::super::form::Form;
use super::super::texts::inflate;
use super::super::{encode, expand, is_code, join};
use super::dossiers;
use super::world::World;
use crate::file::Dossier;

/// One to three changes of `bytes`: a flipped bit, another byte, one left out, one put in, a cut.
fn change(world: &mut World, bytes: &mut Vec<u8>) {
    for _ in 0..=world.number(3) {
        if bytes.is_empty() {
            return;
        }
        let at = usize::try_from(world.number(bytes.len() as u64)).unwrap();
        let byte = world.hash().0[0];
        match world.number(8) {
            0..=2 => bytes[at] ^= 1 << world.number(8),
            3..=4 => bytes[at] = byte,
            5 => drop(bytes.remove(at)),
            6 => bytes.insert(at, byte),
            _ => bytes.truncate(at),
        }
    }
}

#[test]
fn changed_forms_expand_to_what_would_be_encoded_so_or_not_at_all() {
    let mut world = World::new(9);
    let (mut expanded, mut again) = (0, 0);
    for (_, dossier) in dossiers().iter().step_by(9) {
        let Ok(form) = encode(dossier) else { continue };
        for _ in 0..300 {
            let mut changed = form.clone();
            change(&mut world, &mut changed);
            let Ok(json) = expand(&changed) else { continue };
            expanded += 1;
            // The verifier reads it strictly; what is a dossier of the profile has one form.
            let Ok(other) = Dossier::parse(&json) else {
                continue;
            };
            if let Ok(of) = Form::of(&other) {
                again += 1;
                assert_eq!(Form::parse(&changed).unwrap(), of);
                assert!(changed == form || json != dossier.bytes() || differ_in_deflate(&changed));
            }
        }
    }
    assert!(expanded > 1_000 && again > 500, "{expanded}, {again}");
}

/// Only the deflated texts have several spellings.
fn differ_in_deflate(form: &[u8]) -> bool {
    let parsed = Form::parse(form).unwrap();
    parsed.bytes() != form
}

#[test]
fn random_streams_are_refused_or_inflate_within_the_limit() {
    let mut world = World::new(10);
    let (mut refused, mut inflated) = (0, 0);
    for _ in 0..3_000 {
        let length = usize::try_from(world.number(64)).unwrap();
        let mut stream: Vec<u8> = (0..length).map(|_| world.hash().0[0]).collect();
        if let Some(first) = stream.first_mut() {
            // A last block with the fixed code, half the time.
            *first = if world.number(2) == 0 {
                *first & !7 | 3
            } else {
                *first
            };
        }
        match inflate(&stream) {
            Ok(texts) => {
                inflated += 1;
                assert!(texts.len() <= 258 * 8 * stream.len());
            }
            Err(error) => {
                refused += 1;
                assert!(matches!(error.code(), "qr-inflate" | "qr-texts-too-long"));
            }
        }
    }
    assert!(refused > 2_000 && inflated > 0, "{refused}, {inflated}");
}

#[test]
fn random_texts_are_refused() {
    let mut world = World::new(11);
    for _ in 0..3_000 {
        let prefix = ["ZHAO1:", "ZHAO1/", "ZHAO1", ""];
        let mut text = String::from(prefix[usize::from(world.hash().0[0] % 4)]);
        for _ in 0..world.number(60) {
            text.push(char::from(0x20 + (world.hash().0[0] & 0x3f)));
        }
        if let Ok(form) = join(&[&text]) {
            assert!(is_code(&text));
            assert!(expand(&form).is_err());
        }
    }
}
