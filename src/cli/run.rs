//! `run`: the pipeline, watched.

use std::io::{self, BufWriter, IsTerminal};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, bail};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use crate::engine::{self, EventStream, Finished, Kept, Request, RunOptions, TapeUse, WantedOutputs};
use crate::model::{Failure, FailureKind, OnError, RunOutcome};
use crate::plan::{OnErrorPlan, Plan, Stage};
use crate::sink::{EventLines, Exit, Hub, Printer, SummaryView, Terminal, Watched, one_line, problems, summary};

use super::args::RunArgs;
use super::document::document;
use super::events_file;
use super::fault::Fault;
use super::inputs::{self, Purpose};
use super::keeping;
use super::left::Left;
use super::origin::Origin;
use super::pipeline::{locate, planned};
use super::printed::{printed, printed_one};
use super::settings::{Settings, Surroundings};
use super::signals;
use super::stdout;

/// Runs a pipeline, and keeps where it comes from.
pub(super) fn run(args: &RunArgs, origin: &Origin) -> Result<Exit> {
    let settings = Settings::of_run(args, Surroundings::detect());
    let located = locate(&args.pipeline)?;
    let request = Request {
        only: args.only.clone(),
        limit: args.limit,
        budget: args.limits.budget(),
        deadline: args.limits.deadline,
        wanted: wanted(args),
        ..inputs::request(&located.file, &args.request, Purpose::Use)?
    };
    let origin = origin.with_stdin(&args.request, &request);
    if !settings.quiet {
        origin.tell(&located.file);
    }
    let Some(plan) = planned(&located, &request, &settings)? else { return Ok(Exit::Invalid) };
    inputs::one_reader(&args.request, &plan)?;
    if let Some(name) = &args.print {
        known_output(&plan, name)?;
    }
    let stdin = origin.kept_list(&plan, args.limit)?;
    let fresh = keeping::fresh(args.fresh.as_deref(), &plan)?;
    let hub = hub(args, &settings, &plan)?;
    let tape = keeping::tape(args, &plan)?;
    let store = match &args.replay {
        Some(_) => None,
        None => Some(keeping::open(args.store.as_deref())?),
    };
    let stops = stops(&plan);
    let left = store.as_ref().and_then(|store| Left::new(&plan, store, args.fresh.is_some()));
    let options = RunOptions {
        prices: None,
        allow_unpriced: args.limits.allow_unpriced,
        out: args.out.clone(),
        concurrency: args.concurrency,
        stream: args.stream,
        store: store.map(|store| Kept {
            store,
            goes_on: origin.root(),
            about: origin.about(&located.file, &args.limits),
        }),
        fresh,
        tape,
        stdin,
        ..RunOptions::default()
    };

    // One thread: what a run does itself is little and short, and handing it from thread to thread costs more than
    // doing it. Painting, converting and reading files have threads of their own.
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let ended = runtime.block_on(watch(plan, options, hub, left));
    // What was given up on must not keep the program alive.
    runtime.shutdown_background();
    match ended? {
        ControlFlow::Continue((watched, finished, left)) => {
            let shown = Shown { stops: &stops, store: origin.named_store(args), left: left.as_deref() };
            Ok(conclude(args, &settings, shown, (&watched, &finished)))
        }
        ControlFlow::Break(exit) => {
            stdout::error("what was in flight did not end in time, and was abandoned\n");
            Ok(exit)
        }
    }
}

/// What is held until the end, so that it can be printed.
fn wanted(args: &RunArgs) -> WantedOutputs {
    match &args.print {
        Some(name) => WantedOutputs::Named(vec![name.clone()]),
        None if args.json => WantedOutputs::All,
        None => WantedOutputs::Unsaved,
    }
}

/// What was watched, what became of the run, and what it has left to do, where that is told.
type Ended = (Watched, Finished, Option<String>);

/// What the summary says besides what was watched.
#[derive(Clone, Copy)]
struct Shown<'a> {
    /// Stages that end the run when an item of theirs fails.
    stops: &'a [Arc<str>],
    /// The store, if the user named it.
    store: Option<&'a Path>,
    /// What is left to do.
    left: Option<&'a str>,
}

/// Runs to the end, unless it does not end although it was told to.
async fn watch(plan: Arc<Plan>, options: RunOptions, hub: Hub, left: Option<Left>) -> Result<ControlFlow<Exit, Ended>> {
    let is_replayed = matches!(options.tape, Some(TapeUse::Replay(_)));
    let prices = engine::prices(&plan, plan.budget.cost.is_some() && !is_replayed).await.map_err(Fault::from)?;
    let options = RunOptions { prices: Some(prices.clone()), ..options };
    let (running, events) = engine::run(plan, options).map_err(Fault::from)?;
    let halt = running.halt();
    let watching = on_its_own_thread(hub, events)?;
    let orderly = async { tokio::join!(watching, running.finish()) };
    let (watched, finished) = tokio::select! {
        ended = orderly => ended,
        exit = signals::relay(signals::incoming(), &halt) => return Ok(ControlFlow::Break(exit)),
    };
    let Ok(watched) = watched else { bail!("the display of the run has broken down; its outputs are written") };
    let left = match left {
        Some(left) => left.told(&finished.outcome, &prices).await,
        None => None,
    };
    Ok(ControlFlow::Continue((watched, finished, left)))
}

/// Watches on a thread of its own: whoever reads what is shown may be slow, or not read at all, and the run goes on all
/// the same until the events that wait there are too many.
fn on_its_own_thread(hub: Hub, events: EventStream) -> Result<oneshot::Receiver<Watched>> {
    let (told, watched) = oneshot::channel();
    let runtime = Builder::new_current_thread().enable_time().build()?;
    let watch = move || {
        // Whoever has waited for it may have given up.
        told.send(runtime.block_on(hub.run(events))).ok();
    };
    std::thread::Builder::new().name("watch".to_owned()).spawn(watch)?;
    Ok(watched)
}

/// All who watch. Files are opened before the first call, so that none is made for nothing.
fn hub(args: &RunArgs, settings: &Settings, plan: &Plan) -> Result<Hub, Fault> {
    let hub = Hub::new().watch(Terminal::new(Printer::stderr(), settings.terminal()));
    Ok(match &args.events {
        None => hub,
        Some(_) if args.events_on_stdout() => {
            let shown = io::stdout().is_terminal();
            hub.watch(EventLines::new(Printer::new(BufWriter::new(io::stdout())).shown(shown), "-"))
        }
        Some(path) => hub.watch(EventLines::new(events_file::open(path, &args.out, plan)?, path.display().to_string())),
    })
}

fn known_output(plan: &Plan, name: &str) -> Result<(), Fault> {
    let names: Vec<&str> = plan.outputs.iter().map(|output| &*output.name).collect();
    if names.contains(&name) {
        return Ok(());
    }
    let help = Fault::nearest(name, &names, "the outputs are");
    Err(Fault::usage(format!("`--print`: there is no output `{name}`"), help))
}

/// Prints what came out of the run, then says what became of it: the last lines on a terminal are the summary's.
fn conclude(args: &RunArgs, settings: &Settings, shown: Shown<'_>, (watched, finished): (&Watched, &Finished)) -> Exit {
    let tally = &watched.tally;
    let mut exit = Exit::of(&finished.outcome);
    if !watched.problems.is_empty() {
        exit = exit.or_worse(Exit::Unwritable);
    }
    let was_printed = stdout::print(&outputs(args, settings, watched, finished, exit));

    let Shown { stops, store, left } = shown;
    let view =
        SummaryView { paint: settings.paint, out: &args.out, stops, store, left, width: settings.terminal_width };
    if settings.quiet {
        stdout::error(problems(tally, &view).trim_start_matches('\n'));
        if let Some(failure) = cause(&finished.outcome) {
            Fault::tell(&Fault::from(failure.clone()).into(), settings.paint);
            if let Some(left) = left {
                stdout::error(&format!("{left}\n"));
            }
        }
    } else {
        stdout::error(&summary(tally, &view));
    }
    for problem in &watched.problems {
        stdout::error(&format!("{} {}\n", settings.paint.bad("error:"), one_line(problem)));
    }
    was_printed.map_or_else(|error| exit.or_worse(Fault::tell(&error, settings.paint)), |()| exit)
}

/// The stages that end the run when an item of theirs fails.
fn stops(plan: &Plan) -> Vec<Arc<str>> {
    let stops = |stage: &&Stage| matches!(stage.on_error, OnErrorPlan::Simply(OnError::Stop));
    plan.stages.iter().filter(stops).map(|stage| stage.name.clone()).collect()
}

/// What ended a run that did not come to its end.
fn cause(outcome: &RunOutcome) -> Option<&Failure> {
    match outcome {
        RunOutcome::Blocked { failure } | RunOutcome::Unwritable { failure } | RunOutcome::Internal { failure } => {
            Some(failure).filter(|failure| failure.kind != FailureKind::Interrupted)
        }
        RunOutcome::Done | RunOutcome::Failed | RunOutcome::Interrupted { .. } => None,
    }
}

fn outputs(args: &RunArgs, settings: &Settings, watched: &Watched, finished: &Finished, exit: Exit) -> String {
    if args.events_on_stdout() {
        return String::new();
    }
    if args.json {
        return document(&watched.tally, &finished.outcome, exit, &finished.outputs);
    }
    match &args.print {
        Some(name) => finished.outputs.iter().find(|output| output.name == *name).map(printed_one).unwrap_or_default(),
        None => printed(&finished.outputs, |text| settings.was_shown(text)),
    }
}
