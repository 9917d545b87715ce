#![allow(clippy::unwrap_used, reason = "a test may panic")]
use proptest::prelude::*;

use super::*;

#[test]
fn what_is_packed_comes_back() {
    for bytes in [vec![], vec![0; 16 << 10], b"zhao".repeat(1_000)] {
        assert_eq!(gunzip(&gzip(&bytes).unwrap()), Ok(bytes.clone()));
        assert_eq!(unzlib(&zlib(&bytes).unwrap()), Ok(bytes));
    }
}

#[test]
fn the_checksum_is_that_of_rfc_1952() {
    // The check value of CRC-32/ISO-HDLC.
    assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
}

/// A header of RFC 1952 with every optional part, and a body.
#[test]
fn names_and_comments_of_other_writers_are_read() {
    let plain = gzip(b"list").unwrap();
    let mut head = vec![0x1f, 0x8b, 8, 4 | 8 | 16 | 2, 1, 2, 3, 4, 2, 3];
    head.extend_from_slice(&[3, 0, 9, 9, 9]);
    head.extend_from_slice(b"name\0comment\0");
    let [low, high, ..] = crc32(&head).to_le_bytes();
    let whole = |check: [u8; 2]| [&head, check.as_slice(), &plain[10..]].concat();
    assert_eq!(gunzip(&whole([low, high])), Ok(b"list".to_vec()));
    assert_eq!(gunzip(&whole([low ^ 1, high])), Err(PackError::Checksum));
    for cut in 0..head.len() + 2 {
        let short = &whole([low, high])[..cut];
        assert_eq!(gunzip(short), Err(NOT_GZIP), "{cut}");
    }
}

#[test]
fn another_header_is_refused() {
    let good = gzip(b"list").unwrap();
    for (at, value) in [
        (0, 0x1e),
        (1, 0x8c),
        (2, 7),
        (3, 0x20),
        (3, 0x40),
        (3, 0x80),
    ] {
        let mut bad = good.clone();
        bad[at] = value;
        assert_eq!(gunzip(&bad), Err(NOT_GZIP), "{at}");
    }
    assert_eq!(gunzip(b""), Err(NOT_GZIP));
    assert_eq!(gunzip(&zlib(b"list").unwrap()), Err(NOT_GZIP));
    let not_zlib = Err(PackError::Header { expected: "zlib" });
    assert_eq!(unzlib(&good), not_zlib);
    assert_eq!(unzlib(b"x"), not_zlib);
    // Another method, a preset dictionary, a window beyond 32 KiB, no multiple of 31.
    for head in [[0x79, 0x18], [0x78, 0xbb], [0x88, 0x1c], [0x78, 0x9d]] {
        let mut bad = zlib(b"list").unwrap();
        bad[..2].copy_from_slice(&head);
        assert_eq!(unzlib(&bad), not_zlib);
    }
}

#[test]
fn the_end_must_be_true() {
    let good = gzip(&[7; 300]).unwrap();
    let end = good.len() - 8;
    let changed = |at: usize| {
        let mut bad = good.clone();
        bad[at] ^= 1;
        gunzip(&bad)
    };
    assert_eq!(changed(end), Err(PackError::Checksum));
    assert_eq!(
        changed(end + 4),
        Err(PackError::Length {
            stated: 301,
            actual: 300
        })
    );
    for cut in 10..good.len() {
        assert_eq!(gunzip(&good[..cut]), Err(PackError::Data), "{cut}");
    }
    let mut bad = zlib(&[7; 300]).unwrap();
    *bad.last_mut().unwrap() ^= 1;
    assert_eq!(unzlib(&bad), Err(PackError::Checksum));
    bad.pop();
    assert_eq!(unzlib(&bad), Err(PackError::Data));
}

#[test]
fn nothing_follows() {
    let two = [gzip(b"a").unwrap(), gzip(b"b").unwrap()].concat();
    let actual = two.len() / 2;
    assert_eq!(gunzip(&two), Err(PackError::Trailing { actual }));
    let mut one = gzip(b"a").unwrap();
    one.push(0);
    assert_eq!(gunzip(&one), Err(PackError::Trailing { actual: 1 }));
    let mut one = zlib(b"a").unwrap();
    one.push(0);
    assert_eq!(unzlib(&one), Err(PackError::Trailing { actual: 1 }));
}

/// A bomb costs the limit and no more: it is stopped where the limit is, not where it ends.
#[test]
fn a_bomb_is_refused() {
    let bomb = vec![0; LIST_BYTES + 1];
    let too_long = Err(PackError::TooLong {
        limit: LIST_BYTES,
        stage: "inflated",
    });
    let raw = compress_to_vec(&vec![0; 40 << 20], 9);
    assert!(raw.len() < PACKED_BYTES);
    let end = [0; 8];
    assert_eq!(gunzip(&[&HEADER[..], &raw, &end].concat()), too_long);
    assert_eq!(unzlib(&compress_to_vec_zlib(&bomb, 9)), too_long);
    assert_eq!(gzip(&bomb), too_long);
    assert_eq!(zlib(&bomb), too_long);
    let whole = vec![0; LIST_BYTES];
    assert_eq!(gunzip(&gzip(&whole).unwrap()), Ok(whole));
}

#[test]
fn a_long_text_is_refused_before_it_is_looked_at() {
    let too_long = Err(PackError::TooLong {
        limit: PACKED_BYTES,
        stage: "compressed",
    });
    assert_eq!(gunzip(&vec![0; PACKED_BYTES + 1]), too_long);
    assert_eq!(unzlib(&vec![0; PACKED_BYTES + 1]), too_long);
    assert_eq!(gunzip(&vec![0; PACKED_BYTES]), Err(NOT_GZIP));
    // Bytes without a pattern do not shrink.
    let mut state = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state.to_le_bytes()[7]
    })
    .take(PACKED_BYTES)
    .collect();
    assert_eq!(gzip(&noise), too_long);
}

proptest! {
    #[test]
    fn any_bytes_come_back(bytes in proptest::collection::vec(any::<u8>(), 0..5_000)) {
        prop_assert_eq!(gunzip(&gzip(&bytes).unwrap()), Ok(bytes.clone()));
        prop_assert_eq!(unzlib(&zlib(&bytes).unwrap()), Ok(bytes));
    }

    #[test]
    fn a_changed_bit_is_never_another_list(
        bytes in proptest::collection::vec(any::<u8>(), 1..200), at: usize, bit in 0_u8..8,
    ) {
        let mut packed = gzip(&bytes).unwrap();
        let at = at % packed.len();
        packed[at] ^= 1_u8 << bit;
        // Time, extra flags and system say nothing of the content.
        if let Ok(out) = gunzip(&packed) {
            prop_assert_eq!(out, bytes);
        }
    }

    #[test]
    fn any_input_is_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _answer = (gunzip(&bytes), unzlib(&bytes));
        let _answer = gunzip(&[&HEADER[..], &bytes].concat());
        let _answer = unzlib(&[&[0x78, 0x9c][..], &bytes].concat());
    }
}
