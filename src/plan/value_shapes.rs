//! What is known of values that stages put together, and of the items of loops that go over them.
//!
//! A value is made of names, whose meaning depends on the loops; and the items of a loop may come out of a value. So
//! both are found together, when it is known which loops there are: each stage behind those that its value is made of.

use std::collections::BTreeSet;

use crate::spec::{JsonSpec, KindSpec, OnErrorSpec, PipelineSpec, StageSpec, TextSpec};

use super::inputs::Inputs;
use super::loops::{DraftSource, LoopTree};
use super::names::{Named, Names};
use super::pipeline::LoopIx;
use super::settings::Settings;
use super::shape::Shape;
use super::template::{Gives, Origin, Template};
use super::units::{Role, Units};

/// Of a value that is made of more shapes than this, nothing is known: each of a row of values may hold the one before
/// it several times.
const LARGEST: usize = 2_000;

/// The shapes of all stages' values, of which `known` has those that ask or render. The items of loops are known as well
/// from then on.
pub(super) fn settle(
    (units, names, inputs): (&Units<'_>, &Names, &Inputs),
    known: Vec<Shape>,
    tree: &mut LoopTree,
) -> Vec<Shape> {
    let spec = &units.spec;
    let mut pass = Pass { units, spec, names, inputs, tree, values: known };
    for stage in pass.in_order() {
        if let Some(KindSpec::Value(Some(json))) = &spec.stages[stage].kind {
            let shape = pass.of_stage(stage, json);
            pass.values[stage] = if shape.size() > LARGEST { Shape::Any } else { shape };
        }
    }
    let values = pass.values;
    tree.values.clone_from(&values);
    values
}

/// The shape of what `group` makes of a list.
fn groups(list: Shape, named: &[(String, Origin)]) -> Shape {
    let by = named.iter().find(|(name, _)| name == "by");
    let key = match by {
        Some((_, Origin::Literal(path))) => {
            let path: Vec<String> = path.as_str().unwrap_or_default().split('.').map(str::to_owned).collect();
            list.element().and_then(|item| item.behind(&path))
        }
        _ => None,
    };
    let fields = vec![("key".to_owned(), key.unwrap_or(Shape::Any)), ("items".to_owned(), list)];
    Shape::List(Box::new(Shape::Fields(fields)))
}

struct Pass<'a> {
    units: &'a Units<'a>,
    spec: &'a PipelineSpec,
    names: &'a Names,
    inputs: &'a Inputs,
    tree: &'a LoopTree,
    values: Vec<Shape>,
}

impl Pass<'_> {
    /// Every stage behind those that its value needs. Where stages wait for each other, which is told elsewhere, any
    /// order will do. A way may be as long as there are stages: it is kept on a heap.
    fn in_order(&self) -> Vec<usize> {
        let mut order = Vec::with_capacity(self.values.len());
        let mut is_seen = vec![false; self.values.len()];
        for stage in 0..self.values.len() {
            let mut trail: Vec<(usize, Vec<usize>)> = Vec::new();
            let mut next = Some(stage);
            loop {
                if let Some(stage) = next.take().filter(|stage| !std::mem::replace(&mut is_seen[*stage], true)) {
                    trail.push((stage, self.needed(stage)));
                }
                let Some((stage, needed)) = trail.last_mut() else { break };
                next = needed.pop();
                if next.is_none() {
                    order.push(*stage);
                    trail.pop();
                }
            }
        }
        order
    }

    /// The stages that a value is made of.
    fn needed(&self, stage: usize) -> Vec<usize> {
        let mut needed = BTreeSet::new();
        if let Some(KindSpec::Value(Some(json))) = &self.spec.stages[stage].kind {
            self.add_named(stage, json, &mut needed);
            needed.extend(self.tree.of_stage[stage].iter().filter_map(|ix| self.tree.loops[ix.0].source.stage()));
        }
        needed.into_iter().collect()
    }

    fn add_named(&self, stage: usize, json: &JsonSpec, needed: &mut BTreeSet<usize>) {
        for text in json.templates() {
            let unit = self.unit(stage, text);
            let template = self.compile(unit, text);
            let roots = template.iter().flat_map(Template::uses).filter_map(|one| one.path.first());
            needed.extend(roots.filter_map(|root| match self.names.get(unit, root) {
                Some(Named::Stage(stage)) => Some(stage),
                _ => None,
            }));
        }
    }

    /// A template that is broken is told where its stage is built.
    fn compile(&self, unit: usize, text: &TextSpec) -> Option<Template> {
        Template::compile(&text.text, &|word| self.names.is_name(unit, word)).ok()
    }

    /// The unit whose names a template of a stage means.
    fn unit(&self, stage: usize, text: &TextSpec) -> usize {
        self.units.of_file(self.units.homes[stage].speaks, text.map.whole().file)
    }

    fn of_stage(&self, stage: usize, json: &JsonSpec) -> Shape {
        let own = self.of_json(stage, json);
        if let Role::Input(typed) = &self.units.homes[stage].role {
            return typed.shape(&own);
        }
        match self.stand_in(&self.spec.stages[stage]) {
            Some(other) => Shape::common([own, self.of_json(stage, other)]),
            None => own,
        }
    }

    /// What stands in for the value where it can't be made.
    fn stand_in<'s>(&'s self, stage: &'s StageSpec) -> Option<&'s JsonSpec> {
        let settings = Settings::of(stage, &self.spec.defaults);
        match settings.get(|s| s.on_error.as_ref()).map(|at| &at.value) {
            Some(OnErrorSpec::Value(json)) => Some(json),
            _ => None,
        }
    }

    fn of_json(&self, stage: usize, json: &JsonSpec) -> Shape {
        match json {
            JsonSpec::Plain(value) => Shape::of_literal(&value.value),
            JsonSpec::Template(text) => {
                let unit = self.unit(stage, text);
                match self.compile(unit, text) {
                    Some(template) if template.is_whole() => {
                        template.origin().map_or(Shape::Any, |origin| self.of_origin((stage, unit), origin))
                    }
                    Some(_) => Shape::Text,
                    None => Shape::Any,
                }
            }
            JsonSpec::List(items) => {
                Shape::List(Box::new(Shape::common(items.iter().map(|item| self.of_json(stage, item)))))
            }
            JsonSpec::Mapping(written) => {
                let (mut fields, mut size) = (Vec::with_capacity(written.len()), 1);
                for (name, value) in written {
                    let shape = self.of_json(stage, value);
                    size += shape.size();
                    if size > LARGEST {
                        return Shape::Any;
                    }
                    fields.push((name.clone(), shape));
                }
                Shape::Fields(fields)
            }
        }
    }

    fn of_origin(&self, at: (usize, usize), origin: &Origin) -> Shape {
        match origin {
            Origin::Literal(value) => Shape::of_literal(value),
            Origin::Path(path) => self.of_path(at, path).unwrap_or(Shape::Any),
            Origin::Helper { gives, args, named } => {
                let arg = |ix: usize| args.get(ix).map_or(Shape::Any, |arg| self.of_origin(at, arg));
                match gives {
                    Gives::Anything => Shape::Any,
                    Gives::Text => Shape::Text,
                    Gives::NumberOrText if args.len() > 1 => Shape::Text,
                    Gives::Number | Gives::NumberOrText => Shape::Plain("a number"),
                    Gives::Truth => Shape::Plain("true or false"),
                    Gives::Texts => Shape::List(Box::new(Shape::Text)),
                    Gives::OneOf => Shape::common((0..args.len()).map(arg)),
                    Gives::Alike => arg(0),
                    Gives::Lists => Shape::List(Box::new(arg(0))),
                    Gives::Groups => groups(arg(0), named),
                    Gives::Item if args.len() > 1 => arg(0),
                    Gives::Item => arg(0).element().unwrap_or(Shape::Any),
                }
            }
        }
    }

    /// The shape of a path where a stage names it in a file of this unit; nothing if that is wrong.
    fn of_path(&self, (stage, unit): (usize, usize), path: &[String]) -> Option<Shape> {
        let (root, fields) = path.split_first()?;
        let here = match self.names.get(unit, root)? {
            Named::Input(input) => self.inputs.shapes[input].clone(),
            Named::Variable => self.item(
                self.tree.find(self.names.meant(unit, root)?).filter(|ix| self.tree.of_stage[stage].contains(ix))?,
            ),
            Named::Stage(other) if self.tree.is_broken[other] || self.tree.is_broken[stage] => Shape::Any,
            Named::Stage(other) if self.tree.of_stage[stage].starts_with(&self.tree.of_stage[other]) => {
                self.values[other].clone()
            }
            Named::Stage(other) => Shape::List(Box::new(self.values[other].clone())),
        };
        here.behind(fields)
    }

    /// The shape of a loop's items.
    fn item(&self, ix: LoopIx) -> Shape {
        let list = match &self.tree.loops[ix.0].source {
            DraftSource::Stage { stage, path } => self.values[*stage].behind(path),
            DraftSource::Item { of, path } => self.item(*of).behind(path),
            _ => return self.tree.shape(ix, self.inputs),
        };
        list.and_then(|list| list.element()).unwrap_or(Shape::Any)
    }
}
