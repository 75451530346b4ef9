//! Runs for tests, told event by event.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::model::{
    CallKey, Cost, EventKind, Failure, FailureKind, ItemRef, LaneRef, RunEvent, RunOutcome, SkipReason, StageKindName,
    Usage,
};

use super::tally::Tally;

/// A run that goes on as it is told to.
#[derive(Debug)]
pub(super) struct Sample {
    events: Vec<RunEvent>,
    tally: Tally,
    now: Timestamp,
}

pub(super) fn item(stage: &str, number: u64) -> ItemRef {
    ItemRef { stage: stage.into(), key: Some((number + 1).to_string().into()), path: [number].into() }
}

pub(super) fn single(stage: &str) -> ItemRef {
    ItemRef { stage: stage.into(), key: None, path: Arc::new([]) }
}

pub(super) fn lane() -> LaneRef {
    LaneRef { provider: "pollinations".into(), model: Some("openai".into()) }
}

pub(super) fn call() -> CallKey {
    crate::model::Call {
        stage: "analyze".into(),
        provider: crate::model::ProviderIdentity {
            kind: crate::model::ProviderKind::Offline,
            address: "offline".into(),
        },
        model: None,
        request: crate::model::Request::Image { prompt: "a".into(), params: crate::model::ImageParams::default() },
        repeat: vec![],
        answer: crate::model::Choice::Text,
    }
    .key()
}

impl Sample {
    pub(super) fn new() -> Self {
        Self::with_store(None)
    }

    /// A run whose answers are kept.
    pub(super) fn kept() -> Self {
        Self::with_store(Some(".blossom".into()))
    }

    fn with_store(store: Option<std::sync::Arc<str>>) -> Self {
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        let mut sample = Self { events: vec![], tally: Tally::default(), now };
        sample.push(EventKind::RunStarted {
            run: "amber-fox".into(),
            pipeline: "sample".into(),
            store,
            record: None,
            replay: None,
        });
        sample
    }

    pub(super) fn push(&mut self, kind: EventKind) -> &mut Self {
        let event = RunEvent { seq: self.events.len() as u64 + 1, at: self.now, kind };
        self.tally.apply(&event);
        self.events.push(event);
        self
    }

    pub(super) fn seconds(&mut self, seconds: f64) -> &mut Self {
        self.now += SignedDuration::from_secs_f64(seconds);
        self
    }

    pub(super) fn plan(&mut self, stage: &str, instances: Option<u64>) -> &mut Self {
        self.push(EventKind::StagePlanned { stage: stage.into(), kind: StageKindName::Text, instances })
    }

    pub(super) fn found(&mut self, stage: &str, count: u64) -> &mut Self {
        self.push(EventKind::InstancesFound { stage: stage.into(), count })
    }

    pub(super) fn start(&mut self, stage: &str, number: u64) -> &mut Self {
        self.push(EventKind::Started { item: item(stage, number) })
    }

    pub(super) fn send(&mut self, stage: &str, number: u64, attempt: u32) -> &mut Self {
        self.push(EventKind::AttemptSent { item: item(stage, number), call: call(), attempt, lane: lane() })
    }

    pub(super) fn reuse(&mut self, stage: &str, number: u64) -> &mut Self {
        self.push(EventKind::Reused { item: item(stage, number), call: call(), lane: Some(lane()) })
    }

    pub(super) fn done(&mut self, stage: &str, number: u64) -> &mut Self {
        self.push(EventKind::Done {
            item: item(stage, number),
            lane: Some(lane()),
            attempts: 1,
            usage: Some(Usage { input_tokens: 8, output_tokens: 2, total_tokens: 10 }),
            cost: Cost::NOTHING,
            took: Duration::from_millis(500),
            saved: None,
        })
    }

    pub(super) fn fail(&mut self, stage: &str, number: u64, message: &str) -> &mut Self {
        let failure = Failure::new(FailureKind::Length, message).suggest("raise `max_tokens`");
        self.push(EventKind::Failed {
            item: item(stage, number),
            attempts: 1,
            usage: None,
            cost: Cost::NOTHING,
            failure,
        })
    }

    pub(super) fn skip(&mut self, stage: &str, number: u64, reason: SkipReason) -> &mut Self {
        self.push(EventKind::Skipped { item: item(stage, number), reason })
    }

    pub(super) fn saved(&mut self, stage: &str, path: &str) -> &mut Self {
        self.push(EventKind::Saved { stage: stage.into(), path: path.into() })
    }

    pub(super) fn finish(&mut self, outcome: RunOutcome) -> &mut Self {
        let stages = self.tally.stages().map(|stage| (stage.name.clone(), stage.tally)).collect();
        let took = self.tally.elapsed(self.now);
        self.push(EventKind::RunFinished { outcome, stages, took })
    }

    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }

    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    pub(super) fn events(&self) -> &[RunEvent] {
        &self.events
    }
}
