//! A new version of a licence type: judged against the one in force, then declared.

use std::path::Path;

use zhao_spec::life::record::{Record, TypeRecord, TypeState};
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::wire::{Signer, UnixMillis};

use super::{Declared, LedgerClient, Office, OfficeError, Statement};
use crate::catalogue::{Entry, Fault, Faults, Profile, check_pictures, incompatible};

/// A version of a type, and what it is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Edition<'a> {
    /// The version in force now; none: there is none.
    pub before: Option<&'a Entry>,
    /// Folder of the entry's file, where its pictures are; none: they are not looked at.
    pub dir: Option<&'a Path>,
    /// The new version.
    pub entry: &'a Entry,
    /// What a place asks for besides.
    pub profile: Option<&'a Profile>,
}

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

    /// Puts a new version of a type in force.
    ///
    /// # Errors
    /// Everything for which it may not be published or may not follow the version before; what is
    /// given as the version before is not the one in force; the records, or the ledger.
    pub fn publish_entry<S: Signer>(
        &mut self,
        edition: Edition<'_>,
        administrators: &[S],
        now: UnixMillis,
    ) -> Result<Declared, OfficeError> {
        let Edition {
            before,
            dir,
            entry,
            profile,
        } = edition;
        let code = entry.type_code.as_str();
        let mut faults: Vec<Fault> = entry.unpublishable();
        faults.extend(
            dir.map(|dir| check_pictures(entry, dir))
                .unwrap_or_default(),
        );
        let gaps = profile.map(|profile| profile.gaps(entry, None));
        faults.extend(gaps.into_iter().flatten().map(|gap| gap.fault));
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
        self.declare(
            statement,
            None,
            administrators,
            &[],
            now,
            |transaction, id| Ok(transaction.add_type(code, version, slug, &entry.digest, id)?),
        )
    }
}

impl<C: LedgerClient> Office<C> {
    /// Issues under `entry` from now on, if it is the one in force; says whether it is.
    ///
    /// # Errors
    /// The ledger cannot be asked.
    pub fn adopt_entry(&mut self, entry: &Entry) -> Result<bool, OfficeError> {
        let record = self.type_record(entry.type_code.as_str())?;
        let in_force = record.is_some_and(|record| record.digest == entry.digest);
        if in_force {
            let path = Path::new(&entry.slug).with_extension("json");
            self.catalogue.put(path, entry.clone());
        }
        Ok(in_force)
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
