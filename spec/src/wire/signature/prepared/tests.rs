#![allow(clippy::unwrap_used, reason = "a test may panic")]
use curve25519_dalek::constants::EIGHT_TORSION;
use proptest::prelude::*;

use super::*;
use crate::wire::SecretKey;

fn times(table: &Table, scalar: &Scalar) -> EdwardsPoint {
    let digits = digits(scalar);
    let high = table.add(EdwardsPoint::identity(), &digits, 1);
    table.add(times_two_to(high, WIDTH), &digits, 0)
}

/// The scalar whose every byte is `byte`, not reduced where that is above L.
fn repeated(byte: u8) -> Scalar {
    Scalar::from_bytes_mod_order([byte; 32])
}

#[test]
fn digits_stay_in_range_and_add_up() {
    let edges = [Scalar::ZERO, Scalar::ONE, -Scalar::ONE, Scalar::from(32_u8)];
    let others = (0..=255).map(repeated);
    for scalar in edges.into_iter().chain(others) {
        let digits = digits(&scalar);
        assert!(digits.iter().all(|digit| (-31..=32).contains(digit)));
        let sum = digits.iter().rev().fold(Scalar::ZERO, |sum, digit| {
            let size = Scalar::from(digit.unsigned_abs());
            sum * Scalar::from(64_u8) + if *digit < 0 { -size } else { size }
        });
        assert_eq!(sum, scalar);
    }
}

#[test]
fn a_table_multiplies_points_with_a_torsion_part_as_integers() {
    for torsion in EIGHT_TORSION {
        let point = ED25519_BASEPOINT_POINT + torsion;
        let table = Table::new(point);
        for scalar in [Scalar::ZERO, Scalar::ONE, -Scalar::ONE, repeated(0x5a)] {
            assert_eq!(times(&table, &scalar), point * scalar);
        }
    }
}

#[test]
fn memory_is_what_is_stated() {
    let key = PreparedKey::new(SecretKey::from_seed([1; 32]).public());
    assert_eq!(size_of_val(key.minus.0.as_slice()), PreparedKey::MEMORY);
    assert_eq!(PreparedKey::MEMORY, 112_640);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_table_multiplies(seed in any::<[u8; 32]>(), scalar in any::<[u8; 32]>()) {
        let key = SecretKey::from_seed(seed).public();
        let scalar = Scalar::from_bytes_mod_order(scalar);
        prop_assert_eq!(times(&Table::new(key.minus), &scalar), key.minus * scalar);
        prop_assert_eq!(times(&BASE, &scalar), EdwardsPoint::mul_base(&scalar));
    }

    #[test]
    fn the_verdict_is_that_of_the_key(
        seed in any::<[u8; 32]>(),
        message in any::<Vec<u8>>(),
        flips in proptest::collection::vec(0_usize..512, 0..3),
    ) {
        let secret = SecretKey::from_seed(seed);
        let mut signature = secret.sign(&message);
        for flip in flips {
            signature.0[flip / 8] ^= 1 << (flip % 8);
        }
        let prepared = PreparedKey::new(secret.public());
        prop_assert_eq!(
            prepared.verify(&message, &signature),
            secret.public().verify(&message, &signature)
        );
    }
}
