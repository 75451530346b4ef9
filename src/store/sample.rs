//! Requests and answers for the tests of this room.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::{
    Amount, Asked, AttemptRecord, CallKey, Content, Cost, Failure, FailureKind, ItemRef, LaneRef, Reply, Usage,
};

/// What `prompt` is known by.
pub(super) fn asked(prompt: &str) -> Asked {
    let canonical: Arc<str> = format!("{{\"prompt\":\"{prompt}\"}}").into();
    Asked { stage: "stage".into(), key: CallKey::of(&canonical), canonical }
}

/// A request that began at, and took, so many milliseconds.
pub(super) fn attempt(prompt: &str, outcome: Result<Reply, Failure>, began: i64, took: u64) -> AttemptRecord {
    let usd = if outcome.is_ok() { Amount(5) } else { Amount::ZERO };
    let tokens = if outcome.is_ok() { 7 } else { 0 };
    AttemptRecord {
        asked: asked(prompt),
        take: 0,
        item: ItemRef { stage: "stage".into(), key: Some("item".into()), path: [0].into() },
        lane: LaneRef { provider: "p".into(), model: Some("m".into()) },
        link: 0,
        number: 1,
        began: Timestamp::from_millisecond(began).unwrap_or_default(),
        took: Duration::from_millis(took),
        outcome,
        tokens,
        cost: Cost { usd, ..Cost::NOTHING },
        sending: None,
        chunks: Vec::new(),
    }
}

pub(super) fn answered(prompt: &str, text: &str, began: i64, took: u64) -> AttemptRecord {
    let usage = Some(Usage { input_tokens: 3, output_tokens: 4, total_tokens: 7 });
    let content = Content::Text(text.to_owned());
    let reply = Reply { content, usage, model: Some("m".into()), finish_reason: Some("stop".into()), request_id: None };
    attempt(prompt, Ok(reply), began, took)
}

pub(super) fn refused(prompt: &str, began: i64, took: u64) -> AttemptRecord {
    attempt(prompt, Err(Failure::new(FailureKind::RateLimited, "no")), began, took)
}
