//! Mistakes in a pipeline file: all of them are told, and nothing is called.

use crate::service::server::{Reply, Server};
use crate::support::Cli;

/// A server that nobody should ask.
fn server() -> Server {
    Server::start(|_| Reply::chat("An answer that nobody asked for"))
}

/// A provider at `server`, with a key that is nowhere to be found.
fn provider(server: &Server) -> String {
    format!("providers:\n  local: {{kind: openai, base_url: \"{}\", api_key: {{env: NOBODYS_KEY}}}}\n", server.url)
}

const THREE_MISTAKES: &str = "\
name: digest
inputs: {tone: friendly}
defaults: {provider: local, model: tiny}
stages:
  summarize:
    text: Summarize in a {{tome}} voice
  report:
    text: |
      A report of
      {{sumarize}}
    max_token: 30
";

const ALL_THREE: &str = "\
digest.yaml:6:28: error: there is nothing called `tome`
  |
6 |     text: Summarize in a {{tome}} voice
  |                            ^^^^
  |
  = help: did you mean `tone`?

digest.yaml:10:9: error: there is nothing called `sumarize`
   |
10 |       {{sumarize}}
   |         ^^^^^^^^
   |
   = help: did you mean `summarize`?

digest.yaml:11:5: error: unknown key `max_token`
   |
11 |     max_token: 30
   |     ^^^^^^^^^
   |
   = help: did you mean `max_tokens`?

";

#[test]
fn a_check_tells_every_mistake_and_calls_nobody() {
    let server = server();
    let file = THREE_MISTAKES.to_owned() + &provider(&server);
    let told = format!("{ALL_THREE}digest.yaml: 3 errors\n");
    Cli::new("check digest.yaml").file("digest.yaml", &file).run().exit(3).stdout("").stderr(&told);
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_run_with_mistakes_ends_before_its_first_call() {
    let server = server();
    let file = THREE_MISTAKES.to_owned() + &provider(&server);
    let ran = Cli::new("digest.yaml").file("digest.yaml", &file).run().exit(3).stdout("").stderr(ALL_THREE);
    assert_eq!(ran.files(), ["digest.yaml"], "no output folder is made");
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_check_of_a_file_without_mistakes_needs_no_key_and_calls_nobody() {
    let server = server();
    let file =
        "name: digest\nstages: {write: {text: x, provider: local, model: tiny}}\n".to_owned() + &provider(&server);
    let check = Cli::new("check digest.yaml").file("digest.yaml", &file).run();
    check.exit(0).stdout("").stderr("digest.yaml: no mistakes\n");
    assert_eq!(server.connections(), 0);
}

const TOWNS: &str = "\
name: towns
inputs: {tone: {type: choice, options: [dry, warm]}, count: 3, towns: {type: items}}
stages:
  write: {for_each: {town: towns}, render: \"{{tone}} {{count}} {{town}}\"}
";

fn with_inputs(path: &str, content: &str) -> Cli {
    Cli::new(&format!("towns.yaml --inputs {path}")).file("towns.yaml", TOWNS).file(path, content)
}

#[test]
fn mistakes_in_a_file_of_inputs_stand_at_its_lines() {
    let ran = with_inputs("my/values.yaml", "tone: warn\ncount: many\ntown: 3\ntowns: lists/mine.csv\n")
        .run()
        .exit(3)
        .stdout("");
    let heads: Vec<&str> = ran.stderr.lines().filter(|line| line.contains(": error: ")).collect();
    assert_eq!(
        heads,
        [
            "my/values.yaml:1:7: error: `warn` is not an option of `tone`",
            "my/values.yaml:2:8: error: `count` is the text `many`, not a whole number",
            "my/values.yaml:3:1: error: there is no input `town`",
            "my/values.yaml:4:8: error: `lists/mine.csv`: no such file",
        ]
    );
    assert!(ran.stderr.contains("paths of `--inputs` are relative to the working directory"), "{ran:?}");
}

#[test]
fn a_broken_file_of_inputs_is_the_only_mistake() {
    for (path, content, head) in [
        (
            "a.json",
            "{\"tone\": \"dry\",\n \"count\": 5,,}",
            "a.json:2:13: error: this is not JSON: key must be a string",
        ),
        ("a.yaml", "tone: [\n", "a.yaml:1:7: error: a `[` or `{` is not closed"),
        ("a.yaml", "- tone\n", "a.yaml:1:1: error: this is a list, not a mapping"),
        ("a.yaml", "", "a.yaml:1:1: error: this is empty, not a mapping"),
    ] {
        let ran = with_inputs(path, content).run().exit(3).stdout("");
        assert!(ran.stderr.starts_with(head), "{ran:?}");
        assert_eq!(ran.stderr.matches("towns.yaml").count(), 0, "{ran:?}");
    }
    Cli::new("towns.yaml --inputs none.yaml").file("towns.yaml", TOWNS).run().exit(3).stderr(
        "error: `--inputs`: `none.yaml` can't be read: No such file or directory (os error 2)\n  \
         help: name a YAML or JSON file of names and values, from the working directory: `--inputs values.yaml`\n",
    );
}

#[test]
fn a_file_of_inputs_gives_values_and_the_command_line_wins() {
    let values = "{\"tone\": \"dry\",\n\t\"count\": 5, \"towns\": [\"ulm\"]}";
    with_inputs("values.json", values).arg("-i").arg("tone=warm").arg("-q").run().exit(0).stdout("\"warm 5 ulm\"\n");
}

#[test]
fn standard_input_has_one_reader() {
    let cli = Cli::new("towns.yaml -i tone=@- -i towns=-").file("towns.yaml", TOWNS).stdin("dry");
    cli.run().exit(2).stdout("").stderr(
        "error: standard input is the value of `tone`, and a list as well\n  \
         help: write one of them to a file: `-i tone=@FILE`\n",
    );
}

#[test]
fn after_fifty_mistakes_the_rest_are_counted() {
    let stages: Vec<String> = (0..52).map(|n| format!("  s{n}: {{render: \"{{{{wrong}}}}\"}}\n")).collect();
    let file = format!("name: digest\nstages:\n{}", stages.concat());
    let ran = Cli::new("check digest.yaml").file("digest.yaml", file).run().exit(3).stdout("");
    assert_eq!(ran.stderr.matches(": error: ").count(), 50, "{}", ran.stderr);
    assert!(ran.stderr.ends_with("\n\n2 more are not shown: fix these first\n\ndigest.yaml: 52 errors\n"), "{ran:?}");
}
