//! A run that ends before any of its instances has begun.

use tokio::time::Instant;

use crate::client::{Events, Halt};
use crate::model::{Cost, EventKind, Failure, ItemRef, RunOutcome, StageTally};
use crate::plan::Plan;

use super::journal::Journal;
use super::run::{Finished, interrupted};

/// A run with a list that can't be read: the stage that names it has failed, and the others never began.
pub(super) async fn fail_early(
    plan: &Plan,
    (events, halt, mut journal): (&Events, &Halt, Option<Journal>),
    wrong: Option<(usize, Failure)>,
    start: Instant,
) -> Finished {
    let running: Vec<_> = plan.stage_ixs().filter(|(ix, _)| plan.runs(*ix)).map(|(_, stage)| stage).collect();
    let names = |input| running.iter().position(|stage| stage.needs.inputs.contains(input)).unwrap_or(0);
    let names_it = wrong.as_ref().map_or(0, |(input, _)| names(input));
    let mut stages: Vec<_> = running
        .into_iter()
        .map(|stage| {
            let instances = plan.known_instances(stage).unwrap_or(0);
            (stage.name.clone(), StageTally { instances, not_started: instances, ..StageTally::default() })
        })
        .collect();
    let interrupted = interrupted(halt);
    if interrupted.is_none()
        && let Some((_, failure)) = wrong
        && let Some((stage, tally)) = stages.get_mut(names_it)
    {
        if tally.instances == 0 {
            events.emit(EventKind::InstancesFound { stage: stage.clone(), count: 1 }).await;
        }
        let instances = tally.instances.max(1);
        *tally = StageTally { instances, failed: 1, not_started: instances - 1, ..StageTally::default() };
        let item = ItemRef { stage: stage.clone(), key: None, path: [].into() };
        let failed = EventKind::Failed { item, attempts: 0, usage: None, cost: Cost::NOTHING, failure };
        if let Some(journal) = &mut journal {
            journal.note(&failed).await;
        }
        events.emit(failed).await;
    }
    let mut outcome = interrupted.unwrap_or(RunOutcome::Failed);
    if let Some(journal) = &journal
        && let Err(failure) = journal.end(&outcome, &stages).await
    {
        outcome = outcome.or_worse(RunOutcome::Unwritable { failure });
    }
    let took = start.elapsed();
    events.emit(EventKind::RunFinished { outcome: outcome.clone(), stages: stages.clone(), took }).await;
    Finished { outcome, outputs: Vec::new(), stages }
}
