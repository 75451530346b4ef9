//! Which calls may be kept: a filter in memory that answers most questions about what is not there, as a run asks them
//! before each new call. It never denies what this store has written, and it knows when it can't tell.
//!
//! It belongs to the thread that commits, which reads the keys that were there before, some at a time, and adds those that
//! it writes. Once another connection has written to the database it is given up.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rusqlite::{Connection, Result};

use crate::model::CallKey;

use super::committer::Entry;

/// Where fewer entries are kept no filter is made.
const WORTH_IT: u64 = 512;
/// Of one MiB: with a million keys it is wrong about one new call in fifty, and that one is looked up.
const BITS: u64 = 1 << 23;
/// Keys read at a time, between two commits.
const SLICE: u32 = 2_000;
/// For so long it counts that nobody else had written. What somebody else has kept within that time may be asked for once
/// more, as it is where two processes ask for it at the same time.
const TRUSTED: Duration = Duration::from_millis(20);

/// What those who look something up see of the filter.
#[derive(Debug, Default)]
pub(super) struct Known {
    whole: OnceLock<Arc<Filter>>,
}

impl Known {
    /// Whether there may be a call of this key. If not, nobody had written one a moment ago.
    pub(super) fn may_have(&self, key: &CallKey) -> bool {
        self.whole.get().is_none_or(|filter| !filter.is_trusted() || filter.has(key))
    }

    /// Whether it can tell.
    #[cfg(test)]
    fn can_tell(&self) -> bool {
        self.whole.get().is_some_and(|filter| filter.is_trusted())
    }
}

/// A Bloom filter of keys, which are random as they are.
#[derive(Debug)]
struct Filter {
    words: Box<[AtomicU64]>,
    /// When it was last seen that nobody else had written, in microseconds since it was made.
    seen: AtomicU64,
    made: Instant,
    is_given_up: AtomicBool,
}

impl Filter {
    fn new() -> Self {
        let words = (0..BITS / 64).map(|_| AtomicU64::new(0)).collect();
        Self { words, seen: AtomicU64::new(0), made: Instant::now(), is_given_up: AtomicBool::new(false) }
    }

    /// The bits of a key: a word and a mask in it, four times.
    fn bits(&self, key: &CallKey) -> impl Iterator<Item = (&AtomicU64, u64)> {
        let (parts, _) = key.bytes().as_chunks::<8>();
        parts.iter().filter_map(|part| {
            let bit = u64::from_le_bytes(*part) % BITS;
            let word = self.words.get(usize::try_from(bit / 64).ok()?)?;
            Some((word, 1 << (bit % 64)))
        })
    }

    fn add(&self, key: &CallKey) {
        for (word, mask) in self.bits(key) {
            word.fetch_or(mask, Ordering::Relaxed);
        }
    }

    fn has(&self, key: &CallKey) -> bool {
        self.bits(key).all(|(word, mask)| word.load(Ordering::Relaxed) & mask != 0)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.made.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn is_trusted(&self) -> bool {
        let age = self.now().saturating_sub(self.seen.load(Ordering::Acquire));
        !self.is_given_up.load(Ordering::Acquire) && u128::from(age) <= TRUSTED.as_micros()
    }
}

/// The side of the filter that the committing thread has.
#[derive(Debug)]
pub(super) struct Clerk {
    known: Arc<Known>,
    /// Entries written so far.
    written: u64,
    progress: Progress,
}

#[derive(Debug)]
enum Progress {
    NotBegun,
    /// Made; of the keys that were there before, those up to this one are in it.
    Reading(Open, Vec<u8>),
    Whole(Open),
    GivenUp,
}

/// A filter that holds as long as the database has this version for the connection that writes: others change it.
#[derive(Debug, Clone)]
struct Open {
    filter: Arc<Filter>,
    version: i64,
}

impl Clerk {
    pub(super) fn new(known: Arc<Known>) -> Self {
        Self { known, written: 0, progress: Progress::NotBegun }
    }

    /// Takes in what is about to be written, within the transaction that will: nobody else writes meanwhile.
    pub(super) fn note<'e>(&mut self, transaction: &Connection, entries: impl ExactSizeIterator<Item = &'e Entry>) {
        self.written = self.written.saturating_add(entries.len() as u64);
        let is_new = matches!(self.progress, Progress::NotBegun);
        if (is_new && self.written < WORTH_IT) || matches!(self.progress, Progress::GivenUp) {
            return;
        }
        let version = version(transaction).ok();
        if let (true, Some(version)) = (is_new, version) {
            let open = Open { filter: Arc::new(Filter::new()), version };
            self.progress = Progress::Reading(open, Vec::new());
        }
        let (Progress::Reading(open, _) | Progress::Whole(open)) = &self.progress else { return };
        if version != Some(open.version) {
            open.filter.is_given_up.store(true, Ordering::Release);
            self.progress = Progress::GivenUp;
            return;
        }
        for entry in entries {
            if let Entry::Attempt(_, record) = entry {
                open.filter.add(&record.asked.key);
            }
        }
        open.filter.seen.store(open.filter.now(), Ordering::Release);
    }

    /// Reads some more of the keys that were there before, until all are in the filter. Where they can't be read there is
    /// no filter: who needs what is there is told what is wrong.
    pub(super) fn read_on(&mut self, connection: &Connection) {
        if self.read(connection).is_err() {
            self.progress = Progress::GivenUp;
        }
    }

    fn read(&mut self, connection: &Connection) -> Result<()> {
        let Progress::Reading(open, last) = &mut self.progress else { return Ok(()) };
        let mut statement = connection.prepare_cached("SELECT key FROM calls WHERE key > ? ORDER BY key LIMIT ?")?;
        let mut rows = statement.query((&*last, SLICE))?;
        let (mut read, mut latest) = (0_u32, None);
        while let Some(row) = rows.next()? {
            let key: [u8; 32] = row.get(0)?;
            open.filter.add(&CallKey::from_bytes(key));
            (read, latest) = (read + 1, Some(key));
        }
        if let Some(key) = latest {
            *last = key.to_vec();
        }
        if read < SLICE {
            let open = open.clone();
            // Nobody else sets it.
            self.known.whole.set(Arc::clone(&open.filter)).ok();
            self.progress = Progress::Whole(open);
        }
        Ok(())
    }
}

/// Changes when another connection has written, and not when this one has
/// (<https://sqlite.org/pragma.html#pragma_data_version>).
fn version(connection: &Connection) -> Result<i64> {
    connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::folder::Store;
    use super::super::runs::{NewRun, RunId};
    use super::super::sample::{answered, asked};
    use super::*;
    use crate::model::Json;

    fn begun(store: &Store, name: &str) -> RunId {
        let (name, pipeline, began) = (name.to_owned(), "p".to_owned(), jiff::Timestamp::UNIX_EPOCH);
        store.begin(NewRun { name, goes_on: None, pipeline, began, about: Json::Null }).unwrap()
    }

    fn keep(store: &Store, run: RunId, prompt: &str) {
        futures::executor::block_on(store.keep(run, answered(prompt, "yes", 0, 1))).unwrap();
    }

    fn has(store: &Store, prompt: &str) -> bool {
        store.look_up(&asked(prompt), None).unwrap().answer.is_some()
    }

    /// A store with calls of an earlier time, and with as many of now as make a filter worth it.
    fn filtered(folder: &std::path::Path) -> (Store, RunId) {
        let before = Store::open(folder).unwrap();
        let run = begun(&before, "before");
        for number in 0..2_500 {
            before.note(run, answered(&format!("before {number}"), "yes", 0, 1));
        }
        drop(before);
        let store = Store::open(folder).unwrap();
        let run = begun(&store, "now");
        for number in 0..WORTH_IT {
            store.note(run, answered(&format!("now {number}"), "yes", 0, 1));
        }
        for more in 0..3 {
            keep(&store, run, &format!("more {more}"));
        }
        (store, run)
    }

    #[test]
    fn what_is_there_is_found_whether_it_was_there_before_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = filtered(folder.path());
        let filter = store.known().whole.get().expect("all keys are read");
        for (name, count) in [("before", 2_500), ("now", WORTH_IT), ("more", 3)] {
            for prompt in (0..count).map(|number| format!("{name} {number}")) {
                assert!(filter.has(&asked(&prompt).key) && has(&store, &prompt), "{prompt}");
            }
        }
        let wrong = (0..1_000).filter(|number| filter.has(&asked(&format!("never {number}")).key)).count();
        assert!(wrong < 5, "it denies what was never there: {wrong}");
        assert!(!has(&store, "never 1"));
    }

    #[test]
    fn it_is_given_up_when_somebody_else_has_written() {
        let folder = tempfile::tempdir().unwrap();
        let (store, run) = filtered(folder.path());
        let other = Store::open(folder.path()).unwrap();
        let others = begun(&other, "other");
        keep(&other, others, "theirs");
        keep(&store, run, "mine");
        assert!(!store.known().can_tell() && has(&store, "theirs") && has(&store, "mine"));
        assert!(has(&other, "mine"), "they look where nothing is filtered");
    }

    #[test]
    fn it_is_not_trusted_for_long() {
        let mut late = Filter::new();
        late.made = late.made.checked_sub(TRUSTED * 2).expect("this machine has run for longer");
        let known = Known::default();
        known.whole.set(Arc::new(late)).unwrap();
        assert!(known.may_have(&asked("anything").key));
    }

    proptest! {
        #[test]
        fn nothing_that_was_added_is_denied(keys in proptest::collection::vec(any::<[u8; 32]>(), 1..200)) {
            let filter = Filter::new();
            let keys: Vec<CallKey> = keys.into_iter().map(CallKey::from_bytes).collect();
            for key in &keys {
                filter.add(key);
            }
            prop_assert!(keys.iter().all(|key| filter.has(key)));
        }
    }
}
