//! What comes in any order goes out in item order.

use std::collections::BTreeMap;

use super::shelf::Path;

/// Things that belong to paths, given out from the front as soon as nothing before them is open.
#[derive(Debug)]
pub(super) struct InOrder<T> {
    /// `None`: something may still come at this path or under it.
    places: BTreeMap<Path, Option<T>>,
}

impl<T> Default for InOrder<T> {
    fn default() -> Self {
        Self { places: BTreeMap::new() }
    }
}

impl<T> InOrder<T> {
    /// Something may come at this path, or under it.
    pub(super) fn expect(&mut self, path: &Path) {
        self.places.insert(path.clone(), None);
    }

    /// Nothing more comes at this path or under it but `thing`.
    pub(super) fn settle(&mut self, path: &Path, thing: Option<T>) {
        match thing {
            Some(thing) => drop(self.places.insert(path.clone(), Some(thing))),
            None => drop(self.places.remove(path)),
        }
    }

    /// The next thing that nothing can come before.
    pub(super) fn next(&mut self) -> Option<T> {
        let first = self.places.first_entry()?;
        if first.get().is_some() { first.remove() } else { None }
    }

    /// Everything that has come, in order, whatever is still open.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = T> {
        std::mem::take(&mut self.places).into_values().flatten()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Outer items are opened in order; inner ones at any time after that, in order; they settle in any order.
        #[test]
        fn whatever_settles_first_the_order_is_that_of_paths(
            counts in prop::collection::vec(0_u64..4, 1..6),
            shuffle in prop::collection::vec(any::<u32>(), 64),
        ) {
            let mut order = InOrder::default();
            let (mut out, mut open) = (Vec::new(), Vec::new());
            for outer in 0..counts.len() as u64 {
                order.expect(&[outer].into());
            }
            let mut outers: Vec<usize> = (0..counts.len()).collect();
            outers.sort_by_key(|ix| shuffle[*ix]);
            for outer in outers {
                for inner in 0..counts[outer] {
                    let path: Path = [outer as u64, inner].into();
                    order.expect(&path);
                    open.push(path);
                }
                order.settle(&[outer as u64].into(), None);
                open.sort_by_key(|path| shuffle[(path[0] * 7 + path[1]) as usize % 64]);
                for path in open.drain(..open.len() / 2).collect::<Vec<_>>() {
                    order.settle(&path, Some(path.clone()));
                    out.extend(std::iter::from_fn(|| order.next()));
                }
            }
            for path in open {
                order.settle(&path, Some(path.clone()));
                out.extend(std::iter::from_fn(|| order.next()));
            }
            prop_assert_eq!(out.len() as u64, counts.iter().sum::<u64>());
            prop_assert!(out.is_sorted());
        }
    }
}
