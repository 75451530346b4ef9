//! A YAML file as a tree of values, each with its place: what every reader of this room reads from.

use std::sync::Arc;

use serde_json::Number;

use crate::model::{At, Json, JsonMap, Place};

/// A value of the file. Cloning is cheap, so aliases share what they name.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) value: Value,
    /// Where it is written: quotes included, of a block text the lines of the text.
    pub(super) place: Place,
    /// Where the alias (`*name`) stands through which it is here.
    pub(super) alias: Option<Place>,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(Number),
    Text(Arc<str>, Style),
    List(Arc<[Node]>),
    Mapping(Arc<[Entry]>),
    /// Something that was wrong and has been reported; nobody speaks of it again.
    Broken,
}

/// A key and its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: At<String>,
    pub(super) value: Node,
}

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    /// `|` and `>`.
    Block,
}

impl Node {
    /// The text, if it is one.
    pub(super) fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text, _) => Some(text),
            _ => None,
        }
    }

    /// The entries, if it is a mapping.
    pub(super) fn entries(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// Where each element stands, if it is a list.
    pub(super) fn places(&self) -> Vec<Place> {
        self.elements().unwrap_or_default().iter().map(|element| element.place.clone()).collect()
    }

    /// The elements, if it is a list.
    pub(super) fn elements(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(elements) => Some(elements),
            _ => None,
        }
    }

    pub(super) fn is_broken(&self) -> bool {
        matches!(self.value, Value::Broken)
    }

    /// Whether this is a mapping with just the key `file`, or something that was meant to be.
    pub(super) fn names_file(&self) -> bool {
        self.entries().is_some_and(|entries| entries.iter().any(|entry| entry.key.value == "file"))
    }

    /// The same as JSON. What is broken is null: whoever asks has an error already.
    pub(super) fn to_json(&self) -> Json {
        match &self.value {
            Value::Null | Value::Broken => Json::Null,
            Value::Bool(truth) => Json::Bool(*truth),
            Value::Number(number) => Json::Number(number.clone()),
            Value::Text(text, _) => Json::String(text.to_string()),
            Value::List(elements) => Json::Array(elements.iter().map(Self::to_json).collect()),
            Value::Mapping(entries) => Json::Object(to_json_map(entries)),
        }
    }

    /// The first text in it that has `{{` in it.
    pub(super) fn first_template(&self) -> Option<&Self> {
        match &self.value {
            Value::Text(text, _) => text.contains("{{").then_some(self),
            Value::List(elements) => elements.iter().find_map(Self::first_template),
            Value::Mapping(entries) => entries.iter().find_map(|entry| entry.value.first_template()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Broken => None,
        }
    }
}

pub(super) fn to_json_map(entries: &[Entry]) -> JsonMap {
    entries.iter().map(|entry| (entry.key.value.clone(), entry.value.to_json())).collect()
}

/// What a plain scalar is by the core schema of YAML 1.2: `no`, `on` and `yes` are texts. So are numbers of more
/// digits than JSON holds, and numbers that JSON lacks (`.inf`, `.nan`).
pub(super) fn resolve_plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    match number(text) {
        Some(number) => Value::Number(number),
        None => Value::Text(Arc::from(text), Style::Plain),
    }
}

fn number(text: &str) -> Option<Number> {
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    if unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        let plain = text.strip_prefix('+').unwrap_or(text);
        return plain.parse::<i64>().map(Number::from).ok().or_else(|| plain.parse::<u64>().map(Number::from).ok());
    }
    let is_float = unsigned.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte))
        && unsigned.bytes().any(|byte| byte.is_ascii_digit());
    is_float.then(|| text.parse::<f64>().ok()).flatten().and_then(Number::from_f64)
}

fn radix(digits: &str, radix: u32) -> Option<Number> {
    // `from_str_radix` would take a sign.
    let all = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    all.then(|| u64::from_str_radix(digits, radix).ok()).flatten().map(Number::from)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::FileId;

    fn json_of(text: &str) -> Json {
        Node { value: resolve_plain(text), place: Place::new(FileId(0), 0..0), alias: None }.to_json()
    }

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        for (text, value) in [
            ("~", json!(null)),
            ("true", json!(true)),
            ("FALSE", json!(false)),
            ("12", json!(12)),
            ("-3", json!(-3)),
            ("+3", json!(3)),
            ("0", json!(0)),
            ("0.5", json!(0.5)),
            (".5", json!(0.5)),
            ("1e3", json!(1000.0)),
            ("0x1F", json!(31)),
            ("0o17", json!(15)),
            ("010", json!(10)),
            ("-012", json!(-12)),
            ("00", json!(0)),
            ("01.5", json!(1.5)),
            ("18446744073709551615", json!(u64::MAX)),
        ] {
            assert_eq!(json_of(text), value, "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_a_number_stays_text() {
        for text in [
            "no",
            "on",
            "yes",
            "off",
            "y",
            "1_000",
            "1:30",
            "18446744073709551616",
            ".inf",
            "-.inf",
            ".nan",
            "1e999",
            "e5",
            ".",
            "-",
            "+",
            "0x",
            "0x-1",
            "0xg",
            "1.2.3",
            "2026-01-01",
            "5%",
            "infinity",
            "nan",
        ] {
            assert_eq!(json_of(text), json!(text), "{text}");
        }
    }
}
