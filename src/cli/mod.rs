//! The command line: flags, what is printed where, signals and exit codes.
//!
//! The command line as it was typed is a `Command`; what follows from them and from the terminal is
//! `Settings`, resolved once. Each command has a file of its own, calls [`engine`](crate::engine)
//! and says how it ended; standard output holds outputs alone. This is the only room that names `anyhow`, `clap`, the
//! terminal and exit codes, and it holds no rule of the pipeline language.

mod ahead_args;
mod args;
mod chat;
mod check;
mod document;
mod events_file;
mod fault;
mod graph;
mod graph_text;
mod history_args;
mod inputs;
mod keeping;
mod left;
mod limits;
mod manual;
mod model_arg;
mod models;
mod origin;
mod panics;
mod pipeline;
mod plan;
mod plan_text;
mod printed;
mod reference;
mod resume;
mod run;
mod runs;
mod runs_document;
mod runs_item;
mod runs_text;
mod settings;
mod show;
mod signals;
mod stdout;
mod templates;
mod why;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;

use crate::sink::Exit;

use args::Command;
use fault::Fault;
use origin::Origin;
use settings::{Settings, Surroundings};

/// The whole program: reads the command line, does what it says, and says how it ended.
pub fn main() -> ExitCode {
    panics::install();
    // What the panic was about has been said by then.
    std::panic::catch_unwind(|| answer(std::env::args_os())).unwrap_or(Exit::Internal).into()
}

fn answer(words: impl Iterator<Item = OsString>) -> Exit {
    let words: Vec<OsString> = words.collect();
    match Command::read(words.iter().cloned()) {
        Ok(command) => dispatch(&command, &words).unwrap_or_else(|error| {
            let settings = Settings::of(&command.display(), Surroundings::detect());
            Fault::tell(&error, settings.paint)
        }),
        Err(message) => stdout::help(&message),
    }
}

fn dispatch(command: &Command, words: &[OsString]) -> Result<Exit> {
    match command {
        Command::Run(args) => run::run(args, &Origin::typed(words)),
        Command::Check(args) => check::check(args),
        Command::Show(args) => show::show(args),
        Command::Plan(args) => plan::plan(args),
        Command::Why(args) => why::why(args),
        Command::Graph(args) => graph::graph(args),
        Command::New(args) => templates::new(args),
        Command::Templates => templates::list(),
        Command::Models(args) => models::models(args),
        Command::Chat(args) => chat::chat(args),
        Command::Resume(args) => resume::resume(args),
        Command::Runs(args) => runs::runs(args),
        Command::Completions(args) => reference::completions(args),
        Command::Man => reference::man(),
    }
}
