//! What goes out: methods, addresses, bodies, headers, and nothing else.

mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use blossom_run::model::{
    AnswerSchema, Call, Choice, FailureKind, ImageParams, JsonMap, MediaType, Picture, PictureFile, ProviderKind,
    ProviderSettings, Rate, Request, TextParams,
};
use blossom_run::provider::{Attempt, HttpClient, Provider, build};
use futures::StreamExt;
use secrecy::SecretString;
use serde_json::json;
use support::asking::{PLANTED, ask, image, kind, openai, provider, settings, text};
use support::server::{Gate, Reply, Server};

fn with_params(mut call: Call, params: TextParams) -> Call {
    if let Request::Text { params: old, .. } = &mut call.request {
        *old = params;
    }
    call
}

/// A call whose answer must fit a schema.
fn with_schema(call: Call, schema: &serde_json::Value) -> Call {
    let rules = blossom_run::check::rules(schema).expect("a schema");
    let schema = AnswerSchema::new(schema.clone(), schema.clone(), false, rules);
    Call { answer: Choice::Schema(Arc::new(schema)), stage: "a/b".into(), ..call }
}

#[tokio::test]
async fn a_schema_goes_out_as_far_as_a_service_takes_it() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}});
    let order = "Answer with one JSON value and nothing else. It must fit this JSON Schema:\n";
    let words = json!({"role": "system", "content": format!("{order}{schema}")});
    let hello = json!({"role": "user", "content": "Hello, as JSON"});
    for (kind, format, messages) in [
        (ProviderKind::Openai, json!({"name": "a-b", "schema": schema}), json!([hello])),
        (ProviderKind::Pollinations, json!({"name": "a-b", "schema": schema}), json!([hello])),
        (ProviderKind::PollinationsLegacy, json!(null), json!([words, hello])),
    ] {
        let server = Server::start(|_| Reply::chat("{}"));
        let provider = provider(kind, &server.url);
        ask(&*provider, &with_schema(text(&*provider, "Hello, as JSON"), &schema), false).await.unwrap();
        let body = server.request().json();
        let kind = if format.is_null() { "json_object" } else { "json_schema" };
        assert_eq!(
            (&body["response_format"]["type"], &body["response_format"]["json_schema"]),
            (&json!(kind), &format)
        );
        assert_eq!(body["messages"], messages);
    }
}

#[tokio::test]
async fn a_refused_form_is_told_from_other_wrong_requests() {
    let schema = json!({"type": "object"});
    for (said, status, kind) in [
        (json!({"error": {"message": "Unsupported value", "param": "response_format"}}), 400, FailureKind::FormRefused),
        (
            json!({"detail": [{"loc": ["body", "response_format"], "msg": "extra fields"}]}),
            422,
            FailureKind::FormRefused,
        ),
        (json!({"error": "'json_schema' is not supported"}), 400, FailureKind::FormRefused),
        (json!({"error": {"message": "Unsupported value", "param": "temperature"}}), 400, FailureKind::BadRequest),
        (json!({"error": "no such model for response_format"}), 404, FailureKind::NotFound),
    ] {
        let server = Server::start(move |_| Reply::json(&said).status(status));
        let provider = openai(&server.url);
        let call = text(&*provider, "Hello");
        assert_eq!(self::kind(ask(&*provider, &with_schema(call.clone(), &schema), false).await), kind);
        let plain = ask(&*provider, &call, false).await;
        assert_ne!(self::kind(plain), FailureKind::FormRefused, "nothing was asked for in a form");
    }
}

#[tokio::test]
async fn openai_gets_what_the_file_says_and_nothing_else() {
    let server = Server::start(|_| Reply::chat("Hi"));
    let provider = openai(&server.url);
    ask(&*provider, &text(&*provider, "Hello"), false).await.unwrap();
    let request = server.request();
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/chat/completions"));
    assert_eq!(
        String::from_utf8(request.body.clone()).unwrap(),
        r#"{"model":"test-model","messages":[{"role":"user","content":"Hello"}]}"#
    );
    let names: Vec<&str> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(
        sorted,
        ["accept", "accept-encoding", "authorization", "content-length", "content-type", "host", "user-agent"]
    );
    assert_eq!(request.header("user-agent"), Some(concat!("blossom-run/", env!("CARGO_PKG_VERSION"))));
    assert_eq!(request.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn openai_gets_json_mode_streams_and_seeds_when_they_are_asked_for() {
    let server = Server::start(|_| Reply::chat("{}"));
    let provider = openai(&server.url);
    let params = TextParams { seed: Some(7), max_tokens: Some(5), temperature: Some(0.0), ..TextParams::default() };
    let call = Call { answer: Choice::Json, ..with_params(text(&*provider, "Hello"), params) };
    ask(&*provider, &call, true).await.unwrap();
    let order = "Answer with one JSON value and nothing else.";
    assert_eq!(
        server.request().json(),
        json!({
            "model": "test-model",
            "messages": [{"role": "system", "content": order}, {"role": "user", "content": "Hello"}],
            "max_tokens": 5, "temperature": 0.0, "seed": 7,
            "response_format": {"type": "json_object"}, "stream": true, "stream_options": {"include_usage": true},
        })
    );
}

#[tokio::test]
async fn a_retry_is_the_same_to_the_byte() {
    for kind in [ProviderKind::Openai, ProviderKind::Pollinations, ProviderKind::PollinationsLegacy] {
        let server = Server::start(|_| Reply::error(500, "INTERNAL_ERROR", "Oh snap"));
        let provider = provider(kind, &server.url);
        for call in [text(&*provider, "Hello"), image(&*provider, "a cat", ImageParams::default())] {
            for number in [1, 2] {
                let attempt = Attempt { number, ..Attempt::of(&call) };
                let _pieces: Vec<_> = provider.send(attempt).collect().await;
            }
        }
        let sent: Vec<_> = server.requests().into_iter().map(|request| (request.target, request.body)).collect();
        assert_eq!((&sent[0], &sent[2]), (&sent[1], &sent[3]));
        assert_eq!(sent.len(), 4, "the client sends nothing twice by itself");
    }
}

#[tokio::test]
async fn pollinations_always_gets_a_seed() {
    let server = Server::start(|request| match request.method.as_str() {
        "GET" => Reply::picture(&request.target),
        _ => Reply::chat("Hi"),
    });
    let provider = provider(ProviderKind::Pollinations, &format!("{}/v1", server.url));
    let call = text(&*provider, "Hello");
    ask(&*provider, &call, false).await.unwrap();
    let drawn = image(&*provider, "a cat", ImageParams::default());
    ask(&*provider, &drawn, false).await.unwrap();
    let named = image(&*provider, "a cat", ImageParams { seed: Some(0), ..ImageParams::default() });
    ask(&*provider, &named, false).await.unwrap();
    let sent = server.requests();
    assert_eq!(sent[0].path, "/v1/chat/completions");
    assert_eq!(sent[0].json()["seed"], call.key().seed());
    assert_eq!(sent[1].query("seed"), Some(drawn.key().seed().to_string()));
    assert_eq!(sent[2].query("seed").as_deref(), Some("0"));
}

#[tokio::test]
async fn a_picture_is_asked_for_by_address_unless_it_is_too_long() {
    let server = Server::start(|request| Reply::picture(&request.prompt()));
    let provider = provider(ProviderKind::Pollinations, &server.url);
    let mut params = ImageParams { width: Some(64), height: Some(32), ..ImageParams::default() };
    params.extra.insert("enhance".into(), true.into());
    params.extra.insert("private".into(), false.into());
    let short = "wait... a/b? ünïcode & 100%";
    ask(&*provider, &image(&*provider, short, params.clone()), false).await.unwrap();
    let request = server.requests().remove(0);
    assert_eq!(request.method, "GET");
    assert_eq!(request.path, "/image/wait...%20a%2Fb%3F%20%C3%BCn%C3%AFcode%20%26%20100%25");
    assert_eq!(request.prompt(), short);
    assert_eq!((request.query("width").as_deref(), request.query("enhance").as_deref()), (Some("64"), Some("true")));
    assert_eq!((request.query("private"), request.query("quality")), (None, None));
    assert_eq!(request.header("content-type"), None);

    // The limit is one of bytes on the wire: letters beyond ASCII take six each.
    let long = "я".repeat(400);
    let call = image(&*provider, &long, params);
    ask(&*provider, &call, false).await.unwrap();
    let request = server.requests().remove(1);
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/v1/images/generations"));
    let seed = call.key().seed();
    assert_eq!(
        request.json(),
        json!({"prompt": long, "model": "test-model", "size": "64x32", "response_format": "b64_json", "seed": seed, "enhance": true})
    );
}

#[tokio::test]
async fn the_longest_address_has_2000_bytes() {
    let server = Server::start(|request| Reply::picture(&request.prompt()));
    let provider = provider(ProviderKind::Pollinations, &server.url);
    let params = ImageParams { seed: Some(1), ..ImageParams::default() };
    let view = |prompt: &str| {
        let call = image(&*provider, prompt, params.clone());
        provider.view(Attempt::of(&call))
    };
    let room = 2000 - view("").url.len();
    assert_eq!((view(&"a".repeat(room)).method, view(&"a".repeat(room)).url.len()), ("GET", 2000));
    assert_eq!(view(&"a".repeat(room + 1)).method, "POST");
}

#[tokio::test]
async fn no_key_is_ever_part_of_an_address_or_a_body() {
    for kind in [ProviderKind::Openai, ProviderKind::Pollinations, ProviderKind::PollinationsLegacy] {
        let server = Server::start(|request| match request.path.as_str() {
            "/chat/completions" | "/v1/chat/completions" | "/openai" => Reply::chat("Hi"),
            _ => Reply::picture(&request.target),
        });
        let provider = provider(kind, &server.url);
        let secret = SecretString::from(PLANTED);
        for call in [text(&*provider, "Hello"), image(&*provider, "a cat", ImageParams::default())] {
            ask(&*provider, &call, true).await.unwrap();
            let view = provider.view(Attempt { stream: true, secret: Some(&secret), ..Attempt::of(&call) });
            assert!(!format!("{view:?}").contains("planted"));
            assert!(view.url.starts_with(&server.url));
        }
        for request in server.requests() {
            assert!(!request.target.contains("planted") && !String::from_utf8_lossy(&request.body).contains("planted"));
            let bearer = format!("Bearer {PLANTED}");
            let sent = (kind != ProviderKind::PollinationsLegacy).then_some(bearer.as_str());
            assert_eq!(request.header("authorization"), sent, "the anonymous hosts get no key at all");
        }
        assert!(!format!("{provider:?}").contains("planted"));
    }
}

#[tokio::test]
async fn a_key_in_an_address_is_refused() {
    let server = Server::start(|_| Reply::picture("x"));
    for kind_of in [ProviderKind::Pollinations, ProviderKind::PollinationsLegacy] {
        let provider = provider(kind_of, &server.url);
        let mut params = ImageParams::default();
        params.extra.insert("key".into(), PLANTED.into());
        assert_eq!(kind(ask(&*provider, &image(&*provider, "a cat", params), false).await), FailureKind::BadRequest);
        for prompt in ["", " ", ".", ".."] {
            let call = image(&*provider, prompt, ImageParams::default());
            assert_eq!(kind(ask(&*provider, &call, false).await), FailureKind::BadRequest, "{prompt:?}");
        }
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn the_anonymous_hosts_are_asked_one_at_a_time_and_slowly() {
    let server = Server::start(|request| match request.method.as_str() {
        "GET" => Reply::picture(&request.prompt()),
        _ => Reply::chat("Hi"),
    });
    let mut anonymous = settings(ProviderKind::PollinationsLegacy, &server.url);
    let legacy = build(&anonymous, &HttpClient::new()).unwrap();
    let (words, drawing) = (text(&*legacy, "Hello"), image(&*legacy, "a cat", ImageParams::default()));
    ask(&*legacy, &words, false).await.unwrap();
    ask(&*legacy, &drawing, false).await.unwrap();
    let targets: Vec<String> = server.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(targets, ["/openai", "/prompt/a%20cat"]);
    assert_eq!((legacy.ceiling(None), legacy.at_once(None)), (1, Some(1)));
    assert_eq!(legacy.spacing(&words), Some(Duration::from_secs(18)));
    assert_eq!(legacy.spacing(&drawing), Some(Duration::from_secs(30)));
    anonymous.rate = Some(Rate { count: 1, per: Duration::from_secs(1) });
    assert_eq!(build(&anonymous, &HttpClient::new()).unwrap().spacing(&words), None, "the file's rate rules");
    let long = image(&*legacy, &"word ".repeat(1500), ImageParams::default());
    assert_eq!(kind(ask(&*legacy, &long, false).await), FailureKind::BadRequest);
}

#[test]
fn the_ceiling_depends_on_the_kind_of_key() {
    let provider = provider(ProviderKind::Pollinations, "http://127.0.0.1:1");
    let ceiling = |key: &str| provider.ceiling(Some(&SecretString::from(key)));
    assert_eq!((ceiling("sk_abc"), ceiling("plln_sk_abc"), ceiling("pk_abc"), provider.ceiling(None)), (6, 6, 1, 1));
    let at_once = |key: &str| provider.at_once(Some(&SecretString::from(key)));
    assert_eq!((at_once("sk_abc"), at_once("pk_abc"), provider.at_once(None)), (None, Some(1), Some(1)));
}

#[test]
fn openai_has_its_own_address_and_its_own_names() {
    let original = build(&ProviderSettings::built_in("openai").unwrap(), &HttpClient::new()).unwrap();
    let params = TextParams { max_tokens: Some(5), ..TextParams::default() };
    let call = with_params(text(&*original, "Hello"), params);
    let view = original.view(Attempt::of(&call));
    assert_eq!(view.url, "https://api.openai.com/v1/chat/completions");
    assert!(view.body.contains("\"max_completion_tokens\": 5"), "{}", view.body);
    let half = image(&*original, "a cat", ImageParams { width: Some(64), ..ImageParams::default() });
    assert_eq!(original.supports(&half).unwrap_err().kind, FailureKind::BadRequest);
}

#[tokio::test]
async fn headers_of_the_file_go_with_every_request() {
    let server = Server::start(|_| Reply::chat("Hi"));
    let mut settings = settings(ProviderKind::Openai, &server.url);
    settings.headers.insert("x-team".into(), "blossom".into());
    let provider = build(&settings, &HttpClient::new()).unwrap();
    ask(&*provider, &text(&*provider, "Hello"), false).await.unwrap();
    assert_eq!(server.request().header("x-team"), Some("blossom"));
    settings.headers.insert("x-broken".into(), "a\nb".into());
    let broken = build(&settings, &HttpClient::new()).unwrap();
    assert_eq!(kind(ask(&*broken, &text(&*broken, "Hello"), false).await), FailureKind::BadRequest);
}

#[tokio::test]
async fn connections_are_used_again() {
    let server = Server::start(|request| match request.prompt().as_str() {
        "stream" => Reply::stream(&["Hi"]),
        "error" => Reply::error(500, "INTERNAL_ERROR", "Oh snap"),
        _ => Reply::chat("Hi"),
    });
    let provider = openai(&server.url);
    for prompt in ["stream", "whole", "error", "stream", "whole"] {
        let _answer = ask(&*provider, &text(&*provider, prompt), true).await;
    }
    assert_eq!((server.requests().len(), server.connections()), (5, 1));
}

#[tokio::test]
async fn hundreds_go_out_at_once() {
    let gate = Gate::new();
    let held = gate.clone();
    let server = Server::start(move |request| Reply::chat(request.prompt()).held_by(&held));
    let provider = openai(&server.url);
    let calls: Vec<Call> = (0..300).map(|number| text(&*provider, &number.to_string())).collect();
    let asked = futures::future::join_all(calls.iter().map(|call| ask(&*provider, call, false)));
    let opened = async {
        server.arrived(300).await;
        gate.open();
    };
    let (answers, ()) = tokio::join!(asked, opened);
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!((server.peak(), server.requests().len()), (300, 300));
}

#[tokio::test]
async fn a_redirected_get_takes_no_key_to_another_origin() {
    let elsewhere = Server::start(|request| Reply::picture(&request.target));
    let target = format!("{}/there", elsewhere.url);
    let server = Server::start(move |_| Reply::bytes("text/plain", "").status(302).header("location", &target));
    let mut settings = settings(ProviderKind::Pollinations, &server.url);
    settings.headers.insert("x-api-key".into(), "mine".into());
    let provider = build(&settings, &HttpClient::new()).unwrap();
    ask(&*provider, &image(&*provider, "a cat", ImageParams::default()), false).await.unwrap();
    let there = elsewhere.request();
    assert_eq!((there.header("authorization"), there.header("x-api-key")), (None, None));
    let around = Server::start(|_| Reply::bytes("text/plain", "").status(302).header("location", "/again"));
    let provider = support::asking::provider(ProviderKind::Pollinations, &around.url);
    let call = image(&*provider, "a cat", ImageParams::default());
    assert_eq!(kind(ask(&*provider, &call, false).await), FailureKind::BadRequest);
    assert_eq!(around.requests().len(), 6);
}

async fn names(provider: &dyn Provider) -> Vec<String> {
    let models = provider.models(None).map(|model| model.expect("a model"));
    models.map(|model| format!("{}: {}", model.name, model.makes.join("+"))).collect().await
}

#[tokio::test]
async fn models_are_listed_in_every_shape() {
    let server = Server::start(|request| match request.target.as_str() {
        "/text/models" => Reply::json(
            &json!([{"name": "openai", "output_modalities": ["text"]}, {"name": "voice", "output_modalities": ["text", "audio"]}]),
        ),
        "/image/models" => Reply::json(&json!(["flux", "turbo"])),
        "/openai/models" => Reply::json(&json!({"object": "list", "data": [{"id": "openai-fast", "object": "model"}]})),
        "/models" => Reply::json(&json!(["sana"])),
        other => panic!("{other}"),
    });
    let today = provider(ProviderKind::Pollinations, &server.url);
    assert_eq!(names(&*today).await, ["openai: text", "voice: text+audio", "flux: image", "turbo: image"]);
    let legacy = provider(ProviderKind::PollinationsLegacy, &server.url);
    assert_eq!(names(&*legacy).await, ["openai-fast: text", "sana: image"]);
    let local = openai(&server.url);
    assert_eq!(names(&*local).await, ["sana: "]);
    let gone = Server::start(|_| Reply::error(401, "UNAUTHORIZED", "No"));
    let failed: Vec<_> = openai(&gone.url).models(None).collect().await;
    assert_eq!(failed[0].as_ref().unwrap_err().kind, FailureKind::KeyRefused);
}

#[test]
fn extra_parameters_reach_the_body() {
    let provider = openai("http://127.0.0.1:1");
    let mut extra = JsonMap::new();
    extra.insert("repetition_penalty".into(), json!(0));
    let call = with_params(text(&*provider, "Hello"), TextParams { extra, ..TextParams::default() });
    let view = provider.view(Attempt::of(&call));
    assert_eq!((view.method, view.url.as_str()), ("POST", "http://127.0.0.1:1/chat/completions"));
    assert!(view.body.contains("\"repetition_penalty\": 0"));
}

/// A file that goes along with a call, with its bytes.
fn file(name: &str, bytes: &'static [u8]) -> Picture {
    let (digest, place) = (*blake3::hash(bytes).as_bytes(), Path::new(name).into());
    let (name, length, content) = (name.into(), bytes.len() as u64, Some(bytes::Bytes::from_static(bytes)));
    Picture::File(PictureFile { digest, media_type: MediaType::Png, bytes: length, name, place, content })
}

#[tokio::test]
async fn pollinations_gets_references_as_it_takes_them() {
    let server = Server::start(|request| Reply::picture(&request.number.to_string()));
    let provider = provider(ProviderKind::Pollinations, &server.url);
    let url = || Picture::Url("https://a.example/b.png?c=d&e".into());
    let asked = |images: Vec<Picture>, prompt: &str| {
        image(&*provider, prompt, ImageParams { images: images.into(), seed: Some(1), ..ImageParams::default() })
    };
    ask(&*provider, &asked(vec![url(), url()], "a cat"), false).await.unwrap();
    ask(&*provider, &asked(vec![url()], &"a cat ".repeat(500)), false).await.unwrap();
    ask(&*provider, &asked(vec![file("a.png", b"png"), url()], "a cat"), false).await.unwrap();
    let sent = server.requests();
    assert_eq!(sent[0].query("image").unwrap(), "https://a.example/b.png?c=d&e|https://a.example/b.png?c=d&e");
    assert!(sent[0].target.ends_with("c%3Dd%26e"), "it stands last: {}", sent[0].target);
    assert_eq!(sent[1].path, "/v1/images/generations");
    assert_eq!(sent[1].json()["image"], json!(["https://a.example/b.png?c=d&e"]));
    assert_eq!(sent[2].path, "/v1/images/edits");
    assert_eq!(
        sent[2].json()["image"],
        json!([{"image_url": "data:image/png;base64,cG5n"}, {"image_url": "https://a.example/b.png?c=d&e"}])
    );
    let mut twice = asked(vec![url()], "a cat");
    let Request::Image { params, .. } = &mut twice.request else { unreachable!("it is a picture") };
    params.extra.insert("image".into(), "https://a.example/c.png".into());
    assert_eq!(ask(&*provider, &twice, false).await.unwrap_err().kind, FailureKind::BadRequest);
}

#[tokio::test]
async fn who_takes_no_such_reference_says_so_and_asks_nobody() {
    let server = Server::start(|request| Reply::picture(&request.number.to_string()));
    let url = Picture::Url("https://a.example/b.png".into());
    for (kind, image_of, message) in [
        (ProviderKind::Openai, url, "`test` takes no address of a picture as a reference"),
        (
            ProviderKind::PollinationsLegacy,
            file("a.png", b"png"),
            "`test` takes only addresses of pictures as references, and no files",
        ),
    ] {
        let provider = provider(kind, &server.url);
        let params = ImageParams { images: [image_of].into(), ..ImageParams::default() };
        let failure = ask(&*provider, &image(&*provider, "a cat", params), false).await.unwrap_err();
        assert_eq!((failure.kind, failure.message.as_str()), (FailureKind::BadRequest, message));
    }
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn a_picture_without_its_bytes_is_shown_and_never_sent() {
    let server = Server::start(|_| Reply::chat("Hello"));
    let provider = openai(&server.url);
    let mut call = text(&*provider, "What is it?");
    let Picture::File(whole) = file("photos/a.png", b"png") else { unreachable!("it is a file") };
    call.request.show(vec![Picture::File(PictureFile { content: None, ..whole })]);
    let view = provider.view(Attempt::of(&call));
    assert!(view.body.contains("<photos/a.png: image/png, 3 bytes>"), "{}", view.body);
    assert_eq!(ask(&*provider, &call, false).await.unwrap_err().kind, FailureKind::Internal);
    assert_eq!(server.requests().len(), 0);
}
