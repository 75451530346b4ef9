//! What a pipeline returns, gathered at the end of a run.

use crate::model::{Failure, Json};
use crate::plan::{OutputPlan, Plan, Work};

use super::context::{Fixed, json, seen_json};
use super::frontier::Frontier;
use super::job::Seen;

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

/// All outputs, and what of them is held and can't be read.
pub(super) async fn gather(frontier: &mut Frontier, fixed: &Fixed) -> (Vec<Output>, Option<Failure>) {
    let plan = frontier.plan.clone();
    let (mut outputs, mut unread) = (Vec::new(), None);
    for output in &plan.outputs {
        let value = if output.held { value(frontier, fixed, output).await } else { Ok(None) };
        let value = value.unwrap_or_else(|failure| {
            unread = Some(failure);
            None
        });
        outputs.push(one(&plan, output, value));
    }
    (outputs, unread)
}

fn one(plan: &Plan, output: &OutputPlan, value: Option<Json>) -> Output {
    let stage = output.stage.map(|ix| plan.stage(ix));
    let is_list = stage.is_some_and(|stage| !stage.loops.is_empty());
    let stage_saved = stage.and_then(|stage| {
        let save = stage.save.as_ref().map(|save| save.path.text().trim().to_owned());
        save.or_else(|| matches!(stage.work, Work::Image(_)).then(|| stage.name.to_string()))
    });
    Output { name: output.name.to_string(), value: value.unwrap_or_default(), stage_saved, is_list }
}

async fn value(frontier: &mut Frontier, fixed: &Fixed, output: &OutputPlan) -> Result<Option<Json>, Failure> {
    let mut names = fixed.outputs(&frontier.plan, &output.inputs);
    for one in &output.refs {
        let seen = frontier.see(frontier.root, one)?;
        if let Seen::All(collection) = &seen {
            collection.read().await?;
        }
        if let Some(value) = seen_json(&seen) {
            names.insert(frontier.plan.stage(one.stage).name.to_string(), value);
        }
    }
    Ok(json(&output.value, &names.into()).ok())
}
