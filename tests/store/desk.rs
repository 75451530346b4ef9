//! A digest over rows, and a server that gives the same answer to the same prompt and counts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::cli::{Cli, Ran};
use crate::support::server::{Reply, Request, Server};

/// Two calls and a picture for each row, and a report over all of them.
pub(crate) const DIGEST: &str = r#"
name: digest
inputs:
  tone: {default: calm}
  rows: {type: items, default: rows.jsonl}
providers: {test: {kind: openai, base_url: "SERVER", concurrency: 8}}
defaults: {provider: test, model: m, concurrency: 8}
stages:
  analyze:
    for_each: {row: rows}
    text: "Analyze: {{row.body}}"
  summarize:
    for_each: {row: rows}
    text: "Summarize, {{tone}}: {{analyze}}"
    save: {path: summaries.jsonl, row: {id: "{{row.id}}", summary: "{{summarize}}"}}
  picture:
    for_each: {row: rows}
    image: "Paint {{row.body}}"
    save: "pictures/{{row.id}}.png"
  report:
    text: "Report:{{#each summarize}} {{this}}{{/each}}"
    save: report.md
"#;

/// A test that waits for what never comes fails after this, instead of hanging.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a server answers here: the same to the same, and something else to everything else.
pub(crate) fn answer(request: &Request) -> Reply {
    let prompt = request.prompt();
    if request.path.contains("images") {
        return Reply::picture(&prompt);
    }
    let hash = blake3::hash(prompt.as_bytes()).to_hex();
    Reply::chat(format!("Answer {}", &hash[..12]))
}

/// A server, and what it has been asked since somebody looked.
pub(crate) struct Desk {
    pub(crate) server: Server,
    seen: usize,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self::answering(answer)
    }

    pub(crate) fn answering(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self { server: Server::start(handler), seen: 0 }
    }

    /// Waits until so many requests in all have arrived.
    pub(crate) fn arrived(&self, count: usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let arrived = async { tokio::time::timeout(PATIENCE, self.server.arrived(count)).await };
        runtime.block_on(arrived).expect("requests that never come");
    }

    /// A pipeline that asks this server.
    pub(crate) fn file(&self, pipeline: &str) -> String {
        pipeline.replace("SERVER", &self.server.url)
    }

    /// A command line in a new folder with this pipeline and these rows.
    pub(crate) fn cli(&self, pipeline: &str, rows: &[Row]) -> Cli {
        Cli::new("p.yaml").file("p.yaml", self.file(pipeline)).file("rows.jsonl", lines(rows))
    }

    /// All prompts since the last time, sorted.
    pub(crate) fn asked(&mut self) -> Vec<String> {
        let requests = self.server.requests();
        let mut prompts: Vec<String> = requests[self.seen..].iter().map(Request::prompt).collect();
        self.seen = requests.len();
        prompts.sort();
        prompts
    }

    /// How many of them begin so, and how many there are.
    pub(crate) fn counted(&mut self) -> Counted {
        let asked = self.asked();
        let of = |begin: &str| asked.iter().filter(|prompt| prompt.starts_with(begin)).count();
        let counted =
            Counted { analyze: of("Analyze"), summarize: of("Summarize"), picture: of("Paint"), report: of("Report") };
        assert_eq!(counted.analyze + counted.summarize + counted.picture + counted.report, asked.len(), "{asked:?}");
        counted
    }
}

/// Requests of each stage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) analyze: usize,
    pub(crate) summarize: usize,
    pub(crate) picture: usize,
    pub(crate) report: usize,
}

/// Nothing was asked.
pub(crate) const NOTHING: Counted = Counted { analyze: 0, summarize: 0, picture: 0, report: 0 };
/// What its prompt collects is another.
pub(crate) const REPORT: Counted = Counted { report: 1, ..NOTHING };

/// A row of the list.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) body: String,
    /// Named by no template.
    pub(crate) note: String,
}

pub(crate) fn rows(count: usize) -> Vec<Row> {
    let row = |n: usize| Row { id: format!("r{n:03}"), body: format!("body {n}"), note: format!("note {n}") };
    (1..=count).map(row).collect()
}

pub(crate) fn lines(rows: &[Row]) -> String {
    let line = |row: &Row| serde_json::json!({"id": row.id, "body": row.body, "note": row.note}).to_string() + "\n";
    rows.iter().map(line).collect()
}

/// All files below a folder with their bytes; none if there is no such folder.
pub(crate) fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(inner).into_iter().flatten().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else {
                files.insert(entry.strip_prefix(folder).unwrap().to_owned(), fs::read(&entry).unwrap());
            }
        }
    }
    files
}

/// What a run wrote: its output folder, without the lock.
pub(crate) fn out(ran: &Ran) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = files(&ran.path("out"));
    files.remove(Path::new(".blossom-run.lock"));
    files
}

/// A database of a store, to be looked into from outside.
pub(crate) fn database(store: &Path) -> Connection {
    Connection::open_with_flags(store.join("store.db"), OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap()
}

/// Prompts whose answers are kept in a store; none where no store was made yet.
pub(crate) fn kept(store: &Path) -> BTreeSet<String> {
    if !store.join("store.db").is_file() {
        return BTreeSet::new();
    }
    let database = database(store);
    let query = "SELECT c.request FROM calls c JOIN attempts a ON a.call = c.id WHERE a.kind IS NULL";
    let Ok(mut statement) = database.prepare(query) else {
        // The tables have not been made.
        return BTreeSet::new();
    };
    let requests = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    requests.map(|request| prompt(&request.unwrap())).collect()
}

/// The database is whole, as it says itself.
pub(crate) fn assert_whole(store: &Path) {
    let said: String = database(store).query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(said, "ok");
}

fn prompt(canonical: &str) -> String {
    let call: serde_json::Value = serde_json::from_str(canonical).unwrap();
    let request = call["request"].as_object().unwrap().values().next().unwrap();
    let text = request["messages"][0]["content"].as_str().or_else(|| request["prompt"].as_str());
    text.unwrap_or_else(|| panic!("no prompt in {canonical}")).to_owned()
}
