//! A pipeline file is read, checked and compiled.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diag::{Diagnostic, Diagnostics, SourceFiles};
use crate::model::{At, Failure, FailureKind, Json, JsonMap, StageKindName};
use crate::plan::{Compiled, DataFault, Given, GivenInput, GivenValue, Plan, WantedOutputs, compile};
use crate::spec;

/// What is to be opened, and what is said beside the file.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The pipeline file.
    pub file: PathBuf,
    /// Values of inputs as texts, read by the input's type; later ones win.
    pub inputs: Vec<(String, String)>,
    /// Values of inputs as JSON; `inputs` win over them.
    pub input_values: JsonMap,
    /// The provider that takes the place of the default.
    pub provider: Option<String>,
    /// Models that take the place of defaults: of one kind of stage, or of text and chat.
    pub models: Vec<(Option<StageKindName>, String)>,
    /// Every provider is the built-in one.
    pub offline: bool,
    /// These stages and what they need; all without any.
    pub only: Vec<String>,
    /// The first so many of every list that comes from an input.
    pub limit: Option<u64>,
    /// What paths given here are relative to.
    pub working_dir: PathBuf,
    /// Whether it is to be run: then an input without a value is an error.
    pub to_run: bool,
    /// Which outputs are wanted at the end.
    pub wanted: WantedOutputs,
}

/// A pipeline that was looked at.
#[derive(Debug)]
pub struct Checked {
    /// The files that diagnostics point into.
    pub files: SourceFiles,
    /// What is wrong, and what is doubtful.
    pub diagnostics: Diagnostics,
    /// The plan, if nothing is wrong.
    pub plan: Option<Arc<Plan>>,
}

/// Reads, checks and compiles a pipeline. Its data files are read through; nothing is called.
pub fn check(request: &Request) -> Checked {
    let loaded = match spec::load(&request.file) {
        Ok(loaded) => loaded,
        Err(error) => return unreadable(&error),
    };
    let (mut files, mut diagnostics) = (loaded.files, loaded.diagnostics);
    let Some(pipeline) = loaded.pipeline else {
        return Checked { files, diagnostics, plan: None };
    };
    let survey = !diagnostics.has_errors();
    let given = given(request, &mut files, survey);
    let Compiled { plan, diagnostics: found, faults } = compile(&pipeline, &given);
    diagnostics.extend(found);
    for fault in faults {
        diagnostics.push(from_data(fault, &mut files));
    }
    let plan = plan.filter(|_| !diagnostics.has_errors()).map(Arc::new);
    Checked { files, diagnostics, plan }
}

fn unreadable(error: &spec::LoadError) -> Checked {
    let mut files = SourceFiles::default();
    let mut diagnostics = Diagnostics::default();
    diagnostics.push(error.diagnostic(None, &mut files));
    Checked { files, diagnostics, plan: None }
}

/// A mistake in a data file, with its line.
fn from_data(DataFault { error, named }: DataFault, files: &mut SourceFiles) -> Diagnostic {
    let name = error.path.as_ref().map_or_else(|| "data".to_owned(), |path| path.display().to_string());
    let at = error.caret().zip(error.column.map(u64::from));
    let place = files.add_line(name, error.line.unwrap_or(1), error.snippet.as_deref().unwrap_or(""), at);
    let diagnostic = Diagnostic::error("bad-row", &place, error.message).help_if(error.help);
    match named {
        Some(named) => diagnostic.also(&named, "it is named here"),
        None => diagnostic,
    }
}

/// What is said on the command line gets places of its own, so that mistakes in it can be pointed at.
fn given(request: &Request, files: &mut SourceFiles, survey: bool) -> Given {
    let mut inputs = Vec::new();
    for (name, value) in &request.input_values {
        inputs.push(input(name, &format!("{name}: {value}"), "", ": ", GivenValue::Json(value.clone()), files));
    }
    for (name, text) in &request.inputs {
        let shown: String = text.chars().take(60).collect();
        inputs.push(input(
            name,
            &format!("--input {name}={shown}"),
            "--input ",
            "=",
            GivenValue::Text(text.clone()),
            files,
        ));
    }
    let mut option = |option: &str, value: &String| {
        let mut place = files.add_words("command line", &format!("{option} {value}"));
        place.span.start += option.len() + 1;
        At::new(value.clone(), place)
    };
    Given {
        inputs,
        provider: request.provider.as_ref().map(|name| option("--provider", name)),
        models: request.models.clone(),
        offline: request.offline,
        only: request.only.iter().map(|name| option("--only", name)).collect(),
        limit: request.limit,
        working_dir: request.working_dir.clone(),
        to_run: request.to_run,
        survey,
        wanted: request.wanted.clone(),
    }
}

/// An input that is said in `words`: its name stands behind `before`, and its value behind the first `between`.
fn input(
    name: &str,
    words: &str,
    before: &str,
    between: &str,
    value: GivenValue,
    files: &mut SourceFiles,
) -> GivenInput {
    let place = files.add_words("command line", words);
    let (mut name_place, mut value_place) = (place.clone(), place.clone());
    if let Some(length) = files.slice(&place).get(before.len()..).and_then(|said| said.find(between)) {
        name_place.span.start += before.len();
        name_place.span.end = name_place.span.start + length;
        value_place.span.start = name_place.span.end + between.len();
    }
    GivenInput { name: At::new(name.to_owned(), name_place), value, value_place }
}

/// Reads values of inputs from a file: a mapping in `.json` or `.yaml`.
///
/// # Errors
/// The file can't be read, or is no mapping.
pub fn read_inputs(path: &Path) -> Result<JsonMap, Failure> {
    let wrong = |message: String| {
        Failure::new(FailureKind::BadRequest, message).suggest("write a mapping of names and values: `tone: dry`")
    };
    let shown = path.display();
    let is_yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    let value = if is_yaml {
        spec::read_values(path).map_err(|message| wrong(format!("`{shown}` can't be read: {message}")))?
    } else {
        let text = std::fs::read_to_string(path).map_err(|error| wrong(format!("`{shown}` can't be read: {error}")))?;
        serde_json::from_str(&text).map_err(|error| wrong(format!("`{shown}` is no JSON: {error}")))?
    };
    match value {
        Json::Object(map) => Ok(map),
        _ => Err(wrong(format!("`{shown}` is no mapping"))),
    }
}
