//! The conversation that a request goes on with, as far as it is known before a run: each answer in it is a stand-in.

use std::collections::HashMap;

use crate::exec::Sketch;
use crate::model::{Conversation, Failure, ProviderIdentity};
use crate::plan::{Continues, Plan, Stage};

use super::show::{Unknown, names};
use super::shown_item::{ShownItem, items_before, pairs};

/// All that is said before the messages of `stage` for this item; nothing where a conversation begins.
///
/// # Errors
/// What can't be rendered, or a list that can't be read.
pub(super) fn before(
    plan: &Plan,
    stage: &Stage,
    items: &[ShownItem],
    providers: &HashMap<String, ProviderIdentity>,
) -> Result<Option<Conversation>, Failure> {
    let continued = |stage: &&Stage| match stage.continues() {
        Some(Continues::Stage(ix)) => Some(plan.stage(ix)),
        _ => None,
    };
    // From the stage where the conversation begins.
    let mut way: Vec<&Stage> = std::iter::successors(Some(stage), continued).collect();
    way.reverse();
    let mut talk = None;
    let say = |stage: &Stage, items: &[ShownItem], before: Option<Conversation>, may_skip: bool| {
        let (names, answer) = (names(plan, stage, items), format!("<{}>", stage.name));
        Sketch { plan, providers, names, items: &pairs(items), before }.talk(stage, &answer, may_skip)
    };
    let first = way[0];
    if first.continues() == Some(Continues::Previous) {
        let mut items = items[..first.loops.len()].to_vec();
        for item in items_before(plan, first, &items)? {
            if let Some(last) = items.last_mut() {
                *last = item;
            }
            let unknown = Unknown::of(plan, first, &items);
            let mut conditions = first.outer_when.iter().chain(&first.when);
            let is_known = first.is_conditional() && conditions.all(|when| unknown.named_by(when).is_none());
            talk = say(first, &items, talk, is_known)?;
        }
    }
    for one in &way[..way.len() - 1] {
        talk = say(one, &items[..one.loops.len()], talk, false)?;
    }
    Ok(talk)
}
