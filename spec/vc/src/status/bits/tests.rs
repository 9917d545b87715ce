#![allow(clippy::unwrap_used, reason = "a test may panic")]
use proptest::prelude::*;

use super::*;

#[test]
fn the_first_index_is_the_leftmost_bit() {
    let mut list = StatusList::new(16, 1, Order::HighFirst).unwrap();
    list.add(0, 1).unwrap();
    list.add(9, 1).unwrap();
    assert_eq!(list.bytes(), [0x80, 0x40]);
    let mut list = StatusList::new(4, 4, Order::HighFirst).unwrap();
    list.add(0, 0xa).unwrap();
    list.add(3, 0x1).unwrap();
    assert_eq!(list.bytes(), [0xa0, 0x01]);
    // An entry that lies across two bytes.
    let mut list = StatusList::new(8, 3, Order::HighFirst).unwrap();
    list.add(2, 0b101).unwrap();
    assert_eq!(list.bytes(), [0b0000_0010, 0b1000_0000, 0]);
}

/// Token Status List §4.1: its two examples, bit for bit.
#[test]
fn the_other_order_is_that_of_token_lists() {
    let set = [0, 3, 4, 5, 7, 8, 9, 13, 15];
    let mut list = StatusList::new(16, 1, Order::LowFirst).unwrap();
    set.iter().for_each(|index| list.add(*index, 1).unwrap());
    assert_eq!(list.bytes(), [0xb9, 0xa3]);
    let values = [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3];
    let mut list = StatusList::new(12, 2, Order::LowFirst).unwrap();
    for (index, value) in (0..).zip(values) {
        list.add(index, value).unwrap();
        assert_eq!(list.value(index), Ok(value));
    }
    assert_eq!(list.bytes(), [0xc9, 0x44, 0xf9]);
}

#[test]
fn no_entry_beyond_the_end() {
    let mut list = StatusList::new(131_072, 1, Order::HighFirst).unwrap();
    assert_eq!(list.entries(), 131_072);
    for index in [131_072, u64::MAX] {
        let range = StatusError::Range {
            index,
            entries: 131_072,
        };
        assert_eq!(list.value(index), Err(range.clone()));
        assert_eq!(list.add(index, 1), Err(range));
    }
    // 16 bits hold five entries of three bits, and no part of a sixth.
    let list = StatusList::of(vec![0, 0], 3, Order::HighFirst).unwrap();
    assert_eq!(list.entries(), 5);
    assert!(list.value(5).is_err());
}

#[test]
fn no_other_width_and_no_wider_value() {
    let size = |actual| Err(StatusError::Size { actual });
    for (width, order) in [
        (0, Order::HighFirst),
        (9, Order::HighFirst),
        (0, Order::LowFirst),
        (3, Order::LowFirst),
        (16, Order::LowFirst),
    ] {
        assert_eq!(
            StatusList::of(vec![0], width, order),
            size(u64::from(width))
        );
    }
    let too_many = u32::try_from(LIST_BYTES * 8 + 1).unwrap();
    assert_eq!(
        StatusList::new(too_many, 1, Order::HighFirst),
        size(u64::from(too_many))
    );
    let longest = StatusList::new(too_many - 1, 1, Order::HighFirst).unwrap();
    assert_eq!(longest.bytes().len(), LIST_BYTES);
    let mut list = StatusList::new(8, 2, Order::HighFirst).unwrap();
    assert_eq!(list.add(0, 4).map(|()| list.clone()), size(4));
}

#[test]
fn two_at_one_index_lose_nothing() {
    let mut list = StatusList::new(8, 4, Order::HighFirst).unwrap();
    list.add(3, 0b0101).unwrap();
    list.add(3, 0b0011).unwrap();
    list.add(3, 0).unwrap();
    assert_eq!(list.value(3), Ok(0b0111));
    assert_eq!(list.set().collect::<Vec<_>>(), [(3, 0b0111)]);
}

proptest! {
    #[test]
    fn a_value_is_where_it_was_put(
        width in 1_u8..=8, entries in 1_u32..200, index: u32, value: u8, low: bool,
    ) {
        let width = if low { 1_u8 << (width % 4) } else { width };
        let order = if low { Order::LowFirst } else { Order::HighFirst };
        let (index, value) = (u64::from(index % entries), u16::from(value) % (1_u16 << width));
        let value = u8::try_from(value).unwrap();
        let mut list = StatusList::new(entries, width, order).unwrap();
        list.add(index, value).unwrap();
        for other in 0..u64::from(entries) {
            let expected = if other == index { value } else { 0 };
            prop_assert_eq!(list.value(other), Ok(expected));
        }
        let packed = list.bytes().iter().map(|byte| byte.count_ones()).sum::<u32>();
        prop_assert_eq!(packed, value.count_ones());
    }
}
