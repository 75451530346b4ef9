//! What is written down of a call: each request that was sent, and what came of it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{Call, CallKey, Cost, Failure, ItemRef, LaneRef, Reply};

/// A call with what it is known by, worked out once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The stage that asks.
    pub stage: Arc<str>,
    /// Its key; that of its first take.
    pub key: CallKey,
    /// What the key is a digest of, as JSON.
    pub canonical: Arc<str>,
}

impl Asked {
    /// What a call is known by.
    pub fn of(call: &Call) -> Self {
        let canonical = call.canonical();
        Self { stage: call.stage.clone(), key: CallKey::of(&canonical), canonical: canonical.into() }
    }
}

/// A request that was sent, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct AttemptRecord {
    /// What was asked.
    pub asked: Asked,
    /// Which take of it, from 0.
    pub take: u32,
    /// For which instance.
    pub item: ItemRef,
    /// Who was asked.
    pub lane: LaneRef,
    /// How many others its `fallback` has before this one; 0 for who is asked first.
    pub link: u32,
    /// From 1.
    pub number: u32,
    /// When it was sent.
    pub began: Timestamp,
    /// Until its end.
    pub took: Duration,
    /// The whole answer, or why there is none.
    pub outcome: Result<Reply, Failure>,
    /// How many tokens of a budget it took: those that were told, else the most that it can have taken.
    pub tokens: u64,
    /// What it has cost, as far as prices are known.
    pub cost: Cost,
    /// The number under which it was written down before it was sent, if it was.
    pub sending: Option<i64>,
    /// A text that was streamed, in the pieces in which it came; where somebody wants them.
    pub chunks: Vec<String>,
}

/// An answer that is kept, by its place among all of its store: later ones are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AnswerId(pub i64);

/// An answer that is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptAnswer {
    /// Which.
    pub id: AnswerId,
    /// When it had come.
    pub at: Timestamp,
    /// Who gave it, where that is known; without a model where none was sent, or where that is not known.
    pub lane: Option<LaneRef>,
    /// As the provider gave it.
    pub reply: Reply,
}
