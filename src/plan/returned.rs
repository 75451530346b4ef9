//! What used pipelines return: what their files say, or else every stage that is saved or that nothing names.

use crate::diag::Diagnostics;
use crate::model::{At, Choice};
use crate::spec::{JsonSpec, KindSpec, OutputSpec, TextMap, TextSpec};

use super::binder::Ground;
use super::given::Given;
use super::inputs::Inputs;
use super::loops::LoopTree;
use super::names::Names;
use super::providers::Known;
use super::shape::Shape;
use super::stages::{self, Around};
use super::units::{Unit, Units};

/// What there is beside stages.
pub(super) struct Beside<'a> {
    pub(super) names: &'a Names,
    pub(super) inputs: &'a Inputs,
    pub(super) tree: &'a LoopTree,
    pub(super) providers: &'a Known,
    pub(super) answers: &'a [Choice],
}

/// Sets what used pipelines return that do not say it. Which of their stages are named comes out when all have been
/// built; what is wrong in them is told when they are built to be run.
pub(super) fn settle_outputs(units: &mut Units<'_>, beside: &Beside<'_>, given: &Given) {
    let &Beside { names, inputs, tree, providers, answers } = beside;
    let values = vec![Shape::Any; units.spec.stages.len()];
    let ground = Ground { units, spec: &units.spec, names, inputs, tree, values: &values };
    let around = Around { ground: &ground, given, providers, answers };
    let mut untold = Diagnostics::default();
    let mut named = vec![false; values.len()];
    for ix in 0..values.len() {
        let (_, found) = stages::build(around, ix, &mut untold);
        for named_by in found.stages.keys().chain(&found.handed_on) {
            named[*named_by] = true;
        }
    }
    units.settle_outputs(&|ix| named[ix]);
}

impl Units<'_> {
    /// What a unit returns where its file says so.
    pub(super) fn returned(&self, unit: usize) -> JsonSpec {
        let outputs = self.all[unit].spec.outputs.as_deref().unwrap_or_default();
        mapping(outputs.iter().map(|OutputSpec { name, value }| (name.value.clone(), value.clone())))
    }

    /// Whether what some unit returns depends on which of its stages are named.
    pub(super) fn has_open_outputs(&self) -> bool {
        self.all.iter().any(|unit| unit.parent.is_some() && unit.spec.outputs.is_none())
    }

    /// Sets what units return that do not say it: every saved stage, and every stage that nothing names.
    fn settle_outputs(&mut self, is_named: &dyn Fn(usize) -> bool) {
        for unit in 0..self.all.len() {
            let Unit { spec, stages, parent, .. } = &self.all[unit];
            let (None, Some((user, at))) = (&spec.outputs, *parent) else { continue };
            let returned = spec.stages.iter().zip(stages).filter(|(stage, ix)| stage.save.is_some() || !is_named(**ix));
            let value = mapping(returned.map(|(stage, _)| (stage.name.value.clone(), value_of(&stage.name))));
            let by = self.all[user].stages[at];
            self.spec.stages[by].kind = Some(KindSpec::Value(Some(value)));
        }
    }
}

fn mapping(fields: impl Iterator<Item = (String, JsonSpec)>) -> JsonSpec {
    JsonSpec::Mapping(fields.collect())
}

/// The value of a stage of the file.
fn value_of(name: &At<String>) -> JsonSpec {
    let text = format!("{{{{{}}}}}", name.value).into();
    JsonSpec::Template(TextSpec { text, map: TextMap::fixed(name.place.clone()) })
}
