//! Nothing is left behind: no request, no permit, no connection, no task. Counted at a real server and at the runtime.

use blossom_run::{Blossom, TextStream};
use futures::FutureExt;
use serde_json::json;
use tokio::runtime::Handle;

use crate::service::server::{Gate, Reply, Server, chunk};
use crate::support::{at, held_before, place_of};

/// Returns once no task is left in this runtime but those of the test itself.
async fn no_task_is_left() {
    // They end as soon as they are told that their connection has; none of them waits for time.
    for _ in 0..1_000_000 {
        if Handle::current().metrics().num_alive_tasks() == 0 {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("{} tasks are left", Handle::current().metrics().num_alive_tasks());
}

/// All connections of the server are closed, and no task is left.
async fn nothing_is_left(server: &Server, blossom: Blossom) {
    drop(blossom);
    server.left(server.connections()).await;
    no_task_is_left().await;
}

fn one_piece(gate: &Gate) -> Reply {
    held_before(Reply::stream(&["Once", " upon a time"]), " upon", gate)
}

async fn one_piece_of(mut stream: TextStream) -> TextStream {
    assert_eq!(stream.next().await.unwrap().unwrap(), "Once");
    stream
}

#[tokio::test]
async fn a_client_that_is_gone_leaves_no_connection() {
    let server = Server::start(|_| Reply::chat("Hi"));
    let blossom = at(&server).concurrency(4).build().unwrap();
    let clone = blossom.clone();
    futures::future::try_join_all((0..8).map(|number| clone.text(number.to_string()))).await.unwrap();
    drop(clone);
    assert!(server.connections() <= 4, "connections are used again: {}", server.connections());
    assert!(Handle::current().metrics().num_alive_tasks() > 0, "and are held for that");
    nothing_is_left(&server, blossom).await;
}

#[tokio::test]
async fn a_question_that_is_dropped_is_taken_back() {
    let server = Server::start(|request| match request.prompt().as_str() {
        "Slow" => Reply::never(),
        _ => Reply::chat("Hi"),
    });
    let blossom = at(&server).concurrency(1).build().unwrap();
    for round in 1..=20 {
        let slow = blossom.text("Slow");
        tokio::select! {
            answer = slow => panic!("{answer:?}"),
            () = server.arrived(2 * round - 1) => {}
        }
        // Its permit is there again, and its connection is not.
        server.left(round).await;
        assert_eq!(blossom.text("Quick").await.unwrap().text, "Hi");
        drop(blossom.clone());
        if round > 1 {
            continue;
        }
        assert_eq!(blossom.lanes()[0].sent, 2);
    }
    assert_eq!((server.count("Slow"), server.peak()), (20, 1));
    nothing_is_left(&server, blossom).await;
}

#[tokio::test]
async fn a_question_that_waits_can_be_dropped_too() {
    let gate = Gate::new();
    let server = Server::start({
        let gate = gate.clone();
        move |_| Reply::chat("Hi").held_by(&gate)
    });
    let blossom = at(&server).concurrency(1).build().unwrap();
    let mut first = blossom.text("First");
    assert!((&mut first).now_or_never().is_none());
    let mut waiting: Vec<_> = (0..10).map(|number| blossom.text(number.to_string())).collect();
    assert!(waiting.iter_mut().all(|ask| ask.now_or_never().is_none()));
    drop(waiting);
    gate.open();
    assert_eq!(first.await.unwrap().text, "Hi");
    assert_eq!(blossom.text("Last").await.unwrap().text, "Hi");
    assert_eq!(server.requests().len(), 2);
    nothing_is_left(&server, blossom).await;
}

#[tokio::test]
async fn a_stream_that_is_dropped_is_taken_back() {
    let gate = Gate::new();
    let server = Server::start({
        let gate = gate.clone();
        move |_| one_piece(&gate)
    });
    let blossom = at(&server).concurrency(2).build().unwrap();
    for round in 1..=10 {
        let (one, other) =
            tokio::join!(one_piece_of(blossom.text("a").stream()), one_piece_of(blossom.text("b").stream()));
        drop((one, other));
        server.left(2 * round).await;
    }
    assert_eq!((server.peak(), server.requests().len()), (2, 20));
    // One that was never read has asked nothing.
    drop(blossom.text("c").stream());
    assert_eq!(server.requests().len(), 20);
    nothing_is_left(&server, blossom).await;
}

#[tokio::test]
async fn streams_that_break_leave_nothing() {
    let gate = Gate::new();
    let said = chunk(json!({"content": "Once"}), serde_json::Value::Null);
    let broken = Reply::stream(&["Once", " upon"]);
    let server = Server::start({
        let gate = gate.clone();
        move |request| match request.prompt().as_str() {
            "cut" => broken.clone().cut_after(place_of(&broken, " upon")),
            "reset" => broken.clone().reset_after(place_of(&broken, " upon")),
            // The connection stays open and silent after it.
            "in band" => {
                let reply =
                    Reply::events([said.clone(), json!({"error": {"message": "Boom"}}).to_string(), "x".into()]);
                let bytes = reply.body().len() - 3;
                reply.held_within(bytes, &gate)
            }
            "length" => Reply::events([said.clone(), chunk(json!({}), json!("length")), "[DONE]".to_owned()]),
            "html" => Reply::html("<h1>Hello</h1>"),
            _ => Reply::error(500, "INTERNAL_ERROR", "Oh snap"),
        }
    });
    let blossom = at(&server).concurrency(1).no_retry().build().unwrap();
    for _ in 0..5 {
        for prompt in ["cut", "reset", "in band", "length", "html", "error"] {
            blossom.text(prompt).stream().finish().await.unwrap_err();
        }
    }
    // How many the server holds at once says nothing here: it learns later than the client that one was dropped.
    assert_eq!(server.requests().len(), 30);
    nothing_is_left(&server, blossom).await;
}

/// Pieces that come slowly, from many, and readers who leave in the middle.
#[tokio::test]
async fn slow_streams_and_tasks_that_are_aborted_leave_nothing() {
    let gate = Gate::new();
    let server = Server::start({
        let gate = gate.clone();
        move |_| one_piece(&gate)
    });
    let blossom = at(&server).concurrency(8).build().unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..24 {
        let stream = blossom.text(number.to_string()).stream();
        tasks.spawn(stream.finish());
    }
    server.arrived(8).await;
    tasks.abort_all();
    while let Some(ended) = tasks.join_next().await {
        assert!(ended.unwrap_err().is_cancelled());
    }
    server.left(server.connections()).await;
    assert_eq!(server.peak(), 8);
    gate.open();
    assert_eq!(blossom.text("Last").stream().finish().await.unwrap().text, "Once upon a time");
    nothing_is_left(&server, blossom).await;
}

/// The runtime of a program may have several threads, and end before its client does.
#[test]
fn a_client_outlives_the_runtime_it_was_used_in() {
    let server = Server::start(|_| Reply::chat("Hi"));
    let blossom = at(&server).build().unwrap();
    for _ in 0..3 {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        assert_eq!(runtime.block_on(blossom.text("Hello")).unwrap().text, "Hi");
    }
    assert_eq!(server.requests().len(), 3);
}
