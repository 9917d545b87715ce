//! How large forms are: the credential of the acceptance test, in a log of a million subjects.

use super::super::{codes, encode, expand};
use super::world::World;

/// Where the way to `key` branches among sorted `keys`, all of them 64 bits of random keys that
/// agree in their first byte.
fn depths(keys: &[u64], key: u64) -> Vec<u8> {
    let branches = |depth: &u8| {
        let shift = 63 - u32::from(*depth);
        let first = ((key >> shift) ^ 1) << shift;
        let at = keys.partition_point(|other| *other < first);
        keys.get(at)
            .is_some_and(|other| (other ^ first) >> shift == 0)
    };
    // The kinds of subjects differ in bits 5 to 7 of the tag.
    (5..=7)
        .filter(|depth| *depth != 6)
        .chain((0..55).filter(branches).map(|depth| depth + 8))
        .collect()
}

#[test]
fn a_credential_of_fifteen_claims_fits_the_printed_code() {
    let mut world = World::new(45);
    // Half the subjects are licences, half holders.
    let mut keys: Vec<u64> = (0..500_000).map(|_| world.number(u64::MAX)).collect();
    keys.sort_unstable();
    let mut sizes = Vec::new();
    for _ in 0..1_000 {
        let key = keys[usize::try_from(world.number(500_000)).unwrap()];
        let face = world.face(15, 12);
        let claims = world.claims(face);
        let size = 1_000_000 + world.number(200_000);
        let dossier = world.dossier(&claims, depths(&keys, key), size, 1_000_000);
        let form = encode(&dossier).unwrap();
        assert_eq!(expand(&form).unwrap(), dossier.bytes());
        assert_eq!(codes(&form).unwrap().len(), 1);
        sizes.push(form.len());
    }
    sizes.sort_unstable();
    let median = sizes[500];
    println!("median {median}, p99 {}, most {}", sizes[990], sizes[999]);
    assert!(median <= 2_300, "median {median}");
}
