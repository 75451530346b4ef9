//! Conversations that go on, over real sockets: what arrives is what was said, in order, and nothing else.

use blossom_run::model::Json;

use crate::cli::Cli;
use crate::scene::{Scene, dedent, echo};
use crate::support::server::{Gate, Reply, Request, Server};

/// A conversation as it arrived, a line for each message.
fn said(request: &Request) -> String {
    let json = request.json();
    let line = |one: &Json| format!("{}: {}", one["role"].as_str().unwrap(), one["content"].as_str().unwrap());
    json["messages"].as_array().unwrap().iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The conversation in which this was said last.
#[track_caller]
fn asked(server: &Server, prompt: &str) -> String {
    let requests = server.requests();
    let found: Vec<&Request> = requests.iter().filter(|request| request.prompt() == prompt).collect();
    assert_eq!(found.len(), 1, "`{prompt}` is asked once: {:?}", requests.iter().map(said).collect::<Vec<_>>());
    said(found[0])
}

/// Answers with the prompt in angle brackets.
fn quoting() -> Server {
    Server::start(|request| Reply::chat(format!("<{}>", request.prompt())))
}

#[tokio::test]
async fn critique_and_revision_go_on_with_the_draft() {
    let server = quoting();
    let body = "
        stages:
          draft: {for_each: {n: 2}, system: You write, text: 'Draft {{n}}', concurrency: 1}
          critique: {for_each: n, continues: draft, chat: [{user: 'Criticise it'}]}
          revision:
            for_each: n
            continues: critique
            chat: [{system: 'Now be brief'}, {user: 'Revise it'}, {assistant: 'Which part?'}, {user: 'All of {{draft}}'}]
            save: revision.jsonl
        ";
    let ran = Scene::new(&server, body).run().await.is_done();
    assert_eq!(ran.values("revision"), ["<All of <Draft 1>>", "<All of <Draft 2>>"]);
    assert_eq!(
        asked(&server, "All of <Draft 2>"),
        dedent(
            "
            system: You write
            user: Draft 2
            assistant: <Draft 2>
            user: Criticise it
            assistant: <Criticise it>
            system: Now be brief
            user: Revise it
            assistant: Which part?
            user: All of <Draft 2>
            "
        )
        .trim()
    );
}

#[tokio::test]
async fn a_conversation_keeps_the_system_that_it_began_with_unless_a_stage_has_its_own() {
    let server = quoting();
    let body = "
        inputs: {nothing: ''}
        stages:
          draft: {system: You write, text: Draft}
          same: {continues: draft, chat: [{user: Same}]}
          other: {continues: draft, system: You judge, chat: [{user: Other}]}
          after: {continues: other, chat: [{user: After}]}
          empty: {continues: draft, system: '{{nothing}}', chat: [{user: Empty}]}
          bare: {system: '{{nothing}}', text: Bare}
          none: {continues: bare, chat: [{user: None}]}
          begun: {chat: [{system: In a chat}, {user: Begun}]}
          replaced: {continues: begun, system: You judge, chat: [{user: Replaced}]}
        ";
    Scene::new(&server, body).defaults("chat: {system: The house's}, text: {system: The text's}").run().await.is_done();
    for (prompt, system) in [
        ("Same", "system: You write\nuser: Draft"),
        ("Other", "system: You judge\nuser: Draft"),
        ("After", "system: You judge\nuser: Draft\nassistant: <Draft>\nuser: Other"),
        ("Empty", "system: You write\nuser: Draft"),
        ("None", "user: Bare\nassistant: <Bare>\nuser: None"),
        ("Begun", "system: The house's\nsystem: In a chat\nuser: Begun"),
        ("Replaced", "system: You judge\nuser: Begun"),
    ] {
        let said = asked(&server, prompt);
        assert!(
            said.starts_with(system) && said.matches("system: ").count() == system.matches("system: ").count(),
            "{said}"
        );
    }
}

#[tokio::test]
async fn a_json_answer_goes_on_as_it_came() {
    let server = Server::start(|request| match request.prompt().as_str() {
        "List" => Reply::chat("Here it is:\n```json\n{\"a\": [1,\n 2]}\n```"),
        prompt => Reply::chat(prompt),
    });
    let body = "
        stages:
          list: {text: List, json: true}
          more: {continues: list, chat: [{user: 'More than {{list.a.1}}'}]}
        ";
    Scene::new(&server, body).run().await.is_done();
    let said = asked(&server, "More than 2");
    assert_eq!(said, "user: List\nassistant: Here it is:\n```json\n{\"a\": [1,\n 2]}\n```\nuser: More than 2");
}

#[tokio::test]
async fn a_value_that_stands_in_is_the_answer_that_goes_on() {
    let server = Server::start(|request| match request.prompt().as_str() {
        "Refuse" | "List" => Reply::error(400, "BAD_REQUEST", "no"),
        prompt => Reply::chat(format!("<{prompt}>")),
    });
    let body = "
        inputs: {rows: {type: items, default: [{t: x}, {}]}}
        stages:
          draft: {text: Refuse, on_error: {value: Nothing yet}}
          better: {continues: draft, chat: [{user: Better}]}
          list: {text: List, json: true, on_error: {value: {a: [1]}}}
          more: {continues: list, chat: [{user: More}]}
          row:
            for_each: {one: rows}
            text: 'Row {{#if (eq loop.index 1)}}{{number (json one)}}{{/if}}'
            on_error: {value: Instead}
          on: {for_each: one, continues: row, chat: [{user: 'On {{loop.number}}'}]}
        ";
    let ran = Scene::new(&server, body).run().await.is_done();
    assert_eq!(ran.counts("row"), "2: 1 done, 1 replaced");
    assert_eq!(asked(&server, "Better"), "user: Refuse\nassistant: Nothing yet\nuser: Better");
    assert_eq!(asked(&server, "More"), "user: List\nassistant: {\"a\":[1]}\nuser: More");
    assert_eq!(asked(&server, "On 1"), "user: Row \nassistant: <Row >\nuser: On 1");
    assert_eq!(asked(&server, "On 2"), "assistant: Instead\nuser: On 2", "its own prompt could not be made");
}

#[tokio::test]
async fn attempts_that_failed_are_no_part_of_what_goes_on() {
    let server = Server::start(|request| match (request.prompt().as_str(), request.attempt) {
        ("Draft", 1) => Reply::error(503, "SERVICE_UNAVAILABLE", "not now"),
        (prompt, _) => Reply::chat(format!("<{prompt}>")),
    });
    let body = "
        stages:
          draft: {text: Draft}
          better: {continues: draft, chat: [{user: Better}]}
        ";
    Scene::new(&server, body).run().await.is_done();
    assert_eq!(asked(&server, "Better"), "user: Draft\nassistant: <Draft>\nuser: Better");
}

#[tokio::test]
async fn who_goes_on_with_what_is_skipped_is_skipped_and_so_after_a_failure() {
    let server = Server::start(|request| match request.prompt().as_str() {
        "Draft 2" => Reply::error(400, "BAD_REQUEST", "no"),
        prompt => Reply::chat(prompt),
    });
    let body = "
        stages:
          draft: {for_each: {n: 3}, when: 'ne n 1', text: 'Draft {{n}}', on_error: continue}
          better: {for_each: n, continues: draft, chat: [{user: 'Better {{n}}'}], save: better.jsonl}
        ";
    let ran = Scene::new(&server, body).run().await.has_failed();
    assert_eq!(ran.counts("better"), "3: 1 done, 1 skipped, 1 skipped after failure");
    assert_eq!(ran.values("better"), ["Better 3"]);
}

const PODCAST: &str = "
    inputs: {beats: {type: items, default: [Tide, Moon, Salt, Wind]}}
    stages:
      turn: {for_each: {beat: beats}, system: You two talk, continues: previous, chat: [{user: 'Of {{beat}}'}], save: turn.jsonl}
    ";

#[tokio::test]
async fn a_podcast_goes_on_from_turn_to_turn() {
    let server = quoting();
    let ran = Scene::new(&server, PODCAST).window(2).run().await.is_done();
    assert_eq!(ran.values("turn"), ["<Of Tide>", "<Of Moon>", "<Of Salt>", "<Of Wind>"]);
    assert_eq!(asked(&server, "Of Tide"), "system: You two talk\nuser: Of Tide");
    assert_eq!(
        asked(&server, "Of Salt"),
        "system: You two talk\nuser: Of Tide\nassistant: <Of Tide>\nuser: Of Moon\nassistant: <Of Moon>\nuser: Of Salt"
    );
    assert_eq!(server.peak(), 1, "one after another");
}

#[tokio::test]
async fn what_was_skipped_or_has_failed_is_passed_over() {
    let server = Server::start(|request| match request.prompt().as_str() {
        prompt if prompt.starts_with("Say 3") => Reply::error(400, "BAD_REQUEST", "no"),
        prompt => Reply::chat(format!("<{prompt}>")),
    });
    let body = "
        stages:
          say:
            for_each: {n: 5}
            when: ne n 2
            text: 'Say {{n}}{{#if previous}} after {{previous}}{{else}} first{{/if}}'
            on_error: continue
            save: say.jsonl
          talk: {for_each: n, when: 'ne n 2', continues: previous, chat: [{user: 'Talk {{n}}'}], save: talk.jsonl}
        ";
    let ran = Scene::new(&server, body).run().await.has_failed();
    let one = "<Say 1 first>";
    let four = format!("<Say 4 after {one}>");
    assert_eq!(ran.values("say"), [one, &four, &format!("<Say 5 after {four}>")]);
    assert_eq!(asked(&server, "Talk 3"), "user: Talk 1\nassistant: <Talk 1>\nuser: Talk 3");
}

#[tokio::test]
async fn each_outer_item_has_a_chain_of_its_own_and_they_go_side_by_side() {
    let gate = Gate::new();
    let server = {
        let gate = gate.clone();
        Server::start(move |request| {
            let (prompt, reply) = (request.prompt(), Reply::chat(format!("{}.", request.prompt())));
            if prompt.starts_with("it3") {
                gate.open();
            }
            if prompt == "de1" { reply.held_by(&gate) } else { reply }
        })
    };
    let body = "
        stages:
          say:
            for_each: {lang: [de, fr, it], n: 3}
            concurrency: 9
            text: '{{lang}}{{n}}{{#if previous}}({{previous}}){{/if}}'
            save: {path: say.jsonl, row: {say: '{{say}}'}}
        ";
    let ran = Scene::new(&server, body).run().await.is_done();
    let chain = |lang: &str| {
        let one = format!("{lang}1.");
        let two = format!("{lang}2({one}).");
        let three = format!("{lang}3({two}).");
        [one, two, three]
    };
    assert_eq!(ran.values("say"), ["de", "fr", "it"].map(chain).concat());
}

/// A prompt that names no item of its loops is asked for each item, and the chains of two outer items are two.
#[tokio::test]
async fn chains_with_equal_texts_are_asked_each() {
    let server = Server::start(|_| Reply::chat("the same"));
    let body = "
        stages:
          say: {for_each: {a: 2, n: 3}, text: 'Go on{{#if previous}} after {{previous}}{{/if}}'}
          talk: {for_each: {a: 2, n: 3}, continues: previous, chat: [{user: Go on with it}]}
          draft: {text: Draft}
          vary: {for_each: {v: 4}, continues: draft, chat: [{user: Vary}]}
        ";
    let ran = Scene::new(&server, body).run().await.is_done();
    for (stage, counts) in [("say", "6: 6 done"), ("talk", "6: 6 done"), ("vary", "4: 4 done")] {
        assert_eq!(ran.counts(stage), counts, "{stage}");
    }
    assert_eq!((server.count("Go on"), server.count("Go on after the same")), (2, 4));
}

#[tokio::test]
async fn a_conversation_is_there_in_a_later_pass_from_memory_and_from_the_disk() {
    for held_in_memory in [usize::MAX, 0] {
        let server = quoting();
        let body = "
            stages:
              draft: {for_each: {n: 3}, continues: previous, chat: [{user: 'Draft {{n}}'}]}
              best: {text: 'Best of {{join draft \", \"}}'}
              better: {for_each: n, continues: draft, chat: [{user: 'Better {{n}} than {{best}}'}], save: better.jsonl}
            ";
        let ran = Scene::new(&server, body).held_in_memory(held_in_memory).window(1).run().await.is_done();
        let best = "<Best of <Draft 1>, <Draft 2>, <Draft 3>>";
        assert_eq!(ran.counts("better"), "3: 3 done");
        assert_eq!(
            asked(&server, &format!("Better 2 than {best}")),
            format!(
                "user: Draft 1\nassistant: <Draft 1>\nuser: Draft 2\nassistant: <Draft 2>\nuser: Better 2 than {best}"
            )
        );
    }
}

#[tokio::test]
async fn a_long_chain_goes_to_its_end_through_a_small_window() {
    let server = Server::start(|request| Reply::chat(if request.prompt().contains("odd") { "even" } else { "odd" }));
    let body = "
        stages:
          flip: {for_each: {n: 300}, text: '{{n}}{{#if previous}}: {{previous}}{{/if}}'}
          after: {for_each: n, render: '{{n}} {{flip}}', save: after.jsonl}
        ";
    let ran = Scene::new(&server, body).window(3).run().await.is_done();
    let after = ran.values("after");
    assert_eq!((after.len(), after[0].as_str(), after[299].as_str()), (300, "1 odd", "300 even"));
}

#[tokio::test]
async fn a_failure_stops_a_chain_where_nobody_says_otherwise() {
    let server = Server::start(|request| match request.prompt().as_str() {
        "Of Salt" => Reply::error(400, "BAD_REQUEST", "no"),
        prompt => Reply::chat(prompt),
    });
    let ran = Scene::new(&server, PODCAST).run().await.has_failed();
    assert_eq!(ran.counts("turn"), "4: 2 done, 1 failed, 1 not started");
    assert_eq!(server.requests().len(), 3);
}

fn podcast(server: &Server) -> String {
    let url = &server.url;
    format!(
        "name: podcast\nproviders:\n  test: {{kind: openai, base_url: \"{url}\"}}\n\
         defaults: {{provider: test, model: m, retry: {{attempts: 1}}}}\n{}",
        dedent(PODCAST)
    )
}

#[test]
fn a_chain_that_was_left_half_done_goes_on_with_just_what_is_missing() {
    let server = Server::start(|request| match request.prompt().as_str() {
        "Of Salt" if request.attempt == 1 => Reply::error(400, "BAD_REQUEST", "no"),
        prompt => Reply::chat(format!("<{prompt}>")),
    });
    let ran = Cli::new("podcast.yaml").file("podcast.yaml", podcast(&server)).run().exit(4);
    assert_eq!(server.requests().len(), 3);
    let plan = ran.then("plan podcast.yaml --json").run().exit(0);
    let json: Json = serde_json::from_str(&plan.stdout).unwrap();
    let counts = ["kept", "to_call", "unknown"].map(|name| json["stages"][0][name].as_u64().unwrap());
    assert_eq!(counts, [2, 1, 1], "{json}");
    let why = plan.then("why podcast.yaml turn Wind").run().exit(0);
    assert_eq!(
        why.stdout,
        "turn/Wind is not known before a run: it names `previous`, which needs `turn`, and that would be asked first\n"
    );
    let ran = why.then("resume").run().exit(0);
    let whole = ran.read("out/turn.jsonl");
    assert_eq!(["Of Tide", "Of Moon", "Of Salt", "Of Wind"].map(|prompt| server.count(prompt)), [1, 1, 2, 1]);
    let last = said(server.requests().last().unwrap());
    assert!(last.ends_with("assistant: <Of Moon>\nuser: Of Salt\nassistant: <Of Salt>\nuser: Of Wind"), "{last}");
    // A turn that is no more the same changes those behind it, and none before.
    let other = podcast(&server).replace("Salt", "Foam");
    let ran = ran.then("podcast.yaml --out again").file("podcast.yaml", other).run().exit(0);
    assert_eq!(["Of Tide", "Of Moon", "Of Foam", "Of Wind"].map(|prompt| server.count(prompt)), [1, 1, 1, 2]);
    // Back again, all is kept.
    let ran = ran.then("podcast.yaml --out third").file("podcast.yaml", podcast(&server)).run().exit(0);
    assert_eq!((ran.read("out/turn.jsonl"), server.requests().len()), (whole, 7));
}

#[test]
fn only_a_stage_brings_the_conversation_that_it_goes_on_with_and_a_limit_shortens_the_chain() {
    let server = quoting();
    let more = "  after: {for_each: beat, continues: turn, chat: [{user: 'After {{beat}}'}]}\n  other: {text: Other}\n";
    let pipeline = podcast(&server) + more;
    let ran = Cli::new("podcast.yaml --only after --limit 2").file("podcast.yaml", pipeline).run().exit(0);
    assert!(ran.stderr.contains("turn"), "{ran:?}");
    let mut prompts: Vec<String> = server.requests().iter().map(Request::prompt).collect();
    prompts.sort();
    assert_eq!(prompts, ["After Moon", "After Tide", "Of Moon", "Of Tide"]);
}

#[tokio::test]
async fn an_empty_prompt_is_still_a_failure_where_a_conversation_goes_on() {
    let server = echo();
    let body = "
        inputs: {nothing: ''}
        stages:
          draft: {text: Draft}
          better: {continues: draft, chat: [{user: '{{nothing}}'}], on_error: continue}
        ";
    let ran = Scene::new(&server, body).run().await.has_failed();
    let told = ran.failures();
    assert_eq!(told[0].1, "the message of `user` is empty when its values are filled in");
}
