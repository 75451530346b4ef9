//! Instances of one stage that could start, the earliest item first; and waves, if the stage has them.

use std::collections::BinaryHeap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use futures::Stream;
use tokio::time::{Instant, Sleep};

use crate::model::Waves;

use super::job::Job;

/// Where ready instances are put; the other end is a [`ReadyStream`].
#[derive(Debug, Clone)]
pub(super) struct ReadyQueue {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug)]
struct Shared {
    ready: BinaryHeap<ByOrder>,
    waker: Option<Waker>,
    closed: bool,
    waves: Option<Wave>,
}

/// How far the present wave has come.
#[derive(Debug)]
struct Wave {
    policy: Waves,
    started: u32,
    ended: u32,
    /// Since when the next one may start.
    pause_until: Option<Instant>,
}

#[derive(Debug)]
struct ByOrder(Box<Job>);

impl PartialEq for ByOrder {
    fn eq(&self, other: &Self) -> bool {
        self.0.order == other.0.order
    }
}

impl Eq for ByOrder {}

impl PartialOrd for ByOrder {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ByOrder {
    /// A heap gives the greatest first, and what goes first is less.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.0.order.cmp(&self.0.order)
    }
}

impl ReadyQueue {
    pub(super) fn new(waves: Option<Waves>) -> (Self, ReadyStream) {
        let waves = waves.map(|policy| Wave { policy, started: 0, ended: 0, pause_until: None });
        let shared = Shared { ready: BinaryHeap::new(), waker: None, closed: false, waves };
        let queue = Self { shared: Arc::new(Mutex::new(shared)) };
        let stream = ReadyStream { queue: queue.clone(), sleep: None };
        (queue, stream)
    }

    fn with<T>(&self, change: impl FnOnce(&mut Shared) -> T) -> T {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let out = change(&mut shared);
        if let Some(waker) = shared.waker.take() {
            waker.wake();
        }
        out
    }

    pub(super) fn push(&self, job: Box<Job>) {
        self.with(|shared| shared.ready.push(ByOrder(job)));
    }

    /// An instance has come to its end, which matters to waves; one that did nothing, since `when` is false for it,
    /// leaves its place in the wave to another.
    pub(super) fn ended(&self, did_something: bool) {
        self.with(|shared| {
            if let Some(wave) = &mut shared.waves {
                if !did_something {
                    wave.started = wave.started.saturating_sub(1);
                    return;
                }
                wave.ended += 1;
                if wave.ended == wave.policy.size {
                    wave.started = 0;
                    wave.ended = 0;
                    wave.pause_until = Some(Instant::now() + wave.policy.pause);
                }
            }
        });
    }

    /// Drops what has not started, and ends the stream.
    pub(super) fn close(&self) {
        self.with(|shared| {
            shared.ready.clear();
            shared.closed = true;
        });
    }
}

/// The ready instances of a stage, as they may start.
#[derive(Debug)]
pub(super) struct ReadyStream {
    queue: ReadyQueue,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Stream for ReadyStream {
    type Item = Box<Job>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let queue = self.queue.clone();
        let mut shared = queue.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if shared.closed {
            return Poll::Ready(None);
        }
        shared.waker = Some(cx.waker().clone());
        if shared.ready.is_empty() {
            return Poll::Pending;
        }
        if let Some(wave) = &mut shared.waves {
            if wave.started == wave.policy.size {
                return Poll::Pending;
            }
            if let Some(until) = wave.pause_until {
                let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
                sleep.as_mut().reset(until);
                if sleep.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                wave.pause_until = None;
            }
            wave.started += 1;
        }
        Poll::Ready(shared.ready.pop().map(|job| job.0))
    }
}
