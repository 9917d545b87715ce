//! The status lists of an instance: a revocation list and a suspension list, kept in memory for as
//! long as the process lives. A conformance instance has nothing to remember.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use zhao_spec::wire::foreign::Foreign;
use zhao_spec::wire::{Hash, sha256};
use zhao_vc::status::{ENTRY_TYPE, Entry, entries};

use super::engine::of_status;
use super::json::{each, object, text};
use super::trouble::{Trouble, What};

/// Entries of a list: the least that Bitstring Status List allows, 16 KiB of bits.
pub(super) const ENTRIES: usize = 131_072;

/// What a list is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Purpose {
    Revocation,
    Suspension,
}

impl Purpose {
    pub(super) const ALL: [Self; 2] = [Self::Revocation, Self::Suspension];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Revocation => "revocation",
            Self::Suspension => "suspension",
        }
    }

    pub(super) fn of(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|purpose| purpose.as_str() == name)
    }
}

/// One list.
#[derive(Debug, Default)]
struct List {
    /// A byte for eight entries, the first in its highest bit; as long as there are entries.
    bits: Vec<u8>,
    /// Entries given away.
    next: usize,
    /// By the hash of the credential's identifier: its entry. The newest, where one identifier was
    /// issued twice.
    of: HashMap<Hash, usize>,
}

impl List {
    fn is_set(&self, index: usize) -> bool {
        let byte = self.bits.get(index / 8).copied().unwrap_or_default();
        byte & (0x80 >> (index % 8)) != 0
    }

    fn set(&mut self, index: usize, status: bool) {
        if self.bits.len() <= index / 8 {
            self.bits.resize(index / 8 + 1, 0);
        }
        let bit = 0x80 >> (index % 8);
        if status {
            self.bits[index / 8] |= bit;
        } else {
            self.bits[index / 8] &= !bit;
        }
    }
}

/// The lists of one instance.
#[derive(Debug)]
pub(super) struct Lists {
    /// The instance's URL; the lists' are below it.
    base: String,
    revocation: Mutex<List>,
    suspension: Mutex<List>,
}

impl Lists {
    /// Empty lists of the instance at `base`.
    pub(super) fn new(base: String) -> Self {
        Self {
            base,
            revocation: Mutex::default(),
            suspension: Mutex::default(),
        }
    }

    fn list(&self, purpose: Purpose) -> MutexGuard<'_, List> {
        let list = match purpose {
            Purpose::Revocation => &self.revocation,
            Purpose::Suspension => &self.suspension,
        };
        list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a list is served: its credential's identifier.
    pub(super) fn url(&self, purpose: Purpose) -> String {
        format!("{}/status/{}", self.base, purpose.as_str())
    }

    /// What the list at `url` is about, if it is one of these.
    fn at(&self, url: &str) -> Option<Purpose> {
        Purpose::ALL
            .into_iter()
            .find(|purpose| self.url(*purpose) == url)
    }

    /// A new entry, `credentialStatus` of a credential with this identifier.
    ///
    /// # Errors
    /// Every entry of the list is given away.
    pub(super) fn allot(&self, purpose: Purpose, id: Option<&str>) -> Result<Foreign, Trouble> {
        let url = self.url(purpose);
        let mut list = self.list(purpose);
        let index = list.next;
        if index >= ENTRIES {
            let detail = format!("all {ENTRIES} entries of {url} are given away");
            return Err(Trouble::new(What::Full, "status-full", detail));
        }
        list.next += 1;
        if let Some(id) = id {
            list.of.insert(sha256(&[id.as_bytes()]), index);
        }
        drop(list);
        Ok(object([
            ("id", text(format!("{url}#{index}"))),
            ("type", text(ENTRY_TYPE)),
            ("statusPurpose", text(purpose.as_str())),
            ("statusListIndex", text(index.to_string())),
            ("statusListCredential", text(url)),
        ]))
    }

    /// The entry of a credential that was issued here.
    ///
    /// # Errors
    /// No such credential here.
    pub(super) fn index(&self, purpose: Purpose, id: &str) -> Result<usize, Trouble> {
        let list = self.list(purpose);
        let found = list.of.get(&sha256(&[id.as_bytes()])).copied();
        found.ok_or_else(|| {
            let purpose = purpose.as_str();
            let detail = format!("no credential with this id has a {purpose} entry here");
            Trouble::new(What::Absent, "status-absent", detail)
        })
    }

    /// Sets the status of an entry that was given away.
    pub(super) fn set(&self, purpose: Purpose, index: usize, status: bool) {
        self.list(purpose).set(index, status);
    }

    /// The bits of a list, all its entries.
    pub(super) fn bits(&self, purpose: Purpose) -> Vec<u8> {
        let mut bits = self.list(purpose).bits.clone();
        bits.resize(ENTRIES / 8, 0);
        bits
    }

    /// What the entries of a credential come to: an error for one that is set or that contradicts
    /// its list, a warning for every list that is not kept here. None is fetched.
    ///
    /// # Errors
    /// As said.
    pub(super) fn look(&self, credential: &Foreign) -> Result<Vec<Trouble>, Trouble> {
        let Some(given) = credential.member("credentialStatus") else {
            return Ok(Vec::new());
        };
        let entries = entries(given).map_err(|error| of_status(&error))?;
        let not_here = |detail| Trouble::new(What::StatusRetrieval, "status-not-here", detail);
        let mut warnings = Vec::new();
        if entries.len() < each(given).len() {
            warnings.push(not_here(
                "credentialStatus of another type is not looked at",
            ));
        }
        for entry in entries {
            match self.at(&entry.list) {
                Some(purpose) => self.look_at(purpose, &entry)?,
                None => warnings.push(not_here(
                    "credentialStatus.statusListCredential is not kept here, and none is fetched",
                )),
            }
        }
        Ok(warnings)
    }

    fn look_at(&self, listed: Purpose, entry: &Entry) -> Result<(), Trouble> {
        if entry.purpose != listed.as_str() {
            let listed = listed.as_str();
            let detail = format!("credentialStatus.statusPurpose: the list is about {listed}");
            return Err(Trouble::new(
                What::StatusVerification,
                "status-purpose",
                detail,
            ));
        }
        if entry.size != 1 {
            let detail = "credentialStatus.statusSize: the list has one bit for each entry";
            return Err(Trouble::new(
                What::StatusVerification,
                "status-size",
                detail,
            ));
        }
        let index = usize::try_from(entry.index).unwrap_or(usize::MAX);
        if index >= ENTRIES {
            let detail =
                format!("credentialStatus.statusListIndex: the list has {ENTRIES} entries");
            return Err(Trouble::new(What::Range, "status-range", detail));
        }
        if self.list(listed).is_set(index) {
            let (code, detail) = match listed {
                Purpose::Revocation => ("status-revoked", "the credential is revoked"),
                Purpose::Suspension => ("status-suspended", "the credential is suspended"),
            };
            return Err(Trouble::new(What::Status, code, detail));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(change: (&str, Foreign)) -> Foreign {
        let mut entry = lists().allot(Purpose::Revocation, None).unwrap();
        super::super::json::set(&mut entry, change.0, change.1);
        object([("credentialStatus", entry)])
    }

    fn lists() -> Lists {
        Lists::new("https://a.example/rdfc".to_owned())
    }

    #[test]
    fn a_status_is_set_and_taken_back_and_no_other_with_it() {
        let lists = lists();
        let [one, two] = ["urn:a", "urn:b"].map(|id| {
            let entry = lists.allot(Purpose::Suspension, Some(id)).unwrap();
            object([("credentialStatus", entry)])
        });
        assert_eq!(lists.look(&one), Ok(Vec::new()));
        let first = lists.index(Purpose::Suspension, "urn:a").unwrap();
        lists.set(Purpose::Suspension, first, true);
        assert_eq!(lists.look(&one).unwrap_err().code, "status-suspended");
        assert_eq!(lists.look(&two), Ok(Vec::new()));
        assert_eq!(lists.bits(Purpose::Suspension)[..2], [0x80, 0]);
        lists.set(Purpose::Suspension, first, false);
        assert_eq!(lists.look(&one), Ok(Vec::new()));
        let other = lists.index(Purpose::Revocation, "urn:a");
        assert_eq!(other.unwrap_err().code, "status-absent");
    }

    #[test]
    fn entries_that_are_malformed_or_contradict_their_list_are_refused() {
        let lists = lists();
        for (member, value, what) in [
            (
                "statusPurpose",
                text("suspension"),
                What::StatusVerification,
            ),
            ("statusPurpose", Foreign::Null, What::Malformed),
            ("statusListIndex", text("131072"), What::Range),
            ("statusListIndex", text("-1"), What::Malformed),
            ("statusListIndex", text("007"), What::Malformed),
            ("statusListIndex", text(""), What::Malformed),
            ("statusListIndex", Foreign::Number(1.0), What::Malformed),
            ("statusListIndex", Foreign::Bool(true), What::Malformed),
            ("statusListCredential", Foreign::Null, What::Malformed),
            ("statusListCredential", text("list"), What::Malformed),
            ("statusSize", Foreign::Number(0.0), What::Malformed),
            ("statusSize", Foreign::Number(2.0), What::Malformed),
        ] {
            let refused = lists.look(&entry((member, value))).unwrap_err();
            assert_eq!(refused.what, what, "{member}: {refused:?}");
        }
        let wider = Entry {
            size: 2,
            ..Entry::read(&lists.allot(Purpose::Revocation, None).unwrap()).unwrap()
        };
        let refused = lists.look_at(Purpose::Revocation, &wider).unwrap_err();
        assert_eq!(refused.code, "status-size");
    }

    #[test]
    fn a_list_of_somebody_else_is_a_warning() {
        let lists = lists();
        for (member, value) in [
            ("statusListCredential", text("https://b.example/list")),
            ("type", text("Other")),
        ] {
            let warnings = lists.look(&entry((member, value))).unwrap();
            assert_eq!(warnings[0].code, "status-not-here");
        }
    }

    #[test]
    fn a_full_list_gives_no_entry() {
        let lists = lists();
        lists.list(Purpose::Revocation).next = ENTRIES;
        let refused = lists.allot(Purpose::Revocation, None).unwrap_err();
        assert_eq!(refused.code, "status-full");
    }
}
