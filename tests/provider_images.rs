//! Pictures over the wire.

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blossom_run::model::{Content, FailureKind, ImageInfo, ImageParams, MediaType, ProviderKind, Reply as Answer};
use serde_json::json;
use support::asking::{ask, image, kind, openai, provider};
use support::server::{Reply, Server, picture};

const SMALL: ImageInfo = ImageInfo { media_type: MediaType::Png, width: 4, height: 3 };

/// Asks the API of Pollinations for a picture of a cat.
async fn cat(reply: Reply) -> Result<Answer, blossom_run::model::Failure> {
    let server = Server::start(move |_| reply.clone());
    let provider = provider(ProviderKind::Pollinations, &server.url);
    ask(&*provider, &image(&*provider, "a cat", ImageParams::default()), false).await
}

fn info(answer: Result<Answer, blossom_run::model::Failure>) -> ImageInfo {
    match answer.expect("a picture").content {
        Content::Image { info, .. } => info,
        Content::Text(text) => panic!("a text for a picture: {text}"),
    }
}

#[tokio::test]
async fn a_picture_is_what_its_bytes_are() {
    let reply = Reply::picture("a cat").header("x-model-used", "flux").header("x-usage-completion-image-tokens", "7");
    let answer = cat(reply).await.unwrap();
    assert_eq!((answer.model.as_deref(), answer.usage.unwrap().output_tokens), (Some("flux"), 7));
    let Content::Image { bytes, info } = answer.content else { panic!("a text for a picture") };
    assert_eq!((&bytes[..], info), (&picture("a cat")[..], SMALL), "whatever the header says");
}

#[tokio::test]
async fn a_picture_may_come_as_json() {
    let encoded = STANDARD.encode(picture("a cat"));
    for field in [json!({"b64_json": encoded}), json!({"url": format!("data:image/png;base64,{encoded}")})] {
        let reply =
            Reply::json(&json!({"created": 1764, "data": [field], "usage": {"input_tokens": 5, "output_tokens": 6}}));
        assert_eq!(info(cat(reply).await), SMALL);
    }
}

#[tokio::test]
async fn a_picture_at_an_address_is_fetched_without_the_key() {
    let store = Server::start(|request| match request.path.as_str() {
        "/moved.png" => Reply::bytes("text/plain", "").status(302).header("location", "/cat.png?signed=yes"),
        _ => Reply::picture("a cat"),
    });
    let address = format!("{}/moved.png", store.url);
    let server = Server::start(move |_| Reply::json(&json!({"data": [{"url": address}]})));
    let provider = openai(&server.url);
    assert_eq!(info(ask(&*provider, &image(&*provider, "a cat", ImageParams::default()), false).await), SMALL);
    assert!(server.request().header("authorization").is_some());
    for request in store.requests() {
        assert_eq!((request.method.as_str(), request.header("authorization")), ("GET", None));
    }
    assert_eq!(store.requests().len(), 2);
}

#[tokio::test]
async fn an_address_without_a_picture_is_garbled_and_no_refusal_of_ours() {
    for reply in [Reply::error(401, "UNAUTHORIZED", "No"), Reply::html("<html>"), Reply::json(&json!({"data": []}))] {
        let store = Server::start(move |_| reply.clone());
        let address = store.url.clone();
        assert_eq!(kind(cat(Reply::json(&json!({"data": [{"url": address}]}))).await), FailureKind::Garbled);
    }
}

#[tokio::test]
async fn what_is_no_picture_is_a_failure() {
    for (reply, expected) in [
        (Reply::html("<html><title>Sorry</title></html>"), FailureKind::Garbled),
        (Reply::bytes("image/jpeg", "not a picture"), FailureKind::Garbled),
        (Reply::bytes("image/jpeg", ""), FailureKind::Empty),
        (Reply::json(&json!({"data": [{"b64_json": "!!"}]})), FailureKind::Garbled),
        (Reply::json(&json!({"data": [{"b64_json": STANDARD.encode("text")}]})), FailureKind::Garbled),
        (Reply::json(&json!({"data": [{"url": "file:///etc/passwd"}]})), FailureKind::Garbled),
        (Reply::json(&json!({"answer": 7})), FailureKind::Garbled),
        (Reply::error(429, "RATE_LIMITED", "Slow down").status(200), FailureKind::RateLimited),
    ] {
        assert_eq!(kind(cat(reply.clone()).await), expected, "{reply:?}");
    }
}

#[tokio::test]
async fn a_picture_that_breaks_off_is_a_cut() {
    let whole = picture("a cat");
    let shorter = &whole[..whole.len() - 5];
    assert_eq!(kind(cat(Reply::bytes("image/png", shorter)).await), FailureKind::Cut, "its format says so");
    assert_eq!(kind(cat(Reply::picture("a cat").cut_after(30)).await), FailureKind::Cut, "its length says so");
    let encoded = STANDARD.encode(shorter);
    assert_eq!(kind(cat(Reply::json(&json!({"data": [{"b64_json": encoded}]}))).await), FailureKind::Cut);
}

#[tokio::test]
async fn the_same_picture_for_other_prompts_is_a_placeholder() {
    // The anonymous hosts send one to whoever asks too fast, so it takes one prompt less to know it there.
    for (kind, told) in [(ProviderKind::PollinationsLegacy, 1), (ProviderKind::Pollinations, 3)] {
        let server = Server::start(|_| Reply::picture("branded"));
        let provider = provider(kind, &server.url);
        for (number, prompt) in ["a", "b", "a", "c", "a"].into_iter().enumerate() {
            let answer = ask(&*provider, &image(&*provider, prompt, ImageParams::default()), false).await;
            let expected = (number >= told).then_some(FailureKind::Placeholder);
            assert_eq!(answer.err().map(|failure| failure.kind), expected, "{kind:?} {prompt}");
        }
    }
}
