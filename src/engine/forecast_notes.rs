//! What a forecast assumes and what it can't know, in words.

use std::collections::BTreeMap;

use crate::model::OnError;
use crate::plan::{OnErrorPlan, Plan, Stage, StageIx};

use super::estimate::{ASSUMED, Basis, Lane};
use super::forecast::Looked;

/// A sentence for each assumption, and for each thing that is known in a run alone.
pub(super) fn notes(plan: &Plan, seen: &[Looked], uncounted: &BTreeMap<StageIx, StageIx>) -> Vec<String> {
    let mut notes = fails(plan, seen);
    for (made_of, stages) in by_source(plan, uncounted) {
        let (they, are) = if stages.len() == 1 { ("it", "is") } else { ("they", "are") };
        notes.push(format!(
            "how many items {} will have is known when `{made_of}` is there: {they} {are} in no sum until then",
            list(&stages)
        ));
    }
    let asks = |looked: &&Looked| looked.estimate.basis.is_some();
    if seen.iter().any(|looked| looked.fold.counts.unknown > 0 && plan.stage(looked.ix).work.asking().is_some()) {
        notes.push(
            "an item that is unknown until a run counts as a call in what is expected and in the most, and its request \
             is taken to be as long as others of its stage, else as its template"
                .to_owned(),
        );
    }
    if seen.iter().any(|looked| asks(&looked)) {
        notes.push("a token of a request is taken to be four bytes".to_owned());
    }
    for basis in [Basis::Usage, Basis::Length, Basis::MaxTokens, Basis::Assumed] {
        let of = seen.iter().filter(|looked| looked.estimate.basis == Some(basis));
        let stages: Vec<&str> = of.map(|looked| &*plan.stage(looked.ix).name).collect();
        if !stages.is_empty() {
            notes.push(lengths(basis, &list(&stages)));
        }
    }
    notes.extend(fallbacks(plan, seen));
    notes.extend(unpriced(seen));
    notes.extend(times(plan, seen));
    notes
}

fn lengths(basis: Basis, stages: &str) -> String {
    match basis {
        Basis::Usage => format!("answers of {stages} are taken to have as many tokens as those that are kept"),
        Basis::Length => {
            format!("answers of {stages} are taken to be as long as those that are kept, a token for four bytes")
        }
        Basis::MaxTokens => format!(
            "no answer of {stages} is kept: half of `max_tokens` is expected, a tenth at least, all of it at most"
        ),
        Basis::Assumed => {
            let crate::engine::Range { low, expected, high } = ASSUMED;
            format!(
                "no answer of {stages} is kept, and there is no `max_tokens`: {expected} tokens are expected, {low} at \
                 least, {high} at most"
            )
        }
    }
}

fn fails(plan: &Plan, seen: &[Looked]) -> Vec<String> {
    let failed = seen.iter().filter_map(|looked| Some((looked, looked.fold.failure.as_ref()?)));
    let note = |(looked, failure): (&Looked, &crate::model::Failure)| {
        let stage = plan.stage(looked.ix);
        let who = match looked.fold.counts.fails {
            1 => format!("an item of `{}` would fail", stage.name),
            count => format!("{count} items of `{}` would fail, the first", stage.name),
        };
        let end = if ends(stage) { "; that ends a run, and the rest would not be asked" } else { "" };
        format!("{who}: {}{end}", failure.message)
    };
    failed.map(note).collect()
}

fn ends(stage: &Stage) -> bool {
    !matches!(stage.on_error, OnErrorPlan::Simply(OnError::Continue))
}

fn by_source<'a>(plan: &'a Plan, uncounted: &BTreeMap<StageIx, StageIx>) -> BTreeMap<&'a str, Vec<&'a str>> {
    let mut by_source: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (ix, made_of) in uncounted.iter().filter(|(ix, _)| plan.runs(**ix)) {
        by_source.entry(&plan.stage(*made_of).name).or_default().push(&plan.stage(*ix).name);
    }
    by_source
}

fn fallbacks(plan: &Plan, seen: &[Looked]) -> Option<String> {
    let of = seen.iter().filter(|looked| looked.fallbacks > 0 && asks_now(looked));
    let stages: Vec<&str> = of.map(|looked| &*plan.stage(looked.ix).name).collect();
    (!stages.is_empty()).then(|| format!("the most has a call to each `fallback` of {} too", list(&stages)))
}

fn asks_now(looked: &Looked) -> bool {
    looked.fold.counts.to_call + looked.fold.counts.unknown > 0
}

fn unpriced(seen: &[Looked]) -> Option<String> {
    let mut lanes: Vec<&Lane> = seen.iter().flat_map(|looked| &looked.estimate.unpriced).collect();
    lanes.sort();
    lanes.dedup();
    let name = |(provider, model): &Lane| match model {
        Some(model) => format!("`{provider}/{model}`"),
        None => format!("`{provider}`"),
    };
    let names: Vec<String> = lanes.into_iter().map(name).collect();
    (!names.is_empty()).then(|| format!("the price of {} is not known: its calls are in no cost", names.join(", ")))
}

fn times(plan: &Plan, seen: &[Looked]) -> Option<String> {
    let calls = |looked: &&Looked| {
        plan.stage(looked.ix).work.asking().is_some() && looked.fold.counts.to_call + looked.fold.counts.unknown > 0
    };
    let (told, untold): (Vec<&Looked>, Vec<&Looked>) =
        seen.iter().filter(calls).partition(|looked| looked.estimate.time.is_some());
    if told.is_empty() {
        return None;
    }
    let how = "a time is that of kept answers, with as many calls at once as `concurrency` and `rate` allow";
    let untold: Vec<&str> = untold.iter().map(|looked| &*plan.stage(looked.ix).name).collect();
    Some(if untold.is_empty() {
        format!("{how}; the whole takes from the longest stage to all of them in turn")
    } else {
        format!("{how}; that of {} is not known, nor that of the whole", list(&untold))
    })
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
