//! A mistake as a value: what is wrong, where, and what to try.

use crate::model::Place;

/// How much a diagnostic weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The file cannot be run.
    Error,
    /// It can, but this is hardly what its author meant.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// As it stands in a message: `error`, `warning`, `note`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// Something to tell about a file. It is born from a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How much it weighs.
    pub severity: Severity,
    /// What kind of mistake this is, in kebab case; stable, for tests and tools.
    pub code: &'static str,
    /// Where it is.
    pub place: Place,
    /// What is wrong: one line, no full stop.
    pub message: String,
    /// Words beside the caret.
    pub label: Option<String>,
    /// Other places that belong to it, each with its words.
    pub others: Vec<(Place, String)>,
    /// What to try.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at `place`.
    pub fn error(code: &'static str, place: &Place, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, place, message.into())
    }

    /// A warning at `place`.
    pub fn warning(code: &'static str, place: &Place, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, place, message.into())
    }

    /// A note at `place`.
    pub fn note(code: &'static str, place: &Place, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, code, place, message.into())
    }

    fn new(severity: Severity, code: &'static str, place: &Place, message: String) -> Self {
        Self { severity, code, place: place.clone(), message, label: None, others: Vec::new(), help: None }
    }

    /// With words beside the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// With another place that belongs to it.
    #[must_use]
    pub fn also(mut self, place: &Place, words: impl Into<String>) -> Self {
        self.others.push((place.clone(), words.into()));
        self
    }

    /// With something to try.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With something to try, if there is anything.
    #[must_use]
    pub fn help_if(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }
}

/// All that was found, whatever the order in which it was found.
#[derive(Debug, Clone, Default)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    /// Whether anything keeps the file from being run.
    pub fn has_errors(&self) -> bool {
        self.found.iter().any(|one| one.severity == Severity::Error)
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// How many there are of this weight.
    pub fn count(&self, severity: Severity) -> usize {
        self.iter().filter(|one| one.severity == severity).count()
    }

    /// Each once, by file and place. What is said twice (of a prompt that two stages share) is told once, with the help
    /// of the first.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        let mut sorted: Vec<&Diagnostic> = self.found.iter().collect();
        sorted.sort_by_key(|one| order(one));
        sorted.dedup_by(|later, first| order(later) == order(first));
        sorted.into_iter()
    }
}

fn order(one: &Diagnostic) -> (u32, usize, usize, Severity, &'static str, &str) {
    (one.place.file.0, one.place.span.start, one.place.span.end, one.severity, one.code, &one.message)
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, more: I) {
        self.found.extend(more);
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    /// As [`Diagnostics::iter`], by value.
    fn into_iter(mut self) -> Self::IntoIter {
        self.found.sort_by(|a, b| order(a).cmp(&order(b)));
        self.found.dedup_by(|later, first| order(later) == order(first));
        self.found.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FileId;

    fn at(file: u32, start: usize) -> Place {
        Place::new(FileId(file), start..start + 1)
    }

    #[test]
    fn they_come_by_file_and_place_and_each_once() {
        let mut all = Diagnostics::default();
        all.push(Diagnostic::error("b", &at(1, 0), "second file"));
        all.push(Diagnostic::warning("c", &at(0, 9), "later"));
        all.push(Diagnostic::error("a", &at(0, 2), "sooner"));
        all.extend([Diagnostic::error("a", &at(0, 2), "sooner").help("a hint of another stage")]);
        let told: Vec<&str> = all.iter().map(|one| one.message.as_str()).collect();
        assert_eq!(told, ["sooner", "later", "second file"]);
        assert_eq!((all.count(Severity::Error), all.count(Severity::Warning)), (2, 1));
        assert!(all.has_errors());
        assert_eq!(all.into_iter().count(), 3);
    }

    #[test]
    fn a_warning_is_no_error() {
        let mut all = Diagnostics::default();
        assert!(all.is_empty());
        all.push(Diagnostic::warning("a", &at(0, 0), "hm"));
        all.push(Diagnostic::note("a", &at(0, 0), "hm"));
        assert!(!all.has_errors() && !all.is_empty());
    }
}
