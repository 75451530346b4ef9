//! Stages that put JSON together without a call.

use blossom_run::model::Json;
use serde_json::json;

use crate::scene::{Scene, echo, prompts};

#[tokio::test]
async fn what_is_one_value_keeps_its_type_and_what_is_more_is_a_text() {
    let server = echo();
    let body = r#"
        inputs:
          seed: 7
          sender: {type: json, default: {name: Ines, ports: [Tavira, Sandau]}}
        stages:
          hello: {text: Hello}
          whole:
            value:
              seed: "{{seed}}"
              text: "{{seed}} by {{sender.name}}"
              ports: "{{sender.ports}}"
              hello: "{{hello}}"
              fixed: [1, 2.5, null, true, "braces: \\{{ }}"]
              nested: [{port: "{{first sender.ports}}", n: "{{len sender.ports}}"}]
          alone: {value: "{{whole.nested.0}}"}
          plain: {value: a text, save: plain.txt}
          page: {render: "{{alone.port}} {{whole.fixed.1}} {{plain}}", save: page.txt}
        outputs: {whole: "{{whole}}", alone: "{{alone}}", plain: "{{plain}}"}
        "#;
    let ran = Scene::new(&server, body).run().await.is_done();
    assert_eq!(
        *ran.output("whole"),
        json!({
            "seed": 7, "text": "7 by Ines", "ports": ["Tavira", "Sandau"], "hello": "Hello",
            "fixed": [1, 2.5, null, true, "braces: {{ }}"], "nested": [{"port": "Tavira", "n": 2}],
        })
    );
    assert_eq!(*ran.output("alone"), json!({"port": "Tavira", "n": 2}));
    assert_eq!(*ran.output("plain"), json!("a text"));
    assert_eq!(ran.text("page.txt"), "Tavira 2.5 a text\n");
    assert_eq!(ran.text("plain.txt"), "a text\n");
    assert_eq!(prompts(&server), ["Hello"], "a value asks nobody");
    assert_eq!(ran.counts("whole"), "1: 1 done");
}

#[tokio::test]
async fn a_value_is_a_list_that_a_loop_goes_over() {
    let server = echo();
    let body = r#"
        inputs:
          chapters: {type: items, default: [{title: Ebb, parts: [a, b]}, {title: Flow, parts: [c]}]}
        stages:
          plan:
            for_each: {chapter: chapters}
            value:
              jobs: [{what: intro, of: "{{chapter.title}}"}, {what: "{{first chapter.parts}}", of: "{{chapter.title}}"}]
          job: {for_each: {job_of: plan.jobs}, text: "{{job_of.what}} of {{job_of.of}}"}
          chapter_text: {for_each: chapter, render: "{{chapter.title}}: {{join job '; '}}"}
          titles: {value: ["{{#each chapters}}{{title}} {{/each}}", end]}
          row: {for_each: {line: titles}, render: "<{{line}}>", save: row.jsonl}
          book: {value: {chapters: "{{chapter_text}}", titles: "{{row}}"}, save: book.json}
        "#;
    let ran = Scene::new(&server, body).run().await.is_done();
    assert_eq!(
        ran.text("book.json"),
        "{\n  \"chapters\": [\n    \"Ebb: intro of Ebb; a of Ebb\",\n    \"Flow: intro of Flow; c of Flow\"\n  ],\n  \
         \"titles\": [\n    \"<Ebb Flow >\",\n    \"<end>\"\n  ]\n}\n"
    );
    assert_eq!(ran.values("row"), ["<Ebb Flow >", "<end>"]);
    assert_eq!(prompts(&server), ["a of Ebb", "c of Flow", "intro of Ebb", "intro of Flow"]);
}

#[tokio::test]
async fn values_are_skipped_fail_and_are_replaced_as_others_are() {
    let server = echo();
    let body = r#"
        inputs:
          rows: {type: items, default: [{n: 1, list: [1]}, {n: two, list: [2]}, {n: 3, list: [3]}, {n: 4, list: many}]}
        stages:
          one:
            for_each: {row: rows}
            when: ne row.n 3
            value: {n: "{{number row.n decimals=2}}", list: "{{row.list}}"}
            on_error: continue
            save: one.jsonl
          other:
            for_each: row
            value: {n: "{{number row.n}}"}
            on_error: {value: {n: "no number: {{row.n}}"}}
            save: {path: other.csv, row: {n: "{{other.n}}"}}
          item: {for_each: {x: one.list}, render: "{{x}}", on_error: continue}
          after: {for_each: row, render: "{{one.n}}", save: after.jsonl}
        "#;
    let ran = Scene::new(&server, body).run().await;
    assert_eq!(ran.counts("one"), "4: 1 done, 1 skipped, 2 failed");
    assert_eq!(ran.rows("one.jsonl"), [json!({"key": "1", "one": {"n": "1.00", "list": [1]}})]);
    assert_eq!(ran.counts("other"), "4: 3 done, 1 replaced");
    assert_eq!(ran.text("other.csv"), "n\n1\nno number: two\n3\n4\n");
    assert_eq!(ran.counts("after"), "4: 1 done, 1 skipped, 2 skipped after failure");
    let failures = [
        ("one/2", "`number`: argument 1 is `two`, not a number"),
        ("one/4", "`one.list` is a text, not a list, and a loop is made of it"),
    ];
    let told = ran.failures();
    assert_eq!(told.iter().map(|(item, why)| (item.as_str(), why.as_str())).collect::<Vec<_>>(), failures);
}

#[tokio::test]
async fn a_long_text_is_split_mapped_and_reduced_in_a_tree() {
    let server = echo();
    let body = r#"
        inputs:
          books: {type: items, default: [{id: a, text: one two three four five}, {id: b, text: six}, {id: c, text: ""}]}
        stages:
          pieces: {for_each: {book: books}, value: "{{split book.text words=2 overlap=1}}"}
          summary: {for_each: {piece: pieces}, text: "S({{piece}})"}
          packs: {for_each: book, value: "{{chunks summary 3}}"}
          digest: {for_each: {pack: packs}, text: "D({{join pack ' '}})"}
          whole: {for_each: book, text: "W({{book.id}}: {{join digest ' '}})", save: whole.jsonl}
          rank: {value: "{{sort whole desc=true}}", save: rank.json}
          final: {for_each: book, render: "{{book.id}} of {{len rank}}: {{join digest}}", save: final.jsonl}
        "#;
    for window in [1, 2, 100] {
        let ran = Scene::new(&server, body).window(window).run().await.is_done();
        let of_a = "D(S(one two) S(two three) S(three four)) D(S(four five))";
        assert_eq!(ran.values("whole"), [&format!("W(a: {of_a})"), "W(b: D(S(six)))", "W(c: )"]);
        let rank: Json = serde_json::from_str(&ran.text("rank.json")).unwrap();
        assert_eq!(rank, json!(["W(c: )", "W(b: D(S(six)))", format!("W(a: {of_a})")]));
        assert_eq!(ran.values("final")[1], "b of 3: D(S(six))");
    }
}

#[tokio::test]
async fn every_group_gets_a_note_and_nothing_is_told_twice() {
    let server = echo();
    let body = r#"
        inputs:
          tickets:
            type: items
            default:
              - {id: 1, queue: {name: harbour}, urgency: "9", text: a}
              - {id: 2, queue: {name: ferry}, urgency: 10, text: b}
              - {id: 3, queue: {name: harbour}, urgency: 10, text: c}
              - {id: 4, queue: {name: harbour}, urgency: 1, text: a}
        stages:
          answer: {for_each: {ticket: tickets}, text: "Answer {{ticket.text}}"}
          card: {for_each: ticket, value: {id: "{{ticket.id}}", queue: "{{ticket.queue.name}}", answer: "{{answer}}", urgency: "{{ticket.urgency}}"}}
          queues: {value: "{{group (unique card by='answer') by='queue'}}"}
          note:
            for_each: {queue: queues}
            text: "{{queue.key}}:{{#each (sort queue.items by='urgency' desc=true)}} {{this.id}} {{this.answer}};{{/each}}"
            save: "notes/{{queue.key}}.md"
          one: {for_each: ticket, render: "{{ticket.id}} {{#each (where queues 'key' ticket.queue.name)}}{{len items}}{{/each}}", save: one.jsonl}
        "#;
    let ran = Scene::new(&server, body).run().await.is_done();
    assert_eq!(ran.text("notes/harbour.md"), "harbour: 3 Answer c; 1 Answer a;\n");
    assert_eq!(ran.text("notes/ferry.md"), "ferry: 2 Answer b;\n");
    assert_eq!(ran.values("one"), ["1 2", "2 1", "3 2", "4 2"]);
}
