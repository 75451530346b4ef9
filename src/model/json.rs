//! JSON as templates see it: how it prints, what counts as true, what a kind is called.

use super::Value;

/// A JSON value; objects keep the order in which they were written.
pub type Json = serde_json::Value;
/// A JSON object; it keeps the order in which it was written.
pub type JsonMap = serde_json::Map<String, Json>;

/// Prints a value as a template does: text as it is, a picture as its path, null as nothing, everything else as compact
/// JSON.
pub fn plain_text(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        Json::Object(fields) => picture_path(fields).map_or_else(|| value.to_string(), str::to_owned),
        other => other.to_string(),
    }
}

/// The path of a mapping that has exactly the fields of a picture.
pub fn picture_path(fields: &JsonMap) -> Option<&str> {
    let picture = fields.len() == Value::IMAGE_FIELDS.len()
        && Value::IMAGE_FIELDS.iter().all(|field| fields.contains_key(*field));
    if picture { fields.get("path")?.as_str() } else { None }
}

/// Whether a condition holds, by the rule of Handlebars: false, null, zero, the empty text and the empty list do not.
pub fn truthy(value: &Json) -> bool {
    match value {
        Json::Null => false,
        Json::Bool(truth) => *truth,
        Json::Number(number) => number.as_f64().is_some_and(|n| n != 0.0 && !n.is_nan()),
        Json::String(text) => !text.is_empty(),
        Json::Array(items) => !items.is_empty(),
        Json::Object(_) => true,
    }
}

/// What a person calls the kind of this value, with its article: `a text`, `a list`.
pub fn kind_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "a mapping",
    }
}
