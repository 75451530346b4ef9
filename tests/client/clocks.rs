//! How long a call may take.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join;
use tokio::time::Instant;

use blossom_run::client::Ask;
use blossom_run::model::{Clocks, Failure, FailureKind, RetryPolicy};

use crate::support::{Desk, SECOND, Scripted, Step, ask, fail, refused, whole};

fn once(clocks: Clocks, stream: bool) -> Ask {
    Ask { clocks, stream, retry: RetryPolicy { attempts: 1, ..RetryPolicy::default() }, ..ask("a") }
}

async fn time_out(steps: Vec<Step>, asked: Ask) -> (Failure, Duration) {
    let provider = Arc::new(Scripted::new(move |_| steps.clone()));
    let begun = Instant::now();
    let failure = Desk::of(&provider).ask(&asked).await.unwrap_err().failure;
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert_eq!(provider.at_once(), 0, "a request whose clock ran out is taken back");
    (failure, begun.elapsed())
}

#[tokio::test(start_paused = true)]
async fn an_attempt_without_a_stream_has_300_seconds() {
    let (failure, took) = time_out(vec![Step::Hang], once(Clocks::default(), false)).await;
    assert_eq!(took, Duration::from_secs(300));
    assert!(failure.message.contains("`attempt`"), "{failure}");
    assert_eq!(failure.suggestion.unwrap(), "allow more time with `timeout: {attempt: 10m00s}`");
}

#[tokio::test(start_paused = true)]
async fn a_stream_has_120_seconds_for_its_first_word_and_60_between_two() {
    let (failure, took) = time_out(vec![Step::Alive, Step::Hang], once(Clocks::default(), true)).await;
    assert_eq!(took, Duration::from_secs(120));
    assert!(failure.message.contains("`first_token`"), "{failure}");

    let steps = vec![
        Step::Wait(100 * SECOND),
        Step::Text("Hello"),
        Step::Wait(50 * SECOND),
        Step::Alive,
        Step::Wait(50 * SECOND),
        Step::Text(" wor"),
        Step::Hang,
    ];
    let (failure, took) = time_out(steps, once(Clocks::default(), true)).await;
    assert_eq!(took, Duration::from_secs(260));
    assert!(failure.message.contains("`idle`"), "{failure}");
    assert_eq!(failure.partial.as_deref(), Some("Hello wor"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_there_when_the_clock_is_looked_at_counts() {
    let provider = Arc::new(Scripted::new(|_| vec![Step::Wait(10 * SECOND), whole("good")]));
    let clocks = Clocks { attempt: Some(10 * SECOND), ..Clocks::default() };
    let answer = Desk::of(&provider).ask(&once(clocks, false)).await.unwrap();
    assert_eq!(answer.attempts, 1);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_never_pauses_ends_with_its_attempt() {
    let steps: Vec<Step> = (0..99).flat_map(|_| [Step::Text("on and "), Step::Wait(SECOND)]).collect();
    let clocks = Clocks { attempt: Some(10 * SECOND), ..Clocks::default() };
    let (_, took) = time_out(steps, once(clocks, true)).await;
    assert_eq!(took, 10 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn thinking_is_the_first_word() {
    let thinking = vec![[Step::Wait(50 * SECOND), Step::Thinking]; 4].concat();
    let (failure, took) = time_out([thinking.clone(), vec![Step::Hang]].concat(), once(Clocks::default(), true)).await;
    assert_eq!(took, Duration::from_secs(260), "60 s after the last thought");
    assert!(failure.message.contains("`idle`"), "{failure}");

    let provider = Arc::new(Scripted::new(move |_| [thinking.clone(), vec![whole("good")]].concat()));
    assert!(Desk::of(&provider).ask(&once(Clocks::default(), true)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_ran_out_of_time_is_made_again() {
    let provider = Arc::new(Scripted::new(|seen| match seen.number {
        1 => vec![Step::Hang],
        _ => vec![whole("good")],
    }));
    let clocks = Clocks { attempt: Some(10 * SECOND), ..Clocks::default() };
    let answer = Desk::of(&provider).ask(&Ask { clocks, ..ask("a") }).await.unwrap();
    assert_eq!(answer.attempts, 2);
    assert_eq!(provider.times(), [0, 11_000]);
}

#[tokio::test(start_paused = true)]
async fn clocks_stand_still_while_a_request_queues() {
    let mut provider = Scripted::new(|_| vec![Step::Wait(8 * SECOND), whole("good")]);
    provider.ceiling = 1;
    let desk = Desk::of(&Arc::new(provider));
    let limit = Some(10 * SECOND);
    let clocks = Clocks { attempt: limit, total: limit, ..Clocks::default() };
    let (a, b) = (Ask { clocks: clocks.clone(), ..ask("a") }, Ask { clocks, ..ask("b") });
    let (first, second) = join(desk.ask(&a), desk.ask(&b)).await;
    assert!(first.is_ok() && second.is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_total_time_includes_attempts_and_pauses() {
    let provider = Arc::new(Scripted::new(|_| vec![Step::Wait(2 * SECOND), fail(FailureKind::Server)]));
    let clocks = Clocks { total: Some(6 * SECOND), ..Clocks::default() };
    let begun = Instant::now();
    let retry = RetryPolicy { attempts: 9, jitter: false, ..RetryPolicy::default() };
    let unanswered = Desk::of(&provider).ask(&Ask { clocks, retry, ..ask("a") }).await.unwrap_err();
    // Sent at 0 and 3; the third would be sent at 7.
    assert_eq!((unanswered.attempts, begun.elapsed()), (2, 5 * SECOND));
    assert_eq!(unanswered.failure.kind, FailureKind::Server);
    assert!(unanswered.failure.suggestion.unwrap().contains("timeout: {total: 6.0s}"));
}

#[tokio::test(start_paused = true)]
async fn the_total_time_ends_an_attempt_on_the_wire() {
    let clocks = Clocks { total: Some(6 * SECOND), ..Clocks::default() };
    let (failure, took) = time_out(vec![Step::Hang], Ask { clocks, ..ask("a") }).await;
    assert_eq!(took, 6 * SECOND);
    assert!(failure.message.contains("`total`"), "{failure}");
    assert_eq!(failure.suggestion.unwrap(), "allow more time with `timeout: {total: 12.0s}`");
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_is_longer_than_the_time_left_is_not_waited() {
    let provider = Arc::new(Scripted::new(|_| vec![refused(Some(3600 * SECOND))]));
    let clocks = Clocks { total: Some(60 * SECOND), ..Clocks::default() };
    let begun = Instant::now();
    let unanswered = Desk::of(&provider).ask(&Ask { clocks, ..ask("a") }).await.unwrap_err();
    assert_eq!((unanswered.failure.kind, unanswered.attempts), (FailureKind::RateLimited, 1));
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert!(unanswered.failure.suggestion.unwrap().contains("1h00m"));
}
