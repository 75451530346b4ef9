//! Where a run comes from: the command line that it can be gone on with later.

use std::ffi::OsString;

use crate::model::Json;
use crate::store::RunId;

/// What began a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Origin {
    /// The words of the command line, without the program's own name.
    pub(super) words: Vec<String>,
    /// The first run of the line that is gone on with.
    pub(super) goes_on: Option<RunId>,
}

impl Origin {
    /// A command line that somebody typed.
    pub(super) fn typed(words: &[OsString]) -> Self {
        let words = words.iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
        Self { words, goes_on: None }
    }

    /// As the store keeps it.
    pub(super) fn about(&self) -> Json {
        let folder = std::env::current_dir().map(|folder| folder.display().to_string()).unwrap_or_default();
        serde_json::json!({"words": self.words, "folder": folder})
    }
}
