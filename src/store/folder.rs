//! A store as a folder: found, opened, shared.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use super::blobs::{Blobs, part_in};
use super::committer::Committer;
use super::error::StoreError;
use super::known::Known;
use super::schema;

/// The database in the folder.
const DATABASE: &str = "store.db";
/// Pictures in the folder.
const BLOBS: &str = "blobs";

/// A store that is open. Clones share it; when the last is dropped, all that was handed over has been committed.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    database: PathBuf,
    blobs: Blobs,
    reader: Mutex<Connection>,
    known: Arc<Known>,
    /// None where the store is read alone.
    committer: Option<Committer>,
}

impl Store {
    /// Opens the store in a folder, and makes it if it is not there.
    ///
    /// # Errors
    /// The folder can't be written, holds something else, or a store of a newer format.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        make(folder)?;
        let database = folder.join(DATABASE);
        let writer = schema::open(&database)?;
        let reader = schema::open_to_read(&database)?;
        let blobs = Blobs::new(folder.join(BLOBS));
        let known = Arc::new(Known::default());
        let committer = Some(Committer::start(writer, &database, blobs.clone(), Arc::clone(&known))?);
        let inner = Inner { folder: folder.to_owned(), database, blobs, reader: Mutex::new(reader), known, committer };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Opens a store to read it alone; nothing if there is none in this folder.
    ///
    /// # Errors
    /// It can't be read, or is none of a known format.
    pub fn open_to_read(folder: &Path) -> Result<Option<Self>, StoreError> {
        let database = folder.join(DATABASE);
        if !database.exists() {
            return Ok(None);
        }
        let Some(reader) = schema::open_to_look(&database)? else { return Ok(None) };
        let reader = Mutex::new(reader);
        let blobs = Blobs::new(folder.join(BLOBS));
        let known = Arc::default();
        let inner = Inner { folder: folder.to_owned(), database, blobs, reader, known, committer: None };
        Ok(Some(Self { inner: Arc::new(inner) }))
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.inner.folder
    }

    pub(super) fn reader(&self) -> MutexGuard<'_, Connection> {
        self.inner.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn known(&self) -> &Known {
        &self.inner.known
    }

    pub(super) fn database(&self) -> &Path {
        &self.inner.database
    }

    pub(super) fn blobs(&self) -> &Blobs {
        &self.inner.blobs
    }

    pub(super) fn committer(&self) -> Result<&Committer, StoreError> {
        self.inner
            .committer
            .as_ref()
            .ok_or_else(|| StoreError::new("the store is open to be read alone", "open it whole"))
    }

    pub(super) fn wrong(&self, error: &rusqlite::Error) -> StoreError {
        StoreError::database(&self.inner.database, error)
    }
}

/// Makes the folder, which keeps itself out of a repository.
fn make(folder: &Path) -> Result<(), StoreError> {
    let wrong = |error| StoreError::file(folder, &error);
    fs::create_dir_all(folder).map_err(wrong)?;
    let ignore = folder.join(".gitignore");
    if !ignore.exists() {
        let mut part = part_in(folder).map_err(wrong)?;
        std::io::Write::write_all(&mut part, b"*\n").map_err(wrong)?;
        part.persist(&ignore).map_err(|error| wrong(error.error))?;
    }
    Ok(())
}
