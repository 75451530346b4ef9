//! The tables, and the version of the format.
//!
//! The version stands in the database's own `user_version`, and who made it in `application_id`. An older version is
//! brought up to date in one transaction when the store is opened to be written; a newer one is refused, since what it means is
//! not known here.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::error::StoreError;

/// `blsm`
const APPLICATION: i64 = 0x626c_736d;
/// The format that this version writes.
pub(super) const VERSION: i64 = 3;
/// How long one process waits for another that writes.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long it waits before it looks again, where it has to look itself.
const PAUSE: Duration = Duration::from_millis(1);

/// The line of a run is known by its `root`, the first run of it.
const RUNS: &str = "
CREATE TABLE runs(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    root INTEGER,
    pipeline TEXT NOT NULL,
    began INTEGER NOT NULL,
    ended INTEGER,
    outcome TEXT,
    about TEXT NOT NULL,
    stages TEXT
);
";

/// Requests that nothing has come of yet, with the most that each can take: what a run leaves there that was killed.
const SENDINGS: &str = "
CREATE TABLE sendings(
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    counted INTEGER NOT NULL,
    usd INTEGER NOT NULL,
    pollen INTEGER NOT NULL,
    unpriced INTEGER NOT NULL
);
";

/// A call is known by its key and the number of its take. Whatever was sent for it is an attempt; one that was answered
/// (`kind` is null) holds the answer: a text, or the digest of a picture; `failure` says there why it was not taken, as the
/// checks stood when it came. `asked_model` is the model that was asked, null if none was sent; `link` says how many others the
/// `fallback` of the call has before the one who was asked. `counted` is what of a budget's tokens it took;
/// `usd` and `pollen` are in trillionths.
const TABLES: &str = "
CREATE TABLE calls(
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL,
    take INTEGER NOT NULL,
    root INTEGER NOT NULL,
    stage TEXT NOT NULL,
    request TEXT NOT NULL,
    UNIQUE(key, take)
);
CREATE TABLE attempts(
    id INTEGER PRIMARY KEY,
    call INTEGER NOT NULL,
    run INTEGER NOT NULL,
    item TEXT,
    provider TEXT NOT NULL,
    asked_model TEXT,
    link INTEGER,
    number INTEGER NOT NULL,
    began INTEGER NOT NULL,
    took INTEGER NOT NULL,
    kind TEXT,
    failure TEXT,
    model TEXT,
    finish_reason TEXT,
    request_id TEXT,
    input_tokens INTEGER,
    output_tokens INTEGER,
    total_tokens INTEGER,
    counted INTEGER NOT NULL,
    usd INTEGER NOT NULL,
    pollen INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,
    media TEXT,
    width INTEGER,
    height INTEGER,
    blob BLOB,
    text TEXT
);
CREATE INDEX attempts_of_call ON attempts(call);
CREATE INDEX attempts_of_run ON attempts(run);
CREATE TABLE instances(
    run INTEGER NOT NULL,
    stage TEXT NOT NULL,
    path BLOB NOT NULL,
    item TEXT,
    state TEXT NOT NULL,
    why TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    PRIMARY KEY(run, stage, path)
) WITHOUT ROWID;
";

/// What the first version had: runs whose numbers could come again, and no tokens that count for a budget.
const FROM_1: &str = "
INSERT INTO runs SELECT * FROM runs_1;
DROP TABLE runs_1;
ALTER TABLE attempts ADD COLUMN counted INTEGER NOT NULL DEFAULT 0;
UPDATE attempts SET counted = coalesce(total_tokens, 0);
";

/// What the second version had: requests that did not say which model was asked, nor whether a fallback was.
const FROM_2: &str = "
ALTER TABLE attempts ADD COLUMN asked_model TEXT;
ALTER TABLE attempts ADD COLUMN link INTEGER;
";

/// Has a database of an older version, which is read alone, look like one of this version.
const LIKE_NOW: &str = "
PRAGMA temp_store = memory;
CREATE TEMP VIEW attempts AS SELECT *, NULL AS asked_model, NULL AS link FROM main.attempts;
";

/// Opens the database, makes its tables if it has none, and brings older ones up to date.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let wrong = |error: rusqlite::Error| StoreError::database(path, &error);
    let mut connection = Connection::open(path).map_err(wrong)?;
    connection.busy_timeout(PATIENCE).map_err(wrong)?;
    check(path, &connection)?;
    // Readers and one writer side by side; a commit is on the disk when it returns, also if power is cut right after.
    write_ahead(&connection).map_err(wrong)?;
    connection.pragma_update(None, "synchronous", "full").map_err(wrong)?;
    connection.pragma_update(None, "wal_autocheckpoint", 4_000).map_err(wrong)?;
    steady(&connection).map_err(wrong)?;
    if version(&connection).map_err(wrong)? < VERSION {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(wrong)?;
        bring_up_to_date(&transaction).map_err(wrong)?;
        transaction.commit().map_err(wrong)?;
    }
    Ok(connection)
}

fn bring_up_to_date(connection: &Connection) -> rusqlite::Result<()> {
    match version(connection)? {
        0 => [RUNS, SENDINGS, TABLES].into_iter().try_for_each(|tables| connection.execute_batch(tables))?,
        1 => {
            connection.execute_batch("ALTER TABLE runs RENAME TO runs_1")?;
            [RUNS, SENDINGS, FROM_1, FROM_2].into_iter().try_for_each(|step| connection.execute_batch(step))?;
        }
        2 => connection.execute_batch(FROM_2)?,
        // Another process has been faster.
        _ => return Ok(()),
    }
    connection.pragma_update(None, "application_id", APPLICATION)?;
    connection.pragma_update(None, "user_version", VERSION)
}

/// Opens a database that is there, to be read alone.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, StoreError> {
    let wrong = |error: rusqlite::Error| StoreError::database(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(wrong)?;
    connection.busy_timeout(PATIENCE).map_err(wrong)?;
    check(path, &connection)?;
    ready_to_read(&connection).map_err(wrong)?;
    Ok(connection)
}

fn ready_to_read(connection: &Connection) -> rusqlite::Result<()> {
    if (1..VERSION).contains(&version(connection)?) {
        connection.execute_batch(LIKE_NOW)?;
    }
    connection.pragma_update(None, "query_only", true)?;
    steady(connection)
}

/// The same where it need not be there: nothing if it has no tables, and as it stands where the folder can't be written.
pub(super) fn open_to_look(path: &Path) -> Result<Option<Connection>, StoreError> {
    let wrong = |error: rusqlite::Error| StoreError::database(path, &error);
    let connection = match open_to_read(path) {
        Err(_) if is_at_rest(path) && is_read_only(path) => {
            let escaped = path.display().to_string().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
            // Nobody can change it, so nobody needs to be told that it is read.
            let connection =
                Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags).map_err(wrong)?;
            check(path, &connection)?;
            ready_to_read(&connection).map_err(wrong)?;
            connection
        }
        opened => opened?,
    };
    let has_tables = version(&connection).map_err(wrong)? > 0;
    Ok(has_tables.then_some(connection))
}

/// Whether all of it is in the database, and nothing in the log beside it.
fn is_at_rest(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).map_or(true, |log| log.len() == 0)
}

/// Whether no file can be made beside it.
fn is_read_only(path: &Path) -> bool {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    tempfile::tempfile_in(folder).is_err()
}

/// Has the database keep a log beside it. For that it must be nobody else's for a moment, which is not waited for by itself:
/// another process may be opening the same new store.
fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    let begun = Instant::now();
    loop {
        match connection.pragma_update(None, "journal_mode", "wal") {
            Err(error) if is_busy(&error) && begun.elapsed() < PATIENCE => std::thread::sleep(PAUSE),
            switched => return switched,
        }
    }
}

/// Has statements stay as they were compiled. Otherwise each value that a range is compared with has its statement
/// compiled anew, which takes longer than all that it does.
fn steady(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(32);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

pub(super) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn check(path: &Path, connection: &Connection) -> Result<(), StoreError> {
    let wrong = |error: rusqlite::Error| StoreError::database(path, &error);
    // All of it at one moment: another process may be making the tables.
    let moment = connection.unchecked_transaction().map_err(wrong)?;
    let application: i64 = moment.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(wrong)?;
    let tables: i64 = moment.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(wrong)?;
    match version(&moment).map_err(wrong)? {
        0 if application == 0 && tables == 0 => Ok(()),
        _ if application != APPLICATION => Err(StoreError::foreign(path)),
        known if (1..=VERSION).contains(&known) => Ok(()),
        unknown => Err(StoreError::newer(path, unknown)),
    }
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use rusqlite::Connection;

    use super::super::folder::Store;
    use super::super::runs::{NewRun, RunId};
    use super::super::sample::{answered, asked};
    use super::*;
    use crate::model::Json;

    fn begin(store: &Store, name: &str) -> RunId {
        let began = jiff::Timestamp::now();
        store
            .begin(NewRun { name: name.into(), goes_on: None, pipeline: "p".into(), began, about: Json::Null })
            .unwrap()
    }

    #[test]
    fn answers_of_the_first_version_are_used_on() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let run = begin(&store, "old");
        futures::executor::block_on(store.keep(run, answered("x", "kept", 0, 1))).unwrap();
        drop(store);
        // As it was: the root of a run was never null, and its number no sequence's.
        let old = RUNS.replace("root INTEGER,", "root INTEGER NOT NULL,").replace(" AUTOINCREMENT", "");
        assert_ne!(old, RUNS);
        let database = Connection::open(folder.path().join("store.db")).unwrap();
        for step in [
            "ALTER TABLE runs RENAME TO newer",
            &old,
            "INSERT INTO runs SELECT * FROM newer",
            "DROP TABLE newer",
            "DROP TABLE sendings",
            "ALTER TABLE attempts DROP COLUMN counted",
            AS_IN_2,
            "PRAGMA user_version = 1",
        ] {
            database.execute_batch(step).unwrap();
        }
        drop(database);
        can_be_read_as_it_is(folder.path(), run);
        let store = Store::open(folder.path()).unwrap();
        assert!(store.look_up(&asked("x"), None).unwrap().answer.is_some());
        assert_eq!(store.used(run).unwrap().spent.tokens, 7);
        let next = begin(&store, "new");
        assert_ne!(next, run);
        futures::executor::block_on(store.keep(next, answered("y", "new", 0, 1))).unwrap();
        assert_eq!(store.runs().unwrap().len(), 2);
    }

    const AS_IN_2: &str = "ALTER TABLE attempts DROP COLUMN asked_model; ALTER TABLE attempts DROP COLUMN link;";

    #[track_caller]
    fn can_be_read_as_it_is(folder: &Path, run: RunId) {
        let store = Store::open_to_read(folder).unwrap().unwrap();
        assert_eq!(store.runs().unwrap().len(), 1);
        let requests = store.requests(run).unwrap();
        assert_eq!((requests[0].1.sent, requests[0].1.fallbacks), (1, 0));
        let lane = store.look_up(&asked("x"), None).unwrap().answer.unwrap().lane.unwrap();
        assert_eq!((&*lane.provider, lane.model), ("p", None));
        assert_eq!(store.attempts(run, "stage", Some("item")).unwrap()[0].lane.model, None);
    }

    #[test]
    fn answers_of_the_second_version_are_used_on() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let run = begin(&store, "old");
        futures::executor::block_on(store.keep(run, answered("x", "kept", 0, 1))).unwrap();
        drop(store);
        let database = Connection::open(folder.path().join("store.db")).unwrap();
        database.execute_batch(&format!("{AS_IN_2} PRAGMA user_version = 2")).unwrap();
        drop(database);
        can_be_read_as_it_is(folder.path(), run);
        let store = Store::open(folder.path()).unwrap();
        let model = |prompt| store.look_up(&asked(prompt), None).unwrap().answer.unwrap().lane.unwrap().model;
        assert_eq!(model("x"), None);
        futures::executor::block_on(store.keep(run, answered("y", "new", 0, 1))).unwrap();
        assert_eq!(model("y").as_deref(), Some("m"));
    }

    #[test]
    fn a_store_that_many_open_at_once_is_made_once() {
        const MANY: usize = 6;
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let start = Barrier::new(MANY);
            let opened = || {
                start.wait();
                Store::open(folder.path()).map(drop)
            };
            std::thread::scope(|scope| {
                let threads: Vec<_> = (0..MANY).map(|_| scope.spawn(opened)).collect();
                for thread in threads {
                    assert_eq!(thread.join().unwrap(), Ok(()));
                }
            });
        }
    }
}
