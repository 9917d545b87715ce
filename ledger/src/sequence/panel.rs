//! All cosigners of a log, asked side by side.
//!
//! Those in this process answer at once and are asked one after the other. Each of those elsewhere
//! has a thread of its own, because it may be slow, gone, or hold the line for spite: the log waits
//! for a quorum, a moment longer for the others, and never for one that is still busy with an
//! earlier question. What comes late is not thrown away: it says which size the next question must
//! start from.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use zhao_spec::log::LogKeys;
use zhao_spec::log::checkpoint::{Checkpoint, CheckpointError};
use zhao_spec::log::note::{SignedNote, Vkey};
use zhao_spec::log::tree::{TreeSize, prove_consistency};

use super::cosign::{CosignError, CosignRequest, Cosigner, Quorum};
use super::watch::{Failing, Watched};
use crate::store::{Read, StoreError};
use crate::tree::{StoredTree, flatten};

/// How long the others may still answer once the quorum is there: their cosignatures serve those
/// whose policy asks for more, but nobody's receipt should wait for them.
const AFTER_QUORUM: Duration = Duration::from_millis(100);
/// Questions to one cosigner about one checkpoint: the second starts from the size it named.
const TRIES: u8 = 2;
/// Why a cosigner elsewhere gave nothing.
const BUSY: &str = "has not answered an earlier question yet";
const GONE: &str = "its thread has ended";
const LATE: &str = "did not answer in time";
const NOTHING: &str = "gave no line of its own";

/// A cosigner and what we know of it.
pub(crate) struct Member {
    pub(crate) vkey: Vkey,
    /// Size it has cosigned, as far as we know.
    pub(crate) size: TreeSize,
    /// Whether it has told its last head since the start.
    pub(crate) answered: bool,
    seat: Seat,
    watched: Watched,
}

/// Where a cosigner is.
enum Seat {
    Near(Box<dyn Cosigner>),
    Far {
        jobs: Sender<Job>,
        patience: Duration,
        busy: Option<Busy>,
    },
}

/// A question to a cosigner elsewhere.
enum Job {
    Latest,
    Cosign(Box<CosignRequest>),
}

/// The question a cosigner elsewhere is busy with.
#[derive(Clone, Copy)]
enum Busy {
    Latest,
    Cosign(TreeSize),
}

/// What it answers.
enum Reply {
    Latest(Result<Option<String>, CosignError>),
    Cosign(Result<Vec<String>, CosignError>),
    /// Its thread ended by a panic.
    Gone,
}

/// Says that a thread died, so that nobody waits for it.
struct Leaving(Sender<(usize, Reply)>, usize);

impl Drop for Leaving {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = self.0.send((self.1, Reply::Gone));
        }
    }
}

/// What came of asking.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Cosigners that gave nothing usable, and why.
    pub(crate) silent: Vec<(String, String)>,
    /// A cosigner that has seen more of this log than we have.
    pub(crate) ahead: Option<(String, TreeSize)>,
}

/// A cosigner's last head.
pub(crate) type Head = Result<Option<Seen>, CosignError>;

/// A head that the log signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) checkpoint: Checkpoint,
    /// Whether by the key it has now for that size. One that was replaced may be in a thief's
    /// hands: what it signed proves nothing against us.
    pub(crate) current: bool,
}

/// All cosigners of a log.
pub(crate) struct Panel {
    pub(crate) members: Vec<Member>,
    replies: Receiver<(usize, Reply)>,
    watched: Watched,
}

/// What one round of questions is about.
struct Round<'a> {
    store: &'a dyn Read,
    quorum: &'a Quorum,
    log: &'a LogKeys,
    checkpoint: &'a Checkpoint,
    text: String,
    /// Those whose answer is waited for, and how often each was asked.
    open: BTreeMap<usize, u8>,
    asked: Asked,
}

impl Panel {
    /// A panel of these, in this order. Whoever has [patience](Cosigner::patience) gets a thread.
    pub(crate) fn new(cosigners: Vec<Box<dyn Cosigner>>, watched: Watched) -> Self {
        let (answer, replies) = channel();
        let members = cosigners.into_iter().enumerate().map(|(at, cosigner)| {
            let vkey = cosigner.vkey().clone();
            let seat = match cosigner.patience() {
                None => Seat::Near(cosigner),
                Some(patience) => Seat::Far {
                    jobs: far(at, cosigner, answer.clone(), watched.clone()),
                    patience,
                    busy: None,
                },
            };
            Member {
                vkey,
                size: TreeSize(0),
                answered: false,
                seat,
                watched: watched.clone(),
            }
        });
        Self {
            members: members.collect(),
            replies,
            watched,
        }
    }

    /// The last heads of those that have not told theirs since the start.
    pub(crate) fn heads(&mut self, log: &LogKeys) -> Vec<(usize, Head)> {
        self.take_late();
        let mut heads = Vec::new();
        let mut open = Vec::new();
        for (at, member) in self.members.iter_mut().enumerate() {
            if member.answered {
                continue;
            }
            match member.begin(Job::Latest) {
                Begun::Here(Reply::Latest(latest)) => heads.push((at, judge(latest, log))),
                Begun::Here(_) => {}
                // Busy with the same question since the last time: its answer is as good.
                Begun::Away | Begun::Busy => open.push(at),
                Begun::Failed(error) => heads.push((at, Err(error))),
            }
        }
        while let Some(patience) = self.patience(open.iter().copied()) {
            let Ok((at, reply)) = self.replies.recv_timeout(patience) else {
                break;
            };
            self.note(at, &reply);
            open.retain(|waiting| *waiting != at);
            heads.push((
                at,
                match reply {
                    Reply::Latest(latest) => judge(latest, log),
                    Reply::Cosign(_) => Err(CosignError::Unreachable(BUSY.to_owned())),
                    Reply::Gone => Err(CosignError::Unreachable(GONE.to_owned())),
                },
            ));
        }
        let late = |at| (at, Err(CosignError::Unreachable(LATE.to_owned())));
        heads.extend(open.into_iter().map(late));
        heads.sort_by_key(|(at, _)| *at);
        heads
    }

    /// Asks one of them to cosign again what it is said to have cosigned last: it does only if that
    /// is so. For those who have no page that shows their last head.
    pub(crate) fn again(
        &mut self,
        at: usize,
        quorum: &Quorum,
        published: &SignedNote,
        request: CosignRequest,
    ) -> Result<(), CosignError> {
        let gone = || CosignError::Unreachable(GONE.to_owned());
        let member = self.members.get_mut(at).ok_or_else(gone)?;
        let reply = match member.begin(Job::Cosign(Box::new(request))) {
            Begun::Here(reply) => reply,
            Begun::Away => self.wait_for(at)?,
            Begun::Busy => return Err(CosignError::Unreachable(BUSY.to_owned())),
            Begun::Failed(error) => return Err(error),
        };
        let Reply::Cosign(lines) = reply else {
            return Err(gone());
        };
        let mut note = published.clone();
        let mut why = "gives no line".to_owned();
        for line in lines? {
            match quorum.add(&mut note, &line) {
                Ok(()) => return Ok(()),
                Err(error) => why = error,
            }
        }
        Err(CosignError::Refused(why))
    }

    /// Waits for the answer of one, as long as that one deserves.
    fn wait_for(&mut self, at: usize) -> Result<Reply, CosignError> {
        let late = || CosignError::Unreachable(LATE.to_owned());
        let patience = self.patience(std::iter::once(at)).ok_or_else(late)?;
        loop {
            let (from, reply) = self.replies.recv_timeout(patience).map_err(|_| late())?;
            self.note(from, &reply);
            if from == at {
                return Ok(reply);
            }
        }
    }

    /// Asks everyone to cosign `checkpoint`, and adds the lines of known keys that verify to
    /// `note`. Each is asked once more where the first try shows that we were mistaken about its
    /// size.
    pub(crate) fn ask(
        &mut self,
        store: &dyn Read,
        quorum: &Quorum,
        log: &LogKeys,
        checkpoint: &Checkpoint,
        note: &mut SignedNote,
    ) -> Result<Asked, StoreError> {
        self.take_late();
        let mut round = Round {
            store,
            quorum,
            log,
            checkpoint,
            text: note.format(),
            open: BTreeMap::new(),
            asked: Asked {
                silent: Vec::new(),
                ahead: None,
            },
        };
        // Those elsewhere first: they work while those here do.
        for far in [true, false] {
            for at in 0..self.members.len() {
                let here = self.members.get(at).is_some_and(|m| m.is_far() == far);
                if here {
                    self.question(at, &mut round, note)?;
                }
                if round.asked.ahead.is_some() {
                    return Ok(round.asked);
                }
            }
        }
        while let Some(patience) = self.patience(round.open.keys().copied()) {
            let met = quorum.is_met(&note.format()).unwrap_or(false);
            let wait = if met { AFTER_QUORUM } else { patience };
            let Ok((at, reply)) = self.replies.recv_timeout(wait) else {
                break;
            };
            let due = round.open.contains_key(&at);
            self.note(at, &reply);
            if due {
                self.answer(at, reply, &mut round, note)?;
            }
            if round.asked.ahead.is_some() {
                return Ok(round.asked);
            }
        }
        let late = std::mem::take(&mut round.open);
        for at in late.into_keys() {
            self.failed(at, Failing::Late, LATE.to_owned(), &mut round);
        }
        Ok(round.asked)
    }

    /// Asks one of them; whoever is here has then answered.
    fn question(
        &mut self,
        at: usize,
        round: &mut Round<'_>,
        note: &mut SignedNote,
    ) -> Result<(), StoreError> {
        let Some(member) = self.members.get_mut(at) else {
            return Ok(());
        };
        let request = request(round.store, &round.text, round.checkpoint, member.size)?;
        let begun = member.begin(Job::Cosign(Box::new(request)));
        self.begun(at, begun, round, note)
    }

    fn begun(
        &mut self,
        at: usize,
        begun: Begun,
        round: &mut Round<'_>,
        note: &mut SignedNote,
    ) -> Result<(), StoreError> {
        let why = match begun {
            Begun::Away => {
                round.open.entry(at).or_default();
                return Ok(());
            }
            Begun::Here(reply) => return self.answer(at, reply, round, note),
            Begun::Busy => (Failing::Busy, BUSY.to_owned()),
            Begun::Failed(error) => (Failing::Gone, error.to_string()),
        };
        self.failed(at, why.0, why.1, round);
        Ok(())
    }

    /// One of them gave nothing usable for this round's head.
    fn failed(&self, at: usize, failing: Failing, why: String, round: &mut Round<'_>) {
        round.open.remove(&at);
        let name = self.name(at);
        self.watched.tell(|watch| watch.failed(&name, failing));
        round.asked.silent.push((name, why));
    }

    /// Takes an answer of this round.
    fn answer(
        &mut self,
        at: usize,
        reply: Reply,
        round: &mut Round<'_>,
        note: &mut SignedNote,
    ) -> Result<(), StoreError> {
        let tries = round.open.entry(at).or_default();
        *tries = tries.saturating_add(1);
        let again = *tries < TRIES;
        let name = self.name(at);
        let Some(member) = self.members.get_mut(at) else {
            return Ok(());
        };
        let why = match reply {
            Reply::Cosign(Ok(lines)) => {
                member.size = round.checkpoint.size;
                let mut false_lines = Vec::new();
                for line in lines {
                    if let Err(why) = round.quorum.add(note, &line) {
                        false_lines.push(why);
                    }
                }
                let own = note.by(&member.vkey).next().is_some();
                match false_lines.pop() {
                    None if own => {
                        round.open.remove(&at);
                        self.watched.tell(|watch| watch.cosigned(&name));
                        return Ok(());
                    }
                    None => (Failing::Nothing, NOTHING.to_owned()),
                    Some(why) => (Failing::False, why),
                }
            }
            // Only our own signature proves it: a lying witness must not stop the log.
            Reply::Cosign(Err(CosignError::Conflict { size })) if size > round.checkpoint.size => {
                let begun = member.begin(Job::Latest);
                return self.begun(at, begun, round, note);
            }
            Reply::Cosign(Err(CosignError::Conflict { size })) if again => {
                member.size = size;
                return self.question(at, round, note);
            }
            Reply::Cosign(Err(error)) => (Failing::from(&error), error.to_string()),
            Reply::Latest(latest) => match judge(latest, round.log) {
                Ok(Some(seen)) if seen.current && seen.checkpoint.size > round.checkpoint.size => {
                    round.asked.ahead = Some((name, seen.checkpoint.size));
                    return Ok(());
                }
                Ok(_) => {
                    let why = "claims a size that it cannot show".to_owned();
                    (Failing::Conflict, why)
                }
                Err(error) => (Failing::Conflict, error.to_string()),
            },
            Reply::Gone => (Failing::Gone, GONE.to_owned()),
        };
        self.failed(at, why.0, why.1, round);
        Ok(())
    }

    /// Answers to earlier questions that came too late for them.
    fn take_late(&mut self) {
        while let Ok((at, reply)) = self.replies.try_recv() {
            self.note(at, &reply);
        }
    }

    /// Whoever answered is free again; what it has cosigned it says whenever it says it.
    fn note(&mut self, at: usize, reply: &Reply) {
        let Some(member) = self.members.get_mut(at) else {
            return;
        };
        let Seat::Far { busy, .. } = &mut member.seat else {
            return;
        };
        match (busy.take(), reply) {
            (Some(Busy::Cosign(size)), Reply::Cosign(Ok(_))) => member.size = size,
            (_, Reply::Cosign(Err(CosignError::Conflict { size }))) => member.size = *size,
            _ => {}
        }
    }

    /// The longest patience of these; nothing for nobody.
    fn patience(&self, of: impl Iterator<Item = usize>) -> Option<Duration> {
        of.filter_map(|at| match &self.members.get(at)?.seat {
            Seat::Far { patience, .. } => Some(*patience),
            Seat::Near(_) => None,
        })
        .max()
    }

    fn name(&self, at: usize) -> String {
        let member = self.members.get(at);
        member.map_or_else(String::new, |member| member.vkey.name().to_owned())
    }
}

/// What became of a question.
enum Begun {
    /// Answered at once.
    Here(Reply),
    /// The answer will come.
    Away,
    /// Not asked: an earlier question is not answered yet.
    Busy,
    /// It cannot be asked.
    Failed(CosignError),
}

impl Member {
    fn is_far(&self) -> bool {
        matches!(self.seat, Seat::Far { .. })
    }

    fn begin(&mut self, job: Job) -> Begun {
        let (jobs, busy) = match &mut self.seat {
            Seat::Near(cosigner) => {
                return Begun::Here(answer(&mut **cosigner, job, &self.watched));
            }
            Seat::Far { jobs, busy, .. } => (jobs, busy),
        };
        if busy.is_some() {
            return Begun::Busy;
        }
        let about = match &job {
            Job::Latest => Busy::Latest,
            Job::Cosign(request) => Busy::Cosign(request.checkpoint.size),
        };
        if jobs.send(job).is_err() {
            return Begun::Failed(CosignError::Unreachable(GONE.to_owned()));
        }
        *busy = Some(about);
        Begun::Away
    }
}

fn answer(cosigner: &mut dyn Cosigner, job: Job, watched: &Watched) -> Reply {
    let request = match job {
        Job::Latest => return Reply::Latest(cosigner.latest()),
        Job::Cosign(request) => request,
    };
    let begun = watched.begin();
    let said = cosigner.cosign(&request);
    // Nobody answered where nobody was reached.
    if !matches!(said, Err(CosignError::Unreachable(_))) {
        let name = cosigner.vkey().name();
        watched.since(begun, |watch, took| watch.answered(name, took));
    }
    Reply::Cosign(said)
}

/// A thread for a cosigner elsewhere. It ends when nobody asks any more.
fn far(
    at: usize,
    mut cosigner: Box<dyn Cosigner>,
    answers: Sender<(usize, Reply)>,
    watched: Watched,
) -> Sender<Job> {
    let (jobs, asked) = channel();
    let name = format!("cosigner-{at}");
    let work = move || {
        let leaving = Leaving(answers, at);
        // Dropped before `leaving`: once the end is told, no question can be sent any more, and one
        // that was sent before is answered by the telling.
        let asked = asked;
        while let Ok(job) = asked.recv() {
            let reply = answer(&mut *cosigner, job, &watched);
            if leaving.0.send((at, reply)).is_err() {
                return;
            }
        }
    };
    // Without a thread nobody hears the questions, and every one of them is answered as such.
    let _ = thread::Builder::new().name(name).spawn(work);
    jobs
}

/// Its last head, if a key of the log signed it.
fn judge(latest: Result<Option<String>, CosignError>, log: &LogKeys) -> Head {
    let Some(note) = latest? else {
        return Ok(None);
    };
    let seen = |checkpoint, current| {
        Ok(Some(Seen {
            checkpoint,
            current,
        }))
    };
    match log.open(&note) {
        Ok((checkpoint, _)) => seen(checkpoint, true),
        Err(CheckpointError::KeyReplaced { checkpoint }) => seen(*checkpoint, false),
        Err(error) => Err(CosignError::Refused(format!(
            "shows no head of this log: {error}"
        ))),
    }
}

fn request(
    store: &dyn Read,
    note: &str,
    checkpoint: &Checkpoint,
    old: TreeSize,
) -> Result<CosignRequest, StoreError> {
    // Whoever claims to have seen more is asked as if it had seen this: it must then show what.
    let old = old.min(checkpoint.size);
    let proof = if old.0 == 0 {
        Vec::new()
    } else {
        prove_consistency(old, checkpoint.size, &StoredTree::new(store)).map_err(flatten)?
    };
    Ok(CosignRequest {
        note: note.to_owned(),
        checkpoint: checkpoint.clone(),
        old,
        proof,
    })
}
