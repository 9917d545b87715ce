//! What order the outbox keeps: chains of events about one subject, oldest first.

use rusqlite::{Connection, OptionalExtension as _};
use zhao_spec::life::data::Action;
use zhao_spec::life::event::Event;
use zhao_spec::wire::{Hash, UnixMillis};

use super::outbox::parse;
use super::{Records, RecordsError, Transaction, signed, unsigned};

/// An event on its way to the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// When it was said.
    pub created: UnixMillis,
    /// The event, signed.
    pub event: Event,
    /// Row of the outbox.
    pub id: i64,
}

/// What changes whenever something is said about a subject, or settled: whoever signs against the
/// end of a chain looks at this before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainMark {
    newest: i64,
    pending: i64,
}

/// One link of a chain, as the outbox has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Leaf hash of the event.
    pub leaf_hash: Hash,
    /// Leaf hash of the event before it in this chain.
    pub prev: Option<Hash>,
    /// Its number in this chain.
    pub seq: u64,
}

/// The chains that an event continues: subject, its number there, and what it follows.
pub(super) fn links(event: &Event) -> Vec<(Hash, u64, Option<Hash>)> {
    let mut links = vec![(event.subject, event.seq, event.prev)];
    if let Action::Issued(issued) = &event.action
        && let Some(old) = &issued.predecessor
    {
        links.push((old.subject, old.seq, Some(old.prev)));
    }
    links
}

impl Transaction<'_> {
    /// What changes whenever something is said about the subject, or settled.
    ///
    /// # Errors
    /// The database refuses.
    pub fn chain_mark(&self, subject: &Hash) -> Result<ChainMark, RecordsError> {
        chain_mark(&self.sql, subject)
    }

    /// The refused event that this one was built on, if there is one: its row and the code.
    ///
    /// # Errors
    /// The database refuses.
    pub fn refused_before(&self, event: &Event) -> Result<Option<(i64, String)>, RecordsError> {
        refused_before(&self.sql, event)
    }

    /// Pending events that were built on this one.
    ///
    /// # Errors
    /// The database refuses, or a row is damaged.
    pub fn pending_after(&self, event: &Event) -> Result<Vec<Outgoing>, RecordsError> {
        let leaf_hash = event.leaf_hash();
        let mut found = Vec::new();
        for (subject, seq, _) in links(event) {
            let mut statement = self.sql.prepare_cached(
                "SELECT outbox.id, outbox.event, outbox.created FROM outbox_chains
                 JOIN outbox ON outbox.id = outbox_chains.outbox
                 WHERE outbox_chains.subject = ?1 AND outbox_chains.seq = ?2
                 AND EXISTS (SELECT 1 FROM outbox_pending WHERE outbox_pending.outbox = outbox.id)",
            )?;
            let key = (subject.as_bytes(), signed(seq.saturating_add(1)));
            for row in statement.query_map(key, raw)? {
                let next = outgoing(row?)?;
                let built_on = |link: &(Hash, u64, Option<Hash>)| {
                    link.0 == subject && link.2 == Some(leaf_hash)
                };
                if links(&next.event).iter().any(built_on) {
                    found.push(next);
                }
            }
        }
        Ok(found)
    }
}

impl Records {
    /// Events whose fate is not known, oldest first, after the row `after`, at most `limit`.
    ///
    /// # Errors
    /// The database refuses, or a row is damaged.
    pub fn outgoing(&self, after: i64, limit: usize) -> Result<Vec<Outgoing>, RecordsError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT outbox.id, outbox.event, outbox.created FROM outbox_pending
             JOIN outbox ON outbox.id = outbox_pending.outbox
             WHERE outbox_pending.outbox > ?1 ORDER BY outbox_pending.outbox LIMIT ?2",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement.query_map((after, limit), raw)?;
        rows.map(|row| outgoing(row?)).collect()
    }

    /// As [`Transaction::refused_before`].
    ///
    /// # Errors
    /// The database refuses.
    pub fn refused_before(&self, event: &Event) -> Result<Option<(i64, String)>, RecordsError> {
        refused_before(&self.connection, event)
    }

    /// What changes whenever something is said about the subject, or settled.
    ///
    /// # Errors
    /// The database refuses.
    pub fn chain_mark(&self, subject: &Hash) -> Result<ChainMark, RecordsError> {
        chain_mark(&self.connection, subject)
    }

    /// The highest link of the subject's chain that the ledger has not refused.
    ///
    /// # Errors
    /// The database refuses, or a row is damaged.
    pub fn last_link(&self, subject: &Hash) -> Result<Option<Link>, RecordsError> {
        self.link(
            "NOT EXISTS (SELECT 1 FROM outbox_refused WHERE outbox_refused.outbox = outbox.id)
             AND outbox_chains.seq >= ?2
             ORDER BY outbox_chains.seq DESC, outbox.id DESC",
            subject,
            0,
        )
    }

    /// The lowest pending link of the subject's chain from the number `seq` on.
    ///
    /// # Errors
    /// The database refuses, or a row is damaged.
    pub fn pending_link(&self, subject: &Hash, seq: u64) -> Result<Option<Link>, RecordsError> {
        self.link(
            "EXISTS (SELECT 1 FROM outbox_pending WHERE outbox_pending.outbox = outbox.id)
             AND outbox_chains.seq >= ?2
             ORDER BY outbox_chains.seq, outbox.id",
            subject,
            seq,
        )
    }

    fn link(
        &self,
        condition: &str,
        subject: &Hash,
        seq: u64,
    ) -> Result<Option<Link>, RecordsError> {
        let row = self
            .connection
            .prepare_cached(&format!(
                "SELECT outbox_chains.seq, outbox.event FROM outbox_chains
                 JOIN outbox ON outbox.id = outbox_chains.outbox
                 WHERE outbox_chains.subject = ?1 AND {condition} LIMIT 1"
            ))?
            .query_row((subject.as_bytes(), signed(seq)), |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
            })
            .optional()?;
        let Some((seq, bytes)) = row else {
            return Ok(None);
        };
        let event = parse(&bytes)?;
        let link = links(&event).into_iter().find(|link| link.0 == *subject);
        Ok(Some(Link {
            leaf_hash: event.leaf_hash(),
            prev: link.and_then(|link| link.2),
            seq: unsigned(seq, "outbox_chains", "seq")?,
        }))
    }

    /// When the last event was said that the ledger has not refused.
    ///
    /// # Errors
    /// The database refuses, or the row is damaged.
    pub fn last_said(&self) -> Result<Option<UnixMillis>, RecordsError> {
        let created: Option<i64> = self
            .connection
            .prepare_cached(
                "SELECT created FROM outbox WHERE NOT EXISTS
                 (SELECT 1 FROM outbox_refused WHERE outbox_refused.outbox = outbox.id)
                 ORDER BY id DESC LIMIT 1",
            )?
            .query_row([], |row| row.get(0))
            .optional()?;
        created
            .map(|created| unsigned(created, "outbox", "created").map(UnixMillis))
            .transpose()
    }

    /// How many events wait, if they are more than `limit`; else 0. Cheap while they are few or
    /// lie close together.
    ///
    /// # Errors
    /// The database refuses.
    pub fn pending_above(&self, limit: u64) -> Result<u64, RecordsError> {
        let mut bound = self.connection.prepare_cached(
            "SELECT COALESCE((SELECT MAX(id) FROM outbox), 0)
             - COALESCE((SELECT MIN(outbox) FROM outbox_pending),
             (SELECT MAX(id) + 1 FROM outbox), 1) + 1",
        )?;
        // Rows from the oldest that waits to the newest: no fewer than wait.
        let bound: i64 = bound.query_row([], |row| row.get(0))?;
        if u64::try_from(bound).unwrap_or(0) <= limit {
            return Ok(0);
        }
        Ok(Some(self.pending_count()?)
            .filter(|waiting| *waiting > limit)
            .unwrap_or(0))
    }
}

type Raw = (i64, Vec<u8>, i64);

fn raw(row: &rusqlite::Row<'_>) -> Result<Raw, rusqlite::Error> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
}

fn outgoing((id, bytes, created): Raw) -> Result<Outgoing, RecordsError> {
    Ok(Outgoing {
        created: UnixMillis(unsigned(created, "outbox", "created")?),
        event: parse(&bytes)?,
        id,
    })
}

fn chain_mark(connection: &Connection, subject: &Hash) -> Result<ChainMark, RecordsError> {
    Ok(connection
        .prepare_cached(
            "SELECT COALESCE(MAX(outbox.id), 0),
             COUNT(outbox_pending.outbox)
             FROM outbox_chains JOIN outbox ON outbox.id = outbox_chains.outbox
             LEFT JOIN outbox_pending ON outbox_pending.outbox = outbox.id
             WHERE outbox_chains.subject = ?1",
        )?
        .query_row([subject.as_bytes()], |row| {
            Ok(ChainMark {
                newest: row.get(0)?,
                pending: row.get(1)?,
            })
        })?)
}

fn refused_before(
    connection: &Connection,
    event: &Event,
) -> Result<Option<(i64, String)>, RecordsError> {
    for (subject, seq, prev) in links(event) {
        let (Some(prev), Some(before)) = (prev, seq.checked_sub(1)) else {
            continue;
        };
        let mut statement = connection.prepare_cached(
            "SELECT outbox.id, outbox.event, outbox_refused.code FROM outbox_chains
             JOIN outbox ON outbox.id = outbox_chains.outbox
             JOIN outbox_refused ON outbox_refused.outbox = outbox.id
             WHERE outbox_chains.subject = ?1 AND outbox_chains.seq = ?2 ORDER BY outbox.id",
        )?;
        let mut rows = statement.query((subject.as_bytes(), signed(before)))?;
        while let Some(row) = rows.next()? {
            if parse(&row.get::<_, Vec<u8>>(1)?)?.leaf_hash() == prev {
                return Ok(Some((row.get(0)?, row.get(2)?)));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
impl Records {
    /// From now on every write fails, as on a full disk; or no longer.
    pub(crate) fn refuse_writes(&self, refuse: bool) {
        let pragma = format!("PRAGMA query_only = {}", if refuse { "ON" } else { "OFF" });
        self.connection.execute_batch(&pragma).unwrap();
    }

    /// From now on there is room for so many pages more.
    pub(crate) fn limit_pages(&self, more: i64) {
        let count = "PRAGMA page_count";
        let pages: i64 = self
            .connection
            .query_row(count, [], |row| row.get(0))
            .unwrap();
        let limit = format!("PRAGMA max_page_count = {}", pages + more);
        self.connection.execute_batch(&limit).unwrap();
    }

    /// Makes what waits unreadable, or readable again.
    pub(crate) fn spoil_pending(&self, spoil: bool) {
        let event = if spoil {
            "x'00' || event"
        } else {
            "substr(event, 2)"
        };
        let update = format!(
            "UPDATE outbox SET event = CAST({event} AS BLOB)
             WHERE id IN (SELECT outbox FROM outbox_pending)"
        );
        self.connection.execute_batch(&update).unwrap();
    }

    /// When each row was said and settled, in order.
    pub(crate) fn times(&self) -> Result<Vec<(i64, Option<i64>)>, RecordsError> {
        let select = "SELECT outbox.created, COALESCE(receipts.settled, outbox_refused.settled)
             FROM outbox LEFT JOIN receipts ON receipts.outbox = outbox.id
             LEFT JOIN outbox_refused ON outbox_refused.outbox = outbox.id ORDER BY outbox.id";
        let mut statement = self.connection.prepare(select)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
