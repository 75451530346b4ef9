//! What follows from flags, terminal and environment: resolved once, then only read.

use std::ffi::OsStr;
use std::io::IsTerminal;

use console::Term;

use crate::diag::DrawStyle;
use crate::sink::{Paint, ProgressMode, Shown, TerminalSettings, Verbosity};

use super::args::{ColorArg, DisplayArgs, ProgressArg, RunArgs};

/// Columns where there is no terminal to ask.
const USUAL_WIDTH: usize = 100;

/// Where the program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Surroundings {
    pub(super) stdout_is_terminal: bool,
    pub(super) stderr_is_terminal: bool,
    /// `CI` is set.
    pub(super) ci: bool,
    /// `NO_COLOR` is set.
    pub(super) no_color: bool,
    /// The terminal can't move its cursor.
    pub(super) dumb: bool,
    /// Columns of the terminal.
    pub(super) width: usize,
}

impl Surroundings {
    /// Asks terminal and environment.
    pub(super) fn detect() -> Self {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is = |name, word| std::env::var_os(name).is_some_and(|value| value == word);
        Self {
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            ci: set("CI") && !is("CI", "false") && !is("CI", "0"),
            no_color: set("NO_COLOR"),
            dumb: is_dumb(std::env::var_os("TERM").as_deref()),
            width: Term::stderr().size_checked().map_or(USUAL_WIDTH, |(_, columns)| columns.into()),
        }
    }

    /// Whether errors may be coloured where no flag says otherwise.
    pub(super) fn may_colour_errors(&self) -> bool {
        self.stderr_is_terminal && !self.is_plain()
    }

    fn is_plain(&self) -> bool {
        self.ci || self.no_color || self.dumb
    }
}

/// Whether a terminal of this name can't move its cursor. Windows names none, and its terminals can.
fn is_dumb(term: Option<&OsStr>) -> bool {
    match term {
        Some(name) if !name.is_empty() => name == "dumb",
        _ => cfg!(unix),
    }
}

/// How a command shows things.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) paint: Paint,
    pub(super) width: usize,
    /// Columns of the terminal that standard error is, if it is one.
    pub(super) terminal_width: Option<usize>,
    pub(super) quiet: bool,
    verbose: bool,
    progress: ProgressMode,
    /// Texts that were shown live, if any are.
    live: Option<Shown>,
    one_terminal: bool,
}

impl Settings {
    /// For a command that runs nothing.
    pub(super) fn of(display: &DisplayArgs, around: Surroundings) -> Self {
        let colour = match display.color {
            ColorArg::Always => true,
            ColorArg::Never => false,
            ColorArg::Auto => around.may_colour_errors(),
        };
        Self {
            paint: Paint::new(colour),
            width: around.width,
            terminal_width: around.stderr_is_terminal.then_some(around.width),
            quiet: display.quiet,
            verbose: false,
            progress: ProgressMode::None,
            live: None,
            one_terminal: around.stdout_is_terminal && around.stderr_is_terminal,
        }
    }

    /// For a run.
    pub(super) fn of_run(args: &RunArgs, around: Surroundings) -> Self {
        let bars_fit = around.stderr_is_terminal && !around.is_plain();
        let progress = match args.progress {
            ProgressArg::None => ProgressMode::None,
            ProgressArg::Bars if around.stderr_is_terminal => ProgressMode::Bars,
            ProgressArg::Auto if args.display.quiet => ProgressMode::None,
            // Text that comes letter by letter needs the last line for itself.
            ProgressArg::Auto if bars_fit && !args.stream => ProgressMode::Bars,
            ProgressArg::Lines | ProgressArg::Bars | ProgressArg::Auto => ProgressMode::Lines,
        };
        let live = args.stream.then(Shown::default);
        Self { progress, live, verbose: args.verbose, ..Self::of(&args.display, around) }
    }

    /// How mistakes are drawn.
    pub(super) fn draw_style(&self) -> DrawStyle {
        DrawStyle { colour: self.paint.is_enabled(), width: self.width, wrap: self.terminal_width.is_some() }
    }

    /// How a run is shown.
    pub(super) fn terminal(&self) -> TerminalSettings {
        let verbosity = if self.verbose { Verbosity::Verbose } else { Verbosity::Usual };
        // Without progress the summary is soon enough, unless somebody wants to hear everything.
        let tell = self.progress != ProgressMode::None || self.verbose || self.live.is_some();
        TerminalSettings {
            progress: self.progress,
            notices: tell.then_some(verbosity),
            live: self.live.clone(),
            paint: self.paint,
        }
    }

    /// Whether `text` has been shown live on the terminal that standard output goes to.
    pub(super) fn was_shown(&self, text: &str) -> bool {
        self.one_terminal && self.live.as_ref().is_some_and(|shown| shown.contains(text))
    }
}

#[cfg(test)]
mod tests {
    use super::super::args::Command;
    use super::*;

    const TERMINAL: Surroundings = Surroundings {
        stdout_is_terminal: true,
        stderr_is_terminal: true,
        ci: false,
        no_color: false,
        dumb: false,
        width: 80,
    };
    const PIPE: Surroundings = Surroundings { stdout_is_terminal: false, stderr_is_terminal: false, ..TERMINAL };

    fn settings(flags: &str, around: Surroundings) -> Settings {
        let words = ["blossom-run", "run", "x"].into_iter().chain(flags.split_whitespace());
        let Command::Run(run) = Command::read(words.map(Into::into)).unwrap() else { panic!("no run") };
        Settings::of_run(&run, around)
    }

    #[test]
    fn bars_and_colours_are_for_terminals() {
        use ProgressMode::{Bars, Lines, None};
        for (flags, around, progress, colour) in [
            ("", TERMINAL, Bars, true),
            ("", PIPE, Lines, false),
            ("", Surroundings { ci: true, ..TERMINAL }, Lines, false),
            ("", Surroundings { no_color: true, ..TERMINAL }, Lines, false),
            ("", Surroundings { dumb: true, ..TERMINAL }, Lines, false),
            ("--stream", TERMINAL, Lines, true),
            ("-q", TERMINAL, None, true),
            ("--progress bars", PIPE, Lines, false),
            ("--progress bars", Surroundings { no_color: true, ..TERMINAL }, Bars, false),
            ("--progress none --color never", TERMINAL, None, false),
            ("--color always", PIPE, Lines, true),
        ] {
            let settings = settings(flags, around);
            assert_eq!((settings.progress, settings.paint.is_enabled()), (progress, colour), "{flags} {around:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_terminal_without_a_name_is_dumb() {
        let dumb = [None, Some(""), Some("dumb"), Some("xterm")].map(|name| is_dumb(name.map(OsStr::new)));
        assert_eq!(dumb, [true, true, true, false]);
    }

    #[test]
    fn only_the_terminal_itself_has_seen_live_text() {
        for (around, seen) in [(TERMINAL, true), (Surroundings { stdout_is_terminal: false, ..TERMINAL }, false)] {
            let settings = settings("--stream", around);
            assert!(!settings.was_shown("a story"));
            assert_eq!(settings.one_terminal, seen);
        }
    }
}
