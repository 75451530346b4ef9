//! Data files are read through once before anything is called; nothing of them is held.

use std::collections::{BTreeSet, HashMap};

use crate::diag::{Diagnostic, Diagnostics};
use crate::model::{Json, JsonMap, Place};
use crate::source::{ListSource, Row, SourceError, Survey, survey};

use super::binder::{Found, Ground};
use super::keys::item_key;
use super::loops::DraftSource;
use super::pipeline::{InputValue, Loop, LoopIx, LoopSource, Stage};
use super::work::SaveForm;

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
    for ix in (0..loops.len()).map(LoopIx) {
        let LoopSource::Rows { list, limit } = &loops[ix.0].source else { continue };
        let (list, limit) = (list.clone(), *limit);
        if matches!(list, ListSource::Stdin) {
            continue;
        }
        if let ListSource::Count(count) = list {
            loops[ix.0].rows = Some(limit.map_or(count, |limit| limit.min(count)));
            continue;
        }
        let required = if is_always_read(loops, ix) { required(stages, found, ix) } else { Vec::new() };
        let mut paths: Vec<Paths<'_>> = stages
            .iter()
            .enumerate()
            .filter_map(|(at, stage)| Paths::of(ground, at, stage, ix, &loops[ix.0]))
            .collect();
        let mut compare = |row: &Row| paths.iter_mut().for_each(|one| one.compare(row));
        let read = survey(&list, limit, &required, Some(&mut compare));
        loops[ix.0].rows = Some(read.rows);
        let named = |lacks: &[String]| named_at(found, ix, lacks);
        faults.extend(told(read, list_place(ground, ix), named, diagnostics));
        diagnostics.extend(paths.into_iter().filter_map(|one| one.clash));
    }
    for input in named_lists(ground, found) {
        if let InputValue::List(list) = &ground.inputs.values[input].value {
            let read = survey(list, limit, &[], None);
            faults.extend(told(read, &ground.inputs.places[input], |_| None, diagnostics));
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
    named.retain(|input| {
        !matches!(ground.inputs.values[*input].value, InputValue::List(ListSource::Stdin | ListSource::Inline(_)))
    });
    named
}

fn told(
    read: Survey,
    list: &Place,
    named: impl Fn(&[String]) -> Option<Place>,
    diagnostics: &mut Diagnostics,
) -> Vec<DataFault> {
    if read.more_errors > 0 {
        let message = format!("{} more mistakes in this list are not shown", read.more_errors);
        diagnostics.push(Diagnostic::note("more-bad-rows", list, message));
    }
    let mut faults = Vec::new();
    for error in read.errors {
        let named = error.lacks.as_deref().and_then(&named);
        if error.line.is_some() {
            faults.push(DataFault { error, named });
        } else {
            diagnostics.push(without_line(error, named.as_ref(), list));
        }
    }
    faults
}

/// Where the list of a loop is written, or was said on the command line.
fn list_place<'a>(ground: &'a Ground<'_>, ix: LoopIx) -> &'a Place {
    let draft = &ground.tree.loops[ix.0];
    match draft.source {
        DraftSource::Input { input, .. } => &ground.inputs.places[input],
        _ => &draft.list_place,
    }
}

/// Where a stage names a field that a row lacks.
fn named_at(found: &[Found], of: LoopIx, path: &[String]) -> Option<Place> {
    let named = found.iter().flat_map(|one| &one.required).find(|one| one.of == of && one.path.starts_with(path));
    named.map(|one| one.place.clone())
}

/// A mistake that has no line: that of a list in the pipeline file itself, or of a file as a whole.
fn without_line(error: SourceError, named: Option<&Place>, list: &Place) -> Diagnostic {
    let message = match &error.path {
        Some(path) => format!("`{}`: {}", path.display(), error.message),
        None => error.message,
    };
    let diagnostic = Diagnostic::error("bad-row", list, message).help_if(error.help);
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

/// The fields that every item must have, since a stage that runs for every item names them.
fn required(stages: &[Stage], found: &[Found], of: LoopIx) -> Vec<Vec<String>> {
    let mut required: Vec<Vec<String>> = Vec::new();
    for (ix, one) in found.iter().enumerate() {
        if !always_runs(stages, ix) {
            continue;
        }
        for field in one.required.iter().filter(|one| one.of == of) {
            if !required.contains(&field.path) {
                required.push(field.path.clone());
            }
        }
    }
    required
}

fn always_runs(stages: &[Stage], ix: usize) -> bool {
    let stage = &stages[ix];
    stage.when.is_none() && stage.refs.iter().all(|one| one.optional || always_runs(stages, one.stage.0))
}

/// Paths of one stage that are made of its items alone: they can be compared before anything is called.
struct Paths<'a> {
    ground: &'a Ground<'a>,
    at: usize,
    stage: &'a Stage,
    variable: String,
    /// Paths by a part of their hash, each with the item it came from, from 1.
    seen: HashMap<[u8; 16], u64>,
    clash: Option<Diagnostic>,
}

impl<'a> Paths<'a> {
    fn of(ground: &'a Ground<'a>, at: usize, stage: &'a Stage, ix: LoopIx, of: &Loop) -> Option<Self> {
        let save = stage.save.as_ref()?;
        let alone = stage.loops == [ix] && matches!(save.form, SaveForm::File) && !save.path.is_constant();
        let made_of_items = save.path.uses().iter().all(|one| {
            let root = one.path.first().map_or("", String::as_str);
            root == &*of.name || root == "loop"
        });
        let variable = of.name.to_string();
        (alone && made_of_items).then(|| Self { ground, at, stage, variable, seen: HashMap::new(), clash: None })
    }

    fn compare(&mut self, row: &Row) {
        if self.clash.is_some() {
            return;
        }
        let key = item_key(&row.value, row.index);
        let info = loop_info(&self.variable, row.index, &key);
        let mut names = JsonMap::new();
        names.insert(self.variable.clone(), row.value.clone());
        names.insert("loop".to_owned(), info);
        let Some(path) = self.stage.save.as_ref().and_then(|save| save.path.render(&names.into()).ok()) else { return };
        let digest = blake3::hash(path.to_lowercase().as_bytes());
        let mut short = [0; 16];
        short.copy_from_slice(&digest.as_bytes()[..16]);
        if let Some(first) = self.seen.insert(short, row.index + 1) {
            self.clash = self.tell(&path, first, row.index + 1);
        }
    }

    fn tell(&self, path: &str, first: u64, second: u64) -> Option<Diagnostic> {
        let spec = self.ground.spec.stages[self.at].save.as_ref()?;
        let message = format!("items {first} and {second} of `{}` would both be saved as `{path}`", self.variable);
        let help =
            "name something in the path that differs from item to item, and in more than case: `{{loop.number}}`";
        Some(Diagnostic::error("save-clash", &spec.path.map.whole(), message).help(help))
    }
}

fn loop_info(variable: &str, index: u64, key: &str) -> Json {
    let one = serde_json::json!({"index": index, "number": index + 1, "first": index == 0, "key": key});
    let mut info = one.clone();
    if let Some(fields) = info.as_object_mut() {
        fields.insert(variable.to_owned(), one);
    }
    info
}
