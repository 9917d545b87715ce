//! Counters taken in blocks: one statement a chunk instead of one a row.

use std::collections::HashMap;

use crate::records::{RecordsError, Transaction};

/// Blocks taken for one chunk. What is left over is given back in the same transaction, so that
/// numbers have no gaps.
pub(super) struct Counters {
    /// Values to take at once: at most one a row is needed, as a rule.
    block: u64,
    taken: HashMap<(String, String, &'static str, u16), Block>,
}

#[derive(Clone, Copy, Default)]
struct Block {
    next: u64,
    last: u64,
}

impl Counters {
    pub(super) fn new(rows: usize) -> Self {
        Self {
            block: u64::try_from(rows).unwrap_or(u64::MAX).max(1),
            taken: HashMap::new(),
        }
    }

    /// The next value of a counter, from 1.
    pub(super) fn next(
        &mut self,
        transaction: &Transaction<'_>,
        unit: &str,
        type_code: &str,
        purpose: &'static str,
        year: u16,
    ) -> Result<u64, RecordsError> {
        let key = (unit.to_owned(), type_code.to_owned(), purpose, year);
        let block = self.taken.entry(key).or_default();
        if block.next == block.last {
            let last = transaction.count_by(unit, type_code, purpose, year, self.block)?;
            *block = Block {
                next: last.saturating_sub(self.block),
                last,
            };
        }
        block.next = block.next.saturating_add(1);
        Ok(block.next)
    }

    /// Gives back what was not needed.
    pub(super) fn give_back(self, transaction: &Transaction<'_>) -> Result<(), RecordsError> {
        for ((unit, type_code, purpose, year), block) in self.taken {
            if block.next < block.last {
                transaction.uncount(&unit, &type_code, purpose, year, block.last, block.next)?;
            }
        }
        Ok(())
    }
}
