//! `show`: the request of a stage, before it is sent.

use anyhow::Result;

use crate::engine;
use crate::sink::{Exit, one_line};

use super::args::ShowArgs;
use super::fault::Fault;
use super::inputs::{self, Purpose};
use super::pipeline::{locate, planned};
use super::plan::runtime;
use super::settings::{Settings, Surroundings};
use super::stdout;

pub(super) fn show(args: &ShowArgs) -> Result<Exit> {
    let settings = Settings::of(&args.display, Surroundings::detect());
    let located = locate(&args.pipeline)?;
    let request = inputs::request(&located.file, &args.request, Purpose::Use)?;
    let Some(plan) = planned(&located, &request, &settings)? else { return Ok(Exit::Invalid) };
    inputs::one_reader(&args.request, &plan)?;
    let runtime = runtime()?;
    let shown = runtime.block_on(engine::show(&plan, &args.stage, args.item.as_deref()));
    runtime.shutdown_background();
    let shown =
        shown.map_err(|failure| Fault { exit: Exit::Usage, message: failure.message, help: failure.suggestion })?;
    if !settings.quiet {
        for note in &shown.notes {
            stdout::error(&format!("note: {}\n", one_line(note)));
        }
    }
    stdout::print(&format!("{}\n", shown.text.trim_end_matches('\n')))?;
    Ok(Exit::Done)
}
