//! The one fold over events that display, summary and exit code read.

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use jiff::Timestamp;

use crate::model::{
    Cost, EventKind, Failure, FailureKind, ItemRef, LaneRef, RunEvent, RunOutcome, SkipReason, StageTally, Usage,
};

use super::clock::between;
use super::failures::Failures;
use super::stage_view::StageView;

/// At most so many warnings are kept.
const MOST_WARNINGS: usize = 20;

/// What a run has come to. Its size depends on the pipeline, never on the number of items.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    run: Arc<str>,
    pipeline: Arc<str>,
    is_kept: bool,
    began: Option<Timestamp>,
    last: Option<Timestamp>,
    stages: IndexMap<Arc<str>, StageView>,
    lanes: IndexMap<LaneRef, LaneView>,
    failures: Failures,
    warnings: Vec<String>,
    more_warnings: u64,
    stopping: Option<String>,
    outcome: Option<RunOutcome>,
    took: Option<Duration>,
}

/// What held a provider's model back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LaneView {
    /// How often it was slowed.
    pub slowed: u64,
    /// How often it sent nothing for a time.
    pub pauses: u64,
    /// For how long in all, as announced. What several refusals ask for at the same time counts once.
    pub paused: Duration,
    /// For how long of it the server itself named the time.
    pub asked: Duration,
    /// Requests at once, after the last change.
    pub limit: Option<u32>,
    /// Whether it sends nothing right now.
    pub is_paused: bool,
    /// Until when it was said to send nothing.
    silent_until: Option<Timestamp>,
    /// Until when the server asked for that.
    asked_until: Option<Timestamp>,
}

impl LaneView {
    fn pause(&mut self, at: Timestamp, pause: Duration, asked: bool) {
        let until = at.saturating_add(pause).unwrap_or(Timestamp::MAX);
        self.pauses += 1;
        self.is_paused = true;
        self.paused += longer(&mut self.silent_until, at, until);
        if asked {
            self.asked += longer(&mut self.asked_until, at, until);
        }
    }

    /// The run is over, and what was announced for later will not be.
    fn end(&mut self, at: Timestamp) {
        let left = |until: Option<Timestamp>| until.map_or(Duration::ZERO, |until| between(at, until));
        self.paused = self.paused.saturating_sub(left(self.silent_until));
        self.asked = self.asked.saturating_sub(left(self.asked_until));
    }
}

/// Makes a silence last until `until`, and says how much of that is new.
fn longer(silence: &mut Option<Timestamp>, at: Timestamp, until: Timestamp) -> Duration {
    let from = silence.map_or(at, |silent| silent.max(at));
    *silence = (*silence).max(Some(until));
    between(from, until)
}

impl Tally {
    /// Takes in one event.
    pub fn apply(&mut self, event: &RunEvent) {
        self.last = Some(event.at);
        self.began.get_or_insert(event.at);
        match &event.kind {
            EventKind::RunStarted { run, pipeline, store, .. } => {
                self.run = run.clone();
                self.pipeline = pipeline.clone();
                self.is_kept = store.is_some();
            }
            EventKind::StagePlanned { stage, kind, instances } => {
                self.stages.insert(stage.clone(), StageView::new(stage.clone(), *kind, *instances));
            }
            EventKind::Warning { message } if self.warnings.len() < MOST_WARNINGS => {
                self.warnings.push(message.clone());
            }
            EventKind::Warning { .. } => self.more_warnings += 1,
            EventKind::Stopping { reason } => {
                self.stopping.get_or_insert_with(|| reason.clone());
            }
            EventKind::RunFinished { outcome, stages, took } => {
                self.lanes.values_mut().for_each(|lane| lane.end(event.at));
                self.finish(outcome, stages, *took);
            }
            EventKind::LaneSlowed { .. } | EventKind::LanePaused { .. } | EventKind::LaneOpened { .. } => {
                self.apply_lane(&event.kind, event.at);
            }
            _ => self.apply_stage(event),
        }
    }

    fn finish(&mut self, outcome: &RunOutcome, stages: &[(Arc<str>, StageTally)], took: Duration) {
        self.outcome = Some(outcome.clone());
        self.took = Some(took);
        for (name, tally) in stages {
            if let Some(stage) = self.stages.get_mut(name) {
                stage.settle(*tally);
            }
        }
    }

    fn apply_lane(&mut self, kind: &EventKind, at: Timestamp) {
        match kind {
            EventKind::LaneSlowed { lane, limit } => {
                let lane = self.lanes.entry(lane.clone()).or_default();
                lane.slowed += 1;
                lane.limit = Some(*limit);
            }
            EventKind::LanePaused { lane, pause, asked } => {
                self.lanes.entry(lane.clone()).or_default().pause(at, *pause, *asked);
            }
            EventKind::LaneOpened { lane, limit } => {
                let lane = self.lanes.entry(lane.clone()).or_default();
                lane.limit = Some(*limit);
                lane.is_paused = false;
            }
            _ => {}
        }
    }

    fn apply_stage(&mut self, event: &RunEvent) {
        let at = event.at;
        match &event.kind {
            EventKind::InstancesFound { stage, count } => self.on(stage, |stage| stage.find(*count)),
            EventKind::Started { item } => self.on(&item.stage, |stage| stage.start(&item.path, at)),
            EventKind::Saved { stage, path } => self.on(stage, |stage| stage.saved.add(path)),
            EventKind::AttemptSent { item, attempt, .. } => self.on(&item.stage, |stage| {
                stage.send(&item.path, *attempt, at);
            }),
            EventKind::FellBack { item, .. } => self.on(&item.stage, |stage| stage.fall_back(&item.path)),
            EventKind::Reused { item, .. } => self.on(&item.stage, |stage| stage.reuse(&item.path)),
            EventKind::Done { item, attempts, usage, cost, took, .. } => self.end(item, at, |stage| {
                stage.come_out(&item.path);
                stage.take(&item.path, at, *took);
                stage.cost = stage.cost.plus(*cost);
                match usage {
                    Some(usage) => stage.usage = stage.usage.plus(*usage),
                    None => stage.unmetered += u64::from(*attempts > 0 && stage.speaks()),
                }
            }),
            // It counts as not started, since the next run takes it up; what it took is gone all the same.
            EventKind::GivenUp { item, usage, cost, .. } => self.on(&item.stage, |stage| {
                stage.usage = stage.usage.plus(usage.unwrap_or_default());
                stage.cost = stage.cost.plus(*cost);
            }),
            EventKind::Skipped { item, reason } => self.end(item, at, |stage| match reason {
                SkipReason::When | SkipReason::Absent { .. } => stage.tally.skipped += 1,
                SkipReason::Failed { .. } => stage.tally.skipped_after_failure += 1,
                SkipReason::Unknown { .. } => {}
            }),
            EventKind::Replaced { item, usage, cost, failure, .. } => {
                self.fail(item, at, (failure, *usage, *cost), true);
            }
            EventKind::Failed { item, usage, cost, failure, .. } => {
                self.fail(item, at, (failure, *usage, *cost), false);
            }
            _ => {}
        }
    }

    fn fail(
        &mut self,
        item: &ItemRef,
        at: Timestamp,
        (failure, usage, cost): (&Failure, Option<Usage>, Cost),
        replaced: bool,
    ) {
        self.failures.add(item, failure, replaced);
        self.end(item, at, |stage| {
            stage.usage = stage.usage.plus(usage.unwrap_or_default());
            stage.cost = stage.cost.plus(cost);
            stage.cut += u64::from(failure.kind == FailureKind::Length);
            if replaced {
                stage.tally.replaced += 1;
            } else {
                stage.tally.failed += 1;
            }
        });
    }

    fn end(&mut self, item: &ItemRef, at: Timestamp, count: impl FnOnce(&mut StageView)) {
        self.on(&item.stage, |stage| {
            count(stage);
            stage.end(&item.path, at);
        });
    }

    fn on(&mut self, stage: &Arc<str>, change: impl FnOnce(&mut StageView)) {
        if let Some(stage) = self.stages.get_mut(stage) {
            change(stage);
        }
    }

    /// The run's own name; empty before the first event.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// The pipeline's name; empty before the first event.
    pub fn pipeline(&self) -> &str {
        &self.pipeline
    }

    /// Whether its answers are kept, so that it can be gone on with.
    pub fn is_kept(&self) -> bool {
        self.is_kept
    }

    /// Every stage, in file order.
    pub fn stages(&self) -> impl ExactSizeIterator<Item = &StageView> {
        self.stages.values()
    }

    /// A stage by its name.
    pub fn stage(&self, name: &str) -> Option<&StageView> {
        self.stages.get(name)
    }

    /// Every lane that was held back, in the order in which that first happened.
    pub fn lanes(&self) -> impl ExactSizeIterator<Item = (&LaneRef, &LaneView)> {
        self.lanes.iter()
    }

    /// What failed, by reason.
    pub fn failures(&self) -> &Failures {
        &self.failures
    }

    /// The first warnings.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// How many more warnings there were.
    pub fn more_warnings(&self) -> u64 {
        self.more_warnings
    }

    /// Why nothing more is started, if so.
    pub fn stopping(&self) -> Option<&str> {
        self.stopping.as_deref()
    }

    /// How the run ended, once it has.
    pub fn outcome(&self) -> Option<&RunOutcome> {
        self.outcome.as_ref()
    }

    /// Instances in flight for which a request has gone out, in all stages.
    pub fn asking(&self) -> u64 {
        self.stages().map(StageView::asking).sum()
    }

    /// Instances in flight, in all stages.
    pub fn in_flight(&self) -> u64 {
        self.stages().map(StageView::in_flight).sum()
    }

    /// From the first event until `now`, or until the end of the run.
    pub fn elapsed(&self, now: Timestamp) -> Duration {
        self.took.unwrap_or_else(|| self.began.map_or(Duration::ZERO, |began| between(began, now)))
    }

    /// From the first event to the last, or what the run itself says.
    pub fn took(&self) -> Duration {
        self.last.map_or(Duration::ZERO, |last| self.elapsed(last))
    }

    /// What all stages have cost, as far as prices are known.
    pub fn cost(&self) -> Cost {
        self.stages().fold(Cost::NOTHING, |sum, stage| sum.plus(stage.cost))
    }

    /// The figures of all stages together.
    pub fn total(&self) -> StageTally {
        self.stages().map(|stage| stage.tally).fold(StageTally::default(), StageTally::plus)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, call, item, lane};
    use super::*;
    use crate::model::StageKindName;

    fn sum(tally: StageTally) -> u64 {
        let StageTally { instances: _, done, reused, replaced, skipped, skipped_after_failure, failed, not_started } =
            tally;
        done + reused + replaced + skipped + skipped_after_failure + failed + not_started
    }

    #[test]
    fn every_instance_is_accounted_for_at_each_moment() {
        let mut sample = Sample::new();
        sample.plan("a", Some(8)).plan("b", None);
        let failure = Failure::new(FailureKind::WrongAnswer, "no");
        let done = |item| EventKind::Done {
            item,
            lane: None,
            attempts: 0,
            usage: None,
            cost: Cost::NOTHING,
            took: Duration::ZERO,
            saved: None,
        };
        let steps: Vec<EventKind> = vec![
            EventKind::InstancesFound { stage: "b".into(), count: 2 },
            EventKind::Reused { item: item("a", 0), call: call(), lane: None },
            done(item("a", 0)),
            // An answer that was kept, and fails a check that is new.
            EventKind::Reused { item: item("a", 6), call: call(), lane: None },
            EventKind::Failed {
                item: item("a", 6),
                attempts: 0,
                usage: None,
                cost: Cost::NOTHING,
                failure: failure.clone(),
            },
            done(item("a", 7)),
            EventKind::Replaced {
                item: item("a", 1),
                attempts: 1,
                usage: None,
                cost: Cost::NOTHING,
                failure: failure.clone(),
            },
            EventKind::Skipped { item: item("a", 2), reason: SkipReason::When },
            EventKind::Skipped { item: item("a", 3), reason: SkipReason::Absent { stage: "b".into() } },
            EventKind::Skipped { item: item("a", 4), reason: SkipReason::Failed { stage: "b".into() } },
            EventKind::Failed { item: item("a", 5), attempts: 1, usage: None, cost: Cost::NOTHING, failure },
            // One more than was announced, since the next items were read in the meantime.
            EventKind::Skipped { item: item("b", 0), reason: SkipReason::When },
            EventKind::Skipped { item: item("b", 1), reason: SkipReason::When },
            EventKind::Skipped { item: item("b", 2), reason: SkipReason::When },
        ];
        for step in steps {
            sample.push(step);
            for stage in sample.tally().stages() {
                assert_eq!(sum(stage.tally), stage.tally.instances, "{stage:?}");
            }
        }
        let expected = StageTally {
            instances: 11,
            done: 1,
            reused: 1,
            replaced: 1,
            skipped: 5,
            skipped_after_failure: 1,
            failed: 2,
            not_started: 0,
        };
        assert_eq!(sample.tally().total(), expected);
    }

    #[test]
    fn the_runs_own_figures_have_the_last_word() {
        let mut sample = Sample::new();
        sample.plan("a", None).start("a", 0);
        assert_eq!(sample.tally().in_flight(), 1);
        let own = StageTally { instances: 1_000, not_started: 1_000, ..StageTally::default() };
        let outcome = RunOutcome::Interrupted { terminated: false };
        let took = Duration::from_secs(9);
        sample.push(EventKind::RunFinished { outcome, stages: vec![("a".into(), own)], took });
        assert_eq!(sample.tally().total(), own);
        assert_eq!(sample.tally().in_flight(), 0);
        assert_eq!(sample.tally().took(), took);
    }

    #[test]
    fn a_hundred_thousand_items_leave_no_trace_but_figures() {
        let mut tally = Tally::default();
        let mut apply = |kind| tally.apply(&RunEvent { seq: 1, at: Timestamp::UNIX_EPOCH, kind });
        apply(EventKind::StagePlanned { stage: "a".into(), kind: StageKindName::Text, instances: Some(100_000) });
        let failure = |number: u64| {
            Failure::new(FailureKind::WrongAnswer, format!("reason {number}")).suggest(format!("try {number}"))
        };
        for number in 0..100_000 {
            apply(EventKind::Started { item: item("a", number) });
            let failed = |failure| EventKind::Failed {
                item: item("a", number),
                attempts: 1,
                usage: None,
                cost: Cost::NOTHING,
                failure,
            };
            match number % 3 {
                0 => apply(failed(failure(number))),
                1 => apply(failed(failure(0))),
                _ => apply(EventKind::Saved { stage: "a".into(), path: number.to_string().into() }),
            }
            if number % 3 == 2 {
                apply(EventKind::Skipped { item: item("a", number), reason: SkipReason::When });
                apply(EventKind::Warning { message: number.to_string() });
            }
        }
        // A rough measure of what is held, which is enough to tell hundreds of lines from ten thousands.
        assert!(format!("{tally:?}").len() < 40_000);
        assert_eq!(tally.total().failed, 66_667);
        assert_eq!(tally.failures().groups().len(), 20);
        let told: u64 = tally.failures().groups().iter().map(|group| group.count).sum();
        assert_eq!(told + tally.failures().others(), 66_667);
    }

    #[test]
    fn a_retry_is_a_call_sent_again() {
        let mut sample = Sample::new();
        sample.plan("a", Some(1)).start("a", 0).send("a", 0, 1).send("a", 0, 2).done("a", 0);
        let stage = sample.tally().stage("a").unwrap();
        assert_eq!((stage.calls, stage.retries, stage.usage.total_tokens), (2, 1, 10));
    }

    #[test]
    fn the_first_request_to_a_fallback_is_no_retry() {
        let mut sample = Sample::new();
        let fall_back = || EventKind::FellBack { item: item("a", 0), from: lane(), lane: lane() };
        sample.plan("a", Some(1)).start("a", 0).send("a", 0, 1).send("a", 0, 2).push(fall_back());
        sample.send("a", 0, 3).send("a", 0, 4).push(fall_back()).push(fall_back()).send("a", 0, 5).done("a", 0);
        let stage = sample.tally().stage("a").unwrap();
        assert_eq!((stage.calls, stage.retries), (5, 2));
    }

    #[test]
    fn what_failed_items_took_is_counted() {
        let mut sample = Sample::new();
        sample.plan("a", Some(3)).start("a", 0).done("a", 0);
        let cost = Cost::unpriced(1);
        let (failure, usage) =
            (Failure::new(FailureKind::Length, "cut"), Some(Usage { total_tokens: 7, ..Usage::default() }));
        sample.push(EventKind::Replaced { item: item("a", 1), attempts: 1, usage, cost, failure: failure.clone() });
        sample.push(EventKind::Failed { item: item("a", 2), attempts: 1, usage, cost, failure });
        assert_eq!(sample.tally().stage("a").unwrap().usage.total_tokens, 24);
        assert_eq!(sample.tally().cost(), Cost::unpriced(2));
    }

    #[test]
    fn lanes_remember_how_often_and_how_long() {
        let mut sample = Sample::new();
        for _ in 0..2 {
            sample.push(EventKind::LaneSlowed { lane: lane(), limit: 3 });
            sample.push(EventKind::LanePaused { lane: lane(), pause: Duration::from_secs(2), asked: false });
            sample.seconds(1.0);
        }
        let (_, view) = sample.tally().lanes().next().unwrap();
        assert!(view.is_paused);
        assert_eq!((view.slowed, view.pauses, view.paused), (2, 2, Duration::from_secs(3)));
        sample.push(EventKind::LaneOpened { lane: lane(), limit: 1 });
        let (_, view) = sample.tally().lanes().next().unwrap();
        assert_eq!((view.is_paused, view.limit), (false, Some(1)));
        sample.push(EventKind::LanePaused { lane: lane(), pause: Duration::from_secs(60), asked: false });
        sample.seconds(2.0).finish(RunOutcome::Failed);
        let (_, view) = sample.tally().lanes().next().unwrap();
        assert_eq!(view.paused, Duration::from_secs(4), "the run does not wait for the rest");
    }

    #[test]
    fn what_the_server_asked_for_is_counted_apart() {
        let mut sample = Sample::new();
        let pause = |seconds, asked| EventKind::LanePaused { lane: lane(), pause: Duration::from_secs(seconds), asked };
        sample.push(pause(5, false)).push(pause(2, true)).seconds(5.0).push(pause(4, true)).seconds(1.0);
        sample.finish(RunOutcome::Failed);
        let (_, view) = sample.tally().lanes().next().unwrap();
        assert_eq!((view.paused, view.asked), (Duration::from_secs(6), Duration::from_secs(3)));
    }
}
