//! The time between events: the time of the last one, carried on by a steady clock.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Tells the time without asking the system for the date: events bring it.
#[derive(Debug)]
pub(super) struct Clock {
    last: Option<(Timestamp, Instant)>,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self { last: None }
    }

    /// An event says what time it is.
    pub(super) fn set(&mut self, at: Timestamp) {
        self.last = Some((at, Instant::now()));
    }

    /// The time; absent before the first event.
    pub(super) fn now(&self) -> Option<Timestamp> {
        let (at, since) = self.last?;
        let passed = SignedDuration::try_from(since.elapsed()).unwrap_or(SignedDuration::ZERO);
        Some(at.saturating_add(passed).unwrap_or(at))
    }
}

/// The time from `from` to `to`; zero if a clock was set back in between.
pub(super) fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
