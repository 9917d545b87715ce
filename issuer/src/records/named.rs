//! Organisations by their whole name, for the public query.

use zhao_spec::id::HolderCodeType;

use super::{Records, RecordsError};
use crate::vault::Column;

impl Records {
    /// Codes of the organisations whose latest name is exactly this, at most `limit`, in the order
    /// in which they first had a licence here. Persons are never among them.
    ///
    /// # Errors
    /// The database refuses, or a row is damaged.
    pub fn organisations_named(&self, name: &str, limit: u32) -> Result<Vec<String>, RecordsError> {
        let index = self.vault.blind(Column::HolderName, &[name]);
        let mut statement = self.connection.prepare_cached(
            "SELECT id FROM holders WHERE name_index = ?1 AND code_type = ?2
             ORDER BY id LIMIT ?3",
        )?;
        let parameters = (index, HolderCodeType::USCC.as_str(), limit);
        let ids = statement.query_map(parameters, |row| row.get(0))?;
        let ids = ids.collect::<Result<Vec<i64>, _>>()?;
        let holders = ids.into_iter().filter_map(|id| self.holder(id).transpose());
        holders.map(|holder| Ok(holder?.code)).collect()
    }
}
