//! From a file to its nouns.

use std::ops::Range;
use std::path::Path;

use super::document::pipeline;
use super::library::{Identity, Library};
use super::pipeline::PipelineSpec;
use super::reader::Reader;
use super::source::{LoadError, plain_text, read_text};
use super::yaml;
use crate::diag::{Diagnostic, Diagnostics, SourceFiles};
use crate::model::{At, Json, Place, kind_of};

/// A pipeline file that was read.
#[derive(Debug)]
pub struct Loaded {
    /// What it says; see [`parse`] for when there is nothing.
    pub pipeline: Option<PipelineSpec>,
    /// The texts it was read from; the pipeline file is the first.
    pub files: SourceFiles,
    /// Every mistake that was found.
    pub diagnostics: Diagnostics,
}

/// Reads the pipeline file at `path`, and the files that it names for prompts and providers.
///
/// # Errors
/// The file itself can't be read. All that is wrong in it are diagnostics.
pub fn load(path: &Path) -> Result<Loaded, LoadError> {
    let text = read_text(path)?;
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut files = SourceFiles::default();
    let (pipeline, diagnostics) = parse(&path.display().to_string(), folder, &text, &mut files);
    Ok(Loaded { pipeline, files, diagnostics })
}

/// A value of a mapping in a file, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedValue {
    /// Its name.
    pub name: At<String>,
    /// The value.
    pub value: At<Json>,
}

/// Reads the mapping of names and values in a YAML or JSON file, without templates or keys of its own. What is wrong in
/// it is `found`; then there are no values.
///
/// # Errors
/// The file can't be read.
pub fn read_values(
    path: &Path,
    files: &mut SourceFiles,
    found: &mut Diagnostics,
) -> Result<Vec<NamedValue>, LoadError> {
    let text = plain_text(read_text(path)?);
    let file = files.add(path.display().to_string(), text.as_str());
    if path.extension().is_some_and(|extension| extension == "json")
        && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&text)
    {
        let place = Place::new(file, offset(&text, error.line(), error.column()));
        let message = error.to_string();
        let (what, _) = message.split_once(" at line ").unwrap_or((&message, ""));
        found.push(Diagnostic::error("broken-json", &place, format!("this is not JSON: {what}")).help(A_MAPPING));
        return Ok(Vec::new());
    }
    let mut problems = Diagnostics::default();
    let root = yaml::parse(file, &text, &mut problems);
    let is_broken = problems.has_errors();
    found.extend(problems);
    let Some(root) = root.filter(|_| !is_broken) else { return Ok(Vec::new()) };
    let Some(entries) = root.entries() else {
        let value = root.to_json();
        let kind = if value.is_null() { "empty" } else { kind_of(&value) };
        let message = format!("this is {kind}, not a mapping");
        found.push(Diagnostic::error("wrong-inputs", &root.place, message).help(A_MAPPING));
        return Ok(Vec::new());
    };
    let named = entries.iter().map(|entry| NamedValue {
        name: entry.key.clone(),
        value: At::new(entry.value.to_json(), entry.value.place.clone()),
    });
    Ok(named.collect())
}

const A_MAPPING: &str = "write a mapping of names and values: `tone: dry`, or `{\"tone\": \"dry\"}` in JSON";

/// The byte at a line and a column (from 1), and the end of its character.
pub(super) fn offset(text: &str, line: usize, column: usize) -> Range<usize> {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let mut start = (before + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    start..start + text[start..].chars().next().map_or(0, char::len_utf8)
}

/// Reads the `text` of a pipeline file that is called `name`; what it names is relative to `folder`.
///
/// The specification is there, even beside errors, if the file is a mapping: so all of it can be checked at once. Every
/// input, provider, stage and output that is declared is in it, and what could not be read says so, so that no name is
/// found missing by mistake. Keys whose values are wrong are absent from it.
///
/// Pipelines that it uses are read as well, each once, however deep.
pub fn parse(name: &str, folder: &Path, text: &str, files: &mut SourceFiles) -> (Option<PipelineSpec>, Diagnostics) {
    let (mut pipeline, mut found) = read_one(name, (folder, None), text, files);
    if let Some(pipeline) = &mut pipeline {
        let path = Path::new(name).file_name().map_or_else(|| folder.to_owned(), |file| folder.join(file));
        Library::new(Identity::of_file(&path), name, files, &mut found).fill(pipeline);
    }
    (pipeline, found)
}

/// Reads one file as [`parse`] does, but for what it uses. Its folder may go by another name in messages.
pub(super) fn read_one(
    name: &str,
    (folder, called): (&Path, Option<&str>),
    text: &str,
    files: &mut SourceFiles,
) -> (Option<PipelineSpec>, Diagnostics) {
    let text = plain_text(text.to_owned());
    let file = files.add(name, text.as_str());
    let mut found = Diagnostics::default();
    let Some(root) = yaml::parse(file, &text, &mut found) else { return (None, found) };
    let mut reader = Reader::new(folder, files, found).with_folder_called(called);
    let pipeline = pipeline(&root, &mut reader);
    (pipeline, reader.into_found())
}
