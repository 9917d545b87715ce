//! Keys of the network interface. The secret itself is not here, only its hash.

use rusqlite::{OptionalExtension as _, Row};
use zhao_spec::wire::{Hash, UnixMillis};

use super::{Records, RecordsError, Transaction, hash, signed, time, unsigned};

/// A key by which somebody may ask the office over the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// When it was made.
    pub created: UnixMillis,
    /// The first instant at which it no longer counts; none: it does not end by itself.
    pub expires: Option<UnixMillis>,
    /// Its public name.
    pub id: String,
    /// When it was revoked.
    pub revoked: Option<UnixMillis>,
    /// What it is good for, ascending: words without spaces.
    pub scopes: Vec<String>,
    /// Hash of its secret.
    pub secret_hash: Hash,
    /// The only unit it may act for; none: every one.
    pub unit: Option<String>,
}

impl ApiKey {
    /// Whether it counts at this time.
    #[must_use]
    pub fn is_good(&self, now: UnixMillis) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|end| now < end)
    }
}

const COLUMNS: &str = "id, secret_hash, scopes, unit, created, expires, revoked";

/// A key before its values are checked.
type Raw = (
    String,
    Vec<u8>,
    String,
    Option<String>,
    i64,
    Option<i64>,
    Option<i64>,
);

fn raw(row: &Row<'_>) -> rusqlite::Result<Raw> {
    Ok((
        row.get(0)?,
        row.get(1)?,
        row.get(2)?,
        row.get(3)?,
        row.get(4)?,
        row.get(5)?,
        row.get(6)?,
    ))
}

fn checked(row: Raw) -> Result<ApiKey, RecordsError> {
    let (id, secret_hash, scopes, unit, created, expires, revoked) = row;
    let time = |millis: i64, column| unsigned(millis, "api_keys", column).map(UnixMillis);
    Ok(ApiKey {
        created: time(created, "created")?,
        expires: expires.map(|at| time(at, "expires")).transpose()?,
        id,
        revoked: revoked.map(|at| time(at, "revoked")).transpose()?,
        scopes: scopes.split_whitespace().map(str::to_owned).collect(),
        secret_hash: hash(&secret_hash, "api_keys", "secret_hash")?,
        unit,
    })
}

impl Transaction<'_> {
    /// Writes a key down.
    ///
    /// # Errors
    /// There is one of that name, there is no such unit, or the database refuses.
    pub fn add_api_key(&self, key: &ApiKey) -> Result<(), RecordsError> {
        let insert = "INSERT INTO api_keys
             (id, secret_hash, scopes, unit, created, expires, revoked)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO NOTHING";
        let written = self.sql.execute(
            insert,
            (
                &key.id,
                key.secret_hash.as_bytes(),
                key.scopes.join(" "),
                &key.unit,
                time(key.created),
                key.expires.map(|at| signed(at.0)),
                key.revoked.map(|at| signed(at.0)),
            ),
        )?;
        if written == 0 {
            return Err(RecordsError::Taken { what: "key's name" });
        }
        Ok(())
    }

    /// Revokes a key; the first time counts. Answers whether there is such a key.
    ///
    /// # Errors
    /// The database refuses.
    pub fn revoke_api_key(&self, id: &str, now: UnixMillis) -> Result<bool, RecordsError> {
        let update = "UPDATE api_keys SET revoked = COALESCE(revoked, ?2) WHERE id = ?1";
        Ok(self.sql.execute(update, (id, time(now)))? == 1)
    }
}

impl Records {
    /// The key of this name.
    ///
    /// # Errors
    /// The database refuses, or the row is damaged.
    pub fn api_key(&self, id: &str) -> Result<Option<ApiKey>, RecordsError> {
        let row = self
            .connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM api_keys WHERE id = ?1"))?
            .query_row([id], raw)
            .optional()?;
        row.map(checked).transpose()
    }

    /// Every key, by ascending name; an office has few.
    ///
    /// # Errors
    /// The database refuses, or a row is damaged.
    pub fn api_keys(&self) -> Result<Vec<ApiKey>, RecordsError> {
        let mut statement = self
            .connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM api_keys ORDER BY id"))?;
        let rows = statement.query_map([], raw)?;
        rows.map(|row| checked(row?)).collect()
    }
}
