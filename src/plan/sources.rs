//! What a template names, and what stands behind that: lists of loops, and what pipelines that use each other give and
//! return.

use std::path::PathBuf;

use crate::model::At;
use crate::source::ListSource;
use crate::spec::{KindSpec, OnErrorSpec, TextSpec, WithSpec};

use super::binder::{Binder, Ground};
use super::given::Given;
use super::loops::DraftSource;
use super::names::Named;
use super::pipeline::InputValue;
use super::settings::Settings;
use super::talk::PREVIOUS;
use super::template::Template;
use super::units::{ROOT, Role};

/// One of the things that a value is made of.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) named: Named,
    /// The unit in which it is declared.
    unit: usize,
    /// What the user of that unit says of it, if it is an input.
    with: Option<&'a WithSpec>,
}

impl<'a> Binder<'a> {
    /// What a template names, and what that only hands on. The template speaks the names of the whole pipeline.
    pub(super) fn sources(&self, template: &Template) -> Vec<Source<'a>> {
        let ground = self.ground;
        let own = self.stage.map(|stage| ground.units.homes[stage].full.to_string());
        let roots = template.uses().iter().filter_map(|one| match one.path.first() {
            // The stage's own value for the item before.
            Some(root) if root == PREVIOUS => own.clone(),
            root => root.cloned(),
        });
        let mut open: Vec<String> = roots.collect();
        open.reverse();
        let (mut seen, mut sources) = (Vec::new(), Vec::new());
        while let Some(full) = open.pop() {
            let Some((unit, name)) = ground.names.find(&full) else { continue };
            let Some(named) = ground.names.get(unit, name) else { continue };
            if seen.contains(&full) {
                continue;
            }
            seen.push(full);
            let with = ground.with(unit, name);
            sources.push(Source { named, unit, with });
            open.extend(ground.behind(named, (unit, name), with));
        }
        sources
    }

    /// What paths are relative to that a template makes: the first of these in which there is such a file.
    pub(super) fn folders(&self, template: &Template, given: &Given) -> Vec<PathBuf> {
        let (units, inputs) = (self.ground.units, self.ground.inputs);
        let (mut folders, mut written) = (Vec::new(), Vec::new());
        for Source { named, unit, with } in self.sources(template) {
            if let Named::Input(input) = named {
                let name = &inputs.values[input].name;
                let is_given = given.inputs.iter().any(|given| *given.name.value == **name);
                match &inputs.values[input].value {
                    InputValue::List(ListSource::Glob { base, .. }) => folders.push(base.clone()),
                    // A path on the command line is relative to where it is written.
                    InputValue::Json(_) if unit == ROOT && is_given => folders.push(given.working_dir.clone()),
                    _ => {}
                }
            }
            // A path that a user gives is relative to the user's file.
            let file = if with.is_some() { units.all[unit].parent.map_or(ROOT, |(user, _)| user) } else { unit };
            // What stands in for a picture lies beside the file that says so.
            if let Named::Stage(stage) = named
                && let Some(stand_in) = self.ground.stand_in(stage)
            {
                written.push(units.written_in(units.homes[stage].speaks, stand_in.place.file));
            }
            written.push(units.all[file].folder().to_owned());
        }
        written.push(units.all[self.unit].folder().to_owned());
        let mut all: Vec<PathBuf> = Vec::new();
        for folder in folders.into_iter().chain(written) {
            if !all.contains(&folder) {
                all.push(folder);
            }
        }
        all
    }
}

impl<'a> Ground<'a> {
    /// What the user of a unit says of one of its inputs.
    fn with(&self, unit: usize, name: &str) -> Option<&'a WithSpec> {
        let (user, at) = self.units.all[unit].parent?;
        let Some(KindSpec::Use(written)) = &self.units.all[user].spec.stages[at].kind else { return None };
        let is_input = self.units.all[unit].spec.inputs.iter().any(|input| input.name.value == name);
        written.with.iter().find(|with| is_input && with.name.value == name)
    }

    /// What something is made of, if it only hands that on: under names of the whole pipeline.
    fn behind(&self, named: Named, meant: (usize, &str), with: Option<&WithSpec>) -> Vec<String> {
        let units = self.units;
        match (named, with) {
            (Named::Variable, _) => {
                let source = self.tree.find(meant).map(|ix| &self.tree.loops[ix.0].source);
                let full = match source {
                    Some(DraftSource::Input { input, .. }) => self.inputs.values[*input].name.to_string(),
                    Some(DraftSource::Stage { stage, .. }) => units.homes[*stage].full.to_string(),
                    Some(DraftSource::Item { of, .. }) => self.tree.full(*of).to_owned(),
                    Some(DraftSource::List(_) | DraftSource::Count(_)) | None => return Vec::new(),
                };
                vec![full]
            }
            (_, Some(with)) => {
                let user = units.all[meant.0].parent.map_or(ROOT, |(user, _)| user);
                self.roots(with.value.templates(), user)
            }
            // What is put together without a call hands on what it names, and what stands in for an answer does so too.
            (Named::Stage(stage), None) => {
                let home = &units.homes[stage];
                let unit = if let Role::Use(unit) = home.role { unit } else { home.speaks };
                let mut roots = match &self.spec.stages[stage].kind {
                    Some(KindSpec::Value(Some(json))) => self.roots(json.templates(), unit),
                    Some(KindSpec::Render(text)) => self.roots(vec![text], unit),
                    _ => Vec::new(),
                };
                if let Some(OnErrorSpec::Value(json)) = self.stand_in(stage).map(|at| &at.value) {
                    roots.extend(self.roots(json.templates(), home.speaks));
                }
                roots
            }
            (Named::Input(_), None) => Vec::new(),
        }
    }

    /// What stands in for the answer of a stage.
    fn stand_in(&self, stage: usize) -> Option<&'a At<OnErrorSpec>> {
        let settings = Settings::of(&self.spec.stages[stage], &self.spec.defaults);
        settings.get(|s| s.on_error.as_ref()).filter(|at| matches!(at.value, OnErrorSpec::Value(_)))
    }

    /// The names that templates start from which stand in the file of `unit` or of one around it. One that is broken is told
    /// where it is built.
    fn roots(&self, texts: Vec<&TextSpec>, unit: usize) -> Vec<String> {
        let roots = texts.into_iter().flat_map(|text| {
            let unit = self.units.of_file(unit, text.map.whole().file);
            let template = Template::compile(&text.text, &|word| self.names.is_name(unit, word));
            let uses = template.iter().flat_map(Template::uses);
            uses.filter_map(|one| Some(self.names.full(unit, one.path.first()?))).collect::<Vec<_>>()
        });
        roots.collect()
    }
}
