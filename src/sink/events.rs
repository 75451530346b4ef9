//! Events as JSON lines, for other programs. `tests/golden/events.jsonl` is the contract.

use jiff::Timestamp;

use crate::model::RunEvent;

use super::hub::Watcher;
use super::printer::Printer;
use super::tally::Tally;

/// Writes each event as one line of JSON, at most a tick after it happened.
#[derive(Debug)]
pub struct EventLines {
    printer: Printer,
    name: String,
}

impl EventLines {
    /// Writes to `printer`, which people know as `name`.
    pub fn new(printer: Printer, name: impl Into<String>) -> Self {
        Self { printer, name: name.into() }
    }
}

impl Watcher for EventLines {
    fn event(&mut self, event: &RunEvent, _tally: &Tally) {
        // Maps with text keys and finite numbers always serialise; events hold nothing else.
        if let Ok(line) = serde_json::to_string(event) {
            self.printer.line(&line);
        }
    }

    fn tick(&mut self, _tally: &Tally, _now: Timestamp) {
        self.printer.flush();
    }

    fn finish(&mut self, _tally: &Tally) -> Option<String> {
        self.printer.flush();
        let problem = self.printer.problem()?;
        Some(format!("events could not be written to `{}`: {problem}", self.name))
    }
}
