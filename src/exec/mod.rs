//! Runs a plan: which instances are ready, one buffered stream for each stage, joins, the end.
//!
//! [`execute`] takes a [`Plan`](crate::plan::Plan) and a [`Client`](crate::client::Client) and tells everything as
//! events. The state of a run (`frontier`) knows no task and no clock; the tasks (`instance`) know no other instance.
//! This room prints nothing and parses nothing.

mod asks;
mod chain;
mod collection;
mod context;
mod cursor;
mod early;
mod expected;
mod forecast;
mod frame;
mod fresh;
mod frontier;
mod instance;
mod job;
mod journal;
mod lists;
mod order;
mod outputs;
mod path_set;
mod pictures;
mod preview;
mod queue;
mod reading;
mod ready;
mod request;
mod row_place;
mod rows;
mod run;
mod save;
mod settle;
mod shelf;
mod talk;
mod tape;

pub use forecast::{Fate, ForecastParts, Planned, Prospect, forecast};
pub use fresh::{Fresh, Target};
pub use journal::Journal;
pub use outputs::Output;
pub use preview::{Asks, Preview, Sketch};
pub use run::{Finished, RunParts, execute};
pub use tape::RunTape;
