//! Runs as programs read them.

use serde_json::json;

use crate::model::Json;
use crate::store::{KeptAttempt, KeptInstance, KeptRun, Pruned, Requests, Store, StoreError};

use super::runs_item::ItemHistory;
use super::runs_text::{StageLine, end_in_a_word, stages, total};

pub(super) fn list(store: &Store, runs: &[KeptRun]) -> Result<String, StoreError> {
    let runs: Vec<Json> =
        runs.iter().map(|run| Ok(head(run, &total(&stages(store, run)?)))).collect::<Result<_, StoreError>>()?;
    Ok(printed(&json!(runs)))
}

pub(super) fn run(store: &Store, run: &KeptRun) -> Result<String, StoreError> {
    let lines = stages(store, run)?;
    let mut shown = head(run, &total(&lines));
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("outcome".to_owned(), run.outcome.clone().unwrap_or_default());
        fields.insert("words".to_owned(), run.about.get("words").cloned().unwrap_or_default());
        fields.insert("folder".to_owned(), run.about.get("folder").cloned().unwrap_or_default());
        fields.insert("stages".to_owned(), lines.iter().map(line).collect());
        fields.insert("instances".to_owned(), instances(store, run, None)?);
    }
    Ok(printed(&shown))
}

pub(super) fn stage(store: &Store, run: &KeptRun, stage: &str) -> Result<String, StoreError> {
    let found = stages(store, run)?.into_iter().find(|(name, _, _)| name == stage);
    let shown =
        json!({"run": run.name, "stage": found.as_ref().map(line), "instances": instances(store, run, Some(stage))?});
    Ok(printed(&shown))
}

pub(super) fn item(store: &Store, run: &KeptRun, stage: &str, item: &str) -> Result<String, StoreError> {
    let history = ItemHistory::of(store, run, stage, item)?;
    let lane = history.lane().cloned();
    let ItemHistory { instance: one, attempts, kept } = history;
    let key = Some(item).filter(|item| *item != stage);
    let attempts: Vec<Json> = attempts.iter().map(attempt).collect();
    let kept = kept
        .as_ref()
        .map(|kept| json!({"run": Some(&kept.run).filter(|run| !run.is_empty()), "attempt": attempt(kept)}));
    Ok(printed(&json!({
        "run": run.name, "stage": stage, "key": key, "state": one.as_ref().map(|one| one.state.name()),
        "why": one.as_ref().map(|one| &one.why), "lane": lane, "attempts": attempts, "kept": kept,
    })))
}

pub(super) fn pruned(pruned: &Pruned) -> String {
    let Pruned { runs, attempts, files, bytes } = pruned;
    printed(&json!({"runs": runs, "attempts": attempts, "files": files, "bytes": bytes}))
}

fn head(run: &KeptRun, taken: &Requests) -> Json {
    json!({
        "run": run.name, "pipeline": run.pipeline, "began": run.began, "ended": run.ended, "end": end_in_a_word(run),
        "requests": taken.sent, "answered": taken.answered, "fallbacks": taken.fallbacks, "usage": taken.usage,
        "cost": taken.cost,
    })
}

fn line((name, tally, taken): &StageLine) -> Json {
    json!({
        "name": name, "tally": tally, "requests": taken.sent, "answered": taken.answered,
        "fallbacks": taken.fallbacks, "usage": taken.usage, "cost": taken.cost,
    })
}

fn instances(store: &Store, run: &KeptRun, stage: Option<&str>) -> Result<Json, StoreError> {
    let mut instances = Vec::new();
    store.instances(run.id, stage, |one| {
        let KeptInstance { stage, item, state, why, attempts } = one;
        instances.push(json!({
            "stage": stage, "key": item, "state": state.name(), "why": why, "attempts": attempts,
        }));
    })?;
    Ok(Json::Array(instances))
}

fn attempt(attempt: &KeptAttempt) -> Json {
    json!({
        "number": attempt.number, "take": attempt.take, "provider": attempt.lane.provider,
        "asked_model": attempt.lane.model, "began": attempt.began, "took": attempt.took.as_secs_f64(),
        "failure": attempt.failure, "text": attempt.text, "picture": attempt.picture, "model": attempt.model,
        "finish_reason": attempt.finish_reason, "usage": attempt.usage, "cost": attempt.cost,
        "request": serde_json::from_str::<Json>(&attempt.request).unwrap_or_default(),
    })
}

fn printed(value: &Json) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}
