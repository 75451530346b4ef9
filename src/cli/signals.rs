//! Ctrl-C, SIGTERM and SIGHUP: first what is in flight may finish, then it may not.

#[cfg(unix)]
use std::io::IsTerminal;
use std::time::Duration;

use futures::{Stream, StreamExt, stream};

use crate::engine::{Halt, HaltReason};
use crate::sink::Exit;

/// How long what is in flight may take to finish.
const DRAIN: Duration = Duration::from_secs(10);
/// How long the run may take to end once nothing is in flight any more.
const GRACE: Duration = Duration::from_secs(5);

/// What somebody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM, or SIGHUP since the terminal has gone.
    Terminate,
}

impl Signal {
    pub(super) fn exit(self) -> Exit {
        match self {
            Self::Interrupt => Exit::Interrupted,
            Self::Terminate => Exit::Terminated,
        }
    }

    fn reason(self) -> HaltReason {
        match self {
            Self::Interrupt => HaltReason::Interrupted,
            Self::Terminate => HaltReason::Terminated,
        }
    }
}

/// What can be stopped in two steps.
pub(super) trait Stops {
    /// Nothing more is started.
    fn drain(&self, reason: HaltReason);
    /// What is in flight is dropped.
    fn abort(&self, reason: HaltReason);
}

impl Stops for Halt {
    fn drain(&self, reason: HaltReason) {
        Self::drain(self, reason);
    }

    fn abort(&self, reason: HaltReason) {
        Self::abort(self, reason);
    }
}

/// Hands signals on to a run, for as long as it takes. It only comes back if the run does not end in spite of them.
pub(super) async fn relay(signals: impl Stream<Item = Signal>, run: &impl Stops) -> Exit {
    let mut signals = std::pin::pin!(signals);
    let Some(first) = signals.next().await else { return std::future::pending().await };
    run.drain(first.reason());
    // A second signal ends the waiting; that none can come any more does not.
    let second = async {
        if signals.next().await.is_none() {
            std::future::pending::<()>().await;
        }
    };
    tokio::time::timeout(DRAIN, second).await.ok();
    run.abort(first.reason());
    tokio::time::sleep(GRACE).await;
    first.exit()
}

/// The signals that reach this process, from the first poll on.
#[cfg(unix)]
pub(super) fn incoming() -> impl Stream<Item = Signal> {
    use tokio::signal::unix::{SignalKind, signal};
    // One listener for each, kept: a new one for each signal would miss what comes in between.
    let listen = |kind, meaning| {
        stream::iter(signal(kind)).flat_map(move |signals| {
            stream::unfold(signals, move |mut signals| async move {
                signals.recv().await?;
                Some((meaning, signals))
            })
        })
    };
    let hangups = stream::iter(heeds_hangups().then(|| listen(SignalKind::hangup(), Signal::Terminate))).flatten();
    let endings = stream::select(listen(SignalKind::terminate(), Signal::Terminate), hangups);
    stream::select(listen(SignalKind::interrupt(), Signal::Interrupt), endings)
}

/// Whether the end of the terminal is the end of the run: not for what `nohup` has started, which ignores SIGHUP, and
/// would not any more once there is a listener.
#[cfg(unix)]
fn heeds_hangups() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").ok();
    let ignored = status.as_deref().and_then(|status| {
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
        u64::from_str_radix(mask.trim(), 16).ok()
    });
    match ignored {
        Some(mask) => mask & 1 == 0,
        // Elsewhere nobody tells, but `nohup` leaves no output on a terminal.
        None => std::io::stdout().is_terminal() || std::io::stderr().is_terminal(),
    }
}

/// The signals that reach this process.
#[cfg(not(unix))]
pub(super) fn incoming() -> impl Stream<Item = Signal> {
    stream::unfold((), |()| async {
        tokio::signal::ctrl_c().await.ok()?;
        Some((Signal::Interrupt, ()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use tokio::time::Instant;

    struct Steps {
        began: Instant,
        taken: Mutex<Vec<(u64, String)>>,
    }

    impl Steps {
        fn new() -> Self {
            Self { began: Instant::now(), taken: Mutex::default() }
        }

        fn take(&self, what: &str) {
            self.taken.lock().unwrap().push((self.began.elapsed().as_secs(), what.to_owned()));
        }

        fn taken(&self) -> Vec<(u64, String)> {
            self.taken.lock().unwrap().clone()
        }
    }

    impl Stops for Steps {
        fn drain(&self, reason: HaltReason) {
            self.take(&format!("drain: {reason:?}"));
        }

        fn abort(&self, _reason: HaltReason) {
            self.take("abort");
        }
    }

    fn after(seconds: u64, signal: Signal) -> impl Stream<Item = Signal> {
        stream::once(async move {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            signal
        })
    }

    #[tokio::test(start_paused = true)]
    async fn one_ctrl_c_leaves_ten_seconds() {
        let steps = Steps::new();
        let exit = relay(after(1, Signal::Interrupt), &steps).await;
        let drain = "drain: Interrupted".to_owned();
        assert_eq!(steps.taken(), [(1, drain), (11, "abort".to_owned())]);
        assert_eq!(exit, Exit::Interrupted);
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_ctrl_c_leaves_none() {
        let steps = Steps::new();
        relay(after(1, Signal::Interrupt).chain(after(2, Signal::Interrupt)), &steps).await;
        assert_eq!(steps.taken()[1], (3, "abort".to_owned()));
    }

    #[tokio::test(start_paused = true)]
    async fn sigterm_has_a_code_of_its_own() {
        let steps = Steps::new();
        assert_eq!(relay(after(0, Signal::Terminate), &steps).await, Exit::Terminated);
        assert_eq!(steps.taken()[0].1, "drain: Terminated");
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_signal_nothing_is_stopped() {
        let steps = Steps::new();
        let relayed = relay(stream::empty(), &steps);
        assert!(tokio::time::timeout(Duration::from_secs(3_600), relayed).await.is_err());
        assert_eq!(steps.taken(), []);
    }
}
