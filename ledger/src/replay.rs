//! The leaves of one epoch, judged from the state before it: what recovery, fsck and the auditor
//! do.
//!
//! Nothing here knows where records are kept; the caller brings a [`View`] and compares the map
//! root of its own map with the epoch leaf.

use zhao_spec::life::apply::{ApplyError, Refusal, View, ViewFault, apply};
use zhao_spec::life::data::Action;
use zhao_spec::life::event::VerifiedEvent;
use zhao_spec::life::leaf::{Epoch, ReadLeaf};
use zhao_spec::life::record::Record;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::{Hash, Keys, Malformed, UnixMillis};

use crate::overlay::{Overlay, Touched};

/// How many units may have their keys prepared while leaves are replayed: 7 MiB.
pub const PREPARED_KEYS: usize = 64;

/// What one epoch did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// Its closing leaf.
    pub epoch: Epoch,
    /// What its events are found by.
    pub index: Index,
    /// Records read and written.
    pub touched: Touched,
}

/// The entries by which events are found again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// Event id → leaf index.
    pub event_ids: Vec<(Hash, LeafIndex)>,
    /// (enterprise key, position) → licence key.
    pub holdings: Vec<((Hash, u64), Hash)>,
    /// (subject key, seq) → leaf index.
    pub subjects: Vec<((Hash, u64), LeafIndex)>,
}

impl Index {
    /// Adds one event; `writes` are what it wrote.
    pub fn add(&mut self, event: &VerifiedEvent, at: LeafIndex, writes: &[(Hash, Record)]) {
        self.event_ids.push((event.id(), at));
        self.subjects.push(((event.subject, event.seq), at));
        let Action::Issued(issued) = &event.action else {
            return;
        };
        // The predecessor's chain goes on in this same event.
        if let Some(old) = &issued.predecessor {
            self.subjects.push(((old.subject, old.seq), at));
        }
        for (key, record) in writes {
            if let Record::Enterprise(enterprise) = record {
                let position = enterprise.count.saturating_sub(1);
                self.holdings.push(((*key, position), event.subject));
            }
        }
    }
}

/// Why leaves are not what an honest log would hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Divergence {
    /// The segment has no closing epoch leaf, or one in its middle.
    #[error("an epoch leaf is missing or out of place")]
    EpochPlace,
    /// A member of the epoch leaf is not what it must be.
    #[error("epoch {member} is {actual}, expected {expected}")]
    Epoch {
        /// Which member.
        member: &'static str,
        /// What it must be.
        expected: String,
        /// What it is.
        actual: String,
    },
    /// A genesis leaf after the first leaf.
    #[error("a genesis leaf that is not the first")]
    Genesis,
    /// The bytes are no leaf.
    #[error("not a leaf: {0}")]
    Malformed(#[from] Malformed),
    /// The event is not admissible.
    #[error("event refused ({code}): {refusal}", code = .0.code(), refusal = .0)]
    Refused(Refusal),
    /// The caller's records cannot be read: no judgement.
    #[error("{0}")]
    View(ViewFault),
}

/// A divergence, where it is, and the records that judge it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("leaf {at}: {why}")]
pub struct Diverged {
    /// The leaf.
    pub at: LeafIndex,
    /// What is wrong with it.
    pub why: Divergence,
    /// Every key that was read or written until then.
    pub touched: Touched,
}

/// Judges `leaves`, which follow the epoch leaf `previous` up to and including the next epoch leaf.
/// Checked here: everything but the map root and the number of subjects ([`Replayed::check_map`]).
///
/// # Errors
/// The first leaf that an honest log would not hold.
pub fn replay(
    view: &dyn View,
    previous: &Epoch,
    leaves: &[Vec<u8>],
) -> Result<Replayed, Box<Diverged>> {
    replay_with(view, previous, leaves, &mut Keys::new(PREPARED_KEYS))
}

/// As [`replay`], for one epoch after another: `keys` is what the earlier ones leave to the later.
///
/// # Errors
/// As [`replay`].
pub fn replay_with(
    view: &dyn View,
    previous: &Epoch,
    leaves: &[Vec<u8>],
    keys: &mut Keys,
) -> Result<Replayed, Box<Diverged>> {
    replay_checked(view, previous, check(leaves, keys))
}

/// A leaf after everything that can be said of it alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checked {
    /// Closes an epoch.
    Epoch(Epoch),
    /// An event whose signatures verify.
    Event(Box<VerifiedEvent>),
    /// A genesis leaf.
    Genesis,
}

/// Reads leaves and checks their signatures, which needs no state and can be done by many threads.
pub fn check(leaves: &[Vec<u8>], keys: &mut Keys) -> Vec<Result<Checked, Divergence>> {
    let mut checked = Vec::with_capacity(leaves.len());
    let (mut events, mut places) = (Vec::new(), Vec::new());
    for (place, leaf) in leaves.iter().enumerate() {
        checked.push(match ReadLeaf::parse(leaf, keys) {
            Ok(ReadLeaf::Epoch(epoch)) => Ok(Checked::Epoch(epoch)),
            Ok(ReadLeaf::Genesis(_)) => Ok(Checked::Genesis),
            // Until its signatures are checked below.
            Ok(ReadLeaf::Event(event)) => {
                events.push(*event);
                places.push(place);
                Err(Divergence::Refused(Refusal::SignerMissing))
            }
            Err(error) => Err(error.into()),
        });
    }
    let verified = VerifiedEvent::check_all_read(events, keys);
    for (place, event) in places.into_iter().zip(verified) {
        if let Some(checked) = checked.get_mut(place) {
            let event = event.map_err(Divergence::Refused);
            *checked = event.map(|event| Checked::Event(Box::new(event)));
        }
    }
    checked
}

/// As [`replay`], of leaves that [`check`] has looked at.
///
/// # Errors
/// As [`replay`].
pub fn replay_checked(
    view: &dyn View,
    previous: &Epoch,
    leaves: Vec<Result<Checked, Divergence>>,
) -> Result<Replayed, Box<Diverged>> {
    let mut overlay = Overlay::new(view);
    let first = previous.index.0.saturating_add(1);
    let mut index = Index::default();
    let mut at = LeafIndex(first);
    match judge(&mut overlay, previous, leaves, &mut index, &mut at) {
        Ok(epoch) => Ok(Replayed {
            epoch,
            index,
            touched: overlay.finish(),
        }),
        Err(why) => Err(Box::new(Diverged {
            at,
            why,
            touched: overlay.finish(),
        })),
    }
}

fn judge(
    overlay: &mut Overlay<'_>,
    previous: &Epoch,
    mut leaves: Vec<Result<Checked, Divergence>>,
    index: &mut Index,
    at: &mut LeafIndex,
) -> Result<Epoch, Divergence> {
    let first = at.0;
    let place =
        |offset: usize| LeafIndex(first.saturating_add(u64::try_from(offset).unwrap_or(u64::MAX)));
    let last = leaves.pop().ok_or(Divergence::EpochPlace)?;
    // The epoch first: its time is the recorded time of the events before it.
    *at = place(leaves.len());
    let epoch = match last {
        Ok(Checked::Epoch(epoch)) => epoch,
        Err(Divergence::Malformed(error)) => return Err(error.into()),
        _ => return Err(Divergence::EpochPlace),
    };
    let own = *at;
    check_epoch(previous, &epoch, own)?;
    for (offset, leaf) in leaves.into_iter().enumerate() {
        *at = place(offset);
        match leaf? {
            Checked::Event(event) => {
                let writes = admit(overlay, &event, *at, epoch.time)?;
                index.add(&event, *at, &writes);
                overlay.take(writes).map_err(Divergence::View)?;
            }
            Checked::Genesis => return Err(Divergence::Genesis),
            Checked::Epoch(_) => return Err(Divergence::EpochPlace),
        }
    }
    *at = own;
    Ok(epoch)
}

fn admit(
    view: &dyn View,
    event: &VerifiedEvent,
    at: LeafIndex,
    recorded: UnixMillis,
) -> Result<Vec<(Hash, Record)>, Divergence> {
    apply(view, event, at, recorded).map_err(|error| match error {
        ApplyError::Refused(refusal) => Divergence::Refused(refusal),
        ApplyError::View(fault) => Divergence::View(fault),
    })
}

fn check_epoch(previous: &Epoch, epoch: &Epoch, index: LeafIndex) -> Result<(), Divergence> {
    let number = previous.epoch.saturating_add(1);
    expect("number", number, epoch.epoch)?;
    expect("index", index.0, epoch.index.0)?;
    expect(
        "previous",
        previous.index.0,
        epoch.previous.map_or(u64::MAX, |index| index.0),
    )?;
    if epoch.time <= previous.time {
        return Err(Divergence::Epoch {
            member: "time",
            expected: format!("after {}", previous.time),
            actual: epoch.time.to_string(),
        });
    }
    Ok(())
}

pub(crate) fn expect<T: PartialEq + std::fmt::Display>(
    member: &'static str,
    expected: T,
    actual: T,
) -> Result<(), Divergence> {
    if expected == actual {
        return Ok(());
    }
    let (expected, actual) = (expected.to_string(), actual.to_string());
    Err(Divergence::Epoch {
        member,
        expected,
        actual,
    })
}

impl Replayed {
    /// Compares the caller's map after this epoch with what the epoch leaf says.
    ///
    /// # Errors
    /// Another root, or another number of keys.
    pub fn check_map(&self, root: &Hash, subjects: u64) -> Result<(), Divergence> {
        expect("map root", *root, self.epoch.map_root)?;
        expect("subjects", subjects, self.epoch.subjects)
    }

    /// Number of keys this epoch added.
    #[must_use]
    pub fn added(&self) -> u64 {
        let before = &self.touched.before;
        let new = |key: &&Hash| before.get(*key).is_none_or(Option::is_none);
        u64::try_from(self.touched.writes.keys().filter(new).count()).unwrap_or(u64::MAX)
    }
}
