//! Data files are read through once before anything is called; nothing of them is held.

use std::collections::BTreeSet;

use crate::diag::{Diagnostic, Diagnostics};
use crate::model::Place;
use crate::source::{ListSource, Row, SourceError, Survey, show_lines, survey};

use super::binder::{Found, Ground};
use super::loops::DraftSource;
use super::pipeline::{InputValue, Loop, LoopIx, LoopSource, Stage};
use super::required::{Needs, Wishes};
use super::save_claims::written_at;
use super::save_walk::Walk;
use super::savers::{Known, always_runs, surely_runs};

/// Something wrong in a data file.
#[derive(Debug, Clone)]
pub struct DataFault {
    /// What, and where in the data.
    pub error: SourceError,
    /// Where a stage names what the row lacks.
    pub named: Option<Place>,
}

/// Reads every list that is looped over or named through, sets how many rows each loop has, and tells what is wrong in
/// them: at its line, or if it has none, where the list is written.
pub(super) fn read(
    ground: &Ground<'_>,
    stages: &[Stage],
    found: &[Found],
    limit: Option<u64>,
    loops: &mut [Loop],
    diagnostics: &mut Diagnostics,
) -> Vec<DataFault> {
    let mut faults = Vec::new();
    let known_loops = loops.to_vec();
    let surely_runs = surely_runs(stages);
    let known = Known { stages, loops: &known_loops, inputs: &ground.inputs.values, surely_runs: &surely_runs };
    let mut walk = Walk::new(ground, known);
    walk.root();
    let always_runs = always_runs(stages);
    let needs = Needs { ground, stages, found, always_runs: &always_runs };
    for ix in (0..loops.len()).map(LoopIx) {
        let LoopSource::Rows { list, limit } = &known_loops[ix.0].source else { continue };
        if matches!(list, ListSource::Stdin) {
            continue;
        }
        let is_entered = loops[ix.0].parent.is_none() && walk.enters(ix);
        if let ListSource::Count(count) = list {
            let count = limit.map_or(*count, |limit| limit.min(*count));
            loops[ix.0].rows = Some(count);
            if is_entered {
                walk.count(ix, list, count);
            }
            continue;
        }
        let wishes = if is_always_read(loops, ix) { needs.of_loop(ix) } else { Wishes::default() };
        let mut on_row = |row: &Row| walk.row(ix, list, row);
        let read = survey(list, *limit, &wishes.wanted(), if is_entered { Some(&mut on_row) } else { None });
        loops[ix.0].rows = Some(read.rows);
        faults.extend(told(read, &ListPlace::of_loop(ground, ix), &wishes.places, diagnostics));
    }
    faults.extend(tell_of_paths(ground, walk, &known_loops, diagnostics));
    for input in named_lists(ground, found) {
        if let InputValue::List(list) = &ground.inputs.values[input].value {
            let wishes = needs.of_input(input);
            let read = survey(list, limit, &wishes.wanted(), None);
            faults.extend(told(read, &ListPlace::of_input(ground, input), &wishes.places, diagnostics));
        }
    }
    faults
}

/// What is wrong with paths that rows make: at the row, or if that has no line, where the list is written.
fn tell_of_paths(ground: &Ground<'_>, walk: Walk<'_>, loops: &[Loop], diagnostics: &mut Diagnostics) -> Vec<DataFault> {
    let (clashes, wrong) = walk.told();
    diagnostics.extend(clashes);
    let mut faults = Vec::new();
    for mut one in wrong {
        let named = written_at(ground, one.stage);
        let Some(of) = one.of else {
            diagnostics.push(Diagnostic::error("save-outside", &named, one.error.message).help_if(one.error.help));
            continue;
        };
        if let LoopSource::Rows { list, .. } = &loops[of.0].source {
            show_lines(list, std::slice::from_mut(&mut one.error));
        }
        if one.error.line.is_some() {
            faults.push(DataFault { error: one.error, named: Some(named) });
        } else {
            diagnostics.push(without_line(one.error, Some(&named), &ListPlace::of_loop(ground, of)));
        }
    }
    faults
}

/// Lists that templates name, and no loop goes over: nobody else has read them.
fn named_lists(ground: &Ground<'_>, found: &[Found]) -> BTreeSet<usize> {
    let mut named: BTreeSet<usize> = found.iter().flat_map(|one| one.inputs.iter().copied()).collect();
    for one in &ground.tree.loops {
        if let DraftSource::Input { input, .. } = one.source {
            named.remove(&input);
        }
    }
    named.retain(|input| !matches!(ground.inputs.values[*input].value, InputValue::List(ListSource::Stdin)));
    named
}

fn told(read: Survey, list: &ListPlace<'_>, places: &[Place], diagnostics: &mut Diagnostics) -> Vec<DataFault> {
    let mut faults = Vec::new();
    for error in read.errors {
        let named = error.lacks.and_then(|lack| places.get(lack).cloned());
        if error.line.is_some() {
            faults.push(DataFault { error, named });
        } else {
            diagnostics.push(without_line(error, named.as_ref(), list));
        }
    }
    faults
}

/// Where a list is written, or was said on the command line.
struct ListPlace<'a> {
    whole: &'a Place,
    /// Its elements, if it is written out.
    items: &'a [Place],
}

impl<'a> ListPlace<'a> {
    fn of_loop(ground: &'a Ground<'a>, ix: LoopIx) -> Self {
        let draft = &ground.tree.loops[ix.0];
        match &draft.source {
            DraftSource::Input { input, path } if path.is_empty() => Self::of_input(ground, *input),
            DraftSource::Input { input, .. } => Self { whole: &ground.inputs.places[*input], items: &[] },
            _ => Self { whole: &draft.list_place, items: &draft.items },
        }
    }

    fn of_input(ground: &'a Ground<'a>, input: usize) -> Self {
        let (spec, whole) = (&ground.spec.inputs[input], &ground.inputs.places[input]);
        let is_default = spec.default.as_ref().is_some_and(|default| default.place == *whole);
        Self { whole, items: if is_default { &spec.items } else { &[] } }
    }

    fn item(&self, index: Option<u64>) -> &'a Place {
        let index = index.and_then(|index| usize::try_from(index).ok());
        index.and_then(|index| self.items.get(index)).unwrap_or(self.whole)
    }
}

/// A mistake that has no line: that of a list in the pipeline file itself, or of a file as a whole.
fn without_line(error: SourceError, named: Option<&Place>, list: &ListPlace<'_>) -> Diagnostic {
    let place = list.item(error.item);
    let message = match &error.path {
        Some(path) => format!("`{}`: {}", path.display(), error.message),
        None => error.message,
    };
    let diagnostic = Diagnostic::error("bad-row", place, message).help_if(error.help);
    match named {
        Some(named) => diagnostic.also(named, "it is named here"),
        None => diagnostic,
    }
}

/// Whether all loops around are lists that are there beforehand, so that every row is reached.
fn is_always_read(loops: &[Loop], ix: LoopIx) -> bool {
    let mut chain = std::iter::successors(Some(ix), |ix| loops[ix.0].parent);
    chain.all(|ix| matches!(loops[ix.0].source, LoopSource::Rows { .. }))
}
