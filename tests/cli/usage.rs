//! Wrong usage: what is said, and with which exit code.

use crate::support::Cli;

#[test]
fn without_arguments_the_help_is_shown_as_an_error() {
    let ran = Cli::new("").run().exit(2).stdout("");
    assert!(ran.stderr.starts_with("Run a pipeline of text, chat and image stages\n\nUsage: blossom-run"), "{ran:?}");
}

#[test]
fn help_goes_to_standard_output() {
    let ran = Cli::new("--help").run().exit(0).stderr("");
    assert!(ran.stdout.contains("\nExit codes:\n  0    done"), "{ran:?}");
    let ran = Cli::new("check --help").run().exit(0).stderr("");
    assert!(ran.stdout.starts_with("Show every mistake in pipeline files"), "{ran:?}");
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
fn an_output_that_is_none_is_wrong_usage() {
    let ran = Cli::new("digest --offline --print no_such_output").run().exit(2).stdout("");
    assert!(ran.stderr.contains("`--print`: there is no output `no_such_output`"), "{ran:?}");
}
