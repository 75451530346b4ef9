//! The way of events out of a run: many who tell, one who listens, bounded in between.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::model::{EventKind, RunEvent};

/// Where events are told. Clones tell the same listener.
#[derive(Debug, Clone)]
pub struct Events {
    sender: mpsc::Sender<(Timestamp, EventKind)>,
}

impl Events {
    /// Both ends. `capacity` events (at least one) may lie between them; beyond that, whoever tells has to wait.
    pub fn channel(capacity: usize) -> (Self, EventStream) {
        let (sender, receiver) = mpsc::channel(capacity.max(1));
        (Self { sender }, EventStream { receiver, seq: 0 })
    }

    /// Tells what has just happened: at once if there is room. What comes back must be awaited, since an event for which there
    /// is none is told by it. If nobody listens any more, the event is lost.
    pub fn emit(&self, kind: EventKind) -> impl Future<Output = ()> + Send + use<> {
        // Mostly it has its place at once, and whoever tells it need not make room for it in its own future.
        let waits = match self.sender.try_send((Timestamp::now(), kind)) {
            Ok(()) | Err(TrySendError::Closed(_)) => None,
            Err(TrySendError::Full(event)) => {
                let sender = self.sender.clone();
                Some(Box::pin(async move { sender.send(event).await.ok() }))
            }
        };
        async {
            if let Some(waits) = waits {
                waits.await;
            }
        }
    }
}

/// Events as they come out, numbered from 1 without gaps. Ends when all [`Events`] are gone and everything has been read.
#[derive(Debug)]
pub struct EventStream {
    receiver: mpsc::Receiver<(Timestamp, EventKind)>,
    seq: u64,
}

impl Stream for EventStream {
    type Item = RunEvent;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<RunEvent>> {
        self.receiver.poll_recv(context).map(|event| {
            event.map(|(at, kind)| {
                self.seq += 1;
                RunEvent { seq: self.seq, at, kind }
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, StreamExt};

    use super::*;

    fn warning(message: &str) -> EventKind {
        EventKind::Warning { message: message.to_owned() }
    }

    #[tokio::test]
    async fn events_are_numbered_as_they_come_out() {
        let (events, stream) = Events::channel(8);
        let other = events.clone();
        events.emit(warning("a")).await;
        other.emit(warning("b")).await;
        drop((events, other));
        let seen: Vec<_> = stream.map(|event| (event.seq, event.kind)).collect().await;
        assert_eq!(seen, [(1, warning("a")), (2, warning("b"))]);
    }

    #[tokio::test]
    async fn telling_waits_for_a_slow_listener() {
        let (events, mut stream) = Events::channel(1);
        events.emit(warning("a")).await;
        assert!(events.emit(warning("b")).now_or_never().is_none());
        assert!(stream.next().await.is_some());
        assert!(events.emit(warning("c")).now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_listener_that_left_is_no_error() {
        let (events, stream) = Events::channel(1);
        drop(stream);
        events.emit(warning("a")).await;
        events.emit(warning("b")).await;
    }
}
