//! Which runs are going on: each holds a lock on a file of its own, which goes with its process.

use std::fs::{self, File, TryLockError};
use std::path::PathBuf;

use super::error::StoreError;
use super::folder::Store;

/// The folder of what belongs to one run.
pub(super) const RUNS: &str = "runs";

/// A run that is going on. When it is dropped, or its process dies, the run is no longer.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
    path: PathBuf,
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // Whoever looks for it takes a file that is left for what it is.
        fs::remove_file(&self.path).ok();
    }
}

impl Store {
    /// Says that a run is going on, as long as what comes back is there.
    ///
    /// # Errors
    /// The store can't be written.
    pub fn lock(&self, run: &str) -> Result<RunLock, StoreError> {
        let path = self.lock_path(run);
        let wrong = |error| StoreError::file(&path, &error);
        fs::create_dir_all(self.folder().join(RUNS)).map_err(wrong)?;
        let file = File::options().create(true).append(true).open(&path).map_err(wrong)?;
        // Nobody holds it for longer than a look takes. A disk that knows no locks keeps answers all the same; a run there
        // never looks as if it were going on.
        file.lock().ok();
        Ok(RunLock { _file: file, path })
    }

    /// Whether a run is going on.
    pub fn is_going_on(&self, run: &str) -> bool {
        let Ok(file) = File::open(self.lock_path(run)) else { return false };
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }

    /// The names of the runs that are going on.
    pub(super) fn going_on(&self) -> Vec<String> {
        let files = fs::read_dir(self.folder().join(RUNS)).into_iter().flatten().flatten();
        let names = files.filter_map(|file| Some(file.file_name().to_str()?.strip_suffix(".lock")?.to_owned()));
        names.filter(|run| self.is_going_on(run)).collect()
    }

    /// Removes the file that a run which died has left.
    pub(super) fn remove_lock(&self, run: &str) {
        fs::remove_file(self.lock_path(run)).ok();
    }

    fn lock_path(&self, run: &str) -> PathBuf {
        self.folder().join(RUNS).join(format!("{run}.lock"))
    }
}
