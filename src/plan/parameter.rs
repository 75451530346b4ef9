//! Settings that may be templates: what their values must be, before a run as within it.

use crate::model::{Json, plain_text};

/// A setting of a stage that may be a template.
#[derive(Debug)]
pub struct Parameter<T> {
    key: &'static str,
    expected: &'static str,
    read: fn(&Json) -> Option<T>,
}

impl<T> Parameter<T> {
    /// The setting, if `value` can be one. A text that is a number counts as one, as everywhere in templates.
    pub fn read(&self, value: &Json) -> Option<T> {
        let number = || value.as_str().and_then(|text| serde_json::from_str::<Json>(text.trim()).ok());
        (self.read)(value).or_else(|| number().filter(Json::is_number).as_ref().and_then(self.read))
    }

    /// What is wrong with a value that can't be one.
    pub fn misfit(&self, value: &Json) -> String {
        let shown: String = match value {
            Json::Null => "null".to_owned(),
            other => plain_text(other).chars().take(60).collect(),
        };
        format!("`{}` comes out as `{shown}`, and must be {}", self.key, self.expected)
    }
}

fn name(value: &Json) -> Option<String> {
    Some(plain_text(value)).filter(|name| !name.is_empty())
}

impl Parameter<String> {
    /// `provider`.
    pub const PROVIDER: Self = Self { key: "provider", expected: "the name of a provider", read: name };
    /// `model`.
    pub const MODEL: Self = Self { key: "model", expected: "the name of a model", read: name };
}

impl Parameter<u64> {
    /// `max_tokens`.
    pub const MAX_TOKENS: Self = Self {
        key: "max_tokens",
        expected: "a whole number of at least 1",
        read: |value| value.as_u64().filter(|n| *n > 0),
    };
}

impl Parameter<f64> {
    /// `temperature`.
    pub const TEMPERATURE: Self = Self {
        key: "temperature",
        expected: "a number from 0 to 2",
        read: |value| value.as_f64().filter(|n| (0.0..=2.0).contains(n)),
    };
}

impl Parameter<i64> {
    /// `seed`.
    pub const SEED: Self = Self { key: "seed", expected: "a whole number", read: Json::as_i64 };
}

impl Parameter<u32> {
    /// `width`, in pixels.
    pub const WIDTH: Self = Self { key: "width", expected: "a whole number of at least 1", read: pixels };
    /// `height`, in pixels.
    pub const HEIGHT: Self = Self { key: "height", expected: "a whole number of at least 1", read: pixels };
}

fn pixels(value: &Json) -> Option<u32> {
    value.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0)
}
