//! How many licences the records have of each type: old stock and increment apart.

use super::{Origin, Records, RecordsError, unsigned};

/// Licences of one type and origin. A new version of a licence is not another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeCount {
    /// In the log.
    pub issued: u64,
    /// Signed, and not answered by the log yet.
    pub issuing: u64,
    /// Where they come from.
    pub origin: Origin,
    /// Refused by the log.
    pub refused: u64,
    /// Type code.
    pub type_code: String,
}

impl Records {
    /// Licences by type and origin.
    ///
    /// # Errors
    /// The database refuses.
    pub fn counts_by_type(&self) -> Result<Vec<TypeCount>, RecordsError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT licences.type_code, licences.origin,
             SUM(CASE WHEN licences.refused = 0 AND outbox_pending.outbox IS NULL
                 THEN 1 ELSE 0 END),
             SUM(CASE WHEN licences.refused = 0 AND outbox_pending.outbox IS NOT NULL
                 THEN 1 ELSE 0 END),
             SUM(licences.refused)
             FROM licences LEFT JOIN outbox_pending ON outbox_pending.outbox = licences.id
             WHERE licences.predecessor IS NULL
             GROUP BY licences.type_code, licences.origin
             ORDER BY licences.type_code, licences.origin",
        )?;
        let rows = statement.query_map([], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                [row.get::<_, i64>(2)?, row.get(3)?, row.get(4)?],
            ))
        })?;
        rows.map(|row| {
            let (type_code, origin, counts) = row?;
            let count = |n| unsigned(n, "licences", "refused");
            let [issued, issuing, refused] = counts.map(count);
            Ok(TypeCount {
                issued: issued?,
                issuing: issuing?,
                origin: match origin.as_str() {
                    "legacy" => Origin::Legacy,
                    _ => Origin::New,
                },
                refused: refused?,
                type_code,
            })
        })
        .collect()
    }
}
