//! `for_each`: the loops that a stage runs in.

use super::names::{self, Named, is_name, is_reserved};
use super::node::{Entry, Node, Value};
use super::pipeline::{ForEachSpec, LoopSourceSpec, LoopSpec};
use super::quantities::whole;
use super::reader::Reader;
use crate::diag::{Diagnostic, shortened};
use crate::model::{At, Place};

pub(super) fn for_each(node: &Node, reader: &mut Reader<'_>) -> ForEachSpec {
    loops(node, reader).unwrap_or_else(|| ForEachSpec::Broken(node.place.clone()))
}

fn loops(node: &Node, reader: &mut Reader<'_>) -> Option<ForEachSpec> {
    match &node.value {
        Value::Text(text, _) => join(text, node, reader).map(ForEachSpec::Join),
        Value::Mapping(entries) if entries.is_empty() => {
            reader.push(
                Diagnostic::error("missing-key", &node.place, "`for_each` names no loop")
                    .help("write `for_each: {article: articles}`, or take it out: the stage then runs once"),
            );
            None
        }
        Value::Mapping(entries) => {
            Some(ForEachSpec::Loops(entries.iter().map(|entry| one_loop(entry, reader)).collect()))
        }
        Value::List(_) | Value::Number(_) => {
            let written = shortened(reader.written(&node.place).lines().next().unwrap_or_default());
            let help = format!("give each item a name: `for_each: {{item: {written}}}`");
            reader.expected_with("a loop", node, Some(&help));
            None
        }
        Value::Null | Value::Bool(_) | Value::Broken => {
            reader.expected_with("a loop", node, Some("write `for_each: {article: articles}`"));
            None
        }
    }
}

/// The name of a loop that another stage declares.
fn join(text: &str, node: &Node, reader: &mut Reader<'_>) -> Option<At<String>> {
    if reader.refuse_template(node) {
        return None;
    }
    let name = text.trim();
    if name.contains('.') && path(name).is_some() {
        let item = name.rsplit('.').next().unwrap_or(name).trim_end_matches('s');
        let message = format!("`{}` is a path, and only the name of a loop stands here", shortened(name));
        reader.push(
            Diagnostic::error("not-a-loop", &node.place, message)
                .help(format!("give each item a name: `for_each: {{{item}: {name}}}`")),
        );
        return None;
    }
    let name = At::new(name.to_owned(), node.place.clone());
    names::check(&name, Named::Value, reader).then_some(name)
}

fn one_loop(entry: &Entry, reader: &mut Reader<'_>) -> LoopSpec {
    names::check(&entry.key, Named::Value, reader);
    let source = source(&entry.value, reader).unwrap_or(LoopSourceSpec::Broken);
    let items = entry.value.places();
    LoopSpec { variable: entry.key.clone(), source: At::new(source, entry.value.place.clone()), items }
}

fn source(node: &Node, reader: &mut Reader<'_>) -> Option<LoopSourceSpec> {
    match &node.value {
        Value::List(elements) => {
            if reader.refuse_template(node) {
                return None;
            }
            Some(LoopSourceSpec::List(elements.iter().map(Node::to_json).collect()))
        }
        Value::Number(_) => {
            whole(node, 1..=i64::MAX, reader).and_then(|n| u64::try_from(n).ok()).map(LoopSourceSpec::Count)
        }
        Value::Text(..) if reader.refuse_template(node) => None,
        Value::Text(text, _) => {
            let Some(path) = path(text.trim()) else {
                let message = format!("`{}` is neither a name nor a path", shortened(text));
                reader
                    .push(Diagnostic::error("not-a-list", &node.place, message).help(
                        "name an input or a stage (`articles`, `outline.sections`), or write a list or a number",
                    ));
                return None;
            };
            refuse_reserved(&path[0], &node.place, reader).then_some(LoopSourceSpec::Path(path))
        }
        Value::Null | Value::Bool(_) | Value::Mapping(_) | Value::Broken => {
            let help = "name an input or a stage (`articles`, `outline.sections`), or write a list or a number";
            reader.expected_with("a list", node, Some(help));
            None
        }
    }
}

fn refuse_reserved(root: &str, place: &Place, reader: &mut Reader<'_>) -> bool {
    if is_reserved(root) {
        reader.push(
            Diagnostic::error("not-a-list", place, format!("`{root}` has no list that a stage could run over"))
                .help("name an input, a stage or a loop variable"),
        );
    } else {
        return true;
    }
    false
}

/// `outline.sections` as its parts: a name, then fields.
fn path(text: &str) -> Option<Vec<String>> {
    let parts: Vec<String> = text.split('.').map(str::to_owned).collect();
    let plain = |part: &String| {
        !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control() || "{}[]()\"'`,:#".contains(c))
    };
    (is_name(&parts[0], Named::Value) && parts.iter().all(plain)).then_some(parts)
}
