//! The flags of `chat`.

use std::path::PathBuf;

use crate::cli::args::{DisplayArgs, count};
use crate::cli::model_arg::ModelArg;

#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct ChatArgs {
    /// What is asked, once; what comes through a pipe is put below it. Without either there is a conversation
    #[arg(value_name = "MESSAGE")]
    pub(super) message: Vec<String>,

    /// What the model is told first
    #[arg(long, value_name = "TEXT")]
    pub(super) system: Option<String>,

    /// The longest answer, in tokens
    #[arg(long, value_name = "N", value_parser = count)]
    pub(super) max_tokens: Option<u64>,

    /// Whom to ask: `pollinations`, `openai`, `ollama`, `offline`; else `BLOSSOM_PROVIDER`, else `pollinations`
    #[arg(long, value_name = "NAME", help_heading = "Providers")]
    pub(super) provider: Option<String>,

    /// Which model answers; `image=NAME` is for pictures
    #[arg(long = "model", value_name = "[KIND=]NAME", value_parser = ModelArg::parse, help_heading = "Providers")]
    pub(super) models: Vec<ModelArg>,

    /// Let the built-in provider answer: no service, no key, no cost
    #[arg(long, conflicts_with = "provider", help_heading = "Providers")]
    pub(super) offline: bool,

    /// Keep answers in this folder, and use those that are there; else nothing is kept
    #[arg(long, value_name = "DIR", help_heading = "Keeping")]
    pub(super) store: Option<PathBuf>,

    #[command(flatten)]
    pub(in crate::cli) display: DisplayArgs,
}
