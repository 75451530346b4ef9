//! JSON out of an answer.
//!
//! Models wrap JSON in code fences and in friendly words. What is taken off here is only what stands around a value;
//! the value itself is taken as it is or not at all.

use crate::model::Json;

/// Why an answer holds no JSON that could be used, in one sentence without a full stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongAnswer {
    /// Nothing in it looks like JSON.
    #[error("The answer holds no JSON")]
    Missing,
    /// There is the beginning of a value, and the answer ends in it.
    #[error("The JSON in the answer breaks off")]
    Cut,
    /// There is something like a value, with a mistake in it.
    #[error("The JSON in the answer is broken: {0}")]
    Broken(String),
    /// There are several values, and nothing says which of them is meant.
    #[error("The answer holds several JSON values that differ")]
    Several,
}

/// The JSON value in the text that a model wrote.
///
/// In this order: the whole text; the value that fills a code fence; the object or list that stands among other words.
/// Values that differ (two fences, two objects in a sentence) are refused, since any choice between them would be a guess,
/// and so is a part of a value that is broken or cut.
///
/// # Errors
/// A [`WrongAnswer`] that says what is the matter.
pub fn json_from_answer(text: &str) -> Result<Json, WrongAnswer> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if let Ok(json) = serde_json::from_str(text) {
        return Ok(json);
    }
    match only(fenced(text))? {
        Some(json) => Ok(json),
        None => only(among_words(text)?)?.ok_or(WrongAnswer::Missing),
    }
}

/// The one value among candidates, however often it is repeated.
fn only(candidates: Vec<Json>) -> Result<Option<Json>, WrongAnswer> {
    let mut candidates = candidates.into_iter();
    let Some(first) = candidates.next() else { return Ok(None) };
    if candidates.all(|other| other == first) { Ok(Some(first)) } else { Err(WrongAnswer::Several) }
}

const FENCE: &str = "```";

/// Values that fill a code fence which begins a line: inside a JSON text no line begins. The parser finds the closing
/// fence, since a text inside the value may hold one too.
fn fenced(text: &str) -> Vec<Json> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(FENCE) {
        let before = text[..text.len() - rest.len() + at].trim_end_matches([' ', '\t']);
        let begins_line = before.is_empty() || before.ends_with('\n');
        rest = rest[at..].trim_start_matches('`');
        let body = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "_+-.".contains(c));
        if begins_line
            && let Ok((json, length)) = first_value(body)
            && body[length..].trim_start().starts_with(FENCE)
        {
            found.push(json);
            rest = body[length..].trim_start().trim_start_matches('`');
        }
    }
    found
}

/// Objects and lists that stand among other words. What is inside of one that does not parse is never looked at.
fn among_words(text: &str) -> Result<Vec<Json>, WrongAnswer> {
    let mut found = Vec::new();
    let mut broken = None;
    let mut rest = text;
    while let Some(at) = rest.find(['{', '[']) {
        rest = &rest[at..];
        let length = match first_value(rest) {
            Ok((json, length)) => {
                found.push(json);
                length
            }
            // From here to the end everything is the beginning of one value.
            Err(error) if error.is_eof() => return Err(WrongAnswer::Cut),
            Err(error) => {
                broken.get_or_insert_with(|| WrongAnswer::Broken(reason(&error)));
                extent(rest)
            }
        };
        rest = &rest[length..];
    }
    match broken {
        Some(broken) if found.is_empty() => Err(broken),
        _ => Ok(found),
    }
}

/// The value at the start of a text, and how many bytes it takes.
fn first_value(text: &str) -> Result<(Json, usize), serde_json::Error> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Json>();
    match values.next() {
        Some(Ok(json)) => Ok((json, values.byte_offset())),
        Some(Err(error)) => Err(error),
        None => serde_json::from_str(text).map(|json| (json, text.len())),
    }
}

/// How many bytes lie between a bracket and the one that closes it; all of them if none does.
fn extent(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '{' | '[' if !quoted => depth += 1,
            '}' | ']' if !quoted => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    text.len()
}

/// What the parser says, without its place: that counts from the bracket and would mislead.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_whole_text_goes_first() {
        assert_eq!(json_from_answer(" [1, 2]\n"), Ok(json!([1, 2])));
        assert_eq!(json_from_answer("\u{feff}null"), Ok(Json::Null));
        assert_eq!(json_from_answer(r#""```json\n1\n```""#), Ok(json!("```json\n1\n```")));
    }

    #[test]
    fn a_fence_goes_before_words() {
        let text = "See [1].\n```json\n{\"a\": \"```\"}\n```\nAnything else? {}";
        assert_eq!(json_from_answer(text), Ok(json!({"a": "```"})));
        assert_eq!(json_from_answer("```json {\"a\":1}```"), Ok(json!({"a": 1})));
        assert_eq!(json_from_answer("```\ntrue\n```"), Ok(json!(true)));
        assert_eq!(
            json_from_answer(r#"Here: {"md": "```\n[1]```", "n": ["``` [2] ```"]}"#).map(|v| v.is_object()),
            Ok(true)
        );
        assert_eq!(json_from_answer("````json\n[]\n````"), Ok(json!([])));
    }

    #[test]
    fn words_around_an_object_are_taken_off() {
        assert_eq!(json_from_answer("Here it is: {\"a\": [1]}. Enjoy {this}!"), Ok(json!({"a": [1]})));
        assert_eq!(json_from_answer("Fill {name} in: [\"x\"]"), Ok(json!(["x"])));
    }

    #[test]
    fn cut_json_is_never_mended() {
        assert_eq!(json_from_answer(r#"{"a": [1, 2], "b": "tru"#), Err(WrongAnswer::Cut));
        assert_eq!(json_from_answer("```json\n{\"a\": [1, 2], \"b\""), Err(WrongAnswer::Cut));
    }

    #[test]
    fn a_part_of_something_broken_is_no_answer() {
        assert!(matches!(json_from_answer("{'items': [1, 2]}"), Err(WrongAnswer::Broken(_))));
        assert!(matches!(json_from_answer("{items: [1, 2]"), Err(WrongAnswer::Broken(_))));
    }

    #[test]
    fn two_different_values_are_refused() {
        assert_eq!(json_from_answer("First {\"a\":1}, then {\"a\":2}"), Err(WrongAnswer::Several));
        assert_eq!(json_from_answer("```\n{\"a\":1}\n```\n```\n{\"a\":2}\n```"), Err(WrongAnswer::Several));
        assert_eq!(json_from_answer("{\"a\":1} and again {\"a\": 1}"), Ok(json!({"a": 1})));
    }

    #[test]
    fn no_json_is_said_so() {
        assert_eq!(json_from_answer("I'm sorry"), Err(WrongAnswer::Missing));
        assert_eq!(json_from_answer(""), Err(WrongAnswer::Missing));
    }

    fn values() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            "\\PC*".prop_map(Json::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
                prop::collection::vec(("\\PC{0,8}", inner), 0..5)
                    .prop_map(|fields| Json::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_value_is_found_in_a_fence(
            value in values(), pretty in any::<bool>(), before in "[^`{}\\[\\]]*", after in "[^`]*",
        ) {
            let body = if pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() };
            let text = format!("{before}\n```json\n{body}\n```\n{after}");
            prop_assert_eq!(json_from_answer(&text), Ok(value));
        }

        #[test]
        fn any_object_or_list_is_found_among_words(
            value in values(), before in "[^`{}\\[\\]]*", after in "[^`{}\\[\\]]*",
        ) {
            let value = if value.is_object() { value } else { json!([value]) };
            prop_assert_eq!(json_from_answer(&format!("{before} {value} {after}")), Ok(value));
        }

        #[test]
        fn a_cut_object_is_never_an_answer(value in values(), share in 0.0..1.0_f64) {
            let text = json!({"value": value}).to_string();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in a short text")]
            let cut = (0..text.len()).rev().find(|&at| at <= (text.len() as f64 * share) as usize && text.is_char_boundary(at));
            prop_assert!(json_from_answer(&text[..cut.unwrap_or(0)]).is_err());
        }

        #[test]
        fn any_text_is_survived(text in "[ -~`{}\\[\\]\"\\\\\u{e9}\n]*") {
            json_from_answer(&text).ok();
        }
    }
}
