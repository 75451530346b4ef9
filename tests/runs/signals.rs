//! Ctrl-C, SIGTERM, SIGHUP, a closed pipe, and a folder that somebody else has.

use crate::cli::{Cli, Going};
use crate::scene::dedent;
use crate::support::server::{Gate, Reply, Server};

/// Answers 1 at once, and all others when the gate opens.
fn slow(gate: &Gate) -> Server {
    let gate = gate.clone();
    Server::start(move |request| {
        let reply = Reply::chat(request.prompt());
        if request.prompt() == "Write 1" { reply } else { reply.held_by(&gate) }
    })
}

fn letters(server: &Server) -> String {
    let url = &server.url;
    dedent(&format!(
        "
        name: letters
        providers:
          test: {{kind: openai, base_url: \"{url}\"}}
        defaults: {{provider: test, model: m}}
        stages:
          letter: {{for_each: {{n: 9}}, text: 'Write {{{{n}}}}', concurrency: 2, save: letter.jsonl}}
          page: {{for_each: n, render: '{{{{letter}}}}', save: 'pages/{{{{n}}}}.md'}}
        "
    ))
}

/// Starts the program, and waits until two letters are on the wire after the first one.
fn start(server: &Server, flags: &str) -> Going {
    let cli = Cli::new("letters.yaml").file("letters.yaml", letters(server));
    let going = flags.split_whitespace().fold(cli, Cli::arg).start();
    arrived(server, 3);
    going
}

fn arrived(server: &Server, count: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let arrival = async { tokio::time::timeout(std::time::Duration::from_secs(60), server.arrived(count)).await };
    runtime.block_on(arrival).expect("requests");
}

const THREE_ROWS: &str = "{\"key\":\"1\",\"letter\":\"Write 1\"}\n{\"key\":\"2\",\"letter\":\"Write 2\"}\n{\"key\":\"3\",\"letter\":\"Write 3\"}\n";

#[cfg(unix)]
#[test]
fn ctrl_c_lets_the_wire_finish_and_keeps_what_came_out() {
    let gate = Gate::new();
    let server = slow(&gate);
    let going = start(&server, "");
    going.signal("INT");
    going.hear("stopping: interrupted");
    gate.open();
    let ran = going.wait().exit(130);
    assert_eq!(ran.read("out/letter.jsonl"), THREE_ROWS);
    assert_eq!(server.requests().len(), 3, "nothing else was sent");
    // Whether the first page is still on its way then, nobody knows.
    let stopping = "\nstopping: interrupted, Ctrl-C again stops at once (finishing ";
    assert!(ran.stderr.contains(stopping), "{ran:?}");
    assert!(ran.stderr.contains("\nstage   items  done  not started  "), "{ran:?}");
    assert!(ran.stderr.contains("\nletter      9     3            6  "), "{ran:?}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_run_that_is_ending_already() {
    let gate = Gate::new();
    let held = gate.clone();
    let server = Server::start(move |request| match request.prompt().as_str() {
        "Write 2" => Reply::error(400, "BAD_REQUEST", "no"),
        prompt => Reply::chat(prompt).held_by(&held),
    });
    let going = Cli::new("letters.yaml").file("letters.yaml", letters(&server)).start();
    going.hear("stopping: letter/2 failed");
    going.signal("INT");
    going.hear("stopping: interrupted");
    going.signal("INT");
    going.wait().exit(130);
}

#[cfg(unix)]
#[test]
fn a_second_ctrl_c_does_not_wait_for_the_wire() {
    let gate = Gate::new();
    let server = slow(&gate);
    let going = start(&server, "-v");
    going.hear("pages/1.md");
    going.signal("INT");
    going.hear("stopping: interrupted");
    going.signal("INT");
    let ran = going.wait().exit(130);
    assert_eq!(ran.read("out/letter.jsonl"), THREE_ROWS.lines().next().unwrap().to_owned() + "\n");
    assert_eq!(ran.read("out/pages/1.md"), "Write 1\n");
}

#[cfg(unix)]
fn ignores_the_end_of_the_terminal() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(unix)]
#[test]
fn sigterm_and_the_end_of_the_terminal_do_the_same_with_a_code_of_their_own() {
    // Under `nohup` the end of the terminal is nobody's affair, and so it is for whatever is started from there.
    let signals = if ignores_the_end_of_the_terminal() { &["TERM"][..] } else { &["TERM", "HUP"] };
    for signal in signals {
        let gate = Gate::new();
        let server = slow(&gate);
        let going = start(&server, "");
        going.signal(signal);
        going.hear("stopping: asked to end by a signal");
        gate.open();
        let ran = going.wait().exit(143);
        assert_eq!(ran.read("out/letter.jsonl"), THREE_ROWS, "{signal}");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_ends_its_events_and_its_document() {
    let gate = Gate::new();
    let server = slow(&gate);
    let going = start(&server, "--json --events events.jsonl");
    going.signal("INT");
    going.hear("stopping: interrupted");
    gate.open();
    let ran = going.wait().exit(130);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&document["outcome"], &document["exit_code"]), (&"interrupted".into(), &130.into()));
    let events = ran.read("events.jsonl");
    let names: Vec<serde_json::Value> =
        events.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["event"].clone()).collect();
    assert!(names.contains(&"stopping".into()) && names.last() == Some(&"run_finished".into()), "{names:?}");
}

#[test]
fn a_closed_pipe_ends_the_printing_and_not_the_run() {
    for flags in ["--events -", "--json", "--print letter"] {
        let gate = Gate::new();
        let server = slow(&gate);
        let cli = Cli::new("letters.yaml").file("letters.yaml", letters(&server));
        let going = flags.split(' ').fold(cli, Cli::arg).start_with_broken_pipe();
        gate.open();
        let ran = going.wait().exit(0);
        assert_eq!(ran.read("out/letter.jsonl").lines().count(), 9, "{flags}");
        assert_eq!(server.requests().len(), 9);
    }
}

#[cfg(unix)]
#[test]
fn whoever_does_not_read_events_keeps_nobody_from_interrupting_the_run() {
    let yaml = "name: x\nstages: {page: {for_each: {n: 5000}, render: 'Page {{n}}', save: 'p/{{n}}.md'}}\n";
    let going = Cli::new("x.yaml --events - --progress none").file("x.yaml", yaml).start_unread();
    // More events by then than a pipe holds.
    while !going.path("out/p/600.md").exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    going.signal("INT");
    going.signal("INT");
    going.wait().exit(130);
}

#[cfg(target_os = "linux")]
#[test]
fn an_interruption_goes_before_a_standard_output_that_is_full() {
    for (signal, code) in [(None, 6), (Some("INT"), 130)] {
        let gate = Gate::new();
        let server = slow(&gate);
        let cli = Cli::new("letters.yaml --print letter").file("letters.yaml", letters(&server));
        let going = cli.start_with_full_disk();
        arrived(&server, 3);
        if let Some(signal) = signal {
            going.signal(signal);
            going.hear("stopping: ");
        }
        gate.open();
        let ran = going.wait().exit(code);
        assert!(ran.stderr.contains("\nerror: standard output can't be written: "), "{ran:?}");
    }
}

#[test]
fn a_folder_belongs_to_one_run_at_a_time() {
    let gate = Gate::new();
    let server = slow(&gate);
    let first = start(&server, "");
    let out = first.path("out").to_string_lossy().into_owned();
    let second = Cli::new("letters.yaml --out").arg(&out).file("letters.yaml", letters(&server)).run().exit(6);
    assert!(second.stderr.starts_with("error: another run has "), "{second:?}");
    assert_eq!(server.requests().len(), 3, "the second run has sent nothing");
    gate.open();
    first.wait().exit(0);
}

#[test]
fn a_file_in_place_of_the_folder_is_told_before_anything_is_sent() {
    let server = slow(&Gate::new());
    let cli = Cli::new("letters.yaml").file("letters.yaml", letters(&server)).file("out", "I am a file");
    let ran = cli.run().exit(6).stdout("");
    assert!(ran.stderr.starts_with("error: `out` is "), "{ran:?}");
    assert_eq!((ran.read("out"), server.requests().len()), ("I am a file".to_owned(), 0));
}
