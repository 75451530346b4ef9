//! What the documentation shows is true: examples run, flags exist, helpers, keys, events and exit codes are all told.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

use blossom_run::plan::template::HELPERS;
use blossom_run::sink::Exit;
use blossom_run::spec::vocabulary;

#[path = "documents/markdown.rs"]
mod markdown;
#[path = "support/cli.rs"]
mod support;

use markdown::{Block, code, rows, section};
use support::Cli;

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    fs::read_to_string(root(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The pages, by their paths.
fn pages() -> BTreeMap<String, String> {
    let docs = fs::read_dir(root("docs")).expect("the documentation").map(|entry| {
        let name = entry.expect("an entry").file_name();
        format!("docs/{}", name.to_string_lossy())
    });
    docs.chain(["README.md".to_owned()])
        .filter(|path| Path::new(path).extension().is_some_and(|extension| extension == "md"))
        .map(|path| (path.clone(), read(&path)))
        .collect()
}

/// Blocks of YAML, whole pipelines or fragments.
fn yaml(fragments: bool) -> Vec<Block> {
    let blocks = pages().into_iter().flat_map(|(path, text)| markdown::blocks(&path, &text));
    let (of_yaml, _): (Vec<Block>, Vec<Block>) = blocks.partition(|block| block.language.starts_with("yaml"));
    for block in &of_yaml {
        assert!(["yaml", "yaml fragment"].contains(&block.language.as_str()), "{}: {}", block.place, block.language);
    }
    of_yaml.into_iter().filter(|block| (block.language == "yaml fragment") == fragments).collect()
}

/// The pipeline that another example uses; it is one itself.
fn used() -> String {
    let mut examples = yaml(false).into_iter();
    examples.find(|block| block.text.starts_with("name: portrait\n")).expect("the example that is used").text
}

/// The program in a folder with a pipeline, and with the data and prompts that examples speak of.
fn beside_data(command: &str, pipeline: &str) -> Cli {
    Cli::new(command)
        .file("pipeline.yaml", pipeline)
        .file("parts/portrait.yaml", used())
        .file("data/articles.jsonl", read("pipelines/digest/data/articles.jsonl"))
        .file("data/story.md", read("pipelines/storyboard/data/story.md"))
        .file("docs/start.md", "# Start here\n\nOpen the box.\n")
        .file("prompts/outline.md", "Outline a talk about tides.\n")
        .file("photos/harbour.png", fs::read(root("tests/golden/plan/data/sign.png")).expect("a picture"))
}

#[test]
fn every_whole_example_runs_without_a_service() {
    let examples = yaml(false);
    assert!(examples.len() > 15, "the examples are found");
    for Block { place, text, .. } in examples {
        let ran = beside_data("pipeline.yaml --offline --limit 3 --progress none", &text).run();
        assert_eq!(ran.code, 0, "{place}\n{text}\n{}", ran.stderr);
        assert!(!ran.stderr.contains("warning"), "{place}\n{}", ran.stderr);
        let made = ran.files().iter().any(|file| file.starts_with("out/") && file != "out/.blossom-run.lock");
        assert!(made || !ran.stdout.trim().is_empty(), "{place} comes to nothing");
    }
}

#[test]
fn every_fragment_fits_into_a_pipeline() {
    let fragments = yaml(true);
    assert!(fragments.len() > 3, "the fragments are found");
    for Block { place, text, .. } in fragments {
        let stages = if text.contains("stages:") { "" } else { "stages: {greet: {render: Hello}}\n" };
        let ran = beside_data("check pipeline.yaml", &format!("name: fragment\n{stages}{text}")).run();
        assert_eq!(ran.code, 0, "{place}\n{text}\n{}", ran.stderr);
    }
}

const COMMANDS: [&str; 15] = [
    "run",
    "chat",
    "check",
    "show",
    "graph",
    "new",
    "templates",
    "models",
    "plan",
    "why",
    "resume",
    "runs",
    "completions",
    "man",
    "help",
];

/// The help of each command, and that of the program under the empty name.
static HELP: LazyLock<BTreeMap<&str, String>> = LazyLock::new(|| {
    let help = |command: &str| Cli::new(&format!("help {command}")).run().exit(0).stdout;
    COMMANDS.into_iter().chain([""]).map(|command| (command, help(command))).collect()
});

/// The flags that a help lists.
fn flags(help: &str) -> BTreeSet<String> {
    let flag = Regex::new(r"(?m)^ +(-[a-zA-Z])?(?:, )?(--[a-z-]+)?").expect("a pattern");
    let found = flag.captures_iter(help).flat_map(|found| [found.get(1), found.get(2)]);
    found.flatten().map(|flag| flag.as_str().to_owned()).collect()
}

/// Whatever is written after `blossom-run`, up to the end of the command.
fn command_lines(text: &str) -> Vec<String> {
    let command = Regex::new(r"(?:blossom-run|cargo run --release --) ([^`#|&>\n]+)").expect("a pattern");
    command.captures_iter(text).map(|found| found[1].trim().to_owned()).collect()
}

#[test]
fn every_command_line_has_commands_and_flags_that_exist() {
    let mut seen = 0;
    for (page, text) in pages() {
        let fences = markdown::blocks(&page, &text).into_iter().map(|block| block.text);
        for line in fences.chain(code(&text)).flat_map(|text| command_lines(&text)) {
            let first = line.split_whitespace().next().unwrap_or_default();
            let help = &HELP[COMMANDS.iter().find(|command| **command == first).unwrap_or(&"")];
            for word in line.split_whitespace().filter(|word| word.starts_with('-') && word.len() > 1) {
                let flag = word.split('=').next().unwrap_or(word).trim_end_matches([',', '.']);
                assert!(flags(help).contains(flag), "{page}: `{line}`: there is no `{flag}`");
                seen += 1;
            }
        }
    }
    assert!(seen > 10, "command lines are found");
}

#[test]
fn every_flag_that_is_named_exists_and_every_flag_is_explained() {
    let all: BTreeSet<String> = HELP.values().flat_map(|help| flags(help)).collect();
    for (page, text) in pages().into_iter().filter(|(page, _)| page != "docs/performance.md") {
        for span in code(&text).iter().filter(|span| span.starts_with("--")) {
            let flag = span.split([' ', '=', '[']).next().unwrap_or(span);
            assert!(all.contains(flag), "{page}: `{span}`: there is no `{flag}`");
        }
    }
    let explained: BTreeSet<String> = rows(&section(&read("docs/running.md"), "Flags of a run"))
        .iter()
        .flat_map(|row| code(&row[0]))
        .filter_map(|span| span.split([' ', '=']).next().map(str::to_owned))
        .collect();
    let of_a_run: BTreeSet<String> = flags(&HELP["run"]).into_iter().filter(|flag| flag.starts_with("--")).collect();
    let left_out: Vec<&String> = of_a_run.difference(&explained).filter(|flag| *flag != "--help").collect();
    assert!(left_out.is_empty(), "docs/running.md does not explain {left_out:?}");
}

#[test]
fn every_command_is_explained() {
    let shown: String = rows(&section(&read("docs/running.md"), "Commands")).concat().join("\n");
    for command in COMMANDS {
        assert!(HELP[""].contains(&format!("\n  {command} ")), "`{command}` is in the help");
        assert!(shown.contains(&format!("blossom-run {command}")) || command == "run", "`{command}` is explained");
    }
    let listed = HELP[""].lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    assert_eq!(listed.filter(|line| !line.starts_with("   ")).count(), COMMANDS.len());
}

#[test]
fn every_helper_is_explained_and_no_other() {
    let there: BTreeSet<&str> = HELPERS.iter().flat_map(|subject| subject.helpers).map(|helper| helper.name).collect();
    let explained: BTreeSet<String> = rows(&section(&read("docs/pipeline-file.md"), "Helpers"))
        .iter()
        .flat_map(|row| code(&row[0]))
        .filter_map(|span| span.trim_start_matches("{{#").split([' ', '}']).next().map(str::to_owned))
        .collect();
    assert_eq!(explained.iter().map(String::as_str).collect::<BTreeSet<_>>(), there);
}

#[test]
fn every_key_of_the_language_is_explained() {
    let text: String =
        ["pipeline-file", "providers", "provider-offline"].map(|page| read(&format!("docs/{page}.md"))).concat();
    let spans: BTreeSet<String> = code(&text).into_iter().collect();
    let blocks = markdown::blocks("", &text).into_iter().map(|block| block.text);
    let examples: String = blocks.chain(spans.iter().cloned()).collect::<Vec<_>>().join("\n");
    for (owner, keys) in vocabulary() {
        for key in keys {
            // A mapping's own keys may be shown in an example, all others have a row of their own.
            let in_example = owner.starts_with('`') && examples.contains(&format!("{key}:"));
            assert!(spans.contains(key) || in_example, "`{key}` of {owner} is not explained");
        }
    }
}

#[test]
fn the_exit_codes_are_those_of_the_program() {
    let told: Vec<(String, String)> = rows(&section(&read("docs/running.md"), "Exit codes"))
        .into_iter()
        .map(|row| (row[0].clone(), row[1].clone()))
        .collect();
    let table: Vec<(String, String)> =
        Exit::TABLE.iter().map(|(exit, meaning)| (exit.code().to_string(), (*meaning).to_owned())).collect();
    assert_eq!(told, table);
    for (code, meaning) in table {
        assert!(HELP[""].contains(&format!("\n  {code:<4} {meaning}\n")), "{code} is in the help");
    }
}

#[test]
fn every_event_is_explained_with_its_fields() {
    let told: BTreeMap<String, String> = rows(&section(&read("docs/running.md"), "Events"))
        .into_iter()
        .map(|row| (code(&row[0]).concat(), row[1].clone()))
        .collect();
    let mut there: BTreeMap<String, Vec<serde_json::Map<String, serde_json::Value>>> = BTreeMap::new();
    for line in read("tests/golden/events.jsonl").lines() {
        let event: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).expect("an event");
        let name = event["event"].as_str().expect("its name").to_owned();
        let row = told.get(&name).unwrap_or_else(|| panic!("`{name}` is not explained"));
        let of_item: &[&str] = if row.starts_with("an item") { &["stage", "key", "path"] } else { &[] };
        let common = ["seq", "at", "event"];
        for field in event.keys().filter(|key| !common.contains(&key.as_str()) && !of_item.contains(&key.as_str())) {
            assert!(code(row).contains(field), "`{field}` of `{name}` is not explained");
        }
        there.entry(name).or_default().push(event);
    }
    assert_eq!(there.keys().collect::<BTreeSet<_>>(), told.keys().collect());
    for (name, row) in told {
        let events = &there[&name];
        // What else is in code are values of a field.
        let is_there = |span: &String| {
            events.iter().any(|event| event.contains_key(span) || event.values().any(|value| value == span.as_str()))
        };
        for span in code(&row).iter().filter(|span| !["tally", "--stream"].contains(&span.as_str())) {
            assert!(is_there(span), "`{span}` of `{name}` does not exist");
        }
    }
}

/// The names of all fields of a document, inner ones too; outputs have names of their own.
fn fields(value: &serde_json::Value, found: &mut BTreeSet<String>) {
    let inner: Vec<&serde_json::Value> = match value {
        serde_json::Value::Object(fields) => {
            found.extend(fields.keys().cloned());
            fields
                .iter()
                .filter(|(name, _)| !["outputs", "failure"].contains(&name.as_str()))
                .map(|(_, one)| one)
                .collect()
        }
        serde_json::Value::Array(items) => items.iter().collect(),
        _ => Vec::new(),
    };
    for one in inner {
        fields(one, found);
    }
}

#[test]
fn the_document_has_what_is_said_of_it() {
    let blocked = "name: a\nstages: {b: {text: c, provider: openai, model: m}}\n";
    let failing = "name: a\nproviders: {p: {kind: offline, fail: 100%}}\nstages: {b: {text: c, provider: p}}\n";
    let mut there = BTreeSet::from(["terminated", "pollen", "unpriced"].map(str::to_owned));
    let priced = "name: a\nproviders: {p: {kind: offline, prices: {m: {input: 1, output: 1}}}}\n\
                  stages: {b: {text: c, provider: p, model: m}}\n";
    let fallen_back = "name: a\nproviders: {p: {kind: offline, fail: 100%}}\n\
                       stages: {b: {text: c, provider: p, retry: 1, fallback: {provider: offline}}}\n";
    for pipeline in [blocked, failing, priced, fallen_back] {
        let ran = beside_data("pipeline.yaml --json -q", pipeline).run();
        fields(&serde_json::from_str(&ran.stdout).expect("JSON"), &mut there);
    }
    let page = section(&read("docs/running.md"), "The document of `--json`");
    let spans: BTreeSet<String> = code(&page).into_iter().collect();
    let left_out: Vec<&String> = there.difference(&spans).collect();
    assert!(left_out.is_empty(), "{left_out:?} are not explained");
    let outcomes = rows(&page).iter().filter(|row| row[0] == "`outcome`").flat_map(|row| code(&row[1])).collect();
    let invented: Vec<&String> =
        spans.difference(&there).filter(|span| !BTreeSet::contains(&outcomes, *span)).collect();
    assert!(invented.is_empty(), "{invented:?} do not exist");
}

#[test]
fn every_link_leads_somewhere() {
    for (page, text) in pages() {
        for (path, anchor) in markdown::links(&text).into_iter().filter(|(path, _)| !path.starts_with("http")) {
            let folder = Path::new(&page).parent().expect("a folder");
            let target = if path.is_empty() { root(&page) } else { root("").join(folder).join(&path) };
            assert!(target.exists(), "{page}: {path}");
            let is_there = || markdown::anchors(&fs::read_to_string(&target).expect("a page")).contains(&anchor);
            assert!(anchor.is_empty() || is_there(), "{page}: {path}#{anchor}");
        }
    }
}
