//! `kill -9` at random moments: nothing that was kept is asked for again, and the end is that of a run that was left
//! alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::cli::Ran;
use crate::desk::{DIGEST, Desk, answer, assert_whole, kept, out, rows};
use crate::support::server::{Reply, Request};

const ITEMS: usize = 40;
const KILLS: usize = 8;

#[test]
fn whatever_was_kept_before_a_kill_is_not_asked_for_again() {
    for seed in [1, 2] {
        killed(seed, answer);
    }
}

/// Some answers come at the second attempt only: what was noted of the first is no answer.
#[test]
fn requests_that_failed_before_a_kill_are_no_answers() {
    killed(3, |request| match request.number % 7 {
        0 => Reply::error(500, "INTERNAL", "Not now"),
        _ => answer(request),
    });
}

fn killed(seed: u64, handler: impl Fn(&Request) -> Reply + Clone + Send + Sync + 'static) {
    let pipeline = DIGEST.replace("model: m,", "model: m, retry: {attempts: 9, backoff: 1ms, max_backoff: 1ms},");
    let left_alone = Desk::new();
    let whole = out(&left_alone.cli(&pipeline, &rows(ITEMS)).run().exit(0));
    assert_eq!(whole.len(), ITEMS + 2);

    let mut random = fastrand::Rng::with_seed(seed);
    let mut desk = Desk::answering(handler);
    let mut ran: Option<Ran> = None;
    let mut asked: BTreeMap<String, usize> = BTreeMap::new();
    let (mut requests, mut in_flight) = (0, 0);
    for _ in 0..KILLS {
        let cli = match ran.take() {
            Some(ran) => ran.again("p.yaml"),
            None => desk.cli(&pipeline, &rows(ITEMS)),
        };
        let store = cli.path(".blossom");
        let kept_before = kept(&store);
        let going = cli.start();
        // A moment is tied to what has arrived, and none is before the first request: that is start-up alone.
        desk.arrived(requests + random.usize(1..=15));
        going.signal("KILL");
        let died = going.wait();
        assert_eq!(died.code, 128 + 9, "{}", died.stderr);
        requests = desk.server.requests().len();
        let prompts = desk.asked();
        assert_none_again(&prompts, &kept_before);
        let kept_now = kept(&store);
        assert!(kept_before.is_subset(&kept_now), "an answer was lost");
        in_flight += prompts.iter().filter(|prompt| !kept_now.contains(*prompt)).count();
        for prompt in prompts {
            *asked.entry(prompt).or_default() += 1;
        }
        assert_whole(&store);
        ran = Some(died);
    }
    let ran = ran.unwrap();
    let kept_before = kept(&ran.path(".blossom"));
    assert!(!kept_before.is_empty(), "something was kept before the kills");
    let ran = ran.again("p.yaml").run().exit(0);
    let prompts = desk.asked();
    assert_none_again(&prompts, &kept_before);
    for prompt in prompts {
        *asked.entry(prompt).or_default() += 1;
    }
    assert_eq!(out(&ran), whole, "byte for byte what a run makes that is left alone");
    let all: usize = asked.values().sum();
    assert_eq!(asked.len(), 3 * ITEMS + 1, "each call was made");
    // What was on the wire at a kill, or answered with an error before it, is all that is asked again.
    assert!(all - asked.len() <= in_flight + failures(&desk), "{all} requests for {} calls, {in_flight}", asked.len());
    ran.again("p.yaml").run().exit(0);
    assert_eq!(desk.asked(), [""; 0], "and then nothing is left to ask");
}

fn failures(desk: &Desk) -> usize {
    desk.server.requests().len() / 7
}

fn assert_none_again(prompts: &[String], kept: &BTreeSet<String>) {
    let again: Vec<&String> = prompts.iter().filter(|prompt| kept.contains(*prompt)).collect();
    assert!(again.is_empty(), "kept, and asked for again: {again:?}");
}
