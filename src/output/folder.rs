//! The output folder of a run.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::task::spawn_blocking;
use tokio_util::task::TaskTracker;

use super::claims::Claims;
use super::part::{PartFile, Scratch};
use super::path::LOCK;
use super::sweep::remove_parts;
use super::{Clash, OutputError, SafePath};

/// So many folders are remembered for one sync at the end; beyond, they are synced on the way.
const UNSYNCED_FOLDERS: usize = 1024;

/// An output folder that one run has for itself, from [`OutputFolder::open`] until the last clone is dropped. Cloning is
/// cheap.
#[derive(Debug, Clone)]
pub struct OutputFolder(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// As it was given.
    path: PathBuf,
    /// Without links.
    root: PathBuf,
    run: String,
    claims: Mutex<Claims<String>>,
    unsynced: Mutex<HashSet<PathBuf>>,
    /// Files that are being written, whoever has stopped waiting for them.
    writes: TaskTracker,
    /// Locked as long as it is open.
    _lock: File,
}

impl OutputFolder {
    /// Takes the folder at `path` for the run named `run` (letters, digits, `-`, `_`): creates it where it is missing,
    /// locks it, removes what dead runs have left, and sees that it can be written. It may be a link itself.
    pub fn open(path: &Path, run: &str) -> Result<Self, OutputError> {
        let fail = |error| OutputError::io(path, error);
        if path.is_file() {
            return Err(OutputError::NotAFolder { path: path.to_path_buf() });
        }
        fs::create_dir_all(path).map_err(fail)?;
        let root = path.canonicalize().map_err(fail)?;
        let lock = lock(path, &root)?;
        not_inside_of_another(path, &root)?;
        remove_parts(&root).map_err(fail)?;
        drop(PartFile::create(&root.join("probe"), run)?);
        Ok(Self(Arc::new(Inner {
            path: path.to_path_buf(),
            root,
            run: run.to_owned(),
            claims: Mutex::default(),
            unsynced: Mutex::default(),
            writes: TaskTracker::new(),
            _lock: lock,
        })))
    }

    /// The folder as it was given.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Where the file at `path` lies.
    pub fn place(&self, path: &SafePath) -> PathBuf {
        path.under(&self.0.root)
    }

    /// A place for a file of the run's own, which is no output.
    pub fn scratch(&self, name: &str) -> Scratch {
        Scratch::new(&self.0.root, name, &self.0.run)
    }

    /// Gives `path` to `owner` (as a person knows it: `summarize/de/checkout`). Each path belongs to one in a
    /// run; two that differ in case only are one, and a file can't be another's folder. Of a path 16 bytes are kept.
    pub fn claim(&self, path: &SafePath, owner: &str) -> Result<(), Clash> {
        let mut claims = self.0.claims.lock().unwrap_or_else(PoisonError::into_inner);
        claims.claim(path, || owner.to_owned()).map_err(|taken| {
            let (other_path, other) = taken.by.unzip();
            Clash { path: path.clone(), owner: owner.to_owned(), other, other_path }
        })
    }

    /// Writes a whole file, on a blocking thread: as a part file, synced, then renamed. Gives its size in bytes. After
    /// an error there is nothing new at its place. The folder is synced by [`OutputFolder::finish`].
    pub async fn write(&self, path: &SafePath, bytes: Bytes) -> Result<u64, OutputError> {
        let (folder, path) = (self.clone(), path.clone());
        let shown = self.shown(&path);
        let tracker = self.0.writes.clone();
        tracker
            .spawn_blocking(move || folder.write_now(&path, &bytes))
            .await
            .unwrap_or_else(|error| Err(OutputError::io(&shown, io::Error::other(error))))
    }

    fn write_now(&self, path: &SafePath, bytes: &[u8]) -> Result<u64, OutputError> {
        let mut part = self.begin(path)?;
        part.write_all(bytes).map_err(|error| OutputError::io(&self.shown(path), error))?;
        self.publish(part)?;
        Ok(bytes.len() as u64)
    }

    /// Begins the file at `path`, in folders that are made where they are missing.
    pub(super) fn begin(&self, path: &SafePath) -> Result<PartFile, OutputError> {
        self.make_folders(path)?;
        let place = path.under(&self.0.root);
        if place.symlink_metadata().is_ok_and(|about| about.is_dir()) {
            return Err(OutputError::IsAFolder { path: self.shown(path) });
        }
        PartFile::create(&place, &self.0.run)
    }

    /// Gives a file its name, and remembers its folder for the sync at the end.
    pub(super) fn publish(&self, part: PartFile) -> Result<(), OutputError> {
        let folder = part.place().parent().map(Path::to_path_buf);
        part.publish()?;
        self.note_unsynced(folder.as_deref());
        let mut unsynced = self.0.unsynced.lock().unwrap_or_else(PoisonError::into_inner);
        if unsynced.len() < UNSYNCED_FOLDERS {
            return Ok(());
        }
        let folders: Vec<PathBuf> = unsynced.drain().collect();
        drop(unsynced);
        sync_folders(&folders)
    }

    /// Waits for files that are still being written, and syncs the folders into which files were written, so that their
    /// names outlive a loss of power. The end of a run.
    pub async fn finish(&self) -> Result<(), OutputError> {
        self.0.writes.close();
        self.0.writes.wait().await;
        let folders: Vec<PathBuf> = self.0.unsynced.lock().unwrap_or_else(PoisonError::into_inner).drain().collect();
        let synced = spawn_blocking(move || sync_folders(&folders)).await;
        synced.unwrap_or_else(|error| Err(OutputError::io(&self.0.path, io::Error::other(error))))
    }

    /// Makes the folders above `path`. None of them may be a link: two paths would be one file, or lead out of here.
    fn make_folders(&self, path: &SafePath) -> Result<(), OutputError> {
        let mut folder = self.0.root.clone();
        let mut shown = self.0.path.clone();
        let mut segments = path.segments();
        segments.next_back();
        for segment in segments {
            folder.push(segment);
            shown.push(segment);
            let fail = |error| OutputError::io(&shown, error);
            match folder.symlink_metadata() {
                Ok(about) if about.is_dir() => {}
                Ok(about) if about.is_symlink() => return Err(OutputError::Link { link: shown }),
                Ok(_) => return Err(OutputError::NotAFolder { path: shown }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => match fs::create_dir(&folder) {
                    // Another file of this run may have needed the same folder.
                    Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(fail(error)),
                    _ => self.note_unsynced(folder.parent()),
                },
                Err(error) => return Err(fail(error)),
            }
        }
        Ok(())
    }

    /// A name has come into this folder.
    fn note_unsynced(&self, folder: Option<&Path>) {
        let mut unsynced = self.0.unsynced.lock().unwrap_or_else(PoisonError::into_inner);
        unsynced.extend(folder.map(Path::to_path_buf));
    }

    /// `path` as a person finds it.
    pub(super) fn shown(&self, path: &SafePath) -> PathBuf {
        path.under(&self.0.path)
    }
}

/// Locks a folder, which is `path` to people. The system gives the lock back with the process, however that ends; the
/// file stays, since removing it would race with the next run.
fn lock(path: &Path, root: &Path) -> Result<File, OutputError> {
    let file = root.join(LOCK);
    let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&file);
    let lock = open.map_err(|error| OutputError::io(&path.join(LOCK), error))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OutputError::Busy { folder: path.to_path_buf() }),
        Err(TryLockError::Error(error)) => Err(OutputError::io(&path.join(LOCK), error)),
    }
}

/// A run that goes on in a folder above would lose its parts to this one's sweeping.
fn not_inside_of_another(path: &Path, root: &Path) -> Result<(), OutputError> {
    for above in root.ancestors().skip(1) {
        let Ok(lock) = File::open(above.join(LOCK)) else { continue };
        if matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)) {
            return Err(OutputError::Inside { folder: path.to_path_buf(), outer: above.to_path_buf() });
        }
    }
    Ok(())
}

#[cfg(unix)]
fn sync_folders(folders: &[PathBuf]) -> Result<(), OutputError> {
    for folder in folders {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| OutputError::io(folder, error))?;
    }
    Ok(())
}

/// Other systems keep the names of a folder without being asked, and do not open one as a file.
#[cfg(not(unix))]
fn sync_folders(_: &[PathBuf]) -> Result<(), OutputError> {
    Ok(())
}
