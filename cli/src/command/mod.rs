//! Every command: one function, from typed arguments to an exit code.

use std::path::Path;

use zhao_spec::life::data::Relation;

use crate::args::Command;
use crate::failure::{Exit, Failure};
use crate::remote;
use crate::session::Session;

mod acts;
mod admin;
mod api_key;
pub(crate) mod audit;
mod backup;
mod bench;
pub(crate) mod catalogue;
pub(crate) mod codes;
mod cosign;
mod foreign;
pub(crate) use foreign::holder_key;
pub(crate) mod fsck;
mod hand_in;
mod holder;
pub(crate) mod init;
pub(crate) mod issue;
mod keys;
mod licence;
mod list;
mod manual;
mod migrate;
pub(crate) mod office;
mod outbox;
pub(crate) mod prove;
mod refresh;
mod restore;
pub(crate) mod sample;
mod show;
pub(crate) mod status;
pub(crate) mod unit;
pub(crate) mod verify;
mod version;

/// Runs a command.
///
/// # Errors
/// Whatever the command says.
pub(crate) fn run(
    session: &Session,
    command: Command,
    key_file: Option<&Path>,
) -> Result<Exit, Failure> {
    // While a server holds the office, commands on it are requests.
    if let Some(remote) = remote::of(session, &command, key_file)? {
        return remote.run(&command);
    }
    match command {
        Command::Init(command) => init::run(session, &command),
        Command::Issue(command) => issue::run(session, &command),
        Command::Status(command) => status::run(session, &command),
        Command::Amend(command) => version::run(session, &command, Relation::Amended),
        Command::Renew(command) => version::run(session, &command, Relation::Renewed),
        Command::Reissue(command) => version::run(session, &command, Relation::Reissued),
        Command::Find(command) => list::find(session, &command),
        Command::List(command) => list::run(session, &command),
        Command::Licence(command) => licence::run(session, &command),
        Command::Acts(command) => acts::run(session, &command),
        Command::Catalogue(command) => catalogue::run(session, &command),
        Command::Unit(command) => unit::run(session, &command),
        Command::Keys(command) => keys::run(session, &command),
        Command::Admin(command) => admin::run(session, &command),
        Command::Dossier(command) => prove::dossier(session, &command),
        Command::Verify(command) => verify::run(session, &command),
        Command::Refresh(command) => refresh::run(session, &command),
        Command::Secure(command) => foreign::secure(session, &command),
        Command::Holder(command) => holder::run(session, &command),
        Command::Present(command) => holder::present(session, &command),
        Command::Examine(command) => foreign::examine(session, &command),
        Command::Show(command) => show::run(session, &command),
        Command::History(command) => prove::history(session, &command),
        Command::Query(command) => prove::query(session, &command),
        Command::Audit(command) => audit::run(session, &command),
        Command::Fsck(command) => fsck::run(session, &command),
        Command::Backup(command) => backup::run(session, &command),
        Command::Outbox(command) => outbox::run(session, &command),
        Command::Restore(command) => restore::run(session, &command),
        Command::Cosign(command) => cosign::run(session, &command),
        Command::Sample(command) => sample::run(session, &command),
        Command::Bench(command) => bench::run(session, &command),
        Command::Migrate(command) => migrate::run(session, &command),
        Command::Publish(command) => crate::publish::run(session, &command),
        Command::Serve(command) => crate::serve::run(session, &command),
        Command::Top(command) => crate::top::run(session, &command, key_file),
        Command::ApiKey(command) => api_key::run(session, &command),
        Command::Log(command) => crate::monitor::log(session, &command),
        Command::Monitor(command) => crate::monitor::monitor(session, &command),
        Command::Auditor(command) => crate::mirror::auditor::run(session, &command),
        Command::HandIn(command) => hand_in::run(session, &command),
        Command::Mirror(command) => crate::mirror::run(session, &command),
        Command::Witness(command) => crate::witness::run(session, &command),
        Command::Demo(command) => crate::demo::run(session, &command),
        Command::Completions(command) => manual::completions(session, &command),
        Command::Man(command) => manual::pages(session, &command),
    }
}
