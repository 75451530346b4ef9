//! What stands in `docs/guide.md`: its pipelines by their names, its programs, its table.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::markdown::{self, Block, code, rows, section};

/// A file of the project.
pub(crate) fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The page.
pub(crate) fn guide() -> String {
    read("docs/guide.md")
}

/// Blocks of a language.
pub(crate) fn blocks(language: &str) -> Vec<Block> {
    markdown::blocks("docs/guide.md", &guide()).into_iter().filter(|block| block.language == language).collect()
}

/// All pipelines, by the names that they give themselves.
pub(crate) fn pipelines() -> BTreeMap<String, String> {
    let named = blocks("yaml").into_iter().map(|block| {
        let name = block.text.lines().next().and_then(|line| line.strip_prefix("name: "));
        (name.unwrap_or_else(|| panic!("{}: its name comes first", block.place)).to_owned(), block.text)
    });
    named.collect()
}

/// A pipeline of the page.
pub(crate) fn pipeline(name: &str) -> String {
    pipelines().remove(name).unwrap_or_else(|| panic!("the guide has no pipeline `{name}`"))
}

/// A row of the table that has everything in it.
#[derive(Debug)]
pub(crate) struct Row {
    /// What is done.
    pub(crate) what: String,
    /// Names of pipelines.
    pub(crate) pipelines: Vec<String>,
    /// Names of examples, without `.rs`.
    pub(crate) programs: Vec<String>,
    /// Names of tests, with their module.
    pub(crate) tests: Vec<String>,
}

/// The table, row by row.
pub(crate) fn table() -> Vec<Row> {
    let rows = rows(&section(&guide(), "All of it at a glance"));
    rows.into_iter()
        .map(|cells| Row {
            what: cells[0].clone(),
            pipelines: code(&cells[1]),
            programs: code(&cells[2])
                .into_iter()
                .filter_map(|name| Some(name.strip_suffix(".rs")?.to_owned()))
                .collect(),
            tests: code(&cells[3]),
        })
        .collect()
}
