//! Receipts, kept without what they have in common.
//!
//! A receipt begins with its event, which is in the outbox. The rest of it states the same epoch
//! and checkpoint as its neighbours' and ends in the same upper part of the path: it is kept as
//! the difference to the first receipt written in the same transaction. Nothing here knows the
//! receipt's format: what has nothing in common is kept whole.

use rusqlite::OptionalExtension as _;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::UnixMillis;

use super::{Records, RecordsError, Transaction, signed, time, unsigned};

/// What stands before the event.
const OPENING: &[u8] = b"{\"event\":";

/// The first receipt of a transaction, its event cut off.
#[derive(Debug)]
pub(super) struct Template {
    id: i64,
    rest: Vec<u8>,
}

impl Transaction<'_> {
    /// Writes down the receipt for the event `event` in row `outbox`.
    pub(super) fn add_receipt(
        &self,
        outbox: i64,
        event: &[u8],
        index: LeafIndex,
        receipt: &[u8],
        now: UnixMillis,
    ) -> Result<(), RecordsError> {
        let cut = receipt
            .strip_prefix(OPENING)
            .and_then(|rest| rest.strip_prefix(event));
        let rest = cut.unwrap_or(receipt);
        let mut template = self.template.borrow_mut();
        let (mut head, mut tail) = template
            .as_ref()
            .map_or((0, 0), |template| common(&template.rest, rest));
        let id = match template.as_ref() {
            Some(template) if head.saturating_add(tail) >= rest.len() / 2 => template.id,
            // Another epoch's, or the first.
            _ => {
                let id = self
                    .sql
                    .prepare_cached(
                        "INSERT INTO receipt_templates (template) VALUES (?1) RETURNING id",
                    )?
                    .query_row([rest], |row| row.get(0))?;
                (head, tail) = (rest.len(), 0);
                *template = Some(Template {
                    id,
                    rest: rest.to_vec(),
                });
                id
            }
        };
        let middle = rest
            .get(head..rest.len().saturating_sub(tail))
            .unwrap_or_default();
        let length = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.sql
            .prepare_cached(
                "INSERT INTO receipts (outbox, leaf_index, template, with_event, head_bytes,
                 tail_bytes, middle, settled) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(rusqlite::params![
                outbox,
                signed(index.0),
                id,
                i64::from(cut.is_some()),
                length(head),
                length(tail),
                middle,
                time(now),
            ])?;
        Ok(())
    }
}

/// How many bytes two texts have in common at the beginning, and then at the end.
fn common(one: &[u8], other: &[u8]) -> (usize, usize) {
    let same = |(a, b): &(&u8, &u8)| a == b;
    let head = one.iter().zip(other).take_while(same).count();
    let rest = |text: &[u8]| text.len().saturating_sub(head);
    let tail = one
        .iter()
        .rev()
        .zip(other.iter().rev())
        .take(rest(one).min(rest(other)))
        .take_while(same)
        .count();
    (head, tail)
}

/// A receipt as it is kept.
struct Kept {
    index: i64,
    with_event: bool,
    head: i64,
    tail: i64,
    middle: Vec<u8>,
    template: Vec<u8>,
}

impl Records {
    /// The receipt for the event `event` in row `outbox`, exactly as it came, with its leaf index.
    pub(super) fn receipt(
        &self,
        outbox: i64,
        event: &[u8],
    ) -> Result<Option<(LeafIndex, Vec<u8>)>, RecordsError> {
        let kept = self
            .connection
            .prepare_cached(
                "SELECT receipts.leaf_index, receipts.with_event, receipts.head_bytes,
                 receipts.tail_bytes, receipts.middle, receipt_templates.template
                 FROM receipts
                 JOIN receipt_templates ON receipt_templates.id = receipts.template
                 WHERE receipts.outbox = ?1",
            )?
            .query_row([outbox], |row| {
                Ok(Kept {
                    index: row.get(0)?,
                    with_event: row.get(1)?,
                    head: row.get(2)?,
                    tail: row.get(3)?,
                    middle: row.get(4)?,
                    template: row.get(5)?,
                })
            })
            .optional()?;
        let Some(kept) = kept else {
            return self.batch_receipt(outbox, event);
        };
        let index = LeafIndex(unsigned(kept.index, "receipts", "leaf_index")?);
        let receipt = kept.whole(event).ok_or(RecordsError::Damaged {
            table: "receipts",
            column: "head_bytes",
            expected: "within the template",
        })?;
        Ok(Some((index, receipt)))
    }
}

impl Kept {
    fn whole(&self, event: &[u8]) -> Option<Vec<u8>> {
        let head = self.template.get(..usize::try_from(self.head).ok()?)?;
        let tail = usize::try_from(self.tail).ok()?;
        let tail = self
            .template
            .get(self.template.len().checked_sub(tail)?..)?;
        let (opening, event) = if self.with_event {
            (OPENING, event)
        } else {
            (&[][..], &[][..])
        };
        Some([opening, event, head, &self.middle, tail].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::common;

    #[test]
    fn head_and_tail_do_not_overlap() {
        for (one, other, expected) in [
            ("", "", (0, 0)),
            ("", "a", (0, 0)),
            ("aaa", "aa", (2, 0)),
            ("aa", "aaa", (2, 0)),
            ("abc", "abc", (3, 0)),
            ("axc", "ayc", (1, 1)),
            ("xc", "yyc", (0, 1)),
            ("ab", "ba", (0, 0)),
        ] {
            assert_eq!(
                common(one.as_bytes(), other.as_bytes()),
                expected,
                "{one} {other}"
            );
        }
    }
}
