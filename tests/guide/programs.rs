//! Each example prints, writes or answers what it should: its `main` offline or against a server on this machine, and
//! where time or order matter, what it is made of.

use std::time::Duration;

use blossom_run::Blossom;
use blossom_run::model::{FailureKind, OfflineManner, Role};
use indicatif::ProgressBar;
use serde_json::json;
use tokio::time::Instant;

use crate::examples;
use crate::page::{pipeline, root};
use crate::process::{Program, http};
use crate::support::server::{Gate, Reply, Server};

/// A client of the built-in provider whose answers take so long.
fn slow(seconds: u64) -> Blossom {
    let manner = OfflineManner { latency: Duration::from_secs(seconds), ..OfflineManner::default() };
    Blossom::builder().provider("offline").offline(manner).build().unwrap()
}

/// A client of a server on this machine.
fn asking(server: &Server) -> Blossom {
    Blossom::builder().provider("openai").base_url(&server.url).key("sk_test").model("m").build().unwrap()
}

/// Gives up on what never comes.
async fn patiently<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("what this waits for comes")
}

fn echo() -> Server {
    Server::start(|request| Reply::chat(request.prompt()))
}

#[test]
fn the_tour_shows_a_text_a_conversation_a_picture_and_a_stream() {
    let said = Program::offline("tour").run();
    for part in ["async programming", "Turn 2, after “Hello”", "short story"] {
        assert!(said.stdout.contains(part), "{}", said.stdout);
    }
    assert_eq!(said.size("sunset.png"), (1024, 768));
}

#[tokio::test(start_paused = true)]
async fn why_async_takes_six_seconds_in_turn_and_two_at_once() {
    let blossom = slow(2);
    let began = Instant::now();
    assert_eq!(examples::why_async::in_turn(&blossom).await.unwrap().len(), 3);
    assert_eq!(began.elapsed().as_secs(), 6);
    let began = Instant::now();
    assert_eq!(examples::why_async::at_once(&blossom).await.unwrap().len(), 3);
    assert_eq!(began.elapsed().as_secs(), 2);
    let said = Program::offline("why_async").run();
    assert!(said.stdout.starts_with("3 answers, one after another: "), "{}", said.stdout);
    assert!(said.stdout.contains("\n3 answers, at the same time: "), "{}", said.stdout);
}

#[test]
fn quick_start_prints_an_answer_of_whoever_is_asked() {
    let said = Program::offline("quick_start").run();
    assert!(said.stdout.starts_with("[offline] On “Hello, async world!”"), "{}", said.stdout);
    let server = echo();
    let said = Program::asking("quick_start", &server).run();
    assert_eq!(said.stdout, "Hello, async world!\n");
    assert_eq!(server.request().header("authorization"), Some("Bearer sk_test"));
    let said = Program::new("quick_start").fail();
    assert!(said.stderr.contains("POLLINATIONS_API_KEY"), "{}", said.stderr);
}

#[test]
fn blocking_needs_no_runtime() {
    let server = echo();
    assert_eq!(Program::asking("blocking", &server).run().stdout, "Hello, async world!\n");
    let said = Program::offline("blocking").run();
    assert!(said.stdout.starts_with("[offline] On “Hello, async world!”"), "{}", said.stdout);
}

#[test]
fn text_says_how_long_the_answer_may_be_and_what_it_took() {
    let server = echo();
    let said = Program::asking("text", &server).run();
    assert_eq!(said.stdout, "Explain async programming\n(9 tokens in, 12 out)\n");
    let sent = server.request().json();
    assert_eq!((&sent["max_tokens"], &sent["temperature"]), (&json!(200), &json!(0.7)));
    assert!(Program::offline("text").run().stdout.starts_with("[offline] On “async programming”"));
}

#[test]
fn image_writes_a_file() {
    let said = Program::offline("image").run();
    assert_eq!(said.size("sunset.png"), (1024, 1024));
    let bytes = std::fs::metadata(said.file("sunset.png")).unwrap().len();
    assert_eq!(said.stdout, format!("sunset.png: 1024 by 1024, {bytes} bytes\n"));
}

#[test]
fn chat_sends_the_conversation() {
    let server = echo();
    assert_eq!(Program::asking("chat", &server).run().stdout, "What is async/await?\n");
    let sent = server.request().json();
    assert_eq!(sent["model"], "openai");
    assert_eq!(
        sent["messages"],
        json!([
            {"role": "system", "content": "You are a helpful assistant"},
            {"role": "user", "content": "What is async/await?"},
        ])
    );
    assert!(Program::offline("chat").run().stdout.starts_with("[offline] On “What is async/await?”"));
}

#[test]
fn many_texts_come_in_order() {
    // None is answered before all are asked, and the last comes first.
    let gate = Gate::new();
    let server = Server::start(move |request| {
        if request.number == 4 {
            gate.open();
        }
        Reply::chat(format!("{} {}", request.prompt(), "and so on ".repeat(20))).held_by(&gate)
    });
    let said = Program::asking("many_texts", &server).run();
    let lines: Vec<&str> = said.stdout.lines().collect();
    let begin = ["1. What is Python?", "2. What is JavaScript?", "3. What is Rust?", "4. What is Go?"];
    assert_eq!(lines.len(), begin.len());
    for (line, begin) in lines.iter().zip(begin) {
        assert!(line.starts_with(begin) && line.chars().count() == 103, "{line}");
    }
    assert_eq!(Program::offline("many_texts").run().stdout.lines().count(), 4);
}

#[test]
fn many_images_become_files() {
    let said = Program::offline("many_images").run();
    for number in 0..4 {
        assert_eq!(said.size(&format!("image_{number}.png")), (512, 512));
        assert!(said.stdout.contains(&format!("image_{number}.png: ")), "{}", said.stdout);
    }
}

#[test]
fn mixed_asks_for_all_three_at_once() {
    let gate = Gate::new();
    let server = Server::start(move |request| {
        if request.number == 3 {
            gate.open();
        }
        let reply = match request.path.as_str() {
            "/images/generations" => Reply::json(&json!({"data": [{"b64_json": PIXEL}]})),
            _ => Reply::chat(request.prompt()),
        };
        reply.held_by(&gate)
    });
    let said = Program::asking("mixed", &server).run();
    assert_eq!(said.stdout, "text: Describe a sunset\npicture: 70 bytes\nreply: Hello\n");
    assert!(Program::offline("mixed").run().stdout.contains("\npicture: "));
}

/// A PNG of one pixel.
const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

#[tokio::test(start_paused = true)]
async fn batches_go_one_after_another_with_a_pause() {
    let articles: Vec<String> = (1..=12).map(|number| number.to_string()).collect();
    let began = Instant::now();
    let summaries = examples::batches::summarize(&slow(1), &articles).await.unwrap();
    assert_eq!(summaries.len(), 12);
    // Three batches of a second, and two pauses.
    assert_eq!(began.elapsed().as_millis(), 3 * 1000 + 2 * 500);
    let said = Program::offline("batches").run();
    assert_eq!(said.stdout, "Batch 1 ..\nBatch 2 ..\nBatch 3 ..\nBatch 4 ..\n20 summaries\n");
}

#[test]
fn stream_shows_the_text_while_it_comes() {
    let gate = Gate::new();
    let held = gate.clone();
    let server = Server::start(move |_| {
        let reply = Reply::stream(&["Once upon ", "a time"]);
        let second = String::from_utf8_lossy(reply.body()).find("a time").unwrap();
        // Before the event in which it stands.
        reply.held_within(second - 100, &held)
    });
    let mut going = Program::asking("stream", &server).start();
    going.hear("Once upon ");
    gate.open();
    let (code, said) = going.end();
    assert_eq!((code, said.stdout.as_str()), (Some(0), "a time\n"));
    assert!(Program::offline("stream").run().stdout.starts_with("[offline] On “a short story”"));
}

#[test]
fn stream_words_counts_words_and_not_pieces() {
    let server = Server::start(|_| Reply::stream(&["One tw", "o three", " four"]));
    let said = Program::asking("stream_words", &server).run();
    let counts = "\rWords: 2\rWords: 3\rWords: 4\n";
    assert_eq!(said.stdout, format!("{counts}Words in all: 4\nCharacters in all: 18\n"));
    let said = Program::offline("stream_words").run();
    assert!(said.stdout.matches("\rWords: ").count() > 3, "{}", said.stdout);
}

#[test]
fn many_streams_are_told_apart() {
    let gate = Gate::new();
    let server = Server::start(move |request| {
        if request.number == 3 {
            gate.open();
        }
        let (first, second) = (format!("{} ..\n", request.prompt()), "done".to_owned());
        Reply::stream(&[&first, &second]).held_by(&gate)
    });
    let said = Program::asking("many_streams", &server).run();
    for line in
        [" numbers │ Count to 5 ..", "  colors │ List 3 colors ..", " animals │ Name 3 animals ..", " animals │ done"]
    {
        assert!(said.stdout.lines().any(|said| said == line), "{line}: {}", said.stdout);
    }
    assert!(said.stdout.ends_with("(18, 21, 22) characters\n"), "{}", said.stdout);
    assert!(Program::offline("many_streams").run().stdout.contains("  colors │ - "));
}

#[test]
fn errors_say_what_to_try() {
    let said = Program::new("errors").run();
    let told: Vec<&str> = said.stderr.lines().collect();
    assert!(told[0].starts_with("No key for `pollinations`"), "{}", said.stderr);
    assert!(told[1].starts_with("Try this: ") && told[1].contains("key"), "{}", said.stderr);
    assert!(told[2].starts_with("It is about the key") && told[2].ends_with("(Requests sent: 0)"), "{}", said.stderr);
    let server = Server::start(|_| Reply::error(400, "BAD_REQUEST", "No such thing"));
    let said = Program::asking("errors", &server).run();
    assert!(said.stderr.contains("No such thing"), "{}", said.stderr);
    assert!(said.stderr.ends_with("It will not pass by itself. (Requests sent: 1)\n"), "{}", said.stderr);
    assert!(Program::offline("errors").run().stdout.starts_with("[offline]"));
}

#[test]
fn some_errors_leave_the_others_alone() {
    let said = Program::offline("some_errors").run();
    let lines: Vec<&str> = said.stdout.lines().collect();
    assert!(lines[0].starts_with("1 came out: [offline] On “a river”"), "{}", said.stdout);
    assert!(lines[1].starts_with("2 failed: ") && lines[1].contains("empty"), "{}", said.stdout);
    assert!(lines[2].starts_with("3 came out: [offline] On “a lake”"), "{}", said.stdout);
}

#[test]
fn retry_goes_on_by_its_own_policy() {
    let server = Server::start(|request| match (request.prompt().as_str(), request.attempt) {
        ("Hello", 1 | 2) | ("Goodbye", 1) => Reply::error(500, "INTERNAL_ERROR", "Not now"),
        _ => Reply::chat(request.prompt()),
    });
    let said = Program::asking("retry", &server).run();
    let lines: Vec<&str> = said.stdout.lines().collect();
    assert_eq!(lines.len(), 4, "{}", said.stdout);
    assert!(lines[0].starts_with("Attempt 1 failed (") && lines[0].ends_with("again in 200ms"), "{}", said.stdout);
    assert!(lines[1].starts_with("Attempt 2 failed (") && lines[1].ends_with("again in 400ms"), "{}", said.stdout);
    assert_eq!(lines[2..], ["Hello", "Goodbye"]);
    assert_eq!((server.count("Hello"), server.count("Goodbye")), (3, 2));
    assert_eq!(Program::offline("retry").run().stdout.matches("[offline]").count(), 2);
}

#[tokio::test]
async fn retry_by_hand_gives_up_at_last_and_at_once_where_it_is_no_use() {
    let server = Server::start(|request| match request.prompt().as_str() {
        "Wrong" => Reply::error(400, "BAD_REQUEST", "No such thing"),
        _ => Reply::error(500, "INTERNAL_ERROR", "Not now"),
    });
    let blossom = asking(&server);
    let error = examples::retry::patiently(&blossom, "Hello", 2).await.unwrap_err();
    assert_eq!((error.kind(), server.count("Hello")), (FailureKind::Server, 2));
    let error = examples::retry::patiently(&blossom, "Wrong", 4).await.unwrap_err();
    assert_eq!((error.kind(), server.count("Wrong")), (FailureKind::BadRequest, 1));
}

#[tokio::test(start_paused = true)]
async fn timeout_gives_no_answer_after_five_seconds() {
    let began = Instant::now();
    let answer = examples::timeout::in_time(&slow(20), "Tell the whole history of the sea").await.unwrap();
    assert_eq!((answer, began.elapsed().as_secs()), (None, 5));
    assert!(examples::timeout::in_time(&slow(2), "Tell").await.unwrap().is_some());
    assert!(Program::offline("timeout").run().stdout.starts_with("[offline]"));
}

#[tokio::test]
async fn tidy_takes_back_what_it_does_not_need() {
    let never = Gate::new();
    let server = Server::start(move |request| {
        let reply = Reply::chat("Here I am");
        if request.number == 3 { reply } else { reply.held_by(&never) }
    });
    let blossom = asking(&server);
    let answer = examples::tidy::quickest(&blossom, "Hello").await.unwrap();
    assert_eq!(answer.text, "Here I am");
    // The client is still there: what is closed are the two requests that were dropped.
    patiently(server.left(2)).await;
    drop(blossom);
    assert!(Program::offline("tidy").run().stdout.starts_with("[offline]"));
}

#[test]
fn concurrency_is_no_more_than_five() {
    // The first is answered when the fifth has come, the second when the sixth has, and so on: there are always five.
    let gates: Vec<Gate> = (0..100).map(|_| Gate::new()).collect();
    let server = Server::start(move |request| {
        let number = request.number;
        let answered = if number == 100 { &gates[..] } else { &gates[..number.saturating_sub(4)] };
        answered.iter().for_each(Gate::open);
        Reply::chat(request.prompt()).held_by(&gates[number - 1])
    });
    let said = Program::asking("concurrency", &server).run();
    assert_eq!(said.stdout, "100 answers\n");
    assert_eq!((server.peak(), server.requests().len()), (5, 100));
    assert_eq!(Program::offline("concurrency").run().stdout, "100 answers\n");
}

#[test]
fn partial_failures_are_told_beside_what_came_out() {
    let said = Program::offline("partial_failures").run();
    assert!(said.stdout.starts_with("2 came out\n1 failed\n  \"\": "), "{}", said.stdout);
}

#[tokio::test]
async fn task_group_ends_with_the_first_failure() {
    let (all_are_asked, never) = (Gate::new(), Gate::new());
    let server = Server::start(move |request| {
        if request.number == 3 {
            all_are_asked.open();
        }
        match request.prompt().as_str() {
            "Question 2" => Reply::error(400, "BAD_REQUEST", "No such thing").held_by(&all_are_asked),
            _ => Reply::chat("Yes").held_by(&never),
        }
    });
    let blossom = asking(&server);
    let questions = ["Question 1", "Question 2", "Question 3"];
    let error = examples::task_group::all_or_nothing(&blossom, &questions).await.unwrap_err();
    assert!(error.to_string().contains("No such thing"), "{error}");
    patiently(server.left(2)).await;
    drop(blossom);
    assert_eq!(Program::offline("task_group").run().stdout.matches("[offline]").count(), 3);
}

#[tokio::test]
async fn progress_counts_each_answer() {
    let blossom = Blossom::builder().provider("offline").build().unwrap();
    let bar = ProgressBar::hidden();
    let answers = examples::progress::process(&blossom, 20, &bar).await.unwrap();
    assert_eq!((answers.len(), bar.position()), (20, 20));
    assert_eq!(Program::offline("progress").run().stdout, "20 answers\n");
}

#[test]
fn web_server_answers_its_visitors() {
    let mut going = Program::offline("web_server").env("PORT", "0").start();
    let address = going.address();
    let (status, answer) = http(&address, "GET", "/generate?prompt=Name+a+river", "");
    assert_eq!(status, 200);
    assert!(answer["response"].as_str().unwrap().starts_with("[offline] On “a river”"), "{answer}");
    let (status, answer) = http(&address, "POST", "/batch", r#"["Name a river", "Name a lake"]"#);
    assert_eq!(status, 200);
    let responses: Vec<&str> = answer["responses"].as_array().unwrap().iter().filter_map(|one| one.as_str()).collect();
    assert!(responses[0].contains("river") && responses[1].contains("lake"), "{answer}");
    let (status, answer) = http(&address, "POST", "/batch", r#"["Name a river", ""]"#);
    assert_eq!(status, 400);
    assert!(answer["error"].as_str().unwrap().contains("empty") && answer["suggestion"].is_string(), "{answer}");
    assert_eq!(http(&address, "GET", "/generate", "").0, 400);
    going.kill();
}

#[test]
fn web_server_tells_what_the_service_says() {
    let server = Server::start(|_| Reply::error(401, "UNAUTHORIZED", "Who are you?"));
    let mut going = Program::asking("web_server", &server).env("PORT", "0").start();
    let (status, answer) = http(&going.address(), "GET", "/generate?prompt=Hello", "");
    assert_eq!(status, 502, "{answer}");
    assert!(answer["error"].is_string(), "{answer}");
    going.kill();
}

#[test]
fn run_pipeline_tells_what_happens() {
    let said = Program::offline("run_pipeline").arg(root("pipelines/release-notes/pipeline.yaml")).run();
    assert!(said.stdout.contains(" took "), "{}", said.stdout);
    assert!(said.stdout.ends_with("Done\n"), "{}", said.stdout);
    assert!(said.file("out/release-notes-2.4.0.md").is_file());
    let broken = Program::offline("run_pipeline").with_file("a.yaml", "name: a\nstages: {b: {text: '{{c}}'}}\n").fail();
    assert!(broken.stderr.contains("a.yaml:2:"), "{}", broken.stderr);
}

#[test]
fn pipeline_server_runs_a_pipeline_for_each_request() {
    let server = Program::offline("pipeline_server").env("PORT", "0");
    let mut going = server.with_file("generate.yaml", &pipeline("generate")).start();
    let address = going.address();
    let (status, answer) = http(&address, "POST", "/", r#"{"prompt": "Name a sea"}"#);
    assert_eq!(status, 200, "{answer}");
    assert!(answer["outputs"]["response"].as_str().unwrap().starts_with("[offline] On “a sea”"), "{answer}");
    assert!(answer["events"].as_u64().unwrap() > 4, "{answer}");
    let (status, answer) = http(&address, "POST", "/", r#"{"promt": "Name a sea"}"#);
    assert_eq!(status, 400);
    assert!(answer["mistakes"][0].as_str().unwrap().contains("promt"), "{answer}");
    going.kill();
}

#[tokio::test]
async fn three_stages_do_not_wait_for_each_other() {
    let gate = Gate::new();
    let opened = gate.clone();
    let server = Server::start(move |request| {
        let reply = Reply::chat(request.prompt());
        match request.prompt().as_str() {
            // The first analysis comes when others are summarized already.
            "Analyze: 1" => reply.held_by(&opened),
            "Summarize: Analyze: 3" => {
                opened.open();
                reply
            }
            _ => reply,
        }
    });
    let blossom = asking(&server);
    let report = patiently(examples::three_stages::report(&blossom, &["1", "2", "3"])).await.unwrap();
    let summaries = "Summarize: Analyze: 1\n\nSummarize: Analyze: 2\n\nSummarize: Analyze: 3";
    assert_eq!(report.text, format!("Create a final report from:\n{summaries}"));
    assert_eq!(server.requests().len(), 7);
    assert!(Program::offline("three_stages").run().stdout.contains("Data 3"));
    drop(gate);
}

#[test]
fn chat_bot_remembers_what_was_said() {
    let said = Program::offline("chat_bot").stdin("Tell me a joke\nAnd another one\n").run();
    let lines: Vec<&str> = said.stdout.lines().collect();
    assert!(lines[0].starts_with("Bot: [offline] On “Hello!”"), "{}", said.stdout);
    assert!(lines[1].starts_with("Bot: [offline] Turn 2, after “Hello”"), "{}", said.stdout);
    assert!(lines[2].starts_with("Bot: [offline] Turn 3"), "{}", said.stdout);
    let server = Server::start(|request| match request.number {
        1 => Reply::chat("Hi"),
        _ => Reply::stream(&["Knock ", "knock"]),
    });
    let said = Program::asking("chat_bot", &server).stdin("Tell me a joke\nWho is there?\n").run();
    assert_eq!(said.stdout, "Bot: Hi\nBot: Knock knock\nBot: Knock knock\n");
    let last = server.requests().pop().unwrap().json();
    let turns: Vec<(&str, &str)> = last["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|turn| (turn["role"].as_str().unwrap(), turn["content"].as_str().unwrap()))
        .collect();
    let (user, bot) = (Role::User.name(), Role::Assistant.name());
    assert_eq!(
        turns,
        [(user, "Hello!"), (bot, "Hi"), (user, "Tell me a joke"), (bot, "Knock knock"), (user, "Who is there?")]
    );
}
