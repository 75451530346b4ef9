//! What an answer must be beside what its call asks for: one statement each.

use std::fmt;

use regex::Regex;

use super::{Json, StageKindName, plain_text};

/// A regular expression; two are the same if they are written alike.
#[derive(Clone)]
pub struct Pattern(Regex);

impl Pattern {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub fn new(text: &str) -> Result<Self, String> {
        Regex::new(text).map(Self).map_err(|error| reason(&error))
    }

    /// Whether it occurs anywhere in a text.
    pub fn occurs_in(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// As it is written.
    pub fn text(&self) -> &str {
        self.0.as_str()
    }
}

/// The crate draws the place of a mistake over several lines; the last of them says what it is.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default().trim();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.text()).finish()
    }
}

/// A check on an answer, complete. Lengths of texts are in characters and words, of pictures in pixels and bytes.
#[derive(Debug, Clone, PartialEq)]
pub enum Check {
    /// The text has this in it.
    Contains(String),
    /// The text does not have this in it.
    NotContains(String),
    /// This occurs somewhere in the text.
    Matches(Pattern),
    /// At least so many characters.
    MinChars(u64),
    /// At most so many characters.
    MaxChars(u64),
    /// At least so many words.
    MinWords(u64),
    /// At most so many words.
    MaxWords(u64),
    /// The text is one of these.
    OneOf(Vec<String>),
    /// At least so wide.
    MinWidth(u64),
    /// At least so high.
    MinHeight(u64),
    /// At most so large.
    MaxBytes(u64),
    /// There is something to be seen.
    NotBlank,
}

/// What a check is about; each is a key of `expect`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CheckKind {
    /// `contains`
    Contains,
    /// `not_contains`
    NotContains,
    /// `matches`
    Matches,
    /// `min_chars`
    MinChars,
    /// `max_chars`
    MaxChars,
    /// `min_words`
    MinWords,
    /// `max_words`
    MaxWords,
    /// `one_of`
    OneOf,
    /// `min_width`
    MinWidth,
    /// `min_height`
    MinHeight,
    /// `max_bytes`
    MaxBytes,
    /// `not_blank`
    NotBlank,
}

impl CheckKind {
    /// All of them, in the order in which people are told of them.
    pub const ALL: [Self; 12] = [
        Self::Contains,
        Self::NotContains,
        Self::Matches,
        Self::MinChars,
        Self::MaxChars,
        Self::MinWords,
        Self::MaxWords,
        Self::OneOf,
        Self::MinWidth,
        Self::MinHeight,
        Self::MaxBytes,
        Self::NotBlank,
    ];

    /// As it is written in a pipeline file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Contains => "contains",
            Self::NotContains => "not_contains",
            Self::Matches => "matches",
            Self::MinChars => "min_chars",
            Self::MaxChars => "max_chars",
            Self::MinWords => "min_words",
            Self::MaxWords => "max_words",
            Self::OneOf => "one_of",
            Self::MinWidth => "min_width",
            Self::MinHeight => "min_height",
            Self::MaxBytes => "max_bytes",
            Self::NotBlank => "not_blank",
        }
    }

    /// Whether it looks at pictures, and not at texts.
    pub fn is_of_pictures(self) -> bool {
        matches!(self, Self::MinWidth | Self::MinHeight | Self::MaxBytes | Self::NotBlank)
    }

    /// Whether it means anything for the answers of such a stage.
    pub fn fits(self, kind: StageKindName) -> bool {
        if self.is_of_pictures() { kind == StageKindName::Image } else { kind.speaks() }
    }

    /// The check with this value; none where the value switches it off. A text that is a number counts as one, as
    /// everywhere in templates.
    ///
    /// # Errors
    /// Why it can't have this value, in one sentence without a full stop.
    pub fn read(self, value: &Json) -> Result<Option<Check>, String> {
        let misfit = |expected: &str| {
            let shown: String = match value {
                Json::Null => "null".to_owned(),
                other => plain_text(other).chars().take(60).collect(),
            };
            format!("`{}` comes out as `{shown}`, and must be {expected}", self.name())
        };
        let text = || word(value).ok_or_else(|| misfit("a text that says something"));
        let count = || count(value).ok_or_else(|| misfit("a whole number of at least 1"));
        Ok(Some(match self {
            Self::Contains => Check::Contains(text()?),
            Self::NotContains => Check::NotContains(text()?),
            Self::Matches => {
                let pattern = Pattern::new(&text()?);
                Check::Matches(pattern.map_err(|why| misfit(&format!("a regular expression: {why}")))?)
            }
            Self::MinChars => Check::MinChars(count()?),
            Self::MaxChars => Check::MaxChars(count()?),
            Self::MinWords => Check::MinWords(count()?),
            Self::MaxWords => Check::MaxWords(count()?),
            Self::OneOf => {
                let words = value.as_array().and_then(|items| items.iter().map(word).collect::<Option<Vec<String>>>());
                Check::OneOf(words.filter(|words| !words.is_empty()).ok_or_else(|| misfit("a list of texts"))?)
            }
            Self::MinWidth => Check::MinWidth(count()?),
            Self::MinHeight => Check::MinHeight(count()?),
            Self::MaxBytes => Check::MaxBytes(count()?),
            Self::NotBlank => match value.as_bool() {
                Some(true) => Check::NotBlank,
                Some(false) => return Ok(None),
                None => return Err(misfit("`true` or `false`")),
            },
        }))
    }
}

/// What a single value says as a text.
fn word(value: &Json) -> Option<String> {
    let is_single = matches!(value, Json::String(_) | Json::Number(_) | Json::Bool(_));
    is_single.then(|| plain_text(value)).filter(|text| !text.is_empty())
}

fn count(value: &Json) -> Option<u64> {
    let of_text = || value.as_str().and_then(|text| text.trim().parse().ok());
    value.as_u64().or_else(of_text).filter(|count| *count > 0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_taken_for_what_it_says() {
        let read = |kind: CheckKind, value| kind.read(&value).unwrap();
        assert_eq!(read(CheckKind::Contains, json!(7)), Some(Check::Contains("7".into())));
        assert_eq!(read(CheckKind::MaxWords, json!(" 50 ")), Some(Check::MaxWords(50)));
        assert_eq!(read(CheckKind::OneOf, json!(["a", 1])), Some(Check::OneOf(vec!["a".into(), "1".into()])));
        assert_eq!(read(CheckKind::NotBlank, json!(false)), None);
    }

    #[test]
    fn a_value_that_makes_no_check_is_told() {
        let wrong = |kind: CheckKind, value| kind.read(&value).unwrap_err();
        let told = "`min_chars` comes out as `many`, and must be a whole number of at least 1";
        assert_eq!(wrong(CheckKind::MinChars, json!("many")), told);
        assert!(wrong(CheckKind::Contains, json!("")).ends_with("must be a text that says something"));
        assert!(wrong(CheckKind::OneOf, json!([])).ends_with("must be a list of texts"));
        let told = "`matches` comes out as `(a`, and must be a regular expression: unclosed group";
        assert_eq!(wrong(CheckKind::Matches, json!("(a")), told);
    }
}
