//! Data files are read through once before anything is called; nothing of them is held.

use std::collections::HashSet;

use crate::diag::{Diagnostic, Diagnostics};
use crate::model::{Json, JsonMap};
use crate::source::{ListSource, Row, SourceError, survey};

use super::binder::{Found, Ground};
use super::keys::item_key;
use super::pipeline::{Loop, LoopIx, LoopSource, Stage};
use super::work::SaveForm;

/// Reads every list of the loops through, sets how many rows each has, and tells what is wrong in them.
pub(super) fn read(
    ground: &Ground<'_>,
    stages: &[Stage],
    found: &[Found],
    loops: &mut [Loop],
    diagnostics: &mut Diagnostics,
) -> Vec<SourceError> {
    let mut faults = Vec::new();
    for ix in 0..loops.len() {
        let LoopSource::Rows { list, limit } = &loops[ix].source else { continue };
        let (list, limit) = (list.clone(), *limit);
        if matches!(list, ListSource::Stdin) {
            continue;
        }
        if let ListSource::Count(count) = list {
            loops[ix].rows = Some(limit.map_or(count, |limit| limit.min(count)));
            continue;
        }
        let required = if is_always_read(loops, LoopIx(ix)) { required(stages, found, LoopIx(ix)) } else { Vec::new() };
        let mut paths: Vec<Paths<'_>> = stages
            .iter()
            .enumerate()
            .filter_map(|(at, stage)| Paths::of(ground, at, stage, LoopIx(ix), &loops[ix]))
            .collect();
        let mut compare = |row: &Row| paths.iter_mut().for_each(|one| one.compare(row));
        let read = survey(&list, limit, &required, Some(&mut compare));
        loops[ix].rows = Some(read.rows);
        if read.more_errors > 0 {
            let message =
                format!("{} more mistakes in the list of `{}` are not shown", read.more_errors, loops[ix].name);
            diagnostics.push(Diagnostic::note("more-bad-rows", &ground.tree.loops[ix].place, message));
        }
        faults.extend(read.errors);
        diagnostics.extend(paths.into_iter().filter_map(|one| one.clash));
    }
    faults
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
        for (_, path) in one.required.iter().filter(|(ix, _)| *ix == of) {
            if !required.contains(path) {
                required.push(path.clone());
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
    seen: HashSet<[u8; 16]>,
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
        (alone && made_of_items).then(|| Self { ground, at, stage, variable, seen: HashSet::new(), clash: None })
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
        if !self.seen.insert(short) {
            self.clash = self.tell(&path, &key);
        }
    }

    fn tell(&self, path: &str, key: &str) -> Option<Diagnostic> {
        let spec = self.ground.spec.stages[self.at].save.as_ref()?;
        let message = format!("two items of `{}` would be saved as `{path}`; the second is `{key}`", self.stage.name);
        let help = "name something in the path that differs from item to item: `{{loop.number}}`, or a field that does";
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
