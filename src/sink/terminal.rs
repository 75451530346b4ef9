//! The watcher for people: progress, notices and live text on standard error.

use jiff::Timestamp;

use crate::model::RunEvent;

use super::bars::Bars;
use super::hub::Watcher;
use super::lines::{Lines, first_line};
use super::live::{Live, Shown};
use super::notices::Notices;
use super::paint::Paint;
use super::printer::Printer;
use super::tally::Tally;

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgressMode {
    /// Lines at the foot of a terminal, drawn anew.
    Bars,
    /// Plain lines, a few.
    Lines,
    /// Not at all.
    None,
}

/// How a [`Terminal`] shows things.
#[derive(Debug, Clone)]
pub struct TerminalSettings {
    /// How progress is shown.
    pub progress: ProgressMode,
    /// Whether failures, warnings and the like are told at once. The summary tells them again.
    pub notices: Option<Verbosity>,
    /// Whether text is shown as it comes; what was shown is written down here.
    pub live: Option<Shown>,
    /// Colours.
    pub paint: Paint,
}

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verbosity {
    /// What a person should know.
    Usual,
    /// Each retry, each change of a lane, each file as well.
    Verbose,
}

/// Shows a run to people.
#[derive(Debug)]
pub struct Terminal {
    printer: Printer,
    progress: Progress,
    notices: Option<Notices>,
    live: Option<Live>,
}

#[derive(Debug)]
enum Progress {
    Bars(Bars),
    Lines(Lines),
    None,
}

impl Terminal {
    /// Writes to `printer`; bars go to standard error, whatever it is.
    pub fn new(printer: Printer, settings: TerminalSettings) -> Self {
        let progress = match settings.progress {
            ProgressMode::Bars => Progress::Bars(Bars::new(settings.paint)),
            ProgressMode::Lines => Progress::Lines(Lines::new()),
            ProgressMode::None => Progress::None,
        };
        let whole_lines = matches!(progress, Progress::Bars(_));
        let paint = settings.paint;
        Self {
            printer,
            progress,
            notices: settings.notices.map(|verbosity| Notices::new(verbosity == Verbosity::Verbose, paint)),
            live: settings.live.map(|shown| Live::new(whole_lines, shown)),
        }
    }

    fn write(&mut self, text: &str) {
        match &mut self.progress {
            Progress::Bars(bars) => bars.print(text),
            _ => self.printer.text(text),
        }
    }

    fn say(&mut self, line: &str) {
        let way = self.live.as_mut().map_or("", Live::make_way);
        self.write(&format!("{way}{line}\n"));
    }
}

impl Watcher for Terminal {
    fn event(&mut self, event: &RunEvent, tally: &Tally) {
        if let Some(live) = &mut self.live {
            let text = live.event(&event.kind, tally);
            self.write(&text);
        }
        if let Some(line) = self.notices.as_ref().and_then(|notices| notices.event(&event.kind, tally)) {
            self.say(&line);
        }
        if let (Progress::Bars(_), Some(line)) = (&self.progress, first_line(&event.kind)) {
            self.say(&line);
        }
        if let Progress::Lines(lines) = &mut self.progress {
            for line in lines.event(&event.kind, tally) {
                self.say(&line);
            }
        }
    }

    fn tick(&mut self, tally: &Tally, now: Timestamp) {
        match &mut self.progress {
            Progress::Bars(bars) => bars.draw(tally, now),
            Progress::Lines(lines) => {
                for line in lines.tick(tally, now) {
                    self.say(&line);
                }
            }
            Progress::None => {}
        }
    }

    fn finish(&mut self, _tally: &Tally) -> Option<String> {
        if let Some(live) = &mut self.live {
            let way = live.make_way();
            self.write(way);
        }
        if let Progress::Bars(bars) = &mut self.progress {
            bars.clear();
        }
        None
    }
}
