//! How often a call is sent, and after what pauses.

use std::sync::Arc;

use blossom_run::client::{Ask, RateGate};
use blossom_run::model::{Choice, EventKind, Failure, FailureKind, Rate, RetryPolicy};

use tokio::time::Instant;

use crate::support::{Desk, SECOND, Scripted, Step, ask, fail, reply, whole};

#[tokio::test(start_paused = true)]
async fn an_answer_comes_with_its_attempts_and_usage() {
    let provider = Arc::new(Scripted::new(|seen| match seen.number {
        1 => vec![fail(FailureKind::Server)],
        _ => vec![Step::Alive, whole("good")],
    }));
    let desk = Desk::of(&provider);
    let answer = desk.ask(&ask("a")).await.unwrap();
    assert_eq!((answer.attempts, answer.kept, answer.json), (2, false, None));
    assert_eq!((answer.reply, answer.usage), (reply("good"), reply("").usage));
}

#[tokio::test(start_paused = true)]
async fn a_rate_holds_for_further_attempts_too() {
    let provider = Arc::new(Scripted::new(|seen| match seen.number {
        1..=3 => vec![fail(FailureKind::Server)],
        _ => vec![whole("good")],
    }));
    let rate = RateGate::new(Rate { count: 1, per: 10 * SECOND });
    rate.pass().await;
    let retry = RetryPolicy { attempts: 4, backoff: SECOND / 1000, jitter: false, ..RetryPolicy::default() };
    let begun = Instant::now();
    Desk::of(&provider).ask(&Ask { rate: Some(Arc::new(rate)), retry, ..ask("a") }).await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 3 * 10);
}

#[tokio::test(start_paused = true)]
async fn what_failed_attempts_took_is_not_forgotten() {
    let took = reply("").usage;
    let provider = Arc::new(Scripted::new(move |seen| match (seen.number, seen.prompt.as_str()) {
        (1, _) => vec![Step::Fail(Failure { usage: took, ..Failure::new(FailureKind::Empty, "Nothing") })],
        (2, _) => vec![fail(FailureKind::Server)],
        (_, "good") => vec![whole("good")],
        _ => vec![Step::Fail(Failure { usage: took, ..Failure::new(FailureKind::Length, "Cut") })],
    }));
    let desk = Desk::of(&provider);
    let twice = Some(took.unwrap().plus(took.unwrap()));
    assert_eq!(desk.ask(&ask("good")).await.unwrap().usage, twice);
    assert_eq!(desk.ask(&ask("long")).await.unwrap_err().usage, twice);
    let told = desk.events().await.into_iter().filter_map(|event| match event {
        EventKind::AttemptFailed { failure, .. } => Some(failure.usage),
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), [took, None, took, None, took]);
}

#[tokio::test(start_paused = true)]
async fn three_attempts_are_three_requests_on_the_wire() {
    let provider = Arc::new(Scripted::new(|_| vec![fail(FailureKind::Connect)]));
    let desk = Desk::of(&provider);
    let unanswered = desk.ask(&ask("a")).await.unwrap_err();
    assert_eq!((unanswered.failure.kind, unanswered.attempts), (FailureKind::Connect, 3));
    assert_eq!(provider.sent().iter().map(|sent| sent.number).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(provider.times(), [0, 1000, 3000]);
    let retries: Vec<_> = desk
        .events()
        .await
        .into_iter()
        .filter_map(|event| match event {
            EventKind::AttemptFailed { attempt, retry_in, .. } => Some((attempt, retry_in)),
            _ => None,
        })
        .collect();
    assert_eq!(retries, [(1, Some(SECOND)), (2, Some(2 * SECOND)), (3, None)]);
}

#[tokio::test(start_paused = true)]
async fn jitter_draws_between_half_of_a_pause_and_all_of_it() {
    let provider = Arc::new(Scripted::new(|_| vec![fail(FailureKind::Cut)]));
    let desk = Desk::of(&provider);
    let retry = RetryPolicy { attempts: 30, factor: 1.0, ..RetryPolicy::default() };
    desk.ask(&Ask { retry, ..ask("a") }).await.unwrap_err();
    let pauses: Vec<u128> = provider.times().windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses.iter().all(|pause| (500..=1001).contains(pause)), "{pauses:?}");
    assert!(pauses.iter().any(|pause| *pause != pauses[0]), "{pauses:?}");
}

#[tokio::test(start_paused = true)]
async fn a_longer_time_that_the_server_names_is_waited() {
    let provider = Arc::new(Scripted::new(|_| {
        let failure = Failure::new(FailureKind::Server, "Busy");
        vec![Step::Fail(Failure { status: Some(500), retry_after: Some(20 * SECOND), ..failure })]
    }));
    Desk::of(&provider).ask(&ask("a")).await.unwrap_err();
    assert_eq!(provider.times(), [0, 20_000, 40_000]);
}

#[tokio::test(start_paused = true)]
async fn what_no_retry_mends_is_sent_once() {
    for kind in [FailureKind::BadRequest, FailureKind::NotFound, FailureKind::Moderated, FailureKind::ModelForbidden] {
        let provider = Arc::new(Scripted::new(move |_| vec![fail(kind)]));
        let unanswered = Desk::of(&provider).ask(&ask("a")).await.unwrap_err();
        assert_eq!((unanswered.failure.kind, provider.sent().len()), (kind, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_just_ends_was_cut() {
    let provider = Arc::new(Scripted::new(|_| vec![Step::Text("half of")]));
    let unanswered = Desk::of(&provider).ask(&ask("a")).await.unwrap_err();
    assert_eq!((unanswered.failure.kind, unanswered.attempts), (FailureKind::Cut, 3));
    assert_eq!(unanswered.failure.partial.as_deref(), Some("half of"));
}

#[tokio::test(start_paused = true)]
async fn json_is_taken_out_of_the_answer() {
    let provider = Arc::new(Scripted::new(|_| vec![whole("Sure: {\"a\": 1}")]));
    let mut asked = ask("a");
    asked.call.answer = Choice::Json;
    let answer = Desk::of(&provider).ask(&asked).await.unwrap();
    assert_eq!(answer.json, Some(serde_json::json!({"a": 1})));
}

#[tokio::test(start_paused = true)]
async fn a_whole_but_wrong_answer_is_never_asked_for_again_as_it_was() {
    let provider = Arc::new(Scripted::new(|_| vec![whole("I would rather not")]));
    let mut asked = ask("a");
    asked.terms.feedback = false;
    asked.call.answer = Choice::Json;
    let desk = Desk::of(&provider);
    let unanswered = desk.ask(&asked).await.unwrap_err();
    assert_eq!((unanswered.failure.kind, unanswered.attempts), (FailureKind::WrongAnswer, 1));
    assert_eq!(unanswered.failure.message, "The answer holds no JSON");
    assert_eq!(unanswered.failure.partial.as_deref(), Some("I would rather not"));
    assert!(unanswered.failure.suggestion.is_some());
    assert_eq!(unanswered.usage, reply("").usage);
    assert_eq!(provider.sent().len(), 1);
    assert!(matches!(desk.events().await.last(), Some(EventKind::AttemptFailed { attempt: 1, retry_in: None, .. })));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_hit_its_longest_length_has_failed() {
    let cut = || blossom_run::model::Reply { finish_reason: Some("length".into()), ..reply("Once upon a") };
    let provider = Arc::new(Scripted::new(move |_| vec![Step::Whole(cut())]));
    let unanswered = Desk::of(&provider).ask(&ask("a")).await.unwrap_err();
    assert_eq!((unanswered.failure.kind, unanswered.attempts), (FailureKind::Length, 1));
    assert!(unanswered.failure.suggestion.unwrap().contains("`max_tokens`"));
    assert_eq!(unanswered.failure.partial.as_deref(), Some("Once upon a"));
}

#[tokio::test(start_paused = true)]
async fn what_a_provider_cannot_do_is_not_sent() {
    let mut provider = Scripted::new(|_| vec![whole("x")]);
    provider.unsupported = Some(Failure::new(FailureKind::BadRequest, "It draws no pictures"));
    let provider = Arc::new(provider);
    let unanswered = Desk::of(&provider).ask(&ask("a")).await.unwrap_err();
    assert_eq!((unanswered.attempts, unanswered.to_string().as_str()), (0, "It draws no pictures"));
    assert_eq!(provider.sent(), []);
}

#[tokio::test(start_paused = true)]
async fn text_is_told_of_as_it_comes_only_where_it_is_shown() {
    for show in [true, false] {
        let steps = || vec![Step::Alive, Step::Wait(SECOND), Step::Text("Hel"), Step::Text("lo"), whole("Hello")];
        let provider = Arc::new(Scripted::new(move |_| steps()));
        let desk = Desk::of(&provider);
        desk.ask(&Ask { stream: true, show, ..ask("a") }).await.unwrap();
        assert!(provider.sent()[0].stream);
        let events = desk.events().await;
        let first = events.iter().find(|event| matches!(event, EventKind::FirstToken { .. }));
        assert!(matches!(first, Some(EventKind::FirstToken { after, attempt: 1, .. }) if *after == SECOND));
        let chunks: String = events
            .iter()
            .filter_map(|event| match event {
                EventKind::Chunk { text, .. } => Some(&**text),
                _ => None,
            })
            .collect();
        assert_eq!(chunks, if show { "Hello" } else { "" });
    }
}
