//! `zhao top`: a server's figures, live in the terminal.
//!
//! It reads `/metrics` and `/checkpoint`, and believes neither: it shows what a server says of
//! itself. Rates and percentiles are of the time between two looks. Whoever is away keeps the
//! screen, which then says since when.

use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use zhao_spec::log::checkpoint::Checkpoint;
use zhao_spec::log::note::SignedNote;
use zhao_spec::wire::{UnixMillis, limits};

use crate::args::Top;
use crate::failure::{Exit, Failure, args, because};
use crate::files;
use crate::host::Stopwatch;
use crate::session::Session;
use crate::values::show_time;
use crate::web::{Answer, Web, WebError};
use screen::{Happened, Screen};
use sight::{Look, Sight};
use view::Shown;

mod change;
mod plain;
mod scrape;
mod screen;
mod sight;
mod view;
mod words;

use scrape::{FIGURES_BYTES, Figures, FiguresError};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Shortest time between two looks, milliseconds.
const EVERY_LEAST: u64 = 100;
/// Intervals whose growth is kept for the sparkline.
const GROWTH: usize = 512;
/// Longest file with a key, bytes.
const KEY_BYTES: usize = 1 << 10;

/// Why a look gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Trouble {
    #[error("{url}: {cause}")]
    Figures { url: String, cause: FiguresError },
    #[error("{url}: not a checkpoint")]
    Head { url: String },
    #[error("{url} answers with status {status}")]
    Status { url: String, status: u16 },
    #[error("{0}")]
    Web(#[from] WebError),
}

/// Runs the command.
///
/// # Errors
/// A URL or key file that is none; a server that does not answer the first question; a terminal
/// that cannot be drawn on.
pub(crate) fn run(
    session: &Session,
    command: &Top,
    key_file: Option<&Path>,
) -> Result<Exit, Failure> {
    let key = key_file
        .map(|path| files::read_text(path, KEY_BYTES))
        .transpose()?;
    let asker = Asker {
        web: Web::new(PATIENCE),
        url: command.url.trim_end_matches('/').to_owned(),
        key: key.map(|text| text.lines().next().unwrap_or_default().trim().to_owned()),
        stopwatch: session.host.stopwatch(),
    };
    let every = Duration::from_millis(command.every.max(EVERY_LEAST));
    let first = asker.look().map_err(|trouble| not_begun(&trouble))?;
    if command.json || command.once || !session.host.stdout_terminal {
        session.host.pause(every);
        let second = asker.look().map_err(|trouble| not_begun(&trouble))?;
        let sight = Sight::of(Some(&first), &second);
        match command.json {
            true => session.line(&plain::object(&sight).to_string())?,
            false => plain::print(session, &sight)?,
        }
        return Ok(Exit::Fine);
    }
    live(session, command, asker, first, every)
}

/// A key that is missing, wrong or may not is told apart from everything else.
fn not_begun(trouble: &Trouble) -> Failure {
    match trouble {
        Trouble::Status { url, status } if matches!(status, 401 | 403) => {
            Failure::usage("top-key", args![url, status])
        }
        Trouble::Status { url, status: 404 } => Failure::usage("top-none", args![url]),
        other => Failure::usage("top", args![cause = other]),
    }
}

/// Whoever looks.
struct Asker {
    web: Web,
    /// Without a slash at its end.
    url: String,
    key: Option<String>,
    stopwatch: Stopwatch,
}

impl Asker {
    fn look(&self) -> Result<Look, Trouble> {
        let url = format!("{}/metrics", self.url);
        let answer = self.get(&url, FIGURES_BYTES)?;
        let at = self.stopwatch.read();
        let cause = |cause| Trouble::Figures { url, cause };
        let figures = Figures::parse(&answer.body).map_err(cause)?;
        let url = format!("{}/checkpoint", self.url);
        let head = match self.get(&url, limits::NOTE_BYTES as u64) {
            Ok(answer) => Some(stated(&answer).ok_or(Trouble::Head { url })?),
            // Nothing is published yet.
            Err(Trouble::Status { .. }) => None,
            Err(trouble) => return Err(trouble),
        };
        Ok(Look { at, figures, head })
    }

    fn get(&self, url: &str, limit: u64) -> Result<Answer, Trouble> {
        let answer = self.web.get_as(url, self.key.as_deref(), limit)?;
        match answer.status {
            200 => Ok(answer),
            status => Err(Trouble::Status {
                url: url.to_owned(),
                status,
            }),
        }
    }
}

/// Size and name that a checkpoint states.
fn stated(answer: &Answer) -> Option<(u64, String)> {
    let note = SignedNote::parse(answer.text()?).ok()?;
    let checkpoint = Checkpoint::parse(note.text()).ok()?;
    let origin = crate::sheet::plain(&checkpoint.origin);
    Some((checkpoint.size.0, origin))
}

/// What a look gave, and when.
type Looked = (Result<Look, Trouble>, UnixMillis);

/// Looks again and again, until nobody wants to know any more.
fn look_on(asker: &Asker, every: Duration, clock: &crate::host::Clock, tell: &Sender<Looked>) {
    // Nothing ever comes by it: it only waits.
    let (_keep, nothing) = channel::<()>();
    while nothing.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
        let looked = asker.look();
        if tell.send((looked, clock.read())).is_err() {
            return;
        }
    }
}

/// Looks on a thread of its own: whoever is slow to answer must not make the keys slow.
fn look_out(
    asker: Asker,
    every: Duration,
    clock: crate::host::Clock,
) -> std::io::Result<Receiver<Looked>> {
    let (tell, looks) = channel();
    let thread = thread::Builder::new().name("look".to_owned());
    thread.spawn(move || look_on(&asker, every, &clock, &tell))?;
    Ok(looks)
}

fn live(
    session: &Session,
    command: &Top,
    asker: Asker,
    first: Look,
    every: Duration,
) -> Result<Exit, Failure> {
    let wrap = because("top-screen", args![]);
    let clock = session.host.clock.clone();
    let mut state = State::new(first, clock.read());
    let (told, leave) = channel();
    let looks = screen::signals(told).and_then(|()| look_out(asker, every, clock));
    let looks = looks.map_err(because("top-screen", args![]))?;
    let mut screen = Screen::take().map_err(wrap)?;
    let drawn = follow(session, command, &mut screen, &mut state, &looks, &leave);
    // Before anything is said.
    drop(screen);
    drawn.map_err(because("top-screen", args![]))?;
    Ok(Exit::Fine)
}

fn follow(
    session: &Session,
    command: &Top,
    screen: &mut Screen,
    state: &mut State,
    looks: &Receiver<Looked>,
    leave: &Receiver<()>,
) -> std::io::Result<()> {
    let mut stale = true;
    loop {
        while let Ok((looked, when)) = looks.try_recv() {
            state.take(looked, when);
            stale = true;
        }
        if stale {
            let away = state.away(session);
            let as_of = show_time(state.as_of);
            screen.terminal.draw(|frame| {
                let shown = Shown {
                    messages: &session.messages,
                    colour: session.host.colour(),
                    url: &command.url,
                    as_of: &as_of,
                    sight: &state.sight,
                    growth: &state.growth,
                    away: away.as_deref(),
                };
                view::draw(frame, &shown);
            })?;
        }
        stale = match screen::wait(leave)? {
            Happened::Leave => return Ok(()),
            Happened::Resized => true,
            Happened::Nothing => false,
        };
    }
}

/// What is known so far.
struct State {
    last: Look,
    as_of: UnixMillis,
    sight: Sight,
    growth: Vec<u64>,
    /// Since when there is no answer, and why.
    away: Option<(UnixMillis, Trouble)>,
}

impl State {
    fn new(first: Look, when: UnixMillis) -> Self {
        Self {
            sight: Sight::of(None, &first),
            last: first,
            as_of: when,
            growth: Vec::new(),
            away: None,
        }
    }

    /// A look that gave nothing leaves everything as it was.
    fn take(&mut self, looked: Result<Look, Trouble>, when: UnixMillis) {
        let look = match looked {
            Ok(look) => look,
            Err(trouble) => {
                let since = self.away.as_ref().map_or(when, |(since, _)| *since);
                self.away = Some((since, trouble));
                return;
            }
        };
        self.away = None;
        self.as_of = when;
        let before = self.sight.size;
        self.sight = Sight::of(Some(&self.last), &look);
        self.last = look;
        let grew = before.zip(self.sight.size);
        let grew = grew.map_or(0, |(before, now)| now.saturating_sub(before));
        if self.growth.len() >= GROWTH {
            self.growth.remove(0);
        }
        self.growth.push(grew);
    }

    fn away(&self, session: &Session) -> Option<String> {
        let (since, trouble) = self.away.as_ref()?;
        let since = show_time(*since);
        let cause = crate::sheet::plain(&trouble.to_string());
        Some(session.messages.fill("top.away", &args![since, cause]))
    }
}

#[cfg(test)]
mod tests;
