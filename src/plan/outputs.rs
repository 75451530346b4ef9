//! What a pipeline returns.

use std::sync::Arc;

use crate::diag::Diagnostics;

use super::binder::{Binder, Ground, Site};
use super::given::WantedOutputs;
use super::pipeline::{OutputPlan, Reach, Ref, ScopeIx, Stage, StageIx};
use super::template::Template;
use super::units::ROOT;
use super::work::JsonTemplate;

/// The outputs of the file; without any, every saved stage and every stage that nothing names.
pub(super) fn build(
    ground: &Ground<'_>,
    stages: &[Stage],
    kept: &dyn Fn(usize) -> bool,
    reach: &dyn Fn(usize) -> Reach,
    wanted: &WantedOutputs,
    diagnostics: &mut Diagnostics,
) -> Vec<OutputPlan> {
    let mut outputs = Vec::new();
    if let Some(written) = &ground.spec.outputs {
        for output in written {
            let mut binder = Binder::new(ground, None, diagnostics);
            let value = binder.json(&output.value, Site::Output);
            let found = std::mem::take(&mut binder.found);
            let refs: Vec<Ref> = found
                .stages
                .iter()
                .map(|(stage, optional)| Ref { stage: StageIx(*stage), reach: reach(*stage), optional: *optional })
                .collect();
            let stage = alone(&value).and_then(|name| stages.iter().position(|stage| *stage.name == *name));
            if refs.iter().any(|one| !kept(one.stage.0)) {
                continue;
            }
            outputs.push(OutputPlan {
                name: Arc::from(output.name.value.as_str()),
                value,
                inputs: found.inputs.iter().copied().collect(),
                held: stage.is_none_or(|ix| is_in_memory(&stages[ix])) || wanted.includes(&output.name.value),
                stage: stage.map(StageIx),
                refs,
            });
        }
        return outputs;
    }
    let is_named = |ix: usize| {
        let mut readers = stages.iter().enumerate().filter(|(by, _)| kept(*by)).map(|(_, stage)| stage);
        let ix = StageIx(ix);
        readers.any(|stage| stage.refs.iter().any(|one| one.stage == ix) || stage.hands_on.contains(&ix))
    };
    // What a used pipeline makes is returned by the stage that uses it.
    let is_own = |ix: usize| ground.units.homes[ix].declared == ROOT;
    for (ix, stage) in stages.iter().enumerate().filter(|(ix, _)| kept(*ix) && is_own(*ix)) {
        if stage.save.is_some() || !is_named(ix) {
            outputs.push(OutputPlan {
                name: stage.name.clone(),
                value: JsonTemplate::Template(Template::name(&stage.name)),
                refs: vec![Ref { stage: StageIx(ix), reach: reach(ix), optional: true }],
                inputs: Vec::new(),
                stage: Some(StageIx(ix)),
                held: is_in_memory(stage) || wanted.includes(&stage.name),
            });
        }
    }
    outputs
}

/// Whether its value is held in any case: of a saved stage in a loop the files have them all.
fn is_in_memory(stage: &Stage) -> bool {
    stage.loops.is_empty() || stage.save.is_none()
}

/// The one name that a value consists of.
fn alone(value: &JsonTemplate) -> Option<&str> {
    if let JsonTemplate::Template(template) = value { template.only_name() } else { None }
}

/// The scope that outputs are read from.
pub(super) const FROM: ScopeIx = ScopeIx::ROOT;
