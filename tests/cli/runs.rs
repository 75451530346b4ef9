//! Runs of a shipped template, without a service.

use crate::support::Cli;

#[test]
fn a_template_runs_by_its_name_and_writes_to_the_output_folder() {
    let ran = Cli::new("digest --offline").env("CI", "true").run().exit(0);
    assert!(!ran.stdout.is_empty(), "{ran:?}");
    assert!(ran.stderr.contains("\ndigest: done in [time] (run [run])\n"), "{ran:?}");
    assert!(!ran.stderr.contains('\u{1b}'), "no colours and no bars where nobody looks: {ran:?}");
    let files = ran.files();
    assert!(!files.is_empty() && files.iter().all(|file| file.starts_with("out/")), "{files:?}");
}

#[test]
fn quiet_says_nothing_where_nothing_is_wrong() {
    Cli::new("digest --offline --quiet").run().exit(0).stderr("");
}

#[test]
fn a_copy_in_the_working_directory_goes_before_the_template() {
    let broken = "name: digest\nstages: {}\n";
    let ran = Cli::new("check digest").file("digest/pipeline.yaml", broken).run().exit(3).stdout("");
    assert!(ran.stderr.contains("digest/pipeline.yaml:2:"), "{ran:?}");
}

#[test]
fn the_document_is_json_and_alone_on_standard_output() {
    let ran = Cli::new("digest --offline --quiet --json").run().exit(0);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!((&document["outcome"], &document["exit_code"]), (&"done".into(), &0.into()));
    for stage in document["stages"].as_array().expect("stages") {
        let tally = stage["tally"].as_object().expect("a tally");
        let ends: u64 = tally.iter().filter(|(name, _)| *name != "instances").filter_map(|(_, n)| n.as_u64()).sum();
        assert_eq!(tally["instances"].as_u64(), Some(ends), "instances are the sum of all that became of them");
    }
}

#[test]
fn events_are_json_lines_from_the_first_to_the_last() {
    let ran = Cli::new("digest --offline --quiet --events -").run().exit(0);
    let events: Vec<serde_json::Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let name = |at: usize| events[at]["event"].as_str().unwrap_or_default().to_owned();
    assert_eq!((name(0), name(events.len() - 1)), ("run_started".to_owned(), "run_finished".to_owned()));
    assert!((1..).zip(&events).all(|(seq, event)| event["seq"] == seq), "numbered without gaps");
}
