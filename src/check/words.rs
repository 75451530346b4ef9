//! What does not fit, in words that a person and a model understand, with the place that they speak of.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};

use super::keywords::escaped;
use crate::model::{Json, Misfit, kind_of};

/// The longest value that is repeated, in characters.
const LONGEST: usize = 60;
/// So many options are listed.
const OPTIONS: usize = 12;
/// Forms that exclude one another are gone into so deep.
const DEPTH: usize = 4;

/// What one error comes to: more than one thing where it has others inside of it.
pub(super) fn words(error: &ValidationError<'_>) -> Vec<Misfit> {
    told(error, "", DEPTH)
}

fn told(error: &ValidationError<'_>, before: &str, depth: usize) -> Vec<Misfit> {
    let pointer = format!("{before}{}", error.instance_path().as_str());
    if let (Kind::AnyOf { context } | Kind::OneOfNotValid { context }, Some(depth)) =
        (error.kind(), depth.checked_sub(1))
        && let Some(nearest) = nearest(context, error.instance_path().as_str())
    {
        let mut inside: Vec<Misfit> = Vec::new();
        for misfit in nearest.iter().flat_map(|error| told(error, before, depth)) {
            inside.push(Misfit { is_deep: true, ..misfit });
        }
        return inside;
    }
    let place = place(&pointer);
    let words = match error.kind() {
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            format!("`{}` is missing", joined(&pointer, name))
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            let names: Vec<String> = unexpected.iter().take(OPTIONS).map(|name| format!("`{name}`")).collect();
            let (are, fields) = if names.len() == 1 { ("is", "field") } else { ("are", "fields") };
            format!("{place} has {}, which {are} no {fields} of it", names.join(", "))
        }
        Kind::Type { kind } => format!("{place} is {}, and must be {}", shown(error.instance()), types(kind)),
        Kind::FalseSchema => format!("{place} must not be there"),
        kind => format!("{place} {}", clause(kind, error)),
    };
    vec![Misfit { pointer, words, is_deep: is_deep(error.kind()) }]
}

/// Of several forms, the errors of the one that the value was meant to have: the only one of whose kind it is.
fn nearest<'e>(forms: &'e [Vec<ValidationError<'static>>], at: &str) -> Option<&'e Vec<ValidationError<'static>>> {
    let is_of_its_kind = |errors: &&Vec<ValidationError<'static>>| {
        !errors.iter().any(|error| {
            let is_here = error.instance_path().as_str() == at;
            is_here && matches!(error.kind(), Kind::Type { .. } | Kind::Constant { .. } | Kind::FalseSchema)
        })
    };
    let mut of_its_kind = forms.iter().filter(is_of_its_kind);
    let first = of_its_kind.next()?;
    of_its_kind.next().is_none().then_some(first)
}

/// Whether an error depends on values that lie deeper than its place.
pub(super) fn is_deep(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::AnyOf { .. }
            | Kind::OneOfNotValid { .. }
            | Kind::OneOfMultipleValid { .. }
            | Kind::Not { .. }
            | Kind::Contains
            | Kind::UniqueItems
            | Kind::Enum { .. }
            | Kind::Constant { .. }
            | Kind::UnevaluatedItems { .. }
            | Kind::UnevaluatedProperties { .. }
    )
}

/// What is wrong with a value, as it follows its place in a sentence.
fn clause(kind: &Kind, error: &ValidationError<'_>) -> String {
    let value = error.instance();
    let is = |must: String| format!("is {}, and must {must}", shown(value));
    let count = |what: &str, must: String| {
        let length = match &**value {
            Json::String(text) => text.chars().count(),
            Json::Array(items) => items.len(),
            Json::Object(fields) => fields.len(),
            _ => 0,
        };
        format!("has {}, and must have {must}", counted(length as u64, what))
    };
    match kind {
        Kind::Enum { options } => is(format!("be {}", one_of(options))),
        Kind::Constant { expected_value } => is(format!("be {}", shown(expected_value))),
        Kind::Maximum { limit } => is(format!("be at most {limit}")),
        Kind::Minimum { limit } => is(format!("be at least {limit}")),
        Kind::ExclusiveMaximum { limit } => is(format!("be less than {limit}")),
        Kind::ExclusiveMinimum { limit } => is(format!("be more than {limit}")),
        Kind::MultipleOf { multiple_of } => is(format!("be a multiple of {multiple_of}")),
        Kind::MaxLength { limit } => count("character", format!("at most {limit}")),
        Kind::MinLength { limit } => count("character", format!("at least {limit}")),
        Kind::MaxItems { limit } => count("item", format!("at most {limit}")),
        Kind::AdditionalItems { limit } => count("item", format!("at most {limit}")),
        Kind::MinItems { limit } => count("item", format!("at least {limit}")),
        Kind::MaxProperties { limit } => count("field", format!("at most {limit}")),
        Kind::MinProperties { limit } => count("field", format!("at least {limit}")),
        Kind::UniqueItems => "has the same item twice".to_owned(),
        Kind::UnevaluatedItems { .. } => "has more items than it may have".to_owned(),
        Kind::Contains => "has none of the items that it must have".to_owned(),
        Kind::Pattern { pattern } => is(format!("match `{pattern}`")),
        Kind::Format { format } => is(format!("be {}", a_format(format))),
        Kind::PropertyNames { error } => format!("has a field of a name that it may not have: {error}"),
        Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => is("have one of the forms that are asked for".to_owned()),
        Kind::OneOfMultipleValid { .. } => "has several forms at once that exclude one another".to_owned(),
        Kind::Not { schema } => is(format!("not fit {}", excerpt(&schema.to_string()))),
        _ => format!("does not fit: {error}"),
    }
}

/// A place as it stands in a sentence: `authors[0].name`.
fn place(pointer: &str) -> String {
    let path = path(pointer);
    if path.is_empty() { "the answer".to_owned() } else { format!("`{path}`") }
}

fn joined(pointer: &str, name: &str) -> String {
    path(&format!("{pointer}/{}", escaped(name)))
}

fn path(pointer: &str) -> String {
    let mut path = String::new();
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        if !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit()) {
            path.extend(["[", &step, "]"]);
        } else {
            path.push_str(if path.is_empty() { "" } else { "." });
            path.push_str(&step);
        }
    }
    path
}

/// A value as it is repeated: what is long is only named.
fn shown(value: &Json) -> String {
    match value {
        Json::Null | Json::Bool(_) | Json::Number(_) => value.to_string(),
        Json::String(text) => excerpt(&Json::from(text.as_str()).to_string()),
        Json::Array(_) | Json::Object(_) => kind_of(value).to_owned(),
    }
}

fn excerpt(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn one_of(options: &Json) -> String {
    let options = options.as_array().map_or(&[][..], Vec::as_slice);
    let told: Vec<String> = options.iter().take(OPTIONS).map(shown).collect();
    match (options.len(), &told[..]) {
        (1, [one]) => one.clone(),
        (count, _) if count > OPTIONS => format!("one of {} or {} more", told.join(", "), count - OPTIONS),
        _ => format!("one of {}", told.join(", ")),
    }
}

fn types(kind: &TypeKind) -> String {
    let mut names: Vec<&str> = match kind {
        TypeKind::Single(name) => vec![a_type(name.as_str())],
        TypeKind::Multiple(names) => names.iter().map(|name| a_type(name.as_str())).collect(),
    };
    names.sort_by_key(|name| *name == "null");
    names.join(" or ")
}

fn a_type(name: &str) -> &'static str {
    match name {
        "array" => "a list",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "null" => "null",
        "number" => "a number",
        "object" => "a mapping",
        _ => "a text",
    }
}

fn a_format(format: &str) -> String {
    let example = match format {
        "date" => "a date, as 2026-04-17",
        "time" => "a time with its zone, as 09:30:00Z",
        "date-time" => "a date and a time with its zone, as 2026-04-17T09:30:00Z",
        "duration" => "a duration, as PT90S",
        "email" => "an address of mail",
        "uri" => "an address, as https://example.org/a",
        "uuid" => "a UUID",
        other => return format!("a `{other}`"),
    };
    example.to_owned()
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
