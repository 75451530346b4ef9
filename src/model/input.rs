//! What an input may be.

use serde::{Deserialize, Serialize};

/// The type of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputKind {
    /// A text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// One of the `options`.
    Choice,
    /// Any JSON value.
    Json,
    /// A list, inline or from a file.
    Items,
}

impl InputKind {
    /// Every type, as it is written.
    pub const NAMES: [(&'static str, Self); 7] = [
        ("string", Self::String),
        ("integer", Self::Integer),
        ("number", Self::Number),
        ("boolean", Self::Boolean),
        ("choice", Self::Choice),
        ("json", Self::Json),
        ("items", Self::Items),
    ];
}

/// How a list is written down, by the extension of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListFormat {
    /// `.jsonl`, `.ndjson`: a JSON value a line.
    JsonLines,
    /// `.json`: an array.
    Json,
    /// `.csv`: a header row, then a row each; values are text.
    Csv,
    /// `.tsv`: as CSV, with tabs.
    Tsv,
    /// `.yaml`, `.yml`: a list.
    Yaml,
    /// `.txt`: a line each.
    Text,
}

impl ListFormat {
    /// The format of a file with this extension (without a dot, in lower case).
    pub fn from_extension(extension: &str) -> Option<Self> {
        Some(match extension {
            "jsonl" | "ndjson" => Self::JsonLines,
            "json" => Self::Json,
            "csv" => Self::Csv,
            "tsv" => Self::Tsv,
            "yaml" | "yml" => Self::Yaml,
            "txt" => Self::Text,
            _ => return None,
        })
    }
}
