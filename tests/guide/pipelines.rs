//! Each pipeline of the guide does what is said of it.

use std::time::Duration;

use blossom_run::model::{EventKind, FailureKind, Json};

use crate::cli::{Cli, Ran};
use crate::page::pipeline;
use crate::scene::Scene;

/// The program with a pipeline of the guide beside it.
fn cli(name: &str, flags: &str) -> Cli {
    Cli::new(&format!("{name}.yaml --progress none {flags}")).file(&format!("{name}.yaml"), pipeline(name))
}

/// The request of a stage, as `show` prints it.
fn shown(name: &str, stage: &str) -> Json {
    let ran = Cli::new(&format!("show {name}.yaml {stage} --offline")).file(&format!("{name}.yaml"), pipeline(name));
    let printed = ran.run().exit(0).stdout;
    let body = printed.find('{').expect("a body");
    serde_json::from_str(&printed[body..]).unwrap_or_else(|error| panic!("{error}: {printed}"))
}

/// What `--json` prints, from the field `outputs`.
fn outputs(ran: &Ran) -> Json {
    serde_json::from_str::<Json>(&ran.stdout).expect("JSON")["outputs"].clone()
}

#[tokio::test(start_paused = true)]
async fn questions_take_two_seconds_at_once_and_six_in_turn() {
    let at_once = Scene::of("three-questions").run().await.is_done();
    assert_eq!(at_once.took().as_secs(), 2);
    assert_eq!(at_once.rows("answers.jsonl").len(), 3);
    let in_turn = Scene::of("three-questions").but("concurrency: 3", "concurrency: 1").run().await.is_done();
    assert_eq!(in_turn.took().as_secs(), 6);
}

#[test]
fn a_run_prints_its_answer_and_returns() {
    let ran = cli("hello", "--offline -q").run().exit(0).stderr("");
    assert!(ran.stdout.starts_with("[offline] On “Hello, async world!”"), "{}", ran.stdout);
    let blocked = cli("hello", "-q").run().exit(5);
    assert!(blocked.stderr.contains("POLLINATIONS_API_KEY"), "{}", blocked.stderr);
}

#[tokio::test(start_paused = true)]
async fn an_answer_has_no_more_tokens_than_it_may() {
    assert_eq!(shown("explain", "explain")["max_tokens"], 200);
    let bytes = async |most: &str| {
        let scene = Scene::of("explain").but("max_tokens: 200", &format!("max_tokens: {most}\n    save: explain.txt"));
        scene.run().await.is_done().text("explain.txt").trim_end().len()
    };
    let (many, few) = (bytes("200").await, bytes("8").await);
    assert!(many > 8 * 4 && few <= 8 * 4, "{many} bytes and {few} bytes");
}

#[tokio::test(start_paused = true)]
async fn a_picture_is_saved_in_its_size() {
    assert_eq!(shown("sunset", "sunset")["model"], "flux");
    let ran = Scene::of("sunset").run().await.is_done();
    assert_eq!(image::image_dimensions(ran.file("sunset.png")).unwrap(), (1024, 1024));
}

#[test]
fn a_conversation_is_sent_as_it_stands() {
    let request = shown("teacher", "answer");
    assert_eq!(request["model"], "openai");
    let said = |number: usize| [&request["messages"][number]["role"], &request["messages"][number]["content"]];
    assert_eq!(said(0), ["system", "You are a helpful assistant"]);
    assert_eq!(said(1), ["user", "What is async/await?"]);
    let ran = cli("teacher", "--offline -q").run().exit(0);
    assert!(ran.stdout.starts_with("[offline] On “What is async/await?”"), "{}", ran.stdout);
}

#[tokio::test(start_paused = true)]
async fn many_texts_are_asked_for_at_once_and_come_in_order() {
    let ran = Scene::of("languages").but("{{join line}}\"", "{{join line}}\"\n    save: list.txt");
    let ran = ran.slowly("1s").run().await.is_done();
    assert_eq!((ran.peak(), ran.took().as_secs()), (4, 1));
    let list = ran.text("list.txt");
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines.len(), 4);
    for (line, begins) in
        lines.iter().zip(["1. [offline] On “What is Python", "2. ", "3. ", "4. [offline] On “What is Go"])
    {
        assert!(line.starts_with(begins) && line.chars().count() <= 104, "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn many_pictures_become_files() {
    let ran = Scene::of("four-pictures").slowly("3s").run().await.is_done();
    assert_eq!((ran.peak(), ran.took().as_secs()), (4, 3));
    for number in 0..4 {
        let path = format!("image_{number}.png");
        assert_eq!(image::image_dimensions(ran.file(&path)).unwrap(), (512, 512));
        let saved = |kind: &EventKind| matches!(kind, EventKind::Saved { path: saved, .. } if **saved == *path);
        ran.place(saved);
    }
}

#[tokio::test(start_paused = true)]
async fn stages_that_do_not_name_each_other_run_at_once() {
    let ran = Scene::of("mixed").slowly("2s").run().await.is_done();
    assert_eq!((ran.peak(), ran.took().as_secs()), (3, 2));
    let ran = cli("mixed", "--offline -q --json").run().exit(0);
    let outputs = outputs(&ran);
    assert!(outputs["text"].as_str().unwrap().starts_with("[offline]"), "{outputs}");
    assert!(outputs["picture"].as_str().unwrap().ends_with(" bytes"), "{outputs}");
    assert!(outputs["reply"].as_str().unwrap().contains("Hello"), "{outputs}");
}

#[tokio::test(start_paused = true)]
async fn waves_start_in_groups() {
    let ran = Scene::of("batches").slowly("1s").run().await.is_done();
    // Four waves of a second, and three pauses.
    assert_eq!(ran.took().as_millis(), 4 * 1000 + 3 * 500);
    for wave in ran.course().chunks(10) {
        let (sent, ended) = wave.split_at(5);
        assert!(sent.iter().all(|step| step.starts_with('+')), "{wave:?}");
        assert!(ended.iter().all(|step| step.starts_with('-')), "{wave:?}");
    }
    assert_eq!(ran.rows("summaries.jsonl").len(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_told_piece_by_piece() {
    let ran = Scene::of("story").streaming().run().await.is_done();
    assert!(ran.pieces("story").len() > 3, "{:?}", ran.pieces("story"));
    let shown = cli("story", "--offline -q --stream").run().exit(0);
    assert_eq!(shown.stdout.trim_end(), ran.pieces("story").concat());
    assert!(shown.stderr.contains(shown.stdout.trim_end()), "{}", shown.stderr);
}

#[tokio::test(start_paused = true)]
async fn pieces_can_be_counted_as_they_come() {
    let ran =
        Scene::of("counted").but("characters\"}", "characters\", save: count.txt}").streaming().run().await.is_done();
    let mut text = String::new();
    let counts: Vec<usize> = ran
        .pieces("explain")
        .iter()
        .map(|piece| {
            text.push_str(piece);
            text.split_whitespace().count()
        })
        .collect();
    assert!(counts.len() > 3 && counts.is_sorted(), "{counts:?}");
    let all = counts.last().unwrap();
    assert_eq!(ran.text("count.txt"), format!("{all} words, {} characters\n", text.chars().count()));
    // The same from the program, as events.
    let told = cli("counted", "--offline -q --stream --events -").run().exit(0).stdout;
    let events = told.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    let chunks =
        events.filter(|event| event["event"] == "chunk").map(|event| event["text"].as_str().unwrap().to_owned());
    assert_eq!(chunks.collect::<String>(), text);
}

#[tokio::test(start_paused = true)]
async fn several_streams_are_told_apart() {
    let ran = Scene::of("three-streams").slowly("1s").streaming().run().await.is_done();
    let speakers: Vec<&str> = ran
        .events
        .iter()
        .filter_map(|kind| if let EventKind::Chunk { item, .. } = kind { Some(&*item.stage) } else { None })
        .collect();
    let first_end = ran.place(|kind| matches!(kind, EventKind::Done { .. }));
    for stage in ["numbers", "colors", "animals"] {
        assert!(speakers.contains(&stage), "{speakers:?}");
        let begun = ran.place(|kind| matches!(kind, EventKind::Chunk { item, .. } if &*item.stage == stage));
        assert!(begun < first_end, "`{stage}` speaks before any of them has come to its end");
    }
    let shown = cli("three-streams", "--offline -q --stream").run().exit(0).stderr;
    for stage in ["numbers", "colors", "animals"] {
        assert!(shown.lines().any(|line| line.starts_with(&format!("{stage} │"))), "{shown}");
    }
}

#[test]
fn a_failure_says_what_to_try() {
    let ran = cli("careful", "").run().exit(4);
    let summary = "\
Failed
  hello: Rehearsed failure: the service is not available
    lower `fail` of this provider to rehearse fewer failures
";
    assert!(ran.stderr.contains(summary), "{}", ran.stderr);
    assert!(crate::page::guide().contains(summary), "the guide shows what is said");
}

#[tokio::test(start_paused = true)]
async fn a_value_stands_in_for_an_answer_that_failed() {
    let ran = Scene::of("some-fail").run().await.is_done();
    assert_eq!((ran.tally("answer").done, ran.tally("answer").replaced), (2, 1));
    let rows = ran.rows("answers.jsonl");
    assert_eq!(rows[1]["answer"], "Error: there is no answer to number 2");
    assert!(rows[2]["answer"].as_str().unwrap().starts_with("[offline]"), "{rows:?}");
    assert_eq!(ran.course().iter().filter(|step| step.starts_with('+')).count(), 2, "nobody is asked nothing");
}

#[tokio::test(start_paused = true)]
async fn a_failed_attempt_is_repeated_after_a_pause_that_doubles() {
    let ran = Scene::of("stubborn").run().await.is_done();
    let pauses = ran.events.iter().filter_map(|kind| match kind {
        EventKind::AttemptFailed { retry_in, .. } => Some(retry_in.unwrap().as_secs()),
        _ => None,
    });
    assert_eq!(pauses.collect::<Vec<_>>(), [1, 2]);
    assert_eq!(ran.took().as_secs(), 3);
    assert!(ran.events.iter().any(|kind| matches!(kind, EventKind::Done { attempts: 3, .. })));
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_runs_out_is_a_failure() {
    let ran = Scene::of("patience").run().await.is_done();
    assert_eq!(ran.took(), Duration::from_secs(5));
    let kinds = ran.events.iter().filter_map(|kind| match kind {
        EventKind::Replaced { failure, .. } => Some(failure.kind),
        _ => None,
    });
    assert_eq!(kinds.collect::<Vec<_>>(), [FailureKind::Timeout]);
    let patient = Scene::of("patience").but("total: 5s", "total: 30s").run().await.is_done();
    assert_eq!((patient.tally("answer").done, patient.took().as_secs()), (1, 20));
}

#[test]
fn what_a_failed_run_has_made_is_whole_and_kept() {
    let ran = cli("tidy", "-q").run().exit(4);
    assert_eq!(ran.files(), ["out/.blossom-run.lock", "out/draft.txt", "tidy.yaml"]);
    let draft = ran.read("out/draft.txt");
    // The service is well again.
    let mended = pipeline("tidy").replace("fail: 100%", "fail: 0%");
    let ran = ran.then("resume --progress none --json -q").file("tidy.yaml", mended).run().exit(0);
    let told: Json = serde_json::from_str(&ran.stdout).unwrap();
    let calls: Vec<&Json> = told["stages"].as_array().unwrap().iter().map(|stage| &stage["calls"]).collect();
    assert_eq!(calls, [&Json::from(0), &Json::from(1)], "the draft is not asked for again");
    assert_eq!(ran.read("out/draft.txt"), draft);
    assert!(ran.read("out/title.txt").ends_with('\n'));
}

#[tokio::test(start_paused = true)]
async fn no_more_are_on_the_wire_than_are_let() {
    let ran = Scene::of("five-at-once").run().await.is_done();
    assert_eq!((ran.peak(), ran.tally("result").done), (5, 100));
    let ran = Scene::of("five-at-once").but("concurrency: 5", "concurrency: 2").run().await.is_done();
    assert_eq!(ran.peak(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_others_go_on_without_those_that_failed() {
    let ran = Scene::of("partial").run().await.has_failed();
    assert_eq!((ran.tally("fact").failed, ran.tally("fact").done), (2, 3));
    assert_eq!(ran.tally("facts").done, 1);
    assert_eq!(ran.text("facts.txt").matches("[offline]").count(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_first_failure_ends_the_run() {
    let ran = Scene::of("all-or-nothing").run().await.has_failed();
    let tally = ran.tally("answer");
    assert_eq!((tally.done, tally.failed, tally.not_started), (5, 1, 2));
    let course = ran.course();
    let failed = course.iter().position(|step| step == "-answer/6").unwrap();
    assert!(course[failed..].iter().all(|step| step.starts_with('-')), "nothing is sent afterwards: {course:?}");
    assert!(course[failed..].contains(&"-answer/5".to_owned()), "what is on the wire comes to its end: {course:?}");
}

#[test]
fn progress_is_told_on_the_way() {
    let ran = Cli::new("twenty.yaml --offline --progress lines").file("twenty.yaml", pipeline("twenty")).run().exit(0);
    assert!(ran.stderr.contains("result: 20 of 20"), "{}", ran.stderr);
    let told = cli("twenty", "--offline -q --events -").run().exit(0).stdout;
    let done = told.lines().filter(|line| serde_json::from_str::<Json>(line).unwrap()["event"] == "done").count();
    assert_eq!(done, 20);
}

#[test]
fn a_run_answers_a_request() {
    let asked = cli("generate", "--offline -q --json -i").arg("prompt=Name a sea").run().exit(0);
    assert!(outputs(&asked)["response"].as_str().unwrap().contains("sea"), "{}", asked.stdout);
    let prompts = "\"Name a moor\"\n\"Name a hill\"\n";
    let asked = cli("batch", "--offline -q --json -i prompts=-").stdin(prompts).run().exit(0);
    let outputs = outputs(&asked);
    let responses = outputs["responses"].as_array().unwrap();
    assert!(responses[0].as_str().unwrap().contains("moor"), "{outputs}");
    assert!(responses[1].as_str().unwrap().contains("hill"), "{outputs}");
}

#[tokio::test(start_paused = true)]
async fn a_summary_does_not_wait_for_other_analyses() {
    let ran = Scene::of("three-stages").run().await.is_done();
    let course = ran.course();
    let place = |step: &str| course.iter().position(|one| one == step).unwrap_or_else(|| panic!("{step}: {course:?}"));
    let last_analysis = course.iter().rposition(|step| step.starts_with("-analyze")).unwrap();
    let first_summary = course.iter().position(|step| step.starts_with("+summarize")).unwrap();
    assert!(first_summary < last_analysis, "{course:?}");
    let last_summary = course.iter().rposition(|step| step.starts_with("-summarize")).unwrap();
    assert!(place("+report") > last_summary, "{course:?}");
    assert!(ran.text("report.md").contains("Data 3"));
}

#[tokio::test(start_paused = true)]
async fn a_conversation_goes_on_with_its_own_answers() {
    let ran = Scene::of("talk").run().await.is_done();
    let rows = ran.rows("replies.jsonl");
    let begin = ["[offline] On “Hello!”", "[offline] Turn 2, after “Hello", "[offline] Turn 3"];
    assert_eq!(rows.len(), begin.len());
    for (row, begin) in rows.iter().zip(begin) {
        assert!(row["reply"].as_str().unwrap().starts_with(begin), "{row}");
    }
    assert_eq!(ran.peak(), 1, "an answer waits for the one before it");
}

#[test]
fn a_conversation_is_shown_as_it_comes() {
    let ran = cli("talk", "--offline -q --stream").run().exit(0);
    let (second, third) = (ran.stderr.find("Turn 2").unwrap(), ran.stderr.find("Turn 3").unwrap());
    assert!(second < third, "{}", ran.stderr);
}
