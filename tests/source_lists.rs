//! Lists from files, folders and standard input, as a run reads them.

#![expect(clippy::unwrap_used, reason = "a test whose setting can't be made fails")]

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc;

use blossom_run::model::Json;
use blossom_run::source::{ListSource, Row, RowStream, SourceError, StdinCopy, Wanted, survey};
use futures::{FutureExt, StreamExt};
use serde_json::json;
use tempfile::TempDir;

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::File::create(path).and_then(|mut file| io::Write::write_all(&mut file, bytes)).unwrap();
    }
    folder
}

fn values(list: &ListSource) -> Vec<Json> {
    list.rows().unwrap().map(|row| row.unwrap().value).collect()
}

fn refusal(text: &str, base: &Path) -> (String, String) {
    let error = ListSource::from_text(text, base).unwrap_err();
    (error.to_string().replace(&format!("{}/", base.display()), ""), error.help.unwrap_or_default())
}

#[test]
fn the_extension_tells_the_format() {
    let folder = folder(&[
        ("a.jsonl", b"{\"a\":1}\n"),
        ("a.NDJSON", b"{\"a\":1}\n"),
        ("a.json", b"[{\"a\":1}]"),
        ("a.csv", b"a\n1\n"),
        ("a.tsv", b"a\tb\n1\t\"x\ty\"\n"),
        ("a.yaml", b"- a: 1\n"),
        ("a.yml", b"- {a: 1}\n"),
        ("a.txt", b"one\n\n two \n"),
    ]);
    let read = |name| values(&ListSource::from_text(name, folder.path()).unwrap());
    for name in ["a.jsonl", "a.NDJSON", "a.json", "a.yaml", "a.yml"] {
        assert_eq!(read(name), [json!({"a": 1})], "{name}");
    }
    assert_eq!(read("a.csv"), [json!({"a": "1"})]);
    assert_eq!(read("a.tsv"), [json!({"a": "1", "b": "x\ty"})]);
    assert_eq!(read("a.txt"), [json!("one"), json!(" two ")]);
}

#[test]
fn a_list_that_can_not_be_found_says_what_may_be_meant() {
    let folder = folder(&[("articles.jsonl", b""), ("notes.docx", b""), ("bare", b""), ("docs/a.md", b"")]);
    let base = folder.path();
    let (message, help) = refusal("artciles.jsonl", base);
    assert_eq!(message, "artciles.jsonl: no such file");
    assert!(help.starts_with("did you mean `") && help.ends_with("articles.jsonl`?"), "{help}");
    assert!(refusal("data/a.jsonl", base).1.starts_with("there is no folder `"));
    assert_eq!(refusal("notes.docx", base).0, "notes.docx: `.docx` is not a format of lists");
    assert!(refusal("notes.docx", base).1.contains("`.jsonl`"));
    assert!(refusal("bare", base).0.contains("has no extension"));
    let (message, help) = refusal("docs", base);
    assert_eq!(
        (message.as_str(), help.as_str()),
        ("docs: is a folder, not a list", "write a pattern for the files in it, as `docs/*.md`")
    );
    assert!(refusal("https://example.org/a.jsonl", base).0.contains("is an address"));
    assert!(refusal("  ", base).0.contains("empty path"));
    assert!(refusal("[a", base).0.contains("can't be read"));
}

#[test]
fn a_pattern_gives_the_files_sorted_with_their_text() {
    let folder = folder(&[
        ("docs/b.md", b"\xEF\xBB\xBFSecond\r\n"),
        ("docs/a.md", b"First"),
        ("docs/.hidden.md", b"no"),
        ("docs/deep/c.md", b"no"),
        ("docs/.git/e.md", b"no"),
        ("docs/folder.md/x", b"no"),
        ("docs/c.md", b"a\0b"),
        ("docs/d.md", b"\xFF"),
    ]);
    let list = ListSource::from_text("docs/*.md", folder.path()).unwrap();
    let rows = values(&list);
    let names: Vec<&Json> = rows.iter().map(|row| &row["name"]).collect();
    assert_eq!(names, ["a.md", "b.md", "c.md", "d.md"]);
    assert_eq!(rows[0]["stem"], "a");
    assert_eq!(rows[0]["text"], "First");
    assert_eq!(rows[1]["text"], "Second\r\n");
    assert!(rows[2].get("text").is_none() && rows[3].get("text").is_none());
    assert_eq!(rows[0]["path"], "docs/a.md");
    assert_eq!(fs::read(folder.path().join("docs/a.md")).unwrap(), b"First");

    let deep = ListSource::from_text("docs/**/*.md", folder.path()).unwrap();
    assert_eq!(values(&deep).len(), 5);
    let absolute = format!("{}/docs/?.md", folder.path().display());
    let from_root = values(&ListSource::from_text(&absolute, Path::new("")).unwrap());
    assert_eq!(from_root.len(), 4);
    assert_eq!(from_root[0]["path"], format!("{}/docs/a.md", folder.path().display()));
    let beside = ListSource::from_text("../?.md", &folder.path().join("docs/deep")).unwrap();
    assert_eq!(values(&beside)[0]["path"], "../a.md");
    let hidden = ListSource::from_text("docs/.*.md", folder.path()).unwrap();
    assert_eq!(values(&hidden).len(), 1);
    let dotted = ListSource::from_text("./docs/../docs/.g*/*.md", folder.path()).unwrap();
    assert_eq!(values(&dotted)[0]["path"], "docs/.git/e.md");
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_not_utf8_does_no_harm_to_a_pattern() {
    use std::os::unix::ffi::OsStrExt;

    let folder = folder(&[("a.md", b"x")]);
    fs::File::create(folder.path().join(std::ffi::OsStr::from_bytes(b"\xFF.txt"))).unwrap();
    let list = ListSource::from_text("*.md", folder.path()).unwrap();
    assert_eq!(values(&list).len(), 1);
}

#[test]
fn a_pattern_in_a_folder_with_brackets_in_its_name_is_taken_from_there() {
    let folder = folder(&[("a[1]*/x.md", b"x"), ("a1/x.md", b"other")]);
    let list = ListSource::from_text("*.md", &folder.path().join("a[1]*")).unwrap();
    assert_eq!(values(&list)[0]["text"], "x");
}

#[test]
fn a_pattern_that_matches_nothing_is_an_error() {
    let folder = folder(&[(".hidden.md", b"")]);
    let list = ListSource::from_text("*.md", folder.path()).unwrap();
    let error = list.rows().unwrap_err();
    assert!(error.message.starts_with("the pattern `*.md` matches no file in `"), "{error}");
    assert_eq!(survey(&list, None, &[], None).errors, [error]);
}

#[test]
fn a_survey_names_file_line_and_field() {
    let folder = folder(&[
        ("a.jsonl", b"{\"body\":\"x\"}\n\n{\"boyd\":\"y\"}\n{bad}\n{\"body\":null}\n"),
        ("a.json", b"[\n{\"body\":1},\n{}]"),
        ("a.csv", b"id,body\n1,x\n2\n"),
        ("b.md", b"\0"),
    ]);
    let told = |name: &str, field: &str| -> (u64, Vec<String>) {
        let list = ListSource::from_text(name, folder.path()).unwrap();
        let survey = survey(&list, None, &[Wanted::field(&[field])], None);
        let prefix = format!("{}/", folder.path().display());
        (survey.rows, survey.errors.iter().map(|error| error.to_string().replace(&prefix, "")).collect())
    };
    let (rows, errors) = told("a.jsonl", "body");
    assert_eq!(rows, 3);
    assert_eq!(
        errors,
        ["a.jsonl:3:1: this row has no field `body`", "a.jsonl:4:2: not valid JSON: key must be a string"]
    );
    assert_eq!(told("a.json", "body").1, ["a.json:3:1: this row has no field `body`"]);
    assert_eq!(told("a.csv", "body").1, ["a.csv:3:1: this row has 1 field, but the header names 2"]);
    assert_eq!(told("*.md", "text").1, ["b.md: item 1 has no field `text`"]);
}

#[test]
fn a_survey_without_wishes_finds_the_same_broken_rows() {
    let text = b"{\"a\": 1}\n{\"a\": 1e999}\n[1,]\n\"\\ud800\"\n\xFF\n\"ok\"\n";
    let folder = folder(&[("a.jsonl", text), ("a.json", b"[1, {\"a\": 1e999}]")]);
    for name in ["a.jsonl", "a.json"] {
        let list = ListSource::from_text(name, folder.path()).unwrap();
        let mut ignore = |_: &Row| {};
        let whole = survey(&list, None, &[], Some(&mut ignore));
        let form = survey(&list, None, &[], None);
        assert!(!form.errors.is_empty());
        assert_eq!(form, whole, "{name}");
    }
}

#[test]
fn a_survey_stops_at_its_limit() {
    let folder = folder(&[("a.jsonl", b"1\n2\nbad\n")]);
    let list = ListSource::from_text("a.jsonl", folder.path()).unwrap();
    let survey = survey(&list, Some(2), &[], None);
    assert_eq!((survey.rows, survey.errors.len()), (2, 0));
}

#[test]
fn lists_without_a_file_are_streams_too() {
    assert_eq!(values(&ListSource::Count(3)), [1, 2, 3]);
    let inline = ListSource::Inline([json!("a"), json!({"b": 1})].into());
    assert_eq!(values(&inline), [json!("a"), json!({"b": 1})]);
    let indices: Vec<u64> = inline.rows().unwrap().map(|row| row.unwrap().index).collect();
    assert_eq!(indices, [0, 1]);
}

async fn collect(stream: RowStream) -> Vec<Result<Row, SourceError>> {
    stream.collect().await
}

#[tokio::test]
async fn a_stream_gives_every_row_of_a_file_in_order() {
    let text = (0..2000).map(|n| n.to_string()).collect::<Vec<_>>().join("\n");
    let folder = folder(&[("a.jsonl", text.as_bytes())]);
    let list = ListSource::from_text("a.jsonl", folder.path()).unwrap();
    let rows = collect(RowStream::of(&list).unwrap()).await;
    assert!(rows.iter().zip(0u64..).all(|(row, n)| row.as_ref().unwrap().value == n));
    assert_eq!(rows.len(), 2000);
    let some = collect(RowStream::of(&list).unwrap().take(700)).await;
    assert_eq!(some.len(), 700);
    assert_eq!(collect(RowStream::of(&ListSource::Count(9)).unwrap().take(4)).await.len(), 4);
    assert!(collect(RowStream::of(&list).unwrap().take(0)).await.is_empty());
}

#[tokio::test]
async fn a_stream_goes_on_after_a_bad_row() {
    let folder = folder(&[("a.jsonl", b"1\nx\n3\n")]);
    let list = ListSource::from_text("a.jsonl", folder.path()).unwrap();
    let rows = collect(RowStream::of(&list).unwrap()).await;
    assert_eq!(rows.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
}

/// Standard input that gives what a test sends.
struct Pipe(mpsc::Receiver<Vec<u8>>);

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Ok(bytes) = self.0.recv() else { return Ok(0) };
        buffer[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

#[tokio::test]
async fn standard_input_comes_row_by_row_and_is_copied() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("stdin.jsonl");
    let (input, pipe) = mpsc::channel();
    let copy = StdinCopy::start(Pipe(pipe), &path).unwrap();
    let mut stream = RowStream::stdin(&copy).unwrap();
    let mut second_reader = RowStream::stdin(&copy).unwrap();

    input.send(b"\xEF\xBB\xBF{\"n\": 1}\r\n\n".to_vec()).unwrap();
    input.send(b"{\"n\": 2}\n".to_vec()).unwrap();
    let first = stream.next().await.unwrap().unwrap();
    assert_eq!((first.index, first.line, &first.value["n"]), (0, 1, &json!(1)));
    let second = stream.next().await.unwrap().unwrap();
    assert_eq!((second.index, second.line), (1, 3));
    // The input is still open, and what came is there for everyone.
    assert_eq!(second_reader.next().await.unwrap().unwrap(), first);
    assert_eq!(second_reader.next().await.unwrap().unwrap(), second);
    assert!(second_reader.next().now_or_never().is_none(), "it waits for what is still to come");

    input.send(b"[3]".to_vec()).unwrap();
    drop(input);
    assert_eq!(stream.next().await.unwrap().unwrap().value, json!([3]));
    assert!(stream.next().await.is_none());
    assert_eq!(collect(second_reader).await.len(), 1);
    assert_eq!(collect(RowStream::stdin(&copy).unwrap()).await.len(), 3, "who comes late has everything too");
}

#[tokio::test]
async fn standard_input_ends_at_a_bad_row() {
    let folder = TempDir::new().unwrap();
    let text: &[u8] = b"1\n{\n3\n";
    let copy = StdinCopy::start(text, &folder.path().join("copy")).unwrap();
    for _ in 0..2 {
        let rows = collect(RowStream::stdin(&copy).unwrap()).await;
        assert_eq!(rows.len(), 2);
        let error = rows[1].as_ref().unwrap_err().to_string();
        assert_eq!(error, "standard input:2:1: the JSON value does not end on this line");
    }
}

#[tokio::test]
async fn with_a_limit_standard_input_is_not_waited_for() {
    let folder = TempDir::new().unwrap();
    let (input, pipe) = mpsc::channel();
    let copy = StdinCopy::start(Pipe(pipe), &folder.path().join("copy")).unwrap();
    input.send(b"1\n".to_vec()).unwrap();
    let rows = collect(RowStream::stdin(&copy).unwrap().take(1)).await;
    assert_eq!(rows.len(), 1);
    drop(input);
}

#[tokio::test]
async fn readers_of_standard_input_do_not_wait_for_each_other() {
    const ROWS: usize = 3_000;
    let folder = TempDir::new().unwrap();
    let text = (0..ROWS).fold(String::new(), |text, n| text + &n.to_string() + "\n");
    let copy = StdinCopy::start(std::io::Cursor::new(text), &folder.path().join("copy")).unwrap();
    let mut slow = RowStream::stdin(&copy).unwrap();
    assert_eq!(slow.next().await.unwrap().unwrap().value, json!(0));
    assert_eq!(collect(RowStream::stdin(&copy).unwrap()).await.len(), ROWS);
    assert_eq!(collect(slow).await.len(), ROWS - 1);
}

#[test]
fn standard_input_itself_has_no_rows() {
    let list = ListSource::from_text("-", Path::new("anywhere")).unwrap();
    assert!(list.rows().unwrap_err().message.contains("only once"));
}
