//! One item out of those that a forecast tells of, by its key or its number.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::diag::did_you_mean;
use crate::exec::{self, Fate, ForecastParts, Prospect};
use crate::model::{Failure, FailureKind, ItemRef};
use crate::plan::{Plan, StageIx};

/// So many keys are listed where an item is not found.
const LISTED: usize = 5;

/// Picks one of the items of a stage, which come in any order.
pub(super) struct Pick<'a> {
    key: Option<&'a str>,
    /// From 1.
    number: usize,
    /// The one, once it has come.
    found: Option<(ItemRef, Fate)>,
    /// The first so many in item order, where that alone tells which one it is.
    first: BTreeMap<Arc<[u64]>, (ItemRef, Fate)>,
    /// Keys of the first that were seen, for whoever names one that is not there.
    keys: BTreeMap<Arc<[u64]>, Arc<str>>,
    seen: u64,
}

impl<'a> Pick<'a> {
    pub(super) fn new(wanted: Option<&'a str>) -> Self {
        let number = wanted.and_then(|wanted| wanted.strip_prefix('#')?.parse().ok());
        let key = wanted.filter(|_| number.is_none());
        let (first, keys) = (BTreeMap::new(), BTreeMap::new());
        Self { key, number: number.unwrap_or(1), found: None, first, keys, seen: 0 }
    }

    /// Looks ahead for an item of a stage, and no further than to that. Gives the stages with further items of which nobody
    /// knows how many there are, as [`exec::forecast`] does.
    ///
    /// # Errors
    /// A list can't be read, or what is kept can't.
    pub(super) async fn look(
        &mut self,
        ix: StageIx,
        parts: ForecastParts,
    ) -> Result<BTreeMap<StageIx, StageIx>, Failure> {
        let mut see =
            |prospect: Prospect<'_>| if prospect.stage == ix { self.see(prospect) } else { ControlFlow::Continue(()) };
        exec::forecast(parts, &mut see).await
    }

    /// Takes it in; breaks off once the item is found, whatever comes.
    fn see(&mut self, prospect: Prospect<'_>) -> ControlFlow<()> {
        let item = prospect.item;
        self.seen += 1;
        if let Some(key) = &item.key {
            self.keys.insert(item.path.clone(), key.clone());
            if self.keys.len() > LISTED {
                self.keys.pop_last();
            }
        }
        match self.is_it(item) {
            Some(true) => {
                self.found = Some((item.clone(), prospect.fate));
                return ControlFlow::Break(());
            }
            Some(false) => {}
            None => {
                self.first.insert(item.path.clone(), (item.clone(), prospect.fate));
                if self.first.len() > self.number {
                    self.first.pop_last();
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// Whether an item is the one, as far as it tells that by itself.
    fn is_it(&self, item: &ItemRef) -> Option<bool> {
        match (self.key, &*item.path) {
            (Some(key), _) => Some(item.key.as_deref() == Some(key)),
            (None, []) => Some(self.number == 1),
            (None, [index]) => {
                Some(usize::try_from(*index).is_ok_and(|index| index.checked_add(1) == Some(self.number)))
            }
            (None, path) if self.number == 1 && path.iter().all(|index| *index == 0) => Some(true),
            (None, _) => None,
        }
    }

    pub(super) fn picked(&mut self) -> Option<(ItemRef, Fate)> {
        let by_order = || {
            let is_there = self.number > 0 && self.first.len() >= self.number;
            self.first.pop_last().filter(|_| is_there).map(|(_, picked)| picked)
        };
        self.found.take().or_else(by_order)
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
