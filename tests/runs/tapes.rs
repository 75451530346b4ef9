//! Tapes: what a run has used, carried elsewhere, answers another run without a service.

use std::fs;

use serde_json::Value;

use crate::cli::{Cli, Ran};
use crate::scene::dedent;
use crate::support::server::{Reply, Server};

const PLANTED: &str = "sk_planted_0123456789";

fn cli(words: &str, server: &Server, body: &str) -> Cli {
    let url = &server.url;
    let head = format!(
        "name: show\nproviders:\n  test: {{kind: openai, base_url: \"{url}\", api_key: {{env: TEST_KEY}}}}\n\
         defaults: {{provider: test, model: m, retry: {{attempts: 2, backoff: 1ms, jitter: false}}}}\n"
    );
    Cli::new(&format!("show.yaml {words}")).file("show.yaml", head + &dedent(body))
}

fn record(words: &str, server: &Server, body: &str) -> Ran {
    cli(&format!("--record tape.jsonl {words}"), server, body).env("TEST_KEY", PLANTED).run()
}

/// The tape of another run with its pictures, and no key.
fn replay(words: &str, tape: &Ran, server: &Server, body: &str) -> Cli {
    let cli = cli(&format!("--replay tape.jsonl {words}"), server, body).file("tape.jsonl", tape.read("tape.jsonl"));
    tape.files().iter().filter(|file| file.starts_with("tape.jsonl.blobs/")).fold(cli, |cli, file| {
        let bytes = fs::read(tape.path(file)).unwrap();
        cli.file(file, bytes)
    })
}

/// Everything in the output folder.
fn outputs(ran: &Ran) -> Vec<(String, Vec<u8>)> {
    let files = ran.files().into_iter().filter(|file| file.starts_with("out/") && file != "out/.blossom-run.lock");
    files.map(|file| (file.clone(), fs::read(ran.path(&file)).unwrap())).collect()
}

/// The texts of all pieces that were shown, from `--events -`.
fn chunks(ran: &Ran) -> Vec<String> {
    let events = ran.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.filter(|event| event["event"] == "chunk").map(|event| event["text"].as_str().unwrap().to_owned()).collect()
}

fn service() -> Server {
    Server::start(|request| match request.path.as_str() {
        path if path.ends_with("/images/generations") => Reply::picture(&request.prompt()),
        _ => Reply::chat(request.prompt()),
    })
}

const TOWNS: &str = "
    inputs:
      towns: {type: items, default: [ulm, bad, jena]}
    stages:
      motto: {for_each: {town: towns}, text: 'Motto of {{town}}, in two sentences and without any rhyme',
              concurrency: 1, save: motto.jsonl, on_error: {value: none}}
      cover: {image: 'Cover of {{join motto \", \"}}', save: cover.png}
      best: {text: 'Best of {{join motto \", \"}}', save: best.md}
    outputs: {best: '{{best}}'}
    ";

#[test]
fn a_replayed_run_is_the_recorded_one_and_nothing_is_sent() {
    let server = service();
    let recorded = record("", &server, TOWNS).exit(0);
    assert!(
        recorded.stderr.starts_with("show: run [run], answers are kept in .blossom, recorded on tape.jsonl\n"),
        "{recorded:?}"
    );
    let connections = server.connections();
    let replayed = replay("", &recorded, &server, TOWNS).run().exit(0);
    assert_eq!(server.connections(), connections, "no socket is opened");
    assert_eq!(outputs(&replayed), outputs(&recorded));
    assert_eq!(replayed.stdout, recorded.stdout);
    assert!(!replayed.path(".blossom").exists(), "no store is made");
    assert!(replayed.stderr.starts_with("show: run [run], answers come from the tape tape.jsonl\n"), "{replayed:?}");
    let table = "stage   items  done  reused  each time\n\
                 motto       3     0       3 [time] [time]\n\
                 cover       1     0       1 [time] [time]\n\
                 best        1     0       1 [time] [time]\n\
                 in all      5     0       5 [time]\n";
    assert!(replayed.stderr.contains(table), "{replayed:?}");
}

#[test]
fn a_replayed_run_needs_no_prices() {
    let server = service();
    let body = "
    budget: {cost: 1}
    stages: {letter: {text: Write, max_tokens: 9, save: letter.txt}}
    ";
    let recorded = record("--allow-unpriced", &server, body).exit(0);
    let sent = server.requests().len();
    let replayed = replay("", &recorded, &server, body).run().exit(0);
    assert_eq!(outputs(&replayed), outputs(&recorded));
    assert_eq!(server.requests().len(), sent, "nothing is sent");
}

#[test]
fn a_call_that_is_not_there_is_told_with_the_nearest_one() {
    let server = service();
    let recorded = record("", &server, TOWNS).exit(0);
    let sent = server.requests().len();
    let body =
        TOWNS.replace("without any rhyme", "with a rhyme").replace("concurrency: 1", "max_tokens: 200, concurrency: 1");
    let replayed = replay("-q -i towns=towns.jsonl --only motto", &recorded, &server, &body)
        .file("towns.jsonl", "\"bad\"\n")
        .run()
        .exit(4);
    assert_eq!(server.requests().len(), sent);
    // No value of `on_error` stands in for it.
    let tape = recorded.read("tape.jsonl");
    let line =
        tape.lines().position(|line| line.contains("Motto of bad, in") && line.contains("\"motto\"")).unwrap() + 1;
    let expected = "Failed\n  \
           motto/bad: The tape has no such call; the nearest of `motto`, in line [line] of `tape.jsonl`, differs: \
         messages[0]: \".. in two sentences and [-without any-]{+with a+} rhyme\"; params.max_tokens: nothing -> 200\n    \
             record it again with `--record tape.jsonl`, or ask as it was recorded\n";
    replayed.stderr(&expected.replace("[line]", &line.to_string()));
}

#[test]
fn a_stage_that_was_not_recorded_is_told() {
    let server = service();
    let recorded = record("", &server, "stages: {a: {text: Write}}").exit(0);
    let replayed = replay("-q", &recorded, &server, "stages: {b: {text: Write}}").run().exit(4);
    replayed.stderr(
        "Failed\n  b: The tape has no call of `b` at all (`tape.jsonl`)\n    \
             record it again with `--record tape.jsonl`, or ask as it was recorded\n",
    );
}

#[test]
fn the_same_answers_are_the_same_tape_wherever_they_come_from() {
    let server = service();
    let store = tempfile::tempdir().unwrap();
    let words = format!("--store {}", store.path().display());
    let first = record(&words, &server, TOWNS).exit(0);
    let sent = server.requests().len();
    let kept = record(&words, &server, TOWNS).exit(0);
    assert_eq!(server.requests().len(), sent, "all of them were kept");
    let anew = record("--concurrency 1", &server, TOWNS).exit(0);
    assert_eq!(server.requests().len(), 2 * sent);
    for other in [kept, anew] {
        assert_eq!(other.read("tape.jsonl"), first.read("tape.jsonl"));
        let pictures = |ran: &Ran| ran.files().into_iter().filter(|file| file.contains(".blobs/")).collect::<Vec<_>>();
        assert_eq!(pictures(&other), pictures(&first));
    }
}

#[test]
fn a_stream_is_shown_in_the_pieces_in_which_it_came() {
    let server = Server::start(|_| Reply::stream(&["Dear all,\n", "it is", " late"]));
    let body = "stages: {letter: {text: Write}}";
    let recorded = record("--stream --events -", &server, body).exit(0);
    assert_eq!(chunks(&recorded), ["Dear all,\n", "it is", " late"]);
    let replayed = replay("--stream --events -", &recorded, &server, body).run().exit(0);
    assert_eq!(chunks(&replayed), chunks(&recorded));
    assert!(replayed.stderr.contains("\nDear all,\nit is late\nletter: 1 of 1"), "{replayed:?}");
    assert_eq!(chunks(&replay("--events -", &recorded, &server, body).run().exit(0)), [""; 0], "unless nobody asks");
}

#[test]
fn a_key_that_a_service_repeats_is_on_no_tape() {
    let (first, last) = PLANTED.split_at(9);
    let server = Server::start(move |request| match request.path.as_str() {
        path if path.ends_with("/images/generations") => Reply::picture(&request.prompt()),
        _ if request.prompt() == "Write" => Reply::stream(&["Your key is ", first, last, "."]),
        _ => Reply::chat(format!("{} {PLANTED}", request.prompt())).header("x-request-id", PLANTED),
    });
    let body = "
        stages:
          letter: {text: Write, stream: true}
          reply: {text: 'Reply to {{letter}}'}
          cover: {image: 'Cover of {{reply}}', save: cover.png}
        ";
    let recorded = record("--stream", &server, body).exit(0);
    let tape = recorded.read("tape.jsonl");
    assert!(tape.contains("Your key is [key]."), "{tape}");
    for piece in [PLANTED, first, last] {
        assert!(!tape.contains(piece), "{tape}");
    }
    let replayed = replay("--stream", &recorded, &server, body).run().exit(0);
    assert_eq!(outputs(&replayed), outputs(&recorded));
}

#[test]
fn an_answer_that_was_wrong_is_wrong_again() {
    let server = Server::start(|_| Reply::chat("no JSON"));
    let body = "stages: {facts: {text: Write, json: true, on_error: {value: {none: true}}, save: facts.json}}";
    let recorded = record("", &server, body).exit(0);
    let replayed = replay("", &recorded, &server, body).run().exit(0);
    assert_eq!(outputs(&replayed), outputs(&recorded));
    assert!(replayed.stderr.contains("1 replaced"), "{replayed:?}");
}

#[test]
fn a_run_with_failures_is_recorded_as_far_as_it_came() {
    let server = Server::start(|request| match request.prompt() {
        prompt if prompt.contains("bad") => Reply::error(400, "BAD_REQUEST", "That is not allowed"),
        prompt => Reply::chat(prompt),
    });
    let body = "
        stages: {motto: {for_each: {town: [ulm, bad, jena]}, text: 'Motto of {{town}}', on_error: continue, save: motto.jsonl}}
        ";
    let recorded = record("", &server, body).exit(4);
    let replayed = replay("", &recorded, &server, body).run().exit(4);
    assert_eq!(outputs(&replayed), outputs(&recorded));
    assert!(replayed.stderr.contains("motto/bad: The tape has no such call"), "{replayed:?}");
}

#[test]
fn what_is_no_tape_is_neither_replayed_nor_replaced() {
    let server = service();
    let body = "stages: {a: {text: Write}}";
    let run = |words: &str, content: &str| cli(words, &server, body).file("tape.jsonl", content).run();
    run("--replay tape.jsonl", "notes\n").exit(3).stderr(
        "error: `tape.jsonl` is no tape: its first line does not say so\n  help: name a file that was made with `--record TAPE`\n",
    );
    run("--replay tape.jsonl", "{\"format\":\"blossom-run tape\",\"version\":7}\n").exit(3).stderr(
        "error: the tape has format 7, which this version does not know (`tape.jsonl`)\n  \
         help: run the newer version of blossom-run that made it, or record it again with `--record TAPE`\n",
    );
    let ran = run("--record tape.jsonl", "notes\n").exit(2);
    assert_eq!(ran.read("tape.jsonl"), "notes\n");
    ran.stderr(
        "error: `--record`: `tape.jsonl` already exists, and is no tape\n  help: name another file: `--record tape.jsonl`\n",
    );
    assert_eq!(server.requests().len(), 0);
}
