//! The whole machine for those who use it: a file is opened and checked, a plan is run, shown, drawn.
//!
//! [`check`] gives a [`Plan`](crate::plan::Plan) or says what is wrong; [`run`] gives a [`Running`] and its events. Programs,
//! the command line and servers all come this way. This room prints nothing.

mod estimate;
mod fallbacks;
mod forecast;
mod forecast_notes;
mod foreseen;
mod graph;
mod money;
mod open;
mod outline;
mod pick;
mod providers;
mod run;
mod show;
mod shown_item;
mod shown_talk;
mod why;

pub use crate::client::{EventStream, Halt, HaltReason};
pub use crate::exec::{Finished, Fresh, Output};
pub use crate::plan::WantedOutputs;
pub use crate::store::{NewTape, Store, StoreError, Tape};
pub use estimate::{PriceOf, Range};
pub use forecast::{Bounds, Counts, Forecast, ForecastOptions, StageForecast, Total, forecast};
pub use graph::{GraphEdge, GraphStage, GraphView, graph};
pub use money::{KnownPrices, prices};
pub use open::{COMMAND_LINE, Checked, Request, check};
pub use outline::{changed_parts, outline};
pub use providers::models;
pub use run::{Kept, RunOptions, Running, TapeUse, run};
pub use show::{Shown, show};
pub use why::{KeptAt, Reason, Why, why};
