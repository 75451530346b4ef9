//! Wrong usage: what is said, and with which exit code.

use crate::service::server::{Reply, Server};
use crate::support::Cli;

#[test]
fn without_arguments_the_help_is_shown_as_an_error() {
    let ran = Cli::new("").run().exit(2).stdout("");
    assert!(ran.stderr.starts_with("Run a pipeline of text, chat and image stages\n\nUsage: blossom-run"), "{ran:?}");
}

#[test]
fn help_goes_to_standard_output() {
    for (command, name) in [("--help", "help"), ("-h", "short_help"), ("check --help", "check_help")] {
        insta::assert_snapshot!(name, Cli::new(command).run().exit(0).stderr("").stdout);
    }
}

#[test]
fn the_version_is_told() {
    Cli::new("--version").run().exit(0).stdout(&format!("blossom-run {}\n", env!("CARGO_PKG_VERSION"))).stderr("");
}

#[test]
fn an_input_without_a_value_is_explained() {
    Cli::new("x.yaml -i tone").run().exit(2).stdout("").stderr(
        "error: invalid value 'tone' for '--input <NAME=VALUE>': it has no value; write `-i tone=VALUE`\n\n\
         For more information, try '--help'.\n",
    );
}

#[test]
fn an_input_that_can_not_be_read_is_named() {
    Cli::new("digest -i tone=@missing.txt").run().exit(3).stdout("").stderr(
        "error: input `tone`: `missing.txt` can't be read: No such file or directory (os error 2)\n  \
         help: write `-i tone=@FILE` with a file that can be read, or `@@` for an @\n",
    );
}

#[test]
fn an_input_that_is_no_text_is_refused() {
    Cli::new("digest -i tone=@-").stdin(b"\xff\xfe").run().exit(3).stdout("").stderr(
        "error: input `tone`: `standard input` is not text in UTF-8\n  help: convert it first: `iconv -t utf-8`\n",
    );
}

#[test]
fn an_unknown_pipeline_suggests_a_template_or_a_file() {
    Cli::new("digst")
        .run()
        .exit(3)
        .stdout("")
        .stderr("error: there is no pipeline `digst`\n  help: did you mean `digest`?\n");
    Cli::new("stories.yml")
        .file("story.yml", "name: story\n")
        .run()
        .exit(3)
        .stdout("")
        .stderr("error: there is no pipeline `stories.yml`\n  help: did you mean `story.yml`?\n");
}

#[test]
fn words_that_a_terminal_would_obey_are_shown_without_that() {
    let esc = "\u{1b}[2Jx\u{202e}";
    let named = format!("name: \"a{}\"\nstages: {{a: {{render: b}}}}\n", "\\e[2J");
    for cli in [
        Cli::new("").arg(&format!("{esc}.yaml")),
        Cli::new("check").arg(&format!("{esc}.yaml")),
        Cli::new("digest").arg(&format!("--{esc}")),
        Cli::new("digest --only").arg(esc),
        Cli::new("new").arg(esc),
        Cli::new("named.yaml").file("named.yaml", &named),
    ] {
        let ran = cli.run();
        assert!(!ran.stderr.contains(['\u{1b}', '\u{202e}']), "{:?}", ran.stderr);
    }
}

#[test]
fn a_folder_without_a_pipeline_says_so() {
    Cli::new("here").file("here/notes.txt", "").run().exit(3).stdout("").stderr(
        "error: the folder `here` has no `pipeline.yaml`\n  \
         help: name the pipeline file itself, or make one there: `blossom-run new digest FOLDER`\n",
    );
}

#[test]
fn events_that_can_not_be_written_stop_the_run_before_it_begins() {
    let ran = Cli::new("digest --offline --events missing/events.jsonl").run().exit(6).stdout("");
    assert!(
        ran.stderr.starts_with("error: events can't be written to `missing/events.jsonl`: No such file"),
        "{ran:?}"
    );
    assert_eq!(ran.files(), Vec::<String>::new());
}

#[test]
fn events_replace_events_and_nothing_else() {
    let pipeline =
        "name: a\nstages: {a: {render: b, save: a.md}, b: {for_each: {n: 2}, render: c, save: 'b/{{n}}.md'}}\n";
    let run = |file: &str| Cli::new(&format!("a.yaml -q --events {file}")).file("a.yaml", pipeline);
    let ran = run("a.yaml").run().exit(2).stdout("").stderr(
        "error: `--events`: `a.yaml` already exists, and is not a file of events\n  \
         help: name another file: `--events events.jsonl`\n",
    );
    assert_eq!((ran.read("a.yaml").as_str(), ran.files().len()), (pipeline, 1));
    for file in ["out/a.md", "./out/b/1.md"] {
        let ran = run(file).run().exit(2).stdout("");
        assert!(ran.stderr.contains("is a file that the run itself writes"), "{ran:?}");
    }
    run("e.jsonl").file("e.jsonl", "{\"seq\":1,\"at\":\"2026\"}\n").run().exit(0);
}

#[test]
fn an_output_that_is_none_is_wrong_usage() {
    let ran = Cli::new("digest --offline --print no_such_output").run().exit(2).stdout("");
    assert!(ran.stderr.contains("`--print`: there is no output `no_such_output`"), "{ran:?}");
}

#[test]
fn a_flag_that_names_what_is_not_there_is_wrong_usage() {
    for (command, error) in [
        ("digest --only sumarize", "`--only`: there is no stage `sumarize`\n  help: did you mean `summarize`?"),
        ("digest --provider opnai", "`--provider`: there is no provider `opnai`\n  help: did you mean `openai`?"),
        ("check digest --provider opnai", "`--provider`: there is no provider `opnai`\n  help: did you mean `openai`?"),
        ("show digest summarise", "there is no stage `summarise`\n  help: did you mean `summarize`?"),
    ] {
        Cli::new(command).run().exit(2).stdout("").stderr(&format!("error: {error}\n"));
    }
}

#[test]
fn errors_have_a_colour_where_it_is_asked_for() {
    for command in ["digest --only nope", "nope", "show digest nope", "check nope"] {
        let ran = Cli::new(command).arg("--color").arg("always").run();
        assert!(ran.stderr.starts_with("\u{1b}[31m\u{1b}[1merror:\u{1b}[0m "), "{ran:?}");
    }
}

#[test]
fn an_unknown_flag_suggests_one() {
    let ran = Cli::new("digest --offlin").run().exit(2).stdout("");
    assert!(ran.stderr.contains("unexpected argument '--offlin' found"), "{ran:?}");
    assert!(ran.stderr.contains("'--offline'"), "{ran:?}");
}

#[test]
fn a_provider_stage_or_item_that_is_none_is_wrong_usage() {
    for (command, error) in [
        ("models --provider olama", "error: there is no provider `olama`\n  help: did you mean `ollama`?\n"),
        ("show digest sumarize", "error: there is no stage `sumarize`\n  help: did you mean `summarize`?\n"),
        (
            "show digest summarize tool-libary",
            "error: no `article` is called `tool-libary`\n  help: did you mean `tool-library`?\n",
        ),
    ] {
        Cli::new(command).run().exit(2).stdout("").stderr(error);
    }
}

#[test]
fn the_models_of_a_providers_file_are_listed_and_a_silent_service_blocks() {
    let server = Server::start(|request| match request.target.as_str() {
        "/full/models" => Reply::json(&serde_json::json!({"data": [{"id": "tiny\u{1b}[2J"}]})),
        _ => Reply::json(&serde_json::json!({"data": []})),
    });
    let pipeline = format!(
        "name: a\nproviders:\n  full: {{kind: openai, base_url: \"{url}/full\"}}\n  \
         none: {{kind: openai, base_url: \"{url}/none\"}}\n  gone: {{kind: openai, base_url: \"http://127.0.0.1:9/v1\"}}\n\
         stages: {{a: {{render: b}}}}\n",
        url = server.url
    );
    let models = |words: &str| Cli::new(&format!("models a.yaml {words}")).file("a.yaml", &pipeline).run();
    models("").exit(0).stdout("tiny [2J\n").stderr("");
    models("--provider none").exit(0).stdout("").stderr("`none` lists no models\n");
    let ran = models("--provider gone").exit(5).stdout("");
    assert!(ran.stderr.contains("  help: check the address, and whether the server runs\n"), "{ran:?}");
    models("--provider nane").exit(2).stderr("error: there is no provider `nane`\n  help: did you mean `none`?\n");
}

#[test]
fn a_broken_file_is_drawn_and_nothing_is_run() {
    let broken = "name: broken\nstages:\n  a: {txt: hello}\n  b: {text: \"{{a}}\"}\n";
    for command in ["broken.yaml --offline", "check broken.yaml", "show broken.yaml b", "graph broken.yaml"] {
        let ran = Cli::new(command).file("broken.yaml", broken).run().exit(3).stdout("");
        assert!(ran.stderr.contains("broken.yaml:3:7: error: unknown key `txt`"), "{command}: {ran:?}");
        assert_eq!(ran.files(), ["broken.yaml"], "{command}");
    }
}

#[test]
fn a_temporary_folder_that_is_not_there_is_named() {
    for command in ["digest --offline", "templates"] {
        let ran = Cli::new(command).env("TMPDIR", "/nowhere").env("TMP", "/nowhere").run().exit(6).stdout("");
        assert!(ran.stderr.starts_with("error: no temporary folder can be made: "), "{ran:?}");
        assert!(ran.stderr.ends_with("help: set `TMPDIR` to an existing folder that can be written to\n"), "{ran:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_working_directory_that_is_gone_is_told() {
    let script =
        format!("mkdir gone && cd gone && rmdir ../gone && {} digest --offline", env!("CARGO_BIN_EXE_blossom-run"));
    let folder = tempfile::tempdir().expect("a folder");
    let ran = std::process::Command::new("sh").args(["-c", &script]).current_dir(&folder).output().expect("a shell");
    let told = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(2), "{told}");
    assert!(
        told.contains("the working directory can't be found") && told.contains("help: change to an existing folder"),
        "{told}"
    );
}

#[test]
fn a_broken_row_is_found_before_anything_is_run() {
    let pipeline = "name: rows\ninputs:\n  towns: {type: items, default: towns.jsonl}\nstages:\n  \
                    a: {for_each: {town: towns}, text: \"{{town.name}}\"}\n";
    let ran = Cli::new("rows.yaml --offline")
        .file("rows.yaml", pipeline)
        .file("towns.jsonl", "{\"name\": \"Sandau\"}\n{\"nam\n")
        .run()
        .exit(3)
        .stdout("");
    assert!(ran.stderr.starts_with("towns.jsonl:2:"), "{ran:?}");
    assert_eq!(ran.files(), ["rows.yaml", "towns.jsonl"]);
}

#[test]
fn a_run_without_its_key_is_blocked_and_replaces_no_file() {
    let ran = Cli::new("digest").file("out/summaries.jsonl", "of yesterday\n").run().exit(5).stdout("");
    assert!(ran.stderr.contains("neither `POLLINATIONS_API_KEY` nor `BLOSSOM_API_KEY` is set"), "{ran:?}");
    assert!(ran.stderr.contains("rehearse with `--offline`"), "{ran:?}");
    assert_eq!(ran.read("out/summaries.jsonl"), "of yesterday\n");
}
