//! What is asked again after a change, and what is not, by the server's count.

use crate::cli::Ran;
use crate::desk::{Counted, DIGEST, Desk, NOTHING, REPORT, Row, lines, out, rows};

/// A run over these rows, and what it asked for.
fn first(desk: &mut Desk, rows: &[Row]) -> Ran {
    let ran = desk.cli(DIGEST, rows).run().exit(0);
    let count = rows.len();
    assert_eq!(desk.counted(), Counted { analyze: count, summarize: count, picture: count, report: 1 });
    ran
}

/// The same over other rows.
fn over(desk: &mut Desk, ran: Ran, rows: &[Row]) -> (Ran, Counted) {
    let ran = ran.again("p.yaml").file("rows.jsonl", lines(rows)).run().exit(0);
    let counted = desk.counted();
    (ran, counted)
}

#[test]
fn a_second_run_asks_for_nothing_and_writes_the_same() {
    let mut desk = Desk::new();
    let ran = first(&mut desk, &rows(5));
    let before = out(&ran);
    assert_eq!(before.len(), 1 + 5 + 1);
    let ran = ran.again("p.yaml --out out").run().exit(0);
    assert_eq!(desk.counted(), NOTHING);
    assert_eq!(out(&ran), before);
    assert!(ran.stderr.contains("reused"), "{}", ran.stderr);
}

#[test]
fn one_of_three_hundred_rows_is_changed_and_only_what_is_made_from_it_is_asked() {
    let mut desk = Desk::new();
    let mut rows = rows(300);
    let ran = first(&mut desk, &rows);
    rows[123].body = "something else".to_owned();
    let ran = ran.again("p.yaml").file("rows.jsonl", lines(&rows)).run().exit(0);
    let asked = desk.asked();
    let report = ran.read("out/summaries.jsonl");
    assert_eq!(asked.len(), 4, "{asked:?}");
    assert_eq!(asked[0], "Analyze: something else");
    assert_eq!(asked[1], "Paint something else");
    assert!(asked[2].starts_with("Report: Answer"), "{}", asked[2]);
    assert!(asked[3].starts_with("Summarize, calm: Answer"), "{}", asked[3]);
    assert_eq!(report.lines().count(), 300);

    rows.reverse();
    let (ran, counted) = over(&mut desk, ran, &rows);
    assert_eq!(counted, REPORT, "sorted");
    assert!(ran.read("out/summaries.jsonl").starts_with(r#"{"id":"r300""#));
}

#[test]
fn rows_are_added_and_removed() {
    let mut desk = Desk::new();
    let all = rows(6);
    let ran = first(&mut desk, &all[..4]);
    let (ran, counted) = over(&mut desk, ran, &all);
    assert_eq!(counted, Counted { analyze: 2, summarize: 2, picture: 2, report: 1 });
    let (ran, counted) = over(&mut desk, ran, &all[2..]);
    assert_eq!(counted, REPORT);
    let (_, counted) = over(&mut desk, ran, &all[..4]);
    assert_eq!(counted, NOTHING, "even the report is there from the first run");
}

#[test]
fn a_column_that_no_template_names_changes_nothing() {
    let mut desk = Desk::new();
    let mut rows = rows(4);
    let ran = first(&mut desk, &rows);
    rows[0].note = "another".to_owned();
    let (ran, counted) = over(&mut desk, ran, &rows);
    assert_eq!(counted, NOTHING);
    rows[0].id = "r000".to_owned();
    let (ran, counted) = over(&mut desk, ran, &rows);
    assert_eq!(counted, NOTHING, "it is named where the row is saved, and in no request");
    assert!(ran.read("out/summaries.jsonl").starts_with(r#"{"id":"r000""#));
}

/// Changes of the file: each pair is what stands there and what is put in its place.
const NEUTRAL: [(&str, &[(&str, &str)]); 13] = [
    ("the pipeline's name", &[("name: digest", "name: other")]),
    ("an input's name", &[("tone:", "voice:"), ("{{tone}}", "{{voice}}")]),
    ("the list's name", &[("rows: {type", "posts: {type"), ("{row: rows}", "{row: posts}")]),
    ("a loop variable", &[("{row: rows}", "{post: rows}"), ("{{row.", "{{post.")]),
    ("comments", &[("stages:", "# What is done.\nstages: # all of it")]),
    ("layout", &[(r#"text: "Analyze: {{row.body}}""#, "text: >-\n      Analyze:\n      {{row.body}}")]),
    ("the order of stages", &[("  report:\n", "  last:\n    render: \"{{report}}\"\n  report:\n")]),
    ("concurrency", &[("concurrency: 8}\n", "concurrency: 2}\n"), ("model: m", "model: m, rate: 1000/s")]),
    ("retry", &[("model: m", "model: m, retry: {attempts: 7, backoff: 1ms}")]),
    ("timeout", &[("model: m", "model: m, timeout: 40s")]),
    ("stream", &[("model: m", "model: m, stream: false")]),
    ("save", &[("save: report.md", "save: other/name.md"), ("pictures/", "")]),
    ("on_error", &[("model: m", "model: m, on_error: continue")]),
];

#[test]
fn what_is_in_no_request_runs_nothing_again() {
    let mut desk = Desk::new();
    let mut ran = first(&mut desk, &rows(3));
    for (what, changes) in NEUTRAL {
        let mut file = desk.file(DIGEST);
        for (there, instead) in changes {
            assert!(file.contains(there), "{what}: `{there}` is not in the file");
            file = file.replace(there, instead);
        }
        ran = ran.again("p.yaml").file("p.yaml", file).run().exit(0);
        assert_eq!(desk.counted(), NOTHING, "{what}");
    }
    for flags in ["--stream --progress lines", "--json", "--events e.jsonl", "--out elsewhere", "--concurrency 1"] {
        let cli = ran.again("p.yaml").file("p.yaml", desk.file(DIGEST));
        ran = flags.split(' ').fold(cli, crate::cli::Cli::arg).run().exit(0);
        assert_eq!(desk.counted(), NOTHING, "{flags}");
    }
}

#[test]
fn what_is_in_a_request_runs_its_calls_again() {
    let both = |count| Counted { analyze: count, summarize: count, ..NOTHING };
    let summaries = Counted { summarize: 3, report: 1, ..NOTHING };
    // The answers are made from the prompts alone, so nothing that is made from them changes with a parameter.
    let cases: [(&str, &str, &str, Counted); 7] = [
        ("an input that a prompt names", "{default: calm}", "{default: loud}", summaries),
        ("a prompt", "Summarize,", "Summarize briefly,", summaries),
        ("a model", "model: m,", "model: other,", Counted { picture: 0, report: 1, ..both(3) }),
        ("a parameter", "text: \"Analyze", "temperature: 0.5\n    text: \"Analyze", Counted { analyze: 3, ..NOTHING }),
        ("a length", "text: \"Report", "max_tokens: 90\n    text: \"Report", REPORT),
        (
            "the size of a picture",
            "image: \"Paint",
            "width: 64\n    height: 64\n    image: \"Paint",
            Counted { picture: 3, ..NOTHING },
        ),
        ("a stage's name", "  picture:", "  painting:", Counted { picture: 3, ..NOTHING }),
    ];
    for (what, there, instead, expected) in cases {
        let mut desk = Desk::new();
        // A model of its own for pictures, so that they don't go with the texts.
        let digest = DIGEST.replace("model: m,", "model: m, image: {model: p},");
        let ran = desk.cli(&digest, &rows(3)).run().exit(0);
        desk.counted();
        let changed = digest.replace(there, instead);
        assert_ne!(changed, digest, "{what}");
        ran.again("p.yaml").file("p.yaml", desk.file(&changed)).run().exit(0);
        assert_eq!(desk.counted(), expected, "{what}");
    }
}

#[test]
fn answers_of_the_built_in_provider_are_kept_apart() {
    let mut desk = Desk::new();
    let ran = desk.cli(DIGEST, &rows(2)).arg("--offline").run().exit(0);
    assert_eq!(desk.counted(), NOTHING);
    let ran = ran.again("p.yaml").run().exit(0);
    assert_eq!(desk.counted(), Counted { analyze: 2, summarize: 2, picture: 2, report: 1 });
    let ran = ran.again("p.yaml --offline --events e.jsonl").run().exit(0);
    assert_eq!(desk.counted(), NOTHING);
    assert!(!ran.read("e.jsonl").contains("attempt_sent"), "the built-in one is not asked twice either");
}

#[test]
fn identical_calls_are_one_at_the_same_time_and_later() {
    let mut desk = Desk::new();
    let mut rows = rows(20);
    for row in &mut rows {
        "the same".clone_into(&mut row.body);
    }
    let ran = desk.cli(DIGEST, &rows).run().exit(0);
    assert_eq!(desk.counted(), Counted { analyze: 1, summarize: 1, picture: 1, report: 1 });
    assert_eq!(ran.read("out/summaries.jsonl").lines().count(), 20);
    assert_eq!(ran.files().iter().filter(|file| file.starts_with("out/pictures/")).count(), 20);
}
