//! What a stage that uses a pipeline says of it: `with`, and the conditions under which any of it runs.

use std::collections::BTreeSet;

use crate::diag::{Diagnostic, Diagnostics};
use crate::model::{InputKind, Json};
use crate::spec::{InputSpec, JsonSpec, KindSpec, WithSpec};

use super::binder::{Binder, Found, Ground, Site};
use super::bindings::Binding;
use super::shape::Shape;
use super::template::Template;
use super::typed::TypedInput;
use super::units::Role;
use super::work::JsonTemplate;

/// Checks what a stage gives to the pipeline that it uses, and gives the stages that are named for it. Names mean here
/// what they mean to the stage itself.
pub(super) fn check_with(ground: &Ground<'_>, ix: usize, diagnostics: &mut Diagnostics) -> BTreeSet<usize> {
    let (home, units) = (&ground.units.homes[ix], ground.units);
    let Role::Use(unit) = home.role else { return BTreeSet::new() };
    let unit = &units.all[unit];
    let Some((parent, at)) = unit.parent else { return BTreeSet::new() };
    let Some(KindSpec::Use(written)) = &units.all[parent].spec.stages[at].kind else { return BTreeSet::new() };
    let has_condition = ground.spec.stages[ix].when.is_some() || home.within.is_some();
    let mut binder = Binder::of_user(ground, ix, diagnostics);
    for with in written.with.iter().filter(|with| !matches!(with.value, JsonSpec::Plain(_))) {
        let value = binder.json(&with.value, Site::Request);
        let mut inputs = unit.spec.inputs.iter().zip(&unit.bindings);
        let Some((input, binding)) = inputs.find(|(input, _)| input.name.value == with.name.value) else { continue };
        // One that is there has been looked at.
        let is_there = matches!(binding, Binding::Own(_));
        let fits = is_there || check_shape(input, with, &value, &mut binder);
        if let (JsonTemplate::Template(template), true) = (&value, fits && (is_there || !has_condition)) {
            let typed = TypedInput::new(input, &with.place);
            let wrong = |value: &Json| if is_there { None } else { misfit(&typed, input, value) };
            binder.refuse_known(template, &with.place, wrong);
        }
    }
    let found = std::mem::take(&mut binder.found);
    found.stages.keys().copied().collect()
}

/// A list that is known is given as it is.
fn misfit(typed: &TypedInput, input: &InputSpec, value: &Json) -> Option<String> {
    if input.kind() == InputKind::Items && value.is_array() { None } else { typed.misfit(value) }
}

/// Whether a value may be what the input is, by its shape; tells of one that can't.
fn check_shape(input: &InputSpec, with: &WithSpec, value: &JsonTemplate, binder: &mut Binder<'_>) -> bool {
    let shape = match value {
        JsonTemplate::Plain(_) => return true,
        JsonTemplate::List(_) => Shape::List(Box::new(Shape::Any)),
        JsonTemplate::Mapping(_) => Shape::Fields(Vec::new()),
        JsonTemplate::Template(template) if template.is_whole() => match binder.shape_of_path(template) {
            Some(shape) => shape,
            None => return true,
        },
        JsonTemplate::Template(_) => Shape::Text,
    };
    let shape = shape.of_any_value();
    let is_text = matches!(shape, Shape::Text);
    let is_plain = is_text || matches!(shape, Shape::Plain(_));
    let is_list = matches!(shape, Shape::List(_));
    let (fits, expected) = match input.kind() {
        _ if input.is_unsure || shape == Shape::Any => return true,
        InputKind::Json => return true,
        InputKind::Items => (is_list, "a list"),
        InputKind::String => (is_plain, "a text"),
        InputKind::Choice => (is_plain, "one of its options"),
        InputKind::Integer => (is_plain, "a whole number"),
        InputKind::Number => (is_plain, "a number"),
        InputKind::Boolean => (is_plain, "true or false"),
    };
    if fits {
        return true;
    }
    let name = &input.name.value;
    let message = format!("`{name}` is {}, not {expected}", shape.words());
    let diagnostic = Diagnostic::error("wrong-input", &with.place, message)
        .also(input.kind.as_ref().map_or(&input.name.place, |kind| &kind.place), "this type");
    let help = match input.kind() {
        InputKind::Items if is_text => {
            "name a list: an input of `type: items`, a stage whose value is one, or `[a, b]`"
        }
        InputKind::Items => "name a list, or a list in it",
        _ => "name one value: a text, a number, or a field that is one",
    };
    binder.diagnostics().push(diagnostic.help(help));
    false
}

impl Binder<'_> {
    /// The shape behind the path that is all of a template, as far as it is known.
    fn shape_of_path(&self, template: &Template) -> Option<Shape> {
        let path: Vec<String> = template.only_path()?.split('.').map(str::to_owned).collect();
        let (root, rest) = path.split_first()?;
        self.shape_here(root)?.behind(rest)
    }
}

/// The conditions of the stages that use the pipeline of this one, and what they name. What is wrong in them is told at
/// these.
pub(super) fn outer_when(ground: &Ground<'_>, ix: usize) -> (Vec<Template>, Found) {
    let mut untold = Diagnostics::default();
    let mut conditions = Vec::new();
    let mut found = Found::default();
    for user in ground.units.users(ix) {
        let Some(when) = &ground.spec.stages[user].when else { continue };
        let mut binder = Binder::new(ground, Some(ix), &mut untold);
        conditions.push(binder.expression(when, Site::Beside));
        found.add(std::mem::take(&mut binder.found));
    }
    (conditions, found)
}

impl Found {
    /// Adds what another template of the same stage names, beside its request.
    pub(super) fn add(&mut self, other: Self) {
        let Self { inputs, loops, loop_info, outer_loops, run, previous, stages, places, .. } = other;
        self.inputs.extend(inputs);
        self.loops.extend(loops);
        self.loop_info |= loop_info;
        self.run |= run;
        self.previous |= previous;
        for outer in outer_loops {
            if !self.outer_loops.contains(&outer) {
                self.outer_loops.push(outer);
            }
        }
        for (stage, optional) in stages {
            self.stages.entry(stage).and_modify(|known| *known &= optional).or_insert(optional);
        }
        for (stage, place) in places {
            self.places.entry(stage).or_insert(place);
        }
    }
}
