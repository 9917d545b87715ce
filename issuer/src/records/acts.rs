//! What the office said about a subject, and who said it.

use zhao_spec::wire::{Hash, UnixMillis};

use super::outbox::{Entry, Words};
use super::{Records, RecordsError, unsigned};

/// One act of the office, as it was declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// When it was declared.
    pub created: UnixMillis,
    /// The event, and what became of it.
    pub entry: Entry,
    /// Who acted, if a name was given.
    pub operator: Option<String>,
    /// The words behind the event's digests: basis, reason.
    pub words: Vec<Words>,
}

impl Records {
    /// What was said about a subject, in the order in which it was said, after the row `after`, at
    /// most `limit`. The event by which another licence takes over from it belongs to it too.
    ///
    /// # Errors
    /// The database refuses, or a row is damaged.
    pub fn acts(
        &self,
        subject: &Hash,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Said>, RecordsError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(
            "SELECT outbox.id, outbox.created FROM outbox_chains
             JOIN outbox ON outbox.id = outbox_chains.outbox
             WHERE outbox_chains.subject = ?1 AND outbox.id > ?2 ORDER BY outbox.id LIMIT ?3",
        )?;
        let rows = statement.query_map((subject.as_bytes(), after, limit), |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        })?;
        rows.map(|row| {
            let (id, created) = row?;
            let entry = self.said(id)?;
            Ok(Said {
                created: UnixMillis(unsigned(created, "outbox", "created")?),
                operator: self.operator_of(id)?,
                words: self.words(&entry.event.id())?,
                entry,
            })
        })
        .collect()
    }
}
