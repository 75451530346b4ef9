//! Answers that are whole and wrong: each ends right or in a failure that says why, and all of them are counted.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::cli::{Cli, Ran};
use crate::scene::{dedent, patiently};
use crate::support::server::{Gate, Reply, Request, Server};

fn cli(words: &str, server: &Server, body: &str) -> Cli {
    let url = &server.url;
    let head = format!(
        "name: show\nproviders:\n  test: {{kind: openai, base_url: \"{url}\", prices: {{m: {{input: 1, output: 1}}}}}}\n\
         defaults: {{provider: test, model: m, retry: {{attempts: 3, backoff: 1ms, jitter: false}}}}\n"
    );
    Cli::new(&format!("show.yaml {words}")).file("show.yaml", head + &dedent(body))
}

/// What is said in a request, turn by turn.
fn turns(request: &Request) -> Vec<(String, String)> {
    let json = request.json();
    let messages = json["messages"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    messages.iter().map(|message| (text(&message["role"]), text(&message["content"]))).collect()
}

/// Answers with these in turn, the last of them ever after.
fn says(answers: &'static [&'static str]) -> Server {
    Server::start(move |request| Reply::chat(answers[(request.number - 1).min(answers.len() - 1)]))
}

#[track_caller]
fn all_differ(server: &Server) {
    let requests = server.requests();
    let bodies: BTreeSet<Vec<u8>> = requests.iter().map(|request| request.body.clone()).collect();
    assert_eq!(bodies.len(), requests.len(), "a request was sent twice");
}

fn history(ran: &Ran, words: &str) -> Value {
    serde_json::from_str(&ran.then(words).run().exit(0).stdout).unwrap()
}

const SORT: &str = "
    stages:
      sort: {text: 'Bug or praise? It crashes.', expect: {one_of: [bug, praise]}, save: sort.txt}
    ";

#[test]
fn a_wrong_answer_is_given_back_with_what_was_wrong() {
    let server = says(&["It is a bug.", "bug"]);
    let ran = cli("", &server, SORT).run().exit(0);
    assert_eq!(ran.read("out/sort.txt"), "bug\n");
    all_differ(&server);
    let turn = |role: &str, text: &str| (role.to_owned(), text.to_owned());
    let asked = turn("user", "Bug or praise? It crashes.");
    assert_eq!(turns(&server.requests()[0]), std::slice::from_ref(&asked));
    let correction = "This answer can't be used: The answer is `It is a bug.`, and must be one of `bug`, `praise`. Answer \
                      again: give the whole answer, corrected, and nothing beside it.";
    let expected = [asked, turn("assistant", "It is a bug."), turn("user", correction)];
    assert_eq!(turns(&server.requests()[1]), expected);
    // Both are in the ledger, and so is what they cost.
    let run = history(&ran, "runs last --json");
    assert_eq!((&run["stages"][0]["requests"], &run["stages"][0]["usage"]["total_tokens"]), (&2.into(), &42.into()));
    assert!(ran.stderr.contains("$0.000042"), "{ran:?}");
    let item = history(&ran, "runs last sort sort --json");
    let attempts = item["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 2);
    assert_eq!(
        (&attempts[0]["text"], &attempts[0]["failure"]["kind"]),
        (&"It is a bug.".into(), &"wrong_answer".into())
    );
    assert_eq!((&attempts[1]["text"], &attempts[1]["failure"]), (&"bug".into(), &Value::Null));
    let shown = ran.then("runs last sort sort").run().exit(0).printed();
    let wrong = "test/m: answered by test-model (stop), not taken (wrong_answer), 9 tokens in, 12 out, $0.000021\n  The answer is \
                 `It is a bug.`, and must be one of `bug`, `praise`\n  answer:\n  It is a bug.\n";
    assert!(shown.contains(wrong), "{shown}");
}

#[test]
fn the_same_wrong_answer_ever_again_ends_in_a_failure_that_says_why() {
    let server = says(&["no idea"]);
    let ran = cli("--json", &server, SORT).run().exit(4);
    assert_eq!(server.requests().len(), 3);
    all_differ(&server);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let failure = &document["failures"][0]["failure"];
    assert_eq!(failure["message"], "The answer is `no idea`, and must be one of `bug`, `praise`");
    assert_eq!((&failure["kind"], &failure["partial"]), (&"wrong_answer".into(), &"no idea".into()));
    assert_eq!(
        (&document["stages"][0]["calls"], &document["stages"][0]["cost"]["usd"]),
        (&3.into(), &0.000_063.into())
    );
    // Whoever goes on with it does not ask the same again either.
    let again = ran.then("resume").run().exit(4);
    assert!(again.stderr.contains("must be one of"), "{again:?}");
    assert_eq!(server.requests().len(), 6);
    all_differ(&server);
}

#[test]
fn json_among_words_is_found_and_cut_or_broken_json_is_asked_for_again() {
    let body = "stages: {facts: {text: Facts, json: true, save: facts.json}}";
    let server = says(&["Sure!\n```json\n{\"a\": 1}\n```\nAnything else?"]);
    cli("", &server, body).run().exit(0);
    assert_eq!(server.requests().len(), 1);
    let server = says(&["{\"a\": [1, 2", "Sorry, {a: 1}", "{\"a\": 2}"]);
    let ran = cli("", &server, body).run().exit(0);
    assert_eq!(serde_json::from_str::<Value>(&ran.read("out/facts.json")).unwrap(), json!({"a": 2}));
    all_differ(&server);
    let last = turns(&server.requests()[2]);
    assert_eq!(last.len(), 5);
    assert!(last[2].1.contains("The JSON in the answer breaks off"), "{last:?}");
}

#[test]
fn an_answer_that_hit_its_limit_is_neither_parsed_nor_asked_for_again() {
    let cut = |request: &Request| Reply::chat_ending(json!(format!("{{\"a\": {}}}", request.number)), json!("length"));
    let server = Server::start(cut);
    let body = "stages: {facts: {text: Facts, json: true, max_tokens: 120}}";
    let ran = cli("", &server, body).run().exit(4);
    assert_eq!(server.requests().len(), 1);
    assert!(
        ran.stderr.contains("facts: The answer is cut off, since no tokens are left for it (`max_tokens: 120`)\n"),
        "{ran:?}"
    );
}

#[test]
fn an_empty_answer_is_sent_again_byte_for_byte() {
    let server = says(&["  ", "bug"]);
    cli("", &server, SORT).run().exit(0);
    let requests = server.requests();
    assert_eq!((requests.len(), &requests[0].body), (2, &requests[1].body));
}

#[test]
fn without_feedback_a_wrong_answer_fails_at_once() {
    let server = says(&["no idea", "bug"]);
    let body = SORT.replace("save: sort.txt", "feedback: false, save: sort.txt");
    let ran = cli("", &server, &body).run().exit(4);
    assert_eq!(server.requests().len(), 1);
    assert!(ran.stderr.contains("must be one of"), "{ran:?}");
}

#[test]
fn all_that_is_wrong_is_said_at_once_and_names_of_the_file_may_be_part_of_it() {
    let server = says(&["a b c TODO", "Hello Ines and all of the others"]);
    let body = "
        inputs: {friend: Ines, least: 5}
        stages:
          letter:
            text: 'Write to {{friend}}'
            save: letter.txt
            expect:
              - {contains: '{{friend}}', not_contains: TODO, min_words: '{{least}}'}
              - matches: '^[A-Z]'
              - holds: 'gt (len letter) (len friend)'
        ";
    cli("", &server, body).run().exit(0);
    let said = turns(&server.requests()[1])[2].1.clone();
    let wrong = "The answer contains `TODO`, which it must not; it does not match the regular expression `^[A-Z]`; it does \
                 not contain `Ines`; it has 4 words, and must have at least 5. Answer";
    assert!(said.contains(wrong), "{said}");
}

#[test]
fn an_expression_looks_at_the_answer() {
    let server = says(&["{\"score\": 12}", "{\"points\": 3}", "{\"score\": 7}"]);
    let body = "
        inputs: {most: 10}
        stages:
          rate: {text: Rate it, json: true, save: rate.json, expect: {holds: 'lte rate.score most'}}
        ";
    let ran = cli("", &server, body).run().exit(0);
    assert!(ran.read("out/rate.json").contains('7'));
    let last = turns(&server.requests()[2]);
    assert!(last[3].1.contains("The answer is not as it must be: `lte rate.score most` does not hold"), "{last:?}");
    assert!(last[5].1.contains("The answer can't be checked: `rate` has no field `score`"), "{last:?}");
}

#[test]
fn a_changed_check_costs_nothing_and_the_latest_that_passes_counts() {
    let server = says(&["one two", "one two three", "one"]);
    let body = |check: &str| format!("stages: {{a: {{text: Count, expect: {{{check}}}, save: a.txt}}}}");
    let ran = cli("", &server, &body("min_words: 3")).run().exit(0);
    assert_eq!((server.requests().len(), ran.read("out/a.txt").as_str()), (2, "one two three\n"));
    // The answer that was wrong passes now, and so does the later one.
    let ran = ran.again("show.yaml").file("show.yaml", rewritten(&server, &body("max_words: 3"))).run().exit(0);
    assert_eq!((server.requests().len(), ran.read("out/a.txt").as_str()), (2, "one two three\n"));
    let ran = ran.again("show.yaml").file("show.yaml", rewritten(&server, &body("max_words: 2"))).run().exit(0);
    assert_eq!((server.requests().len(), ran.read("out/a.txt").as_str()), (2, "one two\n"));
    assert!(ran.stderr.contains("1 answer was there already"), "{ran:?}");
    // Plan and run agree: none passes, and the next request says what is wrong with the latest.
    let failing = rewritten(&server, &body("max_words: 1"));
    let why = ran.again("why show.yaml a").file("show.yaml", &failing).run().exit(0);
    assert!(why.stdout.contains("has 3 words, and must have at most 1"), "{why:?}");
    let plan = history(&why, "plan show.yaml --json");
    assert_eq!((&plan["stages"][0]["kept"], &plan["stages"][0]["to_call"]), (&0.into(), &1.into()));
    let ran = why.again("show.yaml").run().exit(0);
    assert_eq!((server.requests().len(), ran.read("out/a.txt").as_str()), (3, "one\n"));
    let said = turns(&server.requests()[2]);
    assert_eq!(said.len(), 5, "both wrong answers are given back");
    assert!(said[4].1.contains("has 3 words"), "{said:?}");
}

fn rewritten(server: &Server, body: &str) -> String {
    format!(
        "name: show\nproviders: {{test: {{kind: openai, base_url: \"{}\"}}}}\ndefaults: {{provider: test, model: m}}\n{}",
        server.url,
        dedent(body)
    )
}

#[test]
fn a_run_that_is_killed_with_a_wrong_answer_goes_on_with_what_is_wrong() {
    let gate = Gate::new();
    let held = gate.clone();
    let server = Server::start(move |request| match request.number {
        1 => Reply::chat("no idea"),
        2 => Reply::chat("bug").held_by(&held),
        _ => Reply::chat("bug"),
    });
    let going = cli("", &server, SORT).start();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(patiently(server.arrived(2)));
    let ran = going.kill();
    gate.open();
    let ran = ran.then("resume").run().exit(0);
    assert_eq!(ran.read("out/sort.txt"), "bug\n");
    let requests = server.requests();
    assert_eq!(requests.len(), 3);
    assert_eq!(requests[2].body, requests[1].body, "the request that nothing came of is made again");
    assert_ne!(requests[2].body, requests[0].body);
}

#[test]
fn wrong_answers_are_on_a_tape_and_the_right_one_is_replayed() {
    let server = says(&["no idea", "bug"]);
    let recorded = cli("--record tape.jsonl", &server, SORT).run().exit(0);
    assert!(recorded.read("tape.jsonl").contains("no idea"));
    let replayed =
        cli("--replay tape.jsonl", &server, SORT).file("tape.jsonl", recorded.read("tape.jsonl")).run().exit(0);
    assert_eq!((replayed.read("out/sort.txt").as_str(), server.requests().len()), ("bug\n", 2));
    // One that failed fails as it did.
    let server = says(&["no idea", "none"]);
    let recorded = cli("--record tape.jsonl", &server, SORT).run().exit(4);
    let replayed =
        cli("--replay tape.jsonl", &server, SORT).file("tape.jsonl", recorded.read("tape.jsonl")).run().exit(4);
    for ran in [recorded, replayed] {
        assert!(ran.stderr.contains("sort: The answer is `none`, and must be one of `bug`, `praise`"), "{ran:?}");
    }
}

#[test]
fn a_budget_counts_each_wrong_answer() {
    let server = says(&["no idea"]);
    let ran = cli("--max-calls 2 --json", &server, SORT).run().exit(5);
    assert_eq!(server.requests().len(), 2);
    assert!(ran.stderr.contains("The budget of 2 calls is used up"), "{ran:?}");
    // The item has no end yet, and what it took is told all the same.
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    let stage = &told["stages"][0];
    assert_eq!((&stage["calls"], &stage["tally"]["failed"]), (&json!(2), &json!(0)), "{told:#}");
    let usage = stage["usage"]["total_tokens"].as_u64().unwrap();
    assert!(usage > 0 && stage["cost"]["usd"].as_f64().unwrap() > 0.0, "{told:#}");
}

#[test]
fn a_longer_request_reserves_more() {
    // What the first takes at most fits; with its answer and what was wrong it does not any more.
    let server =
        says(&["no idea, and quite a lot of words about that, since nobody knows what this should be sorted as"]);
    let body = SORT.replace("save: sort.txt", "max_tokens: 100, save: sort.txt");
    let ran = cli("--max-cost 0.0003", &server, &body).run().exit(5);
    assert_eq!(server.requests().len(), 1);
    assert!(ran.stderr.contains("is used up"), "{ran:?}");
}

#[test]
fn a_picture_is_asked_for_with_another_seed_unless_the_file_names_one() {
    let server = Server::start(|request| Reply::picture(&request.prompt()));
    let body = |more: &str| format!("stages: {{a: {{image: A heron{more}, expect: {{min_width: 512}}}}}}");
    let ran = cli("", &server, &body("")).run().exit(4);
    assert_eq!(server.requests().len(), 3);
    all_differ(&server);
    assert!(ran.stderr.contains("a: The picture is 4 pixels wide, and must have at least 512\n"), "{ran:?}");
    let server = Server::start(|request| Reply::picture(&request.prompt()));
    let ran = cli("", &server, &body(", seed: 7")).run().exit(4);
    assert_eq!(server.requests().len(), 1);
    let told = "must have at least 512; with the `seed` that the file names the same picture would come again\n";
    assert!(ran.stderr.contains(told), "{ran:?}");
}

/// One colour, all over.
fn blank_picture() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(vec![]);
    image::RgbImage::from_pixel(8, 8, image::Rgb([9, 99, 199])).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn a_picture_that_shows_nothing_is_told() {
    let server = Server::start(|_| Reply::bytes("image/png", blank_picture()));
    let body = "stages: {a: {image: A heron, feedback: false, expect: {not_blank: true}}}";
    let ran = cli("", &server, body).run().exit(4);
    assert_eq!(server.requests().len(), 1);
    assert!(ran.stderr.contains("a: The picture is blank: it has one colour alone\n"), "{ran:?}");
    let body = body.replace("not_blank: true", "not_blank: false");
    cli("", &server, &body).run().exit(0);
}

#[test]
fn what_no_answer_can_mend_fails_the_item_before_anybody_is_asked() {
    for (holds, why) in [
        ("gt (len rate) (first limits)", "`first`: the list is empty"),
        ("eq rate (lookup marks word)", "`lookup`: there is no field `ten`"),
        ("and (eq (first limits) 1) (eq (len rate) 3)", "`first`: the list is empty"),
        ("eq (truncate rate word) ''", "`truncate`: argument 2 is `ten`, not a whole number"),
    ] {
        let server = says(&["good"]);
        let body = format!(
            "
            inputs: {{limits: {{type: json, default: []}}, marks: {{type: json, default: {{'10': ten}}}}, word: ten}}
            stages:
              rate: {{when: 'eq word word', text: Rate, expect: {{holds: \"{holds}\"}}}}
            "
        );
        let ran = cli("", &server, &body).run().exit(4);
        assert_eq!(server.requests().len(), 0, "{holds}");
        let told = format!("rate: show.yaml:8:53: `holds` can't be checked, whatever the answer is: {why}\n");
        assert!(ran.stderr.contains(&told), "{ran:?}");
    }
}

#[test]
fn what_the_answer_lacks_is_given_back_however_it_is_looked_for() {
    let server = says(&["{\"marks\": []}", "{\"best\": 1, \"marks\": []}", "{\"best\": 1, \"marks\": [7]}"]);
    let body = "
        inputs: {key: best}
        stages:
          rate:
            text: Rate
            json: true
            expect:
              - holds: 'gt (lookup rate key) 0'
              - holds: 'gt (first rate.marks) 5'
        ";
    cli("", &server, body).run().exit(0);
    let said = turns(&server.requests()[2]);
    let told = "The answer can't be checked: `lookup`: there is no field `best`; it can't be checked: `first`: the list is empty. ";
    assert!(said[3].1.contains(told), "{said:?}");
    assert!(said[5].1.contains("The answer can't be checked: `first`: the list is empty. "), "{said:?}");
}

#[test]
fn a_check_made_of_a_list_of_the_answer_gives_back_what_its_elements_lack() {
    let server = says(&["{\"words\": [{}], \"text\": \"tulip\"}", "{\"words\": [{\"w\": \"tulip\"}], \"text\": \"\"}"]);
    let body = "
        stages:
          pick:
            text: Pick
            json: true
            expect: {contains: '{{#each pick.words}}{{w}}{{/each}}'}
        ";
    cli("", &server, body).run().exit(0);
    let said = turns(&server.requests()[1]);
    assert!(said[3].1.contains("The answer can't be checked: an item of `pick.words` has no field `w`"), "{said:?}");
}
