//! `zhao audit`: replays a log from genesis and lays beside it what others hold.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::Rng as _;
use zhao_ledger::audit::compare::{Known, NotJudged, Seen, Standing};
use zhao_ledger::audit::{AuditError, Auditor, StoreLeaves, evidence};
use zhao_ledger::read::{ReadError, Reader, View};
use zhao_ledger::store::layout::EventIds;
use zhao_ledger::store::memory::Memory;
use zhao_ledger::store::{Store, StoreError};
use zhao_ledger::tree::StoredTree;
use zhao_spec::file::Evidence;
use zhao_spec::life::record::Record;
use zhao_spec::log::LogKeys;
use zhao_spec::log::cosignature::UnixSeconds;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::map::MapPath;
use zhao_spec::wire::{Hash, SecretKey, UnixMillis, limits};
use zhao_verifier::{Status, TrustPolicy};

use super::prove::Log;
use super::verify::Belief;
use crate::args::Audit;
use crate::failure::{Exit, Failure, args, because};
use crate::files;
use crate::home::Home;
use crate::lists;
use crate::session::{Colour, Session};
use crate::sheet::Sheet;
use crate::values::show_time;

/// Something held elsewhere: its name and its bytes.
pub(crate) type Held = (String, Vec<u8>);

/// What an audit found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Leaves of the log.
    pub(crate) size: u64,
    /// Time of its newest head.
    pub(crate) as_of: Option<UnixMillis>,
    /// Proof of cheating.
    pub(crate) evidence: Vec<Evidence>,
    /// Files that agree.
    pub(crate) agree: Vec<String>,
    /// Files that could not be judged, and why.
    pub(crate) not_judged: Vec<(String, NotJudged)>,
    /// Status lists that are not what the log says, with code and reason.
    pub(crate) lists: Vec<(String, &'static str, String)>,
    /// Status lists that could not be judged, and why.
    pub(crate) open_lists: Vec<(String, String)>,
    /// Why the replay stopped where it makes no evidence by itself.
    pub(crate) stopped: Option<String>,
}

impl Found {
    /// Whether anything contradicts the log or its rules.
    fn is_bad(&self) -> bool {
        !self.evidence.is_empty() || !self.lists.is_empty()
    }

    /// Whether something could not be judged.
    fn is_open(&self) -> bool {
        self.stopped.is_some() || !self.not_judged.is_empty() || !self.open_lists.is_empty()
    }

    /// Lays published status lists beside the log, whose maps the replay made by itself.
    fn lay_lists(&mut self, store: Arc<dyn Store>, files: &[PathBuf]) -> Result<(), Failure> {
        let reader = Reader::new(store);
        for path in files {
            let name = path.display().to_string();
            match lists::compare(&reader, &files::read(path, limits::JSON_BYTES)?) {
                Ok(()) => self.agree.push(name),
                Err(error) if error.is_fault() => {
                    self.lists.push((name, error.code(), error.to_string()));
                }
                Err(error) => self.open_lists.push((name, error.to_string())),
            }
        }
        Ok(())
    }

    /// What comparing one file gave.
    fn take(&mut self, name: &str, seen: Seen) {
        match seen {
            Seen::Agrees => self.agree.push(name.to_owned()),
            Seen::NotJudged(why) => self.not_judged.push((name.to_owned(), why)),
            Seen::Evidence(pieces) => {
                for piece in pieces {
                    if !self.evidence.contains(&piece) {
                        self.evidence.push(piece);
                    }
                }
            }
        }
    }
}

/// Runs the command.
///
/// # Errors
/// A directory, policy or file that cannot be read, or a file that is none of the log.
pub(crate) fn run(session: &Session, command: &Audit) -> Result<Exit, Failure> {
    files::must_be_new(&command.output)?;
    files::must_be_writable(&command.output)?;
    let belief = Belief::load(&command.policy, command.trust.as_deref(), None)?;
    let home = Home::open(&command.dir)?;
    let mut held = Vec::new();
    for path in &command.seen {
        held.push((
            path.display().to_string(),
            files::read(path, limits::EVIDENCE_BYTES)?,
        ));
    }
    let log = Log::open(&home)?;
    let mut seed = [0; 32];
    session.host.generator()?.fill_bytes(&mut seed);
    let now = session.host.now()?;
    let mut found = audit(
        log.store.clone(),
        &belief.policy,
        &home.config.origin,
        &held,
        seed,
        now,
    )?;
    found.lay_lists(log.store, &command.status_list)?;
    let written = write(&command.output, &found.evidence)?;
    if command.json {
        print_json(session, &found, &written)?;
    } else {
        print(session, &found, &written)?;
    }
    Ok(match (found.is_bad(), found.is_open()) {
        (true, _) => Exit::Refused,
        (false, true) => Exit::Undetermined,
        (false, false) => Exit::Fine,
    })
}

/// Audits a log's database. `seed` makes a key that signs nothing anybody gets.
///
/// # Errors
/// The policy does not know the log, or a database cannot be read.
pub(crate) fn audit(
    store: Arc<dyn Store>,
    trust: &TrustPolicy,
    origin: &str,
    held: &[Held],
    seed: [u8; 32],
    now: UnixMillis,
) -> Result<Found, Failure> {
    let unknown = || Failure::usage("policy-other-log", args![origin]);
    let log = LogKeys::of(trust.policy(), origin).ok_or_else(unknown)?;
    let genesis = trust.trust().genesis_of(origin).ok_or_else(unknown)?;
    let reader = Reader::new(Arc::clone(&store));
    let view = reader.latest().map_err(because("ledger", args![]))?;
    let (note, size, as_of) = (view.note().to_owned(), view.size().0, view.epoch().time);
    // A copy of the log in memory, replayed from the leaves: nothing derived is taken over.
    let memory = Memory::new();
    let own = memory.store().map_err(because("audit", args![]))?;
    let mut auditor = Auditor::new(
        "auditor",
        SecretKey::from_seed(seed),
        log.clone(),
        *genesis,
        Arc::new(own),
        Arc::new(StoreLeaves(Arc::clone(&store))),
    )
    .map_err(because("audit", args![]))?;
    let mut found = Found {
        size,
        as_of: Some(as_of),
        ..Found::default()
    };
    match auditor.cosign(&note, UnixSeconds(now.0 / 1_000)) {
        Ok(_) => {}
        Err(AuditError::Diverged(finding)) => {
            found.stopped = Some(finding.diverged.to_string());
            match evidence::from_finding(&auditor, &finding) {
                Ok(evidence) => found.evidence.push(evidence),
                Err(error) => found.stopped = Some(format!("{}; {error}", finding.diverged)),
            }
            lay_beside_published(&mut found, &view, &*store, &log, trust, held, now);
            return Ok(found);
        }
        Err(
            error @ (AuditError::Fork { .. }
            | AuditError::Genesis { .. }
            | AuditError::NotAnEpoch { .. }
            | AuditError::Checkpoint(_)),
        ) => {
            found.stopped = Some(error.to_string());
            lay_beside_published(&mut found, &view, &*store, &log, trust, held, now);
            return Ok(found);
        }
        Err(error) => return Err(Failure::usage("audit", args![cause = error])),
    }
    let known = auditor.known().map_err(because("audit", args![]))?;
    let Some(known) = known else { return Ok(found) };
    for (name, bytes) in held {
        let seen = known.compare(bytes).map_err(because("audit", args![]))?;
        found.take(name, seen);
    }
    Ok(found)
}

/// Lays what others hold beside a head that the replay did not reach: there is no map of our own
/// for it, so the operator's is taken, and only what a verifier upholds counts.
fn lay_beside_published(
    found: &mut Found,
    view: &View<'_>,
    store: &dyn Store,
    log: &LogKeys,
    trust: &TrustPolicy,
    held: &[Held],
    now: UnixMillis,
) {
    let (note, epoch) = (view.note(), view.epoch().clone());
    let standing: Box<dyn Standing + '_> = Box::new(Published { view, store });
    // Where his stored tree or map does not fit his head, what the replay says is all there is.
    let known = Known::new(log, note, epoch, StoredTree::new(store), Some(standing)).ok();
    for (name, bytes) in held {
        let compared = known.as_ref().and_then(|known| known.compare(bytes).ok());
        let seen = match compared.unwrap_or(Seen::NotJudged(NotJudged::NoMap)) {
            Seen::Evidence(pieces) => {
                let mut upheld = pieces;
                upheld.retain(|piece| {
                    let bytes = piece.bytes();
                    zhao_verifier::verify(&bytes, trust, None, now, None).status() == Status::Valid
                });
                match upheld.is_empty() {
                    true => Seen::NotJudged(NotJudged::NoMap),
                    false => Seen::Evidence(upheld),
                }
            }
            other => other,
        };
        found.take(name, seen);
    }
}

/// The map as the operator published it.
struct Published<'a> {
    view: &'a View<'a>,
    store: &'a dyn Store,
}

impl Standing for Published<'_> {
    fn place(&self, key: &Hash) -> Result<(MapPath, Option<Record>), StoreError> {
        self.view.placed(key).map_err(|error| match error {
            ReadError::Store(error) => error,
            other => StoreError::Engine(other.to_string()),
        })
    }

    fn find(&self, event_id: &Hash) -> Result<Option<LeafIndex>, StoreError> {
        zhao_ledger::store::read::<EventIds>(self.store, event_id)
    }
}

/// Writes each piece of evidence: the first to `path`, the others beside it with a number.
///
/// # Errors
/// The disk refuses.
pub(crate) fn write(path: &Path, evidence: &[Evidence]) -> Result<Vec<PathBuf>, Failure> {
    let mut written = Vec::new();
    let further = (2..).map(|number| numbered(path, number));
    // An earlier audit's evidence stays.
    let mut free = further.filter(|path| path.symlink_metadata().is_err());
    for piece in evidence {
        let path = match written.is_empty() {
            true => Some(path.to_owned()),
            false => free.next(),
        };
        let path = path.expect("numbers do not end");
        let mut bytes = piece.bytes();
        bytes.push(b'\n');
        files::replace(&path, &bytes)?;
        written.push(path);
    }
    Ok(written)
}

fn numbered(path: &Path, number: usize) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = match path.extension() {
        Some(extension) => format!("{stem}-{number}.{}", extension.to_string_lossy()),
        None => format!("{stem}-{number}"),
    };
    path.with_file_name(name)
}

fn print(session: &Session, found: &Found, written: &[PathBuf]) -> Result<(), Failure> {
    let mut sheet = Sheet::new(session);
    let (colour, key) = match (&found.evidence[..], found.is_bad(), found.is_open()) {
        ([_, ..], _, _) => (Colour::Bad, "audit.cheated"),
        ([], true, _) => (Colour::Bad, "audit.lists"),
        ([], false, true) => (Colour::Notice, "audit.open"),
        ([], false, false) => (Colour::Good, "audit.agrees"),
    };
    sheet.text(session.paint(colour, &sheet.word(key)));
    sheet
        .row("log-size", found.size.to_string())
        .optional("as-of", found.as_of.map(show_time))
        .row("compared", found.agree.len().to_string());
    if let Some(why) = &found.stopped {
        sheet.row("problem", why);
    }
    for (name, why) in &found.not_judged {
        sheet.named(name, not_judged(session, why));
    }
    for (name, _, why) in &found.lists {
        sheet.named(name, why.clone());
    }
    for (name, cause) in &found.open_lists {
        let said = session
            .messages
            .fill("audit.not-judged", &args![cause = cause]);
        sheet.named(name, said);
    }
    for (piece, path) in found.evidence.iter().zip(written) {
        let claim = sheet.word(&format!("claim.{}", piece.claim()));
        sheet
            .row("claim", claim)
            .row("evidence", path.display().to_string());
    }
    sheet.print()
}

/// Why something held elsewhere could not be judged.
pub(crate) fn not_judged(session: &Session, why: &NotJudged) -> String {
    match why {
        NotJudged::Newer { theirs, ours } => session
            .messages
            .fill("audit.newer", &args![theirs = theirs, ours = ours]),
        other => session
            .messages
            .fill("audit.not-judged", &args![cause = other]),
    }
}

fn print_json(session: &Session, found: &Found, written: &[PathBuf]) -> Result<(), Failure> {
    let evidence: Vec<_> = found
        .evidence
        .iter()
        .zip(written)
        .map(|(piece, path)| {
            serde_json::json!({ "claim": piece.claim(), "file": path.display().to_string() })
        })
        .collect();
    let open = found
        .not_judged
        .iter()
        .map(|(name, why)| (name, why.to_string()));
    let lists = found
        .open_lists
        .iter()
        .map(|(name, why)| (name, why.clone()));
    let open: Vec<_> = open
        .chain(lists)
        .map(|(name, why)| serde_json::json!({ "file": name, "why": why }))
        .collect();
    let disagree: Vec<_> = found
        .lists
        .iter()
        .map(|(name, code, why)| serde_json::json!({ "file": name, "code": code, "why": why }))
        .collect();
    let value = serde_json::json!({
        "agree": found.agree,
        "asOf": found.as_of.map(|at| at.to_string()),
        "disagree": disagree,
        "evidence": evidence,
        "notJudged": open,
        "size": found.size,
        "stopped": found.stopped,
    });
    session.line(&value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_pieces_get_a_number() {
        assert_eq!(
            numbered(Path::new("a/evidence.json"), 2),
            Path::new("a/evidence-2.json")
        );
        assert_eq!(numbered(Path::new("evidence"), 3), Path::new("evidence-3"));
    }
}
