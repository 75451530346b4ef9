//! How fast: requests in a time, and tokens in a minute.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::model::Rate;

/// Lets its callers through one by one, evenly spaced in the order in which they come: `60/min` is one each second. There
/// is no allowance for a burst; time in which nobody came is not made up for.
#[derive(Debug)]
pub struct RateGate {
    spacer: Mutex<Spacer>,
}

impl RateGate {
    /// A gate through which the first goes at once.
    pub fn new(rate: Rate) -> Self {
        Self { spacer: Mutex::new(Spacer::new(rate.spacing())) }
    }

    /// Waits for the next turn. A caller that leaves while it waits loses its turn; nobody else gets it.
    pub async fn pass(&self) {
        let turn = self.turn();
        sleep_until(turn).await;
    }

    fn turn(&self) -> Instant {
        let mut spacer = self.spacer.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let turn = spacer.ready_at().map_or(now, |next| next.max(now));
        spacer.take(turn);
        turn
    }
}

/// Keeps starts apart.
#[derive(Debug)]
pub(super) struct Spacer {
    spacing: Duration,
    next: Option<Instant>,
}

impl Spacer {
    pub(super) fn new(spacing: Duration) -> Self {
        Self { spacing, next: None }
    }

    /// When the next may start, if anything has started yet.
    pub(super) fn ready_at(&self) -> Option<Instant> {
        self.next
    }

    /// Something starts. Timers wake up to a millisecond late: the next turn counts from the one that was due, unless
    /// that is further back than the spacing, so that the rate that was asked for is reached and never exceeded.
    pub(super) fn take(&mut self, now: Instant) {
        let due = self.next.filter(|next| now.saturating_duration_since(*next) < self.spacing.min(LATENESS));
        self.next = Some(due.unwrap_or(now) + self.spacing);
    }
}

/// By how much a timer may be late before its turn counts as a new beginning.
const LATENESS: Duration = Duration::from_millis(5);

/// The time over which tokens are counted.
const MINUTE: Duration = Duration::from_secs(60);

/// At most so many tokens in any minute, by what was estimated when a request was sent and corrected when it ended.
#[derive(Debug)]
pub(super) struct TokenWindow {
    per_minute: u64,
    sent: VecDeque<Spent>,
    total: u64,
    next_id: u64,
}

#[derive(Debug)]
struct Spent {
    id: u64,
    at: Instant,
    tokens: u64,
}

impl TokenWindow {
    pub(super) fn new(per_minute: u64) -> Self {
        Self { per_minute, sent: VecDeque::new(), total: 0, next_id: 0 }
    }

    /// When so many tokens more fit. What is larger than the limit itself goes when nothing else is counted.
    pub(super) fn ready_at(&self, now: Instant, tokens: u64) -> Option<Instant> {
        let mut left = self.total;
        let mut ready = None;
        for spent in &self.sent {
            let is_over = spent.at + MINUTE <= now;
            if !is_over && left.saturating_add(tokens) <= self.per_minute {
                break;
            }
            if !is_over {
                ready = Some(spent.at + MINUTE);
            }
            left = left.saturating_sub(spent.tokens);
        }
        ready
    }

    /// Counts so many tokens; the number is for [`TokenWindow::settle`].
    pub(super) fn take(&mut self, now: Instant, tokens: u64) -> u64 {
        while let Some(spent) = self.sent.front().filter(|spent| spent.at + MINUTE <= now) {
            self.total = self.total.saturating_sub(spent.tokens);
            self.sent.pop_front();
        }
        let id = self.next_id;
        self.next_id += 1;
        self.total = self.total.saturating_add(tokens);
        self.sent.push_back(Spent { id, at: now, tokens });
        id
    }

    /// Replaces an estimate by what it came to.
    pub(super) fn settle(&mut self, id: u64, tokens: u64) {
        if let Ok(index) = self.sent.binary_search_by_key(&id, |spent| spent.id) {
            let spent = &mut self.sent[index];
            self.total = self.total.saturating_sub(spent.tokens).saturating_add(tokens);
            spent.tokens = tokens;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_rate_spaces_evenly_and_makes_nothing_up() {
        let gate = RateGate::new(Rate { count: 60, per: MINUTE });
        let begun = Instant::now();
        let pass = async || {
            gate.pass().await;
            begun.elapsed().as_secs()
        };
        assert_eq!(join_all((0..4).map(|_| pass())).await, [0, 1, 2, 3]);
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(join_all((0..3).map(|_| pass())).await, [13, 14, 15]);
    }

    #[tokio::test(start_paused = true)]
    async fn late_timers_do_not_lower_the_rate() {
        let mut spacer = Spacer::new(Duration::from_millis(10));
        let begun = Instant::now();
        spacer.take(begun);
        for _ in 0..100 {
            let late = spacer.ready_at().unwrap() + Duration::from_millis(1);
            spacer.take(late);
        }
        assert_eq!(spacer.ready_at().unwrap() - begun, Duration::from_millis(1010));
    }

    #[tokio::test(start_paused = true)]
    async fn tokens_of_the_last_minute_are_counted_and_settled() {
        let mut window = TokenWindow::new(100);
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let first = window.take(begun, 60);
        assert_eq!(window.ready_at(begun, 40), None);
        assert_eq!(window.ready_at(begun, 41), Some(at(60)));
        window.take(at(10), 40);
        assert_eq!(window.ready_at(at(10), 70), Some(at(70)));
        window.settle(first, 10);
        assert_eq!(window.ready_at(at(10), 50), None);
        assert_eq!(window.ready_at(at(10), 60), Some(at(60)));
        assert_eq!(window.ready_at(at(60), 60), None);
        assert_eq!(window.ready_at(at(60), 1000), Some(at(70)));
        assert_eq!(window.ready_at(at(70), 1000), None);
        window.take(at(70), 1);
        window.settle(first, 99);
        assert_eq!(window.ready_at(at(70), 99), None);
    }
}
