//! How calls end before their end: the run is halted, or the provider blocks.

use std::sync::Arc;

use futures::future::{join, join_all, join3};
use tokio::time::{Instant, sleep};

use blossom_run::client::{Ask, HaltReason};
use blossom_run::model::{Choice, EventKind, FailureKind, KeySource, ProviderSettings};

use crate::support::{Desk, DeskBuilder, SECOND, Scripted, Step, ask, fail, settings, whole};

fn one_at_a_time(script: impl Fn(&crate::support::Seen) -> Vec<Step> + Send + Sync + 'static) -> Arc<Scripted> {
    let mut provider = Scripted::new(script);
    provider.ceiling = 1;
    Arc::new(provider)
}

#[tokio::test(start_paused = true)]
async fn draining_lets_the_wire_finish_and_sends_nothing_new() {
    let provider = one_at_a_time(|_| vec![Step::Wait(10 * SECOND), whole("good")]);
    let desk = Desk::of(&provider);
    let begun = Instant::now();
    let drain = async {
        sleep(SECOND).await;
        desk.halt.drain(HaltReason::Interrupted);
    };
    let queued = async { (desk.ask(&ask("b")).await, begun.elapsed()) };
    let asked = ask("a");
    let (on_wire, (queued, waited), ()) = join3(desk.ask(&asked), queued, drain).await;
    assert!(on_wire.is_ok());
    let queued = queued.unwrap_err();
    assert_eq!((queued.failure.kind, queued.attempts, waited), (FailureKind::Interrupted, 0, SECOND));
    assert_eq!(queued.failure.message, "Not sent: the run was interrupted");
    assert_eq!(desk.ask(&ask("c")).await.unwrap_err().failure.kind, FailureKind::Interrupted);
    assert_eq!(provider.prompts(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn draining_ends_the_pause_before_the_next_attempt() {
    let provider = Arc::new(Scripted::new(|_| vec![fail(FailureKind::Server)]));
    let desk = Desk::of(&provider);
    let begun = Instant::now();
    let drain = async {
        sleep(SECOND / 2).await;
        desk.halt.drain(HaltReason::Stopped("an item has failed".into()));
    };
    let asked = ask("a");
    let (unanswered, ()) = join(desk.ask(&asked), drain).await;
    let unanswered = unanswered.unwrap_err();
    assert_eq!((unanswered.failure.kind, unanswered.attempts), (FailureKind::Interrupted, 1));
    assert_eq!(unanswered.failure.message, "Not sent: an item has failed; the last attempt: Server");
    assert_eq!(begun.elapsed(), SECOND / 2);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_fails_while_draining_is_not_made_again() {
    let provider = Arc::new(Scripted::new(|_| vec![Step::Wait(SECOND), fail(FailureKind::Server)]));
    let desk = Desk::of(&provider);
    let drain = async { desk.halt.drain(HaltReason::Terminated) };
    let asked = ask("a");
    let (unanswered, ()) = join(desk.ask(&asked), drain).await;
    assert_eq!(unanswered.unwrap_err().attempts, 1);
    let events = desk.events().await;
    assert!(matches!(events.last(), Some(EventKind::AttemptFailed { retry_in: None, .. })), "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn aborting_drops_what_is_on_the_wire() {
    let provider = Arc::new(Scripted::new(|_| vec![Step::Hang]));
    let desk = Desk::of(&provider);
    let abort = async {
        sleep(SECOND).await;
        desk.halt.abort(HaltReason::Interrupted);
    };
    let asked = ask("a");
    let (unanswered, ()) = join(desk.ask(&asked), abort).await;
    let unanswered = unanswered.unwrap_err();
    assert_eq!((unanswered.failure.kind, unanswered.attempts), (FailureKind::Interrupted, 1));
    assert_eq!(provider.at_once(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_blocked_provider_is_not_asked_again_and_others_are() {
    let broke = one_at_a_time(|_| vec![Step::Wait(SECOND), fail(FailureKind::BalanceGone)]);
    let other = Arc::new(Scripted::new(|_| vec![whole("good")]));
    let desk = DeskBuilder::default().member(settings("p"), &broke).member(settings("q"), &other).build();
    let asks = ["a", "b", "c"].map(ask);
    let begun = Instant::now();
    let outcomes = join_all(asks.iter().map(|asked| desk.ask(asked))).await;
    assert_eq!(begun.elapsed(), SECOND);
    let ends: Vec<_> = outcomes.into_iter().map(|outcome| outcome.unwrap_err()).collect();
    assert!(ends.iter().all(|end| end.failure == ends[0].failure && end.failure.kind == FailureKind::BalanceGone));
    assert_eq!(ends.iter().map(|end| end.attempts).collect::<Vec<_>>(), [1, 0, 0]);
    assert_eq!(desk.ask(&ask("d")).await.unwrap_err().failure, ends[0].failure);
    assert_eq!(broke.sent().len(), 1);
    assert!(desk.ask(&Ask { provider: "q".into(), ..ask("a") }).await.is_ok());
}

fn with_key() -> ProviderSettings {
    ProviderSettings { key: KeySource::Env(vec!["MY_KEY".into()]), ..settings("p") }
}

#[tokio::test(start_paused = true)]
async fn a_missing_key_blocks_before_anything_is_sent() {
    let provider = Arc::new(Scripted::new(|_| vec![whole("good")]));
    let desk = DeskBuilder::default().member(with_key(), &provider).build();
    for _ in 0..2 {
        let unanswered = desk.ask(&ask("a")).await.unwrap_err();
        assert_eq!((unanswered.failure.kind, unanswered.attempts), (FailureKind::KeyMissing, 0));
        assert_eq!(unanswered.failure.message, "No key for `p`: `MY_KEY` is not set");
    }
    assert_eq!(provider.sent(), []);
}

#[tokio::test(start_paused = true)]
async fn a_key_is_sent_and_shown_nowhere() {
    let provider = Arc::new(Scripted::new(|seen| match seen.number {
        1 => vec![fail(FailureKind::Server)],
        _ => vec![whole("good")],
    }));
    let secret = "sk_planted...key";
    let desk = DeskBuilder::default().member(with_key(), &provider).variable("MY_KEY", secret).build();
    let answers = [desk.ask(&ask("a")).await, desk.ask(&ask("b")).await];
    assert!(provider.sent().iter().all(|sent| sent.secret.as_deref() == Some(secret)));
    let shown = format!("{:?} {answers:?}", desk.client);
    let events = desk.events().await;
    let warnings = events.iter().filter(|event| matches!(event, EventKind::Warning { .. })).count();
    assert_eq!(warnings, 1, "a shortened key is warned about once");
    assert!(!format!("{shown} {events:?}").contains("planted"));
}

/// What is heard before a clock runs out, and what is whole and wrong, goes into failures: the model may have been told
/// a secret, or the server repeats what it was sent.
#[tokio::test(start_paused = true)]
async fn a_secret_that_an_answer_repeats_is_in_no_failure() {
    const ECHO: &str = "I was sent sk_planted_0123456789 and Planted-Header, in base64 c2tfcGxhbnRlZF8wMTIzNDU2Nzg5";
    let provider = Arc::new(Scripted::new(|seen| match seen.prompt.as_str() {
        "stalls" => vec![Step::Text(ECHO), Step::Hang],
        "breaks" => vec![Step::Text(ECHO), fail(FailureKind::Cut)],
        _ => vec![whole(ECHO)],
    }));
    let mut settings = with_key();
    settings.headers.insert("x-team".into(), "planted-header".into());
    let desk = DeskBuilder::default().member(settings, &provider).variable("MY_KEY", "sk_planted_0123456789").build();
    for prompt in ["stalls", "breaks", "wrong"] {
        let mut asked = Ask { stream: prompt != "wrong", ..ask(prompt) };
        asked.call.answer = Choice::Json;
        let failure = desk.ask(&asked).await.unwrap_err().failure;
        let shown = failure.partial.clone().expect("what was heard");
        assert_eq!(shown, "I was sent [key] and [key], in base64 [key]", "{failure:?}");
    }
    let events = format!("{:?}", desk.events().await).to_lowercase();
    assert!(events.contains("[key]") && !events.contains("planted") && !events.contains("c2tfcgxh"), "{events}");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_nobody_knows_is_a_fault_of_the_program() {
    let desk = DeskBuilder::default().build();
    assert_eq!(desk.ask(&ask("a")).await.unwrap_err().failure.kind, FailureKind::Internal);
}
