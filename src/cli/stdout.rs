//! The two streams of the program, for what commands print themselves.

use std::borrow::Cow;
use std::io::{self, ErrorKind, IsTerminal, Write};

use anyhow::Result;

use crate::sink::{Exit, harmless};

use super::fault::Fault;

/// Prints on standard output: on a terminal without what it would obey, elsewhere as it is. Whoever stops reading has
/// read enough.
pub(super) fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    let text = if out.is_terminal() { harmless(text) } else { text.into() };
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Fault::unwritable(format!("standard output can't be written: {error}"), None).into())
        }
        _ => Ok(()),
    }
}

/// Prints on standard error. If nobody can read it, there is nobody to tell.
pub(super) fn error(text: &str) {
    io::stderr().lock().write_all(text.as_bytes()).ok();
}

/// Prints what the reader of flags has to say: help on standard output, wrong usage on standard error.
pub(super) fn help(message: &clap::Error) -> Exit {
    let plain = message.to_string();
    match harmless(&plain) {
        Cow::Borrowed(_) => message.print().ok(),
        // A word of the command line that a terminal would obey: its colours are not worth it.
        Cow::Owned(text) => io::stderr().lock().write_all(text.as_bytes()).ok(),
    };
    if message.use_stderr() { Exit::Usage } else { Exit::Done }
}
