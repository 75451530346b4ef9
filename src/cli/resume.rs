//! `resume`: a run goes on with all that is missing.

use std::ffi::OsString;

use anyhow::Result;

use crate::sink::Exit;
use crate::store::{KeptRun, KeptStdin, Store};

use super::args::{Command, RunArgs};
use super::fault::Fault;
use super::history_args::ResumeArgs;
use super::keeping;
use super::origin::Origin;
use super::run;
use super::runs::{find, is_done};
use super::stdout;

pub(super) fn resume(args: &ResumeArgs) -> Result<Exit> {
    let folder = keeping::place(args.store.as_deref());
    // It is found from where the run was begun as well.
    let folder = folder.canonicalize().unwrap_or(folder);
    let store = keeping::look_into(&folder)?;
    let runs = store.runs().map_err(Fault::from)?;
    let found = match &args.run {
        Some(name) => Some(find(&runs, name)?),
        None => unfinished(&runs),
    };
    let Some(found) = found else {
        let more = if runs.iter().any(|run| run.is_going_on) { " or goes on" } else { "" };
        stdout::error(&format!("nothing is left to do: every run has come to its end{more}\n"));
        return Ok(Exit::Done);
    };
    if found.is_going_on {
        let message = format!("the run `{}` is going on", found.name);
        return Err(Fault::usage(message, "wait for its end, or stop it first").into());
    }
    let stdin = kept_stdin(&store, found, &runs);
    drop(store);
    let (mut run, mut origin) = again(args, found, stdin)?;
    run.store = Some(folder);
    if let Some(goes_on) = &mut origin.goes_on {
        goes_on.store.clone_from(&args.store);
    }
    run::run(&run, &origin)
}

/// The latest run that has not come to its end, unless it was begun again in the same way and then did.
fn unfinished(runs: &[KeptRun]) -> Option<&KeptRun> {
    let is_same = |one: &KeptRun, other: &KeptRun| {
        let begun = |run: &KeptRun| (run.about.get("words").cloned(), run.about.get("folder").cloned());
        one.root == other.root || begun(one) == begun(other)
    };
    // The latest is the first.
    let open = runs.iter().enumerate().find(|(at, run)| {
        let is_over = |later: &KeptRun| is_same(run, later) && (is_done(later) || later.is_going_on);
        !is_done(run) && !run.is_going_on && !is_of_a_program(run) && !runs[..*at].iter().any(is_over)
    });
    open.map(|(_, run)| run)
}

/// Whether a program without a pipeline asked: it alone knows how to go on.
pub(super) fn is_of_a_program(run: &KeptRun) -> bool {
    run.about.get("program").is_some_and(|program| program == true)
}

/// What is kept of the standard input of a line of runs: of this one, or all of it, where another has that.
fn kept_stdin(store: &Store, found: &KeptRun, runs: &[KeptRun]) -> KeptStdin {
    let of = |run: &KeptRun| store.stdin_of(&run.name);
    let line = runs.iter().filter(|run| run.root == found.root);
    line.map(of).find(|stdin| stdin.mark.exists()).unwrap_or_else(|| of(found))
}

/// The flags of that run, in the folder where they were typed; what is said now about the display takes precedence.
fn again(args: &ResumeArgs, found: &KeptRun, stdin: KeptStdin) -> Result<(RunArgs, Origin)> {
    if is_of_a_program(found) {
        let message = format!("the run `{}` is that of a program without a pipeline", found.name);
        return Err(Fault::usage(message, "start that program again: what is kept is used").into());
    }
    let lost =
        || Fault::usage(format!("how the run `{}` was begun is not known", found.name), "run its pipeline again");
    let mut origin = Origin::of(found, stdin).ok_or_else(lost)?;
    let goes_on = origin.goes_on.as_ref().ok_or_else(lost)?;
    let limits = goes_on.limits.clone();
    // What is named now is meant from here.
    let events = args.events.as_ref().map(|path| {
        if path.as_os_str() == "-" { path.clone() } else { std::path::absolute(path).unwrap_or_else(|_| path.clone()) }
    });
    std::env::set_current_dir(&goes_on.folder).map_err(|error| {
        let message =
            format!("the folder `{}`, where that run was begun, can't be entered: {error}", goes_on.folder.display());
        Fault::usage(message, "run the pipeline again from where it is now: what is kept is used")
    })?;
    let words = std::iter::once("blossom-run").chain(origin.words.iter().map(String::as_str)).map(OsString::from);
    let Ok(Command::Run(run)) = Command::read(words) else { return Err(lost().into()) };
    let mut run = *run;
    if let Some(stdin) = origin.stdin.take() {
        run.request.give_stdin(&stdin);
        origin.stdin = Some(stdin);
    }
    run.display.quiet |= args.display.quiet;
    run.verbose = (run.verbose || args.verbose) && !run.display.quiet;
    run.display.color = args.display.color;
    run.progress = args.progress;
    run.json |= args.json;
    run.stream |= args.stream;
    run.events = events.or(run.events);
    run.concurrency = args.concurrency.or(run.concurrency);
    // What was told last counts, be it more or less.
    run.limits = args.limits.or(&limits).or(&run.limits);
    Ok((run, origin))
}
