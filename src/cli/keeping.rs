//! Where answers are kept, and which of them are not used.

use std::path::{Path, PathBuf};

use crate::engine::{Fresh, NewTape, Store, Tape, TapeUse};
use crate::model::StageKindName;
use crate::plan::Plan;

use super::args::RunArgs;
use super::events_file::is_output;
use super::fault::Fault;

/// What the folder is called where nobody says.
const USUAL: &str = ".blossom";
/// The variable that names it.
const VARIABLE: &str = "BLOSSOM_STORE";

/// The folder of the store: what the flag says, the environment, or the nearest one from the working directory upwards;
/// where there is none, the one that is made here.
pub(super) fn place(flag: Option<&Path>) -> PathBuf {
    let said = flag.map(Path::to_owned).or_else(|| {
        let variable = std::env::var_os(VARIABLE).filter(|value| !value.is_empty());
        variable.map(PathBuf::from)
    });
    said.unwrap_or_else(|| nearest().unwrap_or_else(|| USUAL.into()))
}

/// As short as it can be said: a folder here by its name alone.
fn nearest() -> Option<PathBuf> {
    if Path::new(USUAL).is_dir() {
        return Some(USUAL.into());
    }
    let here = std::env::current_dir().ok()?;
    here.ancestors().skip(1).map(|folder| folder.join(USUAL)).find(|folder| folder.is_dir())
}

/// The store of a folder, to look into it.
///
/// # Errors
/// There is none, or it can't be read.
pub(super) fn look_into(folder: &Path) -> Result<Store, Fault> {
    let none = || {
        let message = format!("there is no store in `{}`", folder.display());
        Fault::usage(message, "run a pipeline first, or name the store with `--store DIR`")
    };
    Store::open_to_read(folder)?.ok_or_else(none)
}

/// The store that a run keeps its answers in.
///
/// # Errors
/// It can't be opened or made.
pub(super) fn open(flag: Option<&Path>) -> Result<Store, Fault> {
    let folder = place(flag);
    Ok(Store::open(&folder)?)
}

/// The tape of `--record` or `--replay`.
///
/// # Errors
/// It can't be read, or not be written, or something else would be lost.
pub(super) fn tape(args: &RunArgs, plan: &Plan) -> Result<Option<TapeUse>, Fault> {
    if let Some(path) = &args.replay {
        let tape = Tape::open(path).map_err(|error| Fault::invalid(error.message, error.help))?;
        return Ok(Some(TapeUse::Replay(tape)));
    }
    let Some(path) = &args.record else { return Ok(None) };
    let (shown, help) = (path.display(), "name another file: `--record tape.jsonl`");
    if path.as_os_str() == "-" {
        return Err(Fault::usage("`--record`: a tape is a file, and can't be written to standard output", help));
    }
    if !NewTape::may_replace(path) {
        return Err(Fault::usage(format!("`--record`: `{shown}` already exists, and is no tape"), help));
    }
    if is_output(path, &args.out, plan) {
        return Err(Fault::usage(format!("`--record`: `{shown}` is a file that the run itself writes"), help));
    }
    let tape = NewTape::begin(path).map_err(|error| Fault::unwritable(error.message, Some(error.help)))?;
    Ok(Some(TapeUse::Record(tape)))
}

/// What stands for a `--fresh` that names nothing.
const EVERYTHING: &str = "*";

/// What `--fresh` names.
///
/// # Errors
/// There is no such stage, or it makes no calls.
pub(super) fn fresh(flag: Option<&str>, plan: &Plan) -> Result<Fresh, Fault> {
    let Some(named) = flag else { return Ok(Fresh::Nothing) };
    if named == EVERYTHING {
        return Ok(Fresh::Everything);
    }
    let asks: Vec<&str> =
        plan.stages.iter().filter(|stage| stage.work.asking().is_some()).map(|stage| &*stage.name).collect();
    let mut targets = Vec::new();
    for one in named.split(',') {
        let (stage, item) = stage_and_item(one.trim(), plan);
        let Some(found) = plan.find_stage(stage) else {
            let help = Fault::nearest(stage, &asks, "the stages that ask are");
            return Err(Fault::usage(format!("`--fresh`: there is no stage `{stage}`"), help));
        };
        // One that uses a pipeline stands for all that is asked there; it has no items of its own to ask for.
        if plan.stage(found).kind == StageKindName::Use {
            if item.is_some() {
                let help = Fault::nearest(one.trim(), &asks, "the stages that ask are");
                return Err(Fault::usage(format!("`--fresh`: there is no stage `{}`", one.trim()), help));
            }
            let within = asks.iter().filter(|name| name.strip_prefix(stage).is_some_and(|rest| rest.starts_with('/')));
            targets.extend(within.map(|name| ((*name).into(), None)));
            continue;
        }
        if plan.stage(found).work.asking().is_none() {
            let help = Fault::nearest("", &asks, "the stages that ask are");
            return Err(Fault::usage(format!("`--fresh`: `{stage}` makes no calls"), help));
        }
        targets.push((stage.into(), item.map(Into::into)));
    }
    Ok(Fresh::Only(targets))
}

/// `STAGE` or `STAGE/ITEM`, where both may have a `/` in them: the longest that is a stage is one.
fn stage_and_item<'a>(named: &'a str, plan: &Plan) -> (&'a str, Option<&'a str>) {
    let ends = named.match_indices('/').map(|(at, _)| at);
    let ends: Vec<usize> = ends.chain([named.len()]).collect();
    let stage = ends.iter().rev().map(|end| &named[..*end]).find(|stage| plan.find_stage(stage.trim()).is_some());
    match stage {
        Some(stage) => (stage.trim(), named.get(stage.len() + 1..).map(str::trim)),
        // The first part was hardly meant as anything else.
        None => named.split_once('/').map_or((named, None), |(stage, item)| (stage.trim(), Some(item.trim()))),
    }
}
