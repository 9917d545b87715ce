//! `zhao log` shows a distant log's events; `zhao monitor` watches it for somebody who must know.
//!
//! A monitor believes nothing: each head has the quorum of the policy and extends the last one
//! seen, each leaf is proved under it, and heads that others show are laid beside it. What it has
//! seen it keeps in one file, which moves on only when everything was reported.

use std::cell::RefCell;
use std::time::Duration;

use zhao_ledger::audit::compare::{Known, NotJudged, Seen};
use zhao_ledger::sequence::Quorum;
use zhao_spec::file::Evidence;
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::log::LogKeys;
use zhao_spec::log::checkpoint::Checkpoint;
use zhao_spec::wire::{Hash, clip, limits};
use zhao_verifier::TrustPolicy;

use crate::args::{Log, Monitor};
use crate::command::audit::write;
use crate::command::verify::Belief;
use crate::distant::{Distant, DistantTree};
use crate::failure::{Exit, Failure, args, because};
use crate::files;
use crate::mirror::{last_epoch, origin_of};
use crate::session::{Colour, Session};
use crate::values::show_time;
use crate::web::Web;
use crate::witness::remote::monitoring_path;

mod entries;

use entries::Entry;

/// How long a webhook may take.
const WEBHOOK: Duration = Duration::from_secs(10);

/// Runs `zhao log`.
///
/// # Errors
/// A URL or policy that is none; a log that cannot be reached, or does not fit the policy.
pub(crate) fn log(session: &Session, command: &Log) -> Result<Exit, Failure> {
    let distant = Distant::new(&command.url);
    let belief = match &command.policy {
        Some(policy) => Some(Belief::load(policy, command.trust.as_deref(), None)?),
        None => None,
    };
    let mut next = command.from;
    if belief.is_none() {
        session.note("log.unchecked", &args![]);
    }
    loop {
        let note = distant.checkpoint().map_err(because("log", args![]))?;
        let checkpoint = match &belief {
            Some(belief) => quorate(&belief.policy, &note)?.1,
            None => stated(&note)?,
        };
        let size = checkpoint.size.0;
        let from = next.unwrap_or_else(|| size.saturating_sub(command.last));
        let mut shown = Ok(());
        entries::each(
            &distant,
            &checkpoint,
            from,
            belief.is_some(),
            &mut |entry| {
                shown = show(session, &entry, command.json);
                shown.is_ok()
            },
        )
        .map_err(because("log", args![]))?;
        shown?;
        next = Some(from.max(size));
        if !command.follow {
            return Ok(Exit::Fine);
        }
        session
            .host
            .pause(Duration::from_millis(command.every.max(100)));
    }
}

/// A checkpoint as it states itself, nobody's word for it.
fn stated(note: &str) -> Result<Checkpoint, Failure> {
    let signed = zhao_spec::log::note::SignedNote::parse(note).map_err(because("log", args![]))?;
    Checkpoint::parse(signed.text()).map_err(because("log", args![]))
}

/// A checkpoint of a log of the policy, with its quorum; and that log's key.
fn quorate(trust: &TrustPolicy, note: &str) -> Result<(LogKeys, Checkpoint), Failure> {
    let stated = stated(note)?;
    let origin = &stated.origin;
    let log = LogKeys::of(trust.policy(), origin);
    let log = log.ok_or_else(|| Failure::usage("policy-other-log", args![origin]))?;
    let (checkpoint, _) = log.open(note).map_err(because("log", args![]))?;
    let quorum = Quorum {
        policy: trust.policy().clone(),
        trust: None,
        others: Vec::new(),
    };
    match quorum.is_met(note) {
        Ok(true) => Ok((log, checkpoint)),
        Ok(false) => Err(Failure::usage(
            "log-no-quorum",
            args![size = checkpoint.size],
        )),
        Err(cause) => Err(Failure::usage("log", args![cause])),
    }
}

/// Prints an event: a line of a table, or JSON.
fn show(session: &Session, entry: &Entry, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return session.line(&event_json(entry).to_string());
    }
    let event = &entry.event;
    let verb = session.messages.text(&format!("verb.{}", event.verb()));
    let (index, time) = (entry.index, show_time(entry.recorded));
    let (subject, seq) = (event.subject.to_base64url(), event.seq);
    session.line(&format!("{index:>10}  {time}  {subject}  {seq:>3}  {verb}"))
}

fn event_json(entry: &Entry) -> serde_json::Value {
    let event = &entry.event;
    let keys = event.signatures.iter();
    let keys: Vec<String> = keys.map(|signature| signature.key.to_string()).collect();
    serde_json::json!({
        "kind": "event",
        "effective": event.effective.to_string(),
        "event": event.id().to_base64url(),
        "index": entry.index,
        "keys": keys,
        "recorded": entry.recorded.to_string(),
        "seq": event.seq,
        "signer": event.signer.map(|signer| signer.to_base64url()),
        "subject": event.subject.to_base64url(),
        "verb": event.verb().to_string(),
    })
}

/// What a monitor watches, and what it has seen.
struct Watch<'a> {
    session: &'a Session,
    command: &'a Monitor,
    distant: Distant,
    trust: TrustPolicy,
    subjects: Vec<Hash>,
    units: Vec<Hash>,
    web: Web,
    /// What was reported: the same proof is found at each look.
    told: RefCell<Vec<Evidence>>,
}

/// What one look gave.
#[derive(Debug, Default)]
struct Look {
    events: usize,
    evidence: Vec<Evidence>,
    /// Something that is not right and proves nothing.
    odd: Vec<String>,
}

/// Runs `zhao monitor`.
///
/// # Errors
/// A URL, policy or key that is none; with `--once`, a log that cannot be reached.
pub(crate) fn monitor(session: &Session, command: &Monitor) -> Result<Exit, Failure> {
    let belief = Belief::load(&command.policy, command.trust.as_deref(), None)?;
    files::must_be_writable(&command.state)?;
    files::must_be_writable(&command.output)?;
    let distant = Distant::new(&command.url);
    let origin = origin_of(&distant, &command.url)?;
    let subjects = command.subject.iter().map(|text| {
        let value = clip(text);
        Hash::from_base64url(text).map_err(because("subject-key", args![value]))
    });
    let units = command.unit.iter().map(|text| {
        let code = crate::command::init::parse_uscc(text)?;
        Ok(subject_key(&origin, Kind::Issuer, &code.to_string()))
    });
    let watch = Watch {
        session,
        command,
        distant,
        trust: belief.policy,
        subjects: subjects.collect::<Result<_, Failure>>()?,
        units: units.collect::<Result<_, Failure>>()?,
        web: Web::new(WEBHOOK),
        told: RefCell::default(),
    };
    loop {
        let exit = match watch.look() {
            Ok(look) => watch.tell(&look)?,
            Err(failure) if command.once => return Err(failure),
            Err(failure) => {
                // The log is away, or a webhook: what was not reported is looked at again.
                session.report(&failure);
                Exit::Undetermined
            }
        };
        if command.once {
            return Ok(exit);
        }
        session
            .host
            .pause(Duration::from_millis(command.every.max(100)));
    }
}

impl Watch<'_> {
    fn look(&self) -> Result<Look, Failure> {
        let wrap = |cause: &dyn std::fmt::Display| Failure::usage("log", args![cause]);
        let mut look = Look::default();
        let note = self.distant.checkpoint().map_err(|e| wrap(&e))?;
        let (log, checkpoint) = quorate(&self.trust, &note)?;
        let before = match self.command.state.is_file() {
            true => Some(files::read_text(&self.command.state, limits::NOTE_BYTES)?),
            false => None,
        };
        let seen = before
            .as_deref()
            .map(|before| log.open(before).map(|(checkpoint, _)| checkpoint));
        let seen = seen.transpose().map_err(|cause| {
            let path = self.command.state.display();
            Failure::usage("monitor-state", args![path, cause])
        })?;
        // The tree of the longer one of the two shows whether both can be of one log.
        let older = seen
            .as_ref()
            .is_some_and(|seen| seen.size > checkpoint.size);
        if let (true, Some(before), Some(seen)) = (older, &before, &seen) {
            let known = self.known(&log, before, seen);
            let what = format!(
                "the log shows size {}, and showed {}",
                checkpoint.size, seen.size
            );
            match known.and_then(|known| known.note(&note).map_err(|error| error.to_string())) {
                Ok(Seen::Evidence(proofs)) => look.evidence.extend(proofs),
                Ok(_) => look.odd.push(what),
                Err(error) => look.odd.push(format!("{what}; {error}")),
            }
            return Ok(look);
        }
        let known = self.known(&log, &note, &checkpoint).map_err(|e| wrap(&e))?;
        for (whose, head) in before
            .iter()
            .map(|note| ("the log", note.clone()))
            .chain(self.heads(&mut look.odd))
        {
            match known.note(&head).map_err(|e| wrap(&e))? {
                Seen::Agrees => {}
                Seen::Evidence(proofs) => look.evidence.extend(proofs),
                // It may only be a moment ahead of us; the next look tells.
                Seen::NotJudged(NotJudged::Newer { theirs, ours }) => {
                    tracing::info!(whose, %theirs, %ours, "a newer head elsewhere");
                    look.odd
                        .push(format!("{whose} shows size {theirs}, the log only {ours}"));
                }
                Seen::NotJudged(why) => look.odd.push(format!("{whose}: {why}")),
            }
        }
        if !look.evidence.is_empty() {
            return Ok(look);
        }
        let from = seen.map_or(0, |seen| seen.size.0);
        let mut told = Ok(());
        let events = &mut look.events;
        entries::each(&self.distant, &checkpoint, from, true, &mut |entry| {
            if !self.wants(&entry) {
                return true;
            }
            *events += 1;
            told = show(self.session, &entry, self.command.json)
                .and_then(|()| self.hook(&event_json(&entry)));
            told.is_ok()
        })
        .map_err(|e| wrap(&e))?;
        told?;
        files::replace(&self.command.state, note.as_bytes())?;
        Ok(look)
    }

    /// The distant log under one of its heads.
    fn known<'a>(
        &'a self,
        log: &'a LogKeys,
        note: &str,
        checkpoint: &Checkpoint,
    ) -> Result<Known<'a, DistantTree<'a>>, String> {
        let epoch = last_epoch(&self.distant, checkpoint.size)?;
        let tree = DistantTree::new(&self.distant, checkpoint.size);
        Known::new(log, note, epoch, tree, None).map_err(|error| error.to_string())
    }

    /// The heads that others show: mirrors and logs at `/checkpoint`, witnesses where they keep it.
    fn heads(&self, odd: &mut Vec<String>) -> Vec<(&str, String)> {
        let mut heads = Vec::new();
        for url in &self.command.gossip {
            let base = url.trim_end_matches('/');
            let origin = self.trust.policy().logs().iter().map(|log| log.vkey.name());
            let places =
                std::iter::once("checkpoint".to_owned()).chain(origin.map(monitoring_path));
            let mut problem = "shows no head".to_owned();
            let limit = limits::NOTE_BYTES as u64;
            let head = places.into_iter().find_map(|place| {
                match self.web.get(&format!("{base}/{place}"), limit) {
                    Ok(answer) if answer.status == 200 => answer.text().map(str::to_owned),
                    Ok(_) => None,
                    Err(error) => {
                        problem = error.to_string();
                        None
                    }
                }
            });
            match head {
                Some(head) => heads.push((url.as_str(), head)),
                None => odd.push(format!("{url}: {problem}")),
            }
        }
        heads
    }

    fn wants(&self, entry: &Entry) -> bool {
        let event = &entry.event;
        let all = self.subjects.is_empty() && self.units.is_empty();
        let by_unit = event
            .signer
            .is_some_and(|signer| self.units.contains(&signer));
        all || by_unit
            || self.subjects.contains(&event.subject)
            || self.units.contains(&event.subject)
    }

    fn hook(&self, json: &serde_json::Value) -> Result<(), Failure> {
        let Some(url) = &self.command.webhook else {
            return Ok(());
        };
        let failed = |cause: String| Failure::usage("webhook", args![url, cause]);
        let answer = self.web.post_json(url, &json.to_string());
        match answer.map_err(|error| failed(error.to_string()))?.status {
            200..=299 => Ok(()),
            status => Err(failed(format!("status {status}"))),
        }
    }

    /// Reports what is not an event.
    fn tell(&self, look: &Look) -> Result<Exit, Failure> {
        let mut told = self.told.borrow_mut();
        let mut new = look.evidence.clone();
        new.retain(|proof| !told.contains(proof));
        let written = write(&self.command.output, &new)?;
        for (proof, path) in new.iter().zip(&written) {
            let file = path.display().to_string();
            let json = serde_json::json!({
                "kind": "alarm", "claim": proof.claim(), "evidence": file,
            });
            if self.command.json {
                self.session.line(&json.to_string())?;
            } else {
                let text = self.session.messages.fill("monitor.cheats", &args![file]);
                self.session.line(&self.session.paint(Colour::Bad, &text))?;
            }
            self.hook(&json)?;
            told.push(proof.clone());
        }
        for problem in &look.odd {
            if self.command.json {
                let json = serde_json::json!({ "kind": "odd", "problem": problem });
                self.session.line(&json.to_string())?;
            } else {
                self.session.note("monitor.odd", &args![problem]);
            }
        }
        Ok(match (&look.evidence[..], &look.odd[..]) {
            ([], []) => Exit::Fine,
            ([], _) => Exit::Undetermined,
            _ => Exit::Refused,
        })
    }
}
