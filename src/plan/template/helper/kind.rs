//! What an argument has to be.

use std::cmp::Ordering;

use crate::model::{Json, kind_of, picture_path};

use super::dates::format_fault;

/// What a helper expects of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Kind {
    /// Anything.
    Any,
    /// What prints in one piece: no list, no mapping but a picture.
    Text,
    /// A text that is not empty.
    Filled,
    /// A text of one character.
    Character,
    /// A pattern for dates.
    DateFormat,
    /// A number, or a text that is one.
    Number,
    /// A whole number, negative too.
    Index,
    /// A whole number from 0 to this.
    Count(u32),
    /// A whole number from 1 to this.
    Size(u32),
    /// A field, or a path of fields: `author.name`.
    Path,
    /// True or false.
    Truth,
    /// A list.
    List,
    /// A list or a text.
    Sequence,
}

impl Kind {
    /// What is wrong with `value`, to be put behind the name of the argument.
    pub(in super::super) fn fault(self, value: &Json) -> Option<String> {
        let is = |what: &str| Some(format!("is {}, not {what}", kind_of(value)));
        match self {
            Self::Text | Self::Filled | Self::Character | Self::DateFormat | Self::Sequence if is_compound(value) => {
                match (self, value) {
                    (Self::Sequence, Json::Array(_)) => None,
                    (_, Json::Array(_)) => Some("is a list, not a text; `join` makes one of it".to_owned()),
                    _ => Some("is a mapping, not a text; `json` makes one of it".to_owned()),
                }
            }
            Self::Any | Self::Text | Self::Sequence => None,
            Self::Filled => (value.as_str() == Some("") || value.is_null()).then(|| "is empty".to_owned()),
            Self::Character => match value {
                Json::String(text) if text.chars().count() == 1 => None,
                Json::String(_) => Some("is not one character".to_owned()),
                _ => is("a text"),
            },
            Self::DateFormat => match value {
                Json::String(format) => format_fault(format),
                _ => is("a text"),
            },
            Self::Number => (as_number(value).is_none()).then(|| not_a(value, "a number")),
            Self::Index => (as_whole(value).is_none()).then(|| not_a(value, "a whole number")),
            Self::Count(most) => match as_whole(value) {
                None => Some(not_a(value, "a whole number")),
                Some(count) if (0..=i64::from(most)).contains(&count) => None,
                Some(count) if count < 0 => Some("is negative".to_owned()),
                Some(_) => Some(format!("is more than {most}")),
            },
            Self::Size(most) => match as_whole(value) {
                Some(size) if size < 1 => Some(format!("is {size}, and must be at least 1")),
                _ => Self::Count(most).fault(value),
            },
            Self::Path => match value {
                Json::String(path) if path.split('.').any(str::is_empty) => {
                    Some(format!("is `{path}`, not a field or a path of fields"))
                }
                Json::String(_) => None,
                _ => is("the name of a field"),
            },
            Self::Truth => (!value.is_boolean()).then(|| not_a(value, "true or false")),
            Self::List => match value {
                Json::Array(_) => None,
                _ => is("a list"),
            },
        }
    }
}

fn is_compound(value: &Json) -> bool {
    match value {
        Json::Array(_) => true,
        Json::Object(fields) => picture_path(fields).is_none(),
        _ => false,
    }
}

fn not_a(value: &Json, what: &str) -> String {
    match value {
        Json::String(text) if text.chars().count() <= 40 => format!("is `{text}`, not {what}"),
        other => format!("is {}, not {what}", kind_of(other)),
    }
}

/// A number as helpers compare it: exact as long as it is whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Whole(i128),
    Broken(f64),
}

impl Number {
    pub(super) fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => a.cmp(&b),
            (a, b) => a.approximate().total_cmp(&b.approximate()),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "only where the other number is not exact either")]
    pub(super) fn approximate(self) -> f64 {
        // Adding zero makes -0 the same as 0.
        match self {
            Self::Whole(number) => number as f64,
            Self::Broken(number) => number + 0.0,
        }
    }
}

/// A number, or a text that is one: digits with an optional sign, fraction and exponent, and blanks around them.
pub(super) fn as_number(value: &Json) -> Option<Number> {
    let parse = |text: &str| {
        if let Ok(whole) = text.parse::<i128>() {
            return Some(Number::Whole(whole));
        }
        let digits = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
        text.parse::<f64>().ok().filter(|number| digits && number.is_finite()).map(Number::Broken)
    };
    match value {
        Json::Number(number) => parse(&number.to_string()),
        Json::String(text) => parse(text.trim()),
        _ => None,
    }
}

/// A number without a fraction.
pub(super) fn as_whole(value: &Json) -> Option<i64> {
    match as_number(value)? {
        Number::Whole(number) => i64::try_from(number).ok(),
        #[expect(clippy::cast_possible_truncation, reason = "the range is checked, and there is no fraction")]
        Number::Broken(number) => (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_can_be_numbers() {
        for (value, whole) in [
            (json!(3), 3),
            (json!("3"), 3),
            (json!(" -3 "), -3),
            (json!(3.0), 3),
            (json!("1e3"), 1000),
            (json!("+3"), 3),
        ] {
            assert_eq!(as_whole(&value), Some(whole), "{value}");
        }
        for value in [json!(""), json!("inf"), json!("NaN"), json!("3 kg"), json!("1e999"), json!(null), json!([3])] {
            assert_eq!(as_number(&value), None, "{value}");
        }
        assert_eq!(as_whole(&json!(3.5)), None);
        let large = as_number(&json!(9_007_199_254_740_993_u64)).unwrap();
        assert_eq!(large.compare(as_number(&json!("9007199254740992")).unwrap()), Ordering::Greater);
        assert_eq!(Number::Whole(1).compare(Number::Broken(1.0)), Ordering::Equal);
        assert_eq!(Number::Whole(0).compare(Number::Broken(-0.0)), Ordering::Equal);
    }

    #[test]
    fn faults_say_what_a_value_is() {
        for (kind, value, fault) in [
            (Kind::Text, json!(["a"]), "is a list, not a text; `join` makes one of it"),
            (Kind::Text, json!({"a": 1}), "is a mapping, not a text; `json` makes one of it"),
            (Kind::Count(20), json!("many"), "is `many`, not a whole number"),
            (Kind::Count(20), json!(21), "is more than 20"),
            (Kind::Count(20), json!(-1), "is negative"),
            (Kind::List, json!("a"), "is a text, not a list"),
            (Kind::Character, json!("ab"), "is not one character"),
            (Kind::Filled, json!(""), "is empty"),
            (Kind::Size(20), json!(0), "is 0, and must be at least 1"),
            (Kind::Size(20), json!(21), "is more than 20"),
            (Kind::Path, json!("a..b"), "is `a..b`, not a field or a path of fields"),
            (Kind::Path, json!(3), "is a number, not the name of a field"),
            (Kind::Truth, json!("yes"), "is `yes`, not true or false"),
        ] {
            assert_eq!(kind.fault(&value).as_deref(), Some(fault));
        }
        let picture = json!({"path": "a.png", "width": 1, "height": 1, "media_type": "image/png", "bytes": 1});
        assert_eq!(Kind::Text.fault(&picture), None);
        assert_eq!(Kind::Sequence.fault(&json!([])), None);
    }
}
