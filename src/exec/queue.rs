//! Instances of one stage that could start, the earliest item first, as its slots and its waves let them.

use std::collections::BinaryHeap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use futures::Stream;
use tokio::sync::Semaphore;
use tokio::time::{Instant, Sleep};
use tokio_util::sync::PollSemaphore;

use crate::client::Slot;
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

/// A job with the beginning of its order, which decides nearly always: the rest lies far away.
#[derive(Debug)]
struct ByOrder {
    depth: u32,
    first: u64,
    job: Box<Job>,
}

impl ByOrder {
    fn new(job: Box<Job>) -> Self {
        Self { depth: job.order.depth, first: job.order.path.first().copied().unwrap_or_default(), job }
    }
}

impl PartialEq for ByOrder {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
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
        let first = self.depth.cmp(&other.depth).then_with(|| other.first.cmp(&self.first));
        first.then_with(|| other.job.order.cmp(&self.job.order))
    }
}

impl ReadyQueue {
    /// For a stage with so many slots.
    pub(super) fn new(slots: usize, waves: Option<Waves>) -> (Self, ReadyStream) {
        let waves = waves.map(|policy| Wave { policy, started: 0, ended: 0, pause_until: None });
        let shared = Shared { ready: BinaryHeap::new(), waker: None, closed: false, waves };
        let queue = Self { shared: Arc::new(Mutex::new(shared)) };
        let slots = PollSemaphore::new(Arc::new(Semaphore::new(slots.min(Semaphore::MAX_PERMITS))));
        let stream = ReadyStream { queue: queue.clone(), slots, sleep: None };
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
        self.with(|shared| shared.ready.push(ByOrder::new(job)));
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

/// The ready instances of a stage, as they may start, each with its slot.
#[derive(Debug)]
pub(super) struct ReadyStream {
    queue: ReadyQueue,
    slots: PollSemaphore,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Stream for ReadyStream {
    type Item = (Arc<Slot>, Box<Job>);

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
        }
        // Last, so that none is held while there is nothing to start.
        let Poll::Ready(Some(slot)) = self.slots.poll_acquire(cx) else { return Poll::Pending };
        if let Some(wave) = &mut shared.waves {
            wave.started += 1;
        }
        Poll::Ready(shared.ready.pop().map(|next| (Arc::new(Slot::new(slot)), next.job)))
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, StreamExt};

    use super::*;
    use crate::exec::frame::{FrameId, InstanceId};
    use crate::model::{ItemRef, Order};
    use crate::plan::StageIx;

    fn job(depth: u32, path: &[u64]) -> Box<Job> {
        let item = ItemRef { stage: "stage".into(), key: None, path: path.into() };
        let order = Order { depth, path: path.into() };
        Box::new(Job {
            stage: StageIx(0),
            instance: InstanceId { frame: FrameId(0), slot: 0 },
            item,
            order,
            file_key: "".into(),
            around: Vec::new(),
            seen: Vec::new(),
            before: None,
        })
    }

    fn next(stream: &mut ReadyStream) -> Option<(Arc<Slot>, Box<Job>)> {
        stream.next().now_or_never().flatten()
    }

    #[test]
    fn the_deepest_goes_first_and_then_the_earliest() {
        let (queue, mut stream) = ReadyQueue::new(9, None);
        for (depth, path) in
            [(1, &[2, 0][..]), (1, &[0, 7]), (0, &[0, 0]), (1, &[0, 3]), (2, &[5]), (1, &[]), (1, &[0])]
        {
            queue.push(job(depth, path));
        }
        let order: Vec<_> = std::iter::from_fn(|| next(&mut stream)).map(|(_, job)| job.order).collect();
        assert!(order.is_sorted() && order.len() == 7, "{order:?}");
    }

    #[test]
    fn what_is_ready_waits_for_a_slot_and_no_slot_for_what_is_ready() {
        let (queue, mut stream) = ReadyQueue::new(1, None);
        assert!(next(&mut stream).is_none(), "nothing is ready");
        queue.push(job(0, &[0]));
        queue.push(job(0, &[1]));
        let (slot, _) = next(&mut stream).expect("the slot was not taken for nothing");
        assert!(next(&mut stream).is_none(), "the slot is held");
        drop(slot);
        let (_slot, job) = next(&mut stream).expect("the slot is free");
        assert_eq!(&*job.order.path, [1]);
    }
}
