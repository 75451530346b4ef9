//! What every reader of nouns has at hand: the folder, the texts, and a place for what is wrong.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::node::{Node, Value};
use super::source::read_named;
use super::syntax::quoted;
use super::text_map::TextMap;
use crate::diag::{Diagnostic, Diagnostics, Severity, SourceFiles, listed, meant, shortened};
use crate::model::{FileId, Place};

pub(super) struct Reader<'f> {
    folder: &'f Path,
    files: &'f mut SourceFiles,
    found: Diagnostics,
    errors: usize,
    /// Files that were read already: a prompt that three stages name is one.
    known: HashMap<PathBuf, FileId>,
    /// What the folder is called in messages, where that is not its path.
    called: Option<&'f str>,
}

impl<'f> Reader<'f> {
    pub(super) fn new(folder: &'f Path, files: &'f mut SourceFiles, found: Diagnostics) -> Self {
        Self { folder, files, found, errors: 0, known: HashMap::new(), called: None }
    }

    /// Files of the folder are shown as if it were called so.
    pub(super) fn with_folder_called(self, name: Option<&'f str>) -> Self {
        Self { called: name, ..self }
    }

    pub(super) fn into_found(self) -> Diagnostics {
        self.found
    }

    pub(super) fn folder(&self) -> &'f Path {
        self.folder
    }

    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        self.errors += usize::from(diagnostic.severity == Severity::Error);
        self.found.push(diagnostic);
    }

    /// How many errors have been told so far.
    pub(super) fn errors(&self) -> usize {
        self.errors
    }

    pub(super) fn found(&mut self) -> &mut Diagnostics {
        &mut self.found
    }

    /// The whole text of a file.
    pub(super) fn source(&self, file: FileId) -> &Arc<str> {
        self.files.get(file).text()
    }

    /// What is written at `place`.
    pub(super) fn written(&self, place: &Place) -> &str {
        self.files.slice(place)
    }

    /// Where `place` begins, in words: `show.yaml:7:14`.
    pub(super) fn in_words(&self, place: &Place) -> String {
        let (line, column) = self.files.line_column(place);
        format!("{}:{line}:{column}", self.files.get(place.file).name())
    }

    /// Never shows a node again, nor any diagnostic about it: it is a secret.
    pub(super) fn conceal(&mut self, place: &Place) {
        self.files.conceal(place);
    }

    /// The file that `node` names, relative to the pipeline's folder, and its text.
    pub(super) fn read_file(&mut self, path: &str, place: &Place) -> Option<(FileId, Arc<str>)> {
        let path = self.folder.join(path);
        let path = path.strip_prefix(".").map_or_else(|_| path.clone(), Path::to_owned);
        if let Some(id) = self.known.get(&path) {
            return Some((*id, Arc::clone(self.source(*id))));
        }
        match read_named(&path) {
            Ok(text) => {
                let within = path.strip_prefix(self.folder).ok().zip(self.called);
                let shown = within.map_or_else(|| path.clone(), |(inner, called)| Path::new(called).join(inner));
                let id = self.files.add(shown.display().to_string(), text);
                self.known.insert(path, id);
                Some((id, Arc::clone(self.source(id))))
            }
            Err(error) => {
                let diagnostic = error.diagnostic(Some(place), self.files);
                self.push(diagnostic);
                None
            }
        }
    }

    /// The value is not what belongs here: `a whole number`.
    pub(super) fn expected(&mut self, what: &str, node: &Node) {
        self.expected_with(what, node, None);
    }

    /// The same, with something to try.
    pub(super) fn expected_with(&mut self, what: &str, node: &Node, help: Option<&str>) {
        if node.is_broken() || self.refuse_template(node) {
            return;
        }
        let found = self.describe(node);
        let message = format!("expected {what}, found {found}");
        let diagnostic = match &node.alias {
            Some(alias) => Diagnostic::error("wrong-type", alias, message).also(&node.place, "this is what it names"),
            None => Diagnostic::error("wrong-type", &node.place, message),
        };
        self.push(diagnostic.help_if(help.map(str::to_owned)));
    }

    /// A text was expected: a number or a truth value only lacks quotes.
    pub(super) fn expected_text(&mut self, node: &Node) {
        let help = match node.value {
            Value::Bool(_) | Value::Number(_) => Some(format!("write {}", quoted(self.written(&node.place)))),
            _ => None,
        };
        self.expected_with("a text", node, help.as_deref());
    }

    /// A number or a truth value was expected: a text in quotes may only have quotes too many.
    pub(super) fn expected_plain(&mut self, what: &str, node: &Node) {
        let help = node
            .as_text()
            .filter(|text| !matches!(super::node::resolve_plain(text), Value::Text(..) | Value::Null))
            .map(|text| format!("write `{text}`, without quotes"));
        self.expected_with(what, node, help.as_deref());
    }

    fn describe(&self, node: &Node) -> String {
        if self.files.is_concealed(&node.place) {
            return "what looks like a key".to_owned();
        }
        match &node.value {
            Value::Null => "nothing".to_owned(),
            Value::Bool(truth) => format!("`{truth}`"),
            Value::Number(_) => format!("the number `{}`", self.written(&node.place)),
            Value::Text(text, _) => format!("the text `{}`", shortened(text)),
            Value::List(elements) if elements.is_empty() => "an empty list".to_owned(),
            Value::List(_) => "a list".to_owned(),
            Value::Mapping(entries) if entries.is_empty() => "an empty mapping".to_owned(),
            Value::Mapping(_) => "a mapping".to_owned(),
            Value::Broken => "something broken".to_owned(),
        }
    }

    /// Reports the first template in `node`, where none is rendered.
    pub(super) fn refuse_template(&mut self, node: &Node) -> bool {
        let Some(template) = node.first_template() else { return false };
        let place = self.template_place(template);
        self.push(
            Diagnostic::error("template-not-allowed", &place, "`{{` is not rendered here").help(
                "templates stand in prompts and messages, `system`, `render`, `value`, `when`, `expect`, `save`, `with`, `outputs`, `on_error: {value: ..}`, \
                 `seed`, `width`, `height`, `max_tokens`, `temperature`, `provider` and `model`",
            ),
        );
        true
    }

    /// Where the first `{{..}}` of a text stands.
    fn template_place(&self, node: &Node) -> Place {
        let Value::Text(text, style) = &node.value else { return node.place.clone() };
        let map = TextMap::scalar(self.source(node.place.file), &node.place, *style, text);
        let start = text.find("{{").unwrap_or_default();
        let end = text[start..].find("}}").map_or(start + 2, |length| start + length + 2);
        map.place(start..end)
    }

    /// A value is none of a closed set of names.
    pub(super) fn unknown_choice(&mut self, what: &str, text: &str, place: &Place, choices: &[&'static str]) {
        let list = listed(choices.iter().copied());
        let help = match meant(text, choices.iter().copied()) {
            Some(meant) => format!("{meant} There are {list}"),
            None => format!("write one of {list}"),
        };
        let message = format!("`{}` is not a {what}", shortened(text));
        self.push(Diagnostic::error("unknown-choice", place, message).help(help));
    }
}
