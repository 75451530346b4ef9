//! Faults of every kind, drawn from prompt and attempt: all that is asked comes out, and nothing is asked too often.

use blossom_run::model::EventKind;

use crate::scene::{Ran, Scene};
use crate::support::server::{Gate, Reply, Request, Server};

const ITEMS: usize = 1000;
const ATTEMPTS: usize = 5;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    RateLimited,
    Server,
    Reset,
    Cut,
    Hang,
}

/// The last attempt of an item is never hit, so that it has to come out.
fn fault(prompt: &str, attempt: usize) -> Option<Fault> {
    let hash = blake3::hash(format!("{prompt}, attempt {attempt}").as_bytes());
    let draw = u16::from_le_bytes([hash.as_bytes()[0], hash.as_bytes()[1]]) % 100;
    match draw {
        _ if attempt >= ATTEMPTS => None,
        0..5 => Some(Fault::RateLimited),
        5..10 => Some(Fault::Server),
        10..15 => Some(Fault::Reset),
        15..20 => Some(Fault::Cut),
        20..22 => Some(Fault::Hang),
        _ => None,
    }
}

/// How many requests an item takes.
fn attempts(prompt: &str) -> usize {
    (1..=ATTEMPTS).find(|attempt| fault(prompt, *attempt).is_none()).unwrap()
}

/// Faults come before the answer and, every other time, in the middle of it.
fn faulty(request: &Request) -> Reply {
    let prompt = request.prompt();
    let whole = if request.json()["stream"] == true {
        Reply::stream(&["You said ", &prompt])
    } else {
        Reply::chat(format!("You said {prompt}"))
    };
    let middle = whole.body().len() / 2;
    let is_late = (prompt.len() + request.attempt).is_multiple_of(2);
    match fault(&prompt, request.attempt) {
        None => whole,
        Some(Fault::RateLimited) => Reply::error(429, "RATE_LIMITED", "Slow down").header("retry-after-ms", "1"),
        Some(Fault::Server) => Reply::error(500, "INTERNAL_ERROR", "Out of order"),
        Some(Fault::Reset) if is_late => whole.reset_after(middle),
        Some(Fault::Reset) => Reply::reset(),
        Some(Fault::Cut) => whole.cut_after(middle),
        Some(Fault::Hang) if is_late => whole.held_within(middle, &Gate::new()),
        Some(Fault::Hang) => Reply::never(),
    }
}

fn prompt(item: usize) -> String {
    format!("Item {item}")
}

fn assert_all_came_out(ran: &Ran, server: &Server) {
    let expected: Vec<String> = (1..=ITEMS).map(|item| format!("You said {}", prompt(item))).collect();
    assert!(ran.values("answer") == expected, "every item has its own answer, in order");
    assert_eq!(ran.counts("answer"), "1000: 1000 done");

    let mut requests = std::collections::HashMap::new();
    for request in server.requests() {
        *requests.entry(request.prompt()).or_insert(0) += 1;
    }
    for item in 1..=ITEMS {
        let prompt = prompt(item);
        // Neither more nor less: none is given up on too early, and none is sent again once it is answered.
        assert_eq!(requests[&prompt], attempts(&prompt), "{prompt}");
    }
    let dropped = ran.events.iter().filter(|kind| matches!(kind, EventKind::AttemptFailed { .. })).count();
    assert_eq!(dropped, server.requests().len() - ITEMS, "each attempt that failed is told");
}

fn scene(server: &Server, stream: bool) -> Scene {
    let clocks = if stream { "{attempt: 2s, first_token: 2s, idle: 2s}" } else { "2s" };
    let body = format!(
        "
        stages:
          answer:
            for_each: {{n: {ITEMS}}}
            text: \"Item {{{{n}}}}\"
            stream: {stream}
            concurrency: 32
            retry: {{attempts: {ATTEMPTS}, backoff: 1ms, max_backoff: 2ms}}
            timeout: {clocks}
            save: answer.jsonl
        "
    );
    Scene::new(server, &body).provider("concurrency: 32")
}

#[test]
fn the_draw_has_every_fault_and_items_that_are_hit_until_their_last_attempt() {
    let drawn = |wanted| (1..=ITEMS).filter(|item| fault(&prompt(*item), 1) == Some(wanted)).count();
    for (wanted, percent) in
        [(Fault::RateLimited, 5), (Fault::Server, 5), (Fault::Reset, 5), (Fault::Cut, 5), (Fault::Hang, 2)]
    {
        let range = percent * ITEMS / 200..=percent * ITEMS / 50;
        assert!(range.contains(&drawn(wanted)), "{wanted:?}: {}", drawn(wanted));
    }
    assert!((1..=ITEMS).any(|item| attempts(&prompt(item)) >= 4));
}

#[tokio::test]
async fn a_thousand_items_come_out_of_a_faulty_server() {
    let server = Server::start(faulty);
    let ran = scene(&server, false).run().await.is_done();
    assert_all_came_out(&ran, &server);
}

#[tokio::test]
async fn a_thousand_streamed_items_come_out_of_a_faulty_server() {
    let server = Server::start(faulty);
    let ran = scene(&server, true).run().await.is_done();
    assert_all_came_out(&ran, &server);
}
