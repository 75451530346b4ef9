//! A store, as a program without a pipeline uses it: under a run of its own, so that people can look at what was asked.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use jiff::Timestamp;
use serde_json::json;

use crate::model::{RunOutcome, StageTally};
use crate::store::{NewRun, RunEnd, RunId, RunLock, Store};

use super::super::{Answer, Keep, StoreKeep, Unanswered};
use super::Error;
use super::blossom::STAGE;

/// A run that goes on as long as its client does.
#[derive(Debug)]
pub(super) struct OpenedRun {
    store: Store,
    run: RunId,
    /// Says that it goes on.
    _lock: RunLock,
    done: AtomicU64,
    reused: AtomicU64,
    failed: AtomicU64,
}

impl OpenedRun {
    /// Opens the store in a folder, or makes one there.
    pub(super) fn open(folder: &Path) -> Result<(Self, Arc<dyn Keep>), Error> {
        let store = Store::open(folder).map_err(|error| Error::from(crate::model::Failure::from(error)))?;
        let began = Timestamp::now();
        let name = new_name(began);
        let opened = store.lock(&name).and_then(|lock| {
            // Nobody can go on with it: the program knows what comes next, and no file does.
            let about = json!({ "program": true });
            let run = NewRun { name, goes_on: None, pipeline: STAGE.to_owned(), began, about };
            Ok((lock, store.begin(run)?))
        });
        let (lock, run) = opened.map_err(|error| Error::from(crate::model::Failure::from(error)))?;
        // Another take is another one than all that are kept, those of this client too.
        let keep = StoreKeep::new(store.clone(), run, NO_LINE);
        let (done, reused, failed) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        Ok((Self { store, run, _lock: lock, done, reused, failed }, Arc::new(keep)))
    }

    /// Counts what a question came to.
    pub(super) fn count(&self, outcome: &Result<Answer, Unanswered>) {
        let counted = match outcome {
            Ok(answer) if answer.kept => &self.reused,
            Ok(_) => &self.done,
            Err(_) => &self.failed,
        };
        counted.fetch_add(1, Relaxed);
    }
}

/// A line of runs that there is not.
const NO_LINE: RunId = RunId(0);

impl Drop for OpenedRun {
    fn drop(&mut self) {
        let [done, reused, failed] = [&self.done, &self.reused, &self.failed].map(|count| count.load(Relaxed));
        let tally = StageTally { instances: done + reused + failed, done, reused, failed, ..StageTally::default() };
        let outcome = if failed == 0 { RunOutcome::Done } else { RunOutcome::Failed };
        let stages = json!([(STAGE, tally)]);
        let outcome = serde_json::to_value(outcome).unwrap_or_default();
        self.store.note_end(self.run, RunEnd { at: Timestamp::now(), outcome, stages });
    }
}

/// A name that sorts by time, and that no other run has.
fn new_name(now: Timestamp) -> String {
    let tail: String = std::iter::repeat_with(fastrand::alphanumeric).map(|c| c.to_ascii_lowercase()).take(4).collect();
    format!("{}-{tail}", now.strftime("%Y%m%d-%H%M%S"))
}
