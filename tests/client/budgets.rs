//! A budget is hard, however many ask at once, and what is spent is told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use futures::future::{join, join_all};
use tokio::time::sleep;

use blossom_run::client::{Ask, HaltReason};
use blossom_run::model::{
    Amount, Budget, BudgetPart, Cost, Currency, EventKind, FailureKind, Price, ProviderSettings, Reply, Request, Spent,
};

use crate::support::{Desk, DeskBuilder, SECOND, Scripted, Step, ask, fail, refused, reply, settings, whole};

/// A dollar for a million tokens of either kind.
fn priced(name: &str) -> ProviderSettings {
    let dollar: Option<Amount> = Some("1".parse().unwrap());
    let price = Price { currency: Currency::Usd, input: dollar, output: dollar, ..Price::default() };
    ProviderSettings { prices: BTreeMap::from([("m".to_owned(), price)]), ..settings(name) }
}

/// A question whose answer has an end.
fn short(prompt: &str, max_tokens: u64) -> Ask {
    let mut asked = ask(prompt);
    if let Request::Text { params, .. } = &mut asked.call.request {
        params.max_tokens = Some(max_tokens);
    }
    asked
}

fn desk(provider: &Arc<Scripted>, budget: Budget) -> Desk {
    DeskBuilder::default().member(priced("p"), provider).money(budget, Spent::default(), false).build()
}

fn tokens(limit: u64) -> Budget {
    Budget { tokens: Some(limit), ..Budget::default() }
}

fn cost(limit: &str) -> Budget {
    Budget { cost: Some(limit.parse().unwrap()), ..Budget::default() }
}

#[tokio::test(start_paused = true)]
async fn many_at_once_never_overshoot() {
    for budget in [Budget { calls: Some(7), ..Budget::default() }, tokens(3_000), cost("0.003")] {
        let (on_wire, most) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let counted = (Arc::clone(&on_wire), Arc::clone(&most));
        let provider = Arc::new(Scripted::new(move |seen| {
            counted.1.fetch_max(u64::from(seen.at_once), SeqCst);
            counted.0.fetch_add(1, SeqCst);
            vec![Step::Wait(SECOND), whole("good")]
        }));
        let desk = desk(&provider, budget);
        let asks: Vec<Ask> = (0..40).map(|number| short(&number.to_string(), 1_000 - 20 * number)).collect();
        let outcomes = join_all(asks.iter().map(|asked| desk.ask(asked))).await;
        let answered = outcomes.iter().filter(|outcome| outcome.is_ok()).count() as u64;
        assert_eq!(on_wire.load(SeqCst), answered, "what is sent is answered, and nothing else is");
        let used = desk.client.purse().used();
        assert_eq!((used.calls, used.tokens), (answered, 3 * answered));
        match budget.calls {
            Some(calls) => assert_eq!(answered, calls),
            // Answers take less than they could, so that all of them come out, a few at a time.
            None => assert!(answered == 40 && (1..7).contains(&most.load(SeqCst)), "{most:?}"),
        }
        let refusals = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
        assert!(refusals.clone().all(|refusal| refusal.failure.kind == FailureKind::BudgetUsedUp));
        assert!(refusals.clone().all(|refusal| refusal.attempts == 0 && refusal.cost.is_nothing()));
        let events = desk.events().await;
        let told = events.iter().filter(|event| matches!(event, EventKind::BudgetExhausted { .. })).count();
        assert_eq!(told, usize::from(answered < 40), "it is told once");
    }
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_is_used_up_says_so_with_figures() {
    let provider = Arc::new(Scripted::new(|_| vec![whole("good")]));
    let desk = desk(&provider, cost("0.001"));
    let failure = desk.ask(&short("a", 1_000)).await.unwrap_err().failure;
    let told = "The budget of $0.001 is too small: the next call could cost $0.0011";
    assert_eq!((failure.kind, failure.message.as_str()), (FailureKind::BudgetUsedUp, told));
    let suggestion = "run it again with a higher `budget` or `--max-cost`; it goes on from there";
    assert_eq!(failure.suggestion.as_deref(), Some(suggestion));
    let used = Spent::default();
    assert_eq!(desk.events().await, [EventKind::BudgetExhausted { limit: BudgetPart::Cost, used }]);
}

#[tokio::test(start_paused = true)]
async fn further_attempts_count_and_refusals_cost_nothing() {
    let provider = Arc::new(Scripted::new(|seen| match seen.number {
        1 => vec![refused(None)],
        2 => vec![fail(FailureKind::Cut)],
        _ => vec![whole("good")],
    }));
    let desk = desk(&provider, cost("1"));
    let asked = short("a", 1_000);
    let answer = desk.ask(&asked).await.unwrap();
    // What broke off may have taken all that it could; the answer took three tokens.
    let cut = Amount(1_000_000 * (1_000 + asked.call.bytes()));
    assert_eq!(answer.cost, Cost::of(Currency::Usd, cut.plus(Amount(3_000_000))));
    let used = desk.client.purse().used();
    assert_eq!((used.calls, used.cost), (3, answer.cost));
}

#[tokio::test(start_paused = true)]
async fn who_does_not_say_what_it_took_may_have_taken_the_most() {
    let silent = Reply { usage: None, ..reply("good") };
    let provider = Arc::new(Scripted::new(move |_| vec![Step::Whole(silent.clone())]));
    let desk = desk(&provider, cost("1"));
    let asked = short("a", 1_000);
    let worst = Amount(1_000_000 * (1_000 + asked.call.bytes()));
    assert_eq!(desk.ask(&asked).await.unwrap().cost, Cost::of(Currency::Usd, worst));
}

#[tokio::test(start_paused = true)]
async fn what_is_dropped_on_the_wire_counts_and_what_waits_does_not() {
    let mut provider = Scripted::new(|_| vec![Step::Hang]);
    provider.ceiling = 1;
    let provider = Arc::new(provider);
    let desk = desk(&provider, tokens(100_000));
    let asks = [short("a", 1_000), short("b", 1_000)];
    let abort = async {
        sleep(SECOND).await;
        desk.halt.abort(HaltReason::Interrupted);
    };
    let (unanswered, ()) = join(join_all(asks.iter().map(|asked| desk.ask(asked))), abort).await;
    assert!(unanswered.iter().all(Result::is_err));
    assert_eq!(desk.client.purse().used().tokens, 1_000 + asks[0].call.bytes());
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_the_budget_can_be_stopped() {
    let provider = Arc::new(Scripted::new(|_| vec![Step::Wait(100 * SECOND), whole("good")]));
    let desk = desk(&provider, tokens(1_500));
    let asks = [short("a", 1_000), short("b", 1_000)];
    let drain = async {
        sleep(SECOND).await;
        desk.halt.drain(HaltReason::Interrupted);
    };
    let (outcomes, ()) = join(join_all(asks.iter().map(|asked| desk.ask(asked))), drain).await;
    assert!(outcomes[0].is_ok());
    assert_eq!(outcomes[1].as_ref().unwrap_err().failure.kind, FailureKind::Interrupted);
}

#[tokio::test(start_paused = true)]
async fn what_has_no_price_is_refused_where_the_cost_is_limited_and_counted_where_it_is_let_through() {
    let mut nameless = short("a", 10);
    nameless.call.model = Some("other".into());
    for allow_unpriced in [false, true] {
        let provider = Arc::new(Scripted::unpriced(|_| vec![whole("good")]));
        let builder = DeskBuilder::default().member(priced("p"), &provider);
        let desk = builder.money(cost("1"), Spent::default(), allow_unpriced).build();
        let outcome = desk.ask(&nameless).await;
        if allow_unpriced {
            assert_eq!(outcome.unwrap().cost, Cost::unpriced(1));
            continue;
        }
        let failure = outcome.unwrap_err().failure;
        assert_eq!(failure.kind, FailureKind::Unpriced);
        assert_eq!(failure.message, "`other` of `p` has no known price, and the cost of this run is limited");
        assert!(failure.suggestion.unwrap().ends_with("or let it through with `--allow-unpriced`"));
        assert_eq!(provider.sent(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn what_earlier_runs_have_used_counts() {
    let provider = Arc::new(Scripted::new(|_| vec![whole("good")]));
    let spent = Spent { calls: 9, ..Spent::default() };
    let budget = Budget { calls: Some(10), ..Budget::default() };
    let desk = DeskBuilder::default().member(priced("p"), &provider).money(budget, spent, false).build();
    assert!(desk.ask(&ask("a")).await.is_ok());
    let unanswered = desk.ask(&ask("b")).await.unwrap_err();
    assert_eq!(unanswered.failure.message, "The budget of 10 calls is used up: 10 are made");
}

#[tokio::test(start_paused = true)]
async fn a_price_for_shorter_requests_is_none() {
    let provider = Arc::new(Scripted::new(|_| vec![whole("good")]));
    let mut settings = priced("p");
    settings.prices.values_mut().for_each(|price| price.most_input = Some(1_000));
    for allow_unpriced in [false, true] {
        let desk = DeskBuilder::default().member(settings.clone(), &provider);
        let desk = desk.money(cost("1"), Spent::default(), allow_unpriced).build();
        assert!(desk.ask(&short("Hi", 10)).await.is_ok());
        let long = desk.ask(&short(&"word ".repeat(400), 10)).await;
        if allow_unpriced {
            // The answer says how long it was: not as long as could be.
            assert_eq!(long.unwrap().cost.unpriced, 0);
            continue;
        }
        let failure = long.unwrap_err().failure;
        let message = "`m` of `p` has no known price for a request that may be longer than 1000 tokens, and the cost of \
                       this run is limited";
        assert_eq!((failure.kind, &*failure.message), (FailureKind::Unpriced, message));
    }
}
