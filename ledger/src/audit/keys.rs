//! Which keys sign the log's heads, as an auditor knows it from its own replay.

use zhao_spec::log::LogKeys;

use super::{AuditError, Auditor};
use crate::overlay::StoredView;

impl Auditor {
    /// The log's keys, and which of them its administrators named for which size, as far as the
    /// log was replayed.
    pub(super) fn keys_now(&mut self) -> Result<LogKeys, AuditError> {
        let edge = self.edge()?.clone();
        let view = StoredView::new(&*self.store, &edge.map, &self.hot);
        let named = view.head_keys(self.log.origin())?;
        Ok(self.log.clone().with_named(&named))
    }
}
