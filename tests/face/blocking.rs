//! The face for programs without a runtime.

use std::sync::mpsc::channel;
use std::thread;

use blossom_run::model::{FailureKind, Message};
use serde_json::json;

use crate::service::server::{Gate, Reply, Server, chunk, picture};
use crate::support::{at, held_before, pollinations};

fn speaking() -> Server {
    Server::start(|request| {
        if request.json()["stream"] == true {
            Reply::stream(&["Once", " upon"])
        } else {
            Reply::chat(format!("You said {}", request.prompt()))
        }
    })
}

/// Everything that it does, from wherever it is called.
fn used(server: &Server) {
    let blossom = at(server).build_blocking().unwrap();
    assert_eq!(blossom.text("Hello").system("s").max_tokens(5).send().unwrap().text, "You said Hello");
    assert_eq!(blossom.chat([Message::user("Hi")]).send().unwrap().to_string(), "You said Hi");
    let pieces: Vec<String> = blossom.text("Hello").stream().map(Result::unwrap).collect();
    assert_eq!(pieces, ["Once", " upon"]);
    let mut stream = blossom.clone().text("Hello").stream();
    assert_eq!(stream.next().unwrap().unwrap(), "Once");
    assert_eq!((stream.text(), stream.answer()), ("Once", None));
    assert_eq!(stream.finish().unwrap().text, "Once upon");
    assert_eq!(blossom.spent().calls, 4);
}

#[test]
fn it_waits_where_there_is_no_runtime() {
    used(&speaking());
}

#[tokio::test]
async fn it_waits_inside_of_a_runtime_of_one_thread() {
    used(&speaking());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_waits_inside_of_a_runtime_of_several_threads() {
    let server = std::sync::Arc::new(speaking());
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let server = std::sync::Arc::clone(&server);
            tokio::task::spawn_blocking(move || used(&server))
        })
        .collect();
    used(&server);
    for task in tasks {
        task.await.unwrap();
    }
    futures::executor::block_on(async { used(&server) });
}

#[test]
fn pictures_are_saved_without_a_runtime() {
    let server = Server::start(|request| Reply::picture(&request.prompt()));
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("sea.png");
    let blossom = pollinations(&server).build_blocking().unwrap();
    blossom.image("the sea").width(4).height(3).send().unwrap().save_blocking(&place).unwrap();
    assert_eq!(std::fs::read(place).unwrap(), picture("the sea"));
}

#[test]
fn threads_share_a_client_and_its_limits() {
    let gate = Gate::new();
    let server = Server::start({
        let gate = gate.clone();
        move |_| Reply::chat("Hi").held_by(&gate)
    });
    let blossom = at(&server).concurrency(2).build_blocking().unwrap();
    let threads: Vec<_> = (0..6)
        .map(|number| {
            let blossom = blossom.clone();
            thread::spawn(move || blossom.text(number.to_string()).send().unwrap().text)
        })
        .collect();
    futures::executor::block_on(server.arrived(2));
    gate.open();
    assert!(threads.into_iter().all(|thread| thread.join().unwrap() == "Hi"));
    assert_eq!((server.peak(), server.requests().len()), (2, 6));
}

#[test]
fn errors_are_the_same() {
    let error = json!({"error": {"message": "Boom", "code": 500}}).to_string();
    let reply = Reply::events([chunk(json!({"content": "Once"}), serde_json::Value::Null), error]);
    let server = Server::start(move |request| match request.prompt().as_str() {
        "stream" => reply.clone(),
        _ => Reply::error(400, "BAD_REQUEST", "No"),
    });
    let blossom = at(&server).build_blocking().unwrap();
    assert_eq!(blossom.text("Hello").send().unwrap_err().kind(), FailureKind::BadRequest);
    let mut stream = blossom.text("stream").stream();
    assert_eq!(stream.next().unwrap().unwrap(), "Once");
    assert_eq!(stream.next().unwrap().unwrap_err().partial(), Some("Once"));
    assert!(stream.next().is_none());
    assert_eq!(stream.finish().unwrap_err().kind(), FailureKind::Server);
    blossom.close();
    assert_eq!(blossom.text("Hello").send().unwrap_err().kind(), FailureKind::Interrupted);
}

#[test]
fn a_stream_that_is_dropped_is_taken_back_and_a_client_that_is_gone_leaves_nothing() {
    let (tell, told) = channel();
    let server = Server::start(move |_| {
        tell.send(()).ok();
        held_before(Reply::stream(&["Once", " upon"]), " upon", &Gate::new())
    });
    let blossom = at(&server).concurrency(1).build_blocking().unwrap();
    for round in 1..=3 {
        let mut stream = blossom.text("Hello").stream();
        stream.next().unwrap().unwrap();
        told.recv().unwrap();
        drop(stream);
        futures::executor::block_on(server.left(round));
    }
    drop(blossom);
    assert_eq!((server.connections(), server.peak()), (3, 1));
}

#[tokio::test]
async fn it_can_be_dropped_inside_of_a_runtime() {
    let server = speaking();
    let blossom = at(&server).build_blocking().unwrap();
    blossom.text("Hello").send().unwrap();
    let stream = blossom.text("Hello").stream();
    drop(blossom);
    assert_eq!(stream.finish().unwrap().text, "Once upon", "a stream holds what it needs");
    server.left(server.connections()).await;
}
