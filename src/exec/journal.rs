//! What a run writes down of itself in the store: instances that did not come out, and its end.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::to_value;

use crate::model::{EventKind, Failure, Json, RunOutcome, StageTally};
use crate::store::{InstanceRecord, InstanceState, KeptStdin, RunEnd, RunId, RunLock, Store};

/// The store, as a run writes to it.
#[derive(Debug)]
pub struct Journal {
    store: Store,
    run: RunId,
    name: Arc<str>,
    /// Says that the run is going on.
    _lock: RunLock,
}

impl Journal {
    /// Of this run, which has begun.
    pub fn new(store: Store, (run, name): (RunId, Arc<str>), lock: RunLock) -> Self {
        Self { store, run, name, _lock: lock }
    }

    /// The store's folder, as it was named.
    pub(super) fn place(&self) -> Arc<str> {
        self.store.folder().display().to_string().into()
    }

    /// Where standard input is kept, should it be a list.
    pub(super) fn stdin(&self) -> KeptStdin {
        self.store.stdin_of(&self.name)
    }

    /// Writes down what a person will ask for later. What came out is known by its answer.
    pub(super) fn note(&self, event: &EventKind) {
        let (item, state, why, attempts) = match event {
            EventKind::Failed { item, attempts, failure, .. } => {
                (item, InstanceState::Failed, json(failure), *attempts)
            }
            EventKind::Replaced { item, attempts, failure, .. } => {
                (item, InstanceState::Replaced, json(failure), *attempts)
            }
            EventKind::Skipped { item, reason } => (item, InstanceState::Skipped, json(reason), 0),
            _ => return,
        };
        self.store.note_instance(self.run, InstanceRecord { item: item.clone(), state, why, attempts });
    }

    /// Writes down the end. When this returns, everything that was written down before is safe.
    pub(super) async fn end(&self, outcome: &RunOutcome, stages: &[(Arc<str>, StageTally)]) -> Result<(), Failure> {
        let end = RunEnd { at: Timestamp::now(), outcome: json(outcome), stages: json(&stages) };
        self.store.end(self.run, end).await?;
        // Nobody goes on with what is done.
        if *outcome == RunOutcome::Done {
            self.store.forget_stdin(self.run)?;
        }
        Ok(())
    }
}

fn json(value: &impl serde::Serialize) -> Json {
    to_value(value).unwrap_or_default()
}
