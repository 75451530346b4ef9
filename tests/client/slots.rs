//! A slot of a stage is held by an item that sends, and by nobody who waits for something else.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use futures::future::{join, join_all};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use blossom_run::client::{Answer, Ask, Slot, Terms, Unanswered};
use blossom_run::model::Choice;

use crate::support::{Desk, DeskBuilder, Memory, SECOND, Scripted, Step, ask, settings, whole};

fn desk(provider: &Arc<Scripted>, keep: Memory) -> Desk {
    DeskBuilder::default().member(settings("p"), provider).keep(Arc::new(keep)).build()
}

/// Asks once there is a slot, as an item of a stage does.
async fn with_slot(desk: &Desk, slots: &Arc<Semaphore>, ask: Ask) -> Result<Answer, Unanswered> {
    let slot = Arc::new(Slot::new(Arc::clone(slots).acquire_owned().await.unwrap()));
    desk.ask(&Ask { slot: Some(slot), ..ask }).await
}

/// A question whose answer must be JSON, and that says what is wrong with one that is not.
fn particular(prompt: &str) -> Ask {
    let mut ask = ask(prompt);
    ask.call.answer = Choice::Json;
    Ask { terms: Terms { feedback: true, ..Terms::default() }, ..ask }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_waits_for_the_disk_keeps_nobody_from_sending() {
    let provider = Arc::new(Scripted::new(|_| vec![Step::Wait(SECOND), whole("good")]));
    let desk = desk(&provider, Memory { delay: 100 * SECOND, ..Memory::default() });
    let slots = Arc::new(Semaphore::new(1));
    let asks = ["a", "b", "c"].map(|prompt| with_slot(&desk, &slots, ask(prompt)));
    assert!(join_all(asks).await.iter().all(Result::is_ok));
    assert_eq!(provider.times(), [0, 1000, 2000]);
    assert_eq!(slots.available_permits(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_again_after_a_wrong_answer_needs_a_slot_again() {
    let provider = Arc::new(Scripted::new(|seen| match (&*seen.prompt, seen.number) {
        ("long", _) => vec![Step::Wait(10 * SECOND), whole("good")],
        (_, 1) => vec![Step::Wait(SECOND), whole("no JSON")],
        _ => vec![Step::Wait(SECOND), whole("[1]")],
    }));
    let desk = desk(&provider, Memory::default());
    let slots = Arc::new(Semaphore::new(1));
    let (wrong, long) =
        join(with_slot(&desk, &slots, particular("wrong")), with_slot(&desk, &slots, ask("long"))).await;
    assert_eq!((wrong.unwrap().attempts, long.unwrap().attempts), (2, 1));
    assert_eq!(provider.times(), [0, 1000, 11_000]);
    assert_eq!(provider.peak.load(SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_the_answer_of_another_leaves_it_the_slot() {
    let provider = Arc::new(Scripted::new(|seen| match seen.number {
        1 => vec![Step::Wait(SECOND), whole("no JSON")],
        _ => vec![Step::Wait(SECOND), whole("[1]")],
    }));
    let desk = desk(&provider, Memory { delay: SECOND, ..Memory::default() });
    let slots = Arc::new(Semaphore::new(1));
    let asks = join_all((0..3).map(|_| with_slot(&desk, &slots, particular("same"))));
    let answers = timeout(100 * SECOND, asks).await.expect("nobody waits for ever");
    let attempts: Vec<u32> = answers.into_iter().map(|answer| answer.unwrap().attempts).collect();
    assert_eq!(attempts, [2, 0, 0]);
    assert_eq!(provider.times(), [0, 2000]);
}
