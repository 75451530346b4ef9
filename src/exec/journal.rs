//! What a run writes down of itself in the store: instances that did not come out, and its end.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::to_value;

use crate::model::{EventKind, Failure, Json, RunOutcome, StageTally};
use crate::store::{InstanceRecord, InstanceState, KeptStdin, RunEnd, RunId, RunLock, Store};

/// So many notes are handed over before it is looked whether the ones before them are safe.
const TOGETHER: u32 = 1024;

/// The store, as a run writes to it.
#[derive(Debug)]
pub struct Journal {
    store: Store,
    run: RunId,
    name: Arc<str>,
    behind: Behind<Pin<Box<dyn Future<Output = ()> + Send + Sync>>>,
    /// Says that the run is going on.
    _lock: RunLock,
}

impl Journal {
    /// Of this run, which has begun.
    pub fn new(store: Store, (run, name): (RunId, Arc<str>), lock: RunLock) -> Self {
        Self { store, run, name, behind: Behind::new(TOGETHER), _lock: lock }
    }

    /// The store's folder, as it was named.
    pub(super) fn place(&self) -> Arc<str> {
        self.store.folder().display().to_string().into()
    }

    /// Where standard input is kept, should it be a list.
    pub(super) fn stdin(&self) -> KeptStdin {
        self.store.stdin_of(&self.name)
    }

    /// Writes down what a person will ask for later. What came out is known by its answer. Waits where the store is too far
    /// behind: items that are skipped can be more than memory has room for.
    pub(super) async fn note(&mut self, event: &EventKind) {
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
        let record = InstanceRecord { item: item.clone(), state, why, attempts };
        self.behind.follow(Box::pin(self.store.note_instance(self.run, record))).await;
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

/// What is on its way and not safe yet: of each so many the last is remembered, and waited for when the next so many
/// are handed over, so that never more than twice as many are open.
struct Behind<F> {
    most: u32,
    since: u32,
    last: Option<F>,
}

impl<F> fmt::Debug for Behind<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Behind").field("most", &self.most).field("since", &self.since).finish_non_exhaustive()
    }
}

impl<F: Future<Output = ()>> Behind<F> {
    fn new(most: u32) -> Self {
        Self { most, since: 0, last: None }
    }

    /// One more that ends in its turn.
    async fn follow(&mut self, one: F) {
        self.since += 1;
        if self.since < self.most {
            return;
        }
        self.since = 0;
        if let Some(earlier) = self.last.replace(one) {
            earlier.await;
        }
    }
}

fn json(value: &impl serde::Serialize) -> Json {
    to_value(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use futures::channel::oneshot;

    use super::*;

    #[test]
    fn whoever_is_too_far_ahead_waits_for_those_before() {
        let mut behind = Behind::new(4);
        let mut open = Vec::new();
        let mut next = || {
            let (end, told) = oneshot::channel::<()>();
            open.push(end);
            told.map(drop)
        };
        for _ in 0..7 {
            assert!(behind.follow(next()).now_or_never().is_some(), "fewer than eight are open");
        }
        let mut eighth = behind.follow(next()).boxed_local();
        assert!((&mut eighth).now_or_never().is_none(), "the fourth is not safe");
        drop(open.remove(3));
        assert!((&mut eighth).now_or_never().is_some());
    }
}
