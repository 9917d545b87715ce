//! Where a log is published besides: a folder that a web server shows, or an S3-compatible store.
//!
//! What is put there, and why a head is claimed there before it is signed: `spec/publication.md`.

mod folder;
mod object;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::Rng as _;
use zhao_ledger::publish::place::Place;
use zhao_ledger::publish::{Publication, PublishError, Segments, probe};
use zhao_spec::wire::{Hash, clip};

use crate::failure::{Failure, args};
use crate::home::Home;
use crate::session::Session;
use folder::Folder;
use object::Bucket;

/// What begins the address of an object store.
const S3: &str = "s3://";

/// The place at an address: `s3://BUCKET/PREFIX`, or the path of a folder. A relative path is
/// beside the office's directory, wherever the command is run.
///
/// # Errors
/// An address that is none, a folder that is not there.
pub(crate) fn at(home: &Home, address: &str) -> Result<Arc<dyn Place>, Failure> {
    let wrong = |cause: &dyn std::fmt::Display| {
        let address = clip(address);
        Failure::usage("place", args![address, cause])
    };
    if address.starts_with(S3) {
        return Ok(Arc::new(Bucket::open(address).map_err(|e| wrong(&e))?));
    }
    if address.is_empty() || address.contains("://") {
        return Err(wrong(&"neither s3://BUCKET/PREFIX nor a folder"));
    }
    let path = folder_path(home, address);
    Ok(Arc::new(Folder::open(&path).map_err(|e| wrong(&e))?))
}

fn folder_path(home: &Home, address: &str) -> PathBuf {
    home.dir().parent().unwrap_or(Path::new("")).join(address)
}

/// An address as it is kept: that of a folder as a whole path.
///
/// # Errors
/// The folder is not there.
pub(crate) fn kept(address: &str) -> Result<String, Failure> {
    if address.contains("://") {
        return Ok(address.to_owned());
    }
    let wrong = |cause: &dyn std::fmt::Display| {
        let address = clip(address);
        Failure::usage("place", args![address, cause])
    };
    let path = std::fs::canonicalize(address).map_err(|e| wrong(&e))?;
    let text = path.to_str().ok_or_else(|| wrong(&"not UTF-8"))?;
    Ok(text.to_owned())
}

/// Where the log of a directory is published, for this run; nothing where it is not. The place is
/// asked whether it keeps conditions.
///
/// # Errors
/// The place does not answer, or cannot be used.
pub(crate) fn publication(
    session: &Session,
    home: &Home,
    take_over: bool,
) -> Result<Option<Publication>, Failure> {
    let Some(address) = &home.config.publish else {
        return Ok(None);
    };
    let place = at(home, address)?;
    let mut generator = session.host.generator()?;
    let mut random = || {
        let mut bytes = [0; 32];
        generator.fill_bytes(&mut bytes);
        Hash(bytes)
    };
    let nonce = random();
    probe(&*place, &nonce).map_err(|error| refused(&error))?;
    Ok(Some(Publication {
        place,
        session: random(),
        take_over,
        segments: Segments::default(),
    }))
}

/// What a place's refusal means for whoever runs the log.
pub(crate) fn refused(error: &PublishError) -> Failure {
    let key = match error {
        PublishError::Elsewhere { .. } => "publish-elsewhere",
        PublishError::Ahead { .. } => "publish-ahead",
        PublishError::Away(_) => "publish-away",
        PublishError::Differs { .. } | PublishError::Fork { .. } | PublishError::Lost => {
            "publish-differs"
        }
        _ => "publish",
    };
    Failure::usage(key, args![cause = error])
}
