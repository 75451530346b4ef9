//! The same question at the same time is asked once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::{join, join_all};
use tokio::time::{Instant, sleep, timeout};

use blossom_run::client::Ask;
use blossom_run::model::{Clocks, EventKind, FailureKind, ProviderSettings, RetryPolicy, Reuse};

use crate::support::{Desk, DeskBuilder, Memory, SECOND, Scripted, Step, ask, fail, settings, whole};

fn desk(provider: &Arc<Scripted>) -> Desk {
    DeskBuilder::default().member(settings("p"), provider).keep(Arc::new(Memory::default())).build()
}

#[tokio::test(start_paused = true)]
async fn one_leads_and_the_others_get_its_answer_for_nothing() {
    let provider = Arc::new(Scripted::new(|_| vec![Step::Wait(SECOND), whole("good")]));
    let desk = desk(&provider);
    let asks = [ask("a"), ask("a"), ask("a"), ask("b")];
    let answers = join_all(asks.iter().map(|ask| desk.ask(ask))).await;
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    let told: Vec<_> = answers.iter().map(|answer| (answer.kept, answer.attempts, answer.usage.is_some())).collect();
    assert_eq!(told, [(false, 1, true), (true, 0, false), (true, 0, false), (false, 1, true)]);
    assert!(answers.iter().all(|answer| answer.reply == answers[0].reply));
    assert_eq!(provider.prompts(), ["a", "b"]);
    let reused = desk.events().await.iter().filter(|event| matches!(event, EventKind::Reused { .. })).count();
    assert_eq!(reused, 2);
}

#[tokio::test(start_paused = true)]
async fn who_follows_fails_as_who_leads_and_has_sent_nothing() {
    let provider = Arc::new(Scripted::new(|_| vec![Step::Wait(SECOND), fail(FailureKind::BadRequest)]));
    let desk = desk(&provider);
    let (first, second) = (ask("a"), ask("a"));
    let (led, followed) = join(desk.ask(&first), desk.ask(&second)).await;
    let (led, followed) = (led.unwrap_err(), followed.unwrap_err());
    assert_eq!((led.attempts, led.failure.kind), (1, FailureKind::BadRequest));
    assert_eq!((followed.attempts, followed.usage, followed.failure), (0, None, led.failure));
    assert_eq!(provider.prompts(), ["a"]);
    desk.ask(&first).await.unwrap_err();
    assert_eq!(provider.prompts(), ["a", "a"], "a failure is told to those who waited, and to nobody later");
}

#[tokio::test(start_paused = true)]
async fn where_who_leads_is_dropped_another_leads() {
    let provider = Arc::new(Scripted::new(|_| vec![Step::Wait(10 * SECOND), whole("good")]));
    let desk = desk(&provider);
    let asks = [ask("a"), ask("a"), ask("a")];
    let dropped = timeout(SECOND, desk.ask(&asks[0]));
    let (dropped, second, third) = tokio::join!(dropped, desk.ask(&asks[1]), desk.ask(&asks[2]));
    assert!(dropped.is_err(), "it was given up after a second");
    let mut attempts = [second.unwrap().attempts, third.unwrap().attempts];
    attempts.sort_unstable();
    assert_eq!(attempts, [0, 1], "one of the two has asked");
    assert_eq!(provider.times(), [0, 1000]);
}

#[tokio::test(start_paused = true)]
async fn who_follows_may_go_without_harm() {
    let provider = Arc::new(Scripted::new(|_| vec![Step::Wait(10 * SECOND), whole("good")]));
    let desk = desk(&provider);
    let asks = [ask("a"), ask("a")];
    let later = async {
        sleep(SECOND).await;
        timeout(SECOND, desk.ask(&asks[1])).await
    };
    let (led, followed) = join(desk.ask(&asks[0]), later).await;
    assert!(led.is_ok() && followed.is_err());
    assert_eq!(provider.prompts(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn who_wants_an_answer_of_its_own_is_not_joined() {
    let provider = Arc::new(Scripted::new(|_| vec![Step::Wait(SECOND), whole("good")]));
    let desk = desk(&provider);
    let mut own = ask("a");
    own.reuse = Reuse::Never;
    let (one, other) = join(desk.ask(&own), desk.ask(&own)).await;
    assert_eq!((one.unwrap().attempts, other.unwrap().attempts), (1, 1));
    assert_eq!(provider.prompts(), ["a", "a"]);
}

#[tokio::test(start_paused = true)]
async fn a_follower_is_told_only_when_the_answer_is_kept() {
    let provider = Arc::new(Scripted::new(|_| vec![whole("good")]));
    let keep = Arc::new(Memory { delay: Duration::from_secs(5), ..Memory::default() });
    let desk = DeskBuilder::default().member(settings("p"), &provider).keep(keep).build();
    let asks = [ask("a"), ask("a")];
    let begun = tokio::time::Instant::now();
    let follower = async {
        let answer = desk.ask(&asks[1]).await;
        (answer, begun.elapsed())
    };
    let (led, (other, after)) = join(desk.ask(&asks[0]), follower).await;
    assert!(led.is_ok() && other.is_ok());
    assert_eq!(after, Duration::from_secs(5));
}

fn within(total: Duration) -> Ask {
    Ask { clocks: Clocks { total: Some(total), ..Clocks::default() }, ..ask("a") }
}

#[tokio::test(start_paused = true)]
async fn who_follows_waits_no_longer_than_its_own_time() {
    let provider = Arc::new(Scripted::new(|_| vec![Step::Wait(10 * SECOND), whole("good")]));
    let desk = DeskBuilder::default()
        .member(ProviderSettings { concurrency: Some(1), ..settings("p") }, &provider)
        .keep(Arc::new(Memory::default()))
        .build();
    let begun = Instant::now();
    let timed = async |ask: Ask| (desk.ask(&ask).await, begun.elapsed());
    // Their request waits for its turn behind another one, which does not count.
    let (_, (led, _), (short, after), (long, _)) =
        tokio::join!(timed(ask("b")), timed(ask("a")), timed(within(4 * SECOND)), timed(within(30 * SECOND)));
    let short = short.unwrap_err();
    assert_eq!((short.failure.kind, short.attempts, after), (FailureKind::Timeout, 0, 14 * SECOND));
    assert!(led.is_ok() && long.is_ok_and(|answer| answer.kept));
    assert_eq!(provider.prompts(), ["b", "a"]);
}

#[tokio::test(start_paused = true)]
async fn who_follows_asks_itself_where_who_leads_was_less_patient() {
    let provider = Arc::new(Scripted::new(|seen| {
        vec![Step::Wait(SECOND), if seen.number == 2 { whole("good") } else { fail(FailureKind::Server) }]
    }));
    let desk = desk(&provider);
    let trying = |attempts| Ask { retry: RetryPolicy { attempts, ..ask("a").retry }, ..ask("a") };
    let asks = [trying(1), trying(3), trying(1), trying(3)];
    let [led, patient, like_it, another] =
        join_all(asks.iter().map(|ask| desk.ask(ask))).await.try_into().expect("four");
    assert_eq!((led.unwrap_err().attempts, like_it.unwrap_err().attempts), (1, 0));
    assert_eq!((patient.unwrap().attempts, another.unwrap().attempts), (2, 0));
    assert_eq!(provider.sent().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn who_follows_has_its_own_time_from_the_first_request_on() {
    let provider = Arc::new(Scripted::new(|_| vec![Step::Wait(1_000 * SECOND), whole("late")]));
    let desk = desk(&provider);
    let begun = Instant::now();
    let timed = async |ask: Ask| (desk.ask(&ask).await.unwrap_err(), begun.elapsed());
    let ((short, first), (long, second)) = tokio::join!(timed(within(20 * SECOND)), timed(within(30 * SECOND)));
    assert_eq!((first, second), (20 * SECOND, 30 * SECOND), "and not twenty and thirty");
    assert!(short.failure.message.contains("within 20"), "{short:?}");
    assert!(long.failure.message.contains("within 30"), "{long:?}");
    assert_eq!((short.attempts, long.attempts, provider.times()), (1, 1, vec![0, 20_000]));
}

#[tokio::test(start_paused = true)]
async fn who_joins_late_asks_itself_where_who_leads_has_no_time_left() {
    let hangs = AtomicBool::new(true);
    let provider = Arc::new(Scripted::new(move |_| {
        let wait = if hangs.swap(false, Ordering::SeqCst) { 1_000 * SECOND } else { SECOND };
        vec![Step::Wait(wait), whole("good")]
    }));
    let desk = desk(&provider);
    let (first, late, latest) = (within(30 * SECOND), within(30 * SECOND), within(30 * SECOND));
    let after = async |pause: u32, ask: &Ask| {
        sleep(pause * SECOND).await;
        desk.ask(ask).await
    };
    let (led, soon, late) = tokio::join!(desk.ask(&first), after(1, &late), after(20, &latest));
    assert_eq!(led.unwrap_err().failure.kind, FailureKind::Timeout);
    assert_eq!(soon.unwrap_err().attempts, 0, "a second is not worth a request");
    assert!(late.is_ok());
    assert_eq!(provider.times(), [0, 30_000]);
}
