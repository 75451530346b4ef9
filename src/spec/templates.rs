//! Texts: those that are rendered, with the map that leads back to the file, and those that are not.

use std::sync::Arc;

use super::fields::{Fields, Keys};
use super::node::{Node, Value};
use super::pipeline::{ExpressionSpec, JsonSpec, Maybe, TextSpec};
use super::reader::Reader;
use super::text_map::TextMap;
use crate::diag::Diagnostic;
use crate::model::{At, Place};

const FILE: Keys = Keys { owner: "a text from a file", own: &["file"], settings: &[] };

/// A text without a template, which says something.
pub(super) fn text(node: &Node, reader: &mut Reader<'_>) -> Option<String> {
    let Value::Text(text, _) = &node.value else {
        reader.expected_text(node);
        return None;
    };
    if reader.refuse_template(node) {
        return None;
    }
    if text.trim().is_empty() {
        reader.push(empty(&node.place));
        return None;
    }
    Some(text.to_string())
}

fn empty(place: &Place) -> Diagnostic {
    Diagnostic::error("empty-text", place, "this text is empty").help("write it, or take the key out")
}

/// A text that is rendered.
pub(super) fn template(node: &Node, reader: &mut Reader<'_>) -> Option<TextSpec> {
    let Value::Text(text, style) = &node.value else {
        reader.expected_text(node);
        return None;
    };
    if text.trim().is_empty() {
        reader.push(empty(&node.place));
        return None;
    }
    let map = TextMap::scalar(reader.source(node.place.file), &node.place, *style, text);
    Some(TextSpec { text: Arc::clone(text), map })
}

/// A text that is rendered, or `{file: PATH}`, whose text is.
pub(super) fn template_or_file(node: &Node, reader: &mut Reader<'_>) -> Option<TextSpec> {
    if node.entries().is_none() {
        return template(node, reader);
    }
    if !node.names_file() {
        reader.expected_with("a text", node, Some("write a text, or `{file: PATH}` for the text of a file"));
        return None;
    }
    let mut fields = Fields::open(node, FILE, reader)?;
    let path = fields.read_at("file", reader, text);
    fields.finish(reader);
    let path = path?;
    let (file, text) = reader.read_file(&path.value, &path.place)?;
    if text.trim().is_empty() {
        reader.push(Diagnostic::error("empty-text", &path.place, "this file is empty").help("write the text into it"));
        return None;
    }
    let map = TextMap::file(file, text.len());
    Some(TextSpec { text, map })
}

/// A template, or else what `plain` reads.
pub(super) fn maybe<T>(
    node: &Node,
    reader: &mut Reader<'_>,
    plain: impl FnOnce(&Node, &mut Reader<'_>) -> Option<T>,
) -> Option<Maybe<T>> {
    if node.as_text().is_some_and(|text| text.contains("{{")) {
        return template(node, reader).map(Maybe::Template);
    }
    plain(node, reader).map(|value| Maybe::Plain(At::new(value, node.place.clone())))
}

/// JSON whose texts may be templates.
pub(super) fn json(node: &Node, reader: &mut Reader<'_>) -> Option<JsonSpec> {
    if node.is_broken() {
        return None;
    }
    if node.first_template().is_none() {
        return Some(JsonSpec::Plain(At::new(node.to_json(), node.place.clone())));
    }
    match &node.value {
        Value::List(elements) => {
            Some(JsonSpec::List(elements.iter().filter_map(|element| json(element, reader)).collect()))
        }
        Value::Mapping(entries) => {
            let fields =
                entries.iter().filter_map(|entry| Some((entry.key.value.clone(), json(&entry.value, reader)?)));
            Some(JsonSpec::Mapping(fields.collect()))
        }
        _ => template(node, reader).map(JsonSpec::Template),
    }
}

/// A condition: `true`, `false`, or an expression with or without braces around it, and nothing beside it.
pub(super) fn expression(node: &Node, reader: &mut Reader<'_>) -> Option<ExpressionSpec> {
    let (text, style) = match &node.value {
        Value::Text(text, style) => (Arc::clone(text), *style),
        Value::Bool(truth) => {
            let map = TextMap::fixed(node.place.clone());
            return Some(ExpressionSpec { text: Arc::from(truth.to_string()), map });
        }
        _ => {
            reader.expected_with("a condition", node, Some("write an expression: `when: eq sort.queue 'bug'`"));
            return None;
        }
    };
    let map = TextMap::scalar(reader.source(node.place.file), &node.place, style, &text);
    let whole = text.trim();
    let inner = whole.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")).unwrap_or(whole);
    if inner.contains("{{") || inner.contains("}}") {
        let start = text.len() - text.trim_start().len();
        reader.push(
            Diagnostic::error("not-an-expression", &map.place(start..start + whole.len()), "a condition is one expression, with nothing beside it")
                .help("write the expression alone (`when: eq sort.queue 'bug'`); join two with `and` or `or`: `and a (not b)`"),
        );
        return None;
    }
    let expression = inner.trim();
    if expression.is_empty() {
        reader.push(
            Diagnostic::error("empty-text", &node.place, "this condition is empty")
                .help("write an expression (`when: eq sort.queue 'bug'`), or take the key out"),
        );
        return None;
    }
    let blank = |text: &str| text.len() - text.trim_start().len();
    let braces = if inner.len() < whole.len() { "{{".len() } else { 0 };
    let start = blank(&text) + braces + blank(inner);
    Some(ExpressionSpec { text: Arc::from(expression), map: map.tail(start) })
}
