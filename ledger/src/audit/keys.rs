//! Which keys sign the log's heads, as an auditor knows it from its own replay.

use zhao_spec::life::record::Record;
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::log::LogKeys;

use super::{AuditError, Auditor};
use crate::overlay::StoredView;

impl Auditor {
    /// The log's keys, and which of them its administrators named for which size, as far as the
    /// log was replayed.
    pub(super) fn keys_now(&mut self) -> Result<LogKeys, AuditError> {
        let origin = self.log.origin().to_owned();
        let key = subject_key(&origin, Kind::Registry, &origin);
        let edge = self.edge()?.clone();
        let record = StoredView::new(&*self.store, &edge.map, &self.hot).get(&key)?;
        let named = match record.as_deref() {
            Some(Record::Registry(record)) => record.log_keys.clone(),
            _ => Vec::new(),
        };
        Ok(self.log.clone().with_named(&named))
    }
}
