//! Standard input, which can be read only once: copied into a file as it comes.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::thread;

use tokio::sync::mpsc;

use super::SourceError;
use super::json_lines::JsonLines;
use super::lines::Lines;
use super::list::ListSource;
use super::rows::{Depth, ReadRows, Row};
use crate::model::ListFormat;

/// So many rows are read ahead.
const AHEAD: usize = 256;

/// JSON lines that come in, checked as they come. A row is in the copy before it is handed over, so a later pass over
/// the copy finds every row that an earlier one had. After the first bad row nothing follows.
#[derive(Debug)]
pub struct StdinCopy {
    rows: mpsc::Receiver<Result<Row, SourceError>>,
    path: PathBuf,
}

impl StdinCopy {
    /// Starts to read `input`, on a thread of its own, and to copy it to a new file at `path`. The thread ends with the
    /// input, or when nobody takes its rows any more.
    pub fn start(input: impl Read + Send + 'static, path: &Path) -> Result<Self, SourceError> {
        let fail = |error| SourceError::io("the copy of standard input can't be written", Some(path), &error);
        let copy = File::create(path).map_err(fail)?;
        let (sender, rows) = mpsc::channel(AHEAD);
        let lines = JsonLines::new(Lines::new(Box::new(input), None), Depth::Whole);
        let mut copying = Copying { lines, copy, path: path.to_path_buf(), line: 0 };
        thread::Builder::new().name("stdin".to_owned()).spawn(move || copying.run(&sender)).map_err(fail)?;
        Ok(Self { rows, path: path.to_path_buf() })
    }

    /// The copy, for later passes: whole once a stream over this has come to its end, or to its limit.
    pub fn list(&self) -> ListSource {
        ListSource::File { path: self.path.clone(), format: ListFormat::JsonLines }
    }

    pub(super) fn into_rows(self) -> mpsc::Receiver<Result<Row, SourceError>> {
        self.rows
    }
}

struct Copying {
    lines: JsonLines,
    copy: File,
    path: PathBuf,
    /// How many lines the copy has.
    line: u64,
}

impl Copying {
    fn run(&mut self, sender: &mpsc::Sender<Result<Row, SourceError>>) {
        while let Some(row) = self.lines.next_row() {
            let row = row.and_then(|row| self.keep(&row).map(|()| row));
            let over = row.is_err();
            if sender.blocking_send(row).is_err() || over {
                return;
            }
        }
    }

    /// Copies a row onto the line that it came on, in one write: a buffer would hold rows back from the next reader.
    fn keep(&mut self, row: &Row) -> Result<(), SourceError> {
        let blank = usize::try_from(row.line.saturating_sub(self.line + 1)).unwrap_or(0);
        let text = format!("{:\n<blank$}{}\n", "", self.lines.text());
        self.line = row.line;
        self.copy
            .write_all(text.as_bytes())
            .map_err(|error| SourceError::io("the copy of standard input can't be written", Some(&self.path), &error))
    }
}
