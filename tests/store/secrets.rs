//! A key is in nothing that is written: not in outputs, events, the display, the database, its journal, or pictures.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::cli::{Cli, Ran};
use crate::desk::{Desk, files};
use crate::support::asking::PLANTED;
use crate::support::server::{Reply, Request};

/// A word that is in a prompt: the same look must find it.
const CONTROL: &str = "xylophone";

fn pipeline(kind: &str) -> String {
    r#"
name: keys
providers: {test: {kind: KIND, base_url: "SERVER", api_key: {env: TEST_KEY}}}
defaults: {provider: test, model: m, on_error: continue, retry: {attempts: 2, backoff: 1ms, max_backoff: 1ms}}
stages:
  letter: {for_each: {n: 6}, text: "Write xylophone {{n}}", save: letters.jsonl}
  cover: {for_each: {c: 2}, image: "Paint xylophone {{c}}", save: "cover-{{c}}.png"}
"#
    .replace("KIND", kind)
}

/// Says the key that it was sent wherever servers say things.
fn chatty(request: &Request) -> Reply {
    let address = format!("http://gen.example/image/x?seed=1&key={PLANTED}&model=m");
    let said = format!("You are Bearer {PLANTED}, see {address} or {}", PLANTED.to_uppercase());
    match (request.prompt().as_str(), request.attempt) {
        // In pieces, where the provider streams.
        ("Write xylophone 1", _) if request.json()["stream"] == true => {
            let pieces: Vec<String> = said.chars().map(String::from).collect();
            Reply::stream(&pieces.iter().map(String::as_str).collect::<Vec<_>>())
        }
        ("Write xylophone 1", _) => Reply::chat(&said),
        ("Write xylophone 2", 1) => Reply::error(500, PLANTED, &said).header("x-request-id", PLANTED),
        ("Write xylophone 3", _) => Reply::error(400, "BAD_REQUEST", &said).header("location", &address),
        ("Write xylophone 4", _) => Reply::html(&format!("<a href=\"{address}\">{said}</a>")).status(502),
        ("Write xylophone 5", _) => Reply::chat_ending(serde_json::json!(said), serde_json::json!("length")),
        ("Paint xylophone 1", _) => Reply::json(&serde_json::json!({"url": address, "note": said})),
        ("Paint xylophone 2", _) => Reply::picture("a picture").header("x-cache-key", &address),
        (prompt, _) => Reply::chat(prompt).header("x-request-id", PLANTED),
    }
}

/// Everything that a run has written and said.
fn everything(ran: &Ran) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = files(&ran.path("."));
    all.insert("standard output".into(), ran.stdout.clone().into_bytes());
    all.insert("standard error".into(), ran.stderr.clone().into_bytes());
    all
}

/// Where a word stands, in any case of its letters.
fn found(all: &BTreeMap<PathBuf, Vec<u8>>, word: &str) -> Vec<String> {
    let has = |bytes: &[u8]| bytes.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word.as_bytes()));
    all.iter().filter(|(_, bytes)| has(bytes)).map(|(path, _)| path.to_string_lossy().into_owned()).collect()
}

#[test]
fn a_key_is_in_nothing_that_is_written() {
    for kind in ["openai", "pollinations"] {
        for flags in ["--events events.jsonl -v", "--json", "--stream --progress lines --events -"] {
            let mut desk = Desk::answering(chatty);
            let cli = Cli::new("p.yaml").file("p.yaml", desk.file(&pipeline(kind))).env("TEST_KEY", PLANTED);
            let ran = flags.split(' ').fold(cli, Cli::arg).run().exit(4);
            let sent = desk.server.requests();
            assert!(sent.iter().all(|request| request.header("authorization").is_some_and(|it| it.contains(PLANTED))));
            assert!(sent.iter().all(|request| !request.target.contains(PLANTED)), "it is in no address");
            let all = everything(&ran);
            assert_eq!(found(&all, PLANTED), [""; 0], "{kind} {flags}");
            // Base64 is no hiding place either, nor is the name without its beginning.
            assert_eq!(found(&all, "planted_0123"), [""; 0], "{kind} {flags}");
            let control = found(&all, CONTROL);
            let is_found = |part: &str| control.iter().any(|path| path.contains(part));
            assert!(is_found("store.db") && is_found("p.yaml"), "the look finds what is there: {control:?}");
            assert!(is_found("out/letters.jsonl"), "{control:?}");

            // What is kept is said again, without the server.
            desk.asked();
            let ran = ran.again("p.yaml --events again.jsonl").run().exit(4);
            assert_eq!(found(&everything(&ran), "planted_0123"), [""; 0], "{kind} {flags}, again");
        }
    }
}

/// While a run goes on the database has a journal beside it, which a run that is killed leaves behind.
#[cfg(unix)]
#[test]
fn a_key_is_not_in_the_journal_that_a_killed_run_leaves() {
    let held = crate::support::server::Gate::new();
    let gate = held.clone();
    let desk = Desk::answering(move |request| match request.prompt().as_str() {
        "Write xylophone 6" => chatty(request).held_by(&gate),
        _ => chatty(request),
    });
    let cli = Cli::new("p.yaml --events events.jsonl").file("p.yaml", desk.file(&pipeline("openai")));
    let going = cli.env("TEST_KEY", PLANTED).start();
    let database = going.path(".blossom");
    // The one that is held, and all attempts of the others.
    desk.arrived(10);
    going.signal("KILL");
    let ran = going.wait();
    held.open();
    let all = everything(&ran);
    assert!(database.join("store.db-wal").is_file(), "{:?}", all.keys());
    assert_eq!(found(&all, "planted_0123"), [""; 0]);
    assert!(found(&all, CONTROL).iter().any(|path| path.ends_with("store.db-wal")), "{:?}", found(&all, CONTROL));
}
