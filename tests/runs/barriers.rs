//! What waits for what: an instance for the values that it names, and for nothing else.

use blossom_run::model::EventKind;

use crate::scene::{Scene, asked, echo_holding, prompts};
use crate::support::server::Gate;

const DIGEST: &str = "
    inputs:
      articles: {type: items, default: [{id: a}, {id: b}, {id: c}]}
    stages:
      analyze: {for_each: {article: articles}, text: 'Analyze {{article.id}}', save: analyze.jsonl}
      summarize: {for_each: {article: articles}, text: 'Summarize {{analyze}}', save: summarize.jsonl}
      report:
        text: 'Report {{#each summarize}}[{{this}}]{{/each}}'
        save: report.md
    ";

#[tokio::test]
async fn an_item_is_summarised_while_the_next_is_being_analysed() {
    let gate = Gate::new();
    let server = echo_holding("Analyze b", &gate);
    let steps = async {
        asked(&server, "Summarize Analyze a").await;
        asked(&server, "Summarize Analyze c").await;
        gate.open();
    };
    let ran = Scene::new(&server, DIGEST).play(steps).await.is_done();
    assert_eq!(ran.values("analyze"), ["Analyze a", "Analyze b", "Analyze c"]);
}

#[tokio::test]
async fn a_report_waits_for_all_that_it_names() {
    let gate = Gate::new();
    let server = echo_holding("Summarize Analyze b", &gate);
    let going = Scene::new(&server, DIGEST).start();
    let told = going.told();
    let steps = async {
        told.done(5).await;
        asked(&server, "Summarize Analyze b").await;
        assert!(!prompts(&server).iter().any(|prompt| prompt.starts_with("Report")), "{:?}", prompts(&server));
        gate.open();
    };
    let ran = going.play(steps).await.is_done();
    assert_eq!(ran.text("report.md"), "Report [Summarize Analyze a][Summarize Analyze b][Summarize Analyze c]\n");
    assert_eq!(server.requests().len(), 7);
}

#[tokio::test]
async fn a_slow_stage_holds_up_nobody_who_does_not_name_it() {
    let gate = Gate::new();
    let server = echo_holding("Slow", &gate);
    let body = "
        stages:
          slow: {text: Slow, save: slow.md}
          part: {for_each: {n: 3}, text: 'Part {{n}}'}
          report: {text: 'Report {{join part}}', save: report.md}
          both: {text: 'Both {{slow}} {{report}}', save: both.md}
        ";
    let steps = async {
        asked(&server, "Report Part 1\nPart 2\nPart 3").await;
        assert_eq!(server.count("Slow"), 1, "it is still on the wire");
        gate.open();
    };
    let ran = Scene::new(&server, body).play(steps).await.is_done();
    assert_eq!(ran.text("both.md"), "Both Slow Report Part 1\nPart 2\nPart 3\n");
}

#[tokio::test]
async fn what_collects_for_one_item_waits_for_that_item_alone() {
    let gate = Gate::new();
    let server = echo_holding("b/2", &gate);
    let body = "
        inputs:
          articles: {type: items, default: [{id: a, parts: [1, 2]}, {id: b, parts: [1, 2]}]}
        stages:
          part: {for_each: {article: articles, part_of: article.parts}, text: '{{article.id}}/{{part_of}}'}
          whole: {for_each: article, text: 'Whole {{join part \" \"}}', save: whole.jsonl}
        ";
    let steps = async {
        asked(&server, "Whole a/1 a/2").await;
        gate.open();
    };
    let ran = Scene::new(&server, body).play(steps).await.is_done();
    assert_eq!(ran.values("whole"), ["Whole a/1 a/2", "Whole b/1 b/2"]);
}

#[tokio::test]
async fn rows_come_in_item_order_whichever_answer_comes_first() {
    let gate = Gate::new();
    let server = echo_holding("Analyze a", &gate);
    let going = Scene::new(&server, DIGEST).start();
    let told = going.told();
    let steps = async {
        told.until(2, |kind| matches!(kind, EventKind::Done { item, .. } if &*item.stage == "summarize")).await;
        gate.open();
    };
    let ran = going.play(steps).await.is_done();
    assert_eq!(
        ran.text("summarize.jsonl"),
        "{\"key\":\"a\",\"summarize\":\"Summarize Analyze a\"}\n\
         {\"key\":\"b\",\"summarize\":\"Summarize Analyze b\"}\n\
         {\"key\":\"c\",\"summarize\":\"Summarize Analyze c\"}\n"
    );
}
