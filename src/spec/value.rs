//! `value`: JSON whose texts may be templates.

use super::node::{Node, Value};
use super::pipeline::{JsonSpec, TextSpec};
use super::reader::Reader;
use super::templates::json;
use crate::diag::{Diagnostic, shortened};

/// The JSON, if it can be read.
pub(super) fn value(node: &Node, reader: &mut Reader<'_>) -> Option<JsonSpec> {
    if matches!(node.value, Value::Null) {
        let example = "write the JSON: `value: {title: \"{{outline.title}}\"}`, or `value: [1, 2]`";
        reader.push(Diagnostic::error("missing-value", &node.place, "this `value` is nothing").help(example));
        return None;
    }
    refuse_templates_in_keys(node, reader);
    json(node, reader)
}

/// What a mapping has is known when the file is loaded, so that its fields can be checked.
fn refuse_templates_in_keys(node: &Node, reader: &mut Reader<'_>) {
    match &node.value {
        Value::List(elements) => elements.iter().for_each(|element| refuse_templates_in_keys(element, reader)),
        Value::Mapping(entries) => {
            for entry in entries.iter() {
                if entry.key.value.contains("{{") {
                    let message = format!("`{}` is a key, and keys are no templates", shortened(&entry.key.value));
                    let help =
                        "write the name as it is, or make a list of it: `[{name: \"{{..}}\", text: \"{{..}}\"}]`";
                    reader.push(Diagnostic::error("template-not-allowed", &entry.key.place, message).help(help));
                }
                refuse_templates_in_keys(&entry.value, reader);
            }
        }
        _ => {}
    }
}

impl JsonSpec {
    /// The templates in it, in the order of the file.
    pub fn templates(&self) -> Vec<&TextSpec> {
        match self {
            Self::Plain(_) => Vec::new(),
            Self::Template(text) => vec![text],
            Self::List(items) => items.iter().flat_map(Self::templates).collect(),
            Self::Mapping(fields) => fields.iter().flat_map(|(_, value)| value.templates()).collect(),
        }
    }
}
