//! The flags of commands that look ahead of a run.

use std::path::PathBuf;

use super::args::{DisplayArgs, RequestArgs, count};

/// What a run would be asked, for whoever looks ahead of it.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct LookingArgs {
    #[command(flatten)]
    pub(super) request: RequestArgs,

    /// Look at these stages and what they need
    #[arg(long, value_name = "STAGE", value_delimiter = ',', help_heading = "Running")]
    pub(super) only: Vec<String>,

    /// Take the first N items of every list that comes from an input
    #[arg(long, value_name = "N", value_parser = count, help_heading = "Running")]
    pub(super) limit: Option<u64>,

    /// The folder with what is kept; else `BLOSSOM_STORE`, else the nearest `.blossom` in the working directory or above
    #[arg(long, value_name = "DIR", help_heading = "Keeping")]
    pub(super) store: Option<PathBuf>,

    /// As if calls were made anew although an answer is kept: all of them, those of stages, or of single items
    #[arg(long, value_name = "STAGE[/ITEM],..", num_args = 0..=1, require_equals = true, default_missing_value = "*",
          help_heading = "Keeping")]
    pub(super) fresh: Option<String>,

    #[command(flatten)]
    pub(super) display: DisplayArgs,
}

#[derive(Debug, Clone, clap::Args)]
pub(super) struct PlanArgs {
    /// A pipeline file, a folder with a `pipeline.yaml`, or the name of a shipped template
    #[arg(value_name = "PIPELINE")]
    pub(super) pipeline: String,
    #[command(flatten)]
    pub(super) looking: LookingArgs,
    /// Print JSON
    #[arg(long, help_heading = "Printing")]
    pub(super) json: bool,
}

#[derive(Debug, Clone, clap::Args)]
pub(super) struct WhyArgs {
    /// A pipeline file, a folder with a `pipeline.yaml`, or the name of a shipped template
    #[arg(value_name = "PIPELINE")]
    pub(super) pipeline: String,
    /// The stage
    #[arg(value_name = "STAGE")]
    pub(super) stage: String,
    /// The item: its key as progress and summary name it (`de/checkout` in nested loops), or `#7`, the seventh of all
    /// items of the stage that are known; the first one if none is named
    #[arg(value_name = "ITEM")]
    pub(super) item: Option<String>,
    #[command(flatten)]
    pub(super) looking: LookingArgs,
}
