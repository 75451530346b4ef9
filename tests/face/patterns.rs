//! The ways in which programs put questions together: each is a few lines.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use blossom_run::model::Message;
use blossom_run::{Blossom, Error};
use futures::future::{join_all, try_join_all};
use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use tokio::task::JoinSet;

use crate::service::server::{Gate, Reply, Server};
use crate::support::{at, pollinations};

fn echo() -> Server {
    Server::start(|request| match request.prompt().as_str() {
        long if long.len() > 100 => Reply::error(400, "BAD_REQUEST", "Too long"),
        sea if sea.contains("sunset") && request.json()["messages"].is_null() => Reply::picture(sea),
        prompt if request.json()["stream"] == true => Reply::stream(&["You said ", prompt]),
        prompt => Reply::chat(format!("You said {prompt}")),
    })
}

#[tokio::test]
async fn many_at_once_of_one_kind_and_of_several() {
    let server = echo();
    let blossom = pollinations(&server).build().unwrap();
    let answers = try_join_all(["a", "b", "c"].map(|prompt| blossom.text(prompt))).await.unwrap();
    assert_eq!(answers.iter().map(ToString::to_string).collect::<Vec<_>>(), ["You said a", "You said b", "You said c"]);
    let (text, picture, chat) = tokio::try_join!(
        blossom.text("Describe it"),
        blossom.image("beautiful sunset").width(4).height(3),
        blossom.chat([Message::user("Hello")]),
    )
    .unwrap();
    assert_eq!((text.text.as_str(), picture.width, chat.text.as_str()), ("You said Describe it", 4, "You said Hello"));
}

#[tokio::test]
async fn batches_and_a_limit_of_ones_own() {
    let server = echo();
    let blossom = at(&server).build().unwrap();
    let items: Vec<String> = (0..20).map(|number| format!("Article {number}")).collect();
    let mut results = Vec::new();
    for batch in items.chunks(5) {
        results
            .extend(try_join_all(batch.iter().map(|item| blossom.text(format!("Summarize: {item}")))).await.unwrap());
    }
    assert_eq!(results[19].text, "You said Summarize: Article 19");
    let limited = stream::iter(&items).map(|item| blossom.text(item)).buffered(3);
    let answers: Vec<_> = limited.try_collect().await.unwrap();
    assert_eq!((answers.len(), answers[7].text.as_str()), (20, "You said Article 7"));
    assert!(server.peak() <= 5);
}

#[tokio::test]
async fn some_may_fail() {
    let server = echo();
    let blossom = at(&server).build().unwrap();
    let long = "x".repeat(500);
    let outcomes = join_all(["Valid 1", long.as_str(), "Valid 2"].map(|prompt| blossom.text(prompt))).await;
    let (good, bad): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!((good.len(), bad.len()), (2, 1));
}

#[tokio::test]
async fn tasks_and_progress() {
    let server = echo();
    let blossom = at(&server).build().unwrap();
    let (mut tasks, done) = (JoinSet::new(), AtomicUsize::new(0));
    for number in 0..10 {
        tasks.spawn(blossom.text(format!("Question {number}")));
    }
    while let Some(answer) = tasks.join_next().await {
        answer.unwrap().unwrap();
        done.fetch_add(1, Relaxed);
    }
    assert_eq!(done.into_inner(), 10);
}

#[tokio::test]
async fn a_time_of_ones_own_around_a_question() {
    let server = Server::start(|_| Reply::never());
    let blossom = at(&server).build().unwrap();
    let late = tokio::time::timeout(Duration::from_millis(1), blossom.text("Long response")).await;
    assert!(late.is_err());
}

/// A conversation with its history, whole and as it comes.
struct ChatBot {
    blossom: Blossom,
    history: Vec<Message>,
}

impl ChatBot {
    async fn chat(&mut self, message: &str) -> Result<String, Error> {
        self.history.push(Message::user(message));
        let answer = self.blossom.chat(&self.history).await?;
        self.history.push(Message::assistant(&answer.text));
        Ok(answer.text)
    }

    async fn chat_as_it_comes(&mut self, message: &str, mut show: impl FnMut(&str)) -> Result<(), Error> {
        self.history.push(Message::user(message));
        let mut stream = self.blossom.chat(&self.history).stream();
        while let Some(piece) = stream.next().await {
            show(&piece?);
        }
        self.history.push(Message::assistant(stream.text()));
        Ok(())
    }
}

#[tokio::test]
async fn a_conversation_with_its_history() {
    let server = echo();
    let mut bot = ChatBot { blossom: at(&server).build().unwrap(), history: Vec::new() };
    assert_eq!(bot.chat("Hello!").await.unwrap(), "You said Hello!");
    let mut shown = Vec::new();
    bot.chat_as_it_comes("A joke", |piece| shown.push(piece.to_owned())).await.unwrap();
    assert_eq!(shown, ["You said ", "A joke"]);
    assert_eq!(server.requests()[1].json()["messages"].as_array().unwrap().len(), 3);
    assert_eq!(bot.history.len(), 4);
}

/// What a web server hands on to a browser.
fn handed_on(blossom: &Blossom, prompt: String) -> impl Stream<Item = Result<String, Error>> + Send + 'static + use<> {
    blossom.text(prompt).stream()
}

#[tokio::test]
async fn several_streams_at_once() {
    let gate = Gate::new();
    let server = Server::start({
        let gate = gate.clone();
        move |request| Reply::stream(&["You said ", &request.prompt()]).held_by(&gate)
    });
    let blossom = at(&server).build().unwrap();
    let one = async |prompt: &str| {
        let pieces: Vec<String> = handed_on(&blossom, prompt.to_owned()).try_collect().await?;
        Ok::<_, Error>(pieces.concat())
    };
    let (texts, ()) = tokio::join!(try_join_all(["a", "b", "c"].map(one)), async {
        server.arrived(3).await;
        gate.open();
    });
    assert_eq!(texts.unwrap(), ["You said a", "You said b", "You said c"]);
}
