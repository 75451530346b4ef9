//! `runs`: what happened, from all runs down to each request.

use crate::cli::{Cli, Ran};
use crate::scene::dedent;
use crate::support::server::{Reply, Server};

const TOWNS: &str = "
    inputs:
      towns: {type: items, default: [ulm, bad, worse, jena]}
    stages:
      motto: {for_each: {town: towns}, text: 'Motto of {{town}}', concurrency: 1, save: motto.jsonl, on_error: continue}
      best: {text: 'Best of {{join motto \", \"}}', save: best.md}
    ";

fn towns() -> Server {
    Server::start(|request| match request.prompt() {
        prompt if prompt.contains("of bad") || prompt.contains("of worse") => {
            Reply::error(400, "BAD_REQUEST", "That is not allowed")
        }
        prompt => Reply::chat(prompt),
    })
}

/// The program after a run of four towns, two of which were refused.
fn after() -> (Server, Ran) {
    let server = towns();
    let url = &server.url;
    let head = format!(
        "name: show\nproviders:\n  test: {{kind: openai, base_url: \"{url}\"}}\n\
         defaults: {{provider: test, model: m, retry: {{attempts: 1}}}}\n"
    );
    let ran = Cli::new("show.yaml").file("show.yaml", head + &dedent(TOWNS)).run().exit(4);
    (server, ran)
}

fn json(ran: &Ran, words: &str) -> serde_json::Value {
    serde_json::from_str(&ran.then(words).run().exit(0).stdout).unwrap()
}

#[test]
fn all_runs_are_listed() {
    let (_server, ran) = after();
    let list = ran.then("runs").run().exit(0).printed();
    // The first line is as wide as the names of runs.
    let words: Vec<Vec<&str>> = list.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(words[0].join(" "), "run pipeline began took end items failed requests cost");
    assert_eq!(words[1].join(" "), "[run] show [at] [time] failed 5 2 5 3 unpriced");
    assert_eq!(words.len(), 2);
    let list = json(&ran, "runs --json");
    assert_eq!(
        (&list[0]["pipeline"], &list[0]["end"], &list[0]["requests"]),
        (&"show".into(), &"failed".into(), &5.into())
    );
}

#[test]
fn a_run_is_told_with_its_failures_by_reason() {
    let (_server, ran) = after();
    let run = "show: failed, after [time] (run [run], began [at])\n\
         \n\
         stage   items  done  failed  requests  tokens in  tokens out        cost\n\
         motto       4     2       2         4         18          24  2 unpriced\n\
         best        1     1       0         1          9          12  1 unpriced\n\
         in all      5     3       2         5         27          36  3 unpriced\n\
         \n\
         failed motto/bad and 1 more: `test` answers 400: That is not allowed\n\
         \n\
         go on with `blossom-run resume [run]`\n";
    assert_eq!(ran.then("runs last").run().exit(0).printed(), run);
    let named = json(&ran, "runs --json")[0]["run"].as_str().unwrap().to_owned();
    // Its beginning and its end are names as well.
    for part in [&named, &named[..13], &named[named.len() - 4..]] {
        assert_eq!(ran.then(&format!("runs {part}")).run().exit(0).printed(), run);
    }
    let shown = json(&ran, "runs last --json");
    assert_eq!(shown["outcome"]["outcome"], "failed");
    assert_eq!(shown["words"], serde_json::json!(["show.yaml"]));
    assert_eq!((&shown["stages"][0]["tally"]["failed"], shown["instances"].as_array().unwrap().len()), (&2.into(), 2));
}

#[test]
fn a_stage_is_told_item_by_item() {
    let (_server, ran) = after();
    let shown = ran.then("runs last motto").run().exit(0);
    assert_eq!(
        shown.printed(),
        "stage  items  done  failed  requests  tokens in  tokens out        cost\n\
         motto      4     2       2         4         18          24  2 unpriced\n\
         \n\
         failed bad: `test` answers 400: That is not allowed, after 1 request\n\
         failed worse: `test` answers 400: That is not allowed, after 1 request\n"
    );
    let shown = json(&ran, "runs last motto --json");
    assert_eq!((&shown["instances"][0]["key"], &shown["instances"][0]["state"]), (&"bad".into(), &"failed".into()));
}

#[test]
fn an_item_is_told_request_by_request_with_its_whole_answer() {
    let (server, ran) = after();
    let shown = ran.then("runs last motto ulm").run().exit(0).printed().replace(&server.url, "[url]");
    let (request, answer) = shown.split_once("\n\n").unwrap();
    assert!(request.starts_with("request\n  {\n    \"stage\": \"motto\",\n"), "{shown}");
    assert!(request.contains("\"content\": \"Motto of ulm\""), "{shown}");
    let end = "attempt 1, [at], took [time], test/m: answered by test-model (stop), 9 tokens in, 12 out, 1 unpriced\n  Motto of ulm\n";
    assert_eq!(answer, end);
    let shown = json(&ran, "runs last motto ulm --json");
    assert_eq!((&shown["attempts"][0]["text"], &shown["state"]), (&"Motto of ulm".into(), &().into()));
    // A stage outside of loops is its own item.
    assert_eq!(json(&ran, "runs last best best --json")["attempts"][0]["text"], "Best of Motto of ulm, Motto of jena");
}

#[test]
fn a_failed_item_is_told_with_its_reason() {
    let (_server, ran) = after();
    let shown = ran.then("runs last motto bad").run().exit(0).printed();
    assert!(shown.starts_with("failed: `test` answers 400: That is not allowed\n\nrequest\n"), "{shown}");
    let end =
        "\n\nattempt 1, [at], took [time], test/m: failed (bad_request)\n  `test` answers 400: That is not allowed\n";
    assert!(shown.ends_with(end), "{shown}");
    assert_eq!(json(&ran, "runs last motto bad --json")["why"]["kind"], "bad_request");
}

#[test]
fn an_answer_that_was_there_already_is_told_with_the_run_that_had_it() {
    let (_server, ran) = after();
    let first = json(&ran, "runs --json")[0]["run"].clone();
    ran.then("show.yaml").run().exit(4);
    let shown = ran.then("runs last motto ulm").run().exit(0);
    let named = first.as_str().unwrap();
    let begin = format!("no request was sent for this item in this run; the earlier run {named} had this answer\n");
    assert!(shown.stdout.starts_with(&begin) && shown.stdout.ends_with("\n  Motto of ulm\n"), "{shown:?}");
    let shown = json(&ran, "runs last motto ulm --json");
    assert_eq!((&shown["attempts"], &shown["kept"]["run"]), (&serde_json::json!([]), &first));
    assert_eq!(shown["kept"]["attempt"]["text"], "Motto of ulm");
}

#[test]
fn what_is_not_there_is_said() {
    let (_server, ran) = after();
    for (words, problem) in [
        ("runs yesterday", "there is no run `yesterday` in this store"),
        ("runs last moto", "has no stage `moto`"),
        ("resume 2", "`2` could be any of"),
    ] {
        let refused = ran.then("show.yaml").run().exit(4).then(words).run().exit(2);
        assert!(refused.stderr.contains(problem), "{refused:?}");
    }
}

#[test]
fn a_closed_pipe_is_no_mistake() {
    let (_server, ran) = after();
    let ended = ran.then("runs last motto").start_with_broken_pipe().wait();
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
}

#[test]
fn an_item_that_was_skipped_has_no_answer_of_an_earlier_run() {
    let server = Server::start(|request| Reply::chat(request.prompt()));
    let file = |word: &str| {
        format!(
            "name: show\nproviders: {{test: {{kind: openai, base_url: \"{}\"}}}}\ndefaults: {{provider: test, model: m}}\n\
             stages: {{word: {{render: {word}}}, say: {{when: \"eq word 'yes'\", text: Say it}}}}\n",
            server.url
        )
    };
    let ran = Cli::new("show.yaml").file("show.yaml", file("'yes'")).run().exit(0);
    let skipped = ran.then("show.yaml").file("show.yaml", file("'no'")).run().exit(0);
    assert_eq!(server.requests().len(), 1);
    let shown = skipped.then("runs last say say").run().exit(0).printed();
    assert_eq!(shown, "skipped: its `when` is false\n\nno request was sent for this item in this run\n");
    let item = json(&skipped, "runs last say say --json");
    assert_eq!(
        (&item["state"], &item["lane"], &item["kept"]),
        (&"skipped".into(), &serde_json::Value::Null, &serde_json::Value::Null)
    );
}
