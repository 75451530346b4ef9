//! The end of a run before its end: first nothing new is sent, then what is on the wire is dropped too.

use std::fmt;
use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

/// Why a run ends early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HaltReason {
    /// A person interrupted it (Ctrl-C).
    Interrupted,
    /// It was asked to end (SIGTERM).
    Terminated,
    /// The run itself has a reason, in a few words without a full stop.
    Stopped(Arc<str>),
}

impl HaltReason {
    /// As it is told to people when it happens, with what they can do.
    pub fn notice(&self) -> String {
        match self {
            Self::Interrupted => "interrupted, Ctrl-C again stops at once".to_owned(),
            Self::Terminated => "asked to end by SIGTERM".to_owned(),
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
    reason: OnceLock<HaltReason>,
}

impl Halt {
    /// A brake that nobody has touched.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on nothing new is sent; requests on the wire finish. The first reason stays.
    pub fn drain(&self, reason: HaltReason) {
        self.inner.reason.get_or_init(|| reason);
        self.inner.drain.cancel();
    }

    /// From now on requests on the wire are dropped too. The first reason stays.
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

    /// Why, once it has been touched.
    pub fn reason(&self) -> Option<&HaltReason> {
        self.inner.reason.get()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn the_first_reason_stays() {
        let halt = Halt::new();
        assert!(halt.draining().now_or_never().is_none());
        halt.clone().drain(HaltReason::Stopped("an item has failed".into()));
        assert!(halt.is_draining() && !halt.is_aborting());
        halt.abort(HaltReason::Interrupted);
        assert!(halt.aborting().now_or_never().is_some());
        assert_eq!(halt.reason().map(ToString::to_string).as_deref(), Some("an item has failed"));
    }
}
