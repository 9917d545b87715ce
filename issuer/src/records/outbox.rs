//! The outbox: events signed here, and what the ledger said to them.

use rusqlite::OptionalExtension as _;
use zhao_spec::life::data::Action;
use zhao_spec::life::event::Event;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::{Hash, UnixMillis};

use super::pack::{self, Pack, Parts};
use super::{Records, RecordsError, Transaction, signed, time, unsigned};
use crate::vault::Place;

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

/// Where the words behind an event stand; an event's identity tells its row from others.
pub(super) fn words_place(event_id: &[u8]) -> Place<'_> {
    Place {
        table: "grounds",
        column: "words",
        row: event_id,
    }
}

/// The cell of the words behind an event.
pub(super) fn pack_words(words: &[Words]) -> Pack {
    let mut pack = Pack::new(256);
    for word in words {
        pack = pack
            .put(word.kind.as_bytes())
            .put(&word.salt)
            .put(word.text.as_bytes());
    }
    pack
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
        let bytes = event.bytes();
        // The same statement once more, as when administrators who were too few sign it again in
        // the same millisecond: what was refused is said anew, what was not stays as it is.
        if let Some(id) = self.same(event)? {
            let gone = self
                .sql
                .execute("DELETE FROM outbox_refused WHERE outbox = ?1", [id])?;
            if gone == 1 {
                self.sql
                    .execute("UPDATE outbox SET event = ?2 WHERE id = ?1", (id, bytes))?;
                self.sql
                    .execute("INSERT INTO outbox_pending (outbox) VALUES (?1)", [id])?;
            }
            return Ok(id);
        }
        let id = self
            .sql
            .prepare_cached(
                "INSERT INTO outbox (event, verb, operator, created) VALUES (?1, ?2, ?3, ?4)
                 RETURNING id",
            )?
            .query_row(
                (bytes, event.verb().as_str(), self.operator(now)?, time(now)),
                |row| row.get(0),
            )?;
        self.sql
            .prepare_cached("INSERT INTO outbox_pending (outbox) VALUES (?1)")?
            .execute([id])?;
        self.continues(id, &event.subject, event.seq)?;
        if let Action::Issued(issued) = &event.action
            && let Some(old) = &issued.predecessor
        {
            self.continues(id, &old.subject, old.seq)?;
        }
        if !words.is_empty() {
            let event_id = event.id();
            let cell = pack_words(words).seal(self.vault, &words_place(event_id.as_bytes()));
            self.sql
                .prepare_cached(
                    "INSERT INTO grounds (outbox, event_id, words) VALUES (?1, ?2, ?3)",
                )?
                .execute((id, event_id.as_bytes(), cell))?;
        }
        Ok(id)
    }

    fn continues(&self, id: i64, subject: &Hash, seq: u64) -> Result<(), RecordsError> {
        self.sql
            .prepare_cached("INSERT INTO outbox_chains (outbox, subject, seq) VALUES (?1, ?2, ?3)")?
            .execute((id, subject.as_bytes(), signed(seq)))?;
        Ok(())
    }

    fn same(&self, event: &Event) -> Result<Option<i64>, RecordsError> {
        same(&self.sql, event)
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
        if *standing == Standing::Pending {
            return Ok(());
        }
        let gone = self
            .sql
            .prepare_cached("DELETE FROM outbox_pending WHERE outbox = ?1")?
            .execute([id])?;
        if gone == 0 {
            return Ok(());
        }
        let (event, created): (Vec<u8>, i64) = self
            .sql
            .prepare_cached("SELECT event, created FROM outbox WHERE id = ?1")?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        // Nothing is settled before it was said, whatever the clock does.
        let now = now.max(UnixMillis(unsigned(created, "outbox", "created")?));
        match standing {
            Standing::Pending => {}
            Standing::Receipted { index, receipt } => {
                self.add_receipt(id, &event, *index, receipt, now)?;
            }
            Standing::Refused { code, detail } => {
                self.sql
                    .prepare_cached(
                        "INSERT INTO outbox_refused (outbox, code, detail, settled)
                         VALUES (?1, ?2, ?3, ?4)",
                    )?
                    .execute((id, code, detail, time(now)))?;
                self.sql
                    .prepare_cached("UPDATE licences SET refused = 1 WHERE id = ?1")?
                    .execute([id])?;
            }
        }
        Ok(())
    }
}

impl Records {
    /// How many events are waiting for an answer.
    ///
    /// # Errors
    /// The database refuses.
    pub fn pending_count(&self) -> Result<u64, RecordsError> {
        let count = "SELECT COUNT(*) FROM outbox_pending";
        let count: i64 = self.connection.query_row(count, [], |row| row.get(0))?;
        unsigned(count, "outbox_pending", "outbox")
    }

    /// One row of the outbox.
    ///
    /// # Errors
    /// No such row, or the database refuses.
    pub fn said(&self, id: i64) -> Result<Entry, RecordsError> {
        let bytes: Vec<u8> = self
            .connection
            .prepare_cached("SELECT event FROM outbox WHERE id = ?1")?
            .query_row([id], |row| row.get(0))?;
        let standing = self.standing(id, &bytes)?;
        Ok(Entry {
            event: parse(&bytes)?,
            id,
            standing,
        })
    }

    /// The row of the outbox in which this very statement was said, if there is one.
    ///
    /// # Errors
    /// The database refuses, or the row is damaged.
    pub fn said_as(&self, event: &Event) -> Result<Option<Entry>, RecordsError> {
        let id = same(&self.connection, event)?;
        id.map(|id| self.said(id)).transpose()
    }

    /// What became of the event `event` in row `id`.
    fn standing(&self, id: i64, event: &[u8]) -> Result<Standing, RecordsError> {
        if let Some((index, receipt)) = self.receipt(id, event)? {
            return Ok(Standing::Receipted { index, receipt });
        }
        let refused = self
            .connection
            .prepare_cached("SELECT code, detail FROM outbox_refused WHERE outbox = ?1")?
            .query_row([id], |row| {
                Ok(Standing::Refused {
                    code: row.get(0)?,
                    detail: row.get(1)?,
                })
            })
            .optional()?;
        Ok(refused.unwrap_or(Standing::Pending))
    }

    /// The words behind the digests of an event: kind, salt and text, basis first.
    ///
    /// # Errors
    /// The database refuses, or the row is damaged.
    pub fn words(&self, event_id: &Hash) -> Result<Vec<Words>, RecordsError> {
        let cell: Option<Vec<u8>> = self
            .connection
            .prepare_cached("SELECT words FROM grounds WHERE event_id = ?1")?
            .query_row([event_id.as_bytes()], |row| row.get(0))
            .optional()?;
        let Some(cell) = cell else {
            return Ok(Vec::new());
        };
        let place = words_place(event_id.as_bytes());
        let clear = pack::open(&self.vault, &place, &cell)?;
        let mut parts = Parts::new(&clear, place);
        let mut words = Vec::new();
        while !parts.is_empty() {
            let kind = match parts.bytes()? {
                b"basis" => "basis",
                _ => "reason",
            };
            words.push(Words {
                kind,
                salt: parts.array()?,
                text: parts.text()?,
            });
        }
        words.sort_by_key(|word| word.kind);
        Ok(words)
    }
}

/// The row in which this very statement was said before: it has the same place in its chain.
pub(super) fn same(
    connection: &rusqlite::Connection,
    event: &Event,
) -> Result<Option<i64>, RecordsError> {
    let mut statement = connection.prepare_cached(
        "SELECT outbox.id, outbox.event FROM outbox_chains
         JOIN outbox ON outbox.id = outbox_chains.outbox
         WHERE outbox_chains.subject = ?1 AND outbox_chains.seq = ?2",
    )?;
    let mut rows = statement.query((event.subject.as_bytes(), signed(event.seq)))?;
    while let Some(row) = rows.next()? {
        let earlier = parse(&row.get::<_, Vec<u8>>(1)?)?;
        if earlier.id() == event.id() {
            return Ok(Some(row.get(0)?));
        }
    }
    Ok(None)
}

pub(super) fn parse(bytes: &[u8]) -> Result<Event, RecordsError> {
    Event::parse(bytes).map_err(|_| RecordsError::Damaged {
        table: "outbox",
        column: "event",
        expected: "a signed event",
    })
}
