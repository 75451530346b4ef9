//! Standard input of runs: it can't be had again, so a copy stays until the run, or one that goes on with it, is done.

use std::fs;
use std::path::PathBuf;

use rusqlite::params;

use super::error::StoreError;
use super::folder::Store;
use super::lock::RUNS;
use super::runs::RunId;

/// Where a run keeps its standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptStdin {
    /// What has been read of it so far, row for row on its own line.
    pub copy: PathBuf,
    /// An empty file that is there once the copy has all of it.
    pub mark: PathBuf,
}

impl Store {
    /// Where the run of this name keeps its standard input, whether it has any or not.
    pub fn stdin_of(&self, run: &str) -> KeptStdin {
        let file = |ending: &str| self.folder().join(RUNS).join(format!("{run}.{ending}"));
        KeptStdin { copy: file("stdin"), mark: file("stdin-whole") }
    }

    /// Removes the standard input of a run, and of all runs of its line.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn forget_stdin(&self, run: RunId) -> Result<(), StoreError> {
        let reader = self.reader();
        let wrong = |error: rusqlite::Error| self.wrong(&error);
        let mut line =
            reader.prepare("SELECT name FROM runs WHERE root = (SELECT root FROM runs WHERE id = ?)").map_err(wrong)?;
        let names = line.query_map(params![run.0], |row| row.get::<_, String>(0)).map_err(wrong)?;
        for name in names {
            self.remove_stdin(&name.map_err(wrong)?);
        }
        Ok(())
    }

    pub(super) fn remove_stdin(&self, run: &str) {
        let KeptStdin { copy, mark } = self.stdin_of(run);
        // The mark goes first: a copy without it is never taken for the whole. Mostly neither is there.
        for file in [mark, copy] {
            fs::remove_file(file).ok();
        }
    }
}
