//! `zhao refresh`: a dossier that somebody presented earlier, made new from static files alone.
//!
//! Nobody is asked about the licence. The map is fetched page by page from its root
//! (`spec/map-page.md`); each page holds many subjects, and no request names one. What a dossier
//! says stays as it is: only where it stands in the newer map, and under which head, is new. When
//! the record itself has changed, this is said, and the new one has to come from somebody who has
//! it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use zhao_ledger::sequence::Quorum;
use zhao_spec::credential::Licence;
use zhao_spec::file::{Authorities, Dossier, Head, IssuerPack, KindOfRecord, LogProof, Placed};
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::log::checkpoint::Checkpoint;
use zhao_spec::log::tlog_proof::TlogProof;
use zhao_spec::log::tree::{LeafIndex, TreeSize, check_inclusion, leaf_hash, prove_inclusion};
use zhao_spec::log::{HeadKey, LogKeys};
use zhao_spec::map::page::{Found, PageName, Walk};
use zhao_spec::wire::{Hash, clip, json};
use zhao_verifier::{Status, named_log_keys};

use super::codes;
use super::verify::{self, Belief, exit, print};
use crate::args::Refresh;
use crate::distant::{Distant, DistantError, DistantTree};
use crate::failure::{Exit, Failure, args};
use crate::files;
use crate::mirror::last_epoch;
use crate::session::Session;
use crate::values::show_time;

/// How often it begins again because an edition was dropped while its pages were fetched.
const TRIES: usize = 4;

/// What became of a dossier.
enum Outcome {
    /// The same statements under a newer head.
    Fresh(Box<Dossier>),
    /// The licence's record is another one now.
    Changed(Head),
    /// The licence's record is the same; what its issuing rests on is not.
    Authorities(Head),
}

/// Runs the command.
///
/// # Errors
/// A file that is no dossier, a policy that is wrong, a place that cannot be read or does not hold
/// what its checkpoint says, or shows an older head than the file has.
pub(crate) fn run(session: &Session, command: &Refresh) -> Result<Exit, Failure> {
    files::must_be_writable(&command.output)?;
    let pack = command.pack.as_deref();
    let belief = Belief::load(&command.policy, command.trust.as_deref(), pack)?;
    let bytes = codes::shown(codes::read(std::slice::from_ref(&command.file))?);
    let path = command.file.display();
    let old = Dossier::parse(json::without_newline(&bytes))
        .map_err(|cause| Failure::refused("refresh-no-dossier", args![path, cause]))?;
    let licence = Licence::from_value(old.credential.value())
        .map_err(|cause| Failure::refused("refresh-no-dossier", args![path, cause]))?;
    let source = Source {
        distant: Distant::new(&command.url),
        belief: &belief,
        origin: &licence.status.origin,
        named: named(&old, &belief),
    };
    let was = show_time(old.head.epoch.time);
    match source.refresh(&old, &licence)? {
        Outcome::Fresh(dossier) => written(session, command, &belief, &dossier),
        Outcome::Changed(head) => tell(
            session,
            command,
            "standing-changed",
            "refresh.changed",
            &was,
            &head,
        ),
        Outcome::Authorities(head) => tell(
            session,
            command,
            "authorities-changed",
            "refresh.authorities",
            &was,
            &head,
        ),
    }
}

/// The keys of the log that its administrators named: the longer of what dossier and pack show.
fn named(old: &Dossier, belief: &Belief) -> Vec<HeadKey> {
    let pack = belief.pack.as_deref().map(IssuerPack::parse);
    let pack = pack.as_ref().and_then(|pack| pack.as_ref().ok());
    let shown = old
        .authorities
        .iter()
        .chain(pack.map(|pack| &pack.authorities));
    shown
        .map(|own| named_log_keys(own, &belief.policy))
        .max_by_key(Vec::len)
        .unwrap_or_default()
}

/// Says what has changed, and that no file was written.
fn tell(
    session: &Session,
    command: &Refresh,
    code: &str,
    key: &str,
    was: &str,
    head: &Head,
) -> Result<Exit, Failure> {
    let now = show_time(head.epoch.time);
    if command.json {
        let value = serde_json::json!({
            "asOf": head.epoch.time.to_string(),
            "outcome": code,
            "size": head.checkpoint().size.0,
            "verdict": null,
        });
        session.line(&value.to_string())?;
    } else {
        session.say(key, &args![was, now])?;
    }
    Ok(Exit::Changed)
}

/// Judges the new dossier, and writes it if it says something.
fn written(
    session: &Session,
    command: &Refresh,
    belief: &Belief,
    dossier: &Dossier,
) -> Result<Exit, Failure> {
    let mut bytes = dossier.bytes();
    let at = session.host.now()?;
    let verdict = belief.judge(&bytes, at, None);
    let told = !matches!(verdict.status(), Status::Invalid | Status::Undetermined);
    let outcome = if told { "refreshed" } else { "not-written" };
    if command.json {
        let verdict = verify::json(&verdict);
        let value = serde_json::json!({
            "asOf": dossier.head.epoch.time.to_string(),
            "outcome": outcome,
            "size": dossier.head.checkpoint().size.0,
            "verdict": verdict,
        });
        session.line(&value.to_string())?;
    } else {
        print(session, &verdict, &bytes, at)?;
    }
    if told {
        bytes.push(b'\n');
        files::output(session, &command.output, &bytes)?;
    } else {
        session.note("refresh.not-written", &args![]);
    }
    Ok(exit(verdict.status()))
}

/// Where the newer head and map come from, and by what they are judged.
struct Source<'a> {
    distant: Distant,
    belief: &'a Belief,
    origin: &'a str,
    /// Keys of the log that its administrators named, as dossier or pack shows them.
    named: Vec<HeadKey>,
}

/// Pages of one edition, each fetched once.
type Pages = BTreeMap<PageName, Vec<u8>>;

impl Source<'_> {
    fn refresh(&self, old: &Dossier, licence: &Licence) -> Result<Outcome, Failure> {
        let mut left = TRIES;
        loop {
            left = left.saturating_sub(1);
            let head = self.head(old.head.checkpoint().size)?;
            match self.placed(old, licence, head) {
                Err(Stop::Gone(_)) if left > 0 => {}
                Err(Stop::Gone(cause)) => {
                    return Err(wrong(cause));
                }
                Err(Stop::Failure(failure)) => return Err(failure),
                Ok(outcome) => return Ok(outcome),
            }
        }
    }

    /// The head of the newest edition, proved as far as it is proved without the map. `least` is
    /// the size of a head that is known already.
    fn head(&self, least: TreeSize) -> Result<Head, Failure> {
        let note = self.distant.map_checkpoint().map_err(wrong)?;
        let checkpoint = self.checkpoint(&note)?;
        let size = checkpoint.size;
        if size < least {
            let (theirs, ours) = (size, least);
            return Err(Failure::undetermined("refresh-behind", args![theirs, ours]));
        }
        let epoch = last_epoch(&self.distant, size).map_err(wrong)?;
        let index = LeafIndex(size.0.saturating_sub(1));
        let tree = DistantTree::new(&self.distant, size);
        let hashes = prove_inclusion(index, size, &tree).map_err(wrong)?;
        let leaf = leaf_hash(&epoch.bytes());
        check_inclusion(index, size, &leaf, &hashes, &checkpoint.root).map_err(wrong)?;
        let proof = TlogProof {
            index,
            hashes,
            extra: None,
            checkpoint: note,
        };
        let proof = LogProof::new(proof).map_err(wrong)?;
        Ok(Head { epoch, proof })
    }

    /// A checkpoint of the licence's log with the quorum of policy and trust file: what a changed
    /// record is told by must be as good as what an unchanged one is.
    fn checkpoint(&self, note: &str) -> Result<Checkpoint, Failure> {
        let (origin, trust) = (self.origin, &self.belief.policy);
        let keys = LogKeys::of(trust.policy(), origin).ok_or_else(|| {
            let origin = clip(origin);
            Failure::usage("policy-other-log", args![origin])
        })?;
        // The log may have changed its key since the policy was installed.
        let keys = keys.with_named(&self.named);
        let (checkpoint, _) = keys.open(note).map_err(wrong)?;
        let quorum = Quorum {
            policy: trust.policy().following(&keys),
            trust: Some(trust.trust().clone()),
            others: Vec::new(),
        };
        match quorum.is_met(note) {
            Ok(true) if checkpoint.size.0 > 0 => Ok(checkpoint),
            Ok(_) => {
                let size = checkpoint.size;
                Err(Failure::undetermined("log-no-quorum", args![size]))
            }
            Err(cause) => Err(wrong(cause)),
        }
    }

    /// The dossier under a newer head, if its records are the same there.
    fn placed(&self, old: &Dossier, licence: &Licence, head: Head) -> Result<Outcome, Stop> {
        let (root, mut pages) = (head.epoch.map_root, Pages::new());
        let mut find = |kind, id: &str| {
            let key = subject_key(self.origin, kind, id);
            self.walk(&root, &key, &mut pages)
        };
        let own = find(Kind::Licence, &licence.id)?;
        if own.record_hash.is_none() {
            // A subject is never removed: whoever keeps both files has something to show.
            let size = head.checkpoint().size;
            return Err(Stop::Failure(Failure::refused("refresh-gone", args![size])));
        }
        let Some(placed) = moved(&old.placed, own) else {
            return Ok(Outcome::Changed(head));
        };
        let authorities = match &old.authorities {
            None => None,
            Some(old) => match moved_authorities(old, self.origin, &mut find)? {
                Some(authorities) => Some(authorities),
                // The pack has what is so now.
                None if self.belief.pack.is_some() => None,
                None => return Ok(Outcome::Authorities(head)),
            },
        };
        Ok(Outcome::Fresh(Box::new(Dossier {
            authorities,
            credential: old.credential.clone(),
            head,
            placed,
        })))
    }

    /// The way of a key, page by page.
    fn walk(&self, root: &Hash, key: &Hash, pages: &mut Pages) -> Result<Found, Stop> {
        let mut walk = Walk::new(root, key);
        while let Some(name) = walk.wanted().copied() {
            let page = match pages.entry(name) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(free) => free.insert(self.distant.map_page(&name)?),
            };
            walk.take(page).map_err(|cause| {
                let name = name.path();
                Failure::usage("refresh-page", args![name, cause])
            })?;
        }
        let ended = "the way of a key has no end";
        walk.found().ok_or_else(|| Stop::Failure(wrong(ended)))
    }
}

/// The place, or what it holds, is not as it must be.
fn wrong(cause: impl std::fmt::Display) -> Failure {
    Failure::usage("refresh", args![cause])
}

/// Why the records were not found.
enum Stop {
    /// The place has not all pages of this edition any more.
    Gone(DistantError),
    Failure(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<DistantError> for Stop {
    fn from(error: DistantError) -> Self {
        match error {
            DistantError::Status { status: 404, .. } => Self::Gone(error),
            error => Self::Failure(wrong(error)),
        }
    }
}

/// The record in its new place, if it is the same.
fn moved<R: KindOfRecord>(old: &Placed<R>, found: Found) -> Option<Placed<R>> {
    (found.record_hash == Some(old.record_hash())).then(|| Placed {
        path: found.path,
        record: old.record.clone(),
    })
}

/// The authorities in their new places, if none of them has changed.
fn moved_authorities(
    old: &Authorities,
    origin: &str,
    find: &mut dyn FnMut(Kind, &str) -> Result<Found, Stop>,
) -> Result<Option<Authorities>, Stop> {
    let mut new = old.clone();
    for issuer in &mut new.issuers {
        let found = find(Kind::Issuer, &issuer.placed.record.unit)?;
        match moved(&issuer.placed, found) {
            Some(placed) => issuer.placed = placed,
            None => return Ok(None),
        }
    }
    for own in &mut new.licence_types {
        let found = find(Kind::LicenceType, &own.record.type_code)?;
        match moved(own, found) {
            Some(placed) => *own = placed,
            None => return Ok(None),
        }
    }
    let found = find(Kind::Registry, origin)?;
    match moved(&new.registry.placed, found) {
        Some(placed) => new.registry.placed = placed,
        None => return Ok(None),
    }
    Ok(Some(new))
}
