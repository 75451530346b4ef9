//! Clocks that run out: of an attempt, of a stream, of an item, of the run.

use std::time::Duration;

use blossom_run::model::{EventKind, Failure, FailureKind};

use crate::scene::{Ran, Scene, echo};
use crate::support::server::{Gate, Reply, Server};

fn failure(ran: &Ran) -> &Failure {
    let failed = ran.events.iter().find_map(|kind| match kind {
        EventKind::Failed { failure, .. } => Some(failure),
        _ => None,
    });
    failed.expect("a failed item")
}

async fn timed_out(reply: impl Fn() -> Reply + Send + Sync + 'static, timeout: &str) -> Ran {
    let server = Server::start(move |_| reply());
    let body = format!("stages:\n  letter: {{text: Write, stream: true, retry: 2, timeout: {timeout}}}\n");
    let ran = Scene::new(&server, &body).run().await.has_failed();
    assert_eq!(server.requests().len(), 2, "it is tried again");
    assert_eq!(failure(&ran).kind, FailureKind::Timeout);
    ran
}

#[tokio::test]
async fn an_attempt_that_takes_too_long_is_dropped() {
    let gate = Gate::new();
    let reply = move || Reply::stream(&["Dear all,"]).held_within(0, &gate);
    let ran = timed_out(reply, "{attempt: 400ms, first_token: 1m, idle: 1m}").await;
    assert_eq!(failure(&ran).message, "No whole answer within 400ms (`attempt`)");
}

#[tokio::test]
async fn a_stream_that_does_not_begin_is_dropped() {
    let ran = timed_out(Reply::never, "{first_token: 400ms, idle: 1m}").await;
    assert_eq!(failure(&ran).message, "No text within 400ms (`first_token`)");
}

#[tokio::test]
async fn a_stream_that_stands_still_is_dropped_with_what_it_said() {
    let gate = Gate::new();
    let reply = move || {
        let reply = Reply::stream(&["Dear all,", " it is late"]);
        let text = String::from_utf8(reply.body().to_vec()).unwrap();
        reply.held_within(text.find(" it is late").unwrap() - 60, &gate)
    };
    let ran = timed_out(reply, "{first_token: 1m, idle: 400ms}").await;
    assert_eq!(failure(&ran).message, "The answer stood still for 400ms (`idle`)");
    assert_eq!(failure(&ran).partial.as_deref(), Some("Dear all,"));
}

#[tokio::test]
async fn all_attempts_of_an_item_have_one_time_together() {
    let server = Server::start(|_| Reply::never());
    let body = "
        stages:
          letter: {text: Write, retry: 5, timeout: {attempt: 1m, total: 400ms}}
        ";
    let ran = Scene::new(&server, body).run().await.has_failed();
    assert!(failure(&ran).message.contains("(`total`)"), "{:?}", failure(&ran));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn an_item_that_hung_once_comes_out() {
    let server = Server::start(|request| if request.attempt == 1 { Reply::never() } else { Reply::chat("At last") });
    let body = "
        stages:
          letter: {text: Write, timeout: {attempt: 2s}, save: letter.md}
        ";
    let ran = Scene::new(&server, body).run().await.is_done();
    assert_eq!(ran.text("letter.md"), "At last\n");
}

/// Clocks start when a request is sent: with one place and answers of a minute each, the last waits for nine.
#[tokio::test(start_paused = true)]
async fn waiting_for_a_place_is_no_time_of_an_attempt() {
    let body = "
        stages:
          letter: {for_each: {n: 10}, text: 'Write {{n}}', concurrency: 10, retry: 1, timeout: {attempt: 61s, total: 61s}}
        ";
    let ran = Scene::offline(", latency: 60s", body).provider("concurrency: 1").run().await.is_done();
    assert_eq!(ran.took(), Duration::from_secs(600));
}

#[tokio::test(start_paused = true)]
async fn after_the_deadline_what_is_on_the_wire_finishes_and_nothing_else_is_sent() {
    let body = "
        deadline: 15s
        stages:
          letter: {for_each: {n: 5}, text: 'Write {{n}}', concurrency: 1, save: letter.jsonl}
        ";
    let ran = Scene::offline(", latency: 10s", body).run().await;
    assert_eq!(ran.blocked_by().kind, FailureKind::DeadlinePassed);
    assert_eq!(ran.took(), Duration::from_secs(20));
    assert_eq!(ran.counts("letter"), "5: 2 done, 3 not started");
    assert_eq!(ran.rows("letter.jsonl").len(), 2);
    assert_eq!(ran.stopping(), Some("the time for this run is up"));
}

#[tokio::test]
async fn a_run_that_is_done_in_time_knows_no_deadline() {
    let server = echo();
    let body = "
        deadline: 1h
        stages:
          letter: {text: Write, save: letter.md}
        ";
    let ran = Scene::new(&server, body).run().await.is_done();
    assert_eq!(ran.stopping(), None);
}
