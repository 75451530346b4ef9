//! What is told about a pipeline that can be read and can't run, word for word: `tests/golden/plan`.
//!
//! A file may begin with the command that it is for: `# blossom-run check FILE -i tone=dry`. Without one it is run.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use blossom_run::diag::{DrawStyle, draw};
use blossom_run::engine::{self, Request};
use blossom_run::plan::Stage;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

#[path = "support/golden.rs"]
mod golden;

#[test]
fn every_mistake_of_a_pipeline_is_told_at_its_word_and_with_what_to_try() {
    golden::check("plan", tell);
}

/// Each stage names the two before it: from the last to the first lead more ways than anyone can go.
#[test]
fn a_dense_file_is_checked() {
    let dense = (2..60).map(|ix| {
        let (one, two) = (ix - 1, ix - 2);
        format!("  s{ix}: {{for_each: row, render: '{{{{s{one}}}}}{{{{s{two}}}}}', save: 's{ix}/{{{{row.a}}}}'}}\n")
    });
    let head = "name: dense\ninputs: {rows: {type: items, default: [{a: 1}]}}\nstages:\n  \
                s0: {for_each: {row: rows}, render: '{{row.a}}', when: row.a}\n  s1: {for_each: row, render: '{{s0}}'}\n";
    assert!(can_run(&(head.to_owned() + &dense.collect::<String>())));
}

/// No stack is as deep as a file is long.
#[test]
fn a_long_chain_is_checked() {
    let chain: Vec<String> = (0..6_000).map(|ix| format!("  s{ix}: {{render: '{{{{s{}}}}}'}}\n", ix + 1)).collect();
    assert!(can_run(&format!("name: long\nstages:\n{}  s6000: {{render: x}}\n", chain.concat())));
}

/// A value may be made of others, as often as it likes, and of any number of them one after the other.
#[test]
fn values_that_are_made_of_values_are_checked() {
    let chain: Vec<String> = (0..4_000).map(|ix| format!("  s{ix}: {{value: ['{{{{s{}}}}}', 1]}}\n", ix + 1)).collect();
    assert!(can_run(&format!("name: long\nstages:\n{}  s4000: {{value: x}}\n", chain.concat())));
    let twice: Vec<String> =
        (1..60).map(|ix| format!("  s{ix}: {{value: {{a: '{{{{s{0}}}}}', b: '{{{{s{0}}}}}'}}}}\n", ix - 1)).collect();
    assert!(can_run(&format!("name: twice\nstages:\n  s0: {{value: x}}\n{}", twice.concat())));
}

/// Each level uses the one below twice: a few levels are more stages than anyone has.
#[test]
fn uses_that_double_with_each_level_come_to_an_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |level: usize, stages: &str| {
        let path = folder.path().join(format!("{level}.yaml"));
        let text = format!("name: level\nstages: {{{stages}}}\n");
        fs::File::create(&path).and_then(|mut file| file.write_all(text.as_bytes())).expect("a file");
        path
    };
    write(0, "a: {render: x}");
    let twice = |level: usize| format!("a: {{use: {0}.yaml}}, b: {{use: {0}.yaml}}", level - 1);
    let paths: Vec<_> = (1..=100).map(|level| write(level, &twice(level))).collect();
    for (levels, message) in [(15, "more than 1000 pipelines"), (99, "more than 16 files deep")] {
        let checked = engine::check(&request(&paths[levels]));
        let told: Vec<&str> = checked.diagnostics.iter().map(|one| one.message.as_str()).collect();
        let is_told = told.iter().any(|told| told.contains(message));
        assert!(checked.plan.is_none() && is_told && told.len() < 4, "{told:?}");
    }
    assert!(engine::check(&request(&paths[6])).plan.is_some());
}

fn can_run(text: &str) -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("file.yaml");
    fs::File::create(&path).and_then(|mut file| file.write_all(text.as_bytes())).expect("a file");
    engine::check(&request(&path)).plan.is_some()
}

/// What a stage may say after `for_each: `; many of these together make no sense.
fn for_each() -> impl Strategy<Value = Option<String>> {
    let variable = || select(vec!["x", "y", "z"]);
    let source = select(vec!["l", "[1, 2]", "x.t", "y.t", "z.t", "s0.t", "s1.t", "s2.t", "s3.t"]);
    let entries = vec((variable(), source), 1..3).prop_map(|entries| {
        let entries: Vec<String> = entries.iter().map(|(variable, source)| format!("{variable}: {source}")).collect();
        format!("{{{}}}", entries.join(", "))
    });
    prop_oneof![Just(None), variable().prop_map(|name| Some(name.to_owned())), entries.prop_map(Some)]
}

/// The loops of each stage by their names, or nothing if it can't run.
fn loops(stages: &[(usize, Option<String>)]) -> Option<BTreeMap<String, Vec<String>>> {
    let folder = tempfile::tempdir().expect("a folder");
    let written = stages.iter().map(|(ix, for_each)| {
        let for_each = for_each.as_ref().map(|written| format!("for_each: {written}, ")).unwrap_or_default();
        format!("  s{ix}: {{{for_each}text: x, json: true}}\n")
    });
    let text = format!("name: loops\ninputs: {{l: [{{t: [{{t: [1]}}]}}]}}\nstages:\n{}", written.collect::<String>());
    let path = folder.path().join("loops.yaml");
    fs::File::create(&path).and_then(|mut file| file.write_all(text.as_bytes())).expect("a file");
    let plan = engine::check(&request(&path)).plan?;
    for (stage, (_, for_each)) in plan.stages.iter().zip(stages) {
        assert_eq!(stage.loops.is_empty(), for_each.is_none(), "`{}` of\n{text}", stage.name);
    }
    let names = |stage: &Stage| stage.loops.iter().map(|ix| plan.loop_at(*ix).name.to_string()).collect();
    Some(plan.stages.iter().map(|stage| (stage.name.to_string(), names(stage))).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn loops_are_the_same_in_whatever_order_the_stages_stand(
        written in vec(for_each(), 4),
        order in Just([0_usize, 1, 2, 3]).prop_shuffle(),
    ) {
        let stages: Vec<(usize, Option<String>)> = written.into_iter().enumerate().collect();
        let shuffled: Vec<_> = order.iter().map(|ix| stages[*ix].clone()).collect();
        prop_assert_eq!(loops(&stages), loops(&shuffled));
    }
}

/// Everything that is told about a pipeline before its first call, and that there would be none if nothing were wrong.
fn tell(path: &Path) -> String {
    let folder = path.parent().expect("a folder");
    let checked = engine::check(&request(path));
    let mut drawn: Vec<String> =
        checked.diagnostics.iter().map(|one| draw(one, &checked.files, DrawStyle::PLAIN)).collect();
    assert_eq!(checked.plan.is_some(), !checked.diagnostics.has_errors(), "a plan is there if it can run");
    if checked.plan.is_some() {
        drawn.push("It can run.".to_owned());
    }
    // Files are named with their folder, which is another on each machine.
    (drawn.join("\n\n") + "\n").replace(&format!("{}/", folder.display()), "")
}

fn request(path: &Path) -> Request {
    let folder = path.parent().expect("a folder");
    let text = fs::read_to_string(path).expect("a text");
    let command = text.lines().next().and_then(|line| line.strip_prefix("# blossom-run ")).unwrap_or_default();
    let mut request =
        Request { file: path.to_owned(), working_dir: folder.to_owned(), to_run: true, ..Request::default() };
    let mut words = command.split_whitespace();
    while let Some(word) = words.next() {
        match word {
            "check" => request.to_run = false,
            "FILE" => {}
            option => {
                let value = words.next().expect("a value").to_owned();
                match option {
                    "-i" => {
                        let (name, value) = value.split_once('=').expect("a name and a value");
                        request.inputs.push((name.to_owned(), value.to_owned()));
                    }
                    "--only" => request.only.push(value),
                    "--max-cost" => request.budget.cost = Some(value.parse().expect("an amount")),
                    "--provider" => request.provider = Some(value),
                    other => panic!("`{other}` in the first line of {}", path.display()),
                }
            }
        }
    }
    request
}
