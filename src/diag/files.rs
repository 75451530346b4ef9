//! The texts that places point into.

use std::ops::Range;
use std::sync::Arc;

use super::visible::visible;
use crate::model::{FileId, Place};

/// A text that was read, and what people call it.
#[derive(Debug, Clone)]
pub struct SourceFile {
    name: String,
    text: Arc<str>,
    /// The number of its first line: 1, but for a part of a file.
    first_line: usize,
    /// By how many characters its columns are further right than they stand here.
    shift: usize,
    /// Where each line begins; never empty.
    lines: Vec<usize>,
    /// Stretches that are never shown.
    concealed: Vec<Range<usize>>,
}

impl SourceFile {
    fn new(name: String, text: Arc<str>) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { name, text, first_line: 1, shift: 0, lines, concealed: Vec::new() }
    }

    /// Its path as it is shown.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All of it.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// The number of its first line.
    pub(super) fn first_line(&self) -> usize {
        self.first_line
    }

    /// The line (from 0) in which the byte `offset` lies; one beyond the end lies in the last.
    pub(super) fn line_of(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// The bytes of a line (from 0), without its end.
    pub(super) fn line_span(&self, line: usize) -> Range<usize> {
        let start = self.lines.get(line).copied().unwrap_or(self.text.len());
        let end = self.lines.get(line + 1).map_or(self.text.len(), |next| next - 1);
        let text = &self.text[start..end];
        start..start + text.strip_suffix('\r').unwrap_or(text).len()
    }

    pub(super) fn is_concealed(&self, offset: usize) -> bool {
        self.concealed.iter().any(|span| span.contains(&offset))
    }
}

/// Every text that one pipeline was read from; the pipeline file itself comes first.
#[derive(Debug, Clone, Default)]
pub struct SourceFiles {
    files: Vec<SourceFile>,
}

impl SourceFiles {
    /// Adds a file: its path as people should see it, and its text.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(SourceFile::new(name.into(), text.into()));
        id
    }

    /// Adds words that stand in no file, `--input tone` of the `command line`, as one line; the place is all of it.
    pub fn add_words(&mut self, name: impl Into<String>, words: &str) -> Place {
        let line = visible(words);
        let end = line.len();
        Place::new(self.add(name, line), 0..end)
    }

    /// Adds one line of a file that is not held: its number (from 1), as much of it as is shown, and what is wrong: a
    /// character of what is shown (from 0), and its column in the whole line (from 1).
    pub fn add_line(&mut self, name: impl Into<String>, number: u64, shown: &str, at: Option<(usize, u64)>) -> Place {
        let line = visible(shown);
        let (character, column) = at.unwrap_or((0, 1));
        let start = line.char_indices().nth(character).map_or(line.len(), |(offset, _)| offset);
        let end = if at.is_some() {
            line[start..].chars().next().map_or(start, |c| start + c.len_utf8())
        } else {
            line.len()
        };
        let id = self.add(name, line);
        let file = &mut self.files[id.0 as usize];
        file.first_line = usize::try_from(number.max(1)).unwrap_or(usize::MAX);
        file.shift = usize::try_from(column).unwrap_or(1).saturating_sub(character + 1);
        Place::new(id, start..end)
    }

    /// How many there are so far: the next has this id.
    pub fn count(&self) -> u32 {
        u32::try_from(self.files.len()).unwrap_or(u32::MAX)
    }

    /// The file with this id, which came from [`SourceFiles::add`] of this very registry.
    pub fn get(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// What is written at `place`; nothing where it is no stretch of whole characters.
    pub fn slice(&self, place: &Place) -> &str {
        self.get(place.file).text.get(place.span.clone()).unwrap_or_default()
    }

    /// Line and column of where `place` begins, both from 1; columns count characters.
    pub fn line_column(&self, place: &Place) -> (u32, u32) {
        let file = self.get(place.file);
        let line = file.line_of(place.span.start);
        let span = file.line_span(line);
        let before = file.text[span.clone()].char_indices().take_while(|(at, _)| span.start + at < place.span.start);
        (count(line + file.first_line), count(before.count() + file.shift + 1))
    }

    /// Never shows what is written at `place` again: it is a secret that has no business in the file.
    pub fn conceal(&mut self, place: &Place) {
        self.files[place.file.0 as usize].concealed.push(place.span.clone());
    }

    /// Whether what begins at `place` is not to be shown; messages leave it out then, as drawings do.
    pub fn is_concealed(&self, place: &Place) -> bool {
        self.get(place.file).is_concealed(place.span.start)
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let mut files = SourceFiles::default();
        let id = files.add("a.yaml", "eins\nzwölf: drei\r\n\n");
        let line_column = |at| files.line_column(&Place::new(id, at..at));
        assert_eq!(line_column(0), (1, 1));
        assert_eq!(line_column(5), (2, 1));
        assert_eq!(line_column(13), (2, 8), "after the umlaut, which is two bytes");
        assert_eq!(line_column(7), (2, 3), "the umlaut itself");
        assert_eq!(line_column(8), (2, 4), "inside of it: what comes next");
        assert_eq!(line_column(20), (4, 1), "the end of the file");
        assert_eq!(line_column(999), (4, 1), "beyond it");
    }

    #[test]
    fn words_of_the_command_line_have_a_place_too() {
        let mut files = SourceFiles::default();
        let place = files.add_words("command line", "--input tone=\n\u{1b}[31m");
        assert_eq!(files.get(place.file).name(), "command line");
        assert_eq!(files.slice(&place), "--input tone=\\n\\u{1b}[31m");
    }
}
