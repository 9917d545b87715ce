//! Receipts of batches: what came together is kept together.
//!
//! Rows of the outbox that were handed in as one batch and stand side by side in the log need one
//! row here, with 32 bytes an event: each receipt is made from it when it is asked for.

use rusqlite::OptionalExtension as _;
use zhao_spec::file::Receipts;
use zhao_spec::life::event::Event;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::{Hash, UnixMillis};

use super::outbox::parse;
use super::{Records, RecordsError, Transaction, time};

/// Bytes of a leaf hash.
const HASH: usize = 32;

/// What is wrong with a row of the table.
fn damaged(column: &'static str, expected: &'static str) -> RecordsError {
    RecordsError::Damaged {
        table: "receipt_batches",
        column,
        expected,
    }
}

impl Transaction<'_> {
    /// Writes down that the ledger took the rows from `first` on, whose leaves are `leaves`, and
    /// how that is proved. The caller has checked `receipts` against the leaves. Returns false, and
    /// writes nothing, if one of the rows is not pending.
    ///
    /// # Errors
    /// The database refuses.
    pub fn settle_batch(
        &self,
        first: i64,
        leaves: &[Hash],
        receipts: &Receipts,
        now: UnixMillis,
    ) -> Result<bool, RecordsError> {
        let count = i64::try_from(leaves.len()).unwrap_or(i64::MAX);
        let last = first.saturating_add(count).saturating_sub(1);
        let pending: i64 = self
            .sql
            .prepare_cached("SELECT COUNT(*) FROM outbox_pending WHERE outbox BETWEEN ?1 AND ?2")?
            .query_row((first, last), |row| row.get(0))?;
        if pending != count || count == 0 {
            return Ok(false);
        }
        self.sql
            .prepare_cached("DELETE FROM outbox_pending WHERE outbox BETWEEN ?1 AND ?2")?
            .execute((first, last))?;
        let hashes: Vec<u8> = leaves.iter().flat_map(|leaf| leaf.0).collect();
        self.sql
            .prepare_cached(
                "INSERT INTO receipt_batches (first_outbox, last_outbox, receipts, leaves, settled)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((first, last, receipts.bytes(), hashes, time(now)))?;
        Ok(true)
    }
}

impl Records {
    /// The receipt for the event in row `outbox`, if it came with a batch.
    pub(super) fn batch_receipt(
        &self,
        outbox: i64,
        event: &[u8],
    ) -> Result<Option<(LeafIndex, Vec<u8>)>, RecordsError> {
        let row = self
            .connection
            .prepare_cached(
                "SELECT first_outbox, receipts, leaves FROM receipt_batches
                 WHERE first_outbox <= ?1 AND last_outbox >= ?1
                 ORDER BY first_outbox DESC LIMIT 1",
            )?
            .query_row([outbox], |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, Vec<u8>>(1)?,
                    row.get::<_, Vec<u8>>(2)?,
                ))
            })
            .optional()?;
        let Some((first, receipts, leaves)) = row else {
            return Ok(None);
        };
        let receipts =
            Receipts::parse(&receipts).map_err(|_| damaged("receipts", "receipts of a batch"))?;
        let (leaves, rest) = leaves.as_chunks::<HASH>();
        if !rest.is_empty() {
            return Err(damaged("leaves", "hashes of 32 bytes"));
        }
        let leaves: Vec<Hash> = leaves.iter().copied().map(Hash).collect();
        let place = u64::try_from(outbox.saturating_sub(first)).unwrap_or(u64::MAX);
        let index = LeafIndex(receipts.first.0.saturating_add(place));
        let event: Event = parse(event)?;
        let receipt = receipts
            .receipt(event, index, &leaves)
            .map_err(|_| damaged("leaves", "the leaves that the receipts are of"))?;
        Ok(Some((index, receipt.bytes())))
    }
}
