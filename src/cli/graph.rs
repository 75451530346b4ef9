//! `graph`: which stage reads which.

use anyhow::Result;

use crate::engine;
use crate::sink::Exit;

use super::args::{GraphArgs, GraphFormat};
use super::graph_text::{dot, mermaid, text};
use super::inputs::{self, Purpose};
use super::pipeline::{locate, planned};
use super::settings::{Settings, Surroundings};
use super::stdout;

pub(super) fn graph(args: &GraphArgs) -> Result<Exit> {
    let settings = Settings::of(&args.display, Surroundings::detect());
    let located = locate(&args.pipeline)?;
    let request = inputs::request(&located.file, &args.request, Purpose::Look)?;
    let Some(plan) = planned(&located, &request, &settings)? else { return Ok(Exit::Invalid) };
    let view = engine::graph(&plan);
    stdout::print(&match args.format {
        GraphFormat::Text => text(&view),
        GraphFormat::Mermaid => mermaid(&view),
        GraphFormat::Dot => dot(&view),
    })?;
    Ok(Exit::Done)
}
