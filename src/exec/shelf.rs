//! Values that are reached from afar: collected, needed in a later pass, or returned. Held in memory, in item order.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::{SkipReason, Value};

use super::cursor::CursorId;
use super::frame::{End, InstanceId};

/// A position: the index in each loop, outermost first.
pub(super) type Path = Arc<[u64]>;

/// Who waits for a stage to be complete under a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiter {
    Instance(InstanceId),
    Cursor(CursorId),
}

/// The shelf of one stage.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    ends: BTreeMap<Path, End>,
    complete: BTreeSet<Path>,
    waiters: HashMap<Path, Vec<Waiter>>,
    /// Paths under which there are no instances at all, since the list of their loop is absent.
    barren: BTreeMap<Path, SkipReason>,
    /// How many consumers are complete under a path.
    consumed: HashMap<Path, usize>,
    /// Values that were collected under a path which is complete: whoever collects them again shares them.
    collected: Mutex<BTreeMap<Path, Arc<[Value]>>>,
}

impl Shelf {
    pub(super) fn put(&mut self, path: &Path, end: &End) {
        self.ends.insert(path.clone(), end.clone());
    }

    pub(super) fn get(&self, path: &[u64]) -> Option<&End> {
        self.ends.get(path)
    }

    /// The values under a path, in item order; skipped and failed instances are left out.
    pub(super) fn collect(&self, under: &[u64]) -> Arc<[Value]> {
        let mut collected = self.collected.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = collected.get(under) {
            return known.clone();
        }
        let value = |(_, end): (&Path, &End)| if let End::Value(value) = end { Some(value.clone()) } else { None };
        let values: Arc<[Value]> = self.under(under).filter_map(value).collect();
        if self.is_complete(under) {
            collected.insert(under.into(), values.clone());
        }
        values
    }

    fn under<'a>(&'a self, under: &'a [u64]) -> impl Iterator<Item = (&'a Path, &'a End)> {
        self.ends.range::<[u64], _>(from(under)).take_while(move |(path, _)| path.starts_with(under))
    }

    /// Marks the stage as complete under a path, and gives those who waited for that.
    pub(super) fn complete(&mut self, path: &Path) -> Vec<Waiter> {
        self.complete.insert(path.clone());
        self.waiters.remove(path).unwrap_or_default()
    }

    pub(super) fn is_complete(&self, path: &[u64]) -> bool {
        self.complete.contains(path)
    }

    pub(super) fn wait(&mut self, path: &[u64], waiter: Waiter) {
        self.waiters.entry(path.into()).or_default().push(waiter);
    }

    pub(super) fn set_barren(&mut self, path: &Path, reason: &SkipReason) {
        self.barren.insert(path.clone(), reason.clone());
    }

    pub(super) fn barren(&self, path: &[u64]) -> Option<&SkipReason> {
        self.barren.get(path)
    }

    /// Counts a consumer that is complete under a path; when all are, what lies under it is dropped.
    pub(super) fn consume(&mut self, path: &Path, consumers: usize) {
        let count = self.consumed.entry(path.clone()).or_insert(0);
        *count += 1;
        if *count < consumers {
            return;
        }
        self.consumed.remove(path);
        drop_under(&mut self.ends, path);
        drop_under(&mut self.barren, path);
        drop_under(self.collected.get_mut().unwrap_or_else(PoisonError::into_inner), path);
        let complete = self.complete.range::<[u64], _>(from(path));
        let gone: Vec<Path> = complete.take_while(|one| one.starts_with(path)).cloned().collect();
        for one in gone {
            self.complete.remove(&one);
        }
    }
}

/// From this path on, itself included.
fn from(path: &[u64]) -> (Bound<&[u64]>, Bound<&[u64]>) {
    (Bound::Included(path), Bound::Unbounded)
}

fn drop_under<T>(map: &mut BTreeMap<Path, T>, path: &[u64]) {
    let gone: Vec<Path> = map
        .range::<[u64], _>(from(path))
        .map(|(one, _)| one)
        .take_while(|one| one.starts_with(path))
        .cloned()
        .collect();
    for one in gone {
        map.remove(&one);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> End {
        End::Value(Value::Text(text.into()))
    }

    #[test]
    fn values_come_in_item_order_and_only_from_under_the_path() {
        let mut shelf = Shelf::default();
        for (path, value) in [(vec![1, 0], "c"), (vec![0, 1], "b"), (vec![0, 0], "a"), (vec![10, 0], "d")] {
            shelf.put(&path.into(), &text(value));
        }
        let values = |under: &[u64]| -> Vec<String> {
            shelf.collect(under).iter().map(|value| value.to_json().as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(values(&[]), ["a", "b", "c", "d"]);
        assert_eq!(values(&[0]), ["a", "b"]);
        assert_eq!(values(&[1]), ["c"]);
    }

    #[test]
    fn values_go_when_all_consumers_are_complete() {
        let mut shelf = Shelf::default();
        shelf.put(&[0, 0].into(), &text("a"));
        shelf.put(&[1, 0].into(), &text("b"));
        shelf.consume(&[0].into(), 2);
        assert_eq!(shelf.collect(&[]).len(), 2);
        shelf.consume(&[0].into(), 2);
        assert_eq!(shelf.collect(&[]).len(), 1);
    }
}
