//! Progress on a terminal: lines at its foot that are drawn anew.

use std::io;

use console::Term;
use jiff::Timestamp;

use super::columns::width_of;
use super::line::{Frame, screen};
use super::paint::Paint;
use super::tally::Tally;

/// The lines at the foot; everything else is printed above them.
///
/// The cursor rests at the beginning of the row below them, so that what the terminal itself writes there, such as the
/// `^C` of an interruption, moves none of them.
#[derive(Debug)]
pub(super) struct Bars {
    term: Term,
    lines: Vec<String>,
    paint: Paint,
}

impl Bars {
    /// On standard error.
    pub(super) fn new(paint: Paint) -> Self {
        Self { term: Term::buffered_stderr(), lines: Vec::new(), paint }
    }

    pub(super) fn draw(&mut self, tally: &Tally, now: Timestamp) {
        let (rows, columns) = self.term.size();
        // Some terminals wrap a line that fills the last column.
        let size = (usize::from(rows), usize::from(columns).saturating_sub(1));
        let lines = screen(tally, &Frame::new(tally, now, size, self.paint));
        if lines != self.lines {
            self.replace("", lines);
        }
    }

    /// Prints lines above the foot.
    pub(super) fn print(&mut self, text: &str) {
        if !text.is_empty() {
            let lines = self.lines.clone();
            self.replace(text, lines);
        }
    }

    /// Takes the foot away.
    pub(super) fn clear(&mut self) {
        self.replace("", Vec::new());
    }

    fn replace(&mut self, above: &str, lines: Vec<String>) {
        // A terminal that has gone is no concern of the run.
        self.write(above, &lines).ok();
        self.lines = lines;
    }

    /// Writes over what was drawn before, all at once: a foot that is cleared each time would flicker.
    fn write(&self, above: &str, lines: &[String]) -> io::Result<()> {
        self.term.clear_line()?;
        self.term.move_cursor_up(rows_of(&self.lines, self.term.size().1.into()))?;
        if !above.is_empty() {
            // A line that is wider than the terminal takes rows of which only the first is cleared below.
            self.term.clear_to_end_of_screen()?;
        }
        for line in above.lines().chain(lines.iter().map(String::as_str)) {
            self.term.clear_line()?;
            self.term.write_line(line)?;
        }
        self.term.clear_to_end_of_screen()?;
        self.term.flush()
    }
}

/// The rows that lines take which were drawn on a terminal that may have been wider: most terminals break them then.
fn rows_of(lines: &[String], columns: usize) -> usize {
    lines.iter().map(|line| width_of(line).div_ceil(columns.max(1)).max(1)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrower_terminal_breaks_lines() {
        let lines = ["a".repeat(79), "b".repeat(30), String::new()];
        assert_eq!([80, 79, 40, 30, 0].map(|columns| rows_of(&lines, columns)), [3, 3, 4, 5, 110]);
    }
}
