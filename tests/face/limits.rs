//! Limits hold, and are counted at the server.

use std::time::Duration;

use blossom_run::Message;
use blossom_run::model::{Amount, Budget, Currency, FailureKind, Price, Rate};
use futures::future::{join_all, try_join_all};
use serde_json::json;

use crate::scripted::{SECOND, whole};
use crate::service::server::{Gate, Reply, Server, picture};
use crate::support::{at, played, pollinations};

#[tokio::test]
async fn never_more_than_allowed_are_on_the_wire() {
    let gate = Gate::new();
    let server = Server::start({
        let gate = gate.clone();
        move |_| Reply::chat("Hi").held_by(&gate)
    });
    let blossom = at(&server).concurrency(3).build().unwrap();
    // Clones share the limit.
    let asked = (0..12).map(|number| blossom.clone().text(format!("Question {number}")));
    let (answers, ()) = tokio::join!(try_join_all(asked), async {
        server.arrived(3).await;
        gate.open();
    });
    assert_eq!(answers.unwrap().len(), 12);
    assert_eq!(server.peak(), 3);
    assert_eq!(server.count("/chat/completions"), 12);
    assert_eq!(blossom.lanes()[0].peak, 3);
}

#[tokio::test(start_paused = true)]
async fn a_rate_spaces_requests_evenly() {
    let (service, builder) = played(|_| vec![whole("Hi")]);
    let blossom = builder.rate(60, 60 * SECOND).build().unwrap();
    try_join_all((0..4).map(|number| blossom.text(format!("Question {number}")))).await.unwrap();
    assert_eq!(service.times(), [0, 1000, 2000, 3000]);
    assert_eq!(Rate { count: 60, per: 60 * SECOND }.spacing(), SECOND);
}

#[tokio::test(start_paused = true)]
async fn who_comes_first_goes_first() {
    let (service, builder) = played(|_| vec![whole("Hi")]);
    let blossom = builder.concurrency(1).build().unwrap();
    try_join_all((0..5).map(|number| blossom.text(number.to_string()))).await.unwrap();
    assert_eq!(service.prompts(), ["0", "1", "2", "3", "4"]);
}

#[tokio::test]
async fn a_budget_of_calls_refuses_before_it_sends() {
    let server = Server::start(|_| Reply::chat("Hi"));
    let blossom = at(&server).budget(Budget { calls: Some(2), ..Budget::default() }).build().unwrap();
    let outcomes = join_all((0..5).map(|number| blossom.text(format!("Question {number}")))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 2);
    let error = outcomes.into_iter().find_map(Result::err).unwrap();
    assert_eq!((error.kind(), error.attempts()), (FailureKind::BudgetUsedUp, 0));
    assert_eq!(error.to_string(), "The budget of 2 calls is used up: 2 are made");
    assert!(error.suggestion().unwrap().contains("`.budget(..)`"), "{error:?}");
    assert_eq!((server.requests().len(), blossom.spent().calls), (2, 2));
    // A stream takes of the same budget.
    assert_eq!(blossom.text("Another").stream().finish().await.unwrap_err().kind(), FailureKind::BudgetUsedUp);
}

#[tokio::test]
async fn a_budget_of_tokens_wants_to_know_how_long_an_answer_may_be() {
    let server = Server::start(|_| Reply::chat("Hi"));
    let builder = at(&server).budget(Budget { tokens: Some(10_000), ..Budget::default() });
    let error = builder.clone().build().unwrap().text("Hello").await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (FailureKind::BadRequest, 0));
    assert!(error.suggestion().unwrap().contains("`.max_tokens(500)`"), "{error:?}");
    let blossom = builder.max_tokens(100).build().unwrap();
    blossom.text("Hello").await.unwrap();
    assert_eq!(blossom.spent().tokens, 21);
}

#[tokio::test]
async fn money_needs_a_price() {
    let server = Server::start(|_| Reply::chat("Hi"));
    let limited = at(&server).max_tokens(100).max_cost("0.01".parse::<Amount>().unwrap());
    let error = limited.clone().build().unwrap().text("Hello").await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (FailureKind::Unpriced, 0));
    assert!(
        error.message().contains("this client") && error.suggestion().unwrap().contains("`.price(..)`"),
        "{error:?}"
    );
    limited.clone().allow_unpriced().build().unwrap().text("Hello").await.unwrap();

    let dollar = "1".parse::<Amount>().unwrap();
    let price = Price { currency: Currency::Usd, input: Some(dollar), output: Some(dollar), ..Price::default() };
    let blossom = limited.price("test-model", price).build().unwrap();
    let answer = blossom.text("Hello").await.unwrap();
    assert_eq!((answer.cost.to_string(), blossom.spent().cost), ("$0.000021".to_owned(), answer.cost));
}

#[tokio::test]
async fn prices_that_the_service_lists_are_read_once_where_money_is_limited() {
    let server = Server::start(|request| match request.method.as_str() {
        "GET" if request.path.contains("text") => Reply::json(&json!([{
            "name": "openai", "output_modalities": ["text"],
            "pricing": {"currency": "pollen", "promptTextTokens": "0.000001", "completionTextTokens": "0.000002"},
        }])),
        "GET" => Reply::json(&json!([])),
        _ => Reply::chat("Hi"),
    });
    let blossom = pollinations(&server).max_tokens(50).max_cost("1".parse().unwrap()).build().unwrap();
    let answers = try_join_all([blossom.text("a"), blossom.text("b")]).await.unwrap();
    assert_eq!(answers[0].cost.to_string(), "0.000033 pollen");
    let lists = server.requests().iter().filter(|request| request.method == "GET").count();
    blossom.text("c").await.unwrap();
    assert_eq!(server.requests().iter().filter(|request| request.method == "GET").count(), lists, "they are read once");

    // Where nothing is limited they are read for whoever wants to know.
    let counted = Server::start(|_| Reply::chat("Hi"));
    pollinations(&counted).build().unwrap().text("a").await.unwrap();
    assert_eq!(counted.requests().len(), 1);
}

#[test]
fn settings_that_cannot_be_are_told_when_the_client_is_made() {
    let built = |change: fn(blossom_run::BlossomBuilder) -> blossom_run::BlossomBuilder| {
        let builder = blossom_run::Blossom::builder().provider("openai").environment(crate::support::nothing());
        change(builder).build().expect_err("a setting that can't be")
    };
    for (error, part) in [
        (built(|it| it.provider("opnai")), "`opnai`"),
        (built(|it| it.base_url("127.0.0.1:80")), "base_url"),
        (built(|it| it.base_url("http://user:hunter2@a.b/v1")), "base_url"),
        (built(|it| it.concurrency(0)), "concurrency"),
        (built(|it| it.rate(0, SECOND)), "rate"),
        (built(|it| it.rate(1, Duration::ZERO)), "rate"),
        (built(|it| it.key(" ")), "key"),
    ] {
        assert_eq!(error.kind(), FailureKind::BadRequest, "{error:?}");
        assert!(error.message().contains(part) && error.suggestion().is_some(), "{error:?}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}

#[tokio::test]
async fn a_limit_longer_than_time_is_none() {
    let blossom = blossom_run::Blossom::builder().provider("offline").attempt_timeout(Duration::MAX).build().unwrap();
    assert!(blossom.text("Hello").timeout(Duration::MAX).await.is_ok());
    let stream = blossom.text("Hello").timeout(Duration::MAX).stream();
    assert!(stream.finish().await.is_ok());
}

#[tokio::test]
async fn a_list_of_prices_that_can_not_be_read_is_asked_for_once() {
    let server = Server::start(|request| {
        if request.path.contains("models") { Reply::error(500, "INTERNAL", "Not now") } else { Reply::chat("Hi") }
    });
    let blossom = pollinations(&server).list_prices().build().unwrap();
    let answers = join_all((0..8).map(|n| blossom.text(format!("Say {n}")).into_future())).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    blossom.text("Say more").await.unwrap();
    let lists = server.requests().iter().filter(|request| request.path.contains("models")).count();
    assert_eq!((lists, server.requests().len()), (1, 10));
    let error = blossom.chat([Message::assistant("Only me")]).picture(picture("a heron")).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (FailureKind::BadRequest, 0), "{error:?}");
}
