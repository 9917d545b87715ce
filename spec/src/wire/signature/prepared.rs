//! A key that verifies many signatures, with the multiples of its point computed beforehand.
#![allow(
    clippy::arithmetic_side_effects,
    reason = "points are a group: nothing overflows"
)]

use std::fmt;
use std::sync::LazyLock;

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity as _;

use super::{PublicKey, Signature, SignatureError};

/// Bits of a digit.
const WIDTH: usize = 6;
/// Digits that share the doublings: every second digit has no table of its own.
const COLUMNS: usize = 2;
/// Digits of a scalar: 33 bytes of eight bits are 44 digits of six.
const DIGITS: usize = 44;
/// Digits are from −31 to 32, so there are 32 multiples beside zero.
const MULTIPLES: usize = 32;

/// The multiples of the base point B, computed once.
static BASE: LazyLock<Table> = LazyLock::new(|| Table::new(ED25519_BASEPOINT_POINT));

/// Row i holds the multiples 1 to 32 of 2^(12·i)·P.
struct Table(Vec<[EdwardsPoint; MULTIPLES]>);

impl Table {
    fn new(point: EdwardsPoint) -> Self {
        let mut base = point;
        let row = |_| {
            let mut multiple = EdwardsPoint::identity();
            let row = [(); MULTIPLES].map(|()| {
                multiple += base;
                multiple
            });
            base = times_two_to(base, WIDTH * COLUMNS);
            row
        };
        Self((0..DIGITS / COLUMNS).map(row).collect())
    }

    /// The sum with this table's part of one column of digits.
    fn add(&self, sum: EdwardsPoint, digits: &[i8; DIGITS], column: usize) -> EdwardsPoint {
        let digits = digits.iter().skip(column).step_by(COLUMNS);
        self.0.iter().zip(digits).fold(sum, |sum, (row, digit)| {
            let place = usize::from(digit.unsigned_abs()).checked_sub(1);
            match place.and_then(|place| row.get(place)) {
                None => sum,
                Some(multiple) if *digit > 0 => sum + multiple,
                Some(multiple) => sum - multiple,
            }
        })
    }
}

fn times_two_to(point: EdwardsPoint, power: usize) -> EdwardsPoint {
    (0..power).fold(point, |point, _| point + point)
}

/// The digits of a scalar to the base 64, least first, each from −31 to 32.
fn digits(scalar: &Scalar) -> [i8; DIGITS] {
    let mut bytes = [0; 33];
    let (low, _) = bytes.split_at_mut(32);
    low.copy_from_slice(scalar.as_bytes());
    let mut digits = [0; DIGITS];
    let mut carry = 0_i8;
    for (three, four) in bytes.chunks_exact(3).zip(digits.chunks_exact_mut(4)) {
        let mut bits = three
            .iter()
            .rev()
            .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        for digit in four {
            // Six bits and a carry: at most 64.
            let value = i8::try_from(bits & 0x3f).unwrap_or(0) + carry;
            bits >>= WIDTH;
            carry = i8::from(value > 32);
            *digit = value - (carry << WIDTH);
        }
    }
    digits
}

/// A public key with a table of multiples of its point.
///
/// A verification takes two thirds of the time of [`PublicKey::verify`] and has the same verdict;
/// the table costs about eight verifications and [`PreparedKey::MEMORY`].
pub struct PreparedKey {
    key: PublicKey,
    minus: Table,
}

impl PreparedKey {
    /// Memory of a table, bytes.
    pub const MEMORY: usize = DIGITS / COLUMNS * MULTIPLES * size_of::<EdwardsPoint>();

    /// Computes the table.
    #[must_use]
    pub fn new(key: PublicKey) -> Self {
        Self {
            key,
            minus: Table::new(key.minus),
        }
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Checks a signature over `message`, strictly.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        self.verify_parts(&[message], signature)
    }

    /// As [`PreparedKey::verify`], over a message in parts that are laid end to end.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify_parts(
        &self,
        message: &[&[u8]],
        signature: &Signature,
    ) -> Result<(), SignatureError> {
        self.key.verify_by(message, signature, self.equation())
    }

    /// s·B − k·A from k and s.
    pub(super) fn equation(&self) -> impl Fn(&Scalar, &Scalar) -> EdwardsPoint {
        |k, s| {
            let (k, s) = (digits(k), digits(s));
            let mut sum = EdwardsPoint::identity();
            for column in (0..COLUMNS).rev() {
                sum = times_two_to(sum, if column + 1 < COLUMNS { WIDTH } else { 0 });
                sum = BASE.add(self.minus.add(sum, &k, column), &s, column);
            }
            sum
        }
    }
}

impl fmt::Debug for PreparedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PreparedKey({})", self.key)
    }
}

#[cfg(test)]
mod tests;
