//! What a call has come to so far, whoever was asked.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::SetOnce;
use tokio::time::Instant;

use crate::model::{Cost, Failure, Usage};

use super::Unanswered;
use super::clock::{from_now, time_is_up};

/// Counts all attempts of a call, and how long they may take together.
#[derive(Debug)]
pub(super) struct Account {
    /// Requests sent.
    pub(super) sent: u32,
    /// What they took so far, as far as providers say.
    pub(super) usage: Option<Usage>,
    /// What they cost so far.
    pub(super) cost: Cost,
    /// Why the last attempt failed.
    pub(super) last: Option<Box<Failure>>,
    /// When the total time is up, and how long it is; from the first request on.
    total: Option<(Instant, Duration)>,
    /// Where others are told when its first request went out.
    begun: Option<Arc<SetOnce<Instant>>>,
}

impl Account {
    /// Of nothing so far.
    pub(super) fn new() -> Self {
        Self { sent: 0, usage: None, cost: Cost::NOTHING, last: None, total: None, begun: None }
    }

    /// The same for one that others wait for, and that may have waited itself: its time runs already then, if there is any.
    pub(super) fn joint(begun: Arc<SetOnce<Instant>>, total: Option<(Instant, Duration)>) -> Self {
        Self { total, begun: Some(begun), ..Self::new() }
    }

    /// A request goes out: its time begins with the first.
    pub(super) fn send(&mut self, total: Option<Duration>) {
        self.sent += 1;
        if self.total.is_none() {
            self.total = total.and_then(from_now);
        }
        if let Some(begun) = self.begun.take() {
            // Nobody else says when.
            begun.set(Instant::now()).ok();
        }
    }

    /// When the total time is up, and how long it is.
    pub(super) fn total(&self) -> Option<(Instant, Duration)> {
        self.total
    }

    /// Whether the total time is up.
    pub(super) fn is_over(&self) -> bool {
        self.total.is_some_and(|(end, _)| Instant::now() >= end)
    }

    /// Returns when the total time is up, with how long it is.
    pub(super) async fn time_is_up(&self) -> Duration {
        time_is_up(self.total).await
    }

    /// Adds what the last attempt came to.
    pub(super) fn after_last(&self, mut failure: Failure) -> Failure {
        if let Some(last) = &self.last {
            failure.message = format!("{}; the last attempt: {}", failure.message, last.message);
            failure.partial.clone_from(&last.partial);
        }
        failure
    }

    pub(super) fn unanswered(&self, failure: Failure) -> Unanswered {
        Unanswered { failure, attempts: self.sent, usage: self.usage, cost: self.cost }
    }
}
