//! `.txt`: a line each.

use super::SourceError;
use super::lines::Lines;
use super::rows::{ReadRows, Row};

/// Reads lines as they are; those with nothing but white space are passed over.
pub(super) struct TextLines {
    lines: Lines,
    next: u64,
}

impl TextLines {
    pub(super) fn new(lines: Lines) -> Self {
        Self { lines, next: 0 }
    }
}

impl ReadRows for TextLines {
    fn next_row(&mut self) -> Option<Result<Row, SourceError>> {
        loop {
            let read = self.lines.advance();
            if matches!(read, Ok(false)) {
                return None;
            }
            if read.is_ok() && self.lines.text().trim().is_empty() {
                continue;
            }
            let index = self.next;
            self.next += 1;
            let lines = &self.lines;
            return Some(read.map(|_| Row { index, value: lines.text().into(), line: lines.number() }));
        }
    }

    fn bytes_read(&self) -> u64 {
        self.lines.bytes()
    }
}
