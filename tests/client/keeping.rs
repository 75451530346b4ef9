//! An answer is kept before it is used, and what is kept is not asked for again.

use std::sync::Arc;

use futures::future::join;
use tokio::time::Instant;

use blossom_run::client::HaltReason;
use blossom_run::model::{Choice, EventKind, Failure, FailureKind};

use crate::support::{DeskBuilder, Memory, SECOND, Scripted, Step, ask, reply, settings, whole};

#[tokio::test(start_paused = true)]
async fn a_kept_answer_needs_no_request_and_no_permit() {
    let provider = Arc::new(Scripted::new(|_| vec![Step::Hang]));
    let keep = Arc::new(Memory::default());
    let asked = ask("a");
    keep.kept.lock().unwrap().insert(asked.call.key(), reply("kept"));
    let desk = DeskBuilder::default().member(settings("p"), &provider).keep(keep).build();
    desk.halt.drain(HaltReason::Interrupted);
    let answer = desk.ask(&asked).await.unwrap();
    assert_eq!((answer.kept, answer.attempts, answer.usage, answer.reply), (true, 0, None, reply("kept")));
    assert_eq!(provider.sent(), []);
    assert_eq!(desk.events().await, [EventKind::Reused { item: asked.item, call: asked.call.key(), lane: None }]);
}

#[tokio::test(start_paused = true)]
async fn a_kept_answer_that_is_not_what_is_asked_for_now_is_asked_for_again() {
    let provider = Arc::new(Scripted::new(|_| vec![whole("[1]")]));
    let keep = Arc::new(Memory::default());
    let mut asked = ask("a");
    asked.call.answer = Choice::Json;
    keep.kept.lock().unwrap().insert(asked.call.key(), reply("no JSON"));
    let desk = DeskBuilder::default().member(settings("p"), &provider).keep(keep.clone()).build();
    let answer = desk.ask(&asked).await.unwrap();
    assert_eq!((answer.kept, answer.json), (false, Some(serde_json::json!([1]))));
    assert_eq!(keep.kept.lock().unwrap()[&asked.call.key()], reply("[1]"));
}

#[tokio::test(start_paused = true)]
async fn the_permit_is_given_back_before_the_answer_is_on_disk() {
    let mut provider = Scripted::new(|_| vec![Step::Wait(SECOND), whole("good")]);
    provider.ceiling = 1;
    let provider = Arc::new(provider);
    let keep = Arc::new(Memory { delay: 100 * SECOND, ..Memory::default() });
    let desk = DeskBuilder::default().member(settings("p"), &provider).keep(keep.clone()).build();
    let begun = Instant::now();
    let asks = [ask("a"), ask("b")];
    let (first, second) = join(desk.ask(&asks[0]), desk.ask(&asks[1])).await;
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(provider.times(), [0, 1000]);
    assert_eq!(begun.elapsed(), 102 * SECOND, "an answer is handed on when it is kept");
    assert_eq!(keep.kept.lock().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_answer_is_kept_too() {
    let provider = Arc::new(Scripted::new(|_| vec![whole("no JSON")]));
    let keep = Arc::new(Memory::default());
    let mut asked = ask("a");
    asked.call.answer = Choice::Json;
    let desk = DeskBuilder::default().member(settings("p"), &provider).keep(keep.clone()).build();
    desk.ask(&asked).await.unwrap_err();
    assert_eq!(keep.kept.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_kept_is_not_used() {
    let provider = Arc::new(Scripted::new(|_| vec![whole("good")]));
    let broken = Failure::new(FailureKind::Output, "The disk is full");
    let keep = Arc::new(Memory { broken: Some(broken.clone()), ..Memory::default() });
    let desk = DeskBuilder::default().member(settings("p"), &provider).keep(keep).build();
    let unanswered = desk.ask(&ask("a")).await.unwrap_err();
    assert_eq!((unanswered.failure, unanswered.attempts, unanswered.usage), (broken, 1, reply("").usage));
}
