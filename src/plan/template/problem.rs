//! What is wrong in a template, and where.

use std::ops::Range;

/// Something an author has to change before a template can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Bytes in the text of the template.
    pub range: Range<usize>,
    /// What kind of mistake it is; one of the `Problem::*` constants.
    pub code: &'static str,
    /// What is wrong, without a full stop.
    pub message: String,
    /// What to try.
    pub help: Option<String>,
}

impl Problem {
    /// The text is not a template: something is open, or stands where it can't.
    pub const SYNTAX: &'static str = "template-syntax";
    /// Handlebars has it, and pipelines don't: partials, decorators, sections.
    pub const UNSUPPORTED: &'static str = "template-unsupported";
    /// Blocks or parentheses are nested too deeply.
    pub const TOO_DEEP: &'static str = "template-too-deep";
    /// A path that can't mean anything where it stands.
    pub const NAME: &'static str = "template-name";
    /// A helper that does not exist.
    pub const UNKNOWN_HELPER: &'static str = "unknown-helper";
    /// A field that can't be there.
    pub const FIELD: &'static str = "unknown-field";
    /// A helper with the wrong arguments.
    pub const ARGUMENTS: &'static str = "helper-arguments";

    pub(super) fn new(range: Range<usize>, code: &'static str, message: impl Into<String>) -> Self {
        Self { range, code, message: message.into(), help: None }
    }

    pub(super) fn syntax(range: Range<usize>, message: impl Into<String>) -> Self {
        Self::new(range, Self::SYNTAX, message)
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
