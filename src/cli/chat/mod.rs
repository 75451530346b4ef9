//! `chat`: a conversation at the terminal, or one question from the command line or a pipe.
//!
//! [`Talk`] is a conversation: what was said, and what is asked with it. What people type is a [`Line`]; words that begin
//! with `/` are [`Order`]s. Where lines come from and where words go to are traits ([`Lines`], [`Screen`]), so that a
//! conversation can be had without a terminal. It speaks through [`Blossom`], as any program can; it knows no pipeline.

mod args;
mod editor;
mod once;
mod order;
mod record;
mod screen;
mod talk;

pub(super) use args::ChatArgs;

use std::io::{self, IsTerminal as _, Read as _};

use anyhow::Result;
use tokio::runtime::Runtime;

use crate::client::{Blossom, Error};
use crate::model::{FailureKind, StageKindName};
use crate::sink::Exit;

use super::fault::Fault;
use super::settings::{Settings, Surroundings};

use editor::Editor;
use screen::{Screen, Terminal};
use talk::Talk;

/// Where lines come from.
trait Lines {
    /// The next line, asked for with `prompt`.
    fn next(&mut self, prompt: &str) -> Result<Line>;
}

/// What was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Line {
    /// A line, without its end.
    Said(String),
    /// Ctrl-C: the line is given up.
    GivenUp,
    /// Ctrl-D, or the terminal has gone.
    Ended,
}

pub(super) fn chat(args: &ChatArgs) -> Result<Exit> {
    let settings = Settings::of(&args.display, Surroundings::detect());
    let blossom = blossom(args)?;
    let mut talk = Talk::new(blossom, args.system.clone());
    let is_talk = args.message.is_empty() && io::stdin().is_terminal();
    let runtime = Runtime::new()?;
    let mut screen = Terminal::new(settings.paint, args.display.quiet);
    if !is_talk {
        let message = message(args)?;
        return once::ask(&mut talk, message, &runtime, &mut screen);
    }
    screen.note(&format!("Talking to {}. `/help` lists what else can be said here, Ctrl-D ends it.", talk.partner()));
    let exit = talk.hold(&mut Editor::new()?, &mut screen, &runtime)?;
    if let Some(taken) = talk.taken() {
        screen.note(&taken);
    }
    Ok(exit)
}

fn blossom(args: &ChatArgs) -> Result<Blossom> {
    let mut builder = Blossom::builder();
    let provider = args.provider.as_deref().or(args.offline.then_some("offline"));
    if let Some(provider) = provider {
        builder = builder.provider(provider);
    }
    for model in &args.models {
        builder = match model.kind {
            Some(StageKindName::Image) => builder.image_model(&model.name),
            _ => builder.model(&model.name),
        };
    }
    if let Some(tokens) = args.max_tokens {
        builder = builder.max_tokens(tokens);
    }
    if let Some(folder) = &args.store {
        builder = builder.store(folder);
    }
    Ok(builder.build().map_err(|error| fault(&error))?)
}

/// What is asked once: the words of the command line, and what comes from a pipe below them.
fn message(args: &ChatArgs) -> Result<String> {
    let mut message = args.message.join(" ");
    if !io::stdin().is_terminal() {
        let mut piped = String::new();
        io::stdin().read_to_string(&mut piped).map_err(|error| {
            Fault::usage(format!("standard input can't be read as text: {error}"), "send text in UTF-8")
        })?;
        if !piped.trim().is_empty() {
            if !message.is_empty() {
                message.push_str("\n\n");
            }
            message.push_str(piped.trim_end());
        }
    }
    if message.trim().is_empty() {
        let help = "write `blossom-run chat MESSAGE`, send it through a pipe, or start it on a terminal to talk";
        return Err(Fault::usage("there is nothing to answer", help).into());
    }
    Ok(message)
}

/// What went wrong, as the command line says it.
fn fault(error: &Error) -> Fault {
    let failure = error.plain();
    match failure.kind {
        FailureKind::BadRequest if error.attempts() == 0 => {
            Fault { exit: Exit::Usage, message: failure.message, help: help(error) }
        }
        _ => Fault { help: help(error), ..Fault::from(failure) },
    }
}

/// What to try, in words of this command.
fn help(error: &Error) -> Option<String> {
    let failure = error.plain();
    match failure.kind {
        FailureKind::Length => Some("allow more with `--max-tokens N`, or ask for less".to_owned()),
        FailureKind::BadRequest if failure.message.contains("has no model") => {
            Some("name one: `--model NAME`, or `BLOSSOM_MODEL`".to_owned())
        }
        FailureKind::BadRequest if failure.message.starts_with("There is no provider") => {
            let known = "`pollinations`, `pollinations-legacy`, `openai`, `ollama` and `offline`";
            Some(format!("there are {known}; `OPENAI_BASE_URL` is the address of a server like that of `openai`"))
        }
        FailureKind::Timeout => Some("ask again, or ask another model".to_owned()),
        _ => failure.suggestion,
    }
}
