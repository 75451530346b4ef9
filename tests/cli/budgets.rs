//! What a run costs and what it may take, with a service.

use serde_json::json;

use crate::service::server::{Reply, Server};
use crate::support::{Cli, Ran};

/// A service that answers chats, and has the model list of Pollinations.
fn service() -> Server {
    let pricing = json!({"currency": "pollen", "promptTextTokens": "0.001", "completionTextTokens": "0.002"});
    let list = json!([{"name": "listed", "aliases": ["short"], "pricing": pricing}, {"name": "mute"}]);
    Server::start(move |request| match request.path.as_str() {
        "/models" | "/text/models" | "/image/models" => Reply::json(&list),
        _ => Reply::chat("A motto"),
    })
}

/// A pipeline of ten calls, of a provider of this kind.
fn run(server: &Server, kind: &str, model: &str, flags: &str) -> Ran {
    run_at(&server.url, kind, model, flags)
}

fn run_at(url: &str, kind: &str, model: &str, flags: &str) -> Ran {
    let command = format!("a.yaml --progress none {flags}");
    Cli::new(&command).file("a.yaml", pipeline(url, kind, model)).env("HOUSE_KEY", "a-key-of-the-house").run()
}

fn pipeline(url: &str, kind: &str, model: &str) -> String {
    format!(
        "name: mottos\nproviders:\n  house:\n    kind: {kind}\n    base_url: \"{url}\"\n    api_key: {{env: HOUSE_KEY}}\n    \
         prices: {{small: {{input: 100, output: 1000}}}}\ndefaults: {{provider: house, concurrency: 4, retry: {{backoff: 1ms, max_backoff: 1ms}}}}\n\
         stages:\n  motto: {{for_each: {{n: 10}}, text: \"Motto {{{{n}}}}\", model: {model}, max_tokens: 20}}\n",
    )
}

fn chats(server: &Server) -> usize {
    server.requests().iter().filter(|request| request.path.ends_with("/chat/completions")).count()
}

#[test]
fn a_run_says_what_it_has_cost() {
    let server = service();
    let ran = run(&server, "openai", "small", "--json").exit(0);
    // Ten times nine tokens in and twelve out.
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["stages"][0]["cost"], json!({"usd": 0.129}));
    assert!(ran.stderr.contains("  $0.129 "), "{ran:?}");
}

#[test]
fn a_budget_is_not_overshot_and_the_run_says_how_to_go_on() {
    let server = service();
    let ran = run(&server, "openai", "small", "--max-cost 0.08").exit(5);
    let sent = chats(&server);
    assert!((1..=6).contains(&sent), "each costs $0.0129, and could cost more: {sent}");
    assert!(ran.stderr.contains("The budget of $0.08 is used up: "), "{ran:?}");
    assert!(
        ran.stderr
            .contains("  run it again with a higher `budget` or `--max-cost`; it goes on from there\n  or go on with"),
        "{ran:?}"
    );
    run(&service(), "openai", "small", "--max-calls 10").exit(0);
}

#[test]
fn a_run_that_was_stopped_says_what_is_left_to_do_and_what_that_costs() {
    let ran = run(&service(), "openai", "small", "--max-calls 4").exit(5);
    let left = "  left to do: 6 calls, $0.085\n";
    assert!(ran.stderr.contains(&format!("\nWhat to do\n{left}  run it again with a higher `budget`")), "{ran:?}");
    let ran = run(&service(), "openai", "small", "--max-calls 4 -q").exit(5);
    assert!(ran.stderr.ends_with(&left[2..]), "{ran:?}");
    let ran = run(&service(), "openai", "small", "--max-calls 4 --fresh").exit(5);
    assert!(!ran.stderr.contains("left to do"), "what is kept is to be made anew, so nobody can tell: {ran:?}");
}

#[test]
fn a_run_whose_time_is_up_says_what_is_left_to_do() {
    let server = Server::start(|_| Reply::never());
    let pipeline = format!(
        "name: mottos\nproviders: {{house: {{kind: openai, base_url: \"{}\"}}}}\n\
         defaults: {{provider: house, model: small, concurrency: 4, timeout: 1s, retry: {{attempts: 1}}}}\n\
         stages:\n  motto: {{for_each: {{n: 10}}, text: \"Motto {{{{n}}}}\"}}\n",
        server.url
    );
    let ran = Cli::new("a.yaml --deadline 300ms").file("a.yaml", pipeline).run().exit(5);
    assert!(ran.stderr.contains("  left to do: 10 calls, "), "{ran:?}");
}

#[test]
fn a_run_without_prices_does_not_begin_where_the_cost_is_limited() {
    let server = service();
    run(&server, "openai", "other", "--max-cost 1").exit(5).stdout("").stderr(
        "error: `motto`: `other` of `house` has no known price, and the cost of this run is limited\n  \
         help: give its price in the file, `providers: {house: {prices: {other: {..}}}}`, or let it through with \
         `--allow-unpriced`\n",
    );
    assert_eq!(chats(&server), 0);
    let ran = run(&server, "openai", "other", "--max-cost 1 --allow-unpriced --json").exit(0);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["stages"][0]["cost"], json!({"unpriced": 10}));
}

#[test]
fn prices_of_a_list_count_and_it_is_read_only_where_they_are_needed() {
    let server = service();
    run(&server, "pollinations", "short", "").exit(0);
    assert_eq!(server.requests().len(), chats(&server), "nobody has asked for a list");
    let ran = run(&server, "pollinations", "short", "--max-cost 5 --json").exit(0);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["stages"][0]["cost"], json!({"pollen": 0.33}));
    let ran = run(&server, "pollinations", "mute", "--max-cost 5").exit(5);
    assert!(ran.stderr.contains("`mute` of `house` has no known price"), "{ran:?}");
}

#[test]
fn a_plan_knows_the_prices_that_a_service_lists() {
    let server = service();
    let cli = |words: &str, kind| Cli::new(words).file("a.yaml", pipeline(&server.url, kind, "short"));
    let plan = cli("plan a.yaml --json", "pollinations").run().exit(0).stderr("");
    let document: serde_json::Value = serde_json::from_str(&plan.stdout).unwrap();
    // Ten answers of two tokens at least, and of twenty at most.
    let cost = |part: &str| document["total"]["cost"][part]["pollen"].as_f64().unwrap();
    assert!((cost("high") - cost("low") - 0.36).abs() < 1e-9, "{document}");
    let asked = server.requests();
    assert!(asked.iter().all(|request| request.path.ends_with("/models")), "the lists are all that is asked for");
    cli("plan a.yaml", "openai").run().exit(0);
    assert_eq!(server.requests().len(), asked.len());
}

#[test]
fn a_list_that_can_not_be_read_is_told() {
    let server = Server::start(|request| match request.path.as_str() {
        path if path.ends_with("/chat/completions") => Reply::chat("A motto"),
        _ => Reply::error(500, "INTERNAL_ERROR", "Something broke"),
    });
    let ran = run(&server, "pollinations", "listed", "--max-cost 5 --allow-unpriced").exit(0);
    assert!(
        ran.stderr.contains("the prices of `house` are not known, since its list of models can't be read"),
        "{ran:?}"
    );
}

#[test]
fn the_list_of_models_has_prices() {
    let server = service();
    let pipeline = format!(
        "name: a\nproviders: {{house: {{kind: pollinations, base_url: \"{}\"}}}}\nstages: {{a: {{render: b}}}}\n",
        server.url
    );
    let ran = Cli::new("models a.yaml").file("a.yaml", pipeline).run().exit(0);
    assert!(ran.stdout.contains("1000 pollen in, 2000 pollen out"), "{ran:?}");
}

#[test]
fn a_request_that_found_no_connection_costs_nothing() {
    let ran = run_at("http://127.0.0.1:1/v1", "openai", "small", "--max-cost 0.03 --json").exit(4);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["stages"][0]["cost"], json!(null), "{ran:?}");
    assert!(!ran.stderr.contains("budget"), "{ran:?}");
}
