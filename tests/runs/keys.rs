//! Keys of accounts: one that is missing or refused ends the run before it costs more, and none is ever shown.

use blossom_run::model::FailureKind;

use crate::cli::{Cli, Ran};
use crate::scene::Scene;
use crate::support::server::{Reply, Server};

const PLANTED: &str = "sk_planted_0123456789";

const BODY: &str = "
    stages:
      letter: {for_each: {n: 100}, text: 'Write {{n}}', concurrency: 4, on_error: continue, save: letter.jsonl}
    ";

/// A run against a server that refuses every request like this.
async fn refused(reply: impl Fn() -> Reply + Send + Sync + 'static) -> (crate::scene::Ran, Server) {
    let server = Server::start(move |_| reply());
    let ran = Scene::new(&server, BODY).run().await;
    (ran, server)
}

#[tokio::test]
async fn a_refused_key_ends_the_run_with_what_was_on_the_wire() {
    let (ran, server) = refused(|| Reply::error(401, "UNAUTHORIZED", "Invalid API key")).await;
    assert_eq!(ran.blocked_by().kind, FailureKind::KeyRefused);
    assert!(server.requests().len() <= 4, "{}", server.requests().len());
    assert_eq!(ran.counts("letter"), "100: 100 not started", "none has failed of itself, so all can be tried again");
    assert!(ran.files().is_empty(), "a stage that came to no row leaves a file of an earlier run alone");
}

#[tokio::test]
async fn a_balance_that_is_gone_ends_the_run() {
    let (ran, server) = refused(|| Reply::error(402, "INSUFFICIENT_BALANCE", "Insufficient balance")).await;
    assert_eq!(ran.blocked_by().kind, FailureKind::BalanceGone);
    assert!(server.requests().len() <= 4, "{}", server.requests().len());
}

#[tokio::test]
async fn what_came_out_before_the_balance_was_gone_is_kept() {
    let server = Server::start(|request| match request.number {
        1..=5 => Reply::chat(request.prompt()),
        _ => Reply::error(402, "INSUFFICIENT_BALANCE", "Insufficient balance"),
    });
    let body = "
        stages:
          letter: {for_each: {n: 9}, text: 'Write {{n}}', concurrency: 1, on_error: {value: none}, save: letter.jsonl}
        ";
    let ran = Scene::new(&server, body).run().await;
    assert_eq!(ran.blocked_by().kind, FailureKind::BalanceGone);
    assert_eq!(ran.counts("letter"), "9: 5 done, 4 not started", "no value stands in for what can still be asked");
    assert_eq!(ran.values("letter").len(), 5);
}

#[tokio::test]
async fn without_its_key_nothing_is_sent() {
    let server = Server::start(|_| Reply::chat("Hello"));
    let body = "
        stages:
          before: {render: Before, save: before.md}
          letter: {for_each: {n: 3}, text: 'Write {{n}} {{before}}'}
        ";
    let ran = Scene::new(&server, body).provider("api_key: {file: no-such-file}").run().await;
    assert_eq!(ran.blocked_by().kind, FailureKind::KeyMissing);
    assert_eq!(server.requests().len(), 0);
    assert_eq!(ran.text("before.md"), "Before\n", "what needs no key has run");
}

fn pipeline(url: &str) -> String {
    format!(
        "name: keys\n\
         providers:\n  test: {{kind: openai, base_url: \"{url}\", api_key: {{env: TEST_KEY}}, headers: {{x-app: demo}}}}\n\
         defaults: {{provider: test, model: m, on_error: continue, retry: {{attempts: 2, backoff: 1ms}}}}\n\
         stages:\n  \
           letter: {{for_each: {{n: 4}}, text: 'Write {{{{n}}}}', save: letter.jsonl}}\n  \
           cover: {{image: A cover, save: cover.png}}\n"
    )
}

#[track_caller]
fn assert_nowhere(ran: &Ran) {
    assert!(!ran.stdout.contains("planted") && !ran.stderr.contains("planted"), "{ran:?}");
    for file in ran.files() {
        let bytes = std::fs::read(ran.path(&file)).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("planted"), "{file} shows the key");
    }
}

/// A server that says the key it was sent in every way that servers do.
fn chatty() -> Server {
    Server::start(|request| {
        let key = request.header("authorization").unwrap_or_default().to_owned();
        let said = format!("No luck with {key}, that is {PLANTED}");
        match (request.prompt().as_str(), request.attempt) {
            ("Write 1", _) => Reply::error(400, "BAD_REQUEST", &said),
            ("Write 2", 1) => Reply::error(500, &said, &said).header("x-request-id", PLANTED),
            ("Write 3", _) => Reply::html(&format!("<html>{said}</html>")).status(502),
            ("A cover", _) => Reply::bytes("text/plain", said),
            (prompt, _) => Reply::chat(prompt),
        }
    })
}

#[test]
fn a_key_is_in_no_file_no_event_and_no_output() {
    let server = chatty();
    for flags in ["--events events.jsonl -v", "--events - -v", "--json", "--quiet", "--stream --progress lines"] {
        let cli = Cli::new("keys.yaml").file("keys.yaml", pipeline(&server.url)).env("TEST_KEY", PLANTED);
        let ran = flags.split(' ').fold(cli, Cli::arg).run().exit(4);
        assert_eq!(server.requests()[0].header("authorization"), Some(&*format!("Bearer {PLANTED}")), "it was sent");
        assert_nowhere(&ran);
    }
}

#[test]
fn a_refused_key_is_not_repeated() {
    let server =
        Server::start(|_| Reply::error(401, "invalid_api_key", &format!("Incorrect API key provided: {PLANTED}")));
    let cli = Cli::new("keys.yaml --events events.jsonl").file("keys.yaml", pipeline(&server.url));
    let ran = cli.env("TEST_KEY", PLANTED).run().exit(5);
    assert_nowhere(&ran);
}

#[test]
fn a_missing_key_is_told_with_the_name_of_its_variable() {
    let server = Server::start(|_| Reply::chat("Hello"));
    let ran = Cli::new("keys.yaml").file("keys.yaml", pipeline(&server.url)).run().exit(5);
    assert!(ran.stderr.contains("No key for `test`: `TEST_KEY` is not set"), "{ran:?}");
    assert_eq!(server.requests().len(), 0);
}
