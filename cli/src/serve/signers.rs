//! How many events each key may have logged: whoever signs is who is counted.
//!
//! What counts is what took a place in the log, so nobody else can use a key's budget up: not by
//! naming the key, since the signature is checked first; not by handing in again what the key once
//! signed, since that is in the log already; not with keys of their own, since the log takes
//! nothing from a key that no unit has. What does not count costs whoever sends it by address.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use zhao_http::Kind;
use zhao_ledger::sequence::Outcome;
use zhao_spec::life::event::Event;
use zhao_spec::wire::PublicKey;

use super::app::App;
use super::refused::Refused;
use crate::failure::args;
use crate::host::Stopwatch;

/// Keys remembered. One is forgotten when its budget is whole again, so all these would have to
/// sign within a minute.
const SIGNERS: usize = 16_384;
/// In which a key may have its budget logged, nanoseconds.
const MINUTE: u64 = 60_000_000_000;

/// The budgets of keys that have used some of them.
#[derive(Debug)]
pub(crate) struct Signers {
    /// What one event takes, nanoseconds of a minute.
    each: u64,
    watch: Stopwatch,
    /// When each key's budget is whole again, nanoseconds on `watch`. What was under way together
    /// may take a key beyond its budget, at most by what the queue holds; it waits for that longer.
    whole: Mutex<HashMap<[u8; PublicKey::BYTES], u64>>,
}

impl Signers {
    /// So many events a minute for each key.
    pub(crate) fn new(each_minute: NonZeroU32, watch: Stopwatch) -> Self {
        Self {
            each: MINUTE / u64::from(each_minute.get()),
            watch,
            whole: Mutex::default(),
        }
    }

    /// Lets events through if every key that they name has budget for one; counts nothing.
    ///
    /// # Errors
    /// A key has none: nothing of the submission is done.
    pub(crate) fn pass(&self, app: &App, events: &[Event]) -> Result<(), Refused> {
        let keys = events.iter().flat_map(|event| &event.signatures);
        let waits = keys.map(|signature| (self.wait(&signature.key, self.now()), signature.key));
        match waits.max_by_key(|(wait, _)| *wait) {
            Some((wait, key)) if wait > Duration::ZERO => {
                let key = key.to_multibase();
                let refused = app.both.refuse(Kind::Busy, "signer-often", &args![key]);
                Err(refused.until(wait))
            }
            _ => Ok(()),
        }
    }

    /// Counts the events that took a place in the log, for each key that signed them.
    pub(crate) fn count<'a>(&self, settled: impl Iterator<Item = (&'a Event, &'a Outcome)>) {
        let logged = settled.filter(|(_, outcome)| {
            matches!(
                outcome,
                Outcome::Accepted { .. } | Outcome::Pending { again: false, .. }
            )
        });
        let now = self.now();
        for (event, _) in logged {
            for signature in &event.signatures {
                self.spend(&signature.key, now);
            }
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.watch.read().as_nanos()).unwrap_or(u64::MAX)
    }

    /// How long until this key has budget for one event.
    fn wait(&self, key: &PublicKey, now: u64) -> Duration {
        let whole = self.whole.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = whole.get(&key.to_bytes()).copied().unwrap_or(0);
        let then = whole.saturating_add(self.each).saturating_sub(MINUTE);
        Duration::from_nanos(then.saturating_sub(now))
    }

    fn spend(&self, key: &PublicKey, now: u64) {
        let mut whole = self.whole.lock().unwrap_or_else(PoisonError::into_inner);
        let key = key.to_bytes();
        if whole.len() >= SIGNERS && !whole.contains_key(&key) {
            whole.retain(|_, then| *then > now);
        }
        if whole.len() >= SIGNERS && !whole.contains_key(&key) {
            // Whoever has used least loses least.
            let least = whole.iter().min_by_key(|(_, then)| **then);
            if let Some(least) = least.map(|(key, _)| *key) {
                whole.remove(&least);
            }
        }
        let then = whole.entry(key).or_insert(now);
        *then = (*then).max(now).saturating_add(self.each);
    }
}

#[cfg(test)]
mod tests {
    use zhao_spec::wire::SecretKey;

    use super::*;
    use crate::host::Host;

    const SECOND: u64 = MINUTE / 60;

    fn signers(each_minute: u32) -> Signers {
        let each_minute = NonZeroU32::new(each_minute).unwrap();
        Signers::new(each_minute, Host::new().stopwatch())
    }

    fn key(number: u32) -> PublicKey {
        let mut seed = [7; 32];
        seed[..4].copy_from_slice(&number.to_be_bytes());
        SecretKey::from_seed(seed).public()
    }

    #[test]
    fn a_key_has_its_minute_at_once_and_then_as_it_comes_back() {
        let signers = signers(3);
        let (one, other) = (key(1), key(2));
        for _ in 0..3 {
            assert_eq!(signers.wait(&one, SECOND), Duration::ZERO);
            signers.spend(&one, SECOND);
        }
        assert_eq!(signers.wait(&one, SECOND), Duration::from_secs(20));
        assert_eq!(signers.wait(&one, 20 * SECOND), Duration::from_secs(1));
        assert_eq!(signers.wait(&one, 21 * SECOND), Duration::ZERO);
        assert_eq!(signers.wait(&other, SECOND), Duration::ZERO);
    }

    #[test]
    fn what_was_under_way_together_is_waited_for_later() {
        let signers = signers(60);
        let one = key(1);
        for _ in 0..90 {
            signers.spend(&one, 0);
        }
        assert_eq!(signers.wait(&one, 0), Duration::from_secs(31));
        // A minute without events makes up for no more than a minute.
        assert_eq!(signers.wait(&one, 31 * SECOND), Duration::ZERO);
        for _ in 0..60 {
            signers.spend(&one, 1_000 * SECOND);
        }
        assert_eq!(signers.wait(&one, 1_000 * SECOND), Duration::from_secs(1));
    }

    #[test]
    fn memory_is_bounded_and_who_is_out_of_budget_is_not_forgotten_for_others() {
        let signers = signers(2);
        let busy = key(u32::MAX);
        signers.spend(&busy, 0);
        signers.spend(&busy, 0);
        // More keys than fit, all of them within the minute.
        let mut keys = signers.whole.lock().unwrap();
        for number in 0..u64::try_from(SIGNERS).unwrap() - 1 {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&number.to_be_bytes());
            keys.insert(bytes, 30 * SECOND + number);
        }
        drop(keys);
        for number in 0..100 {
            signers.spend(&key(number), SECOND);
        }
        assert_eq!(signers.whole.lock().unwrap().len(), SIGNERS);
        assert_eq!(signers.wait(&busy, SECOND), Duration::from_secs(29));
        // A minute later all but the newest are whole again.
        signers.spend(&busy, 100 * SECOND);
        signers.spend(&key(200), 100 * SECOND);
        assert!(signers.whole.lock().unwrap().len() < 10);
    }
}
