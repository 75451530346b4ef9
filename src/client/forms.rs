//! How far each model of a service goes in asking for JSON, as far as its refusals have shown.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::model::{Call, EventKind, Failure, FailureKind};
use crate::provider::Form;

/// A model, and a stage where its schema alone was refused.
type Asker = (Option<String>, Option<String>);

/// What has been refused, by model, and by stage where it was the stage's schema.
#[derive(Debug, Default)]
pub(super) struct Forms {
    known: Mutex<HashMap<Asker, Form>>,
}

impl Forms {
    /// The form in which the answer of a call is asked for.
    pub(super) fn of(&self, call: &Call) -> Form {
        if !call.answer.is_json() {
            return Form::default();
        }
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |stage: Option<&str>| known.get(&(call.model.clone(), stage.map(str::to_owned))).copied();
        // What says least goes before.
        let forms = [of(None), of(Some(&call.stage))].into_iter().flatten();
        forms.max_by_key(|form| *form as u8).unwrap_or_default()
    }

    /// Remembers a refusal of what was asked for in this form, and says what is new by it: of those that were on the wire
    /// together one is.
    pub(super) fn note(&self, call: &Call, form: Form, service: &str, failure: &Failure) -> Option<EventKind> {
        if failure.kind != FailureKind::FormRefused {
            return None;
        }
        let said = failure.message.to_lowercase();
        let is_of_schema =
            ["invalid schema", "invalid_json_schema", "schema conversion"].iter().any(|s| said.contains(s));
        let next = match form.named(call)? {
            Form::Schema if said.contains("schema") || said.contains("json_object") => Form::Object,
            _ => Form::Words,
        };
        let stage = is_of_schema.then(|| call.stage.to_string());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = known.entry((call.model.clone(), stage)).or_default();
        if *entry as u8 >= next as u8 {
            return None;
        }
        *entry = next;
        let whose = match (&call.model, is_of_schema) {
            (_, true) => format!("`{service}` does not take the schema of `{}`", call.stage),
            (Some(model), false) => format!("`{service}` does not take this form of `response_format` with `{model}`"),
            (None, false) => format!("`{service}` does not take this form of `response_format`"),
        };
        let message = format!("{whose}, so JSON is asked for in words from now on ({})", failure.message);
        Some(EventKind::Warning { message })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Choice, Message, ProviderIdentity, ProviderKind, Request, TextParams};

    fn call(stage: &str, model: &str) -> Call {
        let messages = vec![Message::user("Hi")];
        Call {
            stage: stage.into(),
            provider: ProviderIdentity { kind: ProviderKind::Openai, address: "a".into() },
            model: Some(model.to_owned()),
            request: Request::Text { messages, params: TextParams::default() },
            repeat: vec![],
            answer: Choice::Json,
        }
    }

    #[test]
    fn a_refusal_is_remembered_for_its_model_and_told_once() {
        let forms = Forms::default();
        let refusal = Failure::new(FailureKind::FormRefused, "`p` answers 400: unknown field `response_format`");
        let (one, other) = (call("a", "m"), call("b", "m"));
        assert!(forms.note(&one, Form::Schema, "p", &Failure::new(FailureKind::BadRequest, "no")).is_none());
        assert_eq!(forms.of(&other), Form::Schema);
        assert!(forms.note(&one, Form::Schema, "p", &refusal).is_some());
        assert!(forms.note(&other, Form::Schema, "p", &refusal).is_none(), "it was on the wire already");
        assert_eq!((forms.of(&other), forms.of(&call("a", "n"))), (Form::Words, Form::Schema));
        assert_eq!(forms.of(&Call { answer: Choice::Text, ..other }), Form::Schema);
    }

    #[test]
    fn a_schema_that_is_refused_is_that_of_one_stage() {
        let forms = Forms::default();
        let refusal = Failure::new(FailureKind::FormRefused, "`p` answers 400: Invalid schema for response_format 'a'");
        assert!(forms.note(&call("a", "m"), Form::Schema, "p", &refusal).is_some());
        assert_eq!((forms.of(&call("a", "m")), forms.of(&call("b", "m"))), (Form::Words, Form::Schema));
    }
}
