//! JSON as templates see it: how it prints, what counts as true, what a kind is called.

/// A JSON value; objects keep the order in which they were written.
pub type Json = serde_json::Value;
/// A JSON object; it keeps the order in which it was written.
pub type JsonMap = serde_json::Map<String, Json>;

/// Prints a value as a template does: text as it is, null as nothing, everything else as compact JSON.
pub fn plain_text(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
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
