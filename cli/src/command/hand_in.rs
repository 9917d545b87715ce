//! `zhao hand-in`: hands a signed event that a log does not take to an auditor of that log, and
//! asks what became of it. The same command again asks again.

use std::time::Duration;

use zhao_spec::file::{Handed, Proposal};
use zhao_spec::life::event::Event;
use zhao_spec::wire::{clip, json, limits};

use crate::args::HandIn;
use crate::command::verify::Belief;
use crate::failure::{Exit, Failure, args, because};
use crate::files;
use crate::mirror::hand_in::Answer as Said;
use crate::session::{Colour, Session};
use crate::sheet::{Sheet, plain};
use crate::web::{Answer, Web};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often an auditor that is replaying is asked, and how long between.
const TRIES: u32 = 20;
const BETWEEN: Duration = Duration::from_secs(1);
/// Longest answer: evidence, and the word beside it.
const ANSWER_BYTES: u64 = (limits::EVIDENCE_BYTES + limits::PROPOSAL_BYTES) as u64;

/// Runs the command: 0 when the log has the event or still has time, 1 when it left it out, or the
/// auditor refuses it, 3 when nothing can be said.
///
/// # Errors
/// A file that is no event; an auditor that does not answer, or whose word is not its own.
pub(crate) fn run(session: &Session, command: &HandIn) -> Result<Exit, Failure> {
    let belief = match &command.policy {
        Some(policy) => Some(Belief::load(policy, command.trust.as_deref(), None)?),
        None => None,
    };
    let path = &command.event;
    let bytes = files::read(path, limits::PROPOSAL_BYTES + 1)?;
    let event = read(json::without_newline(&bytes))
        .map_err(|cause| Failure::refused("file-malformed", args![path = path.display(), cause]))?;
    let url = format!("{}/v1/events", command.url.trim_end_matches('/'));
    let answer = ask(session, &url, &event.bytes())?;
    let stands = Stands::read(&answer).map_err(|cause| wrong(&url, &cause))?;
    if stands.said.event != event.id().to_base64url() {
        return Err(wrong(&url, &"it speaks of another event"));
    }
    match &belief {
        None => session.note("handed.unchecked", &args![]),
        Some(belief) => stands
            .check(&event, belief)
            .map_err(|cause| wrong(&url, &cause))?,
    }
    let evidence = stands.said.evidence.as_ref().map(|evidence| {
        let bytes = format!("{}\n", evidence.get());
        files::output(session, &command.output, bytes.as_bytes())
    });
    let evidence = evidence
        .transpose()?
        .map(|()| command.output.display().to_string());
    let said = &stands.said;
    if command.json {
        let value = serde_json::json!({
            "event": said.event,
            "evidence": evidence,
            "index": said.index,
            "state": said.state,
            "until": said.until,
            "why": said.why,
        });
        session.line(&value.to_string())?;
    } else {
        print(session, &stands, evidence)?;
    }
    Ok(match stands.state {
        State::Included | State::Waiting => Exit::Fine,
        State::Overdue => Exit::Refused,
        State::Unproved => Exit::Undetermined,
    })
}

/// An event by itself, or in a proposal that its administrators have signed.
fn read(bytes: &[u8]) -> Result<Event, zhao_spec::wire::Malformed> {
    match Proposal::parse(bytes) {
        Ok(proposal) => Ok(proposal.event),
        Err(_) => Event::parse(bytes),
    }
}

fn wrong(url: &str, cause: &dyn std::fmt::Display) -> Failure {
    Failure::usage("handed-answer", args![url, cause])
}

/// Hands it in, as often as an auditor that is busy asks for it.
fn ask(session: &Session, url: &str, event: &[u8]) -> Result<Answer, Failure> {
    let web = Web::new(PATIENCE);
    for _ in 1..TRIES {
        let answer = web.ask_json(url, event, ANSWER_BYTES);
        let answer = answer.map_err(because("handed", args![]))?;
        if answer.status != 503 {
            return settled(answer);
        }
        session.host.pause(BETWEEN);
    }
    let answer = web.ask_json(url, event, ANSWER_BYTES);
    settled(answer.map_err(because("handed", args![]))?)
}

fn settled(answer: Answer) -> Result<Answer, Failure> {
    let status = answer.status;
    let text = answer.text().unwrap_or_default();
    let text = plain(text.lines().next().unwrap_or_default());
    match status {
        200 | 202 => Ok(answer),
        400 | 404 | 413 | 422 => Err(Failure::refused("handed-refused", args![status, text])),
        _ => Err(Failure::usage("handed-busy", args![status, text])),
    }
}

/// Where an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Included,
    Overdue,
    Unproved,
    Waiting,
}

/// What the auditor answers, read.
#[derive(Debug)]
struct Stands {
    said: Said,
    state: State,
    handed: Option<Handed>,
}

impl Stands {
    fn read(answer: &Answer) -> Result<Self, String> {
        let said: Said = serde_json::from_slice(&answer.body).map_err(|cause| cause.to_string())?;
        let state = match &*said.state {
            "included" => State::Included,
            "overdue" => State::Overdue,
            "unproved" => State::Unproved,
            "waiting" => State::Waiting,
            other => return Err(format!("unknown state {:?}", clip(other))),
        };
        if (state == State::Overdue) != said.evidence.is_some() {
            return Err("evidence belongs to what is overdue, and only there".to_owned());
        }
        let handed = said
            .handed
            .as_ref()
            .map(|word| Handed::parse(word.get().as_bytes()));
        let handed = handed.transpose().map_err(|cause| cause.to_string())?;
        Ok(Self {
            said,
            state,
            handed,
        })
    }

    /// Whether the word is of an auditor that the trust file names. Without one nothing is claimed
    /// that would bind him.
    fn check(&self, event: &Event, belief: &Belief) -> Result<(), String> {
        let Some(handed) = &self.handed else {
            return match self.state {
                State::Included => Ok(()),
                _ => Err("it gives no word".to_owned()),
            };
        };
        let mut auditors = belief.policy.trust().auditors.iter();
        let by = auditors.find(|one| one.name == handed.auditor);
        let by = by.ok_or("its word is of no auditor of the trust file")?;
        by.key
            .verify(&handed.message(), &handed.signature)
            .map_err(|_| "its word is not signed by the auditor that it names".to_owned())?;
        match handed.event.id() == event.id() {
            true => Ok(()),
            false => Err("its word is for another event".to_owned()),
        }
    }
}

fn print(session: &Session, stands: &Stands, evidence: Option<String>) -> Result<(), Failure> {
    let (colour, key) = match stands.state {
        State::Included => (Colour::Good, "handed.included"),
        State::Overdue => (Colour::Bad, "handed.overdue"),
        State::Unproved => (Colour::Notice, "handed.unproved"),
        State::Waiting => (Colour::Good, "handed.waiting"),
    };
    let mut sheet = Sheet::new(session);
    sheet
        .text(session.paint(colour, &session.messages.text(key)))
        .row("event", &stands.said.event)
        .optional("index", stands.said.index.map(|index| index.to_string()))
        .optional("until", stands.said.until.as_deref().map(plain))
        .optional("problem", stands.said.why.as_deref().map(plain))
        .optional("evidence", evidence);
    sheet.print()
}
