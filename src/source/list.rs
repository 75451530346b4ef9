//! Where a list comes from.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::SourceError;
use super::glob::{Matches, check_pattern, is_pattern, names_in};
use super::json_array::JsonArray;
use super::json_lines::JsonLines;
use super::lines::Lines;
use super::rows::{Count, Depth, Inline, Rows};
use super::table::Table;
use super::text::TextLines;
use super::yaml::YamlList;
use crate::diag::did_you_mean;
use crate::model::{Json, ListFormat};

/// A list that can be read, again and again but for standard input. Nothing of it is held.
#[derive(Debug, Clone)]
pub enum ListSource {
    /// It stands in the pipeline file.
    Inline(Arc<[Json]>),
    /// The numbers from 1 to this one.
    Count(u64),
    /// A data file.
    File {
        /// As it is opened from the working directory.
        path: PathBuf,
        /// How it is written.
        format: ListFormat,
    },
    /// The files that a pattern matches, sorted by path, hidden ones only where the pattern names the dot. Each is
    /// `{path, name, stem, text}`; `path` is relative to what the pattern is relative to, so that a request is the same on
    /// every machine, and has `/` on every system; `text` is there for text files alone (UTF-8 without NUL, at most 16 MiB).
    Glob {
        /// As it was written.
        pattern: String,
        /// The folder that it is relative to.
        base: PathBuf,
    },
    /// JSON lines on standard input; they are read by a [`StdinCopy`](super::StdinCopy).
    Stdin,
}

const EXTENSIONS: &str = "`.jsonl`, `.ndjson`, `.json`, `.csv`, `.tsv`, `.yaml`, `.yml` and `.txt`";

impl ListSource {
    /// The list that a text given as an `items` input names: a path by its extension, a pattern, or `-`. Paths are
    /// relative to `base`. A file must be there; whether a pattern matches anything is seen when it is read.
    pub fn from_text(text: &str, base: &Path) -> Result<Self, SourceError> {
        if text == "-" {
            return Ok(Self::Stdin);
        }
        if text.trim().is_empty() {
            return Err(
                SourceError::new("a list has an empty path").help(format!("write the path of a file: {EXTENSIONS}"))
            );
        }
        if text.contains("://") {
            return Err(SourceError::new(format!("`{text}` is an address, not a file")).help("save it to a file first"));
        }
        let path = if base == Path::new(".") { PathBuf::from(text) } else { base.join(text) };
        match fs::metadata(&path) {
            Ok(about) if about.is_dir() => Err(SourceError::new("is a folder, not a list")
                .path(Some(&path))
                .help(format!("write a pattern for the files in it, as `{}/*.md`", text.trim_end_matches('/')))),
            Ok(about) if !about.is_file() => Err(SourceError::new("is not a file that can be read twice")
                .path(Some(&path))
                .help("write `-` and give JSON lines on standard input")),
            Ok(_) => Self::from_extension(path),
            Err(_) if is_pattern(text) => {
                check_pattern(text)?;
                Ok(Self::Glob { pattern: text.to_owned(), base: base.to_path_buf() })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(not_found(&path)),
            Err(error) => Err(SourceError::io("can't be read", Some(&path), &error)),
        }
    }

    fn from_extension(path: PathBuf) -> Result<Self, SourceError> {
        let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase);
        let Some(extension) = extension else {
            return Err(SourceError::new("has no extension, so its format is not known")
                .path(Some(&path))
                .help(format!("lists are {EXTENSIONS}")));
        };
        match ListFormat::from_extension(&extension) {
            Some(format) => Ok(Self::File { path, format }),
            None => Err(SourceError::new(format!("`.{extension}` is not a format of lists"))
                .path(Some(&path))
                .help(format!("lists are {EXTENSIONS}"))),
        }
    }

    /// The rows, from the first. For a file this opens it and reads a header, or a whole YAML list; for a pattern it
    /// looks the files up. Standard input is an error.
    pub fn rows(&self) -> Result<Rows, SourceError> {
        self.open(Depth::Whole)
    }

    pub(super) fn open(&self, depth: Depth) -> Result<Rows, SourceError> {
        match self {
            Self::Inline(items) => Ok(Rows::new(Inline::new(Arc::clone(items)))),
            Self::Count(count) => Ok(Rows::new(Count::new(*count))),
            Self::File { path, format } => open_file(path, *format, depth),
            Self::Glob { pattern, base } => Ok(Rows::new(Matches::find(pattern, base, depth)?)),
            Self::Stdin => {
                Err(SourceError::new("standard input can be read only once").help("save it to a file first"))
            }
        }
    }

    /// The file that the rows stand in.
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::File { path, .. } => Some(path),
            _ => None,
        }
    }
}

fn open_file(path: &Path, format: ListFormat, depth: Depth) -> Result<Rows, SourceError> {
    let file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => not_found(path),
        _ => SourceError::io("can't be read", Some(path), &error),
    })?;
    if file.metadata().is_ok_and(|about| about.is_dir()) {
        return Err(SourceError::new("is a folder, not a list").path(Some(path)));
    }
    let mut input: Box<dyn Read + Send> = Box::new(file);
    Ok(match format {
        ListFormat::JsonLines => Rows::new(JsonLines::new(Lines::new(input, Some(path)), depth)),
        ListFormat::Json => Rows::new(JsonArray::new(input, path, depth)),
        ListFormat::Csv => Rows::new(Table::open(Lines::new(input, Some(path)), b',', depth)?),
        ListFormat::Tsv => Rows::new(Table::open(Lines::new(input, Some(path)), b'\t', depth)?),
        ListFormat::Text => Rows::new(TextLines::new(Lines::new(input, Some(path)))),
        ListFormat::Yaml => Rows::new(YamlList::read(&mut input, path)?),
    })
}

/// There is no such file; perhaps one beside it was meant.
fn not_found(path: &Path) -> SourceError {
    let folder = path.parent().unwrap_or(Path::new(""));
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let error = SourceError::new("no such file").path(Some(path));
    if !folder.as_os_str().is_empty() && !folder.is_dir() {
        return error.help(format!("there is no folder `{}` either", folder.display()));
    }
    let names = names_in(folder);
    match did_you_mean(name, names.iter().map(String::as_str)) {
        Some(near) => error.help(format!("did you mean `{}`?", folder.join(near).display())),
        None => error
            .help("paths in a pipeline file are relative to it, paths on the command line to the working directory"),
    }
}
