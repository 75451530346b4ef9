//! What a stage asks of the machinery around a call, as data. The only copy of each default stands here.

use std::time::Duration;

/// How often, and after what pauses, an attempt is made again.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    /// Requests sent in all, the first included; at least one.
    pub attempts: u32,
    /// The pause before the second attempt.
    pub backoff: Duration,
    /// By what each pause is longer than the one before it.
    pub factor: f64,
    /// The longest pause.
    pub max_backoff: Duration,
    /// Whether a pause is drawn between half of it and all of it, so that clients do not return in step.
    pub jitter: bool,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 3,
            backoff: Duration::from_secs(1),
            factor: 2.0,
            max_backoff: Duration::from_secs(30),
            jitter: true,
        }
    }
}

impl RetryPolicy {
    /// The pause after the failed attempt `number` (from 1), before jitter.
    pub fn pause_after(&self, number: u32) -> Duration {
        let factor = self.factor.max(1.0).powi(i32::try_from(number.saturating_sub(1)).unwrap_or(i32::MAX));
        let seconds = (self.backoff.as_secs_f64() * factor).min(self.max_backoff.as_secs_f64());
        Duration::try_from_secs_f64(seconds).unwrap_or(self.max_backoff)
    }
}

/// The clocks of a call. All start when a request is sent, not while it queues.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clocks {
    /// For one attempt as a whole. Without a stream and without a value: [`Clocks::ATTEMPT`].
    pub attempt: Option<Duration>,
    /// With a stream: until the first piece of text. Without a value: [`Clocks::FIRST_TOKEN`].
    pub first_token: Option<Duration>,
    /// With a stream: between two signs of life. Without a value: [`Clocks::IDLE`].
    pub idle: Option<Duration>,
    /// For the instance with all its attempts and pauses, from the first request on. No limit without a value.
    pub total: Option<Duration>,
}

impl Clocks {
    /// How long an attempt without a stream may take.
    pub const ATTEMPT: Duration = Duration::from_secs(300);
    /// How long a stream may take to say its first word.
    pub const FIRST_TOKEN: Duration = Duration::from_secs(120);
    /// How long a stream may be silent.
    pub const IDLE: Duration = Duration::from_secs(60);
}

/// Start `size`, wait for them, pause, go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waves {
    /// How many are started together; at least one.
    pub size: u32,
    /// The pause between two waves.
    pub pause: Duration,
}

/// What a failed instance means for the run.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum OnError {
    /// Requests on the wire finish, nothing else is sent.
    #[default]
    Stop,
    /// This item has failed, the others go on.
    Continue,
}

/// With `continue`: stop beyond so many failures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FailureLimit {
    /// More than this many.
    Count(u64),
    /// More than this share (0 to 1) of what has come to an end, once twenty have.
    Share(f64),
}

impl FailureLimit {
    /// Whether `failed` out of `ended` is beyond the limit.
    pub fn is_passed(&self, failed: u64, ended: u64) -> bool {
        match *self {
            Self::Count(limit) => failed > limit,
            #[expect(clippy::cast_precision_loss, reason = "a share of a count needs no more than 52 bits")]
            Self::Share(limit) => ended >= 20 && failed as f64 > limit * ended as f64,
        }
    }
}

/// Whether a good answer that is kept stands for a call that is made again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reuse {
    /// However old it is.
    #[default]
    Always,
    /// Never: the call is made.
    Never,
    /// As long as it is no older than this.
    For(Duration),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let policy = RetryPolicy::default();
        let pauses: Vec<u64> = (1..8).map(|n| policy.pause_after(n).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(policy.pause_after(u32::MAX), policy.max_backoff);
    }

    #[test]
    fn a_share_speaks_only_after_twenty() {
        let limit = FailureLimit::Share(0.05);
        assert!(!limit.is_passed(19, 19));
        assert!(limit.is_passed(2, 20));
        assert!(!limit.is_passed(1, 20));
        assert!(FailureLimit::Count(10).is_passed(11, 11));
    }
}
