//! `resume`, and the same command again: only what is missing is asked for.

use std::path::Path;

use crate::cli::{Cli, Going, Ran};
use crate::scene::{asked, dedent, echo_holding, patiently};
use crate::support::server::{Gate, Reply, Server};

fn letters(server: &Server, body: &str) -> String {
    let url = &server.url;
    let head = format!(
        "name: letters\nproviders:\n  test: {{kind: openai, base_url: \"{url}\"}}\n\
         defaults: {{provider: test, model: m, retry: {{attempts: 1}}}}\n"
    );
    head + &dedent(body)
}

const LETTERS: &str = "
    stages:
      letter: {for_each: {n: 5}, text: 'Write {{n}}', concurrency: 1, save: letter.jsonl}
      book: {text: 'Bind {{join letter \", \"}}', save: book.md}
    ";

const ROWS: &str = "
    inputs: {rows: {type: items}}
    stages:
      letter: {for_each: {row: rows}, text: 'Write {{row}}', concurrency: 1, save: letter.jsonl}
    ";

fn cli(words: &str, server: &Server, body: &str) -> Cli {
    Cli::new(words).file("letters.yaml", letters(server, body))
}

/// Refuses this prompt the first time, and gives all others back.
fn refusing(prompt: &'static str) -> Server {
    Server::start(move |request| match request.prompt() {
        asked if asked == prompt && request.attempt == 1 => Reply::error(400, "BAD_REQUEST", "no"),
        asked => Reply::chat(asked),
    })
}

fn wait_for(server: &Server, prompt: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(patiently(asked(server, prompt)));
}

/// The rows of so many letters.
fn written(count: u32) -> String {
    let row = |n| format!("{{\"key\":\"{n}\",\"letter\":\"Write {n}\"}}\n");
    (1..=count).map(row).collect::<Vec<_>>().concat()
}

/// So often the disk is looked at before a test gives up: for a minute.
const PATIENCE: usize = 12_000;

/// Waits until so many answers are on the disk: the next request may go out before.
fn until_kept(going: &Going, answers: i64) {
    let store = rusqlite::Connection::open(going.path(".blossom/store.db")).unwrap();
    for _ in 0..PATIENCE {
        if kept_in(&store) >= answers {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("{answers} answers are not kept");
}

fn kept_in(store: &rusqlite::Connection) -> i64 {
    store.query_row("SELECT count(*) FROM attempts WHERE kind IS NULL", [], |row| row.get(0)).unwrap()
}

#[track_caller]
fn is_whole(ran: &Ran) {
    let rows = written(5);
    assert_eq!(ran.read("out/letter.jsonl"), rows);
    assert_eq!(ran.read("out/book.md"), "Bind Write 1, Write 2, Write 3, Write 4, Write 5\n");
}

#[test]
fn a_run_that_failed_goes_on_with_what_is_missing() {
    let server = refusing("Write 3");
    let ran = cli("letters.yaml", &server, LETTERS).run().exit(4);
    assert!(ran.stderr.contains("then go on with `blossom-run resume [run]`\n"), "{ran:?}");
    let ran = ran.then("resume").run().exit(0);
    is_whole(&ran);
    assert!(ran.stderr.starts_with("going on with run [run]\n"), "{ran:?}");
    assert!(ran.stderr.contains("\n2 answers were there already; `--fresh` asks anew\n"), "{ran:?}");
    assert_eq!((server.count("Write 1"), server.count("Write 3"), server.requests().len()), (1, 2, 7));
    let ran = ran.then("resume").run().exit(0);
    ran.stderr("nothing is left to do: every run has come to its end\n");
    assert_eq!(server.requests().len(), 7);
}

#[test]
fn a_stage_goes_on_sending_while_its_answers_wait_for_the_disk() {
    let gate = Gate::new();
    let server = echo_holding("Write 1", &gate);
    let going = cli("letters.yaml", &server, LETTERS).start();
    wait_for(&server, "Write 1");
    // Whoever writes to the store has to wait for this.
    let store = rusqlite::Connection::open(going.path(".blossom/store.db")).unwrap();
    store.execute_batch("BEGIN IMMEDIATE").unwrap();
    gate.open();
    wait_for(&server, "Write 2");
    assert_eq!(kept_in(&store), 0);
    assert_eq!(server.count("Write 3"), 0, "twice its concurrency, and no more");
    store.execute_batch("ROLLBACK").unwrap();
    is_whole(&going.wait().exit(0));
    assert_eq!(server.requests().len(), 6);
}

#[test]
fn a_run_that_was_killed_goes_on_from_what_is_kept() {
    let gate = Gate::new();
    let server = echo_holding("Write 3", &gate);
    let going = cli("letters.yaml", &server, LETTERS).start();
    wait_for(&server, "Write 3");
    until_kept(&going, 2);
    let ran = going.kill();
    gate.open();
    let list = ran.then("runs --json").run().exit(0);
    let list: serde_json::Value = serde_json::from_str(&list.stdout).unwrap();
    assert_eq!(list[0]["end"], "died");
    is_whole(&ran.then("resume").run().exit(0));
    assert_eq!(["Write 1", "Write 2", "Write 3", "Write 4"].map(|prompt| server.count(prompt)), [1, 1, 2, 1]);
}

#[cfg(unix)]
#[test]
fn the_same_command_again_goes_on_with_an_interrupted_run_too() {
    for again in ["resume", "letters.yaml"] {
        let gate = Gate::new();
        let server = echo_holding("Write 3", &gate);
        let going = cli("letters.yaml", &server, LETTERS).start();
        wait_for(&server, "Write 3");
        going.signal("INT");
        going.hear("stopping: interrupted");
        gate.open();
        let ran = going.wait().exit(130);
        is_whole(&ran.then(again).run().exit(0));
        assert_eq!(server.requests().len(), 6, "{again}: each once");
    }
}

#[test]
fn what_has_changed_in_the_file_is_told() {
    let server = refusing("Write 3");
    let ran = cli("letters.yaml", &server, LETTERS).run().exit(4);
    let changed = LETTERS.replace("Bind", "Print").replace("Write {{n}}", "Write  {{n}}");
    let ran = ran.then("resume last").file("letters.yaml", letters(&server, &changed)).run().exit(0);
    assert!(
        ran.stderr.starts_with("going on with run [run]; changed since: stage `letter`, stage `book`\n"),
        "{ran:?}"
    );
    assert_eq!(server.count("Write  1"), 1);
}

#[test]
fn inputs_and_flags_are_those_of_the_run_and_of_its_folder() {
    let server = refusing("Write 3");
    let body = "
        inputs: {word: Write}
        stages: {letter: {for_each: {n: 5}, text: '{{word}} {{n}}', concurrency: 1, save: letter.jsonl}}
        ";
    let words = "../letters.yaml -i word=Write --out results -q";
    let ran = Cli::new("-h").file("letters.yaml", letters(&server, body)).file("sub/deep/x", "").run();
    let ran = ran.then(words).folder("sub").run().exit(4);
    // From a folder below, which has its store further up.
    let ran = ran.then("resume").folder("sub/deep").run().exit(0);
    assert_eq!(ran.stderr, "");
    assert_eq!(ran.read("sub/results/letter.jsonl").lines().count(), 5);
}

#[test]
fn a_run_that_goes_on_elsewhere_is_left_alone() {
    let gate = Gate::new();
    let server = echo_holding("Write 1", &gate);
    let going = cli("letters.yaml", &server, LETTERS).start();
    wait_for(&server, "Write 1");
    going.beside("resume").run().exit(0).stderr("nothing is left to do: every run has come to its end or goes on\n");
    let refused = going.beside("resume last").run().exit(2);
    assert!(refused.stderr.contains("` is going on\n"), "{refused:?}");
    let list = going.beside("runs").run().exit(0);
    assert!(list.stdout.contains("  going on  "), "{list:?}");
    gate.open();
    is_whole(&going.wait().exit(0));
}

#[test]
fn where_nothing_is_kept_there_is_nothing_to_go_on_with() {
    for words in ["resume", "runs", "runs last", "runs --prune 30d"] {
        let ran = Cli::new(words).run().exit(2);
        assert!(ran.stderr.contains("there is no store in `.blossom`"), "{ran:?}");
        assert!(!ran.path(".blossom").exists(), "none is made");
    }
}

/// Returns once the copy of standard input has all of it.
fn until_whole(going: &Going) {
    let is_whole = || kept(&going.path(".blossom")).iter().any(|name| name.ends_with(".stdin-whole"));
    while !is_whole() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// What is in the folder of runs.
fn kept(store: &Path) -> Vec<String> {
    let files = std::fs::read_dir(store.join("runs")).into_iter().flatten().flatten();
    files.map(|file| file.file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn rows_of_standard_input_are_kept_until_the_run_is_done() {
    let gate = Gate::new();
    let server = echo_holding("Write 2", &gate);
    let mut going = cli("letters.yaml -i rows=-", &server, ROWS).start();
    for row in ["1", "", "2", "3"] {
        going.write(row);
    }
    going.close();
    wait_for(&server, "Write 2");
    until_kept(&going, 1);
    until_whole(&going);
    let ran = going.kill();
    gate.open();
    let ran = ran.then("resume").stdin("4\n").run().exit(0);
    let rows = written(3);
    assert_eq!(ran.read("out/letter.jsonl"), rows);
    assert_eq!((server.count("Write 1"), server.requests().len()), (1, 4));
    assert!(!kept(&ran.path(".blossom")).iter().any(|name| name.contains("stdin")), "nothing is left of it");
}

#[test]
fn a_part_of_standard_input_is_not_taken_for_the_whole() {
    let gate = Gate::new();
    let server = echo_holding("Write 1", &gate);
    let mut going = cli("letters.yaml -i rows=-", &server, ROWS).start();
    going.write("1");
    wait_for(&server, "Write 1");
    let ran = going.kill();
    gate.open();
    let refused = ran.then("resume").run().exit(3);
    assert!(refused.stderr.contains("had not read its standard input to the end: "), "{refused:?}");
    assert!(refused.stderr.contains("give all of it to `blossom-run letters.yaml -i rows=-` again"), "{refused:?}");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn an_input_that_was_read_from_standard_input_is_kept() {
    let server = refusing("Write one");
    let body = "
        inputs: {word: {type: string}}
        stages: {letter: {text: 'Write {{word}}', save: letter.md}}
        ";
    let ran = cli("letters.yaml -i word=@-", &server, body).stdin("one").run().exit(4);
    let ran = ran.then("resume").stdin("two").run().exit(0);
    assert_eq!(ran.read("out/letter.md"), "Write one\n");
}

#[test]
fn a_shipped_template_is_gone_on_with_by_its_name() {
    let ran = Cli::new("digest --offline --limit 2 --store kept").run().exit(0);
    let ran = ran.then("resume last --store kept").run().exit(0);
    assert!(ran.stderr.contains("answers were there already"), "{ran:?}");
}

#[test]
fn a_budget_is_shared_with_the_run_that_is_gone_on_with() {
    let server = Server::start(|request| Reply::chat(request.prompt()));
    let ran = cli("letters.yaml --max-calls 2", &server, LETTERS).run().exit(5);
    ran.then("resume").run().exit(5);
    assert_eq!(server.requests().len(), 2, "nothing is left of it");
    let ran = ran.then("resume --max-calls 4").run().exit(5);
    assert_eq!(server.requests().len(), 4, "two more, since two were counted already");
    let ran = ran.then("resume").run().exit(5);
    assert!(ran.stderr.contains("The budget of 4 calls is used up: 4 are made"), "what was told last: {ran:?}");
    // A run of its own has a budget of its own.
    is_whole(&ran.then("letters.yaml --max-calls 2").run().exit(0));
    assert_eq!(server.requests().len(), 6);
}

#[test]
fn an_item_that_is_to_be_made_anew_and_is_not_there_is_told() {
    let server = Server::start(|request| Reply::chat(request.prompt()));
    let ran = cli("letters.yaml", &server, LETTERS).run().exit(0);
    let ran = ran.then("letters.yaml --fresh=letter/3,letter/33").run().exit(0);
    assert!(ran.stderr.contains("another take of `letter/33` is wanted, and no such item has asked"), "{ran:?}");
    assert!(!ran.stderr.contains("`letter/3`"), "{ran:?}");
    assert_eq!(server.count("Write 3"), 2);
}

#[test]
fn a_service_that_counts_no_tokens_has_a_budget_all_the_same() {
    let server = Server::start(|request| {
        let message = serde_json::json!({"role": "assistant", "content": request.prompt()});
        Reply::json(&serde_json::json!({"choices": [{"message": message, "finish_reason": "stop"}]}))
    });
    let body = "budget: {tokens: 300}\nstages: {letter: {for_each: {n: 5}, text: 'Write {{n}}', max_tokens: 30}}";
    let ran = cli("letters.yaml", &server, body).run().exit(5);
    let sent = server.requests().len();
    assert!((1..5).contains(&sent), "{ran:?}");
    ran.then("resume").run().exit(5);
    assert_eq!(server.requests().len(), sent, "each counts as the most that it can have taken");
}

#[test]
fn what_was_on_the_wire_when_a_run_was_killed_counts() {
    let gate = Gate::new();
    let held = gate.clone();
    let server = Server::start(move |request| match request.prompt().as_str() {
        "Write 3" if request.attempt == 1 => Reply::chat("Write 3").held_by(&held),
        prompt => Reply::chat(prompt),
    });
    let going = cli("letters.yaml --max-calls 4", &server, LETTERS).start();
    wait_for(&server, "Write 3");
    let ran = going.kill();
    gate.open();
    let ran = ran.then("resume").run().exit(5);
    assert_eq!(server.requests().len(), 4, "three were sent before, and one is left: {ran:?}");
    assert!(ran.stderr.contains("The budget of 4 calls is used up: 4 are made"), "{ran:?}");
}
