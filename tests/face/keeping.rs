//! A store: what was paid for once is not paid for again.

use blossom_run::model::{Reuse, RunOutcome, StageTally};
use blossom_run::store::Store;
use blossom_run::{Blossom, model::Cost};
use futures::future::{join_all, try_join_all};
use std::path::Path;
use std::time::Duration;

use crate::service::server::{Gate, Reply, Server, picture};
use crate::support::{at, pollinations};

fn counting() -> Server {
    Server::start(|request| match request.prompt().as_str() {
        "the sea" => Reply::picture("the sea"),
        _ => Reply::chat(format!("Answer {}", request.number)),
    })
}

fn kept(server: &Server, folder: &Path) -> Blossom {
    at(server).store(folder).build().unwrap()
}

#[tokio::test]
async fn a_second_program_pays_nothing() {
    let (server, folder) = (counting(), tempfile::tempdir().unwrap());
    let first = kept(&server, folder.path()).text("Hello").max_tokens(9).await.unwrap();
    assert_eq!((first.text.as_str(), first.kept), ("Answer 1", false));
    let blossom = kept(&server, folder.path());
    let again = blossom.text("Hello").max_tokens(9).await.unwrap();
    assert_eq!((again.text.as_str(), again.kept, again.attempts), ("Answer 1", true, 0));
    assert_eq!((again.usage, again.cost, blossom.spent().calls), (None, Cost::NOTHING, 0));
    assert_eq!((again.model, again.provider.as_str()), (first.model, "openai"));
    assert_eq!(first.provider, "openai");

    // In one piece, since it is there.
    let mut stream = blossom.text("Hello").max_tokens(9).stream();
    assert_eq!(stream.next().await.unwrap().unwrap(), "Answer 1");
    assert_eq!(stream.next().await, None);
    assert!(stream.answer().unwrap().kept);
    assert_eq!(server.requests().len(), 1);

    // Another question is another call.
    assert_eq!(blossom.text("Hello").max_tokens(10).await.unwrap().text, "Answer 2");
}

#[tokio::test]
async fn pictures_and_streams_are_kept_too() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|request| match request.prompt().as_str() {
        "the sea" => Reply::picture("the sea"),
        _ => Reply::stream(&["Hel", "lo"]),
    });
    let blossom = pollinations(&server).store(folder.path()).build().unwrap();
    blossom.image("the sea").model("flux").await.unwrap();
    blossom.text("Hello").stream().finish().await.unwrap();
    drop(blossom);
    let blossom = pollinations(&server).store(folder.path()).build().unwrap();
    let sea = blossom.image("the sea").model("flux").await.unwrap();
    assert_eq!((&sea.bytes[..], sea.kept, sea.width), (&picture("the sea")[..], true, 4));
    assert_eq!((sea.provider.as_str(), sea.model.as_deref()), ("pollinations", Some("flux")));
    let hello = blossom.text("Hello").await.unwrap();
    assert_eq!((hello.text.as_str(), hello.kept), ("Hello", true));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn another_answer_is_had_by_asking_anew_or_by_its_number() {
    let (server, folder) = (counting(), tempfile::tempdir().unwrap());
    let blossom = kept(&server, folder.path());
    let text = async |ask: blossom_run::TextAsk| ask.await.unwrap().text;
    assert_eq!(text(blossom.text("Hello")).await, "Answer 1");
    assert_eq!(text(blossom.text("Hello").fresh()).await, "Answer 2");
    assert_eq!(text(blossom.text("Hello").fresh()).await, "Answer 3", "each time it is asked");
    assert_eq!(text(blossom.text("Hello")).await, "Answer 3", "the latest is used");
    let numbered = try_join_all((1..4).map(|number| blossom.text("Hello").variant(number))).await.unwrap();
    assert!(numbered.iter().all(|answer| !answer.kept));
    let again = try_join_all((1..4).map(|number| blossom.text("Hello").variant(number))).await.unwrap();
    assert!(again.iter().zip(&numbered).all(|(again, first)| again.kept && again.text == first.text));
    assert_eq!(server.requests().len(), 6);

    let blossom = at(&server).store(folder.path()).reuse(Reuse::Never).build().unwrap();
    assert_eq!(text(blossom.text("Hello")).await, "Answer 7");
    let blossom = at(&server).store(folder.path()).reuse(Reuse::For(Duration::from_secs(600))).build().unwrap();
    assert_eq!(text(blossom.text("Hello")).await, "Answer 7");
}

#[tokio::test]
async fn the_same_question_at_the_same_time_is_asked_once_where_answers_are_kept() {
    let (gate, folder) = (Gate::new(), tempfile::tempdir().unwrap());
    let server = Server::start({
        let gate = gate.clone();
        move |request| Reply::chat(format!("Answer {}", request.number)).held_by(&gate)
    });
    let blossom = kept(&server, folder.path());
    let (answers, ()) = tokio::join!(join_all((0..4).map(|_| blossom.text("Hello"))), async {
        server.arrived(1).await;
        gate.open();
    });
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    assert!(answers.iter().all(|answer| answer.text == "Answer 1"));
    assert_eq!((answers.iter().filter(|answer| answer.kept).count(), server.requests().len()), (3, 1));

    // Where nothing is kept, who asks twice wants two.
    let blossom = at(&server).build().unwrap();
    try_join_all([blossom.text("Hello"), blossom.text("Hello")]).await.unwrap();
    assert_eq!(server.requests().len(), 3);
}

/// A stream that is held would hold all who wait for it.
#[tokio::test]
async fn nobody_waits_for_a_stream_of_somebody_else() {
    let (server, folder) = (Server::start(|_| Reply::stream(&["Hel", "lo"])), tempfile::tempdir().unwrap());
    let blossom = kept(&server, folder.path());
    let mut stream = blossom.text("Hello").stream();
    assert_eq!(stream.next().await.unwrap().unwrap(), "Hel");
    assert_eq!(blossom.text("Hello").stream().finish().await.unwrap().text, "Hello");
    assert_eq!(stream.finish().await.unwrap().text, "Hello");
}

#[tokio::test]
async fn what_was_asked_stands_in_the_store_as_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|request| match request.prompt().as_str() {
        "Bad" => Reply::error(400, "BAD_REQUEST", "No"),
        _ => Reply::chat("Hi"),
    });
    let blossom = kept(&server, folder.path());
    let runs = || Store::open_to_read(folder.path()).unwrap().unwrap().runs().unwrap();
    assert!(runs()[0].is_going_on);
    for prompt in ["a", "a", "Bad"] {
        blossom.text(prompt).await.ok();
    }
    drop(blossom);
    let runs = runs();
    assert_eq!((runs.len(), runs[0].pipeline.as_str(), runs[0].is_going_on), (1, Blossom::STAGE, false));
    let outcome: RunOutcome = serde_json::from_value(runs[0].outcome.clone().unwrap()).unwrap();
    assert_eq!(outcome, RunOutcome::Failed);
    let stages: Vec<(String, StageTally)> = serde_json::from_value(runs[0].stages.clone().unwrap()).unwrap();
    let tally = StageTally { instances: 3, done: 1, reused: 1, failed: 1, ..StageTally::default() };
    assert_eq!(stages, [("blossom".to_owned(), tally)]);
}

#[tokio::test]
async fn a_store_that_cannot_be_is_told_when_the_client_is_made() {
    let (server, folder) = (counting(), tempfile::tempdir().unwrap());
    let file = folder.path().join("file");
    std::fs::File::create(&file).unwrap();
    let error = at(&server).store(&file).build().unwrap_err();
    assert_eq!(error.kind(), blossom_run::model::FailureKind::Store);
    assert!(!error.suggestion().unwrap().contains("--store"), "{error:?}");
}

#[tokio::test]
async fn who_asks_at_the_same_time_for_something_else_is_not_given_the_same() {
    let (gate, folder) = (Gate::new(), tempfile::tempdir().unwrap());
    let held = gate.clone();
    let server = Server::start(move |request| match request.number {
        1 => Reply::chat(r#"{"a": 1}"#).held_by(&held),
        _ => Reply::chat(r#"{"a": "one"}"#),
    });
    let blossom = kept(&server, folder.path());
    let schema = serde_json::json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}});
    let asking = async {
        tokio::join!(blossom.text("Hi"), blossom.text("Hi").json(), blossom.text("Hi").schema(schema), async {
            server.arrived(1).await;
            gate.open();
        })
    };
    let (text, json, fitting, ()) = asking.await;
    assert_eq!(text.unwrap().json, None);
    assert_eq!(json.unwrap().json, Some(serde_json::json!({"a": 1})));
    assert_eq!(fitting.unwrap().json, Some(serde_json::json!({"a": "one"})), "it was asked again, as it did not fit");
}
