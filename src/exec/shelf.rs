//! Values that are reached from afar: collected, needed in a later pass, or returned. What is kept here of a stage does
//! not grow with its items; how these ended is held in memory or on the disk ([`Held`]).

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{End, SkipReason};
use crate::plan::{Shelving, StageIx};
use crate::store::{Held, StoreError};

use super::collection::{Collection, Collections};
use super::cursor::CursorId;
use super::frame::InstanceId;
use super::path_set::PathSet;

/// A position: the index in each loop, outermost first.
pub(super) type Path = Arc<[u64]>;

/// Who waits for a stage to be complete under a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiter {
    Instance(InstanceId),
    Cursor(CursorId),
}

/// The shelf of one stage.
#[derive(Debug)]
pub(super) struct Shelf {
    stage: StageIx,
    held: Arc<Held>,
    complete: PathSet,
    waiters: HashMap<Path, Vec<Waiter>>,
    /// Whether there are paths under which there are no instances at all, since the list of their loop is absent. The
    /// reason is held at such a path, which is shorter than that of any instance.
    has_barren: bool,
    /// Whether conversations are held with the values.
    with_talk: bool,
    /// Where each consumer is complete.
    consumed: Vec<(StageIx, PathSet)>,
    collections: Collections,
}

impl Shelf {
    pub(super) fn new(stage: StageIx, shelving: &Shelving, held: Arc<Held>) -> Self {
        Self {
            stage,
            held,
            complete: PathSet::default(),
            waiters: HashMap::new(),
            has_barren: false,
            with_talk: shelving.with_talk,
            consumed: shelving.consumers.iter().map(|consumer| (*consumer, PathSet::default())).collect(),
            collections: Collections::default(),
        }
    }

    pub(super) fn put(&mut self, path: &Path, end: &End) -> Result<(), StoreError> {
        // Consumers that have no instances there are complete before this is.
        if self.is_consumed(path) {
            return Ok(());
        }
        match end {
            End::Said(value, _) if !self.with_talk => self.held.put(self.stage.0, path, &End::Value(value.clone())),
            end => self.held.put(self.stage.0, path, end),
        }
    }

    pub(super) fn get(&self, path: &[u64]) -> Result<Option<End>, StoreError> {
        self.held.get(self.stage.0, path)
    }

    /// The values under a path. Whoever names those under a path that is complete shares them.
    pub(super) fn collect(&mut self, under: &[u64]) -> Arc<Collection> {
        if let Some(known) = self.collections.get(under) {
            return known;
        }
        let path: Path = under.into();
        let collection = Arc::new(Collection::new(self.held.clone(), self.stage, path.clone()));
        if self.is_complete(under) {
            self.collections.add(path, &collection);
        }
        collection
    }

    /// Marks the stage as complete under a path, and gives those who waited for that.
    pub(super) fn complete(&mut self, path: &Path) -> Vec<Waiter> {
        self.complete.insert(path);
        self.waiters.remove(path).unwrap_or_default()
    }

    pub(super) fn is_complete(&self, path: &[u64]) -> bool {
        self.complete.contains(path)
    }

    pub(super) fn wait(&mut self, path: &[u64], waiter: Waiter) {
        self.waiters.entry(path.into()).or_default().push(waiter);
    }

    pub(super) fn set_barren(&mut self, path: &Path, reason: &SkipReason) -> Result<(), StoreError> {
        self.has_barren = true;
        self.put(path, &End::Absent(reason.clone()))
    }

    /// Why there are no instances under a path, if that is so. It is the path of a list, and not of an instance.
    pub(super) fn barren(&self, path: &[u64]) -> Result<Option<SkipReason>, StoreError> {
        if !self.has_barren {
            return Ok(None);
        }
        Ok(match self.get(path)? {
            Some(End::Absent(reason)) => Some(reason),
            Some(End::Value(_) | End::Said(..)) | None => None,
        })
    }

    /// Notes that a consumer is complete under a path; when all are, what lies under it is dropped.
    pub(super) fn consume(&mut self, path: &Path, consumer: StageIx) -> Result<(), StoreError> {
        let of_consumer = self.consumed.iter_mut().filter(|(one, _)| *one == consumer);
        of_consumer.for_each(|(_, consumed)| consumed.insert(path));
        if self.is_consumed(path) { self.held.forget(self.stage.0, path) } else { Ok(()) }
    }

    /// Whether nobody needs what lies under a path any more. Without consumers it is held for the outputs.
    fn is_consumed(&self, path: &[u64]) -> bool {
        !self.consumed.is_empty() && self.consumed.iter().all(|(_, consumed)| consumed.contains(path))
    }
}

#[cfg(test)]
mod tests {
    use crate::model::{Json, Value};

    use super::*;

    fn text(text: &str) -> End {
        End::Value(Value::Text(text.into()))
    }

    /// A shelf of stage 0 with two consumers, which holds nothing in memory.
    fn shelf(folder: &tempfile::TempDir) -> Shelf {
        let shelving =
            Shelving { consumers: vec![StageIx(1), StageIx(2)], len: 1, to_the_end: false, with_talk: false };
        Shelf::new(StageIx(0), &shelving, Arc::new(Held::new(folder.path().join("held"), 0)))
    }

    async fn values(shelf: &mut Shelf, under: &[u64]) -> Json {
        shelf.collect(under).read().await.unwrap().clone()
    }

    #[tokio::test]
    async fn values_come_in_item_order_and_only_from_under_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let mut shelf = shelf(&folder);
        for (path, value) in [(vec![1, 0], "c"), (vec![0, 1], "b"), (vec![0, 0], "a"), (vec![10, 0], "d")] {
            shelf.put(&path.into(), &text(value)).unwrap();
        }
        shelf.put(&[5, 0].into(), &End::Absent(SkipReason::When)).unwrap();
        assert_eq!(values(&mut shelf, &[]).await, serde_json::json!(["a", "b", "c", "d"]));
        assert_eq!(values(&mut shelf, &[0]).await, serde_json::json!(["a", "b"]));
        assert_eq!(values(&mut shelf, &[1]).await, serde_json::json!(["c"]));
    }

    #[tokio::test]
    async fn values_go_when_all_consumers_are_complete() {
        let folder = tempfile::tempdir().unwrap();
        let mut shelf = shelf(&folder);
        shelf.put(&[0, 0].into(), &text("a")).unwrap();
        shelf.put(&[1, 0].into(), &text("b")).unwrap();
        shelf.consume(&[0].into(), StageIx(1)).unwrap();
        assert_eq!(values(&mut shelf, &[]).await, serde_json::json!(["a", "b"]));
        shelf.consume(&[0].into(), StageIx(2)).unwrap();
        assert_eq!(values(&mut shelf, &[]).await, serde_json::json!(["b"]));
        shelf.put(&[0, 1].into(), &text("late")).unwrap();
        assert_eq!(values(&mut shelf, &[]).await, serde_json::json!(["b"]), "nobody is left who would want it");
    }

    #[tokio::test]
    async fn a_complete_collection_is_shared_as_long_as_somebody_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut shelf = shelf(&folder);
        shelf.put(&[0].into(), &text("a")).unwrap();
        let early = shelf.collect(&[]);
        early.read().await.unwrap();
        shelf.put(&[1].into(), &text("b")).unwrap();
        shelf.complete(&[].into());
        let one = shelf.collect(&[]);
        assert_eq!(*one.read().await.unwrap(), serde_json::json!(["a", "b"]), "it is not the one of before its end");
        assert!(Arc::ptr_eq(&one, &shelf.collect(&[])));
        drop(one);
        assert!(shelf.collect(&[]).list().is_none(), "it was dropped, and is read again");
    }

    #[test]
    fn a_list_that_is_absent_is_no_instance() {
        let folder = tempfile::tempdir().unwrap();
        let mut shelf = shelf(&folder);
        assert_eq!(shelf.barren(&[0]).unwrap(), None);
        shelf.set_barren(&[0].into(), &SkipReason::When).unwrap();
        shelf.put(&[1, 0].into(), &text("a")).unwrap();
        assert_eq!(shelf.barren(&[0]).unwrap(), Some(SkipReason::When));
        assert_eq!(shelf.barren(&[1]).unwrap(), None);
    }
}
