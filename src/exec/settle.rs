//! An instance comes back: it is counted and told, and what follows for the run is decided.

use crate::model::{Cost, End, EventKind, Failure, FailureKind, ItemRef, RunOutcome, SkipReason};
use crate::plan::StageIx;

use super::frame::InstanceId;
use super::frontier::Frontier;
use super::job::{Outcome, Returned, Spent};

/// Why a run ends before its end.
#[derive(Debug, Clone)]
pub(super) struct Ending {
    /// As it is told to people.
    pub(super) reason: String,
    pub(super) outcome: RunOutcome,
}

impl Frontier {
    /// Takes an instance back. Gives the reason if the run should end because of it.
    pub(super) fn settle(&mut self, returned: Returned) -> Option<Ending> {
        let Returned { stage, instance, item, outcome } = returned;
        self.queues[stage.0].ended(!matches!(outcome, Outcome::Skipped(SkipReason::When)));
        let ending = match outcome {
            Outcome::Done(done) => {
                let tally = &mut self.tallies[stage.0];
                *(if done.reused { &mut tally.reused } else { &mut tally.done }) += 1;
                if let Some(path) = &done.saved {
                    self.outbox.push(EventKind::Saved { stage: item.stage.clone(), path: path.clone() });
                }
                let (Spent { attempts, usage, cost }, took, saved) = (done.spent, done.took, done.saved);
                let lane = done.lane;
                self.outbox.push(EventKind::Done { item, lane, attempts, usage, cost, took, saved });
                self.ends.push((instance, End::with(done.value, done.said), done.row));
                None
            }
            Outcome::Replaced { value, said, row, failure, spent } => {
                self.tallies[stage.0].replaced += 1;
                let Spent { attempts, usage, cost } = spent;
                self.outbox.push(EventKind::Replaced { item, attempts, usage, cost, failure });
                self.ends.push((instance, End::with(value, said), row));
                None
            }
            Outcome::Skipped(reason) => {
                self.skip(stage, instance, item, reason);
                None
            }
            Outcome::Failed { failure, spent } => self.fail(stage, instance, item, (failure, spent)),
            Outcome::Unwritable(failure) => Some(Ending::unwritable(failure)),
            Outcome::Blocked { failure, spent } => {
                self.give_up(item, spent);
                Some(Ending { reason: failure.message.clone(), outcome: RunOutcome::Blocked { failure } })
            }
            Outcome::Interrupted { spent } => {
                self.give_up(item, spent);
                None
            }
        };
        self.go_on();
        // A share may be passed by an instance that came out: before twenty have ended it does not count.
        ending.or_else(|| self.broken_lists()).or_else(|| self.too_many_failures(stage))
    }

    /// It has not come to its end and is taken up by the next run; what was sent for it is paid for all the same.
    fn give_up(&mut self, item: ItemRef, Spent { attempts, usage, cost }: Spent) {
        if attempts > 0 {
            self.outbox.push(EventKind::GivenUp { item, attempts, usage, cost });
        }
    }

    fn fail(
        &mut self,
        stage: StageIx,
        instance: InstanceId,
        item: ItemRef,
        (failure, Spent { attempts, usage, cost }): (Failure, Spent),
    ) -> Option<Ending> {
        let name = item.stage.clone();
        let fault = (failure.kind == FailureKind::Internal).then(|| failure.clone());
        let who = item.key.as_ref().map_or_else(|| name.to_string(), |key| format!("{name}/{key}"));
        self.tallies[stage.0].failed += 1;
        self.outbox.push(EventKind::Failed { item, attempts, usage, cost, failure });
        self.ends.push((instance, End::Absent(SkipReason::Failed { stage: name }), None));
        match fault {
            Some(failure) => Some(internal(failure)),
            None => self.ends_run(stage, &who),
        }
    }

    fn ends_run(&self, stage: StageIx, who: &str) -> Option<Ending> {
        let ending = || Ending { reason: format!("{who} failed"), outcome: RunOutcome::Failed };
        self.stops_on_failure(stage).then(ending).or_else(|| self.too_many_failures(stage))
    }

    fn too_many_failures(&self, stage: StageIx) -> Option<Ending> {
        let (name, tally) = (&self.plan.stage(stage).name, &self.tallies[stage.0]);
        let reason = || format!("{} of {} items of `{name}` failed", tally.failed, tally.instances_ended());
        let ending =
            || Ending { reason: format!("{}, more than `max_failures` allows", reason()), outcome: RunOutcome::Failed };
        self.has_too_many_failures(stage).then(ending)
    }

    /// Lists that turned out to be none: each is a failure of the stage that would have run over it. Gives the first
    /// reason for the run to end.
    pub(super) fn broken_lists(&mut self) -> Option<Ending> {
        let broken = std::mem::take(&mut self.broken);
        let endings = broken.into_iter().map(|(item, stage, failure)| {
            let name = self.plan.stage(stage).name.clone();
            self.tallies[stage.0].failed += 1;
            let fault = (failure.kind == FailureKind::Internal).then(|| failure.clone());
            self.outbox.push(EventKind::Failed { item, attempts: 0, usage: None, cost: Cost::NOTHING, failure });
            match fault {
                Some(failure) => Some(internal(failure)),
                None => self.ends_run(stage, &format!("the list of `{name}`")),
            }
        });
        endings.fold(None, Option::or)
    }
}

impl Ending {
    /// Something can't be written.
    pub(super) fn unwritable(failure: Failure) -> Self {
        Self { reason: failure.message.clone(), outcome: RunOutcome::Unwritable { failure } }
    }

    /// The deadline has come.
    pub(super) fn out_of_time() -> Self {
        let failure = Failure::new(FailureKind::DeadlinePassed, "the time for this run is up")
            .suggest("give it more time with `deadline` or `--deadline`");
        Self { reason: failure.message.clone(), outcome: RunOutcome::Blocked { failure } }
    }
}

/// A fault of the program ends a run, whatever a stage says of failures.
fn internal(failure: Failure) -> Ending {
    Ending { reason: failure.message.clone(), outcome: RunOutcome::Internal { failure } }
}
