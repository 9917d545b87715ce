//! Deflated streams: the same texts by other writers, and what RFC 1951 does not allow.

use super::super::super::texts::deflate;

/// A stored block.
fn stored(last: bool, bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    let head = [
        u8::from(last),
        length.to_le_bytes()[0],
        length.to_le_bytes()[1],
    ];
    let complement = (!length).to_le_bytes();
    [head.as_slice(), &complement, bytes].concat()
}

/// Writes bits, the lowest first.
#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn low(mut self, value: u32, bits: u32) -> Self {
        self.0.extend((0..bits).map(|bit| value >> bit & 1 == 1));
        self
    }

    /// A Huffman code: the highest bit first.
    fn code(mut self, value: u32, bits: u32) -> Self {
        self.0
            .extend((0..bits).rev().map(|bit| value >> bit & 1 == 1));
        self
    }

    /// A byte as literal of the fixed code.
    fn literal(self, byte: u8) -> Self {
        match u32::from(byte) {
            small @ 0..=143 => self.code(0x30 + small, 8),
            large => self.code(0x190 + large - 144, 9),
        }
    }

    /// A stored block, from the next byte on.
    fn stored(mut self, last: bool, bytes: &[u8]) -> Self {
        self = self.low(u32::from(last), 1).low(0, 2);
        self.0.resize(self.0.len().next_multiple_of(8), false);
        let length = u32::try_from(bytes.len()).unwrap();
        self = self.low(length, 16).low(!length & 0xffff, 16);
        bytes
            .iter()
            .fold(self, |bits, byte| bits.low(u32::from(*byte), 8))
    }

    /// The head of a block that is not the last, with codes of its own: the lengths, at most 2, of
    /// its literals from the end of the block on, and of its distances.
    fn codes(self, literals: &[u32], distances: &[u32]) -> Self {
        let count = |lengths: &[u32]| u32::try_from(lengths.len()).unwrap() - 1;
        let mut bits = self.low(0, 1).low(2, 2);
        bits = bits.low(count(literals), 5).low(count(distances), 5);
        // Two bits for each of the symbols 18, 0, 2 and 1, which are the third, fourth, sixteenth
        // and eighteenth to be told of.
        bits = bits.low(14, 4).low(0, 6).low(0o22, 6).low(0, 30).low(0, 3);
        bits = bits.low(2, 3).low(0, 3).low(2, 3);
        let zeros = |bits: Self, count: u32| bits.code(3, 2).low(count - 11, 7);
        bits = zeros(zeros(bits, 138), 118);
        let lengths = literals.iter().chain(distances);
        lengths.fold(bits, |bits, length| bits.code(*length, 2))
    }

    fn bytes(&self) -> Vec<u8> {
        let byte = |bits: &[bool]| {
            bits.iter()
                .rev()
                .fold(0, |sum, bit| sum << 1 | u8::from(*bit))
        };
        self.0.chunks(8).map(byte).collect()
    }
}

/// The place of a repetition of three bytes, and how far back they are.
fn repetition(bytes: &[u8]) -> (usize, u32) {
    let earlier = |at: usize| bytes[..at].windows(3).position(|w| *w == bytes[at..at + 3]);
    let found = (0..bytes.len() - 2).find_map(|at| Some((at, at - earlier(at)?)));
    let (at, distance) = found.unwrap();
    (at, u32::try_from(distance).unwrap())
}

/// The texts with a block in which one distance stands alone in its code, of so many bits.
fn lone_distance(joined: &[u8], length: u32, code: u32) -> Vec<u8> {
    let (at, distance) = repetition(joined);
    // RFC 1951 §3.2.5: two symbols for each number of further bits.
    let from = distance - 1;
    let more = from.ilog2() - 1;
    let symbol = 2 * (more + 1) + (from >> more & 1);
    let mut distances = vec![0; usize::try_from(symbol).unwrap()];
    distances.push(length);
    let further = from & ((1 << more) - 1);
    let bits = Bits::default()
        .stored(false, &joined[..at])
        .codes(&[1, 1], &distances)
        .code(1, 1)
        .code(code, length)
        .low(further, more)
        .code(0, 1);
    bits.stored(true, &joined[at + 3..]).bytes()
}

/// The texts after a block of nothing but its end, which stands alone in its code.
fn lone_end(joined: &[u8], length: u32, code: u32) -> Vec<u8> {
    let bits = Bits::default().codes(&[length], &[0]).code(code, length);
    bits.stored(true, joined).bytes()
}

/// The texts after an empty block with such codes, its end the first of two literals.
fn empty_block(joined: &[u8], literals: &[u32], distances: &[u32]) -> Vec<u8> {
    let bits = Bits::default().codes(literals, distances);
    bits.code(0, literals[0]).stored(true, joined).bytes()
}

/// The same texts, deflated by other writers.
pub(super) fn accepted(joined: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let (a, b) = joined.split_at(100);
    let mut fixed = Bits::default().low(1, 1).low(1, 2);
    for byte in joined {
        fixed = fixed.literal(*byte);
    }
    vec![
        ("stored", stored(true, joined)),
        (
            "stored-in-three-blocks",
            [stored(false, a), stored(false, &[]), stored(true, b)].concat(),
        ),
        ("fixed-code", fixed.code(0, 7).bytes()),
        (
            "stored-then-fixed",
            [
                stored(false, joined),
                Bits::default().low(3, 3).code(0, 7).bytes(),
            ]
            .concat(),
        ),
        ("lone-end-of-one-bit", lone_end(joined, 1, 0)),
        ("lone-distance-of-one-bit", lone_distance(joined, 1, 0)),
        (
            "two-distances-of-one-bit",
            empty_block(joined, &[1, 1], &[1, 1]),
        ),
    ]
}

/// Streams that are refused: name, code, bytes.
pub(super) fn refused(joined: &[u8]) -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let good = deflate(joined);
    let mut lengths = stored(true, joined);
    lengths[3] ^= 1;
    let fixed = || Bits::default().low(1, 1).low(1, 2);
    let end = |bits: Bits| bits.code(0, 7).low(0, 16).bytes();
    // Distance symbol 22: 2,049 and 10 bits more. The dictionary has 2,509 bytes.
    let reaching = |far: u32| {
        fixed()
            .code(1, 7)
            .code(22, 5)
            .low(far - 2_049, 10)
            .code(0, 7)
    };
    let head = |literals: u32, distances: u32| {
        let counts = (literals - 257, distances - 1);
        let bits = Bits::default().low(1, 1).low(2, 2);
        bits.low(counts.0, 5).low(counts.1, 5).low(0, 4)
    };
    // Lengths of the code length code, in the order 16, 17, 18, 0, three bits each, lowest first.
    let all = |bits: Bits| bits.low(0o1111, 12);
    let (of_16_and_18, of_18_and_0) = (0o0101, 0o1100);
    let zeros = |bits: Bits, more: u32| bits.code(1, 1).low(more, 7);
    let beyond = zeros(
        zeros(zeros(head(257, 1).low(of_16_and_18, 12), 127), 127),
        127,
    );
    let none = zeros(zeros(head(257, 1).low(of_18_and_0, 12), 127), 109);
    let bomb = fixed().literal(b'x');
    let bomb = (0..1_100).fold(bomb, |bits, _| bits.code(0xc5, 8).code(0, 5));
    let most = vec![0xff; 262_145];
    #[rustfmt::skip]
    let cases = vec![
        ("texts-of-no-bytes", "qr-inflate", vec![]),
        ("stream-cut", "qr-inflate", good[..good.len() - 1].to_vec()),
        ("byte-after-the-stream", "qr-inflate", [&good[..], &[0]].concat()),
        ("two-streams", "qr-inflate", good.repeat(2)),
        ("no-last-block", "qr-inflate", stored(false, joined)),
        ("block-type-3", "qr-inflate", vec![7]),
        ("stored-lengths-disagree", "qr-inflate", lengths),
        ("stored-block-cut", "qr-inflate", stored(true, joined)[..50].to_vec()),
        ("zlib-header", "qr-inflate", [&[0x78, 0xda], &good[..]].concat()),
        ("length-symbol-286", "qr-inflate", end(fixed().code(0xc6, 8).code(0, 5))),
        ("distance-symbol-30", "qr-inflate", end(fixed().code(1, 7).code(30, 5))),
        ("distance-before-the-dictionary", "qr-inflate", reaching(2_510).bytes()),
        ("distance-to-its-first-byte", "qr-texts", reaching(2_509).bytes()),
        ("codes-287", "qr-inflate", end(all(head(287, 1)))),
        ("distance-codes-31", "qr-inflate", end(all(head(257, 31)))),
        ("code-lengths-over-subscribed", "qr-inflate", end(all(head(257, 1)))),
        ("code-lengths-incomplete", "qr-inflate", end(head(257, 1).low(0o0002, 12))),
        ("code-lengths-empty", "qr-inflate", end(head(257, 1).low(0, 12))),
        ("repetition-of-nothing", "qr-inflate",
         end(head(257, 1).low(of_16_and_18, 12).code(0, 1).low(0, 2))),
        ("repetition-beyond-the-end", "qr-inflate", end(beyond)),
        ("no-codes", "qr-inflate", end(none)),
        ("lone-end-of-two-bits", "qr-inflate", lone_end(joined, 2, 0)),
        ("lone-distance-of-two-bits", "qr-inflate", lone_distance(joined, 2, 0)),
        ("lone-code-length-of-one-bit", "qr-inflate", end(head(257, 1).low(0o0001, 12))),
        ("other-bit-of-a-lone-end", "qr-inflate", lone_end(joined, 1, 1)),
        ("other-bit-of-a-lone-distance", "qr-inflate", lone_distance(joined, 1, 1)),
        ("two-literals-of-two-bits", "qr-inflate", empty_block(joined, &[2, 2], &[0])),
        ("two-distances-of-two-bits", "qr-inflate", empty_block(joined, &[1, 1], &[2, 2])),
        ("three-distances-of-one-bit", "qr-inflate", empty_block(joined, &[1, 1], &[1, 1, 1])),
        ("bomb", "qr-texts-too-long", bomb.code(0, 7).bytes()),
        ("one-byte-more-than-allowed", "qr-texts-too-long", deflate(&most)),
        ("as-many-bytes-as-allowed", "qr-texts", deflate(&most[1..])),
    ];
    cases
}
