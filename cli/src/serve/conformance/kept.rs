//! What an instance keeps in memory: credentials and presentations that it made, by their
//! identifiers, and challenges that it gave. All of it is bounded, and the oldest goes first.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use zhao_spec::wire::foreign::{Foreign, canonicalize};

use super::trouble::{Trouble, What};

/// Documents of a kind.
const DOCUMENTS: usize = 1_024;
/// Their bytes and those of their names, together.
const DOCUMENT_BYTES: usize = 16 << 20;
/// Challenges that are remembered.
const CHALLENGES: usize = 4_096;

/// Documents of one kind.
#[derive(Debug, Default)]
pub(super) struct Documents(Mutex<Shelf>);

#[derive(Debug, Default)]
struct Shelf {
    by_id: BTreeMap<String, Bytes>,
    /// The oldest first.
    order: VecDeque<String>,
    bytes: usize,
}

impl Shelf {
    fn remove(&mut self, id: &str) -> bool {
        let Some(bytes) = self.by_id.remove(id) else {
            return false;
        };
        self.bytes -= bytes.len() + id.len();
        self.order.retain(|other| other != id);
        true
    }
}

impl Documents {
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a document under this identifier, in place of an older one.
    pub(super) fn put(&self, id: &str, document: &Foreign) {
        let bytes = Bytes::from(canonicalize(document));
        let size = bytes.len() + id.len();
        let mut shelf = self.shelf();
        shelf.remove(id);
        if size > DOCUMENT_BYTES {
            return;
        }
        while shelf.by_id.len() >= DOCUMENTS || shelf.bytes + size > DOCUMENT_BYTES {
            let Some(oldest) = shelf.order.front().cloned() else {
                break;
            };
            shelf.remove(&oldest);
        }
        shelf.bytes += size;
        shelf.order.push_back(id.to_owned());
        shelf.by_id.insert(id.to_owned(), bytes);
    }

    /// The document under this identifier.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn get(&self, id: &str) -> Result<Bytes, Trouble> {
        self.shelf().by_id.get(id).cloned().ok_or_else(absent)
    }

    /// Forgets it.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn delete(&self, id: &str) -> Result<(), Trouble> {
        self.shelf().remove(id).then_some(()).ok_or_else(absent)
    }

    /// All of them as one array, the oldest first.
    pub(super) fn all(&self) -> Vec<u8> {
        let shelf = self.shelf();
        let mut all = vec![b'['];
        for bytes in shelf.order.iter().filter_map(|id| shelf.by_id.get(id)) {
            if all.len() > 1 {
                all.push(b',');
            }
            all.extend_from_slice(bytes);
        }
        all.push(b']');
        all
    }
}

fn absent() -> Trouble {
    let detail = "nothing with this identifier is kept here";
    Trouble::new(What::Absent, "not-kept", detail)
}

/// Challenges that were given, each for one verification.
#[derive(Debug, Default)]
pub(super) struct Challenges(Mutex<Given>);

#[derive(Debug, Default)]
struct Given {
    /// Whether it was used.
    used: BTreeMap<String, bool>,
    /// The oldest first.
    order: VecDeque<String>,
}

impl Challenges {
    fn given(&self) -> MutexGuard<'_, Given> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a challenge that is given.
    pub(super) fn give(&self, challenge: &str) {
        let mut given = self.given();
        while given.order.len() >= CHALLENGES {
            if let Some(oldest) = given.order.pop_front() {
                given.used.remove(&oldest);
            }
        }
        given.order.push_back(challenge.to_owned());
        given.used.insert(challenge.to_owned(), false);
    }

    /// Takes a challenge for the verification that it was given for. Whoever verifies may have
    /// challenges of its own, of which nothing is known here.
    ///
    /// # Errors
    /// It was given here and used before.
    pub(super) fn take(&self, challenge: &str) -> Result<(), Trouble> {
        match self.given().used.get_mut(challenge) {
            Some(used @ false) => {
                *used = true;
                Ok(())
            }
            Some(true) => {
                let detail = "options.challenge was used before";
                Err(Trouble::new(What::Challenge, "challenge-used", detail))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::text;
    use super::*;

    #[test]
    fn documents_are_kept_replaced_forgotten_and_never_too_many() {
        let kept = Documents::default();
        assert_eq!(kept.all(), b"[]");
        assert_eq!(kept.get("a").unwrap_err().code, "not-kept");
        kept.put("a", &text("1"));
        kept.put("b", &text("2"));
        kept.put("a", &text("3"));
        assert_eq!(kept.all(), br#"["2","3"]"#);
        assert_eq!(&kept.get("a").unwrap()[..], br#""3""#);
        kept.delete("a").unwrap();
        assert_eq!(kept.delete("a").unwrap_err().code, "not-kept");
        for number in 0..=DOCUMENTS {
            kept.put(&number.to_string(), &text("x"));
        }
        assert!(kept.get("b").is_err() && kept.get("0").is_err() && kept.get("1").is_ok());
        let long = text("x".repeat(DOCUMENT_BYTES / 2));
        kept.put("long", &long);
        kept.put("longer", &long);
        assert!(kept.get("1").is_err() && kept.get("longer").is_ok());
        assert!(kept.shelf().bytes <= DOCUMENT_BYTES);
        kept.put("longest", &text("x".repeat(DOCUMENT_BYTES)));
        assert!(kept.get("longest").is_err());
    }

    #[test]
    fn a_challenge_is_good_once() {
        let challenges = Challenges::default();
        challenges.give("a");
        challenges.take("a").unwrap();
        assert_eq!(challenges.take("a").unwrap_err().code, "challenge-used");
        // Of somebody else's nothing is known.
        challenges.take("b").unwrap();
        challenges.take("b").unwrap();
        for number in 0..CHALLENGES {
            challenges.give(&number.to_string());
        }
        challenges.take("a").unwrap();
        assert_eq!(challenges.given().order.len(), CHALLENGES);
    }
}
