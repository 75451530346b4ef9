//! The clocks of one attempt. They start when the request is sent, and each names itself when it has run out.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::model::{Clocks, Failure, FailureKind, Units};

/// Which clock; named as in `timeout`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    Attempt,
    FirstToken,
    Idle,
    Total,
}

impl Clock {
    fn name(self) -> &'static str {
        match self {
            Self::Attempt => "attempt",
            Self::FirstToken => "first_token",
            Self::Idle => "idle",
            Self::Total => "total",
        }
    }

    /// What it means that this clock has run out.
    pub(super) fn failure(self, limit: Duration) -> Failure {
        let shown = Units::show_duration(limit);
        let message = match self {
            Self::Attempt => format!("No whole answer within {shown} (`attempt`)"),
            Self::FirstToken => format!("No text within {shown} (`first_token`)"),
            Self::Idle => format!("The answer stood still for {shown} (`idle`)"),
            Self::Total => format!("No good answer within {shown}, all attempts and pauses together (`total`)"),
        };
        let longer = Units::show_duration(limit.saturating_mul(2));
        Failure::new(FailureKind::Timeout, message)
            .suggest(format!("allow more time with `timeout: {{{}: {longer}}}`", self.name()))
    }
}

/// When a limit that begins now is up, and how long it is; nothing for one that is longer than time itself.
pub(super) fn from_now(limit: Duration) -> Option<(Instant, Duration)> {
    Some((Instant::now().checked_add(limit)?, limit))
}

/// The clocks of an attempt that is on the wire.
#[derive(Debug)]
pub(super) struct Running {
    attempt: Option<(Instant, Duration)>,
    first_token: Option<(Instant, Duration)>,
    idle: Option<(Instant, Duration)>,
    total: Option<(Instant, Duration)>,
    /// How long a stream that has begun to speak may be silent.
    silence: Option<Duration>,
}

impl Running {
    /// Starts the clocks of an attempt; `total` has been running since the first one.
    pub(super) fn start(clocks: &Clocks, stream: bool, total: Option<(Instant, Duration)>) -> Self {
        let attempt = if stream { clocks.attempt } else { Some(clocks.attempt.unwrap_or(Clocks::ATTEMPT)) };
        let first_token = stream.then(|| clocks.first_token.unwrap_or(Clocks::FIRST_TOKEN));
        Self {
            attempt: attempt.and_then(from_now),
            first_token: first_token.and_then(from_now),
            idle: None,
            total,
            silence: stream.then(|| clocks.idle.unwrap_or(Clocks::IDLE)),
        }
    }

    /// Text or thinking has come, and has been dealt with.
    pub(super) fn heard_word(&mut self) {
        self.first_token = None;
        self.idle = self.silence.and_then(from_now);
    }

    /// A sign of life without a word has come. Until there is one, `first_token` alone counts.
    pub(super) fn heard_life(&mut self) {
        if self.first_token.is_none() {
            self.heard_word();
        }
    }

    /// A clock of the whole attempt that has run out, however much there still comes.
    pub(super) fn run_out(&self) -> Option<(Clock, Duration)> {
        let whole = [(self.attempt, Clock::Attempt), (self.total, Clock::Total)];
        let now = Instant::now();
        whole
            .into_iter()
            .find_map(|(running, clock)| running.filter(|(at, _)| *at <= now).map(|(_, limit)| (clock, limit)))
    }

    /// The clock that runs out first.
    pub(super) fn next(&self) -> Option<(Instant, Clock, Duration)> {
        [
            (self.attempt, Clock::Attempt),
            (self.first_token, Clock::FirstToken),
            (self.idle, Clock::Idle),
            (self.total, Clock::Total),
        ]
        .into_iter()
        .filter_map(|(running, clock)| running.map(|(at, limit)| (at, clock, limit)))
        .min_by_key(|(at, ..)| *at)
    }
}

/// Returns at the end of the total time, with how long that was; never, where it has none.
pub(super) async fn time_is_up(total: Option<(Instant, Duration)>) -> Duration {
    match total {
        Some((end, limit)) => {
            sleep_until(end).await;
            limit
        }
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(running: &Running) -> (Clock, u64) {
        let (_, clock, limit) = running.next().unwrap();
        (clock, limit.as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_has_clocks_of_its_own() {
        let mut stream = Running::start(&Clocks::default(), true, None);
        assert_eq!(next(&stream), (Clock::FirstToken, 120));
        stream.heard_life();
        assert_eq!(next(&stream), (Clock::FirstToken, 120));
        stream.heard_word();
        assert_eq!(next(&stream), (Clock::Idle, 60));
        assert_eq!(next(&Running::start(&Clocks::default(), false, None)), (Clock::Attempt, 300));
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_to_run_out_counts() {
        let clocks = Clocks { attempt: Some(Duration::from_secs(100)), ..Clocks::default() };
        let mut stream = Running::start(&clocks, true, None);
        assert_eq!(next(&stream), (Clock::Attempt, 100));
        stream.heard_word();
        tokio::time::advance(Duration::from_secs(50)).await;
        assert_eq!(next(&stream), (Clock::Idle, 60));
        stream.heard_life();
        assert_eq!(next(&stream), (Clock::Attempt, 100));
        let total = Some((Instant::now() + Duration::from_secs(1), Duration::from_secs(77)));
        assert_eq!(next(&Running::start(&clocks, false, total)), (Clock::Total, 77));
    }

    #[test]
    fn a_clock_names_its_key_in_the_file() {
        let failure = Clock::FirstToken.failure(Duration::from_secs(120));
        assert_eq!(failure.message, "No text within 2m00s (`first_token`)");
        assert_eq!(failure.suggestion.as_deref(), Some("allow more time with `timeout: {first_token: 4m00s}`"));
    }
}
