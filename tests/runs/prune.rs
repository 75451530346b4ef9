//! `runs --prune`: what is old goes, what was paid for stays.

use crate::cli::Cli;
use crate::scene::{asked, dedent, echo_holding, patiently};
use crate::support::server::{Gate, Reply, Server};

const NAMES: &str = "
    stages:
      letter: {for_each: {n: 3}, text: 'Write {{n}}', concurrency: 1, save: letter.jsonl, on_error: continue}
    ";

fn cli(words: &str, server: &Server) -> Cli {
    let url = &server.url;
    let head = format!(
        "name: letters\nproviders:\n  test: {{kind: openai, base_url: \"{url}\"}}\n\
         defaults: {{provider: test, model: m, retry: {{attempts: 1}}}}\n"
    );
    Cli::new(words).file("letters.yaml", head + &dedent(NAMES))
}

fn refusing() -> Server {
    Server::start(|request| match request.prompt() {
        prompt if prompt == "Write 2" && request.attempt == 1 => Reply::error(400, "BAD_REQUEST", "no"),
        prompt => Reply::chat(prompt),
    })
}

fn count(words: &serde_json::Value, name: &str) -> u64 {
    words[name].as_u64().unwrap()
}

#[test]
fn runs_go_and_answers_stay() {
    let server = refusing();
    let ran = cli("letters.yaml", &server).run().exit(4);
    ran.then("runs --prune 30d").run().exit(0).stdout("nothing is older than 30d\n");
    let pruned = ran.then("runs --prune 0s --json").run().exit(0);
    let pruned: serde_json::Value = serde_json::from_str(&pruned.stdout).unwrap();
    assert_eq!((count(&pruned, "runs"), count(&pruned, "attempts"), count(&pruned, "files")), (1, 1, 0));
    ran.then("runs").run().exit(0).stdout("no run is remembered in this store\n");
    let ran = ran.then("letters.yaml").run().exit(0);
    assert_eq!(ran.read("out/letter.jsonl").lines().count(), 3);
    assert_eq!(["Write 1", "Write 2", "Write 3"].map(|prompt| server.count(prompt)), [1, 2, 1]);
    let shown = ran.then("runs last letter 1").run().exit(0);
    assert!(
        shown.stdout.starts_with(
            "no request was sent for this item in this run; an earlier one, which was pruned, had this answer\n"
        ),
        "{shown:?}"
    );
}

#[test]
fn a_run_that_goes_on_is_not_hurt() {
    let gate = Gate::new();
    let server = echo_holding("Write 2", &gate);
    let going = cli("letters.yaml", &server).start();
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(patiently(asked(&server, "Write 2")));
    going.beside("runs --prune 0s").run().exit(0).stdout("nothing is older than 0ms\n");
    let list = going.beside("runs").run().exit(0);
    assert!(list.stdout.contains("  going on  "), "{list:?}");
    gate.open();
    let ran = going.wait().exit(0);
    let list = ran.then("runs").run().exit(0);
    assert!(list.stdout.contains("  done  "), "{list:?}");
}

#[test]
fn an_age_has_to_be_said() {
    let ran = Cli::new("runs --prune").run().exit(2);
    assert!(ran.stderr.contains("--prune <AGE>"), "{ran:?}");
    let ran = Cli::new("runs --prune soon").run().exit(2);
    assert!(ran.stderr.contains("write a number and a unit"), "{ran:?}");
}
