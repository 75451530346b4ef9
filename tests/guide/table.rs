//! The guide is whole: nothing in it is untested, and nothing that is tested is left out.

use std::collections::BTreeSet;
use std::fs;

use regex::Regex;

use crate::markdown::{Block, blocks};
use crate::page::{self, read, root};

/// The names of all examples.
fn programs() -> BTreeSet<String> {
    let files = fs::read_dir(root("examples")).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

/// The tests of a module of this binary.
fn tests(module: &str) -> BTreeSet<String> {
    let test = Regex::new(r"(?m)^#\[(?:tokio::)?test.*\]\n(?:async )?fn (\w+)").unwrap();
    let source = read(&format!("tests/guide/{module}.rs"));
    test.captures_iter(&source).map(|found| format!("{module}::{}", &found[1])).collect()
}

#[test]
fn every_row_names_what_is_there() {
    let rows = page::table();
    assert_eq!(rows.len(), 26, "a row for each piece of code of the guide");
    let (there, written) = (programs(), page::pipelines());
    let tested: BTreeSet<String> = ["pipelines", "programs"].into_iter().flat_map(tests).collect();
    for row in rows {
        assert!(!row.pipelines.is_empty() && !row.programs.is_empty(), "{row:?}");
        for module in ["pipelines::", "programs::"] {
            assert!(row.tests.iter().any(|test| test.starts_with(module)), "{row:?}");
        }
        for name in &row.pipelines {
            assert!(written.contains_key(name), "{}: there is no pipeline `{name}`", row.what);
        }
        for name in &row.programs {
            assert!(there.contains(name), "{}: there is no program `{name}`", row.what);
        }
        for name in &row.tests {
            assert!(tested.contains(name), "{}: there is no test `{name}`", row.what);
        }
    }
}

#[test]
fn every_pipeline_program_and_test_has_a_row() {
    let rows = page::table();
    let in_rows = |of: fn(&page::Row) -> &Vec<String>| -> BTreeSet<String> {
        rows.iter().flat_map(|row| of(row).iter().cloned()).collect()
    };
    let left_out = |there: BTreeSet<String>, told: BTreeSet<String>| {
        let left_out: Vec<String> = there.difference(&told).cloned().collect();
        assert!(left_out.is_empty(), "{left_out:?} have no row");
    };
    left_out(page::pipelines().into_keys().collect(), in_rows(|row| &row.pipelines));
    // The tour belongs to the README.
    let programs = programs().into_iter().filter(|name| name != "tour").collect();
    left_out(programs, in_rows(|row| &row.programs));
    let tests = ["pipelines", "programs"].into_iter().flat_map(tests).filter(|name| !name.contains("the_tour"));
    left_out(tests.collect(), in_rows(|row| &row.tests));
}

#[test]
fn every_rust_block_is_a_part_of_an_example() {
    // Examples are modules of this test, which needs to see into them: nothing that a reader has to know.
    let bare = |line: &str| line.trim().replace("pub(crate) ", "");
    let lines = |text: &str| format!("\n{}\n", text.lines().map(bare).collect::<Vec<_>>().join("\n"));
    let sources: Vec<String> = programs().iter().map(|name| lines(&read(&format!("examples/{name}.rs")))).collect();
    let pages = ["docs/guide.md", "README.md"].map(|path| blocks(path, &read(path)));
    let of_rust: Vec<Block> = pages.into_iter().flatten().filter(|block| block.language == "rust").collect();
    assert!(of_rust.len() > 25, "the blocks are found");
    for Block { place, text, .. } in of_rust {
        assert!(sources.iter().any(|source| source.contains(&lines(&text))), "{place} stands in no example");
    }
}
