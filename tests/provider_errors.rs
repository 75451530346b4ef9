//! Refusals over the wire: every status and every shape of body that has been seen, and what they mean.

mod support;

use std::time::Duration;

use blossom_run::model::{Advice, Failure, FailureKind as Kind, ImageParams, ProviderKind};
use blossom_run::provider::{Attempt, Provider};
use futures::StreamExt;
use futures::future::join3;
use secrecy::SecretString;
use serde_json::{Value, json};
use support::asking::{PLANTED, ask, image, openai, provider, refused, text};
use support::server::{Gate, Reply, Server};
use tokio::time::timeout;

async fn answered(reply: Reply) -> Failure {
    let server = Server::start(move |_| reply.clone());
    refused(&server.url, false).await
}

async fn said(status: u16, body: Value) -> Failure {
    answered(Reply::json(&body).status(status)).await
}

#[tokio::test]
async fn every_status_has_its_meaning() {
    for (status, kind) in [
        (400, Kind::BadRequest),
        (401, Kind::KeyRefused),
        (402, Kind::BalanceGone),
        (403, Kind::KeyRefused),
        (404, Kind::NotFound),
        (405, Kind::BadRequest),
        (408, Kind::Server),
        (409, Kind::BadRequest),
        (410, Kind::BadRequest),
        (413, Kind::BadRequest),
        (415, Kind::BadRequest),
        (422, Kind::BadRequest),
        (426, Kind::BadRequest),
        (429, Kind::RateLimited),
        (451, Kind::Moderated),
        (500, Kind::Server),
        (501, Kind::BadRequest),
        (502, Kind::Server),
        (503, Kind::Server),
        (504, Kind::Server),
        (520, Kind::Server),
        (524, Kind::Server),
        (530, Kind::Server),
    ] {
        let failure = answered(Reply::error(status, "WORD", "It says this.")).await;
        assert_eq!((failure.kind, failure.status), (kind, Some(status)), "{failure:?}");
        assert_eq!(failure.message, format!("`test` answers {status}: It says this"));
        assert_eq!((failure.code.as_deref(), failure.request_id.as_deref()), (Some("WORD"), Some("req-1")));
    }
}

#[tokio::test]
async fn the_gateway_tells_keys_balances_and_models_apart() {
    for (status, code, message, kind) in [
        (
            402,
            "PAYMENT_REQUIRED",
            "Insufficient balance. This model costs ~0.0136 pollen per request, but your available balance is 0.0000.",
            Kind::BalanceGone,
        ),
        (
            402,
            "KEY_BUDGET_EXHAUSTED",
            "API key budget exhausted. Please top up or create a new key.",
            Kind::BalanceGone,
        ),
        (402, "PAYMENT_REQUIRED", "This model requires 💳 Top-up Pollen", Kind::ModelForbidden),
        (402, "INSUFFICIENT_BALANCE", "This model requires more than is left", Kind::BalanceGone),
        (403, "FORBIDDEN", "Model 'claude' is not allowed for this API key", Kind::ModelForbidden),
        (403, "FORBIDDEN", "Your account is banned", Kind::KeyRefused),
        (401, "UNAUTHORIZED", "Authentication required. Please provide an API key", Kind::KeyRefused),
        (
            422,
            "content_policy_violation",
            "Your request was rejected by content moderation (Reason: x)",
            Kind::Moderated,
        ),
    ] {
        assert_eq!(answered(Reply::error(status, code, message)).await.kind, kind, "{message}");
    }
}

#[tokio::test]
async fn the_limit_of_a_publishable_key_names_its_time_in_the_body() {
    let body = json!({
        "error": "Rate limit exceeded",
        "message": "Rate limit exceeded. Retry after 12.5s. Use secret keys (sk_*) for more.",
        "retryAfterSeconds": 12.5,
    });
    let failure = said(429, body).await;
    assert_eq!((failure.kind, failure.retry_after), (Kind::RateLimited, Some(Duration::from_millis(12_500))));
    assert_eq!(
        failure.message,
        "`test` answers 429: Rate limit exceeded. Retry after 12.5s. Use secret keys (sk_*) for more"
    );
}

#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let details = json!({"name": "ValidationError", "formErrors": [], "fieldErrors": {"width": ["expected number, received NaN"]}});
    let body = json!({"status": 400, "success": false, "error": {"code": "BAD_REQUEST", "message": "Validation failed", "details": details}});
    let failure = said(400, body).await;
    assert_eq!(failure.kind, Kind::BadRequest);
    assert_eq!(failure.message, "`test` answers 400: Validation failed: `width`: expected number, received NaN");

    let many: serde_json::Map<String, Value> = (0..20).map(|n| (format!("f{n:02}"), json!(["no", "never"]))).collect();
    for (fields, said) in [
        (json!({"width": ["too small", "odd"], "height": ["odd"]}), "say more; `width`: too small, odd; `height`: odd"),
        (Value::Object(many), "say more; `f00`: no, never; `f01`: no, never"),
    ] {
        let details = json!({"name": "ValidationError", "formErrors": ["say more"], "fieldErrors": fields});
        let failure = said_of(details).await;
        assert!(failure.message.contains(said) && failure.message.chars().count() < 500, "{failure}");
    }
}

/// A refusal of the gateway with these details.
async fn said_of(details: Value) -> Failure {
    let error = json!({"code": "BAD_REQUEST", "message": "Validation failed", "details": details});
    said(400, json!({"status": 400, "success": false, "error": error})).await
}

#[tokio::test]
async fn the_anonymous_text_host_says_what_stands_behind_it_says() {
    let inner = json!({"message": "azure-openai error: temperature", "type": "invalid_request_error", "param": "temperature", "code": "unsupported_value"});
    let body =
        json!({"error": "400 Bad Request", "status": 400, "details": {"error": inner, "provider": "azure-openai"}});
    let failure = said(400, body).await;
    assert_eq!((failure.kind, failure.code.as_deref()), (Kind::BadRequest, Some("unsupported_value")));
    assert!(failure.message.ends_with("azure-openai error: temperature"), "{failure}");
}

#[tokio::test]
async fn a_tier_that_is_too_low_concerns_a_model() {
    let tier = "Model not found or tier not high enough. Your tier: anonymous, required tier: seed.";
    assert_eq!(said(402, json!({"error": tier, "status": 402})).await.kind, Kind::ModelForbidden);
    let failure = said(404, json!({"error": "Model not found: x", "status": 404})).await;
    assert_eq!(failure.kind, Kind::NotFound);
    assert!(failure.suggestion.unwrap().contains("check the name of `test-model`"));
}

#[tokio::test]
async fn a_full_queue_is_a_limit_under_any_status() {
    let body = json!({
        "error": "Too Many Requests",
        "message": "Queue full for IP: 1.2.3.4: 5 requests already queued (max: 5). Get unlimited access at https://enter.pollinations.ai",
        "timingInfo": [], "requestId": "nxnrhs", "requestParameters": {}, "queueInfo": null,
    });
    let failure = said(500, body).await;
    assert_eq!((failure.kind, failure.request_id.as_deref()), (Kind::RateLimited, Some("nxnrhs")));
}

#[tokio::test]
async fn an_error_in_the_text_of_an_error_is_the_one_that_is_told() {
    let inner =
        json!({"error": "Internal Server Error", "message": "The worker died", "requestId": "inner"}).to_string();
    let body = json!({"status": 500, "success": false, "error": {"code": "INTERNAL_ERROR", "message": inner}});
    let failure = said(500, body).await;
    assert_eq!((failure.message.as_str(), failure.kind), ("`test` answers 500: The worker died", Kind::Server));
}

#[tokio::test]
async fn a_payment_that_is_asked_for_by_x402_is_a_limit() {
    let full = "Queue full for IP: 1.2.3.4: 1 requests already queued (max: 1).";
    assert_eq!(said(402, json!({"x402Version": 1, "error": full, "accepts": []})).await.kind, Kind::RateLimited);
    assert_eq!(said(402, json!({"x402Version": 1, "accepts": []})).await.kind, Kind::RateLimited);
}

#[tokio::test]
async fn openai_and_its_followers_are_understood() {
    let error = |message: &str, class: &str, code: Value| json!({"error": {"message": message, "type": class, "param": null, "code": code}});
    for (status, body, kind) in [
        (401, error("Incorrect API key provided", "invalid_request_error", json!("invalid_api_key")), Kind::KeyRefused),
        (400, error("API key not valid. Please pass a valid API key.", "", Value::Null), Kind::KeyRefused),
        (
            429,
            error("You exceeded your current quota", "insufficient_quota", json!("insufficient_quota")),
            Kind::BalanceGone,
        ),
        (429, error("Rate limit reached", "requests", json!("rate_limit_exceeded")), Kind::RateLimited),
        (400, error("Blocked", "safety_error", Value::Null), Kind::Moderated),
        (400, error("The response was filtered", "", json!("content_filter")), Kind::Moderated),
        (400, error("No such model", "", json!("model_not_found")), Kind::NotFound),
        (400, error("No", "BadRequestError", json!(400)), Kind::BadRequest),
        (404, json!({"error": "model \"x\" not found, try pulling it first"}), Kind::NotFound),
        (422, json!({"detail": [{"loc": ["body", "messages"], "msg": "field required"}]}), Kind::BadRequest),
        (404, json!({"detail": "Not Found"}), Kind::NotFound),
        (503, json!({"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}), Kind::Server),
        (400, json!([{"error": {"code": 400, "message": "No", "status": "INVALID_ARGUMENT"}}]), Kind::BadRequest),
    ] {
        assert_eq!(said(status, body.clone()).await.kind, kind, "{body}");
    }
    let minute = error("You exceeded your current quota. Please retry in 12.5s.", "", json!(429));
    let failure = said(429, minute).await;
    assert_eq!((failure.kind, failure.retry_after), (Kind::RateLimited, Some(Duration::from_millis(12_500))));
    let long = error("This model's maximum context length is 8192 tokens", "", json!("context_length_exceeded"));
    let failure = said(400, long).await;
    assert_eq!(failure.kind, Kind::BadRequest);
    assert_eq!(failure.suggestion.as_deref(), Some("shorten the prompt, or name a model with a longer context"));
}

#[tokio::test]
async fn pages_lines_and_nothing_are_understood() {
    let page = answered(Reply::html("<!DOCTYPE html><title>502: Bad gateway</title>").status(502)).await;
    assert_eq!(
        (page.kind, page.message.as_str()),
        (Kind::Server, "`test` answers 502: a web page, `502: Bad gateway`")
    );
    for body in ["Your request was blocked", "", "<html>Attention Required</html>"] {
        let failure = answered(Reply::bytes("text/plain", body).status(403)).await;
        assert_eq!(failure.kind, Kind::BadRequest, "a firewall knows nothing of keys");
    }
    let down = answered(Reply::bytes("text/plain", "error code: 1033").status(530)).await;
    assert_eq!((down.kind, down.message.as_str()), (Kind::Server, "`test` answers 530: error code: 1033"));
    let silent = answered(Reply::bytes("text/plain", "").status(502)).await;
    assert_eq!(silent.message, "`test` answers 502 (bad gateway) and says no more");
}

#[tokio::test]
async fn what_stands_behind_the_gateway_refuses_another_key_than_ours() {
    let details = json!({"upstreamStatus": 401, "upstreamHost": "provider.example"});
    let body = json!({"status": 403, "success": false, "error": {"code": "FORBIDDEN", "message": "Unauthorized", "details": details}});
    assert_eq!(said(403, body).await.kind, Kind::Server);
}

#[tokio::test]
async fn what_stands_behind_the_gateway_is_told() {
    let upstream = |body: Value| {
        let details = json!({"upstreamStatus": 400, "upstreamHost": "provider.example", "upstreamBody": body});
        json!({"status": 502, "error": {"code": "BAD_GATEWAY", "message": "Bad gateway", "details": details}})
    };
    let error = json!({"error": {"message": "No GPU is free", "code": "no_capacity"}});
    for body in [error.clone(), json!(error.to_string())] {
        let failure = said(502, upstream(body)).await;
        assert_eq!(
            (failure.kind, failure.message.as_str()),
            (Kind::Server, "`test` answers 502: Bad gateway: No GPU is free")
        );
    }
    let filtered = json!({"error": {"message": "Rejected", "code": "content_policy_violation"}}).to_string();
    assert_eq!(said(502, upstream(json!(filtered))).await.kind, Kind::Moderated);
    let page = said(502, upstream(json!("<html><title>Oops</title></html>"))).await;
    assert!(page.message.ends_with("Bad gateway: a web page, `Oops`"), "{page}");
}

#[tokio::test]
async fn an_error_under_status_200_has_its_own_status() {
    for (code, kind) in [
        (json!("429"), Kind::RateLimited),
        (json!(401), Kind::KeyRefused),
        (json!("BAD_REQUEST"), Kind::BadRequest),
        (json!("UNAUTHORIZED"), Kind::KeyRefused),
        (json!("PAYMENT_REQUIRED"), Kind::BalanceGone),
        (json!("KEY_BUDGET_EXHAUSTED"), Kind::BalanceGone),
        (json!("INSUFFICIENT_BALANCE"), Kind::BalanceGone),
        (json!("FORBIDDEN"), Kind::KeyRefused),
        (json!("NOT_FOUND"), Kind::NotFound),
        (json!("RATE_LIMITED"), Kind::RateLimited),
        (json!("UNPROCESSABLE_ENTITY"), Kind::BadRequest),
        (json!("SERVICE_UNAVAILABLE"), Kind::Server),
        (json!("what_is_this"), Kind::Server),
        (Value::Null, Kind::Server),
    ] {
        let error = json!({"error": {"code": code, "message": "It says this"}});
        assert_eq!(said(200, error.clone()).await.kind, kind, "{code}");
        let server = Server::start(move |_| Reply::events([error.to_string()]));
        assert_eq!(refused(&server.url, true).await.kind, kind, "{code}");
    }
}

#[tokio::test]
async fn a_service_is_waited_for_up_to_an_hour() {
    let quota = |status: u16, wait: Option<&str>| {
        let body = json!({"error": {"message": "No quota is left", "code": "insufficient_quota"}});
        let reply = Reply::json(&body).status(status);
        wait.map_or(reply.clone(), |wait| reply.header("retry-after", wait))
    };
    let slow = |wait: &str| Reply::error(429, "RATE_LIMITED", "Slow down").header("retry-after", wait);
    for (reply, kind) in [
        (quota(429, Some("3600")), Kind::RateLimited),
        (quota(429, None), Kind::BalanceGone),
        (quota(429, Some("3601")), Kind::Away),
        (slow("3600"), Kind::RateLimited),
        (slow("3601"), Kind::Away),
        (quota(503, Some("3601")), Kind::Away),
        (quota(500, Some("3601")), Kind::Server),
    ] {
        assert_eq!(answered(reply.clone()).await.kind, kind, "{reply:?}");
    }
    let away = answered(slow("7260")).await;
    assert_eq!(away.message, "`test` answers 429: Slow down; it asks to be left alone for 2h01m");
    assert_eq!((away.suggestion.as_deref(), away.advice()), (Some("run it again in 2h01m"), Advice::Block));
}

#[tokio::test]
async fn a_server_may_say_how_long_to_wait() {
    let slow = |header: &str, value: &str| Reply::error(429, "RATE_LIMITED", "Slow down").header(header, value);
    assert_eq!(answered(slow("retry-after", "13")).await.retry_after, Some(Duration::from_secs(13)));
    let dated = slow("retry-after", "Sun, 22 Nov 2026 10:00:30 GMT").header("date", "Sun, 22 Nov 2026 10:00:20 GMT");
    assert_eq!(answered(dated).await.retry_after, Some(Duration::from_secs(10)));
    let busy = Reply::error(503, "SERVICE_UNAVAILABLE", "Maintenance").header("retry-after", "60");
    assert_eq!(answered(busy).await.retry_after, Some(Duration::from_secs(60)));
    assert_eq!(answered(Reply::error(429, "RATE_LIMITED", "Slow down")).await.retry_after, None);
    for (header, value, seconds) in [
        ("retry-after-ms", "1200", 1.2),
        ("retry-after", "Sunday, 22-Nov-26 10:00:30 GMT", 10.0),
        ("retry-after", "Sun Nov 22 10:00:30 2026", 10.0),
        ("retry-after", "Sun, 22 Nov 2026 09:00:00 GMT", 0.0),
    ] {
        let dated = slow(header, value).header("date", "Sun, 22 Nov 2026 10:00:20 GMT");
        assert_eq!(answered(dated).await.retry_after, Some(Duration::from_secs_f64(seconds)), "{header}: {value}");
    }
    for (error, seconds) in [
        (json!({"message": "Please try again in 6m0s"}), 360.0),
        (json!({"message": "Slow down", "retryAfterSeconds": "12.5"}), 12.5),
        (json!({"message": "Slow down", "retryAfter": 30}), 30.0),
        (json!({"message": "Slow down", "details": {"retryAfterSeconds": 9}}), 9.0),
        (json!({"message": "Slow down", "details": [{"retryDelay": "34s"}]}), 34.0),
    ] {
        let failure = said(429, json!({"error": error})).await;
        assert_eq!(failure.retry_after, Some(Duration::from_secs_f64(seconds)), "{failure:?}");
    }
}

#[tokio::test]
async fn an_error_that_breaks_off_is_still_that_error() {
    let failure = answered(Reply::error(429, "RATE_LIMITED", "Slow down").cut_after(10)).await;
    assert_eq!((failure.kind, failure.status), (Kind::RateLimited, Some(429)));
}

#[tokio::test]
async fn a_refusal_is_told_though_its_body_does_not_end() {
    let gate = Gate::new();
    let stalled = |reply: Reply| {
        let held = reply.held_within(20, &gate);
        Server::start(move |_| held.clone())
    };
    let key = stalled(Reply::error(401, "UNAUTHORIZED", "No"));
    let slow = stalled(Reply::error(429, "RATE_LIMITED", "Slow down").header("retry-after", "7"));
    let lister = openai(&key.url);
    let all = join3(refused(&key.url, false), refused(&slow.url, false), lister.models(None).collect::<Vec<_>>());
    // Longer than it takes by far: without an end of its own it would take for ever.
    let (key, slow, list) = timeout(Duration::from_secs(30), all).await.expect("an end");
    assert_eq!((key.kind, slow.kind), (Kind::KeyRefused, Kind::RateLimited));
    assert_eq!(slow.retry_after, Some(Duration::from_secs(7)));
    assert_eq!(list[0].as_ref().unwrap_err().kind, Kind::KeyRefused);
}

#[tokio::test]
async fn a_post_is_never_sent_elsewhere() {
    let elsewhere = Server::start(|_| Reply::chat("Gotcha"));
    for status in [301, 302, 303, 307, 308] {
        let target = format!("{}/v1", elsewhere.url);
        let server = Server::start(move |_| Reply::bytes("text/plain", "").status(status).header("location", &target));
        let failure = refused(&server.url, false).await;
        assert_eq!((failure.kind, failure.status), (Kind::BadRequest, Some(status)));
        assert!(failure.message.contains("it has moved to"), "{failure}");
    }
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn another_server_says_nothing_of_this_key() {
    for (status, code, kind) in [
        (401, "UNAUTHORIZED", Kind::BadRequest),
        (402, "INSUFFICIENT_BALANCE", Kind::BadRequest),
        (403, "FORBIDDEN", Kind::BadRequest),
        (200, "UNAUTHORIZED", Kind::BadRequest),
        (502, "BAD_GATEWAY", Kind::Server),
    ] {
        let elsewhere = Server::start(move |_| Reply::error(status, code, "Go away").status(status));
        let target = format!("{}/there", elsewhere.url);
        let server = Server::start(move |_| Reply::bytes("text/plain", "").status(302).header("location", &target));
        let provider = provider(ProviderKind::Pollinations, &server.url);
        let drawn = image(&*provider, "a cat", ImageParams::default());
        let failure = ask(&*provider, &drawn, false).await.unwrap_err();
        assert_eq!(failure.kind, kind, "{status} {code}");
        assert!(
            failure.message.starts_with(&format!("`test` redirects to `{}`, which answers", elsewhere.url)),
            "{failure}"
        );
    }
}

/// The server repeats all that it is sent, in every place where a server can speak.
#[tokio::test]
async fn a_key_that_a_server_repeats_is_not_shown() {
    let echo = |status: u16| {
        move |request: &support::server::Request| {
            let auth = request.header("authorization").unwrap_or("none").to_owned();
            let error = json!({"code": auth, "message": format!("{} {auth}", "long ".repeat(76)), "requestId": auth});
            Reply::json(&json!({"error": error})).status(status).header("x-request-id", &auth)
        }
    };
    for status in [200, 400, 401, 429, 500] {
        let server = Server::start(echo(status));
        let failure = refused(&server.url, true).await;
        assert!(!format!("{failure:?}").contains("sk_p"), "{failure:?}");
    }
    let server = Server::start(|request| Reply::html(&format!("<p>{:?}</p>", request.headers)));
    assert!(!format!("{:?}", refused(&server.url, false).await).contains("sk_p"));
}

#[tokio::test]
async fn a_key_that_can_be_none_is_not_sent() {
    let server = Server::start(|_| Reply::chat("Hi"));
    let provider = provider(ProviderKind::Pollinations, &server.url);
    let call = text(&*provider, "Hello");
    for key in ["pk_abc...xyz", "sk_"] {
        let secret = SecretString::from(key);
        let attempt = Attempt { secret: Some(&secret), ..Attempt::of(&call) };
        let last = provider.send(attempt).next().await.unwrap();
        assert_eq!(last.unwrap_err().kind, Kind::KeyRefused, "{key}");
    }
    assert!(server.requests().is_empty());
    assert!(ask(&*provider, &call, false).await.is_ok());
    assert_eq!(server.request().header("authorization"), Some(format!("Bearer {PLANTED}").as_str()));
}

#[tokio::test]
async fn a_key_with_a_line_break_goes_nowhere() {
    let server = Server::start(|_| Reply::chat("Hi"));
    let provider = openai(&server.url);
    let call = text(&*provider, "Hello");
    let secret = SecretString::from("sk-abcdefgh\nInjected: yes");
    let attempt = Attempt { secret: Some(&secret), ..Attempt::of(&call) };
    let failure = first_failure(&*provider, attempt).await;
    assert_eq!(failure.kind, Kind::KeyRefused);
    assert!(server.requests().is_empty());
}

async fn first_failure(provider: &dyn Provider, attempt: Attempt<'_>) -> Failure {
    let pieces: Vec<_> = provider.send(attempt).collect().await;
    pieces.into_iter().find_map(Result::err).expect("a failure")
}
