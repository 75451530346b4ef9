//! A request before it is sent: which item it is for, and what of it is not known yet.

use crate::support::{Cli, Ran};

const PIPELINE: &str = "\
name: letters
inputs: {langs: {type: items, default: [de, fr]}, texts: {type: items, default: [{slug: a}, {slug: b}, {slug: c}]}}
stages:
  translate: {for_each: {lang: langs, text: texts}, when: 'ne text.slug \"c\"', render: \"{{loop.key}} {{loop.number}}\"}
  rank: {text: 'Rank {{join translate \", \"}}', json: true}
  report: {render: \"{{len rank}}: {{#each rank}}{{this.title}}{{/each}}, {{rank.2.title}}\"}
  scene: {for_each: {part: rank}, when: rank, render: \"{{part.title}}\"}
";

fn show(words: &str) -> Ran {
    Cli::new(&format!("show letters.yaml {words} --offline")).file("letters.yaml", PIPELINE).run()
}

#[test]
fn an_item_is_found_by_its_key_and_by_its_number_over_all_loops() {
    show("translate").exit(0).stderr("").stdout("de/a 1\n");
    show("translate fr/b").exit(0).stderr("").stdout("fr/b 2\n");
    show("translate #5").exit(0).stderr("").stdout("fr/b 2\n");
    for (item, error) in [
        ("#7", "error: `translate` has no item `#7`\n  help: there are 6; `#1` is the first\n"),
        ("#0", "error: `translate` has no item `#0`\n  help: there are 6; `#1` is the first\n"),
        ("de/x", "error: no `text` is called `x`\n  help: there are 3: `a`, `b`, `c`; `#1` is the first\n"),
    ] {
        show(&format!("translate {item}")).exit(2).stdout("").stderr(error);
    }
}

#[test]
fn an_item_that_when_skips_is_shown_with_a_note() {
    let note = "note: a run skips it, since `when: ne text.slug \"c\"` does not hold\n";
    show("translate #3").exit(0).stdout("de/c 3\n").stderr(note);
    show("translate #3 -q").exit(0).stdout("de/c 3\n").stderr("");
}

#[test]
fn what_is_made_of_a_stand_in_is_told() {
    show("report").exit(0).stdout("3: <rank.title><rank.title><rank.title>, <rank.title>\n").stderr(
        "note: `{{len rank}}` counts a stand-in: `rank` is not known before a run\n\
         note: `{{#each rank}}` goes through stand-ins: `rank` is not known before a run\n",
    );
    show("scene").exit(0).stdout("<part.title>\n").stderr(
        "note: `part` is a stand-in: its list comes from `rank`, and is known in a run\n\
         note: whether `when` skips it is known in a run, since that depends on `rank`\n",
    );
    let ran = show("scene #2").exit(2).stdout("");
    assert!(
        ran.stderr.ends_with("help: how many `part` there are is known in a run; `#1` shows the first\n"),
        "{ran:?}"
    );
}

#[test]
fn a_rehearsal_says_that_nothing_is_sent() {
    let ran = show("rank").exit(0).stderr("");
    assert!(ran.stdout.starts_with("answered by the built-in provider; nothing is sent\n{\n"), "{ran:?}");
    assert!(ran.stdout.contains("\"Rank <translate>\""), "{ran:?}");
}

#[test]
fn a_schema_is_shown_as_it_goes_out() {
    let file = "name: sort\nstages: {sort: {text: Sort it, json: [{kind: \"bug | feature\"}]}}\n";
    let show =
        |provider: &str| Cli::new(&format!("show sort.yaml sort {provider}")).file("sort.yaml", file).run().exit(0);
    let shown = show("--provider pollinations").stdout;
    for line in ["\"type\": \"json_schema\"", "\"name\": \"sort\"", "\"strict\": true", "\"items\": {", "\"bug\","] {
        assert!(shown.contains(line), "{shown}");
    }
    assert!(show("--offline").stdout.contains("\"schema\": {"));
}
