//! The flags as they are typed.

use std::ffi::OsString;
use std::num::IntErrorKind;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args as _, FromArgMatches as _, Subcommand, ValueEnum};

use crate::sink::Exit;

use super::ahead_args::{PlanArgs, WhyArgs};
use super::chat::ChatArgs;
use super::history_args::{ResumeArgs, RunsArgs};
use super::inputs::InputArg;
use super::limits::LimitArgs;
use super::model_arg::ModelArg;

pub(super) const EXAMPLES: &str = "\
Examples:
  blossom-run digest --offline                 run a shipped template without a service or a key
  blossom-run new digest mine                  copy it, and change what `mine` holds
  blossom-run my.yaml -i tone=dry -i articles=news.jsonl
  blossom-run my.yaml --only summarize --limit 3 --print summarize
  blossom-run check my.yaml                    every mistake in it, with line and column

A file or folder that is called like a command is run as `./check` or `run check`.";

/// What was asked for.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a pipeline; the word may be left out
    Run(Box<RunArgs>),
    /// Show every mistake in pipeline files; nothing is called, no key is needed
    Check(CheckArgs),
    /// Show the request of a stage as it would be sent; what is not known yet stands as <name>
    #[expect(rustdoc::invalid_html_tags, reason = "the help shows it as it stands")]
    Show(ShowArgs),
    /// Count what a run would do, and estimate what it costs; no call is made, nothing is written
    Plan(Box<PlanArgs>),
    /// Tell why a call would be made again: the fields that differ from what is kept
    Why(Box<WhyArgs>),
    /// Draw which stage reads which
    Graph(GraphArgs),
    /// Copy a shipped template into a folder
    New(NewArgs),
    /// List the shipped templates
    Templates,
    /// List the models of a provider
    Models(ModelsArgs),
    /// Talk with a model, or ask it once: `chat MESSAGE`, or through a pipe
    Chat(ChatArgs),
    /// Go on with a run: all that was not started, was interrupted or has failed
    Resume(ResumeArgs),
    /// Show what happened: all runs, one run, a stage of it, or each request for an item
    Runs(RunsArgs),
    /// Print completions for a shell
    Completions(CompletionsArgs),
    /// Print the manual page
    Man,
}

#[derive(Debug, Clone, clap::Args)]
pub(super) struct RunArgs {
    /// A pipeline file, a folder with a `pipeline.yaml`, or the name of a shipped template
    #[arg(value_name = "PIPELINE")]
    pub(super) pipeline: String,

    // Else a word too many is taken for a command that does not exist.
    #[arg(hide = true)]
    too_many: Vec<String>,

    #[command(flatten)]
    pub(super) request: RequestArgs,

    /// Write outputs to this folder
    #[arg(long, value_name = "DIR", default_value = "out", help_heading = "Running")]
    pub(super) out: PathBuf,

    /// Run these stages and what they need
    #[arg(long, value_name = "STAGE", value_delimiter = ',', help_heading = "Running")]
    pub(super) only: Vec<String>,

    /// Take the first N items of every list that comes from an input
    #[arg(long, value_name = "N", value_parser = count, help_heading = "Running")]
    pub(super) limit: Option<u64>,

    /// Send at most N requests at once, over all stages
    #[arg(long, value_name = "N", value_parser = concurrency, help_heading = "Running")]
    pub(super) concurrency: Option<u32>,

    /// Keep answers in this folder, and use those that are there; else `BLOSSOM_STORE`, else the nearest `.blossom` in
    /// the working directory or above it, else a new one here
    #[arg(long, value_name = "DIR", help_heading = "Keeping")]
    pub(super) store: Option<PathBuf>,

    /// Make calls anew although an answer is kept: all of them, those of stages, or of single items
    #[arg(long, value_name = "STAGE[/ITEM],..", num_args = 0..=1, require_equals = true, default_missing_value = "*",
          help_heading = "Keeping")]
    pub(super) fresh: Option<String>,

    /// Put every answer that is used on this tape, in place of one that is there
    #[arg(long, value_name = "TAPE", help_heading = "Keeping")]
    pub(super) record: Option<PathBuf>,

    /// Take every answer from this tape: nothing is sent, no store and no key is needed
    #[arg(long, value_name = "TAPE", conflicts_with_all = ["record", "store", "fresh"], help_heading = "Keeping")]
    pub(super) replay: Option<PathBuf>,

    #[command(flatten)]
    pub(super) limits: LimitArgs,

    /// Show text on standard error as it comes
    #[arg(long, help_heading = "Printing")]
    pub(super) stream: bool,

    /// Print one JSON document on standard output at the end
    #[arg(long, help_heading = "Printing", conflicts_with = "print")]
    pub(super) json: bool,

    /// Print just this output
    #[arg(long, value_name = "NAME", help_heading = "Printing")]
    pub(super) print: Option<String>,

    /// Write events as JSON lines to this file as they happen; `-` is standard output, in place of outputs
    #[arg(long, value_name = "FILE", help_heading = "Printing")]
    pub(super) events: Option<PathBuf>,

    /// Show progress as bars, as plain lines, or not at all
    #[arg(long, value_name = "HOW", value_enum, default_value_t, help_heading = "Printing")]
    pub(super) progress: ProgressArg,

    #[command(flatten)]
    pub(super) display: DisplayArgs,

    /// Report each retry, each pause and each file as well
    #[arg(short, long, help_heading = "Printing", conflicts_with = "quiet")]
    pub(super) verbose: bool,
}

/// What is asked for, whatever is done with it.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct RequestArgs {
    /// Set an input; `NAME=@FILE` reads the value from a file, `NAME=@@..` stands for a value that begins with an @
    #[arg(short, long = "input", value_name = "NAME=VALUE", value_parser = InputArg::parse, help_heading = "Inputs")]
    pub(super) inputs: Vec<InputArg>,

    /// Set inputs from a mapping in a YAML or JSON file; `-i` takes precedence
    #[arg(long = "inputs", value_name = "FILE", help_heading = "Inputs")]
    pub(super) inputs_file: Option<PathBuf>,

    /// Use this provider where a stage names none
    #[arg(long, value_name = "NAME", help_heading = "Providers")]
    pub(super) provider: Option<String>,

    /// Use this model where a stage names none; `image=NAME` is for image stages
    #[arg(long = "model", value_name = "[KIND=]NAME", value_parser = ModelArg::parse, help_heading = "Providers")]
    pub(super) models: Vec<ModelArg>,

    /// Answer every call from the built-in provider: no service, no key, no cost
    #[arg(long, conflicts_with = "provider", help_heading = "Providers")]
    pub(super) offline: bool,
}

/// How things are shown.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct DisplayArgs {
    /// Use colours
    #[arg(long, value_name = "WHEN", value_enum, default_value_t, help_heading = "Printing")]
    pub(super) color: ColorArg,

    /// Report problems only
    #[arg(short, long, help_heading = "Printing")]
    pub(super) quiet: bool,
}

#[derive(Debug, Clone, clap::Args)]
pub(super) struct CheckArgs {
    /// Pipeline files, folders with a `pipeline.yaml`, or names of shipped templates
    #[arg(value_name = "PIPELINE", required = true)]
    pub(super) pipelines: Vec<String>,
    #[command(flatten)]
    pub(super) request: RequestArgs,
    #[command(flatten)]
    pub(super) display: DisplayArgs,
}

#[derive(Debug, Clone, clap::Args)]
pub(super) struct ShowArgs {
    /// A pipeline file, a folder with a `pipeline.yaml`, or the name of a shipped template
    #[arg(value_name = "PIPELINE")]
    pub(super) pipeline: String,
    /// The stage
    #[arg(value_name = "STAGE")]
    pub(super) stage: String,
    /// The item: its key as progress and summary name it (`de/checkout` in nested loops), or `#7`, the seventh of all
    /// items of the stage; the first one if none is named
    #[arg(value_name = "ITEM")]
    pub(super) item: Option<String>,
    #[command(flatten)]
    pub(super) request: RequestArgs,
    #[command(flatten)]
    pub(super) display: DisplayArgs,
}

#[derive(Debug, Clone, clap::Args)]
pub(super) struct GraphArgs {
    /// A pipeline file, a folder with a `pipeline.yaml`, or the name of a shipped template
    #[arg(value_name = "PIPELINE")]
    pub(super) pipeline: String,
    /// How it is drawn
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: GraphFormat,
    #[command(flatten)]
    pub(super) request: RequestArgs,
    #[command(flatten)]
    pub(super) display: DisplayArgs,
}

#[derive(Debug, Clone, clap::Args)]
pub(super) struct NewArgs {
    /// The template, as `blossom-run templates` lists it
    #[arg(value_name = "TEMPLATE")]
    pub(super) template: String,
    /// The folder to make; called like the template if none is named
    #[arg(value_name = "FOLDER")]
    pub(super) folder: Option<PathBuf>,
}

#[derive(Debug, Clone, clap::Args)]
pub(super) struct ModelsArgs {
    /// A pipeline whose `providers` can be named as well
    #[arg(value_name = "PIPELINE")]
    pub(super) pipeline: Option<String>,
    /// The provider; the first of the pipeline, or else `pollinations`
    #[arg(long, value_name = "NAME")]
    pub(super) provider: Option<String>,
    #[command(flatten)]
    pub(super) display: DisplayArgs,
}

#[derive(Debug, Clone, clap::Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(super) shell: clap_complete::Shell,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorArg {
    /// On a terminal
    #[default]
    Auto,
    /// Everywhere
    Always,
    /// Nowhere
    Never,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ProgressArg {
    /// Bars on a terminal, lines elsewhere
    #[default]
    Auto,
    /// Bars at the bottom of the terminal
    Bars,
    /// A plain line now and then
    Lines,
    /// Nothing until the end
    None,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum GraphFormat {
    /// A line for each stage
    #[default]
    Text,
    /// For Markdown
    Mermaid,
    /// For Graphviz
    Dot,
}

/// A number of items.
pub(super) fn count(text: &str) -> Result<u64, String> {
    match text.parse::<u64>() {
        Ok(0) => Err("with 0 there is nothing to do; write 1 or more".to_owned()),
        Ok(count) => Ok(count),
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => {
            Err(format!("it is too large; write {} at most, or leave it out", u64::MAX))
        }
        Err(_) => Err("write a whole number from 1 on, in digits".to_owned()),
    }
}

/// A number of requests at once.
pub(super) fn concurrency(text: &str) -> Result<u32, String> {
    let too_large = |_| format!("it is too large; write {} at most, or leave it out", u32::MAX);
    count(text).and_then(|count| u32::try_from(count).map_err(too_large))
}

impl Command {
    /// Reads the words of the command line.
    ///
    /// # Errors
    /// Wrong usage; and help, which is no error but ends the reading as well.
    pub(super) fn read(words: impl Iterator<Item = OsString>) -> Result<Self, clap::Error> {
        let matches = Self::grammar().try_get_matches_from(words)?;
        let command = if matches.subcommand_name().is_some() {
            Self::from_arg_matches(&matches)?
        } else {
            Self::Run(Box::new(RunArgs::from_arg_matches(&matches)?))
        };
        let conflict = if let Self::Run(run) = &command { run.conflict() } else { None };
        match conflict {
            Some(conflict) => Err(Self::grammar().error(ErrorKind::ArgumentConflict, conflict)),
            None => Ok(command),
        }
    }

    /// How it is to show things.
    pub(super) fn display(&self) -> DisplayArgs {
        match self {
            Self::Run(args) => args.display.clone(),
            Self::Check(args) => args.display.clone(),
            Self::Show(args) => args.display.clone(),
            Self::Plan(args) => args.looking.display.clone(),
            Self::Why(args) => args.looking.display.clone(),
            Self::Graph(args) => args.display.clone(),
            Self::Models(args) => args.display.clone(),
            Self::Chat(args) => args.display.clone(),
            Self::Resume(args) => args.display.clone(),
            Self::Runs(args) => args.display.clone(),
            Self::New(_) | Self::Templates | Self::Completions(_) | Self::Man => DisplayArgs::default(),
        }
    }

    /// The grammar, for reading, completions and the manual page. Without a command it is that of `run`.
    pub(super) fn grammar() -> clap::Command {
        let codes: Vec<String> =
            Exit::TABLE.iter().map(|(exit, meaning)| format!("  {:<4} {meaning}", exit.code())).collect();
        let program = clap::Command::new("blossom-run")
            .version(env!("CARGO_PKG_VERSION"))
            .about("Run a pipeline of text, chat and image stages")
            .after_help(format!("{EXAMPLES}\n\nExit codes:\n{}", codes.join("\n")))
            .max_term_width(100);
        Self::augment_subcommands(RunArgs::augment_args(program))
            .about("Run a pipeline of text, chat and image stages")
            .args_conflicts_with_subcommands(true)
            .subcommand_negates_reqs(true)
            .arg_required_else_help(true)
            .mut_subcommands(|command| command.version(env!("CARGO_PKG_VERSION")).display_name("blossom-run"))
    }
}

impl RunArgs {
    /// Whether events go to standard output.
    pub(super) fn events_on_stdout(&self) -> bool {
        self.events.as_deref().is_some_and(|path| path.as_os_str() == "-")
    }

    fn conflict(&self) -> Option<String> {
        if let Some(word) = self.too_many.first() {
            if Command::has_subcommand(&self.pipeline) {
                let command = &self.pipeline;
                return Some(format!("`{command}` is a command: write it first, `blossom-run {command} {word}`"));
            }
            return Some(format!("unexpected `{word}`: a run takes one PIPELINE; inputs are set with `-i NAME=VALUE`"));
        }
        if self.events_on_stdout() && (self.json || self.print.is_some()) {
            return Some(
                "`--events -` takes standard output for itself; name a file, or leave `--json` and `--print` out"
                    .to_owned(),
            );
        }
        if self.request.inputs.iter().filter(|input| input.is_stdin()).count() > 1 {
            return Some(
                "standard input is the value of one input; write the other to a file: `-i NAME=@FILE`".to_owned(),
            );
        }
        let names = self.request.inputs.iter().map(|input| input.name.as_str()).collect::<Vec<_>>();
        let twice = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name));
        twice.map(|(_, name)| format!("input `{name}` is set twice; leave one `-i {name}=..` out"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::StageKindName;

    fn read(line: &str) -> Result<Command, clap::Error> {
        Command::read(std::iter::once("blossom-run").chain(line.split_whitespace()).map(OsString::from))
    }

    fn run(line: &str) -> RunArgs {
        match read(line).unwrap() {
            Command::Run(run) => *run,
            other => panic!("{line} is {other:?}"),
        }
    }

    #[test]
    fn the_grammar_holds_together() {
        Command::grammar().debug_assert();
    }

    #[test]
    fn the_word_run_may_be_written() {
        for line in ["digest.yaml --offline", "run digest.yaml --offline", "--offline digest.yaml"] {
            let run = run(line);
            assert_eq!((run.pipeline.as_str(), run.request.offline), ("digest.yaml", true), "{line}");
        }
    }

    #[test]
    fn a_file_called_like_a_command_can_be_run() {
        assert_eq!(run("./check").pipeline, "./check");
        assert_eq!(run("run check").pipeline, "check");
        assert_eq!(run("-- check").pipeline, "check");
        assert_eq!(run("--offline -- -x.yaml").pipeline, "-x.yaml");
        assert!(matches!(read("check digest.yaml").unwrap(), Command::Check(_)));
    }

    #[test]
    fn flags_are_typed() {
        let run =
            run("x -i tone=dry -i text=@a.md --model gpt-5 --model image=flux --only a,b --limit 3 --concurrency 2 \
             --progress lines --color never --out here -q");
        assert_eq!(run.request.inputs.len(), 2);
        assert_eq!(
            run.request.models,
            [
                ModelArg { kind: None, name: "gpt-5".into() },
                ModelArg { kind: Some(StageKindName::Image), name: "flux".into() }
            ]
        );
        assert_eq!(run.only, ["a", "b"]);
        assert_eq!((run.limit, run.concurrency, run.progress), (Some(3), Some(2), ProgressArg::Lines));
        assert!(run.display.quiet);
    }

    #[test]
    fn wrong_usage_says_what_to_write() {
        for (line, words) in [
            ("x -i tone", "write `-i tone=VALUE`"),
            ("x --model image=", "write `--model openai`"),
            ("x --model imag=flux", "did you mean `image=flux`?"),
            ("x --limit 0", "with 0 there is nothing to do; write 1 or more"),
            ("x --limit few", "write a whole number from 1 on"),
            ("x --limit 99999999999999999999", "it is too large"),
            ("x --concurrency 0", "with 0 there is nothing to do; write 1 or more"),
            ("x --concurrency 5000000000", "it is too large; write 4294967295 at most"),
            ("check x -v", "unexpected argument '-v'"),
            ("x --json --print a", "cannot be used with"),
            ("x --events - --json", "takes standard output for itself"),
            ("x -i a=1 -i a=2", "`a` is set twice"),
            ("x -i a=@- -i b=@-", "the value of one input"),
            ("x --offline --provider openai", "cannot be used with"),
            ("x --replay a --record b", "cannot be used with"),
            ("x --replay a --store b", "cannot be used with"),
            ("x --replay a --fresh", "cannot be used with"),
            ("show x", "<STAGE>"),
            ("check", "<PIPELINE>"),
            ("graph x --format svg", "mermaid"),
            ("x --strem", "--stream"),
            ("x extra", "unexpected `extra`"),
            ("x check", "unexpected `check`"),
            ("run x extra", "unexpected `extra`"),
            ("--offline check x", "`check` is a command: write it first, `blossom-run check x`"),
        ] {
            let error = read(line).unwrap_err();
            assert!(error.to_string().contains(words), "{line}: {error}");
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn help_and_version_are_told_of_every_command() {
        for (line, words) in [
            ("help", "Commands:"),
            ("help run", "--stream"),
            ("help show", "<STAGE>"),
            ("run --version", "blossom-run 0."),
            ("check -V", "blossom-run 0."),
        ] {
            let told = read(line).unwrap_err();
            assert_eq!(told.exit_code(), 0, "{line}");
            assert!(told.to_string().contains(words), "{line}: {told}");
        }
    }

    #[test]
    fn the_help_lists_commands_flags_and_exit_codes() {
        let help = read("--help").unwrap_err();
        assert_eq!(help.exit_code(), 0);
        let help = help.to_string();
        for words in ["templates", "--input <NAME=VALUE>", "Exit codes:", "143", "digest --offline"] {
            assert!(help.contains(words), "{words}: {help}");
        }
    }
}
