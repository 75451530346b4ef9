//! Progress on a terminal: lines at its foot that are drawn anew.

use console::Term;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;

use super::line::{Frame, screen};
use super::paint::Paint;
use super::tally::Tally;

/// How often the terminal is drawn at most, in a second.
const FRAMES: u8 = 10;

/// The lines at the foot; everything else is printed above them.
#[derive(Debug)]
pub(super) struct Bars {
    term: Term,
    multi: MultiProgress,
    rows: Vec<ProgressBar>,
    paint: Paint,
}

impl Bars {
    /// On standard error.
    pub(super) fn new(paint: Paint) -> Self {
        let term = Term::buffered_stderr();
        let target = ProgressDrawTarget::term(term.clone(), FRAMES);
        Self { term, multi: MultiProgress::with_draw_target(target), rows: Vec::new(), paint }
    }

    pub(super) fn draw(&mut self, tally: &Tally, now: Timestamp) {
        let (rows, columns) = self.term.size();
        // Some terminals wrap a line that fills the last column.
        let size = (usize::from(rows), usize::from(columns).saturating_sub(1));
        let lines = screen(tally, &Frame::new(tally, now, size, self.paint));
        while self.rows.len() > lines.len() {
            if let Some(row) = self.rows.pop() {
                row.finish_and_clear();
                self.multi.remove(&row);
            }
        }
        while self.rows.len() < lines.len() {
            let style = ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
            self.rows.push(self.multi.add(ProgressBar::no_length().with_style(style)));
        }
        for (row, line) in self.rows.iter().zip(lines) {
            row.set_message(line);
        }
    }

    /// Prints lines above the foot. A terminal that has gone is no concern of the run.
    pub(super) fn print(&self, text: &str) {
        for line in text.lines() {
            self.multi.println(line).ok();
        }
    }

    /// Takes the foot away.
    pub(super) fn clear(&mut self) {
        for row in self.rows.drain(..) {
            row.finish_and_clear();
        }
        self.multi.clear().ok();
    }
}
