//! `zhao mirror`: a whole copy of somebody else's log, checked leaf by leaf as it grows.
//!
//! What is copied was replayed as an auditor replays it: life cycle, signers, every map root. So a
//! mirror needs no trust in where it copies from, and whoever reads the mirror gets the log's own
//! signatures. What does not check is not taken; where it proves that the log cheats, the proof is
//! written beside the copy, for `zhao verify`.
//!
//! ```text
//! DIR/mirror.toml               format, URL, origin
//! DIR/policy.txt, trust.txt     by which heads are taken
//! DIR/db/                       the copy, in a ledger's layout
//! DIR/evidence-*.json           proofs of cheating
//! DIR/keys/                     an auditor's key
//! DIR/handed/                   what was handed to an auditor (`handed`)
//! DIR/zhao.lock                 held while it copies
//! ```

use std::path::{Path, PathBuf};
use std::sync::Arc;

use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use zhao_ledger::audit::compare::{Known, Seen};
use zhao_ledger::audit::{AuditError, Auditor, evidence};
use zhao_ledger::sequence::Quorum;
use zhao_ledger::store::Store;
use zhao_ledger::store::rocks::Rocks;
use zhao_spec::file::Evidence;
use zhao_spec::life::leaf::{Epoch, Leaf};
use zhao_spec::log::LogKeys;
use zhao_spec::log::checkpoint::Checkpoint;
use zhao_spec::log::tree::{LeafIndex, TreeSize};
use zhao_spec::wire::{SecretKey, UnixMillis, limits};
use zhao_verifier::TrustPolicy;

use crate::args::Mirror as Line;
use crate::command::verify::Belief;
use crate::database;
use crate::distant::{Distant, DistantTree, Spool};
use crate::failure::{Exit, Failure, args, because};
use crate::files;
use crate::home::{Lock, lock};
use crate::session::Session;
use crate::sheet::Sheet;
use crate::values::show_time;

pub(crate) mod auditor;
pub(crate) mod hand_in;
mod handed;
mod serve;

pub(crate) use serve::stopped;

/// The format this program reads and writes.
const FORMAT: u64 = 1;
/// Largest mirror.toml, bytes.
const CONFIG_BYTES: usize = 64 << 10;
/// How often a mirror that is served looks for a newer head, milliseconds.
const EVERY: u64 = 10_000;

/// What mirror.toml says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Config {
    /// Name of the auditor's key, where the mirror is an auditor's.
    #[serde(skip_serializing_if = "Option::is_none")]
    auditor: Option<String>,
    format: u64,
    /// Where it copies from.
    url: String,
    /// Name of the log.
    origin: String,
}

/// A mirror: its directory, its copy, and what it knows of the log.
struct Mirror {
    dir: PathBuf,
    trust: TrustPolicy,
    log: LogKeys,
    auditor: Auditor,
    spool: Arc<Spool>,
    _lock: Lock,
}

/// What one look at the log gave.
#[derive(Debug)]
enum Pass {
    /// The copy is as long as this head, whose epoch was recorded then.
    Copied(Checkpoint, UnixMillis, u64),
    /// The head has not the quorum of the policy: not taken.
    NoQuorum(Checkpoint),
    /// The log, or whoever shows it, shows a head older than the copy's.
    Behind { theirs: TreeSize, ours: TreeSize },
    /// The log cheats: proofs, and where they were written.
    Cheats(String, Vec<PathBuf>),
    /// Something does not fit, and proves nothing by itself.
    Unfit(String),
}

/// Runs the command.
///
/// # Errors
/// A directory, policy or URL that is none; a log that cannot be reached.
pub(crate) fn run(session: &Session, command: &Line) -> Result<Exit, Failure> {
    let progress = session.progress(0, &session.messages.text("mirror.progress"));
    let opening = Opening {
        dir: &command.dir,
        url: Some(&command.url),
        policy: command.policy.as_deref(),
        trust: command.trust.as_deref(),
        progress: progress.clone(),
    };
    let place = opening.place()?;
    let known = place.known;
    let follows = command.listen.is_some() || command.every.is_some();
    let mut seed = [0; 32];
    rand::Rng::fill_bytes(&mut session.host.generator()?, &mut seed);
    // A key that signs nothing: a mirror only copies.
    let key = SecretKey::from_seed(seed);
    let mut mirror = Mirror::open(&opening, place, key, "mirror")?;
    let first = mirror.pass(&progress);
    progress.finish_and_clear();
    match first {
        // A machine that starts while the log is away shows what it has, and asks again.
        Err(failure) if follows && known => {
            crate::serve::log();
            tracing::warn!(cause = %failure.cause(), "the log was not read");
        }
        first => {
            let first = first?;
            print(session, command, &first)?;
            if !follows {
                return Ok(first.exit());
            }
        }
    }
    serve::run(session, command, mirror)
}

impl Pass {
    fn exit(&self) -> Exit {
        match self {
            Self::Copied(..) => Exit::Fine,
            Self::Cheats(..) => Exit::Refused,
            Self::NoQuorum(_) | Self::Behind { .. } | Self::Unfit(_) => Exit::Undetermined,
        }
    }
}

/// What a mirror is opened with.
struct Opening<'a> {
    dir: &'a Path,
    /// Where the log is; where it was, if nothing is said.
    url: Option<&'a str>,
    policy: Option<&'a Path>,
    trust: Option<&'a Path>,
    progress: ProgressBar,
}

/// A mirror's directory before its database is open.
struct Place {
    config: Config,
    trust: TrustPolicy,
    distant: Distant,
    /// Whether it was there before.
    known: bool,
}

impl Opening<'_> {
    /// Reads, or makes up, what is in the directory; writes nothing.
    fn place(&self) -> Result<Place, Failure> {
        let path = self.dir.join("mirror.toml");
        let known = path.is_file();
        let belief = match (self.policy, known) {
            (Some(policy), _) => Belief::load(policy, self.trust, None)?,
            (None, true) => Belief::load(&self.dir.join("policy.txt"), None, None)?,
            (None, false) => return Err(Failure::usage("mirror-policy", args![])),
        };
        if known {
            let config = read_config(&path)?;
            let url = self.url.unwrap_or(&config.url).to_owned();
            let distant = Distant::new(&url);
            let config = Config { url, ..config };
            return Ok(Place {
                config,
                trust: belief.policy,
                distant,
                known,
            });
        }
        files::must_be_empty(self.dir)?;
        let missing = || {
            let path = self.dir.display();
            Failure::usage("mirror-home-missing", args![path])
        };
        let url = self.url.ok_or_else(missing)?;
        let distant = Distant::new(url);
        // Which of the policy's logs is there, the log says; its key has to say the same.
        let origin = origin_of(&distant, url)?;
        Ok(Place {
            config: Config {
                auditor: None,
                format: FORMAT,
                origin,
                url: url.to_owned(),
            },
            trust: belief.policy,
            distant,
            known,
        })
    }

    /// Keeps the files of the policy in the directory.
    fn keep_policy(&self) -> Result<(), Failure> {
        let Some(policy) = self.policy else {
            return Ok(());
        };
        let beside = || policy.parent().unwrap_or(Path::new("")).join("trust.txt");
        let trust = self.trust.map_or_else(beside, Path::to_owned);
        for (from, to) in [(policy, "policy.txt"), (&trust, "trust.txt")] {
            let bytes = files::read(from, limits::POLICY_BYTES)?;
            files::replace(&self.dir.join(to), &bytes)?;
        }
        Ok(())
    }
}

impl Mirror {
    /// Opens the directory, or makes it. `key` is the auditor's, and the name it has.
    fn open(
        opening: &Opening<'_>,
        place: Place,
        key: SecretKey,
        name: &str,
    ) -> Result<Self, Failure> {
        let Place {
            config,
            trust,
            distant,
            known,
        } = place;
        let (dir, origin) = (opening.dir, config.origin.as_str());
        let unknown = || Failure::usage("policy-other-log", args![origin]);
        let log = LogKeys::of(trust.policy(), origin).ok_or_else(unknown)?;
        let genesis = *trust.trust().genesis_of(origin).ok_or_else(unknown)?;
        files::make_dir(dir)?;
        let held = lock(dir, || false)?;
        let wrap = |cause: &dyn std::fmt::Display| Failure::usage("mirror", args![cause]);
        let db = dir.join("db");
        let store = match known {
            true => Rocks::open(&db),
            false => Rocks::create(&db),
        };
        let store =
            store.map_err(|cause| database::unopened(dir, &db, cause, |cause| wrap(&cause)))?;
        let store: Arc<dyn Store> = Arc::new(store);
        opening.keep_policy()?;
        // Last of all, so that a half-made mirror is none; a URL that is new is kept.
        config.write(dir)?;
        let spool = Spool::new(distant, dir, opening.progress.clone());
        let spool = Arc::new(spool.map_err(|cause| wrap(&cause))?);
        let auditor = Auditor::new(
            name,
            key,
            log.clone(),
            genesis,
            store,
            Arc::clone(&spool) as Arc<_>,
        )
        .map_err(|cause| wrap(&cause))?;
        Ok(Self {
            dir: dir.to_owned(),
            trust,
            log,
            auditor,
            spool,
            _lock: held,
        })
    }

    /// Looks at the log once, and copies what is new.
    fn pass(&mut self, progress: &ProgressBar) -> Result<Pass, Failure> {
        let wrap = |cause: &dyn std::fmt::Display| Failure::usage("mirror", args![cause]);
        let note = self.spool.distant().checkpoint().map_err(|e| wrap(&e))?;
        let checkpoint = match self.log.open(&note) {
            Ok((checkpoint, _)) => checkpoint,
            Err(cause) => return Ok(Pass::Unfit(cause.to_string())),
        };
        let quorum = Quorum {
            policy: self.trust.policy().clone(),
            trust: None,
            others: Vec::new(),
        };
        match quorum.is_met(&note) {
            Ok(true) => {}
            Ok(false) => return Ok(Pass::NoQuorum(checkpoint)),
            Err(cause) => return Ok(Pass::Unfit(cause.to_string())),
        }
        let ours = self.auditor.size().map_err(|e| wrap(&e))?;
        let theirs = checkpoint.size;
        let new = theirs.0.saturating_sub(ours.0);
        self.spool.begin(theirs).map_err(|e| wrap(&e))?;
        progress.set_length(new.saturating_mul(2));
        progress.set_position(0);
        match self.auditor.follow(&note) {
            Ok(_) if theirs < ours => Ok(Pass::Behind { theirs, ours }),
            Ok(checkpoint) => {
                let time = self.time()?;
                Ok(Pass::Copied(checkpoint, time, new))
            }
            Err(error) => self.refused(error, &note, &checkpoint),
        }
    }

    /// What an audit's error means, with proof where there is one.
    fn refused(
        &self,
        error: AuditError,
        note: &str,
        checkpoint: &Checkpoint,
    ) -> Result<Pass, Failure> {
        let wrap = |cause: &dyn std::fmt::Display| Failure::usage("mirror", args![cause]);
        match error {
            AuditError::Diverged(finding) => {
                let why = finding.diverged.to_string();
                match evidence::from_finding(&self.auditor, &finding) {
                    Ok(proof) => self.cheats(why, &[proof]),
                    Err(cause) => Ok(Pass::Unfit(format!("{why}; {cause}"))),
                }
            }
            error @ AuditError::Fork { .. } => {
                let proofs = self.two_heads(note, checkpoint);
                match proofs {
                    Ok(proofs) if !proofs.is_empty() => self.cheats(error.to_string(), &proofs),
                    Ok(_) => Ok(Pass::Unfit(error.to_string())),
                    Err(cause) => Ok(Pass::Unfit(format!("{error}; {cause}"))),
                }
            }
            error @ (AuditError::Store(_) | AuditError::Own(_)) => Err(wrap(&error)),
            error => Ok(Pass::Unfit(error.to_string())),
        }
    }

    /// Time of the newest epoch of the copy.
    fn time(&self) -> Result<UnixMillis, Failure> {
        let known = self.auditor.known().map_err(because("mirror", args![]))?;
        Ok(known.map_or(UnixMillis(0), |known| known.head().epoch.time))
    }

    /// Whether `note` and the newest head of the copy cannot both be of one log. The tree is that
    /// of the longer one.
    fn two_heads(&self, note: &str, theirs: &Checkpoint) -> Result<Vec<Evidence>, String> {
        let words = |error: &dyn std::fmt::Display| error.to_string();
        let Some(ours) = self.auditor.latest().map_err(|e| words(&e))? else {
            return Ok(Vec::new());
        };
        let seen = if theirs.size <= self.auditor.size().map_err(|e| words(&e))? {
            let known = self.auditor.known().map_err(|e| words(&e))?;
            known.map(|known| known.note(note)).transpose()
        } else {
            let distant = self.spool.distant();
            let epoch = last_epoch(distant, theirs.size)?;
            let tree = DistantTree::new(distant, theirs.size);
            let known = Known::new(&self.log, note, epoch, tree, None).map_err(|e| words(&e))?;
            known.note(&ours).map(Some)
        };
        match seen.map_err(|e| words(&e))? {
            Some(Seen::Evidence(proofs)) => Ok(proofs),
            _ => Ok(Vec::new()),
        }
    }

    /// Writes proofs beside the copy.
    fn cheats(&self, why: String, proofs: &[Evidence]) -> Result<Pass, Failure> {
        let mut written = Vec::new();
        for proof in proofs {
            let mut bytes = proof.bytes();
            // The same proof again is the same file.
            let name = blake3::hash(&bytes).to_hex();
            let name = name.get(..16).unwrap_or_default();
            let path = self.dir.join(format!("evidence-{name}.json"));
            bytes.push(b'\n');
            files::replace(&path, &bytes)?;
            written.push(path);
        }
        Ok(Pass::Cheats(why, written))
    }
}

/// The epoch leaf that ends a distant log of this size.
pub(crate) fn last_epoch(distant: &Distant, size: TreeSize) -> Result<Epoch, String> {
    let last = LeafIndex(size.0.saturating_sub(1));
    let leaf = distant
        .leaf(last, size)
        .map_err(|error| error.to_string())?;
    match Leaf::parse(&leaf) {
        Ok(Leaf::Epoch(epoch)) => Ok(epoch),
        _ => Err("the last leaf is no epoch".to_owned()),
    }
}

/// The origin that the checkpoint at a URL states. Nothing is believed by it: it only says which
/// key of the policy must have signed.
pub(crate) fn origin_of(distant: &Distant, url: &str) -> Result<String, Failure> {
    let note = distant.checkpoint().map_err(because("mirror", args![]))?;
    let stated = note.lines().next().unwrap_or_default();
    if stated.is_empty() || stated.len() > limits::ORIGIN_BYTES {
        return Err(Failure::usage("mirror-no-log", args![url]));
    }
    Ok(stated.to_owned())
}

impl Config {
    fn write(&self, dir: &Path) -> Result<(), Failure> {
        let text = toml::to_string(self).expect("the configuration is plain text");
        files::replace(&dir.join("mirror.toml"), text.as_bytes())
    }
}

/// The copy in a directory of a mirror or an auditor, and the keys of its log; nothing where the
/// directory is neither's.
///
/// # Errors
/// Its files cannot be read, or do not fit each other.
pub(crate) fn copy_in(dir: &Path) -> Result<Option<(LogKeys, PathBuf)>, Failure> {
    let path = dir.join("mirror.toml");
    if !path.is_file() {
        return Ok(None);
    }
    let origin = read_config(&path)?.origin;
    let trust = Belief::load(&dir.join("policy.txt"), None, None)?.policy;
    let log = LogKeys::of(trust.policy(), &origin);
    let log = log.ok_or_else(|| Failure::usage("policy-other-log", args![origin]))?;
    Ok(Some((log, dir.join("db"))))
}

fn read_config(path: &Path) -> Result<Config, Failure> {
    let text = files::read_text(path, CONFIG_BYTES)?;
    let config: Config = toml::from_str(&text).map_err(|cause| {
        let cause = cause.message().trim().replace('\n', " ");
        Failure::usage("home-config", args![path = path.display(), cause])
    })?;
    if config.format != FORMAT {
        let (path, actual) = (path.display(), config.format);
        return Err(Failure::usage(
            "home-format",
            args![path, expected = FORMAT, actual],
        ));
    }
    Ok(config)
}

fn print(session: &Session, command: &Line, pass: &Pass) -> Result<(), Failure> {
    if command.json {
        return session.line(&json(pass).to_string());
    }
    let mut sheet = Sheet::new(session);
    let key = match pass {
        Pass::Copied(..) => "mirror.copied",
        Pass::NoQuorum(_) => "mirror.no-quorum",
        Pass::Behind { .. } => "mirror.behind",
        Pass::Cheats(..) => "mirror.cheats",
        Pass::Unfit(_) => "mirror.unfit",
    };
    sheet.text(sheet.word(key));
    match pass {
        Pass::Copied(checkpoint, time, new) => {
            sheet
                .row("log-size", checkpoint.size.to_string())
                .row("as-of", show_time(*time))
                .row("copied", new.to_string());
        }
        Pass::NoQuorum(checkpoint) => {
            sheet.row("log-size", checkpoint.size.to_string());
        }
        Pass::Behind { theirs, ours } => {
            sheet
                .row("log-size", theirs.to_string())
                .row("own-size", ours.to_string());
        }
        Pass::Cheats(why, written) => {
            sheet.row("problem", why);
            for path in written {
                sheet.row("evidence", path.display().to_string());
            }
        }
        Pass::Unfit(why) => {
            sheet.row("problem", why);
        }
    }
    sheet.print()
}

fn json(pass: &Pass) -> serde_json::Value {
    match pass {
        Pass::Copied(checkpoint, time, new) => serde_json::json!({
            "state": "copied", "size": checkpoint.size.0, "asOf": time.to_string(), "new": new,
        }),
        Pass::NoQuorum(checkpoint) => serde_json::json!({
            "state": "no_quorum", "size": checkpoint.size.0,
        }),
        Pass::Behind { theirs, ours } => serde_json::json!({
            "state": "behind", "size": theirs.0, "own": ours.0,
        }),
        Pass::Cheats(why, written) => {
            let files: Vec<String> = written.iter().map(|p| p.display().to_string()).collect();
            serde_json::json!({ "state": "cheats", "problem": why, "evidence": files })
        }
        Pass::Unfit(why) => serde_json::json!({ "state": "unfit", "problem": why }),
    }
}
