//! `why`: what stands between a call and the answers that are kept.

use std::fmt::Write as _;

use anyhow::Result;

use crate::engine::{self, KeptAt, Reason, Why};
use crate::model::{Failure, SkipReason};
use crate::sink::{Exit, harmless, one_line};

use super::ahead_args::WhyArgs;
use super::fault::Fault;
use super::plan::{Ahead, runtime};
use super::runs_text::minute;
use super::settings::{Settings, Surroundings};
use super::stdout;

pub(super) fn why(args: &WhyArgs) -> Result<Exit> {
    let settings = Settings::of(&args.looking.display, Surroundings::detect());
    let Some(ahead) = Ahead::of(&args.pipeline, &args.looking, &settings)? else { return Ok(Exit::Invalid) };
    let runtime = runtime()?;
    let which = (args.stage.as_str(), args.item.as_deref());
    let why = runtime.block_on(engine::why(&ahead.plan, which, ahead.store.as_ref(), &ahead.fresh));
    runtime.shutdown_background();
    let why = why.map_err(|failure| match failure.kind {
        crate::model::FailureKind::NotFound => {
            Fault { exit: Exit::Usage, message: failure.message, help: failure.suggestion }
        }
        _ => Fault::from(failure),
    })?;
    stdout::print(&told(&args.stage, &why))?;
    Ok(Exit::Done)
}

fn told(stage: &str, why: &Why) -> String {
    let key = why.item.as_ref().and_then(|item| item.key.as_deref());
    let who = key.map_or_else(|| stage.to_owned(), |key| format!("{stage}/{}", one_line(key)));
    let mut text = match &why.reason {
        Reason::Kept(at) => format!("{who} is kept: {} is used; nothing would be asked\n", answer(at.as_ref())),
        Reason::NothingKept => format!("{who} would be asked: no call of this stage is kept\n"),
        Reason::Differs(differences, at) => {
            let from = at.as_ref().map(|at| format!(" ({})", place(at))).unwrap_or_default();
            let mut text = format!("{who} would be asked: the nearest call that is kept{from} differs\n");
            for difference in differences {
                let shown = difference.to_string();
                for line in harmless(&shown).lines() {
                    _ = writeln!(text, "  {line}");
                }
            }
            text
        }
        Reason::Fresh(at) => {
            format!("{who} would be asked: `--fresh` is given; {} is kept, and stays\n", answer(at.as_ref()))
        }
        Reason::Failing(at, failure) => {
            format!("{who} would be asked: {} is kept, but fails now\n{}", answer(at.as_ref()), reasons(failure))
        }
        Reason::TooOld(at) => {
            format!("{who} would be asked: {} is kept, but is older than `reuse` allows\n", answer(at.as_ref()))
        }
        Reason::Lost(at) => {
            format!("{who} would be asked: {} is kept, but its picture is no longer what it was\n", answer(at.as_ref()))
        }
        Reason::NotReused(at) => {
            format!("{who} would be asked: {} is kept, but `reuse: false` asks each time\n", answer(at.as_ref()))
        }
        Reason::Made => format!("{who} makes no call: it is rendered\n"),
        Reason::Skipped(reason) => format!("{who} would be skipped: {}\n", skip(reason)),
        Reason::Fails(failure) => format!("{who} would fail without a call\n{}", reasons(failure)),
        Reason::Unknown { named, asks } if named == asks => {
            format!("{who} is not known before a run: it names `{named}`, which would be asked first\n")
        }
        Reason::Unknown { named, asks } => format!(
            "{who} is not known before a run: it names `{named}`, which needs `{asks}`, and that would be asked first\n"
        ),
        Reason::Uncounted(made_of) => {
            format!("{who} is not known before a run, nor is `{made_of}`, which its items come from\n")
        }
    };
    if why.is_shared {
        text.push_str("  another item asks the same: it is asked once for both\n");
    }
    text
}

/// `the answer of 2026-01-31 12:00 (run 20260131-115900-abcd)`
fn answer(at: Option<&KeptAt>) -> String {
    match at {
        Some(KeptAt { at, run: Some(run) }) => format!("the answer of {} (run {run})", minute(*at)),
        Some(KeptAt { at, run: None }) => format!("the answer of {}", minute(*at)),
        None => "an answer".to_owned(),
    }
}

fn place(at: &KeptAt) -> String {
    match &at.run {
        Some(run) => format!("{}, run {run}", minute(at.at)),
        None => minute(at.at),
    }
}

fn reasons(failure: &Failure) -> String {
    let help = failure.suggestion.as_deref().map(|help| format!("  help: {}\n", one_line(help)));
    format!("  {}\n{}", one_line(&failure.message), help.unwrap_or_default())
}

fn skip(reason: &SkipReason) -> String {
    match reason {
        SkipReason::When => "its `when` is false".to_owned(),
        SkipReason::Absent { stage } => format!("`{stage}` is not there"),
        SkipReason::Failed { stage } => format!("`{stage}` would fail"),
        SkipReason::Unknown { stage } => format!("`{stage}` is not known"),
    }
}
