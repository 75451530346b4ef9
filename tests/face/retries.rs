//! What is tried again, and by whom.

use std::time::Duration;

use blossom_run::client::LaneReport;
use blossom_run::model::{EventKind, FailureKind, RetryPolicy};
use futures::StreamExt;
use tokio::time::{Instant, sleep};

use crate::scripted::{SECOND, Step, fail, refused, whole};
use crate::service::server::{Reply, Server};
use crate::support::{at, at_once, played};

#[tokio::test]
async fn what_may_pass_is_sent_again() {
    let server = Server::start(|request| match request.attempt {
        1 => Reply::error(503, "SERVICE_UNAVAILABLE", "Not now"),
        2 => Reply::reset(),
        _ => Reply::chat("Hi"),
    });
    let blossom = at(&server).build().unwrap();
    let answer = blossom.text("Hello").await.unwrap();
    assert_eq!((answer.text.as_str(), answer.attempts), ("Hi", 3));
    let requests = server.requests();
    assert!(requests.iter().all(|request| request.body == requests[0].body), "the same to the byte");

    let error = blossom.text("Other").no_retry().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts(), error.is_transient()), (FailureKind::Server, 1, true));
    assert_eq!(server.count("Other"), 1);
    let error = blossom.text("Third").retry(RetryPolicy { attempts: 2, ..at_once() }).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (FailureKind::Cut, 2));
}

#[tokio::test]
async fn what_stays_wrong_is_sent_once() {
    let server = Server::start(|_| Reply::error(400, "BAD_REQUEST", "No such thing"));
    let error = at(&server).build().unwrap().text("Hello").await.unwrap_err();
    assert_eq!((error.kind(), error.attempts(), error.is_transient()), (FailureKind::BadRequest, 1, false));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_names_a_time_is_left_alone_for_it() {
    let (service, builder) = played(|seen| match seen.number {
        1 => vec![refused(Some(7 * SECOND))],
        _ => vec![whole("Hi")],
    });
    let (blossom, mut events) = builder.build_watched().unwrap();
    assert_eq!(blossom.text("Hello").await.unwrap().attempts, 2);
    assert_eq!(service.times(), [0, 7000]);
    let [LaneReport { refused: 1, pauses: 1, .. }] = blossom.lanes()[..] else { panic!("{:?}", blossom.lanes()) };
    drop(blossom);
    let mut pauses = Vec::new();
    while let Some(event) = events.next().await {
        if let EventKind::AttemptFailed { retry_in, .. } = event.kind {
            pauses.push(retry_in);
        }
    }
    assert_eq!(pauses, [Some(7 * SECOND)]);
}

#[tokio::test(start_paused = true)]
async fn pauses_are_those_of_the_policy() {
    let (service, builder) = played(|_| vec![fail(FailureKind::Server)]);
    let blossom = builder.build().unwrap();
    let policy = RetryPolicy { attempts: 4, backoff: 2 * SECOND, factor: 3.0, jitter: false, ..RetryPolicy::default() };
    assert_eq!(blossom.text("Hello").retry(policy).await.unwrap_err().attempts(), 4);
    assert_eq!(service.times(), [0, 2000, 8000, 26_000]);
}

/// The loop of a program that wants to decide for itself.
#[tokio::test(start_paused = true)]
async fn a_program_may_try_again_by_itself() {
    let (service, builder) = played(|seen| match seen.at_once + seen.number {
        2.. if seen.prompt == "Never" => vec![fail(FailureKind::BadRequest)],
        _ => vec![fail(FailureKind::Server)],
    });
    let blossom = builder.no_retry().build().unwrap();
    let tried = async |prompt: &str| {
        let (ask, mut attempt) = (blossom.text(prompt), 0);
        loop {
            attempt += 1;
            match ask.clone().await {
                Err(error) if error.is_transient() && attempt < 3 => {
                    sleep(error.retry_after().unwrap_or(SECOND * 2_u32.pow(attempt - 1))).await;
                }
                outcome => return (outcome, attempt),
            }
        }
    };
    let (outcome, attempts) = tried("Hello").await;
    assert_eq!((outcome.unwrap_err().kind(), attempts), (FailureKind::Server, 3));
    assert_eq!(service.times(), [0, 1000, 3000]);
    assert_eq!(tried("Never").await.1, 1);
}

#[tokio::test(start_paused = true)]
async fn clocks_run_out_and_say_which() {
    let (service, builder) = played(|_| vec![Step::Hang]);
    let blossom = builder.attempt_timeout(30 * SECOND).no_retry().build().unwrap();
    let begun = Instant::now();
    let error = blossom.text("Hello").await.unwrap_err();
    assert_eq!((error.kind(), begun.elapsed()), (FailureKind::Timeout, 30 * SECOND));
    assert!(
        error.message().contains("`attempt`") && error.suggestion().unwrap().contains("`.timeout(..)`"),
        "{error:?}"
    );

    let begun = Instant::now();
    let error = blossom.text("Hello").timeout(5 * SECOND).await.unwrap_err();
    assert_eq!((error.kind(), begun.elapsed()), (FailureKind::Timeout, 5 * SECOND));
    assert!(error.message().contains("`total`"), "{error}");

    // Around the question, the time in the queue counts too.
    let late = tokio::time::timeout(SECOND, blossom.text("Hello")).await;
    assert!(late.is_err());
    assert_eq!(service.at_once(), 0, "it is taken back");
}

#[tokio::test(start_paused = true)]
async fn what_is_left_of_the_time_is_told_in_methods() {
    let (_service, builder) = played(|_| vec![refused(Some(60 * SECOND))]);
    let error = builder.total_timeout(5 * SECOND).build().unwrap().text("Hello").await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (FailureKind::RateLimited, Some(60 * SECOND)));
    assert!(error.suggestion().unwrap().contains("`.timeout(5.0s)`"), "{error:?}");
}

/// A run ends when a key is refused; a program lives on, and its next question may come with the account in order.
#[tokio::test(start_paused = true)]
async fn what_would_end_a_run_does_not_end_a_client() {
    let (service, builder) = played(|seen| match seen.prompt.as_str() {
        "Poor" => vec![fail(FailureKind::BalanceGone)],
        "Away" => vec![Step::Fail(blossom_run::model::Failure {
            retry_after: Some(Duration::from_secs(3600)),
            ..blossom_run::model::Failure::new(FailureKind::Away, "Come back later")
        })],
        _ => vec![whole("Hi")],
    });
    let blossom = builder.build().unwrap();
    assert_eq!(blossom.text("Poor").await.unwrap_err().kind(), FailureKind::BalanceGone);
    assert_eq!(blossom.text("Rich").await.unwrap().text, "Hi");

    let error = blossom.text("Away").await.unwrap_err();
    assert_eq!((error.kind(), error.is_transient()), (FailureKind::Away, true));
    // The service has asked to be left alone for so long.
    assert_eq!(blossom.text("Hello").await.unwrap_err().kind(), FailureKind::Away);
    assert_eq!(service.prompts(), ["Poor", "Rich", "Away"]);
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(blossom.text("Hello").await.unwrap().text, "Hi");
}

#[tokio::test(start_paused = true)]
async fn a_closed_client_sends_nothing_more() {
    let (service, builder) = played(|_| vec![Step::Wait(SECOND), whole("Hi")]);
    let blossom = builder.concurrency(1).build().unwrap();
    let (first, second, ()) = tokio::join!(blossom.text("a"), blossom.text("b"), async {
        sleep(SECOND / 2).await;
        blossom.clone().close();
    });
    assert_eq!(first.unwrap().text, "Hi", "what is on the wire comes to its end");
    for error in [second.unwrap_err(), blossom.text("c").await.unwrap_err()] {
        assert_eq!(error.kind(), FailureKind::Interrupted);
        assert_eq!(error.message(), "Not sent: the client was closed");
        assert!(error.suggestion().unwrap().contains("`Blossom::builder()`"), "{error:?}");
    }
    assert_eq!(service.prompts(), ["a"]);
}
