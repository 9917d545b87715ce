//! A new version of a licence type: judged against the one in force, then declared.

use std::path::Path;

use zhao_spec::life::record::{Record, TypeRecord, TypeState};
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::wire::{Signer, UnixMillis};

use super::{Declared, LedgerClient, Office, OfficeError, Statement};
use crate::catalogue::{Entry, Fault, Faults, incompatible};
use crate::records::Standing;

/// Why a version of a type is not published.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// It is in force already.
    #[error("version {version} is in force already")]
    InForce {
        /// The version.
        version: u64,
    },
    /// It may not be published, or may not follow the one in force.
    #[error("{0}")]
    Refused(Faults),
    /// The version in force is not at hand, so nobody can say whether this one may follow it.
    #[error("version {version} is in force, and the entry given as that version is another one")]
    Unseen {
        /// The version in force.
        version: u64,
    },
}

impl<C: LedgerClient> Office<C> {
    /// The log's record of a type, by its 21 characters.
    ///
    /// # Errors
    /// The ledger cannot be asked.
    pub fn type_record(&self, code: &str) -> Result<Option<TypeRecord>, OfficeError> {
        let subject = subject_key(self.records.origin(), Kind::LicenceType, code);
        Ok(match self.client.record(&subject)? {
            Some(Record::LicenceType(record)) => Some(record),
            _ => None,
        })
    }

    /// Puts `entry` in force after `before`, the version in force now; none: there is none.
    ///
    /// # Errors
    /// Everything for which it may not be published or may not follow `before`; `before` is not
    /// the version in force; the records, or the ledger.
    pub fn publish_entry<S: Signer>(
        &mut self,
        entry: &Entry,
        before: Option<&Entry>,
        administrators: &[S],
        now: UnixMillis,
    ) -> Result<Declared, OfficeError> {
        let code = entry.type_code.as_str();
        let mut faults: Vec<Fault> = entry.unpublishable();
        if let Some(record) = self.type_record(code)? {
            let version = record.version;
            if record.digest == entry.digest && record.state == TypeState::Published {
                return Err(PublishError::InForce { version }.into());
            }
            match before {
                Some(before) if before.digest == record.digest => {
                    faults.extend(incompatible(before, entry));
                }
                _ => return Err(PublishError::Unseen { version }.into()),
            }
        }
        if !faults.is_empty() {
            return Err(PublishError::Refused(Faults(faults)).into());
        }
        let subject = subject_key(self.records.origin(), Kind::LicenceType, code);
        let statement = Statement {
            action: entry.publish(),
            effective: now,
            subject,
        };
        let (version, slug) = (entry.version, &entry.slug);
        let declared = self.declare(
            statement,
            None,
            administrators,
            &[],
            now,
            |transaction, id| Ok(transaction.add_type(code, version, slug, &entry.digest, id)?),
        )?;
        if matches!(declared.standing, Standing::Receipted { .. }) {
            let path = Path::new(slug).with_extension("json");
            self.catalogue.put(path, entry.clone());
        }
        Ok(declared)
    }
}

/// Refuses an entry that lacks what every published one must have.
pub(super) fn publishable(entry: &Entry) -> Result<(), PublishError> {
    let faults = entry.unpublishable();
    match faults.is_empty() {
        true => Ok(()),
        false => Err(PublishError::Refused(Faults(faults))),
    }
}
