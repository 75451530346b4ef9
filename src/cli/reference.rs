//! `completions` and `man`: what shells and manuals want to know.

use anyhow::Result;

use crate::sink::Exit;

use super::args::{Command, CompletionsArgs};
use super::{manual, stdout};

pub(super) fn completions(args: &CompletionsArgs) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Command::grammar(), "blossom-run", &mut script);
    stdout::print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

pub(super) fn man() -> Result<Exit> {
    stdout::print(&manual::page()?)?;
    Ok(Exit::Done)
}
