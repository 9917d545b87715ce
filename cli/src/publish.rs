//! `zhao publish`, and the thread of a server that keeps a place as new as its log.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use zhao_ledger::publish::Publication;
use zhao_ledger::publish::catch_up::{CatchUpError, CaughtUp, catch_up};
use zhao_ledger::publish::place::Place;
use zhao_ledger::publish::upload::{UploadError, Uploaded, Uploader};
use zhao_ledger::read::Reader;
use zhao_ledger::store::files::Directory;
use zhao_ledger::store::rocks::Rocks;
use zhao_spec::log::LogKeys;
use zhao_spec::log::tree::TreeSize;
use zhao_verifier::TrustPolicy;

use crate::args::PublishLog;
use crate::command::office::{Desk, keyring, own_trust};
use crate::database;
use crate::failure::{Exit, Failure, args, because};
use crate::home::Home;
use crate::place;
use crate::session::Session;
use crate::sheet::Sheet;

/// How often a server looks whether there is a newer head to put.
const EVERY: Duration = Duration::from_secs(1);
/// How many of those it waits after a failure: a store that is away is not helped by questions.
const REST: u32 = 10;

/// Runs the command.
///
/// # Errors
/// No office there, or one that is served; a place that cannot be used, or is another's.
pub(crate) fn run(session: &Session, command: &PublishLog) -> Result<Exit, Failure> {
    let mut home = Home::open(&command.dir)?;
    let lock = home.lock()?;
    let before = home.config.publish.clone();
    if let Some(place) = &command.place {
        let kept = place::kept(place)?;
        if let Some(known) = before.as_ref().filter(|known| **known != kept) {
            return Err(Failure::usage("publish-moved", args![place = known]));
        }
        home.config.publish = Some(kept);
    }
    let none = || Failure::usage("publish-none", args![path = command.dir.display()]);
    let address = home.config.publish.clone().ok_or_else(none)?;
    let publication = place::publication(session, &home, command.take_over)?;
    let Publication {
        place: there,
        segments,
        ..
    } = publication.clone().ok_or_else(none)?;
    let keyring = keyring(session, &home.keys(), &command.secret)?;
    let trust = own_trust(&home)?;
    let log = log_keys(&home, &trust)?;
    let mut caught = None;
    if command.take_over {
        caught = Some(take(session, &home, &*there, &log)?);
    }
    let desk = Desk::published(session, home, lock, keyring, publication)?;
    // Last: a place that refused is not remembered.
    if desk.home.config.publish != before {
        desk.home.write_config()?;
    }
    let progress = session.progress(0, &session.messages.text("publish.progress"));
    let step = |done, all| {
        progress.set_length(all);
        progress.set_position(done);
    };
    let mut uploader = Uploader::new(there, log, segments);
    let reader = &desk.office.client().reader;
    let uploaded = uploader.upload(reader, &step).and_then(|uploaded| {
        let edition = reader.latest()?.edition();
        let pages = uploader.upload_edition(reader, &edition, &step)?;
        Ok((uploaded, pages.objects))
    });
    progress.finish_and_clear();
    let (uploaded, pages) = uploaded.map_err(not_uploaded)?;
    print(session, command, &address, (uploaded, pages), caught)
}

/// The keys of a directory's log.
fn log_keys(home: &Home, trust: &TrustPolicy) -> Result<LogKeys, Failure> {
    let origin = &home.config.origin;
    LogKeys::of(trust.policy(), origin).ok_or_else(|| {
        let path = home.trust();
        Failure::usage("trust-other-log", args![path = path.display(), origin])
    })
}

/// Brings the directory's database to what is claimed in the place.
fn take(
    session: &Session,
    home: &Home,
    place: &dyn Place,
    log: &LogKeys,
) -> Result<CaughtUp, Failure> {
    let wrong = |cause: &dyn std::fmt::Display| Failure::usage("publish-catch-up", args![cause]);
    let path = home.database();
    let store = Rocks::open(&path)
        .map_err(|cause| database::unopened(home.dir(), &path, cause, |cause| wrong(&cause)))?;
    let files = Directory::open(&home.ledger()).map_err(|cause| wrong(&cause))?;
    let progress = session.progress(0, &session.messages.text("publish.catching-up"));
    let step = |done, all| {
        progress.set_length(all);
        progress.set_position(done);
    };
    let caught = catch_up(&store, &files, place, log, &step);
    progress.finish_and_clear();
    caught.map_err(|error| match error {
        CatchUpError::Publish(error) => place::refused(&error),
        error => wrong(&error),
    })
}

fn not_uploaded(error: UploadError) -> Failure {
    match error {
        UploadError::Publish(error) => place::refused(&error),
        error => because("ledger", Vec::new())(error),
    }
}

fn print(
    session: &Session,
    command: &PublishLog,
    address: &str,
    (uploaded, pages): (Uploaded, u64),
    caught: Option<CaughtUp>,
) -> Result<Exit, Failure> {
    let leaves = caught.map(|caught| caught.to.0.saturating_sub(caught.from.0));
    let Uploaded { size, objects } = uploaded;
    if command.json {
        let value = serde_json::json!({
            "caughtUp": leaves,
            "objects": objects,
            "pages": pages,
            "place": address,
            "size": size.0,
        });
        session.line(&value.to_string())?;
        return Ok(Exit::Fine);
    }
    session.say("publish.done", &args![])?;
    let mut sheet = Sheet::new(session);
    sheet
        .row("publish-place", address)
        .row("publish-size", size.to_string())
        .row("publish-objects", objects.to_string())
        .row("publish-pages", pages.to_string())
        .optional("publish-caught-up", leaves.map(|leaves| leaves.to_string()));
    sheet.print()?;
    Ok(Exit::Fine)
}

/// What a server's uploads have come to.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// Size of the head in the place.
    pub(crate) size: AtomicU64,
    /// Whether the last try failed.
    pub(crate) failing: AtomicBool,
}

/// What a server keeps in a place, and how far it has come.
pub(crate) struct Keeping {
    /// The place.
    pub(crate) publication: Publication,
    /// The log.
    pub(crate) reader: Reader,
    /// Told how far it is.
    pub(crate) kept: Arc<Kept>,
    /// Time between two editions of the map.
    pub(crate) edition_every: Duration,
}

/// The thread that keeps a place as new as the log. It ends when the other side of `until` is
/// dropped, after a last look.
pub(crate) fn keep(
    home: &Home,
    trust: &TrustPolicy,
    keeping: Keeping,
    until: Receiver<()>,
) -> Result<JoinHandle<()>, Failure> {
    let Keeping {
        publication,
        reader,
        kept,
        edition_every,
    } = keeping;
    let Publication {
        place, segments, ..
    } = publication;
    let mut uploader = Uploader::new(place, log_keys(home, trust)?, segments);
    let turns = edition_every.as_secs() / EVERY.as_secs();
    let work = move || {
        let mut failed = 0_u32;
        let mut said = String::new();
        // Turns until the next edition, and the size of the last.
        let (mut rest, mut edition) = (0_u64, 0_u64);
        loop {
            let ended = until.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout);
            failed = failed.saturating_sub(1);
            rest = rest.saturating_sub(1);
            let newest = reader.published().map_or(0, |published| published.size().0);
            let new = newest != kept.size.load(Ordering::Relaxed);
            let due = newest != edition && (rest == 0 || ended);
            if (new || due) && (failed == 0 || ended) {
                match put(&mut uploader, &reader, &kept, due) {
                    Ok(size) => {
                        if let Some(size) = size {
                            (rest, edition) = (turns, size.0);
                        }
                        kept.failing.store(false, Ordering::Relaxed);
                        said.clear();
                    }
                    Err(error) => {
                        failed = REST;
                        kept.failing.store(true, Ordering::Relaxed);
                        let text = error.to_string();
                        // Once, not every ten seconds for as long as a store is away.
                        if said != text {
                            tracing::error!(%error, "the log was not published in its place");
                            said = text;
                        }
                    }
                }
            }
            if ended {
                return;
            }
        }
    };
    let thread = std::thread::Builder::new().name("publish".to_owned());
    thread.spawn(work).map_err(because("serve", args![]))
}

/// Brings the place to the newest head, and its map too where an edition is due: that one's size.
fn put(
    uploader: &mut Uploader,
    reader: &Reader,
    kept: &Kept,
    edition: bool,
) -> Result<Option<TreeSize>, UploadError> {
    // First: the log in the place must cover it, so the head is at least as new.
    let edition = edition
        .then(|| Ok::<_, UploadError>(reader.latest()?.edition()))
        .transpose()?;
    let uploaded = uploader.upload(reader, &|_, _| ())?;
    kept.size.store(uploaded.size.0, Ordering::Relaxed);
    let put = |edition| uploader.upload_edition(reader, &edition, &|_, _| ());
    Ok(edition.map(put).transpose()?.map(|put| put.size))
}
