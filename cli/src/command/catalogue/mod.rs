//! `zhao catalogue`: licence types as files, and as versions in the log.

use std::path::{Path, PathBuf};

use zhao_issuer::catalogue::{Catalogue, CatalogueError, ENTRY_BYTES, Entry, Names, Profile};

use crate::args::{self, CatalogueAct};
use crate::failure::{Exit, Failure, args, because};
use crate::files;
use crate::home::Home;
use crate::messages::Language;
use crate::session::Session;

mod page;
pub(crate) mod publish;
mod show;
mod stock;
mod validate;

/// Runs the command.
///
/// # Errors
/// Files that cannot be read, no such type, a refusal by the log.
pub(crate) fn run(session: &Session, command: &args::Catalogue) -> Result<Exit, Failure> {
    match &command.act {
        CatalogueAct::Validate(act) => validate::run(session, act),
        CatalogueAct::Compare(act) => validate::compare_files(session, act),
        CatalogueAct::Publish(act) => publish::run(session, act),
        CatalogueAct::Retire(act) => publish::retire(session, act),
        CatalogueAct::List(act) => show::list(session, act),
        CatalogueAct::Show(act) => show::run(session, act),
        CatalogueAct::Schema(act) => show::schema(session, act),
        CatalogueAct::Stock(act) => stock::run(session, act),
    }
}

/// The entry of a file.
///
/// # Errors
/// The file cannot be read; what is wrong with the entry comes as the inner error.
fn entry(path: &Path) -> Result<Result<Entry, CatalogueError>, Failure> {
    let bytes = files::read(path, ENTRY_BYTES)?;
    Ok(Entry::parse(path, &bytes))
}

/// The entries of an office, or those that come with the program.
fn catalogue(dir: Option<&Path>) -> Result<Catalogue, Failure> {
    match dir {
        None => Catalogue::embedded().map_err(because("catalogue-entry", args![])),
        Some(dir) => {
            let path = Home::open(dir)?.catalogue();
            Catalogue::load(&path).map_err(because("catalogue", args![path = path.display()]))
        }
    }
}

/// A profile by code, or of a file.
fn profile(named: &str) -> Result<Profile, Failure> {
    let path = PathBuf::from(named);
    let found = match path.extension() {
        None => Profile::named(named),
        Some(_) => Profile::parse(&path, &files::read(&path, ENTRY_BYTES)?),
    };
    found.map_err(because("catalogue-entry", args![]))
}

/// The name in the language of the session.
fn name<'a>(session: &Session, names: &'a Names) -> &'a str {
    match session.messages.language() {
        Language::En => &names.en,
        Language::Zh => &names.zh,
    }
}
