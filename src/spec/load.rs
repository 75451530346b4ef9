//! From a file to its nouns.

use std::path::Path;

use super::document::pipeline;
use super::pipeline::PipelineSpec;
use super::reader::Reader;
use super::source::{LoadError, plain_text, read_text};
use super::yaml;
use crate::diag::{Diagnostics, Severity, SourceFiles};
use crate::model::Json;

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

/// Reads the values in a YAML file, without templates, names or keys of its own.
///
/// # Errors
/// What is wrong, in one line.
pub fn read_values(path: &Path) -> Result<Json, String> {
    let text = plain_text(read_text(path).map_err(|error| error.to_string())?);
    let mut files = SourceFiles::default();
    let file = files.add(path.display().to_string(), text.as_str());
    let mut found = Diagnostics::default();
    let value = yaml::parse(file, &text, &mut found).map(|root| root.to_json());
    let first_error = found.iter().find(|one| one.severity == Severity::Error);
    match (value, first_error) {
        (Some(value), None) => Ok(value),
        (_, Some(error)) => Err(format!("line {}: {}", files.line_column(&error.place).0, error.message)),
        (None, None) => Ok(Json::Null),
    }
}

/// Reads the `text` of a pipeline file that is called `name`; what it names is relative to `folder`.
///
/// The specification is there, even beside errors, if the file is a mapping: so all of it can be checked at once. Every
/// input, provider, stage and output that is declared is in it, and what could not be read says so, so that no name is
/// found missing by mistake. Keys whose values are wrong are absent from it.
pub fn parse(name: &str, folder: &Path, text: &str, files: &mut SourceFiles) -> (Option<PipelineSpec>, Diagnostics) {
    let text = plain_text(text.to_owned());
    let file = files.add(name, text.as_str());
    let mut found = Diagnostics::default();
    let Some(root) = yaml::parse(file, &text, &mut found) else { return (None, found) };
    let mut reader = Reader::new(folder, files, found);
    let pipeline = pipeline(&root, &mut reader);
    (pipeline, reader.into_found())
}
