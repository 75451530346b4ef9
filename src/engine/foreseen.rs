//! What an instance will ask where all that it needs is made without a call: values and renderings of what is there.

use std::sync::Arc;

use crate::exec::{Asks, Fate, Fresh};
use crate::model::{Failure, SkipReason, Value};
use crate::plan::{LoopSource, Plan, Stage, StageIx};

use super::forecast::{Looker, looker};
use super::pick::Pick;

/// What is known of an item before a run.
pub(super) enum Foreseen {
    /// What it asks.
    Asks(Asks),
    /// That it would be skipped, and why.
    Skipped(SkipReason),
    /// Nothing: a run has to ask somebody first, or the stage looks at no other one.
    Nothing,
}

/// What an item of a stage asks, as a run would find it out.
///
/// # Errors
/// No such item, or what it would fail with.
pub(super) async fn foreseen(plan: &Arc<Plan>, ix: StageIx, item: Option<&str>) -> Result<Foreseen, Failure> {
    let stage = plan.stage(ix);
    if !plan.runs(ix)
        || needed(plan, stage).next().is_none()
        || !is_free(plan, stage, &mut vec![false; plan.stages.len()])
    {
        return Ok(Foreseen::Nothing);
    }
    let Looker { parts, .. } = looker(plan, None, &Fresh::default())?;
    let mut pick = Pick::new(item);
    pick.look(ix, parts).await?;
    let stream = stage.work.asking().and_then(|asking| asking.stream).unwrap_or(false);
    Ok(match pick.picked().map(|(_, fate)| fate) {
        Some(Fate::ToCall(planned) | Fate::Shared(planned) | Fate::Kept(planned, _)) => {
            Foreseen::Asks(Asks::Call { call: Box::new(planned.call), provider: planned.provider, stream })
        }
        Some(Fate::Made(Value::Text(text))) => Foreseen::Asks(Asks::Text(text.to_string())),
        Some(Fate::Made(value)) => Foreseen::Asks(Asks::Json(value.to_json())),
        Some(Fate::Fails(failure)) => return Err(failure),
        Some(Fate::Skipped(reason)) => Foreseen::Skipped(reason),
        Some(Fate::Unknown { .. }) => Foreseen::Nothing,
        None => return Err(pick.not_found(plan, ix, item)),
    })
}

/// The stages whose values an instance looks at, or goes through.
fn needed<'a>(plan: &'a Plan, stage: &'a Stage) -> impl Iterator<Item = StageIx> + 'a {
    let lists = stage.loops.iter().filter_map(|ix| match plan.loop_at(*ix).source {
        LoopSource::Stage { stage, .. } => Some(stage),
        LoopSource::Rows { .. } | LoopSource::Item { .. } => None,
    });
    stage.refs.iter().map(|one| one.stage).chain(lists)
}

/// Whether nobody is asked before this stage is.
fn is_free(plan: &Plan, stage: &Stage, seen: &mut [bool]) -> bool {
    needed(plan, stage).all(|ix| {
        let other = plan.stage(ix);
        std::mem::replace(&mut seen[ix.0], true) || other.work.asking().is_none() && is_free(plan, other, seen)
    })
}
