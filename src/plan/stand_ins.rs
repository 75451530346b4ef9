//! What a failure means; what stands in for an answer that has failed must fit what the answer would have had to.

use crate::diag::Diagnostic;
use crate::model::{AnswerSchema, At, Choice, Json, JsonMap, OnError, Place, StageKindName};
use crate::spec::{JsonSpec, KindSpec, OnErrorSpec, StageSpec};

use super::binder::{Binder, Site};
use super::pictures;
use super::settings::Settings;
use super::work::{JsonTemplate, OnErrorPlan};

/// What a failure of a stage means.
pub(super) fn on_error(
    spec: &StageSpec,
    settings: &Settings<'_>,
    answer: &Choice,
    binder: &mut Binder<'_>,
) -> OnErrorPlan {
    let Some(written) = settings.get(|s| s.on_error.as_ref()) else {
        return OnErrorPlan::Simply(OnError::Stop);
    };
    match &written.value {
        OnErrorSpec::Stop => OnErrorPlan::Simply(OnError::Stop),
        OnErrorSpec::Continue => OnErrorPlan::Simply(OnError::Continue),
        OnErrorSpec::Value(stand_in) => {
            let value = binder.json(stand_in, Site::Beside);
            let kind = spec.kind.as_ref().map(KindSpec::name);
            if kind.is_some_and(|kind| !fits(kind, kind == StageKindName::Value || answer.is_json(), &value)) {
                let message = format!("this can't stand in for the answer of `{}`", spec.name.value);
                let help = match kind {
                    Some(StageKindName::Image) => {
                        "a picture is a mapping with a `path`: `on_error: {value: {path: none.png}}`"
                    }
                    _ => "write a text, as the answer would be: `on_error: {value: none}`",
                };
                let place = stand_in_place(stand_in).unwrap_or(&written.place);
                binder.diagnostics().push(Diagnostic::error("wrong-type", place, message).help(help));
            } else if kind == Some(StageKindName::Image) {
                check_picture(stand_in, binder);
            } else if let Some(schema) = answer.schema() {
                check(schema, &value, &spec.name.value, &written.place, binder);
            }
            OnErrorPlan::Value(value)
        }
    }
}

/// Whether a value can stand in for an answer of this kind.
fn fits(kind: StageKindName, json: bool, value: &JsonTemplate) -> bool {
    let is_image = kind == StageKindName::Image;
    match value {
        JsonTemplate::Plain(value) if is_image => value.get("path").is_some_and(Json::is_string),
        JsonTemplate::Plain(value) => json || value.is_string(),
        // What comes out of it is looked at when it does.
        JsonTemplate::Template(template) => template.is_whole() || !is_image,
        JsonTemplate::List(_) => json && !is_image,
        JsonTemplate::Mapping(fields) => {
            if is_image {
                fields.iter().any(|(name, _)| name == "path")
            } else {
                json
            }
        }
    }
}

/// What stands in for a picture is there before it is needed, where its path is written out.
fn check_picture(value: &JsonSpec, binder: &mut Binder<'_>) {
    let (path, place) = match value {
        JsonSpec::Plain(At { value, place }) => (value.get("path"), place),
        JsonSpec::Mapping(fields) => match fields.iter().find(|(name, _)| name == "path") {
            Some((_, JsonSpec::Plain(At { value, place }))) => (Some(value), place),
            _ => return,
        },
        JsonSpec::Template(_) | JsonSpec::List(_) => return,
    };
    if let Some(path) = path.and_then(Json::as_str) {
        pictures::check_stand_in(path, place, binder);
    }
}

/// Where a value stands; nothing for a list or a mapping with templates in it.
fn stand_in_place(value: &JsonSpec) -> Option<&Place> {
    match value {
        JsonSpec::Plain(value) => Some(&value.place),
        JsonSpec::Template(_) | JsonSpec::List(_) | JsonSpec::Mapping(_) => None,
    }
}

/// Tells what of a stand-in can't fit, whatever its templates come to.
fn check(schema: &AnswerSchema, value: &JsonTemplate, stage: &str, place: &Place, binder: &mut Binder<'_>) {
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
