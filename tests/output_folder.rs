//! The output folder of a run: locked, swept, written whole, never left.

#![expect(clippy::unwrap_used, reason = "a test whose setting can't be made fails")]

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use blossom_run::model::{Json, JsonMap};
use blossom_run::output::{OutputError, OutputFolder, PartFile, RowFile, RowFormat, SafePath, text_bytes};
use serde_json::json;
use tempfile::TempDir;

fn path(text: &str) -> SafePath {
    SafePath::parse(text).unwrap()
}

fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != ".blossom-run.lock");
    names.sort();
    names
}

#[test]
fn a_folder_belongs_to_one_run_until_that_ends() {
    let temp = TempDir::new().unwrap();
    let out = temp.path().join("deep/out");
    let folder = OutputFolder::open(&out, "r1").unwrap();
    let clone = folder.clone();
    drop(folder);
    let error = OutputFolder::open(&out, "r2").unwrap_err();
    assert!(matches!(error, OutputError::Busy { .. }));
    assert!(error.to_string().starts_with(&format!("another run has the output folder `{}`", out.display())));
    drop(clone);
    OutputFolder::open(&out, "r2").unwrap();
}

#[test]
fn part_files_of_dead_runs_are_removed_and_nothing_else() {
    let temp = TempDir::new().unwrap();
    let out = temp.path().join("out");
    for name in [
        ".a.md.r0.part",
        "deep/er/.b.png.r-0_1.part",
        "a.part",
        ".hidden",
        "a.md",
        "other/.blossom-run.lock",
        "other/.c.r9.part",
    ] {
        put(&out.join(name), "x");
    }
    let folder = OutputFolder::open(&out, "r1").unwrap();
    assert_eq!(names(&out), [".hidden", "a.md", "a.part", "deep", "other"]);
    assert!(names(&out.join("deep/er")).is_empty());
    assert_eq!(names(&out.join("other")), [".c.r9.part"], "another run's folder");
    drop(folder);
}

#[test]
fn a_folder_in_that_of_a_run_that_goes_on_is_refused() {
    let temp = TempDir::new().unwrap();
    let outer = OutputFolder::open(temp.path(), "r1").unwrap();
    put(&temp.path().join("sub/.a.md.r1.part"), "being written");
    let error = OutputFolder::open(&temp.path().join("sub"), "r2").unwrap_err();
    assert!(matches!(error, OutputError::Inside { .. }), "{error}");
    assert!(temp.path().join("sub/.a.md.r1.part").exists());
    drop(outer);
    OutputFolder::open(&temp.path().join("sub"), "r2").unwrap();
}

#[test]
fn a_file_is_no_output_folder() {
    let temp = TempDir::new().unwrap();
    put(&temp.path().join("out"), "x");
    for out in ["out", "out/deep"] {
        let error = OutputFolder::open(&temp.path().join(out), "r1").unwrap_err();
        assert!(matches!(error, OutputError::NotAFolder { .. }), "{error}");
    }
}

#[tokio::test]
async fn files_are_written_whole_and_replace_earlier_ones() {
    let temp = TempDir::new().unwrap();
    let folder = OutputFolder::open(temp.path(), "r1").unwrap();
    put(&temp.path().join("a/b/report.md"), "of an earlier run, and longer");
    let written = folder.write(&path("a/b/report.md"), text_bytes("new\n\n")).await.unwrap();
    assert_eq!(written, 4);
    assert_eq!(fs::read_to_string(temp.path().join("a/b/report.md")).unwrap(), "new\n");
    assert_eq!(names(&temp.path().join("a/b")), ["report.md"]);
    folder.finish().await.unwrap();
}

#[tokio::test]
async fn the_longest_name_can_be_written() {
    let temp = TempDir::new().unwrap();
    let folder = OutputFolder::open(temp.path(), "20261122-101500-abcd").unwrap();
    let name = "ä".repeat(127);
    folder.write(&path(&name), text_bytes("x")).await.unwrap();
    assert_eq!(names(temp.path()), [name]);
}

#[tokio::test]
async fn a_folder_in_the_place_of_a_file_is_said_and_so_is_the_reverse() {
    let temp = TempDir::new().unwrap();
    let folder = OutputFolder::open(temp.path(), "r1").unwrap();
    put(&temp.path().join("dir/file"), "x");
    let error = folder.write(&path("dir"), text_bytes("x")).await.unwrap_err();
    assert!(matches!(error, OutputError::IsAFolder { .. }), "{error}");
    let error = folder.write(&path("dir/file/deeper"), text_bytes("x")).await.unwrap_err();
    assert!(matches!(error, OutputError::NotAFolder { .. }), "{error}");
    assert_eq!(names(temp.path()), ["dir"]);
    assert_eq!(names(&temp.path().join("dir")), ["file"]);
}

#[cfg(unix)]
mod links {
    use std::os::unix::fs::symlink;

    use super::*;

    #[tokio::test]
    async fn a_link_out_of_the_folder_is_refused() {
        let temp = TempDir::new().unwrap();
        let (out, outside) = (temp.path().join("out"), temp.path().join("outside"));
        fs::create_dir_all(&outside).unwrap();
        let folder = OutputFolder::open(&out, "r1").unwrap();
        symlink(&outside, out.join("away")).unwrap();
        symlink("..", out.join("up")).unwrap();
        for text in ["away/a.md", "away/deep/a.md", "up/a.md"] {
            let error = folder.write(&path(text), text_bytes("x")).await.unwrap_err();
            assert!(matches!(error, OutputError::Link { .. }), "{error}");
            let row_file = RowFile::create(&folder, path("away/a.jsonl"), RowFormat::JsonLines);
            assert!(matches!(row_file, Err(OutputError::Link { .. })));
        }
        assert!(names(&outside).is_empty());
        assert_eq!(names(temp.path()), ["out", "outside"]);
    }

    #[tokio::test]
    async fn a_link_in_the_place_of_a_file_is_replaced_and_not_followed() {
        let temp = TempDir::new().unwrap();
        let out = temp.path().join("out");
        let folder = OutputFolder::open(&out, "r1").unwrap();
        put(&temp.path().join("victim"), "kept");
        symlink(temp.path().join("victim"), out.join("report.md")).unwrap();
        symlink(temp.path().join("victim"), out.join(".report.md.r1.part")).unwrap();
        folder.write(&path("report.md"), text_bytes("new")).await.unwrap();
        assert_eq!(fs::read_to_string(temp.path().join("victim")).unwrap(), "kept");
        assert_eq!(fs::read_to_string(out.join("report.md")).unwrap(), "new\n");
        assert!(!out.join("report.md").is_symlink());
    }

    #[tokio::test]
    async fn a_link_within_the_folder_is_refused_as_two_paths_would_be_one_file() {
        let temp = TempDir::new().unwrap();
        let folder = OutputFolder::open(temp.path(), "r1").unwrap();
        fs::create_dir(temp.path().join("real")).unwrap();
        symlink("real", temp.path().join("alias")).unwrap();
        let error = folder.write(&path("alias/a.md"), text_bytes("x")).await.unwrap_err();
        assert!(matches!(error, OutputError::Link { .. }), "{error}");
        assert!(names(&temp.path().join("real")).is_empty());
    }

    #[tokio::test]
    async fn the_folder_itself_may_be_a_link() {
        let temp = TempDir::new().unwrap();
        fs::create_dir(temp.path().join("real")).unwrap();
        symlink("real", temp.path().join("out")).unwrap();
        let folder = OutputFolder::open(&temp.path().join("out"), "r1").unwrap();
        folder.write(&path("sub/a.md"), text_bytes("x")).await.unwrap();
        assert_eq!(names(&temp.path().join("real/sub")), ["a.md"]);
        let other = OutputFolder::open(&temp.path().join("real"), "r2").unwrap_err();
        assert!(matches!(other, OutputError::Busy { .. }), "one folder, one lock: {other}");
    }

    #[test]
    fn the_sweep_does_not_follow_links() {
        let temp = TempDir::new().unwrap();
        put(&temp.path().join("outside/.a.r0.part"), "x");
        fs::create_dir(temp.path().join("out")).unwrap();
        symlink(temp.path().join("outside"), temp.path().join("out/away")).unwrap();
        OutputFolder::open(&temp.path().join("out"), "r1").unwrap();
        assert!(temp.path().join("outside/.a.r0.part").exists());
    }
}

#[test]
fn each_path_belongs_to_one_whatever_its_case() {
    let temp = TempDir::new().unwrap();
    let folder = OutputFolder::open(temp.path(), "r1").unwrap();
    folder.claim(&path("Intro.md"), "`write` of `Intro`").unwrap();
    let clash = folder.clone().claim(&path("intro.md"), "`write` of `intro`").unwrap_err();
    assert_eq!(
        clash.to_string(),
        "`write` of `intro` writes `intro.md` and `write` of `Intro` writes `Intro.md`, which is one file where capital \
         letters do not count"
    );
}

#[test]
fn a_part_file_that_is_dropped_leaves_nothing() {
    let temp = TempDir::new().unwrap();
    let mut part = PartFile::create(&temp.path().join("a.md"), "r1").unwrap();
    part.write_all(b"half").unwrap();
    assert_eq!(names(temp.path()), [".a.md.r1.part"]);
    drop(part);
    assert!(names(temp.path()).is_empty());
}

fn row(value: Json) -> JsonMap {
    match value {
        Json::Object(row) => row,
        other => panic!("{other} is no row"),
    }
}

#[test]
fn rows_are_written_one_after_the_other_and_the_file_appears_at_the_end() {
    let temp = TempDir::new().unwrap();
    let folder = OutputFolder::open(temp.path(), "r1").unwrap();
    let mut file = RowFile::create(&folder, path("sub/rows.jsonl"), RowFormat::JsonLines).unwrap();
    file.append(row(json!({"key": "a", "text": 1}))).unwrap();
    file.append(row(json!({"key": "d", "text": "ä\n"}))).unwrap();
    assert_eq!(names(&temp.path().join("sub")), [".rows.jsonl.r1.part"]);
    assert_eq!(file.finish().unwrap(), 2);
    let text = fs::read_to_string(temp.path().join("sub/rows.jsonl")).unwrap();
    assert_eq!(text, "{\"key\":\"a\",\"text\":1}\n{\"key\":\"d\",\"text\":\"ä\\n\"}\n");
    assert_eq!(names(&temp.path().join("sub")), ["rows.jsonl"]);
}

#[test]
fn a_row_file_that_is_not_finished_leaves_the_earlier_one() {
    let temp = TempDir::new().unwrap();
    put(&temp.path().join("rows.jsonl"), "earlier");
    let folder = OutputFolder::open(temp.path(), "r1").unwrap();
    let mut file = RowFile::create(&folder, path("rows.jsonl"), RowFormat::JsonLines).unwrap();
    file.append(row(json!({"a": 1}))).unwrap();
    drop(file);
    assert_eq!(names(temp.path()), ["rows.jsonl"]);
    assert_eq!(fs::read_to_string(temp.path().join("rows.jsonl")).unwrap(), "earlier");
}

#[test]
fn a_row_file_that_has_rested_goes_on_where_it_was() {
    let temp = TempDir::new().unwrap();
    let folder = OutputFolder::open(temp.path(), "r1").unwrap();
    let mut file = RowFile::create(&folder, path("rows.jsonl"), RowFormat::JsonLines).unwrap();
    for number in 1..=3 {
        file.append(row(json!({"a": number}))).unwrap();
        file.rest().unwrap();
    }
    assert_eq!(file.finish().unwrap(), 3);
    assert_eq!(fs::read_to_string(temp.path().join("rows.jsonl")).unwrap(), "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n");
}

#[cfg(target_os = "linux")]
#[test]
fn a_row_file_that_could_not_be_written_is_not_published() {
    let temp = TempDir::new().unwrap();
    put(&temp.path().join("rows.jsonl"), "earlier");
    let folder = OutputFolder::open(temp.path(), "r1").unwrap();
    let mut file = RowFile::create(&folder, path("rows.jsonl"), RowFormat::JsonLines).unwrap();
    file.rest().unwrap();
    // A disk that is full, in place of the part.
    let part = temp.path().join(".rows.jsonl.r1.part");
    fs::remove_file(&part).unwrap();
    std::os::unix::fs::symlink("/dev/full", &part).unwrap();
    file.append(row(json!({"a": 1}))).unwrap();
    assert!(matches!(file.rest(), Err(OutputError::DiskFull { .. })));
    assert!(file.finish().is_err());
    assert_eq!(fs::read_to_string(temp.path().join("rows.jsonl")).unwrap(), "earlier");
}

#[test]
fn csv_has_a_header_and_quotes_what_needs_it() {
    let temp = TempDir::new().unwrap();
    let folder = OutputFolder::open(temp.path(), "r1").unwrap();
    let columns = ["key", "a, b", "c"].map(str::to_owned).to_vec();
    let mut file = RowFile::create(&folder, path("rows.csv"), RowFormat::Csv { columns }).unwrap();
    file.append(row(json!({"key": "x\"y", "a, b": ["l", 1], "c": null, "no column": 1}))).unwrap();
    file.append(row(json!({"c": "two\nlines", "key": 2, "a, b": "=1+1"}))).unwrap();
    file.finish().unwrap();
    let text = fs::read_to_string(temp.path().join("rows.csv")).unwrap();
    assert_eq!(text, "key,\"a, b\",c\n\"x\"\"y\",\"[\"\"l\"\",1]\",\n2,=1+1,\"two\nlines\"\n");
}
