//! How long a call waits before its next attempt, and what is said where there is none.

use std::time::Duration;

use crate::model::{Failure, FailureKind, RetryPolicy, Units};

/// The pause after a failed attempt, so many requests having been sent: that of the policy, or a longer one that is asked for.
pub(super) fn pause_after(failure: &Failure, policy: &RetryPolicy, sent: u32) -> Duration {
    match failure.kind {
        // It is asked for otherwise, and at once.
        FailureKind::FormRefused => Duration::ZERO,
        _ => own_pause(policy, sent).max(asked_pause(failure)),
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

pub(super) fn too_often(failure: &Failure) -> Failure {
    match failure.suggestion {
        Some(_) => failure.clone(),
        None => failure.clone().suggest("send fewer at once with `concurrency`, or allow more attempts with `retry`"),
    }
}

pub(super) fn too_long(failure: &Failure, pause: Duration, limit: Duration) -> Failure {
    let (pause, limit) = (Units::show_duration(pause), Units::show_duration(limit));
    failure.clone().suggest(format!(
        "the next attempt would have to wait {pause}, which is more than is left of `timeout: {{total: {limit}}}`; allow more, or try later"
    ))
}
