//! A list of small numbers, packed into bytes.

use super::StatusError;
use super::pack::LIST_BYTES;

/// In which order a byte is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// From the most significant bit: Bitstring Status List §2.2.
    HighFirst,
    /// From the least significant bit: Token Status List §4.1.
    LowFirst,
}

/// So many entries of so many bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusList {
    bytes: Vec<u8>,
    size: u8,
    order: Order,
}

impl StatusList {
    /// The widest entry, bits.
    pub const SIZE: u8 = 8;

    /// `entries` zeros of `size` bits (1 to 8), rounded up to whole bytes.
    ///
    /// # Errors
    /// [`StatusError::Size`]: another width, or more than a list may have.
    pub fn new(entries: u32, size: u8, order: Order) -> Result<Self, StatusError> {
        let bytes = usize::try_from(
            u64::from(entries)
                .saturating_mul(u64::from(size))
                .div_ceil(8),
        );
        match bytes {
            Ok(bytes) if bytes <= LIST_BYTES => Self::of(vec![0; bytes], size, order),
            _ => Err(StatusError::Size {
                actual: u64::from(entries),
            }),
        }
    }

    /// The list in `bytes`.
    ///
    /// # Errors
    /// [`StatusError::Size`]: not 1 to 8 bits an entry, or not 1, 2, 4 or 8 lowest bits first.
    pub fn of(bytes: Vec<u8>, size: u8, order: Order) -> Result<Self, StatusError> {
        let known = match order {
            Order::HighFirst => (1..=Self::SIZE).contains(&size),
            Order::LowFirst => matches!(size, 1 | 2 | 4 | 8),
        };
        if !known {
            return Err(StatusError::Size {
                actual: u64::from(size),
            });
        }
        Ok(Self { bytes, size, order })
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bits of an entry.
    #[must_use]
    pub fn size(&self) -> u8 {
        self.size
    }

    /// The bits of an entry, if the list is in the order of Token Status List.
    pub(super) fn low_first(&self) -> Result<u8, StatusError> {
        match self.order {
            Order::LowFirst => Ok(self.size),
            Order::HighFirst => Err(StatusError::Size {
                actual: u64::from(self.size),
            }),
        }
    }

    /// The bytes, if the list is in the order of Bitstring Status List.
    pub(super) fn high_first(&self) -> Result<&[u8], StatusError> {
        match self.order {
            Order::HighFirst => Ok(&self.bytes),
            Order::LowFirst => Err(StatusError::Size {
                actual: u64::from(self.size),
            }),
        }
    }

    /// How many whole entries there are.
    #[must_use]
    pub fn entries(&self) -> u64 {
        let bits = u64::try_from(self.bytes.len())
            .unwrap_or(u64::MAX)
            .saturating_mul(8);
        bits.checked_div(u64::from(self.size)).unwrap_or(0)
    }

    /// The value of entry `index`.
    ///
    /// # Errors
    /// [`StatusError::Range`].
    pub fn value(&self, index: u64) -> Result<u8, StatusError> {
        self.within(index)?;
        let mut value = 0_u8;
        for (byte, mask) in self.places(index) {
            let set = self.bytes.get(byte).is_some_and(|byte| byte & mask != 0);
            value = value.wrapping_shl(1) | u8::from(set);
        }
        Ok(value)
    }

    /// Makes entry `index` what it is or `value`, bit by bit: no other entry's statement is lost
    /// where two should share an index.
    ///
    /// # Errors
    /// [`StatusError::Range`]; [`StatusError::Size`] for a value that needs more bits.
    pub fn add(&mut self, index: u64, value: u8) -> Result<(), StatusError> {
        self.within(index)?;
        if value.checked_shr(u32::from(self.size)).unwrap_or(0) != 0 {
            return Err(StatusError::Size {
                actual: u64::from(value),
            });
        }
        let top = self.size.saturating_sub(1);
        for ((byte, mask), bit) in self.places(index).zip((0..=top).rev()) {
            if value.wrapping_shr(u32::from(bit)) & 1 == 1
                && let Some(byte) = self.bytes.get_mut(byte)
            {
                *byte |= mask;
            }
        }
        Ok(())
    }

    /// The indexes whose values are not zero, ascending, with them.
    pub fn set(&self) -> impl Iterator<Item = (u64, u8)> + '_ {
        (0..self.entries()).filter_map(|index| match self.value(index) {
            Ok(value) if value != 0 => Some((index, value)),
            _ => None,
        })
    }

    fn within(&self, index: u64) -> Result<(), StatusError> {
        let entries = self.entries();
        if index >= entries {
            return Err(StatusError::Range { index, entries });
        }
        Ok(())
    }

    /// Byte and mask of each bit of an entry, the most significant first.
    fn places(&self, index: u64) -> impl Iterator<Item = (usize, u8)> + use<> {
        let (size, order) = (u64::from(self.size), self.order);
        let first = index.saturating_mul(size);
        (0..size).map(move |bit| {
            let at = match order {
                Order::HighFirst => first.saturating_add(bit),
                Order::LowFirst => first.saturating_add(size.saturating_sub(bit).saturating_sub(1)),
            };
            let shift = u32::try_from(at % 8).unwrap_or(0);
            let mask = match order {
                Order::HighFirst => 0x80_u8.wrapping_shr(shift),
                Order::LowFirst => 1_u8.wrapping_shl(shift),
            };
            (usize::try_from(at / 8).unwrap_or(usize::MAX), mask)
        })
    }
}

#[cfg(test)]
mod tests;
