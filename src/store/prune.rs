//! Tidying: what is no longer asked for goes, what was paid for stays.

use std::collections::HashSet;
use std::fs;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior, params};

use super::error::StoreError;
use super::folder::Store;
use super::schema;

/// What went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Runs, with what was written down of their instances.
    pub runs: u64,
    /// Requests that brought no answer.
    pub attempts: u64,
    /// Pictures that no answer names, and what was left of unfinished writing.
    pub files: u64,
    /// By how many bytes the folder is smaller.
    pub bytes: u64,
}

/// A run is old when it and all others of its line have ended before the time.
const OLD: &str = "
CREATE TEMP TABLE old AS SELECT id FROM runs r
WHERE coalesce(ended, began) < ?1
  AND NOT EXISTS (SELECT 1 FROM runs younger WHERE younger.root = r.root AND coalesce(younger.ended, younger.began) >= ?1)";

impl Store {
    /// Removes runs that ended longer ago than this, with their instances and their requests that brought no answer.
    /// Answers stay, with what they have cost. Runs that are going on stay, whatever their age.
    ///
    /// # Errors
    /// The store can't be written.
    pub fn prune(&self, age: Duration) -> Result<Pruned, StoreError> {
        let before = self.size();
        let wrong = |error: rusqlite::Error| self.wrong(&error);
        let mut connection = schema::open(self.database())?;
        let (runs, attempts) = self.prune_rows(&mut connection, age)?;
        let files = self.prune_files(&connection)?;
        // Other processes may be at work: they wait, or this one does.
        connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);").map_err(wrong)?;
        Ok(Pruned { runs, attempts, files, bytes: before.saturating_sub(self.size()) })
    }

    fn prune_rows(&self, connection: &mut Connection, age: Duration) -> Result<(u64, u64), StoreError> {
        let wrong = |error: rusqlite::Error| self.wrong(&error);
        let until = Timestamp::now().saturating_sub(age).unwrap_or(Timestamp::MIN).as_millisecond();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(wrong)?;
        transaction.execute(OLD, params![until]).map_err(wrong)?;
        // With those that they go on with: they share a budget.
        for name in self.going_on() {
            transaction
                .execute(
                    "DELETE FROM old WHERE id IN \
                     (SELECT id FROM runs WHERE root = (SELECT root FROM runs WHERE name = ?))",
                    params![name],
                )
                .map_err(wrong)?;
        }
        let execute = |sql: &str| transaction.execute(sql, []).map_err(wrong).map(|rows| rows as u64);
        let attempts = execute("DELETE FROM attempts WHERE kind IS NOT NULL AND run IN old")?;
        execute("DELETE FROM instances WHERE run IN old")?;
        execute("DELETE FROM sendings WHERE run IN old")?;
        execute("DELETE FROM calls WHERE NOT EXISTS (SELECT 1 FROM attempts a WHERE a.call = calls.id)")?;
        let names = transaction.prepare("DELETE FROM runs WHERE id IN old RETURNING name").and_then(|mut deleted| {
            deleted.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()
        });
        let names = names.map_err(wrong)?;
        transaction.commit().map_err(wrong)?;
        for run in &names {
            self.forget_files(run);
        }
        Ok((count_rows(names.len()), attempts))
    }

    /// What lies in the folder of a run that is no more.
    fn forget_files(&self, run: &str) {
        self.remove_stdin(run);
        self.remove_lock(run);
    }

    /// Files of pictures that nothing names. One that is younger than an hour may be named by what is being written.
    fn prune_files(&self, connection: &Connection) -> Result<u64, StoreError> {
        let wrong = |error: rusqlite::Error| self.wrong(&error);
        let mut statement =
            connection.prepare("SELECT DISTINCT blob FROM attempts WHERE blob IS NOT NULL").map_err(wrong)?;
        let named = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).map_err(wrong)?;
        let named = named.map(|digest| digest.map(|digest| self.blobs().path(&digest)));
        let named: HashSet<_> = named.collect::<Result<_, _>>().map_err(wrong)?;
        let is_young = |path: &std::path::Path| {
            let age =
                fs::metadata(path).and_then(|file| file.modified()).map(|time| time.elapsed().unwrap_or_default());
            age.is_ok_and(|age| age < Duration::from_secs(3600))
        };
        let files = fs::read_dir(self.blobs().folder()).into_iter().flatten().flatten().map(|entry| entry.path());
        let gone = files.filter(|path| !named.contains(path) && !is_young(path) && fs::remove_file(path).is_ok());
        Ok(count_rows(gone.count()))
    }

    /// The bytes of its files.
    pub fn size(&self) -> u64 {
        let files = |folder: &std::path::Path| -> u64 {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            entries.filter_map(|entry| entry.metadata().ok()).filter(fs::Metadata::is_file).map(|file| file.len()).sum()
        };
        files(self.folder()) + files(self.blobs().folder())
    }
}

fn count_rows(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::runs::{NewRun, RunEnd, RunId};
    use super::super::sample::{answered, asked, refused};
    use super::*;
    use crate::model::Json;

    /// A run that ended at that millisecond, or has not.
    fn run(store: &Store, name: &str, goes_on: Option<RunId>, ended: Option<i64>) -> RunId {
        let time = |at: i64| Timestamp::from_millisecond(at).unwrap();
        let new = NewRun { name: name.into(), goes_on, pipeline: "p".into(), began: time(0), about: Json::Null };
        let id = store.begin(new).unwrap();
        if let Some(at) = ended {
            let end = RunEnd { at: time(at), outcome: Json::Null, stages: Json::Null };
            futures::executor::block_on(store.end(id, end)).unwrap();
        }
        id
    }

    fn names(store: &Store) -> Vec<String> {
        store.runs().unwrap().into_iter().map(|run| run.name).collect()
    }

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        (folder, store)
    }

    #[test]
    fn answers_stay_and_what_brought_none_goes() {
        let (_folder, store) = store();
        let old = run(&store, "old", None, Some(1));
        futures::executor::block_on(async {
            store.note(old, refused("x", 0, 1));
            store.note(old, refused("y", 0, 1));
            store.keep(old, answered("y", "kept", 0, 1)).await.unwrap();
        });
        let pruned = store.prune(Duration::ZERO).unwrap();
        assert_eq!((pruned.runs, pruned.attempts), (1, 2));
        let found = store.look_up(&asked("y"), None).unwrap();
        assert_eq!(found.made_by, Some(old), "its line is still known");
        assert!(found.answer.is_some());
        let next = run(&store, "next", None, None);
        assert_ne!(next, old, "no other run takes its number");
    }

    #[test]
    fn what_a_run_goes_on_with_stays_as_long_as_it_does() {
        let (_folder, store) = store();
        let root = run(&store, "root", None, Some(1));
        let _lock = store.lock("next").unwrap();
        run(&store, "next", Some(root), None);
        run(&store, "died", None, None);
        assert_eq!(store.prune(Duration::ZERO).unwrap().runs, 1);
        assert_eq!(names(&store), ["next", "root"]);
    }

    #[test]
    fn a_younger_run_keeps_its_line() {
        let (_folder, store) = store();
        let root = run(&store, "root", None, Some(1));
        run(&store, "young", Some(root), Some(Timestamp::now().as_millisecond()));
        run(&store, "old", None, Some(1));
        assert_eq!(store.prune(Duration::from_secs(3600)).unwrap().runs, 1);
        assert_eq!(names(&store), ["young", "root"]);
    }

    #[test]
    fn what_lies_beside_an_old_run_goes_with_it() {
        let (folder, store) = store();
        run(&store, "old", None, None);
        drop(store.lock("other").unwrap());
        let kept = store.stdin_of("old");
        let lock = folder.path().join("runs/old.lock");
        for file in [&kept.copy, &kept.mark, &lock] {
            fs::File::create(file).unwrap();
        }
        store.prune(Duration::ZERO).unwrap();
        assert!(![kept.copy, kept.mark, lock].iter().any(|file| file.exists()));
    }

    #[test]
    fn the_file_shrinks_while_another_has_it_open() {
        let (folder, store) = store();
        let other = Store::open(folder.path()).unwrap();
        let old = run(&store, "old", None, Some(1));
        let long = "x".repeat(10_000);
        futures::executor::block_on(async {
            for number in 0..100 {
                store.note(old, refused(&format!("{number}{long}"), 0, 1));
            }
            store.keep(old, answered("y", "kept", 0, 1)).await.unwrap();
        });
        assert!(other.look_up(&asked("y"), None).unwrap().answer.is_some());
        let pruned = store.prune(Duration::ZERO).unwrap();
        assert!(pruned.attempts == 100 && pruned.bytes > 500_000, "{pruned:?}");
        // It reads and writes on.
        assert!(other.look_up(&asked("y"), None).unwrap().answer.is_some());
        let next = run(&other, "next", None, None);
        futures::executor::block_on(other.keep(next, answered("z", "new", 0, 1))).unwrap();
        assert!(store.look_up(&asked("z"), None).unwrap().answer.is_some());
    }
}
