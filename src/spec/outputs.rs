//! What leaves a run: `save` of a stage, and `outputs` of the pipeline.

use std::collections::HashMap;
use std::sync::Arc;

use super::fields::{Fields, Keys};
use super::names::{self, Named};
use super::node::{Entry, Node, Value};
use super::pipeline::{JsonSpec, OutputSpec, SaveSpec, StageSpec, TextSpec};
use super::reader::Reader;
use super::templates::{json, template};
use super::text_map::TextMap;
use crate::diag::Diagnostic;
use crate::model::{At, Json, Place};

pub(super) const SAVE: Keys = Keys { owner: "`save`", own: &["path", "row"], settings: &[] };

/// A path, or `{path, row}`.
pub(super) fn save(node: &Node, reader: &mut Reader<'_>) -> Option<SaveSpec> {
    if node.entries().is_none() {
        return template(node, reader).map(|path| SaveSpec { path, row: None });
    }
    let mut fields = Fields::open(node, SAVE, reader)?;
    let lacks_path = fields.lacks("path");
    let path = fields.read("path", reader, template);
    let row = fields.read("row", reader, row);
    let place = fields.place();
    fields.finish(reader);
    if lacks_path {
        reader.push(
            Diagnostic::error("missing-key", place, "`save` has no `path`")
                .help("write `save: {path: rows.jsonl, row: {..}}`"),
        );
    }
    Some(SaveSpec { path: path.unwrap_or_else(|| TextSpec::unread(place)), row })
}

fn row(node: &Node, reader: &mut Reader<'_>) -> Option<Vec<(At<String>, JsonSpec)>> {
    const EXAMPLE: &str = "write `row: {slug: \"{{article.slug}}\"}`";
    let entries = match &node.value {
        Value::Mapping(entries) if !entries.is_empty() => entries,
        // Templates are fine here, in a mapping.
        Value::Text(..) => {
            let message = "`row` is a mapping of columns, not a text";
            reader.push(Diagnostic::error("wrong-type", &node.place, message).help(EXAMPLE));
            return None;
        }
        _ => {
            reader.expected_with("a mapping of columns", node, Some(EXAMPLE));
            return None;
        }
    };
    let columns = entries.iter().filter_map(|entry| Some((entry.key.clone(), json(&entry.value, reader)?)));
    Some(columns.collect())
}

/// `{name: value, ..}`, or `[name, ..]`: those that can be read.
pub(super) fn outputs(node: &Node, stages: &[StageSpec], reader: &mut Reader<'_>) -> Vec<OutputSpec> {
    let outputs: Vec<OutputSpec> = match &node.value {
        Value::Mapping(entries) => entries.iter().filter_map(|entry| output(entry, reader)).collect(),
        Value::List(elements) => elements.iter().filter_map(|element| short(element, reader)).collect(),
        _ => {
            let help = "write `outputs: [report]`, or `outputs: {report: \"{{report}}\"}`";
            reader.expected_with("a mapping or a list", node, Some(help));
            Vec::new()
        }
    };
    refuse_twice(&outputs, reader);
    for output in &outputs {
        warn_of_names(output, stages, reader);
    }
    outputs
}

/// A value that reads like the name of a stage, and is just that text.
fn warn_of_names(output: &OutputSpec, stages: &[StageSpec], reader: &mut Reader<'_>) {
    if let JsonSpec::Plain(At { value: Json::String(text), place }) = &output.value
        && stages.iter().any(|stage| stage.name.value == *text)
    {
        let message = format!("this is the text `{text}`, and not what the stage of that name makes");
        let help = format!("write `{}: \"{{{{{text}}}}}\"`", output.name.value);
        reader.push(Diagnostic::warning("name-as-text", place, message).help(help));
    }
}

fn output(entry: &Entry, reader: &mut Reader<'_>) -> Option<OutputSpec> {
    names::check(&entry.key, Named::Output, reader);
    if matches!(entry.value.value, Value::Null) {
        let name = &entry.key.value;
        reader.push(
            Diagnostic::error("missing-value", &entry.key.place, format!("the output `{name}` has no value"))
                .help(format!("name what it returns: `{name}: \"{{{{report}}}}\"`")),
        );
        return None;
    }
    Some(OutputSpec { name: entry.key.clone(), value: json(&entry.value, reader)? })
}

fn short(node: &Node, reader: &mut Reader<'_>) -> Option<OutputSpec> {
    let Some(text) = node.as_text() else {
        reader.expected_with("the name of a stage", node, Some("write `outputs: {NAME: VALUE}` for anything else"));
        return None;
    };
    if text.contains("{{") {
        reader.push(
            Diagnostic::error("template-not-allowed", &node.place, "a list of outputs holds names, not templates")
                .help("write `outputs: {NAME: \"{{..}}\"}` for values"),
        );
        return None;
    }
    let name = At::new(text.to_owned(), node.place.clone());
    names::check(&name, Named::Output, reader)
        .then(|| OutputSpec { value: template_of(&name.value, &name.place), name })
}

/// `{{name}}`, wherever in it an error is, points to the name.
fn template_of(name: &str, place: &Place) -> JsonSpec {
    let text = Arc::from(format!("{{{{{name}}}}}"));
    JsonSpec::Template(TextSpec { text, map: TextMap::fixed(place.clone()) })
}

/// A mapping has each name once; a list may not.
fn refuse_twice(outputs: &[OutputSpec], reader: &mut Reader<'_>) {
    let mut seen: HashMap<&str, &Place> = HashMap::new();
    for output in outputs {
        let name = output.name.value.as_str();
        if let Some(first) = seen.get(name) {
            reader.push(
                Diagnostic::error("duplicate-key", &output.name.place, format!("`{name}` is written twice"))
                    .also(first, "first written here")
                    .help("take one of them out"),
            );
        } else {
            seen.insert(name, &output.name.place);
        }
    }
}
