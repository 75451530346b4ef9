//! What a failed item means for the run: stop, go on, stand in; and how many failures are too many.

use blossom_run::model::EventKind;
use serde_json::json;

use crate::scene::{Scene, asked, echo, echo_holding, prompts};
use crate::support::server::{Gate, Reply, Server};

#[tokio::test]
async fn stop_lets_the_wire_finish_keeps_its_answers_and_sends_nothing_else() {
    let (gate, refusal) = (Gate::new(), Gate::new());
    let (held, refused) = (gate.clone(), refusal.clone());
    let server = Server::start(move |request| match request.prompt().as_str() {
        "Draft 2" => Reply::error(400, "BAD_REQUEST", "That is not allowed").held_by(&refused),
        "Draft 1" | "Draft 3" => Reply::chat(request.prompt()).held_by(&held),
        prompt => Reply::chat(prompt),
    });
    let body = "
        stages:
          draft: {for_each: {n: 9}, text: 'Draft {{n}}', concurrency: 3, save: 'drafts/{{n}}.md'}
          row: {for_each: n, render: 'Row {{draft}}', save: row.jsonl}
          other: {for_each: {m: 3}, text: 'Other {{m}} {{join draft}}', save: other.jsonl}
        ";
    let going = Scene::new(&server, body).start();
    let told = going.told();
    let steps = async {
        server.arrived(3).await;
        refusal.open();
        told.until(1, |kind| matches!(kind, EventKind::Stopping { .. })).await;
        gate.open();
    };
    let ran = going.play(steps).await.has_failed();
    assert_eq!(prompts(&server), ["Draft 1", "Draft 2", "Draft 3"]);
    assert_eq!(ran.files(), ["drafts/1.md", "drafts/3.md"]);
    assert_eq!(ran.counts("draft"), "9: 2 done, 1 failed, 6 not started");
    assert_eq!(ran.stopping(), Some("draft/2 failed"));
    assert_eq!(ran.failures(), [("draft/2".to_owned(), "`test` answers 400: That is not allowed".to_owned())]);
}

#[tokio::test]
async fn the_worst_of_what_happens_while_a_run_ends_counts() {
    let gate = Gate::new();
    let held = gate.clone();
    let server = Server::start(move |request| match request.prompt().as_str() {
        "Draft 1" => Reply::error(400, "BAD_REQUEST", "That is not allowed"),
        _ => Reply::error(401, "UNAUTHORIZED", "No such key").held_by(&held),
    });
    let body = "
        stages:
          draft: {for_each: {n: 2}, text: 'Draft {{n}}'}
        ";
    let going = Scene::new(&server, body).start();
    let told = going.told();
    let steps = async {
        server.arrived(2).await;
        told.until(1, |kind| matches!(kind, EventKind::Stopping { .. })).await;
        gate.open();
    };
    let ran = going.play(steps).await;
    assert!(ran.blocked_by().message.contains("No such key"), "{:?}", ran.outcome);
    assert_eq!(ran.stopping(), Some("draft/1 failed"), "the first reason is told");
}

#[tokio::test]
async fn stop_gives_up_on_what_waits_for_another_attempt() {
    let gate = Gate::new();
    let held = gate.clone();
    let server = Server::start(move |request| match request.prompt().as_str() {
        "Draft 1" => Reply::error(400, "BAD_REQUEST", "That is not allowed").held_by(&held),
        _ => Reply::error(500, "INTERNAL_ERROR", "Out of order"),
    });
    let body = "
        stages:
          draft: {for_each: {n: 2}, text: 'Draft {{n}}', retry: {attempts: 3, backoff: 1h, max_backoff: 1h}}
        ";
    let going = Scene::new(&server, body).start();
    let told = going.told();
    let steps = async {
        told.until(1, |kind| matches!(kind, EventKind::AttemptFailed { .. })).await;
        gate.open();
    };
    let ran = going.play(steps).await.has_failed();
    assert_eq!(ran.counts("draft"), "2: 1 failed, 1 not started");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn continue_fails_its_item_and_goes_on() {
    let server = Server::start(|request| match request.prompt() {
        prompt if prompt.ends_with('2') => Reply::error(500, "INTERNAL_ERROR", "Out of order"),
        prompt => Reply::chat(prompt),
    });
    let body = "
        stages:
          draft: {for_each: {n: 4}, text: 'Draft {{n}}', on_error: continue, save: draft.jsonl}
        ";
    let ran = Scene::new(&server, body).run().await.has_failed();
    assert_eq!(ran.values("draft"), ["Draft 1", "Draft 3", "Draft 4"]);
    assert_eq!(server.count("Draft 2"), 3, "it had all its attempts");
    assert_eq!((ran.counts("draft"), ran.stopping()), ("4: 3 done, 1 failed".to_owned(), None));
    let attempts = ran.events.iter().find_map(|kind| match kind {
        EventKind::Failed { attempts, .. } => Some(*attempts),
        _ => None,
    });
    assert_eq!(attempts, Some(3));
}

#[tokio::test]
async fn what_should_stand_in_and_can_not_leaves_a_failure() {
    let server = Server::start(|_| Reply::error(400, "BAD_REQUEST", "no"));
    let body = "
        stages:
          pre: {when: eq 1 2, render: Never}
          draft: {for_each: {n: 3}, text: 'Draft {{n}}', on_error: {value: '{{default pre pre}}'}, concurrency: 1}
        ";
    let ran = Scene::new(&server, body).run().await.has_failed();
    assert_eq!(ran.counts("draft"), "3: 1 failed, 2 not started");
    assert!(ran.failures()[0].1.contains("no"), "{:?}", ran.failures());
}

#[tokio::test]
async fn nothing_to_collect_is_told_once() {
    let server = echo();
    let body = "
        inputs:
          none: {type: items, default: []}
        stages:
          page: {for_each: {one: none}, text: 'Page {{one}}'}
          report: {for_each: {n: 3}, text: 'Report {{n}} on {{join page}}'}
        ";
    let ran = Scene::new(&server, body).run().await.is_done();
    let warnings = ran.events.iter().filter_map(|kind| match kind {
        EventKind::Warning { message } => Some(message.as_str()),
        _ => None,
    });
    assert_eq!(warnings.collect::<Vec<_>>(), ["`report` collects `page`, of which nothing came out"]);
}

#[tokio::test]
async fn what_stands_in_for_a_picture_is_no_file() {
    let server = Server::start(|request| match request.prompt().as_str() {
        "Paint 1" => Reply::error(400, "BAD_REQUEST", "no"),
        prompt => Reply::picture(prompt),
    });
    let body = "
        stages:
          paint:
            for_each: {n: 2}
            image: 'Paint {{n}}'
            save: 'p/{{n}}.png'
            on_error: {value: {path: none.png}}
          list: {for_each: n, render: '{{paint.path}}', save: list.jsonl}
        ";
    let ran = Scene::new(&server, body).file("none.png", crate::pictures::png(1)).run().await.is_done();
    assert_eq!(ran.files(), ["list.jsonl", "p/2.png"]);
    assert_eq!(ran.values("list"), ["none.png", "p/2.png"]);
}

#[tokio::test]
async fn what_failed_items_took_is_told() {
    for on_error in ["continue", "{value: none}"] {
        // An answer that is cut costs what it costs: 9 tokens in, 12 out.
        let server = Server::start(|_| Reply::chat_ending(json!("Once upon"), json!("length")));
        let body = format!("\n    stages:\n      draft: {{text: Draft, on_error: {on_error}}}\n    ");
        let ran = Scene::new(&server, &body).run().await;
        let usage = ran.events.iter().find_map(|kind| match kind {
            EventKind::Failed { usage, .. } | EventKind::Replaced { usage, .. } => *usage,
            _ => None,
        });
        assert_eq!(usage.map(|usage| usage.total_tokens), Some(21), "{on_error}");
    }
}

#[tokio::test]
async fn a_value_stands_in_for_a_failed_item_and_is_counted_as_replaced() {
    let server = Server::start(|request| match request.prompt() {
        prompt if prompt == "Draft b" => Reply::error(400, "BAD_REQUEST", "That is not allowed"),
        prompt => Reply::chat(prompt),
    });
    let body = "
        inputs:
          items: {type: items, default: [a, b]}
        stages:
          draft: {for_each: {item: items}, text: 'Draft {{item}}', on_error: {value: '(nothing on {{item}})'}, save: draft.jsonl}
          polish: {for_each: item, text: 'Polish {{draft}}', save: polish.jsonl}
        ";
    let ran = Scene::new(&server, body).run().await.is_done();
    assert_eq!(ran.values("draft"), ["Draft a", "(nothing on b)"]);
    assert_eq!(ran.values("polish"), ["Polish Draft a", "Polish (nothing on b)"]);
    assert_eq!(ran.counts("draft"), "2: 1 done, 1 replaced");
}

#[tokio::test]
async fn a_value_may_be_json_that_a_loop_is_made_of() {
    let server = Server::start(|request| match request.prompt().as_str() {
        "Outline" => Reply::chat("no JSON at all"),
        prompt => Reply::chat(prompt),
    });
    let body = "
        stages:
          outline: {text: Outline, json: true, on_error: {value: {titles: [one, two]}}}
          chapter: {for_each: {title: outline.titles}, text: 'Chapter {{title}}', save: chapter.jsonl}
        ";
    let ran = Scene::new(&server, body).run().await.is_done();
    assert_eq!(ran.values("chapter"), ["Chapter one", "Chapter two"]);
}

/// Refuses the items in a list, one after another, and answers all others.
fn refusing(bad: &'static [u64]) -> Server {
    Server::start(move |request| {
        let number: u64 = request.prompt().rsplit(' ').next().unwrap().parse().unwrap();
        if bad.contains(&number) {
            return Reply::error(400, "BAD_REQUEST", "That is not allowed");
        }
        Reply::chat(request.prompt())
    })
}

fn one_by_one(limit: &str) -> String {
    format!(
        "
        stages:
          draft:
            for_each: {{n: 40}}
            text: 'Draft {{{{n}}}}'
            concurrency: 1
            on_error: continue
            max_failures: {limit}
            save: draft.jsonl
        "
    )
}

#[tokio::test]
async fn a_count_of_failures_may_be_reached_and_not_passed() {
    let server = refusing(&[3, 5, 7]);
    let ran = Scene::new(&server, &one_by_one("3")).run().await.has_failed();
    assert_eq!((ran.counts("draft"), ran.stopping()), ("40: 37 done, 3 failed".to_owned(), None));

    let server = refusing(&[3, 5, 7]);
    let ran = Scene::new(&server, &one_by_one("2")).run().await.has_failed();
    assert_eq!(ran.counts("draft"), "40: 4 done, 3 failed, 33 not started");
    assert_eq!(ran.stopping(), Some("3 of 7 items of `draft` failed, more than `max_failures` allows"));
    assert_eq!(server.requests().len(), 7);
}

#[tokio::test]
async fn a_share_of_failures_speaks_once_twenty_have_come_to_an_end() {
    // Two of nineteen are more than a tenth, but two of twenty are not.
    let server = refusing(&[1, 2]);
    let ran = Scene::new(&server, &one_by_one("10%")).run().await.has_failed();
    assert_eq!((ran.counts("draft"), ran.stopping()), ("40: 38 done, 2 failed".to_owned(), None));

    // Three of twenty are, although the twentieth is a good one.
    let server = refusing(&[1, 2, 3]);
    let ran = Scene::new(&server, &one_by_one("10%")).run().await.has_failed();
    assert_eq!(ran.counts("draft"), "40: 17 done, 3 failed, 20 not started");
    assert_eq!(ran.stopping(), Some("3 of 20 items of `draft` failed, more than `max_failures` allows"));
}

#[tokio::test]
async fn a_limit_of_one_stage_does_not_count_failures_of_another() {
    let server = refusing(&[1, 2, 3]);
    let body = "
        stages:
          strict: {for_each: {n: 3}, text: 'Strict {{add}} 9', on_error: continue, max_failures: 0}
          loose: {for_each: {m: 3}, text: 'Loose {{m}}', on_error: continue}
        inputs: {add: plus}
        ";
    let ran = Scene::new(&server, body).run().await.has_failed();
    assert_eq!((ran.counts("strict"), ran.counts("loose")), ("3: 3 done".to_owned(), "3: 3 failed".to_owned()));
}

#[tokio::test]
async fn a_collection_that_is_not_whole_is_not_made() {
    let gate = Gate::new();
    let server = echo_holding("Part 2", &gate);
    let body = "
        stages:
          part: {for_each: {n: 2}, text: 'Part {{n}}', save: part.jsonl}
          report: {text: 'Report {{join part}}', save: report.md}
          broken: {render: '{{number (trim note)}}', save: broken.md}
        inputs: {note: nothing to count}
        ";
    let going = Scene::new(&server, body).start();
    let told = going.told();
    let steps = async {
        asked(&server, "Part 2").await;
        told.until(1, |kind| matches!(kind, EventKind::Stopping { .. })).await;
        gate.open();
    };
    let ran = going.play(steps).await.has_failed();
    assert_eq!(ran.files(), ["part.jsonl"]);
    assert_eq!(ran.counts("report"), "1: 1 not started");
}
