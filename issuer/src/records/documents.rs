//! Documents: whatever an act rests on, by a name that is made of the content.

use rusqlite::OptionalExtension as _;
use zhao_spec::wire::{Hash, UnixMillis};

use super::{Records, RecordsError, Transaction, hash, pack, time};
use crate::vault::Place;

/// The largest document, bytes.
pub const DOCUMENT_BYTES: usize = 8 << 20;
/// The longest media type, bytes.
const MEDIA_TYPE_BYTES: usize = 127;

/// A document.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    /// The bytes.
    pub content: Vec<u8>,
    /// What they are, as `application/pdf`; not secret.
    pub media_type: String,
}

// It can be anybody's.
impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Document({}, {} bytes)",
            self.media_type,
            self.content.len()
        )
    }
}

fn place(name: &[u8]) -> Place<'_> {
    Place {
        table: "documents",
        column: "content",
        row: name,
    }
}

impl Transaction<'_> {
    /// Keeps a document and answers its name. The same bytes are kept once; the media type is the
    /// one they first came with.
    ///
    /// # Errors
    /// Over a limit, or the database refuses.
    pub fn add_document(&self, document: &Document, now: UnixMillis) -> Result<Hash, RecordsError> {
        within("document", document.content.len(), DOCUMENT_BYTES)?;
        within("media type", document.media_type.len(), MEDIA_TYPE_BYTES)?;
        let name = Hash(self.vault.name(&document.content));
        let bytes = i64::try_from(document.content.len()).expect("within the limit");
        let row = name.as_bytes();
        self.sql
            .prepare_cached(
                "INSERT INTO documents (name, media_type, bytes, content, created)
                 VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (name) DO NOTHING",
            )?
            .execute((
                row,
                &document.media_type,
                bytes,
                self.vault.seal(&place(row), &document.content),
                time(now),
            ))?;
        Ok(name)
    }

    /// As [`Transaction::add_document`], for bytes that come with their name, as from a backup.
    ///
    /// # Errors
    /// The name is other bytes', over a limit, or the database refuses.
    pub fn add_document_as(
        &self,
        name: &Hash,
        document: &Document,
        now: UnixMillis,
    ) -> Result<(), RecordsError> {
        within("document", document.content.len(), DOCUMENT_BYTES)?;
        if self.vault.name(&document.content) != name.0 {
            return Err(RecordsError::OtherDocument { name: *name });
        }
        self.add_document(document, now).map(drop)
    }
}

impl Records {
    /// The document of this name.
    ///
    /// # Errors
    /// The database refuses, or the document is damaged.
    pub fn document(&self, name: &Hash) -> Result<Option<Document>, RecordsError> {
        let row = self
            .connection
            .prepare_cached("SELECT media_type, content FROM documents WHERE name = ?1")?
            .query_row([name.as_bytes()], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?))
            })
            .optional()?;
        let Some((media_type, cell)) = row else {
            return Ok(None);
        };
        let content = pack::open(&self.vault, &place(name.as_bytes()), &cell)?.to_vec();
        if self.vault.name(&content) != name.0 {
            return Err(RecordsError::OtherDocument { name: *name });
        }
        Ok(Some(Document {
            content,
            media_type,
        }))
    }

    /// Names of documents after the one in row `after`, at most `limit`, each with its row.
    ///
    /// # Errors
    /// The database refuses, or a row is damaged.
    pub fn documents(&self, after: i64, limit: usize) -> Result<Vec<(i64, Hash)>, RecordsError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = self
            .connection
            .prepare_cached("SELECT id, name FROM documents WHERE id > ?1 ORDER BY id LIMIT ?2")?;
        let rows = statement.query_map((after, limit), |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
        })?;
        rows.map(|row| {
            let (id, name) = row?;
            Ok((id, hash(&name, "documents", "name")?))
        })
        .collect()
    }
}

fn within(what: &'static str, actual: usize, limit: usize) -> Result<(), RecordsError> {
    if actual > limit {
        return Err(RecordsError::TooLarge {
            what,
            limit,
            actual,
        });
    }
    Ok(())
}
