//! What the program prints about a run, whole.

use std::collections::BTreeMap;

use crate::cli::{Cli, Ran};
use crate::scene::dedent;
use crate::support::server::{Gate, Reply, Server};

fn cli(words: &str, server: &Server, body: &str) -> Cli {
    let url = &server.url;
    let head = format!(
        "name: show\nproviders:\n  test: {{kind: openai, base_url: \"{url}\"}}\n\
         defaults: {{provider: test, model: m, retry: {{attempts: 2, backoff: 1ms, jitter: false}}}}\n"
    );
    Cli::new(&format!("show.yaml {words}")).file("show.yaml", head + &dedent(body))
}

/// Standard error without the address of the server.
fn stderr(ran: &Ran, server: &Server) -> String {
    ran.stderr.replace(&server.url, "[url]")
}

const TOWNS: &str = "
    inputs:
      towns: {type: items, default: [ulm, bad, jena]}
    stages:
      motto: {for_each: {town: towns}, text: 'Motto of {{town}}', concurrency: 1, save: motto.jsonl, on_error: continue}
      best: {text: 'Best of {{join motto \", \"}}', save: best.md}
    outputs: {best: '{{best}}', short: ['{{truncate best 7}}', 1]}
    ";

fn towns() -> Server {
    Server::start(|request| match request.prompt() {
        prompt if prompt.contains("bad") => Reply::error(400, "BAD_REQUEST", "That is not allowed"),
        prompt => Reply::chat(prompt),
    })
}

const FAILED: &str = "\
Failed
  motto/bad: `test` answers 400: That is not allowed
    `blossom-run show` prints the request; leave out what `m` does not take
";

#[test]
fn a_run_is_told_in_lines_and_summed_up() {
    let ran = cli("", &towns(), TOWNS).run().exit(4);
    assert_eq!(
        ran.stderr,
        "show: run [run], answers are kept in .blossom\n\
         failed: motto/bad: `test` answers 400: That is not allowed\n\
         motto: 3 of 3, 1 failed, in [time]\n\
         best: 1 of 1, in [time]\n\
         \n\
         show: 1 item of 4 failed, after [time] (run [run])\n\
         \n\
         stage   items  done  failed  calls  tokens in  tokens out  each time\n\
         motto       3     2       1      3         18          24 [time] [time]\n\
         best        1     1       0      1          9          12 [time] [time]\n\
         in all      4     3       1      4         27          36 [time]\n\
         \n"
        .to_owned()
            + FAILED
            + "\n\
               Files in out\n  motto.jsonl\n  best.md\n\
               \n\
               What to do\n  fix what failed, then go on with `blossom-run resume [run]`\n"
    );
    ran.stdout("==> best <==\nBest of Motto of ulm, Motto of jena\n\n==> short <==\n\"Best…\"\n1\n");
}

#[test]
fn verbose_tells_of_retries_and_files() {
    let server = Server::start(|request| match request.attempt {
        1 => Reply::error(500, "INTERNAL_ERROR", "Out of order"),
        _ => Reply::chat("At last"),
    });
    let ran = cli("-v", &server, "stages: {letter: {text: Write, save: letter.md}}").run().exit(0);
    assert_eq!(
        ran.stdout("At last\n").stderr,
        "show: run [run], answers are kept in .blossom\n\
         retry: letter: attempt 1: `test` answers 500: Out of order; again in [time]\n\
         saved: letter.md\n\
         letter: 1 of 1, in [time]\n\
         \n\
         show: done in [time] (run [run])\n\
         \n\
         stage   items  done  calls  retries  tokens in  tokens out  each time\n\
         letter      1     1      2        1          9          12 [time] [time]\n\
         \n\
         Files in out\n  letter.md\n"
    );
}

#[test]
fn a_single_text_is_shown_as_it_comes_and_a_dropped_attempt_is_marked() {
    let server = Server::start(|request| {
        let whole = Reply::stream(&["Dear all,\n", "it is", " late"]);
        let text = String::from_utf8(whole.body().to_vec()).unwrap();
        let cut = text.find("it is").unwrap() - 100;
        if request.attempt == 1 { whole.cut_after(cut) } else { whole }
    });
    let ran = cli("--stream", &server, "stages: {letter: {text: Write}}").run().exit(0);
    assert_eq!(
        stderr(&ran, &server),
        "show: run [run], answers are kept in .blossom\n\
         Dear all,\n\
         letter │ (attempt 1 is dropped: The answer of `[url]` breaks off: unexpected eof during chunk size line)\n\
         Dear all,\n\
         it is late\n\
         letter: 1 of 1, in [time]\n\
         \n\
         show: done in [time] (run [run])\n\
         \n\
         stage   items  done  calls  retries  tokens in  tokens out  each time\n\
         letter      1     1      2        1          9           2 [time] [time]\n"
    );
    // It was not shown on the same terminal, so it is printed as well.
    ran.stdout("Dear all,\nit is late\n");
}

#[test]
fn several_texts_at_once_are_labelled() {
    let (first, second) = (Gate::new(), Gate::new());
    let (rest_of_first, all_of_second) = (first.clone(), second.clone());
    let server = Server::start(move |request| {
        let prompt = request.prompt();
        let reply = Reply::stream(&[&format!("{prompt} begins "), &format!("and goes on\n{prompt} ends")]);
        let text = String::from_utf8(reply.body().to_vec()).unwrap();
        let rest = text.find("and goes on").unwrap() - 100;
        if prompt == "Letter 1" { reply.held_within(rest, &rest_of_first) } else { reply.held_by(&all_of_second) }
    });
    let body = "
        stages:
          letter: {for_each: {n: 2}, text: 'Letter {{n}}', save: letter.jsonl}
        ";
    let going = cli("--stream", &server, body).start();
    going.hear("Letter 1 begins");
    second.open();
    going.hear("Letter 2 ends");
    first.open();
    let ran = going.wait().exit(0).stdout("");
    let (told, _) = ran.stderr.split_once("\n\n").unwrap();
    assert_eq!(
        told,
        "show: run [run], answers are kept in .blossom\n\
         letter/1 │\n\
         Letter 1 begins …\n\
         letter/2 │ Letter 2 begins and goes on\n\
         letter/2 │ Letter 2 ends\n\
         letter/1 │ …and goes on\n\
         letter/1 │ Letter 1 ends\n\
         letter: 2 of 2, in [time]"
    );
}

#[test]
fn the_document_says_all_of_a_run() {
    let ran = cli("--json --quiet", &towns(), TOWNS).run().exit(4).stderr(FAILED);
    let mut document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(ran.stdout, format!("{document:#}\n"), "it stands alone");
    assert!(document["took"].as_f64().unwrap() > 0.0 && document["run"].is_string());
    for key in ["took", "run"] {
        document.as_object_mut().unwrap().remove(key);
    }
    let tally = |instances, done, failed| {
        serde_json::json!({
            "instances": instances, "done": done, "reused": 0, "replaced": 0, "skipped": 0,
            "skipped_after_failure": 0, "failed": failed, "not_started": 0,
        })
    };
    assert_eq!(
        document,
        serde_json::json!({
            "pipeline": "show",
            "outcome": "failed",
            "exit_code": 4,
            "outputs": {"best": "Best of Motto of ulm, Motto of jena", "short": ["Best…", 1]},
            "stages": [
                {
                    "name": "motto", "kind": "text", "tally": tally(3, 2, 1), "calls": 3, "retries": 0,
                    "usage": {"input_tokens": 18, "output_tokens": 24, "total_tokens": 42},
                    "cost": {"unpriced": 2},
                    "files": {"count": 1, "first": ["motto.jsonl"]},
                },
                {
                    "name": "best", "kind": "text", "tally": tally(1, 1, 0), "calls": 1, "retries": 0,
                    "usage": {"input_tokens": 9, "output_tokens": 12, "total_tokens": 21},
                    "cost": {"unpriced": 1},
                    "files": {"count": 1, "first": ["best.md"]},
                },
            ],
            "failures": [{
                "stage": "motto", "count": 1, "replaced": false, "items": ["bad"],
                "failure": {
                    "kind": "bad_request",
                    "message": "`test` answers 400: That is not allowed",
                    "suggestion": "`blossom-run show` prints the request; leave out what `m` does not take",
                    "status": 400,
                    "code": "BAD_REQUEST",
                    "request_id": "req-1",
                },
            }],
            "warnings": [],
        })
    );
}

#[test]
fn one_output_is_printed_alone() {
    cli("--print best -q", &towns(), TOWNS)
        .run()
        .exit(4)
        .stdout("Best of Motto of ulm, Motto of jena\n")
        .stderr(FAILED);
    cli("--print short -q", &towns(), TOWNS).run().exit(4).stdout("\"Best…\"\n1\n").stderr(FAILED);
}

const LETTERS: &str = "
    stages:
      letter: {for_each: {town: [ulm, jena]}, text: 'To {{town}}', save: 'letters/{{town}}.md'}
      never: {when: false, text: 'Of {{join letter}}', save: never.md}
    ";

fn echo() -> Server {
    Server::start(|request| Reply::chat(request.prompt()))
}

#[test]
fn a_list_that_is_saved_is_printed_for_those_who_ask_for_it() {
    cli("--print letter -q", &echo(), LETTERS).run().exit(0).stdout("\"To ulm\"\n\"To jena\"\n");
    let ran = cli("--json -q", &echo(), LETTERS).run().exit(0);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["outputs"], serde_json::json!({"letter": ["To ulm", "To jena"], "never": null}));
    cli("-q", &echo(), LETTERS).run().exit(0).stdout("");
}

#[test]
fn a_stage_that_is_run_alone_can_be_printed() {
    let body = "
        stages:
          draft: {text: Draft}
          final: {text: 'Better: {{draft}}', save: final.md}
        ";
    cli("--only draft --print draft -q", &echo(), body).run().exit(0).stdout("Draft\n");
}

#[test]
fn events_take_standard_output_for_themselves() {
    let ran = cli("--events - -q", &towns(), TOWNS).run().exit(4).stderr(FAILED);
    // By item: what becomes of one while its answer is kept may be told after another has started.
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (number, line) in (1..).zip(ran.stdout.lines()) {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["seq"], number, "numbered without gaps");
        let [name, stage, key] = ["event", "stage", "key"].map(|field| event[field].as_str().unwrap_or_default());
        told.entry(format!("{stage} {key}").trim().to_owned()).or_default().push(name.to_owned());
        if (name, stage) == ("ready", "best") {
            let ended = |key: &str| matches!(told[&format!("motto {key}")].last().unwrap().as_str(), "done" | "failed");
            assert!(["ulm", "bad", "jena"].iter().all(|key| ended(key)), "it collects what has come to its end");
        }
    }
    assert!(ran.stdout.trim_end().lines().last().unwrap().contains("\"run_finished\""));
    let told: Vec<String> = told.iter().map(|(item, names)| format!("{item}: {}", names.join(" "))).collect();
    assert_eq!(
        told,
        [
            ": run_started run_finished",
            "best: stage_planned ready started attempt_sent saved done",
            "motto: stage_planned saved",
            "motto bad: ready started attempt_sent attempt_failed failed",
            "motto jena: ready started attempt_sent done",
            "motto ulm: ready started attempt_sent done",
        ]
    );
}
