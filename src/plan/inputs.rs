//! Inputs: their types, their values, and what is wrong with either.

use std::path::Path;
use std::sync::Arc;

use crate::diag::{Diagnostic, Diagnostics, listed, meant, meant_or_all, shortened};
use crate::model::{InputKind, Json, Place, kind_of};
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

/// Gives every input its value: what is given, else its default.
pub(super) fn resolve(spec: &PipelineSpec, given: &Given, diagnostics: &mut Diagnostics) -> Inputs {
    refuse_unknown(spec, given, diagnostics);
    let mut inputs = Inputs { values: Vec::new(), shapes: Vec::new(), kinds: Vec::new(), places: Vec::new() };
    for input in &spec.inputs {
        let kind = kind(input);
        let last = given.inputs.iter().rev().find(|value| value.name.value == input.name.value);
        let value = match last {
            Some(said) => from_given(input, kind, said, &given.working_dir),
            None => from_default(input, kind, spec, given),
        };
        let value = value.unwrap_or_else(|diagnostic| {
            diagnostics.push(diagnostic);
            InputValue::Missing
        });
        let written = input.default.as_ref().map_or(&input.name.place, |default| &default.place);
        inputs.places.push(last.map_or(written, |said| &said.value_place).clone());
        inputs.shapes.push(shape(kind, &value));
        inputs.kinds.push(kind);
        inputs.values.push(Input { name: input.name.value.as_str().into(), value });
    }
    inputs
}

fn refuse_unknown(spec: &PipelineSpec, given: &Given, diagnostics: &mut Diagnostics) {
    for said in &given.inputs {
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

/// The written type, else that of the default.
fn kind(input: &InputSpec) -> InputKind {
    match (&input.kind, input.default.as_ref().map(|default| &default.value)) {
        (Some(kind), _) => kind.value,
        (None, Some(InputDefault::Value(Json::Array(_)))) => InputKind::Items,
        (None, Some(InputDefault::Value(Json::Object(_) | Json::Null))) => InputKind::Json,
        (None, Some(InputDefault::Value(Json::Bool(_)))) => InputKind::Boolean,
        (None, Some(InputDefault::Value(Json::Number(number)))) => {
            if number.is_f64() {
                InputKind::Number
            } else {
                InputKind::Integer
            }
        }
        (None, _) => InputKind::String,
    }
}

fn shape(kind: InputKind, value: &InputValue) -> Shape {
    match value {
        InputValue::List(ListSource::Inline(items)) => Shape::List(Box::new(Shape::of_items(items))),
        InputValue::List(ListSource::Glob { .. }) => Shape::List(Box::new(Shape::found_file())),
        InputValue::Json(value) if kind == InputKind::Json => Shape::of_value(value),
        _ => Shape::of_input(kind),
    }
}

fn from_default(
    input: &InputSpec,
    kind: InputKind,
    spec: &PipelineSpec,
    given: &Given,
) -> Result<InputValue, Diagnostic> {
    let Some(default) = &input.default else {
        let name = &input.name.value;
        let message = format!("the input `{name}` has no value");
        let help = format!("give it one: `-i {name}=VALUE`, or a `default` here");
        let diagnostic = if given.to_run { Diagnostic::error } else { Diagnostic::note };
        return Err(diagnostic("missing-input", &input.name.place, message).help(help));
    };
    let value = match &default.value {
        InputDefault::Value(value) => value.clone(),
        InputDefault::File(path) => Json::String(std::fs::read_to_string(spec.folder.join(path)).map_err(|error| {
            let message = format!("`{}` can't be read: {error}", path.display());
            Diagnostic::error("unreadable-file", &default.place, message).help("name a text file in UTF-8")
        })?),
    };
    typed(input, kind, value, &default.place, &spec.folder)
}

fn from_given(
    input: &InputSpec,
    kind: InputKind,
    said: &GivenInput,
    working_dir: &Path,
) -> Result<InputValue, Diagnostic> {
    let place = &said.value_place;
    let wrong = |text: &str, what: &str, help: &str| {
        let message = format!("`{}` is `{}`, not {what}", input.name.value, shortened(text));
        Diagnostic::error("wrong-input", place, message).help(help)
    };
    let value = match &said.value {
        GivenValue::Json(value) => value.clone(),
        GivenValue::Text(text) => match kind {
            InputKind::String | InputKind::Choice | InputKind::Items => Json::String(text.clone()),
            InputKind::Integer => match text.trim().parse::<i64>() {
                Ok(number) => Json::from(number),
                Err(_) => return Err(wrong(text, "a whole number", "write digits alone: `5`")),
            },
            InputKind::Number => match text.trim().parse::<f64>() {
                Ok(number) if number.is_finite() => Json::from(number),
                _ => return Err(wrong(text, "a number", "write digits, with a dot before the fraction: `0.5`")),
            },
            InputKind::Boolean => match text.trim() {
                "true" => Json::Bool(true),
                "false" => Json::Bool(false),
                _ => return Err(wrong(text, "true or false", "write `true` or `false`")),
            },
            InputKind::Json => serde_json::from_str(text).map_err(|error| {
                let name = &input.name.value;
                let message = format!("`{name}` is not valid JSON: {error}");
                let help = format!("put all of it in single quotes, for the shell: `-i {name}='{{\"a\": 1}}'`");
                Diagnostic::error("wrong-input", place, message).help(help)
            })?,
        },
    };
    typed(input, kind, value, place, working_dir)
}

/// Checks a value against the input's type and limits.
fn typed(
    input: &InputSpec,
    kind: InputKind,
    value: Json,
    place: &Place,
    base: &Path,
) -> Result<InputValue, Diagnostic> {
    let name = &input.name.value;
    let value = if kind == InputKind::Integer { without_fraction(value) } else { value };
    let wrong = |what: &str| {
        Diagnostic::error("wrong-input", place, format!("`{name}` is {}, not {what}", kind_of(&value)))
            .help("change the value, or the input's `type`")
    };
    match (kind, &value) {
        (InputKind::Items, Json::Array(items)) => {
            return Ok(InputValue::List(ListSource::Inline(items.clone().into())));
        }
        (InputKind::Items, Json::String(path)) => {
            return ListSource::from_text(path, base).map(InputValue::List).map_err(|error| {
                let message = match &error.path {
                    Some(_) => format!("`{}`: {}", shortened(path), error.message),
                    None => error.message,
                };
                let help = "write the path of a list: `.jsonl`, `.json`, `.csv`, `.tsv`, `.yaml`, `.txt` or a pattern";
                Diagnostic::error("wrong-list", place, message).help(error.help.unwrap_or_else(|| help.to_owned()))
            });
        }
        (InputKind::Items, _) => return Err(wrong("a list or the path of one")),
        (InputKind::String | InputKind::Choice, Json::String(_))
        | (InputKind::Boolean, Json::Bool(_))
        | (InputKind::Number, Json::Number(_))
        | (InputKind::Json, _) => {}
        (InputKind::Integer, Json::Number(number)) if number.is_i64() || number.is_u64() => {}
        (InputKind::String, _) => return Err(wrong("a text")),
        (InputKind::Choice, _) => return Err(wrong("one of its options")),
        (InputKind::Boolean, _) => return Err(wrong("true or false")),
        (InputKind::Integer, _) => return Err(wrong("a whole number")),
        (InputKind::Number, _) => return Err(wrong("a number")),
    }
    limits(input, kind, &value, place)?;
    Ok(InputValue::Json(Arc::new(value)))
}

/// `3.0` as `3`.
fn without_fraction(value: Json) -> Json {
    let whole = value.as_f64().filter(|number| value.is_f64() && number.fract() == 0.0 && number.abs() < 9e15);
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked, and there is no fraction")]
    whole.map_or(value, |number| Json::from(number as i64))
}

fn limits(input: &InputSpec, kind: InputKind, value: &Json, place: &Place) -> Result<(), Diagnostic> {
    let name = &input.name.value;
    if kind == InputKind::Choice && !input.options.iter().any(|option| Some(option.value.as_str()) == value.as_str()) {
        let options = || input.options.iter().map(|option| option.value.as_str());
        let all = listed(options());
        let help = match meant(value.as_str().unwrap_or_default(), options()) {
            Some(meant) => format!("{meant} The options are {all}"),
            None => format!("the options are {all}"),
        };
        let message = format!("`{}` is no option of `{name}`", value.as_str().unwrap_or_default());
        return Err(Diagnostic::error("wrong-input", place, message).help(help));
    }
    if let Some(number) = value.as_f64() {
        for (limit, low, word) in [(&input.min, true, "at least"), (&input.max, false, "at most")] {
            if let Some(limit) = limit
                && (if low { number < limit.value } else { number > limit.value })
            {
                let message = format!("`{name}` is {number}, and must be {word} {}", limit.value);
                return Err(
                    Diagnostic::error("wrong-input", place, message).also(&limit.place, "the limit is set here")
                );
            }
        }
    }
    if let (Some(pattern), Some(text)) = (&input.pattern, value.as_str())
        && regex::Regex::new(&pattern.value).is_ok_and(|regex| !regex.is_match(text))
    {
        let message = format!("`{name}` does not match `{}`", pattern.value);
        return Err(Diagnostic::error("wrong-input", place, message).also(&pattern.place, "the pattern is set here"));
    }
    Ok(())
}
