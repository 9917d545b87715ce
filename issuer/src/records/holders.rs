//! Holders: one row each, whatever licences they have.

use rusqlite::OptionalExtension as _;
use zhao_spec::wire::UnixMillis;

use super::pack::{self, Pack, Parts};
use super::{Records, RecordsError, Transaction, time};
use crate::vault::{Column, Place, Vault};

/// Who has a licence.
#[derive(Clone, PartialEq, Eq)]
pub struct Holder {
    /// The code: of an enterprise, of a citizen.
    pub code: String,
    /// What kind of code.
    pub code_type: String,
    /// The row.
    pub id: i64,
    /// The latest name.
    pub name: String,
}

// A person's name and number.
impl std::fmt::Debug for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Holder({})", self.id)
    }
}

/// What tells a holder's row from others: the index of the code, and its kind.
fn identity(code_index: &[u8], code_type: &str) -> Vec<u8> {
    [code_index, code_type.as_bytes()].concat()
}

fn place(identity: &[u8]) -> Place<'_> {
    Place {
        table: "holders",
        column: "person",
        row: identity,
    }
}

/// Code and name of a holder, from the row's cell.
pub(super) fn person(
    vault: &Vault,
    code_index: &[u8],
    code_type: &str,
    cell: &[u8],
) -> Result<(String, String), RecordsError> {
    let identity = identity(code_index, code_type);
    let place = place(&identity);
    let clear = pack::open(vault, &place, cell)?;
    let mut parts = Parts::new(&clear, place);
    let (code, name) = (parts.text()?, parts.text()?);
    parts.finish()?;
    Ok((code, name))
}

impl Transaction<'_> {
    /// The holder's row, made if there is none; the name is the latest that was given.
    pub(super) fn put_holder(
        &self,
        code_type: &str,
        code: &str,
        name: &str,
        now: UnixMillis,
    ) -> Result<i64, RecordsError> {
        let code_index = self.vault.blind(Column::HolderCode, &[code]);
        let name_index = self.vault.blind(Column::HolderName, &[name]);
        let found: Option<(i64, Vec<u8>)> = self
            .sql
            .prepare_cached(
                "SELECT id, name_index FROM holders WHERE code_index = ?1 AND code_type = ?2",
            )?
            .query_row((code_index, code_type), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        if let Some((id, index)) = &found
            && index.as_slice() == name_index
        {
            return Ok(*id);
        }
        let identity = identity(&code_index, code_type);
        let person = Pack::new(128)
            .put(code.as_bytes())
            .put(name.as_bytes())
            .seal(self.vault, &place(&identity));
        if let Some((id, _)) = found {
            self.sql
                .prepare_cached("UPDATE holders SET name_index = ?2, person = ?3 WHERE id = ?1")?
                .execute((id, name_index, person))?;
            return Ok(id);
        }
        let id = self
            .sql
            .prepare_cached(
                "INSERT INTO holders (code_type, code_index, name_index, person, created)
                 VALUES (?1, ?2, ?3, ?4, ?5) RETURNING id",
            )?
            .query_row(
                (code_type, code_index, name_index, person, time(now)),
                |row| row.get(0),
            )?;
        Ok(id)
    }
}

impl Records {
    /// The holder in this row.
    ///
    /// # Errors
    /// The database refuses, or the row is damaged.
    pub fn holder(&self, id: i64) -> Result<Option<Holder>, RecordsError> {
        let row = self
            .connection
            .prepare_cached("SELECT code_index, code_type, person FROM holders WHERE id = ?1")?
            .query_row([id], |row| {
                Ok((
                    row.get::<_, Vec<u8>>(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, Vec<u8>>(2)?,
                ))
            })
            .optional()?;
        let Some((index, code_type, person)) = row else {
            return Ok(None);
        };
        let (code, name) = self::person(&self.vault, &index, &code_type, &person)?;
        Ok(Some(Holder {
            code,
            code_type,
            id,
            name,
        }))
    }
}
