//! Inputs: their types, their values, and what is wrong with either.

use std::path::Path;
use std::sync::Arc;

use crate::diag::{Diagnostic, Diagnostics, listed, meant, meant_or_all, shortened};
use crate::model::{At, FileId, InputKind, Json, Place, kind_of};
use crate::source::ListSource;
use crate::spec::{InputDefault, InputSpec, PipelineSpec};

use super::given::{Given, GivenInput, GivenValue};
use super::pipeline::{Input, InputValue};
use super::shape::Shape;

/// The inputs with their values, and what is known of each.
#[derive(Debug)]
pub(super) struct Inputs {
    pub(super) values: Vec<Input>,
    pub(super) shapes: Vec<Shape>,
    pub(super) kinds: Vec<InputKind>,
    /// Where each value was said.
    pub(super) places: Vec<Place>,
}

impl Inputs {
    /// Adds an input under a name that no other has, and gives its index.
    pub(super) fn add(&mut self, input: &InputSpec, full: &str, value: InputValue, said: &Place) -> usize {
        let kind = known_kind(input);
        self.places.push(said.clone());
        self.shapes.push(shape(input, kind, &value));
        self.kinds.push(kind);
        self.values.push(Input { name: full.into(), value });
        self.values.len() - 1
    }
}

/// What is not known of an input can be anything.
fn known_kind(input: &InputSpec) -> InputKind {
    if input.is_unsure { InputKind::Json } else { input.kind() }
}

/// Gives every input its value: what is given, else its default.
pub(super) fn resolve(spec: &PipelineSpec, given: &Given, diagnostics: &mut Diagnostics) -> Inputs {
    refuse_unknown(spec, given, diagnostics);
    let mut inputs = Inputs { values: Vec::new(), shapes: Vec::new(), kinds: Vec::new(), places: Vec::new() };
    for input in &spec.inputs {
        let last = given.inputs.iter().rev().find(|value| value.name.value == input.name.value);
        let value = match last {
            _ if input.is_unsure => Ok(InputValue::Missing),
            Some(said) => from_given(input, said, &given.working_dir),
            None => from_default(input, spec, given),
        };
        let value = value.unwrap_or_else(|diagnostic| {
            diagnostics.push(diagnostic);
            InputValue::Missing
        });
        let written = input.default.as_ref().map_or(&input.name.place, |default| &default.place);
        inputs.add(input, &input.name.value, value, last.map_or(written, |said| &said.value_place));
    }
    inputs
}

fn refuse_unknown(spec: &PipelineSpec, given: &Given, diagnostics: &mut Diagnostics) {
    for said in given.inputs.iter().filter(|_| !spec.unread.names) {
        if !spec.inputs.iter().any(|input| input.name.value == said.name.value) {
            let names = spec.inputs.iter().map(|input| input.name.value.as_str());
            let help = meant_or_all(&said.name.value, names, "its inputs are")
                .unwrap_or_else(|| "this pipeline has no inputs".to_owned());
            diagnostics.push(
                Diagnostic::error(
                    "unknown-input",
                    &said.name.place,
                    format!("there is no input `{}`", said.name.value),
                )
                .help(help),
            );
        }
    }
}

fn shape(input: &InputSpec, kind: InputKind, value: &InputValue) -> Shape {
    match value {
        InputValue::List(ListSource::Inline(items)) => Shape::List(Box::new(Shape::of_items(items))),
        InputValue::List(ListSource::Glob { .. }) => Shape::List(Box::new(Shape::found_file())),
        InputValue::Json(value) if kind == InputKind::Json => Shape::of_value(value),
        _ if kind == InputKind::Choice => options(input),
        _ => Shape::of_input(kind),
    }
}

/// What is known of a `choice`.
pub(super) fn options(input: &InputSpec) -> Shape {
    let options: Vec<Json> = input.options.iter().map(|option| Json::from(option.value.as_str())).collect();
    Shape::one_of(&options).unwrap_or(Shape::Text)
}

fn from_default(input: &InputSpec, spec: &PipelineSpec, given: &Given) -> Result<InputValue, Diagnostic> {
    default_of(input, &spec.folder).unwrap_or_else(|| {
        let name = &input.name.value;
        let message = format!("the input `{name}` has no value");
        let help = format!("give it one: `-i {name}=VALUE`, or a `default` here");
        let diagnostic = if given.to_run { Diagnostic::error } else { Diagnostic::note };
        Err(diagnostic("missing-input", &input.name.place, message).help(help))
    })
}

/// The default of an input whose file lies in `folder`, if it has one.
pub(super) fn default_of(input: &InputSpec, folder: &Path) -> Option<Result<InputValue, Diagnostic>> {
    let name = &input.name.value;
    let At { value: default, place } = input.default.as_ref()?;
    Some(match default {
        InputDefault::Value(value) => typed(input, value.clone(), place, folder),
        InputDefault::File { path, .. } if input.kind() == InputKind::Items => {
            let message = format!("`{name}` is a list, and `{{file: ..}}` is the text of a file");
            let help = format!("name the file itself: `default: {path}`");
            Err(Diagnostic::error("wrong-list", place, message).help(help))
        }
        InputDefault::File { file, text, .. } => from_file(input, *file, text, place, folder),
    })
}

/// The text of a file as the value of an input: JSON is parsed, a text is taken as it is, and of anything else the line
/// end is no part.
fn from_file(
    input: &InputSpec,
    file: FileId,
    text: &str,
    place: &Place,
    folder: &Path,
) -> Result<InputValue, Diagnostic> {
    let value = match input.kind() {
        InputKind::String => Json::String(text.to_owned()),
        InputKind::Json => serde_json::from_str(text).map_err(|error| {
            let at = offset(text, error.line(), error.column());
            Diagnostic::error(
                "wrong-input",
                &Place::new(file, at..at),
                format!("this is not valid JSON: {}", reason(&error)),
            )
            .also(place, "the file is named here")
            .help("mend the file, or let the input be a `string`")
        })?,
        _ => from_text(input, text.trim_end_matches('\n'), place)?,
    };
    typed(input, value, place, folder)
}

/// What a parser of JSON complains of, without the place that its message ends with.
fn reason(error: &serde_json::Error) -> String {
    let message = error.to_string();
    message.rsplit_once(" at line ").map_or(message.clone(), |(reason, _)| reason.to_owned())
}

/// Where a line and a column (from 1, in bytes) are in a text.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let at = (start + column.saturating_sub(1)).min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn from_given(input: &InputSpec, said: &GivenInput, working_dir: &Path) -> Result<InputValue, Diagnostic> {
    let value = match &said.value {
        GivenValue::Json(value) => value.clone(),
        GivenValue::Text(text) => from_text(input, text, &said.value_place)?,
    };
    typed(input, value, &said.value_place, working_dir)
}

/// A text that is read by the input's type.
pub(super) fn from_text(input: &InputSpec, text: &str, place: &Place) -> Result<Json, Diagnostic> {
    let name = &input.name.value;
    let wrong = |what: &str, help: &str| {
        let message = format!("`{name}` is `{}`, not {what}", shortened(text));
        Diagnostic::error("wrong-input", place, message).help(help)
    };
    match input.kind() {
        InputKind::String | InputKind::Choice | InputKind::Items => Ok(Json::String(text.to_owned())),
        InputKind::Integer => {
            text.trim().parse::<i64>().map(Json::from).map_err(|_| wrong("a whole number", "write digits alone: `5`"))
        }
        InputKind::Number => match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Json::from(number)),
            _ => Err(wrong("a number", "write digits, with a dot before the fraction: `0.5`")),
        },
        InputKind::Boolean => match text.trim() {
            "true" => Ok(Json::Bool(true)),
            "false" => Ok(Json::Bool(false)),
            _ => Err(wrong("true or false", "write `true` or `false`")),
        },
        InputKind::Json => serde_json::from_str(text).map_err(|error| {
            let message = format!("`{name}` is not valid JSON: {error}");
            let help = format!("put all of it in single quotes, for the shell: `-i {name}='{{\"a\": 1}}'`");
            Diagnostic::error("wrong-input", place, message).help(help)
        }),
    }
}

/// Checks a value against the input's type and limits.
pub(super) fn typed(input: &InputSpec, value: Json, place: &Place, base: &Path) -> Result<InputValue, Diagnostic> {
    let kind = input.kind();
    let value = if kind == InputKind::Integer { without_fraction(value) } else { value };
    if let Some((expected, help)) = misfit(kind, &value) {
        let message = format!("`{}` is {}, not {expected}", input.name.value, named_value(&value));
        let diagnostic = Diagnostic::error("wrong-input", place, message).help(help);
        return Err(match &input.kind {
            Some(kind) => diagnostic.also(&kind.place, "this type"),
            None => diagnostic,
        });
    }
    match (kind, value) {
        (InputKind::Items, Json::Array(items)) => Ok(InputValue::List(ListSource::Inline(items.into()))),
        (InputKind::Items, Json::String(path)) => list_at(&path, place, base),
        (_, value) => {
            limits(input, kind, &value, place)?;
            Ok(InputValue::Json(Arc::new(value)))
        }
    }
}

/// What a type expects, and how that is written, if the value is something else.
fn misfit(kind: InputKind, value: &Json) -> Option<(&'static str, &'static str)> {
    let (fits, expected, help) = match kind {
        InputKind::String if value.is_number() || value.is_boolean() => (false, "a text", "put it in quotes"),
        InputKind::String => (value.is_string(), "a text", "write a text, or give the input another `type`"),
        InputKind::Choice => (value.is_string(), "one of its options", "write one of them"),
        InputKind::Integer => {
            (value.is_i64() || value.is_u64(), "a whole number", "write it without quotes and without a fraction: `3`")
        }
        InputKind::Number => (value.is_number(), "a number", "write it without quotes: `0.5`"),
        InputKind::Boolean => (value.is_boolean(), "true or false", "write `true` or `false`, without quotes"),
        InputKind::Json => (true, "", ""),
        InputKind::Items => {
            (value.is_array() || value.is_string(), "a list", "write a list (`[a, b]`) or the path of a file")
        }
    };
    (!fits).then_some((expected, help))
}

/// A value as a message names it: itself if it is short, else what it is.
fn named_value(value: &Json) -> String {
    match value {
        Json::Array(_) | Json::Object(_) => kind_of(value).to_owned(),
        Json::Null => "null".to_owned(),
        Json::Bool(truth) => format!("`{truth}`"),
        Json::Number(number) => format!("the number `{number}`"),
        Json::String(text) => format!("the text `{}`", shortened(text)),
    }
}

fn list_at(path: &str, place: &Place, base: &Path) -> Result<InputValue, Diagnostic> {
    ListSource::from_text(path, base).map(InputValue::List).map_err(|error| {
        let message = match &error.path {
            Some(_) => format!("`{}`: {}", shortened(path), error.message),
            None => error.message,
        };
        let help = "write the path of a list: `.jsonl`, `.json`, `.csv`, `.tsv`, `.yaml`, `.txt` or a pattern";
        Diagnostic::error("wrong-list", place, message).help(error.help.unwrap_or_else(|| help.to_owned()))
    })
}

/// `3.0` as `3`.
pub(super) fn without_fraction(value: Json) -> Json {
    let whole = value.as_f64().filter(|number| value.is_f64() && number.fract() == 0.0 && number.abs() < 9e15);
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked, and there is no fraction")]
    whole.map_or(value, |number| Json::from(number as i64))
}

fn limits(input: &InputSpec, kind: InputKind, value: &Json, place: &Place) -> Result<(), Diagnostic> {
    let name = &input.name.value;
    let options = || input.options.iter().map(|option| option.value.as_str());
    if let (InputKind::Choice, Some(choice)) = (kind, value.as_str())
        // A choice without options is told where it is declared.
        && !input.options.is_empty()
        && !options().any(|option| option == choice)
    {
        let all = listed(options());
        let help = match meant(choice, options()) {
            Some(meant) => format!("{meant} The options are {all}"),
            None => format!("the options are {all}"),
        };
        let message = format!("`{}` is not an option of `{name}`", shortened(choice));
        return Err(Diagnostic::error("wrong-input", place, message).help(help));
    }
    if let Some(number) = value.as_f64() {
        for (limit, low, word) in [(&input.min, true, "at least"), (&input.max, false, "at most")] {
            if let Some(limit) = limit
                && (if low { number < limit.value } else { number > limit.value })
            {
                let message = format!("`{name}` is {number}, and must be {word} {}", limit.value);
                let diagnostic = Diagnostic::error("wrong-input", place, message);
                return Err(diagnostic.also(&limit.place, "the limit is set here").help("change one of them"));
            }
        }
    }
    if let (Some(pattern), Some(text)) = (&input.pattern, value.as_str())
        && regex::Regex::new(&pattern.value).is_ok_and(|regex| !regex.is_match(text))
    {
        let message = format!("`{name}` does not match `{}`", pattern.value);
        let diagnostic = Diagnostic::error("wrong-input", place, message);
        return Err(diagnostic.also(&pattern.place, "the pattern is set here").help("change one of them"));
    }
    Ok(())
}
