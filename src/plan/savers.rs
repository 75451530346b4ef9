//! Stages whose paths are known before anything is called: made of constants, inputs, items and places in loops alone.

use std::collections::BTreeSet;

use crate::model::JsonMap;
use crate::source::ListSource;

use super::pipeline::{Input, InputValue, Loop, LoopIx, LoopSource, Stage};
use super::template::Template;
use super::work::Work;

/// A stage that saves, and what decides where.
#[derive(Debug)]
pub(super) struct Saver<'a> {
    pub(super) stage: usize,
    /// Without one, a picture that is named after its stage and item.
    pub(super) path: Option<&'a Template>,
    /// All instances share the file.
    pub(super) has_rows: bool,
    pub(super) is_picture: bool,
    /// An instance saves where all of these hold.
    pub(super) conditions: Vec<&'a Template>,
    /// The path is the same for all instances, and it is looked at once.
    pub(super) once: bool,
}

/// What stages are told apart by.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) stages: &'a [Stage],
    pub(super) loops: &'a [Loop],
    pub(super) inputs: &'a [Input],
    pub(super) surely_runs: &'a [bool],
}

impl<'a> Known<'a> {
    /// Everything that a stage saves under a path that can be known.
    pub(super) fn savers(self) -> Vec<Saver<'a>> {
        let conditions = self.conditions();
        let templates = |of: &BTreeSet<usize>| of.iter().filter_map(|ix| self.stages[*ix].when.as_ref()).collect();
        let savers =
            conditions.iter().enumerate().filter_map(|(ix, of)| Some(self.savers_of(ix, templates(of.as_ref()?))));
        savers.flatten().collect()
    }

    fn savers_of(self, ix: usize, conditions: Vec<&'a Template>) -> Vec<Saver<'a>> {
        let stage = &self.stages[ix];
        let is_picture = matches!(stage.work, Work::Image(_));
        let has_rows = stage.has_rows();
        let all_known = stage.loops.iter().all(|of| self.is_known_loop(*of));
        let mut savers = Vec::new();
        if let Some(save) = &stage.save {
            let once = conditions.is_empty() && (stage.loops.is_empty() || (has_rows && save.path.is_constant()));
            if once || all_known {
                let path = Some(&save.path).filter(|path| self.is_known(stage, path));
                let conditions = conditions.clone();
                savers.extend(path.map(|path| Saver {
                    stage: ix,
                    path: Some(path),
                    has_rows,
                    is_picture,
                    conditions,
                    once,
                }));
            }
        }
        if is_picture && all_known && (stage.save.is_none() || has_rows) {
            let once = conditions.is_empty() && stage.loops.is_empty();
            savers.push(Saver { stage: ix, path: None, has_rows: false, is_picture, conditions, once });
        }
        savers
    }

    /// For each stage, the stages whose conditions decide whether an instance comes to its end with a value, if nothing
    /// fails; nothing if an answer decides.
    fn conditions(self) -> Vec<Option<BTreeSet<usize>>> {
        let mut all: Vec<Option<BTreeSet<usize>>> = vec![None; self.stages.len()];
        for ix in by_depth(self.stages) {
            all[ix] = self.conditions_of(ix, &all);
        }
        all
    }

    fn conditions_of(self, ix: usize, before: &[Option<BTreeSet<usize>>]) -> Option<BTreeSet<usize>> {
        let stage = &self.stages[ix];
        let mut conditions = BTreeSet::new();
        if !stage.outer_when.is_empty() {
            return None;
        }
        if let Some(when) = &stage.when {
            if !self.is_known(stage, when) {
                return None;
            }
            conditions.insert(ix);
        }
        for named in stage.refs.iter().filter(|one| !self.surely_runs[one.stage.0]) {
            if named.optional {
                // It may be all that there is in a `default`.
                return None;
            }
            if stage.loops.starts_with(&self.stages[named.stage.0].loops) {
                conditions.extend(before[named.stage.0].as_ref()?);
            }
        }
        Some(conditions)
    }

    fn is_known(self, stage: &Stage, template: &Template) -> bool {
        template.uses().iter().all(|one| {
            let root = one.path.first().map_or("", String::as_str);
            matches!(root, "loop" | "run")
                || stage.loops.iter().any(|ix| &*self.loops[ix.0].name == root)
                || self.inputs.iter().any(|one| &*one.name == root && matches!(one.value, InputValue::Json(_)))
        })
    }

    fn is_known_loop(self, ix: LoopIx) -> bool {
        let of = &self.loops[ix.0];
        let is_known = match &of.source {
            LoopSource::Rows { list, .. } => !matches!(list, ListSource::Stdin),
            LoopSource::Item { of, .. } => self.is_known_loop(*of),
            LoopSource::Stage { .. } => false,
        };
        is_known && of.parent.is_none_or(|parent| self.is_known_loop(parent))
    }

    /// The values of inputs that these templates may name, and of `run`.
    pub(super) fn names(self, savers: &[Saver<'_>]) -> JsonMap {
        let templates = || savers.iter().flat_map(|saver| saver.path.iter().chain(&saver.conditions));
        let is_named = |name: &str| templates().flat_map(|one| one.uses()).any(|one| one.path[0] == name);
        let mut names = JsonMap::new();
        for input in self.inputs.iter().filter(|input| is_named(&input.name)) {
            if let InputValue::Json(value) = &input.value {
                names.insert(input.name.to_string(), value.as_ref().clone());
            }
        }
        // A run's id is its own: nothing that a file says is equal to it.
        names.insert("run".to_owned(), serde_json::json!({"name": "run.name", "id": "run.id"}));
        names
    }
}

/// For each stage, whether it runs for every item if nothing fails, with all that it names.
pub(super) fn surely_runs(stages: &[Stage]) -> Vec<bool> {
    let mut surely = vec![false; stages.len()];
    for ix in by_depth(stages) {
        surely[ix] = !stages[ix].is_conditional() && stages[ix].refs.iter().all(|one| surely[one.stage.0]);
    }
    surely
}

/// For each stage, whether it runs for every item if nothing fails, whatever becomes of what it can do without.
pub(super) fn always_runs(stages: &[Stage]) -> Vec<bool> {
    let mut always = vec![false; stages.len()];
    for ix in by_depth(stages) {
        let refs = &stages[ix].refs;
        always[ix] = !stages[ix].is_conditional() && refs.iter().all(|one| one.optional || always[one.stage.0]);
    }
    always
}

/// Each stage behind all that it needs.
fn by_depth(stages: &[Stage]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..stages.len()).collect();
    order.sort_by_key(|ix| stages[*ix].depth);
    order
}
