//! The server's limits: respected, found, and told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use futures::future::{join, join_all};
use futures::stream::{FuturesUnordered, StreamExt};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::time::Instant;

use blossom_run::client::Ask;
use blossom_run::model::{EventKind, Failure, FailureKind, Order, ProviderSettings, Rate, RetryPolicy, Usage};

use crate::support::{Desk, DeskBuilder, SECOND, Scripted, Seen, Step, ask, fail, refused, settings, whole};

fn item(number: u64) -> Ask {
    Ask { order: Order::arrival(number), ..ask(&number.to_string()) }
}

/// A server that takes `cap` requests at once and refuses all others.
fn capped(cap: u32, latency: impl Fn(&Seen) -> Duration + Send + Sync + 'static, refusal: Duration) -> Arc<Scripted> {
    let mut provider = Scripted::new(move |seen| {
        if seen.at_once > cap {
            vec![Step::Wait(refusal), refused(None)]
        } else {
            vec![Step::Wait(latency(seen)), whole("good")]
        }
    });
    provider.ceiling = 32;
    Arc::new(provider)
}

/// How many of `count` items come out, and the most attempts that one took. `slots` are asked for at once, as a stage does.
async fn run_all(desk: &Desk, count: u64, slots: usize) -> (usize, u32) {
    let outcomes: Vec<_> = futures::stream::iter((0..count).map(item))
        .map(async |asked| desk.ask(&asked).await)
        .buffer_unordered(slots)
        .collect()
        .await;
    let most = outcomes.iter().map(|outcome| outcome.as_ref().map_or(u32::MAX, |answer| answer.attempts)).max();
    (outcomes.iter().filter(|outcome| outcome.is_ok()).count(), most.unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_four_at_once_answers_all_of_five_hundred() {
    let provider = capped(4, |_| SECOND, SECOND / 20);
    let desk = Desk::of(&provider);
    let begun = Instant::now();
    assert_eq!(run_all(&desk, 500, 500).await, (500, 2), "a burst costs an item one attempt");
    assert!(begun.elapsed() < 250 * SECOND, "four at once would take 125 s, this took {:?}", begun.elapsed());
    let report = &desk.client.lanes()[0];
    assert_eq!((report.ceiling, report.peak), (32, 32));
    assert!(report.lowest <= 4 && report.pauses > 0 && report.paused >= SECOND, "{report:?}");
}

#[test]
fn whatever_the_latencies_no_item_runs_out_of_attempts() {
    let latencies = prop::collection::vec(1_u64..20_000, 1..40);
    let mut runner = TestRunner::new(Config { cases: 24, ..Config::default() });
    runner
        .run(&(1_u32..7, latencies, 0_u64..300, 33_usize..200), |(cap, latencies, refusal, slots)| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
            runtime.unwrap().block_on(async move {
                let sent = AtomicU32::new(0);
                let latency = move |_: &Seen| {
                    let index = sent.fetch_add(1, SeqCst) as usize % latencies.len();
                    Duration::from_millis(latencies[index])
                };
                let desk = Desk::of(&capped(cap, latency, Duration::from_millis(refusal)));
                let (out, most) = run_all(&desk, 200, slots).await;
                prop_assert_eq!(out, 200);
                prop_assert!(most <= 3);
                Ok(())
            })
        })
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_counts_requests_in_a_window_answers_all() {
    // Ten in each ten seconds; a refusal says when the next ten seconds begin.
    let begun = Instant::now();
    let window = std::sync::Mutex::new((0, 0));
    let mut provider = Scripted::new(move |_| {
        let mut window = window.lock().unwrap();
        let now = begun.elapsed();
        let current = now.as_secs() / 10;
        *window = if window.0 == current { (current, window.1 + 1) } else { (current, 1) };
        let left = Duration::from_secs(10 * (current + 1)).saturating_sub(now);
        if window.1 > 10 { vec![refused(Some(left))] } else { vec![Step::Wait(SECOND), whole("good")] }
    });
    provider.ceiling = 32;
    let desk = Desk::of(&Arc::new(provider));
    assert_eq!(run_all(&desk, 300, 64).await, (300, 2));
    assert!(begun.elapsed() < 330 * SECOND, "ten in ten seconds would take 290 s, this took {:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn after_a_refusal_nothing_is_sent_for_the_time_named_then_one_probe_then_half() {
    let mut provider = Scripted::new(|seen| match (seen.prompt.as_str(), seen.number) {
        ("3", 1) => vec![refused(Some(30 * SECOND))],
        _ => vec![Step::Wait(SECOND), whole("good")],
    });
    provider.ceiling = 4;
    let provider = Arc::new(provider);
    let desk = Desk::of(&provider);
    assert_eq!(run_all(&desk, 20, 20).await.0, 20);
    let times = provider.times();
    assert_eq!(times[..4], [0; 4]);
    assert_eq!(times[4..8], [30_000, 31_000, 31_000, 32_000], "one probe, then half: {times:?}");
    let lane: Vec<String> = desk
        .events()
        .await
        .into_iter()
        .filter_map(|event| match event {
            EventKind::LaneSlowed { limit, .. } => Some(format!("slowed to {limit}")),
            EventKind::LanePaused { pause, asked, .. } => {
                Some(format!("paused for {} s, asked: {asked}", pause.as_secs()))
            }
            EventKind::LaneOpened { limit, .. } => Some(format!("opened at {limit}")),
            _ => None,
        })
        .collect();
    assert_eq!(lane, ["slowed to 2", "paused for 30 s, asked: true", "opened at 2"]);
}

#[tokio::test(start_paused = true)]
async fn a_lane_grows_by_one_for_each_full_round() {
    let first = AtomicU32::new(0);
    let mut provider = Scripted::new(move |_| {
        if first.fetch_add(1, SeqCst) == 0 { vec![refused(None)] } else { vec![Step::Wait(SECOND), whole("good")] }
    });
    provider.ceiling = 8;
    let provider = Arc::new(provider);
    let desk = Desk::of(&provider);
    run_all(&desk, 200, 200).await;
    let report = &desk.client.lanes()[0];
    assert_eq!((report.lowest, report.limit, report.ceiling), (4, 8, 8));
}

#[tokio::test(start_paused = true)]
async fn a_503_that_names_a_time_is_a_refusal_and_a_503_that_does_not_is_none() {
    for asked in [Some(7 * SECOND), None] {
        let provider = Arc::new(Scripted::new(move |seen| {
            let failure = Failure::new(FailureKind::Server, "Maintenance");
            match seen.number {
                1 => vec![Step::Fail(Failure { status: Some(503), retry_after: asked, ..failure })],
                _ => vec![whole("good")],
            }
        }));
        let desk = Desk::of(&provider);
        desk.ask(&ask("a")).await.unwrap();
        assert_eq!(provider.times()[1], asked.unwrap_or(SECOND).as_millis());
        let paused = desk.events().await.iter().any(|event| matches!(event, EventKind::LanePaused { .. }));
        assert_eq!(paused, asked.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_are_at_most_three_however_often_the_server_refuses() {
    let provider = Arc::new(Scripted::new(|_| vec![refused(None)]));
    let desk = Desk::of(&provider);
    let unanswered = desk.ask(&ask("a")).await.unwrap_err();
    assert_eq!((unanswered.failure.kind, unanswered.attempts), (FailureKind::RateLimited, 3));
    assert!(unanswered.failure.suggestion.unwrap().contains("`concurrency`"));
    assert_eq!(provider.times(), [0, 1000, 3000]);
}

#[tokio::test(start_paused = true)]
async fn no_single_item_pays_for_all_probes() {
    let begun = Instant::now();
    let provider =
        Arc::new(Scripted::new(
            move |_| {
                if begun.elapsed() < 12 * SECOND { vec![refused(None)] } else { vec![whole("good")] }
            },
        ));
    let one_at_a_time = ProviderSettings { concurrency: Some(1), ..settings("p") };
    let desk = DeskBuilder::default().member(one_at_a_time, &provider).build();
    assert_eq!(run_all(&desk, 5, 5).await, (5, 2));
    assert_eq!(provider.prompts()[..5], ["0", "1", "2", "3", "4"]);
}

#[tokio::test(start_paused = true)]
async fn permits_go_to_the_deepest_stage_first_then_to_the_earliest_item() {
    let mut provider = Scripted::new(|_| vec![Step::Wait(SECOND), whole("good")]);
    provider.ceiling = 1;
    let provider = Arc::new(provider);
    let desk = Desk::of(&provider);
    let asks: Vec<Ask> = [("first", 0, 0), ("c", 0, 2), ("b", 0, 1), ("d", 1, 9), ("a", 2, 5)]
        .into_iter()
        .map(|(prompt, depth, index)| Ask { order: Order { depth, path: [index].into() }, ..ask(prompt) })
        .collect();
    join_all(asks.iter().map(|asked| desk.ask(asked))).await;
    assert_eq!(provider.prompts(), ["first", "a", "d", "b", "c"]);
}

#[tokio::test(start_paused = true)]
async fn the_ceiling_of_a_run_holds_over_all_lanes_and_a_paused_lane_keeps_nobody_else_waiting() {
    let slow = Arc::new(Scripted::new(|seen| match seen.number {
        1 => vec![refused(Some(1000 * SECOND))],
        _ => vec![whole("good")],
    }));
    let quick = Arc::new(Scripted::new(|_| vec![Step::Wait(SECOND), whole("good")]));
    let desk = DeskBuilder::default().member(settings("p"), &slow).member(settings("q"), &quick).ceiling(2).build();
    let refused: Vec<Ask> = (0..5).map(item).collect();
    let others: Vec<Ask> = (10..16).map(|number| Ask { provider: "q".into(), ..item(number) }).collect();
    let begun = Instant::now();
    let quick_ones = async {
        join_all(others.iter().map(|asked| desk.ask(asked))).await;
        begun.elapsed()
    };
    let (_, took) = join(join_all(refused.iter().map(|asked| desk.ask(asked))), quick_ones).await;
    assert_eq!(took, 3 * SECOND, "two at once");
    assert_eq!(quick.peak.load(SeqCst), 2);
    assert_eq!(desk.client.lanes().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn precedence_holds_over_all_lanes() {
    let provider = Arc::new(Scripted::new(|_| vec![Step::Wait(SECOND), whole("good")]));
    let desk = DeskBuilder::default().member(settings("p"), &provider).ceiling(1).build();
    let mut asks: Vec<Ask> = [9, 3, 1, 2, 0].into_iter().map(item).collect();
    for (number, asked) in asks.iter_mut().enumerate() {
        asked.call.model = Some((number % 3).to_string());
    }
    join_all(asks.iter().map(|asked| desk.ask(asked))).await;
    assert_eq!(provider.prompts(), ["9", "0", "1", "2", "3"]);
}

#[tokio::test(start_paused = true)]
async fn each_model_has_a_lane_of_its_own() {
    let mut provider = Scripted::new(|_| vec![Step::Wait(SECOND), whole("good")]);
    provider.ceiling = 1;
    let provider = Arc::new(provider);
    let desk = Desk::of(&provider);
    let mut other = ask("b");
    other.call.model = Some("n".into());
    join(desk.ask(&ask("a")), desk.ask(&other)).await.0.unwrap();
    assert_eq!(provider.times(), [0, 0]);
}

/// Four questions, each of another model.
fn of_four_models() -> Vec<Ask> {
    let mut asks: Vec<Ask> = (0..4).map(item).collect();
    for (number, asked) in asks.iter_mut().enumerate() {
        asked.call.model = Some(number.to_string());
    }
    asks
}

#[tokio::test(start_paused = true)]
async fn the_concurrency_of_a_provider_holds_over_all_its_models() {
    // What the file says goes before what the service is known to take.
    for (written, over_all, times) in [
        (Some(2), None, [0, 0, 1000, 1000]),
        (None, Some(1), [0, 1000, 2000, 3000]),
        (Some(2), Some(1), [0, 0, 1000, 1000]),
        (None, None, [0, 0, 0, 0]),
    ] {
        let mut provider = Scripted::new(|_| vec![Step::Wait(SECOND), whole("good")]);
        (provider.ceiling, provider.over_all) = (1, over_all);
        let provider = Arc::new(provider);
        let settings = ProviderSettings { concurrency: written, ..settings("p") };
        let desk = DeskBuilder::default().member(settings, &provider).build();
        let asks = of_four_models();
        join_all(asks.iter().map(|asked| desk.ask(asked))).await;
        assert_eq!(provider.times(), times, "{written:?} {over_all:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn spaced_requests_of_a_service_that_takes_one_at_a_time_wait_for_the_slow_one_before() {
    let mut provider = Scripted::new(|seen| match seen.prompt.as_str() {
        "0" => vec![Step::Wait(25 * SECOND), whole("good")],
        _ => vec![Step::Wait(SECOND), whole("good")],
    });
    (provider.spacing, provider.over_all) = (Some(18 * SECOND), Some(1));
    let provider = Arc::new(provider);
    let desk = Desk::of(&provider);
    let asks = of_four_models();
    join_all(asks.iter().map(|asked| desk.ask(asked))).await;
    assert_eq!(provider.times(), [0, 25_000, 43_000, 61_000]);
}

#[tokio::test(start_paused = true)]
async fn a_question_that_is_taken_back_gives_its_place_to_the_next() {
    let mut provider = Scripted::new(|_| vec![Step::Wait(10 * SECOND), whole("good")]);
    provider.ceiling = 1;
    let provider = Arc::new(provider);
    let desk = Desk::of(&provider);
    let (on_wire, queued, last) = (item(0), item(1), item(2));
    let mut taken_back = FuturesUnordered::new();
    taken_back.push(desk.ask(&on_wire));
    taken_back.push(desk.ask(&queued));
    let all = async {
        tokio::select! {
            _ = taken_back.next() => unreachable!("nothing is answered within a second"),
            () = tokio::time::sleep(SECOND) => {}
        }
        assert_eq!(provider.at_once(), 1);
        drop(taken_back);
    };
    let ((), answer) = join(all, desk.ask(&last)).await;
    answer.unwrap();
    assert_eq!(provider.prompts(), ["0", "2"]);
    assert_eq!((provider.times(), provider.at_once()), (vec![0, 1000], 0));
}

#[tokio::test(start_paused = true)]
async fn the_rate_of_a_provider_is_kept_over_all_its_models() {
    let provider = Arc::new(Scripted::new(|_| vec![whole("good")]));
    let rate = Some(Rate { count: 2, per: SECOND });
    let desk = DeskBuilder::default().member(ProviderSettings { rate, ..settings("p") }, &provider).build();
    let mut asks: Vec<Ask> = (0..5).map(item).collect();
    asks[3].call.model = Some("n".into());
    join_all(asks.iter().map(|asked| desk.ask(asked))).await;
    assert_eq!(provider.times(), [0, 500, 1000, 1500, 2000]);
    assert_eq!(provider.prompts(), ["0", "1", "2", "3", "4"]);
}

#[tokio::test(start_paused = true)]
async fn the_spacing_that_a_service_asks_for_is_kept() {
    let mut provider = Scripted::new(|_| vec![whole("good")]);
    provider.spacing = Some(18 * SECOND);
    let provider = Arc::new(provider);
    let desk = Desk::of(&provider);
    run_all(&desk, 3, 3).await;
    assert_eq!(provider.times(), [0, 18_000, 36_000]);
}

#[tokio::test(start_paused = true)]
async fn tokens_are_reserved_when_sent_and_settled_by_what_was_used() {
    // 1,000 tokens are reserved for an answer of unknown length, and 3 are used.
    let provider = Arc::new(Scripted::new(|_| vec![Step::Wait(SECOND), whole("good")]));
    let limited = ProviderSettings { tokens_per_minute: Some(2_500), ..settings("p") };
    let desk = DeskBuilder::default().member(limited, &provider).build();
    run_all(&desk, 6, 6).await;
    assert_eq!(provider.times(), [0, 0, 1000, 1000, 2000, 2000]);
}

#[tokio::test(start_paused = true)]
async fn tokens_of_failed_attempts_are_settled_too() {
    let usage = Some(Usage { total_tokens: 3, ..Usage::default() });
    let provider = Arc::new(Scripted::new(move |_| {
        vec![Step::Wait(SECOND), Step::Fail(Failure { usage, ..Failure::new(FailureKind::Length, "Cut") })]
    }));
    let limited = ProviderSettings { tokens_per_minute: Some(2_500), ..settings("p") };
    let desk = DeskBuilder::default().member(limited, &provider).build();
    run_all(&desk, 6, 6).await;
    assert_eq!(provider.times(), [0, 0, 1000, 1000, 2000, 2000]);
}

#[tokio::test(start_paused = true)]
async fn failures_that_are_no_refusals_leave_the_lane_alone() {
    let provider = Arc::new(Scripted::new(|seen| match seen.number {
        1 => vec![fail(FailureKind::Server)],
        _ => vec![whole("good")],
    }));
    let desk = Desk::of(&provider);
    let retry = RetryPolicy { attempts: 2, ..RetryPolicy::default() };
    desk.ask(&Ask { retry, ..ask("a") }).await.unwrap();
    let report = &desk.client.lanes()[0];
    assert_eq!((report.limit, report.pauses, report.refused, report.sent), (8, 0, 0, 2));
}
