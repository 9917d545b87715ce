//! The dishonest operator and the forger: what they try, for real, and what catches them.
//!
//! The operator holds the log's key and controls the local witness. He does not control what the
//! auditor and other people remember. Every attempt works on a copy of the directory that passes
//! `fsck`; what catches it is the program's own audit, verification and start-up.

use std::path::{Path, PathBuf};

use rand::Rng as _;
use zhao_issuer::keys::Purpose;
use zhao_ledger::fsck;
use zhao_ledger::read::Reader;
use zhao_ledger::store::Store;
use zhao_ledger::store::files::Directory;
use zhao_ledger::store::rocks::Rocks;
use zhao_spec::file::{Dossier, Evidence};
use zhao_spec::log::LogKeys;
use zhao_spec::wire::{SecretKey, UnixMillis};
use zhao_verifier::{Status, TrustPolicy, Verdict};

use super::story::{Story, keyring};
use crate::command::audit::{self, Found};
use crate::command::verify::Belief;
use crate::engine::{LOG_KEY, WITNESS_KEY};
use crate::failure::{Failure, args, because};
use crate::files;
use crate::session::Session;

mod forger;
mod operator;
mod press;
mod tools;

use press::{Keys, Press};

/// One attempt, and what became of it.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// `demo.NAME` of the catalogue says what was tried.
    pub(crate) name: &'static str,
    /// What caught it; empty if nothing did.
    pub(crate) caught: Vec<Caught>,
    /// The evidence, judged by `zhao verify`.
    pub(crate) evidence: Option<PathBuf>,
}

/// Something that caught an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Caught {
    /// An audit wrote evidence with this claim, which verifies.
    Evidence(&'static str),
    /// A verifier refuses, or does not accept, with these codes.
    Verifier(Status, Vec<&'static str>),
    /// The program does not start: the failure's key, and its words.
    Start(String, String),
}

/// What the attempts work with.
pub(crate) struct Scene<'a> {
    session: &'a Session,
    story: &'a Story,
    belief: &'a Belief,
    keys: Keys,
    now: UnixMillis,
    /// Copies and evidence go here.
    dir: PathBuf,
}

type Try = fn(&Scene<'_>) -> Result<Attempt, Failure>;

/// Every attempt, with all that must catch it. Anything else, however loud, counts for nothing:
/// it might be our own mistake in making the attempt.
const TRIES: [(Try, &[&str]); 15] = [
    (
        operator::drops_revocation,
        &["audit: hidden-event", "verify: auditor_quorum"],
    ),
    (
        operator::rewrites_entry,
        &["audit: inadmissible-leaf", "verify: auditor_quorum"],
    ),
    (
        operator::restores_backup,
        &["start-up: ledger-older", "start-up: ledger-behind"],
    ),
    (operator::shows_two_heads, &["audit: two-heads"]),
    (
        operator::backdates,
        &["audit: wrong-transition", "verify: auditor_quorum"],
    ),
    (
        operator::keeps_map_active,
        &["audit: wrong-transition", "verify: auditor_quorum"],
    ),
    (operator::pairs_old_map, &["verify: epoch_not_last"]),
    (
        operator::invents_unit,
        &[
            "audit: inadmissible-leaf",
            "verify: auditor_quorum",
            "verify: grant_invalid",
        ],
    ),
    (operator::leaves_out, &["verify: answer_incomplete"]),
    (operator::freezes_view, &["verify: too_old"]),
    (forger::self_made_key, &["verify: record_digest"]),
    (forger::other_units_key, &["verify: record_issuer"]),
    (forger::edited_field, &["verify: proof_signature"]),
    (forger::another_proof, &["verify: record_digest"]),
    (forger::another_log, &["verify: log_signature"]),
];

impl Attempt {
    /// The same, caught by nothing unless everything `expected` caught it.
    fn held_to(self, expected: &[&str]) -> Self {
        let codes: Vec<String> = self.caught.iter().flat_map(Caught::codes).collect();
        let all = expected
            .iter()
            .all(|code| codes.iter().any(|own| own == code));
        if all {
            self
        } else {
            Self {
                caught: Vec::new(),
                ..self
            }
        }
    }
}

impl Caught {
    /// What it is, in codes.
    pub(crate) fn codes(&self) -> Vec<String> {
        match self {
            Self::Evidence(claim) => vec![format!("audit: {claim}")],
            Self::Verifier(_, codes) => {
                codes.iter().map(|code| format!("verify: {code}")).collect()
            }
            Self::Start(key, _) => vec![format!("start-up: {key}")],
        }
    }
}

/// Tries everything.
///
/// # Errors
/// An attempt could not even be made.
pub(crate) fn try_all(
    session: &Session,
    story: &Story,
    belief: &Belief,
    mut each: impl FnMut(&Attempt) -> Result<(), Failure>,
) -> Result<Vec<Attempt>, Failure> {
    let mut keyring = keyring(&story.home.keys())?;
    let mut secret = |name: &str, purpose| {
        keyring
            .secret(name, purpose)
            .map_err(because("keys", args![]))
    };
    let keys = Keys {
        origin: story.home.config.origin.clone(),
        log: secret(LOG_KEY, Purpose::Log)?,
        witness_name: story.home.config.witness.clone(),
        witness: secret(WITNESS_KEY, Purpose::Witness)?,
    };
    let dir = story.dir.join("attempts");
    files::make_dir(&dir)?;
    files::make_dir(&story.dir.join("evidence"))?;
    let now = session.host.now()?;
    let scene = Scene {
        session,
        story,
        belief,
        keys,
        now,
        dir,
    };
    let mut attempts = Vec::new();
    for (attempt, expected) in TRIES {
        let attempt = attempt(&scene)?.held_to(expected);
        each(&attempt)?;
        attempts.push(attempt);
    }
    Ok(attempts)
}

impl Scene<'_> {
    /// A copy of the honest log's directory, which passes fsck.
    fn copy(&self, name: &str) -> Result<PathBuf, Failure> {
        let ledger = self.dir.join(name).join("ledger");
        files::copy_dir(&self.story.home.ledger(), &ledger)?;
        self.must_be_clean(&ledger)?;
        Ok(ledger)
    }

    fn must_be_clean(&self, ledger: &Path) -> Result<(), Failure> {
        let store = Rocks::open(&ledger.join("db")).map_err(because("ledger", args![]))?;
        let files = Directory::open(ledger).map_err(because("ledger", args![]))?;
        let policy = self.belief.policy.policy();
        let log = LogKeys::of(policy, &self.keys.origin)
            .ok_or_else(|| Failure::usage("policy-other-log", args![origin = self.keys.origin]))?;
        let report = fsck::check(&store, &files, &log).map_err(because("ledger", args![]))?;
        match report.findings.first() {
            None => Ok(()),
            Some(finding) => Err(Failure::usage(
                "demo-fsck",
                args![path = ledger.display(), cause = finding],
            )),
        }
    }

    /// An empty place for a log that is printed from the first leaf on.
    fn place(&self, name: &str) -> Result<PathBuf, Failure> {
        let ledger = self.dir.join(name).join("ledger");
        files::make_dir(&ledger)?;
        Ok(ledger)
    }

    /// The honest log, for reading.
    fn honest(&self) -> Result<Rocks, Failure> {
        Rocks::open(&self.story.home.database()).map_err(because("ledger", args![]))
    }

    /// A key that nobody made.
    fn own_key(&self) -> Result<SecretKey, Failure> {
        let mut seed = [0; 32];
        self.session.host.generator()?.fill_bytes(&mut seed);
        Ok(SecretKey::from_seed(seed))
    }

    /// An audit of a printed log, by somebody who has what other people hold.
    fn audit(&self, press: Press) -> Result<Found, Failure> {
        let store: std::sync::Arc<dyn Store> = press.store();
        drop(press);
        self.audit_with(store, &self.story.held)
    }

    fn audit_with(
        &self,
        store: std::sync::Arc<dyn Store>,
        held: &[audit::Held],
    ) -> Result<Found, Failure> {
        let mut seed = [0; 32];
        self.session.host.generator()?.fill_bytes(&mut seed);
        audit::audit(
            store,
            &self.belief.policy,
            &self.keys.origin,
            held,
            seed,
            self.now,
        )
    }

    /// The dossier of the licence whose revocation hurts, as a printed log has it.
    fn victims_dossier(&self, press: &Press) -> Result<Dossier, Failure> {
        let reader = Reader::new(press.store());
        let view = reader.latest().map_err(because("ledger", args![]))?;
        view.dossier(&self.story.victim.licence, true)
            .map_err(because("ledger", args![]))
    }

    fn judge(&self, bytes: &[u8]) -> Verdict {
        self.belief.judge(bytes, self.now, None)
    }

    /// As a careless reader would: one who asks for no auditor at all.
    fn judge_carelessly(&self, bytes: &[u8]) -> Result<Verdict, Failure> {
        let policy = files::read_text(&self.story.home.policy(), 1 << 16)?;
        let trust = files::read_text(&self.story.home.trust(), 1 << 16)?;
        let trust = trust.replace("auditors 1\n", "auditors none\n");
        let careless = TrustPolicy::load(&policy, &trust).map_err(because(
            "policy-wrong",
            args![path = self.story.home.trust().display()],
        ))?;
        Ok(zhao_verifier::verify(
            bytes, &careless, None, self.now, None,
        ))
    }

    /// Puts together an attempt: evidence counts only if it verifies.
    fn attempt(
        &self,
        name: &'static str,
        verdicts: Vec<Verdict>,
        found: Option<Found>,
    ) -> Result<Attempt, Failure> {
        let mut caught = Vec::new();
        let mut evidence = None;
        if let Some(piece) = found.as_ref().and_then(|found| found.evidence.first()) {
            let path = self.write_evidence(name, piece)?;
            if self.judge(&piece.bytes()).status() == Status::Valid {
                caught.push(Caught::Evidence(piece.claim()));
                evidence = Some(path);
            }
        }
        for verdict in verdicts {
            if !verdict.status().is_usable() {
                let codes = verdict
                    .reasons()
                    .iter()
                    .map(|reason| reason.code())
                    .collect();
                caught.push(Caught::Verifier(verdict.status(), codes));
            } else {
                // A reader who was deceived weighs more than any other who was not.
                return Ok(Attempt {
                    name,
                    caught: Vec::new(),
                    evidence,
                });
            }
        }
        Ok(Attempt {
            name,
            caught,
            evidence,
        })
    }

    fn write_evidence(&self, name: &str, piece: &Evidence) -> Result<PathBuf, Failure> {
        let path = self.story.dir.join("evidence").join(format!("{name}.json"));
        let mut bytes = piece.bytes();
        bytes.push(b'\n');
        files::replace(&path, &bytes)?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_counts_as_caught_only_by_what_must_catch_it() {
        let attempt = |caught| Attempt {
            name: "x",
            caught,
            evidence: None,
        };
        let verifier = Caught::Verifier(Status::Undetermined, vec!["too_old", "expired"]);
        let start = Caught::Start("keys".to_owned(), "wrong passphrase".to_owned());
        for (caught, expected, counts) in [
            (vec![verifier.clone()], &["verify: too_old"][..], true),
            (vec![verifier.clone()], &["verify: grant_invalid"], false),
            (
                vec![verifier, Caught::Evidence("two-heads")],
                &["audit: two-heads"],
                true,
            ),
            (vec![start], &["start-up: ledger-older"], false),
            (vec![], &["audit: two-heads"], false),
        ] {
            let held = attempt(caught).held_to(expected);
            assert_eq!(!held.caught.is_empty(), counts, "{expected:?}");
        }
    }

    #[test]
    fn every_attempt_must_be_caught_by_something() {
        assert!(TRIES.iter().all(|(_, expected)| !expected.is_empty()));
    }
}
