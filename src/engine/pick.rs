//! One item out of those that a forecast tells of, by its key or its number.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diag::did_you_mean;
use crate::exec::{Fate, Prospect};
use crate::model::{Failure, FailureKind, ItemRef};
use crate::plan::{Plan, StageIx};

/// So many keys are listed where an item is not found.
const LISTED: usize = 5;

/// Picks one of the items of a stage, which come in any order.
pub(super) struct Pick<'a> {
    key: Option<&'a str>,
    /// From 1.
    number: usize,
    /// The first so many of those that it may be, in item order.
    first: BTreeMap<Arc<[u64]>, (ItemRef, Fate)>,
    /// Keys of the first that were seen, for whoever names one that is not there.
    keys: BTreeMap<Arc<[u64]>, Arc<str>>,
    seen: u64,
}

impl<'a> Pick<'a> {
    pub(super) fn new(wanted: Option<&'a str>) -> Self {
        let number = wanted.and_then(|wanted| wanted.strip_prefix('#')?.parse().ok());
        let key = wanted.filter(|_| number.is_none());
        Self { key, number: number.unwrap_or(1), first: BTreeMap::new(), keys: BTreeMap::new(), seen: 0 }
    }

    pub(super) fn see(&mut self, prospect: Prospect<'_>) {
        let item = prospect.item;
        self.seen += 1;
        if let Some(key) = &item.key {
            self.keys.insert(item.path.clone(), key.clone());
            if self.keys.len() > LISTED {
                self.keys.pop_last();
            }
        }
        if self.key.is_some_and(|key| item.key.as_deref() != Some(key)) {
            return;
        }
        self.first.insert(item.path.clone(), (item.clone(), prospect.fate));
        if self.first.len() > self.number {
            self.first.pop_last();
        }
    }

    /// Whether it has been seen, whatever comes.
    pub(super) fn is_settled(&self) -> bool {
        match (self.key, self.first.first_key_value()) {
            (Some(_), first) => first.is_some(),
            // The very first of all.
            (None, Some((path, _))) => self.number == 1 && path.iter().all(|index| *index == 0),
            (None, None) => false,
        }
    }

    pub(super) fn picked(&mut self) -> Option<(ItemRef, Fate)> {
        if self.number == 0 || self.first.len() < self.number {
            return None;
        }
        self.first.pop_last().map(|(_, picked)| picked)
    }

    pub(super) fn not_found(&self, plan: &Plan, ix: StageIx, wanted: Option<&str>) -> Failure {
        let stage = &plan.stage(ix).name;
        let Some(wanted) = wanted else {
            return Failure::new(FailureKind::NotFound, format!("`{stage}` has no items: its list is empty"));
        };
        let keys: Vec<String> = self.keys.values().map(|key| format!("`{key}`")).collect();
        let more = if self.seen > keys.len() as u64 { ", .." } else { "" };
        let help = match did_you_mean(wanted, self.keys.values().map(|key| &**key)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("there are {}: {}{more}; `#1` is the first", self.seen, keys.join(", ")),
        };
        Failure::new(FailureKind::NotFound, format!("`{stage}` has no item `{wanted}`")).suggest(help)
    }
}
