//! Lines of a file or a pipe, one at a time in one buffer.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::SourceError;

/// No line, row or element is longer, in bytes: a file that is not what its name says does not fill the memory.
pub(super) const LONGEST: usize = 64 << 20;
/// A buffer that one long line has stretched is given back down to this.
const KEPT_BUFFER: usize = 1 << 20;
const READ_BUFFER: usize = 64 << 10;
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Reads a line after the other. A line is UTF-8; a byte order mark before the first is not part of it.
pub(super) struct Lines {
    input: BufReader<Box<dyn Read + Send>>,
    path: Option<PathBuf>,
    buffer: Vec<u8>,
    start: usize,
    number: u64,
    bytes: u64,
    ended: bool,
    longest: usize,
}

impl Lines {
    /// The lines of `input`, which is standard input where there is no `path`.
    pub(super) fn new(input: Box<dyn Read + Send>, path: Option<&Path>) -> Self {
        Self {
            input: BufReader::with_capacity(READ_BUFFER, input),
            path: path.map(Path::to_path_buf),
            buffer: Vec::new(),
            start: 0,
            number: 0,
            bytes: 0,
            ended: false,
            longest: LONGEST,
        }
    }

    /// Goes to the next line; false at the end. After an error about the text of a line the next one can be read.
    pub(super) fn advance(&mut self) -> Result<bool, SourceError> {
        self.buffer.clear();
        self.buffer.shrink_to(KEPT_BUFFER);
        self.start = 0;
        if self.ended {
            return Ok(false);
        }
        let most = u64::try_from(self.longest).unwrap_or(u64::MAX).saturating_add(1);
        let read = match self.input.by_ref().take(most).read_until(b'\n', &mut self.buffer) {
            Ok(read) => read,
            Err(error) => {
                self.ended = true;
                return Err(SourceError::io("can't be read", self.path.as_deref(), &error));
            }
        };
        if read == 0 {
            self.ended = true;
            return Ok(false);
        }
        self.number += 1;
        self.bytes += read as u64;
        if read > self.longest {
            self.ended = true;
            return Err(self.error(1, format!("the line is longer than {} MiB", self.longest >> 20)));
        }
        if self.number == 1 && self.buffer.starts_with(BOM) {
            self.start = BOM.len();
        }
        self.check_text()?;
        Ok(true)
    }

    fn check_text(&mut self) -> Result<(), SourceError> {
        let Err(error) = std::str::from_utf8(&self.buffer[self.start..]) else { return Ok(()) };
        let line = String::from_utf8_lossy(&self.buffer[self.start..]).into_owned();
        let good = &self.buffer[self.start..self.start + error.valid_up_to()];
        let column = String::from_utf8_lossy(good).chars().count() + 1;
        let utf16 =
            self.number == 1 && (line_starts(&self.buffer, b"\xFF\xFE") || line_starts(&self.buffer, b"\xFE\xFF"));
        if utf16 {
            // Every line of such a file is wrong in the same way.
            self.ended = true;
        }
        let encoding = if utf16 { "this is UTF-16, not UTF-8" } else { "not UTF-8" };
        Err(self.error(column, encoding).show(&line).help("save the file as UTF-8"))
    }

    /// The line with its end; empty before the first and after the last.
    pub(super) fn raw(&self) -> &str {
        std::str::from_utf8(&self.buffer[self.start..]).unwrap_or_default()
    }

    /// The line without its end.
    pub(super) fn text(&self) -> &str {
        let raw = self.raw();
        let text = raw.strip_suffix('\n').unwrap_or(raw);
        text.strip_suffix('\r').unwrap_or(text)
    }

    /// The number of the line, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// How many bytes have been read.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// An error on this line.
    pub(super) fn error(&self, column: usize, message: impl Into<String>) -> SourceError {
        self.error_at(self.number, column, message)
    }

    /// An error on another line.
    pub(super) fn error_at(&self, line: u64, column: usize, message: impl Into<String>) -> SourceError {
        SourceError::new(message).path(self.path.as_deref()).at(line, column)
    }

    #[cfg(test)]
    pub(super) fn with_longest(mut self, longest: usize) -> Self {
        self.longest = longest;
        self
    }
}

fn line_starts(line: &[u8], mark: &[u8]) -> bool {
    line.starts_with(mark)
}

/// The column (in characters, from 1) of the byte `byte` (from 0) of a line.
pub(super) fn column_of(line: &str, byte: usize) -> usize {
    let end = (0..=byte.min(line.len())).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
    line[..end].chars().count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &'static [u8]) -> Lines {
        Lines::new(Box::new(text), None)
    }

    #[test]
    fn bom_and_both_line_ends_are_no_part_of_a_line() {
        let mut lines = lines(b"\xEF\xBB\xBFone\r\n\ntwo");
        let mut seen = Vec::new();
        while lines.advance().unwrap() {
            seen.push((lines.number(), lines.text().to_owned()));
        }
        assert_eq!(seen, [(1, "one".to_owned()), (2, String::new()), (3, "two".to_owned())]);
    }

    #[test]
    fn a_line_that_is_not_utf8_is_named_and_the_next_is_read() {
        let mut lines = lines(b"ok\n\xC3\xA4b\xFFc\nafter");
        assert!(lines.advance().unwrap());
        let error = lines.advance().unwrap_err();
        assert_eq!(error.to_string(), "standard input:2:3: not UTF-8");
        assert!(lines.advance().unwrap());
        assert_eq!(lines.text(), "after");
        assert!(!lines.advance().unwrap());
    }

    #[test]
    fn utf16_is_recognised_once() {
        let mut lines = lines(b"\xFF\xFEa\0\n\0b\0");
        assert_eq!(lines.advance().unwrap_err().message, "this is UTF-16, not UTF-8");
        assert!(!lines.advance().unwrap());
    }

    #[test]
    fn a_line_beyond_the_longest_ends_the_reading() {
        let mut lines = lines(b"1234\n12345\n1").with_longest(5);
        assert!(lines.advance().unwrap());
        assert!(lines.advance().unwrap_err().message.contains("longer than"));
        assert!(!lines.advance().unwrap());
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(column_of("äöx", 4), 3);
        assert_eq!(column_of("äöx", 1), 1);
        assert_eq!(column_of("äöx", 99), 4);
    }
}
