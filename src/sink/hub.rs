//! One stream of events for all who watch.

use std::fmt;
use std::time::Duration;

use futures::{FutureExt, Stream, StreamExt};
use jiff::Timestamp;
use tokio::task::unconstrained;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::model::RunEvent;

use super::clock::Clock;
use super::tally::Tally;

/// The time between two ticks.
const TICK: Duration = Duration::from_millis(100);
/// So long events gather before they are looked at together: whoever watches from another thread is woken once for many.
const GATHER: Duration = Duration::from_millis(2);
/// So many are looked at before a tick may come.
const MOST_AT_ONCE: usize = 4096;

/// Someone who watches a run. Nothing that it does reaches the run.
pub trait Watcher: Send + fmt::Debug {
    /// Something happened, and `tally` has taken it in.
    fn event(&mut self, event: &RunEvent, tally: &Tally);

    /// Time has passed: a chance to draw, at most ten times a second, also where events come faster.
    fn tick(&mut self, tally: &Tally, now: Timestamp) {
        let (_, _) = (tally, now);
    }

    /// There are no more events. Gives a sentence if something could not be written.
    fn finish(&mut self, tally: &Tally) -> Option<String> {
        let _ = tally;
        None
    }
}

/// Hands each event to the fold, then to each watcher in turn.
#[derive(Debug, Default)]
pub struct Hub {
    watchers: Vec<Box<dyn Watcher>>,
}

/// What a hub has seen.
#[derive(Debug)]
pub struct Watched {
    /// What the run has come to.
    pub tally: Tally,
    /// What the watchers could not write, in a sentence each.
    pub problems: Vec<String>,
}

impl Hub {
    /// A hub without watchers: it still folds.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more watcher.
    #[must_use]
    pub fn watch(mut self, watcher: impl Watcher + 'static) -> Self {
        self.watchers.push(Box::new(watcher));
        self
    }

    /// Watches until the stream ends.
    pub async fn run(mut self, events: impl Stream<Item = RunEvent>) -> Watched {
        let mut events = std::pin::pin!(events);
        let mut seen = Seen::new();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                // Ticks first: they are rare, and events may come without a pause.
                biased;
                _ = ticks.tick() => {
                    if let Some(now) = seen.clock.now() {
                        self.watchers.iter_mut().for_each(|watcher| watcher.tick(&seen.tally, now));
                    }
                }
                event = events.next() => {
                    let Some(event) = event else { break };
                    self.take(&mut seen, &event);
                    if !self.take_all(&mut seen, &mut events) {
                        break;
                    }
                    sleep(GATHER).await;
                }
            }
        }
        let problems = self.watchers.iter_mut().filter_map(|watcher| watcher.finish(&seen.tally)).collect();
        Watched { tally: seen.tally, problems }
    }

    /// Takes what is there already. False at the end of the stream.
    fn take_all(&mut self, seen: &mut Seen, events: &mut (impl Stream<Item = RunEvent> + Unpin)) -> bool {
        for _ in 0..MOST_AT_ONCE {
            // The runtime would have a turn after each hundred or so, and that is a whole pause here.
            match unconstrained(events.next()).now_or_never() {
                Some(Some(event)) => self.take(seen, &event),
                Some(None) => return false,
                None => return true,
            }
        }
        true
    }

    fn take(&mut self, seen: &mut Seen, event: &RunEvent) {
        seen.clock.set(event.at);
        seen.tally.apply(event);
        self.watchers.iter_mut().for_each(|watcher| watcher.event(event, &seen.tally));
    }
}

/// What has been seen so far.
struct Seen {
    tally: Tally,
    clock: Clock,
}

impl Seen {
    fn new() -> Self {
        Self { tally: Tally::default(), clock: Clock::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;
    use crate::model::RunOutcome;
    use std::sync::{Arc, Mutex};

    #[derive(Debug, Default, Clone)]
    struct Notebook(Arc<Mutex<Vec<String>>>);

    impl Watcher for Notebook {
        fn event(&mut self, event: &RunEvent, tally: &Tally) {
            self.0.lock().unwrap().push(format!("{} after {}", event.seq, tally.total().done));
        }

        fn tick(&mut self, _tally: &Tally, now: Timestamp) {
            self.0.lock().unwrap().push(now.to_string());
        }

        fn finish(&mut self, _tally: &Tally) -> Option<String> {
            Some("the notebook is full".to_owned())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_watcher_sees_each_event_after_the_fold() {
        let mut sample = Sample::new();
        sample.plan("a", Some(1)).done("a", 0).finish(RunOutcome::Done);
        let (one, two) = (Notebook::default(), Notebook::default());
        let hub = Hub::new().watch(one.clone()).watch(two.clone());
        let watched = hub.run(futures::stream::iter(sample.events().to_vec())).await;
        assert_eq!(*one.0.lock().unwrap(), ["1 after 0", "2 after 0", "3 after 1", "4 after 1"]);
        assert_eq!(*one.0.lock().unwrap(), *two.0.lock().unwrap());
        assert_eq!(watched.tally.outcome(), Some(&RunOutcome::Done));
        assert_eq!(watched.problems.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn time_passes_between_events() {
        let book = Notebook::default();
        let events = futures::stream::iter(Sample::new().events().to_vec());
        let silence = futures::stream::once(tokio::time::sleep(Duration::from_millis(250)));
        let events = events.chain(silence.filter_map(|()| async { None }));
        Hub::new().watch(book.clone()).run(events).await;
        assert_eq!(*book.0.lock().unwrap(), ["1 after 0", "2026-11-22T10:00:00.1Z", "2026-11-22T10:00:00.2Z"]);
    }
}
