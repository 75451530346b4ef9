//! One question and its answer, for command lines and pipes.

use anyhow::Result;
use tokio::runtime::Runtime;

use crate::sink::Exit;

use super::fault;
use super::screen::Screen;
use super::talk::{Heard, Talk};

/// Asks once: the answer goes to standard output as it comes.
pub(super) fn ask(talk: &mut Talk, message: String, runtime: &Runtime, screen: &mut impl Screen) -> Result<Exit> {
    match talk.say(message, runtime, screen)? {
        Heard::Answer => Ok(Exit::Done),
        Heard::Failed(error) => Err(fault(&error).into()),
        Heard::Stopped(exit) => Ok(exit),
    }
}
