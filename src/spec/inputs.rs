//! `inputs`: what a pipeline is given.

use regex::Regex;

use super::fields::{Fields, Keys};
use super::names::{self, Named};
use super::node::{Entry, Node, Value};
use super::pipeline::{InputDefault, InputSpec};
use super::quantities::number;
use super::reader::{Reader, shortened};
use super::templates::text;
use crate::diag::Diagnostic;
use crate::model::{At, InputKind, Json, Place};

pub(super) const INPUT: Keys = Keys {
    owner: "an input",
    own: &["type", "default", "description", "options", "min", "max", "pattern"],
    settings: &[],
    later: &[],
};

const DEFAULT_FILE: Keys = Keys { owner: "a default from a file", own: &["file"], settings: &[], later: &[] };

/// All inputs, if every one of them could be read.
pub(super) fn inputs(node: &Node, reader: &mut Reader<'_>) -> Option<Vec<InputSpec>> {
    let Some(entries) = node.entries() else {
        reader.expected_with("a mapping", node, Some("write each input with its default: `tone: friendly`"));
        return None;
    };
    let inputs: Vec<_> = entries.iter().map(|entry| input(entry, reader)).collect();
    inputs.into_iter().collect()
}

fn input(entry: &Entry, reader: &mut Reader<'_>) -> Option<InputSpec> {
    let named = names::check(&entry.key, Named::Value, reader);
    let mut spec = InputSpec {
        name: entry.key.clone(),
        kind: None,
        default: None,
        items: entry.value.places(),
        description: None,
        options: Vec::new(),
        min: None,
        max: None,
        pattern: None,
    };
    match &entry.value.value {
        // `topic:` alone declares an input that has to be given.
        Value::Null => {}
        Value::Broken => return None,
        Value::Mapping(_) => long(&mut spec, &entry.value, reader)?,
        _ => spec.default = default(&entry.value, reader),
    }
    named.then_some(spec)
}

fn long(spec: &mut InputSpec, node: &Node, reader: &mut Reader<'_>) -> Option<()> {
    let mut fields = Fields::open(node, INPUT, reader)?;
    spec.kind = fields.read_at("type", reader, kind);
    spec.description = fields.read("description", reader, text);
    let options = fields.take("options");
    spec.options = options.and_then(|entry| self::options(&entry.value, reader)).unwrap_or_default();
    // `options` say what the type is.
    if let (None, Some(entry)) = (&spec.kind, options)
        && !fields.has("type")
    {
        spec.kind = Some(At::new(InputKind::Choice, entry.key.place.clone()));
    }
    spec.min = fields.read_at("min", reader, number(f64::NEG_INFINITY..=f64::INFINITY));
    spec.max = fields.read_at("max", reader, number(f64::NEG_INFINITY..=f64::INFINITY));
    spec.pattern = fields.read_at("pattern", reader, pattern);
    let written = fields.take("default");
    spec.default = written.and_then(|entry| default(&entry.value, reader));
    spec.items = written.map(|entry| entry.value.places()).unwrap_or_default();
    fields.finish(reader);
    check_options(spec, options, reader);
    check_limits(spec, reader);
    check_default(spec, reader);
    Some(())
}

fn kind(node: &Node, reader: &mut Reader<'_>) -> Option<InputKind> {
    let Some(text) = node.as_text() else {
        reader.expected_text(node);
        return None;
    };
    let kind = InputKind::NAMES.into_iter().find(|(name, _)| *name == text).map(|(_, kind)| kind);
    if kind.is_none() && !reader.refuse_template(node) {
        reader.unknown_choice("type of input", text, &node.place, &InputKind::NAMES.map(|(name, _)| name));
    }
    kind
}

/// The choices, as texts: what is written as a number is chosen as it is written.
fn options(node: &Node, reader: &mut Reader<'_>) -> Option<Vec<At<String>>> {
    let elements = match node.elements() {
        Some(elements) if !elements.is_empty() => elements,
        _ => {
            reader.expected_with("a list of choices", node, Some("write `options: [short, long]`"));
            return None;
        }
    };
    let options: Vec<_> = elements.iter().map(|element| option(element, reader)).collect();
    options.into_iter().collect()
}

fn option(node: &Node, reader: &mut Reader<'_>) -> Option<At<String>> {
    let choice = match node.value {
        Value::Number(_) | Value::Bool(_) => reader.written(&node.place).to_owned(),
        _ => text(node, reader)?,
    };
    Some(At::new(choice, node.place.clone()))
}

fn pattern(node: &Node, reader: &mut Reader<'_>) -> Option<String> {
    let Value::Text(pattern, _) = &node.value else {
        reader.expected_text(node);
        return None;
    };
    if let Err(error) = Regex::new(pattern) {
        // The last line says what is wrong; those above it draw the pattern once more.
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
        reader.push(
            Diagnostic::error("bad-pattern", &node.place, format!("this is no regular expression: {reason}"))
                .help("put a backslash before a character that is meant as it is; quote the pattern with `'`"),
        );
        return None;
    }
    Some(pattern.to_string())
}

/// A value, or `{file: PATH}`.
fn default(node: &Node, reader: &mut Reader<'_>) -> Option<At<InputDefault>> {
    if node.is_broken() || reader.refuse_template(node) {
        return None;
    }
    let is_file = node.entries().is_some_and(|entries| entries.len() == 1) && node.names_file();
    if !is_file {
        return Some(At::new(InputDefault::Value(node.to_json()), node.place.clone()));
    }
    let mut fields = Fields::open(node, DEFAULT_FILE, reader)?;
    let path = fields.read_at("file", reader, text);
    fields.finish(reader);
    let path = path?;
    if !reader.folder().join(&path.value).is_file() {
        let message = format!("there is no file `{}`", shortened(&path.value));
        reader.push(
            Diagnostic::error("unreadable-file", &path.place, message)
                .help("paths in a pipeline file are relative to its folder"),
        );
    }
    Some(At::new(InputDefault::File(path.value.into()), node.place.clone()))
}

fn check_options(spec: &InputSpec, options: Option<&Entry>, reader: &mut Reader<'_>) {
    let Some(kind) = &spec.kind else { return };
    match (kind.value, options) {
        (InputKind::Choice, None) => reader.push(
            Diagnostic::error("missing-key", &kind.place, "a `choice` needs `options`")
                .help("write them beside it: `options: [short, long]`"),
        ),
        (InputKind::Choice, Some(_)) | (_, None) => {}
        (_, Some(options)) => reader.push(
            Diagnostic::error("key-does-not-fit", &options.key.place, "only a `choice` has `options`")
                .also(&kind.place, "this type")
                .help("write `type: choice`, or take the options out"),
        ),
    }
}

/// `min` and `max` are for numbers, `pattern` is for texts.
fn check_limits(spec: &InputSpec, reader: &mut Reader<'_>) {
    let kind = kind_of(spec);
    let is_number = |kind| matches!(kind, InputKind::Integer | InputKind::Number);
    let limits =
        [("min", &spec.min), ("max", &spec.max)].into_iter().filter_map(|(key, at)| Some((key, &at.as_ref()?.place)));
    let patterns = spec.pattern.iter().map(|pattern| ("pattern", &pattern.place));
    let wrong: Vec<(&str, &Place, &str)> = limits
        .filter(|_| kind.is_some_and(|kind| !is_number(kind)))
        .map(|(key, place)| (key, place, "it is for `integer` and `number`"))
        .chain(
            patterns
                .filter(|_| kind.is_some_and(|kind| kind != InputKind::String))
                .map(|(key, place)| (key, place, "it is for `string`")),
        )
        .collect();
    for (key, place, help) in wrong {
        let message = format!("`{key}` means nothing for an input of this type");
        reader.push(Diagnostic::error("key-does-not-fit", place, message).help(help));
    }
    if let (Some(min), Some(max)) = (&spec.min, &spec.max)
        && min.value > max.value
    {
        reader.push(
            Diagnostic::error("out-of-range", &max.place, "`max` is below `min`")
                .also(&min.place, "`min` is here")
                .help("exchange them"),
        );
    }
}

/// The type, as far as the file says: in so many words, or by a default that is a single value.
fn kind_of(spec: &InputSpec) -> Option<InputKind> {
    if let Some(kind) = &spec.kind {
        return Some(kind.value);
    }
    match &spec.default.as_ref()?.value {
        InputDefault::File(_) | InputDefault::Value(Json::String(_)) => Some(InputKind::String),
        InputDefault::Value(Json::Bool(_)) => Some(InputKind::Boolean),
        InputDefault::Value(Json::Number(_)) => Some(InputKind::Number),
        InputDefault::Value(_) => None,
    }
}

fn check_default(spec: &mut InputSpec, reader: &mut Reader<'_>) {
    let Some(At { value: InputDefault::Value(value), place }) = &mut spec.default else { return };
    let Some(kind) = &spec.kind else { return };
    if kind.value == InputKind::Choice && (value.is_number() || value.is_boolean()) {
        // As with the options: `512` is the choice `512`.
        *value = Json::String(reader.written(place).to_owned());
    }
    let complaint = match (kind.value, &*value) {
        (InputKind::Choice, Json::String(choice)) => {
            if spec.options.is_empty() || spec.options.iter().any(|option| option.value == *choice) {
                None
            } else {
                let options: Vec<_> = spec.options.iter().map(|option| format!("`{}`", option.value)).collect();
                Some(("one of its options", format!("write one of {}", options.join(", "))))
            }
        }
        (kind, value) => misfit(kind, value).map(|(expected, help)| (expected, help.to_owned())),
    };
    let outside = |limit: &Option<At<f64>>, is_out: fn(f64, f64) -> bool| matches!((limit, value.as_f64()), (Some(limit), Some(number)) if is_out(number, limit.value));
    let place = place.clone();
    if let Some((expected, help)) = complaint {
        let message = format!("the default of the input is {}, and not {expected}", named_value(value));
        reader
            .push(Diagnostic::error("default-does-not-fit", &place, message).also(&kind.place, "this type").help(help));
    } else if outside(&spec.min, |number, min| number < min) || outside(&spec.max, |number, max| number > max) {
        let message = format!("the default is {}, and out of range", named_value(value));
        reader
            .push(Diagnostic::error("default-does-not-fit", &place, message).help("write one between `min` and `max`"));
    } else if let (Some(pattern), Json::String(text)) = (&spec.pattern, &*value)
        && Regex::new(&pattern.value).is_ok_and(|regex| !regex.is_match(text))
    {
        reader.push(
            Diagnostic::error("default-does-not-fit", &place, "the default does not match the pattern")
                .also(&pattern.place, "this pattern")
                .help("change one of them"),
        );
    }
}

/// What the type expects, and how that is written, if the value is something else.
fn misfit(kind: InputKind, value: &Json) -> Option<(&'static str, &'static str)> {
    let is_whole = value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0);
    let (fits, expected, help) = match kind {
        InputKind::String if value.is_number() || value.is_boolean() => (false, "a text", "put it in quotes"),
        InputKind::String => (value.is_string(), "a text", "write a text, or another type"),
        InputKind::Integer => (is_whole, "a whole number", "write it without quotes and without a fraction: `3`"),
        InputKind::Number => (value.is_number(), "a number", "write it without quotes: `0.5`"),
        InputKind::Boolean => (value.is_boolean(), "true or false", "write `true` or `false`, without quotes"),
        InputKind::Choice => (false, "one of its options", "write one of them"),
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
        Json::Array(_) | Json::Object(_) => crate::model::kind_of(value).to_owned(),
        Json::Null => "nothing".to_owned(),
        Json::Bool(truth) => format!("`{truth}`"),
        Json::Number(number) => format!("the number `{number}`"),
        Json::String(text) => format!("the text `{}`", shortened(text)),
    }
}
