//! Where words go: answers to standard output, all else to standard error.

use anyhow::Result;

use crate::cli::fault::Fault;
use crate::cli::stdout;
use crate::sink::{Paint, one_line};

/// Where the words of a conversation go.
pub(super) trait Screen {
    /// A piece of an answer.
    fn answer(&mut self, piece: &str) -> Result<()>;
    /// Something that this program says.
    fn note(&mut self, text: &str);
    /// Something that went wrong.
    fn trouble(&mut self, fault: &Fault);
}

/// The streams of the process.
#[derive(Debug)]
pub(super) struct Terminal {
    paint: Paint,
    is_quiet: bool,
}

impl Terminal {
    pub(super) fn new(paint: Paint, is_quiet: bool) -> Self {
        Self { paint, is_quiet }
    }
}

impl Screen for Terminal {
    fn answer(&mut self, piece: &str) -> Result<()> {
        stdout::print(piece)
    }

    fn note(&mut self, text: &str) {
        if !self.is_quiet {
            let lines = text.lines().map(|line| self.paint.dim(line) + "\n").collect::<String>();
            stdout::error(&lines);
        }
    }

    fn trouble(&mut self, fault: &Fault) {
        let mut told = format!("{} {}\n", self.paint.bad("error:"), one_line(&fault.message));
        for line in fault.help.iter().flat_map(|help| help.lines()) {
            told.push_str("  help: ");
            told.push_str(&one_line(line));
            told.push('\n');
        }
        stdout::error(&told);
    }
}
