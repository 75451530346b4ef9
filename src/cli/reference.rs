//! `completions` and `man`: what shells and manuals want to know.

use anyhow::Result;

use crate::sink::Exit;

use super::args::{Command, CompletionsArgs};
use super::stdout;

pub(super) fn completions(args: &CompletionsArgs) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Command::grammar(), "blossom-run", &mut script);
    stdout::print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

pub(super) fn man() -> Result<Exit> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Command::grammar()).render(&mut page)?;
    stdout::print(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Done)
}
