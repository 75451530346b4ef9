//! The flags of commands that look back at runs, or go on with one.

use std::path::PathBuf;
use std::time::Duration;

use crate::model::Units;

use super::args::{DisplayArgs, ProgressArg, concurrency};
use super::limits::LimitArgs;

#[derive(Debug, Clone, clap::Args)]
pub(super) struct ResumeArgs {
    /// The run, by its name or the beginning or end of it; the latest that has not come to its end if none is named
    #[arg(value_name = "RUN")]
    pub(super) run: Option<String>,
    /// The store; found as for a run if none is named
    #[arg(long, value_name = "DIR", help_heading = "Keeping")]
    pub(super) store: Option<PathBuf>,
    #[command(flatten)]
    pub(super) limits: LimitArgs,
    /// Send at most N requests at once, over all stages
    #[arg(long, value_name = "N", value_parser = concurrency, help_heading = "Running")]
    pub(super) concurrency: Option<u32>,
    /// Show text on standard error as it comes
    #[arg(long, help_heading = "Printing")]
    pub(super) stream: bool,
    /// Print one JSON document on standard output at the end
    #[arg(long, help_heading = "Printing")]
    pub(super) json: bool,
    /// Write events as JSON lines to this file as they happen
    #[arg(long, value_name = "FILE", help_heading = "Printing")]
    pub(super) events: Option<PathBuf>,
    /// Show progress as bars, as plain lines, or not at all
    #[arg(long, value_name = "HOW", value_enum, default_value_t, help_heading = "Printing")]
    pub(super) progress: ProgressArg,
    #[command(flatten)]
    pub(super) display: DisplayArgs,
    /// Report each retry, each pause and each file as well
    #[arg(short, long, help_heading = "Printing", conflicts_with = "quiet")]
    pub(super) verbose: bool,
}

#[derive(Debug, Clone, clap::Args)]
pub(super) struct RunsArgs {
    /// The run, by its name or the beginning or end of it; `last` is the latest
    #[arg(value_name = "RUN")]
    pub(super) run: Option<String>,
    /// A stage of it: its items that did not come out
    #[arg(value_name = "STAGE", requires = "run")]
    pub(super) stage: Option<String>,
    /// An item of that stage by its key: each request, with its whole answer; for a stage outside of loops its own name
    #[arg(value_name = "ITEM", requires = "stage")]
    pub(super) item: Option<String>,
    /// Remove runs that ended longer ago than this, and their requests that brought no answer; answers stay
    #[arg(long, value_name = "AGE", value_parser = age, conflicts_with = "run")]
    pub(super) prune: Option<Duration>,
    /// Print JSON
    #[arg(long, help_heading = "Printing")]
    pub(super) json: bool,
    /// The store; found as for a run if none is named
    #[arg(long, value_name = "DIR", help_heading = "Keeping")]
    pub(super) store: Option<PathBuf>,
    #[command(flatten)]
    pub(super) display: DisplayArgs,
}

/// How old something is.
fn age(text: &str) -> Result<Duration, String> {
    Units::duration(text).map_err(|error| format!("it {error}; {}", error.help))
}
