//! Colour, where it is wanted.

use console::Style;

/// Styles text, or leaves it as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Paint {
    enabled: bool,
}

impl Paint {
    /// Styles text if `enabled`.
    pub fn new(enabled: bool) -> Self {
        Self { enabled }
    }

    /// Whether anything is styled.
    pub fn is_enabled(self) -> bool {
        self.enabled
    }

    /// For what went well.
    pub fn good(self, text: &str) -> String {
        self.with(Style::new().green(), text)
    }

    /// For what went wrong.
    pub fn bad(self, text: &str) -> String {
        self.with(Style::new().red().bold(), text)
    }

    /// For what a person should look at.
    pub fn warn(self, text: &str) -> String {
        self.with(Style::new().yellow(), text)
    }

    /// For headings.
    pub fn bold(self, text: &str) -> String {
        self.with(Style::new().bold(), text)
    }

    /// For what can be overlooked.
    pub fn dim(self, text: &str) -> String {
        self.with(Style::new().dim(), text)
    }

    fn with(self, style: Style, text: &str) -> String {
        // Whether there is colour was decided once; `console` is not asked again.
        style.force_styling(self.enabled).apply_to(text).to_string()
    }
}
