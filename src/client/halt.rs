//! The end of a run before its end: first nothing new is sent, then what is on the wire is dropped too.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

/// Why a run ends early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HaltReason {
    /// A person interrupted it (Ctrl-C).
    Interrupted,
    /// It was asked to end (SIGTERM, SIGHUP).
    Terminated,
    /// The run itself has a reason, in a few words without a full stop.
    Stopped(Arc<str>),
}

impl HaltReason {
    /// As it is told to people when it happens, with what they can do.
    pub fn notice(&self) -> String {
        match self {
            Self::Interrupted => "interrupted, Ctrl-C again stops at once".to_owned(),
            Self::Terminated => "asked to end by a signal".to_owned(),
            Self::Stopped(reason) => reason.to_string(),
        }
    }
}

impl fmt::Display for HaltReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interrupted => f.write_str("the run was interrupted"),
            Self::Terminated => f.write_str("the run was asked to end"),
            Self::Stopped(reason) => f.write_str(reason),
        }
    }
}

/// The brake of a run, in two steps. Clones are the same brake; it is never released.
#[derive(Debug, Clone, Default)]
pub struct Halt {
    inner: Arc<Brake>,
}

#[derive(Debug, Default)]
struct Brake {
    drain: CancellationToken,
    abort: CancellationToken,
    /// Somebody outside of the run wants it to end.
    interrupt: CancellationToken,
    reason: Mutex<Option<HaltReason>>,
}

impl Halt {
    /// A brake that nobody has touched.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on nothing new is sent; requests on the wire finish. The first reason stays, but for one of the run's
    /// own: who interrupts a run that is ending already wants more than that.
    pub fn drain(&self, reason: HaltReason) {
        let mut known = self.inner.reason.lock().unwrap_or_else(PoisonError::into_inner);
        let is_from_outside = !matches!(reason, HaltReason::Stopped(_));
        if known.is_none() || (is_from_outside && matches!(&*known, Some(HaltReason::Stopped(_)))) {
            *known = Some(reason);
        }
        drop(known);
        self.inner.drain.cancel();
        if is_from_outside {
            self.inner.interrupt.cancel();
        }
    }

    /// From now on requests on the wire are dropped too. Which reason stays is as in [`Halt::drain`].
    pub fn abort(&self, reason: HaltReason) {
        self.drain(reason);
        self.inner.abort.cancel();
    }

    /// Whether nothing new is sent.
    pub fn is_draining(&self) -> bool {
        self.inner.drain.is_cancelled()
    }

    /// Whether requests on the wire are dropped.
    pub fn is_aborting(&self) -> bool {
        self.inner.abort.is_cancelled()
    }

    /// Returns when nothing new is sent.
    pub async fn draining(&self) {
        self.inner.drain.cancelled().await;
    }

    /// Returns when requests on the wire are dropped.
    pub async fn aborting(&self) {
        self.inner.abort.cancelled().await;
    }

    /// Returns when somebody outside of the run has asked it to end.
    pub async fn interrupted(&self) {
        self.inner.interrupt.cancelled().await;
    }

    /// Why, once it has been touched.
    pub fn reason(&self) -> Option<HaltReason> {
        self.inner.reason.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn the_first_reason_stays_unless_somebody_interrupts() {
        let halt = Halt::new();
        assert!(halt.draining().now_or_never().is_none());
        halt.clone().drain(HaltReason::Stopped("an item has failed".into()));
        halt.drain(HaltReason::Stopped("another has failed".into()));
        assert!(halt.is_draining() && !halt.is_aborting() && halt.interrupted().now_or_never().is_none());
        assert_eq!(halt.reason(), Some(HaltReason::Stopped("an item has failed".into())));
        halt.abort(HaltReason::Interrupted);
        assert!(halt.aborting().now_or_never().is_some() && halt.interrupted().now_or_never().is_some());
        halt.drain(HaltReason::Terminated);
        halt.drain(HaltReason::Stopped("too late".into()));
        assert_eq!(halt.reason(), Some(HaltReason::Interrupted));
    }
}
