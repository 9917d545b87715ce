//! `zhao demo`: everything on fictional licences. Nothing is scripted: each verdict, refusal and
//! piece of evidence comes from the code that everybody else runs.

use std::path::{Path, PathBuf};

use comfy_table::presets;

use crate::args::Demo;
use crate::command::audit;
use crate::command::verify::Belief;
use crate::failure::{Exit, Failure, args, because};
use crate::files;
use crate::host::Stopwatch;
use crate::messages::{Argument, Language};
use crate::session::{Colour, Session};
use crate::sheet::table;
use crate::values::{show_bytes, show_millis};

mod day;
mod dishonest;
mod offline;
mod proofs;
mod story;

use dishonest::{Attempt, Caught};
use offline::Isolation;
use proofs::Proved;
use story::Story;

/// Runs the demo.
///
/// # Errors
/// Anything that does not go as it must, and an attempt that nothing caught.
pub(crate) fn run(session: &Session, command: &Demo) -> Result<Exit, Failure> {
    let whole = session.host.stopwatch();
    let (dir, _temporary) = place(command.keep.as_deref())?;
    session.say("demo.fictional", &[])?;
    let (home, units) = step(session, "demo.step-found", || story::found(session, &dir))?;
    let sample = step(session, "demo.step-sample", || {
        story::sample(session, &dir, command.count, command.seed, &units)
    })?;
    let story = step(session, "demo.step-live", || {
        story::live(session, &home, &dir, &sample, units)
    })?;
    lived(session, &story)?;
    let belief = Belief::load(&home.policy(), None, None)?;
    let proved = step(session, "demo.step-prove", || {
        proofs::prove(session, &story, &belief)
    })?;
    let refused = told_offline(session, &proved)?;
    step(session, "demo.step-audit", || {
        honest_audit(session, &story, &belief)
    })?;
    session.line("")?;
    session.line(&session.paint(Colour::Strong, &session.messages.text("demo.step-attempts")))?;
    let attempts = dishonest::try_all(session, &story, &belief, |attempt| {
        let name = what(session, attempt);
        match attempt.caught.is_empty() {
            true => session.say("demo.not-caught", &args![name]),
            false => session.say("demo.caught", &args![name, by = by(session, attempt)]),
        }
    })?;
    let summary = Summary {
        story: &story,
        proved: &proved,
        attempts: &attempts,
        whole,
    };
    summary.print(session, command.keep.as_deref(), &dir)?;
    let missed = attempts
        .iter()
        .filter(|attempt| attempt.caught.is_empty())
        .count();
    if missed > 0 {
        return Err(Failure::refused("demo-missed", args![count = missed]));
    }
    match refused {
        Some(cause) if session.host.insists() => {
            Err(Failure::refused("demo-namespace", args![cause]))
        }
        _ => Ok(Exit::Fine),
    }
}

/// The directory to work in: the one to keep, or one that goes away.
fn place(keep: Option<&Path>) -> Result<(PathBuf, Option<tempfile::TempDir>), Failure> {
    match keep {
        Some(dir) => {
            let used = dir.exists()
                && std::fs::read_dir(dir)
                    .map_err(|cause| Failure::file("read", dir, &cause))?
                    .next()
                    .is_some();
            if used {
                return Err(Failure::usage("dir-not-empty", args![path = dir.display()]));
            }
            files::make_dir(dir)?;
            Ok((dir.to_owned(), None))
        }
        None => {
            let temporary = tempfile::tempdir().map_err(because("demo-place", args![]))?;
            Ok((temporary.path().to_owned(), Some(temporary)))
        }
    }
}

/// Does one step and says how long it took.
fn step<T>(
    session: &Session,
    key: &'static str,
    work: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let watch = session.host.stopwatch();
    let done = work()?;
    session.say(key, &args![time = took(&watch)])?;
    Ok(done)
}

fn took(watch: &Stopwatch) -> String {
    show_millis(u64::try_from(watch.read().as_millis()).unwrap_or(u64::MAX))
}

fn lived(session: &Session, story: &Story) -> Result<(), Failure> {
    let types: Vec<String> = story
        .per_type
        .iter()
        .map(|(slug, count)| format!("{slug} {count}"))
        .collect();
    let count: u64 = story.per_type.values().sum();
    let (changes, types) = (story.changes, types.join(", "));
    session.say("demo.lived", &args![count, changes, types])
}

/// Says how the files fared that were verified apart; gives the kernel's refusal, if it did.
fn told_offline(session: &Session, proved: &Proved) -> Result<Option<String>, Failure> {
    let refused = match &proved.isolation {
        Isolation::Namespace(_) => {
            session.say("demo.offline", &args![count = proved.offline.len()])?;
            None
        }
        Isolation::Refused(cause) => {
            session.say("demo.not-offline", &args![cause])?;
            Some(cause.clone())
        }
    };
    for (path, verdict) in &proved.offline {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        session.line(&format!("    {name}  {verdict}"))?;
    }
    Ok(refused)
}

/// The honest log must pass the audit it will be measured by.
fn honest_audit(session: &Session, story: &Story, belief: &Belief) -> Result<(), Failure> {
    use rand::Rng as _;
    let log = crate::command::prove::Log::open(&story.home)?;
    let mut seed = [0; 32];
    session.host.generator()?.fill_bytes(&mut seed);
    let origin = &story.home.config.origin;
    let now = session.host.now()?;
    let found = audit::audit(log.store, &belief.policy, origin, &story.held, seed, now)?;
    let clean = found.evidence.is_empty() && found.stopped.is_none() && found.not_judged.is_empty();
    if !clean {
        let cause = found
            .stopped
            .unwrap_or_else(|| format!("{:?}", found.not_judged));
        return Err(Failure::refused("audit", args![cause]));
    }
    Ok(())
}

fn what(session: &Session, attempt: &Attempt) -> String {
    session.messages.text(&format!("demo-try.{}", attempt.name))
}

/// What caught it, in words.
fn by(session: &Session, attempt: &Attempt) -> String {
    let say = |key: &str, arguments: Vec<Argument>| session.messages.fill(key, &arguments);
    let texts: Vec<String> = attempt
        .caught
        .iter()
        .map(|caught| match caught {
            Caught::Evidence(claim) => say("demo.by-evidence", args![claim]),
            Caught::Verifier(status, codes) => {
                let status = status.as_str();
                say("demo.by-verifier", args![status, codes = codes.join(", ")])
            }
            Caught::Start(_, cause) => say("demo.by-start", args![cause]),
        })
        .collect();
    texts.join("; ")
}

/// The last screen.
struct Summary<'a> {
    story: &'a Story,
    proved: &'a Proved,
    attempts: &'a [Attempt],
    whole: Stopwatch,
}

impl Summary<'_> {
    fn print(&self, session: &Session, keep: Option<&Path>, dir: &Path) -> Result<(), Failure> {
        let word = |key: &str| session.messages.text(key);
        let mut rows = table(session, presets::UTF8_FULL_CONDENSED);
        rows.set_header([
            word("demo.column-try"),
            word("demo.column-by"),
            word("demo.column-file"),
        ]);
        for attempt in self.attempts {
            let file = attempt.evidence.as_ref().and_then(|path| path.file_name());
            let file = file
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            let by = match attempt.caught.is_empty() {
                true => session.paint(Colour::Bad, &word("demo.nothing")),
                false => brief(attempt),
            };
            rows.add_row([what(session, attempt), by, file]);
        }
        session.line("")?;
        session.line(&rows.to_string())?;
        let caught = self
            .attempts
            .iter()
            .filter(|attempt| !attempt.caught.is_empty())
            .count();
        let licences: u64 = self.story.per_type.values().sum();
        let each = self.proved.millis / u128::try_from(self.proved.verified.max(1)).unwrap_or(1);
        session.say(
            "demo.summary",
            &args![
                licences,
                types = self.story.per_type.len(),
                changes = self.story.changes,
                dossiers = self.proved.verified,
                smallest = show_bytes(self.proved.sizes.0),
                largest = show_bytes(self.proved.sizes.1),
                each,
                caught,
                tried = self.attempts.len(),
                time = took(&self.whole),
            ],
        )?;
        match keep {
            None => session.say("demo.keep", &[])?,
            Some(_) => self.invite(session, dir)?,
        }
        let page = match session.messages.language() {
            Language::En => "cli/handbook/clerk.md",
            Language::Zh => "cli/handbook/clerk.zh.md",
        };
        session.say("demo.next", &args![page])
    }

    /// What a newcomer can open, with the commands that open it.
    fn invite(&self, session: &Session, dir: &Path) -> Result<(), Failure> {
        let policy = dir.join("office").join("policy.txt");
        session.say(
            "demo.invite",
            &args![
                dossier = self.proved.example.display(),
                policy = policy.display(),
                office = dir.join("office").display(),
                passphrase = story::PASSPHRASE,
            ],
        )?;
        let evidence = self
            .attempts
            .iter()
            .find_map(|attempt| attempt.evidence.as_ref());
        match evidence {
            Some(path) => session.say(
                "demo.invite-evidence",
                &args![evidence = path.display(), policy = policy.display()],
            ),
            None => Ok(()),
        }
    }
}

/// What caught it, in codes.
fn brief(attempt: &Attempt) -> String {
    let codes: Vec<String> = attempt.caught.iter().flat_map(Caught::codes).collect();
    codes.join(" · ")
}
