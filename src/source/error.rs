//! What is wrong with a list, and where.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Something wrong in a list. It displays as `FILE:LINE:COLUMN: message`, as far as these are known; a line without a
/// path is one of standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceError {
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// The file, as it would be opened from the working directory.
    pub path: Option<PathBuf>,
    /// From 1.
    pub line: Option<u64>,
    /// In characters, from 1.
    pub column: Option<u32>,
    /// The line at fault; a part of it around the column, with `…` where it is cut, if it is long.
    pub snippet: Option<String>,
    /// Which of the things that were wanted of each row it lacks, by its place among these, if that is what is wrong.
    pub lacks: Option<usize>,
    /// Which row it is about, from 0, where rows have no lines.
    pub item: Option<u64>,
    /// What to try.
    pub help: Option<String>,
}

/// A snippet has at most so many characters.
const SNIPPET: usize = 120;
/// Where a snippet is cut in front, so many characters stand before the column.
const LEAD: usize = 60;

impl SourceError {
    /// With a message alone.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            path: None,
            line: None,
            column: None,
            snippet: None,
            lacks: None,
            item: None,
            help: None,
        }
    }

    /// What the system says about a file.
    pub(super) fn io(what: &str, path: Option<&Path>, error: &io::Error) -> Self {
        Self::new(format!("{what}: {}", plain_io(error))).path(path)
    }

    pub(super) fn path(mut self, path: Option<&Path>) -> Self {
        self.path = path.map(Path::to_path_buf);
        self
    }

    pub(super) fn at(mut self, line: u64, column: usize) -> Self {
        self.line = Some(line);
        self.column = Some(u32::try_from(column).unwrap_or(u32::MAX));
        self
    }

    /// Shows `line`, the whole line that the column counts in; call it after [`SourceError::at`].
    pub(super) fn show(mut self, line: &str) -> Self {
        let first = self.column.map_or(0, |column| column as usize - 1);
        self.snippet = Some(cut_around(line.trim_end_matches(['\r', '\n']), first));
        self
    }

    /// With what to try.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Under which character of the snippet (from 0) a caret belongs.
    pub fn caret(&self) -> Option<usize> {
        self.snippet.as_ref()?;
        let first = self.column? as usize - 1;
        Some(if first <= LEAD { first } else { LEAD + 1 })
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.path, self.line) {
            (Some(path), _) => write!(f, "{}:", path.display())?,
            (None, Some(_)) => f.write_str("standard input:")?,
            (None, None) => return f.write_str(&self.message),
        }
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        if let Some(column) = self.column {
            write!(f, "{column}:")?;
        }
        write!(f, " {}", self.message)
    }
}

impl std::error::Error for SourceError {}

/// The stretch of `line` that [`SourceError::caret`] counts in; `first` is the character at fault, from 0.
fn cut_around(line: &str, first: usize) -> String {
    let skipped = first.saturating_sub(LEAD);
    let mut rest = line.chars().skip(skipped).map(|c| if c.is_control() { ' ' } else { c });
    let mut snippet = String::new();
    if skipped > 0 {
        snippet.push('…');
    }
    snippet.extend(rest.by_ref().take(SNIPPET));
    if rest.next().is_some() {
        snippet.push('…');
    }
    snippet
}

/// An error of the system in our words where the usual ones have them, without its number.
fn plain_io(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or_default().to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displays_as_far_as_the_place_is_known() {
        let error = SourceError::new("is bad");
        assert_eq!(error.to_string(), "is bad");
        assert_eq!(error.clone().at(3, 5).to_string(), "standard input:3:5: is bad");
        assert_eq!(error.clone().path(Some(Path::new("a.csv"))).to_string(), "a.csv: is bad");
        assert_eq!(error.path(Some(Path::new("a.csv"))).at(3, 5).to_string(), "a.csv:3:5: is bad");
    }

    #[test]
    fn the_caret_points_at_the_character_also_where_the_snippet_is_cut() {
        let line: String = ('a'..='z').cycle().take(500).collect();
        for column in [1, 2, 59, 60, 61, 62, 130, 499, 500] {
            let error = SourceError::new("x").at(1, column).show(&line);
            let caret = error.caret().unwrap();
            let pointed = error.snippet.unwrap().chars().nth(caret).unwrap();
            assert_eq!(pointed, line.chars().nth(column - 1).unwrap(), "column {column}");
        }
    }
}
