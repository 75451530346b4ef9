//! The same input gives the same bytes, whichever answer comes first.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use blossom_run::model::EventKind;
use tokio::sync::watch;

use crate::scene::Scene;
use crate::support::server::{Gate, Reply, Request, Server};

const BODY: &str = "
    inputs:
      towns: {type: items, default: [{name: Sandau, streets: [a, b]}, {name: Ulm, streets: [c]}, {name: sandau, streets: []}]}
    stages:
      story: {for_each: {town: towns}, text: 'Story {{town.name}} {{loop.number}}', save: story.jsonl}
      walk: {for_each: {town: towns, street: town.streets}, text: 'Walk {{street}}', save: {path: walk.csv, row: {town: '{{town.name}}', walk: '{{walk}}'}}}
      photo: {for_each: town, image: 'Photo of {{story}}'}
      page: {for_each: town, render: '{{story}} {{photo}} {{join walk}}', save: 'pages/{{loop.number}}.md'}
      book: {text: 'Book {{join page}}', save: book.md}
    ";

/// The gates of the requests that wait for their answer, in the order in which they came; and how many have come.
#[derive(Default)]
struct Held {
    gates: Mutex<Vec<Gate>>,
    came: watch::Sender<usize>,
}

fn holding(held: &Arc<Held>) -> Server {
    let held = Arc::clone(held);
    Server::start(move |request| {
        let gate = Gate::new();
        held.gates.lock().unwrap().push(gate.clone());
        held.came.send_modify(|came| *came += 1);
        let is_picture = request.path.contains("images");
        let reply = if is_picture { Reply::picture(&request.prompt()) } else { Reply::chat(request.prompt()) };
        reply.held_by(&gate)
    })
}

const CALLS: usize = 10;
/// So many do not depend on any other.
const FIRST: usize = 6;

/// Runs the pipeline and answers each time whoever `choose` names among those who wait; the files, and who was asked.
async fn run(choose: impl Fn(usize) -> usize) -> (BTreeMap<String, Vec<u8>>, Vec<String>) {
    let held = Arc::new(Held::default());
    let server = holding(&held);
    let going = Scene::new(&server, BODY).start();
    let told = going.told();
    let is_answer = |kind: &EventKind| matches!(kind, EventKind::Done { attempts: 1.., .. });
    let steps = async {
        for number in 1..=CALLS {
            held.came.subscribe().wait_for(|came| *came >= number.max(FIRST)).await.unwrap();
            let gate = {
                let mut gates = held.gates.lock().unwrap();
                let which = choose(gates.len());
                gates.remove(which)
            };
            gate.open();
            told.until(number, is_answer).await;
        }
    };
    let ran = going.play(steps).await.is_done();
    let bytes = ran.files().into_iter().map(|file| (file.clone(), ran.bytes(&file))).collect();
    (bytes, server.requests().iter().map(Request::prompt).collect())
}

#[tokio::test]
async fn the_files_are_the_same_byte_for_byte_whichever_answer_comes_first() {
    let (first, asked_first) = run(|_| 0).await;
    let (last, asked_last) = run(|waiting| waiting - 1).await;
    assert_ne!(asked_first, asked_last, "they did run in another order");
    assert_eq!(first.keys().collect::<Vec<_>>(), last.keys().collect::<Vec<_>>());
    for (file, bytes) in &first {
        assert_eq!(String::from_utf8_lossy(bytes), String::from_utf8_lossy(&last[file]), "{file}");
    }
    let names: Vec<&str> = first.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "book.md",
            "pages/1.md",
            "pages/2.md",
            "pages/3.md",
            "photo/Sandau.png",
            "photo/Ulm.png",
            "photo/sandau-2.png",
            "story.jsonl",
            "walk.csv",
        ]
    );
}
