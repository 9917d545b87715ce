#![allow(clippy::unwrap_used, reason = "a test may panic")]
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use super::*;
use crate::wire::SecretKey;

fn secret(n: u16) -> SecretKey {
    let mut seed = [9; 32];
    seed[..2].copy_from_slice(&n.to_le_bytes());
    SecretKey::from_seed(seed)
}

fn use_often(keys: &mut Keys, secret: &SecretKey, times: u32) {
    let signature = secret.sign(b"message");
    for _ in 0..times {
        keys.verify(&secret.public(), b"message", &signature)
            .unwrap();
    }
}

#[test]
fn texts_read_as_without_a_memory() {
    let mut keys = Keys::new(1);
    let text = secret(1).public().to_multibase();
    let digits = "123456789".chars();
    let mut near = digits.map(|digit| format!("{}{digit}", &text[..47]));
    let near = near
        .find(|text| PublicKey::from_multibase(text).is_err())
        .unwrap();
    for text in [
        text.as_str(),
        near.as_str(),
        "",
        "z",
        &text[..47],
        &text.replace('z', "u"),
        &format!("{text}1"),
        &"昭".repeat(16),
    ] {
        let expected = PublicKey::from_multibase(text);
        assert_eq!(keys.read(text), expected, "{text}");
        assert_eq!(keys.read(text), expected, "{text}, the second time");
    }
    assert_eq!(keys.texts.len(), 1, "what is refused is not remembered");
}

#[test]
fn texts_are_bounded() {
    let mut keys = Keys::new(0);
    for n in 0..u16::try_from(TEXTS).unwrap() + 2 {
        let key = secret(n).public();
        assert_eq!(keys.read(&key.to_multibase()), Ok(key));
        assert!(keys.texts.len() <= TEXTS);
    }
    assert_eq!(keys.texts.len(), 2);
}

#[test]
fn a_key_in_use_is_prepared_and_a_silent_one_is_forgotten() {
    let mut keys = Keys::new(1);
    use_often(&mut keys, &secret(1), WORTH - 1);
    assert_eq!(keys.prepared(), 0);
    use_often(&mut keys, &secret(1), 1);
    assert_eq!(keys.prepared(), 1);
    use_often(&mut keys, &secret(2), WORTH);
    assert_eq!(keys.prepared(), 1, "no more than allowed");
    for _ in 0..8 {
        keys.halve();
    }
    assert_eq!(keys.prepared(), 0);
    assert!(keys.uses.is_empty());
    use_often(&mut keys, &secret(2), WORTH);
    assert_eq!(keys.prepared(), 1);
}

#[test]
fn verdicts_are_those_of_the_key_before_and_after_it_is_prepared() {
    let mut keys = Keys::new(1);
    let (secret, message) = (secret(1), b"message");
    let signature = secret.sign(message);
    let mut reversed = signature;
    reversed.0.reverse();
    for prepared in [0, 1] {
        for (message, signature) in [
            (b"message", signature),
            (b"massage", signature),
            (b"message", reversed),
            (b"message", Signature([0; 64])),
        ] {
            assert_eq!(
                keys.verify(&secret.public(), message, &signature),
                secret.public().verify(message, &signature)
            );
        }
        assert_eq!(keys.prepared(), prepared);
        use_often(&mut keys, &secret, WORTH);
    }
}

#[test]
fn false_signatures_make_no_table_and_do_not_pile_up() {
    let mut keys = Keys::new(1);
    let (victim, message) = (secret(1).public(), b"message");
    for _ in 0..=2 * SPAN {
        let forged = keys.verify(&victim, message, &Signature([0xff; 64]));
        assert_eq!(forged, Err(SignatureError::ScalarNotReduced));
    }
    assert_eq!(keys.prepared(), 0);
    assert!(keys.span <= SPAN);
}

/// Many together have the verdicts they have alone, in their places, whatever stands beside them.
#[test]
fn together_is_as_alone() {
    let mut random = ChaCha20Rng::seed_from_u64(64);
    let secrets: Vec<SecretKey> = (1..4).map(|n| SecretKey::from_seed([n; 32])).collect();
    let publics: Vec<PublicKey> = secrets.iter().map(SecretKey::public).collect();
    let mut keys = Keys::new(2);
    let mut refused = 0;
    for round in 0..40_usize {
        let signed: Vec<(usize, Vec<u8>, Signature)> = (0..round * 5)
            .map(|_| {
                let who = random.next_u32() as usize % secrets.len();
                let mut message = vec![0; random.next_u32() as usize % 90];
                random.fill_bytes(&mut message);
                let mut signature = secrets[who].sign(&message);
                match random.next_u32() % 8 {
                    0 => signature.0[random.next_u32() as usize % 64] ^= 1,
                    1 => signature.0[63] |= 0xf0,
                    2 => signature.0[..32].copy_from_slice(&[[1].as_slice(), &[0; 31]].concat()),
                    3 => message.push(0),
                    _ => {}
                }
                (who, message, signature)
            })
            .collect();
        let parts: Vec<[&[u8]; 2]> = signed
            .iter()
            .map(|(_, message, _)| {
                let (a, b) = message.split_at(message.len() / 3);
                [a, b]
            })
            .collect();
        let statements: Vec<Statement<'_>> = signed
            .iter()
            .zip(&parts)
            .map(|((who, _, signature), parts)| Statement(&publics[*who], parts, signature))
            .collect();
        let alone: Vec<_> = signed
            .iter()
            .map(|(who, message, signature)| publics[*who].verify(message, signature))
            .collect();
        refused += alone.iter().filter(|verdict| verdict.is_err()).count();
        assert_eq!(keys.verify_all(&statements), alone);
    }
    assert_eq!(keys.prepared(), 2);
    assert!(refused > 500, "{refused}");
}
