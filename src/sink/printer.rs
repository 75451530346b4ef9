//! The one place where watchers write.

use std::fmt;
use std::io::{self, Write};

use super::columns::harmless;

/// Writes until that fails, then nothing more: a broken pipe ends the printing, not the run.
pub struct Printer {
    out: Option<Box<dyn Write + Send>>,
    /// Whether what a terminal would obey is left out.
    harmless: bool,
    problem: Option<io::Error>,
}

impl Printer {
    /// Writes to `out`.
    pub fn new(out: impl Write + Send + 'static) -> Self {
        Self { out: Some(Box::new(out)), harmless: false, problem: None }
    }

    /// The same for lines that a terminal shows, if it is one: it would obey what other programs need as it is.
    #[must_use]
    pub fn shown(mut self, on_terminal: bool) -> Self {
        self.harmless = on_terminal;
        self
    }

    /// Writes to standard error.
    pub fn stderr() -> Self {
        Self::new(io::stderr())
    }

    /// Writes `text` and brings it out at once.
    pub fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.attempt(|out| out.write_all(text.as_bytes()).and_then(|()| out.flush()));
        }
    }

    /// Writes `line` and ends it; it comes out with the next [`Printer::flush`] at the latest.
    pub fn line(&mut self, line: &str) {
        let line = if self.harmless { harmless(line) } else { line.into() };
        self.attempt(|out| out.write_all(line.as_bytes()).and_then(|()| out.write_all(b"\n")));
    }

    /// Brings out what is held back.
    pub fn flush(&mut self) {
        self.attempt(|out| out.flush());
    }

    fn attempt(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        let Some(out) = &mut self.out else { return };
        if let Err(error) = write(out) {
            self.out = None;
            // Whoever read has gone, and knows it.
            if error.kind() != io::ErrorKind::BrokenPipe {
                self.problem = Some(error);
            }
        }
    }

    /// What ended the writing, unless it was a broken pipe.
    pub fn problem(&self) -> Option<&io::Error> {
        self.problem.as_ref()
    }
}

impl fmt::Debug for Printer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Printer").field("open", &self.out.is_some()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    struct Breaks {
        after: usize,
        with: io::ErrorKind,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Breaks {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.after == 0 {
                return Err(self.with.into());
            }
            self.after -= 1;
            self.written.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_broken_pipe_ends_the_printing_in_silence() {
        let written = Arc::default();
        let mut printer =
            Printer::new(Breaks { after: 1, with: io::ErrorKind::BrokenPipe, written: Arc::clone(&written) });
        for line in ["one", "two", "three"] {
            printer.text(line);
        }
        assert_eq!(*written.lock().unwrap(), b"one");
        assert!(printer.problem().is_none());
    }

    #[test]
    fn a_terminal_gets_nothing_to_obey() {
        for (on_terminal, shown) in [(true, "a[2J\n"), (false, "a\u{9b}[2J\n")] {
            let written = Arc::default();
            let out = Breaks { after: 2, with: io::ErrorKind::BrokenPipe, written: Arc::clone(&written) };
            Printer::new(out).shown(on_terminal).line("a\u{9b}[2J");
            assert_eq!(*written.lock().unwrap(), shown.as_bytes());
        }
    }

    #[test]
    fn a_full_disk_is_remembered() {
        let mut printer = Printer::new(Breaks { after: 0, with: io::ErrorKind::StorageFull, written: Arc::default() });
        printer.line("one");
        printer.flush();
        assert_eq!(printer.problem().map(io::Error::kind), Some(io::ErrorKind::StorageFull));
    }
}
