//! The two streams of the program, for what commands print themselves.

use std::io::{self, ErrorKind, Write};

use anyhow::Result;

use crate::sink::Exit;

use super::fault::Fault;

/// Prints on standard output. Whoever stops reading has read enough.
pub(super) fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
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
    message.print().ok();
    if message.use_stderr() { Exit::Usage } else { Exit::Done }
}
