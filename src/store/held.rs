//! How the instances of one run ended, held until all who want to know have seen it. It is the run's own, and worth
//! nothing afterwards.
//!
//! What a run holds stays in memory up to a bound, so that most runs never make a file. What comes beyond it goes into a
//! database that nobody else opens: without a journal, in one transaction that is never committed, and removed in the
//! end.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::model::End;

use super::encoding::{self, path_of};
use super::ends;
use super::error::StoreError;

/// So many bytes of values are held in memory, unless the caller says otherwise; the rest goes to the disk.
pub const HELD_IN_MEMORY: usize = 16 * 1024 * 1024;

/// So many ends are read at a time: whoever puts another meanwhile waits for no more than these.
const PAGE: usize = 256;
/// A page has no more bytes than this and one end.
const PAGE_BYTES: usize = 1024 * 1024;
/// What a place in memory takes beside the end: its key, and its share of a tree whose nodes are half full.
const PLACE: usize = 112;

const OPENING: &str = "
PRAGMA page_size = 8192;
PRAGMA journal_mode = off;
PRAGMA synchronous = off;
PRAGMA locking_mode = exclusive;
PRAGMA cache_size = -4096;
CREATE TABLE held(place BLOB PRIMARY KEY, ending BLOB NOT NULL) WITHOUT ROWID;
BEGIN;
";

/// How instances ended, by stage and path (the index in each loop, outermost first). An instance ends once: it is put
/// once, until it is forgotten. It may be shared between threads; each operation is short.
#[derive(Debug)]
pub struct Held {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    near: BTreeMap<Vec<u8>, End>,
    /// What lies in `near`, in bytes, and how much may.
    bytes: usize,
    most: usize,
    far: Far,
}

/// A place and an end, as they lie on the disk.
type Row = (Vec<u8>, Vec<u8>);

/// What lies on the disk.
#[derive(Debug)]
struct Far {
    file: PathBuf,
    connection: Option<Connection>,
    /// How many there are.
    count: usize,
}

impl Held {
    /// Nothing yet. What goes beyond `in_memory` bytes will lie in `file`, which is made when it comes to that, and
    /// removed when this is dropped.
    pub fn new(file: PathBuf, in_memory: usize) -> Self {
        let far = Far { file, connection: None, count: 0 };
        Self { inner: Mutex::new(Inner { near: BTreeMap::new(), bytes: 0, most: in_memory, far }) }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds how an instance ended.
    ///
    /// # Errors
    /// It goes to the disk, which is full or can't be written.
    pub fn put(&self, stage: usize, path: &[u64], end: &End) -> Result<(), StoreError> {
        let place = place(stage, path);
        let weight = PLACE + ends::weight(end);
        let mut inner = self.inner();
        if inner.bytes + weight <= inner.most {
            inner.bytes += weight;
            inner.near.insert(place, end.clone());
            return Ok(());
        }
        inner.far.put(&place, &ends::encode(end))
    }

    /// How an instance ended, if it is held.
    ///
    /// # Errors
    /// It lies on the disk, and can't be read.
    pub fn get(&self, stage: usize, path: &[u64]) -> Result<Option<End>, StoreError> {
        let place = place(stage, path);
        let inner = self.inner();
        if let Some(end) = inner.near.get(&place) {
            return Ok(Some(end.clone()));
        }
        let bytes = inner.far.get(&place)?;
        bytes.map(|bytes| ends::decode(&bytes).ok_or_else(|| inner.far.damaged())).transpose()
    }

    /// How the instances of a stage under a path ended (one at the path itself among them), in the order of their paths.
    /// They are read bit by bit: it may take long, and nobody else waits for it.
    pub fn under(&self, stage: usize, path: &[u64]) -> Under<'_> {
        let from = place(stage, path);
        let to = behind(&from);
        Under { held: self, from, to, page: Vec::new().into_iter(), is_over: false }
    }

    /// Forgets what lies under a path, and at it.
    ///
    /// # Errors
    /// The disk can't be written.
    pub fn forget(&self, stage: usize, path: &[u64]) -> Result<(), StoreError> {
        let from = place(stage, path);
        let to = behind(&from);
        let mut inner = self.inner();
        while let Some(place) = inner.near.range::<[u8], _>(between(&from, &to)).next().map(|(place, _)| place.clone())
        {
            if let Some(end) = inner.near.remove(&place) {
                inner.bytes -= PLACE + ends::weight(&end);
            }
        }
        inner.far.forget(&from, &to)
    }

    /// Whether nothing lies on the disk, so that reading is quick.
    pub fn is_in_memory(&self) -> bool {
        self.inner().far.count == 0
    }
}

/// A place as bytes, whose order is that of stages and paths.
fn place(stage: usize, path: &[u64]) -> Vec<u8> {
    let mut place = encoding::path(&[stage as u64]);
    place.extend(encoding::path(path));
    place
}

/// The first bytes behind all that begin with these.
fn behind(place: &[u8]) -> Vec<u8> {
    let mut behind = place.to_vec();
    while let Some(last) = behind.pop() {
        if let Some(next) = last.checked_add(1) {
            behind.push(next);
            break;
        }
    }
    behind
}

/// From one place to another, which is not included.
fn between<'a>(from: &'a [u8], to: &'a [u8]) -> (Bound<&'a [u8]>, Bound<&'a [u8]>) {
    (Bound::Included(from), Bound::Excluded(to))
}

/// The first place behind this one.
fn next(place: &[u8]) -> Vec<u8> {
    let mut next = place.to_vec();
    next.push(0);
    next
}

/// The ends under a path, as they are read.
#[derive(Debug)]
pub struct Under<'a> {
    held: &'a Held,
    /// The first place that was not read.
    from: Vec<u8>,
    /// Where it ends, itself not included.
    to: Vec<u8>,
    page: std::vec::IntoIter<(Vec<u8>, Raw)>,
    is_over: bool,
}

/// An end, as it lies there.
#[derive(Debug)]
enum Raw {
    Near(End),
    Far(Vec<u8>),
}

impl Under<'_> {
    fn turn(&mut self) -> Result<(), StoreError> {
        let inner = self.held.inner();
        let near = inner.near.range::<[u8], _>(between(&self.from, &self.to)).take(PAGE);
        let mut page: Vec<_> = near.map(|(place, end)| (place.clone(), Raw::Near(end.clone()))).collect();
        let near_goes_on = page.len() == PAGE;
        // What lies behind the last of one half of a full page may come after more of the other half.
        let upto = if near_goes_on { page.last().map(|(place, _)| next(place)) } else { None };
        let (far, far_goes_on) = inner.far.page(&self.from, upto.as_ref().unwrap_or(&self.to))?;
        drop(inner);
        if let (true, Some((last, _))) = (far_goes_on, far.last()) {
            page.retain(|(place, _)| place < last);
        }
        page.extend(far.into_iter().map(|(place, bytes)| (place, Raw::Far(bytes))));
        page.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        self.is_over = !near_goes_on && !far_goes_on;
        if let Some((last, _)) = page.last() {
            self.from = next(last);
        }
        self.page = page.into_iter();
        Ok(())
    }
}

impl Iterator for Under<'_> {
    type Item = Result<(Vec<u64>, End), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((place, raw)) = self.page.next() {
                let end = match raw {
                    Raw::Near(end) => Ok(end),
                    Raw::Far(bytes) => ends::decode(&bytes).ok_or_else(|| self.held.inner().far.damaged()),
                };
                let path = path_of(place.get(size_of::<u64>()..).unwrap_or_default());
                return Some(end.map(|end| (path, end)));
            }
            if self.is_over {
                return None;
            }
            if let Err(error) = self.turn() {
                self.is_over = true;
                return Some(Err(error));
            }
        }
    }
}

impl Far {
    fn put(&mut self, place: &[u8], bytes: &[u8]) -> Result<(), StoreError> {
        let put = |connection: &Connection| {
            connection.prepare_cached("INSERT OR REPLACE INTO held VALUES(?1, ?2)")?.execute((place, bytes))
        };
        let put = match &self.connection {
            Some(connection) => put(connection),
            None => self.open().and_then(put),
        };
        self.count += put.map_err(|error| self.wrong(&error))?;
        Ok(())
    }

    fn open(&mut self) -> rusqlite::Result<&Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.file, flags)?;
        connection.execute_batch(OPENING)?;
        Ok(self.connection.insert(connection))
    }

    /// The connection, if there is anything to be found.
    fn filled(&self) -> Option<&Connection> {
        self.connection.as_ref().filter(|_| self.count > 0)
    }

    fn get(&self, place: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(connection) = self.filled() else { return Ok(None) };
        let statement = connection.prepare_cached("SELECT ending FROM held WHERE place = ?1");
        let found = statement.and_then(|mut statement| statement.query_row([place], |row| row.get(0)).optional());
        found.map_err(|error| self.wrong(&error))
    }

    /// The first of those from a place to another, which is not included; and whether there may be more.
    fn page(&self, from: &[u8], to: &[u8]) -> Result<(Vec<Row>, bool), StoreError> {
        let (mut page, mut bytes) = (Vec::new(), 0);
        let Some(connection) = self.filled() else { return Ok((page, false)) };
        let mut read = || {
            let select = "SELECT place, ending FROM held WHERE place >= ?1 AND place < ?2 ORDER BY place";
            let mut statement = connection.prepare_cached(select)?;
            let mut rows = statement.query([from, to])?;
            while let Some(row) = rows.next()? {
                let (place, ending): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?);
                bytes += ending.len();
                page.push((place, ending));
                if page.len() == PAGE || bytes >= PAGE_BYTES {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        let goes_on = read().map_err(|error| self.wrong(&error))?;
        Ok((page, goes_on))
    }

    fn forget(&mut self, from: &[u8], to: &[u8]) -> Result<(), StoreError> {
        let Some(connection) = self.filled() else { return Ok(()) };
        let statement = connection.prepare_cached("DELETE FROM held WHERE place >= ?1 AND place < ?2");
        let gone = statement.and_then(|mut statement| statement.execute([from, to]));
        self.count -= gone.map_err(|error| self.wrong(&error))?;
        Ok(())
    }

    fn damaged(&self) -> StoreError {
        StoreError::unheld(&self.file, "what is read is not what was written")
    }

    fn wrong(&self, error: &rusqlite::Error) -> StoreError {
        StoreError::held(&self.file, error)
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(connection);
            // What can't be removed now is removed when the next run begins.
            drop(std::fs::remove_file(&self.file));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use crate::model::Value;

    use super::*;

    type Model = BTreeMap<(usize, Vec<u64>), End>;

    #[derive(Debug, Clone)]
    enum Step {
        Put(usize, Vec<u64>, End),
        Forget(usize, Vec<u64>),
    }

    fn path() -> impl Strategy<Value = Vec<u64>> {
        prop::collection::vec(prop_oneof![0..4_u64, Just(255), Just(256), Just(u64::MAX)], 0..4)
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            8 => (0..3_usize, path(), ends::tests::end()).prop_map(|(stage, path, end)| Step::Put(stage, path, end)),
            1 => (0..3_usize, path()).prop_map(|(stage, path)| Step::Forget(stage, path)),
        ]
    }

    fn all_under(held: &Held, stage: usize, path: &[u64]) -> Vec<(Vec<u64>, End)> {
        held.under(stage, path).map(Result::unwrap).collect()
    }

    fn text(text: &str) -> End {
        End::Value(Value::Text(text.into()))
    }

    proptest! {
        #[test]
        fn it_holds_what_a_map_would(
            steps in prop::collection::vec(step(), 0..60),
            in_memory in prop_oneof![Just(0), 0..4000_usize, Just(usize::MAX)],
        ) {
            let folder = tempfile::tempdir().unwrap();
            let held = Held::new(folder.path().join("held"), in_memory);
            let mut model = Model::new();
            for step in steps {
                match step {
                    Step::Put(stage, path, end) => {
                        if !model.contains_key(&(stage, path.clone())) {
                            held.put(stage, &path, &end).unwrap();
                            model.insert((stage, path), end);
                        }
                    }
                    Step::Forget(stage, under) => {
                        held.forget(stage, &under).unwrap();
                        model.retain(|(one, path), _| *one != stage || !path.starts_with(&under));
                    }
                }
            }
            for ((stage, path), end) in &model {
                prop_assert_eq!(held.get(*stage, path).unwrap(), Some(end.clone()));
                let expected: Vec<_> = model
                    .iter()
                    .filter(|((one, other), _)| one == stage && other.starts_with(path))
                    .map(|((_, path), end)| (path.clone(), end.clone()))
                    .collect();
                prop_assert_eq!(all_under(&held, *stage, path), expected);
            }
            prop_assert_eq!(held.get(7, &[]).unwrap(), None);
            if in_memory == 0 {
                prop_assert_eq!(held.inner().near.len(), 0);
            }
        }
    }

    #[test]
    fn long_lists_come_in_pages_from_both_places() {
        let folder = tempfile::tempdir().unwrap();
        let paths: Vec<Vec<u64>> = (0..3 * PAGE as u64).map(|ix| vec![ix / 100, ix % 100]).collect();
        for in_memory in [0, 20_000, 70_000, usize::MAX] {
            let held = Held::new(folder.path().join("held"), in_memory);
            // Every other one first, so that what lies in memory and what does not are neighbours.
            let (even, odd): (Vec<_>, Vec<_>) = paths.iter().enumerate().partition(|(at, _)| at % 2 == 0);
            for (at, path) in even.into_iter().chain(odd) {
                held.put(1, path, &text(&at.to_string())).unwrap();
            }
            held.put(2, &[], &text("another stage")).unwrap();
            let read = all_under(&held, 1, &[]);
            let expected: Vec<_> =
                paths.iter().enumerate().map(|(at, path)| (path.clone(), text(&at.to_string()))).collect();
            assert_eq!(read, expected, "{in_memory} bytes in memory");
            assert_eq!(all_under(&held, 1, &[2]), expected[200..300]);
        }
    }

    #[test]
    fn a_page_is_no_longer_than_a_value_that_is_long() {
        let folder = tempfile::tempdir().unwrap();
        let held = Held::new(folder.path().join("held"), 0);
        let long = text(&"x".repeat(PAGE_BYTES));
        for ix in 0..3 {
            held.put(0, &[ix], &long).unwrap();
        }
        assert_eq!(all_under(&held, 0, &[]).len(), 3);
        assert_eq!(held.inner().far.page(&place(0, &[]), &place(1, &[])).unwrap().0.len(), 1);
    }

    #[test]
    fn the_file_is_there_only_as_long_as_it_must() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("held");
        let held = Held::new(file.clone(), 1000);
        held.put(0, &[0], &text("short")).unwrap();
        assert!(held.is_in_memory() && !file.exists());
        held.put(0, &[1], &text(&"x".repeat(1000))).unwrap();
        assert!(!held.is_in_memory() && file.exists());
        let held = Arc::new(held);
        let other = held.clone();
        drop(held);
        assert!(file.exists());
        drop(other);
        assert!(!file.exists());
    }

    #[test]
    fn what_is_forgotten_makes_room_in_memory() {
        let folder = tempfile::tempdir().unwrap();
        let held = Held::new(folder.path().join("held"), 1000);
        for round in 0..100 {
            held.put(0, &[round], &text(&"x".repeat(500))).unwrap();
            held.forget(0, &[round]).unwrap();
        }
        assert!(held.is_in_memory());
        assert_eq!(held.inner().bytes, 0);
    }

    #[test]
    fn a_file_that_is_not_what_was_written_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("held");
        let held = Held::new(file.clone(), 0);
        // More than the database has in memory of it.
        let long = text(&"x".repeat(1024 * 1024));
        for ix in 0..12 {
            held.put(0, &[ix], &long).unwrap();
        }
        std::fs::File::options().write(true).open(&file).unwrap().set_len(0).unwrap();
        let error = all_under_or_not(&held).unwrap_err();
        assert!(error.message.starts_with("values that are still needed can't be held: "), "{}", error.message);
    }

    fn all_under_or_not(held: &Held) -> Result<usize, StoreError> {
        held.under(0, &[]).try_fold(0, |count, end| end.map(|_| count + 1))
    }

    #[test]
    fn a_file_that_can_not_be_made_is_told_with_what_to_try() {
        let folder = tempfile::tempdir().unwrap();
        let held = Held::new(folder.path().join("nowhere/held"), 0);
        let error = held.put(0, &[], &text("x")).unwrap_err();
        assert!(error.message.starts_with("values that are still needed can't be held: "), "{}", error.message);
        assert_eq!(error.help, "look at the output folder, or name another with `--out DIR`");
    }
}
