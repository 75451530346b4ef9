//! What a pipeline returns, gathered at the end of a run.

use crate::model::Json;
use crate::plan::{OutputPlan, Work};

use super::context::{Fixed, json, seen_json};
use super::frontier::Frontier;

/// One of the outputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// What it is called.
    pub name: String,
    /// Its value; null if it was not made, or if it lies in files alone and nobody wanted it beforehand.
    pub value: Json,
    /// Where it is saved under the output folder, if it is one stage's and that is saved. A template of a path stays
    /// one: its files are many.
    pub stage_saved: Option<String>,
    /// Whether it is the list of all values of a loop.
    pub is_list: bool,
}

pub(super) fn gather(frontier: &Frontier, fixed: &Fixed) -> Vec<Output> {
    frontier.plan.outputs.iter().map(|output| one(frontier, fixed, output)).collect()
}

fn one(frontier: &Frontier, fixed: &Fixed, output: &OutputPlan) -> Output {
    let plan = &frontier.plan;
    let stage = output.stage.map(|ix| plan.stage(ix));
    let is_list = stage.is_some_and(|stage| !stage.loops.is_empty());
    let stage_saved = stage.and_then(|stage| {
        let save = stage.save.as_ref().map(|save| save.path.text().trim().to_owned());
        save.or_else(|| matches!(stage.work, Work::Image(_)).then(|| stage.name.to_string()))
    });
    let value = if output.held { value(frontier, fixed, output) } else { None };
    Output { name: output.name.to_string(), value: value.unwrap_or_default(), stage_saved, is_list }
}

fn value(frontier: &Frontier, fixed: &Fixed, output: &OutputPlan) -> Option<Json> {
    let mut names = fixed.outputs(&frontier.plan, &output.inputs);
    for one in &output.refs {
        if let Some(value) = seen_json(&frontier.see(frontier.root, one)) {
            names.insert(frontier.plan.stage(one.stage).name.to_string(), value);
        }
    }
    json(&output.value, &names.into()).ok()
}
