//! Templates meet names: each is compiled, and each name that it uses is checked where it stands.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use crate::diag::{Diagnostic, Diagnostics, did_you_mean};
use crate::model::{Json, Place};
use crate::spec::{ExpressionSpec, JsonSpec, LoopSourceSpec, Maybe, PipelineSpec, TextMap, TextSpec};

use super::inputs::{Inputs, list};
use super::loops::{DraftSource, LoopTree};
use super::names::{Named, Names};
use super::pipeline::{Dial, JsonTemplate, LoopIx};
use super::shape::Shape;
use super::template::{Template, Use};

/// Everything that names are checked against.
#[derive(Debug)]
pub(super) struct Ground<'a> {
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
    pub(super) run: bool,
    /// Stages, and whether all that names them can do without.
    pub(super) stages: IndexMap<usize, bool>,
    /// Where each stage is named first.
    pub(super) places: IndexMap<usize, Place>,
    /// Fields that every item must have.
    pub(super) required: Vec<(LoopIx, Vec<String>)>,
    /// Loops that the request itself names.
    pub(super) request_loops: BTreeSet<LoopIx>,
    /// Stages that the request itself names.
    pub(super) request_stages: BTreeSet<usize>,
}

/// Compiles the templates of one stage, or of the outputs.
pub(super) struct Binder<'a> {
    ground: &'a Ground<'a>,
    stage: Option<usize>,
    loops: &'a [LoopIx],
    diagnostics: &'a mut Diagnostics,
    pub(super) found: Found,
}

impl<'a> Binder<'a> {
    pub(super) fn new(ground: &'a Ground<'a>, stage: Option<usize>, diagnostics: &'a mut Diagnostics) -> Self {
        let loops = stage.map_or(&[][..], |stage| ground.tree.of_stage[stage].as_slice());
        Self { ground, stage, loops, diagnostics, found: Found::default() }
    }

    pub(super) fn diagnostics(&mut self) -> &mut Diagnostics {
        self.diagnostics
    }

    pub(super) fn text(&mut self, spec: &TextSpec, site: Site) -> Template {
        self.compile(&spec.text, &spec.map, site, false)
    }

    pub(super) fn expression(&mut self, spec: &ExpressionSpec, site: Site) -> Template {
        self.compile(&spec.text, &spec.map, site, true)
    }

    /// A broken template is told, and an empty one takes its place, so that checking can go on.
    fn compile(&mut self, text: &str, map: &TextMap, site: Site, expression: bool) -> Template {
        let names = self.ground.names;
        let is_name = |word: &str| names.is_name(word);
        let compiled =
            if expression { Template::expression(text, &is_name) } else { Template::compile(text, &is_name) };
        match compiled {
            Ok(template) => {
                for one in template.uses() {
                    self.check(one, &map.place(one.range.clone()), site);
                }
                template
            }
            Err(problems) => {
                for problem in problems {
                    let mut diagnostic = Diagnostic::error(problem.code, &map.place(problem.range), problem.message);
                    if let Some(help) = problem.help {
                        diagnostic = diagnostic.help(help);
                    }
                    self.diagnostics.push(diagnostic);
                }
                Template::default()
            }
        }
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

    fn check(&mut self, one: &Use, place: &Place, site: Site) {
        let Some((root, rest)) = one.path.split_first() else { return };
        match root.as_str() {
            "loop" => return self.check_loop_info(rest, place, site),
            "run" => return self.check_run(rest, place, site),
            "previous" => {
                let message = "`previous` is not supported yet";
                self.diagnostics.push(Diagnostic::error("not-supported-yet", place, message));
                return;
            }
            _ => {}
        }
        match self.ground.names.get(root) {
            Some(Named::Input(input)) => {
                self.found.inputs.insert(input);
                self.check_fields(root, &self.ground.inputs.shapes[input].clone(), rest, place);
            }
            Some(Named::Variable) => self.check_variable(one, rest, place, site),
            Some(Named::Stage(stage)) => self.check_stage(stage, one, rest, place, site),
            None => {
                let help = self.ground.names.suggest(root).unwrap_or_else(|| self.known_here());
                self.diagnostics.push(
                    Diagnostic::error("unknown-name", place, format!("there is nothing called `{root}`")).help(help),
                );
            }
        }
    }

    fn known_here(&self) -> String {
        let inputs = self.ground.spec.inputs.iter().map(|input| input.name.value.as_str());
        let stages = self.ground.spec.stages.iter().map(|stage| stage.name.value.as_str());
        let variables = self.loops.iter().map(|ix| self.ground.tree.name(*ix));
        let own = self.stage.map_or("", |stage| self.ground.spec.stages[stage].name.value.as_str());
        let known = list(inputs.chain(variables).chain(stages.filter(|name| *name != own)).take(12));
        if known.is_empty() { "declare it under `inputs`".to_owned() } else { format!("known here: {known}") }
    }

    fn check_loop_info(&mut self, rest: &[String], place: &Place, site: Site) {
        const FIELDS: [&str; 4] = ["index", "number", "first", "key"];
        self.found.loop_info = true;
        let Some(innermost) = self.loops.last() else {
            let message = "`loop` is known inside of a loop alone";
            let help = "give the stage a `for_each`, or leave `loop` out";
            self.diagnostics.push(Diagnostic::error("unknown-name", place, message).help(help));
            return;
        };
        let variables: Vec<&str> = self.loops.iter().map(|ix| self.ground.tree.name(*ix)).collect();
        let mut fields = rest;
        let mut of = *innermost;
        if let Some(at) = rest.first().and_then(|first| variables.iter().position(|name| name == first)) {
            of = self.loops[at];
            fields = &rest[1..];
        }
        if site == Site::Request || site == Site::Chooser {
            self.found.request_loops.insert(of);
        }
        if let Some(field) = fields.first()
            && (!FIELDS.contains(&field.as_str()) || fields.len() > 1)
        {
            let message = format!("`loop` has no field `{}`", fields.join("."));
            let known = FIELDS.iter().copied().chain(variables.iter().copied());
            let help = match did_you_mean(field, known.clone()) {
                Some(meant) => format!("did you mean `loop.{meant}`?"),
                None => format!("it has {}", list(known)),
            };
            self.diagnostics.push(Diagnostic::error("unknown-field", place, message).help(help));
        }
    }

    fn check_run(&mut self, rest: &[String], place: &Place, site: Site) {
        self.found.run = true;
        let field = rest.first().map_or("", String::as_str);
        let (code, message, help) = match field {
            "name" if rest.len() == 1 => return,
            "id" if rest.len() == 1 && matches!(site, Site::Save | Site::Output) => return,
            "id" => (
                "run-id",
                "`run.id` is known in `save` and `outputs` alone".to_owned(),
                "an answer must not depend on the run",
            ),
            _ => (
                "unknown-field",
                format!("`run` has no field `{field}`"),
                "it has `run.name`, and `run.id` in `save` and `outputs`",
            ),
        };
        self.diagnostics.push(Diagnostic::error(code, place, message).help(help));
    }

    fn check_variable(&mut self, one: &Use, rest: &[String], place: &Place, site: Site) {
        let name = &one.path[0];
        let Some(ix) = self.ground.tree.find(name) else { return };
        if !self.loops.contains(&ix) {
            let written = self.written_source(name);
            let help = if self.stage.is_some() {
                format!("run this stage for each: `for_each: {{{name}: {written}}}`")
            } else {
                "an output names inputs and stages".to_owned()
            };
            let message = format!("`{name}` is a loop variable, and this is outside of its loop");
            self.diagnostics.push(Diagnostic::error("outside-loop", place, message).help(help));
            return;
        }
        self.found.loops.insert(ix);
        if matches!(site, Site::Request | Site::Chooser) {
            self.found.request_loops.insert(ix);
        }
        self.check_fields(name, &self.ground.tree.shape(ix, self.ground.inputs), rest, place);
        if !one.lenient && !one.conditional && !rest.is_empty() {
            self.found.required.push((ix, rest.to_vec()));
        }
    }

    /// The source of a loop as its author wrote it.
    fn written_source(&self, variable: &str) -> String {
        let written = self.ground.spec.stages.iter().find_map(|stage| match &stage.for_each {
            Some(crate::spec::ForEachSpec::Loops(entries)) => {
                entries.iter().find(|entry| entry.variable.value == variable).map(|entry| &entry.source.value)
            }
            _ => None,
        });
        match written {
            Some(LoopSourceSpec::Path(path)) => path.join("."),
            Some(LoopSourceSpec::List(items)) => Json::Array(items.clone()).to_string(),
            Some(LoopSourceSpec::Count(count)) => count.to_string(),
            None => "LIST".to_owned(),
        }
    }

    fn check_stage(&mut self, stage: usize, one: &Use, rest: &[String], place: &Place, site: Site) {
        let name = &one.path[0];
        if self.stage == Some(stage) {
            if site != Site::Save {
                let message = format!("`{name}` names itself");
                let help = "a stage's own value is known in its `save` alone";
                self.diagnostics.push(Diagnostic::error("names-itself", place, message).help(help));
                return;
            }
            return self.check_fields(name, &self.ground.values[stage].clone(), rest, place);
        }
        if site == Site::Chooser {
            let message =
                format!("`{name}` is a stage, and `provider` and `model` name inputs and loop variables alone");
            let help = "who answers must be known before anything is asked";
            self.diagnostics.push(Diagnostic::error("chooser-names-stage", place, message).help(help));
            return;
        }
        self.found.stages.entry(stage).and_modify(|optional| *optional &= one.optional).or_insert(one.optional);
        self.found.places.entry(stage).or_insert_with(|| place.clone());
        if site == Site::Request {
            self.found.request_stages.insert(stage);
        }
        let theirs = &self.ground.tree.of_stage[stage];
        let value = self.ground.values[stage].clone();
        let shape = if self.loops.starts_with(theirs) { value } else { Shape::List(Box::new(value)) };
        self.check_fields(name, &shape, rest, place);
    }

    fn check_fields(&mut self, name: &str, shape: &Shape, rest: &[String], place: &Place) {
        let Err((at, found)) = shape.behind(rest) else { return };
        let before = std::iter::once(name).chain(rest[..at].iter().map(String::as_str)).collect::<Vec<_>>().join(".");
        let field = &rest[at];
        let message = format!("`{before}` is {} and has no field `{field}`", found.words());
        let help = match did_you_mean(field, found.fields()) {
            Some(meant) => format!("did you mean `{before}.{meant}`?"),
            None => match &found {
                Shape::Fields(_) => format!("it has {}", list(found.fields())),
                Shape::List(_) => match self.list_help(name) {
                    Some(help) => help,
                    None => format!("write `{{{{#each {before}}}}}{{{{{field}}}}}{{{{/each}}}}`"),
                },
                Shape::Text if self.ground.names.get(name).is_some_and(|named| matches!(named, Named::Stage(_))) => {
                    format!("name it as `{{{{{before}}}}}`, or ask for fields with `json: true`")
                }
                _ => format!("name it as `{{{{{before}}}}}`"),
            },
        };
        self.diagnostics.push(Diagnostic::error("unknown-field", place, message).help(help));
    }

    /// A stage in a loop is a list outside of it: how to get inside.
    fn list_help(&self, name: &str) -> Option<String> {
        let Some(Named::Stage(stage)) = self.ground.names.get(name) else {
            if let Some(Named::Input(_)) = self.ground.names.get(name) {
                let one = super::loops::singular(name);
                return Some(format!("loop over it: `for_each: {{{one}: {name}}}`, and name the field of `{one}`"));
            }
            return None;
        };
        let innermost = self.ground.tree.of_stage[stage].last()?;
        let variable = self.ground.tree.name(*innermost);
        Some(format!(
            "it is the list of all its values here: join its loop with `for_each: {variable}`, or use `#each`"
        ))
    }
}

impl DraftSource {
    /// The loop around, or the stage, that this depends on.
    pub(super) fn stage(&self) -> Option<usize> {
        if let Self::Stage { stage, .. } = self { Some(*stage) } else { None }
    }
}
