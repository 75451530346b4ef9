//! What arrives at a service, and what comes back from it.

use blossom_run::client::Environment;
use blossom_run::model::{Cost, FailureKind, MediaType, Message, Role, Usage};
use serde_json::json;

use crate::service::asking::PLANTED;
use crate::service::server::{Reply, Server, picture};
use crate::support::{at, nothing, pollinations};

#[tokio::test]
async fn a_prompt_becomes_a_message_and_an_answer_tells_what_it_took() {
    let server = Server::start(|_| Reply::chat("Hi").header("x-request-id", "req-7"));
    let blossom = at(&server).build().unwrap();
    let answer = blossom.text("Hello").await.unwrap();
    let request = server.request();
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/chat/completions"));
    assert_eq!(request.json(), json!({"model": "test-model", "messages": [{"role": "user", "content": "Hello"}]}));
    assert_eq!(request.header("authorization"), None);
    assert_eq!((answer.to_string(), answer.as_ref(), format!("{answer:>4}")), ("Hi".into(), "Hi", "  Hi".into()));
    assert_eq!(answer.usage, Some(Usage { input_tokens: 9, output_tokens: 12, total_tokens: 21 }));
    assert_eq!((answer.model.as_deref(), answer.finish_reason.as_deref()), (Some("test-model"), Some("stop")));
    assert_eq!((answer.attempts, answer.kept, answer.request_id.as_deref()), (1, false, Some("req-7")));
    assert_eq!(answer.cost, Cost::unpriced(1));
    assert_eq!(blossom.spent().calls, 1);
    assert_eq!(String::from(answer), "Hi");
}

#[tokio::test]
async fn every_option_of_a_text_arrives() {
    let server = Server::start(|_| Reply::chat("```json\n{\"a\": 1}\n```"));
    let blossom = at(&server).max_tokens(7).build().unwrap();
    let asked = blossom.text("Hello").system("Be brief").model("other").max_tokens(5).temperature(0.5).top_p(0.9);
    let answer = asked.seed(3).stop(["END"]).reasoning_effort("low").extra("user", "u-1").json().await.unwrap();
    assert_eq!(answer.json, Some(json!({"a": 1})));
    assert_eq!(answer.parse::<std::collections::BTreeMap<String, u8>>().unwrap()["a"], 1);
    let failure = answer.parse::<Vec<String>>().unwrap_err();
    assert_eq!(failure.kind(), FailureKind::WrongAnswer);
    assert!(failure.suggestion().is_some() && failure.partial().unwrap().contains("\"a\""));
    let body = server.request().json();
    assert_eq!(body["messages"].as_array().unwrap().last().unwrap(), &json!({"role": "user", "content": "Hello"}));
    assert!(body["messages"].to_string().contains("Be brief"));
    for (name, value) in [
        ("model", json!("other")),
        ("max_tokens", json!(5)),
        ("temperature", json!(0.5)),
        ("top_p", json!(0.9)),
        ("seed", json!(3)),
        ("stop", json!(["END"])),
        ("reasoning_effort", json!("low")),
        ("user", json!("u-1")),
        ("response_format", json!({"type": "json_object"})),
    ] {
        assert_eq!(body[name], value, "{name}");
    }
}

#[tokio::test]
async fn a_conversation_arrives_turn_by_turn() {
    let server = Server::start(|_| Reply::chat("Hi"));
    let blossom = at(&server).max_tokens(7).build().unwrap();
    let history = [Message::user("a"), Message::assistant("b"), Message::user("c")];
    blossom.chat(&history).system("s").await.unwrap();
    blossom.chat([(Role::User, "a"), (Role::Assistant, "b"), (Role::User, "c")]).system("s").await.unwrap();
    let [one, other] = [&server.requests()[0], &server.requests()[1]];
    assert_eq!(one.body, other.body);
    let turns = json!([
        {"role": "system", "content": "s"}, {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"},
    ]);
    assert_eq!((&one.json()["messages"], &one.json()["max_tokens"]), (&turns, &json!(7)));
}

#[tokio::test]
async fn a_picture_is_asked_for_and_saved() {
    let server = Server::start(|request| Reply::picture(&request.prompt()));
    let blossom = pollinations(&server).image_model("flux").build().unwrap();
    let picture_of_sea =
        blossom.image("the sea").width(512).height(256).negative_prompt("people").seed(5).await.unwrap();
    assert_eq!(picture_of_sea.bytes, picture("the sea"));
    assert_eq!(picture_of_sea.media_type, MediaType::Png);
    assert_eq!((picture_of_sea.width, picture_of_sea.height, picture_of_sea.attempts), (4, 3, 1));
    let request = server.request();
    let asked = format!("{} {}", request.target, String::from_utf8_lossy(&request.body));
    for part in ["flux", "512", "256", "people"] {
        assert!(asked.contains(part), "{part}: {asked}");
    }
    assert_eq!(request.prompt(), "the sea");

    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("sea.png");
    std::fs::File::create(&place).unwrap();
    picture_of_sea.save(&place).await.unwrap();
    assert_eq!(std::fs::read(&place).unwrap(), picture("the sea"));
    picture_of_sea.save_blocking(folder.path().join("again.png")).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left beside it");
    let failure = picture_of_sea.save(folder.path().join("none/sea.png")).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Output);
    assert!(failure.message().contains("sea.png") && failure.suggestion().is_some(), "{failure:?}");
}

#[tokio::test]
async fn a_key_is_sent_in_one_header_and_shown_nowhere() {
    let server =
        Server::start(|request| Reply::error(400, "BAD_REQUEST", request.header("authorization").unwrap_or("-")));
    let builder = at(&server).key(format!("  {PLANTED}\n")).header("x-extra", PLANTED);
    let shown = format!("{builder:?}");
    let blossom = builder.build().unwrap();
    let error = blossom.text("Hello").await.unwrap_err();
    let request = server.request();
    assert_eq!(request.header("authorization"), Some(format!("Bearer {PLANTED}").as_str()));
    assert_eq!(request.header("x-extra"), Some(PLANTED));
    let shown = format!("{shown} {blossom:?} {error:?} {error}");
    assert!(!shown.contains("planted"), "{shown}");
}

#[tokio::test]
async fn the_environment_says_what_the_program_does_not() {
    let server = Server::start(|_| Reply::chat("Hi"));
    let variables = [
        ("BLOSSOM_PROVIDER", "openai"),
        ("BLOSSOM_MODEL", "small"),
        ("OPENAI_API_KEY", PLANTED),
        ("OPENAI_BASE_URL", server.url.as_str()),
    ];
    let environment = Environment::fixed(variables);
    let builder = blossom_run::Blossom::builder().environment(environment.clone());
    builder.clone().build().unwrap().text("Hello").await.unwrap();
    let request = server.request();
    assert_eq!(request.header("authorization"), Some(format!("Bearer {PLANTED}").as_str()));
    assert_eq!(request.json()["model"], "small");

    // What the program says goes before it.
    builder.clone().key("sk_other").model("large").build().unwrap().text("Hello").await.unwrap();
    let request = &server.requests()[1];
    assert_eq!(request.header("authorization"), Some("Bearer sk_other"));
    assert_eq!(request.json()["model"], "large");

    // The key of one service is nothing that another server should be sent.
    builder.clone().base_url(&server.url).build().unwrap().text("Hello").await.unwrap();
    builder.no_key().build().unwrap().text("Hello").await.unwrap();
    assert!(server.requests()[2..].iter().all(|request| request.header("authorization").is_none()));
}

#[tokio::test]
async fn a_key_that_is_missing_is_told_by_the_first_question() {
    let blossom = blossom_run::Blossom::builder().environment(nothing()).build().unwrap();
    let error = blossom.text("Hello").await.unwrap_err();
    assert_eq!((error.kind(), error.attempts(), error.is_transient()), (FailureKind::KeyMissing, 0, false));
    assert!(error.message().contains("`POLLINATIONS_API_KEY`"), "{error}");
    assert!(error.suggestion().unwrap().contains("`Blossom::builder().key(..)`"), "{error:?}");
}

#[tokio::test]
async fn models_are_those_that_the_service_lists() {
    let server = Server::start(|_| Reply::json(&json!({"object": "list", "data": [{"id": "a"}, {"id": "b"}]})));
    let models = at(&server).build().unwrap().models().await.unwrap();
    assert_eq!(models.iter().map(|model| model.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
}

#[tokio::test]
async fn pictures_and_schemas_go_along() {
    let server = Server::start(|_| Reply::chat(r#"{"kind": "heron"}"#));
    let blossom = at(&server).build().unwrap();
    let png = crate::service::server::picture("a heron");
    let schema = json!({"type": "object", "properties": {"kind": {"type": "string"}}, "required": ["kind"]});
    let ask =
        blossom.text("What is it?").picture(png.clone()).picture_url("https://a.example/b.png").schema(schema.clone());
    let answer = ask.clone().await.unwrap();
    assert_eq!(answer.json, Some(json!({"kind": "heron"})));
    let body = server.requests()[0].json();
    let parts = &body["messages"][0]["content"];
    assert_eq!(parts[0], json!({"type": "text", "text": "What is it?"}));
    let sent = parts[1]["image_url"]["url"].as_str().unwrap();
    let (head, data) = sent.split_once(',').unwrap();
    assert_eq!(head, "data:image/png;base64");
    assert_eq!(base64::Engine::decode(&base64::engine::general_purpose::STANDARD, data).unwrap(), png);
    assert_eq!(parts[2]["image_url"]["url"], "https://a.example/b.png");
    assert_eq!(body["response_format"]["json_schema"]["schema"], schema);
    // What does not fit is told; what can't be is told before anything is sent.
    let other = json!({"type": "object", "required": ["name"]});
    let error = ask.schema(other).no_retry().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (FailureKind::WrongAnswer, 1), "{error:?}");
    let asks = [
        blossom.text("Hello").picture(&b"no picture"[..]),
        blossom.text("Hello").picture_url("photo.png"),
        blossom.text("Hello").schema(json!({"type": "array"})),
        blossom.text("Hello").schema(json!({"type": "object", "properties": 3})),
    ];
    for ask in asks {
        let error = ask.await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (FailureKind::BadRequest, 0), "{error:?}");
    }
    assert_eq!(server.requests().len(), 2);
}
