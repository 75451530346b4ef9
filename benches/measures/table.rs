//! The table that is printed, which is Markdown.

use std::fmt;
use std::time::Duration;

/// The two lines above the rows.
pub(crate) const HEAD: &str = "\
| measure | blossom-run | beside it | ratio | to reach | reached |
|---|---|---|---|---|---|";

/// A row.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// What is measured.
    pub(crate) measure: String,
    /// The program's own figure.
    pub(crate) figure: String,
    /// What it is held against.
    pub(crate) beside: String,
    /// The one by the other, or the figure in the goal's unit where nothing stands beside it.
    pub(crate) ratio: Option<f64>,
    /// What it is to be.
    pub(crate) goal: Goal,
}

/// What a figure or ratio is to be.
#[derive(Debug, Clone)]
pub(crate) enum Goal {
    /// The ratio at least this.
    AtLeast(f64),
    /// The ratio at most this.
    AtMost(f64),
    /// Something else, in words, and whether it is so.
    Words(String, bool),
    /// Nothing: a row for comparison.
    None,
}

impl Row {
    fn goal(&self) -> (String, &'static str) {
        let reached = |reached: bool| if reached { "yes" } else { "no" };
        let ratio = self.ratio.unwrap_or(f64::NAN);
        match &self.goal {
            Goal::AtLeast(least) => (format!("at least {least:.2}"), reached(ratio >= *least)),
            Goal::AtMost(most) => (format!("at most {most:.2}"), reached(ratio <= *most)),
            Goal::Words(words, so) => (words.clone(), reached(*so)),
            Goal::None => (String::new(), ""),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ratio = self.ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
        let (goal, reached) = self.goal();
        write!(f, "| {} | {} | {} | {ratio} | {goal} | {reached} |", self.measure, self.figure, self.beside)
    }
}

/// The one in the middle; of an even number the later of the two.
pub(crate) fn median<T: PartialOrd + Copy>(mut values: Vec<T>) -> Option<T> {
    values.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    values.get(values.len() / 2).copied()
}

/// `12.3 ms` or `1.23 s`.
pub(crate) fn time(duration: Duration) -> String {
    match duration.as_secs_f64() {
        seconds @ 1.0.. => format!("{seconds:.2} s"),
        seconds => format!("{:.1} ms", seconds * 1e3),
    }
}
