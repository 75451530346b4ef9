//! A pipeline file is read, checked and compiled.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::diag::{Diagnostic, Diagnostics, SourceFiles};
use crate::model::{At, Budget, JsonMap, StageKindName};
use crate::plan::{Compiled, DataFault, Given, GivenInput, GivenValue, Plan, WantedOutputs, compile};
use crate::spec::{self, Unpacked};

/// What the place of a mistake is called that stands in no file.
pub const COMMAND_LINE: &str = "command line";

/// What is to be opened, and what is said beside the file.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The pipeline file.
    pub file: PathBuf,
    /// Values of inputs as texts, read by the input's type; later ones win.
    pub inputs: Vec<(String, String)>,
    /// Values of inputs as JSON; `inputs` win over them, and they over those of `inputs_file`.
    pub input_values: JsonMap,
    /// A YAML or JSON file with values of inputs. Paths in it are relative to `working_dir`.
    pub inputs_file: Option<PathBuf>,
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
    /// Limits that take the place of those of the file's `budget`, each by itself.
    pub budget: Budget,
    /// How long the run may take, whatever the file says.
    pub deadline: Option<Duration>,
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
    /// Shipped templates that the pipeline uses: messages about their data name the folders in which these lie.
    pub unpacked: Vec<Unpacked>,
}

/// Reads, checks and compiles a pipeline. Its data files are read through; nothing is called.
pub fn check(request: &Request) -> Checked {
    let loaded = match spec::load(&request.file) {
        Ok(loaded) => loaded,
        Err(error) => return unreadable(&error),
    };
    let (mut files, mut diagnostics) = (loaded.files, loaded.diagnostics);
    let Some(pipeline) = loaded.pipeline else {
        return Checked { files, diagnostics, plan: None, unpacked: Vec::new() };
    };
    let survey = !diagnostics.has_errors();
    let mut given = given(request, &mut files, survey);
    let mut inputs_are_broken = false;
    if let Some(path) = &request.inputs_file {
        inputs_are_broken = !add_values(path, &mut given, &mut files, &mut diagnostics);
    }
    let Compiled { plan, diagnostics: found, faults, unpacked } = compile(&pipeline, &given);
    let found = found.into_iter().filter(|one| !inputs_are_broken || one.code != "missing-input");
    diagnostics.extend(found.map(|one| with_base(one, &given)));
    for fault in faults {
        diagnostics.push(from_data(fault, &mut files));
    }
    let plan = plan.filter(|_| !diagnostics.has_errors()).map(Arc::new);
    Checked { files, diagnostics, plan, unpacked }
}

/// Adds the values of a file to those that are given, which win over them; false where the file is wrong.
fn add_values(path: &Path, given: &mut Given, files: &mut SourceFiles, diagnostics: &mut Diagnostics) -> bool {
    let mut found = Diagnostics::default();
    let values = spec::read_values(path, files, &mut found).unwrap_or_else(|error| {
        let place = files.add_words(COMMAND_LINE, &format!("--inputs {}", path.display()));
        found.push(error.diagnostic(Some(&place), files));
        Vec::new()
    });
    let is_right = !found.has_errors();
    diagnostics.extend(found);
    let values = values.into_iter().map(|one| GivenInput {
        name: one.name,
        value: GivenValue::Json(one.value.value),
        value_place: one.value.place,
    });
    given.inputs.splice(0..0, values);
    is_right
}

/// In a file of inputs a path looks as if it were relative to that file.
fn with_base(one: Diagnostic, given: &Given) -> Diagnostic {
    let is_of_file = |input: &GivenInput| matches!(input.value, GivenValue::Json(_)) && input.value_place == one.place;
    if one.code != "wrong-list" || !given.inputs.iter().any(is_of_file) {
        return one;
    }
    let base = "paths of `--inputs` are relative to the working directory, as others on the command line";
    // A help about paths says the same of all of them, which does not help here.
    let help = one.help.clone().filter(|help| !help.contains("relative to"));
    one.help(help.map_or_else(|| base.to_owned(), |help| format!("{help}\n{base}")))
}

fn unreadable(error: &spec::LoadError) -> Checked {
    let mut files = SourceFiles::default();
    let mut diagnostics = Diagnostics::default();
    diagnostics.push(error.diagnostic(None, &mut files));
    Checked { files, diagnostics, plan: None, unpacked: Vec::new() }
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
        let mut place = files.add_words(COMMAND_LINE, &format!("{option} {value}"));
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
        budget: request.budget,
        deadline: request.deadline,
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
    let place = files.add_words(COMMAND_LINE, words);
    let (mut name_place, mut value_place) = (place.clone(), place.clone());
    if let Some(length) = files.slice(&place).get(before.len()..).and_then(|said| said.find(between)) {
        name_place.span.start += before.len();
        name_place.span.end = name_place.span.start + length;
        value_place.span.start = name_place.span.end + between.len();
    }
    GivenInput { name: At::new(name.to_owned(), name_place), value, value_place }
}
