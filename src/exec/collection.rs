//! All values of a stage under one path, which an instance sees as a list.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use tokio::sync::OnceCell;

use crate::model::{Failure, FailureKind, Json};
use crate::plan::StageIx;
use crate::store::Held;

use super::shelf::Path;

/// A list, in item order; skipped and failed instances are left out. It is read when the first that sees it runs, and
/// goes with the last.
#[derive(Debug)]
pub(super) struct Collection {
    held: Arc<Held>,
    stage: StageIx,
    under: Path,
    list: OnceCell<Json>,
}

impl Collection {
    pub(super) fn new(held: Arc<Held>, stage: StageIx, under: Path) -> Self {
        Self { held, stage, under, list: OnceCell::new() }
    }

    /// The list, once it was read.
    pub(super) fn list(&self) -> Option<&Json> {
        self.list.get()
    }

    /// Reads it, if nobody has. What lies on the disk is read on a thread for that.
    ///
    /// # Errors
    /// It can't be read.
    pub(super) async fn read(&self) -> Result<&Json, Failure> {
        let read = async || {
            let (held, stage, under) = (self.held.clone(), self.stage, self.under.clone());
            if held.is_in_memory() {
                return values(&held, stage, &under);
            }
            let read = tokio::task::spawn_blocking(move || values(&held, stage, &under)).await;
            read.unwrap_or_else(|_| Err(Failure::new(FailureKind::Internal, "reading held values failed")))
        };
        self.list.get_or_try_init(read).await
    }

    /// Whether it was read, and nothing is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.list().and_then(Json::as_array).is_some_and(Vec::is_empty)
    }

    pub(super) fn stage(&self) -> StageIx {
        self.stage
    }
}

fn values(held: &Held, stage: StageIx, under: &[u64]) -> Result<Json, Failure> {
    let mut values = Vec::new();
    for end in held.under(stage.0, under) {
        let (_, end) = end?;
        if let Ok(value) = end.value() {
            values.push(value.into_json());
        }
    }
    Ok(Json::Array(values))
}

/// Collections that somebody names, so that others share them.
#[derive(Debug, Default)]
pub(super) struct Collections {
    known: HashMap<Path, Weak<Collection>>,
    /// At so many it is time to look for those that nobody names any more.
    sweep_at: usize,
}

impl Collections {
    pub(super) fn get(&self, under: &[u64]) -> Option<Arc<Collection>> {
        self.known.get(under).and_then(Weak::upgrade)
    }

    pub(super) fn add(&mut self, under: Path, collection: &Arc<Collection>) {
        if self.known.len() >= self.sweep_at {
            self.known.retain(|_, collection| collection.strong_count() > 0);
            self.sweep_at = self.known.len() * 2 + 64;
        }
        self.known.insert(under, Arc::downgrade(collection));
    }
}
