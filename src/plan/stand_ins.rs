//! What stands in for an answer that has failed must fit what the answer would have had to.

use crate::diag::Diagnostic;
use crate::model::{AnswerSchema, Json, JsonMap, Place};

use super::binder::Binder;
use super::work::JsonTemplate;

/// Tells what of a stand-in can't fit, whatever its templates come to.
pub(super) fn check(schema: &AnswerSchema, value: &JsonTemplate, stage: &str, place: &Place, binder: &mut Binder<'_>) {
    let mut unknown = Vec::new();
    let value = known(value, String::new(), &mut unknown);
    let misfit = schema.misfits(&value).into_iter().find(|misfit| {
        unknown.iter().all(|template| {
            let is_around = is_within(template, &misfit.pointer);
            !(is_within(&misfit.pointer, template) || is_around && misfit.is_deep)
        })
    });
    let Some(misfit) = misfit else { return };
    let words = misfit.words.replace("the answer", "the value");
    let message = format!("this can't stand in for the answer of `{stage}`: {words}");
    let help = "write a value that fits what the stage asks for";
    binder.diagnostics().push(Diagnostic::error("wrong-type", place, message).help(help));
}

/// Whether a place lies in another, or is it.
fn is_within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The value with a text in the place of each template, and where those are.
fn known(value: &JsonTemplate, pointer: String, unknown: &mut Vec<String>) -> Json {
    match value {
        JsonTemplate::Plain(value) => value.clone(),
        JsonTemplate::Template(_) => {
            unknown.push(pointer);
            Json::from("..")
        }
        JsonTemplate::List(items) => {
            (0..).zip(items).map(|(at, item): (usize, _)| known(item, format!("{pointer}/{at}"), unknown)).collect()
        }
        JsonTemplate::Mapping(fields) => {
            let mut object = JsonMap::new();
            for (name, field) in fields {
                let below = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
                object.insert(name.clone(), known(field, below, unknown));
            }
            Json::Object(object)
        }
    }
}
