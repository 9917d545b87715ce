//! `zhao cosign`: a fresh head, checked and cosigned by the local witness and the local auditor.

use super::office::{Desk, write_pack};
use crate::args::Cosign;
use crate::failure::{Exit, Failure, args, because};
use crate::files;
use crate::session::Session;
use crate::values::show_time;

/// Runs the command.
///
/// # Errors
/// The log does not start, or one of them refuses.
pub(crate) fn run(session: &Session, command: &Cosign) -> Result<Exit, Failure> {
    if let Some(path) = &command.output {
        files::must_be_writable(path)?;
    }
    let desk = Desk::open(session, &command.dir, &command.secret)?;
    let now = session.host.now()?;
    desk.office.client().heartbeat(now)?;
    write_pack(&desk.home, &desk.office)?;
    let reader = desk.office.client().reader();
    let view = reader.latest().map_err(because("ledger", args![]))?;
    let (size, time) = (view.size(), show_time(view.epoch().time));
    match &command.output {
        Some(path) => files::output(session, path, view.note().as_bytes())?,
        None => session.data(view.note().as_bytes())?,
    }
    session.note("cosign.done", &args![size, time]);
    Ok(Exit::Fine)
}
