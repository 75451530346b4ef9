//! Structured answers over real sockets: what is asked for, what is taken, and what a service that does not know the
//! form of the question costs.

use blossom_run::model::{EventKind, Failure, FailureKind, StageTally};
use serde_json::{Value, json};

use crate::cli::Cli;
use crate::scene::{Ran, Scene};
use crate::support::server::{Reply, Request, Server};

const TRIAGE: &str = "
    inputs: {tickets: {type: items, default: [one, two, three]}}
    stages:
      triage:
        for_each: {ticket: tickets}
        text: 'Sort {{ticket}}'
        json: {kind: 'bug | feature', tags: [string], score?: number}
        concurrency: 1
        on_error: continue
        save: {path: triage.jsonl, row: {ticket: '{{ticket}}', kind: '{{triage.kind}}', tags: '{{triage.tags}}'}}
    ";

const GOOD: &str = r#"{"kind": "bug", "tags": ["ui"], "score": null}"#;

/// What was asked for in a request, in short.
fn form(request: &Request) -> String {
    let body = request.json();
    let told = body["messages"].as_array().unwrap();
    let in_words = told.iter().any(|turn| turn["content"].as_str().unwrap().contains("It must fit this JSON Schema:"));
    let kind = body["response_format"]["type"].as_str().unwrap_or("none").to_owned();
    if in_words { format!("{kind} and words") } else { kind }
}

fn forms(server: &Server) -> Vec<String> {
    server.requests().iter().map(form).collect()
}

fn warnings(ran: &Ran) -> Vec<&str> {
    let warnings = ran.events.iter().filter_map(|kind| match kind {
        EventKind::Warning { message } => Some(message.as_str()),
        _ => None,
    });
    warnings.collect()
}

/// The failures of attempts.
fn attempts(ran: &Ran) -> Vec<&Failure> {
    let failed = ran.events.iter().filter_map(|kind| match kind {
        EventKind::AttemptFailed { failure, .. } => Some(failure),
        _ => None,
    });
    failed.collect()
}

/// An error in the shape of `OpenAI`.
fn refusal(status: u16, message: &str) -> Reply {
    Reply::json(&json!({"error": {"message": message, "type": "invalid_request_error", "param": null, "code": null}}))
        .status(status)
}

#[tokio::test]
async fn an_answer_is_asked_for_by_its_schema_and_taken_out_of_what_stands_around_it() {
    let server = Server::start(|request| match request.prompt().as_str() {
        "Sort one" => Reply::chat(format!("Sure, here it is:\n```json\n{GOOD}\n```\nAnything else?")),
        _ => Reply::chat(GOOD),
    });
    let ran = Scene::new(&server, TRIAGE).run().await.is_done();
    let format = &server.requests()[0].json()["response_format"];
    let properties = json!({
        "kind": {"type": "string", "enum": ["bug", "feature"]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "score": {"type": ["number", "null"]},
    });
    let schema = json!({
        "type": "object", "properties": properties, "required": ["kind", "tags", "score"], "additionalProperties": false,
    });
    let named = json!({"name": "triage", "schema": schema, "strict": true});
    assert_eq!(format, &json!({"type": "json_schema", "json_schema": named}));
    assert_eq!(server.requests()[0].json()["messages"].as_array().unwrap().len(), 1, "no words beside it");
    assert_eq!(ran.rows("triage.jsonl")[0], json!({"ticket": "one", "kind": "bug", "tags": ["ui"]}));
}

#[tokio::test]
async fn an_answer_that_does_not_fit_says_where_and_what_would() {
    let server = Server::start(|request| match request.prompt().as_str() {
        "Sort one" => Reply::chat(r#"{"kind": "bgu", "tags": "ui", "reason": "x"}"#),
        "Sort two" => Reply::chat(r#"{"kind": "bug", "tags": ["u"#),
        _ => Reply::chat(r#"{"kind": "bug", "tags": [], "score": "high"}"#),
    });
    let ran = Scene::new(&server, &TRIAGE.replace("concurrency: 1", "retry: 1")).run().await;
    let why = |at: usize| attempts(&ran)[at].message.clone();
    assert_eq!(attempts(&ran).len(), 3);
    let first = why(0);
    let (begin, rest) = first.split_once(": ").unwrap();
    assert_eq!(begin, "The answer is not as it was asked for");
    let mut parts: Vec<&str> = rest.split("; ").collect();
    parts.sort_unstable();
    assert_eq!(
        parts,
        [
            "`kind` is \"bgu\", and must be one of \"bug\", \"feature\"",
            "`tags` is \"ui\", and must be a list",
            "the answer has `reason`, which is no field of it",
        ]
    );
    assert_eq!(why(1), "The JSON in the answer breaks off");
    assert!(why(2).ends_with("`score` is \"high\", and must be a number or null"), "{}", why(2));
    assert!(attempts(&ran).iter().all(|failure| failure.kind == FailureKind::WrongAnswer && failure.partial.is_some()));
}

#[tokio::test]
async fn a_list_is_asked_for_in_a_mapping_and_comes_out_as_a_list() {
    let body = "
    stages:
      people: {text: Name three, json: [{name: string, age?: integer}]}
      greet: {for_each: {person: people}, render: 'Hello {{person.name}}', save: greet.jsonl}
    ";
    for answer in
        [r#"{"items": [{"name": "Ada", "age": 36.0}, {"name": "Bo"}]}"#, r#"[{"name": "Ada"}, {"name": "Bo"}]"#]
    {
        let server = Server::start(move |_| Reply::chat(answer));
        let ran = Scene::new(&server, body).run().await.is_done();
        assert_eq!(ran.values("greet"), ["Hello Ada", "Hello Bo"]);
        let schema = &server.request().json()["response_format"]["json_schema"]["schema"];
        assert_eq!((&schema["type"], &schema["required"]), (&json!("object"), &json!(["items"])));
    }
}

#[tokio::test]
async fn a_service_that_knows_no_response_format_is_asked_in_words_and_told_of_once() {
    let server = Server::start(|request| match request.json().get("response_format") {
        Some(_) => refusal(400, "Unrecognized request argument supplied: response_format"),
        None => Reply::chat(GOOD),
    });
    let ran = Scene::new(&server, TRIAGE).run().await.is_done();
    assert_eq!(forms(&server), ["json_schema", "none and words", "none and words", "none and words"]);
    let StageTally { done, .. } = ran.tally("triage");
    assert_eq!(done, 3);
    let failed = attempts(&ran);
    assert_eq!((failed.len(), failed[0].kind), (1, FailureKind::FormRefused));
    let sent = ran.events.iter().filter(|kind| matches!(kind, EventKind::AttemptSent { .. })).count();
    assert_eq!(sent, 4, "the refused attempt is one");
    let told = warnings(&ran);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("`test` does not take this form of `response_format` with `m`, so"), "{told:?}");
}

#[tokio::test]
async fn a_service_that_knows_json_and_no_schema_is_asked_for_json() {
    let server = Server::start(|request| match request.json()["response_format"]["type"].as_str() {
        Some("json_schema") => refusal(422, "response_format.type: Input should be 'text' or 'json_object'"),
        _ => Reply::chat(GOOD),
    });
    Scene::new(&server, TRIAGE).run().await.is_done();
    assert_eq!(forms(&server)[..2], ["json_schema", "json_object and words"]);
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn any_json_is_asked_for_in_words_too_where_nothing_else_is_known() {
    let server = Server::start(|request| match request.json().get("response_format") {
        Some(_) => refusal(400, "unknown field `response_format`"),
        None => Reply::chat("{}"),
    });
    let ran = Scene::new(&server, "stages: {facts: {text: Write, json: true}}").run().await.is_done();
    assert_eq!(forms(&server), ["json_object", "none"]);
    assert_eq!(server.requests()[1].json()["messages"][0]["content"], "Answer with one JSON value and nothing else.");
    assert_eq!(ran.output("facts"), &json!({}));
}

#[tokio::test]
async fn no_more_is_sent_than_attempts_allow() {
    let server = Server::start(|_| refusal(400, "unknown field `response_format`"));
    let body = "stages: {facts: {text: Write, json: {a: string}, retry: 1}}";
    let ran = Scene::new(&server, body).run().await.has_failed();
    assert_eq!(server.requests().len(), 1);
    let suggestion = attempts(&ran)[0].suggestion.clone().unwrap();
    assert_eq!(suggestion, "the next attempt asks for it in words: `retry: 2` allows one");
}

#[tokio::test]
async fn another_wrong_request_is_no_refusal_of_a_form() {
    let server = Server::start(|_| refusal(400, "Unknown parameter: temperature"));
    let ran = Scene::new(&server, "stages: {facts: {text: Write, json: {a: string}}}").run().await.has_failed();
    assert_eq!((server.requests().len(), attempts(&ran)[0].kind), (1, FailureKind::BadRequest));
}

#[tokio::test]
async fn a_response_format_of_the_files_own_is_left_alone() {
    let own: Value = json!({"type": "json_object", "mode": "strict"});
    let body = "
    stages:
      facts: {text: Write, json: {a: string}, extra: {response_format: {type: json_object, mode: strict}}}
    ";
    let server = Server::start(|_| Reply::chat(r#"{"a": "b"}"#));
    Scene::new(&server, body).run().await.is_done();
    assert_eq!(server.request().json()["response_format"], own);
    let server = Server::start(|_| refusal(400, "response_format is wrong"));
    Scene::new(&server, body).run().await.has_failed();
    assert_eq!(server.requests().len(), 1, "what the file asks for is not asked for otherwise");
}

#[tokio::test]
async fn a_full_schema_is_sent_as_it_is_and_judged_by() {
    let schema = r##"{
        "$defs": {"line": {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 3}}}},
        "type": "object", "required": ["lines"],
        "properties": {"lines": {"type": "array", "minItems": 2, "items": {"$ref": "#/$defs/line"}}}
    }"##;
    let body = "
    stages:
      poem: {text: Write, schema: {file: schemas/poem.json}}
      verse: {for_each: {line: poem.lines}, render: '{{line.text}}', save: verse.jsonl}
    ";
    let good = r#"{"lines": [{"text": "one"}, {"text": "two", "rhymes": true}]}"#;
    let server = Server::start(move |_| Reply::chat(good));
    let ran = Scene::new(&server, body).file("schemas/poem.json", schema).run().await.is_done();
    assert_eq!(ran.values("verse"), ["one", "two"]);
    let sent = &server.request().json()["response_format"]["json_schema"];
    assert_eq!(sent, &json!({"name": "poem", "schema": serde_json::from_str::<Value>(schema).unwrap()}));
    let server = Server::start(|_| Reply::chat(r#"{"lines": [{"text": "a"}]}"#));
    let scene = Scene::new(&server, &body.replace("Write,", "Write, retry: 1,")).file("schemas/poem.json", schema);
    let ran = scene.run().await.has_failed();
    let why = &attempts(&ran)[0].message;
    assert!(why.contains("`lines` has 1 item, and must have at least 2"), "{why}");
    assert!(why.contains("`lines[0].text` has 1 character, and must have at least 3"), "{why}");
}

#[test]
fn an_answer_that_is_kept_is_judged_by_the_schema_as_it_now_is() {
    let server = Server::start(|_| Reply::chat(r#"{"kind": "bug"}"#));
    let file = |json: &str| {
        let provider = format!("{{kind: openai, base_url: \"{}\"}}", server.url);
        let stage = format!("sort: {{text: Sort, json: {json}, retry: 1, save: sort.json}}");
        format!(
            "name: kept\nproviders: {{test: {provider}}}\ndefaults: {{provider: test, model: m}}\nstages: {{{stage}}}\n"
        )
    };
    let mut ran = Cli::new("kept.yaml").file("kept.yaml", file("true")).run().exit(0);
    for json in ["{kind: string}", "{kind: 'bug | feature'}", "{kind: any, more?: any}"] {
        ran = ran.again("kept.yaml").file("kept.yaml", file(json)).run().exit(0);
    }
    assert_eq!(server.requests().len(), 1, "a schema is not part of a call");
    ran.again("kept.yaml").file("kept.yaml", file("{kind: integer}")).run().exit(4);
    assert_eq!(server.requests().len(), 2, "what does not fit is asked for again");
}
