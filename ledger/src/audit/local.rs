//! An auditor in the same process as the log it audits.

use std::sync::{Arc, Mutex, PoisonError};

use zhao_spec::log::note::Vkey;

use super::{AuditError, Auditor};
use crate::sequence::{CosignError, CosignRequest, Cosigner};
use crate::witness::Clock;

/// Told of everything an auditor refuses to cosign.
pub type Report = Arc<dyn Fn(&AuditError) + Send + Sync>;

/// An auditor in the same process, as a [`Cosigner`].
pub struct LocalAuditor {
    /// Shared with whoever serves it over HTTP; held for one request.
    auditor: Arc<Mutex<Auditor>>,
    vkey: Vkey,
    clock: Clock,
    report: Report,
}

impl LocalAuditor {
    /// The auditor as a cosigner of its log.
    #[must_use]
    pub fn new(auditor: Arc<Mutex<Auditor>>, clock: Clock, report: Report) -> Self {
        let vkey = auditor
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .vkey
            .clone();
        Self {
            auditor,
            vkey,
            clock,
            report,
        }
    }
}

impl Cosigner for LocalAuditor {
    fn vkey(&self) -> &Vkey {
        &self.vkey
    }

    fn latest(&mut self) -> Result<Option<String>, CosignError> {
        let auditor = self.auditor.lock().unwrap_or_else(PoisonError::into_inner);
        auditor
            .latest()
            .map_err(|error| CosignError::Refused(error.to_string()))
    }

    fn cosign(&mut self, request: &CosignRequest) -> Result<Vec<String>, CosignError> {
        let mut auditor = self.auditor.lock().unwrap_or_else(PoisonError::into_inner);
        // An auditor keeps its own log and needs no consistency proof from the asking side.
        auditor
            .cosign(&request.note, (self.clock)())
            .map(|line| vec![line])
            .map_err(|error| {
                (self.report)(&error);
                CosignError::Refused(error.to_string())
            })
    }
}
