//! Where an instance stands among all others.

use std::cmp::Ordering;
use std::sync::Arc;

/// The precedence of an instance: the deepest stage first, then the earliest item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// How many stages lie before this one on its longest way from an input.
    pub depth: u32,
    /// The index (from 0) of the item in each loop, outermost first.
    pub path: Arc<[u64]>,
}

impl Order {
    /// For a call outside of any pipeline: the order of arrival.
    pub fn arrival(number: u64) -> Self {
        Self { depth: 0, path: Arc::from([number]) }
    }
}

impl Ord for Order {
    /// What goes first is less.
    fn cmp(&self, other: &Self) -> Ordering {
        other.depth.cmp(&self.depth).then_with(|| self.path.cmp(&other.path))
    }
}

impl PartialOrd for Order {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_stages_go_first_then_earlier_items() {
        let at = |depth, path: &[u64]| Order { depth, path: path.into() };
        assert!(at(2, &[9]) < at(1, &[0]));
        assert!(at(1, &[0, 5]) < at(1, &[1, 0]));
    }
}
