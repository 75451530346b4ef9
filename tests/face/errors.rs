//! Errors: each kind with what a program decides on and what a person reads.

use std::time::Duration;

use blossom_run::Error;
use blossom_run::model::{FailureKind, Usage};
use serde_json::json;

use crate::service::server::{Reply, Server};
use crate::support::{at, pollinations};

async fn refused(reply: Reply) -> Error {
    let server = Server::start(move |_| reply.clone());
    pollinations(&server).key("sk_0123456789abcdef").no_retry().build().unwrap().text("Hello").await.unwrap_err()
}

#[tokio::test]
async fn each_kind_says_what_happened_and_what_to_try() {
    for (reply, kind, status, transient) in [
        (Reply::error(400, "BAD_REQUEST", "No"), FailureKind::BadRequest, 400, false),
        (Reply::error(401, "UNAUTHORIZED", "No"), FailureKind::KeyRefused, 401, false),
        (Reply::error(402, "PAYMENT_REQUIRED", "No pollen"), FailureKind::BalanceGone, 402, false),
        (Reply::error(404, "NOT_FOUND", "No such model"), FailureKind::NotFound, 404, false),
        (Reply::error(429, "RATE_LIMITED", "Slow down"), FailureKind::RateLimited, 429, true),
        (Reply::error(500, "INTERNAL_ERROR", "Oh snap"), FailureKind::Server, 500, true),
        (Reply::error(503, "SERVICE_UNAVAILABLE", "Not now"), FailureKind::Server, 503, true),
    ] {
        let error = refused(reply).await;
        assert_eq!((error.kind(), error.status()), (kind, Some(status)), "{error:?}");
        assert_eq!((error.is_transient(), error.attempts()), (transient, 1), "{error:?}");
        assert_eq!(error.request_id(), Some("req-1"), "{error:?}");
        assert!(error.suggestion().is_some_and(|suggestion| !suggestion.contains("--")), "{error:?}");
        assert_eq!(error.to_string(), error.message());
        assert!(!error.to_string().contains('\n'), "{error:?}");
    }
}

#[tokio::test]
async fn what_is_no_answer_is_an_error() {
    for (reply, kind) in [
        (Reply::html("<h1>Hello</h1>"), FailureKind::Garbled),
        (Reply::chat("  "), FailureKind::Empty),
        (Reply::reset(), FailureKind::Cut),
        (Reply::chat("Hi").cut_after(20).claiming(200), FailureKind::Cut),
    ] {
        let error = refused(reply).await;
        assert_eq!((error.kind(), error.is_transient()), (kind, true), "{error:?}");
        assert!(error.suggestion().is_some(), "{error:?}");
    }
}

#[tokio::test]
async fn a_service_may_name_a_time_and_a_word() {
    let error = refused(Reply::error(429, "RATE_LIMITED", "Slow down").header("retry-after", "7")).await;
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    assert_eq!(error.code(), Some("RATE_LIMITED"));
}

#[tokio::test]
async fn an_answer_that_is_cut_at_its_longest_is_an_error_that_costs() {
    let server = Server::start(|_| Reply::chat_ending(json!("Hello wor"), json!("length")));
    let error = at(&server).build().unwrap().text("Hello").max_tokens(3).await.unwrap_err();
    assert_eq!((error.kind(), error.is_transient(), error.attempts()), (FailureKind::Length, false, 1));
    assert_eq!(error.partial(), Some("Hello wor"));
    assert_eq!(error.usage(), Some(Usage { input_tokens: 9, output_tokens: 12, total_tokens: 21 }));
    assert_eq!(error.cost().unpriced, 1);
    assert!(error.suggestion().unwrap().contains("`.max_tokens(..)`"), "{error:?}");
}

#[tokio::test]
async fn text_where_json_was_asked_for_is_an_error() {
    let server = Server::start(|_| Reply::chat("I would rather not"));
    let error = at(&server).build().unwrap().text("Hello").json().await.unwrap_err();
    assert_eq!((error.kind(), error.partial()), (FailureKind::WrongAnswer, Some("I would rather not")));
    assert_eq!(server.requests().len(), 1, "the same again would be wrong again");
}

#[tokio::test]
async fn nobody_at_the_address() {
    let url = Server::start(|_| Reply::chat("Hi")).url.clone();
    let blossom =
        blossom_run::Blossom::builder().provider("openai").base_url(url).model("m").no_retry().build().unwrap();
    let error = blossom.text("Hello").await.unwrap_err();
    assert_eq!((error.kind(), error.status(), error.is_transient()), (FailureKind::Connect, None, true));
}

#[tokio::test]
async fn questions_that_cannot_be_are_not_sent() {
    let server = Server::start(|_| Reply::chat("Hi"));
    let blossom = at(&server).build().unwrap();
    let mut errors = vec![
        blossom.text("Hello").temperature(f64::NAN).await.unwrap_err(),
        blossom.text("Hello").temperature(2.5).await.unwrap_err(),
        blossom.text("Hello").top_p(-0.1).await.unwrap_err(),
        blossom.text("Hello").max_tokens(0).await.unwrap_err(),
        blossom.text(" ").await.unwrap_err(),
        blossom.chat([] as [blossom_run::model::Message; 0]).await.unwrap_err(),
        blossom.text("Hello").timeout(Duration::ZERO).await.unwrap_err(),
        blossom.image("").await.unwrap_err(),
        blossom.image("sea").width(0).await.unwrap_err(),
        blossom.text(" ").stream().finish().await.unwrap_err(),
    ];
    let nameless = blossom_run::Blossom::builder().provider("openai").base_url(&server.url).build().unwrap();
    errors.push(nameless.text("Hello").await.unwrap_err());
    for error in errors {
        assert_eq!((error.kind(), error.attempts()), (FailureKind::BadRequest, 0), "{error:?}");
        assert!(error.suggestion().is_some(), "{error:?}");
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn errors_go_where_errors_go() {
    fn goes<T: std::error::Error + Send + Sync + Clone + 'static>() {}
    goes::<Error>();
    let error: Box<dyn std::error::Error + Send + Sync> =
        blossom_run::Blossom::builder().provider("nobody").build().unwrap_err().into();
    assert_eq!(error.to_string(), "There is no provider `nobody`");
    assert!(std::mem::size_of::<Error>() <= 8);
}
