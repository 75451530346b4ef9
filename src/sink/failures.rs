//! What failed, by reason: however many items fail, what is remembered stays small.

use std::sync::Arc;

use crate::model::{Failure, ItemRef};

/// At most so many reasons are told apart.
const MOST_GROUPS: usize = 20;
/// At most so many items of a reason are named.
const MOST_ITEMS: usize = 5;

/// Instances of one stage that failed for one reason.
#[derive(Debug, Clone, PartialEq)]
pub struct FailureGroup {
    /// The stage.
    pub stage: Arc<str>,
    /// The failure of the first of them.
    pub failure: Failure,
    /// Whether `on_error.value` stands in for them.
    pub replaced: bool,
    /// How many there are.
    pub count: u64,
    /// The first few.
    pub items: Vec<ItemRef>,
}

/// All that failed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Failures {
    groups: Vec<FailureGroup>,
    others: u64,
}

impl Failures {
    /// The reasons, in the order in which they first came up.
    pub fn groups(&self) -> &[FailureGroup] {
        &self.groups
    }

    /// How many more failed, for reasons that are not told apart any more.
    pub fn others(&self) -> u64 {
        self.others
    }

    /// How often `failure` has been seen in `stage`; 0 where it is not told apart.
    pub fn seen(&self, stage: &str, failure: &Failure, replaced: bool) -> u64 {
        self.groups.iter().find(|group| group.is_of(stage, failure, replaced)).map_or(0, |group| group.count)
    }

    pub(super) fn add(&mut self, item: &ItemRef, failure: &Failure, replaced: bool) {
        if let Some(group) = self.groups.iter_mut().find(|group| group.is_of(&item.stage, failure, replaced)) {
            group.count += 1;
            if group.items.len() < MOST_ITEMS {
                group.items.push(item.clone());
            }
        } else if self.groups.len() < MOST_GROUPS {
            self.groups.push(FailureGroup {
                stage: item.stage.clone(),
                failure: failure.clone(),
                replaced,
                count: 1,
                items: vec![item.clone()],
            });
        } else {
            self.others += 1;
        }
    }
}

impl FailureGroup {
    fn is_of(&self, stage: &str, failure: &Failure, replaced: bool) -> bool {
        *self.stage == *stage && self.failure.message == failure.message && self.replaced == replaced
    }
}
