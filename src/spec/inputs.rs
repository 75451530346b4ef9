//! `inputs`: what a pipeline is given.

use regex::Regex;

use super::fields::{Fields, Keys};
use super::names::{self, Named};
use super::node::{Entry, Node, Value};
use super::pipeline::{InputDefault, InputSpec};
use super::quantities::number;
use super::reader::Reader;
use super::templates::text;
use crate::diag::{Diagnostic, listed, shortened};
use crate::model::{At, InputKind, Json, Place};

pub(super) const INPUT: Keys = Keys {
    owner: "an input",
    own: &["type", "default", "description", "options", "min", "max", "pattern"],
    settings: &[],
};

const DEFAULT_FILE: Keys = Keys { owner: "a default from a file", own: &["file"], settings: &[] };

/// All inputs, each with what could be read of it.
pub(super) fn inputs(node: &Node, reader: &mut Reader<'_>) -> Option<Vec<InputSpec>> {
    let Some(entries) = node.entries() else {
        reader.expected_with("a mapping", node, Some("write each input with its default: `tone: friendly`"));
        return None;
    };
    Some(entries.iter().map(|entry| input(entry, reader)).collect())
}

fn input(entry: &Entry, reader: &mut Reader<'_>) -> InputSpec {
    names::check(&entry.key, Named::Value, reader);
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
        is_unsure: false,
    };
    match &entry.value.value {
        // `topic:` alone declares an input that has to be given.
        Value::Null => {}
        Value::Broken => spec.is_unsure = true,
        Value::Mapping(_) => long(&mut spec, &entry.value, reader),
        _ => {
            spec.default = default(&entry.value, reader);
            spec.is_unsure = spec.default.is_none();
        }
    }
    spec
}

fn long(spec: &mut InputSpec, node: &Node, reader: &mut Reader<'_>) {
    let Some(mut fields) = Fields::open(node, INPUT, reader) else { return };
    spec.description = fields.read("description", reader, text);
    spec.min = fields.read_at("min", reader, number(f64::NEG_INFINITY..=f64::INFINITY));
    spec.max = fields.read_at("max", reader, number(f64::NEG_INFINITY..=f64::INFINITY));
    spec.pattern = fields.read_at("pattern", reader, pattern);
    let errors = reader.errors();
    spec.kind = fields.read_at("type", reader, kind);
    let options = fields.take("options");
    spec.options = options.and_then(|entry| self::options(&entry.value, reader)).unwrap_or_default();
    // `options` say what the type is.
    if let (None, Some(entry)) = (&spec.kind, options)
        && !fields.has("type")
    {
        spec.kind = Some(At::new(InputKind::Choice, entry.key.place.clone()));
    }
    let written = fields.take("default");
    spec.default = written.and_then(|entry| default(&entry.value, reader));
    spec.items = written.map(|entry| entry.value.places()).unwrap_or_default();
    choose_as_written(spec, reader);
    // A key that is not known was perhaps meant as the default.
    finish(fields, spec, node, reader);
    spec.is_unsure = reader.errors() > errors;
    check_options(spec, options, reader);
    check_limits(spec, reader);
}

/// Reports unknown keys. Where there are no others, a mapping may have been meant as the value.
fn finish(fields: Fields<'_>, spec: &InputSpec, node: &Node, reader: &mut Reader<'_>) {
    let keys = INPUT.all().any(|key| !fields.lacks(key));
    let name = &spec.name.value;
    let written = reader.written(&node.place).to_owned();
    fields.finish_with(reader, |key| {
        let is_first = node.entries().is_some_and(|entries| entries[0].key == *key);
        if keys || written.contains('\n') {
            return None;
        }
        // One hint is enough for all of its keys.
        let help = if is_first {
            format!("if the mapping is the value, write `{name}: {{type: json, default: {written}}}`")
        } else {
            format!("an input has {}", listed(INPUT.all()))
        };
        let message = format!("unknown key `{}`", shortened(&key.value));
        Some(Diagnostic::error("unknown-key", &key.place, message).help(help))
    });
}

/// As with the options: `512` is the choice `512`.
fn choose_as_written(spec: &mut InputSpec, reader: &Reader<'_>) {
    if let Some(At { value: InputDefault::Value(value), place }) = &mut spec.default
        && spec.kind.as_ref().is_some_and(|kind| kind.value == InputKind::Choice)
        && (value.is_number() || value.is_boolean())
    {
        *value = Json::String(reader.written(place).to_owned());
    }
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
    let mut options: Vec<At<String>> = Vec::with_capacity(elements.len());
    for element in elements {
        let Some(option) = option(element, reader) else { continue };
        match options.iter().find(|other| other.value == option.value) {
            Some(first) => reader.push(
                Diagnostic::error("duplicate-option", &option.place, format!("`{}` is written twice", option.value))
                    .also(&first.place, "first written here")
                    .help("take one of them out"),
            ),
            None => options.push(option),
        }
    }
    Some(options)
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
            Diagnostic::error("bad-pattern", &node.place, format!("this is not a valid regular expression: {reason}"))
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
    let (file, text) = reader.read_file(&path.value, &path.place)?;
    Some(At::new(InputDefault::File { path: path.value, file, text }, node.place.clone()))
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
fn check_limits(spec: &mut InputSpec, reader: &mut Reader<'_>) {
    let kind = (!spec.is_unsure).then(|| spec.kind());
    let is_number = |kind| matches!(kind, InputKind::Integer | InputKind::Number);
    let limits =
        [("min", &spec.min), ("max", &spec.max)].into_iter().filter_map(|(key, at)| Some((key, &at.as_ref()?.place)));
    let patterns = spec.pattern.iter().map(|pattern| ("pattern", &pattern.place));
    let wrong: Vec<(&str, &Place, &str)> = limits
        .filter(|_| kind.is_some_and(|kind| !is_number(kind)))
        .map(|(key, place)| (key, place, "it is for `type: integer` and `type: number`"))
        .chain(
            patterns
                .filter(|_| kind.is_some_and(|kind| kind != InputKind::String))
                .map(|(key, place)| (key, place, "it is for `type: string`")),
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
        // Every value is beyond one of them: that would only repeat it.
        (spec.min, spec.max) = (None, None);
    }
}
