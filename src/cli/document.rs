//! `--json`: one document that says all of a run, for other programs.

use serde::Serialize;

use crate::engine::Output;
use crate::model::{Cost, Failure, Json, JsonMap, RunOutcome, StageKindName, StageTally, Usage};
use crate::sink::{Exit, Tally};

#[derive(Serialize)]
struct Document<'a> {
    run: &'a str,
    pipeline: &'a str,
    #[serde(flatten)]
    outcome: &'a RunOutcome,
    exit_code: u8,
    /// In seconds.
    took: f64,
    outputs: JsonMap,
    stages: Vec<StageEntry<'a>>,
    failures: Vec<FailureEntry<'a>>,
    warnings: &'a [String],
}

#[derive(Serialize)]
struct StageEntry<'a> {
    name: &'a str,
    kind: StageKindName,
    tally: StageTally,
    calls: u64,
    retries: u64,
    #[serde(skip_serializing_if = "is_nought")]
    fallbacks: u64,
    usage: Usage,
    #[serde(skip_serializing_if = "Cost::is_nothing")]
    cost: Cost,
    files: FilesEntry<'a>,
}

#[derive(Serialize)]
struct FilesEntry<'a> {
    count: u64,
    /// The first few; all of them lie in the output folder.
    first: Vec<&'a str>,
}

#[derive(Serialize)]
struct FailureEntry<'a> {
    stage: &'a str,
    count: u64,
    replaced: bool,
    /// The first few, by key.
    items: Vec<&'a str>,
    failure: &'a Failure,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over like this")]
fn is_nought(count: &u64) -> bool {
    *count == 0
}

/// The document, with a line break at its end.
pub(super) fn document(tally: &Tally, outcome: &RunOutcome, exit: Exit, outputs: &[Output]) -> String {
    let stages = tally.stages().map(|stage| StageEntry {
        name: &stage.name,
        kind: stage.kind,
        tally: stage.tally,
        calls: stage.calls,
        retries: stage.retries,
        fallbacks: stage.fallbacks,
        usage: stage.usage,
        cost: stage.cost,
        files: FilesEntry { count: stage.saved.count, first: stage.saved.first.iter().map(|path| &**path).collect() },
    });
    let failures = tally.failures().groups().iter().map(|group| FailureEntry {
        stage: &group.stage,
        count: group.count,
        replaced: group.replaced,
        items: group.items.iter().filter_map(|item| item.key.as_deref()).collect(),
        failure: &group.failure,
    });
    let document = Document {
        run: tally.run(),
        pipeline: tally.pipeline(),
        outcome,
        exit_code: exit.code(),
        took: tally.took().as_secs_f64(),
        outputs: outputs.iter().map(|output| (output.name.clone(), output.value.clone())).collect(),
        stages: stages.collect(),
        failures: failures.collect(),
        warnings: tally.warnings(),
    };
    let value = serde_json::to_value(document).unwrap_or(Json::Null);
    format!("{value:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EventKind, FailureKind, ItemRef, RunEvent};
    use serde_json::json;

    #[test]
    fn the_document_says_all_of_a_run() {
        let mut tally = Tally::default();
        let item = ItemRef { stage: "a".into(), key: Some("x".into()), path: [0].into() };
        let failure = Failure::new(FailureKind::Length, "the answer was cut");
        for (seq, kind) in (1..).zip([
            EventKind::RunStarted {
                run: "amber-fox".into(),
                pipeline: "digest".into(),
                store: None,
                record: None,
                replay: None,
            },
            EventKind::StagePlanned { stage: "a".into(), kind: StageKindName::Text, instances: Some(1) },
            EventKind::Failed { item, attempts: 1, usage: None, cost: Cost::NOTHING, failure },
            EventKind::Saved { stage: "a".into(), path: "a.jsonl".into() },
        ]) {
            tally.apply(&RunEvent { seq, at: jiff::Timestamp::UNIX_EPOCH, kind });
        }
        let outputs =
            [Output { name: "a".into(), value: json!(["one"]), stage_saved: Some("a.jsonl".into()), is_list: true }];
        let text = document(&tally, &RunOutcome::Failed, Exit::Failed, &outputs);
        let value: Json = serde_json::from_str(&text).unwrap();
        assert_eq!(
            value,
            json!({
                "run": "amber-fox",
                "pipeline": "digest",
                "outcome": "failed",
                "exit_code": 4,
                "took": 0.0,
                "outputs": {"a": ["one"]},
                "stages": [{
                    "name": "a",
                    "kind": "text",
                    "tally": {
                        "instances": 1, "done": 0, "reused": 0, "replaced": 0, "skipped": 0,
                        "skipped_after_failure": 0, "failed": 1, "not_started": 0,
                    },
                    "calls": 0,
                    "retries": 0,
                    "usage": {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0},
                    "files": {"count": 1, "first": ["a.jsonl"]},
                }],
                "failures": [{
                    "stage": "a",
                    "count": 1,
                    "replaced": false,
                    "items": ["x"],
                    "failure": {"kind": "length", "message": "the answer was cut"},
                }],
                "warnings": [],
            })
        );
    }
}
