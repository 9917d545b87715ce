//! A version of a type comes into force, or the type ends: each one event of the administrators.

use std::path::{Path, PathBuf};

use zhao_issuer::catalogue::{CatalogueError, Entry, PICTURE_BYTES, PICTURES};
use zhao_issuer::office::{Edition, OfficeError, PublishError};
use zhao_spec::wire::json;

use super::validate::{Finding, judge};
use super::{entry, profile};
use crate::args::{Publish, Retire};
use crate::command::office::{Desk, settled, write_pack, wrong};
use crate::failure::{Exit, Failure, args};
use crate::files;
use crate::home::Home;
use crate::session::Session;

/// Folder, beside the entries, of every version that came into force here.
const PUBLISHED: &str = "published";

/// Runs the command.
///
/// # Errors
/// An entry that may not be published or may not follow the one in force, wrong passphrases, a
/// refusal by the log, the disk.
pub(super) fn run(session: &Session, command: &Publish) -> Result<Exit, Failure> {
    let profile = command.profile.as_deref().map(profile).transpose()?;
    let mut desk = Desk::open(session, &command.dir, &command.admin.secret)?;
    let path = match &command.from {
        Some(path) => path.clone(),
        None => own_file(&desk, &command.licence_type)?,
    };
    let new = entry(&path)?.map_err(|cause| Failure::refused("catalogue-entry", args![cause]))?;
    let named = [new.slug.as_str(), new.type_code.as_str()];
    if !named.contains(&command.licence_type.as_str()) {
        let expected = zhao_spec::wire::clip(&command.licence_type);
        let (path, actual) = (path.display(), &new.slug);
        return Err(Failure::refused(
            "catalogue-other",
            args![path, expected, actual],
        ));
    }
    let findings = judge(&new, &path, profile.as_ref());
    refuse(session, &findings)?;
    let before = in_force(&desk, &new)?;
    let signers = desk.administrators(session, &command.admin)?;
    // A crash from here on leaves a version kept that may never come into force: harmless, its
    // digest is in no record. After the event, the same command again finishes the work.
    keep(&desk.home, &new)?;
    let now = session.host.now()?;
    let edition = Edition {
        before: before.as_ref(),
        dir: path.parent(),
        entry: &new,
        profile: profile.as_ref(),
    };
    let declared = desk.office.publish_entry(edition, &signers, now);
    let repeated = match declared {
        Ok(declared) => settled(declared, &mut desk.office, now).map(|_| false)?,
        Err(OfficeError::Publish(PublishError::InForce { .. })) => true,
        Err(OfficeError::Publish(PublishError::Refused(faults))) => {
            let findings: Vec<Finding> = faults.0.into_iter().map(Finding::from).collect();
            refuse(session, &findings)?;
            false
        }
        Err(OfficeError::Publish(PublishError::Unseen { version })) => {
            let path = kept(&desk.home, &new.slug, version);
            let path = path.display();
            return Err(Failure::usage("catalogue-unseen", args![version, path]));
        }
        Err(other) => return Err(wrong(other)),
    };
    desk.office.adopt_entry(&new).map_err(wrong)?;
    install(&desk.home, &new, &path)?;
    write_pack(&desk.home, &desk.office)?;
    let key = match repeated {
        true => "catalogue.in-force",
        false => "catalogue.published",
    };
    session.note(key, &args![slug = new.slug, version = new.version]);
    Ok(Exit::Fine)
}

/// Runs `zhao catalogue retire`.
///
/// # Errors
/// No such type, wrong passphrases, or a refusal by the log.
pub(super) fn retire(session: &Session, command: &Retire) -> Result<Exit, Failure> {
    let mut desk = Desk::open(session, &command.dir, &command.admin.secret)?;
    let signers = desk.administrators(session, &command.admin)?;
    let now = session.host.now()?;
    let declared = desk
        .office
        .retire_type(&command.licence_type, &signers, now)
        .map_err(wrong)?;
    settled(declared, &mut desk.office, now)?;
    write_pack(&desk.home, &desk.office)?;
    let slug = &command.licence_type;
    session.note("catalogue.retired", &args![slug]);
    Ok(Exit::Fine)
}

/// Says all that is wrong, if anything is.
fn refuse(session: &Session, findings: &[Finding]) -> Result<(), Failure> {
    if findings.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = findings
        .iter()
        .map(|found| found.line(&session.messages))
        .collect();
    let (count, text) = (findings.len(), lines.join("; "));
    Err(Failure::refused("catalogue-refused", args![count, text]))
}

/// The file of a type that the office has.
fn own_file(desk: &Desk, named: &str) -> Result<PathBuf, Failure> {
    let catalogue = desk.office.catalogue();
    let entry = catalogue
        .entry(named)
        .map_err(|cause| Failure::usage("catalogue-entry", args![cause]))?;
    Ok(file_of(&desk.home, &entry.slug))
}

fn file_of(home: &Home, slug: &str) -> PathBuf {
    home.catalogue().join(slug).with_extension("json")
}

fn kept(home: &Home, slug: &str, version: u64) -> PathBuf {
    let folder = home.catalogue().join(PUBLISHED);
    folder.join(format!("{slug}-{version}.json"))
}

/// An earlier version of a type, of which a copy was kept when it was published.
///
/// # Errors
/// The copy is there and cannot be read.
pub(crate) fn published(
    catalogue: &Path,
    slug: &str,
    version: u64,
) -> Result<Option<Entry>, CatalogueError> {
    let path = catalogue
        .join(PUBLISHED)
        .join(format!("{slug}-{version}.json"));
    match std::fs::read(&path) {
        Ok(bytes) => Entry::parse(&path, &bytes).map(Some),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(CatalogueError::Io { path, source }),
    }
}

/// Keeps a copy of a version, for the comparison with the one that will follow it.
///
/// # Errors
/// The disk refuses.
pub(crate) fn keep(home: &Home, entry: &Entry) -> Result<(), Failure> {
    files::make_dir(&home.catalogue().join(PUBLISHED))?;
    let mut bytes = json::encode(&entry.value);
    bytes.push(b'\n');
    files::replace(&kept(home, &entry.slug, entry.version), &bytes)
}

/// The version in force before `new`: the copy kept, or the office's own file while that is it.
fn in_force(desk: &Desk, new: &Entry) -> Result<Option<Entry>, Failure> {
    let code = new.type_code.as_str();
    let Some(record) = desk.office.type_record(code).map_err(wrong)? else {
        return Ok(None);
    };
    let own = desk.office.catalogue().entry(code).ok().cloned();
    if let Some(own) = own.filter(|own| own.digest == record.digest) {
        return Ok(Some(own));
    }
    let slug = &new.slug;
    let path = kept(&desk.home, slug, record.version);
    if !path.is_file() {
        return Ok(None);
    }
    Ok(entry(&path)?.ok())
}

/// Puts the entry's file and its pictures where the office reads them.
fn install(home: &Home, entry: &Entry, from: &Path) -> Result<(), Failure> {
    let to = file_of(home, &entry.slug);
    if from == to {
        return Ok(());
    }
    let folder = home.catalogue().join(PICTURES);
    files::make_dir(&folder)?;
    let source = from.parent().unwrap_or(Path::new("."));
    for (_, picture) in entry.pictures() {
        let name = &picture.file;
        let bytes = files::read(&source.join(PICTURES).join(name), PICTURE_BYTES)?;
        files::replace(&folder.join(name), &bytes)?;
    }
    let bytes = files::read(from, zhao_issuer::catalogue::ENTRY_BYTES)?;
    files::replace(&to, &bytes)
}
