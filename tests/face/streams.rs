//! A text as it comes: pieces from the wire, its end, and the ways in which it does not come to one.

use blossom_run::TextStream;
use blossom_run::model::{FailureKind, RetryPolicy, Usage};
use futures::{FutureExt, TryStreamExt};
use serde_json::{Value, json};

use crate::scripted::{SECOND, Step, fail, refused, reply, whole};
use crate::service::asking::PLANTED;
use crate::service::server::{Gate, Reply, Server, chunk};
use crate::support::{at, held_before, place_of, played};

fn said(text: &str) -> String {
    chunk(json!({"content": text}), Value::Null)
}

async fn read(stream: &mut TextStream) -> Vec<Result<String, FailureKind>> {
    let mut items = Vec::new();
    while let Some(item) = stream.next().await {
        items.push(item.map_err(|error| error.kind()));
    }
    items
}

#[tokio::test]
async fn pieces_come_before_the_answer_is_whole() {
    let gate = Gate::new();
    let held = held_before(Reply::stream(&["early", " late"]), " late", &gate);
    let server = Server::start(move |_| held.clone());
    let blossom = at(&server).build().unwrap();
    let mut stream = blossom.text("Hello").stream();
    assert_eq!(server.requests().len(), 0, "nothing is asked until it is read");
    assert_eq!(stream.next().await.unwrap().unwrap(), "early");
    assert!(stream.next().now_or_never().is_none() && stream.answer().is_none());
    assert_eq!(stream.text(), "early");
    gate.open();
    assert_eq!(stream.next().await.unwrap().unwrap(), " late");
    assert_eq!(stream.next().await, None);
    assert_eq!(stream.next().await, None, "an end is an end");
    assert_eq!(server.request().json()["stream"], true);
    let answer = stream.answer().unwrap();
    assert_eq!((answer.text.as_str(), answer.finish_reason.as_deref()), ("early late", Some("stop")));
    assert_eq!(answer.usage, Some(Usage { input_tokens: 9, output_tokens: 2, total_tokens: 11 }));
    assert_eq!((answer.attempts, answer.kept), (1, false));
    let answer = answer.clone();
    assert_eq!(stream.finish().await.unwrap(), answer);
}

#[tokio::test]
async fn it_is_a_stream_like_others() {
    let server = Server::start(|_| Reply::stream(&["a", "b", "c"]));
    let blossom = at(&server).build().unwrap();
    let pieces: Vec<String> = blossom.text("Hello").stream().try_collect().await.unwrap();
    assert_eq!(pieces, ["a", "b", "c"]);
    let together = futures::stream::select(blossom.text("x").stream(), blossom.text("y").stream());
    assert_eq!(together.try_collect::<Vec<_>>().await.unwrap().len(), 6);
    let mut stream = blossom.text("Hello").stream();
    assert_eq!(stream.next().await.unwrap().unwrap(), "a");
    assert_eq!(stream.finish().await.unwrap().text, "abc", "what is left is read");
}

#[tokio::test]
async fn a_service_that_answers_whole_gives_one_piece() {
    let server = Server::start(|_| Reply::chat("Hello"));
    let mut stream = at(&server).build().unwrap().text("Hi").stream();
    assert_eq!(read(&mut stream).await, [Ok("Hello".to_owned())]);
    assert_eq!(stream.answer().unwrap().text, "Hello");
}

#[tokio::test]
async fn before_the_first_piece_it_is_tried_again() {
    let server = Server::start(|request| match request.attempt {
        1 => Reply::error(503, "SERVICE_UNAVAILABLE", "Not now"),
        2 => Reply::events([said("")]).cut_after(30),
        _ => Reply::stream(&["Hel", "lo"]),
    });
    let mut stream = at(&server).build().unwrap().text("Hi").stream();
    assert_eq!(read(&mut stream).await, [Ok("Hel".to_owned()), Ok("lo".to_owned())]);
    assert_eq!(stream.answer().unwrap().attempts, 3);
}

#[tokio::test]
async fn after_the_first_piece_a_cut_is_an_error_with_the_text_so_far() {
    let whole = Reply::stream(&["Once upon", " a time", " there was"]);
    let at_byte = place_of(&whole, " there");
    for reply in [whole.clone().cut_after(at_byte), whole.reset_after(at_byte)] {
        let server = Server::start(move |_| reply.clone());
        let mut stream = at(&server).build().unwrap().text("Hi").stream();
        let mut text = String::new();
        let error = loop {
            match stream.next().await.expect("an error, and no end") {
                Ok(piece) => text.push_str(&piece),
                Err(error) => break error,
            }
        };
        assert_eq!((error.kind(), error.attempts()), (FailureKind::Cut, 1), "{error:?}");
        assert_eq!(error.partial().unwrap_or_default(), text, "{error:?}");
        assert_eq!(stream.text(), text);
        assert!(error.is_transient() && error.suggestion().is_some(), "{error:?}");
        assert!(stream.next().await.is_none() && stream.answer().is_none());
        assert_eq!(stream.finish().await.unwrap_err(), error);
        assert_eq!(server.requests().len(), 1, "what was handed out can't be taken back");
    }
}

#[tokio::test]
async fn an_error_in_the_stream_is_an_error() {
    let error = json!({"error": {"message": "Upstream died", "code": 502}}).to_string();
    let reply = Reply::events([said("Once"), said(" upon"), error]);
    let server = Server::start(move |_| reply.clone());
    let mut stream = at(&server).build().unwrap().text("Hi").stream();
    assert_eq!(read(&mut stream).await, [Ok("Once".to_owned()), Ok(" upon".to_owned()), Err(FailureKind::Server)]);
    let error = stream.finish().await.unwrap_err();
    assert!(error.message().contains("Upstream died"), "{error}");
    assert_eq!((error.partial(), error.status(), server.requests().len()), (Some("Once upon"), Some(502), 1));
}

#[tokio::test]
async fn an_answer_that_ends_at_its_longest_is_an_error_after_its_pieces() {
    let reply = Reply::events([said("Once"), chunk(json!({}), json!("length")), "[DONE]".to_owned()]);
    let server = Server::start(move |_| reply.clone());
    let mut stream = at(&server).build().unwrap().text("Hi").stream();
    assert_eq!(read(&mut stream).await, [Ok("Once".to_owned()), Err(FailureKind::Length)]);
}

#[tokio::test]
async fn a_long_text_is_whole_in_the_error() {
    let texts: Vec<String> = (0..50).map(|_| "x".repeat(100)).collect();
    let events = texts.iter().map(|text| said(text)).chain([json!({"error": {"message": "Boom"}}).to_string()]);
    let reply = Reply::events(events);
    let server = Server::start(move |_| reply.clone());
    let error = at(&server).build().unwrap().text("Hi").stream().finish().await.unwrap_err();
    assert_eq!(error.partial().unwrap().len(), 5000);
}

#[tokio::test]
async fn a_key_is_shown_in_no_piece() {
    let texts = ["Your key is sk_pla", "nted_01234", "56789, is it?"];
    let server = Server::start(move |_| Reply::stream(&texts));
    let mut stream = at(&server).key(PLANTED).build().unwrap().text("Hi").stream();
    let pieces = read(&mut stream).await;
    assert!(!format!("{pieces:?}{stream:?}").contains("planted"), "{pieces:?}");
    assert_eq!(stream.text(), "Your key is [key], is it?");
    assert_eq!(stream.answer().unwrap().text, "Your key is [key], is it?");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_drips_too_slowly_or_stands_still_is_an_error() {
    let (service, builder) = played(|seen| match seen.prompt.as_str() {
        "silent" => vec![Step::Alive, Step::Hang],
        "still" => vec![Step::Text("Once"), Step::Hang],
        _ => (0..100).flat_map(|_| [Step::Text("x"), Step::Wait(9 * SECOND)]).collect(),
    });
    let builder = builder.first_token_timeout(20 * SECOND).idle_timeout(10 * SECOND).no_retry();
    let blossom = builder.build().unwrap();
    let error = blossom.text("silent").stream().finish().await.unwrap_err();
    assert_eq!((error.kind(), error.partial()), (FailureKind::Timeout, None));
    assert!(error.message().contains("`first_token`"), "{error}");
    let error = blossom.text("still").stream().finish().await.unwrap_err();
    assert_eq!((error.kind(), error.partial()), (FailureKind::Timeout, Some("Once")));
    assert!(error.message().contains("`idle`"), "{error}");
    // Each piece comes in time, and all of it does not.
    let error = blossom.text("drips").timeout(60 * SECOND).stream().finish().await.unwrap_err();
    assert_eq!((error.kind(), error.partial()), (FailureKind::Timeout, Some("xxxxxxx")));
    assert!(error.message().contains("`total`"), "{error}");
    assert_eq!(service.at_once(), 0, "all of them are taken back");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_before_the_first_piece_is_waited_for() {
    let (service, builder) = played(|seen| match seen.number {
        1 => vec![refused(Some(5 * SECOND))],
        2 => vec![Step::Thinking, fail(FailureKind::Server)],
        _ => vec![Step::Text("Hel"), Step::Text("lo"), whole("Hello")],
    });
    let retry = RetryPolicy { jitter: false, ..RetryPolicy::default() };
    let mut stream = builder.build().unwrap().text("Hi").retry(retry).stream();
    assert_eq!(read(&mut stream).await, [Ok("Hel".to_owned()), Ok("lo".to_owned())]);
    assert_eq!(service.times(), [0, 5000, 7000]);
}

/// A reader that takes its time between two pieces is no fault of the service.
#[tokio::test(start_paused = true)]
async fn a_slow_reader_costs_no_answer() {
    let (_service, builder) = played(|_| vec![Step::Text("a"), Step::Text("b"), Step::Text("c"), whole("abc")]);
    let mut stream = builder.idle_timeout(10 * SECOND).build().unwrap().text("Hi").stream();
    while let Some(piece) = stream.next().await {
        piece.unwrap();
        tokio::time::sleep(60 * SECOND).await;
    }
    assert_eq!(stream.finish().await.unwrap().text, "abc");
}

#[tokio::test(start_paused = true)]
async fn what_was_not_handed_out_of_a_whole_answer_comes_at_its_end() {
    let (_service, builder) = played(|_| vec![Step::Text("Hel"), Step::Whole(reply("Hello there"))]);
    let mut stream = builder.build().unwrap().text("Hi").stream();
    assert_eq!(read(&mut stream).await, [Ok("Hel".to_owned()), Ok("lo there".to_owned())]);
}
