//! `fallback`: who else is asked, within one budget, and under one key.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cli::{Cli, Ran};
use crate::scene::dedent;
use crate::support::server::{Reply, Server};

/// A pipeline whose stages ask `first`, and may fall back on `second`.
fn cli(words: &str, (first, second): (&Server, &Server), body: &str) -> Cli {
    let head = format!(
        "name: show\nproviders:\n  first: {{kind: openai, base_url: \"{}\", prices: {{m: {{input: 1, output: 1}}}}}}\n  \
         second: {{kind: openai, base_url: \"{}\", prices: {{n: {{input: 100, output: 100}}}}}}\n\
         defaults: {{provider: first, model: m, retry: {{attempts: 2, backoff: 1ms, jitter: false}}, \
         fallback: [{{provider: second, model: n}}]}}\n",
        first.url, second.url
    );
    Cli::new(&format!("show.yaml {words}")).file("show.yaml", head + &dedent(body))
}

fn broken() -> Server {
    Server::start(|_| Reply::error(500, "INTERNAL", "It burns"))
}

fn echo() -> Server {
    Server::start(|request| Reply::chat(request.prompt()))
}

fn json(ran: &Ran, words: &str) -> Value {
    serde_json::from_str(&ran.then(words).run().exit(0).stdout).unwrap()
}

fn second_n() -> Value {
    serde_json::json!({"provider": "second", "model": "n"})
}

/// The `lane` of each event of a kind.
fn lanes(ran: &Ran, kind: &str) -> Vec<Value> {
    let events = ran.read("events.jsonl");
    let events = events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.filter(|event| event["event"] == kind).map(|event| event["lane"].clone()).collect()
}

const MOTTO: &str = "stages: {motto: {for_each: {n: 2}, text: 'Motto {{n}}', concurrency: 1, save: motto.jsonl}}";

#[test]
fn another_provider_answers_where_the_attempts_are_used_up() {
    let (first, second) = (broken(), echo());
    let ran = cli("-v --events events.jsonl", (&first, &second), MOTTO).run().exit(0);
    assert_eq!((first.requests().len(), second.requests().len()), (4, 2));
    assert_eq!(second.requests()[0].json()["model"], "n");
    assert!(ran.stderr.contains("\n2 answers came from a fallback: 2 of `motto`\n"), "{ran:?}");
    assert!(ran.stderr.contains("fallback: motto/1: first/m has no good answer, second/n is asked\n"), "{ran:?}");
    let events: Vec<Value> = ran.read("events.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let fell_back: Vec<&Value> = events.iter().filter(|event| event["event"] == "fell_back").collect();
    assert_eq!((fell_back.len(), &fell_back[0]["lane"]["provider"]), (2, &"second".into()));
    // Who gave it stands in the history, and the failed ones before it.
    let item = json(&ran, "runs last motto 1 --json");
    let attempts = item["attempts"].as_array().unwrap();
    let who: Vec<(&Value, &Value)> = attempts.iter().map(|one| (&one["provider"], &one["number"])).collect();
    assert_eq!(who, [(&"first".into(), &1.into()), (&"first".into(), &2.into()), (&"second".into(), &3.into())]);
    assert_eq!((&attempts[2]["asked_model"], &item["lane"]), (&"n".into(), &second_n()));
    let run = json(&ran, "runs last --json");
    assert_eq!((&run["fallbacks"], &run["stages"][0]["fallbacks"]), (&2.into(), &2.into()));
    let shown = ran.then("runs last").run().exit(0).stdout;
    let rows: Vec<Vec<&str>> = shown.lines().skip(2).map(|line| line.split("  ").map(str::trim).collect()).collect();
    let cell = rows[0].iter().filter(|cell| !cell.is_empty()).position(|cell| *cell == "from a fallback").unwrap();
    assert_eq!(rows[1].iter().filter(|cell| !cell.is_empty()).nth(cell), Some(&"2"), "{shown}");
    let shown = ran.then("runs last motto 1").run().exit(0).printed();
    assert!(shown.contains(", second/n: answered by test-model (stop)"), "{shown}");
    let done = |ran: &Ran| lanes(ran, "done");
    assert_eq!(done(&ran), [second_n(), second_n()]);
    // It is kept under the key of the first: nothing is asked again.
    let ran = ran.again("show.yaml --events events.jsonl").run().exit(0);
    assert_eq!((done(&ran), lanes(&ran, "reused")), (vec![second_n(); 2], vec![second_n(); 2]));
    assert_eq!(json(&ran, "runs last motto 1 --json")["lane"], second_n());
    let shown = ran.then("runs last").run().exit(0).stdout;
    assert!(!shown.contains("fallback"), "{shown}");
    assert_eq!((first.requests().len(), second.requests().len()), (4, 2));
    assert!(ran.stderr.contains("2 answers were there already"), "{ran:?}");
    assert!(!ran.stderr.contains("fallback"), "{ran:?}");
}

#[test]
fn who_is_refused_as_a_whole_does_not_block_the_run() {
    let first = Server::start(|_| Reply::error(401, "UNAUTHORIZED", "No such key"));
    let second = echo();
    let ran = cli("", (&first, &second), MOTTO).run().exit(0);
    assert_eq!((first.requests().len(), second.requests().len()), (1, 2), "the second item does not try");
    assert!(ran.stderr.contains("2 answers came from a fallback"), "{ran:?}");
}

#[test]
fn where_nobody_answers_all_are_named_and_the_run_is_not_blocked_unless_all_are() {
    let second = Server::start(|_| Reply::error(401, "UNAUTHORIZED", "No such key"));
    let body = MOTTO.replace("concurrency: 1", "concurrency: 1, on_error: continue");
    let ran = cli("", (&broken(), &second), &body).run().exit(4);
    assert!(ran.stderr.contains("; then `second/n`: "), "{ran:?}");
    assert!(ran.stderr.contains("It burns"), "{ran:?}");
    let first = Server::start(|_| Reply::error(401, "UNAUTHORIZED", "No such key"));
    cli("", (&first, &second), &body).run().exit(5);
}

#[test]
fn a_wrong_answer_goes_on_and_the_other_begins_anew() {
    let first = Server::start(|_| Reply::chat("no idea"));
    let second = Server::start(|_| Reply::chat("bug"));
    let body = "stages: {sort: {text: Sort it, expect: {one_of: [bug, praise]}, save: sort.txt}}";
    let ran = cli("", (&first, &second), body).run().exit(0);
    assert_eq!((first.requests().len(), ran.read("out/sort.txt").as_str()), (2, "bug\n"));
    assert_eq!(second.request().json()["messages"].as_array().unwrap().len(), 1);
}

#[test]
fn each_is_told_of_its_own_wrong_answers_by_the_next_run() {
    let first = Server::start(|request| Reply::chat(format!("no idea {}", request.number)));
    let second = Server::start(|request| match request.number {
        5.. => Reply::chat("bug"),
        number => Reply::chat(format!("perhaps {number}")),
    });
    let body = "stages: {sort: {text: Sort it, expect: {one_of: [bug, praise]}, save: sort.txt}}";
    let ran = cli("", (&first, &second), body).run().exit(4);
    let ran = ran.then("resume").run().exit(4);
    let ran = ran.again("show.yaml").run().exit(0);
    assert_eq!(ran.read("out/sort.txt"), "bug\n");
    for server in [&first, &second] {
        let requests = server.requests();
        let bodies: BTreeSet<&[u8]> = requests.iter().map(|request| &*request.body).collect();
        assert_eq!(bodies.len(), requests.len(), "a request was sent twice");
    }
    let said = |server: &Server, at: usize| -> Vec<String> {
        let json = server.requests()[at].json();
        let messages = json["messages"].as_array().unwrap().iter();
        let answers = messages.filter(|message| message["role"] == "assistant");
        answers.map(|message| message["content"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((first.requests().len(), second.requests().len()), (6, 5));
    assert_eq!(said(&second, 0), [""; 0], "it knows nothing of what the other has said");
    assert_eq!(said(&second, 2), ["perhaps 1", "perhaps 2"]);
    assert_eq!(said(&second, 4), ["perhaps 2", "perhaps 3", "perhaps 4"]);
    assert_eq!(said(&first, 4), ["no idea 2", "no idea 3", "no idea 4"]);
}

#[test]
fn models_of_one_provider_are_told_apart() {
    let server = Server::start(|request| Reply::chat(format!("{} {}", request.json()["model"], request.number)));
    let body = "stages: {sort: {text: Sort it, expect: {one_of: [bug]}, fallback: {model: other}}}";
    let ran = cli("", (&server, &server), body).run().exit(4);
    ran.then("resume").run().exit(4);
    let requests = server.requests();
    let bodies: BTreeSet<&[u8]> = requests.iter().map(|request| &*request.body).collect();
    assert_eq!((requests.len(), bodies.len()), (8, 8), "a request was sent twice");
    let of = |at: usize| requests[at].json()["messages"][1]["content"].as_str().unwrap().to_owned();
    assert_eq!((of(4), of(6)), ("\"m\" 1".to_owned(), "\"other\" 3".to_owned()));
}

#[test]
fn an_answer_that_hit_its_limit_is_asked_of_nobody_else() {
    let first = Server::start(|_| Reply::chat_ending("half".into(), "length".into()));
    let second = echo();
    cli("", (&first, &second), "stages: {a: {text: Write, max_tokens: 9}}").run().exit(4);
    assert_eq!((first.requests().len(), second.requests().len()), (1, 0));
}

#[test]
fn one_budget_holds_for_all() {
    let (first, second) = (Server::start(|_| Reply::chat("no idea")), echo());
    let body = "stages: {sort: {text: Sort it, max_tokens: 10, expect: {one_of: [bug]}}}";
    let ran = cli("--max-cost 0.005", (&first, &second), body).run().exit(5);
    assert_eq!((first.requests().len(), second.requests().len()), (2, 0), "the dear one does not fit");
    assert!(ran.stderr.contains("is used up"), "{ran:?}");
}

#[test]
fn a_plan_has_it_in_the_most_alone() {
    let (first, second) = (echo(), echo());
    let body = "stages: {a: {text: Write, max_tokens: 10}}";
    let plan = |body: &str, words: &str| {
        let ran = cli("", (&first, &second), body);
        let ran = ran.run().exit(0);
        json(&ran, &format!("plan show.yaml --json --fresh {words}"))
    };
    let with = plan(body, "");
    let without = plan(body, "--offline");
    assert_eq!((&with["stages"][0]["calls"]["least"], &with["stages"][0]["calls"]["most"]), (&1.into(), &2.into()));
    assert_eq!(without["stages"][0]["calls"]["most"], 1);
    let cost = |of: &str| with["stages"][0]["cost"][of]["usd"].as_f64().unwrap();
    assert!(cost("high") > 50.0 * cost("expected"), "{with}");
    assert!(with["notes"].to_string().contains("a call to each `fallback` of `a`"), "{with}");
    assert_eq!((first.requests().len(), second.requests().len()), (2, 0));
}

#[test]
fn whoever_is_asked_before_a_fallback_and_has_no_key_is_told_when_the_run_begins() {
    let (first, second) = (echo(), echo());
    let body = MOTTO.replace("save:", "provider: pollinations, model: openai, save:");
    let ran = cli("", (&first, &second), &body).run().exit(0);
    let told = "warning: `motto` can't ask `pollinations`, and falls back on others. No key for `pollinations`: neither \
                `POLLINATIONS_API_KEY` nor `BLOSSOM_API_KEY` is set";
    assert!(ran.stderr.contains(told), "{ran:?}");
    assert_eq!((first.requests().len(), second.requests().len()), (0, 2));
}

#[test]
fn a_model_that_was_not_asked_is_said_to_have_answered_nothing() {
    let refused = || Server::start(|_| Reply::error(401, "UNAUTHORIZED", "Who are you?"));
    let (first, second) = (refused(), refused());
    let body = MOTTO.replace("save:", "fallback: [{model: other}, {provider: second, model: n}], save:");
    let ran = cli("", (&first, &second), &body).run().exit(5);
    assert_eq!((first.requests().len(), second.requests().len()), (1, 1));
    assert!(ran.stderr.contains("`first` answers 401: Who are you?; then `second/n`: `second` answers 401"), "{ran:?}");
}

#[test]
fn a_fallback_without_a_key_is_told_when_the_run_begins() {
    let (first, second) = (echo(), echo());
    let body = MOTTO.replace("save:", "fallback: {provider: pollinations, model: openai}, save:");
    let ran = cli("", (&first, &second), &body).run().exit(0);
    let told = "warning: `motto` can't fall back on `pollinations`. No key for `pollinations`: neither \
                `POLLINATIONS_API_KEY` nor `BLOSSOM_API_KEY` is set";
    assert!(ran.stderr.contains(told), "{ran:?}");
}
