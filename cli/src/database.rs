//! What an operator is told where a database of the ledger's layout is not opened.

use std::path::Path;

use zhao_ledger::migrate::is_unfinished;
use zhao_ledger::store::StoreError;

use crate::failure::{Failure, args};

/// There is none at `path`; `key` says so, unless a migration of the directory was interrupted.
pub(crate) fn missing(dir: &Path, path: &Path, key: &str) -> Failure {
    let (dir, name) = (dir.display(), path.display());
    if is_unfinished(path) {
        return Failure::usage("database-unfinished", args![dir, path = name]);
    }
    Failure::usage(key, args![path = name])
}

/// The one at `path` of the directory `dir` was not opened: by `otherwise`, unless it is of another
/// format or its migration was interrupted.
pub(crate) fn unopened(
    dir: &Path,
    path: &Path,
    cause: StoreError,
    otherwise: impl FnOnce(StoreError) -> Failure,
) -> Failure {
    match cause {
        StoreError::Format { expected, actual } => format(dir, path, expected, actual),
        StoreError::NoDatabase { .. } if is_unfinished(path) => {
            missing(dir, path, "database-missing")
        }
        cause => otherwise(cause),
    }
}

/// The database is of another format than this program's.
pub(crate) fn format(dir: &Path, path: &Path, expected: u64, actual: u64) -> Failure {
    let key = match actual < expected {
        true => "database-older",
        false => "database-newer",
    };
    let (dir, path) = (dir.display(), path.display());
    Failure::usage(key, args![dir, path, expected, actual])
}
