//! One question with all that goes with it, and what comes of it.

use std::sync::Arc;

use crate::model::{
    AnswerId, Call, Clocks, Cost, Failure, ItemRef, Json, LaneRef, Order, Reply, RetryPolicy, Reuse, Usage,
};

use super::{RateGate, Slot, Terms};

/// A call, whom it goes to, and how patiently it is made.
#[derive(Debug, Clone)]
pub struct Ask {
    /// What is asked.
    pub call: Call,
    /// The provider's name in the file.
    pub provider: Arc<str>,
    /// How often it is sent at most, and the pauses in between.
    pub retry: RetryPolicy,
    /// What each further attempt passes before it is sent. The first one is its caller's affair.
    pub rate: Option<Arc<RateGate>>,
    /// The slot of its stage that its item holds, if it has one: given back once an answer has come, and while it waits for
    /// that of another.
    pub slot: Option<Arc<Slot>>,
    /// How long it may take.
    pub clocks: Clocks,
    /// Whether an answer that is kept will do.
    pub reuse: Reuse,
    /// Whether another take is wanted than those that are kept.
    pub fresh: bool,
    /// Whether a stream is asked for; of a text only.
    pub stream: bool,
    /// Whether text is told of as it comes, as [`EventKind::Chunk`](crate::model::EventKind::Chunk).
    pub show: bool,
    /// What the answer must be, and what is done where it is not.
    pub terms: Terms,
    /// Its precedence among all that wait for a permit.
    pub order: Order,
    /// Who asks, for events.
    pub item: ItemRef,
}

impl Ask {
    /// There is nothing to send for now.
    pub(super) fn give_slot_back(&self) {
        if let Some(slot) = &self.slot {
            slot.give_back();
        }
    }

    /// Waits until its item may send.
    pub(super) async fn hold_slot(&self) {
        if let Some(slot) = &self.slot {
            slot.hold().await;
        }
    }
}

/// A good answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// As the provider gave it.
    pub reply: Reply,
    /// Who gave it; nothing where it comes from a tape, which does not say. Of an answer that was kept there is no model
    /// where none was sent, or where that is not known.
    pub lane: Option<LaneRef>,
    /// The JSON in it, where JSON was asked for.
    pub json: Option<Json>,
    /// Requests sent for it by this question; 0 if it was kept.
    pub attempts: u32,
    /// Whether it was kept before, or asked for by somebody else at the same time.
    pub kept: bool,
    /// Where it is kept, if it is.
    pub id: Option<AnswerId>,
    /// What all attempts took, as far as the provider says; nothing if it was kept.
    pub usage: Option<Usage>,
    /// What all attempts cost, as far as prices are known; nothing if it was kept.
    pub cost: Cost,
}

/// No good answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{failure}")]
pub struct Unanswered {
    /// Why.
    pub failure: Failure,
    /// Requests sent.
    pub attempts: u32,
    /// What all attempts took, as far as the provider says.
    pub usage: Option<Usage>,
    /// What all attempts cost, as far as prices are known.
    pub cost: Cost,
}

/// How much of an answer goes into a failure, in characters.
const EXCERPT: usize = 2_000;

/// The beginning of an answer, for people to look at; says so where it is not all.
pub(super) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(EXCERPT) {
        None => text.to_owned(),
        Some((end, _)) => format!("{} [.. and more]", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_says_that_it_is_one() {
        assert_eq!(excerpt("short"), "short");
        let long = excerpt(&"é".repeat(2_500));
        assert!(long.starts_with(&"é".repeat(2_000)) && long.ends_with("é [.. and more]"));
    }
}
