//! What follows from the leaves: tiles, indexes, records, epochs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rs_merkle::Hasher as _;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::Hash;

use super::{Advice, END, Fsck};
use crate::overlay::Touched;
use crate::replay::Index;
use crate::sequence::second_log::{Rfc6962, small_root};
use crate::store::layout::{
    Epochs, EventIds, Family, Holdings, Records, Replaced, Subjects, Table, Tiles,
};
use crate::store::{StoreError, decode};

/// Entries read at once when counting.
const CHUNK: usize = 4_096;

/// How many entries each family must have.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) expected: BTreeMap<Family, u64>,
}

impl Counts {
    fn add(&mut self, family: Family) {
        let count = self.expected.entry(family).or_default();
        *count = count.saturating_add(1);
    }
}

/// The unfinished tile of each level, from the bottom.
#[derive(Debug, Default)]
pub(super) struct TileCheck {
    levels: Vec<(u64, Vec<[u8; 32]>)>,
}

impl Fsck<'_> {
    /// Reads what a table has at a key and compares. An undecodable or different value, or none, is
    /// a finding.
    fn expect<T: Table>(&mut self, key: &T::Key, value: &T::Value) -> Result<(), StoreError> {
        self.counts.add(T::FAMILY);
        let bytes = T::encode_key(key);
        let problem = match self.store.get(T::FAMILY, &bytes)? {
            Some(found) if found == T::encode_value(value) => return Ok(()),
            Some(_) => "another value than follows from the leaves",
            None => "missing",
        };
        self.find(T::FAMILY.name(), &bytes, problem, Advice::Rebuild);
        Ok(())
    }

    pub(super) fn expect_epoch(&mut self, number: u64, index: LeafIndex) -> Result<(), StoreError> {
        self.expect::<Epochs>(&number, &index)
    }

    pub(super) fn check_index(&mut self, index: &Index) -> Result<(), StoreError> {
        for (id, at) in &index.event_ids {
            self.expect::<EventIds>(id, at)?;
        }
        for (key, licence) in &index.holdings {
            self.expect::<Holdings>(key, licence)?;
        }
        for (key, at) in &index.subjects {
            self.expect::<Subjects>(key, at)?;
        }
        Ok(())
    }

    /// Takes one epoch's records. An earlier version may have been pruned; one that is there must
    /// be right all the same.
    pub(super) fn check_records(
        &mut self,
        epoch: u64,
        touched: &Touched,
    ) -> Result<(), StoreError> {
        let mut replaced = Vec::new();
        for (key, record) in &touched.writes {
            let at = (epoch, *key);
            let bytes = Records::encode_key(&at);
            let found = self.store.get(Family::Records, &bytes)?;
            if found.as_ref().is_some_and(|found| *found != record.bytes()) {
                let problem = "another record than follows from the leaves";
                self.find("records", &bytes, problem, Advice::Rebuild);
            }
            self.replica.map.insert(key, &record.hash());
            let now = (Arc::clone(record), epoch);
            if let Some((_, before)) = self.replica.records.insert(*key, now) {
                replaced.push((*key, before));
            }
        }
        self.check_replaced(epoch, replaced)
    }

    /// What an epoch replaced is listed, and still there, unless everything before it was pruned.
    fn check_replaced(&mut self, epoch: u64, old: Vec<(Hash, u64)>) -> Result<(), StoreError> {
        let key = Replaced::encode_key(&epoch);
        let problem = match self.store.get(Family::Replaced, &key)? {
            None if old.is_empty() || self.listed.is_empty() => return Ok(()),
            None => "missing, though earlier ones are there",
            Some(_) if old.is_empty() => "the epoch replaced nothing",
            Some(bytes) if bytes == Replaced::encode_value(&old) => {
                for (key, version) in &old {
                    let record = Records::encode_key(&(*version, *key));
                    if self.store.get(Family::Records, &record)?.is_none() {
                        let problem = "missing, though listed as replaced";
                        self.find("records", &record, problem, Advice::Rebuild);
                    }
                }
                self.listed.extend(old);
                return Ok(());
            }
            Some(_) => "other records than follow from the leaves",
        };
        self.listed.extend(old);
        self.find("replaced", &key, problem, Advice::Rebuild);
        Ok(())
    }

    pub(super) fn tile_leaf(
        &mut self,
        tiles: &mut TileCheck,
        leaf: &[u8],
    ) -> Result<(), StoreError> {
        let mut hash = Rfc6962::hash(leaf);
        for level in 0..=u8::MAX {
            let at = usize::from(level);
            if tiles.levels.len() <= at {
                tiles.levels.push((0, Vec::new()));
            }
            let Some((index, row)) = tiles.levels.get_mut(at) else {
                break;
            };
            row.push(hash);
            if row.len() < 256 {
                break;
            }
            let full = (*index, std::mem::take(row));
            *index = index.saturating_add(1);
            let Some(root) = small_root(&full.1) else {
                break;
            };
            hash = root;
            self.expect::<Tiles>(&(level, full.0), &full.1.concat())?;
        }
        Ok(())
    }

    pub(super) fn finish_tiles(&mut self, tiles: TileCheck) -> Result<(), StoreError> {
        for (level, (index, row)) in (0..=u8::MAX).zip(tiles.levels) {
            if !row.is_empty() {
                self.expect::<Tiles>(&(level, index), &row.concat())?;
            }
        }
        Ok(())
    }

    /// After the last leaf: the map as stored, and entries that nothing explains.
    pub(super) fn check_derived(&mut self) -> Result<(), StoreError> {
        if !self.replayed {
            return Ok(());
        }
        // Content was compared when it was replayed; a current record must be there besides.
        let current: Vec<Vec<u8>> = self
            .replica
            .records
            .iter()
            .map(|(key, (_, version))| Records::encode_key(&(*version, *key)))
            .collect();
        for key in current {
            if self.store.get(Family::Records, &key)?.is_none() {
                self.find("records", &key, "missing", Advice::Rebuild);
            }
        }
        self.check_versions()?;
        for family in [
            Family::Epochs,
            Family::EventIds,
            Family::Holdings,
            Family::Subjects,
            Family::Tiles,
        ] {
            let expected = self.counts.expected.get(&family).copied().unwrap_or(0);
            let mut actual: u64 = 0;
            self.each(family, |_, _| actual = actual.saturating_add(1))?;
            if actual > expected {
                let problem = format!("{actual} entries where the leaves explain {expected}");
                self.find(family.name(), &[], problem, Advice::Rebuild);
            }
        }
        Ok(())
    }

    /// Every record is current or listed as replaced, and nothing is listed for an epoch that is
    /// not there.
    fn check_versions(&mut self) -> Result<(), StoreError> {
        let mut bad: Vec<(Family, Vec<u8>, &'static str)> = Vec::new();
        let epochs = &self.replica.epochs;
        self.each(Family::Replaced, |key, value| {
            match decode::<Replaced>(&(key.to_vec(), value.to_vec())) {
                Ok((epoch, _)) if epochs.contains_key(&epoch) => {}
                Ok(_) => bad.push((Family::Replaced, key.to_vec(), "there is no such epoch")),
                Err(_) => bad.push((Family::Replaced, key.to_vec(), "no entry of this family")),
            }
        })?;
        let current: BTreeSet<(Hash, u64)> = self
            .replica
            .records
            .iter()
            .map(|(key, (_, version))| (*key, *version))
            .collect();
        let neither = "neither current nor listed as replaced";
        let listed = &self.listed;
        self.each(Family::Records, |key, value| {
            match decode::<Records>(&(key.to_vec(), value.to_vec())) {
                Ok(((version, subject), _))
                    if current.contains(&(subject, version))
                        || listed.contains(&(subject, version)) => {}
                Ok(_) => bad.push((Family::Records, key.to_vec(), neither)),
                Err(_) => bad.push((Family::Records, key.to_vec(), "no record key")),
            }
        })?;
        for (family, key, problem) in bad {
            self.find(family.name(), &key, problem, Advice::Rebuild);
        }
        Ok(())
    }

    /// Shows every entry of a family.
    pub(super) fn each(
        &self,
        family: Family,
        mut visit: impl FnMut(&[u8], &[u8]),
    ) -> Result<(), StoreError> {
        let mut from: Vec<u8> = Vec::new();
        loop {
            let entries = self.store.scan(family, &from, &END, CHUNK)?;
            let Some((last, _)) = entries.last() else {
                return Ok(());
            };
            from = [last.as_slice(), &[0]].concat();
            for (key, value) in &entries {
                visit(key, value);
            }
        }
    }
}
