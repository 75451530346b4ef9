//! How many at once, and how fast: limits of the server, the stage, the provider and the run.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use blossom_run::model::EventKind;

use crate::scene::{Ran, Scene, echo_holding};
use crate::support::server::{Gate, Reply, Request, Server};

const AT_ONCE: usize = 4;

/// A server that takes four at once and refuses all others. It answers the first only after it has refused someone, and
/// it refuses nobody before it has room again: how often it refuses depends on what is sent, and not on how fast.
fn busy() -> Server {
    let (finish, working) = mpsc::channel::<Gate>();
    let state = Arc::new(Mutex::new(Busy::default()));
    let (shared, first_refusal) = (Arc::clone(&state), Gate::new());
    let refused = first_refusal.clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(refused.passed());
        for one in working {
            // Work takes a moment; how long changes nothing of what is tested.
            std::thread::sleep(Duration::from_millis(1));
            let mut state = shared.lock().unwrap();
            state.held -= 1;
            one.open();
            state.refused.drain(..).for_each(|refusal| refusal.open());
        }
    });
    Server::start(move |request| {
        let mut state = state.lock().unwrap();
        let gate = Gate::new();
        if state.held == AT_ONCE {
            state.refused.push(gate.clone());
            first_refusal.open();
            let refusal = Reply::error(429, "QUEUE_FULL", "Too many at once").header("retry-after-ms", "2");
            return refusal.held_by(&gate);
        }
        state.held += 1;
        finish.send(gate.clone()).unwrap();
        Reply::chat(request.prompt()).held_by(&gate)
    })
}

#[derive(Default)]
struct Busy {
    held: usize,
    refused: Vec<Gate>,
}

#[tokio::test]
async fn a_server_that_takes_four_at_once_answers_all_of_five_hundred() {
    let server = busy();
    let body = "
        stages:
          answer:
            for_each: {n: 500}
            text: 'Item {{n}}'
            concurrency: 64
            retry: 3
        ";
    let ran = Scene::new(&server, body).provider("concurrency: 32").run().await.is_done();
    assert_eq!(ran.counts("answer"), "500: 500 done");
    let requests = server.requests().len();
    assert!(requests > 500, "it has refused some");
    let slowed = ran.events.iter().any(|kind| matches!(kind, EventKind::LaneSlowed { .. }));
    let opened = ran.events.iter().any(|kind| matches!(kind, EventKind::LaneOpened { .. }));
    assert!(slowed && opened, "it is told that the server was busy, and when it was no more");
    assert!((1..=500).all(|item| server.count(&format!("Item {item}")) <= 3));
}

/// A server that answers nobody until so many have come, and then everyone: the most at once is what was allowed.
fn crowd(size: usize) -> Server {
    let (gate, count) = (Gate::new(), AtomicUsize::new(0));
    Server::start(move |request| {
        if count.fetch_add(1, SeqCst) + 1 == size {
            gate.open();
        }
        Reply::chat(request.prompt()).held_by(&gate)
    })
}

const THREE_STAGES: &str = "
    stages:
      a: {for_each: {n: 10}, text: 'A {{n}}'}
      b: {for_each: {m: 10}, text: 'B {{m}}'}
      c: {for_each: {k: 10}, text: 'C {{k}}', concurrency: 3}
    ";

#[tokio::test]
async fn a_stage_sends_as_many_at_once_as_it_says() {
    let server = crowd(8 + 8 + 3);
    Scene::new(&server, THREE_STAGES).run().await.is_done();
    let of_c = server.requests().iter().take(19).filter(|request| request.prompt().starts_with('C')).count();
    assert_eq!((server.peak(), of_c), (19, 3), "eight each, and three where that is said");
}

#[tokio::test]
async fn a_provider_gets_as_many_at_once_as_it_says() {
    let server = crowd(5);
    Scene::new(&server, THREE_STAGES).provider("concurrency: 5").run().await.is_done();
    assert_eq!(server.peak(), 5);
}

#[tokio::test]
async fn a_run_sends_as_many_at_once_as_it_is_told() {
    let server = crowd(2);
    Scene::new(&server, THREE_STAGES).provider("concurrency: 5").concurrency(2).run().await.is_done();
    assert_eq!(server.peak(), 2);
}

/// The numbers of items in the order in which they were started and came back: `+` and `-`.
fn course(ran: &Ran) -> Vec<(char, u64)> {
    let steps = ran.events.iter().filter_map(|kind| match kind {
        EventKind::Started { item } => Some(('+', item.path[0])),
        EventKind::Done { item, .. } => Some(('-', item.path[0])),
        _ => None,
    });
    steps.collect()
}

#[tokio::test]
async fn a_wave_starts_when_the_one_before_is_over_as_a_whole() {
    let server = crowd(3);
    let body = "
        stages:
          answer: {for_each: {n: 10}, text: 'Item {{n}}', concurrency: 8, waves: {size: 3, pause: 1ms}}
        ";
    let ran = Scene::new(&server, body).run().await.is_done();
    assert_eq!(server.peak(), 3);
    let course = course(&ran);
    for (at, (_, item)) in course.iter().enumerate().filter(|(_, (step, _))| *step == '+') {
        let ended = course[..at].iter().filter(|(step, _)| *step == '-').count() as u64;
        assert!(ended >= item / 3 * 3, "item {item} starts after {ended} have ended: {course:?}");
    }
}

#[tokio::test]
async fn rows_behind_a_slow_item_are_held_only_so_far() {
    let gate = Gate::new();
    let server = echo_holding("Item 1", &gate);
    let body = "
        stages:
          answer: {for_each: {n: 500}, text: 'Item {{n}}', save: answer.jsonl}
        ";
    let going = Scene::new(&server, body).window(10).start();
    let told = going.told();
    let steps = async {
        // The slow one, and as many as may be open, twice: they were read before that many rows waited, or are such rows.
        told.done(10).await;
        let more = tokio::time::timeout(Duration::from_millis(300), server.arrived(22)).await;
        assert!(more.is_err(), "{} were asked", server.requests().len());
        gate.open();
    };
    let ran = going.play(steps).await.is_done();
    assert_eq!(ran.values("answer").len(), 500);
}

#[tokio::test(start_paused = true)]
async fn between_two_waves_there_is_a_pause() {
    let body = "
        stages:
          answer: {for_each: {n: 6}, text: 'Item {{n}}', waves: {size: 2, pause: 10s}}
        ";
    let ran = Scene::offline(", latency: 1s", body).run().await.is_done();
    assert_eq!(ran.took().as_secs(), 3 + 2 * 10);
}

#[tokio::test(start_paused = true)]
async fn what_a_condition_skips_takes_no_place_in_a_wave() {
    let body = "
        stages:
          answer: {for_each: {n: 20}, text: 'Item {{n}}', when: eq n 20, waves: {size: 2, pause: 10s}}
        ";
    let ran = Scene::offline(", latency: 1s", body).run().await.is_done();
    assert_eq!((ran.counts("answer").as_str(), ran.took().as_secs()), ("20: 1 done, 19 skipped", 1));
}

#[tokio::test(start_paused = true)]
async fn a_rate_spaces_the_items_of_its_stage() {
    let body = "
        stages:
          answer: {for_each: {n: 7}, text: 'Item {{n}}', rate: 30/min}
          other: {for_each: {m: 7}, text: 'Other {{m}}'}
        ";
    let ran = Scene::offline("", body).run().await.is_done();
    assert_eq!(ran.took().as_secs(), 6 * 2);
    let done = ran.events.iter().filter_map(|kind| match kind {
        EventKind::Done { item, .. } => Some(&*item.stage),
        _ => None,
    });
    let first: Vec<&str> = done.take(8).collect();
    assert_eq!(first.iter().filter(|stage| **stage == "other").count(), 7, "the other stage has no rate: {first:?}");
}

#[tokio::test(start_paused = true)]
async fn a_providers_rate_holds_for_all_stages_together() {
    let body = "
        stages:
          a: {for_each: {n: 4}, text: 'A {{n}}'}
          b: {for_each: {m: 4}, text: 'B {{m}}'}
        ";
    let ran = Scene::offline("", body).provider("rate: 1/s").run().await.is_done();
    assert_eq!(ran.took().as_secs(), 7);
}

#[tokio::test]
async fn the_models_of_one_provider_share_its_places() {
    let gate = Gate::new();
    let held = gate.clone();
    let server = Server::start(move |request| Reply::chat(request.prompt()).held_by(&held));
    let body = "
        stages:
          a: {for_each: {n: 4}, text: 'A {{n}}', model: one}
          b: {for_each: {m: 4}, text: 'B {{m}}', model: two}
        ";
    let going = Scene::new(&server, body).provider("concurrency: 2").start();
    let told = going.told();
    let steps = async {
        // All of them have asked for a place.
        told.until(8, |kind| matches!(kind, EventKind::Started { .. })).await;
        server.arrived(2).await;
        gate.open();
    };
    going.play(steps).await.is_done();
    assert_eq!(server.peak(), 2);
}

#[tokio::test]
async fn later_stages_go_first() {
    let gate = Gate::new();
    let server = echo_holding("Draft 2", &gate);
    let body = "
        stages:
          draft: {for_each: {n: 4}, text: 'Draft {{n}}'}
          polish: {for_each: n, text: 'Polish {{draft}}'}
        ";
    let going = Scene::new(&server, body).concurrency(1).start();
    let told = going.told();
    let steps = async {
        told.until(1, |kind| matches!(kind, EventKind::Started { item } if &*item.stage == "polish")).await;
        gate.open();
    };
    going.play(steps).await.is_done();
    let order: Vec<String> = server.requests().iter().map(Request::prompt).take(3).collect();
    assert_eq!(order, ["Draft 1", "Draft 2", "Polish Draft 1"], "results come early, and little is held");
}
