//! What an answer must be: a text, any JSON, or JSON that fits a schema.

use std::fmt;
use std::sync::Arc;

use super::Json;

/// Whether an answer is text as it comes or must be JSON. Not part of a call's key. Clones are cheap.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Choice {
    /// Text as it comes.
    #[default]
    Text,
    /// Any JSON value.
    Json,
    /// JSON that fits this.
    Schema(Arc<AnswerSchema>),
}

impl Choice {
    /// Whether it must be JSON.
    pub fn is_json(&self) -> bool {
        !matches!(self, Self::Text)
    }

    /// What it must fit, where that is said.
    pub fn schema(&self) -> Option<&AnswerSchema> {
        match self {
            Self::Schema(schema) => Some(schema),
            Self::Text | Self::Json => None,
        }
    }

    /// The most that a provider adds to a request to ask for it, in bytes.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Text => 0,
            Self::Json => ASKING,
            Self::Schema(schema) => ASKING.saturating_add(schema.length),
        }
    }
}

/// The words and names around a schema, and those that ask for any JSON, in bytes.
const ASKING: u64 = 256;

/// The field under which a value is sent that is no mapping, since services want a mapping at the top.
const WRAP: &str = "items";

/// What an answer in JSON must fit.
#[derive(Debug)]
pub struct AnswerSchema {
    written: Json,
    sent: Json,
    is_wrapped: bool,
    is_strict: bool,
    /// Of what is sent, in bytes.
    length: u64,
    rules: Box<dyn Rules>,
}

/// What tells whether a value fits; made once for a schema.
pub trait Rules: Send + Sync + fmt::Debug {
    /// What of a value does not fit; nothing if it does.
    fn misfits(&self, value: &Json) -> Vec<Misfit>;
}

/// One thing in a value that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// Where, as a JSON pointer (RFC 6901): `/authors/0/name`.
    pub pointer: String,
    /// What is wrong, in words that name the place: ``"`kind` is \"bgu\", and must be one of \"bug\", \"feature\""``.
    pub words: String,
    /// Whether it depends on values that lie deeper than the place.
    pub is_deep: bool,
}

impl AnswerSchema {
    /// A schema as it is judged by, as it is sent, and what judges by it. `strict` says that what is sent keeps to the part
    /// of JSON Schema that services can hold a model to.
    pub fn new(written: Json, sent: Json, is_strict: bool, rules: Box<dyn Rules>) -> Self {
        let length = sent.to_string().len() as u64;
        Self { written, sent, is_wrapped: false, is_strict, length, rules }
    }

    /// The same, where `sent` has the value in a mapping.
    #[must_use]
    pub fn wrapped(self) -> Self {
        Self { is_wrapped: true, ..self }
    }

    /// The field in which a value that is no mapping is sent.
    pub const fn wrap() -> &'static str {
        WRAP
    }

    /// What a value must fit once it has been taken out of its wrap: JSON Schema.
    pub fn written(&self) -> &Json {
        &self.written
    }

    /// What a service is told: a schema of a mapping.
    pub fn sent(&self) -> &Json {
        &self.sent
    }

    /// Whether a service may be asked to hold its model to it.
    pub fn is_strict(&self) -> bool {
        self.is_strict
    }

    /// The value of an answer: of one that was asked for in a mapping, what is in there. A model that leaves the mapping
    /// out has said the same.
    pub fn unwrap(&self, answer: Json) -> Json {
        match answer {
            Json::Object(mut fields) if self.is_wrapped && fields.len() == 1 => match fields.shift_remove(WRAP) {
                Some(value) => value,
                None => Json::Object(fields),
            },
            other => other,
        }
    }

    /// An answer with this value, as it is asked for.
    pub fn answer(&self, value: Json) -> Json {
        if self.is_wrapped { serde_json::json!({WRAP: value}) } else { value }
    }

    /// What of a value does not fit; nothing if it does.
    pub fn misfits(&self, value: &Json) -> Vec<Misfit> {
        self.rules.misfits(value)
    }
}

/// The part of a schema that a `$ref` to a place in it leads to: `#`, `#/$defs/author`.
pub fn referred<'s>(root: &'s Json, target: &str) -> Option<&'s Json> {
    let fragment = target.strip_prefix('#')?;
    // A fragment of an address may have its letters encoded: `#/$defs/a%20b`.
    let pointer = percent_encoding::percent_decode_str(fragment).decode_utf8().ok()?;
    root.pointer(&pointer)
}

/// Two are the same where they ask for the same.
impl PartialEq for AnswerSchema {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written && self.sent == other.sent
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug)]
    struct Anything;

    impl Rules for Anything {
        fn misfits(&self, _value: &Json) -> Vec<Misfit> {
            Vec::new()
        }
    }

    #[test]
    fn a_wrap_is_taken_off_and_nothing_else() {
        let plain = AnswerSchema::new(json!({}), json!({}), false, Box::new(Anything));
        assert_eq!(plain.unwrap(json!({"items": [1]})), json!({"items": [1]}));
        assert_eq!(plain.answer(json!([1])), json!([1]));
        let wrapped = plain.wrapped();
        assert_eq!(wrapped.unwrap(wrapped.answer(json!([1]))), json!([1]));
        for kept in [json!([1]), json!({"items": [1], "more": 2}), json!({"list": [1]})] {
            assert_eq!(wrapped.unwrap(kept.clone()), kept);
        }
    }

    #[test]
    fn what_is_asked_with_counts() {
        let long = json!({"type": "object", "description": "x".repeat(1000)});
        let schema = AnswerSchema::new(long.clone(), long, false, Box::new(Anything));
        assert!(Choice::Schema(Arc::new(schema)).bytes() > 1000 && Choice::Json.bytes() > 0);
        assert_eq!(Choice::Text.bytes(), 0);
    }
}
