//! How JSON is asked for: by the service's own means where it has them, in words where it has none.

use serde_json::json;

use crate::model::{AnswerSchema, Call, Choice, Json, Request};

/// What is said where JSON is asked for and no turn says so: `OpenAI` refuses `json_object` unless the word stands in the
/// messages.
const ORDER: &str = "Answer with one JSON value and nothing else.";
/// The longest name of a schema that services take, in letters.
const LONGEST_NAME: usize = 64;

/// How far a service goes in asking for JSON, from what says most to what every service understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// `response_format` with a schema.
    #[default]
    Schema,
    /// `response_format` that asks for any JSON; a schema is put in words.
    Object,
    /// In words alone.
    Words,
}

impl Form {
    /// What of a call's answer is asked for by `response_format`, and not in words; nothing where that is not sent, or where
    /// the file sends its own.
    pub fn named(self, call: &Call) -> Option<Self> {
        let Request::Text { params, .. } = &call.request else { return None };
        if params.extra.contains_key("response_format") {
            return None;
        }
        match (&call.answer, self) {
            (Choice::Text, _) | (_, Self::Words) => None,
            (Choice::Json, Self::Schema | Self::Object) | (Choice::Schema(_), Self::Object) => Some(Self::Object),
            (Choice::Schema(_), Self::Schema) => Some(Self::Schema),
        }
    }
}

/// What a request says of the form of its answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    answer: &'a Choice,
    stage: &'a str,
    form: Form,
}

impl<'a> Wanted<'a> {
    /// What this call wants, asked for in this form.
    pub(super) fn of(call: &'a Call, form: Form) -> Self {
        Self { answer: &call.answer, stage: &call.stage, form }
    }

    /// `response_format`.
    pub(super) fn response_format(self) -> Option<Json> {
        let object = || Some(json!({"type": "json_object"}));
        match (self.answer, self.form) {
            (Choice::Text, _) | (_, Form::Words) => None,
            (Choice::Json, Form::Schema | Form::Object) | (Choice::Schema(_), Form::Object) => object(),
            (Choice::Schema(schema), Form::Schema) => {
                Some(json!({"type": "json_schema", "json_schema": self.named(schema)}))
            }
        }
    }

    /// The sentence that asks for it, if one is needed beside what is said already.
    pub(super) fn order(self, is_said: impl FnOnce() -> bool) -> Option<String> {
        match (self.answer, self.form) {
            (Choice::Text, _) | (Choice::Schema(_), Form::Schema) => None,
            (Choice::Json, _) => (!is_said()).then(|| ORDER.to_owned()),
            (Choice::Schema(schema), Form::Object | Form::Words) => {
                Some(format!("{ORDER} It must fit this JSON Schema:\n{}", schema.sent()))
            }
        }
    }

    fn named(self, schema: &AnswerSchema) -> Json {
        let letter = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
        let name: String = self.stage.chars().map(letter).take(LONGEST_NAME).collect();
        let mut named = json!({"name": name, "schema": schema.sent()});
        if schema.is_strict() {
            named["strict"] = true.into();
        }
        named
    }
}
