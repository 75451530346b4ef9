//! What is known of an item of a stage in a run.

use crate::model::LaneRef;
use crate::store::{KeptAttempt, KeptInstance, KeptRun, Store, StoreError};

/// All of it, as text and JSON show it.
#[derive(Debug)]
pub(super) struct ItemHistory {
    /// What became of it, if it did not come out.
    pub(super) instance: Option<KeptInstance>,
    /// Each request that the run sent for it.
    pub(super) attempts: Vec<KeptAttempt>,
    /// Where it sent none: the latest answer that an earlier run of the pipeline had for it.
    pub(super) kept: Option<KeptAttempt>,
}

impl ItemHistory {
    /// That of an item by its key; a stage outside of loops has one item, which is called as the stage is.
    ///
    /// # Errors
    /// The store can't be read.
    pub(super) fn of(store: &Store, run: &KeptRun, stage: &str, name: &str) -> Result<Self, StoreError> {
        let mut instance: Option<KeptInstance> = None;
        store.instances(run.id, Some(stage), |one| {
            if is_called(&one, name) {
                instance = Some(one);
            }
        })?;
        let mut attempts = store.attempts(run.id, stage, Some(name))?;
        if attempts.is_empty() && name == stage {
            attempts = store.attempts(run.id, stage, None)?;
        }
        let mut kept = None;
        // What was skipped or failed without a request has no answer.
        if attempts.is_empty() && instance.is_none() {
            kept = store.earlier_answer(run, stage, Some(name))?;
            if kept.is_none() && name == stage {
                kept = store.earlier_answer(run, stage, None)?;
            }
        }
        Ok(Self { instance, attempts, kept })
    }

    /// Who gave the answer that was taken, in this run or in the earlier one.
    pub(super) fn lane(&self) -> Option<&LaneRef> {
        if self.instance.is_some() {
            return None;
        }
        let mut answers = self.attempts.iter().chain(&self.kept).rev();
        answers.find(|attempt| attempt.failure.is_none()).map(|attempt| &attempt.lane)
    }
}

fn is_called(one: &KeptInstance, name: &str) -> bool {
    one.item.as_deref().unwrap_or(&one.stage) == name
}
