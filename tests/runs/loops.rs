//! How often a stage runs, and what it sees: passes, nests, matrices, joined loops, empty lists.

use serde_json::json;

use crate::scene::{Scene, asked, echo, echo_holding, prompts};
use crate::support::server::{Gate, Reply, Server};

#[tokio::test]
async fn a_ranking_of_all_and_then_a_final_word_on_each() {
    let server = echo();
    let body = "
        inputs:
          essays: {type: items, default: [x, y, z]}
        stages:
          score: {for_each: {essay: essays}, text: 'Score {{essay}}'}
          ranking: {text: 'Rank {{join score \", \"}}'}
          final: {for_each: {essay: essays}, text: '{{essay}}: {{score}} in {{ranking}}', save: final.jsonl}
        ";
    let ran = Scene::new(&server, body).run().await.is_done();
    let ranking = "Rank Score x, Score y, Score z";
    let expected = ["x", "y", "z"].map(|essay| format!("{essay}: Score {essay} in {ranking}"));
    assert_eq!(ran.values("final"), expected);
    assert_eq!(server.requests().len(), 7, "the second pass does not ask again for what the first had");
}

/// An outline in JSON for each article: as many sections as its name is long.
fn outliner() -> Server {
    Server::start(|request| {
        let prompt = request.prompt();
        match prompt.strip_prefix("Outline ") {
            None => Reply::chat(prompt),
            Some(article) => {
                let sections: Vec<_> = article.chars().map(|letter| json!({"title": letter.to_string()})).collect();
                Reply::chat(json!({"sections": sections}).to_string())
            }
        }
    })
}

#[tokio::test]
async fn a_loop_over_a_list_in_an_answer_runs_inside_that_answers_loop() {
    let server = outliner();
    let body = "
        inputs:
          articles: {type: items, default: [ab, xyz, q]}
        stages:
          outline: {for_each: {article: articles}, text: 'Outline {{article}}', json: true}
          section:
            for_each: {section_of: outline.sections}
            text: '{{article}}.{{loop.number}}: {{section_of.title}}'
            save: section.jsonl
          whole: {for_each: article, text: '{{article}} = {{join section \"; \"}}', save: whole.jsonl}
        ";
    let ran = Scene::new(&server, body).run().await.is_done();
    assert_eq!(ran.values("section"), ["ab.1: a", "ab.2: b", "xyz.1: x", "xyz.2: y", "xyz.3: z", "q.1: q"]);
    assert_eq!(ran.values("whole"), ["ab = ab.1: a; ab.2: b", "xyz = xyz.1: x; xyz.2: y; xyz.3: z", "q = q.1: q"]);
}

#[tokio::test]
async fn a_loop_over_an_answer_begins_as_soon_as_that_answer_is_there() {
    let gate = Gate::new();
    let held = gate.clone();
    let server = Server::start(move |request| match request.prompt().as_str() {
        "Outline slow" => Reply::chat("[1]").held_by(&held),
        "Outline fast" => Reply::chat("[1, 2]"),
        other => Reply::chat(other),
    });
    let body = "
        inputs:
          articles: {type: items, default: [slow, fast]}
        stages:
          outline: {for_each: {article: articles}, text: 'Outline {{article}}', json: true}
          part: {for_each: {n: outline}, text: '{{article}} {{n}}', save: part.jsonl}
        ";
    let steps = async {
        asked(&server, "fast 2").await;
        gate.open();
    };
    let ran = Scene::new(&server, body).play(steps).await.is_done();
    assert_eq!(ran.values("part"), ["slow 1", "fast 1", "fast 2"]);
}

#[tokio::test]
async fn a_loop_over_a_field_of_an_item_runs_inside_it() {
    let server = echo();
    let body = "
        inputs:
          articles: {type: items, default: [{id: a, tags: [u, v]}, {id: b, tags: []}, {id: c, tags: [w]}]}
        stages:
          tagged:
            for_each: {article: articles, tag: article.tags}
            text: '{{article.id}}+{{tag}} ({{loop.key}}, {{loop.article.index}}, {{loop.index}})'
            save: tagged.jsonl
          of_each: {for_each: article, text: '{{article.id}}: {{len tagged}}', save: of_each.jsonl}
        ";
    let ran = Scene::new(&server, body).run().await.is_done();
    assert_eq!(ran.values("tagged"), ["a+u (a/u, 0, 0)", "a+v (a/v, 0, 1)", "c+w (c/w, 2, 0)"]);
    assert_eq!(ran.values("of_each"), ["a: 2", "b: 0", "c: 1"], "an empty list is a list");
}

#[tokio::test]
async fn a_matrix_is_every_pair_and_its_outer_loop_can_be_joined() {
    let server = echo();
    let body = "
        inputs:
          tones: {type: items, default: [dry, warm]}
        stages:
          slogan: {for_each: {lang: [en, de], tone: tones}, text: '{{lang}} {{tone}}', save: slogan.jsonl}
          best: {for_each: lang, text: 'Best of {{join slogan \" and \"}}', save: best.jsonl}
          again: {for_each: tone, text: 'Again {{slogan}} after {{best}}', save: again.jsonl}
          all: {text: '{{len slogan}} and {{len best}}', save: all.md}
        ";
    let ran = Scene::new(&server, body).run().await.is_done();
    assert_eq!(ran.values("slogan"), ["en dry", "en warm", "de dry", "de warm"]);
    assert_eq!(ran.values("best"), ["Best of en dry and en warm", "Best of de dry and de warm"]);
    assert_eq!(ran.values("again")[3], "Again de warm after Best of de dry and de warm");
    assert_eq!(ran.text("all.md"), "4 and 2\n");
    assert_eq!(ran.rows("slogan.jsonl")[2]["key"], "de/dry");
}

#[tokio::test]
async fn two_stages_with_the_same_entry_run_item_beside_item() {
    let gate = Gate::new();
    let server = echo_holding("First 1", &gate);
    let body = "
        stages:
          first: {for_each: {n: 2}, text: 'First {{n}}'}
          second: {for_each: {n: 2}, text: 'Second {{first}}', save: second.jsonl}
          third: {for_each: n, text: 'Third {{second}}', save: third.jsonl}
        ";
    let steps = async {
        asked(&server, "Third Second First 2").await;
        gate.open();
    };
    let ran = Scene::new(&server, body).play(steps).await.is_done();
    assert_eq!(ran.values("third"), ["Third Second First 1", "Third Second First 2"]);
}

#[tokio::test]
async fn one_prompt_in_a_loop_over_a_number_is_asked_each_time() {
    let server = Server::start(|request| Reply::chat(format!("Take {}", request.attempt)));
    let body = "
        inputs: {takes: 3}
        stages:
          take: {for_each: {n: takes}, text: The same, concurrency: 1, save: take.jsonl}
        ";
    let ran = Scene::new(&server, body).run().await.is_done();
    assert_eq!(ran.values("take"), ["Take 1", "Take 2", "Take 3"]);
    assert_eq!(server.count("The same"), 3);
}

#[tokio::test]
async fn an_empty_list_is_a_list_and_what_collects_it_runs() {
    let server = echo();
    let body = "
        inputs:
          articles: {type: items, default: []}
        stages:
          analyze: {for_each: {article: articles}, text: 'Analyze {{article}}', save: analyze.jsonl}
          table: {for_each: article, text: 'Row {{analyze}}', save: {path: table.csv, row: {name: '{{article}}', text: '{{table}}'}}}
          report: {text: 'Report of {{len analyze}}', save: report.md}
        ";
    let ran = Scene::new(&server, body).run().await.is_done();
    assert_eq!(prompts(&server), ["Report of 0"]);
    assert_eq!((ran.text("analyze.jsonl"), ran.text("report.md")), (String::new(), "Report of 0\n".to_owned()));
    assert_eq!(ran.text("table.csv"), "name,text\n");
    assert_eq!(ran.counts("analyze"), "0: ");
}
