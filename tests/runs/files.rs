//! Prompts in files of their own, and parts of a pipeline file that are written once.

use serde_json::json;

use crate::scene::{Scene, echo};
use crate::support::server::Request;

#[tokio::test]
async fn a_text_from_a_file_may_stand_wherever_a_prompt_may_and_anchors_share_it() {
    let server = echo();
    let body = r#"
        inputs:
          town: {default: {file: data/town.txt}}
        stages:
          first: &first
            text: &prompt {file: prompts/ask.md}
            system: &system {file: prompts/system.md}
            max_tokens: 20
          merged: {<<: *first, max_tokens: 40}
          several: {<<: [{temperature: 1}, *first], system: Be loud.}
          talk:
            chat:
              - system: *system
              - user: *prompt
              - {role: assistant, content: {file: prompts/system.md}}
              - user: Once more
          page: {render: *prompt, save: page.txt}
          put: {value: {a: &list ["{{town}}", 1], b: *list}, save: put.json}
          item: {for_each: {one: put.b}, render: "<{{one}}>", save: item.jsonl}
        "#;
    let scene = Scene::new(&server, body)
        .file("data/town.txt", "Sandau, where {{braces}} stay")
        .file("prompts/ask.md", "\u{feff}What of {{town}}?\r\n")
        .file("prompts/system.md", "{{town}}!");
    let ran = scene.run().await.is_done();
    assert_eq!(ran.text("page.txt"), "What of Sandau, where {{braces}} stay?\n");
    assert_eq!(ran.values("item"), ["<Sandau, where {{braces}} stay>", "<1>"]);
    let sent: Vec<_> = server.requests().iter().map(Request::json).collect();
    let system = json!({"role": "system", "content": "Sandau, where {{braces}} stay!"});
    let user = json!({"role": "user", "content": "What of Sandau, where {{braces}} stay?\n"});
    let with = |limit: u64| sent.iter().filter(|body| body["max_tokens"] == limit).collect::<Vec<_>>();
    assert_eq!(with(40).len(), 1);
    assert_eq!(with(40)[0]["messages"], json!([system, user]));
    let loud = with(20).into_iter().find(|body| body["temperature"] == 1.0).expect("the one with two parts");
    assert_eq!(loud["messages"], json!([{"role": "system", "content": "Be loud."}, user]));
    let talk = sent.iter().find(|body| body["messages"].as_array().is_some_and(|all| all.len() == 4)).expect("a talk");
    assert_eq!(talk["messages"][0], system);
    assert_eq!(talk["messages"][1], user);
    assert_eq!(talk["messages"][2], json!({"role": "assistant", "content": "Sandau, where {{braces}} stay!"}));
}
