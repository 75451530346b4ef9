//! Wrong answers and fallbacks, under a clock that stands still.

use std::sync::Arc;

use blossom_run::client::{Ask, Fallback, Terms};
use blossom_run::model::{
    Budget, Check, Clocks, EventKind, FailureKind, ProviderIdentity, ProviderKind, ProviderSettings, RetryPolicy, Spent,
};
use tokio::time::Instant;

use crate::support::{Desk, DeskBuilder, Memory, SECOND, Scripted, Step, ask, fail, reply, settings, whole};

fn wanting(check: Check) -> Ask {
    Ask { terms: Terms { checks: vec![check], ..Terms::default() }, ..ask("a") }
}

fn other(provider: &str) -> Fallback {
    let identity = ProviderIdentity { kind: ProviderKind::Offline, address: provider.into() };
    Fallback { provider: provider.into(), identity, model: Some("other".into()) }
}

fn falling_back(asked: Ask, on: &[&str]) -> Ask {
    Ask { terms: Terms { fallbacks: on.iter().map(|name| other(name)).collect(), ..asked.terms }, ..asked }
}

/// A desk with providers that are called `p`, `q` and so on.
fn desk(providers: &[&Arc<Scripted>], budget: Budget) -> Desk {
    let named = ["p", "q", "r"].into_iter().zip(providers);
    let builder = named.fold(DeskBuilder::default(), |desk, (name, provider)| desk.member(settings(name), provider));
    builder.money(budget, Spent::default(), true).build()
}

#[tokio::test(start_paused = true)]
async fn a_wrong_answer_is_corrected_without_a_pause_and_every_attempt_counts() {
    let provider = Arc::new(Scripted::new(|seen| vec![whole(if seen.number == 3 { "good" } else { "bad" })]));
    let desk = Desk::of(&provider);
    let answer = desk.ask(&wanting(Check::Contains("good".into()))).await.unwrap();
    assert_eq!((answer.attempts, answer.usage.unwrap().total_tokens), (3, 9));
    assert_eq!(provider.times(), [0, 0, 0]);
    let prompts = provider.prompts();
    assert_eq!(prompts[0], "a");
    assert!(prompts[1].starts_with("This answer can't be used: The answer does not contain `good`."), "{prompts:?}");
    assert!(prompts[2].starts_with("This answer, number 2, can't be used"), "{prompts:?}");
    let failed = desk.events().await.into_iter().filter_map(|event| match event {
        EventKind::AttemptFailed { attempt, failure, retry_in, .. } => {
            Some((attempt, failure.kind, retry_in.is_some()))
        }
        _ => None,
    });
    let wrong = FailureKind::WrongAnswer;
    assert_eq!(failed.collect::<Vec<_>>(), [(1, wrong, true), (2, wrong, true)]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_attempt_after_a_wrong_answer_is_made_again_as_it_was() {
    let provider = Arc::new(Scripted::new(|seen| match seen.number {
        1 => vec![whole("bad")],
        2 => vec![fail(FailureKind::Empty)],
        _ => vec![whole("good")],
    }));
    Desk::of(&provider).ask(&wanting(Check::Contains("good".into()))).await.unwrap();
    let prompts = provider.prompts();
    assert!(prompts[1] == prompts[2] && prompts[0] != prompts[1], "{prompts:?}");
}

#[tokio::test(start_paused = true)]
async fn a_kept_answer_that_is_wrong_is_given_back() {
    let provider = Arc::new(Scripted::new(|seen| vec![whole(if seen.prompt == "a" { "bad" } else { "good" })]));
    let keep = Arc::new(Memory::default());
    let desk = DeskBuilder::default().member(settings("p"), &provider).keep(keep).build();
    assert_eq!(desk.ask(&ask("a")).await.unwrap().attempts, 1);
    let answer = desk.ask(&wanting(Check::Contains("good".into()))).await.unwrap();
    assert_eq!((answer.attempts, answer.kept), (1, false));
    assert!(provider.prompts()[1].starts_with("This answer can't be used"));
    // With no feedback it is asked again as it was.
    let terms = Terms { feedback: false, ..wanting(Check::Contains("none".into())).terms };
    desk.ask(&Ask { terms, ..ask("a") }).await.unwrap_err();
    assert_eq!(provider.prompts()[2], "a");
}

#[tokio::test(start_paused = true)]
async fn who_follows_looks_at_the_answer_on_terms_of_its_own() {
    let provider = Arc::new(Scripted::new(|seen| {
        vec![Step::Wait(SECOND), whole(if seen.prompt == "a" { "bad" } else { "good" })]
    }));
    let desk = DeskBuilder::default().member(settings("p"), &provider).keep(Arc::new(Memory::default())).build();
    let asks = [wanting(Check::Contains("bad".into())), wanting(Check::Contains("good".into())), ask("a")];
    let [bad, good, any] = &asks;
    let (bad, good, any) = tokio::join!(desk.ask(bad), desk.ask(good), desk.ask(any));
    let text = |answer: Result<blossom_run::client::Answer, _>| answer.unwrap().reply;
    assert_eq!([text(bad), text(good), text(any)], ["bad", "good", "bad"].map(reply));
    assert_eq!(provider.sent().len(), 2, "the wrong answer was given back, and not asked for again");
}

#[tokio::test(start_paused = true)]
async fn one_total_time_holds_for_all_who_are_asked() {
    let slow = || Arc::new(Scripted::new(|_| vec![Step::Wait(4 * SECOND), fail(FailureKind::Server)]));
    let (p, q, r) = (slow(), slow(), slow());
    let desk = desk(&[&p, &q, &r], Budget::default());
    let clocks = Clocks { total: Some(6 * SECOND), ..Clocks::default() };
    let retry = RetryPolicy { attempts: 1, ..RetryPolicy::default() };
    let begun = Instant::now();
    let asked = falling_back(Ask { clocks, retry, ..ask("a") }, &["q", "r"]);
    let unanswered = desk.ask(&asked).await.unwrap_err();
    assert_eq!((begun.elapsed(), unanswered.attempts), (6 * SECOND, 2));
    assert_eq!([&p, &q, &r].map(|one| one.sent().len()), [1, 1, 0]);
    assert_eq!(unanswered.failure.kind, FailureKind::Timeout);
    assert!(unanswered.failure.message.contains("(`total`)"), "{}", unanswered.failure.message);
}

#[tokio::test(start_paused = true)]
async fn what_each_came_to_is_told_once() {
    let p = Arc::new(Scripted::new(|_| vec![fail(FailureKind::Server)]));
    let q = Arc::new(Scripted::new(|_| vec![Step::Hang]));
    let narrow = ProviderSettings { concurrency: Some(1), ..settings("q") };
    let desk = DeskBuilder::default().member(settings("p"), &p).member(narrow, &q).build();
    let clocks = Clocks { total: Some(6 * SECOND), ..Clocks::default() };
    let retry = RetryPolicy { attempts: 1, ..RetryPolicy::default() };
    let asked = falling_back(Ask { clocks, retry, ..ask("a") }, &["q"]);
    // Somebody else has the only place.
    let busy = Ask { provider: "q".into(), ..ask("b") };
    let unanswered = tokio::select! {
        biased;
        _ = desk.ask(&busy) => panic!("it hangs"),
        unanswered = desk.ask(&asked) => unanswered.unwrap_err(),
    };
    assert_eq!((q.sent().len(), unanswered.attempts), (1, 1));
    assert_eq!(
        unanswered.failure.message,
        "Server; then `q/other`: No good answer within 6.0s, all attempts and pauses together (`total`)"
    );
}

#[tokio::test(start_paused = true)]
async fn one_budget_holds_for_all_who_are_asked() {
    let failing = || Arc::new(Scripted::new(|_| vec![fail(FailureKind::Server)]));
    let (p, q) = (failing(), failing());
    let desk = desk(&[&p, &q], Budget { calls: Some(4), ..Budget::default() });
    let unanswered = desk.ask(&falling_back(ask("a"), &["q"])).await.unwrap_err();
    assert_eq!((unanswered.failure.kind, unanswered.attempts), (FailureKind::BudgetUsedUp, 4));
    assert_eq!((p.sent().len(), q.sent().len()), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn numbers_of_attempts_go_on_and_the_change_is_told() {
    let (p, q) = (
        Arc::new(Scripted::new(|_| vec![fail(FailureKind::NotFound)])),
        Arc::new(Scripted::new(|_| vec![whole("good")])),
    );
    let desk = desk(&[&p, &q], Budget::default());
    let answer = desk.ask(&falling_back(ask("a"), &["q"])).await.unwrap();
    assert_eq!((answer.attempts, q.sent()[0].number), (2, 2));
    let told = desk.events().await.into_iter().filter_map(|event| match event {
        EventKind::FellBack { from, lane, .. } => Some((from.provider, lane.provider, lane.model)),
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), [("p".into(), "q".into(), Some("other".into()))]);
}

#[tokio::test(start_paused = true)]
async fn who_has_no_key_is_passed_over_and_only_if_all_are_the_call_is_blocked() {
    let (p, q) =
        (Arc::new(Scripted::new(|_| vec![])), Arc::new(Scripted::new(|_| vec![fail(FailureKind::KeyRefused)])));
    let desk = desk(&[&p, &q], Budget::default());
    let retry = RetryPolicy { attempts: 1, ..RetryPolicy::default() };
    let asked = falling_back(Ask { retry, ..ask("a") }, &["q"]);
    let failure = desk.ask(&asked).await.unwrap_err().failure;
    assert_eq!(failure.kind, FailureKind::Cut, "what failed for this item alone counts");
    assert!(failure.message.ends_with("; then `q/other`: KeyRefused"), "{}", failure.message);
}
