//! What one subject has been through.

use zhao_spec::file::{History, HistoryEntry, HistoryStep, Placed};
use zhao_spec::life::record::{LicenceRecord, Record};
use zhao_spec::life::subject::Kind;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::map::page::Prefix;
use zhao_spec::wire::{Hash, limits};

use super::{ReadError, View};
use crate::overlay::record_of;
use crate::store;
use crate::store::layout::Subjects;

impl View<'_> {
    /// Shows the record of every licence whose subject key begins so, keys ascending. Records are
    /// read one after the other and not kept.
    ///
    /// # Errors
    /// The store's; the first one ends it.
    pub fn licences_below(
        &self,
        prefix: &Prefix,
        visit: &mut dyn FnMut(&Hash, &LicenceRecord),
    ) -> Result<(), ReadError> {
        let mut outcome = Ok(());
        self.map.each_below(prefix, &mut |leaf| {
            if outcome.is_err() || Kind::of(&leaf.key) != Some(Kind::Licence) {
                return;
            }
            match record_of(self.store(), leaf) {
                Ok(Record::Licence(record)) => visit(&leaf.key, &record),
                Ok(_) => {}
                Err(error) => outcome = Err(error.into()),
            }
        });
        outcome
    }

    /// Every event of one subject, each proved, and the record they led to.
    ///
    /// # Errors
    /// No such subject under this head; the store's.
    pub fn history(&self, subject: &Hash) -> Result<History, ReadError> {
        let (path, record) = self.placed(subject)?;
        let record = record.ok_or(ReadError::Absent { what: "subject" })?;
        let mut entries = Vec::new();
        for index in self.events_of(subject)? {
            let epoch = self.epoch_after(index)?;
            entries.push(HistoryEntry {
                epoch_path: self.inclusion(epoch.index)?,
                epoch,
                event: self.event(index)?,
                index,
                path: self.inclusion(index)?,
            });
        }
        let head = self.head()?;
        Ok(History {
            entries,
            head,
            placed: Placed { path, record },
            subject: *subject,
        })
    }

    /// The events of one subject with the time each was recorded.
    pub(super) fn steps(&self, subject: &Hash) -> Result<Vec<HistoryStep>, ReadError> {
        let step = |index| {
            let recorded = self.epoch_after(index)?.time;
            Ok(HistoryStep {
                event: self.event(index)?,
                index,
                recorded,
            })
        };
        self.events_of(subject)?.into_iter().map(step).collect()
    }

    /// Leaf indexes of a subject's events under this head, in order, without genesis.
    ///
    /// # Errors
    /// The store's.
    pub fn events_of(&self, subject: &Hash) -> Result<Vec<LeafIndex>, ReadError> {
        let (from, to) = ((*subject, 0), (*subject, u64::MAX));
        let limit = limits::BATCH_EVENTS;
        let found = store::scan::<Subjects>(self.store(), &from, &to, limit.saturating_add(1))?;
        if found.len() > limit {
            return Err(ReadError::TooMany {
                what: "events of one subject",
                limit,
            });
        }
        let indexes = found.into_iter().map(|(_, index)| index);
        Ok(indexes
            .filter(|index| index.0 > 0 && index.0 < self.size().0)
            .collect())
    }
}
