//! `fallback`: who else is asked.

use super::fields::{Fields, Keys};
use super::node::{Node, Value};
use super::reader::Reader;
use super::templates::text;
use crate::diag::Diagnostic;
use crate::model::{At, Place};

/// Somebody to fall back on; at least one of the two is named.
#[derive(Debug, Clone)]
pub struct FallbackSpec {
    /// Where all of it stands.
    pub place: Place,
    /// `provider`; without it, the stage's own.
    pub provider: Option<At<String>>,
    /// `model`; without it, what the provider takes when none is named.
    pub model: Option<At<String>>,
}

pub(super) const FALLBACK: Keys = Keys { owner: "`fallback`", own: &["provider", "model"], settings: &[] };

const EXAMPLE: &str = "write `fallback: [{provider: openai, model: gpt-5-mini}]`";

/// A list of `{provider, model}`, or one of them.
pub(super) fn fallback(node: &Node, reader: &mut Reader<'_>) -> Option<Vec<FallbackSpec>> {
    match &node.value {
        Value::List(elements) if elements.is_empty() => {
            reader.expected_with("a list of providers", node, Some(EXAMPLE));
            None
        }
        Value::List(elements) => Some(elements.iter().filter_map(|element| one(element, reader)).collect()),
        _ => one(node, reader).map(|one| vec![one]),
    }
}

fn one(node: &Node, reader: &mut Reader<'_>) -> Option<FallbackSpec> {
    if node.entries().is_none() {
        reader.expected_with("a mapping", node, Some(EXAMPLE));
        return None;
    }
    let mut fields = Fields::open(node, FALLBACK, reader)?;
    let lacks_both = fields.lacks("provider") && fields.lacks("model");
    let is_written = fields.has("provider") || fields.has("model");
    let provider = fields.read_at("provider", reader, text);
    let model = fields.read_at("model", reader, text);
    let place = fields.place().clone();
    fields.finish(reader);
    if lacks_both {
        let message = "this names nobody to fall back on";
        reader.push(Diagnostic::error("missing-key", &place, message).help(EXAMPLE));
    }
    // What could not be read is told already.
    (is_written && (provider.is_some() || model.is_some())).then_some(FallbackSpec { place, provider, model })
}
