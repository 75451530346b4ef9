//! The line that is edited. The only file that names the crate for it.

use anyhow::Result;
use rustyline::config::{Behavior, Config};
use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;

use super::{Line, Lines};

/// A line editor on the terminal, which remembers what was typed until it is dropped, and writes it nowhere.
pub(super) struct Editor {
    editor: rustyline::Editor<(), MemHistory>,
}

impl Editor {
    pub(super) fn new() -> Result<Self> {
        // The prompt is for the terminal, also where answers go into a file.
        let config = Config::builder().behavior(Behavior::PreferTerm).auto_add_history(true).build();
        let history = MemHistory::with_config(&config);
        Ok(Self { editor: rustyline::Editor::with_history(config, history)? })
    }
}

impl Lines for Editor {
    fn next(&mut self, prompt: &str) -> Result<Line> {
        match self.editor.readline(prompt) {
            Ok(line) => Ok(Line::Said(line)),
            Err(ReadlineError::Interrupted) => Ok(Line::GivenUp),
            Err(ReadlineError::Eof) => Ok(Line::Ended),
            Err(error) => Err(error.into()),
        }
    }
}
