//! Lists that loops take out of values which stages put together: what these are is known only when all loops are.

use crate::diag::Diagnostics;
use crate::spec::PipelineSpec;

use super::inputs::Inputs;
use super::loop_sources::no_list_behind;
use super::loops::{DraftSource, LoopTree};
use super::pipeline::LoopIx;

/// Tells of each loop whose list can't be one.
pub(super) fn check((spec, inputs): (&PipelineSpec, &Inputs), tree: &LoopTree, diagnostics: &mut Diagnostics) {
    for one in &tree.loops {
        let wrong = match &one.source {
            DraftSource::Stage { stage, path } => {
                let name = &spec.stages[*stage].name.value;
                no_list_behind(name, &tree.values[*stage], path, &one.list_place)
            }
            DraftSource::Item { of, path } if is_made(tree, *of) => {
                no_list_behind(tree.name(*of), &tree.shape(*of, inputs), path, &one.list_place)
            }
            _ => None,
        };
        diagnostics.extend(wrong);
    }
}

/// Whether the items of a loop come out of the value of a stage: of others, all was known when they were declared.
fn is_made(tree: &LoopTree, ix: LoopIx) -> bool {
    match &tree.loops[ix.0].source {
        DraftSource::Stage { .. } => true,
        DraftSource::Item { of, .. } => is_made(tree, *of),
        _ => false,
    }
}
