//! The item for which a request is shown: one of each loop around its stage, as far as they are there before a run.

use std::sync::Arc;

use crate::diag::did_you_mean;
use crate::model::{Failure, FailureKind, Json};
use crate::plan::{LoopIx, LoopSource, Plan, Stage, item_key};

/// Rows that are looked through for an item.
const LOOKED_THROUGH: usize = 1_000_000;
/// So many keys are listed where an item is not found.
const LISTED: usize = 5;

/// An item around the instance that is shown.
#[derive(Debug, Clone)]
pub(super) struct ShownItem {
    pub(super) name: Arc<str>,
    /// Null for a stand-in.
    pub(super) value: Json,
    pub(super) index: u64,
    pub(super) key: String,
}

/// The items of the loops around a stage; stand-ins for those that a run makes.
///
/// # Errors
/// No such item, or a list that can't be read.
pub(super) fn items(plan: &Plan, stage: &Stage, wanted: Option<&str>) -> Result<Vec<ShownItem>, Failure> {
    if wanted.is_some() && stage.loops.is_empty() {
        return Err(not_found(format!("`{}` runs once, it has no items", stage.name)).suggest("leave the item out"));
    }
    let number = wanted.and_then(|wanted| wanted.strip_prefix('#')).and_then(|number| number.parse::<u64>().ok());
    if let Some(number) = number {
        return numbered(plan, stage, number);
    }
    let parts: Vec<&str> = wanted.map_or_else(Vec::new, |wanted| wanted.splitn(stage.loops.len(), '/').collect());
    let mut items: Vec<ShownItem> = Vec::new();
    for (at, ix) in stage.loops.iter().enumerate() {
        let name = &plan.loop_at(*ix).name;
        let item = match rows(plan, *ix, &items)? {
            Some(rows) => pick(name, &rows, parts.get(at).copied())?,
            None => stand_in(name, parts.get(at).copied()),
        };
        items.push(item);
    }
    Ok(items)
}

/// The items before the last of these in its list, as far as they are there before a run.
///
/// # Errors
/// A list that can't be read.
pub(super) fn items_before(plan: &Plan, stage: &Stage, items: &[ShownItem]) -> Result<Vec<ShownItem>, Failure> {
    let (Some((last, around)), Some(ix)) = (items.split_last(), stage.loops.last()) else { return Ok(Vec::new()) };
    let rows = rows(plan, *ix, around)?.unwrap_or_default();
    let before = (0..last.index).zip(rows);
    Ok(before
        .map(|(index, value)| ShownItem { name: last.name.clone(), key: item_key(&value, index), value, index })
        .collect())
}

/// Each item with the name of its loop.
pub(super) fn pairs(items: &[ShownItem]) -> Vec<(Arc<str>, Json)> {
    items.iter().map(|item| (item.name.clone(), item.value.clone())).collect()
}

/// The item of this number (from 1), counted over all items of the stage in their order.
fn numbered(plan: &Plan, stage: &Stage, number: u64) -> Result<Vec<ShownItem>, Failure> {
    // There is no item 0; all are passed then, and counted on the way.
    let to_pass = if number == 0 { u64::MAX } else { number };
    let mut walk = Walk { plan, loops: &stage.loops, left: to_pass, items: Vec::new() };
    if walk.reach()? {
        return Ok(walk.items);
    }
    let made = stage.loops.iter().find(|ix| matches!(plan.loop_at(**ix).source, LoopSource::Stage { .. }));
    let help = match made {
        Some(ix) => format!("how many `{}` there are is known in a run; `#1` shows the first", plan.loop_at(*ix).name),
        None => format!("there are {}; `#1` is the first", to_pass - walk.left),
    };
    Err(not_found(format!("`{}` has no item `#{number}`", stage.name)).suggest(help))
}

/// On the way to the item of a number.
struct Walk<'a> {
    plan: &'a Plan,
    loops: &'a [LoopIx],
    /// How many items are still to be passed, the one that is looked for included.
    left: u64,
    items: Vec<ShownItem>,
}

impl Walk<'_> {
    fn reach(&mut self) -> Result<bool, Failure> {
        let Some(ix) = self.loops.get(self.items.len()) else {
            self.left -= 1;
            return Ok(self.left == 0);
        };
        let name = self.plan.loop_at(*ix).name.clone();
        let Some(rows) = rows(self.plan, *ix, &self.items)? else {
            return self.enter(stand_in(&name, None));
        };
        if self.items.len() + 1 == self.loops.len() && self.left > rows.len() as u64 {
            self.left -= rows.len() as u64;
            return Ok(false);
        }
        for (index, value) in (0_u64..).zip(rows) {
            let key = item_key(&value, index);
            if self.enter(ShownItem { name: name.clone(), value, index, key })? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn enter(&mut self, item: ShownItem) -> Result<bool, Failure> {
        self.items.push(item);
        let is_reached = self.reach()?;
        if !is_reached {
            self.items.pop();
        }
        Ok(is_reached)
    }
}

/// The rows of a loop under these items; nothing where a run makes them.
fn rows(plan: &Plan, ix: LoopIx, items: &[ShownItem]) -> Result<Option<Vec<Json>>, Failure> {
    Ok(match &plan.loop_at(ix).source {
        LoopSource::Rows { list, limit } => {
            let rows = list.rows().map_err(|error| Failure::new(FailureKind::BadRequest, error.to_string()))?;
            let limit = limit.map_or(LOOKED_THROUGH, |limit| usize::try_from(limit).unwrap_or(LOOKED_THROUGH));
            Some(rows.take(limit.min(LOOKED_THROUGH)).filter_map(Result::ok).map(|row| row.value).collect())
        }
        LoopSource::Item { of, path } => {
            let item = items.iter().find(|item| item.name == plan.loop_at(*of).name);
            let found = item.and_then(|item| path.iter().try_fold(&item.value, |value, field| value.get(field)));
            found.and_then(Json::as_array).cloned()
        }
        LoopSource::Stage { .. } => None,
    })
}

fn stand_in(name: &Arc<str>, key: Option<&str>) -> ShownItem {
    ShownItem { name: name.clone(), value: Json::Null, index: 0, key: key.unwrap_or("1").to_owned() }
}

fn pick(name: &Arc<str>, rows: &[Json], wanted: Option<&str>) -> Result<ShownItem, Failure> {
    let keys = || (0_u64..).zip(rows).map(|(index, row)| item_key(row, index));
    let found = match wanted {
        Some(wanted) => keys().position(|key| key == wanted),
        None => (!rows.is_empty()).then_some(0),
    };
    if let Some(at) = found {
        let (value, index) = (rows[at].clone(), at as u64);
        return Ok(ShownItem { name: name.clone(), key: item_key(&value, index), value, index });
    }
    let Some(wanted) = wanted else {
        return Err(not_found(format!("there is no `{name}`: its list is empty")));
    };
    let keys: Vec<String> = keys().collect();
    let listed: Vec<String> = keys.iter().take(LISTED).map(|key| format!("`{key}`")).collect();
    let more = if keys.len() > LISTED { ", .." } else { "" };
    let help = did_you_mean(wanted, keys.iter().map(String::as_str)).map_or_else(
        || format!("there are {}: {}{more}; `#1` is the first", keys.len(), listed.join(", ")),
        |meant| format!("did you mean `{meant}`?"),
    );
    Err(not_found(format!("no `{name}` is called `{wanted}`")).suggest(help))
}

fn not_found(message: String) -> Failure {
    Failure::new(FailureKind::NotFound, message)
}
