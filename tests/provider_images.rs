//! Pictures over the wire.

mod support;

use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use blossom_run::model::{Content, FailureKind, ImageInfo, ImageParams, MediaType, ProviderKind, Reply as Answer};
use image::{ImageFormat, RgbImage};
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
async fn a_picture_at_an_address_of_the_service_itself_is_fetched_with_the_key() {
    for address in ["cats/1.png", "/v1/cats/1.png", "whole"] {
        let server = Server::start(move |request| match (request.method.as_str(), request.header("authorization")) {
            ("POST", _) => {
                let whole = format!("http://{}/v1/cats/1.png", request.header("host").unwrap());
                Reply::json(&json!({"data": [{"url": if address == "whole" { &whole } else { address }}]}))
            }
            (_, Some(_)) => Reply::picture("a cat"),
            _ => Reply::error(401, "UNAUTHORIZED", "No"),
        });
        let provider = openai(&format!("{}/v1", server.url));
        let answer = ask(&*provider, &image(&*provider, "a cat", ImageParams::default()), false).await;
        assert_eq!(info(answer), SMALL, "{address}");
        assert_eq!(server.requests()[1].target, "/v1/cats/1.png");
    }
}

#[tokio::test]
async fn every_format_is_known_by_its_bytes_and_measured() {
    let made = |format| {
        let mut bytes = Cursor::new(vec![]);
        RgbImage::new(7, 5).write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    };
    let gif = b"GIF89a\x07\x00\x05\x00\x00\x00\x00;\0".to_vec();
    let svg = b"<?xml version='1.0'?><svg viewBox='0 0 7 5'><path/></svg>".to_vec();
    for (bytes, media_type) in [
        (made(ImageFormat::Png), MediaType::Png),
        (made(ImageFormat::Jpeg), MediaType::Jpeg),
        (made(ImageFormat::WebP), MediaType::Webp),
        (gif, MediaType::Gif),
        (svg, MediaType::Svg),
    ] {
        let expected = ImageInfo { media_type, width: 7, height: 5 };
        for label in ["image/jpeg", "text/html", "application/json"] {
            assert_eq!(info(cat(Reply::bytes(label, bytes.clone())).await), expected, "{label}");
        }
    }
}

#[tokio::test]
async fn base64_is_read_in_every_form() {
    let bytes = picture("a dog");
    let (standard, url_safe) = (STANDARD.encode(&bytes), URL_SAFE.encode(&bytes));
    assert!(standard.contains(['+', '/']) && standard.ends_with('='), "the forms differ: {standard}");
    let lines: Vec<&str> = standard.as_bytes().chunks(60).map(|line| std::str::from_utf8(line).unwrap()).collect();
    for encoded in [
        standard.trim_end_matches('=').to_owned(),
        url_safe.clone(),
        url_safe.trim_end_matches('=').to_owned(),
        lines.join("\r\n"),
        format!("data:image/jpeg;base64,{standard}"),
    ] {
        assert_eq!(info(cat(Reply::json(&json!({"data": [{"b64_json": encoded}]}))).await), SMALL, "{encoded}");
    }
}

#[tokio::test]
async fn a_picture_that_has_changed_on_its_way_is_garbled() {
    let mut bytes = picture("a cat");
    bytes[20] ^= 1;
    assert_eq!(kind(cat(Reply::bytes("image/png", bytes)).await), FailureKind::Garbled);
    let open = b"GIF89a\x07\x00\x05\x00\x00\x00\x00;\x01".to_vec();
    assert_eq!(kind(cat(Reply::bytes("image/gif", open)).await), FailureKind::Cut, "a semicolon is no end");
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
