//! `.json`: a list, read element by element.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::SourceError;
use super::json_lines::{JSON_HELP, json_reason};
use super::lines::{LONGEST, column_of};
use super::long_integers;
use super::rows::{Depth, ReadRows, Row};
use super::well_formed::WellFormed;
use crate::model::Json;

const UNENDED: &str = "the list does not end: its `]` is missing";

/// Reads a JSON list: a scanner finds where an element ends, the parser reads each on its own. So no more than one
/// element is held. After an error nothing follows, since where the next element begins is then a guess.
pub(super) struct JsonArray {
    input: BufReader<Box<dyn Read + Send>>,
    path: PathBuf,
    depth: Depth,
    scanner: Scanner,
    element: Vec<u8>,
    next: u64,
    bytes: u64,
    stage: Stage,
}

#[derive(PartialEq)]
enum Stage {
    Before,
    Inside,
    Over,
}

/// What ended an element.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Comma,
    Bracket,
    File,
}

impl JsonArray {
    pub(super) fn new(input: Box<dyn Read + Send>, path: &Path, depth: Depth) -> Self {
        Self {
            input: BufReader::with_capacity(64 << 10, input),
            path: path.to_path_buf(),
            depth,
            scanner: Scanner::default(),
            element: Vec::new(),
            next: 0,
            bytes: 0,
            stage: Stage::Before,
        }
    }

    fn read_row(&mut self) -> Result<Option<Row>, SourceError> {
        if self.stage == Stage::Before {
            self.enter()?;
        }
        let start = self.scanner.place;
        let end = self.scan()?;
        let text = self.checked_text(start)?;
        if text.trim_ascii().is_empty() {
            return match end {
                End::Bracket if self.next == 0 => self.leave().map(|()| None),
                End::File => Err(self.error(self.scanner.place, UNENDED)),
                _ => {
                    Err(self.error(self.scanner.place.back(), "there is no value before this").help("remove the comma"))
                }
            };
        }
        let row = self.parse(text, start)?;
        match end {
            End::Comma => {}
            End::Bracket => self.leave()?,
            End::File => return Err(self.error(self.scanner.place, UNENDED)),
        }
        self.next += 1;
        Ok(Some(row))
    }

    /// Up to and with the bracket that opens the list.
    fn enter(&mut self) -> Result<(), SourceError> {
        self.stage = Stage::Inside;
        loop {
            let place = self.scanner.place;
            let Some(byte) = self.byte()? else {
                return Err(self.error(place, "the file is empty").help("write a list: `[..]`"));
            };
            match byte {
                b'[' => return Ok(()),
                0xEF | 0xBB | 0xBF if self.bytes <= 3 => {}
                _ if byte.is_ascii_whitespace() => {}
                _ => {
                    let found = if byte == b'{' { "this is a mapping, not a list" } else { "this is not a list" };
                    let help = "write `[..]` around it; values on lines of their own belong in a `.jsonl` file";
                    return Err(self.error(place, found).help(help));
                }
            }
        }
    }

    /// After the bracket that closes the list there is nothing.
    fn leave(&mut self) -> Result<(), SourceError> {
        self.stage = Stage::Over;
        loop {
            let place = self.scanner.place;
            match self.byte()? {
                None => return Ok(()),
                Some(byte) if byte.is_ascii_whitespace() => {}
                Some(_) => {
                    let help = "a `.json` file holds one list; lists on lines of their own belong in a `.jsonl` file";
                    return Err(self.error(place, "there is more after the end of the list").help(help));
                }
            }
        }
    }

    /// One byte outside of any element.
    fn byte(&mut self) -> Result<Option<u8>, SourceError> {
        let Some(byte) = fill(&mut self.input, &self.path)?.first().copied() else { return Ok(None) };
        self.input.consume(1);
        self.bytes += 1;
        // A byte order mark takes no column.
        if self.bytes > 3 || byte.is_ascii() {
            self.scanner.place.pass(byte);
        }
        Ok(Some(byte))
    }

    /// Reads an element up to the comma or bracket behind it, which is not part of it.
    fn scan(&mut self) -> Result<End, SourceError> {
        self.element.clear();
        self.element.shrink_to(1 << 20);
        self.scanner.begin();
        let start = self.scanner.place;
        loop {
            let chunk = fill(&mut self.input, &self.path)?;
            if chunk.is_empty() {
                return Ok(End::File);
            }
            let end = chunk.iter().enumerate().find_map(|(at, byte)| self.scanner.step(*byte).map(|end| (at, end)));
            let (taken, used) = end.map_or((chunk.len(), chunk.len()), |(at, _)| (at, at + 1));
            self.element.extend_from_slice(&chunk[..taken]);
            self.input.consume(used);
            self.bytes += used as u64;
            if let Some((_, end)) = end {
                return Ok(end);
            }
            if self.element.len() > LONGEST {
                return Err(self.error(start, format!("the element is longer than {} MiB", LONGEST >> 20)));
            }
        }
    }

    fn checked_text(&self, start: FilePlace) -> Result<&str, SourceError> {
        std::str::from_utf8(&self.element).map_err(|error| {
            let mut place = start;
            self.element[..error.valid_up_to()].iter().for_each(|byte| place.pass(*byte));
            self.error(place, "not UTF-8").help("save the file as UTF-8")
        })
    }

    fn parse(&self, text: &str, start: FilePlace) -> Result<Row, SourceError> {
        let value = match self.depth {
            Depth::Whole => serde_json::from_str(text),
            Depth::FormOnly => serde_json::from_str::<WellFormed>(text).map(|_| Json::Null),
        };
        if value.is_ok()
            && let Some(range) = long_integers::in_json(text)
        {
            let mut place = start;
            text[..range.start].bytes().for_each(|byte| place.pass(byte));
            return Err(self.error(place, "").with_long_integer(&text[range]));
        }
        let blank = text.len() - text.trim_ascii_start().len();
        let lines_before = text[..blank].bytes().filter(|byte| *byte == b'\n').count() as u64;
        value.map(|value| Row { index: self.next, value, line: start.line + lines_before }).map_err(|error| {
            let line = text.split('\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
            let column = column_of(line, error.column().saturating_sub(1)) as u64;
            let place = match error.line() {
                0 | 1 => FilePlace { line: start.line, column: start.column + column - 1 },
                below => FilePlace { line: start.line + below as u64 - 1, column },
            };
            let reason = if error.is_eof() { "a value does not end".to_owned() } else { json_reason(&error) };
            let found = self.error(place, format!("not valid JSON: {reason}")).help(JSON_HELP);
            // The first line of an element may begin in the middle of a line of the file.
            if error.line() > 1 { found.show(line) } else { found }
        })
    }

    fn error(&self, place: FilePlace, message: impl Into<String>) -> SourceError {
        let column = usize::try_from(place.column).unwrap_or(usize::MAX);
        SourceError::new(message).path(Some(&self.path)).at(place.line, column)
    }
}

fn fill<'a>(input: &'a mut BufReader<Box<dyn Read + Send>>, path: &Path) -> Result<&'a [u8], SourceError> {
    input.fill_buf().map_err(|error| SourceError::io("can't be read", Some(path), &error))
}

impl ReadRows for JsonArray {
    fn next_row(&mut self) -> Option<Result<Row, SourceError>> {
        if self.stage == Stage::Over {
            return None;
        }
        let row = self.read_row();
        if row.is_err() {
            self.stage = Stage::Over;
        }
        row.transpose()
    }

    fn bytes_read(&self) -> u64 {
        self.bytes
    }
}

/// Line and column, both from 1, the column in characters.
#[derive(Clone, Copy)]
struct FilePlace {
    line: u64,
    column: u64,
}

impl FilePlace {
    fn pass(&mut self, byte: u8) {
        if byte == b'\n' {
            self.line += 1;
            self.column = 1;
        } else if byte & 0xC0 != 0x80 {
            self.column += 1;
        }
    }

    fn back(self) -> Self {
        Self { column: self.column.saturating_sub(1).max(1), ..self }
    }
}

/// Finds the end of an element: a comma or a closing bracket outside of texts and of what the element itself opens.
struct Scanner {
    place: FilePlace,
    depth: u64,
    in_text: bool,
    escaped: bool,
}

impl Default for Scanner {
    fn default() -> Self {
        Self { place: FilePlace { line: 1, column: 1 }, depth: 0, in_text: false, escaped: false }
    }
}

impl Scanner {
    fn begin(&mut self) {
        (self.depth, self.in_text, self.escaped) = (0, false, false);
    }

    fn step(&mut self, byte: u8) -> Option<End> {
        self.place.pass(byte);
        if self.in_text {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_text = false,
                _ => {}
            }
            return None;
        }
        match byte {
            b'"' => self.in_text = true,
            b'[' | b'{' => self.depth += 1,
            b',' if self.depth == 0 => return Some(End::Comma),
            b']' if self.depth == 0 => return Some(End::Bracket),
            b']' | b'}' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Vec<Result<Row, SourceError>> {
        let bytes = std::io::Cursor::new(text.to_owned().into_bytes());
        let mut reader = JsonArray::new(Box::new(bytes), Path::new("a.json"), Depth::Whole);
        std::iter::from_fn(|| reader.next_row()).collect()
    }

    fn error(text: &str) -> String {
        read(text).pop().unwrap().unwrap_err().to_string()
    }

    #[test]
    fn elements_have_their_lines() {
        let rows = read("\u{FEFF}[\n  {\"a\": \"]},\"},\n\n  [1,\n 2], 3\n]\n");
        let rows: Vec<_> =
            rows.into_iter().map(|row| row.unwrap()).map(|row| (row.index, row.line, row.value)).collect();
        assert_eq!(rows, [(0, 2, json!({"a": "]},"})), (1, 4, json!([1, 2])), (2, 5, json!(3))]);
        assert!(read(" [ ] ").is_empty());
    }

    #[test]
    fn errors_point_at_the_character() {
        assert_eq!(error("[\"ä\", x]"), "a.json:1:7: not valid JSON: expected value");
        assert_eq!(error("\u{FEFF}[x]"), "a.json:1:2: not valid JSON: expected value");
        assert_eq!(error("[1,\n {\"a\":\n  'b'}]"), "a.json:3:3: not valid JSON: expected value");
        assert_eq!(error("[1 2]"), "a.json:1:4: not valid JSON: trailing characters");
        assert_eq!(error("[1,]"), "a.json:1:4: there is no value before this");
        assert_eq!(error("[,1]"), "a.json:1:2: there is no value before this");
        assert_eq!(
            error("[1,\n {\"a\": -9223372036854775809}]"),
            "a.json:2:8: `-9223372036854775809` has more digits than a number holds"
        );
        assert_eq!(error("[1, 2"), "a.json:1:6: the list does not end: its `]` is missing");
        assert_eq!(error("[1] 2"), "a.json:1:5: there is more after the end of the list");
        assert_eq!(error(" {}"), "a.json:1:2: this is a mapping, not a list");
        assert_eq!(error("\n1"), "a.json:2:1: this is not a list");
        assert_eq!(error(""), "a.json:1:1: the file is empty");
        assert_eq!(error("[{\"a\": 1]"), "a.json:1:9: not valid JSON: expected `,` or `}`");
    }

    proptest! {
        #[test]
        fn reads_what_the_parser_reads(text in r#"\[[\[\]{}:,"\\a0-9\n ]{0,16}\]"#) {
            let ours: Result<Vec<Json>, SourceError> = read(&text).into_iter().map(|row| row.map(|row| row.value)).collect();
            match serde_json::from_str::<Vec<Json>>(&text) {
                Ok(list) => prop_assert_eq!(ours.unwrap(), list),
                Err(_) => prop_assert!(ours.is_err(), "{} is taken as {:?}", text, ours),
            }
        }
    }
}
