//! Templates meet names: each is compiled, and each name that it uses is checked where it stands.

use std::collections::BTreeSet;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::diag::{Diagnostic, Diagnostics, Severity, listed};
use crate::model::{InputKind, Place};
use crate::spec::{ExpressionSpec, JsonSpec, Maybe, PipelineSpec, TextMap, TextSpec};

use super::fields::Written;
use super::inputs::Inputs;
use super::loops::LoopTree;
use super::names::{Named, Names};
use super::pipeline::LoopIx;
use super::required::Required;
use super::shape::Shape;
use super::talk::PREVIOUS;
use super::template::{self, Rejected, Template, Use};
use super::units::{ROOT, Units};
use super::work::{Dial, JsonTemplate};

/// Everything that names are checked against.
#[derive(Debug)]
pub(super) struct Ground<'a> {
    pub(super) units: &'a Units<'a>,
    pub(super) spec: &'a PipelineSpec,
    pub(super) names: &'a Names,
    pub(super) inputs: &'a Inputs,
    pub(super) tree: &'a LoopTree,
    /// The shape of each stage's value.
    pub(super) values: &'a [Shape],
}

/// Where a template stands; it decides what it may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Site {
    /// In the request: part of the call's key.
    Request,
    /// `provider` or `model`: inputs and loop variables alone.
    Chooser,
    /// `when`, or what stands in for an answer.
    Beside,
    /// `expect`: the stage's own name is its answer.
    Expect,
    /// `save`: the stage's own name is its answer, and the run may be named.
    Save,
    /// `outputs`.
    Output,
}

/// What the templates of one stage name.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) inputs: BTreeSet<usize>,
    pub(super) loops: BTreeSet<LoopIx>,
    pub(super) loop_info: bool,
    /// What is `loop` for the stages that use this one's pipeline: its name, and how many loops are around it.
    pub(super) outer_loops: Vec<(Arc<str>, usize)>,
    pub(super) run: bool,
    /// `previous`.
    pub(super) previous: bool,
    /// Stages, and whether all that names them can do without.
    pub(super) stages: IndexMap<usize, bool>,
    /// Where each stage is named first.
    pub(super) places: IndexMap<usize, Place>,
    /// What every item must have.
    pub(super) required: Vec<Required>,
    /// Loops that the request itself names.
    pub(super) request_loops: BTreeSet<LoopIx>,
    /// Stages that it names for the pipeline that it uses.
    pub(super) handed_on: BTreeSet<usize>,
    /// Stages that the request itself names.
    pub(super) request_stages: BTreeSet<usize>,
}

/// Compiles the templates of one stage, or of the outputs.
pub(super) struct Binder<'a> {
    pub(super) ground: &'a Ground<'a>,
    pub(super) stage: Option<usize>,
    /// The unit whose names the template means that is being looked at.
    pub(super) unit: usize,
    /// The unit that it means if it stands in no file of a unit around that.
    pub(super) speaks: usize,
    pub(super) loops: &'a [LoopIx],
    /// Where the template stands that is being looked at.
    pub(super) site: Site,
    /// Whether it is `when`.
    pub(super) in_when: bool,
    diagnostics: &'a mut Diagnostics,
    pub(super) found: Found,
}

impl<'a> Binder<'a> {
    pub(super) fn new(ground: &'a Ground<'a>, stage: Option<usize>, diagnostics: &'a mut Diagnostics) -> Self {
        let loops = stage.map_or(&[][..], |stage| ground.tree.of_stage[stage].as_slice());
        let speaks = stage.map_or(ROOT, |stage| ground.units.homes[stage].speaks);
        let found = Found::default();
        Self { ground, stage, unit: speaks, speaks, loops, site: Site::Output, in_when: false, diagnostics, found }
    }

    /// For what a stage says in the file in which it is declared alone.
    pub(super) fn of_user(ground: &'a Ground<'a>, stage: usize, diagnostics: &'a mut Diagnostics) -> Self {
        let speaks = ground.units.homes[stage].declared;
        Self { unit: speaks, speaks, ..Self::new(ground, Some(stage), diagnostics) }
    }

    pub(super) fn diagnostics(&mut self) -> &mut Diagnostics {
        self.diagnostics
    }

    pub(super) fn text(&mut self, spec: &TextSpec, site: Site) -> Template {
        self.compile(&spec.text, &spec.map, site, false)
    }

    pub(super) fn expression(&mut self, spec: &ExpressionSpec, site: Site) -> Template {
        self.in_when = true;
        let when = self.compile(&spec.text, &spec.map, site, true);
        self.in_when = false;
        when
    }

    /// An expression of `expect`, which is looked at when the answer is there.
    pub(super) fn holds(&mut self, spec: &ExpressionSpec) -> Template {
        self.compile(&spec.text, &spec.map, Site::Expect, true)
    }

    /// A broken template is told, and an empty one takes its place, so that checking can go on.
    fn compile(&mut self, text: &str, map: &TextMap, site: Site, expression: bool) -> Template {
        self.site = site;
        self.unit = self.ground.units.of_file(self.speaks, map.whole().file);
        let errors = self.diagnostics.count(Severity::Error);
        let (names, unit) = (self.ground.names, self.unit);
        let is_name = |word: &str| names.is_name(unit, word);
        let compiled =
            if expression { Template::expression(text, &is_name) } else { Template::compile(text, &is_name) };
        let (template, Rejected { problems, uses, elements }) = match compiled {
            Ok(template) => (template, Rejected::default()),
            Err(rejected) => (Template::default(), rejected),
        };
        for problem in problems {
            let diagnostic = Diagnostic::error(problem.code, &map.place(problem.range), problem.message);
            self.diagnostics.push(diagnostic.help_if(problem.help));
        }
        for one in uses.iter().chain(template.uses()) {
            self.check(one, &Written::new(text, &one.range, map));
        }
        for one in elements.iter().chain(template.element_uses()) {
            self.check_element(one, &Written::new(text, &one.range, map));
        }
        for one in template.comparisons() {
            self.check_comparison(one, &map.place(one.range.clone()));
        }
        if self.diagnostics.count(Severity::Error) == errors {
            self.check_calls(&template, map);
        }
        self.in_whole(template)
    }

    pub(super) fn dial<T: Clone>(&mut self, spec: &Maybe<T>, site: Site) -> Dial<T> {
        match spec {
            Maybe::Plain(value) => Dial::Fixed(value.value.clone()),
            Maybe::Template(text) => Dial::Template(self.text(text, site)),
        }
    }

    pub(super) fn json(&mut self, spec: &JsonSpec, site: Site) -> JsonTemplate {
        match spec {
            JsonSpec::Plain(value) => JsonTemplate::Plain(value.value.clone()),
            JsonSpec::Template(text) => JsonTemplate::Template(self.text(text, site)),
            JsonSpec::List(items) => JsonTemplate::List(items.iter().map(|item| self.json(item, site)).collect()),
            JsonSpec::Mapping(fields) => JsonTemplate::Mapping(
                fields.iter().map(|(name, value)| (name.clone(), self.json(value, site))).collect(),
            ),
        }
    }

    /// A name, and what is behind it, where it stands.
    fn check(&mut self, one: &Use, written: &Written<'_>) {
        let Some((root, rest)) = one.path.split_first() else { return };
        match root.as_str() {
            // Whoever has given such a name to something has been told.
            "loop" | "run" | PREVIOUS if self.named(root).is_some() => return,
            "loop" => return self.check_loop_info(rest, written),
            "run" => return self.check_run(rest, written),
            PREVIOUS => return self.check_previous(one, written),
            _ => {}
        }
        match self.named(root) {
            Some(Named::Input(input)) => {
                self.found.inputs.insert(input);
                // What may not be rendered may be made for a value that this one is not.
                if !(one.conditional && self.ground.inputs.kinds[input] == InputKind::Json) {
                    self.check_fields(one, &self.ground.inputs.shapes[input], written);
                    self.check_index(one, input, written);
                }
            }
            Some(Named::Variable) => self.check_variable(one, rest, written),
            Some(Named::Stage(stage)) => self.check_stage(stage, one, written),
            None if self.ground.names.is_incomplete(self.unit) => {}
            None => {
                let as_helper = || Some(format!("`{root}` is a helper: it is called as `{}`", template::usage(root)?));
                let help = as_helper().or_else(|| self.suggest(root)).unwrap_or_else(|| self.known_here());
                let message = format!("there is nothing called `{root}`");
                let place = written.segment(root, rest);
                self.diagnostics.push(Diagnostic::error("unknown-name", &place, message).help(help));
            }
        }
    }

    fn known_here(&self) -> String {
        let names = self.ground.names;
        let inputs = names.known(self.unit, true);
        let variables = self.own_loops().map(|ix| self.ground.tree.name(ix));
        let stages =
            names.known(self.unit, false).filter(|name| self.site != Site::Chooser && *name != self.hidden_name());
        let known = listed(inputs.chain(variables).chain(stages).take(12));
        if known.is_empty() { "declare it under `inputs`".to_owned() } else { format!("known here: {known}") }
    }

    /// Whether the stage's own name is its answer here.
    fn knows_answer(&self) -> bool {
        matches!(self.site, Site::Save | Site::Expect)
    }

    /// The stage's own name, where it has no meaning.
    fn hidden_name(&self) -> &str {
        match self.stage {
            Some(stage) if !self.knows_answer() => &self.ground.spec.stages[stage].name.value,
            _ => "",
        }
    }

    /// Whether the loops of a stage, and so its names, are not known because its `for_each` is wrong.
    pub(super) fn is_broken(&self, stage: Option<usize>) -> bool {
        stage.is_some_and(|stage| self.ground.tree.is_broken[stage])
    }

    fn check_variable(&mut self, one: &Use, rest: &[String], written: &Written<'_>) {
        let name = &one.path[0];
        let Some(ix) = self.variable(name) else { return };
        if !self.loops.contains(&ix) {
            if !self.is_broken(self.stage) {
                self.outside_its_loop(name, ix, &written.segment(name, rest));
            }
            return;
        }
        self.found.loops.insert(ix);
        if matches!(self.site, Site::Request | Site::Chooser) {
            self.found.request_loops.insert(ix);
        }
        self.check_fields(one, &self.ground.tree.shape(ix, self.ground.inputs), written);
        self.require(one, ix, written.place());
    }

    fn outside_its_loop(&mut self, name: &str, ix: LoopIx, place: &Place) {
        let Ground { spec, tree, .. } = self.ground;
        let inside = tree.of_stage.iter().position(|loops| loops.contains(&ix)).map(|at| &spec.stages[at].name.value);
        let (here, help) = match self.stage.map(|stage| &spec.stages[stage].name.value) {
            None => {
                let inside = inside.map_or("STAGE", String::as_str);
                let help = format!("name a stage that runs in it: `{{{{{inside}}}}}` is the list of its values");
                ("an output".to_owned(), help)
            }
            Some(stage) if tree.chain(Some(ix)).starts_with(self.loops) => {
                (format!("`{stage}`"), format!("run `{stage}` for each of them: `for_each: {name}`"))
            }
            Some(stage) => {
                let around = listed(self.loops.iter().map(|ix| tree.name(*ix)));
                let help = format!(
                    "`{stage}` runs for each {around} alone; what needs `{name}` belongs in a stage with `for_each: {name}`"
                );
                (format!("`{stage}`"), help)
            }
        };
        let message = format!("`{name}` is a loop variable, and {here} is outside of its loop");
        let diagnostic = Diagnostic::error("outside-loop", place, message)
            .also(&tree.loops[ix.0].place, "the loop is declared here")
            .help(help);
        self.diagnostics.push(diagnostic);
    }

    fn check_stage(&mut self, stage: usize, one: &Use, written: &Written<'_>) {
        let (name, rest) = (&one.path[0], &one.path[1..]);
        if self.stage == Some(stage) {
            if self.knows_answer() {
                self.check_fields(one, &self.ground.values[stage], written);
                return;
            }
            let message = format!("`{name}` names itself");
            let help = "a stage's own value is known in its `expect` and its `save` alone";
            let place = written.segment(name, rest);
            self.diagnostics.push(Diagnostic::error("names-itself", &place, message).help(help));
            return;
        }
        if self.site == Site::Chooser {
            let message = format!("`{name}` is a stage, and who answers can't depend on an answer");
            let help = "`provider` and `model` name inputs and loop variables alone";
            let place = written.segment(name, rest);
            self.diagnostics.push(Diagnostic::error("chooser-names-stage", &place, message).help(help));
            return;
        }
        self.found.stages.entry(stage).and_modify(|optional| *optional &= one.optional).or_insert(one.optional);
        self.found.places.entry(stage).or_insert_with(|| written.segment(name, rest));
        if self.site == Site::Request {
            self.found.request_stages.insert(stage);
        }
        if let Some(shape) = self.shape_here(name) {
            self.check_fields(one, &shape, written);
        }
        if one.by_index && rest.is_empty() {
            self.warn_of_pairing(name, written);
        }
    }

    /// Skipped and failed instances leave a list, so that two lists need not line up.
    fn warn_of_pairing(&mut self, name: &str, written: &Written<'_>) {
        let Some(variable) = self.loop_of(name).map(str::to_owned) else { return };
        let message =
            format!("`{name}` may have fewer values than there are items, so `@index` can pair the wrong ones");
        let help = format!(
            "pair values inside the loop: in a stage with `for_each: {variable}`, `{{{{{name}}}}}` is the value of that \
             `{variable}`"
        );
        self.diagnostics.push(Diagnostic::warning("lookup-by-index", &written.place(), message).help(help));
    }

    pub(super) fn named(&self, name: &str) -> Option<Named> {
        self.ground.names.get(self.unit, name)
    }

    pub(super) fn suggest(&self, word: &str) -> Option<String> {
        self.ground.names.suggest(self.unit, word, self.hidden_name())
    }

    /// What a name stands for in this place; nothing if it has no meaning here.
    pub(super) fn shape_here(&self, name: &str) -> Option<Shape> {
        if name == PREVIOUS && self.named(name).is_none() {
            return self.stage.map(|stage| self.ground.values[stage].clone());
        }
        match self.named(name)? {
            Named::Input(input) => Some(self.ground.inputs.shapes[input].clone()),
            Named::Variable => {
                let ix = self.variable(name).filter(|ix| self.loops.contains(ix))?;
                Some(self.ground.tree.shape(ix, self.ground.inputs))
            }
            Named::Stage(stage) if self.is_broken(Some(stage)) || self.is_broken(self.stage) => Some(Shape::Any),
            Named::Stage(stage) => {
                let value = self.ground.values[stage].clone();
                let is_one = self.loops.starts_with(&self.ground.tree.of_stage[stage]);
                Some(if is_one { value } else { Shape::List(Box::new(value)) })
            }
        }
    }

    /// The innermost loop of a stage.
    pub(super) fn loop_of(&self, name: &str) -> Option<&str> {
        let Some(Named::Stage(stage)) = self.named(name) else { return None };
        let innermost = self.ground.tree.of_stage[stage].last()?;
        Some(self.ground.tree.name(*innermost))
    }
}
