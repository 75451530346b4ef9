//! `runs`: what happened, as the store remembers it.

use std::time::Duration;

use anyhow::Result;

use crate::diag::did_you_mean;
use crate::model::{RunOutcome, Units};
use crate::sink::Exit;
use crate::store::{KeptRun, Store};

use super::fault::Fault;
use super::history_args::RunsArgs;
use super::keeping;
use super::runs_document as document;
use super::runs_text as text;
use super::settings::{Settings, Surroundings};
use super::stdout;

pub(super) fn runs(args: &RunsArgs) -> Result<Exit> {
    let settings = Settings::of(&args.display, Surroundings::detect());
    let folder = keeping::place(args.store.as_deref());
    if let Some(age) = args.prune {
        return prune(args, &folder, age);
    }
    let store = keeping::look_into(&folder)?;
    let runs = store.runs().map_err(Fault::from)?;
    let Some(name) = &args.run else {
        let shown = if args.json { document::list(&store, &runs) } else { text::list(&store, &runs, settings.paint) };
        stdout::print(&shown.map_err(Fault::from)?)?;
        return Ok(Exit::Done);
    };
    let run = find(&runs, name)?;
    let shown = match (&args.stage, args.json) {
        (None, true) => document::run(&store, run),
        (None, false) => text::run(&store, run, settings.paint),
        (Some(stage), is_json) => {
            known_stage(&store, run, stage)?;
            match (&args.item, is_json) {
                (None, true) => document::stage(&store, run, stage),
                (None, false) => text::stage(&store, run, stage, settings.paint),
                (Some(item), true) => document::item(&store, run, stage, item),
                (Some(item), false) => text::item(&store, run, stage, item),
            }
        }
    };
    stdout::print(&shown.map_err(Fault::from)?)?;
    Ok(Exit::Done)
}

fn prune(args: &RunsArgs, folder: &std::path::Path, age: Duration) -> Result<Exit> {
    // One that is not there is not made for this.
    drop(keeping::look_into(folder)?);
    let store = Store::open(folder).map_err(Fault::from)?;
    let pruned = store.prune(age).map_err(Fault::from)?;
    let shown = if args.json { document::pruned(&pruned) } else { text::pruned(&pruned, &shown_age(age)) };
    stdout::print(&shown)?;
    Ok(Exit::Done)
}

/// `30d`, or what is shorter as elsewhere.
fn shown_age(age: Duration) -> String {
    const DAY: u64 = 24 * 60 * 60;
    match age.as_secs() {
        days @ DAY.. if days.is_multiple_of(DAY) => format!("{}d", days / DAY),
        _ => Units::show_duration(age),
    }
}

/// Whether a run came to its end, and all of it came out.
pub(super) fn is_done(run: &KeptRun) -> bool {
    matches!(outcome(run), Some(RunOutcome::Done))
}

/// How a run ended, if it has.
pub(super) fn outcome(run: &KeptRun) -> Option<RunOutcome> {
    run.outcome.clone().and_then(|outcome| serde_json::from_value(outcome).ok())
}

/// The run of this name; its beginning or its end will do, and `last` is the latest.
///
/// # Errors
/// There is none, or more than one.
pub(super) fn find<'r>(runs: &'r [KeptRun], name: &str) -> Result<&'r KeptRun, Fault> {
    if let Some(run) = runs.iter().find(|run| run.name == name) {
        return Ok(run);
    }
    if let (true, Some(run)) = (name == "last", runs.first()) {
        return Ok(run);
    }
    let found: Vec<&KeptRun> = runs
        .iter()
        .filter(|run| !name.is_empty() && (run.name.starts_with(name) || run.name.ends_with(name)))
        .collect();
    match found[..] {
        [run] => Ok(run),
        [] => {
            let help = match did_you_mean(name, runs.iter().map(|run| run.name.as_str())) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`blossom-run runs` lists them".to_owned(),
            };
            Err(Fault::usage(format!("there is no run `{name}` in this store"), help))
        }
        [first, ..] => {
            let message = format!("`{name}` could be any of {} runs", found.len());
            Err(Fault::usage(message, format!("write more of it, as `{}`", first.name)))
        }
    }
}

/// A stage that is not among those of the run is a mistake of whoever asks.
fn known_stage(store: &Store, run: &KeptRun, stage: &str) -> Result<(), Fault> {
    let stages = text::stages(store, run)?;
    let names: Vec<&str> = stages.iter().map(|(name, _, _)| name.as_str()).collect();
    if names.is_empty() || names.contains(&stage) {
        return Ok(());
    }
    let help = Fault::nearest(stage, &names, "its stages are");
    Err(Fault::usage(format!("the run `{}` has no stage `{stage}`", run.name), help))
}
