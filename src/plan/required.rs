//! What every item of a list must have: the fields that templates name, and the lists that loops are made of.

use crate::model::{JsonMap, Place, truthy};
use crate::source::{Form, Row, Step, Wanted};

use super::binder::{Binder, Found, Ground};
use super::keys::{item_key, loop_info};
use super::loops::DraftSource;
use super::pipeline::{InputValue, LoopIx, Stage};
use super::template::{self, Context, ElementUse, Template, Use};

/// Something that every item must have, since a template needs it.
#[derive(Debug)]
pub(super) struct Required {
    pub(super) of: Of,
    pub(super) steps: Vec<Step>,
    pub(super) form: Form,
    /// Whether all on the way must be there.
    pub(super) strict: bool,
    /// Whether `when` needs it: then it is needed before anything is skipped.
    pub(super) in_when: bool,
    /// Where it is named.
    pub(super) place: Place,
}

/// Whose items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Loop(LoopIx),
    /// A list that a template goes through by its name.
    Input(usize),
}

impl Binder<'_> {
    /// An item of a loop is named, or a field of it.
    pub(super) fn require(&mut self, one: &Use, of: LoopIx, place: Place) {
        let fields = &one.path[1..];
        if one.lenient || one.conditional || (fields.is_empty() && !one.each) {
            return;
        }
        let (steps, form) = (fields_of(fields), if one.each { Form::Through } else { Form::Any });
        let in_when = self.in_when;
        self.found.required.push(Required { of: Of::Loop(of), steps, form, strict: true, in_when, place });
    }

    /// A field of an element of a block is named, which is a part of an item.
    pub(super) fn require_of_element(&mut self, one: &ElementUse, of: Of, steps: &[template::Step], place: Place) {
        if one.lenient || !one.certain {
            return;
        }
        let steps = steps.iter().map(|step| match step {
            template::Step::Field(name) => Step::Field(name.clone()),
            template::Step::Element => Step::Each,
        });
        let form = if one.each { Form::Through } else { Form::Any };
        let in_when = self.in_when;
        self.found.required.push(Required { of, steps: steps.collect(), form, strict: false, in_when, place });
    }
}

fn fields_of(path: &[String]) -> Vec<Step> {
    path.iter().cloned().map(Step::Field).collect()
}

type Condition<'a> = Box<dyn Fn(&Row) -> bool + 'a>;

/// Which rows something is wanted of.
enum Rows<'a> {
    All,
    /// Those for which this holds.
    Where(Condition<'a>),
    /// Nobody knows before the run: an answer decides.
    Some,
}

/// What is wanted of the rows of one list, each with where it is named.
#[derive(Default)]
pub(super) struct Wishes<'a> {
    wishes: Vec<(Vec<Step>, Form, bool, Rows<'a>)>,
    pub(super) places: Vec<Place>,
}

impl Wishes<'_> {
    pub(super) fn wanted(&self) -> Vec<Wanted<'_>> {
        let wishes = self.wishes.iter().map(|(steps, form, strict, rows)| Wanted {
            steps: steps.clone(),
            form: *form,
            strict: *strict,
            when: match rows {
                Rows::All => None,
                Rows::Where(condition) => Some(condition.as_ref()),
                Rows::Some => Some(&|_| false),
            },
            in_header: !matches!(rows, Rows::Where(_)),
        });
        wishes.collect()
    }
}

impl<'a> Wishes<'a> {
    fn add(&mut self, steps: Vec<Step>, (form, strict): (Form, bool), rows: Rows<'a>, place: &Place) {
        // One way is told of once: what is wanted most of its end decides.
        let is_all = |rows: &Rows<'_>| matches!(rows, Rows::All);
        let known = self.wishes.iter_mut().find(|known| known.0 == steps && is_all(&known.3) && is_all(&rows));
        if let Some(known) = known {
            if known.1 == Form::Any {
                known.1 = form;
            }
            known.2 |= strict;
            return;
        }
        self.wishes.push((steps, form, strict, rows));
        self.places.push(place.clone());
    }
}

/// What tells which stages run for which items.
#[derive(Clone, Copy)]
pub(super) struct Needs<'a> {
    pub(super) ground: &'a Ground<'a>,
    pub(super) stages: &'a [Stage],
    pub(super) found: &'a [Found],
    /// For each stage, whether it runs for every item.
    pub(super) always_runs: &'a [bool],
}

impl<'a> Needs<'a> {
    /// What every row of a loop's list must have.
    pub(super) fn of_loop(self, ix: LoopIx) -> Wishes<'a> {
        let mut wishes = Wishes::default();
        self.add(Of::Loop(ix), &[], &mut wishes);
        self.add_lists(ix, &[], &mut wishes);
        if let DraftSource::Input { input, .. } = self.ground.tree.loops[ix.0].source {
            self.add(Of::Input(input), &[], &mut wishes);
        }
        wishes
    }

    /// What every row of a list must have that templates alone go through.
    pub(super) fn of_input(self, input: usize) -> Wishes<'a> {
        let mut wishes = Wishes::default();
        self.add(Of::Input(input), &[], &mut wishes);
        wishes
    }

    /// The lists in an item that loops are made of, and what their own items must have.
    fn add_lists(self, ix: LoopIx, before: &[Step], wishes: &mut Wishes<'a>) {
        for (inner, draft) in self.ground.tree.loops.iter().enumerate() {
            let DraftSource::Item { of, path } = &draft.source else { continue };
            if *of != ix {
                continue;
            }
            let mut steps = before.to_vec();
            steps.extend(fields_of(path));
            wishes.add(steps.clone(), (Form::List, true), Rows::All, &draft.list_place);
            steps.push(Step::Each);
            self.add(Of::Loop(LoopIx(inner)), &steps, wishes);
            self.add_lists(LoopIx(inner), &steps, wishes);
        }
    }

    fn add(self, of: Of, before: &[Step], wishes: &mut Wishes<'a>) {
        for (ix, found) in self.found.iter().enumerate() {
            let stage = &self.stages[ix];
            if !stage.refs.iter().all(|one| one.optional || self.always_runs[one.stage.0]) {
                continue;
            }
            for one in found.required.iter().filter(|one| one.of == of) {
                let rows = match &stage.when {
                    _ if !stage.outer_when.is_empty() => Rows::Some,
                    Some(when) if !one.in_when => {
                        self.condition(stage, when, of).filter(|_| before.is_empty()).map_or(Rows::Some, Rows::Where)
                    }
                    _ => Rows::All,
                };
                let steps = before.iter().chain(&one.steps).cloned().collect();
                wishes.add(steps, (one.form, one.strict), rows, &one.place);
            }
        }
    }

    /// Whether a stage runs for a row, where inputs and that row alone decide it.
    fn condition(self, stage: &'a Stage, when: &'a Template, of: Of) -> Option<Condition<'a>> {
        let of = match of {
            Of::Loop(ix) => Some(ix),
            Of::Input(_) => None,
        };
        let item = of.map(|ix| self.ground.tree.full(ix));
        let mut names = JsonMap::new();
        for one in when.uses() {
            let root = one.path[0].as_str();
            let input = self.ground.inputs.values.iter().find(|input| &*input.name == root);
            match input.map(|input| &input.value) {
                Some(InputValue::Json(value)) => drop(names.insert(root.to_owned(), value.as_ref().clone())),
                None if Some(root) == item => {}
                None if root == "loop" && of.is_some_and(|ix| stage.loops == [ix]) => {}
                _ => return None,
            }
        }
        Some(Box::new(move |row: &Row| {
            let mut names = names.clone();
            if let Some(item) = item {
                let key = item_key(&row.value, row.index);
                names.insert("loop".to_owned(), loop_info(&[(item, row.index, &key)], &key));
                names.insert(item.to_owned(), row.value.clone());
            }
            when.evaluate(&Context::new(names)).is_ok_and(|value| truthy(&value))
        }))
    }
}
