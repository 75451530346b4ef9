//! Fields behind names: whether they can exist, as far as shapes are known.

use std::ops::Range;

use crate::diag::{Diagnostic, did_you_mean, listed, meant, shortened};
use crate::model::{Json, Place, plain_text};
use crate::source::ListSource;
use crate::spec::TextMap;

use super::binder::Binder;
use super::names::Named;
use super::pipeline::InputValue;
use super::required::Of;
use super::shape::Shape;
use super::talk::PREVIOUS;
use super::template::{Comparison, ElementUse, Step, Use, described};
use super::units::{ROOT, Role};

/// A path as it is written in a template.
#[derive(Debug, Clone)]
pub(super) struct Written<'a> {
    text: &'a str,
    range: Range<usize>,
    map: &'a TextMap,
}

impl<'a> Written<'a> {
    /// The path at `range` of a template.
    pub(super) fn new(template: &'a str, range: &Range<usize>, map: &'a TextMap) -> Self {
        Self { text: template.get(range.clone()).unwrap_or_default(), range: range.clone(), map }
    }

    /// All of the path.
    pub(super) fn place(&self) -> Place {
        self.map.place(self.range.clone())
    }

    /// Where `segment` stands, behind which `rest` follows; all of the path if it is written in brackets.
    pub(super) fn segment(&self, segment: &str, rest: &[String]) -> Place {
        match self.find(segment, rest) {
            Some(found) => self.map.place(self.range.start + found.start..self.range.start + found.end),
            None => self.place(),
        }
    }

    fn find(&self, segment: &str, rest: &[String]) -> Option<Range<usize>> {
        let behind: usize = rest.iter().map(|one| one.len() + 1).sum();
        let end = self.text.len().checked_sub(behind)?;
        let start = end.checked_sub(segment.len())?;
        (self.text.get(start..end) == Some(segment)).then_some(start..end)
    }

    fn starts_with(&self, segment: &str) -> bool {
        self.text.starts_with(segment)
    }

    /// The path with another name in the place of `segment`.
    fn with(&self, other: &str, segment: &str, rest: &[String]) -> String {
        match self.find(segment, rest) {
            Some(found) => format!("{}{other}{}", &self.text[..found.start], &self.text[found.end..]),
            None => other.to_owned(),
        }
    }
}

impl Binder<'_> {
    /// Checks the fields of a path that starts from a name of the file, whose value has this shape.
    pub(super) fn check_fields(&mut self, one: &Use, shape: &Shape, written: &Written<'_>) {
        let (name, fields) = (&one.path[0], &one.path[1..]);
        let mut shape = shape.clone();
        for (at, field) in fields.iter().enumerate() {
            let Some(found) = shape.field(field) else {
                if matches!(shape, Shape::Seen(_)) && one.lenient {
                    return;
                }
                let owner = one.path[..=at].join(".");
                let rest = &fields[at + 1..];
                let help = match did_you_mean(field, shape.fields()) {
                    Some(meant) => format!("did you mean `{}`?", written.with(&meant, field, rest)),
                    None => self.field_help(name, &owner, &shape, field),
                };
                let message = lacks(&format!("`{owner}`"), &shape, field);
                let place = written.segment(field, rest);
                return self.diagnostics().push(Diagnostic::error("unknown-field", &place, message).help(help));
            };
            shape = found;
        }
        if one.each && shape.element().is_none() {
            let message = format!("`{}` is {}, not a list", one.path.join("."), shape.words());
            let help = self.one_value_help(name);
            self.diagnostics().push(Diagnostic::error("not-a-list", &written.place(), message).help(help));
        }
    }

    /// Checks that a list that is there has the items that a path names by their numbers.
    pub(super) fn check_index(&mut self, one: &Use, input: usize, written: &Written<'_>) {
        if one.lenient || one.conditional {
            return;
        }
        let (items, value);
        let (mut at, fields) = match &self.ground.inputs.values[input].value {
            InputValue::List(ListSource::Inline(list)) => {
                items = Json::Array(list.to_vec());
                (&items, &one.path[1..])
            }
            InputValue::Json(json) => {
                value = json.clone();
                (value.as_ref(), &one.path[1..])
            }
            InputValue::List(_) | InputValue::Missing => return,
        };
        for (depth, field) in fields.iter().enumerate() {
            let next = match at {
                Json::Array(items) => field.parse::<usize>().ok().and_then(|ix| items.get(ix)),
                other => other.get(field),
            };
            if let (Json::Array(list), None, Ok(_)) = (at, next, field.parse::<usize>()) {
                let owner = one.path[..=depth].join(".");
                let (count, items) = (list.len(), if list.len() == 1 { "item" } else { "items" });
                let message = format!("`{owner}` has {count} {items}, and none with the index {field}");
                let help = "indices begin at 0; `default` allows a missing item";
                let place = written.segment(field, &fields[depth + 1..]);
                return self.diagnostics().push(Diagnostic::error("unknown-field", &place, message).help(help));
            }
            let Some(next) = next else { return };
            at = next;
        }
    }

    /// Checks the fields of an element of a block. What is wrong with the list itself is told where it is named.
    pub(super) fn check_element(&mut self, one: &ElementUse, written: &Written<'_>) {
        let Some((Step::Field(name), steps)) = one.path.split_first() else { return };
        match (self.named(name), steps.split_first()) {
            (Some(Named::Input(input)), Some((Step::Element, steps))) => {
                self.require_of_element(one, Of::Input(input), steps, written.place());
            }
            (Some(Named::Variable), _) => {
                if let Some(ix) = self.variable(name).filter(|ix| self.loops.contains(ix)) {
                    self.require_of_element(one, Of::Loop(ix), steps, written.place());
                }
            }
            _ => {}
        }
        let Some(mut shape) = self.shape_here(name) else { return };
        for (at, step) in steps.iter().enumerate() {
            let found = match step {
                Step::Element => shape.element(),
                Step::Field(field) => shape.field(field),
            };
            if let Some(found) = found {
                shape = found;
                continue;
            }
            let Step::Field(field) = step else { return };
            let rest: Vec<String> = steps[at + 1..].iter().filter_map(field_name).cloned().collect();
            let is_told_elsewhere = written.find(field, &rest).is_none();
            if is_told_elsewhere || (matches!(shape, Shape::Seen(_)) && one.lenient) {
                return;
            }
            // What stands first in the path may have been meant as a block parameter.
            let params = one.params.iter().map(String::as_str).filter(|_| written.starts_with(field));
            let help = match did_you_mean(field, shape.fields().chain(params)) {
                Some(meant) => format!("did you mean `{}`?", written.with(&meant, field, &rest)),
                None => self.element_help(&shape, field),
            };
            let message = lacks(&described(&one.path[..=at]), &shape, field);
            let place = written.segment(field, &rest);
            return self.diagnostics().push(Diagnostic::error("unknown-field", &place, message).help(help));
        }
    }

    /// Refuses to compare a value with what it never is.
    pub(super) fn check_comparison(&mut self, one: &Comparison, place: &Place) {
        let Some((Step::Field(name), steps)) = one.path.split_first().filter(|(root, _)| self.is_of_here(root)) else {
            return;
        };
        let shape = steps.iter().try_fold(self.shape_here(name), |shape, step| {
            let shape = shape?;
            Some(match step {
                Step::Element => shape.element(),
                Step::Field(field) => shape.field(field),
            })
        });
        let Some(Some(Shape::OneOf(values))) = shape else { return };
        // Whether a value is there at all is another question.
        if one.with.is_null() || values.iter().any(|value| one.is_of(value)) {
            return;
        }
        let with = plain_text(&one.with);
        let outcome = if one.differs { "is always true" } else { "can't be true" };
        let message = format!("{} is never `{}`, so that this {outcome}", described(&one.path), shortened(&with));
        let values: Vec<String> = values.iter().filter(|value| !value.is_null()).map(plain_text).collect();
        let all = format!("its values are {}", listed(values.iter().map(String::as_str).take(12)));
        let help = match meant(&with, values.iter().map(String::as_str)) {
            Some(meant) => format!("{meant} {all}"),
            None => all,
        };
        self.diagnostics().push(Diagnostic::error("never-this-value", place, message).help(help));
    }

    /// Whether all that something can be is known in the file that names it. A pipeline that is used is written for whatever
    /// it may be given, be that one of few values here.
    fn is_of_here(&self, root: &Step) -> bool {
        let Step::Field(name) = root else { return false };
        if self.unit == ROOT {
            return true;
        }
        let is_declared_here = self.ground.names.meant(self.unit, name).is_some_and(|(unit, _)| unit == self.unit);
        is_declared_here
            && match self.named(name) {
                Some(Named::Input(_)) => true,
                Some(Named::Stage(stage)) => {
                    let kind = &self.ground.spec.stages[stage].kind;
                    matches!(self.ground.units.homes[stage].role, Role::Input(_))
                        || kind.as_ref().is_some_and(|kind| kind.name().speaks())
                }
                Some(Named::Variable) | None => false,
            }
    }

    fn field_help(&self, name: &str, owner: &str, shape: &Shape, field: &str) -> String {
        let speaks = match self.named(name) {
            Some(Named::Stage(stage)) => {
                self.ground.spec.stages[stage].kind.as_ref().is_none_or(|kind| kind.name().speaks())
            }
            _ => false,
        };
        match &shape.of_any_value() {
            Shape::Fields(_) | Shape::Open(_) | Shape::Seen(_) => it_has(shape),
            Shape::List(_) if owner == name => self.list_help(name),
            Shape::List(_) => format!("write `{{{{#each {owner}}}}}{{{{{field}}}}}{{{{/each}}}}`"),
            Shape::Text if speaks => {
                format!("name it as `{{{{{owner}}}}}`, or let the stage answer in fields: `json: {{{field}: string}}`")
            }
            Shape::Any | Shape::Text | Shape::Plain(_) | Shape::OneOf(_) => format!("name it as `{{{{{owner}}}}}`"),
        }
    }

    /// A list is named as if it were one of its items: how to get at one.
    fn list_help(&self, name: &str) -> String {
        if name == PREVIOUS {
            return "it is a list: go through it with `#each`".to_owned();
        }
        let Some(variable) = self.loop_of(name) else {
            let one = super::loops::singular(name);
            return format!("loop over it, `for_each: {{{one}: {name}}}`, and name the field of `{one}`");
        };
        format!(
            "here it is the list of all its values: join its loop with `for_each: {variable}`, or go through it with `#each`"
        )
    }

    fn one_value_help(&self, name: &str) -> String {
        match self.loop_of(name) {
            Some(variable) => format!(
                "both run for each `{variable}`, so this is the one value of that `{variable}`: write `{{{{{name}}}}}`, or \
                 leave `for_each` out here to go through all"
            ),
            None => format!("write `{{{{{name}}}}}`, or name a list"),
        }
    }

    fn element_help(&self, shape: &Shape, field: &str) -> String {
        self.suggest(field).unwrap_or_else(|| match shape {
            Shape::Fields(_) | Shape::Seen(_) => it_has(shape),
            _ => "write `{{this}}` for the item itself".to_owned(),
        })
    }
}

fn field_name(step: &Step) -> Option<&String> {
    match step {
        Step::Field(name) => Some(name),
        Step::Element => None,
    }
}

/// That a value of this shape has no such field.
pub(super) fn lacks(owner: &str, shape: &Shape, field: &str) -> String {
    match shape {
        Shape::Fields(_) | Shape::Seen(_) => format!("{owner} has no field `{field}`"),
        _ => format!("{owner} is {} and has no field `{field}`", shape.words()),
    }
}

/// The fields that it has instead.
pub(super) fn it_has(shape: &Shape) -> String {
    let fields = listed(shape.fields());
    if fields.is_empty() { "it has no fields at all".to_owned() } else { format!("it has {fields}") }
}
