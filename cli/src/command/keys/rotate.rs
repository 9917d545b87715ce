//! `zhao keys DIR rotate --records`: a new key for the sealed fields of the records.

use zhao_issuer::records::RecordsError;
use zhao_issuer::vault::Secrets;

use super::{Place, refused};
use crate::args::KeysRotate;
use crate::command::office::records;
use crate::failure::{Exit, Failure, args, because};
use crate::session::Session;

/// Cells that one transaction seals anew: some tenths of a second.
const BATCH: usize = 2_000;

/// Runs the command: draws a key, or goes on with one that an earlier run drew, until every cell is
/// sealed under it, or as many as were asked for.
///
/// # Errors
/// Not an office, a wrong passphrase, or a cell that does not open.
pub(super) fn run(session: &Session, place: &Place, act: &KeysRotate) -> Result<Exit, Failure> {
    let _lock = place.lock()?;
    let Some(home) = &place.home else {
        let path = place.dir.display();
        return Err(Failure::usage("home-missing", args![path]));
    };
    let path = home.records();
    let wrap = |cause: RecordsError| Failure::usage("records", args![path = path.display(), cause]);
    let mut keyring = place.open(session, &act.secret)?;
    let mut records = records(session, home, &mut keyring)?;
    let mut secrets = Secrets::open(&mut keyring).map_err(refused)?;
    let before = records.key_version();
    let drawn = secrets.latest().unwrap_or_default();
    if records.is_rotating().map_err(wrap)? || drawn > before {
        // Killed after the key was drawn, or in the middle: there is nothing to draw.
        session.note("keys.rotation-goes-on", &args![version = drawn]);
    } else {
        let mut rng = session.host.generator()?;
        let now = session.host.now()?;
        let drawn = secrets.draw(&mut keyring, &mut rng, now);
        let version = drawn.map_err(refused)?;
        session.note("keys.rotation-begun", &args![version]);
    }
    let all = records.sealed_cells().map_err(wrap)?;
    let bar = session.progress(all, &session.messages.text("keys.rotation-progress"));
    let mut left = act.cells.unwrap_or(u64::MAX);
    loop {
        let batch = usize::try_from(left).map_or(BATCH, |left| left.min(BATCH));
        let rotation = records.rotate(&secrets, batch).map_err(wrap)?;
        bar.inc(rotation.cells);
        left = left.saturating_sub(rotation.cells);
        let version = rotation.version;
        if rotation.done {
            bar.finish_and_clear();
            session.note("keys.rotated", &args![version]);
            for old in old_keys(place, version)? {
                let path = place.dir.join(format!("{old}.age"));
                session.note("keys.rotated-old", &args![path = path.display()]);
            }
            return Ok(Exit::Fine);
        }
        if left == 0 {
            bar.finish_and_clear();
            session.note("keys.rotation-open", &args![version]);
            return Ok(Exit::Undetermined);
        }
    }
}

/// Names of the records' keys before this version.
fn old_keys(place: &Place, version: u16) -> Result<Vec<String>, Failure> {
    let parts = zhao_issuer::keys::public_parts(&place.dir).map_err(because("keys", args![]))?;
    let names = parts.into_iter().map(|part| part.name);
    let old = |name: &String| {
        let number = name.strip_prefix("records-").map(str::parse::<u16>);
        matches!(number, Some(Ok(number)) if number < version)
    };
    Ok(names.filter(old).collect())
}
