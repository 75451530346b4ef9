//! What is not there: conditions, optional names, failures that others name, and lists that are none.

use serde_json::json;

use crate::scene::{Scene, echo, prompts};
use crate::support::server::{Reply, Server};

/// Gives each prompt back, but refuses those with `bad` in them for good.
fn picky() -> Server {
    Server::start(|request| match request.prompt() {
        prompt if prompt.contains("bad") => Reply::error(400, "BAD_REQUEST", "That is not allowed"),
        prompt => Reply::chat(prompt),
    })
}

#[tokio::test]
async fn a_condition_skips_an_instance_and_those_that_name_it() {
    let server = echo();
    let body = "
        stages:
          draft: {for_each: {n: 4}, when: 'gt n 2', text: 'Draft {{n}}', save: draft.jsonl}
          polish: {for_each: n, text: 'Polish {{draft}}', save: polish.jsonl}
          report: {text: 'Report {{join polish \" \"}}', save: report.md}
        ";
    let ran = Scene::new(&server, body).run().await.is_done();
    assert_eq!(ran.values("draft"), ["Draft 3", "Draft 4"]);
    assert_eq!(ran.text("report.md"), "Report Polish Draft 3 Polish Draft 4\n");
    assert_eq!(
        (ran.counts("draft"), ran.counts("polish")),
        ("4: 2 done, 2 skipped".into(), "4: 2 done, 2 skipped".into())
    );
    let skipped = |item: &str, why: &str| (item.to_owned(), why.to_owned());
    let expected =
        [("draft/1", "when"), ("draft/2", "when"), ("polish/1", "absent draft"), ("polish/2", "absent draft")];
    assert_eq!(ran.skipped(), expected.map(|(item, why)| skipped(item, why)));
    assert_eq!(server.requests().len(), 5, "what is skipped is not asked");
}

#[tokio::test]
async fn a_condition_may_look_at_an_answer() {
    let server = Server::start(|request| match request.prompt().as_str() {
        "Sort 2" => Reply::chat(json!({"queue": "bug"}).to_string()),
        prompt if prompt.starts_with("Sort") => Reply::chat(json!({"queue": "praise"}).to_string()),
        prompt => Reply::chat(prompt),
    });
    let body = "
        stages:
          sort: {for_each: {n: 3}, text: 'Sort {{n}}', json: true}
          fix: {for_each: n, when: \"eq sort.queue 'bug'\", text: 'Fix {{n}}', save: fix.jsonl}
        ";
    let ran = Scene::new(&server, body).run().await.is_done();
    assert_eq!(ran.values("fix"), ["Fix 2"]);
}

#[tokio::test]
async fn an_optional_name_is_waited_for_and_may_be_missing() {
    let server = picky();
    let body = "
        inputs:
          items: {type: items, default: [good, bad]}
        stages:
          photo: {for_each: {item: items}, text: 'Photo {{item}}', on_error: continue}
          sketch: {for_each: item, when: \"eq item 'bad'\", text: 'Sketch of b'}
          page:
            for_each: item
            text: '{{loop.index}}: {{#if photo}}{{photo}}{{else}}no photo{{/if}}, {{default sketch photo}}, {{#unless sketch}}plain{{/unless}}'
            save: page.jsonl
        ";
    let ran = Scene::new(&server, body).run().await.has_failed();
    assert_eq!(ran.values("page"), ["0: Photo good, Photo good, plain", "1: no photo, Sketch of b, "]);
    assert_eq!(ran.counts("page"), "2: 2 done");
}

#[tokio::test]
async fn a_default_that_finds_nothing_skips_its_instance() {
    let server = picky();
    let body = "
        stages:
          first: {text: First bad, on_error: continue}
          second: {when: 'false', text: Second}
          either: {text: 'Either {{default first second}}', save: either.md}
          in_doubt: {text: 'In doubt {{default first second \"nothing\"}}', save: in_doubt.md}
        ";
    let ran = Scene::new(&server, body).run().await.has_failed();
    assert_eq!(ran.text("in_doubt.md"), "In doubt nothing\n");
    assert_eq!(ran.files(), ["in_doubt.md"]);
    assert_eq!(ran.tally("either").done, 0);
    assert_eq!(ran.tally("either").skipped + ran.tally("either").skipped_after_failure, 1);
}

#[tokio::test]
async fn a_default_that_finds_nothing_tells_of_a_failure_before_what_was_only_skipped() {
    let server = picky();
    let body = "
        stages:
          early: {when: 'false', text: Early}
          broken: {text: bad, on_error: continue}
          late: {when: 'false', text: Late}
          either: {text: 'Either {{default early broken late}}'}
          neither: {text: 'Neither {{default early late}}'}
        ";
    let ran = Scene::new(&server, body).run().await.has_failed();
    for (item, why) in [("either", "failed broken"), ("neither", "absent early")] {
        assert!(ran.skipped().contains(&(item.to_owned(), why.to_owned())), "{:?}", ran.skipped());
    }
}

#[tokio::test]
async fn a_failure_skips_what_names_it_and_is_told_apart_from_a_condition() {
    let server = picky();
    let body = "
        inputs:
          items: {type: items, default: [a, bad, c, d]}
        stages:
          draft: {for_each: {item: items}, when: \"ne item 'd'\", text: 'Draft {{item}}', save: draft.jsonl}
          polish: {for_each: item, text: 'Polish {{draft}}', save: polish.jsonl}
          report: {text: 'Report {{join polish \" \"}}', save: report.md}
        ";
    let ran = Scene::new(&server, body).defaults("on_error: continue").run().await.has_failed();
    assert_eq!(ran.counts("draft"), "4: 2 done, 1 skipped, 1 failed");
    assert_eq!(ran.counts("polish"), "4: 2 done, 1 skipped, 1 skipped after failure");
    assert_eq!(ran.text("report.md"), "Report Polish Draft a Polish Draft c\n", "what is left is collected");
    assert!(ran.skipped().contains(&("polish/bad".to_owned(), "failed draft".to_owned())), "{:?}", ran.skipped());
    assert_eq!(ran.failures().len(), 1);
}

const BOOKS: &str = "
    inputs:
      books: {type: items, default: [a, bad, c]}
    stages:
      outline: {for_each: {book: books}, when: \"ne book 'c'\", text: 'Outline {{book}}', json: true}
      chapter: {for_each: {title: outline.titles}, text: 'Chapter {{book}} {{title}}', save: chapter.jsonl}
      blurb: {for_each: book, text: 'Blurb of {{len chapter}}', save: blurb.jsonl}
      catalogue: {text: 'All {{len chapter}} in {{len blurb}}', save: catalogue.md}
    ";

#[tokio::test]
async fn a_loop_whose_list_failed_or_was_skipped_has_no_items_and_what_collects_it_is_skipped() {
    let server = Server::start(|request| match request.prompt() {
        prompt if prompt.contains("bad") => Reply::error(400, "BAD_REQUEST", "That is not allowed"),
        prompt if prompt.starts_with("Outline") => Reply::chat(r#"{"titles": ["one", "two"]}"#),
        prompt => Reply::chat(prompt),
    });
    let ran = Scene::new(&server, BOOKS).defaults("on_error: continue").run().await.has_failed();
    assert_eq!(ran.values("chapter"), ["Chapter a one", "Chapter a two"]);
    assert_eq!(ran.counts("blurb"), "3: 1 done, 1 skipped, 1 skipped after failure");
    assert_eq!(ran.text("catalogue.md"), "All 2 in 1\n");
}

#[tokio::test]
async fn an_answer_without_the_list_that_a_loop_is_made_of_is_a_failure_with_a_reason() {
    let server = Server::start(|request| match request.prompt().as_str() {
        "Outline a" => Reply::chat(r#"{"titles": ["one"]}"#),
        "Outline bad" => Reply::chat(r#"{"chapters": ["one"]}"#),
        prompt => Reply::chat(prompt),
    });
    let ran = Scene::new(&server, BOOKS).defaults("on_error: continue").run().await.has_failed();
    let message = "`outline.titles` is missing, and a loop is made of it".to_owned();
    assert_eq!(ran.failures(), [("outline/bad".to_owned(), message)]);
    assert_eq!(server.count("Outline bad"), 1, "the same question would have the same answer");
    assert_eq!(ran.values("chapter"), ["Chapter a one"]);
    let texts = prompts(&server);
    assert!(texts.contains(&"All 1 in 1".to_owned()), "{texts:?}");
}

#[tokio::test]
async fn an_item_without_the_list_that_a_loop_is_made_of_is_named() {
    let answer = r#"{"chapters": [{"id": "a", "parts": [1]}, {"id": "b", "parts": "one"}]}"#;
    let server = Server::start(move |request| match request.prompt().as_str() {
        "Outline" => Reply::chat(answer),
        prompt => Reply::chat(prompt),
    });
    let body = "
        stages:
          outline: {text: Outline, json: true}
          part: {for_each: {chapter: outline.chapters, one: chapter.parts}, text: 'Part {{one}}', save: part.jsonl}
        ";
    let ran = Scene::new(&server, body).run().await.has_failed();
    let message = "`chapter.parts` is a text, not a list, and a loop is made of it (item `b`)".to_owned();
    assert_eq!(ran.failures(), [("part/b".to_owned(), message)]);
}

#[tokio::test]
async fn an_answer_with_something_else_in_place_of_a_list_is_a_failure_with_a_reason() {
    let server = Server::start(|_| Reply::chat(r#"{"titles": "one, two"}"#));
    let body = "
        stages:
          outline: {text: Outline, json: true}
          chapter: {for_each: {title: outline.titles}, text: 'Chapter {{title}}', save: chapter.jsonl}
        ";
    let ran = Scene::new(&server, body).run().await.has_failed();
    let message = "`outline.titles` is a text, not a list, and a loop is made of it".to_owned();
    assert_eq!(ran.failures(), [("outline".to_owned(), message)]);
    assert_eq!(ran.text("chapter.jsonl"), "");
}

#[tokio::test]
async fn a_field_that_a_row_lacks_in_an_answer_fails_that_item_alone() {
    let server = Server::start(|request| match request.prompt().as_str() {
        "Sort 1" => Reply::chat(r#"{"queue": "bug"}"#),
        "Sort 2" => Reply::chat(r#"{"kind": "bug"}"#),
        prompt => Reply::chat(prompt),
    });
    let body = "
        stages:
          sort: {for_each: {n: 2}, text: 'Sort {{n}}', json: true}
          note: {for_each: n, text: 'Note {{sort.queue}}', save: note.jsonl, on_error: continue}
        ";
    let ran = Scene::new(&server, body).run().await.has_failed();
    assert_eq!(ran.values("note"), ["Note bug"]);
    let failures = ran.failures();
    assert!(failures.len() == 1 && failures[0].0 == "note/2" && failures[0].1.contains("queue"), "{failures:?}");
}

#[tokio::test]
async fn an_empty_prompt_is_not_sent_and_an_empty_frame_is_left_out() {
    let server = echo();
    let body = "
        inputs:
          items: {type: items, default: [full, '', ' ']}
          frame: {default: ''}
        stages:
          ask: {for_each: {item: items}, system: '{{frame}}', text: '{{item}}', on_error: continue, save: ask.jsonl}
          paint: {for_each: {item: items}, when: not item, image: '{{item}}', on_error: continue}
        ";
    let ran = Scene::new(&server, body).run().await;
    assert_eq!(ran.values("ask"), ["full"]);
    let empty = "the message of `user` is empty when its values are filled in";
    let unpainted = "the prompt is empty when its values are filled in";
    let failed: Vec<(String, String)> = ran.failures();
    assert_eq!(failed.iter().filter(|(_, message)| message == empty).count(), 2, "{failed:?}");
    assert_eq!(failed.iter().filter(|(_, message)| message == unpainted).count(), 1, "{failed:?}");
    let requests = server.requests();
    assert_eq!(requests.len(), 1, "nothing else is asked");
    let roles: Vec<String> = requests[0].json()["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["role"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(roles, ["user"]);
}

#[tokio::test]
async fn what_can_not_be_rendered_says_which_value_and_where_it_was_looked_for() {
    let server = echo();
    // Rows that are there beforehand are looked at before the run.
    let body = "
        stages:
          made:
            text: '{\"rows\": [{\"id\": \"a\", \"tags\": null}, {\"id\": \"b\", \"tags\": [{}]}, {\"id\": \"\", \"tags\": []}]}'
            json: true
          tags:
            for_each: {row: made.rows}
            render: '{{#each row.tags}}{{title}}{{/each}}'
            save: '{{row.id}}/tags.txt'
            on_error: continue
        ";
    let ran = Scene::new(&server, body).run().await;
    let messages: Vec<String> = ran.failures().into_iter().map(|(_, message)| message).collect();
    assert_eq!(
        messages,
        [
            "`#each` goes through a list, and `row.tags` is null",
            "an item of `row.tags` has no field `title`",
            "the path `/tags.txt` begins with `/`, since the value before that is empty",
        ]
    );
}

#[test]
fn a_plan_that_lacks_an_input_is_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.yaml");
    let text = "name: x\ninputs: {topic: }\nstages: {a: {render: '{{topic}}'}}\n";
    std::io::Write::write_all(&mut std::fs::File::create(&file).unwrap(), text.as_bytes()).unwrap();
    let request = blossom_run::engine::Request { file, ..Default::default() };
    let plan = blossom_run::engine::check(&request).plan.expect("it is only checked");
    let options = blossom_run::engine::RunOptions { out: folder.path().join("out"), ..Default::default() };
    let refused = blossom_run::engine::run(plan, options).unwrap_err();
    assert_eq!(refused.message, "the input `topic` has no value");
    assert!(!folder.path().join("out").exists());
}
