//! Paths that something holds for, with all that lies under them.

use std::collections::BTreeMap;

use super::shelf::Path;

/// A set of paths (the index in each loop, outermost first). A path that is in it has everything under it in it, so
/// that nothing of that is kept; and neighbours are kept as a run. What is filled roughly in order takes no memory to
/// speak of, however long it is.
#[derive(Debug, Default, Clone)]
pub(super) struct PathSet {
    /// The empty path is in it, and with it all.
    all: bool,
    /// By the path around them, runs of last indices: from the first one to the one behind the last.
    runs: BTreeMap<Path, BTreeMap<u64, u64>>,
}

impl PathSet {
    /// Adds a path and all that lies under it.
    pub(super) fn insert(&mut self, path: &[u64]) {
        if self.contains(path) {
            return;
        }
        let Some((&index, around)) = path.split_last() else {
            self.all = true;
            self.runs.clear();
            return;
        };
        while let Some(under) = self.first_from(path).filter(|under| under.starts_with(path)) {
            self.runs.remove(&under);
        }
        if !self.runs.contains_key(around) {
            self.runs.insert(around.into(), BTreeMap::new());
        }
        let Some(runs) = self.runs.get_mut(around) else { return };
        let before = runs.range(..index).next_back().filter(|(_, end)| **end == index).map(|(start, _)| *start);
        let end = index.checked_add(1).and_then(|next| runs.remove(&next)).unwrap_or(index.saturating_add(1));
        runs.insert(before.unwrap_or(index), end);
    }

    /// The first path from this one on that has runs.
    fn first_from(&self, path: &[u64]) -> Option<Path> {
        let from = (std::ops::Bound::Included(path), std::ops::Bound::Unbounded);
        self.runs.range::<[u64], _>(from).next().map(|(path, _)| path.clone())
    }

    /// Whether a path is in it, or one that it lies under.
    pub(super) fn contains(&self, path: &[u64]) -> bool {
        let is_in = |(depth, index): (usize, &u64)| {
            let runs = self.runs.get(&path[..depth]);
            runs.and_then(|runs| runs.range(..=index).next_back()).is_some_and(|(_, end)| index < end)
        };
        self.all || path.iter().enumerate().any(is_in)
    }

    /// How many runs it is made of.
    #[cfg(test)]
    pub(super) fn runs(&self) -> usize {
        self.runs.values().map(BTreeMap::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path() -> impl Strategy<Value = Vec<u64>> {
        prop::collection::vec(0..5_u64, 0..4)
    }

    proptest! {
        #[test]
        fn it_has_what_was_added_and_all_under_it(
            added in prop::collection::vec(path().prop_filter("not all", |path| !path.is_empty()), 0..30),
            whole: bool,
            asked in prop::collection::vec(path(), 0..30),
        ) {
            let mut set = PathSet::default();
            let mut model: Vec<Vec<u64>> = Vec::new();
            for path in added.into_iter().chain(whole.then(Vec::new)) {
                set.insert(&path);
                model.push(path);
                for asked in model.iter().chain(&asked) {
                    let is_in = model.iter().any(|one| asked.starts_with(one));
                    prop_assert_eq!(set.contains(asked), is_in, "{:?} after {:?}", asked, model);
                }
            }
        }
    }

    #[test]
    fn what_comes_roughly_in_order_is_a_few_runs() {
        let mut set = PathSet::default();
        for block in 0..100_u64 {
            for index in (0..10).rev() {
                set.insert(&[block * 10 + index]);
                assert!(set.runs() <= 2, "{set:?}");
            }
        }
        assert_eq!(set.runs(), 1);
        assert!(set.contains(&[999, 5]) && !set.contains(&[1000]));
    }

    #[test]
    fn what_lies_under_a_path_goes_when_that_is_added() {
        let mut set = PathSet::default();
        for outer in 0..100 {
            for inner in 0..10 {
                set.insert(&[outer, inner * 2, 7]);
            }
            set.insert(&[outer]);
            assert_eq!(set.runs(), 1, "{set:?}");
        }
        set.insert(&[]);
        assert_eq!(set.runs(), 0);
        assert!(set.contains(&[5000]));
    }

    #[test]
    fn the_last_index_has_none_behind_it() {
        let mut set = PathSet::default();
        set.insert(&[u64::MAX - 1]);
        set.insert(&[0]);
        assert!(set.contains(&[u64::MAX - 1]) && !set.contains(&[u64::MAX]));
    }
}
