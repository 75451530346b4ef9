//! Why a store can't be used, in sentences that say what to do.

use std::io;
use std::path::Path;

use rusqlite::ErrorCode;

use crate::model::{Failure, FailureKind};

/// Why something can't be read from a store, or kept in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    /// What is in the way, in one sentence without a full stop.
    pub message: String,
    /// What to try.
    pub help: String,
}

impl StoreError {
    pub(super) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }

    /// What a file of the store says to being used.
    pub(super) fn file(path: &Path, error: &io::Error) -> Self {
        let shown = path.display();
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::full(path),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::new(format!("the store can't be written: {error} (`{shown}`)"), PERMISSION)
            }
            _ => Self::new(format!("the store can't be used: {error} (`{shown}`)"), ELSEWHERE),
        }
    }

    fn full(path: &Path) -> Self {
        let message = format!("the store can't be written: the disk is full (`{}`)", path.display());
        Self::new(message, "make room and run it again: what is kept already is not asked for again")
    }

    /// What the database says.
    pub(super) fn database(path: &Path, error: &rusqlite::Error) -> Self {
        let shown = path.display();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::full(path),
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
                Self::new(format!("the store can't be written: {error} (`{shown}`)"), PERMISSION)
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::new(
                format!("the store is damaged: {error} (`{shown}`)"),
                "move the folder away to begin a new one, or restore it from a copy",
            ),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::new(
                format!("the store is in use and was not free for minutes (`{shown}`)"),
                "wait for the other program that writes to it, or name another store with `--store DIR`",
            ),
            _ => Self::new(format!("the store can't be used: {error} (`{shown}`)"), ELSEWHERE),
        }
    }

    /// What is in the way of values that a run holds for itself beside its outputs.
    pub(super) fn held(file: &Path, error: &rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::new(
                format!("values that are still needed can't be held: the disk is full (`{}`)", file.display()),
                "make room, or name an output folder where there is more with `--out DIR`",
            ),
            _ => Self::unheld(file, error),
        }
    }

    pub(super) fn unheld(file: &Path, why: impl std::fmt::Display) -> Self {
        Self::new(
            format!("values that are still needed can't be held: {why} (`{}`)", file.display()),
            "look at the output folder, or name another with `--out DIR`",
        )
    }

    pub(super) fn newer(path: &Path, version: i64) -> Self {
        Self::new(
            format!("the store has format {version}, which this version does not know (`{}`)", path.display()),
            "run the newer version of blossom-run that made it, or name another store with `--store DIR`",
        )
    }

    pub(super) fn foreign(path: &Path) -> Self {
        Self::new(
            format!("`{}` is a database of another program", path.display()),
            "name another folder with `--store DIR`",
        )
    }
}

const PERMISSION: &str = "make the folder writable, or name another with `--store DIR` or `BLOSSOM_STORE`";
const ELSEWHERE: &str = "look at the folder, or name another with `--store DIR` or `BLOSSOM_STORE`";

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(FailureKind::Store, error.message).suggest(error.help)
    }
}
