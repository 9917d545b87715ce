//! A place in memory that fails on purpose: for tests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zhao_spec::wire::sha256;

use super::place::{Found, Place, PlaceError, Put, Tag};

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// [`Place::get`].
    Get,
    /// [`Place::create`].
    Create,
    /// [`Place::swap`].
    Swap,
    /// [`Place::delete`].
    Delete,
}

/// How it goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An error; nothing was done.
    Before,
    /// An error; it was done.
    After,
    /// An error; it is done later, when three more things were asked for.
    Slow,
    /// A get answers with the content before the newest. Nothing else can be stale.
    Stale,
}

/// How many later operations a slow one takes.
const SLOW: u32 = 3;

#[derive(Debug)]
struct Late {
    after: u32,
    work: Work,
}

#[derive(Clone, Debug)]
enum Work {
    Create(String, Vec<u8>),
    Swap(String, Vec<u8>, Tag),
    Delete(String),
}

#[derive(Debug, Default)]
struct Shelf {
    objects: BTreeMap<String, Vec<u8>>,
    /// What was there before the newest content.
    before: BTreeMap<String, Option<Vec<u8>>>,
    /// Faults to come: the how-manieth of which operation, and how.
    faults: Vec<(Operation, u32, Fault)>,
    late: Vec<Late>,
    /// Operations so far, of each kind.
    counts: [u32; 4],
    /// Nobody answers.
    away: bool,
}

/// A place in memory. Clones are the same place.
#[derive(Clone, Debug, Default)]
pub struct MemoryPlace {
    shelf: Arc<Mutex<Shelf>>,
}

fn tag(bytes: &[u8]) -> Tag {
    Tag(sha256(&[bytes]).to_string())
}

impl Shelf {
    fn put(&mut self, name: &str, bytes: Option<Vec<u8>>) {
        let old = match bytes {
            Some(bytes) => self.objects.insert(name.to_owned(), bytes),
            None => self.objects.remove(name),
        };
        self.before.insert(name.to_owned(), old);
    }

    fn work(&mut self, work: Work) -> Put {
        match work {
            Work::Create(name, _) if self.objects.contains_key(&name) => Put::Taken,
            Work::Create(name, bytes) => {
                let done = Put::Done(tag(&bytes));
                self.put(&name, Some(bytes));
                done
            }
            Work::Swap(name, bytes, expected) => {
                if self.objects.get(&name).map(|old| tag(old)) != Some(expected) {
                    return Put::Taken;
                }
                let done = Put::Done(tag(&bytes));
                self.put(&name, Some(bytes));
                done
            }
            Work::Delete(name) => {
                self.put(&name, None);
                Put::Taken
            }
        }
    }

    fn begin(&mut self, operation: Operation, name: &str) -> Result<Option<Fault>, PlaceError> {
        for late in &mut self.late {
            late.after = late.after.saturating_sub(1);
        }
        let (due, waiting) = std::mem::take(&mut self.late)
            .into_iter()
            .partition::<Vec<_>, _>(|late| late.after == 0);
        self.late = waiting;
        for late in due {
            self.work(late.work);
        }
        if self.away {
            return Err(PlaceError::new(name, "is away"));
        }
        let kind = usize::from(operation as u8);
        let at = self.counts.get(kind).copied().unwrap_or(0);
        if let Some(count) = self.counts.get_mut(kind) {
            *count = at.saturating_add(1);
        }
        let fits = |fault: &&(Operation, u32, Fault)| (fault.0, fault.1) == (operation, at);
        Ok(self.faults.iter().find(fits).map(|fault| fault.2))
    }

    fn change(&mut self, operation: Operation, name: &str, work: Work) -> Result<Put, PlaceError> {
        let fault = self.begin(operation, name)?;
        let failed = || Err(PlaceError::new(name, "injected error"));
        match fault {
            None | Some(Fault::Stale) => Ok(self.work(work)),
            Some(Fault::Before) => failed(),
            Some(Fault::After) => {
                self.work(work);
                failed()
            }
            Some(Fault::Slow) => {
                let after = SLOW;
                self.late.push(Late { after, work });
                failed()
            }
        }
    }
}

impl MemoryPlace {
    /// An empty place.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the faults to come, each at the how-manieth operation of its kind, and counts anew.
    pub fn inject(&self, faults: Vec<(Operation, u32, Fault)>) {
        let mut shelf = self.shelf();
        shelf.faults = faults;
        shelf.counts = [0; 4];
    }

    /// Operations of a kind since faults were set.
    #[must_use]
    pub fn count(&self, operation: Operation) -> u32 {
        let counts = self.shelf().counts;
        counts
            .get(usize::from(operation as u8))
            .copied()
            .unwrap_or(0)
    }

    /// Whether nobody answers.
    pub fn set_away(&self, away: bool) {
        self.shelf().away = away;
    }

    /// Everything there is.
    #[must_use]
    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.shelf().objects.clone()
    }

    /// Puts an object, whatever is there; nothing removes it.
    pub fn overwrite(&self, name: &str, bytes: Option<Vec<u8>>) {
        self.shelf().put(name, bytes);
    }
}

impl Place for MemoryPlace {
    fn get(&self, name: &str, limit: usize) -> Result<Option<Found>, PlaceError> {
        let mut shelf = self.shelf();
        let bytes = match shelf.begin(Operation::Get, name)? {
            None | Some(Fault::After) => shelf.objects.get(name).cloned(),
            Some(Fault::Before | Fault::Slow) => {
                return Err(PlaceError::new(name, "injected error"));
            }
            Some(Fault::Stale) => match shelf.before.get(name) {
                Some(before) => before.clone(),
                None => shelf.objects.get(name).cloned(),
            },
        };
        if bytes.as_ref().is_some_and(|bytes| bytes.len() > limit) {
            return Err(PlaceError::new(name, "is longer than the limit"));
        }
        Ok(bytes.map(|bytes| Found {
            tag: tag(&bytes),
            bytes,
        }))
    }

    fn create(&self, name: &str, bytes: &[u8]) -> Result<Put, PlaceError> {
        let work = Work::Create(name.to_owned(), bytes.to_vec());
        self.shelf().change(Operation::Create, name, work)
    }

    fn swap(&self, name: &str, bytes: &[u8], expected: &Tag) -> Result<Put, PlaceError> {
        let work = Work::Swap(name.to_owned(), bytes.to_vec(), expected.clone());
        self.shelf().change(Operation::Swap, name, work)
    }

    fn delete(&self, name: &str) -> Result<(), PlaceError> {
        let work = Work::Delete(name.to_owned());
        self.shelf()
            .change(Operation::Delete, name, work)
            .map(|_| ())
    }
}
