//! A mapping while it is being read: duplicate keys, `<<`, and braces that were meant as a template.

use std::collections::HashMap;

use super::node::{Entry, Node, Style, Value};
use super::syntax::unquoted_template;
use crate::diag::Diagnostic;
use crate::model::{At, Place};

#[derive(Debug, Default)]
pub(super) struct OpenMapping {
    entries: Vec<Entry>,
    index: HashMap<String, usize>,
    /// The key whose value comes next.
    key: Option<Key>,
    /// What `<<` names.
    merged: Vec<Node>,
    /// It begins with `{{`.
    is_braced: bool,
}

#[derive(Debug)]
enum Key {
    Text(At<String>),
    Merge,
    /// Reported, or soon to be; its value is dropped.
    Broken,
}

impl OpenMapping {
    /// A mapping that begins at the byte `start` of `text`.
    pub(super) fn new(text: &str, start: usize) -> Self {
        Self { is_braced: text[start..].starts_with("{{"), ..Self::default() }
    }

    /// Takes a key and a value in turn. `text` is the whole file.
    pub(super) fn add(&mut self, node: Node, text: &str, found: &mut Vec<Diagnostic>) {
        match self.key.take() {
            None => self.key = Some(self.key(node, text, found)),
            Some(Key::Merge) => self.merged.push(node),
            Some(Key::Broken) => {}
            Some(Key::Text(key)) => match self.index.get(&key.value) {
                Some(first) => {
                    let message = format!("`{}` is written twice", key.value);
                    found.push(
                        Diagnostic::error("duplicate-key", &key.place, message)
                            .also(&self.entries[*first].key.place, "first written here")
                            .help("take one of them out"),
                    );
                }
                None => self.insert(Entry { key, value: node }),
            },
        }
    }

    fn key(&self, node: Node, text: &str, found: &mut Vec<Diagnostic>) -> Key {
        match node.value {
            Value::Text(key, Style::Plain) if &*key == "<<" => Key::Merge,
            Value::Text(key, _) => Key::Text(At::new(key.to_string(), node.place)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {
                let written = text[node.place.span.clone()].to_owned();
                Key::Text(At::new(written, node.place))
            }
            Value::List(_) | Value::Mapping(_) if !self.is_braced => {
                found.push(
                    Diagnostic::error("key-is-no-text", &node.place, "a key is a text, not a list or a mapping")
                        .help("quote the key"),
                );
                Key::Broken
            }
            Value::List(_) | Value::Mapping(_) | Value::Broken => Key::Broken,
        }
    }

    fn insert(&mut self, entry: Entry) {
        self.index.insert(entry.key.value.clone(), self.entries.len());
        self.entries.push(entry);
    }

    /// The mapping, which stands at `place` of `text`.
    pub(super) fn finish(mut self, text: &str, place: &Place, found: &mut Vec<Diagnostic>) -> Value {
        if self.is_braced && self.entries.is_empty() {
            // Of three braces the outermost pair speaks.
            if !text[..place.span.start].ends_with('{') {
                found.push(unquoted_template(text, place));
            }
            return Value::Broken;
        }
        for source in std::mem::take(&mut self.merged) {
            self.merge(&source, found);
        }
        Value::Mapping(self.entries.into())
    }

    /// Takes over the entries of `source` whose keys are not there yet: a key that is written goes before.
    fn merge(&mut self, source: &Node, found: &mut Vec<Diagnostic>) {
        match &source.value {
            Value::Mapping(entries) => {
                for entry in entries.iter() {
                    if !self.index.contains_key(&entry.key.value) {
                        self.insert(entry.clone());
                    }
                }
            }
            Value::List(sources) if sources.iter().all(|one| one.entries().is_some()) => {
                for one in sources.iter() {
                    self.merge(one, found);
                }
            }
            Value::Broken => {}
            _ => found.push(
                Diagnostic::error(
                    "merge-without-mapping",
                    source.alias.as_ref().unwrap_or(&source.place),
                    "`<<` takes over the keys of a mapping, and this is not one",
                )
                .help("write `<<: *name`, where `&name` stands before a mapping"),
            ),
        }
    }
}
