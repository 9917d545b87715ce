//! base58btc of the two lengths that occur by the million, keys and signatures, several digits at a
//! time. Everything else, and every text that is wrong, goes through the library.

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// The digit of each ASCII character, 255 for none.
const DIGIT: [u8; 128] = digits();
/// Digits at a time: 58^5 still fits 32 bits.
const GROUP: usize = 5;
const BASE: u64 = 58 * 58 * 58 * 58 * 58;
/// Words of a number: 64 bytes.
const WORDS: usize = 16;
/// Most bytes of a number.
pub(super) const MAX_BYTES: usize = WORDS * 4;

#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "computed by the compiler, where the checked forms are missing; 58 digits fit a byte"
)]
const fn digits() -> [u8; 128] {
    let mut table = [255; 128];
    let mut digit = 0;
    while digit < ALPHABET.len() {
        table[ALPHABET[digit] as usize] = digit as u8;
        digit += 1;
    }
    table
}

/// The lower 32 bits.
fn low(n: u64) -> u32 {
    u32::try_from(n & 0xffff_ffff).unwrap_or(0)
}

/// Appends the digits of at most [`MAX_BYTES`] bytes; `false`, and nothing appended, for more.
pub(super) fn encode(bytes: &[u8], out: &mut String) -> bool {
    if bytes.len() > MAX_BYTES {
        return false;
    }
    // Words from the highest, the last full.
    let mut words = [0_u32; WORDS];
    for (word, four) in words.iter_mut().rev().zip(bytes.rchunks(4)) {
        *word = four
            .iter()
            .fold(0, |word, byte| word << 8 | u32::from(*byte));
    }
    // Digits from the lowest: 64 bytes have 88.
    let mut digits = [0_u8; 90];
    let mut used = 0;
    for (at, group) in digits.chunks_exact_mut(GROUP).enumerate() {
        let zeros = words.iter().take_while(|word| **word == 0).count();
        if zeros == WORDS {
            break;
        }
        let mut remainder = 0_u64;
        for word in words.iter_mut().skip(zeros) {
            let value = remainder << 32 | u64::from(*word);
            *word = low(value / BASE);
            remainder = value % BASE;
        }
        for (place, digit) in group.iter_mut().enumerate() {
            *digit = u8::try_from(remainder % 58).unwrap_or(0);
            remainder /= 58;
            if *digit != 0 {
                used = at
                    .saturating_mul(GROUP)
                    .saturating_add(place)
                    .saturating_add(1);
            }
        }
    }
    // A zero byte at the beginning is a digit of its own.
    out.extend(bytes.iter().take_while(|byte| **byte == 0).map(|_| '1'));
    let written = digits.iter().take(used).rev();
    out.extend(
        written.filter_map(|digit| ALPHABET.get(usize::from(*digit)).copied().map(char::from)),
    );
    true
}

/// The bytes of digits, if they are exactly `N`, at most [`MAX_BYTES`].
pub(super) fn decode<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    // Words from the lowest.
    let mut words = [0_u32; WORDS];
    let mut used = 0;
    for group in text.chunks(GROUP) {
        let (mut base, mut carry) = (1_u64, 0_u64);
        for character in group {
            let digit = DIGIT
                .get(usize::from(*character))
                .filter(|digit| **digit < 58)?;
            base = base.wrapping_mul(58);
            carry = carry.wrapping_mul(58).wrapping_add(u64::from(*digit));
        }
        for word in words.iter_mut().take(used) {
            // Below 2^32 · 58^5 + 2^32, so it does not overflow.
            let value = u64::from(*word).wrapping_mul(base).wrapping_add(carry);
            *word = low(value);
            carry = value >> 32;
        }
        if carry > 0 {
            *words.get_mut(used)? = low(carry);
            used = used.saturating_add(1);
        }
    }
    let mut bytes = [0; N];
    let mut number = words.iter().flat_map(|word| word.to_le_bytes());
    for byte in bytes.iter_mut().rev() {
        *byte = number.next()?;
    }
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let ones = text.iter().take_while(|digit| **digit == b'1').count();
    (zeros == ones && number.all(|byte| byte == 0)).then_some(bytes)
}
