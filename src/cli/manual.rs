//! The manual page.

use std::fmt::Write as _;
use std::io;

use clap::{Arg, Command};
use clap_mangen::Man;

use crate::sink::Exit;

use super::args::{self, EXAMPLES};

/// All of it, for `man -l -`.
pub(super) fn page() -> io::Result<String> {
    let mut grammar = args::Command::grammar();
    grammar.build();
    let man = Man::new(grammar.clone());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    let mut text = synopsis(&grammar);
    text.push_str(".SH DESCRIPTION\n");
    _ = writeln!(text, "{}", escaped("Runs a pipeline of text, chat and image stages that a YAML file describes."));
    page.extend(text.into_bytes());
    man.render_options_section(&mut page)?;
    page.extend(commands(&grammar).into_bytes());
    page.extend(literal("EXAMPLES", EXAMPLES.trim_start_matches("Examples:\n")).into_bytes());
    let codes = Exit::TABLE.iter().map(|(exit, meaning)| format!("{:<4} {meaning}", exit.code()));
    page.extend(literal("EXIT STATUS", &codes.collect::<Vec<_>>().join("\n")).into_bytes());
    man.render_version_section(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

fn synopsis(grammar: &Command) -> String {
    let others = own_commands(grammar).map(usage);
    let lines: Vec<String> = std::iter::once("blossom-run [OPTIONS] <PIPELINE>".to_owned()).chain(others).collect();
    literal("SYNOPSIS", &lines.join("\n"))
}

/// The commands but `run`, whose grammar is that of the page, and `help`.
fn own_commands(grammar: &Command) -> impl Iterator<Item = &Command> {
    grammar.get_subcommands().filter(|command| !matches!(command.get_name(), "run" | "help"))
}

fn usage(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    usage.trim_start_matches("Usage: ").trim().to_owned()
}

/// Each command with its arguments, and with those options that a run does not have.
fn commands(grammar: &Command) -> String {
    let mut text = ".SH COMMANDS\n".to_owned();
    for command in own_commands(grammar) {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        _ = write!(text, ".SS \"{}\"\n{}\n", escaped(&usage(command)), escaped(&about));
        let is_same = |one: &Arg, other: &Arg| one.get_id() == other.get_id() && one.get_help() == other.get_help();
        let is_shared = |arg: &&Arg| grammar.get_arguments().any(|other| is_same(arg, other));
        let shown = || command.get_arguments().filter(|arg| !arg.is_hide_set());
        for arg in shown().filter(|arg| arg.is_positional() || !is_shared(arg)) {
            text.push_str(&entry(arg));
        }
        let shared = shown().filter(|arg| !arg.is_positional() && is_shared(arg));
        let names: Vec<String> = shared.filter_map(|arg| Some(format!("--{}", arg.get_long()?))).collect();
        let told = names.iter().filter(|name| !matches!(name.as_str(), "--help" | "--version"));
        let told: Vec<&str> = told.map(String::as_str).collect();
        if !told.is_empty() {
            let line = format!("Options of a run that it takes too: {}.", told.join(", "));
            _ = write!(text, ".PP\n{}\n", escaped(&line));
        }
    }
    text
}

fn entry(arg: &Arg) -> String {
    let value = arg.get_value_names().into_iter().flatten().map(|name| format!("<{name}>"));
    let names: Vec<String> =
        arg.get_long().map(|long| format!("--{long}")).into_iter().chain(value).map(|name| escaped(&name)).collect();
    let values: Vec<String> = arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    let mut help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    if !values.is_empty() {
        _ = write!(help, ": {}", values.join(", "));
    }
    format!(".TP\n\\fB{}\\fR\n{}\n", names.join(" "), escaped(&help))
}

/// A section whose lines stay as they are.
fn literal(heading: &str, lines: &str) -> String {
    let lines: Vec<String> = lines.lines().map(escaped).collect();
    format!(".SH \"{heading}\"\n.nf\n{}\n.fi\n", lines.join("\n"))
}

/// A line that holds nothing which `man` would obey.
fn escaped(line: &str) -> String {
    let text = line.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq").replace('"', "\\(dq");
    if text.starts_with('.') { format!("\\&{text}") } else { text }
}
