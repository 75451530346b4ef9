//! The JSON of events is a contract with other programs: `tests/golden/events.jsonl` holds one of each.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use blossom_run::model::{
    BudgetPart, Call, CallKey, Choice, Cost, EventKind, Failure, FailureKind, ItemRef, LaneRef, ProviderIdentity,
    ProviderKind, Request, RunEvent, RunOutcome, SkipReason, Spent, StageKindName, StageTally, TextParams, Usage,
};
use blossom_run::sink::{EventLines, Printer, Tally, Watcher};

const GOLDEN: &str = include_str!("golden/events.jsonl");

fn key() -> CallKey {
    Call {
        stage: "analyze".into(),
        provider: ProviderIdentity { kind: ProviderKind::Offline, address: "offline".into() },
        model: None,
        request: Request::Text { messages: vec![], params: TextParams::default() },
        repeat: vec![],
        answer: Choice::Text,
    }
    .key()
}

fn failure() -> Failure {
    Failure {
        kind: FailureKind::RateLimited,
        message: "the server is full".into(),
        suggestion: Some("lower `concurrency`".into()),
        status: Some(429),
        code: Some("QUEUE_FULL".into()),
        request_id: Some("req-1".into()),
        retry_after: Some(Duration::from_millis(2500)),
        partial: Some("Half an ans".into()),
        usage: Some(Usage { input_tokens: 40, output_tokens: 20, total_tokens: 60 }),
    }
}

fn item() -> ItemRef {
    ItemRef { stage: "analyze".into(), key: Some("de/checkout".into()), path: [0, 6].into() }
}

fn single() -> ItemRef {
    ItemRef { stage: "report".into(), key: None, path: [].into() }
}

fn lane() -> LaneRef {
    LaneRef { provider: "pollinations".into(), model: Some("openai".into()) }
}

/// The name of each kind in JSON. A new kind does not compile until it stands here, and then has to be in the file.
fn name(kind: &EventKind) -> &'static str {
    match kind {
        EventKind::RunStarted { .. } => "run_started",
        EventKind::StagePlanned { .. } => "stage_planned",
        EventKind::InstancesFound { .. } => "instances_found",
        EventKind::Ready { .. } => "ready",
        EventKind::Started { .. } => "started",
        EventKind::Reused { .. } => "reused",
        EventKind::AttemptSent { .. } => "attempt_sent",
        EventKind::FirstToken { .. } => "first_token",
        EventKind::Chunk { .. } => "chunk",
        EventKind::AttemptFailed { .. } => "attempt_failed",
        EventKind::FellBack { .. } => "fell_back",
        EventKind::Done { .. } => "done",
        EventKind::GivenUp { .. } => "given_up",
        EventKind::Replaced { .. } => "replaced",
        EventKind::Skipped { .. } => "skipped",
        EventKind::Failed { .. } => "failed",
        EventKind::LaneSlowed { .. } => "lane_slowed",
        EventKind::LanePaused { .. } => "lane_paused",
        EventKind::LaneOpened { .. } => "lane_opened",
        EventKind::BudgetExhausted { .. } => "budget_exhausted",
        EventKind::Warning { .. } => "warning",
        EventKind::Saved { .. } => "saved",
        EventKind::Stopping { .. } => "stopping",
        EventKind::RunFinished { .. } => "run_finished",
    }
}

const KINDS: usize = 24;

fn beginning() -> Vec<EventKind> {
    vec![
        EventKind::RunStarted {
            run: "amber-fox".into(),
            pipeline: "digest".into(),
            store: Some(".blossom".into()),
            record: Some("digest.jsonl".into()),
            replay: Some("digest.jsonl".into()),
        },
        EventKind::StagePlanned { stage: "analyze".into(), kind: StageKindName::Text, instances: None },
        EventKind::StagePlanned { stage: "report".into(), kind: StageKindName::Chat, instances: Some(1) },
        EventKind::StagePlanned { stage: "cover".into(), kind: StageKindName::Image, instances: Some(1) },
        EventKind::StagePlanned { stage: "page".into(), kind: StageKindName::Render, instances: Some(1) },
        EventKind::InstancesFound { stage: "analyze".into(), count: 40 },
        EventKind::Warning { message: "`page` is never used".into() },
        EventKind::Ready { item: item() },
        EventKind::Started { item: item() },
        EventKind::AttemptSent { item: item(), call: key(), attempt: 1, lane: lane() },
        EventKind::FirstToken { item: item(), attempt: 1, after: Duration::from_millis(350) },
        EventKind::Chunk { item: item(), attempt: 1, text: "Half an ans".into() },
        EventKind::AttemptFailed {
            item: item(),
            attempt: 1,
            failure: failure(),
            retry_in: Some(Duration::from_millis(1500)),
        },
        EventKind::AttemptFailed {
            item: single(),
            attempt: 3,
            failure: Failure::new(FailureKind::Empty, "the answer is empty"),
            retry_in: None,
        },
        EventKind::FellBack {
            item: item(),
            from: lane(),
            lane: LaneRef { provider: "openai".into(), model: Some("gpt-5".into()) },
        },
        EventKind::LaneSlowed { lane: lane(), limit: 3 },
        EventKind::LanePaused { lane: LaneRef { model: None, ..lane() }, pause: Duration::from_secs(2), asked: true },
        EventKind::LaneOpened { lane: lane(), limit: 3 },
    ]
}

fn ends() -> Vec<EventKind> {
    let usage = Usage { input_tokens: 120, output_tokens: 80, total_tokens: 200 };
    let tally = StageTally { instances: 40, done: 39, failed: 1, ..StageTally::default() };
    let finished = |outcome| EventKind::RunFinished {
        outcome,
        stages: vec![("analyze".into(), tally)],
        took: Duration::from_millis(12_340),
    };
    vec![
        EventKind::Reused { item: item(), call: key(), lane: Some(lane()) },
        EventKind::Done {
            item: item(),
            lane: Some(LaneRef { provider: "openai".into(), model: Some("gpt-5".into()) }),
            attempts: 2,
            usage: Some(usage),
            cost: Cost { usd: "0.0123".parse().unwrap(), unpriced: 1, ..Cost::NOTHING },
            took: Duration::from_millis(850),
            saved: Some("analyze/7.md".into()),
        },
        EventKind::Done {
            item: single(),
            lane: None,
            attempts: 0,
            usage: None,
            cost: Cost::NOTHING,
            took: Duration::ZERO,
            saved: None,
        },
        EventKind::Saved { stage: "analyze".into(), path: "analyze/7.md".into() },
        EventKind::GivenUp {
            item: item(),
            attempts: 1,
            usage: Some(usage),
            cost: Cost { usd: "0.1".parse().unwrap(), ..Cost::NOTHING },
        },
        EventKind::Replaced {
            item: item(),
            attempts: 3,
            usage: Some(usage),
            cost: Cost { pollen: "0.4".parse().unwrap(), ..Cost::NOTHING },
            failure: failure(),
        },
        EventKind::Skipped { item: item(), reason: SkipReason::When },
        EventKind::Skipped { item: item(), reason: SkipReason::Absent { stage: "outline".into() } },
        EventKind::Skipped { item: single(), reason: SkipReason::Failed { stage: "analyze".into() } },
        EventKind::Failed {
            item: item(),
            attempts: 3,
            usage: Some(usage),
            cost: Cost::unpriced(3),
            failure: failure(),
        },
        EventKind::BudgetExhausted {
            limit: BudgetPart::Cost,
            used: Spent { calls: 40, tokens: 8_000, cost: Cost { usd: "2.4998".parse().unwrap(), ..Cost::NOTHING } },
        },
        EventKind::Stopping { reason: "an item failed".into() },
        finished(RunOutcome::Done),
        finished(RunOutcome::Failed),
        finished(RunOutcome::Blocked { failure: Failure::new(FailureKind::KeyMissing, "no key") }),
        finished(RunOutcome::Unwritable { failure: Failure::new(FailureKind::Output, "the disk is full") }),
        finished(RunOutcome::Interrupted { terminated: true }),
        finished(RunOutcome::Internal { failure: Failure::new(FailureKind::Internal, "a task panicked") }),
    ]
}

#[derive(Debug, Clone, Default)]
struct Sheet(Arc<Mutex<Vec<u8>>>);

impl Write for Sheet {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn written(kinds: &[EventKind]) -> String {
    let sheet = Sheet::default();
    let mut lines = EventLines::new(Printer::new(sheet.clone()), "-");
    for (number, kind) in (1..).zip(kinds) {
        let at = "2026-11-22T10:00:00.25Z".parse().unwrap();
        lines.event(&RunEvent { seq: number, at, kind: kind.clone() }, &Tally::default());
    }
    assert_eq!(lines.finish(&Tally::default()), None);
    String::from_utf8(sheet.0.lock().unwrap().clone()).unwrap()
}

#[test]
fn events_are_written_as_the_golden_file_says() {
    let kinds: Vec<EventKind> = beginning().into_iter().chain(ends()).collect();
    let names: std::collections::BTreeSet<&str> = kinds.iter().map(name).collect();
    assert_eq!(names.len(), KINDS, "each kind of event is in the file");
    let written = written(&kinds);
    for (number, (is, should)) in (1..).zip(written.lines().zip(GOLDEN.lines())) {
        assert_eq!(is, should, "line {number}");
    }
    assert_eq!(written, GOLDEN);
}

#[test]
fn no_line_names_a_field_twice() {
    for line in GOLDEN.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(value.to_string(), line, "a field that stands twice is lost when it is read");
    }
}
