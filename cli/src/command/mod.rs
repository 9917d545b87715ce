//! Every command: one function, from typed arguments to an exit code.

use crate::args::Command;
use crate::failure::{Exit, Failure};
use crate::session::Session;

mod show;
mod verify;

/// Runs a command.
///
/// # Errors
/// Whatever the command says.
pub(crate) fn run(session: &Session, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Show(command) => show::run(session, &command),
        Command::Verify(command) => verify::run(session, &command),
        _ => todo!(),
    }
}
