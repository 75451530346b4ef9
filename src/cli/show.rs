//! `show`: the request of a stage, before it is sent.

use anyhow::Result;

use crate::engine;
use crate::sink::Exit;

use super::args::ShowArgs;
use super::fault::Fault;
use super::inputs::{self, Purpose};
use super::pipeline::{locate, planned};
use super::settings::{Settings, Surroundings};
use super::stdout;

pub(super) fn show(args: &ShowArgs) -> Result<Exit> {
    let settings = Settings::of(&args.display, Surroundings::detect());
    let located = locate(&args.pipeline)?;
    let request = inputs::request(&located.file, &args.request, Purpose::Use)?;
    let Some(plan) = planned(&request, &settings) else { return Ok(Exit::Invalid) };
    let text = engine::show(&plan, &args.stage, args.item.as_deref()).map_err(|failure| Fault {
        exit: Exit::Usage,
        message: failure.message,
        help: failure.suggestion,
    })?;
    stdout::print(&format!("{}\n", text.trim_end_matches('\n')))?;
    Ok(Exit::Done)
}
