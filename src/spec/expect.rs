//! `expect`: what an answer must be.

use std::sync::Arc;

use super::node::{Entry, Node, Value};
use super::pipeline::{ExpressionSpec, JsonSpec};
use super::quantities::{amount, count, truth};
use super::reader::Reader;
use super::settings::{Fit, misfit};
use super::templates::{expression, json, text};
use crate::diag::{Diagnostic, did_you_mean, listed, shortened};
use crate::model::{At, Check, CheckKind, Json, Pattern, Place, StageKindName};

/// One check of `expect`.
#[derive(Debug, Clone)]
pub struct CheckSpec {
    /// Where its key stands.
    pub key: Place,
    /// What it looks at; nothing for `holds`.
    pub kind: Option<CheckKind>,
    /// The same in words, `show.yaml:7:14`, for messages of a run.
    pub at: Arc<str>,
    /// Its value.
    pub value: CheckValue,
}

impl CheckSpec {
    /// Its name in the file.
    pub fn name(&self) -> &'static str {
        self.kind.map_or(HOLDS, CheckKind::name)
    }
}

/// The value of a check.
#[derive(Debug, Clone)]
pub enum CheckValue {
    /// Written out; none where it switches the check off.
    Plain(At<Option<Check>>),
    /// To be rendered.
    Template(At<JsonSpec>),
    /// `holds`: an expression.
    Holds(ExpressionSpec),
}

const HOLDS: &str = "holds";
const EXAMPLE: &str = "write `expect: {max_words: 50}`, or a list of such checks";

/// The names of all checks.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    CheckKind::ALL.into_iter().map(CheckKind::name).chain([HOLDS])
}

/// One mapping of checks, or a list of them.
pub(super) fn expect(node: &Node, reader: &mut Reader<'_>) -> Vec<CheckSpec> {
    let mappings = match &node.value {
        Value::List(elements) => &elements[..],
        _ => std::slice::from_ref(node),
    };
    let mut checks = Vec::new();
    for mapping in mappings {
        match mapping.entries() {
            Some([]) => reader.expected_with("a check", mapping, Some(EXAMPLE)),
            Some(entries) => checks.extend(entries.iter().filter_map(|entry| check(entry, reader))),
            None => reader.expected_with("a mapping", mapping, Some(EXAMPLE)),
        }
    }
    if mappings.is_empty() {
        reader.expected_with("a check", node, Some(EXAMPLE));
    }
    refuse_crossed(&checks, reader);
    checks
}

fn check(entry: &Entry, reader: &mut Reader<'_>) -> Option<CheckSpec> {
    let (name, node) = (entry.key.value.as_str(), &entry.value);
    let key = entry.key.place.clone();
    let at = Arc::from(reader.in_words(&key));
    if name == HOLDS {
        return Some(CheckSpec { key, at, kind: None, value: CheckValue::Holds(expression(node, reader)?) });
    }
    let Some(kind) = CheckKind::ALL.into_iter().find(|kind| kind.name() == name) else {
        let help = match did_you_mean(name, names()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("there are {}", listed(names())),
        };
        let message = format!("unknown check `{}`", shortened(name));
        reader.push(Diagnostic::error("unknown-key", &key, message).help(help));
        return None;
    };
    let value = if node.first_template().is_some() {
        CheckValue::Template(At::new(json(node, reader)?, node.place.clone()))
    } else {
        // What could be read so far makes a check.
        let check = kind.read(&plain(kind, node, reader)?).ok()?;
        CheckValue::Plain(At::new(check, node.place.clone()))
    };
    Some(CheckSpec { key, at, kind: Some(kind), value })
}

/// A value that is written out.
fn plain(kind: CheckKind, node: &Node, reader: &mut Reader<'_>) -> Option<Json> {
    Some(match kind {
        CheckKind::Contains | CheckKind::NotContains => Json::from(text(node, reader)?),
        CheckKind::Matches => {
            let pattern = text(node, reader)?;
            if let Err(why) = Pattern::new(&pattern) {
                let message = format!("`{}` is not a regular expression: {why}", shortened(&pattern));
                let help = "write a `\\` before a sign that stands for itself, in single quotes: `matches: '\\(.+\\)'`";
                reader.push(Diagnostic::error("bad-pattern", &node.place, message).help(help));
                return None;
            }
            Json::from(pattern)
        }
        CheckKind::MinChars | CheckKind::MaxChars | CheckKind::MinWords | CheckKind::MaxWords => {
            Json::from(count(1)(node, reader)?)
        }
        CheckKind::MinWidth | CheckKind::MinHeight => Json::from(count(1)(node, reader)?),
        CheckKind::MaxBytes => Json::from(amount(node, reader)?),
        CheckKind::OneOf => Json::from(choices(node, reader)?),
        CheckKind::NotBlank => Json::from(truth(node, reader)?),
    })
}

fn choices(node: &Node, reader: &mut Reader<'_>) -> Option<Vec<String>> {
    let Some(elements) = node.elements().filter(|elements| !elements.is_empty()) else {
        reader.expected_with("a list of texts", node, Some("write `one_of: [bug, question, praise]`"));
        return None;
    };
    let choices: Vec<Option<String>> = elements
        .iter()
        .map(|element| match &element.value {
            Value::Bool(_) | Value::Number(_) => Some(reader.written(&element.place).to_owned()),
            _ => text(element, reader),
        })
        .collect();
    choices.into_iter().collect()
}

/// No answer has at least ten words and at most five.
fn refuse_crossed(checks: &[CheckSpec], reader: &mut Reader<'_>) {
    let written = |of: fn(&Check) -> Option<u64>| {
        let plain = |check: &CheckSpec| match &check.value {
            CheckValue::Plain(At { value: Some(check), place }) => Some((of(check)?, place.clone())),
            _ => None,
        };
        checks.iter().filter_map(plain).collect::<Vec<(u64, Place)>>()
    };
    let chars = (
        written(|check| if let Check::MinChars(count) = check { Some(*count) } else { None }),
        written(|check| if let Check::MaxChars(count) = check { Some(*count) } else { None }),
        "characters",
    );
    let words = (
        written(|check| if let Check::MinWords(count) = check { Some(*count) } else { None }),
        written(|check| if let Check::MaxWords(count) = check { Some(*count) } else { None }),
        "words",
    );
    for (least, most, what) in [chars, words] {
        let least = least.into_iter().max_by_key(|(count, _)| *count);
        let most = most.into_iter().min_by_key(|(count, _)| *count);
        if let (Some((least, at)), Some((most, other))) = (least, most)
            && least > most
        {
            let message = format!("no answer has at least {least} and at most {most} {what}");
            reader.push(
                Diagnostic::error("out-of-range", &at, message)
                    .also(&other, "the most stands here")
                    .help("write a least that is no greater than the most"),
            );
        }
    }
}

/// Reports checks that mean nothing for `kind`, which is named at `place`.
pub(super) fn check_fit(checks: &[CheckSpec], kind: StageKindName, place: &Place, reader: &mut Reader<'_>) {
    for CheckSpec { key, kind: check, .. } in checks {
        let Some(check) = check.filter(|check| !check.fits(kind)) else { continue };
        let fit = if check.is_of_pictures() { Fit::Images } else { Fit::Texts };
        reader.push(misfit(check.name(), key, fit, (kind, place)));
    }
}
