//! Standard input as a list: rows are worked on as they come, and a second pass has them all again.

use crate::cli::{Cli, Going, Ran};
use crate::scene::{asked, dedent, echo, patiently};
use crate::support::server::Server;

fn cli(server: &Server, stages: &str) -> Cli {
    let url = &server.url;
    let yaml = format!(
        "name: rows\nproviders:\n  test: {{kind: openai, base_url: \"{url}\"}}\n\
         defaults: {{provider: test, model: m}}\ninputs: {{rows: {{type: items}}}}\nstages:\n{}",
        dedent(stages).lines().fold(String::new(), |text, line| text + "  " + line + "\n")
    );
    Cli::new("rows.yaml -i rows=-").file("rows.yaml", yaml)
}

fn wait_for(server: &Server, prompt: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(patiently(asked(server, prompt)));
}

fn finish(mut going: Going) -> Ran {
    going.close();
    going.wait()
}

const SAY: &str = "
    say: {for_each: {row: rows}, text: 'Say {{row.word}}', save: say.jsonl}
    ";

#[test]
fn rows_are_worked_on_as_they_come() {
    let server = echo();
    let mut going = cli(&server, SAY).start();
    for word in ["one", "two", "three"] {
        going.write(&format!("{{\"word\": \"{word}\"}}"));
        wait_for(&server, &format!("Say {word}"));
    }
    let ran = finish(going).exit(0);
    assert_eq!(
        ran.read("out/say.jsonl"),
        "{\"key\":\"1\",\"say\":\"Say one\"}\n{\"key\":\"2\",\"say\":\"Say two\"}\n{\"key\":\"3\",\"say\":\"Say three\"}\n"
    );
}

#[test]
fn a_second_pass_reads_the_rows_again() {
    let server = echo();
    let stages = "
        score: {for_each: {row: rows}, text: 'Score {{row.word}}'}
        ranking: {text: 'Rank {{join score \", \"}}'}
        final: {for_each: {row: rows}, text: '{{row.word}} in {{ranking}}', save: final.jsonl}
        ";
    let rows = "{\"word\": \"one\"}\n\n{\"word\": \"two\"}\r\n";
    let ran = cli(&server, stages).stdin(rows).run().exit(0);
    assert_eq!(
        ran.read("out/final.jsonl"),
        "{\"key\":\"1\",\"final\":\"one in Rank Score one, Score two\"}\n\
         {\"key\":\"2\",\"final\":\"two in Rank Score one, Score two\"}\n"
    );
    assert_eq!(server.requests().len(), 5);
    assert_eq!(ran.files(), ["out/.blossom-run.lock", "out/final.jsonl", "rows.yaml"], "the copy is gone");
}

#[test]
fn each_row_without_a_list_is_a_failure_of_its_own() {
    let server = echo();
    let stages =
        "each: {for_each: {row: rows, one: row.tags}, render: '{{one}}', save: each.jsonl, on_error: continue}";
    let rows = "{\"tags\": [1, 2]}\n".to_owned() + &"{\"tags\": 7}\n".repeat(10);
    let ran = cli(&server, stages).stdin(&rows).run().exit(4);
    assert_eq!(ran.read("out/each.jsonl").lines().count(), 2);
    let table: Vec<&str> = ran.stderr.lines().filter(|line| line.starts_with("each ")).collect();
    assert!(table.iter().any(|line| line.split_whitespace().take(4).eq(["each", "12", "2", "10"])), "{table:?}");
}

#[test]
fn a_template_may_name_all_rows() {
    let server = echo();
    let stages = "
        all: {render: '{{#each rows}}{{word}},{{/each}}{{len rows}}', save: all.txt}
        say: {for_each: {row: rows}, text: 'Say {{row.word}}'}
        ";
    let rows = "{\"word\": \"one\"}\n{\"word\": \"two\"}\n";
    let ran = cli(&server, stages).stdin(rows).run().exit(0);
    assert_eq!(ran.read("out/all.txt"), "one,two,2\n");
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_bad_row_of_a_list_that_is_named_as_a_whole_is_told() {
    let server = echo();
    let stages = "
        one: {text: One}
        all: {render: '{{len rows}}', save: all.txt}
        ";
    let ran = cli(&server, stages).arg("-q").stdin("1\n{\n").run().exit(4);
    assert!(ran.stderr.contains("all: standard input:2:1: the JSON value does not end"), "{}", ran.stderr);
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_later_pass_may_stand_first_in_the_file() {
    let server = echo();
    let stages = "
        final: {for_each: {row: rows}, text: '{{row}} in {{ranking}}', save: final.jsonl}
        ranking: {text: 'Rank {{len score}}'}
        score: {for_each: {row: rows}, render: 'Score {{row}}'}
        ";
    // More than may be open at once: the later pass waits with its hands full while the earlier one goes on.
    let rows: String = (1..=1500).fold(String::new(), |rows, row| rows + &row.to_string() + "\n");
    let ran = cli(&server, stages).arg("--progress").arg("none").stdin(rows).run().exit(0);
    let last = "{\"key\":\"1500\",\"final\":\"1500 in Rank 1500\"}";
    assert_eq!(ran.read("out/final.jsonl").lines().count(), 1500);
    assert_eq!(ran.read("out/final.jsonl").lines().last(), Some(last));
}

#[test]
fn two_loops_over_standard_input_both_have_every_row() {
    let server = echo();
    let stages = "
        say: {for_each: {row: rows}, text: 'Say {{row}}', save: say.jsonl}
        ask: {for_each: {line: rows}, text: 'Ask {{line}}', save: ask.jsonl}
        ";
    let mut going = cli(&server, stages).start();
    for row in [1, 2, 3] {
        going.write(&row.to_string());
        wait_for(&server, &format!("Say {row}"));
        wait_for(&server, &format!("Ask {row}"));
    }
    let ran = finish(going).exit(0);
    assert_eq!(ran.read("out/say.jsonl").lines().count(), 3);
    assert_eq!(ran.read("out/ask.jsonl").lines().count(), 3);
}

#[test]
fn what_collects_from_rows_that_break_off_is_not_made() {
    let server = echo();
    let stages = "
        say: {for_each: {row: rows}, text: 'Say {{row}}', on_error: continue, save: say.jsonl}
        report: {text: 'Report {{join say}}', save: report.md}
        ";
    let ran = cli(&server, stages).arg("--json").stdin("1\n2\n{\n4\n").run().exit(4);
    assert_eq!(ran.files(), ["out/.blossom-run.lock", "out/say.jsonl", "rows.yaml"]);
    assert_eq!(ran.read("out/say.jsonl").lines().count(), 2);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let tally = |stage: usize, what: &str| document["stages"][stage]["tally"][what].as_u64().unwrap();
    assert_eq!((tally(0, "instances"), tally(0, "done"), tally(0, "failed")), (3, 2, 1), "the list itself has failed");
    assert_eq!((tally(1, "instances"), tally(1, "skipped_after_failure")), (1, 1));
}

#[test]
fn a_bad_row_is_told_with_its_number_and_ends_the_run() {
    let server = echo();
    let mut going = cli(&server, SAY).start();
    going.write("{\"word\": \"one\"}");
    wait_for(&server, "Say one");
    going.write("{\"word\": ");
    let ran = finish(going).exit(4);
    assert!(ran.stderr.contains("standard input:2:"), "{ran:?}");
    assert_eq!(ran.read("out/say.jsonl"), "{\"key\":\"1\",\"say\":\"Say one\"}\n");
}

#[test]
fn a_row_without_a_field_fails_alone_where_the_others_go_on() {
    let server = echo();
    let stages = SAY.replace("save:", "on_error: continue, save:");
    let ran = cli(&server, &stages).stdin("{\"word\": \"one\"}\n{}\n{\"word\": \"three\"}\n").run().exit(4);
    assert_eq!(ran.read("out/say.jsonl").lines().count(), 2);
    assert!(ran.stderr.contains("word"), "{ran:?}");
}

#[test]
fn only_so_many_rows_are_waited_for_as_are_asked_for() {
    let server = echo();
    let mut going = cli(&server, SAY).arg("--limit").arg("1").start();
    going.write("{\"word\": \"one\"}");
    // Nothing closes its standard input.
    wait_for(&server, "Say one");
    let ran = going.wait().exit(0);
    assert_eq!(ran.read("out/say.jsonl").lines().count(), 1);
}

#[test]
fn no_row_at_all_is_an_empty_list() {
    let server = echo();
    let ran = cli(&server, SAY).stdin("").run().exit(0);
    assert_eq!((ran.read("out/say.jsonl"), server.requests().len()), (String::new(), 0));
}
