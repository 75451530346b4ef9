//! Files whose paths match a pattern.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::{path, vec};

use glob::{MatchOptions, Pattern};

use super::SourceError;
use super::rows::{Depth, ReadRows, Row};
use crate::model::{Json, JsonMap};

/// A file that is longer, in bytes, is no text file.
const LONGEST_TEXT: u64 = 16 << 20;

/// `*` stops at `/`. Hidden names are sorted out here: with `require_literal_leading_dot` the crate passes over them even
/// where the pattern has the dot, and panics at a name that is not UTF-8.
const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

/// Whether a text is meant as a pattern.
pub(super) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// Whether a pattern can be read.
pub(super) fn check_pattern(pattern: &str) -> Result<(), SourceError> {
    Pattern::new(pattern).map(drop).map_err(|error| {
        SourceError::new(format!("the pattern `{pattern}` can't be read: {} at character {}", error.msg, error.pos + 1))
            .help("`*` matches within a name, `**` any folders, `[ab]` one of these characters")
    })
}

/// The files that a pattern matches, sorted by path: each `{path, name, stem, text}`.
pub(super) struct Matches {
    /// Each as it is named, and as it is opened.
    paths: vec::IntoIter<(PathBuf, PathBuf)>,
    depth: Depth,
    next: u64,
    bytes: u64,
}

impl Matches {
    /// Looks the files up. Only their names are held.
    pub(super) fn find(pattern: &str, base: &Path, depth: Depth) -> Result<Self, SourceError> {
        check_pattern(pattern)?;
        let base = if base.as_os_str().is_empty() { Path::new(".") } else { base };
        let base = path::absolute(base).map_err(|error| SourceError::io("can't be found", Some(base), &error))?;
        let whole = if Path::new(pattern).is_absolute() {
            pattern.to_owned()
        } else {
            let Some(folder) = base.to_str() else {
                return Err(SourceError::new("the folder's name is not UTF-8").path(Some(&base)));
            };
            format!("{}/{pattern}", Pattern::escape(folder.trim_end_matches('/')))
        };
        let found = glob::glob_with(&whole, OPTIONS)
            .map_err(|error| SourceError::new(format!("the pattern `{pattern}` can't be read: {}", error.msg)))?;
        let hidden = Hidden::named_in(pattern);
        let mut paths = Vec::new();
        for path in found {
            match path {
                Ok(path) if hidden.allows(&path, &base) && path.is_file() => paths.push(path),
                Err(error) if hidden.allows(error.path(), &base) => {
                    return Err(SourceError::io("can't be read", Some(error.path()), error.error()));
                }
                _ => {}
            }
        }
        if paths.is_empty() {
            return Err(SourceError::new(format!("the pattern `{pattern}` matches no file in `{}`", base.display()))
                .help("hidden files are matched by a pattern with the dot alone; `**` reaches into folders"));
        }
        let mut paths: Vec<_> = paths.into_iter().map(|path| (named(&path, &base), path)).collect();
        paths.sort();
        Ok(Self { paths: paths.into_iter(), depth, next: 0, bytes: 0 })
    }

    fn describe(&mut self, named: &Path, path: &Path) -> Result<Json, SourceError> {
        let fail = |error| SourceError::io("can't be read", Some(path), &error);
        let file = File::open(path).map_err(fail)?;
        if self.depth == Depth::FormOnly {
            return Ok(Json::Null);
        }
        let mut row = JsonMap::new();
        row.insert("path".to_owned(), unicode(path, Some(named.as_os_str()))?.into());
        row.insert("name".to_owned(), unicode(path, path.file_name())?.into());
        row.insert("stem".to_owned(), unicode(path, path.file_stem())?.into());
        if let Some(text) = read_text(file).map_err(fail)? {
            self.bytes += text.len() as u64;
            row.insert("text".to_owned(), text.into());
        }
        Ok(Json::Object(row))
    }
}

/// The path relative to `base`, if it was found from there, without `.` and without `..` behind a folder: the same on
/// every machine, and not changed by where the program is started.
fn named(path: &Path, base: &Path) -> PathBuf {
    let mut named = PathBuf::new();
    for part in path.strip_prefix(base).unwrap_or(path).components() {
        let goes_back =
            part == Component::ParentDir && matches!(named.components().next_back(), Some(Component::Normal(_)));
        if goes_back {
            named.pop();
        } else if part != Component::CurDir {
            named.push(part);
        }
    }
    named
}

/// The hidden names that a pattern asks for: its parts that begin with a dot.
struct Hidden(Vec<Pattern>);

impl Hidden {
    fn named_in(pattern: &str) -> Self {
        let parts =
            pattern.split(path::is_separator).filter(|part| part.starts_with('.') && !matches!(*part, "." | ".."));
        Self(parts.filter_map(|part| Pattern::new(part).ok()).collect())
    }

    /// Whether no name in `path`, as far as it lies in `base`, is hidden without being asked for.
    fn allows(&self, path: &Path, base: &Path) -> bool {
        path.strip_prefix(base).unwrap_or(path).components().all(|part| match part {
            Component::Normal(name) => {
                let name = name.to_string_lossy();
                !name.starts_with('.') || self.0.iter().any(|pattern| pattern.matches(&name))
            }
            _ => true,
        })
    }
}

impl ReadRows for Matches {
    fn next_row(&mut self) -> Option<Result<Row, SourceError>> {
        let (named, path) = self.paths.next()?;
        let index = self.next;
        self.next += 1;
        Some(self.describe(&named, &path).map(|value| Row { index, value, line: 0 }))
    }

    fn bytes_read(&self) -> u64 {
        self.bytes
    }
}

/// With `/` between folders, on every system.
fn unicode(path: &Path, part: Option<&std::ffi::OsStr>) -> Result<String, SourceError> {
    match part.and_then(std::ffi::OsStr::to_str) {
        Some(text) => Ok(text.replace(path::MAIN_SEPARATOR, "/")),
        None => Err(SourceError::new("the file's name is not UTF-8").path(Some(path)).help("rename the file")),
    }
}

/// The text of a text file: UTF-8 without NUL, not too long; without a byte order mark, otherwise as it is.
fn read_text(file: File) -> std::io::Result<Option<String>> {
    if file.metadata()?.len() > LONGEST_TEXT {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.take(LONGEST_TEXT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST_TEXT || bytes.contains(&0) {
        return Ok(None);
    }
    let Ok(mut text) = String::from_utf8(bytes) else { return Ok(None) };
    if text.starts_with('\u{FEFF}') {
        text.drain(..'\u{FEFF}'.len_utf8());
    }
    Ok(Some(text))
}

/// The names of what lies in a folder, for a suggestion; none where that can't be read.
pub(super) fn names_in(folder: &Path) -> Vec<String> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.take(1000).filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
}
