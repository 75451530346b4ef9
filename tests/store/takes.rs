//! All answers of a call are kept; which of them counts is decided when it is read.

use std::path::Path;

use serde_json::json;

use crate::cli::Cli;
use crate::desk::{Desk, database};
use crate::support::server::{Reply, Request};

const LETTERS: &str = r#"
name: letters
providers: {test: {kind: openai, base_url: "SERVER"}}
defaults: {provider: test, model: m, on_error: continue}
stages:
  letter: {for_each: {name: [ann, bob]}, text: "Write to {{name}}", save: letters.jsonl}
  list: {text: "List:{{#each letter}} {{this}}{{/each}}", save: list.md}
"#;

/// How often it was asked, so that each take is told from the others.
fn numbered(request: &Request) -> Reply {
    Reply::chat(format!("{} for the {}", request.prompt(), request.attempt))
}

fn takes(store: &Path) -> Vec<(String, u32, i64)> {
    let database = database(store);
    let query = "SELECT c.stage, c.take, count(*) FROM calls c JOIN attempts a ON a.call = c.id
                 WHERE a.kind IS NULL GROUP BY c.id ORDER BY c.stage, c.id";
    let mut statement = database.prepare(query).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn another_take_is_asked_for_older_ones_stay_and_later_runs_use_the_new_one() {
    let mut desk = Desk::answering(numbered);
    let ran = Cli::new("p.yaml").file("p.yaml", desk.file(LETTERS)).run().exit(0);
    assert_eq!(desk.asked().len(), 3);
    let before = ran.read("out/letters.jsonl");

    let ran = ran.again("p.yaml --fresh=letter/ann").run().exit(0);
    assert_eq!(desk.asked(), ["List: Write to ann for the 2 Write to bob for the 1", "Write to ann"]);
    let fresh = ran.read("out/letters.jsonl");
    assert_eq!(fresh, before.replace("ann for the 1", "ann for the 2"));

    let ran = ran.again("p.yaml").run().exit(0);
    assert_eq!(desk.asked(), [""; 0]);
    assert_eq!(ran.read("out/letters.jsonl"), fresh);

    let ran = ran.again("p.yaml --fresh=letter").run().exit(0);
    assert_eq!(desk.asked().len(), 3);
    let ran = ran.again("p.yaml --fresh").run().exit(0);
    assert_eq!(desk.asked().len(), 3);
    let ran = ran.again("p.yaml").run().exit(0);
    assert_eq!(desk.asked(), [""; 0]);
    assert!(ran.read("out/letters.jsonl").contains("ann for the 4"), "{}", ran.read("out/letters.jsonl"));

    let found = takes(&ran.path(".blossom"));
    let letters = found.iter().filter(|(stage, ..)| stage == "letter");
    let mut letters: Vec<u32> = letters.map(|(_, take, _)| *take).collect();
    letters.sort_unstable();
    assert_eq!(letters, [0, 0, 1, 1, 2, 2, 3], "four takes for one, three for the other: {found:?}");
}

#[test]
fn the_seed_of_another_take_is_another() {
    let desk = Desk::answering(numbered);
    let file = desk.file(LETTERS).replace("kind: openai", "kind: pollinations");
    let ran = Cli::new("p.yaml --only letter").file("p.yaml", file).run().exit(0);
    ran.again("p.yaml --only letter --fresh").run().exit(0);
    let seeds: Vec<_> = desk.server.requests().iter().map(|request| request.json()["seed"].clone()).collect();
    assert_eq!(seeds.len(), 4);
    let different: std::collections::BTreeSet<String> = seeds.iter().map(ToString::to_string).collect();
    assert_eq!(different.len(), 4, "{seeds:?}");
}

/// What is said to an answer that holds none.
const NO_JSON: &str = "This answer can't be used: The answer holds no JSON.";

/// The first answer is JSON for one and none for the other.
fn half_json(request: &Request) -> Reply {
    match (request.prompt().as_str(), request.attempt) {
        ("Write to ann", _) => Reply::chat("[1]"),
        ("Write to bob", _) => Reply::chat("no JSON"),
        (prompt, _) if prompt.starts_with(NO_JSON) => Reply::chat("[2]"),
        (prompt, _) => Reply::chat(prompt),
    }
}

#[test]
fn json_is_turned_on_and_off_and_only_what_is_none_is_asked_again() {
    let mut desk = Desk::answering(half_json);
    let plain = desk.file(LETTERS);
    let strict = plain.replace("save: letters", "json: true, save: letters");
    let cli = Cli::new("p.yaml --only letter").file("p.yaml", &plain);
    let ran = cli.run().exit(0).again("p.yaml --only letter").file("p.yaml", &strict);
    desk.asked();
    let ran = ran.run().exit(0).again("p.yaml --only letter");
    let asked = desk.asked();
    assert!(asked.len() == 1 && asked[0].starts_with(NO_JSON), "{asked:?}");
    let ran = ran.run().exit(0).again("p.yaml --only letter").file("p.yaml", &plain);
    assert_eq!(desk.asked(), [""; 0], "the later answer passes");
    let ran = ran.run().exit(0);
    assert_eq!(desk.asked(), [""; 0]);
    assert!(ran.read("out/letters.jsonl").contains("[2]"), "the latest that passes is the one");
    let found = takes(&ran.path(".blossom"));
    assert_eq!(found, [("letter".to_owned(), 0, 1), ("letter".to_owned(), 0, 2)], "none was thrown away");
}

#[test]
fn an_answer_that_was_cut_is_written_down_and_counts_as_none() {
    let mut desk = Desk::answering(|request| match request.attempt {
        1 => Reply::chat_ending(json!("cut o"), json!("length")),
        _ => Reply::chat("whole"),
    });
    let ran = Cli::new("p.yaml --only letter").file("p.yaml", desk.file(LETTERS)).run().exit(4);
    assert_eq!(desk.asked().len(), 2);
    let ran = ran.again("p.yaml --only letter").run().exit(0);
    assert_eq!(desk.asked().len(), 2);
    let noted = "SELECT count(*) FROM attempts WHERE kind = 'length' AND failure LIKE '%cut o%' AND total_tokens = 21";
    let noted: i64 = database(&ran.path(".blossom")).query_row(noted, [], |row| row.get(0)).unwrap();
    assert_eq!(noted, 2, "its beginning and its tokens");
    ran.again("p.yaml --only letter").run().exit(0);
    assert_eq!(desk.asked(), [""; 0]);
}

#[test]
fn a_loop_that_the_request_does_not_depend_on_asks_for_each_of_its_items_once() {
    let mut desk = Desk::answering(numbered);
    let file = desk.file(LETTERS).replace("{name: [ann, bob]}", "{n: 3}").replace("Write to {{name}}", "Write");
    let ran = Cli::new("p.yaml --only letter").file("p.yaml", &file).run().exit(0);
    assert_eq!(desk.asked(), ["Write", "Write", "Write"]);
    let ran = ran.again("p.yaml --only letter").run().exit(0);
    assert_eq!(desk.asked(), [""; 0]);
    ran.again("p.yaml --only letter").file("p.yaml", file.replace("{n: 3}", "{n: 4}")).run().exit(0);
    assert_eq!(desk.asked(), ["Write"]);
}
