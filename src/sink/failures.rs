//! What failed, by reason: however many items fail, what is remembered stays small.

use std::sync::Arc;

use crate::model::{Failure, ItemRef};

/// At most so many reasons are told apart.
const MOST_GROUPS: usize = 20;
/// So many items of a reason are named.
const MOST_ITEMS: usize = 3;

/// Instances of one stage that failed for one reason.
#[derive(Debug, Clone, PartialEq)]
pub struct FailureGroup {
    /// The stage.
    pub stage: Arc<str>,
    /// The failure of the first of them, in item order.
    pub failure: Failure,
    /// Whether others say it in other words.
    pub varies: bool,
    /// Whether `on_error.value` stands in for them.
    pub replaced: bool,
    /// How many there are.
    pub count: u64,
    /// The first few, in item order: which failed first is chance.
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
            group.add(item, failure);
        } else if self.groups.len() < MOST_GROUPS {
            self.groups.push(FailureGroup {
                stage: item.stage.clone(),
                failure: failure.clone(),
                varies: false,
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
    /// Messages may name what differs from item to item, so they don't tell reasons apart.
    fn is_of(&self, stage: &str, failure: &Failure, replaced: bool) -> bool {
        let reason =
            |failure: &Failure| (failure.kind, failure.status, failure.code.clone(), failure.suggestion.clone());
        *self.stage == *stage && self.replaced == replaced && reason(&self.failure) == reason(failure)
    }

    fn add(&mut self, item: &ItemRef, failure: &Failure) {
        self.count += 1;
        self.varies |= self.failure.message != failure.message;
        let at = self.items.partition_point(|other| other.path <= item.path);
        if at == 0 {
            self.failure = failure.clone();
        }
        if at < MOST_ITEMS {
            self.items.insert(at, item.clone());
            self.items.truncate(MOST_ITEMS);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::item;
    use super::*;
    use crate::model::FailureKind;

    #[test]
    fn a_thousand_messages_of_one_reason_are_one_group() {
        let mut failures = Failures::default();
        let failure = |number: u64| Failure::new(FailureKind::BadRequest, format!("no town {number}"));
        for number in (0..1_000).rev() {
            failures.add(&item("a", number), &failure(number), false);
        }
        failures.add(&item("a", 1_000), &failure(0).suggest("try another"), false);
        let [group, other] = failures.groups() else { panic!("{failures:?}") };
        assert_eq!((group.count, group.varies, group.failure.message.as_str()), (1_000, true, "no town 0"));
        assert_eq!(group.items, [item("a", 0), item("a", 1), item("a", 2)]);
        assert_eq!((other.count, other.varies), (1, false));
    }
}
