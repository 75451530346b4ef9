//! Those who watch a run: what happened is folded once, into a [`Tally`], and everybody reads it.
//!
//! The [`Hub`] hands each event to the fold and then to its [`Watcher`]s: the [`Terminal`] (bars or lines, and live
//! text) and [`EventLines`] (JSON lines). When the run is over, [`summary`] says what became of it and [`Exit`] turns its
//! outcome into the number that the shell sees.
//!
//! A watcher can't steer: nothing here reaches the run, and what can't be printed is not printed. The texts are made by
//! pure functions; writing them is one place, [`Printer`].

mod bars;
mod clock;
mod columns;
mod events;
mod exit;
mod failures;
mod hub;
mod line;
mod lines;
mod live;
mod notices;
mod paint;
mod printer;
#[cfg(test)]
mod sample;
mod stage_view;
mod summary;
mod tally;
mod terminal;
mod wording;

pub use columns::{Side, harmless, one_line, table};
pub use events::EventLines;
pub use exit::Exit;
pub use failures::{FailureGroup, Failures};
pub use hub::{Hub, Watched, Watcher};
pub use live::Shown;
pub use paint::Paint;
pub use printer::Printer;
pub use stage_view::{SavedFiles, StageView};
pub use summary::{SummaryView, problems, summary};
pub use tally::{LaneView, Tally};
pub use terminal::{ProgressMode, Terminal, TerminalSettings, Verbosity};
pub use wording::{lane_name, short_number};
