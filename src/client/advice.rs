//! What comes after a failed attempt: advice on whether to try again, and the delay.

use std::time::Duration;

use tokio::time::Instant;

use crate::model::{Advice, Failure, FailureKind, Reply, RetryPolicy, Units};

use super::admission::End;

/// What comes after a failed attempt.
#[derive(Debug)]
pub(super) enum Next {
    /// Nothing; this is what the call has come to.
    GiveUp(Failure),
    /// The same again: after a pause of its own, or when the lane lets it (which is silent for so long).
    Pause(Duration),
    Lane(Duration),
}

/// How patient a question is after so many requests.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience<'a> {
    pub(super) retry: &'a RetryPolicy,
    /// Requests sent to this provider.
    pub(super) sent: u32,
    /// When the total time is up, and how long it is.
    pub(super) total: Option<(Instant, Duration)>,
    /// What was handed out can't be taken back: another answer would begin anew.
    pub(super) has_spoken: bool,
}

impl Patience<'_> {
    pub(super) fn attempts_left(self) -> u32 {
        self.retry.attempts.max(1).saturating_sub(self.sent)
    }

    /// Whether there may be another request.
    pub(super) fn may_go_on(self) -> bool {
        self.attempts_left() > 0 && !self.has_spoken
    }

    /// What is to be done after this failure, where the lane is silent for so long.
    pub(super) fn next(self, failure: &Failure, silence: Duration) -> Next {
        let is_refused = is_refusal(failure);
        if failure.advice() != Advice::Retry || self.has_spoken {
            return Next::GiveUp(failure.clone());
        }
        if self.attempts_left() == 0 {
            return Next::GiveUp(if is_refused { too_often(failure) } else { failure.clone() });
        }
        let pause = match failure.kind {
            _ if is_refused => silence,
            // It is asked for otherwise, and at once.
            FailureKind::FormRefused => Duration::ZERO,
            _ => own_pause(self.retry, self.sent).max(asked_pause(failure)),
        };
        match self.total {
            Some((end, _)) if Instant::now() >= end => Next::GiveUp(failure.clone()),
            Some((end, limit)) if Instant::now().checked_add(pause).is_none_or(|next| next >= end) => {
                Next::GiveUp(too_long(failure, pause, limit))
            }
            _ if is_refused => Next::Lane(pause),
            _ => Next::Pause(pause),
        }
    }
}

/// Whether the server says "not now": too many at once, or too fast.
pub(super) fn is_refusal(failure: &Failure) -> bool {
    match failure.kind {
        FailureKind::RateLimited | FailureKind::Placeholder => true,
        FailureKind::Away => false,
        _ => failure.status == Some(503) && failure.retry_after.is_some(),
    }
}

pub(super) fn end_of(outcome: &Result<Reply, Failure>) -> End {
    match outcome {
        Ok(reply) => End::Answered(reply.usage),
        Err(failure) if is_refusal(failure) => End::Refused(failure.retry_after),
        Err(failure) => failure.usage.map_or(End::Other, End::Failed),
    }
}

/// The pause that the policy asks for after so many attempts.
fn own_pause(policy: &RetryPolicy, sent: u32) -> Duration {
    let pause = policy.pause_after(sent);
    if policy.jitter { pause.mul_f64(0.5 + fastrand::f64() / 2.0) } else { pause }
}

fn asked_pause(failure: &Failure) -> Duration {
    failure.retry_after.unwrap_or_default()
}

fn too_often(failure: &Failure) -> Failure {
    match failure.suggestion {
        Some(_) => failure.clone(),
        None => failure.clone().suggest("send fewer at once with `concurrency`, or allow more attempts with `retry`"),
    }
}

fn too_long(failure: &Failure, pause: Duration, limit: Duration) -> Failure {
    let (pause, limit) = (Units::show_duration(pause), Units::show_duration(limit));
    failure.clone().suggest(format!(
        "the next attempt would have to wait {pause}, which is more than is left of `timeout: {{total: {limit}}}`; allow more, or try later"
    ))
}
