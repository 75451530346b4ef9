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

#[test]
fn after_fifty_mistakes_the_rest_are_counted() {
    let stages: Vec<String> = (0..52).map(|n| format!("  s{n}: {{render: \"{{{{wrong}}}}\"}}\n")).collect();
    let file = format!("name: digest\nstages:\n{}", stages.concat());
    let ran = Cli::new("check digest.yaml").file("digest.yaml", file).run().exit(3).stdout("");
    assert_eq!(ran.stderr.matches(": error: ").count(), 50, "{}", ran.stderr);
    assert!(ran.stderr.ends_with("\n\n2 more are not shown: mend these first\n\ndigest.yaml: 52 errors\n"), "{ran:?}");
}
