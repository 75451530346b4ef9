//! Runs: when they began and ended, and what became of their instances.

use jiff::Timestamp;

use crate::model::{AnswerId, AttemptRecord, Failure, ItemRef, Json, Spent};

use super::committer::{Entry, Told};
use super::error::StoreError;
use super::folder::Store;

/// A run, by its place among all of its store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(pub i64);

/// A run that is about to begin.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRun {
    /// Its name, which no other run has.
    pub name: String,
    /// The first run of the line that it goes on with, if it does.
    pub goes_on: Option<RunId>,
    /// The pipeline's name.
    pub pipeline: String,
    /// When it begins.
    pub began: Timestamp,
    /// What it takes to run it again; the store does not look into it.
    pub about: Json,
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEnd {
    /// When.
    pub at: Timestamp,
    /// How; the store does not look into it.
    pub outcome: Json,
    /// What became of each stage; the store does not look into it.
    pub stages: Json,
}

/// What is worth keeping of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstanceState {
    /// It failed.
    Failed,
    /// It failed, and a value stands in for it.
    Replaced,
    /// It was skipped.
    Skipped,
}

impl InstanceState {
    /// As it is written down and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Replaced => "replaced",
            Self::Skipped => "skipped",
        }
    }

    /// The state written so.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Failed, Self::Replaced, Self::Skipped].into_iter().find(|state| state.name() == name)
    }
}

/// An instance that did not come out.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceRecord {
    /// Which.
    pub item: ItemRef,
    /// What became of it.
    pub state: InstanceState,
    /// Why: a failure, or the reason of a skip, as JSON.
    pub why: Json,
    /// Requests sent for it.
    pub attempts: u32,
}

impl Store {
    /// Writes down that a run begins, and gives its number once that is safe. Waits for the disk.
    ///
    /// # Errors
    /// The store can't be written.
    pub fn begin(&self, run: NewRun) -> Result<RunId, StoreError> {
        // It is the thread that commits which is waited for, and no task.
        futures::executor::block_on(self.handed(Entry::Begin(run))).map(RunId)
    }

    /// Writes down that a request is about to be sent, and the most that it can take, and gives the number under which that
    /// is counted until the request itself is written down. When this returns, it is safe.
    ///
    /// # Errors
    /// The store can't be written.
    pub async fn sending(&self, run: RunId, worst: Spent) -> Result<i64, StoreError> {
        self.handed(Entry::Sending(run, worst)).await
    }

    /// Writes down a request that was sent, with its answer. When this returns, it is safe.
    ///
    /// # Errors
    /// The store can't be written; the answer is not kept.
    pub async fn keep(&self, run: RunId, attempt: AttemptRecord) -> Result<i64, StoreError> {
        self.handed(Entry::Attempt(run, Box::new(attempt))).await
    }

    /// The same without waiting: for what is no answer. What could not be kept is told to the next who waits.
    pub fn note(&self, run: RunId, attempt: AttemptRecord) {
        self.hand(Entry::Attempt(run, Box::new(attempt)));
    }

    /// Writes down beside an answer why it was not taken, without waiting. It stays an answer: the checks may change.
    pub fn note_verdict(&self, answer: AnswerId, failure: &Failure) {
        // The whole answer is there already.
        let failure = Failure { partial: None, usage: None, ..failure.clone() };
        self.hand(Entry::Verdict(answer, Box::new(failure)));
    }

    /// Writes down what became of an instance. What comes back is over when that has been tried; nobody has to wait for it.
    pub fn note_instance(
        &self,
        run: RunId,
        instance: InstanceRecord,
    ) -> impl Future<Output = ()> + Send + Sync + use<> {
        let told = self.hand(Entry::Instance(run, Box::new(instance)));
        async {
            if let Some(told) = told {
                told.await.ok();
            }
        }
    }

    /// Writes down how a run ended. Everything that was handed over before is safe when this returns.
    ///
    /// # Errors
    /// The store can't be written.
    pub async fn end(&self, run: RunId, end: RunEnd) -> Result<(), StoreError> {
        self.handed(Entry::End(run, Box::new(end))).await.map(drop)
    }

    /// The same without waiting: it is safe once the last clone of the store is gone.
    pub fn note_end(&self, run: RunId, end: RunEnd) {
        self.hand(Entry::End(run, Box::new(end)));
    }

    fn hand(&self, entry: Entry) -> Option<Told> {
        self.committer().ok().map(|committer| committer.hand(entry))
    }

    async fn handed(&self, entry: Entry) -> Result<i64, StoreError> {
        let told = self.committer()?.hand(entry);
        let gone = |_| StoreError::new("the thread that keeps answers has ended", "please report it");
        told.await.unwrap_or_else(|error| Err(gone(error)))
    }
}
