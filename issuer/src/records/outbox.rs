//! The outbox: events signed here, and what the ledger said to them.

use rusqlite::OptionalExtension as _;
use zhao_spec::life::data::Action;
use zhao_spec::life::event::Event;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::{Hash, UnixMillis};

use super::{Records, RecordsError, Transaction, hash, signed, time, unsigned};

/// The words behind one salted digest.
#[derive(Clone, PartialEq, Eq)]
pub struct Words {
    /// `reason` or `basis`.
    pub kind: &'static str,
    /// 32 random bytes.
    pub salt: [u8; 32],
    /// What was meant, in NFC.
    pub text: String,
}

// The salt is what keeps the text secret.
impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Words({})", self.kind)
    }
}

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Not known yet; it will be sent again.
    Pending,
    /// In the log.
    Receipted {
        /// Where.
        index: LeafIndex,
        /// The receipt, as the ledger gave it.
        receipt: Vec<u8>,
    },
    /// The ledger judged it inadmissible.
    Refused {
        /// Stable code.
        code: String,
        /// In words.
        detail: String,
    },
}

/// One row of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The event, signed.
    pub event: Event,
    /// Ascending with time.
    pub id: i64,
    /// What became of it.
    pub standing: Standing,
}

impl Transaction<'_> {
    /// Puts a signed event into the outbox. Returns its row.
    ///
    /// # Errors
    /// The database refuses.
    pub fn say(
        &self,
        event: &Event,
        words: &[Words],
        now: UnixMillis,
    ) -> Result<i64, RecordsError> {
        let leaf_hash = event.leaf_hash();
        // The same statement once more, as when administrators who were too few sign it again in
        // the same millisecond: what was refused is said anew, what was not stays as it is.
        self.0
            .prepare_cached(
                "INSERT INTO outbox (event, event_id, leaf_hash, verb, state, created)
                 VALUES (?1, ?2, ?3, ?4, 'pending', ?5)
                 ON CONFLICT (event_id) DO UPDATE SET event = excluded.event,
                 leaf_hash = excluded.leaf_hash, state = 'pending', refusal_code = NULL,
                 refusal_detail = NULL, settled = NULL WHERE outbox.state = 'refused'",
            )?
            .execute((
                event.bytes(),
                event.id().as_bytes(),
                leaf_hash.as_bytes(),
                event.verb().as_str(),
                time(now),
            ))?;
        let id = self
            .0
            .prepare_cached("SELECT id FROM outbox WHERE event_id = ?1")?
            .query_row([event.id().as_bytes()], |row| row.get(0))?;
        let chain = "INSERT INTO outbox_chains (outbox, subject, seq) VALUES (?1, ?2, ?3)
             ON CONFLICT DO NOTHING";
        self.0
            .execute(chain, (id, event.subject.as_bytes(), signed(event.seq)))?;
        if let Action::Issued(issued) = &event.action
            && let Some(old) = &issued.predecessor
        {
            self.0
                .execute(chain, (id, old.subject.as_bytes(), signed(old.seq)))?;
        }
        for word in words {
            self.0.execute(
                "INSERT INTO salts (outbox, words, salt, text) VALUES (?1, ?2, ?3, ?4)",
                (id, word.kind, word.salt, &word.text),
            )?;
        }
        Ok(id)
    }

    /// Writes down what the ledger said, for the event and the licence it issues. An answer that
    /// is `Pending` changes nothing, and what is settled stays settled.
    ///
    /// # Errors
    /// The database refuses.
    pub fn settle(
        &self,
        id: i64,
        standing: &Standing,
        now: UnixMillis,
    ) -> Result<(), RecordsError> {
        let licence = match standing {
            Standing::Pending => return Ok(()),
            Standing::Receipted { index, receipt } => {
                self.0.execute(
                    "UPDATE outbox SET state = 'receipted', leaf_index = ?2, receipt = ?3,
                     settled = ?4 WHERE id = ?1 AND state = 'pending'",
                    (id, signed(index.0), receipt, time(now)),
                )?;
                "UPDATE licences SET state = 'issued' WHERE outbox = ?1 AND state = 'issuing'"
            }
            Standing::Refused { code, detail } => {
                self.0.execute(
                    "UPDATE outbox SET state = 'refused', refusal_code = ?2, refusal_detail = ?3,
                     settled = ?4 WHERE id = ?1 AND state = 'pending'",
                    (id, code, detail, time(now)),
                )?;
                "UPDATE licences SET state = 'refused' WHERE outbox = ?1 AND state = 'issuing'"
            }
        };
        self.0.execute(licence, [id])?;
        Ok(())
    }

    /// As [`Records::chain_end`], with what this transaction has said already.
    ///
    /// # Errors
    /// The database refuses.
    pub fn chain_end(&self, subject: &Hash) -> Result<Option<(u64, Hash)>, RecordsError> {
        chain_end(&self.0, subject)
    }
}

impl Records {
    /// Events whose fate is not known, oldest first, after the row `after`, at most `limit`.
    ///
    /// # Errors
    /// The database refuses, or a row is damaged.
    pub fn pending(&self, after: i64, limit: usize) -> Result<Vec<Entry>, RecordsError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, event FROM outbox WHERE state = 'pending' AND id > ?1
             ORDER BY id LIMIT ?2",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement.query_map((after, limit), |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
        })?;
        rows.map(|row| {
            let (id, bytes) = row?;
            Ok(Entry {
                event: event(&bytes)?,
                id,
                standing: Standing::Pending,
            })
        })
        .collect()
    }

    /// How many events are waiting for an answer.
    ///
    /// # Errors
    /// The database refuses.
    pub fn pending_count(&self) -> Result<u64, RecordsError> {
        let count = "SELECT COUNT(*) FROM outbox WHERE state = 'pending'";
        let count: i64 = self.connection.query_row(count, [], |row| row.get(0))?;
        unsigned(count, "outbox", "state")
    }

    /// One row of the outbox.
    ///
    /// # Errors
    /// No such row, or the database refuses.
    pub fn said(&self, id: i64) -> Result<Entry, RecordsError> {
        let (bytes, state, index, receipt, code, detail) = self.connection.query_row(
            "SELECT event, state, leaf_index, receipt, refusal_code, refusal_detail
             FROM outbox WHERE id = ?1",
            [id],
            |row| {
                Ok((
                    row.get::<_, Vec<u8>>(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, Option<i64>>(2)?,
                    row.get::<_, Option<Vec<u8>>>(3)?,
                    row.get::<_, Option<String>>(4)?,
                    row.get::<_, Option<String>>(5)?,
                ))
            },
        )?;
        let standing = match (state.as_str(), index, receipt) {
            ("receipted", Some(index), Some(receipt)) => Standing::Receipted {
                index: LeafIndex(unsigned(index, "outbox", "leaf_index")?),
                receipt,
            },
            ("refused", _, _) => Standing::Refused {
                code: code.unwrap_or_default(),
                detail: detail.unwrap_or_default(),
            },
            _ => Standing::Pending,
        };
        Ok(Entry {
            event: event(&bytes)?,
            id,
            standing,
        })
    }

    /// The row of the outbox with the event of this identity, if there is one.
    ///
    /// # Errors
    /// The database refuses, or the row is damaged.
    pub fn said_as(&self, event_id: &Hash) -> Result<Option<Entry>, RecordsError> {
        let select = "SELECT id FROM outbox WHERE event_id = ?1";
        let id = self
            .connection
            .query_row(select, [event_id.as_bytes()], |row| row.get(0))
            .optional()?;
        id.map(|id| self.said(id)).transpose()
    }

    /// Where the chain of `subject` ends when everything pending is admitted: `seq` and leaf hash
    /// of the latest pending event; none when nothing about it is pending.
    ///
    /// # Errors
    /// The database refuses.
    pub fn chain_end(&self, subject: &Hash) -> Result<Option<(u64, Hash)>, RecordsError> {
        chain_end(&self.connection, subject)
    }

    /// The words behind the digests of an event: kind, salt and text.
    ///
    /// # Errors
    /// The database refuses.
    pub fn words(&self, event_id: &Hash) -> Result<Vec<Words>, RecordsError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT salts.words, salts.salt, salts.text FROM salts
             JOIN outbox ON outbox.id = salts.outbox
             WHERE outbox.event_id = ?1 ORDER BY salts.words",
        )?;
        let rows = statement.query_map([event_id.as_bytes()], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, Vec<u8>>(1)?,
                row.get::<_, String>(2)?,
            ))
        })?;
        rows.map(|row| {
            let (kind, salt, text) = row?;
            let kind = if kind == "basis" { "basis" } else { "reason" };
            Ok(Words {
                kind,
                salt: hash(&salt, "salts", "salt")?.0,
                text,
            })
        })
        .collect()
    }
}

fn chain_end(
    connection: &rusqlite::Connection,
    subject: &Hash,
) -> Result<Option<(u64, Hash)>, RecordsError> {
    let row = connection
        .prepare_cached(
            "SELECT outbox_chains.seq, outbox.leaf_hash FROM outbox_chains
             JOIN outbox ON outbox.id = outbox_chains.outbox
             WHERE outbox_chains.subject = ?1 AND outbox.state = 'pending'
             ORDER BY outbox_chains.seq DESC LIMIT 1",
        )?
        .query_row([subject.as_bytes()], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
        })
        .optional()?;
    let Some((seq, bytes)) = row else {
        return Ok(None);
    };
    let seq = unsigned(seq, "outbox_chains", "seq")?;
    Ok(Some((seq, hash(&bytes, "outbox", "leaf_hash")?)))
}

fn event(bytes: &[u8]) -> Result<Event, RecordsError> {
    Event::parse(bytes).map_err(|_| RecordsError::Damaged {
        table: "outbox",
        column: "event",
        expected: "a signed event",
    })
}
